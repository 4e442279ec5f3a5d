# SPDX-License-Identifier: GPL-2.0-or-later
"""The features document tells the truth and nothing but: what it lists works, what it denies is refused."""

import json
import subprocess
from pathlib import Path

import pytest

from support import cgroup
from support import runtime as rt
from support.agent import Agent

pytestmark = pytest.mark.only("tare")


@pytest.fixture(scope="module")
def features():
    done = subprocess.run([rt.binary(), "features"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_F1_range_of_versions(features):
    assert (features["ociVersionMin"], features["ociVersionMax"]) == ("1.0.0", "1.3.0")


@pytest.mark.parametrize("version", ["1.0.0", "1.3.0", "1.0.2-dev", "1.2.1"])
def test_F1_both_ends_are_accepted(tare, bundle, version):
    b = bundle(args=["true"])
    b.config["ociVersion"] = version
    tare.run(b).ok()


def test_F2_all_hooks(features):
    assert features["hooks"] == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]


def test_F3_every_listed_mount_option_is_understood(tare, bundle, features):
    """None goes to the filesystem as data: a tmpfs would refuse it. idmap wants mappings, and copy-symlink a symlink."""
    special = {"idmap", "ridmap", "remount", "bind", "rbind", "copy-symlink", "src-nofollow", "dest-nofollow"}
    b = bundle(args=["true"])
    for word in set(features["mountOptions"]) - special:
        b.mount(f"/tmp/{word}", type="tmpfs", source="tmpfs", options=[word])
    for word in ("mand", "nomand", "iversion", "noiversion"):
        assert word in features["mountOptions"]
    tare.run(b).ok()


def test_F3_no_data_word_is_listed(features):
    assert not {"acl", "noacl", "size", "mode"} & set(features["mountOptions"])


def test_F4_namespaces(features):
    assert features["linux"]["namespaces"] == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]


def test_F4_every_listed_namespace_can_be_new(tare, bundle, features):
    b = bundle(script="for n in /proc/self/ns/*; do readlink $n; done")
    for kind in set(features["linux"]["namespaces"]) - {"user"}:
        b.namespace(kind)
    assert tare.run(b).ok()


def test_F5_capabilities_of_the_build(features):
    names = features["linux"]["capabilities"]
    assert names[0] == "CAP_CHOWN" and names[-1] == "CAP_CHECKPOINT_RESTORE" and len(names) == 41


def test_F6_cgroup(features):
    assert features["linux"]["cgroup"] == {"v1": True, "v2": True, "systemd": True, "systemdUser": True, "rdma": True}


@pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="for a host without systemd")
def test_G4_systemd_is_not_on_every_host(tare, bundle):
    result = tare.run(bundle(), globals=["--systemd-cgroup"])
    result.fails("make cgroups with systemd: it doesn't manage this host")
    assert "leave --systemd-cgroup out (--cgroup-manager cgroupfs)" in result.log[-1]["hint"]


def test_F7_Q7_seccomp(features):
    seccomp = features["linux"]["seccomp"]
    assert seccomp["enabled"] is True
    assert {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"} <= set(seccomp["archs"])
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])
    assert len(seccomp["operators"]) == 7


def test_F7_no_listed_action_is_refused(tare, bundle, features, tmp):
    for action in features["linux"]["seccomp"]["actions"]:
        b = bundle(args=["true"])
        b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(tmp / "agent"),
                              "syscalls": [{"names": ["reboot"], "action": action}]}
        with Agent(tmp / "agent"):
            tare.run(b).ok()


def seccomp_with(**members):
    return ("seccomp", {"defaultAction": "SCMP_ACT_ALLOW", **members})


def rule_with(op):
    return seccomp_with(syscalls=[{"names": ["reboot"], "action": "SCMP_ACT_KILL",
                                   "args": [{"index": 0, "value": 1, "valueTwo": 1, "op": op}]}])


# Where features lists words, and a linux section that uses one of them.
WORDS = {
    "seccomp/actions": lambda word: seccomp_with(listenerPath="/agent", syscalls=[{"names": ["reboot"], "action": word}]),
    "seccomp/operators": rule_with,
    "seccomp/archs": lambda word: seccomp_with(architectures=[word]),
    "seccomp/supportedFlags": lambda word: seccomp_with(
        flags=[word], listenerPath="/agent", syscalls=[{"names": ["reboot"], "action": "SCMP_ACT_NOTIFY"}]),
    "memoryPolicy/modes": lambda word: ("memoryPolicy", {
        "mode": word, "nodes": "" if word in ("MPOL_DEFAULT", "MPOL_LOCAL") else "0"}),
    "memoryPolicy/flags": lambda word: ("memoryPolicy", {
        "mode": "MPOL_BIND", "nodes": "0", "flags": [word]}),
}


