/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/seccomp_profile.h"

#include "spec/words.h"

#include <stdio.h>
#include <string.h>

static bool has_word(const struct json *list, const char *word)
{
	const struct json *item;

	if (!list || list->type != JSON_ARRAY)
		return false;
	json_each(item, list) {
		const char *text = json_string(item);

		if (text && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

static bool has_capability(const struct seccomp_for *where, const char *name)
{
	uint64_t bit;

	return name && words_find(&words_capability, name, &bit) && where->capabilities >> bit & 1;
}

/* The capabilities of a condition: all of them for includes, any of them for excludes. */
static bool has_all(const struct seccomp_for *where, const struct json *caps)
{
	const struct json *item;

	if (!caps || caps->type != JSON_ARRAY)
		return true;
	json_each(item, caps) {
		if (!has_capability(where, json_string(item)))
			return false;
	}
	return true;
}

static bool has_any(const struct seccomp_for *where, const struct json *caps)
{
	const struct json *item;

	if (!caps || caps->type != JSON_ARRAY)
		return false;
	json_each(item, caps) {
		if (has_capability(where, json_string(item)))
			return true;
	}
	return false;
}

static bool is_kernel_at_least(const struct seccomp_for *where, const char *minimum)
{
	unsigned major, minor;

	if (sscanf(minimum, "%u.%u", &major, &minor) != 2)
		return false;
	return where->kernel[0] > major || (where->kernel[0] == major && where->kernel[1] >= minor);
}

static bool is_wanted(const struct seccomp_for *where, const struct json *rule)
{
	const struct json *includes = json_member(rule, "includes");
	const struct json *excludes = json_member(rule, "excludes");
	const struct json *arches = json_member(includes, "arches");
	const char *minimum = json_string(json_member(includes, "minKernel"));
	const char *too_new = json_string(json_member(excludes, "minKernel"));

	if (arches && arches->len && !has_word(arches, where->architecture))
		return false;
	if (has_word(json_member(excludes, "arches"), where->architecture))
		return false;
	if ((minimum && !is_kernel_at_least(where, minimum)) ||
	    (too_new && is_kernel_at_least(where, too_new)))
		return false;
	return has_all(where, json_member(includes, "caps")) &&
	       !has_any(where, json_member(excludes, "caps"));
}

/* What a profile calls a machine that the spec calls otherwise */
static const char *native_architecture(const char *name)
{
	static const struct {
		const char *go, *seccomp;
	} names[] = {
		{ "amd64", "SCMP_ARCH_X86_64" },    { "386", "SCMP_ARCH_X86" },
		{ "arm64", "SCMP_ARCH_AARCH64" },   { "arm", "SCMP_ARCH_ARM" },
		{ "ppc64le", "SCMP_ARCH_PPC64LE" }, { "s390x", "SCMP_ARCH_S390X" },
		{ "riscv64", "SCMP_ARCH_RISCV64" }, { "loong64", "SCMP_ARCH_LOONGARCH64" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].go, name) == 0)
			return names[i].seccomp;
	}
	return NULL;
}

static void write_architectures(struct json_writer *w, const struct json *root,
				const struct seccomp_for *where)
{
	const char *native = native_architecture(where->architecture);
	const struct json *map = json_member(root, "archMap"), *entry, *sub;

	if (!map || !native)
		return;
	json_array_begin(w, "architectures");
	json_add_string(w, NULL, native);
	json_each(entry, map) {
		const char *name = json_string(json_member(entry, "architecture"));
		const struct json *subs = json_member(entry, "subArchitectures");

		if (!name || strcmp(name, native) != 0 || !subs || subs->type != JSON_ARRAY)
			continue;
		json_each(sub, subs)
			json_add_value(w, NULL, sub);
	}
	json_array_end(w);
}

/* The members that the runtime-spec knows; lists that are empty say nothing. */
static void write_rule(struct json_writer *w, const struct json *rule)
{
	static const char *const known[] = { "names", "action", "errnoRet", "args" };
	const struct json *name = json_member(rule, "name");

	json_object_begin(w, NULL);
	/* An older form has one call a rule. */
	if (name && !json_member(rule, "names")) {
		json_array_begin(w, "names");
		json_add_value(w, NULL, name);
		json_array_end(w);
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		const struct json *member = json_member(rule, known[i]);

		if (member && member->type != JSON_NULL &&
		    !(member->type == JSON_ARRAY && member->len == 0))
			json_add_value(w, known[i], member);
	}
	json_object_end(w);
}

static void write_rules(struct json_writer *w, const struct json *rules,
			const struct seccomp_for *where)
{
	const struct json *rule;

	json_array_begin(w, "syscalls");
	json_each(rule, rules) {
		if (is_wanted(where, rule))
			write_rule(w, rule);
	}
	json_array_end(w);
}

static bool is_settled_here(const char *key)
{
	static const char *const here[] = { "archMap", "defaultErrno", "syscalls" };

	for (size_t i = 0; i < ARRAY_LEN(here); i++) {
		if (strcmp(here[i], key) == 0)
			return true;
	}
	return false;
}

int seccomp_profile_resolve(struct json_writer *w, const char *name, const char *text, size_t len,
			    const struct seccomp_for *where, struct err *err)
{
	const struct json *root, *member;

	if (json_parse(w->arena, text, len, &root, err) < 0)
		return err_context(err, "read the seccomp profile \"%s\"", name);
	if (root->type != JSON_OBJECT || !json_string(json_member(root, "defaultAction")))
		return err_user(err, "\"%s\" is no seccomp profile: it has no defaultAction", name);

	json_object_begin(w, "seccomp");
	json_each(member, root) {
		if (!is_settled_here(member->key))
			json_add_value(w, member->key, member);
	}
	if (!json_member(root, "architectures"))
		write_architectures(w, root, where);
	member = json_member(root, "syscalls");
	if (member && member->type == JSON_ARRAY)
		write_rules(w, member, where);
	json_object_end(w);
	return 0;
}
