/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths inside a root that nobody trusts. A path of the container is only ever resolved by the
 * kernel itself, relative to an open directory, with openat2(RESOLVE_IN_ROOT): links, also absolute
 * ones and "..", cannot lead out of it, not even while somebody renames directories under us
 * (CVE-2021-30465, CVE-2024-45310). What is missing is made one component at a time, in a directory
 * that we hold open.
 */
#ifndef TARE_OS_PATH_H
#define TARE_OS_PATH_H

#include "base/defer.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <linux/openat2.h>

/*
 * os_open_in_root() - open a path below @root as if @root were "/"
 * @path:    absolute or relative, means the same
 * @flags:   open flags; O_CLOEXEC is added
 * @resolve: more RESOLVE_* flags, e.g. RESOLVE_NO_SYMLINKS; RESOLVE_IN_ROOT and
 *           RESOLVE_NO_MAGICLINKS are added
 *
 * Return: fd, owned by the caller; -ELOOP where a link was forbidden; otherwise -errno
 */
int os_open_in_root(int root, const char *path, int flags, uint64_t resolve) MUST_CHECK;

/*
 * os_made_fn - told of each thing that os_make_in_root() made
 * @parent: the directory it is in, O_PATH, borrowed
 * @path:   relative to the root, without a leading "/"
 * @name:   its name in @parent; not always the end of @path's text, but the same thing
 */
typedef void os_made_fn(void *arg, int parent, const char *path, const char *name);

/*
 * os_make_in_root() - open a path below @root and make what is missing of it
 * @type: S_IFDIR or S_IFREG: what to make of the last component; those before it become directories
 * @mode: exact permissions of what is made, whatever the umask
 * @made: called for each thing that was made, or NULL
 *
 * A dangling link is followed inside the root, and what it points to is made. Something that is
 * there already is opened whatever its type.
 *
 * Return: O_PATH fd; -ENAMETOOLONG when links make the path longer than PATH_MAX; -ELOOP after 40
 *         links; otherwise -errno
 */
int os_make_in_root(int root, const char *path, mode_t type, mode_t mode, os_made_fn *made,
		    void *arg) MUST_CHECK;

/*
 * path_clean() - bring a path into its shortest form by its text alone
 * @path: any; a relative one is taken from "/"
 * @ret:  at least strlen(@path) + 2 bytes; absolute, no "." or "..", no double or last "/"
 */
void path_clean(const char *path, char *ret);

/* path_is_below() - is @path (clean) @dir itself or something below it */
_Bool path_is_below(const char *path, const char *dir);

#endif
