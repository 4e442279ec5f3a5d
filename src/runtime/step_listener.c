/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handing a seccomp listener over. The child has it but may not make a call any more, since each could be one that waits for
 * the listener's owner; so it only writes its number into the shared page, and the other side fetches it with pidfd_getfd().
 * docs/design/011-seccomp-listener.md has the reasons and the alternatives.
 */
#include "runtime/step_listener.h"

#include "base/clock.h"
#include "os/process.h"
#include "os/seqpacket.h"
#include "os/socket.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

/* How long the child waits for somebody to fetch it: the other side is at work already, or it was killed. */
#define TAKE_TIMEOUT_MS 10000

/* How long an agent may leave its end of the connection unread. */
#define AGENT_TIMEOUT_MS 10000

/* Looks at the page before the other side gives the processor away between two of them. */
#define EAGER_LOOKS 1000

/* ---- child ------------------------------------------------------------------------------------------------------ */

static int child_socket(const struct act *a)
{
	return a->start_conn >= 0 ? a->start_conn : a->sync;
}

int listener_announce(struct act *a, struct err *err)
{
	int r = os_send_byte(child_socket(a), SYNC_LISTENER, -1);

	return r < 0 ? err_set(err, r, "announce the seccomp listener") : 0;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("" ::: "memory");
#endif
}

int listener_wait(struct act *a, int listener, struct err *err)
{
	int64_t end = clock_ms() + TAKE_TIMEOUT_MS;

	a->page->listener = listener + 1;
	for (unsigned looks = 1; !a->page->listener_sent; looks++) {
		relax();
		if (looks % 4096 == 0 && clock_ms() > end)
			return err_set(err, -ETIMEDOUT,
				       "wait until the seccomp listener is handed over");
	}
	return 0;
}

/* ---- parent or starter ------------------------------------------------------------------------------------------ */

/* Before the child is told to go on: without an agent there is nothing to take back (row S-5). */
int step_listener_connect(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.listener_connect.path;
	int sock = os_socket_connect_within(path, AGENT_TIMEOUT_MS);

	if (sock < 0) {
		err_set(err, sock, "connect to the seccomp agent \"%s\"", path);
		if (sock == -ENOENT || sock == -ECONNREFUSED)
			err_hint(err, "the agent has to listen there before the container starts");
		if (sock == -EAGAIN)
			err_hint(err, "the agent does not accept connections");
		return sock;
	}
	a->fd[step->out] = sock;
	return 0;
}

static int wait_for_announcement(struct act *a, int sock, struct err *err)
{
	char token = 0;
	int r = act_receive(a, sock, &token, err);

	if (r < 0)
		return err_context(err, "wait for the seccomp listener");
	if (r == 0)
		return act_child_gone(a, false, err);
	return token == SYNC_LISTENER
		       ? 0
		       : err_bug(err, "wait for signal \"%c\", got \"%c\"", SYNC_LISTENER, token);
}

/* Look at the page until the child has said which fd it is, or is gone. Return: the child's number; -errno */
static int wait_for_listener(struct act *a, int sock, struct err *err)
{
	struct pollfd gone = { .fd = sock, .events = POLLIN };

	for (unsigned looks = 0; a->child_page->listener == 0; looks++) {
		if (poll(&gone, 1, looks < EAGER_LOOKS ? 0 : 1) > 0 && a->child_page->listener == 0)
			return act_child_gone(a, false, err);
	}
	return a->child_page->listener - 1;
}

static int take_listener(struct act *a, int sock, struct err *err)
{
	int number = wait_for_listener(a, sock, err), fd;

	if (number < 0)
		return number;
	fd = os_pidfd_getfd(a->child_pidfd, number);
	if (fd < 0) {
		err_set(err, fd, "fetch the seccomp listener from the container's process");
		if (fd == -EPERM)
			err_hint(err, "that needs CAP_SYS_PTRACE, and the sysctl "
				      "kernel.yama.ptrace_scope below 3");
		if (fd == -ENOSYS)
			err_hint(err, "pidfd_getfd needs Linux 5.6, and no seccomp filter around "
				      "the runtime that denies it");
	}
	return fd;
}

static int hand_over(struct act *a, const struct step *step, struct err *err)
{
	int sock = a->who == STEP_STARTER ? a->start_conn : a->sync;
	const char *const *parts = step->u.listener_send.parts;
	defer_close int listener = -EBADF;
	char pid[16];
	int r;

	r = wait_for_announcement(a, sock, err);
	if (r < 0)
		return r;
	listener = take_listener(a, sock, err);
	if (listener < 0)
		return listener;
	snprintf(pid, sizeof(pid), "%d", (int)a->child_pid);
	r = os_socket_send_fd_parts(
		a->fd[step->in[0]], listener,
		(const char *[]){ parts[0], pid, parts[1], parts[2] ? pid : NULL, parts[2] }, 5);
	if (r < 0)
		return err_set(err, r, "send the seccomp listener to its agent");
	close(take_fd(&a->fd[step->in[0]]));
	a->child_page->listener_sent = 1;
	return 0;
}

/*
 * step_listener_send() - one message with the container process state and the listener, then the connection is closed
 *
 * Without it the child can't go on, and it can't be told to end: its next call may be one that nobody answers. So a
 * failure kills it.
 *
 * Spec: config-linux.md "Seccomp", listenerPath; "The Container Process State" (rows S-11, S-12, Q-6)
 */
int step_listener_send(struct act *a, const struct step *step, struct err *err)
{
	int r = hand_over(a, step, err);

	if (r < 0)
		(void)os_pidfd_kill(a->child_pidfd, SIGKILL);
	return r;
}
