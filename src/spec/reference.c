/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read from the end: a digest stands behind the last "@", a tag behind a ":" after the last "/". What is left is a name, and
 * its first part may be a registry.
 */
#include "spec/reference.h"

#include "spec/digest.h"

#include <ctype.h>
#include <string.h>

#define DOCKER_REGISTRY "docker.io"
/* What people and old credentials call it; the same registry under other names would be two images. */
static const char *const docker_aliases[] = { "index.docker.io", "registry-1.docker.io",
					      "registry.hub.docker.com" };

#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- parts ------------------------------------------------------------------------------------------------------ */

bool reference_tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	return len && len <= REFERENCE_TAG_MAX && strspn(tag, LETTERS DIGITS "_.-") == len &&
	       tag[0] != '.' && tag[0] != '-';
}

/* One part of a path: runs of letters and digits, between them one ".", one or two "_", or any number of "-". */
static bool is_path_part(const char *part, size_t len)
{
	const char *end = part + len;
	size_t n;

	for (;;) {
		n = strspn(part, LOWER DIGITS);
		if (!n)
			return false;
		part += n;
		if (part >= end)
			return part == end;
		if (*part == '.')
			part++;
		else if (*part == '_')
			part += part[1] == '_' ? 2 : 1;
		else if (*part == '-')
			part += strspn(part, "-");
		else
			return false;
	}
}

static int check_path(const char *path, struct err *err)
{
	for (const char *part = path;; part++) {
		size_t len = strcspn(part, "/");

		if (!len)
			return err_user(err, "a part of its name is empty");
		if (!is_path_part(part, len)) {
			err_user(err, "\"%.*s\" can't be part of its name", (int)len, part);
			if (strcspn(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < len)
				err_hint(err, "names of images are in lower case");
			return err->code;
		}
		part += len;
		if (!*part)
			return 0;
	}
}

/* Labels of letters, digits and inner "-", with dots between them; an IPv4 address is one, too. */
static bool is_host_name(const char *host, size_t len)
{
	const char *end = host + len;

	for (;;) {
		size_t n = strspn(host, LETTERS DIGITS "-");

		if (!n || host[0] == '-' || host[n - 1] == '-')
			return false;
		host += n;
		if (host >= end)
			return true;
		if (*host++ != '.')
			return false;
	}
}

static bool is_port(const char *port)
{
	size_t len = strlen(port);

	return len && len <= 5 && strspn(port, DIGITS) == len;
}

static int check_registry(const char *registry, struct err *err)
{
	bool bracketed = registry[0] == '[';
	size_t len = bracketed ? strcspn(registry, "]") : strcspn(registry, ":");
	const char *rest = registry + len + (bracketed && registry[len]);

	if (bracketed &&
	    (!registry[len] || strspn(registry + 1, DIGITS "abcdefABCDEF:.") + 1 != len))
		return err_user(err, "\"%s\" is no address of a registry", registry);
	if (!bracketed && !is_host_name(registry, len))
		return err_user(err, "\"%s\" is no name of a registry", registry);
	if (*rest && (*rest != ':' || !is_port(rest + 1)))
		return err_user(err, "\"%s\" has no valid port", registry);
	return 0;
}

static bool looks_like_a_registry(const char *part, size_t len)
{
	size_t local = strlen(REFERENCE_LOCAL_REGISTRY);

	return memchr(part, '.', len) || memchr(part, ':', len) || part[0] == '[' ||
	       (len == local && !memcmp(part, REFERENCE_LOCAL_REGISTRY, len));
}

static const char *canonical_registry(const char *registry)
{
	for (size_t i = 0; i < ARRAY_LEN(docker_aliases); i++) {
		if (!strcmp(registry, docker_aliases[i]))
			return DOCKER_REGISTRY;
	}
	return registry;
}

/* ---- whole ------------------------------------------------------------------------------------------------------ */

static int split_digest(char *name, struct reference *ref, struct err *err)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;
	char *at = strrchr(name, '@');

	if (!at)
		return 0;
	*at = '\0';
	ref->digest = at + 1;
	if (digest_parse(ref->digest, &algorithm, &hex, &why) < 0)
		return err_user(err, "\"%s\" is no digest: %s", ref->digest, why);
	return 0;
}

static int split_tag(char *name, struct reference *ref, struct err *err)
{
	char *slash = strrchr(name, '/'), *colon = strchr(slash ? slash : name, ':');

	if (!colon)
		return 0;
	*colon = '\0';
	ref->tag = colon + 1;
	if (!reference_tag_is_valid(ref->tag))
		return err_user(
			err, "\"%s\" is no tag: up to %d letters, digits, \"_\", \".\" and \"-\"",
			ref->tag, REFERENCE_TAG_MAX);
	return 0;
}

static int split_name(char *name, struct reference *ref, struct err *err)
{
	char *slash = strchr(name, '/');

	ref->path = name;
	if (slash && looks_like_a_registry(name, (size_t)(slash - name))) {
		*slash = '\0';
		if (check_registry(name, err) < 0)
			return err->code;
		ref->registry = canonical_registry(name);
		ref->path = slash + 1;
	}
	/* It would be taken for an id, which is how images are named otherwise. */
	if (!ref->registry && strlen(name) == 64 && strspn(name, DIGITS "abcdef") == 64)
		return err_user(err, "64 hexadecimal digits are an id and no name");
	return check_path(ref->path, err);
}

int reference_parse(struct arena *arena, const char *text, struct reference *ret, struct err *err)
{
	char *name = arena_strdup(arena, text);
	struct reference ref = { 0 };
	int r;

	r = *text ? 0 : err_user(err, "it is empty");
	if (!strncmp(text, "http://", 7) || !strncmp(text, "https://", 8)) {
		r = err_user(err, "it is a web address");
		err_hint(err, "leave the \"%.*s\" out", (int)(strchr(text, '/') - text) + 2, text);
	}
	if (r == 0)
		r = split_digest(name, &ref, err);
	if (r == 0)
		r = split_tag(name, &ref, err);
	if (r == 0 && strlen(name) > REFERENCE_NAME_MAX)
		r = err_user(err, "its name is longer than %d characters", REFERENCE_NAME_MAX);
	if (r == 0)
		r = split_name(name, &ref, err);
	if (r < 0)
		return err_context(err, "\"%s\" names no image", text);
	*ret = ref;
	return 0;
}

void reference_complete(struct arena *arena, struct reference *reference)
{
	if (!reference->tag && !reference->digest)
		reference->tag = "latest";
	if (reference->registry && !strcmp(reference->registry, DOCKER_REGISTRY) &&
	    !strchr(reference->path, '/'))
		reference->path = arena_printf(arena, "library/%s", reference->path);
}

char *reference_name(struct arena *arena, const struct reference *reference)
{
	return arena_printf(arena, "%s%s%s", reference->registry ? reference->registry : "",
			    reference->registry ? "/" : "", reference->path);
}

char *reference_text(struct arena *arena, const struct reference *reference)
{
	return arena_printf(arena, "%s%s%s%s%s", reference_name(arena, reference),
			    reference->tag ? ":" : "", reference->tag ? reference->tag : "",
			    reference->digest ? "@" : "",
			    reference->digest ? reference->digest : "");
}

bool reference_is_local(const struct reference *reference)
{
	return reference->registry && !strcmp(reference->registry, REFERENCE_LOCAL_REGISTRY);
}
