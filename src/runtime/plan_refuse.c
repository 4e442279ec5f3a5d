/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the runtime-spec knows and this version of tare does not. Refused before anything is planned: a container that
 * starts without the confinement that its config asks for is worse than one that doesn't start.
 */
#include "runtime/planners.h"

static bool has_intel_rdt(const struct config *config)
{
	return config->linux_.intel_rdt.set;
}

static const struct {
	bool (*is_asked_for)(const struct config *config);
	const char *what, *pointer, *hint;
} refused[] = {
	{ has_intel_rdt, "join a class of service of Intel RDT", "/linux/intelRdt",
	  "leave linux.intelRdt out" },
};

int plan_refused(struct planner_state *s, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (!refused[i].is_asked_for(s->config))
			continue;
		err_user_code(err, -EOPNOTSUPP, "%s: not supported yet by this version of tare",
			      refused[i].what);
		err_hint(err, "%s", refused[i].hint);
		return err_at(err, refused[i].pointer);
	}
	return 0;
}
