/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp/model.h"

#include "runtime/seccomp_arch.h"

#include <errno.h>
#include <string.h>

#define CANDIDATES_MAX 256

/* One rule of the profile, or one condition of a rule that tests an argument twice, as it applies to the call. */
struct model_candidate {
	const struct config_seccomp_arg *args[8];
	size_t n;
	/* the argument 0 that socketcall and ipc have instead of the rule's */
	struct config_seccomp_arg mux;
	uint32_t ret;
};

static uint32_t ret_value(uint32_t action, struct opt_u32 data)
{
	if (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE)
		return action | (data.set ? data.v & 0xffff : EPERM);
	return action;
}

static bool listed(const struct config_seccomp *config, enum seccomp_arch arch)
{
	return arch == seccomp_native_arch() || config->architectures & (1u << arch);
}

static enum seccomp_arch find_arch(const struct config_seccomp *config, uint32_t token, uint32_t nr)
{
	for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++) {
		if (seccomp_abis[arch].token != token || !listed(config, arch))
			continue;
		if (arch == ARCH_X86_64 && nr & X32_BIT &&
		    (listed(config, ARCH_X32) || nr != UINT32_MAX))
			continue;
		if (arch == ARCH_X86_64 && nr & (2 * X32_BIT) && !(nr & X32_BIT) &&
		    !listed(config, ARCH_X32))
			continue;
		if (arch == ARCH_X32 && !(nr & X32_BIT))
			continue;
		return arch;
	}
	return SECCOMP_ARCHES;
}

/* The number by which a call is made. -1: not at all. */
static int64_t number_of(enum seccomp_arch arch, const struct syscall_row *row)
{
	if (!row || row->slot[arch] == SYSCALL_ABSENT)
		return -1;
	return seccomp_number(arch, row->slot[arch]);
}

/* The number of socketcall or ipc, if the call can be made through it. */
static int64_t through_number(enum seccomp_arch arch, const struct syscall_row *row)
{
	if (!row || !row->mux || !seccomp_abis[arch].muxes)
		return -1;
	return number_of(arch, syscall_find(row->mux < 200 ? "socketcall" : "ipc"));
}

void model_init(struct model *model, struct arena *arena, const struct config_seccomp *config)
{
	const struct config_seccomp_rule_list *rules = &config->syscalls;

	*model = (struct model){ .config = config };
	model->candidates = arena_array(arena, CANDIDATES_MAX, sizeof(*model->candidates));
	model->rows = arena_array(arena, rules->n, sizeof(*model->rows));
	for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++)
		model->largest[arch] = -1;

	for (size_t i = 0; i < rules->n; i++) {
		const struct str_list *names = &rules->items[i].names;

		model->rows[i] = arena_array(arena, names->n, sizeof(*model->rows[i]));
		for (size_t j = 0; j < names->n; j++) {
			const struct syscall_row *row = model->rows[i][j] =
				syscall_find(names->items[j]);

			for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++) {
				int64_t number = number_of(arch, row),
					through = through_number(arch, row);

				if (number > model->largest[arch])
					model->largest[arch] = number;
				if (through > model->largest[arch])
					model->largest[arch] = through;
			}
		}
	}
}

static bool stub_decides(const struct model *model)
{
	const struct config_seccomp *config = model->config;
	enum seccomp_arch arch = model->arch;

	if (config->default_action == SECCOMP_RET_ALLOW ||
	    config->default_action == SECCOMP_RET_LOG ||
	    config->default_action == SECCOMP_RET_TRACE)
		return false;
	if (config->default_errno_ret.set && config->default_errno_ret.v == ENOSYS)
		return false;
	if (arch == SECCOMP_ARCHES && model->token == seccomp_abis[ARCH_X86_64].token &&
	    !(model->nr & X32_BIT))
		arch = ARCH_X86_64;
	if (arch == SECCOMP_ARCHES || model->largest[arch] < 0 ||
	    (arch == ARCH_X86_64 && model->nr == UINT32_MAX))
		return false;
	if (model->nr == 0 && (arch == ARCH_S390 || arch == ARCH_S390X))
		return true;
	return (int64_t)model->nr > model->largest[arch];
}

static bool cond_holds(const struct config_seccomp_arg *arg, enum seccomp_arch arch,
		       const struct seccomp_data *data)
{
	uint64_t width = seccomp_abis[arch].wide ? UINT64_MAX : UINT32_MAX;
	uint64_t actual = data->args[arg->index] & width, value = arg->value & width,
		 two = arg->value_two & width;

	switch (arg->op) {
	case SECCOMP_OP_NE:
		return actual != value;
	case SECCOMP_OP_LT:
		return actual < value;
	case SECCOMP_OP_LE:
		return actual <= value;
	case SECCOMP_OP_EQ:
		return actual == value;
	case SECCOMP_OP_GE:
		return actual >= value;
	case SECCOMP_OP_GT:
		return actual > value;
	default:
		return (actual & value) == (two & value);
	}
}

