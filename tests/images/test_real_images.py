# SPDX-License-Identifier: GPL-2.0-or-later
"""
Real images: Debian's minbase, and on top of it nginx, redis and python3, in several layers each, made by umoci and by buildah, pushed to a
registry, pulled by tare, run, and asked: over the container's loopback, and once more under --strict.

The root filesystems are those that make-rootfs has put into TARE_IMAGES_CACHE (default ~/.cache/tare-images); what is not there is skipped.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import runtime as rt
from support.engine import Engine
from support.registry import DockerRegistry, environment
from support.runtime import wait_until
from support.time_limit import scaled

CACHE = Path(os.environ.get("TARE_IMAGES_CACHE") or Path.home() / ".cache/tare-images")
TOOLS = ("umoci", "buildah", "docker-registry", "skopeo")

pytestmark = [pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="one of umoci, buildah, docker-registry, skopeo is missing")]


def sh(*words, **kw):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **kw)
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def rootfs(name):
    """A root filesystem of the cache."""
    if not (CACHE / name).exists():
        pytest.skip(f"no root filesystem with {name} in the cache; make test-long makes it")
    return CACHE / name


def put(name, root, files):
    """Into a mounted or unpacked image: a root filesystem of the cache, and files of our own."""
    if name:
        sh("cp", "-a", "--remove-destination", f"{rootfs(name)}/.", root)
    for path, text in files.items():
        (Path(root) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(root) / path).write_text(text)


PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def by_umoci(work, steps, *config):
    """A layer for each of (name of a root filesystem or None, {path: text}), and a config. Returns "oci:PATH:TAG"."""
    layout, bundle = work / "layout", work / "bundle"
    sh("umoci", "init", "--layout", layout)
    sh("umoci", "new", "--image", f"{layout}:a")
    for name, files in steps:
        sh("umoci", "unpack", "--image", f"{layout}:a", bundle)
        put(name, bundle / "rootfs", files)
        sh("umoci", "repack", "--image", f"{layout}:a", bundle)
        shutil.rmtree(bundle)
    sh("umoci", "config", "--image", f"{layout}:a", "--config.env", PATH, *config)
    return f"oci:{layout}:a"


def by_buildah(work, env, steps, *config):
    """The same by buildah: a commit for each layer."""
    def buildah(*words):
        return sh("buildah", "--root", work / "buildah", "--runroot", work / "buildah-run", "--storage-driver", "vfs", *words, env=env).strip()
    image = "scratch"
    for i, (name, files) in enumerate(steps):
        container = buildah("from", "--pull-never", image)
        put(name, buildah("mount", container), files)
        if i == len(steps) - 1:
            buildah("config", "--env", PATH, *config, container)
        buildah("umount", container)
        image = f"localhost/step{i}:1"
        buildah("commit", "-q", container, image)
        buildah("rm", container)
    buildah("push", "-q", image, f"oci:{work}/layout:a")
    shutil.rmtree(work / "buildah")
    return f"oci:{work}/layout:a"


@pytest.fixture
def shop(tmp):
    """make(how, ...) pushes an image to a registry and pulls it by tare. Returns (engine, name)."""
    env = environment(tmp)
    registry = DockerRegistry(tmp)
    engine = Engine(tmp)

    def make(source):
        sh("skopeo", "copy", "-q", "--dest-tls-verify=false", source, f"docker://{registry.host}/a:1", env=env)
        shutil.rmtree(source.split(":")[1])
        engine.call("pull", "-q", f"{registry.host}/a:1", env=env, timeout=scaled(300)).ok()
        assert engine.call("system", "check", timeout=scaled(300)).ok().out.endswith(" 0 found, 0 repaired\n")
        return engine, f"{registry.host}/a:1"
    make.tmp, make.env = tmp, env
    with registry:
        yield make
    engine.clean_up()


def run(engine, name, *words, options=()):
    return engine.call("run", "--rm", *options, name, *words, timeout=scaled(60))


ASK = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[3])
while True:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as s:
            s.sendall(sys.argv[2].encode())
            s.shutdown(socket.SHUT_WR)
            while data := s.recv(65536):
                sys.stdout.write(data.decode())
            break
    except ConnectionRefusedError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
"""


