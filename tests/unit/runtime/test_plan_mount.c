/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planners of the filesystem, without root and for hosts other than this one: which steps come
 * of which config.
 */
#include "runtime/plan_mount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

static struct cgroup_hierarchy v2_only[] = {
	{ .v2 = true,
	  .mount = "/sys/fs/cgroup",
	  .root = "/",
	  .controllers = "cpu memory",
	  .own_path = "/" },
};
static struct cgroup_hierarchy v1[] = {
	{ .mount = "/sys/fs/cgroup/cpu,cpuacct",
	  .root = "/",
	  .controllers = "cpu,cpuacct",
	  .own_path = "/" },
	{ .mount = "/sys/fs/cgroup/memory", .root = "/", .controllers = "memory", .own_path = "/" },
	{ .mount = "/sys/fs/cgroup/systemd",
	  .root = "/",
	  .controllers = "name=systemd",
	  .own_path = "/" },
};
static const char *own_paths[] = { "/sys/fs/cgroup/a/c1", "/sys/fs/cgroup/b/c1", NULL };

/* One test's plan; cleared by the next. */
static struct arena arena;
static struct plan plan;
static struct facts facts;
static struct create_options options;
static struct err err;

static int set_up(void **state)
{
	arena_clear(&arena);
	plan_clear(&plan);
	memset(&facts, 0, sizeof(facts));
	options = (struct create_options){ .bundle = "/bundle", .rootfs = "/bundle/rootfs" };
	return 0;
}

/* Plan a config with these members after "root". Return: as the first planner that fails */
static int make(const char *json)
{
	static planner *const planners[] = { plan_root_open,       plan_cgroup_sources,
					     plan_idmap_child,     plan_root_attach,
					     plan_mounts,          plan_devices,
					     plan_pivot,           plan_masks,
					     plan_root_propagation };
	struct planner_state s = {
		.plan = &plan,
		.facts = &facts,
		.options = &options,
		.slots = { SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE },
		.cgroup_paths = own_paths,
	};
	struct config *config;
	char text[8192];
	int r;

	err = ERR_INIT;
	for (size_t i = 0; i < NS_TYPES; i++)
		s.ns[i] = SLOT_NONE;
	snprintf(text, sizeof(text), "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}%s}",
		 json);
	r = config_read(&arena, text, strlen(text), &config, &err);
	if (r < 0)
		fail_msg("config: %s", err.text);
	s.config = config;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(planners); i++)
		r = planners[i](&s, &err);
	return r;
}

static void make_ok(const char *json)
{
	if (make(json) < 0)
		fail_msg("%s (%s)", err.text, err.pointer);
}

/* The @n-th step of a kind (from 0), or NULL. */
static const struct step *find(enum step_kind kind, size_t n)
{
	for (size_t i = 0; i < plan.n_steps; i++) {
		if (plan.steps[i].kind == kind && n-- == 0)
			return &plan.steps[i];
	}
	return NULL;
}

/* The MOUNT on @target that is no remount. */
static const struct step *mount_on(const char *target)
{
	const struct step *step;

	for (size_t n = 0; (step = find(STEP_MOUNT, n)); n++) {
		if (strcmp(step->u.mount.target, target) == 0 && !step->u.mount.remount)
			return step;
	}
	fail_msg("nothing is mounted on %s", target);
	return NULL;
}

#define NS          ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}"
#define NS_CGROUPNS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"cgroup\"}]}"
#define CGROUP(options)                                                                            \
	",\"mounts\":[{\"destination\":\"/sys/fs/"                                                 \
	"cgroup\",\"type\":\"cgroup\",\"options\":[" options "]}]"

static void cgroup_v2(void **state)
{
	const struct step *step;

	facts.cgroup = (struct cgroup_layout){ CGROUP_V2, v2_only, 1 };
	make_ok(CGROUP("\"ro\",\"nosuid\"") NS_CGROUPNS);
	step = mount_on("/sys/fs/cgroup");
	assert_string_equal(step->u.mount.fstype, "cgroup2");
	assert_int_equal(step->u.mount.flags, MS_RDONLY | MS_NOSUID);
	assert_null(step->u.mount.data);
	assert_null(find(STEP_MOUNT, 1));
}

