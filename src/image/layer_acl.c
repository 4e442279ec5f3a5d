/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX ACLs, from libarchive's form to that of the kernel's attribute (linux/posix_acl_xattr.h), all of it little-endian. */
#include "image/layer_internal.h"

#include <endian.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

/* In the order in which the kernel wants them. */
static const struct {
	int theirs;
	uint16_t ours;
	bool has_id;
} tags[] = {
	{ ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01, false },  { ARCHIVE_ENTRY_ACL_USER, 0x02, true },
	{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04, false }, { ARCHIVE_ENTRY_ACL_GROUP, 0x08, true },
	{ ARCHIVE_ENTRY_ACL_MASK, 0x10, false },      { ARCHIVE_ENTRY_ACL_OTHER, 0x20, false },
};

#define NO_ID UINT32_MAX

struct acl_out {
	unsigned char *at, *end;
};

static int put(struct acl_out *out, const void *bytes, size_t len)
{
	if ((size_t)(out->end - out->at) < len)
		return -EINVAL;
	memcpy(out->at, bytes, len);
	out->at += len;
	return 0;
}

/* All entries with one tag. */
static int put_tag(struct archive_entry *entry, int type, size_t tag, struct acl_out *out)
{
	int found_type, perm, found_tag, id, r = 0;
	const char *name;

	archive_entry_acl_reset(entry, type);
	while (r == 0 && archive_entry_acl_next(entry, type, &found_type, &perm, &found_tag, &id,
						&name) == ARCHIVE_OK) {
		struct posix_acl_xattr_entry wire = {
			.e_tag = htole16(tags[tag].ours),
			.e_perm = htole16((uint16_t)(perm & 7)),
			.e_id = htole32(tags[tag].has_id ? (uint32_t)id : NO_ID),
		};

		if (found_tag != tags[tag].theirs)
			continue;
		/* A name without a number means another user on every machine. */
		r = tags[tag].has_id && id < 0 ? -EINVAL : put(out, &wire, sizeof(wire));
	}
	return r;
}

int layer_acl_encode(struct archive_entry *entry, int type, unsigned char *buf, size_t size)
{
	const struct posix_acl_xattr_header header = { .a_version =
							       htole32(POSIX_ACL_XATTR_VERSION) };
	struct acl_out out = { buf, buf + size };
	int r;

	/* The plain mode counts as three entries. */
	if (archive_entry_acl_count(entry, type) == 0)
		return 0;
	r = put(&out, &header, sizeof(header));
	for (size_t tag = 0; r == 0 && tag < ARRAY_LEN(tags); tag++)
		r = put_tag(entry, type, tag, &out);
	return r < 0 ? r : (int)(out.at - buf);
}
