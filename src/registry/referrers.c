/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/referrers.h"

#include "base/json_write.h"
#include "spec/hash.h"
#include "spec/image_write.h"
#include "spec/media_type.h"

#include <stdio.h>
#include <string.h>

static int add(struct arena *arena, const char *text, size_t len, struct referrers *ret,
	       struct err *err)
{
	struct image_index index;
	struct descriptor *items;
	int r = image_index_read(arena, "the list of referrers", text, len, &index, err);

	if (r < 0)
		return r;
	if (ret->list.n + index.manifests.n > REFERRERS_MAX)
		return err_user(err, "more than %d things refer to it", REFERRERS_MAX);
	items = arena_array(arena, ret->list.n + index.manifests.n + 1, sizeof(*items));
	if (ret->list.n)
		memcpy(items, ret->list.items, ret->list.n * sizeof(*items));
	if (index.manifests.n)
		memcpy(items + ret->list.n, index.manifests.items,
		       index.manifests.n * sizeof(*items));
	ret->list.items = items;
	ret->list.n += index.manifests.n;
	return 0;
}

static int list_by_tag(struct session *session, struct arena *arena, const char *digest,
		       struct referrers *ret, struct err *err)
{
	struct err missing = ERR_INIT;
	struct manifest manifest;
	char tag[DIGEST_TAG_MAX];
	int r = manifest_get(session, arena, digest_referrers_tag(digest, tag), &manifest,
			     &missing);

	ret->by_tag = true;
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	ret->found = true;
	ret->etag = manifest.etag;
	/* Not to be read as a list, and still less to be replaced by one. */
	if (media_type_find(manifest.media_type)->kind != MEDIA_INDEX)
		return err_user(err,
				"tag \"%s\", which is for a list of that, names something of type "
				"\"%.100s\"",
				tag, manifest.media_type);
	return add(arena, manifest.text, manifest.len, ret, err);
}

/* Link: <URL>; rel="next". Return: the URL; NULL if this was the last page */
static const char *next_page(struct arena *arena, const struct http_response *response)
{
	const char *link = http_header(response, "link", 0), *end;

	if (!link || *link != '<' || !strstr(link, "rel=\"next\""))
		return NULL;
	end = strchr(link, '>');
	return end ? arena_strndup(arena, link + 1, (size_t)(end - link - 1)) : NULL;
}

/* One page of it. Return: 0 with the next one's URL or NULL; 1: this registry keeps no lists; -errno */
static int list_page(struct session *session, struct arena *arena, const char *url,
		     struct referrers *ret, const char **ret_next, struct err *err)
{
	defer_response struct http_response response = { 0 };
	const char *headers[] = { "Accept: " MEDIA_OCI_INDEX };
	const struct http_request request = {
		.method = "GET", .url = url, .headers = headers, .n_headers = 1, .body_fd = -1
	};
	size_t len;
	char *text;
	int r = session_send(session, &request, &response, err);

	if (r < 0)
		return r;
	if (response.status == 404) {
		session_end(session);
		return 1;
	}
	if (response.status != 200)
		return session_refused(session, &response, err);
	*ret_next = next_page(arena, &response);
	r = session_read_all(session, arena, IMAGE_MANIFEST_MAX_BYTES, &text, &len, err);
	return r < 0 ? r : add(arena, text, len, ret, err);
}

static int list(struct session *session, struct arena *arena, const char *digest,
		struct referrers *ret, struct err *err)
{
	const char *url = session_path(arena, session, "referrers/%s", digest);

	for (int page = 0; url; page++) {
		int r = page == REFERRERS_PAGES_MAX
				? err_user(err, "the list has more than %d pages", page)
				: list_page(session, arena, url, ret, &url, err);

		if (r == 1)
			return list_by_tag(session, arena, digest, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int referrers_list(struct session *session, struct arena *arena, const char *digest,
		   struct referrers *ret, struct err *err)
{
	struct referrers found = { .by_tag = false };
	int r = list(session, arena, digest, &found, err);

	if (r < 0)
		return err_context(err, "find out what refers to %s", digest);
	*ret = found;
	return 0;
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

static bool has(const struct descriptor_list *list, const char *digest)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->items[i].digest, digest))
			return true;
	}
	return false;
}

static bool has_all(const struct referrers *there, const struct descriptor_list *more)
{
	for (size_t i = 0; i < more->n; i++) {
		if (!has(&there->list, more->items[i].digest))
			return false;
	}
	return true;
}

/* Only in place of what we have read; a weak tag (W/"...") can't say that it is the same. */
static const char *condition_of(struct arena *arena, const struct referrers *there)
{
	if (!there->found)
		return "If-None-Match: *";
	return there->etag && *there->etag == '"' ? arena_printf(arena, "If-Match: %s", there->etag)
						  : NULL;
}

static int put_list(struct session *session, struct arena *arena, const char *digest,
		    const struct referrers *there, const struct descriptor_list *more,
		    struct err *err)
{
	struct manifest manifest = { .media_type = MEDIA_OCI_INDEX,
				     .condition = condition_of(arena, there) };
	char tag[DIGEST_TAG_MAX];
	struct json_writer w;
	struct hash hash;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "schemaVersion", 2);
	json_add_string(&w, "mediaType", MEDIA_OCI_INDEX);
	json_array_begin(&w, "manifests");
	for (size_t i = 0; i < there->list.n; i++)
		image_descriptor_write(&w, NULL, &there->list.items[i]);
	for (size_t i = 0; i < more->n; i++) {
		if (!has(&there->list, more->items[i].digest))
			image_descriptor_write(&w, NULL, &more->items[i]);
	}
	json_array_end(&w);
	json_object_end(&w);
	manifest.text = json_writer_text(&w, &manifest.len);
	hash_init(&hash, DIGEST_SHA256);
	hash_add(&hash, manifest.text, manifest.len);
	hash_digest(&hash, manifest.digest);
	return manifest_put(session, digest_referrers_tag(digest, tag), &manifest, err);
}

/* Return: 1 when the registry lists them all; 0 when we have to look again, or somebody was faster; -errno */
static int try_to_add(struct session *session, struct arena *arena, const char *digest,
		      const struct descriptor_list *more, struct err *err)
{
	struct err refused = ERR_INIT;
	struct referrers there;
	int r = referrers_list(session, arena, digest, &there, err);

	if (r < 0)
		return r;
	if (!there.by_tag || has_all(&there, more))
		return 1;
	r = put_list(session, arena, digest, &there, more, &refused);
	if (r < 0 && r != -ESTALE)
		*err = refused;
	return r == -ESTALE ? 0 : r;
}

/* What we have put is looked at again at once: a registry that knows no conditions lets others write over it. */
int referrers_add(struct session *session, struct arena *arena, const char *digest,
		  const struct descriptor_list *more, struct err *err)
{
	int r = 0;

	for (unsigned n = 0; r == 0 && n < SESSION_TRIES; n++) {
		if (n > 1)
			session_wait(n - 1, NULL);
		r = try_to_add(session, arena, digest, more, err);
	}
	if (r == 0) {
		r = err_user_code(err, -EBUSY, "others change the list all the time");
		err_hint(err, "try again when they are done");
	}
	return r < 0 ? err_context(err, "list what refers to %s", digest) : 0;
}
