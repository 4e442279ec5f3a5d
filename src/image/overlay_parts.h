/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two ways to mount an overlay share. */
#ifndef TARE_IMAGE_OVERLAY_PARTS_H
#define TARE_IMAGE_OVERLAY_PARTS_H

#include "image/overlay.h"

/* overlay_map_layer() - an idmapped mount of a layer, detached. Return: fd; -EOPNOTSUPP if that can't be done; -errno */
int overlay_map_layer(const char *path, int userns, struct err *err) MUST_CHECK;

/*
 * overlay_mount_old() - as overlay_mount(), for kernels without lowerdir+ (before 6.7), and with layers that must be attached
 * somewhere to be mapped (before 6.15)
 *
 * Return: a detached mount; -EINVAL if the kernel refuses it; -EOPNOTSUPP if it refuses mapped layers; -errno
 */
int overlay_mount_old(const struct overlay *overlay, struct err *err) MUST_CHECK;

/*
 * overlay_view_old() - as overlay_view(), for the same kernels: before 6.15 a detached directory, be it a mapped one or the empty
 * one that makes two of one, is refused as well
 * @layers: its layers, n_layers and user_xattrs are used; userns must be -EBADF
 *
 * Return: a detached mount; -EINVAL if the kernel refuses it; -errno
 */
int overlay_view_old(const struct overlay *layers, const char *top, int userns,
		     struct err *err) MUST_CHECK;

#endif
