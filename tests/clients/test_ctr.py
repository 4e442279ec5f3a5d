# SPDX-License-Identifier: GPL-2.0-or-later
"""
containerd by ctr: the shim calls the runtime for each of these. No user namespaces: with --uidmap ctr 1.6 forgets
--runc-binary, and the shim calls runc.
"""

import json
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from engines import image
from engines.commands import on_terminal
from engines.site import cgroup_files, limit
from support.runtime import wait_until

HOLD = "while :; do sleep 0.05; done"


@pytest.mark.smoke
@pytest.mark.parametrize("code", [1, 137])
def test_exit_status_is_the_programs(ctr, code):
    ctr.run(script=f"exit {code}").ends(code)


@pytest.mark.smoke
def test_command_that_is_not_there(ctr):
    ctr.run(args=["nosuch"]).ends(1, "nosuch", "executable file not found in $PATH")


def test_file_that_nobody_can_execute(ctr):
    ctr.run(args=["/etc/plain"]).ends(1, "/etc/plain", "permission denied")


@pytest.mark.smoke
def test_output_and_input(ctr):
    done = ctr.run(script="read x; echo $x; echo two >&2", stdin="one\n").ok()
    assert (done.out, done.err) == ("one\n", "two\n")


@pytest.mark.smoke
def test_terminal(ctr):
    with ctr.run_on_terminal(script="tty; stty size; read x; echo got $x; exit 3") as run:
        run.wait_text("/dev/").type("word\n").wait_text("got word")
        assert run.wait() == 3


def test_environment_directory_and_label(ctr):
    done = ctr.run("--env", "ADDED=a b", "--cwd", "/home/user", "--label", "k=v", script="echo $ADDED; echo $FROM_IMAGE; pwd")
    assert done.ok().out == "a b\nyes\n/home/user\n"


def test_read_only_root(ctr):
    ctr.run("--read-only", args=["touch", "/x"]).ends(1, "Read-only file system")


@pytest.mark.smoke
@pytest.mark.parametrize("options,code", [("rbind:rw", 0), ("rbind:ro", 1)])
def test_mount(ctr, tmp, options, code):
    ctr.run("--mount", f"type=bind,src={tmp},dst=/tmp,options={options}", args=["touch", "/tmp/x"]).ends(code)
    assert (tmp / "x").exists() == (code == 0)


@pytest.mark.smoke
def test_memory(ctr):
    assert limit(ctr.start("--memory-limit", str(64 << 20), script=HOLD).pid, "memory") == str(64 << 20)


def test_cpus(ctr):
    assert limit(ctr.start("--cpus", "0.5", script=HOLD).pid, "quota") == "50000"


def test_cpu_shares(ctr):
    assert limit(ctr.start("--cpu-shares", "512", script=HOLD).pid, "shares") in ("512", "20", "59")


def test_cgroup_path(ctr):
    task = ctr.start("--cgroup", "/chosen", script=HOLD)
    assert str(cgroup_files(task.pid)["pids"]).endswith("/chosen")


@pytest.mark.smoke
def test_capabilities(ctr):
    done = ctr.run("--cap-add", "CAP_SYS_TIME", "--cap-drop", "CAP_KILL", args=["grep", "CapEff", "/proc/self/status"]).ok()
    mask = int(done.line.split()[1], 16)
    assert mask & 1 << 25 and not mask & 1 << 5


@pytest.mark.fails_with_runc("--privileged asks for every capability, and this host has no CAP_SYS_RESOURCE to give")
def test_privileged(ctr):
    done = ctr.run("--privileged", args=["grep", "CapEff", "/proc/self/status"]).ok()
    assert int(done.line.split()[1], 16).bit_count() > 30


def test_no_new_privileges_by_default(ctr):
    assert ctr.run(args=["grep", "NoNewPrivs", "/proc/self/status"]).ok().line.split()[1] == "1"
    assert ctr.run("--allow-new-privs", args=["grep", "NoNewPrivs", "/proc/self/status"]).ok().line.split()[1] == "0"


def test_seccomp(ctr):
    assert ctr.run("--seccomp", args=["grep", "Seccomp:", "/proc/self/status"]).ok().line.split()[1] == "2"


def test_seccomp_profile(ctr, tmp):
    (tmp / "p.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], '
                                '"action": "SCMP_ACT_ERRNO"}]}')
    ctr.run("--seccomp", "--seccomp-profile", tmp / "p.json", args=["mkdir", "/tmp/x"]).ends(1, "Operation not permitted")


def test_device(ctr):
    assert ctr.run("--device", "/dev/fuse", script="true < /dev/fuse && echo opened").ok().line == "opened"


def test_network_of_the_host(ctr):
    own = os.readlink("/proc/self/ns/net")
    assert ctr.run("--net-host", args=["readlink", "/proc/self/ns/net"]).ok().line != own  # the daemon's, not the tests'
    task = ctr.start("--net-host", script=HOLD)
    assert os.readlink(f"/proc/{task.pid}/ns/net") == os.readlink(f"/proc/{ctr.containerd.daemon.process.pid}/ns/net")


def test_joined_namespace(ctr):
    first = ctr.start(script=HOLD)
    done = ctr.run("--with-ns", f"ipc:/proc/{first.pid}/ns/ipc", args=["readlink", "/proc/self/ns/ipc"]).ok()
    assert done.line == os.readlink(f"/proc/{first.pid}/ns/ipc")


