/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process: what is executed, as whom, in which environment, with which limits. */
#include "engine/config_parts.h"

#include "base/num.h"
#include "engine/defaults.h"
#include "engine/process_parts.h"
#include "os/dir.h"
#include "os/file.h"
#include "spec/words.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* A file of --env-file: some thousand variables. */
#define ENV_FILE_MAX_BYTES ((size_t)1024 * 1024)

/* ---- arguments ---------------------------------------------------------------------------------------------------- */

/* The image's arguments are for the image's program. */
static void ask_args(struct build *b)
{
	const struct settings *s = b->settings;
	const char **given;

	if (s->entrypoint) {
		given = arena_array(b->arena, 1, sizeof(*given));
		given[0] = s->entrypoint;
		b->asked.entrypoint = (struct str_list){ .items = given, .n = *given[0] ? 1 : 0 };
	}
	if (s->entrypoint || s->command.n)
		b->asked.cmd = s->command;
}

static int write_args(struct build *b, struct err *err)
{
	const struct str_list *entrypoint = &b->asked.entrypoint, *command = &b->asked.cmd;

	ask_args(b);
	if (entrypoint->n + command->n == 0) {
		err_user(err, "there is no program to run: %s",
			 b->config ? "the image names none, and neither does the command line"
				   : "the command line names none");
		return err_hint(err, "put one behind the image's name");
	}
	json_array_begin(b->w, "args");
	if (b->settings->init) {
		json_add_string(b->w, NULL, "/run/tare-init");
		json_add_string(b->w, NULL, "--");
	}
	for (size_t i = 0; i < entrypoint->n; i++)
		json_add_string(b->w, NULL, entrypoint->items[i]);
	for (size_t i = 0; i < command->n; i++)
		json_add_string(b->w, NULL, command->items[i]);
	json_array_end(b->w);
	return 0;
}

/* ---- environment -------------------------------------------------------------------------------------------------- */

/* A variable a line; empty lines and those that begin with "#" are none. Blanks before a name are no part of it. */
static int env_file(struct environment *env, const char *path, struct err *err)
{
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text, *line, *next;
	size_t len;
	int r;

	if (fd < 0)
		return err_sys(err, "open the env file \"%s\"", path);
	r = os_file_read(env->arena, fd, ENV_FILE_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the env file \"%s\"", path);
	for (line = text; r == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line += strspn(line, " \t");
		if (*line && *line != '#')
			r = environment_given(env, line, err);
	}
	return r < 0 ? err_context(err, "read the env file \"%s\"", path) : 0;
}

/* The image's, and what was asked for. */
static int ask_env(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	struct environment env = { .arena = b->arena };
	int r = 0;

	for (size_t i = 0; i < b->image->env.n; i++)
		environment_put(&env, b->image->env.items[i]);
	for (size_t i = 0; r == 0 && i < s->env_files.n; i++)
		r = env_file(&env, s->env_files.items[i], err);
	for (size_t i = 0; r == 0 && i < s->env.n; i++)
		r = environment_given(&env, s->env.items[i], err);
	b->asked.env = (struct str_list){ .items = env.items, .n = env.n };
	return r;
}

static int write_env(struct build *b, struct err *err)
{
	struct environment env = { .arena = b->arena };
	int r = ask_env(b, err);

	if (r < 0)
		return r;
	for (size_t i = 0; default_env[i]; i++)
		environment_put(&env, default_env[i]);
	environment_put(&env,
			arena_printf(b->arena, "HOSTNAME=%s", config_hostname(b->arena, b->in)));
	if (b->settings->terminal)
		environment_put(&env, "TERM=xterm");
	for (size_t i = 0; i < b->asked.env.n; i++)
		environment_put(&env, b->asked.env.items[i]);
	build_strings(b->w, "env", &(struct str_list){ .items = env.items, .n = env.n });
	return 0;
}

/* ---- user, capabilities ------------------------------------------------------------------------------------------- */

