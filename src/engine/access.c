/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/access.h"

#include "base/utf8.h"
#include "image/blob.h"
#include "registry/download.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COPY_BYTES ((size_t)128 * 1024)

/* ---- configuration ---------------------------------------------------------------------------------------------- */

static int split_creds(struct arena *arena, const char *creds, struct access *access,
		       struct err *err)
{
	const char *colon = strchr(creds, ':');

	if (!colon || colon == creds)
		return err_user(err, "\"--creds\" needs NAME:PASSWORD");
	access->credential.username = arena_strndup(arena, creds, (size_t)(colon - creds));
	access->credential.password = colon + 1;
	access->has_credential = true;
	return 0;
}

int access_open(struct arena *arena, const struct registry_access *options, struct access *ret,
		struct err *err)
{
	struct access access = { .options = options };
	int r = registries_load(arena, &access.registries, err);

	if (r == 0)
		r = policy_load(arena, &access.policy, err);
	if (r == 0 && options->creds)
		r = split_creds(arena, options->creds, &access, err);
	credential_places_find(arena, options->authfile, &access.places);
	if (r == 0)
		*ret = access;
	return r;
}

void access_say(const struct transfer_watch *watch, const char *fmt, ...)
{
	char raw[ERR_TEXT_MAX], line[ERR_TEXT_MAX * 2];
	va_list ap;

	if (!watch->say)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	utf8_printable(raw, line, sizeof(line));
	watch->say(watch->arg, line);
}

void access_warn(const struct access *access, const struct transfer_watch *watch)
{
	for (size_t i = 0; i < access->registries.unknown.n; i++)
		access_say(watch, "warning: %s", access->registries.unknown.items[i]);
}

int access_session(const struct access *access, const struct endpoint *endpoint, bool push,
		   const char *mount_from, struct session **ret, struct err *err)
{
	const struct registry_access *o = access->options;
	struct session_options options = {
		.endpoint = *endpoint,
		.push = push,
		.mount_from = mount_from,
		.places = &access->places,
		.credential = access->has_credential ? &access->credential : NULL,
		.cert_dir = o->cert_dir,
		.helpers = &access->registries.helpers,
	};

	options.endpoint.insecure = o->insecure || (endpoint->insecure && !o->secure);
	return session_new(&options, ret, err);
}

