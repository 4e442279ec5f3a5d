# SPDX-License-Identifier: GPL-2.0-or-later
"""
Many rounds of create, start, kill and delete, most of which fail somewhere: a step that fails (the fault table), a runtime that
is killed before a step or at any time, a config that can't be run. Between the rounds nothing may add up: processes, mounts,
cgroups, state, files, keys; nor may the runtime that waits for a container all that time grow.
"""

import errno
import json
import os
import signal
import subprocess
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from support import runtime as rt
from support.bundle import HOLD
from support.cgroup import hierarchies
from support.host import Snapshot
from support.runtime import wait_until
from support.threads import run_all

BINARY = os.environ.get("TARE_OCI_FAULTS") or str(rt.REPO / "build-faults/tare-oci")
ROUNDS, ROUNDS_LONG = 100, 5000
WORKERS = 3
LOOK_EVERY = 250  # rounds between two comparisons of the host
ERRNOS = [errno.EIO, errno.ENOMEM, errno.EPERM, errno.ENOSPC, errno.EMFILE, errno.EAGAIN]
FAILURES = {"none": 3, "fault": 5, "kill at": 3, "kill": 5, "bad config": 2}


def without_program(b):
    b.process["args"] = ["/no/such/program"]


def without_rootfs(b):
    b.config["root"]["path"] = "nowhere"


def with_unknown_filesystem(b):
    b.mount("/data", "nosuchfs", "none")


def with_missing_source(b):
    b.mount("/data", None, "/no/such/source", ["bind"])


def with_failing_hook(b):
    b.hook("createRuntime", "/bin/false")


def with_late_failing_hook(b):
    b.hook("startContainer", "/bin/false")


def with_impossible_limit(b):
    b.resources["cpu"] = {"cpus": "4000-5000"}


def without_sense(b):
    b.config["process"]["args"] = "no list"


BAD = [without_program, without_rootfs, with_unknown_filesystem, with_missing_source, with_failing_hook, with_late_failing_hook,
       with_impossible_limit, without_sense]


def good(bundle):
    """Bundles that can be run, each used by several rounds at once: name -> (bundle, number of steps of its plan)."""
    made = {"minimal": bundle(script=HOLD), "docker": bundle("docker", script=HOLD),
            "userns": bundle("docker", script=HOLD).user_namespace()}
    for b in made.values():
        b.write()
    return made


def count_steps(b):
    done = subprocess.run([BINARY, "explain", "--bundle", b.path, "--format", "json"], capture_output=True, text=True, check=True)
    return len(json.loads(done.stdout)["steps"])


class Rounds:
    """Workers that take the next round until there are none."""

    def __init__(self, root, bundles, steps, bad):
        self.root, self.bundles, self.steps, self.bad = root, bundles, steps, bad
        self.statuses, self.broken = Counter(), []

    def command(self, *words, env=(), kill_after=None):
        process = subprocess.Popen([BINARY, "--root", self.root, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=dict(os.environ, **dict(env)), start_new_session=True)
        if kill_after is not None:
            time.sleep(kill_after)
            process.kill()
        self.statuses[words[0], process.wait(timeout=60)] += 1
        return process.returncode

    def round(self, id, dice):
        failure = dice.choices(list(FAILURES), FAILURES.values())[0]
        name = dice.choices(list(self.bundles), [6, 2, 1])[0]
        b = dice.choice(self.bad) if failure == "bad config" else self.bundles[name]
        commands = [("create", "--bundle", str(b.path), id), ("start", id), ("kill", id, "KILL"), ("delete", "--force", id)]
        unlucky = dice.choice([0, 0, 0, 1, 2, 3])
        for i, words in enumerate(commands):
            env, kill_after = {}, None
            if i == unlucky and failure == "fault":
                env = {"TARE_FAULT": f"{dice.randrange(self.steps[name] if i == 0 else 12)}:{dice.choice(ERRNOS)}"}
            elif i == unlucky and failure == "kill at":
                env = {"TARE_KILL_AT": str(dice.randrange(self.steps[name] if i == 0 else 12))}
            elif i == unlucky and failure == "kill":
                kill_after = dice.uniform(0, 0.06 if i == 0 else 0.02)
            self.command(*words, env=env, kill_after=kill_after)
        status = self.command("delete", "--force", id)
        assert status == 0, f"delete --force after {failure}: {status}"

    def run(self, first, last, dice):
        def work(number, dice):
            try:
                for i in range(first + number, last, WORKERS):
                    self.round(f"round{i}", dice)
            except Exception as failure:
                self.broken.append(failure)
        run_all([partial(work, n, type(dice)(dice.random())) for n in range(WORKERS)], self.broken)


def keys():
    """The number of keys that root has: a session keyring for each container."""
    for line in Path("/proc/key-users").read_text().splitlines():
        uid, _, counts = line.split()[:3]
        if uid == "0:":
            return int(counts.split("/")[0])
    return 0


def memory_and_files(pid):
    """Pages that a process has for itself, in kB, and its open files."""
    rollup = dict(line.split(":") for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    private = sum(int(rollup[k].split()[0]) for k in ("Private_Clean", "Private_Dirty"))
    return private, len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.only("tare")
@pytest.mark.no_sanitizer("its faults are the plain build's")
@pytest.mark.skipif(not Path(BINARY).exists(), reason="no build with the fault table")
@pytest.mark.rows("Y-16", "Z-3")
def test_Y16_Z3_rounds_that_fail_leave_nothing_that_adds_up(tare, bundle, dice, long, tmp):
    bundles = good(bundle)
    steps = {name: count_steps(b) for name, b in bundles.items()}
    bad = []
    for spoil in BAD:
        bad.append(bundle(script=HOLD))
        spoil(bad[-1])
        bad[-1].write()
    # One that lives through all of it, with the runtime that waits for it.
    tare.path = BINARY
    with subprocess.Popen(tare.command("run", "--bundle", bundles["minimal"].path, "stays"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as waiting:
        try:
            wait_until(lambda: tare.list().get("stays", {}).get("status") == "running", "the container that stays")
            stays = tare.list()["stays"]["pid"]
            rounds = Rounds(str(tmp / "rounds"), bundles, steps, bad)
            total = int(os.environ.get("TARE_SOAK_ROUNDS") or (ROUNDS_LONG if long else ROUNDS))
            rounds.run(0, 12, dice)  # what is made once and kept
            before, keys_before = Snapshot([rounds.root]), keys()
            grown = {pid: memory_and_files(pid) for pid in (waiting.pid, stays)}
            start = time.monotonic()
            for first in range(12, total, LOOK_EVERY):
                rounds.run(first, min(first + LOOK_EVERY, total), dice)
                wait_until(lambda: not Snapshot([rounds.root]).differences(before) or None, "nothing to be left: " + "; ".join(
                    Snapshot([rounds.root]).differences(before)), timeout=10)
            print(f"{total} rounds, {time.monotonic() - start:.0f} s: {dict(sorted(rounds.statuses.items()))}")
            assert grown[waiting.pid] == memory_and_files(waiting.pid), "the runtime that waits has grown"
            assert grown[stays][1] == memory_and_files(stays)[1]
            # The kernel collects them when it has time.
            wait_until(lambda: keys() <= keys_before + 10, f"{keys()} keys, {keys_before} before", timeout=60)
            assert rounds.statuses["create", 0] and rounds.statuses["start", 0] and rounds.statuses["create", -signal.SIGKILL]
        finally:
            tare.delete("--force", "stays").ok()
            waiting.wait(timeout=30)
    assert all((h / "cgroup.procs").exists() for h in hierarchies())
