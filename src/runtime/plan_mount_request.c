/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Understanding mounts[]: each entry of the config with its words looked up, its class decided and
 * everything refused that can be judged without the kernel, before anything exists.
 */
#include "runtime/plan_mount.h"

#include "os/path.h"

#include <stdio.h>
#include <string.h>

const char *clean_path(struct planner_state *s, const char *path)
{
	char *clean = arena_alloc(&s->plan->arena, strlen(path) + 2);

	path_clean(path, clean);
	return clean;
}

/* The last mount whose target holds @path is what is seen there. */
static const struct mount_request *mount_at(const struct planner_state *s, const char *path)
{
	for (size_t i = s->config->mounts.n; i-- > 0;) {
		if (path_is_below(path, s->mounts[i].target) &&
		    s->mounts[i].class != MOUNT_CLASS_REMOUNT)
			return &s->mounts[i];
	}
	return NULL;
}

bool mount_covers(const struct planner_state *s, const char *path)
{
	return mount_at(s, path) != NULL;
}

bool mount_is_host_dir(const struct planner_state *s, const char *path)
{
	const struct mount_request *request = mount_at(s, path);

	if (!request)
		return strcmp(s->options->rootfs, "/") == 0;
	return request->class == MOUNT_CLASS_BIND;
}

/* ---- understanding one entry ----------------------------------------------------------------- */

/*
 * What lxcfs and its like may put into /proc; anything else there could fake what tare and others
 * read (row M-24).
 */
