/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/guard.h"

#ifdef TARE_UNSAFE_GUARDS

#include <errno.h>
#include <string.h>

static const char *const names[] = {
#define GUARD_NAME(name) #name,
	GUARDS(GUARD_NAME)
};

/* GUARDS_N: all stand. */
static enum guard gone = GUARDS_N;

bool guard_stands(enum guard guard)
{
	return guard != gone;
}

int guard_remove(const char *name)
{
	for (int i = 0; i < GUARDS_N; i++) {
		if (strcmp(names[i], name) == 0) {
			gone = (enum guard)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *guard_removed(void)
{
	return gone == GUARDS_N ? NULL : names[gone];
}

#else
/* ISO C wants a declaration in every file. */
typedef int guards_are_not_removable_in_this_build;
#endif
