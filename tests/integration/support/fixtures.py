# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixtures and hooks of tests/integration/conftest.py, for the conftest.py of another directory."""

import importlib.util
from pathlib import Path

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
spec = importlib.util.spec_from_file_location("integration_conftest", CONFTEST)
integration_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(integration_conftest)
FIXTURES = {name: value for name, value in vars(integration_conftest).items() if not name.startswith("_")}
