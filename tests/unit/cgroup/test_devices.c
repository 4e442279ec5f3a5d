/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device rules, proved three ways against one model.
 *
 * The model is the meaning in devices.h: the last rule that names a device and a kind of access decides. The eBPF program
 * runs in a small interpreter and must agree on every request. The v1 lists go through a model of the kernel's own
 * exception lists (security/device_cgroup.c, as documented in cgroup-v1/devices.rst) and must agree on every single kind of
 * access, and never allow more for several.
 */
#include "cgroup/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct request {
	char type;
	uint32_t major, minor;
	unsigned access;
};

/* ---- the model -------------------------------------------------------------------------------------------------- */

static bool rule_names(const struct device_rule *rule, const struct request *request, unsigned bit)
{
	return rule->type == request->type && (rule->access & bit) &&
	       (rule->major == DEVICE_ANY || rule->major == request->major) &&
	       (rule->minor == DEVICE_ANY || rule->minor == request->minor);
}

static bool model_allows(const struct device_rules *rules, const struct request *request)
{
	for (unsigned bit = DEVICE_MKNOD; bit <= DEVICE_WRITE; bit <<= 1) {
		bool allowed = rules->allow;

		if (!(request->access & bit))
			continue;
		for (size_t i = 0; i < rules->n; i++) {
			if (rule_names(&rules->items[i], request, bit))
				allowed = rules->items[i].allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

/* ---- the interpreter -------------------------------------------------------------------------------------------- */

static uint32_t load_context(const struct bpf_cgroup_dev_ctx *ctx, int16_t offset)
{
	uint32_t value;

	assert_true(offset >= 0 && (size_t)offset + 4 <= sizeof(*ctx));
	memcpy(&value, (const char *)ctx + offset, 4);
	return value;
}

static bool jumps(uint8_t op, uint32_t value, uint32_t with)
{
	switch (op) {
	case BPF_JEQ:
		return value == with;
	case BPF_JNE:
		return value != with;
	case BPF_JSET:
		return value & with;
	default:
		fail_msg("the program has a jump that we don't know: %02x", op);
		return false;
	}
}

static void calculate(uint8_t op, uint64_t *dst, uint64_t src)
{
	switch (op) {
	case BPF_MOV:
		*dst = src;
		break;
	case BPF_AND:
		*dst = (uint32_t)(*dst & src);
		break;
	case BPF_RSH:
		*dst = (uint32_t)*dst >> src;
		break;
	default:
		fail_msg("the program has an operation that we don't know: %02x", op);
	}
}

/* Every instruction that runs is marked in @reached: the verifier refuses programs with unreachable code. */
static uint64_t interpret(const struct bpf_insn *insns, uint32_t n, const struct request *request,
			  bool *reached)
{
	const struct bpf_cgroup_dev_ctx ctx = {
		.access_type = request->access << 16 |
			       (request->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = request->major,
		.minor = request->minor,
	};
	uint64_t reg[11] = { 0 };

	for (uint32_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];

		reached[pc] = true;
		switch (BPF_CLASS(i->code)) {
		case BPF_LDX:
			assert_int_equal(i->src_reg, 1);
			reg[i->dst_reg] = load_context(&ctx, i->off);
			break;
		case BPF_ALU:
		case BPF_ALU64:
			calculate(BPF_OP(i->code), &reg[i->dst_reg],
				  BPF_SRC(i->code) == BPF_X ? reg[i->src_reg] : (uint32_t)i->imm);
			break;
		case BPF_JMP32:
			assert_true(i->off >= 0);
			if (jumps(BPF_OP(i->code), (uint32_t)reg[i->dst_reg], (uint32_t)i->imm))
				pc += (uint32_t)i->off;
			break;
		case BPF_JMP:
			assert_int_equal(BPF_OP(i->code), BPF_EXIT);
			return reg[0];
		default:
			fail_msg("the program has a class that we don't know: %02x", i->code);
		}
	}
	fail_msg("the program runs off its end");
	return 0;
}

/* ---- v1 as the kernel does it ----------------------------------------------------------------------------------- */

struct kernel_list {
	bool allow;
	struct device_rule items[256];
	size_t n;
};

/* One line of devices.allow or devices.deny, "c 1:3 rwm", into the kernel's list. */
static void kernel_write(struct kernel_list *list, bool allow, const char *line)
{
	struct device_rule rule = { .allow = allow };
	char major[16], minor[16], access[8];

	if (strcmp(line, "a") == 0) {
		list->allow = allow;
		list->n = 0;
		return;
	}
	assert_int_equal(sscanf(line, "%c %15[^:]:%15s %7s", &rule.type, major, minor, access), 4);
	rule.major = *major == '*' ? DEVICE_ANY : atoll(major);
	rule.minor = *minor == '*' ? DEVICE_ANY : atoll(minor);
	rule.access = (strchr(access, 'r') ? DEVICE_READ : 0U) |
		      (strchr(access, 'w') ? DEVICE_WRITE : 0U) |
		      (strchr(access, 'm') ? DEVICE_MKNOD : 0U);
	/* We never take exceptions out again. */
	assert_true(allow != list->allow);
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].type == rule.type && list->items[i].major == rule.major &&
		    list->items[i].minor == rule.minor) {
			list->items[i].access |= rule.access;
			return;
		}
	}
	assert_true(list->n < ARRAY_LEN(list->items));
	list->items[list->n++] = rule;
}

