/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planners: one function for each feature, called by plan_create() in the order of its table. Each appends steps to
 * s->plan and may set slots that later ones read. Only plan*.c includes this.
 */
#ifndef TARE_RUNTIME_PLANNERS_H
#define TARE_RUNTIME_PLANNERS_H

#include "runtime/plan.h"

struct planner_state {
	struct plan *plan;
	const struct config *config;
	const struct facts *facts;
	const struct create_options *options;
	struct plan_slots slots;
	struct mount_request *mounts; /* [config->mounts.n], by plan_root_open; see plan_mount.h */
	/* trees of host device nodes, for DEVICE_BIND; used by plan_device.c only */
	int16_t *device_sources;
	/* [facts->cgroup.n]: directory of each hierarchy's cgroup, else SLOT_NONE */
	int16_t *cgroup_dirs;
	const char **cgroup_paths; /* [facts->cgroup.n]: absolute path of each, else NULL */
	/* who takes trees of the host: the parent; without CAP_SYS_ADMIN the child, by plan_caller */
	enum step_who opener;
	/* by plan_unit_start: who is in the unit until the init is; SLOT_NONE: nobody */
	int16_t unit_holder;
	struct unit unit; /* of systemd's; name NULL: none */
	/* what would keep the init out, to be set when it is in */
	struct unit_property_list unit_later;
	bool delegate;          /* the last name of it is the container's own, by annotation */
	const char *cgroup_sub; /* cgroup of the processes below the limited one, or NULL */
	int16_t ns[NS_TYPES];   /* joined namespaces, by plan_ns_open */
	int16_t start_socket;   /* by plan_start_bind */
	int16_t rdt_group, rdt_monitor;  /* by plan_rdt; SLOT_NONE: not asked for */
	const struct enter_input *enter; /* exec only */
	/* the container has a socket to notify through; by plan_notify, of `start`: the record's */
	bool has_notify;
	int16_t notify_dir, notify_socket;
	int16_t agent; /* connected to the seccomp agent; by listener_connect() */
	int16_t hook_stdout, hook_stderr; /* by plan_hook_output, SLOT_NONE: not asked for */
};

typedef int planner(struct planner_state *s, struct err *err);

/* plan_state.c */
planner plan_state_make, plan_start_bind, plan_created, plan_started;
/* plan_ns.c */
planner plan_ns_open, plan_clone, plan_time_ns, plan_id_maps, plan_mapped, plan_ns_root,
	plan_net_devices, plan_network, plan_names;
/* plan_cgroup.c, plan_unit.c */
planner plan_cgroup_make, plan_cgroup_join;
/* plan_rdt.c */
planner plan_rdt, plan_rdt_join, plan_rdt_enter;
/* plan_rootless.c */
planner plan_caller;
/* plan_restore.c, and what it takes of others: cgroups that somebody is in by now; hooks at the time of prestart */
planner plan_restorable, plan_criu, plan_criu_processes, plan_restored, plan_cgroup_entered,
	plan_restore_hooks;

/*
 * No entries of the table: plan_cgroup.c's parts of plan_unit.c
 *
 * plan_unit_path() - the unit's cgroup in place of a path, and whether systemd is there at all. Return: 0; -EINVAL
 * plan_unit_is_in() - is the container's cgroup in hierarchy @i that of a unit?
 * plan_unit_start() - make the unit, with properties for what @knobs writes. Return: 0; -EINVAL
 * plan_unit_waits() - must this write wait until the init is in the unit?
 * plan_unit_entered() - the init is in it, as the kernel cloned it there: who held the place goes
 * plan_unit_joined() - the same where the init went there by itself; called by plan_created() behind its SYNC_WAIT
 */
struct cgroup_knobs;
struct cgroup_write;
int plan_unit_path(struct planner_state *s, const char **ret_path, struct err *err);
bool plan_unit_is_in(const struct planner_state *s, size_t i);
int plan_unit_start(struct planner_state *s, const struct cgroup_knobs *knobs, const char *path,
		    struct err *err);
