# SPDX-License-Identifier: GPL-2.0-or-later
"""
Eight workers give random commands to 200 containers, and somebody kills runtimes at random. Each answer must be one that some
order of the commands explains (history.py), and in the end nothing is left.
"""

import json
import subprocess
import threading
import time
from collections import Counter
from functools import partial

import pytest

from history import KILLED, LOOKS, Op, check
from support import runtime as rt
from support.threads import run_all

CONTAINERS, WORKERS = 200, 8
HOT = 10  # ids that most of the commands go to, so that they meet
SECONDS, SECONDS_LONG = 10, 120
# What a killed runtime's children may still be about to do.
GRACE_S = 0.5
WEIGHTS = {"create": 8, "start": 7, "state": 4, "list": 1, "exec": 4, "pause": 3, "resume": 4, "update": 2, "kill": 5,
           "delete": 6, "delete --force": 2}


class Crowd:
    """The workers, the killer, and what they have written down."""

    def __init__(self, tare, bundle, dice, seconds):
        self.tare, self.bundle, self.dice = tare, bundle, dice
        self.start = time.monotonic()
        self.until = self.start + seconds
        self.history = {f"c{i}": [] for i in range(CONTAINERS)}
        self.lists = []
        self.lock = threading.Lock()
        self.running = {}  # Popen: {"killed": whether the killer chose it}
        self.broken = []

    def now(self):
        return time.monotonic() - self.start

    def words(self, name, id):
        return {
            "create": ["create", "--bundle", str(self.bundle.path), id], "exec": ["exec", id, "/bin/true"],
            "kill": ["kill", id, "KILL"], "delete --force": ["delete", "--force", id],
            "update": ["update", "--pids-limit", "50", id], "list": ["list", "--format", "json"],
        }.get(name, [name, id])

    def give(self, name, id, log):
        """One command. Returns (Op, standard output)."""
        command = [self.tare.path, "--root", str(self.tare.root), "--log", str(log), "--log-format", "json",
                   *self.words(name, id)]
        keep = name in LOOKS
        begin = self.now()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if keep else subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, text=True)
        mark = {"killed": False}
        with self.lock:
            self.running[process] = mark
        out = process.communicate(timeout=60)[0] or ""
        with self.lock:
            del self.running[process]
        killed = mark["killed"] and process.returncode == KILLED
        op = Op(name, begin, self.now() + (GRACE_S if process.returncode == KILLED else 0), process.returncode, by_us=killed)
        if log.exists():
            op.error = next((r["msg"] for r in reversed(read(log)) if r["level"] == "error"), "")
            log.unlink()
        return op, out

    def work(self, number, dice):
        log = self.tare.work / f"worker-{number}"
        try:
            while time.monotonic() < self.until:
                name = dice.choices(list(WEIGHTS), WEIGHTS.values())[0]
                id = f"c{dice.randrange(HOT if dice.random() < 0.7 else CONTAINERS)}"
                op, out = self.give(name, id, log)
                if name == "list" and op.status != KILLED:
                    assert op.status == 0, f"list failed: {op.error}"
                    self.lists.append((op, {c["id"]: c["status"] for c in json.loads(out) or []}))
                elif name != "list":
                    if name == "state" and op.status == 0:
                        op.shown = json.loads(out)["status"]
                    self.history[id].append(op)
        except Exception as failure:
            self.broken.append(failure)

    def kill_some(self, dice):
        while time.monotonic() < self.until:
            time.sleep(dice.uniform(0.02, 0.3))
            with self.lock:
                if not self.running:
                    continue
                process = dice.choice(sorted(self.running, key=lambda p: p.pid))
                self.running[process]["killed"] = True
                process.kill()

    def run(self):
        dices = [type(self.dice)(self.dice.random()) for _ in range(WORKERS + 1)]
        workers = [partial(self.work, i, dices[i]) for i in range(WORKERS)]
        run_all([*workers, partial(self.kill_some, dices[-1])], self.broken)

    def judge(self):
        """{id: the states in which it may be}; fails if a history can't be."""
        wrong, ends = [], {}
        for id, ops in self.history.items():
            looks = [Op("list", op.begin, op.end, 0, shown=shown.get(id)) for op, shown in self.lists]
            ends[id], text = check(ops + looks)
            if text:
                wrong.append(f"{id}: {text}")
        assert not wrong, "\n\n".join(wrong[:5])
        return ends


def read(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.only("tare")
@pytest.mark.rows("Z-2", "Z-3")
def test_Z2_Z3_random_commands_at_once_agree_and_leave_nothing(tare, bundle, dice, long):
    b = bundle(args=["/bin/sleep", "1000"])
    b.resources["pids"] = {"limit": 100}
    b.write()
    tare.root.mkdir()
    crowd = Crowd(tare, b, dice, SECONDS_LONG if long else SECONDS)
    try:
        crowd.run()
        ends = crowd.judge()
        given = Counter((op.name, "ok" if op.status == 0 else "killed" if op.status < 0 else "refused")
                        for ops in crowd.history.values() for op in ops)
        print(f"{sum(given.values())} commands, {len(crowd.lists)} lists:", dict(sorted(given.items())))
        found = {id: c["status"] for id, c in tare.list().items()}
        for id, states in ends.items():
            crowd_end = Op("list", 0, 0, 0, shown=found.get(id))
            assert any(check([crowd_end], start=state)[0] for state in states), f"{id} is {found.get(id)}, not of {states}"
    finally:
        for id in crowd.history:
            rt.Runtime.delete(tare, "--force", id).ok()
    assert tare.list() == {}
    must_work = WEIGHTS.keys() - {"list"} if long else {"create", "start", "kill"}
    assert min(given[name, "ok"] for name in must_work) > 0, "the commands must get something done"
