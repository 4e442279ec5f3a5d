# SPDX-License-Identifier: GPL-2.0-or-later
"""
`tare copy` between registries, layouts, archives and the store, and what commit, save and copy write in the hands of others: skopeo,
umoci, buildah and podman read and run it, and what they write is read and run, bit for bit.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from support import runtime as rt
from support.engine import Layout, busybox_layer
from support.registry import DockerRegistry, digest_of, environment
from support.time_limit import scaled

pytestmark = pytest.mark.only("tare")


def needs(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {' '.join(missing)}")


@pytest.fixture
def tare(engine, tmp):
    """Calls tare with nothing of the host's configuration; the store has the image "box"."""
    env = environment(tmp)
    engine.image(layers=[busybox_layer(), {"etc/motd": "hello"}], config={"Cmd": ["cat", "/etc/motd"]})
    return lambda *words, **kw: engine.call(*words, env={**env, **kw.pop("extra", {})}, **kw)


@pytest.fixture
def call(tmp):
    """Another tool, with a home of its own."""
    env = environment(tmp)

    def run(*words):
        done = subprocess.run(list(map(str, words)), env=env, cwd=tmp, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return run


def raw(engine, name):
    return engine.call("image", "inspect", "--raw", name).ok().out


def names(engine):
    return sorted(f"{i['Repository']}:{i['Tag']}" for i in engine.images())


WRAPPER = rt.REPO / "build/tests/old-kernel"


def index_of(layout):
    return json.loads((layout / "index.json").read_text())["manifests"]


def assert_nothing_left(engine, *kept):
    assert names(engine) == sorted(kept)
    assert engine.call("image", "gc").ok().out == "freed: 0B\n"
    engine.call("system", "check").ok()


# ---- every way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["oci:{}/layout:v1", "oci:{}/layout", "oci-archive:{}/a.tar:v1", "oci-archive:{}/a.tar",
                                   "docker-archive:{}/a.tar:box:2", "docker-archive:{}/a.tar"])
def test_copy_to_a_file_and_back_is_the_same_image(tare, engine, other, tmp, place):
    place = place.format(tmp)
    tare("copy", "box", place).ok()
    other.call("copy", place, "store:back").ok()
    if place.startswith("oci"):
        assert raw(other, "back") == raw(engine, "box")
    other.run(image="back").ok()
    assert json.loads(raw(other, "back"))["config"]["digest"] == json.loads(raw(engine, "box"))["config"]["digest"]
    assert other.run(image="back").ok().out == "hello"
    assert_nothing_left(other, "localhost/back:latest")
    assert_nothing_left(engine, "localhost/box:latest")


@needs("docker-registry")
@pytest.mark.parametrize("place", ["oci:{}/layout:v1", "oci-archive:{}/a.tar", "docker-archive:{}/a.tar:box:2"])
def test_copy_between_a_registry_and_a_file(tare, engine, other, tmp, place):
    place = place.format(tmp)
    with DockerRegistry(tmp) as registry:
        tare("copy", "box", f"docker://{registry.host}/box:1").ok()
        tare("copy", f"docker://{registry.host}/box:1", place).ok()
        tare("copy", place, f"docker://{registry.host}/again:1").ok()
        again = tare("image", "inspect", "--raw", f"docker://{registry.host}/again:1").ok().out
    if place.startswith("oci"):
        assert again == raw(engine, "box")
    other.call("copy", place, "back").ok()
    assert other.run(image="back").ok().out == "hello"
    assert names(engine) == ["localhost/box:latest"]


def test_copy_between_files(tare, engine, tmp):
    chain = [f"oci:{tmp}/one:a", f"oci-archive:{tmp}/two.tar:b", f"oci:{tmp}/three"]
    for source, target in zip(["box", *chain], chain):
        tare("copy", source, target).ok()
    [entry] = index_of(tmp / "three")
    assert (tmp / "three/blobs" / entry["digest"].replace(":", "/")).read_text() == raw(engine, "box")
    assert "annotations" not in entry
    assert_nothing_left(engine, "localhost/box:latest")


