/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/commit.h"

#include "engine/paused.h"
#include "image/compare.h"
#include "image/diff.h"
#include "os/dir.h"
#include "os/path.h"
#include "os/signal.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <string.h>

/* What the kernel shows where an id is not in a map. */
#define OVERFLOW_ID 65534

/* ---- pausing ------------------------------------------------------------------------------------------------------ */

struct pause {
	const struct view *view;
	int mark; /* of paused_begin(); < 0: not paused by us */
	int stop; /* a fd of os_signal_stop_fd(); owned */
};

static void resume(struct pause *pause)
{
	const struct view *view = pause->view;

	paused_end(view->dir, view->oci_root, view->record.id, pause->mark);
	defer_close_fn(&pause->stop);
}

static int pause_container(struct pause *pause, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const struct view *view = pause->view;
	struct container c;
	int r = container_load(&arena, view->oci_root, view->record.id, &c, err);

	if (r < 0 || c.status == CONTAINER_PAUSED)
		return r;
	pause->stop = os_signal_stop_fd();
	if (pause->stop < 0)
		return err_set(err, pause->stop, "let signals wait");
	pause->mark = paused_begin(view->dir, view->oci_root, view->record.id, err);
	if (pause->mark >= 0)
		return 0;
	return pause->mark == -ESRCH ? pause->mark
				     : err_hint(err, "--pause=false reads it while it goes on");
}

/* ---- packing ------------------------------------------------------------------------------------------------------ */

struct choice {
	const struct diff *diff;
	const struct id_map *map;
	int unmapped; /* upper with its ids as they are on the disk */
	bool paused;
};

static bool is_in(const struct id_map *map, uint32_t id)
{
	return id >= map->host_id && id - map->host_id < map->size;
}

/* Nobody in the container can have made it: its owner would become nobody. */
static int check_owner(const struct choice *c, const struct walk_node *node, struct err *err)
{
	defer_close int fd = os_open_in_root(c->unmapped, *node->path ? node->path : "/",
					     O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? err_set(err, fd, "look at its owner")
			      : err_sys(err, "look at its owner");
	if (is_in(c->map, st.st_uid) && is_in(c->map, st.st_gid))
		return 0;
	return err_user(err, "its owner %u:%u is none of the container's ids, %u to %u", st.st_uid,
			st.st_gid, c->map->host_id, c->map->host_id + c->map->size - 1);
}

static int choose(void *arg, const struct walk_node *node, struct err *err)
{
	const struct choice *c = arg;

	if (c->paused && os_signal_stop_take() > 0)
		return err_user_code(err, -EINTR, "a signal asked to stop");
	if (!diff_has(c->diff, node->path))
		return 1;
	if (c->map->size && !compare_is_whiteout(&node->st) &&
	    (node->st.st_uid == OVERFLOW_ID || node->st.st_gid == OVERFLOW_ID))
		return check_owner(c, node, err);
	return 0;
}

static int pack(const struct store *store, const struct commit *commit, const struct diff *diff,
		int upper, bool paused, struct made_layer *ret, struct pack_result *ret_packed,
		struct err *err)
{
	defer_close int unmapped =
		openat(commit->view->dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct choice choice = { diff, &commit->view->record.map, unmapped, paused };
	const struct pack_options options = {
		.is_upper = true, .newest = commit->newest, .choose = choose, .arg = &choice
	};

	if (unmapped < 0)
		return err_sys(err, "open what it has written");
	return layer_make_tree(store, commit->compression, upper, &options, ret_packed, ret, err);
}

static int read_and_pack(const struct store *store, struct arena *arena,
			 const struct commit *commit, bool paused, struct made_layer *ret,
			 struct pack_result *ret_packed, struct err *err)
{
	const struct view *view = commit->view;
	defer_close int upper = view_upper(view, err);
	defer_close int lower = upper < 0 ? -EBADF : view_lower(view, err);
	struct diff diff = { .arena = arena };
	int r;

	if (err->code)
		return err->code;
	r = diff_upper(upper, lower, &view->mounts, &diff, err);
	if (r < 0 || diff.n == 0)
		return r < 0 ? r : 1;
	return pack(store, commit, &diff, upper, paused, ret, ret_packed, err);
}

int commit_layer(const struct store *store, struct arena *arena, const struct commit *commit,
		 struct made_layer *ret, struct pack_result *ret_packed, struct err *err)
{
	__attribute__((cleanup(resume))) struct pause pause = { .view = commit->view,
								.mark = -EBADF,
								.stop = -EBADF };
	const struct view *view = commit->view;
	int r = 0, checked;

	*ret_packed = (struct pack_result){ 0 };
	if (view->runs)
		paused_sweep(view->dir, view->oci_root, view->record.id);
	if (commit->pause && view->runs)
		r = pause_container(&pause, err);
	if (r == 0)
		r = read_and_pack(store, arena, commit, pause.mark >= 0, ret, ret_packed, err);
	if (r < 0)
		return err_context(err, "container %.12s", view->record.id);
	checked = view_check(view, err);
	return checked < 0 ? checked : r;
}
