# SPDX-License-Identifier: GPL-2.0-or-later
"""
Layers: tars of every kind, and hostile ones, become directories for overlayfs or are refused by entry. The tars are made by
Python's tarfile, by GNU tar where it can do more, and by hand where nobody would; tests/unit/image/layer_unpack.c unpacks.
"""

import bz2
import gzip
import lzma
import os
import stat
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest

from support import runtime as rt
from support.corpus import Tar

TOOL = Path(rt.binary()).parent / "tests/unit/layer-unpack"
OUTSIDE = "outside"
pytestmark = pytest.mark.only("tare")


class Layer(Tar):
    """A layer under construction, and the directory that it is unpacked into, beside a directory that nothing may reach."""

    def __init__(self, tmp):
        super().__init__()
        self.root, self.outside = tmp / "layer", tmp / OUTSIDE
        self.root.mkdir()
        self.outside.mkdir()
        (self.outside / "victim").write_text("untouched")

    def feed(self, data, *options):
        """Unpack these bytes. Returns the tool's end."""
        done = subprocess.run([TOOL, *options, self.root], input=data, capture_output=True, check=False)
        assert (self.outside / "victim").read_text() == "untouched"
        assert os.listdir(self.outside) == ["victim"]
        return done

    def unpack(self, *options):
        """Unpack it. Returns what was counted: entries, bytes, devices and attributes left out."""
        done = self.feed(self.bytes(), *options)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return [int(word) for word in done.stdout.split()]

    def refused(self, *texts):
        done = self.feed(self.bytes())
        message = done.stderr.decode(errors="replace")
        assert done.returncode == 1, "it should have been refused"
        for text in texts:
            assert text in message, message

    def stat(self, name):
        return os.lstat(self.root / name)

    def tree(self):
        """Every path below the root, in order."""
        found = []
        for directory, dirs, files in os.walk(self.root):
            found += [os.path.relpath(os.path.join(directory, name), self.root) for name in dirs + files]
        return sorted(found)


@pytest.fixture
def layer(tmp):
    return Layer(tmp)


# ---- what a layer holds ---------------------------------------------------------------------------------------------


def test_files_directories_and_links(layer):
    layer.add("dir/", mode=0o1777).add("dir/file", "hello", mode=0o640, uid=7, gid=8).link("dir/link", "file")
    layer.add("dir/pipe", type=tarfile.FIFOTYPE, mode=0o600).hard("dir/hard", "dir/file")
    assert layer.unpack() == [5, 5, 0, 0]
    assert layer.tree() == ["dir", "dir/file", "dir/hard", "dir/link", "dir/pipe"]
    file = layer.stat("dir/file")
    assert (stat.S_IMODE(file.st_mode), file.st_uid, file.st_gid, file.st_nlink) == (0o640, 7, 8, 2)
    assert stat.S_IMODE(layer.stat("dir").st_mode) == 0o1777
    assert os.readlink(layer.root / "dir/link") == "file"
    assert stat.S_ISFIFO(layer.stat("dir/pipe").st_mode)
    assert layer.stat("dir/hard").st_ino == file.st_ino


def test_devices(layer):
    layer.add("null", type=tarfile.CHRTYPE, mode=0o666, device=(1, 3)).add("disk", type=tarfile.BLKTYPE, device=(8, 1))
    layer.unpack()
    null, disk = layer.stat("null"), layer.stat("disk")
    assert stat.S_ISCHR(null.st_mode) and null.st_rdev == os.makedev(1, 3) and stat.S_IMODE(null.st_mode) == 0o666
    assert stat.S_ISBLK(disk.st_mode) and disk.st_rdev == os.makedev(8, 1)


def test_devices_are_left_out_where_they_cannot_be_made(layer):
    layer.add("null", type=tarfile.CHRTYPE, device=(1, 3)).add("file", "x")
    data = layer.bytes()
    tool = ["setpriv", "--bounding-set=-mknod", TOOL]
    done = subprocess.run([*tool, "--may-skip", layer.root], input=data, capture_output=True, check=True)
    assert done.stdout.split() == [b"2", b"1", b"1", b"0"] and layer.tree() == ["file"]
    done = subprocess.run([*tool, layer.root], input=data, capture_output=True, check=False)
    assert done.returncode == 1 and b'entry "null": make the device: not permitted (EPERM)' in done.stderr


def test_set_id_bits_and_sticky_survive_the_owner(layer):
    for mode in (0o4755, 0o2755, 0o6711, 0o1755, 0o000):
        layer.add(f"f{mode:o}", "x", mode=mode, uid=1000, gid=1000)
    layer.unpack()
    for mode in (0o4755, 0o2755, 0o6711, 0o1755, 0o000):
        assert stat.S_IMODE(layer.stat(f"f{mode:o}").st_mode) == mode


