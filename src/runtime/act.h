/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a plan. Each process walks the same list and does the steps that are its own; the functions that do them
 * are step_<kind>() in the step_*.c files, one for each kind, and undo_<kind>() for kinds with EFFECT_MAKES.
 *
 * The child uses no heap. It has the plan, its slots, the strings that the plan owns, and struct act. One page is shared
 * with the parent: the step that each process is in, the error of the one that failed, and what was made inside the
 * rootfs directory. Because it is memory, it works under any seccomp filter: the parent reads it when the socket
 * between them reports that the child is gone.
 */
#ifndef TARE_RUNTIME_ACT_H
#define TARE_RUNTIME_ACT_H

#include "runtime/criu.h"
#include "runtime/plan.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct trace_options;
struct moved_device;

/* A file, directory or node that the child made in the rootfs directory itself (not on a mount of its own). */
struct made_node {
	uint64_t dev, ino;
	/* if ino is 0: the DEVICE or SYMLINK that says what it is, which is how undo knows it */
	uint32_t step;
	/* relative to the rootfs; longer ones are not undone, and that is reported */
	char path[232];
};

#define MADE_MAX 48

/* What a step found worth a line in the log although it went on. */
#define WARNINGS_MAX 8
#define WARNING_MAX  256

/* What the kernel holds against a uid_map or gid_map: user_namespaces(7). */
#define ID_MAP_HINT                                                                                \
	"mappings must not overlap, and the kernel takes at most 340 of them, in less than 4096 bytes of text"

struct trace_entry {
	/* CLOCK_REALTIME: the only clock that a time namespace does not shift; 0: not run */
	int64_t start_ns, end_ns;
	/* enum step_who, enum step_kind: `start` has the entries but not the plan */
	uint16_t who, kind;
};

/* Shared between the processes of one start. MAP_SHARED; in a create it is a memfd, so that `start` can map it too. */
struct progress {
	/* Rarely touched */
	char warnings[WARNINGS_MAX][WARNING_MAX];
	struct made_node made[MADE_MAX];

	/* Touched by each step: on one page if the plan is short, so that each process faults once */
	_Alignas(4096) struct err err; /* of the first process that failed, err.code 0 otherwise */
	/* index of the step that each process is in; -1 before and after */
	volatile int32_t step[STEP_WHOS];
	volatile int32_t child_pid; /* as the parent sees it; set by who called clone */
	/* the seccomp listener's fd in the child, plus one; 0: none yet */
	volatile int32_t listener;
	volatile int32_t listener_sent; /* 1: it is with the agent, so the child may go on */
	volatile uint32_t n_warnings;   /* may exceed WARNINGS_MAX: the rest is lost */
	volatile uint32_t n_made, made_lost;
	uint32_t n_trace; /* plan->n_steps */
	struct trace_entry trace[];
};

struct act {
	const struct plan *plan;
	const struct create_options *options;
	enum step_who who; /* which process this is */
	size_t index;      /* of the step that runs */
	bool untimed;      /* nobody will ask for a trace */
	int *fd;           /* the slots; -EBADF while empty. All are O_CLOEXEC */
	pid_t child_pid;   /* parent: the container's init, 0 before the clone */
	int child_pidfd;
	int sync; /* this side of the SEQPACKET pair between parent and child; -EBADF when closed */
	int sync_peer; /* the other side, before the clone */
	int state_dir; /* parent: directory fd of the state directory */
	bool locked;   /* parent: we hold its lock. The child closes its copy of the fd at once */
	pid_t unit_holder;     /* parent: who is in the unit until the init is; 0: nobody */
	bool unit_started;     /* parent: the unit is ours to stop */
	bool rdt_made;         /* parent: the class of service was not there before */
	int start_conn;        /* child: connection from `start`, kept until exec */
	int page_fd;           /* memfd of *page, so that `start` can map it too; -EBADF in a run */
	struct record *record; /* parent: what STATE_MAKE and STATE_WRITE put on disk (record.h) */
	int fault_step; /* step that OS_FAULT is armed for, -1: none; only in builds with faults */
	int notify_socket;  /* parent: what the container notifies through, or -EBADF */
	int console_master; /* parent, foreground run with a terminal */
	struct criu criu;   /* parent: a restore's */
	/* parent: how far that is */
	enum { CRIU_AT_BEGIN, CRIU_AT_NAMESPACES, CRIU_AT_PROCESSES, CRIU_AT_END } criu_at;
	struct moved_device
		*moved; /* parent: the host's network devices, the last first (step_net.c) */
	/*
	 * child: the container's directory that is the working directory now, by its text in a step, so that the next
	 * step in it need not look it up again; NULL: another one
	 */
	const char *cwd;
	size_t cwd_len;
	mode_t umask; /* child: what DEVICE steps give back after the last of them */
	/* child: the source in slot in[i] of MASK is mounted, so from now on it can be cloned */
	bool cover_mounted[2];
	struct progress *page;
	/* the init's: the same page, but for `start`, which gets it from the init */
	struct progress *child_page;
	/* what was opened before the clone still needs its mount options: Linux before 5.12, see late_attr.h */
	bool late_attrs;
	int host_proc; /* child: the host's /proc, once late_attr.h needs it, or -EBADF */
	bool cwd_done; /* child: CWD got there with the rights of root */
	/* child: what FIND_EXECUTABLE found, absolute in the container */
	char executable[PATH_MAX];
	char home[PATH_MAX]; /* child: "HOME=..." or empty, by HOME */
};

