# SPDX-License-Identifier: GPL-2.0-or-later
"""The image store from outside: names come and go, garbage goes, what is wrong is found, and the sums are those of du."""

import fcntl
import hashlib
import json
import os
import subprocess

import pytest

from support.engine import busybox_layer, layer_tar

pytestmark = pytest.mark.only("tare")
TEXT = {"layers": [{"file": "text"}]}


def names(engine):
    return sorted(f"{i['Repository']}:{i['Tag']}" for i in engine.images())


def blobs(engine):
    return sorted(p.name for p in (engine.root / "images/blobs/sha256").iterdir())


def container(engine, name, digest):
    """As `run` leaves it: what a container needs."""
    directory = engine.root / "containers" / name
    directory.mkdir(parents=True)
    (directory / "image").write_text(digest)
    return directory


def refused(done, message, hint):
    done.fails(message)
    assert f"hint: {hint}" in done.err, done.describe()


# ---- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given,whole", [
    ("other", "localhost/other:latest"), ("other:2", "localhost/other:2"), ("example.com/a/b:c", "example.com/a/b:c"),
    ("docker.io/nginx", "docker.io/library/nginx:latest")])
def test_tag_adds_a_name(engine, given, whole):
    engine.image("localhost/box:1", **TEXT)
    engine.call("tag", "box:1", given).ok()
    assert names(engine) == sorted(["localhost/box:1", whole])


def test_a_name_moves_on_and_the_old_image_stays_without_one(engine):
    engine.image("localhost/a:latest", **TEXT)
    engine.image("localhost/b:latest", layers=[{"file": "other"}])
    engine.call("tag", "b", "a").ok()
    assert names(engine) == ["<none>:<none>", "localhost/a:latest", "localhost/b:latest"]
    assert engine.call("image", "gc").ok().out == "freed: 0B\n"


def test_tag_refuses_what_is_no_name(engine):
    engine.image("localhost/a:latest", **TEXT)
    engine.call("tag", "a", "UPPER").fails('"UPPER"')
    engine.call("tag", "a", "b@sha256:" + "0" * 64).fails("has a digest, and a name can't choose its own")
    engine.call("tag", "missing", "b").fails('image "missing" is not in the store')
    assert names(engine) == ["localhost/a:latest"]


def test_rmi_takes_a_name_and_with_the_last_the_image(engine):
    digest = engine.image("localhost/a:latest", **TEXT)["digest"]
    engine.call("tag", "a", "b").ok()
    assert engine.call("rmi", "a").ok().out == "Untagged: localhost/a:latest\n"
    assert len(blobs(engine)) == 3
    assert engine.call("rmi", "b").ok().out == f"Untagged: localhost/b:latest\nDeleted: {digest}\n"
    assert blobs(engine) == [] and names(engine) == []


def test_rmi_by_id(engine):
    digest = engine.image("localhost/a:latest", **TEXT)["digest"]
    image_id = engine.images("--no-trunc")[0]["ID"]
    engine.call("tag", "a", "b").ok()
    refused(engine.call("rmi", image_id[7:19]), "has 2 names", "remove one of them by its name, or all with --force")
    assert len(names(engine)) == 2
    out = engine.call("rmi", "--force", image_id[7:19]).ok().out
    assert out == f"Untagged: localhost/a:latest\nUntagged: localhost/b:latest\nDeleted: {digest}\n"
    assert blobs(engine) == []


