/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux.sysctl. Only keys that belong to a namespace of the container's may be written, all others would change the
 * host. Which key belongs to which namespace is the table below, from the kernel's own registration of them.
 *
 * Spec: config-linux.md "Sysctl" (row L-21); sysctl(8) for the spelling of keys
 */
#include "runtime/planners.h"

#include "os/kernel.h"

#include <string.h>

/* Each entry is a key, or all keys below it if it ends in "/". First match counts. */
static const struct {
	const char *path;
	enum ns_type ns;
} namespaced[] = {
	{ "net/", NS_NETWORK },           { "fs/mqueue/", NS_IPC },
	{ "kernel/shmmax", NS_IPC },      { "kernel/shmall", NS_IPC },
	{ "kernel/shmmni", NS_IPC },      { "kernel/shm_rmid_forced", NS_IPC },
	{ "kernel/shm_next_id", NS_IPC }, { "kernel/msgmax", NS_IPC },
	{ "kernel/msgmnb", NS_IPC },      { "kernel/msgmni", NS_IPC },
	{ "kernel/msg_next_id", NS_IPC }, { "kernel/auto_msgmni", NS_IPC },
	{ "kernel/sem", NS_IPC },         { "kernel/sem_next_id", NS_IPC },
	{ "kernel/hostname", NS_UTS },    { "kernel/domainname", NS_UTS },
	{ "kernel/ns_last_pid", NS_PID }, { "kernel/pid_max", NS_PID },
	{ "vm/memfd_noexec", NS_PID },    { "user/", NS_USER },
};

/* kernel.pid_max was one for the whole machine before. */
#define PID_MAX_PER_NS_SINCE OS_KERNEL(6, 14)

/*
 * The path of a key below /proc/sys. As sysctl(8): the separator that comes first is the one meant, and if that is the
 * dot, slashes stand for the dots inside a name ("net.ipv4.conf.eth0/1.forwarding").
 */
static char *key_path(struct plan *plan, const char *key)
{
	char *path = plan_strdup(plan, key);
	const char *first = strpbrk(key, "./");

	if (!first || *first == '/')
		return path;
	for (char *p = path; *p; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return path;
}

/* Every part has a name, and none leads back up. */
static bool is_plain(const char *path)
{
	size_t len;

	for (const char *p = path;; p += len + 1) {
		len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[len])
			return true;
	}
}

static int find_namespace(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(namespaced); i++) {
		const char *known = namespaced[i].path;
		size_t len = strlen(known);

		if (known[len - 1] == '/' ? strncmp(path, known, len) == 0
					  : strcmp(path, known) == 0)
			return (int)namespaced[i].ns;
	}
	return -1;
}

/* "/" and "~" in a key must be escaped in a JSON pointer (RFC 6901). */
static const char *key_pointer(struct plan *plan, const char *key)
{
	static const char prefix[] = "/linux/sysctl/";
	char *text = arena_alloc(&plan->arena, sizeof(prefix) + 2 * strlen(key)), *p;

	p = stpcpy(text, prefix);
	for (; *key; key++) {
		if (*key == '/' || *key == '~') {
			*p++ = '~';
			*p++ = *key == '/' ? '1' : '0';
		} else {
			*p++ = *key;
		}
	}
	*p = '\0';
	return text;
}

static int check_key(const struct planner_state *s, const char *key, const char *path,
		     struct err *err)
{
	int ns;

	if (!is_plain(path))
		return err_user(err, "set sysctl \"%s\": it is not the name of a key", key);

	ns = find_namespace(path);
	if (strcmp(path, "kernel/pid_max") == 0 && s->facts->kernel_version < PID_MAX_PER_NS_SINCE)
		ns = -1;
	if (ns < 0) {
		err_user(err,
			 "set sysctl \"%s\": it belongs to no namespace, so it would change the "
			 "host",
			 key);
		return err_hint(err,
				"set it on the host with sysctl(8) if all containers may have it");
	}
	if (!s_ns_private(s, (enum ns_type)ns)) {
		err_user(err,
			 "set sysctl \"%s\": it belongs to the %s namespace, which the container "
			 "shares with the host",
			 key, ns_names[ns]);
		return err_hint(err, "add {\"type\": \"%s\"} to linux.namespaces", ns_names[ns]);
	}
	if ((strcmp(path, "kernel/hostname") == 0 && s->config->hostname) ||
	    (strcmp(path, "kernel/domainname") == 0 && s->config->domainname))
		return err_user(err, "set sysctl \"%s\": the config's %s sets it too", key,
				path + strlen("kernel/"));
	return 0;
}

/*
 * The two names of the uts namespace. Their keys belong to the host's root whoever owns the namespace, so in a user
 * namespace only the system calls work.
 */
static bool add_name(struct planner_state *s, const char *path, const char *value,
		     const char *pointer)
{
	if (strcmp(path, "kernel/hostname") == 0)
		plan_add(s->plan, STEP_CHILD, STEP_HOSTNAME, pointer)->u.hostname.name =
			plan_strdup(s->plan, value);
	else if (strcmp(path, "kernel/domainname") == 0)
		plan_add(s->plan, STEP_CHILD, STEP_DOMAINNAME, pointer)->u.domainname.name =
			plan_strdup(s->plan, value);
	else
		return false;
	return true;
}

static void add_key(struct planner_state *s, const struct key_value *entry, const char *path,
		    const char *pointer)
{
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_SYSCTL, pointer);

	step->in[0] = s->slots.proc;
	step->u.sysctl.key = plan_strdup(s->plan, entry->key);
	step->u.sysctl.path = path;
	/* A write of nothing is no write; a line without text is how a string becomes empty. */
	step->u.sysctl.value = entry->value[0] ? plan_strdup(s->plan, entry->value) : "\n";
}

int plan_sysctl(struct planner_state *s, struct err *err)
{
	const struct key_value_list *list = &s->config->linux_.sysctl;

	for (size_t i = 0; i < list->n; i++) {
		const struct key_value *entry = &list->items[i];
		const char *path = key_path(s->plan, entry->key);
		const char *pointer = key_pointer(s->plan, entry->key);

		if (check_key(s, entry->key, path, err) < 0)
			return err_at(err, pointer);
		if (!add_name(s, path, entry->value, pointer))
			add_key(s, entry, path, pointer);
	}
	return 0;
}
