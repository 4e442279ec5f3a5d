/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/criu_mounts.h"

#include "os/file.h"
#include "os/path.h"
#include "runtime/notify.h"
#include "runtime/plan_mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A container has some dozens of mounts, a machine with many volumes some thousands. */
#define MOUNTINFO_MAX ((size_t)8 * 1024 * 1024)

const char *criu_namespace_key(enum ns_type type)
{
	return type == NS_NETWORK ? "extRootNetNS" : type == NS_PID ? "extRootPidNS" : NULL;
}

/* ---- what there may be -------------------------------------------------------------------------------------- */

static void add(struct criu_mounts *list, const char *target, const char *name, const char *source,
		const char *pointer, bool mask)
{
	list->items[list->n++] = (struct criu_mount){ target, name, source, pointer, mask };
}

/* Without a namespace of its own, a container's view of its cgroups is a bind for each hierarchy. */
static void add_cgroups(struct planner_state *s, struct criu_mounts *list,
			const struct mount_request *request)
{
	const struct cgroup_layout *layout = &s->facts->cgroup;

	if (s_ns_private(s, NS_CGROUP))
		return;
	for (size_t i = 0; i < layout->n; i++) {
		const char *slash = strrchr(layout->items[i].mount, '/');
		const char *target = layout->mode == CGROUP_V2
					     ? request->target
					     : plan_printf(s->plan, "%s%s", request->target, slash);

		add(list, target, target, s->cgroup_paths ? s->cgroup_paths[i] : NULL,
		    request->pointer, false);
	}
}

static int add_request(struct planner_state *s, struct criu_mounts *list,
		       const struct mount_request *request, struct err *err)
{
	if (request->class == MOUNT_CLASS_CGROUP)
		add_cgroups(s, list, request);
	if (request->class != MOUNT_CLASS_BIND)
		return 0;
	if (request->uid_map) {
		err_user_code(
			err, -EOPNOTSUPP,
			"the mount on \"%s\" has ids of its own, and CRIU would bring it back without them",
			request->target);
		return err_at(err, plan_printf(s->plan, "%s/uidMappings", request->pointer));
	}
	add(list, request->target, request->target, request->source, request->pointer, false);
	return 0;
}

static bool is_target(const struct planner_state *s, const char *path)
{
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		if (strcmp(s->mounts[i].target, path) == 0)
			return true;
	}
	return false;
}

int criu_mounts_list(struct planner_state *s, const char *notify, struct criu_mounts *ret,
		     struct err *err)
{
	const struct str_list *masked = &s->config->linux_.masked_paths;
	size_t n_devices = 0, n_mounts = s->config->mounts.n * (1 + s->facts->cgroup.n);
	struct criu_mounts list = { 0 };
	int r;

	r = plan_mount_requests(s, err);
	if (r < 0)
		return r;
	while (device_path(s, n_devices))
		n_devices++;
	list.items = arena_array(&s->plan->arena, n_mounts + n_devices + masked->n + 2,
				 sizeof(*list.items));
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		r = add_request(s, &list, &s->mounts[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n_devices; i++) {
		const char *path = plan_strdup(s->plan, device_path(s, i));

		add(&list, path, path, path, "", false);
	}
	/* The source is that of the device /dev/null. */
	for (size_t i = 0; i < masked->n; i++)
		add(&list, clean_path(s, masked->items[i]), "/dev/null", NULL, "", true);
	if (!is_target(s, NOTIFY_TARGET))
		add(&list, NOTIFY_TARGET, NOTIFY_TARGET, notify, "", false);
	*ret = list;
	return 0;
}

/* ---- what there is ------------------------------------------------------------------------------------------ */

/* "\040" for a blank, as mountinfo writes it; proc(5) */
static char *unescape(struct arena *arena, const char *text, size_t len)
{
	char *plain = arena_alloc(arena, len + 1), *to = plain;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 3 < len && text[i + 1] >= '0' && text[i + 1] <= '3') {
			*to++ = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
				       (text[i + 3] - '0'));
			i += 3;
		} else {
			*to++ = text[i];
		}
	}
	return plain;
}

/* The mount point, which is the fifth word, of mount @id; NULL: there is no such mount */
static const char *mount_point(struct arena *arena, const char *mountinfo, uint64_t id)
{
	const char *line = mountinfo, *end;

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char *word;

		if (strtoull(line, &word, 10) != id || word == line)
			continue;
		for (int i = 0; i < 3 && word; i++)
			word = strchr(word + 1, ' ');
		if (!word || !strchr(word + 1, '/'))
			return NULL;
		end = word + 1 + strcspn(word + 1, " \n");
		return unescape(arena, word + 1, (size_t)(end - word - 1));
	}
	return NULL;
}

static int read_mountinfo(struct arena *arena, pid_t pid, char **ret, struct err *err)
{
	defer_close int fd = -EBADF;
	char path[48];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : os_file_read(arena, fd, MOUNTINFO_MAX, ret, &len);
	return r < 0 ? err_set(err, r, "read \"%s\"", path) : 0;
}

static int find(struct arena *arena, int root, const char *mountinfo,
		const struct criu_mount *mount, struct criu_pairs *ret, struct err *err)
{
	defer_close int fd = os_open_in_root(root, mount->target, O_PATH | O_NOFOLLOW, 0);
	const char *point = mount->target;
	struct statx stx;

	/* A link may have been followed when it was mounted. */
	if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &stx) == 0 &&
	    S_ISLNK(stx.stx_mode)) {
		close(take_fd(&fd));
		fd = os_open_in_root(root, mount->target, O_PATH, 0);
	}
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EACCES)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "look for the mount \"%s\" in the container",
			       mount->target);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return err_sys(err, "stat \"%s\" in the container", mount->target);
	if (mount->mask && S_ISDIR(stx.stx_mode))
		return 0;
	/* Linux before 5.8 doesn't know; a name that is no mount's does no harm. */
	if (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT &&
	    !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (stx.stx_mask & STATX_MNT_ID)
		point = mount_point(arena, mountinfo, stx.stx_mnt_id);
	if (point)
		criu_pairs_add(arena, ret, point, mount->name, 0);
	return 0;
}

int criu_mounts_find(struct arena *arena, pid_t pid, const struct criu_mounts *mounts,
		     struct criu_pairs *ret, struct err *err)
{
	defer_close int root = -EBADF;
	char path[32], *mountinfo;
	int r;

	r = read_mountinfo(arena, pid, &mountinfo, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "open the root of the container");
	for (size_t i = 0; r == 0 && i < mounts->n; i++)
		r = find(arena, root, mountinfo, &mounts->items[i], ret, err);
	return r;
}
