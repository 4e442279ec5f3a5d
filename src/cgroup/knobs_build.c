/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/knobs_build.h"

#include <string.h>

int knob_find(const struct knob_builder *b, const struct knob_home *home, struct knob_target *ret)
{
	int v2 = cgroup_find_v2(b->layout);

	for (size_t i = 0; home->v1 && i < b->layout->n; i++) {
		const struct cgroup_hierarchy *hierarchy = &b->layout->items[i];

		if (!hierarchy->v2 && !hierarchy->closed &&
		    cgroup_has_controller(hierarchy, home->v1)) {
			*ret = (struct knob_target){ .hierarchy = i, .v2 = false };
			return 1;
		}
	}
	if (home->v2 && v2 >= 0 && cgroup_has_controller(&b->layout->items[v2], home->v2)) {
		*ret = (struct knob_target){ .hierarchy = (size_t)v2, .v2 = true };
		return 1;
	}
	return 0;
}

/* "memory/kernelTCP" is "memory.kernelTCP" in a sentence. */
static const char *dotted(struct knob_builder *b, const char *below)
{
	char *text = arena_strdup(b->arena, below);

	for (char *at = text; *at; at++) {
		if (*at == '/')
			*at = '.';
	}
	return text;
}

static void refuse_hint(struct knob_builder *b, const struct knob_home *home, const char *name)
{
	int v2 = cgroup_find_v2(b->layout);

	if (b->layout->n == 0)
		err_hint(b->err, "no cgroup filesystem is mounted on this host; mount one, or "
				 "leave the limit out");
	else if (b->layout->items[b->layout->n - 1].closed)
		err_hint(b->err,
			 "no cgroup was delegated to this user; leave the limit out, or start in a "
			 "scope of your own: systemd-run --user --scope -p Delegate=yes ...");
	else if (b->layout->mode == CGROUP_V2 && !home->v2)
		err_hint(b->err, "leave it out, or say what you want in v2 words in "
				 "linux.resources.unified");
	else if (v2 >= 0)
		err_hint(b->err, "controllers of \"%s\": %s", b->layout->items[v2].mount,
			 *b->layout->items[v2].controllers ? b->layout->items[v2].controllers
							   : "none");
	else
		err_hint(b->err, "mount it: mount -t cgroup -o %s cgroup /sys/fs/cgroup/%s", name,
			 name);
}

int knob_require(struct knob_builder *b, const struct knob_home *home, const char *pointer,
		 struct knob_target *ret)
{
	const char *name = b->layout->mode == CGROUP_V2 || !home->v1 ? home->v2 : home->v1;

	if (knob_find(b, home, ret))
		return 0;

	if (!name)
		err_user(b->err, "set %s: cgroup v2 has nothing like it", dotted(b, home->pointer));
	else
		err_user(b->err, "set %s: this host has no cgroup controller \"%s\"",
			 dotted(b, home->pointer), name);
	err_at(b->err, pointer);
	refuse_hint(b, home, name);
	return b->err->code;
}

/* A file "memory.max" needs the controller "memory"; one like "cgroup.max.depth" is always there. */
static void need(struct knob_builder *b, const struct cgroup_hierarchy *v2, const char *controller)
{
	const char *have = b->knobs.v2_needed, *at;
	size_t len = strlen(controller);

	if (!cgroup_has_controller(v2, controller))
		return;
	for (at = have; (at = strstr(at, controller)); at += len) {
		if (at[-1] == '+' && (at[len] == ' ' || at[len] == '\0'))
			return;
	}
	b->knobs.v2_needed = arena_printf(b->arena, "%s%s+%s", have, *have ? " " : "", controller);
}

struct cgroup_write *knob_add(struct knob_builder *b, const struct knob_target *target,
			      const char *file, const char *value, const char *pointer)
{
	struct cgroup_knobs *knobs = &b->knobs;
	struct cgroup_write *write;

	knobs->items = arena_grow(b->arena, knobs->items, knobs->n, sizeof(*knobs->items));
	if (target->v2)
		need(b, &b->layout->items[target->hierarchy],
		     arena_strndup(b->arena, file, strcspn(file, ".")));

	write = &knobs->items[knobs->n++];
	*write = (struct cgroup_write){
		.hierarchy = target->hierarchy,
		.file = file,
		.value = value,
		.pointer = pointer,
	};
	return write;
}

void knob_note(struct knob_builder *b, const char *pointer, const char *why)
{
	struct cgroup_knobs *knobs = &b->knobs;
	struct cgroup_note *notes = arena_array(b->arena, knobs->n_notes + 1, sizeof(*notes));

	if (knobs->n_notes)
		memcpy(notes, knobs->notes, knobs->n_notes * sizeof(*notes));
	notes[knobs->n_notes] = (struct cgroup_note){ pointer, why };
	knobs->notes = notes;
	knobs->n_notes++;
}

const char *knob_pointer(struct knob_builder *b, const char *below)
{
	return arena_printf(b->arena, KNOB_POINTER "%s", below);
}

const char *knob_escape(struct knob_builder *b, const char *key)
{
	char *out = arena_alloc(b->arena, strlen(key) * 2 + 1), *at = out;

	for (; *key; key++) {
		if (*key == '~' || *key == '/') {
			*at++ = '~';
			*at++ = *key == '~' ? '0' : '1';
		} else {
			*at++ = *key;
		}
	}
	*at = '\0';
	return out;
}
