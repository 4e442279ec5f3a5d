# SPDX-License-Identifier: GPL-2.0-or-later
"""process: arguments, environment, directory, ids, umask, stdio, signals, session, personality, memory policy, fds."""

import os
import signal

import pytest

def status_of(text):
    """/proc/self/status as a dictionary."""
    return {k: v.strip() for k, _, v in (line.partition(":") for line in text.splitlines())}


# ---- args, env -------------------------------------------------------------------------------------------------------


def test_P5_args_are_exact(tare, bundle):
    b = bundle(args=["sh", "-c", "tr '\\000' '|' </proc/$$/cmdline; :", "a b", "", "*", "ü"])
    assert tare.run(b).ok().out == "sh|-c|tr '\\000' '|' </proc/$$/cmdline; :|a b||*|ü|"


def test_P4_Q22_env_is_exactly_the_configs(tare, bundle):
    b = bundle(script="tr '\\000' '\\n' </proc/$$/environ; :")
    b.process["env"] = ["PATH=/bin", "HOME=/x", "EMPTY=", "EQUALS=a=b", "LAST=1"]
    env = dict(os.environ, LD_PRELOAD="/nowhere.so", TARE_SECRET="1")
    assert tare.run(b, env=env).ok().out.splitlines() == ["PATH=/bin", "HOME=/x", "EMPTY=", "EQUALS=a=b", "LAST=1"]


def test_P4_env_absent_is_only_home(tare, bundle):
    b = bundle(args=["/bin/sh", "-c", "tr '\\000' '\\n' </proc/$$/environ; :"])
    del b.process["env"]
    assert tare.run(b).ok().out == "HOME=/root\n"


def test_Q13_last_duplicate_wins_in_order(tare, bundle):
    b = bundle(script="tr '\\000' '\\n' </proc/$$/environ; :")
    b.process["env"] = ["PATH=/bin", "HOME=/", "A=1", "B=2", "A=3"]
    assert tare.run(b).ok().out.splitlines() == ["PATH=/bin", "HOME=/", "B=2", "A=3"]


# ---- HOME ------------------------------------------------------------------------------------------------------------


def home_of(tare, b):
    return tare.run(b.script("printf %s \"$HOME\"")).ok().out


@pytest.mark.parametrize("uid, home", [(0, "/root"), (1000, "/home/user"), (4242, "/")])
def test_Q12_home_from_the_containers_passwd(tare, bundle, uid, home):
    b = bundle()
    b.process["user"] = {"uid": uid, "gid": uid}
    assert home_of(tare, b) == home


def test_Q12_empty_home_counts_as_unset(tare, bundle):
    b = bundle(script="tr '\\000' '\\n' </proc/$$/environ | grep -c ^HOME=; printf %s \"$HOME\"")
    b.process["env"].append("HOME=")
    assert tare.run(b).ok().out == "1\n/root"


def test_Q12_home_of_the_config_stays(tare, bundle):
    b = bundle()
    b.process["env"].append("HOME=/elsewhere")
    assert home_of(tare, b) == "/elsewhere"


def test_Q12_passwd_missing(tare, bundle):
    b = bundle()
    (b.rootfs / "etc/passwd").unlink()
    assert home_of(tare, b) == "/"


def test_Q12_passwd_is_a_fifo(tare, bundle):
    b = bundle()
    (b.rootfs / "etc/passwd").unlink()
    os.mkfifo(b.rootfs / "etc/passwd")
    assert home_of(tare, b) == "/"


def test_Q12_passwd_is_a_directory(tare, bundle):
    b = bundle()
    (b.rootfs / "etc/passwd").unlink()
    (b.rootfs / "etc/passwd").mkdir()
    assert home_of(tare, b) == "/"


def test_Q12_passwd_leads_to_the_host(tare, bundle, tmp):
    (tmp / "passwd").write_text("root:x:0:0::/from-the-host:/bin/sh\n")
    b = bundle()
    (b.rootfs / "etc/passwd").unlink()
    (b.rootfs / "etc/passwd").symlink_to(tmp / "passwd")
    assert home_of(tare, b) == "/"


def test_Q12_passwd_with_a_line_of_a_gigabyte(tare, bundle):
    b = bundle()
    with open(b.rootfs / "etc/passwd", "wb") as f:
        f.truncate(1 << 30)
        f.seek(0, os.SEEK_END)
        f.write(b"\nroot:x:0:0::/late:/bin/sh\n")
    assert home_of(tare, b) == "/"


