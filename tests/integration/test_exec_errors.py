# SPDX-License-Identifier: GPL-2.0-or-later
"""
Finding and executing the program: what is found, and the words when it is not.

podman and containerd decide by the words between status 127 (not found) and 126 (not executable); so the words are
asserted whole, and that no other error has them.
"""

import os
import subprocess

import pytest

NOT_FOUND = "executable file not found in $PATH"
NO_FILE = "no such file or directory"
DENIED = "permission denied"
# What engines look for. An error has exactly one of them, or none.
WORDS = [NOT_FOUND, NO_FILE, DENIED, "operation not permitted"]

pytestmark = pytest.mark.only("tare")


def fails_with(result, text, word):
    result.fails(text)
    assert [w for w in WORDS if w in result.error] == ([word] if word else []), result.error


def program(b, path, text="#!/bin/sh\necho ran $0\n", mode=0o755):
    file = b.rootfs / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, bytes):
        file.write_bytes(text)
    else:
        file.write_text(text)
    file.chmod(mode)
    return file


def set_path(b, path):
    b.process["env"] = [e for e in b.process["env"] if not e.startswith("PATH=")]
    if path is not None:
        b.process["env"].append("PATH=" + path)
    return b


# ---- not found ---------------------------------------------------------------------------------------------------------

CASES = [
    (["nowhere"], 'exec: "nowhere": executable file not found in $PATH', NOT_FOUND),
    (["/nowhere"], 'exec: "/nowhere": no such file or directory', NO_FILE),
    (["/no/where/at/all"], 'exec: "/no/where/at/all": no such file or directory', NO_FILE),
    (["./nowhere"], 'exec: "./nowhere": no such file or directory', NO_FILE),
    (["bin/nowhere"], 'exec: "bin/nowhere": no such file or directory', NO_FILE),
    (["/etc/passwd/x"], 'exec: "/etc/passwd/x": no such file or directory', NO_FILE),
    (["/etc"], 'exec: "/etc": permission denied', DENIED),
    (["/"], 'exec: "/": permission denied', DENIED),
    (["/etc/passwd"], 'exec: "/etc/passwd": permission denied', DENIED),
    (["/dev/null"], 'exec: "/dev/null": permission denied', DENIED),
    (["/bin/loop"], 'exec: "/bin/loop": too many symbolic links', None),
    (["/bin/dangling"], 'exec: "/bin/dangling": no such file or directory', NO_FILE),
    (["/bin/" + "x" * 300], "File name too long", None),
]


@pytest.mark.parametrize("command", ["run", "create"])
@pytest.mark.parametrize("args, text, word", CASES, ids=[c[0][0][:12] for c in CASES])
def test_P5_Q11_not_found(tare, bundle, args, text, word, command):
    b = bundle(args=args)
    (b.rootfs / "bin/loop").symlink_to("loop")
    (b.rootfs / "bin/dangling").symlink_to("/nowhere")
    if command == "run":
        result = tare.run(b)
    else:
        result, _ = tare.try_create(b)
    if "too long" in text:
        assert "too long" in result.fails().error.lower()
        return
    fails_with(result, text, word)


def test_P5_step_and_pointer_are_in_the_log(tare, bundle):
    record = tare.run(bundle(args=["nowhere"])).fails(NOT_FOUND).log[-1]
    assert record["pointer"] == "/process/args/0" and record["step"] == "find-executable"


# ---- PATH --------------------------------------------------------------------------------------------------------------


def test_P5_path_of_the_container_not_of_the_caller(tare, bundle, tmp):
    (tmp / "only-outside").write_text("#!/bin/sh\n")
    (tmp / "only-outside").chmod(0o755)
    result = tare.run(bundle(args=["only-outside"]), env=dict(os.environ, PATH=f"{tmp}:/usr/bin:/bin"))
    fails_with(result, 'exec: "only-outside"', NOT_FOUND)


