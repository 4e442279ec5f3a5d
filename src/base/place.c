/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/place.h"

#include <stdint.h>

/* What one page table maps, on the architectures that we know. */
#define TABLE ((uintptr_t)2 << 20)
#define PAGE  ((uintptr_t)4096)

/* By the linker: the end of the image. The heap begins at a random distance from it. */
extern const char _end[];

void *place_beside_image(size_t size)
{
	static uintptr_t next;
	uintptr_t first = ((uintptr_t)_end + PAGE - 1) & ~(PAGE - 1), start = next ? next : first;
	uintptr_t border = (first + TABLE - 1) & ~(TABLE - 1);

	if (size > border - start)
		return NULL;
	next = start + ((size + PAGE - 1) & ~(PAGE - 1));
	return (void *)start;
}
