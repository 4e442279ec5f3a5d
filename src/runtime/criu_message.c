/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/criu_message.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* ---- requests ----------------------------------------------------------------------------------------------- */

enum kind { KIND_INT, KIND_BOOL, KIND_TEXT, KIND_TEXTS, KIND_PAIRS };

#define OPTION(number, kind, member)                                                               \
	{                                                                                          \
		number, KIND_##kind, offsetof(struct criu_options, member)                         \
	}

/* criu_opts of rpc.proto: number, what it is, where its value is */
static const struct {
	uint8_t number;
	uint8_t kind;
	uint16_t offset;
} option_fields[] = {
	OPTION(1, INT, images_dir_fd),
	OPTION(2, INT, pid),
	OPTION(3, BOOL, leave_running),
	OPTION(4, BOOL, ext_unix_sk),
	OPTION(5, BOOL, tcp_established),
	OPTION(6, BOOL, evasive_devices),
	OPTION(7, BOOL, shell_job),
	OPTION(8, BOOL, file_locks),
	OPTION(9, INT, log_level),
	OPTION(10, TEXT, log_file),
	OPTION(11, PAIRS, page_server),
	OPTION(12, BOOL, notify_scripts),
	OPTION(13, TEXT, root),
	OPTION(14, TEXT, parent_img),
	OPTION(15, BOOL, track_mem),
	OPTION(16, BOOL, auto_dedup),
	OPTION(17, INT, work_dir_fd),
	OPTION(18, BOOL, link_remap),
	OPTION(23, PAIRS, ext_mnt),
	OPTION(24, BOOL, manage_cgroups),
	OPTION(25, PAIRS, cg_root),
	OPTION(26, BOOL, rst_sibling),
	OPTION(27, PAIRS, inherit_fd),
	OPTION(34, INT, manage_cgroups_mode),
	OPTION(37, TEXTS, external),
	OPTION(38, INT, empty_ns),
	OPTION(39, PAIRS, join_ns),
	OPTION(44, TEXT, freeze_cgroup),
	OPTION(46, BOOL, tcp_skip_in_flight),
	OPTION(50, BOOL, orphan_pts_master),
	OPTION(51, TEXT, config_file),
	OPTION(52, BOOL, tcp_close),
	OPTION(53, TEXT, lsm_profile),
	OPTION(63, TEXT, lsm_mount_context),
};

/* criu_req */
enum {
	REQUEST_TYPE = 1,
	REQUEST_OPTIONS = 2,
	REQUEST_NOTIFY_SUCCESS = 3,
	REQUEST_KEEP_OPEN = 4,
	REQUEST_FEATURES = 5
};

void criu_pairs_add(struct arena *arena, struct criu_pairs *pairs, const char *key,
		    const char *value, int32_t number)
{
	struct criu_pair *grown;

	if (pairs->n == pairs->capacity) {
		pairs->capacity = pairs->capacity ? pairs->capacity * 2 : 16;
		grown = arena_array(arena, pairs->capacity, sizeof(*grown));
		if (pairs->n)
			memcpy(grown, pairs->items, pairs->n * sizeof(*grown));
		pairs->items = grown;
	}
	pairs->items[pairs->n++] =
		(struct criu_pair){ .key = key, .value = value, .number = number };
}

static void write_pair(struct protobuf_writer *w, uint32_t field, const struct criu_pair *pair)
{
	struct protobuf_writer inner = { .arena = w->arena };

	if (pair->key)
		protobuf_put_text(&inner, 1, pair->key);
	if (pair->value)
		protobuf_put_text(&inner, 2, pair->value);
	else
		protobuf_put_int(&inner, 2, pair->number);
	protobuf_put_bytes(w, field, inner.bytes, inner.len);
}

static void write_option(struct protobuf_writer *w, uint32_t field, enum kind kind,
			 const void *member)
{
	const struct str_list *texts = member;
	const struct criu_pairs *pairs = member;
	const char *text;
	int32_t number;

	switch (kind) {
	case KIND_INT:
		memcpy(&number, member, sizeof(number));
		if (number != CRIU_NONE)
			protobuf_put_int(w, field, number);
		break;
	case KIND_BOOL:
		if (*(const bool *)member)
			protobuf_put_int(w, field, 1);
		break;
	case KIND_TEXT:
		memcpy(&text, member, sizeof(text));
		if (text)
			protobuf_put_text(w, field, text);
		break;
	case KIND_TEXTS:
		for (size_t i = 0; i < texts->n; i++)
			protobuf_put_text(w, field, texts->items[i]);
		break;
	case KIND_PAIRS:
		for (size_t i = 0; i < pairs->n; i++)
			write_pair(w, field, &pairs->items[i]);
		break;
	}
}

