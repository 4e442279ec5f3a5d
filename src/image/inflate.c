/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One input buffer, filled from the source whenever a method has used it up; each method turns input into output and says
 * when a member has ended. Whether another one follows is decided in one place for all.
 */
#include "image/inflate.h"

#include "base/defer.h"

#include <archive.h>
#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* What was received, hashed and written a moment ago should still be in the cache when it is inflated. */
#define INPUT_BYTES ((size_t)64 * 1024)
/* What ISA-L may have taken beyond the end of a member, into its bit buffer. */
#define GIVE_BACK_MAX 8

/*
 * method_fn - inflate some of the input
 *
 * Uses inflate->input from ->at to ->end, more of it by refill(). Return: bytes made, 0 at the end of all; -errno
 */
typedef ssize_t method_fn(struct inflate *inflate, void *buf, size_t size, struct err *err);

struct inflate {
	struct stream stream; /* first: what is read from it is what was inflated */
	struct stream *source;
	const char *name;
	method_fn *method;
	uint64_t limit, made;
	bool source_ended, ended;
	bool in_member; /* gzip, zstd: the end of the input would be in the middle of one */
	size_t at,
		end; /* what of the input is still to be used; before it, the last bytes that were */
	struct inflate_state gzip;
	ZSTD_DStream *zstd;
	struct archive *archive;
	uint64_t handed; /* bytes of the source that the archive was given */
	unsigned char input[GIVE_BACK_MAX + INPUT_BYTES];
};

/* ---- input ------------------------------------------------------------------------------------------------------ */

/* Return: 0, also at the end of the source; -errno */
static int read_more(struct inflate *inflate, struct err *err)
{
	unsigned char *free_space = inflate->input + inflate->end;
	ssize_t n = inflate->source->read(inflate->source, free_space,
					  sizeof(inflate->input) - inflate->end, err);

	if (n < 0)
		return (int)n;
	inflate->source_ended = n == 0;
	inflate->end += (size_t)n;
	return 0;
}

static int refill(struct inflate *inflate, struct err *err)
{
	if (inflate->at < inflate->end || inflate->source_ended)
		return 0;
	memmove(inflate->input, inflate->input + inflate->end - GIVE_BACK_MAX, GIVE_BACK_MAX);
	inflate->at = inflate->end = GIVE_BACK_MAX;
	return read_more(inflate, err);
}

static bool is_used_up(const struct inflate *inflate)
{
	return inflate->at == inflate->end && inflate->source_ended;
}

static int damaged(const struct inflate *inflate, struct err *err)
{
	return err_user(err, "the %s data is damaged", inflate->name);
}

static int cut_off(const struct inflate *inflate, struct err *err)
{
	return err_user(err, "the %s data is cut off", inflate->name);
}

/*
 * next_member() - a member has ended, or nothing has begun: does one begin here?
 * @first: its first byte; if it is something else after all, the method will say so
 *
 * Return: 1; 0 at the end of all; -errno, also if something else follows
 */
static int next_member(struct inflate *inflate, unsigned char first, struct err *err)
{
	bool zeros = false;
	int r;

	for (;;) {
		r = refill(inflate, err);
		if (r < 0)
			return r;
		if (is_used_up(inflate))
			return 0;
		if (inflate->input[inflate->at] != 0)
			break;
		zeros = true;
		inflate->at++;
	}
	if (!zeros && inflate->input[inflate->at] == first)
		return 1;
	return err_user(err, "something follows the end of the %s data", inflate->name);
}

/* ---- methods ---------------------------------------------------------------------------------------------------- */

static ssize_t plain(struct inflate *inflate, void *buf, size_t size, struct err *err)
{
	size_t n;
	int r = refill(inflate, err);

	if (r < 0)
		return r;
	n = inflate->end - inflate->at < size ? inflate->end - inflate->at : size;
	memcpy(buf, inflate->input + inflate->at, n);
	inflate->at += n;
	return (ssize_t)n;
}

#define GZIP_FIRST 0x1f

