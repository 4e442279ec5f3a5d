# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare run`: limits, devices, volumes of images and the files of the engine's, each by its effect and by its message."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.cgroup import v1
from support.engine import Directory, File, busybox_layer

MIB = 1 << 20


@pytest.fixture
def box(engine):
    engine.image()
    return engine


def config_of(engine, *options):
    """The config that these options make, also where this machine could not run it."""
    bundle = engine.fresh("bundle")
    engine.call("bundle", "--entrypoint", "true", *options, "box", bundle).ok()
    return json.loads((bundle / "config.json").read_text())


def resources(engine, *options):
    return config_of(engine, *options)["linux"]["resources"]


def in_cgroup(engine, files, *options):
    """What these files below /sys/fs/cgroup say inside."""
    return engine.sh(f"cd /sys/fs/cgroup; cat {files}", *options).ok().out.split()


# ---- limits ------------------------------------------------------------------------------------------------------------


@v1
def test_memory_and_swap(box):
    files = "memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.swappiness"
    out = in_cgroup(box, files, "-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--memory-swappiness", "7")
    assert out == [str(64 * MIB), str(96 * MIB), str(32 * MIB), "7"]
    assert int(in_cgroup(box, files, "-m", "64m", "--memory-swap", "-1")[1]) > 1 << 60
    assert box.sh("cat /sys/fs/cgroup/memory/memory.oom_control", "-m", "64m", "--oom-kill-disable").ok().out.startswith("oom_kill_disable 1")


@v1
def test_processors(box):
    files = "cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpuset/cpuset.cpus cpuset/cpuset.mems"
    out = in_cgroup(box, files, "-c", "300", "--cpu-quota", "20000", "--cpu-period", "50000", "--cpuset-cpus", "0", "--cpuset-mems", "0")
    assert out == ["300", "20000", "50000", "0", "0"]


def test_a_set_of_processors_is_what_the_program_has(box):
    out = box.sh("grep Cpus_allowed_list /proc/self/status", "--cpuset-cpus", "0").ok().out
    assert out.split() == ["Cpus_allowed_list:", "0"]


def test_oom_score(box):
    assert box.sh("cat /proc/self/oom_score_adj", "--oom-score-adj", "345").ok().out == "345\n"


def test_block_devices_are_numbers_in_the_config(box, tmp):
    os.mknod(tmp / "disk", 0o600 | 0o060000, os.makedev(7, 3))
    given = resources(box, "--blkio-weight", "300", "--blkio-weight-device", f"{tmp}/disk:400", "--device-read-bps", f"{tmp}/disk:1mb",
                         "--device-write-bps", f"{tmp}/disk:2mb", "--device-read-iops", f"{tmp}/disk:10", "--device-write-iops", f"{tmp}/disk:20")
    number = {"major": 7, "minor": 3}
    assert given["blockIO"] == {
        "weight": 300, "weightDevice": [{**number, "weight": 400}], "throttleReadBpsDevice": [{**number, "rate": MIB}],
        "throttleWriteBpsDevice": [{**number, "rate": 2 * MIB}], "throttleReadIOPSDevice": [{**number, "rate": 10}],
        "throttleWriteIOPSDevice": [{**number, "rate": 20}]}


def test_real_time_limits_are_in_the_config(box):
    given = resources(box, "--cpu-rt-period", "1000000", "--cpu-rt-runtime", "1000")
    assert given["cpu"] == {"realtimePeriod": 1000000, "realtimeRuntime": 1000}


def test_device_rules(box):
    rules = resources(box, "--device-cgroup-rule", "b *:* r", "--device-cgroup-rule", "c 10:* rwm")["devices"]
    assert rules[-2:] == [{"allow": True, "type": "b", "access": "r"}, {"allow": True, "type": "c", "major": 10, "access": "rwm"}]


def test_a_device_rule_lets_a_device_be_used(box):
    """1:11 is /dev/kmsg, which a container has not by default."""
    script = "busybox mknod /x c 1 11 && exec 3</x && echo may"
    assert "may" not in box.sh(script, "--cap-add", "syslog").out
    assert box.sh(script, "--cap-add", "syslog", "--device-cgroup-rule", "c 1:11 rwm").ok().out == "may\n"


@v1
def test_cgroup_parent(box):
    box.call("run", "--rm", "--cgroup-parent", "/tare-test-parent", "box", "true").ok()
    assert config_of(box, "--cgroup-parent", "/tare-test-parent")["linux"]["cgroupsPath"].startswith("/tare-test-parent/")
    assert ".slice:tare:" in config_of(box, "--cgroup-parent", "tare-test.slice")["linux"]["cgroupsPath"]
    left = [h / "tare-test-parent" for h in Path("/sys/fs/cgroup").iterdir() if (h / "tare-test-parent").is_dir()]
    for parent in left:
        parent.rmdir()


