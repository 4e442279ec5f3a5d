# SPDX-License-Identifier: GPL-2.0-or-later
"""`run` in the foreground: exit statuses, signals, our own terminal, slow readers, orphans."""

import os
import re
import shutil
import signal
import stat
import subprocess
import termios
import time

import pytest

from support import host
from support.bundle import HOLD
from support.runtime import wait_until
from support.terminal import OnTerminal, line_mode, set_window

only_tare = pytest.mark.only("tare")


@pytest.fixture
def on_terminal(tare):
    """Start `run` on a terminal of its own, as a shell would."""
    started = []

    def start(b, *options, globals=(), **kw):
        b.write()
        shell = OnTerminal(tare.command("run", "--bundle", b.path, *options, tare.new_id(), globals=globals), **kw)
        started.append(shell)
        return shell

    yield start
    for shell in started:
        shell.__exit__()


class Piped:
    """`run` with pipes, left alone while a test does something to it."""

    def __init__(self, tare, b, *options, id=None, stdin=subprocess.DEVNULL):
        b.write()
        self.id = id or tare.new_id()
        self.process = subprocess.Popen(tare.command("run", "--bundle", b.path, *options, self.id), stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_line(self, text):
        for line in self.process.stdout:
            if text in line:
                return self
        raise AssertionError(f"no {text!r}: {self.process.stderr.read()}")

    def end(self, timeout=20):
        """(status, rest of stdout, stderr)"""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err


# ---- exit statuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 3, 125, 126, 127, 128, 255])
def test_C14_the_programs_status_is_ours(tare, bundle, status):
    result = tare.run(bundle(script=f"exit {status}"))
    assert result.status == status and result.log == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, 34])
def test_C14_a_signal_is_128_and_its_number(tare, bundle, number):
    """Of the first process itself; without a pid namespace it can be killed by itself."""
    b = bundle(script=f"kill -{int(number)} $$; sleep 5")
    b.without_namespace("pid")
    assert tare.run(b).status == 128 + number


def test_C14_the_runtimes_own_failure_is_1(tare, bundle):
    tare.run(bundle(args=["/bin/nothing"])).fails("no such file or directory")


def test_C14_nothing_is_left_afterwards(tare, bundle):
    tare.run(bundle(args=["/bin/true"])).ok()
    assert not tare.root.exists() or list(tare.root.iterdir()) == []


def test_C14_keep_leaves_a_stopped_container(tare, bundle):
    id = tare.new_id()
    tare.run(bundle(script="exit 4"), "--keep", id=id)
    assert tare.state(id)["status"] == "stopped"
    tare.delete(id).ok()


def test_C14_detach_returns_while_it_runs(tare, bundle):
    c = tare.run_detached(bundle(script=HOLD)).wait_out("ready")
    assert c.status == "running"


def test_C16_stdio_is_inherited(tare, bundle):
    result = tare.run(bundle(script="cat; echo err >&2"), stdin="in\n")
    assert (result.out, result.err) == ("in\n", "err\n")


# ---- signals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
                                    signal.SIGUSR2, signal.SIGALRM, signal.SIGCONT, 35, 64])
def test_Q17_C14_signals_are_forwarded(tare, bundle, number):
    run = Piped(tare, bundle(script=f"trap 'exit 42' {int(number)}; {HOLD}")).wait_line("ready")
    run.process.send_signal(number)
    assert run.end()[0] == 42


@only_tare
@pytest.mark.parametrize("number", [signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGWINCH])
def test_Q17_C14_signals_about_ourselves_are_not(tare, bundle, number):
    # Without children, whose end would be a SIGCHLD of its own.
    script = f"trap 'exit 9' {int(number)}; trap 'exit 42' TERM; echo ready; while :; do :; done"
    run = Piped(tare, bundle(script=script)).wait_line("ready")
    run.process.send_signal(number)
    time.sleep(0.2)
    run.process.send_signal(signal.SIGTERM)
    assert run.end()[0] == 42


@only_tare
def test_C14_a_signal_before_the_program_runs_reaches_it(tare, bundle):
    b = bundle(script="sleep 60").without_namespace("pid")
    mark = tare.work / "in-hook"
    b.hook("createRuntime", "/bin/sh", ["sh", "-c", f"touch {mark}; sleep 0.3"], ["PATH=/bin:/usr/bin"])
    run = Piped(tare, b)
    wait_until(mark.exists, "the hook to run")
    run.process.send_signal(signal.SIGUSR1)
    assert run.end()[0] == 128 + signal.SIGUSR1


