/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/why.h"

#include "engine/restart_policy.h"
#include "os/dir.h"
#include "spec/words.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MIB ((double)(1024 * 1024))

static const char *add(struct arena *arena, const char *text, const char *more)
{
	return *text ? arena_printf(arena, "%s\n%s", text, more) : more;
}

static const char *how(struct arena *arena, const struct container_record *record)
{
	const char *name = words_name(&words_signal, record->signal);

	if (record->exit_status < 0)
		return "nobody saw how it ended: its monitor was killed, or the machine went down";
	if (record->signal)
		return arena_printf(arena, "killed by signal %llu%s%s%s",
				    (unsigned long long)record->signal, name ? " (SIG" : "",
				    name ? name : "", name ? ")" : "");
	return arena_printf(arena, "its program ended with status %lld",
			    (long long)record->exit_status);
}

static const char *memory(struct arena *arena, const struct container_record *record)
{
	const char *text =
		arena_printf(arena, "out of memory: the kernel killed %llu of its processes",
			     (unsigned long long)record->oom_kills);

	if (record->memory_limit)
		text = arena_printf(arena, "%s; the limit is %.1f MiB", text,
				    (double)record->memory_limit / MIB);
	if (record->memory_peak)
		text = arena_printf(arena, "%s, and %.1f MiB were used", text,
				    (double)record->memory_peak / MIB);
	return text;
}

static bool was_stopped(struct arena *arena, const struct roots *roots,
			const struct container_record *record)
{
	return os_exists_at(AT_FDCWD,
			    arena_printf(arena, "%s/" CONTAINERS_DIRECTORY "/%s/" STOP_MARKER,
					 roots->root, record->id)) == 1;
}

const char *why_text(struct arena *arena, const struct roots *roots,
		     const struct container_record *record)
{
	const char *text = "";

	if (record->error)
		text = add(arena, text, arena_printf(arena, "its start failed: %s", record->error));
	if (!record->started)
		return add(arena, text, "it was never started");
	if (!record->finished)
		return add(arena, text, "it has ended, and that is being recorded");
	text = add(arena, text, how(arena, record));
	if (record->oom_kills)
		text = add(arena, text, memory(arena, record));
	if (was_stopped(arena, roots, record))
		text = add(arena, text, "it was told to end: by stop, kill or restart");
	if (record->restarting)
		text = add(arena, text, "it will be started again");
	else if (record->restart.policy && record->restart.max &&
		 record->restart.count >= record->restart.max)
		text = add(arena, text,
			   arena_printf(arena,
					"it was started again %llu times, which is all that "
					"its policy allows",
					(unsigned long long)record->restart.count));
	if (record->log_dropped)
		text = add(arena, text,
			   arena_printf(arena, "%llu bytes of its output could not be logged",
					(unsigned long long)record->log_dropped));
	return text;
}