bool plan_unit_waits(const struct planner_state *s, const struct cgroup_write *write);
void plan_unit_entered(struct planner_state *s);
void plan_unit_joined(struct planner_state *s);

/*
 * plan_cgroup_sub.c, the same
 *
 * plan_cgroup_sub() - the names below the limited cgroup that annotations ask for. Return: 0; -EINVAL
 * plan_cgroup_sub_make() - make what s->cgroup_sub names, to clone into
 * plan_cgroup_sub_entered() - now that nobody is in the limited cgroup itself: controllers for what is below
 */
void plan_cgroup_sub_make(struct planner_state *s);
void plan_cgroup_sub_entered(struct planner_state *s);
int plan_cgroup_sub(struct planner_state *s, const char **ret_sub, struct err *err);
/* plan_root.c, plan_mount.c, plan_device.c, plan_mask.c */
planner plan_root_open, plan_root_open_inside, plan_cgroup_trees, plan_root_attach,
	plan_idmap_child, plan_mounts, plan_devices;
planner plan_pivot, plan_masks, plan_root_propagation;
/* plan_console.c */
planner plan_console_connect, plan_console;
/* plan_label.c, plan_listener.c, plan_process.c, plan_exec.c, plan_limits.c, plan_sysctl.c, plan_hook.c */
planner plan_labels, plan_listener, plan_limits, plan_session, plan_sysctl, plan_find_executable,
	plan_process;
planner plan_hook_output, plan_create_hooks, plan_start_hooks;

/*
 * plan_scheduling() - no entry of the table: plan_created() calls it between SYNC_CREATED and SYNC_RELEASED
 *
 * With a user namespace only the parent may set a scheduler or an I/O priority, and only once the child has joined its
 * cgroups: a real-time process can't enter one that has no real-time share.
 */
planner plan_scheduling;
/* plan_keyring() - the container's session keyring, for its init and all that exec adds */
void plan_keyring(struct planner_state *s);
/* plan_tell_pid() - the pid file and the pidfd, as far as they are asked for */
void plan_tell_pid(struct planner_state *s);
/* plan_enter_limits() - what the stage of an exec passes on to its child, which inherits it */
planner plan_enter_limits;
/* plan_initial_affinity() - the processors that an exec begins on */
planner plan_initial_affinity;
/* plan_ignored() - take over what a reader ignored */
void plan_ignored(struct plan *plan, const struct config_ignored_list *from);
/* rootless_id_maps() - plan_rootless.c: who writes the maps of an ID_MAP step, where the runtime has no right to */
void rootless_id_maps(const struct planner_state *s, struct step *step);

/* plan_notify.c */
planner plan_notify, plan_notify_attach;
void plan_notify_bind(struct planner_state *s);
void plan_notify_relay(struct planner_state *s, enum step_who who);
/* plan_poststart_hooks() - by whom: the parent in a run, else the starter */
int plan_poststart_hooks(struct planner_state *s, enum step_who who, struct err *err);

/* s_ns_new(), s_ns_private() - is this namespace made by us; is it another than the runtime's (made or joined) */
static inline bool s_ns_new(const struct planner_state *s, enum ns_type type)
{
	return s->config->linux_.namespaces[type].mode == NS_NEW;
}

static inline bool s_ns_private(const struct planner_state *s, enum ns_type type)
{
	return s->config->linux_.namespaces[type].mode != NS_ABSENT;
}

/*
 * s_in_user_ns() - has the container a user namespace of its own?
 *
 * Its init has no power outside then: what the kernel asks a capability of the initial user namespace for is the
 * parent's to do. Without one the child does it itself, which saves a hand-over.
 */
static inline bool s_in_user_ns(const struct planner_state *s)
{
	return s_ns_private(s, NS_USER);
}

#endif
