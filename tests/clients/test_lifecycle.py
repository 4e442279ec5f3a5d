# SPDX-License-Identifier: GPL-2.0-or-later
"""podman and docker: a container from create to rm, and the signals in between."""

import json

import pytest

from engines.cli import HOLD
from engines.site import cgroup_files
from support.runtime import wait_until

ON_TERM = "trap 'echo bye; exit 9' TERM; echo ready; " + HOLD


def frozen(pid):
    where = cgroup_files(pid)
    if "freezer" in where:
        return (where["freezer"] / "freezer.state").read_text().strip() == "FROZEN"
    return "frozen 1" in (where[""] / "cgroup.events").read_text()


@pytest.mark.smoke
def test_create_then_start(engine):
    c = engine.create(script="echo hi; exit 4")
    assert c.state == "created"
    c.call("start", "-a").ends(4)
    assert c.state == "exited" and c.inspect("State", "ExitCode") == 4


def test_start_twice(engine):
    c = engine.create(script="echo again")
    for _ in range(2):
        assert c.call("start", "-a").ok().out == "again\n"


@pytest.mark.smoke
def test_stop_is_a_term(engine):
    c = engine.start(script=ON_TERM).wait_logs("ready")
    c.call("stop", "-t", "20").ok()
    assert c.inspect("State", "ExitCode") == 9 and "bye" in c.logs()


def test_stop_ends_with_a_kill(engine):
    c = engine.start(script="trap '' TERM; echo ready; " + HOLD).wait_logs("ready")
    c.call("stop", "-t", "1").ok()
    assert c.inspect("State", "ExitCode") == 137


def test_stop_signal(engine):
    c = engine.start("--stop-signal", "USR1", script="trap 'exit 11' USR1; echo ready; " + HOLD).wait_logs("ready")
    c.call("stop", "-t", "20").ok()
    assert c.inspect("State", "ExitCode") == 11


@pytest.mark.rows("C-11")
@pytest.mark.parametrize("signal,trap", [("HUP", "HUP"), ("SIGUSR2", "USR2"), ("12", "USR2"), ("SIGINT", "INT")])
def test_kill_with_a_signal(engine, signal, trap):
    c = engine.start(script=f"trap 'echo got {trap}; exit 6' {trap}; echo ready; " + HOLD).wait_logs("ready")
    c.call("kill", "-s", signal).ok()
    assert c.wait() == 6 and f"got {trap}" in c.logs()


@pytest.mark.smoke
def test_kill_is_137(engine):
    c = engine.start()
    c.call("kill").ok()
    assert c.wait() == 137


def test_kill_of_an_ended_container_is_refused(engine):
    done = engine.ended(script="true").call("kill")
    assert done.status != 0 and "running" in done.err, done.describe()


@pytest.mark.smoke
def test_restart(engine):
    c = engine.start(script="echo started; trap 'exit 0' TERM; " + HOLD).wait_logs("started")
    before = c.pid
    c.call("restart", "-t", "20").ok()
    assert c.pid != before
    wait_until(lambda: c.logs().count("started") == 2, "the second start in the logs")


def test_restart_policy(engine):
    c = engine.start("--restart", "on-failure:2", script="echo run; exit 1")
    wait_until(lambda: c.logs().count("run") == 3, "three starts in the logs", timeout=30)
    wait_until(lambda: c.state == "exited", "the last end")
    assert c.inspect("RestartCount") == 2


@pytest.mark.smoke
def test_pause_and_unpause(engine):
    c = engine.start()
    pid = c.pid
    c.call("pause").ok()
    assert c.state == "paused" and frozen(pid)
    done = c.exec("true")
    assert done.status != 0 and ("paused" in done.err or "only create exec sessions on running" in done.err), done.describe()
    c.call("unpause").ok()
    assert c.state == "running" and not frozen(pid)
    c.exec("true").ok()


def test_pause_of_an_ended_container_is_refused(engine):
    done = engine.ended(script="true").call("pause")
    assert done.status != 0 and "running" in done.err, done.describe()


def test_rm_by_force_of_a_paused_container(engine):
    c = engine.start()
    c.call("pause").ok()
    c.call("rm", *engine.forced).ok()
    assert c.call("inspect").status != 0


def test_rm(engine):
    c = engine.start()
    done = c.call("rm")
    assert done.status != 0 and "running" in done.err, done.describe()
    c.call("rm", *engine.forced).ok()
    assert c.call("inspect").status != 0


