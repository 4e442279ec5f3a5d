/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts as JSON, so that a plan can be made for a host that isn't here: `tare-oci explain --print-facts` there,
 * `tare-oci explain --facts FILE` here. Numbers that people know by another name are written by it: the kernel's version,
 * the capability sets as in /proc/PID/status, namespaces by the spec's words.
 */
#include "runtime/facts.h"

#include "base/json.h"
#include "base/json_write.h"
#include "os/kernel.h"
#include "spec/config.h"

#include <stdio.h>
#include <string.h>

static void print_cgroup(struct json_writer *w, const struct cgroup_layout *layout)
{
	json_object_begin(w, "cgroup");
	json_add_string(w, "mode", cgroup_mode_names[layout->mode]);
	json_array_begin(w, "hierarchies");
	for (size_t i = 0; i < layout->n; i++) {
		const struct cgroup_hierarchy *h = &layout->items[i];

		json_object_begin(w, NULL);
		json_add_bool(w, "v2", h->v2);
		json_add_string(w, "mount", h->mount);
		json_add_string(w, "root", h->root);
		json_add_string(w, "controllers", h->controllers);
		json_add_string(w, "ownPath", h->own_path);
		json_add_string(w, "base", h->base ? h->base : "");
		json_add_bool(w, "closed", h->closed);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
}

static void print_subids(struct json_writer *w, const char *key, const struct subid_list *list)
{
	json_array_begin(w, key);
	for (size_t i = 0; i < list->n; i++) {
		json_object_begin(w, NULL);
		json_add_u64(w, "start", list->items[i].start);
		json_add_u64(w, "count", list->items[i].count);
		json_object_end(w);
	}
	json_array_end(w);
}

char *facts_print(struct arena *arena, const struct facts *facts)
{
	struct json_writer w;
	char text[32];

	json_writer_init(&w, arena, 2);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "euid", facts->euid);
	json_add_u64(&w, "egid", facts->egid);
	json_add_bool(&w, "rootless", facts->rootless);
	print_subids(&w, "subuids", &facts->subuids);
	print_subids(&w, "subgids", &facts->subgids);
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)facts->capabilities);
	json_add_string(&w, "capabilities", text);
	json_add_i64(&w, "lastCapability", facts->last_cap);
	snprintf(text, sizeof(text), "%u.%u", (unsigned)(facts->kernel_version >> 16),
		 (unsigned)(facts->kernel_version >> 8 & 0xff));
	json_add_string(&w, "kernel", text);

	json_array_begin(&w, "namespaces");
	for (int type = 0; type < NS_TYPES; type++) {
		if (facts->namespaces & ns_clone_flags[type])
			json_add_string(&w, NULL, ns_names[type]);
	}
	json_array_end(&w);

	print_cgroup(&w, &facts->cgroup);
	json_add_bool(&w, "apparmor", facts->apparmor);
	json_add_bool(&w, "selinux", facts->selinux);
	json_add_string(&w, "resctrl", facts->resctrl ? facts->resctrl : "");
	json_add_bool(&w, "seccomp", facts->seccomp);
	json_add_bool(&w, "systemd", facts->systemd);
	json_object_end(&w);
	return arena_printf(arena, "%s\n", json_writer_text(&w, NULL));
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* The first complaint stays; after it every further step does nothing, so that a list of members needs no checks. */
struct loader {
	struct arena *arena;
	struct err *err;
	int r;
};

static void complain(struct loader *l, const struct json *value, const char *expected)
{
	l->r = err_user(l->err, "read facts: expected %s", expected);
	err_at(l->err, json_pointer(l->arena, value));
}

/* A member that must be there, NULL after a complaint. */
static const struct json *member(struct loader *l, const struct json *object, const char *key)
{
	const struct json *value;

	if (l->r < 0)
		return NULL;
	if (object->type != JSON_OBJECT) {
		complain(l, object, "an object");
		return NULL;
	}
	value = json_member(object, key);
	if (!value) {
		l->r = err_user(l->err, "read facts: \"%s\" is missing", key);
		err_at(l->err, json_pointer(l->arena, object));
	}
	return value;
}

static void load_bool(struct loader *l, const struct json *object, const char *key, bool *ret)
{
	const struct json *value = member(l, object, key);

	if (!value)
		return;
	if (value->type != JSON_BOOL)
		complain(l, value, "true or false");
	else
		*ret = value->boolean;
}

static void load_u32(struct loader *l, const struct json *object, const char *key, uint32_t max,
		     uint32_t *ret)
{
	const struct json *value = member(l, object, key);
	uint64_t number;

	if (!value)
		return;
	if (json_u64(value, &number) < 0 || number > max)
		complain(l, value, arena_printf(l->arena, "a number from 0 to %u", max));
	else
		*ret = (uint32_t)number;
}

static void load_text(struct loader *l, const struct json *object, const char *key,
		      const char **ret)
{
	const struct json *value = member(l, object, key);

	if (!value)
		return;
	if (!json_string(value))
		complain(l, value, "a string");
	else
		*ret = arena_strdup(l->arena, json_string(value));
}

static const struct json *load_list(struct loader *l, const struct json *object, const char *key)
{
	const struct json *value = member(l, object, key);

	if (value && value->type != JSON_ARRAY) {
		complain(l, value, "a list");
		return NULL;
	}
	return value;
}

static void load_capabilities(struct loader *l, const struct json *object, uint64_t *ret)
{
	const struct json *value = member(l, object, "capabilities");
	const char *text;

	if (!value)
		return;
	text = json_string(value);
	if (!text || !*text || strlen(text) > 16 || text[strspn(text, "0123456789abcdefABCDEF")])
		complain(l, value, "up to 16 hexadecimal digits, as in /proc/PID/status");
	else
		*ret = strtoull(text, NULL, 16);
}

