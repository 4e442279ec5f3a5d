/* SPDX-License-Identifier: GPL-2.0-or-later */
/* challenge_parse() with anything a server sends: what is read has names and values, and never more than there is room for. */
#include "registry/challenge.h"
#include "promise.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct challenges list = { 0 };
	struct err err = ERR_INIT;
	const char *header = arena_strndup(&arena, (const char *)data, size);

	if (challenge_parse(&arena, header, &list, &err) < 0)
		PROMISE(err.code == -EINVAL && strstr(err.text, "is malformed"));
	PROMISE(list.n <= CHALLENGES_MAX);
	for (size_t i = 0; i < list.n; i++) {
		const struct challenge *c = &list.items[i];

		PROMISE(*c->scheme && c->n <= CHALLENGE_PARAMETERS_MAX);
		PROMISE(challenge_find(&list, c->scheme));
		for (size_t j = 0; j < c->n; j++)
			PROMISE(challenge_parameter(c, c->parameters[j].name) ==
				c->parameters[j].value);
	}
	return 0;
}
