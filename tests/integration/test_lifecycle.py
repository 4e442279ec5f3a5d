# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a container: which operation is allowed when, what it leaves, and what `state` and `list` say meanwhile."""

import json
import os
import re
import signal
import stat
import time
from pathlib import Path

import pytest

from support import cgroup
from support.cgroup import Freezer, by_file, hierarchies
from support.host import parent_of, subreaper
from support.runtime import flavour, wait_until

HOLD = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"

only_tare = pytest.mark.only("tare")


@pytest.fixture
def created(tare, bundle):
    return tare.create(bundle(script=HOLD))


@pytest.fixture
def running(created):
    created.start().ok()
    return created.wait_out("ready")


@pytest.fixture
def stopped(tare, bundle):
    c = tare.create(bundle(script="exit 0"))
    c.start().ok()
    return c.wait("stopped")


# ---- create ---------------------------------------------------------------------------------------------------------


def test_Y5_Y19_create_does_not_run_the_program(created):
    time.sleep(0.1)
    assert created.status == "created"
    assert created.out == ""


def test_Y4_pid_is_inits_in_our_namespace(created):
    status = Path(f"/proc/{created.pid}/status").read_text()
    assert re.search(r"^NSpid:\s+%d\s+1$" % created.pid, status, re.M)


def test_C13_created_init_belongs_to_the_callers_subreaper(created):
    assert parent_of(created.pid) == subreaper()


def test_Z15_C16_create_start_kill_and_delete_print_nothing(running):
    assert running.result.out == "" and running.result.err == ""
    for result in (running.kill("KILL"), running.wait().delete()):
        assert (result.status, result.out, result.err) == (0, "", "")


def test_Y19_second_create_with_the_same_id_is_refused(tare, bundle, created):
    result, _ = tare.try_create(bundle(script=HOLD), id=created.id)
    result.fails("exist")
    assert created.status == "created", "the refused create must not touch the container"


def test_Y19_bundle_that_is_not_there(tare):
    tare.call("create", "--bundle", tare.work / "nowhere", "x").fails("nowhere")


def test_A1_bundle_without_config(tare, bundle):
    b = bundle()
    result, _ = tare.try_create(b, write=False)
    result.fails("config.json")


def test_A7_missing_rootfs_names_it(tare, bundle):
    b = bundle()
    b.config["root"]["path"] = "not-there"
    result, _ = tare.try_create(b)
    result.fails("not-there")


@only_tare
def test_A6_missing_root_is_an_error(tare, bundle):
    b = bundle()
    del b.config["root"]
    result, _ = tare.try_create(b)
    result.fails("root")


def test_C3_pid_file_is_the_bare_number(tare, bundle):
    pid_file = tare.work / "pid"
    c = tare.create(bundle(script=HOLD), "--pid-file", pid_file)
    assert pid_file.read_text() == str(c.pid)
    assert not stat.S_IMODE(pid_file.stat().st_mode) & 0o022, "others must not write it"


def test_C3_no_pid_file_after_a_failed_create(tare, bundle):
    pid_file = tare.work / "pid"
    result, _ = tare.try_create(bundle(args=["/not/there"]), "--pid-file", pid_file)
    result.fails("/not/there")
    assert not pid_file.exists()


def test_Y16_failed_create_can_be_repeated_with_the_same_id(tare, bundle):
    result, _ = tare.try_create(bundle(args=["/not/there"]), id="again")
    result.fails("/not/there")
    assert tare.create(bundle(script=HOLD), id="again").status == "created"


@pytest.mark.parametrize("id", ["../x", "a/b", "", ".", "..", "a b", "ä", "x\n"])
def test_Z12_illegal_id(tare, bundle, id):
    b = bundle()
    b.write()
    tare.call("create", "--bundle", b.path, id).fails("id")
    assert not tare.root.exists() or not any(tare.root.iterdir())


@only_tare
@pytest.mark.parametrize("id", [".hidden", "x" * 1025], ids=["dot", "long"])
def test_Z12_illegal_id_of_tares_own(tare, bundle, id):
    b = bundle()
    b.write()
    tare.call("create", "--bundle", b.path, id).fails("invalid container id")


@pytest.mark.parametrize("id", ["a", "A-b_c.d+e", "0", "x" * 200], ids=["one", "mixed", "digit", "long"])
def test_Z12_legal_ids(tare, bundle, id):
    c = tare.create(bundle(script=HOLD), id=id)
    assert tare.state(id)["id"] == id
    c.delete("--force").ok()


