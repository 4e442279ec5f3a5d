/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Argument checks.
 *
 * A BPF word is 32 bits, so a condition on a 64-bit argument becomes two tests: for equality one of each half, which
 * both must hold; for the others one test of three or four instructions, here called wide. A rule is thus a list of
 * tests, and a call's rules follow one another: where a test fails, the next rule begins.
 *
 * The next rule that could still match, that is: a rule that holds the same test is passed over, for the test fails
 * there too; a rule that begins with tests which held a moment ago is entered behind them; and if it then tests the word
 * that is in the accumulator already, behind the load. So a row of rules like "personality is 0, or 8, or 0x20000" costs
 * one comparison each, with no copy of any code.
 */
#include "runtime/seccomp_check.h"

#include <string.h>

#define TESTS_MAX (2 * CHECK_CONDS)
#define WORD_MASK 0xffffffffu

struct test {
	uint16_t offset;     /* of the word in seccomp_data; of the high one if wide */
	uint16_t low_offset; /* wide only */
	enum seccomp_op op;
	bool wide;
	uint32_t mask; /* all ones if wide */
	uint64_t value;
};

/* A rule while its code is written: its tests, and where each of them can be entered. */
struct ladder_rule {
	uint32_t ret;
	unsigned n;
	struct test tests[TESTS_MAX];
	label load[TESTS_MAX];   /* from anywhere */
	label loaded[TESTS_MAX]; /* with the word already in the accumulator; narrow tests only */
};

struct check *check_new(struct arena *arena, unsigned room, uint32_t ret)
{
	struct check *check = arena_alloc(arena, sizeof(*check) + room * sizeof(check->conds[0]));

	check->ret = ret;
	return check;
}

bool check_cond_make(const struct config_seccomp_arg *arg, bool wide, struct check_cond *ret_cond)
{
	uint64_t width = wide ? UINT64_MAX : WORD_MASK;
	bool masked = arg->op == SECCOMP_OP_MASKED_EQ;

	*ret_cond = (struct check_cond){
		.index = (uint8_t)arg->index,
		.op = masked ? SECCOMP_OP_EQ : arg->op,
		.mask = masked ? arg->value & width : width,
	};
	ret_cond->value = (masked ? arg->value_two : arg->value) & ret_cond->mask;
	return ret_cond->mask != 0;
}

static bool cond_equal(const struct check_cond *a, const struct check_cond *b)
{
	return a->index == b->index && a->op == b->op && a->mask == b->mask && a->value == b->value;
}

static int op_class(enum seccomp_op op)
{
	switch (op) {
	case SECCOMP_OP_LT:
	case SECCOMP_OP_LE:
		return 1;
	case SECCOMP_OP_GE:
	case SECCOMP_OP_GT:
		return 2;
	default:
		return 0;
	}
}

/* Return: < 0 if @a comes first, 0 if neither must */
static int cond_order(const struct check_cond *a, const struct check_cond *b)
{
	if (a->index != b->index)
		return a->index > b->index ? -1 : 1;
	if (op_class(a->op) != op_class(b->op))
		return op_class(a->op) - op_class(b->op);
	if (a->value == b->value)
		return 0;
	if (op_class(a->op) == 1)
		return a->value < b->value ? -1 : 1;
	return a->value > b->value ? -1 : 1;
}

static int check_order(const struct check *a, const struct check *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++) {
		if (!cond_equal(&a->conds[i], &b->conds[i]))
			return cond_order(&a->conds[i], &b->conds[i]);
	}
	return 0;
}

/* Whether every condition of @outer is one of @inner's, so that @inner matches nothing else. */
static bool covers(const struct check *outer, const struct check *inner)
{
	unsigned i = 0;

	for (unsigned o = 0; o < outer->n; o++, i++) {
		while (i < inner->n && inner->conds[i].index < outer->conds[o].index)
			i++;
		if (i == inner->n || !cond_equal(&outer->conds[o], &inner->conds[i]))
			return false;
	}
	return true;
}

