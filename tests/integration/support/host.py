# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a container start may leave on the host: Snapshot takes it down, differences() compares two, clean_up() removes what
is new so that one leak fails one test and not all that follow.

The suite runs under tests/isolate: the processes of its cgroup subtree, its mounts, links and cgroups are all its own.
"""

import os
import signal
import subprocess
from pathlib import Path

from support import cgroup
from support.cgroup import hierarchies

SYSTEMD = Path("/run/systemd/system").exists()
DEVICES = ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"]
KERNEL_TEXTS = ["kernel/hostname", "kernel/domainname", "kernel/core_pattern", "kernel/shmmax", "kernel/sem",
                "kernel/randomize_va_space", "fs/mqueue/msg_max", "net/ipv4/ip_forward", "vm/overcommit_memory"]


KERNEL_THREAD = 0x200000  # PF_KTHREAD, among the flags in /proc/PID/stat


def walk(hierarchy):
    """
    Each cgroup directory of a hierarchy. Of systemd's services, which come and go as it likes, only our own; and no slices, which
    it makes for a scope and keeps.
    """
    own = Path("/proc/self/cgroup").read_text().strip() + "/"
    for directory, names, _ in os.walk(hierarchy):
        if SYSTEMD:
            names[:] = [n for n in names if not n.endswith(".service") or f"/{n}/" in own]
        if not directory.endswith(".slice"):
            yield directory


def cgroups():
    """Every cgroup directory of every hierarchy."""
    return {d for h in hierarchies() for d in walk(h)}


def stat_of(pid):
    """(state, parent's pid) of a process, None if it is gone. One that goes between open and read is ESRCH."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return state, int(parent)


def parent_of(pid):
    """Its parent's pid, None if it is gone."""
    stat = stat_of(pid)
    return stat and stat[1]


def subreaper():
    """Who gets our orphans: tests/isolate's tini, or tests/vm/subreaper."""
    pid = os.getppid()
    while pid != 1 and Path(f"/proc/{pid}/comm").read_text().strip() not in ("tini", "subreaper"):
        pid = parent_of(pid)
    return pid


def strangers(container):
    """The pids in a container's cgroup that its init did not bring there."""
    procs = (cgroup.of(container)[0] / "cgroup.procs").read_text().split()
    return [pid for pid in map(int, procs) if container.pid not in (pid, parent_of(pid) or container.pid)]


def processes():
    """Everybody in our cgroup subtree but ourselves: {pid: command}. Zombies count: somebody forgot to reap them."""
    base = next((h for h in hierarchies() if h.name == "pids"), None) or hierarchies()[0]
    found = {}
    for directory in walk(base):
        try:
            pids = (Path(directory) / "cgroup.procs").read_text().split()
        except OSError:
            continue
        for pid in pids:
            if int(pid) == os.getpid() or pid == "0":
                continue
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
                name = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            fields = stat.rsplit(")", 1)[1].split()
            if int(fields[6]) & KERNEL_THREAD:
                continue
            found[(int(pid), fields[19])] = name or stat.split(")")[0] + ")"
    return found


def mounts():
    """Our mount namespace without the ids of its mounts: what is mounted where, with which options and peers."""
    return {line.split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def fds():
    """Our own open files; a helper that forgets one is a bug of the tests."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            pass
    return {f"{fd} {to}" for fd, to in found.items() if not to.startswith("/proc/")}


def devices():
    found = set()
    for name in DEVICES:
        try:
            st = os.stat(f"/dev/{name}")
            found.add(f"/dev/{name} {st.st_mode:o} {st.st_uid}:{st.st_gid} {st.st_rdev:x}")
        except FileNotFoundError:
            pass
    return found


def kernel_texts():
    found = set()
    for name in KERNEL_TEXTS:
        try:
            found.add(f"{name} = {Path('/proc/sys', name).read_text().strip()}")
        except OSError:
            pass
    return found


def files(*directories):
    return {str(Path(d, n)) for directory in directories for d, dirs, names in os.walk(directory) for n in dirs + names}


class Snapshot:
    """The host at one moment. `roots` are directories that must be empty when nothing is left (the runtime's --root)."""

    def __init__(self, roots):
        self.roots = roots
        self.parts = {
            "process": processes(),
            "mount": mounts(),
            "cgroup": cgroups(),
            "link": set(os.listdir("/proc/sys/net/ipv4/conf")),
            "named network namespace": files("/run/netns"),
            "state file": files(*roots, "/run/tare-oci"),
            "open file of the test": fds(),
            "device": devices(),
            "kernel setting": kernel_texts(),
        }

    def differences(self, before):
        """One line for each thing that is new or gone since `before`."""
        lines = []
        for kind, now in self.parts.items():
            then = before.parts[kind]
            label = now if isinstance(now, dict) else {}
            lines += [f"{kind} left: {k} {label.get(k, '')}".rstrip() for k in now if k not in then]
            if kind != "process":
                lines += [f"{kind} gone: {k}" for k in then if k not in now]
        return sorted(lines)

    def clean_up(self, before):
        """Remove what is new since `before`: processes, mounts, cgroups, in this order."""
        for pid, _ in self.parts["process"].keys() - before.parts["process"].keys():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        points = [m.split(" ")[2] for m in self.parts["mount"] - before.parts["mount"]]
        for point in sorted(points, key=len, reverse=True):
            subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL, check=False)
        for directory in sorted(self.parts["cgroup"] - before.parts["cgroup"], key=len, reverse=True):
            try:
                os.rmdir(directory)
            except OSError:
                pass
