/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore: look whether there is an image, then create from it. */
#include "runtime/container.h"

#include "os/file.h"
#include "runtime/criu.h"
#include "runtime/criu_mounts.h"

#include <fcntl.h>

/* Three names of pipes or files. */
#define DESCRIPTORS_MAX ((size_t)64 * 1024)

static int read_descriptors(struct arena *arena, struct restore_options *o, struct err *err)
{
	defer_close int fd =
		openat(o->image_dir, CRIU_DESCRIPTORS, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text;
	int r;

	if (fd < 0 && errno == ENOENT) {
		err_user_code(
			err, -ENOENT,
			"\"%s\" holds no image of a container: there is no \"" CRIU_DESCRIPTORS
			"\"",
			o->image_path);
		return err_hint(err, "give the --image-path of a checkpoint without --pre-dump");
	}
	r = fd < 0 ? -errno : os_file_read(arena, fd, DESCRIPTORS_MAX, &text, &o->descriptors_len);
	if (r < 0)
		return err_set(err, r, "read \"%s/" CRIU_DESCRIPTORS "\"", o->image_path);
	o->descriptors = text;
	return 0;
}

static int open_dirs(struct restore_options *o, struct err *err)
{
	o->image_dir = open(o->image_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->image_dir < 0)
		return err_sys(err, "open the image directory \"%s\"", o->image_path);
	o->work_dir = criu_open_work(o->work_path, o->image_dir, err);
	return o->work_dir < 0 ? o->work_dir : 0;
}

int container_restore(const char *root, struct create_options *options,
		      struct restore_options *restore, const struct trace_options *trace,
		      struct container_started *ret, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	int r;

	r = container_id_check(options->id, err);
	if (r < 0)
		return r;
	restore->image_dir = restore->work_dir = -EBADF;
	restore->state_dir = arena_printf(&arena, "%s/%s", root, options->id);
	r = open_dirs(restore, err);
	if (r == 0)
		r = read_descriptors(&arena, restore, err);
	if (r == 0) {
		options->run = true;
		options->restore = restore;
		r = container_create(root, options, -EBADF, trace, ret, err);
	}
	defer_close_fn(&restore->image_dir);
	defer_close_fn(&restore->work_dir);
	return r;
}
