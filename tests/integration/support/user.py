# SPDX-License-Identifier: GPL-2.0-or-later
"""
The runtime as a user calls it: nobody, without groups or capabilities, in an isolated copy of /etc/subuid and /etc/subgid
that says what he was given.
"""

import contextlib
import os
import subprocess

from support import runtime as rt

UID = GID = 65534
NAME = "nobody"
FIRST, COUNT = 300000, 65536


class UserRuntime(rt.Runtime):
    """Every command by the user; `prefix` are words before it, such as unshare's."""

    def __init__(self, work):
        super().__init__(work)
        os.chown(work, UID, GID)
        self.prefix = []

    def command(self, *args, globals=()):
        return ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups", *self.prefix,
                *super().command(*args, globals=globals)]

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
    with bound("/etc/subuid", text, work), bound("/etc/subgid", text, work):
        yield