def test_P5_first_in_path_wins(tare, bundle):
    b = set_path(bundle(args=["tool"]), "/a:/b:/bin")
    program(b, "a/tool", "#!/bin/sh\necho a\n")
    program(b, "b/tool", "#!/bin/sh\necho b\n")
    assert tare.run(b).ok().out == "a\n"


@pytest.mark.parametrize("kind", ["directory", "not executable", "dangling link"])
def test_P5_what_can_not_be_executed_is_passed_over(tare, bundle, kind):
    b = set_path(bundle(args=["tool"]), "/a:/b:/bin")
    if kind == "directory":
        (b.rootfs / "a/tool").mkdir(parents=True)
    elif kind == "not executable":
        program(b, "a/tool", mode=0o644)
    else:
        (b.rootfs / "a").mkdir()
        (b.rootfs / "a/tool").symlink_to("/nowhere")
    program(b, "b/tool", "#!/bin/sh\necho b\n")
    assert tare.run(b).ok().out == "b\n"


def test_Q11_only_candidate_is_not_executable(tare, bundle):
    b = set_path(bundle(args=["tool"]), "/a:/bin")
    program(b, "a/tool", mode=0o644)
    fails_with(tare.run(b), 'exec: "tool": permission denied', DENIED)


def test_Q11_user_falls_through_to_what_it_may_execute(tare, bundle):
    b = set_path(bundle(args=["tool"]), "/private:/b:/bin")
    program(b, "private/tool", "#!/bin/sh\necho private\n")
    (b.rootfs / "private").chmod(0o700)
    program(b, "b/tool", "#!/bin/sh\necho b\n")
    assert tare.run(b).ok().out == "private\n"
    b.process["user"] = {"uid": 1000, "gid": 1000}
    assert tare.run(b).ok().out == "b\n"


def test_Q11_user_may_execute_none(tare, bundle):
    b = set_path(bundle(args=["tool"]), "/private:/bin")
    program(b, "private/tool", mode=0o700)
    b.process["user"] = {"uid": 1000, "gid": 1000}
    fails_with(tare.run(b), 'exec: "tool": permission denied', DENIED)


def test_P5_path_absent_is_the_default(tare, bundle):
    b = set_path(bundle(args=["echo", "x"]), None)
    assert tare.run(b).ok().out == "x\n"


@pytest.mark.parametrize("path", ["", ":/nowhere", "/nowhere:", "/nowhere::/else", "."])
def test_P5_empty_entry_is_the_working_directory(tare, bundle, path):
    b = set_path(bundle(args=["tool"]), path)
    program(b, "work/tool")
    b.process["cwd"] = "/work"
    assert tare.run(b).ok().out.startswith("ran ")


# ---- with a slash --------------------------------------------------------------------------------------------------------


def test_P5_relative_to_cwd(tare, bundle):
    b = bundle(args=["./tool"])
    program(b, "work/tool")
    b.process["cwd"] = "/work"
    assert tare.run(b).ok().out == "ran ./tool\n"


def test_P5_in_a_directory_below_cwd(tare, bundle):
    b = bundle(args=["sub/tool"])
    program(b, "work/sub/tool")
    b.process["cwd"] = "/work"
    assert tare.run(b).ok().out == "ran sub/tool\n"


def test_P5_absolute_link_is_the_containers(tare, bundle):
    b = bundle(args=["/link"])
    program(b, "opt/tool")
    (b.rootfs / "link").symlink_to("/opt/tool")
    assert tare.run(b).ok().out == "ran /link\n"


# ---- found, but execve refuses --------------------------------------------------------------------------------------------


def test_P5_interpreter_is_missing(tare, bundle):
    b = bundle(args=["/tool"])
    program(b, "tool", "#!/no/such/interpreter\n")
    result = tare.run(b)
    fails_with(result, 'exec: "/tool": no such file or directory', NO_FILE)
    assert "interpreter" in result.err


