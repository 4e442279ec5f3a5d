# SPDX-License-Identifier: GPL-2.0-or-later
"""
The container's cgroups on this machine, read back from the cgroup files on the host or from inside.

Tests that need one kind of hierarchy say so; what only pure v2 has is in tests/vm/test_cgroup_v2.py, what only systemd does in
tests/vm/test_systemd.py.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import cgroup
from support.cgroup import CGROUP, Freezer, by_file, hierarchies, hybrid, v1
from support.runtime import wait_until
from support.time_limit import scaled

MIB = 1 << 20
WEB = "tare-test/web"


def read(controller, name, file):
    """A file of v1's."""
    return (CGROUP / controller / name / file).read_text().strip()


def placed(b, name):
    """Give a bundle the cgroup of this name. Returns it."""
    b.linux["cgroupsPath"] = cgroup.path(name)
    return b


def sleeper(bundle, name=WEB, base="minimal"):
    """A bundle that stays, in the cgroup of this name."""
    return placed(bundle(base, script="sleep 300"), name)


def members(place):
    """The processes of the cgroup at this place, in each hierarchy."""
    return [cgroup.pids(mount / place) for mount in hierarchies()]


def everywhere(pid):
    """What members() is of a cgroup with this process only."""
    return [[str(pid)] for _ in hierarchies()]


def is_gone(name):
    """Is there nothing of a container's cgroup any more? The slices above systemd's scopes are systemd's."""
    return not cgroup.directories(cgroup.place(name) if cgroup.BY_SYSTEMD else name.split("/")[0])


# ---- where --------------------------------------------------------------------------------------------------------


@by_file
@pytest.mark.parametrize("path", ["/tare-test/web", "tare-test/web", "/tare-test//./x/../web/"])
def test_G1_G2_path_counts_from_the_mount_in_every_hierarchy(tare, bundle, path):
    b = sleeper(bundle)
    b.linux["cgroupsPath"] = path
    c = tare.run_detached(b)
    assert members(WEB) == everywhere(c.pid)


def test_G3_without_a_path_it_is_the_id(tare, bundle):
    b = bundle(script="sleep 300")
    b.resources["pids"] = {"limit": 10}
    c = tare.run_detached(b)
    assert [cgroup.pids(directory) for directory in cgroup.of(c)] == everywhere(c.pid)


def test_G5_a_config_without_a_word_of_cgroups_gets_one(tare, bundle):
    c = tare.run_detached(bundle(script="sleep 300"))
    (found,) = cgroup.of(c)
    assert cgroup.pids(found) == [str(c.pid)]


@by_file
@pytest.mark.parametrize("path,message", [
    ("/../x", "leads out of the cgroup mount"),
    ("a/../../b", "leads out of the cgroup mount"),
    ("/", "it is the root of the hierarchy"),
    ("a" * 256, "one of its names has more than 255 bytes"),
])
def test_G1_paths_that_lead_nowhere_are_refused(tare, bundle, path, message):
    b = sleeper(bundle)
    b.linux["cgroupsPath"] = path
    tare.run(b).fails("cgroup path", message)


def test_G5_missing_parents_are_made_and_removed(tare, bundle):
    c = tare.run_detached(sleeper(bundle, "tare-a/b/c"))
    assert len(cgroup.of(c)) == len(hierarchies())
    c.kill("KILL")
    c.wait().delete().ok()
    assert is_gone("tare-a/b/c")


@by_file
def test_K10_a_parent_that_was_there_stays(tare, bundle):
    for mount in hierarchies():
        (mount / "tare-old").mkdir()
    try:
        c = tare.run_detached(sleeper(bundle, "tare-old/web"))
        c.kill("KILL")
        c.wait().delete().ok()
        for mount in hierarchies():
            assert (mount / "tare-old").exists()
            assert not (mount / "tare-old/web").exists()
    finally:
        for mount in hierarchies():
            (mount / "tare-old").rmdir()


@by_file
def test_K10_a_cgroup_that_was_there_is_used_and_stays(tare, bundle):
    for mount in hierarchies():
        (mount / "tare-old").mkdir()
    try:
        tare.run(placed(bundle(script="true"), "tare-old")).ok()
        for mount in hierarchies():
            assert (mount / "tare-old").exists()
    finally:
        for mount in hierarchies():
            (mount / "tare-old").rmdir()


