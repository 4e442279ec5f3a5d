# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: what is accepted, what is refused with which words, and what goes to which stream."""

import json
import os
import re
import stat
import subprocess

import pytest

from support.runtime import binary
from support.terminal import ConsoleSocket

pytestmark = pytest.mark.only("tare")

COMMANDS = ["create", "start", "run", "state", "kill", "delete", "list", "spec", "features", "explain"]


def cli(*args, **kw):
    """Run the program as it stands: no --root, no log."""
    return subprocess.run([binary(), *map(str, args)], capture_output=True, text=True, timeout=60, **kw)


def refused(*args, status=1, **kw):
    """What a command that must fail says to people: the lines on standard error."""
    result = cli(*args, **kw)
    assert result.returncode == status, result
    return result.stderr.splitlines()


# ---- version and help -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["--version", "-version", "-v"])
def test_C1_version_has_the_lines_that_engines_read(word):
    lines = cli(word).stdout.splitlines()
    assert re.fullmatch(r"tare-oci version \d+\.\d+\.\d+", lines[0])
    assert lines[1].startswith("commit: ") and lines[2] == "spec: 1.3.0"


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"], ["help"], ["--debug", "-help"]])
def test_C1_help_names_every_command(args):
    result = cli(*args)
    assert result.returncode == 0 and result.stderr == ""
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", result.stdout, re.M), command


@pytest.mark.parametrize("command", COMMANDS)
def test_C2_help_of_a_command_lists_its_options(command):
    asked = cli(command, "--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith(f"tare-oci {command}: ")
    assert asked.stdout == cli("help", command).stdout


def test_C2_help_of_an_unknown_command():
    assert refused("help", "creat") == ['tare-oci: unknown command "creat"', "hint: did you mean create?"]


# ---- usage errors: status 1, help on standard output, the reason on standard error ----------------------------------


@pytest.mark.parametrize("args, error, hint", [
    (["--rooot", "/x", "list"], 'unknown option "--rooot"', "did you mean --root?"),
    (["-z"], 'unknown option "-z"', None),
    (["--root"], 'option "--root" needs a value: --root DIR', None),
    (["delet", "x"], 'unknown command "delet"', "did you mean delete?"),
    (["create", "--bundel", "x", "id"], 'create: unknown option "--bundel"', "did you mean --bundle?"),
    (["create", "--root", "/x", "id"], 'create: unknown option "--root"',
     "--root stands before the command: tare-oci --root ... create"),
    (["create"], "create: an operand is missing: tare-oci create ID", None),
    (["kill", "a", "b", "c"], 'kill: unexpected operand "c"', None),
    (["list", "x"], 'list: unexpected operand "x"', None),
    (["run", "--detach=yes", "x"], 'run: read option "--detach": "yes" is neither true nor false', None),
    (["create", "--preserve-fds", "x", "id"],
     'create: read option "--preserve-fds": "x" is not a number from 0 to 4294967295', None),
])
def test_C2_wrong_usage_is_named_and_helped(args, error, hint):
    result = cli(*args)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [f"tare-oci: {error}"] + ([f"hint: {hint}"] if hint else [])
    assert "usage: tare-oci" in result.stdout


# ---- global options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["/", "//", "/.", "/run/..", "/./../"])
def test_C6_the_filesystems_root_is_no_root(root):
    assert refused("--root", root, "list") == [
        f'tare-oci: refuse "--root {root}": containers would be recorded in the root directory']


def test_C6_an_empty_root_is_refused():
    assert refused("--root=", "list") == ['tare-oci: option "--root" is empty']


def test_C6_list_of_a_named_root_that_is_not_there(tmp):
    assert refused("--root", tmp / "no", "list") == [f'tare-oci: list: open "--root {tmp}/no": not there (ENOENT)']


def test_C6_root_may_be_relative(tmp, bundle):
    b = bundle(args=["/bin/true"])
    b.write()
    # Not captured: the container would keep the pipe open.
    made = subprocess.run([binary(), "--root", "here", "create", "-b", b.path, "x"], cwd=tmp, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert made.returncode == 0
    document = json.loads(cli("--root", tmp / "here", "state", "x").stdout)
    assert (tmp / "here/x/state.json").exists() and document["status"] == "created"
    assert cli("-root=here", "delete", "-f", "x", cwd=tmp).returncode == 0


def test_C2_cgroup_managers():
    """Engines put the options before every command."""
    for options in (["--systemd-cgroup"], ["--cgroup-manager", "systemd"], ["--cgroup-manager=cgroupfs"],
                    ["--cgroup-manager", "disabled"], ["--systemd-cgroup", "--cgroup-manager", "systemd"]):
        assert cli(*options, "features").returncode == 0
    assert refused("--cgroup-manager", "upstart", "features") == [
        'tare-oci: unknown cgroup manager "upstart"', "hint: it is cgroupfs, systemd or disabled"]
    assert refused("--systemd-cgroup", "--cgroup-manager", "disabled", "features") == [
        'tare-oci: "--systemd-cgroup" and "--cgroup-manager disabled" contradict each other']


@pytest.mark.parametrize("word", ["false", "auto"])
def test_C2_rootless_words_are_accepted(word):
    assert cli("--rootless", word, "features").returncode == 0


def test_C2_rootless_with_another_word():
    assert refused("--rootless=maybe", "list") == [
        'tare-oci: unknown word "maybe" for "--rootless"', "hint: it is true, false or auto"]


# ---- one dash, equal signs, any order -------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [
    ["-bundle", "B", "-no-subreaper", "ID"],
    ["--bundle=B", "-no-subreaper=true", "ID"],
    ["-b", "B", "ID", "--no-subreaper"],
    ["--no-subreaper=false", "--no-subreaper", "-b=B", "--", "ID"],
])
def test_C2_every_way_to_write_an_option(tare, bundle, args):
    b = bundle(args=["echo", "ran"])
    b.write()
    words = [w.replace("B", str(b.path)).replace("ID", tare.new_id()) for w in args]
    assert tare.call("run", *words).ok().out == "ran\n"