@only_tare
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer", "poststart"])
def test_H5_a_hook_that_hangs_does_not_hold_us_for_ever(tare, bundle, kind):
    """The signals are kept for the container, but there is none yet: so they end the start, which is undone."""
    b = bundle(script=HOLD)
    mine = f"sleep 1000; : {tare.work}"  # the same test may run beside this one, in another build
    b.hook(kind, "/bin/sh", ["sh", "-c", mine], ["PATH=/bin:/usr/bin"])
    poststop = tare.work / "poststop"
    b.hook("poststop", "/bin/sh", ["sh", "-c", f"sleep 0.1; touch {poststop}"], ["PATH=/bin:/usr/bin"])
    run = Piped(tare, b)
    wait_until(lambda: mine in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout,
               "the hook to run")
    run.process.send_signal(signal.SIGTERM)
    status, _, err = run.end()
    assert status == 1 and "SIGTERM" in err and f'run "{run.id}": ' in err
    assert poststop.exists(), "what ended the hook does not end those that clean up"


@only_tare
@pytest.mark.parametrize("command", ["run", "create"])
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer", "poststart"])
def test_Q16_hooks_and_program_start_with_no_signal_blocked(tare, bundle, kind, command):
    """Waiting for a hook blocks signals in who waits; nothing that is executed may inherit that."""
    show = "grep -E 'Sig(Blk|Ign)' /proc/self/status"
    b = bundle(script=show)
    out = tare.work / "hook"
    b.mount(str(tare.work), "bind", tare.work, ["rbind"])
    b.hook(kind, "/bin/sh", ["sh", "-c", f"{show} > {out}"], ["PATH=/bin:/usr/bin"])
    if command == "run":
        inside = tare.run(b).ok().out
    else:
        c = tare.create(b)
        c.start().ok()
        inside = c.wait("stopped").out
    for text in (inside, out.read_text()):
        assert re.search(r"SigBlk:\s+0+$", text, re.M), text


def test_C14_killing_the_container_ends_run(tare, bundle):
    run = Piped(tare, bundle(script=HOLD)).wait_line("ready")
    tare.kill(run.id, "KILL").ok()
    assert run.end()[0] == 128 + signal.SIGKILL


# ---- subreaper ------------------------------------------------------------------------------------------------------


