/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: the start of a container as a flat list of small typed steps.
 *
 * plan_create() turns a config and the facts of the host into a struct plan, without a system call. One list holds
 * what four processes do: the parent (tare-oci create or run), the stage (a short-lived helper, only there when a
 * namespace is joined), the child (the container's init until it executes the user's program) and the starter
 * (tare-oci start; for run it is the parent again). Each process runs its own steps in the list's order; a hand-over
 * is a step on both sides. All strings and numbers are resolved; what a step makes at run time (an fd) goes to a
 * numbered slot that later steps name.
 *
 * From the same list come the run itself (act.c), `explain` and `--trace`, undo, golden tests and fault injection.
 */
#ifndef TARE_RUNTIME_PLAN_H
#define TARE_RUNTIME_PLAN_H

/* Columns, set by hand: clang-format would give each member a paragraph. */
/* clang-format off */

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/knobs.h"
#include "cgroup/make.h"
#include "cgroup/unit.h"
#include "runtime/facts.h"
#include "spec/config.h"

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

enum step_who { STEP_PARENT, STEP_STAGE, STEP_CHILD, STEP_STARTER, STEP_WHOS };

/*
 * What a step leaves on the host. MAKES steps have an undo that the parent runs, in reverse order, when a later step
 * fails. DIES is for what vanishes with the process or its namespaces; NONE changes nothing that outlives the call.
 */
enum step_effect { EFFECT_NONE, EFFECT_DIES, EFFECT_MAKES };

/*
 * Every kind of step: constant, name in messages and `explain`, effect. The function that acts is step_<lower case>();
 * its arguments are the member of step.u with the same name, where there is one.
 */
