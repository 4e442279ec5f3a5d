/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan as a shell script that runs the container: `tare-oci explain --format sh`.
 *
 * The script's parts are those of the plan. Its top level is the parent; a coprocess becomes the child, by way of nsenter
 * (the stage's joins) and unshare (the clone). A command like `unshare --cgroup` changes only what it executes, so at each
 * of these the child's part is cut: child_1 ends by executing bash with child_2, and so on.
 *
 * One thing is in another order than in the plan. After pivot_root a shell has no commands any more, so everything that
 * the child does in its own root is done before, through "$root", and pivot_root comes just before the program. The few
 * commands that have to run after it are copied, with their libraries, to a place that survives it: a filesystem which is
 * gone from every namespace but still is the working directory. There they are reached by relative paths, which the exec
 * builtin would make absolute; so the end is a text for `bash -c`, which executes its last command without a fork.
 *
 * What a shell can't do (seccomp, terminals, keyrings, eBPF, idmapped mounts) stands there as a comment.
 */
#include "runtime/explain_script.h"

/* explain_preamble.sh as a string */
static const char preamble[] =
#include "runtime/explain_preamble.inc"
	;

/* ---- the end ------------------------------------------------------------------------------------------------------- */

/* What can only be done in the new root: hooks whose path is the container's, and sharing the root's mounts. */
static void put_after_pivot(struct script *s)
{
	const struct plan *plan = s->sh.plan;

	for (size_t i = s->pivot; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (step->who != STEP_CHILD)
			continue;
		if (step->kind == STEP_HOOK) {
			script_title(s, step);
			script_hook(s, step, "$ld ./");
		} else if (step->kind == STEP_PROPAGATION) {
			script_title(s, step);
			fprintf(s->sh.out, "%s%s$ld ./", s->indent, s->sh.enter);
			shell_command(&s->sh, step);
			fputc('\n', s->sh.out);
		}
	}
}

/* One setpriv has the options of all of its steps: the order among them is its business. */
static void put_exec(struct script *s, const struct step *step)
{
	static const enum step_kind identity[] = { STEP_BOUNDING, STEP_IDS, STEP_CAPABILITIES,
						   STEP_NO_NEW_PRIVS };
	const struct step *personality = script_find(s, STEP_PERSONALITY);
	const struct step *cwd = script_find(s, STEP_CWD), *part;
	FILE *out = s->sh.out;

	fputs("tell executing\nexec 3<&- 4>&-\n", out);
	if (personality)
		fprintf(out, "%s$ld ./setarch %s ", s->sh.enter,
			personality->u.personality.domain ? "linux32" : "linux64");
	fprintf(out, "%s$ld ./setpriv", personality ? "" : s->sh.enter);
	for (size_t i = 0; i < ARRAY_LEN(identity); i++) {
		part = script_find(s, identity[i]);
		if (part)
			shell_setpriv(out, part);
	}
	fputs(" \\\n\t$ld ./env -i --chdir=", out);
	shell_word(out, cwd ? cwd->u.cwd.path : "/");
	if (script_find(s, STEP_HOME))
		fputs(" HOME=\"${HOME:-/}\"", out);
	shell_exec_words(&s->sh, step);
	fputc('\n', out);
}

static void put_pivot(struct script *s)
{
	script_line(s, "cd \"$run/tools\" && ld='./ld.so --library-path .'");
	script_line(s, "pivot_root \"$root\" \"$root\"");
	script_line(s, "# The host's tree now lies over ours; it is left from inside, where umount "
		       "finds what it needs.");
	script_line(s, "$ld ./chroot ../../.. umount -l /");
}

/* Nothing is let go here: the shell stays in the host's tree and sends each of the last commands over. */
static void put_move(struct script *s)
{
	script_line(s, "cd \"$root\"");
	script_line(s, "# A procfs or sysfs of the host below ours could be used to get around the "
		       "masks.");
	script_line(s,
		    "for at in $(findmnt -rno TARGET -t sysfs) $(findmnt -rno TARGET -t proc); do");
	script_line(s, "\tcase $at in \"$root\"/*) continue ;; esac");
	script_line(s, "\tumount -l \"$at\" 2>/dev/null || mount -t tmpfs -o ro tmpfs \"$at\"");
	script_line(s, "done");
	script_line(s, "mount -n --move . /");
	script_line(s, "ld='./ld.so --library-path .'");
	s->sh.enter = "nsenter --root=. --wd=\"$run/tools\" ";
}

static void put_last(struct script *s)
{
	const struct step *pivot = &s->sh.plan->steps[s->pivot];

	s->indent = "";
	s->sh.in_root = true;
	fputs("\n# Run by bash -c, which executes its last command without a fork.\n"
	      "export last=$(cat <<'END_OF_LAST'",
	      s->sh.out);
	script_title(s, pivot);
	if (pivot->u.pivot.no_pivot)
		put_move(s);
	else
		put_pivot(s);
	put_after_pivot(s);
	script_title(s, s->exec);
	put_exec(s, s->exec);
	fputs("END_OF_LAST\n)\n", s->sh.out);
}

/* Is it done with the last lines of the script, by put_pivot_and_exec()? */
static bool is_at_the_end(const struct script *s, size_t index)
{
	const struct step *step = &s->sh.plan->steps[index];

	if (step->who != STEP_CHILD || index < s->pivot)
		return false;
	return index == s->pivot || step->kind == STEP_HOOK || step->kind == STEP_PROPAGATION;
}

static void put_steps(struct script *s, bool child)
{
	const struct plan *plan = s->sh.plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if ((step->who == STEP_CHILD) != child || is_at_the_end(s, i))
			continue;
		if (step->kind == STEP_EXEC) {
			script_line(s, "exec bash -euc \"$last\"");
			continue;
		}
		script_step(s, step);
	}
}

