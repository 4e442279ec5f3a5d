# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where a container's cgroups are, whatever the layout (v1, hybrid, pure v2) and whoever makes them (tare, or systemd for it).

A test names a cgroup as a path below the hierarchies' mounts, "tare-test/web", and asks here for the rest:

    b.linux["cgroupsPath"] = cgroup.path("tare-test/web")   # by file "/tare-test/web"; by systemd "tare-test.slice:tare:web"
    cgroup.place("tare-test/web")                           # "tare-test/web"; "tare.slice/tare-test.slice/tare-web.scope"
    cgroup.of(c)                                            # its directories, one in each hierarchy that it has one in
    cgroup.find(c, "memory.limit_in_bytes", "memory.max")   # the file, by v1's name or v2's

What holds on some layouts only says so by a mark: v1, v2, hybrid, by_file.
"""

import errno
from pathlib import Path

import pytest

from support.runtime import GLOBALS

CGROUP = Path("/sys/fs/cgroup")
V2_ONLY = (CGROUP / "cgroup.controllers").exists()
MODE = "v2" if V2_ONLY else "hybrid" if (CGROUP / "unified/cgroup.controllers").exists() else "v1"
BY_SYSTEMD = "--systemd-cgroup" in GLOBALS

v1 = pytest.mark.skipif(V2_ONLY, reason="needs cgroup v1 hierarchies")
v2 = pytest.mark.skipif(not V2_ONLY, reason="needs pure cgroup v2")
hybrid = pytest.mark.skipif(MODE != "hybrid", reason="needs a cgroup2 mount beside v1")
by_file = pytest.mark.skipif(BY_SYSTEMD, reason="about cgroups by file: systemd makes, names and removes its own")


def hierarchies():
    """The mount points of all cgroup hierarchies."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ", 1)
        if right.split()[0] in ("cgroup", "cgroup2") and left.split()[4].startswith(str(CGROUP)):
            found.append(Path(left.split()[4]))
    return found


def controllers(mount):
    """What the hierarchy at this mount point limits; of v1, what the mount is named by."""
    listed = mount / "cgroup.controllers"
    return listed.read_text().split() if listed.exists() else mount.name.split(",")


def path(name):
    """What a config's cgroupsPath says of this cgroup."""
    *above, last = name.strip("/").split("/")
    return f"{'-'.join(above) + '.slice' if above else ''}:tare:{last}" if BY_SYSTEMD else "/" + name.strip("/")


def place(name):
    """Where it is, from the mount of a hierarchy."""
    return _place_of(path(name))


def _place_of(cgroups_path):
    if not BY_SYSTEMD:
        return cgroups_path.strip("/")
    slice, prefix, last = cgroups_path.split(":")
    names = slice.removesuffix(".slice").split("-") if slice else ["system"]
    above = ["-".join(names[:i + 1]) + ".slice" for i in range(len(names))]
    return "/".join([*above, f"{prefix}-{last}.scope"])


def of(container):
    """The directories of a container, given it or, without a cgroupsPath, its id alone; [] when they are gone."""
    id = getattr(container, "id", container)
    bundle = getattr(container, "bundle", None)
    own = bundle and bundle.linux.get("cgroupsPath")
    return directories(_place_of(own or (f":tare:{id}" if BY_SYSTEMD else id)))


def directories(at):
    """The directories at this place, in whichever hierarchies there is one."""
    return [h / at for h in hierarchies() if (h / at).exists()]


def find(container, *names):
    """The first of these files in a container's cgroups; None."""
    return next((d / name for name in names for d in of(container) if (d / name).exists()), None)


def pids(directory):
    """Who is in it; nobody is in one that is gone, as systemd's scopes are when they are empty."""
    try:
        return (directory / "cgroup.procs").read_text().split()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise
        return []


def make_below(directory, name):
    """A cgroup below this one that processes can join."""
    made = directory / name
    made.mkdir()
    if not V2_ONLY and (made / "cpuset.cpus").exists():
        for file in ("cpuset.cpus", "cpuset.mems"):
            (made / file).write_text((directory / file).read_text())
    return made


class Freezer:
    """Stops processes by the kernel's freezer: v1's if it is in one of these cgroups, otherwise v2's."""

    def __init__(self, directories):
        files = [d / n for d in directories for n in ("freezer.state", "cgroup.freeze") if (d / n).exists()]
        self.file = max(files, key=lambda file: file.name == "freezer.state")
        self.v2 = self.file.name == "cgroup.freeze"

    def freeze(self):
        self.file.write_text("1" if self.v2 else "FROZEN")

    def thaw(self):
        self.file.write_text("0" if self.v2 else "THAWED")

    def is_frozen(self):
        if self.v2:
            return "frozen 1" in (self.file.parent / "cgroup.events").read_text()
        return "FROZEN" in self.file.read_text()
