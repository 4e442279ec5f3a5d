/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/document.h"

#include "spec/state_doc.h"

#include <stdio.h>

const char *owner_name(uint32_t uid, char buf[OWNER_NAME_MAX])
{
	if (uid == 0)
		return "root";
	snprintf(buf, OWNER_NAME_MAX, "#%u", uid);
	return buf;
}

void add_container(struct json_writer *w, const struct container *c)
{
	char owner[OWNER_NAME_MAX];
	struct state_doc doc = {
		.id = c->id,
		.status = container_status_names[c->status],
		.bundle = c->bundle,
		.pid = c->pid,
		.annotations = c->annotations,
		.rootfs = c->rootfs,
		.created = c->created,
		.owner = owner_name(c->owner, owner),
	};

	state_doc_write(w, NULL, &doc);
}
