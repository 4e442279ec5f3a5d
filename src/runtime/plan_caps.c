/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the capabilities that a config names to those that the kernel will grant. The rules are the kernel's: nothing
 * that the runtime itself lacks (but in a user namespace of its own, the container's root has all), effective within
 * permitted, inheritable within bounding, ambient within permitted and inheritable. The spec wants a warning for what
 * can't be granted, so a set is cut down, never refused.
 *
 * Man: capabilities(7)
 */
#include "runtime/plan_caps.h"

#include "spec/words.h"

#include <stdio.h>
#include <string.h>

#define CAP_LIST_MAX 1024

/* "CAP_CHOWN, CAP_KILL"; numbers for those that we have no name for. */
static const char *list_names(uint64_t set, char buf[CAP_LIST_MAX])
{
	size_t len = 0;

	buf[0] = '\0';
	for (int cap = 0; cap < 64; cap++) {
		const char *name = words_name(&words_capability, (uint64_t)cap);

		if (!(set & 1ULL << cap) || len >= CAP_LIST_MAX)
			continue;
		if (name)
			len += (size_t)snprintf(buf + len, CAP_LIST_MAX - len, "%s%s",
						len ? ", " : "", name);
		else
			len += (size_t)snprintf(buf + len, CAP_LIST_MAX - len, "%snumber %d",
						len ? ", " : "", cap);
	}
	return buf;
}

/* Cut @set down to @allowed, and say so. */
static uint64_t cut(struct planner_state *s, const char *name, uint64_t set, uint64_t allowed,
		    const char *why)
{
	uint64_t lost = set & ~allowed;
	char list[CAP_LIST_MAX];

	if (lost)
		plan_warn(s->plan, "capabilities left out of the %s set, %s: %s", name, why,
			  list_names(lost, list));
	return set & allowed;
}

static uint64_t known_to_kernel(const struct facts *facts)
{
	return facts->last_cap >= 63 ? UINT64_MAX : (1ULL << (facts->last_cap + 1)) - 1;
}

static void warn_unknown(struct planner_state *s, const struct str_list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *near = words_near(&words_capability, names->items[i]);

		plan_warn(s->plan, "capability \"%s\" is left out: there is none of that name%s%s",
			  names->items[i], near ? ", perhaps it should be " : "", near ? near : "");
	}
}

struct cap_sets caps_grantable(struct planner_state *s)
{
	const struct config_capabilities *asked = &s->config->process.capabilities;
	uint64_t known = known_to_kernel(s->facts);
	uint64_t own = s_in_user_ns(s) ? known : s->facts->capabilities & known;
	uint64_t all = asked->effective | asked->permitted | asked->inheritable | asked->bounding |
		       asked->ambient;
	struct cap_sets sets;

	warn_unknown(s, &asked->unknown);
	/* What is missing altogether is said once, not for each of five sets. */
	(void)cut(s, "config's", all, known, "which this kernel doesn't have");
	(void)cut(s, "config's", all & known, own, "which the runtime lacks itself");

	sets.bounding = asked->bounding & own;
	sets.permitted = asked->permitted & own;
	sets.effective = cut(s, "effective", asked->effective & own, sets.permitted,
			     "since they are not in the permitted one");
	sets.inheritable = cut(s, "inheritable", asked->inheritable & own, sets.bounding,
			       "since they are not in the bounding one");
	sets.ambient = cut(s, "ambient", asked->ambient & own, sets.permitted & sets.inheritable,
			   "since they are not both permitted and inheritable");
	return sets;
}
