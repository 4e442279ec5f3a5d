/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a container away: its processes, its cgroups, and the hooks that want to know. Shared by delete, by a start or
 * run that fails late, and by whoever finds what a killed runtime left.
 */
#ifndef TARE_RUNTIME_CLEANUP_H
#define TARE_RUNTIME_CLEANUP_H

#include "runtime/container.h"

/* cleanup_config_text() - the config.json that create saved in the state directory @dir, with what update changed */
int cleanup_config_text(struct arena *arena, int dir, char **ret_text, size_t *ret_len,
			struct err *err) MUST_CHECK;

/* cleanup_config() - decode it */
int cleanup_config(struct arena *arena, int dir, struct config **ret_config,
		   struct err *err) MUST_CHECK;

/*
 * cleanup_processes() - end init and everything in the container's cgroups; waits until they are gone
 * Return: 0; -ETIMEDOUT if something won't die within ten seconds; -errno
 */
int cleanup_processes(const struct container *c, struct err *err) MUST_CHECK;

/* cleanup_cgroups() - remove the cgroups that create made. Return: 0; -EBUSY; -errno of the first that stays */
int cleanup_cgroups(const struct container *c, struct err *err) MUST_CHECK;

/* cleanup_rdt() - remove what is only the container's in resctrl. Return: 0; -errno */
int cleanup_rdt(const struct container *c, struct err *err) MUST_CHECK;

/*
 * cleanup_poststop() - run the poststop hooks, all of them; what fails is a warning
 * Spec: runtime.md "Lifecycle" step 13
 */
void cleanup_poststop(const struct container *c, const struct config *config,
		      const struct report *report);

/* report_warning() - @err as one line; for errors that do not end the command */
void report_warning(const struct report *report, const struct err *err);

#endif
