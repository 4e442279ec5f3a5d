/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * create and run: read, plan, act.
 *
 * The order matters for memory: config and spec are unmapped when the plan stands, so the container's init inherits
 * the plan and little else.
 */
#include "runtime/container.h"

#include "base/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/act.h"
#include "runtime/cleanup.h"
#include "runtime/criu_mounts.h"
#include "runtime/plan_listener.h"
#include "runtime/rdt.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *const container_status_names[] = {
	[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
	[CONTAINER_STOPPED] = "stopped",
};

/* Spec: runtime.md "State": unique; the characters are the peers' (row 2.2 "id", Z-12) */
int container_id_check(const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len == 0)
		return err_user(err, "container id cannot be empty");
	if (len > 1024)
		return err_user(err, "invalid container id: longer than 1024 bytes");
	if (id[0] == '.' || id[0] == '-')
		return err_user(err, "invalid container id \"%s\": it begins with \"%c\"", id,
				id[0]);
	for (size_t i = 0; i < len; i++) {
		char c = id[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("_+.-", c))
			continue;
		return err_user(
			err,
			"invalid container id \"%.64s\": only letters, digits and _ + . - are allowed",
			id);
	}
	return 0;
}

/* ---- read ------------------------------------------------------------------------------------------------------- */

/* The bundle's resolved path, and its config.json's bytes. */
static int read_bundle(struct record *record, struct create_options *o, struct arena *arena,
		       int config_fd, int *ret_bundle, struct err *err)
{
	defer_close int bundle = -EBADF, opened = -EBADF;
	char path[PATH_MAX], *text;
	int r;

	bundle = open(o->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle < 0)
		return err_sys(err, "open the bundle \"%s\"", o->bundle);
	r = os_fd_path(bundle, path, sizeof(path));
	if (r < 0)
		return err_set(err, r, "resolve the bundle \"%s\"", o->bundle);
	o->bundle = arena_strdup(arena, path);

	if (config_fd < 0) {
		opened =
			openat(bundle, "config.json", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (opened < 0) {
			err_sys(err, "open config.json in the bundle \"%s\"", path);
			return err_hint(err, "tare-oci spec --bundle %s writes one to start from",
					path);
		}
		config_fd = opened;
	}
	r = os_file_read(&record->config_arena, config_fd, CONFIG_MAX_BYTES, &text,
			 &record->config_len);
	if (r == -EFBIG)
		return err_user(err, "read config.json: it is larger than %zu MiB",
				CONFIG_MAX_BYTES / (1024 * 1024));
	if (r < 0)
		return err_set(err, r, "read config.json");
	record->config = text;
	*ret_bundle = take_fd(&bundle);
	return 0;
}

/* Spec: config.md "Root": relative to the bundle; the directory must exist (row A-7) */
static int resolve_rootfs(struct create_options *o, const struct config *config,
			  struct arena *arena, int bundle, struct err *err)
{
	defer_close int rootfs = -EBADF;
	char path[PATH_MAX];
	int r;

	rootfs = openat(bundle, config->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfs < 0) {
		err_sys(err, "open the rootfs \"%s\"", config->root.path);
		return err_at(err, "/root/path");
	}
	r = os_fd_path(rootfs, path, sizeof(path));
	if (r < 0)
		return err_set(err, r, "resolve the rootfs \"%s\"", config->root.path);
	o->rootfs = arena_strdup(arena, path);
	return 0;
}

/* ---- plan ------------------------------------------------------------------------------------------------------- */

static bool has_step(const struct plan *plan, enum step_kind kind)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].kind == kind)
			return true;
	}
	return false;
}

/* A group that is there already is somebody else's, and the step will say so. */
static void describe_rdt(const struct step *step, struct container_rdt *rdt)
{
	if (step->kind == STEP_RDT_GROUP) {
		rdt->group = step->u.rdt_group.path;
		rdt->own = step->u.rdt_group.wish == RDT_MAKE &&
			   os_exists_at(AT_FDCWD, rdt->group) == 0;
	} else if (step->kind == STEP_RDT_MONITOR) {
		rdt->monitor = step->u.rdt_monitor.path;
	}
}

/* Everything but what the start itself brings out; @plan's arena takes what must outlive the config. */
static void describe(struct plan *plan, const struct plan_input *in, struct record *record)
{
	const struct create_options *o = in->options;
	struct container *c = arena_alloc(&plan->arena, sizeof(*c));
	struct os_process_stat self;

	*c = (struct container){
		.id = o->id,
		.bundle = o->bundle,
		.rootfs = o->rootfs,
		.owner = in->facts->euid,
		.private_pid_ns = in->config->linux_.namespaces[NS_PID].mode == NS_NEW,
		.has_process = in->config->process.set,
		.has_poststart = in->config->hooks[HOOK_POSTSTART].n > 0,
		.has_notify = o->restore || has_step(plan, STEP_NOTIFY_MAKE),
		.has_listener = listener_wanted(in->config),
		.has_poststop = in->config->hooks[HOOK_POSTSTOP].n > 0,
		.no_new_keyring = o->no_new_keyring,
		.annotations = in->config->annotations,
		.pid_ns = os_pid_ns(),
		.creator = getpid(),
		.created = time_rfc3339_now(arena_alloc(&plan->arena, TIME_RFC3339_MAX)),
		.cgroups = arena_array(&plan->arena, plan->n_steps, sizeof(*c->cgroups)),
	};
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].kind == STEP_UNIT_START)
			c->unit = plan->steps[i].u.unit_start.unit;
		describe_rdt(&plan->steps[i], &c->rdt);
	}
	criu_stdio_own(&plan->arena, c->stdio);
	if (os_process_stat(c->creator, &self) == 0)
		c->creator_start_time = self.start_time;
	record->draft = c;
	record->arena = &plan->arena;
}

