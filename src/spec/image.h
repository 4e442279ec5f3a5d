/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The documents that an image is made of: descriptor, index, manifest, config. Each is decoded from a field table
 * (decode.h) into a struct whose strings live in the caller's arena. They come from strangers: every digest is one that we
 * can verify, every size is a number, and lists have limits that are stated here.
 *
 * What the image-spec lets a document have beside is kept in the blob and ignored here; what docker adds to a config and
 * OCI doesn't know (health checks, ONBUILD, SHELL) is decoded, since commit and save must not lose it.
 *
 * Spec: image-spec 1.1, descriptor.md, image-index.md, manifest.md, config.md
 */
#ifndef TARE_SPEC_IMAGE_H
#define TARE_SPEC_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

#include <stdbool.h>
#include <stdint.h>

/* A manifest or index; what registries accept at most. */
#define IMAGE_MANIFEST_MAX_BYTES ((size_t)4 * 1024 * 1024)
/* A config: labels and history of the largest known stay below a tenth of it. */
#define IMAGE_CONFIG_MAX_BYTES ((size_t)8 * 1024 * 1024)
/* overlayfs takes 500 lower directories; docker stops at 127. */
#define IMAGE_LAYERS_MAX 500

struct platform {
	bool set;                      /* of a descriptor: was it given */
	const char *os, *architecture; /* "linux", "arm64" as Go names them; NULL: not given */
	const char *variant;           /* "v8"; NULL */
	const char *os_version;
	struct str_list os_features;
};

struct descriptor {
	bool set;               /* of a subject: was it given */
	const char *media_type; /* never NULL */
	const char *digest;     /* checked */
	uint64_t size;          /* bytes, at most INT64_MAX */
	const char *artifact_type;
	struct str_list urls;
	struct key_value_list annotations;
	struct platform platform;
};
struct descriptor_list {
	struct descriptor *items;
	size_t n;
};

struct image_index {
	uint32_t schema_version;
	const char *media_type, *artifact_type; /* NULL: not given */
	struct descriptor_list manifests;
	struct key_value_list annotations;
	struct descriptor subject;
};

struct image_manifest {
	uint32_t schema_version;
	const char *media_type, *artifact_type;
	struct descriptor config;
	struct descriptor_list layers; /* the lowest first */
	struct key_value_list annotations;
	struct descriptor subject; /* what this says something about: a signature's image */
};

/* Times in nanoseconds, as docker writes them; 0: not given */
struct image_healthcheck {
	struct str_list
		test; /* { "NONE" }, { "CMD", args... }, { "CMD-SHELL", line }; empty: inherited */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	uint32_t retries;
};

/* "config" of a config: how a container of this image is to run */
struct image_process {
	const char *user; /* "name", "name:group", numbers; NULL */
	struct str_list exposed_ports, volumes;
	struct str_list env, entrypoint, cmd;
	const char *working_dir, *stop_signal;
	struct key_value_list labels;
	/* docker's own */
	struct image_healthcheck healthcheck;
	struct str_list shell, on_build;
	struct opt_u32 stop_timeout_s;
	bool args_escaped;
};

struct image_history {
	const char *created, *created_by, *author, *comment;
	bool empty_layer; /* it added no layer */
};
struct image_history_list {
	struct image_history *items;
	size_t n;
};

struct image_config {
	struct platform platform;
	const char *created, *author; /* RFC 3339 */
	struct image_process process;
	const char *rootfs_type;  /* "layers" */
	struct str_list diff_ids; /* digests of the layers' tars, the lowest first */
	struct image_history_list history;
};

/*
 * image_index_read(), image_manifest_read(), image_config_read() - decode a document
 * @name: what messages call it: "manifest sha256:..."
 * @text: borrowed, need not outlive the call
 *
 * A manifest whose mediaType says that it is an index (or the other way round) is refused: the same bytes must not mean two
 * things to two readers. A config whose history tells of more layers than it has diff_ids is refused as well.
 *
 * Return: 0; -EINVAL with the JSON pointer
 */
int image_index_read(struct arena *arena, const char *name, const char *text, size_t len,
		     struct image_index *ret, struct err *err) MUST_CHECK;
int image_manifest_read(struct arena *arena, const char *name, const char *text, size_t len,
			struct image_manifest *ret, struct err *err) MUST_CHECK;
int image_config_read(struct arena *arena, const char *name, const char *text, size_t len,
		      struct image_config *ret, struct err *err) MUST_CHECK;

/* image_process_read() - the same for the "config" of a config alone */
int image_process_read(struct arena *arena, const char *name, const char *text, size_t len,
		       struct image_process *ret, struct err *err) MUST_CHECK;

#endif
