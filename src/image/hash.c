/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/hash.h"

void hash_init(struct hash *hash, enum digest_algorithm algorithm)
{
	hash->algorithm = algorithm;
	if (algorithm == DIGEST_SHA256)
		sha256_init(&hash->sha256);
	else
		sha512_init(&hash->sha512);
}

void hash_add(struct hash *hash, const void *bytes, size_t len)
{
	if (hash->algorithm == DIGEST_SHA256)
		sha256_update(&hash->sha256, len, bytes);
	else
		sha512_update(&hash->sha512, len, bytes);
}

void hash_digest(struct hash *hash, char *buf)
{
	unsigned char sum[SHA512_DIGEST_SIZE];

	if (hash->algorithm == DIGEST_SHA256)
		sha256_digest(&hash->sha256, SHA256_DIGEST_SIZE, sum);
	else
		sha512_digest(&hash->sha512, SHA512_DIGEST_SIZE, sum);
	digest_format(hash->algorithm, sum, buf);
}
