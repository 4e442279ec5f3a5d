/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp/random.h"

#include "runtime/seccomp_arch.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

/* How many argument vectors a call with conditions is probed with, besides the corners. */
#define VECTORS    48
#define VALUES_MAX 96
#define POOL       24 /* names that several rules of a profile are about */

uint32_t random_next(struct random *random)
{
	/* splitmix64 */
	uint64_t z = (random->state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 32);
}

uint32_t random_below(struct random *random, uint32_t n)
{
	return random_next(random) % n;
}

static uint64_t random_value(struct random *random)
{
	static const uint64_t usual[] = {
		0,
		1,
		2,
		3,
		5,
		8,
		16,
		40,
		0xff,
		0x7fffffff,
		0x80000000,
		0xfffffffe,
		0xffffffff,
		0x100000000,
		0x100000001,
		0x100000005,
		0x7e020000,
		0x1ffffffff,
		0xffffffff00000000,
		INT64_MAX,
		UINT64_MAX,
		UINT64_MAX - 1,
	};

	if (random_below(random, 8) == 0)
		return (uint64_t)random_next(random) << 32 | random_next(random);
	return usual[random_below(random, ARRAY_LEN(usual))];
}

static uint32_t random_action(struct random *random, struct opt_u32 *ret_data)
{
	static const uint32_t actions[] = {
		SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW,       SECCOMP_RET_ERRNO,
		SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS,
		SECCOMP_RET_TRAP,  SECCOMP_RET_TRACE,       SECCOMP_RET_LOG,
	};
	uint32_t action = actions[random_below(random, ARRAY_LEN(actions))];

	*ret_data = (struct opt_u32){};
	if ((action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE) &&
	    random_below(random, 4)) {
		ret_data->set = true;
		ret_data->v = random_below(random, 3) ? 1 + random_below(random, 5) : ENOSYS;
	}
	return action;
}

static const char *random_name(struct random *random, const struct random_wish *wish)
{
	/* The multiplexed ones are few, and special. */
	static const char *const favourites[] = {
		"socket", "socketcall", "ipc",  "accept", "accept4", "semop",     "semtimedop",
		"shmat",  "recvmmsg",   "send", "clone",  "set_tls", "breakpoint"
	};

	for (;;) {
		const char *name = syscall_rows[random_below(random, syscall_row_count)].name;

		if (random_below(random, 6) == 0)
			name = favourites[random_below(random, ARRAY_LEN(favourites))];
		if (!wish->peer_names)
			return name;
		/* libseccomp 2.5.4 takes the one for the other: their pseudo numbers are the same. */
		if (strcmp(name, "sys_debug_setcontext") == 0 || strcmp(name, "switch_endian") == 0)
			continue;
		if (seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR)
			return name;
	}
}

static bool has_name(const struct str_list *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* Each once: libseccomp 2.5.4 can lose a rule with range comparisons when it is given it again. */
static void random_names(struct random *random, struct arena *arena, const struct random_wish *wish,
			 const char *const pool[POOL], struct str_list *ret_names)
{
	uint32_t n = 1 + random_below(random, random_below(random, 4) ? 3 : 40);

	ret_names->items = arena_array(arena, n, sizeof(char *));
	ret_names->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		const char *name =
			n > 3 ? random_name(random, wish) : pool[random_below(random, POOL)];

		if (!has_name(ret_names, name))
			ret_names->items[ret_names->n++] = name;
	}
}

static void random_args(struct random *random, struct arena *arena, bool repeat,
			struct config_seccomp_arg_list *ret_args)
{
	static const uint8_t counts[] = { 0, 0, 0, 1, 1, 1, 2, 2, 3, 4 };
	size_t n = counts[random_below(random, ARRAY_LEN(counts))];
	unsigned seen = 0;

