/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every word of a mount's options, and what happens where they meet. Row ids are those of the
 * requirements.
 */
#include "runtime/mount_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

/* Parse words separated by blanks. */
static int parse(const char *text, struct mount_words *ret, struct err *err)
{
	const char *items[64];
	struct str_list list = { .items = items };
	char *copy = arena_strdup(&arena, text), *word;

	while ((word = strsep(&copy, " "))) {
		if (*word)
			items[list.n++] = word;
	}
	*err = ERR_INIT;
	return mount_words_parse(&arena, &list, ret, err);
}

static struct mount_words ok(const char *text)
{
	struct mount_words words;
	struct err err;

	if (parse(text, &words, &err) < 0)
		fail_msg("\"%s\": %s", text, err.text);
	return words;
}

/* One bit: its four words, on a new filesystem and on a mount that exists. */
static void flags(void **state)
{
	static const struct {
		const char *set, *clear;
		unsigned long ms;
		uint64_t attr;
	} cases[] = {
		{ "ro", "rw", MS_RDONLY, MOUNT_ATTR_RDONLY },
		{ "nosuid", "suid", MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ "nodev", "dev", MS_NODEV, MOUNT_ATTR_NODEV },
		{ "noexec", "exec", MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ "nodiratime", "diratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
		{ "nosymfollow", "symfollow", MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mount_words words = ok(cases[i].set);
		char text[64];

		assert_int_equal(words.flags, cases[i].ms);
		assert_int_equal(words.attr_set, cases[i].attr);
		assert_int_equal(words.attr_clr | words.rec_attr_set | words.rec_attr_clr, 0);
		assert_null(words.data);

		words = ok(cases[i].clear);
		assert_int_equal(words.flags | words.attr_set, 0);
		assert_int_equal(words.attr_clr, cases[i].attr);

		snprintf(text, sizeof(text), "r%s", cases[i].set);
		words = ok(text);
		assert_int_equal(words.rec_attr_set, cases[i].attr);
		assert_int_equal(words.attr_set | words.attr_clr | words.rec_attr_clr, 0);
		assert_int_equal(words.flags, cases[i].ms);

		snprintf(text, sizeof(text), "r%s", cases[i].clear);
		words = ok(text);
		assert_int_equal(words.rec_attr_clr, cases[i].attr);
		assert_int_equal(words.rec_attr_set | words.flags, 0);

		/* The last of two that contradict each other wins. */
		snprintf(text, sizeof(text), "%s %s", cases[i].set, cases[i].clear);
		words = ok(text);
		assert_int_equal(words.flags | words.attr_set, 0);
		assert_int_equal(words.attr_clr, cases[i].attr);
	}
}

/* Row M-2: one field; any word must clear it first. */
static void atime(void **state)
{
	struct mount_words words = ok("noatime");

	assert_int_equal(words.flags, MS_NOATIME);
	assert_int_equal(words.attr_set, MOUNT_ATTR_NOATIME);
	assert_int_equal(words.attr_clr, MOUNT_ATTR__ATIME);

	words = ok("noatime strictatime");
	assert_int_equal(words.flags, MS_STRICTATIME);
	assert_int_equal(words.attr_set, MOUNT_ATTR_STRICTATIME);

	words = ok("noatime atime");
	assert_int_equal(words.flags, 0);
	assert_int_equal(words.attr_set, 0);
	assert_int_equal(words.attr_clr, MOUNT_ATTR__ATIME);

	words = ok("relatime");
	assert_int_equal(words.flags, MS_RELATIME);
	assert_int_equal(words.attr_clr, MOUNT_ATTR__ATIME);

	words = ok("ratime rnoatime");
	assert_int_equal(words.rec_attr_set, MOUNT_ATTR_NOATIME);
	assert_int_equal(words.rec_attr_clr, MOUNT_ATTR__ATIME);
	assert_int_equal(words.attr_clr, 0);

	words = ok("rstrictatime rnostrictatime");
	assert_int_equal(words.rec_attr_set, 0);
	assert_int_equal(words.rec_attr_clr, MOUNT_ATTR__ATIME);
}

static void superblock(void **state)
{
	struct mount_words words = ok("sync dirsync iversion lazytime mand silent");

	assert_int_equal(words.flags, MS_SYNCHRONOUS | MS_DIRSYNC | MS_I_VERSION | MS_LAZYTIME |
					      MS_MANDLOCK | MS_SILENT);
	assert_int_equal(words.attr_set, 0);
	assert_string_equal(words.sb_word, "silent");
	words = ok("sync async iversion noiversion lazytime nolazytime mand nomand silent loud");
	assert_int_equal(words.flags, 0);
}

static void propagation(void **state)
{
	struct mount_words words;
	struct err err;

	assert_int_equal(ok("private").propagation, MS_PRIVATE);
	assert_int_equal(ok("rprivate").propagation, MS_PRIVATE | MS_REC);
	assert_int_equal(ok("shared").propagation, MS_SHARED);
	assert_int_equal(ok("rslave").propagation, MS_SLAVE | MS_REC);
	assert_int_equal(ok("runbindable unbindable").propagation, MS_UNBINDABLE | MS_REC);
	assert_int_equal(parse("rslave shared", &words, &err), -EINVAL);
	assert_string_equal(err.text,
			    "option \"shared\" contradicts the propagation given before it");
	assert_int_equal(mount_word_propagation("rshared"), MS_SHARED | MS_REC);
	assert_int_equal(mount_word_propagation("ro"), 0);
}

static void switches(void **state)
{
	struct mount_words words = ok("bind");

	assert_true(words.bind && !words.recursive);
	words = ok("rbind remount idmap ridmap tmpcopyup copy-symlink src-nofollow dest-nofollow");
	assert_true(words.bind && words.recursive && words.remount && words.idmap && words.ridmap);
	assert_true(words.tmpcopyup && words.copy_symlink && words.src_nofollow &&
		    words.dest_nofollow);
	assert_null(words.data);
}

/* Known, and asks for nothing: not handed to the filesystem, as runc does. */
static void defaults(void **state)
{
	struct mount_words words = ok("defaults");
	static const struct mount_words none;

	assert_memory_equal(&words, &none, sizeof(none));
}

static void data(void **state)
{
	struct mount_words words = ok("size=64m nosuid mode=755 acl");

	assert_string_equal(words.data, "size=64m,mode=755,acl");
	assert_string_equal(words.data_word, "size=64m");
	assert_int_equal(words.flags, MS_NOSUID);
	assert_string_equal(ok("a=1,b=2").data, "a=1,b=2");
}

/* Row M-8: never cut off. */
static void data_too_long(void **state)
{
	struct mount_words words;
	char text[5000];
	struct err err;

	memset(text, 'x', sizeof(text));
	text[MOUNT_DATA_MAX - 1] = '\0';
	assert_int_equal(parse(text, &words, &err), 0);
	assert_int_equal(strlen(words.data), MOUNT_DATA_MAX - 1);
	text[MOUNT_DATA_MAX - 1] = 'x';
	text[MOUNT_DATA_MAX] = '\0';
	assert_int_equal(parse(text, &words, &err), -EINVAL);
	assert_string_equal(err.text, "the filesystem's options have more than 4095 bytes, which "
				      "the kernel would cut off");
}

/* Every word of the spec's table is there, once, and none is data. */
static void all(void **state)
{
	static const char required[] = "async atime bind defaults dev diratime dirsync exec "
				       "iversion lazytime loud mand noatime nodev "
				       "nodiratime noexec noiversion nolazytime nomand norelatime "
				       "nostrictatime nosuid nosymfollow private "
				       "ratime rbind rdev rdiratime relatime remount rexec "
				       "rnoatime rnodev rnodiratime rnoexec rnorelatime "
				       "rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime "
				       "rro rrw rshared rslave rstrictatime rsuid "
				       "rsymfollow runbindable rw shared silent slave strictatime "
				       "suid symfollow sync tmpcopyup unbindable "
				       "idmap ridmap";
	const char *const *names;
	char *copy = arena_strdup(&arena, required), *word;
	size_t n, found;

	names = mount_words_all(&n);
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
	for (size_t i = 0; i < n; i++)
		assert_null(ok(names[i]).data);
	while ((word = strsep(&copy, " "))) {
		found = 0;
		for (size_t i = 0; i < n; i++)
			found += strcmp(names[i], word) == 0;
		if (found != 1)
			fail_msg("\"%s\" is there %zu times", word, found);
	}
}

static void flags_text(void **state)
{
	char text[64];

	mount_flags_text(MS_RDONLY | MS_NOSUID | MS_NOATIME | MS_LAZYTIME, text, sizeof(text));
	assert_string_equal(text, "ro,nosuid,noatime,lazytime");
	mount_flags_text(0, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags),      cmocka_unit_test(atime),
		cmocka_unit_test(superblock), cmocka_unit_test(propagation),
		cmocka_unit_test(switches),   cmocka_unit_test(defaults),
		cmocka_unit_test(data),       cmocka_unit_test(data_too_long),
		cmocka_unit_test(all),        cmocka_unit_test(flags_text),
	};
	int r = cmocka_run_group_tests_name("mount-words", tests, NULL, NULL);

	arena_clear(&arena);
	return r;
}
