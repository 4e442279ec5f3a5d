/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subids_read() with anything: every range is one that the kernel could map, and no more of them than it takes. */
#include "runtime/subids.h"
#include "promise.h"

#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct subid_list list;
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("subids", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	PROMISE(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);

	PROMISE(subids_read(&arena, path, "web", 1000, &list) == 0);
	PROMISE(list.n <= SUBIDS_MAX);
	for (size_t i = 0; i < list.n; i++) {
		PROMISE(list.items[i].count > 0);
		PROMISE(list.items[i].count - 1 <= UINT32_MAX - list.items[i].start);
	}
	return 0;
}
