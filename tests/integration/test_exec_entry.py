# SPDX-License-Identifier: GPL-2.0-or-later
"""
The way into a container: terminals and pidfds of an exec, what others in the container can see of it, an init that ends
meanwhile, and each step of the plan failing once.
"""

import errno
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from support import cgroup
from support import runtime as rt
from support.bundle import HOLD, MOUNTS
from support.host import strangers
from support.runtime import wait_until
from support.terminal import ConsoleSocket, OnTerminal, read_master, set_window

pytestmark = pytest.mark.only("tare")

FAULTS = os.environ.get("TARE_OCI_FAULTS") or str(rt.REPO / "build-faults/tare-oci")


@pytest.fixture
def running(tare, bundle):
    """A factory of running containers that have /dev/pts."""
    def make(base="minimal", change=None):
        b = bundle(base, script=HOLD)
        if base == "minimal":
            b.config["mounts"] += MOUNTS[1:3]
        if change:
            change(b)
        return tare.run_detached(b).wait_out("ready")
    return make


# ---- terminals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [lambda b: b, lambda b: b.user_namespace()], ids=["plain", "user"])
@pytest.mark.rows("C-15", "P-1", "P-2")
def test_Z14_console_goes_to_the_socket(running, tare, tmp, change):
    c = running(change=change)
    file = tmp / "process.json"
    file.write_text('{"args":["sh","-c","tty; stty size; read line; echo got $line"],"cwd":"/","terminal":true,'
                    '"consoleSize":{"height":31,"width":97},"env":["PATH=/bin:/usr/bin"],"user":{"uid":0,"gid":0}}')
    with ConsoleSocket(tare.work / "console.sock") as console:
        c.exec(options=["--process", file, "--detach", "--console-socket", console.path]).ok()
        master, name = console.receive()
        assert re.fullmatch(r"/dev/pts/\d+", name)
        os.write(master, b"hello\n")
        text = read_master(master, "got hello")
    assert name in text and "31 97" in text


def test_Z14_terminal_of_a_foreground_exec_is_relayed(running, tare):
    c = running()
    with OnTerminal(tare.command("exec", "-t", c.id, "sh", "-c", "tty; stty size; read x; echo [$x]; exit 4"), 33, 99) as t:
        t.wait_text("33 99").type("abc\n").wait_text("[abc]")
        assert t.wait() == 4
        assert "/dev/pts/" in t.text


def test_Z14_window_changes_are_passed_on(running, tare):
    c = running()
    with OnTerminal(tare.command("exec", "-t", c.id, "sh", "-c", "trap 'stty size' WINCH; echo up; while :; do sleep 0.02; done"),
                    20, 70) as t:
        t.wait_text("up")
        set_window(t.slave, 41, 87)
        t.wait_text("41 87").type("\x03").wait()


@pytest.mark.parametrize("options, message", [
    (["--tty", "--detach"], "nobody would have its other end"),
    (["--console-socket", "/nowhere.sock", "--detach"], "the process has no terminal"),
    (["--tty", "--detach", "--console-socket", "/nowhere.sock"], "connect to the console socket"),
])
def test_Z14_terminal_that_nobody_would_have(running, options, message):
    running().exec("true", options=options).fails(message, status=255)


def test_C14_pidfd_is_sent(running, tare):
    c = running()
    with ConsoleSocket(tare.work / "pidfd.sock") as sock:
        pid_file = tare.work / "pid"
        with open(tare.work / "out", "w") as out:
            c.exec("sleep", "100", out=out, err=out,
                   options=["--detach", "--pid-file", pid_file, "--pidfd-socket", sock.path]).ok()
        pidfd, text = sock.receive()
        assert text == c.id
        info = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
        assert re.search(rf"^Pid:\t{pid_file.read_text()}$", info, re.M)


# ---- what others see ------------------------------------------------------------------------------------------------

# A spy in the container: for each new process, what its fds, root and directory lead to. Reading those of others takes
# CAP_SYS_PTRACE, which the container has.
SPY = """
echo ready
while :; do
  for p in /proc/[0-9]*; do
    [ $p = /proc/$$ ] && continue
    ls $p/root/host-marker $p/cwd/host-marker 2>/dev/null
    for f in $p/fd/*; do
      [ -d $f/ ] 2>/dev/null && ls -d $f/proc $f/host-marker $f/cgroup.procs $f/state.json 2>/dev/null
    done
    head -c 15 $p/comm 2>/dev/null
  done
done
"""


def test_X2_nothing_of_the_host_is_seen_in_an_entering_process(tare, bundle):
    b = bundle(script=SPY)
    b.process["capabilities"] = {k: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"]
                                 for k in ("bounding", "effective", "permitted")}
    c = tare.run_detached(b).wait_out("ready")
    for i in range(40):
        c.exec("true", options=["--cwd", "/tmp"]).ok()
    seen = set(c.out.split())
    # The spy works: it has met processes on their way in. And all that it found in them is no host's directory.
    assert seen & {"tare-oci-init", "true"} or any("tare-oci" in s for s in seen), seen
    assert not {s for s in seen if "/fd/" in s or "host-marker" in s}, seen


