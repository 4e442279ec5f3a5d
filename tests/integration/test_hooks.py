# SPDX-License-Identifier: GPL-2.0-or-later
"""The six hooks: when and where each runs, what it gets, and what its failure does."""

import json
import os
import signal
import subprocess
import time

import pytest

from support.runtime import wait_until

KINDS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
RUNTIME_KINDS = ["prestart", "createRuntime", "poststart", "poststop"]
STATUS = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
          "startContainer": "created", "poststart": "running", "poststop": "stopped"}

ENV = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]


class Log:
    """A directory that every hook can write to: outside by its path, and mounted at the same path inside."""

    def __init__(self, tmp, b):
        self.path = tmp / "hooks"
        self.path.mkdir()
        self.path.chmod(0o777)
        self.bundle = b
        b.mount(str(self.path), "bind", self.path, ["rbind", "rw"])

    def hook(self, kind, script, **kw):
        """A hook of this kind that runs a line of shell; $LOG is the directory."""
        kw.setdefault("env", ENV)
        shell = "/bin/sh"
        self.bundle.hook(kind, shell, ["sh", "-c", f"LOG={self.path}; {script}"], **kw)
        return self

    def read(self, name):
        file = self.path / name
        return file.read_text() if file.exists() else None

    @property
    def order(self):
        return (self.read("order") or "").split()


@pytest.fixture
def hooked(tmp, bundle):
    """(bundle, Log)"""
    b = bundle(args=["sleep", "30"])
    return b, Log(tmp, b)


def whole_life(tare, b):
    c = tare.create(b)
    c.start().ok()
    c.kill("KILL").ok()
    c.wait("stopped")
    c.delete().ok()
    return c


# ---- when and where ------------------------------------------------------------------------------------------------------


@pytest.mark.rows("Y-23")
def test_H1_H6_order_of_a_whole_life(tare, hooked):
    b, log = hooked
    for kind in KINDS:
        log.hook(kind, f"echo {kind}1 >>$LOG/order").hook(kind, f"echo {kind}2 >>$LOG/order")
    c = tare.create(b)
    assert log.order == [f"{k}{n}" for k in KINDS[:3] for n in (1, 2)]
    c.start().ok()
    assert log.order == [f"{k}{n}" for k in KINDS[:5] for n in (1, 2)]
    c.kill("KILL").ok()
    c.wait("stopped")
    c.delete().ok()
    assert log.order == [f"{k}{n}" for k in KINDS for n in (1, 2)]


@pytest.mark.only("tare", "crun")
def test_H1_H6_order_of_a_foreground_run(tare, hooked):
    b, log = hooked
    for kind in KINDS:
        log.hook(kind, f"echo {kind} >>$LOG/order")
    tare.run(b.script(f"echo program >>{log.path}/order")).ok()
    order = log.order
    # poststart and the program run side by side.
    order.remove("program")
    assert order == KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_state_on_stdin(tare, hooked, kind):
    b, log = hooked
    b.config["annotations"] = {"org.example": "a \"quoted\" value", "x": ""}
    log.hook(kind, "cat >$LOG/state")
    c = whole_life(tare, b)
    state = json.loads(log.read("state"))
    assert state["id"] == c.id and state["bundle"] == str(b.path)
    assert state["annotations"]["org.example"] == "a \"quoted\" value"
    assert state["ociVersion"].startswith("1.")
    if tare.path.endswith("tare-oci"):
        assert state["status"] == STATUS[kind]


@pytest.mark.parametrize("kind", RUNTIME_KINDS[:3])
def test_Y4_pid_outside_is_the_hosts(tare, hooked, kind):
    b, log = hooked
    log.hook(kind, "cat >$LOG/state")
    c = tare.create(b)
    c.start().ok()
    assert json.loads(log.read("state"))["pid"] == c.pid


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_Y4_pid_inside_is_the_containers(tare, hooked, kind):
    b, log = hooked
    log.hook(kind, "cat >$LOG/state")
    whole_life(tare, b)
    assert json.loads(log.read("state"))["pid"] == 1


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_Y4_pid_without_a_pid_namespace_is_the_hosts(tare, hooked, kind):
    b, log = hooked
    b.without_namespace("pid")
    log.hook(kind, "cat >$LOG/state")
    c = tare.create(b)
    c.start().ok()
    assert json.loads(log.read("state"))["pid"] == c.pid


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_namespaces(tare, hooked, kind):
    b, log = hooked
    names = ["mnt", "pid", "uts", "ipc"]
    log.hook(kind, "for n in mnt pid uts ipc; do readlink /proc/self/ns/$n; done >$LOG/ns")
    whole_life(tare, b)
    seen = (log.read("ns") or "").split()
    own = [os.readlink(f"/proc/self/ns/{n}") for n in names]
    if kind in RUNTIME_KINDS:
        assert seen == own
    elif kind == "createContainer" and len(seen) == 1:
        pytest.fail(f"no procfs of the runtime's: {seen}")
    else:
        assert len(seen) == 4 and not set(seen) & set(own)


