# SPDX-License-Identifier: GPL-2.0-or-later
"""mounts[]: every option word read back from inside, sources, targets, idmapped and cgroup mounts."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support import mountinfo
from support.cgroup import v1

MOUNTINFO = "cat /proc/self/mountinfo"

only_tare = pytest.mark.only("tare")


def sh(*args):
    subprocess.run(args, check=True, capture_output=True)


@pytest.fixture
def tree(tmp):
    """A tmpfs of the host's on tmp/tree with every flag that can be locked, and a plain one below it on tree/sub."""
    path = tmp / "tree"
    path.mkdir()
    sh("mount", "-t", "tmpfs", "tree", path)
    (path / "sub").mkdir()
    (path / "file").write_text("from the tree\n")
    sh("mount", "-t", "tmpfs", "sub", path / "sub")
    (path / "sub/file").write_text("from below\n")
    yield path
    sh("umount", path / "sub")
    sh("umount", path)


@pytest.fixture
def restricted(tree):
    """The same, with restrictive flags on both mounts."""
    for path in (tree, tree / "sub"):
        sh("mount", "-o", "remount,bind,ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow", path)
    return tree


# ---- words on a new filesystem --------------------------------------------------------------------------------------

# options, words that must be among the mount's flags, words that must not, words of the filesystem
NEW = [
    ("ro", "ro", "rw", "ro"),
    ("ro rw", "rw", "ro", "rw"),
    ("nosuid", "nosuid", "", ""),
    ("nosuid suid", "", "nosuid", ""),
    ("nodev", "nodev", "", ""),
    ("nodev dev", "", "nodev", ""),
    ("noexec", "noexec", "", ""),
    ("noexec exec", "", "noexec", ""),
    ("nodiratime", "nodiratime", "", ""),
    ("nodiratime diratime", "", "nodiratime", ""),
    ("nosymfollow", "nosymfollow", "", ""),
    ("nosymfollow symfollow", "", "nosymfollow", ""),
    ("noatime", "noatime", "relatime", ""),
    ("noatime atime", "relatime", "noatime", ""),
    ("relatime", "relatime", "noatime", ""),
    ("relatime norelatime", "relatime", "noatime", ""),
    ("strictatime", "", "relatime noatime", ""),
    ("strictatime nostrictatime", "relatime", "", ""),
    ("noatime strictatime", "", "relatime noatime", ""),
    ("sync", "", "", "sync"),
    ("dirsync", "", "", "dirsync"),
    ("lazytime", "", "", "lazytime"),
    ("rro", "ro", "rw", ""),
    ("rnosuid rnodev rnoexec", "nosuid nodev noexec", "", ""),
    ("defaults", "rw relatime", "nosuid nodev noexec", "rw"),
    ("size=64k", "", "", "size=64k"),
    ("nosuid size=64k nodev nr_inodes=100", "nosuid nodev", "", "size=64k nr_inodes=100"),
]


@pytest.mark.rows("B-6", "M-2")
@pytest.mark.parametrize("options,flags,absent,sb", NEW, ids=[n[0].replace(" ", "-") for n in NEW])
def test_B6_words_on_a_new_filesystem(tare, bundle, options, flags, absent, sb):
    b = bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "here", options.split())
    m = mountinfo.at(tare.run(b).ok().out, "/tmp")
    assert (m.fstype, m.source) == ("tmpfs", "here")
    assert set(flags.split()) <= m.flags
    assert not set(absent.split()) & m.flags
    assert set(sb.split()) <= m.sb


@pytest.mark.parametrize("options", ["sync async", "lazytime nolazytime"])
def test_B6_cleared_words_of_the_filesystem(tare, bundle, options):
    m = mountinfo.at(tare.run(bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "t", options.split())).ok().out, "/tmp")
    assert not {"sync", "lazytime"} & m.sb


@only_tare
@pytest.mark.parametrize("option", ["iversion", "noiversion", "mand", "nomand", "silent", "loud"])
def test_B6_words_that_nobody_can_see_are_no_data(tare, bundle, option):
    """A tmpfs refuses options that it does not know: so they did not get there."""
    assert mountinfo.at(tare.run(bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "t", [option])).ok().out, "/tmp")


@only_tare
def test_B6_what_is_not_a_word_goes_to_the_filesystem(tare, bundle):
    b = bundle(args=["/bin/true"]).mount("/tmp", "tmpfs", "t", ["nosuid", "banana"])
    tare.run(b).fails('mount "tmpfs" on "/tmp": the kernel says "tmpfs: Unknown parameter \'banana\'"', "/mounts/1")


@only_tare
def test_M8_too_much_data_is_refused(tare, bundle):
    b = bundle(args=["/bin/true"]).mount("/tmp", "tmpfs", "t", ["x" * 5000])
    tare.run(b).fails("more than 4095 bytes, which the kernel would cut off", "/mounts/1")


