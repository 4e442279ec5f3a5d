# SPDX-License-Identifier: GPL-2.0-or-later
"""SCMP_ACT_NOTIFY: the listener gets to its agent, with the container process state, and nobody waits for ever."""

import errno
import os
import signal
import threading

import pytest

from support import runtime as rt
from support.agent import GO_ON, Agent, Answer
from support.host import processes

MKDIR, MKDIRAT, EXECVE, CAPSET = 83, 258, 59, 126


@pytest.fixture
def agent(tmp):
    with Agent(tmp / "agent") as agent:
        yield agent


def notify(b, path, *names, **more):
    b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(path),
                          "syscalls": [{"names": list(names or ("mkdir", "mkdirat")), "action": "SCMP_ACT_NOTIFY"}],
                          **more}
    return b


def faked(call):
    return Answer(value=0)


@pytest.mark.rows("S-11")
def test_S5_the_agent_answers_in_the_kernels_place(tare, bundle, agent):
    agent.answer = faked
    b = notify(bundle(script="mkdir /tmp/faked && test ! -e /tmp/faked && echo faked"), agent.path)
    assert tare.run(b).ok().out == "faked\n"
    assert [call.nr in (MKDIR, MKDIRAT) for call in agent.calls] == [True]


def test_S5_an_error_of_the_agents(tare, bundle, agent):
    agent.answer = lambda call: Answer(error=-errno.EDQUOT)
    b = notify(bundle(script="mkdir /tmp/x 2>&1; true"), agent.path)
    assert "quota exceeded" in tare.run(b).ok().out.lower()


@pytest.mark.rows("S-6")
def test_S12_state_of_a_run(tare, bundle, agent):
    b = notify(bundle(script="echo $$"), agent.path, listenerMetadata="text with \"quotes\"")
    b.config["annotations"] = {"com.example": "1"}
    tare.run(b, id="notified").ok()
    state, = agent.states
    assert agent.fds_per_message == [1, 0]  # one message with the fd, then the end
    pid = state["pid"]
    assert state == {
        "ociVersion": "1.3.0", "fds": ["seccompFd"], "pid": pid, "metadata": "text with \"quotes\"",
        "state": {"ociVersion": "1.3.0", "id": "notified", "status": "creating", "pid": pid, "bundle": str(b.path),
                  "annotations": {"com.example": "1"}}}
    assert pid > 1


def test_S11_S12_create_and_start(tare, bundle, agent):
    agent.answer = faked
    c = tare.create(notify(bundle(script="mkdir /x; echo ready; sleep 60"), agent.path))
    assert agent.states == []  # the filter comes with the start
    pid = c.pid
    c.start().ok()
    c.wait_out("ready")
    state, = agent.states
    assert state["pid"] == state["state"]["pid"] == pid and "metadata" not in state
    assert state["state"]["status"] == "creating" and c.status == "running"


@pytest.mark.parametrize("names", [["execve"], ["capset", "execve"], ["sendmsg", "execve", "exit_group", "futex"]], ids=len)
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_Q6_calls_of_the_runtimes_own_wait_for_the_agent_and_nothing_else(tare, bundle, agent, names, no_new_privileges):
    b = notify(bundle("docker", args=["/bin/true"]), agent.path, *names)
    b.process["noNewPrivileges"] = no_new_privileges
    tare.run(b).ok()
    assert EXECVE in [call.nr for call in agent.calls]
    # With noNewPrivileges nothing is between the filter and execve; without it one capset is.
    if "capset" in names:
        assert (CAPSET in [call.nr for call in agent.calls]) is not no_new_privileges


def test_Q6_execve_that_the_agent_refuses_is_an_error_of_the_start(tare, bundle, agent):
    agent.answer = lambda call: Answer(error=-errno.EACCES)
    c = tare.create(notify(bundle(args=["/bin/true"]), agent.path, "execve"))
    c.start().fails('exec: "/bin/true": permission denied')
    assert c.status == "stopped"


@pytest.mark.parametrize("user", [{"uid": 1000, "gid": 1000}, {"uid": 0, "gid": 0}], ids=["user", "root"])
@pytest.mark.parametrize("userns", [True, False], ids=["userns", "host-ids"])
def test_S11_whoever_the_process_is(tare, bundle, agent, user, userns):
    agent.answer = faked
    b = notify(bundle("docker", script="mkdir /x"), agent.path)
    b.process["user"] = user
    if userns:
        b.user_namespace()
    tare.run(b).ok()
    assert len(agent.states) == 1 and len(agent.calls) == 1


