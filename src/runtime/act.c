/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/act.h"

#include "base/clock.h"
#include "base/place.h"
#include "cgroup/processes.h"
#include "os/exec.h"
#include "os/fault.h"
#include "os/process.h"
#include "os/seqpacket.h"
#include "runtime/record.h"
#include "runtime/trace.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define STEP_ACTOR(upper, lower, name, effect) [STEP_##upper] = { step_##lower, undo_##lower },
static const struct {
	step_fn *run;
	undo_fn *undo;
} actors[STEP_KIND_COUNT] = { STEP_KINDS(STEP_ACTOR) };

bool step_has_undo(enum step_kind kind)
{
	return actors[kind].undo != NULL;
}

/* ---- faults: TARE_FAULT=<step>:<errno>[:<call>[:<nth>]], TARE_KILL_AT=<step>; see os/fault.h --------------------- */

#ifdef TARE_FAULTS
static int fault_error, fault_nth, kill_step = -1;
static char fault_call[32];

static void fault_parse(struct act *a)
{
	const char *text = getenv("TARE_FAULT"), *kill_at = getenv("TARE_KILL_AT");

	a->fault_step = -1;
	if (text && sscanf(text, "%d:%d:%31[^:]:%d", &a->fault_step, &fault_error, fault_call,
			   &fault_nth) < 2)
		a->fault_step = -1;
	if (kill_at)
		kill_step = atoi(kill_at);
}

/*
 * End the runtime by SIGKILL while this step is about to run. The child can't name its parent in its pid namespace: it
 * asks by the socket, and goes on when the parent is gone.
 */
static void fault_kill_runtime(struct act *a)
{
	struct pollfd gone = { .fd = a->sync };

	if (a->who == STEP_PARENT || a->who == STEP_STARTER)
		(void)kill(getpid(), SIGKILL);
	if (a->who == STEP_STAGE)
		(void)kill(getppid(), SIGKILL);
	if (a->who != STEP_CHILD || a->sync < 0)
		return;
	(void)os_send_byte(a->sync, FAULT_KILL_TOKEN, -1);
	(void)poll(&gone, 1, 5000);
}

static void fault_before(struct act *a)
{
	if (kill_step >= 0 && a->index == (size_t)kill_step)
		fault_kill_runtime(a);
	if (a->fault_step >= 0 && a->index == (size_t)a->fault_step)
		fault_arm(fault_call[0] ? fault_call : NULL, fault_nth, fault_error);
}

/* A step without a call of that kind fails all the same, so that every step's failure is tested. */
static int fault_after(struct act *a, const struct step *step, struct err *err, int r)
{
	if (a->fault_step < 0 || a->index != (size_t)a->fault_step)
		return r;
	fault_disarm();
	if (r == 0 && !fault_fired() && !fault_call[0])
		return err_set(err, -fault_error, "%s", step_names[step->kind]);
	return r;
}
#else
static void fault_parse(struct act *a)
{
	a->fault_step = -1;
}

static void fault_before(struct act *a)
{
}

static int fault_after(struct act *a, const struct step *step, struct err *err, int r)
{
	return r;
}
#endif

/* ---- the shared page -------------------------------------------------------------------------------------------- */

void act_init(struct act *a, const struct plan *plan, const struct create_options *options, int *fd)
{
	*a = (struct act){
		.plan = plan,
		.options = options,
		.who = STEP_PARENT,
		.fd = fd,
		.child_pidfd = -EBADF,
		.sync = -EBADF,
		.sync_peer = -EBADF,
		.state_dir = -EBADF,
		.start_conn = -EBADF,
		.page_fd = -EBADF,
		.console_master = -EBADF,
		.host_proc = -EBADF,
		.notify_socket = -EBADF,
		.criu = { .sock = -EBADF },
	};
	for (size_t i = 0; i < plan->n_slots; i++)
		fd[i] = -EBADF;
	fault_parse(a);
}

static size_t page_size(const struct plan *plan)
{
	return sizeof(struct progress) + plan->n_steps * sizeof(struct trace_entry);
}

