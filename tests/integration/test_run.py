# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare run`: each option by its effect inside the container, and what is left afterwards."""

import json
import os
import signal
import subprocess
import time

import pytest

from support import runtime as rt
from support.engine import File, busybox_layer

CAPS = {"chown": 0, "net_raw": 13, "sys_admin": 21, "sys_time": 25, "mknod": 27}


@pytest.fixture
def box(engine):
    """An engine whose store has the image "box"."""
    engine.image()
    return engine


def caps(text, name="CapEff"):
    return int(next(line for line in text.splitlines() if line.startswith(name)).split()[1], 16)


def status(engine, *options):
    return engine.run("cat", "/proc/self/status", options=options).ok().out


# ---- the program and its end -------------------------------------------------------------------------------------------


def test_output_and_status_are_the_programs(box):
    result = box.sh("echo out; echo err >&2; exit 7")
    assert (result.status, result.out) == (7, "out\n") and "err\n" in result.err


def test_a_signal_that_ends_it_is_128_and_more(box):
    assert box.sh("kill -KILL $$", "--init").status == 137


@pytest.mark.parametrize("program, status, message", [
    ("nonsuch", 127, 'exec: "nonsuch": executable file not found in $PATH'),
    ("/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'),
])
def test_a_program_that_cannot_be_run(box, program, status, message):
    box.run(program).fails(message, status=status)
    assert box.containers() == {}


@pytest.mark.parametrize("words, message", [
    (["run"], "which image?"),
    (["run", "--pull", "never", "nobox"], 'image "nobox" is not in the store'),
    (["run", "localhost/nobox"], "localhost/nobox"),
    (["run", "--nonsense", "box"], 'unknown option "--nonsense"'),
    (["run", "--pull", "maybe", "box"], 'unknown word "maybe" for "--pull"'),
    (["run", "--name", "-x", "box"], '"-x" can\'t be a container\'s name'),
    (["run", "--user", "nobody", "box"], 'user "nobody" is not in the container\'s /etc/passwd'),
    (["run", "--group-add", "nogroup", "box"], 'group "nogroup" is not in the container\'s /etc/group'),
    (["run", "--cap-add", "flying", "box"], '--cap-add: there is no capability "flying"'),
    (["run", "--security-opt", "magic=1", "box"], '--security-opt "magic=1": there is no "magic"'),
    (["run", "--security-opt", "seccomp=/nonsuch", "box"], 'open the seccomp profile "/nonsuch"'),
    (["run", "--memory", "much", "box"], '--memory "much" is no size'),
    (["run", "--cpus", "1.x", "box"], '--cpus "1.x" is no number of processors'),
    (["run", "--pids-limit", "x", "box"], '--pids-limit "x" is no number'),
    (["run", "--ulimit", "nonsense=1", "box"], '--ulimit "nonsense=1": there is no limit of that name'),
    (["run", "--ulimit", "nofile=2:1", "box"], "the soft limit is above the hard one"),
    (["run", "-v", "name:/x", "box"], '--volume "name:/x": "name" is no path'),
    (["run", "-v", "/nonsuch:/x", "box"], '--volume "/nonsuch:/x": open the source'),
    (["run", "--tmpfs", "x", "box"], '--tmpfs "x": the destination is no absolute path'),
    (["run", "--device", "/etc/passwd", "box"], '"/etc/passwd" is no device'),
    (["run", "--userns", "x", "box"], '--userns "x" says no range of ids'),
    (["run", "--tz", "Nowhere/Never", "box"], '--tz "Nowhere/Never": there is no time zone'),
    (["run", "--env-file", "/nonsuch", "box"], 'open the env file "/nonsuch"'),
    (["run", "--strict", "box"], '"--strict" runs nothing as uid 0'),
    (["run", "--strict", "--privileged", "-u", "1", "box"], '"--strict" and "--privileged" contradict each other'),
])
def test_what_cannot_be_is_125_and_leaves_nothing(box, words, message):
    more = [] if words[-1] != "box" else ["true"]
    box.call(*words, *more).fails(message, status=125)
    assert box.containers() == {}


def test_words_behind_the_image_are_the_programs(box):
    assert box.run("echo", "--rm", "-e", "--help").ok().out == "--rm -e --help\n"


# ---- the image's config ------------------------------------------------------------------------------------------------


@pytest.fixture
def app(engine):
    """An image with every property that a process gets of it."""
    layer = busybox_layer()
    layer["app"] = File("#!/bin/sh\necho \"$@\"\n", 0o755)
    engine.image("localhost/app:1", layers=[layer], config={
        "Entrypoint": ["/app"], "Cmd": ["one", "two"], "Env": ["PATH=/bin", "COLOUR=blue"], "WorkingDir": "/home/user",
        "User": "user", "StopSignal": "SIGINT", "Labels": {"who": "me", "run.oci.hooks.stdout": "/etc/passwd"},
        "ExposedPorts": {"80/tcp": {}}})
    return engine


def test_entrypoint_and_cmd(app):
    assert app.run(image="app:1").ok().out == "one two\n"
    assert app.run("three", image="app:1").ok().out == "three\n"
    assert app.run("-n", "x", image="app:1", options=["--entrypoint", "echo"]).ok().out == "x"
    assert app.run("echo", "y", image="app:1", options=["--entrypoint", ""]).ok().out == "y\n"
    app.run(image="app:1", options=["--entrypoint", ""]).fails("there is no program to run", status=125)


def test_user_environment_and_directory_are_the_images(app):
    out = app.run("id; pwd; env", image="app:1", options=["--entrypoint", ""], ).status
    assert out == 127
    out = app.run("sh", "-c", "id; pwd; echo $COLOUR $HOME", image="app:1", options=["--entrypoint", ""]).ok().out
    assert out == "uid=1000(user) gid=1000(user) groups=2000(extra),2001(other)\n/home/user\nblue /home/user\n"


def test_what_the_image_says_is_in_the_config(app):
    app.call("run", "--name", "one", "app:1").ok()
    id = app.containers()["one"]["ID"]
    (directory,) = (app.root / "containers").glob(id + "*")
    config = json.loads((directory / "config.json").read_text())
    assert config["annotations"]["who"] == "me"
    assert config["annotations"]["org.opencontainers.image.stopSignal"] == "SIGINT"
    assert config["annotations"]["org.opencontainers.image.exposedPorts"] == "80/tcp"
    assert "run.oci.hooks.stdout" not in config["annotations"]


def test_a_label_that_would_change_the_runtime_is_left_out(app):
    assert any("run.oci.hooks.stdout" in w for w in app.run(image="app:1").ok().warnings)


@pytest.mark.parametrize("user, ids", [
    ("0", "uid=0(root) gid=0(root)"),
    ("user", "uid=1000(user) gid=1000(user) groups=2000(extra),2001(other)"),
    ("1000", "uid=1000(user) gid=1000(user) groups=2000(extra),2001(other)"),
    ("user:extra", "uid=1000(user) gid=2000(extra)"),
    ("4711", "uid=4711 gid=0(root)"),
    ("4711:4712", "uid=4711 gid=4712"),
])
def test_user(box, user, ids):
    assert box.run("id", options=["-u", user]).ok().out == ids + "\n"


def test_group_add(box):
    assert box.run("id", options=["-u", "4711:4712", "--group-add", "extra", "--group-add", "99"]).ok().out == (
        "uid=4711 gid=4712 groups=99,2000(extra)\n")


def test_environment(box, tmp):
    (tmp / "env").write_text("# comment\n\nA=file\nB=file\nFROM_HERE\n")
    out = box.run("env", options=["-e", "B=option", "-e", "EMPTY=", "-e", "UNSET", "--env-file", tmp / "env"],
                  env={**os.environ, "FROM_HERE": "here"}).ok().out.splitlines()
    assert {"A=file", "B=option", "EMPTY=", "FROM_HERE=here", "HOME=/root"} <= set(out)
    assert not [line for line in out if line.startswith("UNSET")]


def test_working_directory(box):
    assert box.run("readlink", "/proc/self/cwd", options=["-w", "/tmp/new"]).ok().out == "/tmp/new\n"


def test_hostname(box):
    assert box.sh("hostname; cat /etc/hostname; grep -c inside /etc/hosts", "-h", "inside").ok().out == "inside\ninside\n1\n"


# ---- the filesystem ----------------------------------------------------------------------------------------------------


def test_the_root_is_the_containers_own(box):
    assert box.sh("echo new > /etc/passwd; touch /x; ls /x").ok().out == "/x\n"
    assert box.sh("ls /x; head -n 1 /etc/passwd").out == "root:x:0:0:root:/root:/bin/sh\n"


def test_layers_lie_over_each_other(engine):
    engine.image(layers=[busybox_layer(), {"a": "lower", "b": "lower", "d/x": "x"},
                         {"a": "upper", ".wh.b": "", "d/.wh..wh..opq": "", "d/y": "y"}])
    assert engine.sh("cat /a; ls /b /d 2>/dev/null").out == "upper/d:\ny\n"


def test_150_layers(engine):
    engine.image(layers=[busybox_layer()] + [{f"f{i}": str(i)} for i in range(149)])
    assert engine.sh("ls / | grep -c '^f[0-9]'").ok().out == "149\n"


def test_an_image_without_layers(engine):
    engine.image("localhost/none:1", layers=[])
    engine.run("true", image="none:1").fails("executable file not found", status=127)


def test_read_only(box):
    assert box.sh("touch /x || echo no; touch /dev/shm/x && echo yes", "--read-only").out == "no\nyes\n"


def test_volume(box, tmp):
    (tmp / "data").mkdir()
    box.sh("echo in > /data/file", "-v", f"{tmp}/data:/data").ok()
    assert (tmp / "data/file").read_text() == "in\n"
    assert box.sh("touch /data/x || cat /data/file", "-v", f"{tmp}/data:/data:ro").ok().out == "in\n"
    assert box.sh("cat /data/file", "-v", "./data:/data", cwd=tmp).ok().out == "in\n"


def test_tmpfs(box):
    out = box.sh("grep ' /scratch ' /proc/mounts; stat -c %a /scratch", "--tmpfs", "/scratch:size=64k,exec").ok().out
    assert "tmpfs rw,nosuid,nodev,relatime,size=64k" in out and out.endswith("1777\n") and "noexec" not in out


def test_a_mount_in_place_of_a_default_one(box):
    assert "size=8k" in box.sh("grep ' /dev/shm ' /proc/mounts", "--tmpfs", "/dev/shm:size=8k").ok().out


def test_rootfs(engine, bundle):
    b = bundle()
    assert engine.call("run", "--rm", "--rootfs", b.rootfs, "sh", "-c", "echo $0 >/data/made; ls /data").ok().out == "made\n"
    assert (b.rootfs / "data/made").exists()


def test_time_zone(box, tmp):
    box.sh("date +%Z", "--tz", "Etc/GMT+5").ok()
    result = box.run("readlink", "-f", "/etc/localtime", options=["--tz", "Etc/GMT+5"])
    assert result.ok().out == "/etc/localtime\n"
    assert b"TZif" == box.run("head", "-c", "4", "/etc/localtime", options=["--tz", "Etc/GMT+5"]).ok().out.encode()


def test_device(box):
    assert box.sh("stat -c '%t:%T' /dev/fuse", "--device", "/dev/null:/dev/fuse").ok().out == "1:3\n"
    script = "(: < /dev/any) && echo read; (: > /dev/any) 2>/dev/null && echo written; true"
    assert box.sh(script, "--device", "/dev/fuse:/dev/any:r").ok().out == "read\n"
    assert box.sh(script, "--device", "/dev/fuse:/dev/any").ok().out == "read\nwritten\n"


# ---- limits ------------------------------------------------------------------------------------------------------------


def cgroup_value(engine, v1, v2, *options):
    script = f"cat /sys/fs/cgroup/{v2} 2>/dev/null || cat /sys/fs/cgroup/{v1}"
    return engine.sh(script, *options).ok().out.split()


def test_memory(box):
    assert cgroup_value(box, "memory/memory.limit_in_bytes", "memory.max", "-m", "64m") == [str(64 << 20)]


def test_cpus(box):
    out = box.sh("cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us "
                 "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "--cpus", "1.5").ok().out.split()
    assert out == ["150000", "100000"]


@pytest.mark.parametrize("options, limit", [([], "2048"), (["--pids-limit", "99"], "99"), (["--pids-limit", "-1"], "max")])
def test_pids(box, options, limit):
    assert cgroup_value(box, "pids/pids.max", "pids.max", *options) == [limit]


def test_ulimit(box):
    out = box.run("cat", "/proc/self/limits", options=["--ulimit", "nofile=100:200", "--ulimit", "core=0"]).ok().out
    lines = {line[:26].strip(): line[26:].split()[:2] for line in out.splitlines()}
    assert lines["Max open files"] == ["100", "200"] and lines["Max core file size"] == ["0", "0"]


def test_open_files_are_limited_by_default(box):
    result = box.run("cat", "/proc/self/limits").ok()
    soft, hard = next(line for line in result.out.splitlines() if line.startswith("Max open files")).split()[3:5]
    assert soft == "1024" and int(hard) <= 524288
    assert (hard == "524288") != any("files open" in w for w in result.warnings)


# ---- security ----------------------------------------------------------------------------------------------------------


def test_the_default_is_dockers_14_capabilities_and_a_filter(box):
    out = status(box)
    assert caps(out) == caps(out, "CapBnd") == 0xa80425fb and caps(out, "CapAmb") == 0
    assert "NoNewPrivs:\t0" in out and "Seccomp:\t2" in out


@pytest.mark.parametrize("options, has, lacks", [
    (["--cap-drop", "chown"], ["mknod"], ["chown"]),
    (["--cap-drop", "ALL"], [], ["chown", "mknod"]),
    (["--cap-drop", "ALL", "--cap-add", "CAP_NET_RAW"], ["net_raw"], ["chown"]),
    (["--cap-add", "sys_time"], ["sys_time", "chown"], ["sys_admin"]),
])
def test_capabilities(box, options, has, lacks):
    value = caps(status(box, *options))
    assert all(value >> CAPS[name] & 1 for name in has) and not any(value >> CAPS[name] & 1 for name in lacks)


def test_a_user_gets_the_capabilities_that_are_asked_for(box):
    assert caps(status(box, "-u", "1000")) == 0
    assert caps(status(box, "-u", "1000", "--cap-add", "net_raw")) == 1 << CAPS["net_raw"]


def test_privileged(box):
    out = box.sh("cat /proc/self/status; grep -c ' /proc/[a-z]' /proc/mounts; touch /sys/fs/cgroup/x; grep ' /sys ' /proc/mounts",
                 "--privileged").out
    assert caps(out) >> CAPS["sys_admin"] & 1 and "Seccomp:\t0" in out
    assert out.splitlines()[-2] == "0" and " rw," in out.splitlines()[-1]


def test_no_new_privileges(box):
    assert "NoNewPrivs:\t1" in status(box, "--security-opt", "no-new-privileges")
    assert "NoNewPrivs:\t1" in status(box, "--security-opt", "no-new-privileges:true")


def test_seccomp(box, tmp):
    assert "Seccomp:\t0" in status(box, "--security-opt", "seccomp=unconfined")
    (tmp / "profile").write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 19, "excludes": {"caps": ["CAP_SYS_TIME"]}}]}))
    profile = f"seccomp={tmp}/profile"
    assert "No such device" in box.run("mkdir", "/x", options=["--security-opt", profile]).err
    box.run("mkdir", "/x", options=["--security-opt", profile, "--cap-add", "sys_time"]).ok()


