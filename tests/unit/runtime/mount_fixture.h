/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root, mounts, devices and masks for real: a config is planned, the parent's steps run here,
 * the child's in new namespaces, and a function then looks at what a container would see.
 * Everything happens in a mount namespace of the test's own, on a tmpfs at BASE, which the includer
 * defines, since tests run side by side. Needs root; without it the tests are skipped.
 */
#ifndef TARE_TESTS_MOUNT_FIXTURE_H
#define TARE_TESTS_MOUNT_FIXTURE_H

#include "runtime/act.h"
#include "runtime/plan_mount.h"

#include "os/mount.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

static bool root_readonly; /* root.readonly of the configs that follow */

/*
 * A look at the container from inside. Return: NULL when all is as it should be, else what is not.
 */
typedef const char *inside_fn(void);

struct result {
	int code;
	char text[ERR_TEXT_MAX];
	char pointer[ERR_POINTER_MAX];
	char hint[ERR_HINT_MAX];
	char complaint[512]; /* of the inside_fn */
	uint32_t n_made;
	size_t n_child_steps;
};

static planner *const planners[] = {
	plan_root_open, plan_cgroup_sources, plan_idmap_child, plan_root_attach,      plan_mounts,
	plan_devices,   plan_pivot,          plan_masks,       plan_root_propagation,
};

/* The host's own cgroups stand in for the container's: plan_cgroup.c is not part of this. */
static inline void read_cgroups(struct planner_state *s, struct arena *arena, struct facts *facts)
{
	struct err err = ERR_INIT;

	assert_int_equal(cgroup_layout_read(arena, "", &facts->cgroup, &err), 0);
	s->cgroup_paths = arena_array(arena, facts->cgroup.n, sizeof(*s->cgroup_paths));
	for (size_t i = 0; i < facts->cgroup.n; i++)
		s->cgroup_paths[i] = facts->cgroup.items[i].mount;
}

static inline int make_plan(struct plan *plan, const struct config *config,
			    const struct create_options *options, struct err *err)
{
	struct facts facts = { 0 };
	struct planner_state s = {
		.plan = plan,
		.config = config,
		.facts = &facts,
		.options = options,
		.slots = { SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE },
	};
	int r = 0;

	read_cgroups(&s, &plan->arena, &facts);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(planners); i++)
		r = planners[i](&s, err);
	return r;
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The child of a test: what plan_ns.c's steps would do besides ours. */
static inline _Noreturn void run_inside(struct act *a, bool userns, int go, inside_fn *inside,
					struct result *result)
{
	struct err err = ERR_INIT;
	const char *complaint;
	char byte;

