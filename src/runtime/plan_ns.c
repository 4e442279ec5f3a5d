/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Namespaces. One rule covers every combination of new, joined and absent ones:
 *
 *   - what is joined, is joined by a stage, a short-lived process that the parent forks for it; the user namespace
 *     last, since only root of the host may join the others for certain (but first for a user, who may join nothing
 *     else before);
 *   - what is new, is made by one clone3: the stage's if there is one, else the parent's. So the new ones belong to
 *     the new or joined user namespace, and a joined pid namespace holds the init;
 *   - two are made by the child itself: cgroup, which takes the cgroup that its maker is in as its root, and time
 *     with offsets, which must be written before anyone enters.
 *
 * The parent's own namespaces never change. See docs/design/001-processes-and-namespaces.md.
 */
#include "runtime/planners.h"

#include <sched.h>
#include <string.h>

static bool any_joined(const struct planner_state *s)
{
	for (int type = 0; type < NS_TYPES; type++) {
		if (s->config->linux_.namespaces[type].mode == NS_JOIN)
			return true;
	}
	return false;
}

static bool has_time_offsets(const struct planner_state *s)
{
	return s->config->linux_.monotonic.set || s->config->linux_.boottime.set;
}

/* Does the config change something in this namespace, so that the host's own must not be given as a path? */
static bool is_written(const struct planner_state *s, enum ns_type type)
{
	const struct config *config = s->config;

	switch (type) {
	case NS_UTS:
		return config->hostname || config->domainname;
	case NS_IPC:
		return config->linux_.sysctl.n > 0;
	case NS_NETWORK:
		return config->linux_.sysctl.n > 0 || config->linux_.net_devices.n > 0;
	default:
		return false;
	}
}

int plan_ns_open(struct planner_state *s, struct err *err)
{
	struct plan *plan = s->plan;
	struct step *step;

	step = plan_add(plan, STEP_PARENT, STEP_PROC_OPEN, "");
	step->out = s->slots.proc = plan_slot(plan, "proc");

	for (int type = 0; type < NS_TYPES; type++) {
		const struct config_namespace *ns = &s->config->linux_.namespaces[type];

		s->ns[type] = SLOT_NONE;
		if (ns->mode != NS_ABSENT && !(s->facts->namespaces & ns_clone_flags[type])) {
			err_user(err, "use a %s namespace: this kernel has none", ns_names[type]);
			return err_at(err, ns->pointer);
		}
		if (ns->mode != NS_JOIN)
			continue;
		step = plan_add(plan, STEP_PARENT, STEP_NS_OPEN, plan_strdup(plan, ns->pointer));
		step->u.ns_open.type = type;
		step->u.ns_open.path = plan_strdup(plan, ns->path);
		step->u.ns_open.not_own = is_written(s, type);
		step->out = s->ns[type] = plan_slot(plan, ns_names[type]);
	}
	return 0;
}

/* The CLONE_NEW* flags of one clone3: all that is new, but for what the child makes itself. */
static uint64_t clone_flags(const struct planner_state *s)
{
	uint64_t flags = 0;

	for (int type = 0; type < NS_TYPES; type++) {
		if (!s_ns_new(s, type) || type == NS_CGROUP)
			continue;
		if (type == NS_TIME && has_time_offsets(s))
			continue;
		flags |= ns_clone_flags[type];
	}
	return flags;
}

static void add_ns_join(struct planner_state *s, enum ns_type type)
{
	struct step *step;

	if (s->ns[type] == SLOT_NONE)
		return;
	step = plan_add(s->plan, STEP_STAGE, STEP_NS_JOIN,
			plan_strdup(s->plan, s->config->linux_.namespaces[type].pointer));
	step->u.ns_join.type = type;
	step->in[0] = s->ns[type];
}

