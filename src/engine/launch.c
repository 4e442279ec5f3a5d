/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/launch_internal.h"

#include "base/clock.h"
#include "engine/binfmt.h"
#include "engine/config.h"
#include "engine/files.h"
#include "engine/volumes.h"
#include "image/lease.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/remove.h"
#include "runtime/facts.h"
#include "spec/digest.h"
#include "spec/image_write.h"
#include "spec/media_type.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the image ---------------------------------------------------------------------------------------------------- */

static int check_platform(struct launch *l, struct err *err)
{
	struct platform host = image_host_platform(&l->arena);
	const struct platform *platform = &l->image.config.platform;
	char wanted[PLATFORM_TEXT_MAX], has[PLATFORM_TEXT_MAX];
	enum binfmt_answer answer;

	if (!platform->architecture || platform_runs(&host, platform) > 0)
		return 0;
	answer = binfmt_runs(BINFMT_DIRECTORY, platform->architecture);
	if (answer == BINFMT_YES)
		return 0;
	platform_text(&host, wanted);
	platform_text(platform, has);
	err_user(err, "image \"%s\" is for %s, and this machine is %s", l->image_name, has, wanted);
	return binfmt_hint(err, answer, platform->architecture);
}

/* Leased before its documents are read, so that no collection takes what we are about to use. */
static int load_image(struct launch *l, const struct store *store, struct err *err)
{
	struct descriptor entry;
	int r = image_find_entry(store, &l->arena, l->image_name, &entry, err);

	if (r == 0)
		r = lease_blob(store, entry.digest, err);
	if (r < 0)
		return r;
	r = image_load(store, &l->arena, &entry, l->wanted, &l->image, err);
	return r < 0 ? err_context(err, "read image \"%s\"", l->image_name) : 0;
}

static int find_image(struct launch *l, const struct store *store, struct err *err)
{
	int64_t start = clock_wall_ns();
	int r = load_image(l, store, err);

	if (r == 0)
		r = check_platform(l, err);
	if (r < 0)
		return r;
	launch_note(
		l, "find-image",
		arena_printf(
			&l->arena, "cat %s/images/blobs/%s %s/images/blobs/%s", l->roots.root,
			arena_printf(&l->arena, "%.6s/%s", l->image.digest, l->image.digest + 7),
			l->roots.root,
			arena_printf(&l->arena, "%.6s/%s", l->image.id, l->image.id + 7)),
		"manifest and config of the image: its layers, and how it wants to be run", start);
	return 0;
}

/* ---- files, config ------------------------------------------------------------------------------------------------ */

static int write_file(struct launch *l, const char *name, const char *text, struct err *err)
{
	int r = os_file_make_at(l->dir.fd, name, text, strlen(text), 0644);

	return r < 0 ? err_set(err, r, "write \"%s/%s\"", l->dir.path, name) : 0;
}

static int write_files(struct launch *l, const struct files *files, struct err *err)
{
	int r = launch_make_below(l, "files", 0755, err);

	if (r == 0)
		r = write_file(l, "files/hostname", files->hostname, err);
	if (r == 0)
		r = write_file(l, "files/hosts", files->hosts, err);
	if (r == 0 && files->resolv_conf)
		r = write_file(l, "files/resolv.conf", files->resolv_conf, err);
	return r;
}

/* For a shell, in one line */
static const char *quoted(struct launch *l, const char *text)
{
	static const char escaped[] = "'\\\n\t", letters[] = "'\\nt";
	char *out = arena_alloc(&l->arena, 2 * strlen(text) + 4), *at = out;

	*at++ = '$';
	*at++ = '\'';
	for (; *text; text++) {
		const char *found = strchr(escaped, *text);

		if (found)
			*at++ = '\\';
		*at++ = found ? letters[found - escaped] : *text;
	}
	*at++ = '\'';
	*at = '\0';
	return out;
}

static void note_files(struct launch *l, const struct files *files, int64_t start)
{
	const struct {
		const char *name, *text;
	} all[] = {
		{ "hostname", files->hostname },
		{ "hosts", files->hosts },
		{ "resolv.conf", files->resolv_conf },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].text)
			launch_note(l, "write-file",
				    arena_printf(&l->arena, "printf %%s %s > %s/files/%s",
						 quoted(l, all[i].text), l->dir.path, all[i].name),
				    "the container's own, mounted over the image's", start);
	}
}

static int make_volumes(struct launch *l, struct key_value_list *ret, struct err *err)
{
	const struct volumes_request request = {
		.dir = &l->dir,
		.destinations = &l->image.config.process.volumes,
		.settings = &l->settings,
		.root = l->root,
		.host_root = l->map.host_id,
	};
	int64_t start = clock_wall_ns();
	int r = volumes_make(&l->arena, &request, ret, err);

	for (size_t i = 0; r == 0 && i < ret->n; i++)
		launch_note(
			l, "make-volume",
			arena_printf(&l->arena, "cp -a %s/rootfs%s %s", l->dir.path,
				     ret->items[i].key, ret->items[i].value),
			"the image wants it to be a volume: the container's own, and gone with it",
			start);
	return r < 0 ? err_context(err, "image \"%s\"", l->image_name) : 0;
}

