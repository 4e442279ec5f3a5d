# SPDX-License-Identifier: GPL-2.0-or-later
"""linux.sysctl: keys of the container's namespaces are set there, all others are refused by name and reason."""

from pathlib import Path

import pytest


def with_key(b, key, value, namespace=None):
    if namespace:
        b.namespace(namespace)
    b.linux.setdefault("sysctl", {})[key] = value
    return b


KEYS = [
    ("net.ipv4.ip_forward", "1", "network", "net/ipv4/ip_forward"),
    ("net.ipv4.ip_unprivileged_port_start", "0", "network", "net/ipv4/ip_unprivileged_port_start"),
    ("net.ipv4.ping_group_range", "0 100", "network", "net/ipv4/ping_group_range"),
    ("net/core/somaxconn", "77", "network", "net/core/somaxconn"),
    ("net.ipv4.conf.lo.forwarding", "1", "network", "net/ipv4/conf/lo/forwarding"),
    ("kernel.msgmax", "9000", "ipc", "kernel/msgmax"),
    ("kernel.msgmni", "55", "ipc", "kernel/msgmni"),
    ("kernel.sem", "10 20 30 40", "ipc", "kernel/sem"),
    ("kernel.shmmax", "123456", "ipc", "kernel/shmmax"),
    ("kernel.shm_rmid_forced", "1", "ipc", "kernel/shm_rmid_forced"),
    ("fs.mqueue.msg_max", "7", "ipc", "fs/mqueue/msg_max"),
    ("fs/mqueue/queues_max", "9", "ipc", "fs/mqueue/queues_max"),
    ("kernel.domainname", "example.net", "uts", "kernel/domainname"),
    ("kernel.hostname", "by-sysctl", "uts", "kernel/hostname"),
]


@pytest.mark.parametrize("key, value, namespace, path", KEYS)
def test_L21_key_is_set_inside_only(tare, bundle, key, value, namespace, path):
    if not Path("/proc/sys", path).exists():
        pytest.skip(f"this kernel has no {key}")
    before = Path("/proc/sys", path).read_text()
    b = with_key(bundle(args=["cat", f"/proc/sys/{path}"]), key, value, namespace)
    assert tare.run(b).ok().out.split() == value.split()
    assert Path("/proc/sys", path).read_text() == before


@pytest.mark.only("tare")
@pytest.mark.parametrize("key, value, namespace, path", [k for k in KEYS if k[0] in (
    "net.ipv4.ip_forward", "kernel.msgmax", "fs.mqueue.msg_max", "kernel.domainname")])
def test_L21_key_in_a_user_namespace(tare, bundle, key, value, namespace, path):
    if not Path("/proc/sys", path).exists():
        pytest.skip(f"this kernel has no {key}")
    b = with_key(bundle(args=["cat", f"/proc/sys/{path}"]).user_namespace(), key, value, namespace)
    assert tare.run(b).ok().out.split() == value.split()


def test_L21_several_keys(tare, bundle):
    b = bundle("docker", args=["cat", "/proc/sys/kernel/msgmax", "/proc/sys/net/ipv4/ip_forward"])
    with_key(b, "kernel.msgmax", "9001")
    with_key(b, "net.ipv4.ip_forward", "1")
    assert tare.run(b).ok().out == "9001\n1\n"


@pytest.mark.only("tare")
def test_L21_slash_stands_for_a_dot_in_a_name(tare, bundle):
    # A key of an interface that isn't there: the message shows which file was meant.
    b = with_key(bundle(), "net.ipv4.conf.eth0/1.forwarding", "1", "network")
    tare.run(b).fails('set sysctl "net.ipv4.conf.eth0/1.forwarding": there is no such key in the container\'s namespaces')


@pytest.mark.parametrize("key", ["kernel.panic", "vm.swappiness", "kernel.core_pattern", "fs.file-max", "kernel/panic",
                                 "kernel.sem_other", "kernel.msgmax.x"])
def test_L21_key_of_the_host_is_refused(tare, bundle, key):
    result = tare.run(with_key(bundle(), key, "1", "network"))
    assert result.status != 0 and key in result.err
    if tare.path.endswith("tare-oci"):
        result.fails(f'set sysctl "{key}": it belongs to no namespace, so it would change the host')


@pytest.mark.only("tare")
@pytest.mark.parametrize("key, namespace", [("net.ipv4.ip_forward", "network"), ("kernel.msgmax", "ipc"),
                                            ("fs.mqueue.msg_max", "ipc"), ("kernel.domainname", "uts"),
                                            ("user.max_user_namespaces", "user")])
def test_L21_shared_namespace_is_refused(tare, bundle, key, namespace):
    b = with_key(bundle(), key, "1").without_namespace(namespace)
    tare.run(b).fails(f'it belongs to the {namespace} namespace, which the container shares with the host',
                      f"/linux/sysctl/{key}")


@pytest.mark.only("tare")
@pytest.mark.parametrize("namespace, file, key", [("network", "net", "net.ipv4.ip_forward"), ("ipc", "ipc", "kernel.msgmax")])
def test_L21_namespace_of_the_host_by_path_is_refused(tare, bundle, namespace, file, key):
    before = Path("/proc/sys", key.replace(".", "/")).read_text()
    b = with_key(bundle(), key, "1").namespace(namespace, f"/proc/self/ns/{file}")
    tare.run(b).fails("it is the host's")
    assert Path("/proc/sys", key.replace(".", "/")).read_text() == before


@pytest.mark.only("tare")
@pytest.mark.parametrize("key", ["net/../kernel/panic", "net..x", "/net/ipv4/ip_forward", "net.", "net/./core/somaxconn"])
def test_L21_not_the_name_of_a_key(tare, bundle, key):
    tare.run(with_key(bundle(), key, "1", "network")).fails(f'set sysctl "{key}": it is not the name of a key')


@pytest.mark.only("tare")
def test_L21_missing_key(tare, bundle):
    b = with_key(bundle(), "net.ipv4.no_such_key", "1", "network")
    tare.run(b).fails('"net.ipv4.no_such_key": there is no such key', "/linux/sysctl/net.ipv4.no_such_key")


@pytest.mark.only("tare")
def test_L21_value_that_the_kernel_refuses(tare, bundle):
    b = with_key(bundle(), "net.ipv4.ip_unprivileged_port_start", "many", "network")
    result = tare.run(b).fails('set sysctl "net.ipv4.ip_unprivileged_port_start" to "many"')
    assert "does not take this value" in result.err


@pytest.mark.only("tare")
def test_L21_hostname_twice(tare, bundle):
    b = with_key(bundle(), "kernel.hostname", "x")
    b.config["hostname"] = "y"
    tare.run(b).fails("the config's hostname sets it too", "/linux/sysctl/kernel.hostname")


@pytest.mark.only("tare")
def test_X5_image_with_a_false_proc_does_not_matter(tare, bundle):
    b = with_key(bundle(args=["cat", "/proc/sys/kernel/msgmax"]), "kernel.msgmax", "9002")
    (b.rootfs / "proc/sys/kernel").mkdir(parents=True)
    (b.rootfs / "proc/sys/kernel/msgmax").write_text("false")
    b.config["mounts"] = []
    assert tare.run(b).ok().out == "false"
    assert (b.rootfs / "proc/sys/kernel/msgmax").read_text() == "false"
