/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Architectures and names. The tokens are spelled out as machine | bits because older kernel headers lack some of the
 * AUDIT_ARCH_ words; the machine numbers are ELF's.
 */
#include "runtime/seccomp_arch.h"

#include "base/near.h"

#include <elf.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif
#define LE  __AUDIT_ARCH_LE
#define W64 __AUDIT_ARCH_64BIT
#define N32 0x20000000 /* MIPS: 32-bit pointers in 64-bit registers */

/* clang-format off */
const struct seccomp_abi seccomp_abis[SECCOMP_ARCHES] = {
	/*                    token                        base     wide   big    muxes */
	[ARCH_X86]         = { EM_386 | LE,                0,       false, false, true },
	[ARCH_X86_64]      = { EM_X86_64 | W64 | LE,       0,       true,  false, false },
	[ARCH_X32]         = { EM_X86_64 | W64 | LE,       X32_BIT, false, false, false },
	[ARCH_ARM]         = { EM_ARM | LE,                0,       false, false, false },
	[ARCH_AARCH64]     = { EM_AARCH64 | W64 | LE,      0,       true,  false, false },
	[ARCH_MIPS]        = { EM_MIPS,                    4000,    false, true,  true },
	[ARCH_MIPS64]      = { EM_MIPS | W64,              5000,    true,  true,  false },
	[ARCH_MIPS64N32]   = { EM_MIPS | W64 | N32,        6000,    false, true,  false },
	[ARCH_MIPSEL]      = { EM_MIPS | LE,               4000,    false, false, true },
	[ARCH_MIPSEL64]    = { EM_MIPS | W64 | LE,         5000,    true,  false, false },
	[ARCH_MIPSEL64N32] = { EM_MIPS | W64 | LE | N32,   6000,    false, false, false },
	[ARCH_PPC]         = { EM_PPC,                     0,       false, true,  true },
	[ARCH_PPC64]       = { EM_PPC64 | W64,             0,       true,  true,  true },
	[ARCH_PPC64LE]     = { EM_PPC64 | W64 | LE,        0,       true,  false, true },
	[ARCH_S390]        = { EM_S390,                    0,       false, true,  true },
	[ARCH_S390X]       = { EM_S390 | W64,              0,       true,  true,  true },
	[ARCH_PARISC]      = { EM_PARISC,                  0,       false, true,  false },
	[ARCH_PARISC64]    = { EM_PARISC | W64,            0,       true,  true,  false },
	[ARCH_RISCV64]     = { EM_RISCV | W64 | LE,        0,       true,  false, false },
	[ARCH_LOONGARCH64] = { EM_LOONGARCH | W64 | LE,    0,       true,  false, false },
	[ARCH_M68K]        = { EM_68K,                     0,       false, true,  true },
	[ARCH_SH]          = { EM_SH | LE,                 0,       false, false, true },
	[ARCH_SHEB]        = { EM_SH,                      0,       false, true,  true },
};
/* clang-format on */

enum seccomp_arch seccomp_native_arch(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
	return ARCH_X32;
#elif defined(__x86_64__)
	return ARCH_X86_64;
#elif defined(__i386__)
	return ARCH_X86;
#elif defined(__aarch64__)
	return ARCH_AARCH64;
#elif defined(__arm__)
	return ARCH_ARM;
#elif defined(__riscv) && __riscv_xlen == 64
	return ARCH_RISCV64;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	return ARCH_PPC64LE;
#elif defined(__powerpc64__)
	return ARCH_PPC64;
#elif defined(__s390x__)
	return ARCH_S390X;
#elif defined(__loongarch64)
	return ARCH_LOONGARCH64;
#else
#error "say here which seccomp architecture this is"
#endif
}

uint32_t seccomp_number(enum seccomp_arch arch, unsigned slot)
{
	if (slot >= SYSCALL_PRIVATE_SLOT)
		return 0x0f0000 + (slot - SYSCALL_PRIVATE_SLOT);
	return seccomp_abis[arch].base + slot;
}

uint32_t seccomp_arg_offset(enum seccomp_arch arch, unsigned index, bool high)
{
	uint32_t first = offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);

	return high == seccomp_abis[arch].big_endian ? first : first + sizeof(uint32_t);
}

/* FNV-1a, folded; tools/gen-syscalls fills the table with the same. */
static uint32_t hash_name(const char *name)
{
	uint32_t hash = 0x811c9dc5;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x01000193;
	return hash ^ (hash >> 16);
}

const struct syscall_row *syscall_find(const char *name)
{
	for (uint32_t at = hash_name(name) % SYSCALL_HASH_SIZE; syscall_hash[at];
	     at = (at + 1) % SYSCALL_HASH_SIZE) {
		const struct syscall_row *row = &syscall_rows[syscall_hash[at] - 1];

		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

const char *syscall_nearest(const char *name)
{
	struct near near;

	near_init(&near, name);
	for (unsigned i = 0; i < syscall_row_count; i++)
		near_offer(&near, syscall_rows[i].name);
	return near.best;
}
