# SPDX-License-Identifier: GPL-2.0-or-later
"""containerd by its CRI: what a kubelet does with a RuntimeClass whose handler is tare."""

import os

import pytest

from engines.cri import EXITED, NOT_READY, POD, READY, RUNNING
from engines.protobuf import decode, encode, first
from engines.site import limit, status

grpc = pytest.importorskip("grpc", reason="python3-grpcio can't be installed here")
HOLD = "while :; do sleep 0.05; done"


def test_wire_format():
    message = [(1, 0), (2, 300), (3, -1), (4, "text"), (5, [(1, "inner")]), (5, [(1, "second")])]
    read = decode(encode(message))
    assert read[2] == [300] and read[3] == [(1 << 64) - 1] and read[4] == [b"text"] and len(read[5]) == 2
    assert first(read, 5, 1) == b"inner"


@pytest.mark.smoke
def test_pod_is_ready_and_then_not(cri):
    pod = cri.pod()
    assert pod.state == READY
    pod.stop()
    assert pod.state == NOT_READY


def test_pod_with_an_unknown_handler_is_refused(cri):
    with pytest.raises(grpc.RpcError) as refused:
        cri.pod(handler="nosuch")
    assert 'no runtime for "nosuch" is configured' in refused.value.details()


@pytest.mark.smoke
def test_container_runs_and_ends(cri):
    c = cri.pod().container("echo $WORD; exit 3", envs=[("WORD", "hello")]).start().wait()
    assert (c.exit_code, c.reason, c.lines()) == (3, "Error", ["hello"])


def test_program_that_is_not_there(cri):
    c = cri.pod().container("exec nosuch").start().wait()
    assert c.exit_code == 127


@pytest.mark.smoke
def test_exec(cri):
    c = cri.pod().container(HOLD).start()
    assert c.exec("echo", "hi") == (0, "hi\n")
    assert c.exec("sh", "-c", "exit 9")[0] == 9


def test_limits_and_their_update(cri):
    c = cri.pod().container(HOLD, resources=[(1, 100000), (2, 50000), (3, 512), (4, 64 << 20)]).start()
    assert limit(c.pid, "memory") == str(64 << 20) and limit(c.pid, "quota") == "50000"
    c.update((1, 100000), (2, 25000), (4, 32 << 20))
    assert limit(c.pid, "memory") == str(32 << 20) and limit(c.pid, "quota") == "25000"


def test_out_of_memory_is_told(cri):
    script = "exec awk 'BEGIN { s = \"x\"; while (1) s = s s }'"
    c = cri.pod().container(script, resources=[(4, 16 << 20)]).start().wait()
    assert (c.exit_code, c.reason) == (137, "OOMKilled")


@pytest.mark.smoke
def test_network_of_the_pod_is_shared(cri):
    pod = cri.pod(network=POD, sysctls=[("net.ipv4.ip_unprivileged_port_start", "88")])
    assert pod.ip.startswith("10.99.0.")
    first_one, second = (pod.container(HOLD).start() for _ in range(2))
    assert os.readlink(f"/proc/{first_one.pid}/ns/net") == os.readlink(f"/proc/{second.pid}/ns/net")
    assert first_one.exec("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start")[1] == "88\n"
    assert f"{pod.ip}/24" in second.exec("ip", "-4", "addr")[1]


def test_user_and_read_only_root(cri):
    c = cri.pod().container(HOLD, security=[(5, [(1, 1000)]), (7, 1)]).start()
    assert status(c.pid, "Uid").split()[0] == "1000"
    assert c.exec("touch", "/tmp/x")[0] == 1


def test_capabilities(cri):
    c = cri.pod().container(HOLD, security=[(1, [(1, "SYS_TIME"), (2, "ALL")])]).start()
    assert int(status(c.pid, "CapEff"), 16) == 1 << 25


def test_mount(cri, tmp):
    c = cri.pod().container("echo written > /data/x", mounts=[[(1, "/data"), (2, str(tmp))]]).start().wait()
    assert c.exit_code == 0 and (tmp / "x").read_text() == "written\n"


def test_stop_gives_time(cri):
    c = cri.pod().container(f"trap 'exit 6' TERM; echo ready; {HOLD}").start()
    c.exec("true")
    c.stop(20).wait()
    assert c.exit_code == 6


def test_stats(cri):
    c = cri.pod().container(HOLD).start()
    c.exec("true")
    assert first(c.ask("ContainerStats"), 1, 3, 2, 1, default=0) > 0, "no working set"


@pytest.mark.smoke
def test_pod_outlives_the_daemon(cri):
    pod = cri.pod()
    c = pod.container(HOLD).start()
    pid = c.pid
    cri.daemon.daemon.restart()
    assert pod.state == READY and c.state == RUNNING and c.pid == pid
    assert c.exec("true")[0] == 0
    assert c.stop().wait().state == EXITED
