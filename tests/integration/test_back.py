# SPDX-License-Identifier: GPL-2.0-or-later
"""The way back: what a container has written, told (`tare diff`), made an image of (`commit`) or a tar (`export`)."""

import contextlib
import fcntl
import gzip
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from support import runtime as rt
from support.bundle import BUSYBOX, PATH
from support.engine import Directory, Link, busybox_layer
from support.time_limit import scaled

pytestmark = pytest.mark.only("tare")
BB = "/bin/busybox "
CAPABILITY = bytes.fromhex("01000002 00200000 00000000 00000000 00000000")
CAPABILITY_OF = bytes.fromhex("01000003 00200000 00000000 00000000 00000000")  # of a user namespace, whose root's id follows
# user::rw- user:4242:r-- group::r-- mask::r-- other::---, as the kernel's attribute has it
ACL = bytes.fromhex("02000000 01000600ffffffff 0200040092100000 04000400ffffffff 10000400ffffffff 20000000ffffffff")


@pytest.fixture
def box(engine):
    """An engine whose store has the image "box", of two layers."""
    second = {"etc/motd": "hello", "data": Directory(), "data/a": "a", "data/b": "b", "data/sub": Directory(), "data/sub/c": "c",
              "link": Link("etc/motd"), "tmp/.wh.nothing": ""}
    engine.image(layers=[busybox_layer(), second])
    return engine


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, check=True).stdout


class SmallDisk:
    """A tmpfs that can be full."""

    @staticmethod
    @contextlib.contextmanager
    def mounted(path, size):
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
        try:
            yield path
        finally:
            run("umount", path)

    @staticmethod
    def fill(path):
        with open(path / "ballast", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 65536):
                pass

    @staticmethod
    def free(path):
        (path / "ballast").unlink()


@pytest.fixture
def small_disk():
    return SmallDisk


def keep(engine, script, *options, name="web"):
    """A container that has run this script and ended."""
    engine.call("run", "--name", name, *options, "box", "sh", "-c", script).ok()


def human(size):
    return f"{size}B"


def diff(engine, *words):
    return engine.call("diff", *words).ok().out.splitlines()


# ---- diff of a container ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script, expected", [
    ("true", []),
    ("echo x >/new", ["A /new"]),
    ("echo x >/etc/motd", ["C /etc", "C /etc/motd"]),
    ("rm /etc/motd", ["C /etc", "D /etc/motd"]),
    ("rm -r /data", ["D /data"]),
    ("mkdir -p /srv/x/y", ["A /srv", "A /srv/x", "A /srv/x/y"]),
    ("echo >/data/sub/d; echo >/data/z", ["C /data", "C /data/sub", "A /data/sub/d", "A /data/z"]),
    ("rm -r /data; mkdir /data; echo >/data/b; echo >/data/n", ["C /data", "D /data/a", "C /data/b", "A /data/n", "D /data/sub"]),
    ("rm -r /data; echo >/data", ["C /data"]),
    ("rm /etc/motd; mkdir /etc/motd; echo >/etc/motd/in", ["C /etc", "C /etc/motd", "A /etc/motd/in"]),
    ("rm /link; " + BB + "ln -s other /link", ["C /link"]),
    ("chmod 600 /etc/motd", ["C /etc", "C /etc/motd"]),
    ("chmod 644 /etc/motd; chmod 600 /etc/motd; chmod 644 /etc/motd", []),
    (BB + "chown 5 /data", ["C /data"]),
    ("chmod 700 /", ["C /"]),
    ("echo >/tmp/x; rm /tmp/x", []),
    ("echo >/data.x; echo >/data/x", ["C /data", "A /data/x", "A /data.x"]),
    (BB + "mkfifo /pipe", ["A /pipe"]),
    (BB + "ln /etc/motd /etc/other", ["C /etc", "C /etc/motd", "A /etc/other"]),
    (BB + "mv /data/sub /data/moved", ["C /data", "A /data/moved", "A /data/moved/c", "D /data/sub"]),
    ("rm -f /tmp/nothing; echo >/tmp/nothing", ["C /tmp", "A /tmp/nothing"]),
])
def test_diff_tells_what_a_container_changed(box, script, expected):
    keep(box, script)
    assert diff(box, "web") == expected