void check_insert(struct check **list, struct check *new)
{
	struct check **place = NULL;

	for (; *list; list = &(*list)->next) {
		if (covers(*list, new))
			return;
		if (!place && check_order(new, *list) < 0)
			place = list;
	}
	if (!place)
		place = list;
	new->next = *place;
	*place = new;
}

bool check_list_equal(const struct check *a, const struct check *b)
{
	for (; a && b; a = a->next, b = b->next) {
		if (a->ret != b->ret || a->n != b->n)
			return false;
		for (unsigned i = 0; i < a->n; i++)
			if (!cond_equal(&a->conds[i], &b->conds[i]))
				return false;
	}
	return !a && !b;
}

static void add_narrow(struct ladder_rule *rule, uint32_t offset, enum seccomp_op op, uint32_t mask,
		       uint32_t value)
{
	rule->tests[rule->n++] = (struct test){
		.offset = (uint16_t)offset,
		.op = op,
		.mask = mask,
		.value = value,
	};
}

static void add_tests(struct ladder_rule *rule, enum seccomp_arch arch,
		      const struct check_cond *cond)
{
	uint32_t high = seccomp_arg_offset(arch, cond->index, true);
	uint32_t low = seccomp_arg_offset(arch, cond->index, false);
	uint32_t high_mask = (uint32_t)(cond->mask >> 32), low_mask = (uint32_t)cond->mask;

	if (!seccomp_abis[arch].wide) {
		add_narrow(rule, low, cond->op, low_mask, (uint32_t)cond->value);
		return;
	}
	if (cond->op == SECCOMP_OP_EQ) {
		if (high_mask)
			add_narrow(rule, high, SECCOMP_OP_EQ, high_mask,
				   (uint32_t)(cond->value >> 32));
		if (low_mask)
			add_narrow(rule, low, SECCOMP_OP_EQ, low_mask, (uint32_t)cond->value);
		return;
	}
	rule->tests[rule->n++] = (struct test){
		.offset = (uint16_t)high,
		.low_offset = (uint16_t)low,
		.op = cond->op,
		.wide = true,
		.mask = WORD_MASK,
		.value = cond->value,
	};
}

static bool test_equal(const struct test *a, const struct test *b)
{
	return a->offset == b->offset && a->op == b->op && a->wide == b->wide &&
	       a->mask == b->mask && a->value == b->value;
}

static bool holds_test(const struct ladder_rule *rule, unsigned n, const struct test *test)
{
	for (unsigned i = 0; i < n; i++)
		if (test_equal(&rule->tests[i], test))
			return true;
	return false;
}

/* "No bit of the mask is set" is one instruction that leaves the accumulator as it is. */
static bool is_bit_test(const struct test *test)
{
	return test->mask != WORD_MASK && test->value == 0;
}

/* What of the word is in the accumulator when this test is decided. */
static uint32_t accumulator_mask(const struct test *test)
{
	return is_bit_test(test) ? WORD_MASK : test->mask;
}

/* Where to go when test @t of @rules[r] fails, all before it having held. */
static label ladder_next(struct emitter *e, const struct ladder_rule *rules, size_t n_rules,
			 size_t r, unsigned t, uint32_t default_ret)
{
	const struct ladder_rule *rule = &rules[r], *next;
	const struct test *failed = &rule->tests[t], *test;
	unsigned skip = 0;

	do {
		r++;
	} while (r < n_rules && holds_test(&rules[r], rules[r].n, failed));
	if (r == n_rules)
		return emit_ret(e, default_ret);

	next = &rules[r];
	while (skip < next->n && holds_test(rule, t, &next->tests[skip]))
		skip++;
	if (skip == next->n)
		return emit_ret(e, next->ret);

	test = &next->tests[skip];
	if (!failed->wide && !test->wide && test->offset == failed->offset &&
	    accumulator_mask(test) == accumulator_mask(failed))
		return next->loaded[skip];
	return next->load[skip];
}

