# SPDX-License-Identifier: GPL-2.0-or-later
"""
Namespaces, new, joined and absent in many mixtures, each really run and read back from the host. That all 3^8 mixtures have
a sound plan is the unit test's business (tests/unit/runtime/test_namespaces.c).
"""

import itertools
import os
import random
import re
import subprocess
import time
from pathlib import Path

import pytest

from support.namespaces import FILES

pytestmark = pytest.mark.only("tare")

SEED = 20261122
RANDOM_MIXTURES = 44

TYPES = list(FILES)


def mixtures():
    """Each namespace new alone and joined alone, all new, all joined, none; and a sample of the rest."""
    chosen = [{t: mode} for t in TYPES for mode in ("new", "join")]
    chosen += [{}, {t: "new" for t in TYPES}, {t: "join" for t in TYPES}]
    every = [dict(zip(TYPES, modes)) for modes in itertools.product(("absent", "new", "join"), repeat=len(TYPES))]
    chosen += random.Random(SEED).sample(every, RANDOM_MIXTURES)
    unique = {name_of(m): m for m in chosen}
    return list(unique.values())


def name_of(mixture):
    """What the test is called: "pid=new,user=join", or "none"."""
    return ",".join(f"{t}={m}" for t, m in mixture.items() if m != "absent") or "none"


def identity(path):
    return os.readlink(path)


@pytest.mark.rows("Q-1", "Q-2")
@pytest.mark.parametrize("mixture", mixtures(), ids=name_of)
def test_L2_L3_each_namespace_is_as_asked(tare, bundle, helper, mixture):
    b = bundle(args=["/bin/sleep", "60"])
    b.linux["namespaces"] = []
    b.config["mounts"] = []
    joined = {}
    for type, mode in mixture.items():
        if mode == "new" and type == "user":
            b.user_namespace()
        elif mode == "new":
            b.namespace(type)
        elif mode == "join":
            joined[type] = helper(type)
            b.namespace(type, joined[type])

    c = tare.run_detached(b)
    pid = c.pid
    for type, file in FILES.items():
        own, its = identity(f"/proc/self/ns/{file}"), identity(f"/proc/{pid}/ns/{file}")
        mode = mixture.get(type, "absent")
        if mode == "absent":
            assert its == own, type
        elif mode == "join":
            assert its == identity(joined[type]), type
        else:
            assert its != own, type
    c.kill("KILL")
    c.wait()


def test_at_least_60_mixtures_are_run():
    assert len(mixtures()) >= 60


@pytest.mark.parametrize("missing", ["uidMappings", "gidMappings"])
def test_L4_a_user_namespace_needs_both_mappings(tare, bundle, missing):
    b = bundle().user_namespace()
    del b.linux[missing]
    tare.run(b).fails(f"make a user namespace without {missing}", f"(config.json /linux/{missing})")


# ---- what is in a new one, or not in a joined one -------------------------------------------------------------------------

def test_A9_A10_names_are_the_containers_alone(tare, bundle):
    before = os.uname().nodename, Path("/proc/sys/kernel/domainname").read_text()
    b = bundle(script="hostname; cat /proc/sys/kernel/domainname")
    b.config.update(hostname="inside", domainname="example.org")
    assert tare.run(b).ok().out == "inside\nexample.org\n"
    assert (os.uname().nodename, Path("/proc/sys/kernel/domainname").read_text()) == before


def test_A9_A10_names_of_a_joined_namespace_are_set(tare, bundle, helper):
    b = bundle(script="hostname; cat /proc/sys/kernel/domainname").namespace("uts", helper("uts"))
    b.config.update(hostname="joined", domainname="example.net")
    assert tare.run(b).ok().out == "joined\nexample.net\n"


LO = "cat /sys/class/net/lo/flags; ls /sys/class/net; cat /proc/net/fib_trie | grep -c 127.0.0.1"