def test_file_capabilities_and_attributes(layer):
    value = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
    pax = {"SCHILY.xattr.security.capability": value.decode("latin-1"), "SCHILY.xattr.user.note": "hello"}
    # tarfile writes records as UTF-8; what is not ASCII is made by hand
    layer.add("plain", "x", uid=5, pax={"SCHILY.xattr.user.note": "hello"})
    assert value.decode("latin-1") in pax["SCHILY.xattr.security.capability"]
    layer.unpack()
    assert os.getxattr(layer.root / "plain", "user.note") == b"hello"


def test_file_capabilities_by_gnu_tar(layer, tmp):
    source = tmp / "source"
    source.mkdir()
    (source / "ping").write_text("x")
    os.chown(source / "ping", 1000, 1000)
    value = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
    os.setxattr(source / "ping", "security.capability", value)
    data = subprocess.run(["tar", "-C", source, "--xattrs", "--xattrs-include=*", "-cf", "-", "ping"], capture_output=True, check=True).stdout
    done = layer.feed(data)
    assert done.returncode == 0, done.stderr
    assert os.getxattr(layer.root / "ping", "security.capability") == value
    assert layer.stat("ping").st_uid == 1000


@pytest.mark.parametrize("group,kept", [(4242, True), (0, False)])
def test_acls_by_gnu_tar(layer, tmp, group, kept):
    """GNU tar writes a name where there is one: a number that may be another's here is not guessed."""
    source = tmp / "source"
    source.mkdir()
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in (
        (1, 7, 0xffffffff), (2, 5, 4243), (4, 5, 0xffffffff), (8, 4, group), (16, 5, 0xffffffff), (32, 0, 0xffffffff)))
    os.setxattr(source, "system.posix_acl_default", acl)
    (source / "file").write_text("x")
    os.setxattr(source / "file", "system.posix_acl_access", acl)
    data = subprocess.run(["tar", "-C", source, "--acls", "--numeric-owner", "-cf", "-", "."], capture_output=True, check=True).stdout
    done = layer.feed(data)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[3] == (b"0" if kept else b"2")
    assert ("system.posix_acl_access" in os.listxattr(layer.root / "file")) == kept
    if kept:
        assert os.getxattr(layer.root / "file", "system.posix_acl_access") == acl
        assert os.getxattr(layer.root, "system.posix_acl_default") == acl


def test_a_default_acl_is_for_later_files(layer):
    """What the layer itself puts into the directory has the ACL that its own entry says: none."""
    acl = "02000000 01000600ffffffff 0200040092100000 04000400ffffffff 10000400ffffffff 20000000ffffffff"
    layer.add("dir", pax={"SCHILY.xattr.system.posix_acl_default": bytes.fromhex(acl).decode(errors="surrogateescape")})
    layer.add("dir/file", "x").add("dir/sub")
    layer.unpack()
    assert os.listxattr(layer.root / "dir") == ["system.posix_acl_default"]
    assert os.listxattr(layer.root / "dir/file") == os.listxattr(layer.root / "dir/sub") == []


def test_the_last_of_two_entries_of_a_directory_counts(layer):
    layer.add("dir", mtime=1, mode=0o700).add("dir/file", "x").add("dir", mtime=2, mode=0o755)
    layer.unpack()
    assert (layer.stat("dir").st_mtime, stat.S_IMODE(layer.stat("dir").st_mode)) == (2, 0o755)
    assert layer.tree() == ["dir", "dir/file"]


def test_times_to_the_nanosecond(layer):
    layer.add("dir", mtime=1.5, pax={"mtime": "1234567890.123456789"})
    layer.add("dir/file", "x", pax={"mtime": "1234567891.000000001", "atime": "5.25"}).add("old", "x", mtime=0)
    layer.add("dir/later", "y").link("dir/link", "x")
    layer.unpack()
    assert layer.stat("dir").st_mtime_ns == 1234567890123456789
    assert layer.stat("dir/file").st_mtime_ns == 1234567891000000001
    assert layer.stat("dir/file").st_atime_ns == 5250000000
    assert layer.stat("old").st_mtime_ns == 0
    assert layer.stat("dir/link").st_mtime == layer.clock


def test_the_root_has_attributes_as_well(layer):
    layer.add("./", mode=0o711, uid=3, gid=4, mtime=99).add("./file", "x")
    layer.unpack()
    root = os.stat(layer.root)
    assert (stat.S_IMODE(root.st_mode), root.st_uid, root.st_gid, root.st_mtime) == (0o711, 3, 4, 99)


