# SPDX-License-Identifier: GPL-2.0-or-later
"""The log: what engines decode, what conmon reads from standard error, and where it may go."""

import json
import os
import re
import stat
import subprocess
import threading

import pytest

from support.runtime import binary

pytestmark = pytest.mark.only("tare")

RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)"


def cli(*args, **kw):
    return subprocess.run([binary(), *map(str, args)], capture_output=True, text=True, timeout=60, **kw)


@pytest.fixture
def broken(bundle):
    """A bundle whose config is refused, with a pointer and a hint to give."""
    b = bundle()
    b.config["root"] = {"path": "nowhere"}
    b.write()
    return b


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_broken(tmp, broken, *globals, **kw):
    return cli("--root", tmp / "root", *globals, "run", "--bundle", broken.path, "x", **kw)


def test_C4_the_record_is_runcs_and_says_more(tmp, broken):
    log = tmp / "log"
    run_broken(tmp, broken, "--log", log, "--log-format", "json")
    (record,) = records(log)
    assert list(record)[:3] == ["level", "msg", "time"]
    assert record["level"] == "error"
    assert record["msg"].startswith('run "x": ') and '"nowhere"' in record["msg"]
    assert re.fullmatch(RFC3339, record["time"])
    assert record["code"] == "ENOENT" and record["pointer"] == "/root/path"


def test_C4_an_error_of_the_child_arrives_whole(tare, bundle, tmp):
    """It is filled in the container's process and read in ours: kind, step, place, hint and the chain come across."""
    b = bundle()
    b.mount("/data", "nosuchfs", "none")
    b.write()
    index = len(b.config["mounts"]) - 1
    plan = json.loads(tare.call("explain", "--bundle", b.path, "--format", "json", "x").ok().out)
    step = next(s for s in plan["steps"] if s["pointer"] == f"/mounts/{index}" and s["kind"] == "mount")
    assert step["who"] == "child"
    cli("--root", tmp / "root", "--log", tmp / "log", "--log-format", "json", "run", "--bundle", b.path, "x")
    record = records(tmp / "log")[-1]
    assert (record["kind"], record["code"], record["step"]) == ("system", "ENODEV", "mount")
    assert record["pointer"] == f"/mounts/{index}"
    assert record["msg"].startswith('run "x": ') and 'mount "nosuchfs" on "/data": ' in record["msg"]
    assert record["msg"].endswith(f"(config.json /mounts/{index})")
    assert record["hint"] == 'this kernel has no filesystem type "nosuchfs", or its module is not loaded'


def test_C4_the_same_text_is_on_stderr(tmp, broken):
    log = tmp / "log"
    result = run_broken(tmp, broken, "--log", log, "--log-format=json")
    assert result.stderr.splitlines()[0] == "tare-oci: " + records(log)[-1]["msg"]
    assert result.stdout == "" and result.returncode == 1


def test_C4_text_records_are_logrus_shaped(tmp, broken):
    log = tmp / "log"
    run_broken(tmp, broken, "--log", log, "--log-format", "text")
    assert re.fullmatch(rf'time="{RFC3339}" level=error msg="run \\"x\\": .*"\n', log.read_text())


def test_C4_text_is_the_default(tmp, broken):
    run_broken(tmp, broken, "--log", tmp / "log")
    assert (tmp / "log").read_text().startswith('time="')


def test_C4_json_without_a_file_goes_to_stderr(tmp, broken):
    record = json.loads(run_broken(tmp, broken, "--log-format", "json").stderr)
    assert record["level"] == "error" and record["msg"].startswith('run "x": ')


def test_C4_a_usage_error_is_logged(tmp):
    cli("--log", tmp / "log", "--log-format", "json", "create", "--nope")
    (record,) = records(tmp / "log")
    assert record["msg"] == 'create: unknown option "--nope"' and record["kind"] == "user"


def test_C4_an_unknown_command_is_logged(tmp):
    cli("--log", tmp / "log", "--log-format", "json", "checkpiont", "x")
    record = records(tmp / "log")[-1]
    assert record["msg"] == 'unknown command "checkpiont"' and record["hint"] == "did you mean checkpoint?"


def test_C4_success_leaves_an_empty_log(tmp):
    cli("--log", tmp / "log", "--log-format", "json", "features")
    assert (tmp / "log").read_text() == ""


def test_C4_an_unknown_format(tmp):
    result = cli("--log", tmp / "log", "--log-format", "xml", "features")
    assert result.returncode == 1
    assert result.stderr == 'tare-oci: unknown log format "xml"\nhint: it is text or json\n'


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_C4_debug_says_what_is_decided(tmp, log_format):
    cli("--debug", "--log", tmp / "log", "--log-format", log_format, "features")
    assert "features" in (tmp / "log").read_text() and "debug" in (tmp / "log").read_text()