static int make_plan(struct plan *plan, struct create_options *o, struct record *record,
		     int config_fd, struct err *err)
{
	struct arena *arena = &record->config_arena;
	defer_close int bundle = -EBADF;
	struct config *config;
	struct facts facts;
	struct plan_input in = { .facts = &facts, .options = o };
	int r;

	r = read_bundle(record, o, &plan->arena, config_fd, &bundle, err);
	if (r < 0)
		return r;
	r = config_read(arena, record->config, record->config_len, &config, err);
	if (r < 0)
		return r;
	in.config = config;
	r = resolve_rootfs(o, config, &plan->arena, bundle, err);
	if (r < 0)
		return r;
	r = facts_read_parts(arena, "",
			     facts_needed(config) |
				     (o->cgroups == CGROUPS_SYSTEMD ? FACTS_SYSTEMD : 0),
			     &facts, err);
	if (r < 0)
		return r;
	r = o->restore ? plan_restore(plan, &in, err) : plan_create(plan, &in, err);
	if (r < 0)
		return r;
	r = plan_check(plan, err);
	if (r < 0)
		return r;
	describe(plan, &in, record);
	if (o->report)
		o->report->planned(o->report->to, plan);
	return 0;
}

/* ---- act -------------------------------------------------------------------------------------------------------- */

/* Has a hook run? Then the poststop hooks must be able to take back what it did. */
static bool hook_has_run(const struct act *a)
{
	for (size_t i = 0; i < a->plan->n_steps; i++) {
		if (a->plan->steps[i].kind == STEP_HOOK && a->page->trace[i].start_ns)
			return true;
	}
	return false;
}

static void fail(struct act *a)
{
	defer_arena struct arena arena = { 0 };
	struct container c = { 0 };
	struct config *config = NULL;
	struct err ignored = ERR_INIT;
	bool poststop = false;

	/* Loaded first: undo removes it. */
	if (a->state_dir >= 0 && hook_has_run(a) &&
	    record_read(&arena, a->state_dir, RECORD_FILE, &c, &ignored) == 0)
		poststop = c.has_poststop &&
			   cleanup_config(&arena, a->state_dir, &config, &ignored) == 0;
	act_undo(a);
	if (poststop)
		cleanup_poststop(&c, config, a->options->report);
}

static int act_create(struct act *a, const struct trace_options *trace, struct err *err)
{
	int r;

	r = act_prepare(a, !a->options->run, err);
	if (r < 0)
		return r;
	r = act_parent(a, trace, err);
	if (r < 0)
		fail(a);
	return r;
}

/*
 * What the caller gets. A foreground run keeps the plan's memory, which the container's description is in. But its
 * annotations went with the config, and poststop hooks want to hear them: those containers are ended by their record.
 */
static void hand_over(struct act *a, struct plan *plan, struct container_started *ret)
{
	struct container *c = a->record->draft;

	*ret = (struct container_started){
		.pid = a->child_pid,
		.pidfd = take_fd(&a->child_pidfd),
		.console_master = take_fd(&a->console_master),
		.notify_socket = a->options->foreground ? take_fd(&a->notify_socket) : -EBADF,
		.state_dir = -EBADF,
	};
	if (!a->options->foreground || c->has_poststop)
		return;
	c->status = CONTAINER_STOPPED;
	c->start_time = a->record->start_time;
	c->annotations = (struct key_value_list){ .n = 0 };
	ret->container = c;
	ret->state_dir = take_fd(&a->state_dir);
	ret->arena = plan->arena;
	plan->arena = (struct arena){ 0 };
}

void container_started_clear(struct container_started *started)
{
	defer_close_fn(&started->pidfd);
	defer_close_fn(&started->console_master);
	defer_close_fn(&started->notify_socket);
	defer_close_fn(&started->state_dir);
	arena_clear(&started->arena);
}

int container_create(const char *root, struct create_options *options, int config_fd,
		     const struct trace_options *trace, struct container_started *ret,
		     struct err *err)
{
	struct record record = { .root = root, .id = options->id };
	struct plan plan = { 0 };
	struct act a;
	int r;

	r = container_id_check(options->id, err);
	if (r < 0)
		return r;
	r = make_plan(&plan, options, &record, config_fd, err);
	if (r == 0) {
		act_init(&a, &plan, options,
			 arena_array(&plan.arena, plan.n_slots + 1, sizeof(int)));
		a.record = &record;
		/* A start may ask for the trace of what the create before it did; of a run only it itself. */
		a.untimed = options->run && (!trace || !trace->stream);
		r = act_create(&a, trace, err);
		if (r == 0)
			hand_over(&a, &plan, ret);
	}
	arena_clear(&record.config_arena);
	/* What else is open ends with the program, or is close-on-exec. */
	plan_clear(&plan);
	return r;
}