# ---- ids ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["create", "run", "start", "state", "kill", "delete"])
@pytest.mark.parametrize("id", [
    pytest.param("", id="empty"), "..", ".hidden", "a/b", "../x", "a b", pytest.param("x" * 1025, id="long"),
    pytest.param("x" * 100000, id="huge"), "\u00e4"])
def test_Z12_ids_are_checked_before_any_path_is_made_of_them(tare, command, id):
    result = tare.call(command, id)
    result.fails("container id")
    assert not tare.root.exists()


def test_Z12_an_id_may_not_look_like_an_option(tare):
    tare.call("state", "--", "-x").fails('invalid container id "-x"')


# ---- kill's signals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word, number", [
    ("USR1", 10), ("SIGUSR1", 10), ("sigusr1", 10), ("usr1", 10), ("10", 10), ("RTMIN", 34), ("RTMIN+1", 35),
    ("sigrtmax-1", 63), ("64", 64),
])
def test_C11_signals_by_name_and_number(tare, bundle, word, number):
    script = f"trap 'exit 7' {number}; echo ready; while :; do sleep 0.02; done"
    c = tare.run_detached(bundle(script=script)).wait_out("ready")
    c.kill(word).ok()
    c.wait("stopped")


@pytest.mark.parametrize("word", ["0", "65", "-1", "NOPE", "SIG", "", "9x", "RTMIN+31", "RTMAX-x"])
def test_C11_what_is_no_signal_is_refused(tare, word):
    result = tare.call("kill", "--", "x", word)
    result.fails(f'kill "x": unknown signal "{word}"')
    assert result.log[-1]["hint"] == "a number from 1 to 64, or a name like KILL, SIGKILL or RTMIN+1"


# ---- unknown containers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["start", "state", "kill", "delete"])
def test_C5_unknown_container(tare, command):
    result = tare.call(command, "ghost")
    result.fails(f'{command} "ghost": ', "does not exist")
    assert result.out == ""


def test_C12_delete_force_of_an_unknown_container_is_success(tare):
    result = tare.call("delete", "--force", "ghost").ok()
    assert (result.out, result.err, result.log) == ("", "", [])


