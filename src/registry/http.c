/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl pushes and our callers pull. What comes goes into the caller's buffer; what has no room there waits in one of our own, and
 * when that is full, the transfer is paused, and the kernel's window makes the server wait.
 */
#include "registry/http.h"

#include "base/num.h"
#include "base/utf8.h"
#include "base/version.h"

#include <ctype.h>
#include <string.h>

/* What libcurl receives at a time, and so the most that it hands over at once. */
#define RECEIVE_BYTES ((size_t)64 * 1024)
/* For a signal that comes between looking and waiting; nothing else needs us to wake. */
#define POLL_MS 1000

struct http {
	const struct curl_functions *curl;
	CURLM *multi; /* owns the connections, so that one serves many requests */
	CURL *easy;
	bool running; /* easy is in multi */
	struct curl_slist *headers;
	char reason[CURL_ERROR_SIZE];
	/* the response */
	struct http_response *response; /* NULL once its headers are complete */
	size_t header_bytes;
	const char *refused; /* why it was given up by us */
	bool headers_done, done, paused;
	CURLcode result; /* once done */
	/* the request's body */
	const struct http_request *request;
	uint64_t sent;
	unsigned char *target; /* http_read()'s caller's, while it waits */
	size_t target_size, target_len;
	size_t begin, end; /* what is in the buffer and was not read */
	unsigned char buffer[RECEIVE_BYTES];
};

/* ---- responses -------------------------------------------------------------------------------------------------- */

const char *http_header(const struct http_response *response, const char *name, size_t i)
{
	for (size_t n = 0; n < response->n_headers; n++) {
		if (!strcmp(response->headers[n].name, name) && i-- == 0)
			return response->headers[n].value;
	}
	return NULL;
}

void http_response_clear(struct http_response *response)
{
	arena_clear(&response->arena);
	response->n_headers = 0;
}

/* ---- libcurl calls ---------------------------------------------------------------------------------------------- */

static size_t refuse(struct http *http, const char *why)
{
	http->refused = why;
	return 0;
}

/* "HTTP/1.1 200 OK": a new response; the ones before it said "continue". */
static void begin_response(struct http_response *response, const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	size_t left = blank ? len - (size_t)(blank + 1 - line) : 0;
	uint64_t status = 0;

	http_response_clear(response);
	response->length = HTTP_LENGTH_UNKNOWN;
	if (left < 3 || num_u64(blank + 1, 3, &status) < 0)
		status = 0;
	response->status = (int)status;
}

static void add_header(struct http_response *response, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value, *end = line + len;
	struct http_header *header = &response->headers[response->n_headers];
	char *name;

	if (!colon)
		return;
	for (value = colon + 1; value < end && isspace((unsigned char)*value); value++)
		;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	name = arena_strndup(&response->arena, line, (size_t)(colon - line));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*header = (struct http_header){ name, arena_strndup(&response->arena, value,
							    (size_t)(end - value)) };
	response->n_headers++;
}

static size_t take_header(char *line, size_t size, size_t n, void *arg)
{
	struct http *http = arg;
	struct http_response *response = http->response;

	(void)size; /* always 1 */
	http->header_bytes += n;
	if (http->header_bytes > HTTP_HEADERS_MAX_BYTES)
		return refuse(http, "it sends more than 64 KiB of headers");
	if (!response) /* trailers: nobody asks for them */
		return n;
	if (n > 5 && !memcmp(line, "HTTP/", 5)) {
		begin_response(response, line, n);
	} else if (n <= 2 && (line[0] == '\r' || line[0] == '\n')) {
		http->headers_done = response->status >= 200;
		if (http->headers_done)
			http->response = NULL;
	} else if (response->n_headers == HTTP_HEADERS_MAX) {
		return refuse(http, "it sends more than 128 headers");
	} else {
		add_header(response, line, n);
	}
	return n;
}

/* All of it or nothing: libcurl knows no part. */
static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http *http = arg;
	size_t room = http->target_size - http->target_len, now = n < room ? n : room;

	(void)size;
	if (http->begin == http->end)
		http->begin = http->end = 0;
	else
		now = 0; /* what waits is first */
	if (n - now > sizeof(http->buffer) - http->end) {
		http->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (now)
		memcpy(http->target + http->target_len, bytes, now);
	http->target_len += now;
	memcpy(http->buffer + http->end, bytes + now, n - now);
	http->end += n - now;
	return n;
}