@pytest.mark.rows("L-2")
@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_L2_a_new_network_has_lo_and_it_is_up(tare, bundle, in_user_namespace):
    b = bundle(script=LO).namespace("network").mount("/sys", "sysfs", "sysfs", ["ro"])
    if in_user_namespace:
        b.user_namespace()
    flags, names, addresses = tare.run(b).ok().out.splitlines()
    assert int(flags, 16) & 1, "IFF_UP"
    assert names == "lo" and int(addresses) > 0


def test_L2_a_joined_network_is_left_as_it_is(tare, bundle, helper):
    """Whoever made it decides what is up in it."""
    b = bundle(script="cat /sys/class/net/lo/flags").namespace("network", helper("network")).mount("/sys", "sysfs", "sysfs", ["ro"])
    assert int(tare.run(b).ok().out, 16) & 1 == 0


def clock(name):
    return time.clock_gettime(getattr(time, name))


def offsets_of(pid):
    """{clock: (seconds, nanoseconds)} of a process's time namespace."""
    lines = Path(f"/proc/{pid}/timens_offsets").read_text().splitlines()
    return {name: (int(seconds), int(nanoseconds)) for name, seconds, nanoseconds in map(str.split, lines)}


@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_L5_clocks_are_offset_in_a_new_time_namespace(tare, bundle, in_user_namespace):
    b = bundle(script="cut -d. -f1 /proc/uptime; sleep 60").namespace("time")
    if in_user_namespace:
        b.user_namespace()
    b.linux["timeOffsets"] = {"boottime": {"secs": 100000, "nanosecs": 7}, "monotonic": {"secs": 5000}}
    before = clock("CLOCK_BOOTTIME")
    c = tare.run_detached(b).wait_out("\n")
    assert before + 99999 <= int(c.out) <= clock("CLOCK_BOOTTIME") + 100001
    assert offsets_of(c.pid) == {"monotonic": (5000, 0), "boottime": (100000, 7)}
    assert offsets_of("self") == {"monotonic": (0, 0), "boottime": (0, 0)}, "the host's clocks are no business of ours"


def test_L5_negative_offset(tare, bundle):
    b = bundle(script="cut -d. -f1 /proc/uptime").namespace("time")
    b.linux["timeOffsets"] = {"boottime": {"secs": -int(clock("CLOCK_BOOTTIME"))}}
    assert int(tare.run(b).ok().out) < 60


def test_L5_offset_before_the_boot_is_the_kernels_to_refuse(tare, bundle):
    b = bundle().namespace("time")
    b.linux["timeOffsets"] = {"monotonic": {"secs": -1000000000}}
    result = tare.run(b).fails("write the offsets of the time namespace", "(ERANGE)", "/linux/timeOffsets")
    assert "an offset may not take a clock below zero" in result.err


def test_L5_offsets_of_a_joined_time_namespace_are_refused(tare, bundle, helper):
    b = bundle().namespace("time", helper("time"))
    b.linux["timeOffsets"] = {"monotonic": {"secs": 1}}
    tare.run(b).fails("timeOffsets", "/linux/timeOffsets")


def test_L3_a_namespace_of_another_type_is_refused(tare, bundle, helper):
    path = helper("ipc")
    tare.run(bundle().namespace("uts", path)).fails(f'open "{path}": it is not a uts namespace', "/linux/namespaces/")


def test_L3_a_file_that_is_no_namespace_is_refused(tare, bundle):
    tare.run(bundle().namespace("uts", "/etc/hostname")).fails('"/etc/hostname"', "/linux/namespaces/")


def test_L3_a_namespace_that_is_not_there(tare, bundle):
    tare.run(bundle().namespace("uts", "/proc/self/ns/nothing")).fails(
        '"/proc/self/ns/nothing"', "not there (ENOENT)", "/linux/namespaces/")


def id_map(inside, outside, size):
    return {"containerID": inside, "hostID": outside, "size": size}


