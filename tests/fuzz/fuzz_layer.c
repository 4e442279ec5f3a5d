/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layer_unpack() with anything: it ends, and whatever it makes is inside its directory. */
#include "base/defer.h"
#include "image/layer.h"
#include "promise.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct bytes {
	struct stream stream;
	const uint8_t *at;
	size_t left;
};

static ssize_t read_bytes(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct bytes *bytes = (struct bytes *)(void *)stream;
	size_t n = bytes->left < size ? bytes->left : size;

	memcpy(buf, bytes->at, n);
	bytes->at += n;
	bytes->left -= n;
	return (ssize_t)n;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

/* A directory with the layer's in it and nothing else, which it must be afterwards. */
static const char *make_site(void)
{
	static char site[64];
	char layer[80];

	snprintf(site, sizeof(site), "/dev/shm/tare-fuzz-layer-%d", (int)getpid());
	snprintf(layer, sizeof(layer), "%s/layer", site);
	PROMISE(mkdir(site, 0700) == 0 && mkdir(layer, 0700) == 0);
	return site;
}

static int count_names(const char *path)
{
	DIR *listing = opendir(path);
	int n = 0;

	PROMISE(listing);
	while (readdir(listing))
		n++;
	closedir(listing);
	return n - 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { { read_bytes }, data, size };
	const struct layer_options options = { .may_skip = true };
	const char *site = make_site();
	struct layer_result result;
	struct err err = ERR_INIT;
	char path[80];
	int root, r;

	snprintf(path, sizeof(path), "%s/layer", site);
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = layer_unpack(root, &input.stream, &options, &result, &err);
	PROMISE(r == 0 || (err.code < 0 && err.text[0]));
	PROMISE(r < 0 || input.left == 0);
	PROMISE(result.entries <= size / 512 + 1);
	PROMISE(count_names(site) == 1);
	close(root);
	PROMISE(nftw(site, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	return 0;
}
