/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar is ambiguous to the eye: after a comma there is either another parameter of the same challenge or the next
 * challenge. What tells them apart is the "=" behind a parameter's name.
 */
#include "registry/challenge.h"

#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

#define TOKEN_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
/* What follows a scheme instead of parameters (RFC 9110 "token68"). */
#define TOKEN68_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="

static const char *skip(const char *at)
{
	return at + strspn(at, " \t");
}

static char *lower_token(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_strndup(arena, text, len);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Behind the opening quote. Return: behind the closing one; NULL if there is none */
static const char *read_quoted(struct arena *arena, const char *at, const char **ret)
{
	char *value = arena_alloc(arena, strlen(at) + 1), *out = value;

	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		*out++ = *at;
	}
	*ret = value;
	return *at ? at + 1 : NULL;
}

/* Is there "name =" at @at? Then where the value begins; else NULL. "a==" is the end of a token68. */
static const char *value_behind(const char *at)
{
	size_t len = strspn(at, TOKEN_CHARS);
	const char *equals = skip(at + len);

	if (!len || *equals != '=')
		return NULL;
	equals = skip(equals + 1);
	return *equals && *equals != '=' && *equals != ',' ? equals : NULL;
}

static const char *read_parameter(struct arena *arena, const char *at, struct challenge *challenge)
{
	const char *name = lower_token(arena, at, strspn(at, TOKEN_CHARS)), *value;
	size_t len;

	if (challenge->n == CHALLENGE_PARAMETERS_MAX || challenge_parameter(challenge, name))
		return NULL;
	at = value_behind(at);
	if (*at == '"') {
		at = read_quoted(arena, at + 1, &value);
	} else {
		len = strspn(at, TOKEN_CHARS);
		value = len ? arena_strndup(arena, at, len) : NULL;
		at = value ? at + len : NULL;
	}
	challenge->parameters[challenge->n].name = name;
	challenge->parameters[challenge->n].value = value;
	challenge->n += at != NULL;
	return at;
}

/* Return: behind the challenge, at a comma or the end; NULL if it is malformed */
static const char *read_challenge(struct arena *arena, const char *at, struct challenge *challenge)
{
	size_t len = strspn(at, TOKEN_CHARS);
	const char *next;

	if (!len)
		return NULL;
	challenge->scheme = lower_token(arena, at, len);
	at = skip(at + len);
	if (!value_behind(at))
		at = skip(at + strspn(at, TOKEN68_CHARS));
	while (value_behind(at)) {
		at = read_parameter(arena, at, challenge);
		if (!at)
			return NULL;
		at = skip(at);
		next = at + strspn(at, ", \t");
		if (*at != ',' || !value_behind(next))
			break;
		at = next;
	}
	return !*at || *at == ',' ? at : NULL;
}

int challenge_parse(struct arena *arena, const char *header, struct challenges *list,
		    struct err *err)
{
	const char *at = header;
	char shown[200];

	for (;;) {
		at += strspn(at, ", \t");
		if (!*at)
			return 0;
		if (list->n == CHALLENGES_MAX)
			break;
		list->items[list->n] = (struct challenge){ 0 };
		at = read_challenge(arena, at, &list->items[list->n]);
		if (!at)
			break;
		list->n++;
	}
	utf8_printable(header, shown, sizeof(shown));
	return err_user(err, "the header \"WWW-Authenticate: %s\" is malformed", shown);
}

const struct challenge *challenge_find(const struct challenges *list, const char *scheme)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->items[i].scheme, scheme))
			return &list->items[i];
	}
	return NULL;
}

const char *challenge_parameter(const struct challenge *challenge, const char *name)
{
	for (size_t i = 0; i < challenge->n; i++) {
		if (!strcmp(challenge->parameters[i].name, name))
			return challenge->parameters[i].value;
	}
	return NULL;
}