@by_file
def test_K10_siblings_share_a_parent(tare, bundle):
    one = tare.run_detached(sleeper(bundle, "tare-shared/one"))
    two = tare.run_detached(sleeper(bundle, "tare-shared/two"))
    for c in (one, two):
        c.kill("KILL")
        c.wait()
    one.delete().ok()
    assert all((mount / "tare-shared/two").exists() for mount in hierarchies())
    two.delete().ok()
    # The first container made the parent and could not remove it; the second one found it. Nobody uses it now.
    for mount in hierarchies():
        (mount / "tare-shared").rmdir()


def test_K10_what_the_container_made_below_goes_too(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    for directory in cgroup.of(c):
        (directory / "inner/most").mkdir(parents=True)
    c.kill("KILL")
    c.wait().delete().ok()
    assert is_gone(WEB)


# ---- unfit ones ---------------------------------------------------------------------------------------------------


@by_file
def test_G6_K11_a_cgroup_with_processes_is_refused(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    tare.run(sleeper(bundle)).fails("use cgroup", "/tare-test/web", "it is there already, and has processes in it")
    assert members(WEB) == everywhere(c.pid)
    assert c.status == "running"


@by_file
def test_G6_K11_processes_further_down_count(tare, bundle):
    mount = CGROUP if cgroup.V2_ONLY else CGROUP / "pids"
    inner = mount / "tare-busy/inner"
    inner.mkdir(parents=True)
    holder = subprocess.Popen(["sleep", "300"])
    try:
        (inner / "cgroup.procs").write_text(str(holder.pid))
        tare.run(sleeper(bundle, "tare-busy")).fails("it is there already, and has processes in it")
        assert inner.exists()
    finally:
        holder.kill()
        holder.wait()
        inner.rmdir()
        (mount / "tare-busy").rmdir()


@by_file
def test_G6_K11_a_frozen_cgroup_is_refused(tare, bundle):
    frozen = (CGROUP if cgroup.V2_ONLY else CGROUP / "freezer") / "tare-frozen"
    frozen.mkdir()
    freezer = Freezer([frozen])
    freezer.freeze()
    try:
        tare.run(sleeper(bundle, "tare-frozen")).fails("it is there already, and frozen")
    finally:
        freezer.thaw()
        frozen.rmdir()


def test_K11_two_creates_of_one_path_at_once(tare, bundle, parallel):
    bundles = [sleeper(bundle) for _ in range(4)]
    results = parallel(*[lambda b=b: tare.try_create(b, command="run --detach") for b in bundles])
    winners = [c for _, c in results if c]
    assert len(winners) <= 1
    for result, c in results:
        if not c:
            assert "cgroup" in result.error
    for c in winners:
        assert c.status == "running"


# ---- joining ------------------------------------------------------------------------------------------------------


def test_K19_cgroup_namespace_begins_at_the_containers_cgroup(tare, bundle):
    b = bundle(args=["cat", "/proc/self/cgroup"]).namespace("cgroup")
    lines = tare.run(b).ok().out.splitlines()
    assert {line.split(":", 2)[2] for line in lines} == {"/"}
    assert len(lines) >= len(hierarchies())


def test_without_cgroup_namespace_the_path_shows(tare, bundle):
    lines = tare.run(placed(bundle(args=["cat", "/proc/self/cgroup"]), WEB)).ok().out.splitlines()
    assert {line.split(":", 2)[2] for line in lines} == {"/" + cgroup.place(WEB)}


def test_joins_with_a_user_namespace(tare, bundle):
    c = tare.run_detached(sleeper(bundle).user_namespace())
    assert members(cgroup.place(WEB)) == everywhere(c.pid)


def test_joins_with_a_joined_namespace(tare, bundle):
    first = tare.run_detached(sleeper(bundle, "tare-one"))
    b = sleeper(bundle, "tare-two").namespace("ipc", f"/proc/{first.pid}/ns/ipc")
    second = tare.run_detached(b)
    assert members(cgroup.place("tare-two")) == everywhere(second.pid)


def test_children_of_the_container_are_in_it(tare, bundle):
    tare.run_detached(placed(bundle(script="sleep 300 & sleep 300 & wait"), WEB))
    wait_until(lambda: {len(p) for p in members(cgroup.place(WEB))} == {3}, "three processes in each hierarchy")


# ---- limits -------------------------------------------------------------------------------------------------------

V1_VALUES = [
    ("R2", {"memory": {"limit": 64 * MIB}}, "memory", "memory.limit_in_bytes", str(64 * MIB)),
    ("R3", {"memory": {"reservation": 32 * MIB}}, "memory", "memory.soft_limit_in_bytes", str(32 * MIB)),
    ("R4", {"memory": {"limit": 64 * MIB, "swap": 96 * MIB}}, "memory", "memory.memsw.limit_in_bytes", str(96 * MIB)),
    ("R4", {"memory": {"limit": 64 * MIB, "swap": 64 * MIB}}, "memory", "memory.memsw.limit_in_bytes", str(64 * MIB)),
    ("R5", {"memory": {"kernelTCP": 4 * MIB}}, "memory", "memory.kmem.tcp.limit_in_bytes", str(4 * MIB)),
    ("R6", {"memory": {"swappiness": 17}}, "memory", "memory.swappiness", "17"),
    ("R6", {"memory": {"swappiness": 0}}, "memory", "memory.swappiness", "0"),
    ("R7", {"memory": {"disableOOMKiller": True}}, "memory", "memory.oom_control", "oom_kill_disable 1"),
    ("R7", {"memory": {"disableOOMKiller": False}}, "memory", "memory.oom_control", "oom_kill_disable 0"),
    ("R8", {"memory": {"useHierarchy": True}}, "memory", "memory.use_hierarchy", "1"),
    ("R9", {"memory": {"limit": 64 * MIB, "checkBeforeUpdate": True}}, "memory", "memory.limit_in_bytes", str(64 * MIB)),
    ("R10", {"cpu": {"shares": 512}}, "cpu", "cpu.shares", "512"),
    ("R10", {"cpu": {"shares": 0}}, "cpu", "cpu.shares", "1024"),
    ("R11", {"cpu": {"quota": 30000, "period": 50000}}, "cpu", "cpu.cfs_quota_us", "30000"),
    ("R11", {"cpu": {"quota": 30000, "period": 50000}}, "cpu", "cpu.cfs_period_us", "50000"),
    ("R11", {"cpu": {"quota": -1}}, "cpu", "cpu.cfs_quota_us", "-1"),
    ("R12", {"cpu": {"quota": 30000, "burst": 20000}}, "cpu", "cpu.cfs_burst_us", "20000"),
    ("R13", {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}}, "cpu", "cpu.rt_runtime_us", "1000"),
    ("R13", {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}}, "cpu", "cpu.rt_period_us", "500000"),
    ("R14", {"cpu": {"cpus": "0"}}, "cpuset", "cpuset.cpus", "0"),
    ("R14", {"cpu": {"mems": "0"}}, "cpuset", "cpuset.mems", "0"),
    ("R15", {"cpu": {"idle": 1}}, "cpu", "cpu.idle", "1"),
    ("R21", {"pids": {"limit": 42}}, "pids", "pids.max", "42"),
    ("R21", {"pids": {"limit": -1}}, "pids", "pids.max", "max"),
    ("R21", {"pids": {"limit": 1}}, "pids", "pids.max", "1"),
]


