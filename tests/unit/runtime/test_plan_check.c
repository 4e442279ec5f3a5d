/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_check(): a good plan passes, and every rule catches a plan that was broken by hand for it, by its name. */
#include "runtime/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Where things are in the plan of make_good(). */
enum {
	STATE,
	OPEN,
	SOURCE,
	CLONE,
	SEND_MAPPED,
	WAIT_MAPPED,
	MOUNT,
	ATTACH,
	PIVOT,
	MASK,
	BOUNDING,
	IDS,
	CAPS,
	SEND_CREATED,
	WAIT_CREATED,
	SEND_RELEASED,
	WAIT_RELEASED,
	EXEC,
	EXEC_WAIT,
	N_STEPS,
};

static struct step *add(struct plan *plan, enum step_who who, enum step_kind kind)
{
	return plan_add(plan, who, kind, "");
}

static void add_sync(struct plan *plan, enum step_who from, enum step_who to, enum sync_token token)
{
	add(plan, from, STEP_SYNC_SEND)->u.sync_send.token = token;
	add(plan, to, STEP_SYNC_WAIT)->u.sync_wait.token = token;
}

/* A run with a mount, a bind and a mask: small, but with each kind of thing that a rule is about. */
static void make_good(struct plan *plan)
{
	int16_t root = plan_slot(plan, "rootfs"), source = plan_slot(plan, "source"),
		pidfd = plan_slot(plan, "pidfd");

	add(plan, STEP_PARENT, STEP_STATE_MAKE);
	add(plan, STEP_PARENT, STEP_ROOT_OPEN)->out = root;
	add(plan, STEP_PARENT, STEP_SOURCE_OPEN)->out = source;
	add(plan, STEP_PARENT, STEP_CLONE)->out = pidfd;
	add_sync(plan, STEP_PARENT, STEP_CHILD, SYNC_MAPPED);
	add(plan, STEP_CHILD, STEP_MOUNT)->in[0] = root;
	add(plan, STEP_CHILD, STEP_ATTACH)->in[1] = source;
	add(plan, STEP_CHILD, STEP_PIVOT)->in[0] = root;
	add(plan, STEP_CHILD, STEP_MASK);
	add(plan, STEP_CHILD, STEP_BOUNDING);
	add(plan, STEP_CHILD, STEP_IDS);
	add(plan, STEP_CHILD, STEP_CAPABILITIES);
	add_sync(plan, STEP_CHILD, STEP_PARENT, SYNC_CREATED);
	add_sync(plan, STEP_PARENT, STEP_CHILD, SYNC_RELEASED);
	add(plan, STEP_CHILD, STEP_EXEC);
	add(plan, STEP_PARENT, STEP_EXEC_WAIT);
	assert_int_equal(plan->n_steps, N_STEPS);
}

/* A create with a stage: the stage joins and clones, `start` comes later. */
static void make_staged(struct plan *plan)
{
	int16_t ns = plan_slot(plan, "network"), root = plan_slot(plan, "rootfs");

	add(plan, STEP_PARENT, STEP_ROOT_OPEN)->out = root;
	add(plan, STEP_PARENT, STEP_NS_OPEN)->out = ns;
	add(plan, STEP_PARENT, STEP_STAGE_FORK);
	add(plan, STEP_STAGE, STEP_NS_JOIN)->in[0] = ns;
	add(plan, STEP_STAGE, STEP_CLONE);
	add(plan, STEP_CHILD, STEP_PIVOT)->in[0] = root;
	add_sync(plan, STEP_CHILD, STEP_PARENT, SYNC_CREATED);
	add(plan, STEP_CHILD, STEP_START_ACCEPT);
	add(plan, STEP_CHILD, STEP_EXEC);
	add(plan, STEP_STARTER, STEP_START_CONNECT);
	add(plan, STEP_STARTER, STEP_EXEC_WAIT);
}

static void swap(struct plan *plan, size_t a, size_t b)
{
	struct step kept = plan->steps[a];

	plan->steps[a] = plan->steps[b];
	plan->steps[b] = kept;
}

static void remove_step(struct plan *plan, size_t index)
{
	plan->n_steps--;
	memmove(&plan->steps[index], &plan->steps[index + 1],
		(plan->n_steps - index) * sizeof(struct step));
}

