/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watch over a container in the foreground: one poll loop over its pidfd, our signals, the pty
 * and our own standard streams.
 *
 * - Every signal that we get goes on to the container's init, but for those that are about
 *   ourselves (CHLD, PIPE, URG, WINCH). The job control ones also stop us, after the terminal was
 *   given back.
 * - With a terminal, ours is raw: keys go to the container as they are, which answers with signals
 *   of its own; its window has the size of ours. In all ends of the loop, and when a fault of ours
 *   ends the program, it is restored.
 * - Nothing blocks: a slow reader of our output holds up the container as a slow terminal would,
 *   but neither signals nor the container's end. What it wrote before it ended is still written
 *   out.
 * - Orphans that are re-parented to us as a subreaper are reaped.
 */
#ifndef TARE_CLI_OCI_FOREGROUND_H
#define TARE_CLI_OCI_FOREGROUND_H

#include "base/err.h"
#include "cli/command.h"
#include "runtime/container.h"

#include <signal.h>

/*
 * foreground_signals() - route signals to a fd from now on, so that none ends us before the watch
 * begins
 * Return: the fd, owned by the caller; -errno with *err
 */
int foreground_signals(struct err *err) MUST_CHECK;

/*
 * foreground_watch() - until the container has ended
 * @signals: from foreground_signals(), borrowed
 * @started: borrowed
 * @report:  whom to tell what is worth a line in the log
 * Return: its exit status, or 128 and the number of the signal that killed it; -errno
 */
int foreground_watch(int signals, const struct container_started *started, struct report report,
		     struct err *err) MUST_CHECK;

/* A container that is started and, unless it is detached, watched to its end: run, restore. */
struct foreground_run {
	int (*start)(struct cli *cli, const void *args, const char *id,
		     struct container_started *ret, struct err *err);
	const void *args;
	const char *root; /* where the runtime records it */
	bool detach, keep, no_subreaper;
};

/*
 * foreground_run() - in the foreground it stays until the container has ended, and removes it
 * Return: its exit status; 0 when detached; -errno
 */
int foreground_run(struct cli *cli, const char *id, const struct foreground_run *how,
		   struct err *err) MUST_CHECK;

#endif