def test_Z5_Y6_changes_to_the_bundle_after_create_have_no_effect(tare, bundle):
    b = bundle(script="echo from the first config")
    c = tare.create(b)
    b.script("echo from the second config").write()
    c.start().ok()
    c.wait()
    assert c.out == "from the first config\n"


@only_tare
def test_Z5_bundle_config_may_vanish_after_create(tare, bundle):
    b = bundle(script=HOLD)
    c = tare.create(b)
    (b.path / "config.json").unlink()
    c.start().ok()
    c.wait_out("ready").kill("KILL").ok()
    c.wait().delete().ok()


@only_tare
def test_Y19_process_may_be_absent_until_start(tare, bundle):
    b = bundle()
    del b.config["process"]
    c = tare.create(b)
    assert c.status == "created"
    c.start().fails("process")


# ---- start ----------------------------------------------------------------------------------------------------------


def test_Y8_Y10_start_runs_the_program(created):
    created.start().ok()
    created.wait_out("ready")
    assert created.status == "running"


def test_Y20_start_of_a_running_container_is_refused(running):
    running.start().fails("running")
    assert running.status == "running"


def test_Y20_start_of_a_stopped_container_is_refused(stopped):
    stopped.start().fails("stopped")


def test_Y20_start_of_an_unknown_container(tare):
    tare.start("nobody").fails("does not exist")


def test_Q20_init_killed_between_create_and_start(created):
    os.kill(created.pid, signal.SIGKILL)
    created.wait("stopped")
    created.start().fails("stopped")
    created.delete().ok()


def test_Y12_program_that_ends_leaves_a_stopped_container(stopped):
    state = stopped.state()
    assert (state["status"], state.get("pid", 0)) == ("stopped", 0)


def test_Z7_two_starts_at_once_exactly_one_wins(tare, created, parallel):
    results = parallel(*[lambda: tare.start(created.id)] * 4)
    assert sorted(r.status for r in results) == [0, 1, 1, 1], [r.describe() for r in results]
    created.wait_out("ready")
    assert created.out.count("ready") == 1


# ---- state and list -------------------------------------------------------------------------------------------------


