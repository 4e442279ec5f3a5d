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
#include "cli/command.h"
#include "os/prefault.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>

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

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool begins_with(const char *text, const char *prefix)
{
	while (*prefix) {
		if (*text++ != *prefix++)
			return false;
	}
	return true;
}

/*
 * Is one of the words a command that enters a container? A word that is no command, an id perhaps, costs one execution
 * too many and nothing else.
 */
static bool may_enter_container(char *const *argv)
{
	for (size_t i = 0; argv[i]; i++) {
		for (size_t c = 0; commands[c]; c++) {
			if (commands[c]->enters_container && is_same(argv[i], commands[c]->name))
				return true;
		}
	}
	return false;
}

/* A file that was executed by its fd is called so by the kernel. It is our copy, or main() will make one. */
static bool is_executed_by_fd(const unsigned long *auxv)
{
	for (; auxv[0] != AT_NULL; auxv += 2) {
		if (auxv[0] == AT_EXECFN)
			return begins_with((const char *)auxv[1], "/dev/fd/");
	}
	return false;
}

static void execute_copy(char *const *argv, char *const *envp)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	long tree;

	tree = raw_syscall(SYS_open_tree, AT_FDCWD, (long)"/proc/self/exe",
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);
	if (tree < 0)
		return;
	if (raw_syscall(SYS_mount_setattr, tree, (long)"", AT_EMPTY_PATH, (long)&attr,
			sizeof(attr)) == 0)
		(void)raw_syscall(SYS_execveat, tree, (long)"", (long)argv, (long)envp,
				  AT_EMPTY_PATH);
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