# ---- cwd -------------------------------------------------------------------------------------------------------------


def test_P3_cwd(tare, bundle):
    b = bundle(args=["pwd"])
    b.process["cwd"] = "/usr/bin"
    assert tare.run(b).ok().out == "/usr/bin\n"


def test_P3_missing_cwd_is_made_0755(tare, bundle):
    b = bundle(script="umask; pwd; stat -c %a:%u . ..")
    b.process["cwd"] = "/new/deep"
    assert tare.run(b, before=lambda: os.umask(0o077)).ok().out == "0077\n/new/deep\n755:0\n755:0\n"


@pytest.mark.only("tare")
def test_Y16_cwd_that_was_made_is_removed_when_the_start_fails(tare, bundle):
    b = bundle(args=["/bin/text"])
    (b.rootfs / "bin/text").write_bytes(b"\0not a program")
    (b.rootfs / "bin/text").chmod(0o755)
    b.process["cwd"] = "/made/by/tare"
    tare.run(b).fails("exec format error")
    assert not (b.rootfs / "made").exists()


def test_P3_cwd_is_a_file(tare, bundle):
    b = bundle()
    b.process["cwd"] = "/etc/passwd"
    tare.run(b).fails('"/etc/passwd"', "not a directory")


def test_P3_relative_cwd_is_refused(tare, bundle):
    b = bundle()
    b.process["cwd"] = "usr"
    tare.run(b).fails("/process/cwd" if tare.path.endswith("tare-oci") else "")


def test_Q10_cwd_that_only_root_may_enter(tare, bundle):
    b = bundle(args=["pwd"])
    (b.rootfs / "private").mkdir(mode=0o700)
    b.process["cwd"] = "/private"
    b.process["user"] = {"uid": 1000, "gid": 1000}
    assert tare.run(b).ok().out == "/private\n"


def test_X3_absolute_symlink_stays_in_the_root(tare, bundle):
    b = bundle(args=["pwd"])
    (b.rootfs / "link").symlink_to("/usr/../../../etc")
    b.process["cwd"] = "/link"
    assert tare.run(b).ok().out == "/etc\n"


@pytest.mark.parametrize("number", range(3, 21))
def test_X3_cwd_through_an_fd_of_the_runtime(tare, bundle, number):
    b = bundle()
    b.process["cwd"] = f"/proc/self/fd/{number}"
    result = tare.run(b)
    assert result.status != 0
    if tare.path.endswith("tare-oci"):
        assert f'"/proc/self/fd/{number}"' in result.error


@pytest.mark.only("tare")
def test_X3_cwd_behind_an_fd_makes_nothing(tare, bundle, tmp):
    """A directory of the host's is open there, in the caller."""
    b = bundle()
    directory = os.open(tmp, os.O_RDONLY | os.O_DIRECTORY)
    b.process["cwd"] = f"/proc/self/fd/{directory}/made"
    result = tare.run(b, pass_fds=(directory,))
    os.close(directory)
    result.fails(f'change directory to "{b.process["cwd"]}": it leads through a link of procfs', "/process/cwd")
    assert not (tmp / "made").exists()


@pytest.mark.only("tare")
def test_X3_symlink_to_a_magic_link(tare, bundle):
    b = bundle()
    (b.rootfs / "trap").symlink_to("/proc/self/root")
    b.process["cwd"] = "/trap"
    tare.run(b).fails('change directory to "/trap"', "a link of procfs")


# ---- ids -------------------------------------------------------------------------------------------------------------

IDS = "grep -E '^(Uid|Gid|Groups)' /proc/self/status"


def ids(text):
    s = status_of(text)
    return s["Uid"].split(), s["Gid"].split(), s["Groups"].split()


def test_P18_uid_and_gid_real_effective_saved_and_fs(tare, bundle):
    b = bundle(script=IDS)
    b.process["user"] = {"uid": 1000, "gid": 2000}
    assert ids(tare.run(b).ok().out) == (["1000"] * 4, ["2000"] * 4, [])


def test_P20_additional_gids(tare, bundle):
    b = bundle(script=IDS)
    b.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 4000000000, 7]}
    assert ids(tare.run(b).ok().out)[2] == ["5", "7", "4000000000"]


