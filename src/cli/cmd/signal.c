/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/signal.h"

#include "base/num.h"
#include "engine/control.h"
#include "spec/words.h"

#include <limits.h>

int signal_option(const char *text, int *ret, struct err *err)
{
	if (!text || signal_parse(text, ret) == 0)
		return 0;
	err_user(err, "unknown signal \"%s\"", text);
	return err_hint(err, "a number from 1 to 64, or a name like KILL, SIGKILL or RTMIN+1");
}

static int read_time(const char *text, int64_t *ret, struct err *err)
{
	if (!text)
		return 0;
	if (num_parse_i64(text, -1, INT_MAX, ret) < 0)
		return err_user(err, "--time \"%s\" is no number of seconds", text);
	/* -1 is docker's word for any time; ours for the container's own */
	if (*ret < 0)
		*ret = CONTROL_AS_CONTAINER - 1;
	return 0;
}

int stop_read(const struct stop_args *args, struct stop_how *ret, struct err *err)
{
	int r;

	*ret = (struct stop_how){ CONTROL_AS_CONTAINER, CONTROL_AS_CONTAINER };
	r = signal_option(args->signal, &ret->signal, err);
	return r < 0 ? r : read_time(args->time, &ret->seconds, err);
}
