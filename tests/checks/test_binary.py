# SPDX-License-Identifier: GPL-2.0-or-later
"""What the static executables must and must not be."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BINARY = REPO / "build/tare-oci"
SIZE_LIMITS = {"tare-oci": 1_105_000, "tare": 1_400_000}

each_program = pytest.mark.parametrize("program", SIZE_LIMITS)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@each_program
def test_it_is_static(program):
    assert "INTERP" not in output("readelf", "--program-headers", REPO / "build" / program)
    assert "NEEDED" not in output("readelf", "--dynamic", REPO / "build" / program)


@each_program
def test_it_is_small(program, tmp_path):
    """As it is installed, without symbols."""
    copy = tmp_path / program
    shutil.copy(REPO / "build" / program, copy)
    subprocess.run(["strip", copy], check=True)
    assert copy.stat().st_size < SIZE_LIMITS[program]


def linked(program):
    """The objects of the C library that are in the program, by the link map."""
    text = (REPO / f"build/{program}.map").read_text()
    members = set(re.findall(r"libc\.a\((\S+)\.o\)", text))
    assert "read" in members and len(members) > 100, "this is no map of a static program"
    return members


@pytest.mark.parametrize("pattern", [r"getpw\w+", r"getgr(nam|gid|ent)\w*", r"getaddrinfo", r"gethst\w+|gethostby\w+",
                                     r"initgroups", r"nss\w*"])
@each_program
def test_it_asks_no_name_service(program, pattern):
    """
    A static glibc program that calls NSS loads libraries of the host at run time: slow, and the container's if it happens
    inside. One call anywhere brings the function into the link.
    """
    assert not [m for m in linked(program) if re.fullmatch(pattern, m)]


@each_program
def test_it_starts_no_thread(program):
    assert "pthread_create" not in linked(program)


def test_version_names_the_commit():
    lines = output(BINARY, "--version").splitlines()
    assert re.fullmatch(r"tare-oci version \d+\.\d+\.\d+", lines[0])
    assert lines[1] == "commit: " + output("git", "-C", REPO, "rev-parse", "--short=12", "HEAD").strip()
    assert lines[2].startswith("spec: ")


def test_what_runs_before_the_c_library_does_not_call_it():
    """memcpy() and the like are found through tables that the library's start-up fills."""
    (entry,) = (REPO / "build/libentry.a.p").glob("*.o")
    wanted = {line.split()[-1] for line in output("nm", "--undefined-only", entry).splitlines()}
    assert wanted == {"_start", "__executable_start", "__init_array_start", "_end"}


def test_what_runs_before_the_c_library_knows_the_commands_that_enter_a_container():
    """Its words are in its code, not in the table, so that they cost no page fault."""
    entry = (REPO / "src/cli/entry.c").read_text()
    body = re.search(r"^static bool enters_container\(.*?^}", entry, re.M | re.S).group()
    known = {word.replace("\\0", "") for word in re.findall(r'WORD\("([^"]*)"\)', body)}
    entering = set()
    for path in (REPO / "src/cli").glob("*/*.c"):
        for command in re.findall(r"^const struct command \w+ = {.*?^};", path.read_text(), re.M | re.S):
            if ".enters_container = true" in command:
                entering.update(re.findall(r'\.name = "(\w+)"', command))
    assert known <= entering, "these would be executed once too often"
    # start is another thing for tare-oci, and restart is slow in any case: these go the long way
    assert entering - known == {"start", "restart"}
