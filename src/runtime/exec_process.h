/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What exec runs: the container's own process, or process.json, and what options change about it. Pure.
 */
#ifndef TARE_RUNTIME_EXEC_PROCESS_H
#define TARE_RUNTIME_EXEC_PROCESS_H

#include "runtime/container.h"

/*
 * exec_process_inherit() - what process.json leaves out is as the container's own process has it
 *
 * That is: capabilities, rlimits, labels, umask, the OOM killer's score, scheduler, I/O priority and CPU affinity: what
 * confines it must not be lost by silence. Its user, environment, directory and terminal are its own.
 */
void exec_process_inherit(struct config_process *process, const struct config_process *saved);

/*
 * exec_process_change() - apply the options
 * @process: changed in place; new lists are in the arena
 * Return: 0; -EINVAL and *err for a value that can't be meant
 */
int exec_process_change(struct arena *arena, struct config_process *process,
			const struct process_changes *changes, struct err *err) MUST_CHECK;

#endif
