# SPDX-License-Identifier: GPL-2.0-or-later
"""
Is there an order of some commands that explains all their answers?

Commands on one container overlap, so their order is not known: only that each took effect between its begin and its end. check()
looks for an order within these bounds in which each answer is one that the model gives (linearizability, one id at a time).
The model is a container's life as a user of the command line knows it:

    absent -> created -> running -> dying -> stopped -> absent,  created and running also paused

"dying" is between a SIGKILL and the end: whoever looks may see either. "rest" is what a killed create or delete leaves, which
is no container any more, or not yet, and is removed by whoever comes next. A command that was killed itself may have done
its work, a part, or nothing.

Some commands pass through states on their way (create through `creating`, delete --force through `stopped`), which
another one sees and gives as its reason to fail. So an answer of that kind is also right if such a command overlaps.
"""

from dataclasses import dataclass

ALIVE = {"created", "running", "paused-created", "paused-running", "dying"}
PAUSED = {"paused-created", "paused-running"}
SHOWN = {
    "absent": {None}, "created": {"created"}, "running": {"running"}, "stopped": {"stopped"},
    "paused-created": {"paused"}, "paused-running": {"paused"},
    "dying": {"created", "running", "paused"}, "rest": {None, "stopped", "creating"},
}
# What an error says, by a part of its text; the first that fits.
REASONS = [
    ("does not exist", "absent"), ("already exists", "exists"), ("deleted meanwhile", "deleted"), ("not paused", "not paused"),
    ("container not running", "stopped"), ("has stopped", "stopped"), ("already running", "running"),
    ("not stopped: paused", "paused"), ("not stopped: running", "running"), ("not stopped: created", "created"),
    ("init was killed by signal", "killed"), ("init is gone, killed or ended in step", "killed"),
    ("creating", "creating"), ("paused", "paused"), ("started already", "starting"),
]
TRUE_IN = {
    "absent": {"absent"}, "created": {"exists", "created", "not paused"}, "running": {"exists", "running", "not paused"},
    "paused-created": {"exists", "paused"}, "paused-running": {"exists", "paused"},
    "stopped": {"exists", "stopped", "not paused"},
    "dying": {"killed", "exists", "created", "running", "paused", "not paused", "stopped"},
    "rest": {"exists", "absent", "stopped", "creating", "not paused"},
}
# Which commands make a reason true for a moment.
PASSING = {
    "absent": set(), "exists": {"create", "delete", "delete --force"},
    "creating": {"create"}, "deleted": {"delete --force"}, "starting": {"start"},
    "stopped": {"create", "delete --force"}, "paused": {"pause", "delete --force"},
    "not paused": {"resume"}, "killed": {"kill", "delete --force"}, "running": {"delete --force"}, "created": {"delete --force"},
}
LOOKS = {"state", "list"}
KILLED = -9


@dataclass
class Op:
    """One command on one container, with its answer."""

    name: str        # "delete --force" is one of its own
    begin: float
    end: float
    status: int      # exit status; KILLED
    error: str = ""  # what it said when it failed
    shown: str = None  # state and list: the status of the container, None if there is none
    by_us: bool = False  # the killer of the test ended it
    around: frozenset = frozenset()  # names of the commands that overlap; check() fills it in

    def __str__(self):
        answer = f"shows {self.shown}" if self.name in LOOKS and self.status == 0 else self.error
        return f"{self.begin:9.4f} to {self.end:9.4f}  {self.name:14} {self.status:4} {'killed by us ' * self.by_us}{answer}"


def reason_of(op):
    return next((reason for text, reason in REASONS if text in op.error), None)


def after_death(op, state):
    """Where a command that was killed may have left the container."""
    alive = state in ALIVE
    return {state} | {
        "create": {"rest", "created"} if state in ("absent", "rest") else set(),
        "start": {"running", "dying"} if state == "created" else set(),
        "kill": {"dying"} if alive else set(),
        "pause": {"paused-" + state} if state in ("created", "running") else set(),
        "resume": {state[len("paused-"):]} if state in PAUSED else set(),
        "delete": {"absent", "rest"} if state in ("stopped", "rest") else set(),
        "delete --force": ({"dying", "paused-running"} if alive else set()) | ({"absent", "rest"} if state != "absent" else set()),
    }.get(op.name, set())


