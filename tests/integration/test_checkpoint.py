# SPDX-License-Identifier: GPL-2.0-or-later
"""
checkpoint and restore against a CRIU of the tests' own (support/fake_criu.py): what it is asked for, what tare makes of its
answers, and what is left. That the real one brings processes back is shown in a guest: tests/vm/test_checkpoint.py.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support import cgroup, mountinfo
from support.bundle import HOLD, MOUNTS
from support.runtime import Container, sanitized, wait_until
from support.terminal import ConsoleSocket

pytestmark = pytest.mark.only("tare")

SUCCEED = [{"notify": "pre-dump"}, {"notify": "network-lock"}, {"notify": "post-dump"}, {"succeed": {}}]
RESTORED = [{"notify": "pre-restore"}, {"notify": "setup-namespaces"}, {"notify": "post-setup-namespaces"},
            {"notify": "post-restore"}, {"notify": "network-unlock"}, {"succeed": {}}]


class Criu:
    """The fake: its directory is the first of PATH."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        shutil.copy(Path(__file__).parent / "support/fake_criu.py", directory / "criu")
        (directory / "criu").chmod(0o755)
        self.env = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}
        self.plays(SUCCEED)

    def plays(self, steps, **more):
        for name in ("requests.json", "self.json", "waiting.json", "sleeping.json"):
            (self.directory / name).unlink(missing_ok=True)
        (self.directory / "script.json").write_text(json.dumps({"steps": steps, **more}))

    def lines(self, name):
        path = self.directory / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def requests(self):
        return self.lines("requests.json")

    @property
    def itself(self):
        return self.lines("self.json")[-1]

    def options(self, kind):
        """The criu_opts of the one request of this type."""
        found = [r["2"][0] for r in self.requests if r.get("1") == [kind]]
        assert len(found) == 1, self.requests
        return found[0]


@pytest.fixture
def criu(tmp):
    return Criu(tmp / "criu")


@pytest.fixture
def image(tmp):
    return tmp / "image"


@pytest.fixture
def running(tare, bundle):
    return tare.run_detached(bundle(script=HOLD)).wait_out("ready")


def checkpoint(tare, criu, c, image, *options, **kw):
    return tare.call("checkpoint", "--image-path", image, *options, getattr(c, "id", c), env=criu.env, **kw)


def is_gone(tare, id):
    return id not in tare.list() and not cgroup.of(id)


# ---- checkpoint: what CRIU is asked for -----------------------------------------------------------------------------


def test_C17_the_request_of_a_plain_checkpoint(tare, criu, running, image):
    pid, cgroups = running.pid, cgroup.of(running)
    checkpoint(tare, criu, running, image).ok()
    assert criu.itself["argv"] == ["swrk", "3"]
    assert criu.requests[0] == {"1": [10], "4": [1]}, "its version first"
    options = criu.options(1)
    fds = criu.itself["fds"]
    assert fds[str(options.pop("1")[0])] == str(image), "where the image goes"
    assert fds[str(options.pop("17")[0])] == str(image), "and the log, too"
    (freezer,) = options.pop("44")
    assert Path(freezer) in cgroups
    streams = options.pop("37")
    assert len(streams) == 3 and all(re.fullmatch(r"file\[[0-9a-f]+:[0-9a-f]+\]", s) for s in streams), "files from outside"
    assert options == {"2": [pid], "9": [4], "10": ["dump.log"], "12": [1], "13": [str(running.bundle.path / "rootfs")],
                       "24": [1], "34": [6], "50": [1]}
    assert criu.requests[2:] == [{"1": [6], "3": [1]}] * 3, "every notification is confirmed"
    assert json.loads((image / "descriptors.json").read_text()) == streams
    assert is_gone(tare, running.id), "as with runc, the container is deleted"


