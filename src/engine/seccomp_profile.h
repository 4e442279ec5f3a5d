/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seccomp profiles as docker and podman write them: with conditions on capabilities, architectures and the kernel. The
 * runtime-spec knows no conditions, so they are settled here for one container on one machine.
 */
#ifndef TARE_ENGINE_SECCOMP_PROFILE_H
#define TARE_ENGINE_SECCOMP_PROFILE_H

#include "base/json_write.h"

/* Where a profile is going to be in force. */
struct seccomp_for {
	const char *architecture; /* Go's name: "amd64" */
	unsigned kernel[2];       /* "6.18": 6, 18 */
	uint64_t capabilities;    /* the container's bounding set, by bit */
};

/* More than ten times the largest that is known. */
#define SECCOMP_PROFILE_MAX_BYTES ((size_t)1024 * 1024)

/*
 * seccomp_profile_resolve() - write linux.seccomp for a profile
 * @name: of the profile, for messages
 *
 * One that is linux.seccomp already, without conditions, stays as it is.
 * Return: 0; -EINVAL if it is no profile, with the JSON pointer
 */
int seccomp_profile_resolve(struct json_writer *w, const char *name, const char *text, size_t len,
			    const struct seccomp_for *where, struct err *err) MUST_CHECK;

#endif
