/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ids of a new user namespace. Root writes the maps; a user may map himself alone, and has newuidmap and newgidmap,
 * which are setuid, do the rest: they look into /etc/subuid and /etc/subgid for what he was given (row Q-3).
 *
 * Spec: config-linux.md "User namespace mappings"; user_namespaces(7), newuidmap(1)
 */
#include "runtime/act.h"

#include "os/file.h"
#include "os/process.h"
#include "os/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* What the two kinds of ids differ in. */
struct kind {
	const char *file, *pointer, *helper, *subids;
};

static const struct kind uids = { "uid_map", "/linux/uidMappings", "newuidmap", "/etc/subuid" };
static const struct kind gids = { "gid_map", "/linux/gidMappings", "newgidmap", "/etc/subgid" };

/* ---- writing them ourselves ------------------------------------------------------------------------------------- */

static int write_file(struct act *a, const struct step *step, const char *file, const char *text)
{
	char path[48];

	snprintf(path, sizeof(path), "%d/%s", (int)a->child_pid, file);
	return os_file_write_at(a->fd[step->in[0]], path, text, strlen(text));
}

static int write_map(struct act *a, const struct step *step, const struct kind *kind,
		     const char *map, struct err *err)
{
	int r = write_file(a, step, kind->file, map);

	if (r < 0) {
		err_set(err, r, "write the %s of the container's user namespace", kind->file);
		if (r == -EINVAL)
			err_hint(err, ID_MAP_HINT);
	}
	return r;
}

/* ---- by the helpers --------------------------------------------------------------------------------------------- */

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

static int run_helper(struct act *a, const struct kind *kind, const char *map, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int output = -EBADF, output_end = -EBADF;
	int pipe_fds[2], status = 0, r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe for the output of %s", kind->helper);
	output = pipe_fds[0];
	output_end = pipe_fds[1];

	r = spawn_helper(&arena, kind, helper_words(&arena, kind, a->child_pid, map), output_end,
			 &pid);
	if (r == -ENOENT) {
		err_set(err, r, "map the container's ids: find %s", kind->helper);
		return err_hint(err, "install it (Debian: the package uidmap), or map only your "
				     "own id, with size 1");
	}
	if (r < 0)
		return err_set(err, r, "map the container's ids: execute %s", kind->helper);
	close(take_fd(&output_end));
	r = os_reap(pid, &status);
	if (r < 0)
		return err_set(err, r, "wait for %s", kind->helper);
	return status == 0 ? 0 : explain_failure(kind, status, output, err);
}

/* ---- the step --------------------------------------------------------------------------------------------------- */

static int set_map(struct act *a, const struct step *step, const struct kind *kind, const char *map,
		   bool helper, struct err *err)
{
	int r = helper ? run_helper(a, kind, map, err) : write_map(a, step, kind, map, err);

	return r < 0 ? err_at(err, kind->pointer) : 0;
}

/*
 * step_id_map() - write gid_map, then uid_map
 *
 * A user may write a gid_map only when setgroups() is given up: else the container could drop a group that keeps him out
 * of a file (row X-17, CVE-2014-8989).
 */
int step_id_map(struct act *a, const struct step *step, struct err *err)
{
	int r = step->u.id_map.deny_groups ? write_file(a, step, "setgroups", "deny") : 0;

	if (r < 0)
		return err_set(err, r, "deny setgroups in the container's user namespace");
	r = set_map(a, step, &gids, step->u.id_map.gid_map, step->u.id_map.gid_helper, err);
	if (r < 0)
		return r;
	return set_map(a, step, &uids, step->u.id_map.uid_map, step->u.id_map.uid_helper, err);
}
