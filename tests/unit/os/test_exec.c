/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process does just before execve: signals, fds, working directory, spawned programs. Each case in a fork. */
#include "os/cwd.h"
#include "os/exec.h"
#include "os/sched.h"
#include "os/spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Run @test in a child: 0 is success, anything else is shown. */
static void in_child(int (*test)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(test() & 0xff);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- signals ---------------------------------------------------------------------------------------------------- */

static int prepare_signals(void)
{
	const uint64_t all = UINT64_MAX;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGRTMIN + 9, SIG_IGN);
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) < 0 ? 1 : 0;
}

static int check_signals(void)
{
	struct sigaction action;
	uint64_t mask = 1;

	for (int i = 1; i <= SIGRTMAX; i++) {
		if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			return i;
	}
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, sizeof(mask)) < 0)
		return 100;
	return mask ? 101 : 0;
}

static int signals_by_proc(void)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY);

	return prepare_signals() || os_signals_default(proc) < 0 ? 99 : check_signals();
}

static int signals_one_by_one(void)
{
	return prepare_signals() || os_signals_default(-1) < 0 ? 99 : check_signals();
}

/* A directory that is no procfs tells nothing, so each signal is set. */
static int signals_without_status(void)
{
	int proc = open("/tmp", O_PATH | O_DIRECTORY);

	return prepare_signals() || os_signals_default(proc) < 0 ? 99 : check_signals();
}

static void test_signals(void **state)
{
	in_child(signals_by_proc);
	in_child(signals_one_by_one);
	in_child(signals_without_status);
}

/* ---- directory -------------------------------------------------------------------------------------------------- */

static char place[64];

