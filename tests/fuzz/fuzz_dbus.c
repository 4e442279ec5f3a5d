/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes from outside on the way to systemd, by the first byte: a D-Bus message; a bus's address; the GVariant text of
 * an annotation; a cgroupsPath in systemd's form. What is accepted is whole: texts end, words fit their types.
 */
#include "cgroup/dbus.h"
#include "cgroup/unit_name.h"
#include "cgroup/unit_properties.h"
#include "promise.h"

#include <string.h>

static void message(struct arena *arena, const uint8_t *data, size_t size)
{
	/* A copy of the very size, so that a byte too much is noticed. */
	uint8_t *copy = malloc(size ? size : 1);
	struct dbus_message message;
	union dbus_value values[4];
	size_t len;

	memcpy(copy, data, size);
	if (dbus_message_size(copy, size, &len) == 0 && len <= size &&
	    dbus_message_parse(copy, len, &message) == 0) {
		PROMISE(message.body >= copy && message.body + message.body_len <= copy + size);
		PROMISE(!message.member || strlen(message.member) < size);
		if (dbus_message_read(&message, "uoss", values) == 0)
			PROMISE(strlen(values[1].text) + strlen(values[3].text) < message.body_len);
	}
	free(copy);
}

static void annotation(struct arena *arena, const char *text)
{
	struct unit_property_list list = { 0 };
	struct dbus_buffer buffer = { .arena = arena };
	struct err err = ERR_INIT;

	if (unit_property_of_annotation(arena, "TimeoutStopSec", text, &list, &err) < 0) {
		PROMISE(err.text[0]);
		return;
	}
	PROMISE(list.n == 1 &&
		dbus_put(&buffer, list.items[0].signature, &list.items[0].words) == 0);
}

static void unit(struct arena *arena, const char *text)
{
	struct err err = ERR_INIT;
	struct unit_name name;

	if (unit_name_parse(arena, text, "id", false, &name, &err) < 0) {
		PROMISE(err.text[0] && err.hint[0]);
		return;
	}
	PROMISE(strlen(name.unit) <= UNIT_NAME_LEN_MAX && !strchr(name.unit, '/'));
	PROMISE(name.path[0] == '/' && !strstr(name.path, "/../") && !strstr(name.path, "//"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	char path[64];
	char *text;

	if (size == 0)
		return 0;
	text = arena_strndup(&arena, (const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		message(&arena, data + 1, size - 1);
		break;
	case 1:
		if (dbus_address_path(text, path, sizeof(path)) == 0)
			PROMISE(path[0] && strlen(path) < sizeof(path));
		break;
	case 2:
		annotation(&arena, text);
		break;
	case 3:
		unit(&arena, text);
		break;
	}
	return 0;
}
