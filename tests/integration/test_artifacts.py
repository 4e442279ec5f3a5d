# SPDX-License-Identifier: GPL-2.0-or-later
"""
--all-artifacts: signatures and SBOMs go with an image between registries (with the referrers API, and without it by the fallback tag),
layouts, archives and the store; there they live as long as the image does.
"""

import json
import os
import shutil
import tarfile

import pytest

from support.engine import INDEX, MANIFEST, Layout, layer_tar
from support.registry import DockerRegistry, FakeRegistry, digest_of, environment

pytestmark = pytest.mark.only("tare")

SMALL = layer_tar({"etc/hello": "hello\n"})
EMPTY = "application/vnd.oci.empty.v1+json"
SPDX = "application/spdx+json"
SIGNATURE = "application/vnd.example.signature"


def of_engine(engine, tmp):
    env = environment(tmp)
    return lambda *words, **kw: engine.call(*words, env={**env, **kw.pop("extra", {})}, **kw)


@pytest.fixture
def tare(engine, tmp):
    """Calls tare with nothing of the host's configuration."""
    return of_engine(engine, tmp)


@pytest.fixture
def fake():
    with FakeRegistry() as registry:
        registry.lists = 10
        yield registry


needs_registry = pytest.mark.skipif(not shutil.which("docker-registry"), reason="docker-registry is missing")


def at_registry(fake, subject, artifact_type, data, repository="a", **more):
    """Something that refers to a manifest. Returns its descriptor."""
    return fake.manifest(repository, {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
                                      "config": fake.blob(b"{}", EMPTY), "layers": [fake.blob(data, "application/octet-stream")],
                                      "subject": subject, **more})


def in_layout(layout, subject, artifact_type, data, listed=True):
    """The same in a layout, as an entry without a name, as oras writes it."""
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type, "config": layout.descriptor(EMPTY, b"{}"),
                "layers": [layout.descriptor("application/octet-stream", data)], "subject": subject}
    found = layout.descriptor(MANIFEST, document)
    if listed:
        layout.name(None, {**found, "artifactType": artifact_type})
    return found


@pytest.fixture
def signed(fake):
    """An image "a:1" at a registry that lists what refers to it: an SBOM, a signature, and one of the SBOM."""
    image = fake.image("a", "1", [SMALL])
    sbom = at_registry(fake, image, SPDX, b"what is in it", annotations={"by": "a test"})
    return {"image": image, "sbom": sbom, "signature": at_registry(fake, image, SIGNATURE, b"by me"),
            "of_sbom": at_registry(fake, sbom, SIGNATURE, b"by me, of the SBOM")}


def artifacts_of(signed):
    return {signed[name]["digest"] for name in ("sbom", "signature", "of_sbom")}


def entries(directory):
    """Of a layout's index.json: those without a name, {digest: artifact type}."""
    index = json.loads((directory / "index.json").read_text())
    return {e["digest"]: e.get("artifactType") for e in index["manifests"] if "org.opencontainers.image.ref.name" not in e.get("annotations", {})}


def blobs(directory):
    return {"sha256:" + p.name for p in (directory / "blobs/sha256").iterdir()}


def assert_all_there(directory, signed):
    """The layout has the artifacts, each with its blobs, and every blob is what its name says."""
    assert set(entries(directory)) == artifacts_of(signed)
    assert entries(directory)[signed["sbom"]["digest"]] == SPDX
    assert {digest_of(b) for b in (b"what is in it", b"by me", b"by me, of the SBOM", b"{}")} <= blobs(directory)
    for path in (directory / "blobs/sha256").iterdir():
        assert digest_of(path.read_bytes()) == "sha256:" + path.name


def inspected(tare, name):
    return json.loads(tare("image", "inspect", name).ok().out)[0]["Artifacts"]


# ---- the store --------------------------------------------------------------------------------------------------------------


