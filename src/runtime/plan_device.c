/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device nodes and the links in /dev. Made by mknod where that is allowed; in a user namespace it
 * is not, so there the parent opens the host's node of the same path, checks that it is that
 * device, and the child binds it (row M-20).
 */
#include "runtime/plan_mount.h"

#include "os/path.h"

#include <string.h>

/* Spec: config-linux.md "Default Devices" (row L-13) */
static const struct config_device default_devices[] = {
	{ .type = 'c', .path = "/dev/null", .major = 1, .minor = 3 },
	{ .type = 'c', .path = "/dev/zero", .major = 1, .minor = 5 },
	{ .type = 'c', .path = "/dev/full", .major = 1, .minor = 7 },
	{ .type = 'c', .path = "/dev/random", .major = 1, .minor = 8 },
	{ .type = 'c', .path = "/dev/urandom", .major = 1, .minor = 9 },
	{ .type = 'c', .path = "/dev/tty", .major = 5, .minor = 0 },
};
#define N_DEFAULT ARRAY_LEN(default_devices)

struct device_request {
	const struct config_device *device;
	const char *path, *pointer;
	bool is_default;
};

static bool is_configured(struct planner_state *s, const char *path)
{
	const struct config_device_list *devices = &s->config->linux_.devices;

	for (size_t i = 0; i < devices->n; i++) {
		if (strcmp(clean_path(s, devices->items[i].path), path) == 0)
			return true;
	}
	return false;
}

/*
 * Entry @i of the devices to make: the defaults, then the config's. False where there is nothing to
 * do: the config names a default one itself, or /dev is the host's own, which has them.
 */
static bool get_request(struct planner_state *s, size_t i, struct device_request *ret)
{
	if (i >= N_DEFAULT) {
		ret->device = &s->config->linux_.devices.items[i - N_DEFAULT];
		ret->path = clean_path(s, ret->device->path);
		ret->pointer = plan_printf(s->plan, "/linux/devices/%zu", i - N_DEFAULT);
		ret->is_default = false;
		return true;
	}
	ret->device = &default_devices[i];
	ret->path = ret->device->path;
	ret->pointer = "";
	ret->is_default = true;
	return !is_configured(s, ret->path) && !mount_is_host_dir(s, ret->path);
}

/* A named pipe is no device to the kernel: anybody may make one. */
static bool must_bind(const struct planner_state *s, const struct config_device *device)
{
	return device->type != 'p' && (s_ns_private(s, NS_USER) || s->facts->rootless);
}

static size_t n_requests(const struct planner_state *s)
{
	return N_DEFAULT + s->config->linux_.devices.n;
}

const char *device_path(struct planner_state *s, size_t i)
{
	if (i >= n_requests(s))
		return NULL;
	return i < N_DEFAULT ? default_devices[i].path
			     : clean_path(s, s->config->linux_.devices.items[i - N_DEFAULT].path);
}

void plan_device_sources(struct planner_state *s)
{
	struct device_request request;

	s->device_sources = arena_array(&s->plan->arena, n_requests(s), sizeof(*s->device_sources));
	for (size_t i = 0; i < n_requests(s); i++) {
		struct step *step;

		s->device_sources[i] = SLOT_NONE;
		if (!get_request(s, i, &request) || !must_bind(s, request.device) ||
		    !s_ns_new(s, NS_MOUNT))
			continue;
		step = plan_add(s->plan, s->opener, STEP_SOURCE_OPEN, request.pointer);
		step->out = plan_slot(s->plan, plan_printf(s->plan, "device %s", request.path));
		s->device_sources[i] = step->out;
		step->u.source_open.path = plan_strdup(s->plan, request.path);
		step->u.source_open.rec_propagation = MS_PRIVATE;
		step->u.source_open.check_device = true;
		step->u.source_open.dev_type = request.device->type;
		step->u.source_open.dev_major = request.device->major;
		step->u.source_open.dev_minor = request.device->minor;
	}
}

static void plan_bind(struct planner_state *s, const struct device_request *request, int16_t source)
{
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_DEVICE_BIND, request->pointer);

	step->in[0] = s->slots.rootfs;
	step->in[1] = source;
	step->u.device_bind.path = plan_strdup(s->plan, request->path);
	step->u.device_bind.type = request->device->type;
	step->u.device_bind.major = request->device->major;
	step->u.device_bind.minor = request->device->minor;
	step->u.device_bind.on_rootfs = !mount_covers(s, request->path);
}

static void plan_node(struct planner_state *s, const struct device_request *request)
{
	const struct config_device *device = request->device;
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_DEVICE, request->pointer);

	step->in[0] = s->slots.rootfs;
	step->u.device.path = plan_strdup(s->plan, request->path);
	step->u.device.type = device->type;
	step->u.device.major = device->major;
	step->u.device.minor = device->minor;
	step->u.device.mode = device->file_mode.set ? device->file_mode.v & 07777 : 0666;
	step->u.device.uid = device->uid;
	step->u.device.gid = device->gid;
	step->u.device.is_default = request->is_default;
	step->u.device.on_rootfs = !mount_covers(s, request->path);
	step->u.device.must_exist = mount_is_host_dir(s, request->path);
}

static void plan_link(struct planner_state *s, const char *path, const char *target, bool replace)
{
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_SYMLINK, "");

	step->in[0] = s->slots.rootfs;
	step->u.symlink.path = path;
	step->u.symlink.target = target;
	step->u.symlink.replace = replace;
	step->u.symlink.on_rootfs = !mount_covers(s, path);
}

/*
 * Spec: config-linux.md "/dev symbolic links": made where what they point to is there (row L-16);
 * row L-15 for ptmx
 */
static void plan_links(struct planner_state *s)
{
	if (mount_is_host_dir(s, "/dev"))
		return;
	if (mount_covers(s, "/proc") || strcmp(s->options->rootfs, "/") == 0) {
		plan_link(s, "/dev/fd", "/proc/self/fd", false);
		plan_link(s, "/dev/stdin", "/proc/self/fd/0", false);
		plan_link(s, "/dev/stdout", "/proc/self/fd/1", false);
		plan_link(s, "/dev/stderr", "/proc/self/fd/2", false);
	}
	/* An image's own node would be the ptmx of whichever devpts the kernel finds. */
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		if (strcmp(s->mounts[i].target, "/dev/pts") == 0) {
			plan_link(s, "/dev/ptmx", "pts/ptmx", true);
			return;
		}
	}
}

/* The nodes among the steps from @from on are made in one row. */
static void mark_row(struct plan *plan, size_t from)
{
	struct step *last = NULL;

	for (size_t i = from; i < plan->n_steps; i++) {
		struct step *step = &plan->steps[i];

		if (step->kind != STEP_DEVICE)
			continue;
		step->u.device.first = !last;
		last = step;
	}
	if (last)
		last->u.device.last = true;
}

int plan_devices(struct planner_state *s, struct err *err)
{
	size_t from = s->plan->n_steps;
	struct device_request request;

	for (size_t i = 0; i < n_requests(s); i++) {
		if (!get_request(s, i, &request))
			continue;
		if (s->device_sources[i] != SLOT_NONE) {
			plan_bind(s, &request, s->device_sources[i]);
		} else if (!must_bind(s, request.device)) {
			plan_node(s, &request);
		} else if (!request.is_default) {
			err_user(err,
				 "make device \"%s\": a user namespace can't, and there is no new "
				 "mount namespace to "
				 "bind the host's in",
				 request.path);
			return err_at(err, request.pointer);
		}
	}
	mark_row(s->plan, from);
	plan_links(s);
	return 0;
}
