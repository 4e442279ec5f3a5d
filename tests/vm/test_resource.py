# SPDX-License-Identifier: GPL-2.0-or-later
"""What needs CAP_SYS_RESOURCE to succeed: raising a hard limit, lowering the OOM score. Needs a guest."""

import resource

import pytest

CAP_SYS_RESOURCE = 24


def has_cap_sys_resource():
    with open("/proc/self/status") as status:
        effective = next(line for line in status if line.startswith("CapEff:"))
    return int(effective.split()[1], 16) >> CAP_SYS_RESOURCE & 1


pytestmark = pytest.mark.skipif(not has_cap_sys_resource(), reason="needs CAP_SYS_RESOURCE")

WHERE = [pytest.param(False, id="host-ids"), pytest.param(True, id="user-namespace")]


def make(bundle, script, in_user_namespace):
    b = bundle(script=script)
    return b.user_namespace() if in_user_namespace else b


def lower_hard_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))


@pytest.mark.smoke
@pytest.mark.parametrize("in_user_namespace", WHERE)
def test_P7_hard_limit_is_raised_above_the_runtimes(tare, bundle, in_user_namespace):
    b = make(bundle, "ulimit -Sn; ulimit -Hn", in_user_namespace)
    b.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 1000, "hard": 4000}]
    assert tare.run(b, before=lower_hard_limit).ok().out.split() == ["1000", "4000"]


@pytest.mark.smoke
@pytest.mark.parametrize("in_user_namespace", WHERE)
def test_P12_score_is_lowered(tare, bundle, in_user_namespace):
    b = make(bundle, "cat /proc/self/oom_score_adj", in_user_namespace)
    b.process["oomScoreAdj"] = -700
    result = tare.run(b).ok()
    assert result.out.strip() == "-700"
    assert result.warnings == []


@pytest.mark.parametrize("in_user_namespace", WHERE)
def test_P13_real_time_needs_no_limit(tare, bundle, in_user_namespace):
    """CAP_SYS_NICE is the runtime's, not the container's."""
    b = make(bundle, "cut -d ' ' -f 40,41 /proc/self/stat", in_user_namespace)
    b.process["scheduler"] = {"policy": "SCHED_FIFO", "priority": 7}
    assert tare.run(b).ok().out.split() == ["7", "1"]