@pytest.mark.parametrize("option", ["--regex", "-r"])
@pytest.mark.parametrize("command", ["kill", "delete"])
def test_C19_no_regular_expressions(tare, bundle, command, option):
    """crun's option; the message says what does the same."""
    c = tare.create(bundle(script="sleep 60"))
    refusal = tare.call(command, option, c.id).fails("regular expressions are not supported: one ID at a time is named")
    assert f"tare-oci list --quiet | grep -E EXPRESSION | xargs -r -I ID tare-oci {command} ID" in refusal.err
    assert c.state()["status"] == "created"


# ---- state and list -------------------------------------------------------------------------------------------------


def test_C6_state_has_the_members_of_runc(tare, bundle):
    b = bundle(script="sleep 60")
    b.config["annotations"] = {"org.example.a": "1"}
    c = tare.create(b)
    document = c.state()
    assert list(document) == ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "annotations", "owner"] \
        or set(document) == {"ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "annotations", "owner"}
    assert document["bundle"] == str(b.path) and document["rootfs"] == str(b.rootfs)
    assert document["annotations"] == {"org.example.a": "1"} and document["owner"] == "root"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", document["created"])


def test_C6_state_is_indented_by_two(tare, bundle):
    c = tare.create(bundle(args=["/bin/true"]))
    assert tare.call("state", c.id).ok().out.startswith('{\n  "ociVersion": "')


def test_C6_list_forms(tare, bundle):
    a = tare.create(bundle(args=["/bin/true"]), id="aa")
    tare.create(bundle(args=["/bin/true"]), id="bb")
    table = tare.call("list").ok().out.splitlines()
    assert table[0].split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert table[1].split()[:4] == ["aa", str(a.pid), "created", str(a.bundle.path)]
    assert tare.call("list", "--quiet").ok().out == "aa\nbb\n"
    assert tare.call("list", "-q", "-f", "json").ok().out == "aa\nbb\n"
    documents = json.loads(tare.call("list", "-f", "json").ok().out)
    assert [d["id"] for d in documents] == ["aa", "bb"] and documents[0] == a.state()


def test_C6_an_empty_list_is_null(tare):
    tare.root.mkdir()
    assert tare.call("list", "--format=json").ok().out == "null\n"
    assert tare.call("list").ok().out.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]


