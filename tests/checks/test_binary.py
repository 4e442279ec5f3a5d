# SPDX-License-Identifier: GPL-2.0-or-later
"""What the one executable must and must not be."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BINARY = REPO / "build/tare-oci"
SIZE_LIMIT = 1_105_000


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_is_static():
    assert "INTERP" not in output("readelf", "--program-headers", BINARY)
    assert "NEEDED" not in output("readelf", "--dynamic", BINARY)


def test_it_is_small(tmp_path):
    """As it is installed, without symbols."""
    copy = tmp_path / "tare-oci"
    shutil.copy(BINARY, copy)
    subprocess.run(["strip", copy], check=True)
    assert copy.stat().st_size < SIZE_LIMIT


def linked():
    """The objects of the C library that are in the program, by the link map."""
    text = (REPO / "build/tare-oci.map").read_text()
    members = set(re.findall(r"libc\.a\((\S+)\.o\)", text))
    assert "read" in members and len(members) > 100, "this is no map of a static program"
    return members


@pytest.mark.parametrize("pattern", [r"getpw\w+", r"getgr(nam|gid|ent)\w*", r"getaddrinfo", r"gethst\w+|gethostby\w+",
                                     r"initgroups", r"nss\w*"])
def test_it_asks_no_name_service(pattern):
    """
    A static glibc program that calls NSS loads libraries of the host at run time: slow, and the container's if it happens
    inside. One call anywhere brings the function into the link.
    """
    assert not [m for m in linked() if re.fullmatch(pattern, m)]


def test_it_starts_no_thread():
    assert "pthread_create" not in linked()


def test_version_names_the_commit():
    lines = output(BINARY, "--version").splitlines()
    assert re.fullmatch(r"tare-oci version \d+\.\d+\.\d+", lines[0])
    assert lines[1] == "commit: " + output("git", "-C", REPO, "rev-parse", "--short=12", "HEAD").strip()
    assert lines[2].startswith("spec: ")


def test_what_runs_before_the_c_library_does_not_call_it():
    """memcpy() and the like are found through tables that the library's start-up fills."""
    (entry,) = (REPO / "build/libentry.a.p").glob("*.o")
    wanted = {line.split()[-1] for line in output("nm", "--undefined-only", entry).splitlines()}
    assert wanted == {"_start", "commands", "__executable_start", "__init_array_start", "_end"}
