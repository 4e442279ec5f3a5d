/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proves of a plan what can be proved without running it. A plan is made of the caller's data but its shape is ours, so
 * whatever is found here is a fault of tare's: the message names the rule and the step.
 *
 * Two kinds of proof. Static rules look at single steps and at pairs of them (slots, forks, undo, order). The hand-overs
 * are run: four processes walk their steps against two queues of tokens, exactly as act.c would, and whoever can't go on
 * when nobody else can has found a deadlock.
 */
#include "runtime/act.h"
#include "runtime/plan.h"

#include <stdio.h>
#include <string.h>

#define NOWHERE ((size_t)-1)

/* As many tokens as can wait in one direction; a real plan has at most three. */
#define TOKENS_MAX 16

static const char *const who_names[STEP_WHOS] = { "parent", "stage", "child", "starter" };

/*
 * What must be over in a process before something else begins in it. Each pair is a hole if it is turned round: a mount
 * after a mask uncovers the path again, a bounding set can't shrink after the capabilities are gone, and so on.
 */
static const struct {
	enum step_kind first, then;
} order[] = {
	{ STEP_CGROUP_JOIN,
	  STEP_CGROUP_NS },               /* the new namespace's root is the cgroup one stands in */
	{ STEP_ROOT_ATTACH, STEP_MOUNT }, /* nothing may land on the directory below the rootfs */
	{ STEP_MOUNT, STEP_PIVOT },
	{ STEP_ATTACH, STEP_PIVOT },
	{ STEP_DEVICE, STEP_ROOT_READONLY },
	{ STEP_MOUNT, STEP_MASK },
	{ STEP_ATTACH, STEP_MASK },
	{ STEP_MOUNT, STEP_READONLY },
	{ STEP_ATTACH, STEP_READONLY },
	{ STEP_PIVOT, STEP_FIND_EXECUTABLE }, /* the program is the container's, not the host's */
	{ STEP_BOUNDING, STEP_CAPABILITIES }, /* needs CAP_SETPCAP */
	{ STEP_IDS, STEP_CAPABILITIES },      /* a change of ids clears the sets */
	{ STEP_MASK, STEP_CAPABILITIES },     /* needs CAP_SYS_ADMIN */
	/* exec: what needs the host's rights or names, and then nothing of the host's */
	{ STEP_CGROUP_JOIN, STEP_NS_ENTER },
	{ STEP_OOM_SCORE_ADJ, STEP_NS_ENTER },
	{ STEP_UNDUMPABLE, STEP_NS_ENTER },
	{ STEP_NS_ENTER, STEP_CLOSE_UNNEEDED },
	{ STEP_CHROOT, STEP_CLOSE_UNNEEDED },
	{ STEP_CLOSE_UNNEEDED, STEP_CLONE },
};

struct check {
	const struct plan *plan;
	struct err *err;
	size_t stage, clone; /* index of the step that forks; NOWHERE */
};

/* The prefix of every complaint: which rule, which step. */
static int broken(struct check *c, const char *rule, size_t index, const char *text)
{
	const struct step *step = &c->plan->steps[index];

	return err_bug(c->err, "check the plan: rule \"%s\": step %zu, %s \"%s\", %s", rule, index,
		       who_names[step->who], step_names[step->kind], text);
}

static int broken_slot(struct check *c, const char *rule, size_t index, int slot, const char *text)
{
	char buf[256];

	snprintf(buf, sizeof(buf), "slot %d \"%s\" %s", slot,
		 slot >= 0 && (size_t)slot < c->plan->n_slots ? c->plan->slot_names[slot] : "?",
		 text);
	return broken(c, rule, index, buf);
}

static bool joins_cgroup_ns(const struct plan *plan, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		if (plan->steps[i].kind == STEP_NS_JOIN &&
		    plan->steps[i].u.ns_join.type == NS_CGROUP)
			return true;
	}
	return false;
}

/* Find the two forks. Who they are decides what the others can see. */
static int check_forks(struct check *c)
{
	const struct step *step;

	for (size_t i = 0; i < c->plan->n_steps; i++) {
		step = &c->plan->steps[i];
		if (step->kind == STEP_STAGE_FORK) {
			if (c->stage != NOWHERE || step->who != STEP_PARENT)
				return broken(c, "one-stage", i, "is not the parent's only one");
			c->stage = i;
		} else if (step->kind == STEP_CLONE) {
			if (c->clone != NOWHERE || step->who == STEP_CHILD ||
			    step->who == STEP_STARTER)
				return broken(
					c, "one-clone", i,
					"is not the only one, or not the parent's or stage's");
			if (step->in[0] != SLOT_NONE && joins_cgroup_ns(c->plan, i))
				return broken(c, "cgroup-in-sight", i,
					      "is into a cgroup, from a joined cgroup namespace");
			c->clone = i;
		} else if (step->who == STEP_STAGE && c->stage == NOWHERE) {
			return broken(c, "born-first", i, "comes before the process that runs it");
		} else if (step->who == STEP_CHILD && c->clone == NOWHERE) {
			return broken(c, "born-first", i, "comes before the process that runs it");
		}
	}

	if (c->clone == NOWHERE && !c->plan->restores)
		return err_bug(c->err, "check the plan: rule \"one-clone\": no step makes the "
				       "container's process");
	return 0;
}

