/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --format is typed by a person, but what it is applied to comes from images: no template and no document may do harm. */
#include "cli/format.h"
#include "promise.h"

#include <string.h>

static const char document[] =
	"{\"A\":[1,\"b\",null,{\"C\":true}],\"M\":{\"k\":\"v\"},\"S\":\"text\",\"N\":1.5}";

/* The template, a NUL, and a document; without one, ours. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	defer_arena struct arena arena = { 0 };
	const char *text = arena_strndup(&arena, (const char *)bytes, size);
	const char *given = memchr(bytes, '\0', size);
	const struct format *format;
	const struct json *data;
	struct err err = ERR_INIT;
	size_t len;
	char *made;

	if (!given ||
	    json_parse(&arena, given + 1, size - (size_t)(given + 1 - (const char *)bytes), &data,
		       &err) < 0) {
		if (json_parse(&arena, document, strlen(document), &data, &err) < 0)
			__builtin_trap();
	}
	err = ERR_INIT;
	if (format_parse(&arena, text, &format, &err) < 0) {
		PROMISE(err.code == -EINVAL && err.text[0]);
		return 0;
	}
	if (format_apply(format, &arena, data, &made, &len, &err) == 0)
		PROMISE(len <= FORMAT_OUTPUT_MAX);
	else
		PROMISE(err.text[0]);
	return 0;
}
