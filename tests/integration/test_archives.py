# SPDX-License-Identifier: GPL-2.0-or-later
"""
Images come in and go out as files: import, save, load. What other tools write is read bit for bit, what is written they read; what
is wrong is refused with nothing visible; who is killed leaves nothing that the next collection does not remove.
"""

import gzip
import hashlib
import io
import json
import lzma
import os
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from support.bundle import BUSYBOX
from support.engine import ARCHITECTURE, INDEX, MANIFEST, Engine, File, Layout, busybox_layer, layer_tar

pytestmark = pytest.mark.only("tare")
EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
# More with TARE_KILL_ROUNDS.
KILLS = int(os.environ.get("TARE_KILL_ROUNDS", "30"))


def needs(tool):
    return pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed")


def run(*command, **kw):
    return subprocess.run(list(map(str, command)), capture_output=True, check=True, **kw).stdout


def config_of(engine, name):
    """The config document of an image, by what save writes of it."""
    tar = tarfile.open(fileobj=io.BytesIO(save(engine, name)))
    index = json.load(tar.extractfile("index.json"))

    def blob(digest):
        return json.load(tar.extractfile("blobs/" + digest.replace(":", "/")))
    return blob(blob(index["manifests"][0]["digest"])["config"]["digest"])


def save(engine, *words):
    return run(*engine.command("save", *words))


def blobs(path):
    return {p.name: p.read_bytes() for p in (path / "blobs/sha256").iterdir()}


def store_blobs(engine):
    return blobs(engine.root / "images")


def names(engine):
    return sorted(f"{i['Repository']}:{i['Tag']}" for i in engine.images())


def assert_nothing(engine, *kept):
    """Nothing of what was refused is left."""
    assert names(engine) == sorted(kept)
    assert engine.call("image", "gc").ok().out == "freed: 0B\n"
    engine.call("system", "check").ok()


@pytest.fixture
def fresh_engine(tmp):
    """Another store."""
    (tmp / "other").mkdir()
    return Engine(tmp / "other")


