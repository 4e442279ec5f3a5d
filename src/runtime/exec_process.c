/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/exec_process.h"

#include "base/ascii.h"
#include "base/guard.h"
#include "base/num.h"
#include "spec/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's NGROUPS_MAX. */
#define GROUPS_MAX 65536

/* Longer than any capability's name. */
#define CAP_NAME_MAX 64

void exec_process_inherit(struct config_process *process, const struct config_process *saved)
{
	if (!process->capabilities.set)
		process->capabilities = saved->capabilities;
	if (!process->rlimits.n)
		process->rlimits = saved->rlimits;
	if (!process->apparmor_profile)
		process->apparmor_profile = saved->apparmor_profile;
	if (!process->selinux_label)
		process->selinux_label = saved->selinux_label;
	if (!process->umask.set)
		process->umask = saved->umask;
	if (!process->oom_score_adj.set)
		process->oom_score_adj = saved->oom_score_adj;
	if (!process->scheduler.set)
		process->scheduler = saved->scheduler;
	if (!process->io_priority.set)
		process->io_priority = saved->io_priority;
	if (!process->exec_cpu_affinity_initial && !process->exec_cpu_affinity_final) {
		process->exec_cpu_affinity_initial = saved->exec_cpu_affinity_initial;
		process->exec_cpu_affinity_final = saved->exec_cpu_affinity_final;
	}
}

/* ---- ids -------------------------------------------------------------------------------------------------------- */

/* A whole decimal number that is an id: 4294967295 is -1, "leave it" to the kernel (row X-15). Return: 0; -EINVAL */
static int read_id(const char *text, size_t len, uint32_t *ret)
{
	uint64_t number;

	if (!GUARD(user_number)) {
		*ret = (uint32_t)strtoul(text, NULL, 10);
		return 0;
	}
	if (len == 0 || num_u64(text, len, &number) < 0 || number >= UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

static int change_user(struct config_process *process, const char *user, struct err *err)
{
	size_t len = strcspn(user, ":");
	uint32_t uid, gid = process->gid;

	if (read_id(user, len, &uid) < 0 ||
	    (user[len] && read_id(user + len + 1, strlen(user + len + 1), &gid) < 0)) {
		err_user(err, "run as user \"%s\": it is not UID or UID:GID", user);
		return err_hint(err,
				"both are numbers from 0 to 4294967294, in the container's user "
				"namespace; names are not looked up");
	}
	process->uid = uid;
	process->gid = gid;
	return 0;
}

static int add_gids(struct arena *arena, struct config_process *process,
		    const struct str_list *gids, struct err *err)
{
	struct u32_list *list = &process->additional_gids;
	uint32_t *all;

	if (gids->n == 0)
		return 0;
	if (list->n + gids->n > GROUPS_MAX)
		return err_user(err, "set %zu additional groups: the kernel takes at most %d",
				list->n + gids->n, GROUPS_MAX);
	all = arena_array(arena, list->n + gids->n, sizeof(*all));
	if (list->n)
		memcpy(all, list->items, list->n * sizeof(*all));
	for (size_t i = 0; i < gids->n; i++) {
		if (read_id(gids->items[i], strlen(gids->items[i]), &all[list->n + i]) < 0)
			return err_user(err,
					"add group \"%s\": it is not a number from 0 to 4294967294",
					gids->items[i]);
	}
	list->items = all;
	list->n += gids->n;
	return 0;
}

/* ---- environment ------------------------------------------------------------------------------------------------ */

static int add_env(struct arena *arena, struct str_list *list, const struct str_list *more,
		   struct err *err)
{
	const char **all;

	if (more->n == 0)
		return 0;
	all = arena_array(arena, list->n + more->n, sizeof(*all));
	if (list->n)
		memcpy(all, list->items, list->n * sizeof(*all));
	for (size_t i = 0; i < more->n; i++) {
		const char *equals = strchr(more->items[i], '=');

		if (!equals || equals == more->items[i])
			return err_user(err, "set environment \"%s\": it is not NAME=VALUE",
					more->items[i]);
		all[list->n + i] = more->items[i];
	}
	list->items = all;
	list->n += more->n;
	config_env_dedup(arena, list);
	return 0;
}

/* ---- capabilities ----------------------------------------------------------------------------------------------- */

/* "CAP_KILL", "kill": any case, with or without the prefix. */
static bool find_cap(const char *word, uint64_t *ret_bit)
{
	char name[CAP_NAME_MAX];
	bool has_prefix = ascii_begins(word, "CAP_", 4);

	if (snprintf(name, sizeof(name), "%s%s", has_prefix ? "" : "CAP_", word) >=
	    (int)sizeof(name))
		return false;
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return words_find(&words_capability, name, ret_bit);
}

/*
 * Effective, permitted and bounding; never inheritable, which would give it to whatever is executed later
 * (CVE-2022-29162). Ambient only what the container has inheritable already: the kernel allows no more (row X-13).
 */
static int add_caps(struct config_capabilities *caps, const struct str_list *words, struct err *err)
{
	uint64_t bit;

	for (size_t i = 0; i < words->n; i++) {
		const char *near;

		if (find_cap(words->items[i], &bit)) {
			bit = UINT64_C(1) << bit;
			caps->set = true;
			caps->effective |= bit;
			caps->permitted |= bit;
			caps->bounding |= bit;
			caps->ambient |= bit & caps->inheritable;
			if (!GUARD(inheritable))
				caps->inheritable |= bit;
			continue;
		}
		near = words_near(&words_capability, words->items[i]);
		err_user(err, "add capability \"%s\": there is none of that name", words->items[i]);
		return near ? err_hint(err, "did you mean %s?", near) : err->code;
	}
	return 0;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static int check_cwd(const char *cwd, struct err *err)
{
	if (cwd[0] == '/')
		return 0;
	return err_user(err, "start in \"%s\": it is not an absolute path", cwd);
}

int exec_process_change(struct arena *arena, struct config_process *process,
			const struct process_changes *changes, struct err *err)
{
	int r = 0;

	if (changes->args.n)
		process->args = changes->args;
	if (changes->cwd)
		r = check_cwd(changes->cwd, err);
	if (r == 0 && changes->user)
		r = change_user(process, changes->user, err);
	if (r == 0)
		r = add_gids(arena, process, &changes->gids, err);
	if (r == 0)
		r = add_env(arena, &process->env, &changes->env, err);
	if (r == 0)
		r = add_caps(&process->capabilities, &changes->caps, err);
	if (r < 0)
		return r;

	if (changes->cwd)
		process->cwd = changes->cwd;
	if (changes->apparmor)
		process->apparmor_profile = changes->apparmor;
	if (changes->label)
		process->selinux_label = changes->label;
	process->terminal |= changes->tty;
	process->no_new_privileges |= changes->no_new_privs;
	return 0;
}
