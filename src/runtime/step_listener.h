/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child's side of handing a seccomp listener over; step_seccomp() calls it. */
#ifndef TARE_RUNTIME_STEP_LISTENER_H
#define TARE_RUNTIME_STEP_LISTENER_H

#include "runtime/act.h"

/* listener_announce() - the last word by a system call: the other side must look at the page from now on */
int listener_announce(struct act *a, struct err *err) MUST_CHECK;

/* listener_wait() - say in the page which fd it is, and wait there until the agent has it. Without a system call. */
int listener_wait(struct act *a, int listener, struct err *err) MUST_CHECK;

#endif
