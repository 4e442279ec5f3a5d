/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A blob on its way to the registry: not at all if it is there, by a mount if another repository of the registry has it, in one
 * request, or in chunks if it is large, so that a broken connection costs one chunk and not all of it.
 *
 * Spec: distribution-spec "Pushing blobs", "Mounting a blob from another repository", "Resuming an upload"
 */
#ifndef TARE_REGISTRY_UPLOAD_H
#define TARE_REGISTRY_UPLOAD_H

#include "registry/session.h"

/* What goes in one request. Registries that have a limit take 100 MB and more. */
#define UPLOAD_CHUNK_BYTES ((uint64_t)64 * 1024 * 1024)

struct upload {
	const char *digest;
	uint64_t size;
	int fd;                      /* all of its bytes, from 0; read by pread() */
	uint64_t chunk;              /* 0: UPLOAD_CHUNK_BYTES */
	volatile uint64_t *progress; /* how many bytes were sent; NULL */
};

enum { UPLOAD_DONE, UPLOAD_WAS_THERE, UPLOAD_MOUNTED };

/*
 * upload_blob() - see to it that the registry has the blob
 *
 * The session must be one for pushing; where it names a repository to mount from, that is tried.
 * Return: UPLOAD_DONE, UPLOAD_WAS_THERE, UPLOAD_MOUNTED; -EACCES... as session_refused() says; -errno
 */
int upload_blob(struct session *session, const struct upload *upload, const char *mount_from,
		struct err *err) MUST_CHECK;

#endif
