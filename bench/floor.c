/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: one container with its configuration compiled in, by the fewest system calls we know.
 *
 * No parsing, no checks, no safe path walk, no record, no undo: what is left is what the kernel's part of a container
 * costs on this machine, and no runtime can be faster. Two shapes, as the bench's bundles have them (tests/integration/
 * support/bundle.py): "docker" with six namespaces, 11 mounts, 14 capabilities, a seccomp filter, masks and limits, and
 * "minimal" with four namespaces. Like the runtimes it first re-executes itself through a read-only mount of its own
 * binary (CVE-2019-5736), because that protection is not optional.
 *
 * It is for the v1 hierarchies, since crun 1.8 refuses the hybrid ones of the bench's machine.
 *
 * exec is a further process in a container that another runtime made: PID is its init, ID its cgroup. A process in between
 * joins, so that the one which the container sees is born inside (docs/design/007-exec.md); that is not optional either.
 *
 * Usage: floor docker|minimal BUNDLE ID [PROGRAM ARGUMENT...]
 *        floor exec PID ID [PROGRAM ARGUMENT...]
 */
#include "floor_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CAP_LAST     40

/* Every step that must succeed: there is nothing to do about a failure here but to say which line it was. */
#define MUST(call)                                                                                 \
	({                                                                                         \
		long result_ = (long)(call);                                                       \
		if (result_ < 0) {                                                                 \
			dprintf(2, "floor: line %d: %s: %m\n", __LINE__, #call);                   \
			_exit(125);                                                                \
		}                                                                                  \
		result_;                                                                           \
	})

static const char *const controllers[] = {
	"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd",
};

static const struct {
	const char *path, *value;
} limits[] = {
	/* NULL: what the parent has; nothing can join without these two */
	{ "cpuset/%s/cpuset.cpus", NULL },
	{ "cpuset/%s/cpuset.mems", NULL },
	{ "memory/%s/memory.limit_in_bytes", "268435456" },
	{ "cpu/%s/cpu.shares", "512" },
	{ "cpu/%s/cpu.cfs_period_us", "100000" },
	{ "cpu/%s/cpu.cfs_quota_us", "50000" },
	{ "pids/%s/pids.max", "100" },
	{ "devices/%s/devices.deny", "a" },
};

static const char *const allowed_devices[] = {
	"c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",
	"c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm",
};

static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
	      { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };

static const char *const links[][2] = {
	{ "/proc/self/fd", "dev/fd" },       { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
	{ "pts/ptmx", "dev/ptmx" },
};

/* Files of the bundle that engines bind into the container. */
static const char *const binds[][2] = {
	{ "../resolv.conf", "etc/resolv.conf" },
	{ "../hostname", "etc/hostname" },
	{ "../hosts", "etc/hosts" },
	{ "../data", "data" },
};

static const char *const masked[] = {
	"/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",          "/sys/firmware",
};

static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const int kept_capabilities[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE,     CAP_FSETID,     CAP_FOWNER,      CAP_MKNOD,
	CAP_NET_RAW, CAP_SETGID,           CAP_SETUID,     CAP_SETFCAP,     CAP_SETPCAP,
	CAP_KILL,    CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_AUDIT_WRITE,
};

static uint64_t kept_set(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept_capabilities); i++)
		set |= 1ULL << kept_capabilities[i];
	return set;
}

/* Go on from a read-only mount of this binary; the second time round there is nothing to do. */
static void protect_binary(char **argv, char **envp)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd;

	if (argv[0][0] == '\0' || strncmp((const char *)getauxval(AT_EXECFN), "/dev/fd/", 8) == 0)
		return;
	argv[0][0] = '\0';
	fd = MUST(syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | O_CLOEXEC));
	MUST(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	MUST(syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH));
}

static int open_cgroup_file(const char *format, const char *id, int flags)
{
	char path[256];
	int len = snprintf(path, sizeof(path), "/sys/fs/cgroup/");

	snprintf(path + len, sizeof(path) - (size_t)len, format, id);
	return (int)MUST(open(path, flags | O_CLOEXEC));
}

