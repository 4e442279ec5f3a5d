# SPDX-License-Identifier: GPL-2.0-or-later
"""
linux.netDevices: devices of the host's network namespace (here the suite's own, see tests/isolate) that become the
container's. Pairs of veth stand for every kind of device; the other end stays with the host.
"""

import errno
import json
import os
import subprocess

import pytest

from support.bundle import HOLD
from support.runtime import wait_until
from test_faults import BINARY, CASES, MAY_FAIL, steps_of

needs_faults = pytest.mark.skipif(not CASES, reason="no build with the fault table")


def ip(*words, pid=None):
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"] if pid else []
    return subprocess.run([*inside, "ip", *words], capture_output=True, text=True, check=True).stdout


def links(pid=None):
    """The devices by name, lo not among them."""
    found = {}
    for link in json.loads(ip("-j", "address", pid=pid)):
        if link["ifname"] != "lo":
            found[link["ifname"]] = link
    return found


def addresses(link):
    return {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"}


@pytest.fixture
def device():
    """A factory of devices of the host's: device("tare0") has another end, "tare0p"."""
    made = []

    def make(name, *address):
        ip("link", "add", name, "type", "veth", "peer", "name", name + "p")
        made.append(name)
        for one in address:
            ip("address", "add", *one.split(), "dev", name)
        return name
    yield make
    for name in made:
        subprocess.run(["ip", "link", "delete", name + "p"], capture_output=True, check=False)


@pytest.fixture
def with_devices(bundle):
    def make(devices, script=HOLD):
        b = bundle(script=script)
        b.namespace("network")
        b.linux["netDevices"] = devices
        return b
    return make


def test_L24_a_device_is_the_containers_before_its_program_runs(tare, with_devices, device):
    device("tare0", "192.0.2.7/24")
    result = tare.run(with_devices({"tare0": {}}, script="ip -o address show dev tare0")).ok()
    assert "inet 192.0.2.7/24" in result.out
    assert "tare0" not in links()


def test_L24_name_up_and_permanent_global_addresses(tare, with_devices, device):
    device("tare0", "192.0.2.7/24 broadcast 192.0.2.255", "192.0.2.8/24 preferred_lft 0", "10.7.7.7 peer 10.7.7.8",
           "2001:db8::7/64", "192.0.2.9/24 valid_lft 500 preferred_lft 400", "198.51.100.1/24 scope link")
    ip("link", "set", "tare0", "up")
    ip("link", "set", "tare0p", "up")
    wait_until(lambda: not any(a.get("tentative") for a in links()["tare0"]["addr_info"]), "the address to be found unique")
    c = tare.run_detached(with_devices({"tare0": {"name": "eth0"}}))
    inside = links(c.pid)
    assert list(inside) == ["eth0"] and list(links()) == ["tare0p"]
    eth0 = inside["eth0"]
    assert "UP" in eth0["flags"]
    assert addresses(eth0) == {"192.0.2.7/24", "192.0.2.8/24", "10.7.7.7/32", "2001:db8::7/64"}
    by_local = {a["local"]: a for a in eth0["addr_info"]}
    assert by_local["192.0.2.7"]["broadcast"] == "192.0.2.255"
    assert by_local["10.7.7.7"]["address"] == "10.7.7.8"
    assert not by_local["2001:db8::7"].get("tentative"), "it was nobody else's before, so it can be used at once"


def test_L24_several_devices_and_lo(tare, with_devices, device):
    for number in range(5):
        device(f"tare{number}", f"192.0.2.{number}/32")
    c = tare.run_detached(with_devices({f"tare{n}": {"name": f"eth{n}"} for n in range(5)}))
    inside = links(c.pid)
    assert {name: addresses(link) for name, link in inside.items()} == {f"eth{n}": {f"192.0.2.{n}/32"} for n in range(5)}
    assert "UP" in json.loads(ip("-j", "link", "show", "lo", pid=c.pid))[0]["flags"]


def test_L24_the_kernel_numbers_a_template(tare, with_devices, device):
    device("tare0")
    device("tare1")
    c = tare.run_detached(with_devices({"tare0": {"name": "net%d"}, "tare1": {"name": "net%d"}}))
    assert set(links(c.pid)) == {"net0", "net1"}


def test_L24_many_addresses(tare, with_devices, device):
    """More than fits in one answer of the kernel's."""
    device("tare0")
    batch = "".join(f"address add 10.{n // 256}.{n % 256}.1/32 dev tare0\n" for n in range(1500))
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
    c = tare.run_detached(with_devices({"tare0": {}}))
    assert len(addresses(links(c.pid)["tare0"])) == 1500


def test_L24_in_a_user_namespace(tare, with_devices, device):
    device("tare0", "192.0.2.7/24", "2001:db8::7/64")
    c = tare.run_detached(with_devices({"tare0": {"name": "eth0"}}).user_namespace())
    assert addresses(links(c.pid)["eth0"]) == {"192.0.2.7/24", "2001:db8::7/64"}


def test_L24_into_a_joined_namespace(tare, bundle, device, helper):
    device("tare0", "192.0.2.7/24")
    b = bundle(script="ip -o address show dev eth0")
    b.namespace("network", helper("network"))
    b.linux["netDevices"] = {"tare0": {"name": "eth0"}}
    assert "192.0.2.7/24" in tare.run(b).ok().out


def test_L24_hooks_and_sysctl_find_it(tare, with_devices, device, tmp):
    device("tare0")
    b = with_devices({"tare0": {"name": "eth0"}}, script="cat /proc/sys/net/ipv4/conf/eth0/forwarding")
    b.linux["sysctl"] = {"net.ipv4.conf.eth0.forwarding": "1"}
    hook = tmp / "hook"
    hook.write_text(f"#!/bin/sh\npid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/')\n"
                    f"nsenter --net=/proc/$pid/ns/net ip -o link > {tmp}/seen\n")
    hook.chmod(0o755)
    b.hook("createRuntime", hook)
    assert tare.run(b).ok().out == "1\n"
    assert "eth0" in (tmp / "seen").read_text()


def test_L24_exec_sees_it_too(tare, with_devices, device):
    device("tare0")
    c = tare.run_detached(with_devices({"tare0": {"name": "eth0"}}))
    assert "eth0" in c.exec("ip", "link", "show", "dev", "eth0").ok().out


# ---- what can't be done ---------------------------------------------------------------------------------------------


def test_L24_no_such_device(tare, with_devices):
    result = tare.run(with_devices({"tare9": {}}))
    result.fails('move network device "tare9": the host has none of that name', "/linux/netDevices/tare9")
    assert "hint: `ip link`" in result.err


def test_L24_Z18_name_in_use_there(tare, bundle, device, helper):
    device("tare0", "192.0.2.7/24")
    device("tare1")
    path = helper("network")
    ip("link", "set", "tare1", "netns", path, "name", "eth0")
    before = links()["tare0"]
    b = bundle()
    b.namespace("network", path)
    b.linux["netDevices"] = {"tare0": {"name": "eth0"}}
    result = tare.run(b).fails('move network device "tare0": the container has a "eth0" already', "/linux/netDevices/tare0")
    assert 'hint: give it another name by "name"' in result.err
    assert links()["tare0"] == before, "nothing has moved"


def test_L24_two_of_one_name(tare, with_devices, device):
    device("tare0")
    device("tare1")
    tare.run(with_devices({"tare0": {"name": "eth0"}, "tare1": {"name": "eth0"}})).fails(
        'the container has a "eth0" already', "/linux/netDevices/tare1")
    assert set(links()) == {"tare0", "tare0p", "tare1", "tare1p"}


def test_L24_one_that_can_not_move(tare, with_devices):
    result = tare.run(with_devices({"lo": {"name": "eth0"}}))
    result.fails('move network device "lo" to the container', "EINVAL", "/linux/netDevices/lo")
    assert "binds devices of its kind" in result.err


@pytest.mark.parametrize("name", ["", "a/b", "a b", ".", "..", "eth0123456789012", "eth%s", "eth%d%d"])
def test_L24_names_that_none_can_have(tare, with_devices, device, name):
    device("tare0")
    b = with_devices({"tare0": {"name": name}})
    if not name:
        assert "tare0" in links(tare.run_detached(b).pid), "an empty name is none: the old one stays"
        return
    tare.run(b).fails("can't be the name of a network device", "/linux/netDevices/tare0")
    assert "tare0" in links()


def test_L24_not_into_the_hosts_namespace(tare, bundle, device):
    device("tare0")
    b = bundle()
    b.linux["netDevices"] = {"tare0": {}}
    tare.run(b).fails("there is no network namespace to move devices to", "/linux/netDevices")
    b.namespace("network", "/proc/self/ns/net")
    tare.run(b).fails("it is the host's network namespace")
    assert "tare0" in links()


def test_L24_a_user_is_refused(tare, with_devices, device):
    device("tare0")
    b = with_devices({"tare0": {}})
    b.write()
    os.chmod(tare.work, 0o777)
    result = tare.call("--rootless", "true", "run", "--bundle", b.path, "by-user",
                       before=lambda: (os.setgroups([]), os.setgid(1000), os.setuid(1000)))
    result.fails('move network device "tare0" to the container: only root may', "/linux/netDevices")
    assert "tare0" in links()


# ---- back home ------------------------------------------------------------------------------------------------------


def state_of(name):
    link = links()[name]
    return ("UP" in link["flags"], addresses(link), link["address"])


def test_Z18_a_later_failure_brings_it_home(tare, with_devices, device):
    device("tare0", "192.0.2.7/24", "2001:db8::7/64")
    ip("link", "set", "tare0", "up")
    device("tare1", "192.0.2.17/24")
    before = state_of("tare0"), state_of("tare1")
    b = with_devices({"tare0": {"name": "eth0"}, "tare1": {}})
    b.process["args"] = ["/not/there"]
    tare.run(b).fails("/not/there")
    assert (state_of("tare0"), state_of("tare1")) == before


def test_Z18_from_a_joined_namespace_too(tare, bundle, device, helper):
    device("tare0", "192.0.2.7/24")
    before = state_of("tare0")
    b = bundle(args=["/not/there"])
    b.namespace("network", helper("network"))
    b.linux["netDevices"] = {"tare0": {"name": "eth0"}}
    tare.run(b).fails("/not/there")
    assert state_of("tare0") == before


@needs_faults
@pytest.mark.parametrize("call", ["socket", "clone3", "ioctl", "netlink:0", "netlink:1", "netlink:2", "netlink:3",
                                  "netlink:4", "netlink:5", "netlink:6", "netlink:7"])
def test_Z18_Y16_whatever_fails_it_is_home(tare, with_devices, device, call):
    tare.path = BINARY
    device("tare0", "192.0.2.7/24", "2001:db8::7/64")
    before = state_of("tare0")
    b = with_devices({"tare0": {"name": "eth0"}})
    b.write()
    steps = json.loads(tare.call("explain", "--bundle", b.path, "--format", "json").ok().out)["steps"]
    kind = "open-network" if call in ("clone3",) else "move-network-device"
    index = next(s["index"] for s in steps if s["kind"] == kind)
    result = tare.run(b, env=dict(os.environ, TARE_FAULT=f"{index}:{errno.ENOMEM}:{call}"))
    result.fails("ENOMEM")
    assert state_of("tare0") == before


def one_device(b):
    b.linux["netDevices"] = {"tare0": {"name": "eth0"}}
    return b.namespace("network") if "network" not in [n["type"] for n in b.linux["namespaces"]] else b


def steps_with_the_device():
    """The first step of each kind from the move on: what may fail while the device is the container's."""
    steps = steps_of(one_device) if CASES else []
    move = next((s["index"] for s in steps if s["kind"] == "move-network-device"), 0)
    return list({s["kind"]: s for s in reversed(steps) if s["index"] >= move}.values())


@needs_faults
@pytest.mark.parametrize("step", [pytest.param(s, id=s["kind"]) for s in steps_with_the_device()])
def test_Z18_Y16_whatever_step_fails_it_is_home(tare, bundle, device, step):
    tare.path = BINARY
    device("tare0", "192.0.2.7/24", "2001:db8::7/64")
    before = state_of("tare0")
    result = tare.run(one_device(bundle("docker")), env=dict(os.environ, TARE_FAULT=f"{step['index']}:{errno.EIO}"), timeout=20)
    if step["kind"] in MAY_FAIL and result.status == 0:
        return
    result.fails("EIO")
    assert [r for r in result.log if r["level"] == "error"][-1]["step"] == step["kind"]
    assert state_of("tare0") == before


@needs_faults
def test_Z18_Z3_a_killed_runtime_leaves_a_virtual_one_to_its_namespace(tare, with_devices, device):
    """What the kernel does with the devices of a namespace that ends: those made by software go, the rest go home."""
    tare.path = BINARY
    device("tare0")
    b = with_devices({"tare0": {}})
    b.write()
    steps = json.loads(tare.call("explain", "--bundle", b.path, "--format", "json").ok().out)["steps"]
    index = next(s["index"] for s in steps if s["kind"] == "find-executable")
    tare.run(b, id="killed", env=dict(os.environ, TARE_KILL_AT=str(index)), before=os.setsid, timeout=20)
    tare.delete("--force", "killed").ok()
    assert tare.list() == {}
    assert "tare0" not in links()


# ---- explain ---------------------------------------------------------------------------------------------------------


def test_L24_explain_says_how_a_person_would_do_it(tare, with_devices, device):
    b = with_devices({"tare0": {"name": "net%d"}, "tare1": {}})
    b.write()
    text = tare.call("explain", "--bundle", b.path).ok().out
    assert "ip link set dev tare1 netns /proc/\"$pid\"/ns/net name tare1" in text
    assert "/linux/netDevices/tare1" in text
    arguments = [s for s in json.loads(tare.call("explain", "--bundle", b.path, "--format", "json").ok().out)["steps"]
                 if s["kind"] == "move-network-device"]
    assert [(a["arguments"]["host_name"], a["arguments"]["name"]) for a in arguments] == [("tare0", "net%d"), ("tare1", "tare1")]


def test_L24_explains_script_moves_it(tare, with_devices, device, tmp):
    device("tare0", "192.0.2.7/24")
    b = with_devices({"tare0": {"name": "net%d"}}, script="ip -o -4 address")
    b.write()
    script = tmp / "script"
    script.write_text(tare.call("explain", "--bundle", b.path, "--format", "sh", "by-script").ok().out)
    done = subprocess.run(["bash", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {"192.0.2.7/24", "net0"} <= set(done.stdout.split()), done.stdout
