/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `monitor-end`: what a container's monitor becomes when the container has ended. No command for people. */
#include "base/num.h"
#include "cli/cmd/command.h"
#include "engine/containers.h"
#include "engine/detach.h"

#include <limits.h>

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	defer_arena struct arena arena = { 0 };
	struct report report = command_report(cli);
	struct roots roots = roots_of(cli);
	struct container_record record;
	uint64_t lock;
	int r;

	if (num_parse_u64(operands_at(words, 1), 3, INT_MAX, &lock) < 0)
		return err_user(err, "\"%s\" is no file", operands_at(words, 1));
	r = containers_adopt(&arena, &roots, operands_at(words, 0), (int)lock, &dir, err);
	if (r == 0)
		r = containers_load(&arena, &roots, dir.id, &record, err);
	return r == 0 ? containers_settle(&arena, &roots, &dir, &record, &report, err) : r;
}

static const struct option options[] = { OPTION_END };

const struct command command_monitor_end = {
	.name = MONITOR_END,
	.operands = "ID FD",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "clean up after a container that its monitor has seen end",
	.options = options,
	.hidden = true,
	.run = run,
};