@only_tare
def test_M8_a_comma_in_a_value_is_for_the_filesystem_to_judge(tare, bundle):
    """Nothing of it is dropped: it sees the rest as an option of its own."""
    b = bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "t", ["size=64k,mode=700"])
    assert {"size=64k", "mode=700"} <= set(mountinfo.at(tare.run(b).ok().out, "/tmp").sb)
    b.config["mounts"][-1]["options"] = ["size=64k,b"]
    tare.run(b).fails("EINVAL", "/mounts/1")


@pytest.mark.parametrize("word,peers", [
    ("shared", {"shared"}), ("rshared", {"shared"}), ("private", set()), ("rprivate", set()), ("slave", set()),
    ("rslave", set()), ("unbindable", {"unbindable"}), ("runbindable", {"unbindable"}),
])
def test_B6_propagation_of_a_new_filesystem(tare, bundle, word, peers):
    b = bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "t", [word])
    assert set(mountinfo.at(tare.run(b).ok().out, "/tmp").peers) == peers


# ---- words on a bind ------------------------------------------------------------------------------------------------

BIND = [
    ("ro", "ro"), ("nosuid", "nosuid"), ("nodev", "nodev"), ("noexec", "noexec"), ("noatime", "noatime"),
    ("nodiratime", "nodiratime"), ("nosymfollow", "nosymfollow"), ("relatime", "relatime"),
]


@pytest.mark.parametrize("option,flag", BIND)
def test_B6_M1_words_on_a_bind(tare, bundle, tree, option, flag):
    b = bundle(script=MOUNTINFO).mount("/data", None, tree, ["rbind", option])
    out = tare.run(b).ok().out
    assert flag in mountinfo.at(out, "/data").flags
    if flag != "relatime":
        assert flag not in mountinfo.at(out, "/data/sub").flags


def test_B6_strictatime_on_a_bind(tare, bundle, tree):
    b = bundle(script=MOUNTINFO).mount("/data", None, tree, ["bind", "strictatime"])
    assert not {"relatime", "noatime"} & mountinfo.at(tare.run(b).ok().out, "/data").flags


def test_M1_a_bind_keeps_the_flags_of_its_source(tare, bundle, restricted):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, restricted, ["rbind"])).ok().out
    kept = {"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"}
    assert kept <= mountinfo.at(out, "/data").flags
    assert kept <= mountinfo.at(out, "/data/sub").flags


CLEAR = [("rw", "ro"), ("suid", "nosuid"), ("dev", "nodev"), ("exec", "noexec"), ("atime", "noatime"),
         ("diratime", "nodiratime"), ("symfollow", "nosymfollow")]


@only_tare
@pytest.mark.parametrize("option,flag", CLEAR)
def test_M1_an_explicit_word_clears_the_flag_on_the_top_only(tare, bundle, restricted, option, flag):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, restricted, ["rbind", option])).ok().out
    assert flag not in mountinfo.at(out, "/data").flags
    assert flag in mountinfo.at(out, "/data/sub").flags
    assert len(mountinfo.at(out, "/data").flags & {f for _, f in CLEAR}) == len(CLEAR) - 1


RECURSIVE = [("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"), ("rnoexec", "noexec"),
             ("rnoatime", "noatime"), ("rnodiratime", "nodiratime"), ("rnosymfollow", "nosymfollow"),
             ("rrelatime", "relatime")]


@pytest.mark.parametrize("option,flag", RECURSIVE)
def test_B6_recursive_words_set_the_whole_tree(tare, bundle, tree, option, flag):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, tree, ["rbind", option])).ok().out
    assert flag in mountinfo.at(out, "/data").flags
    assert flag in mountinfo.at(out, "/data/sub").flags


RECURSIVE_CLEAR = [("rrw", "ro"), ("rsuid", "nosuid"), ("rdev", "nodev"), ("rexec", "noexec"), ("ratime", "noatime"),
                   ("rdiratime", "nodiratime"), ("rsymfollow", "nosymfollow")]


@pytest.mark.parametrize("option,flag", RECURSIVE_CLEAR)
def test_B6_recursive_words_clear_the_whole_tree(tare, bundle, restricted, option, flag):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, restricted, ["rbind", option])).ok().out
    assert flag not in mountinfo.at(out, "/data").flags
    assert flag not in mountinfo.at(out, "/data/sub").flags


@only_tare
@pytest.mark.parametrize("option,flags", [
    ("rstrictatime", set()), ("rnostrictatime", {"relatime"}), ("rnorelatime", {"relatime"}),
    ("ratime rnoatime", {"noatime"}), ("rnoatime ratime", {"relatime"}),
])
def test_M2_recursive_access_time_is_one_field(tare, bundle, restricted, option, flags):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, restricted, ["rbind", *option.split()])).ok().out
    for target in ("/data", "/data/sub"):
        assert mountinfo.at(out, target).flags & {"noatime", "relatime"} == flags


