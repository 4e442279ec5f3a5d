/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talking to one registry about one repository: which scheme it speaks, who we are, what is tried again, and where a redirect
 * may take us.
 *
 * https, and nothing else, unless the registry is on this machine (loopback) or was called insecure: then http, if it
 * speaks no https. A password or token goes to the registry itself and to the token server that it names, and never where
 * a redirect leads. Broken connections, 429 and 5xx are tried again, a few times and ever more slowly; Retry-After is
 * heeded up to a minute.
 *
 * Spec: distribution-spec 1.1; the registry's token specification (scope, Bearer), OAuth2 for tokens of identity
 */
#ifndef TARE_REGISTRY_SESSION_H
#define TARE_REGISTRY_SESSION_H

#include "registry/credentials.h"
#include "registry/http.h"

/* How often something is tried that fails in a way that may pass. */
#define SESSION_TRIES 5
/* What a token server or an error of a registry's may have to say. */
#define SESSION_TOKEN_MAX_BYTES ((size_t)1024 * 1024)
#define SESSION_ERROR_MAX_BYTES ((size_t)64 * 1024)

/* Where a repository is. */
struct endpoint {
	const char *registry; /* as people write it, and credentials are kept for it: "docker.io" */
	const char *repository; /* its path there: "library/nginx"; NULL: the registry alone */
	bool insecure;          /* http is all right, and certificates are not checked */
};

struct session_options {
	struct endpoint endpoint;
	bool push;              /* ask for the right to write as well */
	const char *mount_from; /* a repository of the same registry to be read as well; NULL */
	const struct credential_places *places; /* NULL: no credentials are looked for */
	const struct credential *credential;    /* these and no others; NULL */
	const char *cert_dir;                   /* NULL: the usual places */
	const struct str_list *helpers;         /* credential-helpers of registries.conf; NULL */
};

struct session;

/*
 * session_new() - nothing is sent yet
 * @options: what it points to must stay
 *
 * Return: 0; -EINVAL if the registry's name is no host's; -errno
 */
int session_new(const struct session_options *options, struct session **ret,
		struct err *err) MUST_CHECK;

/*
 * session_fork() - another session with what this one has found out: scheme, token
 *
 * For a child process, which must have connections of its own. The first session stays as it is and must not be used there.
 */
int session_fork(const struct session *session, struct session **ret, struct err *err) MUST_CHECK;

/* session_free() - NULL is fine */
void session_free(struct session *session);

const struct endpoint *session_endpoint(const struct session *session);

/*
 * session_send() - ask, and read the headers of the answer
 * @request: its url may be a path at the registry ("/v2/"), or one that the registry gave
 * @ret:     zeroed, or of an earlier request; cleared by the caller
 *
 * Redirects are followed, tokens fetched, and tried again is what may pass. A body in memory or a file is sent again.
 * Return: 0 with the status of what came of it, which may be one of failure; -EACCES if we are not let in; -errno
 */
int session_send(struct session *session, const struct http_request *request,
		 struct http_response *ret, struct err *err) MUST_CHECK;

/* session_send_once() - the same, but what fails is the caller's to try again: it has done something already, or may have */
int session_send_once(struct session *session, const struct http_request *request,
		      struct http_response *ret, struct err *err) MUST_CHECK;

/* session_read() - http_read() of the last response */
ssize_t session_read(struct session *session, void *buf, size_t size, struct err *err) MUST_CHECK;

/* session_read_all() - the whole body, NUL-terminated, in @arena. Return: 0; -EFBIG if it is more than @limit; -errno */
int session_read_all(struct session *session, struct arena *arena, size_t limit, char **ret_text,
		     size_t *ret_len, struct err *err) MUST_CHECK;

/* session_end() - the rest of the body is not wanted */
void session_end(struct session *session);

/*
 * session_refused() - report a status that is a failure, with the registry's own words
 * Return: -ENOENT for 404, -EACCES for 401 and 403, -EBUSY for 429, otherwise -EREMOTEIO
 */
int session_refused(struct session *session, const struct http_response *response, struct err *err);

/* session_wait() - before the @n-th new attempt (from 1), for about as long as is polite */
void session_wait(unsigned n, const char *retry_after);

/* session_path() - "/v2/REPOSITORY/..." in @arena */
char *session_path(struct arena *arena, const struct session *session, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* session_login() - is the credential good? Return: 0; -EACCES; -errno */
int session_login(struct session *session, struct err *err) MUST_CHECK;

#endif
