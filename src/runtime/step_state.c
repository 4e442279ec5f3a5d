/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record, the pid file, and the hand-overs between parent, child and `start`. */
#include "runtime/act.h"
#include "runtime/record.h"

#include "os/exec.h"
#include "os/file.h"
#include "cgroup/make.h"
#include "cgroup/names.h"
#include "os/fault.h"
#include "os/process.h"
#include "os/seqpacket.h"
#include "os/signal.h"
#include "os/socket.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* ---- the state directory ---------------------------------------------------------------------------------------- */

static int make_dir(const char *root, const char *id, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path))
		return err_user(err, "make the state directory: the path is too long");
	for (int attempt = 0; attempt < 3; attempt++) {
		int r = mkdir(path, 0700) == 0 ? 0 : -errno;

		if (r == 0)
			return 0;
		if (r == -ENOENT) {
			r = record_root_make(root);
			if (r < 0)
				return err_set(err, r, "make the state root \"%s\"", root);
			continue;
		}
		if (r != -EEXIST)
			return err_set(err, r, "make the state directory \"%s\"", path);
		/* What a killed runtime left under this id is not in the way. */
		if (container_sweep(root, id) < 0)
			break;
	}
	err_user_code(err, -EEXIST, "container with given ID already exists");
	return err_hint(err, "tare-oci delete %s, or choose another id", id);
}

static int deleted_meanwhile(struct err *err)
{
	return err_user_code(err, -ESRCH, "the container was deleted meanwhile");
}

/* Take the state directory's lock, unless this process has it already. */
static int lock(struct act *a, struct err *err)
{
	int r = a->locked ? 0 : record_dir_lock(a->state_dir);

	a->locked = r == 0;
	if (r == -ENOENT)
		return deleted_meanwhile(err);
	return r < 0 ? err_set(err, r, "lock the state directory") : 0;
}

/*
 * A unit's cgroup is below slices, and those are systemd's business. The last name is the unit's: if it is there already,
 * starting the unit will fail, unless it is a rest; and before it is started none of it counts as ours (record.h).
 */
static void count_unit(struct step *step)
{
	step->u.cgroup_make.request.expected =
		cgroup_count_names(cgroup_below(step->u.cgroup_make.request.mount,
						step->u.cgroup_make.request.path)) -
		1;
}

/*
 * The cgroups that the plan makes. How much of each path is there already is asked now, when the id is ours: what an
 * earlier container of that id has not yet removed would count as never to be removed. And before the first is made,
 * since the record comes before that.
 */
static int list_cgroups(struct act *a, struct container *c, struct err *err)
{
	int r;

	for (size_t i = 0; i < a->plan->n_steps; i++) {
		struct step *step = &a->plan->steps[i];

		if (step->kind != STEP_CGROUP_MAKE)
			continue;
		r = cgroup_existing(step->u.cgroup_make.request.mount,
				    step->u.cgroup_make.request.path,
				    &step->u.cgroup_make.request.expected);
		if (r < 0)
			return err_set(err, r, "look for the cgroup \"%s\"",
				       step->u.cgroup_make.request.path);
		if (step->u.cgroup_make.request.of_unit)
			count_unit(step);
		c->cgroups[c->n_cgroups++] = step_cgroup_dir(step);
	}
	return 0;
}

static int fill_dir(struct act *a, struct err *err)
{
	struct record *record = a->record;
	int r;

	r = lock(a, err);
	if (r < 0)
		return r;
	r = list_cgroups(a, record->draft, err);
	if (r < 0)
		return r;
	record_render(record->arena, record->draft, record);
	r = os_file_make_at(a->state_dir, RECORD_CONFIG, record->config, record->config_len, 0600);
	if (r < 0)
		err_set(err, r, "save config.json in the state directory");
	else
		r = record_write(a->state_dir, record, "creating", 0, err);
	return r;
}

/*
 * step_state_make() - reserve the id, and say on disk what will be made
 *
 * mkdir() decides who has the id. The config's bytes are saved as they were read: nothing reads the bundle's again.
 *
 * Spec: runtime.md "Lifecycle" step 2: later changes to config.json have no effect (row Y-6)
 */
int step_state_make(struct act *a, const struct step *step, struct err *err)
{
	struct record *record = a->record;
	int r;

	r = make_dir(record->root, record->id, err);
	if (r < 0)
		return r;
	a->state_dir = record_dir_open(record->root, record->id);
	if (a->state_dir == -ENOENT)
		return deleted_meanwhile(err);
	if (a->state_dir < 0)
		return err_set(err, a->state_dir, "open the state directory");

	/* The lock stays until the record says created, or until a hook runs (STATE_WRITE, too, comes before the hooks). */
	r = fill_dir(a, err);
	record->config = NULL;
	arena_clear(&record->config_arena);
	return r;
}

