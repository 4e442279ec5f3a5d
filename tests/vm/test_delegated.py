# SPDX-License-Identifier: GPL-2.0-or-later
"""
A user to whom systemd has delegated cgroups, on pure cgroup v2: by file below his own manager, and by that manager. Needs a
guest in which the tests run as that user:

    tests/vm/vm-run --systemd --user -t 900 -- tests/vm/subreaper python3 -m pytest -q tests/vm/test_delegated.py

Rows G-2, G-4, G-7, K-3, K-6, K-8, K-11, K-18, Q-3, R-2, R-21; docs/design/008-systemd.md, 010-without-root.md.
"""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from support.bundle import HOLD
from support.runtime import wait_until
from support.systemd import CGROUP, by_systemd, configured, looked_after, read
from support.user import BY_ROOT, COUNT, FIRST, UID, UserRuntime

MIB = 1 << 20
OWN = Path("/proc/self/cgroup").read_text().splitlines()[-1].split("::")[-1]
MANAGER = f"/user.slice/user-{UID}.slice/user@{UID}.service"

pytestmark = [
    pytest.mark.skipif(BY_ROOT or not OWN.startswith(MANAGER + "/"), reason="needs a user in his user@UID.service"),
    pytest.mark.keeps_host,  # systemd's own units come and go; the fixtures look for ours
]


def systemctl(*args):
    return subprocess.run(["systemctl", "--user", *args], check=True, capture_output=True, text=True).stdout


def show(unit, *names):
    """Properties of a unit of the user's, as a dictionary."""
    text = systemctl("show", unit, *(f"-p{name}" for name in names))
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def units():
    return systemctl("list-units", "--all", "--no-legend", "--plain", "tare-*.scope").split()[::5]


def our_cgroups():
    return {d for d, _, _ in os.walk(CGROUP / MANAGER.lstrip("/"))}


@pytest.fixture
def by_file(tmp):
    """The user's runtime; his cgroups beside that of the tests."""
    before = our_cgroups()
    runtime = UserRuntime(tmp)
    yield runtime
    runtime.clean_up()
    wait_until(lambda: not our_cgroups() - before, f"cgroups to go: {our_cgroups() - before}")


@pytest.fixture
def by_manager(tmp):
    """The user's runtime; his cgroups by his own systemd."""
    yield from looked_after(by_systemd(UserRuntime)(tmp), units)


@pytest.fixture
def sleeper(bundle):
    def make(resources=None, path=None, script=HOLD, annotations=None):
        return configured(bundle(script=script), resources, path, annotations)

    return make


def cgroup_of(container):
    return CGROUP / Path(f"/proc/{container.pid}/cgroup").read_text().strip().split("::/")[1]


RESOURCES = {
    "memory": {"limit": 256 * MIB, "reservation": 64 * MIB},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000},
    "pids": {"limit": 77},
    "unified": {"memory.high": str(200 * MIB)},
}
FILES = {"memory.max": str(256 * MIB), "memory.low": str(64 * MIB), "memory.high": str(200 * MIB), "cpu.weight": "59",
         "cpu.max": "50000 100000", "pids.max": "77"}
PROPERTIES = {"MemoryMax": str(256 * MIB), "MemoryLow": str(64 * MIB), "MemoryHigh": str(200 * MIB), "CPUWeight": "59",
              "CPUQuotaPerSecUSec": "500ms", "TasksMax": "77"}


def files_of(directory):
    return {name: read(directory, name) for name in FILES}


# ---- by file -------------------------------------------------------------------------------------------------------


def test_K6_limits_in_what_was_delegated(by_file, sleeper):
    c = by_file.run_detached(sleeper(RESOURCES)).wait_out("ready")
    directory = cgroup_of(c)
    assert directory == (CGROUP / OWN.lstrip("/")).parent / c.id
    assert files_of(directory) == FILES
    assert str(c.pid) in read(directory, "cgroup.procs").split()
    assert directory.stat().st_uid == UID
    c.delete("--force").ok()
    assert not directory.exists()


