# SPDX-License-Identifier: GPL-2.0-or-later
"""The container's terminal: where it comes from, who gets its master, and what it is inside."""

import json
import os
import re
import socket
import stat
import termios

import pytest

from support.bundle import HOLD, MOUNTS
from support.runtime import REPO, sanitized
from support.terminal import ConsoleSocket, OnTerminal, read_master, set_window, window

only_tare = pytest.mark.only("tare")


@pytest.fixture
def console(tare):
    with ConsoleSocket(tare.work / "console.sock") as sock:
        yield sock


def run_detached(tare, b, console, *options):
    """`run --detach` with the socket; returns (container, master's fd)."""
    c = tare.run_detached(b, "--console-socket", console.path, *options)
    master, _ = console.receive()
    return c, master


# ---- the socket -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["create", "run --detach"])
def test_P1_C15_the_master_comes_in_one_message_with_its_name(tare, terminal_bundle, console, command):
    c = tare.create(terminal_bundle("tty; " + HOLD), "--console-socket", console.path, command=command)
    master, name = console.receive()
    assert re.fullmatch(r"/dev/pts/\d+", name)
    assert os.fstat(master).st_rdev == os.makedev(5, 2)
    if command == "create":
        c.start().ok()
    assert read_master(master, "ready").splitlines()[0] == name


def test_P1_what_is_typed_arrives_and_what_is_said_comes_back(tare, terminal_bundle, console):
    c, master = run_detached(tare, terminal_bundle("read x; echo got-$x; exit 5"), console)
    os.write(master, b"word\n")
    assert "got-word\r\n" in read_master(master)
    c.wait("stopped")


def test_P1_the_callers_streams_are_not_the_containers(tare, terminal_bundle, console):
    c, master = run_detached(tare, terminal_bundle(), console)
    read_master(master, "ready")
    assert c.out == "" and c.err == ""


def test_Z14_a_socket_path_longer_than_sun_path(tare, terminal_bundle):
    deep = tare.work / ("d" * 120)
    deep.mkdir()
    with ConsoleSocket(deep / "s") as console:
        _, master = run_detached(tare, terminal_bundle(), console)
        read_master(master, "ready")


@only_tare
def test_Z14_a_datagram_socket_is_refused(tare, terminal_bundle):
    path = tare.work / "dgram"
    with ConsoleSocket(path, socket.SOCK_DGRAM):
        result, _ = tare.try_create(terminal_bundle(), "--console-socket", path, id="x")
    result.fails(f'create "x": connect to the console socket "{path}": ')
    assert result.log[-1]["hint"] == "it must be a unix socket of type SOCK_STREAM that somebody listens on"
    assert result.log[-1]["step"] == "connect-console-socket"


@only_tare
def test_Z14_a_plain_file_is_refused(tare, terminal_bundle):
    path = tare.work / "file"
    path.touch()
    result, _ = tare.try_create(terminal_bundle(), "--console-socket", path)
    result.fails(f'connect to the console socket "{path}": ')
    assert "SOCK_STREAM" in result.log[-1]["hint"]


@only_tare
def test_Z14_a_socket_that_nobody_listens_on(tare, terminal_bundle):
    path = tare.work / "gone"
    with ConsoleSocket(path):
        pass
    result, _ = tare.try_create(terminal_bundle(), "--console-socket", path)
    result.fails(f'connect to the console socket "{path}": ')
    assert result.log[-1]["hint"] == "nobody listens on it"


@only_tare
def test_Z14_a_socket_that_is_not_there(tare, terminal_bundle):
    result, _ = tare.try_create(terminal_bundle(), "--console-socket", "/nowhere/s")
    result.fails('connect to the console socket "/nowhere/s": not there (ENOENT)')


def test_Z14_a_listener_that_hangs_up_does_not_kill_us_silently(tare, terminal_bundle):
    """The socket accepts, and closes before the master is sent: an error or success, but no signal."""
    with ConsoleSocket(tare.work / "s") as console:
        console.socket.listen(0)
        pid = os.fork()
        if pid == 0:
            connection, _ = console.socket.accept()
            connection.close()
            os._exit(0)
        result, _ = tare.try_create(terminal_bundle(), "--console-socket", console.path)
        os.waitpid(pid, 0)
    assert result.status in (0, 1), result.describe()


# ---- illegal combinations -------------------------------------------------------------------------------------------


