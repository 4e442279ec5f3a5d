# SPDX-License-Identifier: GPL-2.0-or-later
"""exec into a container whose seccomp filter has a listener: each process has its own, and the agent knows whose it is."""

import errno

import pytest

from support.agent import Agent, Answer

from test_seccomp_notify import EXECVE, MKDIR, MKDIRAT, agent, faked, notify  # noqa: F401  (agent is a fixture)

pytestmark = pytest.mark.only("tare")


@pytest.fixture
def notified(tare, bundle, agent):
    """A running container under a filter that asks the agent about mkdir, and execve where a test wants it."""
    def start(*names):
        c = tare.create(notify(bundle(args=["/bin/sleep", "60"]), agent.path, *names))
        c.start().ok()
        return c
    return start


@pytest.mark.rows("X-1", "S-11")
def test_S12_exec_has_a_listener_of_its_own(notified, agent):
    agent.answer = faked
    c = notified()
    assert c.exec("/bin/sh", "-c", "mkdir /tmp/faked && test ! -e /tmp/faked && echo faked").ok().out == "faked\n"
    first, second = agent.states
    assert [call.nr in (MKDIR, MKDIRAT) for call in agent.calls] == [True]
    # The agent is told of the process that it answers, and of the container, whose own process is another.
    assert first["pid"] == c.pid and second["pid"] not in (c.pid, 0)
    assert second["state"]["pid"] == c.pid and second["state"]["id"] == c.id
    assert (first["state"]["status"], second["state"]["status"]) == ("creating", "running")


@pytest.mark.rows("X-1")
def test_Q6_execve_of_an_exec_that_the_agent_refuses(notified, agent):
    c = notified("execve")
    assert EXECVE in [call.nr for call in agent.calls]
    agent.answer = lambda call: Answer(error=-errno.EACCES)
    c.exec("/bin/true").fails('exec: "/bin/true": permission denied', status=255)
    assert c.status == "running"


@pytest.mark.rows("X-1")
def test_S5_exec_without_its_agent_runs_nothing(notified, agent):
    c = notified()
    agent.close()
    c.exec("/bin/touch", "/ran").fails(
        f'connect to the seccomp agent "{agent.path}"', "not there (ENOENT)", status=255)
    assert c.status == "running" and not (c.bundle.rootfs / "ran").exists()
    with Agent(agent.path) as late:
        c.exec("/bin/true").ok()
        assert len(late.states) == 1
