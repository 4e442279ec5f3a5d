# SPDX-License-Identifier: GPL-2.0-or-later
"""No test may hang its suite."""

import signal
from contextlib import contextmanager

import pytest


@contextmanager
def time_limit(seconds):
    """Fail the test where it stands after so many seconds."""
    def too_long(signum, frame):
        pytest.fail(f"the test did not end in {seconds} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
