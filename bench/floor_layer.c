/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor-layer DIRECTORY (BLOB[=COPY] SHA256 DIFF-SHA256)... - the least that unpacking layers can cost: each blob inflated, both digests of it, and its
 * files written with their owners, modes and times, in one thread.
 *
 * Trusts what it is given, as nothing else may: ustar, names as they are, no whiteouts, no attributes, nothing replaced. With =COPY the
 * blob is written there on the way, as a pull keeps what it unpacks. A BLOB that is http://ADDRESS:PORT/PATH (IPv4) comes from there, by plain
 * receiving and no more of HTTP than that needs.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};

struct times {
	struct times *next;
	time_t mtime;
	char path[];
};

static unsigned char in[256 * 1024], out[256 * 1024];
static size_t at, end; /* of out */
static struct inflate_state state;
static struct sha256_ctx outer, inner;
static int blob, copy;
static struct times *directories;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_all(int fd, const unsigned char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0)
			die("write");
		bytes += n;
		len -= (size_t)n;
	}
}

static int read_blob(void)
{
	ssize_t n = read(blob, in, sizeof(in));

	if (n < 0)
		die("read");
	sha256_update(&outer, (size_t)n, in);
	if (copy >= 0)
		write_all(copy, in, (size_t)n);
	state.next_in = in;
	state.avail_in = (uint32_t)n;
	return n > 0;
}

/* All of the buffer, but at the end: headers are never cut. Return: 0 at the end */
static int fill(void)
{
	state.next_out = out;
	state.avail_out = sizeof(out);
	while (state.avail_out && state.block_state != ISAL_BLOCK_FINISH) {
		if (state.avail_in == 0 && !read_blob())
			break;
		if (isal_inflate(&state) != ISAL_DECOMP_OK)
			die("inflate");
	}
	at = 0;
	end = sizeof(out) - state.avail_out;
	sha256_update(&inner, end, out);
	return end > 0;
}

/* The headers are looked at where they are, so that what is read behind them is the blob. */
static void skip_headers(int fd)
{
	char head[4096 + 1], *behind;
	ssize_t n;

	do {
		n = recv(fd, head, sizeof(head) - 1, MSG_PEEK);
		if (n <= 0)
			die("peek");
		head[n] = '\0';
		behind = strstr(head, "\r\n\r\n");
	} while (!behind && n < (ssize_t)sizeof(head) - 1);
	if (!behind || strncmp(head, "HTTP/1.1 200 ", 13) != 0 ||
	    recv(fd, head, (size_t)(behind + 4 - head), MSG_WAITALL) < 0)
		die("what is answered");
}

static int request_blob(const char *url)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	char host[32], request[512];
	unsigned short port;
	int path = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sscanf(url, "http://%31[0-9.]:%hu%n", host, &port, &path) < 2 || !path ||
	    inet_pton(AF_INET, host, &to.sin_addr) != 1)
		die(url);
	to.sin_port = htons(port);
	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: %s:%hu\r\nConnection: close\r\n\r\n", url + path, host,
		 port);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die(url);
	write_all(fd, (unsigned char *)request, strlen(request));
	skip_headers(fd);
	return fd;
}

static int open_blob(const char *name)
{
	return strncmp(name, "http://", 7) ? open(name, O_RDONLY | O_CLOEXEC) : request_blob(name);
}

static uint64_t number(const char *text, size_t len)
{
	char buf[16];

	memcpy(buf, text, len);
	buf[len] = '\0';
	return strtoull(buf, NULL, 8);
}

static void make_file(int root, const char *path, const struct header *h, uint64_t size)
{
	struct timespec times[2] = { { .tv_sec = (time_t)number(h->mtime, 12) } };
	uint64_t pad = (BLOCK - size % BLOCK) % BLOCK;
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	for (uint64_t left = size; left;) {
		size_t n;

		if (at == end && !fill())
			die("cut off");
		n = end - at < left ? end - at : (size_t)left;
		write_all(fd, out + at, n);
		at += n;
		left -= n;
	}
	times[1] = times[0];
	if (fchown(fd, (uid_t)number(h->uid, 8), (gid_t)number(h->gid, 8)) < 0 ||
	    fchmod(fd, (mode_t)number(h->mode, 8)) < 0 || futimens(fd, times) < 0)
		die(path);
	close(fd);
	if (pad) {
		if (at == end && !fill())
			die("cut off");
		at += pad;
	}
}

static void make_directory(int root, const char *path, const struct header *h)
{
	struct times *noted = malloc(sizeof(*noted) + strlen(path) + 1);

	if (!noted || mkdirat(root, path, 0700) < 0)
		die(path);
	if (fchownat(root, path, (uid_t)number(h->uid, 8), (gid_t)number(h->gid, 8), 0) < 0 ||
	    fchmodat(root, path, (mode_t)number(h->mode, 8), 0) < 0)
		die(path);
	noted->mtime = (time_t)number(h->mtime, 12);
	strcpy(noted->path, path);
	noted->next = directories;
	directories = noted;
}

static void make_link(int root, const char *path, const struct header *h)
{
	struct timespec times[2] = { { .tv_sec = (time_t)number(h->mtime, 12) } };
	char target[101];

	memcpy(target, h->link, 100);
	target[100] = '\0';
	times[1] = times[0];
	if (h->type == '1') {
		if (linkat(root, target, root, path, 0) < 0)
			die(path);
		return;
	}
	if (symlinkat(target, root, path) < 0 ||
	    fchownat(root, path, (uid_t)number(h->uid, 8), (gid_t)number(h->gid, 8),
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(root, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		die(path);
}

static void unpack(int root)
{
	while (at < end || fill()) {
		struct header h;
		char path[260];

		memcpy(&h, out + at, sizeof(h));
		at += BLOCK;
		if (!h.name[0])
			continue;
		snprintf(path, sizeof(path), "%.155s%s%.100s", h.prefix, h.prefix[0] ? "/" : "",
			 h.name);
		if (h.type == '5')
			make_directory(root, path, &h);
		else if (h.type == '0')
			make_file(root, path, &h, number(h.size, 12));
		else
			make_link(root, path, &h);
	}
	for (; directories; directories = directories->next) {
		struct timespec times[2] = { { .tv_sec = directories->mtime },
					     { .tv_sec = directories->mtime } };

		if (utimensat(root, directories->path, times, 0) < 0)
			die(directories->path);
	}
}

static void check(struct sha256_ctx *hash, const char *hex)
{
	uint8_t sum[SHA256_DIGEST_SIZE];
	char found[2 * SHA256_DIGEST_SIZE + 1];

	sha256_digest(hash, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(found + 2 * i, "%02x", sum[i]);
	if (strcmp(found, hex) != 0) {
		fprintf(stderr, "%s instead of %s\n", found, hex);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	for (int i = 2; i + 2 < argc; i += 3) {
		char path[64], *to = strchr(argv[i], '=');
		int root;

		if (to)
			*to++ = '\0';
		snprintf(path, sizeof(path), "%d", i);
		if (chdir(argv[1]) < 0 || mkdir(path, 0755) < 0)
			die(argv[1]);
		root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		blob = open_blob(argv[i]);
		copy = to ? open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
		if (root < 0 || blob < 0)
			die(argv[i]);
		isal_inflate_init(&state);
		state.crc_flag = ISAL_GZIP;
		sha256_init(&outer);
		sha256_init(&inner);
		at = end = 0;
		unpack(root);
		check(&outer, argv[i + 1]);
		check(&inner, argv[i + 2]);
		close(root);
		close(blob);
		close(copy);
	}
	return 0;
}
