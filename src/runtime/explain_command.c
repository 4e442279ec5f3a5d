/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that a person could type for a step: state, hand-overs, namespaces, cgroups. The filesystem's are in
 * explain_mount.c, those of the process (ids, limits, capabilities) in explain_process.c. Where the kernel has a call that
 * no command makes, the line is a comment with the call.
 */
#include "runtime/explain_parts.h"
#include "runtime/rdt.h"

#include <stdio.h>
#include <string.h>

const struct step *plan_slot_writer(const struct plan *plan, int slot)
{
	for (size_t i = 0; slot != SLOT_NONE && i < plan->n_steps; i++) {
		if (plan->steps[i].out == slot)
			return &plan->steps[i];
	}
	return NULL;
}

static void put_cgroup_file(FILE *out, const char *dir, const char *file)
{
	shell_word(out, dir);
	fputc('/', out);
	shell_word(out, file);
}

/* ---- state and hand-over ---------------------------------------------------------------------------------------- */

void command_state_make(const struct shell *sh, const struct step *step)
{
	fputs("mkdir -m 0700 \"$state\"", sh->out);
}

void command_state_write(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out,
		"echo '{\"status\": \"%s\", ...}' > \"$state/new\" && mv \"$state/new\" "
		"\"$state/state.json\"",
		step->u.state_write.status);
}

void command_pid_file(const struct shell *sh, const struct step *step)
{
	fputs("printf %s \"$pid\" > ", sh->out);
	shell_word(sh->out, step->u.pid_file.path);
}

void command_pidfd_send(const struct shell *sh, const struct step *step)
{
	fputs("# sendmsg(SCM_RIGHTS) with pidfd_open($pid) to the socket ", sh->out);
	shell_word(sh->out, step->u.pidfd_send.path);
}

void command_notify_make(const struct shell *sh, const struct step *step)
{
	fputs("mkdir -m 0755 \"$state/notify\"", sh->out);
}

void command_notify_bind(const struct shell *sh, const struct step *step)
{
	fputs("# bind() a datagram socket to $state/notify/notify.sock", sh->out);
}

void command_notify_relay(const struct shell *sh, const struct step *step)
{
	fputs("# wait for READY=1 there, and pass it on to ", sh->out);
	shell_word(sh->out, step->u.notify_relay.host);
}

void command_criu_start(const struct shell *sh, const struct step *step)
{
	fputs("# criu restore --images-dir ", sh->out);
	shell_word(sh->out, step->u.criu_start.image);
}

void command_criu_namespaces(const struct shell *sh, const struct step *step)
{
	fputs("# wait until criu says setup-namespaces", sh->out);
}

void command_criu_processes(const struct shell *sh, const struct step *step)
{
	fputs("# wait until criu says post-restore", sh->out);
}

void command_criu_release(const struct shell *sh, const struct step *step)
{
	fputs("# wait until criu is done", sh->out);
}

void command_listener_connect(const struct shell *sh, const struct step *step)
{
	fputs("# connect() to the socket ", sh->out);
	shell_word(sh->out, step->u.listener_connect.path);
}

void command_listener_send(const struct shell *sh, const struct step *step)
{
	fputs("# pidfd_getfd(), then sendmsg(SCM_RIGHTS) with the container's state to the agent",
	      sh->out);
}

void command_start_bind(const struct shell *sh, const struct step *step)
{
	fputs("mkfifo \"$state/start\"", sh->out);
}

void command_start_listen(const struct shell *sh, const struct step *step)
{
	fputs("test -p \"$state/start\"", sh->out);
}

void command_start_accept(const struct shell *sh, const struct step *step)
{
	fputs("read -r go < \"$state/start\"", sh->out);
}

void command_start_connect(const struct shell *sh, const struct step *step)
{
	fputs("echo go > \"$state/start\"", sh->out);
}

void command_exec_wait(const struct shell *sh, const struct step *step)
{
	fputs("# read() until the end: the socket closes when the program is executed", sh->out);
}

static const char *token_word(enum sync_token token)
{
	switch (token) {
	case SYNC_MAPPED:
		return "mapped";
	case SYNC_RUNTIME_HOOKS:
		return "mounted";
	case SYNC_HOOKS_DONE:
		return "hooks-done";
	case SYNC_CONSOLE:
		return "console";
	case SYNC_CREATED:
		return "created";
	case SYNC_LISTENER:
		return "listener";
	case SYNC_RELEASED:
		return "released";
	}
	return "unknown";
}

