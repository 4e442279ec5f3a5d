/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A balanced tree of "number >= k" over the ranges, so that a verdict takes about log2(ranges) comparisons instead of
 * one for each system call of the profile. Profiles are mostly long allowed stretches with single numbers cut out;
 * near the leaves those are tested for equality, one instruction where two bounds would need two.
 */
#include "runtime/seccomp_tree.h"

/* Single numbers tested one after the other below the tree: more would save nothing and cost depth. */
#define EXCEPTIONS_MAX 3

/* Neighbouring ranges that are decided together: by equality with a few single numbers, otherwise as the background. */
struct group {
	const struct range *ranges, *background;
	size_t n;
};

/* Whether the arguments of a call lie alike, so that the same code can look at them. */
static bool same_layout(enum seccomp_arch a, enum seccomp_arch b)
{
	return seccomp_abis[a].wide == seccomp_abis[b].wide &&
	       seccomp_abis[a].big_endian == seccomp_abis[b].big_endian;
}

static bool same_verdict(const struct range *a, const struct range *b)
{
	if (a->ret != b->ret || !a->checks != !b->checks)
		return false;
	return !a->checks ||
	       (same_layout(a->arch, b->arch) && check_list_equal(a->checks, b->checks));
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

static label emit_leaf(struct emitter *e, struct leaves *leaves, const struct range *range)
{
	struct leaf *leaf;

	if (!range->checks)
		return emit_ret(e, range->ret);
	for (size_t i = 0; i < leaves->n && i < LEAVES_MAX; i++)
		if (same_verdict(&leaves->items[i].range, range))
			return leaves->items[i].at;

	leaf = &leaves->items[leaves->n++ % LEAVES_MAX];
	leaf->range = *range;
	leaf->at = emit_checks(e, leaves->arena, range->arch, range->checks, range->ret);
	return leaf->at;
}

/*
 * How many ranges from the first on are decided like @background or are single numbers, of which it takes a few.
 */
static size_t group_reach(const struct range *ranges, size_t n, const struct range *background)
{
	unsigned exceptions = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (same_verdict(&ranges[i], background))
			continue;
		if (ranges[i].first != ranges[i].last || ++exceptions > EXCEPTIONS_MAX)
			break;
	}
	return i;
}

/* The longest group that begins here. Its background can only be the first range or the second. */
static struct group group_at(const struct range *ranges, size_t n)
{
	struct group group = { .ranges = ranges,
			       .background = ranges,
			       .n = group_reach(ranges, n, ranges) };
	size_t reach = n > 1 ? group_reach(ranges, n, ranges + 1) : 0;

	if (reach > group.n) {
		group.background = ranges + 1;
		group.n = reach;
	}
	return group;
}

static label emit_group(struct emitter *e, struct leaves *leaves, const struct group *group)
{
	label otherwise = emit_leaf(e, leaves, group->background);

	for (size_t i = group->n; i-- > 0;) {
		const struct range *range = &group->ranges[i];

		if (!same_verdict(range, group->background))
			otherwise = emit_test(e, BPF_JEQ, range->first, emit_leaf(e, leaves, range),
					      otherwise);
	}
	return otherwise;
}

/* Recursion ends: each half is smaller; its depth is log2(RANGES_MAX). */
static label emit_groups(struct emitter *e, struct leaves *leaves, const struct group *groups,
			 size_t n)
{
	size_t middle = n / 2;
	label above, below;

	if (n == 1)
		return emit_group(e, leaves, &groups[0]);
	above = emit_groups(e, leaves, groups + middle, n - middle);
	below = emit_groups(e, leaves, groups, middle);
	return emit_test(e, BPF_JGE, groups[middle].ranges[0].first, above, below);
}

label emit_tree(struct emitter *e, struct leaves *leaves, const struct range_list *list)
{
	struct group groups[RANGES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < list->n; i += groups[n++].n)
		groups[n] = group_at(&list->items[i], list->n - i);
	return emit_groups(e, leaves, groups, n);
}
