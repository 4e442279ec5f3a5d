/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing that somebody needs goes, nothing that nobody needs stays, and what is wrong is found. */
#include "image/blob.h"
#include "image/check.h"
#include "image/gc.h"
#include "image/lease.h"
#include "image/refs.h"
#include "image/usage.h"
#include "make_image.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/remove.h"
#include "os/walk.h"
#include "spec/media_type.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define OTHER "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static char directory[40];
static struct store store = STORE_INIT;
static struct err err;
static struct made_image image, other;

static void assert_ok(int r)
{
	if (r < 0)
		fail_msg("%d: %s", r, err.text);
}

/* What this opening of the store has leased ends. */
static void reopen(void)
{
	store_clear(&store);
	assert_ok(store_open(directory, &store, &err));
}

/* In memory: what these tests prove doesn't hang on a disk, and they flush a lot. */
static int setup(void **state)
{
	strcpy(directory, "/dev/shm/tare-gc-XXXXXX");
	err = ERR_INIT;
	if (!mkdtemp(directory) || store_open(directory, &store, &err) < 0)
		return -1;
	make_image_named(&store, "one", "localhost/one:latest", &image);
	make_image_named(&store, "two", "localhost/two:latest", &other);
	reopen();
	return 0;
}

static int teardown(void **state)
{
	store_clear(&store);
	return os_remove_tree(AT_FDCWD, directory);
}

static int blobs(void)
{
	return count_names(store.blobs[DIGEST_SHA256], ".");
}

static int layers(void)
{
	return count_names(store.layers, ".");
}

static struct gc_result collect(bool dry_run)
{
	const struct gc_options options = { .dry_run = dry_run };
	struct gc_result result;

	assert_ok(gc_collect(&store, &options, &result, &err));
	return result;
}

static void assert_has(int expected_blobs, int expected_layers)
{
	if (blobs() != expected_blobs || layers() != expected_layers)
		fail_msg("%d blobs and %d layers instead of %d and %d", blobs(), layers(),
			 expected_blobs, expected_layers);
}

