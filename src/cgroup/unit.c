/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/unit.h"

#include "cgroup/dbus.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whose calls these are: org.freedesktop.systemd1.Manager's, on the one object that it has. */
#define JOB_MATCH                                                                                  \
	"type='signal',sender='" UNIT_MANAGER_NAME "',interface='" UNIT_MANAGER_INTERFACE          \
	"',member='JobRemoved'"

#define NO_SUCH_UNIT UNIT_MANAGER_NAME ".NoSuchUnit"
#define UNIT_EXISTS  UNIT_MANAGER_NAME ".UnitExists"

/* ---- whom to talk to -------------------------------------------------------------------------------------------- */

static int open_address(struct dbus *bus, const char *address)
{
	char path[PATH_MAX];
	int r = dbus_address_path(address, path, sizeof(path));

	return r < 0 ? r : dbus_open(bus, path, true, JOB_MATCH);
}

/*
 * systemd's own socket first: no bus has to run, and none is between us. It is for the manager's own user only.
 * Return: 0; the error of the last way that was tried
 */
static int open_system(struct dbus *bus)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");

	if (dbus_open(bus, "/run/systemd/private", false, NULL) == 0)
		return 0;
	return open_address(bus, address ? address : "unix:path=/run/dbus/system_bus_socket");
}

static int open_user(struct dbus *bus)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR"),
		   *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS");
	char path[PATH_MAX];
	int r = -ENOENT;

	if (runtime &&
	    snprintf(path, sizeof(path), "%s/systemd/private", runtime) < (int)sizeof(path))
		r = dbus_open(bus, path, false, NULL);
	if (r < 0 && address)
		r = open_address(bus, address);
	if (r < 0 && runtime && snprintf(path, sizeof(path), "%s/bus", runtime) < (int)sizeof(path))
		r = dbus_open(bus, path, true, JOB_MATCH);
	return r;
}

static int open_manager(struct dbus *bus, bool user, struct err *err)
{
	int r = user ? open_user(bus) : open_system(bus);

	if (r == 0)
		return 0;
	err_set(err, r, "connect to systemd%s", user ? " of this user" : "");
	err->code = -ENOTCONN;
	if (user)
		return err_hint(err, "XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS must lead to a "
				     "user's manager: log in, or "
				     "loginctl enable-linger; or leave --systemd-cgroup out");
	return err_hint(err, "/run/systemd/private or /run/dbus/system_bus_socket must be there; "
			     "or leave --systemd-cgroup "
			     "out");
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static int call(struct dbus *bus, const char *member, const char *signature,
		const struct str_list *words, struct dbus_message *ret)
{
	const struct dbus_call call = {
		.destination = UNIT_MANAGER_NAME,
		.path = UNIT_MANAGER_PATH,
		.interface = UNIT_MANAGER_INTERFACE,
		.member = member,
		.signature = signature,
		.words = *words,
	};

	return dbus_call(bus, &call, ret);
}

static bool is_error(const struct dbus_message *reply, const char *name)
{
	return reply->error_name && strcmp(reply->error_name, name) == 0;
}

/* What systemd answered in place of doing it; what it says is for people. */
static int answer_error(const struct unit *unit, const char *what, int r,
			const struct dbus_message *reply, struct err *err)
{
	union dbus_value text = { .text = "" };

	if (r != -EREMOTEIO)
		return err_set(err, r, "%s unit \"%s\"", what, unit->name);
	if (dbus_message_read(reply, "s", &text) < 0)
		text.text = "";
	err_user_code(err, is_error(reply, UNIT_EXISTS) ? -EEXIST : -EREMOTEIO,
		      "%s unit \"%s\": systemd says \"%.400s\" (%.80s)", what, unit->name,
		      text.text, reply->error_name ? reply->error_name : "no name");
	err->kind = ERR_SYSTEM;
	return err->code;
}

/* Wait for the end of the job whose path is the answer to what we called. Return: 0 if it is done; -errno */
static int wait_for_job(struct dbus *bus, const struct unit *unit, const char *what,
			struct dbus_message *message, struct err *err)
{
	union dbus_value job, removed[4];
	char path[256];
	int r = dbus_message_read(message, "o", &job);

	if (r < 0)
		return err_set(err, r, "%s unit \"%s\": read systemd's answer", what, unit->name);
	snprintf(path, sizeof(path), "%s", job.text);
	for (;;) {
		r = dbus_next(bus, message);
		if (r < 0)
			return err_set(err, r, "%s unit \"%s\": wait for systemd to do it", what,
				       unit->name);
		if (message->type != DBUS_SIGNAL || !message->member ||
		    strcmp(message->member, "JobRemoved") != 0 ||
		    dbus_message_read(message, "uoss", removed) < 0 ||
		    strcmp(removed[1].text, path) != 0)
			continue;
		if (strcmp(removed[3].text, "done") == 0)
			return 0;
		err_user_code(err, -ECANCELED, "%s unit \"%s\": systemd's job ended as \"%.40s\"",
			      what, unit->name, removed[3].text);
		err->kind = ERR_SYSTEM;
		return err_hint(err, "journalctl -u %s may say more", unit->name);
	}
}

static int reset_failed(struct dbus *bus, const struct unit *unit)
{
	struct dbus_message reply;
	const char *name = unit->name;

	return call(bus, "ResetFailedUnit", "s", &(struct str_list){ &name, 1 }, &reply);
}

/* ---- properties ------------------------------------------------------------------------------------------------- */

void unit_property_add(struct arena *arena, struct unit_property_list *list, const char *pointer,
		       const char *name, const char *signature, const char *const *words, size_t n)
{
	list->items = arena_grow(arena, list->items, list->n, sizeof(*list->items));
	list->items[list->n] =
		(struct unit_property){ .name = name, .signature = signature, .pointer = pointer };
	list->items[list->n].words.items = arena_array(arena, n + 1, sizeof(*words));
	if (n)
		memcpy(list->items[list->n].words.items, words, n * sizeof(*words));
	list->items[list->n++].words.n = n;
}

void unit_property_remove(struct unit_property_list *list, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].name, name) != 0)
			list->items[kept++] = list->items[i];
	}
	list->n = kept;
}

