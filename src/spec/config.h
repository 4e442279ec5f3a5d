/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime config (config.json) as structs, with the spec's words for the spec's things.
 *
 * Where "absent" and a value like 0 mean different things the member is one of the opt_ types. Lists keep the file's
 * order. Strings are NUL-terminated, hold no other NUL and live, like everything else here, in the arena that was given
 * to config_read(). A string member that is NULL was absent. Enumerations are the kernel's or our own constants,
 * already looked up, so nothing after the reader compares words.
 *
 * Spec: runtime-spec 1.3 config.md, config-linux.md
 */
#ifndef TARE_SPEC_CONFIG_H
#define TARE_SPEC_CONFIG_H

/* Columns, set by hand: clang-format would give each member a paragraph. */
/* clang-format off */

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What we accept as ociVersion: these, all between them, and later patch levels of the last. */
#define SPEC_VERSION_MIN "1.0.0"
#define SPEC_VERSION     "1.3.0"

struct opt_bool { bool set, v; };
struct opt_i64 { bool set; int64_t v; };
struct opt_u64 { bool set; uint64_t v; };
struct opt_u32 { bool set; uint32_t v; };
struct opt_u16 { bool set; uint16_t v; };

struct str_list { const char **items; size_t n; };
struct u32_list { uint32_t *items; size_t n; };

struct key_value { const char *key, *value; };
struct key_value_list { struct key_value *items; size_t n; };

/* Spec: config-linux.md "User namespace mappings" */
struct id_map { uint32_t container_id, host_id, size; };
struct id_map_list { struct id_map *items; size_t n; };

/* ---- root, mounts ------------------------------------------------------------------------------------------- */

struct config_root {
	const char *path; /* as written: absolute, or relative to the bundle */
	bool readonly;
};

struct config_mount {
	const char *destination; /* as written */
	const char *source, *type;
	struct str_list options; /* words as written; runtime/mount_words.c gives them meaning */
	struct id_map_list uid_mappings, gid_mappings;
};
struct config_mount_list { struct config_mount *items; size_t n; };

/* ---- process ------------------------------------------------------------------------------------------------ */

struct config_rlimit {
	int resource;     /* RLIMIT_* */
	const char *type; /* the word, e.g. "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};
struct config_rlimit_list { struct config_rlimit *items; size_t n; };

/* Sets of capabilities by bit (1ULL << CAP_*). Names that nobody knows are in `unknown`, warned about. */
struct config_capabilities {
	bool set; /* the object was there */
	uint64_t effective, bounding, inheritable, permitted, ambient;
	struct str_list unknown; /* "CAP_FOO", each once */
};

struct config_scheduler {
	bool set;
	uint32_t policy; /* SCHED_* */
	int32_t nice, priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime_ns, deadline_ns, period_ns;
};

struct config_io_priority {
	bool set;
	int class; /* IOPRIO_CLASS_*: RT 1, BE 2, IDLE 3 */
	int priority;
};

struct config_process {
	bool set; /* process may be absent until start */
	bool terminal;
	uint32_t console_height, console_width; /* characters; 0 when absent */
	const char *cwd;
	struct str_list env, args;
	struct config_rlimit_list rlimits;
	const char *apparmor_profile, *selinux_label;
	struct config_capabilities capabilities;
	bool no_new_privileges;
	struct opt_i64 oom_score_adj;
	struct config_scheduler scheduler;
	struct config_io_priority io_priority;
	const char *exec_cpu_affinity_initial, *exec_cpu_affinity_final; /* checked cpu lists */
	uint32_t uid, gid;
	struct opt_u32 umask;
	struct u32_list additional_gids;
};

/* ---- hooks -------------------------------------------------------------------------------------------------- */

enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_KINDS,
};

extern const char *const hook_names[HOOK_KINDS]; /* "prestart", "createRuntime", ... */

struct config_hook {
	const char *path;
	struct str_list args, env; /* args empty: argv is { path } */
	uint32_t timeout_s;        /* 0: none given */
};
struct config_hook_list { struct config_hook *items; size_t n; };

/* ---- linux -------------------------------------------------------------------------------------------------- */

/* Indices of our own, in the order in which runc lists them. */
enum ns_type { NS_PID, NS_NETWORK, NS_MOUNT, NS_IPC, NS_UTS, NS_USER, NS_CGROUP, NS_TIME, NS_TYPES };

