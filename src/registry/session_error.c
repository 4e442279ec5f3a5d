/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/session_internal.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* What the registry says of the first error: "MANIFEST_UNKNOWN: manifest unknown". Escaped; empty if it says nothing */
static void own_words(struct session *s, char *buf, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct err ignored = ERR_INIT;
	const struct json *root, *first;
	const char *code, *message;
	char raw[512];
	char *text;
	size_t len;

	buf[0] = '\0';
	if (session_read_all(s, &arena, SESSION_ERROR_MAX_BYTES, &text, &len, &ignored) < 0 ||
	    json_parse(&arena, text, len, &root, &ignored) < 0)
		return;
	first = json_member(root, "errors");
	first = first && first->type == JSON_ARRAY ? json_entry(first, 0) : NULL;
	code = json_string(json_member(first, "code"));
	message = json_string(json_member(first, "message"));
	/* Token servers have OAuth2's form, or none. */
	if (!code)
		code = json_string(json_member(root, "error"));
	if (!message)
		message = json_string(json_member(root, first ? "message" : "error_description"));
	if (!message)
		message = json_string(json_member(root, "details"));
	snprintf(raw, sizeof(raw), "%s%s%s", code ? code : "", code && message ? ": " : "",
		 message ? message : "");
	utf8_printable(raw, buf, size);
}

static int code_of(int status)
{
	switch (status) {
	case 404:
		return -ENOENT;
	case 401:
	case 403:
		return -EACCES;
	case 429:
		return -EBUSY;
	default:
		return -EREMOTEIO;
	}
}

int session_refused(struct session *s, const struct http_response *response, struct err *err)
{
	const char *registry = s->options.endpoint.registry;
	int status = response->status, code = code_of(status);
	char words[600];

	own_words(s, words, sizeof(words));
	session_end(s);
	err_user_code(err, code, "HTTP status %d%s%s", status, words[0] ? ": " : "", words);
	if (status >= 500) {
		err->kind = ERR_SYSTEM;
		return err_hint(err, "the registry has a fault; try again later");
	}
	if (code == -EACCES && s->has_credential)
		return err_hint(
			err,
			"who is logged in at %s may not do this; tare login %s with another name",
			registry, registry);
	if (code == -EACCES)
		return err_hint(err, "tare login %s", registry);
	if (code == -EBUSY)
		return err_hint(
			err, "the registry limits how much is asked of it; wait, or tare login %s",
			registry);
	return code;
}

int session_unreached(const struct session *s, const struct url *url, struct err *err)
{
	const char *registry = s->options.endpoint.registry;

	switch (err->code) {
	case HTTP_UNTRUSTED:
		err_hint(
			err,
			"put the certificate of its authority into /etc/containers/certs.d/%s/ca.crt, or don't check it: --tls-verify=false",
			registry);
		break;
	case HTTP_NOT_TLS:
		err_hint(
			err,
			"if it speaks http and the network is yours: --tls-verify=false, or insecure = true in registries.conf");
		break;
	case HTTP_UNREACHABLE:
		err_hint(err, "is \"%s\" the right name, and is there a network?", url->host);
		break;
	default:
		break;
	}
	return err_context(err, "reach \"%s:%s\"", url->host, url->port);
}
