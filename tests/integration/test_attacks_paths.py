# SPDX-License-Identifier: GPL-2.0-or-later
"""
The advisories of runc and crun that requirements section 4.1 names, as attacks on the paths that the runtime follows: images
with links in them, and neighbours who exchange a name of a shared volume for another while the runtime works there.

Each runs twice (fixture `victim`): guarded, it must fail; without the one guard that is named, it must succeed. A race is run
until it is won, or so often that it would have been (support/attack.py).
"""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from support.attack import Swapper, delayed
from support.terminal import ConsoleSocket

pytestmark = [pytest.mark.only("tare"), pytest.mark.no_sanitizer("an attack is the same under it, and the other half is of another build")]


DELAY_US = 2000  # for names to be exchanged also when the machine is busy


@pytest.fixture
def host(tmp):
    """A directory of the host that no container has anything to do with."""
    directory = tmp / "host"
    directory.mkdir()
    return directory


def link_to(path):
    """The text of a relative link that climbs as far as it can, and then goes to a path of the host."""
    return "../" * 20 + str(path)[1:]


def dev_volume(tmp):
    """A directory with the device nodes of a container's /dev, for a volume."""
    volume = tmp / "dev"
    volume.mkdir()
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        os.mknod(volume / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    os.mknod(volume / "tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
    return volume


# ---- /proc and /sys -------------------------------------------------------------------------------------------------


@pytest.mark.guard("proc_real")
def test_X4_proc_that_is_a_link_into_a_volume(victim, bundle, attacker, tmp):
    """
    CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: the image's /proc is a link into a volume, where another container exchanges
    what it leads to between the mount and the masks. Then these are laid over nothing, and what they should hide is there to read.
    """
    volume = tmp / "volume"
    for name in ("one", "two"):
        (volume / name).mkdir(parents=True)
    os.symlink("one", volume / "link")
    os.symlink("two", volume / "other")
    b = bundle(script="cat /vol/one/keys /vol/two/keys 2>/dev/null")
    (b.rootfs / "proc").rmdir()
    os.symlink("/vol/link", b.rootfs / "proc")
    b.config["mounts"].insert(0, {"destination": "/vol", "type": "bind", "source": str(volume), "options": ["rbind"]})
    b.linux["maskedPaths"] = ["/proc/keys"]
    with Swapper(attacker, volume / "link", volume / "other"):
        def attempt():
            result = victim.run(b)
            if victim.guarded:
                result.fails('open "/proc" in the rootfs: it must be a real directory', "/mounts/1")
            return "keyring" in result.out
        victim.race(attempt)


@pytest.mark.guard("proc_procfs")
def test_X5_a_volume_instead_of_a_procfs(victim, bundle, tmp):
    """CVE-2019-16884: a volume on /proc says whatever its owner likes, of security labels to begin with."""
    (tmp / "fake/self/attr").mkdir(parents=True)
    (tmp / "fake/self/attr/current").write_text("docker-default (enforce)\n")
    b = bundle(args=["cat", "/proc/self/attr/current"])
    b.config["mounts"] = []
    result = victim.run(b.mount("/proc", "bind", tmp / "fake", ["bind"]))
    if victim.guarded:
        result.fails(f'mount "{tmp}/fake" on "/proc": it is not a procfs', "/mounts/0")
    else:
        assert result.ok().out == "docker-default (enforce)\n"


@pytest.fixture
def apparmor(tmp):
    """A host that says that it has AppArmor, whatever the kernel has: a simulated one, but for what the kernel does with a label."""
    modules = Path("/sys/module")
    if (modules / "apparmor").exists():
        yield
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "modules", modules], check=True)
    (modules / "apparmor/parameters").mkdir(parents=True)
    (modules / "apparmor/parameters/enabled").write_text("Y\n")
    yield
    subprocess.run(["umount", modules], check=True)


