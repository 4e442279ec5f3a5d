# SPDX-License-Identifier: GPL-2.0-or-later
"""`explain` in its forms, and that what --trace saw is what explain said: the same steps, one to one."""

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import cgroup
from support.runtime import GLOBALS

pytestmark = pytest.mark.only("tare")

NOBODY = 65534
FACTS = Path(__file__).resolve().parents[1] / "data/plans"


def explain(tare, b, *options, **kw):
    b.write()
    return tare.call("explain", "--bundle", b.path, *options, **kw)


def plan_of(tare, b, *options):
    return json.loads(explain(tare, b, "--format", "json", *options, "web").ok().out)


def as_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@pytest.fixture
def public(tmp):
    """tmp and its log files are closed to nobody, who must be able to write its log there."""
    tmp.chmod(0o777)
    return tmp


# ---- text -----------------------------------------------------------------------------------------------------------

def test_text_has_one_line_for_each_step(tare, bundle):
    b = bundle("docker")
    plan = plan_of(tare, b)
    out = explain(tare, b, "web").ok().out
    lines = [line for line in out.splitlines() if re.match(r" *\d+  ", line)]
    assert len(lines) == len(plan["steps"])
    for line, step in zip(lines, plan["steps"]):
        assert line.split()[:2] == [str(step["index"]), step["kind"]]
        assert step["command"] in line
        assert f"# {step['why']}" in line
        assert not step["pointer"] or line.endswith(f"  [{step['pointer']}]")


def test_text_groups_the_steps_by_process(tare, bundle):
    out = explain(tare, bundle("docker"), "web").ok().out
    headings = re.findall(r"^(parent|stage|child|starter)  ", out, re.M)
    assert headings[:2] == ["parent", "child"]
    assert all(a != b for a, b in zip(headings, headings[1:]))


def test_create_has_a_starter(tare, bundle):
    plan = plan_of(tare, bundle(), "--create")
    assert [s["kind"] for s in plan["steps"] if s["who"] == "starter"][0] == "connect-start-socket"
    assert not any(s["who"] == "starter" for s in plan_of(tare, bundle())["steps"])