def test_pull_takes_them_into_the_store(tare, engine, fake, signed):
    done = tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    assert done.out == f"{fake.host}/a:1\n" and f"getting {signed['sbom']['digest']} ({SPDX})" in done.err
    assert_all_there(engine.root / "images", signed)
    # They are no images, and whoever asks for the image sees them
    assert [i["Tag"] for i in engine.images()] == ["1"]
    found = {a["Digest"]: a for a in inspected(tare, "a:1")}
    assert set(found) == artifacts_of(signed)
    assert found[signed["sbom"]["digest"]] == {"Digest": signed["sbom"]["digest"], "ArtifactType": SPDX, "Subject": signed["image"]["digest"],
                                               "Size": 15, "Annotations": {"by": "a test"}}
    tree = tare("image", "tree", "--no-trunc", "a:1").ok().out.splitlines()[2:]
    sbom = tree.index(f"<-- {signed['sbom']['digest']}  15B  {SPDX}")
    assert tree[sbom + 1] == f"    <-- {signed['of_sbom']['digest']}  20B  {SIGNATURE}"
    assert f"<-- {signed['signature']['digest']}  7B  {SIGNATURE}" in tree and len(tree) == 3
    tare("system", "check").ok()
    assert tare("image", "gc").ok().out == "freed: 0B\n"
    # Without it, nothing is asked for
    fake.requests.clear()
    tare("pull", f"{fake.host}/a:1").ok()
    assert not fake.asked("referrers|sha256-")


def test_they_live_as_long_as_their_image(tare, engine, fake, signed):
    images = engine.root / "images"
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    tare("tag", "a:1", "second").ok()
    tare("rmi", f"{fake.host}/a:1").ok()
    assert_all_there(images, signed)
    # An image that lost its name is there until somebody removes it, and so are they
    fake.image("b", "1", [SMALL, layer_tar({"more": "x"})])
    tare("pull", f"{fake.host}/b:1").ok()
    tare("tag", "b:1", "second").ok()
    tare("image", "gc").ok()
    assert artifacts_of(signed) < set(entries(images)) and signed["image"]["digest"] in entries(images)
    done = tare("rmi", signed["image"]["digest"]).ok()
    assert sorted(done.out.splitlines()) == sorted(f"Deleted: {d}" for d in {signed["image"]["digest"], *artifacts_of(signed)})
    assert entries(images) == {} and not artifacts_of(signed) & blobs(images)
    tare("system", "check").ok()
    assert tare("image", "gc").ok().out == "freed: 0B\n"


def test_one_of_them_can_be_removed(tare, engine, fake, signed):
    """And what refers to that goes with it."""
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    tare("rmi", signed["sbom"]["digest"]).ok()
    assert set(entries(engine.root / "images")) == {signed["signature"]["digest"]}
    assert [a["Digest"] for a in inspected(tare, "a:1")] == [signed["signature"]["digest"]]
    tare("system", "check").ok()


def test_gc_check_and_df_know_what_nobody_needs(tare, engine):
    """An entry whose subject is gone, as a kill between two steps or another tool leaves it."""
    image = engine.image("localhost/box:latest", [SMALL])
    kept = in_layout(engine.layout, image, SPDX, b"kept")
    gone = in_layout(engine.layout, {"mediaType": MANIFEST, "digest": digest_of(b"gone"), "size": 4}, SPDX, b"of nobody")
    images = engine.root / "images"
    done = tare("system", "check")
    assert done.status == 1 and f"nobody needs artifact {gone['digest']}" in done.out and kept["digest"] not in done.out
    assert json.loads(tare("system", "df", "--format", "json").ok().out)["blobs"]["reclaimable"] > 0
    assert f"artifact {gone['digest']}" in tare("image", "gc", "--dry-run").ok().out and set(entries(images)) == {kept["digest"], gone["digest"]}
    assert f"artifact {gone['digest']}" in tare("image", "gc").ok().out
    assert set(entries(images)) == {kept["digest"]} and digest_of(b"of nobody") not in blobs(images)
    # Damage of one is found, and it alone goes
    (images / "blobs/sha256" / kept["digest"][7:]).write_text("damaged")
    done = tare("system", "check", "--repair")
    assert f"{kept['digest']}" in done.out
    tare("system", "check").ok()
    assert entries(images) == {} and inspected(tare, "box") == []