int act_page(struct act *a, bool for_start)
{
	size_t size = page_size(a->plan);
	int flags = MAP_SHARED;
	void *mem;

	OS_FAULT("mmap");
	if (for_start) {
		a->page_fd = memfd_create("tare-progress", MFD_CLOEXEC);
		if (a->page_fd < 0)
			return -errno;
		if (ftruncate(a->page_fd, (off_t)size) < 0)
			return -errno;
	} else {
		flags |= MAP_ANONYMOUS;
	}

	mem = mmap(place_beside_image(size), size, PROT_READ | PROT_WRITE, flags,
		   for_start ? a->page_fd : -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	a->page = a->child_page = mem;
	a->page->err.step = -1;
	for (int who = 0; who < STEP_WHOS; who++)
		a->page->step[who] = -1;
	a->page->n_trace = (uint32_t)a->plan->n_steps;
	return 0;
}

int act_page_map(int fd, struct progress **ret_page)
{
	struct progress *page;
	struct stat st;
	size_t size;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	if (size < sizeof(*page))
		return -EPROTO;
	page = mmap(place_beside_image(size), size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	/* Its writer is our own init, but it is a process of the container by now. */
	if ((size - sizeof(*page)) / sizeof(struct trace_entry) < page->n_trace) {
		munmap(page, size);
		return -EPROTO;
	}
	*ret_page = page;
	return 0;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

/* That a step was begun or ended is always noted: undo asks. When, only if somebody may want to know: to look costs page faults. */
static int64_t stamp(const struct act *a)
{
	return a->untimed ? 1 : clock_wall_ns();
}

static int run_step(struct act *a, const struct step *step, struct err *err)
{
	struct trace_entry *trace = &a->page->trace[a->index];
	int r;

	a->page->step[a->who] = (int32_t)a->index;
	trace->who = (uint16_t)step->who;
	trace->kind = (uint16_t)step->kind;
	trace->start_ns = stamp(a);
	fault_before(a);
	if (actors[step->kind].run)
		r = actors[step->kind].run(a, step, err);
	else
		r = err_bug(err, "nothing acts on step \"%s\"", step_names[step->kind]);
	r = fault_after(a, step, err, r);
	trace->end_ns = stamp(a);
	if (r >= 0)
		return 0;

	/* An error that comes out of the page is of the child's step, which it names already. */
	if (err->step < 0) {
		err->step = (int32_t)a->index;
		snprintf(err->step_name, sizeof(err->step_name), "%s", step_names[step->kind]);
		if (step->pointer[0])
			err_at(err, step->pointer);
	}
	return r;
}

int act_run(struct act *a, enum step_who who, size_t from, struct err *err)
{
	int r;

	a->who = who;
	for (a->index = from; a->index < a->plan->n_steps; a->index++) {
		const struct step *step = &a->plan->steps[a->index];

		if (step->who != who)
			continue;
		r = run_step(a, step, err);
		if (r < 0) {
			if (who != STEP_PARENT && a->page->err.code == 0)
				a->page->err = *err;
			return r;
		}
	}
	a->page->step[who] = -1;
	return 0;
}

/* ---- when the child is gone ------------------------------------------------------------------------------------- */

static const char *child_step_name(const struct act *a)
{
	int32_t index = a->child_page->step[STEP_CHILD];
	uint16_t kind;

	if (index < 0 || (uint32_t)index >= a->child_page->n_trace)
		return "start";
	kind = a->child_page->trace[index].kind;
	return kind < STEP_KIND_COUNT ? step_names[kind] : "start";
}

/* Has the process replaced its program? Before that it carries our name (see step_clone). */
static bool has_our_name(pid_t pid, struct os_process_stat *stat)
{
	return os_process_stat(pid, stat) == 0 && strcmp(stat->comm, ACT_CHILD_NAME) == 0;
}

/* Did the kernel end something in the container's cgroups for want of memory? (row K-17) */
static bool ran_out_of_memory(const struct act *a)
{
	const struct record *record = a->record;

	return record->n_cgroups && cgroup_oom_kills(record->cgroups, record->n_cgroups) > 0;
}

static int describe_end(const struct act *a, const struct os_process_stat *stat, struct err *err)
{
	const char *who = a->plan->enters ? "the process" : "the container's init";
	const char *step = child_step_name(a);
	int code = stat->exit_code;

	if (!stat->comm[0]) {
		/* Somebody else's child, reaped already: nobody can tell how it ended. */
		err_user_code(err, -ECHILD, "%s is gone, killed or ended in step \"%s\"", who,
			      step);
		err->kind = ERR_SYSTEM;
		return -ECHILD;
	}
	if (code == 0 || !WIFSIGNALED(code)) {
		err_user_code(err, -ECHILD, "%s ended in step \"%s\" (exit status %d)", who, step,
			      WEXITSTATUS(code));
		err->kind = ERR_SYSTEM;
		return -ECHILD;
	}
	err_user_code(err, -ECHILD, "%s was killed by signal %d (SIG%s) in step \"%s\"", who,
		      WTERMSIG(code), sigabbrev_np(WTERMSIG(code)), step);
	err->kind = ERR_SYSTEM;
	if (WTERMSIG(code) == SIGSYS)
		err_hint(
			err,
			"the seccomp profile kills a system call that tare itself needs until execve");
	if (WTERMSIG(code) == SIGKILL && ran_out_of_memory(a)) {
		err_context(err, "out of memory");
		err_at(err, "/linux/resources/memory/limit");
		err_hint(
			err,
			"the limit is too low for the container to start: raise linux.resources.memory.limit");
	}
	return -ECHILD;
}

int act_child_gone(struct act *a, bool in_exec, struct err *err)
{
	struct os_process_stat stat = { 0 };
	const struct progress *page = a->child_page;
	int32_t index = page->step[STEP_CHILD];
	bool executing;

	if (page->err.code != 0) {
		*err = page->err;
		return err->code;
	}

	executing = in_exec && index >= 0 && (uint32_t)index < page->n_trace &&
		    page->trace[index].kind == STEP_EXEC;
	if (executing && !has_our_name(a->child_pid, &stat))
		return 0;

	/* It closed the socket by dying; the zombie shows how a moment later. */
	if (a->child_pidfd >= 0)
		(void)os_pidfd_ended(a->child_pidfd, 10000);
	if (!has_our_name(a->child_pid, &stat) && executing)
		return 0;
	describe_end(a, &stat, err);
	err->step = index;
	snprintf(err->step_name, sizeof(err->step_name), "%s", child_step_name(a));
	return err->code;
}

/* ---- warnings --------------------------------------------------------------------------------------------------- */

void act_warn(struct act *a, const char *fmt, ...)
{
	uint32_t n = a->page->n_warnings++;
	va_list ap;

	if (n >= WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(a->page->warnings[n], sizeof(a->page->warnings[n]), fmt, ap);
	va_end(ap);
}

void act_report_warnings(const struct act *a)
{
	const struct report *report = a->options->report;

	for (uint32_t i = 0; report && i < a->page->n_warnings && i < WARNINGS_MAX; i++)
		report->warning(report->to, a->page->warnings[i]);
}

/* ---- the parent ------------------------------------------------------------------------------------------------- */

int act_prepare(struct act *a, bool for_start, struct err *err)
{
	int pair[2], r;

	r = act_page(a, for_start);
	if (r < 0)
		return err_set(err, r, "make the shared page");
	r = os_seqpacket_pair(pair);
	if (r < 0)
		return err_set(err, r, "make the socket pair");
	a->sync = pair[0];
	a->sync_peer = pair[1];
	return 0;
}

int act_parent(struct act *a, const struct trace_options *trace, struct err *err)
{
	int r = act_run(a, STEP_PARENT, 0, err);

	act_report_warnings(a);
	if (trace && trace->stream)
		trace_write(trace, a->page, a->plan);
	return r;
}

/* ---- fds -------------------------------------------------------------------------------------------------------- */

/* What a child still needs when it closes the rest; more is never open. */
#define NEEDED_FDS_MAX 16

int act_close_unneeded(const struct act *a, int keep, int also)
{
	int needed[NEEDED_FDS_MAX] = { keep, also };
	unsigned first = 3;
	size_t n = 2;

	for (size_t i = a->index + 1; i < a->plan->n_steps; i++) {
		const struct step *later = &a->plan->steps[i];

		if (later->who != STEP_CHILD)
			continue;
		if (later->kind == STEP_CLOSE_FDS)
			first += later->u.close_fds.preserve_fds;
		for (size_t in = 0; in < STEP_INPUTS; in++) {
			if (later->in[in] == SLOT_NONE)
				continue;
			if (n == NEEDED_FDS_MAX)
				return -E2BIG;
			needed[n++] = a->fd[later->in[in]];
		}
	}
	return os_close_all_but(first, needed, n);
}

/* ---- undo ------------------------------------------------------------------------------------------------------- */

/* Return: a new entry for @path; NULL if there is no room */
static struct made_node *add_made(struct progress *page, const char *path)
{
	struct made_node *node;

	if (page->n_made >= MADE_MAX || strlen(path) >= sizeof(node->path)) {
		page->made_lost++;
		return NULL;
	}
	node = &page->made[page->n_made];
	snprintf(node->path, sizeof(node->path), "%s", path[0] == '/' ? path + 1 : path);
	return node;
}

void act_made(void *act, int parent, const char *path, const char *name)
{
	const struct act *a = act;
	struct made_node *node;
	struct stat st;

	if (!a->page || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	node = add_made(a->page, path);
	if (!node)
		return;
	node->dev = st.st_dev;
	node->ino = st.st_ino;
	a->page->n_made++;
}

void act_made_by_step(struct act *a, const char *path)
{
	struct made_node *node = a->page ? add_made(a->page, path) : NULL;

	if (!node)
		return;
	node->ino = 0;
	node->step = (uint32_t)a->index;
	a->page->n_made++;
}

static bool is_link(int root, const char *path, const char *text)
{
	char now[PATH_MAX];
	ssize_t n = readlinkat(root, path, now, sizeof(now));

	return n >= 0 && (size_t)n == strlen(text) && memcmp(now, text, (size_t)n) == 0;
}

/* Is it still the very thing that the child made? The same inode; or a link or node just like the step's. */
static bool is_still_it(const struct act *a, int root, const struct made_node *node,
			const struct stat *st)
{
	const struct step *step = &a->plan->steps[node->step];

	if (node->ino)
		return st->st_dev == node->dev && st->st_ino == node->ino;
	if (step->kind == STEP_SYMLINK)
		return S_ISLNK(st->st_mode) && is_link(root, node->path, step->u.symlink.target);
	return !S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode) &&
	       (step->u.device.type == 'p' ||
		st->st_rdev == makedev(step->u.device.major, step->u.device.minor));
}

static void remove_made(const struct act *a, int root, const struct made_node *node)
{
	struct stat st;

	if (fstatat(root, node->path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !is_still_it(a, root, node, &st))
		return;
	(void)unlinkat(root, node->path, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}

static void undo_rootfs(struct act *a)
{
	defer_close int root = -EBADF;

	if (!a->page || a->page->n_made == 0 || !a->options)
		return;
	root = open(a->options->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return;
	for (uint32_t i = a->page->n_made; i-- > 0;)
		remove_made(a, root, &a->page->made[i]);
}

void act_undo(struct act *a)
{
	size_t done = a->index;

	/* The failed step too: it may have made half of what it makes, and every undo copes with that. */
	if (done >= a->plan->n_steps)
		done = a->plan->n_steps - 1;
	fault_parse(a);
	a->fault_step = -1;
	for (size_t i = done + 1; i-- > 0;) {
		const struct step *step = &a->plan->steps[i];

		if (step->who != STEP_PARENT || !actors[step->kind].undo)
			continue;
		actors[step->kind].undo(a, step);
		/* With the child gone nothing covers the rootfs any more. */
		if (step->kind == STEP_CLONE || step->kind == STEP_STAGE_FORK ||
		    step->kind == STEP_CRIU_START)
			undo_rootfs(a);
	}
}
