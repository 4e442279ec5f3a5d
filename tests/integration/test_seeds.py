# SPDX-License-Identifier: GPL-2.0-or-later
"""The config.json examples of the texts that tare began with run as they stand (tests/data/seeds)."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support import cgroup
from support.bundle import DATA

MERGED = Path("/mnt/merged")


def seed(name):
    return json.loads((DATA / "seeds" / f"{name}.json").read_text())


def overlay(base, fragment):
    """Lay a fragment over a config, as its text shows it: objects merge, everything else replaces."""
    for key, value in fragment.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            overlay(base[key], value)
        else:
            base[key] = value
    return base


def program(bundle, path, script):
    """Put a program of the text's name into the rootfs."""
    target = bundle.rootfs / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("#!/bin/sh\n" + script)
    target.chmod(0o755)


@pytest.fixture
def merged(bundle):
    """The bundle of the first text: its root is /mnt/merged, where the text mounts its overlay."""
    b = bundle()
    existed = MERGED.exists()
    MERGED.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", b.rootfs, MERGED], check=True)
    b.config = seed("by-hand")
    program(b, "usr/local/bin/curl", "echo curl $1; hostname; ps -o pid,comm; mount")
    yield b
    subprocess.run(["umount", MERGED], check=True)
    if not existed:
        MERGED.rmdir()


def test_seed_by_hand(tare, merged):
    out = tare.run(merged).ok().out
    assert out.startswith("curl --version\noci-container\n")
    assert "\n    1 " in out, "the program is pid 1"
    assert "tmpfs on /tmp type tmpfs (rw,nosuid,nodev" in out


def test_seed_by_hand_rootless_needs_its_user_namespace(tare, merged):
    """The text shows the mappings alone. Without a user namespace they would silently do nothing, so tare refuses them."""
    overlay(merged.config, seed("by-hand-rootless"))
    result, _ = tare.try_create(merged)
    result.fails("user namespace")


def test_seed_by_hand_rootless(tare, merged):
    overlay(merged.config, seed("by-hand-rootless"))
    merged.namespace("user").give_rootfs_to(100000)
    program(merged, "usr/local/bin/curl", "id -u; cat /proc/self/uid_map")
    assert tare.run(merged).ok().out.split() == ["0", "0", "100000", "65536"]


V1_LIMITS = {"memory.limit_in_bytes": "536870912", "memory.soft_limit_in_bytes": "268435456", "cpu.shares": "1024",
             "cpu.cfs_quota_us": "100000", "cpu.cfs_period_us": "100000", "pids.max": "100"}
V2_LIMITS = {"memory.max": "536870912", "memory.low": "268435456", "cpu.weight": "100", "cpu.max": "100000 100000",
             "pids.max": "100"}


def test_seed_by_hand_cgroups(tare, merged):
    overlay(merged.config, seed("by-hand-cgroups"))
    # Not every block device scheduler knows weights; then the file is missing and the limit can't be honoured.
    program(merged, "usr/local/bin/curl", "while :; do sleep 0.1; done")
    result, c = tare.try_create(merged, command="run --detach")
    if result.status:
        result.fails("/linux/resources/blockIO/weight")
        del merged.linux["resources"]["blockIO"]
        c = tare.run_detached(merged)
    else:
        assert cgroup.find(c, "blkio.weight", "blkio.bfq.weight", "io.weight", "io.bfq.weight").read_text().split()[-1] != "100"
    for file, value in (V2_LIMITS if cgroup.V2_ONLY else V1_LIMITS).items():
        assert cgroup.find(c, file).read_text().strip() == value, file


def test_seed_by_hand_seccomp(tare, merged):
    """Its architecture is another one than this machine's; the native one is always in the filter as well."""
    overlay(merged.config, seed("by-hand-seccomp"))
    program(merged, "usr/local/bin/curl", "mkdir /tmp/made; grep Seccomp: /proc/self/status")
    result = tare.run(merged).ok()
    assert result.out.split() == ["Seccomp:", "2"]
    assert "mkdir: can't create directory '/tmp/made': Operation not permitted" in result.err


def test_seed_by_hand_capabilities(tare, merged):
    overlay(merged.config, seed("by-hand-capabilities"))
    program(merged, "usr/local/bin/curl", "grep Cap /proc/self/status")
    caps = dict(line.split() for line in tare.run(merged).ok().out.splitlines())
    audit_chown_fowner_kill_bind = 1 << 29 | 1 << 0 | 1 << 3 | 1 << 5 | 1 << 10
    setgid_setuid_chroot = 1 << 6 | 1 << 7 | 1 << 18
    # The program's user is root, to whom execve gives the whole bounding set (capabilities(7)).
    assert int(caps["CapBnd:"], 16) == audit_chown_fowner_kill_bind | setgid_setuid_chroot
    assert caps["CapEff:"] == caps["CapPrm:"] == caps["CapBnd:"]
    assert int(caps["CapInh:"], 16) == int(caps["CapAmb:"], 16) == 0


def test_seed_docker_notes(tare, bundle):
    b = bundle()
    b.config = seed("docker-notes")
    result = tare.run(b, stdin="echo $$; echo $PATH; ls /proc | wc -l; cat /etc/passwd | head -1\n").ok()
    assert result.out.splitlines() == ["1", "/usr/bin:/bin", "0", "root:x:0:0:root:/root:/bin/sh"]


@pytest.fixture
def contract(bundle):
    b = bundle()
    b.config = seed("contract")
    program(b, "usr/sbin/nginx", 'echo "$@"; echo $NGINX_VERSION; ls /sys/class/net; grep Cap /proc/self/status')
    return b


def test_seed_contract(tare, contract):
    lines = tare.run(contract).ok().out.splitlines()
    assert lines[:3] == ["-g daemon off;", "1.27.0", "lo"]
    assert (contract.path / "hooks").read_text().split() == ["prestart", "poststart", "poststop"]


@pytest.mark.only("tare")
def test_A3_seed_contract_says_that_seccompProfile_is_not_a_filter(tare, contract):
    """The text writes linux.seccompProfile and linux.capabilities: both unknown, and both would leave it unprotected."""
    warnings = "\n".join(tare.run(contract).ok().warnings)
    assert "/linux/seccompProfile" in warnings and "/linux/seccomp" in warnings.replace("/linux/seccompProfile", "")
    assert "/linux/capabilities" in warnings


@pytest.mark.only("tare")
def test_seed_spec_template_runs(tare, bundle):
    """What the fourth text does with `runc spec`: a template, a rootfs, run."""
    b = bundle()
    (b.path / "config.json").unlink(missing_ok=True)
    tare.call("spec", "--bundle", b.path).ok()
    b.config = json.loads((b.path / "config.json").read_text())
    b.process["terminal"] = False
    b.script("hostname; id -u; touch /x 2>&1 || echo read-only; grep NoNewPrivs /proc/self/status")
    out = tare.run(b).ok().out
    assert "read-only" in out.lower() and "NoNewPrivs:\t1" in out
    assert os.listdir(b.rootfs / "dev") == []
