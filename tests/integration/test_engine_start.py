# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare create`, `start`, `restart` and restart policies."""

import os
import re
import signal
import time

import pytest

from support.background import Background, alive, init_of, start, until


@pytest.fixture
def box(engine):
    engine.image()
    return engine


def create(box, script, *options):
    out = box.call("create", *options, "box", "sh", "-c", script).ok().out
    assert re.fullmatch("[0-9a-f]{64}\n", out)
    return Background(box, out.strip())


# ---- create, start ------------------------------------------------------------------------------------------------------


def test_create_starts_nothing(box):
    c = create(box, "echo ran; exit 4", "--name", "box")
    assert c.status() == "Created" and not c.monitor()
    c.call("kill").fails("is not running")
    c.call("stop").ok()
    assert c.wait() == 0
    assert c.call("start").ok().out == c.id + "\n"
    assert c.wait() == 4
    assert [e["log"] for e in c.entries()] == ["ran\n"]
    assert c.status().startswith("Exited (4)")


def test_one_that_was_only_made_can_be_removed(box):
    create(box, "true").call("rm").ok()
    assert box.containers() == {}


def test_create_with_rm(box):
    c = create(box, "echo x > /file; exec sleep 100", "--rm")
    assert c.status() == "Created"
    c.call("start").ok()
    assert c.status().startswith("Up ")
    c.call("stop", "-t", "0").ok()
    assert box.containers() == {} and not c.directory.exists()


def test_what_it_wrote_is_there_at_its_next_start(box):
    c = start(box, "if [ -e /file ]; then cat /file; stat -c %a /; else echo first >/file; chmod 711 /; fi")
    assert c.wait() == 0
    assert box.call("start", c.id[:12]).ok().out == c.id[:12] + "\n"
    assert c.wait() == 0
    assert box.call("logs", c.id).ok().out == "first\n711\n"


def test_one_that_was_run_in_the_foreground(box):
    box.call("run", "--name", "fore", "box", "sh", "-c", "echo x >>/file; cat /file").ok()
    box.call("start", "fore").ok()
    assert box.call("wait", "fore").ok().out == "0\n"
    assert box.call("logs", "fore").ok().out == "x\nx\n"


def test_it_keeps_its_image_when_the_name_means_another(box):
    c = create(box, "cat /etc/passwd")
    box.call("tag", "box", "old").ok()
    box.call("rmi", "localhost/box:latest").ok()
    box.call("rmi", "--force", "old")
    box.call("image", "gc").ok()
    c.call("start").ok()
    assert c.wait() == 0


def test_start_shows_what_it_writes(box):
    c = create(box, "echo out; echo err >&2; exit 6", "--name", "box")
    for _ in range(2):
        result = box.call("start", "--attach", "box")
        assert (result.status, result.out, result.err) == (6, "out\n", "err\n")


def test_start_of_one_that_runs_is_no_error(box):
    c = start(box, "sleep 100")
    pid = init_of(c)
    c.call("start").ok()
    assert init_of(c) == pid
    c.call("rm", "-f").ok()


def test_a_start_that_fails_leaves_it_as_it_was(box):
    out = box.call("create", "--name", "box", "box", "nonsuch").ok().out.strip()
    c = Background(box, out)
    for _ in range(2):
        c.call("start").fails('exec: "nonsuch": executable file not found in $PATH')
        assert c.status() == "Created"
    assert box.call("start", "-a", "box").status == 127
    box.call("start", "nobody").fails('container "nobody" does not exist')


def test_restart(box):
    c = start(box, "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    first = init_of(c)
    assert c.call("restart", "-t", "20").ok().out == c.id + "\n"
    assert init_of(c) != first and c.status().startswith("Up ")
    until(lambda: len(c.entries()) == 3, "the second start")
    assert [e["log"] for e in c.entries()] == ["ready\n", "asked\n", "ready\n"]
    c.call("stop", "-t", "1").ok()
    c.call("restart").ok()
    assert c.status().startswith("Up ")
    c.call("rm", "-f").ok()


def test_volumes_and_the_users_namespace_stay(engine):
    engine.image("localhost/v:1", config={"Volumes": {"/data": {}}})
    c = start(engine, "id -u >>/data/x; id -u >>/y; cat /data/x /y; cat /proc/self/uid_map", "--userns", "100000:70000", image="v:1")
    assert c.wait() == 0
    c.call("start").ok()
    assert c.wait() == 0
    logs = engine.call("logs", c.id).ok().out.split()
    assert logs == ["0", "0", "0", "100000", "70000", "0", "0", "0", "0", "0", "100000", "70000"]


# ---- policies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, message", [
    (["-d", "--restart", "maybe"], '--restart: there is no "maybe"'),
    (["-d", "--restart", "on-failure:x"], '--restart: there is no "on-failure:x"'),
    (["-d", "--rm", "--restart", "always"], "--restart and --rm contradict each other"),
    (["--restart", "always"], "--restart is for the background: it needs --detach"),
])
def test_policies_that_make_no_sense(box, options, message):
    box.call("run", *options, "box", "true").fails(message, status=125)
    assert box.containers() == {}