	ret_args->items = arena_array(arena, n, sizeof(*ret_args->items));
	ret_args->n = 0;
	while (ret_args->n < n) {
		struct config_seccomp_arg *arg = &ret_args->items[ret_args->n];

		arg->index = random_below(random, random_below(random, 3) ? 3 : 6);
		if (seen & (1u << arg->index) && !repeat)
			continue;
		seen |= 1u << arg->index;
		arg->op = (enum seccomp_op)(1 + random_below(random, 7));
		arg->value = random_value(random);
		arg->value_two = random_below(random, 2) ? arg->value & random_value(random)
							 : random_value(random);
		ret_args->n++;
	}
}

/* Turn the rules of each call into ones that can't overlap: the k-th one wants argument 5 to be 1000 + k. */
static void make_disjoint(struct arena *arena, struct config_seccomp *config)
{
	for (size_t i = 0; i < config->syscalls.n; i++) {
		struct config_seccomp_rule *rule = &config->syscalls.items[i];
		struct config_seccomp_arg *args =
			arena_array(arena, rule->args.n + 1, sizeof(*args));
		size_t n = 0;

		args[n++] = (struct config_seccomp_arg){ .index = 0,
							 .value = 1000 + i,
							 .op = SECCOMP_OP_EQ };
		for (size_t k = 0; k < rule->args.n; k++)
			if (rule->args.items[k].index != 0)
				args[n++] = rule->args.items[k];
		rule->args.items = args;
		rule->args.n = n;
	}
}

void random_profile(struct random *random, struct arena *arena, const struct random_wish *wish,
		    struct config_seccomp *ret_config)
{
	const char *pool[POOL];
	struct config_seccomp config = { .set = true };
	struct config_seccomp_rule *rules;

	config.default_action = random_action(random, &config.default_errno_ret);
	for (unsigned arch = 0; arch < SECCOMP_ARCHES; arch++)
		if (wish->arches & (1u << arch) && random_below(random, 3) == 0)
			config.architectures |= 1u << arch;

	/* Few names for many rules, so that rules meet. */
	for (size_t i = 0; i < POOL; i++)
		pool[i] = random_name(random, wish);
	config.syscalls.n = 1 + random_below(random, wish->rules);
	rules = config.syscalls.items = arena_array(arena, config.syscalls.n, sizeof(*rules));
	for (size_t i = 0; i < config.syscalls.n; i++) {
		rules[i].action = random_action(random, &rules[i].errno_ret);
		random_names(random, arena, wish, pool, &rules[i].names);
		random_args(random, arena, !wish->disjoint && random_below(random, 8) == 0,
			    &rules[i].args);
	}
	if (wish->disjoint)
		make_disjoint(arena, &config);
	*ret_config = config;
}

/* ---- probes --------------------------------------------------------------------------------------------------- */

struct values {
	uint64_t items[VALUES_MAX];
	size_t n;
};

static void add_value(struct values *values, uint64_t value)
{
	for (size_t i = 0; i < values->n; i++)
		if (values->items[i] == value)
			return;
	if (values->n < VALUES_MAX)
		values->items[values->n++] = value;
}

static void add_around(struct values *values, uint64_t value)
{
	add_value(values, value);
	add_value(values, value - 1);
	add_value(values, value + 1);
	add_value(values, value ^ (1ULL << 32));
	add_value(values, (uint32_t)value);
	add_value(values, value | 0xffffffff00000000);
}

static bool concerns(const char *name, enum seccomp_arch arch, uint32_t number)
{
	const struct syscall_row *row = syscall_find(name);

	if (!row)
		return false;
	if (row->slot[arch] != SYSCALL_ABSENT && seccomp_number(arch, row->slot[arch]) == number)
		return true;
	row = row->mux && seccomp_abis[arch].muxes
		      ? syscall_find(row->mux < 200 ? "socketcall" : "ipc")
		      : NULL;
	return row && seccomp_number(arch, row->slot[arch]) == number;
}

