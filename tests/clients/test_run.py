# SPDX-License-Identifier: GPL-2.0-or-later
"""podman and docker: what a container's process is given, and how its end is told."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

DEFAULT_CAPABILITIES = 0xA80425FB  # the fourteen of docker
NO_SYS_RESOURCE = "docker asks for every capability that the kernel knows, and this host has no CAP_SYS_RESOURCE to give"


@pytest.mark.smoke
@pytest.mark.parametrize("status", [1, 255])
def test_exit_status_is_the_programs(engine, status):
    engine.run(script=f"exit {status}").ends(status)


@pytest.mark.rows("C-5")
@pytest.mark.smoke
def test_command_that_is_not_there_is_127(engine):
    engine.run(args=["nosuch"]).ends(127, "nosuch", "executable file not found in $PATH")


def test_path_that_is_not_there_is_127(engine):
    engine.run(args=["/bin/nosuch"]).ends(127, "/bin/nosuch", "no such file or directory")


@pytest.mark.rows("C-5")
@pytest.mark.smoke
def test_file_that_nobody_can_execute_is_126(engine):
    engine.run(args=["/etc/plain"]).ends(126, "/etc/plain", "permission denied")


def test_program_that_kills_itself_is_137(engine):
    engine.run("--pid", "host", script="kill -9 $$").ends(137)


def test_two_streams_stay_apart(engine):
    done = engine.run(script="echo one; echo two >&2").ok()
    assert (done.out, done.err) == ("one\n", "two\n")


def test_much_output_arrives_whole(engine):
    assert len(engine.run(script="yes 0123456789 | head -n 100000").ok().out) == 1100000


@pytest.mark.smoke
def test_input_arrives_and_ends(engine):
    assert engine.run("-i", args=["cat"], stdin="typed\n").ok().out == "typed\n"


@pytest.mark.rows("C-15")
@pytest.mark.smoke
def test_terminal_has_the_callers_size(engine):
    with engine.run_on_terminal(script="tty; until [ \"$(stty size)\" = \"31 77\" ]; do sleep 0.1; done; stty size; read x; echo got $x; exit 3", rows=31, columns=77) as run:
        run.wait_text("/dev/pts/0").wait_text("31 77").type("word\n").wait_text("got word")
        assert run.wait() == 3


def test_terminal_without_a_callers_terminal(engine):
    assert "tty yes" in engine.run("-t", script="[ -t 1 ] && echo tty yes").ok().out


def test_environment(engine):
    seen = engine.run("-e", "ADDED=value with spaces", "-e", "FROM_IMAGE=changed", args=["env"]).ok().out.splitlines()
    assert {"ADDED=value with spaces", "FROM_IMAGE=changed", "HOME=/root"} <= set(seen)


def test_working_directory(engine):
    assert engine.run("-w", "/home/user", args=["pwd"]).ok().line == "/home/user"


@pytest.mark.smoke
@pytest.mark.parametrize("user,groups", [("user", ("uid=1000(user)", "gid=1000(user)", "50(staff)")),
                                         ("1234:5678", ("uid=1234", "gid=5678"))])
def test_user(engine, user, groups):
    seen = engine.run("-u", user, args=["id"]).ok().line
    assert all(word in seen for word in groups), seen


def test_user_that_is_not_there(engine):
    done = engine.run("-u", "nobodyhere", args=["id"])
    assert done.status in (125, 126) and "nobodyhere" in done.err, done.describe()


def test_supplementary_groups(engine):
    assert "50(staff)" in engine.run("--group-add", "50", args=["id"]).ok().out


def test_hostname(engine):
    assert engine.run("--hostname", "inside", args=["hostname"]).ok().line == "inside"


def test_added_hosts_are_resolved(engine):
    assert "10.1.2.3" in engine.run("--add-host", "elsewhere:10.1.2.3", network="bridge",
                                    args=["cat", "/etc/hosts"]).ok().out


def test_entrypoint(engine):
    assert engine.run("--entrypoint", "echo", args=["one", "two"]).ok().line == "one two"


@pytest.mark.smoke
def test_init_is_process_1_and_reaps(engine):
    script = "head -c 60 /proc/1/cmdline | tr '\\0' ' '; echo; (sleep 0 &) ; sleep 0.5; ps -o stat,comm | grep -c '^Z'"
    lines = engine.run("--init", script=script).out.splitlines()
    assert "init" in lines[0] or "tini" in lines[0], lines
    assert lines[-1] == "0", f"a zombie stays: {lines}"


def test_default_capabilities(engine):
    assert int(engine.run(args=["grep", "CapEff", "/proc/self/status"]).ok().line.split()[1], 16) == DEFAULT_CAPABILITIES


@pytest.mark.smoke
def test_capabilities_dropped_and_added(engine):
    done = engine.run("--cap-drop", "ALL", "--cap-add", "NET_ADMIN", args=["grep", "CapEff", "/proc/self/status"]).ok()
    assert int(done.line.split()[1], 16) == 1 << 12


def test_user_has_no_capabilities(engine):
    done = engine.run("-u", "1000", args=["grep", "CapEff", "/proc/self/status"]).ok()
    assert int(done.line.split()[1], 16) == 0


@pytest.mark.smoke
@pytest.mark.fails_with_runc(NO_SYS_RESOURCE)
def test_privileged(engine):
    script = "grep CapEff /proc/self/status; grep Seccomp: /proc/self/status; test -c /dev/kmsg && echo kmsg; mount -t tmpfs x /tmp"
    lines = engine.run("--privileged", script=script).ok().out.splitlines()
    assert int(lines[0].split()[1], 16).bit_count() > 30 and lines[1].split()[1] == "0" and lines[2] == "kmsg", lines


def test_no_new_privileges(engine):
    done = engine.run("--security-opt", "no-new-privileges", args=["grep", "NoNewPrivs", "/proc/self/status"]).ok()
    assert done.line.split()[1] == "1"


@pytest.mark.smoke
def test_seccomp_is_on_by_default(engine):
    assert engine.run(args=["grep", "Seccomp:", "/proc/self/status"]).ok().line.split()[1] == "2"


def test_seccomp_profile_of_the_user(engine, tmp):
    profile = tmp / "profile.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod", "fchmodat", "fchmodat2"],'
                       ' "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}')
    done = engine.run("--security-opt", f"seccomp={profile}", args=["chmod", "700", "/tmp"])
    assert done.status == 1 and "not supported" in done.err.lower(), done.describe()


def test_seccomp_unconfined(engine):
    done = engine.run("--security-opt", "seccomp=unconfined", args=["grep", "Seccomp:", "/proc/self/status"]).ok()
    assert done.line.split()[1] == "0"


def test_ulimits(engine):
    done = engine.run("--ulimit", "nofile=100:200", "--ulimit", "nproc=300:400", args=["cat", "/proc/self/limits"])
    limits = {line[:26].strip(): line[26:].split()[:2] for line in done.ok().out.splitlines()}
    assert (limits["Max open files"], limits["Max processes"]) == (["100", "200"], ["300", "400"])


def test_default_ulimits(engine):
    assert engine.run(script="ulimit -n; ulimit -Hn").ok().out == "1024\n4096\n"


def test_sysctl(engine):
    done = engine.run("--sysctl", "net.ipv4.ip_unprivileged_port_start=99",
                      args=["cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"]).ok()
    assert done.line == "99"


def test_sysctl_with_a_value_that_the_kernel_refuses(engine):
    done = engine.run("--sysctl", "net.ipv4.ip_forward=many", args=["true"])
    assert done.status in (125, 126, 127) and "ip_forward" in done.err, done.describe()
    assert "invalid" in done.err.lower(), done.describe()


def test_oom_score(engine):
    assert engine.run("--oom-score-adj", "321", args=["cat", "/proc/self/oom_score_adj"]).ok().line == "321"


def test_kernel_files_are_masked(engine):
    script = "cat /proc/keys | wc -c; ls /sys/firmware | wc -l; touch /proc/sys/kernel/x 2>&1; echo > /proc/sys/kernel/domainname"
    done = engine.run(script=script)
    assert done.out.startswith("0\n0\n"), done.describe()
    assert "read-only" in done.err.lower(), done.describe()


@pytest.mark.smoke
def test_namespaces_of_the_host(engine):
    done = engine.run("--pid", "host", "--ipc", "host", "--uts", "host", network="host",
                      script="for n in pid ipc uts net; do readlink /proc/self/ns/$n; done").ok()
    assert done.out.splitlines()[:3] == [os.readlink(f"/proc/self/ns/{n}") for n in ("pid", "ipc", "uts")]


def test_namespaces_of_another_container(engine):
    first = engine.start("--ipc", "shareable")
    joined = engine.run("--pid", f"container:{first.name}", "--ipc", f"container:{first.name}",
                        network=f"container:{first.name}", script="for n in net ipc pid; do readlink /proc/self/ns/$n; done")
    assert joined.ok().out.splitlines() == [os.readlink(f"/proc/{first.pid}/ns/{n}") for n in ("net", "ipc", "pid")]


def test_device(engine):
    done = engine.run("--device", "/dev/fuse:/dev/mine:r", script="true < /dev/mine && echo opened; true > /dev/mine")
    assert done.line == "opened" and done.status != 0 and "not permitted" in done.err, done.describe()


def test_other_devices_are_denied(engine):
    done = engine.run("--cap-add", "MKNOD", script="mknod /dev/sneaky b 8 0 && cat /dev/sneaky")
    assert done.status != 0 and "not permitted" in done.err, done.describe()


@pytest.mark.smoke
def test_many_at_once(engine):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: engine.run(script=f"echo {n}; exit {n}"), range(1, 9)))
    assert [(d.line, d.status) for d in done] == [(str(n), n) for n in range(1, 9)], [d.describe() for d in done]
