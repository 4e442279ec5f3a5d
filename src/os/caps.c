/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/caps.h"

#include "os/fault.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int os_caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	OS_FAULT("capset");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int os_caps_bounding_drop(int cap)
{
	OS_FAULT("prctl");
	return prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 ? -errno : 0;
}

int os_caps_ambient_clear(void)
{
	OS_FAULT("prctl");
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

int os_caps_ambient_raise(int cap)
{
	OS_FAULT("prctl");
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0 ? -errno : 0;
}

int os_caps_keep(void)
{
	OS_FAULT("prctl");
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