def test_diff_passes_over_what_was_made_to_mount_something_on(box, tmp):
    (tmp / "host").mkdir()
    (tmp / "host/file").write_text("x")
    options = ("-v", f"{tmp}/host:/srv/deep/volume", "-v", f"{tmp}/host/file:/srv/file", "--tmpfs", "/scratch")
    keep(box, "echo >/srv/deep/volume/new; echo >/scratch/x", *options)
    assert diff(box, "web") == []
    keep(box, "echo >/srv/deep/mine", *options, name="other")
    assert diff(box, "other") == ["A /srv", "A /srv/deep", "A /srv/deep/mine"]


def test_diff_of_a_running_container(box):
    with box.running("echo >/etc/new; echo ready; exec sleep 60", name="web"):
        assert diff(box, "web") == ["C /etc", "A /etc/new"]
    assert "web" not in box.containers()


def test_diff_of_one_in_a_user_namespace_has_its_ids(box):
    keep(box, "echo >/mine; " + BB + "chown 1000:1000 /mine; chmod 600 /etc/motd", "--userns", "300000:65536")
    assert diff(box, "web") == ["C /etc", "C /etc/motd", "A /mine"]
    keep(box, "true", "--userns", "300000:65536", name="other")
    assert diff(box, "other") == []


def test_diff_by_an_id_and_of_what_is_not_there(box):
    keep(box, "echo >/new")
    [record] = box.containers().values()
    assert diff(box, record["ID"][:6]) == ["A /new"]
    box.call("diff", "nobody").fails('there is no container and no image "nobody"')
    box.call("diff", "--layer", "1", "web").fails("--layer is for one image")
    box.call("diff", "web", "box", "box").fails('unexpected operand "box"')


def test_diff_in_other_forms(box):
    keep(box, "echo >/new; rm /etc/motd")
    lines = box.call("diff", "--format", "json", "web").ok().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"Kind": "C", "Path": "/etc"}, {"Kind": "D", "Path": "/etc/motd"}, {"Kind": "A", "Path": "/new"}]
    assert diff(box, "--format", "{{.Path}}={{.Kind}}", "web") == ["/etc=C", "/etc/motd=D", "/new=A"]
    box.call("diff", "--format", "{{.Nonsense}}", "web").fails("Nonsense")


def test_diff_shows_names_to_a_terminal_and_does_not_obey_them(box):
    keep(box, "echo >\"/a$(printf '\\033[31m')\"; echo >\"$(printf '/b\\377')\"".replace("printf", BB + "printf"))
    assert diff(box, "web") == ["A /a\\x1b[31m", "A /b\\xff"]


def test_diff_of_what_overlayfs_has_elsewhere_is_refused(box):
    keep(box, "mkdir /srv")
    [upper] = (box.root / "containers").glob("*/upper")
    os.setxattr(upper / "srv", "trusted.overlay.redirect", b"/data")
    box.call("diff", "web").fails('"/srv" has overlayfs\'s attribute "redirect", so a part of it is in another layer')


def test_a_container_keeps_all_that_it_writes_in_one_place(box):
    """Also where the host's overlayfs would by itself leave a part of it to another layer."""
    told = box.call("run", "--rm", "--explain", "box", "true").ok().out
    assert ",redirect_dir=off,metacopy=off," in told
    keep(box, BB + "mv /data /moved; chmod 600 /etc/motd")
    commit(box, "web", "mine")
    assert box.run("sh", "-c", "cat /etc/motd /moved/sub/c; ls /data", image="mine").out == "helloc"


