/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault table: in a build with -Dfaults=true a test can make the n-th system call of a kind fail.
 *
 * Every os_ function begins with OS_FAULT("name of the call"). In a normal build that is nothing at all. In a test
 * build, fault_arm() chooses: from now on, in this process, let the next call (of that name, or of any) fail with
 * that errno, once. act.c arms it for one step of the plan when the environment says TARE_FAULT=<step index>:<errno
 * number>[:<call name>[:<nth>]], so tests are generated from the plan itself.
 */
#ifndef TARE_OS_FAULT_H
#define TARE_OS_FAULT_H

#ifdef TARE_FAULTS

/* fault_arm() - let the @nth (0: next) call named @call (NULL: any) fail with @error (positive errno) */
void fault_arm(const char *call, int nth, int error);
void fault_disarm(void);

/* fault_hit() - 0, or the negative errno that this call must return. fault_fired() - whether it happened */
int fault_hit(const char *call);
int fault_fired(void);

#define OS_FAULT(call)                                                                             \
	do {                                                                                       \
		int fault_ = fault_hit(call);                                                      \
		if (fault_ < 0)                                                                    \
			return fault_;                                                             \
	} while (0)

#else
#define OS_FAULT(call)                                                                             \
	do {                                                                                       \
	} while (0)
#endif

#endif