static void cgroup_v2_without_namespace(void **state)
{
	const struct step *source, *attach;

	facts.cgroup = (struct cgroup_layout){ CGROUP_V2, v2_only, 1 };
	make_ok(CGROUP("\"ro\"") NS);
	source = find(STEP_SOURCE_OPEN, 0);
	assert_string_equal(source->u.source_open.path, "/sys/fs/cgroup/a/c1");
	assert_int_equal(source->u.source_open.attr_set, MOUNT_ATTR_RDONLY);
	assert_int_equal(source->u.source_open.rec_propagation, MS_PRIVATE);
	attach = find(STEP_ATTACH, 0);
	assert_string_equal(attach->u.attach.target, "/sys/fs/cgroup");
	assert_int_equal(attach->in[1], source->out);
	assert_null(find(STEP_MOUNT, 0));
}

/* Row M-15: links by controller where several share a hierarchy. */
static void cgroup_v1_shared(void **state)
{
	const struct step *step;

	facts.cgroup = (struct cgroup_layout){ CGROUP_V1, v1, 3 };
	make_ok(CGROUP("\"ro\"") NS_CGROUPNS);
	step = mount_on("/sys/fs/cgroup");
	assert_string_equal(step->u.mount.fstype, "tmpfs");
	assert_int_not_equal(step->out, SLOT_NONE);
	assert_int_equal(step->u.mount.flags, 0);
	step = mount_on("/sys/fs/cgroup/cpu,cpuacct");
	assert_true(step->u.mount.here);
	assert_string_equal(step->u.mount.data, "cpu,cpuacct");
	assert_int_equal(step->u.mount.flags, MS_RDONLY);
	assert_string_equal(mount_on("/sys/fs/cgroup/systemd")->u.mount.data, "name=systemd");

	step = find(STEP_SYMLINK, 0);
	assert_string_equal(step->u.symlink.path, "/sys/fs/cgroup/cpu");
	assert_string_equal(step->u.symlink.target, "cpu,cpuacct");
	assert_string_equal(find(STEP_SYMLINK, 1)->u.symlink.path, "/sys/fs/cgroup/cpuacct");
	assert_null(find(STEP_SYMLINK, 2));

	/* And in the end the tmpfs is read-only too. */
	step = find(STEP_MOUNT, 4);
	assert_true(step->u.mount.remount);
	assert_int_equal(step->u.mount.attr_set, MOUNT_ATTR_RDONLY);
}

