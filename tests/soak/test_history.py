# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge itself: what must pass passes, and above all what is wrong is found."""

import pytest

from history import KILLED, Op, check


def life(*words):
    """Commands one after the other: "create", "state=running", "start!already running" (failed), "start-" (killed)."""
    ops = []
    for at, word in enumerate(words):
        name, _, shown = word.partition("=")
        name, failed, error = name.partition("!")
        killed = name.endswith("-")
        ops.append(Op(name.rstrip("-"), at, at + 0.5, KILLED if killed else 1 if failed else 0, error, shown or None, killed))
    return ops


RIGHT = [
    ["state!does not exist", "create", "state=created", "start", "state=running", "kill", "state=running", "state=stopped",
     "delete", "list"],
    ["create", "pause", "state=paused", "start!in the paused state", "resume", "start", "exec", "delete!not stopped: running",
     "delete --force", "create"],
    ["create-", "state=stopped", "create"],
    ["create-", "state=created", "start"],
    ["create", "start", "kill", "delete-", "state!does not exist", "create!already exists", "delete --force"],
]
WRONG = [
    ["create", "state=running"],
    ["create", "list"],
    ["create", "start", "kill", "state=stopped", "state=running"],
    ["create", "create"],
    ["create", "start", "start"],
    ["create", "start", "kill!container not running"],
    ["create", "start", "pause", "exec"],
    ["create", "start", "delete"],
    ["state=created"],
    ["create", "start!out of luck"],
    ["create", "delete --force", "state=stopped"],
    ["create-", "create", "create!does not exist"],
    ["create", "start-", "state!does not exist"],
]


@pytest.mark.parametrize("words", RIGHT, ids=" ".join)
def test_a_life_that_can_be_is_accepted(words):
    assert check(life(*words))[0]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_life_that_cannot_be_is_found(words):
    ends, text = check(life(*words))
    assert not ends and "no order explains" in text


def test_commands_that_overlap_may_be_in_either_order():
    both = [Op("create", 0, 1, 0), Op("state", 0.5, 2, 0, shown="created"), Op("state", 0.6, 0.9, 1, "does not exist")]
    assert check(both)[0] == {"created"}
    both[1].end, both[2].begin, both[2].end = 0.6, 0.7, 0.8
    assert not check(both)[0], "who came later saw less"


def test_a_reason_that_only_passes_needs_its_command_at_work():
    ops = [Op("create", 0, 1, 0), Op("start", 0.5, 0.6, 1, "cannot start a container in the creating state")]
    assert check(ops)[0] == {"created"}
    ops[1].begin, ops[1].end = 2, 3
    assert not check(ops)[0]


@pytest.mark.parametrize("answer", ["the container's init was killed by signal 9 (SIGKILL)",
                                    'the container\'s init is gone, killed or ended in step "wait-for-start"'])
def test_a_start_whose_init_dies_under_it_needs_a_killer(answer):
    ops = [Op("create", 0, 1, 0), Op("start", 2, 4, 1, answer), Op("kill", 3, 3.5, 0)]
    assert check(ops)[0] == {"dying", "stopped"}
    assert not check(ops[:2])[0], "nobody killed it"
