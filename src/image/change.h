/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `--change "ENV A=b"`: the instructions of a Dockerfile that change an image's config, one at a time, as import and commit take
 * them: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR.
 */
#ifndef TARE_IMAGE_CHANGE_H
#define TARE_IMAGE_CHANGE_H

#include "spec/image.h"

struct change {
	struct arena *arena; /* owns what is added */
	struct image_process *process;
	bool has_cmd; /* one of the instructions was CMD, so ENTRYPOINT leaves it */
};

/* change_apply() - one instruction. Return: 0; -EINVAL with what is wrong with it */
int change_apply(struct change *change, const char *instruction, struct err *err) MUST_CHECK;

#endif