int transfer_login(struct arena *arena, const char *registry, const struct registry_access *options,
		   const struct credential *credential, struct err *err)
{
	/* Any path will do: it says which rule of registries.conf is for the registry. */
	const struct reference any = { .registry = registry, .path = "login" };
	struct endpoint_list places;
	struct endpoint endpoint = { .registry = registry };
	struct session *session = NULL;
	struct access access;
	int r = access_open(arena, options, &access, err);

	if (r == 0)
		r = registries_endpoints(arena, &access.registries, &any, true, &places, err);
	if (r < 0)
		return r;
	endpoint.insecure = places.items[places.n - 1].insecure;
	access.credential = *credential;
	access.has_credential = true;
	r = access_session(&access, &endpoint, false, NULL, &session, err);
	if (r == 0)
		r = session_login(session, err);
	session_free(session);
	return r;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static const char *join(struct arena *arena, const struct str_list *names)
{
	const char *text = "";

	for (size_t i = 0; i < names->n; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", names->items[i]);
	return text;
}

/* Return: which; -EINVAL if nobody says */
static int choose(struct arena *arena, const struct str_list *names, const char *name,
		  const struct transfer_watch *watch, struct err *err)
{
	int i = 0;

	if (names->n > 1)
		i = watch->choose ? watch->choose(watch->arg, name, names) : -1;
	if (i >= 0)
		return i;
	err_user(err, "\"%s\" could be one of %zu images, and nobody can be asked which", name,
		 names->n);
	return err_hint(err, "write the whole name: %s", join(arena, names));
}

/* @name with tag and digest of what was typed. */
static int complete(struct arena *arena, const char *name, const struct reference *given,
		    struct reference *ret, struct err *err)
{
	int r = reference_parse(arena, name, ret, err);

	if (r < 0)
		return r;
	ret->tag = given->tag;
	ret->digest = given->digest;
	reference_complete(arena, ret);
	return 0;
}

static int find_meaning(struct arena *arena, const struct access *access, const char *name,
			const struct reference *given, const struct transfer_watch *watch,
			struct meaning *ret, struct err *err)
{
	struct str_list names;
	int r = registries_candidates(arena, &access->registries, given, &names, err);

	if (r < 0)
		return r;
	ret->items = arena_array(arena, names.n, sizeof(*ret->items));
	/* Whoever has switched the question off still sees what is tried; else it would be whoever answers first. */
	if (access->registries.short_names == SHORT_NAMES_DISABLED && watch->interactive) {
		for (size_t i = 0; r == 0 && i < names.n; i++)
			r = complete(arena, names.items[i], given, &ret->items[ret->n++], err);
		return r;
	}
	r = choose(arena, &names, name, watch, err);
	if (r < 0)
		return r;
	ret->n = 1;
	ret->short_name = names.n > 1 ? given->path : NULL;
	return complete(arena, names.items[r], given, &ret->items[0], err);
}

int access_reference(struct arena *arena, const struct access *access, const char *name,
		     const struct transfer_watch *watch, struct meaning *ret, struct err *err)
{
	struct meaning meaning = { 0 };
	struct reference given;
	int r = reference_parse(arena, name, &given, err);

	if (r == 0 && !given.registry)
		r = find_meaning(arena, access, name, &given, watch, &meaning, err);
	if (r < 0)
		return r;
	if (given.registry) {
		reference_complete(arena, &given);
		meaning = (struct meaning){ arena_array(arena, 1, sizeof(given)), 1, NULL };
		meaning.items[0] = given;
	}
	*ret = meaning;
	return 0;
}

void access_remember(struct arena *arena, const struct meaning *meaning,
		     const struct reference *reference, const struct transfer_watch *watch)
{
	struct err err = ERR_INIT;

	if (!meaning->short_name)
		return;
	if (registries_remember(arena, meaning->short_name, reference_name(arena, reference),
				&err) < 0)
		access_say(watch, "warning: what \"%s\" means is not remembered: %s",
			   meaning->short_name, err.text);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

/* What comes of a blob, and how far it is. */
struct coming {
	struct stream stream;
	struct download download;
	bool begun; /* there is something to come */
	struct piece *piece;
};

static ssize_t read_coming(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct coming *c = (struct coming *)(void *)stream;
	ssize_t n;

	if (!c->begun)
		return 0;
	n = download_read(&c->download, buf, size, err);
	if (n > 0 && c->piece)
		c->piece->done = c->download.have;
	return n;
}

/* Must be ended by download_end() if it has begun. */
static int begin_coming(struct coming *c, struct session *session, const struct descriptor *blob,
			uint64_t have, struct piece *piece, struct err *err)
{
	int r = 0;

	*c = (struct coming){ .stream.read = read_coming, .piece = piece };
	if (have < blob->size)
		r = download_begin(session, blob, have, &c->download, err);
	c->begun = r == 0 && have < blob->size;
	return r;
}

/* Return: 0; -EILSEQ if the bytes are not the blob's; -errno */
static int keep_coming(struct stream *coming, struct blob_writer *writer, struct err *err)
{
	static char buffer[COPY_BYTES];
	ssize_t n;
	int r;

	while ((n = coming->read(coming, buffer, sizeof(buffer), err)) != 0) {
		if (n < 0)
			return (int)n;
		r = blob_write(writer, buffer, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return blob_end(writer, NULL, err);
}

static int about(const struct session *session, const struct descriptor *blob, struct err *err)
{
	const struct endpoint *at = session_endpoint(session);

	return err_context(err, "get blob %s of \"%s\" at registry \"%s\"", blob->digest,
			   at->repository, at->registry);
}

/*
 * @layer: NULL: keep the blob, no more
 *
 * Return: 0; 1 if it was there; -EAGAIN if an earlier attempt had left wrong bytes; -errno
 */
static int fetch_once(const struct store *store, struct session *session,
		      const struct descriptor *blob, const struct layer_request *layer,
		      struct piece *piece, struct err *err)
{
	defer_blob_writer struct blob_writer writer = BLOB_WRITER_INIT;
	struct layer_result result;
	struct coming coming;
	uint64_t had;
	int r = blob_begin(store, blob->digest, blob->size, &writer, err);

	if (r != 0)
		return r;
	had = writer.have;
	r = begin_coming(&coming, session, blob, had, piece, err);
	if (r < 0)
		return r;
	r = layer ? layers_receive(store, layer, &writer, &coming.stream, &result, err)
		  : keep_coming(&coming.stream, &writer, err);
	if (coming.begun)
		download_end(&coming.download);
	if (r == -EILSEQ)
		return had ? -EAGAIN : about(session, blob, err);
	return r < 0 ? r : 0;
}

static int fetch(const struct store *store, struct session *session, const struct descriptor *blob,
		 const struct layer_request *layer, struct piece *piece, struct err *err)
{
	int r;

	if (piece) {
		piece->total = blob->size;
		piece->phase = TRANSFER_MOVES;
	}
	r = fetch_once(store, session, blob, layer, piece, err);
	/* What was wrong is gone now; all of it once more. */
	if (r == -EAGAIN)
		r = fetch_once(store, session, blob, layer, piece, err);
	return r;
}

int fetch_blob(const struct store *store, struct session *session, const struct descriptor *blob,
	       struct piece *piece, struct err *err)
{
	return fetch(store, session, blob, NULL, piece, err);
}

int fetch_layer(const struct store *store, struct session *session, const struct descriptor *blob,
		const struct layer_request *layer, struct piece *piece, struct err *err)
{
	struct layer_result result;
	int r = fetch(store, session, blob, layer, piece, err);

	if (r != 1)
		return r;
	if (piece)
		piece->phase = TRANSFER_UNPACKS;
	r = layers_unpack(store, layer, &result, err);
	return r < 0 ? r : 1;
}

int keep_document(const struct store *store, const struct manifest *document, struct err *err)
{
	defer_blob_writer struct blob_writer writer = BLOB_WRITER_INIT;
	int r = blob_begin(store, document->digest, document->len, &writer, err);

	if (r != 0)
		return r < 0 ? r : 0;
	/* Of an interrupted one there may be the beginning. */
	r = blob_write(&writer, document->text + writer.have, (size_t)(document->len - writer.have),
		       err);
	return r < 0 ? r : blob_end(&writer, NULL, err);
}

void transfer_show(const struct transfer_watch *watch, const struct descriptor *blobs,
		   const struct piece *pieces, size_t n)
{
	defer_arena struct arena arena = { 0 };
	struct transfer_item *items;

	if (!watch->show)
		return;
	items = arena_array(&arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = (struct transfer_item){
			.digest = blobs[i].digest,
			.done = pieces[i].done,
			.total = blobs[i].size,
			.phase = (enum transfer_phase)pieces[i].phase,
			.finished = pieces[i].state == PIECE_DONE,
		};
	watch->show(watch->arg, items, n);
}