static int write_config(struct launch *l, const struct facts *facts, struct err *err)
{
	struct config_input in = {
		.settings = &l->settings,
		.image = l->image_name ? &l->image : NULL,
		.id = l->dir.id,
		.rootfs = l->rootfs_dir ? l->rootfs_dir : "rootfs",
		.root = l->root,
		.files = l->no_files ? NULL : arena_printf(&l->arena, "%s/files", l->dir.path),
		.map = l->map,
		.facts = facts,
		.warn = l->warn,
		.to = l->to,
	};
	int64_t start = clock_wall_ns();
	struct files files;
	int r = files_make(&l->arena, &l->settings, config_hostname(&l->arena, &in),
			   "/etc/resolv.conf", &files, err);

	if (r == 0 && l->image_name && !l->no_files)
		r = make_volumes(l, &in.volumes, err);
	if (r < 0)
		return r;
	in.has_resolv_conf = files.resolv_conf != NULL;
	r = config_build(&l->arena, &in, &l->config, &l->config_len, &l->asked, err);
	if (r == 0)
		r = write_files(l, &files, err);
	if (r < 0)
		return r;
	note_files(l, &files, start);
	r = os_file_make_at(l->dir.fd, "config.json", l->config, l->config_len, 0600);
	if (r < 0)
		return err_set(err, r, "write \"%s/config.json\"", l->dir.path);
	launch_note(
		l, "write-config", arena_printf(&l->arena, "less %s/config.json", l->dir.path),
		"the image's wishes, yours and the defaults, as one document for any OCI runtime",
		start);
	return 0;
}

static const char *command_text(struct launch *l)
{
	const struct str_list *lists[] = { &l->asked.entrypoint, &l->asked.cmd };
	const char *text = "";

	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		for (size_t i = 0; i < lists[k]->n; i++)
			text = arena_printf(&l->arena, "%s%s%s", text, *text ? " " : "",
					    lists[k]->items[i]);
	}
	return text;
}

/* What commit goes on from: as in the config of an image. */
static int asked_document(struct launch *l, const struct json **ret, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, &l->arena, 0);
	image_process_write(&w, NULL, &l->asked, NULL);
	return json_writer_read(&w, ret, err);
}

/* The first version of the record: from now on it is a container, and not the rest of one. */
static int write_record(struct launch *l, struct err *err)
{
	const struct json *asked;
	int r = asked_document(l, &asked, err);

	if (r < 0)
		return r;
	l->record = (struct container_record){
		.id = l->dir.id,
		.name = l->settings.name,
		.image = l->image_name,
		.image_id = l->image_name ? l->image.id : NULL,
		.command = command_text(l),
		.created = time_rfc3339_now(arena_alloc(&l->arena, TIME_RFC3339_MAX)),
		.exit_status = -1,
		.auto_remove = l->auto_remove,
		.log = l->log,
		.restart = l->restart,
		.terminal = l->settings.terminal,
		.open_stdin = l->open_stdin,
		.map = l->map,
		.config = asked,
	};
	if (!l->only_make)
		l->record.started = l->record.created;
	return containers_save(&l->arena, &l->dir, &l->record, err);
}

/* ---- in order ----------------------------------------------------------------------------------------------------- */

