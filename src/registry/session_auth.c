/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/session_internal.h"

#include "base/clock.h"
#include "base/json.h"
#include "registry/challenge.h"

#include <nettle/base64.h>
#include <string.h>

/* Longer than any known (some clouds' have 10 KiB); it has to go into one header. */
#define TOKEN_MAX  32768
#define SCOPES_MAX 3
/* What a token is good for if nobody says (token specification, "expires_in"). */
#define TOKEN_DEFAULT_S 60

/* ---- credentials ------------------------------------------------------------------------------------------------ */

static int look_for_credential(struct session *s, struct err *err)
{
	const struct endpoint *at = &s->options.endpoint;
	int r = 0;

	if (s->looked)
		return 0;
	if (s->options.credential) {
		s->credential = *s->options.credential;
		r = 1;
	}
	if (r == 0)
		r = credential_ask(&s->arena, s->options.places, s->options.helpers, at->registry,
				   at->repository, &s->credential, err);
	if (r < 0)
		return r;
	s->has_credential = r > 0;
	s->looked = true;
	return 0;
}

/* "Basic ..." of name and password; NULL if we have none */
static char *basic(struct session *s, struct arena *arena)
{
	const struct credential *credential = &s->credential;
	char *text, *encoded;
	size_t len;

	if (!s->has_credential || !credential->username)
		return NULL;
	text = arena_printf(arena, "%s:%s", credential->username, credential->password);
	len = strlen(text);
	encoded = arena_alloc(arena, BASE64_ENCODE_RAW_LENGTH(len) + 1);
	base64_encode_raw(encoded, len, (const uint8_t *)text);
	return arena_printf(arena, "Basic %s", encoded);
}