def test_process_id_file(ctr, tmp):
    task = ctr.start("--pid-file", tmp / "pid", script=HOLD)
    assert int((tmp / "pid").read_text()) == task.pid


def test_root_filesystem_of_the_host(ctr, tmp):
    root = image.unpack_to(tmp / "root")
    id, words = ctr.words(["--rm", "--rootfs"], ["/bin/cat", "/etc/plain"], None, str(root))
    assert "nobody can execute" in ctr.call(*words).ok().out


def test_config_of_the_user(ctr, tmp):
    spec = json.loads(ctr.call("oci", "spec").ok().out)
    spec["process"].update(args=["/bin/echo", "from the config"], terminal=False)
    spec["root"] = {"path": str(image.unpack_to(tmp / "root"))}
    spec["linux"]["cgroupsPath"] = "/by-config"
    (tmp / "config.json").write_text(json.dumps(spec))
    id, words = ctr.words(["--rm", "--config", tmp / "config.json"], [], None, None)
    assert ctr.call(*[w for w in words if w is not None]).ok().line == "from the config"


@pytest.mark.smoke
def test_exec(ctr):
    task = ctr.start(script=HOLD)
    for code in (0, 5):
        task.exec("sh", "-c", f"exit {code}").ends(code)
    assert task.exec("id", "-un", options=["--user", "user"]).ok().line == "user"
    assert task.exec("pwd", options=["--cwd", "/home/user"]).ok().line == "/home/user"


def test_exec_of_what_is_not_there(ctr):
    ctr.start(script=HOLD).exec("nosuch").ends(1, "executable file not found in $PATH")


def test_exec_on_a_terminal(ctr):
    task = ctr.start(script=HOLD)
    words = ctr.command("task", "exec", "--exec-id", "t", "-t", task.id, "sh", "-c", "tty; read x; echo got $x; exit 6")
    with on_terminal(words) as run:
        run.wait_text("/dev/").type("word\n").wait_text("got word")
        assert run.wait() == 6


def test_exec_detached(ctr, tmp):
    task = ctr.start("--mount", f"type=bind,src={tmp},dst=/tmp,options=rbind", script=HOLD)
    task.exec("touch", "/tmp/mark", options=["--detach"]).ok()
    wait_until(lambda: (tmp / "mark").exists(), "the detached process's mark")


@pytest.mark.smoke
def test_kill(ctr):
    task = ctr.start(script=f"trap 'exit 0' USR1; {HOLD}")
    task.exec("true").ok()
    task.call("kill", "-s", "SIGUSR1").ok()
    task.wait_status("STOPPED")


def test_kill_of_an_ended_task_is_refused(ctr):
    task = ctr.start(args=["true"]).wait_status("STOPPED")
    done = task.call("kill")
    assert done.status == 1 and re.search("not running|already finished|not found", done.err), done.describe()


def test_kill_of_all_processes(ctr):
    task = ctr.start(script=f"sleep 1000 & {HOLD}")
    task.call("kill", "--all", "-s", "SIGKILL").ok()
    task.wait_status("STOPPED")


@pytest.mark.smoke
def test_pause_and_resume(ctr):
    task = ctr.start(script=HOLD)
    task.call("pause").ok()
    assert task.status == "PAUSED"
    assert "paused" in task.exec("true").ends(1).err
    task.call("resume").ok()
    assert task.status == "RUNNING"
    task.exec("true").ok()


@pytest.mark.rows("C-8")
def test_processes(ctr):
    task = ctr.start(script=HOLD)
    assert str(task.pid) in task.call("ps").ok().out


def test_metrics(ctr):
    assert "memory" in ctr.start(script=HOLD).call("metrics").ok().out


def test_delete_of_a_running_task_is_refused(ctr):
    task = ctr.start(script=HOLD)
    done = task.call("rm")
    assert done.status == 1 and task.status == "RUNNING", done.describe()


def test_container_gets_a_second_task(ctr):
    task = ctr.start(script="exit 4").wait_status("STOPPED")
    task.call("rm").ok()
    assert task.call("start").status == 4


@pytest.mark.smoke
def test_out_of_memory(ctr):
    done = ctr.run("--memory-limit", str(16 << 20), args=["awk", 'BEGIN { s = "x"; while (1) s = s s }'])
    done.ends(137)


@pytest.mark.smoke
def test_tasks_outlive_the_daemon(ctr):
    task = ctr.start(script=HOLD)
    pid = task.pid
    ctr.containerd.daemon.restart()
    assert task.pid == pid and task.status == "RUNNING"
    task.exec("true").ok()
    task.call("kill", "-s", "SIGKILL").ok()
    task.wait_status("STOPPED")


@pytest.mark.smoke
def test_many_at_once(ctr):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: ctr.run(script=f"echo {n}; exit {n}"), range(1, 9)))
    assert [(d.line, d.status) for d in done] == [(str(n), n) for n in range(1, 9)], [d.describe() for d in done]


@pytest.mark.needs_criu
def test_checkpoint_and_restore(ctr):
    task = ctr.start(script=HOLD)
    ctr.call("container", "checkpoint", "--task", task.id, "localhost/point").ok()
    ctr.call("task", "kill", "-s", str(signal.SIGKILL.value), task.id).ok()
    task.wait_status("STOPPED")
    ctr.call("task", "rm", task.id).ok()
    ctr.call("container", "rm", task.id).ok()
    ctr.call("container", "restore", "--live", task.id, "localhost/point").ok()
    assert task.status == "RUNNING"