def test_C17_every_option_is_passed_on(tare, criu, running, image, tmp):
    (tmp / "before").mkdir()
    checkpoint(tare, criu, running, image, "--work-path", tmp / "work", "--parent-path", "../before", "--leave-running",
               "--tcp-established", "--tcp-skip-in-flight", "--link-remap", "--ext-unix-sk", "--shell-job", "--file-locks",
               "--manage-cgroups-mode", "strict", "--empty-ns", "network", "--auto-dedup", "--page-server", "::1:77").ok()
    options = criu.options(1)
    assert {k: v for k, v in options.items() if k not in ("1", "2", "13", "17", "37", "44")} == {
        "3": [1], "4": [1], "5": [1], "7": [1], "8": [1], "9": [4], "10": ["dump.log"],
        "11": [{"1": ["::1"], "2": [77]}], "12": [1], "14": ["../before"], "15": [1], "16": [1], "18": [1], "24": [1],
        "34": [5], "38": [0x40000000], "46": [1], "50": [1]}
    assert criu.itself["fds"][str(options["17"][0])] == str(tmp / "work")
    assert running.status == "running"


@pytest.mark.parametrize("word,number", [("soft", 3), ("full", 4), ("strict", 5), ("ignore", 0)])
def test_C17_words_for_cgroups(tare, criu, running, image, word, number):
    checkpoint(tare, criu, running, image, "--leave-running", "--manage-cgroups-mode", word).ok()
    assert criu.options(1)["34"] == [number]


def test_C17_what_comes_from_the_host_is_named(tare, criu, bundle, image):
    b = bundle("docker", script=HOLD)
    b.config["mounts"].append({"destination": "/etc/a b", "type": "bind", "source": "data", "options": ["bind"]})
    c = tare.run_detached(b).wait_out("ready")
    checkpoint(tare, criu, c, image).ok()
    mounts = [(m["1"][0], m["2"][0]) for m in criu.options(1)["23"]]
    for target in ("/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/data", "/etc/a b"):
        assert (target, target) in mounts
    assert ("/proc/keys", "/dev/null") in mounts, "a masked file"
    assert not {"/proc", "/dev", "/dev/null", "/proc/acpi", "/sys/firmware", "/run/notify"} & {m for m, _ in mounts}, \
        "neither the container's own, nor masked directories, nor nodes in its own /dev"


def test_C17_a_destination_that_is_a_link_is_named_as_it_is_mounted(tare, criu, bundle, image):
    b = bundle(script=HOLD)
    (b.path / "rootfs/real").mkdir()
    (b.path / "rootfs/link").symlink_to("real")
    b.config["mounts"].append({"destination": "/link", "type": "bind", "source": str(b.path), "options": ["bind"]})
    c = tare.run_detached(b).wait_out("ready")
    checkpoint(tare, criu, c, image).ok()
    assert {"1": ["/real"], "2": ["/link"]} in criu.options(1)["23"]


def test_C17_namespaces_from_outside(tare, criu, bundle, image, helper):
    b = bundle(script=HOLD)
    b.linux["namespaces"].append({"type": "network", "path": helper("network")})
    c = tare.run_detached(b).wait_out("ready")
    inode = os.stat(f"/proc/{c.pid}/ns/net").st_ino
    checkpoint(tare, criu, c, image).ok()
    assert criu.options(1)["37"][0] == f"net[{inode}]:extRootNetNS"


def test_C17_pipes_are_those_of_the_start(tare, criu, bundle, image):
    """Also when the program has put another in their place."""
    b = bundle(script="exec 1>&2; echo ready >&2; while :; do sleep 0.05; done")
    b.write()
    read, write = os.pipe()
    other, end = os.pipe()
    try:
        subprocess.run(tare.command("run", "-d", "--bundle", b.path, "pipes"), stdin=subprocess.DEVNULL, stdout=write, stderr=end,
                       check=True)
        names = [os.readlink(f"/proc/self/fd/{fd}") for fd in (write, end)]
        assert os.read(other, 100) == b"ready\n"
        checkpoint(tare, criu, "pipes", image).ok()
        assert json.loads((image / "descriptors.json").read_text())[1:] == names
    finally:
        tare.delete("--force", "pipes")
        for fd in (read, write, other, end):
            os.close(fd)


def test_C17_the_configuration_file_of_criu(tare, criu, bundle, image):
    b = bundle(script=HOLD)
    for value, expected in (("/etc/mine.conf", ["/etc/mine.conf"]), ("", None)):
        b.config["annotations"] = {"org.criu.config": value}
        c = tare.run_detached(b).wait_out("ready")
        criu.plays(SUCCEED)
        checkpoint(tare, criu, c, image).ok()
        assert criu.options(1).get("51") == expected


