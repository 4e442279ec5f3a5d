# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare info`: what there is, on what host, and what has to be done another way here."""

import json
import os
import platform

import pytest

from support import runtime as rt

OVERLAY = "the store is on a filesystem that can't hold an overlay's upper directory"
MAPPED = "layers can't be seen through other ids here"
WRAPPER = rt.REPO / "build/tests/old-kernel"


def info(engine):
    return json.loads(engine.call("info", "--format", "json").ok().out)


def staged(engine):
    return list((engine.root / "staging").iterdir())


def test_what_there_is(engine):
    descriptor = engine.image()
    engine.layout.name("localhost/second:name", descriptor)
    engine.image("localhost/other:1", config={"Env": ["A=b"]})
    engine.call("run", "--name", "ended", "box", "true").ok()
    with engine.running("echo ready; sleep 100", name="runs"):
        seen = info(engine)
    assert [seen[f"Containers{x}"] for x in ("", "Running", "Paused", "Stopped")] == [2, 1, 0, 1]
    assert seen["Images"] == 2, "each once, whatever names it has"
    assert (seen["DockerRootDir"], seen["RunRoot"]) == (str(engine.root), str(engine.runroot))
    assert (seen["KernelVersion"], seen["Architecture"], seen["Name"]) == (platform.release(), platform.machine(), platform.node())
    assert seen["NCPU"] == len(os.sched_getaffinity(0))
    assert seen["MemTotal"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert "name=seccomp,profile=builtin" in seen["SecurityOptions"] and not seen["Rootless"]
    assert not staged(engine), "trying leaves nothing"


def test_by_templates_and_for_people(engine):
    version = engine.call("--version").ok().out.split()[2]
    assert engine.call("info", "-f", "{{.ServerVersion}} {{.OSType}} {{len .Fallbacks}}").ok().out.startswith(f"{version} linux ")
    engine.call("info", "--format", "{{.Nothing}}").fails("Nothing")
    lines = engine.call("system", "info").ok().out.splitlines()
    assert lines[0].split() == ["version", version]
    assert f"root            {engine.root}" in lines
    assert any(line.startswith("containers") and line.endswith("0 running, 0 paused, 0 stopped") for line in lines)


def test_a_store_on_an_overlay_is_told(engine, tmp):
    with engine.on_overlay(tmp):
        assert any(text.startswith(OVERLAY) for text in info(engine)["Fallbacks"])
        assert OVERLAY in engine.call("info").ok().out
        assert not staged(engine)


@pytest.mark.no_sanitizer("its own calls would be missing as well")
@pytest.mark.skipif(bool(rt.OLD_KERNEL), reason="the whole suite runs under the wrapper already")
@pytest.mark.parametrize("missing, told", [("5.10,mount_setattr", True), ("overlay-lowerdir+", False)])
def test_layers_that_cannot_be_mapped_are_told(engine, missing, told):
    engine.under = [str(WRAPPER), missing]
    assert any(text.startswith(MAPPED) for text in info(engine)["Fallbacks"]) == told
    assert not staged(engine)


def test_version_by_dockers_names(engine):
    version = engine.call("--version").ok().out.split()[2]
    assert engine.call("version").ok().out.splitlines()[0].split() == ["Version:", version]
    assert engine.call("version", "--format", "{{.Server.Version}} {{.Client.Os}}").ok().out == f"{version} linux\n"
    seen = json.loads(engine.call("version", "-f", "json").ok().out)
    assert seen["Client"] == seen["Server"] and seen["Client"]["GitCommit"]
    assert not engine.root.exists(), "nothing is made for it"


def test_unshare_is_for_users(engine):
    engine.call("unshare", "true").fails("this is root already", status=125)
