# SPDX-License-Identifier: GPL-2.0-or-later
"""
No test may hang its suite. Limits are written for an ordinary machine; TARE_TIME_SCALE makes them longer where everything takes
longer, as in an emulated guest.
"""

import os
import signal
from contextlib import contextmanager

import pytest

SCALE = float(os.environ.get("TARE_TIME_SCALE") or 1)


def scaled(seconds):
    """What these seconds of an ordinary machine are on this one."""
    return seconds * SCALE


@contextmanager
def time_limit(seconds):
    """Fail the test where it stands after so many seconds of an ordinary machine."""
    limit = round(scaled(seconds))

    def too_long(signum, frame):
        pytest.fail(f"the test did not end in {limit} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(limit)
    yield
    signal.alarm(0)
