/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an image and what a person asks to a config.json: one that a person can read, and that any OCI runtime can run.
 *
 * Spec: image-spec conversion.md; runtime-spec config.md
 */
#ifndef TARE_ENGINE_CONFIG_H
#define TARE_ENGINE_CONFIG_H

#include "base/json_write.h"
#include "engine/settings.h"
#include "engine/user.h"
#include "image/image.h"
#include "runtime/facts.h"

struct config_input {
	const struct settings *settings;
	const struct image *image; /* NULL: a root filesystem without one */
	const char *id;            /* its first digits are the host name, if there is none */
	const char *rootfs;        /* for root.path */
	int root;                  /* the root filesystem itself, to look users up in; borrowed */
	const char *
		files; /* absolute directory with "hosts" and "hostname" to be mounted; NULL: none */
	bool has_resolv_conf; /* as well */
	struct key_value_list
		volumes;   /* the image's: where in the container, and the directory for it */
	struct id_map map; /* of a new user namespace; size 0: none */
	const struct facts
		*facts; /* security modules, last capability, our own capabilities, version */
	void (*warn)(void *to, const char *text);
	void *to;
};

/*
 * config_build() - write the config
 * @ret_text: JSON, in @arena
 * @ret_asked: how the image says it is to be run, with what was asked for instead; borrows from @in and @arena
 *
 * Return: 0; -EINVAL, naming the option or the image's property; -errno
 */
int config_build(struct arena *arena, const struct config_input *in, char **ret_text,
		 size_t *ret_len, struct image_process *ret_asked, struct err *err) MUST_CHECK;

/* config_is_replaced() - is something that --volume or --tmpfs names mounted on @destination */
bool config_is_replaced(const struct settings *s, const char *destination);

/* config_hostname() - what the container is called; in @arena or borrowed */
const char *config_hostname(struct arena *arena, const struct config_input *in);

#endif
