/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maskedPaths and readonlyPaths. After the pivot and after the last mount, so that nothing can
 * uncover them. What hides a path comes from the parent: the host's /dev/null, verified to be that
 * device (an image's own may be anything, CVE-2025-31133), and for directories one empty tmpfs that
 * is read-only down to its superblock.
 */
#include "runtime/plan_label.h"
#include "runtime/plan_mount.h"

#include <string.h>

void plan_mask_sources(struct planner_state *s)
{
	const char *label;
	struct step *step;

	if (s->config->linux_.masked_paths.n == 0 || !s_ns_new(s, NS_MOUNT))
		return;

	step = plan_add(s->plan, s->opener, STEP_SOURCE_OPEN, "/linux/maskedPaths");
	step->out = s->slots.null_source = plan_slot(s->plan, "/dev/null");
	step->u.source_open.path = "/dev/null";
	step->u.source_open.rec_propagation = MS_PRIVATE;
	step->u.source_open.check_device = true;
	step->u.source_open.dev_type = 'c';
	step->u.source_open.dev_major = 1;
	step->u.source_open.dev_minor = 3;

	step = plan_add(s->plan, s->opener, STEP_EMPTY_DIR, "/linux/maskedPaths");
	step->out = s->slots.empty_source = plan_slot(s->plan, "empty directory");
	step->u.empty_dir.data = label_mount_data(s, "tmpfs", NULL, &label);
}

/*
 * "/" can't be bound over itself: whoever has it as root would stay below. But it has a flag of its
 * own.
 */
static void plan_readonly(struct planner_state *s, const char *path, const char *pointer)
{
	struct step *step;

	if (strcmp(path, "/") == 0) {
		plan_add(s->plan, STEP_CHILD, STEP_ROOT_READONLY, pointer);
		return;
	}
	step = plan_add(s->plan, STEP_CHILD, STEP_READONLY, pointer);
	step->u.readonly.path = path;
}

static int plan_mask(struct planner_state *s, const char *path, const char *pointer,
		     struct err *err)
{
	struct step *step;

	if (strcmp(path, "/") == 0) {
		err_user(err, "mask \"/\": nothing would be left of the container");
		return err_at(err, pointer);
	}
	step = plan_add(s->plan, STEP_CHILD, STEP_MASK, pointer);
	step->in[0] = s->slots.null_source;
	step->in[1] = s->slots.empty_source;
	step->u.mask.path = path;
	return 0;
}

int plan_masks(struct planner_state *s, struct err *err)
{
	const struct str_list *masked = &s->config->linux_.masked_paths;
	const struct str_list *readonly = &s->config->linux_.readonly_paths;
	int r;

	/*
	 * Read-only first: what is masked inside such a path then covers it, and not the other way
	 * round.
	 */
	for (size_t i = 0; i < readonly->n; i++)
		plan_readonly(s, clean_path(s, readonly->items[i]),
			      plan_printf(s->plan, "/linux/readonlyPaths/%zu", i));
	for (size_t i = 0; i < masked->n; i++) {
		r = plan_mask(s, clean_path(s, masked->items[i]),
			      plan_printf(s->plan, "/linux/maskedPaths/%zu", i), err);
		if (r < 0)
			return r;
	}
	return 0;
}
