/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tmpcopyup: a tmpfs that begins with what the image has at the place it covers.
 *
 * The tmpfs stays detached until all is copied, so nobody sees half of it. The image is not
 * trusted: every name is opened without following links and looked at by fd, links are copied as
 * text. Mode, owner, times, extended attributes and hard links are kept. Bounds, since the child
 * has no heap: LEVELS_MAX directories deep, and the first HARD_LINKS_MAX files with several names;
 * more of these become files of their own.
 */
#include "runtime/late_attr.h"
#include "runtime/step_target.h"

#include "base/guard.h"
#include "os/mount.h"
#include "os/path.h"
#include "runtime/mount_words.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define NOFOLLOW       (GUARD(copy_nofollow) ? O_NOFOLLOW : 0)
#define LEVELS_MAX     100
#define HARD_LINKS_MAX 64

struct hard_link {
	dev_t dev;
	ino_t ino;
	char path[256]; /* of the first copy, relative to the top of the tmpfs */
};

struct copy {
	int top; /* the tmpfs */
	unsigned level;
	char path[PATH_MAX]; /* of what is copied now, for messages and hard links */
	struct hard_link links[HARD_LINKS_MAX];
	size_t n_links;
	const char *failed; /* what was tried, for the message */
};

static int copy_directory(struct copy *copy, int from, int to);

/* Note what failed for the message. */
static int fail(struct copy *copy, const char *what)
{
	int code = -errno;

	copy->failed = what;
	return code;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static int copy_xattr(int from, int to, const char *name)
{
	char value[4096];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));

	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	/*
	 * What a tmpfs does not take is not worth failing for; a capability it does take must not
	 * get lost.
	 */
	if (fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM)
		return -errno;
	return 0;
}

static int copy_xattrs(int from, int to)
{
	char names[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));
	int r;

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		r = copy_xattr(from, to, name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The owner first: a change of owner takes the setuid bit and file capabilities away. */
static int copy_attributes(struct copy *copy, int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r;

	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return fail(copy, "own");
	if (fchmod(to, st->st_mode & 07777) < 0)
		return fail(copy, "chmod");
	r = copy_xattrs(from, to);
	if (r < 0) {
		copy->failed = "copy the extended attributes of";
		return r;
	}
	return futimens(to, times) < 0 ? fail(copy, "set the times of") : 0;
}

/* ---- things of each type --------------------------------------------------------------------- */

static int copy_data(struct copy *copy, int from, int to)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, 1 << 20);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? fail(copy, "copy") : 0;
}