@v1
@pytest.mark.rows("R-2", "R-3", "R-4", "R-5", "R-6", "R-7", "R-8", "R-9", "R-10", "R-11", "R-12", "R-13", "R-14", "R-15", "R-21")
@pytest.mark.parametrize("row,resources,controller,file,value", V1_VALUES,
                         ids=[f"{row}-{file}-{value}" for row, _, _, file, value in V1_VALUES])
def test_v1_value(tare, bundle, row, resources, controller, file, value):
    if not (CGROUP / controller / file).exists() and file != "memory.memsw.limit_in_bytes":
        pytest.skip(f"this kernel has no {file}")
    b = placed(bundle(args=["sleep", "300"]), "tare-web")
    b.linux["resources"] = resources
    c = tare.run_detached(b)
    assert read(controller, "tare-web", file).splitlines()[0] == value
    assert read(controller, "tare-web", "cgroup.procs") == str(c.pid)


REALTIME = {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}}
needs_realtime = pytest.mark.skipif(not (CGROUP / "cpu/cpu.rt_runtime_us").exists(), reason="this kernel has no cpu.rt_runtime_us")


def realtime(path):
    return read("cpu", path, "cpu.rt_runtime_us"), read("cpu", path, "cpu.rt_period_us")


@v1
@needs_realtime
def test_R13_new_parents_get_the_share_too(tare, bundle):
    b = bundle(script="read -r line </proc/$$/stat; set -- $line; shift 39; echo $1 $2; exec sleep 300")
    placed(b, "tare-a/b/web")
    b.linux["resources"] = REALTIME
    b.process["scheduler"] = {"policy": "SCHED_FIFO", "priority": 10}
    tare.run_detached(b).wait_out("10 1")
    assert [realtime(path) for path in ("tare-a", "tare-a/b", "tare-a/b/web")] == [("1000", "500000")] * 3