def test_L4_id_maps_are_exactly_the_configs(tare, bundle):
    b = bundle(script="cat /proc/self/uid_map; echo; cat /proc/self/gid_map; cat /proc/self/setgroups").user_namespace()
    b.linux["uidMappings"] = [id_map(0, 100000, 1000), id_map(1000, 200000, 1), id_map(4000000000, 300000, 7)]
    b.linux["gidMappings"] = [id_map(0, 100000, 65536)]
    uids, gids = tare.run(b).ok().out.split("\n\n")
    assert [line.split() for line in uids.splitlines()] == [
        ["0", "100000", "1000"], ["1000", "200000", "1"], ["4000000000", "300000", "7"]]
    assert gids.split() == ["0", "100000", "65536", "allow"]


def test_L4_X12_as_many_mappings_as_the_kernel_takes(tare, bundle):
    b = bundle(script="wc -lc </proc/self/uid_map").user_namespace()
    b.linux["uidMappings"] = [id_map(i, 3 * i, 1) for i in range(340)]
    b.give_rootfs_to(0)
    assert tare.run(b).ok().out.split()[0] == "340"


def test_L4_X12_more_mappings_than_the_kernel_takes(tare, bundle):
    b = bundle().user_namespace()
    b.linux["uidMappings"] = [id_map(i, 3 * i, 1) for i in range(341)]
    tare.run(b).fails('read "uidMappings": 341 ranges are more than the kernel\'s limit of 340', "/linux/uidMappings")


def test_L4_X12_a_map_of_more_than_a_page_is_not_cut_off(tare, bundle):
    b = bundle().user_namespace()
    b.linux["uidMappings"] = [id_map(i, 4000000000 + i, 1) for i in range(300)]
    result = tare.run(b).fails("write the uid_map of the container's user namespace: refused as invalid (EINVAL)",
                               "/linux/uidMappings")
    assert "at most 340 of them, in less than 4096 bytes of text" in result.err


# ---- no heap in the child -----------------------------------------------------------------------------------------------

def calls_of_the_child(text):
    """The child's system calls from its first to the execve that succeeds, out of strace's output."""
    born = [re.search(r"= (\d+)$", line) for line in text.splitlines() if "clone3(" in line or "<... clone3 resumed>" in line]
    children = [m.group(1) for m in born if m]
    assert children, "no clone3 was seen"
    calls = []
    for line in text.splitlines():
        pid, call = line.split(None, 1)
        if pid != children[-1]:
            continue
        calls.append(call)
        if call.startswith("execve") and call.endswith("= 0") or "<... execve resumed>" in call and call.endswith("= 0"):
            return calls
    raise AssertionError("the child executed nothing")


@pytest.mark.no_sanitizer("its allocator is everywhere")
@pytest.mark.parametrize("kind", ["minimal", "docker", "user", "staged", "much", "hook", "no pivot"])
def test_the_child_uses_no_heap(tare, bundle, tmp, kind):
    b = bundle("docker" if kind == "docker" else "minimal")
    if kind == "user":
        b.user_namespace()
    if kind == "staged":
        b.namespace("network", "/proc/self/ns/net")
    if kind == "much":
        b.namespace("cgroup").namespace("time").mount("/data", "tmpfs", "tmpfs", ["tmpcopyup"])
        b.linux.update(timeOffsets={"boottime": {"secs": 9}}, sysctl={"kernel.msgmax": "4096"}, maskedPaths=["/proc/keys"],
                       devices=[{"path": "/dev/deep/pipe", "type": "p"}])
        b.process["cwd"] = "/made/for/this"
    if kind == "hook":
        b.hook("createContainer", "/bin/true").hook("startContainer", "/bin/true")
    b.write()
    # A clone of the binary would be executed first; both that and the container's own process are followed.
    done = subprocess.run(["strace", "-f", "-o", tmp / "calls", *tare.command("run", "--bundle", b.path, *["--no-pivot"][:kind == "no pivot"], "web")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    calls = calls_of_the_child((tmp / "calls").read_text())
    assert len(calls) > 20
    assert [c for c in calls if re.match(r"(<\.\.\. )?(brk|mmap|mremap)\b", c)] == []
