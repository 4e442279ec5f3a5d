# SPDX-License-Identifier: GPL-2.0-or-later
"""
Terminals for tests: a program on a pty of its own, as a shell would start it, and the socket that a console is sent to.
"""

import array
import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import termios
import time

from support.runtime import wait_until
from support.time_limit import scaled


def window(fd):
    """(rows, columns)"""
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2]


def set_window(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def line_mode(fd):
    """Is the terminal as a shell leaves it: lines, echo, newline translation?"""
    _, oflag, _, lflag, *_ = termios.tcgetattr(fd)
    return bool(lflag & termios.ICANON and lflag & termios.ECHO and oflag & termios.ONLCR)


class OnTerminal:
    """A command whose standard streams are a pty and whose controlling terminal it is. Use it as a context manager."""

    def __init__(self, command, rows=24, columns=80, env=None):
        self.status, self._seen = None, b""
        self.master, slave = pty.openpty()
        set_window(slave, rows, columns)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in range(3):
                    os.dup2(slave, fd)
                os.closerange(3, 256)
                os.execvpe(str(command[0]), [str(c) for c in command], env or os.environ)
            finally:
                os._exit(127)
        # Held open, so that the terminal's settings can be read when the command has ended.
        self.slave = slave

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)

    def _read(self, timeout):
        ready, _, _ = select.select([self.master], [], [], timeout)
        if ready:
            self._seen += os.read(self.master, 65536)
        return bool(ready)

    @property
    def text(self):
        """All that it has printed so far."""
        while self._read(0):
            pass
        return self._seen.decode(errors="replace")

    def wait_text(self, text):
        wait_until(lambda: text in self.text, f"{text!r} on the terminal; there was {self._seen!r}")
        return self

    def type(self, text):
        os.write(self.master, text.encode())
        return self

    def signal(self, number):
        os.kill(self.pid, number)
        return self

    def wait(self, timeout=20):
        """Its exit status, negative for a signal."""
        end = time.monotonic() + scaled(timeout)
        while self.status is None:
            self._read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, f"it did not end; the terminal shows {self._seen!r}"
        return self.status

    def stopped(self):
        """Wait until it is stopped as by a shell's job control."""
        def state():
            return re.search(r"^State:\s+(\w)", open(f"/proc/{self.pid}/status").read(), re.M).group(1)
        wait_until(lambda: state() == "T", "the command to stop itself")
        return self


class ConsoleSocket:
    """A listening socket for --console-socket. receive() gives the master's fd and the message's text."""

    def __init__(self, path, kind=socket.SOCK_STREAM):
        self.path, self.fds = path, []
        self.socket = socket.socket(socket.AF_UNIX, kind)
        here = os.getcwd()
        os.chdir(path.parent)  # a path may be longer than sun_path
        try:
            self.socket.bind(path.name)
        finally:
            os.chdir(here)
        if kind == socket.SOCK_STREAM:
            self.socket.listen(1)
            self.socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        for fd in self.fds:
            os.close(fd)

    def receive(self):
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(20)
            fds = array.array("i")
            text, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(fds.itemsize * 4))
            for level, kind, data in ancillary:
                assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
                fds.frombytes(data)
            self.fds += fds
            # One message, and then the end: nobody in the container keeps the connection.
            assert connection.recv(1) == b""
            (master,) = fds
            return master, text.decode()


def read_master(fd, until=None, timeout=10.0):
    """What comes out of a master: up to the text `until`, or to the end of all who have the slave."""
    seen, end = b"", time.monotonic() + scaled(timeout)
    while until is None or until not in seen.decode(errors="replace"):
        ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
        assert ready, f"waited in vain for {until!r}; there was {seen!r}"
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    return seen.decode(errors="replace")
