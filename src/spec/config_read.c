/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The top of config.json, and the contradictions between its sections. Each section is a file of its own
 * (config_read_*.c); all of them are tables for spec/decode.c.
 */
#include "spec/config_read.h"

#include "base/num.h"

#include <linux/utsname.h>
#include <stdio.h>
#include <string.h>

/* ---- ociVersion --------------------------------------------------------------------------------------------- */

/* The versions that we know: 1.0.0 up to every 1.3 patch level. */
#define VERSION_MAJOR     1
#define VERSION_MINOR_MAX 3

/* One of the three numbers: digits without a leading zero. Return: what follows, NULL if it is none */
static const char *skip_version_number(const char *text, uint64_t *ret)
{
	size_t len = strspn(text, "0123456789");

	if ((len > 1 && text[0] == '0') || num_u64(text, len, ret) < 0)
		return NULL;
	return text + len;
}

/* Identifiers with dots between them, none empty, as after "-" and "+". Return: what follows, NULL if it is none */
static const char *skip_version_tag(const char *text)
{
	size_t len;

	do {
		len = strspn(text,
			     "0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (!len)
			return NULL;
		text += len;
	} while (*text++ == '.');
	return text - 1;
}

/* Spec: semver.org 2.0.0. Return: whether @text is a version; its first two numbers */
static bool parse_version(const char *text, uint64_t *ret_major, uint64_t *ret_minor)
{
	uint64_t patch;

	text = skip_version_number(text, ret_major);
	if (text && *text == '.')
		text = skip_version_number(text + 1, ret_minor);
	else
		return false;
	if (text && *text == '.')
		text = skip_version_number(text + 1, &patch);
	else
		return false;
	if (text && *text == '-')
		text = skip_version_tag(text + 1);
	if (text && *text == '+')
		text = skip_version_tag(text + 1);
	return text && !*text;
}

static int check_version(struct decoder *d, const struct json *v, void *out)
{
	uint64_t major, minor;

	if (!parse_version(v->text, &major, &minor))
		return decode_fail(d, v, "expected a version like \"1.2.0\", got %s",
				   decode_got(d, v));
	if (major == VERSION_MAJOR && minor <= VERSION_MINOR_MAX)
		return 0;
	decode_fail(d, v, "version %s is not supported", decode_got(d, v));
	err_hint(d->err, "tare follows the runtime-spec from 1.0.0 to 1.3");
	return -EINVAL;
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static int check_uts_name(struct decoder *d, const struct json *v, void *out)
{
	if (v->len <= __NEW_UTS_LEN)
		return 0;
	return decode_fail(d, v, "%u bytes are more than the kernel's limit of %d", v->len,
			   __NEW_UTS_LEN);
}

/* ---- contradictions between sections ------------------------------------------------------------------------ */

/* The value that a chain of names leads to, for complaints about a combination; the nearest there is. */
static const struct json *find(const struct json *v, const char *first, const char *second)
{
	const struct json *outer = json_member(v, first);
	const struct json *inner = second ? json_member(outer, second) : NULL;

	return inner ? inner : outer ? outer : v;
}

static int check_uts(struct decoder *d, const struct json *v, const struct config *c)
{
	const char *name = c->hostname ? "hostname" : c->domainname ? "domainname" : NULL;

	if (!name || c->linux_.namespaces[NS_UTS].mode != NS_ABSENT)
		return 0;
	decode_fail(d, find(v, name, NULL), "without a uts namespace this would rename the host");
	err_hint(d->err, "add { \"type\": \"uts\" } to linux.namespaces");
	return -EINVAL;
}

static int check_user_namespace(struct decoder *d, const struct json *v, const struct config *c)
{
	const char *name = c->linux_.uid_mappings.n   ? "uidMappings"
			   : c->linux_.gid_mappings.n ? "gidMappings"
						      : NULL;

	if (!name || c->linux_.namespaces[NS_USER].mode != NS_ABSENT)
		return 0;
	decode_fail(d, find(v, "linux", name), "there is no user namespace to map ids in");
	err_hint(d->err, "add { \"type\": \"user\" } to linux.namespaces");
	return -EINVAL;
}

static int check_time_namespace(struct decoder *d, const struct json *v, const struct config *c)
{
	enum ns_mode mode = c->linux_.namespaces[NS_TIME].mode;

	if ((!c->linux_.monotonic.set && !c->linux_.boottime.set) || mode == NS_NEW)
		return 0;
	return decode_fail(d, find(v, "linux", "timeOffsets"),
			   mode == NS_JOIN
				   ? "the offsets of a time namespace that is joined can't change"
				   : "there is no time namespace to have offsets");
}

static int check_net_devices(struct decoder *d, const struct json *v, const struct config *c)
{
	if (!c->linux_.net_devices.n || c->linux_.namespaces[NS_NETWORK].mode != NS_ABSENT)
		return 0;
	return decode_fail(d, find(v, "linux", "netDevices"),
			   "there is no network namespace to move devices to");
}

static int check_config(struct decoder *d, const struct json *v, void *out)
{
	static int (*const checks[])(struct decoder *, const struct json *,
				     const struct config *) = {
		check_uts,
		check_user_namespace,
		check_time_namespace,
		check_net_devices,
	};
	int r;

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		r = checks[i](d, v, out);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the top ------------------------------------------------------------------------------------------------ */

static const struct field config_fields[] = {
	{ "ociVersion", STRING(struct config, oci_version), .flags = REQUIRED,
	  .check = check_version },
	{ "root", SECTION(struct config, root, root_object), .flags = REQUIRED },
	{ "mounts", OBJECTS(struct config, mounts, mount_object) },
	{ "process", SECTION(struct config, process, process_object), .flags = MARKS_SET },
	{ "hostname", STRING(struct config, hostname), .flags = EMPTY_IS_ABSENT,
	  .check = check_uts_name },
	{ "domainname", STRING(struct config, domainname), .flags = EMPTY_IS_ABSENT,
	  .check = check_uts_name },
	{ "hooks", SECTION(struct config, hooks, hooks_object) },
	{ "annotations", STRING_MAP(struct config, annotations) },
	{ "linux", SECTION(struct config, linux_, linux_object) },
	{ "vm", IGNORED("only for runtimes with virtual machines") },
	{ "windows", IGNORED("only for Windows") },
	{ "solaris", IGNORED("only for Solaris") },
	{ "zos", IGNORED("only for z/OS") },
	{ "freebsd", IGNORED("only for FreeBSD") },
};

const struct object config_object = OBJECT(struct config, config_fields, check_config);

int config_read(struct arena *arena, const char *text, size_t len, struct config **ret_config,
		struct err *err)
{
	struct decoder d = {
		.arena = arena, .name = "config.json", .text = text, .len = len, .err = err
	};
	struct config *config = arena_alloc(arena, sizeof(*config));
	int r;

	r = decode_document(&d, &config_object, config);
	if (r < 0)
		return r;
	config->ignored = d.ignored;
	*ret_config = config;
	return 0;
}
