/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was compressed by libarchive, with whatever it was, comes out as it was; what is damaged, cut off or a bomb does not. */
#include "base/defer.h"
#include "image/inflate.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONTENT_BYTES ((size_t)100 * 1000)
#define ROOM_BYTES    ((size_t)4 * 1024 * 1024)

static unsigned char content[CONTENT_BYTES];

static const struct {
	const char *name;
	int (*add)(struct archive *archive);
} methods[] = {
	{ "gzip", archive_write_add_filter_gzip },
	{ "zstd", archive_write_add_filter_zstd },
	{ "bzip2", archive_write_add_filter_bzip2 },
	{ "xz", archive_write_add_filter_xz },
	{ "uncompressed", archive_write_add_filter_none },
};

/* Neither random nor all the same: a bit of both. */
static int make_content(void **state)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(content); i++) {
		x = x * 1664525 + 1013904223;
		content[i] = (unsigned char)(i / 1000 % 2 ? x >> 24 : i / 3000);
	}
	return 0;
}

/* Return: how many bytes it is compressed */
static size_t compress(size_t method, const void *bytes, size_t len, unsigned char *out)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	assert_int_equal(methods[method].add(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
	archive_write_set_bytes_per_block(archive, 0);
	assert_int_equal(archive_write_open_memory(archive, out, ROOM_BYTES, &used), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_pathname(entry, "x");
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, bytes, len), len);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(archive);
	return used;
}

/* A source that gives at most `piece` bytes at a time. */
struct pieces {
	struct stream stream;
	const unsigned char *at;
	size_t left, piece;
};

static ssize_t read_piece(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct pieces *p = (struct pieces *)(void *)stream;
	size_t n = p->left < p->piece ? p->left : p->piece;

	n = n < size ? n : size;
	memcpy(buf, p->at, n);
	p->at += n;
	p->left -= n;
	return (ssize_t)n;
}

struct result {
	int r;
	size_t len;
	struct err err;
	char name[16];
};

static unsigned char *room; /* for what comes out */

static struct result inflate_all(const unsigned char *bytes, size_t len, size_t piece, size_t chunk,
				 uint64_t limit)
{
	struct pieces source = { { read_piece }, bytes, len, piece };
	struct result result = { .err = ERR_INIT };
	struct inflate *inflate = NULL;
	ssize_t n;

	result.r = inflate_new(&source.stream, limit, &inflate, &result.err);
	if (result.r < 0)
		return result;
	strcpy(result.name, inflate_name(inflate));
	while ((n = inflate_read(inflate, room + result.len, chunk, &result.err)) > 0)
		result.len += (size_t)n;
	result.r = (int)n;
	if (n == 0)
		assert_int_equal(inflate_read(inflate, room, chunk, &result.err), 0);
	inflate_free(inflate);
	return result;
}

static void assert_refused(const struct result *result, const char *text)
{
	if (result->r != -EINVAL || !strstr(result->err.text, text))
		fail_msg("%d, \"%s\" instead of \"%s\"", result->r, result->err.text, text);
}

static void assert_content(const struct result *result, size_t times)
{
	if (result->r < 0)
		fail_msg("%s: %s", result->name, result->err.text);
	assert_int_equal(result->len, times * CONTENT_BYTES);
	for (size_t i = 0; i < times; i++)
		assert_memory_equal(room + i * CONTENT_BYTES, content, CONTENT_BYTES);
}

static void test_every_method_in_pieces_of_any_size(void **state)
{
	static const size_t pieces[] = { 1, 4093, SIZE_MAX }, chunks[] = { 1000, 65536 };
	unsigned char *bytes = malloc(ROOM_BYTES);

	for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
		size_t len = compress(m, content, sizeof(content), bytes);

		for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
			for (size_t c = 0; c < ARRAY_LEN(chunks); c++) {
				struct result result =
					inflate_all(bytes, len, pieces[p], chunks[c], UINT64_MAX);

				assert_content(&result, 1);
				assert_string_equal(result.name, methods[m].name);
			}
		}
	}
	free(bytes);
}

static void test_several_members(void **state)
{
	unsigned char *bytes = malloc(3 * ROOM_BYTES);

	for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
		for (size_t piece = 1; piece < 100000; piece = piece * 29 + 3) {
			size_t len = compress(m, content, sizeof(content), bytes);
			struct result result;

			len += compress(m, content, sizeof(content), bytes + len);
			result = inflate_all(bytes, len, piece, 65536, UINT64_MAX);
			assert_content(&result, 2);
		}
	}
	free(bytes);
}

static void test_small_members_and_empty_ones(void **state)
{
	unsigned char *bytes = malloc(ROOM_BYTES);

	for (size_t m = 0; m < 2; m++) {
		for (size_t piece = 1; piece < 40; piece++) {
			size_t len = 0;
			struct result result;

			for (int i = 0; i < 20; i++)
				len += compress(m, content, i % 3 ? (size_t)i : 0, bytes + len);
			result = inflate_all(bytes, len, piece, 64, UINT64_MAX);
			if (result.r < 0)
				fail_msg("%s: %s", result.name, result.err.text);
			assert_int_equal(result.len,
					 1 + 2 + 4 + 5 + 7 + 8 + 10 + 11 + 13 + 14 + 16 + 17 + 19);
		}
	}
	free(bytes);
}

