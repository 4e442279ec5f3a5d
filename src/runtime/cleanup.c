/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/cleanup.h"

#include "cgroup/processes.h"
#include "cgroup/remove.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/hooks.h"
#include "runtime/rdt.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <signal.h>

/* How long a killed process may take to go: it may sit in uninterruptible sleep on a slow disk. */
#define KILL_TIMEOUT_MS 10000

/* How long a cgroup that should be empty may take to be so before its processes are killed once more. */
#define EMPTY_TIMEOUT_MS 200

int cleanup_config_text(struct arena *arena, int dir, char **ret_text, size_t *ret_len,
			struct err *err)
{
	defer_close int fd = openat(dir, RECORD_CONFIG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_sys(err, "open the saved config.json");
	r = os_file_read(arena, fd, CONFIG_MAX_BYTES, ret_text, ret_len);
	return r < 0 ? err_set(err, r, "read the saved config.json") : 0;
}

int cleanup_config(struct arena *arena, int dir, struct config **ret_config, struct err *err)
{
	size_t len;
	char *text;
	int r;

	r = cleanup_config_text(arena, dir, &text, &len, err);
	return r < 0 ? r : config_read(arena, text, len, ret_config, err);
}

int cleanup_processes(const struct container *c, struct err *err)
{
	defer_close int pidfd = -EBADF;
	int r;

	/* A pid namespace whose init has ended is empty. */
	if (c->status == CONTAINER_STOPPED && c->start_time && c->private_pid_ns)
		return 0;
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
		return err_hint(err, "it may hang in the kernel: look at /proc/%d/stack",
				(int)c->pid);
	}
	return 0;
}

/* Every one of them, whatever becomes of the others. Return: 0; the first error, -EBUSY before any other */
static int remove_cgroups(const struct container *c, int timeout_ms, struct err *err)
{
	struct err one = ERR_INIT;

	*err = ERR_INIT;
	for (size_t i = 0; i < c->n_cgroups; i++) {
		int r = cgroup_remove(&c->cgroups[i], timeout_ms, &one);

		if (r < 0 && (err->code == 0 || (r == -EBUSY && err->code != -EBUSY)))
			*err = one;
	}
	return err->code;
}

/* Nearly always nobody is in there any more. If somebody is, who came from outside, they have to go. */
int cleanup_cgroups(const struct container *c, struct err *err)
{
	int r = c->unit.name ? unit_stop(&c->unit, err) : 0;

	if (r < 0)
		return r;
	r = remove_cgroups(c, EMPTY_TIMEOUT_MS, err);
	if (r != -EBUSY)
		return r;
	r = cgroup_kill_all(c->cgroups, c->n_cgroups, err);
	return r < 0 ? r : remove_cgroups(c, CGROUP_REMOVE_TIMEOUT_MS, err);
}

int cleanup_rdt(const struct container *c, struct err *err)
{
	int r = 0;

	if (c->rdt.monitor)
		r = rdt_remove(c->rdt.monitor, err);
	if (r == 0 && c->rdt.own)
		r = rdt_remove(c->rdt.group, err);
	return r;
}

void report_warning(const struct report *report, const struct err *err)
{
	char line[ERR_RENDER_MAX];

	if (!report || !report->warning)
		return;
	err_render(err, line, sizeof(line));
	report->warning(report->to, line);
}

void cleanup_poststop(const struct container *c, const struct config *config,
		      const struct report *report)
{
	struct err err = ERR_INIT;

	/* Every hook runs, whatever becomes of the others. */
	for (size_t i = 0; i < config->hooks[HOOK_POSTSTOP].n; i++) {
		if (hook_run(HOOK_POSTSTOP, i, &config->hooks[HOOK_POSTSTOP].items[i], c, "stopped",
			     &err) < 0)
			report_warning(report, &err);
	}
}
