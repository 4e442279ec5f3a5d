# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways out of a container that other runtimes once left open, and what a container must never see of its host."""

import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import cgroup
from support import runtime as rt

only_tare = pytest.mark.only("tare")


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def runtime_binary():
    return os.path.realpath(rt.binary())


def own(pid, kind):
    """The inode of a process's namespace."""
    return os.stat(f"/proc/{pid}/ns/{kind}").st_ino


# ---- the runtime's own binary ----------------------------------------------------------------------------------


def test_X1_proc_self_exe_as_entrypoint_does_not_run_the_runtime_writable(tare, bundle):
    """CVE-2019-5736: the container executes /proc/self/exe, which is the runtime, and would rewrite it."""
    before = digest(runtime_binary())
    b = bundle(args=["/proc/self/exe", "--version"])
    tare.run(b)
    assert digest(runtime_binary()) == before


def test_X1_hostile_interpreter_line(tare, bundle):
    before = digest(runtime_binary())
    b = bundle(args=["/evil"])
    (b.rootfs / "evil").write_text("#!/proc/self/exe\n")
    (b.rootfs / "evil").chmod(0o755)
    tare.run(b)
    assert digest(runtime_binary()) == before


@only_tare
def test_X1_binary_of_the_waiting_init_cannot_be_written(tare, bundle):
    """While init waits for `start` its /proc/PID/exe is the protected copy: not to be opened for writing, by root either."""
    c = tare.create(bundle(args=["true"]))
    exe = f"/proc/{c.pid}/exe"
    with pytest.raises(OSError) as refused:
        os.open(exe, os.O_WRONLY)
    assert refused.value.strerror in ("Read-only file system", "Text file busy", "Operation not permitted")
    fd = os.open(exe, os.O_RDONLY)
    try:
        with pytest.raises(OSError):
            os.open(f"/proc/self/fd/{fd}", os.O_WRONLY)
    finally:
        os.close(fd)


@only_tare
def test_X1_container_cannot_write_the_runtime_through_init(tare, bundle):
    """A container without a pid namespace sees the runtime's processes, and loops over their executables for writing."""
    before = digest(runtime_binary())
    b = bundle(script="echo ready; while :; do for p in /proc/[0-9]*; do case $(readlink $p/exe) in *tare-oci*) "
                      "(echo x >>$p/exe) 2>/dev/null && echo written; esac; done; done")
    b.without_namespace("pid")
    attacker = tare.run_detached(b).wait_out("ready")
    for _ in range(5):
        victim = tare.create(bundle(args=["true"]))
        victim.start().ok()
        victim.wait()
        victim.delete().ok()
    assert "written" not in attacker.out
    attacker.delete("--force").ok()
    assert digest(runtime_binary()) == before


# ---- leaked files ----------------------------------------------------------------------------------------------


@only_tare
@pytest.mark.parametrize("fd", range(3, 21))
def test_X3_cwd_in_a_leaked_fd(tare, bundle, fd):
    """CVE-2024-21626: a cwd of /proc/self/fd/N leads out of the container if a directory of the host is open there."""
    b = bundle(script="pwd; ls /")
    b.process["cwd"] = f"/proc/self/fd/{fd}"
    result, container = tare.try_create(b, command="run")
    result.fails(f"/proc/self/fd/{fd}")


@only_tare
def test_X3_cwd_in_proc_self_cwd(tare, bundle):
    b = bundle(script="pwd -P; ls / | grep -c .")
    b.process["cwd"] = "/proc/self/cwd"
    tare.run(b).fails('change directory to "/proc/self/cwd": it leads through a link of procfs', "/process/cwd")