int plan_clone(struct planner_state *s, struct err *err)
{
	static const enum ns_type join_order[] = { NS_CGROUP, NS_NETWORK, NS_IPC,   NS_UTS,
						   NS_TIME,   NS_PID,     NS_MOUNT, NS_USER };
	/* A user has no power to join anything until it is in the user namespace that owns it. */
	bool user_first = s->opener == STEP_CHILD;
	/* From a joined cgroup namespace the container's cgroup may be out of sight: so the stage begins in it. */
	bool stage_in_cgroup = s->ns[NS_CGROUP] != SLOT_NONE;
	enum step_who who = STEP_PARENT;
	int16_t pidfd = plan_slot(s->plan, "pidfd");
	struct step *step;

	if (any_joined(s)) {
		step = plan_add(s->plan, STEP_PARENT, STEP_STAGE_FORK, "");
		step->in[0] = stage_in_cgroup ? s->slots.cgroup2 : SLOT_NONE;
		step->out = pidfd;
		if (user_first)
			add_ns_join(s, NS_USER);
		for (size_t i = 0; i < ARRAY_LEN(join_order); i++) {
			if (join_order[i] != NS_USER || !user_first)
				add_ns_join(s, join_order[i]);
		}
		who = STEP_STAGE;
	}

	step = plan_add(s->plan, who, STEP_CLONE, clone_flags(s) ? "/linux/namespaces" : "");
	step->u.clone.flags = clone_flags(s);
	step->in[0] = stage_in_cgroup ? SLOT_NONE : s->slots.cgroup2;
	if (who == STEP_PARENT)
		step->out = pidfd;
	return 0;
}

int plan_time_ns(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!s_ns_new(s, NS_TIME) || !has_time_offsets(s))
		return 0;
	step = plan_add(s->plan, STEP_CHILD, STEP_TIME_NS, "/linux/timeOffsets");
	step->in[0] = s->slots.proc;
	step->u.time_ns.monotonic = s->config->linux_.monotonic;
	step->u.time_ns.boottime = s->config->linux_.boottime;
	return 0;
}

/* "0 100000 65536\n" for each mapping: the text that the kernel takes in one write. */
static const char *map_text(struct plan *plan, const struct id_map_list *maps)
{
	const char *text = "";

	for (size_t i = 0; i < maps->n; i++)
		text = plan_printf(plan, "%s%u %u %u\n", text, maps->items[i].container_id,
				   maps->items[i].host_id, maps->items[i].size);
	return text;
}

int plan_id_maps(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!s_ns_new(s, NS_USER))
		return 0;
	if (s->config->linux_.uid_mappings.n == 0 || s->config->linux_.gid_mappings.n == 0) {
		err_user(err, "make a user namespace without %s: nobody could be anyone in it",
			 s->config->linux_.uid_mappings.n == 0 ? "uidMappings" : "gidMappings");
		err_hint(err,
			 "for example {\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}");
		return err_at(err, s->config->linux_.uid_mappings.n == 0 ? "/linux/uidMappings"
									 : "/linux/gidMappings");
	}
	step = plan_add(s->plan, STEP_PARENT, STEP_ID_MAP, "/linux/uidMappings");
	step->in[0] = s->slots.proc;
	step->u.id_map.uid_map = map_text(s->plan, &s->config->linux_.uid_mappings);
	step->u.id_map.gid_map = map_text(s->plan, &s->config->linux_.gid_mappings);
	if (s->facts->rootless)
		rootless_id_maps(s, step);
	return 0;
}

/*
 * plan_mapped() - let the child wait until the parent has done its part, if there is any
 *
 * Everything that the parent does between the clone and here, the child may rely on from here on.
 */
