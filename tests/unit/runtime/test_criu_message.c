/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages to and from CRIU, byte by byte: what is expected here was written by hand from rpc.proto. */
#include "runtime/criu_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect(const struct criu_request *request, const void *bytes, size_t len)
{
	struct arena arena = { 0 };
	uint8_t *written;

	assert_int_equal(criu_request_write(&arena, request, &written), len);
	assert_memory_equal(written, bytes, len);
	arena_clear(&arena);
}

#define EXPECT(request, text) expect(request, text, sizeof(text) - 1)

static void test_simple_requests(void **state)
{
	EXPECT((&(struct criu_request){ .type = CRIU_VERSION, .keep_open = true }),
	       "\x08\x0a\x20\x01");
	EXPECT((&(struct criu_request){ .type = CRIU_FEATURE_CHECK, .ask_mem_track = true }),
	       "\x08\x09\x2a\x02\x08\x01");
	EXPECT((&(struct criu_request){ .type = CRIU_NOTIFY, .notify_success = true }),
	       "\x08\x06\x18\x01");
	/* false is a word here, not an absence */
	EXPECT((&(struct criu_request){ .type = CRIU_NOTIFY }), "\x08\x06\x18\x00");
}

static void test_options(void **state)
{
	struct arena arena = { 0 };
	struct criu_options o = CRIU_OPTIONS_INIT;
	const struct criu_request request = { .type = CRIU_DUMP, .options = &o };
	const char *externals[] = { "net[7]:x" };

	/* all absent */
	EXPECT(&request, "\x08\x01\x12\x00");

	o.images_dir_fd = 5;
	o.pid = 300;
	o.leave_running = true;
	o.log_file = "a.log";
	criu_pairs_add(&arena, &o.ext_mnt, "/k", "/v", 0);
	criu_pairs_add(&arena, &o.inherit_fd, "pipe:[1]", NULL, 1);
	criu_pairs_add(&arena, &o.cg_root, NULL, "/c", 0);
	o.manage_cgroups_mode = CRIU_CGROUPS_IGNORE;
	o.external = (struct str_list){ externals, 1 };
	o.lsm_mount_context = "l";
	EXPECT(&request, "\x08\x01\x12\x41"
			 "\x08\x05"
			 "\x10\xac\x02"
			 "\x18\x01"
			 "\x52\x05"
			 "a.log"
			 "\xba\x01\x08\x0a\x02/k\x12\x02/v"
			 "\xca\x01\x04\x12\x02/c"
			 "\xda\x01\x0c\x0a\x08pipe:[1]\x10\x01"
			 "\x90\x02\x00"
			 "\xaa\x02\x08net[7]:x"
			 "\xfa\x03\x01l");
	arena_clear(&arena);
}

/* A list longer than its first room, and a message longer than its own. */
static void test_many(void **state)
{
	struct arena arena = { 0 };
	struct criu_options o = CRIU_OPTIONS_INIT;
	const struct criu_request request = { .type = CRIU_RESTORE, .options = &o };
	struct protobuf_field field;
	struct protobuf_reader reader;
	uint8_t *bytes;
	size_t len, n = 0;

	for (int i = 0; i < 100; i++)
		criu_pairs_add(&arena, &o.ext_mnt, "/some/mount/point", "/some/mount/point", 0);
	len = criu_request_write(&arena, &request, &bytes);
	reader = (struct protobuf_reader){ bytes, bytes + len };
	assert_int_equal(protobuf_next(&reader, &field), 1);
	assert_int_equal(protobuf_next(&reader, &field), 1);
	assert_int_equal(field.number, 2);
	reader = (struct protobuf_reader){ field.bytes, field.bytes + field.len };
	while (protobuf_next(&reader, &field) == 1) {
		assert_int_equal(field.number, 23);
		assert_int_equal(field.len, 38);
		n++;
	}
	assert_int_equal(n, 100);
	arena_clear(&arena);
}

