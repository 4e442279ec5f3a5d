/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/spawn.h"

#include "os/exec.h"
#include "os/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int place_stdio(const int stdio[3])
{
	for (int i = 0; i < 3; i++) {
		if (stdio[i] == i ? fcntl(i, F_SETFD, 0) < 0 : dup2(stdio[i], i) < 0)
			return -errno;
	}
	return 0;
}

/* Fds 3 and on. What has one of these numbers now may be wanted at another, so all are first moved out of the way. */
static int place_fds(const int *fds, size_t n)
{
	int moved[SPAWN_FDS_MAX];

	if (n > ARRAY_LEN(moved))
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3 + SPAWN_FDS_MAX);
		if (moved[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++) {
		if (dup2(moved[i], 3 + (int)i) < 0)
			return -errno;
	}
	return 0;
}

/* In memory that is still the parent's, so it may only call the kernel, and must not return. */
static void __attribute__((noreturn))
run_program(const struct os_spawn *spawn, volatile int *ret_error)
{
	int r = 0;

	if (spawn->prepare)
		r = spawn->prepare(spawn->arg);
	if (r == 0)
		r = place_stdio(spawn->stdio);
	if (r == 0)
		r = place_fds(spawn->fds, spawn->n_fds);
	if (r == 0)
		r = os_close_range(3 + (unsigned)spawn->n_fds, ~0U);
	if (r == 0)
		r = os_signals_default(-1);
	if (r == 0 && !spawn->independent &&
	    (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
		r = -errno;
	if (r == 0 && chdir(spawn->cwd) < 0 && chdir("/") < 0)
		r = -errno;
	if (r == 0) {
		execve(spawn->path, spawn->argv, spawn->envp);
		r = -errno;
	}
	*ret_error = r;
	_exit(127);
}

int os_spawn(const struct os_spawn *spawn, pid_t *ret_pid)
{
	volatile int error = 0;
	pid_t pid;

	OS_FAULT("vfork");
	/* We sleep until the child executes, so its error needs no pipe. */
	pid = vfork();
	if (pid == 0)
		run_program(spawn, &error);
	if (pid < 0)
		return -errno;
	if (error) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return error;
	}
	*ret_pid = pid;
	return 0;
}

static int make_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	/* Before Linux 6.3 that flag is unknown; since then the sysctl vm.memfd_noexec can demand it. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int os_memfd_text(const char *name, const char *const *parts, size_t n)
{
	defer_close int fd = -EBADF;
	ssize_t written;

	OS_FAULT("memfd_create");
	fd = make_memfd(name);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(parts[i]);

		written = write(fd, parts[i], len);
		if (written < 0)
			return -errno;
		if ((size_t)written != len)
			return -EIO;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return take_fd(&fd);
}

int os_find_program(const char *name, char *buf, size_t size)
{
	const char *dirs = getenv("PATH");
	size_t len;

	if (!dirs || !*dirs)
		dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (; *dirs; dirs += len + (dirs[len] == ':')) {
		len = strcspn(dirs, ":");
		if (dirs[0] != '/' ||
		    snprintf(buf, size, "%.*s/%s", (int)len, dirs, name) >= (int)size)
			continue;
		if (os_executable(buf) == 0)
			return 0;
	}
	return -ENOENT;
}
