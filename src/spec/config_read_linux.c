/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux: namespaces, ids, devices, paths, sysctl. resources, seccomp, memoryPolicy and intelRdt are files of their own.
 *
 * Spec: config-linux.md; rows L-2 to L-27, G-1 to G-3
 */
#include "spec/config_read.h"

#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

/* ---- namespaces --------------------------------------------------------------------------------------------- */

struct namespace_entry {
	int type; /* enum ns_type */
	const char *path;
};

static const struct field namespace_fields[] = {
	{ "type", WORD(struct namespace_entry, type, words_namespace), .flags = REQUIRED },
	{ "path", STRING(struct namespace_entry, path), .flags = ABSOLUTE | EMPTY_IS_ABSENT },
};

static const struct object namespace_object =
	OBJECT(struct namespace_entry, namespace_fields, NULL);

/* The file has a list, the config an array by type. */
static int decode_namespaces(struct decoder *d, const struct json *v, void *out)
{
	struct config_namespace *namespaces = out, *ns;
	const struct json *entry;
	int r;

	if (v->type != JSON_ARRAY)
		return decode_fail(d, v, "expected an array, got %s", decode_got(d, v));
	json_each(entry, v) {
		struct namespace_entry e = { 0 };

		r = decode_object(d, &namespace_object, entry, &e);
		if (r < 0)
			return r;
		ns = &namespaces[e.type];
		if (ns->mode != NS_ABSENT)
			return decode_fail(d, entry, "the %s namespace is there twice, first as %s",
					   ns_names[e.type], ns->pointer);
		ns->mode = e.path ? NS_JOIN : NS_NEW;
		ns->path = e.path;
		ns->pointer = json_pointer(d->arena, entry);
	}
	return 0;
}

/* ---- ids ---------------------------------------------------------------------------------------------------- */

static int check_id_map(struct decoder *d, const struct json *v, void *out)
{
	const struct id_map *map = out;

	/* The kernel counts up to, but not with, 4294967295. */
	if (map->size > UINT32_MAX - map->container_id || map->size > UINT32_MAX - map->host_id)
		return decode_fail(d, v, "the range goes beyond the last id");
	return 0;
}

static const struct field id_map_fields[] = {
	{ "containerID", U32(struct id_map, container_id), .flags = REQUIRED | NOT_MINUS_ONE },
	{ "hostID", U32(struct id_map, host_id), .flags = REQUIRED | NOT_MINUS_ONE },
	{ "size", U32(struct id_map, size), .flags = REQUIRED, .min = 1 },
};

const struct object id_map_object = OBJECT(struct id_map, id_map_fields, check_id_map);

/* ---- time --------------------------------------------------------------------------------------------------- */

static const struct field offset_fields[] = {
	{ "secs", I64(struct config_time_offset, secs) },
	{ "nanosecs", U32(struct config_time_offset, nanosecs), .max = 999999999 },
};

static const struct object offset_object = OBJECT(struct config_time_offset, offset_fields, NULL);

static const struct field time_offsets_fields[] = {
	{ "monotonic", SECTION(struct config_linux, monotonic, offset_object), .flags = MARKS_SET },
	{ "boottime", SECTION(struct config_linux, boottime, offset_object), .flags = MARKS_SET },
};

static const struct object time_offsets_object =
	OBJECT(struct config_linux, time_offsets_fields, NULL);

/* ---- devices ------------------------------------------------------------------------------------------------ */

static uint32_t file_type(char device_type)
{
	return device_type == 'b' ? S_IFBLK : device_type == 'p' ? S_IFIFO : S_IFCHR;
}

/* JSON has no octal, so a mode like 666 is nearly always 0666 written by a person. */
static int check_file_mode(struct decoder *d, const struct json *v, uint32_t mode)
{
	uint32_t meant = 0, shift = 0;

	if (mode <= 0777)
		return 0;
	decode_fail(d, v, "expected permissions from 0 to 511, got %u", mode);
	for (; mode && mode % 10 <= 7 && shift < 9; mode /= 10, shift += 3)
		meant |= mode % 10 << shift;
	if (!mode)
		err_hint(d->err, "JSON has no octal numbers: 0%o is %u", meant, meant);
	return -EINVAL;
}

static int check_device(struct decoder *d, const struct json *v, void *out)
{
	struct config_device *device = out;
	const struct json *major = json_member(v, "major"), *minor = json_member(v, "minor");

	if (device->type != 'p' &&
	    (!major || major->type == JSON_NULL || !minor || minor->type == JSON_NULL))
		return decode_fail(d, v, "device %s needs major and minor", device->path);
	/* podman writes st_mode as it is, with the file's type in it. */
	if ((device->file_mode.v & S_IFMT) == file_type(device->type))
		device->file_mode.v &= ~(uint32_t)S_IFMT;
	if (device->file_mode.set)
		return check_file_mode(d, json_member(v, "fileMode"), device->file_mode.v);
	return 0;
}