extern const char *const ns_names[NS_TYPES];     /* "pid", "network", "mount", ... */
extern const uint64_t ns_clone_flags[NS_TYPES];  /* CLONE_NEWPID, ... */

enum ns_mode { NS_ABSENT, NS_NEW, NS_JOIN };

struct config_namespace {
	enum ns_mode mode;
	const char *path;    /* for NS_JOIN, absolute */
	const char *pointer; /* "/linux/namespaces/3", NULL when absent */
};

struct config_time_offset { bool set; int64_t secs; uint32_t nanosecs; };

struct config_device {
	char type;        /* c, b or p (u was read as c) */
	const char *path; /* absolute */
	uint32_t major, minor;
	struct opt_u32 file_mode; /* absent: 0666 */
	uint32_t uid, gid; /* 0 when absent */
};
struct config_device_list { struct config_device *items; size_t n; };

struct config_device_rule {
	bool allow;
	char type;                   /* a, c or b */
	struct opt_u32 major, minor; /* absent: any */
	bool read, write, mknod;     /* absent access: all three */
};
struct config_device_rule_list { struct config_device_rule *items; size_t n; };

struct config_weight_device { uint32_t major, minor; struct opt_u16 weight, leaf_weight; };
struct config_weight_device_list { struct config_weight_device *items; size_t n; };
struct config_throttle_device { uint32_t major, minor; uint64_t rate; };
struct config_throttle_device_list { struct config_throttle_device *items; size_t n; };
struct config_hugepage_limit { const char *page_size; uint64_t limit; };
struct config_hugepage_limit_list { struct config_hugepage_limit *items; size_t n; };
struct config_if_priority { const char *name; uint32_t priority; };
struct config_if_priority_list { struct config_if_priority *items; size_t n; };
struct config_rdma { const char *device; struct opt_u32 hca_handles, hca_objects; };
struct config_rdma_list { struct config_rdma *items; size_t n; };

struct config_resources {
	bool set;
	struct config_device_rule_list devices;
	struct {
		struct opt_i64 limit, reservation, swap, kernel, kernel_tcp;
		struct opt_u64 swappiness;
		struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
	} memory;
	struct {
		struct opt_u64 shares, period, burst, realtime_period;
		struct opt_i64 quota, realtime_runtime, idle;
		const char *cpus, *mems;
	} cpu;
	struct {
		struct opt_u16 weight, leaf_weight;
		struct config_weight_device_list weight_device;
		struct config_throttle_device_list read_bps, write_bps, read_iops, write_iops;
	} block_io;
	struct config_hugepage_limit_list hugepage_limits;
	struct {
		struct opt_u32 class_id;
		struct config_if_priority_list priorities;
	} network;
	struct opt_i64 pids_limit;
	struct config_rdma_list rdma;
	struct key_value_list unified;
};

struct config_net_device { const char *host_name, *name; /* NULL name: keep it */ };
struct config_net_device_list { struct config_net_device *items; size_t n; };

struct config_memory_policy {
	bool set;
	int mode;          /* MPOL_* without flags */
	uint32_t flags;    /* MPOL_F_* */
	const char *nodes; /* list text, checked; NULL or "" for none */
};

struct config_intel_rdt {
	bool set;
	const char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct str_list schemata;
	bool enable_monitoring;
};

/* One argument condition of a seccomp rule. Spec: config-linux.md "Seccomp", op as libseccomp's enum scmp_compare. */
enum seccomp_op {
	SECCOMP_OP_NE = 1,
	SECCOMP_OP_LT,
	SECCOMP_OP_LE,
	SECCOMP_OP_EQ,
	SECCOMP_OP_GE,
	SECCOMP_OP_GT,
	SECCOMP_OP_MASKED_EQ,
};

struct config_seccomp_arg {
	uint32_t index; /* 0..5 */
	uint64_t value, value_two;
	enum seccomp_op op;
};
struct config_seccomp_arg_list { struct config_seccomp_arg *items; size_t n; };

struct config_seccomp_rule {
	struct str_list names;
	uint32_t action; /* SECCOMP_RET_* without data */
	struct opt_u32 errno_ret;
	struct config_seccomp_arg_list args;
};
struct config_seccomp_rule_list { struct config_seccomp_rule *items; size_t n; };

