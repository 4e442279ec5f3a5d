/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command lines of checkpoint and restore have in common. */
#ifndef TARE_CLI_OCI_CRIU_ARGS_H
#define TARE_CLI_OCI_CRIU_ARGS_H

#include "cli/oci/command.h"

/* Where an image is if nobody says where, below the current directory. */
#define CRIU_DEFAULT_IMAGE "checkpoint"

/* criu_refuse_lazy_pages() - Return: -EOPNOTSUPP */
int criu_refuse_lazy_pages(struct err *err);

/* criu_empty_ns() - the words of --empty-ns. Return: 0; -EINVAL */
int criu_empty_ns(const struct option_values *words, bool *ret_network, struct err *err) MUST_CHECK;

#endif