static void kernel_write_lines(struct kernel_list *list, bool allow, const char *lines)
{
	char line[64];
	size_t len;

	for (; *lines; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		assert_true(len < sizeof(line));
		memcpy(line, lines, len);
		line[len] = '\0';
		kernel_write(list, allow, line);
	}
}

static bool kernel_allows(const struct kernel_list *list, const struct request *request)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct device_rule *item = &list->items[i];

		if (item->type != request->type ||
		    (item->major != DEVICE_ANY && item->major != request->major) ||
		    (item->minor != DEVICE_ANY && item->minor != request->minor))
			continue;
		/* One exception must have all that is asked for; or, where they deny, any of it. */
		if (list->allow && (item->access & request->access))
			return false;
		if (!list->allow && !(request->access & ~item->access))
			return true;
	}
	return list->allow;
}

static void load_v1(struct kernel_list *list, const struct device_list *v1)
{
	list->n = 0;
	kernel_write(list, v1->allow, "a");
	kernel_write_lines(list, !v1->allow, v1->own_lines);
	kernel_write_lines(list, !v1->allow, v1->config_lines);
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static const uint32_t numbers[] = { 0,   1,   3,    5,          8,          10,        136,
				    200, 229, 4095, 0x7fffffff, 0x80000000, 0xffffffff };

typedef void request_fn(const struct request *request, void *arg);

static void each_request(request_fn *fn, void *arg)
{
	for (const char *type = "cb"; *type; type++)
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
			for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
				for (unsigned access = 1; access <= DEVICE_ALL; access++)
					fn(&(struct request){ *type, numbers[i], numbers[k],
							      access },
					   arg);
}

struct comparison {
	const struct device_rules *rules;
	const struct bpf_insn *insns;
	uint32_t n;
	bool *reached;
	const struct kernel_list *list;
	bool mknod_left;
};

static void compare_bpf(const struct request *request, void *arg)
{
	struct comparison *c = arg;
	bool expected = model_allows(c->rules, request), got = true;

	if (c->n)
		got = interpret(c->insns, c->n, request, c->reached) != 0;
	if (got != expected)
		fail_msg("%c %u:%u access %u: the program says %d", request->type, request->major,
			 request->minor, request->access, got);
}

static void compare_v1(const struct request *request, void *arg)
{
	struct comparison *c = arg;
	bool expected = model_allows(c->rules, request), got = kernel_allows(c->list, request);
	bool single = !(request->access & (request->access - 1));

	if (request->access == DEVICE_MKNOD)
		return; /* test_v1_mknod has what differs */
	if ((single && got != expected) || (got && !expected && !(request->access & DEVICE_MKNOD)))
		fail_msg("%c %u:%u access %u: v1 says %d", request->type, request->major,
			 request->minor, request->access, got);
}

/* Return: could v1 express it? */
static bool compare_all(struct arena *arena, const struct config_device_rule_list *config)
{
	struct device_rules rules;
	struct device_list v1;
	struct kernel_list list;
	struct err err = ERR_INIT;
	struct comparison c = { .rules = &rules, .list = &list };

	assert_int_equal(device_rules_read(arena, config, &rules, &err), 0);
	device_rules_bpf(arena, &rules, &c.insns, &c.n);
	c.reached = arena_array(arena, c.n + 1, sizeof(bool));
	each_request(compare_bpf, &c);
	if (device_rules_v1(arena, &rules, &v1, &err) < 0) {
		assert_non_null(strstr(err.pointer, "/linux/resources/devices/"));
		return false;
	}
	load_v1(&list, &v1);
	each_request(compare_v1, &c);
	return true;
}

/* ---- rules as text: "+c 1:3 rw" allows, "-a *:* rwm" denies ------------------------------------------------------ */

static struct opt_u32 number_of(const char *text)
{
	return *text == '*' ? (struct opt_u32){ 0 }
			    : (struct opt_u32){ true, (uint32_t)strtoul(text, NULL, 10) };
}

static struct config_device_rule_list parse(struct arena *arena, const char *text)
{
	struct config_device_rule_list list = {
		arena_array(arena, strlen(text) + 1, sizeof(*list.items)), 0
	};
	char sign, type, major[16], minor[16], access[8];
	int used;

	while (sscanf(text, " %c%c %15[^:]:%15s %7[rwm]%n", &sign, &type, major, minor, access,
		      &used) == 5) {
		list.items[list.n++] = (struct config_device_rule){
			.allow = sign == '+',
			.type = type,
			.major = number_of(major),
			.minor = number_of(minor),
			.read = strchr(access, 'r'),
			.write = strchr(access, 'w'),
			.mknod = strchr(access, 'm'),
		};
		text += used;
		text += *text == ',';
	}
	assert_int_equal(*text, '\0');
	return list;
}

static bool asks(struct arena *arena, const char *rules_text, const char *request_text)
{
	struct config_device_rule_list config = parse(arena, rules_text),
				       request = parse(arena, request_text);
	const struct config_device_rule *ask = &request.items[0];
	struct device_rules rules;
	struct err err = ERR_INIT;

	assert_int_equal(device_rules_read(arena, &config, &rules, &err), 0);
	return model_allows(&rules, &(struct request){ ask->type, ask->major.v, ask->minor.v,
						       (ask->read ? DEVICE_READ : 0U) |
							       (ask->write ? DEVICE_WRITE : 0U) |
							       (ask->mknod ? DEVICE_MKNOD : 0U) });
}

static const struct {
	const char *rules, *request;
	bool allowed;
} meanings[] = {
	/* Nothing given: tare's own devices and nothing else. */
	{ "", "?c 1:3 rwm", true },
	{ "", "?c 136:77 rw", true },
	{ "", "?c 10:229 rw", false },
	{ "", "?b 8:0 r", false },
	{ "", "?b 8:0 m", true },
	/* What engines send first leaves them usable. */
	{ "-a *:* rwm", "?c 1:3 rw", true },
	{ "-a *:* rwm", "?c 5:2 rw", true },
	{ "-a *:* rwm", "?c 1:1 r", false },
	/* A rule for a certain device wins over tare's own, which runc's can't. */
	{ "-a *:* rwm,-c 1:3 rwm", "?c 1:3 r", false },
	{ "-a *:* rwm,-c 1:* w", "?c 1:3 rw", false },
	{ "-a *:* rwm,-c 1:* w", "?c 1:3 r", true },
	{ "-c *:* m", "?c 1:3 m", false },
	/* Later rules override. */
	{ "+c 10:229 rw,-c 10:229 w", "?c 10:229 r", true },
	{ "+c 10:229 rw,-c 10:229 w", "?c 10:229 w", false },
	{ "-c 10:229 w,+c 10:229 rw", "?c 10:229 rw", true },
	{ "+b 8:* rwm,-b 8:3 rwm", "?b 8:3 r", false },
	{ "+b 8:* rwm,-b 8:3 rwm", "?b 8:4 r", true },
	/* "a" means both types; without numbers and with every access it forgets what was before. */
	{ "-c 10:229 rwm,+a *:* rwm", "?c 10:229 rw", true },
	{ "+c 10:229 rwm,-a *:* rwm", "?c 10:229 rw", false },
	{ "+a 8:* r", "?b 8:1 r", true },
	{ "+a 8:* r", "?c 8:1 r", true },
	{ "+a 8:* r", "?b 8:1 w", false },
	{ "+a *:* r", "?b 9:9 r", true },
	{ "+a *:* r", "?b 9:9 rw", false },
	/* Two rules together allow what neither does alone. */
	{ "+c 7:* r,+c *:7 w", "?c 7:7 rw", true },
};

static void test_K2_meaning(void **state)
{
	defer_arena struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		struct config_device_rule_list config = parse(&arena, meanings[i].rules);

		if (asks(&arena, meanings[i].rules, meanings[i].request) != meanings[i].allowed)
			fail_msg("\"%s\" asked for \"%s\"", meanings[i].rules, meanings[i].request);
		compare_all(&arena, &config);
	}
}

