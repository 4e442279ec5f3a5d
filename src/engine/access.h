/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What transfers share: the configuration of registries, and bytes between a session and the store. */
#ifndef TARE_ENGINE_ACCESS_H
#define TARE_ENGINE_ACCESS_H

#include "engine/parallel.h"
#include "engine/transfer.h"
#include "image/layers.h"
#include "registry/manifest.h"

/* Strings live in the arena that access_open() got. */
struct access {
	const struct registry_access *options;
	struct registries registries;
	struct policy policy;
	struct credential_places places;
	struct credential credential; /* --creds */
	bool has_credential;
};

/* access_open() - read registries.conf, policy.json; nothing is sent. Return: 0; -EINVAL; -errno */
int access_open(struct arena *arena, const struct registry_access *options, struct access *ret,
		struct err *err) MUST_CHECK;

/* access_warn() - tell what in registries.conf has no effect */
void access_warn(const struct access *access, const struct transfer_watch *watch);

/* access_session() - a session with an endpoint. @mount_from: NULL, or a repository to be read as well. Return: 0; -errno */
int access_session(const struct access *access, const struct endpoint *endpoint, bool push,
		   const char *mount_from, struct session **ret, struct err *err) MUST_CHECK;

/* What a name may mean, in the order of trying. */
struct meaning {
	struct reference *items;
	size_t n;
	const char *
		short_name; /* a person has said what it means: to be remembered if it turns out right; NULL */
};

/*
 * access_reference() - the complete names that a person means
 * @ret: more than one only for short-name-mode "disabled", while somebody looks on
 *
 * One without a registry is looked up in registries.conf; if it may be several, somebody is asked, or it is refused.
 */
int access_reference(struct arena *arena, const struct access *access, const char *name,
		     const struct transfer_watch *watch, struct meaning *ret,
		     struct err *err) MUST_CHECK;

/* access_remember() - what a person has said a short name means: in short-name-aliases.conf. Failure is only told */
void access_remember(struct arena *arena, const struct meaning *meaning,
		     const struct reference *reference, const struct transfer_watch *watch);

/* access_say() - a line for people */
void access_say(const struct transfer_watch *watch, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * fetch_blob() - get a blob into the store, unless it is there
 * @piece: told how far it is; NULL
 *
 * Return: 0; 1 if it was there; -errno
 */
int fetch_blob(const struct store *store, struct session *session, const struct descriptor *blob,
	       struct piece *piece, struct err *err) MUST_CHECK;

/*
 * fetch_layer() - get a layer's blob into the store, and unpack it while it comes
 * @blob:  as for fetch_blob()
 * @layer: what to unpack
 *
 * Return: 0; 1 if the blob was there, and the layer is there now; -errno, and nothing of the layer can be seen
 */
int fetch_layer(const struct store *store, struct session *session, const struct descriptor *blob,
		const struct layer_request *layer, struct piece *piece, struct err *err) MUST_CHECK;

/* keep_document() - a manifest or an index into the store */
int keep_document(const struct store *store, const struct manifest *document,
		  struct err *err) MUST_CHECK;

/* transfer_show() - pieces as people see them: @blobs has their digests, in the same order */
void transfer_show(const struct transfer_watch *watch, const struct descriptor *blobs,
		   const struct piece *pieces, size_t n);

#endif