@pytest.mark.parametrize("name", ["/abs/file", "./dot/file", "a//b///c", "./././x", "dir/./file"])
def test_names_are_taken_from_the_root(layer, name):
    layer.add(name, "x")
    layer.unpack()
    assert os.path.relpath(os.path.normpath("/" + name), "/") in layer.tree()


@pytest.mark.parametrize("name", ["grüße", "日本語", "a b\tc", "back\\slash", "-dash", "new\nline", "\x7f\x01", "*?[x]"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_odd_names(layer, name, form):
    layer.tar.format = form
    layer.add(name, "x").link("link", name)
    layer.unpack()
    assert layer.tree() == sorted([name, "link"])
    assert os.readlink(layer.root / "link") == name


def test_names_that_are_no_utf8(layer):
    raw = b"caf\xe9"
    layer.tar.format = tarfile.GNU_FORMAT
    layer.tar.encoding = "latin-1"
    layer.add("café", "x")
    layer.unpack()
    assert os.listdir(os.fsencode(layer.root)) == [raw]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_links(layer, form):
    layer.tar.format = form
    deep = "/".join(["d" * 200] * 5)
    layer.add(deep + "/" + "f" * 255, "x").link("link", "t" * 3000)
    layer.unpack()
    assert layer.stat(deep + "/" + "f" * 255).st_size == 1
    assert os.readlink(layer.root / "link") == "t" * 3000


def test_missing_parents_are_made(layer):
    layer.add("a/b/c", "x")
    layer.unpack()
    assert stat.S_IMODE(layer.stat("a/b").st_mode) == 0o755


def test_a_large_file_that_is_almost_all_hole(layer, tmp):
    source = tmp / "source"
    source.mkdir()
    with open(source / "sparse", "wb") as f:
        f.seek(9 * 2**30)
        f.write(b"end")
        f.truncate(10 * 2**30)
    data = subprocess.run(["tar", "-C", source, "-S", "-cf", "-", "sparse"], capture_output=True, check=True).stdout
    done = layer.feed(data)
    assert done.returncode == 0, done.stderr
    made = layer.stat("sparse")
    assert made.st_size == 10 * 2**30 and made.st_blocks * 512 < 2**20
    with open(layer.root / "sparse", "rb") as f:
        f.seek(9 * 2**30)
        assert f.read(4) == b"end\0"


def test_an_empty_layer(layer):
    assert layer.unpack() == [0, 0, 0, 0]
    assert layer.feed(b"").returncode == 0
    assert layer.tree() == []


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_ids_beyond_the_old_fields(layer, form):
    layer.tar.format = form
    uid = 2097151 if form == tarfile.USTAR_FORMAT else 4294967294
    layer.add("file", "x", uid=uid, gid=uid)
    layer.unpack()
    assert layer.stat("file").st_uid == uid


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: data])
def test_compressed_by_anything(layer, pack):
    layer.add("file", "x" * 100000)
    assert layer.feed(pack(layer.bytes())).returncode == 0
    assert layer.stat("file").st_size == 100000


# ---- one thing in the place of another ------------------------------------------------------------------------------


def test_the_last_of_two_entries_counts(layer):
    layer.add("a", "first").add("a", "second", mode=0o600).hard("b", "a").add("b", "third")
    layer.unpack()
    assert (layer.root / "a").read_text() == "second" and (layer.root / "b").read_text() == "third"


def test_a_file_takes_the_place_of_a_directory_and_back(layer):
    layer.add("a").add("a/x/y", "1").add("a", "file").add("b", "file").add("b").add("b/z", "2")
    layer.unpack()
    assert (layer.root / "a").read_text() == "file"
    assert layer.tree() == ["a", "b", "b/z"]


def test_a_directory_that_is_there_keeps_what_is_in_it(layer):
    layer.add("a/x", "1").add("a", mode=0o700).add("a/y", "2")
    layer.unpack()
    assert layer.tree() == ["a", "a/x", "a/y"] and stat.S_IMODE(layer.stat("a").st_mode) == 0o700


def test_a_directory_takes_the_place_of_a_link(layer):
    layer.add("real/keep", "x").link("a", "real").add("a").add("a/new", "y")
    layer.unpack()
    assert layer.tree() == ["a", "a/new", "real", "real/keep"]


def test_a_link_in_the_layer_is_followed_inside_it(layer):
    layer.add("usr/bin").link("bin", "usr/bin").add("bin/sh", "x").link("sbin", "/usr/bin").add("sbin/init", "y")
    layer.unpack()
    assert layer.tree() == ["bin", "sbin", "usr", "usr/bin", "usr/bin/init", "usr/bin/sh"]