def test_copy_into_a_layout_that_is_there(tare, engine, tmp):
    """What has the name moves on, all else stays, and so do members that nobody here knows."""
    engine.image("localhost/second:latest", layers=[busybox_layer()])
    layout = Layout(tmp / "layout")
    layout.name("mine", {**layout.manifest([{"x": "y"}]), "data": "a2VwdA=="})
    mine = index_of(tmp / "layout")[0]
    tare("copy", "box", f"oci:{tmp}/layout:a").ok()
    tare("copy", "second", f"oci:{tmp}/layout:b").ok()
    assert index_of(tmp / "layout")[0] == mine
    assert [e["annotations"]["org.opencontainers.image.ref.name"] for e in index_of(tmp / "layout")] == ["mine", "a", "b"]
    tare("copy", "second", f"oci:{tmp}/layout:a").ok()
    entries = {e["annotations"]["org.opencontainers.image.ref.name"]: e["digest"] for e in index_of(tmp / "layout")}
    assert entries["a"] == entries["b"] != mine["digest"] == entries["mine"]
    assert sorted(p.name for p in (tmp / "layout").iterdir()) == ["blobs", "index.json", "oci-layout"]


# ---- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, message, hint", [
    (["dir:/x", "a"], '"dir:/x" is no place that is known here', "it is docker://NAME, oci:DIR[:TAG]"),
    (["http://x/a", "a"], '"http://x/a" is no place that is known here', None),
    (["dockr://x/a", "a"], '"dockr://x/a" is no place that is known here', None),
    (["oci:", "a"], '"oci:" names no file', None), (["oci:/x:", "a"], '"oci:/x:" has an empty name', None),
    (["store:", "a"], '"store:" names no image', None),
    (["a", "store:b"], "both places are the store", "tare tag gives an image another name"),
    (["oci:/nonsuch", "a"], 'read "/nonsuch": open it', None),
    (["nobody", "oci:/tmp/x"], 'image "nobody" is not in the store', None),
])
def test_copy_refuses_what_is_no_place(tare, words, message, hint):
    done = tare("copy", *words)
    done.fails(message)
    assert not hint or f"hint: {hint}" in done.err


def test_copy_of_one_of_several(tare, engine, tmp):
    engine.image("localhost/second:latest", layers=[busybox_layer()])
    tare("save", "-o", tmp / "two.tar", "box", "second").ok()
    done = tare("copy", f"docker-archive:{tmp}/two.tar", "x")
    done.fails("it has 2 images, and one must be named")
    assert "hint: there are: localhost/box:latest, localhost/second:latest" in done.err
    tare("copy", f"docker-archive:{tmp}/two.tar:third", "x").fails('it has no image "third"')
    for place in ("docker-archive", "oci-archive"):
        tare("copy", f"{place}:{tmp}/two.tar:localhost/second:latest", "x").ok()
        assert raw(engine, "x") == raw(engine, "second")
        tare("copy", f"{place}:{tmp}/two.tar:box", "x").ok()
        assert raw(engine, "x") == raw(engine, "box")
    tare("rmi", "x").ok()
    assert_nothing_left(engine, "localhost/box:latest", "localhost/second:latest")


def test_what_was_damaged_is_refused(tare, other, tmp):
    """By a store that does not have it yet: what is known is not read again."""
    tare("copy", "box", f"oci:{tmp}/layout:a").ok()
    [entry] = index_of(tmp / "layout")
    path = tmp / "layout/blobs" / entry["digest"].replace(":", "/")
    path.write_bytes(path.read_bytes().replace(b"schema", b"schemo"))
    other.call("copy", f"oci:{tmp}/layout:a", f"oci:{tmp}/written").fails(f"the bytes that should be blob {entry['digest']} are sha256:")
    assert not (tmp / "written").exists()
    assert_nothing_left(other)


# ---- kills and full disks ---------------------------------------------------------------------------------------------


