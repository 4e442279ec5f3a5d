/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is everything in the store what it says, and is there anything that nobody needs: every blob is read and hashed, every
 * unpacked layer compared with its blob, every reference followed.
 *
 * It works beside everything else, without a lock: what is being written is in staging/ and locked. Something that
 * comes or goes meanwhile may be reported as garbage, or not at all; never as damage.
 */
#ifndef TARE_IMAGE_CHECK_H
#define TARE_IMAGE_CHECK_H

#include "base/err.h"
#include "image/store.h"

#include <stdbool.h>
#include <stdint.h>

enum check_kind {
	CHECK_BLOB_DAMAGED, /* its bytes are not those of its name. Repair: it goes */
	CHECK_BLOB_MISSING, /* something names it. Repair: where that is index.json, the entry goes */
	CHECK_UNUSABLE,     /* a document that can't be read as one */
	CHECK_LAYER_DIFFERS, /* an unpacked layer. Repair: it is unpacked anew; a copy for other ids goes */
	CHECK_LAYER_UNKNOWN, /* its blob is not there to compare it with */
	CHECK_GARBAGE, /* a blob, layer or half-written thing that nobody needs. Repair: it goes */
};

struct check_finding {
	enum check_kind kind;
	const char *name; /* a digest; a layer's directory; a name in staging/ */
	const char *text; /* what is wrong with it; a whole sentence without a full stop */
	const char *hint; /* what a person can do about it; NULL */
	bool repaired;
};

struct check_options {
	bool repair;
	bool user_xattrs, may_skip; /* as the layers were unpacked (layer.h) */
	void (*found)(void *arg, const struct check_finding *finding);
	void *arg;
};

struct check_result {
	unsigned blobs, layers; /* how many were looked at */
	unsigned found, repaired;
	uint64_t garbage_bytes; /* on the disk; with repair: that came free */
};

/* check_store() - Return: 0, whatever was found; -errno if it could not be looked at */
int check_store(const struct store *store, const struct check_options *options,
		struct check_result *ret, struct err *err) MUST_CHECK;

#endif
