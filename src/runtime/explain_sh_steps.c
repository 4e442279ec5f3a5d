/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of each step in the script. For most kinds they are the command that explain's text has; the others are below,
 * each with what a script has to do differently from a person.
 */
#include "runtime/explain_script.h"

#include "os/path.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define OR_EXIT " || exit 1"

void script_line(struct script *s, const char *text)
{
	fprintf(s->sh.out, "%s%s\n", s->indent, text);
}

/* A step's command; in a list of several, bash -e would not mind that one before the last fails. */
static void put_command(struct script *s, const struct step *step)
{
	struct shell copy = s->sh;
	char *text = NULL;
	size_t len;

	copy.out = open_memstream(&text, &len);
	if (!copy.out)
		return;
	shell_command(&copy, step);
	if (fclose(copy.out) == 0)
		fprintf(s->sh.out, "%s%s", text, strstr(text, " && ") ? OR_EXIT : "");
	free(text);
}

void script_command(struct script *s, const struct step *step)
{
	fputs(s->indent, s->sh.out);
	put_command(s, step);
	fputc('\n', s->sh.out);
}

/* The comment above each step: where it stands in the plan, and why. */
void script_title(struct script *s, const struct step *step)
{
	fprintf(s->sh.out, "\n%s# %zu %s: %s", s->indent, (size_t)(step - s->sh.plan->steps),
		step_names[step->kind], step_reason(step));
	if (step->pointer[0])
		fprintf(s->sh.out, " [%s]", step->pointer);
	fputc('\n', s->sh.out);
}

const struct step *script_find(const struct script *s, enum step_kind kind)
{
	const struct plan *plan = s->sh.plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].who == STEP_CHILD && plan->steps[i].kind == kind)
			return &plan->steps[i];
	}
	return NULL;
}

/* The child executes a command that changes only what it executes; the rest of the child is its next part. */
static void cut_child(struct script *s, const char *command)
{
	s->part++;
	fprintf(s->sh.out, "%s%s bash -euc child_%zu\n}\nchild_%zu() {\n", s->indent, command,
		s->part, s->part);
}

static void put_tell(struct script *s, const struct step *step)
{
	fprintf(s->sh.out, "%stell %c\n", s->indent, (char)step->u.sync_send.token);
}

static void put_hear(struct script *s, const struct step *step)
{
	fprintf(s->sh.out, "%shear %c\n", s->indent, (char)step->u.sync_wait.token);
}

static void put_cgroup_make(struct script *s, const struct step *step)
{
	const char *period = step->u.cgroup_make.request.rt_period;
	const char *runtime = step->u.cgroup_make.request.rt_runtime;

	fprintf(s->sh.out, "%smake_cgroup ", s->indent);
	shell_word(s->sh.out, step->u.cgroup_make.request.path);
	fputc(' ', s->sh.out);
	shell_word(s->sh.out,
		   step->u.cgroup_make.request.enable ? step->u.cgroup_make.request.enable : "");
	fprintf(s->sh.out, " '%s'",
		step->u.cgroup_make.request.cpuset ? "cpuset.cpus cpuset.mems" : "");
	if (runtime)
		fprintf(s->sh.out, " '%s%s cpu.rt_runtime_us=%s'\n",
			period ? "cpu.rt_period_us=" : "", period ? period : "", runtime);
	else
		fputs(" ''\n", s->sh.out);
}

/* The call returns before it is done; what follows needs the cgroup. */
static void put_unit_start(struct script *s, const struct step *step)
{
	script_command(s, step);
	fprintf(s->sh.out, "%suntil grep -q ", s->indent);
	shell_word(s->sh.out, step->u.unit_start.cgroup);
	fputs(step->u.unit_start.is_slice ? " /proc/*/cgroup" : " \"/proc/$holder/cgroup\"",
	      s->sh.out);
	fputs("; do sleep 0.1; done\n", s->sh.out);
}

static void put_source_open(struct script *s, const struct step *step)
{
	struct attr_change change = source_change(step);
	char target[32];

	fprintf(s->sh.out, "%ssource_ %d ", s->indent, step->out);
	shell_word(s->sh.out, step->u.source_open.path);
	fputs(step->u.source_open.recursive ? " rbind" : " bind", s->sh.out);
	snprintf(target, sizeof(target), "\"$run/source-%d\"", step->out);
	shell_set_attrs(&s->sh, &change, target);
	fputs(OR_EXIT "\n", s->sh.out);
}

