/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reference_parse() with anything: what it takes is read the same again when it is written down, complete or not. */
#include "spec/reference.h"
#include "promise.h"

#include <stdlib.h>
#include <string.h>

static void same_again(struct arena *arena, const struct reference *reference)
{
	struct err err = ERR_INIT;
	struct reference again;
	char *text = reference_text(arena, reference);

	PROMISE(reference_parse(arena, text, &again, &err) == 0);
	PROMISE(strcmp(reference_text(arena, &again), text) == 0);
	PROMISE(!again.registry == !reference->registry && !again.tag == !reference->tag &&
		!again.digest == !reference->digest);
	PROMISE(strlen(reference_name(arena, reference)) <= REFERENCE_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct reference reference;

	if (reference_parse(&arena, arena_strndup(&arena, (const char *)data, size), &reference,
			    &err) < 0) {
		PROMISE(err.code == -EINVAL && err.text[0]);
		return 0;
	}
	same_again(&arena, &reference);
	return 0;
}
