# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare run -d`: containers that live on their own, their monitors, and what is told of them; also after anything was killed."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.background import alive, asleep, init_of, private_kb, start, starters, switches, until
from support.time_limit import scaled

MONITOR_PRIVATE_KB = 120
FIXTURES = Path(__file__).resolve().parents[1] / "data/records"


@pytest.fixture
def box(engine):
    engine.image()
    return engine


# ---- starting -----------------------------------------------------------------------------------------------------------


def test_it_runs_on_after_tare_has_ended(box):
    c = start(box, "sleep 100", "--name", "on")
    assert re.fullmatch("[0-9a-f]{64}", c.id)
    assert re.match("Up ", c.status())
    assert c.monitor() and alive(init_of(c))
    assert "--force kills it first" in box.call("rm", "on").fails(f"container {c.id[:12]} is running").err
    box.call("rm", "-f", "on").ok()
    assert box.containers() == {} and not c.monitor() and not c.directory.exists()


def test_the_caller_is_let_go(box, tmp):
    """Neither its terminal nor its pipes stay open in the monitor: `id=$(tare run -d ...)` returns."""
    began = time.monotonic()
    c = start(box, "sleep 60")
    assert time.monotonic() - began < scaled(20)
    files = {os.readlink(f"/proc/{c.monitor()}/fd/{n}") for n in range(3)}
    assert files == {"/dev/null"}
    assert os.getsid(c.monitor()) == c.monitor()


def test_cidfile_labels_and_rm(box, tmp):
    c = start(box, "sleep 0.2; exit 4", "--rm", "--cidfile", tmp / "cid", "--label", "who=me")
    assert (tmp / "cid").read_text() == c.id
    until(lambda: box.containers() == {} and not c.directory.exists(), "--rm")