@pytest.fixture
def tree(tmp):
    root = tmp / "tree"
    (root / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    (root / "etc").mkdir()
    (root / "etc/motd").write_text("hello")
    os.chown(root / "etc/motd", 7, 8)
    return root


# ---- import ---------------------------------------------------------------------------------------------------------


def test_a_directory_becomes_an_image(engine, tree):
    out = engine.call("import", tree, "box", env=EPOCH).ok().out
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", out) and names(engine) == ["localhost/box:latest"]
    config = config_of(engine, "box")
    assert config["created"] == "2023-11-14T22:13:20.000000000Z" and config["architecture"] == ARCHITECTURE
    assert config["history"] == [{"created": "2023-11-14T22:13:20.000000000Z", "created_by": "tare import"}]
    assert engine.call("import", tree, env=EPOCH).ok().out == out
    engine.call("system", "check").ok()


@pytest.mark.parametrize("compress", [lambda d: d, gzip.compress, lambda d: lzma.compress(d, preset=0)])
def test_a_tar_from_standard_input(engine, tree, tmp, compress):
    (tree / "bin/busybox").write_bytes(b"small")
    data = compress(run("tar", "-C", tree, "-c", "."))
    done = subprocess.run(engine.command("import", "--compression", "none", "-", "box"), input=data, capture_output=True, check=True)
    assert done.stderr == b""
    plain = run("tar", "-C", tree, "-c", ".")
    assert hashlib.sha256(plain).hexdigest() in store_blobs(engine), "the bytes of a tar are kept"
    assert config_of(engine, "box")["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(plain).hexdigest()]


def test_a_program_becomes_the_entrypoint(engine):
    engine.call("import", BUSYBOX, "program").ok()
    assert config_of(engine, "program")["config"]["Entrypoint"] == ["/" + os.path.basename(BUSYBOX)]
    engine.call("import", "-c", 'ENTRYPOINT ["/x"]', BUSYBOX, "other").ok()
    assert config_of(engine, "other")["config"]["Entrypoint"] == ["/x"]


def test_what_can_not_be_imported(engine, tmp):
    (tmp / "text").write_text("no tar")
    (tmp / "short").write_bytes(layer_tar({"f": "x" * 5000})[:2000])
    engine.call("import", tmp / "text", "a").fails("the tar can't be read")
    engine.call("import", tmp / "short", "a").fails("the tar can't be read")
    engine.call("import", shutil.which("tar"), "a").fails("is no static program: it needs a loader")
    engine.call("import", tmp / "missing", "a").fails('open "', "(ENOENT)")
    engine.call("import", "--compression", "lz4", tmp, "a").fails('unknown compression "lz4"')
    engine.call("import", tmp, "UPPER").fails('"UPPER"')
    engine.call("image", "gc").ok()
    assert_nothing(engine)


@pytest.mark.parametrize("changes,expected", [
    (['CMD ["a","b"]'], {"Cmd": ["a", "b"]}),
    (["CMD echo $HOME"], {"Cmd": ["/bin/sh", "-c", "echo $HOME"]}),
    (['CMD ["x"]', 'ENTRYPOINT ["e"]'], {"Cmd": ["x"], "Entrypoint": ["e"]}),
    (['ENTRYPOINT ["e"]', 'CMD ["x"]'], {"Cmd": ["x"], "Entrypoint": ["e"]}),
    (["ENV A=1 B='x y' C=\"q\\\"r\""], {"Env": ["A=1", "B=x y", 'C=q"r']}),
    (["ENV A the rest of it"], {"Env": ["A=the rest of it"]}),
    (["ENV A=1", "ENV A=2"], {"Env": ["A=2"]}),
    (["EXPOSE 80 53/udp", "EXPOSE 80/tcp"], {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}),
    (["LABEL a=1 b=\"two words\"", "label a=3"], {"Labels": {"a": "3", "b": "two words"}}),
    (["USER 1:2"], {"User": "1:2"}),
    (["WORKDIR /a", "WORKDIR b"], {"WorkingDir": "/a/b"}),
    (['VOLUME ["/v", "/w"]', "VOLUME /x"], {"Volumes": {"/v": {}, "/w": {}, "/x": {}}}),
    (["STOPSIGNAL SIGINT"], {"StopSignal": "SIGINT"}),
    (["ONBUILD RUN make"], {"OnBuild": ["RUN make"]}),
])
def test_changes_of_the_config(engine, tmp, changes, expected):
    (tmp / "d").mkdir()
    engine.call("import", *(word for change in changes for word in ("-c", change)), tmp / "d", "a").ok()
    assert config_of(engine, "a")["config"] == expected


@pytest.mark.parametrize("change,message", [
    ("RUN make", 'change "RUN make": unknown instruction'), ("CMD", 'change "CMD": nothing follows it'),
    ("ENV =x", '"=x" is no NAME=VALUE'), ("EXPOSE 70000", '"70000" is no PORT/tcp'), ("EXPOSE 80/icmp", "is no PORT/tcp"),
    ("VOLUME rel", 'volume "rel" is no absolute path'), ("LABEL a='x", "a quote is not closed")])
def test_changes_that_are_none(engine, tmp, change, message):
    (tmp / "d").mkdir()
    engine.call("import", "--change", change, tmp / "d", "a").fails(message)
    assert_nothing(engine)


# ---- save and load --------------------------------------------------------------------------------------------------


@pytest.fixture
def box(engine, tree):
    """Two images that share a layer, one with docker's own members."""
    layers = [layer_tar({"a": "one", "bin/busybox": File(Path(BUSYBOX), 0o755)}),
              layer_tar({"b": "two"})]
    config = {"Cmd": ["/bin/busybox"], "Healthcheck": {"Test": ["NONE"]}, "OnBuild": ["RUN x"], "Unknown": {"kept": True}}
    engine.image("localhost/box:1", layers=layers, config=config)
    engine.image("localhost/other:latest", layers=layers[:1])
    return engine


def test_what_is_saved_is_loaded_bit_for_bit(box, fresh_engine):
    data = save(box, "box:1", "other")
    assert data == save(box, "box:1", "other"), "not the same bytes"
    out = subprocess.run(fresh_engine.command("load"), input=data, capture_output=True, check=True).stdout
    assert out == b"Loaded image: localhost/box:1\nLoaded image: localhost/other:latest\n"
    assert store_blobs(fresh_engine) == store_blobs(box)
    assert_nothing(fresh_engine, "localhost/box:1", "localhost/other:latest")


@pytest.mark.parametrize("options", [["--compress", "gzip"], ["--compress", "zstd"], ["--format", "oci-archive"]])
def test_forms_of_an_archive(box, fresh_engine, tmp, options):
    box.call("save", *options, "-o", tmp / "archive", "box:1").ok()
    fresh_engine.call("load", "-i", tmp / "archive").ok()
    assert names(fresh_engine) == ["localhost/box:1"]
    assert sorted(p.name for p in tmp.glob("archive*")) == ["archive"]


def test_a_directory_as_layout(box, fresh_engine, tmp):
    box.call("save", "--format", "oci-dir", "-o", tmp / "layout", "box:1").ok()
    box.call("save", "--format", "oci-dir", "-o", tmp / "layout", "box:1").fails('make "', "EEXIST")
    fresh_engine.call("load", "-q", "-i", tmp / "layout", "--name", "new:2").ok()
    assert names(fresh_engine) == ["localhost/new:2"] and blobs(tmp / "layout") == store_blobs(fresh_engine)


def docker_archive(config, layers, tags=("example.com/a:1",), links=()):
    """As docker wrote it before it wrote layouts: config and layers by names of their own."""
    out = io.BytesIO()
    config = json.dumps(config).encode()
    with tarfile.open(fileobj=out, mode="w") as tar:
        def add(name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for n, layer in enumerate(layers):
            add(f"{n:064x}/layer.tar", layer)
            add(f"{n:064x}/VERSION", b"1.0")
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
        add("config.json", config)
        paths = [f"{n:064x}/layer.tar" for n in range(len(layers))] + [name for name, _ in links]
        add("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": list(tags), "Layers": paths}]).encode())
    return out.getvalue()


