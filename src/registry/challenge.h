/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WWW-Authenticate: how a server wants to be told who asks. A header can have several challenges, and a response several
 * headers.
 *
 * Spec: RFC 9110 section 11.3, 11.6.1; for Bearer: the registry's token specification
 */
#ifndef TARE_REGISTRY_CHALLENGE_H
#define TARE_REGISTRY_CHALLENGE_H

#include "base/arena.h"
#include "base/err.h"

/* Real ones have one to three challenges with up to four parameters. */
#define CHALLENGES_MAX           8
#define CHALLENGE_PARAMETERS_MAX 16

struct challenge {
	const char *scheme; /* in lower case: "bearer", "basic" */
	struct {
		const char *name, *value; /* name in lower case, value without its quotes */
	} parameters[CHALLENGE_PARAMETERS_MAX];
	size_t n;
};

struct challenges {
	struct challenge items[CHALLENGES_MAX];
	size_t n;
};

/*
 * challenge_parse() - add the challenges of one header
 * @list: zeroed before the first header
 *
 * Return: 0; -EINVAL if it is malformed, has too many of something, or a parameter twice
 */
int challenge_parse(struct arena *arena, const char *header, struct challenges *list,
		    struct err *err) MUST_CHECK;

/* challenge_find() - the first of that scheme (lower case); NULL if there is none */
const struct challenge *challenge_find(const struct challenges *list, const char *scheme);

/* challenge_parameter() - a value by its name (lower case); NULL */
const char *challenge_parameter(const struct challenge *challenge, const char *name);

#endif
