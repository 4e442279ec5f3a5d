# SPDX-License-Identifier: GPL-2.0-or-later
"""
A power cut: a virtual machine whose store is on a disk of its own is killed while it works, and the next one looks at the disk.
tests/integration/test_power_cut.py does the same without a machine, at many more moments.

A boot takes long. So before a machine is killed it is stopped some times at other moments, and what is on its disk then, which is what a kill
would have left, is looked at here, mounted from a copy.

TARE_GUEST_CUTS says how often in all; without it nothing is done.
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import runtime as rt
from support.runtime import wait_until
from support.time_limit import time_limit as limited_to

CUTS = int(os.environ.get("TARE_GUEST_CUTS", "0"))
REPO = Path(__file__).resolve().parents[2]
TARE = Path(rt.binary()).parent / "tare"
CUTS_A_BOOT = 5
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
             TARE, "/dev/vdb", *words], cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.seen = []

    def read_until(self, word):
        """Its lines, until one begins so."""
        for line in self.process.stdout:
            self.seen.append(line)
            if line.startswith(word):
                return line
        raise AssertionError(f"it ended without {word!r}: {''.join(self.seen)}")

    def machine(self):
        """QEMU's process."""
        (pid,) = [p for p in children(self.process.pid) if "qemu-system" in os.readlink(f"/proc/{p}/exe")]
        return pid

    def freeze(self, disk, copy):
        """What a kill at this moment would leave."""
        pid = self.machine()
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in Path(f"/proc/{pid}/task").iterdir()),
                       "all of the machine stands still")
            subprocess.run(["cp", "--sparse=always", disk, copy], check=True)
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill(self):
        os.kill(self.machine(), signal.SIGKILL)
        self.process.communicate(timeout=60)


@pytest.fixture
def boot(tmp):
    guests = []

    def start(disk, *words):
        """A machine that has looked at its disk, and what it has said. QEMU itself may fail; then there is another."""
        for attempt in range(3):
            guest = Guest(disk, *words)
            guests.append(guest)
            try:
                return guest, guest.read_until("sound: ")
            except AssertionError as e:
                if attempt == 2 or "WRONG" in str(e) or "qemu-system-x86_64: " not in str(e):
                    raise
    yield start
    for guest in guests:
        if guest.process.poll() is None:
            guest.kill()


def look(tmp, copy):
    """What the next machine would see. Returns what it is like."""
    place = tmp / "cut"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", copy, place], check=True)
    try:
        done = subprocess.run(["/usr/bin/python3", REPO / "tests/images/cut_in_guest.py", TARE, place, "look"], capture_output=True, text=True, check=False)
    finally:
        subprocess.run(["umount", place], check=True)
    copy.unlink()
    assert done.returncode == 0 and done.stdout.startswith("sound: "), done.stdout + done.stderr
    return done.stdout


def test_a_guest_is_killed(tmp, boot):
    rng = random.Random()
    disk = tmp / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(96 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
    states, cuts = set(), 0
    while cuts < CUTS:
        guest, state = boot(disk)
        states.add(state)
        guest.read_until("working")
        for _ in range(min(CUTS_A_BOOT, CUTS - cuts) - 1):
            time.sleep(rng.uniform(1, 15))
            guest.freeze(disk, tmp / "copy.img")
            states.add(look(tmp, tmp / "copy.img"))
            cuts += 1
        time.sleep(rng.uniform(0, 15))
        assert guest.process.poll() is None, f"it ended by itself: {''.join(guest.seen)}{guest.process.stdout.read()}"
        guest.kill()
        cuts += 1
        print(f"{cuts} cuts, {len(states)} states: {sorted(states)[-1].strip()}", flush=True)
    last, state = boot(disk, "last")
    states.add(state)
    assert last.process.wait(BOOT_S) == 0
    assert len(states) > min(3, CUTS), states