@only_tare
@pytest.mark.parametrize("command", ["create", "run --detach"])
def test_P1_a_terminal_needs_somebody_at_its_other_end(tare, terminal_bundle, command):
    result, _ = tare.try_create(terminal_bundle(), command=command)
    result.fails("the process wants a terminal, but nobody would have its other end")
    assert result.log[-1]["pointer"] == "/process/terminal"
    assert result.log[-1]["hint"] == "give --console-socket, or run in the foreground"


@only_tare
def test_P1_a_console_socket_without_a_terminal(tare, bundle, console):
    result, _ = tare.try_create(bundle(script=HOLD), "--console-socket", console.path)
    result.fails("a console socket was given, but the process has no terminal")


@only_tare
def test_P1_a_console_socket_in_the_foreground(tare, terminal_bundle, console):
    tare.run(terminal_bundle(), "--console-socket", console.path).fails(
        "a console socket is of no use to a run in the foreground: use --detach")


@only_tare
def test_P1_X8_a_terminal_needs_a_devpts(tare, bundle, console):
    b = bundle(script=HOLD)
    b.process["terminal"] = True
    result, _ = tare.try_create(b, "--console-socket", console.path)
    result.fails('open a terminal in the container\'s "/dev/pts": ')
    assert result.log[-1]["hint"] == "a process with a terminal needs a mount of type devpts on /dev/pts"
    assert result.log[-1]["step"] == "make-console" and result.log[-1]["pointer"] == "/process/terminal"


@only_tare
def test_X8_a_tmpfs_is_no_devpts(tare, terminal_bundle, console):
    b = terminal_bundle()
    b.config["mounts"][-1] = {"destination": "/dev/pts", "type": "tmpfs", "source": "tmpfs"}
    result, _ = tare.try_create(b, "--console-socket", console.path)
    result.fails('open a terminal in the container\'s "/dev/pts": ', "ENOTTY")


# ---- inside ---------------------------------------------------------------------------------------------------------


def inside(tare, b, console):
    _, master = run_detached(tare, b, console)
    return read_master(master).replace("\r\n", "\n")


def test_P1_all_standard_streams_are_the_slave(tare, terminal_bundle, console):
    text = inside(tare, terminal_bundle("for f in 0 1 2; do readlink /proc/self/fd/$f; done"), console)
    assert len(set(text.split())) == 1 and text.startswith("/dev/pts/")


def test_P1_Z14_it_is_the_controlling_terminal(tare, terminal_bundle, console):
    """Field 7 of stat is the controlling terminal's number, 5 and 6 are process group and session."""
    text = inside(tare, terminal_bundle("tr ')' '\\n' < /proc/1/stat | tail -1; echo x > /dev/tty; stat -c %t:%T $(tty)"),
                  console)
    fields, through_tty, device = text.splitlines()[:3]
    _, _, _, session, number = fields.split()[:5]
    major, minor = (int(n, 16) for n in device.split(":"))
    assert session == "1" and int(number) == major << 8 | minor & 0xff
    assert through_tty == "x"


def test_X19_keys_make_signals_for_the_container_only(tare, terminal_bundle, console):
    c, master = run_detached(tare, terminal_bundle("trap 'echo interrupted; exit 9' INT; " + HOLD), console)
    read_master(master, "ready")
    os.write(master, b"\x03")
    read_master(master, "interrupted")
    c.wait("stopped")


@pytest.mark.parametrize("size", [(33, 99), (1, 1), (65535, 65535)])
def test_P2_console_size(tare, terminal_bundle, console, size):
    b = terminal_bundle(consoleSize={"height": size[0], "width": size[1]})
    _, master = run_detached(tare, b, console)
    assert window(master) == size


@only_tare
@pytest.mark.parametrize("side", ["height", "width"])
def test_P2_a_size_that_no_terminal_can_have(tare, terminal_bundle, console, side):
    b = terminal_bundle(consoleSize={"height": 24, "width": 80} | {side: 65536})
    result, _ = tare.try_create(b, "--console-socket", console.path)
    result.fails(f'read "{side}": expected an integer from 0 to 65535, got 65536')
    assert result.log[-1]["pointer"] == f"/process/consoleSize/{side}"


def test_P2_no_console_size_is_none(tare, terminal_bundle, console):
    _, master = run_detached(tare, terminal_bundle(), console)
    assert window(master) == (0, 0)


def test_P2_console_size_without_a_terminal_is_ignored(tare, bundle):
    b = bundle(args=["echo", "fine"])
    b.process["consoleSize"] = {"height": 3, "width": 4}
    assert tare.run(b).ok().out == "fine\n"


