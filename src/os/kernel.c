/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/kernel.h"

#include <stdlib.h>
#include <sys/utsname.h>

bool os_kernel_version_parse(const char *release, uint64_t *ret)
{
	unsigned long major, minor;
	char *end;

	major = strtoul(release, &end, 10);
	if (end == release || *end != '.')
		return false;
	release = end + 1;
	minor = strtoul(release, &end, 10);
	if (end == release || major > 255 || minor > 255)
		return false;
	*ret = OS_KERNEL(major, minor);
	return true;
}

uint64_t os_kernel_version(void)
{
	static uint64_t version;
	struct utsname uts;

	if (version == 0 && uname(&uts) == 0)
		(void)!os_kernel_version_parse(uts.release, &version);
	return version;
}
