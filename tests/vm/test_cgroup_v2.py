# SPDX-License-Identifier: GPL-2.0-or-later
"""Pure cgroup v2: conversions, controllers on the way down, the eBPF device filter, ownership, ending. Needs a guest."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import mountinfo
from support.runtime import wait_until

CGROUP = Path("/sys/fs/cgroup")
MIB = 1 << 20

pytestmark = pytest.mark.skipif(not (CGROUP / "cgroup.controllers").exists(), reason="needs pure cgroup v2")


def read(path, file):
    return (CGROUP / path.lstrip("/") / file).read_text().strip()


def pids(path):
    return read(path, "cgroup.procs").split()


def sleeper(bundle, path="/tare-test/web", base="minimal", resources=None):
    b = bundle(base, script="sleep 300")
    b.linux["cgroupsPath"] = path
    if resources is not None:
        b.linux["resources"] = resources
    return b


def test_G7_a_delegated_cgroup_below_the_limited_one(tare, bundle):
    b = sleeper(bundle, resources={"memory": {"limit": 64 * MIB}})
    b.config["annotations"] = {"run.oci.delegate-cgroup": "mine"}
    c = tare.run_detached(b)
    assert pids("/tare-test/web") == [] and pids("/tare-test/web/mine") == [str(c.pid)]
    assert read("/tare-test/web", "memory.max") == str(64 * MIB) and read("/tare-test/web/mine", "memory.max") == "max"
    c.delete("--force").ok()
    assert not (CGROUP / "tare-test").exists()


def test_G7_a_delegated_cgroup_goes_from_one_that_was_there(tare, bundle):
    (CGROUP / "tare-there").mkdir()
    try:
        b = sleeper(bundle, "/tare-there")
        b.config["annotations"] = {"run.oci.delegate-cgroup": "mine"}
        tare.run_detached(b).delete("--force").ok()
        assert (CGROUP / "tare-there").exists() and not (CGROUP / "tare-there/mine").exists()
    finally:
        (CGROUP / "tare-there").rmdir()


# ---- where --------------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_G1_the_init_is_cloned_into_its_cgroup(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    assert pids("/tare-test/web") == [str(c.pid)]
    assert Path(f"/proc/{c.pid}/cgroup").read_text().strip().endswith("/tare-test/web")


def test_the_parent_never_moves_a_process(tare, bundle):
    """CLONE_INTO_CGROUP, and not a write to cgroup.procs, which would wait for the kernel's RCU."""
    b = bundle(args=["true"])
    b.linux["cgroupsPath"] = "/tare-test"
    b.write()
    trace = tare.fresh("strace")
    command = tare.command("run", "--bundle", b.path, "x")
    subprocess.run(["strace", "-f", "-e", "trace=clone3,openat", "-o", trace, *command], check=True)
    text = trace.read_text()
    assert "CLONE_INTO_CGROUP" in text and "cgroup.procs" not in text


@pytest.mark.smoke
def test_K19_cgroup_namespace_begins_at_the_containers_cgroup(tare, bundle):
    b = bundle(args=["cat", "/proc/self/cgroup"]).namespace("cgroup")
    assert tare.run(b).ok().out == "0::/\n"


def test_G2_relative_path(tare, bundle):
    c = tare.run_detached(sleeper(bundle, "a/b"))
    assert pids("/a/b") == [str(c.pid)]


def test_G3_absent_path(tare, bundle):
    c = tare.run_detached(bundle(script="sleep 300"))
    assert pids("/" + c.id) == [str(c.pid)]


def test_joins_with_new_and_joined_namespaces(tare, bundle):
    first = tare.run_detached(sleeper(bundle, "/tare-one").user_namespace())
    assert pids("/tare-one") == [str(first.pid)]
    b = sleeper(bundle, "/tare-two").namespace("ipc", f"/proc/{first.pid}/ns/ipc")
    second = tare.run_detached(b)
    assert pids("/tare-two") == [str(second.pid)]