def test_Y2_C6_state_has_the_spec_s_members_and_runcs(created):
    state = created.state()
    assert state["id"] == created.id
    assert state["status"] == "created"
    assert state["bundle"] == str(created.bundle.path)
    assert state["rootfs"] == str(created.bundle.rootfs)
    assert state["pid"] > 1 and Path(f"/proc/{state['pid']}").exists()
    assert re.fullmatch(r"\d+\.\d+\.\d+(-dev)?", state["ociVersion"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", state["created"])
    assert "owner" in state


def test_Y2_bundle_is_absolute_even_if_given_relative(tare, bundle):
    b = bundle(script=HOLD)
    b.write()
    with open(tare.fresh("out"), "w") as out:
        tare.call("create", "--bundle", b.path.name, "rel", cwd=b.path.parent, out=out, err=out).ok()
    assert tare.state("rel")["bundle"] == str(b.path)
    tare.delete("--force", "rel").ok()


def test_Y2_default_bundle_is_the_working_directory(tare, bundle):
    b = bundle(script=HOLD)
    b.write()
    with open(tare.fresh("out"), "w") as out:
        tare.call("create", "here", cwd=b.path, out=out, err=out).ok()
    assert tare.state("here")["bundle"] == str(b.path)
    tare.delete("--force", "here").ok()


def test_Y2_annotations_are_in_the_state(tare, bundle):
    b = bundle(script=HOLD)
    b.config["annotations"] = {"org.example.key": "value", "empty": ""}
    assert tare.create(b).state()["annotations"] == b.config["annotations"]


def test_Y18_state_of_an_unknown_container(tare):
    tare.call("state", "nobody").fails("does not exist")


@pytest.mark.only("tare")
def test_Y18_state_needs_an_id(tare):
    tare.call("state").fails("state: an operand is missing: tare-oci state ID")


def test_list_without_containers_is_null(tare):
    tare.root.mkdir()
    assert tare.call("list", "--format", "json").ok().out.strip() == "null"
    tare.root.rmdir()


def test_C6_list_shows_every_container(tare, bundle, running):
    other = tare.create(bundle(script=HOLD))
    found = tare.list()
    assert {id: c["status"] for id, c in found.items()} == {running.id: "running", other.id: "created"}
    assert found[running.id]["pid"] == running.pid


def test_C6_list_gives_each_container_its_own_annotations(tare, bundle):
    """They are read one after the other into the same memory, the large one too."""
    notes = {"small-1": "one", "small-2": "two", "large": "x" * 100000, "small-3": "three"}
    for id, note in notes.items():
        b = bundle(script=HOLD)
        b.config["annotations"] = {"org.example.note": note, f"org.example.{id}": ""}
        tare.create(b, id=id)
    found = tare.list()
    assert {id: c["annotations"] for id, c in found.items()} == {
        id: {"org.example.note": note, f"org.example.{id}": ""} for id, note in notes.items()}
    assert {c["rootfs"] for c in found.values()} == {str(c.bundle.rootfs) for c in tare.containers}


def test_list_quiet_prints_only_ids(tare, created):
    assert tare.call("list", "-q").ok().out == created.id + "\n"


def test_list_table_has_runcs_columns(tare, created):
    header, row = tare.call("list").ok().out.splitlines()
    assert header.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert row.split()[:4] == [created.id, str(created.pid), "created", str(created.bundle.path)]


@only_tare
def test_Z6_broken_entries_do_not_break_list(tare, created):
    (tare.root / "empty").mkdir()
    (tare.root / "broken").mkdir()
    (tare.root / "broken/state.json").write_text("{ not json")
    assert created.id in tare.list()
    for name in ("empty", "broken"):
        tare.delete("--force", name).ok()
        assert not (tare.root / name).exists()


@only_tare
def test_files_state_directory_is_closed_to_others(tare, created):
    directory = tare.root / created.id
    assert not stat.S_IMODE(directory.stat().st_mode) & 0o066
    assert not stat.S_IMODE((directory / "state.json").stat().st_mode) & 0o022
    assert not stat.S_IMODE((directory / "config.json").stat().st_mode) & 0o022


# ---- kill -----------------------------------------------------------------------------------------------------------


def test_Y21_kill_sends_the_signal_to_the_program(running):
    running.kill("TERM").ok()
    running.wait()


def test_Y21_kill_without_a_signal_is_sigterm(tare, bundle):
    c = tare.run_detached(bundle(script="trap 'echo got TERM; exit' TERM; echo ready; while :; do sleep 0.02; done"))
    c.wait_out("ready").kill().ok()
    c.wait()
    assert "got TERM" in c.out


def test_Y21_kill_of_a_created_container(created):
    created.kill("KILL").ok()
    created.wait()


def test_Y21_C5_kill_of_a_stopped_container(stopped):
    stopped.kill("KILL").fails("container not running")


def test_K8_kill_all_of_a_stopped_container_is_no_error(stopped):
    """As with runc: engines use it to be sure."""
    stopped.kill("--all", "KILL").ok()
    assert stopped.status == "stopped"


def test_Y21_C5_kill_of_an_unknown_container(tare):
    tare.kill("nobody", "KILL").fails("does not exist")


def test_K8_kill_all_reaches_every_process(tare, bundle):
    b = bundle(script="sleep 1000 & sleep 1000 & echo ready; wait")
    b.without_namespace("pid")
    c = tare.run_detached(b).wait_out("ready")
    c.kill("--all", "KILL").ok()
    c.wait().delete().ok()


def test_K8_sigkill_without_a_pid_namespace_kills_everything(tare, bundle):
    b = bundle(script="sleep 1000 & echo ready; wait")
    b.without_namespace("pid")
    c = tare.run_detached(b).wait_out("ready")
    directory = cgroup.of(c)[0]
    assert len(cgroup.pids(directory)) >= 2
    c.kill("KILL").ok()
    wait_until(lambda: not cgroup.pids(directory), "every process of the container to end")


# ---- delete ---------------------------------------------------------------------------------------------------------


def test_Y13_Y22_delete_of_a_stopped_container_frees_its_id(tare, bundle, stopped):
    stopped.delete().ok()
    tare.call("state", stopped.id).fails("does not exist")
    tare.create(bundle(script=HOLD), id=stopped.id).delete("--force").ok()


def test_Y22_delete_of_a_running_container_is_refused(running):
    running.delete().fails("running")
    assert running.status == "running"


def test_Y22_delete_by_force_of_a_running_container(tare, running):
    pid = running.pid
    running.delete("--force").ok()
    assert not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    assert tare.list() == {}


def test_Y22_delete_by_force_of_a_created_container(tare, created):
    created.delete("--force").ok()
    assert tare.list() == {}


def test_Y22_C5_delete_of_an_unknown_container(tare):
    tare.delete("nobody").fails("does not exist")


def test_C12_delete_by_force_of_an_unknown_container_is_no_error(tare):
    result = tare.delete("--force", "nobody").ok()
    assert (result.out, result.err) == ("", "")


@by_file
@only_tare
def test_Y14_K10_delete_leaves_a_cgroup_that_was_there_before(tare, bundle):
    parents = [h / "before" for h in hierarchies()]
    for parent in parents:
        parent.mkdir()
    b = bundle(script="exit 0")
    b.linux["cgroupsPath"] = "/before/inside"
    c = tare.run_detached(b).wait()
    assert any((p / "inside").exists() for p in parents)
    c.delete().ok()
    assert all(p.exists() and not (p / "inside").exists() for p in parents)
    for parent in parents:
        parent.rmdir()


@by_file
def test_Y14_delete_removes_cgroup_parents_that_create_made(tare, bundle):
    b = bundle(script="exit 0")
    b.linux["cgroupsPath"] = "/made/by/create"
    tare.run_detached(b).wait().delete().ok()
    if flavour() == "runc":  # runc leaves the parents
        for h in hierarchies():
            for name in ("made/by", "made"):
                if (h / name).exists():
                    (h / name).rmdir()
    assert not any((h / "made").exists() for h in hierarchies())


@only_tare
def test_Y13_Y14_delete_waits_for_one_that_is_dying(tare, bundle):
    """Two hundred processes make its end take some time: an init goes only after everybody in its pid namespace."""
    b = bundle(script="for i in $(seq 200); do sleep 1000 & done; echo ready; wait")
    for _ in range(5):
        c = tare.run_detached(b).wait_out("ready")
        c.kill("KILL").ok()
        c.delete().ok()
    assert tare.list() == {}


@only_tare
def test_Y15_delete_does_not_wait_for_one_that_lives(tare, running):
    begin = time.monotonic()
    running.delete().fails("cannot delete container", "that is not stopped: running")
    assert time.monotonic() - begin < 5


def test_K8_delete_kills_what_outlived_init(tare, bundle):
    b = bundle(script="sleep 1000 & echo started; exit 0")
    b.without_namespace("pid")
    c = tare.run_detached(b).wait_out("started").wait()
    c.delete("--force").ok()


def test_K9_Z11_frozen_container_is_paused_and_force_deleted(tare, running):
    freezer = Freezer(cgroup.of(running))
    freezer.freeze()
    wait_until(freezer.is_frozen, "the container to freeze")
    assert running.status == "paused"
    running.delete().fails("paused")
    running.delete("--force").ok()
    assert tare.list() == {}


@only_tare
def test_K9_sigkill_to_a_frozen_container_ends_it(running):
    Freezer(cgroup.of(running)).freeze()
    running.kill("KILL").ok()
    running.wait("stopped")


@only_tare
def test_Z11_start_of_a_frozen_created_container_is_refused(created):
    freezer = Freezer(cgroup.of(created))
    freezer.freeze()
    wait_until(freezer.is_frozen, "the container to freeze")
    created.start().fails("paused")
    freezer.thaw()
    created.start().ok()
    created.wait_out("ready")


# ---- stale pids -----------------------------------------------------------------------------------------------------


@only_tare
def test_Z1_a_pid_with_another_start_time_is_not_the_container(tare, running):
    record = tare.root / running.id / "state.json"
    start_time = Path(f"/proc/{running.pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    text = record.read_text()
    pid = running.pid
    assert text.count(start_time) == 1, "the record holds init's start time"
    record.write_text(text.replace(start_time, str(int(start_time) - 1)))

    assert running.status == "stopped"
    running.kill("KILL").fails("container not running")
    assert Path(f"/proc/{pid}").exists(), "a stale pid must not be killed"
    record.write_text(text)
    assert running.status == "running"


@only_tare
def test_Z4_the_record_is_replaced_whole(tare, created):
    """Readers never see half a record: the file is another one after each change."""
    record = tare.root / created.id / "state.json"
    inode = record.stat().st_ino
    created.start().ok()
    created.wait_out("ready")
    json.loads(record.read_text())
    assert not [f for f in os.listdir(record.parent) if "tmp" in f]
    assert inode and record.exists()


# ---- stdio and other files ------------------------------------------------------------------------------------------


def test_Y25_stdio_is_the_callers(tare, bundle):
    r = tare.run(bundle(script="read line; echo out:$line; echo err:$line >&2"), stdin="hello\n").ok()
    assert (r.out, r.err) == ("out:hello\n", "err:hello\n")


@only_tare
@pytest.mark.parametrize("fd", [0, 1, 2])
def test_Y25_closed_stdio_becomes_dev_null(tare, bundle, fd):
    b = bundle(script="for f in 0 1 2; do readlink /proc/self/fd/$f; done > /tmp/fds")
    b.rootfs.joinpath("tmp/fds").touch()
    tare.run(b, before=lambda: os.close(fd))
    lines = b.rootfs.joinpath("tmp/fds").read_text().splitlines()
    # The shell itself moves fd 1 to the file, so only 0 and 2 can be read back that way.
    if fd != 1:
        assert lines[fd] == "/dev/null"


def test_Y26_X3_only_stdio_reaches_the_container(tare, bundle):
    extra = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(extra, True)
    try:
        r = tare.run(bundle(script="ls /proc/1/fd; true"), pass_fds=[extra]).ok()
    finally:
        os.close(extra)
    assert r.out.split() == ["0", "1", "2"]


def test_Z13_preserved_fds_reach_the_container_and_no_others(tare, bundle):
    def three_and_four():
        source = os.open("/proc/self/comm", os.O_RDONLY)
        for fd in (3, 4):
            if source != fd:
                os.dup2(source, fd)
        if source > 4:
            os.close(source)
        os.set_inheritable(3, True)
        os.set_inheritable(4, True)

    b = bundle(script="ls /proc/1/fd; true")
    r = tare.run(b, "--preserve-fds", "1", before=three_and_four, pass_fds=[3, 4]).ok()
    assert r.out.split() == ["0", "1", "2", "3"]


def test_Z13_preserved_fd_that_is_not_open_is_an_error(tare, bundle):
    result, _ = tare.try_create(bundle(script=HOLD), "--preserve-fds", "5")
    result.fails("fd")


# ---- races ----------------------------------------------------------------------------------------------------------


def test_Z2_two_creates_with_one_id_exactly_one_wins(tare, bundle, parallel):
    bundles = [bundle(script=HOLD) for _ in range(4)]
    outcomes = parallel(*[lambda b=b: tare.try_create(b, id="same") for b in bundles])
    assert sorted(r.status for r, _ in outcomes) == [0, 1, 1, 1], [r.describe() for r, _ in outcomes]
    assert tare.state("same")["status"] == "created"


@only_tare
def test_Z2_deletes_at_once_agree(tare, created, parallel):
    results = parallel(*[lambda: tare.delete("--force", created.id)] * 4)
    assert [r.status for r in results] == [0] * 4, [r.describe() for r in results]
    assert tare.list() == {}


@only_tare
def test_Z2_stress_on_one_id_never_corrupts_the_record(tare, bundle, parallel):
    """Everybody works on one id at once. Any answer is fine, but each must be a clear one, and in the end nothing is left."""
    bundles = [bundle(script=HOLD) for _ in range(2)]
    for b in bundles:
        b.write()
    tare.root.mkdir()  # `list` may come before the first create has made it
    end = time.monotonic() + 4
    words = ("exist", "running", "stopped", "created", "creating", "paused", "busy", "already", "killed",
             "deleted meanwhile")
    seen = set()

    def repeat(action, every=0.0):
        def loop():
            while time.monotonic() < end:
                r = action()
                seen.add((r.args[-2] if r.args[-1] == "one" else r.args[-1], r.status))
                # -9: `delete --force` ends a create or start that it finds at work.
                assert r.status in (0, 1, -signal.SIGKILL), r.describe()
                assert r.status <= 0 or any(w in r.error for w in words), r.describe()
                time.sleep(every)
        return loop

    def create(b):
        with open(tare.fresh("out"), "w") as out:
            return tare.call("create", "--bundle", b.path, "one", out=out, err=out)

    parallel(repeat(lambda: create(bundles[0])), repeat(lambda: create(bundles[1])),
             repeat(lambda: tare.start("one")), repeat(lambda: tare.kill("one", "KILL"), 0.01),
             repeat(lambda: tare.delete("--force", "one"), 0.02), repeat(lambda: tare.call("state", "one"), 0.01),
             repeat(lambda: tare.call("list", "--format", "json"), 0.02))
    tare.delete("--force", "one").ok()
    assert tare.list() == {}
    assert len({s for s in seen if s[1] == 0}) >= 4, f"the stress must get something done: {seen}"
