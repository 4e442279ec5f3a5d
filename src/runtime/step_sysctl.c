/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/act.h"

#include "base/guard.h"
#include "os/file.h"
#include "os/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Without its guard: through what stands at /proc in the container. */
static int write_by_path(const struct act *a, const struct step *step)
{
	const char *value = step->u.sysctl.value;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/sys/%s", a->options->rootfs, step->u.sysctl.path);
	return os_file_write_at(AT_FDCWD, path, value, strlen(value));
}

/*
 * step_sysctl() - write one key of the container's namespaces
 *
 * By the child, since the kernel shows each process the keys of its own namespaces; through the host's procfs, since the
 * container's can be anything (rows ).
 *
 * Spec:  config-linux.md "Sysctl"
 * Needs: being root of the user namespace that owns the key's namespace
 */
int step_sysctl(struct act *a, const struct step *step, struct err *err)
{
	const char *key = step->u.sysctl.key, *value = step->u.sysctl.value;
	int r;

	r = GUARD(sysctl_proc)
		    ? os_sysctl_write(a->fd[step->in[0]], step->u.sysctl.path, value, strlen(value))
		    : write_by_path(a, step);
	if (r == 0)
		return 0;
	if (r == -ENOENT) {
		err_user_code(
			err, r,
			"set sysctl \"%s\": there is no such key in the container's namespaces",
			key);
		return err_hint(err,
				"the kernel may lack it, or show it to the host's namespace only");
	}
	err_set(err, r, "set sysctl \"%s\" to \"%s\"", key, value);
	if (r == -EINVAL || r == -ERANGE)
		err_hint(err, "the kernel does not take this value for this key");
	if (r == -EXDEV || r == -ELOOP)
		err_hint(err, "something is mounted over /proc/sys on the host");
	return r;
}
