/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a container's process is: "name", "name:group", "uid", "uid:gid" or "", looked up in the container's own /etc/passwd and
 * /etc/group. These files came with the image, so they are read through the root's fd, with limits, and what is no number
 * in them is nobody.
 *
 * Spec: image-spec config.md "User"; conversion.md
 */
#ifndef TARE_ENGINE_USER_H
#define TARE_ENGINE_USER_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

/* NGROUPS_MAX is the kernel's limit. */
#define USER_GROUPS_MAX 65536

struct user {
	uint32_t uid, gid;
	struct u32_list groups; /* supplementary, without gid */
	const char *name;       /* NULL: passwd doesn't know the uid */
};

/*
 * user_find() - look a user up
 * @root:  directory of the container's root filesystem
 * @text:  as above; NULL or "": root
 * @extra: more groups, by name or number (--group-add)
 *
 * A number need not be in passwd; then it has group 0 and no other, as of docker. With a group of its own in @text, passwd's
 * supplementary groups are not the user's.
 * Return: 0; -EINVAL if a name is not there; -errno
 */
int user_find(struct arena *arena, int root, const char *text, const struct str_list *extra,
	      struct user *ret, struct err *err) MUST_CHECK;

#endif