static size_t give_body(char *buf, size_t size, size_t n, void *arg)
{
	struct http *http = arg;
	const struct http_request *request = http->request;
	uint64_t left = request->body_size - http->sent;
	ssize_t got;

	n = size * n < left ? size * n : (size_t)left;
	if (!n)
		return 0;
	do {
		got = pread(request->body_fd, buf, n, (off_t)(request->body_offset + http->sent));
	} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		http->refused = "what is to be sent can't be read";
		return CURL_READFUNC_ABORT;
	}
	http->sent += (uint64_t)got;
	if (request->progress)
		*request->progress = request->body_offset + http->sent;
	return (size_t)got;
}

/* For a connection that turns out to be closed when the body has begun. */
static int seek_body(void *arg, curl_off_t offset, int origin)
{
	struct http *http = arg;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	http->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static int failure_of(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return HTTP_UNREACHABLE;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_NOT_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return HTTP_UNTRUSTED;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_FAIL_REWIND:
		return HTTP_BROKEN;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return HTTP_MALFORMED;
	}
}

/* The reason has parts that the server wrote. */
static int fail(struct http *http, CURLcode result, struct err *err)
{
	char shown[CURL_ERROR_SIZE * 2];
	int code = failure_of(result);

	if (http->refused)
		return err_user_code(err, HTTP_MALFORMED, "%s", http->refused);
	utf8_printable(http->reason[0] ? http->reason : http->curl->easy_strerror(result), shown,
		       sizeof(shown));
	err_user_code(err, code, "%s", shown);
	err->kind = ERR_SYSTEM;
	return code;
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

int http_new(struct http **ret, struct err *err)
{
	const struct curl_functions *curl;
	struct http *http;
	int r = curl_load(&curl, err);

	if (r < 0)
		return r;
	http = calloc(1, sizeof(*http));
	if (!http)
		return err_set(err, -ENOMEM, "prepare a connection");
	http->curl = curl;
	http->multi = curl->multi_init();
	http->easy = curl->easy_init();
	if (!http->multi || !http->easy) {
		http_free(http);
		return err_set(err, -ENOMEM, "prepare a connection");
	}
	*ret = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	http_end(http);
	if (http->easy)
		http->curl->easy_cleanup(http->easy);
	if (http->multi)
		http->curl->multi_cleanup(http->multi);
	free(http);
}

const struct curl_functions *http_curl(const struct http *http)
{
	return http->curl;
}

void http_end(struct http *http)
{
	if (http->running)
		http->curl->multi_remove_handle(http->multi, http->easy);
	http->curl->slist_free_all(take_ptr(http->headers));
	http->running = false;
	http->response = NULL;
	http->begin = http->end = 0;
}

static int add_headers(struct http *http, const struct http_request *request, struct err *err)
{
	/* curl's own of the first two are guesses, and the third costs a second where servers don't know it. */
	static const char *const none[] = { "Content-Type:", "Accept:", "Expect:" };
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < ARRAY_LEN(none) + request->n_headers; i++) {
		const char *text =
			i < ARRAY_LEN(none) ? none[i] : request->headers[i - ARRAY_LEN(none)];

		list = http->curl->slist_append(http->headers, text);
		if (!list)
			return err_set(err, -ENOMEM, "write the request");
		http->headers = list;
	}
	return 0;
}

static void set_body(struct http *http, const struct http_request *request)
{
	const struct curl_functions *curl = http->curl;
	CURL *easy = http->easy;

	if (request->body_fd >= 0) {
		curl->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl->easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
		curl->easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
		curl->easy_setopt(easy, CURLOPT_READDATA, http);
		curl->easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body);
		curl->easy_setopt(easy, CURLOPT_SEEKDATA, http);
		curl->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
	} else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0 &&
		   strcmp(request->method, "DELETE") != 0) {
		curl->easy_setopt(easy, CURLOPT_POST, 1L);
		curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	} else if (!strcmp(request->method, "HEAD")) {
		curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_trust(struct http *http, const struct http_trust *trust)
{
	const struct curl_functions *curl = http->curl;
	CURL *easy = http->easy;

	curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, trust->any ? 0L : 1L);
	curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, trust->any ? 0L : 2L);
	/* It would read them also where they are not asked. */
	if (trust->any || trust->nobody) {
		curl->easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
	} else if (trust->ca_file) {
		curl->easy_setopt(easy, CURLOPT_CAINFO, trust->ca_file);
	}
	if (trust->cert) {
		curl->easy_setopt(easy, CURLOPT_SSLCERT, trust->cert);
		curl->easy_setopt(easy, CURLOPT_SSLKEY, trust->key);
	}
}

