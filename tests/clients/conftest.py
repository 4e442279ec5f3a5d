# SPDX-License-Identifier: GPL-2.0-or-later
"""
Fixtures of the clients' tests: podman, docker, and containerd by ctr and by its CRI, with tare-oci as their runtime and
with runc beside it.

    tests/isolate NAME hybrid pytest tests/clients -m smoke --variants tare

A test asks for one of

    engine    podman and docker: their command line is the same (engines/cli.py), so one test is a case for each
    podman, rootless, docker, ctr, cri    one of them alone (rootless: podman of a user who is not root)

and runs once for each variant of the runtime: runc, tare, and for podman also plain (containers.conf without the lines
for tare-oci) and as-crun (the same binary, called crun). --variants picks some of them.

tare may fail nothing that runc passes. A case that can fail here with runc too carries fails_with_runc(reason): where runc
has failed in the same run, that failure and those of the other variants are skips that say why. Any other failure of runc is
a failure: the test is wrong.

After each test the host is compared with what it was before (integration's support/host.py).
"""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from _pytest.compat import NOTSET

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from engines.containerd import Containerd  # noqa: E402
from engines.cri import Cri  # noqa: E402
from engines.docker import Docker  # noqa: E402
from engines.podman import Podman  # noqa: E402
from engines.rootless import RootlessPodman  # noqa: E402
from engines.site import OCI, REFERENCE, Site  # noqa: E402
from support.host import Snapshot  # noqa: E402
from support.time_limit import time_limit  # noqa: E402

SETTLE_S = 15.0
TIME_LIMIT_S = 120
ENGINES = {c.kind: c for c in (Podman, RootlessPodman, Docker, Containerd, Cri)}
FIXTURES = {"engine": ["podman", "docker"], "podman": ["podman"], "rootless": ["rootless"], "docker": ["docker"], "ctr": ["ctr"], "cri": ["cri"]}
PROGRAMS = {"podman": ["podman", "conmon"], "rootless": ["podman", "conmon", "newuidmap", "slirp4netns"], "docker": ["dockerd", "containerd"], "ctr": ["containerd", "ctr"],
            "cri": ["containerd"]}
REFERENCE_RESULTS = {}


def pytest_addoption(parser):
    parser.addoption("--variants", default="runc,tare,plain,as-crun", help="comma-separated variants of the runtime")
    parser.addoption("--engines", default=",".join(ENGINES), help="comma-separated engines")


def pytest_configure(config):
    config.addinivalue_line("markers", "rows(*ids): rows of docs/spec-map.md that the test proves")
    config.addinivalue_line("markers", "smoke: about a third of the cases, which run in `make test`")
    config.addinivalue_line("markers", "fails_with_runc(reason): may fail here with runc too; then it is a skip")
    config.addinivalue_line("markers", "needs_criu: needs a CRIU that works on this kernel")


def pytest_generate_tests(metafunc):
    name = next((f for f in FIXTURES if f in metafunc.fixturenames), None)
    if not name:
        return
    variants, kinds = (metafunc.config.getoption(o).split(",") for o in ("--variants", "--engines"))
    cases = [(kind, variant) for kind in FIXTURES[name] if kind in kinds for variant in ENGINES[kind].variants
             if variant in variants]
    metafunc.parametrize(name, cases, indirect=True, ids=["-".join(case) for case in cases])


def pytest_collection_modifyitems(config, items):
    """Take away what has no variant left to run with."""
    empty = [i for i in items if hasattr(i, "callspec") and NOTSET in i.callspec.params.values()]
    config.hook.pytest_deselected(items=empty)
    items[:] = [i for i in items if i not in empty]


def case_of(item):
    """A case without its variant: what a variant's result is compared by. And the variant."""
    params = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    name = next((f for f in FIXTURES if f in params), None)
    if not name:
        return None, None
    kind, variant = params.pop(name)
    return (item.fspath, item.originalname, kind, repr(sorted(params.items()))), variant


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure that runc shares becomes a skip with its reason."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call":
        return
    case, variant = case_of(item)
    if variant == "runc":
        REFERENCE_RESULTS[case] = report.outcome
    marker = item.get_closest_marker("fails_with_runc")
    if report.failed and marker and REFERENCE_RESULTS.get(case) == "failed":
        report.outcome = "skipped"
        report.longrepr = (str(item.fspath), item.location[1], f"Skipped: runc fails here too: {marker.args[0]}")


