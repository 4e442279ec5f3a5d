# SPDX-License-Identifier: GPL-2.0-or-later
"""The man page and --help say the same: both name every command and every option, and none that is not there."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PROGRAMS = ("tare-oci", "tare")
OPTION = re.compile(r"^  (?:(-\w), |    )(--[\w-]+)(?: ([A-Z[]\S*))?(?:  |$)", re.M)


def output(program, *arguments):
    return subprocess.run([REPO / "build" / program, *arguments], capture_output=True, text=True, check=True).stdout


@cache
def commands(program):
    """Their names; two words where they belong to a group."""
    listing = re.search(r"^commands:\n(.*?)\n\n", output(program, "help"), re.M | re.S).group(1)
    return [re.split(" {2,}| \\[", line.strip())[0] for line in listing.splitlines()]


@cache
def options(program, command=None):
    """[(short or "", long, its value's name or "")] of --help, the global ones for None."""
    if command == "help":
        return []
    return OPTION.findall(output(program, "help") if command is None else output(program, *command.split(), "--help"))


@cache
def sections(program):
    """{title: text} of the man page."""
    parts = re.split(r"^# (.*)\n", (REPO / f"docs/man/{program}.8.scd").read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def entry(program, command):
    """What COMMANDS says of one, or of several in one line, up to the next."""
    names = "|".join(map(re.escape, commands(program)))
    blocks = re.split(rf"^(?=\*(?:{names})\*)", sections(program)["COMMANDS"], flags=re.M)
    return next((b for b in blocks if f"*{command}*" in b.split("\n")[0]), "")


def described(program, command):
    """All that the page says of a command's options, those included that it refers to."""
    text = entry(program, command)
    names = {command} | {other for other in commands(program) if re.search(rf"options of [^.]*\b{other}\b", text)}
    for title, body in sections(program).items():
        if title.startswith("OPTIONS OF") and names & set(title.lower().split()):
            text += body
    return text


def names(text, word):
    """Is the option @word there in bold, whole?"""
    return re.search(rf"\*{re.escape(word)}(?![\w-])", text)


def test_help_is_understood():
    assert len(commands("tare-oci")) >= 10 and len(options("tare-oci")) >= 8
    assert ("-b", "--bundle", "DIR") in options("tare-oci", "run")
    assert "images" in commands("tare") and ("-q", "--quiet", "") in options("tare", "images")


@pytest.mark.parametrize("program, command", [(program, command) for program in PROGRAMS for command in commands(program)])
def test_the_page_has_the_command_and_its_options(program, command):
    if command == "help":
        assert "*--help*" in sections(program)["GLOBAL OPTIONS"]
        return
    assert re.search(rf"\*{command}\*", sections(program)["SYNOPSIS"]), "not in the synopsis"
    assert entry(program, command), "not among the commands"
    text = described(program, command)
    missing = [word for short, long, _ in options(program, command) for word in (short, long)
               if word and long != "--help" and not names(text, word)]
    assert not missing


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_has_the_global_options(program):
    missing = [word for short, long, _ in options(program) for word in (short, long)
               if word and not names(sections(program)["GLOBAL OPTIONS"], word)]
    assert not missing


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_has_no_option_that_is_not_there(program):
    known = {long for command in (None, *commands(program)) for _, long, _ in options(program, command)}
    page = (REPO / f"docs/man/{program}.8.scd").read_text()
    assert not set(re.findall(r"\*(--[a-z][\w-]*)", page)) - known - {"--option"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_gives_an_option_the_value_that_help_gives(program):
    """*--pid-file* _FILE_; what --help has no value for stands alone."""
    wrong = []
    for command in (None, *commands(program)):
        text = described(program, command) if command and command != "help" else sections(program)["GLOBAL OPTIONS"]
        for _, long, value in options(program, command):
            # several of one kind may share an entry: *--a*, *--b* _VALUE_
            for line in re.findall(rf"^\t?(?:\*-\w\*, )?\*{long}\*(?:, \*--[\w-]+\*)*(.*)$", text, re.M):
                given = re.match(r" (?:_([A-Z]+)_|\*[a-z]|\[_)", line)
                if bool(given) != bool(value) or (given and value.isalpha() and given.group(1) not in (None, value)):
                    wrong.append(f"{command}: {long} {value} | {line}")
    assert not wrong


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_is_one_for_man(program):
    source = (REPO / f"docs/man/{program}.8.scd").read_bytes()
    done = subprocess.run(["scdoc"], input=source, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f'.TH "{program}" "8"'.encode() in done.stdout
