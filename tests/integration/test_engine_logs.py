# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of containers in the background: docker's json-file by its bytes, and `tare logs`."""

import re
import subprocess
import time

import pytest

from support.background import start, until

LINE = re.compile(r'\{"log":"(?:[^"\\]|\\.)*","stream":"(?:stdout|stderr)","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{0,8}[1-9])?Z"\}\n')


@pytest.fixture
def box(engine):
    engine.image()
    return engine


def ended(box, script, *options):
    """One that has run this, and whose monitor is gone."""
    c = start(box, script, *options)
    c.wait()
    return c.settle()


# ---- the file ---------------------------------------------------------------------------------------------------------------


def test_each_line_is_dockers(box):
    c = ended(box, "echo out; echo err >&2; printf part")
    text = c.log_path.read_text()
    assert re.fullmatch(f"(?:{LINE.pattern})+", text), text
    assert {(e["log"], e["stream"]) for e in c.entries()} == {("out\n", "stdout"), ("err\n", "stderr"), ("part", "stdout")}


@pytest.mark.parametrize("written, logged", [
    (r"a\tb\r", r"a\u0009b\r\n"),
    (r'<a href="x">\\&', r'\u003ca href=\"x\"\u003e\\\u0026\n'),
    (r"\033[1m\177", "\\u001b[1m\x7f\\n"),
    (r"gr\303\274n \342\202\254 \360\237\220\263", "grün € 🐳\\n"),
    (r"\342\200\250\342\200\251", r"\u2028\u2029\n"),
    (r"\377\303 \355\240\200", r"\ufffd\ufffd \ufffd\ufffd\ufffd\n"),
])
def test_escapes_are_dockers(box, written, logged):
    c = ended(box, f"printf '%b\\n' '{written}'")
    assert c.log_path.read_text().startswith('{"log":"' + logged + '","stream":"stdout"')


def test_a_line_of_several_writes_is_one_entry(box):
    c = ended(box, "printf one; sleep 0.1; printf two; sleep 0.1; echo three")
    assert [e["log"] for e in c.entries()] == ["onetwothree\n"]


def test_a_line_longer_than_16_kib_is_split_as_dockers_is(box):
    c = ended(box, "printf %040000d 0; echo; echo end")
    entries = c.entries()
    assert [len(e["log"]) for e in entries[:3]] == [16384, 16384, 40000 - 2 * 16384 + 1]
    assert len({e["time"] for e in entries[:3]}) == 1, "parts of one line have one time"
    assert entries[3]["log"] == "end\n"
    assert box.call("logs", c.id).ok().out == "0" * 40000 + "\nend\n"


def test_no_character_is_cut_in_two(box):
    c = ended(box, "printf x; i=0; while [ $i -lt 9000 ]; do printf 'ü'; i=$((i+1)); done; echo")
    assert "".join(e["log"] for e in c.entries()) == "x" + "ü" * 9000 + "\n"


def test_rotation_keeps_so_many_files_of_that_size(box):
    c = ended(box, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done", "--log-opt", "max-size=10k", "--log-opt",
              "max-file=3")
    files = sorted(p.name for p in c.directory.glob("*-json.log*"))
    assert files == [f"{c.id}-json.log", f"{c.id}-json.log.1", f"{c.id}-json.log.2"]
    for name in files[1:]:
        assert 10 * 1024 <= (c.directory / name).stat().st_size < 10 * 1024 + 200
    numbers = [int(e["log"].split()[1]) for e in c.entries()]
    assert numbers == list(range(numbers[0], 2000)) and numbers[0] > 1500
    assert box.call("logs", c.id).ok().out == "".join(f"line {n}\n" for n in numbers)


def test_one_file_begins_anew(box):
    c = ended(box, "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done", "--log-opt", "max-size=4k", "--log-opt",
              "max-file=1")
    assert [p.name for p in c.directory.glob("*-json.log*")] == [c.log_path.name]
    assert c.entries()[-1]["log"] == "line 499\n"


def test_no_log(box):
    c = ended(box, "echo x", "--log-driver", "none")
    assert not list(c.directory.glob("*.log*"))
    box.call("logs", c.id).fails(f"container {c.id[:12]} has no log: it was run with --log-driver none")


