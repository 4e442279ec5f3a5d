/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back of image.h: parts of an image's documents as JSON, members in the order of the spec, so the same image is the same bytes. */
#ifndef TARE_SPEC_IMAGE_WRITE_H
#define TARE_SPEC_IMAGE_WRITE_H

#include "base/json_write.h"
#include "spec/image.h"

/*
 * image_process_write() - the "config" of a config
 * @base: the object that @process was read from; what we don't know of it is kept. NULL: none
 */
void image_process_write(struct json_writer *w, const char *key,
			 const struct image_process *process, const struct json *base);

/* image_process_write_all() - as docker's inspect shows it: the common members are there even if they are empty */
void image_process_write_all(struct json_writer *w, const char *key,
			     const struct image_process *process);

/* image_descriptor_write() - with urls, annotations and platform if it has them */
void image_descriptor_write(struct json_writer *w, const char *key,
			    const struct descriptor *descriptor);

/* image_history_write() - one entry of "history" */
void image_history_write(struct json_writer *w, const struct image_history *history);

#endif
