/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/rootless.h"

#include "base/arena.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/process.h"
#include "runtime/id_helper.h"
#include "runtime/passwd.h"
#include "runtime/subids.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* ---- whose ids ---------------------------------------------------------------------------------------------------- */

struct ids {
	struct arena arena;
	struct subid_list uids, gids;
	const char *uid_map, *gid_map;
};

static void ids_clear(struct ids *ids)
{
	arena_clear(&ids->arena);
}

/* The caller as 0, then what he was given, in the order of its file; newuidmap takes it as words. */
static const char *map_text(struct arena *arena, uint32_t own, const struct subid_list *list)
{
	const char *text = arena_printf(arena, "0 %u 1\n", own);
	uint32_t inside = 1;

	for (size_t i = 0; i < list->n && list->items[i].count <= UINT32_MAX - inside; i++) {
		text = arena_printf(arena, "%s%u %u %u\n", text, inside, list->items[i].start,
				    list->items[i].count);
		inside += list->items[i].count;
	}
	return text;
}

static int read_ids(struct ids *ids, struct err *err)
{
	static const struct subid_list none = { .n = 0 };
	defer_close int passwd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char name[256];
	bool has_name = passwd >= 0 && passwd_name(passwd, geteuid(), name, sizeof(name)) == 1;
	int r = subids_read(&ids->arena, "/etc/subuid", has_name ? name : NULL, geteuid(),
			    &ids->uids);

	if (r == 0)
		r = subids_read(&ids->arena, "/etc/subgid", has_name ? name : NULL, geteuid(),
				&ids->gids);
	if (r < 0)
		return err_set(err, r, "read /etc/subuid and /etc/subgid");
	/* Both or neither: one with more ids than the other would only surprise. */
	if (!ids->uids.n || !ids->gids.n)
		ids->uids = ids->gids = none;
	ids->uid_map = map_text(&ids->arena, geteuid(), &ids->uids);
	ids->gid_map = map_text(&ids->arena, getegid(), &ids->gids);
	return 0;
}

/* ---- the namespace ------------------------------------------------------------------------------------------------ */

struct mapping {
	const struct ids *ids;
	struct err *err;
};

static int write_proc(pid_t pid, const char *file, const char *text, struct err *err)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	r = os_file_write_at(AT_FDCWD, path, text, strlen(text));
	return r < 0 ? err_set(err, r, "write the %s of a user namespace", file) : 0;
}

/* A user may map himself alone; for that he gives up setgroups() (CVE-2014-8989). */
static int map_ids(void *arg, pid_t pid)
{
	const struct mapping *m = arg;
	int r;

	if (!m->ids->uids.n) {
		r = write_proc(pid, "setgroups", "deny", m->err);
		if (r == 0)
			r = write_proc(pid, "gid_map", m->ids->gid_map, m->err);
		return r < 0 ? r : write_proc(pid, "uid_map", m->ids->uid_map, m->err);
	}
	r = id_helper_run(ID_HELPER_GID, pid, m->ids->gid_map, m->err);
	return r < 0 ? r : id_helper_run(ID_HELPER_UID, pid, m->ids->uid_map, m->err);
}

