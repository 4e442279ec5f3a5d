/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/devices.h"

#include <string.h>

/* The devices that every container gets, and mknod, which without access is harmless and needed to make them. */
static const struct device_rule own_rules[] = {
	{ true, 'c', DEVICE_ANY, DEVICE_ANY, DEVICE_MKNOD, DEVICE_OWN_RULE },
	{ true, 'b', DEVICE_ANY, DEVICE_ANY, DEVICE_MKNOD, DEVICE_OWN_RULE },
	{ true, 'c', 1, 3, DEVICE_ALL, DEVICE_OWN_RULE },            /* null */
	{ true, 'c', 1, 5, DEVICE_ALL, DEVICE_OWN_RULE },            /* zero */
	{ true, 'c', 1, 7, DEVICE_ALL, DEVICE_OWN_RULE },            /* full */
	{ true, 'c', 1, 8, DEVICE_ALL, DEVICE_OWN_RULE },            /* random */
	{ true, 'c', 1, 9, DEVICE_ALL, DEVICE_OWN_RULE },            /* urandom */
	{ true, 'c', 5, 0, DEVICE_ALL, DEVICE_OWN_RULE },            /* tty */
	{ true, 'c', 5, 2, DEVICE_ALL, DEVICE_OWN_RULE },            /* ptmx */
	{ true, 'c', 10, 200, DEVICE_ALL, DEVICE_OWN_RULE },         /* net/tun */
	{ true, 'c', 136, DEVICE_ANY, DEVICE_ALL, DEVICE_OWN_RULE }, /* pts/N */
};

static unsigned rule_access(const struct config_device_rule *rule)
{
	unsigned access = 0;

	access |= rule->mknod ? DEVICE_MKNOD : 0U;
	access |= rule->read ? DEVICE_READ : 0U;
	access |= rule->write ? DEVICE_WRITE : 0U;
	return access;
}

/* Does it decide for every device and every access, so that nothing before it matters? */
static bool is_reset(const struct config_device_rule *rule)
{
	return rule->type == 'a' && !rule->major.set && !rule->minor.set &&
	       rule_access(rule) == DEVICE_ALL;
}

static void add_config_rule(struct device_rules *rules, const struct config_device_rule *from,
			    size_t index)
{
	const char *types = from->type == 'a' ? "cb" : (char[]){ from->type, '\0' };

	for (; *types; types++)
		rules->items[rules->n++] = (struct device_rule){
			.allow = from->allow,
			.type = *types,
			.major = from->major.set ? (int64_t)from->major.v : DEVICE_ANY,
			.minor = from->minor.set ? (int64_t)from->minor.v : DEVICE_ANY,
			.access = rule_access(from),
			.index = index,
		};
}

int device_rules_read(struct arena *arena, const struct config_device_rule_list *list,
		      struct device_rules *ret, struct err *err)
{
	struct device_rules rules = { .allow = false };
	size_t first = 0;

	if (list->n > DEVICE_RULES_MAX) {
		err_user(err, "use %zu device rules: at most %d are allowed", list->n,
			 DEVICE_RULES_MAX);
		return err_at(err, "/linux/resources/devices");
	}
	for (size_t i = 0; i < list->n; i++) {
		if (is_reset(&list->items[i])) {
			rules.allow = list->items[i].allow;
			first = i + 1;
		}
	}

	rules.items = arena_array(arena, ARRAY_LEN(own_rules) + 2 * (list->n - first) + 1,
				  sizeof(*rules.items));
	if (!rules.allow) {
		memcpy(rules.items, own_rules, sizeof(own_rules));
		rules.n = ARRAY_LEN(own_rules);
	}
	for (size_t i = first; i < list->n; i++)
		add_config_rule(&rules, &list->items[i], i);
	*ret = rules;
	return 0;
}
