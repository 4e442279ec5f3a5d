/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Are two nodes of two trees the same to whoever uses them; and two trees as a whole. */
#ifndef TARE_IMAGE_COMPARE_H
#define TARE_IMAGE_COMPARE_H

#include "base/err.h"
#include "os/walk.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* In what they differ. */
enum {
	DIFFERS_TYPE = 1 << 0, /* and then nothing else is compared */
	DIFFERS_MODE = 1 << 1,
	DIFFERS_OWNER = 1 << 2,
	DIFFERS_DEVICE = 1 << 3,
	DIFFERS_SIZE = 1 << 4,    /* of a file; and then not its content */
	DIFFERS_CONTENT = 1 << 5, /* of a file, of a link */
	DIFFERS_ATTRIBUTES =
		1
		<< 6, /* extended ones, ACLs and capabilities among them; without overlayfs's own */
	DIFFERS_TIME = 1 << 7,  /* of modification, of what is no directory */
	DIFFERS_LINKS = 1 << 8, /* how many names a file has */
};

/* A node: where it is and what stat says of it. */
struct compared {
	int dir;
	const char *name;
	struct stat st;
};

/* compare_is_whiteout() - is it what overlayfs hides a name of lower layers with */
static inline bool compare_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* compare_nodes() - Return: DIFFERS_..., 0 if they are the same; -errno */
int compare_nodes(const struct compared *a, const struct compared *b) MUST_CHECK;

/* While one tree is walked: the directory of another one that has the same path as the walked node's. */
struct beside {
	int root;   /* borrowed */
	int parent; /* kept, since the next node is often in it, too; -ENOENT: there is none */
	char path[PATH_MAX];
};

void beside_init(struct beside *beside, int root);
void beside_clear(struct beside *beside);

/* beside_parent() - Return: fd, borrowed; -ENOENT if that tree has none; -errno */
int beside_parent(struct beside *beside, const struct walk_node *node) MUST_CHECK;

/* What is only in one of them, or in both and not the same. */
enum compare_change { COMPARE_ADDED, COMPARE_CHANGED, COMPARE_DELETED };

/*
 * compare_fn - told of each difference, what is in an added directory too, but not what was in a deleted one
 * @differs: of COMPARE_CHANGED
 * Return: 0; < 0 ends it
 */
typedef int compare_fn(void *arg, enum compare_change change, const char *path, int differs);

/* compare_trees() - how to get from @before to @after */
int compare_trees(int before, int after, compare_fn *fn, void *arg, struct err *err) MUST_CHECK;

#endif
