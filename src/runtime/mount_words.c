/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/mount_words.h"

#include <stdio.h>
#include <string.h>

enum word_class {
	WORD_NOTHING,     /* known, and asks for nothing: defaults */
	WORD_FLAG,        /* one bit, on a new filesystem and on a mount that exists */
	WORD_SUPERBLOCK,  /* one bit that only the filesystem itself has */
	WORD_ATIME,       /* the access-time field, of which `ms` is one value */
	WORD_PROPAGATION, /* `ms` is the type, perhaps with MS_REC */
	WORD_SWITCH,      /* sets the bool at `offset` */
	WORD_BIND,
};

struct word {
	const char *name;
	enum word_class class;
	bool clear;       /* takes the bit away */
	bool recursive;   /* one of the r-words */
	unsigned long ms; /* for mount(2) */
	uint64_t attr;    /* for mount_setattr(2) */
	size_t offset;    /* of a bool in struct mount_words */
};

/* clang-format off */

/* A word: what it is, whether it clears, whether it is an r-word, and its bits. */
#define WORD(name, class, clear, recursive, ms, attr) { name, class, clear, recursive, ms, attr, 0 }

#define SUPER(set, clr, ms)                                 \
	WORD(set, WORD_SUPERBLOCK, false, false, ms, 0),    \
	WORD(clr, WORD_SUPERBLOCK, true, false, ms, 0)

/* One bit has four words: set and clear it on the mount, and on every mount below it as well. */
#define FOUR(set, clr, class, ms, attr)                     \
	WORD(set, class, false, false, ms, attr),           \
	WORD(clr, class, true, false, ms, attr),            \
	WORD("r" set, class, false, true, ms, attr),        \
	WORD("r" clr, class, true, true, ms, attr)

#define FLAG(set, clr, ms, attr)  FOUR(set, clr, WORD_FLAG, ms, attr)
#define ATIME(set, clr, ms, attr) FOUR(set, clr, WORD_ATIME, ms, attr)

#define PROPAGATION(name, ms)                               \
	WORD(name, WORD_PROPAGATION, false, false, ms, 0),  \
	WORD("r" name, WORD_PROPAGATION, false, true, (ms) | MS_REC, 0)

#define SWITCH(name, member) \
	{ name, WORD_SWITCH, false, false, 0, 0, offsetof(struct mount_words, member) }

static const struct word words[] = {
	WORD("defaults", WORD_NOTHING, false, false, 0, 0),

	FLAG("ro",          "rw",        MS_RDONLY,      MOUNT_ATTR_RDONLY),
	FLAG("nosuid",      "suid",      MS_NOSUID,      MOUNT_ATTR_NOSUID),
	FLAG("nodev",       "dev",       MS_NODEV,       MOUNT_ATTR_NODEV),
	FLAG("noexec",      "exec",      MS_NOEXEC,      MOUNT_ATTR_NOEXEC),
	FLAG("nodiratime",  "diratime",  MS_NODIRATIME,  MOUNT_ATTR_NODIRATIME),
	FLAG("nosymfollow", "symfollow", MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),

	/* One field for the kernel: clearing any value leaves its default, relatime. */
	ATIME("noatime",     "atime",         MS_NOATIME,     MOUNT_ATTR_NOATIME),
	ATIME("relatime",    "norelatime",    MS_RELATIME,    MOUNT_ATTR_RELATIME),
	ATIME("strictatime", "nostrictatime", MS_STRICTATIME, MOUNT_ATTR_STRICTATIME),

	SUPER("sync",     "async",      MS_SYNCHRONOUS),
	SUPER("iversion", "noiversion", MS_I_VERSION),
	SUPER("lazytime", "nolazytime", MS_LAZYTIME),
	SUPER("mand",     "nomand",     MS_MANDLOCK),
	SUPER("silent",   "loud",       MS_SILENT),
	WORD("dirsync", WORD_SUPERBLOCK, false, false, MS_DIRSYNC, 0),

	PROPAGATION("private",    MS_PRIVATE),
	PROPAGATION("shared",     MS_SHARED),
	PROPAGATION("slave",      MS_SLAVE),
	PROPAGATION("unbindable", MS_UNBINDABLE),

	WORD("bind",  WORD_BIND, false, false, 0, 0),
	WORD("rbind", WORD_BIND, false, true,  0, 0),
	SWITCH("remount",       remount),
	SWITCH("idmap",         idmap),
	SWITCH("ridmap",        ridmap),
	SWITCH("tmpcopyup",     tmpcopyup),
	SWITCH("copy-symlink",  copy_symlink),
	SWITCH("src-nofollow",  src_nofollow),
	SWITCH("dest-nofollow", dest_nofollow),
};
/* clang-format on */

