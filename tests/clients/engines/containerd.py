# SPDX-License-Identifier: GPL-2.0-or-later
"""containerd with its own directories, and ctr, its command line, with one runtime."""

from engines import commands, image
from engines.site import documented
from support.runtime import wait_until

CONFIG = """\
version = 2
root = "{work}/root"
state = "{run}/state"
oom_score = 0
[grpc]
address = "{run}/sock"
[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
sandbox_image = "{image}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{work}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{runc}"
"""


class Containerd:
    """The daemon. `name` tells one from another: its directories are called so, and its network unless told otherwise."""

    kind = "ctr"
    variants = ["runc", "tare"]
    roots = ["/run/containerd/runc"]

    def __init__(self, site, name="containerd", network=None):
        self.site = site
        self.work, self.run = site.directory(name), f"/run/{name}"
        self.socket, self.own_mounts = f"{self.run}/sock", []
        config = self.work / "config.toml"
        config.write_text(CONFIG.format(work=self.work, run=self.run, image=image.NAME, runc=site.runtimes["runc"])
                          + documented("containerd.md", site.runtimes["tare"]))
        self.daemon = commands.Daemon([*site.network(network or name), "containerd", "-c", config], self.work / "log", self._answers)

    def _answers(self):
        return commands.call(["ctr", "-a", self.socket, "version"]).status == 0

    def start(self):
        """Start it and load the image; the first container makes what stays, as directories of the state."""
        self.daemon.start()
        for namespace in ("default", "k8s.io"):
            commands.call(["ctr", "-a", self.socket, "-n", namespace, "images", "import", self.site.archive]).ok()
        for variant in self.variants:
            self.warm_up(self.cli(variant))
        return self

    def warm_up(self, ctr):
        ctr.run(args=["/bin/true"]).ok()

    def pids(self):
        """The daemon's process, which a test may change by a restart."""
        return [self.daemon.process.pid]

    def cli(self, variant):
        return Ctr(self, variant)

    def stop(self):
        self.daemon.stop()


class Ctr:
    """ctr with one runtime. A container and its task have the same id."""

    kind = "ctr"

    def __init__(self, containerd, variant):
        self.containerd, self.runtime = containerd, variant
        self.binary = containerd.site.runtimes[variant]
        self._count, self._ids = 0, []

    def command(self, *args):
        return [*self.containerd.site.network("containerd"), "ctr", "-a", self.containerd.socket, *args]

    def call(self, *args, **kw):
        return commands.call(self.command(*args), **kw)

    def words(self, options, args, script, image_name=image.NAME):
        """An id of its own and the arguments of `run` for it."""
        if script is not None:
            args = ["/bin/sh", "-c", script]
        self._count += 1
        id = f"ctr{self._count}"
        self._ids.append(id)
        return id, ["run", "--runc-binary", self.binary, *options, image_name, id, *args]

    def run(self, *options, args=(), script=None, **kw):
        """Run in the foreground, removed at the end."""
        _, words = self.words(["--rm", *options], args, script)
        return self.call(*words, **kw)

    def run_on_terminal(self, *options, args=(), script=None):
        _, words = self.words(["--rm", "-t", *options], args, script)
        return commands.on_terminal(self.command(*words))

    def start(self, *options, args=(), script=None):
        """Run in the background. Returns the task."""
        id, words = self.words(["-d", "--null-io", *options], args, script)
        self.call(*words).ok()
        return Task(self, id)

    def clean_up(self):
        for id in self._ids:
            self.call("task", "rm", "-f", id)
            self.call("container", "rm", id)
        self._ids.clear()


class Task:
    """A container that ctr started."""

    def __init__(self, ctr, id):
        self.ctr, self.id, self._execs = ctr, id, 0

    def call(self, verb, *options, **kw):
        """`ctr task VERB OPTIONS ID`."""
        return self.ctr.call("task", verb, *options, self.id, **kw)

    def exec(self, *args, options=(), **kw):
        self._execs += 1
        return self.ctr.call("task", "exec", "--exec-id", f"e{self._execs}", *options, self.id, *args, **kw)

    def _row(self):
        for line in self.ctr.call("task", "ls").ok().out.splitlines()[1:]:
            id, pid, status = line.split()
            if id == self.id:
                return int(pid), status
        return 0, "GONE"

    @property
    def pid(self):
        return self._row()[0]

    @property
    def status(self):
        return self._row()[1]

    def wait_status(self, status):
        wait_until(lambda: self.status == status, f"task {self.id} to be {status}, it is {self.status}", timeout=20)
        return self