def test_C17_the_image_is_in_checkpoint_if_nobody_says_where(tare, criu, running, tmp):
    (tmp / "here").mkdir()
    tare.call("checkpoint", running.id, env=criu.env, cwd=tmp / "here").ok()
    assert (tmp / "here/checkpoint/descriptors.json").exists()
    assert (tmp / "here/checkpoint").stat().st_mode & 0o777 == 0o700, "it holds the container's memory"


def test_C17_pre_dump(tare, criu, running, image):
    criu.plays([{"notify": "pre-dump"}, {"succeed": {}}])
    checkpoint(tare, criu, running, image, "--pre-dump").ok()
    assert criu.requests[1] == {"1": [9], "4": [1], "5": [{"1": [1]}]}, "can it track memory?"
    options = criu.options(4)
    assert options["15"] == [1] and "23" not in options
    assert not (image / "descriptors.json").exists() and running.status == "running"


def test_C17_poststop_hooks_run(tare, criu, bundle, image, tmp):
    b = bundle(script=HOLD)
    b.config["hooks"] = {"poststop": [{"path": "/bin/sh", "args": ["sh", "-c", f"cat > {tmp}/told"]}]}
    c = tare.run_detached(b).wait_out("ready")
    checkpoint(tare, criu, c, image).ok()
    assert json.loads((tmp / "told").read_text())["status"] == "stopped"


