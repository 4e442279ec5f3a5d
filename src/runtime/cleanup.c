/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/cleanup.h"

#include "cgroup/processes.h"
#include "cgroup/remove.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/hooks.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <signal.h>

/* How long a killed process may take to go: it may sit in uninterruptible sleep on a slow disk. */
#define KILL_TIMEOUT_MS 10000

int cleanup_config(struct arena *arena, int dir, struct config **ret_config, struct err *err)
{
	defer_close int fd = -EBADF;
	size_t len;
	char *text;
	int r;

	fd = openat(dir, RECORD_CONFIG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "open the saved config.json");
	r = os_file_read(arena, fd, CONFIG_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the saved config.json");
	return config_read(arena, text, len, ret_config, err);
}

int cleanup_processes(const struct container *c, struct err *err)
{
	defer_close int pidfd = -EBADF;
	int r;

	pidfd = os_process_open(c->pid, c->start_time);
	if (pidfd >= 0) {
		r = os_pidfd_kill(pidfd, SIGKILL);
		if (r < 0 && r != -ESRCH)
			return err_set(err, r, "kill the container's init");
	}
	/* A frozen process of a v1 cgroup only ends when it is thawed; this does that too. */
	if (c->n_cgroups) {
		r = cgroup_kill_all(c->cgroups, c->n_cgroups, err);
		if (r < 0)
			return r;
	}
	if (pidfd >= 0 && os_pidfd_ended(pidfd, KILL_TIMEOUT_MS) != 1) {
		err_set(err, -ETIMEDOUT, "wait for the container's init %d to end", (int)c->pid);
		return err_hint(err, "it may hang in the kernel: look at /proc/%d/stack", (int)c->pid);
	}
	return 0;
}

int cleanup_cgroups(const struct container *c, struct err *err)
{
	struct err one = ERR_INIT;

	*err = ERR_INIT;
	for (size_t i = 0; i < c->n_cgroups; i++) {
		if (cgroup_remove(&c->cgroups[i], CGROUP_REMOVE_TIMEOUT_MS, &one) < 0 && err->code == 0)
			*err = one;
	}
	return err->code;
}

void report_warning(const struct report *report, const struct err *err)
{
	char line[ERR_TEXT_MAX + ERR_POINTER_MAX + 64];

	if (!report || !report->warning)
		return;
	err_render(err, line, sizeof(line));
	report->warning(report->to, line);
}

void cleanup_poststop(const struct container *c, const struct config *config, const struct report *report)
{
	struct err err = ERR_INIT;

	/* Every hook runs, whatever becomes of the others. */
	for (size_t i = 0; i < config->hooks[HOOK_POSTSTOP].n; i++) {
		if (hook_run(HOOK_POSTSTOP, i, &config->hooks[HOOK_POSTSTOP].items[i], c, "stopped", &err) < 0)
			report_warning(report, &err);
	}
}
