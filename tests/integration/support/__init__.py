# SPDX-License-Identifier: GPL-2.0-or-later
"""What the integration tests stand on: bundles, the runtime under test, and the host's state before and after."""
