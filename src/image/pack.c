/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libarchive writes pax: only what a plain header can't say gets an extended one. ACLs are written as the attributes that they
 * are to the kernel, which is what docker and containerd read and write.
 */
#include "image/pack.h"

#include "base/string_map.h"
#include "image/archive_sink.h"
#include "image/compare.h"
#include "image/xattr.h"
#include "os/walk.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define WHITEOUT       ".wh."
#define OPAQUE         ".wh..wh..opq"
#define WHITEOUT_MODE  0600
#define FORMAT_OPTIONS "pax:xattrheader=SCHILY"

struct pack {
	const struct pack_options *options;
	struct archive_sink sink;
	struct pack_result *result;
	struct archive *archive;
	struct archive_entry *entry;
	struct arena arena;       /* what lasts: names of files with several names */
	struct string_map inodes; /* -> the first name */
	struct arena entry_arena; /* what one entry needs */
	struct err *err;
	char buffer[128 * 1024];
};

/* ---- the archive ------------------------------------------------------------------------------------------------ */

static int not_written(struct pack *p)
{
	return archive_sink_failed(&p->sink, p->archive, "the tar can't hold it");
}

static int open_archive(struct pack *p)
{
	p->archive = archive_write_new();
	p->entry = archive_entry_new();
	if (!p->archive || !p->entry)
		return err_set(p->err, -ENOMEM, "begin to write a tar");
	if (archive_write_set_format_pax(p->archive) != ARCHIVE_OK ||
	    archive_write_set_options(p->archive, FORMAT_OPTIONS) != ARCHIVE_OK)
		return not_written(p);
	return archive_sink_open(&p->sink, p->archive);
}

