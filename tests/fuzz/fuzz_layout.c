/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_layout_read() with anything in /proc/self/mountinfo and /proc/self/cgroup, the two parted by a zero byte: what it
 * finds has a mount, a root and a path that can be used.
 */
#include "cgroup/layout.h"
#include "promise.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/tare-fuzz-XXXXXX";
static int self = -1;

static void leave(void)
{
	char text[64];

	unlinkat(self, "mountinfo", 0);
	unlinkat(self, "cgroup", 0);
	snprintf(text, sizeof(text), "%s/proc/self", root);
	rmdir(text);
	snprintf(text, sizeof(text), "%s/proc", root);
	rmdir(text);
	rmdir(root);
}

static void make_tree(void)
{
	char text[64];

	PROMISE(mkdtemp(root));
	snprintf(text, sizeof(text), "%s/proc", root);
	PROMISE(mkdir(text, 0700) == 0);
	snprintf(text, sizeof(text), "%s/proc/self", root);
	PROMISE(mkdir(text, 0700) == 0);
	self = open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atexit(leave);
}

static void put(const char *name, const uint8_t *bytes, size_t size)
{
	int fd = openat(self, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	PROMISE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
	size_t first = zero ? (size_t)(zero - data) : size;
	defer_arena struct arena arena = { 0 };
	struct cgroup_layout layout;
	struct err err = ERR_INIT;

	if (self < 0)
		make_tree();
	put("mountinfo", data, first);
	put("cgroup", zero ? zero + 1 : data, zero ? size - first - 1 : 0);

	if (cgroup_layout_read(&arena, root, &layout, &err) < 0) {
		PROMISE(err.text[0]);
		return 0;
	}
	PROMISE((layout.mode == CGROUP_NONE) == (layout.n == 0));
	for (size_t i = 0; i < layout.n; i++) {
		const struct cgroup_hierarchy *h = &layout.items[i];

		PROMISE(h->mount && h->root && h->controllers && h->own_path);
		PROMISE(h->own_path[0] == '/');
		(void)cgroup_has_controller(h, "memory");
	}
	return 0;
}