def test_the_default_filter_follows_the_capabilities(box):
    """mount(2) is for who has CAP_SYS_ADMIN."""
    refused = box.sh("mount -t tmpfs none /tmp")
    assert refused.status != 0
    box.sh("mount -t tmpfs none /tmp", "--cap-add", "sys_admin", "--security-opt", "apparmor=unconfined").ok()


def test_hidden_paths(box):
    out = box.sh("cat /proc/interrupts /proc/keys; ls /sys/devices/virtual/powercap /sys/firmware; echo 1 > /proc/sys/vm/swappiness")
    assert out.out.strip() in ("", "/sys/firmware:", "/sys/devices/virtual/powercap:\n\n/sys/firmware:")
    assert "Read-only file system" in out.err
    assert box.sh("grep -c . /proc/interrupts", "--security-opt", "systempaths=unconfined").ok().out != "0\n"


def test_ports_and_pings_are_everybodys_in_the_containers_own_network(box):
    out = box.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range; ls /sys/class/net").ok().out
    assert out.split() == ["0", "0", "2147483647", "lo"]
    assert box.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "--sysctl",
                  "net.ipv4.ip_unprivileged_port_start=80").ok().out == "80\n"


def test_strict(box):
    result = box.sh("cat /proc/self/status; touch /x; touch /tmp/x /run/x; echo tmp $?; cat /sys/fs/cgroup/pids/pids.max "
                    "/sys/fs/cgroup/pids.max 2>/dev/null", "--strict", "-u", "user")
    assert caps(result.out) == caps(result.out, "CapBnd") == 0
    assert "NoNewPrivs:\t1" in result.out and "Seccomp:\t2" in result.out and "512\n" in result.out
    assert "/x: Read-only file system" in result.err


