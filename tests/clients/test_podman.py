# SPDX-License-Identifier: GPL-2.0-or-later
"""podman alone: what docker's command line has not, and what podman decides by the runtime's name."""

import itertools
import json
import os
import socket

import pytest

from engines import image
from engines.cli import HOLD, Container
from engines.site import cgroup_files, limit, status
from support.cgroup import hierarchies
from support.runtime import wait_until

NUMBERS = itertools.count(1)
MAP = ["--uidmap", "0:200000:5000", "--gidmap", "0:200000:5000"]


def remove_pod_cgroups():
    """podman removes a pod's cgroup only from the hierarchies that it uses; the runtime had to make it in all."""
    for hierarchy in hierarchies():
        for directory in (hierarchy / "libpod_parent").glob("[0-9a-f]" * 64):
            directory.rmdir()


@pytest.fixture
def pod(podman):
    """A pod whose first container is the tests' own image."""
    podman.call("pod", "create", "--name", "pod", "--infra-image", image.NAME, "--infra-command", "sleep 1000000",
                "--network", "none", "--hostname", "inpod").ok()
    yield podman
    podman.call("pod", "rm", "-f", "-t", "0", "pod")
    remove_pod_cgroups()


def in_pod(podman, script=HOLD, *options):
    """A container of the pod, in the background. Its network is the pod's, so none may be asked for."""
    name = f"member{next(NUMBERS)}"
    podman.call("run", "-d", "--pod", "pod", "--name", name, *options, image.NAME, "/bin/sh", "-c", script).ok()
    return Container(podman, name)


@pytest.mark.smoke
def test_containers_of_a_pod_share_namespaces(pod):
    first, second = in_pod(pod), in_pod(pod)
    for kind, same in (("net", True), ("uts", True), ("ipc", True), ("mnt", False), ("pid", False)):
        assert (os.readlink(f"/proc/{first.pid}/ns/{kind}") == os.readlink(f"/proc/{second.pid}/ns/{kind}")) == same, kind
    assert first.exec("hostname").ok().line == "inpod"


def test_pod_stops_and_starts(pod):
    c = in_pod(pod)
    pod.call("pod", "stop", "-t", "0", "pod").ok()
    assert c.state == "exited"
    pod.call("pod", "start", "pod").ok()
    assert c.state == "running"


def test_pod_is_paused(pod):
    c = in_pod(pod)
    pod.call("pod", "pause", "pod").ok()
    assert c.state == "paused"
    pod.call("pod", "unpause", "pod").ok()
    assert c.state == "running"


def test_pod_has_a_cgroup(pod):
    c = in_pod(pod)
    path = str(cgroup_files(c.pid)["pids"])
    assert json.loads(pod.call("pod", "inspect", "pod").ok().out)["Id"] in path, path


def test_pod_is_listed_with_its_processes(pod):
    in_pod(pod, "sleep 4242 & wait")
    assert "sleep 4242" in pod.call("pod", "top", "pod").ok().out
    assert "Running" in pod.call("pod", "ps").ok().out


@pytest.mark.fails_with_runc("podman 4.3 gives these pods a soft limit of open files above the hard one")
def test_pod_from_kubernetes_yaml(podman, tmp):
    (tmp / "pod.yaml").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kube"},
        "spec": {"hostNetwork": True, "containers": [
            {"name": "c", "image": image.NAME, "command": ["/bin/sh", "-c", "echo from yaml; " + HOLD],
             "resources": {"limits": {"memory": "64Mi"}}}]}}))
    try:
        podman.call("play", "kube", tmp / "pod.yaml").ok()
        c = Container(podman, "kube-c")
        c.wait_logs("from yaml")
        assert limit(c.pid, "memory") == str(64 << 20)
    finally:
        podman.call("pod", "rm", "-f", "-t", "0", "kube")
        remove_pod_cgroups()


@pytest.mark.smoke
def test_user_namespace(podman):
    c = podman.start(*MAP)
    assert c.exec("cat", "/proc/self/uid_map").ok().line.split() == ["0", "200000", "5000"]
    assert status(c.pid, "Uid").split()[0] == "200000"
    assert c.exec("stat", "-c", "%u", "/etc/passwd").ok().line == "0"


def test_user_namespace_and_a_user(podman):
    done = podman.run(*MAP, "-u", "user", script="id -u; touch /home/user/x 2>&1 || true; cat /proc/self/gid_map").ok()
    assert done.out.splitlines()[0] == "1000" and "200000" in done.out


def test_user_namespace_of_another_container(podman):
    first = podman.start(*MAP)
    done = podman.run("--userns", f"container:{first.name}", args=["readlink", "/proc/self/ns/user"]).ok()
    assert done.line == os.readlink(f"/proc/{first.pid}/ns/user")


def test_volume_in_a_user_namespace(podman, tmp):
    os.chown(tmp, 200000, 200000)
    podman.run(*MAP, "-v", f"{tmp}:/data", args=["touch", "/data/x"]).ok()
    assert (tmp / "x").stat().st_uid == 200000


@pytest.mark.fails_with_runc("runc 1.1 does not know the word idmap")
def test_volume_with_shifted_ids(podman, tmp):
    (tmp / "mine").touch()
    done = podman.run(*MAP, "-v", f"{tmp}:/data:idmap", args=["stat", "-c", "%u", "/data/mine"])
    assert done.ok().line == "0"


