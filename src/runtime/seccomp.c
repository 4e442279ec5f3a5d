/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiler's front: look the names up, sort the rules to the calls of each architecture, cut the numbers into
 * ranges, and write one tree for each token behind a dispatch on seccomp_data.arch.
 */
#include "runtime/seccomp.h"

#include "runtime/seccomp_calls.h"
#include "runtime/seccomp_tree.h"

#include <linux/seccomp.h>
#include <string.h>

#define NO_NUMBER UINT32_MAX
#define MUX_IPC   200 /* syscall_row.mux from here on: by ipc(2) */

/* A rule of the profile that isn't redundant, and a call that it names, by index. */
struct named {
	uint32_t rule;
	uint16_t row;
};

struct compiler {
	struct arena *arena;
	const struct config_seccomp *config;
	struct seccomp_program *program;
	uint32_t default_ret;
	bool stub; /* numbers newer than the profile get ENOSYS */
	struct named *named;
	size_t n_named;
	/* number mentioned, also by redundant rules; or NO_NUMBER */
	uint32_t largest[SECCOMP_ARCHES];
	const struct syscall_row *socketcall, *ipc;
	struct call_table table;  /* of the architecture at hand */
	struct range_list ranges; /* of the token at hand */
	struct leaves leaves;
	struct emitter emitter;
};

/* ---- actions ------------------------------------------------------------------------------------------------ */

/* What the filter returns to the kernel. */
static uint32_t ret_value(uint32_t action, const struct opt_u32 *errno_ret)
{
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return action;
	return action | (errno_ret->set ? errno_ret->v : EPERM);
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

static void read_rule(struct compiler *c, size_t index, uint32_t arches)
{
	const struct config_seccomp_rule *rule = &c->config->syscalls.items[index];
	bool redundant = ret_value(rule->action, &rule->errno_ret) == c->default_ret;

	for (size_t i = 0; i < rule->names.n; i++) {
		const struct syscall_row *row = syscall_find(rule->names.items[i]);

		if (!row) {
			add_unknown(c, index, i);
			continue;
		}
		if (c->stub)
			note_largest(c, row, arches);
		if (!redundant)
			c->named[c->n_named++] = (struct named){
				.rule = (uint32_t)index,
				.row = (uint16_t)(row - syscall_rows),
			};
	}
}

static void read_rules(struct compiler *c, uint32_t arches)
{
	const struct config_seccomp_rule_list *rules = &c->config->syscalls;
	size_t n_names = 0;

	for (size_t i = 0; i < rules->n; i++)
		n_names += rules->items[i].names.n;
	c->named = arena_array(c->arena, n_names, sizeof(*c->named));
	for (size_t i = 0; i < SECCOMP_ARCHES; i++)
		c->largest[i] = NO_NUMBER;

	for (size_t i = 0; i < rules->n; i++)
		read_rule(c, i, arches);
}

/* ---- ranges ------------------------------------------------------------------------------------------------- */

static void sort_rules(struct compiler *c, enum seccomp_arch arch)
{
	calls_clear(&c->table);
	for (size_t i = 0; i < c->n_named; i++) {
		const struct config_seccomp_rule *rule =
			&c->config->syscalls.items[c->named[i].rule];
		const struct syscall_row *row = &syscall_rows[c->named[i].row];
		const struct syscall_row *through = mux_row(c, arch, row);
		uint32_t ret = ret_value(rule->action, &rule->errno_ret);

		if (through)
			calls_add(&c->table, arch, through->slot[arch], row->mux % 100, &rule->args,
				  ret);
		if (row->slot[arch] != SYSCALL_ABSENT)
			calls_add(&c->table, arch, row->slot[arch], 0, &rule->args, ret);
	}
}

/* Whether numbers that are newer than the profile get ENOSYS. */
static bool has_stub(const struct compiler *c, enum seccomp_arch arch)
{
	return c->stub && c->largest[arch] != NO_NUMBER;
}

static uint32_t newer_ret(const struct compiler *c, enum seccomp_arch arch)
{
	return has_stub(c, arch) ? SECCOMP_RET_ERRNO | ENOSYS : c->default_ret;
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
		const struct call *call = &c->table.calls[slot];
		uint32_t number = seccomp_number(arch, slot);

		if (!call->decided && !call->list)
			continue;
		fill_to(c, number, c->default_ret);
		if (call->decided)
			range_add(list, number, call->ret, NULL, arch);
		else
			range_add(list, number, c->default_ret, c->table.lists[call->list].first,
				  arch);
	}
	if (has_stub(c, arch))
		fill_to(c, c->largest[arch] + 1, c->default_ret);
	range_add(list, last, newer_ret(c, arch), NULL, arch);
}

/*
 * x86_64 shares its token with x32, whose numbers have bit 30. Bit 31 without it is no number of anyone's, but in runc's
 * eyes newer than the profile. -1 is what a tracer makes of a call that it skips.
 */
static void add_x86_64(struct compiler *c, bool with_x32)
{
	add_ranges(c, ARCH_X86_64, X32_BIT - 1);
	if (with_x32) {
		sort_rules(c, ARCH_X32);
		add_ranges(c, ARCH_X32, 2 * X32_BIT - 1);
		range_add(&c->ranges, 3 * X32_BIT - 1, newer_ret(c, ARCH_X86_64), NULL, 0);
		range_add(&c->ranges, UINT32_MAX, newer_ret(c, ARCH_X32), NULL, 0);
		return;
	}
	range_add(&c->ranges, 2 * X32_BIT - 1, SECCOMP_RET_KILL_THREAD, NULL, 0);
	range_add(&c->ranges, 3 * X32_BIT - 1,
		  has_stub(c, ARCH_X86_64) ? newer_ret(c, ARCH_X86_64) : SECCOMP_RET_KILL_THREAD,
		  NULL, 0);
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
	if ((arch == ARCH_S390 || arch == ARCH_S390X) && has_stub(c, arch))
		c->table.calls[0] =
			(struct call){ .ret = SECCOMP_RET_ERRNO | ENOSYS, .decided = true };

	if (arch == ARCH_X86_64)
		add_x86_64(c, arches & (1u << ARCH_X32));
	else
		add_ranges(c, arch, UINT32_MAX);

	tree = emit_tree(&c->emitter, &c->leaves, &c->ranges);
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
	c->leaves.arena = c->arena;
	c->leaves.n = 0;
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

	if (e->full || c->table.too_large) {
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
	calls_init(&c.table, arena);
	c.socketcall = syscall_find("socketcall");
	c.ipc = syscall_find("ipc");

	c.default_ret = ret_value(config->default_action, &config->default_errno_ret);
	read_rules(&c, arches);
	emit_program(&c, arches);
	r = take_program(&c, err);
	if (r < 0)
		return r;

	*ret_program = program;
	return 0;
}