def test_P2_a_later_size_reaches_the_container(tare, terminal_bundle, console):
    script = "trap 'stty size; exit 0' WINCH; " + HOLD
    _, master = run_detached(tare, terminal_bundle(script), console)
    read_master(master, "ready")
    set_window(master, 12, 34)
    assert "12 34" in read_master(master)


def test_L14_dev_console_is_the_terminal(tare, terminal_bundle, console):
    text = inside(tare, terminal_bundle("echo through > /dev/console; stat -c %t:%T $(tty); stat -c %t:%T /dev/console; "
                                        "grep ' /dev/console ' /proc/self/mountinfo"), console)
    through, slave, dev_console, mount = text.splitlines()
    assert through == "through" and slave == dev_console
    assert " - devpts " in mount


def test_L14_no_dev_console_without_a_terminal(tare, bundle):
    b = bundle(script="ls /dev/console || true; grep -c /dev/console /proc/self/mountinfo || true")
    b.config["mounts"] += MOUNTS[1:3]
    assert tare.run(b).ok().out.split()[-1] == "0"


@only_tare
@pytest.mark.parametrize("what", ["link", "directory"])
def test_X8_something_else_at_dev_console_is_not_followed(tare, bundle, console, what):
    b = bundle(script=HOLD)
    (b.rootfs / "dev/pts").mkdir()
    b.config["mounts"].append(MOUNTS[2])
    b.process["terminal"] = True
    target = tare.work / "victim"
    target.write_text("host")
    if what == "link":
        (b.rootfs / "dev/console").symlink_to(target)
    else:
        (b.rootfs / "dev/console").mkdir()
    result, _ = tare.try_create(b, "--console-socket", console.path)
    word = "symbolic link" if what == "link" else "directory"
    result.fails(f'mount the terminal on "/dev/console": it is a {word} in the rootfs')
    assert target.read_text() == "host"


def test_X8_a_device_node_at_dev_console_is_covered_not_opened(tare, bundle, console):
    b = bundle(script="tty; stat -c %t:%T /dev/console; stat -c %t:%T $(tty)")
    (b.rootfs / "dev/pts").mkdir()
    os.mknod(b.rootfs / "dev/console", stat.S_IFCHR | 0o600, os.makedev(4, 63))
    b.config["mounts"].append(MOUNTS[2])
    b.process["terminal"] = True
    _, covered, slave = inside(tare, b, console).split()
    assert covered == slave


@only_tare
def test_X8_a_link_at_the_multiplexer_is_not_followed(tare, terminal_bundle, console):
    """A mount on the multiplexer in the devpts itself: what is reached through it is not ours."""
    b = terminal_bundle()
    b.mount("/dev/pts/ptmx", "bind", "/dev/null", ["bind"])
    result, _ = tare.try_create(b, "--console-socket", console.path)
    result.fails('open a terminal in the container\'s "/dev/pts": ')


def test_P1_the_slave_belongs_to_the_user(tare, terminal_bundle, console):
    b = terminal_bundle("stat -c %u:%g:%a $(tty)", user={"uid": 1000, "gid": 1000})
    assert inside(tare, b, console).strip() == "1000:5:620"


def test_P1_with_a_user_namespace(tare, terminal_bundle, console):
    b = terminal_bundle("stat -c %u $(tty); echo y > /dev/console; echo z > /dev/tty")
    b.user_namespace()
    b.config["mounts"][2]["options"] = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    assert inside(tare, b, console).split() == ["0", "y", "z"]


def test_X3_Z14_no_master_is_left_in_the_container(tare, terminal_bundle, console):
    text = inside(tare, terminal_bundle("ls -l /proc/1/fd; ls /dev/pts"), console)
    assert re.findall(r" (\d+) -> (\S+)", text) == [(fd, "/dev/pts/0") for fd in "012"]
    assert text.split()[-2:] == ["0", "ptmx"], "and one pty is there, no more"


def test_P1_ptmx_works_inside(tare, terminal_bundle, console):
    b = terminal_bundle("exec 3<>/dev/ptmx; ls /dev/pts | tr '\\n' ' '")
    assert inside(tare, b, console).split() == ["0", "1", "ptmx"]


def test_P1_newlines_of_a_socket_console_are_the_callers_business(tare, terminal_bundle, console):
    """conmon and containerd set their own modes; the pty comes as the kernel makes it."""
    _, master = run_detached(tare, terminal_bundle(), console)
    assert termios.tcgetattr(master)[1] & termios.ONLCR


