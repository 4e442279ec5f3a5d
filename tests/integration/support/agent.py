# SPDX-License-Identifier: GPL-2.0-or-later
"""
A seccomp agent: takes listeners on a socket, as an engine's would, and answers what the kernel asks on them.

    with Agent(tmp / "agent") as agent:
        agent.answer = lambda call: Answer(error=-errno.EPERM)     # call.nr, call.pid, call.args
        ...
        agent.states     # the container process states that came, one a connection
"""

import array
import errno
import fcntl
import json
import os
import select
import socket
import struct
import threading
from dataclasses import dataclass

NOTIFY_RECEIVE, NOTIFY_SEND = 0xC0502100, 0xC0182101
CONTINUE = 1


@dataclass
class Call:
    """One call that waits for an answer."""

    id: int
    pid: int
    nr: int
    args: tuple


@dataclass
class Answer:
    value: int = 0
    error: int = 0  # negative
    flags: int = 0


GO_ON = Answer(flags=CONTINUE)


def received_fds(ancillary):
    """The fds that came with a message."""
    fds = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
    return fds


class Agent:
    """Serves until it is closed; each connection brings one listener."""

    def __init__(self, path, accept=True):
        self.path = str(path)
        self.states, self.calls, self.fds_per_message = [], [], []
        self.answer = lambda call: GO_ON
        self.listeners = []
        self.failure = None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.path)
        self.socket.listen(8 if accept else 0)
        self._stop, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve) if accept else None

    def __enter__(self):
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *exception):
        self.close()
        if self.failure and not exception[0]:
            raise self.failure

    def close(self):
        """The agent's death: nobody answers any more."""
        if self._wake is None:
            return
        os.write(self._wake, b"x")
        if self._thread:
            self._thread.join()
        for fd in [*self.listeners, self._stop, self._wake]:
            os.close(fd)
        self.listeners, self._wake = [], None
        self.socket.close()
        os.unlink(self.path)

    def _serve(self):
        try:
            while True:
                ready, _, _ = select.select([self._stop, self.socket, *self.listeners], [], [])
                if self._stop in ready:
                    return
                if self.socket in ready:
                    self._take_listener()
                for fd in self.listeners[:]:
                    if fd in ready:
                        self._answer_one(fd)
        except Exception as failure:  # it is raised again where the test can see it
            self.failure = failure

    def _take_listener(self):
        connection, _ = self.socket.accept()
        with connection:
            text, fds = b"", array.array("i")
            while True:
                data, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(16))
                got = received_fds(ancillary)
                fds += got
                self.fds_per_message.append(len(got))
                if not data:
                    break
                text += data
        self.listeners += fds
        self.states.append(json.loads(text))

    def _answer_one(self, fd):
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, NOTIFY_RECEIVE, request)
        except OSError as error:
            # The caller was killed meanwhile, or nobody uses the filter any more.
            if error.errno != errno.ENOENT:
                raise
            self.listeners.remove(fd)
            os.close(fd)
            return
        id, pid, _, nr, _, _, *args = struct.unpack("=QIIiIQ6Q", request)
        call = Call(id, pid, nr, tuple(args))
        self.calls.append(call)
        answer = self.answer(call)
        try:
            fcntl.ioctl(fd, NOTIFY_SEND, struct.pack("=QqiI", id, answer.value, answer.error, answer.flags))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
