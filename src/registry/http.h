/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection to one server after the other, by libcurl: a request goes out, its headers come back, and then the body is
 * read as it comes, as fast as the reader takes it. Here is nothing of registries: no redirect is followed, no password
 * sent, nothing tried twice. That is session.c's, which knows what may go where.
 *
 * Everything that a server sends has a limit: what the headers are in all, how many; who reads a body says how much.
 */
#ifndef TARE_REGISTRY_HTTP_H
#define TARE_REGISTRY_HTTP_H

#include "base/arena.h"
#include "registry/curl.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Real registries send less than 4 KiB of headers. */
#define HTTP_HEADERS_MAX_BYTES ((size_t)64 * 1024)
#define HTTP_HEADERS_MAX       128

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

/* A connection that takes longer to make, or on which nothing moves for so long, is broken. */
#define HTTP_CONNECT_TIMEOUT_S 30L
#define HTTP_STALL_TIMEOUT_S   60L

/* Why there is no response, or not all of it; http_send() and http_read() return them. */
enum {
	HTTP_UNREACHABLE = -EHOSTUNREACH, /* no such host, nobody listens there */
	HTTP_NOT_TLS = -EPROTONOSUPPORT,  /* the server speaks something else than TLS */
	HTTP_UNTRUSTED = -EKEYREJECTED,   /* its certificate is not trusted */
	HTTP_BROKEN = -ECONNRESET,        /* the connection broke: it may be tried again */
	HTTP_MALFORMED = -EBADMSG,        /* it answers, but not by HTTP's rules or our limits */
};

/* Whom to trust, and who we are. */
struct http_trust {
	bool any;               /* do not check the server's certificate */
	bool nobody;            /* HTTP_UNTRUSTED whatever it is; reads no authorities to say so */
	const char *ca_file;    /* PEM; NULL: the system's */
	const char *cert, *key; /* ours, PEM; NULL: none */
};

struct http_request {
	const char *method; /* "GET" */
	const char *url;
	const char *const *headers; /* "Accept: text/plain" */
	size_t n_headers;
	/* A body from memory, or from a file; neither: none. A POST or PUT without one says that it has no bytes. */
	const void *body;
	size_t body_len;
	int body_fd; /* < 0: none; read by pread() */
	uint64_t body_offset, body_size;
	volatile uint64_t *progress; /* how far the file was sent, for who looks on; NULL */
};

struct http_header {
	const char *name; /* in lower case */
	const char *value;
};

struct http_response {
	int status;
	uint64_t length; /* of the body; HTTP_LENGTH_UNKNOWN */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	struct arena arena; /* owns the texts of the headers */
};

/* http_header() - the value of the @i-th header of that name (lower case); NULL if there are fewer */
const char *http_header(const struct http_response *response, const char *name, size_t i);

void http_response_clear(struct http_response *response);

#define defer_response __attribute__((cleanup(http_response_clear)))

struct http;

/* http_new() - no connection yet. Return: 0; -errno */
int http_new(struct http **ret, struct err *err) MUST_CHECK;

/* http_free() - close what is open; NULL is fine */
void http_free(struct http *http);

const struct curl_functions *http_curl(const struct http *http);

/*
 * http_send() - send a request and read the response's headers
 * @request: must stay as it is until http_end()
 * @trust:   borrowed until http_end()
 * @ret:     overwritten; cleared by the caller whatever is returned
 *
 * What was not read of an earlier response is given up, and its connection with it.
 * Return: 0 whatever the status is; one of HTTP_*; -errno
 */
int http_send(struct http *http, const struct http_request *request, const struct http_trust *trust,
	      struct http_response *ret, struct err *err) MUST_CHECK;

/*
 * http_read() - the next bytes of the body
 * Return: how many; 0 at its end; HTTP_BROKEN if there should have been more; -errno
 */
ssize_t http_read(struct http *http, void *buf, size_t size, struct err *err) MUST_CHECK;

/* http_end() - the rest is not wanted */
void http_end(struct http *http);

#endif