def docker_config(layers):
    return {"architecture": ARCHITECTURE, "os": "linux", "config": {"Cmd": ["x"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]}}


def load(engine, data, *options):
    return subprocess.run(engine.command("load", *options), input=data, capture_output=True, check=False)


def test_dockers_old_form(engine):
    layers = [layer_tar({"a": "one"}), layer_tar({"b": "two"})]
    config = docker_config([*layers, layers[0]])
    data = docker_archive(config, layers, ("example.com/a:1", "b:2"), [(f"{9:064x}/layer.tar", f"../{0:064x}/layer.tar")])
    assert load(engine, data).stdout == b"Loaded image: example.com/a:1\nLoaded image: localhost/b:2\n"
    kept = store_blobs(engine)
    assert all(hashlib.sha256(layer).hexdigest() in kept for layer in layers)
    assert hashlib.sha256(json.dumps(config).encode()).hexdigest() in kept
    assert len(kept) == 4, "what came with it and nobody needs is gone"
    assert_nothing(engine, "example.com/a:1", "localhost/b:2")


def layout_tar(path, change=lambda name, data: data):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            name = str(file.relative_to(path))
            data = change(name, file.read_bytes())
            if data is None:
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def layout(tmp):
    made = Layout(tmp / "given")
    made.name("example.com/a:1", made.manifest([{"file": "text"}]))
    return made


def test_a_flipped_byte_anywhere_is_refused_and_nothing_is_visible(engine, layout):
    for name in [p.name for p in (layout.path / "blobs/sha256").iterdir()]:
        done = load(engine, layout_tar(layout.path, lambda n, d, name=name: d[:-1] + bytes([d[-1] ^ 1]) if name in n else d))
        assert done.returncode == 1 and f"the bytes that should be blob sha256:{name} are sha256:".encode() in done.stderr
        assert_nothing(engine)


@pytest.mark.parametrize("without,message", [
    ("oci-layout", "it is no OCI layout and no archive of docker's"), ("index.json", "it is no OCI layout"), ("blobs", "is not whole")])
def test_what_is_not_whole_is_refused(engine, layout, without, message):
    done = load(engine, layout_tar(layout.path, lambda n, d: None if without in n else d))
    assert done.returncode == 1 and message.encode() in done.stderr, done.stderr
    assert_nothing(engine)