# ---- controllers --------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_K5_controllers_are_enabled_on_the_way_down(tare, bundle):
    tare.run_detached(sleeper(bundle, "/tare-a/b/c", resources={"pids": {"limit": 9}}))
    wanted = set((CGROUP / "cgroup.controllers").read_text().split())
    for path in ("", "/tare-a", "/tare-a/b"):
        assert set(read(path, "cgroup.subtree_control").split()) == wanted
    assert set(read("/tare-a/b/c", "cgroup.controllers").split()) == wanted
    assert read("/tare-a/b/c", "cgroup.subtree_control") == ""
    assert read("/tare-a/b/c", "pids.max") == "9"


def test_K5_a_parent_with_processes_is_named(tare, bundle):
    (CGROUP / "tare-busy").mkdir()
    holder = subprocess.Popen(["sleep", "300"])
    try:
        (CGROUP / "tare-busy/cgroup.procs").write_text(str(holder.pid))
        result = tare.run(sleeper(bundle, "/tare-busy/web", resources={"memory": {"limit": 64 * MIB}}))
        result.fails('enable controller "memory"', "/sys/fs/cgroup/tare-busy", "busy (EBUSY)")
        assert not (CGROUP / "tare-busy/web").exists()
        assert read("/tare-busy", "cgroup.type") == "domain"
        # What nobody asked a limit of is not needed.
        b = bundle(args=["true"])
        b.linux["cgroupsPath"] = "/tare-busy/web"
        tare.run(b).ok()
    finally:
        holder.kill()
        holder.wait()
        (CGROUP / "tare-busy").rmdir()


def test_K5_below_a_threaded_cgroup(tare, bundle):
    (CGROUP / "tare-dom/thread").mkdir(parents=True)
    try:
        (CGROUP / "tare-dom/thread/cgroup.type").write_text("threaded")
        c = tare.run_detached(sleeper(bundle, "/tare-dom/thread/web", resources={"pids": {"limit": 5}}))
        assert read("/tare-dom/thread/web", "cgroup.type") == "threaded"
        assert read("/tare-dom/thread/web", "pids.max") == "5"
        assert read("/tare-dom/thread/web", "cgroup.threads") == str(c.pid)
        c.kill("KILL")
        c.wait().delete().ok()
        result = tare.run(sleeper(bundle, "/tare-dom/thread/web", resources={"memory": {"limit": 64 * MIB}}))
        result.fails('enable controller "memory"', "/tare-dom")
    finally:
        (CGROUP / "tare-dom/thread").rmdir()
        (CGROUP / "tare-dom").rmdir()


def test_K6_a_controller_that_is_not_delegated(tare, bundle):
    b = sleeper(bundle, resources={"unified": {"perf_event.x": "1"}})
    tare.run(b).fails('write unified "perf_event.x"', "no such controller")


# ---- limits -------------------------------------------------------------------------------------------------------