def test_G2_path_below_what_was_delegated(by_file, sleeper):
    base = os.path.dirname(OWN)
    c = by_file.run_detached(sleeper({"pids": {"limit": 17}}, f"{base}/tare-test/web")).wait_out("ready")
    assert cgroup_of(c) == CGROUP / f"{base}/tare-test/web".lstrip("/")
    assert read(cgroup_of(c), "pids.max") == "17"
    c.delete("--force").ok()
    assert not (CGROUP / f"{base}/tare-test".lstrip("/")).exists()


def test_K6_path_beside_what_was_delegated(by_file, sleeper):
    result = by_file.run(sleeper({"pids": {"limit": 17}}, "/elsewhere/c"))
    result.fails("/linux/resources/pids/limit", f"not below one that was delegated to uid {UID}")
    assert f'begin it with "{os.path.dirname(OWN)}"' in result.err


def test_K6_what_systemd_does_not_delegate_is_named(by_file, sleeper):
    """hugetlb is a controller that systemd doesn't know."""
    result = by_file.run(sleeper({"hugepageLimits": [{"pageSize": "2MB", "limit": 2 * MIB}]}))
    result.fails("/linux/resources/hugepageLimits/0", 'no cgroup controller "hugetlb"')


def test_a_user_pauses_updates_and_executes(by_file, sleeper):
    c = by_file.run_detached(sleeper({"pids": {"limit": 50}})).wait_out("ready")
    directory = cgroup_of(c)
    by_file.call("pause", c.id).ok()
    assert c.status == "paused" and "frozen 1" in read(directory, "cgroup.events")
    by_file.call("resume", c.id).ok()
    by_file.call("update", "--memory", str(128 * MIB), "--pids-limit", "40", c.id).ok()
    assert read(directory, "memory.max") == str(128 * MIB) and read(directory, "pids.max") == "40"
    assert c.exec("cat", "/proc/self/cgroup").ok().out.strip().endswith(directory.name)
    stats = json.loads(by_file.call("events", "--stats", c.id).ok().out)
    assert stats["data"]["pids"]["limit"] == 40
    assert str(c.pid) in by_file.call("ps", "--format", "json", c.id).ok().out


def test_R2_a_users_limit_ends_the_program(by_file, bundle):
    b = bundle(script="x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo no")
    b.resources["memory"] = {"limit": 8 * MIB, "swap": 8 * MIB}
    b.config["mounts"].append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]})
    result = by_file.run(b)
    assert result.status != 0 and "no" not in result.out


def test_G7_the_container_of_a_user_owns_its_cgroup(by_file, bundle):
    b = bundle(script="cat /proc/self/cgroup; mkdir /sys/fs/cgroup/child && echo +pids > /sys/fs/cgroup/child/../cgroup.subtree_control;"
                      "stat -c %u /sys/fs/cgroup /sys/fs/cgroup/child; rmdir /sys/fs/cgroup/child")
    b.namespace("cgroup")
    b.config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw", "nosuid"]})
    lines = by_file.run(b).out.split()
    assert lines == ["0::/", "0", "0"]


def test_K3_a_user_may_load_no_device_filter(by_file, sleeper):
    warnings = by_file.run(sleeper({"devices": [{"allow": False, "access": "rwm"}]}, script="true")).ok().warnings
    assert [w for w in warnings if w.startswith("ignore /linux/resources/devices: only root of the host")], warnings


def test_K8_kill_all_and_delete_take_everything(by_file, bundle):
    b = bundle(script="sleep 300 & sleep 300 & echo ready; wait").without_namespace("pid")
    b.config["mounts"] = []
    c = by_file.run_detached(b).wait_out("ready")
    directory = cgroup_of(c)
    assert len(read(directory, "cgroup.procs").split()) == 3
    c.delete("--force").ok()
    assert not directory.exists()