def test_a_wrong_diff_id_is_refused(engine):
    layer = layer_tar({"a": "one"})
    done = load(engine, docker_archive(docker_config([layer_tar({"a": "two"})]), [layer]))
    assert done.returncode == 1 and b"but the image says sha256:" in done.stderr
    done = load(engine, docker_archive(docker_config([layer, layer]), [layer]))
    assert done.returncode == 1 and b"it has 1 layers, but its config tells of 2" in done.stderr
    assert_nothing(engine)


def test_links_that_lead_in_circles(engine):
    layer = layer_tar({"a": "one"})
    links = [("x/layer.tar", "../y/layer.tar"), ("y/layer.tar", "../x/layer.tar")]
    done = load(engine, docker_archive(docker_config([layer, layer, layer]), [layer], links=links))
    assert done.returncode == 1 and b'names "x/layer.tar", which is not there' in done.stderr
    assert_nothing(engine)


@pytest.mark.parametrize("cut", [100, 1024, 3000])
def test_an_archive_that_is_cut_off(box, fresh_engine, cut):
    done = load(fresh_engine, save(box, "box:1")[:cut])
    assert done.returncode == 1 and b"load" in done.stderr
    assert_nothing(fresh_engine)


def test_an_index_of_which_one_platform_came(engine, tmp):
    made = Layout(tmp / "given")
    here = made.manifest([{"file": "text"}])
    there = {"mediaType": MANIFEST, "digest": "sha256:" + "0" * 64, "size": 1, "platform": {"os": "linux", "architecture": "s390x"}}
    made.name("example.com/a:1", made.descriptor(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {**here, "platform": {"os": "linux", "architecture": ARCHITECTURE}}, there]}))
    assert load(engine, layout_tar(made.path)).returncode == 0
    assert_nothing(engine, "example.com/a:1")


# ---- other tools ----------------------------------------------------------------------------------------------------


@needs("skopeo")
def test_skopeo_reads_what_is_saved(box, tree, tmp):
    """Plain layers it compresses, so the bytes are those of an image whose layers are compressed."""
    box.call("import", tree, "imported").ok()
    box.call("save", "-o", tmp / "all.tar", "box:1", "imported").ok()
    expected = store_blobs(box)
    for n, source in enumerate((f"oci-archive:{tmp}/all.tar:localhost/imported:latest", f"oci:{box.root}/images:localhost/imported:latest")):
        run("skopeo", "copy", "--insecure-policy", source, f"oci:{tmp}/copy{n}:x")
        assert blobs(tmp / f"copy{n}").items() <= expected.items(), source
    told = json.loads(run("skopeo", "inspect", "--config", f"docker-archive:{tmp}/all.tar:localhost/box:1"))
    assert told["config"]["Cmd"] == ["/bin/busybox"]


@needs("skopeo")
@pytest.mark.parametrize("form", ["oci-archive:{}:example.com/x:1", "docker-archive:{}:example.com/x:1"])
def test_what_skopeo_writes_is_loaded(engine, fresh_engine, tree, tmp, form):
    engine.call("import", "-c", "ONBUILD RUN x", tree, "box").ok()
    run("skopeo", "copy", "--insecure-policy", f"oci:{engine.root}/images:localhost/box:latest", form.format(tmp / "out.tar"))
    fresh_engine.call("load", "-i", tmp / "out.tar").ok()
    loaded, given = store_blobs(fresh_engine), store_blobs(engine)
    assert names(fresh_engine) == ["example.com/x:1"]
    before, after = config_of(engine, "box"), config_of(fresh_engine, "example.com/x:1")
    assert after["config"]["OnBuild"] == ["RUN x"] and after["rootfs"] == before["rootfs"]
    if form.startswith("oci"):
        assert loaded == given
    else:
        assert before["rootfs"]["diff_ids"][0][7:] in loaded, "docker's archives hold plain layers"
    assert_nothing(fresh_engine, "example.com/x:1")


@needs("umoci")
def test_umoci_unpacks_what_is_saved(engine, tree, tmp):
    engine.call("import", tree, "box").ok()
    engine.call("save", "--format", "oci-dir", "-o", tmp / "layout", "box").ok()
    run("umoci", "unpack", "--image", f"{tmp}/layout:localhost/box:latest", tmp / "bundle")
    root = tmp / "bundle/rootfs"
    assert (root / "etc/motd").read_text() == "hello" and os.lstat(root / "etc/motd").st_uid == 7
    assert os.readlink(root / "bin/sh") == "busybox" and (root / "bin/busybox").read_bytes() == (tree / "bin/busybox").read_bytes()


