/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/update_devices.h"

#include "cgroup/filter.h"
#include "cgroup/freezer.h"
#include "cgroup/hints.h"
#include "os/dir.h"
#include "os/file.h"

#include <stdio.h>
#include <string.h>

/* A line for each device; the kernel's own limit is what fits into memory. */
#define LIST_MAX_BYTES ((size_t)1024 * 1024)

/* ---- the difference of two lists -------------------------------------------------------------------------------- */

/* One line, "c 1:3 rwm", cut into its device and its access. */
struct entry {
	const char *device; /* "c 1:3" */
	size_t len;
	unsigned access;
};

static unsigned access_of(char letter)
{
	return letter == 'r'   ? DEVICE_READ
	       : letter == 'w' ? DEVICE_WRITE
	       : letter == 'm' ? DEVICE_MKNOD
			       : 0;
}

/* Take the next line off *text. Return: false at the end */
static bool next_entry(const char **text, struct entry *ret)
{
	const char *line = *text, *end = line + strcspn(line, "\n"), *blank;

	if (!*line)
		return false;
	*text = end + (*end == '\n');
	blank = memchr(line, ' ', (size_t)(end - line));
	blank = blank ? memchr(blank + 1, ' ', (size_t)(end - blank - 1)) : NULL;
	*ret = (struct entry){ .device = line, .len = (size_t)((blank ? blank : end) - line) };
	for (const char *at = blank; at && at < end; at++)
		ret->access |= access_of(*at);
	return true;
}

/* What a list allows of exactly this device; the kernel, too, changes only an entry that is the same. */
static unsigned access_in(const char *list, const struct entry *entry)
{
	unsigned access = 0;
	struct entry at;

	while (next_entry(&list, &at)) {
		if (at.len == entry->len && memcmp(at.device, entry->device, at.len) == 0)
			access |= at.access;
	}
	return access;
}

static const char *append_line(struct arena *arena, const char *text, const struct entry *entry,
			       unsigned access)
{
	if (!access)
		return text;
	return arena_printf(arena, "%s%s%.*s %s%s%s", text, *text ? "\n" : "", (int)entry->len,
			    entry->device, access & DEVICE_READ ? "r" : "",
			    access & DEVICE_WRITE ? "w" : "", access & DEVICE_MKNOD ? "m" : "");
}

/* The lines of @list with what @from lacks of them */
static const char *missing(struct arena *arena, const char *list, const char *from)
{
	const char *text = "";
	struct entry entry;

	while (next_entry(&list, &entry))
		text = append_line(arena, text, &entry, entry.access & ~access_in(from, &entry));
	return text;
}

void device_list_change(struct arena *arena, const char *current, const struct device_list *target,
			struct device_change *ret)
{
	const char *wanted = arena_printf(arena, "%s%s%s", target->own_lines,
					  *target->own_lines ? "\n" : "", target->config_lines);

	/* "a *:* rwm" stands for a list of exceptions, which the kernel doesn't show. */
	if (target->allow || *current == 'a') {
		*ret = (struct device_change){
			.anew = true,
			.all = target->allow,
			.own = target->own_lines,
			.add = target->config_lines,
			.remove = "",
		};
		return;
	}
	*ret = (struct device_change){
		.own = missing(arena, target->own_lines, current),
		.add = missing(arena, target->config_lines, current),
		.remove = missing(arena, current, wanted),
	};
}

/* ---- v1 --------------------------------------------------------------------------------------------------------- */

struct device_cgroup {
	const struct cgroup_dir *dir;
	int fd;
};

static int write_lines(const struct device_cgroup *cgroup, const char *file, const char *lines,
		       bool may_be_refused, struct err *err)
{
	defer_close int fd = *lines ? os_file_open_write_at(cgroup->fd, file) : -EBADF;
	size_t len;
	int r;

	if (*lines && fd < 0)
		return err_set(err, fd, "open \"%s\" of cgroup \"%s\"", file, cgroup->dir->path);
	for (; *lines; lines += len + (lines[len] == '\n')) {
		const char *hint;

		len = strcspn(lines, "\n");
		r = os_file_write(fd, lines, len);
		if (r == 0 || (r == -EPERM && may_be_refused))
			continue;
		err_set(err, r, "write \"%.*s\" to \"%s\" of cgroup \"%s\"", (int)len, lines, file,
			cgroup->dir->path);
		hint = cgroup_write_hint(file, r);
		return hint ? err_hint(err, "%s", hint) : r;
	}
	return 0;
}

static int apply_change(const struct device_cgroup *cgroup, const struct device_change *change,
			struct err *err)
{
	const char *file = change->all ? "devices.deny" : "devices.allow";
	int r = 0;

