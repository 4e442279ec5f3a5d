/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and passwords for registries, from where podman and docker keep them.
 *
 *     REGISTRY_AUTH_FILE (or --authfile)               if given, it alone
 *     ${XDG_RUNTIME_DIR}/containers/auth.json          root without that variable: /run/containers/0/auth.json
 *     ~/.config/containers/auth.json
 *     ${DOCKER_CONFIG}/config.json, ~/.docker/config.json
 *
 * In a file, a helper for the registry (credHelpers) comes before an entry in it ("auths": for registry/path, registry/...,
 * registry), and the general helper (credsStore) last. A helper is a program "docker-credential-NAME".
 *
 * Spec: containers-auth.json(5); the protocol of docker-credential-helpers
 */
#ifndef TARE_REGISTRY_CREDENTIALS_H
#define TARE_REGISTRY_CREDENTIALS_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

#include <stdbool.h>

/* A file has some hundred bytes an entry. */
#define CREDENTIALS_MAX_BYTES ((size_t)1024 * 1024)

/* Among registries.conf's credential-helpers: the files above. */
#define CREDENTIALS_FILES_HELPER "containers-auth-file"

struct credential {
	const char *username, *password;
	/* What a token server gave in exchange for a password; then the other two are NULL. */
	const char *identity_token;
	const char *from; /* file or helper, for messages */
};

/* Which files, from the environment; strings are borrowed for ever. */
struct credential_places {
	const char *files[4]; /* in the order of looking; NULL at the end */
	bool explicit_file;   /* the user named the one file, so it should be there */
};

/*
 * credential_places_find() - from the environment
 * @authfile: what --authfile says; NULL
 */
void credential_places_find(struct arena *arena, const char *authfile,
			    struct credential_places *ret);

/*
 * credential_find() - what is known for a repository
 * @registry:   as people write it: "docker.io", "r.example:5000"
 * @repository: its path, for entries that are for a part of a registry only; NULL: of none
 *
 * Return: 1 and *ret, in @arena; 0 if there is nothing; -EINVAL if a file is malformed; -errno
 */
int credential_find(struct arena *arena, const struct credential_places *places,
		    const char *registry, const char *repository, struct credential *ret,
		    struct err *err) MUST_CHECK;

/*
 * credential_ask() - the same, of all that registries.conf names, in its order
 * @places:  NULL: of no file
 * @helpers: NULL or empty: the files alone. Where they are not among them, only files that the user named are looked in, and first
 *
 * One that fails is passed over if another knows something; else the first failure is ours.
 * Return: as credential_find()
 */
int credential_ask(struct arena *arena, const struct credential_places *places,
		   const struct str_list *helpers, const char *registry, const char *repository,
		   struct credential *ret, struct err *err) MUST_CHECK;

/*
 * credential_store() - keep a credential in the first of the places, or with the helper that it names for the registry
 *
 * The file is replaced as a whole, with mode 0600; what else is in it stays.
 */
int credential_store(struct arena *arena, const struct credential_places *places,
		     const char *registry, const struct credential *credential,
		     struct err *err) MUST_CHECK;

/*
 * credential_erase() - forget what credential_store() has kept for @registry
 * @ret_left: a file or helper that knows it all the same and that is not ours to change, in @arena; NULL
 *
 * Return: 1 if there was one, 0 if not; -errno
 */
int credential_erase(struct arena *arena, const struct credential_places *places,
		     const char *registry, const char **ret_left, struct err *err) MUST_CHECK;

#endif