@pytest.mark.simulated
@pytest.mark.rows("X-6")
@pytest.mark.guard("label_proc")
def test_X5_a_label_is_written_to_a_file_of_the_image(victim, bundle, apparmor):
    """
    CVE-2019-16884, CVE-2025-52881: the label goes to what the image has at /proc/self/attr, and the program runs without it. No
    kernel has a profile of that name, so where the label gets to the kernel the start fails; that it does not start free is the proof.
    """
    b = bundle(args=["echo", "free"])
    b.config["mounts"] = []
    b.process["apparmorProfile"] = "tare-attack"
    files = [b.rootfs / "proc/self/attr/exec", b.rootfs / "proc/self/attr/apparmor/exec"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    result = victim.run(b)
    if victim.guarded:
        result.fails('write "exec tare-attack" to `/proc/self/attr/', "/process/apparmorProfile")
        assert result.out == ""
    else:
        assert result.ok().out == "free\n"
    assert ["exec tare-attack" in f.read_text() for f in files].count(True) == (0 if victim.guarded else 1)


@pytest.mark.guard("sysctl_proc")
def test_X6_a_sysctl_is_written_elsewhere(victim, bundle, attacker, host):
    """
    CVE-2025-52881: what the runtime writes below /proc goes, with its rights, where a link of a racing container leads: here
    to a file of the host, which could as well be /proc/sysrq-trigger or /proc/sys/kernel/core_pattern.
    """
    target = host / "core_pattern"
    target.write_text("core\n")
    b = bundle(script="cat /proc/sys/net/ipv4/ip_default_ttl").namespace("network")
    b.linux["sysctl"] = {"net.ipv4.ip_default_ttl": "99"}
    # A procfs would hide what the image has there: it is mounted later, or somewhere else, in such an attack.
    b.config["mounts"] = []
    keys = b.rootfs / "proc/sys/net/ipv4"
    keys.mkdir(parents=True)
    (keys / "ip_default_ttl").touch()
    os.symlink(target, keys / "link")
    with Swapper(attacker, keys / "ip_default_ttl", keys / "link"):
        def attempt():
            victim.run(b)
            return target.read_text() != "core\n"
        victim.race(attempt)
    assert target.read_text().startswith("core\n" if victim.guarded else "99")


# ---- /dev -----------------------------------------------------------------------------------------------------------


@pytest.mark.guard("mask_cover")
def test_X7_a_mask_is_something_else(victim, bundle, attacker, tmp):
    """
    CVE-2025-31133: the /dev/null that masks are made of is the container's, and a neighbour exchanges it for a link. Then what is
    laid over one path is what should be hidden at another.
    """
    volume = dev_volume(tmp)
    os.symlink("/proc/key-users", volume / "link")
    b = bundle(args=["cat", "/proc/keys"])
    b.mount("/dev", "bind", volume, ["rbind"])
    b.linux["maskedPaths"] = ["/proc/keys", "/proc/key-users"]
    with Swapper(attacker, volume / "null", volume / "link"):
        def attempt():
            return "0: " in victim.run(b).out  # a line for root
        victim.race(attempt)


@pytest.mark.guard("console_fd")
def test_X8_the_console_is_something_else(victim, bundle, attacker, tmp, host):
    """
    CVE-2025-52565: /dev/console is a bind of the terminal by its name in /dev/pts, which a neighbour exchanges for a link: then
    the container writes, as its console, to a file of the host.
    """
    target = host / "file"
    target.write_text("")
    volume = dev_volume(tmp)
    (volume / "pts").mkdir()
    (volume / "evil").mkdir()
    os.symlink(target, volume / "evil/0")
    b = bundle(script="echo evil >/dev/console")
    b.mount("/dev", "bind", volume, ["rbind"])
    b.mount("/dev/pts", "devpts", "devpts", ["newinstance", "ptmxmode=0666"])
    b.process["terminal"] = True
    victim.prefix = delayed("open_tree", DELAY_US)
    with Swapper(attacker, volume / "pts", volume / "evil"):
        def attempt():
            with ConsoleSocket(victim.fresh("socket")) as sock:
                result, c = victim.try_create(b, "--console-socket", sock.path, command="run --detach")
                if c:
                    sock.receive()
                    c.wait()
                    c.delete("--force").ok()
                    victim.containers.clear()
            return target.read_text() != ""
        victim.race(attempt)


@pytest.mark.guard("in_root")
@pytest.mark.parametrize("advisory", ["CVE-2026-41579 (runc)", "CVE-2026-47766 (crun)"])
def test_X9_dev_that_is_a_link(victim, bundle, host, advisory):
    """The image's /dev is a link: relative and climbing, or absolute. Devices and links are made on the host."""
    b = bundle("docker", script="true")
    b.config["mounts"] = [m for m in b.config["mounts"] if not m["destination"].startswith("/dev")]
    (b.rootfs / "dev").rmdir()
    os.symlink(host if "runc" in advisory else link_to(host), b.rootfs / "dev")
    b.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3}]
    victim.run(b)
    found = set(os.listdir(host))
    if victim.guarded:
        assert found == set()
    else:
        assert {"mine", "null", "stdin"} <= found


# ---- copies and what lies below ---------------------------------------------------------------------------------------