VALUES = [
    ("R2", {"memory": {"limit": 64 * MIB}}, "memory.max", str(64 * MIB)),
    ("R2", {"memory": {"limit": -1}}, "memory.max", "max"),
    ("R3", {"memory": {"reservation": 32 * MIB}}, "memory.low", str(32 * MIB)),
    ("R9", {"memory": {"limit": 64 * MIB, "checkBeforeUpdate": True}}, "memory.max", str(64 * MIB)),
    ("R10", {"cpu": {"shares": 2}}, "cpu.weight", "1"),
    ("R10", {"cpu": {"shares": 512}}, "cpu.weight", "59"),
    ("R10", {"cpu": {"shares": 1024}}, "cpu.weight", "100"),
    ("R10", {"cpu": {"shares": 262144}}, "cpu.weight", "10000"),
    ("R11", {"cpu": {"quota": 30000, "period": 50000}}, "cpu.max", "30000 50000"),
    ("R11", {"cpu": {"quota": 30000}}, "cpu.max", "30000 100000"),
    ("R11", {"cpu": {"quota": -1, "period": 50000}}, "cpu.max", "max 50000"),
    ("R12", {"cpu": {"quota": 30000, "burst": 20000}}, "cpu.max.burst", "20000"),
    ("R14", {"cpu": {"cpus": "0", "mems": "0"}}, "cpuset.cpus", "0"),
    ("R14", {"cpu": {"cpus": "0", "mems": "0"}}, "cpuset.mems", "0"),
    ("R15", {"cpu": {"idle": 1}}, "cpu.idle", "1"),
    ("R21", {"pids": {"limit": 42}}, "pids.max", "42"),
    ("R21", {"pids": {"limit": -1}}, "pids.max", "max"),
    ("R21", {"pids": {"limit": 0}}, "pids.max", "0"),
    ("R23", {"unified": {"memory.high": str(48 * MIB)}}, "memory.high", str(48 * MIB)),
    ("R23", {"unified": {"cgroup.max.descendants": "3"}}, "cgroup.max.descendants", "3"),
    ("R23", {"unified": {"memory.max": str(48 * MIB)}, "memory": {"limit": 64 * MIB}}, "memory.max", str(48 * MIB)),
    ("R23", {"unified": {"memory.oom.group": "1"}}, "memory.oom.group", "1"),
]


@pytest.mark.smoke
def test_an_engines_limits(tare, bundle):
    tare.run_detached(sleeper(bundle, "/tare-web", "docker"))
    assert {f: read("/tare-web", f) for f in ("memory.max", "cpu.weight", "cpu.max", "pids.max")} == {
        "memory.max": str(256 * MIB), "cpu.weight": "59", "cpu.max": "50000 100000", "pids.max": "100"}


@pytest.mark.rows("R-2", "R-3", "R-9", "R-10", "R-11", "R-12", "R-14", "R-15", "R-21", "R-23")
@pytest.mark.parametrize("row,resources,file,value", VALUES, ids=[f"{v[0]}-{v[2]}-{v[3]}" for v in VALUES])
def test_value(tare, bundle, row, resources, file, value):
    b = bundle(args=["sleep", "300"])
    b.linux["cgroupsPath"] = "/tare-web"
    b.linux["resources"] = resources
    c = tare.run_detached(b)
    assert read("/tare-web", file) == value
    assert pids("/tare-web") == [str(c.pid)]


def test_R4_swap_is_the_difference(tare, bundle):
    b = sleeper(bundle, "/tare-web", resources={"memory": {"limit": 64 * MIB, "swap": 96 * MIB}})
    if not list(CGROUP.glob("suite/memory.swap.max")):
        tare.run(b).fails('to "memory.swap.max"', "not there (ENOENT)", "/linux/resources/memory/swap")
        return
    tare.run_detached(b)
    assert read("/tare-web", "memory.swap.max") == str(32 * MIB)


def test_R4_equal_to_the_limit_is_no_swap(tare, bundle):
    if not list(CGROUP.glob("suite/memory.swap.max")):
        pytest.skip("this kernel doesn't account swap")
    tare.run_detached(sleeper(bundle, "/tare-web", resources={"memory": {"limit": 64 * MIB, "swap": 64 * MIB}}))
    assert read("/tare-web", "memory.swap.max") == "0"


def block_device():
    disks = [d for d in Path("/sys/block").iterdir() if (d / "device").exists()] or list(Path("/sys/block").glob("loop0"))
    if not disks:
        pytest.skip("no block device here")
    return tuple(map(int, (disks[0] / "dev").read_text().split(":")))


def test_R18_throttles_are_one_line_in_io_max(tare, bundle):
    major, minor = block_device()
    device = {"major": major, "minor": minor}
    tare.run_detached(sleeper(bundle, "/tare-web", resources={"blockIO": {
        "throttleReadBpsDevice": [dict(device, rate=1048576)],
        "throttleWriteBpsDevice": [dict(device, rate=2097152)],
        "throttleReadIOPSDevice": [dict(device, rate=300)],
        "throttleWriteIOPSDevice": [dict(device, rate=0)],
    }}))
    assert read("/tare-web", "io.max") == f"{major}:{minor} rbps=1048576 wbps=2097152 riops=300 wiops=max"