def after_success(op, state):
    """Where a command that succeeded leaves the container; nothing if it can't have succeeded."""
    alive = state in ALIVE
    if op.name == "create":
        return {"created"} if state in ("absent", "rest") else set()
    if op.name == "start":
        return {"running"} if state == "created" else {"dying"} & {state}
    if op.name == "kill":
        return {"dying"} if alive else set()
    if op.name == "pause":
        return {"paused-" + state} if state in ("created", "running") else {"dying"} & {state}
    if op.name == "resume":
        return {state[len("paused-"):]} if state in PAUSED else {"dying"} & {state}
    if op.name == "update":
        return {state} if alive else set()
    if op.name == "exec":
        return {state} if alive and state not in PAUSED else set()
    if op.name == "delete":
        return {"absent"} if state in ("stopped", "rest") else set()
    if op.name == "delete --force":
        return {"absent"}
    raise ValueError(op.name)


def is_seen(op, state):
    if op.shown in SHOWN[state]:
        return True
    if op.shown == "creating":
        return "create" in op.around
    # It kills, and for that freezes or thaws.
    return state in ALIVE and op.shown in ("created", "running", "paused", "stopped") and "delete --force" in op.around


def is_right_failure(op, state):
    """Whether a command may fail like this, and so change nothing."""
    reason = reason_of(op)
    if op.name == "exec" and op.status == 137:  # its program was killed
        return state == "dying" or bool(op.around & {"kill", "delete --force"})
    if reason is None or op.status not in (1, 255):
        return False
    if op.name == "pause" and reason == "stopped" and state in PAUSED:
        return True
    return reason in TRUE_IN[state] or bool(PASSING[reason] & op.around)


def outcomes(op, state):
    """The states in which the container may be after this command with this answer."""
    if op.status == KILLED and (op.by_us or "delete --force" in op.around):
        return after_death(op, state)
    if op.name in LOOKS and op.status == 0:
        return {state} if is_seen(op, state) else set()
    if op.status == 0:
        return after_success(op, state)
    return {state} if is_right_failure(op, state) else set()


def may_become(state):
    """What happens by itself."""
    return {state, "stopped"} if state == "dying" else {state}


def find_overlaps(ops):
    for op in ops:
        op.around = frozenset(o.name for o in ops if o is not op and o.begin <= op.end and op.begin <= o.end)


def check(ops, start="absent"):
    """Return: the states in which it may end; and, if there are none, the commands that no order explains, as text."""
    ops = sorted(ops, key=lambda op: op.begin)
    find_overlaps(ops)
    # A place: the commands before `first` are done, and those of `ahead`.
    reached, seen = [(0, frozenset(), start)], set()
    ends, furthest = set(), 0
    while reached:
        place = reached.pop()
        if place in seen:
            continue
        seen.add(place)
        first, ahead, state = place
        furthest = max(furthest, first)
        if first == len(ops):
            ends |= may_become(state)
            continue
        limit = min(ops[i].end for i in range(first, min(len(ops), first + len(ahead) + 64)) if i not in ahead)
        for i in range(first, len(ops)):
            if ops[i].begin > limit:
                break
            if i in ahead:
                continue
            done = ahead | {i}
            next_first = first
            while next_first in done:
                next_first += 1
            rest = frozenset(j for j in done if j >= next_first)
            for now in may_become(state):
                reached += [(next_first, rest, later) for later in outcomes(ops[i], now)]
    if ends:
        return ends, ""
    told = [op for op in ops[:furthest] if op.name != "list"][-12:] + ops[furthest:furthest + 12]
    return ends, f"no order explains the answer at {ops[furthest].begin:.4f}:\n" + "\n".join(map(str, told))
