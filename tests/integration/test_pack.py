# SPDX-License-Identifier: GPL-2.0-or-later
"""
Trees become layers: unpacking what was packed gives the same tree, the same tree gives the same bytes, and what an upper
directory hides is hidden. The trees are generated; tests/unit/image/layer_pack.c packs, layer_unpack.c and GNU tar unpack.
"""

import gzip
import io
import os
import random
import socket
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from support import runtime as rt

PACK = Path(rt.binary()).parent / "tests/unit/layer-pack"
UNPACK = PACK.with_name("layer-unpack")
CAPABILITY = b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
# user::rw- user:4242:r-- group::r-- mask::r-- other::---, as the kernel's attribute has it
ACL = bytes.fromhex("02000000 01000600ffffffff 0200040092100000 04000400ffffffff 10000400ffffffff 20000000ffffffff")
pytestmark = pytest.mark.only("tare")


def pack(root, *options):
    return subprocess.run([PACK, *options, root], capture_output=True, check=True).stdout


def refused(root, *options):
    done = subprocess.run([PACK, *options, root], capture_output=True, check=False)
    assert done.returncode == 1, "it should have been refused"
    return done.stderr.decode(errors="replace")


def unpack(data, root):
    root.mkdir()
    subprocess.run([UNPACK, root], input=data, capture_output=True, check=True)
    return root


def describe(root):
    """Everything about a tree that a layer keeps, by path; names of one file have the first one's path in common."""
    found, first = {}, {}
    paths = [os.fsencode(root)]
    for directory, dirs, files in os.walk(os.fsencode(root)):
        paths += [os.path.join(directory, name) for name in dirs + files]
    for path in sorted(paths):
        st, kind = os.lstat(path), None
        if stat.S_ISREG(st.st_mode):
            kind = Path(os.fsdecode(path)).read_bytes()
        elif stat.S_ISLNK(st.st_mode):
            kind = os.readlink(path)
        xattrs = {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}
        xattrs.pop("security.selinux", None)
        rdev = st.st_rdev if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode) else 0
        name = path[len(os.fsencode(root)):]
        same = first.setdefault(st.st_ino, name)
        found[name] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, rdev, kind, xattrs, same)
    return found


NAMES = ["a", "b.txt", "-dash", "new\nline", "grüße", "日本語", "x" * 255, "sp ace", "*?[", "a.b", "a-b", "A", "\x7f\x01", "tab\t"]


class Tree:
    """A tree at random, with everything that a directory can have and a layer can say."""

    def __init__(self, root, seed):
        self.random, self.root, self.files = random.Random(seed), os.fsencode(root), []
        os.mkdir(self.root)
        self.fill(self.root, 0)
        self.attributes(self.root, stat.S_IFDIR)

    def fill(self, directory, depth):
        names = [os.fsencode(name) for name in NAMES] + [b"\xff\xfe", b"bad\xc3", b"y" * 101]
        for name in self.random.sample(names, self.random.randint(0, 6)):
            self.make(os.path.join(directory, name), depth)

    def make(self, path, depth):
        kind = self.random.choice(["file"] * 4 + ["dir"] * 3 + ["link", "hard", "pipe", "device"])
        if kind == "dir" and depth < 5:
            os.mkdir(path)
            self.fill(path, depth + 1)
        elif kind == "link":
            os.symlink(self.random.choice([b"a", b"../x", b"/abs", b"t" * 300, "grün".encode(), b"\xff"]), path)
        elif kind == "hard" and self.files:
            os.link(self.random.choice(self.files), path, follow_symlinks=False)
            return
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            os.mknod(path, self.random.choice([stat.S_IFCHR, stat.S_IFBLK]) | 0o600, os.makedev(self.random.choice([1, 250, 4000]), 3))
        else:
            with open(path, "wb") as file:
                file.write(self.random.randbytes(self.random.choice([0, 1, 511, 512, 513, 70000])))
                if self.random.random() < 0.2:
                    file.truncate(300000)
        self.files += [] if os.path.isdir(path) and not os.path.islink(path) else [path]
        self.attributes(path, stat.S_IFMT(os.lstat(path).st_mode))

    def attributes(self, path, kind):
        pick = self.random.random
        ids = [0, 1, 1000, 65534, 2_097_152, 4_000_000_000]
        os.chown(path, self.random.choice(ids), self.random.choice(ids), follow_symlinks=False)
        if kind != stat.S_IFLNK:
            os.chmod(path, self.random.choice([0o644, 0o755, 0o4755, 0o2750, 0o1777, 0, 0o600]))
        if kind == stat.S_IFREG and pick() < 0.3:
            os.setxattr(path, "security.capability", CAPABILITY)
        if kind in (stat.S_IFREG, stat.S_IFDIR) and pick() < 0.3:
            os.setxattr(path, "user.test", self.random.randbytes(20))
            os.setxattr(path, "user.empty", b"")
        if kind in (stat.S_IFREG, stat.S_IFDIR) and pick() < 0.2:
            os.setxattr(path, "system.posix_acl_access", ACL)
        if kind == stat.S_IFDIR and pick() < 0.2:
            os.setxattr(path, "system.posix_acl_default", ACL)
        if pick() < 0.2:
            os.setxattr(path, "trusted.test", b"t", follow_symlinks=False)
        when = self.random.choice([0, 1, 1_600_000_000_123_456_789, 2_500_000_000_000_000_001, -5_000_000_000])
        os.utime(path, ns=(when, when), follow_symlinks=False)


