/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.json: what images must show before they are taken. "reject" rejects and "insecureAcceptAnything" accepts; a signature
 * that is demanded can't be checked here yet, so that refuses as well: an image that nobody has checked must not pass for
 * one that somebody has.
 *
 *     ~/.config/containers/policy.json, or /etc/containers/policy.json; without either, everything is accepted
 *
 * Spec: containers-policy.json(5)
 */
#ifndef TARE_REGISTRY_POLICY_H
#define TARE_REGISTRY_POLICY_H

#include "base/arena.h"
#include "base/json.h"
#include "spec/reference.h"

/* With keys in it, a file has some KiB. */
#define POLICY_MAX_BYTES ((size_t)1024 * 1024)

struct policy {
	const struct json *root; /* NULL: there is none */
	const char *path;
};

/* policy_load() - from the files. Return: 0, also without one; -EINVAL if it is malformed; -errno */
int policy_load(struct arena *arena, struct policy *ret, struct err *err) MUST_CHECK;

/* policy_read() - from its text. Return: 0; -EINVAL if it is malformed or has what is not known */
int policy_read(struct arena *arena, const char *path, const char *text, size_t len,
		struct policy *ret, struct err *err) MUST_CHECK;

/*
 * policy_check_registry() - may an image of this (complete) name be taken from a registry
 * policy_check_file()     - from a file or directory: @transport is "oci", "oci-archive", "docker-archive" or "dir"
 * @path: absolute
 *
 * Return: 0; -EACCES with the place in the policy
 */
int policy_check_registry(const struct policy *policy, const struct reference *reference,
			  struct err *err) MUST_CHECK;
int policy_check_file(const struct policy *policy, const char *transport, const char *path,
		      struct err *err) MUST_CHECK;

#endif
