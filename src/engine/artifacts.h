/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signatures, SBOMs and what else refers to an image, between a registry and the store; and what refers to those. */
#ifndef TARE_ENGINE_ARTIFACTS_H
#define TARE_ENGINE_ARTIFACTS_H

#include "engine/access.h"
#include "image/artifacts.h"

/*
 * artifacts_get() - get what refers to these digests into the store, where our leases hold it
 * @reference: the repository
 * @subjects:  digests
 *
 * What a list names and the registry no longer has is told and left out: whoever removes one takes it from the list by another
 * request. So is what refers to something else.
 */
int artifacts_get(const struct store *store, struct arena *arena, const struct access *access,
		  const struct reference *reference, const struct transfer_watch *watch,
		  const struct str_list *subjects, struct artifact_list *ret,
		  struct err *err) MUST_CHECK;

/* artifacts_put() - send these from the store, and let the registry list them */
int artifacts_put(const struct store *store, struct arena *arena, struct session *session,
		  const struct transfer_watch *watch, const struct artifact_list *list,
		  struct err *err) MUST_CHECK;

#endif