def test_user_namespaces_share_a_layer_through_mapped_ids(box):
    for host in (200000, 300000):
        out = box.sh("cat /proc/self/uid_map; stat -c %u /bin/busybox /home/user; touch /mine; stat -c %u /mine; id -u",
                     "--userns", f"{host}:65536")
        if "map the ids" in out.error:
            pytest.skip("this filesystem can't be idmapped")
        assert out.ok().out.split() == ["0", str(host), "65536", "0", "1000", "0", "0"]
    assert len(list((box.root / "layers").iterdir())) == 1


# ---- --init, terminals, standard input ----------------------------------------------------------------------------------


def test_init_reaps_and_passes_on(box):
    out = box.sh("(sleep 0 &) ; sleep 0.2; ps -o pid,comm; exit 5", "--init")
    assert out.status == 5
    assert "1 tare-init" in out.out and "[sleep]" not in out.out


def test_init_ends_as_the_program_does(box):
    assert box.run("nonsuch", options=["--init"]).status == 127
    assert box.sh("kill -TERM $$", "--init").status == 128 + signal.SIGTERM


def test_standard_input_is_for_who_asks(box):
    assert box.run("cat", stdin="hello").ok().out == ""
    assert box.run("cat", options=["-i"], stdin="hello").ok().out == "hello"
    assert box.call("run", "--rm", "-ie", "A=b", "box", "sh", "-c", "cat; echo $A", stdin="hello").ok().out == "hellob\n"


