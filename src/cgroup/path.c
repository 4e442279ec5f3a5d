/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/path.h"

#include <string.h>

#define POINTER "/linux/cgroupsPath"

/* Append one component to @out, or take the last one off for "..". Return: false if there is none to take. */
static bool apply_component(char *out, size_t *len, const char *name, size_t name_len)
{
	if (name_len == 0 || (name_len == 1 && name[0] == '.'))
		return true;
	if (name_len == 2 && name[0] == '.' && name[1] == '.') {
		if (*len == 0)
			return false;
		while (out[--*len] != '/')
			;
		return true;
	}
	out[(*len)++] = '/';
	memcpy(out + *len, name, name_len);
	*len += name_len;
	return true;
}

int cgroup_path_normalize(const char *text, char out[CGROUP_PATH_MAX + 2])
{
	size_t len = 0, name_len;

	if (strlen(text) > CGROUP_PATH_MAX)
		return -ENAMETOOLONG;
	for (const char *at = text; *at; at += name_len + (at[name_len] == '/')) {
		name_len = strcspn(at, "/");
		if (name_len > CGROUP_NAME_MAX)
			return -EINVAL;
		if (!apply_component(out, &len, at, name_len))
			return -EXDEV;
	}
	out[len] = '\0';
	return (int)len;
}

static int refuse(struct err *err, const char *hint)
{
	err_at(err, POINTER);
	return err_hint(err, "%s", hint);
}

int cgroup_path_clean(struct arena *arena, const char *cgroups_path, const char *id,
		      const char **ret_path, struct err *err)
{
	const char *text = cgroups_path && *cgroups_path ? cgroups_path : id;
	char out[CGROUP_PATH_MAX + 2];

	switch (cgroup_path_normalize(text, out)) {
	case -ENAMETOOLONG:
		err_user(err, "use a cgroup path of %zu bytes", strlen(text));
		return refuse(err, "at most 3072 bytes are allowed");
	case -EINVAL:
		err_user(err, "use cgroup path \"%s\": one of its names has more than %d bytes",
			 text, CGROUP_NAME_MAX);
		return refuse(err, "the kernel allows 255 bytes for one directory");
	case -EXDEV:
		err_user(err, "use cgroup path \"%s\": its \"..\" leads out of the cgroup mount",
			 text);
		return refuse(err, "the path counts from the mount, e.g. \"/tare/web\"");
	case 0:
		err_user(err, "use cgroup path \"%s\": it is the root of the hierarchy", text);
		return refuse(err, "give the container a cgroup of its own, e.g. \"/tare/web\", or "
				   "leave cgroupsPath out");
	default:
		*ret_path = arena_strdup(arena, out);
		return 0;
	}
}

const char *cgroup_directory(struct arena *arena, const struct cgroup_hierarchy *hierarchy,
			     const char *clean_path)
{
	return arena_printf(arena, "%s%s",
			    strcmp(hierarchy->mount, "/") == 0 ? "" : hierarchy->mount, clean_path);
}
