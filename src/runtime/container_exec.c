/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: look, plan, act.
 *
 * Looking is cheap, since most of what create had to know is in the record and in the saved config. Both, and all that was
 * decoded from them, are unmapped when the plan stands, so that the new process inherits the plan and little else.
 */
#include "runtime/container.h"

#include "cgroup/member.h"
#include "os/file.h"
#include "os/ns.h"
#include "os/process.h"
#include "runtime/act.h"
#include "runtime/cleanup.h"
#include "runtime/exec_process.h"
#include "runtime/record.h"

#include <string.h>

static int not_running(struct err *err)
{
	*err = ERR_INIT;
	return err_user_code(err, -ESRCH, "container not running");
}

/* ---- look ------------------------------------------------------------------------------------------------------- */

/* A created container may be entered as a running one: its init waits, inside. */
static int check_status(const struct container *c, bool ignore_paused, struct err *err)
{
	if (c->status == CONTAINER_PAUSED && !ignore_paused) {
		err_user(err, "cannot exec in a paused container");
		return err_hint(err,
				"resume it first; with --ignore-paused the process waits for that");
	}
	if (c->status == CONTAINER_STOPPED || c->status == CONTAINER_CREATING || c->pid <= 0)
		return not_running(err);
	return 0;
}

/* Which namespaces init does not share with us. Its own view counts, not the config's: they may have been ours at create. */
static int look_at_namespaces(pid_t pid, uint64_t known, uint64_t *ret_flags, struct err *err)
{
	int r;

	*ret_flags = 0;
	for (int type = 0; type < NS_TYPES; type++) {
		if (!(known & ns_clone_flags[type]))
			continue;
		r = os_ns_differs(pid, ns_files[type]);
		if (r == -ENOENT || r == -ESRCH)
			return not_running(err);
		if (r < 0)
			return err_set(err, r, "look at the %s namespace of the container",
				       ns_names[type]);
		if (r > 0)
			*ret_flags |= ns_clone_flags[type];
	}
	return 0;
}

/* What the caller names counts from the container's cgroups; otherwise init's own are the right ones. */
static int look_at_cgroups(struct arena *arena, struct container *c, const struct str_list *words,
			   struct err *err)
{
	uint64_t chosen, before = 0;
	int r = 0;

	if (words->n == 0) {
		r = cgroup_follow(arena, c->cgroups, c->n_cgroups, c->pid, err);
		return r == -ENOENT ? not_running(err) : r;
	}
	for (size_t i = 0; r == 0 && i < words->n; i++) {
		r = cgroup_choose_below(arena, c->cgroups, c->n_cgroups, words->items[i], &chosen,
					err);
		if (r == 0 && chosen & before)
			r = err_user(err,
				     "use cgroup \"%s\": another one was named for the same "
				     "hierarchy before",
				     words->items[i]);
		before |= chosen;
	}
	return r;
}

/* The process to run, decoded: of the file, or of the saved config. */
static int read_process(struct arena *arena, const struct exec_options *o,
			const struct config_process *saved, struct config_process *ret,
			struct config_ignored_list *ret_ignored, struct err *err)
{
	size_t len;
	char *text;
	int r;

	if (o->process_fd < 0) {
		*ret = *saved;
		ret->set = true;
		ret->cwd = saved->cwd ? saved->cwd : "/";
		ret->terminal = false;
		ret->args.n = 0;
		return 0;
	}
	r = os_file_read(arena, o->process_fd, CONFIG_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the process");
	r = config_process_read(arena, text, len, ret, ret_ignored, err);
	if (r < 0)
		return r;
	exec_process_inherit(ret, saved);
	return 0;
}

static int make_process(struct arena *arena, const struct exec_options *o,
			const struct config_process *saved, struct config_process *ret,
			struct config_ignored_list *ret_ignored, struct err *err)
{
	int r;

	r = read_process(arena, o, saved, ret, ret_ignored, err);
	if (r == 0)
		r = exec_process_change(arena, ret, &o->changes, err);
	if (r == 0 && ret->args.n == 0) {
		err_user(err, "run nothing: there is no program");
		return err_hint(err, "name it after the id, or give --process FILE");
	}
	return r;
}

/* ---- plan ------------------------------------------------------------------------------------------------------- */

/* Everything that is only needed until the plan stands. */
struct look {
	struct arena arena;
	struct container c;
	struct config *config;
	struct config_process process;
	struct config_ignored_list ignored;
	struct facts facts;
};

static int look(struct look *l, const char *root, const struct exec_options *o,
		struct enter_input *in, struct err *err)
{
	defer_close int dir = -EBADF;
	int r;