@v1
@needs_realtime
def test_R13_without_a_period_the_kernels_is_kept(tare, bundle):
    b = sleeper(bundle, "tare-a/web")
    b.linux["resources"] = {"cpu": {"realtimeRuntime": 1000}}
    tare.run_detached(b)
    assert realtime("tare-a") == realtime("tare-a/web") == ("1000", "1000000")


@v1
@needs_realtime
def test_R13_a_parent_that_was_there_keeps_its_own(tare, bundle):
    old = CGROUP / "cpu/tare-old"
    old.mkdir()
    try:
        b = sleeper(bundle, "tare-old/new/web")
        b.linux["resources"] = REALTIME
        result = tare.run(b)
        result.fails(f'write "1000" to "{old}/new/cpu.rt_runtime_us"', "refused as invalid (EINVAL)")
        assert "a parent cgroup that was there must have that much left to give" in result.err
        assert realtime("tare-old") == ("0", "1000000")
        assert not (old / "new").exists()

        (old / "cpu.rt_runtime_us").write_text("3000")
        c = tare.run_detached(b)
        assert realtime("tare-old") == ("3000", "1000000")
        assert realtime("tare-old/new") == realtime("tare-old/new/web") == ("1000", "500000")
        c.delete("--force").ok()
    finally:
        old.rmdir()


@v1
def test_R14_cpuset_of_every_new_parent_is_filled(tare, bundle):
    b = sleeper(bundle, "tare-a/b/c")
    b.linux["resources"] = {"cpu": {"cpus": "1"}} if os.cpu_count() > 1 else {"cpu": {"cpus": "0"}}
    tare.run_detached(b)
    root = (CGROUP / "cpuset/cpuset.cpus").read_text().strip()
    assert read("cpuset", "tare-a", "cpuset.cpus") == read("cpuset", "tare-a/b", "cpuset.cpus") == root
    assert read("cpuset", "tare-a/b/c", "cpuset.cpus") == b.linux["resources"]["cpu"]["cpus"]
    assert read("cpuset", "tare-a/b/c", "cpuset.mems") == (CGROUP / "cpuset/cpuset.mems").read_text().strip()


@v1
def test_R14_an_empty_parent_is_filled_too(tare, bundle):
    (CGROUP / "cpuset/tare-old").mkdir()
    try:
        c = tare.run_detached(sleeper(bundle, "tare-old/web"))
        assert read("cpuset", "tare-old/web", "cgroup.procs") == str(c.pid)
        assert read("cpuset", "tare-old", "cpuset.cpus") == (CGROUP / "cpuset/cpuset.cpus").read_text().strip()
        c.kill("KILL")
        c.wait().delete().ok()
    finally:
        (CGROUP / "cpuset/tare-old").rmdir()


@v1
def test_R14_the_container_runs_on_its_cpu_only(tare, bundle):
    b = bundle(args=["grep", "Cpus_allowed_list", "/proc/self/status"])
    b.linux["resources"] = {"cpu": {"cpus": "0"}}
    assert tare.run(b).ok().out.split() == ["Cpus_allowed_list:", "0"]