@pytest.mark.rows("F-10", "S-3", "S-4", "S-10", "L-25", "L-27")
@pytest.mark.parametrize("place", WORDS)
def test_F7_every_listed_word_is_planned_and_no_other(tare, bundle, features, place):
    section, name = place.split("/")
    listed = features["linux"][section][name]
    assert len(listed) >= 3 and len(set(listed)) == len(listed)

    def explain(word):
        b = bundle()
        key, value = WORDS[place](word)
        b.linux[key] = value
        b.write()
        return tare.call("explain", "--bundle", b.path, "x")
    for word in listed:
        explain(word).ok()
    # A word of the same look that is in no list.
    other = listed[0].rsplit("_", 1)[0] + "_TEAPOT"
    explain(other).fails(f'"{other}" is not', f"(config.json /linux/{section}/")


def test_F7_native_filters_load(tare, bundle, features):
    """Of what is listed for every kernel, what this one can be asked: each flag that it knows, each operator."""
    for flag in set(features["linux"]["seccomp"]["supportedFlags"]) - {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}:
        b = bundle(script="grep -c '^Seccomp:.2' /proc/self/status")
        b.linux["seccomp"] = seccomp_with(flags=[flag])[1]
        b.linux["seccomp"]["syscalls"] = [{"names": ["reboot"], "action": "SCMP_ACT_ERRNO"}]
        assert tare.run(b).ok().out == "1\n", flag


def test_F2_every_listed_hook_is_run(tare, bundle, features):
    b = bundle(args=["true"])
    log = b.path / "hooks"
    log.touch()
    b.mount("/log", source=log, options=["bind"])
    for kind in features["hooks"]:
        inside = kind == "startContainer"
        b.hook(kind, "/bin/sh", ["sh", "-c", f"echo {kind} >> {'/log' if inside else log}"])
    tare.run(b).ok()
    assert log.read_text().split() == features["hooks"]


def test_F5_every_listed_capability_is_known(tare, bundle, features):
    """None is warned of as unknown; one too many for this kernel or this user is another warning."""
    b = bundle(args=["true"])
    b.process["capabilities"] = {"bounding": features["linux"]["capabilities"]}
    assert not [w for w in tare.run(b).ok().warnings if "unknown" in w]


def test_F8_labels_are_a_matter_of_the_build(features):
    assert features["linux"]["apparmor"]["enabled"] is True
    assert features["linux"]["selinux"]["enabled"] is True


def test_F9_intel_rdt(features):
    assert features["linux"]["intelRdt"] == {"enabled": True, "schemata": True, "monitoring": True}


@pytest.mark.skipif(Path("/sys/fs/resctrl/schemata").exists(), reason="this host has resctrl mounted")
@pytest.mark.parametrize("rdt", [{}, {"l3CacheSchema": "L3:0=f"}, {"closID": "guaranteed"}, {"closID": "/"},
                                 {"closID": "x", "schemata": ["MB:0=10"]}, {"enableMonitoring": True}],
                         ids=["empty", "schema", "class", "root", "schemata", "monitoring"])
def test_I2_without_resctrl(tare, bundle, rdt):
    b = bundle()
    b.linux["intelRdt"] = rdt
    result, _ = tare.try_create(b)
    result.fails("use Intel RDT: the resctrl filesystem is not mounted on this host", "/linux/intelRdt")
    assert "hint: mount -t resctrl" in result.err


def test_F10_L25_memory_policy(tare, bundle, features):
    assert "MPOL_BIND" in features["linux"]["memoryPolicy"]["modes"]
    b = bundle(args=["grep", "-c", "bind:0", "/proc/self/numa_maps"])
    b.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0"}
    result = tare.run(b)
    assert result.error == "" and (result.status != 0 or int(result.out) > 0)


def test_F11_idmapped_mounts(features):
    assert features["linux"]["mountExtensions"]["idmap"]["enabled"] is True


