/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Having the program's pages there before they are touched.
 *
 * A run is so short that most of its user time is page faults: about 12 windows of code and constants, 10 pages of data, 10
 * of stack, and all that was written once more on either side of a clone. One madvise() for a range costs as much as one
 * or two faults in it (a tenth on virtual machines, where each fault is dear). Only advice: a kernel before 5.14 refuses
 * it, and then the pages come one by one.
 *
 * Inline and by bare system calls, because entry.c calls this before the C library is ready. Only for static executables:
 * what else is mapped lies between other things.
 */
#ifndef TARE_OS_PREFAULT_H
#define TARE_OS_PREFAULT_H

#include "os/raw.h"

#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>

#define PREFAULT_PAGE 4096UL

/* How much of the stack a start uses, and some more: in all; below and above step_clone(), where the child begins */
#define PREFAULT_STACK       (56UL * 1024)
#define PREFAULT_STACK_BELOW (8UL * 1024)
#define PREFAULT_STACK_CHILD (8UL * 1024)
#define PREFAULT_STACK_ABOVE (28UL * 1024)

/* By the linker: the first byte of the image, one in the first page of what may be written, and the end. */
extern const char __executable_start[], __init_array_start[], _end[];

/*
 * For the functions in which a new process begins, before it can ask for pages: together they are in one window, the 16
 * pages that come with one fault. The linker puts what is called so first.
 */
#define PREFAULT_BIRTHPLACE __attribute__((section(".text.hot.birthplace")))

static inline uintptr_t prefault_data_start(void)
{
	return (uintptr_t)__init_array_start & ~(PREFAULT_PAGE - 1);
}

static inline void prefault(uintptr_t start, uintptr_t end, long advice)
{
	start &= ~(PREFAULT_PAGE - 1);
	(void)raw_syscall(SYS_madvise, (long)start,
			  (long)((end - start + PREFAULT_PAGE - 1) & ~(PREFAULT_PAGE - 1)), advice,
			  0, 0);
}

/* prefault_code() - code and constants; a new process has none of them mapped, whatever its parent had */
static inline void prefault_code(void)
{
	prefault((uintptr_t)__executable_start, prefault_data_start(), MADV_POPULATE_READ);
}

/* prefault_data() - what may be written: for a new process its own copies */
static inline void prefault_data(void)
{
	prefault(prefault_data_start(), (uintptr_t)_end, MADV_POPULATE_WRITE);
}

/*
 * prefault_stack() - from @above bytes above the caller's frame to @below bytes below it
 *
 * Should stay within the 128 kB that the kernel maps at execve(): a stack does not grow for this.
 */
static inline void prefault_stack(size_t above, size_t below)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	prefault(here - below, here + above, MADV_POPULATE_WRITE);
}

#endif
