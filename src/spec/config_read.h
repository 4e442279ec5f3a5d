/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the config reader share: the object tables of each section, which config_read.c puts together, and
 * the checks of values that more than one section has. Only config_read*.c includes this.
 */
#ifndef TARE_SPEC_CONFIG_READ_H
#define TARE_SPEC_CONFIG_READ_H

#include "spec/decode.h"

extern const struct object config_object; /* config_read.c, the whole of it */
extern const struct object root_object, mount_object,
	hooks_object;                        /* config_read_mounts.c, config_read_hooks.c */
extern const struct object process_object;   /* config_read_process.c */
extern const struct object linux_object;     /* config_read_linux.c */
extern const struct object resources_object; /* config_read_resources.c */
extern const struct object memory_policy_object, intel_rdt_object; /* config_read_numa.c */
extern const struct object seccomp_object;                         /* config_read_seccomp.c */
extern const struct object id_map_object;                          /* config_read_linux.c */

/* check_number_list() - "0-3,7", as the kernel's cpulist and nodelist files have it; blanks between are fine */
check_fn check_number_list;

/* check_id_maps() - one list of id mappings as the kernel takes it: at most 340, none empty, none overlapping */
int check_id_maps(struct decoder *d, const struct json *v,
		  const struct id_map_list *maps) MUST_CHECK;

/* check_env() - NAME=VALUE with a name */
check_fn check_env;

/* What the kernel's dev_t has room for. */
#define DEVICE_MAJOR_MAX 4095
#define DEVICE_MINOR_MAX 1048575

#endif