@pytest.mark.parametrize("program, status, message", [
    ("nonsuch", 127, 'exec: "nonsuch": executable file not found in $PATH'),
    ("/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'),
])
def test_a_start_that_fails_is_reported_whole(box, program, status, message):
    box.call("run", "-d", "--name", "xx", "box", program).fails('run "box": ' + message, status=status)
    assert box.containers() == {}


@pytest.mark.parametrize("options, message", [
    (["--log-driver", "smoke"], '--log-driver: there is no "smoke"'),
    (["--log-opt", "max-size=x"], '--log-opt "max-size=x": "x" is no size'),
    (["--log-opt", "max-file=0"], '--log-opt "max-file=0": it is a number from 1 to'),
    (["--log-opt", "compress=true"], '--log-opt "compress=true": there is no such option'),
    (["--stop-signal", "NONE"], '--stop-signal: unknown signal "NONE"'),
    (["--stop-timeout", "x"], '--stop-timeout "x" is no number of seconds'),
])
def test_what_cannot_be_is_125_and_leaves_nothing(box, options, message):
    box.call("run", "-d", *options, "box", "true").fails(message, status=125)
    assert box.containers() == {}


def test_without_the_monitor_program_nothing_is_started(box, tmp):
    lonely = tmp / "bin"
    lonely.mkdir()
    (lonely / "tare").write_bytes(Path(box.path).read_bytes())
    (lonely / "tare").chmod(0o755)
    box.run("true").ok()
    (lonely / "tare-full").symlink_to("tare")
    box.path = lonely / "tare"
    box.call("run", "-d", "box", "true").fails("tare-monitor is neither beside tare nor in", status=125)
    assert box.containers() == {}


# ---- what the monitor costs ----------------------------------------------------------------------------------------------


@pytest.mark.no_sanitizer("memory is measured")
def test_the_monitor_is_small_and_sleeps(box):
    c = start(box, "echo begin; sleep 100")
    pid = c.monitor()
    until(lambda: c.log_path.exists(), "the log")
    assert private_kb(pid) <= MONITOR_PRIVATE_KB
    until(lambda: len(c.entries()) == 1 and asleep(pid), "its rest")
    before = switches(pid)
    time.sleep(1)
    assert switches(pid) == before, "it wakes up although nothing happens"
    c.call("rm", "-f").ok()


@pytest.mark.no_sanitizer("memory is measured")
def test_many_monitors_are_small_together(box):
    """What is theirs alone; their code is shared. A hundred may have 12 MB."""
    all_of_them = [start(box, "exec sleep 1000") for _ in range(30)]
    assert sum(private_kb(c.monitor()) for c in all_of_them) <= 30 * MONITOR_PRIVATE_KB
    box.call("rm", "-f", *[c.id for c in all_of_them]).ok()
    assert box.containers() == {}


def test_the_monitor_is_outside_of_the_containers_cgroup(box):
    c = start(box, "sleep 100", "--memory", "20m")
    monitor, own = (Path(f"/proc/{pid}/cgroup").read_text() for pid in (c.monitor(), "self"))
    assert c.id[:12] in Path(f"/proc/{init_of(c)}/cgroup").read_text()
    assert monitor == own
    c.call("rm", "-f").ok()


# ---- its end --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 3", 3), ("kill -USR1 $$", 138)])
def test_how_it_ended_is_recorded(box, script, status):
    c = start(box, f"sleep 0.2; {script}", "--init")
    assert c.wait() == status
    assert re.match(rf"Exited \({status}\) ", c.status())
    c.settle()
    record = c.record()
    assert record["schema"] == 2 and record["exitStatus"] == status
    assert record["created"] <= record["started"] <= record["finished"]


def test_wait_gives_the_status_of_one_that_is_removed(box):
    c = start(box, "sleep 1; exit 9", "--rm")
    assert c.wait() == 9
    until(lambda: box.containers() == {}, "--rm")


def test_stop_asks_first(box):
    c = start(box, "trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    c.call("stop").ok()
    assert c.status().startswith("Exited (5)")
    assert [e["log"] for e in c.entries()] == ["ready\n", "asked\n"]


def test_stop_kills_what_does_not_end(box):
    c = start(box, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    began = time.monotonic()
    c.call("stop", "-t", "1").ok()
    assert 0.9 < time.monotonic() - began < scaled(8)
    assert c.status().startswith("Exited (137)")
    c.call("stop").ok()


def test_stop_uses_the_containers_own_signal_and_time(box):
    script = "trap 'exit 6' INT; trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    c = start(box, script, "--stop-signal", "SIGINT", "--stop-timeout", "30")
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    c.call("stop").ok()
    assert c.status().startswith("Exited (6)")
    assert (c.record()["config"]["StopSignal"], c.record()["config"]["StopTimeout"]) == ("SIGINT", 30)


def test_the_images_stop_signal(engine):
    engine.image("localhost/q:1", config={"StopSignal": "SIGUSR1"})
    c = start(engine, "trap 'exit 8' USR1; echo ready; while :; do sleep 0.05; done", image="q:1")
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    c.call("stop").ok()
    assert c.status().startswith("Exited (8)")


def test_kill(box):
    c = start(box, "trap 'exit 2' HUP; echo ready; while :; do sleep 0.05; done")
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    assert "a number from 1 to 64" in c.call("kill", "-s", "NONE").fails('unknown signal "NONE"').err
    assert c.call("kill", "--signal", "HUP").ok().out == c.id + "\n"
    assert c.wait() == 2
    c.call("kill").fails(f"container {c.id[:12]} is not running")
    box.call("kill", "nobody").fails('container "nobody" does not exist')


@pytest.mark.parametrize("command", ["stop", "kill", "wait", "rm", "logs"])
def test_one_that_is_not_there(box, command):
    box.call(command, "nobody").fails(f'{command} "nobody": container "nobody" does not exist')


def test_out_of_memory_is_recorded_with_limit_and_peak(box):
    c = start(box, "busybox tail -c 100000000 /dev/zero; exit 3", "--memory", "16m", "--memory-swap", "16m")
    c.wait()
    record = c.record()
    assert record["memoryLimit"] == 16 << 20 and (8 << 20) < record["memoryPeak"] <= (16 << 20)


def test_a_kill_is_no_lack_of_memory(box):
    c = start(box, "sleep 100", "--memory", "16m")
    c.call("kill").ok()
    assert c.wait() == 137
    c.settle()
    assert "oomKills" not in c.record() and c.record()["signal"] == signal.SIGKILL


# ---- kills ----------------------------------------------------------------------------------------------------------------


def test_a_container_outlives_its_monitor(box):
    c = start(box, "sleep 100")
    os.kill(c.monitor(), signal.SIGKILL)
    assert c.status().startswith("Up ")
    c.call("rm").fails("is running")
    c.call("stop", "-t", "0").ok()
    assert c.status().startswith("Exited (unknown)")
    c.call("wait").fails("nobody saw how container")
    c.call("rm").ok()


def test_one_of_rm_whose_monitor_was_killed_is_cleaned_up(box):
    c = start(box, "sleep 0.5", "--rm")
    os.kill(c.monitor(), signal.SIGKILL)
    until(lambda: box.containers() == {} and not c.directory.exists(), "the sweep")


def truth(box, c, init):
    """What `ps` says, and whether it is so."""
    was_alive = alive(init)
    shown = box.containers().get(c.id[:12])
    if not shown:
        assert not alive(init)
        return "gone"
    if shown["State"] == "running":
        assert was_alive
    else:
        assert not alive(init) or shown["State"] == "created"
    return shown["State"]


@pytest.mark.parametrize("who", ["monitor", "init", "both"])
def test_kills_at_any_moment(box, who):
    """The next command tells the truth, and after rm nothing is left (the fixture looks)."""
    for i in range(10):
        c = start(box, "echo line; exec sleep 100")
        init, monitor = init_of(c), c.monitor()
        time.sleep(i * 0.004)
        victims = {"monitor": [monitor], "init": [init], "both": [init, monitor]}[who]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        time.sleep(i * 0.002)
        if who == "monitor":
            assert truth(box, c, init) == "running"
        else:
            until(lambda c=c, init=init: truth(box, c, init) == "exited", "its end")
        if who == "init":
            assert c.wait() == 137
        c.call("rm", "-f").ok()
        assert box.containers() == {} and not alive(init)


def test_kills_of_tare_while_it_starts_one(box):
    """run -d is killed after any time: either there is a container, whole, or there is none."""
    box.run("true").ok()
    for i in range(20):
        command = box.command("run", "-d", "--rm", "box", "sleep", "100")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(i * 0.003)
            process.kill()
        until(lambda: not starters(box), "the end of what it started")
        for name, shown in box.containers().items():
            assert shown["State"] in ("running", "created"), shown
            box.call("rm", "-f", name).ok()
        assert box.containers() == {}
    box.call("image", "gc").ok()


# ---- records ----------------------------------------------------------------------------------------------------------------


def put_record(engine, name, **changes):
    record = {**json.loads((FIXTURES / name).read_text()), **changes}
    directory = engine.root / "containers" / record["id"]
    directory.mkdir(parents=True)
    directory.parent.chmod(0o700)
    (directory / "record.json").write_text(json.dumps(record))
    return record["id"]


@pytest.mark.parametrize("name, status", [("schema-1.json", "Exited (7)"), ("schema-2.json", "Exited (137)")])
def test_records_of_every_schema_are_read(engine, name, status):
    id = put_record(engine, name)
    assert engine.containers()[id[:12]]["Status"].startswith(status)
    engine.call("rm", id).ok()
    assert engine.containers() == {}


def test_a_newer_record_is_refused_by_name(engine):
    id = put_record(engine, "schema-2.json", schema=3)
    message = f"read the record of container {id[:12]}: it has the schema 3, of a newer tare; this one knows up to 2"
    for command in (["stop", id], ["rm", id], ["rm", "-f", id], ["logs", id]):
        engine.call(*command).fails(message)
    listing = engine.call("ps", "-a").ok()
    assert any("schema 3" in entry["msg"] for entry in listing.log)
    (engine.root / "containers" / id / "record.json").unlink()
    assert engine.containers() == {}