int plan_mapped(struct planner_state *s, struct err *err)
{
	struct plan *plan = s->plan;
	bool after_clone = false, parent_works = false;

	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].kind == STEP_CLONE)
			after_clone = true;
		else if (after_clone && plan->steps[i].who == STEP_PARENT)
			parent_works = true;
	}
	if (!parent_works)
		return 0;
	plan_add(plan, STEP_PARENT, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_MAPPED;
	plan_add(plan, STEP_CHILD, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_MAPPED;
	return 0;
}

static bool maps_zero(const struct id_map_list *maps)
{
	for (size_t i = 0; i < maps->n; i++) {
		if (maps->items[i].container_id == 0 && maps->items[i].size > 0)
			return true;
	}
	return false;
}

/*
 * plan_ns_root() - become root of the user namespace, so that what the child makes there belongs to it
 *
 * A map without id 0 has no root to become; the child then keeps the host's ids, which the namespace shows as the
 * overflow id, with all capabilities in it.
 */
int plan_ns_root(struct planner_state *s, struct err *err)
{
	const struct config_linux *l = &s->config->linux_;

	if (!s_ns_private(s, NS_USER))
		return 0;
	/* Of one that is joined we may not know them. */
	if (l->uid_mappings.n && l->gid_mappings.n &&
	    !(maps_zero(&l->uid_mappings) && maps_zero(&l->gid_mappings)))
		return 0;
	plan_add(s->plan, STEP_CHILD, STEP_NS_ROOT,
		 plan_strdup(s->plan, l->namespaces[NS_USER].pointer));
	return 0;
}

/*
 * plan_net_devices() - network devices of the host's become the container's
 *
 * By the parent, since it takes rights on both sides; before SYNC_MAPPED, so that hooks and sysctl find the devices there.
 *
 * Spec: config-linux.md "Network Devices" (row L-24)
 */
int plan_net_devices(struct planner_state *s, struct err *err)
{
	const struct config_net_device_list *devices = &s->config->linux_.net_devices;
	struct plan *plan = s->plan;
	struct step *step;
	int16_t socket;

	if (devices->n == 0)
		return 0;
	if (s->opener == STEP_CHILD) {
		err_user_code(err, -EPERM,
			      "move network device \"%s\" to the container: only root may",
			      devices->items[0].host_name);
		err_hint(err, "leave linux.netDevices out, or run tare-oci as root");
		return err_at(err, "/linux/netDevices");
	}
	socket = plan_slot(plan, "container's network");
	step = plan_add(plan, STEP_PARENT, STEP_NET_OPEN, "/linux/netDevices");
	step->in[0] = s->ns[NS_NETWORK];
	step->in[1] = s->slots.proc;
	step->out = socket;
	for (size_t i = 0; i < devices->n; i++) {
		const struct config_net_device *d = &devices->items[i];

		step = plan_add(plan, STEP_PARENT, STEP_NET_DEVICE,
				plan_printf(plan, "/linux/netDevices/%s", d->host_name));
		step->in[0] = socket;
		step->u.net_device.host_name = plan_strdup(plan, d->host_name);
		step->u.net_device.name = plan_strdup(plan, d->name ? d->name : d->host_name);
	}
	return 0;
}

int plan_network(struct planner_state *s, struct err *err)
{
	if (s_ns_new(s, NS_NETWORK))
		plan_add(s->plan, STEP_CHILD, STEP_LOOPBACK,
			 plan_strdup(s->plan, s->config->linux_.namespaces[NS_NETWORK].pointer));
	return 0;
}

/* Spec: config.md "Hostname", "Domainname" (rows ): never the host's own */
int plan_names(struct planner_state *s, struct err *err)
{
	const struct config *config = s->config;

	if ((config->hostname || config->domainname) && !s_ns_private(s, NS_UTS)) {
		err_user(err, "set %s without a uts namespace: that would rename the host",
			 config->hostname ? "hostname" : "domainname");
		err_hint(err, "add {\"type\": \"uts\"} to linux.namespaces");
		return err_at(err, config->hostname ? "/hostname" : "/domainname");
	}
	if (config->hostname)
		plan_add(s->plan, STEP_CHILD, STEP_HOSTNAME, "/hostname")->u.hostname.name =
			plan_strdup(s->plan, config->hostname);
	if (config->domainname)
		plan_add(s->plan, STEP_CHILD, STEP_DOMAINNAME, "/domainname")->u.domainname.name =
			plan_strdup(s->plan, config->domainname);
	return 0;
}
