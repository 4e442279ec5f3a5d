/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/write.h"

#include "cgroup/hints.h"
#include "os/dir.h"
#include "os/file.h"

#include <stdlib.h>
#include <string.h>

/* Row R-9: with memory.checkBeforeUpdate the kernel isn't to squeeze or kill what already uses more. */
static int check_usage(int fd, const char *dir, const struct cgroup_write *write, struct err *err)
{
	unsigned long long usage, limit = strtoull(write->value, NULL, 10);
	char text[32];
	ssize_t n;

	n = os_read_at(fd, write->usage_file, text, sizeof(text));
	if (n < 0)
		return err_set(err, (int)n, "read \"%s\" of cgroup \"%s\"", write->usage_file, dir);
	usage = strtoull(text, NULL, 10);
	if (usage <= limit)
		return 0;
	err_user(err, "limit memory to %llu bytes: cgroup \"%s\" uses %llu already", limit, dir,
		 usage);
	return err_hint(err, "memory.checkBeforeUpdate forbids a limit below what is in use");
}

static int write_error(const char *dir, const char *file, const char *value, size_t len, int r,
		       struct err *err)
{
	const char *hint = cgroup_write_hint(file, r);

	err_set(err, r, "write \"%.*s\" to \"%s\" of cgroup \"%s\"", (int)len, value, file, dir);
	return hint ? err_hint(err, "%s", hint) : r;
}

/* Several lines go through one open file: the kernel takes each write by itself. */
static int write_lines(int fd, const char *dir, const struct cgroup_write *write, struct err *err)
{
	const char *line = write->value;
	defer_close int file = os_file_open_write_at(fd, write->file);
	size_t len;
	int r;

	if (file < 0)
		return write_error(dir, write->file, line, strcspn(line, "\n"), file, err);
	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		r = os_file_write(file, line, len);
		if ((r == -EPERM || r == -ENOENT) && write->may_be_refused)
			continue;
		if (r < 0)
			return write_error(dir, write->file, line, len, r, err);
	}
	return 0;
}

int cgroup_write(int fd, const char *dir, const struct cgroup_write *write, struct err *err)
{
	const char *file = write->file, *value = write->value;
	int r;

	if (write->usage_file) {
		r = check_usage(fd, dir, write, err);
		if (r < 0)
			return r;
	}
	if (write->lines)
		return write_lines(fd, dir, write, err);

	r = os_file_write_at(fd, file, value, strlen(value));
	if (r == -ENOENT && write->other_file) {
		file = write->other_file;
		value = write->other_value;
		r = os_file_write_at(fd, file, value, strlen(value));
	}
	if ((r == -ENOENT && write->optional) || (r == -EPERM && write->may_be_refused))
		return 0;
	return r < 0 ? write_error(dir, file, value, strlen(value), r, err) : 0;
}

/* ---- what was there before -------------------------------------------------------------------------------------- */

/* A few block devices, or network interfaces of a host with many containers. */
#define BEFORE_MAX (64 * 1024)

/* Files with one line for each device or interface, and what says "no limit" for one that has no line. */
static const struct {
	const char *file; /* the beginning of its name */
	const char *none;
} keyed_files[] = {
	{ "blkio.throttle.", "0" },
	{ "blkio.", "0" },
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "net_prio.ifpriomap", "0" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
};

/* The rest of the line that begins with @len bytes of @key and a blank; NULL if there is none */
static const char *after_key(const char *text, const char *key, size_t len, size_t *ret_len)
{
	for (const char *line = text; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");

		if (n > len && memcmp(line, key, len) == 0 && line[len] == ' ') {
			*ret_len = n - len - 1;
			return line + len + 1;
		}
		line += n;
	}
	return NULL;
}

static const char *keyed_before(struct arena *arena, const char *text, const char *file,
				const char *value)
{
	size_t key = strcspn(value, " "), len;
	const char *rest;

	for (size_t i = 0; i < ARRAY_LEN(keyed_files); i++) {
		if (strncmp(file, keyed_files[i].file, strlen(keyed_files[i].file)) != 0)
			continue;
		rest = after_key(text, value, key, &len);
		if (!rest) {
			rest = keyed_files[i].none;
			len = strlen(rest);
		}
		return arena_printf(arena, "%.*s %.*s", (int)key, value, (int)len, rest);
	}
	return NULL;
}

const char *cgroup_write_before(struct arena *arena, int fd, const char *file, const char *value)
{
	char *text = arena_alloc(arena, BEFORE_MAX);
	ssize_t n = os_read_at(fd, file, text, BEFORE_MAX);
	const char *rest;
	size_t len;

	if (n < 0 || strchr(value, '\n'))
		return NULL;
	if (strcmp(file, "memory.oom_control") == 0) {
		rest = after_key(text, "oom_kill_disable", strlen("oom_kill_disable"), &len);
		return rest ? arena_strndup(arena, rest, len) : NULL;
	}
	if (strchr(value, ' ') && strcmp(file, "cpu.max") != 0)
		return keyed_before(arena, text, file, value);
	/* "default 100" in the first line, then devices. */
	rest = after_key(text, "default", strlen("default"), &len);
	if (rest)
		return arena_strndup(arena, rest, len);
	if (strchr(text, '\n'))
		return NULL;
	/* An empty write would be none at all. */
	return *text ? text : "\n";
}

uint64_t cgroup_limit(const char *text)
{
	uint64_t number;
	char *end;

	number = strtoull(text, &end, 10);
	return *text == '-' || end == text ? UINT64_MAX : number;
}