@only_tare
def test_X3_inherited_directories_do_not_reach_hooks_or_container(tare, bundle):
    directory = os.open("/", os.O_RDONLY)
    os.set_inheritable(directory, True)
    b = bundle(script="ls -l /proc/self/fd; true")
    b.hook("createContainer", "/bin/sh", ["sh", "-c", f"ls -l /proc/self/fd >{tare.work}/hook-fds"])
    b.hook("prestart", "/bin/sh", ["sh", "-c", f"ls -l /proc/self/fd >{tare.work}/host-hook-fds"])
    try:
        out = tare.run(b, pass_fds=[directory]).ok().out
    finally:
        os.close(directory)
    for listing in (out, (tare.work / "hook-fds").read_text(), (tare.work / "host-hook-fds").read_text()):
        assert sorted(re.findall(r"(\d+) -> ", listing))[:3] == ["0", "1", "2"], listing
        others = [to for fd, to in re.findall(r"(\d+) -> (\S+)", listing) if int(fd) > 2]
        assert all(re.fullmatch(r"/proc/\d+/fd", to) for to in others), f"only ls's own directory: {listing}"


@only_tare
def test_X3_waiting_init_holds_nothing_of_the_host_but_its_socket(tare, bundle):
    """Between create and start init may hold only stdio and what it needs to be started."""
    c = tare.create(bundle(args=["true"]))
    files = [Path(f"/proc/{c.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{c.pid}/fd") if int(fd) > 2]
    root = os.stat("/")
    leaked = [str(f.readlink()) for f in files if str(f.readlink()).startswith(("/sys/fs/cgroup", "/run", "/tmp"))
              or (f.stat().st_dev, f.stat().st_ino) == (root.st_dev, root.st_ino)]
    assert not leaked


# ---- what a container sees of its host ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pid", "mnt", "uts", "ipc", "net", "cgroup"])
def test_namespaces_are_not_the_hosts(tare, bundle, kind):
    c = tare.run_detached(bundle("docker", script="while :; do sleep 1; done"))
    assert own(c.pid, kind) != own("self", kind)


def test_M4_nothing_of_the_host_in_mountinfo(tare, bundle):
    """After pivot_root and the detached umount no mount of the host can be reached; /proc/1/mountinfo shows what is there."""
    out = tare.run(bundle("docker", script="cat /proc/1/mountinfo; true")).ok().out
    points = [line.split()[4] for line in out.splitlines()]
    allowed = ("/proc", "/sys", "/dev", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/data")
    assert [p for p in points if p != "/" and not p.startswith(allowed)] == []
    assert points.count("/") == 1


def test_M3_container_mounts_do_not_reach_the_host(tare, bundle):
    """The leak fixture would see them too; here the propagation itself is read back."""
    c = tare.run_detached(bundle("docker", script="while :; do sleep 1; done"))
    lines = Path(f"/proc/{c.pid}/mountinfo").read_text().splitlines()
    assert lines and not [line for line in lines if " shared:" in line.split(" - ")[0]]


def test_process_list_is_the_containers(tare, bundle):
    out = tare.run(bundle("docker", script="ls -d /proc/[0-9]*; true")).ok().out
    assert all(int(p.rsplit("/", 1)[1]) < 10 for p in out.split())


def test_host_name_of_the_host_stays(tare, bundle):
    host = os.uname().nodename
    b = bundle(script="hostname; hostname changed; hostname")
    b.config["hostname"] = "inside"
    b.process["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    assert tare.run(b).ok().out.split() == ["inside", "changed"]
    assert os.uname().nodename == host


@only_tare
def test_A9_hostname_without_a_uts_namespace_is_refused(tare, bundle):
    b = bundle()
    b.config["hostname"] = "inside"
    b.without_namespace("uts")
    result, _ = tare.try_create(b)
    result.fails("hostname", "uts")


def test_X20_session_keyring_is_the_containers_own(tare, bundle):
    """`keyctl show` needs a tool; /proc/keys without a mask lists the session keyring by name."""
    b = bundle(script="grep -o '_ses[^ :]*' /proc/keys; true")
    id = "keyring-test"
    out = tare.run(b, id=id).ok().out
    assert f"_ses.{id}" in out


@only_tare
def test_X20_no_new_keyring_keeps_the_callers(tare, bundle):
    b = bundle(script="grep -o '_ses[^ :]*' /proc/keys; true")
    assert "_ses.keyring-kept" not in tare.run(b, "--no-new-keyring", id="keyring-kept").ok().out


def test_X19_container_is_a_session_of_its_own(tare, bundle):
    c = tare.run_detached(bundle(script="while :; do sleep 1; done"))
    assert os.getsid(c.pid) == c.pid != os.getsid(0)


def test_X13_Q4_inheritable_and_ambient_are_empty_by_default(tare, bundle):
    out = tare.run(bundle("docker", script="grep -e CapInh -e CapAmb /proc/self/status")).ok().out
    assert re.findall(r"\d{16}", out) == ["0" * 16] * 2


def test_Q16_signals_are_reset(tare, bundle):
    def ignore_everything():
        for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGALRM])

    # grep's own parent is the shell, which catches nothing here; pid 1 is that shell.
    b = bundle(args=["/bin/grep", "-e", "SigBlk", "-e", "SigIgn", "/proc/self/status"])
    out = tare.run(b, before=ignore_everything).ok().out
    assert re.findall(r"[0-9a-f]{16}", out) == ["0" * 16] * 2, out