def test_terminal(box):
    out = box.sh("tty; echo $TERM", "-t").ok().out
    assert out.split() == ["/dev/pts/0", "xterm"]


# ---- records -----------------------------------------------------------------------------------------------------------


def test_a_container_stays_until_it_is_removed(box):
    box.call("run", "--name", "one", "box", "sh", "-c", "echo kept > /kept; exit 3")
    (container,) = box.containers().values()
    assert container["State"] == "exited" and container["Status"].startswith("Exited (3) ")
    assert container["Image"] == "box" and "echo kept" in box.call("ps", "-a", "--no-trunc").out
    assert box.call("ps", "-q").ok().out == ""
    box.call("run", "--name", "one", "box", "true").fails('the name "one" is that of container', status=125)
    (directory,) = (box.root / "containers").iterdir()
    assert (directory / "upper/kept").read_text() == "kept\n"
    assert box.call("rm", container["ID"][:6]).ok().out == container["ID"][:6] + "\n"
    assert box.containers() == {} and not list((box.root / "names").iterdir())
    box.call("rm", "one").fails('container "one" does not exist')


class Background:
    """A `run` that goes on."""

    def __init__(self, engine, *words):
        self.out = engine.fresh("out")
        with open(self.out, "w") as out:
            self.process = subprocess.Popen(list(map(str, engine.command("run", *words))), stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT)

    def wait_out(self, text):
        rt.wait_until(lambda: text in self.out.read_text(), f"{text!r} in the output")
        return self


