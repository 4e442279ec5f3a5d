# SPDX-License-Identifier: GPL-2.0-or-later
"""
podman and docker by their common command line, so that one test is a case for both.

    r = engine.run(script="echo hi")            in the foreground, removed at its end
    c = engine.start("--memory", "64m")         in the background; held by its name
    c.exec("id", "-u").ok().line

What a test started is removed by force at its end.
"""

import json
import subprocess

from engines import commands, image
from support.runtime import wait_until

# A shell that stays, without a child that would outlive a signal for long.
HOLD = "while :; do sleep 0.05; done"


class Container:
    """One container by its name."""

    def __init__(self, engine, name):
        self.engine, self.name = engine, name

    def call(self, verb, *options, **kw):
        """`ENGINE VERB OPTIONS NAME`."""
        return self.engine.call(verb, *options, self.name, **kw)

    def exec(self, *args, options=(), **kw):
        return self.engine.call("exec", *options, self.name, *args, **kw)

    def inspect(self, *path):
        """A member of the inspection: inspect("State", "Pid")."""
        value = json.loads(self.call("inspect").ok().out)[0]
        for key in path:
            value = value[key]
        return value

    @property
    def pid(self):
        """Its first process, as the host sees it."""
        pid = self.inspect("State", "Pid")
        assert pid > 0, f"{self.name} has no process"
        return pid

    @property
    def state(self):
        return self.inspect("State", "Status")

    def logs(self):
        done = self.call("logs").ok()
        return done.out + done.err

    def wait_logs(self, text):
        wait_until(lambda: text in self.logs(), f"{text!r} in the logs of {self.name}", timeout=20)
        return self

    def wait(self):
        """Wait until it has ended. Returns its exit status."""
        return int(self.call("wait").ok().line)


class Cli:
    """
    An engine with one runtime. `kind` is podman or docker; `prefix` the start of every command line; `run_options` what
    `run` and `create` need to choose the runtime; `forced` the options that let `rm` remove a running container at once.
    """

    def __init__(self, kind, runtime, prefix, run_options=(), forced=("-f",), env=None):
        self.kind, self.runtime, self.prefix, self.env = kind, runtime, prefix, env
        self.run_options, self.forced = run_options, forced
        self._count, self._kept, self._last = 0, [], []

    def command(self, *args):
        return [*self.prefix, *args]

    def call(self, *args, **kw):
        return commands.call(self.command(*args), env=self.env, **kw)

    def _arguments(self, verb, options, args, script):
        if script is not None:
            args = ["/bin/sh", "-c", script]
        self._count += 1
        name = f"{self.kind}{self._count}"
        return name, [verb, *self.run_options, "--name", name, *options, image.NAME, *args]

    def at_end(self, *args):
        """A command for the end of the test, when the containers are gone; the last one first. It may fail."""
        self._last.append(args)

    def run(self, *options, args=(), script=None, network="none", **kw):
        """Run a container in the foreground; it is removed when it ends. Without a network unless told otherwise."""
        name, words = self._arguments("run", ["--rm", "--network", network, *options], args, script)
        try:
            return self.call(*words, **kw)
        except subprocess.TimeoutExpired:
            self._kept.append(name)
            raise

    def run_on_terminal(self, *options, args=(), script=None, rows=24, columns=80):
        """The same on a terminal (a context manager)."""
        name, words = self._arguments("run", ["--rm", "-it", "--network", "none", *options], args, script)
        self._kept.append(name)
        return commands.on_terminal(self.command(*words), self.env, rows, columns)

    def make(self, verb, *options, args=(), script=None, network="none"):
        """Create or run -d a container. Returns it."""
        name, words = self._arguments(verb, ["--network", network, *options], args, script)
        self._kept.append(name)
        self.call(*words).ok()
        return Container(self, name)

    def start(self, *options, script=HOLD, **kw):
        """Run a container in the background. Returns it."""
        return self.make("run", "-d", *options, script=None if kw.get("args") else script, **kw)

    def create(self, *options, script=HOLD, **kw):
        return self.make("create", *options, script=None if kw.get("args") else script, **kw)

    def ended(self, *options, **kw):
        """A container that has run and ended, and is kept."""
        container = self.start(*options, **kw)
        container.wait()
        return container

    def clean_up(self):
        if self._kept:
            self.call("rm", *self.forced, *self._kept)
        for args in reversed(self._last):
            self.call(*args)
        self._kept.clear()
        self._last.clear()
