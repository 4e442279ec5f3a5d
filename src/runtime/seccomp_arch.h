/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the filter compiler must know of each architecture (more exactly: of each calling convention, x32 being one of
 * its own), and the names of system calls.
 */
#ifndef TARE_RUNTIME_SECCOMP_ARCH_H
#define TARE_RUNTIME_SECCOMP_ARCH_H

#include "runtime/seccomp_syscalls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X32_BIT 0x40000000u

struct seccomp_abi {
	uint32_t token; /* AUDIT_ARCH_*, what seccomp_data.arch holds */
	uint32_t base;  /* number of slot 0 */
	bool wide;      /* arguments are 64 bits; else only their low word is compared */
	bool big_endian;
	bool muxes; /* has socketcall(2) and ipc(2) */
};

extern const struct seccomp_abi seccomp_abis[SECCOMP_ARCHES];

/* seccomp_native_arch() - the one that this program was built for */
enum seccomp_arch seccomp_native_arch(void);

/* seccomp_number() - the system call number of a slot */
uint32_t seccomp_number(enum seccomp_arch arch, unsigned slot);

/* seccomp_arg_offset() - where the high or low word of argument @index is in struct seccomp_data */
uint32_t seccomp_arg_offset(enum seccomp_arch arch, unsigned index, bool high);

/* syscall_find() - the row of a name; NULL if no architecture has such a call */
const struct syscall_row *syscall_find(const char *name);

/*
 * syscall_nearest() - the known name that looks most like @name, for "did you mean"
 * Return: NULL when none is near enough to be a slip of the keyboard
 */
const char *syscall_nearest(const char *name);

#endif