HOLD = "echo ready; while :; do sleep 0.05; done"


def test_a_running_container_is_removed_by_force_only(box):
    run = Background(box, "--name", "one", "box", "sh", "-c", HOLD).wait_out("ready")
    assert box.containers()["one"]["Status"].startswith("Up ")
    box.call("rm", "one").fails("is running")
    box.call("rm", "-f", "one").ok()
    assert run.process.wait() == 137
    assert box.containers() == {}


def test_signals_go_to_the_program(box):
    run = Background(box, "--rm", "box", "sh", "-c", "trap 'exit 9' TERM; " + HOLD).wait_out("ready")
    run.process.terminate()
    assert run.process.wait() == 9


def test_after_a_kill_the_next_command_cleans_up(box):
    run = Background(box, "--rm", "box", "sh", "-c", "echo ready; sleep 1").wait_out("ready")
    run.process.kill()
    run.process.wait()
    rt.wait_until(lambda: box.containers() == {}, "the container to end and to be swept away")
    assert not list((box.root / "containers").iterdir())


def test_kills_at_any_moment_leave_nothing_that_the_next_command_does_not_remove(box):
    box.run("true").ok()  # the layer is there
    for i in range(12):
        run = Background(box, "--rm", "--name", "one", "box", "true")
        time.sleep(0.002 * i)
        run.process.kill()
        run.process.wait()
    rt.wait_until(lambda: box.containers() == {}, "all to be swept away")
    assert not list((box.root / "containers").iterdir())
    box.run("true", options=["--name", "one"]).ok()
    box.call("image", "gc").ok()  # leases of the dead
    assert not list((box.root / "staging").iterdir())


