# SPDX-License-Identifier: GPL-2.0-or-later
"""rlimits, oom_score_adj, scheduler, I/O priority, CPU affinity: what is in force inside, and what a refusal says."""

import os
import resource

import pytest

# The word in /proc/self/limits, and a value below every host's hard limit.
LIMITS = {
    "RLIMIT_AS": ("Max address space", 1 << 34),
    "RLIMIT_CORE": ("Max core file size", 0),
    "RLIMIT_CPU": ("Max cpu time", 1000),
    "RLIMIT_DATA": ("Max data size", 1 << 33),
    "RLIMIT_FSIZE": ("Max file size", 1 << 32),
    "RLIMIT_LOCKS": ("Max file locks", 100),
    "RLIMIT_MEMLOCK": ("Max locked memory", 65536),
    "RLIMIT_MSGQUEUE": ("Max msgqueue size", 4096),
    "RLIMIT_NICE": ("Max nice priority", 0),
    "RLIMIT_NOFILE": ("Max open files", 100),
    "RLIMIT_NPROC": ("Max processes", 5000),
    "RLIMIT_RSS": ("Max resident set", 1 << 30),
    "RLIMIT_RTPRIO": ("Max realtime priority", 0),
    "RLIMIT_RTTIME": ("Max realtime timeout", 100000),
    "RLIMIT_SIGPENDING": ("Max pending signals", 50),
    "RLIMIT_STACK": ("Max stack size", 4 << 20),
}


def has_resource_capability():
    with open("/proc/self/status") as f:
        line = next(l for l in f if l.startswith("CapEff"))
    return bool(int(line.split()[1], 16) >> 24 & 1)


def limit_inside(out, name):
    """Soft and hard from /proc/self/limits."""
    line = next(l for l in out.splitlines() if l.startswith(name))
    return tuple(line[len(name):].split()[:2])


def with_limit(b, kind, soft, hard):
    b.process.setdefault("rlimits", []).append({"type": kind, "soft": soft, "hard": hard})
    return b