def test_H3_path_is_the_hosts_before_the_pivot(tare, hooked, tmp):
    b, log = hooked
    own = tmp / "own-hook"
    own.write_text(f"#!/bin/sh\necho ran >{log.path}/ran\n")
    own.chmod(0o755)
    b.hook("createContainer", own)
    tare.create(b)
    assert log.read("ran") == "ran\n"


def test_H4_path_is_the_containers(tare, hooked):
    b, log = hooked
    file = b.rootfs / "inside-hook"
    file.write_text(f"#!/bin/sh\necho ran >{log.path}/ran\n")
    file.chmod(0o755)
    b.hook("startContainer", "/inside-hook", env=ENV)
    tare.create(b).start().ok()
    assert log.read("ran") == "ran\n"


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_H2_hook_can_mount_into_the_container(tare, hooked, tmp, kind):
    b, log = hooked
    (tmp / "given").write_text("from the hook")
    log.hook(kind, "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); "
                   f"nsenter -t $pid -m mount --bind {tmp}/given {b.rootfs}/etc/hosts")
    out = tare.run(b.script("cat /etc/hosts"))
    assert out.ok().out == "from the hook"


@pytest.mark.parametrize("kind", KINDS)
def test_Z8_argv_environment_and_directory(tare, hooked, kind):
    b, log = hooked
    b.hook(kind, "/bin/sh", ["sh", "-c", f"tr '\\000' '\\n' </proc/self/environ >{log.path}/env; pwd >{log.path}/cwd; "
                             f"echo $0 $1 >{log.path}/argv", "zero", "one"], env=["ONLY=this", ENV[0]])
    whole_life(tare, b)
    assert log.read("argv") == "zero one\n"
    if tare.path.endswith("tare-oci"):
        entries = set(log.read("env").split())
        assert entries == {"ONLY=this", ENV[0]}
        assert log.read("cwd") == ("/\n" if kind == "startContainer" else f"{b.path}\n")


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_absent_environment_is_empty(tare, hooked, kind):
    b, log = hooked
    b.hook(kind, "/bin/sh", ["sh", "-c", f"[ -s /proc/self/environ ] || echo empty >{log.path}/env"])
    whole_life(tare, b)
    assert log.read("env") == "empty\n"


@pytest.mark.parametrize("kind", KINDS)
def test_Z8_no_fd_of_ours_is_open(tare, hooked, kind):
    b, log = hooked
    log.hook(kind, "for f in 3 4 5 6 7 8 9 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do "
                   "[ -e /proc/self/fd/$f ] && echo $f; done >$LOG/fds; :")
    whole_life(tare, b)
    assert log.read("fds") == ""


@pytest.mark.parametrize("kind", KINDS)
def test_Z8_state_that_nobody_reads(tare, hooked, kind):
    b, log = hooked
    b.config["annotations"] = {"long": "x" * 200000}
    log.hook(kind, "exec <&-; echo ran >$LOG/ran")
    whole_life(tare, b)
    assert log.read("ran") == "ran\n"


# The sanitizers' binary needs libraries that the image has not.
INSIDE = pytest.param("startContainer", marks=pytest.mark.no_sanitizer("a dynamic binary does not run in the image"))


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", [INSIDE if k == "startContainer" else k for k in KINDS])
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_hook_can_ask_for_the_state(tare, hooked, kind):
    b, log = hooked
    if kind in ("createContainer", "startContainer"):
        # From inside the container's namespaces the runtime's paths must be there too.
        b.mount(str(tare.root), "bind", tare.root, ["rbind"])
        b.mount("/runtime", "bind", os.path.realpath(tare.path), ["bind"])
        tare.root.mkdir(exist_ok=True)
    binary = "/runtime" if kind == "startContainer" else tare.path
    id = tare.new_id()
    log.hook(kind, f"{binary} --root {tare.root} state {id} >$LOG/state 2>$LOG/error")
    c = tare.create(b, id=id)
    pid = c.pid
    c.start().ok()
    c.kill("KILL").ok()
    c.wait("stopped")
    c.delete().ok()
    state = json.loads(log.read("state") or log.read("error"))
    assert state["id"] == id and state["status"] == STATUS[kind]
    assert state["pid"] == (0 if kind == "poststop" else pid)