/* One call of ISA-L's. Return: bytes made; -errno */
static ssize_t gzip_step(struct inflate *inflate, void *buf, size_t size, struct err *err)
{
	struct inflate_state *state = &inflate->gzip;
	uint32_t room = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	int r;

	state->next_in = inflate->input + inflate->at;
	state->avail_in = (uint32_t)(inflate->end - inflate->at);
	state->next_out = buf;
	state->avail_out = room;
	r = isal_inflate(state);
	inflate->at = inflate->end - state->avail_in;
	if (r < 0)
		return damaged(inflate, err);
	return room - state->avail_out;
}

/* Whole bytes in the bit buffer belong to what follows. */
static void gzip_member_end(struct inflate *inflate)
{
	inflate->at -= (size_t)inflate->gzip.read_in_length / 8;
	inflate->in_member = false;
}

static ssize_t gzip(struct inflate *inflate, void *buf, size_t size, struct err *err)
{
	ssize_t n;
	int r;

	for (;;) {
		if (!inflate->in_member) {
			r = next_member(inflate, GZIP_FIRST, err);
			if (r <= 0)
				return r;
			isal_inflate_reset(&inflate->gzip);
			inflate->gzip.crc_flag = ISAL_GZIP;
			inflate->in_member = true;
		}
		r = refill(inflate, err);
		if (r < 0)
			return r;
		n = gzip_step(inflate, buf, size, err);
		if (n < 0)
			return n;
		if (inflate->gzip.block_state == ISAL_BLOCK_FINISH)
			gzip_member_end(inflate);
		else if (n == 0 && is_used_up(inflate))
			return cut_off(inflate, err);
		if (n > 0)
			return n;
	}
}

