# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine is two programs: which of them does what, and what happens if one is missing."""

import shutil
import subprocess
from pathlib import Path

import pytest

FULL = "tare-full"


@pytest.fixture
def alone(engine, tmp):
    """The engine's static program in a directory where nothing is beside it."""
    if any(Path(prefix, "libexec/tare", FULL).exists() for prefix in ("/usr/local", "/usr")):
        pytest.skip("tare-full is installed on this machine")
    (tmp / "alone").mkdir()
    engine.path = shutil.copy(engine.path, tmp / "alone/tare")
    return engine


def programs_of(engine, tmp, *words):
    """The names of the programs that the kernel was asked to execute, by a command that works."""
    log = tmp / "strace"
    done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", log, *engine.command(*words)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split('"')[1] for line in log.read_text().splitlines() if "exec" in line and line.count('"') >= 2]


def test_a_run_of_an_unpacked_image_stays_in_the_static_program(engine, tmp):
    engine.image()
    assert any(p.endswith(FULL) for p in programs_of(engine, tmp, "run", "--rm", "box", "true"))
    assert not any(p.endswith(FULL) for p in programs_of(engine, tmp, "run", "--rm", "box", "true"))


def test_the_static_program_alone_runs_what_is_unpacked(engine, tmp):
    engine.image()
    engine.run("true").ok()
    (tmp / "alone").mkdir()
    engine.path = shutil.copy(engine.path, tmp / "alone/tare")
    assert engine.sh("echo here").ok().out == "here\n"
    assert engine.containers() == {}


@pytest.mark.parametrize("words", [["images"], ["help"], ["--help"], [], ["no-such-command"], ["--no-such-option"]])
def test_what_is_elsewhere_is_named_if_it_is_missing(alone, words):
    done = subprocess.run(alone.command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "tare-full is neither beside tare nor in " in done.stderr and "make install puts it there" in done.stderr


def test_an_image_to_be_unpacked_needs_the_other(alone):
    alone.image()
    result = alone.run("true")
    assert result.status == 125
    assert "tare-full is neither beside tare nor in " in result.err
    assert alone.containers() == {}


def test_both_say_the_same_version(engine):
    full = Path(engine.path).parent / FULL
    versions = {subprocess.run([p, "--version"], capture_output=True, text=True, check=True).stdout for p in (engine.path, full)}
    assert len(versions) == 1
