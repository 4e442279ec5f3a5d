/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a command line: quoting, and the kernel's flags in the words of util-linux and libcap. No step is known here.
 */
#include "runtime/explain_parts.h"
#include "spec/words.h"

#include <ctype.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

/* Characters that mean nothing to a shell wherever they stand in a word. */
static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("_-+=:,./@%", *text))
			return false;
	}
	return true;
}

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			return true;
	}
	return false;
}

/* $'...': the one form of quotes in which a line can hold a newline. */
static void put_escaped(FILE *out, const char *text)
{
	fputs("$'", out);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (iscntrl((unsigned char)*text))
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else if (*text == '\'' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
	fputc('\'', out);
}

void shell_word(FILE *out, const char *text)
{
	if (is_plain(text)) {
		fputs(text, out);
		return;
	}
	if (has_control(text)) {
		put_escaped(out, text);
		return;
	}

	/* Inside single quotes only the quote itself is special. */
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	}
	fputc('\'', out);
}

void shell_path(const struct shell *sh, const char *path)
{
	if (sh->in_root) {
		shell_word(sh->out, path);
		return;
	}
	fputs("\"$root\"", sh->out);
	if (*path != '/')
		fputc('/', sh->out);
	if (strcmp(path, "/") != 0)
		shell_word(sh->out, path);
}

void shell_source(const struct shell *sh, int slot)
{
	fprintf(sh->out, "\"$run/source-%d\"", slot);
}

struct flag_word {
	uint64_t flag;
	const char *word;
};

static const struct flag_word mount_words[] = {
	{ MS_RDONLY, "ro" },
	{ MS_NOSUID, "nosuid" },
	{ MS_NODEV, "nodev" },
	{ MS_NOEXEC, "noexec" },
	{ MS_SYNCHRONOUS, "sync" },
	{ MS_DIRSYNC, "dirsync" },
	{ MS_MANDLOCK, "mand" },
	{ MS_NOATIME, "noatime" },
	{ MS_NODIRATIME, "nodiratime" },
	{ MS_RELATIME, "relatime" },
	{ MS_STRICTATIME, "strictatime" },
	{ MS_LAZYTIME, "lazytime" },
	{ MS_I_VERSION, "iversion" },
	{ MS_SILENT, "silent" },
	{ MS_NOSYMFOLLOW, "nosymfollow" },
	{ MS_REMOUNT, "remount" },
};

static const struct flag_word attr_set_words[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};

static const struct flag_word attr_clear_words[] = {
	{ MOUNT_ATTR_RDONLY, "rw" },           { MOUNT_ATTR_NOSUID, "suid" },
	{ MOUNT_ATTR_NODEV, "dev" },           { MOUNT_ATTR_NOEXEC, "exec" },
	{ MOUNT_ATTR_NODIRATIME, "diratime" }, { MOUNT_ATTR_NOSYMFOLLOW, "symfollow" },
};

static const struct flag_word propagation_words[] = {
	{ MS_SHARED, "shared" },
	{ MS_SLAVE, "slave" },
	{ MS_PRIVATE, "private" },
	{ MS_UNBINDABLE, "unbindable" },
};

static const struct flag_word unshare_words[] = {
	{ CLONE_NEWPID, "--pid" },       { CLONE_NEWNET, "--net" },   { CLONE_NEWNS, "--mount" },
	{ CLONE_NEWIPC, "--ipc" },       { CLONE_NEWUTS, "--uts" },   { CLONE_NEWUSER, "--user" },
	{ CLONE_NEWCGROUP, "--cgroup" }, { CLONE_NEWTIME, "--time" },
};

/* Each word whose flag is set, the first one after @before, the others after a comma. Return: was there one */
static bool put_words(FILE *out, const char *before, uint64_t flags, const struct flag_word *words,
		      size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!(flags & words[i].flag))
			continue;
		fprintf(out, "%s%s", any ? "," : before, words[i].word);
		any = true;
	}
	return any;
}

void shell_mount_options(FILE *out, unsigned long flags, const char *data)
{
	bool any = put_words(out, " -o ", flags, mount_words, ARRAY_LEN(mount_words));

	if (!data || !*data)
		return;
	fputs(any ? "," : " -o ", out);
	shell_word(out, data);
}

bool shell_attrs(FILE *out, uint64_t set, uint64_t clear)
{
	bool any = put_words(out, ",", set, attr_set_words, ARRAY_LEN(attr_set_words));

	any |= put_words(out, ",", clear & ~set, attr_clear_words, ARRAY_LEN(attr_clear_words));
	/* relatime is the attribute word 0: it shows only as a cleared mask. */
	if ((clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME &&
	    !(set & (MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME))) {
		fputs(",relatime", out);
		any = true;
	}
	return any;
}

void shell_propagation(FILE *out, uint64_t propagation)
{
	if (!(propagation & (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)))
		return;
	put_words(out, propagation & MS_REC ? " --make-r" : " --make-", propagation,
		  propagation_words, ARRAY_LEN(propagation_words));
}

void shell_unshare(FILE *out, uint64_t flags)
{
	for (size_t i = 0; i < ARRAY_LEN(unshare_words); i++) {
		if (flags & unshare_words[i].flag)
			fprintf(out, " %s", unshare_words[i].word);
	}
}

/* "CAP_CHOWN" is "chown" to setpriv and "cap_chown" to capsh: @prefix makes the difference. */
void shell_caps(FILE *out, uint64_t caps, const char *prefix)
{
	const char *between = "";
	const char *name;

	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(caps & (1ULL << bit)))
			continue;
		fprintf(out, "%s%s", between, prefix);
		between = ",";
		name = words_name(&words_capability, bit);
		if (!name) {
			fprintf(out, "cap_%u", bit);
			continue;
		}
		for (name += strlen("CAP_"); *name; name++)
			fputc(tolower((unsigned char)*name), out);
	}
}
