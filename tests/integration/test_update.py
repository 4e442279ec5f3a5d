# SPDX-License-Identifier: GPL-2.0-or-later
"""update: other limits for a container that runs, read back from the cgroup's files, and refused ones that leave no trace."""

import json
import os
import time

import pytest

from support import cgroup
from support.bundle import HOLD
from support.cgroup import find, hierarchies
from support.runtime import wait_until

MIB = 1 << 20

# v1 file, v2 file
FILES = {
    "memory": ("memory.limit_in_bytes", "memory.max"),
    "swap": ("memory.memsw.limit_in_bytes", "memory.swap.max"),
    "reservation": ("memory.soft_limit_in_bytes", "memory.low"),
    "shares": ("cpu.shares", "cpu.weight"),
    "pids": ("pids.max", "pids.max"),
    "cpus": ("cpuset.cpus", "cpuset.cpus"),
    "mems": ("cpuset.mems", "cpuset.mems"),
    "idle": ("cpu.idle", "cpu.idle"),
}

only_tare = pytest.mark.only("tare")


def value(c, what):
    """What the kernel has: the text of the file in whichever hierarchy has it."""
    path = find(c, *FILES[what])
    if path is None:
        pytest.skip(f"no cgroup file for {what} here")
    return path.read_text().strip()


def quota(c):
    """(quota, period), None for no limit."""
    path = find(c, "cpu.max")
    if path:
        limit, period = path.read_text().split()
        return (None if limit == "max" else int(limit)), int(period)
    directory = find(c, "cpu.cfs_quota_us").parent
    limit = int((directory / "cpu.cfs_quota_us").read_text())
    return (None if limit < 0 else limit), int((directory / "cpu.cfs_period_us").read_text())


def burst(c):
    return int(find(c, "cpu.max.burst", "cpu.cfs_burst_us").read_text())


def set_quota(c):
    return quota(c)[0]


VOLATILE = ("usage", "failcnt", "stat", "procs", "tasks", "threads", "force_empty", "pressure", "peak", "event", "reset",
            "kill", "current", "reclaim")


def everything(c):
    """All values that can be set in the container's cgroups: to see that a refused update changed nothing."""
    found = {}
    for directory in cgroup.of(c):
        for path in directory.glob("*"):
            mode = path.stat().st_mode
            if mode & 0o200 and mode & 0o400 and path.is_file() and not any(word in path.name for word in VOLATILE):
                try:
                    found[str(path)] = path.read_text()
                except OSError:
                    pass
    if devices := find(c, "devices.list"):
        found[str(devices)] = devices.read_text()
    assert found
    return found


@pytest.fixture
def limited(tare, bundle):
    """A running container with some limits from its config."""
    b = bundle(script=HOLD)
    b.resources.update({"memory": {"limit": 128 * MIB}, "cpu": {"shares": 512, "quota": 50000, "period": 100000},
                        "pids": {"limit": 100}})
    return tare.run_detached(b).wait_out("ready")


def update(tare, c, *options, **kw):
    return tare.call("update", *options, c.id, **kw)


def update_json(tare, c, document):
    return tare.call("update", "--resources", "-", c.id, stdin=json.dumps(document))


def saved(tare, c):
    return json.loads((tare.root / c.id / "config.json").read_text())["linux"]["resources"]


# ---- options --------------------------------------------------------------------------------------------------------


def test_C9_R5_memory_with_a_unit(tare, limited):
    result = update(tare, limited, "--memory", "64m").ok()
    assert (result.out, result.err) == ("", "")
    assert value(limited, "memory") == str(64 * MIB)


@pytest.mark.parametrize("text,size", [("67108864", 64 * MIB), ("64M", 64 * MIB), ("64MiB", 64 * MIB), ("0.0625g", 64 * MIB),
                                       ("65536k", 64 * MIB), ("64mb", 64 * MIB)])
def test_C9_sizes(tare, limited, text, size):
    update(tare, limited, "--memory", text).ok()
    assert value(limited, "memory") == str(size)


