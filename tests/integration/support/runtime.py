# SPDX-License-Identifier: GPL-2.0-or-later
"""
The runtime under test, as commands that return what happened.

TARE_OCI names the binary; runc works too where the behaviours agree, which shows that a test is right. Every command
gets its own --root and a JSON log, so that a test can ask for the message and not only for the status.
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from support.time_limit import scaled

REPO = Path(__file__).resolve().parents[3]
TIMEOUT_S = 60
# Global options for every command, e.g. to run the suite with another cgroup manager.
GLOBALS = os.environ.get("TARE_GLOBALS", "").split()
# The tests run under tests/old-kernel.c, and this is the kernel that it makes of ours; "": it is ours.
OLD_KERNEL = os.environ.get("TARE_OLD_KERNEL", "")


def binary():
    """The runtime to test: TARE_OCI, or what `make` built."""
    return os.environ.get("TARE_OCI") or str(REPO / "build/tare-oci")


def flavour():
    """"tare", "runc" or "crun": for the few tests that must know."""
    name = Path(binary()).name
    return "tare" if name.startswith("tare") else name


def sanitized():
    """Is it a sanitizer build? It is dynamic, larger, and makes system calls of its own."""
    return os.environ.get("TARE_SANITIZED") == "1"


@dataclass
class Result:
    """One command's end. `log` has the records of its JSON log, `out` and `err` are text."""

    args: list
    status: int
    out: str
    err: str
    log: list = field(default_factory=list)

    def messages(self, level):
        return [r.get("msg", "") for r in self.log if r.get("level") == level]

    @property
    def error(self):
        """The last error in the log, which is what engines show; "" if there is none."""
        found = self.messages("error")
        return found[-1] if found else ""

    @property
    def warnings(self):
        return self.messages("warning")

    def ok(self):
        """Assert success. Returns itself."""
        assert self.status == 0, f"{self.describe()} should have succeeded"
        return self

    def fails(self, *texts, status=1):
        """Assert that the command failed with this status and that its error has each of the texts. Returns itself."""
        assert self.status == status, f"{self.describe()} should have failed with {status}"
        for text in texts:
            assert text in self.error, f"{self.describe()}: the error lacks {text!r}"
        assert self.error, f"{self.describe()}: failed without an error in the log"
        return self

    def describe(self):
        return (f"{' '.join(map(str, self.args))}: status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n"
                f"--- log\n" + "\n".join(map(json.dumps, self.log)) + "\n---")


def wait_until(condition, what, timeout=30.0):
    """Poll until condition() is true; returns its value, fails the test with `what` after the timeout."""
    end = time.monotonic() + scaled(timeout)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {scaled(timeout):.0f} s in vain: {what}"
        time.sleep(0.005)


class Container:
    """A container that was created. Its output goes to a file, because it outlives the command that made it."""

    def __init__(self, runtime, id, bundle, result, out, err):
        self.runtime, self.id, self.bundle, self.result = runtime, id, bundle, result
        self.out_path, self.err_path = out, err

    def start(self, **kw):
        return self.runtime.start(self.id, **kw)

    def kill(self, *args):
        return self.runtime.kill(self.id, *args)

    def delete(self, *args):
        return self.runtime.delete(self.id, *args)

    def exec(self, *words, **kw):
        """`exec` of these words in the foreground; options=[...] stand before the id."""
        return self.runtime.exec(self.id, *words, **kw)

    def state(self):
        return self.runtime.state(self.id)

    @property
    def status(self):
        return self.state()["status"]

    @property
    def pid(self):
        return self.state()["pid"]

    @property
    def out(self):
        return self.out_path.read_text()

    @property
    def err(self):
        return self.err_path.read_text()

    def wait(self, status="stopped"):
        """Wait until the container has this status."""
        wait_until(lambda: self.status == status, f"container {self.id} to be {status}")
        return self

    def wait_out(self, text):
        """Wait until the container has printed this text."""
        wait_until(lambda: text in self.out, f"container {self.id} to print {text!r}; it printed {self.out!r}")
        return self


