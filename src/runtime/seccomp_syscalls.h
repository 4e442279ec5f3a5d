/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of system calls by name and architecture. The table in seccomp_syscalls.c is written by tools/gen-syscalls;
 * the look-up is seccomp_arch.c's.
 *
 * A number is kept as a slot: the distance from the first number of the architecture (0; 4000, 5000 and 6000 on MIPS;
 * 0x40000000 on x32), so that 1,024 slots hold every call of any architecture and a plain array can be indexed by them.
 * ARM's private calls (0xf0001 and up) take the last few slots; the order of slots is the order of numbers.
 */
#ifndef TARE_RUNTIME_SECCOMP_SYSCALLS_H
#define TARE_RUNTIME_SECCOMP_SYSCALLS_H

#include "spec/config.h"

#include <stdint.h>

#define SYSCALL_NAME_MAX     32
#define SYSCALL_SLOTS        1024
#define SYSCALL_PRIVATE_SLOT 1016
#define SYSCALL_ABSENT       0xffff
#define SYSCALL_HASH_SIZE    1024

struct syscall_row {
	char name[SYSCALL_NAME_MAX]; /* NUL-terminated */
	uint16_t mux; /* also by socketcall(n): 100 + n; by ipc(n): 200 + n; 0: neither */
	uint16_t slot[SECCOMP_ARCHES];
};

/* Sorted by name. */
extern const struct syscall_row syscall_rows[];
extern const uint16_t syscall_row_count;

/* Open addressing by syscall_hash_name(); an entry is an index into the rows plus one, 0 is an empty place. */
extern const uint16_t syscall_hash[SYSCALL_HASH_SIZE];

#endif
