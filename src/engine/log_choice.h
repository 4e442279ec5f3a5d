/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --log-driver and --log-opt: what becomes of what a container writes in the background. */
#ifndef TARE_ENGINE_LOG_CHOICE_H
#define TARE_ENGINE_LOG_CHOICE_H

#include "engine/record.h"

#define LOG_DRIVER_JSON "json-file"
#define LOG_DRIVER_NONE "none"

/*
 * log_choose() - what the options say
 * @driver:  NULL: json-file
 * @options: NAME=VALUE each; max-size (10m; -1: any) and max-file (3)
 *
 * Return: 0; -EINVAL
 */
int log_choose(const char *driver, const struct str_list *options, struct log_choice *ret,
	       struct err *err) MUST_CHECK;

#endif