/* ---- v1's lines ------------------------------------------------------------------------------------------------- */

#define OWN_LINES                                                                                  \
	"c *:* m\nb *:* m\nc 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\nc 5:0 rwm\nc "   \
	"5:2 rwm\n"                                                                                \
	"c 10:200 rwm\nc 136:* rwm"

static const struct {
	const char *rules;
	bool allow;
	const char *own, *config;
} v1_lines[] = {
	{ "", false, OWN_LINES, "" },
	{ "-a *:* rwm", false, OWN_LINES, "" },
	{ "+a *:* rwm", true, "", "" },
	{ "-a *:* rwm,+c 10:229 rwm,-c 10:229 w", false, OWN_LINES, "c 10:229 rm" },
	{ "+a *:* rwm,-b *:* rw,-c 10:229 rwm", true, "", "b *:* rw\nc 10:229 rwm" },
	/* Docker's own deny of fuse, beside which mknod of anything stays. */
	{ "-a *:* rwm,-c 10:229 rwm", false, OWN_LINES, "" },
};

static void test_R1_v1_lines(void **state)
{
	defer_arena struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(v1_lines); i++) {
		struct config_device_rule_list config = parse(&arena, v1_lines[i].rules);
		struct device_rules rules;
		struct device_list list;
		struct err err = ERR_INIT;

		assert_int_equal(device_rules_read(&arena, &config, &rules, &err), 0);
		assert_int_equal(device_rules_v1(&arena, &rules, &list, &err), 0);
		assert_int_equal(list.allow, v1_lines[i].allow);
		assert_string_equal(list.own_lines, v1_lines[i].own);
		assert_string_equal(list.config_lines, v1_lines[i].config);
		assert_false(list.mknod_left);
	}
}

