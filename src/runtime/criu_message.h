/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said to CRIU and what it answers: the messages of its RPC, as structs.
 *
 * Of some hundred fields of the protocol these are the ones that checkpoint and restore use, each a row of a table in
 * criu_message.c. A generator's code and libprotobuf-c would add ten times as much to the executable (docs/design/012).
 *
 * Spec: CRIU's images/rpc.proto; criu.org "RPC"
 */
#ifndef TARE_RUNTIME_CRIU_MESSAGE_H
#define TARE_RUNTIME_CRIU_MESSAGE_H

#include "base/protobuf.h"
#include "spec/config.h"

#include <stdint.h>

/* criu_req_type; the numbers are the protocol's */
enum criu_type {
	CRIU_EMPTY = 0,
	CRIU_DUMP = 1,
	CRIU_RESTORE = 2,
	CRIU_PRE_DUMP = 4,
	CRIU_NOTIFY = 6,
	CRIU_FEATURE_CHECK = 9,
	CRIU_VERSION = 10,
};

/* criu_cg_mode */
enum criu_cgroup_mode {
	CRIU_CGROUPS_IGNORE = 0,
	CRIU_CGROUPS_SOFT = 3,
	CRIU_CGROUPS_FULL = 4,
	CRIU_CGROUPS_STRICT = 5,
	CRIU_CGROUPS_DEFAULT = 6,
};

/* One of a list of small messages: two texts, or a text and a number. */
struct criu_pair {
	const char *key;   /* NULL: left out */
	const char *value; /* NULL: @number is the second field */
	int32_t number;
};

struct criu_pairs {
	struct criu_pair *items;
	size_t n, capacity;
};

/* criu_opts. What is false, NULL or CRIU_NONE is not sent, which means the same to CRIU. */
#define CRIU_NONE (-1)
struct criu_options {
	int32_t images_dir_fd,
		work_dir_fd; /* numbers in CRIU's own fd table, as criu.h starts it */
	int32_t pid, log_level, manage_cgroups_mode, empty_ns;
	bool leave_running, ext_unix_sk, tcp_established, evasive_devices, shell_job, file_locks,
		notify_scripts, track_mem, auto_dedup, link_remap, manage_cgroups, rst_sibling,
		tcp_skip_in_flight, tcp_close, orphan_pts_master;
	const char *log_file, *root, *parent_img, *freeze_cgroup, *config_file, *lsm_profile,
		*lsm_mount_context;
	struct criu_pairs ext_mnt;     /* dump: mount point, name; restore: name, host path */
	struct criu_pairs cg_root;     /* controllers, path */
	struct criu_pairs inherit_fd;  /* name, number in CRIU's fd table */
	struct criu_pairs join_ns;     /* "uts", path */
	struct criu_pairs page_server; /* at most one: address, port */
	struct str_list external;      /* "net[INODE]:NAME", ... */
};

/* CRIU_OPTIONS_INIT - all numbers absent */
#define CRIU_OPTIONS_INIT                                                                          \
	((struct criu_options){ .images_dir_fd = CRIU_NONE,                                        \
				.work_dir_fd = CRIU_NONE,                                          \
				.pid = CRIU_NONE,                                                  \
				.log_level = CRIU_NONE,                                            \
				.manage_cgroups_mode = CRIU_NONE,                                  \
				.empty_ns = CRIU_NONE })

/* criu_pairs_add() - @key and @value are borrowed */
void criu_pairs_add(struct arena *arena, struct criu_pairs *pairs, const char *key,
		    const char *value, int32_t number);

struct criu_request {
	enum criu_type type;
	const struct criu_options *options; /* or NULL */
	bool notify_success;                /* NOTIFY */
	bool keep_open;                     /* another request follows */
	bool ask_mem_track;                 /* FEATURE_CHECK */
};

/* criu_request_write() - its bytes, in @arena. Return: how many */
size_t criu_request_write(struct arena *arena, const struct criu_request *request,
			  uint8_t **ret_bytes);

/* CRIU's first error is a line of its log. */
#define CRIU_TEXT_MAX 512

struct criu_response {
	int32_t type; /* enum criu_type, or one that we do not know */
	bool success;
	bool mem_track;
	int32_t pid; /* RESTORE, and some notifications: of the root task, in our pid namespace; else 0 */
	int32_t cr_errno; /* 0 or an errno */
	int32_t major, minor, sublevel;
	char script[32];             /* NOTIFY: which */
	char message[CRIU_TEXT_MAX]; /* what CRIU logged as an error first; "" */
};

/*
 * criu_response_read() - texts that are too long are cut, and end at a NUL
 * Return: 0; -EPROTO if this is no response: not a message, a field of the wrong kind, no type or success in it
 */
int criu_response_read(const uint8_t *bytes, size_t len, struct criu_response *ret) MUST_CHECK;

#endif
