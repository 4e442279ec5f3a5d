/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process is the container's own one as config.json has it, with what was asked for instead, and is handed over to the runtime
 * as a process.json.
 */
#include "engine/exec.h"

#include "engine/control.h"
#include "engine/process_parts.h"
#include "os/file.h"
#include "os/process.h"
#include "os/spawn.h"
#include "runtime/facts.h"
#include "spec/words.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct building {
	const struct exec_request *request;
	struct arena *arena;
	const struct json *own; /* the container's process */
	struct json_writer w;
	struct user user;
	bool has_user; /* another one was asked for */
};

/* Members of a process that are not simply taken over */
static bool is_changed(const struct exec_request *request, const char *key)
{
	static const char *const always[] = { "args",         "env",      "cwd",        "user",
					      "capabilities", "terminal", "consoleSize" };
	static const char *const privileged[] = { "apparmorProfile", "noNewPrivileges" };

	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if (strcmp(key, always[i]) == 0)
			return true;
	}
	for (size_t i = 0; request->privileged && i < ARRAY_LEN(privileged); i++) {
		if (strcmp(key, privileged[i]) == 0)
			return true;
	}
	return false;
}

/* ---- what it has of the container ------------------------------------------------------------------------------------ */

static int read_own(struct building *b, struct err *err)
{
	const struct exec_request *q = b->request;
	const char *path = arena_printf(b->arena, "%s/" CONTAINERS_DIRECTORY "/%s/config.json",
					q->roots->root, q->id);
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const struct json *root;
	size_t len;
	char *text;
	int r;

	if (fd < 0)
		return err_sys(err, "open \"%s\"", path);
	r = os_file_read(b->arena, fd, CONFIG_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read \"%s\"", path);
	if (json_parse(b->arena, text, len, &root, err) < 0)
		return err->code;
	b->own = json_member(root, "process");
	return b->own ? 0 : err_user(err, "\"%s\" has no process", path);
}

/* Names are the container's own, so they are looked up in its root, as it sees it. */
static int find_user(struct building *b, struct err *err)
{
	static const struct str_list none = { .n = 0 };
	const struct exec_request *q = b->request;
	defer_close int root = -EBADF;
	struct container c;
	char path[64];
	int r;

	if (!q->user)
		return 0;
	r = container_load(b->arena, containers_oci_root(b->arena, q->roots), q->id, &c, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)c.pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Was it still this process's? */
	if (root >= 0) {
		defer_close int pidfd = os_process_open(c.pid, c.start_time);

		if (pidfd < 0)
			return err_user_code(err, -ESRCH, "container not running");
	} else {
		return err_sys(err, "open the container's root filesystem");
	}
	b->has_user = true;
	return user_find(b->arena, root, q->user, &none, &b->user, err);
}

/* ---- what was asked for ------------------------------------------------------------------------------------------- */

static uint64_t read_set(const struct json *capabilities, const char *key)
{
	const struct json *list = json_member(capabilities, key), *item;
	uint64_t set = 0, bit;

	if (!list || list->type != JSON_ARRAY)
		return 0;
	json_each(item, list) {
		const char *name = json_string(item);

		if (name && strncmp(name, "CAP_", 4) == 0 &&
		    words_find(&words_capability, name, &bit))
			set |= 1ULL << bit;
	}
	return set;
}

static uint64_t own_uid(const struct building *b)
{
	uint64_t uid;

	return json_u64(json_member(json_member(b->own, "user"), "uid"), &uid) == 0 ? uid : 0;
}

/*
 * Root has all that the container may have. Another user has none, but for those that the container gives to users by name, which
 * are ambient.
 */
