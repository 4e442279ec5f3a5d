/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts_load() with anything: an error says something; what is accepted is printed and read back as the same. */
#include "runtime/facts.h"
#include "promise.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct facts facts, again;
	char *text, *text_again;
	int r;

	r = facts_load(&arena, (const char *)data, size, &facts, &err);
	if (r < 0) {
		PROMISE(err.code == r && err.text[0]);
		return 0;
	}
	text = facts_print(&arena, &facts);
	PROMISE(facts_load(&arena, text, strlen(text), &again, &err) == 0);
	text_again = facts_print(&arena, &again);
	PROMISE(strcmp(text, text_again) == 0);
	return 0;
}
