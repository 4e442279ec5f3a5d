/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arguments of each kind of step by name, for programs that read `explain --format json`. A table, since there is
 * nothing to it but the names and types of the members of step.u. Byte codes (seccomp, device filters) are given by their
 * length only.
 */
#include "runtime/explain_parts.h"

#include <stddef.h>
#include <string.h>

enum argument_type {
	ARG_TEXT,
	ARG_BOOL,
	ARG_INT,
	ARG_U16,
	ARG_U32,
	ARG_U64,
	ARG_CHAR,
	ARG_LIST,
	ARG_ARGV,
	ARG_OFFSET,
	ARG_PROPERTIES
};

#define ARG(upper, lower, member, type)                                                            \
	{                                                                                          \
		STEP_##upper, #member, type, offsetof(struct step, u.lower.member)                 \
	}
/* A member of the struct that another layer takes whole. */
#define ARG_OF(upper, inner, member, type)                                                         \
	{                                                                                          \
		STEP_##upper, #member, type, offsetof(struct step, u.inner.member)                 \
	}

static const struct argument {
	enum step_kind kind;
	const char *name;
	enum argument_type type;
	size_t offset; /* in struct step */
} arguments[] = {
	ARG(STATE_WRITE, state_write, status, ARG_TEXT),
	ARG(PID_FILE, pid_file, path, ARG_TEXT),
	ARG(PIDFD_SEND, pidfd_send, path, ARG_TEXT),
	ARG(NOTIFY_RELAY, notify_relay, host, ARG_TEXT),
	ARG(LISTENER_CONNECT, listener_connect, path, ARG_TEXT),
	ARG(CRIU_START, criu_start, image, ARG_TEXT),
	ARG(NS_OPEN, ns_open, path, ARG_TEXT),
	ARG(NS_OPEN, ns_open, not_own, ARG_BOOL),
	ARG(INIT_OPEN, init_open, pid, ARG_INT),
	ARG(NS_ENTER, ns_enter, flags, ARG_U64),
	ARG(STAGE_FORK, stage_fork, shared, ARG_BOOL),
	ARG(CLONE, clone, flags, ARG_U64),
	ARG(ID_MAP, id_map, uid_map, ARG_TEXT),
	ARG(ID_MAP, id_map, gid_map, ARG_TEXT),
	ARG(ID_MAP, id_map, uid_helper, ARG_BOOL),
	ARG(ID_MAP, id_map, gid_helper, ARG_BOOL),
	ARG(ID_MAP, id_map, deny_groups, ARG_BOOL),
	ARG(TIME_NS, time_ns, monotonic, ARG_OFFSET),
	ARG(TIME_NS, time_ns, boottime, ARG_OFFSET),
	ARG(NET_DEVICE, net_device, host_name, ARG_TEXT),
	ARG(NET_DEVICE, net_device, name, ARG_TEXT),
	ARG(HOSTNAME, hostname, name, ARG_TEXT),
	ARG(DOMAINNAME, domainname, name, ARG_TEXT),
	ARG(SYSCTL, sysctl, key, ARG_TEXT),
	ARG(SYSCTL, sysctl, path, ARG_TEXT),
	ARG(SYSCTL, sysctl, value, ARG_TEXT),

	ARG_OF(CGROUP_MAKE, cgroup_make.request, path, ARG_TEXT),
	ARG_OF(CGROUP_MAKE, cgroup_make.request, v2, ARG_BOOL),
	ARG_OF(CGROUP_MAKE, cgroup_make.request, enable, ARG_TEXT),
	ARG(CGROUP_MAKE, cgroup_make, controller, ARG_TEXT),
	ARG_OF(CGROUP_MAKE, cgroup_make.request, rt_runtime, ARG_TEXT),
	ARG_OF(CGROUP_MAKE, cgroup_make.request, rt_period, ARG_TEXT),
	ARG(CGROUP_WRITE, cgroup_write, dir, ARG_TEXT),
	ARG_OF(CGROUP_WRITE, cgroup_write.write, file, ARG_TEXT),
	ARG_OF(CGROUP_WRITE, cgroup_write.write, value, ARG_TEXT),
	ARG_OF(CGROUP_WRITE, cgroup_write.write, lines, ARG_BOOL),
	ARG_OF(CGROUP_WRITE, cgroup_write.write, optional, ARG_BOOL),
	ARG(CGROUP_DEVICES, cgroup_devices, dir, ARG_TEXT),
	ARG(CGROUP_DEVICES, cgroup_devices, n, ARG_U32),
	ARG(CGROUP_CHOWN, cgroup_chown, dir, ARG_TEXT),
	ARG(CGROUP_CHOWN, cgroup_chown, uid, ARG_U32),
	ARG(CGROUP_CHOWN, cgroup_chown, gid, ARG_U32),
	ARG(CGROUP_OPEN, cgroup_open, dir, ARG_TEXT),
	ARG(CGROUP_SUB, cgroup_sub, dir, ARG_TEXT),
	ARG(CGROUP_SUB, cgroup_sub, name, ARG_TEXT),
	ARG(CGROUP_JOIN, cgroup_join, dir, ARG_TEXT),
	ARG(RDT_GROUP, rdt_group, path, ARG_TEXT),
	ARG(RDT_GROUP, rdt_group, lines, ARG_TEXT),
	ARG(RDT_MONITOR, rdt_monitor, path, ARG_TEXT),
	ARG(RDT_JOIN, rdt_join, path, ARG_TEXT),
	ARG(UNIT_START, unit_start, unit.name, ARG_TEXT),
	ARG(UNIT_START, unit_start, unit.user, ARG_BOOL),
	ARG(UNIT_START, unit_start, cgroup, ARG_TEXT),
	ARG(UNIT_START, unit_start, properties, ARG_PROPERTIES),
	ARG(UNIT_SET, unit_set, unit.name, ARG_TEXT),
	ARG(UNIT_SET, unit_set, properties, ARG_PROPERTIES),

	ARG(ROOT_OPEN, root_open, path, ARG_TEXT),
	ARG(ROOT_OPEN, root_open, detached, ARG_BOOL),
	ARG(ROOT_OPEN, root_open, propagation, ARG_U64),
	ARG(SOURCE_OPEN, source_open, path, ARG_TEXT),
	ARG(SOURCE_OPEN, source_open, recursive, ARG_BOOL),
	ARG(SOURCE_OPEN, source_open, nofollow, ARG_BOOL),
	ARG(SOURCE_OPEN, source_open, attr_set, ARG_U64),
	ARG(SOURCE_OPEN, source_open, attr_clr, ARG_U64),
	ARG(SOURCE_OPEN, source_open, rec_attr_set, ARG_U64),
	ARG(SOURCE_OPEN, source_open, rec_attr_clr, ARG_U64),
	ARG(SOURCE_OPEN, source_open, propagation, ARG_U64),
	ARG(SOURCE_OPEN, source_open, rec_propagation, ARG_U64),
	ARG(ID_MAP_NS, id_map_ns, uid_map, ARG_TEXT),
	ARG(ID_MAP_NS, id_map_ns, gid_map, ARG_TEXT),
	ARG(IDMAP, idmap, path, ARG_TEXT),
	ARG(IDMAP, idmap, recursive, ARG_BOOL),
	ARG(PROPAGATION, propagation, propagation, ARG_U64),
	ARG(PROPAGATION, propagation, recursive, ARG_BOOL),
	ARG(ROOT_ATTACH, root_attach, path, ARG_TEXT),
	ARG(MOUNT, mount, fstype, ARG_TEXT),
	ARG(MOUNT, mount, source, ARG_TEXT),
	ARG(MOUNT, mount, target, ARG_TEXT),
	ARG(MOUNT, mount, flags, ARG_U64),
	ARG(MOUNT, mount, data, ARG_TEXT),
	ARG(MOUNT, mount, propagation, ARG_U64),
	ARG(MOUNT, mount, attr_set, ARG_U64),
	ARG(MOUNT, mount, attr_clr, ARG_U64),
	ARG(MOUNT, mount, rec_attr_set, ARG_U64),
	ARG(MOUNT, mount, rec_attr_clr, ARG_U64),
	ARG(MOUNT, mount, label, ARG_TEXT),
	ARG(MOUNT, mount, remount, ARG_BOOL),
	ARG(ATTACH, attach, target, ARG_TEXT),
	ARG(ATTACH, attach, source, ARG_TEXT),
	ARG(COPY_UP, copy_up, target, ARG_TEXT),
	ARG(COPY_UP, copy_up, flags, ARG_U64),
	ARG(COPY_UP, copy_up, source, ARG_TEXT),
	ARG(COPY_UP, copy_up, data, ARG_TEXT),
	ARG(COPY_UP, copy_up, propagation, ARG_U64),
	ARG(SYMLINK, symlink, target, ARG_TEXT),
	ARG(SYMLINK, symlink, path, ARG_TEXT),
	ARG(DEVICE, device, path, ARG_TEXT),
	ARG(DEVICE, device, type, ARG_CHAR),
	ARG(DEVICE, device, major, ARG_U32),
	ARG(DEVICE, device, minor, ARG_U32),
	ARG(DEVICE, device, mode, ARG_U32),
	ARG(DEVICE, device, uid, ARG_U32),
	ARG(DEVICE, device, gid, ARG_U32),
	ARG(DEVICE_BIND, device_bind, path, ARG_TEXT),
	ARG(DEVICE_BIND, device_bind, type, ARG_CHAR),
	ARG(DEVICE_BIND, device_bind, major, ARG_U32),
	ARG(DEVICE_BIND, device_bind, minor, ARG_U32),
	ARG(CONSOLE, console, height, ARG_U32),
	ARG(CONSOLE, console, width, ARG_U32),
	ARG(CONSOLE, console, send_to_parent, ARG_BOOL),
	ARG(CONSOLE_SOCKET, console_socket, path, ARG_TEXT),
	ARG(PIVOT, pivot, no_pivot, ARG_BOOL),
	ARG(MASK, mask, path, ARG_TEXT),
	ARG(READONLY, readonly, path, ARG_TEXT),

	ARG(HOOK_OUTPUT, hook_output, path, ARG_TEXT),
	ARG(HOOK, hook, cwd, ARG_TEXT),
	ARG(HOOK, hook, index, ARG_U64),
	ARG(LABEL, label, file, ARG_TEXT),
	ARG(LABEL, label, text, ARG_TEXT),
	ARG(KEYRING, keyring, name, ARG_TEXT),
	ARG(RLIMIT, rlimit, type, ARG_TEXT),
	ARG(RLIMIT, rlimit, soft, ARG_U64),
	ARG(RLIMIT, rlimit, hard, ARG_U64),
	ARG(OOM_SCORE_ADJ, oom_score_adj, value, ARG_INT),
	ARG(SCHEDULER, scheduler, policy, ARG_U32),
	ARG(SCHEDULER, scheduler, nice, ARG_INT),
	ARG(SCHEDULER, scheduler, priority, ARG_INT),
	ARG(SCHEDULER, scheduler, flags, ARG_U64),
	ARG(SCHEDULER, scheduler, runtime_ns, ARG_U64),
	ARG(SCHEDULER, scheduler, deadline_ns, ARG_U64),
	ARG(SCHEDULER, scheduler, period_ns, ARG_U64),
	ARG(IO_PRIORITY, io_priority, class, ARG_INT),
	ARG(IO_PRIORITY, io_priority, priority, ARG_INT),
	ARG(AFFINITY, affinity, cpus, ARG_TEXT),
	ARG(MEMORY_POLICY, memory_policy, mode, ARG_INT),
	ARG(PERSONALITY, personality, domain, ARG_U64),
	ARG(FIND_EXECUTABLE, find_executable, name, ARG_TEXT),
	ARG(FIND_EXECUTABLE, find_executable, path_dirs, ARG_LIST),
	ARG(HOME, home, uid, ARG_U32),
	ARG(CWD, cwd, path, ARG_TEXT),
	ARG(STDIO_OWNER, stdio_owner, uid, ARG_U32),
	ARG(UMASK, umask, mask, ARG_U32),
	ARG(CLOSE_FDS, close_fds, preserve_fds, ARG_U32),
	ARG(BOUNDING, bounding, keep, ARG_U64),
	ARG(IDS, ids, uid, ARG_U32),
	ARG(IDS, ids, gid, ARG_U32),
	ARG(CAPABILITIES, capabilities, effective, ARG_U64),
	ARG(CAPABILITIES, capabilities, permitted, ARG_U64),
	ARG(CAPABILITIES, capabilities, inheritable, ARG_U64),
	ARG(CAPABILITIES, capabilities, ambient, ARG_U64),
	ARG(SECCOMP, seccomp, n, ARG_U16),
	ARG(SECCOMP, seccomp, flags, ARG_U32),
	ARG(SECCOMP, seccomp, listener, ARG_BOOL),
	ARG(EXEC, exec, argv, ARG_ARGV),
	ARG(EXEC, exec, envp, ARG_ARGV),
};

