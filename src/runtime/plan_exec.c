/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program, its arguments and its environment: all strings are laid out here, so that the child only has to call
 * execve(). Finding the program is split. As root, before `create` is done, so that a missing one fails it with the
 * words that engines look for; and by execve() itself, which alone knows what the user may execute.
 */
#include "runtime/plan_exec.h"

#include "runtime/notify.h"

#include <string.h>

/* What execvp(3) uses when PATH is not set. */
#define DEFAULT_PATH "/bin:/usr/bin"

/* Entries that we may add to the config's: LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, NOTIFY_SOCKET, HOME. */
#define ENV_EXTRA 5

/* Room for any pid; see struct step, exec.listen_pid. */
#define LISTEN_PID_ENTRY "LISTEN_PID=0000000000"

static const char *env_value(const struct planner_state *s, const char *name)
{
	const struct str_list *env = &s->config->process.env;
	size_t len = strlen(name);

	for (size_t i = env->n; i-- > 0;) {
		if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=')
			return env->items[i] + len + 1;
	}
	return NULL;
}

bool exec_needs_home(const struct planner_state *s)
{
	const char *home = env_value(s, "HOME");

	return !home || !home[0];
}

/* ---- where the program is --------------------------------------------------------------------------------------- */

/* Relative to process.cwd, where execve() will be called. */
static const char *absolute(struct planner_state *s, const char *path, size_t len)
{
	const char *cwd = s->config->process.cwd;

	if (path[0] == '/' && len > 0)
		return arena_strndup(&s->plan->arena, path, len);
	if (len == 0)
		return plan_strdup(s->plan, cwd);
	return plan_printf(s->plan, "%s%s%.*s", cwd, strcmp(cwd, "/") == 0 ? "" : "/", (int)len,
			   path);
}

static struct str_list path_dirs(struct planner_state *s)
{
	const char *path = env_value(s, "PATH"), *dir, *end;
	struct str_list dirs = { 0 };
	size_t n = 1;

	path = path ? path : DEFAULT_PATH;
	for (const char *p = path; *p; p++)
		n += *p == ':';
	dirs.items = arena_array(&s->plan->arena, n, sizeof(*dirs.items));
	for (dir = path; dirs.n < n; dir = end + 1) {
		end = strchrnul(dir, ':');
		/* An empty one is the current directory, as it always was. */
		dirs.items[dirs.n++] = absolute(s, dir, (size_t)(end - dir));
	}
	return dirs;
}

int plan_find_executable(struct planner_state *s, struct err *err)
{
	const struct config_process *process = &s->config->process;
	const char *name;
	struct step *step;

	if (!process->set) {
		if (!s->options->run)
			return 0;
		err_user(err, "run a container whose config has no process");
		return err_at(err, "/process");
	}

	name = plan_strdup(s->plan, process->args.items[0]);
	step = plan_add(s->plan, STEP_CHILD, STEP_FIND_EXECUTABLE, "/process/args/0");
	step->u.find_executable.name = name;
	if (strchr(name, '/'))
		step->u.find_executable.path = absolute(s, name, strlen(name));
	else
		step->u.find_executable.path_dirs = path_dirs(s);
	return 0;
}

/* ---- argv and envp ---------------------------------------------------------------------------------------------- */

static char *const *copy_args(struct planner_state *s)
{
	const struct str_list *args = &s->config->process.args;
	char **argv = arena_array(&s->plan->arena, args->n + 1, sizeof(*argv));

	for (size_t i = 0; i < args->n; i++)
		argv[i] = plan_strdup(s->plan, args->items[i]);
	return argv;
}

static bool is_named(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Is this entry of the config's replaced by one of ours? */
static bool is_replaced(const struct planner_state *s, const char *entry)
{
	if (is_named(entry, "HOME"))
		return exec_needs_home(s);
	if (is_named(entry, NOTIFY_ENV))
		return s->has_notify;
	if (s->options->listen_fds == 0)
		return false;
	return is_named(entry, "LISTEN_PID") || is_named(entry, "LISTEN_FDS") ||
	       is_named(entry, "LISTEN_FDNAMES");
}

/*
 * Sockets that our caller was activated with go on to the container (sd_listen_fds(3)). The program is pid 1 in a pid
 * namespace of its own; elsewhere EXEC fills the number in, when there is one.
 */
static void add_listen_env(struct planner_state *s, struct step *step)
{
	char **envp = step->u.exec.envp;
	size_t *n = &step->u.exec.n_env;

	if (s->options->listen_fds == 0)
		return;
	if (s_ns_new(s, NS_PID)) {
		envp[(*n)++] = plan_strdup(s->plan, "LISTEN_PID=1");
	} else {
		step->u.exec.listen_pid = plan_strdup(s->plan, LISTEN_PID_ENTRY);
		envp[(*n)++] = step->u.exec.listen_pid;
	}
	envp[(*n)++] = plan_printf(s->plan, "LISTEN_FDS=%u", s->options->listen_fds);
	if (s->options->listen_fdnames)
		envp[(*n)++] =
			plan_printf(s->plan, "LISTEN_FDNAMES=%s", s->options->listen_fdnames);
}

void exec_add(struct planner_state *s)
{
	const struct str_list *env = &s->config->process.env;
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_EXEC, "/process/args");

	step->u.exec.argv = copy_args(s);
	step->u.exec.envp = arena_array(&s->plan->arena, env->n + ENV_EXTRA + 1, sizeof(char *));
	for (size_t i = 0; i < env->n; i++) {
		if (!is_replaced(s, env->items[i]))
			step->u.exec.envp[step->u.exec.n_env++] =
				plan_strdup(s->plan, env->items[i]);
	}
	add_listen_env(s, step);
	if (s->has_notify)
		step->u.exec.envp[step->u.exec.n_env++] =
			plan_strdup(s->plan, NOTIFY_ENV "=" NOTIFY_CONTAINER);
	if (!strchr(s->config->process.args.items[0], '/'))
		step->u.exec.path_dirs = path_dirs(s);
}

void exec_add_missing(struct planner_state *s)
{
	plan_add(s->plan, STEP_CHILD, STEP_EXEC, "/process");
}
