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
	const char *memory, *cpus, *pids_limit;
	const char *userns;
	const char *self; /* argv[0] of this program, to find tare-init by */
	bool terminal;
	bool read_only, privileged, strict, init;
};

#endif
