/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_read() with anything: it must not crash, must say why it refuses, and what it accepts must keep the promises of
 * config.h that the planners rely on.
 */
#include "spec/config.h"
#include "promise.h"

#include <string.h>

static void check_refusal(int r, const struct err *err)
{
	PROMISE(r == -EINVAL);
	PROMISE(err->code == r);
	PROMISE(err->kind == ERR_USER);
	PROMISE(err->text[0]);
	PROMISE(memchr(err->text, '\0', sizeof(err->text)));
	PROMISE(memchr(err->pointer, '\0', sizeof(err->pointer)));
	PROMISE(err->line >= 1);
}

static void check_process(const struct config_process *p)
{
	if (!p->set)
		return;
	PROMISE(p->cwd[0] == '/');
	PROMISE(p->args.n > 0 && p->args.items[0][0]);
	PROMISE(p->uid != UINT32_MAX && p->gid != UINT32_MAX);
	for (size_t i = 0; i < p->env.n; i++)
		PROMISE(strchr(p->env.items[i], '=') > p->env.items[i]);
	for (size_t i = 0; i < p->rlimits.n; i++)
		PROMISE(p->rlimits.items[i].type &&
			p->rlimits.items[i].soft <= p->rlimits.items[i].hard);
	PROMISE(p->oom_score_adj.v >= -1000 && p->oom_score_adj.v <= 1000);
}

static void check_linux(const struct config_linux *l)
{
	for (int i = 0; i < NS_TYPES; i++) {
		PROMISE((l->namespaces[i].mode == NS_JOIN) == (l->namespaces[i].path != NULL));
		PROMISE((l->namespaces[i].mode == NS_ABSENT) == (l->namespaces[i].pointer == NULL));
	}
	PROMISE(!l->uid_mappings.n || l->namespaces[NS_USER].mode != NS_ABSENT);
	for (size_t i = 0; i < l->masked_paths.n; i++)
		PROMISE(l->masked_paths.items[i][0] == '/');
	for (size_t i = 0; i < l->resources.devices.n; i++)
		PROMISE(l->resources.devices.items[i].type);
	for (size_t i = 0; i < l->resources.unified.n; i++)
		PROMISE(!strchr(l->resources.unified.items[i].key, '/'));
	for (size_t i = 0; i < l->seccomp.syscalls.n; i++)
		PROMISE(l->seccomp.syscalls.items[i].names.n > 0);
}

static void check_config(const struct config *c)
{
	PROMISE(c->oci_version && c->root.path && c->root.path[0]);
	for (size_t i = 0; i < c->mounts.n; i++) {
		PROMISE(c->mounts.items[i].destination[0]);
		PROMISE(!c->mounts.items[i].uid_mappings.n == !c->mounts.items[i].gid_mappings.n);
	}
	for (int kind = 0; kind < HOOK_KINDS; kind++) {
		for (size_t i = 0; i < c->hooks[kind].n; i++)
			PROMISE(c->hooks[kind].items[i].path[0] == '/');
	}
	for (size_t i = 0; i < c->ignored.n; i++)
		PROMISE(c->ignored.items[i].pointer[0] && c->ignored.items[i].why);
	check_process(&c->process);
	check_linux(&c->linux_);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct config *config = NULL;
	struct err err = ERR_INIT;
	int r;

	r = config_read(&arena, (const char *)data, size, &config, &err);
	if (r < 0)
		check_refusal(r, &err);
	else
		check_config(config);
	arena_clear(&arena);
	return 0;
}
