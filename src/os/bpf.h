/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2), as far as device filters of cgroups need it. */
#ifndef TARE_OS_BPF_H
#define TARE_OS_BPF_H

#include "base/defer.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/*
 * os_bpf_load_device() - hand a BPF_PROG_TYPE_CGROUP_DEVICE program to the kernel
 * @log: receives the verifier's words when it refuses the program, may be NULL
 *
 * Needs:  CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, in the initial user namespace
 * Return: an O_CLOEXEC fd; -EPERM; -EINVAL also if the kernel has no CONFIG_CGROUP_BPF
 */
int os_bpf_load_device(const struct bpf_insn *insns, uint32_t n, char *log,
		       size_t log_size) MUST_CHECK;

/*
 * os_bpf_attach_device() - from now on the kernel asks @program for processes of @cgroup
 * @replace: program to take the place of, < 0: add to those that are attached, all of which must agree
 */
int os_bpf_attach_device(int cgroup, int program, int replace) MUST_CHECK;
int os_bpf_detach_device(int cgroup, int program) MUST_CHECK;

/*
 * os_bpf_exchange_device() - @program takes the place of the one that is attached without BPF_F_ALLOW_MULTI, at once
 * @flags: those that it was attached with; with others the kernel refuses
 */
int os_bpf_exchange_device(int cgroup, int program, uint32_t flags) MUST_CHECK;

/*
 * os_bpf_query_device() - ids of the attached programs
 * @ret_flags: BPF_F_* that they were attached with
 * Return: how many, at most @max; -ENOSPC if more; -errno
 */
int os_bpf_query_device(int cgroup, uint32_t *ids, uint32_t max, uint32_t *ret_flags) MUST_CHECK;

/* The kernel keeps 15 bytes of a program's name; bpftool shows it. */
#define OS_BPF_NAME_SIZE 16
#define OS_BPF_OUR_NAME  "tare_devices"

/* os_bpf_name() - the name that a program was loaded with. Return: 0; -errno */
int os_bpf_name(int program, char name[OS_BPF_NAME_SIZE]) MUST_CHECK;

/* os_bpf_open() - the program with this id. Return: an O_CLOEXEC fd; -errno */
int os_bpf_open(uint32_t id) MUST_CHECK;

#endif
