/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/process.h"

#include "os/fault.h"
#include "os/prefault.h"
#include "os/raw.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

pid_t PREFAULT_BIRTHPLACE os_clone3(uint64_t flags, int cgroup, int *ret_pidfd)
{
	struct clone_args args = { .flags = flags };
	int pidfd = -EBADF;
	long pid;

	OS_FAULT("clone3");
	/* The kernel refuses an exit signal together with CLONE_PARENT: the child takes the caller's. */
	if (!(flags & CLONE_PARENT))
		args.exit_signal = SIGCHLD;
	if (ret_pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	}
	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}

	pid = raw_syscall(SYS_clone3, (long)&args, sizeof(args), 0, 0, 0);
	if (pid > 0 && ret_pidfd)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

/* How much stack the process gets: any size will do, since the kernel looks at its end only. */
#define SHARED_STACK 65536

/* Return: as the system call; in the new process it does not. The call must be inline: a function would return twice. */
static long clone3_call(struct clone_args *args, void (*fn)(void *arg), void *arg)
{
#if defined(__x86_64__)
	uintptr_t here;
	long ret;

	/* Below all that this function has, its 128 bytes below the stack pointer included. */
	__asm__("mov %%rsp, %0" : "=r"(here));
	args->stack = ((here - 512) & ~(uintptr_t)15) - SHARED_STACK;
	args->stack_size = SHARED_STACK;
	__asm__ volatile("syscall\n"
			 "	test %%rax, %%rax\n"
			 "	jnz 1f\n"
			 "	mov %[arg], %%rdi\n"
			 "	call *%[fn]\n"
			 "	ud2\n"
			 "1:\n"
			 : "=a"(ret)
			 : "a"(SYS_clone3), "D"(args),
			   "S"(sizeof(*args)), [fn] "r"(fn), [arg] "r"(arg)
			 : "rcx", "r11", "memory", "cc");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = sizeof(*args);
	uintptr_t here;

	__asm__("mov %0, sp" : "=r"(here));
	args->stack = ((here - 512) & ~(uintptr_t)15) - SHARED_STACK;
	args->stack_size = SHARED_STACK;
	__asm__ volatile("svc 0\n"
			 "	cbnz x0, 1f\n"
			 "	mov x0, %[arg]\n"
			 "	blr %[fn]\n"
			 "	brk 0\n"
			 "1:\n"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), [fn] "r"(fn), [arg] "r"(arg)
			 : "memory", "cc");
	return x0;
#else
#error "say how this architecture clones"
#endif
}

pid_t os_clone_shared(int cgroup, void (*fn)(void *arg), void *arg)
{
	struct clone_args args = { .flags = CLONE_VM | CLONE_VFORK };

	OS_FAULT("clone3");
	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	return (pid_t)clone3_call(&args, fn, arg);
}

pid_t os_clone_shared_files(void (*fn)(void *arg), void *arg)
{
	struct clone_args args = { .flags = CLONE_VM | CLONE_VFORK | CLONE_FILES };

	OS_FAULT("clone3");
	return (pid_t)clone3_call(&args, fn, arg);
}

int os_pidfd_open(pid_t pid)
{
	int fd;

	OS_FAULT("pidfd_open");
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

int os_pidfd_getfd(int pidfd, int fd)
{
	int own;

	OS_FAULT("pidfd_getfd");
	own = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return own < 0 ? -errno : own;
}

int os_pidfd_kill(int pidfd, int signal)
{
	OS_FAULT("pidfd_send_signal");
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int os_pidfd_ended(int pidfd, int timeout_ms)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int r;

	do {
		r = poll(&pfd, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r > 0;
}

uint64_t os_pid_ns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* Of the kernel's include/linux/sched.h; no header that we get has it, but it has been this since Linux 2.0. */
#define PF_EXITING 0x4

/* A place in /proc/PID/stat: @text begins with field @number as proc(5) counts them. */
struct stat_place {
	const char *text;
	int number;
};

/* Go on to field @number, and read it. */
static bool stat_field(struct stat_place *at, int number, uint64_t *ret)
{
	char *end;

	for (; at->number < number; at->number++) {
		const char *space = strchr(at->text, ' ');

		if (!space)
			return false;
		at->text = space + 1;
	}
	*ret = strtoull(at->text, &end, 10);
	return end != at->text;
}

int os_process_stat(pid_t pid, struct os_process_stat *ret)
{
	defer_close int fd = -EBADF;
	char path[40], text[1024], *comm, *end;
	uint64_t code, flags, pending;
	struct stat_place at;
	bool exiting, killed;
	size_t len;
	ssize_t n;

	OS_FAULT("open");
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ESRCH ? -ENOENT : -errno;
	text[n] = '\0';

	/* The name may hold anything, ") R 1" too: it ends at the last parenthesis. */
	comm = strchr(text, '(');
	end = strrchr(text, ')');
	if (!comm || !end || end[1] != ' ')
		return -EPROTO;
	at = (struct stat_place){ end + 2, 3 };
	exiting = stat_field(&at, 9, &flags) && (flags & PF_EXITING);
	if (!stat_field(&at, 22, &ret->start_time))
		return -EPROTO;
	killed = stat_field(&at, 31, &pending) && (pending & (1U << (SIGKILL - 1)));
	ret->dying = exiting || killed;
	ret->exit_code = stat_field(&at, 52, &code) ? (int)code : 0;

	len = (size_t)(end - comm - 1);
	if (len >= sizeof(ret->comm))
		len = sizeof(ret->comm) - 1;
	memcpy(ret->comm, comm + 1, len);
	ret->comm[len] = '\0';
	ret->state = end[2];
	return 0;
}

int os_process_open(pid_t pid, uint64_t start_time)
{
	defer_close int pidfd = -EBADF;
	struct os_process_stat stat;
	int r;

	if (pid <= 0)
		return -ESRCH;
	pidfd = os_pidfd_open(pid);
	if (pidfd < 0)
		return pidfd;

	/* While we hold the pidfd of a living process its pid can't be given away, so the two belong together. */
	r = os_process_stat(pid, &stat);
	if (r == -ENOENT)
		return -ESRCH;
	if (r < 0)
		return r;
	if (stat.start_time != start_time || stat.state == 'Z' || stat.state == 'X')
		return -ESRCH;
	return take_fd(&pidfd);
}

void os_kill_child_groups(pid_t parent)
{
	defer_close int fd = -EBADF;
	char path[64], text[4096], *at, *end;
	ssize_t n;
	long pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (at = text; (pid = strtol(at, &end, 10)) > 1 && end != at; at = end)
		(void)kill(-(pid_t)pid, SIGKILL);
}

int os_reap(pid_t pid, int *ret_status)
{
	pid_t r;
	int status;

	do {
		r = waitpid(pid, &status, __WALL);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	*ret_status = status;
	return 0;
}