@only_tare
@pytest.mark.parametrize("text", ["", "m", "64x", "64 m m", "-2", "1..5g", "0x10", "99999999999999999999"])
def test_C9_what_is_no_size_is_refused(tare, limited, text):
    before = everything(limited)
    update(tare, limited, "--memory=" + text).fails('read option "--memory"', f'"{text}" is no size')
    assert everything(limited) == before


def test_C9_R25_only_what_is_given_changes(tare, limited):
    update(tare, limited, "--pids-limit", "50").ok()
    assert value(limited, "pids") == "50"
    assert value(limited, "memory") == str(128 * MIB)
    assert quota(limited) == (50000, 100000)


def test_C9_every_option_has_its_effect(tare, limited):
    update(tare, limited, "--memory", "96m", "--memory-reservation", "32m", "--cpu-share", "2048", "--cpu-quota", "20000",
           "--cpu-period", "50000", "--cpuset-cpus", "0", "--cpuset-mems", "0", "--pids-limit", "77").ok()
    assert value(limited, "memory") == str(96 * MIB)
    assert value(limited, "reservation") == str(32 * MIB)
    assert value(limited, "shares") in ("2048", "174")
    assert quota(limited) == (20000, 50000)
    assert value(limited, "cpus") == "0" and value(limited, "mems") == "0"
    assert value(limited, "pids") == "77"


def test_C9_no_limit(tare, limited):
    update(tare, limited, "--pids-limit", "-1", "--cpu-quota", "-1", "--memory", "-1").ok()
    assert value(limited, "pids") == "max"
    assert quota(limited)[0] is None
    assert value(limited, "memory") in ("max", "9223372036854771712")


def test_R11_idle_comes_and_goes(tare, limited):
    update(tare, limited, "--cpu-idle", "1").ok()
    assert value(limited, "idle") == "1"
    update(tare, limited, "--cpu-idle", "0").ok()
    assert value(limited, "idle") == "0"


@only_tare
def test_K15_shares_of_a_cgroup_that_stops_being_idle(tare, limited):
    update(tare, limited, "--cpu-idle", "1").ok()
    update(tare, limited, "--cpu-idle", "0", "--cpu-share", "2048").ok()
    assert value(limited, "idle") == "0" and value(limited, "shares") in ("2048", "174")


@only_tare
def test_kernel_memory_has_no_effect_and_says_so(tare, limited):
    result = update(tare, limited, "--kernel-memory", "64m", "--kernel-memory-tcp", "64m").ok()
    assert len(result.warnings) == 2 and '"--kernel-memory" has no effect' in result.warnings[0]


@only_tare
@pytest.mark.parametrize("option", [["--l3-cache-schema", "L3:0=f"], ["--mem-bw-schema", "MB:0=50"]])
def test_I4_intel_rdt_of_a_container_without_it(tare, limited, option):
    before = everything(limited)
    result = update(tare, limited, "--pids-limit", "77", *option)
    result.fails("change the class of service of Intel RDT: the container has none")
    assert "hint: it needs linux.intelRdt" in result.err
    assert everything(limited) == before


def test_update_of_nothing_is_no_error(tare, limited):
    before = everything(limited)
    update(tare, limited).ok()
    assert everything(limited) == before


def test_update_of_a_created_container(tare, bundle):
    b = bundle(script=HOLD)
    b.resources["pids"] = {"limit": 20}
    c = tare.create(b)
    update(tare, c, "--pids-limit", "30").ok()
    assert value(c, "pids") == "30"
    c.start().ok()
    c.wait_out("ready")


def test_update_of_a_paused_container(tare, limited):
    tare.call("pause", limited.id).ok()
    update(tare, limited, "--pids-limit", "30").ok()
    assert value(limited, "pids") == "30" and limited.status == "paused"
    tare.call("resume", limited.id).ok()


def test_update_of_a_stopped_or_unknown_container(tare, bundle):
    b = bundle(args=["true"])
    b.resources["pids"] = {"limit": 20}
    c = tare.run_detached(b).wait()
    update(tare, c, "--pids-limit", "30").fails("container not running")
    tare.call("update", "--pids-limit", "30", "nobody").fails("does not exist")


# ---- --resources ----------------------------------------------------------------------------------------------------


