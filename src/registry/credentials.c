/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/credentials.h"

#include "registry/auth_file.h"
#include "registry/config_file.h"
#include "registry/helper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ----------------------------------------------------------------------------------------------------- */

static const char *runtime_file(struct arena *arena)
{
	const char *dir = config_variable("XDG_RUNTIME_DIR");

	return dir ? arena_printf(arena, "%s/containers/auth.json", dir)
		   : arena_printf(arena, "/run/containers/%u/auth.json", geteuid());
}

void credential_places_find(struct arena *arena, const char *authfile,
			    struct credential_places *ret)
{
	const char *docker = config_variable("DOCKER_CONFIG"), *home = config_variable("HOME");
	const char *user = config_user_path(arena, "auth.json");
	size_t n = 0;

	*ret = (struct credential_places){ 0 };
	if (!authfile || !*authfile)
		authfile = config_variable("REGISTRY_AUTH_FILE");
	if (authfile) {
		ret->files[0] = authfile;
		ret->explicit_file = true;
		return;
	}
	ret->files[n++] = runtime_file(arena);
	if (user)
		ret->files[n++] = user;
	if (docker)
		ret->files[n++] = arena_printf(arena, "%s/config.json", docker);
	else if (home)
		ret->files[n++] = arena_printf(arena, "%s/.docker/config.json", home);
}

/* Return: 1 and its document; 0 if there is no such file; -errno */
static int read_file(struct arena *arena, const char *path, const struct json **ret,
		     struct err *err)
{
	char *text;
	size_t len;
	int r = config_file_read(arena, AT_FDCWD, path, path, CREDENTIALS_MAX_BYTES, &text, &len,
				 err);

	if (r <= 0)
		return r;
	/* An empty one is what touch(1) makes. */
	if (!len)
		return 0;
	r = json_parse(arena, text, len, ret, err);
	return r < 0 ? err_context(err, "read \"%s\"", path) : 1;
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

static int find_in(struct arena *arena, const char *path, const struct json *root,
		   const char *registry, const char *repository, struct credential *ret,
		   struct err *err)
{
	const char *helper = auth_helper(root, registry);
	int r;

	if (helper && *helper)
		return helper_get(arena, helper, registry, ret, err);
	r = auth_lookup(arena, root, registry, repository, ret, err);
	if (r > 0)
		ret->from = path;
	helper = auth_general_helper(root);
	return r == 0 && helper ? helper_get(arena, helper, registry, ret, err) : r;
}

int credential_find(struct arena *arena, const struct credential_places *places,
		    const char *registry, const char *repository, struct credential *ret,
		    struct err *err)
{
	const struct json *root;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(places->files) && places->files[i]; i++) {
		r = read_file(arena, places->files[i], &root, err);
		if (r == 0 && places->explicit_file) {
			err_user_code(err, -ENOENT, "there is no file \"%s\" of credentials",
				      places->files[i]);
			return err_hint(err, "tare login makes it; or unset REGISTRY_AUTH_FILE");
		}
		if (r > 0)
			r = find_in(arena, places->files[i], root, registry, repository, ret, err);
		if (r < 0)
			return err_context(err, "look in \"%s\" for credentials", places->files[i]);
	}
	return r;
}

static bool has_files(const struct str_list *helpers)
{
	for (size_t i = 0; i < helpers->n; i++) {
		if (!strcmp(helpers->items[i], CREDENTIALS_FILES_HELPER))
			return true;
	}
	return false;
}

int credential_ask(struct arena *arena, const struct credential_places *places,
		   const struct str_list *helpers, const char *registry, const char *repository,
		   struct credential *ret, struct err *err)
{
	struct err first = ERR_INIT, one;
	bool listed = helpers && has_files(helpers);
	int r = 0;

	/* Files that somebody named are not to be passed over. */
	if (places && !listed && (!helpers || !helpers->n || places->explicit_file))
		r = credential_find(arena, places, registry, repository, ret, err);
	if (r != 0 || !helpers)
		return r;
	for (size_t i = 0; r <= 0 && i < helpers->n; i++) {
		one = ERR_INIT;
		if (strcmp(helpers->items[i], CREDENTIALS_FILES_HELPER) != 0)
			r = helper_get(arena, helpers->items[i], registry, ret, &one);
		else
			r = places ? credential_find(arena, places, registry, repository, ret, &one)
				   : 0;
		if (r < 0 && !first.code)
			first = one;
	}
	if (r > 0 || !first.code)
		return r > 0;
	*err = first;
	return first.code;
}

/* ---- keeping ---------------------------------------------------------------------------------------------------- */

/* The file that we write, and what is in it: NULL if it is not there. */
static int read_ours(struct arena *arena, const struct credential_places *places,
		     const struct json **ret, struct err *err)
{
	int r;

	*ret = NULL;
	r = read_file(arena, places->files[0], ret, err);
	if (r > 0 && (*ret)->type != JSON_OBJECT)
		return err_user(err, "read \"%s\": it is no JSON object", places->files[0]);
	return r < 0 ? r : 0;
}

/* Who keeps a registry's credential in place of the file: its own helper before the one for all; NULL if nobody does. */
static const char *helper_for(const struct json *root, const char *registry)
{
	const char *helper = auth_helper(root, registry);

	if (!helper)
		helper = auth_general_helper(root);
	return helper && *helper ? helper : NULL;
}

int credential_store(struct arena *arena, const struct credential_places *places,
		     const char *registry, const struct credential *credential, struct err *err)
{
	const struct json *root;
	const char *helper;
	int r = read_ours(arena, places, &root, err);

	if (r < 0)
		return r;
	helper = helper_for(root, registry);
	if (helper)
		return helper_store(arena, helper, registry, credential, err);
	return config_file_replace(arena, places->files[0],
				   auth_edit(arena, root, registry, credential), err);
}

int credential_erase(struct arena *arena, const struct credential_places *places,
		     const char *registry, const char **ret_left, struct err *err)
{
	struct credential left;
	const struct json *root;
	const char *helper, *text;
	int r = read_ours(arena, places, &root, err), erased = 0;

	*ret_left = NULL;
	if (r < 0)
		return r;
	helper = helper_for(root, registry);
	if (helper)
		erased = helper_erase(arena, helper, registry, err);
	if (erased < 0)
		return erased;
	text = root ? auth_edit(arena, root, registry, NULL) : NULL;
	r = text ? config_file_replace(arena, places->files[0], text, err) : 0;
	if (r < 0)
		return r;
	if (places->explicit_file && !root)
		return 0;
	r = credential_find(arena, places, registry, NULL, &left, err);
	if (r > 0)
		*ret_left = left.from;
	return r < 0 ? r : text || erased;
}