#define STEP_KINDS(X)                                                                              \
	/* state on disk and hand-over (step_state.c, step_sync.c) */                              \
	X(STATE_MAKE, state_make, "make-state", EFFECT_MAKES)                                      \
	X(STATE_WRITE, state_write, "write-state", EFFECT_NONE)                                    \
	X(PID_FILE, pid_file, "write-pid-file", EFFECT_MAKES)                                      \
	X(PIDFD_SEND, pidfd_send, "send-pidfd", EFFECT_NONE)                                       \
	X(NOTIFY_MAKE, notify_make, "make-notify-directory", EFFECT_DIES)                          \
	X(NOTIFY_BIND, notify_bind, "bind-notify-socket", EFFECT_DIES)                             \
	X(NOTIFY_RELAY, notify_relay, "relay-readiness", EFFECT_NONE)                              \
	X(START_BIND, start_bind, "bind-start-socket", EFFECT_DIES)                                \
	X(START_LISTEN, start_listen, "listen-start-socket", EFFECT_DIES)                          \
	X(START_ACCEPT, start_accept, "wait-for-start", EFFECT_NONE)                               \
	X(START_CONNECT, start_connect, "connect-start-socket", EFFECT_NONE)                       \
	X(EXEC_WAIT, exec_wait, "wait-for-exec", EFFECT_NONE)                                      \
	X(LISTENER_CONNECT, listener_connect, "connect-seccomp-agent", EFFECT_DIES)                \
	X(LISTENER_SEND, listener_send, "send-seccomp-listener", EFFECT_NONE)                      \
	X(SYNC_SEND, sync_send, "signal", EFFECT_NONE)                                             \
	X(SYNC_WAIT, sync_wait, "wait", EFFECT_NONE)                                               \
	/* processes and namespaces (step_ns.c) */                                                 \
	X(PROC_OPEN, proc_open, "open-proc", EFFECT_DIES)                                          \
	X(NS_OPEN, ns_open, "open-namespace", EFFECT_DIES)                                         \
	X(STAGE_FORK, stage_fork, "fork-stage", EFFECT_MAKES)                                              \
	X(NS_JOIN, ns_join, "join-namespace", EFFECT_DIES)                                         \
	X(INIT_OPEN, init_open, "open-init", EFFECT_DIES)                                          \
	X(NS_ENTER, ns_enter, "enter-namespaces", EFFECT_DIES)                                     \
	X(CLOSE_UNNEEDED, close_unneeded, "close-unneeded-fds", EFFECT_DIES)                       \
	X(CLONE, clone, "clone", EFFECT_MAKES)                                                     \
	X(ID_MAP, id_map, "write-id-map", EFFECT_DIES)                                             \
	X(NS_ROOT, ns_root, "become-namespace-root", EFFECT_DIES)                                  \
	X(TIME_NS, time_ns, "unshare-time", EFFECT_DIES)                                           \
	X(CGROUP_NS, cgroup_ns, "unshare-cgroup", EFFECT_DIES)                                     \
	X(LOOPBACK, loopback, "loopback-up", EFFECT_DIES)                                          \
	X(NET_OPEN, net_open, "open-network", EFFECT_DIES)                                         \
	X(NET_DEVICE, net_device, "move-network-device", EFFECT_MAKES)                             \
	X(HOSTNAME, hostname, "set-hostname", EFFECT_DIES)                                         \
	X(DOMAINNAME, domainname, "set-domainname", EFFECT_DIES)                                   \
	X(SYSCTL, sysctl, "write-sysctl", EFFECT_DIES)                                             \
	/* restore (step_criu.c) */                                                                \
	X(CRIU_START, criu_start, "start-criu", EFFECT_MAKES)                                      \
	X(CRIU_NAMESPACES, criu_namespaces, "restore-namespaces", EFFECT_DIES)                     \
	X(CRIU_PROCESSES, criu_processes, "restore-processes", EFFECT_DIES)                        \
	X(CRIU_RELEASE, criu_release, "release-processes", EFFECT_NONE)                            \
	/* cgroups (step_cgroup.c) */                                                              \
	X(CGROUP_MAKE, cgroup_make, "make-cgroup", EFFECT_MAKES)                                   \
	X(CGROUP_WRITE, cgroup_write, "write-cgroup", EFFECT_DIES)                                 \
	X(CGROUP_DEVICES, cgroup_devices, "attach-device-filter", EFFECT_DIES)                     \
	X(CGROUP_CHOWN, cgroup_chown, "delegate-cgroup", EFFECT_DIES)                              \
	X(CGROUP_OPEN, cgroup_open, "open-cgroup", EFFECT_DIES)                                    \
	X(CGROUP_SUB, cgroup_sub, "make-sub-cgroup", EFFECT_DIES)                                  \
	X(CGROUP_JOIN, cgroup_join, "join-cgroup", EFFECT_DIES)                                    \
	/* Intel RDT (step_rdt.c) */                                                               \
	X(RDT_GROUP, rdt_group, "make-rdt-group", EFFECT_MAKES)                                    \
	X(RDT_MONITOR, rdt_monitor, "make-rdt-monitor", EFFECT_MAKES)                              \
	X(RDT_JOIN, rdt_join, "join-rdt-group", EFFECT_DIES)                                       \
	/* units of systemd's (step_unit.c) */                                                     \
	X(UNIT_START, unit_start, "start-unit", EFFECT_MAKES)                                      \
	X(UNIT_LEAVE, unit_leave, "leave-unit", EFFECT_DIES)                                       \
	X(UNIT_SET, unit_set, "set-unit", EFFECT_DIES)                                             \
	/* filesystem (step_mount.c, step_device.c) */                                             \
	X(ROOT_OPEN, root_open, "open-rootfs", EFFECT_DIES)                                        \
	X(SOURCE_OPEN, source_open, "open-source", EFFECT_DIES)                                    \
	X(EMPTY_DIR, empty_dir, "make-empty-directory", EFFECT_DIES)                               \
	X(ID_MAP_NS, id_map_ns, "make-idmap-namespace", EFFECT_DIES)                               \
	X(IDMAP, idmap, "idmap-source", EFFECT_DIES)                                               \
	X(PROPAGATION, propagation, "set-propagation", EFFECT_DIES)                                \
	X(ROOT_ATTACH, root_attach, "attach-rootfs", EFFECT_DIES)                                  \
	X(MOUNT, mount, "mount", EFFECT_DIES)                                                      \
	X(ATTACH, attach, "attach", EFFECT_DIES)                                                   \
	X(COPY_UP, copy_up, "copy-up", EFFECT_DIES)                                                \
	X(SYMLINK, symlink, "symlink", EFFECT_DIES)                                                \
	X(DEVICE, device, "make-device", EFFECT_DIES)                                              \
	X(DEVICE_BIND, device_bind, "bind-device", EFFECT_DIES)                                    \
	X(CONSOLE, console, "make-console", EFFECT_DIES)                                           \
	X(CONSOLE_SOCKET, console_socket, "connect-console-socket", EFFECT_DIES)                   \
	X(CONSOLE_RECEIVE, console_receive, "receive-console", EFFECT_DIES)                        \
	X(PIVOT, pivot, "pivot-root", EFFECT_DIES)                                                 \
	X(CHROOT, chroot, "chroot", EFFECT_DIES)                                                   \
	X(ROOT_READONLY, root_readonly, "make-root-read-only", EFFECT_DIES)                        \
	X(MASK, mask, "mask-path", EFFECT_DIES)                                                    \
	X(READONLY, readonly, "make-path-read-only", EFFECT_DIES)                                  \
	/* process attributes (step_process.c, step_limits.c) */                                   \
	X(HOOK_OUTPUT, hook_output, "open-hook-output", EFFECT_DIES)                               \
	X(HOOK, hook, "run-hook", EFFECT_NONE)                                                     \
	X(LABEL, label, "set-security-label", EFFECT_DIES)                                         \
	X(KEYRING, keyring, "join-session-keyring", EFFECT_DIES)                                   \
	X(RLIMIT, rlimit, "set-rlimit", EFFECT_DIES)                                               \
	X(OOM_SCORE_ADJ, oom_score_adj, "write-oom-score-adj", EFFECT_DIES)                        \
	X(SCHEDULER, scheduler, "set-scheduler", EFFECT_DIES)                                      \
	X(IO_PRIORITY, io_priority, "set-io-priority", EFFECT_DIES)                                \
	X(AFFINITY_RESET, affinity_reset, "reset-cpu-affinity", EFFECT_DIES)                       \
	X(AFFINITY, affinity, "set-cpu-affinity", EFFECT_DIES)                                     \
	X(MEMORY_POLICY, memory_policy, "set-memory-policy", EFFECT_DIES)                          \
	X(PERSONALITY, personality, "set-personality", EFFECT_DIES)                                \
	X(SESSION, session, "new-session", EFFECT_DIES)                                            \
	X(UNDUMPABLE, undumpable, "forbid-tracing", EFFECT_DIES)                                   \
	X(SIGNALS, signals, "reset-signals", EFFECT_DIES)                                          \
	X(FIND_EXECUTABLE, find_executable, "find-executable", EFFECT_NONE)                        \
	X(HOME, home, "set-home", EFFECT_DIES)                                                     \
	X(CWD, cwd, "change-directory", EFFECT_DIES)                                               \
	X(STDIO_OWNER, stdio_owner, "own-stdio", EFFECT_DIES)                                      \
	X(UMASK, umask, "set-umask", EFFECT_DIES)                                                  \
	X(CLOSE_FDS, close_fds, "close-fds", EFFECT_DIES)                                          \
	X(BOUNDING, bounding, "drop-bounding-set", EFFECT_DIES)                                    \
	X(IDS, ids, "set-ids", EFFECT_DIES)                                                        \
	X(CAPABILITIES, capabilities, "set-capabilities", EFFECT_DIES)                             \
	X(NO_NEW_PRIVS, no_new_privs, "set-no-new-privs", EFFECT_DIES)                             \
	X(SECCOMP, seccomp, "load-seccomp", EFFECT_DIES)                                           \
	X(EXEC, exec, "execute", EFFECT_DIES)

