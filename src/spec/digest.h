/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name of content: "sha256:" and 64 hexadecimal digits. Only algorithms that we can compute are digests to us, since
 * one that can't be verified protects nobody; upper case is refused, since the same content would have two names.
 *
 * Spec: image-spec descriptor.md "Digests"
 */
#ifndef TARE_SPEC_DIGEST_H
#define TARE_SPEC_DIGEST_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>

enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512, DIGEST_ALGORITHMS };

/* "sha512:" and 128 digits, and the NUL */
#define DIGEST_TEXT_MAX (7 + 128 + 1)

/* digest_algorithm_name() - "sha256" */
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/* digest_algorithm_bytes() - how long the hash is: 32, 64 */
size_t digest_algorithm_bytes(enum digest_algorithm algorithm);

/*
 * digest_parse() - check a digest's text
 * @ret_hex: where the digits begin in @text
 * @why:     on failure: what is wrong with it, static; for a message that names the text
 *
 * Return: 0; -EINVAL
 */
int digest_parse(const char *text, enum digest_algorithm *ret_algorithm, const char **ret_hex,
		 const char **why) MUST_CHECK;

/* digest_format() - the text for a hash of digest_algorithm_bytes() bytes; @buf: DIGEST_TEXT_MAX bytes */
void digest_format(enum digest_algorithm algorithm, const unsigned char *hash, char *buf);

/*
 * digest_referrers_tag() - the tag under which a registry or a layout without lists has that of what refers to an image
 * @digest: checked
 * @buf:    DIGEST_TAG_MAX bytes
 *
 * Spec: distribution-spec "Referrers Tag Schema": the algorithm's first 32 letters, a dash, the hash's first 64 digits
 * Return: @buf
 */
char *digest_referrers_tag(const char *digest, char *buf);

#define DIGEST_TAG_MAX (32 + 1 + 64 + 1)

/* digest_is_referrers_tag() - is @text such a tag, of whatever digest */
bool digest_is_referrers_tag(const char *text);

#endif
