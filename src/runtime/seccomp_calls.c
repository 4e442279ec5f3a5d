/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp_calls.h"

#include <string.h>

void calls_init(struct call_table *table, struct arena *arena)
{
	table->arena = arena;
	table->too_large = false;
}

void calls_clear(struct call_table *table)
{
	memset(table->calls, 0, sizeof(table->calls));
	table->n_lists = 1;
}

void calls_decide(struct call_table *table, unsigned slot, uint32_t ret)
{
	struct call *call = &table->calls[slot];

	if (call->decided)
		return;
	call->decided = true;
	call->ret = ret;
}

static void add_check(struct call_table *table, unsigned slot, bool wide, struct check *check)
{
	struct call *call = &table->calls[slot];

	if (call->decided)
		return;
	if (!call->list) {
		call->list = table->n_lists++;
		table->lists[call->list].first = NULL;
		table->lists[call->list].n = 0;
	}
	if (table->lists[call->list].n++ == EMIT_MAX) {
		table->too_large = true;
		table->lists[call->list].n--;
		return;
	}
	check_insert(&table->lists[call->list].first, check, wide);
}

static bool repeats_argument(const struct config_seccomp_arg_list *args)
{
	unsigned seen = 0;

	for (size_t i = 0; i < args->n; i++) {
		if (seen & (1u << args->items[i].index))
			return true;
		seen |= 1u << args->items[i].index;
	}
	return false;
}

/* Add a condition where it belongs by its argument's number. */
static void insert_cond(struct check *check, const struct check_cond *cond)
{
	unsigned at = check->n;

	for (; at > 0 && check->conds[at - 1].index > cond->index; at--)
		check->conds[at] = check->conds[at - 1];
	check->conds[at] = *cond;
	check->n++;
}

/* Conditions @args[0..n), no argument twice, as one rule. */
static void add_rule(struct call_table *table, enum seccomp_arch arch, unsigned slot, unsigned mux,
		     const struct config_seccomp_arg *args, size_t n, uint32_t ret)
{
	const struct config_seccomp_arg which = { .value = mux, .op = SECCOMP_OP_EQ };
	bool wide = seccomp_abis[arch].wide;
	struct check *check = check_new(table->arena, (unsigned)n + 1, ret);
	struct check_cond cond;

	if (mux && check_cond_make(&which, wide, &cond))
		insert_cond(check, &cond);
	for (size_t i = 0; i < n; i++) {
		if (mux && args[i].index == 0)
			continue;
		if (check_cond_make(&args[i], wide, &cond))
			insert_cond(check, &cond);
	}
	if (check->n == 0)
		calls_decide(table, slot, ret);
	else
		add_check(table, slot, wide, check);
}

void calls_add(struct call_table *table, enum seccomp_arch arch, unsigned slot, unsigned mux,
	       const struct config_seccomp_arg_list *args, uint32_t ret)
{
	if (args->n == 0 && !mux) {
		calls_decide(table, slot, ret);
		return;
	}
	if (!repeats_argument(args)) {
		add_rule(table, arch, slot, mux, args->items, args->n, ret);
		return;
	}
	for (size_t i = 0; i < args->n; i++)
		add_rule(table, arch, slot, mux, &args->items[i], 1, ret);
}
