/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of a cgroup's path below its mount, one by one: "/a/b" on "/sys/fs/cgroup" is two names. */
#ifndef TARE_CGROUP_NAMES_H
#define TARE_CGROUP_NAMES_H

#include <stdint.h>
#include <string.h>

/* cgroup_below() - the rest of @path below @mount: "/a/b", or "" for the mount itself */
static inline const char *cgroup_below(const char *mount, const char *path)
{
	return strcmp(mount, "/") == 0 ? path : path + strlen(mount);
}

/* cgroup_name_end() - @at is at a "/": the next one, or the end of the text */
static inline const char *cgroup_name_end(const char *at)
{
	return at + 1 + strcspn(at + 1, "/");
}

static inline uint32_t cgroup_count_names(const char *below)
{
	uint32_t n = 0;

	for (; *below; below = cgroup_name_end(below))
		n++;
	return n;
}

#endif
