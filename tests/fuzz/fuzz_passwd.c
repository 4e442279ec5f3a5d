/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passwd_home() with anything, for the uid that the first byte says: what it finds is an absolute path out of the file
 * without a separator in it.
 */
#include "runtime/passwd.h"
#include "promise.h"

#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char home[256];
	int r;

	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("passwd", MFD_CLOEXEC);
	PROMISE(ftruncate(fd, 0) == 0 && pwrite(fd, data + 1, size - 1, 0) == (ssize_t)size - 1);
	PROMISE(lseek(fd, 0, SEEK_SET) == 0);

	memset(home, '?', sizeof(home));
	r = passwd_home(fd, data[0], home, sizeof(home));
	if (r == 1) {
		PROMISE(home[0] == '/' && strlen(home) < sizeof(home));
		PROMISE(!strpbrk(home, ":\n"));
		PROMISE(memmem(data + 1, size - 1, home, strlen(home)));
	} else {
		PROMISE(r == 0 && home[0] == '?');
	}
	return 0;
}
