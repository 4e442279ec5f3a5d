/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/upload.h"

#include "base/num.h"
#include "registry/url.h"

#include <inttypes.h>
#include <string.h>

/* How far it has come. */
struct state {
	struct session *session;
	const struct upload *upload;
	const char *
		location; /* where the next bytes go, as the registry says; NULL: it is not begun */
	uint64_t offset;
	unsigned failures; /* since something went well */
	struct arena arena;
};

static bool may_pass(const struct http_response *response)
{
	return response->status == 429 || response->status >= 500;
}

/* ---- before ----------------------------------------------------------------------------------------------------- */

/* Return: 1 if it is there, 0 if not; -errno */
static int is_there(struct state *s, struct err *err)
{
	defer_response struct http_response response = { 0 };
	struct http_request request = { .method = "HEAD", .body_fd = -1 };
	int r;

	request.url = session_path(&s->arena, s->session, "blobs/%s", s->upload->digest);
	r = session_send(s->session, &request, &response, err);
	session_end(s->session);
	if (r < 0)
		return r;
	if (response.status == 200)
		return 1;
	return response.status == 404 ? 0 : session_refused(s->session, &response, err);
}

static int take_location(struct state *s, const struct http_response *response, struct err *err)
{
	const char *location = http_header(response, "location", 0);

	if (!location || !*location)
		return err_user_code(err, -EREMOTEIO, "the registry does not say where to send it");
	s->location = arena_strdup(&s->arena, location);
	return 0;
}

/* Ask for a place to send it to, or for it to be taken from @mount_from. Return: 1 if that was done, 0 with a place; -errno */
static int begin(struct state *s, const char *mount_from, struct err *err)
{
	defer_response struct http_response response = { 0 };
	struct http_request request = { .method = "POST", .body_fd = -1 };
	char *url = session_path(&s->arena, s->session, "blobs/uploads/");
	int r;

	if (mount_from) {
		url = url_with(&s->arena, url, "mount", s->upload->digest);
		url = url_with(&s->arena, url, "from", mount_from);
	}
	request.url = url;
	r = session_send(s->session, &request, &response, err);
	session_end(s->session);
	if (r < 0)
		return r;
	if (response.status == 201 && mount_from)
		return 1;
	if (response.status != 202)
		return session_refused(s->session, &response, err);
	s->offset = 0;
	return take_location(s, &response, err);
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

/* Give it its name; with all of its bytes in the same request, or without any. */
static int finish(struct state *s, bool whole, struct http_response *response, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/octet-stream" };
	struct http_request request = { .method = "PUT",
					.headers = headers,
					.n_headers = 1,
					.body_fd = -1,
					.progress = s->upload->progress };

	if (whole && s->upload->size) {
		request.body_fd = s->upload->fd;
		request.body_size = s->upload->size;
	}
	request.url = url_with(&s->arena, s->location, "digest", s->upload->digest);
	return session_send_once(s->session, &request, response, err);
}

static int send_chunk(struct state *s, uint64_t size, struct http_response *response,
		      struct err *err)
{
	const char *headers[] = {
		"Content-Type: application/octet-stream",
		arena_printf(&s->arena, "Content-Range: %" PRIu64 "-%" PRIu64, s->offset,
			     s->offset + size - 1),
	};
	struct http_request request = { .method = "PATCH",
					.url = s->location,
					.headers = headers,
					.n_headers = ARRAY_LEN(headers),
					.body_fd = s->upload->fd,
					.body_offset = s->offset,
					.body_size = size,
					.progress = s->upload->progress };

	return session_send_once(s->session, &request, response, err);
}

/* One request of it. Return: 1 when all is done, 0 to go on; -errno with the response's status */
static int advance(struct state *s, struct http_response *response, struct err *err)
{
	uint64_t chunk = s->upload->chunk ? s->upload->chunk : UPLOAD_CHUNK_BYTES;
	uint64_t left = s->upload->size - s->offset, size = left < chunk ? left : chunk;
	bool whole = s->offset == 0 && s->upload->size <= chunk, last = whole || !left;
	int r = last ? finish(s, whole, response, err) : send_chunk(s, size, response, err);

	if (r < 0)
		return r;
	if (response->status != (last ? 201 : 202))
		return session_refused(s->session, response, err);
	session_end(s->session);
	if (last)
		return 1;
	s->offset += size;
	s->failures = 0;
	return take_location(s, response, err);
}

/* "0-99": 100 bytes are there */
static uint64_t bytes_there(const struct http_response *response)
{
	const char *range = http_header(response, "range", 0), *dash;
	uint64_t last;

	if (range && !strncmp(range, "bytes=", 6))
		range += 6;
	dash = range ? strchr(range, '-') : NULL;
	if (!dash || strncmp(range, "0-", 2) != 0 || num_u64(dash + 1, strlen(dash + 1), &last) < 0)
		return 0;
	return last + 1;
}

/* Something broke on the way: how much of it has arrived? If the registry doesn't know, it begins anew. */
static void take_up(struct state *s)
{
	defer_response struct http_response response = { 0 };
	struct http_request request = { .method = "GET", .url = s->location, .body_fd = -1 };
	struct err ignored = ERR_INIT;
	uint64_t there;
	int r = session_send(s->session, &request, &response, &ignored);

	session_end(s->session);
	there = bytes_there(&response);
	if (r < 0 || response.status != 204 || there < s->offset || there > s->upload->size ||
	    take_location(s, &response, &ignored) < 0)
		s->location = NULL;
	else
		s->offset = there;
}

static int send_all(struct state *s, struct err *err)
{
	int r = 0;

	while (r == 0) {
		defer_response struct http_response response = { 0 };

		if (!s->location)
			r = begin(s, NULL, err);
		if (r < 0)
			break;
		r = advance(s, &response, err);
		if (r >= 0 || (r != HTTP_BROKEN && !may_pass(&response)))
			continue;
		if (++s->failures == SESSION_TRIES)
			break;
		session_wait(s->failures, http_header(&response, "retry-after", 0));
		if (s->offset)
			take_up(s);
		else
			s->location = NULL;
		r = 0;
	}
	return r < 0 ? r : UPLOAD_DONE;
}

int upload_blob(struct session *session, const struct upload *upload, const char *mount_from,
		struct err *err)
{
	struct state s = { .session = session, .upload = upload };
	int r = is_there(&s, err);

	if (r == 0) {
		r = begin(&s, mount_from, err);
		if (r == 0)
			r = send_all(&s, err);
		else if (r > 0)
			r = UPLOAD_MOUNTED;
	} else if (r > 0) {
		r = UPLOAD_WAS_THERE;
	}
	arena_clear(&s.arena);
	if (r < 0)
		err_context(err, "put blob %s into \"%s\" at registry \"%s\"", upload->digest,
			    session_endpoint(session)->repository,
			    session_endpoint(session)->registry);
	return r;
}
