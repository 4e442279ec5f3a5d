/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/detach.h"

#include "engine/beside.h"
#include "engine/rootless.h"
#include "os/exec.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* What the clean-up finds the container's things by, and no more: the environment of a process takes memory. */
static const char *const kept_variables[] = {
	"PATH=", "HOME=", "XDG_RUNTIME_DIR=", "XDG_DATA_HOME=", "DBUS_SESSION_BUS_ADDRESS=",
	"TARE_",
};

#define WORDS_MAX 48
#define RUNNING   'r' /* what the monitor says when it watches (monitor/main.c) */

/* The pipes between the container and its monitor; each of our ends is close-on-exec. */
struct stdio {
	int container[3]; /* what becomes its fd 0, 1, 2 */
	int in, out, err; /* the monitor's ends; -EBADF: none */
};

struct start {
	const struct detach *detach;
	struct arena *arena;
	struct stdio stdio;
	const char *monitor, *tare; /* programs */
	int ready;                  /* to the caller: RUNNING, or a struct err */
	int end;                    /* end.json */
};

extern char **environ;

/* ---- standard streams --------------------------------------------------------------------------------------------- */

static void stdio_clear(struct stdio *stdio)
{
	int *all[] = { &stdio->container[0], &stdio->container[1], &stdio->container[2],
		       &stdio->in,           &stdio->out,          &stdio->err };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		defer_close_fn(all[i]);
		*all[i] = -EBADF;
	}
}

static int make_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

static int open_null(int *ret, struct err *err)
{
	*ret = open("/dev/null", O_RDWR | O_CLOEXEC);
	return *ret < 0 ? err_sys(err, "open /dev/null") : 0;
}

static int make_stdio(const struct detach *d, struct stdio *stdio, struct err *err)
{
	int r;

	if (d->record->terminal || !d->record->open_stdin)
		r = open_null(&stdio->container[0], err);
	else
		r = make_pipe(&stdio->container[0], &stdio->in, err);
	for (int i = 1; i < 3 && r == 0; i++) {
		if (d->record->terminal)
			r = open_null(&stdio->container[i], err);
		else
			r = make_pipe(i == 1 ? &stdio->out : &stdio->err, &stdio->container[i],
				      err);
	}
	return r;
}

static int take_stdio(const struct stdio *stdio, struct err *err)
{
	for (int i = 0; i < 3; i++) {
		if (dup2(stdio->container[i], i) < 0)
			return err_sys(err, "give the container its standard streams");
	}
	return 0;
}

/* Ours, which the container has now, must not be held open by its monitor. */
static int drop_stdio(struct err *err)
{
	defer_close int null = -EBADF;
	int r = open_null(&null, err);

	for (int i = 0; i < 3 && r == 0; i++) {
		if (dup2(null, i) < 0)
			r = err_sys(err, "let go the container's standard streams");
	}
	return r;
}

/* ---- becoming the monitor ----------------------------------------------------------------------------------------- */

struct words {
	struct arena *arena;
	char *items[WORDS_MAX];
	size_t n;
};

static void add(struct words *words, const char *text)
{
	words->items[words->n++] = arena_strdup(words->arena, text);
}

static void add_value(struct words *words, const char *option, const char *value)
{
	if (!value)
		return;
	add(words, option);
	add(words, value);
}

/* A file that goes on to the monitor. Return: 0; -EBADF if it is not open */
static int add_file(struct words *words, const char *name, int fd)
{
	if (fd < 0)
		return 0;
	add(words, arena_printf(words->arena, "%s=%d", name, fd));
	return os_fd_inherit(fd);
}

static void add_number(struct words *words, const char *name, uint64_t value)
{
	add(words, arena_printf(words->arena, "%s=%llu", name, (unsigned long long)value));
}

