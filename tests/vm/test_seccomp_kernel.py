# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own verdict on system calls by int 0x80, which not every kernel offers: the guests' do."""

import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "build/tests/unit/unit-seccomp-kernel"


@pytest.mark.rows("S-3", "Q-7")
@pytest.mark.parametrize("entry", ["", "i386"], ids=["syscall", "int80"])
def test_S3_Q7_verdict_of_the_kernel_is_the_one_under_libseccomp(entry):
    done = subprocess.run([PROGRAM, *entry.split()], capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert "2000 calls under 20 profiles: as under libseccomp's program" in text
