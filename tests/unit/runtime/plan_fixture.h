/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process planners on whole configs: a config in parts, one planner run on it, and a look at its steps. No system call, so
 * it needs no root.
 */
#ifndef TARE_TESTS_PLAN_FIXTURE_H
#define TARE_TESTS_PLAN_FIXTURE_H

#include "runtime/planners.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ALL_CAPS  ((1ULL << 41) - 1)
#define CAP(name) (1ULL << (name))

struct fixture {
	struct arena arena;
	struct facts facts;
	struct create_options options;
	struct plan plan;
	struct planner_state s;
	struct err err;
};

/* A config from its parts: process.user, members of process after the required ones, members of the top. */
static inline struct fixture *make_for(const char *user, const char *process, const char *top)
{
	static struct fixture f;
	struct config *config;
	char text[8192];
	int len;

	memset(&f, 0, sizeof(f));
	len = snprintf(text, sizeof(text),
		       "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":"
		       "\"/work\",\"args\":[\"sh\"],"
		       "\"user\":{%s}%s%s}%s%s}",
		       user, process[0] ? "," : "", process, top[0] ? "," : "", top);
	f.err = ERR_INIT;
	if (config_read(&f.arena, text, (size_t)len, &config, &f.err) < 0)
		fail_msg("config_read: %s (%s)\n%s", f.err.text, f.err.pointer, text);
	f.facts = (struct facts){ .capabilities = ALL_CAPS,
				  .last_cap = 40,
				  .kernel_version = 6 << 16 | 18 << 8 };
	f.options = (struct create_options){ .id = "web", .bundle = "/bundle", .run = true };
	f.s = (struct planner_state){
		.plan = &f.plan,
		.config = config,
		.facts = &f.facts,
		.options = &f.options,
		.slots = { .proc = 7 },
		.hook_stdout = SLOT_NONE,
		.hook_stderr = SLOT_NONE,
	};
	return &f;
}

static inline struct fixture *make(const char *process, const char *top)
{
	return make_for("\"uid\":0,\"gid\":0", process, top);
}

static inline void done(struct fixture *f)
{
	plan_clear(&f->plan);
	arena_clear(&f->arena);
}

static inline void run(struct fixture *f, planner *plan)
{
	if (plan(&f->s, &f->err) < 0)
		fail_msg("planner: %s (%s)", f->err.text, f->err.pointer);
}

/* "p:rlimit c:execute": who and what, in order. */
static inline const char *kinds(struct fixture *f)
{
	static char text[2048];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < f->plan.n_steps; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c:%s", i ? " " : "",
					"pscS"[f->plan.steps[i].who],
					step_names[f->plan.steps[i].kind]);
	return text;
}

/* The @nth step of a kind. */
static inline struct step *find_nth(struct fixture *f, enum step_kind kind, int nth)
{
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		if (f->plan.steps[i].kind == kind && nth-- == 0)
			return &f->plan.steps[i];
	}
	fail_msg("no step %s in: %s", step_names[kind], kinds(f));
	return NULL;
}

static inline struct step *find(struct fixture *f, enum step_kind kind)
{
	return find_nth(f, kind, 0);
}

static inline bool has_warning(struct fixture *f, const char *part)
{
	for (size_t i = 0; i < f->plan.warnings.n; i++) {
		if (strstr(f->plan.warnings.items[i], part))
			return true;
	}
	return false;
}

#define USER_NS                                                                                    \
	"\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"pid\"}],"                      \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":1000}],"                   \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":1000}]}"

#define ALLOW_ALL "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"

#endif