def test_shared_memory(box):
    assert box.sh("df -k /dev/shm | tail -n 1", "--shm-size", "5m").ok().out.split()[1] == "5120"


@pytest.mark.parametrize("options, message", [
    (["--memory-swap", "1g"], "--memory-swap counts memory and swap together"),
    (["-m", "64m", "--memory-swap", "32m"], "--memory-swap 32m is less than --memory 64m"),
    (["-m", "64m", "--memory-reservation", "1g"], "--memory-reservation 1g is more than --memory 64m"),
    (["--memory-swappiness", "101"], '--memory-swappiness "101" is no number that it can be'),
    (["--cpu-shares", "1"], '--cpu-shares "1" is no number that it can be'),
    (["--cpus", "1", "--cpu-quota", "1000"], "--cpus says what --cpu-period and --cpu-quota say"),
    (["--cpuset-cpus", "a"], '--cpuset-cpus "a" is no list of numbers'),
    (["--oom-score-adj", "2000"], '--oom-score-adj "2000" is no number of -1000 to 1000'),
    (["--blkio-weight", "9"], '--blkio-weight "9" is no number that it can be'),
    (["--device-read-bps", "/dev/null:1mb"], '--device-read-bps: "/dev/null" is no block device'),
    (["--device-read-bps", "1mb"], '--device-read-bps "1mb" names no device'),
    (["--device-cgroup-rule", "d 1:1 r"], '--device-cgroup-rule "d 1:1 r" is no rule'),
    (["--shm-size", "0"], '--shm-size "0" is no size'),
    (["--dns", "example.org"], '--dns "example.org" is no address'),
    (["--add-host", "db"], '--add-host "db" is no name and address'),
    (["--explain=xml"], "xml"),
])
def test_what_cannot_be_is_said(box, options, message):
    box.call("run", "--rm", *options, "box", "true").fails(message, status=125)
    assert box.containers() == {}


# ---- devices -----------------------------------------------------------------------------------------------------------


def test_privileged_has_the_devices_of_the_host(box, tmp):
    node = Path("/dev/tare-test-node")
    os.mknod(node, 0o600 | 0o020000, os.makedev(1, 11))
    try:
        out = box.sh("stat -c '%F %t:%T' /dev/tare-test-node; stat -c %t:%T /dev/null; ls /dev/pts", "--privileged").ok().out.splitlines()
        assert out[:2] == ["character special file 1:b", "1:3"]
        assert box.sh("ls /dev/tare-test-node").status != 0
    finally:
        node.unlink()


# ---- files -------------------------------------------------------------------------------------------------------------


def test_resolv_conf_is_the_hosts(box):
    host = Path("/etc/resolv.conf")
    if not host.exists():
        pytest.skip("this host has no /etc/resolv.conf")
    assert box.sh("cat /etc/resolv.conf").ok().out.split() == host.read_text().split()


def test_resolv_conf_by_options(box, tmp):
    (tmp / "resolv.conf").write_text("# ours\nsearch one.example\nnameserver 10.0.0.1\noptions ndots:3\n")
    subprocess.run(["mount", "--bind", tmp / "resolv.conf", "/etc/resolv.conf"], check=True)
    try:
        cat = "cat /etc/resolv.conf"
        assert box.sh(cat, "--dns", "10.1.1.1", "--dns", "fd00::1").ok().out == \
            "# ours\nsearch one.example\noptions ndots:3\nnameserver 10.1.1.1\nnameserver fd00::1\n"
        assert box.sh(cat, "--dns-search", "two.example", "--dns-option", "rotate").ok().out == \
            "# ours\nnameserver 10.0.0.1\nsearch two.example\noptions rotate\n"
        assert "search" not in box.sh(cat, "--dns-search", ".").ok().out
    finally:
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)


def test_hosts_and_hostname(box):
    out = box.sh("cat /etc/hosts /etc/hostname; echo x >> /etc/hosts", "-h", "web", "--add-host", "db:10.0.0.7", "--add-host",
                 "six:fd00::7").ok().out
    assert "127.0.0.1\tlocalhost\n" in out and "10.0.0.7\tdb\nfd00::7\tsix\n" in out and out.endswith("\nweb\n")


def test_a_file_of_the_callers_takes_the_place(box, tmp):
    (tmp / "mine").write_text("mine\n")
    assert box.sh("cat /etc/resolv.conf", "-v", f"{tmp}/mine:/etc/resolv.conf").ok().out == "mine\n"