def test_health_check_by_hand(podman):
    c = podman.start("--health-cmd", "exit 3", "--health-interval", "disable")
    assert podman.call("healthcheck", "run", c.name).status == 1


@pytest.mark.smoke
def test_root_filesystem_of_the_host(podman, tmp):
    root = image.unpack_to(tmp / "root")
    (root / "etc/mark").write_text("of the host\n")
    done = podman.call("run", "--rm", "--network", "none", "--rootfs", root, "cat", "/etc/mark")
    assert done.ok().out == "of the host\n"


def test_file_descriptors_are_kept(podman, tmp):
    podman.prefix = ["sh", "-c", f'exec "$@" 3>{tmp}/through', "sh", *podman.prefix]
    podman.run("--preserve-fds", "1", script="echo through >&3").ok()
    assert (tmp / "through").read_text() == "through\n"


def test_readiness_is_told(podman, tmp):
    path = str(tmp / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(20)
        podman.env = dict(podman.env, NOTIFY_SOCKET=path)
        podman.start("--sdnotify", "conmon")
        assert b"READY=1" in listener.recv(4096)


def test_process_id_file(podman, tmp):
    c = podman.start("--pidfile", tmp / "pid")
    assert int((tmp / "pid").read_text()) == c.pid


def test_time_limit(podman):
    c = podman.ended("--timeout", "1")
    assert c.inspect("State", "ExitCode") in (-1, 137)  # conmon's own number for it is -1


def test_umask(podman):
    assert podman.run("--umask", "0027", script="umask").ok().line == "0027"


@pytest.mark.fails_with_runc("runc 1.1 does not know linux.personality")
def test_personality(podman):
    assert podman.run("--personality", "LINUX32", args=["uname", "-m"]).ok().line in ("i686", "armv8l")


@pytest.mark.fails_with_runc("keep-groups is an annotation that runc does not know")
def test_groups_of_the_caller_are_kept(podman):
    os.setgroups([4242])
    try:
        assert "4242" in podman.run("--group-add", "keep-groups", args=["grep", "Groups", "/proc/self/status"]).out
    finally:
        os.setgroups([])


def test_unmasked_paths(podman):
    done = podman.run("--security-opt", "unmask=/proc/keys", "--security-opt", "mask=/proc/version",
                      script="cat /proc/version | wc -c; ls -l /proc/keys").ok()
    assert done.out.startswith("0\n"), done.describe()


def test_secret(podman, tmp):
    (tmp / "s").write_text("hidden")
    podman.call("secret", "create", "word", tmp / "s").ok()
    podman.at_end("secret", "rm", "word")
    assert podman.run("--secret", "word", args=["cat", "/run/secrets/word"]).ok().out == "hidden"


def test_systemd_mode(podman):
    done = podman.run("--systemd", "always", script="grep -E ' /(run|tmp|run/lock) ' /proc/mounts | wc -l; echo $container_uuid")
    assert int(done.ok().out.split()[0]) >= 2 and len(done.out.split()[1]) == 32, done.describe()


def test_private_and_host_cgroup_namespace(podman):
    own = os.readlink("/proc/self/ns/cgroup")
    assert podman.run("--cgroupns", "host", args=["readlink", "/proc/self/ns/cgroup"]).ok().line == own
    assert podman.run("--cgroupns", "private", args=["readlink", "/proc/self/ns/cgroup"]).ok().line != own


def test_cgroups_split(podman):
    c = podman.start("--cgroups", "no-conmon")
    assert c.pid and "libpod" in str(cgroup_files(c.pid)["pids"])


def test_replace(podman):
    c = podman.start()
    before = c.pid
    podman.call("run", "-d", "--replace", "--network", "none", "--name", c.name, image.NAME).ok()
    assert c.pid != before


def test_init_then_start(podman):
    c = podman.create(script="exit 3")
    podman.call("init", c.name).ok()
    assert c.state in ("created", "initialized")
    c.call("start", "-a").ends(3)


def test_wait_and_exists(podman):
    c = podman.start(script="sleep 0.3; exit 12")
    assert c.wait() == 12
    podman.call("container", "exists", c.name).ok()


def test_kill_all_and_list(podman):
    first, second = podman.start(), podman.start()
    podman.call("kill", "--all").ok()
    wait_until(lambda: podman.call("ps", "-q").out == "", "all to have ended", 20)
    assert {first.wait(), second.wait()} == {137}


@pytest.mark.parametrize("how", ["checkpoint", "export"])
@pytest.mark.needs_criu
def test_checkpoint(podman, tmp, how):
    c = podman.start(script="i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done").wait_logs("3")
    if how == "checkpoint":
        podman.call("container", "checkpoint", "--keep", c.name).ok()
        assert c.state == "exited"
        podman.call("container", "restore", c.name).ok()
    else:
        podman.call("container", "checkpoint", "--leave-running", "-e", tmp / "point.tar", c.name).ok()
        c.call("rm", "-f", "-t", "0").ok()
        podman.call("container", "restore", "-i", tmp / "point.tar").ok()
    assert c.state == "running"


def test_without_cgroups(podman):
    """Only a runtime that podman knows to support it is asked."""
    done = podman.run("--cgroups", "disabled", args=["cat", "/proc/self/cgroup"])
    if podman.runtime in ("tare", "as-crun"):
        done.ok()
        assert "libpod" not in done.out
    else:
        done.ends(125)
        assert "not compatible with NoCgroups" in done.err, done.describe()
