/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/make.h"

#include "cgroup/freezer.h"
#include "cgroup/names.h"
#include "cgroup/parents.h"
#include "cgroup/processes.h"
#include "cgroup/remove.h"
#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define CGROUP_MODE 0755

/* ---- the directories -------------------------------------------------------------------------------------------- */

int cgroup_existing(const char *mount, const char *path, uint32_t *ret_existing)
{
	const char *below = cgroup_below(mount, path);
	uint32_t n = cgroup_count_names(below);
	char part[PATH_MAX];

	/* From the leaf up: nearly always only the leaf is missing. */
	snprintf(part, sizeof(part), "%s", path);
	for (; n > 0; n--) {
		int r = os_exists_at(AT_FDCWD, part);

		if (r < 0)
			return r;
		if (r == 1)
			break;
		*strrchr(part, '/') = '\0';
	}
	*ret_existing = n;
	return 0;
}

/* Make every name of the path, counting those that were there; takes the new ones back when one can't be made. */
static int make_each(const char *mount, const char *path, uint32_t *ret_existing)
{
	struct err undo_err = ERR_INIT;
	char part[PATH_MAX];
	int r = 0;

	*ret_existing = 0;
	for (const char *at = cgroup_below(mount, path); *at && (r == 0 || r == -EEXIST);) {
		at = cgroup_name_end(at);
		snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
		r = os_dir_make(part, CGROUP_MODE);
		if (r == -EEXIST)
			(*ret_existing)++;
	}
	if (r < 0 && r != -EEXIST) {
		const struct cgroup_dir made = { part, mount, *ret_existing, false };

		*strrchr(part, '/') = '\0';
		(void)!cgroup_remove(&made, 0, &undo_err);
	}
	return r;
}

/* Return: 0; 1 if the cgroup itself was there before; -errno */
static int make_path(const struct cgroup_request *request, uint32_t *ret_existing)
{
	uint32_t names = cgroup_count_names(cgroup_below(request->mount, request->path));
	int r;

	r = os_dir_make(request->path, CGROUP_MODE);
	*ret_existing = r == -EEXIST ? names : names - 1;
	if (r == -ENOENT)
		r = make_each(request->mount, request->path, ret_existing);
	return r == -EEXIST ? 1 : r;
}

static int make_error(const struct cgroup_request *request, int r, struct err *err)
{
	err_set(err, r, "make cgroup \"%s\"", request->path);
	if (r == -EROFS)
		err_hint(err, "the cgroup filesystem is mounted read-only: mount -o remount,rw %s",
			 request->mount);
	else if (r == -EACCES || r == -EPERM)
		err_hint(
			err,
			"cgroups can be made by root, or below a cgroup that was delegated to you");
	else if (r == -EAGAIN)
		err_hint(err, "a limit of a parent is reached: cgroup.max.depth or "
			      "cgroup.max.descendants");
	return r;
}

/* ---- an existing cgroup ----------------------------------------------------------------------------------------- */

static int check_fit(const struct cgroup_request *request, struct err *err)
{
	const struct cgroup_dir dir = { .path = request->path,
					.mount = request->mount,
					.v2 = request->v2 };
	int r;

	if (request->expected < cgroup_count_names(cgroup_below(request->mount, request->path))) {
		err_user_code(err, -EEXIST, "use cgroup \"%s\": somebody else has just made it",
			      request->path);
		return err_hint(
			err, "another container is being created with the same linux.cgroupsPath");
	}
	if (cgroup_is_frozen(&dir, 1)) {
		err_user_code(err, -EEXIST, "use cgroup \"%s\": it is there already, and frozen",
			      request->path);
		return err_hint(
			err,
			"another container may be paused in it; choose another linux.cgroupsPath");
	}
	r = cgroup_has_processes(request->path);
	if (r < 0)
		return err_set(err, r, "look for processes in cgroup \"%s\"", request->path);
	if (r > 0) {
		err_user_code(err, -EEXIST,
			      "use cgroup \"%s\": it is there already, and has processes in it",
			      request->path);
		return err_hint(
			err, "another container may be using it; choose another linux.cgroupsPath");
	}
	return 0;
}

/* ---- v2: controllers -------------------------------------------------------------------------------------------- */

static bool has_word(const char *list, const char *word, size_t len)
{
	for (; *list; list += strcspn(list, " "), list += *list == ' ') {
		if (strcspn(list, " ") == len && memcmp(list, word, len) == 0)
			return true;
	}
	return false;
}

static int enable_error(const char *dir, const char *word, int len, int r, struct err *err)
{
	err_set(err, r, "enable controller \"%.*s\" for the children of cgroup \"%s\"", len - 1,
		word + 1, dir);
	if (r == -EBUSY)
		return err_hint(err, "processes are in that cgroup itself; with cgroup v2 only a "
				     "leaf may have both "
				     "processes and limits: move them into a child");
	if (r == -EOPNOTSUPP)
		return err_hint(err, "that cgroup is threaded, which allows only cpu, cpuset, "
				     "perf_event and pids");
	if (r == -ENOENT)
		return err_hint(err, "its own parent doesn't give it that controller: see "
				     "cgroup.controllers there");
	if (r == -EACCES || r == -EPERM)
		return err_hint(err,
				"it was not delegated to this user with that controller: systemd's "
				"Delegate= says which are");
	return r;
}

/*
 * One by one, since a single controller that can't come on (cpu with real-time processes around) makes the kernel refuse
 * all. In a threaded cgroup only what is needed is tried: most can't come on there.
 */