# ---- output ----------------------------------------------------------------------------------------------------------------


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS)
def test_Z15_output_of_hooks_is_not_the_runtimes(tare, hooked, kind):
    b, log = hooked
    log.hook(kind, "echo out; echo err >&2")
    c = tare.create(b)
    started = c.start().ok()
    assert (c.result.out, c.result.err, started.out, started.err) == ("", "", "", "")
    c.kill("KILL").ok()
    c.wait("stopped")
    deleted = c.delete().ok()
    assert (deleted.out, deleted.err) == ("", "")


@pytest.mark.only("tare", "crun")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_output_goes_to_the_annotations_files(tare, hooked, tmp, kind):
    b, log = hooked
    b.config["annotations"] = {"run.oci.hooks.stdout": str(tmp / "out"), "run.oci.hooks.stderr": str(tmp / "err")}
    (tmp / "out").write_text("before\n")
    log.hook(kind, "echo to out; echo to err >&2")
    whole_life(tare, b)
    assert (tmp / "out").read_text() == "before\nto out\n"
    assert (tmp / "err").read_text() == "to err\n"


# ---- failure -----------------------------------------------------------------------------------------------------------------

ENDS = [
    ("exit 3", "exit status 3"),
    ("echo the reason >&2; exit 1", "exit status 1: the reason"),
    ("echo on stdout; exit 1", "exit status 1: on stdout"),
    ("kill -SEGV $$", "killed by signal 11 (SIGSEGV)"),
]


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("script, text", ENDS)
def test_Y7_failing_create_hook_fails_create(tare, hooked, kind, script, text):
    b, log = hooked
    log.hook(kind, "true").hook(kind, script).hook(kind, "touch $LOG/later")
    result, _ = tare.try_create(b)
    result.fails(f'run {kind} hook 1 "/bin/sh": {text}', f"/hooks/{kind}/1")
    assert log.read("later") is None
    assert tare.list() == {}


@pytest.mark.only("tare")
@pytest.mark.parametrize("script, text", ENDS)
def test_Y9_failing_startContainer_hook_fails_start(tare, hooked, script, text):
    b, log = hooked
    b.script(f"touch {log.path}/program")
    log.hook("startContainer", script).hook("poststop", "touch $LOG/poststop")
    c = tare.create(b)
    c.start().fails(f'run startContainer hook 0 "/bin/sh": {text}', "/hooks/startContainer/0")
    assert log.read("program") is None
    assert log.read("poststop") == ""
    assert tare.list() == {}


@pytest.mark.only("tare")
@pytest.mark.parametrize("command", ["start", "run --detach"])
def test_Y11_failing_poststart_hook_takes_the_container_down(tare, hooked, command):
    b, log = hooked
    log.hook("poststart", "cat >$LOG/state; exit 7").hook("poststop", "touch $LOG/poststop")
    if command == "start":
        result = tare.create(b).start()
    else:
        result, _ = tare.try_create(b, command=command)
    result.fails('run poststart hook 0 "/bin/sh": exit status 7')
    assert log.read("poststop") == ""
    assert tare.list() == {}
    pid = json.loads(log.read("state"))["pid"]
    assert not os.path.exists(f"/proc/{pid}/exe") or os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")


# The hook has no JSON reader.
PID = """pid=$(sed 's/.*"pid": *//; s/,.*//')"""


@pytest.mark.only("tare")
@pytest.mark.parametrize("command,kind,name", [
    ("create", "createRuntime", "create"), ("run --detach", "createRuntime", "run"), ("run --detach", "prestart", "run")])
def test_Q20_an_init_that_dies_during_create_is_an_error_and_no_hang(tare, hooked, command, kind, name):
    b, log = hooked
    log.hook(kind, f"{PID}; kill -KILL $pid").hook("poststop", "touch $LOG/poststop")
    result, _ = tare.try_create(b, command=command, timeout=20)
    result.fails(f'{name} "', "the container's init was killed by signal 9 (SIGKILL) in step")
    assert tare.list() == {} and log.read("poststop") == ""


