/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What layer.c (which entry, where, what was there) and layer_node.c (one node and its attributes) share. */
#ifndef TARE_IMAGE_LAYER_INTERNAL_H
#define TARE_IMAGE_LAYER_INTERNAL_H

#include "image/layer.h"

#include <archive.h>
#include <archive_entry.h>

/* Where an entry goes. */
struct place {
	int parent; /* O_PATH, borrowed */
	const char *name;
};

/*
 * layer_node_make() - make the node of @entry, which is no directory and no hard link, with its content and attributes
 * Return: 0, also if it was left out; -EEXIST if something is at its place, and then nothing was read of @archive; -errno
 */
int layer_node_make(struct archive *archive, struct archive_entry *entry, const struct place *place,
		    const struct layer_options *options, struct layer_result *result,
		    struct err *err) MUST_CHECK;

/* layer_node_attributes() - of what is there: owner, mode, extended attributes and access ACL; and times, unless it is a directory */
int layer_node_attributes(struct archive_entry *entry, const struct place *place,
			  const struct layer_options *options, struct layer_result *result,
			  struct err *err) MUST_CHECK;

/* layer_node_times() - the times of @entry for an open node */
int layer_node_times(struct archive_entry *entry, struct timespec ret[2]);

#define LAYER_DEFAULT_ACL "system.posix_acl_default"
/* Some five hundred entries; ext4 takes fewer. */
#define LAYER_ACL_MAX 4096

/* layer_node_default_acl() - a directory's, as the kernel's attribute has it. @buf: LAYER_ACL_MAX bytes. Return: its length; 0 */
size_t layer_node_default_acl(struct archive_entry *entry, unsigned char *buf,
			      struct layer_result *result);

/* layer_acl_encode() - the ACL of a kind as the kernel's attribute has it. Return: its length; 0 if there is none; -EINVAL */
int layer_acl_encode(struct archive_entry *entry, int type, unsigned char *buf,
		     size_t size) MUST_CHECK;

#endif
