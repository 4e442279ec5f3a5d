# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about the source that no compiler checks: layers, licence lines, what must not be written down."""

import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

# A layer may include itself and these. base stands at the bottom, cli on top.
BELOW = {
    "base": set(),
    "os": {"base"},
    "spec": {"base"},
    "cgroup": {"base", "os", "spec"},
    "image": {"base", "os", "spec"},
    "registry": {"base", "os", "spec"},
    "runtime": {"base", "os", "spec", "cgroup"},
    "engine": {"base", "os", "spec", "cgroup", "image", "registry", "network", "runtime"},
    "cli": {"base", "os", "spec", "cgroup", "image", "registry", "network", "runtime", "engine"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
# Files that carry no licence line: data, texts and what has no comments.
NO_LICENCE_LINE = (".md", ".dict", ".json", ".txt", ".golden", ".bin", "LICENSE", ".gitignore", ".clang-format")
GENERATED_DIRECTORIES = ("tests/fuzz/seeds/", "tests/fuzz/corpus/", "tests/data/")


def tracked():
    listing = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True).stdout
    return [f for f in listing.splitlines() if (REPO / f).is_file()]


def sources(*suffixes):
    return [f for f in tracked() if f.endswith(suffixes)]


def test_a_layer_includes_only_those_below_it():
    wrong = []
    for name in sources(".c", ".h"):
        if not name.startswith("src/"):
            continue
        layer = name.split("/")[1]
        for include in INCLUDE.findall((REPO / name).read_text()):
            target = include.split("/")[0]
            if "/" in include and target != layer and target not in BELOW[layer]:
                wrong.append(f"{name} includes {include}")
    assert not wrong, "\n".join(wrong)


def test_make_format_changes_nothing():
    done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *sources(".c", ".h")], cwd=REPO, capture_output=True,
                          text=True, check=False)
    assert not done.returncode, done.stderr[-4000:] + "\nrun `make format`"


def test_includes_are_full_paths_from_src():
    wrong = [f"{name} includes {include}" for name in sources(".c", ".h") if name.startswith("src/")
             for include in INCLUDE.findall((REPO / name).read_text()) if not (REPO / "src" / include).exists()]
    assert not [w for w in wrong if not w.endswith(".inc")], "\n".join(wrong)


def test_every_file_has_its_licence_line():
    missing = []
    for name in tracked():
        if name.endswith(NO_LICENCE_LINE) or name.startswith(GENERATED_DIRECTORIES) or name == "packages.txt":
            continue
        try:
            head = (REPO / name).read_text()[:400]
        except UnicodeDecodeError:
            continue
        if "SPDX-License-Identifier: GPL-2.0-or-later" not in head:
            missing.append(name)
    assert not missing, missing


def test_c_files_begin_with_the_licence_line():
    wrong = [f for f in sources(".c", ".h")
             if not (REPO / f).read_text().startswith("/* SPDX-License-Identifier: GPL-2.0-or-later */\n")]
    assert not wrong, wrong


def test_no_file_names_the_place_it_is_checked_out_to():
    wrong = [f for f in tracked() if str(REPO) in (REPO / f).read_text(errors="ignore")]
    assert not wrong, wrong


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_to_be_done(word):
    wrong = [f for f in sources(".c", ".h", ".py", ".sh", "meson.build")
             if f != "tests/checks/test_source.py" and re.search(rf"\b{word}\b", (REPO / f).read_text())]
    assert not wrong, wrong


def test_error_texts_keep_the_style():
    """No "failed to", no full stop, lower case: the texts are one chain, outermost first."""
    wrong = []
    call = re.compile(r'\berr_(?:set|sys|user|user_code|bug|context)\(([^;]*?)"((?:[^"\\]|\\.)*)"', re.S)
    for name in sources(".c"):
        if not name.startswith("src/"):
            continue
        for _, text in call.findall((REPO / name).read_text()):
            if "failed to" in text or text.endswith(".") or re.match(r"[A-Z][a-z]", text):
                wrong.append(f"{name}: {text}")
    assert not wrong, "\n".join(wrong)


def test_annotations_that_tare_obeys_have_one_place():
    """`features` lists them for engines to filter (F-14); a name written anywhere else would be missing there. An image's own are another matter."""
    name = re.compile(r'"(?:run\.oci|run\.tare|org\.opencontainers|org\.systemd|org\.criu)\.[^"]*"')
    reported = {'"run.tare.commit"', '"run.tare.version"', '"run.tare.checkpoint.enabled"'}  # what features says of itself
    wrong = [f"{f}: {found}" for f in sources(".c", ".h") if f.startswith("src/") and not f.startswith("src/image/") and f != "src/spec/annotations.h"
             for found in name.findall((REPO / f).read_text()) if found not in reported
             and not (f.startswith("src/engine/") and found.startswith('"org.opencontainers.image.'))]
    assert not wrong, "\n".join(wrong)
