/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests and indexes, by tag or digest: small documents that come whole, and whose digest is checked before anybody reads
 * them.
 *
 * Spec: distribution-spec "Pulling manifests", "Pushing Manifests", "Listing Referrers"
 */
#ifndef TARE_REGISTRY_MANIFEST_H
#define TARE_REGISTRY_MANIFEST_H

#include "registry/session.h"
#include "spec/digest.h"
#include "spec/image.h"

struct manifest {
	const char *text; /* as it came, NUL-terminated */
	size_t len;
	const char *media_type; /* what the registry says, or the document itself */
	char digest[DIGEST_TEXT_MAX];
	const char *etag; /* the registry's name for this state of it, quoted; NULL: it says none */
	/* of one to be put: a header that says what must be there for it to be done; NULL */
	const char *condition;
};

/*
 * manifest_get() - fetch a manifest or an index
 * @reference: a tag, or a digest, which it then has
 *
 * Return: 0 and *ret, in @arena; -ENOENT, -EACCES... as session_refused() says; -EINVAL if it has another digest than it
 * should, or is of a kind that was given up
 */
int manifest_get(struct session *session, struct arena *arena, const char *reference,
		 struct manifest *ret, struct err *err) MUST_CHECK;

/*
 * manifest_put() - let @reference name a manifest; all that it refers to must be there already
 *
 * Return: 0; -ESTALE if its condition is not met: somebody else was faster; -errno
 */
int manifest_put(struct session *session, const char *reference, const struct manifest *manifest,
		 struct err *err) MUST_CHECK;

#endif
