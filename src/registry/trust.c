/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/trust.h"

#include "os/dir.h"
#include "os/file.h"
#include "registry/config_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* What is found in a directory. */
struct found {
	int dir; /* borrowed */
	const char *path;
	const char *cert, *key; /* names; NULL */
	struct trust *trust;
	const char *system; /* the file with the system's authorities */
};

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && !strcmp(name + len - n, end);
}

/* ---- authorities ------------------------------------------------------------------------------------------------ */

static int append_file(struct arena *arena, int dir, const char *name, int to, struct err *err)
{
	defer_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char *text;
	size_t len;
	int r;

	if (fd < 0)
		return err_sys(err, "open the certificates \"%s\"", name);
	r = os_file_read(arena, fd, TRUST_MAX_BYTES, &text, &len);
	if (r == 0)
		r = os_write_all(to, text, len);
	/* A file may end without one, and then the next begins in the same line. */
	if (r == 0)
		r = os_write_all(to, "\n", 1);
	return r < 0 ? err_set(err, r, "read the certificates \"%s\"", name) : 0;
}

/* libcurl takes one file; so one is made of the system's and the others. */
static int add_authority(struct arena *arena, struct found *found, const char *name,
			 struct err *err)
{
	struct trust *trust = found->trust;
	int r = 0;

	if (trust->bundle < 0) {
		trust->bundle = memfd_create("authorities", MFD_CLOEXEC);
		if (trust->bundle < 0)
			return err_sys(err, "make a file for certificates");
		trust->http.ca_file = arena_printf(arena, "/proc/self/fd/%d", trust->bundle);
		if (found->system)
			r = append_file(arena, AT_FDCWD, found->system, trust->bundle, err);
	}
	return r < 0 ? r : append_file(arena, found->dir, name, trust->bundle, err);
}

/* ---- directories ------------------------------------------------------------------------------------------------ */

static int take_file(struct arena *arena, struct found *found, const char *name, struct err *err)
{
	if (ends_with(name, ".crt"))
		return add_authority(arena, found, name, err);
	if (ends_with(name, ".cert") && !found->cert)
		found->cert = arena_strdup(arena, name);
	if (ends_with(name, ".key") && !found->key)
		found->key = arena_strdup(arena, name);
	return 0;
}

static size_t stem(const char *name)
{
	return (size_t)(strrchr(name, '.') - name);
}

static int take_pair(struct arena *arena, const struct found *found, struct err *err)
{
	const char *cert = found->cert, *key = found->key;

	if (!cert && !key)
		return 0;
	if (!cert || !key || stem(cert) != stem(key) || strncmp(cert, key, stem(cert)) != 0)
		return err_user(err, "\"%s/%s\" is without its %s", found->path, cert ? cert : key,
				cert ? "key" : "certificate");
	found->trust->http.cert = arena_printf(arena, "%s/%s", found->path, cert);
	found->trust->http.key = arena_printf(arena, "%s/%s", found->path, key);
	return 0;
}

/* Names in their order, so that the same files always mean the same. */
static int read_directory(struct arena *arena, struct found *found, struct err *err)
{
	struct dirent **entries;
	int n = scandirat(found->dir, ".", &entries, NULL, alphasort), r = 0;

	if (n < 0)
		return err_sys(err, "read the directory");
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = take_file(arena, found, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return r < 0 ? r : take_pair(arena, found, err);
}

/* Return: 1 if the directory is there and was read; 0 if not; -errno */
static int look_into(struct arena *arena, const char *path, const char *system, struct trust *trust,
		     struct err *err)
{
	defer_close int dir = os_dir_open(path);
	struct found found = { .dir = dir, .path = path, .trust = trust, .system = system };
	int r;

	if (dir == -ENOENT || dir == -ENOTDIR)
		return 0;
	r = dir < 0 ? err_set(err, dir, "open it") : read_directory(arena, &found, err);
	return r < 0 ? err_context(err, "look in \"%s\" for certificates", path) : 1;
}

/* The @i-th place; NULL at the end. */
static const char *place(struct arena *arena, const char *name, size_t i)
{
	static const char *const system[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };
	const char *user = config_user_path(arena, "certs.d");

	if (user && i-- == 0)
		return arena_printf(arena, "%s/%s", user, name);
	return i < ARRAY_LEN(system) ? arena_printf(arena, "%s/%s", system[i], name) : NULL;
}

/* HOST:PORT; and HOST alone where the port is the one that needs no saying. */
static int look_everywhere(struct arena *arena, const struct url *url, const char *system,
			   struct trust *trust, struct err *err)
{
	const char *names[2] = { arena_printf(arena, "%s:%s", url->host, url->port),
				 !strcmp(url->port, "443") ? url->host : NULL };
	const char *path;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names) && names[i]; i++) {
		for (size_t j = 0; r == 0 && (path = place(arena, names[i], j)); j++)
			r = look_into(arena, path, system, trust, err);
	}
	return r < 0 ? r : 0;
}

int trust_find(const struct curl_functions *curl, struct arena *arena, const struct url *url,
	       const char *cert_dir, struct trust *ret, struct err *err)
{
	const char *system = config_variable("SSL_CERT_FILE");
	int r;

	*ret = TRUST_INIT;
	if (!url->https)
		return 0;
	if (system)
		ret->http.ca_file = system;
	else
		system = curl->version_info(CURLVERSION_NOW)->cainfo;
	if (!cert_dir)
		return look_everywhere(arena, url, system, ret, err);
	r = look_into(arena, cert_dir, system, ret, err);
	return r == 0 ? err_user(err, "there is no directory \"%s\" of certificates", cert_dir)
		      : (r < 0 ? r : 0);
}

void trust_clear(struct trust *trust)
{
	defer_close_fn(&trust->bundle);
	*trust = TRUST_INIT;
}
