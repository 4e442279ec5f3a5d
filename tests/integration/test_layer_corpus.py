# SPDX-License-Identifier: GPL-2.0-or-later
"""
The corpus of odd and hostile layers (support/corpus.py): each becomes what GNU tar or umoci makes of the same bytes, or is refused; and nothing
outside of the layer's directory is touched by any of them.
"""

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from support import corpus
from support import runtime as rt
from support.engine import Layout

TOOL = Path(rt.binary()).parent / "tests/unit/layer-unpack"
pytestmark = [pytest.mark.only("tare"), pytest.mark.skipif(not shutil.which("umoci") or not shutil.which("zstd"), reason="umoci or zstd is missing")]
CASES = list(corpus.cases()) if shutil.which("zstd") else []


def describe(top, timed=None):
    """What is below a directory: {name: everything about it}. Times of those in `timed` alone, if it is given."""
    found, links = {}, {}
    for directory, names, files in os.walk(os.fsencode(top)):
        for name in names + files:
            path = os.path.join(directory, name)
            info, key = os.lstat(path), os.path.relpath(path, os.fsencode(top))
            kind = stat.S_IFMT(info.st_mode)
            content = os.readlink(path) if kind == stat.S_IFLNK else b""
            if kind == stat.S_IFREG:
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            attributes = {n: os.getxattr(path, n, follow_symlinks=False) for n in os.listxattr(path, follow_symlinks=False) if "overlay" not in n}
            first = links.setdefault((info.st_dev, info.st_ino), key) if kind != stat.S_IFDIR else key
            found[key] = (oct(info.st_mode), info.st_uid, info.st_gid, info.st_rdev, content, first, attributes,
                          info.st_mtime_ns if timed is None or key in timed else None)
    return found


def clean(name):
    """The name that an entry has below the root."""
    return b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))


def entries_of(tar):
    """What GNU tar lists, so whose times are the tar's and not those of the unpacking."""
    listed = subprocess.run(["tar", "-tPf", "-", "--quoting-style=literal", "--null", "--warning=none"], input=tar, capture_output=True, check=False).stdout
    return {clean(line) for line in listed.split(b"\n")}


def by_gnu_tar(tar, place):
    place.mkdir()
    done = subprocess.run(["tar", "-C", place, "-xpf", "-", "--numeric-owner", "--same-owner", "--xattrs", "--xattrs-include=*", "--warning=none", "--delay-directory-restore"],
                          input=tar, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def by_umoci(layers, place):
    layout = Layout(place)
    layout.name("a", layout.manifest(layers))
    subprocess.run(["umoci", "unpack", "--image", f"{place}:a", place / "bundle"], check=True, capture_output=True)
    return place / "bundle/rootfs"


@pytest.fixture
def unpack(tmp):
    """Unpacks a layer beside a directory that nothing may reach."""
    (tmp / "victim").write_text("untouched")
    before = os.lstat(tmp / "victim")

    def call(data, name="layer"):
        (tmp / name).mkdir()
        done = subprocess.run([TOOL, tmp / name], input=data, capture_output=True, check=False)
        after = os.lstat(tmp / "victim")
        assert (after.st_mode, after.st_nlink, after.st_mtime_ns, after.st_ino) == (before.st_mode, before.st_nlink, before.st_mtime_ns, before.st_ino)
        assert (tmp / "victim").read_text() == "untouched"
        return done
    return call


def test_there_are_enough_of_them():
    assert len(CASES) >= 150 and len({c.name for c in CASES}) == len(CASES)


def of(oracle):
    chosen = [c for c in CASES if c.oracle == oracle]
    return pytest.mark.parametrize("case", chosen, ids=[c.name.replace(" ", "_") for c in chosen])


@of(corpus.GNU_TAR)
def test_as_gnu_tar(unpack, tmp, case):
    done = unpack(case.data)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    tar = case.tar or case.data
    by_gnu_tar(tar, tmp / "oracle")
    timed = entries_of(tar)
    found, expected = describe(tmp / "layer", timed), describe(tmp / "oracle", timed)
    assert found.keys() == expected.keys()
    for name, what in expected.items():
        assert found[name] == what, name


@of(corpus.UMOCI)
def test_as_umoci(unpack, tmp, case):
    for name, data in (("lower", case.lower), ("layer", case.data)):
        done = unpack(data, name)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
    expected = describe(by_umoci([case.lower, case.data], tmp / "oracle"), set())
    (tmp / "seen").mkdir()
    subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={tmp}/layer:{tmp}/lower", "overlay", tmp / "seen"], check=True)
    try:
        found = describe(tmp / "seen", set())
    finally:
        subprocess.run(["umount", tmp / "seen"], check=True)
    assert found == expected


@of(None)
def test_refused(unpack, case):
    done = unpack(case.data)
    message = done.stderr.decode(errors="replace")
    assert done.returncode == 1 and message.strip(), f"it should have been refused, and ended with {done.returncode}"
    for text in case.words:
        assert text in message, message
