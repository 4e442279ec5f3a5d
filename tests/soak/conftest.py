# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a runtime does under a load of random commands, for seconds in `make test` and for minutes in `make test-long`:

    tests/isolate soak hybrid pytest tests/soak

TARE_SOAK=long asks for the long form, TARE_SOAK_ROUNDS=N for as many rounds of the leak test, TARE_SOAK_SEED=N for a run's own
commands again (each test prints its seed). The fixtures are those of tests/integration, above all the one that compares the host before and after.
"""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from support.fixtures import FIXTURES, integration_conftest  # noqa: E402

globals().update(FIXTURES)

LONG = os.environ.get("TARE_SOAK") == "long"
TIME_LIMIT_SOAK_S = 3000 if LONG else 240


@pytest.fixture(autouse=True)
def time_limit():
    with integration_conftest.limited_to(TIME_LIMIT_SOAK_S):
        yield


@pytest.fixture
def long():
    """Whether this is the long form."""
    return LONG


@pytest.fixture
def dice():
    """Random numbers that a failed run's output can bring back."""
    seed = int(os.environ.get("TARE_SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: TARE_SOAK_SEED={seed}")
    return random.Random(seed)