static int not_let_in(struct session *s, struct err *err)
{
	const char *registry = s->options.endpoint.registry;

	if (!s->has_credential) {
		err_user_code(err, -EACCES,
			      "it wants to know who asks, and there are no credentials for it");
		return err_hint(err, "tare login %s", registry);
	}
	if (s->credential.from)
		err_user_code(err, -EACCES, "it does not accept the credentials of \"%s\"",
			      s->credential.from);
	else
		err_user_code(err, -EACCES, "it does not accept name and password");
	return err_hint(err, "tare login %s, with a name that may do this", registry);
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

struct token_request {
	struct session *session;
	const char *realm, *service;
	const char *scopes[SCOPES_MAX];
	size_t n_scopes;
	struct url url;
	struct arena arena;
};

static void add_scope(struct token_request *t, const char *scope)
{
	for (size_t i = 0; i < t->n_scopes; i++) {
		if (!strcmp(t->scopes[i], scope))
			return;
	}
	if (scope && *scope && t->n_scopes < SCOPES_MAX)
		t->scopes[t->n_scopes++] = scope;
}

/* What we will need, and what the registry asks for, which is only for the request that it has refused. */
static void add_scopes(struct token_request *t, const struct challenge *challenge)
{
	const struct session_options *o = &t->session->options;
	const char *asked = challenge_parameter(challenge, "scope");

	if (o->endpoint.repository)
		add_scope(t, arena_printf(&t->arena, "repository:%s:pull%s", o->endpoint.repository,
					  o->push ? ",push" : ""));
	if (o->mount_from)
		add_scope(t, arena_printf(&t->arena, "repository:%s:pull", o->mount_from));
	if (asked && !(o->endpoint.repository && o->push &&
		       !strcmp(asked, arena_printf(&t->arena, "repository:%s:pull",
						   o->endpoint.repository))))
		add_scope(t, asked);
}

/* GET: the parameters in the address, name and password in a header. */
static int ask_by_password(struct token_request *t, struct http_response *ret, struct err *err)
{
	struct session *s = t->session;
	const char *authorization = basic(s, &t->arena),
		   *headers[2] = { "Accept: application/json" };
	struct http_request request = {
		.method = "GET", .headers = headers, .n_headers = 1, .body_fd = -1
	};
	const struct http_trust *trust;
	char *url = arena_strdup(&t->arena, t->url.text);
	int r = session_trust(s, &t->url, &trust, err);

	if (r < 0)
		return r;
	if (t->service)
		url = url_with(&t->arena, url, "service", t->service);
	for (size_t i = 0; i < t->n_scopes; i++)
		url = url_with(&t->arena, url, "scope", t->scopes[i]);
	if (authorization) {
		url = url_with(&t->arena, url, "account", s->credential.username);
		headers[request.n_headers++] =
			arena_printf(&t->arena, "Authorization: %s", authorization);
	}
	request.url = url;
	return http_send(s->http, &request, trust, ret, err);
}

/* POST: a token of identity is exchanged for one of access. */
static int ask_by_identity(struct token_request *t, struct http_response *ret, struct err *err)
{
	static const char *const headers[] = { "Accept: application/json",
					       "Content-Type: application/x-www-form-urlencoded" };
	struct http_request request = { .method = "POST",
					.url = t->url.text,
					.headers = headers,
					.n_headers = ARRAY_LEN(headers),
					.body_fd = -1 };
	const struct http_trust *trust;
	struct session *s = t->session;
	const char *scopes = "";
	char *form;
	int r = session_trust(s, &t->url, &trust, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < t->n_scopes; i++)
		scopes = arena_printf(&t->arena, "%s%s%s", scopes, i ? " " : "", t->scopes[i]);
	form = url_form_add(&t->arena, "", "grant_type", "refresh_token");
	form = url_form_add(&t->arena, form, "service", t->service ? t->service : "");
	form = url_form_add(&t->arena, form, "client_id", "tare");
	form = url_form_add(&t->arena, form, "scope", scopes);
	form = url_form_add(&t->arena, form, "refresh_token", s->credential.identity_token);
	request.body = form;
	request.body_len = strlen(form);
	return http_send(s->http, &request, trust, ret, err);
}

/* It goes into a header as it is. */
static bool is_token(const char *token)
{
	size_t len = token ? strlen(token) : 0;

	for (size_t i = 0; i < len; i++) {
		if (token[i] <= ' ' || token[i] >= 0x7f)
			return false;
	}
	return len && len <= TOKEN_MAX;
}

static int read_token(struct token_request *t, struct err *err)
{
	struct session *s = t->session;
	const struct json *root;
	const char *token;
	uint64_t expires = TOKEN_DEFAULT_S;
	char *text;
	size_t len;
	int r = session_read_all(s, &t->arena, SESSION_TOKEN_MAX_BYTES, &text, &len, err);

	if (r == 0)
		r = json_parse(&t->arena, text, len, &root, err);
	if (r < 0)
		return err_context(err, "read the token");
	token = json_string(json_member(root, "token"));
	if (!token || !*token)
		token = json_string(json_member(root, "access_token"));
	if (!is_token(token))
		return err_user_code(err, -EREMOTEIO,
				     "read the token: there is none, or it is malformed");
	if (json_member(root, "expires_in") &&
	    json_u64(json_member(root, "expires_in"), &expires) < 0)
		expires = TOKEN_DEFAULT_S;
	if (expires > 24 * 3600)
		expires = 24 * 3600;
	s->authorization = arena_printf(&s->arena, "Bearer %s", token);
	s->expires_ms = clock_ms() + (int64_t)expires * 1000;
	return 0;
}

static int ask_for_token(struct token_request *t, struct err *err)
{
	defer_response struct http_response response = { 0 };
	struct session *s = t->session;
	bool by_identity = s->has_credential && s->credential.identity_token;
	int r;

	for (unsigned failures = 0;;) {
		r = by_identity ? ask_by_identity(t, &response, err)
				: ask_by_password(t, &response, err);
		if (r < 0 && r != HTTP_BROKEN)
			return session_unreached(s, &t->url, err);
		if (r == 0 && response.status != 429 && response.status < 500)
			break;
		if (++failures == SESSION_TRIES)
			break;
		session_wait(failures, r < 0 ? NULL : http_header(&response, "retry-after", 0));
	}
	if (r < 0)
		return session_unreached(s, &t->url, err);
	if (response.status == 200)
		return read_token(t, err);
	r = session_refused(s, &response, err);
	if (r == -EACCES && !s->has_credential)
		err_hint(err, "tare login %s", s->options.endpoint.registry);
	return r;
}

static int fetch_token(struct session *s, const struct challenge *challenge, struct err *err)
{
	struct token_request t = { .session = s };
	const char *realm = challenge_parameter(challenge, "realm");
	int r;

	if (!realm)
		return err_user_code(err, -EREMOTEIO,
				     "it asks for a token, and doesn't say where to get one");
	t.service = challenge_parameter(challenge, "service");
	add_scopes(&t, challenge);
	r = url_resolve(http_curl(s->http), &t.arena, NULL, realm, &t.url, err);
	/* The password goes there. */
	if (r == 0 && s->base.https && !t.url.https && !s->options.endpoint.insecure)
		r = err_user_code(err, -EACCES, "the server \"%s\" speaks http", t.url.host);
	if (r == 0)
		r = ask_for_token(&t, err);
	if (r < 0)
		err_context(err, "get a token from \"%s\"", t.url.host ? t.url.host : "the server");
	arena_clear(&t.arena);
	return r;
}

/* ---- answering -------------------------------------------------------------------------------------------------- */

static int read_challenges(struct session *s, const struct http_response *refused,
			   struct challenges *ret, struct err *err)
{
	const char *header;
	int r = 0;

	*ret = (struct challenges){ 0 };
	for (size_t i = 0; r == 0 && (header = http_header(refused, "www-authenticate", i)); i++)
		r = challenge_parse(&s->arena, header, ret, err);
	return r;
}

int session_authorize(struct session *s, const struct http_response *refused, struct err *err)
{
	const struct challenge *bearer, *other;
	struct challenges challenges;
	bool had_basic = s->authorization && !strncmp(s->authorization, "Basic ", 6);
	int r = read_challenges(s, refused, &challenges, err);

	if (r == 0)
		r = look_for_credential(s, err);
	if (r < 0)
		return r;
	s->authorization = NULL;
	bearer = challenge_find(&challenges, "bearer");
	if (bearer)
		return fetch_token(s, bearer, err);
	other = challenge_find(&challenges, "basic");
	if (!other)
		return err_user_code(
			err, -EACCES,
			"it asks for no way to log in that is known here: \"Bearer\" and \"Basic\" are");
	if (!had_basic)
		s->authorization = basic(s, &s->arena);
	return s->authorization ? 0 : not_let_in(s, err);
}

int session_login(struct session *s, struct err *err)
{
	static const struct http_request ping = { .method = "GET", .url = "/v2/", .body_fd = -1 };
	defer_response struct http_response response = { 0 };
	int r = session_send(s, &ping, &response, err);

	if (r == 0 && response.status != 200)
		r = session_refused(s, &response, err);
	session_end(s);
	return r < 0 ? err_context(err, "log in to registry \"%s\"", s->options.endpoint.registry)
		     : 0;
}