def test_C9_resources_from_standard_input(tare, limited):
    result = update_json(tare, limited, {"memory": {"limit": 64 * MIB}, "cpu": {"shares": 1024}}).ok()
    assert (result.out, result.err) == ("", "")
    assert value(limited, "memory") == str(64 * MIB)
    assert value(limited, "shares") in ("1024", "100")
    assert value(limited, "pids") == "100"


@pytest.mark.parametrize("form", [["--resources=-"], ["-r", "-"], ["--resources", "FILE"], ["-r", "FILE"]])
def test_C9_every_way_to_name_the_file(tare, limited, tmp, form):
    (tmp / "resources.json").write_text(json.dumps({"pids": {"limit": 41}}))
    options = [str(tmp / "resources.json") if word == "FILE" else word for word in form]
    tare.call("update", *options, limited.id, stdin=json.dumps({"pids": {"limit": 41}})).ok()
    assert value(limited, "pids") == "41"


def test_C9_zeros_and_nulls_leave_things_as_they_are(tare, limited):
    """What engines send for what nobody asked for."""
    before = everything(limited)
    update_json(tare, limited, {"memory": {"limit": 0, "swap": 0, "reservation": None},
                                "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""},
                                "blockIO": {"weight": 0}, "pids": None}).ok()
    assert everything(limited) == before


@only_tare
def test_C9_other_options_have_no_effect_beside_a_file(tare, limited, tmp):
    (tmp / "r.json").write_text('{"pids": {"limit": 41}}')
    result = update(tare, limited, "--resources", tmp / "r.json", "--memory", "64m").ok()
    assert value(limited, "pids") == "41" and value(limited, "memory") == str(128 * MIB)
    assert result.warnings == ['option "--memory" has no effect beside "--resources"']


@only_tare
def test_A3_unknown_names_are_named(tare, limited):
    result = update_json(tare, limited, {"memory": {"limitt": 5}, "pids": {"limit": 41}}).ok()
    assert value(limited, "pids") == "41"
    assert len(result.warnings) == 1 and "ignore /memory/limitt" in result.warnings[0]
    assert "did you mean /memory/limit?" in result.warnings[0]


@only_tare
@pytest.mark.parametrize("document,pointer,text", [
    ({"memory": {"limit": "64m"}}, "/memory/limit", "expected an integer"),
    ({"cpu": {"cpus": "0-"}}, "/cpu/cpus", "read"),
    ({"pids": {"limit": -5}}, "/pids/limit", "read"),
    ({"cpu": {"burst": 60000}}, "/cpu/burst", "above the quota"),
    ({"unified": {"../x": "1"}}, "/unified/..~1x", "the name of a file"),
])
def test_A4_bad_values_are_refused_where_they_stand(tare, limited, document, pointer, text):
    before = everything(limited), saved(tare, limited)
    result = update_json(tare, limited, document).fails(text)
    assert result.log[-1]["pointer"] == pointer, result.describe()
    assert (everything(limited), saved(tare, limited)) == before


@only_tare
@pytest.mark.parametrize("text,message", [("", "read the resources"), ("[]", "expected an object"), ("{", "read the resources"),
                                          ('{"pids": {"limit": 1}, "pids": {}}', "read the resources")])
def test_what_is_no_document_is_refused(tare, limited, text, message):
    tare.call("update", "--resources", "-", limited.id, stdin=text).fails(message)


@only_tare
def test_a_file_that_is_not_there(tare, limited, tmp):
    update(tare, limited, "--resources", tmp / "nowhere").fails(f'open "{tmp}/nowhere"')


# ---- what is remembered ---------------------------------------------------------------------------------------------


@only_tare
def test_C9_what_is_set_is_kept_for_the_next_update(tare, limited):
    update(tare, limited, "--memory", "64m").ok()
    update(tare, limited, "--pids-limit", "33").ok()
    resources = saved(tare, limited)
    assert resources["memory"]["limit"] == 64 * MIB and resources["pids"]["limit"] == 33
    assert resources["cpu"] == {"shares": 512, "quota": 50000, "period": 100000}
    assert sorted(os.listdir(tare.root / limited.id)) == ["config.json", "state.json"]


