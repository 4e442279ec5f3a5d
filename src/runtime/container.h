/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a container as the commands see it: create, start, state, list, ps, pause, kill, delete.
 *
 * A container is a directory ROOT/ID: `state.json` (the record, replaced by rename), `config.json` (the bytes that create
 * read, with the limits as update left them; nothing is ever read from the bundle again), `start.sock` while the container waits for `start`. The directory
 * itself carries the flock. Reading takes no lock; create, start and delete hold it, but not across a hook.
 */
#ifndef TARE_RUNTIME_CONTAINER_H
#define TARE_RUNTIME_CONTAINER_H

#include "runtime/plan.h"

#include <stdio.h>
#include <sys/types.h>

enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};

/* "creating", "created", "running", "paused", "stopped" */
extern const char *const container_status_names[];

/* The record, with what is derived from the process when it is read. Strings live in the arena given to the reader. */
struct container {
	const char *id, *bundle, *rootfs; /* absolute */
	const char *created;              /* RFC 3339, UTC, nanoseconds */
	enum container_status status;
	pid_t pid; /* of init in our pid namespace; 0 when stopped */
	/* field 22 of /proc/PID/stat: with pid it names one process for ever */
	uint64_t start_time;
	uint32_t owner;      /* uid that created it */
	bool private_pid_ns; /* the kernel ends everything in it together with its init */
	bool has_notify;     /* it has a socket to notify through */
	bool has_process;    /* config.json had a process: it can be started */
	/* config.json is parsed again only if one of these needs it */
	bool has_poststart, has_poststop, has_listener;
	bool no_new_keyring; /* it has its caller's session keyring, and exec gives none either */
	uint64_t pid_ns;     /* inode of the pid namespace that pid and creator are seen from */
	pid_t creator;       /* of a `creating` record: the runtime that makes it */
	uint64_t creator_start_time;
	/* still `creating`, but its creator is gone: the rest of a killed runtime */
	bool left_over;
	struct key_value_list annotations;
	struct cgroup_dir *cgroups; /* one in each hierarchy */
	size_t n_cgroups;
	struct container_rdt rdt;
	struct unit unit; /* systemd's, that the cgroups are of; name NULL: made by file */
	/* the pipes that its init was given, "pipe:[INODE]"; "": something else */
	const char *stdio[3];
};

/* container_id_check() - is @id a legal id: 1..1024 of [A-Za-z0-9_+.-], not starting with "." or "-" (rows Z-12, 2.2) */
int container_id_check(const char *id, struct err *err) MUST_CHECK;

/* What container_create() gives back; container_started_clear() takes it. */
struct container_started {
	pid_t pid;
	int pidfd;
	int console_master; /* foreground run with a terminal, else -EBADF */
	int notify_socket;  /* foreground run whose readiness somebody waits for, else -EBADF */
	/* Foreground run: what container_end() needs, so that it need not be read again */
	int state_dir;               /* the directory fd; else -EBADF */
	struct container *container; /* in @arena; NULL if only the record can tell */
	struct arena arena;
};

/* Something that was done before the plan, for the trace to begin with. */
struct trace_span {
	const char *name, *command; /* what it is, and what a person could type for it */
	int64_t start_ns, end_ns;   /* CLOCK_REALTIME */
};

/* Where the trace of a start goes; NULL stream: none. */
struct trace_options {
	FILE *stream;
	bool json; /* trace-event form instead of a table */
	const struct trace_span *earlier;
	size_t n_earlier;
};

/*
 * container_create() - `create`, or `run` up to the running program when @options->run
 * @root:    the runtime's --root, made if it is missing (mode 0711)
 * @options: ids, paths; bundle need not be resolved; rootfs and state_dir are filled in here
 * @config_fd: config.json, read whole here; -EBADF: open it in the bundle
 *
 * On failure nothing is left: no process, cgroup, mount, state directory or file.
 * Return: 0; -errno and *err
 */
int container_create(const char *root, struct create_options *options, int config_fd,
		     const struct trace_options *trace, struct container_started *ret,
		     struct err *err) MUST_CHECK;

void container_started_clear(struct container_started *started);

/*
 * container_end() - remove the container of a foreground run whose init has ended and was reaped
 * @started: from container_create()
 *
 * As container_delete(), but for the little that can have changed meanwhile it does not ask.
 */
int container_end(const char *root, const char *id, struct container_started *started,
		  const struct report *report, struct err *err) MUST_CHECK;

/*
 * container_start() - let a created container execute its program; returns when it has, and poststart hooks are done
 * @notify_socket: the service manager's, to which its readiness is passed on before that; NULL: nobody waits
 */
int container_start(const char *root, const char *id, const char *notify_socket,
		    const struct trace_options *trace, const struct report *report,
		    struct err *err) MUST_CHECK;

/* What exec's options change about the process. Strings are borrowed. */
struct process_changes {
	struct str_list args;            /* n > 0: the program and its arguments */
	struct str_list env, caps, gids; /* added: NAME=VALUE, CAP_*, group ids */
	const char *cwd, *user;          /* UID[:GID] */
	const char *apparmor, *label;    /* profile, SELinux label */
	bool tty, no_new_privs;
};

struct exec_options {
	/* id, console_socket, pid_file, pidfd_socket, foreground, preserve_fds, report */
	struct create_options common;
	int process_fd; /* process.json; -EBADF: the container's own process is what gets changed */
	struct process_changes changes;
	struct str_list cgroups; /* as cgroup_choose_below() takes them */
	bool ignore_paused;
};