static void put_empty_dir(struct script *s, const struct step *step)
{
	fprintf(s->sh.out, "%smkdir ", s->indent);
	shell_source(&s->sh, step->out);
	fputs("\n", s->sh.out);
	script_command(s, step);
}

/* Make the place that is mounted on; its kind is known only where the source's is. */
static void put_point(struct script *s, const char *target, int source)
{
	fprintf(s->sh.out, "%s", s->indent);
	if (source == SLOT_NONE) {
		fputs("point ", s->sh.out);
		shell_word(s->sh.out, target);
		fputs(" dir\n", s->sh.out);
		return;
	}
	fputs("if [ -d ", s->sh.out);
	shell_source(&s->sh, source);
	fputs(" ]; then kind=dir; else kind=file; fi; point ", s->sh.out);
	shell_word(s->sh.out, target);
	fputs(" \"$kind\"\n", s->sh.out);
}

/* May the same filesystem be there already: in a bound tree, as a cgroup2 is in the host's /sys, or by its own mount? */
static bool may_be_there(const struct script *s, const struct step *step)
{
	if (strcmp(step->u.mount.fstype, "tmpfs") == 0) /* each is a new one */
		return false;
	for (const struct step *at = s->sh.plan->steps; at < step; at++) {
		if (at->kind == STEP_ATTACH &&
		    path_is_below(step->u.mount.target, at->u.attach.target))
			return true;
		if (at->kind == STEP_MOUNT && strcmp(at->u.mount.target, step->u.mount.target) == 0)
			return true;
	}
	return false;
}

/* mount(2), which mount(8) calls before 2.39, refuses a filesystem over itself (EBUSY); but one may be moved there. */
static void put_mount(struct script *s, const struct step *step)
{
	if (step->u.mount.remount) {
		script_command(s, step);
		return;
	}
	put_point(s, step->u.mount.target, SLOT_NONE);
	if (!may_be_there(s, step)) {
		script_command(s, step);
		return;
	}
	fputs(s->indent, s->sh.out);
	shell_filesystem(&s->sh, step);
	fprintf(s->sh.out, " \"$run/new\"\n%smount -n --move \"$run/new\" ", s->indent);
	shell_path(&s->sh, step->u.mount.target);
	fputc('\n', s->sh.out);
}

static void put_attach(struct script *s, const struct step *step)
{
	put_point(s, step->u.attach.target, step->in[1]);
	script_command(s, step);
}

static void put_if_missing(struct script *s, const struct step *step, const char *path)
{
	fprintf(s->sh.out, "%s[ -e ", s->indent);
	shell_path(&s->sh, path);
	fputs(" ] || { ", s->sh.out);
	put_command(s, step);
	fputs("; }\n", s->sh.out);
}

static void put_mask(struct script *s, const struct step *step)
{
	fprintf(s->sh.out, "%smask ", s->indent);
	shell_path(&s->sh, step->u.mask.path);
	fputc(' ', s->sh.out);
	shell_source(&s->sh, step->in[1]);
	fputc(' ', s->sh.out);
	shell_source(&s->sh, step->in[0]);
	fputc('\n', s->sh.out);
}

static void put_readonly(struct script *s, const struct step *step)
{
	fprintf(s->sh.out, "%s[ ! -e ", s->indent);
	shell_path(&s->sh, step->u.readonly.path);
	fputs(" ] || { ", s->sh.out);
	put_command(s, step);
	fputs("; }\n", s->sh.out);
}

/* The cgroup2 that the clone, or the stage before it, is into. */
static const struct step *find_cgroup(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if ((step->kind == STEP_CLONE || step->kind == STEP_STAGE_FORK) &&
		    step->in[0] != SLOT_NONE)
			return plan_slot_writer(plan, step->in[0]);
	}
	return NULL;
}

