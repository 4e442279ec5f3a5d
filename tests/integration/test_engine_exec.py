# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare exec`, `pause`, `unpause`: containers that run, entered and stopped for a while."""

import os
import re
import subprocess

import pytest

from support.background import init_of, start, until
from support.terminal import OnTerminal


@pytest.fixture
def box(engine):
    engine.image()
    return engine


@pytest.fixture
def c(box):
    made = start(box, "sleep 1000", "--name", "box", "-e", "COLOUR=blue", "-w", "/tmp")
    yield made
    box.call("rm", "-f", "box")


def inside(c, *words, options=(), **kw):
    return c.engine.call("exec", *options, "box", *words, **kw)


def test_output_status_and_what_it_has_of_the_container(c):
    result = inside(c, "sh", "-c", "echo out; echo err >&2; pwd; echo $COLOUR $HOME; exit 7")
    assert (result.status, result.out) == (7, "out\n/tmp\nblue /root\n") and "err\n" in result.err
    assert inside(c, "sh", "-c", "kill -KILL $$").status == 137
    assert inside(c, "sh", "-c", "readlink /proc/self/ns/pid").ok().out.strip() == os.readlink(f"/proc/{init_of(c)}/ns/pid")


def test_environment_and_directory(c, monkeypatch):
    monkeypatch.setenv("FROM_HERE", "yes")
    out = inside(c, "sh", "-c", "pwd; echo $COLOUR $FROM_HERE", options=["-w", "/etc", "-e", "COLOUR=red", "--env", "FROM_HERE"])
    assert out.ok().out == "/etc\nred yes\n"
    inside(c, "true", options=["-w", "etc"]).fails('--workdir "etc" is no absolute path')
    inside(c, "true", options=["-e", "=x"]).fails('"=x" is no variable')


@pytest.mark.parametrize("user, answer", [
    ("user", "uid=1000(user) gid=1000(user) groups=2000(extra),2001(other)"),
    ("user:extra", "uid=1000(user) gid=2000(extra)"),
    ("1234", "uid=1234 gid=0(root)"),
])
def test_user_is_looked_up_in_the_container(c, user, answer):
    assert inside(c, "id", options=["-u", user]).ok().out.strip() == answer


def test_a_user_who_is_not_there(c):
    inside(c, "id", options=["-u", "nobody"]).fails('user "nobody" is not in the container\'s /etc/passwd')


def capabilities(c, *options):
    text = inside(c, "grep", "^Cap", "/proc/self/status", options=options).ok().out
    return {name: int(value, 16) for name, value in re.findall(r"Cap(\w+):\s+(\w+)", text)}


def test_capabilities(c):
    """Root has what the container has, another user nothing, and with --privileged root has all."""
    own = capabilities(c)
    assert own["Eff"] == own["Bnd"] and not own["Eff"] >> 21 & 1
    user = capabilities(c, "-u", "user")
    assert user["Eff"] == user["Prm"] == user["Amb"] == 0 and user["Bnd"] == own["Bnd"]
    everything = capabilities(c, "--privileged")
    assert everything["Eff"] >> 21 & 1 and everything["Eff"] & own["Eff"] == own["Eff"]


def test_of_a_container_of_a_user_root_has_what_the_container_may_have(box):
    start(box, "sleep 1000", "--name", "box", "-u", "user")
    c = type("C", (), {"engine": box})
    assert capabilities(c)["Eff"] == 0
    root = capabilities(c, "-u", "root")
    assert root["Eff"] == root["Bnd"] != 0
    box.call("rm", "-f", "box").ok()


@pytest.mark.parametrize("program, status, message", [
    ("nonsuch", 127, 'exec: "nonsuch": executable file not found in $PATH'),
    ("/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'),
])
def test_a_program_that_cannot_be_run(c, program, status, message):
    inside(c, program).fails('exec "box": ' + message, status=status)


def test_one_that_does_not_run(box):
    c = start(box, "exit 3", "--name", "box")
    c.wait()
    inside(c, "true").fails(f"container {c.id[:12]} is not running")
    box.call("exec", "nobody", "true").fails('container "nobody" does not exist')
    box.call("exec", "box").fails("which program?")


def test_standard_input(c):
    command = c.engine.command("exec", "-i", "box", "cat")
    assert subprocess.run(command, input=b"given", capture_output=True, check=True).stdout == b"given"
    command = c.engine.command("exec", "box", "cat")
    assert subprocess.run(command, input=b"given", capture_output=True, check=True).stdout == b""


def test_a_terminal_of_its_own(c):
    with OnTerminal(c.engine.command("exec", "-it", "box", "sh", "-c", "tty; echo $TERM; read x; echo got $x; exit 5")) as terminal:
        terminal.wait_text("xterm")
        assert re.search(r"/dev/pts/\d+\r\nxterm", terminal.text)
        terminal.type("line\n").wait_text("got line")
        assert terminal.wait() == 5


def test_detached(c):
    result = inside(c, "sh", "-c", "echo nowhere; echo nowhere >&2; echo x > /tmp/made; exec sleep 1000", options=["-d"]).ok()
    assert (result.out, result.err) == ("", "")
    until(lambda: inside(c, "cat", "/tmp/made").out == "x\n", "its file")
    inside(c, "nonsuch", options=["-d"]).fails("executable file not found in $PATH", status=127)


def test_signals_go_to_the_program(c):
    command = c.engine.command("exec", "box", "sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(timeout=20) == 4


def test_many(c):
    """None hangs, none has another's status."""
    for i in range(60):
        assert inside(c, "sh", "-c", f"exit {i}").status == i


def test_pause_and_unpause(c):
    assert c.call("pause").ok().out == c.id + "\n"
    assert c.status().endswith("(Paused)")
    inside(c, "true").fails("cannot exec in a paused container")
    c.call("unpause").ok()
    inside(c, "true").ok()
    c.call("unpause").fails("container not paused")


def test_what_is_paused_can_be_stopped(c):
    c.call("pause").ok()
    c.call("stop", "-t", "1").ok()
    assert c.status().startswith("Exited (137)")
    c.call("pause").fails(f"container {c.id[:12]} is not running")
