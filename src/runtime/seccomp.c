/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiler's front: look the names up, sort the rules to the calls of each architecture, cut the numbers into
 * ranges, and write one tree for each token behind a dispatch on seccomp_data.arch.
 */
#include "runtime/seccomp.h"

#include "runtime/seccomp_tree.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#define ERRNO_MAX SECCOMP_RET_DATA
#define NO_NUMBER UINT32_MAX
#define MUX_IPC   200 /* syscall_row.mux from here on: by ipc(2) */

/* A rule of the profile that isn't redundant, and a call that it names. */
struct named {
	const struct syscall_row *row;
	const struct config_seccomp_rule *rule;
	uint32_t ret;
};

/* What the profile says of one call. */
struct call {
	bool decided; /* by a rule without conditions: nothing that comes later counts */
	uint32_t ret; /* if decided */
	struct check *checks;
	unsigned n_checks;
};

struct compiler {
	struct arena *arena;
	const struct config_seccomp *config;
	struct seccomp_program *program;
	uint32_t default_ret;
	bool stub; /* numbers newer than the profile get ENOSYS */
	struct named *named;
	size_t n_named;
	uint32_t largest
		[SECCOMP_ARCHES]; /* number that the profile mentions, NO_NUMBER: none; redundant rules count */
	const struct syscall_row *socketcall, *ipc;
	bool too_large;
	struct call calls[SYSCALL_SLOTS]; /* of the architecture at hand */
	struct range_list ranges;         /* of the token at hand */
	struct emitter emitter;
};

/* ---- actions ------------------------------------------------------------------------------------------------ */

/* Return: the value for the kernel, by @ret_value; -EINVAL for what we can't express */
static int action_value(uint32_t action, const struct opt_u32 *errno_ret, uint32_t *ret_value,
			struct err *err)
{
	bool has_data = action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;

	if (action == SECCOMP_RET_USER_NOTIF) {
		err_user(err, "seccomp action \"SCMP_ACT_NOTIFY\" is not supported yet");
		return err_hint(err, "replace it with \"SCMP_ACT_ERRNO\", or leave the rule out");
	}
	if (has_data && errno_ret->set && errno_ret->v > ERRNO_MAX)
		return err_user(err, "seccomp errno %u does not fit into 16 bits", errno_ret->v);

	*ret_value = action;
	if (has_data)
		*ret_value |= errno_ret->set ? errno_ret->v : EPERM;
	return 0;
}

