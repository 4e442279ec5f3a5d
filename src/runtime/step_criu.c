/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A restore's part that CRIU does. It is started in the container's cgroups, and in a mount namespace of its own: what it
 * or we mount there is gone with it, whatever happens. It then tells how far it is, and waits each time for our word;
 * so the steps in between (hooks, record, pid file) come at the right moment.
 *
 * The rootfs is mounted once more, since CRIU wants a root that is a mount and whose parent nothing covers.
 */
#include "runtime/act.h"
#include "runtime/criu_points.h"
#include "runtime/notify.h"
#include "runtime/record.h"

#include "cgroup/processes.h"
#include "os/file.h"
#include "os/node.h"
#include "os/path.h"
#include "os/process.h"
#include "os/socket.h"
#include "os/tty.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CGROUPS_MAX 32

/* How long a killed process may take to go. */
#define KILL_TIMEOUT_MS 10000

/* ---- before it ---------------------------------------------------------------------------------------------- */

static int make_point(struct act *a, const struct criu_point *point, struct err *err)
{
	defer_close int base = -EBADF, target = -EBADF;
	struct stat st;
	int r;

	base = open(point->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* A bind of a file has nothing in it. */
	if (base < 0)
		return errno == ENOTDIR ? 0 : err_sys(err, "open \"%s\"", point->base);
	if (point->source && stat(point->source, &st) < 0) {
		err_sys(err, "find the source \"%s\" of a mount", point->source);
		return err_at(err, point->pointer);
	}
	target = os_make_in_root(base, point->path,
				 point->source && !S_ISDIR(st.st_mode) ? S_IFREG : S_IFDIR, 0755,
				 point->on_rootfs ? act_made : NULL, a);
	if (target >= 0)
		return 0;
	r = err_set(err, target, "make the mount point \"%s\"", point->path);
	err_at(err, point->pointer);
	return r;
}

static int make_dirs(struct act *a, const struct step *step, char root[PATH_MAX], struct err *err)
{
	static const char *const dirs[] = { RECORD_CRIU_ROOT, NOTIFY_DIR };
	const struct criu_points *points = step->u.criu_start.points;
	char state[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < points->n; i++)
		r = make_point(a, &points->items[i], err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		r = os_mkdir(a->state_dir, dirs[i], 0755);
		if (r < 0)
			return err_set(err, r, "make \"%s\" in the state directory", dirs[i]);
	}
	/* Without links, as CRIU wants it. */
	r = os_fd_path(a->state_dir, state, sizeof(state));
	if (r == 0 && snprintf(root, PATH_MAX, "%s/" RECORD_CRIU_ROOT, state) >= PATH_MAX)
		r = -ENAMETOOLONG;
	return r < 0 ? err_set(err, r, "resolve the state directory") : 0;
}

/* ---- starting it -------------------------------------------------------------------------------------------- */

/* What the child has to do before it is CRIU; in memory that is ours, without a heap. */
struct entry {
	int procs[CGROUPS_MAX]; /* cgroup.procs of each */
	size_t n;
	const char *rootfs, *root;
	char dirs[2][PATH_MAX]; /* of the image and the log */
	int fds[4]; /* what CRIU gets: these two, opened in its mount namespace; and namespaces */
};

static int enter(void *arg)
{
	struct entry *entry = arg;

	for (size_t i = 0; i < entry->n; i++) {
		if (write(entry->procs[i], "0", 1) < 0)
			return -errno;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(entry->rootfs, entry->root, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	/* CRIU mounts below them, which only goes in the namespace that it is in. */
	for (size_t i = 0; i < ARRAY_LEN(entry->dirs); i++) {
		entry->fds[i] = open(entry->dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (entry->fds[i] < 0)
			return -errno;
	}
	return 0;
}

/* The directory that step @from's cgroup has for processes: the one below it, if there is one */
static int cgroup_dir(const struct act *a, size_t from)
{
	const struct step *steps = a->plan->steps;

	for (size_t i = from; i < a->plan->n_steps; i++) {
		if (steps[i].kind == STEP_CGROUP_SUB && steps[i].in[0] == steps[from].out)
			return a->fd[steps[i].out];
	}
	return a->fd[steps[from].out];
}

static int open_cgroups(const struct act *a, struct entry *entry, struct err *err)
{
	for (size_t i = 0; i < a->plan->n_steps && entry->n < CGROUPS_MAX; i++) {
		const struct step *step = &a->plan->steps[i];
		int fd;

		if (step->kind != STEP_CGROUP_MAKE || step->out == SLOT_NONE)
			continue;
		fd = openat(cgroup_dir(a, i), "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "open cgroup.procs of \"%s\"",
				       step->u.cgroup_make.request.path);
		entry->procs[entry->n++] = fd;
	}
	return 0;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static int open_files(const struct step *step, struct arena *arena, struct criu_options *o,
		      struct entry *entry, size_t *ret_n, struct err *err)
{
	const struct criu_files *files = step->u.criu_start.namespaces;
	int r;

	o->images_dir_fd = CRIU_FIRST_FD;
	o->work_dir_fd = CRIU_FIRST_FD + 1;
	*ret_n = ARRAY_LEN(entry->dirs);
	r = os_fd_path(step->u.criu_start.image_dir, entry->dirs[0], PATH_MAX);
	if (r == 0)
		r = os_fd_path(step->u.criu_start.work_dir, entry->dirs[1], PATH_MAX);
	if (r < 0)
		return err_set(err, r, "resolve the image directory \"%s\"",
			       step->u.criu_start.image);
	for (size_t i = 0; i < files->n; i++) {
		int fd = open(files->items[i].path, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			err_sys(err, "open the namespace \"%s\"", files->items[i].path);
			return err_at(err, files->items[i].pointer);
		}
		criu_pairs_add(arena, &o->inherit_fd, files->items[i].key, NULL,
			       CRIU_FIRST_FD + (int)*ret_n);
		entry->fds[(*ret_n)++] = fd;
	}
	return 0;
}

static int check_version(const struct criu *criu, const struct criu_options *o, struct err *err)
{
	if (criu->version >= CRIU_LSM_VERSION || (!o->lsm_profile && !o->lsm_mount_context))
		return 0;
	err_user_code(err, -EOPNOTSUPP,
		      "change what security modules are told: this criu is too old");
	return err_hint(err, "--lsm-profile and --lsm-mount-context need CRIU 3.16 or later");
}

static int start(struct act *a, struct criu_options *o, const struct criu_setup *setup,
		 struct err *err)
{
	const struct criu_request request = { .type = CRIU_RESTORE, .options = o };
	int r;

	r = criu_start(&a->criu, setup, err);
	if (r == 0)
		r = check_version(&a->criu, o, err);
	return r < 0 ? r : criu_send(&a->criu, &request, err);
}

int step_criu_start(struct act *a, const struct step *step, struct err *err)
{
	struct criu_options o = *step->u.criu_start.options;
	defer_arena struct arena arena = { 0 };
	struct criu_setup setup = { .prepare = enter, .cgroup2 = step->u.criu_start.cgroup2 };
	struct entry entry = { .rootfs = a->options->rootfs,
			       .fds = { -EBADF, -EBADF, -EBADF, -EBADF } };
	char root[PATH_MAX];
	int r;

	a->criu.log_dir = step->u.criu_start.work_dir;
	a->criu.log = o.log_file;
	a->criu.log_path = step->u.criu_start.log_path;
	o.root = entry.root = root;
	/* It would grow in memory of the plan's. */
	o.inherit_fd.capacity = o.inherit_fd.n;
	setup.arg = &entry;
	setup.fds = entry.fds;

	r = make_dirs(a, step, root, err);
	if (r == 0)
		r = open_cgroups(a, &entry, err);
	if (r == 0)
		r = open_files(step, &arena, &o, &entry, &setup.n_fds, err);
	if (r == 0)
		r = start(a, &o, &setup, err);
	close_all(entry.procs, entry.n);
	/* The first two were the child's. */
	for (size_t i = ARRAY_LEN(entry.dirs); i < ARRAY_LEN(entry.fds); i++)
		defer_close_fn(&entry.fds[i]);
	return r;
}

/* CRIU ends what it has made when we are gone; should it be gone first, the cgroups tell what is left. */
void undo_criu_start(struct act *a, const struct step *step)
{
	struct err ignored = ERR_INIT;

	criu_end(&a->criu);
	if (a->child_pidfd >= 0)
		(void)!os_pidfd_kill(a->child_pidfd, SIGKILL);
	if (a->record && a->record->n_cgroups)
		(void)!cgroup_kill_all(a->record->cgroups, a->record->n_cgroups, &ignored);
	if (a->child_pidfd >= 0 && os_pidfd_ended(a->child_pidfd, KILL_TIMEOUT_MS) == 1)
		(void)waitpid(a->child_pid, NULL, WNOHANG);
}

/* ---- with it ------------------------------------------------------------------------------------------------ */

/* The other end of the container's terminal, which nobody in the image had. */
static int take_master(struct act *a, const struct step *step, int *master, struct err *err)
{
	char name[OS_PTY_NAME_MAX] = "/dev/pts/ptmx";
	unsigned number;
	int r;

	if (*master < 0)
		return err_bug(err, "criu speaks of a terminal and sends none");
	if (step->in[0] == SLOT_NONE && !a->options->foreground) {
		err_user(err, "the image has a terminal, but nobody would have its other end");
		err_at(err, "/process/terminal");
		return err_hint(
			err,
			"the container must be restored with the config.json that it was created with");
	}
	if (step->in[0] == SLOT_NONE) {
		a->console_master = take_fd(master);
		return 0;
	}
	if (ioctl(*master, TIOCGPTN, &number) == 0)
		snprintf(name, sizeof(name), "/dev/pts/%u", number);
	r = os_socket_send_fd(a->fd[step->in[0]], *master, name);
	return r < 0 ? err_set(err, r, "send the terminal to the console socket") : 0;
}

static int take_init(struct act *a, pid_t pid, struct err *err)
{
	if (pid <= 0)
		return err_bug(err, "criu names no process");
	if (a->child_pidfd >= 0)
		return 0;
	a->child_pid = pid;
	a->child_pidfd = os_pidfd_open(pid);
	return a->child_pidfd < 0 ? err_set(err, a->child_pidfd, "open the container's init") : 0;
}

/* What CRIU says on its way. Return: 0; -errno */
static int hear(struct act *a, const struct step *step, const struct criu_response *response,
		int *fd, struct err *err)
{
	int r = 0;

	if (response->type != CRIU_NOTIFY) {
		a->criu_at = CRIU_AT_END;
		return take_init(a, response->pid, err);
	}
	if (strcmp(response->script, "setup-namespaces") == 0) {
		r = take_init(a, response->pid, err);
		a->criu_at = CRIU_AT_NAMESPACES;
	} else if (strcmp(response->script, "post-restore") == 0) {
		r = take_init(a, response->pid, err);
		a->criu_at = CRIU_AT_PROCESSES;
	} else if (strcmp(response->script, "orphan-pts-master") == 0) {
		r = take_master(a, step, fd, err);
	}
	return r;
}

/* Let CRIU go on until it is at @until, or farther: it then waits for an answer, unless it has come to its end. */
static int go_on(struct act *a, const struct step *step, int until, struct err *err)
{
	struct criu_response response;
	int r = 0;

	if ((int)a->criu_at != CRIU_AT_BEGIN && (int)a->criu_at < until)
		r = criu_confirm(&a->criu, err);
	while (r == 0 && (int)a->criu_at < until) {
		defer_close int fd = -EBADF;

		r = criu_receive(&a->criu, &response, &fd, err);
		if (r == 0)
			r = hear(a, step, &response, &fd, err);
		if (r == 0 && (int)a->criu_at < until)
			r = criu_confirm(&a->criu, err);
	}
	return r;
}

int step_criu_namespaces(struct act *a, const struct step *step, struct err *err)
{
	return go_on(a, step, CRIU_AT_NAMESPACES, err);
}

int step_criu_processes(struct act *a, const struct step *step, struct err *err)
{
	return go_on(a, step, CRIU_AT_PROCESSES, err);
}

int step_criu_release(struct act *a, const struct step *step, struct err *err)
{
	int r;

	/* They run before CRIU says that it is done, and a signal is theirs by then. */
	a->criu.committed = true;
	r = go_on(a, step, CRIU_AT_END, err);
	if (r < 0)
		return r;
	criu_end(&a->criu);
	/* Nobody has it mounted any more; a delete would remove it too. */
	(void)unlinkat(a->state_dir, RECORD_CRIU_ROOT, AT_REMOVEDIR);
	return a->console_master < 0 ? 0 : console_prepare_master(a->console_master, err);
}
