/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that a person could type for a step that gives the program its own: hooks, limits, ids, capabilities. See
 * explain_command.c for the others.
 */
#include "runtime/explain_parts.h"

#include <ctype.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

/* Who a step of limits works on: the parent does it to the child by its pid, the child to itself. */
static const char *target_pid(const struct step *step)
{
	return step->who == STEP_PARENT ? "\"$pid\"" : "$$";
}

static void put_list(FILE *out, const struct str_list *list, size_t from)
{
	for (size_t i = from; i < list->n; i++) {
		fputc(' ', out);
		shell_word(out, list->items[i]);
	}
}

void shell_hook(const struct shell *sh, const struct step *step, const char *tools)
{
	const struct config_hook *hook = step->u.hook.hook;

	fputs("printf '%s%s%s' ", sh->out);
	shell_word(sh->out, step->u.hook.state_before);
	/* A hook inside sees the pid that the container sees. */
	fprintf(sh->out, " %s ", step->who == STEP_CHILD ? "\"$$\"" : "\"$pid\"");
	shell_word(sh->out, step->u.hook.state_after);
	fprintf(sh->out, " | %s", sh->enter ? sh->enter : "");
	if (hook->timeout_s)
		fprintf(sh->out, "%stimeout %u ", tools, hook->timeout_s);
	fprintf(sh->out, "%senv -i --chdir=", tools);
	shell_word(sh->out, step->u.hook.cwd);
	put_list(sh->out, &hook->env, 0);
	fputc(' ', sh->out);
	shell_word(sh->out, hook->path);
	put_list(sh->out, &hook->args, 1);
	if (step->in[0] != SLOT_NONE)
		fprintf(sh->out, " >&\"$output%d\"", step->in[0]);
	if (step->in[1] != SLOT_NONE)
		fprintf(sh->out, " 2>&\"$output%d\"", step->in[1]);
}

void command_hook_output(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "exec {output%d}>>", step->out);
	shell_word(sh->out, step->u.hook_output.path);
}

void command_hook(const struct shell *sh, const struct step *step)
{
	shell_hook(sh, step, "");
}

void command_label(const struct shell *sh, const struct step *step)
{
	fputs("printf %s ", sh->out);
	shell_word(sh->out, step->u.label.text);
	fprintf(sh->out, " > /proc/self/attr/%s", step->u.label.file);
}

void command_keyring(const struct shell *sh, const struct step *step)
{
	fputs("exec keyctl session ", sh->out);
	shell_word(sh->out, step->u.keyring.name);
	fputs(" bash", sh->out);
}

static void put_limit(FILE *out, uint64_t limit)
{
	if (limit == RLIM_INFINITY)
		fputs("unlimited", out);
	else
		fprintf(out, "%llu", (unsigned long long)limit);
}

/* RLIMIT_NOFILE is prlimit's --nofile; all of its options are named like that. */
void command_rlimit(const struct shell *sh, const struct step *step)
{
	const char *word = step->u.rlimit.type + strlen("RLIMIT_");

	fprintf(sh->out, "prlimit --pid %s --", target_pid(step));
	for (; *word; word++)
		fputc(tolower((unsigned char)*word), sh->out);
	fputc('=', sh->out);
	put_limit(sh->out, step->u.rlimit.soft);
	fputc(':', sh->out);
	put_limit(sh->out, step->u.rlimit.hard);
}

void command_oom_score_adj(const struct shell *sh, const struct step *step)
{
	if (step->who != STEP_PARENT)
		fprintf(sh->out, "echo %d > /proc/self/oom_score_adj", step->u.oom_score_adj.value);
	else
		fprintf(sh->out, "echo %d > /proc/\"$pid\"/oom_score_adj",
			step->u.oom_score_adj.value);
}

void command_scheduler(const struct shell *sh, const struct step *step)
{
	static const char *const policies[] = {
		[SCHED_OTHER] = "other", [SCHED_FIFO] = "fifo",
		[SCHED_RR] = "rr",       [SCHED_BATCH] = "batch",
		[SCHED_IDLE] = "idle",   [6 /* SCHED_DEADLINE */] = "deadline",
	};
	const struct config_scheduler *s = &step->u.scheduler;
	const char *word = s->policy < ARRAY_LEN(policies) ? policies[s->policy] : NULL;

	if (!word) {
		fprintf(sh->out, "# sched_setattr() with policy %u", s->policy);
		return;
	}
	fprintf(sh->out, "chrt --%s", word);
	if (s->runtime_ns)
		fprintf(sh->out, " --sched-runtime %llu", (unsigned long long)s->runtime_ns);
	if (s->deadline_ns)
		fprintf(sh->out, " --sched-deadline %llu", (unsigned long long)s->deadline_ns);
	if (s->period_ns)
		fprintf(sh->out, " --sched-period %llu", (unsigned long long)s->period_ns);
	fprintf(sh->out, " --pid %d %s", s->priority, target_pid(step));
	if (s->nice)
		fprintf(sh->out, " && renice -n %d -p %s > /dev/null", s->nice, target_pid(step));
}

void command_io_priority(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "ionice -c %d -n %d -p %s", step->u.io_priority.class,
		step->u.io_priority.priority, target_pid(step));
}

void command_affinity_reset(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "taskset --cpu-list --pid 0-1023 %s > /dev/null", target_pid(step));
}

