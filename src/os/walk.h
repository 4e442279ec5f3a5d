/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory and everything below it, in an order that depends on nothing but the names: a directory before what is in it,
 * the rest by the bytes of the names. No link is followed, and no path is resolved but below the directory itself.
 */
#ifndef TARE_OS_WALK_H
#define TARE_OS_WALK_H

#include "base/arena.h"

#include <stddef.h>
#include <sys/stat.h>

/* os_list() - the names in a directory, sorted, without "." and "..". Return: 0; -errno */
int os_list(int dir, struct arena *arena, char ***ret_names, size_t *ret_n) MUST_CHECK;

struct walk_node {
	const char *
		path; /* below the root of the walk, without a leading "/"; "" for the root itself */
	int parent;   /* the directory it is in, readable, borrowed; of the root: itself */
	const char *name; /* in parent; "." for the root */
	struct stat st;
};

/*
 * walk_fn - told of each node
 * Return: 0 to go on; 1 not to look into this directory; < 0 ends the walk, which returns it
 */
typedef int walk_fn(void *arg, const struct walk_node *node);

/*
 * os_walk() - tell @fn of @root and of everything below it
 *
 * Takes two fds, however deep it is, since it opens each directory by its path; one that is longer than PATH_MAX is
 * -ENAMETOOLONG. What vanishes meanwhile was never there.
 * Return: 0; what @fn returned; -errno
 */
int os_walk(int root, walk_fn *fn, void *arg) MUST_CHECK;

#endif
