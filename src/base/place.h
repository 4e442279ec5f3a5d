/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where small mappings go.
 *
 * The kernel's own choice lies far from everything else, and each far place costs a process three page tables: made at the
 * first touch, copied by a clone, taken down at the end. Together that is more than what a small mapping itself costs,
 * and on a virtual machine each table is also told to the host. Beside the program's image the tables are there already.
 */
#ifndef TARE_BASE_PLACE_H
#define TARE_BASE_PLACE_H

#include <stddef.h>

/*
 * place_beside_image() - the address to suggest to mmap() for @size bytes; NULL if there is no room left
 *
 * Only a hint, to be used without MAP_FIXED: where something is already the kernel chooses as always. No place is
 * suggested twice.
 */
void *place_beside_image(size_t size);

#endif