static void test_skippable_frames_are_skipped(void **state)
{
	static const unsigned char skippable[] = {
		0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'
	};
	unsigned char *bytes = malloc(ROOM_BYTES);
	struct result result;
	size_t len;

	memcpy(bytes, skippable, sizeof(skippable));
	len = sizeof(skippable) + compress(1, content, sizeof(content), bytes + sizeof(skippable));
	memcpy(bytes + len, skippable, sizeof(skippable));
	result = inflate_all(bytes, len + sizeof(skippable), SIZE_MAX, 65536, UINT64_MAX);
	assert_content(&result, 1);
	result = inflate_all(bytes, len + sizeof(skippable) - 1, SIZE_MAX, 65536, UINT64_MAX);
	assert_refused(&result, "the zstd data is cut off");
	free(bytes);
}

static void test_zeros_may_follow_and_nothing_else(void **state)
{
	unsigned char *bytes = calloc(2, ROOM_BYTES);
	struct result result;
	size_t len = compress(0, content, sizeof(content), bytes);

	memset(bytes + len, 0, 10240);
	result = inflate_all(bytes, len + 10240, 1000, 65536, UINT64_MAX);
	assert_content(&result, 1);
	bytes[len + 10239] = 0x1f;
	result = inflate_all(bytes, len + 10240, 1000, 65536, UINT64_MAX);
	assert_refused(&result, "something follows the end of the gzip data");
	memcpy(bytes + len, "garbage", 7);
	result = inflate_all(bytes, len + 7, 1000, 65536, UINT64_MAX);
	assert_refused(&result, "something follows the end of the gzip data");
	free(bytes);
}

static void test_what_is_cut_off_is_named(void **state)
{
	unsigned char *bytes = malloc(ROOM_BYTES);

	for (size_t m = 0; m < 4; m++) {
		size_t len = compress(m, content, 5000, bytes);

		for (size_t cut = 1; cut < len - 6; cut += cut < 40 || cut > len - 60 ? 1 : 97) {
			struct result result =
				inflate_all(bytes, len - cut, SIZE_MAX, 65536, UINT64_MAX);

			if (result.r != -EINVAL)
				fail_msg("%s without its last %zu of %zu bytes: %d",
					 methods[m].name, cut, len, result.r);
			if (m < 2)
				assert_refused(&result, "data is cut off");
		}
	}
	free(bytes);
}

static void test_a_flipped_bit_is_found(void **state)
{
	unsigned char *bytes = malloc(ROOM_BYTES);

	for (size_t m = 0; m < 4; m++) {
		size_t len = compress(m, content, sizeof(content), bytes);

		/* In the middle of the data: headers have bits that mean nothing. */
		for (size_t at = len / 4; at < len / 4 * 3; at += len / 20) {
			struct result result;

			bytes[at] ^= 0x10;
			result = inflate_all(bytes, len, SIZE_MAX, 65536, UINT64_MAX);
			/* libarchive's zstd has no checksum: the digest of the content will tell. */
			if (result.r == 0 && (m != 1 || memcmp(room, content, CONTENT_BYTES) == 0))
				fail_msg("%s with bit 4 of byte %zu flipped was taken",
					 methods[m].name, at);
			bytes[at] ^= 0x10;
		}
	}
	free(bytes);
}

static void test_a_bomb_stops_at_the_limit(void **state)
{
	unsigned char *bytes = malloc(ROOM_BYTES);
	struct result result;

	for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
		size_t len = compress(m, content, sizeof(content), bytes);

		result = inflate_all(bytes, len, SIZE_MAX, 1000, CONTENT_BYTES);
		assert_content(&result, 1);
		result = inflate_all(bytes, len, SIZE_MAX, 1000, 10000);
		assert_refused(&result, "it inflates to more than the limit of 10000 bytes");
		assert_true(result.len <= 10000);
	}
	free(bytes);
}

static void test_nothing_and_almost_nothing(void **state)
{
	struct result result = inflate_all((const unsigned char *)"", 0, 1, 10, UINT64_MAX);

	assert_int_equal(result.r, 0);
	assert_string_equal(result.name, "uncompressed");
	result = inflate_all((const unsigned char *)"\x1f\x8b", 2, 1, 10, UINT64_MAX);
	assert_refused(&result, "the gzip data is cut off");
	result = inflate_all((const unsigned char *)"\x1f\x8b\x08\x00xxxxxxxxxxxx", 16, 1, 10,
			     UINT64_MAX);
	assert_refused(&result, "the gzip data is");
	result = inflate_all((const unsigned char *)"BZhx", 4, 1, 10, UINT64_MAX);
	assert_refused(&result, "the bzip2 data is damaged");
}

static ssize_t read_nothing(struct stream *stream, void *buf, size_t size, struct err *err)
{
	return err_set(err, -EIO, "read the download");
}

static void test_an_error_of_the_source_is_passed_on(void **state)
{
	struct stream source = { read_nothing };
	struct inflate *inflate = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(inflate_new(&source, 1, &inflate, &err), -EIO);
	assert_string_equal(err.text, "read the download: input/output error (EIO)");
	assert_null(inflate);
}

static int make_room(void **state)
{
	room = malloc(4 * CONTENT_BYTES + ROOM_BYTES);
	return room ? make_content(state) : -1;
}

static int free_room(void **state)
{
	free(room);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_method_in_pieces_of_any_size),
		cmocka_unit_test(test_several_members),
		cmocka_unit_test(test_small_members_and_empty_ones),
		cmocka_unit_test(test_skippable_frames_are_skipped),
		cmocka_unit_test(test_zeros_may_follow_and_nothing_else),
		cmocka_unit_test(test_what_is_cut_off_is_named),
		cmocka_unit_test(test_a_flipped_bit_is_found),
		cmocka_unit_test(test_a_bomb_stops_at_the_limit),
		cmocka_unit_test(test_nothing_and_almost_nothing),
		cmocka_unit_test(test_an_error_of_the_source_is_passed_on),
	};

	return cmocka_run_group_tests(tests, make_room, free_room);
}