@only_tare
def test_the_rest_of_the_saved_config_stays(tare, limited):
    before = json.loads((tare.root / limited.id / "config.json").read_text())
    update(tare, limited, "--pids-limit", "33").ok()
    after = json.loads((tare.root / limited.id / "config.json").read_text())
    after["linux"]["resources"] = before["linux"]["resources"]
    assert after == before


@only_tare
def test_poststop_hooks_still_run_after_an_update(tare, bundle, tmp):
    b = bundle(script=HOLD).hook("poststop", "/usr/bin/touch", ["touch", str(tmp / "stopped")])
    b.resources["pids"] = {"limit": 20}
    c = tare.run_detached(b).wait_out("ready")
    update(tare, c, "--pids-limit", "30").ok()
    c.delete("--force").ok()
    assert (tmp / "stopped").exists()


@only_tare
def test_a_rest_of_a_killed_update_is_no_hindrance(tare, limited):
    (tare.root / limited.id / ".config.json").write_text("half of")
    update(tare, limited, "--pids-limit", "33").ok()
    assert saved(tare, limited)["pids"]["limit"] == 33
    (tare.root / limited.id / ".config.json").write_text("half of")
    limited.delete("--force").ok()
    assert not (tare.root / limited.id).exists()


@only_tare
def test_C9_updates_at_the_same_time_are_all_kept(tare, limited, parallel):
    parallel(lambda: update(tare, limited, "--pids-limit", "34").ok(), lambda: update(tare, limited, "--memory", "72m").ok(),
             lambda: update(tare, limited, "--cpu-share", "600").ok())
    resources = saved(tare, limited)
    assert (resources["pids"]["limit"], resources["memory"]["limit"], resources["cpu"]["shares"]) == (34, 72 * MIB, 600)


# ---- order (K-15) ---------------------------------------------------------------------------------------------------


def swap_total(c):
    text = value(c, "swap")
    if find(c, "memory.swap.max"):  # v2 limits swap alone
        return int(value(c, "memory")) + int(text)
    return int(text)


def test_K15_memory_and_swap_grow_and_shrink_together(tare, bundle):
    b = bundle(script=HOLD)
    b.resources["memory"] = {"limit": 64 * MIB, "swap": 96 * MIB}
    c = tare.run_detached(b).wait_out("ready")
    value(c, "swap")
    for limit, swap in ((256, 512), (32, 48), (300, 300), (20, 400)):
        update(tare, c, "--memory", f"{limit}m", "--memory-swap", f"{swap}m").ok()
        assert value(c, "memory") == str(limit * MIB)
        assert swap_total(c) == swap * MIB


@only_tare
def test_K15_swap_alone_counts_with_the_limit_that_there_is(tare, bundle):
    b = bundle(script=HOLD)
    b.resources["memory"] = {"limit": 64 * MIB, "swap": 96 * MIB}
    c = tare.run_detached(b).wait_out("ready")
    update(tare, c, "--memory-swap", "200m").ok()
    assert swap_total(c) == 200 * MIB and value(c, "memory") == str(64 * MIB)
    update(tare, c, "--memory", "100m").ok()
    assert swap_total(c) == 200 * MIB, "the sum stays when only memory is given"
    result = update(tare, c, "--memory", "1g").fails("can't be below the limit of memory")
    assert "--memory-swap" in result.error
    assert value(c, "memory") == str(100 * MIB)


@only_tare
def test_K15_memory_without_a_limit_takes_swap_along(tare, bundle):
    b = bundle(script=HOLD)
    b.resources["memory"] = {"limit": 64 * MIB, "swap": 96 * MIB}
    c = tare.run_detached(b).wait_out("ready")
    update(tare, c, "--memory", "-1").ok()
    assert value(c, "memory") in ("max", "9223372036854771712")
    assert value(c, "swap") in ("max", "9223372036854771712")


def test_K15_quota_and_period_in_any_direction(tare, limited):
    for pair in ((50000, 200000), (10000, 20000), (900000, 1000000), (1000, 1000), (None, 100000), (50000, 100000)):
        update(tare, limited, "--cpu-quota", str(pair[0] or -1), "--cpu-period", str(pair[1])).ok()
        assert quota(limited) == pair