	if (change->anew)
		r = write_lines(cgroup, change->all ? "devices.allow" : "devices.deny", "a", false,
				err);
	if (r == 0)
		r = write_lines(cgroup, file, change->own, true, err);
	if (r == 0)
		r = write_lines(cgroup, file, change->add, false, err);
	if (r == 0)
		r = write_lines(cgroup, "devices.deny", change->remove, false, err);
	return r;
}

static int read_list(struct arena *arena, const struct device_cgroup *cgroup, const char **ret,
		     struct err *err)
{
	char *text = arena_alloc(arena, LIST_MAX_BYTES);
	ssize_t n = os_read_at(cgroup->fd, "devices.list", text, LIST_MAX_BYTES);

	if (n < 0)
		return err_set(err, (int)n, "read \"devices.list\" of cgroup \"%s\"",
			       cgroup->dir->path);
	*ret = text;
	return 0;
}

/* Back to what devices.list said before. The first error stays; what can't be taken back is said in its hint. */
static void take_back(struct arena *arena, const struct device_cgroup *cgroup, const char *before,
		      struct err *err)
{
	const struct device_list old = { .allow = *before == 'a',
					 .own_lines = "",
					 .config_lines = before };
	struct device_change change;
	struct err second = ERR_INIT;
	const char *present;

	/* Its exceptions are not known any more. */
	if (old.allow) {
		err_hint(err, "some device rules of cgroup \"%s\" are changed already",
			 cgroup->dir->path);
		return;
	}
	if (read_list(arena, cgroup, &present, &second) < 0)
		return;
	device_list_change(arena, present, &old, &change);
	if (apply_change(cgroup, &change, &second) < 0)
		err_hint(err, "some device rules of cgroup \"%s\" are changed already",
			 cgroup->dir->path);
}

/* Writing a list anew goes through "nothing" or "everything": nobody may run meanwhile. */
static int apply_frozen(const struct device_cgroup *cgroup, const struct device_change *change,
			const struct cgroup_dir *dirs, size_t n, struct err *err)
{
	bool was_frozen = cgroup_is_frozen(dirs, n);
	int r = was_frozen ? 0 : cgroup_freeze(dirs, n, CGROUP_FREEZE_TIMEOUT_MS);

	if (r < 0)
		return err_set(
			err, r,
			"freeze the processes of the container while its device rules change");
	r = apply_change(cgroup, change, err);
	if (!was_frozen)
		(void)!cgroup_thaw(dirs, n);
	return r;
}

static int update_v1(struct arena *arena, const struct device_rules *rules,
		     const struct cgroup_layout *layout, const struct cgroup_dir *dirs,
		     size_t index, struct err *err)
{
	defer_close int fd = os_dir_open(dirs[index].path);
	const struct device_cgroup cgroup = { &dirs[index], fd };
	struct device_change change;
	struct device_list target;
	const char *current;
	int r;

	if (fd < 0)
		return err_set(err, fd, "open cgroup \"%s\"", dirs[index].path);
	r = device_rules_v1(arena, rules, &target, err);
	if (r == 0)
		r = read_list(arena, &cgroup, &current, err);
	if (r < 0)
		return r;
	device_list_change(arena, current, &target, &change);
	r = change.anew ? apply_frozen(&cgroup, &change, dirs, layout->n, err)
			: apply_change(&cgroup, &change, err);
	if (r < 0)
		take_back(arena, &cgroup, current, err);
	return r;
}

/* ---- v2 --------------------------------------------------------------------------------------------------------- */

static int update_v2(struct arena *arena, const struct device_rules *rules,
		     const struct cgroup_dir *dir, struct err *err)
{
	defer_close int fd = os_dir_open(dir->path);
	const struct bpf_insn *insns;
	uint32_t n;

	if (fd < 0)
		return err_set(err, fd, "open cgroup \"%s\"", dir->path);
	device_rules_bpf(arena, rules, &insns, &n);
	return n ? cgroup_filter_attach(fd, dir->path, insns, n, err)
		 : cgroup_filter_detach(fd, dir->path, err);
}

int cgroup_devices_update(struct arena *arena, const struct device_rules *rules,
			  const struct cgroup_layout *layout, const struct cgroup_dir *dirs,
			  struct err *err)
{
	int v2 = cgroup_find_v2(layout);

	for (size_t i = 0; i < layout->n; i++) {
		if (!layout->items[i].v2 && cgroup_has_controller(&layout->items[i], "devices"))
			return update_v1(arena, rules, layout, dirs, i, err);
	}
	if (v2 >= 0)
		return update_v2(arena, rules, &dirs[v2], err);
	return err_user_code(err, -EOPNOTSUPP,
			     "change the device rules: no cgroup of the container has any");
}