# More with TARE_PACK_ROUNDS.
ROUNDS = int(os.environ.get("TARE_PACK_ROUNDS", "20"))


def test_unpacking_what_was_packed_gives_the_same_tree(tmp):
    kinds = set()
    for seed in range(ROUNDS):
        tree = tmp / f"tree{seed}"
        Tree(tree, seed)
        data = pack(tree)
        copy = unpack(data, tmp / f"copy{seed}")
        before, after = describe(tree), describe(copy)
        assert before == after, f"seed {seed}"
        assert pack(copy) == data, f"seed {seed}: other bytes for the same tree"
        kinds |= {entry[0][:-4] for entry in before.values()}
        subprocess.run(["rm", "-rf", tree, copy], check=True)
    assert len(kinds) >= 6, "the trees were too simple"


def test_gnu_tar_reads_it_as_we_do(tmp):
    tree = tmp / "tree"
    Tree(tree, 1000)
    other = tmp / "gnu"
    other.mkdir()
    subprocess.run(["tar", "-C", other, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "-xpf", "-"], input=pack(tree), check=True)
    ours, theirs = describe(tree), describe(other)
    assert ours.keys() == theirs.keys()
    for name, entry in ours.items():
        # GNU tar sets no attributes of links, and no ACL that comes as the kernel's attribute
        assert entry[:6] + entry[7:] == theirs[name][:6] + theirs[name][7:], name


def test_the_order_of_making_leaves_no_trace(tmp):
    names = [f"f{i}" for i in range(50)]
    results = []
    for n, order in enumerate((names, names[::-1])):
        root = tmp / f"t{n}"
        (root / "d").mkdir(parents=True)
        for name in order:
            (root / "d" / name).write_text(name)
        for path in [*(root / "d").iterdir(), root / "d", root]:
            os.utime(path, (1, 1))
        results.append(pack(root))
    assert results[0] == results[1]
    listed = tarfile.open(fileobj=io.BytesIO(results[0])).getnames()
    assert listed == [".", "d", *("d/" + name for name in sorted(names))]


def test_no_names_of_users_and_no_times_but_one(tmp):
    (tmp / "t").mkdir()
    (tmp / "t/file").write_text("x")
    os.utime(tmp / "t/file", ns=(5_000_000_000, 1_600_000_000_250_000_000))
    info = tarfile.open(fileobj=io.BytesIO(pack(tmp / "t"))).getmember("file")
    assert (info.uname, info.gname) == ("", "")
    assert info.mtime == 1_600_000_000.25
    assert not {"atime", "ctime", "LIBARCHIVE.creationtime"} & set(info.pax_headers)


def test_later_times_become_that_of_the_source(tmp):
    (tmp / "t").mkdir()
    for name, when in (("old", 1000), ("new", 3000)):
        (tmp / "t" / name).write_text("x")
        os.utime(tmp / "t" / name, (when, when))
    tar = tarfile.open(fileobj=io.BytesIO(pack(tmp / "t", "--newest", "2000")))
    assert [tar.getmember(name).mtime for name in (".", "old", "new")] == [2000, 1000, 2000]