/* The interesting values of each argument of a call. Return: false if no rule with conditions is about it */
static bool collect_values(const struct config_seccomp *config, enum seccomp_arch arch,
			   uint32_t number, struct values values[6])
{
	bool any = false;

	memset(values, 0, 6 * sizeof(*values));
	for (size_t i = 0; i < config->syscalls.n; i++) {
		const struct config_seccomp_rule *rule = &config->syscalls.items[i];

		for (size_t j = 0; rule->args.n && j < rule->names.n; j++) {
			if (!concerns(rule->names.items[j], arch, number))
				continue;
			any = true;
			if (syscall_find(rule->names.items[j])->mux)
				add_around(&values[0],
					   syscall_find(rule->names.items[j])->mux % 100);
			for (size_t k = 0; k < rule->args.n; k++) {
				const struct config_seccomp_arg *arg = &rule->args.items[k];

				add_around(&values[arg->index], arg->value);
				if (arg->op == SECCOMP_OP_MASKED_EQ) {
					add_around(&values[arg->index],
						   arg->value_two & arg->value);
					add_value(&values[arg->index],
						  arg->value_two | ~arg->value);
				}
			}
		}
	}
	for (unsigned i = 0; i < 6; i++) {
		add_value(&values[i], 0);
		add_value(&values[i], UINT64_MAX);
	}
	return any;
}

long probe_call(struct random *random, const struct config_seccomp *config, enum seccomp_arch arch,
		uint32_t number, probe_fn *probe, void *context)
{
	struct seccomp_data data = { .nr = (int)number, .arch = seccomp_abis[arch].token };
	struct values values[6];
	long sum = 0;
	int r;

	r = probe(context, &data);
	if (r < 0 || !collect_values(config, arch, number, values))
		return r;
	sum += r;

	/* Each value of each argument once, the others random among theirs; then all random. */
	for (unsigned i = 0; i <= 6; i++) {
		size_t n = i < 6 ? values[i].n : VECTORS;

		for (size_t v = 0; v < n; v++) {
			for (unsigned k = 0; k < 6; k++)
				data.args[k] =
					values[k]
						.items[random_below(random, (uint32_t)values[k].n)];
			if (i < 6)
				data.args[i] = values[i].items[v];
			r = probe(context, &data);
			if (r < 0)
				return r;
			sum += r;
		}
	}
	return sum;
}

long probe_each(struct random *random, const struct config_seccomp *config, probe_fn *probe,
		void *context)
{
	static const uint32_t edges[] = { 1023,       4000 + 1023, 5000 + 1023, 6000 + 1023,
					  0xeffff,    0xf0000,     0xf0007,     0x3fffffff,
					  0x7fffffff, 0x80000000,  0x80000001,  0xbfffffff,
					  0xc0000000, 0xfffffffe,  0xffffffff };
	long sum = 0, r;

	for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++) {
		/* One that is not listed is asked too, to see that it is refused; a few numbers of it are enough. */
		bool listed = arch == seccomp_native_arch() || config->architectures & (1u << arch);

		for (unsigned slot = 0; slot < SYSCALL_SLOTS; slot += listed ? 1 : 97) {
			if (slot == 600)
				slot = SYSCALL_PRIVATE_SLOT;
			r = probe_call(random, config, arch, seccomp_number(arch, slot), probe,
				       context);
			if (r < 0)
				return r;
			sum += r;
		}
		for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
			r = probe_call(random, config, arch, edges[i], probe, context);
			if (r < 0)
				return r;
			sum += r;
		}
	}
	return sum;
}

struct seccomp_data probe_layout(const struct seccomp_data *data)
{
	struct seccomp_data laid = *data;

	for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++) {
		if (seccomp_abis[arch].token != data->arch || !seccomp_abis[arch].big_endian)
			continue;
		for (unsigned i = 0; i < ARRAY_LEN(laid.args); i++)
			laid.args[i] = data->args[i] << 32 | data->args[i] >> 32;
	}
	return laid;
}
