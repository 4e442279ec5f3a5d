/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document that auth.json and docker's config.json are. Pure: no file is touched here. */
#ifndef TARE_REGISTRY_AUTH_FILE_H
#define TARE_REGISTRY_AUTH_FILE_H

#include "base/json.h"
#include "registry/credentials.h"

/* auth_helper() - the helper that the document names for the registry; NULL */
const char *auth_helper(const struct json *root, const char *registry);

/* auth_general_helper() - credsStore; NULL */
const char *auth_general_helper(const struct json *root);

/*
 * auth_lookup() - the entry for registry and repository (NULL: none), the most specific one
 * Return: 1 and *ret but for ->from, in @arena; 0; -EINVAL if the entry is malformed
 */
int auth_lookup(struct arena *arena, const struct json *root, const char *registry,
		const char *repository, struct credential *ret, struct err *err) MUST_CHECK;

/*
 * auth_edit() - the document with another entry for the registry
 * @root:       as it is; NULL: there was none
 * @credential: NULL: without one
 *
 * Return: the text, in @arena; NULL if nothing is to be changed
 */
char *auth_edit(struct arena *arena, const struct json *root, const char *registry,
		const struct credential *credential);

#endif