def test_Q17_C13_orphans_without_a_pid_namespace_are_reaped(tare, bundle):
    """The container's orphans become children of `run`, which must not leave them as zombies."""
    b = bundle(script="(setsid sleep 0.2 &); echo ready; sleep 2").without_namespace("pid")
    run = Piped(tare, b).wait_line("ready")

    def children():
        pids = open(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read().split()
        return [found[0] for found in map(host.stat_of, pids) if found]

    wait_until(lambda: len(children()) == 2, "the orphan to come to run")
    wait_until(lambda: len(children()) == 1, "the orphan to be reaped")
    assert "Z" not in children()
    run.process.send_signal(signal.SIGTERM)
    run.end()


@only_tare
def test_C13_no_subreaper_leaves_orphans_to_others(tare, bundle):
    b = bundle(script="(setsid sleep 1 &); sleep 0.1; echo ready; sleep 3").without_namespace("pid")
    run = Piped(tare, b, "-no-subreaper").wait_line("ready")
    pids = open(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read().split()
    assert len(pids) == 1, "only init itself"
    run.process.send_signal(signal.SIGTERM)
    run.end()


# ---- our terminal ---------------------------------------------------------------------------------------------------


def test_P1_the_terminal_is_relayed_both_ways(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("read x; echo got-$x; exit 6"))
    shell.type("word\r").wait_text("got-word\r\n")
    assert shell.wait() == 6


def test_P1_ours_is_raw_meanwhile_and_sane_after(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("echo ready; read x"))
    assert line_mode(shell.slave)
    shell.wait_text("ready")
    _, oflag, _, lflag, *_ = termios.tcgetattr(shell.slave)
    assert not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
    assert oflag & termios.OPOST, "newlines are translated on the outside, once"
    shell.type("\r")
    assert shell.wait() == 0
    assert line_mode(shell.slave)


@pytest.mark.parametrize("script", ["exit 1", "kill -KILL $$", "/nothing"])
def test_Q17_P1_the_terminal_is_sane_after_every_end(on_terminal, terminal_bundle, script):
    shell = on_terminal(terminal_bundle(f"echo ready; {script}"))
    shell.wait()
    assert line_mode(shell.slave)


def test_P1_the_terminal_is_sane_after_a_failed_start(on_terminal, terminal_bundle):
    b = terminal_bundle()
    b.process["args"] = ["/bin/nothing"]
    shell = on_terminal(b)
    assert shell.wait() == 1
    assert line_mode(shell.slave) and "no such file or directory" in shell.text


def test_P1_newlines_are_translated_once(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("echo a; echo b"))
    shell.wait()
    assert "a\r\nb\r\n" in shell.text and "\r\r" not in shell.text


def test_P1_the_containers_pty_leaves_newlines_alone(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("stty -a"))
    shell.wait()
    assert "-onlcr" in shell.text


def test_P2_the_size_is_ours(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("stty size", consoleSize={"height": 1, "width": 2}), rows=43, columns=132)
    shell.wait()
    assert "43 132" in shell.text


def test_P2_a_new_size_is_passed_on(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("trap 'stty size; exit 0' WINCH; " + HOLD)).wait_text("ready")
    set_window(shell.master, 11, 22)
    assert shell.wait() == 0
    assert "11 22" in shell.text


def test_X19_interrupt_key_goes_to_the_container(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("trap 'echo caught; exit 8' INT; " + HOLD)).wait_text("ready")
    shell.type("\x03").wait_text("caught")
    assert shell.wait() == 8


@only_tare
def test_P1_stop_gives_the_terminal_back_and_continue_takes_it(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("echo ready; read x; echo got-$x")).wait_text("ready")
    assert not line_mode(shell.slave)
    shell.signal(signal.SIGTSTP).stopped()
    assert line_mode(shell.slave)
    shell.signal(signal.SIGCONT)
    wait_until(lambda: not line_mode(shell.slave), "the terminal to be raw again")
    shell.type("on\r").wait_text("got-on")
    assert shell.wait() == 0


@only_tare
@pytest.mark.no_sanitizer("it has its own handler for the signal")
def test_Q17_P1_a_crash_of_ours_restores_the_terminal(tare, on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("echo ready; sleep 60")).wait_text("ready")
    assert not line_mode(shell.slave)
    shell.signal(signal.SIGSEGV)
    assert shell.wait() == -signal.SIGSEGV
    assert line_mode(shell.slave)
    (id,) = [p.name for p in tare.root.iterdir()]
    tare.delete("--force", id).ok()


@only_tare
def test_P1_in_the_background_the_terminal_is_left_alone(tare, terminal_bundle):
    b = terminal_bundle("echo ready; sleep 0.5")
    b.write()
    command = " ".join(map(str, tare.command("run", "--bundle", b.path, tare.new_id())))
    # An interactive shell's `&`: another process group, the terminal stays with the shell's.
    with OnTerminal(["/bin/sh", "-c", f"set -m; {command} & wait"]) as shell:
        shell.wait_text("ready")
        assert line_mode(shell.slave)
        assert shell.wait() == 0


def test_P1_much_output_arrives_whole(on_terminal, terminal_bundle):
    shell = on_terminal(terminal_bundle("seq 1 20000; echo the-end"))
    assert shell.wait() == 0
    lines = shell.text.split("\r\n")
    assert lines[:20000] == [str(n) for n in range(1, 20001)] and "the-end" in lines


# ---- no terminal, but our streams are one ---------------------------------------------------------------------------


PUSH = r"""
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
int main(void)
{
	int push = ioctl(0, TIOCSTI, "x") ? errno : 0;
	int take = ioctl(0, TIOCSCTTY, 0) ? errno : 0;
	printf("push %d take %d tty %d\n", push, take, fopen("/dev/tty", "r") ? 0 : errno);
	return 0;
}
"""


@pytest.fixture
def push(tare):
    """A static program that tries to push a key into its standard input's terminal, and to get that for itself."""
    source, program = tare.work / "push.c", tare.work / "push"
    source.write_text(PUSH)
    subprocess.run(["cc", "-static", "-o", program, source], check=True)
    return program


def test_X19_a_container_on_our_terminal_cannot_type_into_it(on_terminal, bundle, push):
    """Its streams are our terminal, as of any program; but it is in another session, so the terminal is not its own."""
    b = bundle(args=["/bin/push"])
    shutil.copy(push, b.rootfs / "bin/push")
    os.mknod(b.rootfs / "dev/tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
    shell = on_terminal(b)
    assert shell.wait() == 0
    # EPERM or, where the kernel has no TIOCSTI any more, EIO; ENXIO: no controlling terminal
    assert re.search(r"push (1|5) take 1 tty 6\r\n", shell.text), shell.text


# ---- a terminal, but our streams are none -----------------------------------------------------------------------------


@only_tare
def test_P1_with_pipes_output_is_plain(tare, terminal_bundle):
    result = tare.run(terminal_bundle("echo a; echo b"))
    assert (result.status, result.out) == (0, "a\nb\n")


@only_tare
@pytest.mark.parametrize("text", ["", "line\n", "no newline"])
def test_P1_the_end_of_input_is_passed_on(tare, terminal_bundle, text):
    result = tare.run(terminal_bundle("stty -echo; cat | tr a-z A-Z; echo end"), stdin=text)
    assert result.status == 0 and result.out.replace("line", "LINE").replace("no newline", "").endswith("end\n")


@only_tare
def test_P1_input_from_a_file_is_typed(tare, terminal_bundle):
    result = tare.run(terminal_bundle("stty -echo; read a; read b; echo $b-$a"), stdin="one\ntwo\n")
    assert result.out.endswith("two-one\n")


@only_tare
def test_P1_a_slow_reader_delays_nothing_but_its_output(tare, terminal_bundle):
    """The pipe fills up, the container waits in its write; a signal gets through all the same, and nothing is lost."""
    b = terminal_bundle("trap 'exit 42' TERM; i=0; while :; do i=$((i+1)); echo $i; done")
    run = Piped(tare, b)
    time.sleep(0.7)
    run.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    out = run.process.stdout.read()
    assert run.process.wait(timeout=20) == 42
    run.process.stderr.close()
    numbers = out.split()
    assert len(numbers) > 1000 and numbers == [str(n) for n in range(1, len(numbers) + 1)]


@only_tare
def test_P1_a_reader_that_never_reads_can_be_left(tare, terminal_bundle):
    """The container has ended, its output can't be written: a second signal gives up on it."""
    b = terminal_bundle("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done").without_namespace("pid")
    run = Piped(tare, b)
    time.sleep(0.7)
    run.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert run.process.poll() is None, "there is output left to write"
    run.process.send_signal(signal.SIGTERM)
    try:
        assert run.process.wait(timeout=20) == 128 + signal.SIGTERM
    finally:
        run.process.kill()
        run.process.stdout.close()
        run.process.stderr.close()


@only_tare
def test_P1_a_reader_that_is_gone_does_not_stop_the_container(tare, terminal_bundle):
    b = terminal_bundle("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; echo done > /data/mark; exit 3")
    run = Piped(tare, b)
    run.process.stdout.close()
    assert run.process.wait(timeout=30) == 3
    assert (b.rootfs / "data/mark").read_text() == "done\n"
    run.process.stderr.close()


@only_tare
def test_P1_our_stdout_stays_blocking_for_others(tare, terminal_bundle):
    """O_NONBLOCK is a property of the open file, which the caller shares with us."""
    run = Piped(tare, terminal_bundle("echo ready; sleep 0.3")).wait_line("ready")
    text = open(f"/proc/{run.process.pid}/fdinfo/1").read()
    assert not int(re.search(r"flags:\s+(\d+)", text).group(1), 8) & os.O_NONBLOCK
    run.end()


@only_tare
def test_P1_the_terminal_outlives_a_moment_without_users(tare, terminal_bundle):
    """Nobody in the container has the slave for a while: that is no end of the terminal."""
    b = terminal_bundle("exec </dev/null >/dev/null 2>&1; sleep 0.3; echo back > /dev/console; sleep 0.2; exit 5")
    result = tare.run(b)
    assert (result.status, result.out) == (5, "back\n")


@only_tare
def test_P1_somebody_who_keeps_the_terminal_does_not_hold_us_up(tare, terminal_bundle):
    """Without a pid namespace a process of the container may outlive its first; run ends nevertheless, and removes it."""
    b = terminal_bundle("trap '' HUP; (setsid sh -c 'trap \"\" HUP; while :; do echo noise; sleep 0.01; done' &); "
                        "sleep 0.1; exit 5").without_namespace("pid")
    begun = time.monotonic()
    result = tare.run(b)
    assert result.status == 5 and "noise" in result.out
    assert time.monotonic() - begun < 10