static void write_file(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* ---- collecting ------------------------------------------------------------------------------------------------- */

static void test_what_has_a_name_stays(void **state)
{
	struct gc_result result = collect(false);

	assert_has(6, 2);
	assert_int_equal(result.n[GC_BLOB] + result.n[GC_LAYER] + result.n[GC_STAGED], 0);
	assert_int_equal(result.bytes, 0);
}

static void test_what_has_none_goes(void **state)
{
	struct gc_result result;

	assert_ok(refs_remove(&store, "localhost/one:latest", &err));
	result = collect(true);
	assert_has(6, 2);
	assert_int_equal(result.n[GC_BLOB], 3);
	assert_int_equal(result.n[GC_LAYER], 1);
	result = collect(false);
	assert_has(3, 1);
	assert_int_equal(result.n[GC_BLOB], 3);
	/* three blobs, three nodes of a layer; how many blocks each takes is for the filesystem to say */
	assert_true(result.bytes > 0);
	assert_int_equal(count_names(store.staging, "."), 0);
	assert_int_equal(os_exists_at(store.layers, other.layer_name), 1);
	assert_ok(refs_remove(&store, "localhost/two:latest", &err));
	collect(false);
	assert_has(0, 0);
}

static void test_an_index_holds_what_it_has(void **state)
{
	char text[1000], digest[DIGEST_TEXT_MAX];
	struct descriptor target = { .media_type = MEDIA_OCI_INDEX, .digest = digest };
	int len = snprintf(text, sizeof(text),
			   "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
			   "\",\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
			   "\",\"digest\":\"%s\",\"size\":%zu},{\"mediaType\":\"" MEDIA_OCI_MANIFEST
			   "\",\"digest\":\"" OTHER "\",\"size\":1}]}",
			   image.manifest, image.manifest_size);

	assert_ok(blob_make(&store, text, (size_t)len, digest, &err));
	target.size = (uint64_t)len;
	assert_ok(refs_set(&store, "localhost/index", &target, &err));
	assert_ok(refs_remove(&store, "localhost/one:latest", &err));
	reopen();
	collect(false);
	assert_has(7, 2);
	assert_ok(refs_remove(&store, "localhost/index", &err));
	collect(false);
	assert_has(3, 1);
}

static void test_a_lease_holds_while_its_owner_lives(void **state)
{
	struct store at_work = STORE_INIT;
	struct made_image new;
	struct stat st;

	assert_ok(store_open(directory, &at_work, &err));
	assert_int_equal(count_names(store.staging, "."), 0);
	make_image(&at_work, "three", &new);
	/* found, and not made: leased all the same */
	assert_ok(lease_blob(&at_work, image.manifest, &err));
	assert_ok(refs_remove(&store, "localhost/one:latest", &err));
	collect(false);
	assert_has(9, 2);
	name_image(&at_work, &new, "localhost/three");
	store_clear(&at_work);
	assert_int_equal(fstatat(store.layers, image.layer_name, &st, 0), 0);
	collect(false);
	assert_has(6, 1);
	assert_int_equal(count_names(store.staging, "."), 0);
}

static void test_the_lease_of_a_dead_one_is_garbage(void **state)
{
	struct made_image new;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store dying = STORE_INIT;

		if (store_open(directory, &dying, &err) == 0)
			make_image(&dying, "four", &new);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_has(9, 2);
	assert_int_equal(collect(false).n[GC_STAGED], 1);
	assert_has(6, 2);
	assert_int_equal(count_names(store.staging, "."), 0);
}

static void test_a_container_holds_its_image(void **state)
{
	int dir;

	assert_int_equal(mkdirat(store.root, "containers", 0700), 0);
	assert_int_equal(mkdirat(store.root, "containers/web", 0700), 0);
	assert_int_equal(mkdirat(store.root, "containers/bare", 0700), 0);
	dir = openat(store.root, "containers/web", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(lease_container(dir, image.manifest, false, &err));
	assert_ok(refs_remove(&store, "localhost/one:latest", &err));
	collect(false);
	assert_has(6, 2);
	assert_int_equal(unlinkat(dir, LEASE_IMAGE, 0), 0);
	close(dir);
	collect(false);
	assert_has(3, 1);
}

static void test_what_is_being_written_stays(void **state)
{
	struct blob_writer w;
	const struct gc_options keep = { .keep_begun = true };
	struct gc_result result;

	assert_int_equal(blob_begin(&store, OTHER, 100, &w, &err), 0);
	assert_ok(blob_write(&w, "abc", 3, &err));
	collect(false);
	assert_int_equal(os_exists_at(store.staging, OTHER), 1);
	blob_abandon(&w);
	assert_ok(gc_collect(&store, &keep, &result, &err));
	assert_int_equal(os_exists_at(store.staging, OTHER), 1);
	assert_int_equal(collect(false).n[GC_STAGED], 1);
	assert_int_equal(os_exists_at(store.staging, OTHER), 0);
}

static void test_what_a_kill_leaves_of_the_index(void **state)
{
	write_file(store.images, STORE_TEMPORARY, "{");
	assert_int_equal(collect(false).n[GC_STAGED], 1);
	assert_int_equal(os_exists_at(store.images, STORE_TEMPORARY), 0);
	assert_int_equal(count_names(store.staging, "."), 0);
}

static void test_what_can_not_be_read_is_no_garbage(void **state)
{
	const struct gc_options options = { 0 };
	struct gc_result result;

	write_file(store.blobs[DIGEST_SHA256], image.manifest + strlen("sha256:"), "{}");
	assert_int_equal(gc_collect(&store, &options, &result, &err), -EIO);
	assert_non_null(
		strstr(err.text, "collect garbage: find out what \"index.json\" needs: blob "));
	assert_non_null(strstr(err.hint, "check --repair"));
	assert_has(6, 2);
}

/* Manifests that call each other layers, twice each: a walk that looked at each mention would not end. */
static void test_documents_that_name_each_other(void **state)
{
	char text[2000], digest[DIGEST_TEXT_MAX];
	size_t len = image.manifest_size;
	struct descriptor target = { .media_type = MEDIA_OCI_MANIFEST, .digest = digest };

	strcpy(digest, image.manifest);
	for (int i = 0; i < 60; i++) {
		len = (size_t)snprintf(
			text, sizeof(text),
			"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\""
			"%s\",\"size\":1},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
			"\",\"digest\":\"%s\",\"size\":%zu},{\"mediaType\":\"" MEDIA_OCI_MANIFEST
			"\",\"digest\":\"%s\",\"size\":%zu}]}",
			image.config, digest, len, digest, len);
		assert_ok(blob_make(&store, text, len, digest, &err));
	}
	target.size = len;
	assert_ok(refs_set(&store, "localhost/odd", &target, &err));
	reopen();
	collect(false);
	assert_has(66, 2);
}

/* One makes, names, reads and removes images, the other collects all the while. */
static void test_a_collection_beside_a_pull(void **state)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			collect(false);
	}
	for (int i = 0; i < 60; i++) {
		struct store at_work = STORE_INIT;
		struct made_image new;
		char text[20];

		snprintf(text, sizeof(text), "%d", i % 3);
		assert_ok(store_open(directory, &at_work, &err));
		make_image_named(&at_work, text, "localhost/new", &new);
		assert_ok(blob_verify(&at_work, new.layer, &err));
		assert_ok(blob_verify(&at_work, new.config, &err));
		assert_int_equal(os_exists_at(at_work.layers, new.layer_name), 1);
		assert_ok(refs_remove(&at_work, "localhost/new", &err));
		store_clear(&at_work);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	collect(false);
	assert_has(6, 2);
	assert_int_equal(count_names(store.staging, "."), 0);
}

/* What is in staging/ without an owner goes, at any moment, without the store's lock. */
static void sweep_for_ever(void)
{
	for (;;) {
		defer_arena struct arena arena = { 0 };
		char **names;
		size_t n;

		assert_ok(os_list(store.staging, &arena, &names, &n));
		for (size_t i = 0; i < n; i++) {
			defer_close int fd = openat(store.staging, names[i], O_RDONLY | O_CLOEXEC);

			if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
				(void)unlinkat(store.staging, names[i], 0);
		}
	}
}

static void test_a_lease_is_never_swept_away_while_it_is_made(void **state)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sweep_for_ever();
	}
	for (int i = 0; i < 3000; i++) {
		struct store at_work = STORE_INIT;

		assert_ok(store_open(directory, &at_work, &err));
		assert_ok(lease_blob(&at_work, OTHER, &err));
		assert_int_equal(count_names(at_work.staging, "."), 1);
		store_clear(&at_work);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- how much it takes ------------------------------------------------------------------------------------------ */

static void test_the_sum_is_that_of_du(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct usage usage;
	unsigned long long expected;
	char command[100];
	FILE *du;

	assert_int_equal(linkat(store.images, "index.json", store.root, "again", 0), 0);
	snprintf(command, sizeof(command), "du -sx --block-size=512 %s", directory);
	du = popen(command, "re");
	assert_non_null(du);
	assert_int_equal(fscanf(du, "%llu", &expected), 1);
	pclose(du);
	usage_init(&usage, &arena);
	/* part by part, and then the whole: what was counted is not counted again but for directories and single names */
	assert_int_equal(usage_add(&usage, AT_FDCWD, directory), 0);
	assert_int_equal(usage.bytes, expected * 512);
	assert_int_equal(usage_add(&usage, store.root, "again"), 0);
	assert_int_equal(usage.bytes, expected * 512);
	assert_int_equal(usage_add(&usage, store.root, "nothing"), 0);
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

static struct {
	int n;
	enum check_kind kind;
	char name[DIGEST_TEXT_MAX], text[1000];
	bool repaired;
} last;

static void keep(void *arg, const struct check_finding *finding)
{
	last.n++;
	last.kind = finding->kind;
	last.repaired = finding->repaired;
	snprintf(last.name, sizeof(last.name), "%s", finding->name);
	snprintf(last.text, sizeof(last.text), "%s", finding->text);
}

static struct check_result check(bool repair)
{
	const struct check_options options = { .repair = repair, .found = keep };
	struct check_result result;

	memset(&last, 0, sizeof(last));
	assert_ok(check_store(&store, &options, &result, &err));
	assert_int_equal(result.found, last.n);
	return result;
}

static void assert_found(bool repair, enum check_kind kind, const char *name, const char *text)
{
	struct check_result result = check(repair);

	if (result.found != 1 || last.kind != kind || strcmp(last.name, name) != 0 ||
	    !strstr(last.text, text) || last.repaired != repair)
		fail_msg("%u findings, the last of kind %d: %s: %s", result.found, last.kind,
			 last.name, last.text);
}

static void assert_repairable(enum check_kind kind, const char *name, const char *text)
{
	assert_found(false, kind, name, text);
	assert_found(true, kind, name, text);
	if (check(false).found)
		fail_msg("still %s", last.text);
}

static void test_a_sound_store(void **state)
{
	struct check_result result = check(false);

	if (result.found)
		fail_msg("%s: %s", last.name, last.text);
	assert_int_equal(result.blobs, 6);
	assert_int_equal(result.layers, 2);
	assert_int_equal(count_names(store.staging, "."), 0);
}

static void test_a_damaged_layer_is_unpacked_anew(void **state)
{
	char path[LAYER_NAME_MAX + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/dir/file", image.layer_name);
	assert_int_equal(fstatat(store.layers, path, &st, 0), 0);
	write_file(store.layers, path, "ONE");
	assert_repairable(CHECK_LAYER_DIFFERS, image.layer_name, " has another \"/dir/file\"");
	assert_int_equal(unlinkat(store.layers, path, 0), 0);
	assert_repairable(CHECK_LAYER_DIFFERS, image.layer_name, " lacks \"/dir/file\"");
	snprintf(path, sizeof(path), "%s/new", image.layer_name);
	write_file(store.layers, path, "");
	assert_repairable(CHECK_LAYER_DIFFERS, image.layer_name, " has \"/new\"");
	assert_int_equal(fchmodat(store.layers, image.layer_name, 0700, 0), 0);
	assert_repairable(CHECK_LAYER_DIFFERS, image.layer_name, " has another \"/\"");
	assert_int_equal(count_names(store.staging, "."), 0);
}

static void test_garbage_is_found(void **state)
{
	char digest[DIGEST_TEXT_MAX];

	assert_ok(blob_make(&store, "abc", 3, digest, &err));
	reopen();
	assert_repairable(CHECK_GARBAGE, digest, "nobody needs blob sha256:");
	write_file(store.blobs[DIGEST_SHA256], "stray", "x");
	assert_repairable(CHECK_GARBAGE, "sha256:stray", "nobody needs blob");
	assert_int_equal(mkdirat(store.layers, "stray", 0700), 0);
	assert_repairable(CHECK_GARBAGE, "stray", "nobody needs layer");
	write_file(store.staging, OTHER, "x");
	assert_repairable(CHECK_GARBAGE, OTHER, "nobody needs half-written");
}

static void test_a_damaged_blob_goes(void **state)
{
	struct check_result result;

	write_file(store.blobs[DIGEST_SHA256], image.layer + strlen("sha256:"), "x");
	assert_found(false, CHECK_BLOB_DAMAGED, image.layer, "is damaged: its bytes are sha256:");
	result = check(true);
	assert_int_equal(result.repaired, 1);
	/* what it was part of is not whole until it comes again */
	assert_int_equal(check(false).found, 1);
	assert_int_equal(last.kind, CHECK_BLOB_MISSING);
	make_image(&store, "one", &image);
	assert_int_equal(check(false).found, 0);
}

static void test_a_name_of_nothing_goes(void **state)
{
	struct descriptor found;
	defer_arena struct arena arena = { 0 };

	write_file(store.blobs[DIGEST_SHA256], image.manifest + strlen("sha256:"), "x");
	assert_found(false, CHECK_BLOB_DAMAGED, image.manifest, "is damaged");
	/* the manifest, its entry, its config, its layer, and the layer's directory */
	assert_int_equal(check(true).repaired, 5);
	assert_int_equal(check(false).found, 0);
	assert_int_equal(refs_find(&store, &arena, "localhost/one:latest", &found, &err), -ENOENT);
	err = ERR_INIT;
	assert_ok(refs_find(&store, &arena, "localhost/two:latest", &found, &err));
	assert_has(3, 1);
}

static void test_a_container_of_no_image(void **state)
{
	assert_int_equal(mkdirat(store.root, "containers", 0700), 0);
	assert_int_equal(mkdirat(store.root, "containers/web", 0700), 0);
	write_file(store.root, "containers/web/" LEASE_IMAGE, OTHER);
	check(false);
	assert_int_equal(last.n, 1);
	assert_string_equal(last.text, "container web names blob " OTHER ", which is not there");
	write_file(store.root, "containers/web/" LEASE_IMAGE, "nothing");
	check(false);
	assert_int_equal(last.n, 1);
	assert_string_equal(last.text, "container web names \"nothing\", which is no digest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_has_a_name_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_has_none_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_index_holds_what_it_has, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_lease_holds_while_its_owner_lives, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_lease_of_a_dead_one_is_garbage, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_container_holds_its_image, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_being_written_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_a_kill_leaves_of_the_index, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_can_not_be_read_is_no_garbage, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_documents_that_name_each_other, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_collection_beside_a_pull, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_lease_is_never_swept_away_while_it_is_made,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_sum_is_that_of_du, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_sound_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_layer_is_unpacked_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_garbage_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_blob_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_name_of_nothing_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_container_of_no_image, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