/* Also a skippable frame begins a member; its magic has 16 forms. */
static bool is_zstd(const unsigned char *bytes, size_t len)
{
	static const unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (len < 4)
		return false;
	return !memcmp(bytes, frame, 4) || ((bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a &&
					    bytes[2] == 0x4d && bytes[3] == 0x18);
}

static ssize_t zstd(struct inflate *inflate, void *buf, size_t size, struct err *err)
{
	ZSTD_outBuffer out = { buf, size, 0 };

	for (;;) {
		ZSTD_inBuffer in = { inflate->input, inflate->end, inflate->at };
		size_t left;
		int r = refill(inflate, err);

		if (r < 0)
			return r;
		if (is_used_up(inflate) && !inflate->in_member)
			return 0;
		in.size = inflate->end;
		in.pos = inflate->at;
		left = ZSTD_decompressStream(inflate->zstd, &out, &in);
		if (ZSTD_isError(left))
			return err_user(err, "the zstd data is damaged: %s",
					ZSTD_getErrorName(left));
		inflate->at = in.pos;
		if (out.pos == 0 && inflate->in_member && is_used_up(inflate) && left != 0)
			return cut_off(inflate, err);
		inflate->in_member = left != 0;
		if (out.pos > 0)
			return (ssize_t)out.pos;
	}
}

/* bzip2 and xz: libarchive takes care of members and of the end. */
static la_ssize_t archive_input(struct archive *archive, void *arg, const void **ret)
{
	struct inflate *inflate = arg;
	struct err err = ERR_INIT;
	size_t n;
	int r = refill(inflate, &err);

	if (r < 0) {
		archive_set_error(archive, -r, "%s", err.text);
		return -1;
	}
	*ret = inflate->input + inflate->at;
	n = inflate->end - inflate->at;
	inflate->at = inflate->end;
	inflate->handed += n;
	return (la_ssize_t)n;
}

static int through_archive_begin(struct inflate *inflate, struct err *err)
{
	struct archive_entry *entry;
	struct archive *archive = inflate->archive = archive_read_new();

	if (!archive || archive_read_support_filter_bzip2(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
	    archive_read_support_format_raw(archive) != ARCHIVE_OK ||
	    archive_read_open(archive, inflate, NULL, archive_input, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return err_user(err, "the %s data can't be read: %s", inflate->name,
				archive ? archive_error_string(archive) : "out of memory");
	/* What it doesn't recognise it would hand on as it is. */
	return archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE ? damaged(inflate, err) : 0;
}

/* libarchive leaves alone what follows the last bzip2 stream. Return: 0; -EINVAL if that is something */
static int through_archive_end(struct inflate *inflate, struct err *err)
{
	uint64_t left = inflate->handed - (uint64_t)archive_filter_bytes(inflate->archive, -1);

	/* What it was given last is still in the buffer. */
	if (left > inflate->end - GIVE_BACK_MAX)
		return damaged(inflate, err);
	inflate->at = inflate->end - (size_t)left;
	return next_member(inflate, 0, err);
}

static ssize_t through_archive(struct inflate *inflate, void *buf, size_t size, struct err *err)
{
	la_ssize_t n = archive_read_data(inflate->archive, buf, size);

	if (n > 0)
		return n;
	if (n == 0)
		return through_archive_end(inflate, err);
	return err_user(err, "the %s data is damaged: %s", inflate->name,
			archive_error_string(inflate->archive));
}

/* ---- which ------------------------------------------------------------------------------------------------------ */

#define MAGIC_MAX 6

static bool begins_with(const struct inflate *inflate, const char *magic, size_t len)
{
	return inflate->end - inflate->at >= len &&
	       !memcmp(inflate->input + inflate->at, magic, len);
}

static int choose(struct inflate *inflate, struct err *err)
{
	if (begins_with(inflate, "\x1f\x8b", 2)) {
		inflate->name = "gzip";
		inflate->method = gzip;
		isal_inflate_init(&inflate->gzip);
		return 0;
	}
	if (is_zstd(inflate->input + inflate->at, inflate->end - inflate->at)) {
		inflate->name = "zstd";
		inflate->method = zstd;
		inflate->zstd = ZSTD_createDStream();
		return inflate->zstd ? 0 : err_set(err, -ENOMEM, "begin to inflate");
	}
	if (begins_with(inflate, "BZh", 3) || begins_with(inflate,
							  "\xfd"
							  "7zXZ\0",
							  6)) {
		inflate->name = inflate->input[inflate->at] == 'B' ? "bzip2" : "xz";
		inflate->method = through_archive;
		return through_archive_begin(inflate, err);
	}
	inflate->name = "uncompressed";
	inflate->method = plain;
	return 0;
}

/* A source may give its bytes one by one; the magic needs some of them. */
static int read_magic(struct inflate *inflate, struct err *err)
{
	int r = 0;

	inflate->at = inflate->end = GIVE_BACK_MAX;
	while (r == 0 && inflate->end - inflate->at < MAGIC_MAX && !inflate->source_ended)
		r = read_more(inflate, err);
	return r;
}

static ssize_t read_stream(struct stream *stream, void *buf, size_t size, struct err *err)
{
	return inflate_read((struct inflate *)(void *)stream, buf, size, err);
}

struct stream *inflate_stream(struct inflate *inflate)
{
	return &inflate->stream;
}

int inflate_new(struct stream *source, uint64_t limit, struct inflate **ret, struct err *err)
{
	struct inflate *inflate = calloc(1, sizeof(*inflate));
	int r;

	if (!inflate)
		return err_set(err, -ENOMEM, "begin to inflate");
	inflate->stream.read = read_stream;
	inflate->source = source;
	inflate->limit = limit;
	r = read_magic(inflate, err);
	if (r == 0)
		r = choose(inflate, err);
	if (r < 0) {
		inflate_free(inflate);
		return r;
	}
	*ret = inflate;
	return 0;
}

void inflate_free(struct inflate *inflate)
{
	if (!inflate)
		return;
	ZSTD_freeDStream(inflate->zstd);
	archive_read_free(inflate->archive);
	free(inflate);
}

const char *inflate_name(const struct inflate *inflate)
{
	return inflate->name;
}

ssize_t inflate_read(struct inflate *inflate, void *buf, size_t size, struct err *err)
{
	ssize_t n;

	if (inflate->ended)
		return 0;
	n = inflate->method(inflate, buf, size, err);
	if (n < 0)
		return n;
	inflate->ended = n == 0;
	inflate->made += (uint64_t)n;
	if (inflate->made > inflate->limit)
		return err_user(err, "it inflates to more than the limit of %" PRIu64 " bytes",
				inflate->limit);
	return n;
}
