/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/fault.h"

#ifdef TARE_FAULTS

#include <stddef.h>
#include <string.h>

static const char *armed_call;
static int armed_nth, armed_error, fired;

void fault_arm(const char *call, int nth, int error)
{
	armed_call = call;
	armed_nth = nth;
	armed_error = error;
	fired = 0;
}

void fault_disarm(void)
{
	armed_error = 0;
}

int fault_hit(const char *call)
{
	int error = armed_error;

	if (!armed_error || (armed_call && strcmp(armed_call, call) != 0))
		return 0;
	if (armed_nth-- > 0)
		return 0;

	fired = 1;
	armed_error = 0;
	return -error;
}

int fault_fired(void)
{
	return fired;
}

#else
/* ISO C wants a declaration in every file. */
typedef int fault_table_is_not_in_this_build;
#endif
