/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups below the limited one, which annotations ask for: one that keeps the processes out of a unit's own cgroup, and one
 * that belongs to the container. Limits stay above, so there is one place for them.
 *
 * Rows: annotations of requirements 3.1; G-7, K-5
 */
#include "runtime/planners.h"

#include "spec/annotations.h"

#include <string.h>

static const char *annotation(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->annotations.n; i++) {
		if (strcmp(config->annotations.items[i].key, key) == 0)
			return config->annotations.items[i].value;
	}
	return NULL;
}

static int check_sub(struct planner_state *s, const char *key, const char *value, struct err *err)
{
	if (*value && !strchr(value, '/') && strcmp(value, ".") != 0 && strcmp(value, "..") != 0 &&
	    strlen(value) < 256)
		return 0;
	err_user(err, "make the cgroup \"%s\" below the container's: that is no name for it",
		 value);
	err_hint(err, "it is one name, without \"/\", e.g. \"container\"");
	return err_at(err, plan_printf(s->plan, "/annotations/%s", key));
}

int plan_cgroup_sub(struct planner_state *s, const char **ret_sub, struct err *err)
{
	static const char *const keys[] = { ANNOTATION_UNIT_SUBGROUP, ANNOTATION_DELEGATE };
	const char *sub = NULL;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *value = annotation(s->config, keys[i]);
		int r;

		if (!value || (i == 0 && (!s->unit.name || !*value)))
			continue;
		if (s->facts->cgroup.mode != CGROUP_V2) {
			plan_warn(s->plan,
				  "annotation \"%s\" is for pure cgroup v2, and nothing is made "
				  "for it here",
				  keys[i]);
			continue;
		}
		r = check_sub(s, keys[i], value, err);
		if (r < 0)
			return r;
		s->delegate = i == 1;
		sub = plan_printf(s->plan, "%s%s%s", sub ? sub : "", sub ? "/" : "", value);
	}
	*ret_sub = sub;
	return 0;
}

/* Where the init is cloned. */
void plan_cgroup_sub_make(struct planner_state *s)
{
	int v2 = cgroup_find_v2(&s->facts->cgroup);
	struct step *step;

	if (!s->cgroup_sub)
		return;
	step = plan_add(s->plan, STEP_PARENT, STEP_CGROUP_SUB, "");
	step->in[0] = s->cgroup_dirs[v2];
	step->u.cgroup_sub.dir = s->cgroup_paths[v2];
	step->u.cgroup_sub.name = s->cgroup_sub;
	step->out = s->slots.cgroup2 = plan_slot(s->plan, "cgroup below");
}

void plan_cgroup_sub_entered(struct planner_state *s)
{
	int v2 = cgroup_find_v2(&s->facts->cgroup);
	const char *words, *lines = "";
	struct step *step;
	size_t len;

	if (!s->cgroup_sub)
		return;
	for (words = s->facts->cgroup.items[v2].controllers; *words;
	     words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		lines = plan_printf(s->plan, "%s%s+%.*s", lines, *lines ? "\n" : "", (int)len,
				    words);
	}
	step = plan_add(s->plan, STEP_PARENT, STEP_CGROUP_WRITE, "");
	step->in[0] = s->cgroup_dirs[v2];
	step->u.cgroup_write.dir = s->cgroup_paths[v2];
	step->u.cgroup_write.write.file = "cgroup.subtree_control";
	step->u.cgroup_write.write.value = lines;
	step->u.cgroup_write.write.lines = true;
	step->u.cgroup_write.write.may_be_refused = true;
}
