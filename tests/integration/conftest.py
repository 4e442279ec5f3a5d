# SPDX-License-Identifier: GPL-2.0-or-later
"""
Fixtures of the integration tests. Run them as the suite does:

    tests/isolate NAME hybrid pytest tests/integration/test_lifecycle.py

NAME is yours alone; TARE_OCI=/usr/sbin/runc tries the tests on another runtime. A test asks for

    tare      the runtime (support/runtime.py): tare.run(b), tare.create(b), tare.state(id), ...
    engine    the program tare (support/engine.py): engine.image("box"), engine.call("images"), ...
    bundle    a factory: bundle(args=[...]) or bundle(script="...") from the minimal base, bundle("docker") from the other
    tmp       a directory of the test's own that every user may enter

and asserts the effect and the message:

    def test_A9_hostname_is_set_inside(tare, bundle):
        b = bundle(args=["hostname"])
        b.config["hostname"] = "inside"
        assert tare.run(b).ok().out == "inside\\n"

    def test_Y20_start_of_a_running_container_is_refused(tare, bundle):
        c = tare.run_detached(bundle(script="sleep 60"))
        c.start().fails("cannot start", "running")

Names begin with the row ids that the test proves, without the dash (test_B10_M10_...); the marker rows("B-10") does for
more. docs/spec-map.md knows every row; a check finds unknown ones.

After each test the host is compared with what it was before (support/host.py), and the test fails if anything is left.
"""

import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import runtime as rt
from support.attack import ATTACKER, UNGUARDED, Victim
from support.bundle import HOLD, MOUNTS, Bundle, Template
from support.engine import Engine
from support.host import Snapshot
from support.namespaces import Inhabitant
from support.time_limit import scaled
from support.time_limit import time_limit as limited_to

SETTLE_S = 3.0
TIME_LIMIT_S = 120


def pytest_configure(config):
    config.addinivalue_line("markers", "rows(*ids): rows of docs/spec-map.md that the test proves beside its name's")
    config.addinivalue_line("markers", "simulated: proved against a fake /proc or /sys tree; counted apart")
    config.addinivalue_line("markers", "no_sanitizer(reason): can't run under a sanitizer build")
    config.addinivalue_line("markers", "only(*flavours): runs on these runtimes only (tare, runc, crun)")
    config.addinivalue_line("markers", "guard(name): an attack that this guard stops (base/guard.h); see the fixture `victim`")
    config.addinivalue_line("markers", "this_kernel(reason): can't run as on an old kernel (TARE_OLD_KERNEL, tests/old-kernel.c)")
    config.addinivalue_line("markers", "keeps_host: changes the host on purpose and restores it itself")
    if not os.environ.get("TARE_ISOLATED"):
        raise pytest.UsageError("run under tests/isolate NAME hybrid: the tests watch the whole host for leaks")


def pytest_collection_modifyitems(config, items):
    """TARE_EVERY=N: every N-th case, so some of each test with many and of each file."""
    step = int(os.environ.get("TARE_EVERY") or 1)
    if step > 1:
        config.hook.pytest_deselected(items=[item for i, item in enumerate(items) if i % step])
        items[:] = items[::step]


def pytest_runtest_setup(item):
    marker = item.get_closest_marker("no_sanitizer")
    if marker and rt.sanitized():
        pytest.skip("sanitizer build: " + marker.args[0])
    marker = item.get_closest_marker("this_kernel")
    if marker and rt.OLD_KERNEL:
        pytest.skip(f"as on Linux {rt.OLD_KERNEL}: {marker.args[0]}")
    marker = item.get_closest_marker("only")
    if marker and rt.flavour() not in marker.args:
        pytest.skip(f"not for {rt.flavour()}")


