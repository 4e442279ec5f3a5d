/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/criu.h"

#include "os/dir.h"
#include "os/process.h"
#include "os/seqpacket.h"
#include "os/signal.h"
#include "os/spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

extern char **environ;

/* Its longest message is an error's text; a first line of its log has no limit, but the log's buffer has. */
#define RESPONSE_MAX 16384

/* ---- starting ----------------------------------------------------------------------------------------------- */

/* What the process that becomes CRIU needs; in memory that it shares with us until then. */
struct birth {
	const struct criu_setup *setup;
	int back;               /* where our end of the pair is sent */
	int fds[SPAWN_FDS_MAX]; /* [0]: its own end */
	int root, own;          /* cgroup.procs of the root and of where we are; -EBADF: none */
};

/* The initial cgroup namespace has the same number on every machine (PROC_CGROUP_INIT_INO). */
#define CGROUP_NS_INITIAL 0xEFFFFFFBU

static int open_procs(const char *mount, const char *below)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount, below) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return open(path, O_WRONLY | O_CLOEXEC);
}

static void open_cgroups(const struct criu_setup *setup, struct birth *birth)
{
	struct stat st;

	if (!setup->cgroup2 || stat("/proc/self/ns/cgroup", &st) < 0 ||
	    st.st_ino != CGROUP_NS_INITIAL)
		return;
	birth->root = open_procs(setup->cgroup2, "");
	if (setup->cgroup)
		birth->own = open_procs(setup->cgroup2, setup->cgroup);
}

/* A new namespace begins where the process stands: in the root it shows what the initial one does. */
static int enter_cgroup_namespace(const struct birth *birth)
{
	if (birth->root < 0 || write(birth->root, "0", 1) < 0)
		return 0;
	if (unshare(CLONE_NEWCGROUP) < 0)
		return -errno;
	return birth->own >= 0 && write(birth->own, "0", 1) < 0 ? -errno : 0;
}

static int be_born(void *arg)
{
	struct birth *birth = arg;
	const struct criu_setup *setup = birth->setup;
	int pair[2], r = enter_cgroup_namespace(birth);

	if (r == 0 && setup->prepare)
		r = setup->prepare(setup->arg);
	if (r == 0)
		r = os_seqpacket_pair(pair);
	if (r < 0)
		return r;
	birth->fds[0] = pair[1];
	for (size_t i = 0; i < setup->n_fds; i++)
		birth->fds[1 + i] = setup->fds[i];
	return os_send_byte(birth->back, 's', pair[0]);
}

static int spawn(struct criu *criu, const struct criu_setup *setup, struct err *err)
{
	static char name[] = "criu", mode[] = "swrk", sock[] = "3";
	static char *const argv[] = { name, mode, sock, NULL };
	defer_close int back = -EBADF, other = -EBADF;
	struct birth birth = { .setup = setup, .root = -EBADF, .own = -EBADF };
	char path[PATH_MAX], byte;
	int pair[2], r;
	const struct os_spawn program = {
		.path = path,
		.argv = argv,
		.envp = environ,
		.cwd = "/",
		.stdio = { 0, 1, 2 },
		.fds = birth.fds,
		.n_fds = 1 + setup->n_fds,
		.independent = true,
		.prepare = be_born,
		.arg = &birth,
	};

	if (os_find_program("criu", path, sizeof(path)) < 0) {
		err_user_code(err, -ENOENT, "run criu: it is not installed, or not in PATH");
		return err_hint(err, "install CRIU 3.15 or later: the package is called criu");
	}
	r = os_seqpacket_pair(pair);
	if (r < 0)
		return err_set(err, r, "make a socket pair for criu");
	back = pair[0];
	other = birth.back = pair[1];
	open_cgroups(setup, &birth);
	r = os_spawn(&program, &criu->pid);
	defer_close_fn(&birth.root);
	defer_close_fn(&birth.own);
	if (r < 0)
		return err_set(err, r, "start \"%s\"", path);
	r = os_receive_byte(back, &byte, &criu->sock);
	return r == 1 && criu->sock >= 0
		       ? 0
		       : err_set(err, r < 0 ? r : -EPROTO, "receive criu's socket");
}

int criu_ask(struct criu *criu, const struct criu_request *request, struct criu_response *ret,
	     struct err *err)
{
	int r = criu_send(criu, request, err);

