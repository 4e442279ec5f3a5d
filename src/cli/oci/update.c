/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `update`: options are another way to write a LinuxResources object, so they become one; from there on there is one way.
 */
#include "base/json_write.h"
#include "base/num.h"
#include "cli/oci/command.h"
#include "base/size.h"
#include "os/file.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <string.h>

struct args {
	const char *resources;
	/* as written; in the order of the table below */
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime,
		*cpu_idle;
	const char *cpuset_cpus, *cpuset_mems;
	const char *blkio_weight, *pids_limit;
	const char *l3_cache_schema, *mem_bw_schema;
};

enum kind { SIZE, NUMBER, TEXT, NO_EFFECT, RDT };

/* What each option is in the object. Those of one group stand together. */
static const struct limit {
	const char *option, *group, *name;
	size_t offset;
	enum kind kind;
} limits[] = {
	{ "memory", "memory", "limit", offsetof(struct args, memory), SIZE },
	{ "memory-reservation", "memory", "reservation", offsetof(struct args, memory_reservation),
	  SIZE },
	{ "memory-swap", "memory", "swap", offsetof(struct args, memory_swap), SIZE },
	{ "cpu-period", "cpu", "period", offsetof(struct args, cpu_period), NUMBER },
	{ "cpu-quota", "cpu", "quota", offsetof(struct args, cpu_quota), NUMBER },
	{ "cpu-burst", "cpu", "burst", offsetof(struct args, cpu_burst), NUMBER },
	{ "cpu-share", "cpu", "shares", offsetof(struct args, cpu_share), NUMBER },
	{ "cpu-rt-period", "cpu", "realtimePeriod", offsetof(struct args, cpu_rt_period), NUMBER },
	{ "cpu-rt-runtime", "cpu", "realtimeRuntime", offsetof(struct args, cpu_rt_runtime),
	  NUMBER },
	{ "cpu-idle", "cpu", "idle", offsetof(struct args, cpu_idle), NUMBER },
	{ "cpuset-cpus", "cpu", "cpus", offsetof(struct args, cpuset_cpus), TEXT },
	{ "cpuset-mems", "cpu", "mems", offsetof(struct args, cpuset_mems), TEXT },
	{ "blkio-weight", "blockIO", "weight", offsetof(struct args, blkio_weight), NUMBER },
	{ "pids-limit", "pids", "limit", offsetof(struct args, pids_limit), NUMBER },
	{ "kernel-memory", NULL, NULL, offsetof(struct args, kernel_memory), NO_EFFECT },
	{ "kernel-memory-tcp", NULL, NULL, offsetof(struct args, kernel_memory_tcp), NO_EFFECT },
	{ "l3-cache-schema", NULL, NULL, offsetof(struct args, l3_cache_schema), RDT },
	{ "mem-bw-schema", NULL, NULL, offsetof(struct args, mem_bw_schema), RDT },
};

static const char *value_of(const struct args *args, const struct limit *limit)
{
	return *(const char *const *)((const char *)args + limit->offset);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static int add_number(struct json_writer *w, const struct limit *limit, const char *text,
		      struct err *err)
{
	int64_t number;
	int r;

	r = limit->kind == SIZE ? size_parse(text, &number)
				: num_parse_i64(text, INT64_MIN, INT64_MAX, &number);
	if (r < 0) {
		err_user(err, "read option \"--%s\": \"%s\" is no %s", limit->option, text,
			 limit->kind == SIZE ? "size" : "number");
		return limit->kind == SIZE ? err_hint(err, "a size is a number of bytes, or one "
							   "like 512m or 1.5g; -1 is no limit")
					   : err->code;
	}
	json_add_i64(w, limit->name, number);
	return 0;
}

static int add_limit(struct cli *cli, struct json_writer *w, const struct limit *limit,
		     const char *text, struct err *err)
{
	switch (limit->kind) {
	case SIZE:
	case NUMBER:
		return add_number(w, limit, text, err);
	case TEXT:
		json_add_string(w, limit->name, text);
		return 0;
	case NO_EFFECT:
		log_write(&cli->log, LOG_LEVEL_WARNING,
			  "option \"--%s\" has no effect: Linux doesn't limit kernel memory on its "
			  "own any more",
			  limit->option);
		return 0;
	case RDT: /* no part of the object; see run() */
		break;
	}
	return 0;
}

/* The object that the options mean, in @arena */
static int from_options(struct cli *cli, struct arena *arena, const struct args *args,
			char **ret_text, size_t *ret_len, struct err *err)
{
	const char *group = NULL;
	struct json_writer w;
	int r;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const char *text = value_of(args, &limits[i]);

		if (!text)
			continue;
		if (limits[i].group && (!group || strcmp(group, limits[i].group) != 0)) {
			if (group)
				json_object_end(&w);
			group = limits[i].group;
			json_object_begin(&w, group);
		}
		r = add_limit(cli, &w, &limits[i], text, err);
		if (r < 0)
			return r;
	}
	if (group)
		json_object_end(&w);
	json_object_end(&w);
	*ret_text = json_writer_text(&w, ret_len);
	return 0;
}

