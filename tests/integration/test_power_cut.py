# SPDX-License-Identifier: GPL-2.0-or-later
"""
A power cut at any moment: each image is there bit for bit or not at all, the index is the old or the new one, and nothing has to be
repaired.

The store is on an ext4 of its own, on a loop device; the file behind that is on an xfs that copies in an instant (reflink). Such a copy is
what a disk would have when the power goes: what was written back or flushed is there, what is in the page cache is lost. It is
taken at random moments while commands run, then mounted, which replays the journal, and looked at.
"""

import os
import random
import shutil
import subprocess
import threading
import time

import pytest

from support.engine import Engine, layer_tar
from support.registry import FakeRegistry, digest_of, environment

ROUNDS = 25
PARTS = max(1, int(os.environ.get("TARE_CUT_ROUNDS", "25")) // ROUNDS)

pytestmark = [pytest.mark.skipif(not os.path.exists("/dev/loop-control") or not shutil.which("mkfs.xfs"), reason="no loop devices or no mkfs.xfs"),
              pytest.mark.this_kernel("file systems are mounted as they are")]


def sh(*words, **kw):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, **kw).stdout


class Disk:
    """A file system in a file, mounted."""

    def __init__(self, file, place):
        self.file, self.place = file, place
        place.mkdir(exist_ok=True)

    def __enter__(self):
        sh("mount", "-o", "loop", self.file, self.place)
        return self

    def __exit__(self, *_):
        sh("umount", self.place)


@pytest.fixture
def disk(tmp):
    """An ext4 for the store, on a disk that can be copied in an instant."""
    below = tmp / "below.img"
    with open(below, "wb") as file:
        file.truncate(600 << 20)
    sh("mkfs.xfs", "-q", "-m", "reflink=1", below)
    with Disk(below, tmp / "below") as outer:
        image = outer.place / "disk.img"
        with open(image, "wb") as file:
            file.truncate(96 << 20)
        sh("mkfs.ext4", "-q", "-F", image)
        with Disk(image, tmp / "disk") as inner:
            yield inner
    below.unlink()


class Workload(threading.Thread):
    """Commands one after the other, until it is told to stop. `tags`: what may be in the store, {name: manifest's digest}."""

    def __init__(self, engine, env, fake, archive, rng):
        super().__init__()
        self.engine, self.env, self.fake, self.archive, self.rng = engine, env, fake, archive, rng
        self.tags, self.failed, self.done = {}, [], False

    def call(self, *words):
        done = subprocess.run(list(map(str, self.engine.command(*words))), env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            self.failed.append(f"{words}: {done.stderr}")

    def run(self):
        n = 0
        while not self.done:
            n += 1
            tag = f"{self.fake.host}/a:{n % 3}"
            layers = [layer_tar({"same": "x" * 30_000}), layer_tar({"d/new": self.rng.randbytes(200_000), **{f"d/{i}": str(i) for i in range(20)}})]
            digest = self.fake.image("a", str(n % 3), layers)["digest"]
            self.tags.setdefault(tag, set()).add(digest)
            self.call("pull", "-q", tag)
            self.call("load", "-q", "-i", self.archive)
            if n % 2:
                self.call("rmi", "-f", tag)
            self.call("image", "gc")
            self.call("rmi", "-f", "localhost/loaded:1")


def assert_whole(engine, env, tags, what):
    """Everything that has a name is there bit for bit; the rest is garbage, and goes."""
    done = engine.call("system", "check", env=env)
    damage = [line for line in done.out.splitlines()[:-1] if not line.startswith("nobody needs ")]
    assert not damage, f"{what}: {damage}"
    named = engine.named()
    assert len(engine.call("images", "-q", env=env).ok().out.splitlines()) >= len(named)
    for name, digest in named.items():
        assert digest in tags[name], f"{what}: {name} is {digest}"
    engine.call("image", "gc", env=env).ok()
    done = engine.call("system", "check", env=env).ok()
    assert done.out.endswith(" 0 found, 0 repaired\n"), what
    return named


@pytest.mark.parametrize("part", range(PARTS))
def test_a_power_cut_at_any_moment(tmp, disk, part):
    rng = random.Random(11 + part)
    env = environment(tmp)
    copies = tmp / "below"
    with FakeRegistry() as fake:
        source = Engine(tmp / "source")
        loaded = source.image("localhost/loaded:1", layers=[{"etc/loaded": rng.randbytes(100_000)}])
        archive = tmp / "loaded.tar"
        archive.write_bytes(subprocess.run(list(map(str, source.command("save", "localhost/loaded:1"))), env=env, capture_output=True, check=True).stdout)
        engine = Engine(disk.place)
        fake.image("keep", "1", [layer_tar({"kept": rng.randbytes(50_000)})])
        engine.call("pull", f"{fake.host}/keep:1", env=env).ok()
        kept = engine.named()[f"{fake.host}/keep:1"]
        work = Workload(engine, env, fake, archive, rng)
        work.tags = {f"{fake.host}/keep:1": {kept}, "localhost/loaded:1": {loaded["digest"]}}
        work.start()
        seen = set()
        try:
            for n in range(ROUNDS):
                time.sleep(rng.uniform(0, 0.4))
                sh("cp", "--reflink=always", copies / "disk.img", copies / "cut.img")
                with Disk(copies / "cut.img", tmp / "cut") as after:
                    found = assert_whole(Engine(after.place), env, work.tags, f"cut {n}")
                    assert found.get(f"{fake.host}/keep:1") == kept, "what was done long before is there"
                    # The next pull works without repair.
                    if n % 5 == 0:
                        Engine(after.place).call("pull", "-q", f"{fake.host}/keep:1", env=env).ok()
                    seen |= {frozenset(found)}
                (copies / "cut.img").unlink()
        finally:
            work.done = True
            work.join()
    assert not work.failed, work.failed[0]
    assert len(seen) > 1, "the cuts were at different moments"


def test_what_is_not_flushed_is_lost(tmp, disk):
    """That the copies are what they are said to be: else nothing above proves anything."""
    (disk.place / "cached").write_text("x")
    flushed = disk.place / "flushed"
    flushed.write_text("y")
    with open(flushed, "rb") as file:
        os.fsync(file.fileno())
    (disk.place / "late").write_text("z" * 5000)
    sh("cp", "--reflink=always", tmp / "below/disk.img", tmp / "below/cut.img")
    with Disk(tmp / "below/cut.img", tmp / "cut") as after:
        assert (after.place / "flushed").read_text() == "y"
        assert not (after.place / "late").exists()
    assert digest_of(b"y") == digest_of(flushed.read_bytes())
    (tmp / "below/cut.img").unlink()
