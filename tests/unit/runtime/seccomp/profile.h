/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles for the tests: read from text or a file by the real reader, and compiled. */
#ifndef TARE_TESTS_SECCOMP_PROFILE_H
#define TARE_TESTS_SECCOMP_PROFILE_H

#include "runtime/seccomp.h"

/* profile_read() - what stands in linux.seccomp; ' may stand for ". Ends the program if the reader refuses it */
const struct config_seccomp *profile_read(struct arena *arena, const char *text);

/* profile_file() - the same from a file in tests/data */
const struct config_seccomp *profile_file(struct arena *arena, const char *name);

#endif