void undo_state_make(struct act *a, const struct step *step)
{
	struct err ignored = ERR_INIT;

	if (a->state_dir < 0)
		return;
	if (lock(a, &ignored) == 0)
		(void)record_dir_remove(a->record->root, a->record->id, a->state_dir);
	close(take_fd(&a->state_dir));
}

int step_state_write(struct act *a, const struct step *step, struct err *err)
{
	int r = lock(a, err);

	if (r < 0)
		return r;
	r = record_write(a->state_dir, a->record, step->u.state_write.status, a->child_pid, err);
	record_dir_unlock(a->state_dir);
	a->locked = false;
	return r;
}

/* ---- pid file, pidfd -------------------------------------------------------------------------------------------- */

/* Without a newline (go-runc's Atoi refuses one), and by rename, so that no reader sees half (rows 2.5 no. 3). */
int step_pid_file(struct act *a, const struct step *step, struct err *err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", (int)a->child_pid);
	const char *path = step->u.pid_file.path, *name = strrchr(path, '/') + 1;
	defer_close int dir = -EBADF;
	char parent[PATH_MAX], temporary[NAME_MAX + 1];
	int r;

	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open the directory of the pid file \"%s\"", path);
	snprintf(temporary, sizeof(temporary), ".%.200s.%d", name, (int)getpid());
	r = os_file_replace_at(dir, name, temporary, text, (size_t)len, 0644);
	return r < 0 ? err_set(err, r, "write the pid file \"%s\"", path) : 0;
}

void undo_pid_file(struct act *a, const struct step *step)
{
	/* Before this step has run, a file of that name is somebody else's. */
	if (a->page->trace[step - a->plan->steps].end_ns)
		(void)unlink(step->u.pid_file.path);
}

int step_pidfd_send(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.pidfd_send.path;
	defer_close int sock = -EBADF;
	int r;

	sock = os_socket_connect(path);
	if (sock < 0)
		return err_set(err, sock, "connect to the pidfd socket \"%s\"", path);
	r = os_socket_send_fd(sock, a->child_pidfd, a->record->id);
	return r < 0 ? err_set(err, r, "send the pidfd to \"%s\"", path) : 0;
}

/* ---- parent and child ------------------------------------------------------------------------------------------- */

/* In a build with faults the child may ask for the runtime's end; see act.c. */
static void fault_obey(char token)
{
#ifdef TARE_FAULTS
	if (token == FAULT_KILL_TOKEN)
		(void)kill(getpid(), SIGKILL);
#endif
}

int step_sync_send(struct act *a, const struct step *step, struct err *err)
{
	int r = os_send_byte(a->sync, (char)step->u.sync_send.token, -1);

	if (r == 0)
		return 0;
	if (a->who == STEP_PARENT && (r == -EPIPE || r == -ECONNRESET))
		return act_child_gone(a, false, err);
	return err_set(err, r, "signal \"%c\" to the other side", step->u.sync_send.token);
}

/* What the child may be waiting for that takes as long as somebody else likes; NULL: nothing. */
static const char *slow_thing(const struct act *a)
{
	for (size_t i = a->index; i-- > 0;) {
		const struct step *step = &a->plan->steps[i];

		if (step->kind == STEP_LISTENER_SEND)
			return "the container's seccomp agent";
		if (step->kind == STEP_HOOK && step->who == STEP_CHILD)
			return "the container's hooks";
	}
	return NULL;
}

/*
 * Where the child may take for ever the wait for it ends for a signal that asks us to stop as well, and all is taken back.
 * Elsewhere it takes no time, and no system calls for it.
 */
static int wait_for_slow(const struct act *a, int sock, struct err *err)
{
	const char *thing = a->who == STEP_PARENT ? slow_thing(a) : NULL;
	int r = thing ? os_signal_wait(sock) : 0;

	if (r < 0)
		return err_set(err, r, "wait for %s", thing);
	if (r > 0)
		return err_user_code(err, -EINTR, "wait for %s: ended by SIG%s", thing,
				     sigabbrev_np(r));
	return 0;
}

int act_receive(const struct act *a, int sock, char *ret_byte, struct err *err)
{
	int r = wait_for_slow(a, sock, err);

	if (r < 0)
		return r;
	r = os_receive_byte(sock, ret_byte, NULL);
	if (r < 0)
		return err_set(err, r, "hear from the other side");
	if (r > 0)
		fault_obey(*ret_byte);
	return r;
}