def test_P1_delete_leaves_the_master_at_its_end(tare, terminal_bundle, console):
    c, master = run_detached(tare, terminal_bundle(), console)
    read_master(master, "ready")
    c.delete("--force").ok()
    read_master(master)


def test_P1_a_failed_create_leaves_dev_console_as_it_was(tare, bundle, console):
    """The node is made in the rootfs itself here, and must go again."""
    b = bundle(args=["/bin/nothing"])
    (b.rootfs / "dev/pts").mkdir()
    b.config["mounts"].append(MOUNTS[2])
    b.process["terminal"] = True
    result, _ = tare.try_create(b, "--console-socket", console.path)
    result.fails('"/bin/nothing"')
    assert not (b.rootfs / "dev/console").exists()


# ---- in the foreground ----------------------------------------------------------------------------------------------


def test_P1_X8_foreground_has_dev_console_and_a_terminal(tare, terminal_bundle):
    b = terminal_bundle("tty; echo z > /dev/console")
    b.write()
    with OnTerminal(tare.command("run", "--bundle", b.path, tare.new_id())) as shell:
        assert shell.wait() == 0
        assert re.search(r"/dev/pts/\d+\r\nz\r\n", shell.text)


# ---- each call of the console's steps fails once ----------------------------------------------------------------------


FAULTS = os.environ.get("TARE_OCI_FAULTS") or str(REPO / "build-faults/tare-oci")
needs_faults = pytest.mark.skipif(not os.path.exists(FAULTS) or sanitized(), reason="no build with the fault table")


def run_with_fault(tare, b, kind, fault, *options):
    """`run` in the foreground, or with options; the step of this kind fails with EIO in the named call."""
    b.write()
    tare.path = FAULTS
    detached = ["--detach"] if options else []
    plan = json.loads(tare.call("explain", "--bundle", b.path, "--format", "json", *detached, *options).ok().out)
    (index,) = [s["index"] for s in plan["steps"] if s["kind"] == kind]
    env = dict(os.environ, TARE_FAULT=f"{index}:5{fault}")
    if options:
        return tare.try_create(b, *options, command="run --detach", env=env)[0]
    return tare.run(b, env=env)


@only_tare
@needs_faults
@pytest.mark.parametrize("fault, text", [
    (":openat2:0", 'open a terminal in the container\'s "/dev/pts"'),
    (":openat2:1", 'open a terminal in the container\'s "/dev/pts"'),
    (":ioctl:0", 'open a terminal in the container\'s "/dev/pts"'),
    (":ioctl:1", 'open a terminal in the container\'s "/dev/pts"'),
    (":openat2:2", 'open the container\'s "/dev"'),
    (":open_tree:0", "clone the mount of the terminal"),
    (":move_mount:0", 'mount the terminal on "/dev/console"'),
    (":sendmsg:0", "send the terminal to the runtime"),
    (":ioctl:2", "make the terminal the controlling one"),
])
def test_Y16_P1_a_console_that_fails_half_way_leaves_nothing(tare, terminal_bundle, fault, text):
    result = run_with_fault(tare, terminal_bundle(), "make-console", fault)
    result.fails(f"{text}: ", "EIO")
    assert result.log[-1]["step"] == "make-console"


@only_tare
@needs_faults
@pytest.mark.parametrize("fault, text", [
    (":recvmsg:0", "receive the container's terminal"),
    (":ioctl:0", "prepare the container's terminal"),
])
def test_Y16_P1_a_console_that_does_not_arrive_leaves_nothing(tare, terminal_bundle, fault, text):
    result = run_with_fault(tare, terminal_bundle(), "receive-console", fault)
    result.fails(f"{text}: ", "EIO")
    assert result.log[-1]["step"] == "receive-console"


@only_tare
@needs_faults
@pytest.mark.parametrize("kind, fault, text", [
    ("connect-console-socket", ":connect:0", "connect to the console socket"),
    ("make-console", ":sendmsg:0", "send the terminal to the console socket"),
])
def test_Y16_Z14_a_console_socket_that_fails_leaves_nothing(tare, terminal_bundle, console, kind, fault, text):
    result = run_with_fault(tare, terminal_bundle(), kind, fault, "--console-socket", console.path)
    result.fails(text, "EIO")
    assert result.log[-1]["step"] == kind
