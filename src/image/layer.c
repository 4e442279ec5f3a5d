/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/layer.h"

#include "base/arena.h"
#include "base/string_map.h"
#include "image/compare.h"
#include "image/layer_internal.h"
#include "image/xattr.h"
#include "os/path.h"
#include "os/remove.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"
/* What aufs needed for itself; no layer means anything by them. */
#define AUFS ".wh..wh."

/* How much of a name an error shows. */
#define SHOWN_MAX 300

/* What a directory gets at the end: what is made in it changes its times, and would inherit its default ACL. */
struct finish {
	struct finish *older;
	bool has_times;
	struct timespec times[2];
	size_t acl_len; /* 0: none */
	const void *acl;
	char path[];
};

struct unpack {
	int root;
	const struct layer_options *options;
	struct layer_result *result;
	struct archive *archive;
	struct arena arena;
	struct finish *directories; /* the last first */
	/* the directory of the last entry, since the next is often in it, too */
	int parent;
	bool replaced; /* that entry replaced something: the same path may lead elsewhere now */
	char parent_path[PATH_MAX];
};

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* The entry's path without "." and double "/"; empty for the root itself. Return: 0; -EINVAL */
static int clean(const char *text, char *ret, struct err *err)
{
	char *out = ret;

	for (;;) {
		size_t len;

		text += strspn(text, "/");
		len = strcspn(text, "/");
		if (!len)
			break;
		if (len == 2 && !memcmp(text, "..", 2))
			return err_user(err, "\"..\" in the name of an entry");
		if (len > NAME_MAX || (size_t)(out - ret) + len + 2 > PATH_MAX)
			return err_user(err, "the name of an entry is too long");
		if (len != 1 || *text != '.') {
			if (out != ret)
				*out++ = '/';
			memcpy(out, text, len);
			out += len;
		}
		text += len;
	}
	*out = '\0';
	return 0;
}

/* Split @path at its last "/"; the parent's path is what is before it. */
static char *split(char *path, char **ret_name)
{
	char *slash = strrchr(path, '/');

	*ret_name = slash ? slash + 1 : path;
	if (!slash)
		return path + strlen(path);
	*slash = '\0';
	return path;
}

static void forget_parent(struct unpack *u)
{
	defer_close_fn(&u->parent);
	u->parent = -EBADF;
}

/* The directory that an entry is in. What is missing of it is made, since a layer need not name all that it is below. */
static int enter_parent(struct unpack *u, const char *path, struct err *err)
{
	struct stat st;
	int fd;

	if (u->parent >= 0 && !u->replaced && strcmp(u->parent_path, path) == 0)
		return 0;
	forget_parent(u);
	u->replaced = false;
	fd = os_open_in_root(u->root, *path ? path : "/", O_PATH, 0);
	if (fd == -ENOENT)
		fd = os_make_in_root(u->root, path, S_IFDIR, 0755, NULL, NULL);
	if (fd < 0)
		return err_set(err, fd, "enter \"/%s\"", path);
	u->parent = fd;
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_user(err, "\"/%s\" is no directory", path);
	strcpy(u->parent_path, path);
	return 0;
}

/* ---- what is there already -------------------------------------------------------------------------------------- */

