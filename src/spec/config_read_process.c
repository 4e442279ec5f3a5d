/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process: what to execute, as whom, with which limits and rights.
 *
 * Spec: config.md "Process"; rows P-1 to P-21, Q-13
 */
#include "spec/config_read.h"

#include <linux/sched.h>
#include <string.h>

/* The kernel's bound on supplementary groups. */
#define GROUPS_MAX 65536

/* ---- env ---------------------------------------------------------------------------------------------------- */

struct env_entry {
	const char *text;
	size_t name_len, index;
};

static int by_name(const void *a, const void *b)
{
	const struct env_entry *left = a, *right = b;
	size_t shorter = left->name_len < right->name_len ? left->name_len : right->name_len;
	int order = memcmp(left->text, right->text, shorter);

	if (!order && left->name_len != right->name_len)
		order = left->name_len < right->name_len ? -1 : 1;
	return order ? order : left->index < right->index ? -1 : 1;
}

static bool same_name(const struct env_entry *a, const struct env_entry *b)
{
	return a->name_len == b->name_len && !memcmp(a->text, b->text, a->name_len);
}

/* Sorted, so that a million entries don't take all day. */
void config_env_dedup(struct arena *arena, struct str_list *env)
{
	struct env_entry *sorted = arena_array(arena, env->n, sizeof(*sorted));
	size_t kept = 0;

	for (size_t i = 0; i < env->n; i++)
		sorted[i] = (struct env_entry){ env->items[i], strcspn(env->items[i], "="), i };
	qsort(sorted, env->n, sizeof(*sorted), by_name);
	for (size_t i = 0; i + 1 < env->n; i++) {
		if (same_name(&sorted[i], &sorted[i + 1]))
			env->items[sorted[i].index] = NULL;
	}
	for (size_t i = 0; i < env->n; i++) {
		if (env->items[i])
			env->items[kept++] = env->items[i];
	}
	env->n = kept;
}

/* ---- args --------------------------------------------------------------------------------------------------- */

static int check_arg(struct decoder *d, const struct json *v, void *out)
{
	return v->index || v->len ? 0 : decode_fail(d, v, "the program's name is empty");
}

/* ---- capabilities ------------------------------------------------------------------------------------------- */

/* As many as the kernel could ever have; more than that are no names from the future. */
#define UNKNOWN_CAPABILITIES_MAX 64

static int add_unknown(struct decoder *d, const struct json *entry, struct str_list *unknown)
{
	for (size_t i = 0; i < unknown->n; i++) {
		if (!strcmp(unknown->items[i], entry->text))
			return 0;
	}
	if (unknown->n == UNKNOWN_CAPABILITIES_MAX)
		return decode_fail(d, entry, "more than %d unknown capabilities",
				   UNKNOWN_CAPABILITIES_MAX);
	if (!unknown->items)
		unknown->items =
			arena_array(d->arena, UNKNOWN_CAPABILITIES_MAX, sizeof(*unknown->items));
	unknown->items[unknown->n++] = entry->text;
	return 0;
}

/* Names that we don't know are no error: the spec wants a warning. collect_unknown() keeps them. */
static int decode_set(struct decoder *d, const struct json *v, void *out)
{
	uint64_t *set = out, bit;
	const struct json *entry;

	if (v->type != JSON_ARRAY)
		return decode_fail(d, v, "expected an array, got %s", decode_got(d, v));
	json_each(entry, v) {
		if (entry->type != JSON_STRING)
			return decode_fail(d, entry, "expected a string, got %s",
					   decode_got(d, entry));
		if (words_find(&words_capability, entry->text, &bit))
			*set |= UINT64_C(1) << bit;
	}
	return 0;
}

