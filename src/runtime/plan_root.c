/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container's root. Opened by the parent as a detached tree, attached by the child at its own
 * path on the host (so that hooks before pivot_root find it there), and made "/" by pivot_root.
 * Without a mount namespace of its own nothing can be mounted without changing the host, so there
 * only chroot remains.
 */
#include "runtime/plan_mount.h"

#include <string.h>
#include <sys/mount.h>

/* Refuse what would be mounted into somebody else's mount namespace. */
static int check_without_namespace(const struct planner_state *s, struct err *err)
{
	const struct config_linux *lin = &s->config->linux_;
	bool joined = lin->namespaces[NS_MOUNT].mode == NS_JOIN;
	const struct {
		bool given;
		const char *what, *pointer;
	} refused[] = {
		{ s->config->mounts.n > 0, "mounts", "/mounts" },
		{ lin->masked_paths.n > 0, "maskedPaths", "/linux/maskedPaths" },
		{ lin->readonly_paths.n > 0, "readonlyPaths", "/linux/readonlyPaths" },
		{ s->config->root.readonly, "a read-only root", "/root/readonly" },
		{ lin->rootfs_propagation != NULL, "rootfsPropagation",
		  "/linux/rootfsPropagation" },
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (!refused[i].given)
			continue;
		err_user(err, "%s would change %s: there is no new mount namespace",
			 refused[i].what, joined ? "the joined mount namespace" : "the host");
		err_hint(err, "add { \"type\": \"mount\" } without a path to linux.namespaces");
		return err_at(err, refused[i].pointer);
	}
	return 0;
}

uint64_t root_propagation(const struct planner_state *s)
{
	const char *word = s->config->linux_.rootfs_propagation;

	return word ? mount_word_propagation(word) : 0;
}

static void open_root(struct planner_state *s)
{
	struct step *step = plan_add(s->plan, s->opener, STEP_ROOT_OPEN, "/root/path");

	s->slots.rootfs = step->out = plan_slot(s->plan, "rootfs");
	step->u.root_open.path = plan_strdup(s->plan, s->options->rootfs);
	step->u.root_open.detached = s_ns_new(s, NS_MOUNT);
	step->u.root_open.made = s->options->rootfs_tree;
	/*
	 * pivot_root wants a root that is not shared. A slave keeps receiving what the host mounts
	 * below its rootfs; everything else is set after the last mount, by
	 * plan_root_propagation().
	 */
	step->u.root_open.propagation = root_propagation(s) & MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
}

/* The rootfs and everything else that is taken of the host. */
static int open_trees(struct planner_state *s, struct err *err)
{
	int r;

	open_root(s);
	r = plan_mount_sources(s, err);
	if (r < 0)
		return r;
	plan_device_sources(s);
	plan_mask_sources(s);
	return 0;
}

int plan_root_open(struct planner_state *s, struct err *err)
{
	int r;

	if (!s_ns_new(s, NS_MOUNT)) {
		r = check_without_namespace(s, err);
		if (r < 0)
			return r;
	}
	r = plan_mount_requests(s, err);
	if (r < 0)
		return r;
	return s->opener == STEP_PARENT ? open_trees(s, err) : 0;
}

/*
 * plan_root_open_inside() - the same by the child, for a user: only in its user namespace has it the right to clone
 * mounts. It still has the caller's ids then, and so reaches what the caller reaches.
 */
int plan_root_open_inside(struct planner_state *s, struct err *err)
{
	int r;

	if (s->opener == STEP_PARENT)
		return 0;
	r = open_trees(s, err);
	return r < 0 ? r : plan_cgroup_sources(s, err);
}

int plan_root_attach(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!s_ns_new(s, NS_MOUNT))
		return 0;

	/*
	 * The new namespace's mounts are peers of the host's: without this, ours would appear there
	 * (row M-3).
	 */
	step = plan_add(s->plan, STEP_CHILD, STEP_PROPAGATION, "");
	step->u.propagation.propagation = MS_SLAVE;
	step->u.propagation.recursive = true;

	step = plan_add(s->plan, STEP_CHILD, STEP_ROOT_ATTACH, "/root/path");
	step->in[0] = s->slots.rootfs;
	step->u.root_attach.path = plan_strdup(s->plan, s->options->rootfs);
	return 0;
}

/* What had to stay writable until now: something was made in it after it was mounted. */
static void plan_late_ro(struct planner_state *s)
{
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		const struct mount_request *request = &s->mounts[i];
		struct step *step;

		if (!request->late_ro)
			continue;
		step = plan_add(s->plan, STEP_CHILD, STEP_MOUNT, request->pointer);
		step->in[0] = s->slots.rootfs;
		step->u.mount.target = request->target;
		step->u.mount.source = request->source;
		step->u.mount.remount = true;
		step->u.mount.attr_set = MOUNT_ATTR_RDONLY;
	}
}

int plan_pivot(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!s_ns_new(s, NS_MOUNT)) {
		step = plan_add(s->plan, STEP_CHILD, STEP_CHROOT, "/root/path");
		step->in[0] = s->slots.rootfs;
		return 0;
	}

	plan_late_ro(s);
	step = plan_add(s->plan, STEP_CHILD, STEP_PIVOT, "/root/path");
	step->in[0] = s->slots.rootfs;
	step->in[1] = s->slots.proc;
	step->u.pivot.no_pivot = s->options->no_pivot;

	/*
	 * Not earlier: mount targets, device nodes and links may still have been missing in the
	 * rootfs (row M-18).
	 */
	if (s->config->root.readonly)
		plan_add(s->plan, STEP_CHILD, STEP_ROOT_READONLY, "/root/readonly");
	return 0;
}

int plan_root_propagation(struct planner_state *s, struct err *err)
{
	uint64_t propagation = root_propagation(s);
	struct step *step;

	/* Private and slave were set when the tree was opened. */
	if (!(propagation & (MS_SHARED | MS_UNBINDABLE)))
		return 0;
	step = plan_add(s->plan, STEP_CHILD, STEP_PROPAGATION, "/linux/rootfsPropagation");
	step->u.propagation.propagation = propagation & MOUNT_PROPAGATIONS;
	step->u.propagation.recursive = propagation & MS_REC;
	return 0;
}