@pytest.mark.smoke
def test_logs(engine):
    c = engine.ended(script="for i in 1 2 3; do echo line $i; done; echo err >&2")
    done = c.call("logs").ok()
    assert done.out == "line 1\nline 2\nline 3\n" and done.err == "err\n"
    assert c.call("logs", "--tail", "2").ok().out.splitlines()[-1] == "line 3"


def test_logs_followed_to_the_end(engine):
    c = engine.start(script="for i in 1 2 3; do echo line $i; sleep 0.3; done")
    assert c.call("logs", "-f").ok().out == "line 1\nline 2\nline 3\n"


@pytest.mark.smoke
def test_top(engine):
    c = engine.start(script="sleep 12345 & wait")
    assert "sleep 12345" in c.call("top").ok().out


@pytest.mark.smoke
def test_cp_in_and_out(engine, tmp):
    c = engine.start()
    (tmp / "in").write_text("carried\n")
    engine.call("cp", tmp / "in", f"{c.name}:/tmp/in").ok()
    assert c.exec("cat", "/tmp/in").ok().out == "carried\n"
    c.exec("sh", "-c", "echo back > /tmp/out").ok()
    engine.call("cp", f"{c.name}:/tmp/out", tmp / "out").ok()
    assert (tmp / "out").read_text() == "back\n"


def test_inspect(engine):
    c = engine.start("--label", "key=value", "--hostname", "inside")
    seen = json.loads(c.call("inspect").ok().out)[0]
    assert seen["State"]["Running"] and seen["State"]["Status"] == "running" and seen["State"]["Pid"] > 0
    assert seen["Config"]["Labels"]["key"] == "value" and seen["Config"]["Hostname"] == "inside"


def test_diff_and_commit(engine):
    c = engine.ended(script="echo new > /root/new")
    assert "/root/new" in c.call("diff").ok().out
    engine.call("commit", c.name, "localhost/committed").ok()
    engine.at_end("rmi", "localhost/committed")
    assert engine.call("run", "--rm", *engine.run_options, "--network", "none", "localhost/committed", "cat",
                       "/root/new").ok().out == "new\n"


def test_export(engine, tmp):
    c = engine.start(script="echo x > /root/exported; " + HOLD)
    wait_until(lambda: c.exec("test", "-s", "/root/exported").status == 0, "the file")
    engine.call("export", "-o", tmp / "tar", c.name).ok()
    assert b"root/exported" in (tmp / "tar").read_bytes()


def test_attach(engine):
    c = engine.start("-i", script="read x; sleep 1; echo got $x; exit 8")
    engine.call("attach", "--sig-proxy=false", c.name, stdin="word\n")
    assert c.wait() == 8 and "got word\n" in c.logs()


def test_rename(engine):
    c = engine.start()
    c.engine.call("rename", c.name, c.name + "new").ok()
    c.engine.call("rename", c.name + "new", c.name).ok()
    assert c.state == "running"


@pytest.mark.smoke
def test_health(engine):
    c = engine.start("--health-cmd", "test -e /tmp/well", "--health-retries", "1",
                     "--health-interval", "disable" if engine.kind == "podman" else "1s")
    check = (lambda: c.engine.call("healthcheck", "run", c.name).status) if engine.kind == "podman" else \
        (lambda: {"healthy": 0, "unhealthy": 1}.get(c.inspect("State", "Health", "Status")))
    wait_until(lambda: check() == 1, "the check to fail", timeout=20)
    c.exec("touch", "/tmp/well").ok()
    wait_until(lambda: check() == 0, "the check to succeed", timeout=20)


@pytest.mark.needs_criu
def test_checkpoint_and_restore(engine):
    c = engine.start(script="i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done").wait_logs("3")
    if engine.kind == "podman":
        engine.call("container", "checkpoint", c.name).ok()
        engine.call("container", "restore", c.name).ok()
    else:
        engine.call("checkpoint", "create", c.name, "point").ok()
        c.call("start", "--checkpoint", "point").ok()
    count = len(c.logs().splitlines())
    wait_until(lambda: len(c.logs().splitlines()) > count + 3, "it to go on")
    numbers = [int(line) for line in c.logs().splitlines()]
    assert numbers == list(range(len(numbers))), "it did not go on where it was"
