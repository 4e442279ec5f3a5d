/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/signal.h"

#include "spec/words.h"

int signal_option(const char *text, int *ret, struct err *err)
{
	if (!text || signal_parse(text, ret) == 0)
		return 0;
	err_user(err, "unknown signal \"%s\"", text);
	return err_hint(err, "a number from 1 to 64, or a name like KILL, SIGKILL or RTMIN+1");
}
