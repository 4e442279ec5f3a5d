/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's two mount interfaces. Trees that come from the host are made as detached clones
 * (open_tree), changed while nobody can reach them (mount_setattr) and attached to an open
 * directory (move_mount). New filesystems are mounted by mount(2), which needs the fewest calls;
 * os_mount_reason() asks the newer fsopen() afterwards why it failed.
 *
 * Needs Linux 5.2 (open_tree and its like). mount_setattr() came with 5.12; before that mount(2) changes a mount,
 * and only one that is attached: os_mount_attr_old(). All fds are O_CLOEXEC and owned by the caller.
 */
#ifndef TARE_OS_MOUNT_H
#define TARE_OS_MOUNT_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/types.h>

/*
 * os_tree_clone() - a detached copy of the mount(s) at @path. @flags: of AT_EMPTY_PATH,
 * AT_RECURSIVE, AT_SYMLINK_NOFOLLOW
 */
int os_tree_clone(int dir, const char *path, unsigned flags) MUST_CHECK;

/*
 * os_tree_attach() - move_mount() a tree to @to_path below @to_dir
 * @to_path: "" for @to_dir itself (which need not be a directory); a link in the last component is
 *           not followed
 */
int os_tree_attach(int tree, int to_dir, const char *to_path) MUST_CHECK;

/* What os_mount_setattr() changes. */
struct os_mount_attr {
	uint64_t set, clr;    /* MOUNT_ATTR_*; any atime word needs MOUNT_ATTR__ATIME in clr */
	uint64_t propagation; /* one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE; 0: leave */
	int userns;           /* for MOUNT_ATTR_IDMAP in set */
};

/*
 * os_mount_setattr() - of the mount at @path (below @dir; "": @dir itself), and of those below it
 * if @recursive
 */
int os_mount_setattr(int dir, const char *path, bool recursive,
		     const struct os_mount_attr *attr) MUST_CHECK;

/*
 * os_tree_clone_attr() - os_tree_clone() and os_mount_setattr() of the new tree, recursive if
 * @flags has AT_RECURSIVE
 *
 * @ret_late: true if this kernel can't change a detached tree (before 5.12): it is to be done once the tree is
 *            attached
 *
 * One call since Linux 6.15; before that, two.
 */
int os_tree_clone_attr(int dir, const char *path, unsigned flags, const struct os_mount_attr *attr,
		       bool *ret_late) MUST_CHECK;

/*
 * os_mount_attr_old() - os_mount_setattr() as far as mount(2) can, for Linux before 5.12
 * @path: of an attached mount, from the working directory; a link in the last component is followed
 * @recursive: of the propagation only; what is set and cleared is the top's
 *
 * Return: 0; -ENOSYS for an id mapping; -errno
 */
int os_mount_attr_old(const char *path, bool recursive,
		      const struct os_mount_attr *attr) MUST_CHECK;

/* os_mount_id() - of the mount that @fd is in, as in the first field of mountinfo (Linux 5.8). Return: 0; -errno */
int os_mount_id(int fd, uint64_t *ret) MUST_CHECK;

int os_mount(const char *source, const char *target, const char *fstype, unsigned long flags,
	     const char *data) MUST_CHECK;
int os_umount(const char *target, int flags) MUST_CHECK;
int os_pivot_root(const char *new_root, const char *put_old) MUST_CHECK;

/*
 * os_fs_new() - a new filesystem as a detached mount
 * @flags: MS_*, those that mount(2) would take
 * @data:  "a,b=c" or NULL
 */
int os_fs_new(const char *fstype, const char *source, unsigned long flags,
	      const char *data) MUST_CHECK;

/* An option of a filesystem; @value NULL: a word alone */
struct os_fs_option {
	const char *key, *value;
};

/*
 * os_fs_new_options() - os_fs_new() with options one by one, so that there may be more than a page of them
 * @message: what the filesystem says if it refuses, or ""
 */
int os_fs_new_options(const char *fstype, const struct os_fs_option *options, size_t n,
		      char *message, size_t size) MUST_CHECK;

/*
 * os_mount_reason() - what the filesystem says about a mount that mount(2) refused
 * @buf: receives the kernel's first error message of the context, or "" when it says nothing
 *
 * Tries the same mount again through fsopen(), whose contexts keep messages; attaches nothing.
 */
void os_mount_reason(const char *fstype, const char *source, unsigned long flags, const char *data,
		     char *buf, size_t size);

/*
 * os_tmpfs_empty_ro() - a detached, empty directory that nobody can write to: the superblock is
 * read-only as well
 */
int os_tmpfs_empty_ro(const char *data) MUST_CHECK;

/*
 * os_idmap_ns() - a user namespace with these maps, for idmapped mounts
 * @uid_map, @gid_map: text as /proc/PID/uid_map takes it
 *
 * A child makes it, and is gone when this returns; the fd alone keeps the namespace.
 */
int os_idmap_ns(const char *uid_map, const char *gid_map) MUST_CHECK;

/* os_user_ns() - the same, and @map writes the maps of process @pid; what it returns, if not 0, is the result */
int os_user_ns(int (*map)(void *arg, pid_t pid), void *arg) MUST_CHECK;

#endif
