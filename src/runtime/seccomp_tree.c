/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A balanced tree of "number >= k" over the ranges, so that a verdict takes about log2(ranges) comparisons instead of
 * one for each system call of the profile. Profiles are mostly long allowed stretches with single numbers cut out;
 * near the leaves those are tested for equality, one instruction where two bounds would need two.
 */
#include "runtime/seccomp_tree.h"

/* Single numbers tested one after the other below the tree: more would save nothing and cost depth. */
#define EXCEPTIONS_MAX 3

static bool same_verdict(const struct range *a, const struct range *b)
{
	if (a->ret != b->ret || !a->checks != !b->checks)
		return false;
	return !a->checks || (a->arch == b->arch && check_list_equal(a->checks, b->checks));
}

void range_add(struct range_list *list, uint32_t last, uint32_t ret, const struct check *checks,
	       enum seccomp_arch arch)
{
	struct range *previous = list->n ? &list->items[list->n - 1] : NULL;
	struct range new = {
		.first = previous ? previous->last + 1 : 0,
		.last = last,
		.ret = ret,
		.checks = checks,
		.arch = arch,
	};

	if (previous && same_verdict(previous, &new))
		previous->last = last;
	else
		list->items[list->n++] = new;
}

static label emit_leaf(struct emitter *e, struct arena *arena, const struct range *range)
{
	if (!range->checks)
		return emit_ret(e, range->ret);
	return emit_checks(e, arena, range->arch, range->checks, range->ret);
}

/* Whether all ranges but a few single numbers are decided like @background. */
static bool has_few_exceptions(const struct range *ranges, size_t n, const struct range *background)
{
	unsigned exceptions = 0;

	for (size_t i = 0; i < n; i++) {
		if (same_verdict(&ranges[i], background))
			continue;
		if (ranges[i].first != ranges[i].last || ++exceptions > EXCEPTIONS_MAX)
			return false;
	}
	return true;
}

static label emit_exceptions(struct emitter *e, struct arena *arena, const struct range *ranges,
			     size_t n, const struct range *background)
{
	label otherwise = emit_leaf(e, arena, background);

	for (size_t i = n; i-- > 0;) {
		if (same_verdict(&ranges[i], background))
			continue;
		otherwise = emit_test(e, BPF_JEQ, ranges[i].first, emit_leaf(e, arena, &ranges[i]),
				      otherwise);
	}
	return otherwise;
}

/* Recursion ends: each half is smaller; its depth is log2(RANGES_MAX). */
static label emit_ranges(struct emitter *e, struct arena *arena, const struct range *ranges,
			 size_t n)
{
	size_t middle = n / 2;
	label above, below;

	if (has_few_exceptions(ranges, n, &ranges[0]))
		return emit_exceptions(e, arena, ranges, n, &ranges[0]);
	if (has_few_exceptions(ranges, n, &ranges[1]))
		return emit_exceptions(e, arena, ranges, n, &ranges[1]);

	above = emit_ranges(e, arena, ranges + middle, n - middle);
	below = emit_ranges(e, arena, ranges, middle);
	return emit_test(e, BPF_JGE, ranges[middle].first, above, below);
}

label emit_tree(struct emitter *e, struct arena *arena, const struct range_list *list)
{
	return emit_ranges(e, arena, list->items, list->n);
}
