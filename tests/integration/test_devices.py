# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices: the defaults, linux.devices by mknod and by bind, and the links in /dev."""

import os
import stat

import pytest

from support import mountinfo

only_tare = pytest.mark.only("tare")

DEFAULT = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]
DEV = ["/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755"]]
PTS = ["/dev/pts", "devpts", "devpts", ["newinstance", "ptmxmode=0666", "mode=0620"]]
STAT = "stat -c '%n %a %u:%g %t:%T %F'"


def device(path, type="c", major=1, minor=3, **kw):
    """One entry of linux.devices; members that are None stay absent."""
    entry = {"path": path, "type": type, "major": major, "minor": minor, **kw}
    return {k: v for k, v in entry.items() if v is not None}


def allow_all(b):
    b.resources["devices"] = [{"allow": True, "access": "rwm"}]
    return b


# ---- defaults -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,major,minor", DEFAULT)
def test_L13_default_device(tare, bundle, name, major, minor):
    b = bundle(script=f"{STAT} /dev/{name}").mount(*DEV)
    assert tare.run(b).ok().out == f"/dev/{name} 666 0:0 {major:x}:{minor:x} character special file\n"


@pytest.mark.parametrize("name,major,minor", DEFAULT)
def test_L13_M20_default_device_in_a_user_namespace(tare, bundle, name, major, minor):
    b = bundle(script=f"{STAT} /dev/{name}; cat /proc/self/mountinfo").mount(*DEV).user_namespace()
    out = tare.run(b).ok().out
    assert f"{major:x}:{minor:x} character special file" in out
    assert mountinfo.at(out, f"/dev/{name}").root == f"/{name}"


def test_L13_default_devices_work(tare, bundle):
    b = bundle(script="echo x >/dev/null && head -c3 /dev/zero | wc -c; head -c2 /dev/urandom | wc -c; echo >/dev/full").mount(*DEV)
    result = tare.run(b)
    assert result.out.split() == ["3", "2"]
    assert "No space left" in result.err


def test_L13_M20_default_devices_work_in_a_user_namespace(tare, bundle):
    b = bundle(script="echo x >/dev/null && head -c3 /dev/zero | wc -c; head -c2 /dev/urandom | wc -c").mount(*DEV)
    assert tare.run(b.user_namespace()).ok().out.split() == ["3", "2"]


@only_tare
def test_L13_without_a_dev_mount_they_are_made_in_the_rootfs_and_found_again(tare, bundle):
    b = bundle(script="echo x >/dev/null")
    tare.run(b).ok()
    st = (b.rootfs / "dev/null").lstat()
    assert stat.S_ISCHR(st.st_mode) and st.st_rdev == os.makedev(1, 3) and stat.S_IMODE(st.st_mode) == 0o666
    tare.run(b).ok()
    assert (b.rootfs / "dev/null").lstat().st_ino == st.st_ino


@only_tare
def test_L13_a_failed_create_takes_the_nodes_back(tare, bundle):
    b = bundle(args=["/no/such/program"])
    tare.run(b).fails("/no/such/program", "/process/args/0")
    assert os.listdir(b.rootfs / "dev") == []


@only_tare
def test_M21_mode_is_exact_whatever_the_umask(tare, bundle):
    b = bundle(script=f"{STAT} /dev/null /dev/mine").mount(*DEV)
    b.linux["devices"] = [device("/dev/mine", fileMode=0o642, uid=3, gid=4)]
    os.umask(0o077)
    try:
        out = tare.run(b).ok().out
    finally:
        os.umask(0o022)
    assert "/dev/null 666 0:0" in out
    assert "/dev/mine 642 3:4" in out