	if (userns && read(go, &byte, 1) != 1)
		_exit(3);
	if (userns && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		_exit(3);
	if (act_run(a, STEP_CHILD, 0, &err) == 0 && inside) {
		complaint = inside();
		if (complaint)
			snprintf(result->complaint, sizeof(result->complaint), "%s", complaint);
	}
	_exit(0);
}

static inline void map_ids(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	write_text(path, "0 0 1\n1 100001 1000\n");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	write_text(path, "0 0 1\n1 100001 1000\n");
}

static inline void take_error(struct result *result, const struct err *err)
{
	result->code = err->code;
	snprintf(result->text, sizeof(result->text), "%s", err->text);
	snprintf(result->hint, sizeof(result->hint), "%s", err->hint);
	snprintf(result->pointer, sizeof(result->pointer), "%s", err->pointer);
}

static inline struct result *new_result(void)
{
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(result != MAP_FAILED);
	memset(result, 0, sizeof(*result));
	return result;
}

static inline void act_on(const struct plan *plan, const struct create_options *options,
			  bool userns, inside_fn *inside, struct result *result)
{
	unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
			      (userns ? CLONE_NEWUSER : 0);
	struct err err = ERR_INIT;
	int fds[256], go[2];
	struct act a;

	assert_true(plan->n_slots <= ARRAY_LEN(fds));
	act_init(&a, plan, options, fds);
	assert_int_equal(act_page(&a, false), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);

	/* The parent's steps before the clone, then the child, then those that need it. */
	if (act_run(&a, STEP_PARENT, 0, &err) < 0) {
		take_error(result, &err);
	} else {
		pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);

		assert_true(pid >= 0);
		if (pid == 0)
			run_inside(&a, userns, go[0], inside, result);
		if (userns) {
			map_ids(pid);
			assert_int_equal(write(go[1], "g", 1), 1);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (a.page->err.code)
			take_error(result, &a.page->err);
		result->n_made = a.page->n_made;
		if (a.page->err.code) {
			/* Only what undo_rootfs() does: there is no CLONE step here. */
			for (uint32_t i = a.page->n_made; i-- > 0;) {
				char path[512];

				snprintf(path, sizeof(path), "%s/%s", options->rootfs,
					 a.page->made[i].path);
				(void)remove(path);
			}
		}
	}
	for (size_t i = 0; i < plan->n_slots; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	close(go[0]);
	close(go[1]);
}

/* Run a container with this config on BASE/rootfs; @json holds the members after "root". */
static inline struct result *run_options(const char *json, struct create_options *options,
					 inside_fn *inside)
{
	struct result *result = new_result();
	struct err err = ERR_INIT;
	struct arena arena = { 0 };
	struct plan plan = { 0 };
	struct config *config;
	char text[16384];

	options->bundle = BASE;
	if (!options->rootfs)
		options->rootfs = BASE "/rootfs";
	snprintf(text, sizeof(text),
		 "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\",\"readonly\":%s}%s}",
		 root_readonly ? "true" : "false", json);
	if (config_read(&arena, text, strlen(text), &config, &err) < 0 ||
	    make_plan(&plan, config, options, &err) < 0)
		take_error(result, &err);
	else
		act_on(&plan, options, config->linux_.namespaces[NS_USER].mode == NS_NEW, inside,
		       result);
	plan_clear(&plan);
	arena_clear(&arena);
	return result;
}

static inline struct result *run(const char *json, inside_fn *inside)
{
	struct create_options options = { 0 };

	return run_options(json, &options, inside);
}

static inline void assert_ok(const struct result *result)
{
	if (result->code)
		fail_msg("failed: %s (%s) hint: %s", result->text, result->pointer, result->hint);
	if (result->complaint[0])
		fail_msg("inside: %s", result->complaint);
}

static inline void assert_fails(const struct result *result, const char *text, const char *pointer)
{
	assert_int_not_equal(result->code, 0);
	if (!strstr(result->text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, result->text);
	assert_string_equal(result->pointer, pointer);
}

/* ---- looking around inside ------------------------------------------------------------------- */

static inline const char *complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
static inline const char *complain(const char *fmt, ...)
{
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

/* The last line of mountinfo for @target, or NULL. */
static inline const char *mount_line(const char *target)
{
	static char found[1024];
	char line[1024], where[512];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	found[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %511s", where) == 1 && strcmp(where, target) == 0)
			snprintf(found, sizeof(found), "%s", line);
	}
	if (f)
		fclose(f);
	return found[0] ? found : NULL;
}

/* Complain unless the line of @target has each of the words between | in @words. */
static inline const char *mount_has(const char *target, const char *words)
{
	const char *line = mount_line(target);
	char copy[256], *word, *rest = copy;

	if (!line)
		return complain("nothing is mounted on %s", target);
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, "|"))) {
		if (!strstr(line, word))
			return complain("no \"%s\" in %s", word, line);
	}
	return NULL;
}

static inline const char *is_device(const char *path, unsigned major_, unsigned minor_,
				    unsigned mode)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return complain("%s: %s", path, strerror(errno));
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(major_, minor_))
		return complain("%s: mode %o rdev %lx", path, st.st_mode,
				(unsigned long)st.st_rdev);
	if ((st.st_mode & 07777) != mode)
		return complain("%s: mode %o", path, st.st_mode & 07777);
	return NULL;
}

static inline const char *is_link(const char *path, const char *to)
{
	char text[256];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	if (n < 0)
		return complain("%s: %s", path, strerror(errno));
	text[n] = '\0';
	return strcmp(text, to) == 0 ? NULL : complain("%s says %s", path, text);
}

#define CHECK(expr)                                                                                \
	do {                                                                                       \
		const char *complaint_ = (expr);                                                   \
		if (complaint_)                                                                    \
			return complaint_;                                                         \
	} while (0)

/* ---- configs ---- */

#define NS_ALL                                                                                     \
	"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"},{"         \
	"\"type\":\"ipc\"}]"
#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define DEV                                                                                        \
	"{\"destination\":\"/"                                                                     \
	"dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"
#define LINUX ",\"linux\":{" NS_ALL "}"

static inline int set_up(void **state)
{
	if (geteuid() != 0) {
		print_message("skipped: mounting needs root\n");
		exit(77);
	}
	/* A parent that is shared, as on a host with systemd: leaks would show. */
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	(void)mkdir(BASE, 0755);
	assert_int_equal(mount("tmpfs", BASE, "tmpfs", 0, "mode=755"), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
	for (size_t i = 0; i < 7; i++) {
		static const char *const dirs[] = { "/rootfs",       "/rootfs/proc",
						    "/rootfs/etc",   "/rootfs/etc/sub",
						    "/volume",       "/closed",
						    "/closed/volume" };
		char path[128];

		snprintf(path, sizeof(path), BASE "%s", dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	write_text(BASE "/rootfs/etc/hello", "hello");
	assert_int_equal(chown(BASE "/rootfs/etc/hello", 12, 13), 0);
	assert_int_equal(chmod(BASE "/rootfs/etc/hello", 04751), 0);
	assert_int_equal(symlink("../../outside", BASE "/rootfs/etc/sub/link"), 0);
	write_text(BASE "/volume/inside", "volume");
	assert_int_equal(chown(BASE "/volume/inside", 12, 13), 0);
	write_text(BASE "/closed/volume/inside", "volume");
	assert_int_equal(chmod(BASE "/closed", 0700), 0);
	assert_int_equal(chown(BASE "/closed", 5555, 5555), 0);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)umount2(BASE, MNT_DETACH);
	(void)rmdir(BASE);
	return 0;
}

#endif
