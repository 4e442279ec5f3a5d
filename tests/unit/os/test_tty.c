/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals, and the sockets that their masters travel through. */
#include "os/socket.h"
#include "os/tty.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include <cmocka.h>

struct pty {
	int master, slave;
	char name[OS_PTY_NAME_MAX];
};

static struct pty open_pty(void)
{
	int devpts = open("/dev/pts", O_PATH | O_DIRECTORY);
	struct pty pty = { -EBADF, -EBADF, "" };

	assert_int_equal(os_pty_open(devpts, &pty.master, &pty.slave, pty.name), 0);
	close(devpts);
	return pty;
}

static void close_pty(struct pty *pty)
{
	close(pty->master);
	close(pty->slave);
}

static void test_a_pty_comes_from_a_devpts_only(void **state)
{
	int dir = open("/tmp", O_PATH | O_DIRECTORY), master = -1, slave = -1;
	char name[OS_PTY_NAME_MAX];

	assert_int_equal(os_pty_open(dir, &master, &slave, name), -ENOTTY);
	assert_int_equal(master, -1);
	close(dir);
}

static void test_a_pty_has_a_name_and_closes_on_exec(void **state)
{
	struct pty pty = open_pty();
	char name[64];

	assert_int_equal(ttyname_r(pty.slave, name, sizeof(name)), 0);
	assert_string_equal(pty.name, name);
	assert_true(fcntl(pty.master, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(pty.slave, F_GETFD) & FD_CLOEXEC);
	close_pty(&pty);
}

static void test_sizes(void **state)
{
	struct pty a = open_pty(), b = open_pty();
	struct winsize size;

	assert_int_equal(os_tty_set_size(a.slave, 7, 70), 0);
	assert_int_equal(os_tty_copy_size(a.slave, b.master), 0);
	assert_int_equal(ioctl(b.slave, TIOCGWINSZ, &size), 0);
	assert_int_equal(size.ws_row, 7);
	assert_int_equal(size.ws_col, 70);
	close_pty(&a);
	close_pty(&b);
}

static void test_plain_newlines(void **state)
{
	struct pty pty = open_pty();
	char buf[8];

	assert_int_equal(write(pty.slave, "a\n", 2), 2);
	assert_int_equal(read(pty.master, buf, sizeof(buf)), 3);
	assert_int_equal(os_tty_plain_newlines(pty.master), 0);
	assert_int_equal(write(pty.slave, "a\n", 2), 2);
	assert_int_equal(read(pty.master, buf, sizeof(buf)), 2);
	close_pty(&pty);
}

static void test_the_eof_character_exists_in_line_mode_only(void **state)
{
	struct pty pty = open_pty();
	struct termios t;

	assert_int_equal(os_tty_eof_char(pty.master), 4);
	assert_int_equal(tcgetattr(pty.slave, &t), 0);
	cfmakeraw(&t);
	assert_int_equal(tcsetattr(pty.slave, TCSANOW, &t), 0);
	assert_int_equal(os_tty_eof_char(pty.master), -ENODATA);
	close_pty(&pty);
}

/* In a session of its own with the pty as its terminal: make it raw, and end in the given way. */
static void use_terminal(struct pty *pty, int signo)
{
	struct termios t;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (os_tty_take(pty->slave) < 0 || os_tty_raw(pty->slave) != 1)
			_exit(1);
		tcgetattr(pty->slave, &t);
		if ((t.c_lflag & (ICANON | ECHO)) || !(t.c_oflag & OPOST))
			_exit(2);
		if (signo)
			raise(signo);
		os_tty_restore();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (signo)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signo);
	else
		assert_int_equal(status, 0);
}

static void assert_sane(struct pty *pty)
{
	struct termios t;

	assert_int_equal(tcgetattr(pty->master, &t), 0);
	assert_true(t.c_lflag & ICANON);
	assert_true(t.c_lflag & ECHO);
}

static void test_raw_mode_is_undone(void **state)
{
	struct pty pty = open_pty();

	use_terminal(&pty, 0);
	assert_sane(&pty);
	close_pty(&pty);
}

static void test_raw_mode_is_undone_by_a_crash(void **state)
{
	struct pty pty = open_pty();

	use_terminal(&pty, SIGSEGV);
	assert_sane(&pty);
	close_pty(&pty);
}

static void test_a_terminal_of_others_is_left_alone(void **state)
{
	struct pty pty = open_pty();

	/* It is not our controlling terminal, so no process group of ours is in its foreground. */
	assert_int_equal(os_tty_raw(pty.slave), 0);
	assert_sane(&pty);
	close_pty(&pty);
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int listen_at(const char *dir, const char *name, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, type, 0);
	int here = open(".", O_PATH | O_DIRECTORY);

	/* By a relative name, so that the directory can be as deep as it likes. */
	assert_int_equal(chdir(dir), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	assert_int_equal(bind(sock, (const struct sockaddr *)&address, sizeof(address)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(sock, 1), 0);
	assert_int_equal(fchdir(here), 0);
	close(here);
	return sock;
}

static void test_the_master_travels_with_its_name(void **state)
{
	char dir[] = "/tmp/tare-socket-XXXXXX", path[512], deep[300], buf[64] = "";
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct pty pty = open_pty();
	int listener, sock, peer;

	assert_non_null(mkdtemp(dir));
	snprintf(deep, sizeof(deep), "%s/%0200d", dir, 0);
	assert_int_equal(mkdir(deep, 0700), 0);
	snprintf(path, sizeof(path), "%s/s", deep);
	listener = listen_at(deep, "s", SOCK_STREAM);

	sock = os_socket_connect(path);
	assert_true(sock >= 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(os_socket_send_fd(sock, pty.master, pty.name), 0);
	assert_int_equal(recvmsg(peer, &message, 0), (int)strlen(pty.name));
	assert_string_equal(buf, pty.name);
	assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_RIGHTS);

	close(peer);
	assert_int_equal(os_socket_send_fd(sock, pty.master, pty.name), -EPIPE);
	close(sock);
	close(listener);
	unlink(path);
	rmdir(deep);
	rmdir(dir);
	close_pty(&pty);
}

static void test_what_is_no_stream_socket_is_refused(void **state)
{
	char dir[] = "/tmp/tare-socket-XXXXXX", path[64];
	int listener;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(os_socket_connect(path), -ENOENT);
	listener = listen_at(dir, "s", SOCK_DGRAM);
	assert_int_equal(os_socket_connect(path), -EPROTOTYPE);
	close(listener);
	unlink(path);
	listener = listen_at(dir, "s", SOCK_STREAM);
	close(listener);
	assert_int_equal(os_socket_connect(path), -ECONNREFUSED);
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(os_socket_connect(path), -ENOTSOCK);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pty_comes_from_a_devpts_only),
		cmocka_unit_test(test_a_pty_has_a_name_and_closes_on_exec),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_plain_newlines),
		cmocka_unit_test(test_the_eof_character_exists_in_line_mode_only),
		cmocka_unit_test(test_raw_mode_is_undone),
		cmocka_unit_test(test_raw_mode_is_undone_by_a_crash),
		cmocka_unit_test(test_a_terminal_of_others_is_left_alone),
		cmocka_unit_test(test_the_master_travels_with_its_name),
		cmocka_unit_test(test_what_is_no_stream_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
