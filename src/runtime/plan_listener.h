/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hand-over of a seccomp filter's listener to the agent that answers its notifications; see
 * docs/design/011-seccomp-listener.md for who does what. Only plan*.c and container_*.c include this.
 */
#ifndef TARE_RUNTIME_PLAN_LISTENER_H
#define TARE_RUNTIME_PLAN_LISTENER_H

#include "runtime/planners.h"

/* listener_wanted() - has the profile a rule with SCMP_ACT_NOTIFY? */
bool listener_wanted(const struct config *config);

/*
 * listener_connect() - the step that connects to the agent; nothing if the profile has no use for one
 * @who: who will hand the listener over
 *
 * Must come before the child is told to go on, so that an agent that isn't there costs nothing.
 */
void listener_connect(struct planner_state *s, enum step_who who);

/*
 * listener_send() - the step that hands the listener over, after listener_connect()
 * @status:    of the container's state: "creating" for its init, "running" for a process that joins it
 * @state_pid: the init's pid if it is known already, else 0: that of the process itself
 */
void listener_send(struct planner_state *s, enum step_who who, const char *status, pid_t state_pid);

#endif
