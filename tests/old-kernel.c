/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * old-kernel WHAT[,WHAT...] PROGRAM ARGUMENT... - run a program as on a kernel that lacks something
 *
 * WHAT is the name of a system call, which then gives ENOSYS; "close_range-cloexec", "clone3-into-cgroup",
 * "mount_setattr-idmap" or "overlay-lowerdir+", flags and options that then give EINVAL (the call's name, if it is among WHAT, wins);
 * "tmpfile", as on a filesystem without O_TMPFILE; or "5.10": all that came later.
 *
 * By a seccomp filter, which the program's children inherit: also what runs in its containers. A filter sees registers only, so for
 * flags that are in memory the program is not executed in place: its parent answers for the kernel, ends with the program and
 * has its exit status. Who is left then gets ENOSYS from the call in question.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "say how seccomp calls this architecture"
#endif

/* The same numbers on every architecture. */
enum {
	NR_MOUNT_SETATTR = 442,
	NR_FCHMODAT2 = 452,
	NR_STATMOUNT = 457,
	NR_LISTMOUNT = 458,
	NR_OPEN_TREE_ATTR = 467
};

#define CLOEXEC_FLAG       4U           /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#define INTO_CGROUP_FLAG   0x200000000U /* CLONE_INTO_CGROUP, Linux 5.7 */
#define TMPFILE_FLAG       0x400000U    /* the half of O_TMPFILE that is not O_DIRECTORY */
#define ATTR_IDMAP_FLAG    0x00100000U  /* MOUNT_ATTR_IDMAP, Linux 5.12 */
#define EXIT_USAGE         125
#define CLONE_ARGS_FLAGS   0 /* offsets of the flags in the struct in memory */
#define MOUNT_ATTR_SET     0
#define MOUNT_SETATTR_ATTR 3 /* number of its argument */
#define FSCONFIG_KEY       2 /* the same; Linux 6.7 for overlay's lowerdir+ */

static const struct call {
	const char *name;
	int nr;
} calls[] = {
	{ "clone3", SYS_clone3 },
	{ "open_tree", SYS_open_tree },
	{ "move_mount", SYS_move_mount },
	{ "fsopen", SYS_fsopen },
	{ "fsconfig", SYS_fsconfig },
	{ "fsmount", SYS_fsmount },
	{ "mount_setattr", NR_MOUNT_SETATTR },
	{ "open_tree_attr", NR_OPEN_TREE_ATTR },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_getfd", SYS_pidfd_getfd },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "close_range", SYS_close_range },
	{ "openat2", SYS_openat2 },
	{ "execveat", SYS_execveat },
	{ "statx", SYS_statx },
	{ "faccessat2", SYS_faccessat2 },
	{ "fchmodat2", NR_FCHMODAT2 },
	{ "set_mempolicy", SYS_set_mempolicy },
	{ "sched_setattr", SYS_sched_setattr },
	{ "memfd_create", SYS_memfd_create },
	{ "statmount", NR_STATMOUNT },
	{ "listmount", NR_LISTMOUNT },
};

/* Numbers from here to the next hundred came after 5.10; process_madvise, 440, was 5.10's own. */
enum { FIRST_AFTER_5_10 = 441, LAST_NUMBER = 600 };

struct filter {
	struct sock_filter code[128];
	unsigned short n;
};

static void add(struct filter *f, struct sock_filter line)
{
	f->code[f->n++] = line;
}

static void answer(struct filter *f, uint32_t nr, uint32_t action)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1));
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void answer_range(struct filter *f, uint32_t first, uint32_t last, uint32_t action)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0));
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* A flag of a call's third argument. */
static void answer_flag(struct filter *f, uint32_t nr, uint32_t flag, uint32_t action)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4));
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, args[2])));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flag, 0, 1));
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, nr)));
}

static const struct call *find_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	}
	return NULL;
}

