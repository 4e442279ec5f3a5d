# SPDX-License-Identifier: GPL-2.0-or-later
"""
Tests for a guest: what this machine's own kernel can't show, above all pure cgroup v2. Run them as the suite does:

    tests/vm/vm-run -r host -t 900 -- tests/isolate vm hybrid pytest tests/vm/test_cgroup_v2.py

The fixtures are those of tests/integration.
"""

import importlib.util
import sys
from pathlib import Path

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
sys.path.insert(0, str(INTEGRATION))

spec = importlib.util.spec_from_file_location("integration_conftest", INTEGRATION / "conftest.py")
integration_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(integration_conftest)
globals().update({name: value for name, value in vars(integration_conftest).items() if not name.startswith("_")})


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: the few that run in `make test` already")
    integration_conftest.pytest_configure(config)
