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
 * @ret_subject: did the registry note its subject, so that it is among the referrers; may be NULL
 */
int manifest_put(struct session *session, const char *reference, const struct manifest *manifest,
		 bool *ret_subject, struct err *err) MUST_CHECK;

/* A page of referrers has some hundred bytes an entry; an image with more pages than that is an attack. */
#define REFERRERS_PAGES_MAX 32

/*
 * referrers_get() - what says something about @digest: signatures, bills of materials
 * @ret: their descriptors, in @arena; none if there are none
 *
 * A registry that keeps no list is asked for the tag that stands for it.
 */
int referrers_get(struct session *session, struct arena *arena, const char *digest,
		  struct descriptor_list *ret, struct err *err) MUST_CHECK;

/* referrers_tag() - the tag that stands for the list: "sha256-..." */
char *referrers_tag(struct arena *arena, const char *digest);

#endif
