/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root and mounts[]. The option words of a mount are kept as written: what they mean is runtime/mount_words.c's
 * business, and a word that nobody knows goes to the filesystem.
 *
 * Spec: config.md "Root", "Mounts"; rows, B-1 to B-8
 */
#include "spec/config_read.h"

static const struct field root_fields[] = {
	{ "path", STRING(struct config_root, path), .flags = REQUIRED | NOT_EMPTY },
	{ "readonly", BOOL(struct config_root, readonly) },
};

const struct object root_object = OBJECT(struct config_root, root_fields, NULL);

static int check_mount(struct decoder *d, const struct json *v, void *out)
{
	const struct config_mount *mount = out;
	int r;

	if (!mount->uid_mappings.n != !mount->gid_mappings.n)
		return decode_fail(
			d, v, "uidMappings and gidMappings go together, one of them is missing");
	r = check_id_maps(d, v, &mount->uid_mappings);
	return r < 0 ? r : check_id_maps(d, v, &mount->gid_mappings);
}

static const struct field mount_fields[] = {
	{ "destination", STRING(struct config_mount, destination), .flags = REQUIRED | NOT_EMPTY },
	{ "source", STRING(struct config_mount, source), .flags = EMPTY_IS_ABSENT },
	{ "type", STRING(struct config_mount, type), .flags = EMPTY_IS_ABSENT },
	{ "options", STRINGS(struct config_mount, options) },
	{ "uidMappings", OBJECTS(struct config_mount, uid_mappings, id_map_object) },
	{ "gidMappings", OBJECTS(struct config_mount, gid_mappings, id_map_object) },
};

const struct object mount_object = OBJECT(struct config_mount, mount_fields, check_mount);