/* "CAP_CHOWN", "chown". Return: false if there is none */
static bool find_capability(const char *text, uint64_t *ret_bit)
{
	char name[40];
	int n = snprintf(name, sizeof(name), "%s%s",
			 strncasecmp(text, "cap_", 4) == 0 ? "" : "CAP_", text);

	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return n < (int)sizeof(name) && words_find(&words_capability, name, ret_bit);
}

/* All that the kernel knows; it knows fewer than 64. */
static uint64_t all_capabilities(const struct facts *facts)
{
	return (1ULL << (facts->last_cap + 1)) - 1;
}

/* @ret_all: ALL was among them */
static int read_capabilities(const char *option, const struct str_list *list, uint64_t *ret,
			     bool *ret_all, struct err *err)
{
	uint64_t set = 0, bit;

	*ret_all = false;
	for (size_t i = 0; i < list->n; i++) {
		if (strcasecmp(list->items[i], "all") == 0) {
			*ret_all = true;
			continue;
		}
		if (!find_capability(list->items[i], &bit))
			return err_user(err, "%s: there is no capability \"%s\"", option,
					list->items[i]);
		set |= 1ULL << bit;
	}
	*ret = set;
	return 0;
}

/* Adding and dropping by name goes before ALL; dropping one goes before adding it. */
int build_capabilities(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	uint64_t added, dropped, bit;
	bool add_all, drop_all;
	int r = read_capabilities("--cap-add", &s->cap_add, &added, &add_all, err);

	if (r == 0)
		r = read_capabilities("--cap-drop", &s->cap_drop, &dropped, &drop_all, err);
	if (r < 0)
		return r;
	if (s->privileged || add_all)
		b->bounding = all_capabilities(b->in->facts);
	else
		for (size_t i = 0; !s->strict && default_capabilities[i]; i++)
			b->bounding |= words_find(&words_capability, default_capabilities[i], &bit)
					       ? 1ULL << bit
					       : 0;
	if (drop_all)
		b->bounding = 0;
	b->bounding = (b->bounding | added) & ~dropped;
	b->explicit_caps = added & ~dropped;
	return 0;
}

/*
 * Who is not root loses all of them when the program is executed, unless they are ambient. So such a user gets those that
 * were asked for by name, and no others.
 */
static void write_capabilities(struct build *b)
{
	bool root = b->user.uid == 0;
	uint64_t held = root ? b->bounding : b->explicit_caps;

	json_object_begin(b->w, "capabilities");
	process_write_capabilities(b->w, "bounding", b->bounding);
	process_write_capabilities(b->w, "effective", held);
	process_write_capabilities(b->w, "permitted", held);
	if (!root && held) {
		process_write_capabilities(b->w, "inheritable", held);
		process_write_capabilities(b->w, "ambient", held);
	}
	json_object_end(b->w);
}

/* ---- limits ------------------------------------------------------------------------------------------------------- */

/* The most that the hard limit of open files can be; who may raise it is bound by the kernel's own limit. */
static uint64_t highest_nofile(const struct facts *facts)
{
	struct rlimit limit;
	uint64_t most = UINT64_MAX;
	char text[32];
	ssize_t n = os_read_at(AT_FDCWD, "/proc/sys/fs/nr_open", text, sizeof(text));

	if (n > 0 && num_parse_u64(text, 0, UINT64_MAX, &most) < 0)
		most = UINT64_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < most &&
	    (facts->rootless || !(facts->capabilities >> CAP_SYS_RESOURCE & 1)))
		most = limit.rlim_max;
	return most;
}

static void write_limit(struct json_writer *w, const char *type, uint64_t soft, uint64_t hard)
{
	json_object_begin(w, NULL);
	json_add_string(w, "type", type);
	json_add_u64(w, "hard", hard);
	json_add_u64(w, "soft", soft);
	json_object_end(w);
}