	return r < 0 ? r : criu_receive(criu, ret, NULL, err);
}

static int check_version(struct criu *criu, struct err *err)
{
	const struct criu_request request = { .type = CRIU_VERSION, .keep_open = true };
	struct criu_response response;

	if (criu_ask(criu, &request, &response, err) < 0)
		return err_context(err, "ask criu for its version");
	criu->version = response.major * 10000 + response.minor * 100 + response.sublevel;
	if (response.type == CRIU_VERSION && criu->version >= CRIU_MIN_VERSION)
		return 0;
	err_user_code(err, -EOPNOTSUPP, "use criu %d.%d.%d: it is too old", (int)response.major,
		      (int)response.minor, (int)response.sublevel);
	return err_hint(err, "install CRIU %d.%d or later", CRIU_MIN_VERSION / 10000,
			CRIU_MIN_VERSION / 100 % 100);
}

int criu_start(struct criu *criu, const struct criu_setup *setup, struct err *err)
{
	int r;

	criu->sock = -EBADF;
	/* What an earlier one has written there would be taken for this one's. */
	if (unlinkat(criu->log_dir, criu->log, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove the old log \"%s\"", criu->log_path);
	r = spawn(criu, setup, err);
	return r < 0 ? r : check_version(criu, err);
}

/* ---- talking ------------------------------------------------------------------------------------------------ */

int criu_send(struct criu *criu, const struct criu_request *request, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	uint8_t *bytes;
	size_t len = criu_request_write(&arena, request, &bytes);
	ssize_t n;

	do {
		n = send(criu->sock, bytes, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(err, "send a request to criu") : 0;
}

/* Return: the length of the message; 0: it is gone; -errno */
static ssize_t receive(int sock, uint8_t *buf, size_t size, int *ret_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* Until it says something. A signal that asks us to stop ends the conversation, which CRIU will notice. */
static int wait_for_it(struct criu *criu, struct err *err)
{
	int r = criu->committed ? 0 : os_signal_wait(criu->sock);

	if (r < 0)
		return err_set(err, r, "wait for criu");
	if (r == 0)
		return 0;
	criu->stopped = r;
	(void)shutdown(criu->sock, SHUT_RDWR);
	return err_user_code(err, -EINTR, "broken off, since SIG%s asks us to end",
			     sigabbrev_np(r));
}

static int gone(struct criu *criu, struct err *err)
{
	const struct criu_response nothing = { .type = CRIU_NONE };

	criu_end(criu);
	return criu_explain(criu, &nothing, err);
}

int criu_receive(struct criu *criu, struct criu_response *ret, int *ret_fd, struct err *err)
{
	defer_close int fd = -EBADF;
	uint8_t buf[RESPONSE_MAX];
	ssize_t n;
	int r;

	r = wait_for_it(criu, err);
	if (r < 0)
		return r;
	n = receive(criu->sock, buf, sizeof(buf), &fd);
	if (n == 0)
		return gone(criu, err);
	r = n < 0 ? (int)n : criu_response_read(buf, (size_t)n, ret);
	if (r < 0)
		return err_set(err, r, "understand what criu says");
	if (!ret->success) {
		/* Its log is complete when it has ended. */
		criu_end(criu);
		return criu_explain(criu, ret, err);
	}
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

int criu_confirm(struct criu *criu, struct err *err)
{
	const struct criu_request request = { .type = CRIU_NOTIFY, .notify_success = true };

	return criu_send(criu, &request, err);
}

void criu_end(struct criu *criu)
{
	int status;

	if (criu->sock >= 0)
		close(take_fd(&criu->sock));
	if (criu->pid > 0)
		(void)!os_reap(criu->pid, &status);
	criu->pid = 0;
}

int criu_make_dir(const char *path, const char *what, struct err *err)
{
	int r = os_dir_make_path(path, 0700, 0700), fd;

	if (r < 0)
		return err_set(err, r, "make the %s directory \"%s\"", what, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open the %s directory \"%s\"", what, path) : fd;
}

int criu_open_work(const char *path, int image_dir, struct err *err)
{
	int fd;

	if (path)
		return criu_make_dir(path, "work", err);
	fd = fcntl(image_dir, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_sys(err, "duplicate a file") : fd;
}
