/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system call without the C library: no errno, no cancellation, nothing that its start-up must have made ready. */
#ifndef TARE_OS_RAW_H
#define TARE_OS_RAW_H

#include <sys/syscall.h>

/* raw_syscall() - Return: what the kernel returned, -errno for an error */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#else
#error "say how this architecture calls the kernel"
#endif
}

#endif
