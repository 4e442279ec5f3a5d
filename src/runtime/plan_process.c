/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From "everything is mounted" to the user's program: the container's init gives its power away in one documented
 * order, and the order is the security of it.
 *
 *   HOME, CWD, STDIO_OWNER        while it is still root: a home with mode 0700, pipes that belong to the caller
 *   UMASK, PERSONALITY, limits    what needs no rights, or will not have them later
 *   LABEL                         what security modules shall execute it as; through the host's procfs
 *   CLOSE_FDS                     the last moment at which any fd of the host's is open; from here on nothing is opened
 *   BOUNDING                      needs CAP_SETPCAP
 *   IDS                           groups, gid, uid; the permitted set is kept over it
 *   CAPABILITIES                  the sets that the config asks for
 *   CWD again                     as the user, where root could not go (NFS that squashes root, FUSE)
 *   NO_NEW_PRIVS
 *   SECCOMP                       as late as possible
 *   EXEC
 *
 * Without noNewPrivileges a filter needs CAP_SYS_ADMIN. It is then kept one step longer, and dropped under the filter:
 * that the profile must allow capset() and execve() is all that is left to demand of it.
 *
 * Spec: config.md "Process", rows P and Q of the requirements
 */
#include "runtime/planners.h"

#include "runtime/plan_caps.h"
#include "runtime/plan_exec.h"
#include "runtime/plan_label.h"
#include "runtime/plan_listener.h"
#include "runtime/seccomp.h"
#include "spec/annotations.h"

#include <linux/capability.h>
#include <string.h>

#define CAP_BIT(cap) (1ULL << (cap))

/* The kernel's NGROUPS_MAX. */
#define GROUPS_MAX 65536

/* ---- session ---------------------------------------------------------------------------------------------------- */

/*
 * plan_session() - leave the caller's session, signals and keys behind
 *
 * The keyring is joined before the child becomes root of a user namespace: then it counts against the quota of the
 * host's root, not against the 200 keys of a user who may have very many containers.
 */
int plan_session(struct planner_state *s, struct err *err)
{
	plan_add(s->plan, STEP_CHILD, STEP_SESSION, "");
	/* Who shares our pid namespace could look into us; with other ids it can't anyway. */
	if (!s_ns_new(s, NS_PID) && !s_in_user_ns(s))
		plan_add(s->plan, STEP_CHILD, STEP_UNDUMPABLE, "");
	plan_add(s->plan, STEP_CHILD, STEP_SIGNALS, "")->in[0] = s->slots.proc;
	plan_keyring(s);
	return 0;
}

void plan_keyring(struct planner_state *s)
{
	if (s->options->no_new_keyring)
		return;
	if (!s->enter)
		label_keys(s, STEP_CHILD);
	plan_add(s->plan, STEP_CHILD, STEP_KEYRING, "")->u.keyring.name =
		plan_printf(s->plan, "_ses.%s", s->options->id);
}

/* ---- ids -------------------------------------------------------------------------------------------------------- */

static bool is_mapped(const struct id_map_list *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++) {
		if (id >= maps->items[i].container_id &&
		    id - maps->items[i].container_id < maps->items[i].size)
			return true;
	}
	return false;
}

static int check_mapped(const struct planner_state *s, const struct id_map_list *maps,
			const char *what, uint32_t id, const char *pointer, struct err *err)
{
	/* Of a namespace that is joined the kernel knows the mappings, we don't. */
	if (!s_ns_new(s, NS_USER) || is_mapped(maps, id))
		return 0;
	err_user(err, "use %s %u: the user namespace has no mapping for it", what, id);
	err_hint(err, "add a mapping that covers it to linux.%s",
		 maps == &s->config->linux_.uid_mappings ? "uidMappings" : "gidMappings");
	return err_at(err, pointer);
}