def test_rmi_by_the_beginning_of_two_ids(engine):
    """Images are made until two ids begin alike."""
    seen = {}
    for i in range(20000):
        config = {"Cmd": [str(i)]}
        document = json.dumps({"architecture": "amd64", "os": "linux", "created": "2026-01-02T03:04:05Z", "config": config,
                               "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        start = hashlib.sha256(document).hexdigest()[:4]
        if start in seen:
            break
        seen[start] = config
    for n, c in enumerate((seen[start], config)):
        engine.layout.name(f"localhost/i{n}:latest", engine.layout.manifest([], c, architecture="amd64"))
    refused(engine.call("rmi", start), "could be one of 2 images", "localhost/i0:latest, localhost/i1:latest")
    assert len(names(engine)) == 2


def test_rmi_of_what_is_not_there_removes_the_others_before_it(engine):
    engine.image("localhost/a:latest", **TEXT)
    refused(engine.call("rmi", "a", "missing"), 'image "missing" is not in the store', "tare images lists those that are")
    assert names(engine) == [] and blobs(engine) == []


def test_an_image_that_a_container_needs_stays(engine):
    digest = engine.image("localhost/a:latest", **TEXT)["digest"]
    engine.call("tag", "a", "b").ok()
    used = container(engine, "web", digest)
    engine.call("rmi", "a").ok()
    refused(engine.call("rmi", "b"), 'image "b" is in use by container web', "tare rm web removes the container")
    engine.call("rmi", "-f", digest[7:20]).fails("is in use by container web")
    assert names(engine) == ["localhost/b:latest"]
    (used / "image").unlink()
    used.rmdir()
    engine.call("rmi", "b").ok()
    assert blobs(engine) == []


# ---- garbage --------------------------------------------------------------------------------------------------------


def test_gc_says_what_goes(engine):
    engine.image("localhost/a:latest", **TEXT)
    digest, _ = engine.layout.blob(b"nobody's")
    (engine.root / "staging").mkdir(exist_ok=True)
    (engine.root / "staging/new-1").write_text("half")
    for option in (["--dry-run"], []):
        out = engine.call("image", "gc", *option).ok().out
        assert f"blob {digest} (" in out and "half-written new-1 (" in out
        assert ("to be freed: " if option else "freed: ") in out
        assert (digest[7:] in blobs(engine)) == bool(option)
    assert len(blobs(engine)) == 3 and os.listdir(engine.root / "staging") == []


def test_gc_leaves_what_somebody_has_locked(engine):
    engine.call("images").ok()
    staged = engine.root / "staging/new-1"
    staged.write_text("being written")
    with open(staged) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert engine.call("image", "gc").ok().out == "freed: 0B\n"
        assert staged.exists()
        engine.call("system", "reset", "--force").fails('somebody is writing into the store: "staging/new-1" is locked')
    engine.call("image", "gc").ok()
    assert not staged.exists()


# ---- how much -------------------------------------------------------------------------------------------------------


def test_df_is_du(engine):
    engine.image("localhost/a:latest", layers=[{"file": "x" * 100_000}])
    digest, _ = engine.layout.blob(b"y" * 50_000)
    used = container(engine, "web", digest)
    engine.call("images").ok()
    told = json.loads(engine.call("system", "df", "--format", "json").ok().out)

    def du(path):
        return int(subprocess.run(["du", "-sx", "--block-size=1", path], capture_output=True, text=True, check=True).stdout.split()[0])
    assert told["total"] == du(engine.root)
    assert told["blobs"]["bytes"] == du(engine.root / "images") and told["blobs"]["count"] == 4
    assert told["containers"]["bytes"] == du(engine.root / "containers") and told["containers"]["count"] == 1
    assert told["blobs"]["reclaimable"] == 0
    (used / "image").unlink()
    used.rmdir()
    told = json.loads(engine.call("system", "df", "--format", "json").ok().out)
    assert told["blobs"]["reclaimable"] == du(engine.root / "images/blobs/sha256" / digest[7:])
    assert engine.call("system", "df").ok().out.splitlines()[0].split() == ["TYPE", "COUNT", "SIZE", "RECLAIMABLE"]
    refused(engine.call("system", "df", "--format", "yaml"), 'unknown format "yaml"', "it is table or json")


# ---- check and reset ------------------------------------------------------------------------------------------------


def test_check_finds_nothing_in_a_sound_store(engine):
    engine.image("localhost/a:latest", **TEXT)
    assert engine.call("system", "check").ok().out == "3 blobs and 0 layers: 0 found, 0 repaired\n"


def test_check_finds_nothing_in_a_layer_that_hides_something(engine):
    """When a whiteout was made is nobody's affair."""
    engine.image(layers=[busybox_layer(), {"etc/.wh.passwd": "", "home/.wh..wh..opq": ""}])
    engine.run("true").ok()
    engine.call("system", "check").ok()


def test_check_finds_a_flipped_byte_anywhere(engine):
    engine.image("localhost/a:latest", **TEXT)
    for name in blobs(engine):
        path = engine.root / "images/blobs/sha256" / name
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        done = engine.call("system", "check")
        assert done.status == 1 and f"blob sha256:{name} is damaged: its bytes are sha256:" in done.out
        path.write_bytes(data)
    engine.call("system", "check").ok()


def test_repair_leaves_a_store_in_which_nothing_is_wrong(engine):
    manifest = engine.image("localhost/a:latest", **TEXT)["digest"][7:]
    engine.image("localhost/b:latest", layers=[{"file": "other"}])
    (engine.root / "images/blobs/sha256" / manifest).write_text("{}")
    assert engine.call("system", "check").status == 1
    out = engine.call("system", "check", "--repair").ok().out
    assert f"blob sha256:{manifest} is damaged" in out and " (repaired)\n" in out
    assert engine.call("system", "check").ok().out == "3 blobs and 0 layers: 0 found, 0 repaired\n"
    assert names(engine) == ["localhost/b:latest"]


def test_a_missing_layer_is_no_reason_to_forget_the_image(engine):
    engine.image("localhost/a:latest", **TEXT)
    layer = engine.layout.blob(layer_tar({"file": "text"}))[0]
    path = engine.root / "images/blobs/sha256" / layer[7:]
    data = path.read_bytes()
    path.unlink()
    done = engine.call("system", "check", "--repair")
    assert done.status == 1 and f"names blob {layer}, which is not there\n    pull or load the image again" in done.out
    assert names(engine) == ["localhost/a:latest"]
    path.write_bytes(data)
    engine.call("system", "check").ok()


def test_reset_shows_first_and_then_removes_everything(engine):
    digest = engine.image("localhost/a:latest", **TEXT)["digest"]
    engine.call("images").ok()
    out = engine.call("system", "reset").ok().out
    assert out.startswith("images: ") and "nothing was removed; tare system reset --force removes it" in out
    assert len(blobs(engine)) == 3
    used = container(engine, "web", digest)
    engine.call("system", "reset", "--force").fails("there is still container web")
    (used / "image").unlink()
    used.rmdir()
    engine.call("system", "reset", "--force").ok()
    assert os.listdir(engine.root) == []
    assert names(engine) == []


# ---- what is shown --------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(engine):
    config = {"Cmd": ["nginx", "-g"], "Labels": {"a": "1"}, "Env": ["A=b"], "Healthcheck": {"Test": ["CMD", "x"], "Interval": 5}}
    history = [{"created": "2026-01-02T03:04:05Z", "created_by": "/bin/sh -c #(nop) ADD file:" + "x" * 80},
               {"created": "2026-01-02T03:04:06Z", "created_by": "ENV A=b", "comment": "why", "empty_layer": True}]
    engine.image("docker.io/library/web:1", config=config, history=history, author="me", **TEXT)
    engine.call("tag", "web:1", "mine").ok()
    return engine


def test_inspect_has_dockers_names(shown):
    [told] = json.loads(shown.call("image", "inspect", "web:1").ok().out)
    digest = told["Digest"]
    assert told["Id"] == shown.images("--no-trunc")[0]["ID"] and told["Author"] == "me" and told["Comment"] == "why"
    assert told["RepoTags"] == ["docker.io/library/web:1", "localhost/mine:latest"]
    assert told["RepoDigests"] == [f"docker.io/library/web@{digest}"]
    assert told["Config"]["Cmd"] == ["nginx", "-g"] and told["Config"]["Entrypoint"] is None and told["Config"]["User"] == ""
    assert told["Config"]["Healthcheck"] == {"Test": ["CMD", "x"], "Interval": 5}
    assert told["RootFS"] == {"Type": "layers", "Layers": ["sha256:" + hashlib.sha256(layer_tar({"file": "text"})).hexdigest()]}
    assert told["Size"] > 1024 and told["Os"] == "linux"
    shown.call("image", "inspect", "web:1", "missing").fails('image "missing" is not in the store')


@pytest.mark.parametrize("template,expected", [
    ("{{.Config.Cmd}}", "[nginx -g]"), ("{{index .RepoTags 0}}", "docker.io/library/web:1"),
    ("{{json .Config.Labels}}", '{"a":"1"}'), ("{{.Config.Labels.a}}{{.Config.Entrypoint}}", "1<nil>"),
    ("{{range .Config.Env}}{{.}}\\n{{end}}{{.Os}}", "A=b\nlinux")])
def test_inspect_by_template(shown, template, expected):
    assert shown.call("image", "inspect", "-f", template, "web:1").ok().out == expected + "\n"


def test_a_wrong_template_is_said(shown):
    refused(shown.call("image", "inspect", "-f", "{{.Confg}}", "web:1"), 'there is no "Confg"', "did you mean .Config?")
    refused(shown.call("images", "--format", "{{Repository}}"), 'unknown function "Repository"', "a member of the document begins with a dot")


def test_raw_is_what_is_stored(shown):
    digest = json.loads(shown.call("image", "inspect", "mine").ok().out)[0]["Digest"]
    raw = subprocess.run(shown.command("image", "inspect", "--raw", "mine"), capture_output=True, check=True).stdout
    assert hashlib.sha256(raw).hexdigest() == digest[7:]


def test_history_is_shown_the_last_step_first(shown):
    lines = shown.call("history", "web:1").ok().out.splitlines()
    assert lines[0].split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert "ENV A=b" in lines[1] and "0B" in lines[1] and lines[1].endswith("why")
    assert "<missing>" in lines[2] and "..." in lines[2] and "10.2kB" in lines[2]
    assert "x" * 80 in shown.call("history", "--no-trunc", "web:1").ok().out
    assert shown.call("history", "--format", "{{.CreatedBy}}|{{.Size}}", "web:1").ok().out.splitlines()[0] == "ENV A=b|0B"


def test_images_by_template_and_as_a_table_of_one(shown):
    assert shown.call("images", "--format", "{{.Repository}}:{{.Tag}}").ok().out == "docker.io/library/web:1\nlocalhost/mine:latest\n"
    lines = shown.call("images", "--format", "table {{.ID}}\\t{{.Repository}}").ok().out.splitlines()
    assert lines[0].split() == ["IMAGE", "ID", "REPOSITORY"] and len(lines) == 3
    assert lines[1].index("docker.io") == lines[0].index("REPOSITORY")


def test_control_characters_of_an_image_do_nothing(engine):
    engine.image("localhost/a:latest", author="\x1b[31mred\x07", **TEXT)
    out = engine.call("image", "inspect", "-f", "{{.Author}}", "a").ok().out
    assert out == "\\x1b[31mred\\x07\n"
