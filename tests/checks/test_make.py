# SPDX-License-Identifier: GPL-2.0-or-later
"""The front door: what `make install`, `make clean`, `make help` and the lists beside the Makefile promise."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BUILD = REPO / "build"
PROGRAMS = ("tare-oci", "tare")
BESIDE = ("tare-full", "tare-init", "tare-monitor")


def make(*arguments, cwd=REPO):
    # A make above us would hand its own options down.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX", "BUILD")}
    return subprocess.run(["make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=True).stdout


def files_below(directory):
    return {str(p.relative_to(directory)): oct(p.stat().st_mode & 0o777) for p in directory.rglob("*") if p.is_file()}


@pytest.fixture
def prefix_kept():
    yield
    subprocess.run(["meson", "configure", BUILD, "--prefix", "/usr/local"], check=True, stdout=subprocess.DEVNULL)


def test_install_goes_to_prefix_below_destdir(tmp_path, prefix_kept):
    make("install", "PREFIX=/opt/weight", f"DESTDIR={tmp_path}")
    assert files_below(tmp_path) == {
        **{f"opt/weight/bin/{name}": "0o755" for name in PROGRAMS},
        **{f"opt/weight/libexec/tare/{name}": "0o755" for name in BESIDE},
        **{f"opt/weight/share/man/man8/{name}.8": "0o644" for name in PROGRAMS}}
    assert not Path("/opt/weight").exists()
    for name in PROGRAMS:
        version = subprocess.run([tmp_path / "opt/weight/bin" / name, "--version"], capture_output=True, text=True, check=True)
        assert version.stdout.startswith(f"{name} version ")
        assert (tmp_path / f"opt/weight/share/man/man8/{name}.8").read_text().count("\n.SH ") > 5


def test_install_takes_a_relative_destdir_from_where_make_runs(tmp_path):
    relative = os.path.relpath(tmp_path, REPO)
    make("install", f"DESTDIR={relative}")
    assert set(files_below(tmp_path)) == {
        *(f"usr/local/{place}" for name in PROGRAMS for place in (f"bin/{name}", f"share/man/man8/{name}.8")),
        *(f"usr/local/libexec/tare/{name}" for name in BESIDE)}


def test_clean_removes_what_was_built_and_nothing_else(tmp_path):
    shutil.copy(REPO / "Makefile", tmp_path)
    for name in ("build", "build-asan", "builder"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    make("clean", cwd=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Makefile", "builder"]


def test_help_names_every_target():
    makefile = (REPO / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M).group(1).split())
    named = {line.split()[1] for line in make("help").splitlines() if line.startswith("make ") and line.split()[1] in targets}
    assert targets - named == {"all", "packages"}


def test_readme_names_the_targets_that_a_newcomer_needs():
    readme = (REPO / "README.md").read_text()
    assert all(f"make {target}" in readme for target in ("run", "test", "install", "help"))


def test_every_library_has_its_licence_named():
    """docs/licences.md has a row for each library that the build asks for, and no row for another."""
    asked = set()
    for name in subprocess.run(["git", "ls-files", "*meson.build"], cwd=REPO, capture_output=True, text=True,
                               check=True).stdout.split():
        text = (REPO / name).read_text()
        asked |= set(re.findall(r"\bdependency\('([\w-]+)'", text))
        asked |= {word for call in re.findall(r"find_library\((.*?)\)", text) for word in re.findall(r"'([\w-]+)'", call)}
    asked = {name.removesuffix("_s") for name in asked - {"m"}}  # libm is a part of glibc
    rows = [line.split("|")[1].split()[0] for line in (REPO / "docs/licences.md").read_text().splitlines()
            if line.startswith("| ") and not line.startswith("| library")]
    assert {row.removeprefix("lib") for row in rows} == {name.removeprefix("lib") for name in asked} | {"glibc"}


def test_every_package_is_named_once():
    lines = [line.split("#")[0].strip() for line in (REPO / "packages.txt").read_text().splitlines()]
    names = [line for line in lines if line]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names)