/* "/memory/limit" means nothing to who wrote --memory. */
static int name_option(struct err *err)
{
	char pointer[ERR_POINTER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (!limits[i].group)
			continue;
		snprintf(pointer, sizeof(pointer), "/%s/%s", limits[i].group, limits[i].name);
		if (strcmp(pointer, err->pointer) == 0) {
			err->pointer[0] = '\0';
			return err_context(err, "apply option \"--%s\"", limits[i].option);
		}
	}
	return err->code;
}

/* ---- a file ----------------------------------------------------------------------------------------------------- */

static void warn_of_options(struct cli *cli, const struct args *args)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (limits[i].kind != RDT && value_of(args, &limits[i]))
			log_write(&cli->log, LOG_LEVEL_WARNING,
				  "option \"--%s\" has no effect beside \"--resources\"",
				  limits[i].option);
	}
}

static int from_file(struct arena *arena, const char *path, char **ret_text, size_t *ret_len,
		     struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	defer_close int file = -EBADF;
	int r;

	if (!is_stdin) {
		file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (file < 0)
			return err_sys(err, "open \"%s\"", path);
	}
	r = os_file_read(arena, is_stdin ? STDIN_FILENO : file, CONFIG_MAX_BYTES, ret_text,
			 ret_len);
	return r < 0 ? err_set(err, r, "read the resources from \"%s\"",
			       is_stdin ? "standard input" : path)
		     : 0;
}

/* ----------------------------------------------------------------------------------------------------------------- */

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	const struct config_intel_rdt rdt = { .l3_cache_schema = a->l3_cache_schema,
					      .mem_bw_schema = a->mem_bw_schema };
	struct report report = command_report(cli);
	defer_arena struct arena arena = { 0 };
	size_t len;
	char *text;
	int r;

	if (container_id_check(words->words[0], err) < 0)
		return err->code;
	if (a->resources) {
		warn_of_options(cli, a);
		r = from_file(&arena, a->resources, &text, &len, err);
	} else {
		r = from_options(cli, &arena, a, &text, &len, err);
	}
	if (r < 0)
		return r;
	r = container_update(cli->root, words->words[0], text, len, &rdt, &report, err);
	return r < 0 && !a->resources ? name_option(err) : r;
}

#define UPDATE_OPTION(word, letter, arg, help, member)                                             \
	{                                                                                          \
		word, letter, arg, help, option_set_text, offsetof(struct args, member)            \
	}

static const struct option options[] = {
	UPDATE_OPTION("resources", 'r', "FILE", "a LinuxResources object; - is standard input",
		      resources),
	UPDATE_OPTION("memory", 0, "BYTES", "limit of memory, -1: none", memory),
	UPDATE_OPTION("memory-reservation", 0, "BYTES", "what is left to it when memory is short",
		      memory_reservation),
	UPDATE_OPTION("memory-swap", 0, "BYTES", "limit of memory and swap together, -1: none",
		      memory_swap),
	UPDATE_OPTION("cpu-period", 0, "US", "in which the quota may be used", cpu_period),
	UPDATE_OPTION("cpu-quota", 0, "US", "CPU time in a period, -1: no limit", cpu_quota),
	UPDATE_OPTION("cpu-burst", 0, "US", "unused quota that may be saved up", cpu_burst),
	UPDATE_OPTION("cpu-share", 0, "N", "weight against others, 2 to 262144", cpu_share),
	UPDATE_OPTION("cpu-rt-period", 0, "US", "the same for real-time processes", cpu_rt_period),
	UPDATE_OPTION("cpu-rt-runtime", 0, "US", "real-time CPU time in such a period",
		      cpu_rt_runtime),
	UPDATE_OPTION("cpu-idle", 0, "N", "1: run only when nobody else wants to", cpu_idle),
	UPDATE_OPTION("cpuset-cpus", 0, "LIST", "CPUs to run on, like 0-3,7", cpuset_cpus),
	UPDATE_OPTION("cpuset-mems", 0, "LIST", "memory nodes to use", cpuset_mems),
	UPDATE_OPTION("blkio-weight", 0, "N", "weight of its block I/O, 10 to 1000", blkio_weight),
	UPDATE_OPTION("pids-limit", 0, "N", "limit of processes, -1: none", pids_limit),
	UPDATE_OPTION("kernel-memory", 0, "BYTES", "has no effect", kernel_memory),
	UPDATE_OPTION("kernel-memory-tcp", 0, "BYTES", "has no effect", kernel_memory_tcp),
	UPDATE_OPTION("l3-cache-schema", 0, "LINES",
		      "Intel RDT: parts of the cache, like L3:0=f;1=ff", l3_cache_schema),
	UPDATE_OPTION("mem-bw-schema", 0, "LINE", "Intel RDT: memory bandwidth, like MB:0=50;1=70",
		      mem_bw_schema),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_update = {
	.name = "update",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "change the limits of a container",
	.details = "What is not given stays. A size may have a unit: 512m, 1.5g.",
	.options = options,
	.run = run,
};
