/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --security-opt, and the seccomp profile that follows from it. */
#include "engine/config_parts.h"

#include "engine/defaults.h"
#include "engine/seccomp_profile.h"
#include "os/file.h"

#include <fcntl.h>
#include <string.h>

/* ---- --security-opt ----------------------------------------------------------------------------------------------- */

static int set_switch(bool *switched, const char *value, const char *text, struct err *err)
{
	if (!value || strcmp(value, "true") == 0)
		*switched = true;
	else if (strcmp(value, "false") == 0)
		*switched = false;
	else
		return err_user(err, "--security-opt \"%s\": it is true or false", text);
	return 0;
}

static int set_apparmor(struct build *b, const char *value, struct err *err)
{
	/* unconfined is what a container without a profile is; and without AppArmor nothing else is possible. */
	if (strcmp(value, "unconfined") == 0)
		return 0;
	b->apparmor = value;
	if (b->in->facts->apparmor)
		return 0;
	err_user(err, "--security-opt \"apparmor=%s\": AppArmor is not enabled here", value);
	return err_hint(err, "leave it out");
}

static int set_label(struct build *b, const char *value, struct err *err)
{
	if (strcmp(value, "disable") == 0)
		return 0;
	if (!b->in->facts->selinux) {
		err_user(err, "--security-opt \"label=%s\": SELinux is not enabled here", value);
		return err_hint(err, "leave it out");
	}
	/* A part of a label alone can't be put to use without the policy's own defaults. */
	if (strchr(value, ':') == strrchr(value, ':'))
		return err_user(err,
				"--security-opt \"label=%s\": it is disable, or a whole label, "
				"USER:ROLE:TYPE:LEVEL",
				value);
	b->label = value;
	return 0;
}

static int set_system_paths(struct build *b, const char *value, struct err *err)
{
	if (strcmp(value, "unconfined") != 0)
		return err_user(err, "--security-opt \"systempaths=%s\": it is unconfined", value);
	b->no_masks = true;
	return 0;
}

static int set_security(struct build *b, const char *text, struct err *err)
{
	/* docker's older form has a colon. */
	size_t len = strcspn(text, "=:");
	const char *value = text[len] ? text + len + 1 : NULL;
	const char *name = arena_strndup(b->arena, text, len);

	if (strcmp(name, "no-new-privileges") == 0)
		return set_switch(&b->no_new_privileges, value, text, err);
	if (!value || !*value) {
		err_user(err, "--security-opt \"%s\": it needs a value", text);
		return err_hint(err, "it is NAME=VALUE");
	}
	if (strcmp(name, "seccomp") == 0)
		b->seccomp = value;
	else if (strcmp(name, "apparmor") == 0)
		return set_apparmor(b, value, err);
	else if (strcmp(name, "label") == 0)
		return set_label(b, value, err);
	else if (strcmp(name, "systempaths") == 0)
		return set_system_paths(b, value, err);
	else {
		err_user(err, "--security-opt \"%s\": there is no \"%s\"", text, name);
		return err_hint(err, "there are apparmor, label, no-new-privileges, seccomp and "
				     "systempaths");
	}
	return 0;
}

static int check_strict(const struct build *b, struct err *err)
{
	if (!b->settings->strict)
		return 0;
	if (b->seccomp && strcmp(b->seccomp, "unconfined") == 0)
		return err_user(err,
				"\"--strict\" and \"seccomp=unconfined\" contradict each other");
	if (b->no_masks)
		return err_user(
			err, "\"--strict\" and \"systempaths=unconfined\" contradict each other");
	return 0;
}

int build_security(struct build *b, struct err *err)
{
	const struct str_list *given = &b->settings->security;
	int r = 0;

	b->no_masks = b->settings->privileged;
	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = set_security(b, given->items[i], err);
	if (b->settings->strict)
		b->no_new_privileges = true;
	return r < 0 ? r : check_strict(b, err);
}

/* ---- seccomp ------------------------------------------------------------------------------------------------------ */

static int read_profile(struct build *b, const char *path, const char **ret_text, size_t *ret_len,
			struct err *err)
{
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text;
	int r;

	if (fd < 0)
		return err_sys(err, "open the seccomp profile \"%s\"", path);
	r = os_file_read(b->arena, fd, SECCOMP_PROFILE_MAX_BYTES, &text, ret_len);
	if (r < 0)
		return err_set(err, r, "read the seccomp profile \"%s\"", path);
	*ret_text = text;
	return 0;
}

static bool is_unconfined(const struct build *b)
{
	return b->seccomp ? strcmp(b->seccomp, "unconfined") == 0 : b->settings->privileged;
}

int build_seccomp(struct build *b, struct err *err)
{
	struct platform host = image_host_platform(b->arena);
	const struct seccomp_for where = {
		.architecture = host.architecture,
		.kernel = { (unsigned)(b->in->facts->kernel_version >> 16),
			    (unsigned)(b->in->facts->kernel_version >> 8 & 0xff) },
		.capabilities = b->bounding,
	};
	const char *text = default_seccomp_profile, *name = "default";
	size_t len = strlen(default_seccomp_profile);

	if (is_unconfined(b))
		return 0;
	if (b->seccomp && strcmp(b->seccomp, "builtin") != 0) {
		name = b->seccomp;
		if (read_profile(b, name, &text, &len, err) < 0)
			return err->code;
	}
	return seccomp_profile_resolve(b->w, name, text, len, &where, err);
}
