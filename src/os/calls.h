/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls this kernel lacks, for the hint of an error that says no more than ENOSYS. docs/kernels.md tells
 * what is needed for what.
 */
#ifndef TARE_OS_CALLS_H
#define TARE_OS_CALLS_H

#include <stddef.h>

/*
 * os_calls_missing() - the names of those that tare uses and that give ENOSYS here, each with the Linux that has it
 * @buf: "openat2 (Linux 5.6), pidfd_open (Linux 5.3)"; "" if none is missing
 *
 * Asks each with arguments that it must refuse, so nothing happens.
 */
void os_calls_missing(char *buf, size_t size);

#endif
