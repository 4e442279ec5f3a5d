/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of classic BPF that seccomp filters use, as the kernel checks and runs it. */
#ifndef TARE_TESTS_SECCOMP_SIM_H
#define TARE_TESTS_SECCOMP_SIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* sim_check() - NULL if the kernel would take this program; else what is wrong with it. Jumps only go forward, so a
 * program that passes ends. */
const char *sim_check(const struct sock_filter *insns, size_t n);

/* sim_run() - the verdict of a program that sim_check() has passed. @ret_steps: instructions executed; may be NULL */
uint32_t sim_run(const struct sock_filter *insns, const struct seccomp_data *data,
		 unsigned *ret_steps);

#endif
