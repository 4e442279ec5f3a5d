# SPDX-License-Identifier: GPL-2.0-or-later
"""podman and docker: limits as the kernel has them, changed while the container runs, and what happens at a limit."""

import pytest

from engines.site import cgroup_files, limit
from support.runtime import wait_until

MIB = 1 << 20


@pytest.mark.smoke
def test_memory(engine):
    assert limit(engine.start("--memory", "64m").pid, "memory") == str(64 * MIB)


def test_memory_reservation(engine):
    c = engine.start("--memory", "64m", "--memory-reservation", "32m")
    assert limit(c.pid, "reservation") == str(32 * MIB)


@pytest.mark.smoke
def test_cpus(engine):
    assert limit(engine.start("--cpus", "0.5").pid, "quota") == "50000"


def test_cpu_shares(engine):
    pid = engine.start("--cpu-shares", "512").pid
    assert limit(pid, "shares") in ("512", "20", "59")  # v1; v2 by the old and by the new conversion


def test_cpuset(engine):
    assert limit(engine.start("--cpuset-cpus", "0").pid, "cpus") == "0"


@pytest.mark.smoke
def test_pids(engine):
    c = engine.start("--pids-limit", "20")
    assert limit(c.pid, "pids") == "20"
    done = c.exec("sh", "-c", "for i in $(seq 30); do sleep 5 & done; wait")
    assert "resource temporarily unavailable" in (done.out + done.err).lower(), done.describe()


def test_block_io(engine):
    c = engine.start("--device-read-bps", "/dev/loop0:1mb")
    where = cgroup_files(c.pid)
    name = "blkio.throttle.read_bps_device" if "blkio" in where else "io.max"
    assert "7:0" in (where.get("blkio", where.get("")) / name).read_text()


@pytest.mark.smoke
def test_out_of_memory_is_137(engine):
    c = engine.ended("--memory", "16m", "--memory-swap", "16m", args=["awk", 'BEGIN { s = "x"; while (1) s = s s }'])
    assert c.inspect("State", "ExitCode") == 137


@pytest.mark.fails_with_runc("conmon 2.1 misses it on cgroup v1: podman says false")
def test_out_of_memory_is_told(engine):
    c = engine.ended("--memory", "16m", "--memory-swap", "16m", args=["awk", 'BEGIN { s = "x"; while (1) s = s s }'])
    wait_until(lambda: c.inspect("State", "OOMKilled"), "OOMKilled to be true", timeout=3)


@pytest.mark.rows("C-9")
def test_update_of_a_running_container(engine):
    c = engine.start("--memory", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--pids-limit", "50")
    c.call("update", "--memory", "32m", "--memory-swap", "32m", "--cpus", "0.25").ok()
    assert limit(c.pid, "memory") == str(32 * MIB)
    assert limit(c.pid, "quota") == "25000"
    assert limit(c.pid, "pids") == "50", "a limit that nobody mentioned has changed"


def test_update_of_shares_and_cpuset(engine):
    c = engine.start()
    c.call("update", "--cpu-shares", "256", "--cpuset-cpus", "1").ok()
    assert limit(c.pid, "cpus") == "1" and limit(c.pid, "shares") in ("256", "10", "35")


@pytest.mark.smoke
def test_stats(engine):
    c = engine.start("--memory", "64m")
    used, of, pids = c.call("stats", "--no-stream", "--format", "{{.MemUsage}}/{{.PIDs}}").ok().line.split("/")
    assert used.strip()[0] != "0" and of.strip() in ("64MiB", "67.11MB") and int(pids) >= 1, (used, of, pids)
