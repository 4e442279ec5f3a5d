/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/media_type.h"

#include <string.h>

#define DOCKER "application/vnd.docker."

/* clang-format off */
static const struct media_type types[] = {
	{ MEDIA_OCI_INDEX,                                             MEDIA_INDEX },
	{ MEDIA_OCI_MANIFEST,                                          MEDIA_MANIFEST },
	{ DOCKER "distribution.manifest.list.v2+json",                 MEDIA_INDEX,    .docker = true },
	{ DOCKER "distribution.manifest.v2+json",                      MEDIA_MANIFEST, .docker = true },
	{ MEDIA_OCI_CONFIG,                                            MEDIA_CONFIG },
	{ DOCKER "container.image.v1+json",                            MEDIA_CONFIG,   .docker = true },
	{ "application/vnd.oci.empty.v1+json",                         MEDIA_EMPTY },
	{ MEDIA_OCI_LAYER,                                             MEDIA_LAYER },
	{ MEDIA_OCI_LAYER "+gzip",                                     MEDIA_LAYER, COMPRESSION_GZIP },
	{ MEDIA_OCI_LAYER "+zstd",                                     MEDIA_LAYER, COMPRESSION_ZSTD },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar",      MEDIA_LAYER, COMPRESSION_NONE, .foreign = true },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_LAYER, COMPRESSION_GZIP, .foreign = true },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_LAYER, COMPRESSION_ZSTD, .foreign = true },
	{ DOCKER "image.rootfs.diff.tar",                              MEDIA_LAYER, COMPRESSION_NONE, .docker = true },
	{ DOCKER "image.rootfs.diff.tar.gzip",                         MEDIA_LAYER, COMPRESSION_GZIP, .docker = true },
	{ DOCKER "image.rootfs.diff.tar.zstd",                         MEDIA_LAYER, COMPRESSION_ZSTD, .docker = true },
	{ DOCKER "image.rootfs.foreign.diff.tar",                      MEDIA_LAYER, COMPRESSION_NONE, true, true },
	{ DOCKER "image.rootfs.foreign.diff.tar.gzip",                 MEDIA_LAYER, COMPRESSION_GZIP, true, true },
};
/* clang-format on */

const struct media_type *media_type_find(const char *name)
{
	static const struct media_type other = { "", MEDIA_OTHER };

	for (size_t i = 0; name && i < ARRAY_LEN(types); i++) {
		if (!strcmp(types[i].name, name))
			return &types[i];
	}
	return &other;
}

const char *media_type_layer(enum media_compression compression)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		return MEDIA_OCI_LAYER "+gzip";
	case COMPRESSION_ZSTD:
		return MEDIA_OCI_LAYER "+zstd";
	default:
		return MEDIA_OCI_LAYER;
	}
}

const char *media_type_accept(size_t i)
{
	/* Those that can stand for an image come first in the table. */
	return types[i].kind == MEDIA_INDEX || types[i].kind == MEDIA_MANIFEST ? types[i].name
									       : NULL;
}