def test_a_full_disk_does_not_hold_it_up(box, tmp):
    """The store is on a small tmpfs. What is lost is counted and told, and the end is recorded all the same."""
    box.root = tmp / "small"
    box.root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", box.root], check=True)
    try:
        box.layout.path = box.root / "images"
        box.image()
        c = start(box, "n=0; trap n=1 USR1; trap n=2 USR2; echo first; while [ $n -lt 1 ]; do sleep 0.05; done; i=0;"
                  " while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done; : >/written; while [ $n -lt 2 ]; do sleep 0.05; done; echo last; exit 3")
        until(lambda: c.log_path.exists() and c.entries(), "the first line")
        with open(box.root / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        c.call("kill", "-s", "USR1").ok()
        until(lambda: (c.directory / "upper/written").exists(), "the container's writing")
        time.sleep(0.2)
        (box.root / "filler").unlink()
        c.call("kill", "-s", "USR2").ok()
        assert c.wait() == 3
        c.settle()
        told = [e for e in c.entries() if "bytes of output are missing here: no space left on the device" in e["log"]]
        # more than one where something fits into the last page in between
        assert told and {e["stream"] for e in told} == {"stderr"} and c.entries()[-1]["log"] == "last\n"
        lost = sum(int(e["log"].split()[1]) for e in told)
        assert c.record()["logDropped"] == lost > 0
        assert f"tare: {lost} bytes of output could not be logged\n" in box.call("logs", c.id).ok().err
        box.call("rm", c.id).ok()
    finally:
        subprocess.run(["umount", box.root], check=True)


# ---- tare logs ----------------------------------------------------------------------------------------------------------------


def test_logs_goes_to_the_streams_it_came_from(box):
    c = ended(box, "echo out; echo err >&2; printf end", "--name", "box")
    result = box.call("logs", "box").ok()
    assert (result.out, result.err) == ("out\nend", "err\n")


def test_tail_and_timestamps(box):
    c = ended(box, "for i in 1 2 3 4 5; do echo $i; done")
    assert box.call("logs", "--tail", "2", c.id).ok().out == "4\n5\n"
    assert box.call("logs", "-n", "0", c.id).ok().out == ""
    assert box.call("logs", "--tail", "all", c.id).ok().out == "1\n2\n3\n4\n5\n"
    lines = box.call("logs", "-t", c.id).ok().out.splitlines()
    assert [re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (\d)", line).group(1) for line in lines] == list("12345")
    box.call("logs", "--tail", "some", c.id).fails('--tail "some" is neither a number nor all')


def test_since_and_until(box):
    c = ended(box, "echo one; sleep 1.2; echo two")
    second = c.entries()[1]["time"]
    assert box.call("logs", "--since", second, c.id).ok().out == "two\n"
    assert box.call("logs", "--until", second, c.id).ok().out == "one\n"
    assert box.call("logs", "--since", "1h", c.id).ok().out == "one\ntwo\n"
    assert box.call("logs", "--since", "1", "--until", "2020-01-01", c.id).ok().out == ""
    result = box.call("logs", "--since", "yesterday", c.id).fails('--since "yesterday" is no time')
    assert "10m means ten minutes ago" in result.err


def test_tail_reaches_into_older_files(box):
    c = ended(box, "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done", "--log-opt", "max-size=4k", "--log-opt",
              "max-file=10")
    assert box.call("logs", "--tail", "150", c.id).ok().out == "".join(f"line {n}\n" for n in range(150, 300))


def test_follow_until_its_end_across_rotations(box):
    c = start(box, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); [ $((i%500)) -ne 0 ] || sleep 0.1; done; exit 2",
              "--log-opt", "max-size=20k", "--log-opt", "max-file=5")
    assert box.call("logs", "--follow", c.id).ok().out == "".join(f"line {n}\n" for n in range(3000))


def test_follow_shows_a_line_when_it_is_written(box):
    c = start(box, "echo one; sleep 100")
    with subprocess.Popen(box.command("logs", "-f", c.id), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "one\n"
        c.call("stop", "-t", "0").ok()
        assert process.stdout.read() == ""
        assert process.wait(timeout=20) == 0


def test_of_one_in_the_foreground_there_is_no_log(box):
    box.call("run", "--name", "fore", "box", "echo", "x").ok()
    result = box.call("logs", "fore").fails("was run in the foreground: what it wrote went there")
    assert "tare run --detach keeps a log" in result.err