@pytest.fixture(scope="session")
def site():
    """Directories and networks of all engines."""
    before, site = Path.cwd(), Site()
    os.chdir(site.work)  # conmon 2.1 writes a file "oom" to where it happens to be
    yield site
    os.chdir(before)
    site.close()


@pytest.fixture(scope="session")
def running(site):
    """The engines that run, started when the first test asks for them: running("docker")."""
    before, engines = Snapshot([]), {}

    def get(kind):
        missing = [p for p in PROGRAMS[kind] if not shutil.which(p)]
        if missing:
            pytest.skip(f"{kind}: {', '.join(missing)} can't be installed here")
        if kind not in engines:
            engines[kind] = ENGINES[kind](site)
            engines[kind].start()
        return engines[kind]

    yield get
    for engine in engines.values():
        engine.stop()
    left = differences_that_stay(before, kinds=("process", "mount"))
    assert not left, "the engines left something behind:\n  " + "\n  ".join(left)


def is_the_engines(line, engine):
    """Is a difference the engine's own: its daemon (a test may have restarted it), a mount that it makes and removes at will?"""
    return line.startswith(tuple(f"process left: ({pid}," for pid in engine.pids())) or \
        any(f" {target} " in line for target in engine.own_mounts)


def differences_that_stay(before, engine=None, kinds=None):
    """What is new since `before`. Processes and cgroups may need a moment to go, so only what stays counts."""
    end = time.monotonic() + SETTLE_S
    while True:
        after = Snapshot(before.roots)
        left = [line for line in after.differences(before) if not kinds or line.startswith(kinds)]
        left = [line for line in left if not engine or not is_the_engines(line, engine)]
        if not left or time.monotonic() > end:
            break
        time.sleep(0.2)
    if left:
        own = engine.pids() if engine else []
        after.parts["process"] = {p: name for p, name in after.parts["process"].items() if p[0] not in own}
        after.clean_up(before)
    return left


@contextmanager
def nothing_left(site, engine):
    """Fail the test if it leaves a process, mount, cgroup, link or state file."""
    before, links = Snapshot(engine.roots), site.links()
    yield
    left = differences_that_stay(before, engine)
    left += [f"link left: {link}" for link in site.links() - links]
    if left:
        pytest.fail("the test left something behind:\n  " + "\n  ".join(left), pytrace=False)


def client(request, site, running):
    """One engine with one variant of the runtime, cleaned up and looked after."""
    kind, variant = request.param
    if variant == "runc" and not REFERENCE.exists():
        pytest.skip("runc is not installed")
    engine = running(kind)
    with nothing_left(site, engine), time_limit(TIME_LIMIT_S):
        cli = engine.cli(variant)
        yield cli
        cli.clean_up()


@pytest.fixture
def engine(request, site, running):
    yield from client(request, site, running)


@pytest.fixture
def podman(request, site, running):
    yield from client(request, site, running)


@pytest.fixture
def rootless(request, site, running):
    yield from client(request, site, running)


@pytest.fixture
def docker(request, site, running):
    yield from client(request, site, running)


@pytest.fixture
def ctr(request, site, running):
    yield from client(request, site, running)


@pytest.fixture
def cri(request, site, running):
    yield from client(request, site, running)


@pytest.fixture
def tmp(site, request):
    """A directory of the test's own, open to every user."""
    path = site.directory("tmp", str(abs(hash(request.node.nodeid))))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def criu_works():
    """Why no checkpoint can be made here; "" if one can."""
    if not shutil.which("criu"):
        return "criu is not installed"
    done = subprocess.run(["criu", "check"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"criu check: {done.stderr.strip().splitlines()[-1] if done.stderr else 'fails'}"


@pytest.fixture(autouse=True)
def only_with_criu(request):
    if request.node.get_closest_marker("needs_criu"):
        reason = request.getfixturevalue("criu_works")
        if reason:
            pytest.skip("this host can't make a checkpoint: " + reason)


def pytest_report_header():
    return f"runtime: {OCI}; reference: {REFERENCE}"