#define STEP_ENUM(upper, lower, name, effect) STEP_##upper,
enum step_kind { STEP_KINDS(STEP_ENUM) STEP_KIND_COUNT };
#undef STEP_ENUM

extern const char *const step_names[STEP_KIND_COUNT];
extern const enum step_effect step_effects[STEP_KIND_COUNT];

#define SLOT_NONE (-1)
#define STEP_INPUTS 4

/* Tokens of SYNC_SEND and SYNC_WAIT, one byte each on the parent-child socket pair. */
enum sync_token {
	SYNC_MAPPED = 'm',        /* parent -> child: id maps, idmapped sources and limits are done */
	SYNC_RUNTIME_HOOKS = 'r', /* child -> parent: mounts are done, run prestart and createRuntime */
	SYNC_HOOKS_DONE = 'h',    /* parent -> child */
	SYNC_CREATED = 'c',       /* child -> parent: everything up to start is done */
	SYNC_CONSOLE = 'p',       /* child -> parent, with the master of the pty; by CONSOLE and CONSOLE_RECEIVE */
	SYNC_LISTENER = 'l',      /* child -> parent or starter: about to load a filter with a listener; by SECCOMP and LISTENER_SEND */
	SYNC_RELEASED = 'd',      /* parent -> child: the record says created; you may outlive me (create) or go on (run) */
};

