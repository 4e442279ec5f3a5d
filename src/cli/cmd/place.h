/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where images can be, as skopeo writes it: docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], store:NAME. */
#ifndef TARE_CLI_CMD_PLACE_H
#define TARE_CLI_CMD_PLACE_H

#include "base/arena.h"
#include "base/err.h"

enum place_kind {
	PLACE_STORE, /* a word without any of these */
	PLACE_REGISTRY,
	PLACE_LAYOUT,
	PLACE_OCI_ARCHIVE,
	PLACE_DOCKER_ARCHIVE,
};

struct place {
	enum place_kind kind;
	const char *path; /* of a file or directory; else NULL */
	const char *name; /* in it; NULL: none was given */
};

/* place_read() - strings of @ret are parts of @text, or in @arena. Return: 0; -EINVAL with what it may be */
int place_read(struct arena *arena, const char *text, struct place *ret,
	       struct err *err) MUST_CHECK;

#endif