/* What the monitor becomes in the end */
static void add_next(struct words *words, const struct start *start, const char *command)
{
	static const char *const managers[] = { [CGROUPS_FILE] = "cgroupfs",
						[CGROUPS_SYSTEMD] = "systemd",
						[CGROUPS_DISABLED] = "disabled" };
	const struct detach *d = start->detach;

	add(words, "--");
	add(words, start->tare);
	add_value(words, "--root", d->roots->root);
	add_value(words, "--runroot", d->roots->runroot);
	add_value(words, "--cgroup-manager", managers[d->cgroups]);
	add_value(words, "--log", d->log_path);
	add_value(words, "--log-format", d->log_format);
	add(words, command);
	add(words, d->dir->id);
	add(words, arena_printf(words->arena, "%d", d->dir->fd));
}

static char **small_environment(struct arena *arena)
{
	size_t n = 0, count = 0;
	char **all;

	while (environ[count])
		count++;
	all = arena_array(arena, count + 1, sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < ARRAY_LEN(kept_variables); k++) {
			if (strncmp(environ[i], kept_variables[k], strlen(kept_variables[k])) == 0)
				all[n++] = environ[i];
		}
	}
	return all;
}

static int become_monitor(const struct start *start, const struct container_started *started,
			  struct err *err)
{
	const struct log_choice *log = &start->detach->record->log;
	struct words words = { .arena = start->arena };
	char **environment = small_environment(start->arena);
	int r;

	add(&words, MONITOR_PROGRAM);
	add(&words, start->detach->dir->id);
	add_number(&words, "pid", (uint64_t)started->pid);
	if (strcmp(log->driver, "none") == 0)
		add(&words, "log=0");
	add_number(&words, "max-size", log->max_size);
	add_number(&words, "max-file", log->max_files);
	r = add_file(&words, "dir", start->detach->dir->fd);
	if (r == 0)
		r = add_file(&words, "end", start->end);
	if (r == 0)
		r = add_file(&words, "ready", start->ready);
	if (r == 0)
		r = add_file(&words, "pidfd", started->pidfd);
	if (r == 0)
		r = add_file(&words, "tty", started->console_master);
	if (r == 0)
		r = add_file(&words, "in", start->stdio.in);
	if (r == 0)
		r = add_file(&words, "out", start->stdio.out);
	if (r == 0)
		r = add_file(&words, "err", start->stdio.err);
	if (r < 0)
		return err_set(err, r, "hand the container's files on to its monitor");
	if (drop_stdio(err) < 0)
		return err->code;
	add_next(&words, start, MONITOR_END);
	(void)!chdir("/");
	umask(0077);
	execve(start->monitor, words.items, environment);
	return err_sys(err, "execute \"%s\"", start->monitor);
}

/* ---- the process that becomes it ---------------------------------------------------------------------------------- */

static int start_and_watch(const struct start *start, struct err *err)
{
	const struct detach *d = start->detach;
	const char *oci_root = containers_oci_root(start->arena, d->roots);
	struct create_options options = {
		.id = d->dir->id,
		.bundle = d->dir->path,
		.rootfs_tree = d->rootfs_tree,
		.run = true,
		.foreground = true,
		.cgroups = d->cgroups,
		.report = d->report,
	};
	struct err ignored = ERR_INIT;
	struct container_started started;
	int r = getsid(0) == getpid() ? 0 : os_setsid();

	if (r < 0)
		return err_set(err, r, "begin a session");
	r = take_stdio(&start->stdio, err);
	if (r == 0)
		r = container_create(oci_root, &options, -EBADF, NULL, &started, err);
	if (r < 0)
		return r;
	/* Without it those who come find another way in, or none; the container runs all the same. */
	(void)!rootless_hold(&ignored);
	r = become_monitor(start, &started, err);
	(void)!container_delete(oci_root, d->dir->id, true, d->report, &ignored);
	return r;
}

_Noreturn static void starter(const struct start *start)
{
	struct err err = ERR_INIT;

	if (start_and_watch(start, &err) < 0)
		(void)!os_write_all(start->ready, &err, sizeof(err));
	_exit(1);
}