struct step {
	enum step_who who;
	enum step_kind kind;
	int16_t in[STEP_INPUTS]; /* slots that are read, SLOT_NONE when unused */
	int16_t out;             /* slot that is written, or SLOT_NONE */
	const char *pointer;     /* JSON pointer it came from, "" when it comes from no property */
	union {
		struct { enum sync_token token; } sync_send, sync_wait;
		struct { const char *status; /* "creating", "created", "running" */ } state_write;
		struct { const char *path; } pid_file;       /* absolute */
		struct { const char *path; } pidfd_send;     /* socket to connect to; the fd goes there with the id as payload */
		struct { const char *host; /* the service manager's socket */ } notify_relay; /* in[0]: the container's */
		struct { const char *path; } listener_connect; /* of the agent that will answer notifications; out: connected socket */
		struct { const char *parts[3]; /* container process state, with the pid between them; the last may be NULL */ } listener_send; /* in[0]: the socket */
		struct { enum ns_type type; const char *path; bool not_own; /* the config writes to it: the runtime's own is refused */ } ns_open;
		struct { enum ns_type type; } ns_join;       /* in[0]: the namespace */
		struct { bool shared; /* in the parent's memory, while that sleeps */ } stage_fork; /* in[0]: cgroup2 directory or none; out: pidfd of the child */
		struct { const char *host_name, *name; /* the latter may have a %d in it */ } net_device; /* in[0]: netlink socket in the container */
		struct { pid_t pid; uint64_t start_time; } init_open; /* out: pidfd */
		struct { uint64_t flags; /* CLONE_NEW* */ pid_t pid; } ns_enter; /* in[0]: pidfd of the process whose they are, in[1]: proc */
		struct { uint64_t flags; /* CLONE_NEW*, no signal */ } clone; /* in[0]: cgroup2 directory or none; out: pidfd */
		struct {
			const char *uid_map, *gid_map;        /* text as written to the files */
			bool uid_helper, gid_helper;          /* newuidmap, newgidmap write them: we may not */
			bool deny_groups;                     /* the price of a gid_map without a right to it (row X-17) */
		} id_map; /* in[0]: proc */
		struct { struct config_time_offset monotonic, boottime; } time_ns; /* in[0]: proc */
		struct { const char *name; } hostname, domainname;
		struct { const char *key; const char *path; /* below /proc/sys */ const char *value; } sysctl; /* in[0]: proc */

