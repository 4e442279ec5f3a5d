# SPDX-License-Identifier: GPL-2.0-or-later
"""Images and volumes that try to lead the runtime out of the rootfs. Each test bears the rows with the CVEs."""

import os
import subprocess

import pytest

from support import mountinfo

MOUNTINFO = "cat /proc/self/mountinfo"

only_tare = pytest.mark.only("tare")


def replace_by_link(b, name, target):
    """Make a directory of the rootfs a link."""
    path = b.rootfs / name
    path.rmdir()
    os.symlink(target, path)


# ---- /proc and /sys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,fstype", [("proc", "proc"), ("sys", "sysfs")])
@pytest.mark.parametrize("target", ["/tmp/x", "../../../../tmp", "etc"])
def test_X4_M9_proc_and_sys_must_be_real_directories(tare, bundle, name, fstype, target):
    b = bundle(args=["/bin/true"])
    b.config["mounts"] = []
    b.mount(f"/{name}", fstype, fstype)
    replace_by_link(b, name, target)
    result = tare.run(b)
    if tare.path.endswith("tare-oci"):
        result.fails(f'open "/{name}" in the rootfs: it must be a real directory', "/mounts/0")
    assert result.status != 0


@only_tare
@pytest.mark.parametrize("name", ["proc", "sys"])
def test_X4_proc_that_is_a_file(tare, bundle, name):
    b = bundle(args=["/bin/true"])
    b.config["mounts"] = []
    b.mount(f"/{name}", name if name == "proc" else "sysfs", "x")
    (b.rootfs / name).rmdir()
    (b.rootfs / name).touch()
    tare.run(b).fails(f'open "/{name}" in the rootfs: not a directory (ENOTDIR)')


@only_tare
def test_X5_a_volume_on_proc_is_refused(tare, bundle, tmp):
    b = bundle(args=["/bin/true"])
    b.config["mounts"] = []
    b.mount("/proc", "bind", tmp, ["bind"])
    tare.run(b).fails(f'mount "{tmp}" on "/proc": it is not a procfs', "/mounts/0")


@only_tare
def test_X5_a_tmpfs_on_proc_is_refused(tare, bundle):
    b = bundle(args=["/bin/true"]).mount("/proc", "tmpfs", "t")
    tare.run(b).fails('mount "tmpfs" on "/proc": only a procfs may be there', "/mounts/1")


def test_X5_the_hosts_procfs_may_be_bound(tare, bundle):
    b = bundle(script="test -d /proc/1 && echo there").without_namespace("pid")
    b.config["mounts"] = []
    assert tare.run(b.mount("/proc", "bind", "/proc", ["rbind"])).ok().out == "there\n"


@pytest.mark.parametrize("target", ["/proc/self/attr", "/proc/sys", "/proc/sys/kernel", "/proc/1", "/proc/sysrq-trigger",
                                    "/proc/./self//attr", "/tmp/../proc/self"])
def test_M24_mounts_inside_proc_are_refused(tare, bundle, tmp, target):
    result = tare.run(bundle(args=["/bin/true"]).mount(target, "bind", tmp, ["bind"]))
    if tare.path.endswith("tare-oci"):
        result.fails("a mount inside /proc could fake what the runtime relies on", "/mounts/1")
    assert result.status != 0


@pytest.mark.parametrize("name", ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "diskstats", "swaps"])
def test_M24_what_lxcfs_mounts_is_allowed(tare, bundle, tmp, name):
    (tmp / "fake").write_text("fake\n")
    b = bundle(script=f"cat /proc/{name}").mount(f"/proc/{name}", "bind", tmp / "fake", ["bind"])
    assert tare.run(b).ok().out == "fake\n"


@only_tare
@pytest.mark.parametrize("target", ["/proc/self/attr", "/proc/sys/kernel", "../proc/self", "/proc"])
def test_M24_X6_a_link_into_proc_is_refused(tare, bundle, tmp, target):
    b = bundle(args=["/bin/true"])
    os.symlink(target, b.rootfs / "link")
    tare.run(b.mount("/link", "bind", tmp, ["bind"])).fails('open "/link" in the rootfs: a link leads it into /proc', "/mounts/1")


# ---- targets that are links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["../../../../../../../../{tmp}/victim", "{tmp}/victim", "{tmp}/victim/new"])
def test_X10_X18_M9_a_link_as_target_stays_in_the_root(tare, bundle, tmp, link):
    victim = tmp / "victim"
    victim.mkdir()
    b = bundle(script=MOUNTINFO)
    os.symlink(link.format(tmp=tmp), b.rootfs / "vol")
    out = tare.run(b.mount("/vol", "tmpfs", "inside")).ok().out
    inside = [m for m in mountinfo.parse(out) if m.source == "inside"]
    assert len(inside) == 1 and inside[0].target.startswith(str(tmp))
    assert os.listdir(victim) == []
    assert (b.rootfs / str(tmp)[1:] / "victim").is_dir()


@pytest.mark.parametrize("link", ["../../../../../../{tmp}/victim", "{tmp}/victim"])
def test_X11_M10_missing_parts_behind_a_link_are_made_in_the_root(tare, bundle, tmp, link):
    victim = tmp / "victim"
    victim.mkdir()
    (tmp / "source").write_text("here\n")
    b = bundle(script="cat /vol/deep/er/file")
    os.symlink(link.format(tmp=tmp), b.rootfs / "vol")
    b.mount("/vol/deep/er/file", "bind", tmp / "source", ["bind"])
    assert tare.run(b).ok().out == "here\n"
    assert os.listdir(victim) == []


