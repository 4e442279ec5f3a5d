/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that are blocked and polled. Each test runs in a child, since a process has one signal
 * mask.
 */
#include "os/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <cmocka.h>

#define CHILD_CHECK(what)                                                                          \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(__LINE__ % 200 + 1);                                                 \
	} while (0)

static void in_child(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void blocked_and_read(void)
{
	struct signalfd_siginfo info;
	sigset_t before;
	int fd = os_signal_fd(&before);

	CHILD_CHECK(fd >= 0 && sigisemptyset(&before));
	CHILD_CHECK(read(fd, &info, sizeof(info)) < 0 && errno == EAGAIN);
	raise(SIGTERM);
	CHILD_CHECK(read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info));
	CHILD_CHECK(info.ssi_signo == SIGTERM);
}

static void faults_stay(void)
{
	sigset_t before, now;

	CHILD_CHECK(os_signal_fd(&before) >= 0);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHILD_CHECK(!sigismember(&now, SIGSEGV) && !sigismember(&now, SIGABRT));
	CHILD_CHECK(sigismember(&now, SIGTERM) && sigismember(&now, SIGRTMAX));
}

static void a_wait_ends_for_its_fd(void)
{
	sigset_t before;
	int fds[2];

	CHILD_CHECK(os_signal_fd(&before) >= 0 && pipe(fds) == 0);
	raise(SIGUSR1); /* not one that asks us to stop */
	close(fds[1]);
	CHILD_CHECK(os_signal_wait(fds[0]) == 0);
}

static void a_wait_ends_for_a_stop(void)
{
	sigset_t before;
	int fds[2];

	CHILD_CHECK(os_signal_fd(&before) >= 0 && pipe(fds) == 0);
	CHILD_CHECK(os_signal_stop_take() == 0);
	raise(SIGINT);
	CHILD_CHECK(os_signal_wait(fds[0]) == SIGINT);
	/* Taken: what is done because of it, a poststop hook for one, must not end for it as well. */
	CHILD_CHECK(os_signal_stop_take() == 0);
	raise(SIGQUIT);
	CHILD_CHECK(os_signal_wait(fds[0]) == SIGQUIT);
}

/* A program that has not asked for them before does not die of them either. */
static void a_wait_holds_the_stops(void)
{
	int fds[2], stop;

	CHILD_CHECK(pipe(fds) == 0);
	stop = os_signal_stop_fd();
	CHILD_CHECK(stop >= 0);
	raise(SIGHUP);
	CHILD_CHECK(os_signal_wait(fds[0]) == SIGHUP);
}

/* What is there already counts more: the container's answer is not thrown away. */
static void the_fd_comes_first(void)
{
	sigset_t before;
	int fds[2];

	CHILD_CHECK(os_signal_fd(&before) >= 0 && pipe(fds) == 0);
	raise(SIGTERM);
	CHILD_CHECK(write(fds[1], "x", 1) == 1);
	CHILD_CHECK(os_signal_wait(fds[0]) == 0);
}

static void test_signals_are_blocked_and_read(void **state)
{
	in_child(blocked_and_read);
}

static void test_faults_are_not_blocked(void **state)
{
	in_child(faults_stay);
}

static void test_a_wait_ends_for_its_fd(void **state)
{
	in_child(a_wait_ends_for_its_fd);
}

static void test_a_wait_ends_for_a_stop(void **state)
{
	in_child(a_wait_ends_for_a_stop);
}

static void test_a_wait_holds_the_stops(void **state)
{
	in_child(a_wait_holds_the_stops);
}

static void test_the_fd_comes_first(void **state)
{
	in_child(the_fd_comes_first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_are_blocked_and_read),
		cmocka_unit_test(test_faults_are_not_blocked),
		cmocka_unit_test(test_a_wait_ends_for_its_fd),
		cmocka_unit_test(test_a_wait_ends_for_a_stop),
		cmocka_unit_test(test_a_wait_holds_the_stops),
		cmocka_unit_test(test_the_fd_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