def test_R21_no_limit_below_what_is_there_is_dropped(tare, bundle):
    """pids.limit 0: the init runs, and can't fork."""
    b = bundle(script="true & echo forked")
    b.linux["resources"] = {"pids": {"limit": 0}}
    result = tare.run(b)
    assert result.status != 0 and "fork" in result.err and "forked" not in result.out


def test_R21_the_limit_holds(tare, bundle):
    b = bundle(script="for i in 1 2 3 4 5 6 7 8 9; do sleep 9 & done; echo all")
    b.linux["resources"] = {"pids": {"limit": 5}}
    result = tare.run(b)
    assert "fork" in result.err and "all" not in result.out


@v1
def test_R5_memory_kernel_is_accepted(tare, bundle):
    b = sleeper(bundle)
    b.linux["resources"] = {"memory": {"kernel": -1, "kernelTCP": -1}}
    tare.run_detached(b)


@v1
@pytest.mark.parametrize("check", [True, False])
def test_R9_a_limit_below_what_is_in_use(tare, bundle, tmp, check):
    """A cgroup that was there, with memory of a file charged to it: with checkBeforeUpdate its limit can't go below that."""
    old = CGROUP / "memory/tare-old"
    old.mkdir()
    store = tmp / "store"
    store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", store], check=True)
    try:
        subprocess.run(["sh", "-c", f"echo $$ >{old}/cgroup.procs; head -c {8 * MIB} /dev/zero >{store}/file"], check=True)
        b = placed(bundle(args=["true"]), "tare-old")
        b.linux["resources"] = {"memory": {"limit": 4 * MIB, "checkBeforeUpdate": check}}
        result = tare.run(b)
        if check:
            result.fails("limit memory to 4194304 bytes", "uses ", "already", "/linux/resources/memory/limit")
            assert (old / "memory.limit_in_bytes").read_text().strip() == "9223372036854771712"
        elif result.error:  # no swap to put the file into
            result.fails('write "4194304" to "memory.limit_in_bytes"', "busy (EBUSY)")
    finally:
        subprocess.run(["umount", store], check=True)
        old.rmdir()


def test_R2_the_limit_ends_the_program(tare, bundle):
    b = bundle(script="x=; while true; do x=$x$(head -c 65536 /dev/zero | tr '\\0' x); done")
    b.linux["resources"] = {"memory": {"limit": 16 * MIB, "swap": 16 * MIB}}
    assert tare.run(b).status == 128 + signal.SIGKILL


@v1
def test_zero_and_minus_one_ask_for_nothing(tare, bundle):
    b = sleeper(bundle)
    b.linux["resources"] = {"memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0},
                            "cpu": {"shares": 0, "quota": 0, "period": 0}}
    tare.run_detached(b)
    assert read("memory", WEB, "memory.limit_in_bytes") == "9223372036854771712"
    assert read("cpu", WEB, "cpu.cfs_quota_us") == "-1"


@hybrid
def test_R19_hugetlb_goes_to_the_v2_mount_in_the_same_transaction(tare, bundle):
    if "hugetlb" not in cgroup.controllers(CGROUP / "unified"):
        pytest.skip("no hugetlb controller on the v2 mount")
    size = sorted(d.name.split("-")[1] for d in Path("/sys/kernel/mm/hugepages").iterdir())
    size = [f"{int(s[:-2]) // 1024}MB" for s in size if int(s[:-2]) < 1 << 20] or pytest.skip("no huge pages here")
    b = sleeper(bundle)
    b.linux["resources"] = {"hugepageLimits": [{"pageSize": size[0], "limit": 2 * MIB}], "pids": {"limit": 7}}
    tare.run_detached(b)
    assert read("unified", WEB, f"hugetlb.{size[0]}.max") == str(2 * MIB)
    assert read("unified", WEB, f"hugetlb.{size[0]}.rsvd.max") == str(2 * MIB)
    assert read("pids", WEB, "pids.max") == "7"


@hybrid
def test_R23_unified_on_a_hybrid_host(tare, bundle):
    b = sleeper(bundle)
    b.linux["resources"] = {"unified": {"cgroup.max.descendants": "3"}}
    tare.run_detached(b)
    assert read("unified", WEB, "cgroup.max.descendants") == "3"


