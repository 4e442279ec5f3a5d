/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `info`: this host, this store, and what has to be done another way here. By docker's names. */
#include "base/json_write.h"
#include "base/version.h"
#include "cli/cmd/command.h"
#include "cli/format_print.h"
#include "cli/human.h"
#include "engine/info.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

struct args {
	const char *format;
};

/* What can't be had here in the usual way, and what is done instead; NULL behind the last */
static void find_fallbacks(const struct engine_info *info, const char *ret[static 3])
{
	size_t n = 0;

	if (!info->means.upper)
		ret[n++] =
			"the store is on a filesystem that can't hold an overlay's upper directory: what "
			"throw-away containers write is in memory, others get a copy of their image";
	if (!info->means.mapped)
		ret[n++] =
			"layers can't be seen through other ids here: with --userns an image is copied once "
			"for each mapping";
	ret[n] = NULL;
}

static const char *cgroup_driver(const struct cli *cli, const struct engine_info *info)
{
	if (cli->cgroups == CGROUPS_DISABLED || info->facts.cgroup.mode == CGROUP_NONE)
		return "none";
	return cli->cgroups == CGROUPS_SYSTEMD ? "systemd" : "cgroupfs";
}

static const char *cgroup_version(const struct engine_info *info)
{
	return info->facts.cgroup.mode == CGROUP_V2 ? "2" : "1";
}

static void add_security(struct json_writer *w, const struct engine_info *info)
{
	const struct {
		bool is_there;
		const char *text;
	} all[] = {
		{ info->facts.seccomp, "name=seccomp,profile=builtin" },
		{ info->facts.apparmor, "name=apparmor" },
		{ info->facts.selinux, "name=selinux" },
		{ info->facts.rootless, "name=rootless" },
		{ info->facts.namespaces & CLONE_NEWCGROUP, "name=cgroupns" },
	};

	json_array_begin(w, "SecurityOptions");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].is_there)
			json_add_string(w, NULL, all[i].text);
	}
	json_array_end(w);
}

static int make_document(struct cli *cli, struct arena *arena, const struct engine_info *info,
			 const struct json **ret, struct err *err)
{
	const char *fallbacks[3];
	struct json_writer w;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "ServerVersion", tare_version);
	json_add_string(&w, "Name", info->host);
	json_add_u64(&w, "Containers", info->running + info->paused + info->stopped);
	json_add_u64(&w, "ContainersRunning", info->running);
	json_add_u64(&w, "ContainersPaused", info->paused);
	json_add_u64(&w, "ContainersStopped", info->stopped);
	json_add_u64(&w, "Images", info->images);
	json_add_string(&w, "Driver", "overlay");
	json_add_string(&w, "DockerRootDir", cli->root);
	json_add_string(&w, "RunRoot", cli->runroot);
	json_add_string(&w, "CgroupDriver", cgroup_driver(cli, info));
	json_add_string(&w, "CgroupVersion", cgroup_version(info));
	json_add_string(&w, "CgroupMode", cgroup_mode_names[info->facts.cgroup.mode]);
	json_add_string(&w, "LoggingDriver", "json-file");
	json_add_string(&w, "KernelVersion", info->kernel);
	json_add_string(&w, "OperatingSystem", info->system);
	json_add_string(&w, "OSType", "linux");
	json_add_string(&w, "Architecture", info->machine);
	json_add_u64(&w, "NCPU", info->cpus);
	json_add_u64(&w, "MemTotal", info->memory);
	add_security(&w, info);
	json_add_bool(&w, "Rootless", info->facts.rootless);
	json_array_begin(&w, "Fallbacks");
	find_fallbacks(info, fallbacks);
	for (size_t i = 0; fallbacks[i]; i++)
		json_add_string(&w, NULL, fallbacks[i]);
	json_array_end(&w);
	json_object_end(&w);
	return json_writer_read(&w, ret, err);
}

static void print_line(const char *name, const char *text)
{
	printf("%-16s%s\n", name, text);
}

static void print_text(struct cli *cli, struct arena *arena, const struct engine_info *info)
{
	const char *fallbacks[3];

	print_line("version", tare_version);
	print_line("host", arena_printf(arena, "%s, %s, kernel %s, %s", info->host, info->system,
					info->kernel, info->machine));
	print_line("machine",
		   arena_printf(arena, "%llu CPUs, %s of memory", (unsigned long long)info->cpus,
				human_size(arena, info->memory)));
	print_line("containers", arena_printf(arena, "%zu running, %zu paused, %zu stopped",
					      info->running, info->paused, info->stopped));
	print_line("images", arena_printf(arena, "%zu", info->images));
	print_line("root", cli->root);
	print_line("runroot", cli->runroot);
	print_line("cgroups",
		   arena_printf(arena, "%s, by %s", cgroup_mode_names[info->facts.cgroup.mode],
				cgroup_driver(cli, info)));
	print_line("security",
		   arena_printf(arena, "%s%s%s%s", info->facts.seccomp ? "seccomp" : "no seccomp",
				info->facts.apparmor ? ", AppArmor" : "",
				info->facts.selinux ? ", SELinux" : "",
				info->facts.rootless ? ", rootless" : ""));
	find_fallbacks(info, fallbacks);
	for (size_t i = 0; fallbacks[i]; i++)
		print_line(i == 0 ? "done another way" : "", fallbacks[i]);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	struct roots roots = roots_of(cli);
	const struct json *document;
	struct engine_info info;
	int r = info_read(&arena, &roots, &info, err);

	if (r == 0 && !a->format)
		print_text(cli, &arena, &info);
	if (r < 0 || !a->format)
		return r;
	r = make_document(cli, &arena, &info, &document, err);
	return r < 0 ? r : output_form_print(&arena, a->format, document, err);
}

static const struct option options[] = {
	{ "format", 'f', "FORMAT", "json, or a Go template: {{.ServerVersion}}", option_set_text,
	  offsetof(struct args, format) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_info = {
	.name = "info",
	.alias = "system info",
	.operands = "",
	.summary = "show what there is here, and what has to be done another way",
	.options = options,
	.run = run,
};
