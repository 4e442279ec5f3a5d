# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where the engines live for one run of the tests: a tmpfs for their data, an empty /run, /var/lib and /dev/shm that hide the
machine's, and a network namespace for each of them, so that no engine's links and packet filter reach another's.

Must run under tests/isolate, whose mount namespace ends with the run.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from engines import image
from support import runtime

OCI = Path(runtime.binary()).resolve()
REFERENCE = Path("/usr/sbin/runc")
DOCS = runtime.REPO / "docs/engines"
INSTALLED = "/usr/local/bin/tare-oci"
NETWORKS = ["podman", "rootless", "docker", "remapped", "containerd", "cri"]


class Site:
    """Paths and network namespaces; close() removes both."""

    def __init__(self):
        self.work = Path(tempfile.mkdtemp(prefix="tare-clients-"))
        self.work.chmod(0o755)
        self.mounted = ["/run", "/var/lib", "/dev/shm", self.work]  # podman keeps its locks in /dev/shm
        for target in self.mounted:
            mode = "1777" if target == "/dev/shm" else "755"
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode={mode}", "tare-clients", target], check=True)
        Path("/run/lock").mkdir()
        for name in NETWORKS:
            subprocess.run(["ip", "netns", "add", name], check=True)
            subprocess.run([*self.network(name), "ip", "link", "set", "lo", "up"], check=True)
        for name in ("subuid", "subgid"):  # for docker's userns-remap, which takes any user but root
            (self.work / name).write_text("daemon:200000:65536\n")
            subprocess.run(["mount", "--bind", self.work / name, f"/etc/{name}"], check=True)
        self.archive = image.write_archive(self.work / "box.tar")
        self.runtimes = {"tare": OCI, "runc": REFERENCE}
        (self.work / "renamed").mkdir()
        self.renamed = self.work / "renamed/crun"
        shutil.copy2(OCI, self.renamed)

    def directory(self, *parts):
        """A directory below the work directory, made if it is not there."""
        path = self.work.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def network(self, name):
        """The start of a command that is to run in the network namespace of an engine."""
        return ["nsenter", f"--net=/run/netns/{name}"]

    def links(self):
        """The links of every engine's network: {"NETWORK: LINK"}."""
        found = set()
        for name in NETWORKS:
            listing = subprocess.run([*self.network(name), "ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
            found |= {f"{name}: {line.split()[0].split('@')[0]}" for line in listing.splitlines()}
        return found

    def close(self):
        for name in NETWORKS:
            subprocess.run(["ip", "netns", "del", name], check=True)
        for target in ("/etc/subuid", "/etc/subgid", *self.mounted):
            subprocess.run(["umount", "--recursive", target], check=True)
        os.rmdir(self.work)


def documented(page, runtime_path):
    """The first block of configuration on an engine's page, for another place of the program: so the page is tested."""
    block = re.search(r"^```(?:toml|json)\n(.*?)^```$", (DOCS / page).read_text(), re.S | re.M).group(1)
    assert INSTALLED in block, f"docs/engines/{page} names no {INSTALLED}"
    return block.replace(INSTALLED, str(runtime_path))


def cgroup_files(pid):
    """The cgroup directories of a process: {controller: directory}; "" is cgroup2's. For one outside our own they start at /."""
    found = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            base = Path("/sys/fs/cgroup/unified") if Path("/sys/fs/cgroup/unified").exists() else Path("/sys/fs/cgroup")
            found[""] = base / path.lstrip("/")
        for controller in controllers.removeprefix("name=").split(",") if number != "0" else ():
            found[controller] = Path("/sys/fs/cgroup") / controller / path.lstrip("/")
    return found


# What a limit is called in v1 and in v2.
LIMITS = {
    "memory": (("memory", "memory.limit_in_bytes"), "memory.max"),
    "reservation": (("memory", "memory.soft_limit_in_bytes"), "memory.low"),
    "quota": (("cpu", "cpu.cfs_quota_us"), "cpu.max"),
    "shares": (("cpu", "cpu.shares"), "cpu.weight"),
    "cpus": (("cpuset", "cpuset.cpus"), "cpuset.cpus"),
    "pids": (("pids", "pids.max"), "pids.max"),
}


def limit(pid, name):
    """One limit of a process, as the kernel has it (v1: the number; v2: the first word of the file)."""
    (controller, v1), v2 = LIMITS[name]
    where = cgroup_files(pid)
    file = where[controller] / v1 if controller in where else where[""] / v2
    return file.read_text().split()[0]


def status(pid, key):
    """One line of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return line.split(":", 1)[1].strip()
    raise AssertionError(f"/proc/{pid}/status has no {key}")