static void write_limit(const char *format, const char *id, const char *value)
{
	char inherited[64];
	int fd;

	if (!value) {
		fd = open_cgroup_file(format, ".", O_RDONLY);
		inherited[MUST(read(fd, inherited, sizeof(inherited) - 1))] = '\0';
		close(fd);
		value = inherited;
	}
	fd = open_cgroup_file(format, id, O_WRONLY);
	MUST(write(fd, value, strlen(value)));
	close(fd);
}

static void make_cgroups(const char *id)
{
	char path[256];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s", controllers[i], id);
		MUST(mkdir(path, 0755));
	}
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		write_limit(limits[i].path, id, limits[i].value);

	fd = open_cgroup_file("devices/%s/devices.allow", id, O_WRONLY);
	for (size_t i = 0; i < ARRAY_LEN(allowed_devices); i++)
		MUST(write(fd, allowed_devices[i], strlen(allowed_devices[i])));
	close(fd);
}

/* By the child itself and to "tasks": a parent that writes a pid waits for an RCU grace period. */
static void join_cgroups(const char *id)
{
	char path[256];

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s/tasks", controllers[i], id);
		fd = (int)MUST(open(path, O_WRONLY | O_CLOEXEC));
		MUST(write(fd, "0", 1));
		close(fd);
	}
}

static void remove_cgroups(const char *id)
{
	char path[256];

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s", controllers[i], id);
		rmdir(path);
	}
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	MUST(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

/* Private propagation, the bundle's rootfs as a mount point, and our working directory in it. */
static void enter_rootfs(const char *bundle)
{
	char rootfs[256];

	snprintf(rootfs, sizeof(rootfs), "%s/rootfs", bundle);
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
	MUST(chdir(rootfs));
}

static void mount_cgroups(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char path[128];

	MUST(mount("cgroup", "sys/fs/cgroup", "tmpfs", flags, "mode=755"));
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		const char *name = controllers[i];

		snprintf(path, sizeof(path), "sys/fs/cgroup/%s", name);
		MUST(mkdir(path, 0755));
		MUST(mount("cgroup", path, "cgroup", flags | MS_RDONLY,
			   strcmp(name, "systemd") ? name : "none,name=systemd"));
	}
	MUST(mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL));
}

static void mount_all(void)
{
	const unsigned long quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	MUST(mount("proc", "proc", "proc", quiet, NULL));
	MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
	MUST(mkdir("dev/pts", 0755));
	MUST(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	MUST(mount("sysfs", "sys", "sysfs", quiet | MS_RDONLY, NULL));
	mount_cgroups();
	MUST(mkdir("dev/mqueue", 0755));
	MUST(mount("mqueue", "dev/mqueue", "mqueue", quiet, NULL));
	MUST(mkdir("dev/shm", 0755));
	MUST(mount("shm", "dev/shm", "tmpfs", quiet, "mode=1777,size=67108864"));
	for (size_t i = 0; i < ARRAY_LEN(binds); i++)
		MUST(mount(binds[i][0], binds[i][1], NULL, MS_BIND | MS_REC, NULL));
}

/* In a rootfs that is used again they are there already. */
static int made(int result)
{
	return result < 0 && errno == EEXIST ? 0 : result;
}

/*
 * Every container has these (config-linux.md "Default Devices"), whatever its config says; /dev/ptmx
 * where there is a devpts.
 */
static void make_devices(bool devpts)
{
	umask(0);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		MUST(made(mknod(nodes[i].name, S_IFCHR | 0666,
				makedev(nodes[i].major, nodes[i].minor))));
	for (size_t i = 0; i < ARRAY_LEN(links) - !devpts; i++)
		MUST(made(symlink(links[i][0], links[i][1])));
	umask(022);
}

static void pivot(void)
{
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
}

static void hide_paths(void)
{
	for (size_t i = 0; i < ARRAY_LEN(masked); i++) {
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		MUST(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL)); /* a directory */
	}
	for (size_t i = 0; i < ARRAY_LEN(readonly); i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0 &&
		    errno == ENOENT)
			continue;
		MUST(mount(NULL, readonly[i], NULL,
			   MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			   NULL));
	}
}

