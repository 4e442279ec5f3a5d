# SPDX-License-Identifier: GPL-2.0-or-later
"""
Registries on loopback: docker's own, and one that misbehaves as it is told.

    with DockerRegistry(tmp) as r:            docker-registry from apt; tls=True, user=("name", "password")
    with FakeRegistry() as r:                 r.put(repository, tag, ...) puts an image in; attributes say what goes wrong

Either has r.host, "127.0.0.1:PORT". A client is pointed at nothing of the host's by environment(tmp).
"""

import base64
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from support.engine import CONFIG, INDEX, LAYER, MANIFEST
from support.time_limit import scaled

with warnings.catch_warnings():
    # The only bcrypt in Debian's Python, and what docker-registry wants; gone in Python 3.13.
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt


def environment(home, **more):
    """The environment of a client whose files of configuration are all below `home`."""
    (home / ".config/containers").mkdir(parents=True, exist_ok=True)
    policy = home / ".config/containers/policy.json"
    if not policy.exists():
        policy.write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    conf = home / "registries.conf"
    if not conf.exists():
        conf.write_text("")
    runtime = home / "runtime"
    runtime.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime),
            "XDG_CACHE_HOME": str(home / "cache"), "CONTAINERS_REGISTRIES_CONF": str(conf), **{k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k}, **more}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_certificate(directory):
    """An authority (ca.crt) and what it has signed for 127.0.0.1 (server.crt, server.key)."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    (directory / "extensions").write_text("subjectAltName=IP:127.0.0.1")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=a test's authority", "-days", "2")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.crt",
            "-days", "2", "-extfile", "extensions")


class DockerRegistry:
    def __init__(self, directory, tls=False, user=None, foreign=False):
        """foreign: takes manifests with layers that it does not have but that say where they are"""
        self.directory = directory / "registry"
        self.directory.mkdir()
        self.host = f"127.0.0.1:{free_port()}"
        self.url = f"http{'s' if tls else ''}://{self.host}"
        http = {"addr": self.host}
        config = {"version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}}, "http": http,
                  "storage": {"filesystem": {"rootdirectory": str(self.directory / "data")}}}
        if tls:
            make_certificate(self.directory)
            http["tls"] = {"certificate": str(self.directory / "server.crt"), "key": str(self.directory / "server.key")}
        if user:
            name, password = user
            salt = crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)
            (self.directory / "htpasswd").write_text(f"{name}:{crypt.crypt(password, salt)}\n")
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(self.directory / "htpasswd")}}
        if foreign:
            config["validation"] = {"manifests": {"urls": {"allow": ["^https://"]}}}
        self.config = self.directory / "config.yml"
        self.config.write_text(json.dumps(config))

    def __enter__(self):
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", self.config], stdout=log, stderr=log)
        deadline = time.monotonic() + scaled(20)
        while time.monotonic() < deadline:
            try:
                socket.create_connection(tuple(self.host.split(":")), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, (self.directory / "log").read_text()
                time.sleep(0.02)
        raise AssertionError("docker-registry does not listen")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class FakeRegistry:
    """
    What goes wrong is an attribute; nothing does by default. `requests` has what was asked: (method, path, headers).

    answers        [(status, headers, body)]: given to the next requests to /v2/ in place of what they asked for
    token          the bearer token that is demanded; where to get one is this server's own /token
    drop_after     a blob's connection ends after so many bytes, `drops` times
    hold_after     after so many bytes of a blob nothing comes until go_on() is called
    no_ranges      Range is ignored;  bad_range: the answer's Content-Range is that of other bytes
    identity       a refresh token that POST /token exchanges for the bearer token; what was posted is in `posted`
    redirect       blobs are had from this address, to which their path is appended
    blob_length    Content-Length of a blob, whatever it has
    lists          what refers to an image is listed (OCI 1.1), so many a page
    flood          so many bytes of headers beside the others
    conditions     a manifest has an ETag, and If-Match and If-None-Match count
    before_put     called with (repository, reference) before a manifest is put; after_put: afterwards
    """

    def __init__(self):
        self.blobs, self.manifests, self.requests, self.answers = {}, {}, [], []
        self.identity, self.posted = None, []
        self.token = self.drop_after = self.redirect = self.blob_length = self.hold_after = None
        self.going = threading.Event()
        self.drops = self.flood = self.sent = self.lists = 0
        self.no_ranges = self.bad_range = self.conditions = False
        self.before_put = self.after_put = lambda repository, reference: None
        self.lock = threading.Lock()

    tls = None  # a directory that make_certificate() has filled

    def __enter__(self):
        registry = self

        class Handler(FakeHandler):
            pass
        Handler.registry = registry
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls / "server.crt", self.tls / "server.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.go_on()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def go_on(self):
        """Send what hold_after holds back, and hold nothing any more."""
        self.hold_after = None
        self.going.set()

    def blob(self, data, media_type, **more):
        """Puts a blob in. Returns its descriptor."""
        self.blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}

    def manifest(self, repository, document, tag=None, media_type=MANIFEST):
        """Puts a manifest in, by its digest and perhaps a tag. Returns its descriptor."""
        data = json.dumps(document).encode()
        for reference in filter(None, (digest_of(data), tag)):
            self.manifests[repository, reference] = media_type, data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def image(self, repository, tag, layers, architecture="amd64", os_name="linux", **more):
        """Puts an image in whose layers are these tars. Returns its manifest's descriptor; `more` goes into the manifest."""
        config = {"os": os_name, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": [digest_of(t) for t in layers]}}
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(json.dumps(config).encode(), CONFIG),
                    "layers": [self.blob(tar, LAYER) for tar in layers], **more}
        return self.manifest(repository, document, tag, document["mediaType"])

    def index(self, repository, tag, entries):
        """Puts an index of (descriptor, platform) in."""
        manifests = [{**descriptor, "platform": platform} for descriptor, platform in entries]
        return self.manifest(repository, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}, tag, INDEX)

    def asked(self, pattern):
        """Those requests whose method and path match."""
        return [r for r in self.requests if re.search(pattern, f"{r[0]} {r[1]}")]


