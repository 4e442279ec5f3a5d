/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux.memoryPolicy and linux.intelRdt: where memory comes from, and how much of the cache.
 *
 * Spec: config-linux.md "Memory policy", "IntelRdt"; rows L-25 to L-27, I-1 to I-13
 */
#include "spec/config_read.h"

#include <linux/mempolicy.h>
#include <string.h>

/* ---- memoryPolicy ------------------------------------------------------------------------------------------- */

static bool wants_no_nodes(int mode)
{
	return mode == MPOL_DEFAULT || mode == MPOL_LOCAL;
}

/* set_mempolicy(2): the two that name no nodes take none, MPOL_PREFERRED may go without, the others need some. */
static int check_memory_policy(struct decoder *d, const struct json *v, void *out)
{
	const struct config_memory_policy *policy = out;
	const char *name = words_name(&words_memory_mode, (uint64_t)policy->mode);
	bool has_nodes = policy->nodes && policy->nodes[0];

	if (has_nodes && wants_no_nodes(policy->mode))
		return decode_fail(d, json_member(v, "nodes"), "%s takes no nodes", name);
	if (!has_nodes && !wants_no_nodes(policy->mode) && policy->mode != MPOL_PREFERRED)
		return decode_fail(d, v, "%s needs nodes", name);
	if (policy->flags & MPOL_F_STATIC_NODES && policy->flags & MPOL_F_RELATIVE_NODES)
		return decode_fail(
			d, json_member(v, "flags"),
			"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	return 0;
}

static const struct field memory_policy_fields[] = {
	{ "mode", WORD(struct config_memory_policy, mode, words_memory_mode), .flags = REQUIRED },
	{ "nodes", STRING(struct config_memory_policy, nodes), .flags = EMPTY_IS_ABSENT,
	  .check = check_number_list },
	{ "flags", WORD_BITS(struct config_memory_policy, flags, words_memory_flag) },
};

const struct object memory_policy_object =
	OBJECT(struct config_memory_policy, memory_policy_fields, check_memory_policy);

/* ---- intelRdt ----------------------------------------------------------------------------------------------- */

/* A directory of resctrl, or "/" for its root; the kernel's own directories there are not for us. */
static int check_clos_id(struct decoder *d, const struct json *v, void *out)
{
	static const char *const taken[] = { ".", "..", "info", "mon_groups", "mon_data" };

	if (!strcmp(v->text, "/"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		if (!strcmp(v->text, taken[i]))
			return decode_fail(d, v, "%s is a name of resctrl's own", decode_got(d, v));
	}
	if (strpbrk(v->text, "/\n"))
		return decode_fail(d, v, "expected the name of one directory or \"/\", got %s",
				   decode_got(d, v));
	return 0;
}

static bool begins_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

bool config_is_l3_schema(const char *lines)
{
	for (const char *line = lines; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (!begins_with(line, "L3:") && !begins_with(line, "L3CODE:") &&
		    !begins_with(line, "L3DATA:"))
			return false;
	}
	return true;
}

bool config_is_mb_schema(const char *line)
{
	return begins_with(line, "MB:") && !strchr(line, '\n');
}

static int check_l3_schema(struct decoder *d, const struct json *v, void *out)
{
	if (config_is_l3_schema(v->text))
		return 0;
	return decode_fail(d, v, "a line begins with none of \"L3:\", \"L3CODE:\", \"L3DATA:\"");
}

static int check_mb_schema(struct decoder *d, const struct json *v, void *out)
{
	if (config_is_mb_schema(v->text))
		return 0;
	return decode_fail(d, v, "expected one line that begins with \"MB:\", got %s",
			   decode_got(d, v));
}

static int check_schema_line(struct decoder *d, const struct json *v, void *out)
{
	if (!strchr(v->text, '\n'))
		return 0;
	return decode_fail(d, v, "expected one line, got several");
}

static const struct field intel_rdt_fields[] = {
	{ "closID", STRING(struct config_intel_rdt, clos_id), .flags = EMPTY_IS_ABSENT,
	  .check = check_clos_id },
	{ "l3CacheSchema", STRING(struct config_intel_rdt, l3_cache_schema),
	  .flags = EMPTY_IS_ABSENT, .check = check_l3_schema },
	{ "memBwSchema", STRING(struct config_intel_rdt, mem_bw_schema), .flags = EMPTY_IS_ABSENT,
	  .check = check_mb_schema },
	{ "schemata", STRINGS(struct config_intel_rdt, schemata), .flags = NOT_EMPTY,
	  .check = check_schema_line },
	{ "enableMonitoring", BOOL(struct config_intel_rdt, enable_monitoring) },
	{ "enableCMT", IGNORED("gone from the spec since 1.3") },
	{ "enableMBM", IGNORED("gone from the spec since 1.3") },
};

const struct object intel_rdt_object = OBJECT(struct config_intel_rdt, intel_rdt_fields, NULL);
