/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"
#include "base/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define TABLE ((uintptr_t)2 << 20)

extern const char _end[];

static bool is_zero(const char *mem, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (mem[i])
			return false;
	}
	return true;
}

/* What one arena held must not be in the next, which gets the same chunk. */
static void test_memory_of_a_cleared_arena_is_given_out_zeroed(void **state)
{
	struct arena one = { 0 }, other = { 0 };
	char *first = arena_alloc(&one, 20000), *second;

	memset(first, 'x', 20000);
	arena_clear(&one);
	assert_null(one.head);
	second = arena_alloc(&other, 20000);
	assert_ptr_equal(second, first);
	assert_true(is_zero(second, 20000));
	arena_clear(&other);
}

/* Of many that are cleared together some are kept, of either size, and the others unmapped. */
static void test_some_chunks_are_kept(void **state)
{
	struct arena arenas[40] = { { 0 } };
	char *texts[40];
	unsigned char resident;
	unsigned kept = 0;

	for (int i = 0; i < 40; i++) {
		texts[i] = arena_alloc(&arenas[i], i % 2 ? 40000 : 16);
		memset(texts[i], 'x', 16);
	}
	for (int i = 0; i < 40; i++)
		arena_clear(&arenas[i]);
	for (int i = 0; i < 40; i++)
		kept += mincore((void *)((uintptr_t)texts[i] & ~(uintptr_t)4095), 4096,
				&resident) == 0;
	assert_in_range(kept, 2, 20);
	for (int i = 0; i < 40; i++)
		assert_true(is_zero(arena_alloc(&arenas[i], i % 2 ? 40000 : 16), 16));
	for (int i = 0; i < 40; i++)
		arena_clear(&arenas[i]);
}

static void test_arenas_alive_at_once_share_nothing(void **state)
{
	struct arena arenas[3] = { { 0 } };
	char *texts[3];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			texts[i] = arena_printf(&arenas[i], "%d", i);
		for (int i = 0; i < 3; i++)
			assert_int_equal(texts[i][0], '0' + i);
		for (int i = 0; i < 3; i++)
			arena_clear(&arenas[i]);
	}
}

static void test_a_large_piece_is_unmapped(void **state)
{
	struct arena arena = { 0 };
	unsigned char resident;
	char *small = arena_alloc(&arena, 16), *large = arena_alloc(&arena, 1 << 20);
	void *page = (void *)((uintptr_t)(large + (1 << 19)) & ~(uintptr_t)4095);

	small[0] = large[(1 << 20) - 1] = 'x';
	assert_int_equal(mincore(page, 4096, &resident), 0);
	arena_clear(&arena);
	assert_int_equal(mincore(page, 4096, &resident), -1);
	assert_int_equal(errno, ENOMEM);
}

static void test_reset_keeps_the_newest_chunk_zeroed(void **state)
{
	struct arena arena = { 0 };
	char *large;

	(void)arena_strdup(&arena, "small");
	large = arena_alloc(&arena, 40000);
	memset(large, 'x', 40000);
	arena_reset(&arena);
	assert_ptr_equal(arena_alloc(&arena, 40000), large);
	assert_true(is_zero(large, 40000));
	arena_clear(&arena);
}

/* Where the kernel put this program says how much room there is: perhaps none. What the tests above took is gone. */
static void test_places_are_beside_the_image_and_different(void **state)
{
	uintptr_t end = (uintptr_t)_end, border = (end + TABLE - 1) & ~(TABLE - 1), place, last = 0;

	while ((place = (uintptr_t)place_beside_image(5000))) {
		assert_int_equal(place % 4096, 0);
		assert_in_range(place, last ? last : end, border - 5000);
		last = place + 8192;
	}
	assert_true(last == 0 || border - last < 8192);
	assert_null(place_beside_image(TABLE));
}

/* At each number it has room for one more, and what was in it. */
static void test_an_array_grows(void **state)
{
	struct arena arena = { 0 };
	unsigned *items = NULL;

	for (size_t n = 0; n < 1000; n++) {
		items = arena_grow(&arena, items, n, sizeof(*items));
		assert_int_equal(items[n], 0);
		items[n] = (unsigned)n + 1;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(items[n], n + 1);
	assert_ptr_equal(arena_grow(&arena, items, 1000, sizeof(*items)), items);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_of_a_cleared_arena_is_given_out_zeroed),
		cmocka_unit_test(test_some_chunks_are_kept),
		cmocka_unit_test(test_arenas_alive_at_once_share_nothing),
		cmocka_unit_test(test_a_large_piece_is_unmapped),
		cmocka_unit_test(test_an_array_grows),
		cmocka_unit_test(test_reset_keeps_the_newest_chunk_zeroed),
		cmocka_unit_test(test_places_are_beside_the_image_and_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
