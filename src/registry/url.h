/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Web addresses. They are taken apart by libcurl, which also goes where they lead: were they read by two parsers, one could
 * see the registry where the other sees somebody else, and the password would go there.
 */
#ifndef TARE_REGISTRY_URL_H
#define TARE_REGISTRY_URL_H

#include "base/arena.h"
#include "registry/curl.h"

#include <stdbool.h>

/* What a registry redirects to has signatures in it; the longest known have some 2 KiB. */
#define URL_MAX_BYTES ((size_t)16 * 1024)

struct url {
	const char *text; /* the whole of it, without a fragment */
	const char *host; /* in lower case; an IPv6 address in brackets */
	const char *port; /* always given: "443" */
	bool https;       /* else http */
};

/*
 * url_resolve() - read an address, perhaps relative to another
 * @base: borrowed; NULL: @text must be complete
 *
 * Refuses what is neither http nor https, and names and passwords in it.
 * Return: 0; -EINVAL
 */
int url_resolve(const struct curl_functions *curl, struct arena *arena, const struct url *base,
		const char *text, struct url *ret, struct err *err) MUST_CHECK;

/* url_same_origin() - do they lead to the same server: scheme, host and port */
bool url_same_origin(const struct url *a, const struct url *b);

/* url_is_loopback() - does it lead to this machine, whatever the network does: localhost, 127.0.0.0/8, ::1 */
bool url_is_loopback(const char *host);

/* url_with() - @url and "?key=value" or "&key=value", with @value encoded (RFC 3986 section 2); in @arena */
char *url_with(struct arena *arena, const char *url, const char *key, const char *value);

/* url_form_add() - "key=value" behind @form, which may be "", for a body application/x-www-form-urlencoded */
char *url_form_add(struct arena *arena, const char *form, const char *key, const char *value);

#endif