		struct {
			const struct criu_options *options;   /* but for what is only known then: root, fds */
			const struct criu_files *namespaces;  /* files that CRIU inherits: name and path */
			const struct criu_points *points;     /* mount points that it needs */
			const char *image, *log_path;         /* absolute */
			const char *cgroup2;                  /* as struct criu_setup has it */
			int image_dir, work_dir;              /* open fds of the caller's */
		} criu_start;

		struct {
			struct cgroup_request request;        /* `expected` is looked up just before acting */
			const char *controller;               /* label in messages */
			const char *sub;                      /* CGROUP_SUB's name below it, or NULL */
		} cgroup_make; /* out: directory */
		struct {
			const char *dir;
			struct cgroup_write write;
		} cgroup_write; /* in[0]: directory */
		struct { const char *dir; const void *insns; uint32_t n; /* struct bpf_insn */ } cgroup_devices; /* in[0] */
		struct { const char *dir, *name; /* "container" or "container/more" */ } cgroup_sub; /* in[0]; out: the last directory */
		struct {
			struct unit unit;
			struct unit_property_list properties;
			const char *cgroup;                   /* where it has to be, below the mount: "/system.slice/tare-web.scope" */
			bool is_slice;                        /* then nobody is in it at first */
		} unit_start; /* out: pidfd of the process that is in it until the init is; SLOT_NONE for a slice */
		struct { struct unit unit; struct unit_property_list properties; } unit_set;
		struct { const char *dir; uint32_t uid, gid; } cgroup_chown; /* in[0]; host ids */
		struct { const char *dir; /* absolute */ } cgroup_open; /* out: directory of a cgroup2 */
		struct { const char *dir; const char *tasks; /* absolute; or below in[0], the v1 directory */ } cgroup_join;
		struct { const char *path; int wish; /* enum rdt_wish */ const char *lines; /* for schemata */ } rdt_group; /* out: directory */
		struct { const char *path; } rdt_monitor; /* out: directory */
		struct { const char *path; /* for messages; or if in[0] is SLOT_NONE */ } rdt_join; /* in[0]: directory */