# ---- what is refused, and how -------------------------------------------------------------------------------------

REFUSED = [
    ("R4", {"memory": {"limit": 64 * MIB, "swap": 32 * MIB}}, ["swap"]),
    ("R14", {"cpu": {"cpus": "4000"}}, ['write "4000" to "cpuset.cpus"', "/linux/resources/cpu/cpus"]),
    ("R11", {"cpu": {"quota": 100}}, ['write "100" to "cpu.cfs_quota_us"', "refused as invalid (EINVAL)",
                                      "/linux/resources/cpu/quota"]),
    ("R11", {"cpu": {"period": 10}}, ['write "10" to "cpu.cfs_period_us"', "/linux/resources/cpu/period"]),
    ("R18", {"blockIO": {"throttleReadBpsDevice": [{"major": 250, "minor": 250, "rate": 1}]}},
     ['write "250:250 1" to "blkio.throttle.read_bps_device"', "/linux/resources/blockIO/throttleReadBpsDevice/0"]),
    ("R19", {"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}, ['write "1" to "hugetlb.3MB.max"', "not there (ENOENT)", "hugepageLimits/0"]),
    ("R20", {"network": {"classID": 5}}, ["set network.classID", 'no cgroup controller "net_cls"']),
    ("R22", {"rdma": {"mlx5_1": {"hcaHandles": 3}}}, ["set rdma", 'no cgroup controller "rdma"']),
    ("R23", {"unified": {"memory.high": "1"}}, ['write unified "memory.high"']),
    ("R23", {"unified": {"cgroup.nothing": "1"}}, ['write "1" to "cgroup.nothing"', "not there (ENOENT)"]),
    ("K14", {"unified": {"../x": "1"}}, ["../x"]),
]


@v1
@pytest.mark.rows("R-4", "R-11", "R-14", "R-18", "R-19", "R-20", "R-22", "R-23", "K-6", "K-14")
@pytest.mark.parametrize("row,resources,texts", REFUSED, ids=[f"{r[0]}-{i}" for i, r in enumerate(REFUSED)])
def test_refused_with_place_and_reason(tare, bundle, row, resources, texts):
    for controller in ("net_cls", "rdma"):
        if texts[-1].endswith(f'"{controller}"') and any(controller in cgroup.controllers(mount) for mount in hierarchies()):
            pytest.skip(f"this host has {controller}")
    b = sleeper(bundle)
    b.linux["resources"] = resources
    tare.run(b).fails(*texts)
    assert is_gone(WEB)


@v1
def test_R18_throttle_of_a_real_disk(tare, bundle):
    disks = [d.name for d in Path("/sys/block").iterdir() if (d / "device").exists()]
    if not disks:
        pytest.skip("no disk here")
    major, minor = map(int, Path("/sys/block", disks[0], "dev").read_text().split(":"))
    b = sleeper(bundle)
    b.linux["resources"] = {"blockIO": {
        "throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": 1048576}],
        "throttleWriteBpsDevice": [{"major": major, "minor": minor, "rate": 2097152}],
        "throttleReadIOPSDevice": [{"major": major, "minor": minor, "rate": 300}],
        "throttleWriteIOPSDevice": [{"major": major, "minor": minor, "rate": 400}],
    }}
    tare.run_detached(b)
    for file, rate in (("read_bps", 1048576), ("write_bps", 2097152), ("read_iops", 300), ("write_iops", 400)):
        assert read("blkio", WEB, f"blkio.throttle.{file}_device") == f"{major}:{minor} {rate}"


@v1
def test_R16_weights_need_a_scheduler_that_has_them(tare, bundle):
    b = sleeper(bundle)
    b.linux["resources"] = {"blockIO": {"weight": 500}}
    if (CGROUP / "blkio/blkio.bfq.weight").exists() or list(CGROUP.glob("blkio/*/blkio.bfq.weight")):
        tare.run_detached(b)
        assert read("blkio", WEB, "blkio.bfq.weight") == "500"
    else:
        tare.run(b).fails('write "500" to "blkio.weight"', "not there (ENOENT)", "/linux/resources/blockIO/weight")


