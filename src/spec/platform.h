/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of an index's images is for this machine. Names are Go's ("amd64", "arm64"); what people and uname call them is
 * understood as well. A variant is a level: a machine of level v7 runs what is for v6, and not the other way round.
 *
 * Spec: image-spec image-index.md "platform"
 */
#ifndef TARE_SPEC_PLATFORM_H
#define TARE_SPEC_PLATFORM_H

#include "spec/image.h"

#define PLATFORM_TEXT_MAX 128

/*
 * platform_parse() - "OS/ARCH/VARIANT", "OS/ARCH", "ARCH" or "OS", as --platform takes it
 * @host: for what is not said; borrowed
 *
 * Return: 0; -EINVAL
 */
int platform_parse(struct arena *arena, const char *text, const struct platform *host,
		   struct platform *ret, struct err *err) MUST_CHECK;

/* platform_of_machine() - linux on what uname(2) calls @machine; one that we don't know keeps its name. Static or borrowed strings */
struct platform platform_of_machine(const char *machine);

/* platform_runs() - how well an image for @image runs where @wanted does: 0 not at all; the more the better */
int platform_runs(const struct platform *wanted, const struct platform *image);

/*
 * platform_choose() - the index's best image for @wanted, the first of equals
 *
 * An entry that says nothing of its platform is for any, but only if no other fits. What is no manifest or index, or is for
 * an unknown platform (attestations are), is not chosen.
 * Return: borrowed from @index; NULL if there is none
 */
const struct descriptor *platform_choose(const struct image_index *index,
					 const struct platform *wanted);

/* platform_text() - "linux/arm64/v8". @buf: PLATFORM_TEXT_MAX bytes; what is too long is cut */
void platform_text(const struct platform *platform, char *buf);

#endif
