/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command that a person could type for a step that enters a container which is there; see explain_command.c. */
#include "runtime/explain_parts.h"

void command_init_open(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "ls /proc/%d", (int)step->u.init_open.pid);
}

void command_ns_enter(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "exec nsenter --target %d", (int)step->u.ns_enter.pid);
	shell_unshare(sh->out, step->u.ns_enter.flags);
	fputs(" bash", sh->out);
}

void command_close_unneeded(const struct shell *sh, const struct step *step)
{
	fputs("# close_range(3, ~0)", sh->out);
}

void command_cgroup_open(const struct shell *sh, const struct step *step)
{
	fputs("cd ", sh->out);
	shell_word(sh->out, step->u.cgroup_open.dir);
}

void command_undumpable(const struct shell *sh, const struct step *step)
{
	fputs("# prctl(PR_SET_DUMPABLE, 0)", sh->out);
}

void command_affinity(const struct shell *sh, const struct step *step)
{
	fputs("taskset --cpu-list --pid ", sh->out);
	shell_word(sh->out, step->u.affinity.cpus);
	fputs(" $$", sh->out);
}