@needs("umoci")
def test_what_umoci_writes_is_loaded(engine, tmp):
    run("umoci", "init", "--layout", tmp / "layout")
    run("umoci", "new", "--image", f"{tmp}/layout:v1")
    run("umoci", "unpack", "--image", f"{tmp}/layout:v1", tmp / "bundle")
    (tmp / "bundle/rootfs/file").write_text("by umoci")
    run("umoci", "repack", "--image", f"{tmp}/layout:v1", tmp / "bundle")
    engine.call("load", "-i", tmp / "layout").ok()
    assert "localhost/v1:latest" in names(engine)
    assert store_blobs(engine).items() <= blobs(tmp / "layout").items()
    engine.call("system", "check").ok()


# ---- kills and full disks -------------------------------------------------------------------------------------------


def test_who_is_killed_leaves_nothing(engine, box, tmp, tree):
    """The next command works, and after a collection every byte belongs to somebody."""
    archive = tmp / "a.tar"
    archive.write_bytes(save(box, "box:1"))
    rng = random.Random(4)
    engine.image("localhost/busy:1", layers=[busybox_layer()])
    engine.call("run", "--name", "kept", "busy:1", "sh", "-c", "rm -r /home; dd if=/dev/urandom of=/new bs=1M count=4 2>/dev/null").ok()
    works = [["commit", "kept", "committed"], ["diff", "kept"], ["export", "-o", tmp / "export.tar", "kept"], ["commit", "kept"],
             ["diff", "committed"], ["rmi", "-f", "committed"], ["import", tree, "imported"], ["load", "-q", "-i", archive, "--name", "loaded"], ["rmi", "imported"], ["image", "gc"],
             ["tag", "box:1", "tagged"], ["system", "check", "--repair"], ["rmi", "-f", "loaded"]]
    spent = {}
    for n in range(KILLS):
        words = works[n % len(works)]
        started = time.monotonic()
        process = subprocess.Popen(list(map(str, engine.command(*words))), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0.001, 1.2 * spent.get(words[0], 0.25)))
            spent[words[0]] = time.monotonic() - started
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = engine.images()
        assert all(i["Size"] != "N/A" for i in found), f"round {n}: after {words} an image can't be read"
        assert {"localhost/box:1", "localhost/other:latest"} <= set(names(engine))
        assert engine.containers()["kept"]["State"] == "exited"
    assert engine.call("diff", "kept").ok().out == "D /home\nA /new\n"
    engine.call("image", "gc").ok()
    assert engine.call("system", "check").ok().out.endswith(" 0 found, 0 repaired\n")
    assert os.listdir(engine.root / "staging") == []
    assert sorted(os.listdir(engine.root / "images")) == ["blobs", "index.json", "oci-layout"]


@pytest.fixture
def small(tmp):
    """A filesystem with little room."""
    place = tmp / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(engine, box, small, tmp):
    archive = tmp / "a.tar"
    archive.write_bytes(save(box, "box:1"))

    def tare(*words):
        return subprocess.run(list(map(str, [engine.path, "--root", small / "store", "--runroot", tmp / "run", *words])),
                              capture_output=True, text=True, check=False)
    first = tmp / "first"
    first.mkdir()
    (first / "file").write_text("small")
    assert tare("import", first, "first").returncode == 0
    (first / "large").write_bytes(random.Random(1).randbytes(3_000_000))
    for words in (["load", "-i", archive], ["import", first, "second"]):
        done = tare(*words)
        assert done.returncode == 1 and "no space or no room left (ENOSPC)" in done.stderr, done.stderr
        assert os.listdir(small / "store/staging") == [], "nothing is left to be collected"
        assert tare("image", "gc").returncode == 0
        assert tare("images", "-q").stdout.count("\n") == 1
        done = tare("system", "check")
        assert done.returncode == 0 and done.stdout == "3 blobs and 0 layers: 0 found, 0 repaired\n"
