/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a container as JSON: what `state` and `list` print, and what every hook gets on its standard input.
 */
#ifndef TARE_SPEC_STATE_DOC_H
#define TARE_SPEC_STATE_DOC_H

#include "base/json_write.h"
#include "spec/config.h"

#include <sys/types.h>

struct state_doc {
	const char *id, *status;
	const char *bundle; /* absolute */
	pid_t pid;          /* 0 when there is no process */
	struct key_value_list annotations;
	/* Not in the spec, but in what callers of runc read. NULL: left out, as for hooks. */
	const char *rootfs, *created, *owner;
};

/*
 * state_doc_write() - append the object
 * @key: NULL at the top and in an array
 *
 * Spec: runtime.md "State"; rows Y-2 to Y-4
 */
void state_doc_write(struct json_writer *w, const char *key, const struct state_doc *doc);

/*
 * state_doc_split() - the document on one line, in two parts with a hole between them for the pid
 *
 * A hook that runs in the container reads the pid as the container sees it, which only the process knows that runs the
 * hook; it writes the first part, the number in decimal, the second part. doc->pid is not looked at.
 */
void state_doc_split(struct arena *arena, const struct state_doc *doc, const char **ret_before,
		     const char **ret_after);

/* The name under which the filter's listener stands among the fds. Spec: config-linux.md "The Container Process State" */
#define PROCESS_STATE_SECCOMP_FD "seccompFd"

/*
 * process_state_split() - what a seccomp agent is told: the container process state, with one fd, the listener
 * @doc:      the container; pid 0: its init is the process itself, whose pid goes there too
 * @metadata: for the agent, or NULL
 * @ret:      the parts between which the process's pid goes; the last is NULL if doc->pid is given
 *
 * Spec: config-linux.md "The Container Process State" (row S-12)
 */
void process_state_split(struct arena *arena, const struct state_doc *doc, const char *metadata,
			 const char *ret[3]);

#endif
