/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties that the user writes: org.systemd.property.NAME with a value in GVariant's text form. */
#include "cgroup/unit_properties.h"

#include "base/num.h"
#include "cgroup/unit_gvariant.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* What tare has to know or decide itself. */
static const char *const decided[] = { "PIDs", "PIDFDs", "Slice", "Delegate" };

static bool is_name(const char *name)
{
	size_t len = 0;

	while (isalpha((unsigned char)name[len]))
		len++;
	return len >= 3 && !name[len];
}

static int refuse_annotation(struct err *err, const char *name, const char *why)
{
	return err_user(err, "set property \"%s\" of the unit: %s", name, why);
}

/* Seconds are how units' files have it, microseconds how the bus does. Return: 0; -ERANGE */
static int in_microseconds(struct arena *arena, const char *name, struct gvariant *value,
			   const char **ret_name)
{
	size_t len = strlen(name) - strlen("Sec");
	struct num_decimal seconds;
	const char *text, *end;
	unsigned __int128 us;

	if (strcmp(name + len, "Sec") != 0 || (len > 0 && name[len - 1] == 'U') ||
	    value->signature[1] || !strchr("ynqiuxtd", *value->signature))
		return 0;
	text = value->words.items[0];
	end = num_decimal(text + (*text == '+'), &seconds);
	us = end ? num_decimal_times(&seconds, 1000000) : 0;
	/* A minus, or too many digits. */
	if (!end || *end || us > INT64_MAX)
		return -ERANGE;
	*ret_name = arena_printf(arena, "%.*sUSec", (int)len, name);
	value->signature = "t";
	value->words.items[0] = arena_printf(arena, "%" PRIu64, (uint64_t)us);
	return 0;
}

int unit_property_of_annotation(struct arena *arena, const char *name, const char *value,
				struct unit_property_list *list, struct err *err)
{
	struct dbus_buffer probe = { .arena = arena };
	struct gvariant parsed;

	if (!is_name(name))
		return refuse_annotation(err, name, "a property's name has letters only");
	for (size_t i = 0; i < ARRAY_LEN(decided); i++) {
		if (strcmp(name, decided[i]) == 0)
			return refuse_annotation(err, name, "tare-oci decides this one");
	}
	if (gvariant_parse(arena, value, &parsed) < 0) {
		err_user(err, "set property \"%s\" of the unit to \"%s\": %s, at byte %zu", name,
			 value, parsed.why, parsed.at);
		return err_hint(
			err,
			"a value in GVariant's text form, e.g. \"uint64 5\", \"'text'\", \"true\"");
	}
	if (in_microseconds(arena, name, &parsed, &name) < 0)
		return refuse_annotation(err, name, "so many seconds are not possible");
	/* A number that its type can't hold, or a type that systemd doesn't have, is found by trying. */
	if (dbus_put(&probe, parsed.signature, &parsed.words) < 0)
		return refuse_annotation(err, name, "the value does not fit its type");
	unit_property_remove(list, name);
	unit_property_add(arena, list, "", name, parsed.signature, parsed.words.items,
			  parsed.words.n);
	return 0;
}
