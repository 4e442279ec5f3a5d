/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans of known configs for known hosts, whole: tests/data/plans/CONFIG-FACTS.txt holds explain's text of each. A change
 * of a plan is a change of these files, to be read in review. With --update as the only argument they are written anew.
 */
#include "base/json.h"
#include "runtime/explain.h"
#include "runtime/facts.h"
#include "runtime/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool update;

static const char *const configs[] = { "minimal", "docker", "user" };
static const char *const hosts[] = { "v1", "hybrid", "v2", "rootless" };
/* Those that systemd can be asked on, with a config whose cgroupsPath is a unit's; a host without it refuses. */
static const char *const unit_hosts[] = { "v1", "v2" };

/* Where the host has what this config asks for, and where it has not. */
static const char *const hardware_hosts[] = { "v2", "v1", "rootless" };

static const struct create_options run_options = {
	.id = "web",
	.bundle = "/bundle",
	.rootfs = "/bundle/rootfs",
	.run = true,
	.foreground = true,
};

static const char *data_path(struct arena *arena, const char *name)
{
	const char *data = getenv("TEST_DATA");

	return arena_printf(arena, "%s/plans/%s", data ? data : "tests/data", name);
}

static char *read_file(struct arena *arena, const char *name, size_t *ret_len)
{
	const char *path = data_path(arena, name);
	FILE *file = fopen(path, "r");
	char *text;
	long len;

	if (!file)
		fail_msg("open %s", path);
	fseek(file, 0, SEEK_END);
	len = ftell(file);
	rewind(file);
	text = arena_alloc(arena, (size_t)len + 1);
	assert_int_equal(fread(text, 1, (size_t)len, file), len);
	fclose(file);
	*ret_len = (size_t)len;
	return text;
}

static void load(struct arena *arena, const char *config_name, const char *host,
		 struct config **ret_config, struct facts *ret_facts)
{
	struct err err = ERR_INIT;
	size_t len;
	char *text;

	text = read_file(arena, arena_printf(arena, "%s.json", config_name), &len);
	if (config_read(arena, text, len, ret_config, &err) < 0)
		fail_msg("%s: %s at %s", config_name, err.text, err.pointer);
	text = read_file(arena, arena_printf(arena, "facts-%s.json", host), &len);
	if (facts_load(arena, text, len, ret_facts, &err) < 0)
		fail_msg("%s: %s at %s", host, err.text, err.pointer);
}

/* explain's form of the plan, or the refusal. In the arena. */
static char *explain(struct arena *arena, const char *config_name, const char *host,
		     enum explain_format format)
{
	struct create_options options = run_options;
	struct err err = ERR_INIT;
	struct plan plan = { 0 };
	struct config *config;
	struct facts facts;
	struct plan_input in = { .facts = &facts, .options = &options };
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *out;

	load(arena, config_name, host, &config, &facts);
	if (strcmp(config_name, "unit") == 0)
		options.cgroups = CGROUPS_SYSTEMD;
	in.config = config;
	out = open_memstream(&text, &len);
	assert_non_null(out);
	if (plan_create(&plan, &in, &err) < 0) {
		fprintf(out, "%s\nhint: %s\n", err.text, err.hint);
	} else {
		if (plan_check(&plan, &err) < 0)
			fail_msg("%s for %s: %s", config_name, host, err.text);
		explain_plan(out, &plan, &run_options, format, false);
	}
	fclose(out);
	copy = arena_strndup(arena, text, len);
	free(text);
	plan_clear(&plan);
	return copy;
}

/* The plan of `exec web sh` in the container that the config makes on that host. */
static char *explain_exec(struct arena *arena, const char *config_name, const char *host)
{
	static const char *const words[] = { "sh", "-c", "id" };
	struct create_options options = { .id = "web", .rootfs = "/bundle/rootfs", .run = true };
	struct enter_input in = { .options = &options, .pid = 1234, .start_time = 5 };
	struct config_process process;
	struct err err = ERR_INIT;
	struct plan plan = { 0 };
	struct cgroup_dir *dirs;
	struct config *config;
	struct facts facts;
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *out;

	load(arena, config_name, host, &config, &facts);
	process = config->process;
	process.args = (struct str_list){ (const char **)(uintptr_t)words, ARRAY_LEN(words) };
	dirs = arena_array(arena, facts.cgroup.n, sizeof(*dirs));
	for (size_t i = 0; i < facts.cgroup.n; i++)
		dirs[i] = (struct cgroup_dir){
			.path = arena_printf(arena, "%s/web", facts.cgroup.items[i].mount),
			.mount = facts.cgroup.items[i].mount,
			.v2 = facts.cgroup.items[i].v2,
		};
	for (int type = 0; type < NS_TYPES; type++)
		in.namespaces |= config->linux_.namespaces[type].mode ? ns_clone_flags[type] : 0;
	in.config = config;
	in.process = &process;
	in.facts = &facts;
	in.cgroups = dirs;
	in.n_cgroups = facts.cgroup.n;

	out = open_memstream(&text, &len);
	assert_non_null(out);
	if (plan_enter(&plan, &in, &err) < 0)
		fail_msg("%s for %s: %s", config_name, host, err.text);
	if (plan_check(&plan, &err) < 0)
		fail_msg("%s for %s: %s", config_name, host, err.text);
	explain_plan(out, &plan, &options, EXPLAIN_TEXT, false);
	fclose(out);
	copy = arena_strndup(arena, text, len);
	free(text);
	plan_clear(&plan);
	return copy;
}

