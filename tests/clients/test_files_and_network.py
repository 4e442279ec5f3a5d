# SPDX-License-Identifier: GPL-2.0-or-later
"""podman and docker: volumes and mounts, a read-only root, published ports, user namespaces."""

import subprocess

import pytest

from engines.commands import call
from support.runtime import wait_until

WEB = "echo from inside > /tmp/index.html; exec httpd -f -p 80 -h /tmp"


@pytest.mark.smoke
def test_volume_is_shared_both_ways(engine, tmp):
    (tmp / "in").write_text("from the host\n")
    done = engine.run("-v", f"{tmp}:/data", script="cat /data/in; echo back > /data/out").ok()
    assert done.out == "from the host\n" and (tmp / "out").read_text() == "back\n"


@pytest.mark.smoke
def test_read_only_volume(engine, tmp):
    done = engine.run("-v", f"{tmp}:/data:ro", args=["touch", "/data/x"])
    assert done.status == 1 and "Read-only file system" in done.err, done.describe()


def test_volume_of_one_file(engine, tmp):
    (tmp / "one").write_text("one file\n")
    assert engine.run("-v", f"{tmp}/one:/etc/one", args=["cat", "/etc/one"]).ok().out == "one file\n"


@pytest.mark.parametrize("word,seen", [("rshared", True), ("rslave", True), ("rprivate", False)])
def test_propagation(engine, tmp, word, seen):
    source = tmp / "source"
    (source / "point").mkdir(parents=True)
    subprocess.run(["mount", "--bind", source, source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        c = engine.start("-v", f"{source}:/data:{word}")
        subprocess.run(["mount", "-t", "tmpfs", "late", source / "point"], check=True)
        assert ("late /data/point" in c.exec("cat", "/proc/mounts").ok().out) == seen
        c.call("rm", *engine.forced).ok()
    finally:
        subprocess.run(["umount", "--recursive", source], check=False)


def test_named_volume_keeps_its_files(engine):
    engine.call("volume", "create", "kept").ok()
    engine.at_end("volume", "rm", "kept")
    engine.run("-v", "kept:/data", script="echo stays > /data/x").ok()
    assert engine.run("-v", "kept:/data", args=["cat", "/data/x"]).ok().out == "stays\n"


@pytest.mark.smoke
def test_read_only_root(engine):
    done = engine.run("--read-only", "--tmpfs", "/scratch", script="touch /scratch/x && echo scratch; touch /etc/x")
    assert done.status == 1 and done.out == "scratch\n" and "Read-only file system" in done.err, done.describe()


def test_tmpfs_options(engine):
    script = "grep ' /scratch ' /proc/mounts; cp /bin/busybox /scratch/b; /scratch/b true"
    done = engine.run("--tmpfs", "/scratch:size=8m,noexec,mode=1770", script=script)
    assert "size=8192k" in done.out and "noexec" in done.out and "mode=1770" in done.out, done.describe()
    assert done.status == 126 and "Permission denied" in done.err, done.describe()


def test_mount_option(engine, tmp):
    done = engine.run("--mount", f"type=bind,source={tmp},target=/data,readonly", args=["touch", "/data/x"])
    assert done.status == 1 and "Read-only file system" in done.err, done.describe()


def test_size_of_shm(engine):
    assert "8192k" in engine.run("--shm-size", "8m", args=["grep", "/dev/shm", "/proc/mounts"]).ok().out


def test_standard_files_of_dev(engine):
    script = "for f in null zero full random urandom tty; do test -c /dev/$f || echo no $f; done; ls -l /dev/fd /dev/stdin | wc -l"
    assert engine.run(script=script).ok().out == "2\n"


def fetch(engine, port):
    """What the web server in the container answers, asked from the engine's own network."""
    return call([*engine.prefix[:2], "curl", "-s", "-m", "5", f"http://127.0.0.1:{port}/"]).out


@pytest.mark.smoke
def test_published_port(engine):
    engine.start("-p", "127.0.0.1:8080:80", script=WEB, network="bridge")
    wait_until(lambda: fetch(engine, 8080) == "from inside\n", "an answer through the published port", timeout=20)


def test_two_containers_reach_each_other(engine):
    server = engine.start(script=WEB, network="bridge")
    address = server.exec("sh", "-c", "ip -4 -o addr show eth0 | awk '{ print $4 }' | cut -d/ -f1").ok().line
    client = engine.start(network="bridge")
    wait_until(lambda: client.exec("wget", "-q", "-O", "-", f"http://{address}/").out == "from inside\n", "an answer", 20)


def test_without_a_network(engine):
    assert engine.run(script="ls /sys/class/net").ok().out.split() == ["lo"]


def test_own_network(engine):
    engine.call("network", "create", "--subnet", "10.77.0.0/24", "own").ok()
    engine.at_end("network", "rm", "own")
    assert "10.77.0." in engine.run(network="own", args=["ip", "-4", "addr"]).ok().out
