/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person asks of a container beside its image: the options of `run`, as they were written. What they mean is settled
 * by who uses them; each complaint names the option.
 */
#ifndef TARE_ENGINE_SETTINGS_H
#define TARE_ENGINE_SETTINGS_H

#include "spec/config.h"

struct settings {
	struct str_list command; /* n == 0: the image's */
	const char *entrypoint;  /* NULL: the image's; "": none */
	const char *name, *hostname, *user, *working_dir, *tz;
	struct str_list env, env_files, group_add;
	struct str_list volumes, tmpfs, devices;
	struct str_list ulimits, cap_add, cap_drop, security, sysctls, labels, annotations;
	struct str_list device_cgroup_rules;
	const char *memory, *memory_swap, *memory_reservation, *memory_swappiness;
	const char *cpus, *cpu_shares, *cpu_period, *cpu_quota, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *oom_score_adj;
	const char *blkio_weight, *shm_size, *cgroup_parent;
	struct str_list blkio_weight_device, device_read_bps, device_write_bps, device_read_iops,
		device_write_iops;
	struct str_list dns, dns_search, dns_options, add_hosts;
	const char *userns;
	const char *stop_signal, *stop_timeout;
	const char *self; /* argv[0] of this program, to find tare-init by */
	bool terminal;
	bool read_only, privileged, strict, init, oom_kill_disable;
};

#endif
