# SPDX-License-Identifier: GPL-2.0-or-later
"""`tare container prune`."""

import pytest


@pytest.fixture(name="some")
def fixture_some(engine):
    """Two containers that have ended, and one that runs: (engine, ids of the former, id of the latter)."""
    engine.image()
    for name in ("first", "second"):
        engine.call("run", "--name", name, "box", "sh", "-c", "echo 123456789 > /file").ok()
    with engine.running("echo ready; sleep 100", name="runs"):
        ids = {name: c["ID"] for name, c in engine.containers().items()}
        yield engine, {ids["first"], ids["second"]}, ids["runs"]


def names(engine):
    return set(engine.containers())


def test_what_does_not_run_goes(some):
    engine, ended, runs = some
    lines = engine.call("container", "prune", "-f").ok().out.splitlines()
    assert lines[0] == "Deleted Containers:" and {line[:12] for line in lines[1:3]} == ended
    assert lines[3] == "" and lines[4].startswith("Total reclaimed space: ") and not lines[4].endswith(" 0B")
    assert names(engine) == {"runs"} and engine.containers()["runs"]["ID"] == runs
    assert engine.call("container", "prune", "--force").ok().out == "Total reclaimed space: 0B\n"


@pytest.mark.parametrize("answer, goes", [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_it_asks_first(some, answer, goes):
    engine, _, _ = some
    out = engine.call("container", "prune", stdin=answer).ok().out
    assert "Go on? [y/N] " in out and ("Deleted Containers:" in out) == goes
    assert names(engine) == ({"runs"} if goes else {"first", "second", "runs"})


def test_words_are_refused(engine):
    engine.call("container", "prune", "web").fails("prune")
    engine.call("container", "prune", "--filter", "until=1h").fails("--filter")
