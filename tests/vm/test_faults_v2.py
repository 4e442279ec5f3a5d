# SPDX-License-Identifier: GPL-2.0-or-later
"""
Faults on pure cgroup v2: of tests/integration/test_faults.py the steps that are others there, and a plan that gives its
cgroup away.
"""

import errno
import os

import pytest
import test_faults
from support.bundle import Bundle  # noqa: F401 (the plans are made of it)
from test_faults import faulty, prepared  # noqa: F401 (fixtures)
from test_cgroup_v2 import CGROUP, cgroup_mount

pytestmark = pytest.mark.skipif(not (CGROUP / "cgroup.controllers").exists(), reason="needs pure cgroup v2")

KINDS = {"make-cgroup", "write-cgroup", "attach-device-filter", "delegate-cgroup", "clone", "unshare-cgroup"}


def delegated(bundle):
    bundle.script("sleep 0.1").user_namespace().namespace("cgroup")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/sys/fs/cgroup"]
    bundle.config["mounts"].append(cgroup_mount(["rw"]))
    return bundle


test_faults.PLANS["delegated"] = delegated
CASES = [(name, step) for name, step in test_faults.cases() if step["kind"] in KINDS]
each_step = test_faults.each(CASES)


def test_the_plans_have_what_v2_has_of_its_own():
    assert KINDS <= {step["kind"] for _, step in CASES}


@each_step
def test_Y16_step_that_fails_leaves_nothing(faulty, prepared, name, step):  # noqa: F811
    test_faults.test_Y16_step_that_fails_leaves_nothing(faulty, prepared, name, step)


@each_step
def test_Z3_runtime_killed_at_a_step_is_cleaned_up_after(faulty, prepared, name, step):  # noqa: F811
    test_faults.test_Z3_runtime_killed_at_a_step_is_cleaned_up_after(faulty, prepared, name, step)


def test_K3_a_device_filter_that_may_not_be_loaded(faulty, prepared):  # noqa: F811
    index = next(step["index"] for name, step in CASES if name == "docker" and step["kind"] == "attach-device-filter")
    result = faulty.run(prepared("docker"), env=dict(os.environ, TARE_FAULT=f"{index}:{errno.EPERM}"))
    result.fails("load the device filter of", "not permitted (EPERM)", "/linux/resources/devices")
    assert "it needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, outside of any user namespace" in result.err