/* What runc calls a permissive default gets no stub: a tracer or log is meant to see every call. */
static bool wants_stub(const struct config_seccomp *config)
{
	if (config->default_errno_ret.set && config->default_errno_ret.v == ENOSYS)
		return false;
	return config->default_action != SECCOMP_RET_ALLOW &&
	       config->default_action != SECCOMP_RET_LOG &&
	       config->default_action != SECCOMP_RET_TRACE;
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static void add_unknown(struct compiler *c, size_t rule, size_t name)
{
	struct seccomp_program *program = c->program;
	const char *text = c->config->syscalls.items[rule].names.items[name];
	struct seccomp_unknown *items = program->unknown;

	/* Grows at powers of two: few profiles have any. */
	if ((program->n_unknown & (program->n_unknown - 1)) == 0) {
		items = arena_array(c->arena, program->n_unknown ? program->n_unknown * 2 : 1,
				    sizeof(*items));
		if (program->n_unknown)
			memcpy(items, program->unknown, program->n_unknown * sizeof(*items));
		program->unknown = items;
	}
	items[program->n_unknown++] = (struct seccomp_unknown){
		.name = text,
		.pointer =
			arena_printf(c->arena, "/linux/seccomp/syscalls/%zu/names/%zu", rule, name),
		.nearest = syscall_nearest(text),
	};
}

static void raise_largest(struct compiler *c, enum seccomp_arch arch, unsigned slot)
{
	uint32_t number = seccomp_number(arch, slot);

	if (slot != SYSCALL_ABSENT && (c->largest[arch] == NO_NUMBER || number > c->largest[arch]))
		c->largest[arch] = number;
}

/* The call through which this one can also be made there; NULL: none. */
static const struct syscall_row *mux_row(const struct compiler *c, enum seccomp_arch arch,
					 const struct syscall_row *row)
{
	if (!row->mux || !seccomp_abis[arch].muxes)
		return NULL;
	return row->mux < MUX_IPC ? c->socketcall : c->ipc;
}

static void note_largest(struct compiler *c, const struct syscall_row *row, uint32_t arches)
{
	for (unsigned arch = 0; arch < SECCOMP_ARCHES; arch++) {
		const struct syscall_row *through = mux_row(c, arch, row);

		if (!(arches & (1u << arch)))
			continue;
		if (through)
			raise_largest(c, arch, through->slot[arch]);
		raise_largest(c, arch, row->slot[arch]);
	}
}

static int read_rule(struct compiler *c, size_t index, uint32_t arches, struct err *err)
{
	const struct config_seccomp_rule *rule = &c->config->syscalls.items[index];
	uint32_t ret = 0;
	int r;

	r = action_value(rule->action, &rule->errno_ret, &ret, err);
	if (r < 0) {
		char pointer[64];

		snprintf(pointer, sizeof(pointer), "/linux/seccomp/syscalls/%zu", index);
		return err_at(err, pointer);
	}
	for (size_t i = 0; i < rule->names.n; i++) {
		const struct syscall_row *row = syscall_find(rule->names.items[i]);

		if (!row) {
			add_unknown(c, index, i);
			continue;
		}
		if (c->stub)
			note_largest(c, row, arches);
		if (ret != c->default_ret)
			c->named[c->n_named++] =
				(struct named){ .row = row, .rule = rule, .ret = ret };
	}
	return 0;
}

static int read_rules(struct compiler *c, uint32_t arches, struct err *err)
{
	const struct config_seccomp_rule_list *rules = &c->config->syscalls;
	size_t n_names = 0;
	int r;

	for (size_t i = 0; i < rules->n; i++)
		n_names += rules->items[i].names.n;
	c->named = arena_array(c->arena, n_names, sizeof(*c->named));
	for (size_t i = 0; i < SECCOMP_ARCHES; i++)
		c->largest[i] = NO_NUMBER;

	for (size_t i = 0; i < rules->n; i++) {
		r = read_rule(c, i, arches, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the rules of one architecture, by call ----------------------------------------------------------------- */

static void add_check(struct compiler *c, struct call *call, const struct check *check)
{
	struct check *copy;

	if (call->n_checks == EMIT_MAX) {
		c->too_large = true;
		return;
	}
	copy = arena_alloc(c->arena, sizeof(*copy));
	*copy = *check;
	check_insert(&call->checks, copy);
	call->n_checks++;
}

static void decide(struct call *call, uint32_t ret)
{
	call->decided = true;
	call->ret = ret;
}

/* Add a condition where it belongs by its argument's number. Return: false if that argument has one already */
static bool insert_cond(struct check *check, const struct check_cond *cond)
{
	unsigned at = check->n;

	for (unsigned i = 0; i < check->n; i++)
		if (check->conds[i].index == cond->index)
			return false;
	for (; at > 0 && check->conds[at - 1].index > cond->index; at--)
		check->conds[at] = check->conds[at - 1];
	check->conds[at] = *cond;
	check->n++;
	return true;
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

/*
 * Add conditions [from, to) of the rule as one check. @mux: the call's number as socketcall or ipc have it in their
 * argument 0, where a condition of the rule on argument 0 gives way to it; 0 for a call of its own. The other
 * conditions stay, as in libseccomp, though those calls' arguments are elsewhere.
 */
static void add_rule(struct compiler *c, enum seccomp_arch arch, struct call *call,
		     const struct named *named, size_t from, size_t to, unsigned mux)
{
	const struct config_seccomp_arg_list *args = &named->rule->args;
	struct check check = { .ret = named->ret };
	struct check_cond cond;

	if (call->decided)
		return;
	if (mux) {
		const struct config_seccomp_arg which = { .value = mux, .op = SECCOMP_OP_EQ };

		check_cond_make(&which, seccomp_abis[arch].wide, &cond);
		insert_cond(&check, &cond);
	}
	for (size_t i = from; i < to; i++) {
		if (mux && args->items[i].index == 0)
			continue;
		if (check_cond_make(&args->items[i], seccomp_abis[arch].wide, &cond))
			insert_cond(&check, &cond);
	}
	if (check.n == 0)
		decide(call, named->ret);
	else
		add_check(c, call, &check);
}

static void add_rules(struct compiler *c, enum seccomp_arch arch, struct call *call,
		      const struct named *named, unsigned mux)
{
	const struct config_seccomp_arg_list *args = &named->rule->args;

	/* A profile that tests one argument twice means "or": every condition is a rule of its own, in all runtimes. */
	if (!repeats_argument(args)) {
		add_rule(c, arch, call, named, 0, args->n, mux);
		return;
	}
	for (size_t i = 0; i < args->n; i++)
		add_rule(c, arch, call, named, i, i + 1, mux);
}

static void sort_rules(struct compiler *c, enum seccomp_arch arch)
{
	memset(c->calls, 0, sizeof(c->calls));
	for (size_t i = 0; i < c->n_named; i++) {
		const struct named *named = &c->named[i];
		const struct syscall_row *through = mux_row(c, arch, named->row);
		unsigned slot = named->row->slot[arch];

		if (through)
			add_rules(c, arch, &c->calls[through->slot[arch]], named,
				  named->row->mux % 100);
		if (slot != SYSCALL_ABSENT)
			add_rules(c, arch, &c->calls[slot], named, 0);
	}
}

/* ---- ranges and program ------------------------------------------------------------------------------------- */

/* Numbers that are newer than the profile. */
static uint32_t above_ret(const struct compiler *c, enum seccomp_arch arch)
{
	return c->stub && c->largest[arch] != NO_NUMBER ? SECCOMP_RET_ERRNO | ENOSYS
							: c->default_ret;
}

static uint32_t range_end(const struct range_list *list)
{
	return list->n ? list->items[list->n - 1].last + 1 : 0;
}

/* Everything up to but without @number, if anything is left. */
static void fill_to(struct compiler *c, uint32_t number, uint32_t ret)
{
	if (range_end(&c->ranges) < number)
		range_add(&c->ranges, number - 1, ret, NULL, 0);
}

/* The calls of one architecture, and what else there is up to @last. */
static void add_ranges(struct compiler *c, enum seccomp_arch arch, uint32_t last)
{
	struct range_list *list = &c->ranges;

	for (unsigned slot = 0; slot < SYSCALL_SLOTS; slot++) {
		const struct call *call = &c->calls[slot];
		uint32_t number = seccomp_number(arch, slot);

		if (!call->decided && !call->checks)
			continue;
		fill_to(c, number, c->default_ret);
		if (call->decided)
			range_add(list, number, call->ret, NULL, arch);
		else
			range_add(list, number, c->default_ret, call->checks, arch);
	}
	if (c->largest[arch] != NO_NUMBER)
		fill_to(c, c->largest[arch] + 1, c->default_ret);
	range_add(list, last, above_ret(c, arch), NULL, arch);
}

/* The half of x86_64's numbers that x32 has, when x32 is not listed. */
static void add_foreign_x32(struct compiler *c)
{
	uint32_t above = above_ret(c, ARCH_X86_64);

	range_add(&c->ranges, 2 * X32_BIT - 1, SECCOMP_RET_KILL_THREAD, NULL, 0);
	/* Bit 31 without x32's: no number of anyone's, so newer than the profile if we look at that at all. */
	range_add(&c->ranges, 3 * X32_BIT - 1, c->stub ? above : SECCOMP_RET_KILL_THREAD, NULL, 0);
	range_add(&c->ranges, UINT32_MAX - 1, SECCOMP_RET_KILL_THREAD, NULL, 0);
	range_add(&c->ranges, UINT32_MAX, c->default_ret, NULL, 0);
}

/* Write the code for one token: everything that @arch, and with x86_64 perhaps x32, says about a number. */
static label emit_section(struct compiler *c, enum seccomp_arch arch, uint32_t arches)
{
	label tree;

	c->ranges.n = 0;
	sort_rules(c, arch);
	/* s390's number 0 stands for one too large for the instruction, if the kernel doesn't know that one. */
	if ((arch == ARCH_S390 || arch == ARCH_S390X) && c->stub && c->largest[arch] != NO_NUMBER)
		decide(&c->calls[0], SECCOMP_RET_ERRNO | ENOSYS);

	if (arch != ARCH_X86_64) {
		add_ranges(c, arch, UINT32_MAX);
	} else if (arches & (1u << ARCH_X32)) {
		add_ranges(c, ARCH_X86_64, X32_BIT - 1);
		sort_rules(c, ARCH_X32);
		add_ranges(c, ARCH_X32, UINT32_MAX);
	} else {
		add_ranges(c, ARCH_X86_64, X32_BIT - 1);
		add_foreign_x32(c);
	}

	tree = emit_tree(&c->emitter, c->arena, &c->ranges);
	return emit_load(&c->emitter, offsetof(struct seccomp_data, nr), tree);
}

/* The whole program, last instruction first. The native architecture's section ends up right behind the dispatch. */
static void emit_program(struct compiler *c, uint32_t arches)
{
	enum seccomp_arch order[SECCOMP_ARCHES];
	label sections[SECCOMP_ARCHES], next;
	size_t n = 0;

	order[n++] = seccomp_native_arch();
	for (unsigned arch = 0; arch < SECCOMP_ARCHES; arch++) {
		bool within_x86_64 = arch == ARCH_X32 && (arches & (1u << ARCH_X86_64));

		if ((arches & (1u << arch)) && arch != seccomp_native_arch() && !within_x86_64)
			order[n++] = arch;
	}

	emit_init(&c->emitter);
	for (size_t i = n; i-- > 0;)
		sections[i] = emit_section(c, order[i], arches);
	next = emit_ret(&c->emitter, SECCOMP_RET_KILL_THREAD);
	for (size_t i = n; i-- > 0;)
		next = emit_test(&c->emitter, BPF_JEQ, seccomp_abis[order[i]].token, sections[i],
				 next);
	emit_load(&c->emitter, offsetof(struct seccomp_data, arch), next);
}

static int take_program(struct compiler *c, struct err *err)
{
	struct emitter *e = &c->emitter;
	size_t n = EMIT_MAX - e->at;

	if (e->full || c->too_large) {
		err_user(err,
			 "the seccomp profile needs more than the %d instructions that the kernel "
			 "accepts",
			 EMIT_MAX);
		err_hint(err, "merge rules, or list fewer architectures");
		return err_at(err, "/linux/seccomp");
	}
	c->program->insns = arena_array(c->arena, n, sizeof(*c->program->insns));
	memcpy(c->program->insns, &e->insns[e->at], n * sizeof(*c->program->insns));
	c->program->n = (uint16_t)n;
	return 0;
}

int seccomp_compile(struct arena *arena, const struct config_seccomp *config,
		    struct seccomp_program *ret_program, struct err *err)
{
	uint32_t arches = config->architectures | (1u << seccomp_native_arch());
	struct seccomp_program program = {
		/* Without a word about flags the peers turn a speculation guard off that costs every call. */
		.flags = config->has_flags ? config->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	};
	struct compiler c; /* 170 kB that are mostly never touched, hence no initialiser */
	int r;

	c.arena = arena;
	c.config = config;
	c.program = &program;
	c.stub = wants_stub(config);
	c.n_named = 0;
	c.too_large = false;
	c.socketcall = syscall_find("socketcall");
	c.ipc = syscall_find("ipc");

	r = action_value(config->default_action, &config->default_errno_ret, &c.default_ret, err);
	if (r < 0)
		return err_at(err, "/linux/seccomp/defaultAction");
	r = read_rules(&c, arches, err);
	if (r < 0)
		return r;
	emit_program(&c, arches);
	r = take_program(&c, err);
	if (r < 0)
		return r;

	*ret_program = program;
	return 0;
}
