/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One decoder for every OCI document: a table of fields for each kind of object says which names it may have, of which
 * type they are and where in the C struct they go. What the tables can't say (a grammar, a contradiction between two
 * properties) is a small check function named in the table.
 *
 *     static const struct field root_fields[] = {
 *             { "path", STRING(struct config_root, path), .flags = REQUIRED | NOT_EMPTY },
 *             { "readonly", BOOL(struct config_root, readonly) },
 *     };
 *     const struct object root_object = OBJECT(struct config_root, root_fields, NULL);
 *
 * The macros (STRING, BOOL...) check at compile time that the member has the type that the field writes. A property whose
 * value is null counts as absent, as it does in every peer. Names that no table has are collected, never an error.
 */
#ifndef TARE_SPEC_DECODE_H
#define TARE_SPEC_DECODE_H

#include "base/json.h"
#include "spec/config.h"
#include "spec/words.h"

struct object;

struct decoder {
	struct arena *arena;
	const char *name; /* what messages call the document: "config.json" */
	const char *text; /* the document, for lines */
	size_t len;
	struct err *err;
	const struct object *top; /* what the whole document is, for advice; may be NULL */
	bool open; /* anybody may add names to it: unknown ones are neither collected nor counted */
	struct config_ignored_list ignored; /* what was not understood, in the file's order */
};

enum field_kind {
	FIELD_IGNORED, /* known, but not for us; .why says so */
	FIELD_BOOL,
	FIELD_OPT_BOOL,
	FIELD_I32,
	FIELD_U32,
	FIELD_U64,
	FIELD_I64,
	FIELD_OPT_I64,
	FIELD_OPT_U64,
	FIELD_OPT_U32,
	FIELD_OPT_U16,
	FIELD_STRING,
	FIELD_STRINGS,    /* struct str_list */
	FIELD_U32S,       /* struct u32_list */
	FIELD_STRING_MAP, /* struct key_value_list */
	FIELD_WORD,       /* one of .words, its value as an integer of .size bytes */
	FIELD_WORD_BITS,  /* a list of .words, their values OR'ed */
	FIELD_GROUP,      /* an object whose members are in the same struct */
	FIELD_OBJECT,     /* an object with a struct of its own at .offset */
	FIELD_OBJECTS,    /* a list of them: { items, n } */
	/* an object of objects: { items, n }, the name is the first member of each */
	FIELD_OBJECT_MAP,
	FIELD_CUSTOM, /* .custom does it all */
};

enum {
	REQUIRED = 1,
	NOT_EMPTY = 2,       /* string, each string in a list: at least one character */
	EMPTY_IS_ABSENT = 4, /* "" is what Go writes for a string that nobody set */
	ABSOLUTE = 8,        /* string, each string in a list: a path that begins with / */
	MARKS_SET = 16,      /* object: its struct begins with bool set */
	NOT_MINUS_ONE = 32,  /* uint32: 4294967295 is -1, which means "leave it" to the kernel */
	LIST_NOT_EMPTY = 64, /* list: at least one entry */
};

/* A check sees a value that has the right type; @out is where it went. Return: 0, or decode_fail()'s. */
typedef int check_fn(struct decoder *d, const struct json *v, void *out);

struct field {
	const char *name;
	enum field_kind kind;
	uint16_t offset, size; /* of the member */
	uint16_t flags;
	int64_t min;  /* integers: from .min ... */
	uint64_t max; /* ... to .max; 0: whatever the type holds */
	const struct words *words;
	const struct object *object;
	check_fn *check; /* also for each string of a list; may be NULL */
	check_fn *custom;
	const char *why; /* FIELD_IGNORED */
};

struct object {
	const struct field *fields;
	size_t n_fields;
	size_t size;
	check_fn *check; /* when all fields are decoded; may be NULL */
};

#define OBJECT(type, table, check_)                                                                \
	{                                                                                          \
		(table), ARRAY_LEN(table), sizeof(type), (check_)                                  \
	}

/* Compiles only if the member is of that type. */
#define MEMBER(kind_, ctype, type, member)                                                         \
	.kind = (kind_), .size = sizeof(ctype),                                                    \
	.offset = offsetof(type, member) +                                                         \
		  0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->member),    \
							       ctype)                              \
					  ? 1                                                      \
					  : -1])

