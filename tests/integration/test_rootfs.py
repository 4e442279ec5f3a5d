# SPDX-License-Identifier: GPL-2.0-or-later
"""The container's root: pivot, no pivot, read-only, propagation, and configs without a mount namespace."""

import os
import subprocess

import pytest

from support import mountinfo

MOUNTINFO = "cat /proc/self/mountinfo"

only_tare = pytest.mark.only("tare")


def sh(*args):
    subprocess.run(args, check=True, capture_output=True)


def with_admin(b):
    b.process["capabilities"] = {k: ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"] for k in ("bounding", "effective", "permitted")}
    return b


def test_A7_missing_rootfs(tare, bundle):
    b = bundle(args=["/bin/true"])
    b.config["root"]["path"] = "nowhere"
    assert tare.run(b).status != 0


@pytest.mark.parametrize("absolute", [True, False])
def test_A7_root_path(tare, bundle, absolute):
    b = bundle(script="cat /etc/passwd | head -n1")
    if absolute:
        b.config["root"]["path"] = str(b.rootfs)
    assert tare.run(b).ok().out.startswith("root:")


def test_M4_nothing_of_the_host_is_visible(tare, bundle):
    out = tare.run(bundle(script=MOUNTINFO)).ok().out
    assert [m.target for m in mountinfo.parse(out)] == ["/", "/proc"]


def test_M4_the_old_root_is_out_of_reach(tare, bundle):
    b = with_admin(bundle(script="mkdir -p /tmp/x; cd /tmp; chroot /tmp/x /nothing 2>/dev/null; cd ../../../../..; ls; umount / 2>&1; " + MOUNTINFO))
    out = tare.run(b).ok().out
    assert "etc\n" in out and len(mountinfo.parse(out)) == 2


def test_M3_the_hosts_mounts_do_not_change(tare, bundle):
    before = open("/proc/self/mountinfo").read()
    tare.run(bundle("docker", args=["/bin/true"])).ok()
    assert open("/proc/self/mountinfo").read() == before


def test_A8_read_only_root(tare, bundle):
    b = bundle("docker", script="touch /x; touch /dev/shm/y && ls /dev/null; " + MOUNTINFO)
    b.config["root"]["readonly"] = True
    result = tare.run(b)
    assert "touch: /x: Read-only file system" in result.err
    assert "/dev/null" in result.out
    assert "ro" in mountinfo.at(result.out, "/").flags


@only_tare
def test_M18_read_only_root_is_filled_first(tare, bundle, tmp):
    b = bundle(script="ls -d /made/here /dev/null /dev/fd").mount("/made/here", "bind", tmp, ["bind"])
    b.config["root"]["readonly"] = True
    assert tare.run(b).ok().out.split() == ["/dev/fd", "/dev/null", "/made/here"]
    assert (b.rootfs / "made/here").is_dir()


@only_tare
def test_A8_the_rootfs_stays_writable_on_the_host(tare, bundle):
    b = bundle(args=["sleep", "60"])
    b.config["root"]["readonly"] = True
    tare.run_detached(b)
    (b.rootfs / "etc/new").write_text("x")


@pytest.mark.parametrize("word,peers", [("shared", {"shared"}), ("slave", set()), ("private", set()),
                                        ("unbindable", {"unbindable"})])
def test_L17_rootfs_propagation(tare, bundle, word, peers):
    b = bundle(script=MOUNTINFO)
    b.linux["rootfsPropagation"] = word
    assert set(mountinfo.at(tare.run(b).ok().out, "/").peers) - {"master"} == peers


@only_tare
@pytest.mark.parametrize("word,peers", [("rshared", {"shared"}), ("runbindable", {"unbindable"})])
def test_L17_recursive_propagation_reaches_mounts(tare, bundle, word, peers):
    b = bundle(script=MOUNTINFO)
    b.linux["rootfsPropagation"] = word
    out = tare.run(b).ok().out
    assert set(mountinfo.at(out, "/").peers) == set(mountinfo.at(out, "/proc").peers) == peers


def test_L17_the_default_is_private(tare, bundle):
    assert mountinfo.at(tare.run(bundle(script=MOUNTINFO)).ok().out, "/").peers == {}


@only_tare
def test_M3_slave_root_receives_what_the_host_mounts_below_its_rootfs(tare, bundle):
    b = bundle(args=["sleep", "60"])
    b.linux["rootfsPropagation"] = "rslave"
    sh("mount", "--bind", b.rootfs, b.rootfs)
    try:
        c = tare.run_detached(b)
        sh("mount", "-t", "tmpfs", "fromhost", b.rootfs / "data")
        try:
            assert mountinfo.at(open(f"/proc/{c.pid}/mountinfo").read(), "/data").source == "fromhost"
        finally:
            sh("umount", b.rootfs / "data")
        c.kill("KILL").ok()
        c.wait("stopped").delete().ok()
    finally:
        sh("umount", b.rootfs)


@only_tare
def test_L17_unbindable_root_is_masked_all_the_same(tare, bundle):
    b = bundle(script="cat /etc/passwd | wc -c; touch /data/x")
    b.linux.update(rootfsPropagation="unbindable", maskedPaths=["/etc/passwd"], readonlyPaths=["/data"])
    result = tare.run(b)
    assert result.out == "0\n" and "Read-only file system" in result.err


def test_M25_flags_of_the_rootfs_are_kept(tare, bundle):
    b = bundle(script=MOUNTINFO)
    sh("mount", "--bind", b.rootfs, b.rootfs)
    sh("mount", "-o", "remount,bind,nosuid,nodev,noatime", b.rootfs)
    try:
        out = tare.run(b).ok().out
    finally:
        sh("umount", b.rootfs)
    assert {"nosuid", "nodev", "noatime"} <= mountinfo.at(out, "/").flags


def test_A7_mounts_below_the_rootfs_come_along(tare, bundle):
    b = bundle(script="cat /data/file; " + MOUNTINFO)
    sh("mount", "-t", "tmpfs", "below", b.rootfs / "data")
    (b.rootfs / "data/file").write_text("below\n")
    try:
        out = tare.run(b).ok().out
    finally:
        sh("umount", b.rootfs / "data")
    assert out.startswith("below\n") and mountinfo.at(out, "/data").peers == {}


# ---- no pivot -------------------------------------------------------------------------------------------------------


def test_M5_no_pivot(tare, bundle):
    b = bundle(script="head -n1 /etc/passwd; cd ../../..; ls")
    out = tare.run(b, "--no-pivot").ok().out
    assert out.startswith("root:") and "etc\n" in out


@only_tare
@pytest.mark.parametrize("options", [[], ["--no-pivot"]], ids=["pivot", "no-pivot"])
def test_M5_no_procfs_of_the_host_stays_to_allow_an_unmasked_one(tare, bundle, options):
    """
    The kernel lets a user namespace mount a new proc only if one without anything on it is there already. The container's
    own has masks; if the host's stayed out of sight in the mount namespace, a nested container could see everything.
    """
    b = bundle(script="mkdir /tmp/p; unshare -U -r -m -p -f mount -t proc proc /tmp/p && echo mounted")
    b.linux["maskedPaths"] = ["/proc/timer_list"]
    b.process["user"] = {"uid": 1000, "gid": 1000}  # root without CAP_SETFCAP may not map itself
    result = tare.run(b, *options)
    assert "mounted" not in result.out
    assert "mount: permission denied" in result.err


@only_tare
def test_M5_no_pivot_in_a_user_namespace(tare, bundle):
    """Its inherited mounts are locked and can't be unmounted, so they are covered."""
    b = bundle(script="ls /proc/1/comm; head -n1 /etc/passwd").user_namespace()
    assert tare.run(b, "--no-pivot").ok().out.startswith("/proc/1/comm\nroot:")


# ---- "/" as the rootfs ----------------------------------------------------------------------------------------------


@only_tare
def test_M19_root_path_slash(tare, bundle):
    b = bundle(args=["/bin/sh", "-c", f"ls -d {os.getcwd()} && mountpoint -q / && echo mine > /proc/self/comm; cat /proc/self/comm"])
    b.config["root"]["path"] = "/"
    b.config["mounts"] = []
    assert os.getcwd() in tare.run(b).ok().out


@only_tare
def test_M19_root_path_slash_changes_nothing_in_dev(tare, bundle):
    before = {n: os.lstat("/dev/" + n) for n in ("ptmx", "null", "fd")}
    b = bundle(args=["/bin/true"]).mount("/dev/pts", "devpts", "devpts", ["newinstance"])
    b.config["root"]["path"] = "/"
    tare.run(b).ok()
    for name, st in before.items():
        now = os.lstat("/dev/" + name)
        assert (now.st_ino, now.st_mode, now.st_rdev) == (st.st_ino, st.st_mode, st.st_rdev)


# ---- without a mount namespace --------------------------------------------------------------------------------------


def bare(bundle, args):
    b = bundle(args=args).without_namespace("mount").without_namespace("pid")
    b.config["mounts"] = []
    return b


@only_tare
def test_L2_without_a_mount_namespace_there_is_chroot(tare, bundle):
    before = open("/proc/self/mountinfo").read()
    assert tare.run(bare(bundle, ["/bin/ls", "/"])).ok().out.split()[:3] == ["bin", "data", "dev"]
    assert open("/proc/self/mountinfo").read() == before


REFUSED = [("mounts", "/mounts", lambda b: b.mount("/tmp", "tmpfs", "t")),
           ("maskedPaths", "/linux/maskedPaths", lambda b: b.linux.update(maskedPaths=["/etc"])),
           ("readonlyPaths", "/linux/readonlyPaths", lambda b: b.linux.update(readonlyPaths=["/etc"])),
           ("a read-only root", "/root/readonly", lambda b: b.config["root"].update(readonly=True)),
           ("rootfsPropagation", "/linux/rootfsPropagation", lambda b: b.linux.update(rootfsPropagation="private"))]


@only_tare
@pytest.mark.parametrize("what,pointer,change", REFUSED, ids=[r[0] for r in REFUSED])
def test_L2_what_would_change_the_host_is_refused(tare, bundle, what, pointer, change):
    b = bare(bundle, ["/bin/true"])
    change(b)
    tare.run(b).fails(f"{what} would change the host: there is no new mount namespace", pointer)


@only_tare
def test_L2_joined_mount_namespace(tare, bundle, tmp):
    holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sleep", "60"])
    try:
        while os.readlink(f"/proc/{holder.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
            pass
        b = bare(bundle, ["/bin/cat", "/etc/passwd"]).namespace("mount", f"/proc/{holder.pid}/ns/mnt")
        assert tare.run(b).ok().out.startswith("root:")
        b.mount("/tmp", "tmpfs", "t")
        tare.run(b).fails("mounts would change the joined mount namespace", "/mounts")
    finally:
        holder.kill()
        holder.wait()