@pytest.mark.parametrize("in_user_namespace", [False, True])
def test_P20_X17_groups_of_the_caller_are_cleared(tare, bundle, in_user_namespace):
    """With a user namespace, too: one that the caller is in must neither help nor, as a deny entry, be lost on the way to us."""
    b = bundle(script=IDS)
    if in_user_namespace:
        b.user_namespace()
    assert ids(tare.run(b, before=lambda: os.setgroups([11, 12])).ok().out)[2] == []


@pytest.mark.only("tare", "crun")
def test_P20_keep_original_groups(tare, bundle):
    b = bundle(script=IDS)
    b.config["annotations"] = {"run.oci.keep_original_groups": "1"}
    assert ids(tare.run(b, before=lambda: os.setgroups([11, 12])).ok().out)[2] == ["11", "12"]


def test_P18_ids_of_a_user_namespace(tare, bundle):
    b = bundle(script=IDS).user_namespace()
    b.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [3]}
    assert ids(tare.run(b).ok().out) == (["1000"] * 4, ["1000"] * 4, ["3"])


@pytest.mark.only("tare")
@pytest.mark.parametrize("user, pointer, what", [
    ({"uid": 70000, "gid": 0}, "/process/user/uid", "uid 70000"),
    ({"uid": 0, "gid": 70000}, "/process/user/gid", "gid 70000"),
    ({"uid": 0, "gid": 0, "additionalGids": [1, 70000]}, "/process/user/additionalGids/1", "additional gid 70000"),
])
def test_P18_P20_id_without_a_mapping(tare, bundle, user, pointer, what):
    b = bundle().user_namespace()
    b.process["user"] = user
    tare.run(b).fails(f"use {what}: the user namespace has no mapping for it", pointer)


# ---- umask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o027])
def test_P19_umask(tare, bundle, umask):
    b = bundle(script="umask")
    b.process["user"]["umask"] = umask
    assert tare.run(b).ok().out == f"{umask:04o}\n"


@pytest.mark.only("tare")
@pytest.mark.parametrize("umask", [0o022, 0o007])
def test_P19_absent_umask_is_the_callers(tare, bundle, umask):
    assert tare.run(bundle(script="umask"), before=lambda: os.umask(umask)).ok().out == f"{umask:04o}\n"


# ---- stdio, session, signals -------------------------------------------------------------------------------------------


def test_M23_stdout_can_be_opened_again_by_the_user(tare, bundle, tmp):
    b = bundle(script="echo again >>/proc/self/fd/1")
    b.process["user"] = {"uid": 1000, "gid": 1000}
    with open(tmp / "out", "w+") as out:
        os.fchmod(out.fileno(), 0o600)
        tare.run(b, out=out).ok()
        assert (tmp / "out").read_text() == "again\n"
        assert os.fstat(out.fileno()).st_uid == 1000


def test_M23_dev_null_keeps_its_owner(tare, bundle):
    b = bundle()
    b.process["user"] = {"uid": 1000, "gid": 1000}
    with open("/dev/null", "w") as null:
        tare.run(b, out=null, err=null).ok()
    assert os.stat("/dev/null").st_uid == 0


@pytest.mark.only("tare")
def test_M23_stdio_of_root_is_left_alone(tare, bundle, tmp):
    with open(tmp / "out", "w+") as out:
        os.fchown(out.fileno(), 1234, 1234)
        tare.run(bundle(args=["echo", "x"]), out=out).ok()
        assert os.fstat(out.fileno()).st_uid == 1234


def test_X19_session_of_its_own(tare, bundle):
    # fields after the command's name: state ppid pgrp session tty
    assert tare.run(bundle(script="cut -d' ' -f5-7 /proc/1/stat")).ok().out == "1 1 0\n"


def ignore_signals():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGUSR1, signal.SIGRTMIN + 5):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})


@pytest.mark.parametrize("base", ["minimal", "docker"])
def test_Q16_signals_are_default_and_open(tare, bundle, base):
    b = bundle(base, args=["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"])
    s = status_of(tare.run(b, before=ignore_signals).ok().out)
    assert s == {"SigBlk": "0" * 16, "SigIgn": "0" * 16, "SigCgt": "0" * 16}