def test_diff_of_a_container_without_an_image(box, tmp):
    root = tmp / "tree"
    (root / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    box.call("run", "--name", "bare", "--rootfs", root, "/bin/busybox", "true").ok()
    done = box.call("diff", "bare")
    done.fails("has no image, but writes into its root filesystem", f'"{root}" itself')
    assert "hint: tare import makes an image of a directory" in done.err


def test_a_container_is_in_use_while_somebody_makes_it(box):
    keep(box, "echo >/new")
    [directory] = (box.root / "containers").iterdir()
    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        box.call("diff", "web").fails(f"container {directory.name[:12]} is in use")
    finally:
        os.close(fd)
    assert diff(box, "web") == ["A /new"]


# ---- diff of images ---------------------------------------------------------------------------------------------------


def test_diff_of_an_image_is_what_its_top_layer_changes(box):
    lowest = {"keep": "1", "gone": "2", "d": Directory(), "d/old": "3", "same": "4"}
    top = {"gone": "2", ".wh.gone": "", "d": Directory(), "d/.wh..wh..opq": "", "d/new": "5", "keep": "other", "same": "4"}
    del top["gone"]
    box.image("localhost/two:latest", layers=[lowest, top])
    assert diff(box, "two") == ["C /d", "A /d/new", "D /d/old", "D /gone", "C /keep"]
    assert diff(box, "--layer", "2", "two") == diff(box, "two")
    assert diff(box, "--layer", "1", "two") == ["A /d", "A /d/old", "A /gone", "A /keep", "A /same"]
    [told] = json.loads(box.call("image", "inspect", "two").ok().out)
    assert diff(box, "--layer", told["RootFS"]["Layers"][0], "two") == diff(box, "--layer", "1", "two")
    done = box.call("diff", "--layer", "3", "two")
    done.fails('the image has no layer "3"')
    assert "hint: it is a number from 1, the lowest, to 2, or a digest" in done.err


def test_diff_of_an_image_without_layers(box):
    box.image("localhost/none:latest", layers=[])
    assert diff(box, "none") == [] and diff(box, "none", "none") == []


def test_diff_of_two(box):
    box.image("localhost/one:latest", layers=[{"a": "1", "b": "2", "d": Directory(), "d/x": "x"}])
    box.image("localhost/other:latest", layers=[{"a": "1"}, {"b": "3", "e": Directory(), "e/y": "y"}])
    assert diff(box, "one", "other") == ["C /b", "D /d", "A /e", "A /e/y"]
    assert diff(box, "other", "one") == ["C /b", "A /d", "A /d/x", "D /e"]
    keep(box, "true")
    done = box.call("diff", "box", "web")
    done.fails('"web" is a container, and two that are compared must be images')
    assert "hint: tare diff web shows what it has changed" in done.err


def test_the_tree_of_an_image(box):
    """Who ends with a layer, and who has it under others."""
    keep(box, "echo >/new")
    for name in ("mine", "again"):
        commit(box, "web", name, env={"SOURCE_DATE_EPOCH": "1700000000"})
    box.image("localhost/other:1", layers=[busybox_layer(), {"x": "y"}])
    head, *layers = box.call("image", "tree", "mine").ok().out.splitlines()
    ids = [layer[7:19] for layer in config_of(box, "mine")["rootfs"]["diff_ids"]]
    assert head.split()[0] == "localhost/mine:latest"
    assert [line[:16] for line in layers] == [f"|-- {ids[0]}", f"|-- {ids[1]}", f"`-- {ids[2]}"]
    assert layers[0].endswith("  shared with localhost/box:latest, localhost/other:1")
    assert "  localhost/box:latest" in layers[1] and "shared" not in layers[1]
    assert "  localhost/mine:latest, localhost/again:latest" in layers[2]
    told = [json.loads(line) for line in box.call("image", "tree", "--format", "json", "mine").ok().out.splitlines()]
    assert [t["Layer"] for t in told] == [1, 2, 3] and told[2]["CreatedBy"].startswith("sh -c echo >/new")
    assert told[0]["SharedWith"] == ["localhost/box:latest", "localhost/other:1"] and told[1]["Tags"] == ["localhost/box:latest"]
    assert told[2]["Size"] == (box.root / "images/blobs" / told[2]["Digest"].replace(":", "/")).stat().st_size
    # The base has no history, and a history with one layer for three would be refused by others.
    step, *rest = [json.loads(line) for line in box.call("history", "--format", "json", "mine").ok().out.splitlines()]
    assert step["CreatedBy"].startswith("sh -c echo") and step["Size"] == human(told[2]["Size"])
    assert [r["CreatedBy"] for r in rest] == ["", ""] and len(config_of(box, "mine")["history"]) == 3
    assert "sha256:" + ids[0] in box.call("image", "tree", "--no-trunc", "mine").ok().out
    box.call("image", "tree", "nobody").fails('image "nobody" is not in the store')


# ---- commit -----------------------------------------------------------------------------------------------------------


def config_of(engine, name):
    """The config document of an image."""
    manifest = json.loads(engine.call("image", "inspect", "--raw", name).ok().out)
    return json.loads(blob(engine, manifest["config"]["digest"]))


def blob(engine, digest):
    return (engine.root / "images/blobs" / digest.replace(":", "/")).read_bytes()


def top_layer(engine, name):
    """The members of the topmost layer's tar, by name."""
    manifest = json.loads(engine.call("image", "inspect", "--raw", name).ok().out)
    tar = tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(engine, manifest["layers"][-1]["digest"]))))
    return {member.name: member for member in tar}


