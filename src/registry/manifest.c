/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/manifest.h"

#include "base/json.h"
#include "base/utf8.h"
#include "spec/hash.h"
#include "spec/media_type.h"

#include <ctype.h>
#include <string.h>

#define SCHEMA1 "application/vnd.docker.distribution.manifest.v1+"

/* ---- getting ---------------------------------------------------------------------------------------------------- */

static char *accept_header(struct arena *arena)
{
	char *header = arena_strdup(arena, "Accept: ");

	for (size_t i = 0; media_type_accept(i); i++)
		header = arena_printf(arena, "%s%s%s", header, i ? ", " : "", media_type_accept(i));
	return header;
}

/* Without its parameters ("; charset=utf-8"); one that says nothing is the document's own. */
static const char *media_type_of(struct arena *arena, const struct http_response *response,
				 const struct manifest *manifest)
{
	const char *said = http_header(response, "content-type", 0), *own;
	const struct json *root;
	struct err ignored = ERR_INIT;

	said = said ? arena_strndup(arena, said, strcspn(said, "; \t")) : "";
	if (media_type_find(said)->kind != MEDIA_OTHER || !strncmp(said, SCHEMA1, strlen(SCHEMA1)))
		return said;
	if (json_parse(arena, manifest->text, manifest->len, &root, &ignored) < 0)
		return said;
	own = json_string(json_member(root, "mediaType"));
	if (own)
		return own;
	return json_member(root, "manifests") ? MEDIA_OCI_INDEX : MEDIA_OCI_MANIFEST;
}

static int check_kind(const struct manifest *manifest, struct err *err)
{
	char shown[100];

	if (strncmp(manifest->media_type, SCHEMA1, strlen(SCHEMA1)) != 0)
		return 0;
	utf8_printable(manifest->media_type, shown, sizeof(shown));
	err_user(err, "it is of docker's schema 1 (\"%s\"), which was given up", shown);
	return err_hint(err, "push it anew with a program of today");
}

/* By the digest that was asked for; else by what the registry says, if it is one that we can compute. */
static int check_digest(const struct http_response *response, const char *reference,
			struct manifest *manifest, struct err *err)
{
	const char *wanted = strchr(reference, ':')
				     ? reference
				     : http_header(response, "docker-content-digest", 0);
	struct hash hash;

	if (!wanted || hash_init_like(&hash, wanted) < 0) {
		wanted = NULL;
		hash_init(&hash, DIGEST_SHA256);
	}
	hash_add(&hash, manifest->text, manifest->len);
	hash_digest(&hash, manifest->digest);
	if (wanted && strcmp(wanted, manifest->digest) != 0)
		return err_user(err, "it should be %s, and what came is %s", wanted,
				manifest->digest);
	return 0;
}

static int get(struct session *session, struct arena *arena, const char *reference,
	       struct manifest *ret, struct err *err)
{
	defer_response struct http_response response = { 0 };
	const char *headers[] = { accept_header(arena) };
	struct http_request request = {
		.method = "GET", .headers = headers, .n_headers = 1, .body_fd = -1
	};
	struct manifest manifest = { 0 };
	char *text;
	int r;

	request.url = session_path(arena, session, "manifests/%s", reference);
	r = session_send(session, &request, &response, err);
	if (r < 0)
		return r;
	if (response.status != 200)
		return session_refused(session, &response, err);
	r = session_read_all(session, arena, IMAGE_MANIFEST_MAX_BYTES, &text, &manifest.len, err);
	if (r < 0)
		return r;
	manifest.text = text;
	if (http_header(&response, "etag", 0))
		manifest.etag = arena_strdup(arena, http_header(&response, "etag", 0));
	r = check_digest(&response, reference, &manifest, err);
	manifest.media_type = media_type_of(arena, &response, &manifest);
	if (r == 0)
		r = check_kind(&manifest, err);
	if (r == 0)
		*ret = manifest;
	return r;
}

/* What every error of this file begins with. */
static int about(const struct session *session, const char *what, const char *reference,
		 struct err *err)
{
	const struct endpoint *at = session_endpoint(session);

	return err_context(err, "%s \"%s\" of \"%s\" at registry \"%s\"", what, reference,
			   at->repository, at->registry);
}

int manifest_get(struct session *session, struct arena *arena, const char *reference,
		 struct manifest *ret, struct err *err)
{
	int r = get(session, arena, reference, ret, err);

	/* A body may break off, and it is small: from the beginning, then. */
	for (unsigned n = 1; r == HTTP_BROKEN && n < SESSION_TRIES; n++) {
		session_wait(n, NULL);
		r = get(session, arena, reference, ret, err);
	}
	if (r == -ENOENT)
		err_hint(
			err,
			"check the name and the tag; registries also say so of what one may not see");
	return r < 0 ? about(session, "get manifest", reference, err) : 0;
}

/* ---- putting ---------------------------------------------------------------------------------------------------- */

int manifest_put(struct session *session, const char *reference, const struct manifest *manifest,
		 struct err *err)
{
	defer_response struct http_response response = { 0 };
	defer_arena struct arena arena = { 0 };
	const char *headers[] = {
		arena_printf(&arena, "Content-Type: %s", manifest->media_type),
		manifest->condition,
	};
	struct http_request request = { .method = "PUT",
					.headers = headers,
					.n_headers = manifest->condition ? 2 : 1,
					.body = manifest->text,
					.body_len = manifest->len,
					.body_fd = -1 };
	const char *digest;
	int r;

	request.url = session_path(&arena, session, "manifests/%s", reference);
	r = session_send(session, &request, &response, err);
	if (r == 0 && response.status == 412)
		r = err_user_code(err, -ESTALE, "somebody else has changed it meanwhile");
	else if (r == 0 && response.status != 201 && response.status != 200 &&
		 response.status != 202)
		r = session_refused(session, &response, err);
	session_end(session);
	digest = http_header(&response, "docker-content-digest", 0);
	if (r == 0 && digest && !strncmp(digest, "sha256:", 7) &&
	    strcmp(digest, manifest->digest) != 0 && !strncmp(manifest->digest, "sha256:", 7))
		r = err_user_code(err, -EREMOTEIO, "the registry has changed it: it is %.71s there",
				  digest);
	return r < 0 ? about(session, "put manifest", reference, err) : 0;
}
