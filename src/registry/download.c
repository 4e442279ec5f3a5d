/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/download.h"

#include "base/num.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Less than that before a break is no progress: else one byte at a time could go on for ever. */
#define PROGRESS_BYTES 4096

static int about(const struct download *d, struct err *err)
{
	const struct endpoint *at = session_endpoint(d->session);

	return err_context(err, "get blob %s of \"%s\" at registry \"%s\"", d->blob->digest,
			   at->repository, at->registry);
}

/* ---- ranges ----------------------------------------------------------------------------------------------------- */

/* "bytes 100-199/200": must begin where we are and end with the blob. */
static bool is_rest(const struct download *d, const char *range)
{
	char wanted[80], unknown[80];

	snprintf(wanted, sizeof(wanted), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, d->have,
		 d->blob->size - 1, d->blob->size);
	snprintf(unknown, sizeof(unknown), "bytes %" PRIu64 "-%" PRIu64 "/*", d->have,
		 d->blob->size - 1);
	return range && (!strcmp(range, wanted) || !strcmp(range, unknown));
}

static int take_response(struct download *d, const struct http_response *response, struct err *err)
{
	const char *range = http_header(response, "content-range", 0);
	char shown[100];

	if (response->status == 206 && !is_rest(d, range)) {
		utf8_printable(range ? range : "", shown, sizeof(shown));
		return err_user_code(err, -EREMOTEIO,
				     "asked for the bytes from %" PRIu64 ", it sends \"%s\"",
				     d->have, shown);
	}
	if (response->status == 206)
		return 0;
	if (response->status != 200)
		return session_refused(d->session, response, err);
	if (response->length != HTTP_LENGTH_UNKNOWN && response->length != d->blob->size)
		return err_user(err, "it has %" PRIu64 " bytes, and should have %" PRIu64,
				response->length, d->blob->size);
	/* The server knows no ranges: all of it comes again. */
	d->skip = d->have;
	return 0;
}

/* ---- connections ------------------------------------------------------------------------------------------------ */

static int ask(struct download *d, struct err *err)
{
	defer_response struct http_response response = { 0 };
	char range[64];
	const char *headers[] = { range };
	struct http_request request = { .method = "GET",
					.url = d->url,
					.headers = headers,
					.n_headers = d->have ? 1 : 0,
					.body_fd = -1 };
	int r;

	snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-%" PRIu64, d->have,
		 d->blob->size - 1);
	d->began = d->have;
	d->skip = 0;
	r = session_send(d->session, &request, &response, err);
	return r < 0 ? r : take_response(d, &response, err);
}

/* What the registry does not have may be elsewhere: layers that must not be spread. */
static int ask_elsewhere(struct download *d, struct err *err)
{
	struct err first = *err;
	int r = -ENOENT;

	while (r < 0 && d->next_url < d->blob->urls.n) {
		d->url = d->blob->urls.items[d->next_url++];
		r = strncmp(d->url, "https://", 8) != 0 ? -EINVAL : ask(d, err);
	}
	if (r < 0) {
		*err = first;
		return first.code;
	}
	return 0;
}

int download_begin(struct session *session, const struct descriptor *blob, uint64_t from,
		   struct download *ret, struct err *err)
{
	struct download d = { .session = session, .blob = blob, .have = from };
	int r;

	d.url = session_path(&d.arena, session, "blobs/%s", blob->digest);
	r = ask(&d, err);
	if (r == -ENOENT && blob->urls.n)
		r = ask_elsewhere(&d, err);
	if (r < 0) {
		about(&d, err);
		download_end(&d);
		return r;
	}
	*ret = d;
	return 0;
}

void download_end(struct download *d)
{
	session_end(d->session);
	arena_clear(&d->arena);
}

/* The connection broke. Return: 0: there is another; -errno */
static int reconnect(struct download *d, struct err *err)
{
	int r = HTTP_BROKEN;

	if (d->have - d->began >= PROGRESS_BYTES)
		d->failures = 0;
	while (r == HTTP_BROKEN && d->failures < SESSION_TRIES) {
		/* The first time at once: it costs a server nothing that it has not offered. */
		if (d->failures++)
			session_wait(d->failures - 1, NULL);
		d->reconnects++;
		r = ask(d, err);
	}
	return r;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The next bytes that come, wanted or not. Return: as session_read(), also after a break */
static ssize_t read_some(struct download *d, void *buf, size_t size, struct err *err)
{
	uint64_t left = d->blob->size - d->have;
	ssize_t n;
	int r;

	for (;;) {
		/* Behind the end there may be one more, and then it is another blob. */
		n = session_read(d->session, buf, size, err);
		if (n == 0 && left)
			n = HTTP_BROKEN; /* a server that doesn't say how much it sends */
		if (n != HTTP_BROKEN)
			return n;
		if (!left)
			return 0;
		r = reconnect(d, err);
		if (r < 0)
			return r;
	}
}

ssize_t download_read(struct download *d, void *buf, size_t size, struct err *err)
{
	ssize_t n;

	for (;;) {
		size_t want = d->skip && d->skip < size ? (size_t)d->skip : size;

		n = read_some(d, buf, want, err);
		if (n <= 0)
			return n < 0 ? (about(d, err), n) : 0;
		if (!d->skip)
			break;
		d->skip -= (uint64_t)n;
	}
	if ((uint64_t)n > d->blob->size - d->have) {
		err_user(err, "it is longer than its %" PRIu64 " bytes", d->blob->size);
		return about(d, err);
	}
	d->have += (uint64_t)n;
	return n;
}