static const struct field device_fields[] = {
	{ "type", WORD(struct config_device, type, words_device_type), .flags = REQUIRED },
	{ "path", STRING(struct config_device, path), .flags = REQUIRED | ABSOLUTE },
	{ "major", U32(struct config_device, major), .max = DEVICE_MAJOR_MAX },
	{ "minor", U32(struct config_device, minor), .max = DEVICE_MINOR_MAX },
	{ "fileMode", OPT_U32(struct config_device, file_mode) },
	{ "uid", U32(struct config_device, uid), .flags = NOT_MINUS_ONE },
	{ "gid", U32(struct config_device, gid), .flags = NOT_MINUS_ONE },
};

static const struct object device_object =
	OBJECT(struct config_device, device_fields, check_device);

/* ---- network devices ---------------------------------------------------------------------------------------- */

static bool is_device_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strcmp(name, ".") && strcmp(name, "..") &&
	       !strpbrk(name, "/: \t\n\v\f\r");
}

/* The kernel fills in a number for one %d, and takes no other %. */
static bool is_new_name(const char *name)
{
	const char *percent = strchr(name, '%');

	return is_device_name(name) &&
	       (!percent || (percent[1] == 'd' && !strchr(percent + 1, '%')));
}

static int check_net_device(struct decoder *d, const struct json *v, void *out)
{
	const struct config_net_device *device = out;
	bool is_there = is_device_name(device->host_name) && !strchr(device->host_name, '%');
	const char *bad = !is_there                                    ? device->host_name
			  : device->name && !is_new_name(device->name) ? device->name
								       : NULL;

	if (!bad)
		return 0;
	return decode_fail(d, v, "\"%.40s\" can't be the name of a network device", bad);
}

static const struct field net_device_fields[] = {
	{ "name", STRING(struct config_net_device, name), .flags = EMPTY_IS_ABSENT },
};

static const struct object net_device_object =
	OBJECT(struct config_net_device, net_device_fields, check_net_device);

/* ---- personality -------------------------------------------------------------------------------------------- */

/* The spec has the property, but no flag yet. */
static int decode_no_flags(struct decoder *d, const struct json *v, void *out)
{
	if (v->type != JSON_ARRAY)
		return decode_fail(d, v, "expected an array, got %s", decode_got(d, v));
	return v->len ? decode_fail(d, v->first, "there is no flag of this kind") : 0;
}

static const struct field personality_fields[] = {
	{ "domain", WORD(struct config_linux, personality.domain, words_personality),
	  .flags = REQUIRED },
	{ "flags", CUSTOM(struct config_linux, personality, decode_no_flags) },
};

static int mark_personality(struct decoder *d, const struct json *v, void *out)
{
	struct config_linux *config = out;

	config->personality.set = true;
	return 0;
}

static const struct object personality_object =
	OBJECT(struct config_linux, personality_fields, mark_personality);

/* ---- linux -------------------------------------------------------------------------------------------------- */

static int check_propagation(struct decoder *d, const struct json *v, void *out)
{
	uint64_t value;

	if (words_find(&words_propagation, v->text, &value))
		return 0;
	return decode_fail(d, v, "%s is not %s", decode_got(d, v), words_propagation.what);
}

static int check_linux(struct decoder *d, const struct json *v, void *out)
{
	const struct config_linux *config = out;
	int r;

	r = check_id_maps(d, json_member(v, "uidMappings"), &config->uid_mappings);
	return r < 0 ? r : check_id_maps(d, json_member(v, "gidMappings"), &config->gid_mappings);
}

static const struct field linux_fields[] = {
	{ "namespaces", CUSTOM(struct config_linux, namespaces, decode_namespaces) },
	{ "uidMappings", OBJECTS(struct config_linux, uid_mappings, id_map_object) },
	{ "gidMappings", OBJECTS(struct config_linux, gid_mappings, id_map_object) },
	{ "timeOffsets", GROUP(time_offsets_object) },
	{ "devices", OBJECTS(struct config_linux, devices, device_object) },
	{ "cgroupsPath", STRING(struct config_linux, cgroups_path), .flags = EMPTY_IS_ABSENT },
	{ "resources", SECTION(struct config_linux, resources, resources_object),
	  .flags = MARKS_SET },
	{ "rootfsPropagation", STRING(struct config_linux, rootfs_propagation),
	  .flags = EMPTY_IS_ABSENT, .check = check_propagation },
	{ "maskedPaths", STRINGS(struct config_linux, masked_paths), .flags = ABSOLUTE },
	{ "readonlyPaths", STRINGS(struct config_linux, readonly_paths), .flags = ABSOLUTE },
	{ "mountLabel", STRING(struct config_linux, mount_label), .flags = EMPTY_IS_ABSENT },
	{ "sysctl", STRING_MAP(struct config_linux, sysctl) },
	{ "personality", GROUP(personality_object) },
	{ "netDevices", OBJECT_MAP(struct config_linux, net_devices, net_device_object) },
	{ "memoryPolicy", SECTION(struct config_linux, memory_policy, memory_policy_object),
	  .flags = MARKS_SET },
	{ "intelRdt", SECTION(struct config_linux, intel_rdt, intel_rdt_object),
	  .flags = MARKS_SET },
	{ "seccomp", SECTION(struct config_linux, seccomp, seccomp_object), .flags = MARKS_SET },
};

const struct object linux_object = OBJECT(struct config_linux, linux_fields, check_linux);
