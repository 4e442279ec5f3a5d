/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The features document: what this build of tare can do, whatever the host can.
 */
#ifndef TARE_SPEC_FEATURES_H
#define TARE_SPEC_FEATURES_H

#include "base/json_write.h"

/*
 * features_write() - append the document
 * @mount_options: every option word that is understood and not handed to the filesystem, in any order (the words belong
 *                 to runtime/, which stands above spec/)
 *
 * Nothing in it may be a promise: what is not there yet is `false` or left out of its list.
 *
 * Spec: features.md, features-linux.md; rows F-1 to F-16
 */
void features_write(struct json_writer *w, struct arena *arena, const char *const *mount_options,
		    size_t n);

#endif