# ---- layouts and archives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["oci:{}/layout:v1", "oci-archive:{}/a.tar:v1", "docker-archive:{}/a.tar:box:2"])
def test_copy_takes_them_there_and_back(tare, engine, other, fake, signed, tmp, place):
    """From the registry through the store to a place, and from that into another store and another registry."""
    place = place.format(tmp)
    # docker's archive is a layout as well, so what is in it comes as it was
    source = place.replace("docker-archive:", "oci-archive:").replace("a.tar:box:2", "a.tar")
    assert tare("copy", "--all-artifacts", f"docker://{fake.host}/a:1", place).ok().out == "artifacts: 3\n"
    directory = tmp / "layout"
    if not directory.exists():
        with tarfile.open(tmp / "a.tar") as tar:
            tar.extractall(directory)
    assert_all_there(directory, signed)
    assert of_engine(other, tmp)("copy", "--all-artifacts", source, "here").ok().out == "artifacts: 3\n"
    assert_all_there(other.root / "images", signed)
    with FakeRegistry() as second:
        second.lists = 10
        assert tare("copy", "--all-artifacts", source, f"docker://{second.host}/b:2").ok().out == "artifacts: 3\n"
        for name, descriptor in signed.items():
            assert second.manifests["b", descriptor["digest"]] == fake.manifests["a", descriptor["digest"]], name
        assert set(fake.blobs) == set(second.blobs) and not [r for _, r in second.manifests if r.startswith("sha256-")]
    # Nothing holds them where they only passed through; and without the option they stay where they are
    tare("copy", source, "plain").ok()
    assert inspected(tare, "plain") == [] and tare("image", "gc").ok().out == "freed: 0B\n"
    assert not artifacts_of(signed) & blobs(engine.root / "images")


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci-dir"])
def test_save_and_load(tare, other, engine, fake, signed, tmp, form):
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    tare("save", "--all-artifacts", "--format", form, "-o", tmp / "saved", "a:1").ok()
    theirs = of_engine(other, tmp)
    done = theirs("load", "--all-artifacts", "-i", tmp / "saved").ok()
    assert done.out.splitlines()[0] == f"Loaded image: {fake.host}/a:1"
    assert {line.removeprefix("Loaded artifact: ") for line in done.out.splitlines()[1:]} == artifacts_of(signed)
    assert_all_there(other.root / "images", signed)
    theirs("rmi", "a:1").ok()
    assert not blobs(other.root / "images")
    # A layout with them is still one of one image
    assert theirs("load", "--name", "mine", "-i", tmp / "saved").ok().out == "Loaded image: localhost/mine:latest\n"
    assert not artifacts_of(signed) & blobs(other.root / "images")
    theirs("system", "check").ok()
    # Saved once more without them, nothing of them is in it
    theirs("save", "--all-artifacts", "-o", tmp / "plain", "mine").ok()
    with tarfile.open(tmp / "plain") as tar:
        assert not {d[7:] for d in artifacts_of(signed)} & {os.path.basename(n) for n in tar.getnames()}


def test_layouts_of_others(tare, engine, tmp):
    """As entries without a name, and as an index under the tag of the image's digest (regclient's); only those of the image."""
    layout = Layout(tmp / "layout")
    image, another = layout.manifest([SMALL]), layout.manifest([SMALL, SMALL])
    plain, by_tag = in_layout(layout, image, SPDX, b"one"), in_layout(layout, image, SIGNATURE, b"two", listed=False)
    foreign = in_layout(layout, another, SPDX, b"three")
    layout.name("v1", image)
    layout.name(image["digest"].replace(":", "-"), layout.descriptor(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [by_tag]}))
    assert tare("copy", "--all-artifacts", f"oci:{tmp}/layout", "a").ok().out == "artifacts: 2\n"
    assert {a["Digest"] for a in inspected(tare, "a")} == {plain["digest"], by_tag["digest"]}
    assert foreign["digest"] not in blobs(engine.root / "images") and [i["Repository"] for i in engine.images()] == ["localhost/a"]
    assert tare("load", "-i", tmp / "layout").ok().out == "Loaded image: localhost/v1:latest\n"


