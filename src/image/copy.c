/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two walks: the first makes everything, the second gives directories their times, which what is made in them changes.
 */
#include "image/copy.h"

#include "base/string_map.h"
#include "image/compare.h"
#include "image/xattr.h"
#include "os/walk.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { ACL_TAG_USER = 2, ACL_TAG_GROUP = 8 };

struct copy {
	struct beside to;
	struct arena arena;
	struct string_map linked; /* "DEVICE:INODE" of what has several names: the first of them */
	const struct id_map *map; /* NULL: as they are, and without overlayfs's attributes */
	struct err *err;
};

static int fail(struct copy *copy, int code, const struct walk_node *node)
{
	return err_set(copy->err, code, "copy \"/%s\"", node->path);
}

static int copy_content(const struct walk_node *node, int parent)
{
	defer_close int from =
		openat(node->parent, node->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	defer_close int to = openat(parent, node->name,
				    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n;

	if (from < 0 || to < 0)
		return -errno;
	/* Where the filesystem can share the blocks, that is all. */
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while ((n = sendfile(to, from, NULL, 1 << 30)) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int copy_link(const struct walk_node *node, int parent)
{
	char target[4096];
	ssize_t n = readlinkat(node->parent, node->name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, parent, node->name) < 0 ? -errno : 0;
}

static int make_node(const struct walk_node *node, int parent)
{
	mode_t type = node->st.st_mode & S_IFMT;

	if (type == S_IFREG)
		return copy_content(node, parent);
	if (type == S_IFLNK)
		return copy_link(node, parent);
	if (type == S_IFDIR)
		return mkdirat(parent, node->name, 0700) < 0 ? -errno : 0;
	return mknodat(parent, node->name, type | 0600, node->st.st_rdev) < 0 ? -errno : 0;
}

static uint32_t map_id(const struct id_map *map, uint32_t id)
{
	return map && id < map->size ? id + map->host_id : id;
}

/* What posix_acl_xattr.h of the kernel lays out, little-endian: a version, then entries of tag, permissions and id */
static void map_acl(const struct id_map *map, unsigned char *value, size_t len)
{
	for (size_t at = 4; at + 8 <= len; at += 8) {
		uint16_t tag = (uint16_t)(value[at] | value[at + 1] << 8);
		uint32_t id;

		if (tag != ACL_TAG_USER && tag != ACL_TAG_GROUP)
			continue;
		memcpy(&id, value + at + 4, sizeof(id));
		id = htole32(map_id(map, le32toh(id)));
		memcpy(value + at + 4, &id, sizeof(id));
	}
}

/* Capabilities that count for whoever is root in the initial user namespace: for the container's root, instead. */
static void map_capabilities(struct copy *copy, struct xattr *x)
{
	struct vfs_ns_cap_data data = { 0 };

	if (x->len != XATTR_CAPS_SZ_2)
		return;
	memcpy(&data, x->value, XATTR_CAPS_SZ_2);
	data.magic_etc =
		htole32(VFS_CAP_REVISION_3 | (le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE));
	data.rootid = htole32(copy->map->host_id);
	x->value = memcpy(arena_alloc(&copy->arena, sizeof(data)), &data, sizeof(data));
	x->len = sizeof(data);
}

static void map_attribute(struct copy *copy, struct xattr *x)
{
	if (strcmp(x->name, "security.capability") == 0)
		map_capabilities(copy, x);
	else if (strncmp(x->name, "system.posix_acl_", 17) == 0)
		map_acl(copy->map, (unsigned char *)(uintptr_t)x->value, x->len);
}

/* Owner first: changing it takes set-uid bits and capabilities away. */
static int copy_attributes(struct copy *copy, const struct walk_node *node, int parent,
			   const char *name)
{
	const struct timespec times[] = { node->st.st_atim, node->st.st_mtim };
	struct xattr_list list;
	int r;

	if (fchownat(parent, name, map_id(copy->map, node->st.st_uid),
		     map_id(copy->map, node->st.st_gid), AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(node->st.st_mode) && fchmodat(parent, name, node->st.st_mode & 07777, 0) < 0)
		return -errno;
	r = copy->map ? xattr_list_of_layer(node->parent, node->name, &copy->arena, &list)
		      : xattr_list(node->parent, node->name, &copy->arena, &list);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (copy->map)
			map_attribute(copy, &list.items[i]);
		r = xattr_set(parent, name, list.items[i].name, list.items[i].value,
			      list.items[i].len);
	}
	if (r < 0)
		return r;
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* Return: 1 if it is another name of what is there already; 0; -errno */
static int link_again(struct copy *copy, const struct walk_node *node, int parent)
{
	const struct string_map_entry *first;
	char key[48];

	if (S_ISDIR(node->st.st_mode) || node->st.st_nlink < 2)
		return 0;
	snprintf(key, sizeof(key), "%llx:%llx", (unsigned long long)node->st.st_dev,
		 (unsigned long long)node->st.st_ino);
	first = string_map_find(&copy->linked, key);
	if (!first) {
		string_map_add(&copy->linked, key, arena_strdup(&copy->arena, node->path));
		return 0;
	}
	return linkat(copy->to.root, first->value, parent, node->name, 0) < 0 ? -errno : 1;
}

static int copy_node(void *arg, const struct walk_node *node)
{
	struct copy *copy = arg;
	int parent, r;

	if (!*node->path)
		return 0;
	parent = beside_parent(&copy->to, node);
	if (parent < 0)
		return fail(copy, parent, node);
	r = link_again(copy, node, parent);
	if (r == 0) {
		r = make_node(node, parent);
		if (r == 0)
			r = copy_attributes(copy, node, parent, node->name);
	}
	return r < 0 ? fail(copy, r, node) : 0;
}

static int finish_directory(void *arg, const struct walk_node *node)
{
	struct copy *copy = arg;
	int parent, r;

	if (!S_ISDIR(node->st.st_mode))
		return 0;
	parent = beside_parent(&copy->to, node);
	if (parent < 0)
		return fail(copy, parent, node);
	r = copy_attributes(copy, node, parent, node->name);
	return r < 0 ? fail(copy, r, node) : 0;
}

static int copy_all(int from, int to, const struct id_map *map, struct err *err)
{
	struct copy copy = { .map = map, .err = err };
	int r;

	beside_init(&copy.to, to);
	copy.linked.arena = &copy.arena;
	r = os_walk(from, copy_node, &copy);
	if (r == 0)
		r = os_walk(from, finish_directory, &copy);
	beside_clear(&copy.to);
	arena_clear(&copy.arena);
	/* The walk itself failed: on what, nobody has said. */
	if (r < 0 && !err->code)
		return err_set(err, r, "copy the tree");
	return r;
}

int copy_tree(int from, int to, struct err *err)
{
	return copy_all(from, to, NULL, err);
}

int copy_layer(int from, int to, const struct id_map *map, struct err *err)
{
	return copy_all(from, to, map, err);
}
