# SPDX-License-Identifier: GPL-2.0-or-later
"""What the clients' tests stand on: the engines, each with its own directories and network, and the image they run."""