static int open_rootfs_dir(struct launch *l, struct err *err)
{
	l->root = open(l->rootfs_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return l->root < 0 ? err_sys(err, "open the root filesystem \"%s\"", l->rootfs_dir) : 0;
}

/* @store: STORE_INIT; open afterwards, since our lease on the image lasts as long */
static int prepare_image(struct launch *l, struct store *store, struct err *err)
{
	int r = roots_open_store(&l->roots, store, err);

	if (r == 0)
		r = find_image(l, store, err);
	return r < 0 ? r : launch_layers(l, store, err);
}

static int make_dir(struct launch *l, struct err *err)
{
	int64_t start = clock_wall_ns();
	int r = containers_make(&l->arena, &l->roots, l->settings.name, &l->dir, err);

	if (r == 0)
		r = launch_make_below(l, "rootfs", 0755, err);
	if (r == 0)
		launch_note(l, "make-container",
			    arena_printf(&l->arena, "mkdir -p %s/{rootfs,upper,work,files,volumes}",
					 l->dir.path),
			    "locked by us as long as the container is in the foreground", start);
	return r;
}

static int prepare(struct launch *l, struct err *err)
{
	defer_store struct store store = STORE_INIT;
	struct facts facts;
	int r = facts_read_parts(&l->arena, "", FACTS_VERSION | FACTS_SECURITY, &facts, err);

	l->user_xattrs = facts.rootless;
	if (r == 0)
		r = launch_read_map(l, err);
	if (r == 0 && l->image_name)
		r = prepare_image(l, &store, err);
	if (r == 0)
		r = make_dir(l, err);
	if (r == 0 && l->image_name)
		r = lease_container(l->dir.fd, l->image.digest, l->auto_remove, err);
	if (r == 0)
		r = l->image_name ? launch_mount_root(l, &store, err) : open_rootfs_dir(l, err);
	if (r == 0)
		r = write_config(l, &facts, err);
	return r == 0 ? write_record(l, err) : r;
}

static void remove_all(struct launch *l)
{
	struct err ignored = ERR_INIT;

	if (l->dir.fd < 0)
		return;
	(void)!containers_remove(&l->roots, &l->dir, l->settings.name, &ignored);
	container_dir_clear(&l->dir);
}

static void begin(struct launch *l)
{
	l->dir = CONTAINER_DIR_INIT;
	l->root = -EBADF;
	l->n_steps = 0;
	l->steps = arena_array(&l->arena, LAUNCH_STEPS_MAX, sizeof(*l->steps));
	l->reasons = arena_array(&l->arena, LAUNCH_STEPS_MAX, sizeof(*l->reasons));
}

int launch_prepare(struct launch *l, struct err *err)
{
	int r;

	begin(l);
	r = prepare(l, err);
	if (r != 0)
		remove_all(l);
	return r;
}

/* ---- once more ---------------------------------------------------------------------------------------------------- */

/* The one that it was made of, whatever its name means now. */
static int load_own_image(struct launch *l, const struct store *store, struct err *err)
{
	struct platform host = image_host_platform(&l->arena);
	char digest[DIGEST_TEXT_MAX];
	ssize_t n = os_read_at(l->dir.fd, LEASE_IMAGE, digest, sizeof(digest));
	const struct descriptor entry = { .set = true,
					  .media_type = MEDIA_OCI_MANIFEST,
					  .digest = digest };
	int r;

	if (n < 0)
		return err_set(err, (int)n, "read which image it is of");
	r = image_load(store, &l->arena, &entry, &host, &l->image, err);
	return r < 0 ? err_context(err, "read image \"%s\"", l->image_name) : 0;
}

/*
 * overlayfs refuses a work directory that a throw-away mount has used, since after a power cut nobody knows what is in upper/.
 * There was none: what was thrown away then is swept away.
 */
static int renew_work(const struct launch *l, struct err *err)
{
	int r = os_remove_tree(l->dir.fd, "work");

	return r < 0 && r != -ENOENT ? err_set(err, r, "remove \"%s/work\"", l->dir.path) : 0;
}

static int mount_again(struct launch *l, struct err *err)
{
	defer_store struct store store = STORE_INIT;
	int r = roots_open_store(&l->roots, &store, err);

	if (r == 0)
		r = load_own_image(l, &store, err);
	if (r == 0)
		r = launch_layers(l, &store, err);
	/* Without upper/ its root filesystem is a copy of its image. */
	if (r != 0 || os_exists_at(l->dir.fd, "upper") == 0)
		return r;
	r = renew_work(l, err);
	return r < 0 ? r : launch_mount_root(l, &store, err);
}

static int load_again(struct launch *l, const char *id, int lock, struct err *err)
{
	struct facts facts;
	int r = lock >= 0 ? containers_adopt(&l->arena, &l->roots, id, lock, &l->dir, err)
			  : containers_lock(&l->arena, &l->roots, id, &l->dir, err);

	if (r == 0)
		r = containers_load(&l->arena, &l->roots, id, &l->record, err);
	if (r == 0)
		r = facts_read_parts(&l->arena, "", FACTS_VERSION | FACTS_SECURITY, &facts, err);
	if (r < 0)
		return r;
	l->again = true;
	l->user_xattrs = facts.rootless;
	l->map = l->record.map;
	l->auto_remove = l->record.auto_remove;
	l->image_name = l->record.image;
	return 0;
}

int launch_again(struct launch *l, const char *id, int lock, struct err *err)
{
	int r;

	begin(l);
	r = load_again(l, id, lock, err);
	return r == 0 && l->image_name ? mount_again(l, err) : r;
}

int launch_finish(struct launch *l, int status, struct err *err)
{
	int r;

	if (status < 0 || l->auto_remove) {
		/* The overlay is busy as long as we have it. */
		defer_close_fn(&l->root);
		l->root = -EBADF;
		r = containers_remove(&l->roots, &l->dir, l->settings.name, err);
		container_dir_clear(&l->dir);
		return r;
	}
	l->record.finished = time_rfc3339_now(arena_alloc(&l->arena, TIME_RFC3339_MAX));
	l->record.exit_status = status;
	return containers_save(&l->arena, &l->dir, &l->record, err);
}

void launch_clear(struct launch *l)
{
	defer_close_fn(&l->root);
	container_dir_clear(&l->dir);
	arena_clear(&l->arena);
}