/* ---- one way to break a plan for each rule ---------------------------------------------------------------------- */

static void no_clone(struct plan *plan)
{
	plan->steps[CLONE].kind = STEP_LOOPBACK;
	plan->n_steps = SEND_MAPPED;
}

static void two_clones(struct plan *plan)
{
	plan->steps[SEND_MAPPED].kind = STEP_CLONE;
}

static void clone_by_child(struct plan *plan)
{
	add(plan, STEP_CHILD, STEP_CLONE);
}

static void two_stages(struct plan *plan)
{
	plan->steps[STATE].kind = STEP_STAGE_FORK;
	plan->steps[OPEN].kind = STEP_STAGE_FORK;
}

static void child_before_clone(struct plan *plan)
{
	plan->steps[SOURCE].who = STEP_CHILD;
}

static void stage_without_fork(struct plan *plan)
{
	plan->steps[SOURCE].who = STEP_STAGE;
}

static void read_unknown_slot(struct plan *plan)
{
	plan->steps[MOUNT].in[0] = 99;
}

static void write_unknown_slot(struct plan *plan)
{
	plan->steps[SOURCE].out = 99;
}

static void read_empty_slot(struct plan *plan)
{
	plan->steps[MOUNT].in[0] = plan_slot(plan, "nobody's");
}

static void read_later_slot(struct plan *plan)
{
	plan->steps[OPEN].in[0] = plan->steps[SOURCE].out;
}

static void read_after_fork(struct plan *plan)
{
	plan->steps[SEND_MAPPED].kind = STEP_SOURCE_OPEN;
	plan->steps[SEND_MAPPED].out = plan_slot(plan, "opened too late");
	plan->steps[MOUNT].in[1] = plan->steps[SEND_MAPPED].out;
}

static void read_childs_slot(struct plan *plan)
{
	plan->steps[MOUNT].out = plan_slot(plan, "the child's");
	plan->steps[EXEC_WAIT].in[0] = plan->steps[MOUNT].out;
}

static void write_twice(struct plan *plan)
{
	plan->steps[SOURCE].out = plan->steps[OPEN].out;
}

static void make_in_child(struct plan *plan)
{
	plan->steps[MASK].kind = STEP_CGROUP_MAKE;
}

static void no_pointer(struct plan *plan)
{
	plan->steps[MOUNT].pointer = NULL;
}

static void relative_pointer(struct plan *plan)
{
	plan->steps[MOUNT].pointer = "mounts/0";
}

static void mask_before_mount(struct plan *plan)
{
	swap(plan, MASK, MOUNT);
}

static void pivot_before_attach(struct plan *plan)
{
	swap(plan, PIVOT, ATTACH);
}

static void caps_before_bounding(struct plan *plan)
{
	swap(plan, BOUNDING, CAPS);
}

static void ids_after_caps(struct plan *plan)
{
	swap(plan, IDS, CAPS);
}

static void no_exec(struct plan *plan)
{
	plan->steps[EXEC].kind = STEP_UMASK;
}

static void step_after_exec(struct plan *plan)
{
	add(plan, STEP_CHILD, STEP_UMASK);
}

static void exec_by_parent(struct plan *plan)
{
	plan->steps[EXEC].who = STEP_PARENT;
}

static void nobody_sends(struct plan *plan)
{
	remove_step(plan, SEND_MAPPED);
}

static void nobody_waits(struct plan *plan)
{
	remove_step(plan, WAIT_MAPPED);
	remove_step(plan, WAIT_RELEASED - 1);
}

static void parent_not_waited_for(struct plan *plan)
{
	remove_step(plan, WAIT_CREATED);
}

static void wrong_token(struct plan *plan)
{
	plan->steps[WAIT_MAPPED].u.sync_wait.token = SYNC_RELEASED;
}

/* The child waits for the answer before it has asked. */
static void crossed(struct plan *plan)
{
	swap(plan, SEND_CREATED, WAIT_RELEASED);
}

static void nobody_starts(struct plan *plan)
{
	plan->steps[WAIT_RELEASED].kind = STEP_START_ACCEPT;
	remove_step(plan, SEND_RELEASED);
}

