/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/words.h"

#include "base/ascii.h"
#include "base/near.h"
#include "base/num.h"
#include "spec/config.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

/* Newer than the headers of Debian 12. */
#define MPOL_WEIGHTED_INTERLEAVE_      6
#define FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)

const char *const hook_names[HOOK_KINDS] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

const char *const ns_names[NS_TYPES] = {
	[NS_PID] = "pid", [NS_NETWORK] = "network", [NS_MOUNT] = "mount",   [NS_IPC] = "ipc",
	[NS_UTS] = "uts", [NS_USER] = "user",       [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

const uint64_t ns_clone_flags[NS_TYPES] = {
	[NS_PID] = CLONE_NEWPID,       [NS_NETWORK] = CLONE_NEWNET, [NS_MOUNT] = CLONE_NEWNS,
	[NS_IPC] = CLONE_NEWIPC,       [NS_UTS] = CLONE_NEWUTS,     [NS_USER] = CLONE_NEWUSER,
	[NS_CGROUP] = CLONE_NEWCGROUP, [NS_TIME] = CLONE_NEWTIME,
};

#define WORDS(table, kind, ...)                                                                    \
	static const struct word table##_items[] = { __VA_ARGS__ };                                \
	const struct words words_##table = { kind, table##_items, ARRAY_LEN(table##_items) }

/* clang-format off */
#define CAP(name) { "CAP_" #name, CAP_##name }
WORDS(capability, "a capability", CAP(CHOWN), CAP(DAC_OVERRIDE), CAP(DAC_READ_SEARCH), CAP(FOWNER),
      CAP(FSETID), CAP(KILL), CAP(SETGID), CAP(SETUID), CAP(SETPCAP), CAP(LINUX_IMMUTABLE),
      CAP(NET_BIND_SERVICE), CAP(NET_BROADCAST), CAP(NET_ADMIN), CAP(NET_RAW), CAP(IPC_LOCK),
      CAP(IPC_OWNER), CAP(SYS_MODULE), CAP(SYS_RAWIO), CAP(SYS_CHROOT), CAP(SYS_PTRACE),
      CAP(SYS_PACCT), CAP(SYS_ADMIN), CAP(SYS_BOOT), CAP(SYS_NICE), CAP(SYS_RESOURCE),
      CAP(SYS_TIME), CAP(SYS_TTY_CONFIG), CAP(MKNOD), CAP(LEASE), CAP(AUDIT_WRITE),
      CAP(AUDIT_CONTROL), CAP(SETFCAP), CAP(MAC_OVERRIDE), CAP(MAC_ADMIN), CAP(SYSLOG),
      CAP(WAKE_ALARM), CAP(BLOCK_SUSPEND), CAP(AUDIT_READ), CAP(PERFMON), CAP(BPF),
      CAP(CHECKPOINT_RESTORE));

#define RLIMIT(name) { "RLIMIT_" #name, RLIMIT_##name }
WORDS(rlimit, "a resource limit", RLIMIT(AS), RLIMIT(CORE), RLIMIT(CPU), RLIMIT(DATA),
      RLIMIT(FSIZE), RLIMIT(LOCKS), RLIMIT(MEMLOCK), RLIMIT(MSGQUEUE), RLIMIT(NICE), RLIMIT(NOFILE),
      RLIMIT(NPROC), RLIMIT(RSS), RLIMIT(RTPRIO), RLIMIT(RTTIME), RLIMIT(SIGPENDING),
      RLIMIT(STACK));

WORDS(namespace, "a namespace", { "cgroup", NS_CGROUP }, { "ipc", NS_IPC }, { "mount", NS_MOUNT },
      { "network", NS_NETWORK }, { "pid", NS_PID }, { "time", NS_TIME }, { "user", NS_USER },
      { "uts", NS_UTS });

/* The values mean nothing here: runtime/ turns the words into flags. */
WORDS(propagation, "a propagation", { "private", 0 }, { "rprivate", 1 }, { "shared", 2 },
      { "rshared", 3 }, { "slave", 4 }, { "rslave", 5 }, { "unbindable", 6 }, { "runbindable", 7 });

WORDS(personality, "an execution domain", { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 });

/* The kernel keeps 4 for SCHED_ISO and has never had it. */
WORDS(sched_policy, "a scheduling policy", { "SCHED_OTHER", SCHED_NORMAL },
      { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR }, { "SCHED_BATCH", SCHED_BATCH },
      { "SCHED_ISO", 4 }, { "SCHED_IDLE", SCHED_IDLE }, { "SCHED_DEADLINE", SCHED_DEADLINE });

#define SCHED(name) { "SCHED_FLAG_" #name, SCHED_FLAG_##name }
WORDS(sched_flag, "a scheduling flag", SCHED(RESET_ON_FORK), SCHED(RECLAIM), SCHED(DL_OVERRUN),
      SCHED(KEEP_POLICY), SCHED(KEEP_PARAMS), SCHED(UTIL_CLAMP_MIN), SCHED(UTIL_CLAMP_MAX));

WORDS(io_class, "an I/O class", { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
      { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE }, { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE });

#define MPOL(name) { "MPOL_" #name, MPOL_##name }
WORDS(memory_mode, "a memory policy", MPOL(DEFAULT), MPOL(BIND), MPOL(INTERLEAVE),
      { "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_ }, MPOL(PREFERRED),
      MPOL(PREFERRED_MANY), MPOL(LOCAL));
WORDS(memory_flag, "a memory policy flag", MPOL(F_NUMA_BALANCING), MPOL(F_RELATIVE_NODES),
      MPOL(F_STATIC_NODES));

WORDS(device_type, "a device type", { "c", 'c' }, { "b", 'b' }, { "p", 'p' }, { "u", 'c' });
WORDS(rule_type, "a device type", { "a", 'a' }, { "c", 'c' }, { "b", 'b' }, { "", 'a' });

#define ACT(name, value) { "SCMP_ACT_" #name, value }
WORDS(seccomp_action, "a seccomp action", ACT(ALLOW, SECCOMP_RET_ALLOW),
      ACT(ERRNO, SECCOMP_RET_ERRNO), ACT(KILL, SECCOMP_RET_KILL_THREAD),
      ACT(KILL_PROCESS, SECCOMP_RET_KILL_PROCESS), ACT(KILL_THREAD, SECCOMP_RET_KILL_THREAD),
      ACT(LOG, SECCOMP_RET_LOG), ACT(NOTIFY, SECCOMP_RET_USER_NOTIF), ACT(TRACE, SECCOMP_RET_TRACE),
      ACT(TRAP, SECCOMP_RET_TRAP));

#define CMP(name) { "SCMP_CMP_" #name, SECCOMP_OP_##name }
WORDS(seccomp_op, "a comparison", CMP(EQ), CMP(GE), CMP(GT), CMP(LE), CMP(LT), CMP(MASKED_EQ),
      CMP(NE));

#define FILTER(name) { "SECCOMP_FILTER_FLAG_" #name, SECCOMP_FILTER_FLAG_##name }
WORDS(seccomp_flag, "a seccomp flag", FILTER(LOG), FILTER(SPEC_ALLOW), FILTER(TSYNC),
      { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", FILTER_FLAG_WAIT_KILLABLE_RECV });

#define ARCHES(X)                                                                                  \
	X(X86)                                                                                     \
	X(X86_64)                                                                                  \
	X(X32) X(ARM) X(AARCH64) X(MIPS) X(MIPS64) X(MIPS64N32) X(MIPSEL) X(MIPSEL64)              \
		X(MIPSEL64N32) X(PPC) X(PPC64) X(PPC64LE) X(S390) X(S390X) X(PARISC) X(PARISC64)   \
			X(RISCV64) X(LOONGARCH64) X(M68K) X(SH) X(SHEB)
#define ARCH_NAME(name) [ARCH_##name] = "SCMP_ARCH_" #name,
#define ARCH_WORD(name) { "SCMP_ARCH_" #name, ARCH_##name },

const char *const seccomp_arch_names[SECCOMP_ARCHES] = { ARCHES(ARCH_NAME) };
WORDS(seccomp_arch, "an architecture", ARCHES(ARCH_WORD));

#define SIG(name) { #name, SIG##name }
WORDS(signal, "a signal", SIG(HUP), SIG(INT), SIG(QUIT), SIG(ILL), SIG(TRAP), SIG(ABRT), SIG(BUS),
      SIG(FPE), SIG(KILL), SIG(USR1), SIG(SEGV), SIG(USR2), SIG(PIPE), SIG(ALRM), SIG(TERM),
      SIG(STKFLT), SIG(CHLD), SIG(CONT), SIG(STOP), SIG(TSTP), SIG(TTIN), SIG(TTOU), SIG(URG),
      SIG(XCPU), SIG(XFSZ), SIG(VTALRM), SIG(PROF), SIG(WINCH), SIG(IO), SIG(PWR), SIG(SYS),
      SIG(IOT), SIG(POLL), { "CLD", SIGCHLD }, { "UNUSED", SIGSYS });
/* clang-format on */

bool words_find(const struct words *words, const char *name, uint64_t *ret_value)
{
	for (size_t i = 0; i < words->n; i++) {
		if (!strcmp(words->items[i].name, name)) {
			*ret_value = words->items[i].value;
			return true;
		}
	}
	return false;
}

const char *words_name(const struct words *words, uint64_t value)
{
	for (size_t i = 0; i < words->n; i++) {
		if (words->items[i].value == value)
			return words->items[i].name;
	}
	return NULL;
}

const char *words_near(const struct words *words, const char *name)
{
	struct near near;

	near_init(&near, name);
	for (size_t i = 0; i < words->n; i++)
		near_offer(&near, words->items[i].name);
	return near.best;
}

/* "RTMIN+3", "RTMAX-1": the libc keeps the first ones for itself, so the ends are asked of it. */
static int realtime_parse(const char *text, int *ret_signal)
{
	bool from_top = ascii_begins(text, "RTMAX", 5);
	uint64_t away = 0;

	if (!from_top && !ascii_begins(text, "RTMIN", 5))
		return -EINVAL;
	text += 5;
	if (*text && (*text++ != (from_top ? '-' : '+') ||
		      num_parse_u64(text, 0, (uint64_t)(SIGRTMAX - SIGRTMIN), &away) < 0))
		return -EINVAL;
	*ret_signal = from_top ? SIGRTMAX - (int)away : SIGRTMIN + (int)away;
	return 0;
}

int signal_parse(const char *text, int *ret_signal)
{
	uint64_t number;

	if (num_parse_u64(text, 1, (uint64_t)SIGRTMAX, &number) == 0) {
		*ret_signal = (int)number;
		return 0;
	}
	if (ascii_begins(text, "SIG", 3))
		text += 3;
	for (size_t i = 0; i < words_signal.n; i++) {
		if (ascii_same(words_signal.items[i].name, text)) {
			*ret_signal = (int)words_signal.items[i].value;
			return 0;
		}
	}
	return realtime_parse(text, ret_signal);
}
