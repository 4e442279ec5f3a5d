/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/parallel.h"

#include "os/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define WATCH_MS 100

struct child {
	pid_t pid; /* 0: none */
	int pidfd;
	size_t piece;
};

struct pool {
	const struct parallel *parallel;
	struct piece *pieces; /* shared */
	struct child *children;
	size_t next; /* piece that has not begun */
};

static _Noreturn void run_child(const struct pool *pool, size_t i, pid_t parent)
{
	struct piece *piece = &pool->pieces[i];
	int r = 0;

	/* Between the fork and this it may have died. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	piece->err = ERR_INIT;
	r = pool->parallel->work(pool->parallel->arg, i, piece, &piece->err);
	piece->result = r;
	_exit(r < 0);
}

static int start(struct pool *pool, struct child *child, struct err *err)
{
	size_t i = pool->next++;
	pid_t parent = getpid(), pid;

	pid = os_clone3(0, -1, &child->pidfd);
	if (pid < 0)
		return err_set(err, pid, "make a process");
	if (pid == 0)
		run_child(pool, i, parent);
	child->pid = pid;
	child->piece = i;
	pool->pieces[i].state = PIECE_RUNS;
	return 0;
}

/* It has ended. Return: 0; -errno, with its own error where it had one */
static int reap(struct pool *pool, struct child *child, struct err *err)
{
	struct piece *piece = &pool->pieces[child->piece];
	int status, r = os_reap(child->pid, &status);

	defer_close_fn(&child->pidfd);
	child->pid = 0;
	if (r < 0)
		return err_set(err, r, "wait for a process");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		piece->state = PIECE_DONE;
		return 0;
	}
	piece->state = PIECE_FAILED;
	if (WIFSIGNALED(status))
		return err_set(err, -EIO, "do it: the process was killed by signal %d",
			       WTERMSIG(status));
	*err = piece->err;
	return err->code < 0 ? err->code : err_bug(err, "a process ended with status %d", status);
}

static void kill_all(struct pool *pool)
{
	int status;

	for (size_t i = 0; i < pool->parallel->at_once; i++) {
		struct child *child = &pool->children[i];

		if (!child->pid)
			continue;
		(void)!os_pidfd_kill(child->pidfd, SIGKILL);
		(void)!os_reap(child->pid, &status);
		defer_close_fn(&child->pidfd);
		child->pid = 0;
	}
}

/* Wait for a while, and reap who has ended. Return: 0; -errno */
static int wait_some(struct pool *pool, struct err *err)
{
	struct pollfd fds[16] = { 0 };
	size_t n = pool->parallel->at_once;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		fds[i] =
			(struct pollfd){ .fd = pool->children[i].pid ? pool->children[i].pidfd : -1,
					 .events = POLLIN };
	if (poll(fds, n, WATCH_MS) < 0 && errno != EINTR)
		return err_sys(err, "wait for processes");
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (fds[i].revents)
			r = reap(pool, &pool->children[i], err);
	}
	return r;
}

static bool is_busy(const struct pool *pool)
{
	for (size_t i = 0; i < pool->parallel->at_once; i++) {
		if (pool->children[i].pid)
			return true;
	}
	return false;
}

static int run(struct pool *pool, struct err *err)
{
	const struct parallel *p = pool->parallel;
	int r = 0;

	while (r == 0 && (pool->next < p->n || is_busy(pool))) {
		for (size_t i = 0; r == 0 && i < p->at_once && pool->next < p->n; i++) {
			if (!pool->children[i].pid)
				r = start(pool, &pool->children[i], err);
		}
		if (r == 0)
			r = wait_some(pool, err);
		if (p->watch)
			p->watch(p->arg, pool->pieces, p->n);
	}
	return r;
}

int parallel_run(const struct parallel *parallel, int *ret_results, struct err *err)
{
	struct child children[16] = { 0 };
	struct pool pool = { .parallel = parallel, .children = children };
	size_t size = parallel->n * sizeof(*pool.pieces);
	int r;

	if (parallel->at_once > ARRAY_LEN(children))
		return err_bug(err, "%zu processes at once", parallel->at_once);
	if (!parallel->n)
		return 0;
	pool.pieces = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pool.pieces == MAP_FAILED)
		return err_sys(err, "make memory to be shared");
	r = run(&pool, err);
	kill_all(&pool);
	for (size_t i = 0; r == 0 && ret_results && i < parallel->n; i++)
		ret_results[i] = pool.pieces[i].result;
	munmap(pool.pieces, size);
	return r;
}
