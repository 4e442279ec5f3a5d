/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting containers that were made before, by hand or by their restart policy; and what comes after their end. */
#ifndef TARE_ENGINE_START_H
#define TARE_ENGINE_START_H

#include "engine/detach.h"

struct start_request {
	const struct roots *roots;
	const char *id;
	/* as of struct launch */
	layers_unpack_fn *unpack;
	void (*warn)(void *to, const char *text);
	void *to;
	/* as of struct detach */
	enum cgroup_manager cgroups;
	const char *self, *log_path, *log_format;
	const struct report *report;
};

/*
 * start_container() - start one that does not run, in the background
 *
 * Return: 0, also if it runs already; LAUNCH_LACKS_LAYER; -errno, and it is as it was
 */
int start_container(const struct start_request *request, struct err *err) MUST_CHECK;

/*
 * start_after_end() - what its monitor does when it has ended: clean up, and if its policy says so wait and start it again
 * @lock: the lock of its directory, which the monitor has given on
 *
 * Does not return if there is something to wait for: this process becomes a monitor that does.
 * Return: 0 once all is done; -errno
 */
int start_after_end(const struct start_request *request, int lock, struct err *err) MUST_CHECK;

/*
 * start_after_delay() - that time is over
 *
 * Does not return if it starts: this process becomes its monitor.
 * Return: 0 if it was told meanwhile to end for good; -errno
 */
int start_after_delay(const struct start_request *request, int lock, struct err *err) MUST_CHECK;

#endif