@pytest.mark.only("tare")
@pytest.mark.rows("H-5")
@pytest.mark.parametrize("command", ["start", "run --detach"])
def test_Z9_poststart_hooks_find_the_program_executed(tare, hooked, command):
    b, log = hooked
    log.hook("poststart", f"{PID}; readlink /proc/$pid/exe >$LOG/exe; tr '\\0' ' ' </proc/$pid/cmdline >>$LOG/exe")
    if command == "start":
        tare.create(b).start().ok()
    else:
        tare.run_detached(b)
    assert log.read("exe") == "/bin/busybox\nsleep 30 "


@pytest.mark.only("tare")
def test_Y15_failing_poststop_hook_is_a_warning_and_the_rest_runs(tare, hooked):
    b, log = hooked
    log.hook("poststop", "echo sorry; exit 5").hook("poststop", "echo second >>$LOG/order")
    c = tare.create(b)
    c.start().ok()
    c.kill("KILL").ok()
    c.wait("stopped")
    result = c.delete().ok()
    assert log.order == ["second"]
    assert any('run poststop hook 0 "/bin/sh": exit status 5: sorry' in w for w in result.warnings)
    assert tare.list() == {}


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS[:3])
def test_Y7_poststop_hooks_run_after_a_failed_create(tare, hooked, kind):
    b, log = hooked
    log.hook("createRuntime" if kind != "prestart" else "prestart", "echo first >>$LOG/order")
    log.hook(kind, "exit 1").hook("poststop", "echo poststop >>$LOG/order")
    result, _ = tare.try_create(b)
    result.fails(f"run {kind} hook")
    assert log.order == ["first", "poststop"]


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_missing_program(tare, hooked, kind):
    b, _ = hooked
    b.hook(kind, "/no/such/hook")
    text = f'run {kind} hook 0 "/no/such/hook": execute it: not there (ENOENT)'
    if kind in KINDS[:3]:
        tare.try_create(b)[0].fails(text)
        return
    c = tare.create(b)
    if kind in KINDS[3:5]:
        c.start().fails(text)
        return
    c.start().ok()
    c.kill("KILL").ok()
    c.wait("stopped")
    assert any(text in w for w in c.delete().ok().warnings)


# ---- timeout ---------------------------------------------------------------------------------------------------------------


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"])
def test_Z8_timeout_kills_the_group_and_fails(tare, hooked, kind):
    b, log = hooked
    b.without_namespace("pid")  # so that the pids in the log mean something
    log.hook(kind, "sleep 50 & echo $! >$LOG/pid; wait", timeout=1)
    start = time.monotonic()
    result, c = tare.try_create(b)
    if c:
        result = c.start()
    result.fails(f'run {kind} hook 0 "/bin/sh": not finished after its timeout of 1 s, killed')
    assert 1 <= time.monotonic() - start < 15
    pid = int(log.read("pid"))
    end = time.monotonic() + 5
    while not gone(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert gone(pid)


@pytest.mark.only("tare")
def test_Z8_timeout_of_poststop_is_a_warning(tare, hooked):
    b, log = hooked
    log.hook("poststop", "sleep 50", timeout=1).hook("poststop", "touch $LOG/second")
    c = tare.create(b)
    result = tare.delete("--force", c.id).ok()
    assert any("not finished after its timeout of 1 s" in w for w in result.warnings)
    assert log.read("second") == ""


def test_Z8_hook_within_its_timeout(tare, hooked):
    b, log = hooked
    log.hook("createRuntime", "sleep 0.1; touch $LOG/ran", timeout=20)
    tare.create(b)
    assert log.read("ran") == ""


def hanging_create(tare, b, log, kind, stderr=subprocess.DEVNULL, **more):
    """A `create` whose hook of this kind hangs, once it does: (process, id)."""
    log.hook(kind, "echo $$ >$LOG/pid; exec sleep 50")
    b.write()
    id = tare.new_id()
    create = subprocess.Popen(tare.command("create", "--bundle", b.path, id), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=stderr, **more)
    wait_until(lambda: (log.read("pid") or "").endswith("\n"), f"the {kind} hook to run")
    return create, id


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS[:3])
def test_Z6_delete_force_ends_a_create_that_hangs_in_a_hook(tare, hooked, kind):
    b, log = hooked
    create, id = hanging_create(tare, b, log, kind)
    tare.delete("--force", id).ok()
    assert create.wait(10) != 0
    assert tare.list() == {}
    if kind != "createContainer":  # whose pid is the container's
        assert gone(int(log.read("pid")))


