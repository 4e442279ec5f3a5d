/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/place.h"

#include "base/near.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *prefix;
	enum place_kind kind;
} places[] = {
	{ "docker://", PLACE_REGISTRY },
	{ "oci:", PLACE_LAYOUT },
	{ "oci-archive:", PLACE_OCI_ARCHIVE },
	{ "docker-archive:", PLACE_DOCKER_ARCHIVE },
	{ "store:", PLACE_STORE },
};

/* Other places of skopeo's, and what looks like one: a name's first part before a colon has no such word in it. */
static bool is_unknown(const char *text)
{
	static const char *const others[] = { "dir:", "docker-daemon:", "containers-storage:",
					      "sif:", "ostree:",        "tarball:" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (!strncmp(text, others[i], strlen(others[i])))
			return true;
	}
	return strstr(text, "://") != NULL;
}

static int refuse(const char *text, struct err *err)
{
	char word[NEAR_MAX];
	struct near near;

	snprintf(word, sizeof(word), "%.*s", (int)(strcspn(text, ":") + 1), text);
	near_init(&near, word);
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		near_offer(&near, places[i].prefix);
	err_user(err, "\"%s\" is no place that is known here", text);
	return err_hint(err,
			"%s%s%sit is docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], "
			"docker-archive:FILE[:NAME], or store:NAME or a name in the store",
			near.best ? "did you mean " : "", near.best ? near.best : "",
			near.best ? "? " : "");
}

/* Up to the first colon it is a path, as skopeo has it. */
static int split(struct arena *arena, const char *text, const char *rest, struct place *ret,
		 struct err *err)
{
	size_t len = strcspn(rest, ":");

	if (!len)
		return err_user(err, "\"%s\" names no file", text);
	ret->path = arena_strndup(arena, rest, len);
	ret->name = rest[len] ? rest + len + 1 : NULL;
	return ret->name && !*ret->name ? err_user(err, "\"%s\" has an empty name", text) : 0;
}

int place_read(struct arena *arena, const char *text, struct place *ret, struct err *err)
{
	struct place place = { .kind = PLACE_STORE, .name = text };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		size_t len = strlen(places[i].prefix);

		if (strncmp(text, places[i].prefix, len) != 0)
			continue;
		place.kind = places[i].kind;
		place.name = text + len;
		if (place.kind != PLACE_STORE && place.kind != PLACE_REGISTRY)
			r = split(arena, text, text + len, &place, err);
		else if (!*place.name)
			r = err_user(err, "\"%s\" names no image", text);
		if (r == 0)
			*ret = place;
		return r;
	}
	if (is_unknown(text))
		return refuse(text, err);
	*ret = place;
	return 0;
}