def layers(box):
    return sorted(p.name for p in (box.root / "layers").iterdir())


def test_a_container_holds_its_image_while_it_runs(box):
    run = Background(box, "--rm", "--name", "one", "box", "sh", "-c", HOLD).wait_out("ready")
    held = layers(box)
    box.call("rmi", "box").fails("is in use by container")
    assert len(held) == 1 and box.call("images", "-q").ok().out
    (box.root / "images/index.json").write_text('{"schemaVersion":2,"manifests":[]}')  # another tool has removed it
    box.call("image", "gc").ok()
    assert layers(box) == held and box.call("system", "check").ok()
    box.call("rm", "-f", "one").ok()
    run.process.wait()
    box.call("image", "gc").ok()
    assert layers(box) == [] and not list((box.root / "images/blobs/sha256").iterdir())


def test_a_container_holds_its_image_until_it_is_removed(box):
    box.call("run", "--name", "one", "box", "true").ok()
    assert "tare rm" in box.call("rmi", "box").fails("is in use by container").err
    (box.root / "images/index.json").write_text('{"schemaVersion":2,"manifests":[]}')
    box.call("image", "gc").ok()
    assert len(layers(box)) == 1
    box.call("rm", "one").ok()
    box.call("image", "gc").ok()
    assert layers(box) == []


def test_parallel_runs_of_one_image(box, parallel):
    results = parallel(*[lambda i=i: box.run("echo", str(i)) for i in range(8)])
    assert [r.ok().out for r in results] == [f"{i}\n" for i in range(8)]


# ---- explain, trace ----------------------------------------------------------------------------------------------------


def test_explain_shows_the_way_from_image_to_process_and_leaves_nothing(box):
    out = box.call("run", "--explain", "box", "echo", "hi").ok().out
    names = ["find-image", "unpack-layer", "make-container", "mount-overlay", "write-config", "open-rootfs", "execute"]
    places = [out.index(name) for name in names]
    assert places == sorted(places)
    assert "mount -t overlay overlay -o lowerdir=" in out and "echo hi" in out
    assert box.containers() == {} and not list((box.root / "containers").iterdir())


def test_trace_has_the_engines_steps_before_the_runtimes(box, tmp):
    box.run("true", options=["--trace", tmp / "trace"]).ok()
    lines = (tmp / "trace").read_text().splitlines()
    assert "engine" in lines[1] and "find-image" in lines[1]
    starts = [float(line.split()[0]) for line in lines[1:]]
    assert starts == sorted(starts) and "mount-overlay" in "".join(lines)
    box.run("true", options=["--trace", tmp / "trace.json"]).ok()
    names = [e["name"] for e in json.loads((tmp / "trace.json").read_text())["traceEvents"]]
    assert {"find-image", "have-layer", "mount-overlay", "pivot-root", "execute"} <= set(names)


# ---- bundle ------------------------------------------------------------------------------------------------------------


