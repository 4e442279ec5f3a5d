# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every step of a restore fails once, and the runtime is killed at every step once: as test_faults.py does it for the plans of
create and run. `explain` has no plan of a restore, so the steps come from the trace of one that succeeds, and each test walks
them. CRIU is the tests' own (support/fake_criu.py).
"""

import errno
import re
import shutil
import signal

import pytest

from support import cgroup
from support.bundle import HOLD
from support.terminal import ConsoleSocket
from test_checkpoint import RESTORED, criu, image, stored, try_restore  # noqa: F401, fixtures among them
from test_faults import BINARY, CASES

pytestmark = [pytest.mark.only("tare"), pytest.mark.skipif(not CASES, reason="no build with the fault table")]

ORPHAN = {"notify": "orphan-pts-master"}


def plain(b):
    return RESTORED


def with_hooks(b):
    """And with mount points that have to be made."""
    for kind in ("prestart", "createRuntime", "poststart"):
        b.hook(kind, "/bin/true")
    b.mount("/new/dir", "tmpfs", "tmpfs")
    b.linux["resources"] = {"pids": {"limit": 50}, "memory": {"limit": 64 << 20}}
    return RESTORED


def terminal(b):
    b.process["terminal"] = True
    return [*RESTORED[:3], ORPHAN, *RESTORED[3:]]


PLANS = {f.__name__: f for f in (plain, with_hooks, terminal)}


@pytest.fixture
def way(tare, criu, bundle, stored, tmp, request):  # noqa: F811
    """One plan, and how to restore by it."""
    tare.path = BINARY
    return Way(tare, criu, bundle, stored, tmp, request.param)


class Way:
    def __init__(self, tare, criu, bundle, stored, tmp, name):  # noqa: F811
        self.tare, self.criu, self.stored, self.tmp = tare, criu, stored, tmp
        self.bundle = bundle(script=HOLD)
        self.script = PLANS[name](self.bundle)
        self.bundle.write()
        self.before = self.bundle.listing()
        self.console = name == "terminal"
        self.plain_env = dict(criu.env)

    def restore(self, *options, **env):
        """Returns the result. TARE_FAULT and TARE_KILL_AT come by env."""
        self.criu.plays(self.script)
        self.criu.env = {**self.plain_env, **env}
        try:
            if not self.console:
                return try_restore(self.tare, self.criu, self.bundle, self.stored, *options, write=False)[0]
            with ConsoleSocket(self.tare.fresh("console")) as socket:
                return try_restore(self.tare, self.criu, self.bundle, self.stored, "--console-socket", socket.path, *options,
                                   write=False)[0]
        finally:
            self.criu.env = self.plain_env

    def steps(self):
        """The kinds of its steps, by a restore that succeeds and is undone."""
        self.restore("--trace", self.tmp / "trace").ok()
        self.delete()
        shutil.rmtree(self.bundle.rootfs / "new", ignore_errors=True)
        assert self.bundle.listing() == self.before
        found = re.findall(r"^ *[0-9.]+ +[0-9.]+ +parent +(\d+) (\S+)", (self.tmp / "trace").read_text(), re.M)
        assert [int(index) for index, _ in found] == list(range(len(found))), "all are the parent's"
        return [kind for _, kind in found]

    def delete(self):
        self.tare.delete("--force", "back").ok()
        assert not cgroup.of("back") and self.tare.list() == {}


each_way = pytest.mark.parametrize("way", PLANS, indirect=True)


@each_way
@pytest.mark.rows("Y-16")
def test_C18_Z3_a_step_of_a_restore_that_fails_leaves_nothing(way):
    kinds = way.steps()
    assert {"make-state", "make-cgroup", "start-criu", "restore-namespaces", "restore-processes", "release-processes"} <= set(kinds)
    for index, kind in enumerate(kinds):
        result = way.restore(TARE_FAULT=f"{index}:{errno.EIO}")
        result.fails("EIO")
        record = [r for r in result.log if r["level"] == "error"][-1]
        assert record.get("step") == kind, result.describe()
        assert way.tare.list() == {} and not cgroup.of("back"), result.describe()
        assert way.bundle.listing() == way.before, result.describe()


@each_way
def test_C18_Z3_a_restore_killed_at_a_step_is_cleaned_up_after(way):
    for index, kind in enumerate(way.steps()):
        result = way.restore(TARE_KILL_AT=str(index))
        assert result.status == -signal.SIGKILL, f"{kind}: {result.describe()}"
        if way.tare.root.exists():
            way.delete()