def test_B6_top_words_have_the_last_word_over_recursive_ones(tare, bundle, tree):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, tree, ["rbind", "rro", "rw", "nosuid"])).ok().out
    assert {"rw", "nosuid"} <= mountinfo.at(out, "/data").flags
    assert "ro" in mountinfo.at(out, "/data/sub").flags
    assert "nosuid" not in mountinfo.at(out, "/data/sub").flags


def test_M1_read_only_bind_can_not_be_written(tare, bundle, tmp):
    b = bundle(script="echo x >/data/file").mount("/data", "bind", tmp, ["bind", "ro"])
    result = tare.run(b)
    assert result.status == 1 and "Read-only file system" in result.err
    assert not (tmp / "file").exists()


def test_B6_noexec_and_nodev_act(tare, bundle, tree):
    (tree / "true").write_bytes(open("/bin/busybox", "rb").read())
    (tree / "true").chmod(0o755)
    os.mknod(tree / "zero", 0o20666, os.makedev(1, 5))
    b = bundle(script="/data/true; echo $?; head -c1 /data/zero | wc -c").mount("/data", "bind", tree, ["bind", "noexec", "nodev"])
    assert tare.run(b).ok().out.split() == ["126", "0"]


def test_B6_bind_is_not_recursive_and_rbind_is(tare, bundle, tree):
    b = bundle(script="ls /data/sub /tmp/sub")
    b.mount("/data", "none", tree, ["bind"]).mount("/tmp", "none", tree, ["rbind"])
    assert tare.run(b).ok().out.split() == ["/data/sub:", "/tmp/sub:", "file"]


@only_tare
def test_B6_defaults_on_a_bind_is_fine(tare, bundle, tmp):
    """runc hands the word on as data, and then refuses it."""
    b = bundle(script=MOUNTINFO).mount("/data", "bind", tmp, ["bind", "defaults"])
    assert "rw" in mountinfo.at(tare.run(b).ok().out, "/data").flags


@only_tare
def test_B6_unknown_word_on_a_bind_is_refused(tare, bundle, tmp):
    b = bundle(args=["/bin/true"]).mount("/data", "bind", tmp, ["bind", "banana"])
    tare.run(b).fails('bind "/data": option "banana" is not known, and a bind has no filesystem to give it to', "/mounts/1")


@only_tare
def test_B6_filesystem_word_on_a_bind_is_warned_about(tare, bundle, tmp):
    result = tare.run(bundle(args=["/bin/true"]).mount("/data", "bind", tmp, ["bind", "sync"])).ok()
    assert any('option "sync" is the filesystem\'s' in w for w in result.warnings)


# ---- propagation of binds -------------------------------------------------------------------------------------------

PROPAGATION = [("private", set(), set()), ("rprivate", set(), set()), ("slave", {"master"}, {"master"}),
               ("rslave", {"master"}, {"master"}), ("shared", {"shared"}, None), ("rshared", {"shared"}, {"shared"}),
               ("unbindable", {"unbindable"}, set()), ("runbindable", {"unbindable"}, {"unbindable"})]


@only_tare
@pytest.mark.parametrize("word,top,below", PROPAGATION, ids=[p[0] for p in PROPAGATION])
def test_B6_M3_propagation_words_on_a_bind(tare, bundle, tree, word, top, below):
    out = tare.run(bundle(script=MOUNTINFO).mount("/data", None, tree, ["rbind", word])).ok().out
    assert set(mountinfo.at(out, "/data").peers) == top
    if below is not None:
        assert set(mountinfo.at(out, "/data/sub").peers) == below


