# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/defaults.md says what src/engine/defaults.c does, and src/spec/template.c for what is hidden."""

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def in_source(name, file="src/engine/defaults.c"):
    text = (REPO / file).read_text()
    body = re.search(rf"{name}\[\] = {{(.*?)}};", text, re.S).group(1)
    return re.findall(r'"([^"]+)"', body)


def in_page(begin):
    page = (REPO / "docs/defaults.md").read_text()
    return re.search(rf"^{begin}: (.*?)\. ?", page.replace("\n", " ").replace("  ", "\n"), re.M).group(1).rstrip(".").split()


def test_the_page_has_the_capabilities():
    assert in_page("Capabilities") == in_source("default_capabilities")


def test_the_page_has_the_hidden_paths():
    assert in_page("Hidden") == in_source("template_masked_paths", "src/spec/template.c")


def test_the_page_has_the_read_only_paths():
    assert in_page("Read-only") == in_source("template_readonly_paths", "src/spec/template.c")


def test_the_page_has_the_numbers():
    header = (REPO / "src/engine/defaults.h").read_text()
    page = (REPO / "docs/defaults.md").read_text()
    numbers = dict(re.findall(r"#define (DEFAULT_\w+|STRICT_PIDS) +(\d+)", header))
    assert f"| processes | {numbers['DEFAULT_PIDS']}; {numbers['STRICT_PIDS']} of `--strict`" in page
    assert f"| open files | {numbers['DEFAULT_NOFILE_SOFT']}:{numbers['DEFAULT_NOFILE_HARD']}" in page
