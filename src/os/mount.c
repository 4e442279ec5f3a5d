/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/mount.h"

#include "os/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467 /* the same number on every architecture */
#endif

int os_tree_clone(int dir, const char *path, unsigned flags)
{
	int fd;

	OS_FAULT("open_tree");
	fd = open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

int os_tree_attach(int tree, int to_dir, const char *to_path)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;

	OS_FAULT("move_mount");
	if (to_path[0] == '\0')
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	return move_mount(tree, "", to_dir, to_path, flags) < 0 ? -errno : 0;
}

static struct mount_attr kernel_attr(const struct os_mount_attr *attr)
{
	return (struct mount_attr){
		.attr_set = attr->set,
		.attr_clr = attr->clr,
		.propagation = attr->propagation,
		.userns_fd = attr->set & MOUNT_ATTR_IDMAP ? (uint64_t)attr->userns : 0,
	};
}

int os_mount_setattr(int dir, const char *path, bool recursive, const struct os_mount_attr *attr)
{
	struct mount_attr kernel = kernel_attr(attr);
	unsigned flags = recursive ? AT_RECURSIVE : 0;

	OS_FAULT("mount_setattr");
	if (path[0] == '\0')
		flags |= AT_EMPTY_PATH;
	return mount_setattr(dir, path, flags, &kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

/* Linux 6.15 */
static int tree_clone_attr(int dir, const char *path, unsigned flags,
			   const struct os_mount_attr *attr)
{
	struct mount_attr kernel = kernel_attr(attr);
	int fd;

	OS_FAULT("open_tree_attr");
	fd = (int)syscall(SYS_open_tree_attr, dir, path,
			  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags, &kernel, sizeof(kernel));
	return fd < 0 ? -errno : fd;
}

int os_tree_clone_attr(int dir, const char *path, unsigned flags, const struct os_mount_attr *attr,
		       bool *ret_late)
{
	defer_close int fd = -EBADF;
	int r;

	*ret_late = false;
	fd = tree_clone_attr(dir, path, flags, attr);
	if (fd != -ENOSYS)
		return take_fd(&fd);

	fd = os_tree_clone(dir, path, flags);
	if (fd < 0)
		return fd;
	r = os_mount_setattr(fd, "", flags & AT_RECURSIVE, attr);
	*ret_late = r == -ENOSYS && !(attr->set & MOUNT_ATTR_IDMAP);
	return r < 0 && !*ret_late ? r : take_fd(&fd);
}

#ifndef ST_NOSYMFOLLOW
#define ST_NOSYMFOLLOW 0x2000 /* Linux 5.10 */
#endif

/* statvfs(2)'s flags of a mount, and the words for the same. */
static const struct {
	unsigned long st, ms;
	uint64_t attr;
} old_flags[] = {
	{ ST_RDONLY, MS_RDONLY, MOUNT_ATTR_RDONLY },
	{ ST_NOSUID, MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ ST_NODEV, MS_NODEV, MOUNT_ATTR_NODEV },
	{ ST_NOEXEC, MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ ST_NODIRATIME, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	{ ST_NOSYMFOLLOW, MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
};

/* The access times are one word of three; the kernel keeps what it has if none is named. */
static unsigned long atime_flag(const struct os_mount_attr *attr)
{
	if (!(attr->clr & MOUNT_ATTR__ATIME))
		return 0;
	return attr->set & MOUNT_ATTR_NOATIME       ? MS_NOATIME
	       : attr->set & MOUNT_ATTR_STRICTATIME ? MS_STRICTATIME
						    : MS_RELATIME;
}

/* A remount resets what it does not name, so name all that is there. */
static int remount_old(const char *path, const struct os_mount_attr *attr)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | atime_flag(attr);
	struct statvfs now;

	if (statvfs(path, &now) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(old_flags); i++) {
		bool there = now.f_flag & old_flags[i].st && !(attr->clr & old_flags[i].attr);

		if (there || attr->set & old_flags[i].attr)
			flags |= old_flags[i].ms;
	}
	if (!(attr->clr & MOUNT_ATTR__ATIME) && now.f_flag & ST_NOATIME)
		flags |= MS_NOATIME;
	else if (!(attr->clr & MOUNT_ATTR__ATIME) && now.f_flag & ST_RELATIME)
		flags |= MS_RELATIME;
	return os_mount(NULL, path, NULL, flags, NULL);
}

int os_mount_attr_old(const char *path, bool recursive, const struct os_mount_attr *attr)
{
	int r = 0;

	if (attr->set & MOUNT_ATTR_IDMAP)
		return -ENOSYS;
	if (attr->set || attr->clr)
		r = remount_old(path, attr);
	if (r == 0 && attr->propagation)
		r = os_mount(NULL, path, NULL, attr->propagation | (recursive ? MS_REC : 0), NULL);
	return r;
}

int os_mount_id(int fd, uint64_t *ret)
{
	struct statx stx;

	OS_FAULT("statx");
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	*ret = stx.stx_mnt_id;
	return 0;
}

int os_mount(const char *source, const char *target, const char *fstype, unsigned long flags,
	     const char *data)
{
	OS_FAULT("mount");
	return mount(source, target, fstype, flags, data) < 0 ? -errno : 0;
}

int os_umount(const char *target, int flags)
{
	OS_FAULT("umount2");
	return umount2(target, flags) < 0 ? -errno : 0;
}

int os_pivot_root(const char *new_root, const char *put_old)
{
	OS_FAULT("pivot_root");
	return syscall(SYS_pivot_root, new_root, put_old) < 0 ? -errno : 0;
}

/* mount(2)'s flags that belong to the superblock, as the words that fsconfig() knows. */
static const struct {
	unsigned long flag;
	const char *word;
} superblock_flags[] = {
	{ MS_RDONLY, "ro" },         { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },
	{ MS_LAZYTIME, "lazytime" }, { MS_MANDLOCK, "mand" },
};

static const struct {
	unsigned long flag;
	uint64_t attr;
} mount_flags[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY },         { MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV },           { MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME }, { MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	{ MS_NOATIME, MOUNT_ATTR_NOATIME },       { MS_STRICTATIME, MOUNT_ATTR_STRICTATIME },
};

static int fs_config(int fs, unsigned command, const char *key, const char *value)
{
	OS_FAULT("fsconfig");
	return fsconfig(fs, command, key, value, 0) < 0 ? -errno : 0;
}

/* The length of the first option: up to a comma that is not in quotes, as security modules want it. */
static size_t option_length(const char *data)
{
	bool quoted = false;
	size_t len;

	for (len = 0; data[len] && (quoted || data[len] != ','); len++) {
		if (data[len] == '"')
			quoted = !quoted;
	}
	return len;
}

/* mount(2) takes quotes off a value, fsconfig() does not. */
static char *without_quotes(char *value)
{
	size_t len = value ? strlen(value) : 0;

	if (len < 2 || value[0] != '"' || value[len - 1] != '"')
		return value;
	value[len - 1] = '\0';
	return value + 1;
}

/* Hand "a,b=c" over, one option at a time. */
static int configure_data(int fs, const char *data)
{
	char word[4096];
	size_t len;
	char *value;
	int r;

	for (; data && *data; data += len + (data[len] == ',')) {
		len = option_length(data);
		if (len == 0)
			continue;
		if (len >= sizeof(word))
			return -E2BIG;
		memcpy(word, data, len);
		word[len] = '\0';
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		r = fs_config(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, word,
			      without_quotes(value));
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * A configured and created filesystem context, in *fs also on failure, so that its messages can be
 * read.
 */
static int create_context(const char *fstype, const char *source, unsigned long flags,
			  const char *data, int *fs)
{
	int r;

	OS_FAULT("fsopen");
	*fs = fsopen(fstype, FSOPEN_CLOEXEC);
	if (*fs < 0)
		return -errno;

	r = fs_config(*fs, FSCONFIG_SET_STRING, "source", source);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(superblock_flags); i++) {
		if (flags & superblock_flags[i].flag)
			r = fs_config(*fs, FSCONFIG_SET_FLAG, superblock_flags[i].word, NULL);
	}
	if (r == 0)
		r = configure_data(*fs, data);
	if (r == 0)
		r = fs_config(*fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	return r;
}

int os_fs_new(const char *fstype, const char *source, unsigned long flags, const char *data)
{
	defer_close int fs = -EBADF;
	uint64_t attr = 0;
	int r, mnt;

	r = create_context(fstype, source, flags, data, &fs);
	if (r < 0)
		return r;

	for (size_t i = 0; i < ARRAY_LEN(mount_flags); i++) {
		if (flags & mount_flags[i].flag)
			attr |= mount_flags[i].attr;
	}
	OS_FAULT("fsmount");
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
	return mnt < 0 ? -errno : mnt;
}

/*
 * The first error that a context has to tell. One message a read, "e " before an error, "w " or "i " before what is less;
 * ENODATA after the last.
 */
static void read_reason(int fs, char *buf, size_t size)
{
	char message[256];
	ssize_t n;

	buf[0] = '\0';
	while ((n = read(fs, message, sizeof(message) - 1)) > 0) {
		message[n] = '\0';
		message[strcspn(message, "\n")] = '\0';
		if (strncmp(message, "e ", 2) == 0) {
			snprintf(buf, size, "%s", message + 2);
			return;
		}
	}
}

int os_fs_new_options(const char *fstype, const struct os_fs_option *options, size_t n,
		      char *message, size_t size)
{
	defer_close int fs = -EBADF;
	int r = 0, mnt;

	message[0] = '\0';
	OS_FAULT("fsopen");
	fs = fsopen(fstype, FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = fs_config(fs, options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			      options[i].key, options[i].value);
	if (r == 0)
		r = fs_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (r < 0) {
		read_reason(fs, message, size);
		return r;
	}
	OS_FAULT("fsmount");
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return mnt < 0 ? -errno : mnt;
}

void os_mount_reason(const char *fstype, const char *source, unsigned long flags, const char *data,
		     char *buf, size_t size)
{
	defer_close int fs = -EBADF;

	buf[0] = '\0';
	if (create_context(fstype, source, flags, data, &fs) == 0 || fs < 0)
		return;
	read_reason(fs, buf, size);
}

int os_tmpfs_empty_ro(const char *data)
{
	return os_fs_new("tmpfs", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, data);
}
