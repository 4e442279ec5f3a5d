/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the runtime says on the way, as lines of the log. */
#include "cli/command.h"

/* Once the plan stands: what the container will not have although its config says so. */
static void report_planned(void *log, const struct plan *plan)
{
	log_write(log, LOG_LEVEL_DEBUG, "planned %zu steps with %zu slots", plan->n_steps,
		  plan->n_slots);
	for (size_t i = 0; i < plan->ignored.n; i++) {
		const struct config_ignored *ignored = &plan->ignored.items[i];

		log_write(log, LOG_LEVEL_WARNING, "ignore %s: %s%s%s%s", ignored->pointer,
			  ignored->why, ignored->near ? " (did you mean " : "",
			  ignored->near ? ignored->near : "", ignored->near ? "?)" : "");
	}
	for (size_t i = 0; i < plan->warnings.n; i++)
		log_write(log, LOG_LEVEL_WARNING, "%s", plan->warnings.items[i]);
}

static void report_line(void *log, const char *text)
{
	log_write(log, LOG_LEVEL_WARNING, "%s", text);
}

struct report command_report(struct cli *cli)
{
	return (struct report){ .planned = report_planned,
				.warning = report_line,
				.to = &cli->log };
}