def test_a_layout_of_artifacts_alone_has_no_image(tare, engine, tmp):
    layout = Layout(tmp / "layout")
    in_layout(layout, layout.descriptor(MANIFEST, b"{}"), SPDX, b"one")
    tare("load", "--all-artifacts", "-i", tmp / "layout").fails("it has no image, only 1 things that refer to images")
    assert not blobs(engine.root / "images")


# ---- registries -------------------------------------------------------------------------------------------------------------


@needs_registry
def test_push_to_a_registry_without_lists(tare, fake, signed, other, tmp):
    """docker's registry: the fallback tag, which a pull from there reads."""
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    with DockerRegistry(tmp) as registry:
        done = tare("push", "--all-artifacts", "a:1", f"{registry.host}/b:1").ok()
        assert f"sending {signed['signature']['digest']} ({SIGNATURE})" in done.err
        theirs = of_engine(other, tmp)
        theirs("pull", "--all-artifacts", f"{registry.host}/b:1").ok()
        assert_all_there(other.root / "images", signed)
        listed = json.loads(theirs("image", "inspect", "--raw", f"docker://{registry.host}/b:{signed['image']['digest'].replace(':', '-')}").ok().out)
    # What the specification wants of an entry: type and annotations of the manifest itself
    assert {"mediaType": MANIFEST, "digest": signed["sbom"]["digest"], "size": signed["sbom"]["size"], "artifactType": SPDX,
            "annotations": {"by": "a test"}} in listed["manifests"] and len(listed["manifests"]) == 2


def test_push_to_a_registry_with_lists(tare, fake, signed):
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    with FakeRegistry() as second:
        second.lists = 1
        tare("push", "--all-artifacts", "a:1", f"{second.host}/b:1").ok()
        assert artifacts_of(signed) < {r for _, r in second.manifests} and not second.asked("sha256-")
        fake.requests.clear()
        tare("pull", "--all-artifacts", f"{second.host}/b:1").ok()
        # Without the option, the image alone
        tare("push", "a:1", f"{second.host}/c:1").ok()
        assert not artifacts_of(signed) & {r for repository, r in second.manifests if repository == "c"}


def test_an_artifact_without_a_type_has_that_of_its_config(tare, fake, engine):
    image = fake.image("a", "1", [SMALL])
    fake.manifest("a", {"schemaVersion": 2, "mediaType": MANIFEST, "config": fake.blob(b"{}", "application/vnd.example.config"), "layers": [],
                        "subject": image})
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    assert list(entries(engine.root / "images").values()) == ["application/vnd.example.config"]


@pytest.fixture
def without_lists(tare, fake, signed):
    """A registry without the API that the image, with all of it, can be pushed to; returns it and the fallback tag."""
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    with FakeRegistry() as registry:
        yield registry, signed["image"]["digest"].replace(":", "-")


def listed_at(registry, tag):
    return {d["digest"] for d in json.loads(registry.manifests["b", tag][1])["manifests"]}


THEIRS = {"mediaType": MANIFEST, "digest": digest_of(b"theirs"), "size": 6, "artifactType": "x/theirs"}


@pytest.mark.parametrize("conditions", [True, False], ids=["If-Match", "no conditions"])
def test_another_who_changes_the_list_loses_nothing(tare, signed, without_lists, conditions):
    """
    Somebody puts his own list between our reading and our writing. With conditions ours is refused, and read again; without,
    his is gone before anybody could know, but ours is not lost when he writes over it.
    """
    registry, tag = without_lists
    registry.conditions = conditions
    times = []

    def interfere(repository, reference):
        if reference == tag and not times:
            times.append(1)
            document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [THEIRS]}
            registry.manifest(repository, document, tag, INDEX)
    if conditions:
        registry.before_put = interfere
    else:
        registry.after_put = interfere
    tare("push", "--all-artifacts", "a:1", f"{registry.host}/b:1").ok()
    assert times and listed_at(registry, tag) == {signed["sbom"]["digest"], signed["signature"]["digest"], THEIRS["digest"]}
    puts = registry.asked(f"PUT /v2/b/manifests/{tag}")
    assert len(puts) == 2 and puts[0][2]["If-None-Match"] == "*" and "If-None-Match" not in puts[1][2]
    assert puts[1][2].get("If-Match") == (f'"{digest_of(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [THEIRS]}).encode())}"'
                                          if conditions else None)