static int make_place(void **state)
{
	strcpy(place, "/tmp/tare-unit-XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static const char *below(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

static int remove_place(void **state)
{
	(void)unlink(below("link"));
	(void)unlink(below("magic"));
	(void)unlink(below("file"));
	(void)rmdir(below("a/b/c"));
	(void)rmdir(below("a/b"));
	(void)rmdir(below("a"));
	return rmdir(place);
}

static char made[4][PATH_MAX];
static int n_made;

static void note_made(void *arg, int parent, const char *path, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(parent, name, &st, 0), 0);
	strcpy(made[n_made++], path);
}

static int enter_what_was_made(void)
{
	char here[PATH_MAX];

	if (os_cwd_enter(below("a/b/c")) < 0 || !getcwd(here, sizeof(here)))
		return 1;
	return strcmp(here, below("a/b/c")) ? 2 : 0;
}

static void test_make_and_enter(void **state)
{
	struct stat st;

	umask(077);
	assert_int_equal(os_cwd_enter(below("a/b/c")), -ENOENT);
	assert_int_equal(os_cwd_make(below("a//b/c/"), 0755, note_made, NULL), 0);
	umask(022);
	assert_int_equal(n_made, 3);
	assert_string_equal(made[0], below("a"));
	assert_int_equal(stat(below("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	in_child(enter_what_was_made);

	/* Nothing is made twice. */
	assert_int_equal(os_cwd_make(below("a/b/c"), 0700, note_made, NULL), 0);
	assert_int_equal(n_made, 3);
}

static void test_no_magic_links(void **state)
{
	assert_int_equal(symlink("/proc/self/root/tmp", below("magic")), 0);
	assert_int_equal(os_cwd_enter(below("magic")), -ELOOP);
	assert_int_equal(os_cwd_enter("/proc/self/cwd"), -ELOOP);
	assert_int_equal(os_cwd_make(below("magic/x"), 0755, note_made, NULL), -ELOOP);
	assert_int_equal(os_cwd_enter("/proc/self/fd/0"), -ELOOP);
}

static void test_other_failures(void **state)
{
	char path[PATH_MAX + 2];

	close(open(below("file"), O_CREAT | O_WRONLY, 0644));
	assert_int_equal(os_cwd_enter(below("file")), -ENOTDIR);
	assert_int_equal(os_cwd_make(below("file/x"), 0755, note_made, NULL), -ENOTDIR);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(os_cwd_make(path, 0755, note_made, NULL), -ENAMETOOLONG);
	assert_int_equal(os_cwd_enter("/"), 0);
}

/* A directory that is open, but outside the root, has no path that begins with "/". */
static int enter_outside(void)
{
	char path[64];
	int fd = open("/etc", O_PATH | O_DIRECTORY);

	if (fd < 0 || chroot(place) < 0)
		return geteuid() ? 0 : 1;
	if (chdir("/") < 0 || fchdir(fd) < 0)
		return 2;
	/* "." is the one way that is left, since magic links are refused. */
	snprintf(path, sizeof(path), ".");
	return os_cwd_enter(path) == -EXDEV ? 0 : 3;
}

static void test_outside_the_root(void **state)
{
	in_child(enter_outside);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static void test_executable(void **state)
{
	assert_int_equal(os_executable("/bin/sh"), 0);
	assert_int_equal(os_executable("/nowhere"), -ENOENT);
	assert_int_equal(os_executable("/etc"), -EACCES);
	assert_int_equal(os_executable("/etc/passwd"), -EACCES);
	assert_int_equal(os_executable("/etc/passwd/x"), -ENOTDIR);
	assert_int_equal(os_executable("/dev/null"), -EACCES);
}

static int spawn(const char *path, const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL }, *envp[] = { NULL };
	struct os_spawn what = {
		.path = path,
		.argv = (char *const *)(uintptr_t)argv,
		.envp = (char *const *)(uintptr_t)envp,
		.cwd = "/",
		.stdio = { 0, 1, 2 },
	};
	int status = 0, r;
	pid_t pid;

	r = os_spawn(&what, &pid);
	if (r < 0)
		return r;
	if (getpgid(pid) == getpgrp() || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void test_spawn(void **state)
{
	assert_int_equal(WEXITSTATUS(spawn("/bin/sh", "exit 42")), 42);
	assert_int_equal(spawn("/nowhere", ""), -ENOENT);
	assert_int_equal(spawn("/etc/passwd", ""), -EACCES);
	/* A failed one leaves no zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_memfd_text(void **state)
{
	const char *parts[] = { "one ", "", "two" };
	int fd = os_memfd_text("test", parts, 3);
	char text[16] = "";

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 7);
	assert_string_equal(text, "one two");
	close(fd);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

static void test_rlimit_round_trip(void **state)
{
	uint64_t soft, hard, soft_now, hard_now;

	assert_int_equal(os_rlimit_get(0, RLIMIT_CORE, &soft, &hard), 0);
	assert_int_equal(os_rlimit_set(getpid(), RLIMIT_CORE, 0, hard), 0);
	assert_int_equal(os_rlimit_get(0, RLIMIT_CORE, &soft_now, &hard_now), 0);
	assert_int_equal(soft_now, 0);
	assert_int_equal(hard_now, hard);
	assert_int_equal(os_rlimit_set(0, RLIMIT_CORE, 2, 1), -EINVAL);
	assert_int_equal(os_rlimit_set(0, RLIMIT_CORE, soft, hard), 0);
}

static int close_all_but(void)
{
	int low = open("/", O_PATH), high = dup2(low, 50);

	if (low < 0 || high < 0 || os_close_range(3, 49) < 0)
		return 1;
	if (fcntl(low, F_GETFD) >= 0 || fcntl(50, F_GETFD) < 0)
		return 2;
	return os_fd_inherit(50) == 0 && os_fd_inherit(51) == -EBADF ? 0 : 3;
}

static void test_fds(void **state)
{
	in_child(close_all_but);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_make_and_enter),
		cmocka_unit_test(test_no_magic_links),
		cmocka_unit_test(test_other_failures),
		cmocka_unit_test(test_outside_the_root),
		cmocka_unit_test(test_executable),
		cmocka_unit_test(test_spawn),
		cmocka_unit_test(test_memfd_text),
		cmocka_unit_test(test_rlimit_round_trip),
		cmocka_unit_test(test_fds),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
