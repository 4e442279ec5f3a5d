# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces for containers to join."""

import os
import subprocess

from support.runtime import wait_until

# The spec's word for each, and the kernel's name of its file.
FILES = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user", "cgroup": "cgroup",
         "time": "time"}
UNSHARE = {"network": "net"}


class Inhabitant:
    """A process in one new namespace, for containers to join by its `file`."""

    def __init__(self, type):
        # Who enters a new pid or time namespace is only the next child.
        fork = ["--fork", "--kill-child"] if type in ("pid", "time") else []
        self.process = subprocess.Popen(["unshare", f"--{UNSHARE.get(type, type)}", *fork, "sleep", "60"])
        self.file = wait_until(lambda: self._find(type, bool(fork)), f"a {type} namespace")
        if type == "user":
            for kind in ("uid_map", "gid_map"):
                with open(f"/proc/{self.process.pid}/{kind}", "w") as maps:
                    maps.write("0 0 4294967295\n")

    def _find(self, type, forked):
        """The namespace file of the process that lives in it, once it does."""
        pid = self.process.pid
        if forked:
            with open(f"/proc/{pid}/task/{pid}/children") as children:
                found = children.read().split()
            if not found:
                return None
            pid = found[0]
        path = f"/proc/{pid}/ns/{FILES[type]}"
        with open(f"/proc/{pid}/comm") as comm:
            if comm.read() != "sleep\n":
                return None
        return path if os.readlink(path) != os.readlink(f"/proc/self/ns/{FILES[type]}") else None

    def end(self):
        self.process.kill()
        self.process.wait()
