# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that return what happened, and daemons that are held by their process."""

import subprocess
from dataclasses import dataclass

from support.runtime import wait_until
from support.terminal import OnTerminal

TIMEOUT_S = 60
STOP_S = 20


@dataclass
class Outcome:
    """One command's end; `out` and `err` are text."""

    args: list
    status: int
    out: str
    err: str

    def ok(self):
        """Assert success. Returns itself."""
        assert self.status == 0, f"{self.describe()} should have succeeded"
        return self

    def ends(self, status, *texts):
        """Assert the exit status, and that stderr has each of the texts. Returns itself."""
        assert self.status == status, f"{self.describe()} should have ended with {status}"
        for text in texts:
            assert text in self.err, f"{self.describe()}: stderr lacks {text!r}"
        return self

    @property
    def line(self):
        """What it printed, without the last newline."""
        return self.out.rstrip("\n")

    @property
    def last(self):
        """The last line that it printed."""
        return self.line.rsplit("\n", 1)[-1]

    def describe(self):
        return (f"{' '.join(map(str, self.args))}: status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n"
                f"---")


def call(args, env=None, stdin=None, timeout=TIMEOUT_S):
    """Run a command to its end. `stdin` is text; None is /dev/null."""
    given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run([str(a) for a in args], env=env, capture_output=True, text=True, errors="replace",
                          timeout=timeout, check=False, **given)
    return Outcome(args, done.returncode, done.stdout, done.stderr)


def on_terminal(args, env=None, rows=24, columns=80):
    """Run a command on a pty of its own (a context manager)."""
    return OnTerminal(args, rows, columns, env)


class Daemon:
    """A program that stays: started, waited for until it answers, and ended by its pid."""

    def __init__(self, args, log, answers, env=None):
        self.args, self.log, self.answers, self.env = [str(a) for a in args], log, answers, env
        self.process = None

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.args, env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        wait_until(self.is_up, f"{self.args} to answer; its log is {self.log}", timeout=40)
        return self

    def is_up(self):
        assert self.process.poll() is None, f"{self.args} ended:\n{self.log.read_text()[-2000:]}"
        return self.answers()

    def stop(self):
        """End it as an init would: SIGTERM, and SIGKILL for one that stays."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self):
        """End it without a warning, as a crash would."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        return self.start()
