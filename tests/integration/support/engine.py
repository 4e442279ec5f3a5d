# SPDX-License-Identifier: GPL-2.0-or-later
"""
tare, the engine, as commands that return what happened, with a --root and --runroot of their own; and images without a registry.

TARE names the binary. store() writes an image into the store as any other tool may do it, since the store is an OCI layout:

    engine.image("box", layers=[{"bin/busybox": File(BUSYBOX, 0o755)}], config={"Cmd": ["/bin/busybox", "true"]})
"""

import contextlib
import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from support import runtime as rt
from support.bundle import BUSYBOX, PATH

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
CREATED = "2026-01-02T03:04:05Z"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def binary():
    """The engine to test: TARE, or what `make` built beside the runtime under test."""
    return os.environ.get("TARE") or str(Path(rt.binary()).parent / "tare")


@dataclass
class File:
    """A file of a layer: bytes or text, or a path to copy. `pax`: more records of its header."""

    content: object = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    pax: object = None

    def data(self):
        if isinstance(self.content, Path):
            return self.content.read_bytes()
        return self.content.encode() if isinstance(self.content, str) else self.content


@dataclass
class Link:
    """A symbolic link of a layer."""

    target: str


@dataclass
class Directory:
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


def layer_tar(entries):
    """A plain tar of {name: File, Link, Directory, text}, in the order given, the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, entry in entries.items():
            info = tarfile.TarInfo(name)
            entry = File(entry) if isinstance(entry, (str, bytes)) else entry
            data = b""
            if isinstance(entry, Link):
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.target, 0o777
            else:
                info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
                if isinstance(entry, Directory):
                    info.type = tarfile.DIRTYPE
                else:
                    data = entry.data()
                    info.pax_headers = entry.pax or {}
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


APPLETS = ("sh", "cat", "ls", "true", "false", "echo", "id", "mount", "sleep", "env", "hostname", "stat", "readlink", "touch", "mkdir",
           "rm", "ip", "grep", "wc", "ps", "kill", "dd", "df", "tty", "stty", "date", "chmod", "head", "sed", "printenv")


def busybox_layer():
    """The entries of a small system: busybox and its commonest names, /etc/passwd and /etc/group, /tmp."""
    entries = {name: Directory() for name in ("bin", "etc", "root", "proc", "sys", "dev", "run", "home")}
    entries["tmp"] = Directory(0o1777)
    entries["bin/busybox"] = File(Path(BUSYBOX), 0o755)
    entries.update({f"bin/{name}": Link("busybox") for name in APPLETS})
    entries["etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n"
    entries["etc/group"] = "root:x:0:\nuser:x:1000:\nextra:x:2000:user\nother:x:2001:user\n"
    entries["home/user"] = Directory(uid=1000, gid=1000)
    return entries


class Layout:
    """An OCI image layout that images are written into."""

    def __init__(self, path):
        self.path = path

    def _begin(self):
        (self.path / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        if not (self.path / "oci-layout").exists():
            (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
            (self.path / "index.json").write_text('{"schemaVersion":2,"manifests":[]}')

    def blob(self, data):
        """Returns (digest, size)."""
        self._begin()
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        hexadecimal = hashlib.sha256(data).hexdigest()
        (self.path / "blobs/sha256" / hexadecimal).write_bytes(data)
        return f"sha256:{hexadecimal}", len(data)

    def descriptor(self, media_type, data, **more):
        digest, size = self.blob(data)
        return {"mediaType": media_type, "digest": digest, "size": size, **more}

    def manifest(self, layers=(), config=None, architecture=ARCHITECTURE, **more):
        """
        The descriptor of an image of these layers: entries (layer_tar()), or the bytes of a tar. `config` is the config's
        "config", `more` are other members of it.
        """
        tars = [layer if isinstance(layer, bytes) else layer_tar(layer) for layer in layers]
        document = {"architecture": architecture, "os": "linux", "created": CREATED, "config": config or {},
                    "rootfs": {"type": "layers", "diff_ids": [self.blob(tar)[0] for tar in tars]}, **more}
        return self.descriptor(MANIFEST, {
            "schemaVersion": 2, "mediaType": MANIFEST, "config": self.descriptor(CONFIG, document),
            "layers": [self.descriptor(LAYER, tar) for tar in tars]})

    def name(self, name, descriptor):
        """Add an entry to index.json; without a name if that is None."""
        index = json.loads((self.path / "index.json").read_text())
        entry = dict(descriptor)
        if name:
            entry["annotations"] = {"org.opencontainers.image.ref.name": name}
        index["manifests"].append(entry)
        (self.path / "index.json").write_text(json.dumps(index))


class Engine:
    """The commands of tare."""

    def __init__(self, work):
        self.work = work
        self.root, self.runroot = work / "store", work / "run"
        self.path = binary()
        self.under = []  # a command line that the engine's is given to, tests/old-kernel for example
        self.layout = Layout(self.root / "images")
        self._count = 0

    def fresh(self, stem):
        self._count += 1
        return self.work / f"engine-{stem}-{self._count}"

    def command(self, *args, globals=()):
        return [*self.under, self.path, "--root", self.root, "--runroot", self.runroot, *globals, *args]

    def call(self, *args, globals=(), **kw):
        """Run one command to its end."""
        log = self.fresh("log")
        return rt.run_command(self.command(*args, globals=["--log", log, "--log-format", "json", *globals]), log, **kw)

    def image(self, name="localhost/box:latest", layers=None, config=None, **more):
        """Write an image into the store; by default busybox. Returns the descriptor of its manifest."""
        config = {"Env": ["PATH=" + PATH], **(config or {})}
        descriptor = self.layout.manifest([busybox_layer()] if layers is None else layers, config, **more)
        self.layout.name(name, descriptor)
        return descriptor

    def images(self, *options):
        """The objects of `images --format json`."""
        return [json.loads(line) for line in self.call("images", "--format", "json", *options).ok().out.splitlines()]

    def run(self, *words, options=(), image="box", **kw):
        """`run --rm` of these words in the foreground."""
        return self.call("run", "--rm", *options, image, *words, **kw)

    def sh(self, script, *options, **kw):
        """The same for a shell script."""
        return self.run("sh", "-c", script, options=options, **kw)

    @contextlib.contextmanager
    def running(self, script, *options, image="box", name="box"):
        """A container that runs this script in the background, which says "ready"; it is removed at the end."""
        command = self.command("run", "--rm", "--name", name, *options, image, "sh", "-c", script)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout.readline() == b"ready\n"
                yield process
            finally:
                self.call("rm", "--force", name)
                process.wait(timeout=30)

    @contextlib.contextmanager
    def on_overlay(self, work):
        """Its store on an overlay, which can't be the upper directory of another one."""
        for name in ("lower", "upper", "work", "merged"):
            (work / name).mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={work}/lower,upperdir={work}/upper,workdir={work}/work", work / "merged"], check=True)
        own = self.root
        try:
            self.root = work / "merged/store"
            self.layout.path = self.root / "images"
            yield self
        finally:
            subprocess.run(["umount", work / "merged"], check=True)
            self.root, self.layout.path = own, own / "images"

    def named(self):
        """What the store's index.json says: {name: manifest's digest}."""
        index = self.root / "images/index.json"
        entries = json.loads(index.read_text())["manifests"] if index.exists() else []
        found = {e.get("annotations", {}).get("org.opencontainers.image.ref.name"): e["digest"] for e in entries}
        found.pop(None, None)
        return found

    def containers(self):
        """The objects of `ps --all --format json`, by name or short id."""
        lines = self.call("ps", "-a", "--format", "json").ok().out.splitlines()
        return {c["Names"] or c["ID"]: c for c in map(json.loads, lines)}

    def clean_up(self):
        """Remove what the test made, and the directories that are then empty."""
        if (self.root / "containers").exists():
            for id in self.call("ps", "-aq", "--no-trunc").out.split():
                self.call("rm", "--force", id)
        for directory in (self.runroot / "oci", self.runroot):
            if directory.exists() and not any(directory.iterdir()):
                directory.rmdir()
