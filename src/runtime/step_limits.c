/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Acting on limits and priorities, for the process itself or by the parent for its child; plan_limits.c says which.
 * A refusal here nearly always means one missing capability, so the errors name it and what stood in the way.
 */
#include "runtime/act.h"

#include "os/file.h"
#include "os/sched.h"
#include "spec/words.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who a step is about, as the os/ functions take it: the parent works on its child, the child on itself. */
static pid_t target(const struct act *a)
{
	return a->who == STEP_PARENT ? a->child_pid : 0;
}

/* ---- rlimits ---------------------------------------------------------------------------------------------------- */

#define LIMIT_TEXT_MAX 24

static const char *limit_text(uint64_t limit, char buf[LIMIT_TEXT_MAX])
{
	if (limit == UINT64_MAX)
		return "unlimited";
	snprintf(buf, LIMIT_TEXT_MAX, "%llu", (unsigned long long)limit);
	return buf;
}

static int rlimit_error(struct act *a, const struct step *step, int code, struct err *err)
{
	char soft[LIMIT_TEXT_MAX], hard[LIMIT_TEXT_MAX], now[LIMIT_TEXT_MAX];
	uint64_t soft_now, hard_now;

	if (code != -EPERM ||
	    os_rlimit_get(target(a), step->u.rlimit.resource, &soft_now, &hard_now) < 0)
		return err_set(err, code, "set %s to %s (hard %s)", step->u.rlimit.type,
			       limit_text(step->u.rlimit.soft, soft),
			       limit_text(step->u.rlimit.hard, hard));

	err_set(err, code, "set %s to %s (hard %s): the hard limit is %s now", step->u.rlimit.type,
		limit_text(step->u.rlimit.soft, soft), limit_text(step->u.rlimit.hard, hard),
		limit_text(hard_now, now));
	if (strcmp(step->u.rlimit.type, "RLIMIT_NOFILE") == 0)
		return err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE, and none may be "
				     "above the sysctl "
				     "fs.nr_open");
	return err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE");
}

/* Lift the hard limit to what the child will set, if it is lower now; the soft one stays. */
static int raise_limit(struct act *a, const struct step *step)
{
	uint64_t soft, hard;
	int r;

	r = os_rlimit_get(target(a), step->u.rlimit.resource, &soft, &hard);
	if (r < 0 || hard >= step->u.rlimit.hard)
		return r;
	return os_rlimit_set(target(a), step->u.rlimit.resource, soft, step->u.rlimit.hard);
}

/* Spec: config.md "POSIX process", rlimits (row P-7) */
int step_rlimit(struct act *a, const struct step *step, struct err *err)
{
	int r;

	if (step->u.rlimit.only_raise)
		r = raise_limit(a, step);
	else
		r = os_rlimit_set(target(a), step->u.rlimit.resource, step->u.rlimit.soft,
				  step->u.rlimit.hard);
	return r < 0 ? rlimit_error(a, step, r, err) : 0;
}

/* ---- the OOM killer's score ------------------------------------------------------------------------------------- */