/* CVE-2023-25809, row X-14 */
static void cgroup_rootless_without_namespace(void **state)
{
	facts.cgroup = (struct cgroup_layout){ CGROUP_V1, v1, 3 };
	facts.rootless = true;
	make_ok(CGROUP("\"nosuid\"") NS);
	/* After the six default devices, which a rootless runtime binds as well. */
	for (size_t i = 6; i < 8; i++)
		assert_int_equal(find(STEP_SOURCE_OPEN, i)->u.source_open.attr_set,
				 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	assert_true(find(STEP_MOUNT, 1)->u.mount.remount);
}

static void cgroup_none(void **state)
{
	assert_int_equal(make(CGROUP("\"ro\"") NS), -EINVAL);
	assert_string_equal(err.text, "mount \"cgroup\" on \"/sys/fs/cgroup\": this host has no "
				      "cgroup hierarchy mounted");
	assert_string_equal(err.pointer, "/mounts/0");
}

#define MOUNTS(list) ",\"mounts\":[" list "]"
#define TMPFS(target, options)                                                                     \
	"{\"destination\":\"" target "\",\"type\":\"tmpfs\",\"options\":[" options "]}"
#define DEVPTS(target) "{\"destination\":\"" target "\",\"type\":\"devpts\"}"
#define BIND(target, options)                                                                      \
	"{\"destination\":\"" target "\",\"source\":\"/src\",\"options\":[\"bind\"" options "]}"

/* In a tmpfs that the plan has mounted itself, nothing needs to be looked up. */
static void fresh_tmpfs(void **state)
{
	make_ok(MOUNTS(TMPFS("/dev", "\"mode=755\"") "," DEVPTS("/dev/pts") "," TMPFS(
		"/dev/shm",
		"\"mode=1777\"") "," TMPFS("/dev/keep",
					   "") "," TMPFS("/other",
							 "\"mode=755\"") "," DEVPTS("/proper/pts"))
			NS);
	assert_false(mount_on("/dev")->u.mount.here);
	assert_true(mount_on("/dev/pts")->u.mount.here);
	assert_true(mount_on("/dev/shm")->u.mount.here);
	assert_false(mount_on("/dev/keep")->u.mount.here); /* must look at what it covers */
	assert_false(mount_on("/proper/pts")->u.mount.here);
}

static void not_so_fresh_tmpfs(void **state)
{
	make_ok(MOUNTS(TMPFS("/dev", "") "," DEVPTS("/dev/pts") "," DEVPTS("/dev/pts")) NS);
	assert_false(find(STEP_MOUNT, 2)->u.mount.here);
	set_up(NULL);
	make_ok(MOUNTS(TMPFS("/dev", "") "," BIND("/dev", "") "," DEVPTS("/dev/pts")) NS);
	assert_false(mount_on("/dev/pts")->u.mount.here);
	set_up(NULL);
	make_ok(MOUNTS(TMPFS("/dev", "\"tmpcopyup\"") "," DEVPTS("/dev/pts")) NS);
	assert_false(mount_on("/dev/pts")->u.mount.here);
}

static void late_read_only(void **state)
{
	const struct step *remount;

	make_ok(MOUNTS(TMPFS("/dev", "\"ro\",\"nosuid\"") "," TMPFS("/tmp", "\"ro\"")) NS);
	assert_int_equal(mount_on("/dev")->u.mount.flags, MS_NOSUID);
	assert_int_equal(mount_on("/tmp")->u.mount.flags, MS_RDONLY);
	remount = find(STEP_MOUNT, 2);
	assert_true(remount->u.mount.remount);
	assert_string_equal(remount->u.mount.target, "/dev");
	assert_null(find(STEP_MOUNT, 3));
}

/* The same mappings share a namespace; the container's own are applied after the clone. */
static void idmaps(void **state)
{
#define MAPS(host)                                                                                 \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":" host ",\"size\":9}],"                    \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":" host ",\"size\":9}]"
#define MAPPED(target, host)                                                                       \
	"{\"destination\":\"" target                                                               \
	"\",\"source\":\"/s\",\"options\":[\"rbind\",\"ridmap\"]," MAPS(host) "}"
	make_ok(MOUNTS(MAPPED("/a", "7") "," MAPPED("/b", "7") "," MAPPED("/c", "8") "," BIND(
		"/d",
		",\"idmap\"")) ",\"linux\":{" MAPS("1000") ",\"namespaces\":[{\"type\":\"mount\"},{"
							   "\"type\":\"user\"}]}");
	assert_string_equal(find(STEP_ID_MAP_NS, 0)->u.id_map_ns.uid_map, "0 7 9\n");
	assert_string_equal(find(STEP_ID_MAP_NS, 1)->u.id_map_ns.gid_map, "0 8 9\n");
	assert_null(find(STEP_ID_MAP_NS, 2));
	assert_int_equal(find(STEP_IDMAP, 0)->in[1], find(STEP_IDMAP, 1)->in[1]);
	assert_true(find(STEP_IDMAP, 2)->u.idmap.recursive);
	assert_int_equal(find(STEP_IDMAP, 3)->in[1], SLOT_NONE);
	assert_false(find(STEP_IDMAP, 3)->u.idmap.recursive);
	assert_string_equal(find(STEP_IDMAP, 3)->pointer, "/mounts/3");
}

/* Without a mount namespace: chroot, nodes in the rootfs, and no mount of any kind. */
static void chroot_only(void **state)
{
	make_ok(",\"linux\":{}");
	assert_false(find(STEP_ROOT_OPEN, 0)->u.root_open.detached);
	assert_non_null(find(STEP_CHROOT, 0));
	assert_non_null(find(STEP_DEVICE, 5));
	assert_null(find(STEP_PIVOT, 0));
	assert_null(find(STEP_ROOT_ATTACH, 0));
	assert_null(find(STEP_PROPAGATION, 0));
	assert_null(find(STEP_SOURCE_OPEN, 0));
}

static void chroot_only_in_a_user_namespace(void **state)
{
	static const char json[] =
		",\"linux\":{\"namespaces\":[{\"type\":\"user\"}],"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
		"\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]%s}";
	char text[512];

	snprintf(text, sizeof(text), json, "");
	make_ok(text);
	assert_null(find(STEP_DEVICE, 0));
	assert_null(find(STEP_DEVICE_BIND, 0));
	snprintf(text, sizeof(text), json,
		 ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":3}]");
	assert_int_equal(make(text), -EINVAL);
	assert_string_equal(err.pointer, "/linux/devices/0");
}

/* One change of the umask for a row of nodes. */
static void device_row(void **state)
{
	make_ok(NS);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(find(STEP_DEVICE, i)->u.device.first, i == 0);
		assert_int_equal(find(STEP_DEVICE, i)->u.device.last, i == 5);
	}
}

