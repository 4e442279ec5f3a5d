/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpoint: have CRIU write a container's processes into a directory.
 *
 * Everything about the container comes from the record, the saved config and its init in /proc. The lock is held until
 * CRIU is done, so that nothing changes meanwhile; what then takes the container away is an ordinary delete.
 */
#include "runtime/container.h"

#include "os/dir.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/cleanup.h"
#include "runtime/criu.h"
#include "runtime/criu_mounts.h"
#include "runtime/notify.h"
#include "runtime/record.h"
#include "spec/annotations.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_NAME "dump.log"

/* CRIU has ended the processes when it says so; their parent's part is not waited for. */
#define END_TIMEOUT_MS 10000

/* Everything that is only needed until CRIU is done. */
struct look {
	struct arena arena;
	struct plan plan; /* owns what the planners of mounts make; never run */
	struct container c;
	struct config *config;
	struct facts facts;
	int state_dir, image_dir, work_dir;
};

static int check_status(const struct container *c, struct err *err)
{
	if (c->status == CONTAINER_RUNNING || c->status == CONTAINER_PAUSED)
		return 0;
	return err_user(err, "container cannot be checkpointed in %s state",
			container_status_names[c->status]);
}

/* ---- the request -------------------------------------------------------------------------------------------- */

static int find_mounts(struct look *l, const char *root, struct criu_options *o, struct err *err)
{
	struct create_options options = { .id = l->c.id,
					  .bundle = l->c.bundle,
					  .rootfs = l->c.rootfs };
	struct planner_state s = {
		.plan = &l->plan, .config = l->config, .facts = &l->facts, .options = &options
	};
	struct criu_mounts mounts;
	int r;

	r = criu_mounts_list(&s, plan_printf(&l->plan, "%s/%s/" NOTIFY_DIR, root, l->c.id), &mounts,
			     err);
	return r < 0 ? r : criu_mounts_find(&l->arena, l->c.pid, &mounts, &o->ext_mnt, err);
}

/*
 * A namespace that was there before the container, and is there after it: CRIU doesn't look into it. Its own view
 * counts, not the config's path, which may mean another by now.
 */
static int add_namespaces(struct look *l, struct criu_options *o, struct err *err)
{
	char path[48];
	struct stat st;

	for (int type = 0; type < NS_TYPES; type++) {
		const char *key = criu_namespace_key((enum ns_type)type);

		if (!key || l->config->linux_.namespaces[type].mode != NS_JOIN)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)l->c.pid, ns_files[type]);
		if (stat(path, &st) < 0)
			return err_sys(err, "look at the %s namespace of the container",
				       ns_names[type]);
		o->external.items[o->external.n++] =
			arena_printf(&l->arena, "%s[%llu]:%s", ns_files[type],
				     (unsigned long long)st.st_ino, key);
	}
	return 0;
}

/* What is needed to stop all processes at once. Where there is none, CRIU stops them one by one. */
static const char *freezer(const struct container *c)
{
	for (size_t i = 0; i < c->n_cgroups; i++) {
		const struct cgroup_dir *dir = &c->cgroups[i];

		if (dir->v2 ? c->n_cgroups == 1
			    : dir->controllers && strcmp(dir->controllers, "freezer") == 0)
			return dir->path;
	}
	return NULL;
}

static int save_descriptors(struct look *l, struct criu_options *o, struct err *err)
{
	char *text;
	int r;

	r = criu_stdio_describe(&l->arena, l->c.pid, l->c.stdio, &o->external, &text, err);
	if (r < 0)
		return r;
	r = os_file_replace_at(l->image_dir, CRIU_DESCRIPTORS, "." CRIU_DESCRIPTORS, text,
			       strlen(text), 0600);
	return r < 0 ? err_set(err, r, "write \"" CRIU_DESCRIPTORS "\" into the image") : 0;
}

static int make_options(struct look *l, const char *root, const struct checkpoint_options *from,
			struct criu_options *ret, struct err *err)
{
	struct criu_options o = CRIU_OPTIONS_INIT;
	int r = 0;

	o.images_dir_fd = CRIU_FIRST_FD;
	o.work_dir_fd = CRIU_FIRST_FD + 1;
	o.pid = l->c.pid;
	o.log_level = 4;
	o.log_file = LOG_NAME;
	o.root = l->c.rootfs;
	o.notify_scripts = o.orphan_pts_master = o.manage_cgroups = true;
	o.manage_cgroups_mode = from->manage_cgroups;
	o.leave_running = from->leave_running;
	o.tcp_established = from->tcp_established;
	o.tcp_skip_in_flight = from->tcp_skip_in_flight;
	o.link_remap = from->link_remap;
	o.ext_unix_sk = from->ext_unix_sk;
	o.shell_job = from->shell_job;
	o.file_locks = from->file_locks;
	o.auto_dedup = from->auto_dedup;
	o.empty_ns = from->empty_network ? CLONE_NEWNET : CRIU_NONE;
	o.parent_img = from->parent_path;
	/* A pre-dump is of use only to what comes after it, which must be told what has changed since. */
	o.track_mem = from->parent_path || from->pre_dump;
	o.freeze_cgroup = freezer(&l->c);
	o.config_file = criu_config_file(&l->config->annotations);
	if (from->page_server)
		criu_pairs_add(&l->arena, &o.page_server, from->page_server, NULL,
			       from->page_server_port);
	o.external.items = arena_array(&l->arena, NS_TYPES + 3, sizeof(*o.external.items));
	r = add_namespaces(l, &o, err);
	if (r == 0 && !from->pre_dump)
		r = find_mounts(l, root, &o, err);
	if (r == 0 && !from->pre_dump)
		r = save_descriptors(l, &o, err);
	if (r == 0)
		*ret = o;
	return r;
}

