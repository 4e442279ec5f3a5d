/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/digest.h"

#include <stdio.h>
#include <string.h>

#define HEX_DIGITS "0123456789abcdef"

static const struct {
	const char *name;
	size_t bytes;
} algorithms[DIGEST_ALGORITHMS] = {
	[DIGEST_SHA256] = { "sha256", 32 },
	[DIGEST_SHA512] = { "sha512", 64 },
};

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

size_t digest_algorithm_bytes(enum digest_algorithm algorithm)
{
	return algorithms[algorithm].bytes;
}

static int find_algorithm(const char *name, size_t len, enum digest_algorithm *ret)
{
	for (int i = 0; i < DIGEST_ALGORITHMS; i++) {
		if (strlen(algorithms[i].name) == len && !memcmp(algorithms[i].name, name, len)) {
			*ret = (enum digest_algorithm)i;
			return 0;
		}
	}
	return -EINVAL;
}

int digest_parse(const char *text, enum digest_algorithm *ret_algorithm, const char **ret_hex,
		 const char **why)
{
	const char *colon = strchr(text, ':');
	enum digest_algorithm algorithm;

	if (!colon) {
		*why = "a digest is an algorithm, a colon and hexadecimal digits";
		return -EINVAL;
	}
	if (find_algorithm(text, (size_t)(colon - text), &algorithm) < 0) {
		*why = "the algorithms that can be verified are sha256 and sha512";
		return -EINVAL;
	}
	if (strspn(colon + 1, HEX_DIGITS) != strlen(colon + 1)) {
		*why = "the hash is written in the digits 0-9 and a-f";
		return -EINVAL;
	}
	if (strlen(colon + 1) != 2 * algorithms[algorithm].bytes) {
		*why = algorithm == DIGEST_SHA256 ? "a sha256 has 64 digits"
						  : "a sha512 has 128 digits";
		return -EINVAL;
	}
	*ret_algorithm = algorithm;
	*ret_hex = colon + 1;
	return 0;
}

void digest_format(enum digest_algorithm algorithm, const unsigned char *hash, char *buf)
{
	char *out = buf + sprintf(buf, "%s:", algorithms[algorithm].name);

	for (size_t i = 0; i < algorithms[algorithm].bytes; i++) {
		*out++ = HEX_DIGITS[hash[i] >> 4];
		*out++ = HEX_DIGITS[hash[i] & 15];
	}
	*out = '\0';
}

char *digest_referrers_tag(const char *digest, char *buf)
{
	size_t len = strcspn(digest, ":");

	snprintf(buf, DIGEST_TAG_MAX, "%.*s-%.64s", len > 32 ? 32 : (int)len, digest,
		 digest + len + 1);
	return buf;
}

bool digest_is_referrers_tag(const char *text)
{
	size_t len = strcspn(text, "-");
	enum digest_algorithm algorithm;

	return text[len] && find_algorithm(text, len, &algorithm) == 0 &&
	       strlen(text + len + 1) == 64 && strspn(text + len + 1, HEX_DIGITS) == 64;
}