#define ATIME_FLAGS ((unsigned long)(MS_NOATIME | MS_RELATIME | MS_STRICTATIME))

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	}
	return NULL;
}

static void apply_flag(const struct word *word, struct mount_words *ret)
{
	uint64_t *set = word->recursive ? &ret->rec_attr_set : &ret->attr_set;
	uint64_t *clr = word->recursive ? &ret->rec_attr_clr : &ret->attr_clr;

	/*
	 * A new filesystem has no mounts below it, so there the r-words mean the same as the plain
	 * ones.
	 */
	if (word->clear) {
		ret->flags &= ~word->ms;
		*set &= ~word->attr;
		*clr |= word->attr;
	} else {
		ret->flags |= word->ms;
		*set |= word->attr;
		*clr &= ~word->attr;
	}
}

static void apply_atime(const struct word *word, struct mount_words *ret)
{
	uint64_t *set = word->recursive ? &ret->rec_attr_set : &ret->attr_set;
	uint64_t *clr = word->recursive ? &ret->rec_attr_clr : &ret->attr_clr;

	ret->flags &= ~ATIME_FLAGS;
	if (!word->clear)
		ret->flags |= word->ms;

	*set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	*set |= word->clear ? MOUNT_ATTR_RELATIME : word->attr;
	*clr |= MOUNT_ATTR__ATIME;
}

static void apply_superblock(const struct word *word, struct mount_words *ret)
{
	if (word->clear) {
		ret->flags &= ~word->ms;
		return;
	}
	ret->flags |= word->ms;
	ret->sb_word = word->name;
}

static int apply_propagation(const struct word *word, struct mount_words *ret, struct err *err)
{
	uint64_t before = ret->propagation & ~(uint64_t)MS_REC;

	if (before && before != (word->ms & ~(unsigned long)MS_REC))
		return err_user(err, "option \"%s\" contradicts the propagation given before it",
				word->name);
	ret->propagation |= word->ms;
	return 0;
}

static int apply(const struct word *word, struct mount_words *ret, struct err *err)
{
	switch (word->class) {
	case WORD_NOTHING:
		return 0;
	case WORD_FLAG:
		apply_flag(word, ret);
		return 0;
	case WORD_SUPERBLOCK:
		apply_superblock(word, ret);
		return 0;
	case WORD_ATIME:
		apply_atime(word, ret);
		return 0;
	case WORD_PROPAGATION:
		return apply_propagation(word, ret, err);
	case WORD_SWITCH:
		*(bool *)((char *)ret + word->offset) = true;
		return 0;
	case WORD_BIND:
		ret->bind = true;
		ret->recursive |= word->recursive;
		return 0;
	}
	return 0;
}

/* Join what the table does not know with commas. */
static int join_data(struct arena *arena, const struct str_list *options, struct mount_words *ret,
		     struct err *err)
{
	char data[MOUNT_DATA_MAX];
	size_t len = 0, add;

	for (size_t i = 0; i < options->n; i++) {
		const char *text = options->items[i];

		if (text[0] == '\0' || find_word(text))
			continue;
		add = strlen(text) + (len ? 1 : 0);
		if (len + add >= sizeof(data))
			return err_user(err,
					"the filesystem's options have more than %d bytes, which "
					"the kernel would cut off",
					MOUNT_DATA_MAX - 1);
		if (len)
			data[len] = ',';
		else
			ret->data_word = text;
		memcpy(data + len + (len ? 1 : 0), text, strlen(text));
		len += add;
	}
	if (len)
		ret->data = arena_strndup(arena, data, len);
	return 0;
}

int mount_words_parse(struct arena *arena, const struct str_list *options, struct mount_words *ret,
		      struct err *err)
{
	struct mount_words parsed = { 0 };
	const struct word *word;
	int r;

	for (size_t i = 0; i < options->n; i++) {
		word = find_word(options->items[i]);
		if (!word)
			continue;
		r = apply(word, &parsed, err);
		if (r < 0)
			return r;
	}
	r = join_data(arena, options, &parsed, err);
	if (r < 0)
		return r;

	*ret = parsed;
	return 0;
}

uint64_t mount_word_propagation(const char *name)
{
	const struct word *word = find_word(name);

	return word && word->class == WORD_PROPAGATION ? word->ms : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *mount_words_all(size_t *ret_n)
{
	static const char *names[ARRAY_LEN(words)];

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		names[i] = words[i].name;
	qsort(names, ARRAY_LEN(names), sizeof(names[0]), compare_names);
	*ret_n = ARRAY_LEN(names);
	return names;
}

void mount_flags_text(unsigned long flags, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words) && len < size; i++) {
		const struct word *word = &words[i];

		if (word->clear || word->recursive || !word->ms ||
		    word->class == WORD_PROPAGATION || !(flags & word->ms))
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? "," : "", word->name);
	}
}