static const char *const proc_targets[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static int check_target(const struct mount_request *request, struct err *err)
{
	const char *target = request->target;

	if (request->class == MOUNT_CLASS_REMOUNT)
		return 0;
	if (strcmp(target, "/") == 0)
		return err_user(err, "mount over \"/\": it would hide the rootfs");
	if (strcmp(target, "/proc") == 0) {
		if (request->class == MOUNT_CLASS_BIND || strcmp(request->fstype, "proc") == 0)
			return 0;
		return err_user(err, "mount \"%s\" on \"/proc\": only a procfs may be there",
				request->fstype);
	}
	if (!path_is_below(target, "/proc"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(proc_targets); i++) {
		if (strcmp(target, proc_targets[i]) == 0)
			return 0;
	}
	err_user(err, "mount on \"%s\": a mount inside /proc could fake what the runtime relies on",
		 target);
	return err_hint(
		err,
		"allowed are cpuinfo, diskstats, loadavg, meminfo, slabinfo, stat, swaps, uptime, "
		"sys/kernel/ns_last_pid and sys/crypto/fips_enabled");
}

static int check_idmap(const struct planner_state *s, const struct config_mount *mount,
		       const struct mount_request *request, struct err *err)
{
	bool maps = mount->uid_mappings.n || mount->gid_mappings.n;
	bool words = request->words.idmap || request->words.ridmap;

	if (!maps && !words)
		return 0;
	if (request->class != MOUNT_CLASS_BIND)
		return err_user(err, "idmap \"%s\": only a bind can be idmapped", request->target);
	if (maps && (!mount->uid_mappings.n || !mount->gid_mappings.n))
		return err_user(err, "idmap \"%s\": uidMappings and gidMappings must both be given",
				request->target);
	if (!maps && !s_ns_private(s, NS_USER)) {
		err_user(err,
			 "idmap \"%s\": there are no mappings and no user namespace to take them "
			 "from",
			 request->target);
		return err_hint(err, "give the mount uidMappings and gidMappings");
	}
	return 0;
}

static int check_words(struct planner_state *s, const struct mount_request *request,
		       struct err *err)
{
	const struct mount_words *words = &request->words;
	bool bind = request->class == MOUNT_CLASS_BIND;

	if (bind && words->data) {
		err_user(err,
			 "bind \"%s\": option \"%s\" is not known, and a bind has no filesystem to "
			 "give it to",
			 request->target, words->data_word);
		return -EINVAL;
	}
	if (bind && words->sb_word)
		plan_warn(s->plan,
			  "%s: option \"%s\" is the filesystem's; a bind of it can't change it, so "
			  "it is ignored",
			  request->pointer, words->sb_word);
	if (words->tmpcopyup &&
	    (request->class != MOUNT_CLASS_NEW || strcmp(request->fstype, "tmpfs") != 0))
		return err_user(err, "mount on \"%s\": option \"tmpcopyup\" is for a tmpfs only",
				request->target);
	if (!bind && (words->copy_symlink || words->src_nofollow || words->dest_nofollow))
		return err_user(err, "mount on \"%s\": option \"%s\" is for a bind only",
				request->target,
				words->copy_symlink   ? "copy-symlink"
				: words->src_nofollow ? "src-nofollow"
						      : "dest-nofollow");
	return 0;
}

static enum mount_class classify(const struct config_mount *mount, const struct mount_words *words)
{
	if (words->remount)
		return MOUNT_CLASS_REMOUNT;
	if (words->bind || (mount->type && strcmp(mount->type, "bind") == 0))
		return MOUNT_CLASS_BIND;
	if (mount->type && strcmp(mount->type, "cgroup") == 0)
		return MOUNT_CLASS_CGROUP;
	return MOUNT_CLASS_NEW;
}

/*
 * A sysfs shows a network namespace, and the kernel mounts one only for its owner. With a user
 * namespace but the host's network that is not us; where read-only is enough, the host's own /sys
 * does (row M-13).
 */
static int replace_sysfs(struct planner_state *s, struct mount_request *request, struct err *err)
{
	bool needs_netns = (s_ns_new(s, NS_USER) && !s_ns_new(s, NS_NETWORK)) ||
			   (s->facts->rootless && !s_ns_private(s, NS_NETWORK));

	if (request->class != MOUNT_CLASS_NEW || strcmp(request->fstype, "sysfs") != 0 ||
	    !needs_netns)
		return 0;
	if (!(request->words.flags & MS_RDONLY)) {
		err_user(err,
			 "mount \"sysfs\" on \"%s\": a user namespace needs a network namespace of "
			 "its own for it",
			 request->target);
		return err_hint(err, "add { \"type\": \"network\" } to linux.namespaces, or the "
				     "option \"ro\", with "
				     "which the host's /sys is bound read-only instead");
	}
	request->class = MOUNT_CLASS_BIND;
	request->source = "/sys";
	request->words.recursive = true;
	request->words.rec_attr_set |= request->words.attr_set;
	request->words.rec_attr_clr |= request->words.attr_clr;
	return 0;
}

static int set_source(struct planner_state *s, const struct config_mount *mount,
		      struct mount_request *request, struct err *err)
{
	if (request->class != MOUNT_CLASS_BIND) {
		request->source =
			plan_strdup(s->plan, mount->source && mount->source[0] ? mount->source
									       : request->fstype);
		return 0;
	}
	if (!mount->source || !mount->source[0])
		return err_user(err, "bind on \"%s\": it has no source", request->target);
	request->source = mount->source[0] == '/' ? plan_strdup(s->plan, mount->source)
						  : plan_printf(s->plan, "%s/%s",
								s->options->bundle, mount->source);
	return 0;
}

/*
 * Mappings in the form of /proc/PID/uid_map. Spec: config.md "uidMappings": from the source's ids
 * to the mount's
 */
static const char *map_text(struct planner_state *s, const struct id_map_list *maps)
{
	const char *text = "";

	for (size_t i = 0; i < maps->n; i++)
		text = plan_printf(s->plan, "%s%u %u %u\n", text, maps->items[i].container_id,
				   maps->items[i].host_id, maps->items[i].size);
	return text;
}

static int understand(struct planner_state *s, const struct config_mount *mount,
		      struct mount_request *request, struct err *err)
{
	int r;

	request->tree = request->idmap_ns = request->own_dir = SLOT_NONE;
	request->target = clean_path(s, mount->destination);
	r = mount_words_parse(&s->plan->arena, &mount->options, &request->words, err);
	if (r < 0)
		return err_context(err, "mount on \"%s\"", request->target);

	request->class = classify(mount, &request->words);
	request->fstype = plan_strdup(s->plan, mount->type);
	if (!request->fstype || !request->fstype[0])
		request->fstype = request->class == MOUNT_CLASS_NEW ? NULL : "none";
	if (!request->fstype)
		return err_user(err,
				"mount on \"%s\": it has no type, and none of the options \"bind\" "
				"and \"rbind\"",
				request->target);
	r = check_target(request, err);
	if (r == 0)
		r = set_source(s, mount, request, err);
	if (r == 0)
		r = replace_sysfs(s, request, err);
	if (r == 0)
		r = check_words(s, request, err);
	if (r == 0)
		r = check_idmap(s, mount, request, err);
	if (r < 0)
		return r;

	if (mount->uid_mappings.n) {
		request->uid_map = map_text(s, &mount->uid_mappings);
		request->gid_map = map_text(s, &mount->gid_mappings);
	}
	return 0;
}

/*
 * Will anything be made inside this tmpfs after it is mounted? Then it can't be read-only from the
 * start.
 */
static bool is_filled_later(const struct planner_state *s, size_t index)
{
	const struct mount_request *request = &s->mounts[index];
	const struct config_device_list *devices = &s->config->linux_.devices;

	if (path_is_below("/dev", request->target))
		return true;
	for (size_t i = index + 1; i < s->config->mounts.n; i++) {
		if (path_is_below(s->mounts[i].target, request->target))
			return true;
	}
	for (size_t i = 0; i < devices->n; i++) {
		if (path_is_below(devices->items[i].path, request->target))
			return true;
	}
	return false;
}

bool mount_data_has(const char *data, const char *key)
{
	size_t len = strlen(key);

	for (; data && *data; data += strcspn(data, ","), data += *data == ',') {
		if (strncmp(data, key, len) == 0 && data[len] == '=')
			return true;
	}
	return false;
}

/*
 * Is the target's parent a tmpfs that an earlier entry mounts, and the target not in it yet? Only
 * the plan has put anything there, so the step need not look for it in the rootfs. Not where the
 * mount must look at what it covers, or has a propagation to be given.
 * Return: 1 + the index of that entry; 0 if there is none
 */
static size_t find_fresh_parent(const struct planner_state *s, size_t index)
{
	const struct mount_request *request = &s->mounts[index];
	size_t len = (size_t)(strrchr(request->target, '/') - request->target), parent = 0;
	bool tmpfs;

	if (request->class != MOUNT_CLASS_NEW || request->words.propagation ||
	    request->words.tmpcopyup)
		return 0;
	if (strcmp(request->fstype, "tmpfs") == 0 && !mount_data_has(request->words.data, "mode"))
		return 0;
	for (size_t i = 0; i < index; i++) {
		const struct mount_request *other = &s->mounts[i];

		tmpfs = other->class == MOUNT_CLASS_NEW && strcmp(other->fstype, "tmpfs") == 0 &&
			!other->words.tmpcopyup;
		if (strncmp(other->target, request->target, len) == 0 && !other->target[len])
			parent = tmpfs ? i + 1 : 0;
		else if (path_is_below(other->target, request->target) ||
			 path_is_below(request->target, other->target))
			parent = 0;
	}
	return parent;
}

int plan_mount_requests(struct planner_state *s, struct err *err)
{
	const struct config_mount_list *mounts = &s->config->mounts;
	int r;

	s->mounts = arena_array(&s->plan->arena, mounts->n, sizeof(*s->mounts));
	for (size_t i = 0; i < mounts->n; i++) {
		s->mounts[i].pointer = plan_printf(s->plan, "/mounts/%zu", i);
		r = understand(s, &mounts->items[i], &s->mounts[i], err);
		if (r < 0)
			return err_at(err, s->mounts[i].pointer);
	}
	for (size_t i = 0; i < mounts->n; i++) {
		struct mount_request *request = &s->mounts[i];

		request->late_ro = request->class == MOUNT_CLASS_NEW &&
				   request->words.flags & MS_RDONLY &&
				   strcmp(request->fstype, "tmpfs") == 0 && is_filled_later(s, i);
		request->fresh_parent = find_fresh_parent(s, i);
		if (request->fresh_parent)
			s->mounts[request->fresh_parent - 1].holds_others = true;
	}
	return 0;
}
