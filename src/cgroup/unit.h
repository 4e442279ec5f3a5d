/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units of systemd's: the four calls that a container needs, over D-Bus.
 *
 * A container's cgroup is the unit's: systemd makes it, puts a process in it, keeps the limits that it knows in force,
 * and takes it away when the last process is gone. What systemd can't express is written by file as everywhere.
 *
 * Rows: K-4, K-16, K-18; org.freedesktop.systemd1(5)
 */
#ifndef TARE_CGROUP_UNIT_H
#define TARE_CGROUP_UNIT_H

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/dbus_wire.h"

#include <stdbool.h>
#include <sys/types.h>

/* One property: name, type and value in words, as dbus_put() and busctl(1) take them. */
struct unit_property {
	const char *name, *signature;
	struct str_list words;
	const char *pointer; /* JSON pointer of where it comes from, "" if from tare itself */
};

struct unit_property_list {
	struct unit_property *items;
	size_t n;
};

/* Which unit of whose manager. */
struct unit {
	const char *name;
	bool user; /* of the user's own manager, else the system's */
};

#define UNIT_MANAGER_NAME      "org.freedesktop.systemd1"
#define UNIT_MANAGER_PATH      "/org/freedesktop/systemd1"
#define UNIT_MANAGER_INTERFACE UNIT_MANAGER_NAME ".Manager"

#define UNIT_START_SIGNATURE "ssa(sv)a(sa(sv))"
#define UNIT_SET_SIGNATURE   "sba(sv)"

/* In a command line: the pid of who is in the unit at first. */
#define UNIT_HOLDER_WORD "$holder"

/* unit_property_add() - append a property; @words are borrowed */
void unit_property_add(struct arena *arena, struct unit_property_list *list, const char *pointer,
		       const char *name, const char *signature, const char *const *words, size_t n);

/* unit_property_remove() - take every property of that name out */
void unit_property_remove(struct unit_property_list *list, const char *name);

/* unit_start_words() - the arguments of StartTransientUnit. @pid: who shall be in it, a word; NULL: nobody (a slice) */
struct str_list unit_start_words(struct arena *arena, const char *name,
				 const struct unit_property_list *properties, const char *pid);

/* unit_set_words() - the arguments of SetUnitProperties */
struct str_list unit_set_words(struct arena *arena, const char *name,
			       const struct unit_property_list *properties);

/*
 * unit_start() - make the unit, with @pid in it, and wait until systemd has done so
 *
 * One of that name which failed or was left is reset first; one that is alive is an error.
 *
 * @ret_ours: is there, whatever we return, a unit that systemd makes for us? Without systemd's word for that, one of the name
 *            is somebody else's, and not to be stopped
 * Return: 0; -EEXIST if there is one; -ENOTCONN if systemd can't be reached; -errno
 */
int unit_start(const struct unit *unit, const struct unit_property_list *properties, pid_t pid,
	       bool *ret_ours, struct err *err) MUST_CHECK;

/* unit_stop() - end it and forget that it may have failed. Return: 0, also if there is none; -errno */
int unit_stop(const struct unit *unit, struct err *err) MUST_CHECK;

/* unit_set() - change properties of a running unit until it ends. Return: 0; -errno */
int unit_set(const struct unit *unit, const struct unit_property_list *properties,
	     struct err *err) MUST_CHECK;

#endif
