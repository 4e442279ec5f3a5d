/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sd_notify(3) from inside a container: it gets a socket of ours, and we tell the service manager that started us when
 * it says that it is ready. Nothing else that it says is passed on: the manager would take it for our word.
 */
#ifndef TARE_RUNTIME_NOTIFY_H
#define TARE_RUNTIME_NOTIFY_H

#include "base/err.h"

#include <sys/types.h>

#define NOTIFY_ENV "NOTIFY_SOCKET"
#define NOTIFY_DIR                                                                                 \
	"notify" /* in the state directory; of the socket, so that it can be mounted alone */
#define NOTIFY_FILE      "notify/notify.sock"
#define NOTIFY_TARGET    "/run/notify" /* where runc has it too */
#define NOTIFY_CONTAINER "/run/notify/notify.sock"

/*
 * notify_relay() - read one message of the container's and pass its readiness on
 * @host:     the manager's socket
 * @main_pid: the service's main process from now on; 0: that is still us
 *
 * Return: 1 if it has said that it is ready; 0 if it has not; -errno and *err if that could not be passed on
 */
int notify_relay(int sock, const char *host, pid_t main_pid, struct err *err) MUST_CHECK;

#endif
