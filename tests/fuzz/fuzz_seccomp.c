/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp_compile() with any profile that the reader could have read: the program is one that the kernel takes, and
 * means what the model says, for the calls that the profile names with arguments at its bounds.
 */
#include "runtime/seccomp.h"
#include "runtime/seccomp/model.h"
#include "runtime/seccomp/random.h"
#include "runtime/seccomp/sim.h"
#include "runtime/seccomp_arch.h"
#include "promise.h"

#include <string.h>

#define RULES_MAX 48
#define NAMES_MAX 6
#define ARGS_MAX  6

/* The input as a stream; zeros behind its end. */
struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	for (; bytes > 0 && in->left > 0; bytes--, in->left--)
		value = value << 8 | *in->data++;
	return value;
}

static uint32_t take_action(struct input *in, struct opt_u32 *ret_errno)
{
	static const uint32_t actions[] = {
		SECCOMP_RET_ALLOW,        SECCOMP_RET_ERRNO,      SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP,       SECCOMP_RET_TRACE,
		SECCOMP_RET_LOG,          SECCOMP_RET_USER_NOTIF,
	};
	uint8_t byte = (uint8_t)take(in, 1);
	uint32_t action = actions[byte % ARRAY_LEN(actions)];

	if (byte & 8 && (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE))
		*ret_errno = (struct opt_u32){ true, (uint32_t)take(in, 1) };
	return action;
}

/* Half of the values are small or at the edge of a word, where bounds meet. */
static uint64_t take_value(struct input *in)
{
	static const uint64_t edges[] = { UINT32_MAX, UINT32_MAX - 1ULL, UINT32_MAX + 1ULL,
					  UINT64_MAX };
	uint8_t how = (uint8_t)take(in, 1);

	if (how & 0x80)
		return how & 0x40 ? edges[how % 4] : take(in, 8);
	return how;
}

static void take_rule(struct input *in, struct arena *arena, struct config_seccomp_rule *rule)
{
	uint8_t shape = (uint8_t)take(in, 1);

	rule->action = take_action(in, &rule->errno_ret);
	rule->names.n = 1 + shape % NAMES_MAX;
	rule->names.items = arena_array(arena, rule->names.n, sizeof(char *));
	for (size_t i = 0; i < rule->names.n; i++) {
		size_t row = take(in, 2);

		rule->names.items[i] =
			row == 0xffff ? "frobnicate" : syscall_rows[row % syscall_row_count].name;
	}
	rule->args.n = shape / NAMES_MAX % (ARGS_MAX + 1);
	rule->args.items = arena_array(arena, rule->args.n, sizeof(*rule->args.items));
	for (size_t i = 0; i < rule->args.n; i++) {
		struct config_seccomp_arg *arg = &rule->args.items[i];
		uint8_t what = (uint8_t)take(in, 1);

		arg->index = what % 6;
		arg->op = (enum seccomp_op)(1 + what / 6 % 7);
		arg->value = take_value(in);
		if (arg->op == SECCOMP_OP_MASKED_EQ)
			arg->value_two = take_value(in);
	}
}

struct question {
	struct model model;
	struct seccomp_program program;
};

static int ask(void *context, const struct seccomp_data *data)
{
	struct question *q = context;
	struct seccomp_data laid = probe_layout(data);

	PROMISE(sim_run(q->program.insns, &laid, NULL) == model_verdict(&q->model, data));
	return 1;
}

/* Not every number: the unit test does that, and this must be quick. */
static void ask_rules(struct question *q, const struct config_seccomp *config,
		      struct random *random)
{
	for (size_t i = 0; i < config->syscalls.n; i++) {
		const struct syscall_row *row =
			syscall_find(config->syscalls.items[i].names.items[0]);

		for (enum seccomp_arch arch = 0; row && arch < SECCOMP_ARCHES; arch++) {
			if (!(config->architectures & (1u << arch)) &&
			    arch != seccomp_native_arch())
				continue;
			if (row->slot[arch] != SYSCALL_ABSENT)
				probe_call(random, config, arch,
					   seccomp_number(arch, row->slot[arch]), ask, q);
			probe_call(random, config, arch,
				   seccomp_number(arch, random_below(random, 500)), ask, q);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct arena arena = {};
	struct config_seccomp_rule rules[RULES_MAX] = {};
	struct config_seccomp config = { .set = true, .syscalls = { rules, 0 } };
	struct question q;
	struct random random = { size };
	struct err err = ERR_INIT;

	config.default_action = take_action(&in, &config.default_errno_ret);
	config.architectures = (uint32_t)take(&in, 3) & ((1u << SECCOMP_ARCHES) - 1);
	while (in.left > 0 && config.syscalls.n < RULES_MAX)
		take_rule(&in, &arena, &rules[config.syscalls.n++]);

	if (seccomp_compile(&arena, &config, &q.program, &err) < 0) {
		PROMISE(err.text[0] && err.pointer[0] == '/');
	} else {
		PROMISE(!sim_check(q.program.insns, q.program.n));
		model_init(&q.model, &arena, &config);
		ask_rules(&q, &config, &random);
	}
	arena_clear(&arena);
	return 0;
}