def test_a_layout_survives_kills(tare, engine, tmp):
    """Whoever is killed while he writes into it: what was there is there, and the next one succeeds."""
    engine.image("localhost/big:latest", layers=[{"big": os.urandom(4 << 20)}])
    tare("copy", "box", f"oci:{tmp}/layout:a").ok()
    before = index_of(tmp / "layout")
    for n in range(30):
        process = subprocess.Popen(list(map(str, engine.command("copy", "big", f"oci:{tmp}/layout:b"))))
        try:
            process.wait(0.002 * n)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        index = index_of(tmp / "layout")
        assert index[0] == before[0] and len(index) in (1, 2)
        for path in (tmp / "layout/blobs/sha256").iterdir():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        if len(index) == 2 and n % 3:
            (tmp / "layout/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": before}))
    tare("copy", "big", f"oci:{tmp}/layout:b").ok()
    assert len(index_of(tmp / "layout")) == 2 and not (tmp / "layout/.tare-new").exists()
    tare("image", "gc").ok()


def test_copy_when_the_disk_is_full(tare, engine, tmp):
    engine.image("localhost/big:latest", layers=[{"big": os.urandom(4 << 20)}])
    small = tmp / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=True)
    try:
        for place in (f"oci-archive:{small}/a.tar", f"docker-archive:{small}/a.tar"):
            tare("copy", "big", place).fails("no space or no room left (ENOSPC)")
            assert os.listdir(small) == []
        tare("copy", "big", f"oci:{small}/layout").fails(f'write "{small}/layout"', "no space or no room left (ENOSPC)")
        assert not (small / "layout/index.json").exists() and not (small / "layout/.tare-new").exists()
    finally:
        subprocess.run(["umount", small], check=True)


# ---- in the hands of others -------------------------------------------------------------------------------------------


@pytest.fixture
def committed(tare, engine):
    """An image of a container that has changed, added and removed something."""
    engine.call("run", "--name", "web", "box", "sh", "-c",
                "echo new >/etc/motd; rm /etc/group; rm -r /home; mkdir /home; echo >/home/x; /bin/busybox chown 5:6 /home/x").ok()
    engine.call("commit", "-c", 'CMD ["sh","-c","cat /etc/motd; ls /etc /home"]', "web", "mine").ok()
    return raw(engine, "mine")


SEEN = "new\n/etc:\nhostname\nhosts\nmotd\npasswd\n/home:\nx\n"


def lines(text):
    """Other engines make other files to mount something on."""
    text = text.decode() if isinstance(text, bytes) else text
    return [line for line in text.splitlines() if line and line not in ("hostname", "hosts", "resolv.conf", "mtab")]


@needs("skopeo")
def test_skopeo_reads_what_was_committed(tare, engine, call, committed, tmp):
    for n, place in enumerate((f"oci:{tmp}/layout:v1", f"oci-archive:{tmp}/a.tar:v1")):
        tare("copy", "mine", place).ok()
        assert call("skopeo", "inspect", "--raw", place).decode() == committed
        call("skopeo", "copy", "--preserve-digests", place, f"oci:{tmp}/by-skopeo{n}:v1")
        tare("copy", f"oci:{tmp}/by-skopeo{n}:v1", "back").ok()
        assert raw(engine, "back") == committed
    tare("copy", "mine", f"docker-archive:{tmp}/d.tar:mine:1").ok()
    call("skopeo", "copy", f"docker-archive:{tmp}/d.tar:localhost/mine:1", f"oci:{tmp}/from-docker:v1")
    tare("copy", f"oci:{tmp}/from-docker:v1", "docker").ok()
    assert lines(engine.run(image="docker").ok().out) == lines(SEEN)


@needs("skopeo")
@pytest.mark.parametrize("place", ["oci:{}/theirs:v1", "oci-archive:{}/theirs.tar:v1", "docker-archive:{}/theirs.tar:box:1"])
def test_what_skopeo_writes_is_read(tare, engine, call, tmp, place):
    tare("copy", "box", f"oci:{tmp}/layout:v1").ok()
    preserve = [] if place.startswith("docker") else ["--preserve-digests"]
    call("skopeo", "copy", *preserve, f"oci:{tmp}/layout:v1", place.format(tmp))
    tare("copy", place.format(tmp).replace(":box:1", ":docker.io/library/box:1"), "back").ok()
    if place.startswith("oci"):
        assert raw(engine, "back") == raw(engine, "box")
    assert json.loads(raw(engine, "back"))["config"]["digest"] == json.loads(raw(engine, "box"))["config"]["digest"]
    assert engine.run(image="back").ok().out == "hello"


