# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two commands on one container at the same moment, each made to happen: strace delays one of them between two of its system calls.
tests/soak finds such places by chance; what it found is here.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import runtime as rt
from support.bundle import HOLD
from support.runtime import wait_until
from support.time_limit import scaled

FAULTY = os.environ.get("TARE_OCI_FAULTS") or str(rt.REPO / "build-faults/tare-oci")
DELAY_S = scaled(2.0)

pytestmark = [pytest.mark.only("tare"), pytest.mark.no_sanitizer("it has calls of its own that would be delayed"),
              pytest.mark.this_kernel("the moments are those of this one")]


def delayed(call, seconds):
    """A prefix: the first such call of the command waits before it is made."""
    return ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:delay_enter={seconds:.0f}s:when=1"]


@pytest.mark.parametrize("look", ["state", "list"])
def test_Z2_a_container_that_is_ready_in_this_moment_is_not_stopped(tare, bundle, parallel, look):
    """The record is read before there is an init, and its creator looked for when it has done all and ended."""
    b = bundle(script=HOLD)
    slow = rt.Runtime(tare.work)

    def looks():
        wait_until(lambda: (tare.root / "one/state.json").exists(), "the record")
        slow.under = delayed("pidfd_open", 2 * DELAY_S)
        return slow.call(*(["state", "one"] if look == "state" else ["list", "--format", "json"]))

    tare.under = delayed("clone3", DELAY_S)
    (result, _), looked = parallel(lambda: tare.try_create(b, id="one"), looks)
    tare.under = []
    result.ok()
    documents = json.loads(looked.ok().out)
    assert (documents if look == "state" else documents[0])["status"] == "created"


def test_Z2_of_two_deletes_the_later_one_finds_nothing(tare, bundle, parallel):
    c = tare.run_detached(bundle(script="exit 0")).wait()
    slow = rt.Runtime(tare.work)
    slow.under = delayed("flock", DELAY_S)

    def quick():
        time.sleep(DELAY_S / 3)
        return c.delete()

    late, first = parallel(lambda: slow.delete(c.id), quick)
    first.ok()
    late.fails("does not exist")


def test_Z2_of_two_starts_the_later_one_is_told_why(tare, bundle, parallel):
    """It reaches the init's socket between the first one's go and the init's hearing it."""
    c = tare.create(bundle(script=HOLD))
    slowed = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=recvmsg", "-e",
                               f"inject=recvmsg:delay_exit={DELAY_S:.0f}s:when=1", "-p", str(c.pid)])
    try:
        wait_until(lambda: "TracerPid:\t0\n" not in Path(f"/proc/{c.pid}/status").read_text(), "strace to be there")

        def second():
            time.sleep(DELAY_S / 3)
            return c.start()

        first, later = parallel(c.start, second)
    finally:
        slowed.send_signal(signal.SIGINT)
        slowed.wait()
    first.ok()
    later.fails("cannot start a container that has been started already")
    assert c.status == "running"


@pytest.mark.skipif(not Path(FAULTY).exists(), reason="no build with the fault table")
@pytest.mark.parametrize("step", range(4))
def test_Z3_a_start_that_was_killed_has_started_or_has_not(tare, bundle, step):
    """Once it has said go nobody can write that down any more; the container runs all the same, and says so."""
    c = tare.create(bundle(script=HOLD))
    faulty = rt.Runtime(tare.work)
    faulty.path = FAULTY
    faulty.start(c.id, env=dict(os.environ, TARE_KILL_AT=str(step)), before=os.setsid)
    time.sleep(0.3)
    if "ready" in c.out:
        assert c.status == "running"
        c.start().fails("cannot start an already running container")
        c.delete().fails("running")
    else:
        assert c.status == "created"
        c.start().ok()
        c.wait_out("ready")
