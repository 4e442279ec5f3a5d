/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record: what is on disk about a container, ROOT/ID/state.json, and the directory that it is in.
 *
 * `creating` is written before anything else is made and names everything that will be, so that whoever finds it after
 * a kill can remove the rest. The file is only ever replaced by rename, so readers need no lock; writers hold the
 * directory's flock, and check after taking it that the directory is still the one which the path names.
 */
#ifndef TARE_RUNTIME_RECORD_H
#define TARE_RUNTIME_RECORD_H

#include "runtime/container.h"

#include <stdbool.h>

#define RECORD_VERSION          1
#define RECORD_FILE             "state.json"
#define RECORD_CONFIG           "config.json"
#define RECORD_SOCKET           "start.sock"
#define RECORD_TEMPORARY        ".state.json" /* becomes state.json; only who has the lock writes it */
#define RECORD_CONFIG_TEMPORARY ".config.json" /* becomes config.json at the end of an update */
/* empty; there once a delete has taken the poststop hooks on itself */
#define RECORD_POSTSTOP "poststop"
/* a directory: where CRIU has the rootfs mounted, in a mount namespace of its own */
#define RECORD_CRIU_ROOT   "criu-root"
#define RECORD_END_MAX     128
#define RECORD_USUAL_BYTES ((size_t)4096) /* most are smaller */
#define RECORD_MAX_BYTES   ((size_t)4 * 1024 * 1024)

/* On the start socket: the init's greeting, with the shared page; and the word that lets it go on. */
enum { START_HELLO = 'h', START_GO = 'g' };

/* What create knows of the container before it is made, in memory that outlives the config. */
struct record {
	const char *root; /* the runtime's --root */
	const char *id;
	/* all that STATE_MAKE needs to render @text; its annotations are the config's */
	struct container *draft;
	struct arena *arena; /* for what is rendered: the plan's */
	const struct cgroup_dir *cgroups;
	size_t n_cgroups;
	/* of the init, once it is known; it may be gone when the record is written again */
	uint64_t start_time;
	/* systemd has made the unit for us; until then one of that name is somebody else's */
	bool unit_ours;
	char *text, *end;   /* state.json; at @end is room for what changes: status and process */
	const char *config; /* the bytes of config.json, saved beside it; NULL once they are */
	size_t config_len;
	/* owns @config and all that was decoded from it; unmapped by STATE_MAKE, the last to need it, so before the clone */
	struct arena config_arena;
};

/*
 * record_render() - prepare @record's text
 * @container: everything but status, pid and start time is used; its cgroups are borrowed
 */
void record_render(struct arena *arena, const struct container *container, struct record *record);

/* record_write() - replace state.json in the directory @dir */
int record_write(int dir, struct record *record, const char *status, pid_t pid,
		 struct err *err) MUST_CHECK;

/*
 * record_read() - decode a record
 * @path: of the file, below @dir: RECORD_FILE if that is the container's directory
 *
 * Return: 0; -ENOENT if there is no record (half made, or half removed); -EPROTO if it can't be understood
 */
int record_read(struct arena *arena, int dir, const char *path, struct container *ret,
		struct err *err) MUST_CHECK;

/* container_read() - record_read(), and what has become of the process. Return: as record_read() */
int container_read(struct arena *arena, int dir, struct container *ret, struct err *err) MUST_CHECK;

/*
 * container_open() - the same for one by its id
 * @ret_dir: owned by the caller
 *
 * Return: 0; -ENOENT and *err "container \"x\" does not exist"; -errno
 */
int container_open(struct arena *arena, const char *root, const char *id, int *ret_dir,
		   struct container *ret, struct err *err) MUST_CHECK;

/*
 * container_read_locked() - the same under the lock of its directory; for whoever changes something
 * @ret_dir: owned by the caller; closing it gives the lock back
 */
int container_read_locked(struct arena *arena, const char *root, const char *id, int *ret_dir,
			  struct container *ret, struct err *err) MUST_CHECK;

/* record_creator() - of a `creating` record: the runtime that wrote it, as a pidfd; -ESRCH if it is gone */
int record_creator(const struct container *container);

/* record_root_make() - make @root and what is missing above it, mode 0711; it may exist. Return: 0; -errno */
int record_root_make(const char *root);

/*
 * record_dir_open() - the directory of @id below @root
 * Return: an fd; -ENOENT; -errno
 */
int record_dir_open(const char *root, const char *id);

/*
 * record_dir_lock() - flock it, and make sure that it is still there
 * Return: 0; -ENOENT if it was removed meanwhile; -errno
 */
int record_dir_lock(int dir) MUST_CHECK;
void record_dir_unlock(int dir);

/*
 * container_sweep() - remove what a killed create left under @id, if that is what is there
 * Return: 0 if the id is free now; -EBUSY if a container has it; -errno
 */
int container_sweep(const char *root, const char *id);

/* record_dir_remove() - remove the files and the directory itself; what is missing is fine. Return: 0; -errno */
int record_dir_remove(const char *root, const char *id, int dir);

#endif
