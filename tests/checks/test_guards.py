# SPDX-License-Identifier: GPL-2.0-or-later
"""
Guards (base/guard.h): each is used, has an attack that fails because of it, and a row in docs/security.md, which also has the seven
layers; and in what is shipped there is nothing of the switch that takes them away.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BINARY = REPO / "build/tare-oci"
UNGUARDED = REPO / "build-unguarded/tare-oci"
DOC = REPO / "docs/security.md"
ATTACK = re.compile(r'@pytest\.mark\.guard\("(\w+)"\)(?:\n@[^\n]*)*\ndef (test_\w+)\(')


def guards():
    return re.findall(r"^\tX\((\w+)\)", (REPO / "src/base/guard.h").read_text(), re.M)


def attacks():
    """{guard: names of the tests}"""
    found = {}
    for path in (REPO / "tests/integration").glob("test_*.py"):
        for guard, name in ATTACK.findall(path.read_text()):
            found.setdefault(guard, set()).add(name)
    return found


def rows():
    """{guard: names of the tests}, by the table; a row without a guard goes on with the one above."""
    found, guard = {}, None
    for line in DOC.read_text().splitlines():
        row = re.match(r"\| (?:`(\w+)` )?\|.*\| (?:`(test_\w+)`) \|$", line)
        if row:
            guard = row[1] or guard
            found.setdefault(guard, set()).add(row[2])
    return found


def test_the_list_is_read():
    assert len(guards()) >= 18 and "in_root" in guards()


def test_every_guard_is_in_the_code():
    text = "".join(p.read_text() for p in (REPO / "src").rglob("*.c"))
    assert set(re.findall(r"\bGUARD\((\w+)\)", text)) == set(guards())


def test_every_guard_has_an_attack_and_a_row_and_the_other_way_round():
    assert set(attacks()) == set(guards())
    assert rows() == attacks()


def test_security_md_names_what_exists():
    """Functions as `name` (file below src/), tests by their names."""
    text = DOC.read_text()
    tests = "".join(p.read_text() for p in (REPO / "tests/integration").glob("test_*.py"))
    missing = [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests]
    for function, file in re.findall(r"`(\w+)` \(([\w/]+\.c)\)", text):
        if not re.search(rf"\b{function}\(", (REPO / "src" / file).read_text()):
            missing.append(f"{function} in {file}")
    assert not missing, missing


def test_every_layer_has_its_row():
    layers = set(re.findall(r"^def (test_\w+)\(", (REPO / "tests/integration/test_seven_layers.py").read_text(), re.M))
    assert len(layers) == 7
    assert set(re.findall(r"\| `(test_\w+_layer_\w+)` \|$", DOC.read_text(), re.M)) == layers


def test_every_row_of_the_escapes_is_in_security_md():
    map_rows = set(re.findall(r"^\| (X-\d+) \|", (REPO / "docs/spec-map.md").read_text(), re.M))
    assert set(re.findall(r"\bX-\d+\b", DOC.read_text())) == map_rows


def advisories(text):
    """CVE-2019-19921, 2023-27561: the numbers."""
    return set(re.findall(r"\b(20\d\d-\d{4,5})\b", text))


def test_every_advisory_of_the_spec_map_is_in_security_md():
    named = advisories("".join(re.findall(r"^\| X-\d+ \|.*", (REPO / "docs/spec-map.md").read_text(), re.M)))
    assert len(named) >= 22
    assert named <= advisories(DOC.read_text())


def test_an_attack_names_the_advisories_of_its_row():
    text = "".join(p.read_text() for p in (REPO / "tests/integration").glob("test_attacks*.py"))
    wrong = []
    for line in DOC.read_text().splitlines():
        test = re.search(r"`(test_X\w+)`", line)
        if not test:
            continue
        # From the end of the test before it, so that decorators count.
        source = re.search(rf"(?:^|\n\n\n)((?:(?!\n\n\n)[\s\S])*?def {test[1]}\([\s\S]*?)(?=\n\n\n|\Z)", text)
        if missing := advisories(line) - advisories(source[1]):
            wrong.append(f"{test[1]}: {missing}")
    assert not wrong, wrong


def test_every_row_of_security_has_a_test_or_a_reason():
    """Section 4 of the requirements: X, M, Q, K and Z."""
    lines = re.findall(r"^\| ([XMQKZ]-\d+) \| .*? \| (.*?) \| (.*?) \|$", (REPO / "docs/spec-map.md").read_text(), re.M)
    assert len(lines) >= 106
    bare = [row for row, functions, tests in lines if not tests.strip() and ("`" in functions or len(functions.split()) < 3)]
    assert not bare, bare


def test_what_is_shipped_has_no_switch():
    program = BINARY.read_bytes()
    assert b"UNSAFE_GUARD" not in program and b"UNSAFE" not in program
    # Words that are used for nothing else.
    assert not [g for g in guards() if "_" in g and b"\0" + g.encode() + b"\0" in program]


@pytest.mark.skipif(not UNGUARDED.exists(), reason="no build whose guards can be removed (build-unguarded)")
def test_the_build_without_guards_says_so():
    def run(**env):
        return subprocess.run([UNGUARDED, "--version"], env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert "unsafe: guards can be removed" in run().stdout and "UNSAFE: this build is for tests only" in run().stderr
    assert "UNSAFE: the guard in_root is removed" in run(TARE_UNSAFE_GUARD="in_root").stderr
    wrong = run(TARE_UNSAFE_GUARD="in_toor")
    assert wrong.returncode == 1 and 'there is no guard "in_toor"' in wrong.stderr


@pytest.mark.skipif(not UNGUARDED.exists(), reason="no build whose guards can be removed (build-unguarded)")
def test_the_build_without_guards_is_not_installed(tmp_path):
    done = subprocess.run(["meson", "install", "-C", UNGUARDED.parent, "--no-rebuild", "--destdir", tmp_path], capture_output=True,
                          text=True, check=False)
    assert done.returncode != 0 and "for tests only" in done.stdout + done.stderr
    assert not list(tmp_path.rglob("bin/*"))
