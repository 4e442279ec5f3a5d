# SPDX-License-Identifier: GPL-2.0-or-later
"""docker alone: the daemon's own restart with containers that live on, and user namespaces for all of them."""

from pathlib import Path

import pytest

from engines.cli import HOLD
from engines.docker import Docker
from engines.site import status
from support.runtime import wait_until


@pytest.mark.smoke
def test_containers_outlive_the_daemon(docker, running):
    c = docker.start(script="i=0; while :; do echo $i; i=$((i+1)); sleep 0.2; done").wait_logs("1")
    pid = c.pid
    running("docker").daemon.restart()
    assert c.pid == pid and c.state == "running"
    c.exec("true").ok()
    before = len(c.logs())
    wait_until(lambda: len(c.logs()) > before, "more in the logs", 20)
    c.call("kill").ok()
    assert c.wait() == 137


def test_end_while_the_daemon_is_away_is_told(docker, running, tmp):
    c = docker.start("-v", f"{tmp}:/data", script="until [ -e /data/go ]; do sleep 0.05; done; exit 5")
    pid = c.pid
    daemon = running("docker").daemon
    daemon.stop()
    (tmp / "go").touch()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the container to end")
    daemon.start()
    assert c.wait() == 5


def test_containers_outlive_a_crash_of_containerd(docker, running):
    c = docker.start()
    pid = c.pid
    running("docker").containerd.daemon.kill()
    running("docker").containerd.daemon.start()
    wait_until(lambda: c.exec("true").status == 0, "the container to be reached again", 30)
    assert c.pid == pid


@pytest.fixture
def remapped(docker, site, running):
    """A daemon of its own whose containers have a user namespace."""
    daemon = Docker(site, "remapped", **{"userns-remap": "daemon"})
    daemon.start(("bridge", "bridge"))
    cli = daemon.cli(docker.runtime)
    yield cli
    cli.clean_up()
    daemon.stop()


def test_user_namespace_of_all_containers(remapped):
    c = remapped.start()
    assert status(c.pid, "Uid").split()[0] == "200000"
    assert c.exec("id", "-u").ok().line == "0"


@pytest.mark.smoke
def test_runtime_is_the_one_that_was_asked_for(docker):
    c = docker.start()
    assert c.inspect("HostConfig", "Runtime") == docker.runtime
    assert docker.runtime in docker.call("info", "--format", "{{json .Runtimes}}").ok().out


def test_events_tell_the_end(docker):
    c = docker.ended(script="exit 3")
    command = ["events", "--since", "1m", "--until", "0s", "--filter", f"container={c.inspect('Id')}", "--format",
               "{{.Action}} {{.Actor.Attributes.exitCode}}"]
    wait_until(lambda: "die 3" in docker.call(*command).ok().out, "the end among the events")


def test_working_directory_is_made(docker):
    assert docker.run("-w", "/not/there/yet", args=["pwd"]).ok().line == "/not/there/yet"


def test_build_runs_with_the_default_runtime(docker, tmp):
    (tmp / "Dockerfile").write_text("FROM localhost/box\nRUN echo built > /root/built\n")
    docker.env = dict(docker.env, DOCKER_BUILDKIT="0")
    docker.call("build", "-q", "-t", "localhost/built", "--network", "none", tmp).ok()
    docker.at_end("rmi", "localhost/built")
    assert docker.call("run", "--rm", *docker.run_options, "localhost/built", "cat", "/root/built").ok().out == "built\n"


def test_log_of_a_container_that_prints_without_end(docker):
    c = docker.start("--log-opt", "max-size=10k", "--log-opt", "max-file=2", script="yes abcdefgh | head -n 20000; " + HOLD)
    wait_until(lambda: c.logs(), "something in the logs")
    c.call("stop", "-t", "0").ok()