static void write_options(struct protobuf_writer *w, const struct criu_options *options)
{
	struct protobuf_writer inner = { .arena = w->arena };

	for (size_t i = 0; i < ARRAY_LEN(option_fields); i++)
		write_option(&inner, option_fields[i].number, (enum kind)option_fields[i].kind,
			     (const char *)options + option_fields[i].offset);
	protobuf_put_bytes(w, REQUEST_OPTIONS, inner.bytes, inner.len);
}

size_t criu_request_write(struct arena *arena, const struct criu_request *request,
			  uint8_t **ret_bytes)
{
	static const uint8_t mem_track[] = { 1 << 3, 1 };
	struct protobuf_writer w = { .arena = arena };

	protobuf_put_int(&w, REQUEST_TYPE, request->type);
	if (request->options)
		write_options(&w, request->options);
	if (request->type == CRIU_NOTIFY)
		protobuf_put_int(&w, REQUEST_NOTIFY_SUCCESS, request->notify_success);
	if (request->keep_open)
		protobuf_put_int(&w, REQUEST_KEEP_OPEN, 1);
	if (request->ask_mem_track)
		protobuf_put_bytes(&w, REQUEST_FEATURES, mem_track, sizeof(mem_track));
	*ret_bytes = w.bytes;
	return w.len;
}

/* ---- responses ---------------------------------------------------------------------------------------------- */

#define ANSWER(outer, inner, kind, member)                                                         \
	{                                                                                          \
		outer, inner, KIND_##kind, sizeof(((struct criu_response *)0)->member),            \
			offsetof(struct criu_response, member)                                     \
	}

/* criu_resp: number, number in the message that this is or 0, what it is, where it goes */
static const struct answer {
	uint8_t outer, inner;
	uint8_t kind;
	uint16_t size, offset;
} answer_fields[] = {
	ANSWER(1, 0, INT, type),       ANSWER(2, 0, BOOL, success),  ANSWER(4, 1, INT, pid),
	ANSWER(5, 1, TEXT, script),    ANSWER(5, 2, INT, pid),       ANSWER(7, 0, INT, cr_errno),
	ANSWER(8, 1, BOOL, mem_track), ANSWER(9, 0, TEXT, message),  ANSWER(10, 1, INT, major),
	ANSWER(10, 2, INT, minor),     ANSWER(10, 4, INT, sublevel),
};

static int store(const struct answer *answer, const struct protobuf_field *field,
		 struct criu_response *ret)
{
	char *member = (char *)ret + answer->offset;
	int32_t number = (int32_t)(uint32_t)field->value;
	size_t len;

	if (field->is_bytes != (answer->kind == KIND_TEXT))
		return -EPROTO;
	if (answer->kind == KIND_INT) {
		memcpy(member, &number, sizeof(number));
	} else if (answer->kind == KIND_BOOL) {
		*(bool *)member = field->value != 0;
	} else {
		len = field->len < answer->size ? field->len : answer->size - 1u;
		memcpy(member, field->bytes, len);
		member[len] = '\0';
	}
	return 0;
}

static const struct answer *find_answer(uint32_t outer, uint32_t inner)
{
	for (size_t i = 0; i < ARRAY_LEN(answer_fields); i++) {
		if (answer_fields[i].outer == outer && answer_fields[i].inner == inner)
			return &answer_fields[i];
	}
	return NULL;
}

/* Is the field a message of which we know something? */
static bool holds_answers(uint32_t outer)
{
	for (size_t i = 0; i < ARRAY_LEN(answer_fields); i++) {
		if (answer_fields[i].outer == outer)
			return answer_fields[i].inner != 0;
	}
	return false;
}

static int read_inner(const struct protobuf_field *outer, struct criu_response *ret)
{
	struct protobuf_reader reader;
	struct protobuf_field field;
	int r;

	if (!outer->is_bytes)
		return -EPROTO;
	reader = (struct protobuf_reader){ outer->bytes, outer->bytes + outer->len };
	while ((r = protobuf_next(&reader, &field)) > 0) {
		const struct answer *answer = find_answer(outer->number, field.number);

		r = answer ? store(answer, &field, ret) : 0;
		if (r < 0)
			return r;
	}
	return r;
}

int criu_response_read(const uint8_t *bytes, size_t len, struct criu_response *ret)
{
	struct protobuf_reader reader = { bytes, bytes + len };
	struct criu_response response = { .type = CRIU_NONE };
	struct protobuf_field field;
	bool has_success = false;
	int r;

	while ((r = protobuf_next(&reader, &field)) > 0) {
		const struct answer *answer = find_answer(field.number, 0);

		r = 0;
		if (holds_answers(field.number))
			r = read_inner(&field, &response);
		else if (answer)
			r = store(answer, &field, &response);
		if (r < 0)
			return r;
		has_success |= field.number == 2;
	}
	if (r < 0 || response.type < 0 || !has_success)
		return -EPROTO;
	*ret = response;
	return 0;
}