@needs("umoci")
def test_umoci_unpacks_what_was_committed_and_its_own_is_read(tare, engine, call, committed, tmp):
    tare("copy", "mine", f"oci:{tmp}/layout:v1").ok()
    call("umoci", "unpack", "--image", f"{tmp}/layout:v1", tmp / "bundle")
    root = tmp / "bundle/rootfs"
    assert (root / "etc/motd").read_text() == "new\n" and not (root / "etc/group").exists()
    assert os.listdir(root / "home") == ["x"] and os.lstat(root / "home/x").st_uid == 5
    (root / "etc/umoci").write_text("theirs")
    shutil.rmtree(root / "home")
    call("umoci", "repack", "--image", f"{tmp}/layout:v2", tmp / "bundle")
    tare("copy", f"oci:{tmp}/layout:v2", "theirs").ok()
    [theirs] = [e["digest"] for e in index_of(tmp / "layout") if e["annotations"]["org.opencontainers.image.ref.name"] == "v2"]
    assert digest_of(raw(engine, "theirs").encode()) == theirs
    assert engine.run("sh", "-c", "cat /etc/umoci; ls /home", image="theirs").out == "theirs"


@pytest.fixture
def storage(tmp, call):
    """podman and buildah with a storage of their own, by copying: it needs no overlay."""
    root = ["--root", tmp / "c/storage", "--runroot", tmp / "c/run", "--storage-driver", "vfs"]
    yield root
    if shutil.which("podman"):
        call("podman", *root, "system", "reset", "--force")
    # podman's own, in each hierarchy
    for parent in Path("/sys/fs/cgroup").glob("*/libpod_parent"):
        for directory in (*parent.iterdir(), parent):
            if directory.is_dir():
                directory.rmdir()