/*
 * container_exec() - a further process in a container that runs; returns when it executes its program
 *
 * On failure nothing is left: no process, no pid file. Nothing is read from the bundle.
 * Return: 0; -ESRCH and "container not running"; -ENOENT and "... does not exist"; -errno and *err
 */
int container_exec(const char *root, struct exec_options *options,
		   const struct trace_options *trace, struct container_started *ret,
		   struct err *err) MUST_CHECK;

/*
 * container_load() - read the record and look at the process
 * Return: 0; -ENOENT and *err "container \"x\" does not exist"
 */
int container_load(struct arena *arena, const char *root, const char *id, struct container *ret,
		   struct err *err) MUST_CHECK;

/*
 * container_list() - every container below @root, by name. One that can't be read is reported by @broken and skipped
 * (@broken may be NULL; @to is passed to it). Stale `creating` records of dead runtimes are cleaned up on the way.
 * What only commands on one container need (cgroups, unit) is left out.
 * Return: 0, also when @root is not there; -errno
 */
int container_list(struct arena *arena, const char *root, struct container **ret, size_t *ret_n,
		   void (*broken)(void *to, const char *id, const struct err *err), void *to,
		   struct err *err) MUST_CHECK;

/*
 * container_kill() - send @signal to init, by pidfd and start time; @all (and SIGKILL without a private pid namespace): to
 * every process in its cgroup
 * Return: 0; -ESRCH and "container not running"; -ENOENT and "... does not exist"
 */
int container_kill(const char *root, const char *id, int signal, bool all,
		   struct err *err) MUST_CHECK;

/*
 * container_pause(), container_resume() - stop every process of a created or running container, and let them go on
 *
 * The status "paused" is the freezer's; the record doesn't change. A pause that can't be completed is taken back.
 * Return: 0; -ESRCH and "container not running", or -EINVAL and "container not paused"; -ETIMEDOUT; -errno
 */
int container_pause(const char *root, const char *id, struct err *err) MUST_CHECK;
int container_resume(const char *root, const char *id, struct err *err) MUST_CHECK;

/*
 * container_update() - change some of the limits of a container that has not stopped
 * @text:   a LinuxResources object in JSON; what it doesn't give stays
 * @rdt:    new lines for its class of service in resctrl, which keeps them itself; those that are NULL stay
 * @report: hears of names in it that nobody knows
 *
 * What can't be put into force is an error, and what was changed before it is taken back as far as possible. The result is
 * kept in the saved config.json, where the next update starts.
 * Return: 0; -ESRCH and "container not running"; -EINVAL with a pointer that counts from @text; -errno
 */
int container_update(const char *root, const char *id, const char *text, size_t len,
		     const struct config_intel_rdt *rdt, const struct report *report,
		     struct err *err) MUST_CHECK;

/* Who gets the lines of events; write() returns 0, or -errno to end it */
struct event_sink {
	int (*write)(void *to, const char *text, size_t len);
	void *to;
};

/*
 * container_events() - one line of JSON for each event, until the container ends
 * @interval_ms: between two "stats" events; 0: one at once, and that is all
 *
 * Return: 0; -ESRCH and "container not running"; -errno, also @sink's
 */
int container_events(const char *root, const char *id, int interval_ms,
		     const struct event_sink *sink, struct err *err) MUST_CHECK;

/* What checkpoint is asked for. Strings are borrowed. */
struct checkpoint_options {
	const char *id;
	const char *image_path;  /* where the image goes; made, with what is missing above it */
	const char *work_path;   /* where CRIU's log goes; NULL: into the image */
	const char *parent_path; /* an earlier image, relative to this one; NULL: none */
	const char *page_server; /* its address; NULL: memory goes into the image */
	int32_t page_server_port;
	int32_t manage_cgroups; /* enum criu_cgroup_mode */
	bool leave_running, pre_dump, auto_dedup, empty_network;
	bool tcp_established, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job, file_locks;
};

/*
 * container_checkpoint() - write a running or paused container's processes into an image
 *
 * Afterwards there is no container any more, unless it is left running or this is a pre-dump. On failure it goes on as
 * before. Nothing but the image and CRIU's log is left.
 *
 * Return: 0; -EINVAL and "container cannot be checkpointed in ... state"; -errno, and what CRIU's log says
 */
int container_checkpoint(const char *root, const struct checkpoint_options *options,
			 const struct report *report, struct err *err) MUST_CHECK;

/*
 * container_restore() - a container from an image: create, but that CRIU brings the processes back
 * @options: as for container_create(); run is set here
 * @restore: what begins with "by" in it is filled in here
 *
 * On failure nothing is left but CRIU's log: no process, cgroup, mount, state directory or file.
 * Return: 0; -errno and *err
 */
int container_restore(const char *root, struct create_options *options,
		      struct restore_options *restore, const struct trace_options *trace,
		      struct container_started *ret, struct err *err) MUST_CHECK;

/*
 * container_pids() - the processes of a container by their numbers in our pid namespace, ascending; none once it has stopped
 */
int container_pids(struct arena *arena, const char *root, const char *id, pid_t **ret_pids,
		   size_t *ret_n, struct err *err) MUST_CHECK;

/*
 * container_delete() - remove a stopped container: cgroups, then poststop hooks, then the state directory
 * @force: kill it first; an unknown id is success
 */
int container_delete(const char *root, const char *id, bool force, const struct report *report,
		     struct err *err) MUST_CHECK;

#endif
