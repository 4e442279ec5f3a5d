# SPDX-License-Identifier: GPL-2.0-or-later
"""The program tare as such: its commands, options and directories; and `images`."""

import os
import re
import subprocess

import pytest

from support.engine import INDEX

COMMAND_LINE = re.compile(r"^  (\S+(?: \S+)*?)  +(\S.*)$", re.M)


def run(engine, *words, **env):
    return subprocess.run([engine.path, *words], capture_output=True, text=True, check=False, env={**os.environ, **env})


def commands(engine):
    listing = run(engine, "help").stdout.split("commands:\n", 1)[1].split("\n\n", 1)[0]
    return [name for name, _ in COMMAND_LINE.findall(listing)]


def test_help_lists_the_commands_and_each_has_its_own(engine):
    names = [n for n in commands(engine) if not n.startswith("help")]
    assert "images" in names
    for name in names:
        done = run(engine, *name.split(), "--help")
        assert done.returncode == 0 and f"usage: tare [GLOBAL OPTIONS] {name} " in done.stdout


def test_version(engine):
    assert re.fullmatch(r"tare version \d+\.\d+\.\d+\ncommit: \S+\n", run(engine, "--version").stdout)


@pytest.mark.parametrize("words, message, hint", [
    (["imags"], 'unknown command "imags"', "did you mean images?"),
    (["image", "lss"], 'unknown command "image lss"', "tare help image lists them"),
    (["image"], '"image" needs a command', "tare help image lists them"),
    (["images", "--no-trun"], 'images: unknown option "--no-trun"', "did you mean --no-trunc?"),
    (["images", "--root", "/x"], 'images: unknown option "--root"', "--root stands before the command: tare --root ... images"),
    (["--root", "/", "images"], 'refuse "--root /"', ""),
    (["--root=", "images"], 'option "--root" is empty', ""),
])
def test_what_is_wrong_is_said(engine, words, message, hint):
    done = run(engine, *words)
    assert done.returncode == 1
    assert f"tare: {message}" in done.stderr and hint in done.stderr


def test_a_group_has_help(engine):
    for words in (["help", "image"], ["image", "--help"]):
        done = run(engine, *words)
        assert done.returncode == 0 and "\n  ls  " in done.stdout


def test_options_come_before_the_environment_and_that_before_the_default(engine, tmp):
    def made(*words, **env):
        before = {p.name for p in tmp.iterdir()}
        assert run(engine, *words, "images", **env).returncode == 0
        return {p.name for p in tmp.iterdir()} - before

    assert made("--root", tmp / "a", TARE_ROOT=str(tmp / "b")) == {"a"}
    assert made(TARE_ROOT=str(tmp / "b")) == {"b"}
    assert (tmp / "b/images/index.json").exists()
    assert (tmp / "b").stat().st_mode & 0o777 == 0o700


def test_a_user_has_a_store_of_his_own(engine, tmp):
    home = tmp / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 12345, 12345)

    def as_user(**env):
        return subprocess.run([engine.path, "images"], capture_output=True, text=True, check=False, user=12345, group=12345,
                              extra_groups=[], env={"PATH": os.environ["PATH"], **env})
    done = as_user(HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert (home / ".local/share/tare/images/index.json").exists()
    assert as_user(HOME=str(home), XDG_DATA_HOME=str(home / "data")).returncode == 0
    assert (home / "data/tare/images/index.json").exists()
    done = as_user()
    assert done.returncode == 1 and "set HOME or XDG_DATA_HOME, or give --root DIR" in done.stderr


def test_an_empty_store(engine):
    assert engine.call("images").ok().out == "REPOSITORY   TAG   IMAGE ID   CREATED   SIZE\n"
    assert engine.images() == []


def test_images_are_listed_by_name(engine):
    box = engine.image("localhost/box:1", layers=[{"a": "1"}])
    engine.image("docker.io/library/other:latest", layers=[{"b": "2"}], created="2020-01-01T00:00:00Z")
    table = engine.call("image", "ls").ok().out.splitlines()
    assert re.fullmatch(r"REPOSITORY +TAG +IMAGE ID +CREATED +SIZE", table[0])
    assert re.fullmatch(r"localhost/box +1 +[0-9a-f]{12} +\d+ \w+ ago +\d\S+B", table[1])
    assert re.fullmatch(r"docker.io/library/other +latest +[0-9a-f]{12} +\d+ years ago +\d\S+B", table[2])
    (first, second) = engine.images("--no-trunc")
    assert (first["Repository"], first["Tag"], first["Digest"]) == ("localhost/box", "1", box["digest"])
    assert re.fullmatch("sha256:[0-9a-f]{64}", first["ID"]) and first["ID"] != second["ID"]
    quiet = engine.call("images", "-q").ok().out.split()
    assert quiet == [first["ID"][7:19], second["ID"][7:19]]


def test_an_image_that_lost_its_name(engine):
    engine.image(None, layers=[{"a": "1"}])
    (image,) = engine.images()
    assert (image["Repository"], image["Tag"]) == ("<none>", "<none>")


def test_an_index_shows_the_image_for_this_machine(engine):
    mine = engine.layout.manifest([{"a": "mine"}])
    other = engine.layout.manifest([{"a": "other"}], architecture="s390x")
    entries = [{**other, "platform": {"os": "linux", "architecture": "s390x"}},
               {**mine, "platform": {"os": "linux", "architecture": "amd64"}},
               {**mine, "platform": {"os": "linux", "architecture": "arm64"}}]
    engine.layout.name("localhost/multi:1", engine.layout.descriptor(INDEX, {"schemaVersion": 2, "manifests": entries}))
    engine.layout.name("localhost/single:1", mine)
    multi, single = engine.images()
    assert multi["ID"] == single["ID"] and multi["Digest"] != single["Digest"]


def test_an_image_that_cannot_be_read_hides_no_other(engine):
    broken = engine.image("localhost/broken:1", layers=[{"a": "1"}])
    engine.image("localhost/whole:1", layers=[{"b": "2"}])
    (engine.layout.path / "blobs/sha256" / broken["digest"][7:]).write_text("{}")
    result = engine.call("images").ok()
    assert re.search(r"^localhost/broken +1 .* N/A$", result.out, re.M)
    assert re.search(r"^localhost/whole +1 .*B$", result.out, re.M)
    assert any(broken["digest"] in w for w in result.warnings)


def test_names_from_elsewhere_cannot_write_to_the_terminal(engine):
    engine.image("evil\x1b[2J\nname", layers=[{"a": "1"}])
    out = engine.call("images").ok().out
    assert "\x1b" not in out and r"evil\x1b[2J\nname" in out
    assert len(out.splitlines()) == 2


def test_an_unknown_format_is_refused(engine):
    engine.call("images", "--format", "xml").fails('unknown format "xml"')