def test_C9_a_period_alone_keeps_the_quota(tare, limited):
    update(tare, limited, "--cpu-period", "200000").ok()
    assert quota(limited) == (50000, 200000)


@only_tare
def test_K15_quota_and_burst_in_any_direction(tare, limited):
    for new_quota, new_burst in ((50000, 50000), (20000, 10000), (90000, 90000), (30000, 0)):
        update(tare, limited, "--cpu-quota", str(new_quota), "--cpu-burst", str(new_burst)).ok()
        assert set_quota(limited) == new_quota and burst(limited) == new_burst


# ---- refused values -------------------------------------------------------------------------------------------------


@only_tare
def test_C9_a_refused_value_takes_the_others_back(tare, limited):
    """CPUs come first in the order of the writes, pids last: a huge page size that the host doesn't have fails in between."""
    before = everything(limited), saved(tare, limited)
    result = update_json(tare, limited, {"pids": {"limit": 12}, "memory": {"limit": 64 * MIB},
                                         "unified": {"cgroup.max.depth": "none"}})
    result.fails('"cgroup.max.depth"')
    assert result.log[-1]["pointer"] == "/unified/cgroup.max.depth"
    assert (everything(limited), saved(tare, limited)) == before


@only_tare
def test_C9_a_cpu_that_is_not_there(tare, limited):
    before = everything(limited)
    result = update(tare, limited, "--pids-limit", "12", "--cpuset-cpus", "4000").fails('"--cpuset-cpus"', 'write "4000"')
    assert "must be online" in result.err
    assert everything(limited) == before


@only_tare
def test_C9_a_page_size_that_this_host_does_not_have(tare, limited):
    """On a hybrid host the v2 controller comes on for it, which is no limit and stays; everything else is as it was."""
    result = update_json(tare, limited, {"pids": {"limit": 12}, "hugepageLimits": [{"pageSize": "3KB", "limit": 1}]})
    result.fails("hugetlb")
    assert result.log[-1]["pointer"] == "/hugepageLimits/0"
    assert value(limited, "pids") == "100"


@only_tare
def test_R9_check_before_update(tare, bundle):
    b = bundle(script="head -c 33554432 /dev/zero | tail -c 33554432 > /dev/shm/x; echo ready; " + HOLD)
    b.mount("/dev/shm", "tmpfs", "shm", ["size=64m"])
    b.mount("/dev", "tmpfs", "tmpfs")
    b.config["mounts"].reverse()
    b.resources["memory"] = {"limit": 128 * MIB}
    c = tare.run_detached(b).wait_out("ready")
    before = everything(c)
    update_json(tare, c, {"memory": {"limit": 8 * MIB, "checkBeforeUpdate": True}}).fails("uses", "already")
    assert everything(c) == before


@only_tare
def test_a_container_without_limits_of_its_own(tare, bundle):
    c = tare.run_detached(bundle(script=HOLD)).wait_out("ready")
    if len(cgroup.of(c)) == len(hierarchies()):
        pytest.skip("it has a cgroup in every hierarchy here")
    result = update(tare, c, "--memory", "64m").fails('option "--memory"')
    assert "asked for no limits" in result.err


# ---- devices (K-1) --------------------------------------------------------------------------------------------------

# Tries to open the host's kernel log all the time; /log is there only if that ever worked.
KNOCK = """mknod /kmsg c 1 11
mknod /mynull c 1 3
echo ready
while :; do
    if (: < /kmsg) 2>/dev/null; then echo opened >> /log; fi
    if ! (: < /mynull) 2>/dev/null; then echo closed >> /log; fi
    echo x > /rounds
done"""

DENY_ALL = {"allow": False, "access": "rwm"}


def knocker(tare, bundle, rules):
    b = bundle(script=KNOCK)
    b.process["capabilities"] = {k: ["CAP_MKNOD", "CAP_SYSLOG"] for k in ("bounding", "effective", "permitted")}
    b.resources["devices"] = rules
    return b, tare.run_detached(b).wait_out("ready")