static void load_kernel(struct loader *l, const struct json *object, uint64_t *ret)
{
	const struct json *value = member(l, object, "kernel");

	if (value && (!json_string(value) || !os_kernel_version_parse(json_string(value), ret)))
		complain(l, value, "a kernel version like \"6.1\"");
}

/* The place of a word in a list of names. Return: @n, and a complaint, when it is not in it */
static int load_word(struct loader *l, const struct json *value, const char *const *names, int n,
		     const char *expected)
{
	const char *word = json_string(value);
	int i = 0;

	while (i < n && !(word && strcmp(word, names[i]) == 0))
		i++;
	if (i == n)
		complain(l, value, expected);
	return i;
}

static void load_namespaces(struct loader *l, const struct json *object, uint64_t *ret_flags)
{
	const struct json *list = load_list(l, object, "namespaces"), *item;
	int type;

	if (!list)
		return;
	json_each(item, list) {
		type = load_word(l, item, ns_names, NS_TYPES,
				 "the name of a namespace, such as \"network\"");
		if (type == NS_TYPES)
			return;
		*ret_flags |= ns_clone_flags[type];
	}
}

static void load_subids(struct loader *l, const struct json *object, const char *key,
			struct subid_list *ret)
{
	const struct json *list = load_list(l, object, key), *item;

	if (!list)
		return;
	ret->items = arena_array(l->arena, list->len, sizeof(*ret->items));
	json_each(item, list) {
		struct subid *range = &ret->items[ret->n++];

		load_u32(l, item, "start", UINT32_MAX, &range->start);
		load_u32(l, item, "count", UINT32_MAX, &range->count);
	}
}

static void load_hierarchy(struct loader *l, const struct json *object, struct cgroup_hierarchy *h)
{
	load_bool(l, object, "v2", &h->v2);
	load_text(l, object, "mount", &h->mount);
	load_text(l, object, "root", &h->root);
	load_text(l, object, "controllers", &h->controllers);
	load_text(l, object, "ownPath", &h->own_path);
	load_text(l, object, "base", &h->base);
	load_bool(l, object, "closed", &h->closed);
}

static void load_cgroup(struct loader *l, const struct json *facts_object,
			struct cgroup_layout *layout)
{
	const struct json *object = member(l, facts_object, "cgroup"), *mode, *list, *item;
	size_t n = 0;

	mode = object ? member(l, object, "mode") : NULL;
	list = mode ? load_list(l, object, "hierarchies") : NULL;
	if (!list)
		return;

	layout->mode = (enum cgroup_mode)load_word(l, mode, cgroup_mode_names, CGROUP_V2 + 1,
						   "one of \"none\", \"v1\", \"hybrid\", \"v2\"");
	layout->items = arena_array(l->arena, list->len, sizeof(*layout->items));
	layout->n = list->len;
	json_each(item, list)
		load_hierarchy(l, item, &layout->items[n++]);
}

/* A misspelt member would be missing under its right name; what is one too many is noticed here. */
static void refuse_unknown(struct loader *l, const struct json *object)
{
	static const char *const known[] = { "euid",           "egid",     "rootless",
					     "subuids",        "subgids",  "capabilities",
					     "lastCapability", "kernel",   "namespaces",
					     "cgroup",         "apparmor", "selinux",
					     "seccomp",        "systemd",  "resctrl" };
	const struct json *item;
	size_t i;

	if (object->type != JSON_OBJECT)
		return;
	json_each(item, object) {
		for (i = 0; i < ARRAY_LEN(known); i++) {
			if (strcmp(item->key, known[i]) == 0)
				break;
		}
		if (i == ARRAY_LEN(known)) {
			complain(l, item, "no member of this name");
			return;
		}
	}
}

int facts_load(struct arena *arena, const char *text, size_t len, struct facts *ret_facts,
	       struct err *err)
{
	struct loader l = { .arena = arena, .err = err };
	struct facts facts = { 0 };
	const struct json *root;
	uint32_t last_cap = 0;
	int r;

	r = json_parse(arena, text, len, &root, err);
	if (r < 0) {
		err_context(err, "read facts");
		return r;
	}

	refuse_unknown(&l, root);
	load_u32(&l, root, "euid", UINT32_MAX, &facts.euid);
	load_u32(&l, root, "egid", UINT32_MAX, &facts.egid);
	load_bool(&l, root, "rootless", &facts.rootless);
	load_subids(&l, root, "subuids", &facts.subuids);
	load_subids(&l, root, "subgids", &facts.subgids);
	load_capabilities(&l, root, &facts.capabilities);
	load_u32(&l, root, "lastCapability", 63, &last_cap);
	load_kernel(&l, root, &facts.kernel_version);
	load_namespaces(&l, root, &facts.namespaces);
	load_cgroup(&l, root, &facts.cgroup);
	load_bool(&l, root, "apparmor", &facts.apparmor);
	load_bool(&l, root, "selinux", &facts.selinux);
	load_text(&l, root, "resctrl", &facts.resctrl);
	load_bool(&l, root, "seccomp", &facts.seccomp);
	load_bool(&l, root, "systemd", &facts.systemd);
	if (l.r < 0)
		return l.r;

	if (!*facts.resctrl)
		facts.resctrl = NULL;
	facts.last_cap = (int)last_cap;
	facts.cgroup.narrow = facts.rootless;
	*ret_facts = facts;
	return 0;
}
