# SPDX-License-Identifier: GPL-2.0-or-later
"""pull, push, login, logout: against docker's registry, with skopeo on the other side, and against one that misbehaves."""

import json
import os
import shutil
import subprocess

import pytest

from support.engine import ARCHITECTURE, INDEX, MANIFEST, Layout, layer_tar
from support.registry import DockerRegistry, FakeRegistry, digest_of, environment, make_certificate
from support.terminal import OnTerminal

pytestmark = pytest.mark.skipif(not shutil.which("docker-registry") or not shutil.which("skopeo"), reason="docker-registry or skopeo is missing")

SMALL = layer_tar({"etc/hello": "hello\n"})


@pytest.fixture
def tare(engine, tmp):
    """Calls tare with nothing of the host's configuration."""
    env = environment(tmp)
    return lambda *words, **kw: engine.call(*words, env={**env, **kw.pop("extra", {})}, **kw)


@pytest.fixture
def skopeo(tmp):
    env = environment(tmp)

    def call(*words):
        done = subprocess.run(["skopeo", *map(str, words)], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return call


@pytest.fixture
def fake():
    with FakeRegistry() as registry:
        yield registry


def blobs(root):
    directory = root / "images/blobs/sha256"
    return {p.name for p in directory.iterdir()} if directory.exists() else set()


def assert_store_is_right(engine):
    """Each blob has the bytes of its name, and nothing is left of what was being written."""
    for path in (engine.root / "images/blobs/sha256").iterdir():
        assert digest_of(path.read_bytes()) == "sha256:" + path.name


# ---- with docker's registry and skopeo --------------------------------------------------------------------------------------


def test_what_skopeo_pushes_is_pulled_bit_for_bit_and_back(engine, tare, skopeo, tmp):
    layout = Layout(tmp / "layout")
    manifest = layout.manifest([{f"file{i}": os.urandom(200_000)} for i in range(5)], {"Cmd": ["/x"]})
    layout.name("a", manifest)
    with DockerRegistry(tmp) as registry:
        skopeo("copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{layout.path}:a", f"docker://{registry.host}/ns/a:v1")
        assert tare("pull", f"{registry.host}/ns/a:v1").ok().out == f"{registry.host}/ns/a:v1\n"
        assert blobs(engine.root) == {p.name for p in (layout.path / "blobs/sha256").iterdir()}
        assert_store_is_right(engine)
        assert (engine.root / "layers").exists() and len(list((engine.root / "layers").iterdir())) == 5

        again = tare("pull", f"{registry.host}/ns/a:v1").ok()
        assert again.err.count("is there") == 5 and "done" not in again.err

        mounted = tare("push", f"{registry.host}/ns/a:v1", f"{registry.host}/other/b:v2").ok()
        assert mounted.err.count("is there") == 5 and "done" not in mounted.err
        tare("push", "-q", f"{registry.host}/ns/a:v1", f"{registry.host}/other/b:v3").ok()
        skopeo("copy", "--preserve-digests", "--src-tls-verify=false", f"docker://{registry.host}/other/b:v2", f"oci:{tmp / 'back'}:b")
        back = json.loads((tmp / "back/index.json").read_text())["manifests"][0]
        assert back["digest"] == manifest["digest"]
        assert {p.name for p in (tmp / "back/blobs/sha256").iterdir()} == blobs(engine.root)

        tare("pull", f"{registry.host}/ns/a:none").fails(
            f'get manifest "none" of "ns/a" at registry "{registry.host}": HTTP status 404: MANIFEST_UNKNOWN: manifest unknown')


def test_docker_schema_2_is_kept_as_it_is(engine, tare, skopeo, tmp):
    layout = Layout(tmp / "layout")
    layout.name("a", layout.manifest([SMALL]))
    with DockerRegistry(tmp) as registry:
        skopeo("copy", "--format", "v2s2", "--dest-tls-verify=false", f"oci:{layout.path}:a", f"docker://{registry.host}/d:1")
        tare("pull", f"{registry.host}/d:1").ok()
        raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/d:1")
        assert json.loads(raw)["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
        assert digest_of(raw.encode()).removeprefix("sha256:") in blobs(engine.root)
        tare("push", f"{registry.host}/d:1", f"{registry.host}/d:2").ok()
        assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/d:2") == raw


def test_a_large_blob_goes_up_in_chunks(engine, tare, tmp):
    """64 MiB is what goes in one request."""
    tar = layer_tar({"zeros": bytes(66 * 1024 * 1024)})
    engine.image("localhost/big:1", layers=[tar])
    with DockerRegistry(tmp) as registry:
        tare("push", "localhost/big:1", f"{registry.host}/big:1").ok()
        stored = registry.directory / "data/docker/registry/v2/blobs/sha256"
        hexadecimal = digest_of(tar).removeprefix("sha256:")
        assert (stored / hexadecimal[:2] / hexadecimal / "data").read_bytes() == tar


def test_https_needs_an_authority_that_is_trusted(tare, engine, tmp):
    engine.image("localhost/a:1", layers=[SMALL])
    with DockerRegistry(tmp, tls=True) as registry:
        name = f"{registry.host}/a:1"
        refused = tare("push", "localhost/a:1", name).fails(f'reach "{registry.host}": ', "ertificate")
        assert "/etc/containers/certs.d/" in refused.err and "--tls-verify=false" in refused.err
        tare("push", "--tls-verify=false", "localhost/a:1", name).ok()
        tare("pull", name).fails("ertificate")
        tare("pull", name, extra={"SSL_CERT_FILE": registry.directory / "ca.crt"}).ok()
        directory = tmp / ".config/containers/certs.d" / registry.host
        directory.mkdir(parents=True)
        shutil.copy(registry.directory / "ca.crt", directory)
        tare("pull", name).ok()
        tare("pull", "--tls-verify=true", name).ok()
        shutil.copy(registry.directory / "server.key", directory / "client.key")
        tare("pull", name).fails('client.key" is without its certificate')
        tare("pull", "--cert-dir", tmp / "none", name).fails("there is no directory")


def test_authorities_are_read_only_where_there_is_tls(tare, engine, fake, tmp):
    """They take longer to read than all the rest of a small pull."""
    engine.image("localhost/a:1", layers=[SMALL])
    fake.image("plain", "1", [SMALL])
    none = {"SSL_CERT_FILE": tmp / "none.crt"}
    tare("pull", f"{fake.host}/plain:1", extra=none).ok()
    with DockerRegistry(tmp, tls=True) as registry:
        name = f"{registry.host}/a:1"
        tare("push", "--tls-verify=false", "localhost/a:1", name, extra=none).ok()
        tare("pull", "--tls-verify=false", name, extra=none).ok()
        tare("pull", name, extra=none).fails("SSL CA cert")


def test_basic_auth_login_and_logout(tare, skopeo, engine, tmp):
    engine.image("localhost/a:1", layers=[SMALL])
    auth = tmp / "runtime/containers/auth.json"
    with DockerRegistry(tmp, user=("somebody", "se:cret")) as registry:
        name = f"{registry.host}/a:1"
        refused = tare("push", "localhost/a:1", name).fails("it wants to know who asks, and there are no credentials for it")
        assert f"tare login {registry.host}" in refused.err
        tare("login", "-u", "somebody", "--password-stdin", registry.host, stdin="wrong\n").fails("it does not accept name and password")
        assert not auth.exists()
        tare("login", "-u", "somebody", registry.host).fails("the password is not given, and nobody can be asked")
        tare("login", "-u", "somebody", "--password-stdin", registry.host, stdin="se:cret\n").ok()
        assert auth.stat().st_mode & 0o777 == 0o600
        tare("push", "localhost/a:1", name).ok()
        assert "Digest" in skopeo("inspect", "--tls-verify=false", f"docker://{name}")
        tare("logout", registry.host).ok()
        tare("logout", registry.host).fails(f"nobody is logged in to {registry.host}")
        tare("pull", name).fails("there are no credentials for it")
        tare("pull", "--creds", "somebody:se:cret", name).ok()
        tare("pull", "--creds", "somebody:no", name).fails("it does not accept name and password")
        skopeo("login", "--tls-verify=false", "-u", "somebody", "-p", "se:cret", registry.host)
        tare("pull", name).ok()
    tare("login", "https://r.example").fails("is more than a registry's name")


# ---- with one that misbehaves -----------------------------------------------------------------------------------------------


def test_a_token_is_fetched_and_goes_to_the_registry_alone(tare, fake, tmp):
    fake.image("ns/a", "1", [SMALL])
    fake.token = "a.token"
    name = f"{fake.host}/ns/a:1"
    tare("pull", name).fails('get a token from "127.0.0.1": HTTP status 401: incorrect username or password')
    (tmp / "runtime/containers").mkdir()
    (tmp / "runtime/containers/auth.json").write_text('{"auths":{"%s/ns":{"auth":"c29tZWJvZHk6c2VjcmV0"}}}' % fake.host)
    with FakeRegistry() as other:
        other.blobs = fake.blobs
        fake.redirect = f"http://{other.host}"
        tare("pull", name).ok()
        assert len(other.asked("GET /v2/elsewhere/")) == 2
        assert not [r for r in other.requests if "Authorization" in r[2]]
    (token,) = fake.asked("GET /token")[1:]
    assert "scope=repository%3Ans%2Fa%3Apull" in token[1] and "service=a%20test" in token[1]
    assert fake.asked("GET /v2/ns/a/blobs/")[0][2]["Authorization"] == "Bearer a.token"


def test_a_hundred_broken_connections_cost_nothing_twice(tare, fake, engine):
    tar = layer_tar({"noise": os.urandom(8_300_000)})
    fake.image("a", "1", [tar])
    fake.drop_after, fake.drops = 80_000, 100
    tare("pull", f"{fake.host}/a:1").ok()
    assert fake.drops == 0 and len(fake.asked("GET .*" + digest_of(tar))) == 101
    # A connection that ends loses what was not read yet; 1 MiB a drop is what may be fetched again.
    assert fake.sent - len(tar) <= 100 * 2**20
    assert_store_is_right(engine)


def test_a_registry_without_ranges_sends_all_of_it_again(tare, fake, engine):
    fake.image("a", "1", [layer_tar({"noise": os.urandom(1_000_000)})])
    fake.drop_after, fake.drops, fake.no_ranges = 400_000, 2, True
    tare("pull", f"{fake.host}/a:1").ok()
    assert fake.drops == 0
    assert_store_is_right(engine)


def test_another_range_than_the_one_that_was_asked_for_is_refused(tare, fake, engine):
    fake.image("a", "1", [layer_tar({"noise": os.urandom(1_000_000)})])
    fake.drop_after, fake.drops, fake.bad_range = 400_000, 1, True
    tare("pull", f"{fake.host}/a:1").fails('asked for the bytes from 400000, it sends "bytes 400001-')
    assert engine.images() == []
    # What came before that is taken up.
    fake.bad_range, fake.requests = False, []
    tare("pull", f"{fake.host}/a:1").ok()
    assert [r[2].get("Range") for r in fake.asked("GET /v2/a/blobs/")] == ["bytes=400000-1003519"]


def test_wrong_bytes_and_wrong_sizes_are_refused(tare, fake, engine):
    fake.image("a", "1", [SMALL])
    digest = digest_of(SMALL)
    fake.blobs[digest] = bytes(len(SMALL))
    tare("pull", f"{fake.host}/a:1").fails(f"the bytes that should be blob {digest} are sha256:", f'of "a" at registry "{fake.host}"')
    fake.blobs[digest] = SMALL + b"x"
    tare("pull", f"{fake.host}/a:1").fails(f"it has {len(SMALL) + 1} bytes, and should have {len(SMALL)}")
    media_type, data = fake.manifests["a", "1"]
    fake.manifests["a", digest_of(data)] = media_type, data + b" "
    tare("pull", f"{fake.host}/a@{digest_of(data)}").fails(f"it should be {digest_of(data)}, and what came is sha256:")
    assert engine.images() == [] and digest.removeprefix("sha256:") not in blobs(engine.root)
    fake.blobs[digest] = SMALL
    tare("pull", f"{fake.host}/a:1").ok()
    assert_store_is_right(engine)


def test_what_a_registry_sends_has_limits_and_is_escaped(tare, fake):
    fake.image("a", "1", [SMALL])
    fake.flood = 100_000
    tare("pull", f"{fake.host}/a:1").fails("it sends more than 64 KiB of headers")
    fake.flood = 0
    fake.answers = [(200, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}, b" " * (5 * 2**20))]
    tare("pull", f"{fake.host}/a:1").fails("it answers more than 4194304 bytes")
    tare("pull", f"{fake.host}/a:2").fails("HTTP status 404: MANIFEST_UNKNOWN: not \\x1b[31mhere")
    fake.answers = [(401, {"WWW-Authenticate": 'Bearer realm="\x01'}, b"")]
    tare("pull", f"{fake.host}/a:1").fails("is malformed")
    fake.answers = [(302, {"Location": "ftp://h.example/x"}, b"")]
    tare("pull", f"{fake.host}/a:1").fails("follow a redirect", "it is neither http nor https")
    fake.answers = [(302, {"Location": "/v2/a/manifests/1"}, b"")] * 20
    tare("pull", f"{fake.host}/a:1").fails("it redirects more than 8 times")


def test_what_may_pass_is_tried_again(tare, fake):
    fake.image("a", "1", [SMALL])
    fake.answers = [(429, {"Retry-After": "0"}, b""), (503, {"Retry-After": "0"}, b""), (502, {"Retry-After": "0"}, b"")]
    tare("pull", f"{fake.host}/a:1").ok()
    assert len(fake.asked("GET /v2/a/manifests/1")) == 4
    fake.answers = [(429, {"Retry-After": "0"}, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')] * 5
    done = tare("pull", f"{fake.host}/a:1").fails("HTTP status 429: TOOMANYREQUESTS: slow down")
    assert "the registry limits how much is asked of it" in done.err
    assert not fake.answers


def test_a_manifest_is_shown_without_a_pull(tare, fake, engine):
    here = fake.image("a", None, [SMALL])
    fake.index("a", "1", [(here, {"os": "linux", "architecture": ARCHITECTURE})])
    index = fake.manifests["a", "1"][1].decode()
    assert tare("image", "inspect", "--raw", f"docker://{fake.host}/a:1").ok().out == index
    assert tare("image", "inspect", "--raw", f"docker://{fake.host}/a@{here['digest']}").ok().out == \
        fake.manifests["a", here["digest"]][1].decode()
    assert not fake.asked("GET /v2/a/blobs/.*") and blobs(engine.root) == set()
    tare("image", "inspect", f"docker://{fake.host}/a:1").fails("of what is at a registry only --raw shows something")
    tare("image", "inspect", "--raw", f"docker://{fake.host}/a:2").fails("HTTP status 404")
    fake.manifests["a", digest_of(index.encode())] = fake.manifests["a", "1"][0], b"{}"
    tare("image", "inspect", "--raw", f"docker://{fake.host}/a@{digest_of(index.encode())}").fails("it should be sha256:")


# ---- images -----------------------------------------------------------------------------------------------------------------


def test_of_an_index_the_image_for_the_platform_is_taken(tare, fake, engine):
    """Through an index in an index; an attestation is for no platform."""
    here = fake.image("a", None, [SMALL], ARCHITECTURE)
    arm = fake.image("a", None, [layer_tar({"arm": "7"})], "arm")
    attestation = fake.manifest("a", {"schemaVersion": 2, "config": fake.blob(b"{}", "x/y"), "layers": []})
    inner = fake.index("a", None, [(attestation, {"os": "unknown", "architecture": "unknown"}), (here, {"os": "linux", "architecture": ARCHITECTURE}),
                                   (arm, {"os": "linux", "architecture": "arm", "variant": "v7"})])
    fake.manifest("a", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]}, "1", INDEX)
    tare("pull", f"{fake.host}/a:1").ok()
    assert here["digest"].removeprefix("sha256:") in blobs(engine.root) and arm["digest"].removeprefix("sha256:") not in blobs(engine.root)
    tare("pull", "--platform", "linux/s390x", f"{fake.host}/a:1").fails("has no image for linux/s390x")
    tare("pull", "--platform", "linux/arm/v6", f"{fake.host}/a:1").fails("has no image for linux/arm/v6")
    tare("pull", "--platform", "linux/arm/v7", f"{fake.host}/a:1").ok()
    assert arm["digest"].removeprefix("sha256:") in blobs(engine.root)


def test_what_can_not_run_is_refused_before_its_layers_are_fetched(tare, fake, engine):
    fake.image("a", "1", [SMALL], "s390x")
    done = tare("pull", f"{fake.host}/a:1").fails(f"the image is for linux/s390x, and what is wanted is one for linux/{ARCHITECTURE}")
    assert "--platform linux/s390x" in done.err
    artifact = {"schemaVersion": 2, "artifactType": "application/vnd.example.sbom", "config": fake.blob(b"{}", "application/vnd.oci.empty.v1+json"),
                "layers": [fake.blob(SMALL, "text/plain")]}
    fake.manifest("b", artifact, "1")
    tare("pull", f"{fake.host}/b:1").fails('is no image but an artifact: its config is of type "application/vnd.example.sbom"')
    fake.manifest("c", {"schemaVersion": 1}, "1", "application/vnd.docker.distribution.manifest.v1+prettyjws")
    tare("pull", f"{fake.host}/c:1").fails("it is of docker's schema 1")
    assert not fake.asked(digest_of(SMALL)) and engine.images() == []
    tare("pull", "--platform", "linux/s390x", f"{fake.host}/a:1").ok()


@pytest.fixture
def binfmt():
    """The kernel's binfmt_misc, faked: a file is an entry."""
    place = "/proc/sys/fs/binfmt_misc"
    subprocess.run(["mount", "-t", "tmpfs", "binfmt", place], check=True)

    def entry(name, flags, magic="7f454c4602020100000000000000000000020016"):
        with open(f"{place}/{name}", "w", encoding="ascii") as file:
            file.write(f"enabled\ninterpreter /usr/bin/qemu\nflags: {flags}\noffset 0\nmagic {magic}\nmask ffffffffffffff00fffffffffffffffffffeffff\n")
    yield entry
    subprocess.run(["umount", place], check=True)


@pytest.mark.simulated
def test_what_an_interpreter_runs_is_not_refused(tare, fake, engine, binfmt):
    """By what binfmt_misc's entries say; pulled, and let through by run, which would need the real one for more."""
    fake.image("a", "1", [SMALL], "s390x")
    name, host = f"{fake.host}/a:1", f"linux/{ARCHITECTURE}"
    tare("pull", name).fails(f"the image is for linux/s390x, and what is wanted is one for {host}")
    binfmt("some", "P")
    tare("pull", name).fails(f"the image is for linux/s390x, and what is wanted is one for {host}")
    tare("pull", "--platform", "linux/s390x", name).ok()
    layers = list((engine.root / "layers").iterdir())
    done = tare("run", "--rm", name, "/x").fails(f'image "{name}" is for linux/s390x, and this machine is {host}', status=125)
    assert "binfmt_misc has an interpreter for s390x, but without flag F, so that no container would find it" in done.err
    assert len(layers) == 1
    tare("rmi", name).ok()
    binfmt("some", "OCF")
    tare("pull", "--platform", host, name).fails(f"the image is for linux/s390x, and what is wanted is one for {host}")
    tare("pull", name).ok()
    done = tare("run", "--rm", name, "/x")
    assert done.status == 127 and "s390x" not in done.err, done.describe()


def test_copy_goes_between_registries_and_the_store(tare, skopeo, fake, engine, tmp):
    manifest = fake.image("a", "1", [SMALL], "s390x")
    with DockerRegistry(tmp) as registry:
        tare("copy", f"docker://{fake.host}/a:1", f"docker://{registry.host}/b:2").ok()
        raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/b:2")
        assert digest_of(raw.encode()) == manifest["digest"] and engine.images() == []
        tare("copy", "-q", "--platform", "linux/s390x", f"docker://{registry.host}/b:2", "here").ok()
        assert [(i["Repository"], i["Tag"]) for i in engine.images("--no-trunc")] == [("localhost/here", "latest")]
        tare("copy", "here", f"docker://{registry.host}/c:3").ok()
        assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/c:3") == raw
    tare("copy", "here", "there").fails("both places are the store")


def artifact(fake, repository, subject, artifact_type, data):
    """Something that refers to a manifest. Returns its descriptor."""
    empty = fake.blob(b"{}", "application/vnd.oci.empty.v1+json")
    return fake.manifest(repository, {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type, "config": empty,
                                      "layers": [fake.blob(data, "application/octet-stream")], "subject": subject})


def test_copy_takes_signatures_and_sboms_along(tare, skopeo, fake, engine, tmp):
    """From a registry that lists them, page by page, to one that does not, and from there by the tag."""
    fake.lists = 1
    image = fake.image("a", "1", [SMALL])
    sbom = artifact(fake, "a", image, "application/spdx+json", b"what is in it")
    signature = artifact(fake, "a", image, "x/signature", b"by me")
    of_sbom = artifact(fake, "a", sbom, "x/signature", b"by me, of the SBOM")
    with DockerRegistry(tmp) as registry:
        out = tare("copy", "--all-artifacts", f"docker://{fake.host}/a:1", f"docker://{registry.host}/b:1").ok().out
        assert out.endswith("artifacts: 3\n")

        def raw(reference):
            return skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/{reference}")

        def listed(repository, descriptor):
            index = json.loads(raw(f"{repository}:{descriptor['digest'].replace(':', '-')}"))
            return [(d["digest"], d["artifactType"]) for d in index["manifests"]]
        for repository in ("b", "c"):
            assert listed(repository, image) == [(sbom["digest"], "application/spdx+json"), (signature["digest"], "x/signature")]
            assert listed(repository, sbom) == [(of_sbom["digest"], "x/signature")]
            for d in (sbom, signature, of_sbom):
                assert digest_of(raw(f"{repository}@{d['digest']}").encode()) == d["digest"]
            tare("copy", "-q", "--all-artifacts", f"docker://{registry.host}/b:1", f"docker://{registry.host}/c:1").ok()
        # Once more, with one more: the list is gone on with
        more = artifact(fake, "a", image, "x/other", b"more")
        tare("copy", "--all-artifacts", f"docker://{fake.host}/a:1", f"docker://{registry.host}/c:1").ok()
        assert [digest for digest, _ in listed("c", image)] == [sbom["digest"], signature["digest"], more["digest"]]
    assert engine.images() == []
    tare("image", "gc").ok()
    assert blobs(engine.root) == set()


def test_copy_of_artifacts_says_what_is_wrong(tare, fake, tmp):
    fake.lists = 10
    image = fake.image("a", "1", [SMALL])
    sbom = artifact(fake, "a", image, "application/spdx+json", b"what is in it")
    fake.blobs[digest_of(b"what is in it")] = b"what is NOT it"
    with DockerRegistry(tmp) as registry:
        tare("copy", "--all-artifacts", f"docker://{fake.host}/a:1", f"docker://{registry.host}/b:1").fails(
            f"get what refers to {image['digest']}", "it has 14 bytes, and should have 13")
        fake.blobs[digest_of(b"what is in it")] = b"what is in it"
        media_type, data = fake.manifests["a", sbom["digest"]]
        fake.manifests["a", sbom["digest"]] = media_type, data + b" "
        tare("copy", "--all-artifacts", f"docker://{fake.host}/a:1", f"docker://{registry.host}/b:1").fails("it should be " + sbom["digest"])
        fake.manifests["a", sbom["digest"]] = INDEX, data
        tare("copy", "--all-artifacts", f"docker://{fake.host}/a:1", f"docker://{registry.host}/b:1").fails("is no manifest but of type")
    tare("image", "gc").ok()


# ---- configuration ----------------------------------------------------------------------------------------------------------


def test_short_names_mirrors_and_blocked_registries(tare, fake, tmp):
    fake.image("ns/a", "latest", [SMALL])
    fake.image("mirrored/a", "2", [SMALL])
    conf = tmp / "registries.conf"
    done = tare("pull", "a").fails('"a" names no registry')
    assert "docker.io/library/a" in done.err
    conf.write_text(f"unqualified-search-registries = ['{fake.host}', 'other.example']\n")
    done = tare("pull", "ns/a").fails('"ns/a" could be one of 2 images, and nobody can be asked which')
    assert f"{fake.host}/ns/a, other.example/ns/a" in done.err
    conf.write_text(f"[aliases]\na = '{fake.host}/ns/a'\n")
    assert tare("pull", "a").ok().out == f"{fake.host}/ns/a:latest\n"
    with FakeRegistry() as dead:
        conf.write_text(f"""[[registry]]
prefix = 'r.example'
location = '{fake.host}/mirrored'
[[registry.mirror]]
location = '{dead.host}/cache'
[[registry]]
prefix = 'bad.example'
blocked = true
colour = 'red'
""")
        done = tare("pull", "r.example/a:2").ok()
        assert done.out == "r.example/a:2\n" and "trying the next place" in done.err
        assert dead.asked("GET /v2/cache/a/manifests/2") and "warning: " in done.err and "colour" in done.err
    tare("pull", "bad.example/a").fails('registry "bad.example" is blocked by registries.conf')
    tare("pull", "localhost/a").fails("is a name of this machine's own: no registry has it")
    conf.write_text("[[registry]]\nlocation = 'https://x'\n")
    tare("pull", f"{fake.host}/ns/a").fails(f'read "{conf}": line 2: ')


@pytest.fixture
def at_terminal(engine, tmp):
    """Calls tare on a terminal, and types `answer`. Returns (status, what was shown)."""
    env = environment(tmp)

    def call(*words, answer=""):
        with OnTerminal(engine.command(*words), env=env) as terminal:
            if answer:
                terminal.wait_text("which one?").type(answer)
            return terminal.wait(), terminal.text
    return call


@pytest.mark.parametrize("mode", ["enforcing", "permissive", "disabled"])
def test_several_registries_are_never_tried_where_nobody_sees_it(tare, fake, tmp, mode):
    fake.image("a", "latest", [SMALL])
    (tmp / "registries.conf").write_text(f"unqualified-search-registries = ['{fake.host}', 'other.invalid']\nshort-name-mode = '{mode}'\n")
    done = tare("pull", "a").fails('"a" could be one of 2 images, and nobody can be asked which')
    assert f"{fake.host}/a, other.invalid/a" in done.err and not fake.requests


@pytest.mark.parametrize("mode", ["enforcing", "permissive"])
def test_what_a_person_answers_is_remembered(tare, at_terminal, fake, tmp, mode):
    fake.image("a", "latest", [SMALL])
    (tmp / "registries.conf").write_text(f"unqualified-search-registries = ['127.0.0.1:1', '{fake.host}']\nshort-name-mode = '{mode}'\n")
    remembered = tmp / "cache/containers/short-name-aliases.conf"
    remembered.parent.mkdir(parents=True)
    remembered.write_text("[aliases]\n  'other' = 'docker.io/library/other'\n")
    status, shown = at_terminal("pull", "a", answer="1\n")
    assert status == 1 and "127.0.0.1:1" in shown and "'a'" not in remembered.read_text() and '"a"' not in remembered.read_text()
    status, shown = at_terminal("pull", "a", answer="2\n")
    assert status == 0, shown
    assert remembered.read_text() == f'[aliases]\n"other" = "docker.io/library/other"\n"a" = "{fake.host}/a"\n'
    assert tare("pull", "a").ok().out == f"{fake.host}/a:latest\n", "nobody needs to be asked now"


def test_without_the_question_each_is_tried_before_ones_eyes(at_terminal, fake, tmp):
    fake.image("a", "latest", [SMALL])
    with FakeRegistry() as empty:
        (tmp / "registries.conf").write_text(f"unqualified-search-registries = ['{empty.host}', '{fake.host}']\nshort-name-mode = 'disabled'\n")
        status, shown = at_terminal("pull", "a")
        assert status == 0 and "which one" not in shown
        assert f"pulling {empty.host}/a:latest" in shown and "trying the next registry" in shown and f"pulling {fake.host}/a:latest" in shown
        status, shown = at_terminal("pull", "b")
        assert status == 1 and f'get manifest "latest" of "b" at registry "{fake.host}": HTTP status 404' in shown
    assert not (tmp / "cache/containers/short-name-aliases.conf").exists(), "nobody has answered anything"


def test_aliases_come_from_drop_ins_and_the_last_word_is_the_users(tare, fake, tmp):
    fake.image("ns/a", "latest", [SMALL])
    user = tmp / ".config/containers/registries.conf.d"
    user.mkdir(parents=True)
    (user / "000-shortnames.conf").write_text(f"[aliases]\n'a' = '{fake.host}/ns/wrong'\n'b' = '{fake.host}/ns/a'\n")
    (user / "001-shortnames.conf").write_text(f"[aliases]\n'a' = '{fake.host}/ns/a'\n")
    files = {"CONTAINERS_REGISTRIES_CONF": ""}
    assert tare("pull", "a", extra=files).ok().out == f"{fake.host}/ns/a:latest\n"
    assert tare("pull", "b", extra=files).ok().out == f"{fake.host}/ns/a:latest\n"
    cache = tmp / "cache/containers"
    cache.mkdir(parents=True)
    (cache / "short-name-aliases.conf").write_text(f"[aliases]\n'b' = '{fake.host}/ns/mine'\n")
    tare("pull", "b", extra=files).fails(f'of "ns/mine" at registry "{fake.host}"')
    (cache / "short-name-aliases.conf").write_text("[aliases]\nb = 1\n")
    tare("pull", "b", extra=files).fails(f'read "{cache}/short-name-aliases.conf": line 2: ')


def test_a_token_of_identity_is_exchanged_by_post(tare, fake, tmp):
    """What docker login leaves where a cloud's registry has given one: no password at all."""
    fake.image("ns/a", "1", [SMALL])
    fake.token, fake.identity = "an.access.token", "refresh me"
    auth = tmp / "runtime/containers/auth.json"
    auth.parent.mkdir()
    auth.write_text(json.dumps({"auths": {fake.host: {"auth": "MDAwMDo=", "identitytoken": "refresh me"}}}))
    tare("pull", f"{fake.host}/ns/a:1").ok()
    (path, content_type, form), = fake.posted
    assert path == "/token" and content_type == "application/x-www-form-urlencoded"
    assert form.pop("scope")[0].split()[0] == "repository:ns/a:pull"
    assert form == {"grant_type": ["refresh_token"], "refresh_token": ["refresh me"], "service": ["a test"], "client_id": ["tare"]}
    assert fake.asked("GET /v2/ns/a/blobs/")[0][2]["Authorization"] == "Bearer an.access.token"
    assert not fake.asked("GET /token")
    fake.identity = "another"
    tare("pull", f"{fake.host}/ns/a:1").fails('get a token from "127.0.0.1": HTTP status 401: UNAUTHORIZED: the token has run out')


def test_credential_helpers_of_registries_conf_are_asked_in_order(tare, fake, tmp):
    fake.image("ns/a", "1", [SMALL])
    fake.token = "a.token"
    programs = tmp / "programs"
    programs.mkdir()
    for name, script in {"none": "echo credentials not found; exit 1", "broken": "echo locked; exit 2",
                         "right": """echo '{"Username":"somebody","Secret":"secret"}'"""}.items():
        (programs / f"docker-credential-{name}").write_text(f"#!/bin/sh\necho {name} $1 >>{tmp}/asked\n{script}\n")
        (programs / f"docker-credential-{name}").chmod(0o755)
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    conf = tmp / "registries.conf"
    conf.write_text("credential-helpers = ['none', 'broken', 'containers-auth-file', 'right']\n")
    tare("pull", f"{fake.host}/ns/a:1", extra=path).ok()
    assert (tmp / "asked").read_text() == "none get\nbroken get\nright get\n"
    conf.write_text("credential-helpers = ['broken', 'none']\n")
    tare("pull", f"{fake.host}/ns/a:1", extra=path).fails('ask the credential helper "', 'docker-credential-broken" to get: exit status 2, "locked"')


def test_a_layer_that_must_not_be_spread_is_had_from_its_urls_and_not_pushed(tare, skopeo, fake, engine, tmp):
    """docker's foreign layers, and the OCI's non-distributable ones."""
    foreign = layer_tar({"foreign": "elsewhere\n"})
    digest = digest_of(foreign)
    certificates = tmp / "certificates"
    certificates.mkdir()
    make_certificate(certificates)
    trusted = tmp / "trusted"
    trusted.mkdir()
    shutil.copy(certificates / "ca.crt", trusted)
    elsewhere = FakeRegistry()
    elsewhere.tls = certificates
    with elsewhere, DockerRegistry(tmp, foreign=True) as registry:
        elsewhere.blobs[digest] = foreign
        docker = "application/vnd.docker.distribution.manifest.v2+json"
        config = {"os": "linux", "architecture": ARCHITECTURE, "rootfs": {"type": "layers", "diff_ids": [digest, digest_of(SMALL)]},
                  "history": [{"created_by": "foreign"}, {"created_by": "ENV", "empty_layer": True}, {"created_by": "small"}]}
        document = {"schemaVersion": 2, "mediaType": docker,
                    "config": fake.blob(json.dumps(config).encode(), "application/vnd.docker.container.image.v1+json"),
                    "layers": [{"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "digest": digest, "size": len(foreign),
                                "urls": ["https://127.0.0.1:1/gone", f"https://{elsewhere.host}/v2/elsewhere/blobs/{digest}"]},
                               fake.blob(SMALL, "application/vnd.docker.image.rootfs.diff.tar.gzip")]}
        fake.manifest("a", document, "1", docker)
        tare("pull", f"{fake.host}/a:1").fails(f"get blob {digest}", 'HTTP status 404')
        tare("pull", "--cert-dir", trusted, f"{fake.host}/a:1").ok()
        assert elsewhere.asked(digest) and digest.removeprefix("sha256:") in blobs(engine.root)
        assert not [r for r in elsewhere.requests if "Authorization" in r[2]]
        assert len(list((engine.root / "layers").iterdir())) == 2
        assert tare("history", "--format", "{{.CreatedBy}}", f"{fake.host}/a:1").ok().out.split() == ["small", "ENV", "foreign"]
        tare("push", f"{fake.host}/a:1", f"{registry.host}/b:1").ok()
        pushed = {p.name for p in (registry.directory / "data/docker/registry/v2/blobs/sha256").glob("*/*")}
        assert digest_of(SMALL).removeprefix("sha256:") in pushed and digest.removeprefix("sha256:") not in pushed
        raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/b:1")
        assert json.loads(raw)["layers"][0]["urls"] == document["layers"][0]["urls"]


def test_the_policy_is_obeyed_before_anything_is_asked(tare, fake, tmp):
    fake.image("a", "1", [SMALL])
    policy = tmp / ".config/containers/policy.json"
    policy.write_text('{"default":[{"type":"reject"}]}')
    tare("pull", f"{fake.host}/a:1").fails(f'"{policy}" rejects it (/default/0)')
    policy.write_text('{"default":[{"type":"reject"}],"transports":{"docker":{"%s":[{"type":"sigstoreSigned","keyPath":"/k"}]}}}' % fake.host)
    tare("pull", f"{fake.host}/a:1").fails("demands a signature", "and signatures can't be checked here")
    assert fake.requests == []
    policy.write_text('{"default":[{"type":"reject"}],"transports":{"docker":{"%s/a":[{"type":"insecureAcceptAnything"}]}}}' % fake.host)
    tare("pull", f"{fake.host}/a:1").ok()
