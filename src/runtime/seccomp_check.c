/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules with conditions, before they become code: cut to the width of the architecture, and put in order.
 */
#include "runtime/seccomp_check.h"

#define WORD_MASK 0xffffffffu

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

/*
 * The order of rules is that of words, as they are compared: a condition on a 64-bit argument is one on its high word and
 * then one on its low word.
 */
struct word {
	uint8_t index;
	uint8_t kind;   /* in order of precedence; see word_kind() */
	bool inclusive; /* >= and <, not > and <= */
	uint32_t mask, value;
};

enum { KIND_EQUAL, KIND_BELOW, KIND_ABOVE };

static uint8_t word_kind(enum seccomp_op op)
{
	switch (op) {
	case SECCOMP_OP_LT:
	case SECCOMP_OP_LE:
		return KIND_BELOW;
	case SECCOMP_OP_GE:
	case SECCOMP_OP_GT:
		return KIND_ABOVE;
	default:
		return KIND_EQUAL;
	}
}

/* Return: false if the rule has no more than @at words */
static bool word_at(const struct check *check, unsigned at, bool wide, struct word *ret_word)
{
	const struct check_cond *cond = &check->conds[wide ? at / 2 : at];
	bool high = wide && at % 2 == 0;

	if ((wide ? at / 2 : at) >= check->n)
		return false;
	*ret_word = (struct word){
		.index = cond->index,
		.kind = word_kind(cond->op),
		.inclusive = !high && (cond->op == SECCOMP_OP_GE || cond->op == SECCOMP_OP_LT),
		.mask = (uint32_t)(high ? cond->mask >> 32 : cond->mask),
		.value = (uint32_t)(high ? cond->value >> 32 : cond->value),
	};
	return true;
}

/* Whether both rules make the same comparison there, be it for different answers (= and !=). */
static bool same_word(const struct check *a, const struct check *b, unsigned at, bool wide)
{
	struct word x, y;

	return word_at(a, at, wide, &x) && word_at(b, at, wide, &y) && x.index == y.index &&
	       x.kind == y.kind && x.inclusive == y.inclusive && x.mask == y.mask &&
	       x.value == y.value;
}

/* Whether @a comes before @b, of which neither has come to its end, by their word there. */
static bool goes_before(const struct check *a, const struct check *b, unsigned at, bool wide)
{
	struct word x, y;

	if (!word_at(a, at, wide, &x) || !word_at(b, at, wide, &y))
		return false;
	if (x.index != y.index)
		return x.index > y.index;
	if (x.kind != y.kind)
		return x.kind < y.kind;
	return x.kind == KIND_BELOW ? x.value < y.value : x.value > y.value;
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

void check_insert(struct check **list, struct check *new, bool wide)
{
	struct check **begin = list,
		     *end = NULL; /* the rules that begin with the same words as @new */
	unsigned at = 0;

	for (const struct check *old = *list; old; old = old->next)
		if (covers(old, new))
			return;

	/* Rules that share words stand together: narrow the place down, word by word. */
	for (;; at++) {
		struct check **first = begin, *last;

		while (*first != end && !same_word(*first, new, at, wide))
			first = &(*first)->next;
		if (*first == end)
			break;
		for (last = *first; last != end && same_word(last, new, at, wide);)
			last = last->next;
		begin = first;
		end = last;
	}
	while (*begin != end && !goes_before(new, *begin, at, wide))
		begin = &(*begin)->next;
	new->next = *begin;
	*begin = new;
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
