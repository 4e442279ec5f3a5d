/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option words of a mount: one after another, separated by NUL; the first is a path for
 * path_clean(). Whatever comes, what the steps rely on must hold.
 */
#include "os/path.h"
#include "runtime/mount_words.h"
#include "promise.h"

#include <stdint.h>
#include <string.h>

static void check_path(const char *path)
{
	char *clean = malloc(strlen(path) + 2), *again = malloc(strlen(path) + 3);

	path_clean(path, clean);
	PROMISE(clean[0] == '/');
	PROMISE(!strstr(clean, "//") && !strstr(clean, "/./") && !strstr(clean, "/../"));
	PROMISE(strlen(clean) <= strlen(path) + 1);
	path_clean(clean, again);
	PROMISE(strcmp(clean, again) == 0);
	free(clean);
	free(again);
}

static void check_words(const struct mount_words *words)
{
	/*
	 * One access-time value at most, and only after the field is cleared: anything else is
	 * EINVAL to the kernel.
	 */
	PROMISE(!(words->attr_set & MOUNT_ATTR__ATIME) || words->attr_clr & MOUNT_ATTR__ATIME);
	PROMISE((words->attr_set & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME);
	PROMISE(!(words->attr_set & words->attr_clr & ~(uint64_t)MOUNT_ATTR__ATIME));
	PROMISE(!(words->rec_attr_set & words->rec_attr_clr & ~(uint64_t)MOUNT_ATTR__ATIME));
	PROMISE(__builtin_popcountll(words->propagation & MOUNT_PROPAGATIONS) <= 1);
	PROMISE(!words->data || (words->data[0] && strlen(words->data) < MOUNT_DATA_MAX));
	PROMISE(!words->data == !words->data_word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct mount_words words;
	const char *items[256];
	struct str_list list = { .items = items };
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	check_path(text);
	for (size_t at = strlen(text) + 1; at < size && list.n < ARRAY_LEN(items);
	     at += strlen(text + at) + 1)
		items[list.n++] = text + at;
	if (mount_words_parse(&arena, &list, &words, &err) == 0)
		check_words(&words);
	else
		PROMISE(err.code == -EINVAL && err.text[0]);
	arena_clear(&arena);
	free(text);
	return 0;
}