def test_R18_no_such_device(tare, bundle):
    b = sleeper(bundle, resources={"blockIO": {"throttleReadBpsDevice": [{"major": 250, "minor": 250, "rate": 1}]}})
    tare.run(b).fails('write "250:250 rbps=1" to "io.max"', "/linux/resources/blockIO/throttleReadBpsDevice/0")


def test_R16_weight(tare, bundle):
    b = sleeper(bundle, "/tare-web", resources={"blockIO": {"weight": 500}})
    files = [f.name for f in CGROUP.glob("suite/io.*weight")]
    if not files:
        tare.run(b).fails('write "4950" to "io.weight"', "not there (ENOENT)")
        return
    tare.run_detached(b)
    if "io.bfq.weight" in files:
        assert read("/tare-web", "io.bfq.weight") == "default 500"
    else:
        assert read("/tare-web", "io.weight") == "default 4950"


def huge_page_size():
    sizes = [int(d.name.split("-")[1][:-2]) for d in Path("/sys/kernel/mm/hugepages").iterdir()]
    small = [s for s in sizes if s < 1 << 20]
    if not small:
        pytest.skip("no huge pages here")
    return f"{small[0] // 1024}MB"


def test_R19_use_and_reservations_are_limited(tare, bundle):
    size = huge_page_size()
    tare.run_detached(sleeper(bundle, "/tare-web", resources={"hugepageLimits": [{"pageSize": size, "limit": 4 * MIB}]}))
    assert read("/tare-web", f"hugetlb.{size}.max") == str(4 * MIB)
    assert read("/tare-web", f"hugetlb.{size}.rsvd.max") == str(4 * MIB)