/* A warning would be about a name that can't be in UTF-8; then the bytes are kept as they are. */
static int put_header(struct pack *p)
{
	int r = archive_write_header(p->archive, p->entry);

	p->result->entries++;
	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : not_written(p);
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static void begin_entry(struct pack *p, const char *path, mode_t mode)
{
	archive_entry_clear(p->entry);
	archive_entry_set_pathname(p->entry, *path ? path : "./");
	archive_entry_set_mode(p->entry, mode);
}

static void describe(struct pack *p, const struct stat *st)
{
	bool late = st->st_mtim.tv_sec > p->options->newest;

	archive_entry_set_uid(p->entry, st->st_uid);
	archive_entry_set_gid(p->entry, st->st_gid);
	archive_entry_set_mtime(p->entry, late ? p->options->newest : st->st_mtim.tv_sec,
				late ? 0 : st->st_mtim.tv_nsec);
}

static int add_xattrs(struct pack *p, const struct walk_node *node)
{
	struct xattr_list list;
	int r = xattr_list(node->parent, node->name, &p->entry_arena, &list);

	if (r < 0)
		return err_set(p->err, r, "read its attributes");
	/* libarchive writes them last to first */
	for (size_t i = list.n; i > 0; i--)
		archive_entry_xattr_add_entry(p->entry, list.items[i - 1].name,
					      list.items[i - 1].value, list.items[i - 1].len);
	return 0;
}

static int put_content(struct pack *p, int fd, uint64_t left)
{
	while (left) {
		size_t size = left < sizeof(p->buffer) ? (size_t)left : sizeof(p->buffer);
		ssize_t n = read(fd, p->buffer, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(p->err, "read it");
		if (n == 0)
			return err_user(p->err, "it became shorter while it was read");
		if (archive_write_data(p->archive, p->buffer, (size_t)n) != n)
			return not_written(p);
		left -= (uint64_t)n;
	}
	return 0;
}

static int put_file(struct pack *p, const struct walk_node *node)
{
	defer_close int fd = openat(node->parent, node->name,
				    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(p->err, "open it");
	if (!S_ISREG(st.st_mode) || st.st_ino != node->st.st_ino)
		return err_user(p->err, "it was replaced while it was read");
	archive_entry_set_size(p->entry, st.st_size);
	r = put_header(p);
	return r < 0 ? r : put_content(p, fd, (uint64_t)st.st_size);
}

static int put_link(struct pack *p, const struct walk_node *node)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(node->parent, node->name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(p->err, "read the link");
	target[n] = '\0';
	archive_entry_set_symlink(p->entry, target);
	return put_header(p);
}

static int put_node(struct pack *p, const struct walk_node *node)
{
	begin_entry(p, node->path, node->st.st_mode);
	describe(p, &node->st);
	if (add_xattrs(p, node) < 0)
		return p->err->code;
	switch (node->st.st_mode & S_IFMT) {
	case S_IFREG:
		return put_file(p, node);
	case S_IFLNK:
		return put_link(p, node);
	case S_IFCHR:
	case S_IFBLK:
		archive_entry_set_rdevmajor(p->entry, major(node->st.st_rdev));
		archive_entry_set_rdevminor(p->entry, minor(node->st.st_rdev));
		return put_header(p);
	default:
		return put_header(p);
	}
}

/* ---- files with several names ----------------------------------------------------------------------------------- */

/* Return: 1 if it was written as another name of what was written before; 0; -errno */
static int put_other_name(struct pack *p, const struct walk_node *node)
{
	struct string_map_entry *first;
	char inode[48];

	if (S_ISDIR(node->st.st_mode) || node->st.st_nlink < 2)
		return 0;
	snprintf(inode, sizeof(inode), "%jx:%jx", (uintmax_t)node->st.st_dev,
		 (uintmax_t)node->st.st_ino);
	first = string_map_find(&p->inodes, inode);
	if (!first) {
		string_map_add(&p->inodes, inode, arena_strdup(&p->arena, node->path));
		return 0;
	}
	begin_entry(p, node->path, node->st.st_mode);
	describe(p, &node->st);
	archive_entry_set_hardlink(p->entry, first->value);
	archive_entry_set_size(p->entry, 0);
	return put_header(p) < 0 ? p->err->code : 1;
}

/* ---- overlayfs's own -------------------------------------------------------------------------------------------- */

/* A mark of a layer, which is always the same: what it hides had times and owners, it has none. */
static int put_mark(struct pack *p, const char *path)
{
	begin_entry(p, path, S_IFREG | WHITEOUT_MODE);
	archive_entry_set_uid(p->entry, 0);
	archive_entry_set_gid(p->entry, 0);
	archive_entry_set_mtime(p->entry, 0, 0);
	archive_entry_set_size(p->entry, 0);
	return put_header(p);
}

static int put_whiteout(struct pack *p, const struct walk_node *node)
{
	int len = (int)(strlen(node->path) - strlen(node->name));

	return put_mark(p, arena_printf(&p->entry_arena, "%.*s" WHITEOUT "%s", len, node->path,
					node->name));
}

/* What lies below can't be told from this directory alone. */
static int refuse_shortcuts(struct pack *p, const struct walk_node *node)
{
	const char *name = xattr_elsewhere(node->parent, node->name);

	return name ? err_user(p->err,
			       "it has overlayfs's attribute \"%s\", so a part of it is in another "
			       "layer",
			       name)
		    : 0;
}

static int put_upper(struct pack *p, const struct walk_node *node)
{
	const char *slash = *node->path ? "/" : "";
	int r = refuse_shortcuts(p, node);

	if (r == 0)
		r = put_node(p, node);
	if (r < 0 || !S_ISDIR(node->st.st_mode))
		return r;
	r = xattr_is_opaque(node->parent, node->name);
	if (r < 0)
		return err_set(p->err, r, "find out whether it is opaque");
	return r ? put_mark(p, arena_printf(&p->entry_arena, "%s%s" OPAQUE, node->path, slash)) : 0;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static int pack_node(struct pack *p, const struct walk_node *node)
{
	int r;

	if (compare_is_whiteout(&node->st))
		return p->options->is_upper
			       ? put_whiteout(p, node)
			       : err_user(p->err,
					  "a character device 0/0 is a whiteout to overlayfs");
	if (!p->options->is_whole && !strncmp(node->name, WHITEOUT, strlen(WHITEOUT)))
		return err_user(p->err, "its name would hide another file in a layer");
	if (S_ISSOCK(node->st.st_mode)) {
		p->result->sockets++;
		return 0;
	}
	r = put_other_name(p, node);
	if (r != 0)
		return r < 0 ? r : 0;
	return p->options->is_upper ? put_upper(p, node) : put_node(p, node);
}

static int walked(void *arg, const struct walk_node *node)
{
	struct pack *p = arg;
	int r = p->options->choose ? p->options->choose(p->options->arg, node, p->err) : 0;

	/* The root itself may be left out, but not what is in it. */
	if (r == 1)
		return *node->path != '\0';
	if (r == 0)
		r = pack_node(p, node);
	arena_reset(&p->entry_arena);
	return r < 0 ? err_context(p->err, "pack \"/%s\"", node->path) : 0;
}

/* What is packed, with libarchive in the right state of mind. */
struct job {
	int (*run)(struct pack *p, const struct job *job);
	int fd;
	const char *name;
};

static int run_job(const struct job *job, const struct pack_options *options, struct sink *out,
		   struct pack_result *ret, struct err *err)
{
	/* For libarchive, which takes names for what the locale says: in the C locale, most of them are nothing at all. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	struct pack *p = calloc(1, sizeof(*p));
	int r;

	if (!p || !utf8) {
		free(p);
		if (utf8)
			freelocale(utf8);
		return err_set(err, -ENOMEM, "begin to write a tar");
	}
	*ret = (struct pack_result){ 0 };
	p->options = options;
	p->sink = (struct archive_sink){ out, err };
	p->result = ret;
	p->err = err;
	p->inodes.arena = &p->arena;
	before = uselocale(utf8);
	r = open_archive(p);
	if (r == 0)
		r = job->run(p, job);
	if (r == 0 && archive_write_close(p->archive) != ARCHIVE_OK)
		r = not_written(p);
	archive_write_free(p->archive);
	archive_entry_free(p->entry);
	uselocale(before);
	freelocale(utf8);
	arena_clear(&p->arena);
	arena_clear(&p->entry_arena);
	free(p);
	return r;
}

static int run_tree(struct pack *p, const struct job *job)
{
	int r = os_walk(job->fd, walked, p);

	return r < 0 && !p->err->code ? err_set(p->err, r, "walk through the directory") : r;
}

int pack_tree(int root, const struct pack_options *options, struct sink *out,
	      struct pack_result *ret, struct err *err)
{
	const struct job job = { .run = run_tree, .fd = root };

	return run_job(&job, options, out, ret, err);
}

static int run_program(struct pack *p, const struct job *job)
{
	struct stat st;
	int r;

	if (fstat(job->fd, &st) < 0)
		return err_sys(p->err, "stat the program");
	begin_entry(p, job->name, S_IFREG | 0755);
	describe(p, &st);
	archive_entry_set_uid(p->entry, 0);
	archive_entry_set_gid(p->entry, 0);
	archive_entry_set_size(p->entry, st.st_size);
	r = put_header(p);
	return r < 0 ? r : put_content(p, job->fd, (uint64_t)st.st_size);
}

int pack_program(int fd, const char *name, const struct pack_options *options, struct sink *out,
		 struct err *err)
{
	const struct job job = { .run = run_program, .fd = fd, .name = name };
	struct pack_result result;

	return run_job(&job, options, out, &result, err);
}
