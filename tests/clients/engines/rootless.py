# SPDX-License-Identifier: GPL-2.0-or-later
"""
podman of a user who is not root: a user with a home and subordinate ids of his own, in copies of /etc/passwd and the like
that hide the machine's. He was given no cgroup, so podman asks the runtime for no limits.
"""

import os
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

from engines.cli import Cli
from engines.commands import call
from engines.site import documented

NAME, UID, GID = "tester", 4321, 4321
FIRST, COUNT = 300000, 65536
CONFIG = """\
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:8192"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
network_cmd_path = "/usr/bin/slirp4netns"
"""
STORAGE = """\
[storage]
driver = "vfs"
graphroot = "{home}/storage"
runroot = "/run/user/{uid}/containers"
"""
FILES = {
    "passwd": (f"{NAME}:x:{UID}:{GID}::{{home}}:/bin/sh\n", True),
    "group": (f"{NAME}:x:{GID}:\n", True),
    "subuid": (f"{NAME}:{FIRST}:{COUNT}\n", False),
    "subgid": (f"{NAME}:{FIRST}:{COUNT}\n", False),
}


class RootlessPodman:
    """No daemon, but a process that keeps the user's namespaces alive, ended by stop()."""

    kind = "rootless"
    variants = ["runc", "tare"]
    roots = []

    def __init__(self, site):
        self.site = site
        self.work = site.directory("rootless")
        self.home, self.runtime_dir = self.work / "home", Path(f"/run/user/{UID}")
        self.own_mounts = [str(self.home / ".local/share/containers/storage")]
        for directory in (self.home, self.runtime_dir):
            directory.mkdir(parents=True)
            os.chown(directory, UID, GID)
            directory.chmod(0o700)
        for name, (text, added) in FILES.items():
            file = self.work / name
            file.write_text((Path("/etc", name).read_text() if added else "") + text.format(home=self.home))
            subprocess.run(["mount", "--bind", file, f"/etc/{name}"], check=True)
        tun = self.work / "tun"  # slirp4netns opens it as the user; usual hosts let everybody
        os.mknod(tun, stat.S_IFCHR, os.makedev(10, 200))
        tun.chmod(0o666)
        subprocess.run(["mount", "--bind", tun, "/dev/net/tun"], check=True)
        self.archive = self.work / "box.tar"
        shutil.copy(site.archive, self.archive)
        # The user must be able to reach the program, which a checkout below /root is not.
        self.oci = self.work / "tare-oci"
        shutil.copy2(site.runtimes["tare"], self.oci)
        (self.work / "containers.conf").write_text(
            CONFIG + documented("podman.md", self.oci).removeprefix("[engine]\n")
            + f'runc = ["{site.runtimes["runc"]}"]\n')
        (self.work / "storage.conf").write_text(STORAGE.format(home=self.home, uid=UID))

    def start(self):
        cli = self.cli("runc")
        call(cli.command("load", "-i", self.archive), env=cli.env).ok()
        return self

    def cli(self, variant):
        env = {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", "HOME": str(self.home), "USER": NAME,
               "XDG_RUNTIME_DIR": str(self.runtime_dir), "CONTAINERS_CONF": str(self.work / "containers.conf"),
               "CONTAINERS_STORAGE_CONF": str(self.work / "storage.conf")}
        prefix = [*self.site.network("rootless"), "setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups",
                  "--inh-caps=-all", "env", "-C", str(self.home), "podman", "--runtime",
                  {"runc": "runc", "tare": "tare-oci"}[variant]]
        return Cli(self.kind, variant, prefix, forced=("-f", "-t", "0", "-v"), env=env)

    def pids(self):
        """The process that holds the namespaces."""
        try:
            return [int((self.runtime_dir / "libpod/tmp/pause.pid").read_text())]
        except FileNotFoundError:
            return []

    def stop(self):
        cli = self.cli("runc")
        cli.call("rm", "-f", "-a", "-t", "0")
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.01)
        for covered in ("/dev/net/tun", *(f"/etc/{name}" for name in FILES)):
            subprocess.run(["umount", covered], check=True)