# ---- devices ------------------------------------------------------------------------------------------------------


def device_bundle(bundle, rules, script):
    """root with CAP_MKNOD and a /dev of its own."""
    b = bundle("docker", script=script)
    b.linux["resources"] = {"devices": rules}
    b.linux.pop("seccomp", None)
    return b


DENY_ALL = {"allow": False, "access": "rwm"}


def fuse(access, allow=True):
    return {"allow": allow, "type": "c", "major": 10, "minor": 229, "access": access}


PROBE = "mknod /dev/probe c 10 229 || echo no mknod; (: </dev/probe) 2>&1 | grep -o 'not permitted'; " \
        "(: >/dev/probe) 2>&1 | grep -o 'not permitted'; echo end"

DEVICE_CASES = [
    ("nothing given", [], "not permitted\nnot permitted\nend\n"),
    ("deny all", [DENY_ALL], "not permitted\nnot permitted\nend\n"),
    ("allow", [DENY_ALL, fuse("rwm")], "end\n"),
    ("later deny of writing", [DENY_ALL, fuse("rwm"), fuse("w", allow=False)], "not permitted\nend\n"),
    ("later allow", [DENY_ALL, fuse("rw", allow=False), fuse("r")], "not permitted\nend\n"),
    ("allow all", [DENY_ALL, {"allow": True, "access": "rwm"}], "end\n"),
    ("all but one", [{"allow": True, "access": "rwm"}, fuse("rw", allow=False)], "not permitted\nnot permitted\nend\n"),
    ("a whole major", [DENY_ALL, {"allow": True, "type": "c", "major": 10, "access": "rwm"}], "end\n"),
]


@pytest.mark.rows("R-1", "K-2")
@pytest.mark.parametrize("rules,expected", [c[1:] for c in DEVICE_CASES], ids=[c[0].replace(" ", "-") for c in DEVICE_CASES])
def test_device_rules(tare, bundle, rules, expected):
    assert tare.run(device_bundle(bundle, rules, PROBE)).ok().out == expected


def test_R1_default_devices_work_below_deny_all(tare, bundle):
    script = "echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 3 /dev/urandom | wc -c && " \
             "(echo x >/dev/full) 2>&1 | grep -o 'No space'"
    assert tare.run(device_bundle(bundle, [DENY_ALL], script)).ok().out == "3\n3\nNo space\n"


def test_R1_a_config_can_deny_a_default_device(tare, bundle):
    """runc appends its own rules after the config's, so there it can't (3.4, runc 17)."""
    rules = [DENY_ALL, {"allow": False, "type": "c", "major": 1, "minor": 9, "access": "rw"}]
    result = tare.run(device_bundle(bundle, rules, "(: </dev/urandom) 2>&1 | grep -o 'not permitted'; : </dev/zero && echo zero"))
    assert result.out == "not permitted\nzero\n"


@v1
def test_R1_v1_list_is_what_was_asked(tare, bundle):
    b = sleeper(bundle)
    b.linux["resources"] = {"devices": [DENY_ALL, fuse("rw")]}
    tare.run_detached(b)
    lines = read("devices", WEB, "devices.list").splitlines()
    assert "c 10:229 rw" in lines and "c 1:3 rwm" in lines and "a *:* rwm" not in lines
    assert len(lines) == 12


@v1
def test_K2_an_exception_from_an_exception_is_refused_on_v1(tare, bundle):
    b = sleeper(bundle)
    b.linux["resources"] = {"devices": [DENY_ALL, fuse("rw"), {"allow": True, "type": "b", "major": 8, "access": "rwm"},
                                        {"allow": False, "type": "b", "major": 8, "minor": 3, "access": "rw"}]}
    tare.run(b).fails("put the device rules into cgroup v1", "/linux/resources/devices/3")


# ---- ending -------------------------------------------------------------------------------------------------------