def test_cidfile(box, tmp):
    box.call("run", "--cidfile", tmp / "id", "--name", "one", "box", "true").ok()
    assert box.call("ps", "-aq", "--no-trunc").ok().out.strip() == (tmp / "id").read_text()
    box.call("run", "--rm", "--cidfile", tmp / "id", "box", "true").fails("exists", status=125)


# ---- volumes of the image ----------------------------------------------------------------------------------------------


@pytest.fixture
def data(engine):
    engine.image(layers=[busybox_layer(), {"data": Directory(0o750, 5, 6), "data/seed": File("seed", uid=7), "data/sub": Directory()}],
                 config={"Volumes": {"/data/": {}, "/var/empty": {}}, "Entrypoint": []})
    return engine


def test_a_volume_has_what_the_image_has_there(data):
    out = data.sh("stat -c '%a %u:%g' /data /data/seed /var/empty; cat /data/seed; grep -c ' /data ' /proc/self/mountinfo").ok().out
    assert out.splitlines() == ["750 5:6", "644 7:0", "755 0:0", "seed1"]


def test_a_volume_is_not_in_the_containers_layer_and_goes_with_it(data):
    data.call("run", "--name", "kept", "box", "sh", "-c", "echo x > /data/new; echo y > /root/new").ok()
    (container,) = (data.root / "containers").iterdir()
    assert (container / "volumes/0/new").read_text() == "x\n"
    assert not (container / "upper/data").exists() and (container / "upper/root/new").exists()
    data.call("rm", "kept").ok()
    assert not container.exists()
    data.sh("echo x > /data/new").ok()
    assert list((data.root / "containers").iterdir()) == []


def test_a_mount_of_the_callers_needs_no_volume(data, tmp):
    (tmp / "mine").mkdir()
    assert data.sh("ls /data; touch /data/x", "-v", f"{tmp}/mine:/data").ok().out == ""
    assert (tmp / "mine/x").exists()
    assert data.sh("grep ' /data ' /proc/self/mountinfo", "--tmpfs", "/data").ok().out.count("tmpfs") >= 1


def test_a_volume_in_a_user_namespace_is_its_roots(data):
    out = data.sh("stat -c '%u:%g' /data /data/seed /var/empty; touch /var/empty/x && echo writes", "--userns", "300000").ok().out
    assert out.split() == ["5:6", "7:0", "0:0", "writes"]


def test_a_volume_that_is_no_path_is_refused(engine):
    engine.image(config={"Volumes": {"relative": {}}})
    engine.run("true").fails('the image\'s volume "relative" is no directory below /', status=125)
    assert engine.containers() == {}


# ---- --pull ------------------------------------------------------------------------------------------------------------


def test_pull_always_asks_the_registry_and_newer_does_without(engine):
    """Nobody answers on this port."""
    engine.image("localhost:1/box:latest")
    engine.call("run", "--rm", "--pull", "always", "localhost:1/box", "true").fails("localhost:1", status=125)
    result = engine.call("run", "--rm", "--pull", "newer", "localhost:1/box", "true").ok()
    assert any('look for a newer "localhost:1/box"' in w for w in result.warnings)
    engine.call("run", "--rm", "--pull", "never", "localhost:1/box", "true").ok()
    engine.call("run", "--rm", "--pull", "newer", "localhost:1/nobox", "true").fails("localhost:1", status=125)


# ---- --explain ---------------------------------------------------------------------------------------------------------


def test_explain_in_json_has_both_parts(box):
    document = json.loads(box.call("run", "--explain=json", "box", "echo", "hi").ok().out)
    assert [s["kind"] for s in document["engine"]][:1] == ["find-image"]
    assert {"kind", "command", "why"} == set(document["engine"][0])
    assert any(s["kind"] == "execute" for s in document["runtime"]["steps"])


def test_explain_as_a_script_makes_the_container(box, tmp):
    """The script makes the directory and the overlay anew, and then what tare-oci's own script does."""
    script = box.call("run", "--explain=sh", "box", "echo", "hi").ok().out
    assert script.startswith("#!/bin/bash\n") and "mount -t overlay overlay -o lowerdir=/" in script
    engine_part = script.split("# From the bundle to a process.")[0]
    (tmp / "script").write_text(engine_part + "cat $1/rootfs/etc/passwd\n")
    directory = next(line.split()[-1][:-len("/rootfs")] for line in engine_part.splitlines() if line.startswith("mount -t overlay"))
    done = subprocess.run(["unshare", "--mount", "bash", tmp / "script", directory], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "root:x:0:0" in done.stdout
    assert (Path(directory) / "files/hosts").read_text().startswith("127.0.0.1\tlocalhost\n")
    subprocess.run(["rm", "-r", directory], check=True)
