/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image store: what is in it is what its name says, whatever happened on the way. */
#include "image/blob.h"
#include "image/lease.h"
#include "image/refs.h"
#include "os/dir.h"
#include "os/file.h"
#include "spec/media_type.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC512                                                                                     \
	"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                  \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define OTHER "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static char directory[32];
static struct store store = STORE_INIT;
static struct err err;

/* ---- a store for each test -------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

static int setup(void **state)
{
	strcpy(directory, "/tmp/tare-store-XXXXXX");
	err = ERR_INIT;
	return mkdtemp(directory) && store_open(directory, &store, &err) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	store_clear(&store);
	return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void assert_ok(int r)
{
	if (r < 0)
		fail_msg("%d: %s", r, err.text);
}

static void assert_refused(int r, int code, const char *text)
{
	if (r != code || !strstr(err.text, text))
		fail_msg("%d instead of %d, \"%s\" instead of \"%s\"", r, code, err.text, text);
	err = ERR_INIT;
}

/* What a file of the store holds. */
static const char *content(const char *path)
{
	static char text[4096];

	return os_read_at(store.root, path, text, sizeof(text)) < 0 ? NULL : text;
}

static void write_file(const char *path, const char *text)
{
	int fd = openat(store.root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* How many names a directory of the store has, the lease of this test not counted. */
static int count(const char *path)
{
	DIR *listing = fdopendir(openat(store.root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	int n = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		n += strncmp(entry->d_name, LEASE_PREFIX, strlen(LEASE_PREFIX)) != 0;
	closedir(listing);
	return n - 2; /* "." and ".." */
}

/* ---- the store -------------------------------------------------------------------------------------------------- */

static void test_a_new_store_is_an_oci_layout(void **state)
{
	struct stat st;

	assert_string_equal(content("images/oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
	assert_string_equal(content("images/index.json"),
			    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
			    "\",\"manifests\":[]}");
	assert_int_equal(fstatat(store.root, "images/blobs/sha512", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	store_clear(&store);
	assert_ok(store_open(directory, &store, &err));
}

static void test_another_version_is_refused(void **state)
{
	struct store again = STORE_INIT;

	write_file("images/oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	assert_refused(store_open(directory, &again, &err), -EINVAL,
		       "\"images\" is an OCI layout of version 2.0.0, and only 1.0.0 is known");
	write_file("images/oci-layout", "x");
	assert_refused(store_open(directory, &again, &err), -EINVAL,
		       "read \"images/oci-layout\": parse JSON");
	assert_int_equal(again.root, -EBADF);
}

static void test_a_place_that_is_none(void **state)
{
	struct store again = STORE_INIT;

	assert_refused(store_open("/dev/null", &again, &err), -ENOTDIR,
		       "open the image store \"/dev/null\"");
	assert_refused(store_open("/nowhere/at/all", &again, &err), -ENOENT,
		       "make the store \"/nowhere/at/all\"");
}

/* ---- blobs ------------------------------------------------------------------------------------------------------ */

static void begin(struct blob_writer *w, const char *digest, uint64_t size)
{
	int r = blob_begin(&store, digest, size, w, &err);

	assert_ok(r);
	assert_int_equal(r, 0);
}

static void test_a_blob_has_the_name_of_its_bytes(void **state)
{
	struct blob_writer w;
	char digest[DIGEST_TEXT_MAX];

	assert_ok(blob_make(&store, "abc", 3, digest, &err));
	assert_string_equal(digest, ABC);
	assert_string_equal(
		content("images/blobs/sha256/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
		"abc");
	begin(&w, ABC512, 3);
	assert_ok(blob_write(&w, "a", 1, &err));
	assert_ok(blob_write(&w, "bc", 2, &err));
	assert_ok(blob_end(&w, digest, &err));
	assert_string_equal(digest, ABC512);
	assert_int_equal(count("staging"), 0);
}

static void test_what_is_there_is_not_written_again(void **state)
{
	struct blob_writer w;

	assert_ok(blob_make(&store, "abc", 3, NULL, &err));
	assert_int_equal(blob_begin(&store, ABC, 3, &w, &err), 1);
	assert_int_equal(blob_begin(&store, ABC, BLOB_SIZE_UNKNOWN, &w, &err), 1);
	assert_refused(blob_begin(&store, ABC, 4, &w, &err), -EINVAL, "has 3 bytes and not 4");
	assert_ok(blob_make(&store, "abc", 3, NULL, &err));
	assert_int_equal(count("images/blobs/sha256"), 1);
}

static void test_wrong_bytes_get_no_name(void **state)
{
	struct blob_writer w;

	begin(&w, OTHER, 3);
	assert_ok(blob_write(&w, "abc", 3, &err));
	assert_refused(blob_end(&w, NULL, &err), -EILSEQ,
		       "the bytes that should be blob " OTHER " are " ABC);
	begin(&w, ABC, 5);
	assert_ok(blob_write(&w, "abc", 3, &err));
	assert_refused(blob_end(&w, NULL, &err), -EILSEQ, "has 3 bytes and not 5");
	begin(&w, ABC, 2);
	assert_refused(blob_write(&w, "abc", 3, &err), -EINVAL, "is longer than its 2 bytes");
	assert_int_equal(w.have, 0);
	blob_abandon(&w);
	assert_refused(blob_begin(&store, "sha1:00", 3, &w, &err), -EINVAL,
		       "\"sha1:00\" is no digest");
	assert_int_equal(count("images/blobs/sha256"), 0);
	assert_int_equal(count("staging"),
			 1); /* of the last: an empty file that the next one takes up */
}

static void test_an_interrupted_writer_is_taken_up(void **state)
{
	struct blob_writer w;

	begin(&w, ABC, 3);
	assert_ok(blob_write(&w, "ab", 2, &err));
	blob_abandon(&w);
	assert_string_equal(content("staging/" ABC), "ab");

	begin(&w, ABC, 3);
	assert_int_equal(w.have, 2);
	assert_ok(blob_write(&w, "c", 1, &err));
	assert_ok(blob_end(&w, NULL, &err));
	assert_ok(blob_verify(&store, ABC, &err));
	assert_int_equal(count("staging"), 0);
}

static void test_a_rest_that_cannot_be_it_is_thrown_away(void **state)
{
	struct blob_writer w;

	write_file("staging/" ABC, "much too long");
	begin(&w, ABC, 3);
	assert_int_equal(w.have, 0);
	assert_ok(blob_write(&w, "abc", 3, &err));
	assert_ok(blob_end(&w, NULL, &err));
	/* The right length and the wrong bytes: found out at the end, and then the way is free. */
	write_file("staging/" OTHER, "xyz");
	begin(&w, OTHER, 3);
	assert_int_equal(w.have, 3);
	assert_refused(blob_end(&w, NULL, &err), -EILSEQ, "the bytes that should be blob " OTHER);
	begin(&w, OTHER, 3);
	assert_int_equal(w.have, 0);
	blob_abandon(&w);
}

static void test_without_a_digest_nothing_is_left(void **state)
{
	struct blob_writer w;

	begin(&w, NULL, BLOB_SIZE_UNKNOWN);
	assert_ok(blob_write(&w, "abc", 3, &err));
	assert_int_equal(count("staging"), 1);
	blob_abandon(&w);
	assert_int_equal(count("staging"), 0);
}

/* The second of two who want the same blob waits for the first, and finds it done. */
static void test_two_writers_of_one_blob(void **state)
{
	struct blob_writer first, second;
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	begin(&first, ABC, 3);
	pid = fork();
	if (pid == 0) {
		struct store own = STORE_INIT;

		blob_abandon(&first); /* its copy of the lock */
		if (store_open(directory, &own, &err) < 0 || write(ready[1], "x", 1) != 1)
			_exit(2);
		_exit(blob_begin(&own, ABC, 3, &second, &err) == 1 ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	usleep(50 * 1000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_ok(blob_write(&first, "abc", 3, &err));
	assert_ok(blob_end(&first, NULL, &err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(count("staging"), 0);
}

static void test_a_damaged_blob_is_found(void **state)
{
	struct arena arena = { 0 };
	char *text;
	size_t len;

	assert_ok(blob_make(&store, "abc", 3, NULL, &err));
	assert_ok(blob_read(&store, &arena, ABC, 3, &text, &len, &err));
	assert_string_equal(text, "abc");
	assert_refused(blob_read(&store, &arena, ABC, 2, &text, &len, &err), -EINVAL,
		       "has 3 bytes, more than the limit of 2");
	assert_refused(blob_read(&store, &arena, OTHER, 9, &text, &len, &err), -ENOENT,
		       "blob " OTHER " is not in the store");
	write_file(
		"images/blobs/sha256/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"abd");
	assert_refused(blob_read(&store, &arena, ABC, 3, &text, &len, &err), -EIO,
		       "blob " ABC " is damaged: its bytes are sha256:a52d159f");
	assert_refused(blob_verify(&store, ABC, &err), -EIO, "is damaged");
	arena_clear(&arena);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static struct descriptor image(const char *digest)
{
	return (struct descriptor){ .media_type = MEDIA_OCI_MANIFEST, .digest = digest, .size = 3 };
}

static void set(const char *name, const char *digest)
{
	struct descriptor target = image(digest);

	assert_ok(refs_set(&store, name, &target, &err));
}

/* All entries, as "NAME=last digit of the digest" in order. */
static const char *entries(void)
{
	static char text[1024];
	struct arena arena = { 0 };
	struct image_index index;

	assert_ok(refs_read(&store, &arena, &index, &err));
	text[0] = '\0';
	for (size_t i = 0; i < index.manifests.n; i++) {
		const struct descriptor *entry = &index.manifests.items[i];
		const char *name = refs_name(entry);

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%s", i ? " " : "",
			 name ? name : "", entry->digest + strlen(entry->digest) - 1);
	}
	arena_clear(&arena);
	return text;
}

static void test_names_come_change_and_go(void **state)
{
	struct arena arena = { 0 };
	struct descriptor found;

	set("a:1", ABC);
	set("b:1", OTHER);
	assert_string_equal(entries(), "a:1=d b:1=0");
	assert_ok(refs_find(&store, &arena, "a:1", &found, &err));
	assert_string_equal(found.digest, ABC);
	assert_int_equal(found.size, 3);
	assert_refused(refs_find(&store, &arena, "a:2", &found, &err), -ENOENT,
		       "image \"a:2\" is not in the store");

	set("a:1", ABC); /* again: nothing changes */
	assert_string_equal(entries(), "b:1=0 a:1=d");
	set("a:2", ABC);   /* a second name */
	set("a:1", OTHER); /* the image has another name still */
	assert_string_equal(entries(), "b:1=0 a:2=d a:1=0");
	set("a:2", OTHER); /* now it has none */
	assert_string_equal(entries(), "b:1=0 =d a:1=0 a:2=0");
	set("c:1", ABC); /* and needs no entry without one any more */
	assert_string_equal(entries(), "b:1=0 a:1=0 a:2=0 c:1=d");

	assert_ok(refs_remove(&store, "b:1", &err));
	assert_refused(refs_remove(&store, "b:1", &err), -ENOENT,
		       "image \"b:1\" is not in the store");
	set("c:1", OTHER);
	assert_string_equal(entries(), "a:1=0 a:2=0 =d c:1=0");
	assert_refused(refs_remove_unnamed(&store, OTHER, &err), -ENOENT, "is not in the store");
	assert_ok(refs_remove_unnamed(&store, ABC, &err));
	assert_string_equal(entries(), "a:1=0 a:2=0 c:1=0");
	arena_clear(&arena);
}

static void test_what_other_tools_wrote_stays(void **state)
{
	static const char before[] =
		"{\"schemaVersion\":2,\"vendor\":{\"x\":[18446744073709551615,null,true]},\"manifests\":["
		"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" ABC
		"\",\"size\":3,\"own\":1.50,"
		"\"annotations\":{\"" REF_NAME_ANNOTATION "\":\"a:1\",\"k\":\"v\"}},"
		"{\"mediaType\":\"text/plain\",\"digest\":\"" ABC
		"\",\"size\":3,\"data\":\"YWJj\"}]}";
	const char *after;

	write_file("images/index.json", before);
	set("a:1", OTHER);
	after = content("images/index.json");
	assert_non_null(strstr(after, "18446744073709551615"));
	assert_non_null(strstr(after, "\"data\": \"YWJj\""));
	assert_null(strstr(after, "1.50")); /* its image has another entry, so this one is gone */
	set("b:1", ABC);
	write_file("images/index.json", before);
	assert_ok(refs_remove(&store, "a:1", &err));
	assert_non_null(strstr(content("images/index.json"), "\"vendor\""));
}

static void test_an_index_that_is_none_is_named(void **state)
{
	struct descriptor target = image(ABC);

	write_file("images/index.json", "{\"schemaVersion\":2}");
	assert_refused(refs_set(&store, "a:1", &target, &err), -EINVAL,
		       "read \"index.json\": \"manifests\" is missing");
	assert_string_equal(content("images/index.json"), "{\"schemaVersion\":2}");
}

static void test_names_given_at_the_same_time_are_all_there(void **state)
{
	enum { PROCESSES = 4, NAMES = 10 };
	struct arena arena = { 0 };
	struct image_index index;
	int status;

	for (int p = 0; p < PROCESSES; p++) {
		if (fork() == 0) {
			struct descriptor target = image(p % 2 ? ABC : OTHER);
			struct store own = STORE_INIT;
			char name[32];

			if (store_open(directory, &own, &err) < 0)
				_exit(2);
			for (int i = 0; i < NAMES; i++) {
				snprintf(name, sizeof(name), "p%d:%d", p, i);
				if (refs_set(&own, name, &target, &err) < 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int p = 0; p < PROCESSES; p++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_ok(refs_read(&store, &arena, &index, &err));
	assert_int_equal(index.manifests.n, PROCESSES * NAMES);
	arena_clear(&arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_store_is_an_oci_layout),
		TEST(test_another_version_is_refused),
		TEST(test_a_place_that_is_none),
		TEST(test_a_blob_has_the_name_of_its_bytes),
		TEST(test_what_is_there_is_not_written_again),
		TEST(test_wrong_bytes_get_no_name),
		TEST(test_an_interrupted_writer_is_taken_up),
		TEST(test_a_rest_that_cannot_be_it_is_thrown_away),
		TEST(test_without_a_digest_nothing_is_left),
		TEST(test_two_writers_of_one_blob),
		TEST(test_a_damaged_blob_is_found),
		TEST(test_names_come_change_and_go),
		TEST(test_what_other_tools_wrote_stays),
		TEST(test_an_index_that_is_none_is_named),
		TEST(test_names_given_at_the_same_time_are_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
