/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/info.h"

#include "engine/containers.h"
#include "engine/rootless.h"
#include "image/refs.h"
#include "os/file.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#define OS_RELEASE_MAX ((size_t)64 * 1024)

/* One that can't be read is counted as stopped: `ps` tells what is wrong with it. */
static void count_broken(void *to, const char *id, const struct err *err)
{
	size_t *stopped = to;

	(*stopped)++;
}

static int count_containers(struct arena *arena, const struct roots *roots, struct engine_info *ret,
			    struct err *err)
{
	const char *oci_root = containers_oci_root(arena, roots);
	struct container_record *records;
	size_t n;
	int r = containers_list(arena, roots, &records, &n, count_broken, &ret->stopped, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct err ignored = ERR_INIT;
		struct container c;

		if (records[i].finished ||
		    container_load(arena, oci_root, records[i].id, &c, &ignored) < 0)
			ret->stopped++;
		else if (c.status == CONTAINER_RUNNING)
			ret->running++;
		else if (c.status == CONTAINER_PAUSED)
			ret->paused++;
		else
			ret->stopped++;
	}
	return r;
}

static int count_images(struct arena *arena, const struct store *store, struct engine_info *ret,
			struct err *err)
{
	struct image_index index;
	int r = refs_read(store, arena, &index, err);

	for (size_t i = 0; r == 0 && i < index.manifests.n; i++) {
		size_t before = 0;

		while (strcmp(index.manifests.items[before].digest,
			      index.manifests.items[i].digest) != 0)
			before++;
		ret->images += before == i;
	}
	return r;
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static const char *system_name(struct arena *arena)
{
	static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release" };
	static const char key[] = "PRETTY_NAME=";
	char *text = NULL, *line, *next;
	size_t len;

	for (size_t i = 0; !text && i < ARRAY_LEN(paths); i++) {
		defer_close int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || os_file_read(arena, fd, OS_RELEASE_MAX, &text, &len) < 0)
			text = NULL;
	}
	for (next = text; (line = strsep(&next, "\n"));) {
		if (strncmp(line, key, sizeof(key) - 1) != 0)
			continue;
		line += sizeof(key) - 1;
		len = strlen(line);
		return len >= 2 && *line == '"' ? arena_strndup(arena, line + 1, len - 2) : line;
	}
	return "Linux";
}

static void read_machine(struct arena *arena, struct engine_info *ret)
{
	struct sysinfo machine;
	struct utsname uts;
	cpu_set_t cpus;

	(void)uname(&uts);
	(void)sysinfo(&machine);
	ret->host = arena_strdup(arena, uts.nodename);
	ret->kernel = arena_strdup(arena, uts.release);
	ret->machine = arena_strdup(arena, uts.machine);
	ret->system = system_name(arena);
	ret->memory = (uint64_t)machine.totalram * machine.mem_unit;
	ret->cpus = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (uint64_t)CPU_COUNT(&cpus) : 1;
}

int info_read(struct arena *arena, const struct roots *roots, struct engine_info *ret,
	      struct err *err)
{
	defer_store struct store store = STORE_INIT;
	int r = roots_open_store(roots, &store, err);

	*ret = (struct engine_info){ .user_xattrs = rootless_is_user() };
	if (r == 0)
		r = count_images(arena, &store, ret, err);
	if (r == 0)
		r = count_containers(arena, roots, ret, err);
	if (r == 0)
		r = facts_read_parts(arena, "", FACTS_ALL & ~FACTS_RDT, &ret->facts, err);
	if (r == 0)
		r = overlay_probe(&store, roots->root, ret->user_xattrs, &ret->means, err);
	read_machine(arena, ret);
	return r;
}
