/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can this machine run programs of another architecture: does the kernel hand them to an interpreter, such as qemu-user.
 *
 * Asked of the entries themselves, whatever they are called: which one's magic is that of an ELF file for the architecture. It
 * must have flag F, since without it the interpreter is looked for by its path inside the container, which doesn't have it.
 *
 * Spec: kernel Documentation/admin-guide/binfmt-misc.rst
 */
#ifndef TARE_ENGINE_BINFMT_H
#define TARE_ENGINE_BINFMT_H

#include "base/err.h"

#include <stdbool.h>

#define BINFMT_DIRECTORY "/proc/sys/fs/binfmt_misc"

enum binfmt_answer {
	BINFMT_NO,         /* nobody runs them */
	BINFMT_NOT_INSIDE, /* somebody does, but not in a container: flag F is missing */
	BINFMT_YES,
};

/*
 * binfmt_runs() - does an interpreter run programs of @architecture
 * @directory:    BINFMT_DIRECTORY, or what a test has in its place
 * @architecture: as images say it: "arm64"
 *
 * What can't be read counts as not there.
 */
enum binfmt_answer binfmt_runs(const char *directory, const char *architecture) MUST_CHECK;

/* binfmt_hint() - what to do about an image that nothing here runs. Return: the error's code */
int binfmt_hint(struct err *err, enum binfmt_answer answer, const char *architecture);

#endif
