# SPDX-License-Identifier: GPL-2.0-or-later
"""
checkpoint and restore with the real CRIU, which must know the kernel that it is on: Debian 13's with Debian 13's kernel.

    tests/vm/vm-run -r trixie -- tests/vm/subreaper pytest tests/vm/test_checkpoint.py

What tare says to CRIU, and what it makes of its answers, is shown without one by tests/integration/test_checkpoint.py.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support import cgroup, mountinfo
from support.bundle import MOUNTS
from support.runtime import Container, wait_until
from support.terminal import ConsoleSocket, read_master


def criu_works():
    """Why not; "" if it does."""
    if not shutil.which("criu"):
        return "criu is not installed"
    done = subprocess.run(["criu", "check"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "criu check fails on this kernel"


WHY_NOT = criu_works()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

COUNTER = "i=0; echo ready; while :; do i=$((i+1)); echo $i; echo $i > /tmp/count; sleep 0.05; done"
LIMIT_S = 300


@pytest.fixture(autouse=True)
def image(tmp):
    return tmp / "image"


@pytest.fixture
def time_limit():
    """Under emulation a checkpoint takes seconds; the default of the other tests is too short."""
    from support.time_limit import time_limit as limited_to
    with limited_to(LIMIT_S):
        yield


def counting(bundle, base="minimal", script=COUNTER):
    b = bundle(base, script=script)
    b.config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"})
    return b


def checkpoint(tare, c, image, *options):
    return tare.call("checkpoint", "--image-path", image, *options, c.id, timeout=120)


def try_restore(tare, c, image, *options, id=None, b=None):
    """Standard streams are the first container's files."""
    id = id or c.id
    with open(c.out_path, "a") as out, open(c.err_path, "a") as err:
        return tare.call("restore", "--detach", "--bundle", (b or c.bundle).path, "--image-path", image, *options, id,
                         out=out, err=err, timeout=120)


def restore(tare, c, image, *options, id=None):
    result = try_restore(tare, c, image, *options, id=id).ok()
    again = Container(tare, id or c.id, c.bundle, result, c.out_path, c.err_path)
    tare.containers.append(again)
    return again


def is_gone(tare, id):
    return id not in tare.list() and not cgroup.of(id)


def numbers(text):
    """What the counter printed; it may not have missed or repeated one."""
    found = [int(word) for word in text.split() if word.isdigit()]
    assert found == list(range(1, len(found) + 1)), text
    return found


def mounts_of(pid):
    """Where and how things are mounted, however often and in whatever order."""
    return sorted((m.target, m.fstype, tuple(sorted(m.flags))) for m in mountinfo.parse(Path(f"/proc/{pid}/mountinfo").read_text()))


# ---- it goes on -----------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_C17_C18_a_counter_keeps_its_count(tare, bundle, image):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    checkpoint(tare, c, image).ok()
    assert is_gone(tare, c.id), "as with runc, the container is deleted"
    tare.call("state", c.id).fails("does not exist")
    before = numbers(c.out)[-1]
    again = restore(tare, c, image)
    assert again.status == "running"
    wait_until(lambda: numbers(again.out)[-1] > before + 3, "the counter to go on")


def test_C17_leave_running_leaves_it_running(tare, bundle, image):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    checkpoint(tare, c, image, "--leave-running").ok()
    assert c.status == "running"
    before = numbers(c.out)[-1]
    wait_until(lambda: numbers(c.out)[-1] > before + 3, "the counter to go on")


def test_C17_a_paused_container_can_be_checkpointed(tare, bundle, image):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    tare.call("pause", c.id).ok()
    checkpoint(tare, c, image).ok()
    assert is_gone(tare, c.id)
    again = restore(tare, c, image)
    before = numbers(again.out)[-1]
    wait_until(lambda: numbers(again.out)[-1] > before + 3, "the counter to go on")


def test_C17_C18_pre_dump_and_parent(tare, bundle, image, tmp):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    first = checkpoint(tare, c, tmp / "pre", "--pre-dump")
    if "can't track" in first.error:
        pytest.skip("this machine can't track changes of memory")
    first.ok()
    assert c.status == "running" and not (tmp / "pre/descriptors.json").exists()
    checkpoint(tare, c, image, "--parent-path", "../pre", "--work-path", tmp / "work").ok()
    assert (tmp / "work/dump.log").exists() and not (image / "dump.log").exists()
    assert (image / "parent").resolve() == tmp / "pre"
    before = numbers(c.out)[-1]
    again = restore(tare, c, image)
    wait_until(lambda: numbers(again.out)[-1] > before + 3, "the counter to go on")


