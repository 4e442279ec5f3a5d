/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that say what a container is to be, for all commands that make one or its bundle. */
#ifndef TARE_CLI_CMD_CONTAINER_ARGS_H
#define TARE_CLI_CMD_CONTAINER_ARGS_H

#include "cli/cmd/command.h"
#include "engine/settings.h"
#include "spec/platform.h"

struct container_args {
	const char *entrypoint, *hostname, *user, *working_dir, *tz;
	const char *memory, *memory_swap, *memory_reservation, *memory_swappiness;
	const char *cpus, *cpu_shares, *cpu_period, *cpu_quota, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *oom_score_adj;
	const char *blkio_weight, *shm_size, *cgroup_parent;
	const char *userns, *platform, *pull, *stop_signal, *stop_timeout;
	struct option_values blkio_weight_device, device_read_bps, device_write_bps,
		device_read_iops, device_write_iops, device_cgroup_rules;
	struct option_values dns, dns_search, dns_options, add_hosts;
	struct option_values env, env_files, group_add, volumes, tmpfs, devices, ulimits, cap_add,
		cap_drop, security, sysctls, labels, annotations;
	bool terminal, interactive, read_only, privileged, strict, init, oom_kill_disable;
};

#define CONTAINER_OPTION(word, letter, arg, help, type, member)                                    \
	{                                                                                          \
		word, letter, arg, help, option_set_##type,                                        \
			offsetof(struct container_args, member)                                    \
	}

