# SPDX-License-Identifier: GPL-2.0-or-later
"""events: the numbers that containerd decodes, want of memory, and when it ends."""

import json
import subprocess
import time

import pytest

from support.bundle import HOLD
from support.runtime import wait_until

MIB = 1 << 20
MEMBERS = {"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"}

only_tare = pytest.mark.only("tare")


@pytest.fixture
def limited(tare, bundle):
    b = bundle(script=HOLD)
    b.namespace("network")
    b.resources.update({"memory": {"limit": 128 * MIB}, "pids": {"limit": 100}, "cpu": {"quota": 50000, "period": 100000}})
    return tare.run_detached(b).wait_out("ready")


def stats(tare, c):
    result = tare.call("events", "--stats", c.id).ok()
    assert result.err == "" and result.out.endswith("}\n") and result.out.count("\n") == 1
    event = json.loads(result.out)
    assert event["type"] == "stats" and event["id"] == c.id
    return event["data"]


class Watch:
    """`events` in the background; lines() are those so far, decoded."""

    def __init__(self, tare, c, *options):
        self.path = tare.fresh("events")
        with open(self.path, "w") as out:
            self.process = subprocess.Popen(tare.command("events", *options, c.id), stdout=out, stderr=subprocess.PIPE)

    def events(self, kind):
        lines = self.path.read_text().split("\n")[:-1]
        return [e for e in map(json.loads, lines) if e["type"] == kind]

    def end(self, timeout=10):
        self.process.communicate(timeout=timeout)
        return self.process.returncode


@pytest.fixture
def watch(tare):
    watches = []

    def make(*args):
        watches.append(Watch(tare, *args))
        return watches[-1]

    yield make
    for w in watches:
        w.process.kill()
        w.process.communicate()


def test_C7_stats_have_every_member(tare, limited):
    data = stats(tare, limited)
    assert MEMBERS <= set(data) | {"intel_rdt"}
    assert {"usage", "throttling"} <= set(data["cpu"])
    assert {"usage", "swap", "kernel", "kernelTCP", "raw"} <= set(data["memory"])


def test_C7_numbers_are_the_kernels(tare, limited):
    data = stats(tare, limited)
    assert data["pids"]["limit"] == 100 and 1 <= data["pids"]["current"] <= 5
    assert data["memory"]["usage"]["limit"] == 128 * MIB
    assert 0 < data["memory"]["usage"]["usage"] <= 128 * MIB
    assert data["cpu"]["usage"]["total"] > 1000000
    assert data["cpuset"]["cpus"] and data["cpuset"]["mems"] == [0]
    assert all(isinstance(v, int) for v in data["memory"]["raw"].values())


@only_tare
def test_C7_cpu_time_grows_and_kernel_and_user_make_it_up(tare, bundle):
    b = bundle(script="echo ready; while :; do :; done")
    b.resources["cpu"] = {"shares": 100}
    c = tare.run_detached(b).wait_out("ready")
    first = stats(tare, c)["cpu"]["usage"]
    wait_until(lambda: stats(tare, c)["cpu"]["usage"]["total"] > first["total"] + 50_000_000, "50 ms of CPU")
    usage = stats(tare, c)["cpu"]["usage"]
    assert abs(usage["total"] - usage["kernel"] - usage["user"]) < 100_000_000


@only_tare
def test_C7_throttling_is_counted(tare, bundle):
    b = bundle(script="echo ready; while :; do :; done")
    b.resources["cpu"] = {"quota": 2000, "period": 20000}
    c = tare.run_detached(b).wait_out("ready")
    wait_until(lambda: stats(tare, c)["cpu"]["throttling"].get("throttledPeriods", 0) > 0, "a period to be throttled")
    assert stats(tare, c)["cpu"]["throttling"]["throttledTime"] > 0


@only_tare
def test_C7_interfaces_are_those_of_the_containers_namespace(tare, limited):
    interfaces = stats(tare, limited)["network_interfaces"]
    assert [i["Name"] for i in interfaces] == ["lo"]
    assert set(interfaces[0]) == {"Name", "RxBytes", "RxPackets", "RxErrors", "RxDropped", "TxBytes", "TxPackets", "TxErrors",
                                  "TxDropped"}


def test_C7_an_event_at_each_interval(tare, limited, watch):
    w = watch(limited, "--interval", "100ms")
    wait_until(lambda: len(w.events("stats")) >= 3, "three events")
    assert set(w.events("stats")[0]["data"]) >= MEMBERS - {"intel_rdt"}
    limited.kill("KILL").ok()
    assert w.end() == 0, "the container's end ends it"


def test_C7_events_end_with_the_container(tare, limited, watch):
    w = watch(limited, "--interval=1h")
    time.sleep(0.2)
    assert w.process.poll() is None
    limited.kill("KILL").ok()
    assert w.end() == 0
    assert w.events("stats") == []


def test_C7_want_of_memory_is_an_event(tare, bundle, watch):
    b = bundle(script="echo ready; sleep 0.5; tail -c 100000000 /dev/zero; echo done; " + HOLD)
    b.mount("/dev", "bind", "/dev", ["rbind", "ro"])
    b.resources["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}
    c = tare.run_detached(b)
    w = watch(c, "--interval", "1h")
    wait_until(lambda: w.events("oom"), "an event")
    assert w.events("oom")[0] == {"type": "oom", "id": c.id}
    c.wait_out("done").kill("KILL").ok()
    assert w.end() == 0


@only_tare
def test_C7_an_init_that_the_kernel_ends_is_told_before_the_end(tare, bundle, watch):
    b = bundle(script="echo ready; sleep 0.5; exec tail -c 100000000 /dev/zero")
    b.mount("/dev", "bind", "/dev", ["rbind", "ro"])
    b.resources["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}
    c = tare.run_detached(b).wait_out("ready")
    w = watch(c, "--interval", "1h")
    assert w.end() == 0
    assert len(w.events("oom")) >= 1


def test_C7_a_paused_container_has_stats(tare, limited):
    tare.call("pause", limited.id).ok()
    assert stats(tare, limited)["pids"]["limit"] == 100
    tare.call("resume", limited.id).ok()


def test_events_of_a_stopped_or_unknown_container(tare, bundle):
    c = tare.run_detached(bundle(args=["true"])).wait()
    tare.call("events", "--stats", c.id).fails("not running")
    tare.call("events", c.id).fails("not running")
    tare.call("events", "--stats", "nobody").fails("does not exist")


@only_tare
@pytest.mark.parametrize("text,message", [("0", "must be above 0"), ("0s", "must be above 0"), ("5", "is no time"),
                                          ("", "is no time"), ("-5s", "is no time"), ("5x", "is no time")])
def test_C7_intervals_that_are_refused(tare, limited, text, message):
    tare.call("events", "--interval=" + text, limited.id).fails('"--interval"', message)


@only_tare
def test_events_to_nobody_is_an_error(tare, limited):
    with open("/dev/full", "w") as full:
        tare.call("events", "--stats", limited.id, out=full).fails("write to standard output")


@only_tare
def test_a_container_without_limits_has_stats(tare, bundle):
    c = tare.run_detached(bundle(script=HOLD)).wait_out("ready")
    assert MEMBERS <= set(stats(tare, c))
