# SPDX-License-Identifier: GPL-2.0-or-later
"""The five capability sets, read back from the container's /proc/self/status."""

import pytest

from support.bundle import CAPABILITIES

BITS = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_FSETID": 4, "CAP_KILL": 5, "CAP_SETGID": 6,
        "CAP_SETUID": 7, "CAP_SETPCAP": 8, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_RAW": 13, "CAP_SYS_CHROOT": 18,
        "CAP_SYS_ADMIN": 21, "CAP_SYS_RESOURCE": 24, "CAP_MKNOD": 27, "CAP_AUDIT_WRITE": 29, "CAP_SETFCAP": 31,
        "CAP_CHECKPOINT_RESTORE": 40}
SHOW = ["grep", "^Cap", "/proc/self/status"]


def own_sets():
    with open("/proc/self/status") as f:
        return {l.split(":")[0]: int(l.split()[1], 16) for l in f if l.startswith("Cap")}


def last_cap():
    with open("/proc/sys/kernel/cap_last_cap") as f:
        return int(f.read())


def mask(names):
    return sum(1 << BITS[n] for n in names)


def sets_of(result):
    return {l.split(":")[0]: int(l.split()[1], 16) for l in result.ok().out.splitlines()}


def with_caps(b, **sets):
    b.process["capabilities"] = sets
    return b


def test_P10_absent_object_is_nothing(tare, bundle):
    assert set(sets_of(tare.run(bundle(args=SHOW))).values()) == {0}


def test_P10_empty_object_is_nothing(tare, bundle):
    assert set(sets_of(tare.run(with_caps(bundle(args=SHOW)))).values()) == {0}


def test_P10_Q4_root_gets_its_bounding_set(tare, bundle):
    some = ["CAP_CHOWN", "CAP_KILL"]
    sets = sets_of(tare.run(with_caps(bundle(args=SHOW), bounding=some, permitted=some, effective=some)))
    assert sets == {"CapInh": 0, "CapPrm": mask(some), "CapEff": mask(some), "CapBnd": mask(some), "CapAmb": 0}


def test_P10_docker_set(tare, bundle):
    sets = sets_of(tare.run(bundle("docker", args=SHOW)))
    assert sets == {"CapInh": 0, "CapPrm": mask(CAPABILITIES), "CapEff": mask(CAPABILITIES),
                    "CapBnd": mask(CAPABILITIES), "CapAmb": 0}


def test_P10_user_has_none_without_ambient(tare, bundle):
    b = with_caps(bundle(args=SHOW), bounding=CAPABILITIES, permitted=CAPABILITIES, effective=CAPABILITIES)
    b.process["user"] = {"uid": 1000, "gid": 1000}
    assert sets_of(tare.run(b)) == {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": mask(CAPABILITIES), "CapAmb": 0}


@pytest.mark.parametrize("no_new_privs", [True, False])
@pytest.mark.parametrize("seccomp", [True, False])
def test_P10_Q4_Q5_user_with_ambient(tare, bundle, no_new_privs, seccomp):
    some, one = ["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"], ["CAP_NET_BIND_SERVICE"]
    b = with_caps(bundle(args=SHOW), bounding=some, permitted=some, effective=some, inheritable=some, ambient=one)
    b.process["user"] = {"uid": 1000, "gid": 1000}
    b.process["noNewPrivileges"] = no_new_privs
    if seccomp:
        b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    assert sets_of(tare.run(b)) == {"CapInh": mask(some), "CapPrm": mask(one), "CapEff": mask(one),
                                    "CapBnd": mask(some), "CapAmb": mask(one)}


@pytest.mark.parametrize("uid", [0, 1000])
def test_Q5_admin_is_gone_after_the_filter(tare, bundle, uid):
    some = ["CAP_CHOWN"]
    b = with_caps(bundle(args=SHOW), bounding=some, permitted=some, effective=some, inheritable=some, ambient=some)
    b.process["user"] = {"uid": uid, "gid": uid}
    b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    assert set(sets_of(tare.run(b)).values()) == {mask(some)}


def test_X13_inheritable_is_empty_unless_asked_for(tare, bundle):
    b = with_caps(bundle(args=SHOW), bounding=CAPABILITIES, permitted=CAPABILITIES, effective=CAPABILITIES)
    assert sets_of(tare.run(b))["CapInh"] == 0


def test_P10_user_namespace(tare, bundle):
    some = ["CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_SYS_RESOURCE"]
    b = with_caps(bundle(args=SHOW).user_namespace(), bounding=some, permitted=some, effective=some)
    result = tare.run(b)
    sets = sets_of(result)
    assert sets["CapEff"] == sets["CapBnd"] == mask(some)
    assert not result.warnings


@pytest.mark.only("tare")
def test_P10_unknown_name_is_a_warning(tare, bundle):
    some = ["CAP_KILL", "CAP_FLY"]
    result = tare.run(with_caps(bundle(args=SHOW), bounding=some, permitted=some))
    assert sets_of(result)["CapBnd"] == mask(["CAP_KILL"])
    assert any("CAP_FLY" in w for w in result.warnings)


@pytest.mark.only("tare")
def test_P10_capability_that_we_lack_is_a_warning(tare, bundle):
    if own_sets()["CapPrm"] >> BITS["CAP_SYS_RESOURCE"] & 1:
        pytest.skip("this host's root has CAP_SYS_RESOURCE")
    some = ["CAP_KILL", "CAP_SYS_RESOURCE"]
    result = tare.run(with_caps(bundle(args=SHOW), bounding=some, permitted=some, effective=some))
    assert sets_of(result)["CapEff"] == mask(["CAP_KILL"])
    lines = [w for w in result.warnings if "CAP_SYS_RESOURCE" in w]
    assert len(lines) == 1 and "which the runtime lacks itself" in lines[0]


@pytest.mark.only("tare")
@pytest.mark.parametrize("sets, warning", [
    ({"effective": ["CAP_KILL"]}, "effective set, since they are not in the permitted one: CAP_KILL"),
    ({"inheritable": ["CAP_KILL"]}, "inheritable set, since they are not in the bounding one: CAP_KILL"),
    ({"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]},
     "ambient set, since they are not both permitted and inheritable: CAP_KILL"),
])
def test_P10_sets_that_do_not_fit_are_a_warning(tare, bundle, sets, warning):
    result = tare.run(with_caps(bundle(args=SHOW), **sets)).ok()
    assert any(warning in w for w in result.warnings)


def test_P10_everything_that_the_kernel_has(tare, bundle):
    names = [n for n in BITS if own_sets()["CapPrm"] >> BITS[n] & 1 and BITS[n] <= last_cap()]
    sets = sets_of(tare.run(with_caps(bundle(args=SHOW), bounding=names, permitted=names, effective=names)))
    assert sets["CapEff"] == mask(names)


def test_P10_effect_of_a_missing_one(tare, bundle):
    b = with_caps(bundle(script="chown 1 /tmp"), bounding=["CAP_KILL"], permitted=["CAP_KILL"], effective=["CAP_KILL"])
    result = tare.run(b)
    assert result.status == 1 and "Operation not permitted" in result.err