static void write_file(struct arena *arena, const char *name, const char *text)
{
	FILE *file = fopen(data_path(arena, name), "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* The first line that differs says more than "strings differ". */
static void compare(const char *name, const char *text, const char *golden)
{
	size_t line = 1;

	while (*text && *text == *golden) {
		line += *text == '\n';
		text++;
		golden++;
	}
	if (*text != *golden)
		fail_msg("%s differs in line %zu, now \"%.*s\", before \"%.*s\"; if that is right, "
			 "run with --update",
			 name, line, (int)strcspn(text, "\n"), text, (int)strcspn(golden, "\n"),
			 golden);
}

static void check_plan(const char *config, const char *host)
{
	defer_arena struct arena arena = { 0 };
	char *name = arena_printf(&arena, "%s-%s.txt", config, host);
	char *text = explain(&arena, config, host, EXPLAIN_TEXT);
	size_t len;

	if (update)
		write_file(&arena, name, text);
	else
		compare(name, text, read_file(&arena, name, &len));
}

static void test_golden_plans(void **state)
{
	for (size_t c = 0; c < ARRAY_LEN(configs); c++) {
		for (size_t h = 0; h < ARRAY_LEN(hosts); h++)
			check_plan(configs[c], hosts[h]);
	}
	for (size_t h = 0; h < ARRAY_LEN(hardware_hosts); h++)
		check_plan("hardware", hardware_hosts[h]);
	for (size_t h = 0; h < ARRAY_LEN(unit_hosts); h++)
		check_plan("unit", unit_hosts[h]);
}

static void test_golden_exec_plans(void **state)
{
	static const char *const exec_hosts[] = { "hybrid", "v2" };

	for (size_t c = 0; c < ARRAY_LEN(configs); c++) {
		for (size_t h = 0; h < ARRAY_LEN(exec_hosts); h++) {
			defer_arena struct arena arena = { 0 };
			char *name =
				arena_printf(&arena, "exec-%s-%s.txt", configs[c], exec_hosts[h]);
			char *text = explain_exec(&arena, configs[c], exec_hosts[h]);
			size_t len;

			if (update)
				write_file(&arena, name, text);
			else
				compare(name, text, read_file(&arena, name, &len));
		}
	}
}

/* The JSON form is JSON, and has each step with all of its members. */
static void test_json_form(void **state)
{
	static const char *const members[] = { "index",   "who", "kind",  "pointer",
					       "command", "why", "slots", "arguments" };
	defer_arena struct arena arena = { 0 };
	char *text = explain(&arena, "docker", "hybrid", EXPLAIN_JSON);
	const struct json *root, *steps, *step;
	struct err err = ERR_INIT;
	uint64_t index;

	if (json_parse(&arena, text, strlen(text), &root, &err) < 0)
		fail_msg("%s", err.text);
	steps = json_member(root, "steps");
	assert_non_null(steps);
	assert_true(steps->len > 50);
	json_each(step, steps) {
		for (size_t i = 0; i < ARRAY_LEN(members); i++) {
			if (!json_member(step, members[i]))
				fail_msg("step %u has no \"%s\"", step->index, members[i]);
		}
		assert_int_equal(json_u64(json_member(step, "index"), &index), 0);
		assert_int_equal(index, step->index);
	}
	assert_non_null(json_member(root, "ignored"));
	assert_non_null(json_member(root, "warnings"));
}

/* What is ignored is said, with the name that was probably meant. */
static void test_ignored(void **state)
{
	defer_arena struct arena arena = { 0 };
	char *text = explain(&arena, "user", "v2", EXPLAIN_TEXT);

	assert_non_null(strstr(
		text, "/linux/seccompProfile: unknown property; did you mean /linux/seccomp?\n"));
	assert_null(strstr(text, "\033["));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_plans),
		cmocka_unit_test(test_golden_exec_plans),
		cmocka_unit_test(test_json_form),
		cmocka_unit_test(test_ignored),
	};

	update = argc == 2 && strcmp(argv[1], "--update") == 0;
	return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