static void add_list(struct json_writer *w, const char *name, const struct str_list *list)
{
	json_array_begin(w, name);
	for (size_t i = 0; i < list->n; i++)
		json_add_string(w, NULL, list->items[i]);
	json_array_end(w);
}

static void add_argv(struct json_writer *w, const char *name, char *const *words)
{
	json_array_begin(w, name);
	for (; words && *words; words++)
		json_add_string(w, NULL, *words);
	json_array_end(w);
}

static void add_offset(struct json_writer *w, const char *name,
		       const struct config_time_offset *offset)
{
	if (!offset->set)
		return;
	json_object_begin(w, name);
	json_add_i64(w, "secs", offset->secs);
	json_add_u64(w, "nanosecs", offset->nanosecs);
	json_object_end(w);
}

/* As busctl takes them: "t 536870912". */
static void add_properties(struct json_writer *w, const char *name,
			   const struct unit_property_list *list)
{
	defer_arena struct arena arena = { 0 };

	json_object_begin(w, name);
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->items[i].signature;

		for (size_t k = 0; k < list->items[i].words.n; k++)
			text = arena_printf(&arena, "%s %s", text, list->items[i].words.items[k]);
		json_add_string(w, list->items[i].name, text);
	}
	json_object_end(w);
}

static void add_argument(struct json_writer *w, const struct step *step, const struct argument *arg)
{
	const void *member = (const char *)step + arg->offset;
	char letter[2] = "";

	switch (arg->type) {
	case ARG_TEXT:
		json_add_string(w, arg->name, *(const char *const *)member);
		return;
	case ARG_BOOL:
		json_add_bool(w, arg->name, *(const bool *)member);
		return;
	case ARG_INT:
		json_add_i64(w, arg->name, *(const int *)member);
		return;
	case ARG_U16:
		json_add_u64(w, arg->name, *(const uint16_t *)member);
		return;
	case ARG_U32:
		json_add_u64(w, arg->name, *(const uint32_t *)member);
		return;
	case ARG_U64:
		json_add_u64(w, arg->name, *(const uint64_t *)member);
		return;
	case ARG_CHAR:
		letter[0] = *(const char *)member;
		json_add_string(w, arg->name, letter);
		return;
	case ARG_LIST:
		add_list(w, arg->name, member);
		return;
	case ARG_ARGV:
		add_argv(w, arg->name, *(char *const *const *)member);
		return;
	case ARG_PROPERTIES:
		add_properties(w, arg->name, member);
		return;
	case ARG_OFFSET:
		add_offset(w, arg->name, member);
		return;
	}
}

