/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/cleanup.h"

#include "base/log.h"
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

struct cgroup_dir cleanup_cgroup(const struct step *step)
{
	return (struct cgroup_dir){
		.path = step->u.cgroup_make.path,
		.mount = step->u.cgroup_make.mount,
		.existing = step->u.cgroup_make.existing,
		.v2 = step->u.cgroup_make.v2,
	};
}

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
	/* In a frozen v1 cgroup a killed process only ends when it is thawed; this does that too. */
	r = cgroup_kill_all(c->cgroups, c->n_cgroups, err);
	if (r < 0)
		return r;
	if (pidfd >= 0 && os_pidfd_ended(pidfd, KILL_TIMEOUT_MS) != 1) {
		err_set(err, -ETIMEDOUT, "wait for the container's init %d to end", (int)c->pid);
		return err_hint(err, "it may hang in the kernel: look at /proc/%d/stack", (int)c->pid);
	}
	return 0;
}

int cleanup_cgroups(const struct container *c, struct err *err)
{
	struct err later = ERR_INIT;
	int first = 0, r;

	for (size_t i = 0; i < c->n_cgroups; i++) {
		r = cgroup_remove(&c->cgroups[i], CGROUP_REMOVE_TIMEOUT_MS, first == 0 ? err : &later);
		first = first == 0 ? r : first;
	}
	return first;
}

void cleanup_poststop(const struct container *c, const struct config *config)
{
	struct err err = ERR_INIT;

	/* Every hook runs, whatever becomes of the others: runtime.md "Lifecycle" step 13. */
	for (size_t i = 0; i < config->hooks[HOOK_POSTSTOP].n; i++) {
		if (hook_run(HOOK_POSTSTOP, i, &config->hooks[HOOK_POSTSTOP].items[i], c, "stopped", &err) < 0)
			log_warn_err(&err);
	}
}