def test_C18_twice_from_one_image_and_under_another_id(tare, bundle, image):
    b = counting(bundle)
    b.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 77}}
    c = tare.run_detached(b).wait_out("5\n")
    checkpoint(tare, c, image).ok()
    size = c.out_path.stat().st_size
    for id in (c.id + "-b", c.id + "-c"):
        # CRIU insists on the file as it was.
        os.truncate(c.out_path, size)
        again = restore(tare, c, image, id=id)
        cgroup = Path(f"/proc/{again.pid}/cgroup").read_text()
        assert cgroup.strip().endswith("/" + id), "it is in the cgroup of its own id"
        directory = cgroup.of(id)[0]
        assert (directory / "memory.max").read_text() == f"{64 << 20}\n"
        assert (directory / "pids.max").read_text() == "77\n"
        before = numbers(again.out)[-1]
        wait_until(lambda: numbers(again.out)[-1] > before + 3, "the counter to go on")
        again.delete("--force").ok()
        assert is_gone(tare, id) and is_gone(tare, c.id)


def test_C18_in_the_foreground_with_its_status(tare, bundle, image):
    c = tare.run_detached(counting(bundle, script="trap 'exit 7' TERM; " + COUNTER)).wait_out("5\n")
    checkpoint(tare, c, image).ok()
    before = numbers(c.out)[-1]
    with open(c.out_path, "a") as out, open(c.err_path, "a") as err:
        process = subprocess.Popen(tare.command("restore", "--bundle", c.bundle.path, "--image-path", image, "fg"),
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    # Not just in the record: before they are let go, a signal breaks the restore off.
    wait_until(lambda: numbers(c.out)[-1] > before, "the counter to go on", timeout=120)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 7
    assert is_gone(tare, "fg")


# ---- what is in it --------------------------------------------------------------------------------------------------


def test_C17_C18_everything_an_engine_asks_for(tare, bundle, image, tmp):
    """Mounts, tmpfs contents, volumes, masks, limits, filter, capabilities, pids, hooks, pid file, exec afterwards."""
    b = counting(bundle, "docker")
    (b.path / "data/file").write_text("on the host")
    hook = tmp / "hook"
    hook.write_text(f"#!/bin/sh\n(echo $1; cat; echo) >> {tmp}/hooks\n")
    hook.chmod(0o755)
    kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    c = tare.run_detached(b).wait_out("5\n")
    c.exec("sh", "-c", "echo deep > /dev/shm/kept; echo out > /data/written").ok()
    inside = c.exec("ps", "-o", "pid").ok().out.split()[1]
    mounts, status = mounts_of(c.pid), Path(f"/proc/{c.pid}/status").read_text()
    checkpoint(tare, c, image).ok()

    b.config["hooks"] = {kind: [{"path": str(hook), "args": ["hook", kind]}] for kind in kinds}
    b.write()
    again = restore(tare, c, image, "--pid-file", tmp / "pid")
    assert (tmp / "pid").read_text() == str(again.pid)
    assert mounts_of(again.pid) == mounts
    assert again.exec("cat", "/dev/shm/kept", "/data/file", "/data/written").ok().out == "deep\non the hostout\n"
    assert inside == "1" and again.exec("ps", "-o", "pid").ok().out.split()[1] == "1"
    after = Path(f"/proc/{again.pid}/status").read_text()
    for name in ("Seccomp", "CapEff", "CapBnd", "NoNewPrivs", "Uid"):
        assert re.search(rf"^{name}:.*", after, re.M).group() == re.search(rf"^{name}:.*", status, re.M).group()
    assert again.exec("cat", "/proc/kcore").ok().out == "", "masked by /dev/null"
    assert again.exec("hostname").ok().out == "docker-like\n"
    assert (cgroup.of(c)[0] / "memory.max").read_text() == f"{256 << 20}\n"

    told = (tmp / "hooks").read_text().splitlines()
    states = [json.loads(line) for line in told[1::2]]
    assert told[0::2] == ["prestart", "createRuntime", "poststart"], "those inside have done their work in the image"
    assert [s["pid"] for s in states] == [again.pid] * 3 and [s["status"] for s in states] == ["creating"] * 2 + ["running"]
    again.delete("--force").ok()
    assert (tmp / "hooks").read_text().splitlines()[6] == "poststop"


def test_Z17_exec_after_a_restore_has_the_containers_clocks(tare, bundle, image):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    checkpoint(tare, c, image).ok()
    again = restore(tare, c, image)
    time_ns = os.readlink(f"/proc/{again.pid}/ns/time")
    assert time_ns != os.readlink("/proc/self/ns/time"), "CRIU keeps the clocks by a time namespace"
    assert again.exec("readlink", "/proc/self/ns/time").ok().out.strip() == time_ns


def test_C17_C18_standard_streams_that_are_pipes(tare, bundle, image, tmp):
    """A pipe of the first run becomes the pipe of the second: what an engine reads goes on."""
    b = counting(bundle)
    b.write()

    def start(*words):
        read, write = os.pipe()
        process = subprocess.Popen(tare.command(*words, "pipes"), stdin=subprocess.DEVNULL, stdout=write, stderr=write)
        os.close(write)
        assert process.wait(120) == 0
        return os.fdopen(read)
    with start("run", "--detach", "--bundle", b.path) as first:
        assert [first.readline() for _ in range(4)] == ["ready\n", "1\n", "2\n", "3\n"]
        tare.call("checkpoint", "--image-path", image, "pipes", timeout=120).ok()
        rest = first.read().split()
    names = json.loads((image / "descriptors.json").read_text())
    assert re.fullmatch(r"pipe:\[\d+\]", names[1]) and names[1] == names[2]
    try:
        with start("restore", "--detach", "--bundle", b.path, "--image-path", image) as second:
            last = int(rest[-1])
            assert [int(second.readline()) for _ in range(3)] == [last + 1, last + 2, last + 3]
            # And once more: what it has now was written down.
            tare.call("checkpoint", "--image-path", tmp / "image2", "pipes", timeout=120).ok()
            rest = second.read().split()
        with start("restore", "--detach", "--bundle", b.path, "--image-path", tmp / "image2") as third:
            assert int(third.readline()) == int(rest[-1]) + 1
    finally:
        tare.call("delete", "--force", "pipes")


def test_C15_C17_C18_a_terminal_comes_back_on_the_console_socket(tare, terminal_bundle, image):
    b = terminal_bundle("echo ready; while read x; do echo got-$x; done")
    with ConsoleSocket(tare.work / "first.sock") as console:
        c = tare.run_detached(b, "--console-socket", console.path)
        master, _ = console.receive()
        read_master(master, "ready")
        checkpoint(tare, c, image).ok()
    with ConsoleSocket(tare.work / "second.sock") as console:
        restore(tare, c, image, "--console-socket", console.path)
        master, name = console.receive()
        assert re.fullmatch(r"/dev/pts/\d+", name)
        os.write(master, b"word\n")
        read_master(master, "got-word")


SERVER = """
nc -l -p 5555 -e /bin/cat & sleep 0.5
(echo one; while :; do sleep 0.1; [ -e /tmp/more ] && { echo two; break; }; done; sleep 300) | nc 127.0.0.1 5555 &
wait
"""


def connected(bundle):
    b = counting(bundle, script=SERVER)
    b.linux["namespaces"].append({"type": "network"})
    return b


def test_C17_C18_a_connection_inside_with_tcp_established(tare, bundle, image):
    c = tare.run_detached(connected(bundle)).wait_out("one")
    failed = checkpoint(tare, c, image).fails("criu", "Connected TCP socket", "fd ", "socket:[")
    assert "--tcp-established" in failed.log[-1]["hint"] and f"{image}/dump.log" in failed.log[-1]["hint"]
    assert c.status == "running", "a dump that failed leaves it as it was"
    checkpoint(tare, c, image, "--tcp-established").ok()
    again = restore(tare, c, image, "--tcp-established")
    again.exec("touch", "/tmp/more").ok()
    again.wait_out("two")


def add_program(b, path):
    """A program of the guest's with its libraries."""
    for file in [path, *re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", path], capture_output=True, text=True).stdout)]:
        target = b.path / "rootfs" / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(file), target)


def test_C17_C18_file_locks(tare, bundle, image):
    b = counting(bundle, script="exec 9>/tmp/lock; /opt/flock 9 && echo ready; while :; do sleep 0.05; done")
    shutil.copy(shutil.which("flock"), "/opt/flock")
    add_program(b, "/opt/flock")
    os.unlink("/opt/flock")
    c = tare.run_detached(b).wait_out("ready")
    failed = checkpoint(tare, c, image).fails("criu", "lock")
    assert "--file-locks" in failed.log[-1]["hint"]
    assert c.status == "running"
    checkpoint(tare, c, image, "--file-locks").ok()
    again = restore(tare, c, image, "--file-locks")
    assert again.exec("sh", "-c", "exec 8>/tmp/lock; /opt/flock -n 8 && echo free || echo held").out == "held\n"


def test_C17_an_external_unix_socket_is_named(tare, bundle, image):
    left, right = socket.socketpair()
    with left, right:
        # The runtime hands on what it gets as fd 3; the test runner itself may have another file there.
        kept = os.dup(3) if os.path.exists("/proc/self/fd/3") else None
        os.dup2(right.fileno(), 3)
        try:
            c = tare.run_detached(counting(bundle), "--preserve-fds", "1", pass_fds=(3,)).wait_out("5\n")
        finally:
            os.close(3)
            if kept is not None:
                os.dup2(kept, 3)
                os.close(kept)
        failed = checkpoint(tare, c, image).fails("criu", "unix", "External socket is used")
        assert "--ext-unix-sk" in failed.log[-1]["hint"]
        assert c.status == "running"


def test_C17_C18_a_network_namespace_from_outside(tare, bundle, image, helper):
    b = counting(bundle)
    b.linux["namespaces"].append({"type": "network", "path": helper("network")})
    c = tare.run_detached(b).wait_out("5\n")
    outside = os.stat(b.linux["namespaces"][-1]["path"]).st_ino
    checkpoint(tare, c, image).ok()
    again = restore(tare, c, image)
    assert os.stat(f"/proc/{again.pid}/ns/net").st_ino == outside


def id_maps(pid):
    return [Path(f"/proc/{pid}/{kind}_map").read_text().split() for kind in ("uid", "gid")]


def test_C17_C18_a_user_namespace(tare, bundle, image):
    """CRIU brings it back with the rights of the container's root: what that may not open is named, with what to do."""
    b = counting(bundle)
    b.user_namespace()
    c = tare.run_detached(b).wait_out("5\n")
    maps, status = id_maps(c.pid), Path(f"/proc/{c.pid}/status").read_text()
    for path in (c.out_path, c.err_path):
        path.chmod(0o666)  # standard streams that the container's root may open, too
    checkpoint(tare, c, image).ok()
    assert is_gone(tare, c.id)
    before = numbers(c.out)[-1]
    refused = try_restore(tare, c, image).fails("criu", ".img: Permission denied")
    assert "chmod o+x" in refused.log[-1]["hint"] and is_gone(tare, c.id)

    os.truncate(c.err_path, 0)  # what the refused one wrote there: CRIU insists on the file as it was
    image.chmod(0o711)
    again = restore(tare, c, image)
    wait_until(lambda: numbers(again.out)[-1] > before + 3, "the counter to go on")
    assert id_maps(again.pid) == maps and maps[0] != Path("/proc/self/uid_map").read_text().split()
    after = Path(f"/proc/{again.pid}/status").read_text()
    for name in ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs"):
        assert re.search(rf"^{name}:.*", after, re.M).group() == re.search(rf"^{name}:.*", status, re.M).group()
    assert again.exec("sh", "-c", "id -u; touch /tmp/mine && stat -c %u /tmp/mine").ok().out == "0\n0\n"


# ---- it fails -------------------------------------------------------------------------------------------------------


def test_C18_what_is_no_image(tare, bundle, image, tmp):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    try_restore(tare, c, tmp / "nowhere", id="x").fails("open the image directory", "nowhere")
    (tmp / "empty").mkdir()
    try_restore(tare, c, tmp / "empty", id="x").fails("holds no image of a container")
    (tmp / "broken").mkdir()
    (tmp / "broken/descriptors.json").write_text('["", "", ""]')
    failed = try_restore(tare, c, tmp / "broken", id="x").fails("criu")
    assert "restore.log" in failed.log[-1]["hint"] and failed.log[-1]["step"] == "restore-namespaces"
    assert is_gone(tare, "x")


def test_C18_an_id_that_is_in_use(tare, bundle, image):
    c = tare.run_detached(counting(bundle)).wait_out("5\n")
    checkpoint(tare, c, image, "--leave-running").ok()
    try_restore(tare, c, image).fails("container with given ID already exists")
    assert c.status == "running"


def test_C18_a_restore_that_fails_in_a_hook_leaves_nothing(tare, bundle, image, tmp):
    b = counting(bundle)
    c = tare.run_detached(b).wait_out("5\n")
    checkpoint(tare, c, image).ok()
    b.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo no; exit 3"]}]}
    b.write()
    failed = try_restore(tare, c, image, "--pid-file", tmp / "pid").fails("createRuntime hook", "exit status 3", "no")
    assert failed.log[-1]["step"] == "run-hook"
    assert is_gone(tare, c.id) and not (tmp / "pid").exists()


@pytest.fixture
def hanging(tare, bundle, image, tmp):
    """A container, and the process of its restore, which hangs in a hook."""
    b = counting(bundle)
    c = tare.run_detached(b).wait_out("5\n")
    checkpoint(tare, c, image).ok()
    b.config["hooks"] = {"prestart": [{"path": "/bin/sh", "args": ["sh", "-c", f"touch {tmp}/here; exec sleep 100"]}]}
    b.write()
    with open(c.out_path, "a") as out, open(c.err_path, "a") as err:
        process = subprocess.Popen(tare.command("restore", "--detach", "--bundle", b.path, "--image-path", image, c.id),
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    wait_until((tmp / "here").exists, "the hook", timeout=120)
    return c, process


def test_C18_a_restore_that_is_broken_off_leaves_nothing(tare, hanging):
    c, process = hanging
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1
    assert is_gone(tare, c.id)


def test_C18_a_killed_restore_is_swept(tare, hanging):
    c, process = hanging
    process.kill()
    process.wait()
    tare.delete("--force", c.id).ok()
    wait_until(lambda: is_gone(tare, c.id), "the rest to go")


# ---- beside runc ----------------------------------------------------------------------------------------------------


def by_pipes(command):
    """Run it with pipes for streams; returns (status, what came until it ended, the reader)."""
    read, write = os.pipe()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=write, stderr=write)
    os.close(write)
    status = process.wait(120)
    fcntl.fcntl(read, fcntl.F_SETFL, os.O_NONBLOCK)
    return status, read


@pytest.mark.only("tare")
@pytest.mark.skipif(not shutil.which("runc"), reason="runc is not installed")
def test_C17_C18_the_same_steps_as_with_runc(tare, bundle, tmp):
    """runc's own scenario: checkpoint, nothing is left, restore, running; and the same words for what can't be."""
    def scenario(command, image):
        b = counting(bundle)
        b.config["mounts"] += MOUNTS[1:4]
        b.linux["namespaces"].append({"type": "network"})
        b.write()
        fds, said = [], []

        def step(*words):
            status, read = by_pipes([*command, *words])
            fds.append(read)
            said.append(status)
            return status
        try:
            step("run", "-d", "--bundle", str(b.path), "peer")
            step("checkpoint", "--image-path", str(image), "peer")
            step("state", "peer")
            step("restore", "-d", "--bundle", str(b.path), "--image-path", str(image), "peer")
            step("state", "peer")
            step("delete", "--force", "peer")
        finally:
            subprocess.run([*command, "delete", "--force", "peer"], capture_output=True)
            for fd in fds:
                os.close(fd)
        return said
    mine = scenario([tare.path, "--root", str(tare.root)], tmp / "mine")
    options = mountinfo.at(Path("/proc/self/mountinfo").read_text(), "/sys/fs/cgroup").sb
    theirs = scenario(["runc", "--root", str(tmp / "runc")], tmp / "theirs")
    # CRIU, as runc runs it, has taken these away from the host (struct criu_setup says how).
    subprocess.run(["mount", "-o", "remount," + ",".join(options), "/sys/fs/cgroup"], check=True)
    shutil.rmtree(tmp / "runc", ignore_errors=True)
    assert mine == [0, 0, 1, 0, 0, 0]
    if theirs != mine:
        pytest.skip(f"runc itself does {theirs} here")
