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
#include "runtime/seccomp_ladder.h"

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
	struct way {
		bool wanted; /* somebody goes there */
		label at;
	} load[TESTS_MAX],         /* from anywhere */
		loaded[TESTS_MAX]; /* with the word already in the accumulator; narrow tests only */
};

struct ladder {
	struct ladder_rule *rules;
	size_t n;
	uint32_t default_ret;
};

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

/* A place in the ladder: a rule from its test @test on. */
struct place {
	size_t rule;   /* ladder.n: none matches */
	unsigned test; /* the rule's n: it matches */
	bool loaded;
};

/* Where to go when test @t of rule @r fails, all before it having held. */
static struct place place_after_failure(const struct ladder *ladder, size_t r, unsigned t)
{
	const struct ladder_rule *rule = &ladder->rules[r], *next;
	const struct test *failed = &rule->tests[t], *test;
	struct place place = { .rule = r + 1 };

	while (place.rule < ladder->n &&
	       holds_test(&ladder->rules[place.rule], ladder->rules[place.rule].n, failed))
		place.rule++;
	if (place.rule == ladder->n)
		return place;

	next = &ladder->rules[place.rule];
	while (place.test < next->n && holds_test(rule, t, &next->tests[place.test]))
		place.test++;
	if (place.test == next->n)
		return place;

	test = &next->tests[place.test];
	place.loaded = !failed->wide && !test->wide && test->offset == failed->offset &&
		       accumulator_mask(test) == accumulator_mask(failed);
	return place;
}

/* How a place is entered; NULL: it isn't a test, but an end. */
static struct way *way_to(const struct ladder *ladder, const struct place *place)
{
	struct ladder_rule *rule = &ladder->rules[place->rule];

	if (place->rule == ladder->n || place->test == rule->n)
		return NULL;
	return place->loaded ? &rule->loaded[place->test] : &rule->load[place->test];
}

/* Mark what can be reached from the first test of the first rule; the rest gets no code. */
static void mark_wanted(struct ladder *ladder)
{
	ladder->rules[0].load[0].wanted = true;
	for (size_t r = 0; r < ladder->n; r++) {
		struct ladder_rule *rule = &ladder->rules[r];

		for (unsigned t = 0; t < rule->n; t++) {
			struct place place;
			struct way *way;

			if (!rule->load[t].wanted && !rule->loaded[t].wanted)
				continue;
			place = place_after_failure(ladder, r, t);
			way = way_to(ladder, &place);
			if (way)
				way->wanted = true;
			if (t + 1 < rule->n)
				rule->load[t + 1].wanted = true;
		}
	}
}

static label emit_failure(struct emitter *e, const struct ladder *ladder, size_t r, unsigned t)
{
	struct place place = place_after_failure(ladder, r, t);
	const struct way *way = way_to(ladder, &place);

	if (way)
		return way->at;
	return emit_ret(e, place.rule == ladder->n ? ladder->default_ret
						   : ladder->rules[place.rule].ret);
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

static void emit_rule(struct emitter *e, const struct ladder *ladder, size_t r)
{
	struct ladder_rule *rule = &ladder->rules[r];
	label if_true = emit_ret(e, rule->ret);

	for (unsigned t = rule->n; t-- > 0;) {
		const struct test *test = &rule->tests[t];
		label if_false;

		if (!rule->load[t].wanted && !rule->loaded[t].wanted)
			continue;
		if_false = emit_failure(e, ladder, r, t);
		if (test->wide) {
			if_true = rule->load[t].at = emit_wide(e, test, if_true, if_false);
			continue;
		}
		if_true = rule->loaded[t].at = emit_narrow(e, test, if_true, if_false);
		if (!rule->load[t].wanted)
			continue;
		if (accumulator_mask(test) != WORD_MASK)
			if_true = emit_and(e, test->mask, if_true);
		if_true = rule->load[t].at = emit_load(e, test->offset, if_true);
	}
}

label emit_checks(struct emitter *e, struct arena *arena, enum seccomp_arch arch,
		  const struct check *list, uint32_t default_ret)
{
	struct ladder ladder = { .default_ret = default_ret };
	size_t r = 0;

	for (const struct check *check = list; check; check = check->next)
		ladder.n++;
	ladder.rules = arena_array(arena, ladder.n, sizeof(*ladder.rules));
	for (const struct check *check = list; check; check = check->next, r++) {
		ladder.rules[r].ret = check->ret;
		for (unsigned i = 0; i < check->n; i++)
			add_tests(&ladder.rules[r], arch, &check->conds[i]);
	}

	mark_wanted(&ladder);
	/* The last rule first: the others jump to it. */
	while (r-- > 0 && !e->full)
		emit_rule(e, &ladder, r);
	return ladder.rules[0].load[0].at;
}