static int copy_file(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	defer_close int from = -EBADF, to = -EBADF;
	struct stat st;
	int r;

	/* Not blocking: somebody may have put a fifo in its place since we looked. */
	from = openat(from_dir, name, O_RDONLY | NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return fail(copy, "open");
	if (!S_ISREG(st.st_mode)) {
		errno = ESTALE;
		return fail(copy, "open");
	}
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return fail(copy, "make");
	r = copy_data(copy, from, to);
	return r < 0 ? r : copy_attributes(copy, from, to, &st);
}

static int copy_link(struct copy *copy, int from_dir, int to_dir, const char *name,
		     const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	char text[PATH_MAX];
	ssize_t n;

	n = readlinkat(from_dir, name, text, sizeof(text) - 1);
	if (n < 0)
		return fail(copy, "read the link");
	text[n] = '\0';
	if (symlinkat(text, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(copy, "make the link");
	return 0;
}

static int copy_node(struct copy *copy, int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, st->st_mode & (S_IFMT | 0600), st->st_rdev) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(to_dir, name, st->st_mode & 07777, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(copy, "make");
	return 0;
}

static int copy_subdirectory(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	defer_close int from = -EBADF, to = -EBADF;
	struct stat st;
	int r;

	if (copy->level >= LEVELS_MAX) {
		errno = ELOOP;
		return fail(copy, "go deeper than 100 directories into");
	}
	from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | NOFOLLOW | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return fail(copy, "open");
	if (mkdirat(to_dir, name, 0700) < 0)
		return fail(copy, "make");
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return fail(copy, "open the copy of");
	copy->level++;
	r = copy_directory(copy, from, to);
	copy->level--;
	return r < 0 ? r : copy_attributes(copy, from, to, &st);
}

/*
 * A file with several names: one copy. Return: 1 if it was linked to an earlier one; 0 if it must
 * be copied; -errno
 */
static int try_hard_link(struct copy *copy, int to_dir, const char *name, const struct stat *st)
{
	struct hard_link *link;

	for (size_t i = 0; i < copy->n_links; i++) {
		link = &copy->links[i];
		if (link->dev != st->st_dev || link->ino != st->st_ino)
			continue;
		return linkat(copy->top, link->path, to_dir, name, 0) < 0 ? fail(copy, "link") : 1;
	}
	if (copy->n_links < HARD_LINKS_MAX && strlen(copy->path) < sizeof(link->path)) {
		link = &copy->links[copy->n_links++];
		link->dev = st->st_dev;
		link->ino = st->st_ino;
		strcpy(link->path, copy->path);
	}
	return 0;
}

static int copy_entry(struct copy *copy, int from, int to, const char *name)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(copy, "look at");
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(copy, from, to, name);
	if (st.st_nlink > 1) {
		r = try_hard_link(copy, to, name, &st);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (S_ISREG(st.st_mode))
		return copy_file(copy, from, to, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(copy, from, to, name, &st);
	return copy_node(copy, to, name, &st);
}

/* Copy what @from holds into @to. getdents64() and not readdir(), which has a heap. */
static int copy_directory(struct copy *copy, int from, int to)
{
	size_t front = strlen(copy->path), len;
	char buf[2048] __attribute__((aligned(8)));
	struct dirent64 *entry;
	long n;
	int r;

	while ((n = syscall(SYS_getdents64, from, buf, sizeof(buf))) > 0) {
		for (char *at = buf; at < buf + n; at += entry->d_reclen) {
			entry = (struct dirent64 *)(void *)at;
			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			len = strlen(entry->d_name);
			if (front + len + 2 > sizeof(copy->path)) {
				errno = ENAMETOOLONG;
				return fail(copy, "copy");
			}
			snprintf(copy->path + front, sizeof(copy->path) - front, "%s%s",
				 front ? "/" : "", entry->d_name);
			r = copy_entry(copy, from, to, entry->d_name);
			if (r < 0)
				return r; /* with the path in place for the message */
			copy->path[front] = '\0';
		}
	}
	return n < 0 ? fail(copy, "list") : 0;
}

/* ---- the step -------------------------------------------------------------------------------- */

static int fill(struct act *a, const struct step *step, int below, int mnt, struct err *err)
{
	defer_close int from = -EBADF, to = -EBADF;
	struct copy copy = { .top = mnt };
	struct stat st;
	int r;

	from = openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return err_sys(err, "open \"%s\" to copy it up", step->u.copy_up.target);
	r = copy_directory(&copy, from, to);
	if (r == 0 && step->u.copy_up.keep_mode)
		r = copy_attributes(&copy, from, to, &st);
	if (r < 0)
		return err_set(err, r, "copy up \"%s\": %s \"%s\"", step->u.copy_up.target,
			       copy.failed, copy.path);
	return 0;
}

/*
 * step_copy_up() - mount a tmpfs that holds a copy of what it covers
 *
 * Spec: config.md "mount options" tmpcopyup
 */
int step_copy_up(struct act *a, const struct step *step, struct err *err)
{
	unsigned long flags = step->u.copy_up.flags & ~(unsigned long)MS_RDONLY;
	const char *target = step->u.copy_up.target;
	struct os_mount_attr attr = { .propagation = step->u.copy_up.propagation };
	defer_drop int below = -EBADF, mnt = -EBADF;
	bool late = false;
	int r;

	target_left(a);
	below = target_open(a, a->fd[step->in[0]], target, O_DIRECTORY, TARGET_MAKE_DIR, err);
	if (below < 0)
		return below;
	mnt = os_fs_new("tmpfs", step->u.copy_up.source, flags, step->u.copy_up.data);
	if (mnt < 0) {
		char why[256];

		os_mount_reason("tmpfs", step->u.copy_up.source, flags, step->u.copy_up.data, why,
				sizeof(why));
		return err_set(err, mnt, "mount \"tmpfs\" on \"%s\"%s%s%s", target,
			       why[0] ? ": the kernel says \"" : "", why, why[0] ? "\"" : "");
	}
	r = fill(a, step, below, mnt, err);
	if (r < 0)
		return r;

	if (step->u.copy_up.flags & MS_RDONLY)
		attr.set = MOUNT_ATTR_RDONLY;
	/* Nobody sees it before it is ready; but for kernels before 5.12 it can only be changed after that. */
	if (attr.set || attr.propagation) {
		r = os_mount_setattr(mnt, "", false, &attr);
		late = r == -ENOSYS;
		if (r < 0 && !late)
			return err_set(err, r, "set the options of the mount on \"%s\"", target);
	}
	r = os_tree_attach(mnt, below, "");
	if (r < 0)
		return err_set(err, r, "mount \"tmpfs\" on \"%s\"", target);
	if (late)
		r = late_attr_set(a, mnt, false, &attr);
	return r < 0 ? err_set(err, r, "set the options of the mount on \"%s\"", target) : 0;
}