class Service:
    """A container that stays while it is asked, over its own loopback."""

    def __init__(self, engine, name, *words, options=()):
        self.engine = engine
        self.command = list(map(str, engine.command("run", "--rm", "--name", "service", *options, name, *words)))

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.communicate(timeout=scaled(20))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def pid(self):
        id = self.engine.call("ps", "-q", "--no-trunc").out.strip()
        state = subprocess.run([rt.binary(), "--root", self.engine.runroot / "oci", "state", id], capture_output=True, text=True, check=False)
        return json.loads(state.stdout).get("pid") if state.returncode == 0 and json.loads(state.stdout)["status"] == "running" else None

    def ask(self, port, question):
        """What it answers, once it listens."""
        def is_up():
            assert self.process.poll() is None, f"it ended: {self.process.stdout.read()}"
            return self.pid()
        pid = wait_until(is_up, "the container runs", scaled(30))
        return sh("nsenter", "-t", pid, "-n", sys.executable, "-c", ASK, port, question, scaled(30))


def count_layers(engine, name):
    return len(json.loads(engine.call("image", "inspect", name).ok().out)[0]["RootFS"]["Layers"])


STRICT = ("--strict",)
GET = "GET / HTTP/1.0\r\nHost: x\r\n\r\n"
UNPRIVILEGED = """
daemon off;
pid /tmp/nginx.pid;
error_log /dev/stderr;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen 127.0.0.1:8080; root /var/www/html; }
}
"""


def test_minbase_by_umoci(shop):
    engine, name = shop(by_umoci(shop.tmp, [("base", {})], "--config.cmd", "/bin/sh", "--config.cmd", "-c", "--config.cmd", "cat /etc/debian_version; id -un"))
    version, user = run(engine, name).ok().out.split()
    assert version.startswith("12.") and user == "root"
    packages = int(run(engine, name, "sh", "-c", "dpkg -l | grep -c ^ii").ok().out)
    assert packages > 80
    assert run(engine, name, "dpkg", "--verify").ok().out == "", "each file is as its package has it"


def test_nginx_by_umoci(shop):
    engine, name = shop(by_umoci(shop.tmp, [("base", {}), ("nginx", {}), (None, {"var/www/html/index.html": "hello from nginx\n", "etc/nginx/strict.conf": UNPRIVILEGED})],
                                 "--config.cmd", "nginx", "--config.cmd", "-g", "--config.cmd", "daemon off;"))
    assert count_layers(engine, name) == 3
    with Service(engine, name) as nginx:
        assert nginx.ask(80, GET).endswith("\n\nhello from nginx\n")
    run(engine, name, options=STRICT).fails("uid 0", status=125)
    with Service(engine, name, "nginx", "-c", "/etc/nginx/strict.conf", options=("--strict", "-u", "www-data")) as nginx:
        assert nginx.ask(8080, GET).endswith("\n\nhello from nginx\n")


def test_redis_by_buildah(shop):
    engine, name = shop(by_buildah(shop.tmp, shop.env, [("base", {}), ("redis", {}), (None, {"etc/redis/small.conf": 'bind 127.0.0.1\nsave ""\ndir /tmp\n'})],
                                   "--user", "redis", "--cmd", "redis-server /etc/redis/small.conf", "--stop-signal", "SIGTERM"))
    assert count_layers(engine, name) == 3
    for options in ((), STRICT):
        with Service(engine, name, options=options) as redis:
            assert redis.ask(6379, "PING\r\nSET a 1\r\nINCR a\r\n") == "+PONG\n+OK\n:2\n"


def test_python_by_umoci(shop):
    engine, name = shop(by_umoci(shop.tmp, [("base", {}), ("python", {}), (None, {"srv/main.py": "print('from a file')\n"})],
                                 "--config.entrypoint", "python3", "--config.cmd", "/srv/main.py"))
    assert run(engine, name).ok().out == "from a file\n"
    script = "import os, sys; print(sys.version_info[0], os.getuid(), open('/proc/self/status').read().split('CapEff:')[1].split()[0])"
    assert run(engine, name, "-c", script).ok().out.split()[:2] == ["3", "0"]
    done = run(engine, name, "-c", script, options=("--strict", "-u", "65534:65534"))
    assert done.ok().out.split() == ["3", "65534", "0000000000000000"]
    refused = run(engine, name, "-c", "open('/srv/x', 'w')", options=("--strict", "-u", "65534"))
    assert refused.status == 1 and "Read-only file system" in refused.err
    assert run(engine, name, "-c", "open('/tmp/x', 'w').write('x'); print(open('/tmp/x').read())", options=("--strict", "-u", "65534")).ok().out == "x\n"
