# SPDX-License-Identifier: GPL-2.0-or-later
"""The man page and --help say the same: both name every command and every option, and none that is not there."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BINARY = REPO / "build/tare-oci"
OPTION = re.compile(r"^  (?:(-\w), |    )(--[\w-]+)(?: ([A-Z[]\S*))?(?:  |$)", re.M)


def output(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, check=True).stdout


@cache
def commands():
    listing = re.search(r"^commands:\n(.*?)\n\n", output("help"), re.M | re.S).group(1)
    return [line.split()[0] for line in listing.splitlines()]


@cache
def options(command=None):
    """[(short or "", long, its value's name or "")] of --help, the global ones for None."""
    if command == "help":
        return []
    return OPTION.findall(output("help") if command is None else output(command, "--help"))


@cache
def sections():
    """{title: text} of the man page."""
    parts = re.split(r"^# (.*)\n", (REPO / "docs/man/tare-oci.8.scd").read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def entry(command):
    """What COMMANDS says of one, or of several in one line, up to the next."""
    names = "|".join(map(re.escape, commands()))
    blocks = re.split(rf"^(?=\*(?:{names})\*)", sections()["COMMANDS"], flags=re.M)
    return next((b for b in blocks if f"*{command}*" in b.split("\n")[0]), "")


def described(command):
    """All that the page says of a command's options, those included that it refers to."""
    text = entry(command)
    names = {command} | {other for other in commands() if re.search(rf"options of [^.]*\b{other}\b", text)}
    for title, body in sections().items():
        if title.startswith("OPTIONS OF") and names & set(title.lower().split()):
            text += body
    return text


def names(text, word):
    """Is the option @word there in bold, whole?"""
    return re.search(rf"\*{re.escape(word)}(?![\w-])", text)


def test_help_is_understood():
    assert len(commands()) >= 10 and len(options()) >= 8
    assert ("-b", "--bundle", "DIR") in options("run")


@pytest.mark.parametrize("command", commands())
def test_the_page_has_the_command_and_its_options(command):
    if command == "help":
        assert "*--help*" in sections()["GLOBAL OPTIONS"]
        return
    assert re.search(rf"\*{command}\*", sections()["SYNOPSIS"]), "not in the synopsis"
    assert entry(command), "not among the commands"
    text = described(command)
    missing = [word for short, long, _ in options(command) for word in (short, long)
               if word and long != "--help" and not names(text, word)]
    assert not missing


def test_the_page_has_the_global_options():
    missing = [word for short, long, _ in options() for word in (short, long)
               if word and not names(sections()["GLOBAL OPTIONS"], word)]
    assert not missing


def test_the_page_has_no_option_that_is_not_there():
    known = {long for command in (None, *commands()) for _, long, _ in options(command)}
    page = (REPO / "docs/man/tare-oci.8.scd").read_text()
    assert not set(re.findall(r"\*(--[a-z][\w-]*)", page)) - known - {"--option"}


def test_the_page_gives_an_option_the_value_that_help_gives():
    """*--pid-file* _FILE_; what --help has no value for stands alone."""
    wrong = []
    for command in (None, *commands()):
        text = described(command) if command and command != "help" else sections()["GLOBAL OPTIONS"]
        for _, long, value in options(command):
            # several of one kind may share an entry: *--a*, *--b* _VALUE_
            for line in re.findall(rf"^\t?(?:\*-\w\*, )?\*{long}\*(?:, \*--[\w-]+\*)*(.*)$", text, re.M):
                given = re.match(r" (?:_([A-Z]+)_|\*[a-z]|\[_)", line)
                if bool(given) != bool(value) or (given and value.isalpha() and given.group(1) not in (None, value)):
                    wrong.append(f"{command}: {long} {value} | {line}")
    assert not wrong


def test_the_page_is_one_for_man(tmp_path):
    source = (REPO / "docs/man/tare-oci.8.scd").read_bytes()
    done = subprocess.run(["scdoc"], input=source, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b'.TH "tare-oci" "8"' in done.stdout