/* Rows of a table whose struct begins with a struct container_args */
#define CONTAINER_OPTIONS                                                                          \
	CONTAINER_OPTION("add-host", 0, "NAME:ADDRESS", "one more line of /etc/hosts", values,     \
			 add_hosts),                                                               \
		CONTAINER_OPTION("annotation", 0, "NAME=VALUE", "an annotation of the config",     \
				 values, annotations),                                             \
		CONTAINER_OPTION("blkio-weight", 0, "N", "its part of block I/O, 10 to 1000",      \
				 text, blkio_weight),                                              \
		CONTAINER_OPTION("blkio-weight-device", 0, "PATH:N", "the same for one device",    \
				 values, blkio_weight_device),                                     \
		CONTAINER_OPTION("cap-add", 0, "CAP", "one more capability, or ALL", values,       \
				 cap_add),                                                         \
		CONTAINER_OPTION("cap-drop", 0, "CAP", "one capability less, or ALL", values,      \
				 cap_drop),                                                        \
		CONTAINER_OPTION("cgroup-parent", 0, "PATH",                                       \
				 "the cgroup, or the slice, in which its own is made", text,       \
				 cgroup_parent),                                                   \
		CONTAINER_OPTION("cpu-period", 0, "US",                                            \
				 "with --cpu-quota: of how many microseconds", text, cpu_period),  \
		CONTAINER_OPTION("cpu-quota", 0, "US",                                             \
				 "it may run for so many microseconds of each period", text,       \
				 cpu_quota),                                                       \
		CONTAINER_OPTION("cpu-rt-period", 0, "US", "the same for real-time processes",     \
				 text, cpu_rt_period),                                             \
		CONTAINER_OPTION("cpu-rt-runtime", 0, "US", "the same for real-time processes",    \
				 text, cpu_rt_runtime),                                            \
		CONTAINER_OPTION(                                                                  \
			"cpu-shares", 'c', "N",                                                    \
			"its part of the processors when others want them too; 1024 is usual",     \
			text, cpu_shares),                                                         \
		CONTAINER_OPTION("cpus", 0, "N",                                                   \
				 "as much time as N processors have, 1.5 for "                     \
				 "example",                                                        \
				 text, cpus),                                                      \
		CONTAINER_OPTION("cpuset-cpus", 0, "LIST",                                         \
				 "the processors that it may run on: 0-3,7", text, cpuset_cpus),   \
		CONTAINER_OPTION("cpuset-mems", 0, "LIST",                                         \
				 "the memory nodes that it may use: 0,1", text, cpuset_mems),      \
		CONTAINER_OPTION("device", 0, "SOURCE[:DESTINATION][:rwm]",                        \
				 "a device of the host's", values, devices),                       \
		CONTAINER_OPTION("device-cgroup-rule", 0, "RULE",                                  \
				 "devices that it may use: \"c 10:* rwm\"", values,                \
				 device_cgroup_rules),                                             \
		CONTAINER_OPTION("device-read-bps", 0, "PATH:SIZE",                                \
				 "the most bytes a second read of a device", values,               \
				 device_read_bps),                                                 \
		CONTAINER_OPTION("device-read-iops", 0, "PATH:N",                                  \
				 "the most reads a second of a device", values, device_read_iops), \
		CONTAINER_OPTION("device-write-bps", 0, "PATH:SIZE",                               \
				 "the most bytes a second written to a device", values,            \
				 device_write_bps),                                                \
		CONTAINER_OPTION("device-write-iops", 0, "PATH:N",                                 \
				 "the most writes a second to a device", values,                   \
				 device_write_iops),                                               \
		CONTAINER_OPTION("dns", 0, "ADDRESS", "a name server, instead of the host's",      \
				 values, dns),                                                     \
		CONTAINER_OPTION("dns-option", 0, "WORD", "an option of resolv.conf", values,      \
				 dns_options),                                                     \
		CONTAINER_OPTION("dns-search", 0, "DOMAIN",                                        \
				 "a domain to search names in, instead of the host's; .: none",    \
				 values, dns_search),                                              \
		CONTAINER_OPTION("entrypoint", 0, "PROGRAM",                                       \
				 "in place of the image's; \"\": none", text, entrypoint),         \
		CONTAINER_OPTION("env", 'e', "NAME[=VALUE]",                                       \
				 "a variable; without a value: as it is here", values, env),       \
		CONTAINER_OPTION("env-file", 0, "FILE", "variables, one a line", values,           \
				 env_files),                                                       \
		CONTAINER_OPTION("group-add", 0, "GROUP", "one more group of the user's", values,  \
				 group_add),                                                       \
		CONTAINER_OPTION("hostname", 'h', "NAME", "(default: the id's first digits)",      \
				 text, hostname),                                                  \
		CONTAINER_OPTION("init", 0, NULL,                                                  \
				 "a first process that reaps orphans and passes signals on",       \
				 switch, init),                                                    \
		CONTAINER_OPTION("interactive", 'i', NULL, "keep standard input open", switch,     \
				 interactive),                                                     \
		CONTAINER_OPTION("label", 'l', "NAME=VALUE", "a label", values, labels),           \
		CONTAINER_OPTION("memory", 'm', "SIZE", "the most memory it may use", text,        \
				 memory),                                                          \
		CONTAINER_OPTION("memory-reservation", 0, "SIZE",                                  \
				 "what it should get back to when memory is short", text,          \
				 memory_reservation),                                              \
		CONTAINER_OPTION("memory-swap", 0, "SIZE",                                         \
				 "the most memory and swap together; -1: any amount of swap",      \
				 text, memory_swap),                                               \
		CONTAINER_OPTION("memory-swappiness", 0, "N",                                      \
				 "how readily its memory is swapped out, 0 to 100", text,          \
				 memory_swappiness),                                               \
		CONTAINER_OPTION("oom-kill-disable", 0, NULL,                                      \
				 "let it wait for memory instead of killing it; cgroup v1",        \
				 switch, oom_kill_disable),                                        \
		CONTAINER_OPTION("oom-score-adj", 0, "N",                                          \
				 "how readily it is killed when memory is short, -1000 to 1000",   \
				 text, oom_score_adj),                                             \
		CONTAINER_OPTION("pids-limit", 0, "N", "the most processes; -1: any number", text, \
				 pids_limit),                                                      \
		CONTAINER_OPTION("platform", 0, "PLATFORM", "which image of several: OS/ARCH",     \
				 text, platform),                                                  \
		CONTAINER_OPTION("privileged", 0, NULL,                                            \
				 "all capabilities and devices, nothing hidden, no filter",        \
				 switch, privileged),                                              \
		CONTAINER_OPTION("pull", 0, "WHEN",                                                \
				 "never or missing (default): whether to get an image that is "    \
				 "not in the store",                                               \
				 text, pull),                                                      \
		CONTAINER_OPTION("read-only", 0, NULL, "a read-only root filesystem", switch,      \
				 read_only),                                                       \
		CONTAINER_OPTION("security-opt", 0, "NAME=VALUE",                                  \
				 "seccomp, apparmor, label, no-new-privileges, systempaths",       \
				 values, security),                                                \
		CONTAINER_OPTION("shm-size", 0, "SIZE", "the size of /dev/shm (64m)", text,        \
				 shm_size),                                                        \
		CONTAINER_OPTION("stop-signal", 0, "SIGNAL",                                       \
				 "what asks it to end; the image's, or TERM", text, stop_signal),  \
		CONTAINER_OPTION("stop-timeout", 0, "SECONDS",                                     \
				 "how long that may take before it is killed (10)", text,          \
				 stop_timeout),                                                    \
		CONTAINER_OPTION("strict", 0, NULL,                                                \
				 "no root, no capabilities, read-only, no new privileges", switch, \
				 strict),                                                          \
		CONTAINER_OPTION("sysctl", 0, "NAME=VALUE", "a kernel setting of its namespaces",  \
				 values, sysctls),                                                 \
		CONTAINER_OPTION("tmpfs", 0, "DESTINATION[:WORDS]", "a directory in memory",       \
				 values, tmpfs),                                                   \
		CONTAINER_OPTION("tty", 't', NULL, "a terminal of its own", switch, terminal),     \
		CONTAINER_OPTION("tz", 0, "ZONE", "the time zone, or local", text, tz),            \
		CONTAINER_OPTION("ulimit", 0, "NAME=SOFT[:HARD]", "a resource limit", values,      \
				 ulimits),                                                         \
		CONTAINER_OPTION("user", 'u', "USER[:GROUP]",                                      \
				 "who the program runs as, by name or number", text, user),        \
		CONTAINER_OPTION("userns", 0, "HOSTID[:SIZE]",                                     \
				 "a user namespace whose ids begin there on the host; host: none", \
				 text, userns),                                                    \
		CONTAINER_OPTION("volume", 'v', "SOURCE:DESTINATION[:WORDS]",                      \
				 "a file or directory of the host's", values, volumes),            \
		CONTAINER_OPTION("workdir", 'w', "DIR", "where the program starts", text,          \
				 working_dir)

/* container_settings() - what the options say, borrowed; @command: the words behind the image's name, NULL at the end */
struct settings container_settings(const struct container_args *args, char *const *command);

/* container_platform() - --platform, or this machine's. @ret: strings in @arena. Return: 0; -EINVAL */
int container_platform(struct arena *arena, const struct container_args *args, struct platform *ret,
		       struct err *err) MUST_CHECK;

#endif