		struct {
			const char *path;                     /* absolute host path */
			bool detached;                        /* out: a detached tree (new mount namespace), else the plain O_PATH directory */
			bool made;                            /* the caller of create has the detached tree already: act->options->rootfs_tree */
			uint64_t propagation;                 /* MS_SLAVE or MS_PRIVATE for the whole tree */
		} root_open;
		struct {
			const char *path;                     /* absolute host path */
			bool recursive, nofollow;
			uint64_t attr_set, attr_clr;          /* MOUNT_ATTR_* for the top */
			uint64_t rec_attr_set, rec_attr_clr;  /* and for the whole tree, applied first */
			uint64_t propagation, rec_propagation; /* MS_SHARED...; 0: as the source has it */
			bool check_device; char dev_type; uint32_t dev_major, dev_minor; /* it must be this very device */
		} source_open; /* out: detached tree */
		struct { const char *data; /* options of its tmpfs, or NULL */ } empty_dir; /* out: detached tree */
		struct { const char *uid_map, *gid_map; } id_map_ns; /* out: user namespace fd */
		struct { const char *path; bool recursive; } idmap;  /* in[0]: tree, in[1]: user namespace or SLOT_NONE: the child's own (parent, after clone) */
		struct { uint64_t propagation; /* MS_* */ bool recursive; /* of "/": the host's before PIVOT, the container's after it */ } propagation;
		struct { const char *path; } root_attach; /* in[0]: tree; child attaches it on the host path */
		struct {
			const char *fstype, *source, *target; /* target absolute in the container; source never NULL */
			unsigned long flags;                  /* MS_* for mount(2) */
			const char *data;                     /* NULL or text below one page */
			uint64_t propagation;                 /* MS_SHARED...; 0: leave; one mount, or MS_REC */
			uint64_t attr_set, attr_clr;          /* mount_setattr after mounting, not recursive */
			uint64_t rec_attr_set, rec_attr_clr;
			bool keep_mode;                       /* tmpfs without mode=: give it the mode and owner of the directory below (M-6) */
			bool remount;                         /* change the mount that is there: by attr_* alone if fstype is NULL, else the filesystem too */
			const char *label;                    /* SELinux label for its root, where there is no option for it; or NULL */
			bool here;                            /* the target's parent is an own, empty tmpfs, in[1]: make the last component in it */
		} mount; /* in[0]: rootfs; out: the tmpfs itself, for steps with `here`, or SLOT_NONE */
		struct {
			const char *target;
			const char *source;                   /* for messages */
			bool nofollow;                        /* dest-nofollow: a link in the last component is covered itself */
			bool copy_symlink;                    /* a source that is a link is made again at the target instead */
			bool need_proc;                       /* the target is /proc: nothing but a procfs may be put there */
			bool here;                            /* as for MOUNT, but the tmpfs is in[2] */
		} attach; /* in[0]: rootfs, in[1]: tree; attributes and propagation were set by SOURCE_OPEN */
		struct {
			const char *target, *source, *data;
			unsigned long flags;                  /* MS_* of the tmpfs */
			uint64_t propagation;
			bool keep_mode;                       /* as for MOUNT */
		} copy_up; /* in[0]: rootfs */
		struct {
			const char *target, *path;            /* what it says, and where it is */
			bool replace;                         /* something else that is there is replaced, else it stays */
			bool on_rootfs;                       /* no mount of the plan covers it, so undo must know of it */
		} symlink; /* in[0]: rootfs, in[1]: the directory itself, if the plan made it, or SLOT_NONE */
		struct {
			const char *path;
			char type;
			uint32_t major, minor, mode, uid, gid;
			bool is_default, on_rootfs;
			bool first, last;                     /* of a row: the umask is 0 from the one to the other */
			bool must_exist;                      /* the directory is the host's: check only, make and change nothing */
		} device; /* in[0]: rootfs */
		struct { const char *path; char type; uint32_t major, minor; bool on_rootfs; } device_bind; /* in[0]: rootfs, in[1]: source tree of the host's node */
		struct { bool send_to_parent; uint32_t height, width; bool mount_dev_console; } console; /* in[0]: rootfs, in[1]: console socket or SLOT_NONE */
		struct { const char *path; } console_socket; /* out: connected socket */
		struct { bool no_pivot; } pivot;             /* in[0]: rootfs, in[1]: proc, for no_pivot */
		struct { const char *path; } mask;           /* in[0]: tree of /dev/null; in[1]: empty read-only directory tree */
		struct { const char *path; } readonly;

