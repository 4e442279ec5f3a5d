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
		.add_hosts = list_of(&args->add_hosts),
		.blkio_weight = args->blkio_weight,
		.blkio_weight_device = list_of(&args->blkio_weight_device),
		.cgroup_parent = args->cgroup_parent,
		.cpu_period = args->cpu_period,
		.cpu_quota = args->cpu_quota,
		.cpu_rt_period = args->cpu_rt_period,
		.cpu_rt_runtime = args->cpu_rt_runtime,
		.cpu_shares = args->cpu_shares,
		.cpuset_cpus = args->cpuset_cpus,
		.cpuset_mems = args->cpuset_mems,
		.device_cgroup_rules = list_of(&args->device_cgroup_rules),
		.device_read_bps = list_of(&args->device_read_bps),
		.device_read_iops = list_of(&args->device_read_iops),
		.device_write_bps = list_of(&args->device_write_bps),
		.device_write_iops = list_of(&args->device_write_iops),
		.dns = list_of(&args->dns),
		.dns_options = list_of(&args->dns_options),
		.dns_search = list_of(&args->dns_search),
		.memory_reservation = args->memory_reservation,
		.memory_swap = args->memory_swap,
		.memory_swappiness = args->memory_swappiness,
		.oom_kill_disable = args->oom_kill_disable,
		.oom_score_adj = args->oom_score_adj,
		.shm_size = args->shm_size,
		.memory = args->memory,
		.cpus = args->cpus,
		.pids_limit = args->pids_limit,
		.userns = args->userns,
		.stop_signal = args->stop_signal,
		.stop_timeout = args->stop_timeout,
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