static int collect_unknown(struct decoder *d, const struct json *v, void *out)
{
	struct config_capabilities *caps = out;
	const struct json *set, *entry;
	uint64_t bit;
	int r;

	json_each(set, v) {
		if (set->type != JSON_ARRAY)
			continue;
		json_each(entry, set) {
			if (entry->type != JSON_STRING ||
			    words_find(&words_capability, entry->text, &bit))
				continue;
			r = add_unknown(d, entry, &caps->unknown);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static const struct field capabilities_fields[] = {
	{ "effective", CUSTOM(struct config_capabilities, effective, decode_set) },
	{ "bounding", CUSTOM(struct config_capabilities, bounding, decode_set) },
	{ "inheritable", CUSTOM(struct config_capabilities, inheritable, decode_set) },
	{ "permitted", CUSTOM(struct config_capabilities, permitted, decode_set) },
	{ "ambient", CUSTOM(struct config_capabilities, ambient, decode_set) },
};

static const struct object capabilities_object =
	OBJECT(struct config_capabilities, capabilities_fields, collect_unknown);

/* ---- rlimits ------------------------------------------------------------------------------------------------ */

static int check_rlimit(struct decoder *d, const struct json *v, void *out)
{
	struct config_rlimit *limit = out;

	limit->type = words_name(&words_rlimit, (uint64_t)limit->resource);
	if (limit->soft <= limit->hard)
		return 0;
	return decode_fail(d, v, "the soft limit of %s is above the hard one", limit->type);
}

static const struct field rlimit_fields[] = {
	{ "type", WORD(struct config_rlimit, resource, words_rlimit), .flags = REQUIRED },
	{ "soft", U64(struct config_rlimit, soft), .flags = REQUIRED },
	{ "hard", U64(struct config_rlimit, hard), .flags = REQUIRED },
};

static const struct object rlimit_object =
	OBJECT(struct config_rlimit, rlimit_fields, check_rlimit);

static int check_rlimits(struct decoder *d, const struct json *v,
			 const struct config_rlimit_list *limits)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < limits->n; i++) {
		if (seen & 1U << limits->items[i].resource)
			return decode_fail(d, json_entry(v, i), "%s is there twice",
					   limits->items[i].type);
		seen |= 1U << limits->items[i].resource;
	}
	return 0;
}

/* ---- scheduling --------------------------------------------------------------------------------------------- */

static bool is_realtime(uint32_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* A number that the policy has no use for would be ignored by the kernel, or refused without a reason. */
static int check_scheduler(struct decoder *d, const struct json *v, void *out)
{
	const struct config_scheduler *s = out;
	const char *name = words_name(&words_sched_policy, s->policy);

	if (s->priority && !is_realtime(s->policy))
		return decode_fail(d, v, "a priority is for SCHED_FIFO and SCHED_RR, not for %s",
				   name);
	if (is_realtime(s->policy) && !s->priority)
		return decode_fail(d, v, "%s needs a priority from 1 to 99", name);
	if (s->nice && (is_realtime(s->policy) || s->policy == SCHED_DEADLINE))
		return decode_fail(d, v, "%s has no nice value", name);
	if ((s->runtime_ns || s->deadline_ns || s->period_ns) && s->policy != SCHED_DEADLINE)
		return decode_fail(
			d, v, "runtime, deadline and period are for SCHED_DEADLINE, not for %s",
			name);
	return 0;
}

static const struct field scheduler_fields[] = {
	{ "policy", WORD(struct config_scheduler, policy, words_sched_policy), .flags = REQUIRED },
	{ "nice", I32(struct config_scheduler, nice), .min = -20, .max = 19 },
	{ "priority", I32(struct config_scheduler, priority), .min = 0, .max = 99 },
	{ "flags", WORD_BITS(struct config_scheduler, flags, words_sched_flag) },
	{ "runtime", U64(struct config_scheduler, runtime_ns) },
	{ "deadline", U64(struct config_scheduler, deadline_ns) },
	{ "period", U64(struct config_scheduler, period_ns) },
};

static const struct object scheduler_object =
	OBJECT(struct config_scheduler, scheduler_fields, check_scheduler);

static const struct field io_priority_fields[] = {
	{ "class", WORD(struct config_io_priority, class, words_io_class), .flags = REQUIRED },
	{ "priority", I32(struct config_io_priority, priority), .min = 0, .max = 7 },
};

static const struct object io_priority_object =
	OBJECT(struct config_io_priority, io_priority_fields, NULL);

static const struct field affinity_fields[] = {
	{ "initial", STRING(struct config_process, exec_cpu_affinity_initial),
	  .flags = EMPTY_IS_ABSENT, .check = check_number_list },
	{ "final", STRING(struct config_process, exec_cpu_affinity_final), .flags = EMPTY_IS_ABSENT,
	  .check = check_number_list },
};

static const struct object affinity_object = OBJECT(struct config_process, affinity_fields, NULL);

/* ---- user, console ------------------------------------------------------------------------------------------ */

static int check_user(struct decoder *d, const struct json *v, void *out)
{
	const struct config_process *process = out;

	if (process->additional_gids.n <= GROUPS_MAX)
		return 0;
	return decode_fail(d, v, "more than %d additionalGids", GROUPS_MAX);
}

static const struct field user_fields[] = {
	{ "uid", U32(struct config_process, uid), .flags = REQUIRED | NOT_MINUS_ONE },
	{ "gid", U32(struct config_process, gid), .flags = REQUIRED | NOT_MINUS_ONE },
	{ "umask", OPT_U32(struct config_process, umask), .max = 0777 },
	{ "additionalGids", U32S(struct config_process, additional_gids), .flags = NOT_MINUS_ONE },
	{ "username", IGNORED("only for Windows") },
};

static const struct object user_object = OBJECT(struct config_process, user_fields, check_user);

/* TIOCSWINSZ has 16 bits for each. */
static const struct field console_fields[] = {
	{ "height", U32(struct config_process, console_height), .flags = REQUIRED,
	  .max = UINT16_MAX },
	{ "width", U32(struct config_process, console_width), .flags = REQUIRED,
	  .max = UINT16_MAX },
};

static const struct object console_object = OBJECT(struct config_process, console_fields, NULL);

/* ---- process ------------------------------------------------------------------------------------------------ */

static int check_process(struct decoder *d, const struct json *v, void *out)
{
	struct config_process *process = out;

	config_env_dedup(d->arena, &process->env);
	return check_rlimits(d, json_member(v, "rlimits"), &process->rlimits);
}

static const struct field process_fields[] = {
	{ "terminal", BOOL(struct config_process, terminal) },
	{ "consoleSize", GROUP(console_object) },
	{ "cwd", STRING(struct config_process, cwd), .flags = REQUIRED | ABSOLUTE },
	{ "env", STRINGS(struct config_process, env), .check = check_env },
	{ "args", STRINGS(struct config_process, args), .flags = REQUIRED | LIST_NOT_EMPTY,
	  .check = check_arg },
	{ "commandLine", IGNORED("only for Windows") },
	{ "rlimits", OBJECTS(struct config_process, rlimits, rlimit_object) },
	{ "apparmorProfile", STRING(struct config_process, apparmor_profile),
	  .flags = EMPTY_IS_ABSENT },
	{ "selinuxLabel", STRING(struct config_process, selinux_label), .flags = EMPTY_IS_ABSENT },
	{ "capabilities", SECTION(struct config_process, capabilities, capabilities_object),
	  .flags = MARKS_SET },
	{ "noNewPrivileges", BOOL(struct config_process, no_new_privileges) },
	{ "oomScoreAdj", OPT_I64(struct config_process, oom_score_adj), .min = -1000, .max = 1000 },
	{ "scheduler", SECTION(struct config_process, scheduler, scheduler_object),
	  .flags = MARKS_SET },
	{ "ioPriority", SECTION(struct config_process, io_priority, io_priority_object),
	  .flags = MARKS_SET },
	{ "execCPUAffinity", GROUP(affinity_object) },
	{ "user", GROUP(user_object) },
};

const struct object process_object = OBJECT(struct config_process, process_fields, check_process);

int config_process_read(struct arena *arena, const char *text, size_t len,
			struct config_process *ret_process, struct config_ignored_list *ret_ignored,
			struct err *err)
{
	struct decoder d = {
		.arena = arena, .name = "the process", .text = text, .len = len, .err = err
	};
	struct config_process process = { .set = true };
	int r;

	r = decode_document(&d, &process_object, &process);
	if (r < 0)
		return r;
	*ret_process = process;
	*ret_ignored = d.ignored;
	return 0;
}
