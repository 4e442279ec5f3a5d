/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The annotations that change what tare does. All others are only kept. An image can carry annotations, so an engine that
 * copies them has to know these: `features` lists them as potentially unsafe. No name of one stands anywhere else in
 * the source; the test run looks.
 *
 * Spec: features.md "Unsafe annotations in config.json"; rows F-14, Z-20
 */
#ifndef TARE_SPEC_ANNOTATIONS_H
#define TARE_SPEC_ANNOTATIONS_H

#include "spec/config.h"

/* What the annotations that crun obeys begin with. */
#define ANNOTATIONS_OF_CRUN "run.oci."

/* Files that the hooks' output is appended to. */
#define ANNOTATION_HOOKS_STDOUT "run.oci.hooks.stdout"
#define ANNOTATION_HOOKS_STDERR "run.oci.hooks.stderr"
/* "1": keep the caller's supplementary groups. */
#define ANNOTATION_KEEP_GROUPS "run.oci.keep_original_groups"

/* Which mount option carries linux.mountLabel: "context", "rootcontext" and so on. */
#define ANNOTATION_MOUNT_CONTEXT "run.oci.mount_context_type"

/* Whom the filter's notifications go to, where linux.seccomp names no listenerPath. */
#define ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"
/* "1": a name that is no system call is an error instead of being skipped. */
#define ANNOTATION_SECCOMP_STRICT "run.oci.seccomp_fail_unknown_syscall"

/* A socket that a pidfd of the container's first process goes to, as by --pidfd-socket. */
#define ANNOTATION_PIDFD_RECEIVER "run.oci.pidfd_receiver"

/* For systemd: a property of the unit, whose name follows; and the cgroup of the processes below the unit's. */
#define ANNOTATION_UNIT_PROPERTY "org.systemd.property."
#define ANNOTATION_UNIT_SUBGROUP "run.oci.systemd.subgroup"
/* One more cgroup below, which the container owns and which has no limits. */
#define ANNOTATION_DELEGATE "run.oci.delegate-cgroup"

/* CRIU's configuration file; empty: none. */
#define ANNOTATION_CRIU_CONFIG "org.criu.config"

#define ANNOTATIONS_OBEYED                                                                         \
	ANNOTATION_CRIU_CONFIG, ANNOTATION_UNIT_PROPERTY, ANNOTATION_DELEGATE,                     \
		ANNOTATION_HOOKS_STDERR, ANNOTATION_HOOKS_STDOUT, ANNOTATION_KEEP_GROUPS,          \
		ANNOTATION_MOUNT_CONTEXT, ANNOTATION_PIDFD_RECEIVER, ANNOTATION_SECCOMP_RECEIVER,  \
		ANNOTATION_SECCOMP_STRICT, ANNOTATION_UNIT_SUBGROUP

/* annotation_value() - its value, borrowed; NULL if it is not there or empty */
const char *annotation_value(const struct key_value_list *annotations, const char *key);

/* annotation_is_missed() - is it one of crun's, run.oci.*, that tare does not obey? Then somebody expects something */
bool annotation_is_missed(const char *key);

/* annotation_is_one() - is it there with the value "1"? */
bool annotation_is_one(const struct key_value_list *annotations, const char *key);

#endif
