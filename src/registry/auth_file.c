/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/auth_file.h"

#include "base/json_write.h"
#include "base/utf8.h"

#include <nettle/base64.h>
#include <string.h>

/* What docker calls its registry in this file. */
#define DOCKER_KEY "https://index.docker.io/v1/"

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* A key is the registry, with a path or not; docker wrote web addresses, and then the path is no repository's. */
static const char *plain_key(struct arena *arena, const char *key)
{
	const char *host = NULL;

	if (!strncmp(key, "https://", 8))
		host = key + 8;
	else if (!strncmp(key, "http://", 7))
		host = key + 7;
	if (!host)
		return key;
	host = arena_strndup(arena, host, strcspn(host, "/"));
	if (!strcmp(host, "index.docker.io") || !strcmp(host, "registry-1.docker.io"))
		return "docker.io";
	return host;
}

static const struct json *entry_of(struct arena *arena, const struct json *map, const char *key)
{
	const struct json *entry, *exact = json_member(map, key);

	if (exact)
		return exact;
	if (!map || map->type != JSON_OBJECT)
		return NULL;
	json_each(entry, map) {
		if (!strcmp(plain_key(arena, entry->key), key))
			return entry;
	}
	return NULL;
}

const char *auth_helper(const struct json *root, const char *registry)
{
	defer_arena struct arena arena = { 0 };

	return json_string(entry_of(&arena, json_member(root, "credHelpers"), registry));
}

const char *auth_general_helper(const struct json *root)
{
	const char *helper = json_string(json_member(root, "credsStore"));

	return helper && *helper ? helper : NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* "auth": base64 of name:password */
static int decode_auth(struct arena *arena, const char *key, const char *auth,
		       struct credential *ret, struct err *err)
{
	size_t len = strlen(auth), n = BASE64_DECODE_LENGTH(len);
	uint8_t *text = arena_alloc(arena, n + 1);
	struct base64_decode_ctx context;
	char shown[100];
	char *colon;

	base64_decode_init(&context);
	if (!base64_decode_update(&context, &n, text, len, auth) || !base64_decode_final(&context))
		colon = NULL;
	else
		colon = memchr(text, ':', n);
	if (!colon || memchr(text, '\0', n)) {
		utf8_printable(key, shown, sizeof(shown));
		return err_user(
			err,
			"the entry of \"%s\" is malformed: its \"auth\" is no base64 of name:password",
			shown);
	}
	text[n] = '\0';
	*colon = '\0';
	*ret = (struct credential){ .username = (char *)text, .password = colon + 1 };
	return 1;
}

static int read_entry(struct arena *arena, const struct json *entry, struct credential *ret,
		      struct err *err)
{
	const char *token = json_string(json_member(entry, "identitytoken"));
	const char *auth = json_string(json_member(entry, "auth"));
	const char *name = json_string(json_member(entry, "username"));
	const char *password = json_string(json_member(entry, "password"));

	if (token && *token) {
		*ret = (struct credential){ .identity_token = arena_strdup(arena, token) };
		return 1;
	}
	if (auth && *auth)
		return decode_auth(arena, entry->key, auth, ret, err);
	if (!name || !*name || !password)
		return 0;
	*ret = (struct credential){ .username = arena_strdup(arena, name),
				    .password = arena_strdup(arena, password) };
	return 1;
}

int auth_lookup(struct arena *arena, const struct json *root, const char *registry,
		const char *repository, struct credential *ret, struct err *err)
{
	const struct json *auths = json_member(root, "auths"), *entry;
	char *key = repository ? arena_printf(arena, "%s/%s", registry, repository)
			       : arena_strdup(arena, registry);
	char *slash;
	int r;

	for (;;) {
		slash = strrchr(key, '/');
		/* Only a whole registry goes by an address. */
		entry = slash ? json_member(auths, key) : entry_of(arena, auths, key);
		r = entry ? read_entry(arena, entry, ret, err) : 0;
		if (r != 0 || !slash)
			return r;
		*slash = '\0';
	}
}

/* ---- editing ---------------------------------------------------------------------------------------------------- */

static void write_entry(struct json_writer *w, struct arena *arena, const char *registry,
			const struct credential *credential)
{
	const char *user = credential->username ? credential->username : "";
	const char *password = credential->password ? credential->password : "";
	size_t len = strlen(user) + 1 + strlen(password);
	char *text = arena_printf(arena, "%s:%s", user, password);
	char *auth = arena_alloc(arena, BASE64_ENCODE_RAW_LENGTH(len) + 1);

	base64_encode_raw(auth, len, (const uint8_t *)text);
	json_object_begin(w, registry);
	json_add_string(w, "auth", auth);
	if (credential->identity_token)
		json_add_string(w, "identitytoken", credential->identity_token);
	json_object_end(w);
}

/* An entry of the whole registry, under whatever name. One for a part of it stays. */
static bool is_registrys(struct arena *arena, const struct json *entry, const char *registry)
{
	return !strcmp(entry->key, registry) || !strcmp(plain_key(arena, entry->key), registry);
}

static void write_auths(struct json_writer *w, struct arena *arena, const struct json *auths,
			const char *registry, const struct credential *credential)
{
	const struct json *entry;

	json_object_begin(w, "auths");
	if (auths && auths->type == JSON_OBJECT) {
		json_each(entry, auths) {
			if (!is_registrys(arena, entry, registry))
				json_add_value(w, entry->key, entry);
		}
	}
	if (credential)
		write_entry(w, arena, registry, credential);
	json_object_end(w);
}

char *auth_edit(struct arena *arena, const struct json *root, const char *registry,
		const struct credential *credential)
{
	const struct json *auths = json_member(root, "auths"), *member;
	struct json_writer w;

	if (!credential && !entry_of(arena, auths, registry))
		return NULL;
	json_writer_init(&w, arena, 8);
	json_object_begin(&w, NULL);
	if (root) {
		json_each(member, root) {
			if (strcmp(member->key, "auths") != 0)
				json_add_value(&w, member->key, member);
		}
	}
	write_auths(&w, arena, auths, registry, credential);
	json_object_end(&w);
	return json_writer_text(&w, NULL);
}
