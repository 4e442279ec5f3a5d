/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/import.h"

#include "image/blob.h"
#include "image/inflate.h"
#include "image/layer.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a program -------------------------------------------------------------------------------------------------- */

/* Return: 1 if it is one; 0 if it is no ELF file; -EINVAL if it is one that can't be alone */
static int is_program(int fd, const char *path, struct err *err)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    (header.e_type != ET_EXEC && header.e_type != ET_DYN) ||
	    header.e_phentsize != sizeof(segment))
		return err_user(err, "\"%s\" is no program of 64 bits", path);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return err_user(err, "\"%s\" is cut off", path);
		if (segment.p_type != PT_INTERP)
			continue;
		err_user(err, "\"%s\" is no static program: it needs a loader", path);
		return err_hint(err, "import a directory that has its libraries, too");
	}
	return 1;
}

struct program {
	int fd;
	const char *name;
	const struct pack_options *options;
};

static int fill_from_program(void *arg, struct sink *tar, struct err *err)
{
	const struct program *program = arg;

	return pack_program(program->fd, program->name, program->options, tar, err);
}

static int import_program(const struct store *store, struct arena *arena, int fd, const char *path,
			  const struct import *import, struct imported *ret, struct err *err)
{
	const struct pack_options options = { .newest = import->newest };
	const char *slash = strrchr(path, '/');
	struct program program = { fd, slash ? slash + 1 : path, &options };

	ret->program = arena_printf(arena, "/%s", program.name);
	return layer_make(store, import->compression, fill_from_program, &program, &ret->layer,
			  err);
}

/* ---- a tar ------------------------------------------------------------------------------------------------------ */

static int import_tar(const struct store *store, int fd, const struct import *import,
		      struct imported *ret, struct err *err)
{
	struct inflate *inflate = NULL;
	struct fd_stream file;
	int r;

	fd_stream_init(&file, fd);
	r = inflate_new(&file.stream, import->limit, &inflate, err);
	if (r == 0)
		r = layer_make_stream(store, import->compression, inflate_stream(inflate),
				      &ret->layer, err);
	inflate_free(inflate);
	return r;
}

/* Before anybody gets a name for it. */
static int check_tar(const struct store *store, const struct made_layer *layer, uint64_t limit,
		     struct err *err)
{
	struct inflate *inflate = NULL;
	struct fd_stream file;
	defer_close int fd = -EBADF;
	uint64_t size;
	int r;

	fd = blob_open(store, layer->digest, &size, err);
	if (fd < 0)
		return fd;
	fd_stream_init(&file, fd);
	r = inflate_new(&file.stream, limit, &inflate, err);
	if (r == 0)
		r = layer_scan(inflate_stream(inflate), err);
	inflate_free(inflate);
	return r;
}

static int import_tar_checked(const struct store *store, int fd, const struct import *import,
			      struct imported *ret, struct err *err)
{
	int r = import_tar(store, fd, import, ret, err);

	return r < 0 ? r : check_tar(store, &ret->layer, import->limit, err);
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static int import_directory(const struct store *store, int fd, const struct import *import,
			    struct imported *ret, struct err *err)
{
	const struct pack_options options = { .newest = import->newest };
	struct pack_result packed;
	int r = layer_make_tree(store, import->compression, fd, &options, &packed, &ret->layer,
				err);

	ret->sockets = r == 0 ? packed.sockets : 0;
	return r;
}

static int import_path(const struct store *store, struct arena *arena, const char *path,
		       const struct import *import, struct imported *ret, struct err *err)
{
	defer_close int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open \"%s\"", path);
	if (S_ISDIR(st.st_mode))
		return import_directory(store, fd, import, ret, err);
	r = S_ISREG(st.st_mode) ? is_program(fd, path, err) : 0;
	if (r < 0)
		return r;
	return r ? import_program(store, arena, fd, path, import, ret, err)
		 : import_tar_checked(store, fd, import, ret, err);
}

int import_layer(const struct store *store, struct arena *arena, const char *path,
		 const struct import *import, struct imported *ret, struct err *err)
{
	struct imported imported = { 0 };
	int r = strcmp(path, "-") == 0
			? import_tar_checked(store, STDIN_FILENO, import, &imported, err)
			: import_path(store, arena, path, import, &imported, err);

	if (r == 0)
		*ret = imported;
	return r;
}
