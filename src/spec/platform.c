/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/platform.h"

#include "spec/media_type.h"

#include <stdio.h>
#include <string.h>

/* What an architecture is called elsewhere, and the variant that goes with that name. */
static const struct {
	const char *alias, *name, *variant;
} aliases[] = {
	{ "x86_64", "amd64", NULL },      { "x86-64", "amd64", NULL },
	{ "i386", "386", NULL },          { "i486", "386", NULL },
	{ "i586", "386", NULL },          { "i686", "386", NULL },
	{ "aarch64", "arm64", NULL },     { "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },         { "armv5l", "arm", "v5" },
	{ "armv6l", "arm", "v6" },        { "armv7l", "arm", "v7" },
	{ "armv8l", "arm", "v7" },        { "loongarch64", "loong64", NULL },
	{ "mips64el", "mips64le", NULL }, { "mipsel", "mipsle", NULL },
};

/* The level that an architecture has where none is said. */
static const struct {
	const char *architecture;
	int level;
} base_levels[] = { { "arm", 7 }, { "arm64", 8 }, { "amd64", 1 } };

static void set_architecture(struct platform *platform, const char *name)
{
	platform->architecture = name;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (!strcmp(aliases[i].alias, name)) {
			platform->architecture = aliases[i].name;
			platform->variant = aliases[i].variant;
		}
	}
}

struct platform platform_of_machine(const char *machine)
{
	struct platform platform = { .set = true, .os = "linux" };

	set_architecture(&platform, machine);
	return platform;
}

static bool is_word(const char *text, size_t len)
{
	return len && len < 32 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.") >= len;
}

int platform_parse(struct arena *arena, const char *text, const struct platform *host,
		   struct platform *ret, struct err *err)
{
	struct platform platform = { .set = true,
				     .os = host->os,
				     .architecture = host->architecture,
				     .variant = host->variant };
	const char *part[3], *at = text;
	size_t n = 0;

	for (;; at++) {
		size_t len = strcspn(at, "/");

		if (n == ARRAY_LEN(part) || !is_word(at, len))
			return err_user(
				err,
				"\"%s\" is no platform: expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT",
				text);
		part[n++] = arena_strndup(arena, at, len);
		at += len;
		if (!*at)
			break;
	}
	/* One word alone is an architecture, unless it is the system. */
	if (n > 1 || !strcmp(part[0], "linux"))
		platform.os = part[0];
	if (n > 1 || strcmp(part[0], "linux") != 0) {
		platform.variant = NULL;
		set_architecture(&platform, part[n > 1]);
	}
	if (n == 3)
		platform.variant = part[2];
	*ret = platform;
	return 0;
}

/* "v7" is 7. Return: -1 for a variant that is no level */
static int level(const char *architecture, const char *variant)
{
	if (variant && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && !variant[2])
		return variant[1] - '0';
	if (variant && variant[0] >= '1' && variant[0] <= '9' && !variant[1])
		return variant[0] - '0';
	if (variant)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(base_levels); i++) {
		if (!strcmp(base_levels[i].architecture, architecture))
			return base_levels[i].level;
	}
	return 0;
}

int platform_runs(const struct platform *wanted, const struct platform *image)
{
	struct platform known = *image;
	int have, need;

	if (!image->os || !image->architecture || strcmp(image->os, wanted->os) != 0)
		return 0;
	set_architecture(&known, image->architecture);
	if (image->variant)
		known.variant = image->variant;
	if (strcmp(known.architecture, wanted->architecture) != 0)
		return 0;
	have = level(wanted->architecture, wanted->variant);
	need = level(known.architecture, known.variant);
	if (have < 0 || need < 0)
		return wanted->variant && known.variant && !strcmp(wanted->variant, known.variant)
			       ? 100
			       : 0;
	return need > have ? 0 : 100 - (have - need);
}

static int fitness(const struct platform *wanted, const struct descriptor *entry)
{
	enum media_kind kind = media_type_find(entry->media_type)->kind;

	if (kind != MEDIA_MANIFEST && kind != MEDIA_INDEX)
		return 0;
	return entry->platform.set ? platform_runs(wanted, &entry->platform) : 1;
}

const struct descriptor *platform_choose(const struct image_index *index,
					 const struct platform *wanted)
{
	const struct descriptor *best = NULL;
	int best_fitness = 0;

	for (size_t i = 0; i < index->manifests.n; i++) {
		int fit = fitness(wanted, &index->manifests.items[i]);

		if (fit > best_fitness) {
			best = &index->manifests.items[i];
			best_fitness = fit;
		}
	}
	return best;
}

void platform_text(const struct platform *platform, char *buf)
{
	snprintf(buf, PLATFORM_TEXT_MAX, "%s/%s%s%s", platform->os ? platform->os : "unknown",
		 platform->architecture ? platform->architecture : "unknown",
		 platform->variant ? "/" : "", platform->variant ? platform->variant : "");
}