def test_Q22_environment_of_the_runtime_does_not_reach_the_container(tare, bundle):
    env = dict(os.environ, SECRET="of the host", LD_PRELOAD="", _LIBCONTAINER_FIFOFD="7")
    b = bundle(args=["env"])
    b.process["env"] = ["ONLY=this", "PATH=/usr/bin"]
    lines = tare.run(b, env=env).ok().out.splitlines()
    assert [line for line in lines if not line.startswith("HOME=")] == ["ONLY=this", "PATH=/usr/bin"]


# ---- races with a hostile container ----------------------------------------------------------------------


@only_tare
def test_X10_swapped_directory_in_a_shared_volume(tare, bundle):
    """
    CVE-2021-30465: one container exchanges a directory of a volume with a symlink to / while another start mounts onto a
    path in that volume. The mount must land inside or the start must fail; never on the host.
    """
    volume = tare.work / "volume"
    (volume / "real/sub").mkdir(parents=True)
    os.symlink("/", volume / "link")
    flip = bundle(script="cd /volume; mv real a; echo ready; while :; do mv a target; mv target a; ln -s / target; rm target; done")
    flip.mount("/volume", type="bind", source=volume, options=["rbind", "rw"])
    attacker = tare.run_detached(flip).wait_out("ready")
    before = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    for _ in range(10):
        b = bundle(args=["true"])
        b.mount("/volume", type="bind", source=volume, options=["rbind"])
        b.mount("/volume/target/sub", type="tmpfs", source="tmpfs", options=["size=1m"])
        result = tare.call("run", "--bundle", str(b.write() or b.path), tare.new_id())
        assert result.status in (0, 1), result.describe()
    assert {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()} == before
    attacker.delete("--force").ok()


# ---- dying at the wrong moment --------------------------------------------------------------------------------------


@only_tare
@pytest.mark.parametrize("round", range(12))
def test_Z3_killed_runtime_leaves_nothing_that_the_next_command_does_not_remove(tare, bundle, round):
    """SIGKILL to `create` after a growing delay; then the same id must be free again, and nothing left."""
    b = bundle("docker", script="sleep 1000")
    b.write()
    with open(tare.fresh("out"), "w") as out:
        victim = subprocess.Popen(tare.command("create", "--bundle", b.path, "victim"), stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=out)
    time.sleep(0.001 * round)
    victim.kill()
    victim.wait()
    c = None
    if round % 3 == 0:
        tare.delete("--force", "victim").ok()
    elif round % 3 == 1:
        tare.list()
        tare.delete("--force", "victim").ok()
    else:
        if (tare.root / "victim").exists() and victim.returncode == 0:
            tare.delete("--force", "victim").ok()
        result, c = tare.try_create(bundle(script="sleep 1000"), id="victim")
        if result.status:  # it was complete when the signal came: then it is there, and says so
            result.fails("exist")
            tare.delete("--force", "victim").ok()
    if c:
        c.delete("--force").ok()
    assert tare.list() == {}


@only_tare
def test_K8_fork_bomb_is_held_by_its_limit_and_removed(tare, bundle):
    b = bundle(script="echo ready; f() { f & f & }; f; while :; do sleep 1; done")
    b.resources["pids"] = {"limit": 30}
    c = tare.run_detached(b).wait_out("ready")
    time.sleep(0.2)
    assert int(cgroup.find(c, "pids.current").read_text()) <= 30
    c.delete("--force").ok()