@pytest.fixture(scope="session")
def session_dir():
    """A directory for the whole run. Not pytest's: that one is closed to other users, containers' among them."""
    path = Path(tempfile.mkdtemp(prefix="tare-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def template(session_dir):
    return Template(session_dir)


@pytest.fixture
def tmp(session_dir):
    """A directory of the test's own, removed at its end."""
    path = Path(tempfile.mkdtemp(prefix="t", dir=session_dir))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_left(request, tmp):
    """
    THE LEAK FIXTURE: compare the host before and after the test. Processes may need a moment to be reaped and cgroups to
    become empty, so a difference counts only if it stays.
    """
    roots = [tmp / "root", tmp / "run", tmp / "store/containers", tmp / "store/staging"]
    before = Snapshot(roots)
    yield
    if request.node.get_closest_marker("keeps_host"):
        return
    end = time.monotonic() + scaled(SETTLE_S)
    while True:
        after = Snapshot(roots)
        left = after.differences(before)
        if not left or time.monotonic() > end:
            break
        time.sleep(0.01)
    if left:
        after.clean_up(before)
        pytest.fail("the test left something behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def time_limit():
    """No test may hang the suite: after TIME_LIMIT_S it fails where it stands."""
    with limited_to(TIME_LIMIT_S):
        yield


@pytest.fixture
def tare(tmp, nothing_left):
    """The runtime under test. What the test created is deleted by force at its end."""
    runtime = rt.Runtime(tmp)
    yield runtime
    runtime.clean_up()
    if runtime.root.exists() and not any(runtime.root.iterdir()):
        runtime.root.rmdir()


@pytest.fixture
def engine(tmp, nothing_left):
    """tare, the engine, with a store of its own. What the test created is removed at its end."""
    made = Engine(tmp)
    yield made
    made.clean_up()


@pytest.fixture
def other(tmp):
    """Another store, and tare with it."""
    (tmp / "other").mkdir()
    engine = Engine(tmp / "other")
    yield engine
    engine.clean_up()


@pytest.fixture(scope="session")
def attacker():
    """A program for both sides of an attack (tests/attacker.c)."""
    return ATTACKER


@pytest.fixture(params=["guarded", "unguarded"])
def victim(request, tmp, nothing_left):
    """
    The runtime under attack, twice: as it is, and from the build for tests without the guard that the test's marker
    guard("name") names. victim.guarded says which, and so what the test has to see.
    """
    (guard,) = request.node.get_closest_marker("guard").args
    guarded = request.param == "guarded"
    if not guarded and not Path(UNGUARDED).exists():
        pytest.skip("no build whose guards can be removed (build-unguarded)")
    runtime = Victim(tmp, guard, guarded)
    yield runtime
    runtime.clean_up()
    if runtime.root.exists() and not any(runtime.root.iterdir()):
        runtime.root.rmdir()


@pytest.fixture
def bundle(tmp, template):
    """A factory of bundles: bundle(base="minimal", args=..., script=...)."""
    count = iter(range(1000))

    def make(base="minimal", args=None, script=None):
        return Bundle(tmp / f"bundle{next(count)}", template, base, args, script)

    return make


@pytest.fixture
def parallel():
    """Call functions at the same time; returns their results in order, or raises the first failure."""
    def run(*functions):
        with ThreadPoolExecutor(len(functions)) as pool:
            return [f.result() for f in [pool.submit(f) for f in functions]]
    return run


@pytest.fixture(autouse=True)
def mark_simulated(request, record_property):
    """Let the runner count the simulated ones apart."""
    if request.node.get_closest_marker("simulated"):
        record_property("simulated", "1")


@pytest.fixture
def helper(nothing_left):
    """A factory of namespaces to join: helper("pid") is the path of one. They end with the test."""
    made = []

    def make(type):
        made.append(Inhabitant(type))
        return made[-1].file
    yield make
    for one in made:
        one.end()


@pytest.fixture
def terminal_bundle(bundle):
    """A factory of bundles whose process has a terminal: with /dev and /dev/pts."""

    def make(script=HOLD, **process):
        b = bundle(script=script)
        b.config["mounts"] += MOUNTS[1:3]
        b.process["terminal"] = True
        b.process.update(process)
        return b

    return make
