/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/binfmt.h"

#include "base/arena.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/walk.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

/* An entry is a dozen short lines. */
#define ENTRY_MAX_BYTES 4096
/* What an entry looks at: the beginning of a file (BINPRM_BUF_SIZE). */
#define LOOKED_AT 256

struct machine {
	const char *architecture; /* go's name, which images use */
	uint16_t number;
	uint8_t class, data;
};

static const struct machine machines[] = {
	{ "386", EM_386, ELFCLASS32, ELFDATA2LSB },
	{ "amd64", EM_X86_64, ELFCLASS64, ELFDATA2LSB },
	{ "arm", EM_ARM, ELFCLASS32, ELFDATA2LSB },
	{ "arm64", EM_AARCH64, ELFCLASS64, ELFDATA2LSB },
	{ "loong64", 258, ELFCLASS64, ELFDATA2LSB }, /* newer than some elf.h */
	{ "mips", EM_MIPS, ELFCLASS32, ELFDATA2MSB },
	{ "mips64", EM_MIPS, ELFCLASS64, ELFDATA2MSB },
	{ "mips64le", EM_MIPS, ELFCLASS64, ELFDATA2LSB },
	{ "mipsle", EM_MIPS, ELFCLASS32, ELFDATA2LSB },
	{ "ppc64", EM_PPC64, ELFCLASS64, ELFDATA2MSB },
	{ "ppc64le", EM_PPC64, ELFCLASS64, ELFDATA2LSB },
	{ "riscv64", EM_RISCV, ELFCLASS64, ELFDATA2LSB },
	{ "s390x", EM_S390, ELFCLASS64, ELFDATA2MSB },
};

/* The beginning of a program for the machine. */
static bool make_header(const char *architecture, unsigned char header[LOOKED_AT])
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		const struct machine *m = &machines[i];
		int low = m->data == ELFDATA2LSB ? 0 : 1;

		if (strcmp(m->architecture, architecture) != 0)
			continue;
		memset(header, 0, LOOKED_AT);
		memcpy(header, ELFMAG, SELFMAG);
		header[EI_CLASS] = m->class;
		header[EI_DATA] = m->data;
		header[EI_VERSION] = EV_CURRENT;
		header[EI_NIDENT + low] = ET_EXEC;
		header[EI_NIDENT + 2 + low] = (unsigned char)m->number;
		header[EI_NIDENT + 3 - low] = (unsigned char)(m->number >> 8);
		return true;
	}
	return false;
}

/* What stands in the line that begins with @name; NULL. The kernel's file has one word after it. */
static const char *value_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len))
			return line + len;
	}
	return NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Return: how many bytes; 0 if it is none */
static size_t read_hex(const char *text, unsigned char buf[LOOKED_AT])
{
	size_t n = 0;

	for (; text && n < LOOKED_AT && digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2)
		buf[n++] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
	return n;
}

static bool matches(const char *text, const unsigned char header[LOOKED_AT])
{
	unsigned char magic[LOOKED_AT], mask[LOOKED_AT];
	const char *offset = value_of(text, "offset ");
	size_t n = read_hex(value_of(text, "magic "), magic);

	/* An entry without a magic goes by the file's name; one from further on is for no ELF file. */
	if (!n || !offset || strncmp(offset, "0\n", 2) != 0)
		return false;
	if (read_hex(value_of(text, "mask "), mask) != n)
		memset(mask, 0xff, sizeof(mask));
	for (size_t i = 0; i < n; i++) {
		if ((header[i] ^ magic[i]) & mask[i])
			return false;
	}
	return true;
}

static enum binfmt_answer ask_entry(const char *text, const unsigned char header[LOOKED_AT])
{
	const char *flags = value_of(text, "flags: ");

	if (strncmp(text, "enabled\n", 8) != 0 || !matches(text, header))
		return BINFMT_NO;
	return flags && memchr(flags, 'F', strcspn(flags, "\n")) ? BINFMT_YES : BINFMT_NOT_INSIDE;
}

/* Return: the file's text in @arena; NULL */
static const char *read_entry(struct arena *arena, int dir, const char *name)
{
	defer_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text;
	size_t len;

	if (fd < 0 || os_file_read(arena, fd, ENTRY_MAX_BYTES, &text, &len) < 0)
		return NULL;
	return text;
}

static bool is_switched_off(struct arena *arena, int dir)
{
	const char *status = read_entry(arena, dir, "status");

	return status && !strncmp(status, "disabled", 8);
}

enum binfmt_answer binfmt_runs(const char *directory, const char *architecture)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = os_dir_open(directory);
	enum binfmt_answer best = BINFMT_NO;
	unsigned char header[LOOKED_AT];
	char **names;
	size_t n;

	if (dir < 0 || !make_header(architecture, header) || is_switched_off(&arena, dir) ||
	    os_list(dir, &arena, &names, &n) < 0)
		return BINFMT_NO;
	for (size_t i = 0; i < n; i++) {
		const char *text = read_entry(&arena, dir, names[i]);
		enum binfmt_answer answer = text ? ask_entry(text, header) : BINFMT_NO;

		best = answer > best ? answer : best;
	}
	return best;
}

int binfmt_hint(struct err *err, enum binfmt_answer answer, const char *architecture)
{
	if (answer == BINFMT_NOT_INSIDE)
		return err_hint(
			err,
			"binfmt_misc has an interpreter for %.30s, but without flag F, so that no container would find it",
			architecture);
	return err_hint(err, "with qemu-user and binfmt_misc set up it would run");
}