static void too_many_tokens(struct plan *plan)
{
	remove_step(plan, EXEC_WAIT);
	for (int i = 0; i < 40; i++)
		add(plan, STEP_PARENT, STEP_SYNC_SEND)->u.sync_send.token = SYNC_MAPPED;
}

/* ---- exec ------------------------------------------------------------------------------------------------------- */

/* Where things are in the plan of make_entering(). */
enum {
	E_INIT,
	E_SOCKET,
	E_FORK,
	E_CGROUP,
	E_HIDE,
	E_ENTER,
	E_CLOSE,
	E_CLONE,
	E_CONSOLE,
	E_EXEC,
	E_WAIT
};

static void make_entering(struct plan *plan)
{
	int16_t init = plan_slot(plan, "init"), sock = plan_slot(plan, "console socket");

	plan->enters = true;
	add(plan, STEP_PARENT, STEP_INIT_OPEN)->out = init;
	add(plan, STEP_PARENT, STEP_CONSOLE_SOCKET)->out = sock;
	add(plan, STEP_PARENT, STEP_STAGE_FORK)->u.stage_fork.shared = true;
	add(plan, STEP_STAGE, STEP_CGROUP_JOIN);
	add(plan, STEP_STAGE, STEP_UNDUMPABLE);
	add(plan, STEP_STAGE, STEP_NS_ENTER)->in[0] = init;
	add(plan, STEP_STAGE, STEP_CLOSE_UNNEEDED);
	add(plan, STEP_STAGE, STEP_CLONE);
	add(plan, STEP_CHILD, STEP_CONSOLE)->in[1] = sock;
	add(plan, STEP_CHILD, STEP_EXEC);
	add(plan, STEP_PARENT, STEP_EXEC_WAIT);
}

static void visible_stage(struct plan *plan)
{
	remove_step(plan, E_HIDE);
}

static void hides_too_late(struct plan *plan)
{
	swap(plan, E_HIDE, E_ENTER);
}

static void takes_fds_along(struct plan *plan)
{
	remove_step(plan, E_CLOSE);
}

static void closes_before_it_enters(struct plan *plan)
{
	swap(plan, E_ENTER, E_CLOSE);
}

static void joins_cgroups_from_inside(struct plan *plan)
{
	swap(plan, E_CGROUP, E_ENTER);
}

static void child_has_fd_of_the_host(struct plan *plan)
{
	plan->steps[E_CONSOLE].in[0] = plan->steps[E_INIT].out;
}

static void shares_a_slot(struct plan *plan)
{
	plan->steps[E_CGROUP].out = plan_slot(plan, "cgroup");
}

static void shares_memory_across_time(struct plan *plan)
{
	plan->steps[E_ENTER].u.ns_enter.flags = ns_clone_flags[NS_TIME];
}

static const struct {
	void (*break_it)(struct plan *plan);
	const char *rule;
} entry_breaks[] = {
	{ shares_a_slot, "shared-memory" },
	{ shares_memory_across_time, "shared-memory" },
	{ visible_stage, "safe-entry" },
	{ takes_fds_along, "safe-entry" },
	{ child_has_fd_of_the_host, "safe-entry" },
	{ hides_too_late, "in-order" },
	{ closes_before_it_enters, "in-order" },
	{ joins_cgroups_from_inside, "in-order" },
};

/* Row X-2: nothing of the host's is to be had from a process that enters. */
static void test_X2_entry_is_safe(void **state)
{
	char expected[64];

	for (size_t i = 0; i < ARRAY_LEN(entry_breaks); i++) {
		struct err err = ERR_INIT;
		struct plan plan = { 0 };

		make_entering(&plan);
		if (plan_check(&plan, &err) != 0)
			fail_msg("%s", err.text);
		entry_breaks[i].break_it(&plan);
		if (plan_check(&plan, &err) != -EPROTO)
			fail_msg("break %zu was not caught", i);
		snprintf(expected, sizeof(expected), "rule \"%s\"", entry_breaks[i].rule);
		if (!strstr(err.text, expected))
			fail_msg("break %zu: expected %s, got: %s", i, expected, err.text);
		plan_clear(&plan);
	}
}

