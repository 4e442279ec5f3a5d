# SPDX-License-Identifier: GPL-2.0-or-later
"""
Attacks: each is run against the runtime as it is, and has to fail; and against the build from which the one guard that
should stop it is taken away (base/guard.h), and has to succeed, since an attack that never works proves nothing.
"""

import os
import subprocess
from pathlib import Path

from support import runtime as rt
from support.time_limit import scaled

UNGUARDED = os.environ.get("TARE_OCI_UNGUARDED") or str(rt.REPO / "build-unguarded/tare-oci")
ATTACKER = Path(rt.binary()).parent / "tests/attacker"
RACES = 10  # runs of a race that must be lost
RACES_TO_WIN = 200  # at most, of one that must be won once


def delayed(call, microseconds, where="enter"):
    """Words before a command, so that the moment before this system call (where="exit": after it) lasts long enough to be met."""
    return ["strace", "-qq", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:delay_{where}={round(scaled(microseconds))}"]


class Victim(rt.Runtime):
    """The runtime that is attacked: with all its guards, or without the one."""

    def __init__(self, work, guard, guarded):
        super().__init__(work)
        self.guard, self.guarded = guard, guarded
        self.prefix = []
        if not guarded:
            self.path = UNGUARDED

    def environment(self, env=None):
        """With the switch set in both cases: in what is shipped it must mean nothing."""
        return {**(os.environ if env is None else env), "TARE_UNSAFE_GUARD": self.guard}

    def command(self, *args, globals=()):
        return [*self.prefix, *super().command(*args, globals=globals)]

    def call(self, *args, env=None, **kw):
        return super().call(*args, env=self.environment(env), **kw)

    def run(self, bundle, *options, **kw):
        """`run`, whatever it leaves in the bundle; nobody looks, since a neighbour may be at work there."""
        bundle.write()
        return self.call("run", "--bundle", bundle.path, *options, self.new_id(), **kw)

    def _same_bundle(self, bundle, before, result):
        """Nor here."""

    def race(self, attempt, to_lose=RACES):
        """Call attempt() again and again: it says whether the attack succeeded. It must if the guard is gone, and only then."""
        for _ in range(to_lose if self.guarded else RACES_TO_WIN):
            if attempt():
                assert not self.guarded, f"the attack succeeded: {self.guard} does not stop it"
                return
        assert self.guarded, f"{RACES_TO_WIN} attempts failed without the guard {self.guard}: the attack proves nothing"


class Swapper:
    """Two names that are exchanged all the time, for as long as the context lasts."""

    def __init__(self, attacker, a, b):
        self.words = [attacker, "swap", a, b]

    def __enter__(self):
        self.process = subprocess.Popen(self.words)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