# ---- linux.devices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type,major,minor,seen", [
    ("c", 10, 229, "a:e5 character special file"),
    ("u", 10, 229, "a:e5 character special file"),
    ("b", 7, 300, "7:12c block special file"),
    ("p", None, None, "0:0 fifo"),
    ("c", 4095, 1048575, "fff:fffff character special file"),
])
def test_L6_L7_L9_device_of_each_type(tare, bundle, type, major, minor, seen):
    b = bundle(script=f"{STAT} /dev/mine").mount(*DEV)
    b.linux["devices"] = [device("/dev/mine", type, major, minor, fileMode=0o600)]
    assert tare.run(b).ok().out == f"/dev/mine 600 0:0 {seen}\n"


@pytest.mark.parametrize("mode,seen", [(None, "666"), (0o400, "400"), (0o777, "777"), (0, "0"),
                                       (stat.S_IFCHR | 0o640, "640")])
def test_L10_file_mode(tare, bundle, mode, seen):
    b = bundle(script="stat -c %a /dev/mine").mount(*DEV)
    b.linux["devices"] = [device("/dev/mine", fileMode=mode)]
    assert tare.run(b).ok().out == seen + "\n"


def test_L11_owner(tare, bundle):
    b = bundle(script="stat -c %u:%g /dev/mine").mount(*DEV)
    b.linux["devices"] = [device("/dev/mine", uid=1000, gid=2000)]
    assert tare.run(b).ok().out == "1000:2000\n"


def test_L6_device_outside_of_dev(tare, bundle):
    b = bundle(script=f"{STAT} /opt/deep/mine").mount("/opt", "tmpfs", "t")
    b.linux["devices"] = [device("/opt/deep/mine", fileMode=0o666)]
    assert "1:3 character special file" in tare.run(b).ok().out


@only_tare
def test_L12_a_configured_device_replaces_the_default_one(tare, bundle):
    b = bundle(script=f"{STAT} /dev/null").mount(*DEV)
    b.linux["devices"] = [device("/dev/./null", fileMode=0o600, uid=5)]
    assert tare.run(b).ok().out == "/dev/null 600 5:0 1:3 character special file\n"


@only_tare
@pytest.mark.parametrize("what", ["file", "directory", "link", "other device", "other type"])
def test_L8_something_else_at_the_path_is_an_error(tare, bundle, what):
    b = bundle(args=["/bin/true"])
    place = b.rootfs / "dev/mine"
    {"file": lambda: place.touch(), "directory": lambda: place.mkdir(), "link": lambda: os.symlink("/dev/null", place),
     "other device": lambda: os.mknod(place, 0o20666, os.makedev(1, 5)),
     "other type": lambda: os.mknod(place, 0o60666, os.makedev(1, 3))}[what]()
    b.linux["devices"] = [device("/dev/mine")]
    tare.run(b).fails('make device "/dev/mine" (c 1:3): something else has that name', "/linux/devices/0")


@only_tare
def test_L8_the_very_device_is_fine_and_gets_the_right_mode(tare, bundle):
    b = bundle(script=f"{STAT} /dev/mine")
    os.mknod(b.rootfs / "dev/mine", 0o20600, os.makedev(1, 3))
    b.linux["devices"] = [device("/dev/mine", fileMode=0o640, gid=7)]
    assert tare.run(b).ok().out == "/dev/mine 640 0:7 1:3 character special file\n"


@only_tare
def test_L6_M20_configured_device_in_a_user_namespace_is_the_hosts(tare, bundle):
    b = bundle(script="head -c4 /dev/zero | wc -c; cat /proc/self/mountinfo").mount(*DEV).user_namespace()
    b.linux["devices"] = [device("/dev/zero", minor=5)]
    out = tare.run(b).ok().out
    assert out.startswith("4\n") and mountinfo.at(out, "/dev/zero").fstype == "devtmpfs"


@only_tare
def test_M20_the_hosts_node_must_be_that_device(tare, bundle):
    b = bundle(args=["/bin/true"]).mount(*DEV).user_namespace()
    b.linux["devices"] = [device("/dev/zero", minor=7)]
    tare.run(b).fails('bind "/dev/zero": on this host it is not the device c 1:7', "/linux/devices/0")


