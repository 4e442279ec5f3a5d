/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a restore's plan knows of files: which CRIU inherits, and which must be there to mount on. */
#ifndef TARE_RUNTIME_CRIU_POINTS_H
#define TARE_RUNTIME_CRIU_POINTS_H

#include <stdbool.h>
#include <stddef.h>

/* A namespace from outside, handed to CRIU as an open file. */
struct criu_file {
	const char *key, *path; /* name in the image; absolute */
	const char *pointer;
};

struct criu_files {
	struct criu_file items[2]; /* network, pid */
	size_t n;
};

/* A mount point; CRIU makes none. */
struct criu_point {
	const char *base;   /* host directory: the rootfs, or the source of a bind that it is in */
	const char *path;   /* below that */
	const char *source; /* a file is mounted on a file; NULL: a directory */
	const char *pointer;
	bool on_rootfs;
};

struct criu_points {
	struct criu_point *items;
	size_t n;
};

#endif
