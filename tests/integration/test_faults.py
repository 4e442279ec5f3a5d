# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every step of a plan fails once, and the runtime is killed at every step once. The cases come from the plan itself, by
`explain --format json`: a new step is tested as soon as it exists.

A build with -Dfaults=true lets the first system call of a step fail (TARE_FAULT=index:errno) or kills the runtime before a
step (TARE_KILL_AT=index). What must hold: the command fails, its error names the step, and nothing is left, which
the leak fixture sees to; after a kill, the next command on that id removes the rest.
"""

import errno
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import cgroup, mountinfo
from support import runtime as rt
from support.bundle import Bundle, Template

BINARY = os.environ.get("TARE_OCI_FAULTS") or str(rt.REPO / "build-faults/tare-oci")

# These are allowed to fail: the plan goes on, and the log has a warning instead.
MAY_FAIL = {"reset-cpu-affinity", "own-stdio"}


def docker(bundle):
    bundle.script("sleep 0.1")
    bundle.hook("prestart", "/bin/true")
    bundle.hook("createRuntime", "/bin/true")
    bundle.hook("createContainer", "/bin/true")
    bundle.hook("startContainer", "/bin/true")
    return bundle


def user_namespace(bundle):
    return bundle.script("sleep 0.1").user_namespace()


def delegated(bundle):
    """On pure v2: the container's root is given its cgroup."""
    user_namespace(bundle).namespace("cgroup")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/sys/fs/cgroup"]
    return bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["rw"])


PLANS = {"docker": docker, "userns": user_namespace}
# Of this one only what is about cgroups: the rest is userns' once more.
DELEGATED_KINDS = {"make-cgroup", "start-unit", "write-cgroup", "attach-device-filter", "delegate-cgroup", "clone", "unshare-cgroup"}
if cgroup.V2_ONLY:
    PLANS["delegated"] = delegated


def steps_of(prepare):
    """The plan's steps on this host, as explain prints them."""
    work = Path(tempfile.mkdtemp(prefix="tare-plan-"))
    work.chmod(0o755)
    try:
        bundle = prepare(Bundle(work / "bundle", Template(work), "docker"))
        bundle.write()
        done = subprocess.run([BINARY, *rt.GLOBALS, "explain", "--bundle", bundle.path, "--format", "json"], capture_output=True,
                              text=True, check=True)
        return json.loads(done.stdout)["steps"]
    finally:
        shutil.rmtree(work)


def cases():
    if rt.flavour() != "tare" or rt.sanitized() or not Path(BINARY).exists():
        return []
    return [(name, step) for name, prepare in PLANS.items() for step in steps_of(prepare)
            if name != "delegated" or step["kind"] in DELEGATED_KINDS]


def each(chosen):
    return pytest.mark.parametrize(
        "name,step", chosen, ids=[f"{name}-{step['index']}-{step['who']}-{step['kind']}" for name, step in chosen])


CASES = cases()
DOCKER_KINDS = {step["kind"] for name, step in CASES if name == "docker"}
each_step = each(CASES)
# Being killed is a matter of the step's kind and its place, not of the namespaces: of the second plan only what is new.
each_place = each([(name, step) for name, step in CASES if name == "docker" or step["kind"] not in DOCKER_KINDS])


@pytest.fixture
def faulty(tare):
    tare.path = BINARY
    return tare


@pytest.fixture
def prepared(bundle):
    """Bundles by the plan's name."""
    return lambda name: PLANS[name](bundle("docker"))


@pytest.mark.skipif(bool(CASES), reason="there is a build with the fault table")
def test_faults_need_their_build():
    pytest.skip("sanitizer build: faults are tested by the plain one" if rt.sanitized()
                else f"no build with the fault table at {Path(BINARY).name}, or not tare")


@each_step
def test_Y16_step_that_fails_leaves_nothing(faulty, prepared, name, step):
    env = dict(os.environ, TARE_FAULT=f"{step['index']}:{errno.EIO}")
    result = faulty.run(prepared(name), env=env, timeout=20)
    if step["kind"] in MAY_FAIL and result.status == 0:
        return
    result.fails("EIO")
    record = [r for r in result.log if r["level"] == "error"][-1]
    assert record.get("step") == step["kind"], result.describe()
    # A step for several properties (both id maps, user and groups) names the one at fault.
    around = step["pointer"].rpartition("/")[0]
    assert record.get("pointer", "").startswith(around), result.describe()


@each_place
def test_Z3_runtime_killed_at_a_step_is_cleaned_up_after(faulty, prepared, name, step):
    b = prepared(name)
    # A session of its own, so that nothing that the build kills is ours.
    faulty.run(b, id="killed", env=dict(os.environ, TARE_KILL_AT=str(step["index"])), before=os.setsid, timeout=20)
    if step["index"] % 3 == 0 and faulty.root.exists():
        assert all(c["status"] in ("creating", "created", "running", "stopped") for c in faulty.list().values())
    if step["index"] % 3 == 1:
        result, container = faulty.try_create(b, id="killed", write=False)
        if result.status:
            result.fails("exist")
    faulty.delete("--force", "killed").ok()
    assert faulty.list() == {}


@cgroup.v2
@pytest.mark.skipif(not CASES, reason="no build with the fault table")
def test_the_plans_have_what_v2_has_of_its_own():
    assert {"attach-device-filter", "delegate-cgroup"} <= {step["kind"] for _, step in CASES}


@cgroup.v2
@pytest.mark.skipif(not CASES, reason="no build with the fault table")
def test_K3_a_device_filter_that_may_not_be_loaded(faulty, prepared):
    index = next(step["index"] for name, step in CASES if name == "docker" and step["kind"] == "attach-device-filter")
    result = faulty.run(prepared("docker"), env=dict(os.environ, TARE_FAULT=f"{index}:{errno.EPERM}"))
    result.fails("load the device filter of", "not permitted (EPERM)", "/linux/resources/devices")
    assert "it needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, outside of any user namespace" in result.err


# ---- kernels before 6.15 --------------------------------------------------------------------------------------------


def index_of(faulty, bundle, kind, pointer):
    """The number of a step, as explain has it."""
    bundle.write()
    plan = json.loads(faulty.call("explain", "--bundle", bundle.path, "--format", "json").ok().out)
    return next(s["index"] for s in plan["steps"] if (s["kind"], s["pointer"]) == (kind, pointer))


@pytest.mark.skipif(not CASES, reason="no build with the fault table")
@pytest.mark.parametrize("options", ["rbind ro", "bind nosuid nodev rslave", "rbind rro rnoexec", "bind rnosuid ro noatime"])
def test_B6_M1_without_open_tree_attr_two_calls_do_the_same(faulty, bundle, tmp, options):
    (tmp / "volume").mkdir()
    b = bundle(script="cat /proc/self/mountinfo").mount("/data", None, tmp / "volume", options.split())
    index = index_of(faulty, b, "open-source", "/mounts/1")
    seen = []
    for fault in ({}, {"TARE_FAULT": f"{index}:{errno.ENOSYS}"}):
        mount = mountinfo.at(faulty.run(b, env=dict(os.environ, **fault)).ok().out, "/data")
        seen.append((mount.flags, mount.sb, set(mount.peers)))
    assert seen[0] == seen[1]
