/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/hash.h"

void hash_init(struct hash *hash, enum digest_algorithm algorithm)
{
	hash->algorithm = algorithm;
	if (algorithm == DIGEST_SHA256)
		sha256_init(&hash->sha256);
	else
		sha512_init(&hash->sha512);
}

int hash_init_like(struct hash *hash, const char *digest)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;
	int r = digest_parse(digest, &algorithm, &hex, &why);

	if (r == 0)
		hash_init(hash, algorithm);
	return r;
}

void hash_add(struct hash *hash, const void *bytes, size_t len)
{
	if (hash->algorithm == DIGEST_SHA256)
		sha256_update(&hash->sha256, len, bytes);
	else
		sha512_update(&hash->sha512, len, bytes);
}

int hash_add_fd(struct hash *hash, int fd, uint64_t *len)
{
	static char buffer[64 * 1024];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		hash_add(hash, buffer, (size_t)n);
		if (len)
			*len += (uint64_t)n;
	}
	return 0;
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
