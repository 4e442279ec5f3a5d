/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What run and exec write of a process in the same way: its environment, user and capabilities. */
#ifndef TARE_ENGINE_PROCESS_PARTS_H
#define TARE_ENGINE_PROCESS_PARTS_H

#include "base/json_write.h"
#include "engine/user.h"

struct environment {
	struct arena *arena;
	const char **items;
	size_t n;
};

/* environment_put() - "NAME=VALUE", borrowed, in place of an earlier one of that name */
void environment_put(struct environment *env, const char *variable);

/* environment_given() - the same; "NAME": as it is in our own environment, if it is there. Return: 0; -EINVAL */
int environment_given(struct environment *env, const char *text, struct err *err) MUST_CHECK;

/* process_write_user() - the member "user" of a process */
void process_write_user(struct json_writer *w, const struct user *user);

/* process_write_capabilities() - one set of them, a bit each, as the member @key */
void process_write_capabilities(struct json_writer *w, const char *key, uint64_t set);

#endif
