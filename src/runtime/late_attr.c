/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/late_attr.h"

#include "os/node.h"
#include "runtime/step_target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One in which a whole /sys is bound has some 20. */
#define MOUNTS_MAX 512

/* The first time is before the pivot: ROOT_ATTACH comes first of all. */
static int enter_host_proc(struct act *a)
{
	if (a->host_proc < 0)
		a->host_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->host_proc < 0)
		return -errno;
	target_left(a);
	return os_enter(a->host_proc);
}

static int set_one(struct act *a, int fd, bool recursive, const struct os_mount_attr *attr)
{
	char path[32];
	int r = enter_host_proc(a);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "self/fd/%d", fd);
	r = os_mount_attr_old(path, recursive, attr);
	/* Nobody may find the host's /proc as a working directory. */
	if (chdir("/") < 0 && r == 0)
		r = -errno;
	return r;
}

/* ---- the mounts in a tree, for options that all of them get ---------------------------------------------------------- */

/* The mounts found so far; in mountinfo each one comes after the one that it is on. */
struct mount_tree {
	uint64_t ids[MOUNTS_MAX];
	size_t n;
};

/* mountinfo writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* By its path, which by now may lead to another mount, or to one that covers it: that one is not meant. */
static int set_by_path(struct act *a, const char *path, uint64_t id,
		       const struct os_mount_attr *attr)
{
	defer_close int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	uint64_t found;
	int r;

	if (fd < 0)
		return -errno;
	r = os_mount_id(fd, &found);
	if (r < 0 || found != id)
		return r;
	return set_one(a, fd, false, attr);
}

/* One line of mountinfo: "ID PARENT MAJOR:MINOR ROOT PATH ..." */
static int set_if_in(struct act *a, struct mount_tree *tree, char *line,
		     const struct os_mount_attr *attr)
{
	uint64_t id = strtoull(line, &line, 10), parent = strtoull(line, &line, 10);
	char *path = line;
	size_t i = 0;

	while (i < tree->n && tree->ids[i] != parent)
		i++;
	if (i == tree->n)
		return 0;
	if (tree->n == MOUNTS_MAX)
		return -E2BIG;
	tree->ids[tree->n++] = id;
	for (int field = 0; path && field < 2; field++)
		path = strchr(path + 1, ' ');
	if (!path)
		return -EPROTO;
	path++;
	path[strcspn(path, " ")] = '\0';
	unescape(path);
	return set_by_path(a, path, id, attr);
}

/* What is mounted in the tree of @fd, as it is in our mount namespace now. */
static int set_all_in(struct act *a, int fd, const struct os_mount_attr *attr)
{
	struct mount_tree tree = { .n = 1 };
	defer_close int info = -EBADF;
	char buf[8192];
	size_t have = 0;
	ssize_t n;
	int r;

	r = os_mount_id(fd, &tree.ids[0]);
	if (r == 0)
		r = enter_host_proc(a);
	if (r < 0)
		return r;
	info = open("self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (info < 0 || chdir("/") < 0)
		return -errno;
	while ((n = read(info, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		buf[have] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			r = set_if_in(a, &tree, line, attr);
			if (r < 0)
				return r;
		}
		have = strlen(line);
		memmove(buf, line, have + 1);
		if (have == sizeof(buf) - 1)
			return -E2BIG;
	}
	return n < 0 ? -errno : 0;
}

/* ---- what the steps call --------------------------------------------------------------------------------------------- */

static int set_old(struct act *a, int fd, bool recursive, const struct os_mount_attr *attr)
{
	const struct os_mount_attr options = { .set = attr->set, .clr = attr->clr };
	int r = 0;

	if (recursive && (attr->set || attr->clr))
		r = set_all_in(a, fd, &options);
	return r < 0 ? r : set_one(a, fd, recursive, attr);
}

int late_attr_set(struct act *a, int fd, bool recursive, const struct os_mount_attr *attr)
{
	int r = os_mount_setattr(fd, "", recursive, attr);

	return r == -ENOSYS ? set_old(a, fd, recursive, attr) : r;
}

/* The step that opened the tree in a slot, and what it would have given it. */
static const char *wanted(const struct act *a, int slot, struct os_mount_attr *tree,
			  struct os_mount_attr *top, bool *recursive)
{
	for (size_t i = 0; i < a->plan->n_steps; i++) {
		const struct step *step = &a->plan->steps[i];

		if (step->out != slot)
			continue;
		if (step->kind == STEP_ROOT_OPEN) {
			tree->propagation = step->u.root_open.propagation;
			*recursive = true;
			return step->u.root_open.path;
		}
		if (step->kind == STEP_NOTIFY_MAKE) {
			*top = notify_attr;
			return "the notify socket";
		}
		if (step->kind == STEP_SOURCE_OPEN) {
			source_attrs(step, tree, top);
			*recursive = step->u.source_open.recursive;
			return step->u.source_open.path;
		}
	}
	return NULL;
}

int late_attr_attached(struct act *a, int slot, struct err *err)
{
	struct os_mount_attr tree = { 0 }, top = { 0 };
	bool recursive = false;
	const char *path;
	int r = 0;

	if (!a->late_attrs)
		return 0;
	path = wanted(a, slot, &tree, &top, &recursive);
	if (!path)
		return 0;
	if (tree.set || tree.clr || tree.propagation)
		r = set_old(a, a->fd[slot], recursive, &tree);
	if (r == 0 && (top.set || top.clr || top.propagation))
		r = set_old(a, a->fd[slot], false, &top);
	if (r == 0)
		return 0;
	return err_set(err, r, "set the options of the mount of \"%s\"", path);
}
