/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the name of an image to a bundle that the runtime can start: find the image, make the container's directory, unpack
 * the layers that are not there yet, mount the overlay, write config.json. What each step did is kept, so that --explain and
 * --trace can show it in one list with the runtime's own steps.
 */
#ifndef TARE_ENGINE_LAUNCH_H
#define TARE_ENGINE_LAUNCH_H

#include "engine/containers.h"
#include "engine/settings.h"
#include "image/image.h"
#include "image/layers.h"
#include "image/overlay.h"
#include "runtime/container.h"

/* A step a layer, and some for all that is not layers */
#define LAUNCH_STEPS_MAX (2 * OVERLAY_LAYERS_MAX + 64)

struct launch {
	/* given by the caller; borrowed */
	struct roots roots;
	struct settings settings;
	const char *image_name; /* as it was typed; NULL: rootfs_dir is the root */
	const char *rootfs_dir; /* absolute */
	const struct platform *wanted;
	bool auto_remove;
	struct log_choice log; /* driver NULL: it runs in the foreground */
	struct restart_choice restart;
	bool open_stdin;          /* in the background what it reads stays open */
	bool only_make;           /* it is not started now */
	bool no_files;            /* the config names no files of the container's directory */
	layers_unpack_fn *unpack; /* NULL: an image whose layers are not there yet is not run */
	void (*warn)(void *to, const char *text);
	void *to;
	/* made by launch_prepare() */
	struct arena arena;
	struct image image;
	struct container_dir dir;
	struct container_record record;
	bool user_xattrs;      /* overlayfs's attributes are a user's */
	const char **layers;   /* directories of the image's layers, the lowest first */
	const char *top_layer; /* whose root directory's owner and mode the container's has */
	int root;              /* the root filesystem: a detached mount, or a directory; owned */
	bool root_is_mount;    /* the former */
	bool again;            /* it was made before */
	struct id_map map;     /* of --userns; size 0: none */
	struct image_process
		asked; /* how the image is to be run, with what was asked for instead */
	char *config;
	size_t config_len;
	struct trace_span *steps; /* what was done, for people */
	const char **reasons;     /* why, one a step */
	size_t n_steps;
};

/* What launch_prepare() returns of an image that is not unpacked, where nobody could do it */
enum { LAUNCH_LACKS_LAYER = 2 };

/*
 * launch_prepare() - all up to the runtime's start
 *
 * On failure nothing is left but layers that were unpacked, which are the store's.
 * Return: 0; LAUNCH_LACKS_LAYER, and nothing was made, if a layer is not unpacked and there is nobody who could;
 *         -ENOENT if the image is not in the store; -errno
 */
int launch_prepare(struct launch *launch, struct err *err) MUST_CHECK;

/*
 * launch_again() - the same for a container that was made before and does not run
 * @launch: roots, unpack, warn and to are given
 * @lock:   of its directory, if this process has it already, and it is taken; else -EBADF
 *
 * What it has written is there as it was. On failure nothing has changed.
 * Return: 0; LAUNCH_LACKS_LAYER; -EBUSY if somebody runs or changes it; -ENOENT; -errno
 */
int launch_again(struct launch *launch, const char *id, int lock, struct err *err) MUST_CHECK;

/*
 * launch_finish() - the container has ended with @status, or could not be started (@status < 0)
 *
 * With --rm, or if it could not be started, nothing of it is left.
 */
int launch_finish(struct launch *launch, int status, struct err *err) MUST_CHECK;

void launch_clear(struct launch *launch);

#endif
