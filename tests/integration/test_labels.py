# SPDX-License-Identifier: GPL-2.0-or-later
"""
AppArmor and SELinux. What can be seen without them is that they are missed; the effects are seen in a guest that has them
(tests/vm), where these same tests run. Skipped with the reason elsewhere.
"""

import subprocess
from pathlib import Path

import pytest

PROFILE = "tare-test"
RULES = f"""
profile {PROFILE} flags=(attach_disconnected,mediate_deleted) {{
  file,
  capability,
  mount,
  signal,
  deny /denied rwklx,
}}
"""

pytestmark = pytest.mark.only("tare")


def has_apparmor():
    file = Path("/sys/module/apparmor/parameters/enabled")
    return file.exists() and file.read_text().startswith("Y")


def has_selinux():
    return Path("/sys/fs/selinux/enforce").exists()


with_apparmor = pytest.mark.skipif(not has_apparmor(), reason="this kernel has no AppArmor enabled")
without_apparmor = pytest.mark.skipif(has_apparmor(), reason="this kernel has AppArmor enabled")
with_selinux = pytest.mark.skipif(not has_selinux(), reason="this kernel has no SELinux enabled")
without_selinux = pytest.mark.skipif(has_selinux(), reason="this kernel has SELinux enabled")


@without_apparmor
def test_P8_profile_without_apparmor(tare, bundle):
    b = bundle()
    b.process["apparmorProfile"] = "docker-default"
    tare.run(b).fails('apply AppArmor profile "docker-default": AppArmor is not enabled on this host',
                      "/process/apparmorProfile")


@without_apparmor
def test_P8_unconfined_is_true_without_apparmor(tare, bundle):
    b = bundle(args=["echo", "free"])
    b.process["apparmorProfile"] = "unconfined"
    assert tare.run(b).ok().out == "free\n"


@without_selinux
def test_P9_label_without_selinux(tare, bundle):
    b = bundle()
    b.process["selinuxLabel"] = "system_u:system_r:x:s0"
    tare.run(b).fails('set SELinux label "system_u:system_r:x:s0": SELinux is not enabled', "/process/selinuxLabel")


@without_selinux
def test_L20_label_without_selinux(tare, bundle):
    b = bundle()
    b.linux["mountLabel"] = "system_u:object_r:x:s0"
    tare.run(b).fails('label mounts "system_u:object_r:x:s0": SELinux is not enabled', "/linux/mountLabel")


@pytest.fixture
def profile(tmp):
    """A profile that is loaded while the test runs."""
    file = tmp / "profile"
    file.write_text(RULES)
    subprocess.run(["apparmor_parser", "-r", "-K", file], check=True)
    yield PROFILE
    subprocess.run(["apparmor_parser", "-R", file], check=True)


@with_apparmor
@pytest.mark.parametrize("no_new_privileges", [True, False])
@pytest.mark.parametrize("user", [0, 1000])
def test_P8_Q9_program_runs_under_the_profile(tare, bundle, profile, no_new_privileges, user):
    b = bundle("docker", script="cat /proc/self/attr/current; cat /denied 2>&1; echo more >> /denied; true")
    (b.rootfs / "denied").write_text("secret\n")
    b.process["apparmorProfile"] = profile
    b.process["noNewPrivileges"] = no_new_privileges
    b.process["user"] = {"uid": user, "gid": user}
    out = tare.run(b).ok().out
    assert out.startswith(f"{profile} (enforce)\n") and "secret" not in out and "denied" in out
    assert (b.rootfs / "denied").read_text() == "secret\n"


@with_apparmor
def test_P8_profile_that_is_not_loaded(tare, bundle):
    b = bundle()
    b.process["apparmorProfile"] = "nobody-loaded-this"
    result = tare.run(b).fails("`/proc/self/attr/apparmor/exec`", "nobody-loaded-this", "/process/apparmorProfile")
    assert "apparmor_parser" in result.err


@with_apparmor
@pytest.mark.rows("X-5")
def test_P8_hooks_are_not_under_the_profile(tare, bundle, profile, tmp):
    b = bundle(script="cat /proc/self/attr/current")
    b.process["apparmorProfile"] = profile
    b.hook("startContainer", "/bin/sh", args=["sh", "-c", "cat /proc/self/attr/current > /seen"])
    assert tare.run(b).ok().out == f"{profile} (enforce)\n"
    assert (b.rootfs / "seen").read_text().strip() != f"{profile} (enforce)"
    (b.rootfs / "seen").unlink()


# Without a policy, as in our guest, the kernel takes every label of a process for its own initial one, and no mount can have any.
# So what is seen is that the label is written where the kernel wants it, and that a refusal is not lost.


@with_selinux
def test_P9_program_has_the_label(tare, bundle):
    b = bundle(script="cat /proc/self/attr/current")
    b.process["selinuxLabel"] = "kernel"
    assert tare.run(b).ok().out.strip("\0\n") == "kernel"


@with_selinux
def test_L20_mount_label_that_the_kernel_refuses(tare, bundle):
    b = bundle()
    b.config["mounts"].append({"destination": "/labelled", "type": "tmpfs", "source": "tmpfs"})
    b.linux["mountLabel"] = "system_u:object_r:nobody_knows_this_t:s0"
    tare.run(b).fails("EINVAL")
