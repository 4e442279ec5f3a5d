/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacked layers: there with both digests right, or not at all. tests/integration/test_layers.py has what is in them. */
#include "image/blob.h"
#include "image/layers.h"
#include "image/lease.h"
#include "os/remove.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define ROOM  65536
#define OTHER "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static char directory[40];
static struct store store = STORE_INIT;
static struct err err;
static char bytes[ROOM]; /* of the blob */
static size_t length;
static char blob[DIGEST_TEXT_MAX], diff_id[DIGEST_TEXT_MAX], name[LAYER_NAME_MAX];

/* A layer with one file, as a tar or compressed by gzip. Return: its length */
static size_t make_tar(bool compressed, char *out)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	if (compressed)
		assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(archive, compressed ? "gzip:!timestamp" : NULL),
			 ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(archive, out, ROOM, &used), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "dir/file");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0640);
	archive_entry_set_size(entry, 5);
	archive_entry_set_mtime(entry, 1, 0);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, "hello", 5), 5);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(archive);
	return used;
}

static int setup(void **state)
{
	struct hash hash;

	strcpy(directory, "/tmp/tare-layers-XXXXXX");
	err = ERR_INIT;
	if (!mkdtemp(directory) || store_open(directory, &store, &err) < 0)
		return -1;
	hash_init(&hash, DIGEST_SHA256);
	hash_add(&hash, bytes, make_tar(false, bytes));
	hash_digest(&hash, diff_id);
	length = make_tar(true, bytes);
	if (blob_make(&store, bytes, length, blob, &err) < 0)
		return -1;
	return layers_name(diff_id, name);
}

static int teardown(void **state)
{
	store_clear(&store);
	return os_remove_tree(AT_FDCWD, directory);
}

static struct layer_request request(void)
{
	return (struct layer_request){ .blob = blob, .diff_id = diff_id, .limit = 1000000 };
}

static int count(int dir)
{
	DIR *listing = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	int n = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		n += strncmp(entry->d_name, LEASE_PREFIX, strlen(LEASE_PREFIX)) != 0;
	closedir(listing);
	return n - 2;
}

static void assert_refused(struct layer_request what, int code, const char *text)
{
	struct layer_result result;
	int r = layers_unpack(&store, &what, &result, &err);

	if (r != code || !strstr(err.text, text))
		fail_msg("%d instead of %d, \"%s\" instead of \"%s\"", r, code, err.text, text);
	assert_int_equal(count(store.layers), 0);
	assert_int_equal(count(store.staging), 0);
}