def test_a_link_whose_place_is_taken_leads_elsewhere_from_then_on(layer):
    layer.link("s", ".").add("s/a", "1").add("s/s", "file")
    layer.add("s/b", "2")
    layer.refused('entry "s/b": "/s" is no directory')


# ---- whiteouts ------------------------------------------------------------------------------------------------------


def is_whiteout(st):
    return stat.S_ISCHR(st.st_mode) and st.st_rdev == 0


def opaque(layer, name, prefix="trusted"):
    try:
        return os.getxattr(layer.root / name, f"{prefix}.overlay.opaque") == b"y"
    except OSError:
        return False


def test_whiteouts_become_what_overlayfs_knows(layer):
    layer.add(".wh.gone", "").add("dir/.wh.file", "").add("other").add("other/.wh..wh..opq", "").add("other/new", "x")
    layer.unpack()
    assert is_whiteout(layer.stat("gone")) and is_whiteout(layer.stat("dir/file"))
    assert layer.tree() == ["dir", "dir/file", "gone", "other", "other/new"]
    assert opaque(layer, "other") and not opaque(layer, "dir")


def test_the_root_can_be_opaque(layer):
    layer.add(".wh..wh..opq", "").add("new", "x")
    layer.unpack()
    assert opaque(layer, ".") and layer.tree() == ["new"]


@pytest.mark.parametrize("first", [True, False])
def test_a_whiteout_hides_what_is_below_and_not_what_is_beside(layer, first):
    """In any order: the file of this layer stays, and a directory of this layer shows nothing of the one below."""
    entries = [lambda: layer.add(".wh.file", ""), lambda: layer.add(".wh.dir", "")]
    own = [lambda: layer.add("file", "mine"), lambda: layer.add("dir"), lambda: layer.add("dir/x", "mine")]
    for step in entries + own if first else own + entries:
        step()
    layer.unpack()
    assert (layer.root / "file").read_text() == "mine" and (layer.root / "dir/x").read_text() == "mine"
    assert opaque(layer, "dir")


def test_whiteouts_of_a_user(layer):
    layer.add("dir/.wh..wh..opq", "").add(".wh.x", "")
    layer.unpack("--user")
    assert opaque(layer, "dir", "user") and not opaque(layer, "dir") and is_whiteout(layer.stat("x"))


def test_what_aufs_left_means_nothing(layer):
    layer.add(".wh..wh.aufs", "").add(".wh..wh.plnk").add("a/.wh..wh.orph", "").add("b", "x")
    layer.unpack()
    assert layer.tree() == ["a", "b"]


def test_lower_layers_are_hidden_as_the_image_says(tmp, layer):
    """The proof by overlayfs itself."""
    lower, merged = tmp / "lower", tmp / "merged"
    for path in ("gone", "kept", "dir/below", "opaque/below"):
        (lower / path).parent.mkdir(parents=True, exist_ok=True)
        (lower / path).write_text("lower")
    merged.mkdir()
    layer.add(".wh.gone", "").add("dir").add("dir/new", "x").add("opaque/.wh..wh..opq", "").add("opaque/new", "y")
    layer.unpack()
    backing = tmp / "tmpfs"  # overlayfs takes no layer of an overlay of the host's
    backing.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "layers", backing], check=True)
    try:
        subprocess.run(["cp", "-a", lower, layer.root, backing], check=True)
        subprocess.run(["mount", "-t", "overlay", "x", "-o", f"lowerdir={backing}/layer:{backing}/lower", merged], check=True)
        found = sorted(str(p.relative_to(merged)) for p in merged.rglob("*"))
        subprocess.run(["umount", merged], check=True)
    finally:
        subprocess.run(["umount", backing], check=True)
    assert found == ["dir", "dir/below", "dir/new", "kept", "opaque", "opaque/new"]


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "dir/.wh.."])
def test_a_whiteout_of_nothing(layer, name):
    layer.add(name, "").refused(f'entry "{name}": a whiteout of nothing')


# ---- hostile ones ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../outside/victim", "a/../../outside/victim", "..", "/../outside/victim", "a/..", "./../x"])
@pytest.mark.parametrize("kind", ["file", "dir", "link", "hard"])
def test_dots_lead_nowhere(layer, name, kind):
    add = {"file": lambda: layer.add(name, "evil"), "dir": lambda: layer.add(name, mode=0),
           "link": lambda: layer.link(name, "x"), "hard": lambda: layer.add("x", "1").hard(name, "x")}
    add[kind]()
    layer.refused('".." in the name of an entry')