/* A 64-bit comparison that isn't an equality: the high words decide unless they are equal. */
static label emit_wide(struct emitter *e, const struct test *test, label if_true, label if_false)
{
	uint32_t high = (uint32_t)(test->value >> 32), low = (uint32_t)test->value;
	uint16_t low_op = BPF_JGT;
	label next;

	if (test->op == SECCOMP_OP_NE) {
		next = emit_test(e, BPF_JEQ, low, if_false, if_true);
		next = emit_load(e, test->low_offset, next);
		next = emit_test(e, BPF_JEQ, high, next, if_true);
		return emit_load(e, test->offset, next);
	}

	/* a < v is not (a >= v), a <= v is not (a > v) */
	if (test->op == SECCOMP_OP_LT || test->op == SECCOMP_OP_LE) {
		label swap = if_true;

		if_true = if_false;
		if_false = swap;
	}
	if (test->op == SECCOMP_OP_GE || test->op == SECCOMP_OP_LT)
		low_op = BPF_JGE;
	next = emit_test(e, low_op, low, if_true, if_false);
	next = emit_load(e, test->low_offset, next);
	next = emit_test(e, BPF_JEQ, high, next, if_false);
	next = emit_test(e, BPF_JGT, high, if_true, next);
	return emit_load(e, test->offset, next);
}

static label emit_narrow(struct emitter *e, const struct test *test, label if_true, label if_false)
{
	uint32_t value = (uint32_t)test->value;

	if (is_bit_test(test))
		return emit_test(e, BPF_JSET, test->mask, if_false, if_true);

	switch (test->op) {
	case SECCOMP_OP_NE:
		return emit_test(e, BPF_JEQ, value, if_false, if_true);
	case SECCOMP_OP_LT:
		return emit_test(e, BPF_JGE, value, if_false, if_true);
	case SECCOMP_OP_LE:
		return emit_test(e, BPF_JGT, value, if_false, if_true);
	case SECCOMP_OP_GE:
		return emit_test(e, BPF_JGE, value, if_true, if_false);
	case SECCOMP_OP_GT:
		return emit_test(e, BPF_JGT, value, if_true, if_false);
	default:
		return emit_test(e, BPF_JEQ, value, if_true, if_false);
	}
}

static void emit_rule(struct emitter *e, struct ladder_rule *rules, size_t n_rules, size_t r,
		      uint32_t default_ret)
{
	struct ladder_rule *rule = &rules[r];
	label if_true = emit_ret(e, rule->ret);

	for (unsigned t = rule->n; t-- > 0;) {
		const struct test *test = &rule->tests[t];
		label if_false = ladder_next(e, rules, n_rules, r, t, default_ret);

		if (test->wide) {
			if_true = rule->load[t] = emit_wide(e, test, if_true, if_false);
			continue;
		}
		rule->loaded[t] = emit_narrow(e, test, if_true, if_false);
		if_true = rule->loaded[t];
		if (accumulator_mask(test) != WORD_MASK)
			if_true = emit_and(e, test->mask, if_true);
		if_true = rule->load[t] = emit_load(e, test->offset, if_true);
	}
}

label emit_checks(struct emitter *e, struct arena *arena, enum seccomp_arch arch,
		  const struct check *list, uint32_t default_ret)
{
	struct ladder_rule *rules;
	size_t n = 0, r = 0;

	for (const struct check *check = list; check; check = check->next)
		n++;
	rules = arena_array(arena, n, sizeof(*rules));
	for (const struct check *check = list; check; check = check->next, r++) {
		rules[r].ret = check->ret;
		for (unsigned i = 0; i < check->n; i++)
			add_tests(&rules[r], arch, &check->conds[i]);
	}

	/* The last rule first: the others jump to it. */
	while (r-- > 0 && !e->full)
		emit_rule(e, rules, n, r, default_ret);
	return rules[0].load[0];
}
