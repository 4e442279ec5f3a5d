# SPDX-License-Identifier: GPL-2.0-or-later
"""
What the engine adds to the runtime: `tare run --rm IMAGE true` beside `tare-oci run` of the bundle that `tare bundle` makes of
the same image, and beside podman; and how many containers a second come out of 16 that run at once, which shows whether they
wait for one another.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from support.engine import Engine

PARALLEL = 16
EACH = 6  # runs of each of those, one after the other, per round
# What issue 4 wants.
CPU_GOAL, PODMAN_GOAL, THROUGHPUT_GOAL = 1.5, 0.1, 0.8

PODMAN_CONFIG = """\
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:8192"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
"""
# A worker: $1 runs of the words behind it, of which ID becomes a new one each time.
WORKER = 'i=0; n=$1 me=$2; shift 2; while [ $i -lt $n ]; do "$@" ${ID:+$ID-$me-$i} || exit 1; i=$((i + 1)); done'


class Engines:
    """The image, in tare's store, as a bundle and in podman's storage."""

    def __init__(self, build, work):
        os.environ.update(TARE=str(build / "tare"), TARE_OCI=str(build / "tare-oci"))
        self.work = work / "engine"
        self.work.mkdir()
        self.oci, self.engine, self.count = build / "tare-oci", Engine(self.work), 0
        self.engine.image()
        self.engine.run("true").ok()  # unpacks
        self.bundle = self.work / "bundle"
        self.engine.call("bundle", "--entrypoint", "/bin/true", "box", self.bundle).ok()
        self.podman = shutil.which("podman")
        if self.podman:
            self._load_into_podman()

    def _load_into_podman(self):
        config = self.work / "containers.conf"
        config.write_text(PODMAN_CONFIG)
        os.environ["CONTAINERS_CONF"] = str(config)
        storage = self.work / "podman"
        self.podman = [self.podman, "--root", str(storage / "root"), "--runroot", str(storage / "run"), "--tmpdir", str(storage / "tmp"),
                       "--storage-driver", "overlay", "--runtime", "crun"]
        archive = self.work / "box.tar"
        self.engine.call("save", "-o", archive, "box").ok()
        subprocess.run([*self.podman, "load", "-i", archive], check=True, stdout=subprocess.DEVNULL)

    def commands(self):
        """{who: the command line of one run}"""
        self.count += 1
        found = {"tare-oci run": [*self.bare(), f"one{self.count}"], "tare run": self.ours()}
        if self.podman:
            found["podman run"] = [*self.podman, "run", "--rm", "--network", "none", "localhost/box:latest", "true"]
        return found

    def ours(self):
        return list(map(str, self.engine.command("run", "--rm", "box", "true")))

    def bare(self):
        return list(map(str, [self.oci, "--root", self.work / "oci", "run", "--bundle", self.bundle]))

    def throughput(self, command, id=""):
        """Runs a second, of PARALLEL workers."""
        env = {**os.environ, "ID": id}
        start = time.monotonic()
        workers = [subprocess.Popen(["/bin/sh", "-c", WORKER, "worker", str(EACH), str(me), *command], env=env, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for me in range(PARALLEL)]
        if any([w.wait() for w in workers]):
            sys.exit(f"bench: {PARALLEL} times {' '.join(command)} at once: one failed")
        return PARALLEL * EACH / (time.monotonic() - start)


def measure(bench, engines, rounds, new_row):
    """({who: Row}, {"tare-oci run", "tare run": [runs a second, ...]})"""
    rows = {who: new_row() for who in engines.commands()}
    for _ in range(rounds):
        for who, command in bench.shuffled(engines.commands().items()):
            bench.time(rows[who], command)
    rates = {"tare-oci run": [], "tare run": []}
    for turn in range(max(3, rounds // 4)):
        pair = [("tare-oci run", engines.bare(), f"many{turn}"), ("tare run", engines.ours(), "")]
        for who, command, id in bench.shuffled(pair):
            rates[who].append(engines.throughput(command, id))
    return rows, rates


def yes(reached):
    return "yes" if reached else "NO"


def report(rows, rates):
    bare, ours, podman = (rows.get(who) for who in ("tare-oci run", "tare run", "podman run"))
    lines = ["", "## the engine", "", "`tare run --rm IMAGE true` beside `tare-oci run` of the bundle that `tare bundle` made of that image; podman with crun,",
             "without a network, its storage on the same tmpfs.", "",
             "| | min ms | median ms | CPU ms | peak RSS kB | CPU to tare-oci's |", "|---|---|---|---|---|---|"]
    for who, row in rows.items():
        lines.append(f"| {who} | {row.min:.2f} | {row.median:.2f} | {row.cpu:.2f} | {row.rss:,} | {row.cpu / bare.cpu:.2f} |")
    lines += ["", f"- at most {CPU_GOAL} times the CPU of `tare-oci run`: {yes(ours.cpu <= CPU_GOAL * bare.cpu)}, {ours.cpu / bare.cpu:.2f}"]
    if podman:
        lines.append(f"- at most {PODMAN_GOAL} times podman's wall time: {yes(ours.median <= PODMAN_GOAL * podman.median)}, {ours.median / podman.median:.2f}")
    else:
        lines.append(f"- at most {PODMAN_GOAL} times podman's wall time: not measured, podman is missing")
    one, many = (statistics.median(rates[who]) for who in ("tare run", "tare-oci run"))
    lines += [f"- {PARALLEL} at once: {one:.0f} runs a second of `tare run --rm`, {many:.0f} of `tare-oci run`; at least {THROUGHPUT_GOAL} of it: "
              f"{yes(one >= THROUGHPUT_GOAL * many)}, {one / many:.2f}"]
    return lines
