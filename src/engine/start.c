/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/start.h"

#include "base/clock.h"
#include "engine/control.h"
#include "engine/log_choice.h"
#include "engine/restart_policy.h"
#include "runtime/container.h"

/* What a start does before anything of the container is there, and what it leaves if it fails */
struct starting {
	const struct start_request *request;
	struct launch launch;
	struct container_record before;
	char now[TIME_RFC3339_MAX];
};

static void begin(struct starting *s, const struct start_request *q)
{
	*s = (struct starting){
		.request = q,
		.launch = {
			.roots = *q->roots,
			.unpack = q->unpack,
			.warn = q->warn,
			.to = q->to,
			.dir = CONTAINER_DIR_INIT,
			.root = -EBADF,
		},
	};
}

static struct detach detach_of(const struct starting *s)
{
	const struct start_request *q = s->request;

	return (struct detach){
		.roots = q->roots,
		.dir = &s->launch.dir,
		.record = &s->launch.record,
		.rootfs_tree = s->launch.root_is_mount ? &s->launch.root : NULL,
		.cgroups = q->cgroups,
		.self = q->self,
		.log_path = q->log_path,
		.log_format = q->log_format,
		.report = q->report,
	};
}

/* From now on it has been started, and the end that it had is of the past. */
static int record_start(struct starting *s, struct err *err)
{
	struct container_record *record = &s->launch.record;
	static const struct str_list no_options = { .n = 0 };
	int r = 0;

	s->before = *record;
	record->started = time_rfc3339_now(s->now);
	record->finished = NULL;
	record->exit_status = -1;
	record->restarting = false;
	record->error = NULL;
	record->signal = record->oom_kills = record->memory_limit = record->memory_peak = 0;
	/* One that was run in the foreground */
	if (!record->log.driver)
		r = log_choose(NULL, &no_options, &record->log, err);
	if (r == 0)
		r = restart_allow(s->launch.dir.fd, err);
	return r < 0 ? r : containers_save(&s->launch.arena, &s->launch.dir, record, err);
}

/* @why: NULL: nothing has failed */
static void record_failure(struct starting *s, const struct err *why)
{
	struct err ignored = ERR_INIT;
	char text[ERR_RENDER_MAX];

	if (why) {
		err_render(why, text, sizeof(text));
		s->before.error = text;
	}
	s->before.restarting = false;
	(void)!containers_save(&s->launch.arena, &s->launch.dir, &s->before, &ignored);
}

/* From who has just seen it end; from one who waits to start it again, since we do it now. */
static int take_lock(struct starting *s, int *ret, struct err *err)
{
	const struct start_request *q = s->request;
	struct container_dir dir = CONTAINER_DIR_INIT;
	struct container_record record;
	int r = containers_load(&s->launch.arena, q->roots, q->id, &record, err);

	if (r == 0 && record.restarting)
		r = control_forbid_restart(q->roots, q->id, err);
	if (r == 0)
		r = control_lock_when_ended(&s->launch.arena, q->roots, q->id, &dir, err);
	if (r == 0)
		*ret = dir.fd;
	return r;
}

int start_container(const struct start_request *request, struct err *err)
{
	struct starting s;
	struct detach detach;
	int r, lock;

	if (control_runs(request->roots, request->id, NULL))
		return 0;
	begin(&s, request);
	r = take_lock(&s, &lock, err);
	if (r == 0)
		r = launch_again(&s.launch, request->id, lock, err);
	if (r == 0) {
		s.launch.record.restart.count = s.launch.record.restart.failures = 0;
		r = record_start(&s, err);
	}
	if (r == 0) {
		detach = detach_of(&s);
		r = detach_start(&s.launch.arena, &detach, err);
		if (r < 0)
			record_failure(&s, err);
	}
	launch_clear(&s.launch);
	return r;
}

/* ---- by its policy ------------------------------------------------------------------------------------------------ */

int start_after_end(const struct start_request *request, int lock, struct err *err)
{
	struct starting s;
	struct container_record *record = &s.launch.record;
	struct detach detach;
	int r;

	begin(&s, request);
	r = containers_adopt(&s.launch.arena, request->roots, request->id, lock, &s.launch.dir,
			     err);
	if (r == 0)
		r = containers_load(&s.launch.arena, request->roots, request->id, record, err);
	if (r == 0) {
		record->restarting = restart_wanted(record) && !restart_forbidden(s.launch.dir.fd);
		record->restart.failures =
			restart_lasted(record) ? 0 : record->restart.failures + 1;
		r = containers_settle(&s.launch.arena, request->roots, &s.launch.dir, record,
				      request->report, err);
	}
	if (r == 0 && record->restarting) {
		detach = detach_of(&s);
		r = detach_delay(&s.launch.arena, &detach, restart_delay_ms(record), err);
	}
	launch_clear(&s.launch);
	return r;
}

int start_after_delay(const struct start_request *request, int lock, struct err *err)
{
	struct starting s;
	struct detach detach;
	int r;

	begin(&s, request);
	r = launch_again(&s.launch, request->id, lock, err);
	s.before = s.launch.record;
	if (r == 0 && restart_forbidden(s.launch.dir.fd)) {
		record_failure(&s, NULL);
		launch_clear(&s.launch);
		return 0;
	}
	if (r == 0) {
		s.launch.record.restart.count++;
		r = record_start(&s, err);
	}
	if (r == 0) {
		detach = detach_of(&s);
		r = detach_become(&s.launch.arena, &detach, err);
	}
	if (r < 0 && s.launch.dir.fd >= 0)
		record_failure(&s, err);
	launch_clear(&s.launch);
	return r;
}
