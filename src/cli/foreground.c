/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/foreground.h"

#include "base/clock.h"
#include "cli/relay.h"
#include "os/process.h"
#include "runtime/cleanup.h"
#include "runtime/notify.h"
#include "os/signal.h"
#include "os/tty.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/*
 * After the container's end, when somebody outside it still holds its terminal: how long to wait
 * for more output.
 */
#define QUIET_MS  50
#define LINGER_MS 2000

struct watch {
	const struct container_started *started;
	int signals;
	/* socket on which it says that it is ready; -EBADF once it has, or if nobody asks */
	int notify;
	struct report report;
	struct relay relay; /* only with a terminal */
	bool has_terminal;
	int own_tty;         /* which of our standard streams is a terminal; -EBADF: none */
	bool ended;          /* init was reaped; what is left is output */
	bool given_up;       /* we were told to end while output was left */
	int64_t deadline_ms; /* for that output, when the terminal does not hang up */
	int status;
};

enum { WATCH_SIGNALS, WATCH_PIDFD, WATCH_NOTIFY, WATCH_RELAY, WATCH_FDS = WATCH_RELAY + RELAY_FDS };

int foreground_signals(struct err *err)
{
	sigset_t before;
	int fd = os_signal_fd(&before);

	return fd < 0 ? err_set(err, fd, "route signals") : fd;
}

/* ---- our terminal ---------------------------------------------------------------------------- */

static void copy_size(const struct watch *w)
{
	/* A terminal without a size, or one that has gone: the container's keeps what it has. */
	if (w->own_tty >= 0)
		(void)!os_tty_copy_size(w->own_tty, w->started->console_master);
}

static int take_terminal(struct watch *w, struct err *err)
{
	int r;

	if (w->own_tty < 0)
		return 0;
	copy_size(w);
	r = os_tty_raw(w->own_tty);
	return r < 0 ? err_set(err, r, "make the terminal raw") : 0;
}

static int init_terminal(struct watch *w, struct err *err)
{
	int r;

	if (w->started->console_master < 0)
		return 0;
	r = relay_init(&w->relay, w->started->console_master);
	if (r < 0)
		return err_set(err, r, "relay the container's terminal");
	w->has_terminal = true;

	for (int fd = 0; fd < 3 && w->own_tty < 0; fd++) {
		if (isatty(fd))
			w->own_tty = fd;
	}
	return take_terminal(w, err);
}

/* ---- signals --------------------------------------------------------------------------------- */

/* The shell that wants us to stop gets its terminal back first, and gives it again with SIGCONT. */
static void stop_self(struct watch *w)
{
	os_tty_restore();
	kill(getpid(), SIGSTOP);
}

static void resume_self(struct watch *w)
{
	struct err ignored = ERR_INIT;

	if (!w->has_terminal || w->ended)
		return;
	(void)!take_terminal(w, &ignored);
	relay_wake_input(&w->relay);
}

static void reap_orphans(const struct watch *w)
{
	siginfo_t info;

	/* Init itself is left for reap_init(), which wants its status. */
	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
		    info.si_pid == w->started->pid)
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static bool asks_to_end(int signo)
{
	return signo == SIGINT || signo == SIGTERM || signo == SIGHUP || signo == SIGQUIT;
}

static void handle_signal(struct watch *w, int signo)
{
	switch (signo) {
	case SIGCHLD:
		reap_orphans(w);
		return;
	case SIGPIPE:
	case SIGURG:
		return;
	case SIGWINCH:
		copy_size(w);
		return;
	default:
		break;
	}

	if (signo == SIGCONT)
		resume_self(w);
	/* -ESRCH: it has just ended, which its pidfd will tell. */
	if (!w->ended)
		(void)!os_pidfd_kill(w->started->pidfd, signo);
	else if (asks_to_end(signo))
		w->given_up = true;
	if (signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU)
		stop_self(w);
}

static void read_signals(struct watch *w)
{
	struct signalfd_siginfo info[4];
	ssize_t n;

	do {
		n = read(w->signals, info, sizeof(info));
		for (ssize_t i = 0; i < n / (ssize_t)sizeof(*info); i++)
			handle_signal(w, (int)info[i].ssi_signo);
	} while (n == (ssize_t)sizeof(info));
}

/* ---- readiness ------------------------------------------------------------------------------- */