def test_P5_not_a_program(tare, bundle):
    b = bundle(args=["/tool"])
    program(b, "tool", b"\x7fELF\2\1\1\0garbage")
    fails_with(tare.run(b), 'exec: "/tool": exec format error', None)


def test_P5_empty_file(tare, bundle):
    b = bundle(args=["/tool"])
    program(b, "tool", "")
    fails_with(tare.run(b), 'exec: "/tool": exec format error', None)


def test_P5_noexec_mount(tare, bundle):
    b = bundle(args=["/mnt/tool"])
    program(b, "src/tool")
    (b.path / "src").mkdir()
    program_file = b.path / "src/tool"
    program_file.write_text("#!/bin/sh\n")
    program_file.chmod(0o755)
    b.mount("/mnt", "bind", b.path / "src", ["bind", "noexec"])
    fails_with(tare.run(b), 'exec: "/mnt/tool": permission denied', DENIED)


def test_P5_user_may_not_execute_it(tare, bundle):
    b = bundle(args=["/tool"])
    program(b, "tool", mode=0o700)
    b.process["user"] = {"uid": 1000, "gid": 1000}
    fails_with(tare.run(b), 'exec: "/tool": permission denied', DENIED)


def test_P5_arguments_too_long(tare, bundle):
    b = bundle(args=["/bin/true"] + ["x" * 130000] * 60)
    result = tare.run(b)
    fails_with(result, 'exec: "/bin/true"', None)
    assert "too long together" in result.err


def test_P7_too_many_processes_of_the_user(tare, bundle):
    b = bundle(args=["/bin/true"])
    b.process["user"] = {"uid": 54321, "gid": 54321}
    b.process["rlimits"] = [{"type": "RLIMIT_NPROC", "soft": 0, "hard": 0}]
    other = subprocess.Popen(["sleep", "30"], user=54321)
    try:
        result = tare.run(b)
    finally:
        other.kill()
        other.wait()
    fails_with(result, 'exec: "/bin/true"', None)
    assert "RLIMIT_NPROC" in result.err


# ---- create and start ------------------------------------------------------------------------------------------------------


def test_Z9_error_of_execve_is_starts(tare, bundle):
    b = bundle(args=["/tool"])
    program(b, "tool", "#!/no/such/interpreter\n")
    c = tare.create(b)
    fails_with(c.start(), 'exec: "/tool": no such file or directory', NO_FILE)
    c.wait("stopped")


def test_Z10_no_pid_file_after_a_failed_create(tare, bundle, tmp):
    result, _ = tare.try_create(bundle(args=["nowhere"]), "--pid-file", tmp / "pid")
    fails_with(result, NOT_FOUND, NOT_FOUND)
    assert not (tmp / "pid").exists()


def test_Y20_create_without_process_then_start(tare, bundle):
    b = bundle()
    del b.config["process"]
    c = tare.create(b)
    assert c.status == "created"
    c.start().fails("without a process", "/process")
    assert c.status == "created"
    c.delete("--force").ok()


def test_Y20_run_without_process(tare, bundle):
    b = bundle()
    del b.config["process"]
    tare.run(b).fails("without a process", "/process")


# ---- our own errors never sound like the program's ---------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    lambda b: b.process.update(cwd="/etc/passwd"),
    lambda b: b.mount("/mnt", "bind", "/no/such/source", ["bind"]),
    lambda b: b.config["root"].update(path="nowhere"),
    lambda b: b.hook("createRuntime", "/no/such/hook"),
    lambda b: b.hook("createRuntime", "/etc/passwd"),
    lambda b: b.hook("createContainer", "/no/such/hook"),
    lambda b: b.namespace("network", "/no/such/namespace"),
    lambda b: b.linux.update(sysctl={"kernel.shm_rmid_forced": "no"}),
], ids=["cwd", "source", "rootfs", "hook", "hook that is no program", "container hook", "namespace", "sysctl"])
def test_errors_of_ours_have_words_of_their_own(tare, bundle, change):
    b = bundle()
    change(b)
    fails_with(tare.run(b), "", None)