def test_K8_everything_in_the_cgroup_is_killed_without_a_pid_namespace(tare, bundle):
    b = bundle(script="sleep 300 & setsid sleep 300 & echo up; exec sleep 300").without_namespace("pid")
    placed(b, WEB)
    b.config["mounts"] = []
    c = tare.run_detached(b).wait_out("up")
    wait_until(lambda: all(len(p) == 3 for p in members(cgroup.place(WEB))), "three processes")
    c.kill("KILL").ok()
    wait_until(lambda: not any(members(cgroup.place(WEB))), "an empty cgroup")
    c.wait().delete().ok()


def test_K8_delete_force_ends_what_forks_all_the_time(tare, bundle):
    b = bundle(script="f() { while :; do sleep 0.01 & done; }; f & f & f & echo up; wait").without_namespace("pid")
    placed(b, WEB)
    b.linux["resources"] = {"pids": {"limit": 60}}
    b.config["mounts"] = []
    c = tare.run_detached(b).wait_out("up")
    time.sleep(0.1)
    c.delete("--force").ok()
    assert is_gone(WEB)


@pytest.mark.parametrize("frozen", [False, True])
def test_K7_kill_all_leaves_the_freezer_as_it_was(tare, bundle, frozen):
    b = bundle(script="trap 'echo got' USR1; echo up; while :; do sleep 0.02; done")
    placed(b, WEB)
    c = tare.run_detached(b).wait_out("up")
    freezer = Freezer(cgroup.of(c))
    if frozen:
        freezer.freeze()
        wait_until(freezer.is_frozen, "the freezer")
    c.kill("--all", "USR1").ok()
    assert freezer.is_frozen() == frozen
    if frozen:
        time.sleep(0.1)
        assert "got" not in c.out
        freezer.thaw()
    c.wait_out("got")


def test_K8_kill_all_sends_any_signal_to_every_process(tare, bundle):
    b = bundle(script="trap 'echo outer' USR1; (trap 'echo inner' USR1; echo up; while :; do read -t 1 x; done) & "
                      "while :; do read -t 1 x; done")
    placed(b, WEB)
    c = tare.run_detached(b).wait_out("up")
    time.sleep(0.2)
    c.kill("--all", "USR1").ok()
    c.wait_out("inner").wait_out("outer")
    time.sleep(0.3)
    assert c.out.count("inner") == c.out.count("outer") == 1


def test_K9_a_frozen_container_is_paused_and_dies_by_kill(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    freezer = Freezer(cgroup.of(c))
    freezer.freeze()
    wait_until(freezer.is_frozen, "the freezer")
    assert c.status == "paused"
    c.kill("KILL").ok()
    c.wait("stopped")
    c.delete().ok()


def test_K10_delete_waits_for_the_last_process(tare, bundle):
    for _ in range(5):
        c = tare.run_detached(sleeper(bundle))
        c.kill("KILL").ok()
        c.wait().delete().ok()
        assert is_gone(WEB)


def test_K10_a_visitor_does_not_keep_the_cgroup(tare, bundle):
    """Somebody put a process of the host's into the container's cgroup."""
    c = tare.run_detached(sleeper(bundle))
    visitor = subprocess.Popen(["sleep", "300"])
    try:
        for directory in cgroup.of(c):
            (directory / "cgroup.procs").write_text(str(visitor.pid))
        c.kill("KILL").ok()
        c.wait().delete().ok()
        assert visitor.wait(timeout=scaled(10)) == -(signal.SIGTERM if cgroup.BY_SYSTEMD else signal.SIGKILL)
    finally:
        visitor.kill()
        visitor.wait()


def test_a_failed_limit_leaves_no_cgroup(tare, bundle):
    b = sleeper(bundle, "tare-x/y/z")
    b.linux["resources"] = {"pids": {"limit": 5}, "cpu": {"cpus": "4000"}}
    tare.run(b).fails("/linux/resources/cpu/cpus")
    assert is_gone("tare-x/y/z")


@v1
def test_K17_a_limit_too_low_to_start_is_named(tare, bundle):
    b = bundle("docker", args=["true"])
    b.linux["resources"] = {"memory": {"limit": 65536, "swap": 65536}}
    result = tare.run(b).fails("out of memory: the container's init was killed by signal 9 (SIGKILL) in step",
                               "/linux/resources/memory/limit")
    assert "hint: the limit is too low for the container to start: raise linux.resources.memory.limit" in result.err