static int become_root(bool alone, struct err *err)
{
	/* Groups that have no number in the namespace are of no use in it; alone, they can't be given up. */
	if (!alone && setgroups(0, NULL) < 0)
		return err_sys(err, "give up supplementary groups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, "become root of a user namespace");
	return 0;
}

static int enter(const struct ids *ids, struct err *err)
{
	struct mapping mapping = { .ids = ids, .err = err };
	defer_close int ns = os_user_ns(map_ids, &mapping);
	int r = ns;

	if (ns >= 0)
		r = os_setns(ns, CLONE_NEWUSER);
	if (r == 0)
		r = become_root(!ids->uids.n, err);
	if (r == 0)
		r = os_unshare(CLONE_NEWNS);
	/* What is mounted on the host appears here, but nothing of ours there. */
	if (r == 0)
		r = os_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	if (r >= 0 || err->code)
		return r < 0 ? r : 0;
	err_set(err, r, "make a user namespace, without which uid %u can't run containers",
		(unsigned)geteuid());
	if (r == -EPERM || r == -ENOSPC || r == -EUSERS)
		return err_hint(err, "the host may forbid it: look at user.max_user_namespaces, "
				     "kernel.unprivileged_userns_clone and "
				     "kernel.apparmor_restrict_unprivileged_userns with sysctl");
	return r;
}

/* ---- one for all -------------------------------------------------------------------------------------------------- */

/* A line for each process that holds one: "PID START_TIME" */
#define HOLDERS       "tare-namespaces" /* in XDG_RUNTIME_DIR */
#define HOLDERS_BYTES 65536
#define HOLDER_BYTES  48

static int open_holders(int flags, int lock)
{
	char path[PATH_MAX];
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int fd;

	if (!dir || (size_t)snprintf(path, sizeof(path), "%s/" HOLDERS, dir) >= sizeof(path))
		return -ENOENT;
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || flock(fd, lock) < 0) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* Return: a pidfd of the process that the line names; -ESRCH if that has ended */
static int open_holder(const char *line)
{
	unsigned long long start;
	int pid;

	return sscanf(line, "%d %llu", &pid, &start) == 2 ? os_process_open(pid, start) : -ESRCH;
}

static bool may_set_groups(void)
{
	char text[16];

	return os_read_at(AT_FDCWD, "/proc/self/setgroups", text, sizeof(text)) >= 0 &&
	       strcmp(text, "deny") != 0;
}

/* Entering a mount namespace begins at its root; the caller's paths count from where he is. */
static int join(int pidfd, struct err *err)
{
	char cwd[PATH_MAX];
	bool has_cwd = getcwd(cwd, sizeof(cwd)) != NULL;

	if (setns(pidfd, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 0;
	if (has_cwd && chdir(cwd) < 0)
		return err_sys(err, "enter \"%s\" again", cwd);
	return become_root(!may_set_groups(), err) < 0 ? err->code : 1;
}

/* Return: 1; 0 if there is none that can be joined (before Linux 5.8 none can); -errno */
static int join_one(struct err *err)
{
	static char text[HOLDERS_BYTES];
	defer_close int fd = open_holders(O_RDONLY, LOCK_SH);
	char *rest = text, *line;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int r = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		defer_close int pidfd = open_holder(line);

		if (pidfd >= 0)
			r = join(pidfd, err);
	}
	return r;
}

/* Those that have ended go. */
int rootless_hold(struct err *err)
{
	static char text[HOLDERS_BYTES], kept[HOLDERS_BYTES];
	defer_close int fd = -EBADF;
	struct os_process_stat self;
	char *rest = text, *line;
	size_t len = 0;
	ssize_t n;

	if (!getenv(ROOTLESS_ENV))
		return 0;
	fd = open_holders(O_RDWR | O_CREAT, LOCK_EX);
	if (fd < 0 || os_process_stat(getpid(), &self) < 0)
		return err_set(err, fd < 0 ? fd : -ESRCH, "keep the user namespace for later");
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		defer_close int pidfd = open_holder(line);

		if (pidfd >= 0 && len + HOLDER_BYTES < sizeof(kept))
			len += (size_t)snprintf(kept + len, HOLDER_BYTES, "%.40s\n", line);
	}
	len += (size_t)snprintf(kept + len, HOLDER_BYTES, "%d %llu\n", (int)getpid(),
				(unsigned long long)self.start_time);
	if (pwrite(fd, kept, len, 0) != (ssize_t)len || ftruncate(fd, (off_t)len) < 0)
		return err_sys(err, "keep the user namespace for later");
	return 0;
}

/* ---- places ------------------------------------------------------------------------------------------------------- */

static bool is_ours(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 022) == 0;
}

int rootless_runtime_dir(char *buf, size_t size, struct err *err)
{
	snprintf(buf, size, "/run/user/%u", (unsigned)geteuid());
	if (is_ours(buf))
		return 0;
	snprintf(buf, size, "/tmp/tare-run-%u", (unsigned)geteuid());
	if (mkdir(buf, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make \"%s\"", buf);
	if (is_ours(buf))
		return 0;
	err_user_code(err, -EPERM, "\"%s\" is somebody else's, or others may write to it", buf);
	return err_hint(err, "set XDG_RUNTIME_DIR, or give --runroot DIR");
}

static int settle_runtime_dir(struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char buf[64];
	int r;

	if (dir && *dir == '/')
		return 0;
	r = rootless_runtime_dir(buf, sizeof(buf), err);
	if (r == 0 && setenv("XDG_RUNTIME_DIR", buf, 1) < 0)
		r = err_sys(err, "set XDG_RUNTIME_DIR");
	return r;
}

bool rootless_is_user(void)
{
	return geteuid() != 0 || os_in_user_namespace("") == 1;
}

static int set_rootless_env(struct err *err)
{
	return setenv(ROOTLESS_ENV, "1", 1) < 0 ? err_sys(err, "set " ROOTLESS_ENV) : 0;
}

int rootless_enter(struct err *err)
{
	__attribute__((cleanup(ids_clear))) struct ids ids = { .uid_map = NULL };
	int r;

	if (geteuid() == 0)
		return 0;
	r = settle_runtime_dir(err);
	if (r == 0)
		r = join_one(err);
	if (r != 0)
		return r < 0 ? r : set_rootless_env(err);
	if (r == 0)
		r = read_ids(&ids, err);
	if (r == 0)
		r = enter(&ids, err);
	return r < 0 ? r : set_rootless_env(err);
}
