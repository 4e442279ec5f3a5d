/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One node of a layer. The order matters: chown takes set-uid bits and file capabilities away, so owner, then mode, then
 * attributes; and everything changes the times, so they come last. A directory's default ACL is for layer.c to set at the end
 * of all, since what is made in the directory would inherit it.
 */
#include "image/layer_internal.h"
#include "image/xattr.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A node of which a file is still open: by its fd everything takes less than by its name. */
struct node {
	const struct place *place;
	int fd; /* -EBADF: it goes by its name */
};

/* ---- content ---------------------------------------------------------------------------------------------------- */

static int write_at(int fd, const char *bytes, size_t len, off_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_content(struct archive *archive, struct archive_entry *entry, int fd,
			 struct layer_result *result, struct err *err)
{
	la_int64_t offset, end = 0;
	const void *block;
	size_t len;
	int r;

	while ((r = archive_read_data_block(archive, &block, &len, &offset)) == ARCHIVE_OK) {
		r = write_at(fd, block, len, offset);
		if (r < 0)
			return err_set(err, r, "write");
		result->bytes += len;
		end = offset + (la_int64_t)len;
	}
	if (r != ARCHIVE_EOF)
		return err_user(err, "its content can't be read: %s",
				archive_error_string(archive));
	/* A hole at its end. */
	if (archive_entry_size_is_set(entry) && archive_entry_size(entry) != end &&
	    ftruncate(fd, archive_entry_size(entry)) < 0)
		return err_sys(err, "set its size");
	return 0;
}

/* Return: its fd; -errno */
static int make_file(struct archive *archive, struct archive_entry *entry,
		     const struct place *place, struct layer_result *result, struct err *err)
{
	defer_close int fd = openat(place->parent, place->name,
				    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(err, "make the file");
	r = write_content(archive, entry, fd, result, err);
	return r < 0 ? r : take_fd(&fd);
}

static int make_link(struct archive_entry *entry, const struct place *place, struct err *err)
{
	const char *text = archive_entry_symlink(entry);

	if (!text)
		text = archive_entry_symlink_utf8(entry);
	if (!text || !*text)
		return err_user(err, "a symbolic link to nowhere");
	if (symlinkat(text, place->parent, place->name) < 0)
		return err_sys(err, "make the symbolic link");
	return 0;
}

/* Return: 0; 1 if it was left out */
static int make_special(struct archive_entry *entry, const struct place *place,
			const struct layer_options *options, struct layer_result *result,
			struct err *err)
{
	mode_t type = archive_entry_filetype(entry);
	dev_t number = type == S_IFIFO ? 0
				       : makedev(archive_entry_rdevmajor(entry),
						 archive_entry_rdevminor(entry));

	/* To overlayfs it would be a whiteout, which a layer can ask for by name. */
	if (type == S_IFCHR && number == 0)
		return err_user(err, "a character device 0/0 is a whiteout to overlayfs");
	if (mknodat(place->parent, place->name, type | 0600, number) == 0)
		return 0;
	if (errno != EPERM || !options->may_skip || type == S_IFIFO)
		return err_sys(err, "make the %s", type == S_IFIFO ? "pipe" : "device");
	result->devices_skipped++;
	return 1;
}

/* ---- attributes ------------------------------------------------------------------------------------------------- */

static int set_xattr(const struct node *node, const char *name, const void *value, size_t len,
		     const struct layer_options *options, struct layer_result *result,
		     struct err *err)
{
	int r;

	/* A redirect or an opaque mark of the layer's own making could show what other layers hide. */
	if (xattr_is_overlays(name)) {
		result->xattrs_skipped++;
		return 0;
	}
	if (node->fd >= 0)
		r = fsetxattr(node->fd, name, value, len, 0) < 0 ? -errno : 0;
	else
		r = xattr_set(node->place->parent, node->place->name, name, value, len);
	if (r < 0 && options->may_skip && (r == -EPERM || r == -EOPNOTSUPP)) {
		result->xattrs_skipped++;
		return 0;
	}
	return r < 0 ? err_set(err, r, "set the attribute \"%s\"", name) : 0;
}

static int set_xattrs(struct archive_entry *entry, const struct node *node,
		      const struct layer_options *options, struct layer_result *result,
		      struct err *err)
{
	const char *name;
	const void *value;
	size_t len;
	int r = 0;

	archive_entry_xattr_reset(entry);
	while (r == 0 && archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		if (strcmp(name, LAYER_DEFAULT_ACL) != 0)
			r = set_xattr(node, name, value, len, options, result, err);
	}
	return r;
}

static int set_access_acl(struct archive_entry *entry, const struct node *node,
			  const struct layer_options *options, struct layer_result *result,
			  struct err *err)
{
	unsigned char value[LAYER_ACL_MAX];
	int len = layer_acl_encode(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value, sizeof(value));

	/* It names a user without saying the number, which here may be another's. */
	if (len < 0) {
		result->xattrs_skipped++;
		return 0;
	}
	return len == 0 ? 0
			: set_xattr(node, "system.posix_acl_access", value, (size_t)len, options,
				    result, err);
}

size_t layer_node_default_acl(struct archive_entry *entry, unsigned char *buf,
			      struct layer_result *result)
{
	const char *name;
	const void *value;
	size_t len;
	int r;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		if (!strcmp(name, LAYER_DEFAULT_ACL) && len <= LAYER_ACL_MAX) {
			memcpy(buf, value, len);
			return len;
		}
	}
	r = layer_acl_encode(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, buf, LAYER_ACL_MAX);
	result->xattrs_skipped += r < 0;
	return r < 0 ? 0 : (size_t)r;
}

int layer_node_times(struct archive_entry *entry, struct timespec ret[2])
{
	if (!archive_entry_mtime_is_set(entry))
		return 0;
	ret[1] = (struct timespec){ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };
	ret[0] = ret[1];
	if (archive_entry_atime_is_set(entry))
		ret[0] = (struct timespec){ archive_entry_atime(entry),
					    archive_entry_atime_nsec(entry) };
	return 1;
}

static int set_owner_and_mode(struct archive_entry *entry, const struct node *node, struct err *err)
{
	const struct place *place = node->place;
	uid_t uid = (uid_t)archive_entry_uid(entry);
	gid_t gid = (gid_t)archive_entry_gid(entry);
	mode_t mode = archive_entry_perm(entry);
	int r = node->fd >= 0 ? fchown(node->fd, uid, gid)
			      : fchownat(place->parent, place->name, uid, gid, AT_SYMLINK_NOFOLLOW);

	if (r < 0) {
		err_sys(err, "give it to %lld:%lld", (long long)archive_entry_uid(entry),
			(long long)archive_entry_gid(entry));
		/* Ids that this user namespace has not */
		if (err->code == -EINVAL)
			err_hint(err, "the user has too few subordinate ids in /etc/subuid and "
				      "/etc/subgid: usermod --add-subuids 100000-165535 "
				      "--add-subgids 100000-165535 USER");
		return err->code;
	}
	if (archive_entry_filetype(entry) == S_IFLNK)
		return 0;
	/* It is no link, and nobody else is here to make it one. */
	r = node->fd >= 0 ? fchmod(node->fd, mode) : fchmodat(place->parent, place->name, mode, 0);
	return r < 0 ? err_sys(err, "set its mode") : 0;
}

static int set_times(struct archive_entry *entry, const struct node *node, struct err *err)
{
	const struct place *place = node->place;
	struct timespec times[2];
	int r;

	if (archive_entry_filetype(entry) == S_IFDIR || !layer_node_times(entry, times))
		return 0;
	r = node->fd >= 0 ? futimens(node->fd, times)
			  : utimensat(place->parent, place->name, times, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? err_sys(err, "set its times") : 0;
}

static int set_attributes(struct archive_entry *entry, const struct node *node,
			  const struct layer_options *options, struct layer_result *result,
			  struct err *err)
{
	int r = set_owner_and_mode(entry, node, err);

	if (r == 0)
		r = set_xattrs(entry, node, options, result, err);
	if (r == 0)
		r = set_access_acl(entry, node, options, result, err);
	return r < 0 ? r : set_times(entry, node, err);
}

int layer_node_attributes(struct archive_entry *entry, const struct place *place,
			  const struct layer_options *options, struct layer_result *result,
			  struct err *err)
{
	const struct node node = { .place = place, .fd = -EBADF };

	return set_attributes(entry, &node, options, result, err);
}

/* ---- a node ----------------------------------------------------------------------------------------------------- */

int layer_node_make(struct archive *archive, struct archive_entry *entry, const struct place *place,
		    const struct layer_options *options, struct layer_result *result,
		    struct err *err)
{
	defer_close int fd = -EBADF;
	struct node node = { .place = place, .fd = -EBADF };
	int r;

	switch (archive_entry_filetype(entry)) {
	case S_IFREG:
		r = node.fd = fd = make_file(archive, entry, place, result, err);
		break;
	case S_IFLNK:
		r = make_link(entry, place, err);
		break;
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
		r = make_special(entry, place, options, result, err);
		if (r > 0)
			return 0;
		break;
	default:
		return err_user(err, "an entry of a type that no layer can have (%#o)",
				(unsigned)archive_entry_filetype(entry));
	}
	return r < 0 ? r : set_attributes(entry, &node, options, result, err);
}