def run_command(command, log, stdin=None, out=None, err=None, env=None, cwd=None, pass_fds=(), timeout=TIMEOUT_S, before=None):
    """
    Run one command, whose JSON log is the file `log`, to its end. `out` and `err` are open files for what must outlive it;
    `before` runs in the child.
    """
    command = list(map(str, command))
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE if isinstance(stdin, str) else stdin or subprocess.DEVNULL,
        stdout=out or subprocess.PIPE, stderr=err or subprocess.PIPE, env=env, cwd=cwd, pass_fds=pass_fds,
        text=True, errors="replace", preexec_fn=before)
    try:
        stdout, stderr = process.communicate(stdin if isinstance(stdin, str) else None, timeout=scaled(timeout))
    except subprocess.TimeoutExpired:
        # Not communicate(): a container that inherited the pipes would keep us waiting for ever.
        process.send_signal(signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        raise AssertionError(f"{' '.join(command)} did not end in {scaled(timeout):.0f} s") from None
    records = read_log(log)
    return Result(command, process.returncode, stdout or "", stderr or "", records)


class Runtime:
    """
    The commands of the runtime, with a --root of their own below `work`.

    run() and create() write the bundle's config.json first. When one of them fails, they assert that it left nothing in
    the root filesystem and no state; everything else is found by the fixture that compares the host.
    """

    def __init__(self, work):
        self.work = work
        self.root = work / "root"
        self.path = binary()
        self.under = []  # a program, with its arguments, to run every command under
        self.containers = []
        self._count = 0

    def fresh(self, stem):
        """A file name that nobody used yet."""
        self._count += 1
        return self.work / f"{stem}-{self._count}"

    def new_id(self):
        self._count += 1
        return f"{self.work.name}-{self._count}"

    def command(self, *args, globals=()):
        return [*self.under, self.path, "--root", str(self.root), *GLOBALS, *map(str, globals), *map(str, args)]

    def call(self, *args, globals=(), **kw):
        """Run one command to its end; what run_command() takes may follow."""
        log = self.fresh("log")
        return run_command(self.command(*args, globals=["--log", log, "--log-format", "json", *globals]), log, **kw)

    def run(self, bundle, *options, id=None, write=True, **kw):
        """`run` in the foreground. A failure of the runtime (not of the program) must leave the bundle as it was."""
        if write:
            bundle.write()
        before = bundle.listing()
        result = self.call("run", "--bundle", bundle.path, *options, id or self.new_id(), **kw)
        if result.error:
            self._same_bundle(bundle, before, result)
        return result

    def try_create(self, bundle, *options, id=None, command="create", write=True, **kw):
        """`create` (or `run --detach`) that may fail. Returns (Result, Container or None)."""
        id = id or self.new_id()
        if write:
            bundle.write()
        before = bundle.listing()
        out, err = self.fresh("out"), self.fresh("err")
        with open(out, "w") as out_file, open(err, "w") as err_file:
            result = self.call(*command.split(), "--bundle", bundle.path, *options, id, out=out_file, err=err_file, **kw)
        result.out, result.err = out.read_text(), err.read_text()
        if result.status != 0:
            self._same_bundle(bundle, before, result)
            return result, None
        container = Container(self, id, bundle, result, out, err)
        self.containers.append(container)
        return result, container

    def create(self, bundle, *options, **kw):
        """`create` that must succeed. The container is deleted by force when the test ends."""
        result, container = self.try_create(bundle, *options, **kw)
        result.ok()
        return container

    def run_detached(self, bundle, *options, **kw):
        """`run --detach` that must succeed."""
        return self.create(bundle, *options, command="run --detach", **kw)

    def start(self, id, **kw):
        return self.call("start", id, **kw)

    def exec(self, id, *args, options=(), **kw):
        """`exec` in the foreground; args are the program's words, options stand before the id."""
        return self.call("exec", *options, id, *args, **kw)

    def kill(self, id, *args, **kw):
        return self.call("kill", id, *args, **kw)

    def delete(self, *args, **kw):
        """`delete`; args are an id, perhaps with --force."""
        return self.call("delete", *args, **kw)

    def state(self, id):
        """The state document of a container that must be there."""
        return json.loads(self.call("state", id).ok().out)

    def list(self):
        """The documents of `list --format json`, by id. A --root that nobody made yet holds none."""
        if not self.root.exists():
            return {}
        return {c["id"]: c for c in json.loads(self.call("list", "--format", "json").ok().out) or []}

    def clean_up(self):
        """Delete what the test made, whatever state it is in."""
        for container in self.containers:
            self.call("delete", "--force", container.id)

    def _same_bundle(self, bundle, before, result):
        if flavour() != "tare":
            return  # the peers leave what they made in the rootfs
        after = bundle.listing()
        changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
        assert not changed, f"{result.describe()}\nthe failed command changed the root filesystem: {changed}"


def read_log(path):
    """The records of a JSON log. A line that is not JSON is a failure: engines lose the message then."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            raise AssertionError(f"not a JSON record in the log: {line!r}") from None
    return records
