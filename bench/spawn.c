/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spawn FILE PROGRAM ARGUMENT... - run a program and write to FILE what it took: wall time in ns, CPU time in us with
 * that of all children it waited for, peak resident set in kB, exit status.
 *
 * Not Python's subprocess, because the peak that the kernel reports begins with the memory of whoever forked.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t microseconds(struct timeval tv)
{
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

int main(int argc, char **argv, char **envp)
{
	struct rusage usage;
	int64_t start, end;
	int status, out;
	pid_t pid;

	if (argc < 3)
		return 2;
	out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		return 1;
	start = now_ns();
	pid = vfork();
	if (pid == 0) {
		execve(argv[2], argv + 2, envp);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	end = now_ns();

	dprintf(out, "%lld %lld %ld %d\n", (long long)(end - start),
		(long long)(microseconds(usage.ru_utime) + microseconds(usage.ru_stime)),
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