static void write_default_nofile(struct build *b)
{
	uint64_t most = highest_nofile(b->in->facts), hard = DEFAULT_NOFILE_HARD;

	if (hard > most) {
		build_warn(
			b,
			"the container may have %llu files open and not %d: nobody here may have "
			"more",
			(unsigned long long)most, DEFAULT_NOFILE_HARD);
		hard = most;
	}
	write_limit(b->w, "RLIMIT_NOFILE", hard < DEFAULT_NOFILE_SOFT ? hard : DEFAULT_NOFILE_SOFT,
		    hard);
}

static int parse_limit(const char *text, size_t len, uint64_t *ret)
{
	char number[32];

	if (len == 0 || len >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, len);
	number[len] = '\0';
	if (strcmp(number, "-1") == 0 || strcmp(number, "unlimited") == 0) {
		*ret = UINT64_MAX; /* RLIM_INFINITY */
		return 0;
	}
	return num_parse_u64(number, 0, UINT64_MAX, ret);
}

/* --ulimit NAME=SOFT[:HARD] */
static int write_ulimit(struct build *b, const char *text, bool *is_nofile, struct err *err)
{
	const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
	char type[32] = "RLIMIT_";
	uint64_t soft, hard, resource;
	size_t len = equals ? (size_t)(equals - text) : 0;

	for (size_t i = 0; i < len && i + 8 < sizeof(type); i++)
		type[7 + i] = (char)toupper((unsigned char)text[i]);
	if (len == 0 || len > 16 || !words_find(&words_rlimit, type, &resource)) {
		err_user(err, "--ulimit \"%s\": there is no limit of that name", text);
		return err_hint(err, "it is NAME=SOFT[:HARD], for example nofile=1024:4096");
	}
	if (parse_limit(equals + 1, colon ? (size_t)(colon - equals - 1) : strlen(equals + 1),
			&soft) < 0 ||
	    (colon && parse_limit(colon + 1, strlen(colon + 1), &hard) < 0))
		return err_user(err, "--ulimit \"%s\": a limit is a number, or -1", text);
	if (!colon)
		hard = soft;
	if (soft > hard)
		return err_user(err, "--ulimit \"%s\": the soft limit is above the hard one", text);
	*is_nofile |= resource == RLIMIT_NOFILE;
	write_limit(b->w, type, soft, hard);
	return 0;
}

static int write_limits(struct build *b, struct err *err)
{
	const struct str_list *given = &b->settings->ulimits;
	bool nofile = false;
	int r = 0;

	json_array_begin(b->w, "rlimits");
	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = write_ulimit(b, given->items[i], &nofile, err);
	if (!nofile)
		write_default_nofile(b);
	json_array_end(b->w);
	return r;
}

/* ---- together ----------------------------------------------------------------------------------------------------- */

static const char *working_dir(const struct build *b)
{
	const char *dir = b->asked.working_dir;

	if (!dir || !*dir)
		return "/";
	/* Some builders write a relative one. */
	return *dir == '/' ? dir : arena_printf(b->arena, "/%s", dir);
}

static int write_oom_score(struct build *b, struct err *err)
{
	const char *text = b->settings->oom_score_adj;
	int64_t score;

	if (!text)
		return 0;
	if (num_parse_i64(text, -1000, 1000, &score) < 0)
		return err_user(err, "--oom-score-adj \"%s\" is no number of -1000 to 1000", text);
	json_add_i64(b->w, "oomScoreAdj", score);
	return 0;
}

int build_process(struct build *b, struct err *err)
{
	int r;

	json_object_begin(b->w, "process");
	json_add_bool(b->w, "terminal", b->settings->terminal);
	process_write_user(b->w, &b->user);
	r = write_args(b, err);
	if (r == 0)
		r = write_env(b, err);
	if (r < 0)
		return r;
	json_add_string(b->w, "cwd", working_dir(b));
	write_capabilities(b);
	r = write_limits(b, err);
	if (r == 0)
		r = write_oom_score(b, err);
	json_add_bool(b->w, "noNewPrivileges", b->no_new_privileges);
	if (b->apparmor)
		json_add_string(b->w, "apparmorProfile", b->apparmor);
	if (b->label)
		json_add_string(b->w, "selinuxLabel", b->label);
	json_object_end(b->w);
	return r;
}