def test_K6_root_of_a_user_namespace_of_the_users(by_file, sleeper):
    """As under podman without root: the same cgroup is delegated to it."""
    by_file.prefix = ["unshare", "--user", "--map-root-user", "--mount", "--"]
    b = sleeper({"pids": {"limit": 17}}, script="cat /proc/self/cgroup")
    out = by_file.run(b).ok().out
    assert os.path.dirname(out.strip().split("::")[1]) == os.path.dirname(OWN)


# ---- by the user's manager ---------------------------------------------------------------------------------------


def test_G4_the_scope_of_a_user(by_manager, sleeper):
    c = by_manager.run_detached(sleeper(path=":tare:web")).wait_out("ready")
    unit = show("tare-web.scope", "ActiveState", "Slice", "Delegate", "Description", "ControlGroup")
    assert unit == {"ActiveState": "active", "Slice": "user.slice", "Delegate": "yes",
                    "Description": f"tare container {c.id}", "ControlGroup": f"{MANAGER}/user.slice/tare-web.scope"}
    assert cgroup_of(c) == CGROUP / f"{MANAGER}/user.slice/tare-web.scope".lstrip("/")
    assert str(c.pid) in read(cgroup_of(c), "cgroup.procs").split()
    directory = cgroup_of(c)
    c.kill("KILL").ok()
    c.wait().delete().ok()
    assert not units() and not directory.exists()


def test_G4_a_slice_of_the_users_own(by_manager, sleeper):
    c = by_manager.run_detached(sleeper(path="tare-test.slice:tare:web")).wait_out("ready")
    assert cgroup_of(c) == CGROUP / f"{MANAGER}/tare.slice/tare-test.slice/tare-web.scope".lstrip("/")


def test_K18_a_users_limits_are_properties_and_files_and_stay(by_manager, sleeper):
    c = by_manager.run_detached(sleeper(RESOURCES, ":tare:web")).wait_out("ready")
    directory = cgroup_of(c)
    assert show("tare-web.scope", *PROPERTIES) == PROPERTIES
    assert files_of(directory) == FILES
    systemctl("daemon-reload")
    assert files_of(directory) == FILES
    assert show("tare-web.scope", *PROPERTIES) == PROPERTIES


def test_an_update_reaches_the_users_manager(by_manager, sleeper):
    c = by_manager.run_detached(sleeper(RESOURCES, ":tare:web")).wait_out("ready")
    by_manager.call("update", "--memory", str(300 * MIB), "--pids-limit", "40", c.id).ok()
    assert show("tare-web.scope", "MemoryMax", "TasksMax") == {"MemoryMax": str(300 * MIB), "TasksMax": "40"}
    assert read(cgroup_of(c), "memory.max") == str(300 * MIB) and read(cgroup_of(c), "pids.max") == "40"


def test_a_program_more_in_the_scope_of_a_user(by_manager, sleeper):
    c = by_manager.run_detached(sleeper(path=":tare:web")).wait_out("ready")
    assert c.exec("cat", "/proc/self/cgroup").ok().out.strip().endswith("/tare-web.scope")
    by_manager.call("pause", c.id).ok()
    assert c.status == "paused"
    by_manager.call("resume", c.id).ok()


@pytest.mark.parametrize("limit", [0, 1])
def test_R21_a_users_limit_of_few_processes(by_manager, sleeper, limit):
    b = sleeper({"pids": {"limit": limit}}, ":tare:web")
    b.process["args"] = ["sleep", "300"]
    c = by_manager.run_detached(b)
    assert read(cgroup_of(c), "pids.max") == str(limit) and read(cgroup_of(c), "pids.current") == "1"


def test_the_subgroup_of_a_users_unit(by_manager, sleeper):
    c = by_manager.run_detached(sleeper({"memory": {"limit": 64 * MIB}}, ":tare:web",
                                        annotations={"run.oci.systemd.subgroup": "container"})).wait_out("ready")
    assert cgroup_of(c).name == "container" and read(cgroup_of(c).parent, "memory.max") == str(64 * MIB)
    systemctl("daemon-reload")
    assert "memory" in read(cgroup_of(c).parent, "cgroup.subtree_control")