def test_R22_rdma_without_the_device(tare, bundle):
    b = sleeper(bundle, resources={"rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 100}}})
    tare.run(b).fails('write "mlx5_1 hca_handle=3 hca_object=100" to "rdma.max"', "no such device",
                      "/linux/resources/rdma/mlx5_1")


NO_FORM = [
    ("R5", {"memory": {"kernel": MIB}}, "memory.kernel"),
    ("R6", {"memory": {"swappiness": 10}}, "memory.swappiness"),
    ("R7", {"memory": {"disableOOMKiller": True}}, "memory.disableOOMKiller"),
    ("R13", {"cpu": {"realtimeRuntime": 1000}}, "cpu.realtimeRuntime"),
    ("R16", {"blockIO": {"leafWeight": 10}}, "blockIO.leafWeight"),
    ("R20", {"network": {"classID": 1}}, "network.classID"),
    ("R20", {"network": {"priorities": [{"name": "lo", "priority": 1}]}}, "network.priorities"),
]


@pytest.mark.rows("R-5", "R-6", "R-7", "R-13", "R-16", "R-20", "R-24")
@pytest.mark.parametrize("row,resources,name", NO_FORM, ids=[n[2] for n in NO_FORM])
def test_R24_what_v2_can_not_express_is_refused(tare, bundle, row, resources, name):
    tare.run(sleeper(bundle, resources=resources)).fails(f"set {name}: cgroup v2 has nothing like it")


def test_R24_what_asks_for_nothing_passes(tare, bundle):
    resources = {"memory": {"kernel": -1, "kernelTCP": 0, "disableOOMKiller": False, "useHierarchy": True},
                 "cpu": {"realtimePeriod": 0, "realtimeRuntime": 0}, "network": {"classID": 0, "priorities": []}}
    tare.run_detached(sleeper(bundle, resources=resources))


def test_R23_unknown_key_is_tried(tare, bundle):
    b = sleeper(bundle, resources={"unified": {"novel.thing": "x"}})
    tare.run(b).fails('write "x" to "novel.thing"', "not there (ENOENT)", "/linux/resources/unified/novel.thing")


def test_R11_a_value_that_the_kernel_refuses(tare, bundle):
    tare.run(sleeper(bundle, resources={"cpu": {"quota": 10}})).fails(
        'write "10 100000" to "cpu.max"', "refused as invalid (EINVAL)", "/linux/resources/cpu/quota")
    assert not (CGROUP / "tare-test").exists()


def test_R21_zero_pids_the_init_runs_and_can_not_fork(tare, bundle):
    b = bundle(script="true & echo forked")
    b.linux["resources"] = {"pids": {"limit": 0}}
    result = tare.run(b)
    assert result.status != 0 and "fork" in result.err and "forked" not in result.out


def test_R2_the_limit_ends_the_program(tare, bundle):
    b = bundle(script="x=; while true; do x=$x$(head -c 65536 /dev/zero | tr '\\0' x); done")
    b.linux["resources"] = {"memory": {"limit": 16 * MIB}}
    assert tare.run(b, timeout=110).status == 128 + signal.SIGKILL


# ---- devices ------------------------------------------------------------------------------------------------------


DENY_ALL = {"allow": False, "access": "rwm"}
PROBE = "mknod /dev/probe c 10 229 || echo no mknod; (: </dev/probe) 2>&1 | grep -o 'not permitted'; " \
        "(: >/dev/probe) 2>&1 | grep -o 'not permitted'; echo end"


def rule(allow, type, major, minor, access):
    entry = {"allow": allow, "type": type, "access": access, "major": major, "minor": minor}
    return {k: v for k, v in entry.items() if v is not None}


def device_bundle(bundle, rules, script):
    b = bundle("docker", script=script)
    b.linux["resources"] = {"devices": rules}
    b.linux.pop("seccomp", None)
    return b


DEVICE_CASES = [
    ("nothing-given", [], "not permitted\nnot permitted\nend\n"),
    ("deny-all", [DENY_ALL], "not permitted\nnot permitted\nend\n"),
    ("allow", [DENY_ALL, rule(True, "c", 10, 229, "rwm")], "end\n"),
    ("later-deny-of-writing", [DENY_ALL, rule(True, "c", 10, 229, "rwm"), rule(False, "c", 10, 229, "w")],
     "not permitted\nend\n"),
    ("later-allow", [DENY_ALL, rule(False, "c", 10, 229, "rw"), rule(True, "c", 10, 229, "r")], "not permitted\nend\n"),
    ("allow-all", [DENY_ALL, {"allow": True, "access": "rwm"}], "end\n"),
    ("all-but-one", [{"allow": True, "access": "rwm"}, rule(False, "c", 10, 229, "rw")],
     "not permitted\nnot permitted\nend\n"),
    ("no-mknod-of-one", [DENY_ALL, rule(False, "c", 10, 229, "m"), rule(True, "c", 10, 228, "rw")], "no mknod\nend\n"),
    ("exception-from-an-exception", [DENY_ALL, rule(True, "c", 10, None, "rwm"), rule(False, "c", 10, 229, "rw"),
                                     rule(True, "c", 10, 228, "rw")], "not permitted\nnot permitted\nend\n"),
]


@pytest.mark.smoke
def test_R1_device_filter(tare, bundle):
    rules = [DENY_ALL, rule(True, "c", 10, 229, "rwm"), rule(False, "c", 10, 229, "w")]
    assert tare.run(device_bundle(bundle, rules, PROBE)).ok().out == "not permitted\nend\n"


@pytest.mark.rows("R-1", "K-2")
@pytest.mark.parametrize("rules,expected", [c[1:] for c in DEVICE_CASES], ids=[c[0] for c in DEVICE_CASES])
def test_device_rules(tare, bundle, rules, expected):
    out = tare.run(device_bundle(bundle, rules, PROBE)).ok().out
    if "no mknod" in expected:
        assert out.startswith("no mknod\n")
    else:
        assert out == expected


def test_R1_default_devices_work_below_deny_all(tare, bundle):
    script = "echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 3 /dev/urandom | wc -c && " \
             "(echo x >/dev/full) 2>&1 | grep -o 'No space'"
    assert tare.run(device_bundle(bundle, [DENY_ALL], script)).ok().out == "3\n3\nNo space\n"


def test_R1_a_config_can_deny_a_default_device(tare, bundle):
    rules = [DENY_ALL, rule(False, "c", 1, 9, "rw")]
    out = tare.run(device_bundle(bundle, rules, "(: </dev/urandom) 2>&1 | grep -o 'not permitted'; : </dev/zero && echo zero")).out
    assert out == "not permitted\nzero\n"


def test_R1_with_a_user_namespace(tare, bundle):
    b = bundle("docker", script="(: </dev/null) && echo null").user_namespace()
    b.linux["resources"] = {"devices": [DENY_ALL]}
    assert tare.run(b).ok().out == "null\n"


def test_K1_the_program_on_a_cgroup_that_was_there_is_replaced(tare, bundle):
    (CGROUP / "tare-old").mkdir()
    try:
        for rules, expected in ((DEVICE_CASES[1][1], DEVICE_CASES[1][2]), (DEVICE_CASES[2][1], DEVICE_CASES[2][2])):
            b = device_bundle(bundle, rules, PROBE)
            b.linux["cgroupsPath"] = "/tare-old"
            assert tare.run(b).ok().out == expected
    finally:
        (CGROUP / "tare-old").rmdir()


# ---- ownership ----------------------------------------------------------------------------------------------------


def owners(path):
    """Who owns the directory and its files, by name."""
    top = CGROUP / path.lstrip("/")
    return {".": top.stat().st_uid} | {f.name: f.stat().st_uid for f in top.iterdir() if f.is_file()}


def cgroup_mount(options):
    return {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options}


@pytest.mark.smoke
def test_G7_the_container_owns_its_cgroup(tare, bundle):
    b = sleeper(bundle, "/tare-web").user_namespace().namespace("cgroup")
    b.config["mounts"].append(cgroup_mount(["rw"]))
    tare.run_detached(b)
    listed = set(Path("/sys/kernel/cgroup/delegate").read_text().split())
    found = owners("/tare-web")
    assert {name for name, uid in found.items() if uid == 100000} == ({"."} | (listed & found.keys()))
    assert {uid for name, uid in found.items() if name not in listed and name != "."} == {0}


def test_G7_the_user_of_the_process_owns_it(tare, bundle):
    b = sleeper(bundle, "/tare-web").namespace("cgroup")
    b.process["user"] = {"uid": 1000, "gid": 1000}
    b.config["mounts"].append(cgroup_mount(["rw"]))
    tare.run_detached(b)
    assert owners("/tare-web")["."] == owners("/tare-web")["cgroup.procs"] == 1000
    assert owners("/tare-web")["memory.max"] == 0


@pytest.mark.parametrize("options,namespace", [(["ro"], True), (["rw"], False)], ids=["read-only", "shared-namespace"])
def test_G7_otherwise_the_owner_stays(tare, bundle, options, namespace):
    b = sleeper(bundle, "/tare-web").user_namespace()
    if namespace:
        b.namespace("cgroup")
    b.config["mounts"].append(cgroup_mount(options))
    tare.run_detached(b)
    assert set(owners("/tare-web").values()) == {0}


def test_G7_the_container_can_make_a_child_with_a_limit(tare, bundle):
    b = bundle(script="cd /sys/fs/cgroup && mkdir child && mkdir init && echo $$ >init/cgroup.procs && "
                      "echo +pids >cgroup.subtree_control && echo 7 >child/pids.max && cat child/pids.max")
    b.user_namespace().namespace("cgroup")
    b.linux["cgroupsPath"] = "/tare-web"
    b.config["mounts"].append(cgroup_mount(["rw"]))
    assert tare.run(b).ok().out == "7\n"
    assert not (CGROUP / "tare-web").exists()


# ---- the container's own view ---------------------------------------------------------------------------------------


VIEW = "cat /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/sub && rmdir /sys/fs/cgroup/sub && echo made"


def viewer(bundle, namespace, options):
    b = bundle(script=VIEW).mount("/sys", "sysfs", "sysfs", ["ro"])
    b.linux["cgroupsPath"] = "/tare-a/web"
    b.config["mounts"].append(cgroup_mount(options))
    return b.namespace("cgroup") if namespace else b


@pytest.mark.parametrize("namespace", [True, False], ids=["namespace", "no-namespace"])
@pytest.mark.parametrize("options", [["nosuid", "noexec", "nodev", "ro"], ["nosuid"]], ids=["ro", "rw"])
def test_M15_cgroup_mount_shows_the_containers_own_cgroup(tare, bundle, namespace, options):
    result = tare.run(viewer(bundle, namespace, options))
    m = mountinfo.at(result.out, "/sys/fs/cgroup")
    assert m.fstype == "cgroup2" and set(options) <= m.flags
    # As it was mounted, or a part of the host's mount: seen from inside both begin at the container's own.
    assert m.root == ("/" if namespace else "/tare-a/web")
    # Only ourselves: the shell and the cat.
    assert 1 <= len([line for line in result.out.splitlines() if line.isdigit()]) <= 4
    assert ("made" in result.out.splitlines()) == ("ro" not in options)
    assert ("Read-only file system" in result.err) == ("ro" in options)


def test_X14_cgroup_mount_is_read_only_for_a_user_namespace_without_a_cgroup_namespace(tare, bundle):
    result = tare.run(viewer(bundle, False, ["nosuid"]).user_namespace().namespace("network"))
    assert "ro" in mountinfo.at(result.out, "/sys/fs/cgroup").flags
    assert "Read-only file system" in result.err and "made" not in result.out


# ---- unfit ones, ending -------------------------------------------------------------------------------------------


def test_K11_a_cgroup_with_processes_is_refused(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    tare.run(sleeper(bundle)).fails("use cgroup", "it is there already, and has processes in it")
    assert pids("/tare-test/web") == [str(c.pid)]


def test_K11_a_frozen_cgroup_is_refused(tare, bundle):
    (CGROUP / "tare-frozen").mkdir()
    (CGROUP / "tare-frozen/cgroup.freeze").write_text("1")
    try:
        tare.run(sleeper(bundle, "/tare-frozen")).fails("it is there already, and frozen")
    finally:
        (CGROUP / "tare-frozen").rmdir()


@pytest.mark.smoke
def test_K8_K10_everything_in_it_is_killed_and_removed(tare, bundle):
    b = bundle(script="f() { while :; do sleep 0.05 & done; }; f & echo up; wait").without_namespace("pid")
    b.linux["cgroupsPath"] = "/tare-a/web"
    b.linux["resources"] = {"pids": {"limit": 40}}
    b.config["mounts"] = []
    c = tare.run_detached(b).wait_out("up")
    c.delete("--force").ok()
    assert not (CGROUP / "tare-a").exists()


def test_K9_a_frozen_container_is_paused_and_dies_by_kill(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    (CGROUP / "tare-test/web/cgroup.freeze").write_text("1")
    wait_until(lambda: "frozen 1" in read("/tare-test/web", "cgroup.events"), "the freezer")
    assert c.status == "paused"
    c.kill("KILL").ok()
    c.wait("stopped")
    c.delete().ok()


def test_K10_cgroups_below_go_too(tare, bundle):
    c = tare.run_detached(sleeper(bundle))
    (CGROUP / "tare-test/web/inner/most").mkdir(parents=True)
    c.kill("KILL")
    c.wait().delete().ok()
    assert not (CGROUP / "tare-test").exists()


def test_K17_oom_is_named_when_nothing_can_start(tare, bundle):
    b = bundle("docker", args=["true"])
    b.linux["resources"] = {"memory": {"limit": 65536}}
    result = tare.run(b).fails("out of memory: the container's init was killed by signal 9 (SIGKILL)", "/linux/resources/memory/limit")
    assert "hint: the limit is too low for the container to start: raise linux.resources.memory.limit" in result.err
