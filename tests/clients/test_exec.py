# SPDX-License-Identifier: GPL-2.0-or-later
"""podman and docker: a second process in a container that runs."""

import os

import pytest

from engines.commands import on_terminal
from support.runtime import wait_until


@pytest.mark.smoke
@pytest.mark.parametrize("status", [7])
def test_exit_status_is_the_programs(engine, status):
    engine.start().exec("sh", "-c", f"exit {status}").ends(status)


@pytest.mark.smoke
def test_command_that_is_not_there(engine):
    done = engine.start().exec("nosuch")
    expected = {"podman": 127, "docker": 126}[engine.kind]  # docker 20.10 has one status for both
    assert done.status == expected and "executable file not found in $PATH" in done.out + done.err, done.describe()


def test_file_that_nobody_can_execute_is_126(engine):
    done = engine.start().exec("/etc/plain")
    assert done.status == 126 and "permission denied" in done.out + done.err, done.describe()


def test_two_streams_and_input(engine):
    done = engine.start().exec("sh", "-c", "cat; echo two >&2", options=["-i"], stdin="one\n").ok()
    assert (done.out, done.err) == ("one\n", "two\n")


@pytest.mark.rows("C-15")
@pytest.mark.smoke
def test_terminal(engine):
    c = engine.start()
    words = engine.command("exec", "-it", c.name, "sh", "-c", "tty; read x; echo got $x; exit 5")
    with on_terminal(words, engine.env) as run:
        run.wait_text("/dev/pts/").type("word\n").wait_text("got word")
        assert run.wait() == 5


@pytest.mark.smoke
def test_user_environment_and_directory(engine):
    c = engine.start()
    done = c.exec("sh", "-c", "id -un; pwd; echo $ADDED; echo $FROM_IMAGE",
                  options=["-u", "user", "-w", "/home/user", "-e", "ADDED=for exec"]).ok()
    assert done.out.splitlines() == ["user", "/home/user", "for exec", "yes"]


def test_directory_that_is_not_there(engine):
    done = engine.start().exec("true", options=["-w", "/not/there"])
    assert done.status in (126, 127) and "/not/there" in done.out + done.err, done.describe()


@pytest.mark.rows("C-14")
@pytest.mark.smoke
def test_detached(engine):
    c = engine.start()
    c.exec("sh", "-c", "sleep 0.2; echo done > /tmp/mark", options=["-d"]).ok()
    wait_until(lambda: c.exec("cat", "/tmp/mark").out == "done\n", "the detached process to write its mark")


@pytest.mark.smoke
def test_namespaces_and_cgroup_are_the_containers(engine):
    c = engine.start()
    names = ("mnt", "pid", "net", "ipc", "uts", "cgroup")
    script = "for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup"
    lines = c.exec("sh", "-c", script).ok().out.splitlines()
    assert lines[:6] == [os.readlink(f"/proc/{c.pid}/ns/{n}") for n in names]
    assert sorted(lines[6:]) == sorted(c.exec("cat", "/proc/1/cgroup").ok().out.splitlines())


def test_restrictions_are_the_containers(engine):
    c = engine.start("--cap-drop", "ALL", "--cap-add", "CHOWN", "--ulimit", "nofile=50:50", "--ulimit", "nproc=300:400",
                     "--security-opt", "no-new-privileges")
    done = c.exec("sh", "-c", "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; ulimit -n").ok()
    words = done.out.split()
    assert int(words[1], 16) == 1 and words[3:6:2] == ["1", "2"] and words[-1] == "50", done.describe()


@pytest.mark.fails_with_runc("docker asks for every capability, and this host has no CAP_SYS_RESOURCE to give")
def test_privileged(engine):
    done = engine.start().exec("grep", "CapEff", "/proc/self/status", options=["--privileged"])
    assert int(done.ok().line.split()[1], 16).bit_count() > 30


def test_in_a_stopped_container_is_refused(engine):
    done = engine.ended(script="true").exec("true")
    assert done.status != 0 and "running" in done.err, done.describe()


def test_many_times(engine):
    c = engine.start()
    assert [c.exec("sh", "-c", f"exit {n}").status for n in range(5)] == list(range(5))
    left = [line for line in c.exec("ps", "-o", "stat,args").ok().out.splitlines() if line.startswith("Z") or "exit" in line]
    assert not left, left
