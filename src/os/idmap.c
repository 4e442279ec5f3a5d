/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user namespace only for its maps. It needs a process to be born in, so a child makes it, sleeps
 * on a socket while the parent (who has the rights) writes the maps and opens the namespace, and
 * ends when the socket closes.
 */
#include "os/mount.h"

#include "os/fault.h"
#include "os/file.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * The child: wait for the end of @peer. It holds a copy of every fd of the parent's, @own included,
 * so close that.
 */
static _Noreturn void sleep_in_namespace(int own, int peer)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(own);
	while (read(peer, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int write_file(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return os_file_write_at(AT_FDCWD, path, text, strlen(text));
}

static int open_namespace(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct maps {
	const char *uid, *gid;
};

static int write_maps(void *arg, pid_t pid)
{
	const struct maps *maps = arg;
	int r = write_file(pid, "uid_map", maps->uid);

	return r < 0 ? r : write_file(pid, "gid_map", maps->gid);
}

int os_idmap_ns(const char *uid_map, const char *gid_map)
{
	struct maps maps = { uid_map, gid_map };

	return os_user_ns(write_maps, &maps);
}

int os_user_ns(int (*map)(void *arg, pid_t pid), void *arg)
{
	defer_close int own = -EBADF, peer = -EBADF;
	int pair[2], r, ns = -EBADF;
	pid_t pid;

	OS_FAULT("socketpair");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	own = pair[0];
	peer = pair[1];

	OS_FAULT("clone");
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		sleep_in_namespace(own, peer);

	r = map(arg, pid);
	if (r == 0)
		r = ns = open_namespace(pid);

	defer_close_fn(&own);
	own = -EBADF;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : ns;
}
