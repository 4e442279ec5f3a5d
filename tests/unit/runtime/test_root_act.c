/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root itself: user namespaces, pivot_root and the other way, propagation, read-only. */
#define BASE "/tmp/tare-unit-root"
#include "runtime/mount_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_namespace), cmocka_unit_test(root_is_slash),
		cmocka_unit_test(no_pivot),       cmocka_unit_test(root_propagation_shared),
		cmocka_unit_test(read_only_root), cmocka_unit_test(without_mount_namespace),
		cmocka_unit_test(late_read_only),
	};

	return cmocka_run_group_tests_name("root-act", tests, set_up, tear_down);
}
