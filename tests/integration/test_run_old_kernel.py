# SPDX-License-Identifier: GPL-2.0-or-later
"""
`tare run` on kernels that lack something of what it uses for the root filesystem, by a seccomp filter (tests/old-kernel.c): an
overlay whose layers are given one by one (Linux 6.7), detached mapped layers (6.15), idmapped mounts (5.12), and all that
came after 5.10.
"""

import os

import pytest

from support import runtime as rt
from support.engine import Directory, File, busybox_layer

WRAPPER = rt.REPO / "build/tests/old-kernel"
OLD = "5.10,overlay-lowerdir+"

pytestmark = [
    pytest.mark.no_sanitizer("its own calls would be missing as well"),
    pytest.mark.skipif(not WRAPPER.exists(), reason="no build/tests/old-kernel"),
    pytest.mark.skipif(bool(rt.OLD_KERNEL), reason="the whole suite runs under the wrapper already"),
]


@pytest.fixture
def without(engine):
    def make(*names):
        engine.under = [str(WRAPPER), ",".join(names)] if names else []
        return engine
    return make


def overlay_options(engine, *options):
    line = next(x for x in engine.sh("cat /proc/self/mountinfo", *options).ok().out.splitlines() if " / / " in x)
    assert " - overlay " in line
    return line.split(" - overlay ")[1].split()[1]


@pytest.mark.parametrize("missing", ["overlay-lowerdir+", OLD])
def test_layers_lie_over_one_another(without, missing):
    engine = without(missing)
    engine.image(layers=[busybox_layer(), {"a": "first", "b": "first"}, {"a": "second", ".wh.b": ""}])
    assert engine.sh("cat /a; ls /b 2>&1; echo new > /a; cat /a").ok().out == "secondls: /b: No such file or directory\nnew\n"
    options = overlay_options(engine)
    assert "volatile" in options and "/layers/" not in options, "this is the newer way"
    assert "/layers/" in overlay_options(without())


def test_more_layers_than_paths_fit_into_a_page(without):
    engine = without("overlay-lowerdir+")
    engine.image(layers=[busybox_layer(), *({f"file{i}": str(i)} for i in range(150))])
    assert engine.sh("cat /file0 /file77 /file149").ok().out == "077149"


def test_what_is_written_is_kept(without):
    engine = without(OLD)
    engine.image()
    result = engine.call("run", "--name", "kept", "box", "sh", "-c", "echo x > /kept")
    assert result.ok().status == 0
    (container,) = (engine.root / "containers").iterdir()
    assert (container / "upper/kept").read_text() == "x\n"
    assert not os.path.ismount(container / "rootfs")


def test_nobody_sees_the_mount(without):
    """It is made in a mount namespace of its own, although /, as on a host with systemd, is shared."""
    engine = without("overlay-lowerdir+")
    engine.image()
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        before = mounts.read()
    engine.sh("true").ok()
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        assert mounts.read() == before


def test_mapped_layers_without_lowerdir(without):
    """Linux 5.19 to 6.14: they have to be attached somewhere."""
    engine = without("overlay-lowerdir+")
    engine.image(layers=[busybox_layer(), {"mine": File("x", uid=5, gid=6), "dir": Directory(uid=7)}])
    out = engine.sh("stat -c '%u:%g %n' /mine /dir /bin/busybox; cat /proc/self/uid_map", "--userns", "300000").ok().out.splitlines()
    assert out[:3] == ["5:6 /mine", "7:0 /dir", "0:0 /bin/busybox"]
    assert out[3].split() == ["0", "300000", "65536"]
    (layer,) = [p for p in (engine.root / "layers").iterdir() if (p / "mine").exists()]
    assert (layer / "mine").stat().st_uid == 5, "the shared layer is as it was"