static void test_a_layer_is_unpacked_once(void **state)
{
	struct layer_request what = request();
	struct layer_result result;
	struct stat st, again;
	char path[LAYER_NAME_MAX + 16];

	if (layers_unpack(&store, &what, &result, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(result.entries, 1);
	assert_int_equal(result.bytes, 5);
	snprintf(path, sizeof(path), "%s/dir/file", name);
	assert_int_equal(fstatat(store.layers, path, &st, 0), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(count(store.staging), 0);

	assert_int_equal(layers_unpack(&store, &what, &result, &err), 1);
	assert_int_equal(result.entries, 0);
	assert_int_equal(fstatat(store.layers, path, &again, 0), 0);
	assert_int_equal(again.st_ino, st.st_ino);
}

static void test_names_have_no_colon(void **state)
{
	char buf[LAYER_NAME_MAX];

	assert_int_equal(layers_name(OTHER, buf), 0);
	assert_null(strchr(buf, ':'));
	assert_memory_equal(buf, "sha256-0000", 11);
	assert_int_equal(layers_name("sha256:1", buf), -EINVAL);
}

static void test_content_that_the_image_does_not_mean(void **state)
{
	struct layer_request what = request();

	what.diff_id = OTHER;
	assert_refused(what, -EINVAL, "unpack layer " OTHER ": its content is sha256:");
	assert_non_null(strstr(err.text, "but the image says " OTHER));
}

static void test_a_damaged_blob_is_to_blame(void **state)
{
	char path[DIGEST_TEXT_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "images/blobs/sha256/%s", blob + 7);
	fd = openat(store.root, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\xff\xff\xff", 3, 30), 3);
	close(fd);
	assert_refused(request(), -EIO, "is damaged: its bytes are sha256:");
	assert_non_null(strstr(err.hint, "tare system check --repair"));
	assert_int_equal(err.kind, ERR_SYSTEM);
}

static void test_a_blob_that_is_not_there(void **state)
{
	struct layer_request what = request();

	what.blob = OTHER;
	assert_refused(what, -ENOENT, "blob " OTHER " is not in the store");
}

static void test_a_blob_that_is_no_layer(void **state)
{
	struct layer_request what = request();
	char digest[DIGEST_TEXT_MAX];

	assert_int_equal(blob_make(&store, "this is no tar, by far", 22, digest, &err), 0);
	what.blob = digest;
	assert_refused(what, -EINVAL, "the tar can't be read");
}

static void test_a_bomb(void **state)
{
	struct layer_request what = request();

	what.limit = 1000;
	assert_refused(what, -EINVAL, "it inflates to more than the limit of 1000 bytes");
}

static void test_what_was_interrupted_is_begun_anew(void **state)
{
	struct layer_request what = request();
	struct layer_result result;
	char path[LAYER_NAME_MAX + 32];

	snprintf(path, sizeof(path), "layer-%s", name);
	assert_int_equal(mkdirat(store.staging, path, 0700), 0);
	strcat(path, "/fs");
	assert_int_equal(mkdirat(store.staging, path, 0700), 0);
	strcat(path, "/rest");
	assert_int_equal(mkdirat(store.staging, path, 0700), 0);
	assert_int_equal(layers_unpack(&store, &what, &result, &err), 0);
	snprintf(path, sizeof(path), "%s/rest", name);
	assert_int_equal(faccessat(store.layers, path, F_OK, 0), -1);
	assert_int_equal(count(store.staging), 0);
}

static void test_several_at_once_do_it_once(void **state)
{
	enum { PROCESSES = 5 };
	int status, made = 0;

	for (int p = 0; p < PROCESSES; p++) {
		if (fork() == 0) {
			struct layer_request what = request();
			struct store own = STORE_INIT;
			struct layer_result result;

			if (store_open(directory, &own, &err) < 0)
				_exit(9);
			_exit(layers_unpack(&own, &what, &result, &err) & 7);
		}
	}
	for (int p = 0; p < PROCESSES; p++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		made += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(made, 1);
	assert_int_equal(count(store.layers), 1);
	assert_int_equal(count(store.staging), 0);
}

/* ---- while its blob comes --------------------------------------------------------------------------------------- */

/* Bytes that come some at a time, and perhaps end in the middle by an error. */
struct coming {
	struct stream stream;
	const char *at;
	size_t left, before_break; /* SIZE_MAX: none */
};

static ssize_t read_coming(struct stream *stream, void *buf, size_t size, struct err *e)
{
	struct coming *c = (struct coming *)(void *)stream;
	size_t n = c->left < 10 ? c->left : 10;

	n = n < size ? n : size;
	/* What a reader overcame is no failure. */
	err_user_code(e, -EBUSY, "it took a second try");
	if (c->before_break < n)
		return err_user_code(e, -ECONNRESET, "the wire was cut");
	memcpy(buf, c->at, n);
	c->at += n;
	c->left -= n;
	c->before_break -= c->before_break == SIZE_MAX ? 0 : n;
	return (ssize_t)n;
}

static void forget_blob(void)
{
	assert_int_equal(unlinkat(store.blobs[DIGEST_SHA256], strchr(blob, ':') + 1, 0), 0);
}

static bool has_blob(void)
{
	return blob_verify(&store, blob, &(struct err){ 0 }) == 0;
}

/* Return: of layers_receive(); *ret_had: what an earlier one had left */
static int receive(struct layer_request what, size_t before_break, uint64_t *ret_had)
{
	struct blob_writer writer = BLOB_WRITER_INIT;
	struct coming coming = { .stream.read = read_coming, .before_break = before_break };
	struct layer_result result;
	int r;

	assert_int_equal(blob_begin(&store, blob, length, &writer, &err), 0);
	coming.at = bytes + writer.have;
	coming.left = length - writer.have;
	if (ret_had)
		*ret_had = writer.have;
	err = ERR_INIT;
	r = layers_receive(&store, &what, &writer, &coming.stream, &result, &err);
	assert_int_equal(writer.fd, -EBADF);
	return r;
}

static void test_a_layer_is_unpacked_while_its_blob_comes(void **state)
{
	char path[LAYER_NAME_MAX + 16];
	struct stat st;

	forget_blob();
	assert_int_equal(receive(request(), SIZE_MAX, NULL), 0);
	assert_true(has_blob());
	snprintf(path, sizeof(path), "%s/dir/file", name);
	assert_int_equal(fstatat(store.layers, path, &st, 0), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(count(store.staging), 0);
}

static void test_one_that_breaks_off_is_gone_on_with(void **state)
{
	uint64_t had;

	forget_blob();
	assert_int_equal(receive(request(), length - 7, NULL), -ECONNRESET);
	assert_string_equal(err.text, "the wire was cut");
	assert_false(has_blob());
	assert_int_equal(count(store.layers), 0);
	assert_int_equal(count(store.staging), 1); /* of the blob */
	assert_int_equal(receive(request(), SIZE_MAX, &had), 0);
	assert_true(had > 0 && had < length);
	assert_true(has_blob());
	assert_int_equal(count(store.layers), 1);
	assert_int_equal(count(store.staging), 0);
}

static void test_wrong_bytes_leave_nothing_wherever_they_are(void **state)
{
	forget_blob();
	for (size_t i = 0; i < length; i++) {
		bytes[i] ^= 0x10;
		assert_int_equal(receive(request(), SIZE_MAX, NULL), -EILSEQ);
		if (!strstr(err.text, "the bytes that should be blob sha256:"))
			fail_msg("byte %zu: %s", i, err.text);
		assert_false(has_blob());
		assert_int_equal(count(store.layers), 0);
		assert_int_equal(count(store.staging), 0);
		bytes[i] ^= 0x10;
	}
	assert_int_equal(receive(request(), SIZE_MAX, NULL), 0);
}

static void test_a_right_blob_stays_where_its_content_is_wrong(void **state)
{
	struct layer_request what = request();

	forget_blob();
	what.diff_id = OTHER;
	assert_int_equal(receive(what, SIZE_MAX, NULL), -EINVAL);
	assert_non_null(strstr(err.text, "unpack layer " OTHER ": its content is sha256:"));
	assert_true(has_blob());
	forget_blob();
	what = request();
	what.limit = 1000;
	assert_int_equal(receive(what, SIZE_MAX, NULL), -EINVAL);
	assert_non_null(strstr(err.text, "it inflates to more than the limit of 1000 bytes"));
	assert_true(has_blob());
	assert_int_equal(count(store.layers), 0);
	assert_int_equal(count(store.staging), 0);
}

static void test_of_a_layer_that_is_there_only_the_blob_is_kept(void **state)
{
	struct layer_request what = request();
	struct layer_result result;

	assert_int_equal(layers_unpack(&store, &what, &result, &err), 0);
	forget_blob();
	assert_int_equal(receive(what, SIZE_MAX, NULL), 1);
	assert_true(has_blob());
	forget_blob();
	bytes[length / 2] ^= 1;
	assert_int_equal(receive(what, SIZE_MAX, NULL), -EILSEQ);
	assert_false(has_blob());
	assert_int_equal(count(store.staging), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_layer_is_unpacked_once),
		TEST(test_names_have_no_colon),
		TEST(test_content_that_the_image_does_not_mean),
		TEST(test_a_damaged_blob_is_to_blame),
		TEST(test_a_blob_that_is_not_there),
		TEST(test_a_blob_that_is_no_layer),
		TEST(test_a_bomb),
		TEST(test_what_was_interrupted_is_begun_anew),
		TEST(test_several_at_once_do_it_once),
		TEST(test_a_layer_is_unpacked_while_its_blob_comes),
		TEST(test_one_that_breaks_off_is_gone_on_with),
		TEST(test_wrong_bytes_leave_nothing_wherever_they_are),
		TEST(test_a_right_blob_stays_where_its_content_is_wrong),
		TEST(test_of_a_layer_that_is_there_only_the_blob_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