def test_S4_wait_killable(tare, bundle, agent):
    """Once the agent has the call, only a fatal signal ends it; an alarm has to wait for the answer."""
    answered = threading.Event()

    def slowly(call):
        answered.wait(10)
        return Answer(error=-errno.EDQUOT)

    agent.answer = slowly
    b = notify(bundle(script="echo ready; mkdir /x; echo \"ended $?\""), agent.path,
               flags=["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])
    c = tare.run_detached(b)
    rt.wait_until(lambda: agent.calls, "the call")
    answered.set()
    c.wait_out("ended 1")


def test_S4_tsync_beside_a_listener(tare, bundle, agent):
    agent.answer = faked
    tare.run(notify(bundle(script="mkdir /x"), agent.path, flags=["SECCOMP_FILTER_FLAG_TSYNC"])).ok()


# ---- agents that aren't there -----------------------------------------------------------------------------------


def test_S5_no_agent_and_nothing_has_started(tare, bundle, tmp):
    c = tare.create(notify(bundle(script="sleep 60"), tmp / "no-agent"))
    c.start().fails(f'connect to the seccomp agent "{tmp}/no-agent"', "not there (ENOENT)")
    assert c.status == "created"
    with Agent(tmp / "no-agent") as late:
        c.start().ok()
        assert len(late.states) == 1
        c.kill("KILL").ok()
        c.wait()


def test_S5_no_agent_fails_a_run(tare, bundle, tmp):
    result = tare.run(notify(bundle(), tmp / "no-agent")).fails("connect to the seccomp agent", "ENOENT")
    record = [r for r in result.log if r["level"] == "error"][-1]
    assert record["step"] == "connect-seccomp-agent" and record["pointer"] == "/linux/seccomp/listenerPath"


def test_S5_a_file_in_the_agents_place(tare, bundle, tmp):
    (tmp / "file").write_text("")
    tare.run(notify(bundle(), tmp / "file")).fails("connect to the seccomp agent", "ENOTSOCK")


def test_S5_agent_that_dies_with_the_listener(tare, bundle, agent):
    """Without an owner the kernel answers ENOSYS, and the container goes on."""
    b = notify(bundle(script="echo ready; read x; mkdir /x; echo \"ended $?\""), agent.path)
    b.path.joinpath("in").touch()
    read, write = os.pipe()
    try:
        c = tare.run_detached(b, stdin=os.fdopen(read, closefd=False))
        rt.wait_until(lambda: agent.states, "the listener")
        agent.close()
        os.write(write, b"\n")
        c.wait_out("ended 1")
        assert "not implemented" in c.err.lower()
    finally:
        os.close(read)
        os.close(write)


def test_S5_a_run_that_waits_for_its_agent_ends_by_a_signal(tare, bundle, agent):
    hold = threading.Event()
    agent.answer = lambda call: hold.wait(20) and GO_ON
    b = notify(bundle(args=["/bin/true"]), agent.path, "execve")
    b.write()

    def interrupt():
        rt.wait_until(lambda: agent.calls, "execve to be asked for")
        (init,) = [c["pid"] for c in tare.list().values()]
        (pid,) = [p for (p, _), name in processes().items() if str(b.path) in name and p != init]
        os.kill(pid, signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        tare.run(b, write=False).fails("wait for the container's seccomp agent: ended by SIGTERM")
    finally:
        hold.set()
        thread.join()


# ---- the document -----------------------------------------------------------------------------------------------


def test_S5_S6_listener_without_a_rule_is_ignored_and_said(tare, bundle, tmp):
    b = bundle(args=["true"])
    b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(tmp / "none"), "listenerMetadata": "x"}
    result = tare.run(b).ok()
    said = " ".join(r["msg"] for r in result.log)
    assert "/linux/seccomp/listenerPath" in said and "no rule has SCMP_ACT_NOTIFY" in said
    assert "/linux/seccomp/listenerMetadata" in said


def test_S5_notify_without_a_listener(tare, bundle):
    b = notify(bundle(), "")
    tare.run(b).fails("SCMP_ACT_NOTIFY needs a listenerPath", "/linux/seccomp")


def test_S5_relative_paths_are_the_bundles(tare, bundle):
    b = notify(bundle(args=["true"]), "agent")
    with Agent(b.path / "agent") as agent:
        tare.run(b).ok()
        assert len(agent.states) == 1


@pytest.mark.rows("F-14")
def test_S5_the_annotation_names_an_agent_where_the_profile_does_not(tare, bundle, agent):
    b = notify(bundle(args=["true"]), "")
    b.config["annotations"] = {"run.oci.seccomp.receiver": agent.path}
    tare.run(b).ok()
    assert len(agent.states) == 1


@pytest.mark.rows("F-14")
@pytest.mark.parametrize("value", ["1", "0"])
def test_S7_the_annotation_makes_unknown_names_an_error(tare, bundle, value):
    b = bundle(args=["true"])
    b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                          "syscalls": [{"names": ["mkdirr"], "action": "SCMP_ACT_ERRNO"}]}
    b.config["annotations"] = {"run.oci.seccomp_fail_unknown_syscall": value}
    result = tare.run(b)
    if value == "1":
        result.fails('unknown system call "mkdirr"', "run.oci.seccomp_fail_unknown_syscall", "/linux/seccomp/syscalls/0/names/0")
    else:
        result.ok()
