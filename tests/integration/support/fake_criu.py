#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A CRIU for tests: speaks `criu swrk FD` by a script, and writes down what it was asked.

Installed as `criu` in a directory of PATH, beside script.json:

    {"version": [4, 1, 1], "steps": [{"notify": "pre-dump"}, {"log": "text"}, {"succeed": {}}]}

Requests go to requests.json, one a line, as {"1": [value], "2": {...}}: fields by number, messages decoded where rpc.proto
has messages. What it is itself (cgroups, mounts, fds) goes to self.json.
"""

import array
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Fields of criu_req and criu_opts that are messages.
MESSAGES = {(): {2, 5}, (2,): {11, 23, 25, 27, 39}}
DUMP, RESTORE, PRE_DUMP, NOTIFY, FEATURE_CHECK, VERSION = 1, 2, 4, 6, 9, 10


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(int(value))


def text(field, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(field << 3 | 2) + varint(len(value)) + value


def take(data, at):
    shift = value = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def decode(data, path=()):
    found, at = {}, 0
    while at < len(data):
        tag, at = take(data, at)
        field = tag >> 3
        if tag & 7 == 0:
            value, at = take(data, at)
            value = value - (1 << 64) if value >> 63 else value
        else:
            size, at = take(data, at)
            value = data[at:at + size]
            at += size
            value = decode(value, (*path, field)) if field in MESSAGES.get(path, ()) else value.decode()
        found.setdefault(str(field), []).append(value)
    return found


def write_down(name, document):
    with open(HERE / name, "a") as file:
        file.write(json.dumps(document) + "\n")


class Criu:
    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)
        self.script = json.loads((HERE / "script.json").read_text())
        self.init = 0

    def receive(self):
        data = self.socket.recv(1 << 20)
        if not data:
            write_down("requests.json", {"end": True})
            sys.exit(1)
        request = decode(data)
        write_down("requests.json", request)
        return request

    def answer(self, kind, body=b"", success=True, fd=None):
        message = number(1, kind) + number(2, success) + body
        ancillary = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.socket.sendmsg([message], ancillary)

    def make_init(self):
        """The "restored" process: in the cgroups that we are in, and not ours to wait for."""
        self.init = os.fork()
        if self.init == 0:
            self.socket.close()
            os.setsid()
            signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
            print("restored", flush=True)
            while True:
                time.sleep(60)

    def notify(self, script, pid=None, fd=None):
        body = text(1, script) + (number(2, pid) if pid else b"")
        self.answer(NOTIFY, text(5, body), fd=fd)
        reply = self.receive()
        assert reply == {"1": [NOTIFY], "3": [1]}, reply

    def step(self, step, kind, options):
        work = f"/proc/self/fd/{options.get('17', options['1'])[0]}"
        if "notify" in step:
            if step["notify"] == "setup-namespaces":
                self.make_init()
            pid = self.init if step["notify"] in ("setup-namespaces", "post-restore") else None
            fd = None
            if step["notify"] == "orphan-pts-master" and not step.get("without"):
                fd = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
            self.notify(step["notify"], pid, fd)
        elif "log" in step:
            with open(f"{work}/{options['10'][0]}", "a") as log:
                log.write(step["log"].replace("PID", str(options.get("2", [0])[0])) + "\n")
        elif "fail" in step:
            if self.init:
                os.kill(self.init, signal.SIGKILL)
            body = b"".join([number(7, step["fail"]["errno"]) if "errno" in step["fail"] else b"",
                             text(9, step["fail"]["message"]) if "message" in step["fail"] else b""])
            self.answer(kind, body, success=False)
            sys.exit(1)
        elif "succeed" in step:
            if kind == DUMP and "3" not in options:
                os.kill(options["2"][0], signal.SIGKILL)
            if kind == RESTORE and not self.init:
                self.make_init()
            self.answer(kind, text(4, number(1, self.init)) if kind == RESTORE else b"")
        elif "bytes" in step:
            self.socket.send(bytes(step["bytes"]))
        elif "sleep" in step:
            write_down("sleeping.json", {})
            time.sleep(step["sleep"])
        elif "wait" in step:
            write_down("waiting.json", {})
            self.receive()
        else:
            sys.exit(1)

    def serve(self):
        while True:
            request = self.receive()
            kind = request["1"][0]
            if kind == VERSION:
                major, minor, sublevel = self.script.get("version", [4, 1, 1])
                self.answer(kind, text(10, number(1, major) + number(2, minor) + number(4, sublevel)))
            elif kind == FEATURE_CHECK:
                self.answer(kind, text(8, number(1, self.script.get("mem_track", True))))
            else:
                break
        options = request["2"][0]
        write_down("self.json", {"cgroup": Path("/proc/self/cgroup").read_text(), "fds": {
            fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")
        }, "mounts": Path("/proc/self/mountinfo").read_text(), "argv": sys.argv[1:]})
        for step in self.script["steps"]:
            self.step(step, kind, options)
        self.socket.close()


if __name__ == "__main__":
    Criu(int(sys.argv[2])).serve()