/*
 * step_<kind>() - do one step
 * @a:    this process's state; a fd that the step makes goes to a->fd[step->out]
 * @step: borrowed
 * @err:  filled on failure; act.c adds which step it was and its JSON pointer
 *
 * In the child: no heap, no stdio, no locale, no getpw*.
 * Return: 0, or -errno
 */
typedef int step_fn(struct act *a, const struct step *step, struct err *err);

/* undo_<kind>() - take back what a done step made, in the parent; must not fail loudly, keeps errors to itself */
typedef void undo_fn(struct act *a, const struct step *step);

#define STEP_DECLARE(upper, lower, name, effect)                                                   \
	step_fn step_##lower __attribute__((weak));                                                \
	undo_fn undo_##lower __attribute__((weak));
STEP_KINDS(STEP_DECLARE)
#undef STEP_DECLARE

/* step_cgroup_dir() - what a CGROUP_MAKE makes, as the record has it; strings are the plan's */
struct cgroup_dir step_cgroup_dir(const struct step *step);

/* The child's name in /proc/PID/comm until it executes the user's program; tells act_child_gone() whether it did. */
#define ACT_CHILD_NAME "tare-oci-init"

/* From the child, in a build with faults: "end the runtime now" (TARE_KILL_AT). */
#define FAULT_KILL_TOKEN 'K'

/* step_has_undo() - does the kind have an undo_<kind>()? */
bool step_has_undo(enum step_kind kind);

/*
 * act_run() - do all steps of @who from step @from on, in order
 * Return: 0; -errno with *err filled (in the child and stage: also in the shared page)
 */
int act_run(struct act *a, enum step_who who, size_t from, struct err *err) MUST_CHECK;

/* act_init() - @fd: array of plan->n_slots, set to -EBADF here */
void act_init(struct act *a, const struct plan *plan, const struct create_options *options,
	      int *fd);

/*
 * act_page() - make the shared page: a memfd when `start` will need it, else plain shared memory
 * Return: 0; -errno
 */
int act_page(struct act *a, bool for_start) MUST_CHECK;

/*
 * act_prepare() - the shared page, and the socket pair between parent and child
 * @for_start: as for act_page()
 * Return: 0; -errno and *err: nothing was begun, so there is nothing to undo
 */
int act_prepare(struct act *a, bool for_start, struct err *err) MUST_CHECK;

/*
 * act_parent() - the parent's steps, whatever processes they make; reports what they warned of, and writes the trace
 * @trace: or NULL
 * Return: 0; -errno and *err: what was done is the caller's to undo
 */
int act_parent(struct act *a, const struct trace_options *trace, struct err *err) MUST_CHECK;

/* console_prepare_master() - of a pty that we relay: before the program writes its first line */
int console_prepare_master(int master, struct err *err) MUST_CHECK;

/* act_page_map() - map a page that came from another process. Return: 0; -EPROTO if it can't be one; -errno */
int act_page_map(int fd, struct progress **ret_page) MUST_CHECK;

/*
 * act_receive() - the next byte from the container's init, on @sock
 *
 * Where that may take for ever (hooks of the container's, a seccomp agent) a signal that ends a foreground run ends it.
 * Return: 1; 0 if the init is gone; -errno and *err
 */
int act_receive(const struct act *a, int sock, char *ret_byte, struct err *err) MUST_CHECK;

/*
 * act_child_gone() - the child closed its socket too early: find out why, from the page or from how it ended
 * @in_exec: the child's last step was EXEC, so an end of the socket can also mean that it is executing the program
 * Return: 0 if it executes (or executed) the program; otherwise the error's code, *err filled
 */
int act_child_gone(struct act *a, bool in_exec, struct err *err);

/* act_undo() - undo, last first, what this process's steps before a->index made; and what the child left in the rootfs */
void act_undo(struct act *a);

/* act_warn() - one more line for the log, from a step that goes on: what could not be done, and why */
void act_warn(struct act *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* act_report_warnings() - pass the lines of act_warn() on to whom the options name */
void act_report_warnings(const struct act *a);

/*
 * act_close_unneeded() - close every fd but those that the child's later steps read, those that the caller wants
 * preserved, the standard streams, @keep and @also (-EBADF: none)
 *
 * What a process of the container's does not hold, nobody in the container can take from it (rows ).
 *
 * Return: 0; -errno
 */
int act_close_unneeded(const struct act *a, int keep, int also) MUST_CHECK;

/*
 * act_made() - note that the child made something in the rootfs directory, for undo; an os_made_fn
 * @act:    this process's struct act
 * @parent: fd of the directory it is in
 * @path:   relative to the rootfs
 * @name:   its last component
 *
 * Does nothing if it is on another filesystem than the rootfs (a mount of the container's own).
 */
void act_made(void *act, int parent, const char *path, const char *name);

/* act_made_by_step() - the same for a node or link that the running step describes in full: it need not be looked at */
void act_made_by_step(struct act *a, const char *path);

#endif
