/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container gets if nobody says anything. One table each; docs/defaults.md shows them beside docker's and podman's,
 * and a test compares the two.
 */
#ifndef TARE_ENGINE_DEFAULTS_H
#define TARE_ENGINE_DEFAULTS_H

#include "spec/config.h"

/* Of a list that ends with NULL */
struct default_mount {
	const char *destination, *type, *source;
	const char *options[8];
};

extern const struct default_mount default_mounts[];
extern const size_t n_default_mounts;

/* Lists that end with NULL */
extern const char *const default_capabilities[];
extern const char *const default_env[];

#define DEFAULT_NOFILE_SOFT 1024
#define DEFAULT_NOFILE_HARD 524288
#define DEFAULT_PIDS        2048
#define STRICT_PIDS         512

/* default_seccomp_profile - the profile with its conditions, as JSON; seccomp_profile_resolve() makes linux.seccomp of it */
extern const char default_seccomp_profile[];

#endif
