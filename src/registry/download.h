/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A blob on its way from the registry, read like a file. When the connection breaks, another is made that goes on where the
 * last has ended; the reader doesn't notice, so what it hashes goes on as well. A server that can't go on in the middle
 * sends again what is there already, and that is dropped.
 *
 * The digest is for the reader to check: it is who has seen all bytes, also those of an earlier attempt. The size is held
 * to here.
 *
 * Spec: distribution-spec "Pulling blobs"; RFC 9110 section 14 (ranges)
 */
#ifndef TARE_REGISTRY_DOWNLOAD_H
#define TARE_REGISTRY_DOWNLOAD_H

#include "registry/session.h"
#include "spec/image.h"

struct download {
	struct session *session;
	const struct descriptor *blob; /* borrowed */
	uint64_t have;                 /* where the next byte belongs */
	uint64_t skip;                 /* bytes that come and that are there already */
	uint64_t
		began; /* where this connection has begun: if it got on, its break is a first one */
	unsigned failures; /* breaks without progress */
	unsigned reconnects;
	const char *url; /* where it is had from: the registry, or one of the blob's urls */
	size_t next_url;
	struct arena arena;
};

/*
 * download_begin() - ask for a blob
 * @blob: its digest and size are what it must have; its urls are tried when the registry does not have it
 * @from: bytes that are there already, less than its size
 *
 * One download at a time in a session. Return: 0; -ENOENT, -EACCES... as session_refused() says; -errno
 */
int download_begin(struct session *session, const struct descriptor *blob, uint64_t from,
		   struct download *ret, struct err *err) MUST_CHECK;

/*
 * download_read() - its next bytes
 * Return: how many; 0 when all of its size was read; -EINVAL if it has another size; -errno
 */
ssize_t download_read(struct download *download, void *buf, size_t size,
		      struct err *err) MUST_CHECK;

/* download_end() - also what was only begun */
void download_end(struct download *download);

#endif
