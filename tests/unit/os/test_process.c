/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes by pidfd and start time; the sockets between ours. */
#include "os/file.h"
#include "os/process.h"
#include "os/seqpacket.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

struct shared {
	int seen, fd;
	const char *text;
};

static void __attribute__((noreturn)) fill_shared(void *arg)
{
	volatile char frame[4096];
	struct shared *shared = arg;

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = 'x';
	shared->seen = frame[17] == 'x' && strcmp(shared->text, "the caller's") == 0;
	/* Files are copies: what is closed here stays open there. */
	close(shared->fd);
	_exit(7);
}

static void test_a_process_in_the_callers_memory(void **state)
{
	char text[] = "the caller's";
	struct shared shared = { .text = text };
	int status;
	pid_t child;

	shared.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(shared.fd >= 0);
	child = os_clone_shared(-1, fill_shared, &shared);
	/* The caller slept until it had ended, and its own frame is as it was. */
	assert_true(child > 0);
	assert_int_equal(shared.seen, 1);
	assert_string_equal(text, "the caller's");
	assert_true(fcntl(shared.fd, F_GETFD) >= 0);
	assert_int_equal(os_reap(child, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	/* A cgroup that is none. */
	assert_int_equal(os_clone_shared(shared.fd, fill_shared, &shared), -EBADF);
	close(shared.fd);
}

static void test_a_process_is_its_pid_and_start_time(void **state)
{
	struct os_process_stat stat;
	int pidfd, status;
	pid_t child;

	child = os_clone3(0, -1, NULL);
	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(os_process_stat(child, &stat), 0);
	assert_int_equal(os_process_open(child, stat.start_time + 1), -ESRCH);
	pidfd = os_process_open(child, stat.start_time);
	assert_true(pidfd >= 0);
	assert_int_equal(os_pidfd_ended(pidfd, 0), 0);
	assert_int_equal(os_pidfd_kill(pidfd, SIGKILL), 0);
	assert_int_equal(os_pidfd_ended(pidfd, 5000), 1);
	/* A zombie has the pid still, but it is no process that one could talk to. */
	assert_int_equal(os_process_open(child, stat.start_time), -ESRCH);
	assert_int_equal(os_process_stat(child, &stat), 0);
	assert_int_equal(stat.state, 'Z');
	assert_int_equal(stat.exit_code, SIGKILL);
	assert_int_equal(os_reap(child, &status), 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(os_process_stat(child, &stat), -ENOENT);
	close(pidfd);
}

static void test_a_hostile_name_is_parsed_to_its_last_parenthesis(void **state)
{
	struct os_process_stat before, after;

	assert_int_equal(os_process_stat(getpid(), &before), 0);
	prctl(PR_SET_NAME, "a) Z 1 (b");
	assert_int_equal(os_process_stat(getpid(), &after), 0);
	assert_string_equal(after.comm, "a) Z 1 (b");
	assert_int_equal(after.start_time, before.start_time);
	assert_int_equal(after.state, 'R');
}

static void test_a_byte_and_an_fd_cross_the_pair(void **state)
{
	struct stat sent, got;
	int pair[2], fd = -EBADF;
	char byte = 0;

	assert_int_equal(os_seqpacket_pair(pair), 0);
	assert_int_equal(os_send_byte(pair[0], 'x', -1), 0);
	assert_int_equal(os_receive_byte(pair[1], &byte, &fd), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(fd, -EBADF);
	assert_int_equal(os_send_byte(pair[0], 'y', STDIN_FILENO), 0);
	assert_int_equal(os_receive_byte(pair[1], &byte, &fd), 1);
	assert_int_equal(byte, 'y');
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	fstat(STDIN_FILENO, &sent);
	fstat(fd, &got);
	assert_int_equal(sent.st_ino, got.st_ino);
	close(fd);
	close(pair[0]);
	assert_int_equal(os_receive_byte(pair[1], &byte, NULL), 0);
	assert_int_equal(os_send_byte(pair[1], 'z', -1), -EPIPE);
	close(pair[1]);
}

static void test_a_socket_in_a_deep_directory(void **state)
{
	char path[4096] = "/tmp/tare-unit-XXXXXX", top[4096];
	int dir, sock, conn, peer;

	assert_non_null(mkdtemp(path));
	strcpy(top, path);
	for (int i = 0; i < 12; i++) {
		strcat(path, "/a-directory-with-a-long-name");
		assert_int_equal(mkdir(path, 0700), 0);
	}
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	sock = os_seqpacket_bind(dir, "s");
	assert_true(sock >= 0);
	/* Nobody listens yet. */
	assert_int_equal(os_seqpacket_connect(dir, "s"), -ECONNREFUSED);
	assert_int_equal(os_seqpacket_listen(sock), 0);
	conn = os_seqpacket_connect(dir, "s");
	assert_true(conn >= 0);
	assert_int_equal(os_seqpacket_peer(conn), getpid());
	peer = os_seqpacket_accept(sock);
	assert_true(peer >= 0);
	close(peer);
	close(conn);
	close(sock);
	unlinkat(dir, "s", 0);
	close(dir);
	while (strcmp(path, top) != 0) {
		assert_int_equal(rmdir(path), 0);
		*strrchr(path, '/') = '\0';
	}
	assert_int_equal(rmdir(top), 0);
}

static void test_replace_is_whole_or_not_at_all(void **state)
{
	defer_arena struct arena arena = { 0 };
	char path[] = "/tmp/tare-unit-XXXXXX", *text;
	size_t len;
	int dir, fd;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(os_file_replace_at(dir, "f", ".f", "one", 3, 0600), 0);
	assert_int_equal(os_file_replace_at(dir, "f", ".f", "two!", 4, 0600), 0);
	fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(os_file_read(&arena, fd, 100, &text, &len), 0);
	assert_string_equal(text, "two!");
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(os_file_read(&arena, fd, 3, &text, &len), -EFBIG);
	close(fd);
	assert_int_equal(os_file_make_at(dir, "f", "", 0, 0600), -EEXIST);
	assert_int_equal(unlinkat(dir, "f", 0), 0);
	close(dir);
	/* Nothing else is left: the temporary file is gone. */
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_process_in_the_callers_memory),
		cmocka_unit_test(test_a_process_is_its_pid_and_start_time),
		cmocka_unit_test(test_a_hostile_name_is_parsed_to_its_last_parenthesis),
		cmocka_unit_test(test_a_byte_and_an_fd_cross_the_pair),
		cmocka_unit_test(test_a_socket_in_a_deep_directory),
		cmocka_unit_test(test_replace_is_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
