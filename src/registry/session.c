/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/session_internal.h"

#include "base/clock.h"
#include "base/num.h"

#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Registries that spread their blobs over other hosts redirect once or twice. */
#define REDIRECTS_MAX 8
#define HEADERS_MAX   8

#define FIRST_WAIT_MS     500
#define RETRY_AFTER_MAX_S 60
#define TOKEN_MARGIN_MS   5000
#define DOCKER_REGISTRY   "docker.io"
#define DOCKER_HOST       "registry-1.docker.io"

/* How far a request has come. */
struct attempt {
	const struct http_request *request;
	struct url url;
	const char *method;
	bool once; /* what fails is the caller's to try again */
	unsigned failures, redirects, challenges;
	struct arena arena;
};

/* ---- life ------------------------------------------------------------------------------------------------------- */

static int set_scheme(struct session *s, bool https, struct err *err)
{
	const char *registry = s->options.endpoint.registry;
	const char *host = !strcmp(registry, DOCKER_REGISTRY) ? DOCKER_HOST : registry;

	return url_resolve(http_curl(s->http), &s->arena, NULL,
			   arena_printf(&s->arena, "%s://%s/", https ? "https" : "http", host),
			   &s->base, err);
}

int session_new(const struct session_options *options, struct session **ret, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, -ENOMEM, "prepare a session with a registry");
	s->options = *options;
	s->trust = TRUST_INIT;
	r = http_new(&s->http, err);
	if (r == 0)
		r = set_scheme(s, true, err);
	if (r < 0) {
		session_free(s);
		return r;
	}
	s->may_http = options->endpoint.insecure || url_is_loopback(s->base.host);
	*ret = s;
	return 0;
}

static int copy_state(const struct session *from, struct session *to, struct err *err)
{
	to->reached = from->reached;
	to->looked = from->looked;
	to->credential = from->credential;
	to->has_credential = from->has_credential;
	to->expires_ms = from->expires_ms;
	if (from->authorization)
		to->authorization = arena_strdup(&to->arena, from->authorization);
	return from->base.https ? 0 : set_scheme(to, false, err);
}

int session_fork(const struct session *session, struct session **ret, struct err *err)
{
	struct session *s;
	int r = session_new(&session->options, &s, err);

	if (r < 0)
		return r;
	r = copy_state(session, s, err);
	if (r < 0)
		session_free(s);
	else
		*ret = s;
	return r;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	http_free(s->http);
	trust_clear(&s->trust);
	if (s->authorization)
		explicit_bzero(s->authorization, strlen(s->authorization));
	arena_clear(&s->arena);
	free(s);
}

const struct endpoint *session_endpoint(const struct session *s)
{
	return &s->options.endpoint;
}