/* ---- and who waits for it ----------------------------------------------------------------------------------------- */

/* Return: 0 if it runs and is watched; -errno with the starter's own error, or that it died */
static int hear(int ready, struct err *err)
{
	struct err theirs;
	size_t n = 0;

	while (n < sizeof(theirs)) {
		ssize_t got = read(ready, (char *)&theirs + n, sizeof(theirs) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "hear whether the container runs");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n == 1 && *(const char *)&theirs == RUNNING)
		return 0;
	if (n < sizeof(theirs) || theirs.code >= 0)
		return err_user_code(err, -ECHILD, "the process that was to watch it was killed");
	*err = theirs;
	return err->code;
}

static int start_and_hear(struct start *start, int heard, struct err *err)
{
	const struct detach *d = start->detach;
	const char *oci_root = containers_oci_root(start->arena, d->roots);
	struct err ignored = ERR_INIT;
	pid_t pid = fork();
	int r, status;

	if (pid == 0)
		starter(start);
	if (pid < 0)
		return err_sys(err, "make a process");
	/* From now on its end is the only one. */
	defer_close_fn(&start->ready);
	start->ready = -EBADF;
	stdio_clear(&start->stdio);
	r = hear(heard, err);
	if (r == 0)
		return 0;
	(void)!os_reap(pid, &status);
	/* One that was killed could not clean up. */
	(void)!container_delete(oci_root, d->dir->id, true, d->report, &ignored);
	return r;
}

static int begin(struct arena *arena, const struct detach *detach, struct start *start,
		 struct err *err)
{
	int r;

	*start = (struct start){
		.detach = detach,
		.arena = arena,
		.stdio = { { -EBADF, -EBADF, -EBADF }, -EBADF, -EBADF, -EBADF },
		.ready = -EBADF,
		.end = -EBADF,
	};
	r = beside_find(arena, detach->self, MONITOR_PROGRAM, &start->monitor, err);
	return r < 0 ? r : beside_find(arena, detach->self, "tare", &start->tare, err);
}

static int make_files(struct start *start, struct err *err)
{
	int r = make_stdio(start->detach, &start->stdio, err);

	if (r == 0)
		r = start->end = container_end_make(start->detach->dir->fd, err);
	return r < 0 ? r : 0;
}

static void end(struct start *start)
{
	stdio_clear(&start->stdio);
	defer_close_fn(&start->ready);
	defer_close_fn(&start->end);
}

int detach_start(struct arena *arena, const struct detach *detach, struct err *err)
{
	defer_close int heard = -EBADF;
	struct start start;
	int r = begin(arena, detach, &start, err);

	if (r == 0)
		r = make_pipe(&heard, &start.ready, err);
	if (r == 0)
		r = make_files(&start, err);
	if (r == 0)
		r = start_and_hear(&start, heard, err);
	end(&start);
	return r;
}

int detach_become(struct arena *arena, const struct detach *detach, struct err *err)
{
	struct start start;
	int r = begin(arena, detach, &start, err);

	if (r == 0)
		r = make_files(&start, err);
	if (r == 0)
		r = start_and_watch(&start, err);
	end(&start);
	return r;
}

int detach_delay(struct arena *arena, const struct detach *detach, uint64_t ms, struct err *err)
{
	struct words words = { .arena = arena };
	struct start start;
	int r = begin(arena, detach, &start, err);

	if (r < 0)
		return r;
	add(&words, MONITOR_PROGRAM);
	add(&words, detach->dir->id);
	add_number(&words, "delay", ms);
	r = add_file(&words, "dir", detach->dir->fd);
	if (r < 0)
		return err_set(err, r, "hand the container's lock on to its monitor");
	add_next(&words, &start, MONITOR_START);
	execve(start.monitor, words.items, small_environment(arena));
	return err_sys(err, "execute \"%s\"", start.monitor);
}