static void add_word(struct str_list *list, const char *word)
{
	list->items[list->n++] = word;
}

/* An array of properties with room for @more words before and after. */
static struct str_list property_words(struct arena *arena,
				      const struct unit_property_list *properties, size_t more)
{
	size_t n = more;

	for (size_t i = 0; i < properties->n; i++)
		n += 2 + properties->items[i].words.n;
	return (struct str_list){ .items = arena_array(arena, n, sizeof(const char *)) };
}

static void add_properties(struct str_list *list, const struct unit_property_list *properties)
{
	for (size_t i = 0; i < properties->n; i++) {
		add_word(list, properties->items[i].name);
		add_word(list, properties->items[i].signature);
		for (size_t k = 0; k < properties->items[i].words.n; k++)
			add_word(list, properties->items[i].words.items[k]);
	}
}

struct str_list unit_start_words(struct arena *arena, const char *name,
				 const struct unit_property_list *properties, const char *pid)
{
	struct str_list words = property_words(arena, properties, 8);

	add_word(&words, name);
	add_word(&words, "replace");
	add_word(&words, arena_printf(arena, "%zu", properties->n + (pid ? 1 : 0)));
	if (pid) {
		add_word(&words, "PIDs");
		add_word(&words, "au");
		add_word(&words, "1");
		add_word(&words, pid);
	}
	add_properties(&words, properties);
	add_word(&words, "0");
	return words;
}

struct str_list unit_set_words(struct arena *arena, const char *name,
			       const struct unit_property_list *properties)
{
	struct str_list words = property_words(arena, properties, 3);

	add_word(&words, name);
	add_word(&words, "true"); /* until it ends, not for ever */
	add_word(&words, arena_printf(arena, "%zu", properties->n));
	add_properties(&words, properties);
	return words;
}

/* ---- what is done ----------------------------------------------------------------------------------------------- */

static int exists(const struct unit *unit, struct err *err)
{
	err_context(err, "the unit exists");
	return err_hint(err,
			"another container may have it: see systemctl status %s; or choose another "
			"linux.cgroupsPath",
			unit->name);
}

int unit_start(const struct unit *unit, const struct unit_property_list *properties, pid_t pid,
	       bool *ret_ours, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_dbus struct dbus bus = DBUS_CLOSED;
	struct dbus_message reply;
	struct str_list words =
		unit_start_words(&arena, unit->name, properties,
				 pid > 0 ? arena_printf(&arena, "%d", (int)pid) : NULL);
	int r;

	*ret_ours = false;
	r = open_manager(&bus, unit->user, err);
	if (r < 0)
		return r;
	r = call(&bus, "StartTransientUnit", UNIT_START_SIGNATURE, &words, &reply);
	/* One that failed stays loaded until it is told to go; one that runs is not moved by that (row K-16). */
	if (r == -EREMOTEIO && is_error(&reply, UNIT_EXISTS)) {
		(void)!reset_failed(&bus, unit);
		r = call(&bus, "StartTransientUnit", UNIT_START_SIGNATURE, &words, &reply);
	}
	if (r < 0) {
		r = answer_error(unit, "start", r, &reply, err);
		return r == -EEXIST ? exists(unit, err) : r;
	}
	*ret_ours = true;
	return wait_for_job(&bus, unit, "start", &reply, err);
}

int unit_stop(const struct unit *unit, struct err *err)
{
	const char *items[] = { unit->name, "replace" };
	const struct str_list words = { items, 2 };
	defer_dbus struct dbus bus = DBUS_CLOSED;
	struct dbus_message reply;
	int r;

	r = open_manager(&bus, unit->user, err);
	if (r < 0)
		return r;
	r = call(&bus, "StopUnit", "ss", &words, &reply);
	if (r == -EREMOTEIO && is_error(&reply, NO_SUCH_UNIT))
		return 0;
	if (r < 0)
		return answer_error(unit, "stop", r, &reply, err);
	r = wait_for_job(&bus, unit, "stop", &reply, err);
	/* Most are gone by now, so there is nothing to reset. */
	(void)!reset_failed(&bus, unit);
	return r;
}

int unit_set(const struct unit *unit, const struct unit_property_list *properties, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_dbus struct dbus bus = DBUS_CLOSED;
	struct dbus_message reply;
	struct str_list words = unit_set_words(&arena, unit->name, properties);
	int r;

	if (properties->n == 0)
		return 0;
	r = open_manager(&bus, unit->user, err);
	if (r == 0) {
		r = call(&bus, "SetUnitProperties", UNIT_SET_SIGNATURE, &words, &reply);
		if (r < 0)
			r = answer_error(unit, "set properties of", r, &reply, err);
	}
	return r;
}