/* ---- the conversation --------------------------------------------------------------------------------------- */

static int check_tracking(struct criu *criu, struct err *err)
{
	const struct criu_request request = { .type = CRIU_FEATURE_CHECK,
					      .keep_open = true,
					      .ask_mem_track = true };
	struct criu_response response;

	if (criu_ask(criu, &request, &response, err) < 0)
		return err_context(err, "ask criu what it can do here");
	if (response.mem_track)
		return 0;
	err_user_code(err, -EOPNOTSUPP,
		      "make a pre-dump: criu can't track changes of memory on this machine");
	err->kind = ERR_SYSTEM;
	return err_hint(
		err, "it needs a kernel with CONFIG_MEM_SOFT_DIRTY; checkpoint without --pre-dump");
}

/* Until it has an answer; what it tells on the way needs nothing from us. */
static int converse(struct criu *criu, const struct criu_request *request, struct err *err)
{
	struct criu_response response;
	int r;

	r = criu_send(criu, request, err);
	while (r == 0) {
		r = criu_receive(criu, &response, NULL, err);
		if (r < 0 || response.type != CRIU_NOTIFY)
			break;
		r = criu_confirm(criu, err);
	}
	return r;
}

static int dump(struct look *l, const char *root, const struct checkpoint_options *from,
		struct err *err)
{
	const char *dir = from->work_path ? from->work_path : from->image_path;
	struct criu criu = {
		.log_dir = l->work_dir,
		.log = LOG_NAME,
		.log_path = arena_printf(&l->arena, "%s/" LOG_NAME, dir),
		.task = l->c.pid,
	};
	const int fds[] = { l->image_dir, l->work_dir };
	struct criu_setup setup = { .fds = fds, .n_fds = ARRAY_LEN(fds) };
	struct criu_options options;
	const struct criu_request request = { .type = from->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
					      .options = &options };
	int r;

	r = make_options(l, root, from, &options, err);
	if (r < 0)
		return r;
	if (l->facts.cgroup.mode == CGROUP_V2) {
		setup.cgroup2 = l->facts.cgroup.items[0].mount;
		setup.cgroup = l->facts.cgroup.items[0].own_path;
	}
	r = criu_start(&criu, &setup, err);
	if (r == 0 && from->pre_dump)
		r = check_tracking(&criu, err);
	if (r == 0)
		r = converse(&criu, &request, err);
	criu_end(&criu);
	return r;
}

/* ---- before and after --------------------------------------------------------------------------------------- */

static int check_parent(const struct look *l, const char *parent, struct err *err)
{
	struct stat st;

	if (!parent)
		return 0;
	if (parent[0] == '/')
		return err_user(err, "--parent-path must be relative to the image: \"%s\"", parent);
	if (fstatat(l->image_dir, parent, &st, 0) < 0)
		return err_sys(err, "open the parent image \"%s\"", parent);
	return S_ISDIR(st.st_mode)
		       ? 0
		       : err_user(err, "the parent image \"%s\" is no directory", parent);
}

static int look(struct look *l, const char *root, const struct checkpoint_options *o,
		struct err *err)
{
	int r;

	r = container_read_locked(&l->arena, root, o->id, &l->state_dir, &l->c, err);
	if (r == 0)
		r = check_status(&l->c, err);
	if (r == 0)
		r = cleanup_config(&l->arena, l->state_dir, &l->config, err);
	if (r == 0)
		r = facts_read_parts(&l->arena, "", FACTS_CGROUPS, &l->facts, err);
	if (r == 0)
		r = l->image_dir = criu_make_dir(o->image_path, "image", err);
	if (r >= 0)
		r = check_parent(l, o->parent_path, err);
	if (r == 0)
		r = l->work_dir = criu_open_work(o->work_path, l->image_dir, err);
	return r < 0 ? r : 0;
}

/* The container has ended. A foreground run that watched it may be quicker than we. */
static int take_away(const char *root, const struct container *c, const struct report *report,
		     struct err *err)
{
	defer_close int init = os_process_open(c->pid, c->start_time);
	int r;

	if (init >= 0)
		(void)!os_pidfd_ended(init, END_TIMEOUT_MS);
	r = container_delete(root, c->id, false, report, err);
	return r == -ENOENT ? 0 : r;
}

int container_checkpoint(const char *root, const struct checkpoint_options *options,
			 const struct report *report, struct err *err)
{
	struct look l = { .state_dir = -EBADF, .image_dir = -EBADF, .work_dir = -EBADF };
	int r;

	r = look(&l, root, options, err);
	if (r == 0)
		r = dump(&l, root, options, err);
	defer_close_fn(&l.state_dir);
	defer_close_fn(&l.image_dir);
	defer_close_fn(&l.work_dir);
	plan_clear(&l.plan);
	if (r == 0 && !options->leave_running && !options->pre_dump)
		r = take_away(root, &l.c, report, err);
	arena_clear(&l.arena);
	return r;
}