static int check_ids(struct planner_state *s, struct err *err)
{
	const struct config_process *process = &s->config->process;
	const struct id_map_list *uids = &s->config->linux_.uid_mappings;
	const struct id_map_list *gids = &s->config->linux_.gid_mappings;
	int r;

	if (process->additional_gids.n > GROUPS_MAX) {
		err_user(err, "set %zu additional groups: the kernel takes at most %d",
			 process->additional_gids.n, GROUPS_MAX);
		return err_at(err, "/process/user/additionalGids");
	}
	r = check_mapped(s, uids, "uid", process->uid, "/process/user/uid", err);
	if (r < 0)
		return r;
	r = check_mapped(s, gids, "gid", process->gid, "/process/user/gid", err);
	for (size_t i = 0; r == 0 && i < process->additional_gids.n; i++)
		r = check_mapped(s, gids, "additional gid", process->additional_gids.items[i],
				 plan_printf(s->plan, "/process/user/additionalGids/%zu", i), err);
	return r;
}

static void add_ids(struct planner_state *s)
{
	const struct config_process *process = &s->config->process;
	const struct u32_list *gids = &process->additional_gids;
	uint32_t *copy = arena_array(&s->plan->arena, gids->n ? gids->n : 1, sizeof(*copy));
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_IDS, "/process/user");
	bool keep = annotation_is_one(&s->config->annotations, ANNOTATION_KEEP_GROUPS);

	if (gids->n)
		memcpy(copy, gids->items, gids->n * sizeof(*copy));
	if (keep && gids->n)
		plan_warn(
			s->plan,
			"process.user.additionalGids is left out: the annotation " ANNOTATION_KEEP_GROUPS
			" asks for the caller's groups instead");
	step->u.ids.uid = process->uid;
	step->u.ids.gid = process->gid;
	step->u.ids.gids = copy;
	step->u.ids.n_gids = gids->n;
	step->u.ids.set_groups = !keep;
	step->u.ids.keep_caps = process->uid != 0;
}

/* ---- capabilities and the filter -------------------------------------------------------------------------------- */

static void add_bounding(struct planner_state *s, uint64_t keep)
{
	struct step *step =
		plan_add(s->plan, STEP_CHILD, STEP_BOUNDING, "/process/capabilities/bounding");

	step->u.bounding.keep = keep;
	step->u.bounding.last_cap = s->facts->last_cap;
}

static struct step *add_capabilities(struct planner_state *s, const struct cap_sets *sets)
{
	struct step *step =
		plan_add(s->plan, STEP_CHILD, STEP_CAPABILITIES, "/process/capabilities");

	step->u.capabilities.effective = sets->effective;
	step->u.capabilities.permitted = sets->permitted;
	step->u.capabilities.inheritable = sets->inheritable;
	step->u.capabilities.ambient = sets->ambient;
	step->u.capabilities.with_ambient = true;
	return step;
}

/* Spec: config-linux.md "Seccomp": profiles name calls that only other kernels and architectures have (row S-7) */
static void ignore_syscall(struct plan *plan, const struct seccomp_unknown *unknown)
{
	plan_ignore(plan, unknown->pointer,
		    unknown->nearest
			    ? plan_printf(plan,
					  "unknown system call \"%s\", perhaps \"%s\" was meant",
					  unknown->name, unknown->nearest)
			    : plan_printf(plan, "unknown system call \"%s\"", unknown->name));
}

static int refuse_unknown(const struct seccomp_unknown *unknown, struct err *err)
{
	err_user(err,
		 "unknown system call \"%s\", and the annotation " ANNOTATION_SECCOMP_STRICT
		 " makes that an error",
		 unknown->name);
	if (unknown->nearest)
		err_hint(err, "perhaps \"%s\" was meant", unknown->nearest);
	return err_at(err, unknown->pointer);
}

static int add_seccomp(struct planner_state *s, struct err *err)
{
	struct seccomp_program program = { 0 };
	struct step *step;
	int r;

	r = seccomp_compile(&s->plan->arena, &s->config->linux_.seccomp, &program, err);
	if (r < 0)
		return r;
	if (program.n_unknown &&
	    annotation_is_one(&s->config->annotations, ANNOTATION_SECCOMP_STRICT))
		return refuse_unknown(&program.unknown[0], err);
	/* For an exec it was said at create. */
	for (size_t i = 0; i < program.n_unknown && !s->enter; i++)
		ignore_syscall(s->plan, &program.unknown[i]);

	step = plan_add(s->plan, STEP_CHILD, STEP_SECCOMP, "/linux/seccomp");
	step->u.seccomp.insns = program.insns;
	step->u.seccomp.n = program.n;
	step->u.seccomp.flags = program.flags;
	step->u.seccomp.listener = listener_wanted(s->config);
	return 0;
}