# ---- keyring -----------------------------------------------------------------------------------------------------------


def test_X20_session_keyring_of_its_own(tare, bundle):
    result = tare.run(bundle(script="cat /proc/keys"), id="keyring-test").ok()
    assert "_ses.keyring-test" in result.out
    line = next(l for l in result.out.splitlines() if "_ses.keyring-test" in l)
    assert line.split()[4] == "3f0b0000"


def test_X20_no_new_keyring(tare, bundle):
    result = tare.run(bundle(script="cat /proc/keys"), "--no-new-keyring", id="keyless").ok()
    assert "_ses.keyless" not in result.out


def test_X20_keyring_in_a_user_namespace(tare, bundle):
    tare.run(bundle(args=["cat", "/proc/keys"]).user_namespace()).ok()


# ---- personality, memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain, machine", [("LINUX", "x86_64"), ("LINUX32", "i686")])
def test_Q8_L22_personality(tare, bundle, domain, machine):
    b = bundle(args=["uname", "-m"])
    b.linux["personality"] = {"domain": domain}
    assert tare.run(b).ok().out == machine + "\n"


@pytest.mark.only("tare")
@pytest.mark.parametrize("policy, shown", [
    ({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
    ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
    ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
    ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0"),
    ({"mode": "MPOL_LOCAL"}, "local"),
    ({"mode": "MPOL_DEFAULT", "nodes": ""}, "default"),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0"),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}, "bind=relative:0"),
])
def test_L25_L27_memory_policy(tare, bundle, policy, shown):
    if not os.path.exists("/proc/self/numa_maps"):
        pytest.skip("this kernel has no NUMA")
    b = bundle(script="head -1 /proc/self/numa_maps")
    b.linux["memoryPolicy"] = policy
    assert tare.run(b).ok().out.split(" ", 1)[1].startswith(shown)


@pytest.mark.only("tare")
def test_L26_node_that_is_not_there(tare, bundle):
    b = bundle()
    b.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "63"}
    tare.run(b).fails("set the memory policy", "/linux/memoryPolicy")
    b.linux["memoryPolicy"]["nodes"] = "5000"
    tare.run(b).fails("a node's number must be below 4096", "/linux/memoryPolicy/nodes")


# ---- no_new_privs, filter ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [True, False])
def test_P11_no_new_privileges(tare, bundle, value):
    b = bundle(args=["grep", "NoNewPrivs", "/proc/self/status"])
    b.process["noNewPrivileges"] = value
    assert tare.run(b).ok().out.split() == ["NoNewPrivs:", str(int(value))]


# What the runtime itself calls between clone and execve. A program that needs none of them must run under a filter
# that kills it for each.
OWN_CALLS = ["setresuid", "setresgid", "setgroups", "seccomp", "close_range", "openat2", "chdir", "fchdir",
             "umask", "keyctl", "setsid", "mount", "move_mount", "recvmsg", "sendmsg", "write"]

# busybox asks for its own name by prctl(PR_GET_NAME).
NOT_PR_GET_NAME = {"index": 0, "value": 16, "op": "SCMP_CMP_NE"}


@pytest.mark.only("tare")
@pytest.mark.parametrize("no_new_privs, calls", [(True, OWN_CALLS + ["capset"]), (False, OWN_CALLS)])
@pytest.mark.parametrize("uid", [0, 1000])
def test_Q5_Q6_filter_that_kills_our_own_calls(tare, bundle, no_new_privs, calls, uid):
    b = bundle(args=["/bin/true"])
    b.process["noNewPrivileges"] = no_new_privs
    b.process["user"] = {"uid": uid, "gid": uid}
    b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                          "syscalls": [{"names": calls, "action": "SCMP_ACT_KILL_PROCESS"},
                                       {"names": ["prctl"], "action": "SCMP_ACT_KILL_PROCESS", "args": [NOT_PR_GET_NAME]}]}
    tare.run(b).ok()


def test_Q5_filter_is_in_force(tare, bundle):
    for no_new_privs in (True, False):
        b = bundle(script="grep ^Seccomp: /proc/self/status; mkdir /tmp/x")
        b.process["noNewPrivileges"] = no_new_privs
        b.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                              "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}
        result = tare.run(b)
        assert result.out.split() == ["Seccomp:", "2"]
        assert "Function not implemented" in result.err