/*
 * Can the process of step @reader use what step @writer put into a slot? Slots are fds: a process has those that it made
 * and those that were there when it was forked.
 */
static bool is_visible(const struct check *c, size_t writer, size_t reader)
{
	enum step_who from = c->plan->steps[writer].who, to = c->plan->steps[reader].who;
	enum step_who cloner;

	if (from == to)
		return writer < reader;
	if (c->clone == NOWHERE)
		return false;
	cloner = c->plan->steps[c->clone].who;
	if (to == STEP_STAGE)
		return from == STEP_PARENT && writer < c->stage;
	if (to == STEP_CHILD && from == cloner)
		return writer < c->clone;
	if (to == STEP_CHILD && from == STEP_PARENT && cloner == STEP_STAGE)
		return writer < c->stage;
	return false;
}

static size_t find_writer(const struct plan *plan, int slot)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].out == slot)
			return i;
	}
	return NOWHERE;
}

static int check_input(struct check *c, size_t index, int slot)
{
	size_t writer;

	if (slot == SLOT_NONE)
		return 0;
	if (slot < 0 || (size_t)slot >= c->plan->n_slots)
		return broken_slot(c, "slot-exists", index, slot, "was never made");

	writer = find_writer(c->plan, slot);
	if (writer == NOWHERE)
		return broken_slot(c, "slot-filled", index, slot, "is read but no step fills it");
	if (!is_visible(c, writer, index))
		return broken_slot(
			c, "slot-visible", index, slot,
			"is not filled yet, or in a process that this one does not descend from");
	return 0;
}

static int check_slots(struct check *c)
{
	const struct step *step;
	int r;

	for (size_t i = 0; i < c->plan->n_steps; i++) {
		step = &c->plan->steps[i];
		for (size_t k = 0; k < STEP_INPUTS; k++) {
			r = check_input(c, i, step->in[k]);
			if (r < 0)
				return r;
		}

		if (step->out == SLOT_NONE)
			continue;
		if (step->out < 0 || (size_t)step->out >= c->plan->n_slots)
			return broken_slot(c, "slot-exists", i, step->out, "was never made");
		if (find_writer(c->plan, step->out) != i)
			return broken_slot(c, "slot-once", i, step->out, "is filled twice");
	}
	return 0;
}

/* What outlives a failed start has someone to remove it, and that is the parent: the others may be dead. */
static int check_undo(struct check *c)
{
	const struct step *step;

	for (size_t i = 0; i < c->plan->n_steps; i++) {
		step = &c->plan->steps[i];
		if (step_effects[step->kind] != EFFECT_MAKES)
			continue;
		if (!step_has_undo(step->kind))
			return broken(c, "has-undo", i, "makes something that nothing removes");
		if (step->who != STEP_PARENT && step->kind != STEP_CLONE)
			return broken(c, "has-undo", i,
				      "makes something in a process that can't undo it");
	}
	return 0;
}

static int check_pointers(struct check *c)
{
	const char *pointer;

	for (size_t i = 0; i < c->plan->n_steps; i++) {
		pointer = c->plan->steps[i].pointer;
		if (!pointer || (pointer[0] != '\0' && pointer[0] != '/'))
			return broken(c, "has-pointer", i, "has no JSON pointer");
	}
	return 0;
}

/* The last step of each kind that @who does, or NOWHERE. */
static void find_last(const struct plan *plan, enum step_who who, size_t last[STEP_KIND_COUNT])
{
	for (size_t i = 0; i < STEP_KIND_COUNT; i++)
		last[i] = NOWHERE;
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].who == who)
			last[plan->steps[i].kind] = i;
	}
}

static int check_order_of(struct check *c, enum step_who who)
{
	const struct step *steps = c->plan->steps;
	size_t last[STEP_KIND_COUNT];

	find_last(c->plan, who, last);
	for (size_t i = 0; i < c->plan->n_steps; i++) {
		if (steps[i].who != who)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(order); k++) {
			if (order[k].then == steps[i].kind && last[order[k].first] != NOWHERE &&
			    last[order[k].first] > i)
				return broken(c, "in-order", last[order[k].first],
					      "comes too late");
		}
	}
	return 0;
}

