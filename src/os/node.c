/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/node.h"

#include "os/fault.h"

#include <fcntl.h>

int os_mkdir(int dir, const char *name, mode_t mode)
{
	OS_FAULT("mkdirat");
	return mkdirat(dir, name, mode) < 0 ? -errno : 0;
}

int os_mknod(int dir, const char *name, mode_t mode, dev_t rdev)
{
	OS_FAULT("mknodat");
	return mknodat(dir, name, mode, rdev) < 0 ? -errno : 0;
}

int os_symlink(const char *text, int dir, const char *name)
{
	OS_FAULT("symlinkat");
	return symlinkat(text, dir, name) < 0 ? -errno : 0;
}

int os_unlink(int dir, const char *name)
{
	OS_FAULT("unlinkat");
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

/*
 * The C library does it through an O_PATH fd and /proc where the kernel has no fchmodat2 (Linux
 * 6.6).
 */
int os_node_mode(int dir, const char *name, mode_t mode)
{
	OS_FAULT("fchmodat");
	return fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int os_node_owner(int dir, const char *name, uint32_t uid, uint32_t gid)
{
	OS_FAULT("fchownat");
	return fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int os_enter(int dir)
{
	OS_FAULT("fchdir");
	return fchdir(dir) < 0 ? -errno : 0;
}

int os_chroot_here(void)
{
	OS_FAULT("chroot");
	if (chroot(".") < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}
