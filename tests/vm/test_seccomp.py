# SPDX-License-Identifier: GPL-2.0-or-later
"""The entry of a 32-bit program, which many kernels no longer have: Debian's do (rows S-3, Q-7)."""

import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "build/tests/unit/unit-seccomp-kernel"


@pytest.mark.smoke
def test_S3_Q7_the_kernels_verdict_on_calls_by_int_0x80():
    done = subprocess.run([PROGRAM, "i386"], env={"CMOCKA_MESSAGE_OUTPUT": "TAP"}, capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 0 and "ok 1 - test_kernel\n" in done.stdout, done
    assert "2000 calls under 20 profiles" in done.stdout + done.stderr, done