	r = container_open(&l->arena, root, o->common.id, &dir, &l->c, err);
	if (r == 0)
		r = check_status(&l->c, o->ignore_paused, err);
	if (r == 0)
		r = cleanup_config(&l->arena, dir, &l->config, err);
	if (r == 0)
		r = make_process(&l->arena, o, &l->config->process, &l->process, &l->ignored, err);
	if (r == 0)
		r = facts_read_parts(NULL, "", facts_needed_by_process(&l->process), &l->facts,
				     err);
	if (r == 0)
		r = look_at_namespaces(l->c.pid, l->facts.namespaces, &in->namespaces, err);
	if (r == 0)
		r = look_at_cgroups(&l->arena, &l->c, &o->cgroups, err);
	return r;
}

static int make_plan(struct plan *plan, const char *root, struct exec_options *o, struct err *err)
{
	struct create_options *common = &o->common;
	struct look l = { .arena = { 0 } };
	struct enter_input in = { .facts = &l.facts, .options = common };
	int r;

	r = look(&l, root, o, &in, err);
	if (r == 0) {
		common->run = true;
		common->rootfs = l.c.rootfs;
		common->bundle = l.c.bundle;
		common->no_new_keyring = l.c.no_new_keyring;
		in.config = l.config;
		in.process = &l.process;
		in.ignored = &l.ignored;
		in.pid = l.c.pid;
		in.start_time = l.c.start_time;
		in.cgroups = l.c.cgroups;
		in.n_cgroups = l.c.n_cgroups;
		in.rdt = l.c.rdt;
		r = plan_enter(plan, &in, err);
	}
	if (r == 0)
		r = plan_check(plan, err);
	if (r == 0 && common->report)
		common->report->planned(common->report->to, plan);
	arena_clear(&l.arena);
	common->rootfs = common->bundle = NULL;
	return r;
}

/* ---- act -------------------------------------------------------------------------------------------------------- */

static int find_init(const struct act *a)
{
	for (size_t i = 0; i < a->plan->n_steps; i++) {
		if (a->plan->steps[i].kind == STEP_INIT_OPEN)
			return a->fd[a->plan->steps[i].out];
	}
	return -EBADF;
}

/*
 * Init ends last in its pid namespace, after those whom it takes along: when a kill was what the new process met, it is
 * about to.
 */
#define INIT_ENDS_MS 500

static bool init_has_ended(const struct act *a, int code)
{
	int init = find_init(a);

	return init >= 0 && os_pidfd_ended(init, code == -ECHILD ? INIT_ENDS_MS : 0) == 1;
}

static int act_exec(struct act *a, const struct trace_options *trace, struct err *err)
{
	int r;

	r = act_prepare(a, false, err);
	if (r < 0)
		return r;
	r = act_parent(a, trace, err);
	if (r == 0)
		return 0;
	act_undo(a);
	/* Whatever went wrong, with the init gone that is the reason (row Q-21). */
	return init_has_ended(a, r) ? not_running(err) : r;
}

int container_exec(const char *root, struct exec_options *o, const struct trace_options *trace,
		   struct container_started *ret, struct err *err)
{
	struct record record = { .root = root, .id = o->common.id };
	struct plan plan = { 0 };
	struct act a;
	int r;

	r = make_plan(&plan, root, o, err);
	if (r == 0) {
		act_init(&a, &plan, &o->common,
			 arena_array(&plan.arena, plan.n_slots + 1, sizeof(int)));
		a.record = &record;
		a.untimed = !trace || !trace->stream;
		r = act_exec(&a, trace, err);
		if (r == 0) {
			*ret = (struct container_started){
				.pid = a.child_pid,
				.pidfd = take_fd(&a.child_pidfd),
				.console_master = take_fd(&a.console_master),
				.notify_socket = -EBADF,
				.state_dir = -EBADF,
			};
		}
	}
	/* What else is open ends with the program, or is close-on-exec. */
	plan_clear(&plan);
	return r;
}
