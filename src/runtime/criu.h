/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRIU at work: `criu swrk` as our child, and the conversation with it on a SEQPACKET pair.
 *
 * CRIU takes back what it has done when the socket ends: a dump lets the processes go on, a restore ends those that it has
 * made. So it is never killed, and a signal that asks us to stop just ends the conversation.
 *
 * Spec: criu.org "RPC"; docs/design/012-checkpoint.md
 */
#ifndef TARE_RUNTIME_CRIU_H
#define TARE_RUNTIME_CRIU_H

#include "base/err.h"
#include "runtime/criu_message.h"

#include <sys/types.h>

/*
 * 3.15 of 2020: the first that knows all we ask for by default (pid namespaces from outside, the freezer of cgroup v2,
 * network namespaces from outside). As criu counts: major * 10000 + minor * 100 + sublevel
 */
#define CRIU_MIN_VERSION 31500
#define CRIU_LSM_VERSION 31600 /* --lsm-profile, --lsm-mount-context */

struct criu {
	pid_t pid;            /* 0: none */
	int sock;             /* -EBADF: the conversation is over */
	int log_dir;          /* where CRIU writes @log; borrowed */
	const char *log;      /* its name there: "dump.log" */
	const char *log_path; /* for messages */
	pid_t task;           /* a dump's: whose fds the log may speak of; 0: nobody's */
	int32_t version;
	int stopped;    /* the signal that ended the conversation, or 0 */
	bool committed; /* what it does can't be broken off any more: signals wait */
};

/*
 * How it is started. CRIU looks for files in the fd table of whoever made its socket. That is the process which becomes CRIU,
 * so that files can be opened in a mount namespace that only that one is in.
 */
struct criu_setup {
	const int *fds; /* handed to it as CRIU_FIRST_FD and on; @prepare may change them */
	size_t n_fds;
	int (*prepare)(void *arg); /* as in struct os_spawn; or NULL */
	void *arg;
	/*
	 * Where cgroup2 is mounted, if it is the only kind of cgroups; NULL: it isn't. CRIU mounts it again, with no options, and in
	 * the initial cgroup namespace such a mount takes the options of all others away ("nsdelegate", which keeps containers
	 * apart). So CRIU gets a cgroup namespace of its own, in which everything looks the same.
	 */
	const char *cgroup2;
	/* where it goes back to, below that mount; NULL: @prepare takes care of it */
	const char *cgroup;
};
#define CRIU_FIRST_FD 4 /* behind its socket */

/*
 * criu_start() - run it, and ask for its version
 * @criu: log_dir, log, log_path and task are set by the caller
 *
 * Return: 0; -ENOENT and *err if there is none; -EOPNOTSUPP if it is too old; -errno
 */
int criu_start(struct criu *criu, const struct criu_setup *setup, struct err *err) MUST_CHECK;

/* criu_send() - Return: 0; -errno */
int criu_send(struct criu *criu, const struct criu_request *request, struct err *err) MUST_CHECK;

/*
 * criu_receive() - the next thing that it says
 * @ret_fd: an fd that came along, the caller's; -EBADF: none. May be NULL
 *
 * A response that says failure is an error here, with what the log says. A signal that asks us to stop is one, too.
 * Return: 0; -errno and *err
 */
int criu_receive(struct criu *criu, struct criu_response *ret, int *ret_fd,
		 struct err *err) MUST_CHECK;

/* criu_ask() - send a request and receive its response, for what has no notifications. Return: as criu_receive() */
int criu_ask(struct criu *criu, const struct criu_request *request, struct criu_response *ret,
	     struct err *err) MUST_CHECK;

/*
 * criu_make_dir() - a directory that CRIU writes to, made if it is missing with runc's mode, 0700: what is in an image is the
 * memory of the container
 * @what: "image", "work", for messages
 * Return: fd, the caller's; -errno
 */
int criu_make_dir(const char *path, const char *what, struct err *err) MUST_CHECK;

/* criu_open_work() - where CRIU writes its log; NULL @path: into the image. Return: fd, the caller's; -errno */
int criu_open_work(const char *path, int image_dir, struct err *err) MUST_CHECK;

/* criu_confirm() - answer a notification: go on. Return: 0; -errno */
int criu_confirm(struct criu *criu, struct err *err) MUST_CHECK;

/* criu_end() - the conversation is over: wait until CRIU has put everything in order and is gone */
void criu_end(struct criu *criu);

/*
 * criu_explain() - fill *err from a failed response and the log
 *
 * CRIU's own words, which of the container's files they are about, and what to do if we know.
 * Return: the error's code
 */
int criu_explain(const struct criu *criu, const struct criu_response *response, struct err *err);

/*
 * criu_config_file() - CRIU's configuration file for a container, whose settings count more than what is asked for
 *
 * The one that the annotation org.criu.config names; empty: none. Without it /etc/criu/tare.conf, or what is there for runc.
 */
const char *criu_config_file(const struct key_value_list *annotations);

/*
 * criu_cgroup_mode() - a word of --manage-cgroups-mode; NULL: none was given
 * Return: 0; -EINVAL
 */
int criu_cgroup_mode(const char *word, int32_t *ret, struct err *err) MUST_CHECK;

#endif
