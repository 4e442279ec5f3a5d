/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the facts of this host. Every run pays for this, so what a cheap call tells is not read from a file, and what
 * only some configs need is read only for them. Files are those of the cgroup layout and, where asked for, /proc/self/ns
 * (which namespaces there are) and the two LSMs' switches.
 */
#include "runtime/facts.h"

#include "os/file.h"
#include "os/kernel.h"
#include "os/ns.h"
#include "runtime/passwd.h"
#include "spec/config.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const ns_files[NS_TYPES] = {
	[NS_PID] = "pid", [NS_NETWORK] = "net", [NS_MOUNT] = "mnt",     [NS_IPC] = "ipc",
	[NS_UTS] = "uts", [NS_USER] = "user",   [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

/*
 * The start of a small file, NUL-terminated.
 * Return: its length, -errno
 */
static ssize_t read_start(const char *root, const char *path, char *buf, size_t size)
{
	char full[512];
	defer_close int fd = -EBADF;
	ssize_t len;

	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		return -errno;
	buf[len] = '\0';
	return len;
}

static uint64_t read_permitted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

/*
 * The kernel's newest capability. Every kernel that can start a container (Linux 5.12, for mount_setattr) has the first
 * 41, so only newer ones are asked for.
 */
static int read_last_cap(void)
{
	int cap = CAP_CHECKPOINT_RESTORE;

	while (cap < 63 && prctl(PR_CAPBSET_READ, cap + 1, 0, 0, 0) >= 0)
		cap++;
	return cap;
}

static int read_rootless(const char *root, uint32_t euid, bool *ret_rootless, struct err *err)
{
	int inner = os_in_user_namespace(root);

	if (inner < 0)
		return err_set(err, inner, "read the link \"%s/proc/self/ns/user\"", root);
	*ret_rootless = euid != 0 || inner;
	return 0;
}

struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static uint64_t ns_flag(const char *name)
{
	for (int type = 0; type < NS_TYPES; type++) {
		if (strcmp(name, ns_files[type]) == 0)
			return ns_clone_flags[type];
	}
	return 0;
}

/* One getdents of the ten names is cheaper than eight stats, or than readdir() with its buffer on the heap. */
int facts_read_namespaces(const char *root, uint64_t *ret_flags, struct err *err)
{
	_Alignas(8) char buf[1024];
	char path[512];
	defer_close int fd = -EBADF;
	uint64_t flags = 0;
	long len;

	snprintf(path, sizeof(path), "%s/proc/self/ns", root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open \"%s\"", path);

	len = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	if (len < 0)
		return err_sys(err, "list \"%s\"", path);
	for (long at = 0; at < len;) {
		const struct linux_dirent64 *entry = (const void *)(buf + at);

		flags |= ns_flag(entry->name);
		at += entry->reclen;
	}
	*ret_flags = flags;
	return 0;
}

static bool read_apparmor(const char *root)
{
	char word[8];

	return read_start(root, "/sys/module/apparmor/parameters/enabled", word, sizeof(word)) >
		       0 &&
	       word[0] == 'Y';
}

static bool is_there(const char *root, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return access(full, F_OK) == 0;
}

/* The name of a user in the host's /etc/passwd. Return: NULL if it has none there */
static const char *read_name(const char *root, uint32_t uid, char *buf, size_t size)
{
	char path[512];
	defer_close int fd = -EBADF;

	snprintf(path, sizeof(path), "%s/etc/passwd", root);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd >= 0 && passwd_name(fd, uid, buf, size) == 1 ? buf : NULL;
}

static int read_subids(struct arena *arena, const char *root, const char *file, const char *name,
		       uint32_t uid, struct subid_list *ret, struct err *err)
{
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s%s", root, file);
	r = subids_read(arena, path, name, uid, ret);
	return r < 0 ? err_set(err, r, "read \"%s\"", path) : 0;
}

/* What only matters to a runtime that is not root of the host. */
static int read_unprivileged(struct arena *arena, const char *root, struct facts *facts,
			     struct err *err)
{
	char buf[256];
	const char *name;
	int r;

	r = cgroup_layout_narrow(arena, root, &facts->cgroup, err);
	if (r < 0 || facts->capabilities & 1ULL << CAP_SETUID)
		return r;
	name = read_name(root, facts->euid, buf, sizeof(buf));
	r = read_subids(arena, root, "/etc/subuid", name, facts->euid, &facts->subuids, err);
	if (r < 0)
		return r;
	return read_subids(arena, root, "/etc/subgid", name, facts->euid, &facts->subgids, err);
}

/* Spec: proc_pid_mountinfo(5); the last one hides those before */
static int read_resctrl(struct arena *arena, const char *root, const char **ret, struct err *err)
{
	const char *path = arena_printf(arena, "%s/proc/self/mountinfo", root);
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text, *line;
	size_t len;
	int r;

	r = fd < 0 ? -errno : os_file_read(arena, fd, CGROUP_MOUNTINFO_MAX, &text, &len);
	if (r < 0)
		return err_set(err, r, "read \"%s\"", path);
	while ((line = strsep(&text, "\n"))) {
		char *type = strstr(line, " - resctrl ");

		for (int word = 0; type && word < 4; word++)
			strsep(&line, " ");
		if (!type || !line)
			continue;
		line[strcspn(line, " ")] = '\0';
		mountinfo_unescape(line);
		*ret = line;
	}
	return 0;
}

static bool is_given(const char *label)
{
	return label && *label;
}

unsigned facts_needed_by_process(const struct config_process *process)
{
	return is_given(process->apparmor_profile) || is_given(process->selinux_label)
		       ? FACTS_SECURITY
		       : 0;
}

unsigned facts_needed(const struct config *config)
{
	const struct config_namespace *namespaces = config->linux_.namespaces;
	unsigned parts = FACTS_CGROUPS | facts_needed_by_process(&config->process);

	if (config->linux_.sysctl.n)
		parts |= FACTS_VERSION;
	if (config->linux_.intel_rdt.set)
		parts |= FACTS_RDT;
	if (is_given(config->linux_.mount_label))
		parts |= FACTS_SECURITY;
	/* The only ones that a kernel which is otherwise fit may lack; of others step_clone() says it. */
	if (namespaces[NS_USER].mode != NS_ABSENT || namespaces[NS_TIME].mode != NS_ABSENT)
		parts |= FACTS_NAMESPACES;
	return parts;
}

int facts_read(struct arena *arena, const char *root, struct facts *ret_facts, struct err *err)
{
	return facts_read_parts(arena, root, FACTS_ALL, ret_facts, err);
}

int facts_read_parts(struct arena *arena, const char *root, unsigned parts, struct facts *ret_facts,
		     struct err *err)
{
	struct facts facts = {
		/* The kernel told us at our exec. */
		.euid = (uint32_t)getauxval(AT_EUID),
		.egid = (uint32_t)getauxval(AT_EGID),
		.capabilities = read_permitted(),
		.last_cap = read_last_cap(),
		.namespaces = UINT64_MAX,
	};
	int r;

	if (parts & FACTS_VERSION)
		facts.kernel_version = os_kernel_version();
	if (parts & FACTS_SECURITY) {
		facts.apparmor = read_apparmor(root);
		facts.selinux = is_there(root, "/sys/fs/selinux/enforce");
		facts.seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
	}
	/* As sd_booted(3) has it. */
	if (parts & FACTS_SYSTEMD)
		facts.systemd = is_there(root, "/run/systemd/system");
	r = read_rootless(root, facts.euid, &facts.rootless, err);
	if (r == 0 && parts & FACTS_NAMESPACES)
		r = facts_read_namespaces(root, &facts.namespaces, err);
	if (r == 0 && parts & FACTS_RDT)
		r = read_resctrl(arena, root, &facts.resctrl, err);
	if (r == 0 && parts & FACTS_CGROUPS)
		r = cgroup_layout_read(arena, root, &facts.cgroup, err);
	if (r == 0 && parts & FACTS_CGROUPS && facts.rootless)
		r = read_unprivileged(arena, root, &facts, err);
	if (r < 0)
		return r;
	*ret_facts = facts;
	return 0;
}

void facts_as_root(struct facts *facts)
{
	facts->euid = facts->egid = 0;
	facts->rootless = false;
	cgroup_layout_widen(&facts->cgroup);
	facts->capabilities = UINT64_MAX >> (63 - facts->last_cap);
}