# ---- fds ---------------------------------------------------------------------------------------------------------------

# Of the shell itself, and without a pipe, of which it would hold an end for a moment.
FDS = "ls /proc/$$/fd; :"


def fds_of(result):
    return result.ok().out.split()


@pytest.mark.parametrize("base", ["minimal", "docker"])
def test_Y26_X3_only_stdio_is_open(tare, bundle, base):
    assert fds_of(tare.run(bundle(base, script=FDS))) == ["0", "1", "2"]


@pytest.mark.parametrize("base", ["minimal", "docker"])
def test_Y26_only_stdio_is_open_after_create_and_start(tare, bundle, base):
    c = tare.create(bundle(base, script=FDS))
    c.start().ok()
    c.wait()
    assert c.out.split() == ["0", "1", "2"]


def with_open_fds(tare, tmp, redirections):
    """Let the runtime be called with more fds open, as sh's words say."""
    wrapper = tmp / "with-fds"
    wrapper.write_text(f"#!/bin/sh\nexec {redirections}\nexec {tare.path} \"$@\"\n")
    wrapper.chmod(0o755)
    tare.path = str(wrapper)


def test_X3_fds_of_the_caller_do_not_leak(tare, bundle, tmp):
    with_open_fds(tare, tmp, "3</etc 5</etc/hostname 9</")
    assert fds_of(tare.run(bundle(script=FDS))) == ["0", "1", "2"]


@pytest.mark.parametrize("command", ["run", "create"])
def test_Y26_Z13_preserved_fds(tare, bundle, tmp, command):
    (tmp / "given").write_text("given\n")
    with_open_fds(tare, tmp, f"3<{tmp}/given 4</etc/hostname 5</etc/hostname")
    b = bundle(script=FDS + "; cat <&3")
    if command == "run":
        out = tare.run(b, "--preserve-fds", "2").ok().out
    else:
        c = tare.create(b, "--preserve-fds", "2")
        c.start().ok()
        out = c.wait_out("given").out
    assert out.split() == ["0", "1", "2", "3", "4", "given"]


def test_Z13_preserved_fd_that_is_not_open(tare, bundle, tmp):
    with_open_fds(tare, tmp, "3</etc/hostname 4<&-")
    result = tare.run(bundle(), "--preserve-fds", "2")
    assert result.status == 1 and "fd 4 is not open" in result.err


def test_Z13_preserved_fds_do_not_reach_hooks(tare, bundle, tmp):
    with_open_fds(tare, tmp, "3</etc/hostname")
    hook = tmp / "hook"
    hook.write_text(f"#!/bin/sh\n[ -e /proc/self/fd/3 ] && touch {tmp}/leaked\ntouch {tmp}/ran\n")
    hook.chmod(0o755)
    tare.run(bundle().hook("createRuntime", hook), "--preserve-fds", "1").ok()
    assert (tmp / "ran").exists() and not (tmp / "leaked").exists()


@pytest.mark.parametrize("with_pid_namespace", [True, False])
def test_P4_listen_fds(tare, bundle, tmp, with_pid_namespace):
    wrapper = tmp / "activated"
    wrapper.write_text("#!/bin/sh\nexec 3</etc/hostname\n"
                       f"export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web\nexec {tare.path} \"$@\"\n")
    wrapper.chmod(0o755)
    tare.path = str(wrapper)
    b = bundle(script=FDS + "; echo; echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo mine")
    b.process["env"].append("LISTEN_FDS=9")
    if not with_pid_namespace:
        b.without_namespace("pid")
    assert tare.run(b).ok().out == "0\n1\n2\n3\n\n1 web\nmine\n"


@pytest.mark.only("tare")
def test_P8_P9_empty_labels_are_absent(tare, bundle):
    b = bundle()
    b.process.update(apparmorProfile="", selinuxLabel="")
    b.linux["mountLabel"] = ""
    tare.run(b).ok()


@pytest.mark.parametrize("option", [[], ["--no-pivot"]], ids=["pivot", "no-pivot"])
def test_X3_default_directory_is_the_root(tare, bundle, option):
    result = tare.run(bundle(script="pwd; readlink /proc/1/cwd; ls -d ../bin"), *option)
    assert result.ok().out == "/\n/\n../bin\n"