		struct { const char *path; } hook_output;    /* absolute host path, appended to; out: fd */
		struct {
			enum hook_kind kind;
			const struct config_hook *hook;       /* a copy in the plan's arena; args never empty, args and env end in NULL */
			const char *state_before, *state_after; /* state JSON with a hole for the pid between them */
			const char *cwd;                      /* absolute, in the hook's mount namespace */
			size_t index;
		} hook; /* in[0], in[1]: where its stdout and stderr go, SLOT_NONE: into the error message */
		struct {
			const char *text;
			const char *file, *old_file;          /* below /proc/self/attr; the second is what kernels without the first have, or NULL */
		} label; /* in[0]: proc */
		struct { const char *name; } keyring;
		struct { int resource; const char *type; uint64_t soft, hard; bool only_raise; /* just make room: the hard limit if it is below */ } rlimit;
		struct { int value; } oom_score_adj; /* in[0]: proc */
		struct config_scheduler scheduler;
		struct config_io_priority io_priority;
		struct { const char *cpus; const unsigned long *mask; size_t size; /* of the mask, bytes */ } affinity;
		struct { int mode; const unsigned long *nodes; unsigned long max_node; } memory_policy; /* flags OR'ed in */
		struct { unsigned long domain; } personality;
		struct { const char *name; /* args[0] */ const char *path; /* absolute, where to look if name has a slash; else NULL */ struct str_list path_dirs; /* absolute */ } find_executable; /* result stays in act->executable */
		struct { uint32_t uid; } home;
		struct { const char *path; bool create; bool again; /* as the user, if it was not possible before */ } cwd;
		struct { uint32_t uid; } stdio_owner;
		struct { uint32_t mask; } umask;
		struct { unsigned preserve_fds; } close_fds;
		struct { uint64_t keep; int last_cap; } bounding;
		struct { uint32_t uid, gid; const uint32_t *gids; size_t n_gids; bool set_groups; bool keep_caps; } ids;
		struct { uint64_t effective, permitted, inheritable, ambient; bool with_ambient; /* else the ambient set is left as it is */ } capabilities;
		struct { const struct sock_filter *insns; uint16_t n; uint32_t flags; bool listener; /* ask for one, and wait until it is with the agent */ } seccomp;
		struct {
			char *const *argv;          /* NULL: the config has no process, so `start` must fail */
			char **envp; size_t n_env;  /* the last slot before NULL is free for HOME */
			char *listen_pid;           /* an entry of envp, "LISTEN_PID=" with room for the pid; or NULL */
			struct str_list path_dirs;  /* where to go on looking when the user may not execute what root found */
		} exec;
	} u;
};

struct plan {
	struct arena arena; /* owns everything the steps point at */
	struct step *steps;
	size_t n_steps, capacity;
	const char **slot_names; /* for messages and explain */
	size_t n_slots, slot_capacity;
	bool foreground;         /* run without --detach */
	bool enters;             /* exec: a further process in a container that is there */
	bool restores;           /* CRIU makes the processes: none of them is ours */
	struct config_ignored_list ignored; /* copied from the config, more added by the planners */
	struct str_list warnings;           /* complete lines for the log, e.g. a capability that can't be granted */
};

/* Whom the runtime tells what is no error but worth a line in the log. */
struct report {
	void (*planned)(void *to, const struct plan *plan);   /* the plan stands: its warnings, what it ignores */
	void (*warning)(void *to, const char *text);          /* something could not be done, and it goes on */
	void *to;
};

/* Who makes the cgroups: we by file, systemd, nobody. */
enum cgroup_manager { CGROUPS_FILE, CGROUPS_SYSTEMD, CGROUPS_DISABLED };

/* Where a container is in resctrl, absolute; all NULL without linux.intelRdt. */
struct container_rdt {
	const char *group, *monitor;
	bool own; /* the group is the container's own and goes with it */
};

/* What restore is asked for. Strings are borrowed. */
struct restore_options {
	const char *image_path, *work_path; /* the latter NULL: CRIU's log goes into the image */
	const char *lsm_profile, *lsm_mount_context;
	int32_t manage_cgroups;     /* enum criu_cgroup_mode */
	bool tcp_established, tcp_close, ext_unix_sk, shell_job, file_locks, auto_dedup, empty_network;
	/* by container_restore() */
	int image_dir, work_dir;
	const char *descriptors;    /* the text of CRIU_DESCRIPTORS */
	size_t descriptors_len;
	const char *state_dir;      /* absolute path of the container's state directory */
};

/* What the command line adds to the config. Strings are borrowed until plan_create() returns. */
struct create_options {
	const char *id;
	const char *bundle;         /* absolute, resolved */
	const char *rootfs;         /* absolute, resolved from root.path by the caller */
	const int *rootfs_tree;     /* a detached mount that is to be the root in the place of what is at rootfs; NULL: none */
	const char *console_socket, *pid_file, *pidfd_socket;
	const char *notify_socket;  /* NOTIFY_SOCKET of our own environment, or NULL */
	bool run;                   /* run: start at once; otherwise wait for `start` */
	bool foreground;            /* run without -d: the terminal is ours to proxy */
	bool no_pivot, no_new_keyring;
	bool strict_cgroups;        /* --rootless false: no cgroup is an error for everybody, not only for root */
	enum cgroup_manager cgroups;
	unsigned preserve_fds;      /* fds 3 .. 3+n-1 go to the container */
	unsigned listen_fds;        /* of these, the first n are LISTEN_FDS */
	const char *listen_fdnames; /* or NULL */
	const struct report *report; /* who is told what is worth a line in the log; NULL: nobody */
	const struct restore_options *restore; /* the processes come out of an image; NULL: from the config's program */
};

