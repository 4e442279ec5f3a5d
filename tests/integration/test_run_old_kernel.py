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


@pytest.mark.parametrize("missing, options", [("overlay-lowerdir+", ()), (OLD, ()), ("overlay-lowerdir+", ("--userns", "300000"))])
def test_what_a_container_changed_is_seen_and_becomes_a_layer(without, missing, options):
    """Before 6.15 not even an empty directory that makes two of one may be detached; an image of one layer needs it."""
    engine = without(missing)
    engine.image(layers=[{**busybox_layer(), "a": "first", "b": "first"}])
    engine.call("run", "--name", "web", *options, "box", "sh", "-c", "echo new > /a; rm /b; echo > /c").ok()
    assert engine.call("diff", "web").ok().out.splitlines() == ["C /a", "D /b", "A /c"]
    engine.call("commit", "web", "second").ok()
    assert engine.call("diff", "second").ok().out.splitlines() == ["C /a", "D /b", "A /c"]
    assert engine.call("run", "--rm", "second", "sh", "-c", "cat /a; ls /b /c 2>&1; true").ok().out == "new\nls: /b: No such file or directory\n/c\n"


# ---- copies for ids that layers can't be mapped to -------------------------------------------------------------------------------


IDS = ("--userns", "300000")
COPIED = "layers can't be mapped here: the image was copied for the ids of --userns"


def copies(engine):
    return sorted(p.name for p in (engine.root / "layers").iterdir() if "+" in p.name)


@pytest.fixture
def layered(without):
    engine = without(OLD, "mount_setattr")
    acl = {"SCHILY.acl.access": "user::rw-,user:5:r--,group::r--,mask::r--,other::---"}
    engine.image(layers=[busybox_layer(), {"mine": File("x", uid=5, gid=6), "gone": "1", "opaque": Directory(), "opaque/below": "1",
                                           "acl": File("a", uid=1, pax=acl)},
                         {".wh.gone": "", "opaque": Directory(), "opaque/.wh..wh..opq": "", "opaque/own": File("o", uid=8)}])
    return engine


def test_without_idmapped_mounts_the_image_is_copied_once_for_a_mapping(layered):
    script = "stat -c '%u:%g %n' /mine /bin/busybox /opaque/own; ls /opaque /gone 2>&1; id -u; echo > /new; stat -c %u /new"
    first, second = layered.sh(script, *IDS).ok(), layered.sh(script, *IDS).ok()
    assert first.out == second.out
    assert first.out.splitlines() == ["5:6 /mine", "0:0 /bin/busybox", "8:0 /opaque/own", "ls: /gone: No such file or directory", "/opaque:",
                                      "own", "0", "0"]
    assert any(COPIED in w for w in first.warnings) and not any(COPIED in w for w in second.warnings)
    assert len(copies(layered)) == 3 and all(name.endswith("+300000+65536") for name in copies(layered))
    (plain,) = [p for p in (layered.root / "layers").iterdir() if (p / "mine").exists() and "+" not in p.name]
    assert (plain / "mine").stat().st_uid == 5
    assert (plain.with_name(plain.name + "+300000+65536") / "mine").stat().st_uid == 300005


def test_each_mapping_has_its_copy_and_a_collection_takes_them_with_their_layers(layered):
    layered.sh("true", *IDS).ok()
    layered.sh("true", "--userns", "500000:70000").ok()
    assert len(copies(layered)) == 6
    layered.call("image", "gc").ok()
    assert len(copies(layered)) == 6, "the image is still there"
    assert layered.call("system", "check").ok().status == 0
    layered.call("rmi", "box").ok()
    layered.call("image", "gc").ok()
    assert copies(layered) == []


def damage_content(copy):
    times = (copy / "mine").stat()
    (copy / "mine").write_text("y")
    os.utime(copy / "mine", ns=(times.st_atime_ns, times.st_mtime_ns))


def damage_acl(copy):
    acl = os.getxattr(copy / "acl", "system.posix_acl_access")
    os.setxattr(copy / "acl", "system.posix_acl_access", acl.replace((300005).to_bytes(4, "little"), (300006).to_bytes(4, "little")))


@pytest.mark.parametrize("damage,text", [
    (damage_content, 'has another "/mine"'),
    (lambda copy: os.chown(copy / "mine", 5, 300006), 'has another "/mine"'),
    (lambda copy: os.chown(copy / "mine", 300005, 300007), 'has another "/mine"'),
    (lambda copy: os.chown(copy, 0, 0), 'has another "/"'),
    (damage_acl, 'has another "/acl"'),
    (lambda copy: (copy / "mine").unlink(), 'lacks "/mine"'),
    (lambda copy: (copy / "more").touch(), 'has "/more"'),
    (lambda copy: copy.rename(str(copy).replace("+300000", "+300001")), "has another"),
    (lambda copy: copy.rename(str(copy).replace("+65536", "+x")), "has a name that tells of no ids"),
], ids=["content", "uid", "gid", "root", "acl", "lacks", "has", "other ids", "no ids"])
def test_a_damaged_copy_is_found_and_goes(layered, damage, text):
    layered.sh("true", *IDS).ok()
    (copy,) = [p for p in (layered.root / "layers").iterdir() if (p / "acl").exists() and "+" in p.name]
    before = copies(layered)
    damage(copy)
    damaged = set(copies(layered)) - set(before) or {copy.name}
    done = layered.call("system", "check")
    assert done.status == 1 and done.out.count("\n") == 2 and damaged.pop() in done.out and text in done.out, done.describe()
    assert "6 layers: 1 found, 0 repaired" in done.out and len(copies(layered)) == 3
    assert "(repaired)" in layered.call("system", "check", "--repair").ok().out
    assert len(copies(layered)) == 2
    layered.call("system", "check").ok()
    # Whoever needs it makes it anew, and what is damaged below it is no fault of the copy's
    assert layered.sh("stat -c '%u:%g' /mine; cat /mine", *IDS).ok().out == "5:6\nx"
    assert copies(layered) == before
    layered.call("system", "check").ok()


def test_ids_in_attributes_are_mapped_too(layered):
    layered.sh("true", *IDS).ok()
    (copy,) = [p for p in (layered.root / "layers").iterdir() if (p / "acl").exists() and "+" in p.name]
    acl = os.getxattr(copy / "acl", "system.posix_acl_access")
    entries = [(int.from_bytes(acl[i:i + 2], "little"), int.from_bytes(acl[i + 4:i + 8], "little")) for i in range(4, len(acl), 8)]
    assert (2, 300005) in entries, entries


def test_capabilities_of_files_count_for_the_containers_root(without):
    """VFS_CAP_REVISION_2 counts for the host's root only."""
    engine = without(OLD, "mount_setattr")
    capability = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
    entries = busybox_layer()
    entries["bin/busybox"].pax = {"SCHILY.xattr.security.capability": capability.decode("ascii")}
    engine.image(layers=[entries])
    status = engine.run("cat", "/proc/self/status", options=[*IDS, "--user", "1000"]).ok().out
    (copy,) = [p for p in (engine.root / "layers").iterdir() if "+" in p.name]
    value = os.getxattr(copy / "bin/busybox", "security.capability")
    assert value[3] == 3 and int.from_bytes(value[20:24], "little") == 300000
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    assert int(effective.split()[1], 16) == 1 << 10