static void test_K2_v1_refuses_what_it_cannot_say(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_device_rule_list config =
		parse(&arena, "-a *:* rwm,+c 10:229 rw,+b 8:* rwm,-b 8:3 rw,+b 9:1 r");
	struct device_rules rules;
	struct device_list list;
	struct err err = ERR_INIT;

	assert_int_equal(device_rules_read(&arena, &config, &rules, &err), 0);
	assert_int_equal(device_rules_v1(&arena, &rules, &list, &err), -EINVAL);
	assert_string_equal(err.pointer, "/linux/resources/devices/3");
	assert_string_equal(
		err.text,
		"put the device rules into cgroup v1: they make an exception from an exception");
	assert_true(err.hint[0]);
}

static void test_v1_mknod_of_one_device_is_noted(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_device_rule_list config = parse(&arena, "-c 10:229 m");
	struct device_rules rules;
	struct device_list list;
	struct err err = ERR_INIT;

	assert_int_equal(device_rules_read(&arena, &config, &rules, &err), 0);
	assert_int_equal(device_rules_v1(&arena, &rules, &list, &err), 0);
	assert_true(list.mknod_left);
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static void test_no_program_where_all_is_allowed(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_device_rule_list config = parse(&arena, "-c 1:3 rwm,+a *:* rwm");
	const struct bpf_insn *insns;
	struct device_rules rules;
	struct err err = ERR_INIT;
	uint32_t n;

	assert_int_equal(device_rules_read(&arena, &config, &rules, &err), 0);
	device_rules_bpf(&arena, &rules, &insns, &n);
	assert_int_equal(n, 0);
}

/* The verifier's rule: every instruction can be reached. Requests that hit each rule show it. */
static void test_program_has_no_dead_code(void **state)
{
	defer_arena struct arena arena = { 0 };
	static const char *const texts[] = { "", "-c 1:3 rwm", "+a *:* rwm,-c 1:3 r,-b 8:* w",
					     "-a *:* rwm,-c *:* rwm,-b *:* rwm" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct config_device_rule_list config = parse(&arena, texts[i]);
		struct device_rules rules;
		struct err err = ERR_INIT;
		struct comparison c = { .rules = &rules };

		assert_int_equal(device_rules_read(&arena, &config, &rules, &err), 0);
		device_rules_bpf(&arena, &rules, &c.insns, &c.n);
		c.reached = arena_array(&arena, c.n, sizeof(bool));
		each_request(compare_bpf, &c);
		/* A rule that a later one hides is never decisive, but its jumps exist: only the endings may not be reached. */
		assert_true(c.reached[c.n - 1] || c.reached[c.n - 3]);
	}
}

static void test_too_many_rules(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_device_rule_list config = { arena_array(&arena, DEVICE_RULES_MAX + 1,
							      sizeof(struct config_device_rule)),
						  DEVICE_RULES_MAX + 1 };
	const struct bpf_insn *insns;
	struct device_rules rules;
	struct err err = ERR_INIT;
	uint32_t n;

	for (size_t i = 0; i < config.n; i++)
		config.items[i] = (struct config_device_rule){
			true, 'a', { true, 7 }, { true, (uint32_t)i }, true, false, false
		};
	assert_int_equal(device_rules_read(&arena, &config, &rules, &err), -EINVAL);
	assert_string_equal(err.text, "use 2049 device rules: at most 2048 are allowed");

	/* The most that are allowed still have jumps of 16 bits. */
	config.n--;
	assert_int_equal(device_rules_read(&arena, &config, &rules, &err), 0);
	device_rules_bpf(&arena, &rules, &insns, &n);
	assert_true(n < INT16_MAX);
}

/* ---- at random -------------------------------------------------------------------------------------------------- */

static uint32_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static struct opt_u32 random_number(uint64_t *seed)
{
	uint32_t choice = next(seed) % 5;

	return choice < 2 ? (struct opt_u32){ 0 }
			  : (struct opt_u32){ true, numbers[next(seed) % ARRAY_LEN(numbers)] };
}

static void test_K2_random_lists(void **state)
{
	const char *seed_text = getenv("TARE_SEED"), *count_text = getenv("TARE_DEVICE_LISTS");
	uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 20260;
	int count = count_text ? atoi(count_text) : 300, expressed = 0;
	struct config_device_rule items[6];
	struct config_device_rule_list config = { items, 0 };

	print_message("# seed %llu, %d lists\n", (unsigned long long)seed, count);
	for (int round = 0; round < count; round++) {
		defer_arena struct arena arena = { 0 };

		config.n = next(&seed) % (ARRAY_LEN(items) + 1);
		for (size_t i = 0; i < config.n; i++) {
			unsigned access = 1 + next(&seed) % DEVICE_ALL;

			items[i] = (struct config_device_rule){
				.allow = next(&seed) % 2,
				.type = "acb"[next(&seed) % 3],
				.major = random_number(&seed),
				.minor = random_number(&seed),
				.read = access & DEVICE_READ,
				.write = access & DEVICE_WRITE,
				.mknod = access & DEVICE_MKNOD,
			};
		}
		expressed += compare_all(&arena, &config);
	}
	/* Both outcomes must have been seen, or the lists prove nothing. */
	assert_true(expressed > count / 10 && expressed < count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_K2_meaning),
		cmocka_unit_test(test_R1_v1_lines),
		cmocka_unit_test(test_K2_v1_refuses_what_it_cannot_say),
		cmocka_unit_test(test_v1_mknod_of_one_device_is_noted),
		cmocka_unit_test(test_no_program_where_all_is_allowed),
		cmocka_unit_test(test_program_has_no_dead_code),
		cmocka_unit_test(test_too_many_rules),
		cmocka_unit_test(test_K2_random_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
