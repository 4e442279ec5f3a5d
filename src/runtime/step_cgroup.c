/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actors for cgroups. Joining is a process's own; all else is the parent's. */
#include "runtime/act.h"

#include "cgroup/filter.h"
#include "cgroup/make.h"
#include "cgroup/remove.h"
#include "cgroup/write.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/ns.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int step_cgroup_make(struct act *a, const struct step *step, struct err *err)
{
	uint32_t existing;

	return cgroup_make(&step->u.cgroup_make.request, &existing, &a->fd[step->out], err);
}

struct cgroup_dir step_cgroup_dir(const struct step *step)
{
	const struct cgroup_request *request = &step->u.cgroup_make.request;

	return (struct cgroup_dir){
		.path = request->path,
		.mount = request->mount,
		.controllers = request->v2 ? "" : step->u.cgroup_make.controller,
		.existing = request->expected,
		.v2 = request->v2,
		.sub = step->u.cgroup_make.sub,
	};
}

void undo_cgroup_make(struct act *a, const struct step *step)
{
	const struct cgroup_dir dir = step_cgroup_dir(step);
	struct err ignored = ERR_INIT;

	/* A step that failed has cleaned up behind itself; what is there now is somebody else's. */
	if (a->fd[step->out] < 0)
		return;
	/* In a unit's is a process of ours; it goes, and the cgroup with it, when the unit is stopped. */
	(void)!cgroup_remove(
		&dir, step->u.cgroup_make.request.of_unit ? 0 : CGROUP_REMOVE_TIMEOUT_MS, &ignored);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

int step_cgroup_write(struct act *a, const struct step *step, struct err *err)
{
	return cgroup_write(a->fd[step->in[0]], step->u.cgroup_write.dir,
			    &step->u.cgroup_write.write, err);
}

int step_cgroup_devices(struct act *a, const struct step *step, struct err *err)
{
	return cgroup_filter_attach(a->fd[step->in[0]], step->u.cgroup_devices.dir,
				    step->u.cgroup_devices.insns, step->u.cgroup_devices.n, err);
}

/* ---- below ------------------------------------------------------------------------------------------------------ */

/* Its last name is the container's own, the others lead there; what is there already is from an earlier container. */
int step_cgroup_sub(struct act *a, const struct step *step, struct err *err)
{
	const char *name = step->u.cgroup_sub.name;
	char part[NAME_MAX * 2 + 2];
	int dir = a->fd[step->in[0]], fd;

	for (const char *end = name; *end; end += *end == '/') {
		end += strcspn(end, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(end - name), name);
		if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make cgroup \"%s/%s\"", step->u.cgroup_sub.dir, part);
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open cgroup \"%s/%s\"", step->u.cgroup_sub.dir, name);
	a->fd[step->out] = fd;
	return 0;
}

/* ---- ownership -------------------------------------------------------------------------------------------------- */

/* The kernel lists the files that may be given away; this is what kernels before 4.15 without the list have. */
#define DELEGATE_LIST    "/sys/kernel/cgroup/delegate"
#define DELEGATE_DEFAULT "cgroup.procs\ncgroup.subtree_control\ncgroup.threads"

int step_cgroup_chown(struct act *a, const struct step *step, struct err *err)
{
	int dir = a->fd[step->in[0]], r;
	char list[4096], *rest = list, *file;
	uid_t uid = step->u.cgroup_chown.uid;
	gid_t gid = step->u.cgroup_chown.gid;
	ssize_t n;

	n = os_read_at(AT_FDCWD, DELEGATE_LIST, list, sizeof(list));
	if (n == -ENOENT)
		strcpy(list, DELEGATE_DEFAULT);
	else if (n < 0)
		return err_set(err, (int)n, "read \"" DELEGATE_LIST "\"");

	r = os_chown_at(dir, ".", uid, gid);
	if (r < 0)
		return err_set(err, r, "give cgroup \"%s\" to user %u", step->u.cgroup_chown.dir,
			       uid);
	while ((file = strsep(&rest, "\n"))) {
		if (!*file)
			continue;
		r = os_chown_at(dir, file, uid, gid);
		if (r < 0 && r != -ENOENT)
			return err_set(err, r, "give \"%s\" of cgroup \"%s\" to user %u", file,
				       step->u.cgroup_chown.dir, uid);
	}
	return 0;
}

/* ---- joining ---------------------------------------------------------------------------------------------------- */

static int no_cgroup(const char *dir, struct err *err)
{
	err_set(err, -ENOENT, "join cgroup \"%s\"", dir);
	return err_hint(err, "exec makes no cgroups: make it first, or name another by --cgroup");
}

/* step_cgroup_open() - a cgroup2 that a process will be cloned into */
int step_cgroup_open(struct act *a, const struct step *step, struct err *err)
{
	int fd = os_dir_open(step->u.cgroup_open.dir);

	if (fd == -ENOENT)
		return no_cgroup(step->u.cgroup_open.dir, err);
	if (fd < 0)
		return err_set(err, fd, "open cgroup \"%s\"", step->u.cgroup_open.dir);
	a->fd[step->out] = fd;
	return 0;
}

/*
 * step_cgroup_join() - enter a v1 cgroup
 *
 * `tasks`, not `cgroup.procs`: the process has one thread, and for one thread that moves itself the kernel needs no grace
 * period. Must run while it still has the host's ids: the file belongs to the host's root.
 */
int step_cgroup_join(struct act *a, const struct step *step, struct err *err)
{
	int dir = step->in[0] == SLOT_NONE ? AT_FDCWD : a->fd[step->in[0]];
	int fd = os_file_open_write_at(dir, step->u.cgroup_join.tasks);
	int r = fd < 0 ? fd : os_file_write(fd, "0", 1);

	/* Not closed: close_range() before the execution does that for all at once. */
	if (r == 0)
		return 0;
	if (r == -ENOENT)
		return no_cgroup(step->u.cgroup_join.dir, err);
	err_set(err, r, "join cgroup \"%s\"", step->u.cgroup_join.dir);
	if (r == -ENOSPC)
		return err_hint(err, "its cpuset has no CPUs or no memory nodes");
	if (r == -EINVAL)
		return err_hint(
			err, "a real-time process can't enter a cgroup without cpu.rt_runtime_us");
	return r;
}

int step_cgroup_ns(struct act *a, const struct step *step, struct err *err)
{
	int r = os_unshare(CLONE_NEWCGROUP);

	return r < 0 ? err_set(err, r, "unshare the cgroup namespace") : 0;
}
