/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/id_helper.h"

#include "base/arena.h"
#include "os/process.h"
#include "os/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct kind {
	const char *helper, *subids;
};

static const struct kind kinds[] = {
	[ID_HELPER_UID] = { "newuidmap", "/etc/subuid" },
	[ID_HELPER_GID] = { "newgidmap", "/etc/subgid" },
};

/* The words of "PROGRAM PID 0 1000 1 1 100000 65536": the map with its numbers taken apart. */
static char **helper_words(struct arena *arena, const struct kind *kind, pid_t pid, const char *map)
{
	char *text = arena_strdup(arena, map), *word;
	char **words = arena_array(arena, strlen(map) + 4, sizeof(*words));
	size_t n = 0;

	words[n++] = arena_strdup(arena, kind->helper);
	words[n++] = arena_printf(arena, "%d", (int)pid);
	while ((word = strsep(&text, " \n"))) {
		if (*word)
			words[n++] = word;
	}
	return words;
}

/* Where distributions put it; what a user has in his own PATH can't be setuid root. */
static int spawn_helper(struct arena *arena, const struct kind *kind, char **words, int output,
			pid_t *ret_pid)
{
	static const char *const dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin",
					    "/sbin" };
	char *no_environment[] = { NULL };
	struct os_spawn spawn = { .argv = words,
				  .envp = no_environment,
				  .cwd = "/",
				  .stdio = { output, output, output } };
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(dirs) && r == -ENOENT; i++) {
		spawn.path = arena_printf(arena, "%s/%s", dirs[i], kind->helper);
		r = os_spawn(&spawn, ret_pid);
	}
	return r;
}

/* Its first words about why not, as one line. */
static void read_words(int fd, char *buf, size_t size)
{
	ssize_t n = read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static int explain_failure(const struct kind *kind, int status, int output, struct err *err)
{
	char words[200];

	read_words(output, words, sizeof(words));
	err_user_code(err, -EPERM, "map the container's ids by %s: exit status %d%s%s",
		      kind->helper,
		      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
		      words[0] ? ": " : "", words);
	return err_hint(err,
			"%s must give uid %u these ids (usermod --add-subuids, --add-subgids), and "
			"%s must be setuid root",
			kind->subids, (unsigned)geteuid(), kind->helper);
}

int id_helper_run(enum id_helper which, pid_t pid, const char *map, struct err *err)
{
	const struct kind *kind = &kinds[which];
	defer_arena struct arena arena = { 0 };
	defer_close int output = -EBADF, output_end = -EBADF;
	int pipe_fds[2], status = 0, r;
	pid_t helper;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe for the output of %s", kind->helper);
	output = pipe_fds[0];
	output_end = pipe_fds[1];

	r = spawn_helper(&arena, kind, helper_words(&arena, kind, pid, map), output_end, &helper);
	if (r == -ENOENT) {
		err_set(err, r, "map the container's ids: find %s", kind->helper);
		return err_hint(err, "install it (Debian: the package uidmap), or map only your "
				     "own id, with size 1");
	}
	if (r < 0)
		return err_set(err, r, "map the container's ids: execute %s", kind->helper);
	close(take_fd(&output_end));
	r = os_reap(helper, &status);
	if (r < 0)
		return err_set(err, r, "wait for %s", kind->helper);
	return status == 0 ? 0 : explain_failure(kind, status, output, err);
}
