# SPDX-License-Identifier: GPL-2.0-or-later
"""dockerd with its own directories, over a containerd of its own."""

import json
import os
import subprocess

from engines import commands
from engines.cli import Cli
from engines.containerd import Containerd
from engines.site import documented

DOCKER = "/usr/bin/docker"


class Docker:
    """The daemon. Containers outlive it (live-restore)."""

    kind = "docker"
    variants = ["runc", "tare"]

    def __init__(self, site, name="docker", **settings):
        self.site = site
        self.work, self.run = site.directory(name), f"/run/{name}"
        self.roots = [f"{self.run}/exec/runtime-{variant}" for variant in self.variants]
        self.own_mounts = [f"{self.run}/exec/netns/default"]
        self.containerd = Containerd(site, name + "-containerd", network=name)
        self.env = dict(os.environ, DOCKER_HOST=f"unix://{self.run}/sock", DOCKER_CONFIG=str(self.work / "client"))
        config = self.work / "daemon.json"
        config.write_text(json.dumps({
            "data-root": str(self.work / "root"), "exec-root": f"{self.run}/exec", "pidfile": f"{self.run}/pid",
            "hosts": [f"unix://{self.run}/sock"], "containerd": self.containerd.socket, "live-restore": True,
            "deprecated-key-path": str(self.work / "key.json"), "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}},
            **json.loads(documented("docker.md", site.runtimes["tare"])), **settings}))
        self.network = name
        self.daemon = commands.Daemon([*site.network(self.network), "dockerd", "--config-file", config], self.work / "log",
                                      self._answers, self.env)

    def _answers(self):
        return commands.call([DOCKER, "version"], env=self.env).status == 0

    def start(self, networks=("bridge", "host")):
        """Start both daemons and load the image; the first containers make what stays, each with one of the networks."""
        self.containerd.daemon.start()
        self.daemon.start()
        self.cli("runc").call("load", "-i", self.site.archive).ok()
        for variant, network in zip(self.variants, networks):
            self.cli(variant).run(network=network, args=["true"]).ok()
        return self

    def cli(self, variant):
        return Cli(self.kind, variant, [*self.site.network(self.network), DOCKER], ["--runtime", variant], ("-f", "-v"),
                   self.env)

    def pids(self):
        return [self.daemon.process.pid, *self.containerd.pids()]

    def stop(self):
        self.daemon.stop()
        self.containerd.stop()
        subprocess.run([*self.site.network(self.network), "ip", "link", "del", "docker0"], check=False)
        subprocess.run(["umount", *self.own_mounts], stderr=subprocess.DEVNULL, check=False)
