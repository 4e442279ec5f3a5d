/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_SPEC_TEMPLATE_H
#define TARE_SPEC_TEMPLATE_H

#include "base/json_write.h"

/* What is hidden and what is read-only of /proc and /sys, for the engine's containers as well; lists that end with NULL */
extern const char *const template_masked_paths[];
extern const char *const template_readonly_paths[];

/*
 * template_write() - the config.json that `tare-oci spec` leaves in a new bundle
 *
 * A shell in a read-only rootfs, with namespaces of its own, three harmless capabilities, no new privileges and the
 * usual paths masked: runc's starting point, in the cgroup namespace as well, and without the capabilities that could
 * not be raised anyway (ambient ones need inheritable ones).
 */
void template_write(struct json_writer *w);

/*
 * template_write_rootless() - the same for a user: a user namespace in which @uid and @gid are root, the host's network
 * (who has no rights could not connect a new one), its /sys read-only, and no group 5 for terminals, which is not mapped
 */
void template_write_rootless(struct json_writer *w, uint32_t uid, uint32_t gid);

#endif
