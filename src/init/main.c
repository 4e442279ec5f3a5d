/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tare-init: the first process of a container of --init.
 *
 *     tare-init -- PROGRAM [ARGUMENT...]
 *
 * A process with the number 1 inherits every orphan, and gets no signal that it has no handler for; few programs expect
 * either. This one starts the program, reaps whatever ends, passes each signal on to the program, and ends as the program
 * does: with its status, or 128 and the number of the signal that killed it. It is static and asks nothing of the image.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

static int fail(const char *what)
{
	int status = errno == ENOENT ? NOT_FOUND : CANNOT_RUN;

	fprintf(stderr, "tare-init: execute \"%s\": %s\n", what, strerror(errno));
	return status;
}

/* A terminal's keys are for the program, so it gets the foreground. */
static void start(char **argv, const sigset_t *before)
{
	setpgid(0, 0);
	if (isatty(STDIN_FILENO)) {
		sigset_t output;

		sigemptyset(&output);
		sigaddset(&output, SIGTTOU);
		sigprocmask(SIG_BLOCK, &output, NULL);
		tcsetpgrp(STDIN_FILENO, getpid());
	}
	sigprocmask(SIG_SETMASK, before, NULL);
	execvp(argv[0], argv);
	_exit(fail(argv[0]));
}

/* Return: the status to end with; -1 while the program runs */
static int reap(pid_t program)
{
	int status, result = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == program)
			result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return result;
}

static int watch(pid_t program, const sigset_t *all)
{
	int result = -1, signo;

	while (result < 0) {
		signo = sigwaitinfo(all, NULL);
		if (signo == SIGCHLD)
			result = reap(program);
		else if (signo > 0)
			kill(program, signo);
	}
	return result;
}

int main(int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	sigset_t all, before;
	pid_t program;

	if (first >= argc) {
		fprintf(stderr, "usage: tare-init [--] PROGRAM [ARGUMENT...]\n");
		return CANNOT_RUN;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	program = fork();
	if (program < 0)
		return fail(argv[first]);
	if (program == 0)
		start(argv + first, &before);
	return watch(program, &all);
}