@pytest.mark.parametrize("args", [["list"], ["list", "-q"], ["features"], ["--help"], ["--version"]])
def test_C6_output_that_cannot_be_written_is_an_error(tare, args, bundle):
    tare.create(bundle(args=["/bin/true"]), id="x")
    with open("/dev/full", "w") as full:
        result = subprocess.run(tare.command(*args), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 1
    assert "write to standard output: no space or no room left (ENOSPC)" in result.stderr


def test_C6_list_in_an_unknown_form(tare):
    tare.root.mkdir()
    assert tare.call("list", "-f", "yaml").fails('list: unknown format "yaml"').log[-1]["hint"] == "it is table or json"


def test_C6_a_broken_record_hides_no_other(tare, bundle):
    tare.create(bundle(args=["/bin/true"]), id="whole")
    broken = tare.root / "broken"
    broken.mkdir()
    (broken / "state.json").write_text("{")
    result = tare.call("list", "-q").ok()
    assert result.out == "whole\n"
    assert [w for w in result.warnings if w.startswith('leave out "broken": ')]
    (broken / "state.json").unlink()
    broken.rmdir()


# ---- spec, features -------------------------------------------------------------------------------------------------


def test_C10_features_is_json_and_needs_no_root(tmp):
    result = cli("--root", tmp / "no", "features")
    document = json.loads(result.stdout)
    assert document["ociVersionMax"] == "1.3.0" and result.stderr == ""
    assert result.stdout.startswith('{\n    "ociVersionMin"')
    assert not (tmp / "no").exists()


def test_C10_features_without_rights(tmp):
    assert json.loads(cli("features", user=65534).stdout)["ociVersionMin"] == "1.0.0"


def test_A1_spec_writes_a_config_that_runs(tare, bundle):
    b = bundle()
    assert cli("spec", "--bundle", b.path).returncode == 0
    b.config = json.loads((b.path / "config.json").read_text())
    b.process["terminal"] = False
    b.process["args"] = ["echo", "from the template"]
    assert tare.run(b).ok().out == "from the template\n"


def test_A1_spec_never_replaces_a_config(tmp):
    (tmp / "config.json").write_text("mine")
    assert refused("spec", cwd=tmp) == [
        'tare-oci: spec: config.json is already there in "."', "hint: remove it first, or give another --bundle"]
    assert (tmp / "config.json").read_text() == "mine"


def test_A1_spec_without_a_bundle(tmp):
    assert refused("spec", "-b", tmp / "no") == [f'tare-oci: spec: open the bundle "{tmp}/no": not there (ENOENT)']


# ---- options of create and run --------------------------------------------------------------------------------------


def test_A1_config_from_another_file(tare, bundle):
    b = bundle(args=["echo", "bundle's"])
    b.write()
    other = tare.work / "other.json"
    other.write_text((b.path / "config.json").read_text().replace("bundle's", "other's"))
    assert tare.run(b, "--config", other).ok().out == "other's\n"
    assert tare.run(b, "-f", other).ok().out == "other's\n"


def test_A1_config_that_is_not_there(tare, bundle):
    result = tare.run(bundle(), "--config", "/nowhere/c.json", id="x")
    result.fails('run "x": open "/nowhere/c.json": not there (ENOENT)')


def test_C3_pid_file_is_whole_and_has_no_newline(tare, bundle):
    path = tare.work / "pid"
    c = tare.create(bundle(args=["/bin/true"]), "--pid-file", path)
    assert path.read_text() == str(c.pid)
    assert stat.S_IMODE(path.stat().st_mode) & ~0o644 == 0
    assert [p.name for p in tare.work.iterdir() if p.name.startswith(".")] == []


def test_C3_pid_file_relative_to_where_we_are(tare, bundle):
    c = tare.create(bundle(args=["/bin/true"]), "--pid-file", "pid", cwd=tare.work)
    assert (tare.work / "pid").read_text() == str(c.pid)


def test_C3_no_pid_file_after_a_failed_create(tare, bundle):
    path = tare.work / "pid"
    result, _ = tare.try_create(bundle(args=["/bin/nothing"]), "--pid-file", path)
    result.fails("no such file or directory")
    assert not path.exists()


def test_Y17_C5_a_config_with_a_misspelt_property_is_warned_about(tare, bundle):
    b = bundle(args=["/bin/true"])
    b.linux["seccompProfile"] = {}
    result = tare.run(b).ok()
    assert any("/linux/seccompProfile" in w and "did you mean /linux/seccomp?" in w for w in result.warnings)


def test_C14_pidfd_socket_gets_a_pidfd_of_init(tare, bundle):
    with ConsoleSocket(tare.work / "pidfd.sock") as sock:
        c = tare.create(bundle(args=["/bin/true"]), "--pidfd-socket", sock.path)
        fd, text = sock.receive()
        assert text == c.id
        fdinfo = open(f"/proc/self/fdinfo/{fd}").read()
        assert re.search(rf"^Pid:\s+{c.pid}$", fdinfo, re.M)


@pytest.mark.only("tare")
def test_C14_F14_pidfd_receiver_gets_a_pidfd_of_init(tare, bundle):
    b = bundle(args=["/bin/true"])
    with ConsoleSocket(tare.work / "pidfd.sock") as sock:
        b.config["annotations"] = {"run.oci.pidfd_receiver": str(sock.path)}
        c = tare.create(b)
        fd, text = sock.receive()
        assert text == c.id
        fdinfo = open(f"/proc/self/fdinfo/{fd}").read()
        assert re.search(rf"^Pid:\s+{c.pid}$", fdinfo, re.M)
    b.config["annotations"] = {"run.oci.pidfd_receiver": "/nowhere/s"}
    result, _ = tare.try_create(b)
    result.fails('connect to the pidfd socket "/nowhere/s"', "/annotations/run.oci.pidfd_receiver")


@pytest.mark.only("tare")
def test_F14_annotations_of_cruns_that_tare_does_not_know_are_warned_of(tare, bundle):
    b = bundle(args=["/bin/true"])
    b.config["annotations"] = {"run.oci.handler": "wasm", "run.oci.keep_original_groups": "0", "org.example": "x"}
    assert tare.run(b).ok().warnings == ['annotation "run.oci.handler" has no effect: tare does not know it']


def test_C14_pidfd_socket_that_is_not_there(tare, bundle):
    result, _ = tare.try_create(bundle(args=["/bin/true"]), "--pidfd-socket", "/nowhere/s")
    result.fails('connect to the pidfd socket "/nowhere/s": not there (ENOENT)')


# ---- inherited files ------------------------------------------------------------------------------------------------


def shell_run(tare, bundle, *options, fds=(), before="", closed=(), script=None):
    """`run` by a shell that opens /dev/null on fds, closes others, and does `before` first."""
    bundle.script(script or "for f in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$f ] && echo $f; done; true").write()
    command = " ".join(tare.command("run", "--bundle", bundle.path, *options, tare.new_id()))
    redirections = [f"{fd}</dev/null" for fd in fds] + [f"{fd}>&-" for fd in closed]
    return subprocess.run(["/bin/sh", "-c", f"{before} exec {command} {' '.join(redirections)}"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)


def test_Z13_Y26_nothing_inherited_reaches_the_container(tare, bundle):
    result = shell_run(tare, bundle(), fds=[3, 5, 9])
    assert (result.returncode, result.stdout) == (0, ""), result


def test_Z13_Y26_nothing_inherited_reaches_a_hook(tare, bundle):
    b, out = bundle(), tare.work / "fds"
    b.hook("createRuntime", "/bin/sh", ["sh", "-c", f"ls /proc/self/fd > {out}"], ["PATH=/bin:/usr/bin"])
    assert shell_run(tare, b, "--preserve-fds", "2", fds=[3, 4, 9]).stdout.split() == ["3", "4"]
    assert out.read_text().split() == ["0", "1", "2", "3"], "3 is what ls lists the directory with"


def test_Z13_Y26_preserved_fds_and_no_others(tare, bundle):
    result = shell_run(tare, bundle(), "--preserve-fds", "2", fds=[3, 4, 5, 9])
    assert result.stdout.split() == ["3", "4"], result


def test_Z13_a_preserved_fd_that_is_not_open(tare, bundle):
    result = shell_run(tare, bundle(), "--preserve-fds", "2", fds=[3, 5])
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["tare-oci: preserve 2 files: fd 4 is not open",
                                          "hint: --preserve-fds and LISTEN_FDS count open files from 3 up"]


def test_Z13_the_log_is_no_preserved_fd(tare, bundle):
    """The program's own first file must not be taken for the caller's fd 3."""
    tare.run(bundle(), "--preserve-fds", "1").fails("preserve 1 files: fd 3 is not open")


@pytest.mark.parametrize("number", ["1048577", "4294967295"])
def test_Z13_more_than_any_process_has(tare, bundle, number):
    tare.run(bundle(), "--preserve-fds", number).fails(f"preserve {number} files: no process can have that many")


def listen(tare, bundle, n, *options, pid="$$", fds=(), names=None):
    """Run with LISTEN_FDS; LISTEN_PID is the runtime's own unless given."""
    variables = f"export LISTEN_FDS={n} LISTEN_PID={pid} {f'LISTEN_FDNAMES={names}' if names else ''};"
    return shell_run(tare, bundle(), *options, fds=fds, before=variables,
                     script="echo $LISTEN_PID/$LISTEN_FDS/$LISTEN_FDNAMES; "
                            "for f in 3 4 5 6; do [ -e /proc/self/fd/$f ] && echo $f; done; true")


def test_Z13_listen_fds_are_handed_on(tare, bundle):
    assert listen(tare, bundle, 2, fds=[3, 4, 5], names="a:b").stdout.split() == ["1/2/a:b", "3", "4"]


def test_Z13_listen_fds_come_before_the_preserved(tare, bundle):
    assert listen(tare, bundle, 1, "--preserve-fds", "2", fds=[3, 4, 5, 6]).stdout.split() == ["1/1/", "3", "4", "5"]


def test_Z13_listen_fds_of_another_process_are_not_ours(tare, bundle):
    assert listen(tare, bundle, 2, pid=1, fds=[3, 4]).stdout.split() == ["//"]


def test_Z13_listen_fds_that_are_not_open(tare, bundle):
    result = listen(tare, bundle, 2, fds=[3])
    assert result.returncode == 1 and "preserve 2 files: fd 4 is not open" in result.stderr


def test_Z13_listen_fds_that_is_no_number(tare, bundle):
    result = listen(tare, bundle, "many")
    assert result.returncode == 1 and 'LISTEN_FDS is "many", which is no number of files' in result.stderr


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_Z13_closed_standard_streams_are_null_and_no_file_of_ours(tare, bundle, closed):
    b = bundle()
    result = shell_run(tare, b, closed=closed, script="for f in 0 1 2; do readlink /proc/$$/fd/$f; done > /data/fds")
    assert result.returncode == 0, result
    links = (b.rootfs / "data/fds").read_text().split()
    for fd in closed:
        # The script's own stdout is its file.
        assert fd == 1 or links[fd] == "/dev/null", links


# ---- the protected copy ---------------------------------------------------------------------------------------------


def syscalls(tare, *args):
    """The system calls of a command that fails early, by strace."""
    trace = tare.fresh("strace")
    subprocess.run(["strace", "-o", trace, *tare.command(*args)], capture_output=True, timeout=60)
    return trace.read_text()


@pytest.mark.no_sanitizer("strace counts the sanitizer's own calls")
@pytest.mark.parametrize("command", ["create", "run"])
def test_X1_create_and_run_execute_a_read_only_copy(tare, command):
    text = syscalls(tare, command, "--bundle", "/nowhere", "x")
    assert len(re.findall(r"^execve", text, re.M)) == 2
    assert re.search(r'^open_tree\(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE', text, re.M)
    assert re.search(r"^mount_setattr\(.*MOUNT_ATTR_RDONLY", text, re.M)
    assert re.search(r"^execveat\(.*AT_EMPTY_PATH\) = 0", text, re.M)


@pytest.mark.no_sanitizer("dynamic programs start another way")
def test_X1_the_copy_is_executed_before_the_c_library_starts(tare):
    first = syscalls(tare, "run", "--bundle", "/nowhere", "x").splitlines()
    assert [line.split("(")[0] for line in first[:4]] == ["execve", "open_tree", "mount_setattr", "execveat"], first[:6]


@pytest.mark.no_sanitizer("dynamic programs start another way")
def test_X1_executed_by_fd_it_is_not_taken_for_the_copy(tare):
    """The entry point believes that; main() looks."""
    trace = tare.fresh("strace")
    program = os.open(tare.command("state", "x")[0], os.O_RDONLY)
    try:
        subprocess.run(["strace", "-o", trace, f"/dev/fd/{program}", "run", "--bundle", "/nowhere", "x"], capture_output=True,
                       timeout=60, pass_fds=[program])
    finally:
        os.close(program)
    assert len(re.findall(r"^execve", trace.read_text(), re.M)) == 2


@pytest.mark.no_sanitizer("strace counts the sanitizer's own calls")
@pytest.mark.parametrize("command", ["state", "kill", "delete", "start"])
def test_X1_commands_that_enter_no_container_do_not(tare, command):
    assert len(re.findall(r"^execve", syscalls(tare, command, "x"), re.M)) == 1


def test_X1_the_created_init_runs_from_the_copy(tare, bundle):
    c = tare.create(bundle(args=["/bin/true"]))
    with pytest.raises(OSError) as refusal:
        os.close(os.open(f"/proc/{c.pid}/exe", os.O_WRONLY))
    assert refusal.value.errno in (26, 30), refusal  # ETXTBSY while it runs, else EROFS
    exe = os.open(f"/proc/{c.pid}/exe", os.O_PATH)
    try:
        assert os.fstatvfs(exe).f_flag & os.ST_RDONLY
        c.delete("--force").ok()
        with pytest.raises(OSError) as refusal:
            os.close(os.open(f"/proc/self/fd/{exe}", os.O_WRONLY))
        # EROFS, also when it is not executed any more; but a test in another lane may execute the file that it is a view of.
        assert refusal.value.errno in (26, 30), refusal
    finally:
        os.close(exe)


@pytest.mark.no_sanitizer("strace counts the sanitizer's own calls")
def test_X1_no_variable_switches_the_protection_off(tare, monkeypatch):
    for name in ("_LIBCONTAINER_CLONED_BINARY", "TARE_PROTECTED", "TARE_CLONED"):
        monkeypatch.setenv(name, "1")
    assert "execveat(" in syscalls(tare, "run", "--bundle", "/nowhere", "x")
