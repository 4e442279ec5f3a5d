/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/keyring.h"

#include "os/fault.h"

#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>

/* Permission bits of keyctl_setperm(3): possessor in the highest byte, then user, group, other. */
#define POSSESSOR_ALL 0x3f000000U
#define USER_VIEW     0x00010000U
#define USER_READ     0x00020000U
#define USER_SEARCH   0x00080000U

int os_keyring_join(const char *name)
{
	long serial;

	OS_FAULT("keyctl");
	serial = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);
	return serial < 0 ? -errno : (int)serial;
}

int os_keyring_owner(int serial, uint32_t *ret_uid)
{
	/* ids are at most 1024 bytes; the kernel gives nothing rather than a part */
	char text[2048];
	const char *field;
	char *end;
	long len;

	OS_FAULT("keyctl");
	/* "keyring;0;0;3f030000;_ses.web" */
	len = syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text, sizeof(text), 0);
	if (len < 0)
		return -errno;
	if ((size_t)len > sizeof(text))
		return -EPROTO;
	field = strchr(text, ';');
	if (!field)
		return -EPROTO;
	*ret_uid = (uint32_t)strtoul(field + 1, &end, 10);
	return end > field + 1 && *end == ';' ? 0 : -EPROTO;
}

int os_keyring_restrict(int serial)
{
	OS_FAULT("keyctl");
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, serial,
		    POSSESSOR_ALL | USER_VIEW | USER_READ | USER_SEARCH, 0, 0) < 0)
		return -errno;
	return 0;
}
