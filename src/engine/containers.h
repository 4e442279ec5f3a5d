/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers on disk: one directory each, and no database.
 *
 *     ROOT/containers/ID/record.json   what it is; replaced by rename
 *                        end.json      how it ended, by its monitor
 *                        ID-json.log   what it wrote, and ID-json.log.1 and on what is older
 *                        config.json   what the runtime was given: an OCI bundle's
 *                        rootfs/       where its root is mounted, in its own mount namespace only
 *                        upper/, work/ what it has written; not there if rootfs/ is a copy of its image
 *                        files/        its /etc/hosts and /etc/hostname
 *     ROOT/names/NAME                  a symbolic link to ID: making it claims the name
 *     RUNROOT/oci/                     the runtime's records: tare-oci --root RUNROOT/oci list
 *
 * Who makes or runs a container holds a lock on its directory, which the kernel drops with its owner. So a directory without a
 * record that nobody has locked is the rest of somebody who died, and so is one of --rm whose container has ended.
 */
#ifndef TARE_ENGINE_CONTAINERS_H
#define TARE_ENGINE_CONTAINERS_H

#include "base/arena.h"
#include "engine/record.h"
#include "engine/roots.h"
#include "runtime/plan.h"

#define CONTAINER_ID_DIGITS  64
#define CONTAINER_ID_MIN     4 /* digits that people must give at least */
#define CONTAINERS_DIRECTORY "containers"

/* A container's directory, held open and locked. */
struct container_dir {
	int fd;
	char id[CONTAINER_ID_DIGITS + 1];
	const char *path; /* absolute; in the arena given to who opened it */
};

#define CONTAINER_DIR_INIT ((struct container_dir){ .fd = -EBADF })

void container_dir_clear(struct container_dir *dir);
#define defer_container_dir __attribute__((cleanup(container_dir_clear)))

/* containers_oci_root() - the runtime's --root, in @arena */
const char *containers_oci_root(struct arena *arena, const struct roots *roots);

/*
 * containers_make() - a new directory with a new id, locked
 * @name: to be its name; NULL: none
 *
 * Return: 0; -EEXIST if somebody has that name; -EINVAL if it can be none; -errno
 */
int containers_make(struct arena *arena, const struct roots *roots, const char *name,
		    struct container_dir *ret, struct err *err) MUST_CHECK;

/* containers_save() - replace record.json; on the disk when it returns, unless the container is throw-away */
int containers_save(struct arena *arena, const struct container_dir *dir,
		    const struct container_record *record, struct err *err) MUST_CHECK;

/* containers_load() - read a record. Return: 0; -ENOENT if there is none; -errno */
int containers_load(struct arena *arena, const struct roots *roots, const char *id,
		    struct container_record *ret, struct err *err) MUST_CHECK;

/*
 * containers_find() - the id that a name, or the beginning of an id, means
 * @ret_id: CONTAINER_ID_DIGITS + 1 bytes
 *
 * Return: 0; -ENOENT; -EINVAL if it could be several, with the candidates; -errno
 */
int containers_find(const struct roots *roots, const char *text, char *ret_id,
		    struct err *err) MUST_CHECK;

/*
 * containers_list() - all records, the newest first
 *
 * One that can't be read is left out, and @broken is told.
 */
int containers_list(struct arena *arena, const struct roots *roots, struct container_record **ret,
		    size_t *ret_n, void (*broken)(void *to, const char *id, const struct err *err),
		    void *to, struct err *err) MUST_CHECK;

/*
 * containers_lock() - open and lock a container's directory
 * Return: 0; -EBUSY if somebody runs or changes it; -ENOENT; -errno
 */
int containers_lock(struct arena *arena, const struct roots *roots, const char *id,
		    struct container_dir *ret, struct err *err) MUST_CHECK;

/*
 * containers_adopt() - the lock that this process has inherited as @lock from the container's monitor
 * Return: 0 and @lock is @ret's; -EBUSY if it is not the container's; -errno
 */
int containers_adopt(struct arena *arena, const struct roots *roots, const char *id, int lock,
		     struct container_dir *ret, struct err *err) MUST_CHECK;

/* containers_remove() - the directory with all that is in it, and its @name (NULL: none). @dir: locked */
int containers_remove(const struct roots *roots, const struct container_dir *dir, const char *name,
		      struct err *err) MUST_CHECK;

/*
 * containers_sweep() - remove what somebody who died has left
 *
 * What runs is left alone, but for a container that somebody who died has paused: it goes on (paused.h). Should be called by each command that makes or lists containers.
 */
int containers_sweep(const struct roots *roots, struct err *err) MUST_CHECK;

/*
 * containers_settle() - all that is to be done after a container has ended
 * @dir: locked; @record: its own, and what is known of the end is put into it
 *
 * Says why it ended, while its cgroups can still tell; removes what the runtime has of it; records the end, or removes the
 * container if it is one of --rm.
 */
int containers_settle(struct arena *arena, const struct roots *roots,
		      const struct container_dir *dir, struct container_record *record,
		      const struct report *report, struct err *err) MUST_CHECK;

#endif