def test_on_failure_so_often(box):
    c = start(box, "echo run; exit 5", "--restart", "on-failure:3")
    until(lambda: len(c.entries()) == 4 and c.status().startswith("Exited (5)"), "four runs")
    c.settle()
    times = [e["time"] for e in c.entries()]
    seconds = [float(t[17:-1]) + 60 * int(t[14:16]) for t in times]
    waits = [(b - a) % 3600 for a, b in zip(seconds, seconds[1:])]
    assert waits[0] >= 0.1 and waits[1] >= 0.2 and waits[2] >= 0.4, "each wait is twice as long"
    assert c.record()["restart"] == {"policy": "on-failure", "max": 3, "count": 3, "failures": 4}
    time.sleep(1)
    assert len(c.entries()) == 4


def test_on_failure_does_not_restart_what_succeeded(box):
    c = start(box, "echo run; exit 0", "--restart", "on-failure")
    assert c.wait() == 0
    c.settle()
    time.sleep(0.5)
    assert len(c.entries()) == 1 and c.status().startswith("Exited (0)")


def test_always_until_it_is_stopped(box):
    c = start(box, "echo run; sleep 0.2", "--restart", "always")
    until(lambda: len(c.entries()) >= 3, "three runs")
    c.call("stop", "-t", "0").ok()
    c.settle()
    n = len(c.entries())
    time.sleep(1)
    assert len(c.entries()) == n and c.status().startswith("Exited") and not c.monitor()
    c.call("start").ok()
    until(lambda: len(c.entries()) >= n + 2, "that it is restarted again")
    c.call("rm", "-f").ok()
    assert box.containers() == {}


def test_kill_ends_it_for_good_and_another_signal_does_not(box):
    c = start(box, "trap 'exit 1' USR1; echo run; while :; do sleep 0.02; done", "--restart", "unless-stopped")
    until(lambda: c.log_path.exists() and c.entries(), "the first run")
    c.call("kill", "-s", "USR1").ok()
    until(lambda: len(c.entries()) == 2, "the second run")
    c.call("kill").ok()
    c.settle()
    assert c.status().startswith("Exited (137)")


def test_waiting_to_be_restarted(box):
    c = start(box, "exit 9", "--restart", "always")
    until(lambda: c.record()["restart"]["failures"] >= 5, "some failures")
    until(lambda: c.status().startswith("Restarting (9)"), "the wait")
    shown = [name for name in box.call("ps", "--format", "json").ok().out.splitlines() if "restarting" in name]
    assert len(shown) == 1, "ps shows it without --all"
    c.call("rm").fails("is about to be started again")
    began = time.monotonic()
    c.call("stop").ok()
    assert time.monotonic() - began < 5, "the wait is not waited for"
    assert c.status().startswith("Exited (9)") and not c.monitor()


def test_waiting_to_be_restarted_and_started_by_hand(box):
    c = start(box, "exit 9", "--restart", "always")
    until(lambda: c.record()["restart"]["failures"] >= 6, "some failures")
    until(lambda: c.status().startswith("Restarting (9)"), "the wait")
    began = time.monotonic()
    c.call("start").ok()
    assert time.monotonic() - began < 3
    until(lambda: c.record()["restart"]["failures"] <= 2, "that the count begins anew")
    c.call("rm", "-f").ok()


def test_the_one_who_waits_is_killed(box):
    c = start(box, "exit 9", "--restart", "always")
    until(lambda: c.record()["restart"]["failures"] >= 6, "some failures")
    pid = until(lambda: c.status().startswith("Restarting") and c.monitor(), "the wait")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), "its end")
    assert c.status().startswith("Exited (9)")
    c.call("rm").ok()


def test_a_restarted_one_keeps_its_lock_and_can_be_removed_while_it_loops(box):
    for i in range(8):
        c = start(box, "exit 1", "--restart", "always")
        time.sleep(i * 0.05)
        c.call("rm", "-f").ok()
        assert box.containers() == {} and not c.monitor()