def test_M3_B9_without_a_word_nothing_is_shared_with_the_host(tare, bundle, tree):
    b = bundle(script=MOUNTINFO + "; mkdir /data/new; mount -t tmpfs inside /data/new; " + MOUNTINFO)
    b.process["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    out = tare.run(b.mount("/data", None, tree, ["rbind"])).ok().out
    assert not [m for m in mountinfo.parse(out) if m.peers]
    assert "inside" in out
    assert "inside" not in open("/proc/self/mountinfo").read()


@only_tare
def test_M3_rshared_volume_works_both_ways(tare, bundle, tree):
    (tree / "new").mkdir()
    b = bundle(script="mount -t tmpfs inside /data/new && echo done; sleep 60").mount("/data", None, tree, ["rbind", "rshared"])
    b.process["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    c = tare.run_detached(b).wait_out("done")
    assert mountinfo.at(open("/proc/self/mountinfo").read(), str(tree / "new")).source == "inside"
    sh("umount", tree / "new")
    assert "inside" not in open(f"/proc/{c.pid}/mountinfo").read()


@only_tare
def test_M3_rslave_volume_receives_and_does_not_send(tare, bundle, tree):
    for name in ("out", "in"):
        (tree / name).mkdir()
    b = bundle(script="mount -t tmpfs inside /data/out && echo done; sleep 60").mount("/data", None, tree, ["rbind", "rslave"])
    b.process["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    c = tare.run_detached(b).wait_out("done")
    assert "inside" not in open("/proc/self/mountinfo").read()
    sh("mount", "-t", "tmpfs", "fromhost", tree / "in")
    try:
        assert mountinfo.at(open(f"/proc/{c.pid}/mountinfo").read(), "/data/in").source == "fromhost"
    finally:
        sh("umount", tree / "in")


@only_tare
def test_B6_contradicting_propagation_is_refused(tare, bundle, tmp):
    b = bundle(args=["/bin/true"]).mount("/data", None, tmp, ["bind", "shared", "private"])
    tare.run(b).fails('option "private" contradicts the propagation given before it', "/mounts/1")


# ---- all of them ----------------------------------------------------------------------------------------------------

# The table of config.md "Linux mount options", and beside it what crun knows and runc's users miss.
WORDS = """
async sync atime noatime bind rbind defaults dev nodev diratime nodiratime dirsync exec noexec iversion noiversion lazytime
nolazytime loud silent relatime norelatime strictatime nostrictatime remount ro rw suid nosuid private rprivate shared rshared
slave rslave unbindable runbindable mand nomand nosymfollow symfollow rro rrw rsuid rnosuid rdev rnodev rexec rnoexec ratime
rnoatime rdiratime rnodiratime rrelatime rnorelatime rstrictatime rnostrictatime rsymfollow rnosymfollow idmap ridmap tmpcopyup
copy-symlink src-nofollow dest-nofollow
""".split()


@only_tare
def test_B6_F3_every_word_of_the_table_is_known_and_has_a_test_of_its_own(tare):
    features = json.loads(tare.call("features").ok().out)
    assert sorted(features["mountOptions"]) == sorted(WORDS)
    text = Path(__file__).read_text()
    rest = re.sub(r"^WORDS = .*?\.split\(\)$", "", text, flags=re.S | re.M)
    quoted = {word for string in re.findall(r'"([^"\n]*)"', rest.replace('"""', "")) for word in string.split()}
    assert set(WORDS) <= quoted, set(WORDS) - quoted


# ---- sources and targets --------------------------------------------------------------------------------------------


def test_B1_mounts_come_in_their_order(tare, bundle):
    b = bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "first").mount("/tmp", "tmpfs", "second").mount("/tmp/a", "tmpfs", "third")
    out = tare.run(b).ok().out
    assert [m.source for m in mountinfo.parse(out) if m.target.startswith("/tmp")] == ["first", "second", "third"]


def test_B2_relative_destination_is_below_the_root(tare, bundle):
    assert mountinfo.at(tare.run(bundle(script=MOUNTINFO).mount("tmp", "tmpfs", "t")).ok().out, "/tmp")


def test_B3_relative_source_is_the_bundles(tare, bundle):
    b = bundle(script="cat /etc/hosts").mount("/etc/hosts", "bind", "hosts", ["bind"])
    assert tare.run(b).ok().out == "from the bundle\n"


@only_tare
def test_B3_missing_source(tare, bundle, tmp):
    b = bundle(args=["/bin/true"]).mount("/data", "bind", tmp / "nowhere", ["bind"])
    tare.run(b).fails(f'open the mount source "{tmp}/nowhere": not there (ENOENT)', "/mounts/1")


@only_tare
def test_B3_bind_without_a_source(tare, bundle):
    tare.run(bundle(args=["/bin/true"]).mount("/data", "bind", None, ["bind"])).fails('bind on "/data": it has no source')


def test_B4_type_of_a_bind_is_a_dummy(tare, bundle, tmp):
    (tmp / "file").write_text("here\n")
    b = bundle(script="cat /data/file").mount("/data", "nosuchfs", tmp, ["bind"])
    assert tare.run(b).ok().out == "here\n"


@only_tare
def test_B5_unknown_filesystem(tare, bundle):
    result = tare.run(bundle(args=["/bin/true"]).mount("/data", "nosuchfs", "x"))
    result.fails('mount "nosuchfs" on "/data": no such device or filesystem type (ENODEV)', "/mounts/1")


@only_tare
def test_B5_no_type_and_no_bind(tare, bundle):
    tare.run(bundle(args=["/bin/true"]).mount("/data")).fails('mount on "/data": it has no type')


def test_M10_missing_directory_is_made(tare, bundle, tmp):
    b = bundle(script="stat -c %a:%u:%F /new /new/deep").mount("/new/deep", "bind", tmp, ["bind"])
    os.umask(0o077)
    try:
        tare.run(b).ok()
    finally:
        os.umask(0o022)
    assert oct((b.rootfs / "new").stat().st_mode) == "0o40755"
    assert oct((b.rootfs / "new/deep").stat().st_mode) == "0o40755"


def test_M10_missing_file_is_made(tare, bundle, tmp):
    (tmp / "file").write_text("here\n")
    b = bundle(script="cat /new/deep").mount("/new/deep", "bind", tmp / "file", ["bind"])
    assert tare.run(b).ok().out == "here\n"
    assert (b.rootfs / "new/deep").is_file() and (b.rootfs / "new/deep").read_text() == ""


@only_tare
def test_M10_a_failed_create_takes_back_what_it_made(tare, bundle, tmp):
    b = bundle(args=["/bin/true"]).mount("/new/deep/er", "bind", tmp, ["bind"]).mount("/tmp", "tmpfs", "t", ["banana"])
    tare.run(b).fails("banana")
    assert not (b.rootfs / "new").exists()


@only_tare
def test_M10_directory_on_a_file_says_so(tare, bundle, tmp):
    result = tare.run(bundle(args=["/bin/true"]).mount("/etc/passwd", "bind", tmp, ["bind"]))
    result.fails(f'mount "{tmp}" on "/etc/passwd"')
    assert "the source is a directory, the destination is a file" in result.err + result.error + str(result.log)


def test_M11_source_in_a_closed_directory_with_a_user_namespace(tare, bundle, tmp):
    closed = tmp / "closed"
    (closed / "volume").mkdir(parents=True)
    (closed / "volume/file").write_text("here\n")
    closed.chmod(0o700)
    os.chown(closed, 4242, 4242)
    b = bundle(script="cat /data/file").user_namespace().mount("/data", "bind", closed / "volume", ["bind"])
    assert tare.run(b).ok().out == "here\n"


@only_tare
def test_B2_mount_over_the_root_is_refused(tare, bundle):
    tare.run(bundle(args=["/bin/true"]).mount("/data/..", "tmpfs", "t")).fails('mount over "/": it would hide the rootfs')


# ---- tmpfs ----------------------------------------------------------------------------------------------------------


def test_M6_tmpfs_keeps_mode_and_owner_of_what_it_covers(tare, bundle):
    b = bundle(script="stat -c %a:%u:%g /tmp /data").mount("/tmp", "tmpfs", "t").mount("/data", "tmpfs", "t")
    (b.rootfs / "data").chmod(0o2750)
    os.chown(b.rootfs / "data", 12, 34)
    (b.rootfs / "data").chmod(0o2750)
    expected = ["1777:0:0", "2750:12:34"] if tare.path.endswith("tare-oci") else ["1777:0:0", "2750:0:0"]
    assert tare.run(b).ok().out.split() == expected


def test_M6_explicit_mode_wins(tare, bundle):
    b = bundle(script="stat -c %a /tmp").mount("/tmp", "tmpfs", "t", ["mode=700"])
    assert tare.run(b).ok().out == "700\n"


@only_tare
def test_M7_tmpcopyup_copies_everything(tare, bundle):
    b = bundle(script="cd /data; stat -c '%n %a %u:%g %Y %F' * sub/*; readlink link; test one -ef two && echo same; "
                      "mount | grep /data; echo x >sub/new && cat sub/new")
    b.mount("/data", "tmpfs", "copy", ["tmpcopyup", "nosuid"])
    data = b.rootfs / "data"
    (data / "sub").mkdir()
    (data / "sub/file").write_text("x" * 3000000)
    (data / "setuid").write_text("")
    os.chown(data / "setuid", 7, 8)
    (data / "setuid").chmod(0o4755)
    (data / "one").write_text("one")
    os.link(data / "one", data / "two")
    os.symlink("/etc/shadow", data / "link")
    os.mkfifo(data / "fifo", 0o640)
    os.utime(data / "one", (1000, 1000))
    os.chmod(data / "sub", 0o710)
    out = tare.run(b).ok().out
    assert "setuid 4755 7:8" in out
    assert "one 644 0:0 1000 regular file" in out
    assert "fifo 640 0:0" in out
    assert "sub 710 0:0" in out
    assert "/etc/shadow\nsame\n" in out
    assert "copy on /data type tmpfs (rw,nosuid" in out
    assert out.endswith("x\n")
    assert not (data / "sub/new").exists()


@only_tare
def test_M7_tmpcopyup_keeps_file_capabilities(tare, bundle):
    b = bundle(args=["sleep", "60"]).mount("/data", "tmpfs", "copy", ["tmpcopyup"])
    value = bytes.fromhex("0100000200040000000000000000000000000000")
    (b.rootfs / "data/ping").write_text("")
    os.setxattr(b.rootfs / "data/ping", "security.capability", value)
    c = tare.run_detached(b)
    assert os.getxattr(f"/proc/{c.pid}/root/data/ping", "security.capability") == value


@only_tare
def test_M7_tmpcopyup_and_read_only(tare, bundle):
    b = bundle(script="cat /etc/passwd | head -n1; touch /etc/x").mount("/etc", "tmpfs", "copy", ["tmpcopyup", "ro"])
    result = tare.run(b)
    assert result.out == "root:x:0:0:root:/root:/bin/sh\n"
    assert "Read-only file system" in result.err


@only_tare
def test_M7_tmpcopyup_without_room_says_which_file(tare, bundle):
    b = bundle(args=["/bin/true"]).mount("/data", "tmpfs", "copy", ["tmpcopyup", "size=64k"])
    (b.rootfs / "data/sub").mkdir()
    (b.rootfs / "data/sub/large").write_bytes(b"x" * 300000)
    tare.run(b).fails('copy up "/data": copy "sub/large": no space')


@only_tare
def test_M7_tmpcopyup_is_for_tmpfs(tare, bundle, tmp):
    b = bundle(args=["/bin/true"]).mount("/data", "bind", tmp, ["bind", "tmpcopyup"])
    tare.run(b).fails('option "tmpcopyup" is for a tmpfs only', "/mounts/1")


@only_tare
def test_B1_read_only_tmpfs_that_is_filled_later(tare, bundle):
    b = bundle(script=MOUNTINFO).mount("/data", "tmpfs", "outer", ["ro"]).mount("/data/inner", "tmpfs", "inner")
    out = tare.run(b).ok().out
    assert "ro" in mountinfo.at(out, "/data").flags
    assert "rw" in mountinfo.at(out, "/data/inner").flags


# ---- remount --------------------------------------------------------------------------------------------------------


def test_B6_remount_changes_the_filesystem(tare, bundle):
    b = bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "t", ["nosuid", "size=64k"])
    b.mount("/tmp", "tmpfs", "t", ["remount", "nosuid", "ro", "size=128k"])
    m = mountinfo.at(tare.run(b).ok().out, "/tmp")
    assert {"ro", "nosuid"} <= m.flags and "size=128k" in m.sb


@only_tare
def test_B6_remount_keeps_the_flags_that_it_does_not_name(tare, bundle):
    b = bundle(script=MOUNTINFO).mount("/tmp", "tmpfs", "t", ["nosuid", "nodev", "noexec"])
    b.mount("/tmp", "tmpfs", "t", ["remount", "exec", "ro"])
    m = mountinfo.at(tare.run(b).ok().out, "/tmp")
    assert {"ro", "nosuid", "nodev"} <= m.flags and "noexec" not in m.flags


@only_tare
def test_B6_remount_of_a_bind_changes_the_mount_alone(tare, bundle, tree):
    b = bundle(script=MOUNTINFO).mount("/data", None, tree, ["rbind"]).mount("/data", None, None, ["remount", "bind", "ro", "rnosuid"])
    out = tare.run(b).ok().out
    assert {"ro", "nosuid"} <= mountinfo.at(out, "/data").flags
    assert "nosuid" in mountinfo.at(out, "/data/sub").flags and "rw" in mountinfo.at(out, "/data/sub").flags
    assert (tree / "file").write_text("still writable")


# ---- links as sources and targets -----------------------------------------------------------------------------------


@only_tare
def test_B6_copy_symlink(tare, bundle, tmp):
    os.symlink("/somewhere/else", tmp / "link")
    b = bundle(script="readlink /data/link").mount("/data/link", "bind", tmp / "link", ["bind", "copy-symlink"])
    assert tare.run(b).ok().out == "/somewhere/else\n"


@only_tare
def test_B6_src_nofollow_and_dest_nofollow(tare, bundle, tmp):
    os.symlink("text", tmp / "link")
    b = bundle(script="readlink /data/link; readlink /data/real || true")
    os.symlink("real", b.rootfs / "data/link")
    b.mount("/data/link", "bind", tmp / "link", ["bind", "src-nofollow", "dest-nofollow"])
    assert tare.run(b).ok().out == "text\n"


# ---- idmapped mounts ------------------------------------------------------------------------------------------------


def maps(host, size=1000):
    return [{"containerID": 0, "hostID": host, "size": size}]


@pytest.fixture
def owned(tree):
    """Files of several owners, on two filesystems that can be idmapped."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 3):
        pytest.skip("a tmpfs can be idmapped since Linux 6.3")
    for name, uid in (("file", 5), ("sub/file", 6)):
        os.chown(tree / name, uid, uid)
    return tree


@pytest.mark.parametrize("options", [["rbind"], ["rbind", "idmap"]])
@pytest.mark.this_kernel("idmapped mounts need Linux 5.12")
def test_B7_B8_idmapped_by_its_own_mappings(tare, bundle, owned, options):
    b = bundle(script="stat -c %u:%g /data/file /data/sub/file").mount("/data", None, owned, options)
    b.config["mounts"][-1].update(uidMappings=maps(7000), gidMappings=maps(8000))
    assert tare.run(b).ok().out.split() == ["7005:8005", "6:6"]


@pytest.mark.this_kernel("idmapped mounts need Linux 5.12")
def test_B7_ridmap_maps_the_whole_tree(tare, bundle, owned):
    b = bundle(script="stat -c %u:%g /data/file /data/sub/file").mount("/data", None, owned, ["rbind", "ridmap"])
    b.config["mounts"][-1].update(uidMappings=maps(7000), gidMappings=maps(8000))
    assert tare.run(b).ok().out.split() == ["7005:8005", "7006:8006"]


@pytest.mark.parametrize("word,inside", [("idmap", ["5:5", "65534:65534"]), ("ridmap", ["5:5", "6:6"])])
@pytest.mark.this_kernel("idmapped mounts need Linux 5.12")
def test_B7_idmapped_by_the_containers_user_namespace(tare, bundle, owned, word, inside):
    b = bundle(script="stat -c %u:%g /data/file /data/sub/file").user_namespace().mount("/data", None, owned, ["rbind", word])
    assert tare.run(b).ok().out.split() == inside


@pytest.mark.this_kernel("idmapped mounts need Linux 5.12")
def test_B7_own_mappings_and_a_user_namespace(tare, bundle, owned):
    b = bundle(script="stat -c %u:%g /data/file").user_namespace().mount("/data", None, owned, ["bind", "idmap"])
    b.config["mounts"][-1].update(uidMappings=maps(100100), gidMappings=maps(100200))
    assert tare.run(b).ok().out == "105:205\n"


@only_tare
def test_B7_idmap_without_any_mappings(tare, bundle, owned):
    b = bundle(args=["/bin/true"]).mount("/data", None, owned, ["bind", "idmap"])
    tare.run(b).fails('idmap "/data": there are no mappings and no user namespace to take them from', "/mounts/1")


@only_tare
def test_B7_only_one_kind_of_mappings(tare, bundle, owned):
    b = bundle(args=["/bin/true"]).mount("/data", None, owned, ["bind"])
    b.config["mounts"][-1]["uidMappings"] = maps(7000)
    tare.run(b).fails("gidMappings", "/mounts/1")


@only_tare
def test_B7_idmap_is_for_binds(tare, bundle):
    b = bundle(args=["/bin/true"]).mount("/data", "tmpfs", "t", ["idmap"])
    b.config["mounts"][-1].update(uidMappings=maps(7000), gidMappings=maps(7000))
    tare.run(b).fails('idmap "/data": only a bind can be idmapped', "/mounts/1")


@only_tare
@pytest.mark.this_kernel("idmapped mounts need Linux 5.12")
def test_M12_filesystem_that_can_not_be_idmapped(tare, bundle):
    b = bundle(args=["/bin/true"]).mount("/data", None, "/proc", ["bind"])
    b.config["mounts"][-1].update(uidMappings=maps(7000), gidMappings=maps(7000))
    result = tare.run(b)
    result.fails('idmap the mount of "/proc": refused as invalid (EINVAL)', "/mounts/1")


@only_tare
def test_M12_overlapping_mappings(tare, bundle, owned):
    b = bundle(args=["/bin/true"]).mount("/data", None, owned, ["bind"])
    b.config["mounts"][-1].update(uidMappings=maps(7000) + maps(7100), gidMappings=maps(7000))
    tare.run(b).fails("/mounts/1")


# ---- special filesystems --------------------------------------------------------------------------------------------


def test_L1_default_filesystems(tare, bundle):
    out = tare.run(bundle("docker", script=MOUNTINFO)).ok().out
    for target, fstype in (("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts"), ("/dev/shm", "tmpfs"),
                           ("/dev/mqueue", "mqueue"), ("/dev", "tmpfs")):
        assert mountinfo.at(out, target).fstype == fstype
    assert {"gid=5", "mode=620", "ptmxmode=666"} <= mountinfo.at(out, "/dev/pts").sb
    assert "strictatime" not in mountinfo.at(out, "/dev").sb
    assert not {"relatime", "noatime"} & mountinfo.at(out, "/dev").flags


def test_B5_overlay(tare, bundle, tmp):
    for name in ("lower", "upper", "work"):
        (tmp / name).mkdir()
    (tmp / "lower/file").write_text("lower\n")
    b = bundle(script="cat /data/file; echo new >/data/other")
    b.mount("/data", "overlay", "overlay", [f"lowerdir={tmp}/lower,upperdir={tmp}/upper,workdir={tmp}/work"])
    assert tare.run(b).ok().out == "lower\n"
    assert (tmp / "upper/other").read_text() == "new\n"


@only_tare
def test_M13_sysfs_without_a_network_namespace_is_bound_read_only(tare, bundle):
    b = bundle(script=MOUNTINFO + "; test -d /sys/class/net/lo && echo net").user_namespace()
    b.mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"])
    out = tare.run(b).ok().out
    assert {"ro", "nosuid", "noexec", "nodev"} <= mountinfo.at(out, "/sys").flags
    assert not [m for m in mountinfo.parse(out) if m.target.startswith("/sys/") and "rw" in m.flags]
    assert "net" in out.split("\n")[-2]


@only_tare
def test_M13_writable_sysfs_without_a_network_namespace_is_refused(tare, bundle):
    b = bundle(args=["/bin/true"]).user_namespace().mount("/sys", "sysfs", "sysfs", ["nosuid"])
    result = tare.run(b)
    result.fails('mount "sysfs" on "/sys": a user namespace needs a network namespace of its own for it', "/mounts/1")


@only_tare
def test_M14_proc_in_a_user_namespace_without_a_pid_namespace(tare, bundle):
    b = bundle(args=["/bin/true"]).user_namespace().without_namespace("pid")
    result = tare.run(b)
    result.fails('mount "proc" on "/proc"', "not permitted (EPERM)", "/mounts/0")
    assert "needs a new pid namespace" in str(result.log) + result.err


@only_tare
def test_M14_proc_of_a_host_that_hides_files_of_its_own(tare, bundle):
    """As in a container: the kernel gives a user namespace no procfs that shows more than the one which is there."""
    b = bundle(args=["/bin/true"]).user_namespace()
    tare.run(b).ok()
    tare.under = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /proc/version && exec "$@"', "sh"]
    result = tare.run(b).fails('mount "proc" on "/proc"', "not permitted (EPERM)", "/mounts/0")
    assert "a host whose own /proc has nothing mounted over its files" in result.err


@only_tare
def test_M13_M15_a_filesystem_over_itself(tare, bundle):
    """mount(2) refuses that; a bound /sys has a cgroup2 where the config wants one, too."""
    b = bundle(script=MOUNTINFO).mount("/sys", "sysfs", "first").mount("/sys", "sysfs", "again", ["ro", "nosuid"])
    mounts = [m for m in mountinfo.parse(tare.run(b).ok().out) if m.target == "/sys"]
    assert [m.source for m in mounts] == ["first", "again"] and {"ro", "nosuid"} <= mounts[1].flags


# ---- cgroup mounts --------------------------------------------------------------------------------------------------

CGROUP = ["/sys", "sysfs", "sysfs", ["nosuid", "ro"]]


def cgroup_bundle(bundle, script, namespace=True, options=("ro", "nosuid", "noexec", "nodev")):
    b = bundle(script=script).mount(*CGROUP).mount("/sys/fs/cgroup", "cgroup", "cgroup", list(options))
    return b.namespace("cgroup") if namespace else b


@v1
@pytest.mark.parametrize("namespace", [True, False], ids=["namespace", "no-namespace"])
def test_M15_cgroup_mount_shows_the_containers_own_cgroups(tare, bundle, namespace):
    b = cgroup_bundle(bundle, MOUNTINFO + "; cat /sys/fs/cgroup/pids/tasks /sys/fs/cgroup/memory/tasks", namespace)
    out = tare.run(b).ok().out
    assert mountinfo.at(out, "/sys/fs/cgroup").fstype == "tmpfs"
    assert "ro" in mountinfo.at(out, "/sys/fs/cgroup").flags
    for name in ("pids", "memory", "cpu", "systemd"):
        m = mountinfo.at(out, f"/sys/fs/cgroup/{name}")
        assert m.fstype == "cgroup" and {"ro", "nosuid", "noexec", "nodev"} <= m.flags
    # Only ourselves: the shell and the cat.
    assert 2 <= len([line for line in out.splitlines() if line.isdigit()]) <= 4


@v1
@only_tare
def test_M15_hybrid_has_the_unified_hierarchy(tare, bundle):
    m = mountinfo.at(tare.run(cgroup_bundle(bundle, MOUNTINFO)).ok().out, "/sys/fs/cgroup/unified")
    assert m.fstype == "cgroup2"


@v1
def test_M15_writable_cgroup_mount(tare, bundle):
    b = cgroup_bundle(bundle, "mkdir /sys/fs/cgroup/pids/sub && rmdir /sys/fs/cgroup/pids/sub && echo done", True, ["nosuid"])
    assert tare.run(b).ok().out == "done\n"


@v1
@only_tare
def test_X14_cgroup_mount_is_read_only_for_a_user_namespace_without_a_cgroup_namespace(tare, bundle):
    b = cgroup_bundle(bundle, MOUNTINFO + "; mkdir /sys/fs/cgroup/pids/sub", False, ["nosuid"]).user_namespace().namespace("network")
    result = tare.run(b)
    assert "Read-only file system" in result.err
    for m in mountinfo.parse(result.out):
        if m.target.startswith("/sys/fs/cgroup"):
            assert "ro" in m.flags, m


@v1
@only_tare
def test_M15_cgroup_mount_in_a_user_namespace(tare, bundle):
    b = cgroup_bundle(bundle, MOUNTINFO).user_namespace().namespace("network")
    assert mountinfo.at(tare.run(b).ok().out, "/sys/fs/cgroup/pids").fstype == "cgroup"