@only_tare
def test_M9_a_loop_of_links(tare, bundle):
    b = bundle(args=["/bin/true"])
    os.symlink("b", b.rootfs / "a")
    os.symlink("a", b.rootfs / "b")
    tare.run(b.mount("/a", "tmpfs", "t")).fails('open "/a" in the rootfs: too many symbolic links', "/mounts/1")


@only_tare
def test_M9_a_magic_link_is_not_followed(tare, bundle):
    b = bundle(args=["/bin/true"])
    os.symlink("/proc/self/cwd", b.rootfs / "a")
    tare.run(b.mount("/a", "tmpfs", "t")).fails('open "/a" in the rootfs: too many symbolic links, or one where none may be (ELOOP)',
                                                "/mounts/1")


# ---- /dev -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("absolute", [True, False])
def test_X9_dev_that_is_a_link_makes_nothing_on_the_host(tare, bundle, tmp, absolute):
    victim = tmp / "victim"
    victim.mkdir()
    b = bundle(script="ls -l /dev/")
    replace_by_link(b, "dev", str(victim) if absolute else "../../../../../../../.." + str(victim))
    b.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3}]
    tare.run(b)
    assert os.listdir(victim) == []


def test_X9_dev_that_is_a_link_with_a_tmpfs_on_it(tare, bundle, tmp):
    victim = tmp / "victim"
    victim.mkdir()
    b = bundle("docker", script="ls /dev/null")
    replace_by_link(b, "dev", str(victim))
    tare.run(b)
    assert os.listdir(victim) == []


@only_tare
def test_X16_links_in_dev_are_not_followed(tare, bundle, tmp):
    (tmp / "victim").write_text("mine")
    b = bundle(args=["/bin/true"])
    os.symlink(tmp / "victim", b.rootfs / "dev/null")
    tare.run(b).fails("something else has that name")
    assert (tmp / "victim").read_text() == "mine" and os.stat(tmp / "victim").st_mode & 0o777 == 0o644


def test_X9_links_of_dev_stay_inside(tare, bundle, tmp):
    """/dev/fd and its like where the image has a directory that is a link."""
    b = bundle(script="true").mount("/dev/pts", "devpts", "devpts", ["newinstance"])
    os.symlink(tmp, b.rootfs / "dev/pts")
    tare.run(b)
    assert [n for n in os.listdir(tmp) if n in ("ptmx", "0")] == []


# ---- races ----------------------------------------------------------------------------------------------------------


class Swapper:
    """Exchange two names for ever: a directory and a link out of the volume (renameat2 RENAME_EXCHANGE)."""

    def __init__(self, a, b):
        self.process = subprocess.Popen(["/usr/bin/python3", "-c", SWAP, str(a), str(b)])

    def stop(self):
        self.process.kill()
        self.process.wait()


SWAP = """
import ctypes, sys
libc = ctypes.CDLL(None)
a, b = (s.encode() for s in sys.argv[1:])
while True:
    libc.renameat2(-100, a, -100, b, 2)
"""


@only_tare
@pytest.mark.rows("X-11", "X-18")
def test_X10_a_volume_whose_parts_are_swapped_for_links(tare, bundle, tmp):
    """CVE-2021-30465, CVE-2024-45310: another container swaps a component of a target while we mount there."""
    volume, victim = tmp / "volume", tmp / "victim"
    (volume / "dir").mkdir(parents=True)
    victim.mkdir()
    os.symlink("../" * 12 + str(victim)[1:], volume / "link")
    b = bundle(args=["/bin/true"]).mount("/vol", "bind", volume, ["rbind"]).mount("/vol/dir/deep/er", "tmpfs", "inside")
    swapper = Swapper(volume / "dir", volume / "link")
    try:
        for _ in range(15):
            tare.run(b)
            assert os.listdir(victim) == []
            assert "inside" not in open("/proc/self/mountinfo").read()
    finally:
        swapper.stop()


@only_tare
def test_X7_X9_dev_of_a_shared_volume_is_swapped(tare, bundle, tmp):
    volume, victim = tmp / "volume", tmp / "victim"
    (volume / "a").mkdir(parents=True)
    victim.mkdir()
    os.symlink(victim, volume / "b")
    b = bundle(args=["/bin/true"])
    b.config["mounts"] = []
    b.mount("/vol", "bind", volume, ["rbind"])
    b.linux["devices"] = [{"path": "/vol/a/mine", "type": "p"}]
    swapper = Swapper(volume / "a", volume / "b")
    try:
        for _ in range(15):
            tare.run(b)
            assert os.listdir(victim) == []
    finally:
        swapper.stop()


@only_tare
def test_X4_proc_of_a_shared_rootfs_is_swapped(tare, bundle, tmp):
    b = bundle(script="test -e /proc/self/stat")
    os.symlink("etc", b.rootfs / "proc2")
    swapper = Swapper(b.rootfs / "proc", b.rootfs / "proc2")
    b.write()
    try:
        for _ in range(15):
            result = tare.call("run", "--bundle", b.path, tare.new_id())
            # The program may find its /proc exchanged after the mount; what counts is that nothing else was mounted over.
            assert not result.error or 'open "/proc" in the rootfs' in result.error, result.describe()
    finally:
        swapper.stop()
    assert sorted(os.listdir(b.rootfs / "etc")) == ["group", "hostname", "hosts", "passwd", "resolv.conf"]
