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
