/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ps`: the host's ps does the showing, and of its lines those of the container are kept. On a host without one, a table
 * of our own has what /proc/PID/stat tells.
 */
#include "base/json_write.h"
#include "cli/oci/command.h"
#include "os/exec.h"
#include "os/file.h"
#include "os/process.h"
#include "os/spawn.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* More than all lines of a full process table. */
#define OUTPUT_MAX ((size_t)256 * 1024 * 1024)

struct args {
	const char *format;
};

struct pids {
	pid_t *items; /* ascending */
	size_t n;
};

static bool is_one(const struct pids *pids, long pid)
{
	size_t low = 0, high = pids->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pids->items[middle] == pid)
			return true;
		if (pids->items[middle] < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int print_json(struct arena *arena, const struct pids *pids, struct err *err)
{
	struct json_writer w;
	size_t len;
	char *text;

	json_writer_init(&w, arena, 0);
	json_array_begin(&w, NULL);
	for (size_t i = 0; i < pids->n; i++)
		json_add_i64(&w, NULL, pids->items[i]);
	json_array_end(&w);
	text = json_writer_text(&w, &len);
	text[len] = '\n'; /* in place of the NUL */
	return write_stdout(text, len + 1, err);
}

/* ---- by the host's ps ------------------------------------------------------------------------------------------- */

static char *const *ps_argv(struct arena *arena, char *const *rest)
{
	size_t n = 0;
	char **argv;

	while (rest && rest[n])
		n++;
	argv = arena_array(arena, n + 3, sizeof(*argv));
	argv[0] = arena_strdup(arena, "ps");
	if (n)
		memcpy(argv + 1, rest, n * sizeof(*argv));
	else
		argv[1] = arena_strdup(arena, "-ef");
	return argv;
}

/* Everything that it prints; its standard error is ours. */
static int run_ps(struct arena *arena, const char *path, char *const *argv, char **ret_text,
		  struct err *err)
{
	defer_close int out = -EBADF, in = -EBADF, null = -EBADF;
	struct os_spawn spawn = { .path = path, .argv = argv, .envp = environ, .cwd = "." };
	int fds[2], status, r, end;
	size_t len;
	pid_t pid;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "make the pipe for ps");
	in = fds[0];
	out = fds[1];
	memcpy(spawn.stdio, (int[]){ null, out, STDERR_FILENO }, sizeof(spawn.stdio));
	r = os_spawn(&spawn, &pid);
	if (r < 0)
		return err_set(err, r, "run \"%s\"", path);
	close(take_fd(&out));
	r = os_file_read(arena, in, OUTPUT_MAX, ret_text, &len);
	close(take_fd(&in));
	end = os_reap(pid, &status);
	if (r < 0 || end < 0)
		return err_set(err, r < 0 ? r : end, "read the output of \"%s\"", path);
	if (status == 0)
		return 0;
	err_user(err, "run \"%s\": it ended with status %d", path,
		 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return err_hint(err,
			"what stands behind the id goes to ps as it is; its own message is above");
}

/* The @index-th word of a line, counted from 0; NULL if it has fewer */
static const char *word_at(const char *line, size_t index)
{
	for (line += strspn(line, " \t"); *line; line += strspn(line, " \t")) {
		if (index-- == 0)
			return line;
		line += strcspn(line, " \t");
	}
	return NULL;
}

/* Which word of the heading is PID, or SIZE_MAX */
static size_t pid_column(const char *heading)
{
	const char *word;

	for (size_t i = 0; (word = word_at(heading, i)); i++) {
		if (strncmp(word, "PID", 3) == 0 && strcspn(word, " \t") == 3)
			return i;
	}
	return SIZE_MAX;
}

/* Keep the heading and the container's lines of @text, in place. Return: their length; -EINVAL */
static ssize_t filter(char *text, const struct pids *pids, struct err *err)
{
	char *rest = text, *to = text, *line = strsep(&rest, "\n");
	size_t column = pid_column(line), len;
	const char *word = NULL;

	if (column == SIZE_MAX) {
		err_user(err, "find the column PID in what ps prints");
		return err_hint(err, "give ps options that show it, such as -o pid,comm");
	}
	for (bool heading = true; line; line = strsep(&rest, "\n"), heading = false) {
		word = heading ? NULL : word_at(line, column);
		if (!heading && (!word || !is_one(pids, strtol(word, NULL, 10))))
			continue;
		len = strlen(line);
		memmove(to, line, len);
		to += len;
		*to++ = '\n';
	}
	return to - text;
}

static int print_table(struct arena *arena, const char *path, char *const *rest,
		       const struct pids *pids, struct err *err)
{
	char *text;
	ssize_t len;
	int r;

	r = run_ps(arena, path, ps_argv(arena, rest), &text, err);
	if (r < 0)
		return r;
	len = filter(text, pids, err);
	return len < 0 ? (int)len : write_stdout(text, (size_t)len, err);
}

/* ---- by ourselves ----------------------------------------------------------------------------------------------- */

#define LINE_MAX_BYTES 96 /* two numbers, a letter, and a name of at most 63 bytes */

static int print_plain(struct arena *arena, const struct pids *pids, struct err *err)
{
	char *text = arena_alloc(arena, (pids->n + 1) * LINE_MAX_BYTES), *at = text;
	struct os_process_stat stat;

	at += sprintf(at, "%10s %5s COMMAND\n", "PID", "STATE");
	for (size_t i = 0; i < pids->n; i++) {
		if (os_process_stat(pids->items[i], &stat) == 0)
			at += snprintf(at, LINE_MAX_BYTES, "%10d %5c %s\n", (int)pids->items[i],
				       stat.state, stat.comm);
	}
	return write_stdout(text, (size_t)(at - text), err);
}

/* ----------------------------------------------------------------------------------------------------------------- */

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const char *format = ((const struct args *)args)->format;
	bool json = format && strcmp(format, "json") == 0;
	defer_arena struct arena arena = { 0 };
	char path[PATH_MAX];
	struct pids pids;
	int r;

	if (format && !json && strcmp(format, "table") != 0) {
		err_user(err, "unknown format \"%s\"", format);
		return err_hint(err, "it is table or json");
	}
	r = container_pids(&arena, cli->root, words->words[0], &pids.items, &pids.n, err);
	if (r < 0)
		return r;
	if (json)
		return print_json(&arena, &pids, err);
	if (os_find_program("ps", path, sizeof(path)) == 0)
		return print_table(&arena, path, words->rest, &pids, err);
	log_write(&cli->log, LOG_LEVEL_WARNING,
		  "there is no \"ps\" in PATH: its options have no effect, and only pids, states "
		  "and names are shown");
	return print_plain(&arena, &pids, err);
}

static const struct option options[] = {
	{ "format", 'f', "FORMAT", "table (default) or json", option_set_text,
	  offsetof(struct args, format) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_ps = {
	.name = "ps",
	.operands = "ID [PS OPTIONS]",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show the processes of a container",
	.details = "What stands behind the ID goes to the host's ps, by default -ef. It must show "
		   "the column PID.",
	.options = options,
	.hands_words_on = true,
	.run = run,
};