def opens(b, path):
    """What a new process of the container would see: the knocking loop's answers for /kmsg."""
    (b.rootfs / "log").unlink(missing_ok=True)
    time.sleep(0.3)
    return (b.rootfs / "log").exists() and "opened" in (b.rootfs / "log").read_text()


@only_tare
def test_K1_devices_open_and_close(tare, bundle):
    b, c = knocker(tare, bundle, [DENY_ALL])
    assert not opens(b, "/kmsg")
    update_json(tare, c, {"devices": [DENY_ALL, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}]}).ok()
    assert opens(b, "/kmsg")
    update_json(tare, c, {"devices": [DENY_ALL]}).ok()
    (b.rootfs / "log").unlink(missing_ok=True)
    assert not opens(b, "/kmsg")


@only_tare
def test_K1_no_moment_without_rules(tare, bundle):
    """The rules change all the time, /dev/null is in all of them and /dev/kmsg in none."""
    b, c = knocker(tare, bundle, [DENY_ALL])
    other = {"allow": True, "type": "c", "major": 4, "minor": 64, "access": "rw"}
    wide = {"allow": True, "type": "b", "access": "r"}
    for i in range(24):
        update_json(tare, c, {"devices": [DENY_ALL, *([other] if i % 2 else [wide])]}).ok()
    wait_until((b.rootfs / "rounds").exists, "the loop to have gone round")
    assert not (b.rootfs / "log").exists(), (b.rootfs / "log").read_text()


@only_tare
def test_K1_from_everything_to_nothing_and_back(tare, bundle):
    """v1 keeps these as lists of different kinds: one can only become the other by way of everything or nothing."""
    all_but = [{"allow": True, "access": "rwm"}, {"allow": False, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]
    b, c = knocker(tare, bundle, [DENY_ALL])
    for i in range(8):
        result = update_json(tare, c, {"devices": all_but if i % 2 == 0 else [DENY_ALL]})
        if result.status and "may not" in result.err or "doesn't have that access" in result.err:
            pytest.skip("the suite's own cgroup may not open everything")
        result.ok()
    assert c.status == "running", "the container is thawed again"
    time.sleep(0.2)
    assert not (b.rootfs / "log").exists(), (b.rootfs / "log").read_text()


@only_tare
def test_devices_that_are_not_given_stay(tare, bundle):
    b, c = knocker(tare, bundle, [DENY_ALL, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}])
    assert opens(b, "/kmsg")
    update(tare, c, "--pids-limit", "50").ok()
    assert opens(b, "/kmsg")


@only_tare
def test_K1_R1_v1_lists_change_entry_by_entry(tare, bundle):
    b, c = knocker(tare, bundle, [DENY_ALL])
    path = find(c, "devices.list")
    if not path:
        pytest.skip("no v1 devices here")
    before = set(path.read_text().splitlines())
    update_json(tare, c, {"devices": [DENY_ALL, {"allow": True, "type": "c", "major": 4, "minor": 64, "access": "rw"}]}).ok()
    assert set(path.read_text().splitlines()) == before | {"c 4:64 rw"}
    update_json(tare, c, {"devices": [DENY_ALL, {"allow": True, "type": "c", "major": 4, "minor": 64, "access": "r"}]}).ok()
    assert set(path.read_text().splitlines()) == before | {"c 4:64 r"}
    update_json(tare, c, {"devices": [DENY_ALL]}).ok()
    assert set(path.read_text().splitlines()) == before


@only_tare
def test_device_rules_that_v1_cannot_say_change_nothing(tare, bundle):
    b, c = knocker(tare, bundle, [DENY_ALL])
    path = find(c, "devices.list")
    if not path:
        pytest.skip("no v1 devices here")
    before = everything(c), saved(tare, c)
    rules = [DENY_ALL, {"allow": True, "type": "c", "major": 4, "access": "rw"},
             {"allow": False, "type": "c", "major": 4, "minor": 64, "access": "rw"},
             {"allow": True, "access": "r", "type": "b", "major": 8}]
    update_json(tare, c, {"pids": {"limit": 60}, "devices": rules * 1})
    assert everything(c)[str(path)] == before[0][str(path)]