struct plan_input {
	const struct config *config;
	const struct facts *facts;
	const struct create_options *options;
};

/*
 * plan_create() - the list for create or run
 *
 * Pure: reads nothing of the host but @in->facts. The order of the planners in it is the policy.
 *
 * Return: 0; -EINVAL and *err with a JSON pointer when the config asks for what this host or tare can't do
 */
int plan_create(struct plan *plan, const struct plan_input *in, struct err *err) MUST_CHECK;

/* What the list for exec needs to know of the container that it enters. */
struct enter_input {
	const struct config *config;         /* as create saved it */
	const struct config_process *process; /* what to run in place of the config's */
	const struct config_ignored_list *ignored; /* of process.json; NULL: none */
	const struct facts *facts;           /* without the cgroup hierarchies */
	const struct create_options *options; /* run; id, rootfs, and what the command line says */
	pid_t pid;                           /* init, in our pid namespace */
	uint64_t start_time;
	uint64_t namespaces;                 /* CLONE_NEW* of those that init does not share with us */
	const struct cgroup_dir *cgroups;    /* which to join */
	size_t n_cgroups;
	struct container_rdt rdt;
};

/*
 * plan_enter() - the list for exec: the same kinds of steps, in an order of its own
 *
 * Pure, as plan_create().
 */
int plan_enter(struct plan *plan, const struct enter_input *in, struct err *err) MUST_CHECK;

/*
 * plan_restore() - the list for restore: what create does on the host, and CRIU in place of the container's process
 *
 * Pure, as plan_create().
 */
int plan_restore(struct plan *plan, const struct plan_input *in, struct err *err) MUST_CHECK;

/*
 * plan_check() - prove what can be proved without running: every slot is written before it is read, by a process that
 * the reader descends from; syncs pair up; steps that make something have an undo; the last child step executes.
 * Return: 0; -EPROTO with *err naming the step
 */
int plan_check(const struct plan *plan, struct err *err) MUST_CHECK;

void plan_clear(struct plan *plan);

/* ---- for the planners --------------------------------------------------------------------------------------- */

/*
 * plan_add() - append a step; the pointer is valid until the next plan_add()
 * @pointer: borrowed for ever: a literal or plan_printf()'s
 */
struct step *plan_add(struct plan *plan, enum step_who who, enum step_kind kind, const char *pointer);

/* plan_slot() - a new slot; @name (literal or in the plan's arena) is for messages */
int16_t plan_slot(struct plan *plan, const char *name);

/* plan_printf(), plan_strdup() - text in the plan's arena */
char *plan_printf(struct plan *plan, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *plan_strdup(struct plan *plan, const char *text);

/* plan_warn() - one more line for the log; plan_ignore() - one more entry of "ignored" */
void plan_warn(struct plan *plan, const char *fmt, ...) PRINTF_LIKE(2, 3);
void plan_ignore(struct plan *plan, const char *pointer, const char *why);

/* Slots that several planners need; SLOT_NONE until the one who makes it has run. */
struct plan_slots {
	int16_t rootfs;       /* the container's root */
	int16_t proc;         /* the host's procfs, verified */
	int16_t null_source;  /* detached tree of /dev/null, to be cloned for masks */
	int16_t empty_source; /* detached read-only empty directory, to be cloned for masks */
	int16_t cgroup2;      /* directory to clone into, or SLOT_NONE */
	int16_t console_socket;
	int16_t init;         /* exec: pidfd of the container's init */
};

#endif