/* The pid of whoever reads it, as the host's procfs has it, even from inside a pid namespace. */
static void put_clone(struct script *s, const struct step *step)
{
	const struct step *cgroup = find_cgroup(s->sh.plan);
	FILE *out = s->sh.out;

	fputs("exec 7<&0 8>&1\n", out);
	fputs("coproc CONTAINER {\n\texec 3<&0 4>&1 0<&7 1>&8 7<&- 8>&-\n\texport from=3 to=4\n",
	      out);
	if (cgroup) {
		fputs("\techo 0 > ", out);
		shell_cgroup(out, cgroup);
		fputs("/cgroup.procs\n", out);
	}

	fputs("\texec", out);
	if (step->who == STEP_STAGE) {
		fputs(" nsenter", out);
		for (const struct step *join = s->sh.plan->steps; join < step; join++) {
			if (join->kind == STEP_NS_JOIN)
				shell_nsenter(&s->sh, join);
		}
	}
	fputs(" unshare --fork --kill-child --propagation unchanged", out);
	shell_unshare(out, step->u.clone.flags);
	fputs(step->u.clone.flags & CLONE_NEWUSER ? " --keep-caps" : "", out);
	fputs(" bash -euc child_1\n}\n", out);
	fputs("container=$CONTAINER_PID from=5 to=6\n", out);
	fputs("exec 5<&\"${CONTAINER[0]}\" 6>&\"${CONTAINER[1]}\" 7<&- 8>&-\n", out);
	fputs("read -r pid <&5\n", out);
}

void script_hook(struct script *s, const struct step *step, const char *tools)
{
	fputs(s->indent, s->sh.out);
	shell_hook(&s->sh, step, tools);
	fputc('\n', s->sh.out);
}

static void put_cwd(struct script *s, const struct step *step)
{
	if (!step->u.cwd.create)
		return;
	fprintf(s->sh.out, "%spoint ", s->indent);
	shell_word(s->sh.out, step->u.cwd.path);
	fputs(" dir\n", s->sh.out);
}

static void put_stdio_owner(struct script *s, const struct step *step)
{
	fprintf(s->sh.out,
		"%sfor fd in 0 1 2; do\n%s\t[ /proc/self/fd/$fd -ef /dev/null ] || chown %u "
		"/proc/self/fd/$fd || :\n%sdone "
		"2>/dev/null\n",
		s->indent, s->indent, step->u.stdio_owner.uid, s->indent);
}

/*
 * Offsets must be there before anyone enters. A newer kernel enters at the next exec, an older one at the next fork, so
 * unshare writes them (whole seconds only) and nsenter makes sure.
 */
static void put_time_ns(struct script *s, const struct step *step)
{
	const struct config_time_offset *mono = &step->u.time_ns.monotonic,
					*boot = &step->u.time_ns.boottime;
	char command[160];

	if (mono->nanosecs || boot->nanosecs)
		script_line(s, "# without the nanoseconds, which unshare does not take");
	snprintf(command, sizeof(command), "exec unshare --time --monotonic %lld --boottime %lld",
		 (long long)mono->secs, (long long)boot->secs);
	cut_child(s, command);
	cut_child(s, "exec nsenter --time=/proc/self/ns/time_for_children");
}

typedef void put_fn(struct script *s, const struct step *step);

static void put_state_make(struct script *s, const struct step *step)
{
	script_line(s, "mkdir \"$state\"");
}

static void put_part_of_clone(struct script *s, const struct step *step)
{
	script_line(s, "# part of the line that makes the container's process");
}

static void put_at_the_end(struct script *s, const struct step *step)
{
	script_line(s, "# with the last line, where setpriv and env do it");
}

static void put_start_accept(struct script *s, const struct step *step)
{
	script_line(s, "hear go");
}

static void put_start_connect(struct script *s, const struct step *step)
{
	script_line(s, "tell go");
}

static void put_start_socket(struct script *s, const struct step *step)
{
	script_line(s, "# the hand-over is there already");
}

static void put_exec_wait(struct script *s, const struct step *step)
{
	script_line(s, "hear executing");
}

static void put_cgroup_ns(struct script *s, const struct step *step)
{
	cut_child(s, "exec unshare --cgroup");
}

static void become_root(struct script *s)
{
	cut_child(s, "exec setpriv --reuid=0 --regid=0 --clear-groups");
}

