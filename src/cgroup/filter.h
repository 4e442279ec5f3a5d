/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting a device program in force on a cgroup v2.
 *
 * A program that an earlier container left on a cgroup that was there already is replaced in one step, so that there is
 * no moment without one. Row: K-1
 */
#ifndef TARE_CGROUP_FILTER_H
#define TARE_CGROUP_FILTER_H

#include "base/err.h"

#include <linux/bpf.h>
#include <stdint.h>

/*
 * cgroup_filter_attach() - let @insns decide about devices for the cgroup whose directory @fd is
 * @path: for messages
 *
 * An earlier one of tare's is replaced in one step. Others, systemd's for one, stay, and all of them have to agree.
 * Return: 0; -errno
 */
int cgroup_filter_attach(int fd, const char *path, const struct bpf_insn *insns, uint32_t n,
			 struct err *err) MUST_CHECK;

/* cgroup_filter_detach() - no program of the cgroup itself decides any more; those above it still do. Return: 0; -errno */
int cgroup_filter_detach(int fd, const char *path, struct err *err) MUST_CHECK;

#endif
