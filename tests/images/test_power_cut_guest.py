# SPDX-License-Identifier: GPL-2.0-or-later
"""
A power cut: a virtual machine whose store is on a disk of its own is killed while it works, and the next one looks at the disk.
tests/integration/test_power_cut.py does the same without a machine, at many more moments.

TARE_GUEST_CUTS says how often; without it nothing is done, since each time takes a boot.
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import runtime as rt
from support.time_limit import time_limit as limited_to

CUTS = int(os.environ.get("TARE_GUEST_CUTS", "0"))
REPO = Path(__file__).resolve().parents[2]
BOOT_S = 300

pytestmark = pytest.mark.skipif(not CUTS, reason="TARE_GUEST_CUTS says how often a guest is to be killed")


@pytest.fixture(autouse=True)
def time_limit():
    with limited_to(BOOT_S * (CUTS + 2)):
        yield


def children(pid):
    """All processes below one."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *children(int(child))]
    return found


class Guest:
    def __init__(self, disk, *words):
        self.process = subprocess.Popen(
            [REPO / "tests/vm/vm-run", "-r", "host", "-t", str(BOOT_S * 2), "--disk", disk, "--", "/usr/bin/python3", REPO / "tests/images/cut_in_guest.py",
             Path(rt.binary()).parent / "tare", "/dev/vdb", *words], cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.seen = []

    def read_until(self, word):
        """Its lines, until one begins so."""
        for line in self.process.stdout:
            self.seen.append(line)
            if line.startswith(word):
                return line
        raise AssertionError(f"it ended without {word!r}: {''.join(self.seen)}")

    def cut(self):
        """Kill the machine itself."""
        for pid in children(self.process.pid):
            try:
                if "qemu-system" in os.readlink(f"/proc/{pid}/exe"):
                    os.kill(pid, signal.SIGKILL)
            except FileNotFoundError:
                pass
        self.process.communicate(timeout=60)


def test_a_guest_is_killed(tmp):
    rng = random.Random()
    disk = tmp / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
    states = set()
    for n in range(CUTS):
        guest = Guest(disk)
        try:
            states.add(guest.read_until("sound: "))
            guest.read_until("working")
            time.sleep(rng.uniform(0, 15))
            assert guest.process.poll() is None, f"cut {n}: it ended by itself: {''.join(guest.seen)}{guest.process.stdout.read()}"
        finally:
            guest.cut()
        print(f"cut {n + 1}: {guest.seen[-2].strip()}", flush=True)
    last = Guest(disk, "last")
    states.add(last.read_until("sound: "))
    assert last.process.wait(BOOT_S) == 0
    assert len(states) > min(2, CUTS), states
