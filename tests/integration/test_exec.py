# SPDX-License-Identifier: GPL-2.0-or-later
"""A further process in a container that runs: what it is told by options and by process.json, and how it ends."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import cgroup
from support.bundle import CAPABILITIES, HOLD
from support.cgroup import Freezer, hierarchies, v1
from support.host import strangers, subreaper
from support.runtime import wait_until

pytestmark = pytest.mark.only("tare")

NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]


@pytest.fixture
def running(tare, bundle):
    """A factory of running containers: running("docker", lambda b: ...)."""
    def make(base="minimal", change=None):
        b = bundle(base, script=HOLD)
        if change:
            change(b)
        return tare.run_detached(b).wait_out("ready")
    return make


def process_file(tmp, **members):
    """A process.json: args, cwd and user are there unless given."""
    path = tmp / "process.json"
    process = {"args": ["/bin/true"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin:/usr/bin"]}
    path.write_text(json.dumps({**process, **members}))
    return path


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    return dict(re.findall(r"^(\w+):\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))


def detach(c, tmp, *words, options=(), **kw):
    """`exec --detach` that must succeed; returns the pid from its pid file."""
    pid_file = tmp / "exec.pid"
    pid_file.unlink(missing_ok=True)
    with open(tmp / "exec.out", "w") as out:
        c.exec(*words, options=["--detach", "--pid-file", pid_file, *options], out=out, err=out, **kw).ok()
    return int(pid_file.read_text())


# ---- how it ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill $$", 143)])
def test_C14_status_is_the_programs(running, script, status):
    result = running().exec("sh", "-c", script)
    assert result.status == status and not result.error, result.describe()


def test_C14_words_after_the_id_belong_to_the_program(running):
    result = running().exec("echo", "-n", "--detach", "--cwd", "--", "-h").ok()
    assert result.out == "--detach --cwd -- -h"


def test_C14_standard_streams_are_the_callers(running):
    assert running().exec("cat", stdin="through\n").ok().out == "through\n"


@pytest.mark.rows("C-16", "C-3")
def test_Z10_detached_returns_at_once_with_a_pid_file(running, tmp):
    c = running()
    pid = detach(c, tmp, "sleep", "100")
    assert Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
    assert not (tmp / "exec.out").read_text()
    assert (tmp / "exec.pid").read_text() == str(pid)
    # A plain child that our subreaper has now, in a session of its own.
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    assert int(stat[1]) == subreaper()
    assert stat[3] == str(pid)


def test_C14_signals_of_a_foreground_exec_are_passed_on(running, tare):
    c = running()
    command = tare.command("exec", c.id, "sh", "-c", 'trap "echo got; exit 9" TERM; echo up; while :; do sleep 0.02; done')
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "got\n"
        assert process.wait(10) == 9


# ---- who may not ----------------------------------------------------------------------------------------------------


def test_Q21_stopped_container_is_refused(running, tmp):
    c = running()
    c.kill("KILL").ok()
    c.wait()
    pid_file = tmp / "pid"
    c.exec("true", options=["--pid-file", pid_file]).fails("container not running", status=255)
    assert not pid_file.exists()


def test_C5_unknown_container(tare):
    tare.root.mkdir()
    tare.exec("nobody", "true").fails("does not exist", status=255)


def test_C14_created_container_can_be_entered(tare, bundle):
    c = tare.create(bundle(script=HOLD))
    assert c.exec("cat", "/etc/hostname").ok().out == ""
    assert c.status == "created"
    c.start().ok()


@pytest.mark.rows("C-5")
def test_Z11_paused_container_is_refused_unless_told(running, tmp, tare):
    c = running()
    freezer = Freezer(cgroup.of(c))
    freezer.freeze()
    try:
        wait_until(freezer.is_frozen, "the container to be frozen")
        c.exec("true").fails("cannot exec in a paused container", status=255)
        command = tare.command("exec", "--ignore-paused", c.id, "echo", "thawed")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(0.2)
        assert process.poll() is None
    finally:
        freezer.thaw()
    assert process.communicate(timeout=20)[0] == "thawed\n" and process.returncode == 0


@pytest.mark.parametrize("words, message", [
    (["nosuch"], 'exec: "nosuch": executable file not found in $PATH'),
    (["/bin/nosuch"], 'exec: "/bin/nosuch": no such file or directory'),
    (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
    (["/etc"], 'exec: "/etc": permission denied'),
])
@pytest.mark.rows("C-5", "Q-11")
def test_Z10_program_that_cannot_be_executed(running, tmp, words, message):
    c = running()
    pid_file = tmp / "pid"
    c.exec(*words, options=["--detach", "--pid-file", pid_file]).fails(message, status=255)
    assert not pid_file.exists()
    assert not strangers(c)


def test_Z10_nothing_to_run(running):
    running().exec().fails("there is no program", status=255)


# ---- options --------------------------------------------------------------------------------------------------------


def test_C14_cwd(running):
    assert running().exec("pwd", options=["--cwd", "/usr/bin"]).ok().out == "/usr/bin\n"


@pytest.mark.parametrize("cwd, message", [
    ("usr", "not an absolute path"),
    ("/nowhere", 'change directory to "/nowhere": no such file or directory'),
    ("/etc/passwd", 'change directory to "/etc/passwd"'),
])
def test_C14_cwd_that_cannot_be(running, cwd, message):
    c = running()
    c.exec("true", options=["--cwd", cwd]).fails(message, status=255)
    assert not (c.bundle.rootfs / "nowhere").exists()


@pytest.mark.rows("Q-13")
def test_C14_environment_is_added_to_the_containers(running):
    def change(b):
        b.process["env"] += ["KEPT=1", "TWICE=config"]
    out = running(change=change).exec("env", options=["-e", "TWICE=option", "--env=NEW=a=b"]).ok().out.splitlines()
    assert {"KEPT=1", "TWICE=option", "NEW=a=b", "HOME=/root"} <= set(out)
    assert "TWICE=config" not in out


@pytest.mark.parametrize("entry", ["NAME", "=value", ""])
def test_Q13_environment_without_a_name(running, entry):
    running().exec("true", options=["--env", entry]).fails("is not NAME=VALUE", status=255)


def test_C14_many_values_of_one_option(running):
    options = [w for i in range(100) for w in ("-e", f"V{i}={i}")]
    out = running().exec("env", options=options).ok().out.splitlines()
    assert {f"V{i}={i}" for i in range(100)} <= set(out)


@pytest.mark.rows("Q-12")
def test_X15_user_and_groups(running):
    c = running(change=lambda b: b.process["user"].update(additionalGids=[10]))
    assert c.exec("id", options=["--user", "1000:5", "-g", "77"]).ok().out == \
        "uid=1000(user) gid=5 groups=10,77\n"
    assert c.exec("sh", "-c", "id -u; id -g; echo $HOME", options=["-u", "1000"]).ok().out == "1000\n0\n/home/user\n"


@pytest.mark.parametrize("user", ["abc", "1000x", ":5", "-1", "4294967296", "4294967295", "1:", "1:2:3", " 1", "0x10",
                                  "1:4294967295", ""])
def test_X15_user_that_cannot_be_meant(running, user):
    result = running().exec("id", options=[f"--user={user}"])
    if user == "":
        assert result.status == 255
        return
    result.fails(f'run as user "{user}"', "is not UID or UID:GID", status=255)
    assert result.out == ""


@pytest.mark.parametrize("gid", ["abc", "-1", "4294967295"])
def test_X15_group_that_cannot_be_meant(running, gid):
    running().exec("id", options=["-g", gid]).fails(f'add group "{gid}"', status=255)


def test_X13_capability_is_added_but_never_inheritable(running, tmp):
    def change(b):
        b.process["capabilities"] = {k: ["CAP_KILL"] for k in ("bounding", "effective", "permitted")}
    pid = detach(running(change=change), tmp, "sleep", "100", options=["--cap", "CAP_CHOWN", "-c", "net_raw"])
    caps = {k: int(v, 16) for k, v in status_of(pid).items() if k.startswith("Cap")}
    asked = 1 << 5 | 1 << 0 | 1 << 13
    assert caps == {"CapInh": 0, "CapPrm": asked, "CapEff": asked, "CapBnd": asked, "CapAmb": 0}


def test_X13_capability_is_ambient_where_it_is_inheritable(running, tmp):
    def change(b):
        b.process["capabilities"] = {k: ["CAP_CHOWN"] for k in ("bounding", "effective", "permitted", "inheritable")}
    pid = detach(running(change=change), tmp, "sleep", "100", options=["-c", "CAP_CHOWN", "-c", "CAP_KILL", "-u", "5"])
    caps = {k: int(v, 16) for k, v in status_of(pid).items() if k.startswith("Cap")}
    assert caps["CapInh"] == 1 and caps["CapAmb"] == 1 and caps["CapBnd"] == 1 | 1 << 5


def test_P10_unknown_capability_is_refused_with_the_nearest(running):
    result = running().exec("true", options=["--cap", "CAP_CHOWM"])
    result.fails('add capability "CAP_CHOWM"', status=255)
    assert "CAP_CHOWN" in result.err


def test_P11_no_new_privs(running, tmp):
    c = running()
    assert status_of(detach(c, tmp, "sleep", "100"))["NoNewPrivs"] == "0"
    assert status_of(detach(c, tmp, "sleep", "100", options=["--no-new-privs"]))["NoNewPrivs"] == "1"


def test_Z13_preserved_fds(running, tmp, tare):
    c = running()
    (tmp / "kept").write_text("kept\n")
    command = tare.command("exec", "--preserve-fds", "1", c.id, "sh", "-c", "cat <&3; ls /proc/self/fd | tr '\\n' ' '")
    script = f"exec {shlex.join(command)} 3<{tmp / 'kept'} 4</dev/null 7</dev/null"
    out = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20).stdout
    assert out == "kept\n0 1 2 3 4 "  # 4 is what ls lists the directory with


def test_Z13_preserved_fd_that_is_not_open(running):
    running().exec("true", options=["--preserve-fds", "4"]).fails("preserve 4 files", "is not open", status=255)


def test_X3_no_fd_of_the_host_is_there(running):
    out = running("docker").exec("ls", "-l", "/proc/self/fd").ok().out
    assert sorted(re.findall(r" (\d+) -> ", out)) in (["0", "1", "2"], ["0", "1", "2", "3"])
    assert not re.search(r"-> /(sys|proc|run)", out)


@pytest.mark.parametrize("fd", range(3, 21))
def test_X3_cwd_by_an_fd_leads_nowhere(running, fd):
    running().exec("pwd", options=["--cwd", f"/proc/self/fd/{fd}"]).fails("change directory", status=255)


# ---- process.json ---------------------------------------------------------------------------------------------------


def test_C14_process_file_says_all(running, tmp):
    file = process_file(
        tmp, args=["sleep", "100"], cwd="/tmp", user={"uid": 7, "gid": 8, "additionalGids": [9], "umask": 0o77},
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60}], oomScoreAdj=333, noNewPrivileges=True,
        capabilities={k: ["CAP_KILL"] for k in ("bounding", "effective", "permitted")})
    pid = detach(running("docker"), tmp, options=["--process", file])
    status = status_of(pid)
    assert status["Uid"].split() == ["7"] * 4 and status["Gid"].split() == ["8"] * 4
    assert status["Groups"].strip() == "9" and status["Umask"] == "0077" and status["NoNewPrivs"] == "1"
    # The kernel takes the others from a user who is not root, when it executes.
    assert status["CapBnd"] == "0000000000000020" and status["CapPrm"] == "0000000000000000"
    assert os.readlink(f"/proc/{pid}/cwd") == "/tmp"
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "333\n"
    assert re.search(r"Max open files\s+50\s+60", Path(f"/proc/{pid}/limits").read_text())


def test_C14_process_file_inherits_what_confines_the_container(running, tmp):
    def change(b):
        b.process["user"]["umask"] = 0o27
        b.process["oomScoreAdj"] = 222
    c = running("docker", change)
    status = status_of(detach(c, tmp, options=["-p", process_file(tmp, args=["sleep", "100"])]))
    init = status_of(c.pid)
    for key in ("CapBnd", "CapPrm", "CapEff", "Umask", "Seccomp"):
        assert status[key] == init[key], key
    assert status["NoNewPrivs"] == "0"  # a switch that the file leaves out is off
    assert re.search(r"Max open files\s+1024\s+1024", Path(f"/proc/{strangers(c)[0]}/limits").read_text())
    assert Path(f"/proc/{strangers(c)[0]}/oom_score_adj").read_text() == "222\n"


def test_C14_options_and_words_change_the_process_file(running, tmp):
    file = process_file(tmp, args=["false"], cwd="/tmp", env=["A=1", "PATH=/bin:/usr/bin"])
    result = running().exec("sh", "-c", "pwd; echo $A", options=["-p", file, "--cwd", "/etc", "-e", "A=2"])
    assert result.ok().out == "/etc\n2\n"


@pytest.mark.parametrize("text, message, pointer", [
    ("{", "", ""),
    ("[]", "expected an object", ""),
    ('{"args":["true"],"user":{"uid":0,"gid":0}}', '"cwd" is missing', ""),
    ('{"args":[],"cwd":"/","user":{"uid":0,"gid":0}}', "args", "/args"),
    ('{"args":["a"],"cwd":"x","user":{"uid":0,"gid":0}}', "cwd", "/cwd"),
    ('{"args":["a"],"cwd":"/","user":{"uid":-1,"gid":0}}', "uid", "/user/uid"),
    ('{"args":["a"],"cwd":"/","env":["A"],"user":{"uid":0,"gid":0}}', "NAME=VALUE", "/env/0"),
])
def test_C14_process_file_that_is_wrong(running, tmp, text, message, pointer):
    file = tmp / "process.json"
    file.write_text(text)
    result = running().exec(options=["--process", file]).fails(message, status=255)
    assert result.log[-1].get("pointer", "") == pointer


def test_C14_unknown_member_of_the_process_file_is_told(running, tmp):
    result = running().exec(options=["--process", process_file(tmp, noNewPrivilege=True)]).ok()
    assert any("/noNewPrivilege" in w and "noNewPrivileges" in w for w in result.warnings), result.describe()


def test_C14_missing_process_file(running, tmp):
    running().exec(options=["--process", tmp / "none"]).fails('open "', "none", status=255)


@pytest.mark.rows("Y-6")
def test_Z5_saved_config_counts_not_the_bundles(running):
    c = running()
    c.bundle.process["env"] = ["PATH=/nowhere", "CHANGED=1"]
    c.bundle.write()
    assert "CHANGED" not in c.exec("env").ok().out
    (c.bundle.path / "config.json").unlink()
    assert c.exec("true").ok()


# ---- where it is ----------------------------------------------------------------------------------------------------


def namespaces(pid):
    return {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in NAMESPACES}


def in_all(b):
    return b.user_namespace().namespace("network").namespace("cgroup").namespace("time")


@pytest.mark.parametrize("change", [
    lambda b: b, in_all, lambda b: b.user_namespace(), lambda b: b.without_namespace("pid"),
    lambda b: b.without_namespace("mount"), lambda b: b.without_namespace("mount").without_namespace("pid"),
    lambda b: b.namespace("time"),
], ids=["minimal", "all", "user", "no-pid", "no-mount", "no-mount-no-pid", "time"])
@pytest.mark.rows("Z-17")
def test_Q1_namespaces_and_root_are_those_of_init(running, tmp, change):
    def prepare(b):
        change(b)
        if not any(n["type"] == "mount" for n in b.linux["namespaces"]):
            b.config["mounts"] = []
    c = running(change=prepare)
    pid = detach(c, tmp, "sleep", "100")
    assert namespaces(pid) == namespaces(c.pid)
    for link in ("root", "cwd"):
        assert os.stat(f"/proc/{pid}/{link}").st_ino == os.stat(f"/proc/{c.pid}/{link}").st_ino
        assert os.readlink(f"/proc/{pid}/{link}") == os.readlink(f"/proc/{c.pid}/{link}")
    assert status_of(pid)["Uid"] == status_of(c.pid)["Uid"]


def test_Z17_time_offsets_are_those_of_the_container(running):
    def change(b):
        b.namespace("time")
        b.linux["timeOffsets"] = {"boottime": {"secs": 1000000}}
    c = running(change=change)
    assert float(c.exec("cat", "/proc/uptime").ok().out.split()[0]) > 1000000


@pytest.mark.rows("G-5")
def test_K12_cgroups_are_those_of_init(running, tmp):
    c = running("docker")
    pid = detach(c, tmp, "sleep", "100")
    assert Path(f"/proc/{pid}/cgroup").read_text() == Path(f"/proc/{c.pid}/cgroup").read_text()
    assert len(cgroup.of(c)) == len(hierarchies())


def test_K12_init_that_moved_itself_is_followed(running, tmp):
    c = running("docker")
    for directory in cgroup.of(c):
        (cgroup.make_below(directory, "init.scope") / "cgroup.procs").write_text(str(c.pid))
    pid = detach(c, tmp, "sleep", "100")
    assert Path(f"/proc/{pid}/cgroup").read_text() == Path(f"/proc/{c.pid}/cgroup").read_text()
    assert "init.scope" in Path(f"/proc/{pid}/cgroup").read_text()


def test_K13_sub_cgroup_is_used(running, tmp):
    c = running("docker")
    for directory in cgroup.of(c):
        cgroup.make_below(directory, "sub")
    pid = detach(c, tmp, "sleep", "100", options=["--cgroup", "/x/../sub/."])
    assert all(line.endswith("/sub") for line in Path(f"/proc/{pid}/cgroup").read_text().split())


@v1
def test_K13_sub_cgroup_of_one_controller(running, tmp):
    c = running("docker")
    cgroup.find(c, "memory.limit_in_bytes").with_name("sub").mkdir()
    pid = detach(c, tmp, "sleep", "100", options=["--cgroup", "memory:sub"])
    lines = {l.split(":")[1]: l for l in Path(f"/proc/{pid}/cgroup").read_text().split()}
    assert lines["memory"].endswith("/sub") and not lines["pids"].endswith("/sub")


@pytest.mark.parametrize("words, message", [
    (["../foobar"], "leads out of the container's cgroup"),
    (["/a/../../x"], "leads out of the container's cgroup"),
    (["memory:../x"], "leads out of the container's cgroup"),
    (["nosuch:/x"], 'no cgroup with the controller "nosuch"'),
    (["/missing"], "exec makes no cgroups"),
    (["memory:/", "memory:/"], "named for the same hierarchy before"),
])
def test_K13_cgroup_that_is_refused(running, words, message):
    if cgroup.V2_ONLY and ":" in words[0]:
        message = "with cgroup v2 there is one for all controllers"
    c = running("docker")
    # A neighbour whose name begins as the container's does must not be reached either.
    neighbours = [d.parent / (d.name + "bar") for d in cgroup.of(c)]
    for d in neighbours:
        d.mkdir()
    try:
        options = [w for word in words for w in ("--cgroup", word)]
        result = c.exec("true", options=options)
        assert result.status == 255 and message in result.err, result.describe()
    finally:
        for d in neighbours:
            d.rmdir()
    assert not strangers(c)


# ---- what confines it -----------------------------------------------------------------------------------------------


def test_S1_filter_of_the_container_holds(running):
    def change(b):
        b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}
    result = running(change=change).exec("mkdir", "/tmp/new")
    assert result.status == 1 and "Input/output error" in result.err


def test_L22_personality_is_the_containers(running):
    def change(b):
        b.linux["personality"] = {"domain": "LINUX32"}
    assert running(change=change).exec("uname", "-m").ok().out == "i686\n"


def test_P7_limits_are_the_containers(running):
    c = running("docker", lambda b: b.user_namespace())
    assert c.exec("sh", "-c", "ulimit -n; ulimit -Hn").ok().out == "1024\n1024\n"


def test_P16_P17_affinity_of_exec(running, tmp):
    def change(b):
        b.process["execCPUAffinity"] = {"initial": "0", "final": "1"}
    c = running(change=change)
    assert status_of(c.pid)["Cpus_allowed_list"] != "1"
    assert status_of(detach(c, tmp, "sleep", "100"))["Cpus_allowed_list"] == "1"
    file = process_file(tmp, args=["sleep", "100"], execCPUAffinity={"initial": "0"})
    assert status_of(detach(c, tmp, options=["-p", file]))["Cpus_allowed_list"] == "0"


def test_P17_affinity_that_cannot_be(running, tmp):
    file = process_file(tmp, execCPUAffinity={"final": "4000"})
    running().exec(options=["-p", file]).fails("keep the process to the CPUs 4000", status=255)


@pytest.mark.parametrize("change", [lambda b: b, lambda b: b.user_namespace()], ids=["plain", "user"])
@pytest.mark.rows("P-13", "P-15", "Q-18")
def test_P14_scheduler_and_io_priority(running, tmp, change):
    file = process_file(tmp, args=["sleep", "100"], scheduler={"policy": "SCHED_BATCH", "nice": 3},
                        ioPriority={"class": "IOPRIO_CLASS_IDLE", "priority": 0})
    pid = detach(running(change=change), tmp, options=["-p", file])
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH and os.getpriority(os.PRIO_PROCESS, pid) == 3
    assert subprocess.run(["ionice", "-p", str(pid)], capture_output=True, text=True).stdout.startswith("idle")


def test_Q16_signals_are_reset(running, tmp):
    c = running()
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    status = status_of(detach(c, tmp, "sleep", "100", before=ignore))
    assert int(status["SigIgn"], 16) == int(status["SigBlk"], 16) == 0


def test_X20_session_keyring_is_the_containers(running):
    c = running()
    both = [c.exec("sh", "-c", f"grep '_ses.{c.id}:' /proc/keys | cut -d' ' -f1").ok().out for _ in range(2)]
    assert both[0] == both[1] and both[0].count("\n") == 1
