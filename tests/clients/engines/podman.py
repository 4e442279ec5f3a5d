# SPDX-License-Identifier: GPL-2.0-or-later
"""
podman with its own storage, networks and two containers.conf: one with the lines that docs/engines/podman.md gives, one
without them. podman decides by the runtime's name whether it may ask for a JSON log and for no cgroups.
"""

import os
import subprocess

from engines import image
from engines.cli import Cli
from engines.commands import call
from engines.site import documented

CONFIG = """\
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:8192"]
[network]
network_config_dir = "{work}/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
init_path = "/usr/bin/tini-static"
"""
RUNTIMES = """\
[engine.runtimes]
tare-oci = ["{oci}"]
"""
OTHERS = """\
runc = ["{runc}"]
crun = ["{renamed}"]
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{work}/storage"
runroot = "/run/containers/storage"
"""
# Variant: the runtime's name for podman, and whether containers.conf has the lines for it.
VARIANTS = {"runc": ("runc", True), "tare": ("tare-oci", True), "plain": ("tare-oci", False), "as-crun": ("crun", False)}


class Podman:
    """podman has no daemon: this is its configuration, and the image loaded."""

    kind = "podman"
    variants = list(VARIANTS)
    roots = ["/run/runc", "/run/tare-oci", "/run/libpod/exits"]

    def __init__(self, site):
        self.site = site
        self.work = site.directory("podman")
        self.own_mounts = [str(self.work / "storage/overlay")]
        (self.work / "storage.conf").write_text(STORAGE.format(work=self.work))
        oci, others = site.runtimes["tare"], OTHERS.format(runc=site.runtimes["runc"], renamed=site.renamed)
        ours = documented("podman.md", oci).removeprefix("[engine]\n")
        for name, lines in (("with", ours), ("without", RUNTIMES.format(oci=oci))):
            (self.work / f"{name}-lines.conf").write_text(CONFIG.format(work=self.work) + lines + others)

    def start(self):
        """Load the image; the first container makes what stays: the bridge's settings, a lock file."""
        cli = self.cli("runc")
        call(cli.command("load", "-i", self.site.archive), env=cli.env).ok()
        cli.run(network="bridge", args=["true"]).ok()
        cli.clean_up()
        return self

    def cli(self, variant):
        runtime, lines = VARIANTS[variant]
        config = self.work / f"{'with' if lines else 'without'}-lines.conf"
        env = dict(os.environ, CONTAINERS_CONF=str(config), CONTAINERS_STORAGE_CONF=str(self.work / "storage.conf"))
        return Cli(self.kind, variant, [*self.site.network("podman"), "podman", "--runtime", runtime],
                   forced=("-f", "-t", "0", "-v"), env=env)

    def pids(self):
        return []

    def stop(self):
        self.cli("runc").call("system", "reset", "--force")
        subprocess.run(["umount", *self.own_mounts], stderr=subprocess.DEVNULL, check=False)