@pytest.mark.parametrize("target", ["../outside", "../../../../../../../../outside", "{outside}", "/proc/self/root{outside}"])
def test_links_lead_nowhere_else(layer, target):
    """What is written through a link lands inside the layer, or nowhere."""
    layer.link("out", target.format(outside=layer.outside)).add("out/victim", "evil").add("out/new", "evil")
    layer.unpack()  # what is outside was looked at
    assert [name for name in layer.tree() if name.endswith("/new")]


def test_a_link_in_a_links_place_is_not_followed(layer):
    layer.link("a", str(layer.outside / "victim")).add("a", "evil")
    layer.unpack()
    assert (layer.root / "a").read_text() == "evil" and not (layer.root / "a").is_symlink()


def test_attributes_are_not_set_through_a_link(layer):
    before = os.stat(layer.outside / "victim")
    layer.add("a", type=tarfile.SYMTYPE, link=str(layer.outside / "victim"), mode=0o777, uid=7, gid=7, mtime=5)
    layer.unpack()
    after = os.stat(layer.outside / "victim")
    assert (after.st_uid, after.st_mode, after.st_mtime_ns) == (before.st_uid, before.st_mode, before.st_mtime_ns)
    assert layer.stat("a").st_uid == 7


@pytest.mark.parametrize("target", ["{outside}/victim", "missing", "dir/missing", "link/victim", "gone"])
def test_hard_links_to_what_the_layer_has_not(layer, target):
    layer.link("link", str(layer.outside)).add("dir").add(".wh.gone", "")
    name = target.format(outside=layer.outside)
    layer.hard("hard", name).refused('entry "hard": a hard link to', "which is not in this layer")


def test_hard_links_out_by_dots(layer):
    layer.hard("hard", "../outside/victim").refused('entry "hard": ".." in the name of an entry')


def test_a_hard_link_to_a_directory(layer):
    layer.add("dir").hard("hard", "dir").refused('"dir", which is a directory')


def test_a_hard_link_to_a_symbolic_link_is_one_more_name_of_it(layer):
    layer.link("link", str(layer.outside / "victim")).hard("hard", "link").add("hard2", "x")
    layer.unpack()
    assert os.readlink(layer.root / "hard") == str(layer.outside / "victim")


def test_a_hard_link_to_itself(layer):
    layer.add("a", "x").hard("a", "./a").refused("a hard link to itself")


def test_overlays_own_attributes_are_nobodys_to_bring(layer):
    names = ("trusted.overlay.redirect", "trusted.overlay.opaque", "user.overlay.whiteout")
    layer.add("a", pax={f"SCHILY.xattr.{n}": "/etc" for n in names})
    assert layer.unpack() == [1, 0, 0, 3]
    assert not [n for n in os.listxattr(layer.root / "a") if "overlay" in n]


def test_a_whiteout_as_a_device(layer):
    layer.add("a", type=tarfile.CHRTYPE, device=(0, 0)).refused("a character device 0/0 is a whiteout to overlayfs")


def test_the_root_is_a_directory(layer):
    layer.link("./", str(layer.outside)).refused("the root of a layer is a directory")


def test_too_long_names(layer):
    layer.add("n" * 256, "x").refused("the name of an entry is too long")


def test_paths_beyond_the_kernels_limit(layer):
    layer.add("/".join(["d" * 100] * 50), "x").refused("the name of an entry is too long")


@pytest.mark.parametrize("cut", [1, 511, 512, 700, 1024])
def test_a_tar_that_is_cut_off(layer, cut):
    layer.add("file", "x" * 5000)
    data = layer.bytes()[:512 + 5000 - cut]
    done = layer.feed(data)
    assert done.returncode == 1 and b"can't be read: Truncated tar archive" in done.stderr, done.stderr


def test_what_is_no_tar(layer):
    done = layer.feed(b"this is no tar at all\n" * 100)
    assert done.returncode == 1 and b"the tar can't be read: " in done.stderr
    assert layer.tree() == []


def test_damaged_compression_is_named_before_the_tar(layer):
    layer.add("file", os.urandom(50000))
    data = bytearray(gzip.compress(layer.bytes()))
    data[20000] ^= 0xff
    done = layer.feed(bytes(data))
    assert done.returncode == 1 and b"the gzip data is damaged" in done.stderr


def test_a_bomb(layer):
    layer.add("file", bytes(50_000_000))
    done = layer.feed(gzip.compress(layer.bytes()), "--limit", "1000000")
    assert done.returncode == 1 and b"it inflates to more than the limit of 1000000 bytes" in done.stderr
