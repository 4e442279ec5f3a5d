/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/url.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* One part, copied. Return: NULL if it is not there */
static char *part(const struct curl_functions *curl, struct arena *arena, CURLU *url,
		  CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl->url_get(url, what, &text, flags) != CURLUE_OK || !text)
		return NULL;
	copy = arena_strdup(arena, text);
	curl->free(text);
	return copy;
}

static char *lower(char *text)
{
	for (char *c = text; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

static const char *take_apart(const struct curl_functions *curl, struct arena *arena, CURLU *url,
			      struct url *ret)
{
	const char *scheme = part(curl, arena, url, CURLUPART_SCHEME, 0);

	ret->host = lower(part(curl, arena, url, CURLUPART_HOST, 0));
	ret->port = part(curl, arena, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!scheme || !ret->host || !*ret->host || !ret->port)
		return "it is not complete";
	ret->https = !strcmp(scheme, "https");
	if (!ret->https && strcmp(scheme, "http") != 0)
		return "it is neither http nor https";
	if (part(curl, arena, url, CURLUPART_USER, 0) ||
	    part(curl, arena, url, CURLUPART_PASSWORD, 0))
		return "it has a user's name in it";
	(void)curl->url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	ret->text = part(curl, arena, url, CURLUPART_URL, 0);
	return ret->text ? NULL : "it is not complete";
}

int url_resolve(const struct curl_functions *curl, struct arena *arena, const struct url *base,
		const char *text, struct url *ret, struct err *err)
{
	CURLU *url = curl->url();
	const char *why = "it is malformed";
	char shown[200];
	struct url read;

	if (!url)
		return err_set(err, -ENOMEM, "read a web address");
	if (strlen(text) > URL_MAX_BYTES)
		why = "it is too long";
	else if ((!base || curl->url_set(url, CURLUPART_URL, base->text, 0) == CURLUE_OK) &&
		 curl->url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
		why = take_apart(curl, arena, url, &read);
	curl->url_cleanup(url);
	if (why) {
		utf8_printable(text, shown, sizeof(shown));
		return err_user(err, "the address \"%s\" can't be used: %s", shown, why);
	}
	*ret = read;
	return 0;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && !strcmp(a->host, b->host) && !strcmp(a->port, b->port);
}

bool url_is_loopback(const char *host)
{
	struct in_addr address;

	if (!strcmp(host, "localhost") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static char *encode(struct arena *arena, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";
	char *text = arena_alloc(arena, strlen(value) * 3 + 1), *out = text;

	for (const char *c = value; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._~", *c)) {
			*out++ = *c;
			continue;
		}
		*out++ = '%';
		*out++ = digits[(unsigned char)*c >> 4];
		*out++ = digits[*c & 15];
	}
	return text;
}

char *url_with(struct arena *arena, const char *url, const char *key, const char *value)
{
	return arena_printf(arena, "%s%c%s=%s", url, strchr(url, '?') ? '&' : '?', key,
			    encode(arena, value));
}

char *url_form_add(struct arena *arena, const char *form, const char *key, const char *value)
{
	return arena_printf(arena, "%s%s%s=%s", form, *form ? "&" : "", key, encode(arena, value));
}