@only_tare
def test_M20_device_that_the_host_has_not_got(tare, bundle):
    b = bundle(args=["/bin/true"]).mount(*DEV).user_namespace()
    b.linux["devices"] = [device("/dev/nowhere", major=10, minor=229)]
    tare.run(b).fails('open the mount source "/dev/nowhere": not there (ENOENT)', "/linux/devices/0")


def test_L7_M20_a_pipe_needs_no_right(tare, bundle):
    b = bundle(script="stat -c %F:%u:%a /dev/pipe").mount(*DEV).user_namespace()
    b.linux["devices"] = [device("/dev/pipe", "p", None, None, fileMode=0o622)]
    assert tare.run(b).ok().out == "fifo:0:622\n"


@only_tare
def test_M20_something_else_where_a_device_is_bound(tare, bundle):
    b = bundle(args=["/bin/true"]).user_namespace()
    (b.rootfs / "dev/null").mkdir()
    tare.run(b).fails('bind device "/dev/null" (c 1:3): something else has that name')


# ---- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,target", [
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
])
def test_L16_links(tare, bundle, name, target):
    assert tare.run(bundle(script=f"readlink /dev/{name}").mount(*DEV)).ok().out == target + "\n"


@only_tare
def test_L16_no_links_without_what_they_point_to(tare, bundle):
    b = bundle(args=["/bin/ls", "/dev"]).mount(*DEV)
    b.config["mounts"] = [m for m in b.config["mounts"] if m["destination"] != "/proc"]
    assert sorted(tare.run(b).ok().out.split()) == sorted(d[0] for d in DEFAULT)


def test_L15_M22_ptmx_is_the_containers(tare, bundle):
    b = bundle(script="readlink /dev/ptmx; exec 5<>/dev/ptmx; ls /dev/pts").mount(*DEV).mount(*PTS)
    assert tare.run(b).ok().out.split() == ["pts/ptmx", "0", "ptmx"]


@only_tare
def test_L15_ptmx_of_the_image_is_replaced(tare, bundle):
    b = bundle(script="readlink /dev/ptmx").mount(*PTS)
    os.mknod(b.rootfs / "dev/ptmx", 0o20666, os.makedev(5, 2))
    assert tare.run(b).ok().out == "pts/ptmx\n"


@only_tare
def test_L16_what_the_image_has_stays(tare, bundle):
    b = bundle(script="cat /dev/stdin")
    (b.rootfs / "dev/stdin").write_text("the image's\n")
    assert tare.run(b).ok().out == "the image's\n"


def test_L16_no_kcore_link(tare, bundle):
    assert tare.run(bundle(script="test -e /dev/core || echo none").mount(*DEV)).ok().out == "none\n"


# ---- /dev that is the host's ----------------------------------------------------------------------------------------


@only_tare
def test_L13_nothing_is_made_in_the_hosts_dev(tare, bundle):
    before = sorted(os.listdir("/dev"))
    b = bundle(script="test -c /dev/null && test -c /dev/urandom && echo there").mount("/dev", "bind", "/dev", ["rbind"])
    assert tare.run(b).ok().out == "there\n"
    assert sorted(os.listdir("/dev")) == before


@only_tare
def test_L8_configured_device_in_the_hosts_dev(tare, bundle, tmp):
    os.mknod(tmp / "mine", 0o20600, os.makedev(1, 3))
    b = bundle(script="stat -c %a /dev/mine").mount("/dev", "bind", tmp, ["bind"])
    b.linux["devices"] = [device("/dev/mine", fileMode=0o666)]
    assert tare.run(b).ok().out == "600\n"
    b.linux["devices"] = [device("/dev/other")]
    tare.run(b).fails('find device "/dev/other"', "/linux/devices/0")
    assert os.listdir(tmp / "root") == [] if (tmp / "root").exists() else True
    assert not (tmp / "other").exists()