@pytest.mark.parametrize("option,magic", [("--gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), ("--zstd", b"\x28\xb5\x2f\xfd")])
def test_compressed_bytes_are_the_same_each_time(tmp, option, magic):
    Tree(tmp / "tree", 7)
    (tmp / "tree/big").write_bytes(random.Random(1).randbytes(400_000) * 3)
    data = pack(tmp / "tree", option)
    assert data == pack(tmp / "tree", option) and data.startswith(magic)
    assert describe(unpack(data, tmp / "copy")) == describe(tmp / "tree")
    if option == "--gzip":
        assert gzip.decompress(data) == pack(tmp / "tree")


# ---- what overlayfs leaves ------------------------------------------------------------------------------------------


@pytest.fixture
def overlay(tmp):
    """An overlay with a lower directory; what is done in it lands in the upper one."""
    for name in ("lower/dir/sub", "upper", "work", "merged"):
        (tmp / name).mkdir(parents=True)
    for name in ("gone", "kept", "dir/gone", "dir/sub/file"):
        (tmp / "lower" / name).write_text(name)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp / "work"], check=True)
    for name in ("upper", "work"):
        (tmp / "work" / name).mkdir()
    options = f"lowerdir={tmp}/lower,upperdir={tmp}/work/upper,workdir={tmp}/work/work,metacopy=off,redirect_dir=off"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, tmp / "merged"], check=True)
    yield tmp
    subprocess.run(["umount", tmp / "merged", tmp / "work"], check=True)


def test_an_upper_directory_becomes_what_hides_the_same(overlay):
    merged, upper = overlay / "merged", overlay / "work/upper"
    (merged / "gone").unlink()
    (merged / "dir/gone").unlink()
    subprocess.run(["rm", "-r", merged / "dir/sub"], check=True)
    (merged / "dir/sub").mkdir()
    (merged / "dir/sub/new").write_text("new")
    (merged / "kept").chmod(0o600)
    data = pack(upper, "--upper")
    names = tarfile.open(fileobj=io.BytesIO(data)).getnames()
    assert names == [".", "dir", "dir/.wh.gone", "dir/sub", "dir/sub/.wh..wh..opq", "dir/sub/new", ".wh.gone", "kept"] or \
        sorted(names) == sorted([".", ".wh.gone", "dir", "dir/.wh.gone", "dir/sub", "dir/sub/.wh..wh..opq", "dir/sub/new", "kept"])
    layer = unpack(data, overlay / "layer")
    seen = overlay / "seen"
    seen.mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={layer}:{overlay}/lower", seen], check=True)
    try:
        assert describe(seen).keys() == describe(merged).keys()
        assert (seen / "dir/sub/new").read_text() == "new" and (seen / "kept").stat().st_mode & 0o777 == 0o600
    finally:
        subprocess.run(["umount", seen], check=True)


def test_marks_are_always_the_same(overlay):
    (overlay / "merged/gone").unlink()
    info = tarfile.open(fileobj=io.BytesIO(pack(overlay / "work/upper", "--upper"))).getmember(".wh.gone")
    assert (info.type, info.size, info.mtime, info.uid, info.gid) == (tarfile.REGTYPE, 0, 0, 0, 0)


@pytest.mark.parametrize("name,value", [("redirect", b"/dir"), ("metacopy", b"")])
def test_what_lies_in_another_layer_is_refused(tmp, name, value):
    (tmp / "t/dir").mkdir(parents=True)
    os.setxattr(tmp / "t/dir", f"trusted.overlay.{name}", value)
    message = refused(tmp / "t", "--upper")
    assert f'pack "/dir": it has overlayfs\'s attribute "{name}", so a part of it is in another layer' in message


def test_a_whiteout_that_is_none_is_refused(tmp):
    (tmp / "t").mkdir()
    os.mknod(tmp / "t/null", stat.S_IFCHR | 0o600, 0)
    assert 'pack "/null": a character device 0/0 is a whiteout to overlayfs' in refused(tmp / "t")
    os.unlink(tmp / "t/null")
    (tmp / "t/.wh.file").write_text("")
    assert 'pack "/.wh.file": its name would hide another file in a layer' in refused(tmp / "t")


def test_a_socket_is_left_out(tmp):
    (tmp / "t").mkdir()
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp / "t/s"))
    assert tarfile.open(fileobj=io.BytesIO(pack(tmp / "t"))).getnames() == ["."]
