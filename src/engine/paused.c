/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/paused.h"

#include "os/dir.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define MARK "pausing"

/* Return: fd, locked; -EWOULDBLOCK if somebody has it; -ENOENT if there is none, or it has just gone; -errno */
static int claim(int dir, int flags)
{
	defer_close int fd = openat(dir, MARK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return os_is_still_at(dir, MARK, fd) ? take_fd(&fd) : -ENOENT;
}

int paused_begin(int dir, const char *oci_root, const char *id, struct err *err)
{
	defer_close int mark = -EBADF;
	int r;

	/* Whoever sweeps may take an unlocked one away between our opening and our locking it. */
	do
		mark = claim(dir, O_CREAT);
	while (mark == -ENOENT);
	if (mark == -EWOULDBLOCK)
		return err_user_code(err, -EBUSY, "another commit has container %.12s paused", id);
	if (mark < 0)
		return err_set(err, mark, "note that container %.12s is paused", id);
	r = container_pause(oci_root, id, err);
	if (r < 0) {
		(void)unlinkat(dir, MARK, 0);
		return err_context(err, "pause container %.12s", id);
	}
	return take_fd(&mark);
}

/* Under the mark's lock, and the mark goes last: who dies before that is swept up after. */
static int go_on(int dir, const char *oci_root, const char *id)
{
	defer_arena struct arena arena = { 0 };
	struct err ignored = ERR_INIT;
	struct container c;
	int r = 0;

	if (container_load(&arena, oci_root, id, &c, &ignored) == 0 && c.status == CONTAINER_PAUSED)
		r = container_resume(oci_root, id, &ignored);
	return r < 0 ? r : unlinkat(dir, MARK, 0);
}

void paused_end(int dir, const char *oci_root, const char *id, int fd)
{
	if (fd < 0)
		return;
	(void)!go_on(dir, oci_root, id);
	close(fd);
}

void paused_sweep(int dir, const char *oci_root, const char *id)
{
	defer_close int mark = claim(dir, 0);

	if (mark >= 0)
		(void)!go_on(dir, oci_root, id);
}