static void put_child(struct script *s)
{
	FILE *out = s->sh.out;

	s->indent = "\t";
	s->part = 1;
	fputs("\n# ---- the container's process ----\n\nchild_1() {\n", out);
	fputs("\t# The host's /proc still is in sight, and knows this process by the host's "
	      "number.\n",
	      out);
	fputs("\tread -r number _ </proc/self/stat\n\techo \"$number\" >&4\n", out);
	put_steps(s, true);
	fputs("}\n\nexport HOME root run state\nexport -f tell hear point mask", out);
	for (size_t i = 1; i <= s->part; i++)
		fprintf(out, " child_%zu", i);
	fputc('\n', out);
	put_last(s);
}

static void put_parent(struct script *s)
{
	s->indent = "";
	s->sh.in_root = false;
	fputs("\n# ---- the parent ----\n", s->sh.out);
	put_steps(s, false);
	fputs("\nwait \"$container\"\n", s->sh.out);
}

/* Without a mount namespace there is only chroot, and after chroot no command is left to drop the capabilities. */
static void put_refusal(FILE *out)
{
	fputs("echo \"not possible from a shell: this container has no mount namespace of its own, "
	      "and after chroot there is\"\\\n"
	      "\t\"no command left to drop its privileges with\" >&2\nexit 1\n",
	      out);
}

static size_t find_pivot(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].kind == STEP_PIVOT)
			return i;
	}
	return plan->n_steps;
}

void explain_sh(FILE *out, const struct plan *plan, const struct create_options *options)
{
	struct script s = { .sh = { .out = out, .plan = plan, .enter = "" },
			    .pivot = find_pivot(plan) };

	s.exec = script_find(&s, STEP_EXEC);
	fprintf(out,
		"#!/bin/bash\n"
		"# Runs the container \"%s\" with nothing but bash, util-linux, iproute2, "
		"coreutils and libcap2-bin: the plan\n"
		"# of tare-oci in the words of a shell. Made by `tare-oci explain --format sh`.\n",
		options->id ? options->id : "");
	if (s.pivot == plan->n_steps || !s.exec || !s.exec->u.exec.argv) {
		put_refusal(out);
		return;
	}
	fputs(preamble, out);
	put_child(&s);
	put_parent(&s);
}
