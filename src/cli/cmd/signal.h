/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_CLI_CMD_SIGNAL_H
#define TARE_CLI_CMD_SIGNAL_H

#include "base/err.h"

/*
 * signal_option() - what --signal, --stop-signal say
 * @text: NULL: nothing, and *ret stays
 *
 * Return: 0; -EINVAL with what it may be
 */
int signal_option(const char *text, int *ret, struct err *err) MUST_CHECK;

#endif