static bool is_inclusive(enum seccomp_op op)
{
	return op == SECCOMP_OP_GE || op == SECCOMP_OP_LT;
}

/* One 32-bit comparison of a rule, and how it ranks. */
struct piece {
	int rank[4]; /* the larger goes first: argument, kind, value */
	uint64_t identity[4];
};

static bool piece_of(const struct model_candidate *c, size_t at, bool wide, struct piece *ret)
{
	size_t n = wide ? at / 2 : at;
	const struct config_seccomp_arg *arg;
	bool high = wide && at % 2 == 0, masked, equal, below;
	uint64_t mask, value;

	if (n >= c->n)
		return false;
	arg = c->args[n];
	masked = arg->op == SECCOMP_OP_MASKED_EQ;
	equal = masked || arg->op == SECCOMP_OP_EQ || arg->op == SECCOMP_OP_NE;
	below = arg->op == SECCOMP_OP_LT || arg->op == SECCOMP_OP_LE;
	mask = masked ? arg->value : UINT64_MAX;
	value = (masked ? arg->value_two : arg->value) & mask;
	mask = high ? mask >> 32 : (uint32_t)mask;
	value = high ? value >> 32 : (uint32_t)value;

	*ret = (struct piece){
		.rank = { (int)arg->index, equal   ? 3
					   : below ? 2
						   : 1 },
		.identity = { arg->index,
			      (uint64_t)(equal   ? 0
					 : below ? 1
						 : 2) *
					      2 +
				      (!high && is_inclusive(arg->op)),
			      mask, value },
	};
	/* Values as ranks: the sign bit turned, so that they compare as unsigned ones. */
	ret->rank[2] = (int)((uint32_t)(below ? ~value : value) ^ 0x80000000);
	return true;
}

/* How many pieces two rules have in common at their beginnings. */
static size_t common(const struct model_candidate *a, const struct model_candidate *b, bool wide)
{
	struct piece x, y;
	size_t n = 0;

	while (piece_of(a, n, wide, &x) && piece_of(b, n, wide, &y) &&
	       memcmp(x.identity, y.identity, sizeof(x.identity)) == 0)
		n++;
	return n;
}

static bool outranks(const struct model_candidate *a, const struct model_candidate *b, size_t at,
		     bool wide)
{
	struct piece x, y;

	if (!piece_of(a, at, wide, &x) || !piece_of(b, at, wide, &y))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (x.rank[i] != y.rank[i])
			return x.rank[i] > y.rank[i];
	return false;
}

static bool same_arg(const struct config_seccomp_arg *a, const struct config_seccomp_arg *b,
		     bool wide)
{
	uint64_t width = wide ? UINT64_MAX : UINT32_MAX;
	bool a_masked = a->op == SECCOMP_OP_MASKED_EQ, b_masked = b->op == SECCOMP_OP_MASKED_EQ;
	uint64_t a_mask = a_masked ? a->value & width : width,
		 b_mask = b_masked ? b->value & width : width;

	return a->index == b->index &&
	       (a_masked ? SECCOMP_OP_EQ : a->op) == (b_masked ? SECCOMP_OP_EQ : b->op) &&
	       a_mask == b_mask &&
	       ((a_masked ? a->value_two : a->value) & a_mask) ==
		       ((b_masked ? b->value_two : b->value) & b_mask);
}

static bool is_within(const struct model_candidate *inner, const struct model_candidate *outer,
		      bool wide)
{
	for (size_t o = 0; o < outer->n; o++) {
		bool same = false;

		for (size_t i = 0; i < inner->n && !same; i++)
			same = same_arg(inner->args[i], outer->args[o], wide);
		if (!same)
			return false;
	}
	return true;
}

/* Conditions that always hold are no conditions; the others by rising argument. */
static void add_arg(struct model_candidate *c, const struct config_seccomp_arg *arg, bool wide)
{
	size_t at = c->n;

	if (arg->op == SECCOMP_OP_MASKED_EQ && (wide ? arg->value : (uint32_t)arg->value) == 0)
		return;
	for (; at > 0 && c->args[at - 1]->index > arg->index; at--)
		c->args[at] = c->args[at - 1];
	c->args[at] = arg;
	c->n++;
}

static bool repeats(const struct config_seccomp_arg_list *args)
{
	for (size_t i = 0; i < args->n; i++)
		for (size_t j = 0; j < i; j++)
			if (args->items[i].index == args->items[j].index)
				return true;
	return false;
}