void command_memory_policy(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "# set_mempolicy(%d), which is numactl's", step->u.memory_policy.mode);
}

void command_personality(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "exec setarch %s bash",
		step->u.personality.domain == PER_LINUX32 ? "linux32" : "linux64");
}

void command_session(const struct shell *sh, const struct step *step)
{
	fputs("exec setsid bash", sh->out);
}

void command_find_executable(const struct shell *sh, const struct step *step)
{
	const struct str_list *dirs = &step->u.find_executable.path_dirs;

	if (!strchr(step->u.find_executable.name, '/')) {
		fputs("PATH=", sh->out);
		for (size_t i = 0; i < dirs->n; i++) {
			fputs(i ? ":" : "", sh->out);
			shell_word(sh->out, dirs->items[i]);
		}
		fputc(' ', sh->out);
	}
	fputs("command -v ", sh->out);
	shell_word(sh->out, step->u.find_executable.name);
}

void command_home(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "HOME=$(awk -F: '$3 == %u { print $6; exit }' ", step->u.home.uid);
	shell_path(sh, "/etc/passwd");
	fputs(" || :)", sh->out);
}

void command_cwd(const struct shell *sh, const struct step *step)
{
	if (step->u.cwd.create) {
		fputs("mkdir -p ", sh->out);
		shell_path(sh, step->u.cwd.path);
		fputs(" && ", sh->out);
	}
	fputs("cd ", sh->out);
	shell_path(sh, step->u.cwd.path);
}

void command_stdio_owner(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "chown %u /proc/self/fd/{0,1,2}", step->u.stdio_owner.uid);
}

void command_signals(const struct shell *sh, const struct step *step)
{
	fputs("exec env --default-signal bash", sh->out);
}

void command_close_fds(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "# close_range(%u, ~0)", 3 + step->u.close_fds.preserve_fds);
}

void command_umask(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "umask %04o", step->u.umask.mask);
}

/* setpriv changes a set by words: first nothing is in it, then these are. */
static void put_cap_set(FILE *out, const char *option, uint64_t caps)
{
	fprintf(out, " --%s=-all%s", option, caps ? "," : "");
	shell_caps(out, caps, "+");
}

void shell_setpriv(FILE *out, const struct step *step)
{
	switch (step->kind) {
	case STEP_BOUNDING:
		put_cap_set(out, "bounding-set", step->u.bounding.keep);
		return;
	case STEP_IDS:
		fprintf(out, " --reuid=%u --regid=%u", step->u.ids.uid, step->u.ids.gid);
		if (!step->u.ids.set_groups) {
			fputs(" --keep-groups", out);
		} else if (step->u.ids.n_gids == 0) {
			fputs(" --clear-groups", out);
		} else {
			for (size_t i = 0; i < step->u.ids.n_gids; i++)
				fprintf(out, "%s%u", i ? "," : " --groups=", step->u.ids.gids[i]);
		}
		return;
	case STEP_CAPABILITIES:
		put_cap_set(out, "inh-caps", step->u.capabilities.inheritable);
		put_cap_set(out, "ambient-caps", step->u.capabilities.ambient);
		return;
	case STEP_NO_NEW_PRIVS:
		fputs(" --no-new-privs", out);
		return;
	default:
		return;
	}
}

/* Most commands of this kind change only what they execute, so a person stacks them: each runs the next shell. */
static void setpriv(const struct shell *sh, const struct step *step)
{
	fputs("exec setpriv", sh->out);
	shell_setpriv(sh->out, step);
	fputs(" bash", sh->out);
}

void command_bounding(const struct shell *sh, const struct step *step)
{
	setpriv(sh, step);
}

void command_ids(const struct shell *sh, const struct step *step)
{
	setpriv(sh, step);
}

/* libcap's text form: names with =, then the letters of the sets that they are in. */
static void put_cap_clause(FILE *out, uint64_t caps, const char *letters)
{
	if (!caps)
		return;
	fputc(' ', out);
	shell_caps(out, caps, "cap_");
	fprintf(out, "+%s", letters);
}

void command_capabilities(const struct shell *sh, const struct step *step)
{
	fputs("exec capsh --caps='=", sh->out);
	put_cap_clause(sh->out, step->u.capabilities.permitted, "p");
	put_cap_clause(sh->out, step->u.capabilities.effective, "e");
	put_cap_clause(sh->out, step->u.capabilities.inheritable, "i");
	fputs("' --", sh->out);
}

void command_no_new_privs(const struct shell *sh, const struct step *step)
{
	setpriv(sh, step);
}

void command_seccomp(const struct shell *sh, const struct step *step)
{
	fputs("# seccomp(SECCOMP_SET_MODE_FILTER)", sh->out);
}

void shell_exec_words(const struct shell *sh, const struct step *step)
{
	char *const *word;

	for (size_t i = 0; i < step->u.exec.n_env; i++) {
		if (step->u.exec.envp[i] == step->u.exec.listen_pid) {
			fputs(" LISTEN_PID=$$", sh->out);
			continue;
		}
		fputc(' ', sh->out);
		shell_word(sh->out, step->u.exec.envp[i]);
	}
	for (word = step->u.exec.argv; word && *word; word++) {
		fputc(' ', sh->out);
		shell_word(sh->out, *word);
	}
}

void command_exec(const struct shell *sh, const struct step *step)
{
	fputs("exec env -i", sh->out);
	shell_exec_words(sh, step);
}