static int check_order(struct check *c)
{
	int r = check_order_of(c, STEP_STAGE);

	return r < 0 ? r : check_order_of(c, STEP_CHILD);
}

/* A child that enters has no fd but the caller's sockets: not one of a directory or a file of the host's. */
static int check_childs_fds(struct check *c)
{
	for (size_t i = 0; i < c->plan->n_steps; i++) {
		const struct step *step = &c->plan->steps[i];

		for (size_t k = 0; step->who == STEP_CHILD && k < STEP_INPUTS; k++) {
			if (step->in[k] != SLOT_NONE &&
			    c->plan->steps[find_writer(c->plan, step->in[k])].kind !=
				    STEP_CONSOLE_SOCKET)
				return broken_slot(c, "safe-entry", i, step->in[k],
						   "is of the host, and others would see it");
		}
	}
	return 0;
}

/*
 * Who enters a container that is there is seen by others from the child's first moment: before that the stage has closed
 * itself to them and let go of what is the host's (row X-2).
 */
static int check_entry(struct check *c)
{
	static const enum step_kind needed[] = { STEP_UNDUMPABLE, STEP_CLOSE_UNNEEDED };
	size_t last[STEP_KIND_COUNT];

	if (!c->plan->enters)
		return 0;
	find_last(c->plan, STEP_STAGE, last);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (last[needed[i]] == NOWHERE || last[needed[i]] > c->clone)
			return broken(c, "safe-entry", c->clone,
				      "lets others see what is not yet confined");
	}
	return check_childs_fds(c);
}

/*
 * A stage in the parent's memory: what it made would be in the parent's slots, and a time namespace refuses it. It must have
 * closed itself to others, which check_entry() sees to.
 */
static int check_shared_memory(struct check *c)
{
	if (c->stage == NOWHERE || !c->plan->steps[c->stage].u.stage_fork.shared)
		return 0;
	if (!c->plan->enters)
		return broken(c, "shared-memory", c->stage, "shares memory that others may see");
	for (size_t i = 0; i < c->plan->n_steps; i++) {
		const struct step *step = &c->plan->steps[i];

		if (step->who != STEP_STAGE)
			continue;
		if (step->out != SLOT_NONE)
			return broken(c, "shared-memory", i, "writes into the parent's slots");
		if (step->kind == STEP_NS_ENTER &&
		    (step->u.ns_enter.flags & ns_clone_flags[NS_TIME]))
			return broken(
				c, "shared-memory", i,
				"enters a time namespace, which takes nobody who shares memory");
	}
	return 0;
}

/* The child ends in an exec. Without `process` in the config there is none: then it ends waiting for a start to refuse. */
static int check_end(struct check *c)
{
	const struct step *step;
	size_t last = NOWHERE, exec = NOWHERE;

	for (size_t i = 0; i < c->plan->n_steps; i++) {
		step = &c->plan->steps[i];
		if (step->who == STEP_CHILD)
			last = i;
		if (step->kind != STEP_EXEC)
			continue;
		if (exec != NOWHERE || step->who != STEP_CHILD)
			return broken(c, "exec-last", i, "is not the child's only one");
		exec = i;
	}

	if (last == NOWHERE && c->plan->restores)
		return 0;
	if (last == NOWHERE)
		return err_bug(c->err,
			       "check the plan: rule \"exec-last\": the child has no steps");
	if (exec == NOWHERE && c->plan->steps[last].kind == STEP_START_ACCEPT)
		return 0;
	if (exec != last)
		return broken(c, "exec-last", last,
			      "ends the child's steps, which must end with \"execute\"");
	return 0;
}

/* ---- hand-overs --------------------------------------------------------------------------------------------- */

struct queue {
	char tokens[TOKENS_MAX];
	size_t sender[TOKENS_MAX]; /* step that sent it */
	size_t n;
};

struct rehearsal {
	struct check *c;
	size_t at[STEP_WHOS]; /* next step of each process */
	bool born[STEP_WHOS];
	bool connected; /* `start` has come */
	struct queue to_child, to_parent;
};

static size_t next_of(const struct plan *plan, enum step_who who, size_t from)
{
	while (from < plan->n_steps && plan->steps[from].who != who)
		from++;
	return from;
}

static bool is_over(const struct rehearsal *s, enum step_who who)
{
	return s->at[who] == s->c->plan->n_steps;
}