/* Before the clone a cgroup namespace is joined, and the clone is into a cgroup. */
static void clone_out_of_sight(struct plan *plan)
{
	plan->steps[SEND_MAPPED].kind = STEP_NS_JOIN;
	plan->steps[SEND_MAPPED].u.ns_join.type = NS_CGROUP;
	swap(plan, SEND_MAPPED, CLONE);
	plan->steps[SEND_MAPPED].in[0] = 0;
}

static const struct {
	void (*break_it)(struct plan *plan);
	const char *rule;
} breaks[] = {
	{ clone_out_of_sight, "cgroup-in-sight" },
	{ no_clone, "one-clone" },
	{ two_clones, "one-clone" },
	{ clone_by_child, "one-clone" },
	{ two_stages, "one-stage" },
	{ child_before_clone, "born-first" },
	{ stage_without_fork, "born-first" },
	{ read_unknown_slot, "slot-exists" },
	{ write_unknown_slot, "slot-exists" },
	{ read_empty_slot, "slot-filled" },
	{ read_later_slot, "slot-visible" },
	{ read_after_fork, "slot-visible" },
	{ read_childs_slot, "slot-visible" },
	{ write_twice, "slot-once" },
	{ make_in_child, "has-undo" },
	{ no_pointer, "has-pointer" },
	{ relative_pointer, "has-pointer" },
	{ mask_before_mount, "in-order" },
	{ pivot_before_attach, "in-order" },
	{ caps_before_bounding, "in-order" },
	{ ids_after_caps, "in-order" },
	{ no_exec, "exec-last" },
	{ step_after_exec, "exec-last" },
	{ exec_by_parent, "exec-last" },
	{ nobody_sends, "no-deadlock" },
	{ nobody_waits, "sync-pairs" },
	{ parent_not_waited_for, "sync-pairs" },
	{ wrong_token, "sync-pairs" },
	{ too_many_tokens, "sync-pairs" },
	{ crossed, "no-deadlock" },
	{ nobody_starts, "no-deadlock" },
};

static void test_good_plans_pass(void **state)
{
	struct err err = ERR_INIT;
	struct plan plan = { 0 };

	make_good(&plan);
	if (plan_check(&plan, &err) != 0)
		fail_msg("%s", err.text);
	plan_clear(&plan);

	make_staged(&plan);
	if (plan_check(&plan, &err) != 0)
		fail_msg("%s", err.text);
	plan_clear(&plan);
}

static void test_each_rule_catches(void **state)
{
	char expected[64];

	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		struct err err = ERR_INIT;
		struct plan plan = { 0 };

		make_good(&plan);
		breaks[i].break_it(&plan);
		if (plan_check(&plan, &err) != -EPROTO)
			fail_msg("break %zu was not caught", i);
		assert_int_equal(err.kind, ERR_BUG);
		snprintf(expected, sizeof(expected), "rule \"%s\"", breaks[i].rule);
		if (!strstr(err.text, expected))
			fail_msg("break %zu: expected %s, got: %s", i, expected, err.text);
		plan_clear(&plan);
	}
}

/* What the parent opened after it forked the stage, neither the stage nor the child it makes can have. */
static void test_stage_sees_only_what_was_there(void **state)
{
	struct err err = ERR_INIT;
	struct plan plan = { 0 };

	make_staged(&plan);
	swap(&plan, 0, 2); /* fork-stage first, then open-rootfs */
	assert_int_equal(plan_check(&plan, &err), -EPROTO);
	assert_non_null(strstr(err.text, "rule \"slot-visible\""));
	plan_clear(&plan);
}

/* The message says which step, whose, and why. */
static void test_message(void **state)
{
	struct err err = ERR_INIT;
	struct plan plan = { 0 };

	make_good(&plan);
	read_empty_slot(&plan);
	assert_int_equal(plan_check(&plan, &err), -EPROTO);
	assert_string_equal(err.text, "check the plan: rule \"slot-filled\": step 6, child "
				      "\"mount\", slot 3 \"nobody's\" is "
				      "read but no step fills it");
	plan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_plans_pass),
		cmocka_unit_test(test_each_rule_catches),
		cmocka_unit_test(test_stage_sees_only_what_was_there),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_X2_entry_is_safe),
	};

	return cmocka_run_group_tests_name("plan-check", tests, NULL, NULL);
}