def test_C17_a_run_in_the_foreground_ends(tare, criu, bundle, image):
    b = bundle(script=HOLD)
    b.write()
    process = subprocess.Popen(tare.command("run", "--bundle", b.path, "fg"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"
        checkpoint(tare, criu, "fg", image).ok()
        assert process.wait(20) == 137
    assert is_gone(tare, "fg")


# ---- checkpoint: what goes wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["created", "stopped"])
def test_C17_only_what_runs_can_be_checkpointed(tare, criu, bundle, image, status):
    c = tare.create(bundle(script="exit"))
    if status == "stopped":
        c.start().ok()
        c.wait("stopped")
    checkpoint(tare, criu, c, image).fails(f"container cannot be checkpointed in {status} state")
    assert not image.exists() and not criu.requests


def test_C17_an_unknown_container(tare, criu, image):
    checkpoint(tare, criu, "nobody", image).fails('container "nobody" does not exist')


def test_C17_criu_is_not_installed(tare, criu, running, image, tmp):
    failed = tare.call("checkpoint", "--image-path", image, running.id, env={**os.environ, "PATH": str(tmp)})
    failed.fails("run criu: it is not installed")
    assert "the package is called criu" in failed.log[-1]["hint"]
    assert running.status == "running"


def test_C17_criu_is_too_old(tare, criu, running, image):
    criu.plays(SUCCEED, version=[3, 14, 0])
    failed = checkpoint(tare, criu, running, image).fails("use criu 3.14.0: it is too old")
    assert failed.log[-1]["hint"] == "install CRIU 3.15 or later"
    assert running.status == "running"


def test_C17_memory_that_cannot_be_tracked(tare, criu, running, image):
    criu.plays(SUCCEED, mem_track=False)
    checkpoint(tare, criu, running, image, "--pre-dump").fails("make a pre-dump", "can't track changes of memory")


REASONS = [
    ("(00.01) Error (criu/sk-inet.c:191): inet: Connected TCP socket, consider using --tcp-established option.", "--tcp-established"),
    ("(00.01) Error (criu/sk-unix.c:815): unix: Can't dump half of stream unix connection.", "--ext-unix-sk"),
    ("(00.01) Error (criu/tty.c:2233): tty: Found dangling tty with sid 1 pgid 1 (pts) on peer fd 0. Consider using --shell-job option.", "--shell-job"),
    ("(00.01) Error (criu/file-lock.c:111): Some file locks are hold by dumping tasks! You can try --file-locks to dump them.", "--file-locks"),
    ("(00.01) Error (criu/files-reg.c:1185): Can't create link remap for /x. Use link-remap option.", "--link-remap"),
    ("(00.01) Error (criu/files-reg.c:1759): Can't lookup mount=28 for fd=1 path=/tmp/log", "mount"),
]


@pytest.mark.parametrize("line,remedy", REASONS, ids=[remedy.strip("-") for _, remedy in REASONS])
def test_C17_the_reason_is_crius_and_the_remedy_is_ours(tare, criu, running, image, line, remedy):
    criu.plays([{"log": "(00.00) Dumping opened files"}, {"log": "(00.00) PID fdinfo 2: pos: 0x0 flags: 1"}, {"log": line},
                {"log": "(00.02) PID fdinfo 0: pos: 0x0"}, {"log": "(00.02) Error (criu/cr-dump.c:1781): Dumping FAILED."},
                {"fail": {"errno": 0}}])
    failed = checkpoint(tare, criu, running, image).fails(line.split("): ")[1], f"fd 2 of process {running.pid} (")
    assert "Dumping FAILED" not in failed.error and "Error (" not in failed.error
    assert remedy in failed.log[-1]["hint"] and f"{image}/dump.log" in failed.log[-1]["hint"]
    assert running.status == "running"


def test_C17_a_reason_that_is_no_files_names_none(tare, criu, running, image):
    criu.plays([{"log": "(00.00) PID fdinfo 2: pos: 0x0 flags: 1"}, {"log": "(00.00) ----------------------------------------"},
                {"log": "(00.01) Error (criu/sk-unix.c:1): unix: External socket is used."}, {"fail": {}}])
    failed = checkpoint(tare, criu, running, image).fails("criu: unix: External socket is used.")
    assert "fd 2" not in failed.error


def test_C17_without_a_log_the_answer_has_the_reason(tare, criu, running, image):
    criu.plays([{"fail": {"errno": 3, "message": "no such thing"}}])
    failed = checkpoint(tare, criu, running, image).fails("criu: no such thing")
    assert failed.log[-1]["hint"] == f"the log is {image}/dump.log"


def test_C17_an_old_log_is_not_taken_for_this_ones(tare, criu, running, image):
    image.mkdir()
    (image / "dump.log").write_text("(00.01) Error (criu/a.c:1): of yesterday\n")
    criu.plays([{"fail": {}}])
    checkpoint(tare, criu, running, image).fails("criu has given up without a reason")


@pytest.mark.parametrize("step,text", [
    ({"die": 1}, "given up without a reason"),
    ({"bytes": [255, 255, 255]}, "understand what criu says"),
    ({"bytes": [8, 1]}, "understand what criu says"),
])
def test_C17_a_criu_that_makes_no_sense(tare, criu, running, image, step, text):
    criu.plays([{"notify": "pre-dump"}, step])
    checkpoint(tare, criu, running, image).fails(text)
    assert running.status == "running"


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_C17_a_signal_breaks_it_off(tare, criu, running, image, name):
    criu.plays([{"notify": "pre-dump"}, {"wait": {}}])
    log = tare.fresh("log")
    process = subprocess.Popen(tare.command("checkpoint", "--image-path", image, running.id, globals=["--log", log]), env=criu.env)
    wait_until(lambda: criu.lines("waiting.json"), "criu to be at work")
    process.send_signal(getattr(signal, "SIG" + name))
    assert process.wait(20) == 1
    assert f"SIG{name} asks us to end" in log.read_text()
    assert criu.requests[-1] == {"end": True}, "it hears of it, and puts everything in order"
    assert running.status == "running"


@pytest.mark.parametrize("options,texts", [
    (["--lazy-pages"], ["lazy pages are not supported"]),
    (["--status-fd", "3"], ["lazy pages are not supported"]),
    (["--manage-cgroups-mode", "some"], ['unknown word "some"']),
    (["--empty-ns", "pid"], ['namespace "pid" can\'t be left empty']),
    (["--page-server", "nowhere"], ['"nowhere" is no page server']),
    (["--page-server", "host:70000"], ['"host:70000" is no page server']),
    (["--parent-path", "/absolute"], ["--parent-path must be relative"]),
    (["--parent-path", "../missing"], ['open the parent image "../missing"']),
])
def test_C17_options_that_cannot_be_obeyed(tare, criu, running, image, options, texts):
    checkpoint(tare, criu, running, image, *options).fails(*texts)
    assert not criu.requests and running.status == "running"


def test_C17_ids_of_a_mount_would_be_lost(tare, criu, bundle, image):
    b = bundle(script=HOLD)
    b.config["mounts"].append({"destination": "/data", "type": "bind", "source": str(b.path / "rootfs/data"), "options": ["bind"],
                               "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
                               "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}]})
    result, c = tare.try_create(b, command="run --detach")
    if not c:
        pytest.skip("no idmapped mounts here: " + result.error)
    c.wait_out("ready")
    checkpoint(tare, criu, c, image).fails('the mount on "/data" has ids of its own', "/mounts/1/uidMappings")
    assert c.status == "running"


# ---- restore: what CRIU is asked for --------------------------------------------------------------------------------


@pytest.fixture
def stored(image):
    """An image, as far as tare looks into it."""
    image.mkdir()
    (image / "descriptors.json").write_text(json.dumps(["/dev/null", "pipe:[11]", "pipe:[12]"]))
    return image


def try_restore(tare, criu, b, image, *options, id="back", write=True, command="restore --detach"):
    if write:
        b.write()
    out, err = tare.fresh("out"), tare.fresh("err")
    with open(out, "w") as out_file, open(err, "w") as err_file:
        result = tare.call(*command.split(), "--bundle", b.path, "--image-path", image, *options, id, out=out_file, err=err_file,
                           env=criu.env)
    c = Container(tare, id, b, result, out, err)
    tare.containers.append(c)
    return result, c


def restore(tare, criu, b, image, *options, **kw):
    result, c = try_restore(tare, criu, b, image, *options, **kw)
    result.ok()
    return c


def test_C18_the_request_of_a_plain_restore(tare, criu, bundle, stored):
    criu.plays(RESTORED)
    b = bundle(script=HOLD)
    c = restore(tare, criu, b, stored)
    assert c.status == "running" and c.state()["bundle"] == str(b.path)
    options, itself = criu.options(2), criu.itself
    assert itself["fds"][str(options.pop("1")[0])] == itself["fds"][str(options.pop("17")[0])] == str(stored)
    root = options.pop("13")[0]
    assert root == str(tare.root / "back/criu-root")
    mounts = [m for m in mountinfo.parse(itself["mounts"]) if m.target == root]
    assert len(mounts) == 1 and (b.path / "rootfs").stat().st_dev, "the rootfs is mounted there, for CRIU only"
    assert root not in Path("/proc/self/mountinfo").read_text() and not Path(root).exists()
    roots = {r.get("1", [""])[0]: r["2"][0] for r in options.pop("25")}
    place = "/" + cgroup.place("back")
    assert set(roots.values()) == {place} and roots
    own = [line.split(":", 2) for line in itself["cgroup"].splitlines()]
    assert {path for _, names, path in own if set(names.split(",")) & set(roots)} == {place}, "CRIU is in the container's cgroups"
    assert options.pop("23"), "devices, notify"
    assert options == {"6": [1], "9": [4], "10": ["restore.log"], "12": [1], "24": [1], "26": [1], "34": [6], "50": [1],
                       "27": [{"1": ["pipe:[11]"], "2": [1]}, {"1": ["pipe:[12]"], "2": [2]}]}
    assert criu.requests[2:] == [{"1": [6], "3": [1]}] * 5, "every notification is confirmed"
    assert c.out == "restored\n"
    c.kill("TERM").ok()
    c.wait("stopped")
    c.delete().ok()
    assert is_gone(tare, "back")


def test_C18_every_option_is_passed_on(tare, criu, bundle, stored, tmp, helper):
    criu.plays(RESTORED)
    b = bundle(script=HOLD)
    net = helper("network")
    b.linux["namespaces"] = [n for n in b.linux["namespaces"] if n["type"] != "uts"]
    b.linux["namespaces"] += [{"type": "network", "path": net}, {"type": "uts", "path": "/proc/self/ns/uts"}]
    restore(tare, criu, b, stored, "--work-path", tmp / "work", "--tcp-established", "--tcp-close", "--ext-unix-sk", "--shell-job",
            "--file-locks", "--auto-dedup", "--manage-cgroups-mode", "ignore", "--empty-ns", "network", "--lsm-profile",
            "apparmor:mine", "--lsm-mount-context", "x_t", "--pid-file", tmp / "pid", "-no-subreaper", "--no-pivot")
    options = criu.options(2)
    assert {k: options[k] for k in ("4", "5", "7", "8", "16", "34", "38", "39", "52", "53", "63")} == {
        "4": [1], "5": [1], "7": [1], "8": [1], "16": [1], "34": [0], "38": [0x40000000],
        "39": [{"1": ["uts"], "2": ["/proc/self/ns/uts"]}], "52": [1], "53": ["apparmor:mine"], "63": ["x_t"]}
    inherited = {f["1"][0]: f["2"][0] for f in options["27"]}
    assert criu.itself["fds"][str(inherited["extRootNetNS"])] == f"net:[{os.stat(net).st_ino}]"
    assert criu.itself["fds"][str(options["17"][0])] == str(tmp / "work")
    assert (tmp / "pid").read_text() == str(tare.state("back")["pid"])


def test_C18_old_criu_and_security_labels(tare, criu, bundle, stored):
    criu.plays(RESTORED, version=[3, 15, 0])
    result, _ = try_restore(tare, criu, bundle(script=HOLD), stored, "--lsm-profile", "apparmor:mine")
    result.fails("this criu is too old")
    assert "3.16" in result.log[-1]["hint"] and is_gone(tare, "back")


def test_C18_mounts_by_their_names(tare, criu, bundle, stored):
    criu.plays(RESTORED)
    b = bundle("docker", script=HOLD)
    c = restore(tare, criu, b, stored)
    mounts = {m["1"][0]: m["2"][0] for m in criu.options(2)["23"]}
    assert mounts["/etc/hosts"] == str(b.path / "hosts") and mounts["/data"] == str(b.path / "data")
    assert mounts["/dev/null"] == "/dev/null", "for what is masked"
    assert mounts["/run/notify"] == str(tare.root / "back/notify")
    limit = cgroup.find(c, "pids.max")
    assert limit.read_text() == "100\n", "limits are in force"
    assert str(c.pid) in (limit.parent / "cgroup.procs").read_text().split()


def test_C18_mount_points_that_are_missing_are_made(tare, criu, bundle, stored):
    criu.plays(RESTORED)
    b = bundle(script=HOLD)
    b.config["mounts"] += [{"destination": "/new/volume", "type": "bind", "source": str(b.path / "rootfs/data"), "options": ["bind"]},
                           {"destination": "/new/volume/file", "type": "bind", "source": "/etc/hostname", "options": ["bind"]},
                           {"destination": "/scratch", "type": "tmpfs", "source": "tmpfs"},
                           {"destination": "/scratch/inner", "type": "tmpfs", "source": "tmpfs"}]
    restore(tare, criu, b, stored)
    rootfs = b.path / "rootfs"
    assert (rootfs / "new/volume").is_dir() and (rootfs / "data/file").is_file(), "in the volume, where it will be seen"
    assert (rootfs / "scratch").is_dir() and not (rootfs / "scratch/inner").exists(), "a tmpfs comes out of the image"


def test_C18_hooks_in_their_order_with_the_pid(tare, criu, bundle, stored, tmp):
    criu.plays(RESTORED)
    b = bundle(script=HOLD)
    kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"]
    script = f"(echo $0; cat; cat {tare.root}/back/state.json | head -c 0; echo) >> {tmp}/told"
    b.config["hooks"] = {k: [{"path": "/bin/sh", "args": ["sh", "-c", script, k]}] for k in kinds}
    c = restore(tare, criu, b, stored)
    lines = (tmp / "told").read_text().split()
    text = (tmp / "told").read_text()
    assert re.findall(r"^\w+$", text, re.M) == ["prestart", "createRuntime", "poststart"], lines
    states = [json.loads(m) for m in re.findall(r"^\{.*\}$", text, re.M)]
    assert [s["pid"] for s in states] == [c.pid] * 3
    assert [s["status"] for s in states] == ["creating", "creating", "running"]


def test_C18_without_notifications(tare, criu, bundle, stored):
    """Without namespaces of its own there is no setup-namespaces; the answer alone has to do."""
    criu.plays([{"succeed": {}}])
    assert restore(tare, criu, bundle(script=HOLD), stored).status == "running"


def test_C18_in_the_foreground_with_signals_and_status(tare, criu, bundle, stored):
    criu.plays(RESTORED)
    b = bundle(script=HOLD)
    b.write()
    process = subprocess.Popen(tare.command("restore", "--bundle", b.path, "--image-path", stored, "fg"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, env=criu.env)
    with process.stdout:
        assert process.stdout.readline() == b"restored\n"
        wait_until(lambda: tare.list()["fg"]["status"] == "running", "the record")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 7
    assert is_gone(tare, "fg")


def test_C18_a_signal_while_they_are_let_go_is_theirs(tare, criu, bundle, stored):
    """They may run already when CRIU has not yet said that it is done."""
    criu.plays([*RESTORED[:4], {"sleep": 1}, *RESTORED[4:]])
    b = bundle(script=HOLD)
    b.write()
    process = subprocess.Popen(tare.command("restore", "--bundle", b.path, "--image-path", stored, "fg"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, env=criu.env)
    with process.stdout:
        wait_until(lambda: criu.lines("sleeping.json"), "criu to let them go")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 7
    assert is_gone(tare, "fg")


def test_C15_C18_the_terminal_goes_to_the_console_socket(tare, criu, terminal_bundle, stored):
    criu.plays([*RESTORED[:3], {"notify": "orphan-pts-master"}, *RESTORED[3:]])
    with ConsoleSocket(tare.work / "console.sock") as console:
        restore(tare, criu, terminal_bundle(), stored, "--console-socket", console.path)
        master, name = console.receive()
        assert os.fstat(master).st_rdev == os.makedev(5, 2) and re.fullmatch(r"/dev/pts/\d+", name)


def test_C18_the_record_can_be_checkpointed_again(tare, criu, bundle, stored, tmp):
    criu.plays(RESTORED)
    c = restore(tare, criu, bundle(script=HOLD), stored)
    criu.plays(SUCCEED)
    checkpoint(tare, criu, c, tmp / "again").ok()
    assert is_gone(tare, "back")


# ---- restore: what goes wrong ---------------------------------------------------------------------------------------


def test_C18_what_is_no_image(tare, criu, bundle, tmp):
    b = bundle(script=HOLD)
    result, _ = try_restore(tare, criu, b, tmp / "nowhere")
    result.fails(f'open the image directory "{tmp}/nowhere"')
    (tmp / "empty").mkdir()
    result, _ = try_restore(tare, criu, b, tmp / "empty")
    result.fails("holds no image of a container")
    for text in ("{", "{}", '"x"', "[1"):
        (tmp / "empty/descriptors.json").write_text(text)
        result, _ = try_restore(tare, criu, b, tmp / "empty")
        result.fails(f'read "{tmp}/empty/descriptors.json"')
    assert not criu.requests and not tare.list()


def test_C18_no_bundle(tare, criu, stored, tmp):
    result = tare.call("restore", "-d", "--bundle", tmp / "nowhere", "--image-path", stored, "back", env=criu.env)
    result.fails(f'open the bundle "{tmp}/nowhere"')


def test_C18_an_id_that_is_in_use(tare, criu, bundle, running, stored):
    result, _ = try_restore(tare, criu, bundle(script=HOLD), stored, id=running.id)
    result.fails("container with given ID already exists")
    assert running.status == "running" and not criu.requests


def test_C18_a_cgroup_namespace_by_path(tare, criu, bundle, stored, helper):
    b = bundle(script=HOLD)
    b.linux["namespaces"].append({"type": "cgroup", "path": "/proc/self/ns/cgroup"})
    result, _ = try_restore(tare, criu, b, stored)
    result.fails("CRIU can't bring a process back into a cgroup namespace")


@pytest.mark.parametrize("name,value", [("intelRdt", {"closID": "x"}), ("netDevices", {"eth9": {}})])
def test_C18_what_would_not_come_back_is_refused(tare, criu, bundle, stored, name, value):
    b = bundle(script=HOLD)
    b.linux["namespaces"].append({"type": "network"})
    b.linux[name] = value
    result, _ = try_restore(tare, criu, b, stored)
    result.fails(f"bring a container with linux.{name} back: not supported", f"/linux/{name}")
    assert is_gone(tare, "back") and not criu.requests


FAILURES = {
    "at once": [{"log": "(00.1) Error (criu/x.c:1): it is broken"}, {"fail": {}}],
    "in the namespaces": [*RESTORED[:2], {"log": "(00.1)      1: Error (criu/x.c:1): it is broken"}, {"fail": {}}],
    "in the processes": [*RESTORED[:3], {"fail": {"message": "it is broken", "errno": 5}}],
    "after them": [*RESTORED[:5], {"fail": {"message": "it is broken"}}],
}


@pytest.mark.parametrize("when", FAILURES)
def test_C18_a_failure_leaves_nothing(tare, criu, bundle, stored, tmp, when):
    criu.plays(FAILURES[when])
    b = bundle(script=HOLD)
    b.config["mounts"].append({"destination": "/new/dir", "type": "tmpfs", "source": "tmpfs"})
    b.write()
    before = b.listing()
    result, _ = try_restore(tare, criu, b, stored, "--pid-file", tmp / "pid", write=False)
    result.fails("criu: it is broken")
    assert result.log[-1]["hint"] == f"the log is {stored}/restore.log"
    assert is_gone(tare, "back") and not (tmp / "pid").exists() and b.listing() == before


@pytest.mark.parametrize("line,remedy", [
    ("Error (criu/image.c:630): Unable to open tty-info.img: Permission denied", "chmod o+x"),
    ("Error (criu/files-reg.c:2353): Can't open file fd/1 on restore: Permission denied", "standard streams must be pipes"),
], ids=["image", "streams"])
def test_C18_what_the_root_of_a_user_namespace_may_not_open(tare, criu, bundle, stored, line, remedy):
    criu.plays([*RESTORED[:3], {"log": f"(00.9)      1: {line}"}, {"fail": {}}])
    result, _ = try_restore(tare, criu, bundle(script=HOLD).user_namespace(), stored)
    result.fails("criu: " + line.split("): ")[1])
    assert remedy in result.log[-1]["hint"] and f"{stored}/restore.log" in result.log[-1]["hint"]
    assert is_gone(tare, "back")


def test_C18_a_criu_that_dies_leaves_nothing(tare, criu, bundle, stored):
    """Its processes may outlive it: whoever is in the cgroups goes."""
    for steps in (RESTORED[:2], RESTORED[:5]):
        criu.plays([*steps, {"die": 1}])
        result, _ = try_restore(tare, criu, bundle(script=HOLD), stored)
        result.fails("criu")
        assert is_gone(tare, "back")


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "poststart"])
def test_C18_a_hook_that_fails_leaves_nothing(tare, criu, bundle, stored, kind):
    criu.plays(RESTORED)
    b = bundle(script=HOLD)
    b.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", "echo nothing doing; exit 3"]}]}
    result, _ = try_restore(tare, criu, b, stored)
    result.fails(f"{kind} hook", "exit status 3: nothing doing")
    assert is_gone(tare, "back")


def test_C18_a_signal_breaks_it_off(tare, criu, bundle, stored):
    criu.plays([*RESTORED[:3], {"wait": {}}])
    b = bundle(script=HOLD)
    b.write()
    log = tare.fresh("log")
    process = subprocess.Popen(tare.command("restore", "-d", "--bundle", b.path, "--image-path", stored, "back", globals=["--log", log]),
                               env=criu.env, stdout=subprocess.DEVNULL)
    wait_until(lambda: criu.lines("waiting.json"), "criu to be at work")
    process.terminate()
    assert process.wait(20) == 1
    assert "SIGTERM asks us to end" in log.read_text()
    assert is_gone(tare, "back")


def test_C18_a_terminal_that_nobody_asked_for(tare, criu, bundle, stored):
    criu.plays([*RESTORED[:3], {"notify": "orphan-pts-master"}, *RESTORED[3:]])
    result, _ = try_restore(tare, criu, bundle(script=HOLD), stored)
    result.fails("the image has a terminal, but nobody would have its other end", "/process/terminal")
    assert is_gone(tare, "back")


def test_C18_a_source_that_is_gone(tare, criu, bundle, stored, tmp):
    b = bundle(script=HOLD)
    b.config["mounts"].append({"destination": "/data", "type": "bind", "source": str(tmp / "gone"), "options": ["bind"]})
    result, _ = try_restore(tare, criu, b, stored)
    result.fails(f'find the source "{tmp}/gone" of a mount', "/mounts/1")
    assert is_gone(tare, "back")


@pytest.mark.skipif(sanitized(), reason="a trace is the same there")
def test_C18_its_trace_names_what_criu_does(tare, criu, bundle, stored, tmp):
    criu.plays(RESTORED)
    restore(tare, criu, bundle(script=HOLD), stored, "--trace", tmp / "trace")
    text = (tmp / "trace").read_text()
    places = [text.index(name) for name in ("make-state", "start-criu", "restore-namespaces", "restore-processes", "release-processes")]
    assert places == sorted(places)