static int read_response(const void *bytes, size_t len, struct criu_response *ret)
{
	return criu_response_read(bytes, len, ret);
}

#define READ(text, ret) read_response(text, sizeof(text) - 1, ret)

static void test_responses(void **state)
{
	struct criu_response r;

	/* dump, no success, errno 22, the first error */
	assert_int_equal(READ("\x08\x01\x10\x00\x1a\x02\x08\x01\x38\x16\x4a\x05"
			      "Error",
			      &r),
			 0);
	assert_int_equal(r.type, CRIU_DUMP);
	assert_false(r.success);
	assert_int_equal(r.cr_errno, 22);
	assert_string_equal(r.message, "Error");

	/* a notification with a pid; a field that we do not know */
	assert_int_equal(READ("\x08\x06\x10\x01\x2a\x0f\x0a\x0cpost-restore\x10\x2a", &r), -EPROTO);
	assert_int_equal(
		READ("\x08\x06\x10\x01\x2a\x10\x0a\x0cpost-restore\x10\x2a\xf8\x07\x01", &r), 0);
	assert_int_equal(r.type, CRIU_NOTIFY);
	assert_true(r.success);
	assert_string_equal(r.script, "post-restore");
	assert_int_equal(r.pid, 42);

	/* version 3.17.1, without anything else */
	assert_int_equal(READ("\x08\x0a\x10\x01\x52\x06\x08\x03\x10\x11\x20\x01", &r), 0);
	assert_int_equal(r.major * 10000 + r.minor * 100 + r.sublevel, 31701);

	/* restored, with a negative errno in its ten bytes */
	assert_int_equal(
		READ("\x08\x02\x10\x01\x22\x02\x08\x07\x38\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		     &r),
		0);
	assert_int_equal(r.pid, 7);
	assert_int_equal(r.cr_errno, -1);
}

static void test_no_responses(void **state)
{
	struct criu_response r = { .type = 99 };

	assert_int_equal(READ("", &r), -EPROTO);
	assert_int_equal(READ("\x08\x01", &r), -EPROTO); /* no success */
	assert_int_equal(READ("\x10\x01", &r), -EPROTO); /* no type */
	assert_int_equal(READ("\x08", &r), -EPROTO);     /* cut off */
	assert_int_equal(READ("\x08\xff", &r), -EPROTO);
	assert_int_equal(READ("\x08\x01\x10\x01\x4a\x05"
			      "Err",
			      &r),
			 -EPROTO);
	assert_int_equal(READ("\x0a\x01x\x10\x01", &r), -EPROTO); /* a type that is a text */
	assert_int_equal(READ("\x08\x01\x10\x01\x48\x01", &r),
			 -EPROTO); /* a text that is a number */
	assert_int_equal(READ("\x08\x01\x10\x01\x20\x01", &r),
			 -EPROTO); /* a message that is a number */
	assert_int_equal(READ("\x08\x01\x10\x01\x00\x01", &r), -EPROTO); /* field 0 */
	assert_int_equal(READ("\x08\x01\x10\x01\x1b", &r), -EPROTO);     /* a group */
	assert_int_equal(READ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x10\x01", &r),
			 -EPROTO); /* 65 bits */
	assert_int_equal(r.type, 99);

	/* fixed numbers are none of ours, but legal */
	assert_int_equal(READ("\x08\x01\x10\x01\xfd\x07"
			      "1234"
			      "\xf9\x07"
			      "12345678",
			      &r),
			 0);
}

/* Texts from outside have no end that can be relied on. */
static void test_long_text(void **state)
{
	struct criu_response r;
	uint8_t bytes[4 + 3 + 1000] = { 0x08, 0x01, 0x10, 0x00, 0x4a, 0xe8, 0x07 };

	memset(bytes + 7, 'x', 1000);
	assert_int_equal(criu_response_read(bytes, sizeof(bytes), &r), 0);
	assert_int_equal(strlen(r.message), CRIU_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple_requests),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_no_responses),
		cmocka_unit_test(test_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
