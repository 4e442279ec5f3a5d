/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What says something about an image: signatures, SBOMs, attestations; manifests whose "subject" it is. A registry that knows of them
 * lists them; in one that doesn't, whoever pushes them keeps the list, under a tag that is made of the image's digest.
 *
 * Spec: distribution-spec "Listing Referrers", "Referrers Tag Schema", "Pushing Manifests with Subject"
 */
#ifndef TARE_REGISTRY_REFERRERS_H
#define TARE_REGISTRY_REFERRERS_H

#include "registry/manifest.h"

/* Of one image; and pages of a list. */
#define REFERRERS_MAX       1000
#define REFERRERS_PAGES_MAX 100

struct referrers {
	struct descriptor_list list; /* in the arena */
	bool by_tag; /* the registry keeps no list, and we read that of the tag, if there is one */
	bool found;  /* there is one */
	const char *etag; /* of its state; NULL */
};

/* referrers_list() - what refers to @digest. Return: 0, also if nothing does; -errno */
int referrers_list(struct session *session, struct arena *arena, const char *digest,
		   struct referrers *ret, struct err *err) MUST_CHECK;

/*
 * referrers_add() - let the registry list these, whose manifests it has, as referring to @digest
 * @more: as a list has them: with artifact type and annotations
 *
 * A registry that keeps lists has done it. Else the one under the tag is read, and replaced if nobody has changed or removed it
 * meanwhile; if somebody has, or wrote over it afterwards, once more, some times.
 * Return: 0; -EBUSY if others are always faster; -EINVAL if the tag names something else; -errno
 */
int referrers_add(struct session *session, struct arena *arena, const char *digest,
		  const struct descriptor_list *more, struct err *err) MUST_CHECK;

#endif
