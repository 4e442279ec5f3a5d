# SPDX-License-Identifier: GPL-2.0-or-later
"""
Tests for a guest: what this machine's own kernel can't show, above all pure cgroup v2. Run them as the suite does:

    tests/vm/vm-run -r host -t 900 -- tests/isolate vm hybrid pytest tests/vm/test_cgroup_v2.py

The fixtures are those of tests/integration.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from support.fixtures import FIXTURES, integration_conftest  # noqa: E402

globals().update(FIXTURES)


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: the few that run in `make test` already")
    integration_conftest.pytest_configure(config)
