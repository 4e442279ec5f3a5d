/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the container's terminal, in the child, and handing its master out.
 *
 * A container with a volume on its /dev, or one that shares its mounts with a container that runs,
 * can change what paths below /dev mean at any moment. So the pty, its slave and /dev/console are
 * reached by fds that are checked, and the slave is mounted by its fd.
 *
 * Spec: rows P-1, P-2, L-14, X-8, X-19, Z-14
 */
#include "runtime/act.h"

#include "base/guard.h"
#include "os/fault.h"
#include "os/mount.h"
#include "os/path.h"
#include "os/seqpacket.h"
#include "os/socket.h"
#include "os/tty.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * step_console_socket() - connect to where the caller listens for the master
 *
 * Return: 0; -errno
 */
int step_console_socket(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.console_socket.path;
	int sock = os_socket_connect(path);

	if (sock >= 0) {
		a->fd[step->out] = sock;
		return 0;
	}
	err_set(err, sock, "connect to the console socket \"%s\"", path);
	if (sock == -EPROTOTYPE || sock == -ENOTSOCK)
		err_hint(err,
			 "it must be a unix socket of type SOCK_STREAM that somebody listens on");
	if (sock == -ECONNREFUSED)
		err_hint(err, "nobody listens on it");
	return sock;
}

/* ---- in the child ---------------------------------------------------------------------------- */

static int open_pty(int rootfs, int *ret_master, int *ret_slave, char name[OS_PTY_NAME_MAX],
		    struct err *err)
{
	defer_close int devpts = -EBADF;
	int r;

	devpts = os_open_in_root(rootfs, "/dev/pts", O_PATH | O_DIRECTORY, 0);
	r = devpts < 0 ? devpts : os_pty_open(devpts, ret_master, ret_slave, name);
	if (r == 0)
		return 0;

	err_set(err, r, "open a terminal in the container's \"/dev/pts\"");
	if (r == -ENOENT || r == -ENOTTY || r == -ENOTDIR)
		err_hint(err, "a process with a terminal needs a mount of type devpts on /dev/pts");
	return r;
}

/*
 * The file that the slave is mounted on. What is there already, even a device node, is covered and
 * not opened; a link is neither followed nor replaced.
 */
static int open_dev_console(struct act *a, int rootfs, struct err *err)
{
	defer_close int dev = -EBADF, target = -EBADF;
	struct stat st;

	dev = os_open_in_root(rootfs, "/dev", O_PATH | O_DIRECTORY, 0);
	if (dev < 0)
		return err_set(err, dev, "open the container's \"/dev\"");
	OS_FAULT("mknodat");
	if (mknodat(dev, "console", S_IFREG | 0600, 0) == 0)
		act_made(a, dev, "dev/console", "console");
	else if (errno != EEXIST)
		return err_sys(err, "make \"/dev/console\"");

	target = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) < 0)
		return err_sys(err, "open \"/dev/console\"");
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) {
		err_user(err, "mount the terminal on \"/dev/console\": it is a %s in the rootfs",
			 S_ISLNK(st.st_mode) ? "symbolic link" : "directory");
		return err_hint(err, "remove it: the runtime makes it");
	}
	return take_fd(&target);
}

/* Without its guard: the slave by its name, which may be something else by now. */
static int clone_by_path(const struct act *a, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", a->options->rootfs, name);
	return os_tree_clone(AT_FDCWD, path, 0);
}

static int mount_dev_console(struct act *a, int rootfs, int slave, const char *name,
			     struct err *err)
{
	defer_close int target = -EBADF, tree = -EBADF;
	int r;

	target = open_dev_console(a, rootfs, err);
	if (target < 0)
		return target;
	tree = GUARD(console_fd) ? os_tree_clone(slave, "", AT_EMPTY_PATH) : clone_by_path(a, name);
	if (tree < 0)
		return err_set(err, tree, "clone the mount of the terminal");
	r = os_tree_attach(tree, target, "");
	return r < 0 ? err_set(err, r, "mount the terminal on \"/dev/console\"") : 0;
}

/* One message; afterwards nobody in the container has the master or the socket. */
static int send_master(struct act *a, const struct step *step, int master, const char *name,
		       struct err *err)
{
	int16_t slot = step->in[1];
	int r;

	if (step->u.console.send_to_parent) {
		r = os_send_byte(a->sync, SYNC_CONSOLE, master);
		return r < 0 ? err_set(err, r, "send the terminal to the runtime") : 0;
	}
	r = os_socket_send_fd(a->fd[slot], master, name);
	if (r < 0)
		return err_set(err, r, "send the terminal to the console socket");
	close(take_fd(&a->fd[slot]));
	return 0;
}

static int use_slave(int slave, struct err *err)
{
	int r;

	r = os_tty_take(slave);
	if (r < 0)
		return err_set(err, r, "make the terminal the controlling one");
	for (int fd = 0; fd < 3; fd++) {
		OS_FAULT("dup2");
		if (dup2(slave, fd) < 0)
			return err_sys(err, "put the terminal on fd %d", fd);
	}
	return 0;
}

/*
 * step_console() - make the pty, send its master away, and live on its slave
 *
 * In an exec there is no root to hold: the process is in it, and still in its top directory.
 * Its owner is set later, with that of whatever else the standard streams are (STDIO_OWNER). The
 * session was made before, so the slave becomes the controlling terminal: a process in the
 * container can push input only into this one.
 *
 * Needs:  a devpts mount in the container
 * Return: 0; -errno
 */
int step_console(struct act *a, const struct step *step, struct err *err)
{
	defer_close int master = -EBADF, slave = -EBADF;
	int rootfs = step->in[0] == SLOT_NONE ? AT_FDCWD : a->fd[step->in[0]];
	char name[OS_PTY_NAME_MAX];
	int r;

	r = open_pty(rootfs, &master, &slave, name, err);
	if (r < 0)
		return r;
	if (step->u.console.height || step->u.console.width) {
		r = os_tty_set_size(slave, (unsigned short)step->u.console.height,
				    (unsigned short)step->u.console.width);
		if (r < 0)
			return err_set(err, r, "set the size of the terminal");
	}
	if (step->u.console.mount_dev_console) {
		r = mount_dev_console(a, rootfs, slave, name, err);
		if (r < 0)
			return r;
	}
	r = send_master(a, step, master, name, err);
	return r < 0 ? r : use_slave(slave, err);
}

/* ---- in the parent --------------------------------------------------------------------------- */

/*
 * What must be so before the program writes its first line; a window that has no size is no reason
 * to fail.
 */
int console_prepare_master(int master, struct err *err)
{
	int r = os_tty_plain_newlines(master);

	if (r < 0)
		return err_set(err, r, "prepare the container's terminal");
	for (int fd = 0; fd < 3; fd++) {
		if (os_tty_copy_size(fd, master) == 0)
			break;
	}
	return 0;
}

/*
 * step_console_receive() - the master of a foreground run comes to us, who relay it to the terminal
 * that we have
 *
 * The container's pty must not turn "\n" into "\r\n": ours does that, on the outside. Its window is
 * as large as ours, whatever consoleSize says.
 */
int step_console_receive(struct act *a, const struct step *step, struct err *err)
{
	int master = -EBADF, r;
	char token;

	r = os_receive_byte(a->sync, &token, &master);
	if (r < 0)
		return err_set(err, r, "receive the container's terminal");
	if (r == 0)
		return act_child_gone(a, false, err);
	a->console_master = master;
	if (token != SYNC_CONSOLE || master < 0)
		return err_bug(err, "receive the container's terminal: the child sent '%c'", token);
	return console_prepare_master(master, err);
}
