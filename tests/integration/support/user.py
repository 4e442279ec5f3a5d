# SPDX-License-Identifier: GPL-2.0-or-later
"""
The runtime as a user calls it. Where the tests run as root: nobody, without groups or capabilities, in an isolated copy of
/etc/subuid and /etc/subgid that says what he was given. Where they run as a user, as in a guest with a delegated
user@UID.service: that user, with what he has.
"""

import contextlib
import os
import pwd
import subprocess

import pytest

from support import runtime as rt

BY_ROOT = os.geteuid() == 0
UID, GID = (65534, 65534) if BY_ROOT else (os.geteuid(), os.getegid())
NAME = pwd.getpwuid(UID).pw_name

needs_root = pytest.mark.skipif(not BY_ROOT, reason="its preparation needs root")


def given_ids():
    """The first range of subordinate ids that the user has in both files: (first, count)."""
    if BY_ROOT:
        return 300000, 65536
    for line in open("/etc/subuid"):
        name, first, count = line.strip().split(":")
        if name == NAME and line in open("/etc/subgid").readlines():
            return int(first), int(count)
    return 0, 0


FIRST, COUNT = given_ids()


class UserRuntime(rt.Runtime):
    """Every command by the user; `prefix` are words before it, such as unshare's."""

    def __init__(self, work):
        super().__init__(work)
        os.chown(work, UID, GID)
        self.prefix = []

    def command(self, *args, globals=()):
        become = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"] if BY_ROOT else []
        return [*become, *self.prefix, *super().command(*args, globals=globals)]

    def own(self, bundle):
        """Give a bundle to the user. Returns it."""
        for directory, dirs, files in os.walk(bundle.path):
            for name in [".", *dirs, *files]:
                path = os.path.join(directory, name)
                if name != "busybox":  # all bundles share that file
                    os.chown(path, UID, GID, follow_symlinks=False)
        return bundle


@contextlib.contextmanager
def bound(path, text, work):
    """The file `path` with another text, for as long as the context lasts."""
    file = work / path.strip("/").replace("/", "-")
    file.write_text(text)
    subprocess.run(["mount", "--bind", file, path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)
        file.unlink()


@contextlib.contextmanager
def subids(work, text=f"{NAME}:{FIRST}:{COUNT}\n"):
    """What /etc/subuid and /etc/subgid say."""
    if not BY_ROOT:
        if bool(text) != bool(COUNT):
            pytest.skip(f"{NAME} has {'' if COUNT else 'no '}subordinate ids here, and only root may change that")
        yield
        return
    with bound("/etc/subuid", text, work), bound("/etc/subgid", text, work):
        yield