/* Members whose number alone says little, and the hook, which the step has only a pointer to. */
static void add_named(struct json_writer *w, const struct step *step)
{
	char token[2] = "";

	switch (step->kind) {
	case STEP_SYNC_SEND:
	case STEP_SYNC_WAIT:
		token[0] = (char)step->u.sync_send.token;
		json_add_string(w, "token", token);
		return;
	case STEP_NS_OPEN:
		json_add_string(w, "type", ns_names[step->u.ns_open.type]);
		return;
	case STEP_NS_JOIN:
		json_add_string(w, "type", ns_names[step->u.ns_join.type]);
		return;
	case STEP_HOOK:
		json_add_string(w, "hook", hook_names[step->u.hook.kind]);
		json_add_string(w, "path", step->u.hook.hook->path);
		add_list(w, "args", &step->u.hook.hook->args);
		add_list(w, "env", &step->u.hook.hook->env);
		json_add_u64(w, "timeout_s", step->u.hook.hook->timeout_s);
		return;
	case STEP_IDS:
		json_array_begin(w, "gids");
		for (size_t i = 0; i < step->u.ids.n_gids; i++)
			json_add_u64(w, NULL, step->u.ids.gids[i]);
		json_array_end(w);
		return;
	default:
		return;
	}
}

void step_arguments_json(struct json_writer *w, const struct step *step)
{
	add_named(w, step);
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++) {
		if (arguments[i].kind == step->kind)
			add_argument(w, step, &arguments[i]);
	}
}