STOPS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind,stop", list(zip(KINDS[:3] + KINDS[:1], STOPS)))
def test_Y16_create_that_is_told_to_stop_in_a_hook_leaves_nothing(tare, hooked, kind, stop):
    """Nobody need clean up after it, as after a SIGKILL: it takes back what it did, and its poststop hooks run."""
    b, log = hooked
    log.hook("poststop", "sleep 0.1; touch $LOG/poststop")
    create, id = hanging_create(tare, b, log, kind, stderr=subprocess.PIPE, text=True)
    create.send_signal(getattr(signal, stop))
    _, err = create.communicate(timeout=20)
    assert create.returncode == 1 and stop in err and f'create "{id}": ' in err
    assert log.read("poststop") == ""
    assert not (tare.root / id).exists(), "no other command had to remove it"


@pytest.mark.only("tare")
def test_Y11_start_that_is_told_to_stop_in_a_poststart_hook_takes_the_container_along(tare, hooked):
    b, log = hooked
    log.hook("poststart", "echo $$ >$LOG/pid; exec sleep 50").hook("poststop", "sleep 0.1; touch $LOG/poststop")
    c = tare.create(b)
    pid = c.pid
    start = subprocess.Popen(tare.command("start", c.id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    wait_until(lambda: (log.read("pid") or "").endswith("\n"), "the hook to run")
    start.send_signal(signal.SIGTERM)
    _, err = start.communicate(timeout=20)
    assert start.returncode == 1
    assert 'run poststart hook 0 "/bin/sh": killed, since SIGTERM asks us to end' in err
    assert log.read("poststop") == ""
    assert tare.list() == {} and gone(pid)


@pytest.mark.only("tare")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_Z3_start_that_ends_in_a_startContainer_hook(tare, hooked, stop):
    """Its own end is the hook's, and so the container's; what is left is one that has stopped."""
    b, log = hooked
    b.without_namespace("pid").script(f"touch {log.path}/program")
    log.hook("startContainer", "echo $$ >$LOG/pid; exec sleep 50")
    c = tare.create(b)
    start = subprocess.Popen(tare.command("start", c.id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    wait_until(lambda: (log.read("pid") or "").endswith("\n"), "the hook to run")
    start.send_signal(stop)
    assert start.wait(20) == -stop
    c.wait("stopped")
    assert gone(int(log.read("pid"))) and log.read("program") is None
    c.delete().ok()


@pytest.mark.only("tare")
def test_Y15_delete_that_is_told_to_stop_in_a_poststop_hook_goes_on(tare, hooked):
    b, log = hooked
    log.hook("poststop", "echo $$ >$LOG/pid; exec sleep 50").hook("poststop", "touch $LOG/second")
    c = tare.create(b)
    delete = subprocess.Popen(tare.command("delete", "--force", c.id), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: (log.read("pid") or "").endswith("\n"), "the hook to run")
    delete.send_signal(signal.SIGTERM)
    _, err = delete.communicate(timeout=20)
    assert delete.returncode == 0
    assert 'run poststop hook 0 "/bin/sh": killed, since SIGTERM asks us to end' in err
    assert log.read("second") == "" and tare.list() == {}


@pytest.mark.only("tare")
@pytest.mark.parametrize("kind", KINDS[:3])
def test_Z3_killed_runtime_takes_its_hanging_hook_along(tare, hooked, kind):
    b, log = hooked
    b.without_namespace("pid")  # so that the pid in the log means something
    create, id = hanging_create(tare, b, log, kind)
    create.kill()
    create.wait()
    wait_until(lambda: gone(int(log.read("pid"))), "the hook to end with its runtime")
    tare.delete("--force", id).ok()
    assert tare.list() == {}


@pytest.mark.only("tare")
@pytest.mark.rows("H-1", "H-2", "H-3", "H-4", "H-5", "H-6")
def test_H_hooks_of_a_user_namespace(tare, hooked):
    b, log = hooked
    b.user_namespace()
    for kind in KINDS:
        log.hook(kind, f"cat >$LOG/{kind}; id -u >>$LOG/{kind}")
    whole_life(tare, b)
    assert all(log.read(kind).endswith("}0\n") or log.read(kind).endswith("}\n0\n") for kind in KINDS)