/* Return: 1 with its stat; 0 if there is nothing; -errno */
static int look(const struct place *place, struct stat *st, struct err *err)
{
	if (fstatat(place->parent, place->name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(err, "look for it");
}

static int make_room(struct unpack *u, const struct place *place, struct err *err)
{
	int r = os_remove_tree(place->parent, place->name);

	u->replaced |= r == 0;
	return r < 0 && r != -ENOENT ? err_set(err, r, "replace what was there") : 0;
}

/* ---- whiteouts -------------------------------------------------------------------------------------------------- */

static int make_opaque(struct unpack *u, const struct place *place, struct err *err)
{
	const char *name =
		u->options->user_xattrs ? "user.overlay.opaque" : "trusted.overlay.opaque";
	int r = xattr_set(place->parent, place->name, name, "y", 1);

	return r < 0 ? err_set(err, r, "make the directory opaque") : 0;
}

static int make_whiteout(struct unpack *u, const struct place *place, struct err *err)
{
	struct stat st;
	int r = look(place, &st, err);

	if (r < 0)
		return r;
	if (r == 0 && mknodat(place->parent, place->name, S_IFCHR, 0) < 0)
		return err_sys(err, "make the whiteout");
	/* Of this layer: it stays. A file hides what is below it anyway, a directory must be told to. */
	return r > 0 && S_ISDIR(st.st_mode) ? make_opaque(u, place, err) : 0;
}

/* Return: 1 if the entry was one; 0 if it is an ordinary entry; -errno */
static int take_whiteout(struct unpack *u, const struct place *place, struct err *err)
{
	struct place hidden = { place->parent, place->name + strlen(WHITEOUT) };
	struct place here = { u->parent, "." };
	int r;

	if (strncmp(place->name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	if (strcmp(place->name, OPAQUE) == 0)
		r = make_opaque(u, &here, err);
	else if (strncmp(place->name, AUFS, strlen(AUFS)) == 0)
		r = 0;
	else if (!*hidden.name || !strcmp(hidden.name, ".") || !strcmp(hidden.name, ".."))
		r = err_user(err, "a whiteout of nothing");
	else
		r = make_whiteout(u, &hidden, err);
	return r < 0 ? r : 1;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static void note_directory(struct unpack *u, const char *path, struct archive_entry *entry)
{
	struct finish *noted = arena_alloc(&u->arena, sizeof(*noted) + strlen(path) + 1);
	unsigned char acl[LAYER_ACL_MAX];

	strcpy(noted->path, path);
	noted->has_times = layer_node_times(entry, noted->times);
	noted->acl_len = layer_node_default_acl(entry, acl, u->result);
	if (noted->acl_len)
		noted->acl = memcpy(arena_alloc(&u->arena, noted->acl_len), acl, noted->acl_len);
	noted->older = u->directories;
	u->directories = noted;
}

/* Where something is already. Return: 0; 1 if it was a whiteout; -errno */
static int replace_by_directory(struct unpack *u, const struct place *place, struct err *err)
{
	struct stat st = { 0 };
	int r = look(place, &st, err);

	if (r < 0 || (r > 0 && S_ISDIR(st.st_mode)))
		return r < 0 ? r : 0;
	r = make_room(u, place, err);
	if (r < 0)
		return r;
	if (mkdirat(place->parent, place->name, 0700) < 0)
		return err_sys(err, "make the directory");
	return compare_is_whiteout(&st);
}

static int take_directory(struct unpack *u, const struct place *place, const char *path,
			  struct archive_entry *entry, struct err *err)
{
	int was_whiteout = 0, r;

	if (mkdirat(place->parent, place->name, 0700) < 0) {
		if (errno != EEXIST)
			return err_sys(err, "make the directory");
		was_whiteout = replace_by_directory(u, place, err);
		if (was_whiteout < 0)
			return was_whiteout;
	}
	r = layer_node_attributes(entry, place, u->options, u->result, err);
	if (r == 0 && was_whiteout)
		r = make_opaque(u, place, err);
	note_directory(u, path, entry);
	return r;
}

/* Only to what this layer has: a link into a lower one would be a link into another filesystem. */
static int take_hard_link(struct unpack *u, const struct place *place, const char *path,
			  const char *text, struct err *err)
{
	defer_close int parent = -EBADF;
	char target[PATH_MAX], *name, *dir;
	struct stat st;
	int r = clean(text, target, err);

	if (r < 0)
		return r;
	if (strcmp(target, path) == 0)
		return err_user(err, "a hard link to itself");
	dir = split(target, &name);
	parent = os_open_in_root(u->root, *dir ? dir : "/", O_PATH | O_DIRECTORY, 0);
	if (!*name || parent < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    compare_is_whiteout(&st))
		return err_user(err, "a hard link to \"%s\", which is not in this layer", text);
	if (S_ISDIR(st.st_mode))
		return err_user(err, "a hard link to \"%s\", which is a directory", text);
	if (linkat(parent, name, place->parent, place->name, 0) == 0)
		return 0;
	r = errno == EEXIST ? make_room(u, place, err) : 0;
	if (r < 0)
		return r;
	return linkat(parent, name, place->parent, place->name, 0) < 0
		       ? err_sys(err, "make the hard link")
		       : 0;
}

/* What is in its way is found out by trying: mostly nothing is. */
static int take_node(struct unpack *u, const struct place *place, struct archive_entry *entry,
		     struct err *err)
{
	int r = layer_node_make(u->archive, entry, place, u->options, u->result, err);

	if (r != -EEXIST)
		return r;
	r = make_room(u, place, err);
	return r < 0 ? r : layer_node_make(u->archive, entry, place, u->options, u->result, err);
}

static int take_below(struct unpack *u, char *path, struct archive_entry *entry, struct err *err)
{
	const char *link = archive_entry_hardlink(entry);
	char whole[PATH_MAX], *name, *dir;
	struct place place;
	int r;

	if (!link)
		link = archive_entry_hardlink_utf8(entry);
	strcpy(whole, path);
	dir = split(path, &name);
	r = enter_parent(u, dir, err);
	if (r < 0)
		return r;
	place = (struct place){ u->parent, name };
	r = take_whiteout(u, &place, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (link)
		return take_hard_link(u, &place, whole, link, err);
	if (archive_entry_filetype(entry) == S_IFDIR)
		return take_directory(u, &place, whole, entry, err);
	return take_node(u, &place, entry, err);
}

static int take_root(struct unpack *u, struct archive_entry *entry, struct err *err)
{
	const struct place place = { u->root, "." };

	if (archive_entry_filetype(entry) != S_IFDIR)
		return err_user(err, "the root of a layer is a directory");
	note_directory(u, "", entry);
	return layer_node_attributes(entry, &place, u->options, u->result, err);
}

/* The end of a long name says most, and leaves room for what is wrong. */
static int about_entry(const char *name, struct err *err)
{
	size_t len = strlen(name);

	return err_context(err, "entry \"%s%s\"", len > SHOWN_MAX ? "..." : "",
			   len > SHOWN_MAX ? name + len - SHOWN_MAX : name);
}

static int take_entry(struct unpack *u, struct archive_entry *entry, struct err *err)
{
	const char *name = archive_entry_pathname(entry);
	char path[PATH_MAX];
	int r;

	/* What pax says in UTF-8, the C locale has no form for. */
	if (!name)
		name = archive_entry_pathname_utf8(entry);
	if (!name)
		return err_user(err, "an entry without a name");
	if (++u->result->entries > LAYER_ENTRIES_MAX)
		return err_user(err, "more than %d entries", LAYER_ENTRIES_MAX);
	r = clean(name, path, err);
	if (r == 0)
		r = *path ? take_below(u, path, entry, err) : take_root(u, entry, err);
	return r < 0 ? about_entry(name, err) : 0;
}

/* ---- the archive ------------------------------------------------------------------------------------------------ */

struct input {
	struct stream *stream;
	struct err err;         /* what stopped it; code 0: nothing did */
	char buffer[64 * 1024]; /* still in the cache when it goes to its file */
};

static la_ssize_t read_input(struct archive *archive, void *arg, const void **ret)
{
	struct input *input = arg;
	ssize_t n = input->stream->read(input->stream, input->buffer, sizeof(input->buffer),
					&input->err);

	*ret = input->buffer;
	if (n < 0)
		archive_set_error(archive, EIO, "%s", input->err.text);
	return n < 0 ? -1 : n;
}

static int no_tar(struct archive *archive, const struct input *input, struct err *err)
{
	/* The stream's own words are better than libarchive's about them. */
	if (input->err.code) {
		*err = input->err;
		return err->code;
	}
	return err_user(err, "the tar can't be read: %s", archive_error_string(archive));
}

static int take_entries(struct unpack *u, struct input *input, struct err *err)
{
	struct archive_entry *entry;
	int r;

	for (;;) {
		r = archive_read_next_header(u->archive, &entry);
		if (r == ARCHIVE_EOF)
			return 0;
		/* A warning is about a name that the C locale can't show, which take_entry() reads another way. */
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return no_tar(u->archive, input, err);
		r = take_entry(u, entry, err);
		if (r < 0)
			return input->err.code ? no_tar(u->archive, input, err) : r;
	}
}

/* What follows the end of the archive belongs to the content as well. */
static int drain(struct input *input, struct err *err)
{
	ssize_t n;

	do {
		n = input->stream->read(input->stream, input->buffer, sizeof(input->buffer), err);
	} while (n > 0);
	return (int)n;
}

static int finish_directory(struct unpack *u, const struct finish *noted, struct err *err)
{
	defer_close int fd = os_open_in_root(u->root, *noted->path ? noted->path : "/",
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	/* A later entry may have put something else in its place. */
	if (fd == -ENOTDIR || fd == -ENOENT || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open \"/%s\"", noted->path);
	if (noted->acl_len && fsetxattr(fd, LAYER_DEFAULT_ACL, noted->acl, noted->acl_len, 0) < 0) {
		if (!u->options->may_skip || (errno != EPERM && errno != EOPNOTSUPP))
			return err_sys(err, "set the default ACL of \"/%s\"", noted->path);
		u->result->xattrs_skipped++;
	}
	if (noted->has_times && futimens(fd, noted->times) < 0)
		return err_sys(err, "set the times of \"/%s\"", noted->path);
	return 0;
}

/* The last entry of a directory is the one that counts. */
static int finish_directories(struct unpack *u, struct err *err)
{
	struct string_map done = { .arena = &u->arena };
	int r = 0;

	for (struct finish *noted = u->directories; r == 0 && noted; noted = noted->older) {
		if (string_map_add(&done, noted->path, NULL))
			r = finish_directory(u, noted, err);
	}
	return r;
}

static int open_archive(struct unpack *u, struct input *input, struct err *err)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return err_set(err, -ENOMEM, "begin to read the tar");
	if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(u->archive) != ARCHIVE_OK ||
	    archive_read_open(u->archive, input, NULL, read_input, NULL) != ARCHIVE_OK)
		return no_tar(u->archive, input, err);
	return 0;
}

int layer_unpack(int root, struct stream *tar, const struct layer_options *options,
		 struct layer_result *ret, struct err *err)
{
	struct unpack u = { .root = root, .options = options, .result = ret, .parent = -EBADF };
	struct input *input = calloc(1, sizeof(*input));
	mode_t before;
	int r;

	if (!input)
		return err_set(err, -ENOMEM, "begin to unpack");
	*ret = (struct layer_result){ 0 };
	input->stream = tar;
	input->err = ERR_INIT;
	before = umask(0);
	r = open_archive(&u, input, err);
	if (r == 0)
		r = take_entries(&u, input, err);
	if (r == 0)
		r = drain(input, err);
	if (r == 0)
		r = finish_directories(&u, err);
	umask(before);
	forget_parent(&u);
	archive_read_free(u.archive);
	arena_clear(&u.arena);
	free(input);
	return r;
}

static int scan_entries(struct unpack *u, struct input *input, struct err *err)
{
	struct archive_entry *entry;
	int r;

	do {
		r = archive_read_next_header(u->archive, &entry);
	} while (r == ARCHIVE_OK || r == ARCHIVE_WARN);
	return r == ARCHIVE_EOF ? 0 : no_tar(u->archive, input, err);
}

int layer_scan(struct stream *tar, struct err *err)
{
	struct unpack u = { .parent = -EBADF };
	struct input *input = calloc(1, sizeof(*input));
	int r;

	if (!input)
		return err_set(err, -ENOMEM, "begin to read the tar");
	input->stream = tar;
	input->err = ERR_INIT;
	r = open_archive(&u, input, err);
	if (r == 0)
		r = scan_entries(&u, input, err);
	if (r == 0)
		r = drain(input, err);
	archive_read_free(u.archive);
	free(input);
	return r;
}
