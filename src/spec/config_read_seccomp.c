/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux.seccomp: the rules as written. Names of system calls are not looked up here: which of them exist is a matter of
 * architecture and kernel, and unknown ones are no error.
 *
 * Spec: config-linux.md "Seccomp"; rows S-1 to S-10
 */
#include "spec/config_read.h"

#include <linux/seccomp.h>
#include <string.h>

#define FILTER_FLAG_WAIT_KILLABLE_RECV (1U << 5)

/* The kernel's own bound on what a filter returns as errno (MAX_ERRNO), and the room for data in its result. */
#define SECCOMP_ERRNO_MAX 4095
#define SECCOMP_DATA_MAX  65535

/* ---- architectures ------------------------------------------------------------------------------------------ */

static int decode_architectures(struct decoder *d, const struct json *v, void *out)
{
	uint32_t *bits = out;
	static const struct field one = { "architectures", .kind = FIELD_WORD,
					  .size = sizeof(uint32_t), .words = &words_seccomp_arch };
	const struct json *entry;
	uint32_t arch;
	int r;

	if (v->type != JSON_ARRAY)
		return decode_fail(d, v, "expected an array, got %s", decode_got(d, v));
	json_each(entry, v) {
		r = decode_value(d, &one, entry, &arch);
		if (r < 0)
			return r;
		*bits |= 1U << arch;
	}
	return 0;
}

/* ---- rules -------------------------------------------------------------------------------------------------- */

static const struct field arg_fields[] = {
	{ "index", U32(struct config_seccomp_arg, index), .flags = REQUIRED, .max = 5 },
	{ "value", U64(struct config_seccomp_arg, value), .flags = REQUIRED },
	{ "valueTwo", U64(struct config_seccomp_arg, value_two) },
	{ "op", WORD(struct config_seccomp_arg, op, words_seccomp_op), .flags = REQUIRED },
};

static const struct object arg_object = OBJECT(struct config_seccomp_arg, arg_fields, NULL);

/* An errno is for the two actions that have one; elsewhere the filter would silently lose it. */
static int check_errno(struct decoder *d, const struct json *v, uint32_t action,
		       struct opt_u32 errno_ret)
{
	uint32_t max = action == SECCOMP_RET_ERRNO ? SECCOMP_ERRNO_MAX : SECCOMP_DATA_MAX;

	if (!errno_ret.set)
		return 0;
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return decode_fail(d, v, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one, not %s",
				   words_name(&words_seccomp_action, action));
	if (errno_ret.v > max)
		return decode_fail(d, v, "expected an integer from 0 to %u, got %u", max,
				   errno_ret.v);
	return 0;
}

static int check_rule(struct decoder *d, const struct json *v, void *out)
{
	const struct config_seccomp_rule *rule = out;

	return check_errno(d, json_member(v, "errnoRet"), rule->action, rule->errno_ret);
}

static const struct field seccomp_rule_fields[] = {
	{ "names", STRINGS(struct config_seccomp_rule, names),
	  .flags = REQUIRED | LIST_NOT_EMPTY | NOT_EMPTY },
	{ "action", WORD(struct config_seccomp_rule, action, words_seccomp_action),
	  .flags = REQUIRED },
	{ "errnoRet", OPT_U32(struct config_seccomp_rule, errno_ret) },
	{ "args", OBJECTS(struct config_seccomp_rule, args, arg_object) },
};

static const struct object rule_object =
	OBJECT(struct config_seccomp_rule, seccomp_rule_fields, check_rule);

/* ---- listener ----------------------------------------------------------------------------------------------- */

static bool has_name(const struct str_list *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (!strcmp(names->items[i], name))
			return true;
	}
	return false;
}

/* Return: 1 if some rule notifies, 0 if none does, -EINVAL if one must not */
static int check_notify(struct decoder *d, const struct json *v,
			const struct config_seccomp *seccomp)
{
	const struct json *rules = json_member(v, "syscalls");
	int found = 0;

	if (seccomp->default_action == SECCOMP_RET_USER_NOTIF)
		return decode_fail(d, json_member(v, "defaultAction"),
				   "SCMP_ACT_NOTIFY can't be the default: nothing could happen "
				   "without the listener, not even handing it over");
	for (size_t i = 0; i < seccomp->syscalls.n; i++) {
		const struct config_seccomp_rule *rule = &seccomp->syscalls.items[i];

		if (rule->action != SECCOMP_RET_USER_NOTIF)
			continue;
		if (has_name(&rule->names, "write"))
			return decode_fail(
				d, json_entry(rules, i),
				"SCMP_ACT_NOTIFY can't be on write: who hands the listener over "
				"may need it first");
		found = 1;
	}
	return found;
}

static int check_seccomp(struct decoder *d, const struct json *v, void *out)
{
	struct config_seccomp *seccomp = out;
	int notify, r;

	seccomp->has_flags = json_member(v, "flags") && json_member(v, "flags")->type != JSON_NULL;

	r = check_errno(d, json_member(v, "defaultErrnoRet"), seccomp->default_action,
			seccomp->default_errno_ret);
	if (r < 0)
		return r;
	notify = check_notify(d, v, seccomp);
	if (notify < 0)
		return notify;
	if (!notify && seccomp->flags & FILTER_FLAG_WAIT_KILLABLE_RECV)
		return decode_fail(
			d, json_member(v, "flags"),
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY");
	if (seccomp->listener_metadata && !seccomp->listener_path)
		return decode_fail(d, json_member(v, "listenerMetadata"),
				   "there is no listenerPath to send it to");
	return 0;
}

static const struct field seccomp_fields[] = {
	{ "defaultAction", WORD(struct config_seccomp, default_action, words_seccomp_action),
	  .flags = REQUIRED },
	{ "defaultErrnoRet", OPT_U32(struct config_seccomp, default_errno_ret) },
	{ "architectures", CUSTOM(struct config_seccomp, architectures, decode_architectures) },
	{ "flags", WORD_BITS(struct config_seccomp, flags, words_seccomp_flag) },
	{ "listenerPath", STRING(struct config_seccomp, listener_path), .flags = EMPTY_IS_ABSENT },
	{ "listenerMetadata", STRING(struct config_seccomp, listener_metadata),
	  .flags = EMPTY_IS_ABSENT },
	{ "syscalls", OBJECTS(struct config_seccomp, syscalls, rule_object) },
};

const struct object seccomp_object = OBJECT(struct config_seccomp, seccomp_fields, check_seccomp);
