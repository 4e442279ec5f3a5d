/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What session.c (what is sent where), session_auth.c (who we are) and session_error.c (what went wrong) share. */
#ifndef TARE_REGISTRY_SESSION_INTERNAL_H
#define TARE_REGISTRY_SESSION_INTERNAL_H

#include "registry/session.h"
#include "registry/trust.h"
#include "registry/url.h"

struct session {
	struct session_options options;
	struct http *http;
	struct arena arena; /* what stays as long as the session */
	struct url base;    /* the registry: scheme, host, port */
	bool reached;       /* it has answered once, so its scheme is known */
	bool may_http;      /* http is all right */
	bool has_tls;       /* and yet it speaks TLS */
	/* whom to trust, of the last server that was asked */
	struct trust trust;
	const char *trust_for; /* "host:port" */
	/* who we are */
	bool looked; /* for a credential */
	struct credential credential;
	bool has_credential;
	char *authorization; /* "Bearer ...", "Basic ..."; NULL: not yet */
	int64_t expires_ms;  /* clock_ms() at which a token is of no more use; 0: never */
};

/* session_trust() - whom to trust at @url. Return: 0; -errno */
int session_trust(struct session *session, const struct url *url, const struct http_trust **ret,
		  struct err *err) MUST_CHECK;

/*
 * session_authorize() - the registry has answered 401 to a request: get what it asks for
 * @refused: the response with the challenges
 *
 * Return: 0: try again; -EACCES if there is nothing that we could show; -errno
 */
int session_authorize(struct session *session, const struct http_response *refused,
		      struct err *err) MUST_CHECK;

/* session_unreached() - put what to do about it under an error of http_send()'s. Return: the error's code */
int session_unreached(const struct session *session, const struct url *url, struct err *err);

#endif
