# SPDX-License-Identifier: GPL-2.0-or-later
"""NOTIFY_SOCKET: what the container says reaches the service manager, as far as it should, and no start hangs without need."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from support import runtime as rt
from support.agent import received_fds
from support.bundle import HOLD

pytestmark = [pytest.mark.only("tare"), pytest.mark.rows("P-4")]

# Static busybox has no tool for datagrams to a unix socket: the test's own interpreter says it, from the host.
INSIDE = "/run/notify/notify.sock"


class Manager:
    """A service manager's socket; notes what comes, and lets go of barriers."""

    def __init__(self, address):
        self.address = str(address)
        self.messages = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.address[1:] if self.address.startswith("@") else self.address)
        self.socket.settimeout(0.05)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._over.is_set():
            try:
                data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
            except TimeoutError:
                continue
            self.messages.append(data.decode())
            for fd in received_fds(ancillary):
                os.close(fd)

    def close(self):
        self._over.set()
        self._thread.join()
        self.socket.close()


@pytest.fixture
def manager(tmp):
    manager = Manager(tmp / "manager")
    yield manager
    manager.close()


def environment(manager):
    return dict(os.environ, NOTIFY_SOCKET=manager.address)


def say(container, *texts, pid=None):
    """Speak on the container's socket, by its path inside: through the root of its init."""
    path = f"/proc/{pid or container.pid}/root{INSIDE}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        for text in texts:
            sock.sendto(text.encode(), path)


def in_background(function, *args, **kw):
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*args, **kw)))
    thread.start()
    return thread, results


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize("base", ["minimal", "docker"])
def test_C2_ready_is_relayed_by_start(tare, bundle, manager, base, user):
    b = bundle(base, script="ls -ld /run/notify; echo $NOTIFY_SOCKET; " + HOLD)
    b.process["user"] = {"uid": user, "gid": user}
    c = tare.create(b, env=environment(manager))
    thread, results = in_background(c.start, env=environment(manager))
    c.wait_out("ready")
    assert INSIDE in c.out and c.out.startswith("drwxr-xr-x")
    say(c, "STATUS=half way", "WATCHDOG=1\nREADY=0x\n")
    thread.join(20)
    results[0].ok()
    assert manager.messages == ["READY=0x", f"MAINPID={c.pid}", "BARRIER=1"]


def test_C2_start_waits_until_then_and_no_longer_than_the_container_lives(tare, bundle, manager):
    c = tare.create(bundle(script=HOLD), env=environment(manager))
    thread, results = in_background(c.start, env=environment(manager))
    c.wait_out("ready")
    time.sleep(0.2)
    assert thread.is_alive() and c.status == "running"
    c.kill("KILL").ok()
    thread.join(20)
    results[0].ok()
    assert manager.messages == []


def test_C2_run_detached(tare, bundle, manager, tmp):
    b = bundle(script=HOLD)
    thread, results = in_background(tare.run_detached, b, id="served", env=environment(manager))
    rt.wait_until(lambda: tare.list().get("served", {}).get("status") == "running", "it to run")
    pid = tare.state("served")["pid"]
    say(None, "READY=1", pid=pid)
    thread.join(20)
    assert results[0].pid == pid
    assert manager.messages == ["READY=1", f"MAINPID={pid}", "BARRIER=1"]


def test_C2_run_in_the_foreground_stays_the_main_process(tare, bundle, manager):
    b = bundle(script="while [ ! -e /over ]; do sleep 0.02; done")
    thread, results = in_background(tare.run, b, id="served", env=environment(manager))
    rt.wait_until(lambda: tare.list().get("served", {}).get("status") == "running", "it to run")
    say(None, "READY=1", "READY=1", pid=tare.state("served")["pid"])
    rt.wait_until(lambda: manager.messages, "the message")
    (b.rootfs / "over").touch()
    thread.join(20)
    results[0].ok()
    assert manager.messages == ["READY=1"]


def test_C2_abstract_address(tare, bundle, tmp):
    manager = Manager(f"@tare-{tmp.name}")
    try:
        c = tare.create(bundle(script=HOLD), env=environment(manager))
        thread, results = in_background(c.start, env=environment(manager))
        c.wait_out("ready")
        say(c, "READY=1")
        thread.join(20)
        results[0].ok()
        assert manager.messages[0] == "READY=1"
    finally:
        manager.close()


def test_C2_manager_that_is_gone_is_a_warning(tare, bundle, tmp):
    env = dict(os.environ, NOTIFY_SOCKET=str(tmp / "gone"))
    c = tare.create(bundle(script=HOLD), env=env)
    thread, results = in_background(c.start, env=env)
    c.wait_out("ready")
    say(c, "READY=1")
    thread.join(20)
    assert f'pass "READY=1" on to "{tmp}/gone"' in " ".join(results[0].ok().warnings)


def test_C2_address_that_is_none_is_a_warning(tare, bundle):
    result = tare.run(bundle(script="echo ${NOTIFY_SOCKET-none}"), env=dict(os.environ, NOTIFY_SOCKET="vsock:2:1"))
    assert result.ok().out == "none\n"
    assert "no unix socket" in " ".join(result.warnings)


def test_C2_without_the_variable_there_is_nothing(tare, bundle):
    b = bundle(script="echo ${NOTIFY_SOCKET-none}; ls -d /run/notify 2>&1; true")
    out = tare.run(b).ok().out
    assert out.startswith("none\n") and "No such file" in out


def test_C2_the_configs_own_value_gives_way(tare, bundle, manager):
    b = bundle(script="echo $NOTIFY_SOCKET")
    b.process["env"].append("NOTIFY_SOCKET=/elsewhere")
    assert tare.run(b, env=environment(manager)).ok().out == INSIDE + "\n"


def test_C2_the_container_cannot_change_the_directory(tare, bundle, manager):
    b = bundle(script="touch /run/notify/x 2>&1; rm /run/notify/notify.sock 2>&1; true")
    out = tare.run(b, env=environment(manager)).ok().out
    assert out.count("Read-only file system") == 2


def test_C2_second_start_finds_nothing_in_its_way(tare, bundle, manager, tmp):
    """A start that failed has left a socket."""
    b = bundle(args=["/bin/true"])
    b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(tmp / "none"),
                          "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}
    c = tare.create(b, env=environment(manager))
    c.start(env=environment(manager)).fails("connect to the seccomp agent")
    c.start(env=environment(manager)).fails("connect to the seccomp agent")
    assert c.status == "created" and Path(tare.root, c.id, "notify").exists()
    c.delete("--force").ok()
    assert not Path(tare.root, c.id).exists()