static int enable_each(const char *dir, const char *path, const char *words, const char *needed,
		       struct err *err)
{
	size_t len;
	int r;

	for (; *words; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		r = os_file_write_at(AT_FDCWD, path, words, len);
		if (r < 0 && has_word(needed, words, len))
			return enable_error(dir, words, (int)len, r, err);
	}
	return 0;
}

/* All that is needed was switched on by somebody who may. Return: 0; @why for what is missing */
static int check_enabled(const char *dir, const char *path, const char *needed, int why,
			 struct err *err)
{
	char on[512];
	size_t len;

	if (os_read_at(AT_FDCWD, path, on, sizeof(on)) < 0)
		on[0] = '\0';
	for (; *needed; needed += len + (needed[len] == ' ')) {
		len = strcspn(needed, " ");
		if (!has_word(on, needed + 1, len - 1))
			return enable_error(dir, needed, (int)len, why, err);
	}
	return 0;
}

/*
 * Switch the controllers on in one parent, in one write if that works.
 *
 * A parent that has processes itself is busy. It must not be asked for single controllers then: those that can be split by
 * threads (cpu, pids) would come on and make it the root of a threaded subtree, in which nobody could join our cgroup.
 */
static int enable_in(const char *dir, const struct cgroup_request *request, struct err *err)
{
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir) >= (int)sizeof(path))
		return err_set(err, -ENAMETOOLONG, "enable controllers in cgroup \"%s\"", dir);
	r = os_file_write_at(AT_FDCWD, path, request->enable, strlen(request->enable));
	if (r == 0)
		return 0;
	/* Above what was delegated to us: what is on there is on. */
	if (r == -EACCES || r == -EPERM || r == -EROFS)
		return check_enabled(dir, path, request->needed, r, err);
	if (r != -EBUSY)
		return enable_each(dir, path, r == -EOPNOTSUPP ? request->needed : request->enable,
				   request->needed, err);
	if (!*request->needed)
		return 0;
	return enable_error(dir, request->needed, (int)strcspn(request->needed, " "), r, err);
}

int cgroup_enable_controllers(const struct cgroup_request *request, struct err *err)
{
	const char *at = cgroup_below(request->mount, request->path);
	char dir[PATH_MAX];
	int r;

	if (!*request->enable)
		return 0;
	for (; *at; at = cgroup_name_end(at)) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(at - request->path), request->path);
		r = enable_in(*dir ? dir : "/", request, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Below a threaded cgroup a new one is "domain invalid" and takes no process until it is threaded as well. */
static int settle_type(const struct cgroup_request *request, int fd, struct err *err)
{
	char type[32];
	int r;

	if (os_read_at(fd, "cgroup.type", type, sizeof(type)) < 0 ||
	    strcmp(type, "domain invalid") != 0)
		return 0;
	r = os_file_write_at(fd, "cgroup.type", "threaded", strlen("threaded"));
	if (r < 0) {
		err_set(err, r, "make cgroup \"%s\" threaded, as its parent is", request->path);
		return err_hint(err,
				"choose a linux.cgroupsPath that is not below a threaded cgroup");
	}
	return 0;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static int prepare(const struct cgroup_request *request, uint32_t existing, int fd, struct err *err)
{
	int r;

	if (request->v2) {
		r = cgroup_enable_controllers(request, err);
		if (r == 0 && existing > 0)
			r = settle_type(request, fd, err);
		return r;
	}
	r = cgroup_realtime_fill(request, existing, err);
	if (r < 0 || !request->cpuset)
		return r;
	r = cgroup_cpuset_fill(request, existing, "cpuset.cpus", request->copy_cpus, err);
	if (r == 0)
		r = cgroup_cpuset_fill(request, existing, "cpuset.mems", request->copy_mems, err);
	return r;
}

/*
 * An empty cgroup that is there may be another create's, whose process has not joined yet. The lock on its directory tells;
 * it goes with the last copy of the fd, and by then somebody is in the cgroup.
 */
static int claim(const struct cgroup_request *request, int fd, struct err *err)
{
	int r = request->exclusive ? os_dir_claim(fd) : 0;

	if (r == -EWOULDBLOCK)
		return err_user_code(err, -EEXIST,
				     "make cgroup \"%s\": another container is being created in it",
				     request->path);
	return r < 0 ? err_set(err, r, "lock cgroup \"%s\"", request->path) : 0;
}

int cgroup_make(const struct cgroup_request *request, uint32_t *ret_existing, int *ret_fd,
		struct err *err)
{
	defer_close int fd = -EBADF;
	struct err undo_err = ERR_INIT;
	uint32_t existing;
	int made, r;

	if (strlen(request->path) > PATH_MAX - NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "make cgroup \"%s\"", request->path);
	made = make_path(request, &existing);
	if (made < 0)
		return make_error(request, made, err);

	fd = os_dir_open(request->path);
	r = fd < 0 ? err_set(err, fd, "open cgroup \"%s\"", request->path)
		   : claim(request, fd, err);
	if (r == 0 && made == 1 && !request->of_unit)
		r = check_fit(request, err);
	if (r == 0)
		r = prepare(request, existing, fd, err);
	if (r < 0) {
		const struct cgroup_dir dir = { request->path, request->mount, existing,
						request->v2 };

		/* The first error is the one to tell. */
		(void)!cgroup_remove(&dir, 0, &undo_err);
		return r;
	}
	*ret_existing = existing;
	*ret_fd = take_fd(&fd);
	return 0;
}
