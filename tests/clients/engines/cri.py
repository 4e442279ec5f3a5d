# SPDX-License-Identifier: GPL-2.0-or-later
"""
containerd by its CRI, as a kubelet talks to it. crictl is in no Debian release, so this is the small part of it that the
tests need: gRPC over the daemon's socket, and the numbers of the fields by hand (k8s.io/cri-api, runtime.v1, api.proto).
"""

import json

from engines import image
from engines.containerd import Containerd
from engines.protobuf import decode, encode, first
from support.runtime import wait_until

SERVICE = "/runtime.v1.RuntimeService/"
TIMEOUT_S = 60
# Enumerations of api.proto.
POD, NODE = 0, 2
READY, NOT_READY = 0, 1
CREATED, RUNNING, EXITED = 0, 1, 2
NETWORK = {
    "cniVersion": "0.4.0", "name": "pods", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": {
            "type": "host-local", "subnet": "10.99.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}]}


class Cri(Containerd):
    """A containerd of its own, whose runtimes are CRI's handlers."""

    kind = "cri"
    roots = ["/run/containerd/runc/k8s.io"]

    def __init__(self, site):
        super().__init__(site, "cri")
        (site.directory("cri", "cni") / "10-pods.conflist").write_text(json.dumps(NETWORK))

    def warm_up(self, client):
        """Makes the parent cgroup, and the bridge of the pods."""
        for network in (NODE, POD):
            client.pod(network)
        client.clean_up()

    def _answers(self):
        return super()._answers() and self.cli("runc").is_up()

    def cli(self, variant):
        return Client(self, variant)


class Client:
    """One runtime handler. What a test made is removed at its end."""

    kind = "cri"

    def __init__(self, daemon, handler):
        self.daemon, self.runtime, self._pods, self._count = daemon, handler, [], 0

    def ask(self, method, message=()):
        """One call. Returns the answer, raises grpc.RpcError."""
        import grpc  # pylint: disable=import-outside-toplevel; where it is missing only these tests are skipped

        with grpc.insecure_channel(f"unix://{self.daemon.socket}") as channel:
            call = channel.unary_unary(SERVICE + method, request_serializer=encode, response_deserializer=decode)
            return call(list(message), timeout=TIMEOUT_S)

    def is_up(self):
        """Does the CRI plugin answer? It comes after the daemon's other services."""
        import grpc  # pylint: disable=import-outside-toplevel

        try:
            self.ask("Version")
        except grpc.RpcError:
            return False
        return True

    def pod(self, network=NODE, sysctls=(), handler=None):
        """Run a pod's sandbox."""
        self._count += 1
        name = f"pod{self._count}-{self.runtime}"
        namespaces = [(1, network)]
        linux = [(1, "/pods"), (2, [(1, namespaces)]), *[(3, [(1, k), (2, v)]) for k, v in sysctls]]
        config = [(1, [(1, name), (2, name), (3, "tests")]), (2, "" if network == NODE else name),
                  (3, str(self.daemon.site.directory("cri", "logs", name))), (8, linux)]
        answer = self.ask("RunPodSandbox", [(1, config), (2, handler or self.runtime)])
        pod = Pod(self, first(answer, 1).decode(), config, name)
        self._pods.append(pod)
        return pod

    def clean_up(self):
        for pod in self._pods:
            pod.stop()
            self.ask("RemovePodSandbox", [(1, pod.id)])
        self._pods.clear()


class Pod:
    """A sandbox."""

    def __init__(self, client, id, config, name):
        self.client, self.id, self.config, self.name, self._count = client, id, config, name, 0

    def status(self):
        return self.client.ask("PodSandboxStatus", [(1, self.id)])

    @property
    def state(self):
        return first(self.status(), 1, 3, default=READY)

    @property
    def ip(self):
        """PodSandboxStatus.network.ip"""
        return first(self.status(), 1, 5, 1).decode()

    def stop(self):
        self.client.ask("StopPodSandbox", [(1, self.id)])

    def container(self, script, resources=(), security=(), envs=(), mounts=(), tty=0):
        """Create a container in the pod, and not start it."""
        self._count += 1
        network = (3, [(1, NODE)]) if (1, NODE) in self.config[3][1][1][1][0][1] else (3, [])
        config = [(1, [(1, f"c{self._count}")]), (2, [(1, image.NAME)]), (3, "/bin/sh"), (3, "-c"), (3, script),
                  *[(6, [(1, k), (2, v)]) for k, v in envs], *[(7, list(m)) for m in mounts],
                  (11, f"c{self._count}.log"), (14, tty), (15, [(1, list(resources)), (2, [network, *security])])]
        answer = self.client.ask("CreateContainer", [(1, self.id), (2, config), (3, self.config)])
        log = self.client.daemon.site.directory("cri", "logs", self.name) / f"c{self._count}.log"
        return CriContainer(self.client, first(answer, 1).decode(), log)


class CriContainer:
    """A container of a pod."""

    def __init__(self, client, id, log):
        self.client, self.id, self.log = client, id, log

    def ask(self, method, *more):
        return self.client.ask(method, [(1, self.id), *more])

    def start(self):
        self.ask("StartContainer")
        return self

    def stop(self, timeout=0):
        self.ask("StopContainer", (2, timeout))
        return self

    @property
    def state(self):
        return first(self.ask("ContainerStatus"), 1, 3, default=CREATED)

    @property
    def exit_code(self):
        return first(self.ask("ContainerStatus"), 1, 7, default=0)

    @property
    def reason(self):
        return first(self.ask("ContainerStatus"), 1, 10).decode()

    @property
    def pid(self):
        """Its first process: the verbose status has it in a JSON text."""
        for entry in self.ask("ContainerStatus", (2, 1)).get(2, []):
            fields = decode(entry)
            if fields[1][0] == b"info":
                return json.loads(fields[2][0])["pid"]
        raise AssertionError(f"container {self.id} says no pid")

    def wait(self, state=EXITED):
        wait_until(lambda: self.state == state, f"container {self.id} to be in state {state}", timeout=20)
        return self

    def lines(self):
        """What it printed: the log's lines without time, stream and tag."""
        return [line.split(" ", 3)[3] for line in self.log.read_text().splitlines()]

    def exec(self, *args):
        """Run a command to its end: (exit code, stdout)."""
        answer = self.ask("ExecSync", *[(2, a) for a in args], (3, 20))
        return first(answer, 3, default=0), first(answer, 1).decode()

    def update(self, *resources):
        self.ask("UpdateContainerResources", (2, list(resources)))