def test_X2_entering_process_is_closed_to_those_without_the_capability(tare, bundle):
    # Root of the container, without CAP_SYS_PTRACE, may count the fds of a process that enters, but can't follow one.
    b = bundle(script="echo ready; while :; do for p in /proc/[0-9]*; do [ $p = /proc/$$ ] || "
                      "grep -qs tare-oci $p/comm && for f in $p/fd/*; do readlink $f; done; done; done")
    c = tare.run_detached(b).wait_out("ready")
    for i in range(30):
        c.exec("true").ok()
    # What is seen is of the program that was executed in the meantime: never the socket to the runtime.
    assert "socket:" not in c.out


@pytest.mark.rows("X-1")
def test_X1_exec_of_a_hostile_interpreter_line(running, tare):
    c = running(change=lambda b: (b.rootfs / "bin/evil").write_text("#!/proc/self/exe\n")
                or (b.rootfs / "bin/evil").chmod(0o755))
    before = Path(tare.path).read_bytes()
    result = c.exec("/bin/evil", "--version")
    assert Path(tare.path).read_bytes() == before
    # What is executed is the interpreter itself, inside and confined: it knows no command of that name.
    assert result.status != 0


def test_X1_executable_of_an_entering_process_is_a_read_only_copy(tare, bundle):
    b = bundle(script="echo ready; while :; do for p in /proc/[0-9]*; do [ $p = /proc/$$ ] && continue; "
                      "grep -qs tare-oci $p/comm && (echo x >> $p/exe) 2>/dev/null && echo WRITTEN; done; done")
    b.process["capabilities"] = {k: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"] for k in ("bounding", "effective", "permitted")}
    before = Path(tare.path).read_bytes()
    c = tare.run_detached(b).wait_out("ready")
    for i in range(30):
        c.exec("true").ok()
    assert "WRITTEN" not in c.out and Path(tare.path).read_bytes() == before


# ---- an init that ends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [lambda b: b, lambda b: b.without_namespace("pid")], ids=["pid", "no-pid"])
def test_Q21_init_that_ends_meanwhile(running, change):
    """exec against kill, at all sorts of moments: done, killed with the container, or told that it does not run."""
    for i in range(6):
        c = running(change=change)
        process = subprocess.Popen(c.runtime.command("exec", c.id, "true"), stderr=subprocess.PIPE, text=True)
        time.sleep(0.003 * i)
        c.kill("KILL")
        err = process.communicate(timeout=20)[1]
        assert process.returncode in (0, 137) or (process.returncode == 255 and "container not running" in err), err
        c.delete("--force").ok()


# ---- faults ---------------------------------------------------------------------------------------------------------




N_STEPS = 45


@pytest.fixture
def faulty(running):
    if not Path(FAULTS).exists() or rt.sanitized():
        pytest.skip("no build with the fault table")
    def change(b):
        b.user_namespace()
        b.process["oomScoreAdj"] = 100
    c = running("docker", change)
    c.runtime.path = FAULTS
    return c


def leftovers(c, pid_file):
    assert not pid_file.exists()
    wait_until(lambda: not strangers(c), "the process that exec made to be gone")
    assert c.status == "running"


def test_Y16_Z10_exec_step_that_fails_leaves_nothing(faulty, tmp):
    """Each step's first system call fails once; the error is that step's, and nothing is left."""
    c, pid_file, met = faulty, tmp / "pid", set()
    for index in range(N_STEPS):
        env = dict(os.environ, TARE_FAULT=f"{index}:{errno.EIO}")
        result = c.exec("sleep", "0.01", options=["--pid-file", pid_file], env=env, timeout=20)
        if result.status == 0:
            pid_file.unlink()
            continue
        result.fails("EIO", status=255)
        met.add([r for r in result.log if r["level"] == "error"][-1]["step"])
        leftovers(c, pid_file)
    expected = {"open-proc", "open-init", "fork-stage", "reset-signals", "forbid-tracing", "enter-namespaces",
                "close-unneeded-fds", "clone", "new-session", "join-session-keyring", "become-namespace-root",
                "write-pid-file", "set-ids", "set-capabilities", "load-seccomp", "execute",
                "wait-for-exec", "close-fds", "drop-bounding-set", "set-no-new-privs", "set-rlimit"}
    expected.add("open-cgroup" if cgroup.V2_ONLY else "join-cgroup")  # born in it, or it goes there
    assert expected <= met, expected - met


def test_Z3_Z10_runtime_killed_at_a_step_of_exec_leaves_nothing(faulty, tmp):
    c, pid_file = faulty, tmp / "pid"
    for index in range(N_STEPS):
        env = dict(os.environ, TARE_KILL_AT=str(index))
        c.exec("sleep", "0.01", options=["--pid-file", pid_file], env=env, before=os.setsid, timeout=20)
        pid_file.unlink(missing_ok=True)
        wait_until(lambda: not strangers(c), f"all to be gone after a kill at step {index}")
    assert c.status == "running"


def test_Q1_namespaces_are_joined_one_by_one_without_setns_by_pidfd(faulty, tmp):
    """The call fails as on Linux before 5.8."""
    c, tried = faulty, 0
    for index in range(N_STEPS):
        env = dict(os.environ, TARE_FAULT=f"{index}:{errno.EINVAL}:setns:1")
        result = c.exec("sh", "-c", "cd /proc/self/ns; readlink user; readlink pid", env=env)
        assert result.status == 0, result.describe()
        assert result.out.split() == [os.readlink(f"/proc/{c.pid}/ns/{n}") for n in ("user", "pid")]
        tried += 1
    assert tried == N_STEPS
