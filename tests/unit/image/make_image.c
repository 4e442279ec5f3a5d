/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "make_image.h"

#include "image/blob.h"
#include "image/refs.h"
#include "spec/media_type.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ROOM 65536

static size_t make_tar(const char *content, char *out)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(archive, out, ROOM, &used), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "dir/file");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0640);
	archive_entry_set_size(entry, (la_int64_t)strlen(content));
	archive_entry_set_mtime(entry, 1, 0);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, content, strlen(content)), strlen(content));
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(archive);
	return used;
}

static void make_blob(const struct store *store, const char *bytes, size_t len, char *digest)
{
	struct err err = ERR_INIT;

	if (blob_make(store, bytes, len, digest, &err) < 0)
		fail_msg("%s", err.text);
}

void make_image(const struct store *store, const char *content, struct made_image *ret)
{
	static char bytes[ROOM];
	size_t len = make_tar(content, bytes), n;

	make_blob(store, bytes, len, ret->layer);
	strcpy(ret->diff_id, ret->layer); /* it is not compressed */
	assert_int_equal(layers_name(ret->diff_id, ret->layer_name), 0);
	n = (size_t)snprintf(bytes, sizeof(bytes),
			     "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":"
			     "{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
			     ret->diff_id);
	make_blob(store, bytes, n, ret->config);
	ret->manifest_size = (size_t)snprintf(
		bytes, sizeof(bytes),
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER
		"\",\"digest\":\"%s\",\"size\":%zu}]}",
		ret->config, n, ret->layer, len);
	make_blob(store, bytes, ret->manifest_size, ret->manifest);
}

void name_image(const struct store *store, const struct made_image *image, const char *name)
{
	struct err err = ERR_INIT;
	const struct descriptor target = { .media_type = MEDIA_OCI_MANIFEST,
					   .digest = image->manifest,
					   .size = image->manifest_size };

	if (refs_set(store, name, &target, &err) < 0)
		fail_msg("%s", err.text);
}

void make_image_named(const struct store *store, const char *content, const char *name,
		      struct made_image *ret)
{
	struct err err = ERR_INIT;
	struct layer_result result;
	struct layer_request request;

	make_image(store, content, ret);
	name_image(store, ret, name);
	request = (struct layer_request){ ret->layer, ret->diff_id, 1000000, { 0 } };
	if (layers_unpack(store, &request, &result, &err) < 0)
		fail_msg("%s", err.text);
}

int count_names(int dir, const char *path)
{
	DIR *listing = fdopendir(openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n = 0;

	assert_non_null(listing);
	while (readdir(listing))
		n++;
	closedir(listing);
	return n - 2;
}