def test_colours_only_on_a_terminal(tare, bundle):
    b = bundle()
    assert "\033[" not in explain(tare, b, "web").ok().out

    master, slave = pty.openpty()
    process = subprocess.Popen(tare.command("explain", "--bundle", b.path, "web"), stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        pass  # the other end is closed
    os.close(master)
    assert process.wait() == 0
    assert b"\033[" in text


def test_ignored_properties_are_listed_with_what_was_meant(tare, bundle):
    b = bundle()
    b.linux["seccompProfile"] = {}
    b.process["enviroment"] = []
    out = explain(tare, b, "web").ok().out
    assert "/linux/seccompProfile: unknown property; did you mean /linux/seccomp?" in out
    assert {"pointer": "/linux/seccompProfile", "near": "/linux/seccomp", "why": "unknown property"} \
        in plan_of(tare, b)["ignored"]
    assert "/process/enviroment" in out


def test_warnings_are_listed(tare, bundle):
    b = bundle()
    b.process["capabilities"] = {"bounding": ["CAP_TIME_TRAVEL", "CAP_KILL"]}
    plan = plan_of(tare, b)
    assert "CAP_TIME_TRAVEL" in json.dumps([plan["warnings"], plan["ignored"]])


def test_unknown_format_is_refused(tare, bundle):
    explain(tare, bundle(), "--format", "xml", "web").fails('explain in the format "xml": it is none of text, json, sh')


def test_a_config_that_is_refused_is_not_explained(tare, bundle):
    b = bundle()
    b.config["hostname"] = "x"
    b.without_namespace("uts")
    result = explain(tare, b, "web").fails("without a uts namespace this would rename the host")
    assert result.out == ""


# ---- JSON -----------------------------------------------------------------------------------------------------------

def test_json_steps_have_all_members(tare, bundle):
    plan = plan_of(tare, bundle("docker"))
    assert plan["id"] == "web" and plan["run"] is True
    for index, step in enumerate(plan["steps"]):
        assert step["index"] == index
        assert set(step) == {"index", "who", "kind", "pointer", "command", "why", "slots", "arguments"}
        assert set(step["slots"]) == {"in", "out"}
        assert step["command"] and "\n" not in step["command"]


def test_json_arguments_are_those_of_the_config(tare, bundle):
    b = bundle("docker")
    steps = plan_of(tare, b)["steps"]
    by_kind = {kind: [s for s in steps if s["kind"] == kind] for kind in {s["kind"] for s in steps}}
    assert by_kind["set-hostname"][0]["arguments"] == {"name": "docker-like"}
    assert by_kind["set-rlimit"][0]["arguments"]["soft"] == 1024
    assert by_kind["execute"][0]["arguments"]["argv"] == ["/bin/true"]
    mount = next(s for s in by_kind["mount"] if s["arguments"]["target"] == "/proc")
    assert mount["arguments"]["fstype"] == "proc"
    assert mount["pointer"] == "/mounts/0"
    memory = next(s for s in by_kind["write-cgroup"] if s["arguments"]["file"] in ("memory.limit_in_bytes", "memory.max"))
    assert memory["arguments"]["value"] == str(256 << 20)
    assert memory["pointer"] == "/linux/resources/memory/limit"


# ---- without root, for another host -------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["text", "json", "sh"])
def test_explain_needs_no_root(tare, bundle, public, form):
    b = bundle("docker")
    by_root = explain(tare, b, "--format", form, "web").ok().out
    shutil.copy(tare.path, public / "tare-oci")
    done = subprocess.run([public / "tare-oci", "--root", public / "none", *GLOBALS, "explain", "--bundle", b.path, "--format", form,
                           "web"], preexec_fn=as_nobody, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if form != "text":  # $state is where --root is
        assert done.stdout == by_root
    assert not (public / "none").exists()


@cgroup.by_file
@pytest.mark.parametrize("host,expected", [
    ("v1", "/sys/fs/cgroup/memory/web/memory.limit_in_bytes"),
    ("hybrid", "/sys/fs/cgroup/memory/web/memory.limit_in_bytes"),
    ("v2", "/sys/fs/cgroup/web/memory.max"),
])
def test_facts_of_another_host(tare, bundle, host, expected):
    out = explain(tare, bundle("docker"), "--facts", FACTS / f"facts-{host}.json", "web").ok().out
    assert f"echo {256 << 20} > {expected} " in out


@cgroup.by_file
def test_facts_of_a_user_give_the_users_plan(tare, bundle):
    out = explain(tare, bundle(), "--facts", FACTS / "facts-rootless.json", "web").ok().out
    assert 'newuidmap "$pid" 0 1000 1 1 100000 65536' in out
    assert "mkdir -p /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/web" in out


def test_printed_facts_give_the_same_plan(tare, bundle, tmp):
    b = bundle("docker")
    facts = explain(tare, b, "--print-facts").ok().out
    assert json.loads(facts)["cgroup"]["mode"] == cgroup.MODE
    (tmp / "facts.json").write_text(facts)
    assert explain(tare, b, "--facts", tmp / "facts.json", "web").ok().out == explain(tare, b, "web").ok().out


def test_facts_with_a_fault_name_it(tare, bundle, tmp):
    (tmp / "facts.json").write_text('{"euid": "root"}')
    explain(tare, bundle(), "--facts", tmp / "facts.json", "web").fails("read facts")


# ---- trace ----------------------------------------------------------------------------------------------------------

def events(path):
    return [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]


def ran(spans):
    """(who, kind) by the plan's order for each process: time decides between processes, not within one."""
    return sorted((e["args"]["index"], e["cat"], e["name"]) for e in spans)


def planned(plan, *whos):
    return [(s["index"], s["who"], s["kind"]) for s in plan["steps"] if not whos or s["who"] in whos]


def with_user_namespace(b):
    b.user_namespace().namespace("time")
    b.linux["timeOffsets"] = {"boottime": {"secs": 100}}


def with_hooks(b):
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"):
        b.hook(kind, "/bin/true")


def with_much(b):
    b.mount("/data", "tmpfs", "tmpfs", ["tmpcopyup"])
    b.config["root"]["readonly"] = True
    b.process.update(oomScoreAdj=100, ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6},
                     scheduler={"policy": "SCHED_BATCH"}, rlimits=[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])


STARTS = {"minimal": lambda b: None, "docker": lambda b: None, "user namespace": with_user_namespace, "hooks": with_hooks,
          "much": with_much, "no pivot": lambda b: None}


@pytest.mark.parametrize("kind", STARTS)
def test_a_run_traces_what_explain_says(tare, bundle, tmp, kind):
    b = bundle("docker" if kind == "docker" else "minimal")
    STARTS[kind](b)
    options = ["--no-pivot"] if kind == "no pivot" else []
    tare.run(b, *options, "--trace", tmp / "trace.json", id="web").ok()
    plan = plan_of(tare, b, *options)
    spans = events(tmp / "trace.json")
    assert ran(spans) == planned(plan)
    # The same steps to the letter: what each does and where it is from.
    assert {e["args"]["index"]: e["args"]["command"] for e in spans} == {s["index"]: s["command"] for s in plan["steps"]}


def test_a_staged_run_traces_what_explain_says(tare, bundle, tmp):
    b = bundle().namespace("network", "/proc/self/ns/net")
    tare.run(b, "--trace", tmp / "trace.json", id="web").ok()
    assert ran(events(tmp / "trace.json")) == planned(plan_of(tare, b))


def test_create_and_start_trace_what_explain_says(tare, bundle, tmp):
    b = bundle()
    c = tare.create(b, "--trace", tmp / "create.json", id="web")
    c.start().ok()
    created = events(tmp / "create.json")
    c = tare.create(b, id="web2")
    tare.call("start", "--trace", tmp / "start.json", "web2").ok()
    started = events(tmp / "start.json")
    assert ran(created + started) == planned(plan_of(tare, b, "--create"))
    assert {e["cat"] for e in started} == {"child", "starter"}


def test_trace_is_one_time_line(tare, bundle, tmp):
    tare.run(bundle("docker"), "--trace", tmp / "trace.json").ok()
    spans = events(tmp / "trace.json")
    starts = [e["ts"] for e in spans]
    assert starts[0] == 0 and starts == sorted(starts)
    assert all(e["dur"] >= 0 for e in spans)
    for who in ("parent", "child"):
        own = [e for e in spans if e["cat"] == who]
        for before, after in zip(own, own[1:]):
            assert before["ts"] + before["dur"] <= after["ts"] + 0.01, (before, after)
    clone = next(e for e in spans if e["name"] == "clone")
    assert min(e["ts"] for e in spans if e["cat"] == "child") >= clone["ts"]


def test_trace_json_is_what_perfetto_opens(tare, bundle, tmp):
    tare.run(bundle(), "--trace", tmp / "trace.json").ok()
    document = json.loads((tmp / "trace.json").read_text())
    names = {e["tid"]: e["args"]["name"] for e in document["traceEvents"] if e["ph"] == "M"}
    assert set(names.values()) == {"parent", "stage", "child", "starter"}
    assert {e["name"] for e in document["traceEvents"] if e["ph"] == "M"} == {"thread_name"}
    # "X" events, which want a start and a length in microseconds, as numbers; metadata comes first.
    assert {e["ph"] for e in document["traceEvents"]} == {"M", "X"}
    assert all(type(e[key]) in (int, float) for e in events(tmp / "trace.json") for key in ("ts", "dur", "pid", "tid"))
    for event in events(tmp / "trace.json"):
        assert names[event["tid"]] == event["cat"]
        assert event["pid"] == 1 and event["args"]["command"]


def test_trace_text(tare, bundle, tmp):
    b = bundle()
    tare.run(b, "--trace", tmp / "trace.txt", id="web").ok()
    lines = (tmp / "trace.txt").read_text().splitlines()
    assert lines[0].split() == ["start", "us", "length", "us", "who", "step"]
    rows = [line.split(None, 5) for line in lines[1:]]
    assert sorted((int(r[3]), r[2], r[4]) for r in rows) == planned(plan_of(tare, b))
    assert any("pivot_root . ." in r[5] for r in rows if len(r) > 5)


def test_trace_to_standard_error(tare, bundle):
    result = tare.run(bundle(args=["/bin/echo", "from the container"]), "--trace", "-").ok()
    assert result.out == "from the container\n"
    assert "pivot-root" in result.err


def test_trace_of_a_failure_ends_with_the_step_that_failed(tare, bundle, tmp):
    b = bundle()
    b.mount("/data", "nosuchfs", "none")
    result = tare.run(b, "--trace", tmp / "trace.json", id="web").fails('mount "nosuchfs" on "/data"')
    child = [e for e in events(tmp / "trace.json") if e["cat"] == "child"]
    failed = next(s for s in plan_of(tare, b)["steps"] if s["arguments"].get("fstype") == "nosuchfs")
    assert child[-1]["args"]["index"] == failed["index"], result.describe()


def test_trace_into_a_missing_directory(tare, bundle, tmp):
    tare.run(bundle(), "--trace", tmp / "none/trace.json").fails("open trace file")
