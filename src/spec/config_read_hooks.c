/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks: six lists, one for each moment in the container's life.
 *
 * Spec: config.md "POSIX-platform Hooks"; rows H-1 to H-6
 */
#include "spec/config_read.h"

/* The hook's time is kept in milliseconds of an int when it runs. */
#define HOOK_TIMEOUT_MAX_S (INT32_MAX / 1000)

static const struct field hook_fields[] = {
	{ "path", STRING(struct config_hook, path), .flags = REQUIRED | ABSOLUTE },
	{ "args", STRINGS(struct config_hook, args) },
	{ "env", STRINGS(struct config_hook, env), .check = check_env },
	{ "timeout", U32(struct config_hook, timeout_s), .min = 1, .max = HOOK_TIMEOUT_MAX_S },
};

static const struct object hook_object = OBJECT(struct config_hook, hook_fields, NULL);

/* The struct is the array config.hooks. */
#define HOOK_LIST(name, index)                                                                     \
	{                                                                                          \
		name, .kind = FIELD_OBJECTS, .offset = (index) * sizeof(struct config_hook_list),  \
		      .object = &hook_object                                                       \
	}

static const struct field hooks_fields[] = {
	HOOK_LIST("prestart", HOOK_PRESTART),
	HOOK_LIST("createRuntime", HOOK_CREATE_RUNTIME),
	HOOK_LIST("createContainer", HOOK_CREATE_CONTAINER),
	HOOK_LIST("startContainer", HOOK_START_CONTAINER),
	HOOK_LIST("poststart", HOOK_POSTSTART),
	HOOK_LIST("poststop", HOOK_POSTSTOP),
};

const struct object hooks_object = OBJECT(struct config_hook_list[HOOK_KINDS], hooks_fields, NULL);
