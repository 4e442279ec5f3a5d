/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of config_build(): each writes members of one object. */
#ifndef TARE_ENGINE_CONFIG_PARTS_H
#define TARE_ENGINE_CONFIG_PARTS_H

#include "engine/config.h"

/* What several parts need to know; all of it is settled before the first byte is written. */
struct build {
	struct json_writer *w;
	struct arena *arena;
	const struct config_input *in;
	const struct settings *settings;
	const struct image_process *image; /* never NULL: all empty where there is no image */
	const struct image_config *config; /* NULL where there is no image */
	struct image_process asked;        /* as of config_build() */
	struct user user;
	uint64_t bounding,
		explicit_caps; /* capabilities by bit; the second: those asked for by name */
	bool no_new_privileges, no_masks;
	int64_t shm_bytes;                      /* of --shm-size */
	const char *seccomp, *apparmor, *label; /* as of --security-opt; NULL: the default */
};

/* Settling: what options mean, before anything is written. Return: 0; -EINVAL; -errno */
int build_security(struct build *b, struct err *err) MUST_CHECK;
int build_capabilities(struct build *b, struct err *err) MUST_CHECK;

/* Writing */
int build_process(struct build *b, struct err *err) MUST_CHECK;
int build_mounts(struct build *b, struct err *err) MUST_CHECK;
int build_annotations(struct build *b, struct err *err) MUST_CHECK;
int build_linux(struct build *b, struct err *err) MUST_CHECK;
int build_seccomp(struct build *b, struct err *err) MUST_CHECK;

/* A device of the host that the container gets. */
struct build_device {
	const char *path, *access; /* in the container; "rwm" */
	char type;                 /* c, b */
	uint32_t major, minor, mode, uid, gid;
};
/* linux.resources; @devices: those that the container gets, and may therefore use */
int build_resources(struct build *b, const struct build_device *devices, size_t n,
		    struct err *err) MUST_CHECK;
/* linux.cgroupsPath, if one was asked for */
int build_cgroup(struct build *b, struct err *err) MUST_CHECK;

/* build_last_group() - the last of the groups that follow one another from 0 in the container's user namespace */
uint32_t build_last_group(const struct build *b);

/* build_read_size() - what option --@option was given: more than 0, in bytes or with a unit. Return: 0; -EINVAL */
int build_read_size(const char *option, const char *text, int64_t *ret, struct err *err) MUST_CHECK;

/* build_is_access() - one to three letters of "rwm" */
bool build_is_access(const char *text);

void build_list(struct json_writer *w, const char *key, const char *const *items);
void build_strings(struct json_writer *w, const char *key, const struct str_list *list);
void build_warn(const struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
