# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare` as a user who is not root calls it: with subordinate ids, and with no id but his own."""

import os
import shutil
import signal
import subprocess

import pytest

from support.background import start, until
from support.engine import Directory, File, busybox_layer, layer_tar
from support.registry import FakeRegistry, digest_of, environment
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


# ---- from a registry ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(user, tmp):
    """One on loopback with the image "a:1"; and the user's own configuration, which trusts it."""
    home = user.work / "home"
    env = environment(home)
    user.under += [f"XDG_RUNTIME_DIR={env['XDG_RUNTIME_DIR']}", f"CONTAINERS_REGISTRIES_CONF={env['CONTAINERS_REGISTRIES_CONF']}"]
    with FakeRegistry() as fake:
        fake.image("a", "1", [layer_tar(entries) for entries in LAYERS])
        fake.image("b", "1", [layer_tar(ROOTS_ONLY[0])])
        user.own()
        yield fake


def owners(directory):
    """The ids of everything below it, the directory included."""
    found = {directory.lstat().st_uid, directory.lstat().st_gid}
    for path in directory.rglob("*"):
        found |= {path.lstat().st_uid, path.lstat().st_gid}
    return found


def test_pull_and_run(given, registry):
    """Layers have the image's owners by the user's subordinate ids, and whiteouts in the form that needs no root."""
    name = f"{registry.host}/a:1"
    assert given.call("pull", name).ok().out == name + "\n"
    (layer,) = [p for p in (given.root / "layers").iterdir() if (p / "mine").exists()]
    assert ((layer / "mine").stat().st_uid, (layer / "mine").stat().st_gid) == (FIRST + 4, FIRST + 5)
    assert owners(given.root / "images") == {UID} and owners(given.root / "layers") <= {UID, *range(FIRST, FIRST + COUNT)}
    asked = len(registry.requests)
    out = given.call("run", "--rm", name, "sh", "-c", "id -u; stat -c '%u:%g' /mine; ls /opaque; ls /gone 2>&1; true").ok().out.splitlines()
    assert out == ["0", "5:6", "own", "ls: /gone: No such file or directory"] and len(registry.requests) == asked
    given.call("system", "check").ok()
    given.call("rmi", name).ok()
    assert list((given.root / "images/blobs/sha256").iterdir()) == list((given.root / "layers").iterdir()) == []


def test_run_pulls_what_is_missing(given, registry):
    done = given.call("run", "--rm", f"{registry.host}/a:1", "cat", "/mine").ok()
    assert done.out == "x" and f"pulling {registry.host}/a:1" in done.err
    assert [i["Tag"] for i in given.images()] == ["1"]


def test_pull_and_run_with_one_id_alone(not_given, registry):
    """An image of root's alone; and one that needs more ids names the first file that can't have its owner."""
    not_given.call("pull", f"{registry.host}/b:1").ok()
    assert not_given.call("run", "--rm", f"{registry.host}/b:1", "id", "-u").ok().out == "0\n"
    done = not_given.call("pull", f"{registry.host}/a:1").fails("unpack layer", "give it to ")
    assert "hint: the user has too few subordinate ids" in done.err
    assert [i["Tag"] for i in not_given.images()] == ["1"] and owners(not_given.root / "layers") == {UID}
    # The other layers were broken off
    not_given.call("image", "gc").ok()
    assert list((not_given.root / "staging").iterdir()) == []


def test_a_pull_by_a_user_that_fails_leaves_nothing(given, registry):
    tar = layer_tar({"file": os.urandom(100_000)})
    registry.image("c", "1", [tar])
    digest = digest_of(tar)
    registry.blobs[digest] = tar[:-1] + b"!"
    given.call("pull", f"{registry.host}/c:1").fails(f"get blob {digest}")
    given.call("image", "gc").ok()
    assert given.images() == [] and list((given.root / "staging").iterdir()) == []


# ---- unshare --------------------------------------------------------------------------------------------------------------


def test_unshare_sees_files_as_the_containers_do(given):
    given.image(layers=LAYERS)
    given.own()
    given.sh("true").ok()
    (layer,) = [p for p in (given.root / "layers").iterdir() if (p / "mine").exists()]
    out = given.call("unshare", "sh", "-c", 'id -u; stat -c %u:%g "$0"; exit 7', layer / "mine")
    assert (out.status, out.out) == (7, "0\n5:6\n")
    assert (layer / "mine").stat().st_uid == FIRST + 4


def test_unshare_says_what_cannot_be_run(given, tmp):
    (tmp / "text").write_text("no program")
    given.call("unshare", tmp / "nothing").fails(f"{tmp}/nothing", "not there", status=127)
    given.call("unshare", tmp / "text").fails(f"{tmp}/text", "EACCES", status=126)


def test_unshare_with_one_id(not_given):
    assert not_given.call("unshare", "id", "-u").ok().out == "0\n"


# ---- in the background ---------------------------------------------------------------------------------------------------


def background(engine, *options):
    c = start(engine, "echo ready; trap 'exit 3' TERM; while :; do sleep 0.05; done", *options)
    until(lambda: c.log_path.exists() and c.entries(), "ready")
    return c


@pytest.mark.parametrize("ids", ["given", "not_given"])
def test_in_the_background(request, ids):
    engine = request.getfixturevalue(ids)
    engine.image(layers=ROOTS_ONLY)
    engine.own()
    c = background(engine)
    assert c.status().startswith("Up ")
    assert engine.call("exec", c.id, "sh", "-c", "id -u; exit 5").out == "0\n"
    assert engine.call("logs", c.id).ok().out == "ready\n"
    c.call("stop").ok()
    assert c.status().startswith("Exited (3)")
    c.call("start").ok()
    c.call("kill").ok()
    assert c.wait() == 137
    c.call("rm").ok()
    assert engine.containers() == {}


def test_of_another_user_in_the_background(given):
    """Its processes are another user's on the host, whom only root of the same user namespace may signal."""
    given.image()
    given.own()
    c = background(given, "-u", "user")
    other = background(given, "--name", "other")
    assert given.call("exec", c.id, "id", "-u").ok().out == "1000\n"
    assert given.call("exec", "-u", "0", c.id, "touch", "/home/user/x").ok()
    os.kill(other.monitor(), signal.SIGKILL)
    c.call("stop").ok()
    assert c.status().startswith("Exited (3)")
    given.call("rm", "-f", c.id, "other").ok()