def etag(data):
    return f'"{digest_of(data)}"'


class FakeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry = None

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self, status, headers=(), body=b"", length=None):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        for i in range(self.registry.flood // 1000):
            self.send_header(f"X-Flood-{i}", "x" * 980)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        r = self.registry
        with r.lock:
            r.requests.append((self.command, self.path, dict(self.headers)))
            given = r.answers.pop(0) if r.answers and self.path.startswith("/v2/") else None
        if given:
            return self.answer(*given)
        path = urlsplit(self.path)
        if path.path == "/token":
            return self.give_token(parse_qs(path.query))
        if r.token and path.path.startswith("/v2/") and self.headers.get("Authorization") != f"Bearer {r.token}":
            realm = f'Bearer realm="http://{r.host}/token",service="a test",scope="repository:x:pull"'
            return self.answer(401, {"WWW-Authenticate": realm}, b'{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}')
        kind, _, reference = path.path.rpartition("/")
        repository, _, kind = kind.removeprefix("/v2/").rpartition("/")
        if kind == "manifests" and (repository, reference) in r.manifests:
            media_type, data = r.manifests[repository, reference]
            return self.answer(200, {"Content-Type": media_type, **({"ETag": etag(data)} if r.conditions else {})}, data)
        if kind == "referrers" and r.lists:
            return self.give_list(repository, reference, int(parse_qs(path.query).get("from", ["0"])[0]))
        if (kind == "blobs" or repository == "elsewhere") and reference in r.blobs:
            return self.give_blob(r.blobs[reference], reference)
        return self.answer(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not \x1b[31mhere"}]}'.replace(b"\x1b", b"\\u001b"))

    do_HEAD = do_GET

    def do_PUT(self):
        """The end of an upload, in one piece; or a manifest."""
        r = self.registry
        with r.lock:
            r.requests.append((self.command, self.path, dict(self.headers)))
        data = self.rfile.read(int(self.headers["Content-Length"]))
        path = urlsplit(self.path)
        if "/blobs/uploads/" in path.path:
            digest = parse_qs(path.query)["digest"][0]
            assert digest == digest_of(data)
            r.blobs[digest] = data
            return self.answer(201, {"Location": path.path})
        kind, _, reference = path.path.rpartition("/")
        repository = kind.removeprefix("/v2/").removesuffix("/manifests")
        r.before_put(repository, reference)
        _, there = r.manifests.get((repository, reference), (None, None))
        if r.conditions and (self.headers.get("If-None-Match") == "*" and there is not None
                             or self.headers.get("If-Match", there and etag(there)) != (there and etag(there))):
            return self.answer(412, {}, b'{"errors":[{"code":"DENIED","message":"it is another one"}]}')
        for name in (reference, digest_of(data)):
            r.manifests[repository, name] = self.headers["Content-Type"], data
        r.after_put(repository, reference)
        subject = json.loads(data).get("subject")
        return self.answer(201, {"OCI-Subject": subject["digest"]} if subject and r.lists else {})

    def do_POST(self):
        """The beginning of an upload. Or for a token: RFC 6749, and what the registry's specification makes of it."""
        r = self.registry
        if self.path.startswith("/v2/"):
            return self.answer(202, {"Location": self.path + "one"})
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        r.posted.append((self.path, self.headers["Content-Type"], form))
        if self.path != "/token" or form.get("grant_type") != ["refresh_token"] or form.get("refresh_token") != [r.identity]:
            return self.answer(401, {}, b'{"errors":[{"code":"UNAUTHORIZED","message":"the token has run out"}]}')
        return self.answer(200, {}, json.dumps({"access_token": r.token, "scope": "x", "expires_in": 300}).encode())

    def give_list(self, repository, digest, start):
        found = [{"mediaType": media_type, "digest": reference, "size": len(data),
                  "artifactType": document.get("artifactType", document["config"]["mediaType"])}
                 for (where, reference), (media_type, data) in self.registry.manifests.items()
                 if where == repository and ":" in reference and (document := json.loads(data)).get("subject", {}).get("digest") == digest]
        end = start + self.registry.lists
        more = {"Link": f'</v2/{repository}/referrers/{digest}?from={end}>; rel="next"'} if end < len(found) else {}
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": found[start:end]}
        self.answer(200, {"Content-Type": INDEX, **more}, json.dumps(document).encode())

    def give_token(self, query):
        wanted = "Basic " + base64.b64encode(b"somebody:secret").decode()
        if self.headers.get("Authorization") != wanted:
            return self.answer(401, {}, b'{"details":"incorrect username or password"}')
        return self.answer(200, {}, json.dumps({"token": self.registry.token, "expires_in": 300}).encode())

    def give_blob(self, data, digest):
        r = self.registry
        if r.redirect:
            return self.answer(307, {"Location": r.redirect + "/v2/elsewhere/blobs/" + digest})
        begin, status, headers = 0, 200, {}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and not r.no_ranges:
            begin, status = int(asked[1]), 206
            shown = begin + 1 if r.bad_range else begin
            headers = {"Content-Range": f"bytes {shown}-{len(data) - 1}/{len(data)}"}
        part = data[begin:]
        with r.lock:
            drop = r.drop_after is not None and r.drops > 0 and len(part) > r.drop_after
            r.drops -= drop
            r.sent += min(len(part), r.drop_after) if drop else len(part)
        if drop:
            self.answer(status, headers, part[:r.drop_after], length=len(part))
            self.close_connection = True
            return None
        if r.hold_after is not None and len(part) > r.hold_after:
            held = r.hold_after
            self.answer(status, headers, part[:held], length=len(part))
            r.going.wait()
            self.wfile.write(part[held:])
            return None
        return self.answer(status, headers, part, length=r.blob_length)
