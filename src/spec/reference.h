/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people call an image: "nginx", "docker.io/library/nginx:1.27", "localhost:5000/app@sha256:...".
 *
 * A first part with a dot or a colon, or the word localhost, is a registry; without one the name is short, and which
 * registry is meant is for registries.conf to say (or for what is in the store already), never for this parser. The grammar
 * is the one that every registry holds to, so what passes here can be sent to one, and be a name in an OCI layout.
 *
 * Spec: distribution-spec "Pulling manifests"; image-spec annotations.md (org.opencontainers.image.ref.name)
 */
#ifndef TARE_SPEC_REFERENCE_H
#define TARE_SPEC_REFERENCE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

/* Registry and path together: what registries take, and what fits into every file name that tools make of it. */
#define REFERENCE_NAME_MAX 255
#define REFERENCE_TAG_MAX  128

/* Where names without a registry belong that never leave this machine. */
#define REFERENCE_LOCAL_REGISTRY "localhost"

struct reference {
	const char *
		registry; /* "docker.io", "localhost:5000", "[::1]:5000"; NULL: the name is short */
	const char *path; /* "library/nginx" */
	const char *tag;  /* "latest"; NULL: none was given */
	const char *
		digest; /* "sha256:..."; NULL: none was given. With a tag: the digest is what counts */
};

/*
 * reference_parse() - read a reference
 * @arena: owns the parts
 * @ret:   nothing is added that @text doesn't have: no registry, no tag
 *
 * Return: 0; -EINVAL, with what is wrong and, where we can tell, what was meant
 */
int reference_parse(struct arena *arena, const char *text, struct reference *ret,
		    struct err *err) MUST_CHECK;

/* reference_complete() - in place: add ":latest" if there is neither tag nor digest; "library/" for docker.io's own images */
void reference_complete(struct arena *arena, struct reference *reference);

/* reference_text() - the whole of it, as people write it; in @arena */
char *reference_text(struct arena *arena, const struct reference *reference);

/* reference_name() - registry and path without tag and digest; in @arena */
char *reference_name(struct arena *arena, const struct reference *reference);

/* reference_is_local() - does it name something that only this machine can have: "localhost/...", without a port */
bool reference_is_local(const struct reference *reference);

/* reference_tag_is_valid() - [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */
bool reference_tag_is_valid(const char *tag);

#endif