/* Bits of config_seccomp.architectures, in the spec's order; SCMP_ARCH_X86 is bit 0. seccomp_arch_names gives the words. */
enum seccomp_arch {
	ARCH_X86, ARCH_X86_64, ARCH_X32, ARCH_ARM, ARCH_AARCH64, ARCH_MIPS, ARCH_MIPS64, ARCH_MIPS64N32,
	ARCH_MIPSEL, ARCH_MIPSEL64, ARCH_MIPSEL64N32, ARCH_PPC, ARCH_PPC64, ARCH_PPC64LE, ARCH_S390, ARCH_S390X,
	ARCH_PARISC, ARCH_PARISC64, ARCH_RISCV64, ARCH_LOONGARCH64, ARCH_M68K, ARCH_SH, ARCH_SHEB, SECCOMP_ARCHES,
};

extern const char *const seccomp_arch_names[SECCOMP_ARCHES]; /* "SCMP_ARCH_X86", ... */

struct config_seccomp {
	bool set;
	uint32_t default_action; /* SECCOMP_RET_* without data */
	struct opt_u32 default_errno_ret;
	uint32_t architectures; /* bits by enum seccomp_arch, without the native one unless listed */
	bool has_flags;         /* flags was there, perhaps empty */
	uint32_t flags;         /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path, *listener_metadata;
	struct config_seccomp_rule_list syscalls;
};

struct config_linux {
	struct config_namespace namespaces[NS_TYPES];
	struct id_map_list uid_mappings, gid_mappings;
	struct config_time_offset monotonic, boottime;
	struct config_device_list devices;
	const char *cgroups_path;
	struct config_resources resources;
	const char *rootfs_propagation; /* "shared", "slave", "private", "unbindable", or the r-forms; checked; NULL: absent */
	struct str_list masked_paths, readonly_paths;
	const char *mount_label;
	struct key_value_list sysctl;
	struct { bool set; uint64_t domain; /* PER_* */ } personality;
	struct config_net_device_list net_devices;
	struct config_memory_policy memory_policy;
	struct config_intel_rdt intel_rdt;
	struct config_seccomp seccomp;
};

/* A property that the spec makes us ignore, for `explain` and the log. */
struct config_ignored {
	const char *pointer;   /* "/linux/seccompProfile" */
	const char *near;      /* nearest known name as a pointer, "/linux/seccomp"; NULL if none is near */
	const char *why;       /* "unknown property", "only for Windows", "unknown capability", ... */
};
struct config_ignored_list { struct config_ignored *items; size_t n; };

struct config {
	const char *oci_version;
	struct config_root root;
	struct config_mount_list mounts;
	struct config_process process;
	const char *hostname, *domainname; /* "" is read as absent */
	struct config_hook_list hooks[HOOK_KINDS];
	struct key_value_list annotations;
	struct config_linux linux_; /* "linux" is a macro in gnu17 */
	struct config_ignored_list ignored;
};

/* More than any real config; an engine's are 10 kB. Bounds memory and the state directory's copy. */
#define CONFIG_MAX_BYTES ((size_t)8 * 1024 * 1024)

/*
 * config_read() - decode and check one config.json
 * @arena:    owns everything in *ret_config
 * @text,len: the file's bytes, borrowed, need no NUL
 *
 * Checks all that can be judged from the document alone: types, ranges, required properties, duplicate keys, list
 * grammars, contradictions inside it. What depends on the host is the plan's business. Pure: no system calls but
 * the arena's mmap.
 *
 * Spec:   config.md, config-linux.md; rows A, B, P, H, L, G, R, I, S of requirements.md
 * Return: 0; -EINVAL with *err filled (JSON pointer, and line where it is known)
 */
int config_read(struct arena *arena, const char *text, size_t len, struct config **ret_config, struct err *err) MUST_CHECK;

/*
 * config_process_read() - decode and check a document that is a process section alone, as `exec --process` takes it
 * @ret_ignored: what is in it that nobody knows, in the arena
 *
 * As config_read(); pointers in errors count from the top of this document.
 */
int config_process_read(struct arena *arena, const char *text, size_t len, struct config_process *ret_process,
			struct config_ignored_list *ret_ignored, struct err *err) MUST_CHECK;

/* config_is_l3_schema(), config_is_mb_schema() - have lines of intelRdt that form (rows I-9, I-10) */
bool config_is_l3_schema(const char *lines);
bool config_is_mb_schema(const char *line);

/* config_env_dedup() - of entries with one name the last is kept, in its place; @arena is for the sorting (row Q-13) */
void config_env_dedup(struct arena *arena, struct str_list *env);

#endif