def test_F12_net_devices(features):
    assert features["linux"]["netDevices"]["enabled"] is True


def test_F13_annotations_are_texts(features):
    assert all(isinstance(v, str) for v in features.get("annotations", {}).values())


def test_F14_Z20_unsafe_annotations_are_published(features):
    """Every annotation that changes how a container is set up; engines filter users' annotations by it."""
    assert "run.oci.keep_original_groups" in features["potentiallyUnsafeConfigAnnotations"]


def test_F15_F16_same_on_every_host(features):
    """Build-time facts: no difference with another user, another directory, another environment."""
    done = subprocess.run([rt.binary(), "features"], capture_output=True, text=True, check=True, cwd="/", env={})
    assert json.loads(done.stdout) == features


# ---- what must be ignored, and said so ------------------------------------------------------------------------------


@pytest.mark.parametrize("pointer,value", [
    ("windows", {"layerFolders": ["x"]}), ("vm", {"kernel": {"path": "/k"}}), ("solaris", {}), ("zos", {}), ("freebsd", {}),
], ids=["windows", "vm", "solaris", "zos", "freebsd"])
def test_A13_A14_A15_other_platforms_are_ignored(tare, bundle, pointer, value):
    b = bundle(args=["true"])
    b.config[pointer] = value
    tare.run(b).ok()


def test_P6_P21_windows_members_of_process_are_ignored(tare, bundle):
    b = bundle(args=["echo", "hello"])
    b.process["commandLine"] = "cmd /c dir"
    b.process["user"]["username"] = "ContainerUser"
    assert tare.run(b).ok().out == "hello\n"


def test_A3_unknown_property_is_ignored_and_named(tare, bundle):
    b = bundle(args=["true"])
    b.linux["readonlyPath"] = ["/proc"]
    warnings = "\n".join(tare.run(b).ok().warnings)
    assert "/linux/readonlyPath" in warnings and "/linux/readonlyPaths" in warnings


def test_A12_image_annotations_are_informational(tare, bundle):
    b = bundle(script="while :; do sleep 1; done")
    b.config["annotations"] = {"org.opencontainers.image.os": "plan9", "org.opencontainers.image.stopSignal": "SIGQUIT"}
    assert tare.run_detached(b).state()["annotations"] == b.config["annotations"]


@pytest.mark.parametrize("change,pointer", [
    (lambda b: b.process.update(cwd=7), "/process/cwd"),
    (lambda b: b.process.update(terminal="no"), "/process/terminal"),
    (lambda b: b.linux.update(rootfsPropagation="public"), "/linux/rootfsPropagation"),
    (lambda b: b.linux["namespaces"].append({"type": "mnt"}), "/linux/namespaces/4/type"),
    (lambda b: b.resources.update(pids={"limit": "many"}), "/linux/resources/pids/limit"),
    (lambda b: b.resources.update(memory={"limit": 1.5}), "/linux/resources/memory/limit"),
], ids=["cwd", "terminal", "propagation", "namespace", "pids", "memory"])
def test_A4_bad_value_of_a_known_property_is_an_error_with_its_place(tare, bundle, change, pointer):
    b = bundle()
    change(b)
    result, _ = tare.try_create(b)
    result.fails(pointer)
    assert [r for r in result.log if r["level"] == "error"][-1]["pointer"] == pointer


def test_Y24_command_that_nobody_has_is_refused_by_name(tare):
    done = subprocess.run([rt.binary(), "hibernate", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'unknown command "hibernate"' in done.stderr


def test_Y1_Y3_same_id_under_another_root_is_another_container(tare, bundle):
    c = tare.create(bundle(script="while :; do sleep 1; done"), id="twin")
    c.start().ok()
    other = rt.Runtime(tare.work)
    other.root = tare.work / "root" / "nested"
    b = bundle(script="while :; do sleep 1; done")
    b.linux["cgroupsPath"] = cgroup.path("other-twin")
    d = other.create(b, id="twin")
    assert (c.status, d.status) == ("running", "created")
    d.delete("--force").ok()
    other.root.rmdir()


def test_Y17_warning_does_not_change_the_outcome(tare, bundle):
    b = bundle(script="exit 3")
    b.process["capabilities"] = {"bounding": ["CAP_NOT_THERE"]}
    result = tare.run(b)
    assert result.status == 3 and any("CAP_NOT_THERE" in w for w in result.warnings)
