/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `system reset`: everything of ours below --root goes; without --force it only says what that is. */
#include "cli/cmd/command.h"
#include "cli/human.h"
#include "image/gc.h"
#include "image/lease.h"
#include "image/usage.h"
#include "os/dir.h"
#include "os/remove.h"
#include "os/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct args {
	bool force;
};

static const char *const directories[] = { "images", "layers", "containers", "volumes" };

static int refuse_containers(const struct store *store, struct arena *arena, struct err *err)
{
	defer_close int fd = openat(store->root, LEASE_CONTAINERS,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char **names;
	size_t n;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open \"" LEASE_CONTAINERS "\"");
	r = os_list(fd, arena, &names, &n);
	if (r < 0)
		return err_set(err, r, "list \"" LEASE_CONTAINERS "\"");
	if (!n)
		return 0;
	err_user_code(err, -EBUSY, "there is still container %s", names[0]);
	return err_hint(err, "remove the containers first: tare ps -a, tare rm");
}

static int show(const struct store *store, struct arena *arena, struct err *err)
{
	struct usage usage;
	int r = 0;

	usage_init(&usage, arena);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(directories); i++) {
		uint64_t before = usage.bytes;

		r = usage_add(&usage, store->root, directories[i]);
		if (usage.bytes > before)
			printf("%s: %s\n", directories[i], human_size(arena, usage.bytes - before));
	}
	return r < 0 ? err_set(err, r, "measure the store") : 0;
}

/*
 * Each directory goes aside as a whole, so that who is killed half-way leaves no images without their blobs; what is aside
 * is garbage, which the collection removes.
 */
static int put_aside(const struct store *store, struct err *err)
{
	int r = store_lock(store, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(directories); i++) {
		r = gc_discard(store, store->root, directories[i]);
		r = r == -ENOENT ? 0 : r;
		if (r < 0)
			err_set(err, r, "put \"%s\" aside", directories[i]);
	}
	store_unlock(store);
	return r;
}

/* What is left of the store after the rest is gone: a lock of a pull that is going on would be in it. */
static int remove_staging(const struct store *store, struct arena *arena, struct err *err)
{
	char **names;
	size_t n;
	int r = os_list(store->staging, arena, &names, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = os_remove_tree(store->staging, names[i]);
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0 && unlinkat(store->root, "staging", AT_REMOVEDIR) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "remove \"staging\"") : 0;
}

static int refuse_work(const struct store *store, struct arena *arena, struct err *err)
{
	char **names;
	size_t n;
	int r = os_list(store->staging, arena, &names, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		defer_close int fd = openat(store->staging, names[i],
					    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0 && os_dir_claim(fd) < 0)
			return err_user_code(
				err, -EBUSY,
				"somebody is writing into the store: \"staging/%s\" is locked",
				names[i]);
	}
	return r < 0 ? err_set(err, r, "list \"staging\"") : 0;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	int r = open_store(cli, &store, err);

	if (r == 0)
		r = refuse_containers(&store, &arena, err);
	if (r == 0)
		r = refuse_work(&store, &arena, err);
	if (r == 0)
		r = show(&store, &arena, err);
	if (r < 0)
		return r;
	if (!a->force) {
		printf("nothing was removed; tare system reset --force removes it from \"%s\"\n",
		       cli->root);
		return 0;
	}
	r = put_aside(&store, err);
	return r < 0 ? r : remove_staging(&store, &arena, err);
}

static const struct option options[] = {
	{ "force", 'f', NULL, "remove it, and not only say what would go", option_set_switch,
	  offsetof(struct args, force) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_system_reset = {
	.name = "system reset",
	.operands = "",
	.summary = "remove all images, layers and volumes",
	.details = "Refuses while there are containers.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
