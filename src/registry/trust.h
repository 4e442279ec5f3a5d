/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose certificates are trusted for a registry: the system's authorities, those that SSL_CERT_FILE names instead, and what
 * the administrator or the user has put into a directory for that registry, as podman and docker read them:
 *
 *     ~/.config/containers/certs.d/HOST[:PORT]/    *.crt         an authority, in addition
 *     /etc/containers/certs.d/HOST[:PORT]/         *.cert, *.key who we are
 *     /etc/docker/certs.d/HOST[:PORT]/
 *
 * The first of the directories that is there counts.
 * Spec: containers-certs.d(5)
 */
#ifndef TARE_REGISTRY_TRUST_H
#define TARE_REGISTRY_TRUST_H

#include "registry/http.h"
#include "registry/url.h"

/* All authorities of a system take some 300 KiB. */
#define TRUST_MAX_BYTES ((size_t)8 * 1024 * 1024)

struct trust {
	struct http_trust http; /* what http_send() takes */
	int bundle; /* an unnamed file with all authorities, if there is more than the system's */
};

#define TRUST_INIT ((struct trust){ .bundle = -EBADF })

/*
 * trust_find() - for the server that @url leads to
 * @cert_dir: a directory that counts instead of those above; NULL
 * @ret:      to be cleared; its strings live in @arena
 *
 * Return: 0; -EINVAL if a certificate is without its key, or a key without its certificate; -errno
 */
int trust_find(const struct curl_functions *curl, struct arena *arena, const struct url *url,
	       const char *cert_dir, struct trust *ret, struct err *err) MUST_CHECK;

void trust_clear(struct trust *trust);

#endif
