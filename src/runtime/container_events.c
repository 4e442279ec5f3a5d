/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events: what a container uses, at once or again and again, and that it ran out of memory. One JSON object a line, in the
 * form that containerd decodes. The end of the container's init ends it; what was counted until then is told first.
 *
 * Spec: requirements 2.3; row C-7
 */
#include "runtime/container.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "cgroup/oom.h"
#include "cgroup/stats.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/cgroups.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- one event -------------------------------------------------------------------------------------------------- */

/* A line for each interface; engines make one or two, but nobody forbids a thousand. */
#define NET_DEV_MAX ((size_t)1024 * 1024)

/* Which of the 16 numbers behind an interface's name, counted from 0. Spec: proc_pid_net(5) "/proc/pid/net/dev" */
static const struct {
	const char *name;
	unsigned column;
} interface_numbers[] = {
	{ "RxBytes", 0 }, { "RxPackets", 1 }, { "RxErrors", 2 },  { "RxDropped", 3 },
	{ "TxBytes", 8 }, { "TxPackets", 9 }, { "TxErrors", 10 }, { "TxDropped", 11 },
};

static void add_interface(struct json_writer *w, char *line)
{
	char *name = line + strspn(line, " "), *at = strchr(name, ':'), *end;
	uint64_t columns[16] = { 0 };

	if (!at)
		return;
	*at++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(columns); i++, at = end)
		columns[i] = strtoull(at, &end, 10);
	json_object_begin(w, NULL);
	json_add_string(w, "Name", name);
	for (size_t i = 0; i < ARRAY_LEN(interface_numbers); i++)
		json_add_u64(w, interface_numbers[i].name, columns[interface_numbers[i].column]);
	json_object_end(w);
}

/* Those in the network namespace of the container's init */
static void add_interfaces(struct arena *arena, struct json_writer *w, pid_t pid)
{
	defer_close int fd = -EBADF;
	char path[40], *text, *line;
	size_t len;

	json_array_begin(w, "network_interfaces");
	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && os_file_read(arena, fd, NET_DEV_MAX, &text, &len) == 0) {
		while ((line = strsep(&text, "\n")))
			add_interface(w, line);
	}
	json_array_end(w);
}

static int emit(const struct event_sink *sink, struct json_writer *w)
{
	size_t len;
	char *text;

	json_object_end(w);
	text = json_writer_text(w, &len);
	text[len] = '\n'; /* in place of the NUL */
	return sink->write(sink->to, text, len + 1);
}

static void begin(struct arena *arena, struct json_writer *w, const char *type, const char *id)
{
	json_writer_init(w, arena, 0);
	json_object_begin(w, NULL);
	json_add_string(w, "type", type);
	json_add_string(w, "id", id);
}

static int emit_stats(const struct container *c, const struct cgroup_layout *layout,
		      const struct cgroup_dir *dirs, const struct event_sink *sink)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	begin(&arena, &w, "stats", c->id);
	json_object_begin(&w, "data");
	cgroup_stats_write(&w, layout, dirs);
	json_object_begin(&w, "intel_rdt");
	json_object_end(&w);
	add_interfaces(&arena, &w, c->pid);
	json_object_end(&w);
	return emit(sink, &w);
}

static int emit_oom(const struct container *c, const struct event_sink *sink)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	begin(&arena, &w, "oom", c->id);
	return emit(sink, &w);
}

/* ---- again and again -------------------------------------------------------------------------------------------- */

static int emit_ooms(const struct container *c, struct cgroup_oom *oom,
		     const struct event_sink *sink)
{
	int r = 0;

	for (uint64_t n = cgroup_oom_count(oom); n > 0 && r == 0; n--)
		r = emit_oom(c, sink);
	return r;
}

/* Until the container ends, or its caller has had enough */
static int watch(const struct container *c, const struct cgroups *cgroups, int interval_ms,
		 int pidfd, struct cgroup_oom *oom, const struct event_sink *sink)
{
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = oom->fd, .events = POLLIN } };
	int64_t next = clock_ms() + interval_ms, left;
	int r;

	for (;;) {
		left = next - clock_ms();
		r = poll(fds, ARRAY_LEN(fds), left > 0 ? (int)left : 0);
		if (r < 0 && errno != EINTR)
			return -errno;
		r = emit_ooms(c, oom, sink);
		if (r < 0 || (fds[0].revents & POLLIN))
			return r;
		if (clock_ms() < next)
			continue;
		r = emit_stats(c, &cgroups->layout, cgroups->dirs, sink);
		if (r < 0)
			return r;
		/* Without drift; but who was stopped for a while doesn't catch up. */
		next += interval_ms;
		if (next < clock_ms())
			next = clock_ms() + interval_ms;
	}
}

int container_events(const char *root, const char *id, int interval_ms,
		     const struct event_sink *sink, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct cgroup_oom oom = CGROUP_OOM_INIT;
	defer_close int pidfd = -EBADF;
	struct cgroups cgroups;
	struct container c;
	int r;

	r = container_load(&arena, root, id, &c, err);
	if (r < 0)
		return r;
	if (c.status == CONTAINER_STOPPED || c.status == CONTAINER_CREATING)
		return err_user_code(err, -ESRCH, "container not running");
	pidfd = os_process_open(c.pid, c.start_time);
	if (pidfd < 0)
		return err_user_code(err, -ESRCH, "container not running");
	r = cgroups_find(&arena, &c, &cgroups, err);
	if (r < 0)
		return r;
	if (interval_ms == 0) {
		r = emit_stats(&c, &cgroups.layout, cgroups.dirs, sink);
	} else {
		r = cgroup_oom_open(cgroups.dirs, cgroups.layout.n, &oom, err);
		if (r < 0)
			return r;
		r = watch(&c, &cgroups, interval_ms, pidfd, &oom, sink);
		cgroup_oom_close(&oom);
	}
	return r < 0 && err->code == 0 ? err_set(err, r, "watch the container") : r;
}