@pytest.mark.guard("copy_nofollow")
def test_M7_a_file_of_the_host_is_copied_into_the_container(victim, bundle, attacker, host):
    """tmpcopyup in an image that a neighbour shares, who exchanges a file for a link: the container gets a copy of a host's file."""
    (host / "secret").write_text("of the host")
    (host / "secret").chmod(0o600)
    b = bundle(args=["cat", "/data/file"]).mount("/data", "tmpfs", "tmpfs", ["tmpcopyup"])
    (b.rootfs / "data/file").write_text("of the image")
    os.symlink(host / "secret", b.rootfs / "data/link")
    victim.prefix = delayed("newfstatat", DELAY_US, "exit")
    with Swapper(attacker, b.rootfs / "data/file", b.rootfs / "data/link"):
        victim.race(lambda: victim.run(b).out == "of the host")


@pytest.mark.guard("hide_mounts")
def test_M5_the_hosts_procfs_lets_an_unmasked_one_be_mounted(victim, bundle):
    """
    With --no-pivot the host's mounts stay, out of sight. A procfs without masks among them is what the kernel asks for before a
    user namespace may mount a new one: a nested container then reads what the outer one has masked.
    """
    b = bundle(script="mkdir /tmp/p; unshare -U -r -m -p -f sh -c 'mount -t proc proc /tmp/p && cat /tmp/p/version'")
    b.linux["maskedPaths"] = ["/proc/version"]
    b.process["user"] = {"uid": 1000, "gid": 1000}  # root without CAP_SETFCAP may not map itself
    result = victim.run(b, "--no-pivot")
    if victim.guarded:
        assert result.out == "" and "mount: permission denied" in result.err
    else:
        assert result.ok().out.startswith("Linux")


# ---- targets of mounts ----------------------------------------------------------------------------------------------


@pytest.mark.guard("target_fd")
def test_X10_a_part_of_the_target_is_exchanged(victim, bundle, attacker, tmp, host):
    """
    CVE-2021-30465: between the look at a mount's target and the mount a neighbour with the same volume exchanges a directory for a
    link, and the mount is made on the host's directory that the link leads to.
    """
    volume, source = tmp / "volume", tmp / "source"
    (volume / "dir/sub").mkdir(parents=True)
    (host / "sub").mkdir()
    source.mkdir()
    os.symlink(link_to(host), volume / "link")
    b = bundle(args=["cat", "/proc/self/mountinfo"])
    b.mount("/vol", "bind", volume, ["rbind"]).mount("/vol/dir/sub", "bind", source, ["rbind"])
    neighbour = bundle(args=["/attacker", "swap", "/vol/dir", "/vol/link"])
    neighbour.mount("/attacker", "bind", attacker, ["bind", "ro"]).mount("/vol", "bind", volume, ["rbind"])
    victim.run_detached(neighbour)
    victim.prefix = delayed("move_mount", DELAY_US)

    def attempt():
        result = victim.run(b)
        # It was made, says the runtime; but it is not in the container. (mountinfo counts from the source's own filesystem.)
        return not result.error and f"/{tmp.name}/source " not in result.out
    victim.race(attempt)


@pytest.mark.guard("in_root")
def test_X11_directories_are_made_outside(victim, bundle, attacker, tmp, host):
    """CVE-2024-45310: missing parts of a mount's target are made in a volume where a directory is exchanged for a link."""
    volume = tmp / "volume"
    (volume / "dir").mkdir(parents=True)
    os.symlink(link_to(host), volume / "link")
    b = bundle(args=["true"]).mount("/vol", "bind", volume, ["rbind"]).mount("/vol/dir/deep/er", "tmpfs", "tmpfs")
    with Swapper(attacker, volume / "dir", volume / "link"):
        def attempt():
            victim.run(b)
            return os.listdir(host) != []
        victim.race(attempt)


@pytest.mark.guard("in_root")
@pytest.mark.parametrize("path", ["/etc/hosts", "/.krun_config.json", "/run/notify/sock"])
def test_X16_a_file_of_the_runtimes_through_a_link(victim, bundle, tmp, host, path):
    """CVE-2025-24965: a file that the runtime makes in the image is a link of the image's, and so is made on the host."""
    b = bundle(args=["true"])
    (b.rootfs / path[1:]).unlink(missing_ok=True)
    (b.rootfs / path[1:]).parent.mkdir(parents=True, exist_ok=True)
    os.symlink(link_to(host / "file"), b.rootfs / path[1:])
    source = tmp / "source"
    source.write_text("of the engine\n")
    victim.run(b.mount(path, "bind", source, ["bind"]))
    assert os.listdir(host) == ([] if victim.guarded else ["file"])


@pytest.mark.guard("in_root")
def test_X18_a_link_in_the_image_leads_out(victim, bundle, host):
    """CVE-2019-18837: crun followed a link of the image for the target of a mount."""
    b = bundle(args=["true"])
    os.symlink(link_to(host), b.rootfs / "vol")
    victim.run(b.mount("/vol/new", "tmpfs", "tmpfs"))
    assert os.listdir(host) == ([] if victim.guarded else ["new"])
