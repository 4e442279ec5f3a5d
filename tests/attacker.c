/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an attacker needs that busybox has not got: one static program, for the host's side of a race and for inside of containers.
 *
 *   attacker swap A B       exchange two names for ever (renameat2 RENAME_EXCHANGE), as fast as it goes
 *   attacker type TEXT      push TEXT into the terminal that standard input is (TIOCSTI)
 *   attacker key NAME       print the key of that name, searched in the session keyring
 *   attacker with-key NAME TEXT COMMAND...
 *                           execute COMMAND in a new session keyring with this key
 *   attacker userns         make a user namespace, and in it a network namespace; print "root again"
 *
 * Exit status: 0, or 1 with the reason on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "attacker: %s: %s\n", what, strerror(errno));
	return 1;
}

static int swap(const char *a, const char *b)
{
	for (;;) {
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0 &&
		    errno == ENOENT)
			return fail("swap");
	}
}

static int type(const char *text)
{
	for (; *text; text++) {
		if (ioctl(STDIN_FILENO, TIOCSTI, text) < 0)
			return fail("TIOCSTI");
	}
	return 0;
}

static int key(const char *name)
{
	char text[256];
	long serial, n;

	serial = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);
	if (serial < 0)
		return fail("search the key");
	n = syscall(SYS_keyctl, KEYCTL_READ, serial, text, sizeof(text));
	if (n < 0)
		return fail("read the key");
	return write(STDOUT_FILENO, text, (size_t)n) == n ? 0 : 1;
}

static int with_key(const char *name, const char *text, char **command)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", name, text, strlen(text), KEY_SPEC_SESSION_KEYRING) < 0)
		return fail("make the key");
	execv(command[0], command);
	return fail(command[0]);
}

static int userns(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return fail("unshare the user namespace");
	if (unshare(CLONE_NEWNET) < 0)
		return fail("unshare the network namespace");
	puts("root again");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "swap") == 0)
		return swap(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "type") == 0)
		return type(argv[2]);
	if (argc == 3 && strcmp(argv[1], "key") == 0)
		return key(argv[2]);
	if (argc > 4 && strcmp(argv[1], "with-key") == 0)
		return with_key(argv[2], argv[3], argv + 4);
	if (argc == 2 && strcmp(argv[1], "userns") == 0)
		return userns();
	fprintf(stderr,
		"usage: attacker swap A B | type TEXT | key NAME | with-key NAME TEXT COMMAND... | userns\n");
	return 2;
}
