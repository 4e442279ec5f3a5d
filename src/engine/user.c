/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/user.h"

#include "base/lines.h"
#include "base/num.h"
#include "os/path.h"

#include <fcntl.h>
#include <string.h>

/* passwd: name:password:uid:gid:...; group: name:password:gid:member,member */
enum { NAME = 0, PASSWD_UID = 2, PASSWD_GID = 3, GROUP_GID = 2, GROUP_MEMBERS = 3 };

struct search {
	struct arena *arena;
	const char *name; /* looked for by name; NULL: by id */
	uint32_t id;
	struct user *user;
	bool found;
};

static bool is_field(const char *field, const char *text)
{
	size_t len = strcspn(field, ":");

	return len == strlen(text) && memcmp(field, text, len) == 0;
}

static bool take_passwd(void *arg, const char *line)
{
	struct search *search = arg;
	const char *uid = line_field(line, PASSWD_UID), *gid = line_field(line, PASSWD_GID);
	uint32_t u, g;

	if (!uid || !gid || !line_number(uid, &u) || !line_number(gid, &g))
		return false;
	if (search->name ? !is_field(line, search->name) : u != search->id)
		return false;
	search->user->uid = u;
	search->user->gid = g;
	search->user->name = arena_strndup(search->arena, line, strcspn(line, ":"));
	return search->found = true;
}

static bool take_group(void *arg, const char *line)
{
	struct search *search = arg;
	const char *gid = line_field(line, GROUP_GID);

	if (!gid || !is_field(line, search->name) || !line_number(gid, &search->id))
		return false;
	return search->found = true;
}

static void add_group(struct arena *arena, struct user *user, uint32_t gid)
{
	struct u32_list *list = &user->groups;

	if (gid == user->gid || list->n == USER_GROUPS_MAX)
		return;
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i] == gid)
			return;
	}
	list->items = arena_grow(arena, list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = gid;
}

static bool has_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		size_t n = strcspn(members, ",:");

		if (n == len && memcmp(members, name, n) == 0)
			return true;
		if (members[n] != ',')
			return false;
		members += n + 1;
	}
}

static bool take_membership(void *arg, const char *line)
{
	struct search *search = arg;
	const char *gid = line_field(line, GROUP_GID), *members = line_field(line, GROUP_MEMBERS);
	uint32_t g;

	if (gid && members && line_number(gid, &g) && has_member(members, search->user->name))
		add_group(search->arena, search->user, g);
	return false;
}

/* Each line of a file of the container's. One that is not there has none; nor has what is no file. */
static int each_line(int root, const char *path, bool (*take)(void *, const char *),
		     struct search *search, struct err *err)
{
	defer_close int fd = os_open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open the container's \"%s\"", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	r = lines_each(fd, take, search);
	return r < 0 ? err_set(err, r, "read the container's \"%s\"", path) : 0;
}

static bool is_number(const char *text, uint32_t *ret)
{
	uint64_t value;

	/* 2^32-1 means "no id" to the kernel. */
	if (num_parse_u64(text, 0, UINT32_MAX - 1, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int find_user(struct arena *arena, int root, const char *text, struct user *user,
		     struct err *err)
{
	struct search search = { .arena = arena, .user = user };
	bool number = is_number(text, &search.id);
	int r;

	search.name = number ? NULL : text;
	user->uid = search.id;
	r = each_line(root, "/etc/passwd", take_passwd, &search, err);
	if (r < 0 || search.found || number)
		return r;
	err_user(err, "user \"%s\" is not in the container's /etc/passwd", text);
	return err_hint(err, "give a number, or a user that the image has");
}

static int find_group(struct arena *arena, int root, const char *text, uint32_t *ret,
		      struct err *err)
{
	struct search search = { .arena = arena, .name = text };
	int r;

	if (is_number(text, ret))
		return 0;
	r = each_line(root, "/etc/group", take_group, &search, err);
	if (r < 0)
		return r;
	if (!search.found) {
		err_user(err, "group \"%s\" is not in the container's /etc/group", text);
		return err_hint(err, "give a number, or a group that the image has");
	}
	*ret = search.id;
	return 0;
}

static int find_groups(struct arena *arena, int root, const char *group, struct user *user,
		       struct err *err)
{
	struct search search = { .arena = arena, .user = user };

	if (group)
		return find_group(arena, root, group, &user->gid, err);
	if (!user->name)
		return 0;
	return each_line(root, "/etc/group", take_membership, &search, err);
}

int user_find(struct arena *arena, int root, const char *text, const struct str_list *extra,
	      struct user *ret, struct err *err)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	const char *group = colon && colon[1] ? colon + 1 : NULL;
	const char *name = !text   ? "0"
			   : colon ? arena_strndup(arena, text, (size_t)(colon - text))
				   : text;
	struct user user = { .uid = 0 };
	uint32_t gid;
	int r = find_user(arena, root, *name ? name : "0", &user, err);

	if (r == 0)
		r = find_groups(arena, root, group, &user, err);
	for (size_t i = 0; r == 0 && i < extra->n; i++) {
		r = find_group(arena, root, extra->items[i], &gid, err);
		if (r == 0)
			add_group(arena, &user, gid);
	}
	if (r == 0)
		*ret = user;
	return r;
}