static int send_token(struct rehearsal *s, size_t index, char token)
{
	bool from_child = s->c->plan->steps[index].who == STEP_CHILD;
	struct queue *q = from_child ? &s->to_parent : &s->to_child;

	if (q->n == TOKENS_MAX)
		return broken(s->c, "sync-pairs", index, "sends more than anyone takes");
	q->tokens[q->n] = token;
	q->sender[q->n++] = index;
	return 1;
}

/* Return: 1 taken, 0 nothing there yet, -EPROTO if another token is first */
static int take_token(struct rehearsal *s, size_t index, char token)
{
	bool by_child = s->c->plan->steps[index].who == STEP_CHILD;
	struct queue *q = by_child ? &s->to_child : &s->to_parent;
	char text[96];

	if (q->n == 0)
		return 0;
	if (q->tokens[0] != token) {
		snprintf(text, sizeof(text), "waits for '%c' but step %zu has sent '%c'", token,
			 q->sender[0], q->tokens[0]);
		return broken(s->c, "sync-pairs", index, text);
	}
	q->n--;
	memmove(q->tokens, q->tokens + 1, q->n);
	memmove(q->sender, q->sender + 1, q->n * sizeof(q->sender[0]));
	return 1;
}

/* Do one step as far as others can see it. Return: 1 done, 0 has to wait, -EPROTO */
static int rehearse_step(struct rehearsal *s, size_t index)
{
	const struct step *step = &s->c->plan->steps[index];

	switch (step->kind) {
	case STEP_STAGE_FORK:
		s->born[STEP_STAGE] = true;
		return 1;
	case STEP_CLONE:
		s->born[STEP_CHILD] = true;
		return 1;
	case STEP_SYNC_SEND:
		return send_token(s, index, (char)step->u.sync_send.token);
	case STEP_SYNC_WAIT:
		return take_token(s, index, (char)step->u.sync_wait.token);
	case STEP_SECCOMP:
		return step->u.seccomp.listener ? send_token(s, index, SYNC_LISTENER) : 1;
	case STEP_LISTENER_SEND:
		return take_token(s, index, SYNC_LISTENER);
	case STEP_CONSOLE:
		return step->u.console.send_to_parent ? send_token(s, index, SYNC_CONSOLE) : 1;
	case STEP_CONSOLE_RECEIVE:
		return take_token(s, index, SYNC_CONSOLE);
	case STEP_START_CONNECT:
		s->connected = true;
		return 1;
	case STEP_START_ACCEPT:
		return s->connected;
	case STEP_EXEC_WAIT:
		return is_over(s, STEP_CHILD);
	default:
		return 1;
	}
}

/* Let one process go on until it waits. Return: whether it got anywhere, or -EPROTO */
static int rehearse(struct rehearsal *s, enum step_who who)
{
	const struct plan *plan = s->c->plan;
	int moved = 0, r;

	/* `start` is typed when `create` has returned. */
	if (who == STEP_STARTER && !is_over(s, STEP_PARENT))
		return 0;

	while (s->born[who] && !is_over(s, who)) {
		r = rehearse_step(s, s->at[who]);
		if (r < 0)
			return r;
		if (r == 0)
			return moved;
		s->at[who] = next_of(plan, who, s->at[who] + 1);
		moved = 1;
	}
	return moved;
}

static int check_handovers(struct check *c)
{
	struct rehearsal s = { .c = c, .born = { [STEP_PARENT] = true, [STEP_STARTER] = true } };
	int moved, r;

	for (int who = 0; who < STEP_WHOS; who++)
		s.at[who] = next_of(c->plan, (enum step_who)who, 0);

	do {
		moved = 0;
		for (int who = 0; who < STEP_WHOS; who++) {
			r = rehearse(&s, (enum step_who)who);
			if (r < 0)
				return r;
			moved |= r;
		}
	} while (moved);

	for (int who = 0; who < STEP_WHOS; who++) {
		if (!is_over(&s, (enum step_who)who))
			return broken(c, "no-deadlock", s.at[who], "waits for ever");
	}
	if (s.to_child.n)
		return broken(c, "sync-pairs", s.to_child.sender[0],
			      "signals a child that does not wait for it");
	if (s.to_parent.n)
		return broken(c, "sync-pairs", s.to_parent.sender[0],
			      "signals a parent that does not wait for it");
	return 0;
}

int plan_check(const struct plan *plan, struct err *err)
{
	static int (*const rules[])(struct check *) = {
		check_forks, check_slots,         check_undo, check_pointers, check_order,
		check_entry, check_shared_memory, check_end,  check_handovers
	};
	struct check c = { .plan = plan, .err = err, .stage = NOWHERE, .clone = NOWHERE };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		r = rules[i](&c);
		if (r < 0)
			return r;
	}
	return 0;
}
