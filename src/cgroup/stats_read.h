/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the stats*.c files only: one controller's directory, and the texts of its files. */
#ifndef TARE_CGROUP_STATS_READ_H
#define TARE_CGROUP_STATS_READ_H

#include "cgroup/stats.h"

/* cpuacct.usage_all of the largest hosts, and memory.numa_stat, have some hundred kB. */
#define STATS_FILE_MAX ((size_t)1024 * 1024)

struct stats_reader {
	const struct cgroup_layout *layout;
	const struct cgroup_dir *dirs;
	struct arena arena; /* owned */
	int fd;             /* the selected directory, owned; -EBADF: none */
	bool v2;
	const char *file; /* what was read last */
	char *text;       /* of it; room for STATS_FILE_MAX */
};

/* One number: where it is in each version, and what it is called. */
struct stats_number {
	const char *name;
	/* the number behind this word; NULL: the first in the file. NULL file: 0 */
	const char *v1_file, *v1_key;
	const char *v2_file, *v2_key;
	uint64_t v1_scale, v2_scale; /* to multiply with; 0: as it is */
	bool if_any;                 /* leave it out when it is 0 */
	bool max_is_zero;            /* "max", no limit, is 0 and not the largest number */
};

/* stats_select() - go to the cgroup in the v1 hierarchy of @controller, else to the one in v2 */
void stats_select(struct stats_reader *r, const char *controller);

/* stats_text() - the text of a file there, valid until another is read; NULL if there is none, or nothing in it */
char *stats_text(struct stats_reader *r, const char *file);

/* stats_number() - in @file behind @key; 0 if it isn't there, UINT64_MAX for "max" */
uint64_t stats_number(struct stats_reader *r, const char *file, const char *key);

/* stats_object() - the numbers of a table as an object called @name; NULL: into the one that is open */
void stats_object(struct stats_reader *r, struct json_writer *w, const char *name,
		  const struct stats_number *rows, size_t n);

/* stats_pressure() - "psi", from "cpu.pressure" and the like, where the kernel counts it */
void stats_pressure(struct stats_reader *r, struct json_writer *w, const char *file);

/* stats_list() - "0-2,7" as an array; left out when there is nothing in it */
void stats_list(struct stats_reader *r, struct json_writer *w, const char *name, const char *file);

void stats_blkio(struct stats_reader *r, struct json_writer *w);   /* stats_io.c */
void stats_hugetlb(struct stats_reader *r, struct json_writer *w); /* stats_io.c */

#endif
