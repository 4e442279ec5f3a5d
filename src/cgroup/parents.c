/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/parents.h"

#include "cgroup/hints.h"
#include "cgroup/names.h"
#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A list of CPUs is at its longest when every second one is missing: 40 kB for the kernel's maximum of 8192. */
#define LIST_MAX (48 * 1024)

/* "<mount>/a/b" cut after @level names, and "/file" */
static void file_at(char *buf, size_t size, const struct cgroup_request *request, uint32_t level,
		    const char *file)
{
	const char *at = cgroup_below(request->mount, request->path);

	while (level--)
		at = cgroup_name_end(at);
	snprintf(buf, size, "%.*s/%s", (int)(at - request->path), request->path, file);
}

int cgroup_cpuset_fill(const struct cgroup_request *request, uint32_t existing, const char *file,
		       bool leaf, struct err *err)
{
	uint32_t names = cgroup_count_names(cgroup_below(request->mount, request->path));
	uint32_t last = leaf ? names : names - 1, level;
	char path[PATH_MAX], value[LIST_MAX];
	ssize_t n = 0;
	int r;

	/* Upwards to the first that has a list; what we have just made has none. */
	for (level = last < existing ? last : existing;; level--) {
		if (level == last && level == existing && !leaf)
			return 0;
		file_at(path, sizeof(path), request, level, file);
		n = os_read_at(AT_FDCWD, path, value, sizeof(value));
		if (n < 0)
			return err_set(err, (int)n, "read \"%s\"", path);
		if (n > 0 || level == 0)
			break;
	}

	while (level++ < last) {
		file_at(path, sizeof(path), request, level, file);
		r = os_file_write_at(AT_FDCWD, path, value, (size_t)n);
		if (r < 0)
			return err_set(err, r, "write \"%s\" to \"%s\"", value, path);
	}
	return 0;
}

static int write_value(const struct cgroup_request *request, uint32_t level, const char *file,
		       const char *value, struct err *err)
{
	const char *hint;
	char path[PATH_MAX];
	int r;

	if (!value)
		return 0;
	file_at(path, sizeof(path), request, level, file);
	r = os_file_write_at(AT_FDCWD, path, value, strlen(value));
	if (r == 0)
		return 0;
	err_set(err, r, "write \"%s\" to \"%s\"", value, path);
	hint = cgroup_write_hint(file, r);
	return hint ? err_hint(err, "%s", hint) : r;
}

int cgroup_realtime_fill(const struct cgroup_request *request, uint32_t existing, struct err *err)
{
	uint32_t names = cgroup_count_names(cgroup_below(request->mount, request->path));
	int r = 0;

	if (!request->rt_runtime)
		return 0;
	/* The period first: while there is no time in it, the kernel takes any. */
	for (uint32_t level = existing + 1; level < names && r == 0; level++) {
		r = write_value(request, level, "cpu.rt_period_us", request->rt_period, err);
		if (r == 0)
			r = write_value(request, level, "cpu.rt_runtime_us", request->rt_runtime,
					err);
	}
	return r;
}
