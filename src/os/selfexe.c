/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/selfexe.h"

#include "os/fault.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#define SELF_EXE  "/proc/self/exe"
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/*
 * A mount whose root is the binary itself is one that os_selfexe_protect() made, or as good as one.
 */
static int is_mount_root(void)
{
	struct statx stx;

	OS_FAULT("statx");
	if (statx(AT_FDCWD, SELF_EXE, 0, STATX_TYPE, &stx) < 0)
		return -errno;
	return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int is_sealed(void)
{
	defer_close int fd = -EBADF;
	int seals;

	OS_FAULT("open");
	fd = open(SELF_EXE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	/* EINVAL: a file of some tmpfs, which has no seals. */
	seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS;
}

int os_selfexe_is_protected(void)
{
	struct statfs fs;
	int r;

	OS_FAULT("statfs");
	if (statfs(SELF_EXE, &fs) < 0)
		return -errno;

	/*
	 * A read-only filesystem that happens to hold the binary is not enough: the host may
	 * remount it while a container still has the file open. Our own mount is out of everybody's
	 * reach.
	 */
	if (fs.f_flags & ST_RDONLY) {
		r = is_mount_root();
		if (r != 0)
			return r;
	}
	return fs.f_type == TMPFS_MAGIC ? is_sealed() : 0;
}

/* Return: a detached read-only mount of the binary; -errno */
static int clone_read_only(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	defer_close int tree = -EBADF;

	OS_FAULT("open_tree");
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, SELF_EXE, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	OS_FAULT("mount_setattr");
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return take_fd(&tree);
}

static int make_memfd(void)
{
	int fd = memfd_create("tare", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	/* Linux before 6.3 does not know MFD_EXEC; its memfds may be executed anyway. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("tare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

/* Return: a sealed copy of the binary in memory; -errno */
static int copy_sealed(void)
{
	defer_close int from = -EBADF, copy = -EBADF;
	struct stat st;
	ssize_t sent;

	OS_FAULT("memfd_create");
	from = open(SELF_EXE, O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	copy = make_memfd();
	if (copy < 0)
		return copy;

	for (off_t done = 0; done < st.st_size; done += sent) {
		sent = sendfile(copy, from, NULL, (size_t)(st.st_size - done));
		if (sent < 0)
			return -errno;
		if (sent == 0)
			return -EIO; /* the binary got shorter while we read it */
	}
	if (fcntl(copy, F_ADD_SEALS, ALL_SEALS) < 0)
		return -errno;
	return take_fd(&copy);
}

int os_selfexe_protect(char *const *argv, char *const *envp)
{
	defer_close int exe = -EBADF;
	int r;

	r = os_selfexe_is_protected();
	if (r != 0)
		return r < 0 ? r : 0;

	exe = clone_read_only();
	if (exe < 0)
		exe = copy_sealed();
	if (exe < 0)
		return exe;

	OS_FAULT("execveat");
	execveat(exe, "", argv, envp, AT_EMPTY_PATH);
	return -errno;
}
