# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of cgroups by systemd share: PID 1's and a user's own manager."""

from pathlib import Path

from support.runtime import wait_until

CGROUP = Path("/sys/fs/cgroup")


def read(directory, file):
    return (directory / file).read_text().strip()


def by_systemd(runtime_class):
    """The same runtime, with --systemd-cgroup before every command."""

    class BySystemd(runtime_class):
        def command(self, *args, globals=()):
            return super().command(*args, globals=["--systemd-cgroup", *globals])

    return BySystemd


def looked_after(runtime, units):
    """Yield a runtime, and clean up after it: no unit of units() and no scope's cgroup may stay."""
    yield runtime
    runtime.clean_up()
    wait_until(lambda: not units(), f"units to go: {units()}")
    assert not list(CGROUP.glob("**/tare-*.scope"))


def configured(bundle, resources=None, path=None, annotations=None):
    """Give a bundle these resources, cgroupsPath and annotations, where given. Returns it."""
    if path is not None:
        bundle.linux["cgroupsPath"] = path
    if resources is not None:
        bundle.linux["resources"] = resources
    if annotations:
        bundle.config["annotations"] = annotations
    return bundle
