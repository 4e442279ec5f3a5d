# SPDX-License-Identifier: GPL-2.0-or-later
"""
In a guest that will be killed: look at the store as the last kill has left it, then pull, load, remove and collect until the end. Says
"sound: NAMES" and then "working"; or what is wrong. See test_power_cut_guest.py.

    cut_in_guest.py TARE DISK [last]       last: look, and no more
    cut_in_guest.py TARE DIRECTORY look    the same, of what is mounted there
"""

import atexit
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from support.engine import Engine, layer_tar  # noqa: E402
from support.registry import FakeRegistry, environment  # noqa: E402

IMAGES = 9


def layers_of(n):
    """Of the n-th image: one layer that all have, and one of its own."""
    rng = random.Random(n)
    return [layer_tar({"same": "x" * 30_000}), layer_tar({"d/new": rng.randbytes(150_000), **{f"d/{i}": str(i) for i in range(10)}})]


class Guest:
    def __init__(self, tare, disk):
        os.environ["TARE"] = tare
        self.work = Path(tempfile.mkdtemp())
        self.env = environment(self.work)
        self.engine = Engine(disk)

    def call(self, *words, may_fail=False):
        done = subprocess.run(list(map(str, self.engine.command(*words))), env=self.env, capture_output=True, text=True, check=False)
        if done.returncode and not may_fail:
            sys.exit(f"WRONG: {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def look(self, allowed):
        if not self.engine.root.exists():
            print("sound: a new store", flush=True)
            return
        lines = self.call("system", "check", may_fail=True).splitlines()
        if damage := [line for line in lines[:-1] if not line.startswith("nobody needs ")]:
            sys.exit(f"WRONG: {damage}")
        found = self.engine.named()
        for name, digest in found.items():
            if digest not in allowed[name.rsplit("/", 1)[1]]:
                sys.exit(f"WRONG: {name} is {digest}")
        self.call("image", "gc")
        if not self.call("system", "check").endswith(" 0 found, 0 repaired\n"):
            sys.exit("WRONG: check finds something after gc")
        print(f"sound: {sorted(n.rsplit('/', 1)[1] for n in found)}, {len(lines) - 1} pieces of garbage", flush=True)

    def work_for_ever(self, fake, archive, seed):
        rng = random.Random(seed)
        print("working", flush=True)
        while True:
            n = rng.randrange(IMAGES)
            fake.image("a", str(n % 3), layers_of(n))
            self.call("pull", "-q", f"{fake.host}/a:{n % 3}")
            self.call("load", "-q", "-i", archive)
            for name in [name for name in self.engine.named() if rng.randrange(3) == 0]:
                self.call("rmi", "-f", name)
            self.call("image", "gc")


def main():
    disk = Path(sys.argv[2])
    if sys.argv[3:] != ["look"]:
        disk = Path("/mnt/disk")
        disk.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "ext4", sys.argv[2], disk], check=True)
    with FakeRegistry() as fake:
        allowed = {}
        for n in range(IMAGES):
            allowed.setdefault(f"a:{n % 3}", set()).add(fake.image("a", str(n % 3), layers_of(n))["digest"])
        guest = Guest(sys.argv[1], disk)
        atexit.register(shutil.rmtree, guest.work, ignore_errors=True)
        source = Engine(guest.work / "source")
        allowed["loaded:1"] = {source.image("localhost/loaded:1", layers=[layers_of(100)[1]])["digest"]}
        guest.look(allowed)
        if sys.argv[3:]:
            return
        archive = guest.work / "loaded.tar"
        with open(archive, "wb") as out:
            subprocess.run(list(map(str, source.command("save", "localhost/loaded:1"))), env=guest.env, stdout=out, check=True)
        guest.work_for_ever(fake, archive, os.urandom(8))


if __name__ == "__main__":
    main()
