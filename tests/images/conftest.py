# SPDX-License-Identifier: GPL-2.0-or-later
"""Images as people have them. Run them as the suite does; the fixtures are those of tests/integration."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import pytest  # noqa: E402
from support.fixtures import FIXTURES, integration_conftest  # noqa: E402
from support.time_limit import time_limit as limited_to  # noqa: E402

globals().update(FIXTURES)
TIME_LIMIT_S = 900


@pytest.fixture(autouse=True)
def time_limit():
    """A system of some hundred megabytes is packed by tools that take their time."""
    with limited_to(TIME_LIMIT_S):
        yield


def pytest_configure(config):
    integration_conftest.pytest_configure(config)
