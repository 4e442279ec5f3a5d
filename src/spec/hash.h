/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash of a stream of bytes, as it goes by. nettle does the arithmetic. */
#ifndef TARE_SPEC_HASH_H
#define TARE_SPEC_HASH_H

#include "spec/digest.h"

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

struct hash {
	enum digest_algorithm algorithm;
	union {
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;
	};
};

void hash_init(struct hash *hash, enum digest_algorithm algorithm);

/* hash_init_like() - by the algorithm of @digest. Return: 0; -EINVAL if it is no digest */
int hash_init_like(struct hash *hash, const char *digest) MUST_CHECK;

void hash_add(struct hash *hash, const void *bytes, size_t len);

/* hash_add_fd() - all that @fd still gives. @len: grows by how much that was; may be NULL. Return: 0; -errno */
int hash_add_fd(struct hash *hash, int fd, uint64_t *len) MUST_CHECK;

/* hash_digest() - "sha256:..." of all that was added; the hash begins anew. @buf: DIGEST_TEXT_MAX bytes */
void hash_digest(struct hash *hash, char *buf);

#endif