static int read_score(int proc, const char *path, char *buf, size_t size)
{
	defer_close int fd = -EBADF;
	ssize_t len;

	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		return -errno;
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/*
 * step_oom_score_adj() - how willingly the OOM killer takes the container's process
 *
 * Without CAP_SYS_RESOURCE it can't go below the score that the process began with. Engines set a low one for every
 * pause container and run on hosts where they may not, so that alone is a warning (row P-12).
 *
 * Spec: config.md "Linux Process", oomScoreAdj
 */
int step_oom_score_adj(struct act *a, const struct step *step, struct err *err)
{
	int proc = a->fd[step->in[0]], value = step->u.oom_score_adj.value, r;
	char path[48], text[16], now[16] = "unknown";

	if (a->who == STEP_PARENT)
		snprintf(path, sizeof(path), "%d/oom_score_adj", (int)a->child_pid);
	else
		snprintf(path, sizeof(path), "self/oom_score_adj");
	snprintf(text, sizeof(text), "%d", value);

	r = os_file_write_at(proc, path, text, strlen(text));
	if (r == -EACCES || r == -EPERM) {
		(void)read_score(proc, path, now, sizeof(now));
		act_warn(a, "oom_score_adj stays at %s: to lower it to %d needs CAP_SYS_RESOURCE",
			 now, value);
		return 0;
	}
	return r < 0 ? err_set(err, r, "write %d to oom_score_adj", value) : 0;
}

/* ---- processor and disk ----------------------------------------------------------------------------------------- */

static void scheduler_hint(int code, const struct config_scheduler *s, struct err *err)
{
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;

	if (code == -EPERM && realtime)
		err_hint(err, "real-time policies need CAP_SYS_NICE, and in a v1 cpu cgroup a "
			      "share of real time: see "
			      "linux.resources.cpu.realtimeRuntime");
	else if (code == -EPERM)
		err_hint(err, "this policy or a lower nice value needs CAP_SYS_NICE");
	else if (code == -EINVAL && realtime)
		err_hint(err, "the priority must be 1 to 99");
	else if (code == -EINVAL)
		err_hint(err, "the kernel may not have this policy; for SCHED_DEADLINE, runtime <= "
			      "deadline <= period "
			      "and all above 1 microsecond; for others, nice is -20 to 19 and "
			      "priority 0");
	else if (code == -EBUSY)
		err_hint(err, "SCHED_DEADLINE has no bandwidth left for this runtime and period");
}

/* Spec: config.md "Linux Process", scheduler; sched_setattr(2) */
int step_scheduler(struct act *a, const struct step *step, struct err *err)
{
	const struct config_scheduler *s = &step->u.scheduler;
	struct os_sched sched = {
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = (uint32_t)s->priority,
		.runtime_ns = s->runtime_ns,
		.deadline_ns = s->deadline_ns,
		.period_ns = s->period_ns,
	};
	const char *name = words_name(&words_sched_policy, s->policy);
	int r = os_sched_set(target(a), &sched);

	if (r < 0) {
		err_set(err, r, "set the scheduler %s (nice %d, priority %d)", name ? name : "?",
			s->nice, s->priority);
		scheduler_hint(r, s, err);
	}
	return r;
}

/* Spec: config.md "Linux Process", ioPriority; ioprio_set(2) */
int step_io_priority(struct act *a, const struct step *step, struct err *err)
{
	const struct config_io_priority *io = &step->u.io_priority;
	const char *name = words_name(&words_io_class, (uint64_t)io->class);
	int r = os_ioprio_set(target(a), io->class, io->priority);

	if (r < 0) {
		err_set(err, r, "set the I/O priority %s %d", name ? name : "?", io->priority);
		if (r == -EPERM)
			err_hint(err, "IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN");
	}
	return r;
}

/*
 * step_affinity_reset() - all processors that the cpuset allows, whatever the caller of tare-oci was bound to
 *
 * That a container gets fewer processors than its cpuset has is no reason not to start it (row Q-19).
 */
int step_affinity_reset(struct act *a, const struct step *step, struct err *err)
{
	char number[96];
	int r = os_affinity_widen(target(a));

	if (r < 0)
		act_warn(a, "the CPU affinity stays as inherited: sched_setaffinity: %s",
			 errno_text(r, number, sizeof(number)));
	return 0;
}

/* Spec: config.md "execCPUAffinity" (rows P-16, P-17) */
int step_affinity(struct act *a, const struct step *step, struct err *err)
{
	int r = os_affinity_set(0, step->u.affinity.mask, step->u.affinity.size);

	if (r < 0) {
		err_set(err, r, "keep the process to the CPUs %s", step->u.affinity.cpus);
		if (r == -EINVAL)
			err_hint(
				err,
				"at least one of them must be online and in the container's cpuset");
	}
	return r;
}

/* Spec: config-linux.md "Memory policy"; set_mempolicy(2) */
int step_memory_policy(struct act *a, const struct step *step, struct err *err)
{
	int mode = step->u.memory_policy.mode;
	int r = os_mempolicy_set(mode, step->u.memory_policy.nodes, step->u.memory_policy.max_node);

	if (r < 0) {
		err_set(err, r, "set the memory policy");
		if (r == -EINVAL)
			err_hint(err, "the nodes must be online and allowed by the cpuset, "
				      "MPOL_DEFAULT and MPOL_LOCAL take "
				      "none, and flags must fit the mode");
	}
	return r;
}

/* Spec: config-linux.md "Personality"; personality(2) */
int step_personality(struct act *a, const struct step *step, struct err *err)
{
	int r = os_personality_set(step->u.personality.domain);

	return r < 0 ? err_set(err, r, "set the personality 0x%lx", step->u.personality.domain) : 0;
}
