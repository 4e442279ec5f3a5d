/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/log_choice.h"

#include "base/num.h"
#include "base/size.h"

#include <string.h>

#define DEFAULT_SIZE  ((uint64_t)10 * 1024 * 1024)
#define DEFAULT_FILES 3
#define FILES_MAX     1000 /* each rotation renames them all */

static int choose_driver(const char *driver, struct log_choice *choice, struct err *err)
{
	if (!driver || strcmp(driver, LOG_DRIVER_JSON) == 0)
		choice->driver = LOG_DRIVER_JSON;
	else if (strcmp(driver, LOG_DRIVER_NONE) == 0)
		choice->driver = LOG_DRIVER_NONE;
	if (choice->driver)
		return 0;
	err_user(err, "--log-driver: there is no \"%s\"", driver);
	return err_hint(err, "it is " LOG_DRIVER_JSON " or " LOG_DRIVER_NONE);
}

static int choose_option(const char *text, struct log_choice *choice, struct err *err)
{
	const char *value = strchr(text, '=');
	size_t len = value ? (size_t)(value - text) : 0;
	int64_t size;

	if (len == 8 && memcmp(text, "max-size", len) == 0) {
		if (size_parse(value + 1, &size) < 0 || size == 0 || size < -1)
			return err_user(err, "--log-opt \"%s\": \"%s\" is no size", text,
					value + 1);
		choice->max_size = size < 0 ? 0 : (uint64_t)size;
		return 0;
	}
	if (len == 8 && memcmp(text, "max-file", len) == 0) {
		if (num_parse_u64(value + 1, 1, FILES_MAX, &choice->max_files) < 0)
			return err_user(err, "--log-opt \"%s\": it is a number from 1 to %d", text,
					FILES_MAX);
		return 0;
	}
	err_user(err, "--log-opt \"%s\": there is no such option", text);
	return err_hint(err, "it is max-size=SIZE or max-file=N");
}

int log_choose(const char *driver, const struct str_list *options, struct log_choice *ret,
	       struct err *err)
{
	struct log_choice choice = { .max_size = DEFAULT_SIZE, .max_files = DEFAULT_FILES };
	int r = choose_driver(driver, &choice, err);

	for (size_t i = 0; i < options->n && r == 0; i++)
		r = choose_option(options->items[i], &choice, err);
	if (r == 0)
		*ret = choice;
	return r;
}
