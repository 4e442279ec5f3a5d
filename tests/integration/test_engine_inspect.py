# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare inspect` and `tare why`: what is known of a container, and why it ended."""

import json
import os
import signal

import pytest

from support.background import init_of, start, until


@pytest.fixture
def box(engine):
    engine.image()
    return engine


def inspect(box, name):
    (found,) = json.loads(box.call("inspect", name).ok().out)
    return found


def field(box, name, template):
    return box.call("inspect", "-f", template, name).ok().out.rstrip("\n")


def test_one_that_runs(box):
    c = start(box, "sleep 100", "--name", "box", "-e", "A=b", "--label", "who=me", "-m", "64m", "--read-only", "-v", "/etc:/host:ro",
              "--restart", "on-failure:2", "--stop-signal", "INT", "--hostname", "inside")
    found = inspect(box, "box")
    state = found["State"]
    assert (found["Id"], found["Name"], found["Path"], found["Args"]) == (c.id, "/box", "sh", ["-c", "sleep 100"])
    assert (state["Status"], state["Running"], state["Pid"], state["ExitCode"], state["OOMKilled"]) == (
        "running", True, init_of(c), 0, False)
    assert found["Created"] <= state["StartedAt"] and state["FinishedAt"] == "0001-01-01T00:00:00Z"
    assert found["LogPath"] == str(c.log_path)
    host = found["HostConfig"]
    assert (host["Memory"], host["ReadonlyRootfs"], host["AutoRemove"]) == (64 << 20, True, False)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": str(10 << 20), "max-file": "3"}}
    assert {"Type": "bind", "Source": "/etc", "Destination": "/host", "RW": False} in found["Mounts"]
    config = found["Config"]
    assert "A=b" in config["Env"] and config["Labels"] == {"who": "me"} and config["StopSignal"] == "INT"
    assert (config["Hostname"], config["Image"], config["Tty"]) == ("inside", "box", False)
    assert field(box, "box", "{{.State.Pid}}") == str(init_of(c))
    assert field(box, "box", '{{index .Config.Labels "who"}} {{.Config.Cmd}}') == "me [sh -c sleep 100]"
    box.call("why", "box").ok()
    c.call("pause").ok()
    assert field(box, "box", "{{.State.Status}} {{.State.Paused}}") == "paused true"
    c.call("rm", "-f").ok()


def test_one_that_has_ended(box):
    c = start(box, "echo line; exit 3", "--name", "box")
    assert c.wait() == 3
    state = inspect(box, "box")["State"]
    assert (state["Status"], state["Running"], state["Pid"], state["ExitCode"]) == ("exited", False, 0, 3)
    assert state["StartedAt"] < state["FinishedAt"]
    assert state["Why"] == "its program ended with status 3"


def test_images_and_what_is_not_there(box):
    assert json.loads(box.call("inspect", "box").ok().out)[0]["RootFS"]["Type"] == "layers"
    box.call("create", "--name", "box", "box", "true").ok()
    assert inspect(box, "box")["State"]["Status"] == "created", "a container goes before an image"
    assert "RootFS" in json.loads(box.call("inspect", "--type", "image", "box").ok().out)[0]
    box.call("inspect", "nobody").fails('there is no container and no image "nobody"')
    box.call("inspect", "--type", "container", "nobody").fails('container "nobody" does not exist')
    box.call("inspect", "--type", "volume", "box").fails('--type: there is no "volume"')


def why(c):
    c.settle()
    return c.call("why").ok().out


def test_why_by_status_and_with_its_last_lines(box):
    c = start(box, "for i in 1 2 3 4 5 6 7; do echo line $i; done; printf '\\033[31mred'; exit 4")
    c.wait()
    assert why(c) == ("its program ended with status 4\nits last lines:\n"
                      "  line 4\n  line 5\n  line 6\n  line 7\n  \\x1b[31mred\n")


def test_why_by_a_signal_of_somebody_elses(box):
    c = start(box, "exec sleep 100")
    os.kill(init_of(c), signal.SIGKILL)
    c.wait()
    assert why(c) == "killed by signal 9 (SIGKILL)\n"


def test_why_by_stop(box):
    c = start(box, "exec sleep 100")
    c.call("stop", "-t", "0").ok()
    assert why(c) == "killed by signal 9 (SIGKILL)\nit was told to end: by stop, kill or restart\n"


def test_why_out_of_memory(box):
    c = start(box, "exec busybox tail -c 100000000 /dev/zero", "--memory", "16m", "--memory-swap", "16m", "--name", "box")
    assert c.wait() == 137
    out = why(c)
    assert out.startswith("killed by signal 9 (SIGKILL)\nout of memory: the kernel killed 1 of its processes; the limit is 16.0 MiB, and ")
    assert field(box, "box", "{{.State.OOMKilled}} {{.State.ExitCode}}") == "true 137"
    c.call("start").ok()
    c.call("kill")
    c.wait()


def test_why_nobody_knows(box):
    c = start(box, "sleep 100")
    os.kill(c.monitor(), signal.SIGKILL)
    os.kill(init_of(c), signal.SIGKILL)
    until(lambda: c.status().startswith("Exited (unknown)"), "its end")
    assert why(c).startswith("nobody saw how it ended: its monitor was killed, or the machine went down\n")


def test_why_it_was_not_started(box):
    id = box.call("create", "--name", "box", "box", "nonsuch").ok().out.strip()
    assert box.call("why", "box").ok().out == "it was never started\n"
    box.call("start", "box").fails("executable file not found")
    out = box.call("why", "box").ok().out
    assert out.startswith('its start failed: exec: "nonsuch": executable file not found in $PATH')
    assert field(box, "box", "{{.State.Error}}").startswith('exec: "nonsuch"')
    box.call("why", "nobody").fails('container "nobody" does not exist')
    assert id


def test_why_its_policy_ended(box):
    c = start(box, "exit 2", "--restart", "on-failure:1")
    until(lambda: c.record().get("restart", {}).get("count") == 1 and c.status().startswith("Exited (2)"), "two runs")
    assert why(c).startswith("its program ended with status 2\nit was started again 1 times, which is all that its policy allows")