def test_K3_device_rules_by_a_users_manager(by_manager, sleeper):
    warnings = by_manager.run(sleeper({"devices": [{"allow": False, "access": "rwm"}]}, script="true")).ok().warnings
    assert [w for w in warnings if w.startswith("ignore /linux/resources/devices: only root of the host")], warnings


def test_K11_a_unit_of_the_users_that_is_alive(by_manager, sleeper):
    first = by_manager.run_detached(sleeper(path=":tare:web")).wait_out("ready")
    by_manager.run(sleeper(path=":tare:web")).fails('start unit "tare-web.scope"', "the unit exists")
    assert first.status == "running"


def test_a_later_step_that_fails_leaves_no_unit_of_the_users(by_manager, sleeper):
    b = sleeper(path=":tare:web")
    b.process["args"] = ["/no/such/program"]
    by_manager.run(b).fails("/no/such/program", "/process/args/0")
    assert not units()


def test_Z3_a_killed_runtime_of_a_user_leaves_nothing(by_manager, sleeper):
    b = sleeper(path=":tare:web")
    b.config["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"]}]}
    b.write()
    runtime = subprocess.Popen(by_manager.command("run", "--bundle", b.path, "killed"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def hook():
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(runtime.pid), "-C", "sleep"], capture_output=True, text=True,
                               check=False).stdout.split()
        return units() and found

    wait_until(hook, "the hook")
    runtime.send_signal(signal.SIGKILL)
    runtime.wait()
    subprocess.run(["pkill", "-KILL", "-f", "^sleep 100$"], check=False)
    by_manager.call("list").ok()
    wait_until(lambda: not units(), "the unit to go")
    by_manager.call("state", "killed").fails('container "killed" does not exist')


@pytest.mark.parametrize("way", ["private", "address", "bus"])
def test_ways_to_the_users_manager(by_manager, sleeper, tmp, way):
    """systemd's own socket, the bus whose address is given, the bus in the runtime directory."""
    runtime = os.environ["XDG_RUNTIME_DIR"]
    env = {k: v for k, v in os.environ.items() if k not in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")}
    if way == "address":
        env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime}/bus"
    else:
        env["XDG_RUNTIME_DIR"] = runtime
    if way == "bus":
        env["XDG_RUNTIME_DIR"] = str(tmp)
        os.symlink(f"{runtime}/bus", tmp / "bus")
    b = sleeper(path=":tare:web", script="cat /proc/self/cgroup")
    assert by_manager.run(b, env=env).ok().out.strip().endswith("/user.slice/tare-web.scope")


def test_a_user_without_a_manager_is_told_what_to_do(by_manager, sleeper):
    env = {k: v for k, v in os.environ.items() if k not in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")}
    result = by_manager.run(sleeper(path=":tare:web"), env=env)
    result.fails("connect to systemd of this user", "/linux/cgroupsPath")
    assert "loginctl enable-linger" in result.err


def test_Q3_root_of_a_user_namespace_has_the_users_manager(by_manager, sleeper):
    by_manager.prefix = ["unshare", "--user", "--map-root-user", "--mount", "--"]
    b = sleeper({"pids": {"limit": 17}}, ":tare:web", script="cat /proc/self/cgroup")
    assert by_manager.run(b).ok().out.strip() == f"0::{MANAGER}/user.slice/tare-web.scope"


def test_Q3_subordinate_ids_are_there(by_manager, sleeper):
    assert COUNT, "the guest gives the user subordinate ids"
    out = by_manager.run(sleeper(path=":tare:web", script="cat /proc/self/uid_map")).ok().out.split()
    assert out == ["0", str(UID), "1", "1", str(FIRST), str(COUNT)]