def test_a_list_that_is_removed_meanwhile_is_made_anew(tare, signed, without_lists):
    registry, tag = without_lists
    registry.conditions = True
    registry.manifest("b", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [THEIRS]}, tag, INDEX)
    removed = []
    registry.before_put = lambda repository, reference: reference == tag and not removed and removed.append(registry.manifests.pop((repository, tag)))
    tare("push", "--all-artifacts", "a:1", f"{registry.host}/b:1").ok()
    assert removed and listed_at(registry, tag) == {signed["sbom"]["digest"], signed["signature"]["digest"]}


def test_whoever_is_always_slower_says_so(tare, signed, without_lists):
    registry, tag = without_lists
    registry.after_put = lambda repository, reference: reference == tag and registry.manifest(
        repository, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [THEIRS]}, tag, INDEX)
    tare("push", "--all-artifacts", "a:1", f"{registry.host}/b:1").fails(
        f"list what refers to {signed['image']['digest']}", "others change the list all the time")
    assert listed_at(registry, tag) == {THEIRS["digest"]}


def test_a_tag_that_names_something_else_is_left(tare, signed, without_lists):
    registry, tag = without_lists
    registry.image("b", tag, [SMALL])
    before = registry.manifests["b", tag]
    tare("push", "--all-artifacts", "a:1", f"{registry.host}/b:1").fails(f'tag "{tag}", which is for a list of that, names something of type "{MANIFEST}"')
    assert registry.manifests["b", tag] == before


def test_what_was_removed_but_is_listed_is_left_out(tare, engine, fake, signed):
    """One whose manifest is gone, and one that refers to something else."""
    fake.lists = 0
    foreign = at_registry(fake, fake.image("a", "2", [SMALL, SMALL]), SPDX, b"of another")
    fake.index("a", signed["image"]["digest"].replace(":", "-"), [(d, {"os": "linux", "architecture": "amd64"}) for d in (signed["sbom"], signed["signature"], foreign)])
    del fake.manifests["a", signed["sbom"]["digest"]]
    done = tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    assert f"warning: {signed['sbom']['digest']} is listed and no longer there: left out" in done.err
    assert f"warning: {foreign['digest']} is listed and does not refer to {signed['image']['digest']}: left out" in done.err
    assert set(entries(engine.root / "images")) == {signed["signature"]["digest"]}


def test_of_an_index_those_of_the_index_and_of_the_image(tare, engine, fake):
    image = fake.image("a", "x", [SMALL])
    index = fake.index("a", "1", [(image, {"os": "linux", "architecture": "amd64"})])
    of_index, of_image = at_registry(fake, index, SIGNATURE, b"all"), at_registry(fake, image, SPDX, b"one")
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").ok()
    assert set(entries(engine.root / "images")) == {of_index["digest"], of_image["digest"]} == {a["Digest"] for a in inspected(tare, "a:1")}
    # Of what is sent, not of what was pulled
    fake.lists = 0
    tare("push", "--all-artifacts", "a:1", f"{fake.host}/b:1").ok()
    for descriptor, artifact in ((index, of_index), (image, of_image)):
        assert listed_at(fake, descriptor["digest"].replace(":", "-")) == {artifact["digest"]}
    tare("rmi", "a:1").ok()
    assert not blobs(engine.root / "images")


def test_a_damaged_artifact_leaves_nothing(tare, engine, fake, signed):
    """Neither the image nor any of it: who asked for signatures must not get the image without."""
    fake.blobs[digest_of(b"by me")] = b"by u!"
    tare("pull", "--all-artifacts", f"{fake.host}/a:1").fails(f"get what refers to {signed['image']['digest']}")
    assert engine.images() == [] and entries(engine.root / "images") == {}
    tare("image", "gc").ok()
    assert not blobs(engine.root / "images")