def test_C4_debug_follows_a_run(tare, bundle):
    id = tare.new_id()
    result = tare.run(bundle(script="exit 3"), id=id, globals=["--debug"])
    said = result.messages("debug")
    assert result.status == 3 and result.err == ""
    assert re.fullmatch(rf'tare-oci \S+ \(\S+\): run, root "{tare.root}"', said[0])
    assert re.fullmatch(r"planned \d+ steps with \d+ slots", said[1])
    assert re.fullmatch(rf'"{id}" is process \d+', said[2])
    assert said[3] == f'"{id}" ended with status 3'


def test_Y17_C4_warnings_are_in_the_log_and_not_on_stderr(tare, bundle):
    b = bundle(args=["/bin/true"])
    b.config["nonsense"] = 1
    result = tare.run(b).ok()
    assert [w for w in result.warnings if w.startswith("ignore /nonsense: ")]
    assert result.err == ""


def test_C4_without_a_log_warnings_are_on_stderr(tmp, bundle):
    b = bundle(args=["/bin/true"])
    b.config["nonsense"] = 1
    b.write()
    result = cli("--root", tmp / "root", "run", "--bundle", b.path, "x")
    assert result.returncode == 0
    assert result.stderr.startswith("tare-oci: warning: ignore /nonsense: ")
    os.rmdir(tmp / "root")


def test_Z16_records_are_appended(tmp):
    log = tmp / "log"
    log.write_text('{"level":"info","msg":"earlier","time":"2026-01-01T00:00:00Z"}\n')
    cli("--log", log, "--log-format", "json", "state", "x")
    cli("--log", log, "--log-format", "json", "state", "y")
    assert [r["msg"].split(":")[0] for r in records(log)] == ["earlier", 'state "x"', 'state "y"']


def test_Z16_a_new_log_is_0644(tmp):
    cli("--log", tmp / "log", "features", umask=0)
    assert stat.S_IMODE((tmp / "log").stat().st_mode) == 0o644


def test_Z16_a_symbolic_link_is_followed(tmp):
    (tmp / "log").symlink_to(tmp / "real")
    cli("--log", tmp / "log", "state", "x")
    assert 'state \\"x\\"' in (tmp / "real").read_text() and (tmp / "log").is_symlink()


def test_Z16_a_fifo_that_nobody_reads_does_not_hang_us(tmp):
    os.mkfifo(tmp / "log")
    result = cli("--log", tmp / "log", "state", "x")
    assert result.returncode == 1
    assert result.stderr.startswith(f'tare-oci: open log "{tmp}/log": ')
    assert "hint: it is a FIFO that nobody reads" in result.stderr


def test_Z16_a_fifo_with_a_reader_gets_the_record(tmp):
    os.mkfifo(tmp / "log")
    reader = os.open(tmp / "log", os.O_RDONLY | os.O_NONBLOCK)
    try:
        cli("--log", tmp / "log", "--log-format", "json", "state", "x")
        assert json.loads(os.read(reader, 65536))["msg"].startswith('state "x": ')
    finally:
        os.close(reader)


def test_Z16_a_full_fifo_does_not_hang_us(tmp):
    os.mkfifo(tmp / "log")
    reader = os.open(tmp / "log", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp / "log", os.O_WRONLY | os.O_NONBLOCK)
    try:
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            pass
        assert cli("--log", tmp / "log", "state", "x").returncode == 1
    finally:
        os.close(reader)
        os.close(writer)


def test_Z16_a_log_that_cannot_be_opened(tmp):
    result = cli("--log", tmp / "no/log", "features")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == f'tare-oci: open log "{tmp}/no/log": not there (ENOENT)\n'


def test_Z16_the_log_is_not_open_in_the_container(tare, bundle):
    b = bundle(script="ls -l /proc/self/fd /proc/1/fd")
    assert "log" not in tare.run(b).ok().out


def test_Z16_the_log_is_not_open_in_a_hook(tare, bundle):
    b = bundle(args=["/bin/true"])
    out = tare.work / "fds"
    b.hook("createRuntime", "/bin/sh", ["sh", "-c", f"ls -l /proc/self/fd > {out}"], ["PATH=/bin:/usr/bin"])
    tare.run(b).ok()
    numbers = re.findall(r" (\d+) -> ", out.read_text())
    # 3 is what ls lists the directory with.
    assert numbers == ["0", "1", "2", "3"], out.read_text()


def test_C4_records_of_many_at_once_do_not_mix(tmp):
    log = tmp / "log"
    threads = [threading.Thread(target=cli, args=("--log", log, "--log-format", "json", "state", f"c{i}"))
               for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r["msg"].split('"')[1] for r in records(log)) == sorted(f"c{i}" for i in range(12))


def test_C4_bytes_that_are_no_text_stay_json(tmp):
    log = tmp / "log"
    subprocess.run([binary(), "--log", log, "--log-format", "json", "state", b"a\xff\x01\"\n"], capture_output=True)
    assert "invalid container id" in records(log)[-1]["msg"]
