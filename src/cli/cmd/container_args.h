/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that say what a container is to be, for all commands that make one or its bundle. */
#ifndef TARE_CLI_CMD_CONTAINER_ARGS_H
#define TARE_CLI_CMD_CONTAINER_ARGS_H

#include "cli/cmd/command.h"
#include "engine/settings.h"
#include "spec/platform.h"

struct container_args {
	const char *entrypoint, *hostname, *user, *working_dir, *tz, *memory, *cpus, *pids_limit;
	const char *userns, *platform, *pull;
	struct option_values env, env_files, group_add, volumes, tmpfs, devices, ulimits, cap_add,
		cap_drop, security, sysctls, labels, annotations;
	bool terminal, interactive, read_only, privileged, strict, init;
};

#define CONTAINER_OPTION(word, letter, arg, help, type, member)                                    \
	{                                                                                          \
		word, letter, arg, help, option_set_##type,                                        \
			offsetof(struct container_args, member)                                    \
	}

/* Rows of a table whose struct begins with a struct container_args */
#define CONTAINER_OPTIONS                                                                          \
	CONTAINER_OPTION("annotation", 0, "NAME=VALUE", "an annotation of the config", values,     \
			 annotations),                                                             \
		CONTAINER_OPTION("cap-add", 0, "CAP", "one more capability, or ALL", values,       \
				 cap_add),                                                         \
		CONTAINER_OPTION("cap-drop", 0, "CAP", "one capability less, or ALL", values,      \
				 cap_drop),                                                        \
		CONTAINER_OPTION("cpus", 0, "N",                                                   \
				 "as much time as N processors have, 1.5 for "                     \
				 "example",                                                        \
				 text, cpus),                                                      \
		CONTAINER_OPTION("device", 0, "SOURCE[:DESTINATION][:rwm]",                        \
				 "a device of the host's", values, devices),                       \
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
