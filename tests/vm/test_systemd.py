# SPDX-License-Identifier: GPL-2.0-or-later
"""
Cgroups by systemd: the unit with its properties, limits in the files too, daemon-reload, what is left, what is in the way.
Needs a guest with systemd as PID 1:

    tests/vm/vm-run --systemd -t 900 -- tests/vm/subreaper python3 -m pytest -q tests/vm/test_systemd.py
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.runtime import Runtime, wait_until
from support.systemd import CGROUP, by_systemd, configured, looked_after, read
from support.user import UID, UserRuntime

MIB = 1 << 20

pytestmark = [
    pytest.mark.skipif(not Path("/run/systemd/system").exists(), reason="needs systemd"),
    pytest.mark.keeps_host,  # systemd's own units come and go; nothing_of_ours below looks for ours
]


def systemctl(*args, check=True):
    return subprocess.run(["systemctl", *args], check=check, capture_output=True, text=True).stdout


def show(unit, *names):
    """Properties of a unit, as a dictionary."""
    text = systemctl("show", unit, *(f"-p{name}" for name in names))
    values = {}
    for name, value in (line.split("=", 1) for line in text.splitlines() if "=" in line):
        values[name] = f"{values[name]} {value}" if name in values else value  # lists have a line for each entry
    return values


def units(pattern="tare-*.scope"):
    return systemctl("list-units", "--all", "--no-legend", "--plain", pattern).split()[::5]


def cgroup_of(unit):
    return CGROUP / show(unit, "ControlGroup")["ControlGroup"].lstrip("/")


@pytest.fixture
def tare(tmp):
    yield from looked_after(by_systemd(Runtime)(tmp), units)


@pytest.fixture
def sleeper(bundle):
    def make(resources=None, path=None, base="minimal", annotations=None, script="sleep 300"):
        return configured(bundle(base, script=script), resources, path, annotations)

    return make


# ---- the unit ---------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_G4_the_container_is_in_a_scope_of_its_own(tare, sleeper):
    c = tare.run_detached(sleeper(path="tare-test.slice:tare:web"))
    unit = show("tare-web.scope", "ActiveState", "Slice", "Delegate", "DefaultDependencies", "CollectMode", "Description",
                "ControlGroup", "Transient")
    assert unit == {"ActiveState": "active", "Slice": "tare-test.slice", "Delegate": "yes", "DefaultDependencies": "no",
                    "CollectMode": "inactive-or-failed", "Description": f"tare container {c.id}", "Transient": "yes",
                    "ControlGroup": "/tare.slice/tare-test.slice/tare-web.scope"}
    assert Path(f"/proc/{c.pid}/cgroup").read_text() == "0::/tare.slice/tare-test.slice/tare-web.scope\n"
    assert read(cgroup_of("tare-web.scope"), "cgroup.procs").split() == [str(c.pid)]
    c.kill("KILL").ok()
    c.wait().delete().ok()
    assert not units()
    assert not (CGROUP / "tare.slice/tare-test.slice/tare-web.scope").exists()


@pytest.mark.smoke
def test_G3_without_a_path_it_is_in_system_slice(tare, sleeper):
    c = tare.run_detached(sleeper())
    assert show(f"tare-{c.id}.scope", "Slice")["Slice"] == "system.slice"
    assert c.state()["status"] == "running"


def test_G4_another_form_is_refused(tare, sleeper):
    tare.run(sleeper(path="/tare/web")).fails("expected cgroupsPath to be of format \"slice:prefix:name\"", "\"/tare/web\"",
                                             "/linux/cgroupsPath")
    assert not units()


def test_G4_a_name_may_be_a_slice(tare, sleeper):
    c = tare.run_detached(sleeper(path=":tare:tare-own.slice", resources={"memory": {"limit": 64 * MIB}}))
    unit = show("tare-own.slice", "ActiveState", "MemoryMax")
    assert unit == {"ActiveState": "active", "MemoryMax": str(64 * MIB)}
    assert Path(f"/proc/{c.pid}/cgroup").read_text() == "0::/tare.slice/tare-own.slice\n"
    c.delete("--force").ok()
    assert not (CGROUP / "tare.slice/tare-own.slice").exists()


def test_the_init_is_cloned_into_the_unit(tare, bundle):
    """CLONE_INTO_CGROUP as elsewhere: it never ran outside, and the process that held the place is gone."""
    trace = tare.fresh("strace")
    b = bundle(args=["true"])
    b.write()
    subprocess.run(["strace", "-f", "-e", "trace=clone3,openat", "-o", trace,
                    *tare.command("run", "--bundle", b.path, "traced")], check=True)
    text = trace.read_text()
    assert "CLONE_INTO_CGROUP" in text and "cgroup.procs" not in text


# ---- limits -----------------------------------------------------------------------------------------------------

RESOURCES = {
    "memory": {"limit": 256 * MIB, "reservation": 64 * MIB, "swap": 300 * MIB},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0-1", "mems": "0"},
    "pids": {"limit": 77},
    "unified": {"memory.high": str(200 * MIB)},
}
FILES = {
    "memory.max": str(256 * MIB), "memory.low": str(64 * MIB), "memory.high": str(200 * MIB),
    "memory.swap.max": str(44 * MIB), "cpu.weight": "59", "cpu.max": "50000 100000", "pids.max": "77",
    "cpuset.cpus": "0-1", "cpuset.mems": "0",
}
PROPERTIES = {
    "MemoryMax": str(256 * MIB), "MemoryLow": str(64 * MIB), "MemoryHigh": str(200 * MIB), "MemorySwapMax": str(44 * MIB),
    "CPUWeight": "59", "CPUQuotaPerSecUSec": "500ms", "CPUQuotaPeriodUSec": "100ms", "TasksMax": "77", "AllowedCPUs": "0-1",
    "AllowedMemoryNodes": "0",
}


def files_of(directory, names=FILES):
    return {name: read(directory, name) for name in names if (directory / name).exists()}


@pytest.mark.smoke
def test_K18_limits_are_properties_and_files_and_stay(tare, sleeper):
    tare.run_detached(sleeper(RESOURCES, "tare-test.slice:tare:web"))
    directory = cgroup_of("tare-web.scope")
    expected = {name: value for name, value in FILES.items() if (directory / name).exists()}
    assert show("tare-web.scope", *PROPERTIES) == PROPERTIES
    assert files_of(directory) == expected
    systemctl("daemon-reload")
    assert files_of(directory) == expected
    assert show("tare-web.scope", *PROPERTIES) == PROPERTIES


def test_K18_update_changes_properties_and_files_and_both_stay(tare, sleeper):
    c = tare.run_detached(sleeper({"memory": {"limit": 64 * MIB}, "pids": {"limit": 50}}, ":tare:web"))
    directory = cgroup_of("tare-web.scope")
    tare.call("update", "--memory", "96m", "--pids-limit", "33", "--cpu-quota", "33333", "--cpu-period", "70000",
              "--cpu-share", "2048", c.id).ok()
    properties = {"MemoryMax": str(96 * MIB), "TasksMax": "33", "CPUWeight": read(directory, "cpu.weight")}
    assert show("tare-web.scope", *properties) == properties
    assert read(directory, "cpu.max") == "33333 70000", "the file is exact whatever systemd rounds"
    systemctl("daemon-reload")
    assert read(directory, "memory.max") == str(96 * MIB) and read(directory, "pids.max") == "33"
    assert show("tare-web.scope", *properties) == properties


def test_K18_an_update_that_fails_leaves_the_properties(tare, sleeper):
    c = tare.run_detached(sleeper({"pids": {"limit": 50}}, ":tare:web"))
    before = show("tare-web.scope", "MemoryMax", "TasksMax", "DevicePolicy", "DeviceAllow")
    tare.call("update", "--pids-limit", "33", "--cpuset-cpus", "4000", c.id).fails("cpuset.cpus")
    assert show("tare-web.scope", *before) == before
    assert read(cgroup_of("tare-web.scope"), "pids.max") == "50"


def test_K4_K18_update_of_device_rules(tare, bundle, tmp):
    """A serial line, since to read kmsg takes more than a device rule."""
    b = bundle("docker", script=DEVICE_SCRIPT.replace("c 1 11", "c 4 64").replace("kmsg", "serial"))
    b.linux["cgroupsPath"] = ":tare:web"
    b.linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    b.linux["devices"] = [{"path": "/dev/serial", "type": "c", "major": 4, "minor": 64}]
    c = tare.run_detached(b).wait_out("no /dev/serial")
    change = tmp / "resources"
    for rules, word in (([{"allow": False, "access": "rwm"},
                          {"allow": True, "type": "c", "major": 4, "minor": 64, "access": "rwm"}], "yes /dev/serial"),
                        ([{"allow": False, "access": "rwm"}], "no /dev/serial")):
        change.write_text(json.dumps({"devices": rules}))
        tare.call("update", "--resources", change, c.id).ok()
        systemctl("daemon-reload")
        before = len(c.out.splitlines())
        wait_until(lambda: len(c.out.splitlines()) > before + 6, "more answers")
        assert word in c.out.splitlines()[before + 2:], c.out
        allowed = show("tare-web.scope", "DeviceAllow")["DeviceAllow"]
        assert ("/dev/char/4:64 rwm" in allowed) == word.startswith("yes"), allowed


def test_K18_a_quota_that_is_no_round_number(tare, sleeper):
    tare.run_detached(sleeper({"cpu": {"quota": 33333, "period": 70000}}, ":tare:web"))
    directory = cgroup_of("tare-web.scope")
    assert read(directory, "cpu.max") == "33333 70000"
    systemctl("daemon-reload")
    quota, period = map(int, read(directory, "cpu.max").split())
    assert period == 70000 and 33333 <= quota <= 33333 + 0.01 * period, (quota, period)


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_R21_a_limit_of_few_processes_lets_the_init_in(tare, sleeper, limit):
    b = sleeper({"pids": {"limit": limit}}, ":tare:web")
    b.config["process"]["args"] = ["sleep", "300"]
    tare.run_detached(b)
    directory = cgroup_of("tare-web.scope")
    assert show("tare-web.scope", "TasksMax")["TasksMax"] == str(max(1, limit))
    assert read(directory, "pids.max") == str(limit)
    assert read(directory, "pids.current") == "1"


def test_R19_what_systemd_has_no_word_for_is_written(tare, sleeper):
    size = sorted(p.name for p in Path("/sys/kernel/mm/hugepages").iterdir())[-1]
    page = f"{int(size.split('-')[1][:-2]) // 1024}MB"
    tare.run_detached(sleeper({"hugepageLimits": [{"pageSize": page, "limit": 4 * MIB}]}, ":tare:web"))
    directory = cgroup_of("tare-web.scope")
    expected = str(4 * MIB // (int(page[:-2]) * MIB) * int(page[:-2]) * MIB)
    assert read(directory, f"hugetlb.{page}.max") == expected
    systemctl("daemon-reload")
    assert read(directory, f"hugetlb.{page}.max") == expected


# ---- devices ----------------------------------------------------------------------------------------------------

DEVICE_SCRIPT = ("mknod /dev/kmsg c 1 11; while :; do for d in /dev/kmsg /dev/null; do "
                 "if true < $d; then echo yes $d; else echo no $d; fi 2>/dev/null; done; sleep 0.1; done")


@pytest.mark.smoke
def test_K4_the_device_filter_denies_after_a_reload(tare, bundle):
    b = bundle("docker", script=DEVICE_SCRIPT)
    b.linux["cgroupsPath"] = ":tare:web"
    b.linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    c = tare.run_detached(b).wait_out("no /dev/kmsg")
    unit = show("tare-web.scope", "DevicePolicy", "DeviceAllow")
    assert unit["DevicePolicy"] == "strict" and "/dev/char/1:3 rwm" in unit["DeviceAllow"]
    systemctl("daemon-reload")
    systemctl("set-property", "--runtime", "tare-web.scope", "CPUWeight=50")
    before = len(c.out.splitlines())
    wait_until(lambda: len(c.out.splitlines()) > before + 6, "more answers")
    assert "yes /dev/kmsg" not in c.out and "yes /dev/null" in c.out and "no /dev/null" not in c.out


def test_K4_what_no_list_can_say_is_denied_by_our_filter(tare, bundle):
    b = bundle("docker", script=DEVICE_SCRIPT)
    b.linux["cgroupsPath"] = ":tare:web"
    b.linux["resources"] = {"devices": [{"allow": True, "access": "rwm"},
                                        {"allow": False, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]}
    b.config["process"]["args"][-1] = DEVICE_SCRIPT.replace("mknod /dev/kmsg c 1 11; ", "")
    (b.path / "rootfs").mkdir(exist_ok=True)
    b.linux["devices"] = [{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11}]
    b.linux["resources"]["devices"][1]["access"] = "rw"
    c = tare.run_detached(b).wait_out("/dev/null")
    assert show("tare-web.scope", "DevicePolicy")["DevicePolicy"] == "auto"
    systemctl("daemon-reload")
    before = len(c.out.splitlines())
    wait_until(lambda: len(c.out.splitlines()) > before + 6, "more answers")
    assert "yes /dev/kmsg" not in c.out and "yes /dev/null" in c.out


# ---- annotations ------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_annotations_set_properties(tare, sleeper):
    tare.run_detached(sleeper(path=":tare:web", annotations={
        "org.systemd.property.TimeoutStopSec": "uint64 123",
        "org.systemd.property.Documentation": "['man:tare-oci(8)']",
        "org.systemd.property.CollectMode": "'inactive'",
    }))
    unit = show("tare-web.scope", "TimeoutStopUSec", "Documentation", "CollectMode")
    assert unit == {"TimeoutStopUSec": "2min 3s", "Documentation": '"man:tare-oci(8)"', "CollectMode": "inactive"}


def test_an_annotation_that_systemd_refuses(tare, sleeper):
    result = tare.run(sleeper(path=":tare:web", annotations={"org.systemd.property.NoSuchThing": "true"}))
    result.fails("start unit \"tare-web.scope\": systemd says", "NoSuchThing")
    tare.run(sleeper(annotations={"org.systemd.property.PIDs": "[uint32 1]"})).fails(
        "set property \"PIDs\" of the unit: tare-oci decides this one", "/annotations/org.systemd.property.PIDs")


@pytest.mark.smoke
def test_the_subgroup_holds_the_processes_and_the_unit_the_limits(tare, sleeper):
    c = tare.run_detached(sleeper({"memory": {"limit": 64 * MIB}}, ":tare:web",
                                  annotations={"run.oci.systemd.subgroup": "container"}))
    directory = cgroup_of("tare-web.scope")
    assert read(directory, "cgroup.procs") == "" and read(directory / "container", "cgroup.procs") == str(c.pid)
    assert read(directory, "memory.max") == str(64 * MIB) and read(directory / "container", "memory.max") == "max"
    assert int(read(directory / "container", "memory.current")) > 0
    systemctl("daemon-reload")
    assert "memory" in read(directory, "cgroup.subtree_control")
    c.delete("--force").ok()


def test_G7_the_delegated_cgroup_is_the_containers_own(tare, sleeper):
    b = sleeper({"pids": {"limit": 50}}, ":tare:web", base="docker", annotations={
        "run.oci.systemd.subgroup": "container", "run.oci.delegate-cgroup": "mine"})
    b.linux["namespaces"].append({"type": "user"})
    b.linux["uidMappings"] = b.linux["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    os.chown(b.path / "rootfs", 100000, 100000)
    c = tare.run_detached(b)
    directory = cgroup_of("tare-web.scope")
    assert Path(f"/proc/{c.pid}/cgroup").read_text().endswith("/tare-web.scope/container/mine\n")
    assert (directory / "container/mine").stat().st_uid == 100000
    assert (directory / "container").stat().st_uid == directory.stat().st_uid == 0
    c.delete("--force").ok()
    tare.run(sleeper(annotations={"run.oci.delegate-cgroup": ".."})).fails("that is no name for it")


# ---- ends -------------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_Y13_delete_takes_the_unit_with_everything_in_it(tare, bundle):
    b = bundle(script="f() { while :; do sleep 0.05 & done; }; f & echo up; wait").without_namespace("pid")
    b.linux["cgroupsPath"] = ":tare:web"
    b.linux["resources"] = {"pids": {"limit": 40}}
    b.config["mounts"] = []
    c = tare.run_detached(b).wait_out("up")
    c.delete("--force").ok()
    assert not units()


def test_a_container_that_ended_by_itself(tare, bundle):
    c = tare.run_detached(bundle(args=["true"]))
    c.wait()
    wait_until(lambda: not units(), "the unit to go")
    assert c.status == "stopped"
    c.delete().ok()


def test_K16_a_unit_that_failed_is_in_nobodys_way(tare, sleeper):
    """It stays loaded, as CollectMode=inactive wants it, until somebody resets it."""
    subprocess.run(["systemd-run", "--quiet", "--scope", "--unit=tare-web", "-pRuntimeMaxSec=1", "sleep", "100"],
                   capture_output=True, check=False)
    wait_until(lambda: show("tare-web.scope", "ActiveState")["ActiveState"] == "failed", "the unit to fail")
    c = tare.run_detached(sleeper(path=":tare:web"))
    assert show("tare-web.scope", "ActiveState")["ActiveState"] == "active"
    c.delete("--force").ok()


@pytest.mark.smoke
def test_K11_two_containers_in_one_unit(tare, sleeper):
    first = tare.run_detached(sleeper(path=":tare:web"))
    tare.run(sleeper(path=":tare:web")).fails("start unit \"tare-web.scope\"", "the unit exists", "/linux/cgroupsPath")
    assert first.status == "running" and show("tare-web.scope", "ActiveState")["ActiveState"] == "active"


@pytest.mark.smoke
def test_a_later_step_that_fails_leaves_no_unit(tare, sleeper):
    b = sleeper(path=":tare:web")
    b.config["process"]["args"] = ["/no/such/program"]
    tare.run(b).fails("/no/such/program", "/process/args/0")
    assert not units()


def test_a_killed_runtime_leaves_nothing(tare, sleeper):
    b = sleeper(path=":tare:web")
    b.config["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"]}]}
    b.write()
    runtime = subprocess.Popen(tare.command("run", "--bundle", b.path, "killed"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    wait_until(lambda: units() and "sleep" in subprocess.run(
        ["ps", "-o", "args", "--ppid", str(runtime.pid)], capture_output=True, text=True).stdout, "the hook")
    runtime.send_signal(signal.SIGKILL)
    runtime.wait()
    subprocess.run(["pkill", "-KILL", "-f", "^sleep 100$"], check=False)
    tare.call("list").ok()
    wait_until(lambda: not units(), "the unit to go")
    tare.call("state", "killed").fails("container \"killed\" does not exist")


def test_K16_Z3_a_loser_that_is_killed_takes_nothing_of_the_winners(tare, sleeper, tmp):
    """Two creates of one unit; the one that comes second dies before systemd answers, by a manager that never does."""
    winner = tare.run_detached(sleeper(path=":tare:web"))
    b = sleeper(path=":tare:web")
    b.write()
    # Of its own mount namespace, where systemd's sockets take what is sent and say nothing.
    silent = tmp / "silent"
    quiet = subprocess.Popen(["python3", "-c", "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]);"
                              "s.listen(8); time.sleep(300)", silent])
    wait_until(silent.exists, "the silent socket")
    enter = f"mount --bind {silent} /run/systemd/private && exec " + " ".join(
        map(str, tare.command("run", "--bundle", b.path, "loser")))
    loser = subprocess.Popen(["unshare", "--mount", "sh", "-c", enter], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: (tare.root / "loser/state.json").exists(), "its record")
        time.sleep(0.5)
        assert loser.poll() is None and winner.status == "running", "it waits for an answer"
        loser.kill()
        loser.wait()
        assert winner.status == "running"
        tare.call("list").ok()
        tare.call("state", "loser").fails('container "loser" does not exist')
        assert winner.status == "running" and "tare-web.scope" in units()
    finally:
        quiet.kill()
        quiet.wait()


def test_K9_a_frozen_container_is_paused_and_dies(tare, sleeper):
    c = tare.run_detached(sleeper(path=":tare:web"))
    directory = cgroup_of("tare-web.scope")
    (directory / "cgroup.freeze").write_text("1")
    wait_until(lambda: "frozen 1" in read(directory, "cgroup.events"), "the freezer")
    assert c.status == "paused"
    c.delete("--force").ok()


def test_systemctl_stop_ends_the_container(tare, sleeper):
    c = tare.run_detached(sleeper(path=":tare:web", script="trap 'exit 0' TERM; while :; do sleep 0.1; done"))
    systemctl("stop", "tare-web.scope")
    c.wait()
    c.delete().ok()


# ---- without it -------------------------------------------------------------------------------------------------


def test_other_managers_beside_it(tmp, bundle):
    runtime = Runtime(tmp)
    b = bundle(args=["cat", "/proc/self/cgroup"])
    own = Path("/proc/self/cgroup").read_text()
    assert runtime.run(b, globals=["--cgroup-manager", "disabled"]).ok().out == own
    assert runtime.run(b, globals=["--cgroup-manager", "cgroupfs"]).ok().out != own
    runtime.run(b, globals=["--cgroup-manager", "systemd"]).ok()
    assert not units()


def test_Q3_a_user_outside_of_his_manager_is_told_how_to_get_there(tmp, bundle):
    """A clone into a cgroup needs the right to write to what both are below."""
    user = UserRuntime(tmp)
    result = user.run(user.own(bundle()), globals=["--systemd-cgroup"])
    result.fails(f"make cgroups with systemd: uid {UID}'s own manages no cgroup that this runtime is in")
    assert "hint: systemd-run --user --scope" in result.err


def test_how_long_it_takes(tare, bundle):
    """Not a limit, a figure: what systemd costs a start, beside cgroups by file."""
    b = bundle(args=["true"])
    b.write()
    by = {}
    for manager in ("systemd", "cgroupfs"):
        command = Runtime.command(tare, "run", "--bundle", b.path, "timed", globals=["--cgroup-manager", manager])
        start = time.monotonic()
        for _ in range(5):
            subprocess.run([c for c in command if c != "--systemd-cgroup"], check=True, stdout=subprocess.DEVNULL)
        by[manager] = (time.monotonic() - start) / 5 * 1000
    print(f"run: {by['systemd']:.0f} ms by systemd, {by['cgroupfs']:.0f} ms by file")