static void set_options(struct http *http, const struct http_request *request,
			const struct http_trust *trust)
{
	const struct curl_functions *curl = http->curl;
	CURL *easy = http->easy;
	char agent[64];

	snprintf(agent, sizeof(agent), "tare/%s", tare_version);
	curl->easy_reset(easy);
	curl->easy_setopt(easy, CURLOPT_URL, request->url);
	curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	/* One transfer has a connection to itself, so there is nothing for a newer version to share. */
	curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(easy, CURLOPT_USERAGENT, agent);
	curl->easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, http->reason);
	curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, HTTP_CONNECT_TIMEOUT_S);
	curl->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, HTTP_STALL_TIMEOUT_S);
	curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's */
	curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl->easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, http);
	set_body(http, request);
	set_trust(http, trust);
}

/* Let the transfer go on, and wait if it can't. Return: 0; -errno */
static int go_on(struct http *http, bool wait, struct err *err)
{
	int running, left;
	CURLMsg *message;
	CURLMcode code;

	if (wait)
		(void)http->curl->multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
	code = http->curl->multi_perform(http->multi, &running);
	if (code != CURLM_OK)
		return err_set(err, code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO,
			       "transfer by libcurl (code %d)", (int)code);
	while ((message = http->curl->multi_info_read(http->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		http->done = true;
		http->result = message->data.result;
	}
	return 0;
}

static void reset(struct http *http, const struct http_request *request,
		  struct http_response *response)
{
	http->request = request;
	http->response = response;
	http->header_bytes = 0;
	http->sent = 0;
	http->refused = NULL;
	http->reason[0] = '\0';
	http->headers_done = http->done = http->paused = false;
	http->result = CURLE_OK;
}

int http_send(struct http *http, const struct http_request *request, const struct http_trust *trust,
	      struct http_response *ret, struct err *err)
{
	curl_off_t length = -1;
	int r;

	http_end(http);
	http_response_clear(ret);
	ret->status = 0;
	ret->length = HTTP_LENGTH_UNKNOWN;
	reset(http, request, ret);
	r = add_headers(http, request, err);
	if (r < 0)
		return r;
	set_options(http, request, trust);
	if (http->curl->multi_add_handle(http->multi, http->easy) != CURLM_OK)
		return err_set(err, -ENOMEM, "begin a transfer");
	http->running = true;
	for (bool wait = false; r == 0 && !http->headers_done && !http->done; wait = true)
		r = go_on(http, wait, err);
	if (r < 0)
		return r;
	if (http->refused || !http->headers_done)
		return fail(http, http->done ? http->result : CURLE_WEIRD_SERVER_REPLY, err);
	http->curl->easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length >= 0)
		ret->length = (uint64_t)length;
	return 0;
}

/* Until something is in the caller's buffer, or nothing more comes. */
static int receive(struct http *http, struct err *err)
{
	int r = 0;

	for (bool wait = false; r == 0 && !http->target_len && !http->done; wait = !http->paused) {
		if (http->paused) {
			http->paused = false;
			http->curl->easy_pause(http->easy, CURLPAUSE_CONT);
		}
		r = go_on(http, wait, err);
	}
	return r;
}

static size_t take_waiting(struct http *http, void *buf, size_t size)
{
	size_t n = http->end - http->begin < size ? http->end - http->begin : size;

	memcpy(buf, http->buffer + http->begin, n);
	http->begin += n;
	return n;
}

ssize_t http_read(struct http *http, void *buf, size_t size, struct err *err)
{
	size_t n = take_waiting(http, buf, size);
	int r;

	if (n || !size)
		return (ssize_t)n;
	http->target = buf;
	http->target_size = size;
	r = receive(http, err);
	n = http->target_len;
	http->target = NULL;
	http->target_size = http->target_len = 0;
	if (r < 0)
		return r;
	return n || http->result == CURLE_OK ? (ssize_t)n : fail(http, http->result, err);
}
