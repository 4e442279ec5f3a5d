/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/hooks.h"

#include "base/clock.h"
#include "os/process.h"
#include "os/signal.h"
#include "os/spawn.h"
#include "spec/state_doc.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* How much of a failed hook's output is shown: its last words. */
#define TAIL_MAX 400

struct tail {
	char text[TAIL_MAX + 1];
	size_t len;
};

/* ---- output ----------------------------------------------------------------------------------------------------- */

static void tail_add(struct tail *tail, const char *text, size_t len)
{
	size_t keep;

	if (len >= TAIL_MAX) {
		text += len - TAIL_MAX;
		len = TAIL_MAX;
	}
	keep = tail->len < TAIL_MAX - len ? tail->len : TAIL_MAX - len;
	memmove(tail->text, tail->text + tail->len - keep, keep);
	memcpy(tail->text + keep, text, len);
	tail->len = keep + len;
	tail->text[tail->len] = '\0';
}

/* Take what is in the pipe, without waiting. Return: whether there can come more. */
static bool tail_read(struct tail *tail, int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		tail_add(tail, buf, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* One line for a message. */
static const char *tail_line(struct tail *tail)
{
	for (size_t i = 0; i < tail->len; i++) {
		unsigned char c = (unsigned char)tail->text[i];

		if (c < ' ' || c == 0x7f)
			tail->text[i] = ' ';
	}
	while (tail->len > 0 && tail->text[tail->len - 1] == ' ')
		tail->text[--tail->len] = '\0';
	return tail->text + strspn(tail->text, " ");
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static int job_context(const struct hook_job *job, struct err *err)
{
	return err_context(err, "run %s hook %zu \"%s\"", hook_names[job->kind], job->index,
			   job->hook->path);
}

static int ended_badly(const struct hook_job *job, int status, struct tail *tail, struct err *err)
{
	const char *output = tail_line(tail), *colon = output[0] ? ": " : "";

	if (WIFSIGNALED(status))
		err_user_code(err, -ECANCELED, "killed by signal %d (SIG%s)%s%s", WTERMSIG(status),
			      sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?",
			      colon, output);
	else
		err_user_code(err, -ECANCELED, "exit status %d%s%s", WEXITSTATUS(status), colon,
			      output);
	return job_context(job, err);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static int time_left_ms(int64_t end_ms)
{
	int64_t left;

	if (end_ms == 0)
		return -1;
	left = end_ms - clock_ms();
	if (left <= 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

/*
 * Wait for the hook's end, and read its output meanwhile, so that a full pipe can't stop it. The signals that would end
 * the runtime end the hook instead, so that what was done so far can be taken back.
 * Return: 0; -ETIMEDOUT; -EPIPE if the other side of job->watch is gone; -EINTR for such a signal; -errno
 */
static int wait_for_end(const struct hook_job *job, int pidfd, int output, struct tail *tail)
{
	defer_close int stop = job->watch < 0 ? os_signal_stop_fd() : -EBADF;
	int64_t end_ms =
		job->hook->timeout_s ? clock_ms() + (int64_t)job->hook->timeout_s * 1000 : 0;
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = output, .events = POLLIN },
		{ .fd = job->watch, .events = 0 },
		{ .fd = stop, .events = POLLIN },
	};
	int n;

	for (;;) {
		n = poll(fds, ARRAY_LEN(fds), time_left_ms(end_ms));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0)
			continue;
		if (fds[1].revents && !tail_read(tail, output))
			fds[1].fd = -1;
		if (fds[0].revents)
			return 0;
		if (fds[2].revents)
			return -EPIPE;
		if (fds[3].revents)
			return -EINTR;
	}
}

static int finish(const struct hook_job *job, pid_t pid, int output, struct err *err)
{
	defer_close int pidfd = -EBADF;
	struct tail tail = { .len = 0 };
	int status = 0, r, waited;

	pidfd = os_pidfd_open(pid);
	waited = pidfd < 0 ? pidfd : wait_for_end(job, pidfd, output, &tail);
	if (waited < 0)
		(void)kill(-pid, SIGKILL);
	r = os_reap(pid, &status);
	if (output >= 0)
		(void)tail_read(&tail, output);

	if (waited == -ETIMEDOUT)
		err_user_code(err, waited, "not finished after its timeout of %u s, killed",
			      job->hook->timeout_s);
	else if (waited == -EINTR)
		err_user_code(err, waited, "killed, since SIG%s asks us to end",
			      sigabbrev_np(os_signal_stop_take()));
	else if (waited == -EPIPE)
		err_user_code(err, waited, "the runtime is gone, killed");
	else if (waited < 0 || r < 0)
		err_set(err, waited < 0 ? waited : r, "wait for it");
	else
		return status == 0 ? 0 : ended_badly(job, status, &tail, err);
	return job_context(job, err);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int state_input(const struct hook_job *job)
{
	char pid[16];
	const char *parts[] = { job->state_before, pid, job->state_after };

	snprintf(pid, sizeof(pid), "%d", (int)job->pid);
	return os_memfd_text("tare-hook-state", parts, ARRAY_LEN(parts));
}

static int start(const struct hook_job *job, int input, int output, pid_t *ret_pid)
{
	struct os_spawn spawn = {
		.path = job->hook->path,
		.argv = (char *const *)(uintptr_t)job->hook->args.items,
		.envp = (char *const *)(uintptr_t)job->hook->env.items,
		.cwd = job->cwd,
		.stdio = { input, job->stdout_fd >= 0 ? job->stdout_fd : output,
			   job->stderr_fd >= 0 ? job->stderr_fd : output },
	};

	return os_spawn(&spawn, ret_pid);
}

int hook_job_run(const struct hook_job *job, struct err *err)
{
	defer_close int input = -EBADF, output = -EBADF, output_end = -EBADF;
	int pipe_fds[2];
	pid_t pid = 0;
	int r;

	input = state_input(job);
	if (input < 0) {
		err_set(err, input, "make its standard input");
		return job_context(job, err);
	}
	if (job->stdout_fd < 0 || job->stderr_fd < 0) {
		if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
			err_sys(err, "make a pipe for its output");
			return job_context(job, err);
		}
		output = pipe_fds[0];
		output_end = pipe_fds[1];
		(void)fcntl(output, F_SETFL, O_NONBLOCK);
	}

	r = start(job, input, output_end, &pid);
	if (r < 0) {
		err_set(err, r, "execute it");
		return job_context(job, err);
	}
	if (output_end >= 0)
		close(take_fd(&output_end));
	return finish(job, pid, output, err);
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */

static struct str_list copy_list(struct arena *arena, const struct str_list *list)
{
	struct str_list copy = { .items = arena_array(arena, list->n + 1, sizeof(*copy.items)),
				 .n = list->n };

	for (size_t i = 0; i < list->n; i++)
		copy.items[i] = arena_strdup(arena, list->items[i]);
	return copy;
}

const struct config_hook *hook_copy(struct arena *arena, const struct config_hook *hook)
{
	struct config_hook *copy = arena_alloc(arena, sizeof(*copy));

	*copy = *hook;
	copy->path = arena_strdup(arena, hook->path);
	copy->args = copy_list(arena, &hook->args);
	copy->env = copy_list(arena, &hook->env);
	if (copy->args.n == 0) {
		copy->args.items = arena_array(arena, 2, sizeof(*copy->args.items));
		copy->args.items[copy->args.n++] = copy->path;
	}
	return copy;
}

const char *hook_output_path(struct arena *arena, const struct key_value_list *annotations,
			     const char *key, const char *bundle)
{
	const char *path = annotation_value(annotations, key);

	if (!path)
		return NULL;
	return path[0] == '/' ? arena_strdup(arena, path)
			      : arena_printf(arena, "%s/%s", bundle, path);
}

int hook_output_open(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(err, "open \"%s\" for the output of hooks", path) : fd;
}

/* An output that can't be opened is no reason not to run a poststop hook: it goes into the message then. */
static int open_output(struct arena *arena, const struct container *container, const char *key)
{
	const char *path = hook_output_path(arena, &container->annotations, key, container->bundle);
	struct err ignored = ERR_INIT;

	return path ? hook_output_open(path, &ignored) : -EBADF;
}

int hook_run(enum hook_kind kind, size_t index, const struct config_hook *hook,
	     const struct container *container, const char *status, struct err *err)
{
	defer_close int out = -EBADF, errors = -EBADF;
	defer_arena struct arena arena = { 0 };
	struct state_doc doc = {
		.id = container->id,
		.status = status,
		.bundle = container->bundle,
		.annotations = container->annotations,
	};
	struct hook_job job = {
		.kind = kind,
		.index = index,
		.hook = hook_copy(&arena, hook),
		.pid = container->pid,
		.cwd = container->bundle,
		.watch = -1,
	};

	state_doc_split(&arena, &doc, &job.state_before, &job.state_after);
	out = open_output(&arena, container, ANNOTATION_HOOKS_STDOUT);
	errors = open_output(&arena, container, ANNOTATION_HOOKS_STDERR);
	job.stdout_fd = out;
	job.stderr_fd = errors;
	return hook_job_run(&job, err);
}
