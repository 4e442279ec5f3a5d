/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/container_args.h"

#include "image/image.h"

static struct str_list list_of(const struct option_values *values)
{
	return (struct str_list){ .items = values->items, .n = values->n };
}

struct settings container_settings(const struct container_args *args, char *const *command)
{
	struct settings s = {
		.entrypoint = args->entrypoint,
		.hostname = args->hostname,
		.user = args->user,
		.working_dir = args->working_dir,
		.tz = args->tz,
		.env = list_of(&args->env),
		.env_files = list_of(&args->env_files),
		.group_add = list_of(&args->group_add),
		.volumes = list_of(&args->volumes),
		.tmpfs = list_of(&args->tmpfs),
		.devices = list_of(&args->devices),
		.ulimits = list_of(&args->ulimits),
		.cap_add = list_of(&args->cap_add),
		.cap_drop = list_of(&args->cap_drop),
		.security = list_of(&args->security),
		.sysctls = list_of(&args->sysctls),
		.labels = list_of(&args->labels),
		.annotations = list_of(&args->annotations),
		.memory = args->memory,
		.cpus = args->cpus,
		.pids_limit = args->pids_limit,
		.userns = args->userns,
		.terminal = args->terminal,
		.read_only = args->read_only,
		.privileged = args->privileged,
		.strict = args->strict,
		.init = args->init,
	};

	while (command && command[s.command.n])
		s.command.n++;
	s.command.items = (const char **)(uintptr_t)command;
	return s;
}

int container_platform(struct arena *arena, const struct container_args *args, struct platform *ret,
		       struct err *err)
{
	struct platform host = image_host_platform(arena);

	*ret = host;
	return args->platform ? platform_parse(arena, args->platform, &host, ret, err) : 0;
}
