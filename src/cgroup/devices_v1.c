/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ordered rules played through on a model of v1's exception list. An exception stands for what differs from the
 * default; a rule of the default's own kind takes exceptions away, which works only on those that lie wholly inside it.
 */
#include "cgroup/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct exceptions {
	bool allow; /* the default that these differ from */
	struct device_rule *items;
	size_t n;
	bool mknod_left; /* a rule that denies only mknod had no effect */
};

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type &&
	       (a->major == b->major || a->major == DEVICE_ANY || b->major == DEVICE_ANY) &&
	       (a->minor == b->minor || a->minor == DEVICE_ANY || b->minor == DEVICE_ANY);
}

static bool covers(const struct device_rule *outer, const struct device_rule *inner)
{
	return outer->type == inner->type &&
	       (outer->major == DEVICE_ANY || outer->major == inner->major) &&
	       (outer->minor == DEVICE_ANY || outer->minor == inner->minor);
}

static void add_exception(struct exceptions *list, const struct device_rule *rule)
{
	for (size_t i = 0; i < list->n; i++) {
		struct device_rule *item = &list->items[i];

		/* The kernel merges equal devices, too. */
		if (item->major == rule->major && item->minor == rule->minor &&
		    item->type == rule->type) {
			item->access |= rule->access;
			item->index = rule->index;
			return;
		}
	}
	list->items[list->n++] = *rule;
}

/*
 * tare's own "mknod of anything". It is not worth an error when v1 can't take one device out of it: what the rule denies
 * besides, reading and writing, is denied, and a node that nobody can open is harmless.
 */
static bool is_own_mknod(const struct device_rule *rule)
{
	return rule->index == DEVICE_OWN_RULE && rule->access == DEVICE_MKNOD;
}

/* Return: false if an exception would have to be split */
static bool remove_exceptions(struct exceptions *list, const struct device_rule *rule)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct device_rule item = list->items[i];

		if (overlaps(&item, rule) && (item.access & rule->access)) {
			if (covers(rule, &item))
				item.access &= ~rule->access;
			else if (!is_own_mknod(&item))
				return false;
			else if (rule->access == DEVICE_MKNOD)
				list->mknod_left = true;
		}
		if (item.access)
			list->items[kept++] = item;
	}
	list->n = kept;
	return true;
}

/* The rules as exceptions to @allow. Return: rules->n if all fit in, else the index of the rule that doesn't */
static size_t play(struct arena *arena, const struct device_rules *rules, bool allow,
		   struct exceptions *ret)
{
	*ret = (struct exceptions){ .allow = allow };
	ret->items = arena_array(arena, rules->n + 2, sizeof(*ret->items));

	/* The other default is written out: everything is an exception. */
	if (rules->allow != allow) {
		for (const char *type = "cb"; *type; type++)
			add_exception(ret, &(struct device_rule){ rules->allow, *type, DEVICE_ANY,
								  DEVICE_ANY, DEVICE_ALL,
								  DEVICE_OWN_RULE });
	}
	for (size_t i = 0; i < rules->n; i++) {
		if (rules->items[i].allow != allow)
			add_exception(ret, &rules->items[i]);
		else if (!remove_exceptions(ret, &rules->items[i]))
			return i;
	}
	return rules->n;
}

static void append_number(char *out, size_t size, int64_t number)
{
	if (number == DEVICE_ANY)
		snprintf(out, size, "*");
	else
		snprintf(out, size, "%" PRId64, number);
}

static const char *lines_of(struct arena *arena, const struct exceptions *list, bool own)
{
	char *text = arena_alloc(arena, list->n * 40 + 1), *at = text, major[24], minor[24];

	for (size_t i = 0; i < list->n; i++) {
		const struct device_rule *item = &list->items[i];

		if ((item->index == DEVICE_OWN_RULE) != own)
			continue;
		append_number(major, sizeof(major), item->major);
		append_number(minor, sizeof(minor), item->minor);
		at += sprintf(at, "%s%c %s:%s %s%s%s", at == text ? "" : "\n", item->type, major,
			      minor, item->access & DEVICE_READ ? "r" : "",
			      item->access & DEVICE_WRITE ? "w" : "",
			      item->access & DEVICE_MKNOD ? "m" : "");
	}
	return text;
}

static size_t first_config_index(const struct exceptions *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].index != DEVICE_OWN_RULE)
			return list->items[i].index;
	}
	return 0;
}

int device_rules_v1(struct arena *arena, const struct device_rules *rules, struct device_list *ret,
		    struct err *err)
{
	struct exceptions list;
	size_t stopped;

	stopped = play(arena, rules, rules->allow, &list);
	if (stopped < rules->n && play(arena, rules, !rules->allow, &list) < rules->n) {
		err_user(err, "put the device rules into cgroup v1: they make an exception from an "
			      "exception");
		err_at(err, arena_printf(arena, "/linux/resources/devices/%zu",
					 rules->items[stopped].index));
		return err_hint(err, "v1 keeps one list without order: name the devices that are "
				     "allowed one by one");
	}
	*ret = (struct device_list){
		.allow = list.allow,
		.own_lines = lines_of(arena, &list, true),
		.config_lines = lines_of(arena, &list, false),
		.config_index = first_config_index(&list),
		.mknod_left = list.mknod_left,
	};
	return 0;
}