static void drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	for (int cap = 0; cap <= CAP_LAST; cap++) {
		if (!(keep & (1ULL << cap)))
			MUST(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	}
	data[0].effective = data[0].permitted = (uint32_t)keep;
	data[1].effective = data[1].permitted = (uint32_t)(keep >> 32);
	MUST(syscall(SYS_capset, &header, data));
}

static void load_filter(void)
{
	struct sock_fprog program = { .len = ARRAY_LEN(floor_filter), .filter = floor_filter };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		     &program));
}

static void docker_child(const char *bundle, const char *id)
{
	struct rlimit files = { 1024, 1024 };

	join_cgroups(id);
	MUST(unshare(CLONE_NEWCGROUP));
	MUST(setsid());
	enter_rootfs(bundle);
	loopback_up();
	MUST(sethostname("docker-like", 11));
	mount_all();
	make_devices(true);
	pivot();
	hide_paths();
	MUST(prlimit(0, RLIMIT_NOFILE, &files, NULL));
	drop_capabilities(kept_set());
	load_filter();
}

static void minimal_child(const char *bundle)
{
	MUST(setsid());
	enter_rootfs(bundle);
	MUST(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	make_devices(false);
	pivot();
	drop_capabilities(0);
}

static void minimal_exec_child(void)
{
	MUST(setsid());
	drop_capabilities(0);
}

/* In the container's namespaces and cgroups from its birth, and a child of ours. Return: its pid */
static pid_t exec_clone(const char *init, const char *id)
{
	struct clone_args clone = { .flags = CLONE_PARENT };
	int pidfd = (int)MUST(syscall(SYS_pidfd_open, atoi(init), 0));
	volatile pid_t child = 0;
	int status;
	pid_t stage = vfork();

	if (stage == 0) {
		join_cgroups(id);
		MUST(setns(pidfd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID));
		child = (pid_t)MUST(syscall(SYS_clone3, &clone, sizeof(clone)));
		if (child)
			_exit(0);
		return 0;
	}
	MUST(stage);
	MUST(waitpid(stage, &status, 0));
	return child;
}

int main(int argc, char **argv, char **envp)
{
	static char program_name[] = "/bin/true", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char *const default_program[] = { program_name, NULL };
	static char *const environment[] = { path, NULL };
	struct clone_args clone = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS |
					     CLONE_NEWIPC,
				    .exit_signal = SIGCHLD };
	bool docker = argc > 3 && !strcmp(argv[1], "docker"),
	     exec = argc > 3 && !strcmp(argv[1], "exec");
	char *const *program = argc > 4 ? argv + 4 : default_program;
	int status;
	pid_t pid;

	if (argc < 4 || (!docker && !exec && strcmp(argv[1], "minimal") != 0)) {
		dprintf(2, "usage: floor docker|minimal BUNDLE ID [PROGRAM ARGUMENT...]\n"
			   "       floor exec PID ID [PROGRAM ARGUMENT...]\n");
		return 2;
	}
	protect_binary(argv, envp);

	if (docker) {
		clone.flags |= CLONE_NEWNET;
		make_cgroups(argv[3]);
	}
	pid = exec ? exec_clone(argv[2], argv[3])
		   : (pid_t)MUST(syscall(SYS_clone3, &clone, sizeof(clone)));
	if (pid == 0) {
		if (exec)
			minimal_exec_child();
		else if (docker)
			docker_child(argv[2], argv[3]);
		else
			minimal_child(argv[2]);
		MUST(close_range(3, ~0U, 0));
		execve(program[0], program, environment);
		_exit(127);
	}

	MUST(waitpid(pid, &status, 0));
	if (docker)
		remove_cgroups(argv[3]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
