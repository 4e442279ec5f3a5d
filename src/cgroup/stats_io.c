/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block I/O, with an entry for each device and operation, and huge pages, with one for each size. */
#include "cgroup/stats_read.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_entry(struct json_writer *w, unsigned major, unsigned minor, const char *op,
		      size_t op_len, uint64_t value)
{
	char text[32];

	json_object_begin(w, NULL);
	if (major)
		json_add_u64(w, "major", major);
	if (minor)
		json_add_u64(w, "minor", minor);
	if (op_len && op_len < sizeof(text)) {
		memcpy(text, op, op_len);
		text[op_len] = '\0';
		json_add_string(w, "op", text);
	}
	if (value)
		json_add_u64(w, "value", value);
	json_object_end(w);
}

/* "8:0 ". Return: what follows; NULL if the line doesn't begin so */
static const char *read_device(const char *line, unsigned *ret_major, unsigned *ret_minor)
{
	char *end;

	*ret_major = (unsigned)strtoul(line, &end, 10);
	if (end == line || *end != ':')
		return NULL;
	line = end + 1;
	*ret_minor = (unsigned)strtoul(line, &end, 10);
	return end == line || *end != ' ' ? NULL : end + 1;
}

/* ---- v1 --------------------------------------------------------------------------------------------------------- */

/* The scheduler that does the work has the numbers: BFQ, once CFQ, else the throttling layer above them. */
static const struct {
	const char *name;
	const char *files[3];
} v1_tables[] = {
	{ "ioServiceBytesRecursive",
	  { "blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
	    "blkio.throttle.io_service_bytes_recursive" } },
	{ "ioServicedRecursive",
	  { "blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
	    "blkio.throttle.io_serviced_recursive" } },
	{ "ioQueueRecursive", { "blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive" } },
	{ "ioServiceTimeRecursive",
	  { "blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive" } },
	{ "ioWaitTimeRecursive",
	  { "blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive" } },
	{ "ioMergedRecursive", { "blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive" } },
	{ "ioTimeRecursive", { "blkio.bfq.time_recursive", "blkio.time_recursive" } },
	{ "sectorsRecursive", { "blkio.bfq.sectors_recursive", "blkio.sectors_recursive" } },
};

/* "8:0 Read 4096" or "8:0 12". "Total 4096", the sum over all devices, has no device. */
static void add_v1_line(struct json_writer *w, const char *line)
{
	unsigned major, minor;
	size_t op;

	line = read_device(line, &major, &minor);
	if (!line)
		return;
	op = *line >= '0' && *line <= '9' ? 0 : strcspn(line, " \n");
	add_entry(w, major, minor, line, op, strtoull(line + op, NULL, 10));
}

static bool has_device(const char *text)
{
	return text && strchr(text, ':');
}

static void add_v1(struct stats_reader *r, struct json_writer *w)
{
	for (size_t i = 0; i < ARRAY_LEN(v1_tables); i++) {
		const char *text = NULL;

		for (size_t k = 0; k < ARRAY_LEN(v1_tables[i].files) && !has_device(text); k++)
			text = stats_text(r, v1_tables[i].files[k]);
		if (!has_device(text))
			continue;
		json_array_begin(w, v1_tables[i].name);
		for (const char *line = text; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			add_v1_line(w, line);
		}
		json_array_end(w);
	}
}

