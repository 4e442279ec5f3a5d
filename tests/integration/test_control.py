# SPDX-License-Identifier: GPL-2.0-or-later
"""ps, pause and resume: who is in a container, and stopping them for a while."""

import json
import subprocess
import time

import pytest

from support import cgroup
from support.bundle import HOLD
from support.cgroup import Freezer
from support.runtime import wait_until

COUNTER = "i=0; echo ready; while :; do i=$((i+1)); echo $i > /count; done"

# Eight loops that fork all the time.
FORKS = "for n in 1 2 3 4 5 6 7 8; do (while :; do /bin/true; done) & done; echo ready; wait"

only_tare = pytest.mark.only("tare")


@pytest.fixture
def running(tare, bundle):
    return tare.run_detached(bundle(script=HOLD)).wait_out("ready")


def pids_of(tare, c):
    return json.loads(tare.call("ps", "--format", "json", c.id).ok().out)


# ---- ps -------------------------------------------------------------------------------------------------------------


def test_C8_ps_as_json_is_an_array_of_host_pids(tare, bundle):
    c = tare.run_detached(bundle(script="sleep 300 & sleep 300 & echo ready; wait")).wait_out("ready")
    pids = wait_until(lambda: len(pids_of(tare, c)) == 3 and pids_of(tare, c), "three processes")
    assert c.pid in pids
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(c.pid)], capture_output=True, text=True).stdout
    assert sorted(pids) == sorted([c.pid, *map(int, children.split())])
    result = tare.call("ps", "-f", "json", c.id).ok()
    assert result.out == json.dumps(pids, separators=(",", ":")) + "\n", "nothing but the array, as runc prints it"


def test_C8_ps_sees_processes_in_cgroups_below(tare, running):
    for directory in [cgroup.make_below(d, "below") for d in cgroup.of(running)]:
        (directory / "cgroup.procs").write_text(str(running.pid))
    assert running.pid in pids_of(tare, running)


def test_ps_table_has_the_heading_and_the_containers_lines(tare, running):
    lines = tare.call("ps", running.id).ok().out.splitlines()
    column = lines[0].split().index("PID")
    assert lines[0].split()[:3] == ["UID", "PID", "PPID"]
    shown = [int(line.split()[column]) for line in lines[1:]]
    assert running.pid in shown
    # Its children come and go, but whoever was there before it is not its own.
    assert min(shown) == running.pid, lines


def test_ps_hands_options_to_the_hosts_ps(tare, running):
    result = tare.call("ps", "--format", "table", running.id, "-o", "comm,pid", "-e").ok()
    lines = result.out.splitlines()
    assert lines[0].split() == ["COMMAND", "PID"]
    assert f"{running.pid}" in [line.split()[-1] for line in lines[1:]]


@only_tare
def test_ps_without_the_column_pid_says_what_to_do(tare, running):
    result = tare.call("ps", running.id, "-e", "-o", "comm").fails("find the column PID")
    assert result.out == "" and "-o pid" in result.err


@only_tare
def test_ps_tells_when_the_hosts_ps_refuses(tare, running):
    result = tare.call("ps", running.id, "--no-such-option").fails("ended with status 1")
    assert result.out == ""


@only_tare
def test_ps_on_a_host_without_ps(tare, running, tmp):
    result = tare.call("ps", running.id, env={"PATH": str(tmp)}).ok()
    lines = result.out.splitlines()
    assert lines[0].split() == ["PID", "STATE", "COMMAND"]
    mine = [line.split() for line in lines[1:] if line.split()[0] == str(running.pid)]
    assert mine and mine[0][2] == "sh"
    assert 'there is no "ps" in PATH' in result.warnings[0]


@only_tare
def test_ps_of_a_stopped_container_is_empty(tare, bundle):
    c = tare.run_detached(bundle(args=["true"])).wait()
    assert pids_of(tare, c) == []


def test_ps_of_an_unknown_container(tare, running):
    tare.call("ps", "--format", "json", "nobody").fails("does not exist")


@only_tare
def test_ps_of_an_unknown_format(tare, running):
    tare.call("ps", "--format", "yaml", running.id).fails('unknown format "yaml"')


# ---- pause, resume --------------------------------------------------------------------------------------------------


def test_Y3_K7_pause_stops_the_program_and_resume_lets_it_go_on(tare, bundle):
    b = bundle(script=COUNTER)
    c = tare.run_detached(b).wait_out("ready")
    count = b.rootfs / "count"
    result = tare.call("pause", c.id).ok()
    assert (result.out, result.err) == ("", "")
    assert c.status == "paused"
    assert tare.list()[c.id]["status"] == "paused"
    assert Freezer(cgroup.of(c)).is_frozen()
    before = count.read_text()
    time.sleep(0.1)
    assert count.read_text() == before

    result = tare.call("resume", c.id).ok()
    assert (result.out, result.err) == ("", "")
    assert c.status == "running"
    wait_until(lambda: count.read_text() not in ("", before), "the program to go on")


