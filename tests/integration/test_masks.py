# SPDX-License-Identifier: GPL-2.0-or-later
"""maskedPaths and readonlyPaths."""

import os

import pytest

from support import mountinfo

only_tare = pytest.mark.only("tare")


def masked(bundle, paths, script, base="minimal"):
    b = bundle(base, script=script)
    b.linux["maskedPaths"] = paths
    return b


def readonly(bundle, paths, script):
    b = bundle(script=script)
    b.linux["readonlyPaths"] = paths
    return b


def test_L18_a_file_becomes_dev_null(tare, bundle):
    b = masked(bundle, ["/etc/passwd", "/proc/timer_list"], "cat /etc/passwd /proc/timer_list | wc -c; stat -c %t:%T /etc/passwd; echo x >/etc/passwd")
    assert tare.run(b).ok().out.split() == ["0", "1:3"]
    assert "root" in (b.rootfs / "etc/passwd").read_text()


def test_L18_M16_a_directory_becomes_empty_and_read_only(tare, bundle):
    b = masked(bundle, ["/etc", "/proc/acpi"], "ls -A /etc /proc/acpi; touch /etc/x; cat /proc/self/mountinfo")
    result = tare.run(b)
    assert result.out.startswith("/etc:\n\n/proc/acpi:\n")
    assert "Read-only file system" in result.err
    m = mountinfo.at(result.out, "/etc")
    assert m.fstype == "tmpfs" and "ro" in m.flags
    assert (b.rootfs / "etc/passwd").exists()