@pytest.mark.parametrize("kind", LIMITS)
def test_P7_limit_is_exactly_the_pair(tare, bundle, kind):
    name, value = LIMITS[kind]
    b = with_limit(bundle(args=["cat", "/proc/self/limits"]), kind, value // 2, value)
    assert limit_inside(tare.run(b).ok().out, name) == (str(value // 2), str(value))


@pytest.mark.parametrize("kind", ["RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_NPROC", "RLIMIT_MEMLOCK"])
def test_P7_limit_in_a_user_namespace(tare, bundle, kind):
    name, value = LIMITS[kind]
    b = with_limit(bundle(args=["cat", "/proc/self/limits"]).user_namespace(), kind, value // 2, value)
    b.process["user"] = {"uid": 1000, "gid": 1000}
    assert limit_inside(tare.run(b).ok().out, name) == (str(value // 2), str(value))


def test_P7_all_limits_at_once_after_create_and_start(tare, bundle):
    b = bundle("docker", args=["cat", "/proc/self/limits"])
    b.process["rlimits"] = []
    for kind, (_, value) in LIMITS.items():
        with_limit(b, kind, value, value)
    c = tare.create(b)
    c.start().ok()
    out = c.wait().out
    assert {k: limit_inside(out, name) for k, (name, _) in LIMITS.items()} == {
        k: (str(v), str(v)) for k, (_, v) in LIMITS.items()}


@pytest.mark.only("tare")
def test_P7_unlimited_is_all_of_uint64(tare, bundle):
    b = with_limit(bundle(args=["cat", "/proc/self/limits"]), "RLIMIT_CPU", 100, 2**64 - 1)
    assert limit_inside(tare.run(b).ok().out, "Max cpu time") == ("100", "unlimited")


# With these in force nobody could set a container up, so they must come last.
@pytest.mark.only("tare")
@pytest.mark.parametrize("base", ["minimal", "docker"])
@pytest.mark.parametrize("kind, value", [
    ("RLIMIT_NOFILE", 3), ("RLIMIT_FSIZE", 0), ("RLIMIT_NPROC", 1), ("RLIMIT_STACK", 200000), ("RLIMIT_DATA", 2 << 20),
    ("RLIMIT_AS", 8 << 20), ("RLIMIT_SIGPENDING", 0), ("RLIMIT_MEMLOCK", 0), ("RLIMIT_RTTIME", 1),
])
@pytest.mark.no_sanitizer("a sanitizer needs terabytes of address space")
def test_Q14_small_limits_do_not_stop_the_set_up(tare, bundle, base, kind, value):
    b = bundle(base, args=["/bin/true"])
    b.process["rlimits"] = []
    tare.run(with_limit(b, kind, value, value)).ok()


@pytest.mark.only("tare")
def test_Q14_one_fd_too_few_stops_the_program_not_us(tare, bundle):
    b = with_limit(bundle(args=["cat", "/etc/passwd"]), "RLIMIT_NOFILE", 3, 3)
    result = tare.run(b)
    assert result.status == 1 and "Too many open files" in result.err and not result.error


def test_Q14_limits_of_the_runtime_are_inherited_unchanged(tare, bundle):
    b = bundle(args=["cat", "/proc/self/limits"])
    lower = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (777, 888))
    assert limit_inside(tare.run(b, before=lower).ok().out, "Max open files") == ("777", "888")


@pytest.mark.only("tare")
@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_P7_hard_limit_above_the_runtimes(tare, bundle, in_user_namespace):
    b = with_limit(bundle(args=["cat", "/proc/self/limits"]), "RLIMIT_SIGPENDING", 5, 1000)
    if in_user_namespace:
        b.user_namespace()
    lower = lambda: resource.setrlimit(resource.RLIMIT_SIGPENDING, (500, 500))
    result = tare.run(b, before=lower)
    if has_resource_capability():
        assert limit_inside(result.ok().out, "Max pending signals") == ("5", "1000")
        return
    result.fails("set RLIMIT_SIGPENDING to 5 (hard 1000): the hard limit is 500 now", "/process/rlimits/0")
    assert "CAP_SYS_RESOURCE" in result.err


@pytest.mark.only("tare")
def test_P7_second_limit_is_named(tare, bundle):
    if has_resource_capability():
        pytest.skip("this host lets us raise hard limits")
    b = with_limit(bundle(), "RLIMIT_CORE", 0, 0)
    with_limit(b, "RLIMIT_NOFILE", 2**40, 2**40)
    result = tare.run(b).fails(f"set RLIMIT_NOFILE to {2**40}", "/process/rlimits/1")
    assert "fs.nr_open" in result.err


# ---- oom_score_adj -----------------------------------------------------------------------------------------------------

SCORE = ["cat", "/proc/self/oom_score_adj"]


@pytest.mark.parametrize("in_user_namespace", [False, True])
@pytest.mark.parametrize("value", [0, 1, 777, 1000])
def test_P12_score_is_written(tare, bundle, value, in_user_namespace):
    b = bundle(args=SCORE)
    if in_user_namespace:
        b.user_namespace()
    b.process["oomScoreAdj"] = value
    assert tare.run(b).ok().out == f"{value}\n"


def raise_score():
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("300")


def test_P12_absent_score_is_the_callers(tare, bundle):
    assert tare.run(bundle(args=SCORE), before=raise_score).ok().out == "300\n"


def test_P12_Q15_zero_is_not_absent(tare, bundle):
    b = bundle(args=SCORE)
    b.process["oomScoreAdj"] = 0
    assert tare.run(b, before=raise_score).ok().out == "0\n"


@pytest.mark.only("tare")
@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_P12_score_that_may_not_be_lowered_is_a_warning(tare, bundle, in_user_namespace):
    if has_resource_capability():
        pytest.skip("this host lets us lower the score")
    b = bundle(args=SCORE)
    if in_user_namespace:
        b.user_namespace()
    b.process["oomScoreAdj"] = -999
    result = tare.run(b).ok()
    assert result.out == "0\n"
    assert any("oom_score_adj stays at 0: to lower it to -999 needs CAP_SYS_RESOURCE" in w for w in result.warnings)


# ---- scheduler -----------------------------------------------------------------------------------------------------------

# Fields of /proc/self/stat: nice, real-time priority, policy.
STAT = "cut -d' ' -f19,40,41 /proc/self/stat"


@pytest.mark.only("tare", "runc")
@pytest.mark.parametrize("in_user_namespace", [False, True])
@pytest.mark.parametrize("scheduler, stat", [
    ({"policy": "SCHED_OTHER", "nice": 7}, "7 0 0"),
    ({"policy": "SCHED_OTHER", "nice": -5}, "-5 0 0"),
    ({"policy": "SCHED_BATCH", "nice": 3}, "3 0 3"),
    ({"policy": "SCHED_IDLE"}, "0 0 5"),
])
def test_P13_P14_scheduler(tare, bundle, scheduler, stat, in_user_namespace):
    b = bundle(script=STAT)
    if in_user_namespace:
        b.user_namespace()
    b.process["scheduler"] = scheduler
    assert tare.run(b).ok().out == stat + "\n"


@pytest.mark.only("tare")
@pytest.mark.parametrize("command", ["run", "create"])
@pytest.mark.parametrize("in_user_namespace", [False, True])
@pytest.mark.parametrize("policy, number", [("SCHED_FIFO", 1), ("SCHED_RR", 2)])
def test_P13_P14_real_time(tare, bundle, policy, number, in_user_namespace, command):
    b = bundle(script=STAT)
    if in_user_namespace:
        b.user_namespace()
    b.process["scheduler"] = {"policy": policy, "priority": 10, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    if os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"):
        b.resources["cpu"] = {"realtimeRuntime": 1000, "realtimePeriod": 1000000}
    # The shell forks for cut, which the flag sets back; so ask the shell itself.
    b.script("read -r line </proc/$$/stat; set -- $line; shift 39; echo $1 $2")
    if command == "run":
        out = tare.run(b).ok().out
    else:
        c = tare.create(b)
        c.start().ok()
        out = c.wait().out
    assert out == f"10 {number}\n"


@pytest.mark.only("tare")
@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_P13_P14_deadline(tare, bundle, in_user_namespace):
    b = bundle(script="read -r line </proc/$$/stat; set -- $line; shift 40; echo $1")
    if in_user_namespace:
        b.user_namespace()
    b.process["scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 10000000, "period": 10000000}
    result = tare.run(b)
    if result.error:
        # A cpuset that is not all of a root domain may not have it, nor a host without bandwidth left.
        result.fails("set the scheduler SCHED_DEADLINE", "/process/scheduler")
        assert "bandwidth" in result.err or "SCHED_DEADLINE" in result.err
        pytest.skip("this host has no SCHED_DEADLINE for us: " + result.error)
    assert result.ok().out == "6\n"


@pytest.mark.only("tare")
def test_P13_real_time_without_a_share_says_what_to_do(tare, bundle):
    if not os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"):
        pytest.skip("this kernel has no real-time shares of cgroups")
    b = bundle()
    b.resources["cpu"] = {"shares": 512}  # so that it has a cpu cgroup of its own
    b.process["scheduler"] = {"policy": "SCHED_FIFO", "priority": 10}
    result = tare.run(b).fails("set the scheduler SCHED_FIFO (nice 0, priority 10)", "/process/scheduler")
    assert "realtimeRuntime" in result.err


@pytest.mark.only("tare")
def test_P14_priority_of_a_policy_that_has_none(tare, bundle):
    b = bundle()
    b.process["scheduler"] = {"policy": "SCHED_BATCH", "priority": 5}
    tare.run(b).fails("a priority is for SCHED_FIFO and SCHED_RR, not for SCHED_BATCH", "/process/scheduler")


@pytest.mark.only("tare")
def test_P13_policy_that_no_kernel_has(tare, bundle):
    b = bundle()
    b.process["scheduler"] = {"policy": "SCHED_ISO"}
    tare.run(b).fails("set the scheduler SCHED_ISO", "/process/scheduler")


def test_Q18_runtime_keeps_its_own_priority(tare, bundle):
    b = bundle(script="sleep 0.2")
    b.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 9}
    tare.run(b).ok()
    assert os.sched_getscheduler(0) == os.SCHED_OTHER and os.nice(0) == 0


@pytest.mark.parametrize("in_user_namespace", [False, True])
@pytest.mark.parametrize("priority, shown", [
    ({"class": "IOPRIO_CLASS_BE", "priority": 6}, "best-effort: prio 6"),
    ({"class": "IOPRIO_CLASS_RT", "priority": 1}, "realtime: prio 1"),
    ({"class": "IOPRIO_CLASS_IDLE", "priority": 0}, "idle"),
])
def test_P15_io_priority(tare, bundle, priority, shown, in_user_namespace):
    b = bundle(script="ionice -p $$")
    if in_user_namespace:
        b.user_namespace()
    b.process["ioPriority"] = priority
    assert shown in tare.run(b).ok().out


# ---- affinity ------------------------------------------------------------------------------------------------------------


@pytest.mark.only("tare")
@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_Q19_affinity_of_the_caller_is_not_the_containers(tare, bundle, in_user_namespace):
    processors = os.sched_getaffinity(0)
    if len(processors) < 2:
        pytest.skip("one processor")
    b = bundle(args=["nproc"])
    if in_user_namespace:
        b.user_namespace()
    result = tare.run(b, before=lambda: os.sched_setaffinity(0, {min(processors)})).ok()
    assert result.out == f"{len(processors)}\n"


@pytest.mark.only("tare")
def test_Q19_affinity_stays_in_the_cpuset(tare, bundle):
    first = min(os.sched_getaffinity(0))
    b = bundle(args=["grep", "Cpus_allowed_list", "/proc/self/status"])
    b.resources["cpu"] = {"cpus": str(first), "mems": "0"}
    assert tare.run(b).ok().out.split()[1] == str(first)


def test_P16_exec_affinity_is_not_for_init(tare, bundle):
    b = bundle(args=["nproc"])
    b.process["execCPUAffinity"] = {"initial": "0", "final": "0"}
    assert tare.run(b).ok().out == f"{len(os.sched_getaffinity(0))}\n"