def test_Z11_a_paused_created_container_cannot_be_started(tare, bundle):
    c = tare.create(bundle(script=HOLD))
    tare.call("pause", c.id).ok()
    assert c.status == "paused"
    c.start().fails("cannot start")
    tare.call("resume", c.id).ok()
    assert c.status == "created"
    c.start().ok()
    c.wait_out("ready")


def test_pause_of_a_paused_container(tare, running):
    tare.call("pause", running.id).ok()
    tare.call("pause", running.id).fails("container not running")
    assert running.status == "paused", "the second one must not undo the first"


def test_pause_and_resume_of_a_stopped_container(tare, bundle):
    c = tare.run_detached(bundle(args=["true"])).wait()
    tare.call("pause", c.id).fails("container not running")
    tare.call("resume", c.id).fails("container not paused")


def test_resume_of_a_running_container(tare, running):
    tare.call("resume", running.id).fails("container not paused")


def test_pause_and_resume_of_an_unknown_container(tare, running):
    for command in ("pause", "resume"):
        tare.call(command, "nobody").fails("does not exist")


def test_K9_kill_of_a_paused_container(tare, running):
    tare.call("pause", running.id).ok()
    running.kill("KILL").ok()
    running.wait("stopped")
    running.delete().ok()


def test_K9_other_signals_wait_for_the_resume(tare, bundle):
    c = tare.run_detached(bundle(script="trap 'exit 3' TERM; " + HOLD)).wait_out("ready")
    tare.call("pause", c.id).ok()
    c.kill("TERM").ok()
    time.sleep(0.1)
    assert c.status == "paused"
    tare.call("resume", c.id).ok()
    c.wait("stopped")


def test_Z11_delete_force_of_a_paused_container(tare, running):
    tare.call("pause", running.id).ok()
    running.delete().fails("paused")
    running.delete("--force").ok()
    assert tare.list() == {}


@only_tare
def test_K7_pause_while_the_container_forks_all_the_time(tare, bundle):
    c = tare.run_detached(bundle(script=FORKS)).wait_out("ready")
    for _ in range(8):
        tare.call("pause", c.id).ok()
        assert Freezer(cgroup.of(c)).is_frozen() and c.status == "paused"
        first = pids_of(tare, c)
        assert pids_of(tare, c) == first, "nobody forks while all are frozen"
        tare.call("resume", c.id).ok()
    assert c.status == "running"


@only_tare
def test_K9_pause_and_kill_at_the_same_time_end_the_container(tare, bundle, parallel):
    """Whoever comes second, the container must not stay frozen with a SIGKILL that nobody delivers."""
    for _ in range(10):
        c = tare.run_detached(bundle(script=HOLD)).wait_out("ready")
        pause, kill = parallel(lambda: tare.call("pause", c.id), lambda: c.kill("KILL"))
        kill.ok()
        if pause.status:
            pause.fails("container not running")
        c.wait("stopped")
        c.delete().ok()


@only_tare
def test_K7_what_a_parent_cgroup_freezes_is_not_ours_to_thaw(tare, bundle):
    b = bundle(script=HOLD)
    b.linux["cgroupsPath"] = cgroup.path(f"{tare.work.name}-above/inner")
    c = tare.run_detached(b).wait_out("ready")
    above = Freezer(d.parent for d in cgroup.of(c))
    above.freeze()
    wait_until(above.is_frozen, "the parent to be frozen")
    try:
        tare.call("resume", c.id).fails("container not paused" if above.v2 else "they stay frozen")
    finally:
        above.thaw()
    assert c.status == "running"


@only_tare
@pytest.mark.no_sanitizer("strace counts the sanitizer's own calls")
def test_K7_pause_takes_few_system_calls_and_never_sleeps(tare, bundle):
    """Also where the processes don't stop at once: the kernel of v2 tells when they have."""
    c = tare.run_detached(bundle(script=FORKS)).wait_out("ready")
    trace = tare.fresh("strace")
    subprocess.run(["strace", "-f", "-qq", "-o", trace, *tare.command("pause", c.id)], check=True)
    calls = [line for line in trace.read_text().splitlines() if "exit" not in line]
    tare.call("resume", c.id).ok()
    if not Freezer(cgroup.of(c)).v2:
        pytest.skip("cgroup v1 has a freezer here: it must be asked again and again")
    assert "nanosleep" not in trace.read_text()
    assert len(calls) < 60, trace.read_text()
