/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/restart_policy.h"

#include "base/num.h"
#include "os/dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIRST_DELAY_MS 100
#define DELAY_MAX_MS   60000
#define DOUBLINGS_MAX  10 /* by then the delay is at its most */
#define LASTED_S       10

#define ON_FAILURE "on-failure"

static bool is_named(const char *text, const char *name)
{
	return text && strcmp(text, name) == 0;
}

int restart_choose(const char *text, struct restart_choice *ret, struct err *err)
{
	static const char *const names[] = { "no", "always", "unless-stopped", ON_FAILURE };
	const char *number;
	uint64_t max;

	*ret = (struct restart_choice){ .policy = NULL };
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			ret->policy = i ? names[i] : NULL;
			return 0;
		}
	}
	number = strncmp(text, ON_FAILURE ":", strlen(ON_FAILURE ":")) == 0
			 ? text + strlen(ON_FAILURE ":")
			 : "";
	if (num_parse_u64(number, 0, INT32_MAX, &max) == 0) {
		*ret = (struct restart_choice){ .policy = ON_FAILURE, .max = max };
		return 0;
	}
	err_user(err, "--restart: there is no \"%s\"", text);
	return err_hint(err, "it is no, always, unless-stopped or on-failure[:N]");
}

const char *restart_text(const struct restart_choice *choice, char *buf, size_t size)
{
	if (!choice->policy)
		return "no";
	if (!choice->max)
		return choice->policy;
	snprintf(buf, size, "%s:%llu", choice->policy, (unsigned long long)choice->max);
	return buf;
}

bool restart_wanted(const struct container_record *record)
{
	const struct restart_choice *choice = &record->restart;

	if (!choice->policy || record->auto_remove)
		return false;
	if (!is_named(choice->policy, ON_FAILURE))
		return true;
	return record->exit_status != 0 && (!choice->max || choice->count < choice->max);
}

uint64_t restart_delay_ms(const struct container_record *record)
{
	uint64_t failures = record->restart.failures, delay;
	uint64_t doublings = failures ? failures - 1 : 0;

	delay = FIRST_DELAY_MS << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
	return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

/* Seconds since 1970; -1 */
static int64_t seconds(const char *rfc3339)
{
	struct tm tm = { .tm_year = 0 };

	return rfc3339 && strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) : -1;
}

bool restart_lasted(const struct container_record *record)
{
	int64_t begin = seconds(record->started), end = seconds(record->finished);

	return begin >= 0 && end >= 0 && end - begin >= LASTED_S;
}

int restart_forbid(int dir, struct err *err)
{
	int fd = openat(dir, STOP_MARKER, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, "note that the container is to end");
	close(fd);
	return 0;
}

int restart_allow(int dir, struct err *err)
{
	if (unlinkat(dir, STOP_MARKER, 0) < 0 && errno != ENOENT)
		return err_sys(err, "note that the container is to run");
	return 0;
}

int restart_forbidden(int dir)
{
	return os_exists_at(dir, STOP_MARKER) == 1;
}