static int write_capabilities(struct building *b, struct err *err)
{
	const struct json *own = json_member(b->own, "capabilities");
	uint64_t uid = b->has_user ? b->user.uid : own_uid(b), ambient = read_set(own, "ambient");
	uint64_t bounding = read_set(own, "bounding"), held;
	struct facts facts;

	if (b->request->privileged) {
		if (facts_read_parts(b->arena, "", FACTS_SECURITY, &facts, err) < 0)
			return err->code;
		bounding = (1ULL << (facts.last_cap + 1)) - 1;
	}
	held = uid == 0 ? bounding : ambient;
	json_object_begin(&b->w, "capabilities");
	process_write_capabilities(&b->w, "bounding", bounding);
	process_write_capabilities(&b->w, "effective", held);
	process_write_capabilities(&b->w, "permitted", held);
	if (uid != 0 && held) {
		process_write_capabilities(&b->w, "inheritable", held);
		process_write_capabilities(&b->w, "ambient", held);
	}
	json_object_end(&b->w);
	return 0;
}

static void write_strings(struct json_writer *w, const char *key, const char *const *items,
			  size_t n)
{
	json_array_begin(w, key);
	for (size_t i = 0; i < n; i++)
		json_add_string(w, NULL, items[i]);
	json_array_end(w);
}

static int write_env(struct building *b, struct err *err)
{
	struct environment env = { .arena = b->arena };
	const struct json *own = json_member(b->own, "env"), *item;
	const struct str_list *given = &b->request->env;
	int r = 0;

	if (b->request->terminal)
		environment_put(&env, "TERM=xterm");
	if (own && own->type == JSON_ARRAY) {
		json_each(item, own) {
			if (json_string(item))
				environment_put(&env, json_string(item));
		}
	}
	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = environment_given(&env, given->items[i], err);
	write_strings(&b->w, "env", env.items, env.n);
	return r;
}

static int write_process(struct building *b, struct err *err)
{
	const struct exec_request *q = b->request;
	const char *cwd = q->cwd ? q->cwd : json_string(json_member(b->own, "cwd"));
	const struct json *member, *user = json_member(b->own, "user");
	int r;

	if (q->cwd && *q->cwd != '/')
		return err_user(err, "--workdir \"%s\" is no absolute path", q->cwd);
	json_writer_init(&b->w, b->arena, 0);
	json_object_begin(&b->w, NULL);
	json_add_bool(&b->w, "terminal", q->terminal);
	write_strings(&b->w, "args", q->args.items, q->args.n);
	json_add_string(&b->w, "cwd", cwd ? cwd : "/");
	if (b->has_user)
		process_write_user(&b->w, &b->user);
	else if (user)
		json_add_value(&b->w, "user", user);
	r = write_env(b, err);
	if (r == 0)
		r = write_capabilities(b, err);
	json_each(member, b->own) {
		if (!is_changed(q, member->key))
			json_add_value(&b->w, member->key, member);
	}
	json_object_end(&b->w);
	return r;
}

/* ---- starting it --------------------------------------------------------------------------------------------------- */

static int start(struct building *b, struct container_started *ret, struct err *err)
{
	const struct exec_request *q = b->request;
	const char *text = json_writer_text(&b->w, NULL);
	defer_close int process = os_memfd_text("process.json", &text, 1);
	struct exec_options options = {
		.common = { .id = q->id, .foreground = true, .report = q->report },
		.process_fd = process,
	};
	int r;

	if (process < 0)
		return err_set(err, process, "make process.json");
	r = container_exec(containers_oci_root(b->arena, q->roots), &options, NULL, ret, err);
	if (r == -ESRCH || r == -ENOENT) {
		bool of_program = err->step_name[0] != '\0';

		if (!of_program)
			return err_user_code(err, -ESRCH, "container %.12s is not running", q->id);
	}
	return r;
}

int exec_start(const struct exec_request *request, struct container_started *ret, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct building b = { .request = request, .arena = &arena };
	int r;

	if (!control_runs(request->roots, request->id, NULL))
		return err_user_code(err, -ESRCH, "container %.12s is not running", request->id);
	r = read_own(&b, err);
	if (r == 0)
		r = find_user(&b, err);
	if (r == 0)
		r = write_process(&b, err);
	return r < 0 ? r : start(&b, ret, err);
}
