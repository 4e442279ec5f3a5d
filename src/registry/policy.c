/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/policy.h"

#include "base/utf8.h"
#include "registry/config_file.h"

#include <fcntl.h>
#include <string.h>

#define SYSTEM_FILE "/etc/containers/policy.json"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

enum requirement { ACCEPT, REJECT, SIGNATURE, UNKNOWN };

static enum requirement requirement_of(const struct json *entry)
{
	static const struct {
		const char *name;
		enum requirement what;
	} types[] = {
		{ "insecureAcceptAnything", ACCEPT },
		{ "reject", REJECT },
		{ "signedBy", SIGNATURE },
		{ "signedBaseLayer", SIGNATURE },
		{ "sigstoreSigned", SIGNATURE },
	};
	const char *type = json_string(json_member(entry, "type"));

	for (size_t i = 0; type && i < ARRAY_LEN(types); i++) {
		if (!strcmp(types[i].name, type))
			return types[i].what;
	}
	return UNKNOWN;
}

static int fail_at(const char *path, const struct json *value, const char *what, struct err *err)
{
	char pointer[ERR_POINTER_MAX], shown[ERR_POINTER_MAX];

	json_pointer_text(value, pointer, sizeof(pointer));
	utf8_printable(pointer, shown, sizeof(shown));
	return err_user(err, "read \"%s\": \"%s\" %s", path, shown, what);
}

/* A list of requirements; an empty one could mean everything or nothing. */
static int check_list(const char *path, const struct json *list, struct err *err)
{
	const struct json *entry;

	if (list->type != JSON_ARRAY || !list->len)
		return fail_at(path, list, "must be a list of at least one requirement", err);
	json_each(entry, list) {
		if (requirement_of(entry) == UNKNOWN)
			return fail_at(path, entry, "is of no type that is known", err);
	}
	return 0;
}

static int check_transports(const char *path, const struct json *transports, struct err *err)
{
	const struct json *transport, *scope;
	int r;

	if (transports->type != JSON_OBJECT)
		return fail_at(path, transports, "must be an object", err);
	json_each(transport, transports) {
		if (transport->type != JSON_OBJECT)
			return fail_at(path, transport, "must be an object", err);
		json_each(scope, transport) {
			r = check_list(path, scope, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* All of it, also what is not used today: a policy with a slip in it protects nobody. */
static int check_root(const char *path, const struct json *root, struct err *err)
{
	const struct json *member;
	int r = 0;

	if (root->type != JSON_OBJECT)
		return err_user(err, "read \"%s\": it is no JSON object", path);
	if (!json_member(root, "default"))
		return err_user(err, "read \"%s\": \"default\" is missing", path);
	json_each(member, root) {
		if (!strcmp(member->key, "default"))
			r = check_list(path, member, err);
		else if (!strcmp(member->key, "transports"))
			r = check_transports(path, member, err);
		else
			r = fail_at(path, member, "is not known", err);
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_read(struct arena *arena, const char *path, const char *text, size_t len,
		struct policy *ret, struct err *err)
{
	const struct json *root;
	int r = json_parse(arena, text, len, &root, err);

	if (r < 0)
		return err_context(err, "read \"%s\"", path);
	r = check_root(path, root, err);
	if (r == 0)
		*ret = (struct policy){ root, path };
	return r;
}

/* Return: 1 if it is there; 0 if not; -errno */
static int load(struct arena *arena, const char *path, struct policy *ret, struct err *err)
{
	char *text;
	size_t len;
	int r = config_file_read(arena, AT_FDCWD, path, path, POLICY_MAX_BYTES, &text, &len, err);

	if (r <= 0)
		return r;
	r = policy_read(arena, path, text, len, ret, err);
	return r < 0 ? r : 1;
}

int policy_load(struct arena *arena, struct policy *ret, struct err *err)
{
	const char *user = config_user_path(arena, "policy.json");
	int r = 0;

	*ret = (struct policy){ 0 };
	if (user)
		r = load(arena, user, ret, err);
	if (r == 0)
		r = load(arena, SYSTEM_FILE, ret, err);
	return r < 0 ? r : 0;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static int apply(const struct policy *policy, const struct json *list, struct err *err)
{
	const struct json *entry;
	char pointer[ERR_POINTER_MAX], shown[ERR_POINTER_MAX];

	json_each(entry, list) {
		enum requirement what = requirement_of(entry);

		if (what == ACCEPT)
			continue;
		json_pointer_text(entry, pointer, sizeof(pointer));
		utf8_printable(pointer, shown, sizeof(shown));
		if (what == REJECT)
			return err_user_code(err, -EACCES, "\"%s\" rejects it (%s)", policy->path,
					     shown);
		err_user_code(
			err, -EACCES,
			"\"%s\" demands a signature (%s), and signatures can't be checked here",
			policy->path, shown);
		return err_hint(
			err, "check the image with another tool and copy it, or change the policy");
	}
	return 0;
}

/* A scope, then what it is in, part by part. Return: the list of the nearest that has one; NULL */
static const struct json *nearest(struct arena *arena, const struct json *transport,
				  const char *scope)
{
	char *text = arena_strdup(arena, scope), *slash;
	const struct json *list = NULL;

	while (!list && *text) {
		list = json_member(transport, text);
		slash = strrchr(text, '/');
		*(slash ? slash : text) = '\0';
	}
	return list;
}

/* "*.b.c", then "*.c", for the registry a.b.c */
static const struct json *wildcard(struct arena *arena, const struct json *transport,
				   const char *registry)
{
	const struct json *list = NULL;

	for (const char *dot = strchr(registry, '.'); !list && dot; dot = strchr(dot + 1, '.'))
		list = json_member(transport, arena_printf(arena, "*%s", dot));
	return list;
}

static int check(const struct policy *policy, const struct json *transport, const struct json *list,
		 struct err *err)
{
	if (!list)
		list = json_member(transport, "");
	if (!list)
		list = json_member(policy->root, "default");
	return apply(policy, list, err);
}

int policy_check_registry(const struct policy *policy, const struct reference *reference,
			  struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct reference plain = *reference;
	const struct json *transport, *list;

	if (!policy->root)
		return 0;
	transport = json_member(json_member(policy->root, "transports"), "docker");
	/* A scope is a name with a tag or with a digest, and with both it is the digest that counts. */
	if (plain.digest)
		plain.tag = NULL;
	list = json_member(transport, reference_text(&arena, &plain));
	if (!list)
		list = nearest(&arena, transport, reference_name(&arena, &plain));
	if (!list && plain.registry)
		list = wildcard(&arena, transport, plain.registry);
	return check(policy, transport, list, err);
}

int policy_check_file(const struct policy *policy, const char *transport, const char *path,
		      struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const struct json *scopes;

	if (!policy->root)
		return 0;
	scopes = json_member(json_member(policy->root, "transports"), transport);
	return check(policy, scopes, nearest(&arena, scopes, path), err);
}