/* ---- v2 --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *table, *key, *op;
} v2_keys[] = {
	{ "ioServiceBytesRecursive", "rbytes=", "Read" },
	{ "ioServiceBytesRecursive", "wbytes=", "Write" },
	{ "ioServiceBytesRecursive", "dbytes=", "Discard" },
	{ "ioServicedRecursive", "rios=", "Read" },
	{ "ioServicedRecursive", "wios=", "Write" },
	{ "ioServicedRecursive", "dios=", "Discard" },
};

/* "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0"; one without I/O has nothing behind its numbers */
static void add_v2_line(struct json_writer *w, const char *line, const char *table)
{
	size_t len = strcspn(line, "\n");
	unsigned major, minor;
	const char *at;

	if (!read_device(line, &major, &minor))
		return;
	for (size_t i = 0; i < ARRAY_LEN(v2_keys); i++) {
		if (strcmp(v2_keys[i].table, table) != 0)
			continue;
		at = memmem(line, len, v2_keys[i].key, strlen(v2_keys[i].key));
		if (at)
			add_entry(w, major, minor, v2_keys[i].op, strlen(v2_keys[i].op),
				  strtoull(at + strlen(v2_keys[i].key), NULL, 10));
	}
}

static void add_v2(struct stats_reader *r, struct json_writer *w)
{
	static const char *const tables[] = { "ioServiceBytesRecursive", "ioServicedRecursive" };
	const char *text = stats_text(r, "io.stat");

	for (size_t i = 0; has_device(text) && i < ARRAY_LEN(tables); i++) {
		json_array_begin(w, tables[i]);
		for (const char *line = text; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			add_v2_line(w, line, tables[i]);
		}
		json_array_end(w);
	}
}

void stats_blkio(struct stats_reader *r, struct json_writer *w)
{
	stats_select(r, "blkio");
	json_object_begin(w, "blkio");
	if (r->v2)
		add_v2(r, w);
	else
		add_v1(r, w);
	stats_pressure(r, w, "io.pressure");
	json_object_end(w);
}

/* ---- huge pages ------------------------------------------------------------------------------------------------- */

static void add_page_size(struct stats_reader *r, struct json_writer *w, const char *size)
{
	const char *prefix = arena_printf(&r->arena, "hugetlb.%s.rsvd", size);
	uint64_t usage, max;

	/* Reservations, where they are counted: that is what a limit is about, see knobs_hugetlb(). */
	if (!stats_text(r, arena_printf(&r->arena, "%s.%s", prefix,
					r->v2 ? "current" : "usage_in_bytes")))
		prefix = arena_printf(&r->arena, "hugetlb.%s", size);
	usage = stats_number(
		r, arena_printf(&r->arena, "%s.%s", prefix, r->v2 ? "current" : "usage_in_bytes"),
		NULL);
	max = r->v2 ? 0
		    : stats_number(r, arena_printf(&r->arena, "%s.max_usage_in_bytes", prefix),
				   NULL);
	json_object_begin(w, size);
	if (usage)
		json_add_u64(w, "usage", usage);
	if (max)
		json_add_u64(w, "max", max);
	json_add_u64(
		w, "failcnt",
		r->v2 ? stats_number(r, arena_printf(&r->arena, "hugetlb.%s.events", size), "max")
		      : stats_number(r, arena_printf(&r->arena, "%s.failcnt", prefix), NULL));
	json_object_end(w);
}

/* "hugetlb.2MB.current" is the size 2MB. Return: in the arena; NULL for other files */
static const char *page_size(struct stats_reader *r, const char *file)
{
	const char *end = r->v2 ? ".current" : ".usage_in_bytes";
	const char *size = file + strlen("hugetlb.");
	size_t len;

	if (strncmp(file, "hugetlb.", strlen("hugetlb.")) != 0)
		return NULL;
	len = strcspn(size, ".");
	return strcmp(size + len, end) == 0 ? arena_strndup(&r->arena, size, len) : NULL;
}

void stats_hugetlb(struct stats_reader *r, struct json_writer *w)
{
	struct dirent *entry;
	const char *size;
	DIR *dir = NULL;
	int fd;

	stats_select(r, "hugetlb");
	json_object_begin(w, "hugetlb");
	fd = r->fd < 0 ? -1 : openat(r->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		size = page_size(r, entry->d_name);
		if (size)
			add_page_size(r, w, size);
	}
	if (dir)
		closedir(dir);
	json_object_end(w);
}
