# SPDX-License-Identifier: GPL-2.0-or-later
"""
The layers of a container's defence, one by one: for each of them an attack that it alone stops. Everything else is on in both
halves of a test; with the layer the attack fails, and with only that one taken out of the config it succeeds.

The seven: namespaces, capabilities, seccomp, security module, cgroups, read-only root, user namespace. docs/security.md has the table.
"""

import json
import os
import socket
import subprocess
import threading

import pytest

from support.bundle import SECCOMP_PROFILE
from test_labels import with_apparmor

pytestmark = [pytest.mark.only("tare")]

HOST_ID = 100000
SECRET = "secret"
PIDS = 30
ALL_CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_NET_ADMIN", "CAP_NET_RAW",
                    "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"]
CLONE_NEW = 0x7E020000  # all CLONE_NEW* flags but NEWTIME


@pytest.fixture(params=[True, False], ids=["on", "off"])
def on(request):
    """Is the layer that the test is about on?"""
    return request.param


def profile():
    """The default profile, without the calls that make or join namespaces, as engines send it for a container without CAP_SYS_ADMIN."""
    seccomp = json.loads(SECCOMP_PROFILE.read_text())
    gone = {"unshare", "setns", "clone", "clone3", "mount", "fsopen", "pivot_root"}
    for rule in seccomp["syscalls"]:
        rule["names"] = [n for n in rule["names"] if n not in gone]
    seccomp["syscalls"] += [
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": CLONE_NEW, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
    ]
    return seccomp


@pytest.fixture
def fortress(bundle):
    """A factory of bundles with every layer on (but a security module's, where there is none)."""

    def make(script):
        b = bundle("docker", script=script).user_namespace(HOST_ID)
        b.config["root"]["readonly"] = True
        b.linux["seccomp"] = profile()
        b.resources["pids"] = {"limit": PIDS}
        os.chown(b.path / "data", HOST_ID, HOST_ID)
        return b
    return make


class Service:
    """Somebody on the host's loopback who tells whoever asks: a database without a password, say."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        try:
            connection, _ = self.socket.accept()
        except OSError:
            return
        with connection:
            connection.sendall(SECRET.encode())

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def test_L2_layer_namespaces_a_service_on_the_hosts_loopback(tare, fortress, on):
    with Service() as service:
        b = fortress(f"nc -w 5 127.0.0.1 {service.port} </dev/null")
        if not on:
            b.without_namespace("network")
        result = tare.run(b)
    if on:
        assert result.out == "" and "Connection refused" in result.err
    else:
        assert result.ok().out == SECRET


def test_P10_layer_capabilities_an_address_of_somebody_else(tare, fortress, on):
    """Who has CAP_NET_ADMIN over its network namespace answers for addresses that it was not given."""
    b = fortress("ip addr add 192.0.2.1/32 dev lo && ip addr show dev lo")
    if not on:
        b.process["capabilities"] = {kind: ALL_CAPABILITIES for kind in ("bounding", "effective", "permitted")}
    result = tare.run(b)
    if on:
        assert result.out == "" and "Operation not permitted" in result.err
    else:
        assert "192.0.2.1/32" in result.ok().out


def test_S1_layer_seccomp_all_capabilities_by_a_namespace_of_ones_own(tare, fortress, attacker, on):
    """A user namespace of its own gives a process every capability back, and with that most of the kernel to try bugs of."""
    b = fortress("/attacker userns")
    (b.rootfs / "attacker").write_bytes(attacker.read_bytes())
    (b.rootfs / "attacker").chmod(0o755)
    if not on:
        del b.linux["seccomp"]
    result = tare.run(b)
    if on:
        assert result.out == "" and "unshare the user namespace: Function not implemented" in result.err
    else:
        assert result.ok().out == "root again\n"


RULES = """
profile tare-layer flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  signal,
  deny /data/** rwklx,
}
"""


@with_apparmor
def test_P8_layer_security_module_a_file_that_the_ids_allow(tare, fortress, tmp, on):
    """The container's own ids may read the file; the profile says that this program may not."""
    (tmp / "profile").write_text(RULES)
    subprocess.run(["apparmor_parser", "-r", "-K", tmp / "profile"], check=True)
    b = fortress("cat /data/file")
    (b.path / "data/file").write_text(SECRET)
    os.chown(b.path / "data/file", HOST_ID, HOST_ID)
    b.process["apparmorProfile"] = "tare-layer" if on else "unconfined"
    try:
        result = tare.run(b)
    finally:
        subprocess.run(["apparmor_parser", "-R", tmp / "profile"], check=True)
    if on:
        assert result.out == "" and "Permission denied" in result.err
    else:
        assert result.ok().out == SECRET


def test_R21_layer_cgroups_a_fork_bomb(tare, fortress, on):
    """A small one: twice as many processes as the limit."""
    b = fortress(f"i=0; while [ $i -lt {2 * PIDS} ]; do sleep 20 & i=$((i+1)); done; echo $i of them")
    if not on:
        del b.resources["pids"]
    result = tare.run(b)
    if on:
        assert result.out == "" and "can't fork" in result.err
    else:
        assert result.ok().out == f"{2 * PIDS} of them\n"


def test_A8_layer_read_only_root_a_change_that_stays(tare, fortress, on):
    """What is written to the image is there for whoever runs it next."""
    b = fortress("echo evil:x:0:0::/:/bin/sh >>/etc/passwd")
    b.config["root"]["readonly"] = on
    before = (b.rootfs / "etc/passwd").read_text()
    result = tare.run(b)
    if on:
        assert "Read-only file system" in result.err and (b.rootfs / "etc/passwd").read_text() == before
    else:
        assert result.ok() and "evil" in (b.rootfs / "etc/passwd").read_text()


def test_L4_layer_user_namespace_a_file_of_the_hosts_root(tare, fortress, on):
    """Root of a container is root of the host for every file that it can reach, here in a volume; unless it is somebody else."""
    b = fortress("cat /data/secret")
    (b.path / "data/secret").write_text(SECRET)
    (b.path / "data/secret").chmod(0o600)
    if not on:
        b.without_namespace("user")
        del b.linux["uidMappings"], b.linux["gidMappings"]
    result = tare.run(b)
    if on:
        assert result.out == "" and "Permission denied" in result.err
    else:
        assert result.ok().out == SECRET