int step_sync_wait(struct act *a, const struct step *step, struct err *err)
{
	char token = 0;
	int r;

	r = act_receive(a, a->sync, &token, err);
	if (r < 0)
		return err_context(err, "wait for signal \"%c\"", step->u.sync_wait.token);
	if (r == 0 && a->who == STEP_PARENT)
		return act_child_gone(a, false, err);
	if (r == 0)
		return err_user_code(err, -EPIPE, "the runtime is gone");
	if (token != (char)step->u.sync_wait.token)
		return err_bug(err, "wait for signal \"%c\", got \"%c\"", step->u.sync_wait.token,
			       token);
	return 0;
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

int step_start_bind(struct act *a, const struct step *step, struct err *err)
{
	int fd = os_seqpacket_bind(a->state_dir, RECORD_SOCKET);

	if (fd < 0)
		return err_set(err, fd, "bind the start socket");
	a->fd[step->out] = fd;
	return 0;
}

/* By the child, so that SO_PEERCRED tells `start` that it talks to this very process. */
int step_start_listen(struct act *a, const struct step *step, struct err *err)
{
	int r = os_seqpacket_listen(a->fd[step->in[0]]);

	return r < 0 ? err_set(err, r, "listen on the start socket") : 0;
}

/*
 * step_start_accept() - wait for `start`
 *
 * The parent is gone from here on; its end of the pair no longer matters. Whoever connects gets the shared page and must
 * say go; one that goes away without a word, killed perhaps, leaves everything as it was.
 */
int step_start_accept(struct act *a, const struct step *step, struct err *err)
{
	defer_close int conn = -EBADF;
	char byte = 0;
	int r;

	a->sync = -EBADF;
	/* Perhaps for days. */
	r = act_close_unneeded(a, a->fd[step->in[0]], a->page_fd);
	if (r < 0)
		return err_set(err, r, "close what the waiting init does not need");
	for (;;) {
		conn = os_seqpacket_accept(a->fd[step->in[0]]);
		if (conn < 0)
			return err_set(err, conn, "wait on the start socket");
		r = os_send_byte(conn, START_HELLO, a->page_fd);
		if (r == 0)
			r = os_receive_byte(conn, &byte, NULL);
		if (r == 1 && byte == START_GO)
			break;
		close(take_fd(&conn));
	}
	/* One start only: the next one finds nobody listening. */
	close(take_fd(&a->fd[step->in[0]]));
	a->start_conn = take_fd(&conn);
	return 0;
}

/*
 * step_start_connect() - tell the waiting init to go on
 *
 * Under the state directory's lock, which delete takes too. The init listens until it has heard one go, so of two
 * starters the second finds nobody.
 */
static int nobody_listens(const struct act *a, struct err *err)
{
	struct os_process_stat stat;

	/* It has gone on, or ends. A second start may reach the socket just before the first one's go is read. */
	if (os_process_stat(a->child_pid, &stat) < 0 || stat.dying || stat.state == 'Z')
		return err_user(err, "cannot start a container that has stopped");
	return err_user_code(err, -EBUSY, "cannot start a container that has been started already");
}

static int connect_and_go(struct act *a, struct err *err)
{
	defer_close int conn = -EBADF, page = -EBADF;
	char byte = 0;
	pid_t peer;
	int r;

	conn = os_seqpacket_connect(a->state_dir, RECORD_SOCKET);
	if (conn == -ECONNREFUSED || conn == -ENOENT)
		return nobody_listens(a, err);
	if (conn < 0)
		return err_set(err, conn, "connect to the start socket");
	peer = os_seqpacket_peer(conn);
	if (peer != a->child_pid)
		return err_bug(
			err,
			"the start socket belongs to process %d, not to the container's init %d",
			(int)peer, (int)a->child_pid);

	r = os_receive_byte(conn, &byte, &page);
	if (r == 1 && (byte != START_HELLO || page < 0))
		r = -EPROTO;
	if (r == 0 || r == -ECONNRESET)
		return nobody_listens(a, err);
	if (r < 0)
		return err_set(err, r, "hear from the container's init");
	r = act_page_map(page, &a->child_page);
	if (r < 0)
		return err_set(err, r, "map the progress page of the container's init");
	r = os_send_byte(conn, START_GO, -1);
	if (r == -EPIPE || r == -ECONNRESET)
		return nobody_listens(a, err);
	if (r < 0)
		return err_set(err, r, "tell the container's init to start");
	a->start_conn = take_fd(&conn);
	return 0;
}

int step_start_connect(struct act *a, const struct step *step, struct err *err)
{
	int r;

	r = record_dir_lock(a->state_dir);
	if (r == -ENOENT)
		return err_user_code(err, -ENOENT, "container \"%s\" does not exist",
				     a->record->id);
	if (r < 0)
		return err_set(err, r, "lock the state directory");
	r = connect_and_go(a, err);
	record_dir_unlock(a->state_dir);
	return r;
}

/*
 * step_exec_wait() - wait until the program executes: then close-on-exec closes the child's end of the socket
 *
 * Spec: runtime.md "Start": errors of the start are the start's (row Z-9)
 */
int step_exec_wait(struct act *a, const struct step *step, struct err *err)
{
	int sock = a->who == STEP_STARTER ? a->start_conn : a->sync;
	char byte = 0;
	int r;

	r = act_receive(a, sock, &byte, err);
	if (r < 0)
		return err_context(err, "wait for the program to be executed");
	if (r > 0)
		return err_bug(err, "unexpected message \"%c\" from the container's init", byte);
	return act_child_gone(a, true, err);
}
