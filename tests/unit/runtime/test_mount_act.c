/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root, mounts, devices and masks for real: a config is planned, the parent's steps run here,
 * the child's in new namespaces, and a function then looks at what a container would see.
 * Everything happens in a mount namespace of the test's own, on a tmpfs. Needs root; without it the
 * tests are skipped.
 */
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

#define BASE "/tmp/tare-unit-mount" /* a tmpfs in the test's own mount namespace */

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
static void read_cgroups(struct planner_state *s, struct arena *arena, struct facts *facts)
{
	struct err err = ERR_INIT;

	assert_int_equal(cgroup_layout_read(arena, "", &facts->cgroup, &err), 0);
	s->cgroup_paths = arena_array(arena, facts->cgroup.n, sizeof(*s->cgroup_paths));
	for (size_t i = 0; i < facts->cgroup.n; i++)
		s->cgroup_paths[i] = facts->cgroup.items[i].mount;
}

static int make_plan(struct plan *plan, const struct config *config,
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

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The child of a test: what plan_ns.c's steps would do besides ours. */
static _Noreturn void run_inside(struct act *a, bool userns, int go, inside_fn *inside,
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

static void map_ids(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	write_text(path, "0 0 1\n1 100001 1000\n");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	write_text(path, "0 0 1\n1 100001 1000\n");
}

static void take_error(struct result *result, const struct err *err)
{
	result->code = err->code;
	snprintf(result->text, sizeof(result->text), "%s", err->text);
	snprintf(result->hint, sizeof(result->hint), "%s", err->hint);
	snprintf(result->pointer, sizeof(result->pointer), "%s", err->pointer);
}

static struct result *new_result(void)
{
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(result != MAP_FAILED);
	memset(result, 0, sizeof(*result));
	return result;
}

static void act_on(const struct plan *plan, const struct create_options *options, bool userns,
		   inside_fn *inside, struct result *result)
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
static struct result *run_options(const char *json, struct create_options *options,
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

static struct result *run(const char *json, inside_fn *inside)
{
	struct create_options options = { 0 };

	return run_options(json, &options, inside);
}

static void assert_ok(const struct result *result)
{
	if (result->code)
		fail_msg("failed: %s (%s) hint: %s", result->text, result->pointer, result->hint);
	if (result->complaint[0])
		fail_msg("inside: %s", result->complaint);
}

static void assert_fails(const struct result *result, const char *text, const char *pointer)
{
	assert_int_not_equal(result->code, 0);
	if (!strstr(result->text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, result->text);
	assert_string_equal(result->pointer, pointer);
}

/* ---- looking around inside ------------------------------------------------------------------- */

static const char *complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
static const char *complain(const char *fmt, ...)
{
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

/* The last line of mountinfo for @target, or NULL. */
static const char *mount_line(const char *target)
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
static const char *mount_has(const char *target, const char *words)
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

static const char *is_device(const char *path, unsigned major_, unsigned minor_, unsigned mode)
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

static const char *is_link(const char *path, const char *to)
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

/* ---- the tests ------------------------------------------------------------------------------- */

#define NS_ALL                                                                                     \
	"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"},{"         \
	"\"type\":\"ipc\"}]"
#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define DEV                                                                                        \
	"{\"destination\":\"/"                                                                     \
	"dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"
#define LINUX ",\"linux\":{" NS_ALL "}"

static const char *look_docker_like(void)
{
	CHECK(mount_has("/", " rw,relatime|tmpfs"));
	CHECK(mount_has("/proc", "nosuid,nodev,noexec|- proc proc"));
	CHECK(mount_has("/dev", "nosuid|- tmpfs tmpfs|mode=755"));
	CHECK(mount_has("/dev/pts", "nosuid,noexec|- devpts|ptmxmode=666"));
	CHECK(mount_has("/dev/shm", "nosuid,nodev,noexec|size=65536k"));
	CHECK(mount_has("/dev/mqueue", "- mqueue"));
	CHECK(mount_has("/sys", " ro,nosuid,nodev,noexec|- sysfs"));
	CHECK(is_device("/dev/null", 1, 3, 0666));
	CHECK(is_device("/dev/zero", 1, 5, 0666));
	CHECK(is_device("/dev/full", 1, 7, 0666));
	CHECK(is_device("/dev/random", 1, 8, 0666));
	CHECK(is_device("/dev/urandom", 1, 9, 0666));
	CHECK(is_device("/dev/tty", 5, 0, 0666));
	CHECK(is_link("/dev/fd", "/proc/self/fd"));
	CHECK(is_link("/dev/stdin", "/proc/self/fd/0"));
	CHECK(is_link("/dev/ptmx", "pts/ptmx"));
	CHECK(is_device("/proc/interrupts", 1, 3, 0666));
	CHECK(is_device("/proc/keys", 1, 3, 0666));
	CHECK(mount_has("/sys/firmware", " ro,|- tmpfs tmpfs ro"));
	CHECK(mount_has("/proc/sys", " ro,nosuid,nodev,noexec"));
	CHECK(mount_has("/proc/bus", " ro,nosuid,nodev,noexec"));
	if (open("/sys/firmware/x", O_CREAT | O_WRONLY, 0600) >= 0 || errno != EROFS)
		return complain("/sys/firmware: %s", strerror(errno));
	if (mount_line(BASE) || mount_line("/tmp"))
		return "the host's mounts are visible";
	if (access("/etc/hello", F_OK) < 0)
		return "the rootfs is not /";
	return NULL;
}

static void docker_like(void **state)
{
	assert_ok(run(
		",\"mounts\":["
		"{\"destination\":\"/"
		"proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\","
		"\"nodev\"]}," DEV ","
		"{\"destination\":\"/dev/"
		"pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":"
		"[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
		"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":"
		"[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
		"{\"destination\":\"/dev/"
		"mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\"]},"
		"{\"destination\":\"/"
		"sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\","
		"\"nodev\",\"ro\"]}"
		"],\"linux\":{" NS_ALL
		",\"maskedPaths\":[\"/proc/interrupts\",\"/proc/keys\",\"/proc/"
		"not-there\",\"/sys/firmware\",\"/proc/scsi\"],"
		"\"readonlyPaths\":[\"/proc/bus\",\"/proc/sys\",\"/nowhere\"]}",
		look_docker_like));
}

static const char *look_minimal(void)
{
	return is_device("/dev/null", 1, 3, 0666);
}

/* Twice: the second start finds the nodes that the first has left in the rootfs. */
static void minimal_twice(void **state)
{
	struct result *result = run(LINUX, look_minimal);

	assert_ok(result);
	assert_true(result->n_made >= 6);
	result = run(LINUX, look_minimal);
	assert_ok(result);
	assert_int_equal(result->n_made, 0);
}

static const char *look_bind(void)
{
	CHECK(mount_has("/made/by/tare", " ro,nosuid,nodev,noexec,noatime"));
	CHECK(mount_has("/file", " rw,"));
	if (access("/made/by/tare/inside", F_OK) < 0)
		return "the source is not there";
	if (access("/file", F_OK) < 0)
		return "the file is not there";
	return strstr(mount_line("/made/by/tare"), "shared:") ? "it is shared with the host" : NULL;
}

static void bind_with_attributes(void **state)
{
	struct result *result =
		run(",\"mounts\":[" PROC
		    ",{\"destination\":\"made/by//tare\",\"source\":\"volume\",\"options\":"
		    "[\"rbind\",\"ro\",\"nosuid\",\"nodev\",\"noexec\",\"noatime\"]},"
		    "{\"destination\":\"/file\",\"source\":\"" BASE
		    "/volume/inside\",\"options\":[\"bind\",\"defaults\"]}]" LINUX,
		    look_bind);
	struct stat st;

	assert_ok(result);
	assert_int_equal(stat(BASE "/rootfs/made/by/tare", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void missing_source(void **state)
{
	assert_fails(run(",\"mounts\":[{\"destination\":\"/x\",\"source\":\"/"
			 "nowhere\",\"options\":[\"bind\"]}]" LINUX,
			 NULL),
		     "open the mount source \"/nowhere\": not there (ENOENT)", "/mounts/0");
}

/* What was made for a mount that later fails is gone. */
static void failure_leaves_nothing(void **state)
{
	struct result *result = run(",\"mounts\":[{\"destination\":\"/deep/"
				    "er\",\"type\":\"tmpfs\",\"options\":[\"size=banana\"]}]" LINUX,
				    NULL);

	assert_fails(
		result,
		"mount \"tmpfs\" on \"/deep/er\": the kernel says \"tmpfs: Bad value for 'size'\"",
		"/mounts/0");
	assert_int_equal(result->n_made, 2);
	assert_int_equal(access(BASE "/rootfs/deep", F_OK), -1);
}

static void unknown_filesystem(void **state)
{
	struct result *result =
		run(",\"mounts\":[{\"destination\":\"/deep\",\"type\":\"nosuchfs\"}]" LINUX, NULL);

	assert_fails(result,
		     "mount \"nosuchfs\" on \"/deep\": no such device or filesystem type (ENODEV)",
		     "/mounts/0");
	assert_string_equal(
		result->hint,
		"this kernel has no filesystem type \"nosuchfs\", or its module is not loaded");
}

static const char *look_dangling(void)
{
	CHECK(mount_has("/real/target", "tmpfs"));
	return NULL;
}

static void dangling_link_stays_inside(void **state)
{
	(void)unlink(BASE "/rootfs/link");
	assert_int_equal(symlink("../../../real/target", BASE "/rootfs/link"), 0);
	assert_ok(run(",\"mounts\":[" PROC ",{\"destination\":\"/link\",\"type\":\"tmpfs\"}]" LINUX,
		      look_dangling));
	assert_int_equal(access("/real", F_OK), -1);
	assert_int_equal(access(BASE "/real", F_OK), -1);
	assert_int_equal(unlink(BASE "/rootfs/link"), 0);
}

static void proc_must_be_real(void **state)
{
	struct result *result;

	assert_int_equal(rename(BASE "/rootfs/proc", BASE "/rootfs/proc.away"), 0);
	assert_int_equal(symlink("/etc", BASE "/rootfs/proc"), 0);
	result = run(",\"mounts\":[" PROC "]" LINUX, NULL);
	assert_int_equal(unlink(BASE "/rootfs/proc"), 0);
	assert_int_equal(rename(BASE "/rootfs/proc.away", BASE "/rootfs/proc"), 0);
	assert_fails(result, "open \"/proc\" in the rootfs: it must be a real directory",
		     "/mounts/0");
}

static void no_link_into_proc(void **state)
{
	struct result *result;

	assert_int_equal(symlink("/proc/self/attr", BASE "/rootfs/link"), 0);
	result = run(
		",\"mounts\":[" PROC
		",{\"destination\":\"/link\",\"source\":\"volume\",\"options\":[\"bind\"]}]" LINUX,
		NULL);
	assert_int_equal(unlink(BASE "/rootfs/link"), 0);
	assert_fails(result, "open \"/link\" in the rootfs: a link leads it into /proc",
		     "/mounts/1");
}

static void no_volume_on_proc(void **state)
{
	assert_fails(run(",\"mounts\":[{\"destination\":\"/"
			 "proc\",\"source\":\"volume\",\"options\":[\"bind\"]}]" LINUX,
			 NULL),
		     "mount \"" BASE "/volume\" on \"/proc\": it is not a procfs", "/mounts/0");
	assert_fails(run(",\"mounts\":[{\"destination\":\"/proc/self/"
			 "attr\",\"source\":\"volume\",\"options\":[\"bind\"]}]" LINUX,
			 NULL),
		     "mount on \"/proc/self/attr\": a mount inside /proc could fake", "/mounts/0");
}

static void wrong_device(void **state)
{
	struct result *result;

	(void)unlink(BASE "/rootfs/dev/null");
	write_text(BASE "/rootfs/dev/null", "");
	result = run(LINUX, NULL);
	assert_int_equal(unlink(BASE "/rootfs/dev/null"), 0);
	assert_fails(result, "make device \"/dev/null\" (c 1:3): something else has that name", "");
}

static const char *look_copy_up(void)
{
	struct stat st;

	CHECK(mount_has("/etc", " ro,nosuid|tmpfs"));
	if (stat("/etc/hello", &st) < 0 || (st.st_mode & 07777) != 04751 || st.st_uid != 12)
		return "hello was not copied with mode and owner";
	CHECK(is_link("/etc/sub/link", "../../outside"));
	return NULL;
}

static void tmpcopyup(void **state)
{
	assert_ok(run(
		",\"mounts\":[" PROC ",{\"destination\":\"/"
		"etc\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"ro\",\"nosuid\"]}]" LINUX,
		look_copy_up));
}

static const char *look_userns(void)
{
	CHECK(mount_has("/dev/null", "- devtmpfs"));
	CHECK(is_device("/dev/null", 1, 3, 0666));
	CHECK(mount_has("/vol", " rw"));
	if (access("/vol/inside", F_OK) < 0)
		return "the source below a closed directory is not there";
	CHECK(is_device("/proc/interrupts", 1, 3, 0666));
	CHECK(mount_has("/sys/firmware", " ro"));
	return NULL;
}

static void user_namespace(void **state)
{
	assert_ok(run(
		",\"mounts\":[" PROC "," DEV
		",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"options\":[\"ro\"]},"
		"{\"destination\":\"/vol\",\"source\":\"closed/"
		"volume\",\"options\":[\"bind\"]}],\"linux\":{"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],\"gidMappings\":[{"
		"\"containerID\":0,\"hostID\":0,\"size\":1}],"
		"\"maskedPaths\":[\"/proc/interrupts\",\"/proc/keys\",\"/sys/firmware\",\"/proc/"
		"acpi\"],"
		"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"},{"
		"\"type\":\"ipc\"},{\"type\":\"user\"}]}",
		look_userns));
}

static const char *look_idmap(void)
{
	struct stat st;

	if (stat("/vol/inside", &st) < 0)
		return "no file";
	return st.st_uid == 4012 ? NULL : complain("uid %u", st.st_uid);
}

static void idmapped(void **state)
{
	assert_ok(run(
		",\"mounts\":[" PROC
		",{\"destination\":\"/vol\",\"source\":\"volume\",\"options\":[\"bind\",\"idmap\"],"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":4000,\"size\":100}],"
		"\"gidMappings\":[{\"containerID\":0,\"hostID\":4000,\"size\":100}]}]" LINUX,
		look_idmap));
}

static const char *look_nothing(void)
{
	return NULL;
}

static const char *look_slash(void)
{
	return access("/tmp", F_OK) == 0 ? NULL : "no /tmp";
}

static void root_is_slash(void **state)
{
	struct create_options options = { .rootfs = "/" };

	assert_ok(run_options(LINUX, &options, look_slash));
}

static const char *look_no_pivot(void)
{
	if (access("/etc/hello", F_OK) < 0)
		return "the rootfs is not /";
	CHECK(mount_has("/proc", "- proc"));
	return NULL;
}

static void no_pivot(void **state)
{
	struct create_options options = { .no_pivot = true };

	assert_ok(run_options(",\"mounts\":[" PROC "]" LINUX, &options, look_no_pivot));
}

static const char *look_shared(void)
{
	return mount_has("/", " shared:");
}

static void root_propagation_shared(void **state)
{
	assert_ok(run(",\"mounts\":[" PROC "],\"linux\":{" NS_ALL
		      ",\"rootfsPropagation\":\"rshared\"}",
		      look_shared));
	assert_ok(run(",\"mounts\":[" PROC "],\"linux\":{" NS_ALL
		      ",\"rootfsPropagation\":\"unbindable\",\"maskedPaths\":[\"/etc/"
		      "hello\"],\"readonlyPaths\":[\"/etc\"]}",
		      look_nothing));
}

static const char *look_readonly_root(void)
{
	if (mkdir("/x", 0755) == 0 || errno != EROFS)
		return "the root is writable";
	return is_device("/dev/null", 1, 3, 0666);
}

static void read_only_root(void **state)
{
	root_readonly = true;
	assert_ok(run(LINUX, look_readonly_root));
	root_readonly = false;
}

static void without_mount_namespace(void **state)
{
	assert_fails(run(",\"mounts\":[" PROC "],\"linux\":{}", NULL),
		     "mounts would change the host", "/mounts");
}

/* A tmpfs that is read-only in the end, with a device made in it before that. */
static const char *look_late_ro(void)
{
	CHECK(mount_has("/dev", " ro,nosuid"));
	return is_device("/dev/null", 1, 3, 0666);
}

static void late_read_only(void **state)
{
	assert_ok(run(",\"mounts\":[" PROC ",{\"destination\":\"/"
		      "dev\",\"type\":\"tmpfs\",\"options\":[\"ro\",\"nosuid\"]}]" LINUX,
		      look_late_ro));
}

static const char *look_cgroup(void)
{
	CHECK(mount_has("/sys/fs/cgroup", " ro,nosuid|- tmpfs cgroup"));
	CHECK(mount_has("/sys/fs/cgroup/memory", " / /sys| ro,nosuid|- cgroup cgroup|memory"));
	CHECK(mount_has("/sys/fs/cgroup/systemd", "name=systemd"));
	CHECK(mount_has("/sys/fs/cgroup/unified", "- cgroup2"));
	return access("/sys/fs/cgroup/pids/tasks", F_OK) == 0 ? NULL : "no tasks file";
}

#define CGROUP                                                                                     \
	"{\"destination\":\"/sys\",\"type\":\"sysfs\"},{\"destination\":\"/sys/fs/cgroup\","       \
	"\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\",\"nosuid\"]}"

/* Row M-15, with and without a cgroup namespace. */
static void cgroup_mount(void **state)
{
	assert_ok(run(",\"mounts\":[" PROC "," CGROUP "],\"linux\":{" NS_ALL "}", look_cgroup));
	assert_ok(run(",\"mounts\":[" PROC "," CGROUP
		      "],\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"cgroup\"},"
		      "{\"type\":\"pid\"}]}",
		      look_cgroup));
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
	(void)umount2(BASE, MNT_DETACH);
	(void)rmdir(BASE);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_like),
		cmocka_unit_test(minimal_twice),
		cmocka_unit_test(bind_with_attributes),
		cmocka_unit_test(missing_source),
		cmocka_unit_test(failure_leaves_nothing),
		cmocka_unit_test(unknown_filesystem),
		cmocka_unit_test(dangling_link_stays_inside),
		cmocka_unit_test(proc_must_be_real),
		cmocka_unit_test(no_link_into_proc),
		cmocka_unit_test(no_volume_on_proc),
		cmocka_unit_test(wrong_device),
		cmocka_unit_test(user_namespace),
		cmocka_unit_test(idmapped),
		cmocka_unit_test(root_is_slash),
		cmocka_unit_test(no_pivot),
		cmocka_unit_test(root_propagation_shared),
		cmocka_unit_test(read_only_root),
		cmocka_unit_test(without_mount_namespace),
		cmocka_unit_test(late_read_only),
		cmocka_unit_test(tmpcopyup),
		cmocka_unit_test(cgroup_mount),
	};

	return cmocka_run_group_tests_name("mount-act", tests, set_up, tear_down);
}
