/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `--version` and `features` say of this build. In an object of its own: only that one changes with each commit. */
#ifndef TARE_BASE_VERSION_H
#define TARE_BASE_VERSION_H

extern const char tare_version[]; /* "0.1.0" */
extern const char tare_commit[];  /* the commit that was built, or "unknown" outside a repository */

#endif
