/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/ns.h"

#include "os/fault.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int os_ns_open(const char *path, uint64_t flag)
{
	defer_close int fd = -EBADF;
	int type;

	OS_FAULT("open");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;

	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0 || (uint64_t)(unsigned)type != flag)
		return -EINVAL;
	return take_fd(&fd);
}

int os_ns_is_own(int fd, const char *own)
{
	struct stat a, b;

	if (fstat(fd, &a) < 0 || stat(own, &b) < 0)
		return -errno;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Longer than any: "pid_for_children:[18446744073709551615]" has 39 bytes. */
#define NS_NAME_MAX 48

int os_ns_differs(pid_t pid, const char *file)
{
	char path[48], theirs[NS_NAME_MAX], ours[NS_NAME_MAX];
	ssize_t len, own;

	/* The link's text has the namespace's number. To follow it would cost twice as much: the kernel makes a file then. */
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	len = readlink(path, theirs, sizeof(theirs));
	if (len < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", file);
	own = readlink(path, ours, sizeof(ours));
	if (own < 0)
		return -errno;
	return own != len || memcmp(theirs, ours, (size_t)len) != 0;
}

int os_setns(int fd, uint64_t flag)
{
	OS_FAULT("setns");
	return setns(fd, (int)flag) < 0 ? -errno : 0;
}

int os_unshare(uint64_t flags)
{
	OS_FAULT("unshare");
	return unshare((int)flags) < 0 ? -errno : 0;
}

#define INITIAL_USER_NS "user:[4026531837]"

int os_in_user_namespace(const char *root)
{
	char path[512], link[sizeof(INITIAL_USER_NS) + 1];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/proc/self/ns/user", root);
	len = readlink(path, link, sizeof(link));
	if (len < 0)
		return errno == ENOENT ? 0 : -errno;
	return (size_t)len != strlen(INITIAL_USER_NS) ||
	       memcmp(link, INITIAL_USER_NS, (size_t)len) != 0;
}

int os_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	defer_close int fd = -EBADF;

	OS_FAULT("socket");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A kernel without IPv4 still has a loopback; any family's socket takes the ioctl. */
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int os_sethostname(const char *name)
{
	OS_FAULT("sethostname");
	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

int os_setdomainname(const char *name)
{
	OS_FAULT("setdomainname");
	return setdomainname(name, strlen(name)) < 0 ? -errno : 0;
}

int os_become_root(void)
{
	OS_FAULT("setresuid");
	/* Raw calls: glibc's would signal other threads, of which there are none. */
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return -errno;
	return 0;
}
