# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare` as a user who is not root calls it: with subordinate ids, and with no id but his own."""

import os
import shutil
import subprocess

import pytest

from support.engine import Directory, File, busybox_layer
from support.user import BY_ROOT, COUNT, FIRST, GID, UID, needs_root, subids

pytestmark = [needs_root, pytest.mark.only("tare")]
BECOME = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"] if BY_ROOT else []


@pytest.fixture
def user(engine):
    """The engine as the user calls it; own() gives him what a test wrote into the store."""
    engine.under = [*BECOME, "env", f"HOME={engine.work / 'home'}", f"XDG_RUNTIME_DIR={engine.work / 'xdg'}"]
    for name in ("home", "xdg", "store", "run"):
        (engine.work / name).mkdir(mode=0o700)
    os.chown(engine.work, UID, GID)

    def own():
        for directory, dirs, files in os.walk(engine.work):
            for name in [".", *dirs, *files]:
                os.chown(os.path.join(directory, name), UID, GID, follow_symlinks=False)
    engine.own = own
    yield engine


@pytest.fixture
def given(user, tmp):
    with subids(tmp):
        yield user


@pytest.fixture
def not_given(user, tmp):
    with subids(tmp, ""):
        yield user


LAYERS = [busybox_layer(), {"mine": File("x", uid=5, gid=6), "gone": "1", "opaque": Directory(), "opaque/below": "1"},
          {".wh.gone": "", "opaque": Directory(), "opaque/.wh..wh..opq": "", "opaque/own": File("o", uid=7)}]
ROOTS_ONLY = [{name: entry for name, entry in busybox_layer().items() if name != "home/user"}]


def test_ids_are_the_images_and_whiteouts_hide(given):
    given.image(layers=LAYERS)
    given.own()
    script = "id -u; stat -c '%u:%g' /mine /opaque/own; ls /opaque; ls /gone 2>&1; echo x > /new && stat -c %u /new; cat /proc/self/uid_map"
    for _ in range(2):
        out = given.sh(script).ok().out.splitlines()
        assert out[:6] == ["0", "5:6", "7:0", "own", "ls: /gone: No such file or directory", "0"]
        assert [line.split() for line in out[6:]] == [["0", str(UID), "1"], ["1", str(FIRST), str(COUNT)]]
    (layer,) = [p for p in (given.root / "layers").iterdir() if (p / "mine").exists()]
    assert (layer / "mine").stat().st_uid == FIRST + 4
    (layer,) = [p for p in (given.root / "layers").iterdir() if (p / "opaque/own").exists()]
    assert os.getxattr(layer / "opaque", "user.overlay.opaque") == b"y"
    assert (layer / "gone").is_char_device()


def test_users_of_the_container_are_its_own(given):
    given.image()
    given.own()
    assert given.sh("id -u; touch /home/user/x && stat -c %u /home/user/x", "-u", "user").ok().out.split() == ["1000", "1000"]
    assert given.sh("mount -t tmpfs x /tmp && echo root", "--cap-add", "sys_admin", "--security-opt", "seccomp=unconfined").ok().out == "root\n"


def test_what_is_kept_is_listed_and_removed(given):
    given.image(layers=LAYERS)
    given.own()
    given.call("run", "--name", "kept", "box", "sh", "-c", "echo x > /kept; chown 9:9 /kept").ok()
    assert given.containers()["kept"]["Status"].startswith("Exited (0)")
    (container,) = (given.root / "containers").iterdir()
    assert (container / "upper/kept").stat().st_uid == FIRST + 8
    given.call("rm", "kept").ok()
    assert not container.exists()
    given.call("system", "check").ok()
    given.call("rmi", "box").ok()
    given.call("image", "gc").ok()
    assert list((given.root / "layers").iterdir()) == []


def test_directories_are_those_of_xdg(given):
    given.image()
    given.own()
    shutil.rmtree(given.root / "layers", ignore_errors=True)
    home = given.work / "home"
    (home / ".local/share").mkdir(parents=True)
    shutil.move(given.root, home / ".local/share/tare")
    given.own()
    done = subprocess.run([*given.under, given.path, "run", "--rm", "box", "echo", "hi"], capture_output=True, text=True, check=False)
    assert done.stdout == "hi\n", done.stderr
    assert (home / ".local/share/tare/layers").is_dir() and (given.work / "xdg/tare").is_dir()


def test_without_a_runtime_directory_there_is_one_in_tmp(given):
    given.image()
    given.own()
    with_one, given.under = given.under, [*BECOME, "env", "-u", "XDG_RUNTIME_DIR", f"HOME={given.work / 'home'}"]
    place = f"/tmp/tare-run-{UID}"
    assert not os.path.exists(f"/run/user/{UID}") and not os.path.exists(place)
    try:
        assert given.sh("echo hi").ok().out == "hi\n"
        assert os.stat(place).st_uid == UID and os.stat(place).st_mode & 0o777 == 0o700
        os.chmod(place, 0o777)
        given.sh("echo hi").fails(f'"{place}" is somebody else\'s, or others may write to it', status=125)
    finally:
        given.under = with_one
        shutil.rmtree(place, ignore_errors=True)


def test_with_no_id_but_his_own_an_image_of_roots_runs(not_given):
    not_given.image(layers=ROOTS_ONLY)
    not_given.own()
    out = not_given.sh("id -u; echo x > /new && cat /new; cat /proc/self/uid_map").ok().out.split()
    assert out == ["0", "x", "0", str(UID), "1"]


def test_with_no_id_but_his_own_other_owners_are_refused_with_the_remedy(not_given):
    not_given.image(layers=LAYERS)
    not_given.own()
    result = not_given.run("true")
    result.fails("give it to 1000:1000", status=125)
    assert "usermod --add-subuids" in result.err
    assert not_given.containers() == {}


def test_a_user_namespace_that_may_not_be_made_is_named(not_given):
    not_given.image(layers=ROOTS_ONLY)
    not_given.own()
    not_given.under += ["strace", "-f", "-o", "/dev/null", "-e", "inject=clone:error=ENOSPC:when=1"]
    result = not_given.run("true")
    result.fails("make a user namespace, without which uid", status=125)
    assert "user.max_user_namespaces" in result.err
