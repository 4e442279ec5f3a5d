# SPDX-License-Identifier: GPL-2.0-or-later
"""The way back: what a container has written, told (`tare diff`), made an image of (`commit`) or a tar (`export`)."""

import fcntl
import json
import os
import shutil

import pytest

from support.bundle import BUSYBOX
from support.engine import Directory, Link, busybox_layer

pytestmark = pytest.mark.only("tare")
BB = "/bin/busybox "


@pytest.fixture
def box(engine):
    """An engine whose store has the image "box", of two layers."""
    second = {"etc/motd": "hello", "data": Directory(), "data/a": "a", "data/b": "b", "data/sub": Directory(), "data/sub/c": "c",
              "link": Link("etc/motd"), "tmp/.wh.nothing": ""}
    engine.image(layers=[busybox_layer(), second])
    return engine


def keep(engine, script, *options, name="web"):
    """A container that has run this script and ended."""
    engine.call("run", "--name", name, *options, "box", "sh", "-c", script).ok()


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
    ("rm /tmp/nothing; echo >/tmp/nothing", ["C /tmp", "A /tmp/nothing"]),
])
def test_diff_tells_what_a_container_changed(box, script, expected):
    keep(box, script.replace("rm /tmp/nothing;", "rm -f /tmp/nothing;"))
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
