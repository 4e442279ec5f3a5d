/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a container is not in its image: mounts of the host's, namespaces that were there before it, its standard
 * streams. CRIU has to be told of each, by a name that is the same at the dump and at the restore; the names are runc's.
 */
#ifndef TARE_RUNTIME_CRIU_MOUNTS_H
#define TARE_RUNTIME_CRIU_MOUNTS_H

#include "runtime/criu_message.h"
#include "runtime/planners.h"

/* The file in the image's directory that says what the standard streams were: three strings, as runc writes it. */
#define CRIU_DESCRIPTORS "descriptors.json"

/* A mount that CRIU can't make from the image alone. */
struct criu_mount {
	const char *target; /* absolute and clean, in the container */
	const char *name;   /* in the image */
	const char *
		source; /* host path to mount there; NULL: not known here, or another entry says it */
	const char *pointer; /* "/mounts/3", or "" */
	bool mask;           /* of a directory it is none */
};

struct criu_mounts {
	struct criu_mount *items;
	size_t n;
};

/*
 * criu_mounts_list() - all that the config may have made
 * @s:      config, facts (with cgroups) and options; s->mounts is filled in, s->cgroup_paths may be NULL
 * @notify: host path of the directory that holds the notify socket
 *
 * Pure. Return: 0; -EINVAL and *err with a JSON pointer, for mounts that CRIU can't bring back
 */
int criu_mounts_list(struct planner_state *s, const char *notify, struct criu_mounts *ret,
		     struct err *err) MUST_CHECK;

/*
 * criu_mounts_find() - which of them are there, by the names that they have as mounts of process @pid
 * @ret: mount point, name
 */
int criu_mounts_find(struct arena *arena, pid_t pid, const struct criu_mounts *mounts,
		     struct criu_pairs *ret, struct err *err) MUST_CHECK;

/*
 * criu_stdio_describe() - what fd 0 to 2 of process @pid are, as far as CRIU must be told
 * @pipes:    those that its creator gave it: "pipe:[INODE]", or "" for other things
 * @external: gets an entry for each that is a file outside the container
 * @ret:      the text of CRIU_DESCRIPTORS
 */
int criu_stdio_describe(struct arena *arena, pid_t pid, const char *const pipes[3],
			struct str_list *external, char **ret, struct err *err) MUST_CHECK;

/*
 * criu_stdio_inherit() - what takes the place of what @text (of CRIU_DESCRIPTORS, @len bytes) names: our own fd 0 to 2
 * Return: 0; -EINVAL if it is not such a text
 */
int criu_stdio_inherit(struct arena *arena, const char *text, size_t len, struct criu_pairs *ret,
		       struct err *err) MUST_CHECK;

/* criu_stdio_own() - what our own standard streams are, for @pipes above; texts in @arena */
void criu_stdio_own(struct arena *arena, const char *ret_pipes[3]);

/* criu_namespace_key() - what a namespace from outside is called in an image; NULL: CRIU knows none of that type */
const char *criu_namespace_key(enum ns_type type);

#endif