/* mount(8) works for root only, and root of the user namespace is what we are about to become: do so right away. */
static void put_ns_root(struct script *s, const struct step *step)
{
	script_line(s, "# before the first mount, which needs it");
}

static void put_first_mount(struct script *s, const struct step *step)
{
	if (script_find(s, STEP_NS_ROOT))
		become_root(s);
	script_command(s, step);
}

static void put_session(struct script *s, const struct step *step)
{
	cut_child(s, "exec setsid");
}

/* A node can be anywhere, also in a directory that is not there. */
static void put_parent_point(struct script *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (slash == path || (size_t)(slash - path) >= sizeof(parent))
		return;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	put_point(s, parent, SLOT_NONE);
}

static void put_device(struct script *s, const struct step *step)
{
	put_parent_point(s, step->u.device.path);
	put_if_missing(s, step, step->u.device.path);
}

static void put_device_bind(struct script *s, const struct step *step)
{
	put_point(s, step->u.device_bind.path, step->in[1]);
	fprintf(s->sh.out, "%smount --bind ", s->indent);
	shell_source(&s->sh, step->in[1]);
	fputc(' ', s->sh.out);
	shell_path(&s->sh, step->u.device_bind.path);
	fputc('\n', s->sh.out);
}

static void put_symlink(struct script *s, const struct step *step)
{
	put_if_missing(s, step, step->u.symlink.path);
}

static void put_keyring(struct script *s, const struct step *step)
{
	script_line(s,
		    "# not done: keyctl is not among the commands that this script may count on");
}

static void put_idmap(struct script *s, const struct step *step)
{
	script_line(s, "# not done: mount learned X-mount.idmap only in util-linux 2.39");
}

/* The kinds whose part of the script is more or less than their command. */
static put_fn *const special[STEP_KIND_COUNT] = {
	[STEP_STATE_MAKE] = put_state_make,
	[STEP_START_BIND] = put_start_socket,
	[STEP_START_LISTEN] = put_start_socket,
	[STEP_START_ACCEPT] = put_start_accept,
	[STEP_START_CONNECT] = put_start_connect,
	[STEP_EXEC_WAIT] = put_exec_wait,
	[STEP_SYNC_SEND] = put_tell,
	[STEP_SYNC_WAIT] = put_hear,
	[STEP_STAGE_FORK] = put_part_of_clone,
	[STEP_NS_JOIN] = put_part_of_clone,
	[STEP_CLONE] = put_clone,
	[STEP_CGROUP_MAKE] = put_cgroup_make,
	[STEP_UNIT_START] = put_unit_start,
	[STEP_CGROUP_NS] = put_cgroup_ns,
	[STEP_TIME_NS] = put_time_ns,
	[STEP_NS_ROOT] = put_ns_root,
	[STEP_SESSION] = put_session,
	[STEP_PROPAGATION] = put_first_mount,
	[STEP_SOURCE_OPEN] = put_source_open,
	[STEP_EMPTY_DIR] = put_empty_dir,
	[STEP_ID_MAP_NS] = put_idmap,
	[STEP_IDMAP] = put_idmap,
	[STEP_MOUNT] = put_mount,
	[STEP_ATTACH] = put_attach,
	[STEP_DEVICE] = put_device,
	[STEP_DEVICE_BIND] = put_device_bind,
	[STEP_SYMLINK] = put_symlink,
	[STEP_MASK] = put_mask,
	[STEP_READONLY] = put_readonly,
	[STEP_KEYRING] = put_keyring,
	[STEP_FIND_EXECUTABLE] = put_at_the_end,
	[STEP_PERSONALITY] = put_at_the_end,
	[STEP_CWD] = put_cwd,
	[STEP_STDIO_OWNER] = put_stdio_owner,
	[STEP_SIGNALS] = put_at_the_end,
	[STEP_BOUNDING] = put_at_the_end,
	[STEP_IDS] = put_at_the_end,
	[STEP_CAPABILITIES] = put_at_the_end,
	[STEP_NO_NEW_PRIVS] = put_at_the_end,
};

void script_step(struct script *s, const struct step *step)
{
	script_title(s, step);
	if (special[step->kind])
		special[step->kind](s, step);
	else
		script_command(s, step);
}