#define BOOL(type, member)       MEMBER(FIELD_BOOL, bool, type, member)
#define OPT_BOOL(type, member)   MEMBER(FIELD_OPT_BOOL, struct opt_bool, type, member)
#define I32(type, member)        MEMBER(FIELD_I32, int32_t, type, member)
#define U32(type, member)        MEMBER(FIELD_U32, uint32_t, type, member)
#define I64(type, member)        MEMBER(FIELD_I64, int64_t, type, member)
#define U64(type, member)        MEMBER(FIELD_U64, uint64_t, type, member)
#define OPT_I64(type, member)    MEMBER(FIELD_OPT_I64, struct opt_i64, type, member)
#define OPT_U64(type, member)    MEMBER(FIELD_OPT_U64, struct opt_u64, type, member)
#define OPT_U32(type, member)    MEMBER(FIELD_OPT_U32, struct opt_u32, type, member)
#define OPT_U16(type, member)    MEMBER(FIELD_OPT_U16, struct opt_u16, type, member)
#define STRING(type, member)     MEMBER(FIELD_STRING, const char *, type, member)
#define STRINGS(type, member)    MEMBER(FIELD_STRINGS, struct str_list, type, member)
#define U32S(type, member)       MEMBER(FIELD_U32S, struct u32_list, type, member)
#define STRING_MAP(type, member) MEMBER(FIELD_STRING_MAP, struct key_value_list, type, member)

#define WORD(type, member, table)                                                                  \
	.kind = FIELD_WORD, .offset = offsetof(type, member), .size = sizeof(((type *)0)->member), \
	.words = &(table)
#define WORD_BITS(type, member, table)                                                             \
	.kind = FIELD_WORD_BITS, .offset = offsetof(type, member),                                 \
	.size = sizeof(((type *)0)->member), .words = &(table)
#define GROUP(object_) .kind = FIELD_GROUP, .object = &(object_)
#define SECTION(type, member, object_)                                                             \
	.kind = FIELD_OBJECT, .offset = offsetof(type, member),                                    \
	.size = sizeof(((type *)0)->member), .object = &(object_)
#define OBJECTS(type, member, object_)                                                             \
	.kind = FIELD_OBJECTS, .offset = offsetof(type, member), .object = &(object_)
#define OBJECT_MAP(type, member, object_)                                                          \
	.kind = FIELD_OBJECT_MAP, .offset = offsetof(type, member), .object = &(object_)
#define CUSTOM(type, member, fn)                                                                   \
	.kind = FIELD_CUSTOM, .offset = offsetof(type, member), .custom = (fn)
#define IGNORED(why_) .kind = FIELD_IGNORED, .why = (why_)

/*
 * decode_document() - parse d->text and fill @out from it; @object becomes d->top
 * @out: as for decode_object()
 * Return: 0; -EINVAL with d->err
 */
int decode_document(struct decoder *d, const struct object *object, void *out) MUST_CHECK;

/*
 * decode_object() - fill @out from the members of @v
 * @out: zeroed by the caller; what the document doesn't give stays as it is
 * Return: 0; -EINVAL with d->err
 */
int decode_object(struct decoder *d, const struct object *object, const struct json *v,
		  void *out) MUST_CHECK;

/* decode_value() - one value as @field says, into the struct at @base; for what a custom function does not do itself */
int decode_value(struct decoder *d, const struct field *field, const struct json *v,
		 void *base) MUST_CHECK;

/*
 * decode_fail() - complain about @v: read "name": <text>, with pointer and line
 * Return: -EINVAL
 */
int decode_fail(struct decoder *d, const struct json *v, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* decode_got() - the value as a complaint shows it: string "abc", number 12, an array; in @d's arena */
const char *decode_got(struct decoder *d, const struct json *v);

/* Nobody writes so many by mistake; bounds what `explain` and the log get to show. */
#define IGNORED_MAX 256

/*
 * decode_ignored() - note that @v has no effect, and why
 * @near: where it was perhaps meant to be, a pointer in the arena, or NULL
 *
 * Return: 0; -EINVAL when there are more than IGNORED_MAX
 */
int decode_ignored(struct decoder *d, const struct json *v, const char *near,
		   const char *why) MUST_CHECK;

/* decode_unknown() - the same for a name that @object doesn't have, with the name that was meant, if we can tell */
int decode_unknown(struct decoder *d, const struct object *object, const struct json *v) MUST_CHECK;

#endif