/* What is bound from the host's /dev gets nothing new. */
static void dev_of_the_host(void **state)
{
	make_ok(MOUNTS(
		BIND("/dev", "")) ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"devices\":["
				  "{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":3}]}");
	assert_true(find(STEP_DEVICE, 0)->u.device.must_exist);
	assert_null(find(STEP_DEVICE, 1));
	assert_null(find(STEP_SYMLINK, 0));
	set_up(NULL);
	options.rootfs = "/";
	make_ok(NS);
	assert_null(find(STEP_DEVICE, 0));
	assert_null(find(STEP_SYMLINK, 0));
}

/* The root's propagation is the last thing that is done to mounts. */
static void propagation_last(void **state)
{
	make_ok(",\"linux\":{\"rootfsPropagation\":\"runbindable\",\"maskedPaths\":[\"/a\"],"
		"\"namespaces\":[{\"type\":\"mount\"}]}");
	assert_int_equal(plan.steps[plan.n_steps - 1].kind, STEP_PROPAGATION);
	assert_int_equal(plan.steps[plan.n_steps - 1].u.propagation.propagation, MS_UNBINDABLE);
	assert_true(plan.steps[plan.n_steps - 1].u.propagation.recursive);
	assert_int_equal(find(STEP_ROOT_OPEN, 0)->u.root_open.propagation, MS_PRIVATE);
}

static void relative_source(void **state)
{
	make_ok(MOUNTS("{\"destination\":\"/a\",\"source\":\"data/x\",\"options\":[\"bind\"]}") NS);
	assert_string_equal(find(STEP_SOURCE_OPEN, 0)->u.source_open.path, "/bundle/data/x");
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(cgroup_v2),
		CASE(cgroup_v2_without_namespace),
		CASE(cgroup_v1_shared),
		CASE(cgroup_rootless_without_namespace),
		CASE(cgroup_none),
		CASE(fresh_tmpfs),
		CASE(not_so_fresh_tmpfs),
		CASE(late_read_only),
		CASE(idmaps),
		CASE(chroot_only),
		CASE(chroot_only_in_a_user_namespace),
		CASE(device_row),
		CASE(dev_of_the_host),
		CASE(propagation_last),
		CASE(relative_source),
	};
	int r = cmocka_run_group_tests_name("plan-mount", tests, NULL, NULL);

	set_up(NULL);
	return r;
}
