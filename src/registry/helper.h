/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credential helpers: programs docker-credential-NAME that keep passwords elsewhere, in a keychain or a cloud's service. */
#ifndef TARE_REGISTRY_HELPER_H
#define TARE_REGISTRY_HELPER_H

#include "registry/credentials.h"

/* What a helper may answer; the tokens of clouds have some KiB. */
#define HELPER_MAX_BYTES ((size_t)256 * 1024)

/* helper_get() - what it knows of @registry. Return: 1 and *ret, in @arena; 0 if nothing; -errno */
int helper_get(struct arena *arena, const char *helper, const char *registry,
	       struct credential *ret, struct err *err) MUST_CHECK;

int helper_store(struct arena *arena, const char *helper, const char *registry,
		 const struct credential *credential, struct err *err) MUST_CHECK;

/* helper_erase() - Return: 1 if it has forgotten it; 0 if it knew nothing; -errno */
int helper_erase(struct arena *arena, const char *helper, const char *registry,
		 struct err *err) MUST_CHECK;

#endif
