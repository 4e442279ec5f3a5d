# SPDX-License-Identifier: GPL-2.0-or-later
"""
Kernels that lack something, by a seccomp filter around the runtime (tests/old-kernel.c): one system call or flag at a time, and
all together that came after 5.10, the oldest kernel that tare promises to run on. Either it works all the same, or the error
names what is missing and which Linux has it. docs/kernels.md has the same in words.
"""

import json
import os

import pytest

from support import mountinfo
from support import runtime as rt
from support.bundle import HOLD

WRAPPER = rt.REPO / "build/tests/old-kernel"
# What tare can do without. "5.10" is all that came later.
OPTIONAL = ["mount_setattr", "open_tree_attr", "faccessat2", "fchmodat2", "statmount", "listmount", "pidfd_getfd",
            "set_mempolicy", "sched_setattr", "close_range-cloexec", "mount_setattr-idmap", "statx", "5.10"]
# What it needs, and the version that its message must name.
NEEDED = {"clone3": "5.3", "open_tree": "5.2", "move_mount": "5.2", "fsopen": "5.2", "fsconfig": "5.2", "fsmount": "5.2",
          "close_range": "5.9", "openat2": "5.6", "execveat": "3.19"}

pytestmark = [
    pytest.mark.only("tare"), pytest.mark.no_sanitizer("its own calls would be missing as well"),
    pytest.mark.skipif(not WRAPPER.exists(), reason="no build/tests/old-kernel"),
    pytest.mark.skipif(bool(rt.OLD_KERNEL), reason="the whole suite runs under the wrapper already"),
]


@pytest.fixture
def without(tare):
    """The runtime as on a kernel that lacks these, by their names for old-kernel."""
    def make(*names):
        tare.under = [str(WRAPPER), ",".join(names)] if names else []
        return tare
    return make


def life_of(tare, b):
    """A container's life; returns what `run` and `exec` printed."""
    b.script("cat /proc/self/mountinfo; hostname")
    out = tare.run(b).ok().out
    b.script(HOLD)
    c = tare.create(b)
    c.start().ok()
    c.wait_out("ready")
    inside = c.exec("/bin/sh", "-c", "echo $$ $(hostname); cat /proc/keys | wc -l; echo x > /proc/sys/kernel/domainname").out
    tare.call("pause", c.id).ok()
    assert c.status == "paused"
    tare.call("resume", c.id).ok()
    tare.call("update", "--pids-limit", "50", c.id).ok()
    c.kill("KILL").ok()
    c.wait()
    c.delete().ok()
    return out, inside


def comparable(out):
    """What mountinfo says, without the numbers that are new each time."""
    lines = out.splitlines()
    return [" ".join(line.split()[4:]) for line in lines if " - " in line], [line for line in lines if " - " not in line]


@pytest.mark.parametrize("missing", OPTIONAL)
def test_a_call_that_is_not_needed_may_be_missing(without, bundle, missing):
    b = bundle("docker")
    usual, usual_inside = life_of(without(), b)
    old, old_inside = life_of(without(missing), b)
    assert comparable(old) == comparable(usual), "the container must not see a difference"
    assert old_inside.split()[1:] == usual_inside.split()[1:]


@pytest.mark.parametrize("missing,version", NEEDED.items(), ids=NEEDED)
def test_a_call_that_is_needed_is_named(without, bundle, missing, version):
    tare = without(missing)
    result = tare.run(bundle("docker", script="true"))
    result.fails("ENOSYS")
    hint = [r for r in result.log if r["level"] == "error"][-1]["hint"]
    assert missing in hint and f"Linux {version}" in hint, result.describe()
    assert missing in result.err, "the user sees it too"


@pytest.mark.parametrize("missing,call", [("pidfd_send_signal (Linux 5.1)", "kill"), ("pidfd_open (Linux 5.3)", "kill"),
                                          ("pidfd_open (Linux 5.3)", "exec"), ("memfd_create (Linux 3.17)", "create")])