@needs("podman")
def test_podman_runs_what_was_committed_and_its_own_commit_is_run(tare, engine, call, committed, storage, tmp):
    podman = ["podman", *storage, "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "runc"]
    run = ["run", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
    tare("copy", "mine", f"oci:{tmp}/layout:v1").ok()
    tare("save", "-o", tmp / "saved.tar", "mine").ok()
    call(*podman, "load", "-i", tmp / "saved.tar")
    # podman calls the image by that path, so it must do as a name
    image = call(*podman, "pull", "-q", "oci:layout:v1").decode().strip()
    assert image == json.loads(committed)["config"]["digest"].removeprefix("sha256:")
    assert lines(call(*podman, *run, "--rm", "localhost/mine:latest")) == lines(SEEN)
    call(*podman, *run, "--name", "theirs", image, "sh", "-c", "echo theirs >/etc/motd; rm /etc/passwd")
    told = call(*podman, "diff", "theirs").decode().split("\n")
    assert {"C /etc", "C /etc/motd", "D /etc/passwd"} <= set(told)
    call(*podman, "commit", "-q", "-c", 'CMD=["cat","/etc/motd"]', "theirs", "theirs:1")
    call(*podman, "save", "-q", "--format", "oci-archive", "-o", tmp / "theirs.tar", "theirs:1")
    with tarfile.open(tmp / "theirs.tar") as tar:
        [entry] = json.load(tar.extractfile("index.json"))["manifests"]
    tare("load", "-i", tmp / "theirs.tar").ok()
    tare("copy", f"oci-archive:{tmp}/theirs.tar", "back").ok()
    assert digest_of(raw(engine, "back").encode()) == entry["digest"]
    assert engine.run(image="back").ok().out == "theirs\n"
    assert engine.run("ls", "/etc/passwd", image="back").status == 1


@needs("buildah")
def test_buildah_goes_on_from_what_was_committed(tare, engine, call, committed, storage, tmp):
    buildah = ["buildah", *storage]
    tare("copy", "mine", f"oci:{tmp}/layout:v1").ok()
    name = call(*buildah, "from", "oci:layout:v1").decode().strip()
    (tmp / "file").write_text("by buildah")
    call(*buildah, "copy", name, tmp / "file", "/etc/motd")
    call(*buildah, "config", "--cmd", "cat /etc/motd", name)
    call(*buildah, "commit", "-q", name, f"oci:{tmp}/theirs:v1")
    call(*buildah, "rm", name)
    tare("copy", f"oci:{tmp}/theirs:v1", "back").ok()
    assert digest_of(raw(engine, "back").encode()) == index_of(tmp / "theirs")[0]["digest"]
    assert engine.run(image="back").ok().out == "by buildah"
    mine, theirs = (json.loads(engine.call("image", "inspect", name).out)[0]["RootFS"]["Layers"] for name in ("mine", "back"))
    assert theirs[:-1] == mine


# ---- a file that is being written -------------------------------------------------------------------------------------


def begins(process, name):
    """Waits until it has written something into the file that is to become `name`. Returns what that is called meanwhile, or None."""
    fds = Path(f"/proc/{process.pid}/fd")
    deadline = time.monotonic() + scaled(20)
    while time.monotonic() < deadline:
        assert process.poll() is None, "it was done before it could be killed"
        for fd in fds.iterdir():
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(fd)
                if target.startswith(str(name.parent) + "/#") or target.startswith(f"{name}.tare-"):
                    if os.stat(fd).st_size:
                        return None if "/#" in target else Path(target)
        time.sleep(0.001)
    raise AssertionError("it writes nothing")


@pytest.fixture
def big(engine, tare):
    """An image, and a container "web" of it, that take a while to be written."""
    layer = {f"file{i}": os.urandom(1 << 20) for i in range(64)}
    engine.image("localhost/big:latest", layers=[busybox_layer(), layer], config={"Cmd": ["true"]})
    tare("run", "--name", "web", "big").ok()


WRITERS = [["export", "-o", "{}", "web"], ["save", "-o", "{}", "big"], ["copy", "big", "oci-archive:{}"]]


@pytest.mark.parametrize("there", [False, True], ids=["new", "replaces"])
@pytest.mark.parametrize("words", WRITERS, ids=lambda words: words[0])
def test_who_is_killed_while_he_writes_a_file_leaves_none(engine, big, tmp, words, there):
    (tmp / "out").mkdir()
    name = tmp / "out/file"
    if there:
        name.write_text("as it was")
    process = subprocess.Popen(list(map(str, engine.command(*[w.format(name) for w in words]))), stderr=subprocess.DEVNULL)
    try:
        assert begins(process, name) is None
    finally:
        process.kill()
        process.wait()
    assert os.listdir(tmp / "out") == (["file"] if there else [])
    assert not there or name.read_text() == "as it was"
    engine.call(*[w.format(name) for w in words]).ok()
    assert os.listdir(tmp / "out") == ["file"] and tarfile.is_tarfile(name)
    engine.call("image", "gc").ok()


@pytest.mark.skipif(not WRAPPER.exists(), reason="no build/tests/old-kernel")
@pytest.mark.parametrize("words", WRITERS, ids=lambda words: words[0])
def test_where_files_need_a_name(engine, big, tmp, words):
    """A filesystem without O_TMPFILE: it is written beside the name that it gets, and what fails leaves nothing."""
    (tmp / "out").mkdir()
    name = tmp / "out/file"
    engine.under = [WRAPPER, "tmpfile"]
    process = subprocess.Popen(list(map(str, engine.command(*[w.format(name) for w in words]))), stderr=subprocess.DEVNULL)
    try:
        assert begins(process, name) is not None
    finally:
        assert process.wait(scaled(60)) == 0
    assert os.listdir(tmp / "out") == ["file"] and tarfile.is_tarfile(name)
    engine.call(*[w.format(tmp / "missing/file") for w in words]).fails(f'make "{tmp}/missing/file')
    engine.under = []
    engine.call(*[w.format(tmp / "missing/file") for w in words]).fails(f'make "{tmp}/missing/file"', "ENOENT")
