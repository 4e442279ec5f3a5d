/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record_read() with anything in state.json: an error says something and names no place in config.json; what is accepted
 * has all that the commands rely on.
 */
#include "runtime/record.h"
#include "promise.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char path[] = "/tmp/tare-fuzz-XXXXXX";
static int dir = -1;

static void leave(void)
{
	unlinkat(dir, RECORD_FILE, 0);
	rmdir(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct container c;
	int fd, r;

	if (dir < 0) {
		PROMISE(mkdtemp(path));
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		atexit(leave);
	}
	fd = openat(dir, RECORD_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);

	r = record_read(&arena, dir, RECORD_FILE, &c, &err);
	if (r < 0) {
		PROMISE(r == -EPROTO && err.text[0] && !err.pointer[0] && err.line == 0);
		return 0;
	}
	PROMISE(c.id && c.bundle && c.rootfs && c.created);
	PROMISE(c.status != CONTAINER_PAUSED && c.status != CONTAINER_STOPPED);
	for (size_t i = 0; i < c.n_cgroups; i++)
		PROMISE(c.cgroups[i].path && c.cgroups[i].mount);
	return 0;
}
