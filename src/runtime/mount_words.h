/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a mount's options. One table says what each word means; it feeds the planner and the
 * list in `features`. A word that is not in it belongs to the filesystem and is handed over to it,
 * joined with commas.
 *
 * Words act in their order, so that the last of two that contradict each other wins, as in
 * mount(8).
 */
#ifndef TARE_RUNTIME_MOUNT_WORDS_H
#define TARE_RUNTIME_MOUNT_WORDS_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

/*
 * Mount data may fill one page including the NUL; mount(2) would cut off what is longer (row M-8).
 * The smallest page there is, so that a config means the same on every machine.
 */
#define MOUNT_DATA_MAX 4096

/* All types of propagation; each of them can stand with MS_REC. */
#define MOUNT_PROPAGATIONS ((uint64_t)(MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE))

struct mount_words {
	bool bind, recursive; /* bind; rbind sets both */
	bool remount;
	bool idmap, ridmap; /* the words; mappings are the config's */
	bool tmpcopyup;
	bool copy_symlink, src_nofollow, dest_nofollow;
	unsigned long flags; /* MS_* for a new filesystem */
	/* For a mount that exists (bind, remount): only what words asked for. MOUNT_ATTR_* */
	uint64_t attr_set, attr_clr;
	uint64_t rec_attr_set, rec_attr_clr; /* the r-words: for the whole tree */
	uint64_t propagation;                /* MS_SHARED... perhaps with MS_REC; 0: none given */
	const char *sb_word;   /* the last one that is a superblock's, like sync; or NULL */
	const char *data;      /* the filesystem's own options; NULL if none */
	const char *data_word; /* the first of them, for messages */
};

/*
 * mount_words_parse() - give a mount's options meaning
 * @arena: owns the data text
 *
 * Return: 0; -EINVAL with *err where two propagation words contradict each other or the data is too
 *         long
 */
int mount_words_parse(struct arena *arena, const struct str_list *options, struct mount_words *ret,
		      struct err *err) MUST_CHECK;

/* mount_words_all() - every word of the table, sorted by name; static storage */
const char *const *mount_words_all(size_t *ret_n);

/*
 * mount_word_propagation() - MS_SHARED..., perhaps with MS_REC, for "rshared" and its like; 0 for
 * any other word
 */
uint64_t mount_word_propagation(const char *word);

/* mount_flags_text() - "ro,nosuid" for MS_* flags, "" for none; cut at @size */
void mount_flags_text(unsigned long flags, char *buf, size_t size);

#endif