void command_sync_send(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "echo %s > \"$run/to-%s\"", token_word(step->u.sync_send.token),
		step->who == STEP_CHILD ? "parent" : "child");
}

void command_sync_wait(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "read -r word < \"$run/to-%s\"   # \"%s\"",
		step->who == STEP_CHILD ? "child" : "parent", token_word(step->u.sync_wait.token));
}

/* ---- processes and namespaces ----------------------------------------------------------------------------------- */

/* nsenter's word for each namespace; its --user comes first whatever the order of the options. */
static const char *const nsenter_words[NS_TYPES] = {
	[NS_PID] = "pid", [NS_NETWORK] = "net", [NS_MOUNT] = "mount",   [NS_IPC] = "ipc",
	[NS_UTS] = "uts", [NS_USER] = "user",   [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

void shell_nsenter(const struct shell *sh, const struct step *step)
{
	const struct step *open = plan_slot_writer(sh->plan, step->in[0]);

	fprintf(sh->out, " --%s=", nsenter_words[step->u.ns_join.type]);
	shell_word(sh->out, open ? open->u.ns_open.path : "?");
}

void command_proc_open(const struct shell *sh, const struct step *step)
{
	fputs("[ \"$(stat -f -c %T /proc)\" = proc ]", sh->out);
}

void command_ns_open(const struct shell *sh, const struct step *step)
{
	fputs("[ \"$(stat -L -f -c %T ", sh->out);
	shell_word(sh->out, step->u.ns_open.path);
	fputs(")\" = nsfs ]", sh->out);
}

/* On cgroup2 a process is born in its cgroup (CLONE_INTO_CGROUP); a shell has to move there first. */
static void put_move(const struct shell *sh, const struct step *step)
{
	const struct step *cgroup = plan_slot_writer(sh->plan, step->in[0]);

	if (!cgroup)
		return;
	fputs("echo $$ > ", sh->out);
	shell_cgroup(sh->out, cgroup);
	fputs("/cgroup.procs && ", sh->out);
}

void command_stage_fork(const struct shell *sh, const struct step *step)
{
	put_move(sh, step);
	fputs("bash", sh->out);
}

void command_ns_join(const struct shell *sh, const struct step *step)
{
	fputs("exec nsenter", sh->out);
	shell_nsenter(sh, step);
	fputs(" bash", sh->out);
}

void shell_cgroup(FILE *out, const struct step *step)
{
	if (step->kind == STEP_CGROUP_SUB)
		put_cgroup_file(out, step->u.cgroup_sub.dir, step->u.cgroup_sub.name);
	else if (step->kind == STEP_CGROUP_OPEN)
		shell_word(out, step->u.cgroup_open.dir);
	else
		shell_word(out, step->u.cgroup_make.request.path);
}

void command_clone(const struct shell *sh, const struct step *step)
{
	put_move(sh, step);
	fputs("unshare --fork", sh->out);
	shell_unshare(sh->out, step->u.clone.flags);
	fputs(" bash", sh->out);
}

/* "0 1000 1\n1 100000 9\n" as one argument of printf. */
static void put_map(FILE *out, const char *map)
{
	fputs("printf '", out);
	for (; *map; map++) {
		if (*map == '\n')
			fputs("\\n", out);
		else
			fputc(*map, out);
	}
	fputc('\'', out);
}

void shell_id_maps(const struct shell *sh, const char *uid_map, const char *gid_map,
		   const char *pid)
{
	put_map(sh->out, uid_map);
	fprintf(sh->out, " > /proc/%s/uid_map && ", pid);
	put_map(sh->out, gid_map);
	fprintf(sh->out, " > /proc/%s/gid_map", pid);
}

/* The same numbers as operands: "newuidmap PID 0 1000 1 1 100000 65536". */
static void put_helper(FILE *out, const char *helper, const char *map)
{
	fprintf(out, "%s \"$pid\"", helper);
	for (const char *at = map; *at; at += strcspn(at, "\n") + 1)
		fprintf(out, " %.*s", (int)strcspn(at, "\n"), at);
}

void command_id_map(const struct shell *sh, const struct step *step)
{
	if (step->u.id_map.deny_groups)
		fputs("echo deny > /proc/\"$pid\"/setgroups && ", sh->out);
	if (step->u.id_map.uid_helper || step->u.id_map.gid_helper) {
		put_helper(sh->out, "newuidmap", step->u.id_map.uid_map);
		fputs(" && ", sh->out);
		put_helper(sh->out, "newgidmap", step->u.id_map.gid_map);
		return;
	}
	shell_id_maps(sh, step->u.id_map.uid_map, step->u.id_map.gid_map, "\"$pid\"");
}

void command_ns_root(const struct shell *sh, const struct step *step)
{
	fputs("exec setpriv --reuid=0 --regid=0 --clear-groups bash", sh->out);
}

void shell_time_offsets(const struct shell *sh, const struct step *step)
{
	const struct config_time_offset *mono = &step->u.time_ns.monotonic,
					*boot = &step->u.time_ns.boottime;

	fputs("printf '", sh->out);
	if (mono->set)
		fprintf(sh->out, "monotonic %lld %u\\n", (long long)mono->secs, mono->nanosecs);
	if (boot->set)
		fprintf(sh->out, "boottime %lld %u\\n", (long long)boot->secs, boot->nanosecs);
	fputs("' > /proc/self/timens_offsets", sh->out);
}

void command_time_ns(const struct shell *sh, const struct step *step)
{
	fputs("exec unshare --time bash; ", sh->out);
	shell_time_offsets(sh, step);
	fputs("; exec nsenter --time=/proc/self/ns/time_for_children bash", sh->out);
}

void command_cgroup_ns(const struct shell *sh, const struct step *step)
{
	fputs("exec unshare --cgroup bash", sh->out);
}

void command_loopback(const struct shell *sh, const struct step *step)
{
	fputs("ip link set lo up", sh->out);
}

/* The container's network namespace as a word: that of a joined one, or its first process's. */
static void put_network(const struct shell *sh, const struct step *open)
{
	const struct step *joined = open ? plan_slot_writer(sh->plan, open->in[0]) : NULL;

	if (joined)
		shell_word(sh->out, joined->u.ns_open.path);
	else
		fputs("/proc/\"$pid\"/ns/net", sh->out);
}

void command_net_open(const struct shell *sh, const struct step *step)
{
	fputs("test -e ", sh->out);
	put_network(sh, step);
}

/* The device's name there, as a word. Of a template a shell has to find the number first. */
static void put_device_name(FILE *out, const char *name)
{
	const char *number = strchr(name, '%');
	defer_free char *before = NULL;

	if (!number) {
		shell_word(out, name);
	} else if (asprintf(&before, "%.*s", (int)(number - name), name) >= 0) {
		shell_word(out, before);
		fputs("\"$n\"", out);
		if (number[2])
			shell_word(out, number + 2);
	}
}

static void put_number_search(const struct shell *sh, const struct step *open, const char *name)
{
	fputs("n=0; while nsenter --net=", sh->out);
	put_network(sh, open);
	fputs(" ip link show dev ", sh->out);
	put_device_name(sh->out, name);
	fputs(" > /dev/null 2>&1; do n=$((n+1)); done; ", sh->out);
}

void command_net_device(const struct shell *sh, const struct step *step)
{
	const struct step *open = plan_slot_writer(sh->plan, step->in[0]);
	const char *from = step->u.net_device.host_name, *to = step->u.net_device.name;
	FILE *out = sh->out;

	if (strchr(to, '%'))
		put_number_search(sh, open, to);
	fputs("addresses=$(ip -o address show dev ", out);
	shell_word(out, from);
	fputs(" scope global permanent | awk '{print $4}') && ip link set dev ", out);
	shell_word(out, from);
	fputs(" netns ", out);
	put_network(sh, open);
	fputs(" name ", out);
	put_device_name(out, to);
	fputs(" && nsenter --net=", out);
	put_network(sh, open);
	fputs(" sh -euc 'for a in $2; do ip address add \"$a\" dev \"$1\"; done; ip link set "
	      "\"$1\" up' - ",
	      out);
	put_device_name(out, to);
	fputs(" \"$addresses\"", out);
}

void command_hostname(const struct shell *sh, const struct step *step)
{
	fputs("hostname ", sh->out);
	shell_word(sh->out, step->u.hostname.name);
}

void command_domainname(const struct shell *sh, const struct step *step)
{
	fputs("domainname ", sh->out);
	shell_word(sh->out, step->u.domainname.name);
}

void command_sysctl(const struct shell *sh, const struct step *step)
{
	fputs("echo ", sh->out);
	shell_word(sh->out, step->u.sysctl.value);
	fputs(" > /proc/sys/", sh->out);
	shell_word(sh->out, step->u.sysctl.path);
}

/* ---- cgroups ---------------------------------------------------------------------------------------------------- */

/* A file of the directory above @dir. */
static void put_file_above(const struct shell *sh, const char *dir, const char *file)
{
	const char *slash = strrchr(dir, '/');
	defer_free char *path = NULL;

	if (slash && asprintf(&path, "%.*s/%s", (int)(slash - dir), dir, file) >= 0)
		shell_word(sh->out, path);
}

/* A new cpuset is empty, and nobody can join it before it has something. */
static void put_cpuset_copy(const struct shell *sh, const char *dir, const char *file)
{
	fputs(" && cat ", sh->out);
	put_file_above(sh, dir, file);
	fputs(" > ", sh->out);
	put_cgroup_file(sh->out, dir, file);
}

void command_cgroup_make(const struct shell *sh, const struct step *step)
{
	const char *path = step->u.cgroup_make.request.path;

	fputs("mkdir -p ", sh->out);
	shell_word(sh->out, path);
	if (step->u.cgroup_make.request.enable && *step->u.cgroup_make.request.enable) {
		fprintf(sh->out, " && echo '%s' > ", step->u.cgroup_make.request.enable);
		put_file_above(sh, path, "cgroup.subtree_control");
	}
	if (step->u.cgroup_make.request.copy_cpus)
		put_cpuset_copy(sh, path, "cpuset.cpus");
	if (step->u.cgroup_make.request.copy_mems)
		put_cpuset_copy(sh, path, "cpuset.mems");
	if (step->u.cgroup_make.request.rt_runtime)
		fprintf(sh->out, " # parents that are new get cpu.rt_runtime_us %s, too",
			step->u.cgroup_make.request.rt_runtime);
}

static void put_cgroup_write(const struct shell *sh, const struct step *step, const char *file,
			     const char *value)
{
	const char *dir = step->u.cgroup_write.dir;

	if (step->u.cgroup_write.write.lines) {
		fputs("while read -r line; do echo \"$line\" > ", sh->out);
		put_cgroup_file(sh->out, dir, file);
		fputs("; done <<< ", sh->out);
		shell_word(sh->out, value);
		return;
	}
	fputs("echo ", sh->out);
	shell_word(sh->out, value);
	fputs(" > ", sh->out);
	put_cgroup_file(sh->out, dir, file);
}

void command_cgroup_write(const struct shell *sh, const struct step *step)
{
	const char *file = step->u.cgroup_write.write.file,
		   *other = step->u.cgroup_write.write.other_file;

	if (step->u.cgroup_write.write.optional && !other) {
		fputs("[ ! -e ", sh->out);
		put_cgroup_file(sh->out, step->u.cgroup_write.dir, file);
		fputs(" ] || ", sh->out);
	}
	put_cgroup_write(sh, step, file, step->u.cgroup_write.write.value);
	if (other) {
		fputs(" || ", sh->out);
		put_cgroup_write(sh, step, other, step->u.cgroup_write.write.other_value);
	}
	if (step->u.cgroup_write.write.may_be_refused ||
	    (step->u.cgroup_write.write.optional && other))
		fputs(" || :", sh->out);
}

void command_cgroup_devices(const struct shell *sh, const struct step *step)
{
	fputs("# bpf(BPF_PROG_LOAD), bpf(BPF_PROG_ATTACH) to ", sh->out);
	shell_word(sh->out, step->u.cgroup_devices.dir);
}

void command_cgroup_chown(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "chown %u", step->u.cgroup_chown.uid);
	if (step->u.cgroup_chown.gid != (uint32_t)-1)
		fprintf(sh->out, ":%u", step->u.cgroup_chown.gid);
	fputc(' ', sh->out);
	shell_word(sh->out, step->u.cgroup_chown.dir);
	fputc(' ', sh->out);
	shell_word(sh->out, step->u.cgroup_chown.dir);
	fputs("/cgroup.{procs,subtree_control,threads}", sh->out);
}

void command_cgroup_join(const struct shell *sh, const struct step *step)
{
	fputs("echo 0 > ", sh->out);
	put_cgroup_file(sh->out, step->u.cgroup_join.dir, "tasks");
}

void command_cgroup_sub(const struct shell *sh, const struct step *step)
{
	fputs("mkdir -p ", sh->out);
	put_cgroup_file(sh->out, step->u.cgroup_sub.dir, step->u.cgroup_sub.name);
}

/* ---- Intel RDT -------------------------------------------------------------------------------------------------- */

void command_rdt_group(const struct shell *sh, const struct step *step)
{
	const char *path = step->u.rdt_group.path, *lines = step->u.rdt_group.lines;

	static const char *const verbs[] = {
		[RDT_MAKE] = "mkdir ", [RDT_MATCH] = "mkdir -p ", [RDT_JOIN] = "test -d "
	};

	fputs(verbs[step->u.rdt_group.wish], sh->out);
	shell_word(sh->out, path);
	/* The kernel takes lines one by one, and so does a shell that is asked nicely. */
	for (; lines && *lines; lines += strcspn(lines, "\n") + 1) {
		defer_free char *line = strndup(lines, strcspn(lines, "\n"));

		fputs(" && echo ", sh->out);
		shell_word(sh->out, line);
		fputs(" > ", sh->out);
		put_cgroup_file(sh->out, path, "schemata");
	}
}

void command_rdt_monitor(const struct shell *sh, const struct step *step)
{
	fputs("mkdir ", sh->out);
	shell_word(sh->out, step->u.rdt_monitor.path);
}

void command_rdt_join(const struct shell *sh, const struct step *step)
{
	fputs("echo 0 > ", sh->out);
	put_cgroup_file(sh->out, step->u.rdt_join.path, "tasks");
}

/* ---- units of systemd's ----------------------------------------------------------------------------------------- */

static void put_busctl(const struct shell *sh, const struct unit *unit, const char *member,
		       const char *signature)
{
	fprintf(sh->out,
		"busctl%s call " UNIT_MANAGER_NAME " " UNIT_MANAGER_PATH " " UNIT_MANAGER_INTERFACE
		" %s ",
		unit->user ? " --user" : "", member);
	shell_word(sh->out, signature);
}

static void put_words(const struct shell *sh, const struct str_list *words)
{
	for (size_t i = 0; i < words->n; i++) {
		fputc(' ', sh->out);
		/* The one word that a shell fills in. */
		if (strcmp(words->items[i], UNIT_HOLDER_WORD) == 0)
			fputs(words->items[i], sh->out);
		else
			shell_word(sh->out, words->items[i]);
	}
}

void command_unit_start(const struct shell *sh, const struct step *step)
{
	defer_arena struct arena arena = { 0 };
	const char *holder = step->u.unit_start.is_slice ? NULL : UNIT_HOLDER_WORD;
	struct str_list words = unit_start_words(&arena, step->u.unit_start.unit.name,
						 &step->u.unit_start.properties, holder);

	if (holder)
		fputs("sleep infinity & holder=$!; ", sh->out);
	put_busctl(sh, &step->u.unit_start.unit, "StartTransientUnit", UNIT_START_SIGNATURE);
	put_words(sh, &words);
}

void command_unit_leave(const struct shell *sh, const struct step *step)
{
	fputs("kill -KILL " UNIT_HOLDER_WORD, sh->out);
}

void command_unit_set(const struct shell *sh, const struct step *step)
{
	defer_arena struct arena arena = { 0 };
	struct str_list words =
		unit_set_words(&arena, step->u.unit_set.unit.name, &step->u.unit_set.properties);

	put_busctl(sh, &step->u.unit_set.unit, "SetUnitProperties", UNIT_SET_SIGNATURE);
	put_words(sh, &words);
}

#define COMMAND_ROW(upper, lower, name, effect) [STEP_##upper] = command_##lower,
static command_fn *const commands[STEP_KIND_COUNT] = { STEP_KINDS(COMMAND_ROW) };

void shell_command(const struct shell *sh, const struct step *step)
{
	commands[step->kind](sh, step);
}
