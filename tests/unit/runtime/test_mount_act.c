/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts, devices, masks: what the container sees, and what is left when one fails. */
#define BASE "/tmp/tare-unit-mount"
#include "runtime/mount_fixture.h"

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
		cmocka_unit_test(idmapped),
		cmocka_unit_test(tmpcopyup),
		cmocka_unit_test(cgroup_mount),
	};

	return cmocka_run_group_tests_name("mount-act", tests, set_up, tear_down);
}