char *session_path(struct arena *arena, const struct session *s, const char *fmt, ...)
{
	char rest[2 * 1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	return arena_printf(arena, "/v2/%s/%s", s->options.endpoint.repository, rest);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

void session_wait(unsigned n, const char *retry_after)
{
	uint64_t seconds = 0, ms = (uint64_t)FIRST_WAIT_MS << (n - 1);
	struct timespec time;
	uint8_t jitter = 0;

	/* Many clients that were turned away at once should not come back at once. */
	if (getrandom(&jitter, sizeof(jitter), 0) == sizeof(jitter))
		ms += ms * jitter / 512;
	/* A date, the header's other form, is not worth a parser: the usual wait will do. */
	if (retry_after && num_u64(retry_after, strlen(retry_after), &seconds) == 0)
		ms = (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * 1000;
	time = (struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

static bool may_pass(int status)
{
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* Has it failed often enough? If not, wait. */
static bool again(struct attempt *attempt, const char *retry_after)
{
	if (attempt->once || ++attempt->failures >= SESSION_TRIES)
		return false;
	session_wait(attempt->failures, retry_after);
	return true;
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

/*
 * Where http will do, the first question is whether there is TLS at all. All authorities of a system take tens of milliseconds to
 * read, so that is done only if there is.
 */
static bool asks_for_tls(const struct session *s)
{
	return s->may_http && !s->reached && s->base.https && !s->has_tls;
}

int session_trust(struct session *s, const struct url *url, const struct http_trust **ret,
		  struct err *err)
{
	const char *name = arena_printf(&s->arena, "%s:%s", url->host, url->port);
	int r = 0;

	if (!s->trust_for || strcmp(s->trust_for, name) != 0) {
		/* The old one's connections may need its certificates; they are loaded when one is made. */
		trust_clear(&s->trust);
		s->trust_for = NULL;
		r = trust_find(http_curl(s->http), &s->arena, url, s->options.cert_dir, &s->trust,
			       err);
	}
	if (r < 0)
		return r;
	s->trust_for = name;
	s->trust.http.any = s->options.endpoint.insecure;
	s->trust.http.nobody = !s->trust.http.any && asks_for_tls(s);
	*ret = &s->trust.http;
	return 0;
}

/* With the Authorization header, if it goes to the registry itself. */
static int send_once(struct session *s, struct attempt *attempt, struct http_response *ret,
		     struct err *err)
{
	struct http_request request = *attempt->request;
	const struct http_trust *trust;
	const char *headers[HEADERS_MAX + 1];
	int r = session_trust(s, &attempt->url, &trust, err);

	if (r < 0)
		return r;
	if (request.n_headers > HEADERS_MAX)
		return err_bug(err, "a request has more than %d headers", HEADERS_MAX);
	if (request.n_headers)
		memcpy(headers, request.headers, request.n_headers * sizeof(*headers));
	if (s->authorization && url_same_origin(&attempt->url, &s->base))
		headers[request.n_headers++] =
			arena_printf(&attempt->arena, "Authorization: %s", s->authorization);
	request.headers = headers;
	request.method = attempt->method;
	request.url = attempt->url.text;
	return http_send(s->http, &request, trust, ret, err);
}

static int resolve(struct session *s, struct attempt *attempt, const char *text, struct err *err)
{
	return url_resolve(http_curl(s->http), &attempt->arena, &s->base, text, &attempt->url, err);
}

/* Nothing that speaks TLS is there: is plain http all right, and not tried yet? Then go on with that. */
static int fall_back(struct session *s, struct attempt *attempt, int code, struct err *err)
{
	int r;

	if (s->reached || !s->may_http || !s->base.https)
		return 0;
	if (code != HTTP_NOT_TLS && code != HTTP_UNREACHABLE && code != HTTP_BROKEN)
		return 0;
	r = set_scheme(s, false, err);
	if (r == 0)
		r = resolve(s, attempt, attempt->request->url, err);
	return r < 0 ? r : 1;
}

/* The connection failed. Return: 1 to try again; the error's code */
static int after_failure(struct session *s, struct attempt *attempt, int code, struct err *err)
{
	struct err failure = *err;
	int r = fall_back(s, attempt, code, err);

	if (r != 0)
		return r;
	if (code == HTTP_UNTRUSTED && asks_for_tls(s)) {
		s->has_tls = true;
		return 1;
	}
	*err = failure;
	/* Who was there a moment ago comes back; who never was has perhaps a wrong name. */
	if ((code == HTTP_BROKEN || (code == HTTP_UNREACHABLE && s->reached)) &&
	    again(attempt, NULL))
		return 1;
	return session_unreached(s, &attempt->url, err);
}

static bool is_redirect(const struct attempt *attempt, const struct http_response *response)
{
	bool asks = !strcmp(attempt->method, "GET") || !strcmp(attempt->method, "HEAD");

	if (!http_header(response, "location", 0))
		return false;
	if (response->status == 307 || response->status == 308)
		return true;
	return asks && response->status >= 301 && response->status <= 303;
}

static int follow(struct session *s, struct attempt *attempt, const struct http_response *response,
		  struct err *err)
{
	struct url from = attempt->url;
	int r;

	if (++attempt->redirects > REDIRECTS_MAX)
		return err_user_code(err, -ELOOP, "it redirects more than %d times", REDIRECTS_MAX);
	r = url_resolve(http_curl(s->http), &attempt->arena, &from,
			http_header(response, "location", 0), &attempt->url, err);
	if (r < 0)
		return err_context(err, "follow a redirect");
	if (from.https && !attempt->url.https && !s->options.endpoint.insecure)
		return err_user_code(err, -EACCES, "it redirects from https to http, to \"%s\"",
				     attempt->url.host);
	return 1;
}

/* Return: 1 to send again; 0 if the response is the caller's; -errno */
static int after_response(struct session *s, struct attempt *attempt,
			  const struct http_response *response, struct err *err)
{
	bool ours = url_same_origin(&attempt->url, &s->base);
	int r;

	s->reached = s->reached || ours;
	if (response->status == 401 && ours && ++attempt->challenges <= 2) {
		r = session_authorize(s, response, err);
		return r < 0 ? r : 1;
	}
	if (is_redirect(attempt, response))
		return follow(s, attempt, response, err);
	if (may_pass(response->status))
		return again(attempt, http_header(response, "retry-after", 0));
	return 0;
}

/* A token that runs out while a long body goes up would cost the whole of it. */
static void drop_old_token(struct session *s)
{
	if (s->authorization && s->expires_ms && clock_ms() > s->expires_ms - TOKEN_MARGIN_MS)
		s->authorization = NULL;
}

static int send_attempts(struct session *s, struct attempt *attempt, struct http_response *ret,
			 struct err *err)
{
	int r = resolve(s, attempt, attempt->request->url, err);

	drop_old_token(s);
	while (r >= 0) {
		r = send_once(s, attempt, ret, err);
		r = r < 0 ? after_failure(s, attempt, r, err)
			  : after_response(s, attempt, ret, err);
		if (r <= 0)
			break;
	}
	return r;
}

static int send_request(struct session *s, const struct http_request *request, bool once,
			struct http_response *ret, struct err *err)
{
	struct attempt attempt = { .request = request, .method = request->method, .once = once };
	int r = send_attempts(s, &attempt, ret, err);

	arena_clear(&attempt.arena);
	return r;
}

int session_send(struct session *s, const struct http_request *request, struct http_response *ret,
		 struct err *err)
{
	return send_request(s, request, false, ret, err);
}

int session_send_once(struct session *s, const struct http_request *request,
		      struct http_response *ret, struct err *err)
{
	return send_request(s, request, true, ret, err);
}

/* ---- bodies ----------------------------------------------------------------------------------------------------- */

ssize_t session_read(struct session *s, void *buf, size_t size, struct err *err)
{
	return http_read(s->http, buf, size, err);
}

void session_end(struct session *s)
{
	http_end(s->http);
}

int session_read_all(struct session *s, struct arena *arena, size_t limit, char **ret_text,
		     size_t *ret_len, struct err *err)
{
	defer_free char *text = NULL;
	size_t len = 0, size = 0;
	ssize_t n;

	for (;;) {
		if (size - len < 2) {
			char *grown = realloc(text, size ? size * 2 : 16 * 1024);

			if (!grown)
				return err_set(err, -ENOMEM, "read what the registry answers");
			text = grown;
			size = size ? size * 2 : 16 * 1024;
		}
		n = session_read(s, text + len, size - len - 1, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > limit)
			return err_user_code(err, -EFBIG, "it answers more than %zu bytes", limit);
	}
	*ret_text = arena_strndup(arena, text, len);
	*ret_len = len;
	return 0;
}