/* Return: whether there is such a word; *ret_watch: whether somebody has to answer for the kernel */
static bool add_word(struct filter *f, const char *word, bool *ret_watch)
{
	const uint32_t missing = SECCOMP_RET_ERRNO | ENOSYS, invalid = SECCOMP_RET_ERRNO | EINVAL;
	const struct call *call = find_call(word);

	if (call) {
		answer(f, (uint32_t)call->nr, missing);
	} else if (strcmp(word, "close_range-cloexec") == 0) {
		answer_flag(f, SYS_close_range, CLOEXEC_FLAG, invalid);
	} else if (strcmp(word, "tmpfile") == 0) {
		answer_flag(f, SYS_openat, TMPFILE_FLAG, SECCOMP_RET_ERRNO | EOPNOTSUPP);
	} else if (strcmp(word, "clone3-into-cgroup") == 0) {
		answer(f, SYS_clone3, SECCOMP_RET_USER_NOTIF);
		*ret_watch = true;
	} else if (strcmp(word, "mount_setattr-idmap") == 0) {
		answer(f, NR_MOUNT_SETATTR, SECCOMP_RET_USER_NOTIF);
		*ret_watch = true;
	} else if (strcmp(word, "overlay-lowerdir+") == 0) {
		answer(f, SYS_fsconfig, SECCOMP_RET_USER_NOTIF);
		*ret_watch = true;
	} else if (strcmp(word, "5.10") == 0) {
		answer_range(f, FIRST_AFTER_5_10, LAST_NUMBER, missing);
		answer_flag(f, SYS_close_range, CLOEXEC_FLAG, invalid);
	} else {
		return false;
	}
	return true;
}

static int load(struct filter *f, unsigned flags)
{
	struct sock_fprog program = { .len = f->n, .filter = f->code };

	/* Without CAP_SYS_ADMIN it would need no_new_privs, which a runtime must not have. */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* ---- flags in memory ---------------------------------------------------------------------------------------------- */

static uint64_t read_word(pid_t pid, uint64_t address)
{
	char path[40];
	uint64_t word = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &word, sizeof(word), (off_t)address) != (ssize_t)sizeof(word))
		word = 0;
	if (fd >= 0)
		close(fd);
	return word;
}

static bool is_too_new(const struct seccomp_notif *call)
{
	uint64_t lowerdir;

	memcpy(&lowerdir, "lowerdir+", sizeof(lowerdir)); /* "lowerdir" alone is none of ours */
	if (call->data.nr == SYS_clone3)
		return read_word((pid_t)call->pid, call->data.args[0] + CLONE_ARGS_FLAGS) &
		       INTO_CGROUP_FLAG;
	if (call->data.nr == SYS_fsconfig)
		return call->data.args[FSCONFIG_KEY] &&
		       read_word((pid_t)call->pid, call->data.args[FSCONFIG_KEY]) == lowerdir;
	return read_word((pid_t)call->pid, call->data.args[MOUNT_SETATTR_ATTR] + MOUNT_ATTR_SET) &
	       ATTR_IDMAP_FLAG;
}

static void answer_one(int listener)
{
	struct seccomp_notif call;
	struct seccomp_notif_resp response;

	memset(&call, 0, sizeof(call));
	memset(&response, 0, sizeof(response));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return;
	response.id = call.id;
	if (is_too_new(&call))
		response.error = -EINVAL;
	else
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* The listener's number is the same in both: the child has no more files than we have. */
static int get_listener(pid_t child, int number)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

	close(pidfd);
	return fd;
}

static int watch(struct filter *f, char **argv)
{
	int go[2], back[2], number, status;
	pid_t child;

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
		return EXIT_USAGE;
	child = fork();
	if (child == 0) {
		number = load(f, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		if (write(back[1], &number, sizeof(number)) != (ssize_t)sizeof(number) ||
		    read(go[0], &status, 1) != 1)
			_exit(EXIT_USAGE);
		close(number);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || read(back[0], &number, sizeof(number)) != (ssize_t)sizeof(number) ||
	    number < 0)
		return EXIT_USAGE;
	number = get_listener(child, number);
	if (number < 0 || write(go[1], "", 1) != 1)
		return EXIT_USAGE;
	for (;;) {
		struct pollfd fd = { .fd = number, .events = POLLIN };

		if (poll(&fd, 1, 10) > 0 && fd.revents & POLLIN)
			answer_one(number);
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

int main(int argc, char **argv)
{
	struct filter f = { .n = 0 };
	bool watched = false;

	if (argc < 3) {
		fprintf(stderr, "usage: old-kernel WHAT[,WHAT...] PROGRAM ARGUMENT...\n");
		return EXIT_USAGE;
	}
	add(&f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, arch)));
	add(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	add(&f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr)));
	for (char *word = strtok(argv[1], ","); word; word = strtok(NULL, ",")) {
		if (f.n > 100 || !add_word(&f, word, &watched)) {
			fprintf(stderr, "old-kernel: unknown \"%s\"\n", word);
			return EXIT_USAGE;
		}
	}
	add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	if (watched)
		return watch(&f, argv + 2);
	if (load(&f, 0) < 0) {
		perror("old-kernel: load the filter");
		return EXIT_USAGE;
	}
	execvp(argv[2], argv + 2);
	perror("old-kernel: execute the program");
	return 127;
}
