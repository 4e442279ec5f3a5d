/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tare-oci and tare do before the C library starts.
 *
 * A command that enters a container executes itself once more from a protected copy (os/selfexe.h). The first of the two
 * processes needs no C library for that, and its start-up is most of what it would cost: page faults, relocations, and
 * the questions to the processor, each a trap on a virtual machine. So the executable's entry point is here. If the
 * command may be such a one, the copy is executed at once; else, or if that does not work, the pages that will be needed
 * are asked for and the library starts as always. main() does and checks everything again by the rules: nothing here is
 * relied on, and nothing here reports an error.
 *
 * Must not use the stack protector, thread-local storage or a function of the C library, memcpy() included: none of them
 * works yet. meson.build compiles it so, and a test looks at what it calls. Static executables only.
 */
#include "os/prefault.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>

/* The kernel starts us with the stack pointer at argc; _start expects it, and the registers, as they were. */
#if defined(__x86_64__)
__asm__(".text\n"
	".globl tare_entry\n"
	".type tare_entry, @function\n"
	"tare_entry:\n"
	"	mov %rsp, %rbx\n"
	"	mov %rdx, %r12\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call tare_before_libc\n"
	"	mov %r12, %rdx\n"
	"	mov %rbx, %rsp\n"
	"	jmp _start\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".globl tare_entry\n"
	".type tare_entry, %function\n"
	"tare_entry:\n"
	"	mov x19, x0\n"
	"	mov x0, sp\n"
	"	bl tare_before_libc\n"
	"	mov x0, x19\n"
	"	b _start\n");
#endif

void tare_before_libc(long *stack) __attribute__((used));

/*
 * Eight characters as a number. Words are compared with these, because constants in the code are there when the code is:
 * the table of commands would be three page faults, a string another.
 */
#define WORD(text)                                                                                 \
	((uint64_t)(text)[0] | (uint64_t)(text)[1] << 8 | (uint64_t)(text)[2] << 16 |              \
	 (uint64_t)(text)[3] << 24 | (uint64_t)(text)[4] << 32 | (uint64_t)(text)[5] << 40 |       \
	 (uint64_t)(text)[6] << 48 | (uint64_t)(text)[7] << 56)

/* The first eight characters of @text, zeros behind its end; *@ret_rest is what follows them. */
static uint64_t first_word(const char *text, const char **ret_rest)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < 8; i++) {
		if (!*text)
			break;
		word |= (uint64_t)(unsigned char)*text++ << (8 * i);
	}
	*ret_rest = text;
	return word;
}

/* Those with .enters_container; tests/checks/test_binary.py compares. */
static bool enters_container(const char *text)
{
	const char *rest;
	uint64_t word = first_word(text, &rest);

	return !*rest && (word == WORD("run\0\0\0\0") || word == WORD("create\0") ||
			  word == WORD("exec\0\0\0"));
}

/*
 * Is one of the words a command that enters a container? A word that is no command, an id perhaps, costs one execution
 * too many and nothing else.
 */
static bool may_enter_container(char *const *argv)
{
	for (size_t i = 0; argv[i]; i++) {
		if (enters_container(argv[i]))
			return true;
	}
	return false;
}

/* A file that was executed by its fd is called so by the kernel. It is our copy, or main() will make one. */
static bool is_executed_by_fd(const unsigned long *auxv)
{
	const char *rest;

	for (; auxv[0] != AT_NULL; auxv += 2) {
		if (auxv[0] == AT_EXECFN)
			return first_word((const char *)auxv[1], &rest) == WORD("/dev/fd/");
	}
	return false;
}

static void execute_copy(char *const *argv, char *const *envp)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	volatile uint64_t path[2] = { WORD("/proc/se"), WORD("lf/exe\0") };
	long empty = (long)path + 15, tree;

	tree = raw_syscall(SYS_open_tree, AT_FDCWD, (long)path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC,
			   0, 0);
	if (tree < 0)
		return;
	if (raw_syscall(SYS_mount_setattr, tree, empty, AT_EMPTY_PATH, (long)&attr, sizeof(attr)) ==
	    0)
		(void)raw_syscall(SYS_execveat, tree, empty, (long)argv, (long)envp, AT_EMPTY_PATH);
	(void)raw_syscall(SYS_close, tree, 0, 0, 0, 0);
}

/* @stack: as the kernel left it: argc, argv, NULL, envp, NULL, auxv */
void tare_before_libc(long *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1, **end = envp;

	while (*end)
		end++;
	if (!is_executed_by_fd((const unsigned long *)(end + 1)) && may_enter_container(argv))
		execute_copy(argv, envp);

	prefault_code();
	prefault_data();
	prefault_stack(0, PREFAULT_STACK);
}
