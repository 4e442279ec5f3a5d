/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acting on NOTIFY_SOCKET; plan_notify.c says what for. */
#include "runtime/late_attr.h"

#include "os/mount.h"
#include "os/node.h"
#include "os/notify.h"
#include "runtime/notify.h"

#include <linux/mount.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/mount.h>

const struct os_mount_attr notify_attr = {
	.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	.propagation = MS_PRIVATE,
};

/* The directory goes with the state directory. Open to all, since inside the container anybody may be who notifies. */
int step_notify_make(struct act *a, const struct step *step, struct err *err)
{
	bool late;
	int r;

	r = os_mkdir(a->state_dir, NOTIFY_DIR, 0755);
	/* The caller's umask may be tighter. */
	if (r == 0 && fchmodat(a->state_dir, NOTIFY_DIR, 0755, 0) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, r, "make the directory of the notify socket");
	r = os_tree_clone_attr(a->state_dir, NOTIFY_DIR, 0, &notify_attr, &late);
	if (r < 0)
		return err_set(err, r, "open the directory of the notify socket");
	a->late_attrs |= late;
	a->fd[step->out] = r;
	return 0;
}

int step_notify_bind(struct act *a, const struct step *step, struct err *err)
{
	int fd = os_notify_bind(a->state_dir, NOTIFY_FILE);

	if (fd < 0)
		return err_set(err, fd, "bind the notify socket");
	a->fd[step->out] = a->notify_socket = fd;
	return 0;
}

/* step_notify_relay() - the container runs by now, so what goes wrong here is a warning */
int step_notify_relay(struct act *a, const struct step *step, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = a->fd[step->in[0]], .events = POLLIN },
		{ .fd = a->child_pidfd, .events = POLLIN },
	};
	struct err why = ERR_INIT;
	int r = 0;

	while (r == 0) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_sys(err, "wait for the container to be ready");
		r = notify_relay(fds[0].fd, step->u.notify_relay.host, a->child_pid, &why);
		/* Its last words count, so the socket is read before this. */
		if (r == 0 && fds[1].revents)
			break;
	}
	if (r < 0)
		act_warn(a, "%s", why.text);
	return 0;
}
