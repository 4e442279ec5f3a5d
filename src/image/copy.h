/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_IMAGE_COPY_H
#define TARE_IMAGE_COPY_H

#include "base/err.h"
#include "spec/config.h"

/*
 * copy_tree() - make in @to what is in @from, and give @to what @from itself has: mode, owner, times
 * @from: a directory whose content nobody changes meanwhile; need not be trusted: no link is followed
 * @to:   an empty directory
 *
 * Keeps owners, modes, times, extended attributes, devices and hard links.
 * Return: 0; -errno, naming the path
 */
int copy_tree(int from, int to, struct err *err) MUST_CHECK;

/*
 * copy_layer() - copy an unpacked layer, to be a layer of containers whose ids are others
 * @map: container ids, which begin at 0, to the host's; an id that it has not stays
 *
 * Owners, those in ACLs and those whose file capabilities count are mapped. Overlayfs's own attributes are kept.
 */
int copy_layer(int from, int to, const struct id_map *map, struct err *err) MUST_CHECK;

#endif
