/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/exec.h"

#include "os/fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The kernel's number of signals, and its mask of them: one word. The C library's types differ. */
#define KERNEL_SIGNALS 64

/* ---- ids -------------------------------------------------------------------------------------------------------- */

int os_setgroups(const uint32_t *gids, size_t n)
{
	OS_FAULT("setgroups");
	return syscall(SYS_setgroups, n, gids) < 0 ? -errno : 0;
}

int os_setresgid(uint32_t gid)
{
	OS_FAULT("setresgid");
	return syscall(SYS_setresgid, gid, gid, gid) < 0 ? -errno : 0;
}

int os_setresuid(uint32_t uid)
{
	OS_FAULT("setresuid");
	return syscall(SYS_setresuid, uid, uid, uid) < 0 ? -errno : 0;
}

int os_setsid(void)
{
	OS_FAULT("setsid");
	return setsid() < 0 ? -errno : 0;
}

int os_undumpable(void)
{
	OS_FAULT("prctl");
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/* ---- signals ---------------------------------------------------------------------------------------------------- */

static int reset_signal(int signal)
{
	/* The kernel's struct, all zero: SIG_DFL, no flags, empty mask. */
	const unsigned long action[4] = { 0 };

	if (signal == SIGKILL || signal == SIGSTOP)
		return 0;
	return syscall(SYS_rt_sigaction, signal, action, NULL, KERNEL_SIGNALS / 8) < 0 ? -errno : 0;
}

static uint64_t hex(const char *text)
{
	uint64_t n = 0;

	for (;; text++) {
		if (*text >= '0' && *text <= '9')
			n = n << 4 | (uint64_t)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			n = n << 4 | (uint64_t)(*text - 'a' + 10);
		else
			return n;
	}
}

/* The mask in the line "SigIgn:" of /proc/self/status; all ones if it can't be read. */
static uint64_t ignored_signals(int proc)
{
	static const char label[] = "\nSigIgn:\t";
	defer_close int fd = -EBADF;
	char text[4096];
	const char *line;
	ssize_t len;

	if (proc >= 0)
		fd = openat(proc, "self/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return UINT64_MAX;
	/* The file comes whole in one read; a list of very many groups can push the line out of the buffer. */
	len = read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return UINT64_MAX;
	text[len] = '\0';
	line = strstr(text, label);
	return line && strchr(line + 1, '\n') ? hex(line + sizeof(label) - 1) : UINT64_MAX;
}

int os_signals_default(int proc)
{
	const uint64_t none = 0;
	uint64_t ignored;
	int r;

	OS_FAULT("rt_sigaction");
	ignored = ignored_signals(proc);
	for (int signal = 1; signal <= KERNEL_SIGNALS; signal++) {
		if (!(ignored & 1ULL << (signal - 1)))
			continue;
		r = reset_signal(signal);
		if (r < 0)
			return r;
	}
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) < 0 ? -errno : 0;
}

/* ---- fds -------------------------------------------------------------------------------------------------------- */

/* The numbers in /proc/self/fd come from a directory that is itself one of them, and ends here. */
static int cloexec_one_by_one(int first)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd >= first && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
			r = -errno;
	}
	closedir(dir);
	return r;
}

int os_cloexec_from(int first)
{
	OS_FAULT("close_range");
	if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	/* Linux before 5.11 */
	return errno == EINVAL ? cloexec_one_by_one(first) : -errno;
}

int os_close_range(unsigned first, unsigned last)
{
	OS_FAULT("close_range");
	return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

static void sort(int *fds, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k > 0 && fds[k - 1] > fds[k]; k--) {
			int higher = fds[k - 1];

			fds[k - 1] = fds[k];
			fds[k] = higher;
		}
	}
}

int os_close_all_but(unsigned first, int *keep, size_t n)
{
	int r;

	sort(keep, n);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < first)
			continue;
		r = (unsigned)keep[i] > first ? os_close_range(first, (unsigned)keep[i] - 1) : 0;
		if (r < 0)
			return r;
		first = (unsigned)keep[i] + 1;
	}
	return os_close_range(first, ~0U);
}

int os_fd_inherit(int fd)
{
	OS_FAULT("fcntl");
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

/* ---- filter and execve ------------------------------------------------------------------------------------------ */

int os_no_new_privs(void)
{
	OS_FAULT("prctl");
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* TSYNC and a listener both want the return value for themselves; with this the errors of TSYNC are an errno. */
static uint32_t listener_flags(uint32_t flags)
{
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

int os_seccomp_load(const struct sock_filter *insns, uint16_t n, uint32_t flags, bool listener)
{
	/* The kernel only reads it; its struct has no const. */
	struct sock_fprog program = { .len = n, .filter = (struct sock_filter *)(uintptr_t)insns };

	int r;

	OS_FAULT("seccomp");
	if (listener)
		flags = listener_flags(flags);
	r = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return r < 0 ? -errno : r;
}

int os_executable(const char *path)
{
	struct stat st;

	OS_FAULT("stat");
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* The bits alone would not tell of a mount with noexec. */
	return syscall(SYS_faccessat, AT_FDCWD, path, X_OK) < 0 ? -errno : 0;
}

int os_execve(const char *path, char *const *argv, char *const *envp)
{
	OS_FAULT("execve");
	execve(path, argv, envp);
	return -errno;
}