/* We stay the service's main process, so that nothing else is told. */
static void read_notification(struct watch *w)
{
	struct err err = ERR_INIT;
	int r = notify_relay(w->notify, getenv(NOTIFY_ENV), 0, &err);

	if (r < 0)
		report_warning(&w->report, &err);
	if (r != 0)
		w->notify = -EBADF;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int reap_init(struct watch *w, struct err *err)
{
	int status, r;

	r = os_reap(w->started->pid, &status);
	if (r < 0)
		return err_set(err, r, "read the exit status of the container");
	w->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	w->ended = true;
	w->deadline_ms = clock_ms() + LINGER_MS;
	if (w->has_terminal)
		relay_end(&w->relay);
	return 0;
}

/* Init has ended: is there nothing more to write, or nothing more to wait for? */
static bool is_over(const struct watch *w, int n_ready)
{
	if (!w->ended)
		return false;
	if (!w->has_terminal || w->given_up || relay_drained(&w->relay))
		return true;
	/*
	 * Somebody else has the slave. As long as our own reader is what holds things up, wait for
	 * it.
	 */
	if (w->relay.hung_up || w->relay.output.begin != w->relay.output.end)
		return false;
	return n_ready == 0 || clock_ms() > w->deadline_ms;
}

static int watch_once(struct watch *w, int *ret_ready, struct err *err)
{
	struct pollfd fds[WATCH_FDS] = {
		[WATCH_SIGNALS] = { .fd = w->signals, .events = POLLIN },
		[WATCH_PIDFD] = { .fd = w->ended ? -1 : w->started->pidfd, .events = POLLIN },
		[WATCH_NOTIFY] = { .fd = w->notify, .events = POLLIN },
	};
	bool wait_for_reader = w->relay.output.begin != w->relay.output.end;
	nfds_t n = w->has_terminal ? WATCH_FDS : WATCH_RELAY;
	int ready;

	if (w->has_terminal)
		relay_poll(&w->relay, fds + WATCH_RELAY);
	ready = poll(fds, n, w->ended && !wait_for_reader ? QUIET_MS : -1);
	if (ready < 0)
		return errno == EINTR ? 0 : err_sys(err, "wait for the container");

	/* Init's own SIGCHLD says nothing that its pidfd does not; only a terminal makes us stay. */
	if (fds[WATCH_SIGNALS].revents && !(fds[WATCH_PIDFD].revents && !w->has_terminal))
		read_signals(w);
	if (fds[WATCH_NOTIFY].revents)
		read_notification(w);
	if (w->has_terminal)
		relay_move(&w->relay, fds + WATCH_RELAY);
	*ret_ready = ready;
	return fds[WATCH_PIDFD].revents ? reap_init(w, err) : 0;
}

int foreground_watch(int signals, const struct container_started *started, struct report report,
		     struct err *err)
{
	struct watch w = {
		.started = started,
		.signals = signals,
		.own_tty = -EBADF,
		.notify = started->notify_socket,
		.report = report,
		.relay = { .own_stdout = -EBADF, .slave = -EBADF },
	};
	int r, ready = 1;

	r = init_terminal(&w, err);
	while (r == 0 && !is_over(&w, ready))
		r = watch_once(&w, &ready, err);

	os_tty_restore();
	relay_clear(&w.relay);
	return r < 0 ? r : w.status;
}

/* ---- from its start to its end --------------------------------------------------------------- */

/*
 * The container goes away with us, whatever the end was; an error of the watch itself is the one
 * reported.
 */
static void remove_container(struct cli *cli, const char *root, const char *id,
			     struct container_started *started, bool ended)
{
	struct report report = command_report(cli);
	struct err err = ERR_INIT;
	int r;

	/* Without our watch nobody would notice its end: force. */
	if (ended)
		r = container_end(root, id, started, &report, &err);
	else
		r = container_delete(root, id, true, &report, &err);
	if (r == 0)
		return;
	err_context(&err, "delete \"%s\" after its end", id);
	log_error(&cli->log, &err);
}

static int run_watched(struct cli *cli, const char *id, const struct foreground_run *how,
		       struct err *err)
{
	struct container_started started;
	defer_close int signals = -EBADF;
	int status;

	/*
	 * A subreaper gets the container's orphans, which would else go to some parent that does
	 * not expect them. Must be set before the first child.
	 */
	if (!how->no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, "become a subreaper");
	signals = foreground_signals(err);
	if (signals < 0)
		return signals;
	if (how->start(cli, how->args, id, &started, err) < 0)
		return err->code;

	status = foreground_watch(signals, &started, command_report(cli), err);
	log_write(&cli->log, LOG_LEVEL_DEBUG, "\"%s\" ended with status %d", id, status);
	if (status < 0 || !how->keep)
		remove_container(cli, how->root, id, &started, status >= 0);
	container_started_clear(&started);
	return status;
}

int foreground_run(struct cli *cli, const char *id, const struct foreground_run *how,
		   struct err *err)
{
	struct container_started started;
	int r;

	if (!how->detach)
		return run_watched(cli, id, how, err);
	r = how->start(cli, how->args, id, &started, err);
	if (r < 0)
		return r;
	container_started_clear(&started);
	return 0;
}
