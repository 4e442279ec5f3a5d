# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers that run in the background: `tare run -d`, their monitors and their logs."""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from support.time_limit import scaled

WAIT_S = 20


def until(true, what, seconds=WAIT_S):
    """Wait for it to become true; returns what it returned."""
    end = time.monotonic() + scaled(seconds)
    while time.monotonic() < end:
        result = true()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")


@dataclass
class Background:
    """A container that was started by `run -d`."""

    engine: object
    id: str

    @property
    def directory(self):
        return self.engine.root / "containers" / self.id

    @property
    def log_path(self):
        return self.directory / f"{self.id}-json.log"

    def entries(self):
        """The objects of all log files, the oldest first."""
        rotated = sorted(self.directory.glob(f"{self.id}-json.log.*"), key=lambda p: -int(p.suffix[1:]))
        files = [p for p in [*rotated, self.log_path] if p.exists()]
        return [json.loads(line) for p in files for line in p.read_text().splitlines()]

    def call(self, command, *options, **kw):
        return self.engine.call(command, *options, self.id, **kw)

    def wait(self):
        """Its exit status."""
        return int(self.call("wait").ok().out)

    def status(self):
        """What `ps -a` shows."""
        return next(c for c in self.engine.containers().values() if self.id.startswith(c["ID"]))["Status"]

    def monitor(self):
        """The pid of its monitor, or None."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"tare-monitor" and words[1].decode() == self.id:
                return int(process.name)
        return None

    def settle(self):
        """Wait until who watched it has cleaned up, and the lock of its directory is free."""
        until(self._is_settled, "the clean-up")
        return self

    def _is_settled(self):
        if not self.directory.exists():
            return True
        fd = os.open(self.directory, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        finally:
            os.close(fd)

    def record(self):
        return json.loads((self.directory / "record.json").read_text())


def start(engine, script, *options, image="box"):
    """Run this script in the background."""
    out = engine.call("run", "--detach", *options, image, "sh", "-c", script).ok().out
    assert len(out) == 65 and out[-1] == "\n", out
    return Background(engine, out.strip())


def init_of(container):
    """The pid of its first process, by the runtime's record."""
    state = container.engine.runroot / "oci" / container.id / "state.json"
    return json.loads(state.read_text())["pid"]


def private_kb(pid):
    """Memory that is this process's alone."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def switches(pid):
    """How often it has been scheduled."""
    text = Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)


def _state(pid):
    """The letter in /proc/PID/stat; X if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def alive(pid):
    """Does it run? One that has ended and waits to be reaped does not."""
    return _state(pid) not in "ZX"


def asleep(pid):
    return _state(pid) == "S"


def starters(engine):
    """Processes that make or clean up a container of this engine: monitors are none, nor is a container's program."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] != b"tare-monitor" and str(engine.root).encode() in words:
            found.append(int(process.name))
    return found