/* Insert by precedence, unless it is within one that is there. */
static size_t add_candidate(struct model_candidate *list, size_t n,
			    const struct model_candidate *new, bool wide)
{
	size_t most = 0, at;

	for (size_t i = 0; i < n; i++) {
		if (is_within(new, &list[i], wide))
			return n;
		if (common(new, &list[i], wide) > most)
			most = common(new, &list[i], wide);
	}
	/* Among those with which it has most in common: before the first that it outranks, else behind them all. */
	for (at = 0; at < n && common(new, &list[at], wide) < most; at++)
		;
	for (; at < n && common(new, &list[at], wide) == most &&
	       !outranks(new, &list[at], most, wide);
	     at++)
		;
	if (n == CANDIDATES_MAX)
		return n;
	memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
	list[at] = *new;
	/* The copy's own argument moved with it. */
	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k < list[i].n; k++)
			if (list[i].args[k]->index == 0 && list[i].mux.op)
				list[i].args[k] = &list[i].mux;
	return n + 1;
}

/* The candidates of one rule under one of the two numbers of a name. */
static size_t add_rule(struct model_candidate *list, size_t n,
		       const struct config_seccomp_rule *rule, enum seccomp_arch arch, unsigned mux)
{
	size_t parts = repeats(&rule->args) ? rule->args.n : 1;
	bool wide = seccomp_abis[arch].wide;

	for (size_t part = 0; part < parts; part++) {
		struct model_candidate c = { .ret = ret_value(rule->action, rule->errno_ret) };

		if (mux) {
			c.mux = (struct config_seccomp_arg){ .value = mux, .op = SECCOMP_OP_EQ };
			add_arg(&c, &c.mux, wide);
		}
		for (size_t i = 0; i < rule->args.n; i++)
			if ((parts == 1 || i == part) && !(mux && rule->args.items[i].index == 0))
				add_arg(&c, &rule->args.items[i], wide);
		n = add_candidate(list, n, &c, wide);
	}
	return n;
}

/* All rules about the call, in the order in which they are looked at. */
static void collect(struct model *model)
{
	const struct config_seccomp *config = model->config;
	uint32_t default_ret = ret_value(config->default_action, config->default_errno_ret);

	model->n = 0;
	for (size_t i = 0; i < config->syscalls.n; i++) {
		const struct config_seccomp_rule *rule = &config->syscalls.items[i];

		if (ret_value(rule->action, rule->errno_ret) == default_ret)
			continue;
		for (size_t j = 0; j < rule->names.n; j++) {
			const struct syscall_row *row = model->rows[i][j];

			if (through_number(model->arch, row) == model->nr)
				model->n = add_rule(model->candidates, model->n, rule, model->arch,
						    row->mux % 100);
			if (number_of(model->arch, row) == model->nr)
				model->n =
					add_rule(model->candidates, model->n, rule, model->arch, 0);
		}
	}
}

static void look_at(struct model *model, const struct seccomp_data *data)
{
	if (model->has_call && model->token == data->arch && model->nr == (uint32_t)data->nr)
		return;
	model->has_call = true;
	model->token = data->arch;
	model->nr = (uint32_t)data->nr;
	model->arch = find_arch(model->config, model->token, model->nr);
	model->stub = stub_decides(model);
	if (model->arch != SECCOMP_ARCHES)
		collect(model);
}

static bool holds(const struct model_candidate *c, enum seccomp_arch arch,
		  const struct seccomp_data *data)
{
	for (size_t i = 0; i < c->n; i++)
		if (!cond_holds(c->args[i], arch, data))
			return false;
	return true;
}

bool model_stub(struct model *model, const struct seccomp_data *data)
{
	look_at(model, data);
	return model->stub;
}

uint32_t model_verdict(struct model *model, const struct seccomp_data *data)
{
	look_at(model, data);
	if (model->stub)
		return SECCOMP_RET_ERRNO | ENOSYS;
	if (model->arch == SECCOMP_ARCHES)
		return SECCOMP_RET_KILL_THREAD;

	/* Without conditions: decides, wherever it stands. */
	for (size_t i = 0; i < model->n; i++)
		if (model->candidates[i].n == 0)
			return model->candidates[i].ret;
	for (size_t i = 0; i < model->n; i++)
		if (holds(&model->candidates[i], model->arch, data))
			return model->candidates[i].ret;
	return ret_value(model->config->default_action, model->config->default_errno_ret);
}

bool model_allows(struct model *model, const struct seccomp_data *data, uint32_t verdict)
{
	bool any = false;

	look_at(model, data);
	if (model->arch == SECCOMP_ARCHES)
		return verdict == SECCOMP_RET_KILL_THREAD;
	for (size_t i = 0; i < model->n; i++) {
		if (!holds(&model->candidates[i], model->arch, data))
			continue;
		any = true;
		if (model->candidates[i].ret == verdict)
			return true;
	}
	return !any && verdict == ret_value(model->config->default_action,
					    model->config->default_errno_ret);
}
