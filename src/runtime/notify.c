/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/notify.h"

#include "os/notify.h"

#include <stdio.h>
#include <string.h>

/* As long as sd_notify_barrier() is advised to wait. */
#define BARRIER_MS 30000

/* The line that begins with "READY=", cut out of @text; NULL if there is none. */
static char *ready_line(char *text)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "READY=", strlen("READY=")) == 0)
			return line;
	}
	return NULL;
}

static int pass_on(const char *host, const char *ready, pid_t main_pid)
{
	char pid[32];
	int r = os_notify_send(host, ready);

	if (r < 0 || main_pid == 0)
		return r;
	snprintf(pid, sizeof(pid), "MAINPID=%d", (int)main_pid);
	r = os_notify_send(host, pid);
	/* We are about to exit, and who has exited is not listened to any more. */
	return r < 0 ? r : os_notify_barrier(host, BARRIER_MS);
}

int notify_relay(int sock, const char *host, pid_t main_pid, struct err *err)
{
	char text[NOTIFY_MAX];
	const char *ready;
	int r;

	r = os_notify_receive(sock, text);
	if (r < 0)
		return err_set(err, r, "read what the container notifies");
	ready = r > 0 ? ready_line(text) : NULL;
	if (!ready)
		return 0;
	r = pass_on(host, ready, main_pid);
	return r < 0 ? err_set(err, r, "pass \"%.64s\" on to \"%s\"", ready, host) : 1;
}