@only_tare
def test_M16_the_empty_directory_can_not_be_made_writable(tare, bundle):
    """One tmpfs hides all: its superblock is read-only too, so that clearing the flag of one mount gives nothing."""
    b = masked(bundle, ["/etc"], "mount -o remount,bind,rw /etc; touch /etc/x")
    b.process["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    result = tare.run(b)
    assert "touch: /etc/x: Read-only file system" in result.err


def test_L18_a_missing_path_is_ignored(tare, bundle):
    tare.run(masked(bundle, ["/nowhere/at/all", "/etc/passwd/below"], "test ! -e /nowhere")).ok()


def test_L18_many_paths(tare, bundle):
    b = masked(bundle, [f"/etc/f{i}" for i in range(100)] + [f"/etc/d{i}" for i in range(100)],
               "cat /etc/f* | wc -c; find /etc/d* | wc -l")
    for i in range(100):
        (b.rootfs / f"etc/f{i}").write_text("x")
        (b.rootfs / f"etc/d{i}/x").mkdir(parents=True)
    assert tare.run(b).ok().out.split() == ["0", "100"]


def test_L18_a_link_is_masked_where_it_leads(tare, bundle):
    b = masked(bundle, ["/etc/link"], "cat /etc/passwd | wc -c")
    os.symlink("passwd", b.rootfs / "etc/link")
    assert tare.run(b).ok().out == "0\n"


def test_L18_a_mount_is_masked(tare, bundle, tmp):
    (tmp / "secret").write_text("secret")
    b = masked(bundle, ["/data/secret"], "cat /data/secret | wc -c").mount("/data", "bind", tmp, ["bind"])
    assert tare.run(b).ok().out == "0\n"


def test_L18_in_a_user_namespace(tare, bundle):
    b = masked(bundle, ["/proc/timer_list", "/proc/keys", "/proc/acpi", "/etc/passwd"],
               "cat /proc/timer_list /proc/keys /etc/passwd | wc -c; ls -A /proc/acpi").user_namespace()
    assert tare.run(b).ok().out.split() == ["0"]


@only_tare
@pytest.mark.parametrize("user_namespace", [True, False])
def test_X7_M16_masks_can_not_be_taken_away_in_a_nested_user_namespace(tare, bundle, user_namespace):
    """It has every capability there, and may umount what it has mounted; but what it got with its mounts is locked."""
    take_away = ("mount -t tmpfs t /tmp && umount /tmp && echo may; umount /proc/version; umount /etc; cat /proc/version | wc -c; ls /etc")
    b = masked(bundle, ["/proc/version", "/etc"], f"unshare -U -r -m sh -c '{take_away}'")
    b.process["user"] = {"uid": 1000, "gid": 1000}  # root without CAP_SETFCAP may not map itself
    result = tare.run(b.user_namespace() if user_namespace else b)
    assert result.out.split() == ["may", "0"], result.describe()
    assert result.err.count("Invalid argument") == 2


@pytest.mark.parametrize("target", ["/proc/sys/kernel/core_pattern", "/etc/passwd", "nowhere"])
def test_X7_dev_null_of_the_image_is_not_used(tare, bundle, target):
    """CVE-2025-31133: an image's /dev/null that is a link must not become the cover."""
    b = masked(bundle, ["/etc/hosts"], "stat -L -c %t:%T /etc/hosts; cat /etc/hosts | wc -c; ls -ld /dev/null").mount("/dev", "tmpfs", "tmpfs")
    os.symlink(target, b.rootfs / "dev/null")
    out = tare.run(b).ok().out
    assert out.startswith("1:3\n0\n")


@only_tare
def test_X7_dev_null_that_is_a_link_in_the_rootfs_is_refused(tare, bundle):
    b = masked(bundle, ["/etc/hosts"], "true")
    os.symlink("/proc/sys/kernel/core_pattern", b.rootfs / "dev/null")
    tare.run(b).fails('make device "/dev/null" (c 1:3): something else has that name')


@only_tare
@pytest.mark.parametrize("path", ["/", "/..", "//"])
def test_L18_the_root_itself_can_not_be_masked(tare, bundle, path):
    tare.run(masked(bundle, [path], "true")).fails('mask "/": nothing would be left of the container', "/linux/maskedPaths/0")


@only_tare
def test_L19_the_root_itself_can_be_read_only(tare, bundle):
    assert "Read-only file system" in tare.run(readonly(bundle, ["/"], "touch /x")).err


def test_L19_path_is_read_only(tare, bundle):
    b = readonly(bundle, ["/etc", "/data/file"], "touch /etc/x; echo y >/data/file; cat /data/file; touch /data/other && echo other")
    (b.rootfs / "data/file").write_text("x\n")
    result = tare.run(b)
    assert result.out == "x\nother\n"
    assert result.err.count("Read-only file system") == 2


def test_L19_M17_flags_are_kept(tare, bundle):
    out = tare.run(readonly(bundle, ["/proc/sys", "/etc"], "cat /proc/self/mountinfo")).ok().out
    assert {"ro", "nosuid", "nodev", "noexec"} <= mountinfo.at(out, "/proc/sys").flags
    assert not {"nosuid", "nodev", "noexec"} & mountinfo.at(out, "/etc").flags


def test_L19_M17_flags_are_kept_in_a_user_namespace(tare, bundle):
    out = tare.run(readonly(bundle, ["/proc/sys"], "cat /proc/self/mountinfo").user_namespace()).ok().out
    assert {"ro", "nosuid", "nodev", "noexec"} <= mountinfo.at(out, "/proc/sys").flags


def test_L19_a_missing_path_is_ignored(tare, bundle):
    tare.run(readonly(bundle, ["/nowhere"], "true")).ok()


@only_tare
def test_L19_mounts_below_are_read_only_as_well(tare, bundle):
    b = readonly(bundle, ["/data"], "touch /data/sub/x").mount("/data", "tmpfs", "t").mount("/data/sub", "tmpfs", "t")
    assert "Read-only file system" in tare.run(b).err


@only_tare
def test_L18_L19_masked_inside_of_read_only(tare, bundle):
    b = readonly(bundle, ["/etc"], "cat /etc/passwd | wc -c; touch /etc/x")
    b.linux["maskedPaths"] = ["/etc/passwd"]
    result = tare.run(b)
    assert result.out == "0\n" and "Read-only file system" in result.err


def test_L18_L19_as_engines_send_them(tare, bundle):
    b = bundle("docker", script="for p in /proc/keys /proc/timer_list; do cat $p | wc -c; done; ls -A /sys/firmware /proc/acpi; "
                                "echo 1 >/proc/sys/kernel/shmmax")
    result = tare.run(b)
    assert result.out.split() == ["0", "0", "/proc/acpi:", "/sys/firmware:"]
    assert "Read-only file system" in result.err
