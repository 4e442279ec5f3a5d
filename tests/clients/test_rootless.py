# SPDX-License-Identifier: GPL-2.0-or-later
"""podman of a user who is not root: ids, files, networks and the life of a container without any privilege."""

import os

import pytest

from engines.cli import HOLD
from engines.commands import call
from engines.rootless import COUNT, FIRST, UID
from engines.site import status
from support.runtime import wait_until

ON_TERM = "trap 'echo bye; exit 9' TERM; echo ready; " + HOLD


def fields(text):
    return [line.split() for line in text.splitlines()]


@pytest.mark.smoke
@pytest.mark.rows("Q-3")
def test_root_inside_is_the_user_outside(rootless):
    done = rootless.run(script="id -u; cat /proc/self/uid_map").ok()
    assert fields(done.out) == [["0"], ["0", str(UID), "1"], ["1", str(FIRST), str(COUNT)]]
    c = rootless.start()
    assert status(c.pid, "Uid").split()[0] == str(UID)


@pytest.mark.rows("Q-3")
def test_user_inside_is_a_subordinate_id_outside(rootless):
    c = rootless.start("--user", "1000:50")
    assert status(c.pid, "Uid").split()[0] == str(FIRST + 999)
    assert status(c.pid, "Gid").split()[0] == str(FIRST + 49)
    assert c.exec("id", "-u").ok().line == "1000"


@pytest.mark.smoke
def test_keep_id(rootless):
    done = rootless.run("--userns", "keep-id", script="id -u; grep CapEff /proc/self/status").ok()
    assert fields(done.out)[0] == [str(UID)]


def test_exit_statuses(rootless):
    assert rootless.run(script="exit 3").status == 3
    rootless.run(args=["/bin/nothing-here"]).ends(127, "no such file or directory")
    rootless.run(args=["/etc/plain"]).ends(126, "ermission denied")


@pytest.mark.smoke
def test_exec_as_root_and_as_another(rootless):
    c = rootless.start()
    assert c.exec("id", "-u").ok().line == "0"
    assert c.exec("id", "-u", options=["--user", "1000"]).ok().line == "1000"
    assert c.exec("sh", "-c", "exit 5").status == 5
    assert c.exec("readlink", "/proc/self/ns/pid").ok().line == os.readlink(f"/proc/{c.pid}/ns/pid")


@pytest.mark.smoke
def test_stop_kill_and_start_again(rootless):
    c = rootless.start(script=ON_TERM).wait_logs("ready")
    c.call("stop", "-t", "20").ok()
    assert c.inspect("State", "ExitCode") == 9 and "bye" in c.logs()
    c.call("start").ok()
    assert c.state == "running"
    c.call("kill").ok()
    assert c.wait() == 137


def test_volume_keeps_the_users_files_his(rootless, site):
    shared = site.directory("rootless", "home", "shared")
    os.chown(shared, UID, UID)
    rootless.run("-v", f"{shared}:/data", script="echo hi >/data/mine; touch /data/his; chown 7:7 /data/his").ok()
    assert (shared / "mine").read_text() == "hi\n" and (shared / "mine").stat().st_uid == UID
    assert (shared / "his").stat().st_uid == FIRST + 6
    rootless.run("-v", f"{shared}:/data:ro", script="echo no >/data/mine").ends(1, "Read-only file system")
    rootless.run("-v", f"{shared}:/data", script="rm /data/*").ok()
    shared.rmdir()


def test_read_only_root(rootless):
    done = rootless.run("--read-only", script="touch /x; touch /tmp/x && echo tmp").ok()
    assert "Read-only file system" in done.err and done.line == "tmp"


def test_terminal(rootless):
    with rootless.run_on_terminal(script="tty; stty size", rows=31, columns=99) as terminal:
        terminal.wait_text("/dev/pts/0")
        terminal.wait_text("31 99")
        assert terminal.wait() == 0


@pytest.mark.smoke
def test_published_port_through_slirp4netns(rootless, site):
    c = rootless.start("-p", "127.0.0.1:18080:80", network="slirp4netns",
                       script="while :; do echo hello | nc -l -p 80; done")
    assert wait_until(lambda: answer_of(site, 18080), "an answer on the published port", timeout=20) == "hello\n"
    c.call("rm", "-f", "-t", "0").ok()


def answer_of(site, port):
    """What a server in the engine's network says; empty while nobody answers."""
    return call([*site.network("rootless"), "busybox", "nc", "-w", "2", "127.0.0.1", port], stdin="").out


def test_containers_of_a_pod_share_namespaces(rootless):
    rootless.call("pod", "create", "--name", "pod", "--infra=false").ok()
    rootless.at_end("pod", "rm", "-f", "-t", "0", "pod")
    first = rootless.start("--pod", "pod")
    second = rootless.start("--pod", "pod", "--pid", f"container:{first.name}")
    same = {kind: os.readlink(f"/proc/{first.pid}/ns/{kind}") == os.readlink(f"/proc/{second.pid}/ns/{kind}")
            for kind in ("pid", "mnt", "user")}
    assert same == {"pid": True, "mnt": False, "user": True}


def test_devices_and_sys_are_the_hosts(rootless):
    done = rootless.run(script="echo x >/dev/null && head -c 4 /dev/zero | wc -c; ls /sys/class >/dev/null && echo sys").ok()
    assert done.out.split() == ["4", "sys"]


def test_privileged_is_no_more_than_the_user(rootless):
    done = rootless.run("--privileged", script="mount -t tmpfs x /tmp && echo mounted; mknod /tmp/d b 8 0 || echo refused").ok()
    assert done.out.split() == ["mounted", "refused"]


def test_top_logs_and_inspect(rootless):
    c = rootless.start(script="echo said; " + HOLD).wait_logs("said")
    assert "sleep" in c.call("top").ok().out or HOLD[:5] in c.call("top").ok().out
    assert c.inspect("OCIRuntime") in ("tare-oci", "runc")