def test_a_call_that_only_some_commands_need_is_named_by_them(without, bundle, missing, call):
    b = bundle(script=HOLD)
    c = without().run_detached(b).wait_out("ready")
    tare = without(missing.split()[0])
    if call == "create":
        result, _ = tare.try_create(b)
    else:
        result = tare.call(call, c.id, *(["/bin/true"] if call == "exec" else []))
    result.fails("ENOSYS", status=255 if call == "exec" else 1)
    assert missing in result.log[-1]["hint"], result.describe()
    without()
    c.delete("--force").ok()


@pytest.mark.parametrize("missing", ["5.10", "mount_setattr"])
def test_M12_B7_an_id_mapping_is_refused_by_name(without, bundle, tmp, missing):
    (tmp / "volume").mkdir()
    b = bundle(script="true").mount("/data", None, tmp / "volume", ["bind"])
    maps = [{"containerID": 0, "hostID": 1000, "size": 1}]
    b.config["mounts"][-1].update(uidMappings=maps, gidMappings=maps)
    result = without(missing).run(b)
    result.fails("idmap the mount of", "ENOSYS")
    error = [r for r in result.log if r["level"] == "error"][-1]
    assert "mount_setattr, Linux 5.12" in error["hint"] and error["pointer"].startswith("/mounts/1")


@pytest.mark.parametrize("options", ["rbind ro", "bind nosuid nodev rslave", "rbind rro rnoexec", "bind rnosuid ro noatime",
                                     "rbind rprivate strictatime", "rbind rslave rrelatime", "bind nosymfollow"])
def test_B6_M1_mount_options_are_the_same_without_mount_setattr(without, bundle, tmp, options):
    volume = tmp / "a volume"
    (volume / "below it").mkdir(parents=True)
    b = bundle(script="mkdir -p /data; cat /proc/self/mountinfo")
    b.mount("/data", None, volume, options.split())
    b.mount("/data/below it", "tmpfs", "tmpfs", ["nodev"])
    b.mount("/tree", None, "/sys", options.split())
    seen = []
    for missing in ([], ["mount_setattr"], ["5.10"]):
        out = without(*missing).run(b).ok().out
        mounts = [line for line in out.splitlines() if line.split()[4].startswith(("/data", "/tree"))]
        seen.append([(m.split()[4], m.split()[5]) for m in mounts])
    assert seen[0] == seen[1] == seen[2]
    assert mountinfo.at(out, "/data").flags


def test_L19_readonly_paths_reach_what_is_mounted_below_them(without, bundle):
    b = bundle(script="grep -c ' /data' /proc/self/mountinfo; for f in /data/x /data/in/x; do (echo > $f) 2>&1; done; true")
    b.mount("/data", "tmpfs", "tmpfs", []).mount("/data/in", "tmpfs", "tmpfs", [])
    b.linux["readonlyPaths"] = ["/data"]
    out = without("5.10").run(b).ok().out
    assert out.count("Read-only file system") == 2, out


def test_X3_files_are_closed_one_by_one_where_close_range_cannot_mark_them(without, bundle):
    source = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(source, True)
    try:
        r = without("close_range-cloexec").run(bundle(script="ls /proc/1/fd; true"), pass_fds=[source]).ok()
    finally:
        os.close(source)
    assert r.out.split() == ["0", "1", "2"]


def test_M18_rootfs_propagation_and_read_only_root(without, bundle):
    b = bundle(script="cat /proc/self/mountinfo")
    b.config["root"]["readonly"] = True
    b.linux["rootfsPropagation"] = "slave"
    seen = [mountinfo.at(without(*m).run(b).ok().out, "/") for m in ([], ["5.10"])]
    assert seen[0].flags == seen[1].flags and "ro" in seen[1].flags


def test_clone3_into_a_cgroup_is_used_where_there_is_cgroup_v2_only(without, bundle):
    """Linux 5.7 has it. Where tare does not ask for it the wrapper's answer does not matter."""
    result = without("clone3-into-cgroup").run(bundle(script="echo ran"))
    if result.status:
        result.fails("EINVAL")
    else:
        assert result.out == "ran\n"


def test_the_wrapper_itself_takes_away_what_it_says(without, bundle):
    tare = without("5.10")
    plan = json.loads(tare.call("explain", "--bundle", written(bundle(script="true")), "--format", "json").ok().out)
    assert plan["steps"]
    tare.under[1] = "nonsense"
    assert tare.call("list").status == 125


def written(b):
    b.write()
    return b.path