def commit(engine, *words, **kw):
    out = engine.call("commit", *words, **kw).ok().out
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", out)
    return out.strip()


def test_what_was_committed_runs(box):
    keep(box, "echo new >/etc/motd; rm /data/a; rm -r /data/sub; mkdir /data/sub; echo >/data/sub/x")
    digest = commit(box, "web", "mine:2")
    out = box.run("sh", "-c", "cat /etc/motd; ls /data /data/sub", image="mine:2").ok().out
    assert out.split() == ["new", "/data:", "b", "sub", "/data/sub:", "x"]
    assert {"localhost/mine:2", "localhost/box:latest"} == {f"{i['Repository']}:{i['Tag']}" for i in box.images()}
    assert json.loads(box.call("image", "inspect", "mine:2").ok().out)[0]["Digest"] == digest
    assert diff(box, "mine:2") == diff(box, "web")
    assert set(top_layer(box, "mine:2")) == {
        "etc", "etc/motd", "data", "data/.wh.a", "data/sub", "data/sub/.wh..wh..opq", "data/sub/x"}
    box.call("system", "check").ok()


def test_commit_keeps_what_the_image_says_and_what_was_asked_for(engine):
    config = {"Env": ["PATH=/bin", "A=image"], "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["true"], "User": "0", "WorkingDir": "/home",
              "Labels": {"one": "1", "two": "2"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/vol": {}}, "StopSignal": "SIGINT",
              "Healthcheck": {"Test": ["CMD", "x"], "Interval": 5}, "Shell": ["/bin/sh", "-ec"], "OnBuild": ["RUN x"],
              "StopTimeout": 7, "Domainname": "kept"}
    history = [{"created": "2026-01-02T03:04:05Z", "created_by": "base"}]
    engine.image(config=config, history=history, author="them")
    engine.call("run", "--name", "web", "-e", "A=asked", "-e", "B=2", "-w", "/tmp", "-u", "1000", "--label", "two=II", "box",
                "echo $A >file").ok()
    commit(engine, "-m", "why", "-a", "me", "web", "mine", env={"SOURCE_DATE_EPOCH": "1700000000"})
    told = config_of(engine, "mine")
    assert told["config"] == config | {"Env": ["PATH=/bin", "A=asked", "B=2"], "Cmd": ["echo $A >file"], "User": "1000",
                                       "WorkingDir": "/tmp", "Labels": {"one": "1", "two": "II"}}
    assert told["author"] == "me" and told["created"] == "2023-11-14T22:13:20.000000000Z"
    assert told["history"] == history + [{"created": "2023-11-14T22:13:20.000000000Z", "created_by": "/bin/sh -c echo $A >file",
                                          "author": "me", "comment": "why"}]
    assert len(told["rootfs"]["diff_ids"]) == 2
    assert engine.run(image="mine").ok().out == ""
    commit(engine, "web", "other")
    assert config_of(engine, "other")["author"] == "them"


@pytest.mark.parametrize("options, change", [
    (("--entrypoint", "/bin/cat"), {"Entrypoint": ["/bin/cat"], "Cmd": ["/etc/motd"]}),
    (("--entrypoint", ""), {"Cmd": ["/bin/cat", "/etc/motd"]})])
def test_commit_keeps_another_entrypoint(box, options, change):
    words = change["Cmd"]
    box.call("run", "--name", "web", *options, "box", *words).ok()
    commit(box, "web", "mine")
    told = config_of(box, "mine")["config"]
    del told["Env"]
    assert told == change and box.run(image="mine").ok().out == "hello"


@pytest.mark.parametrize("changes, expected", [
    (['CMD ["a"]'], {"Cmd": ["a"]}), (["ENV X=1", "env Y=2"], {"Env": ["PATH=" + PATH, "X=1", "Y=2"]}),
    (["EXPOSE 80 90/udp"], {"ExposedPorts": {"80/tcp": {}, "90/udp": {}}}), (["LABEL a=b c=\"d e\""], {"Labels": {"a": "b", "c": "d e"}}),
    (["ONBUILD RUN x"], {"OnBuild": ["RUN x"]}), (["USER 5"], {"User": "5"}), (["VOLUME /v"], {"Volumes": {"/v": {}}}),
    (["WORKDIR /w"], {"WorkingDir": "/w"}), (["STOPSIGNAL SIGUSR1"], {"StopSignal": "SIGUSR1"}),
    (["ENTRYPOINT [\"e\"]"], {"Entrypoint": ["e"], "Cmd": None}),
    (["HEALTHCHECK NONE"], {"Healthcheck": {"Test": ["NONE"]}}),
    (["HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD test -e /x"],
     {"Healthcheck": {"Test": ["CMD-SHELL", "test -e /x"], "Interval": 90_000_000_000, "Timeout": 500_000_000, "Retries": 3}}),
    (["healthcheck --start-period=2h --start-interval=5s cmd [\"a\",\"b\"]"],
     {"Healthcheck": {"Test": ["CMD", "a", "b"], "StartPeriod": 7_200_000_000_000, "StartInterval": 5_000_000_000}}),
])
def test_commit_changes_the_config(box, changes, expected):
    keep(box, "true")
    commit(box, *(word for change in changes for word in ("-c", change)), "web", "mine")
    told = config_of(box, "mine")["config"]
    assert {name: told.get(name) for name in expected} == expected


@pytest.mark.parametrize("words, message, hint", [
    (["-c", "RUN make"], 'change "RUN make": unknown instruction', "it is CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL"),
    (["-c", "ENTRYPONT x"], 'change "ENTRYPONT x": unknown instruction', "did you mean ENTRYPOINT? it is CMD"),
    (["-c", "HEALTHCHECK CMD"], "it goes on with CMD and a command, or NONE", None),
    (["-c", "HEALTHCHECK --interval=5 CMD x"], '"--interval=5" is no time', "a number with h, m, s, ms, us or ns: 1m30s"),
    (["-c", "HEALTHCHECK --retry=5 CMD x"], 'unknown option "--retry=5"', None),
    (["-c", "HEALTHCHECK --retries=x CMD x"], '"--retries=x" is no number', None),
    (["--compression", "lz4"], 'unknown compression "lz4"', "it is gzip, zstd or none"),
])
def test_commit_refuses_what_makes_no_sense(box, words, message, hint):
    keep(box, "echo >/new")
    done = box.call("commit", *words, "web", "mine")
    done.fails(message)
    assert not hint or hint in done.err
    assert [i["Repository"] for i in box.images()] == ["localhost/box"]
    assert box.call("image", "gc").ok().out == "freed: 0B\n"


def test_commit_of_what_is_not_there_and_to_no_name(box):
    keep(box, "true")
    box.call("commit", "nobody").fails('container "nobody" does not exist')
    box.call("commit", "web", "UPPER").fails('"UPPER"')
    box.call("commit", "web", "a@sha256:" + "0" * 64).fails("has a digest, and a name can't choose its own")


def test_commit_without_a_name(box):
    keep(box, "echo >/new")
    commit(box, "web")
    assert sorted(f"{i['Repository']}:{i['Tag']}" for i in box.images()) == ["<none>:<none>", "localhost/box:latest"]


def test_commit_of_nothing_is_no_layer(box):
    keep(box, "true")
    commit(box, "-c", "ENV X=1", "web", "mine")
    told = config_of(box, "mine")
    assert len(told["rootfs"]["diff_ids"]) == 2 and told["history"][-1]["empty_layer"] is True
    assert box.run("sh", "-c", "echo $X", image="mine").ok().out == "1\n"


def test_the_same_content_is_the_same_bytes(box):
    """Whatever the order of making, the container, its user namespace and the clock."""
    epoch = {"SOURCE_DATE_EPOCH": "1600000000"}
    first = "mkdir /d; echo x >/d/a; echo y >/d/b; " + BB + "ln /d/a /d/c; rm /etc/motd; " + BB + "chown 5:6 /d/b"
    second = "mkdir /d; echo y >/d/b; " + BB + "chown 5:6 /d/b; rm /etc/motd; echo z >/d/z; rm /d/z; echo x >/d/a; " + BB + "ln /d/a /d/c"
    keep(box, first)
    keep(box, second, name="other")
    keep(box, second, "--userns", "300000:65536", name="mapped")
    changes = ("-c", 'CMD ["sh"]')
    layers = set()
    for name in ("web", "other", "mapped"):
        commit(box, *changes, name, f"of-{name}", env=epoch)
        layers.add(config_of(box, f"of-{name}")["rootfs"]["diff_ids"][-1])
    assert len(layers) == 1
    members = top_layer(box, "of-mapped")
    assert (members["d/b"].uid, members["d/b"].gid, members["d/b"].uname, members["d/b"].mtime) == (5, 6, "", 1600000000)
    assert members["d/c"].islnk() and members["d/c"].linkname == "d/a"
    assert commit(box, "-c", "LABEL x=1", "web", "a", env=epoch) == commit(box, "-c", "LABEL x=1", "web", "b", env=epoch)


def test_commit_of_everything_that_a_file_can_be(box):
    """Written into the upper directory as a container with every right could have, and read back by one of the image."""
    keep(box, "mkdir /d; echo x >/d/file; : >/d/.file; " + BB + "mkfifo /d/pipe; " + BB + "mknod /d/dev b 7 1; chmod 4755 /d/file")
    [upper] = (box.root / "containers").glob("*/upper")
    os.setxattr(upper / "d/file", "security.capability", CAPABILITY)
    os.setxattr(upper / "d/file", "user.note", b"n")
    os.setxattr(upper / "d", "system.posix_acl_default", ACL)
    with open(upper / "d/sparse", "wb") as file:
        file.truncate(1 << 20)
    os.utime(upper / "d/sparse", ns=(1, 1_600_000_000_123_456_789))
    (upper / os.fsdecode(b"d/odd\xff")).write_text("odd")
    commit(box, "web", "mine")
    with box.running("echo ready; exec sleep 60", image="mine", name="look"):
        d = Path(f"/proc/{state(box)['pid']}/root/d")
        assert os.getxattr(d / "file", "security.capability") == CAPABILITY and os.getxattr(d / "file", "user.note") == b"n"
        assert os.getxattr(d, "system.posix_acl_default") == ACL
        assert stat.S_ISFIFO((d / "pipe").stat().st_mode) and (d / "file").stat().st_mode & 0o7777 == 0o4755
        assert (d / "dev").stat().st_rdev == os.makedev(7, 1) and stat.S_ISBLK((d / "dev").stat().st_mode)
        assert (d / "sparse").stat().st_size == 1 << 20 and (d / "sparse").stat().st_mtime_ns == 1_600_000_000_123_456_789
        assert (d / os.fsdecode(b"odd\xff")).read_text() == "odd" and (d / ".file").exists()


def test_commit_of_a_user_namespace_has_the_containers_ids(box):
    keep(box, "echo >/mine; " + BB + "chown 1000:2000 /mine; mkdir /d; echo x >/d/f", "--userns", "300000:65536")
    [upper] = (box.root / "containers").glob("*/upper")
    assert (upper / "mine").stat().st_uid == 301000
    # As the container's root would have set it: a capability of that user namespace's root
    os.setxattr(upper / "d/f", "security.capability", CAPABILITY_OF + (300000).to_bytes(4, "little"))
    os.setxattr(upper / "d/f", "system.posix_acl_access", ACL.replace((4242).to_bytes(4, "little"), (304242).to_bytes(4, "little")))
    commit(box, "web", "mine")
    members = top_layer(box, "mine")
    assert (members["mine"].uid, members["mine"].gid) == (1000, 2000) and members["d/f"].uid == 0
    box.run("true", image="mine").ok()
    unpacked = box.root / "layers" / config_of(box, "mine")["rootfs"]["diff_ids"][-1].replace(":", "-")
    assert os.getxattr(unpacked / "d/f", "security.capability") == CAPABILITY
    assert os.getxattr(unpacked / "d/f", "system.posix_acl_access") == ACL


def test_commit_refuses_an_owner_that_the_container_has_not(box):
    keep(box, "echo >/mine", "--userns", "300000:1000")
    [upper] = (box.root / "containers").glob("*/upper")
    os.chown(upper / "mine", 5, 300000)
    box.call("commit", "web", "mine").fails('pack "/mine": its owner 5:300000 is none of the container\'s ids, 300000 to 300999')
    assert box.call("image", "gc").ok().out == "freed: 0B\n"


def test_commit_refuses_a_name_that_would_hide_another(box):
    keep(box, "echo >/.wh.x")
    box.call("commit", "web", "mine").fails('pack "/.wh.x": its name would hide another file in a layer')
    assert len(box.images()) == 1 and box.call("image", "gc").ok().out == "freed: 0B\n"


def test_commit_of_a_container_without_an_image(box, tmp):
    root = tmp / "tree"
    (root / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    box.call("run", "--name", "bare", "--rootfs", root, "/bin/busybox", "true").ok()
    box.call("commit", "bare", "mine").fails("has no image, but writes into its root filesystem")


def state(engine):
    [record] = (engine.runroot / "oci").iterdir()
    return json.loads(run(rt.binary(), "--root", engine.runroot / "oci", "state", record.name))


@pytest.mark.parametrize("pause", [True, False])
def test_commit_of_a_running_container(box, pause):
    """Paused meanwhile unless that was refused, and afterwards it goes on."""
    with box.running("echo 1 >/new; dd if=/dev/urandom of=/big bs=1M count=20 2>/dev/null; echo ready; exec sleep 60", name="web"):
        command = box.command("commit", *([] if pause else ["--pause=false"]), "web", "mine")
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            seen = set()
            while process.poll() is None:
                seen.add(state(box)["status"])
            assert process.returncode == 0
        assert ("paused" in seen) == pause and state(box)["status"] == "running"
    assert set(top_layer(box, "mine")) == {"new", "big"}


def test_a_signal_ends_commit_and_the_container_goes_on(box):
    with box.running("dd if=/dev/urandom of=/big bs=1M count=60 2>/dev/null; : >/then; echo ready; exec sleep 60", name="web"):
        with subprocess.Popen(box.command("commit", "web", "mine"), stderr=subprocess.PIPE, text=True) as process:
            while state(box)["status"] != "paused":
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert "a signal asked to stop" in process.stderr.read()
            assert process.wait() == 1
        assert state(box)["status"] == "running"
    assert len(box.images()) == 1 and box.call("image", "gc").ok().out == "freed: 0B\n"


@pytest.fixture
def killed_commit(box):
    """A container "web" that a commit was paused in, which was killed then. While it lived, nobody let the container go on."""
    with box.running("dd if=/dev/urandom of=/big bs=1M count=60 2>/dev/null; echo ready; while :; do date +%s%N >/now; sleep 0.02; done", name="web"):
        with subprocess.Popen(box.command("commit", "web", "mine"), stderr=subprocess.DEVNULL) as process:
            while state(box)["status"] != "paused":
                assert process.poll() is None
            process.send_signal(signal.SIGSTOP)
            assert box.containers()["web"]["State"] == "paused"
            box.call("commit", "--pause=false", "web", "other").ok()
            assert state(box)["status"] == "paused"
            process.kill()
        assert state(box)["status"] == "paused" and list((box.root / "containers").glob("*/pausing"))
        yield
        assert state(box)["status"] == "running" and not list((box.root / "containers").glob("*/pausing"))
        [now] = (box.root / "containers").glob("*/upper/now")
        before, deadline = now.read_text(), time.monotonic() + scaled(20)
        while now.read_text() in ("", before):
            assert time.monotonic() < deadline, "it does not go on"
            time.sleep(0.02)
    assert box.call("image", "gc").status == 0


@pytest.mark.parametrize("words", [["ps"], ["run", "--rm", "box", "true"], ["commit", "--pause=false", "web", "mine"], ["commit", "web", "mine"]],
                         ids=["ps", "run", "commit --pause=false", "commit"])
def test_what_a_killed_commit_has_paused_goes_on(box, killed_commit, words):
    box.call(*words).ok()


def test_what_somebody_else_has_paused_stays_so(box):
    """A mark that a killed commit left before it had paused anything goes with the next command; then a pause is somebody's own."""
    with box.running("echo ready; exec sleep 60", name="web"):
        [directory] = (box.root / "containers").iterdir()
        oci = [rt.binary(), "--root", box.runroot / "oci"]
        (directory / "pausing").touch()
        box.call("ps").ok()
        assert not (directory / "pausing").exists()
        run(*oci, "pause", directory.name)
        for words in (["ps"], ["run", "--rm", "box", "true"], ["commit", "web", "mine"]):
            box.call(*words).ok()
            assert state(box)["status"] == "paused"
        run(*oci, "resume", directory.name)


def test_commit_of_a_paused_container_leaves_it_so(box):
    with box.running("echo 1 >/new; echo ready; exec sleep 60", name="web"):
        [record] = (box.runroot / "oci").iterdir()
        oci = [rt.binary(), "--root", box.runroot / "oci"]
        run(*oci, "pause", record.name)
        commit(box, "web", "mine")
        assert state(box)["status"] == "paused"
        run(*oci, "resume", record.name)


def test_commit_when_the_disk_is_full(engine, small_disk):
    engine.root.mkdir()
    with small_disk.mounted(engine.root, "32m"):
        engine.image()
        commit_to_a_full_disk(engine, small_disk)
        engine.clean_up()


def commit_to_a_full_disk(box, small_disk):
    keep(box, "dd if=/dev/urandom of=/big bs=1M count=3 2>/dev/null")
    blobs = sorted(p.name for p in (box.root / "images/blobs/sha256").iterdir())
    small_disk.fill(box.root)
    box.call("commit", "web", "mine").fails("(ENOSPC)")
    small_disk.free(box.root)
    assert sorted(p.name for p in (box.root / "images/blobs/sha256").iterdir()) == blobs and len(box.images()) == 1
    assert os.listdir(box.root / "staging") == []
    commit(box, "web", "mine")
    box.call("system", "check").ok()


# ---- export -----------------------------------------------------------------------------------------------------------


def exported(engine, name, *options):
    data = subprocess.run(engine.command("export", *options, name), capture_output=True, check=True).stdout
    return {member.name: member for member in tarfile.open(fileobj=io.BytesIO(data))}


def test_export_is_the_whole_root(box, tmp):
    keep(box, "echo mine >/etc/motd; rm -r /data; echo >/.wh.name; " + BB + "chown 7 /etc/motd")
    members = exported(box, "web")
    assert {"bin/busybox", "bin/sh", "etc/motd", ".wh.name", "."} <= set(members) and "data" not in members
    assert members["etc/motd"].uid == 7 and members["bin/sh"].linkname == "busybox"
    box.call("export", "-o", tmp / "out.tar", "web").ok()
    assert os.listdir(tmp).count("out.tar") == 1 and not list(tmp.glob("out.tar.*"))
    with tarfile.open(tmp / "out.tar") as tar:
        assert tar.extractfile("etc/motd").read() == b"mine\n"


def test_what_was_exported_is_imported_and_runs(box):
    keep(box, "echo mine >/etc/motd")
    data = subprocess.run(box.command("export", "web"), capture_output=True, check=True).stdout
    subprocess.run(box.command("import", "-", "flat"), input=data, capture_output=True, check=True)
    assert box.run("cat", "/etc/motd", image="flat").ok().out == "mine\n"


def test_export_is_the_same_bytes_each_time(box):
    keep(box, "echo >/new")
    tars = {subprocess.run(box.command("export", "web"), capture_output=True, check=True).stdout for _ in range(2)}
    assert len(tars) == 1


def test_export_of_a_user_namespace_has_its_ids(box):
    keep(box, "echo >/mine; " + BB + "chown 1000:2000 /mine", "--userns", "300000:65536")
    members = exported(box, "web")
    assert (members["mine"].uid, members["mine"].gid) == (1000, 2000) and members["bin/busybox"].uid == 0


def test_export_of_a_running_container_and_of_one_without_an_image(box, tmp):
    with box.running("echo 1 >/new; echo ready; exec sleep 60", name="web"):
        assert "new" in exported(box, "web")
    root = tmp / "tree"
    (root / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    box.call("run", "--name", "bare", "--rootfs", root, "/bin/busybox", "true").ok()
    assert "bin/busybox" in exported(box, "bare")


def test_export_refuses_a_terminal(box):
    keep(box, "true")
    master, slave = os.openpty()
    try:
        done = subprocess.run(box.command("export", "web"), stdout=slave, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 1 and "standard output is a terminal" in done.stderr
    assert "hint: say where to with --output FILE" in done.stderr


@pytest.mark.parametrize("words", [["export", "web"], ["save", "box"]])
def test_what_is_no_file_is_written_into_and_not_replaced(box, tmp, words):
    keep(box, "true")
    os.mknod(tmp / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    box.call(words[0], "-o", tmp / "null", words[1]).ok()
    assert stat.S_ISCHR((tmp / "null").stat().st_mode) and not list(tmp.glob("null.*"))
    os.mkfifo(tmp / "pipe")
    with subprocess.Popen(box.command(words[0], "-o", tmp / "pipe", words[1])) as process:
        assert tarfile.open(fileobj=io.BytesIO((tmp / "pipe").read_bytes())).getnames()
        assert process.wait() == 0
    box.call(words[0], "-o", tmp, words[1]).fails("(EISDIR)")


def test_export_when_the_disk_is_full(box, tmp, small_disk):
    keep(box, "true")
    (tmp / "full").mkdir()
    with small_disk.mounted(tmp / "full", "64k"):
        box.call("export", "-o", tmp / "full/out.tar", "web").fails("write: no space or no room left (ENOSPC)")
        assert os.listdir(tmp / "full") == []
