# SPDX-License-Identifier: GPL-2.0-or-later
"""
The one image of all the tests: busybox, which sleeps unless told otherwise (a pod needs that). It is made here as a docker archive, which podman, docker and containerd all load.
Nothing comes from a network.
"""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
NAME = "localhost/box:latest"
DIRECTORIES = ["bin", "dev", "etc", "home/user", "proc", "root", "run", "sys", "var/run"]
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n",
    "etc/group": "root:x:0:\nuser:x:1000:\nstaff:x:50:user\n",
    "etc/plain": "a file that nobody can execute\n",
}


def add(archive, name, data=None, mode=0o755, link=None):
    """One member: a directory, a file if there is data, or a symbolic link."""
    member = tarfile.TarInfo(name)
    member.mode = mode
    member.type = tarfile.SYMTYPE if link else tarfile.REGTYPE if data is not None else tarfile.DIRTYPE
    member.linkname = link or ""
    member.size = len(data or b"")
    archive.addfile(member, io.BytesIO(data or b""))


def layer():
    """The root filesystem as a tar."""
    names = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for directory in DIRECTORIES:
            add(archive, directory)
        add(archive, "tmp", mode=0o1777)
        add(archive, "bin/busybox", BUSYBOX.read_bytes())
        for name in names:
            if name != "busybox":
                add(archive, f"bin/{name}", link="busybox")
        for name, text in FILES.items():
            add(archive, name, text.encode(), 0o644)
    return whole.getvalue()


def write_archive(path):
    """Write the image as a docker archive: a layer, its config, and a manifest that names both."""
    root = layer()
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": {"Cmd": ["/bin/sleep", "1000000"], "Env": ["PATH=/bin:/sbin", "FROM_IMAGE=yes"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(root).hexdigest()]},
        "history": [{"created_by": "tests/clients"}],
    }).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [NAME], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        add(archive, "layer.tar", root, 0o644)
        add(archive, name, config, 0o644)
        add(archive, "manifest.json", manifest, 0o644)
    return path


def unpack_to(directory):
    """The same root filesystem as a plain directory."""
    with tarfile.open(fileobj=io.BytesIO(layer())) as archive:
        archive.extractall(directory)
    return directory