/* PIVOT ends in "/", so nothing is to be done for that one. */
static void add_cwd(struct planner_state *s, bool again)
{
	struct step *step;

	if (strcmp(s->config->process.cwd, "/") == 0)
		return;
	step = plan_add(s->plan, STEP_CHILD, STEP_CWD, "/process/cwd");
	step->u.cwd.path = plan_strdup(s->plan, s->config->process.cwd);
	/* exec finds what create has made, or it is somebody's mistake. */
	step->u.cwd.create = !again && !s->enter;
	step->u.cwd.again = again;
}

/* Without noNewPrivileges the kernel takes a filter only from CAP_SYS_ADMIN (seccomp(2)). */
static int check_filter_right(const struct planner_state *s, struct err *err)
{
	if (s_in_user_ns(s) || s->facts->capabilities & CAP_BIT(CAP_SYS_ADMIN))
		return 0;
	err_user(err, "load a seccomp filter without noNewPrivileges: that needs CAP_SYS_ADMIN, "
		      "which the "
		      "runtime lacks");
	err_hint(err, "set process.noNewPrivileges");
	return err_at(err, "/process/noNewPrivileges");
}

/* From the capabilities to the last thing before execve. */
static int add_confinement(struct planner_state *s, struct err *err)
{
	bool filter = s->config->linux_.seccomp.set, nnp = s->config->process.no_new_privileges;
	struct cap_sets sets = caps_grantable(s), first = sets;
	bool keep_admin = filter && !nnp && !(sets.effective & CAP_BIT(CAP_SYS_ADMIN));
	int r;

	r = filter && !nnp ? check_filter_right(s, err) : 0;
	if (r < 0)
		return r;
	add_bounding(s, sets.bounding);
	add_ids(s);
	if (keep_admin) {
		first.effective |= CAP_BIT(CAP_SYS_ADMIN);
		first.permitted |= CAP_BIT(CAP_SYS_ADMIN);
	}
	add_capabilities(s, &first);
	add_cwd(s, true);

	if (nnp)
		plan_add(s->plan, STEP_CHILD, STEP_NO_NEW_PRIVS, "/process/noNewPrivileges");
	if (filter) {
		r = add_seccomp(s, err);
		if (r < 0)
			return r;
	}
	if (keep_admin)
		add_capabilities(s, &sets)->u.capabilities.with_ambient = false;
	return 0;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static void add_surroundings(struct planner_state *s)
{
	const struct config_process *process = &s->config->process;

	if (exec_needs_home(s))
		plan_add(s->plan, STEP_CHILD, STEP_HOME, "/process/user/uid")->u.home.uid =
			process->uid;
	add_cwd(s, false);

	/* Root of the host reaches its stdio whoever it belongs to, and a caller's terminal is not ours to give away. */
	if (process->uid != 0 || s_in_user_ns(s))
		plan_add(s->plan, STEP_CHILD, STEP_STDIO_OWNER, "/process/user/uid")
			->u.stdio_owner.uid = process->uid;
	if (process->umask.set)
		plan_add(s->plan, STEP_CHILD, STEP_UMASK, "/process/user/umask")->u.umask.mask =
			process->umask.v;
	if (s->config->linux_.personality.set)
		plan_add(s->plan, STEP_CHILD, STEP_PERSONALITY, "/linux/personality")
			->u.personality.domain =
			(unsigned long)s->config->linux_.personality.domain;
}

int plan_process(struct planner_state *s, struct err *err)
{
	int r;

	if (!s->config->process.set) {
		exec_add_missing(s);
		return 0;
	}

	r = check_ids(s, err);
	if (r < 0)
		return r;

	add_surroundings(s);
	r = plan_memory_policy(s, err);
	if (r < 0)
		return r;
	plan_late_limits(s);
	if (!s->enter)
		label_process(s, STEP_CHILD);
	plan_add(s->plan, STEP_CHILD, STEP_CLOSE_FDS, "")->u.close_fds.preserve_fds =
		s->options->preserve_fds;

	r = add_confinement(s, err);
	if (r < 0)
		return r;
	exec_add(s);
	return 0;
}
