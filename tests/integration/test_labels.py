# SPDX-License-Identifier: GPL-2.0-or-later
"""
AppArmor and SELinux. What can be seen without them is that they are missed; the effects are seen in a guest that has them
(tests/vm), where these same tests run. Skipped with the reason elsewhere.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from support.bundle import HOLD

PROFILE, OTHER_PROFILE = "tare-test", "tare-test-exec"
RULES = """
profile %s flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  mount,
  signal,
  deny /%s rwklx,
}
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
    """A profile that is loaded while the test runs, and another one beside it."""
    file = tmp / "profile"
    file.write_text(RULES % (PROFILE, "denied") + RULES % (OTHER_PROFILE, "denied-to-exec"))
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


# ---- exec ---------------------------------------------------------------------------------------------------------------

CURRENT = "/proc/self/attr/current"


@pytest.fixture
def running(tare, bundle):
    """A factory of running containers whose process has these members: running(apparmorProfile="x")."""
    def make(**members):
        b = bundle("docker", script=HOLD)
        (b.rootfs / "denied").write_text("secret\n")
        (b.rootfs / "denied-to-exec").write_text("secret of exec's\n")
        b.process.update(members)
        return tare.run_detached(b).wait_out("ready")
    return make


def process_json(tmp, **members):
    path = tmp / "process.json"
    path.write_text(json.dumps({"args": ["cat", CURRENT], "cwd": "/", "user": {"uid": 0, "gid": 0},
                                "env": ["PATH=/bin:/usr/bin"], **members}))
    return path


def still_works(c):
    """A refused exec leaves the container as it was."""
    assert c.status == "running"
    assert c.exec("echo", "on").ok().out == "on\n"


@without_apparmor
def test_P8_X1_exec_with_a_profile_without_apparmor(running):
    c = running()
    c.exec("true", options=["--apparmor", "docker-default"]).fails(
        'apply AppArmor profile "docker-default": AppArmor is not enabled on this host', status=255)
    assert c.exec("echo", "free", options=["--apparmor", "unconfined"]).ok().out == "free\n"
    still_works(c)


@without_selinux
def test_P9_X1_exec_with_a_label_without_selinux(running, tmp):
    c = running()
    for options in (["--process-label", "a:b:c:s0"], ["--process", process_json(tmp, selinuxLabel="a:b:c:s0")]):
        c.exec(*([] if "--process" in options else ["true"]), options=options).fails(
            'set SELinux label "a:b:c:s0": SELinux is not enabled on this host', status=255)
    still_works(c)


@with_apparmor
@pytest.mark.rows("X-3")
@pytest.mark.parametrize("user", ["0", "1000"])
@pytest.mark.parametrize("options", [[], ["--no-new-privs"]], ids=["plain", "no_new_privs"])
def test_P8_X1_exec_is_under_the_containers_profile(running, profile, user, options):
    c = running(apparmorProfile=profile, noNewPrivileges=False)
    result = c.exec("sh", "-c", f"cat {CURRENT}; cat /denied 2>&1; cat /denied-to-exec", options=["--user", user, *options]).ok()
    assert result.out.startswith(f"{profile} (enforce)\n") and "Permission denied" in result.out
    assert "secret\n" not in result.out and result.out.endswith("secret of exec's\n")


@with_apparmor
@pytest.mark.rows("X-3")
@pytest.mark.parametrize("base", [None, PROFILE], ids=["unconfined", "confined"])
def test_P8_X1_exec_under_a_profile_of_its_own(running, profile, tmp, base):
    """By option, by process.json, and the option's is the one if both say it."""
    c = running(**({"apparmorProfile": base} if base else {}))
    words = ["sh", "-c", f"cat {CURRENT}; cat /denied; cat /denied-to-exec 2>&1; true"]
    by_file = process_json(tmp, args=words, apparmorProfile=OTHER_PROFILE)
    for result in (c.exec(*words, options=["--apparmor", OTHER_PROFILE]), c.exec(options=["--process", by_file])):
        assert result.ok().out.startswith(f"{OTHER_PROFILE} (enforce)\nsecret\n") and "secret of exec's" not in result.out
    result = c.exec(options=["--process", by_file, "--apparmor", PROFILE]).ok()
    assert result.out.startswith(f"{PROFILE} (enforce)\n")
    assert c.exec("cat", CURRENT).ok().out == (f"{base} (enforce)\n" if base else "unconfined\n")
    assert c.exec("cat", CURRENT, options=["--apparmor", "unconfined"]).ok().out == "unconfined\n"


@with_apparmor
@pytest.mark.rows("Z-10")
def test_P8_X1_exec_under_a_profile_that_is_not_loaded(running, profile, tmp):
    c = running(apparmorProfile=profile)
    pid_file = tmp / "exec.pid"
    result = c.exec("true", options=["--apparmor", "nobody-loaded-this", "--pid-file", pid_file])
    result.fails("`/proc/self/attr/apparmor/exec`", "nobody-loaded-this", "/process/apparmorProfile", status=255)
    assert "apparmor_parser" in result.err and not pid_file.exists()
    still_works(c)


# Without a policy, as in our guest, the kernel takes the label of every process for its own first one, and no mount can have
# any. So what is seen is which label is written where the kernel wants it, that it takes it, and that a refusal is not lost.


@with_selinux
@pytest.mark.rows("X-3")
def test_P9_X1_exec_under_a_label(running, tmp):
    """The container's own, the option's, the file's, and the option's over the file's; for keys, too."""
    own, other, third = "u:r:own_t:s0", "u:r:other_t:s0", "u:r:third_t:s0:c1,c2"
    c = running(selinuxLabel=own)
    by_file = process_json(tmp, selinuxLabel=other)

    def labels(*words, options=()):
        trace = tmp / "trace"
        assert c.exec(*words, options=[*options, "--trace", trace]).ok().out.strip("\0\n") == "kernel"
        return re.findall(r"printf %s (\S+) > /proc/self/attr/(\S+)", trace.read_text())
    assert labels("cat", CURRENT) == [(own, "keycreate"), (own, "exec")]
    assert labels("cat", CURRENT, options=["--process-label", third]) == [(third, "keycreate"), (third, "exec")]
    assert labels(options=["--process", by_file]) == [(other, "keycreate"), (other, "exec")]
    assert labels(options=["--process", by_file, "--process-label", third]) == [(third, "keycreate"), (third, "exec")]


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
