/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --restart: whether a container that has ended is started again, and when. */
#ifndef TARE_ENGINE_RESTART_POLICY_H
#define TARE_ENGINE_RESTART_POLICY_H

#include "engine/record.h"

/* Made in a container's directory before it is told to end: then it is not started again. Its monitor watches for it. */
#define STOP_MARKER "stop"

/*
 * restart_choose() - no, always, unless-stopped, on-failure[:N]
 * @text: NULL: no
 *
 * Return: 0; -EINVAL
 */
int restart_choose(const char *text, struct restart_choice *ret, struct err *err) MUST_CHECK;

/* restart_text() - as it was given, in @buf or a literal */
const char *restart_text(const struct restart_choice *choice, char *buf, size_t size);

/* restart_wanted() - of a container that has just ended, with the record of how, and was not stopped by anybody */
bool restart_wanted(const struct container_record *record);

/*
 * restart_delay_ms() - how long to wait before that: a tenth of a second, twice as long after each start that did not last, up to
 * a minute
 */
uint64_t restart_delay_ms(const struct container_record *record);

/* restart_lasted() - it ran so long that the next failure is a new one */
bool restart_lasted(const struct container_record *record);

/*
 * restart_forbid() - it is to end for good; restart_allow() - it is started again by hand
 * @dir: the container's directory; no lock is needed
 *
 * Return: 0; -errno with @err
 */
int restart_forbid(int dir, struct err *err) MUST_CHECK;
int restart_allow(int dir, struct err *err) MUST_CHECK;

/* restart_forbidden() - was it so. Return: 1, 0 */
int restart_forbidden(int dir);

#endif
