# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading /proc/self/mountinfo as a container printed it."""

import re
from dataclasses import dataclass


@dataclass
class Mount:
    """One line. `flags` and `sb` are the sets of words of the mount and of the filesystem."""

    id: int
    root: str
    target: str
    flags: set
    peers: dict  # {"shared": 7, "master": 3, "unbindable": True}
    fstype: str
    source: str
    sb: set


def parse(text):
    """All mounts in the order of the file."""
    found = []
    for line in text.splitlines():
        match = re.match(r"(\d+) \d+ \S+ (\S+) (\S+) (\S+) (.*?)- (\S+) (\S+) (\S+)$", line)
        if not match:
            continue
        peers = {}
        for word in match[5].split():
            key, _, number = word.partition(":")
            peers[key] = int(number) if number else True
        found.append(Mount(int(match[1]), match[2], match[3], set(match[4].split(",")), peers, match[6], match[7],
                           set(match[8].split(","))))
    return found


def at(text, target):
    """The mount that is seen at a target: the last one there."""
    found = [m for m in parse(text) if m.target == target]
    assert found, f"nothing is mounted on {target}:\n{text}"
    return found[-1]
