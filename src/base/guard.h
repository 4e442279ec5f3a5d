/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guards: the checks that stop a known attack, each under a name.
 *
 * Whoever says that a check stops an attack has to show that the attack works without it. So there is a build for tests
 * alone (-Dunsafe_guard=environment) in which TARE_UNSAFE_GUARD=NAME takes away the one guard of that name; it says what it
 * is at every start, and is not installed. In every other build GUARD() is the constant true: nothing of this is in the
 * program, neither a branch nor a name, and the variable means nothing.
 *
 * docs/security.md has a row for each name: which advisory, which attack. docs/design/013-unsafe-guards.md says why.
 */
#ifndef TARE_BASE_GUARD_H
#define TARE_BASE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* One line each: what is done for the sake of safety, in the order of docs/security.md. */
#define GUARDS(X)                                                                                  \
	X(selfexe_copy)    /* runs from a copy of the binary that nobody can write */              \
	X(undumpable)      /* an entering process is closed to ptrace */                           \
	X(enter_close)     /* and has none of the host's files open */                             \
	X(close_fds)       /* inherited files are closed before the program is executed */         \
	X(cwd_inside)      /* the working directory is one below the root */                       \
	X(proc_real)       /* /proc and /sys are directories of the rootfs and not links */        \
	X(proc_procfs)     /* what is bound on /proc is a procfs */                                \
	X(label_proc)      /* labels are written through the host's verified procfs */             \
	X(sysctl_proc)     /* sysctls are written through the host's verified procfs */            \
	X(mask_cover)      /* masks are the host's verified /dev/null */                           \
	X(console_fd)      /* the terminal is mounted by the fd that was checked */                \
	X(copy_nofollow)   /* what tmpcopyup copies is opened without following links */           \
	X(hide_mounts)     /* --no-pivot leaves no procfs or sysfs of the host behind */           \
	X(in_root)         /* paths of the container are resolved inside its root by the kernel */ \
	X(target_fd)       /* a mount goes onto the fd that was checked */                         \
	X(inheritable)     /* exec --cap leaves the inheritable set alone */                       \
	X(cgroup_readonly) /* cgroups that are not hidden can't be written */                      \
	X(user_number)     /* exec --user takes whole numbers only */                              \
	X(groups)          /* the caller's groups are cleared */                                   \
	X(session)         /* a session of its own */                                              \
	X(keyring)         /* a session keyring of its own */

enum guard {
#define GUARD_NUMBER(name) GUARD_##name,
	GUARDS(GUARD_NUMBER)
#undef GUARD_NUMBER
		GUARDS_N
};

#ifdef TARE_UNSAFE_GUARDS

#define GUARD(name) guard_stands(GUARD_##name)

bool guard_stands(enum guard guard);

/*
 * guard_remove() - take one guard away, for the rest of this process and what it forks
 *
 * Return: 0; -EINVAL if there is none of that name
 */
int guard_remove(const char *name);

/* guard_removed() - the name of the one that was taken away; NULL if all stand */
const char *guard_removed(void);

static inline bool guards_are_removable(void)
{
	return true;
}

#else

#define GUARD(name) ((void)GUARD_##name, true)

static inline int guard_remove(const char *name)
{
	return 0;
}

static inline const char *guard_removed(void)
{
	return NULL;
}

static inline bool guards_are_removable(void)
{
	return false;
}

#endif
#endif