def test_a_bundle_is_run_by_runc_too(app, tmp):
    app.call("bundle", "-e", "COLOUR=red", "--entrypoint", "sh", "app:1", tmp / "bundle").ok()
    config = json.loads((tmp / "bundle/config.json").read_text())
    assert config["root"]["path"] == "rootfs" and config["process"]["args"] == ["sh"]
    config["process"]["args"] = ["sh", "-c", "id -u; echo $COLOUR; pwd"]
    (tmp / "bundle/config.json").write_text(json.dumps(config))
    for runtime in ("runc", rt.binary()):
        done = subprocess.run([runtime, "--root", tmp / "oci", "run", "--bundle", tmp / "bundle", f"{tmp.name}-bundle"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "1000\nred\n/home/user\n"), done.stderr
    assert app.containers() == {}
    app.call("bundle", "app:1", tmp / "bundle").fails("already")


def test_a_bundle_has_the_merged_layers_as_they_are(engine, tmp):
    engine.image(layers=[{"a": File("x", 0o4755, 12, 13), "gone": "", "d/x": ""}, {".wh.gone": "", "d/.wh..wh..opq": "", "d/y": ""}],
                 config={"Cmd": ["true"]})
    engine.call("bundle", "box", tmp / "bundle").ok()
    rootfs = tmp / "bundle/rootfs"
    found = sorted(str(p.relative_to(rootfs)) for p in rootfs.rglob("*"))
    st = (rootfs / "a").stat()
    assert found == ["a", "d", "d/y"] and (st.st_mode & 0o7777, st.st_uid, st.st_gid, st.st_mtime) == (0o4755, 12, 13, 0)


# ---- the platform, the store -------------------------------------------------------------------------------------------


def test_an_image_for_another_machine_is_refused_by_both_names(engine):
    engine.image(architecture="s390x")
    engine.run("true").fails('image "box" is for linux/s390x, and this machine is linux/', status=125)
    assert not list((engine.root / "layers").iterdir())


def test_a_damaged_layer_is_refused(box):
    manifest = json.loads((box.layout.path / "blobs/sha256" / box.images("--no-trunc")[0]["Digest"][7:]).read_text())
    blob = box.layout.path / "blobs/sha256" / manifest["layers"][0]["digest"][7:]
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    box.run("true").fails(manifest["layers"][0]["digest"], status=125)
    assert not list((box.root / "layers").iterdir())


@pytest.fixture(name="on_overlay")
def fixture_on_overlay(box, tmp):
    """The box, with its store on an overlay."""
    with box.on_overlay(tmp):
        box.image()
        yield box


def test_a_store_on_an_overlay_keeps_what_is_written_in_memory(on_overlay):
    result = on_overlay.sh("echo x > /x; cat /x").ok()
    assert result.out == "x\n"
    assert any("is in memory" in w for w in result.warnings)
    assert not list((on_overlay.root / "containers").iterdir())


def test_a_store_on_an_overlay_gives_containers_that_are_kept_a_copy_of_the_image(on_overlay, tmp):
    box = on_overlay
    result = box.call("run", "--name", "one", "box", "sh", "-c", "echo x > /x; rm /etc/passwd; stat -c '%u %a' /").ok()
    assert result.out == "0 755\n"
    assert any("has a copy of its image" in w for w in result.warnings)
    (directory,) = (box.root / "containers").iterdir()
    assert (directory / "rootfs/x").read_text() == "x\n"
    assert not (directory / "rootfs/etc/passwd").exists()
    assert not (directory / "upper").exists() and not (directory / "work").exists()
    box.sh("test -e /etc/passwd && test ! -e /x").ok()  # the layer is as it was
    for command in (("diff", "one"), ("commit", "one", "two")):
        refused = box.call(*command).fails("writes into a copy of its image")
        assert "tare export gives all of it" in refused.err
    box.call("export", "-o", tmp / "one.tar", "one").ok()
    names = subprocess.run(["tar", "tf", tmp / "one.tar"], capture_output=True, text=True, check=True).stdout.split()
    assert "x" in names and "etc/passwd" not in names and "bin/busybox" in names
    box.call("rm", "one").ok()
    assert not list((box.root / "containers").iterdir())


def test_a_copy_of_the_image_has_the_ids_of_the_container(on_overlay):
    box = on_overlay
    out = box.call("run", "--userns", "100000:65536", "box", "sh", "-c", "stat -c %u / /bin/busybox; echo >/x && stat -c %u /x").ok().out
    assert out == "0\n0\n0\n"
    (directory,) = (box.root / "containers").iterdir()
    assert [os.stat(directory / "rootfs" / name).st_uid for name in ("", "bin/busybox", "x")] == [100000] * 3
    # An overlay can't be mapped, and a tar with the host's ids would be wrong.
    refused = box.call("export", "-o", box.root / "one.tar", directory.name).fails("map back the ids of", "EINVAL")
    assert "takes no idmapped mounts: give --root a directory on another one" in refused.err
    assert not (box.root / "one.tar").exists()
    box.call("rm", directory.name).ok()
