/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_process_read() with anything as process.json, and what exec makes of it: it must not crash, must say why it
 * refuses, and what it accepts must keep the promises that the plan of exec relies on.
 */
#include "runtime/exec_process.h"
#include "promise.h"

#include <string.h>

static void check_environment(const struct config_process *p)
{
	for (size_t i = 0; i < p->env.n; i++) {
		size_t len = strcspn(p->env.items[i], "=");

		PROMISE(len > 0 && p->env.items[i][len] == '=');
		/* Each name once, so that the options' values can't be hidden by an earlier one. */
		for (size_t k = 0; k < i; k++)
			PROMISE(strncmp(p->env.items[k], p->env.items[i], len + 1) != 0);
	}
}

static void check(const struct config_process *p)
{
	PROMISE(p->cwd && p->cwd[0] == '/');
	PROMISE(p->args.n > 0 && p->args.items[0][0]);
	PROMISE(p->uid != UINT32_MAX && p->gid != UINT32_MAX);
	for (size_t i = 0; i < p->rlimits.n; i++)
		PROMISE(p->rlimits.items[i].soft <= p->rlimits.items[i].hard);
}

/* Options on top: what they say holds, and nothing gets inheritable by them. */
static void change(struct arena *arena, struct config_process *p)
{
	const char *env[] = { "TARE_FUZZ=1", "TARE_FUZZ=2" }, *caps[] = { "kill" },
		   *gids[] = { "7" };
	const struct process_changes changes = { .env = { env, 2 },
						 .caps = { caps, 1 },
						 .gids = { gids, 1 },
						 .user = "5:6",
						 .cwd = "/elsewhere" };
	uint64_t inheritable = p->capabilities.inheritable;
	size_t n_gids = p->additional_gids.n;
	struct err err = ERR_INIT;

	if (exec_process_change(arena, p, &changes, &err) < 0) {
		PROMISE(err.text[0]);
		return;
	}
	PROMISE(p->uid == 5 && p->gid == 6 && strcmp(p->cwd, "/elsewhere") == 0);
	PROMISE(p->additional_gids.n == n_gids + 1);
	PROMISE(p->capabilities.inheritable == inheritable);
	PROMISE(strcmp(p->env.items[p->env.n - 1], "TARE_FUZZ=2") == 0 || p->env.n > 1);
	check_environment(p);
	check(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_process saved = { .set = true, .no_new_privileges = true };
	struct config_ignored_list ignored = { 0 };
	struct config_process process = { 0 };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	int r;

	r = config_process_read(&arena, (const char *)data, size, &process, &ignored, &err);
	PROMISE(r == 0 || (r == -EINVAL && err.code == r && err.kind == ERR_USER && err.text[0]));
	if (r == 0) {
		exec_process_inherit(&process, &saved);
		check(&process);
		change(&arena, &process);
	}
	arena_clear(&arena);
	return 0;
}
