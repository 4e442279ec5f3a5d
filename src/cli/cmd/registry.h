/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pull, push, copy, login and logout share: their options, and how they show how far they are. */
#ifndef TARE_CLI_CMD_REGISTRY_H
#define TARE_CLI_CMD_REGISTRY_H

#include "cli/cmd/command.h"
#include "engine/transfer.h"

/* What skopeo calls a name at a registry by. */
#define REGISTRY_PREFIX "docker://"

/* A switch that need not be given: then registries.conf decides. */
struct maybe {
	bool given, value;
};

option_set option_set_maybe;

struct registry_args {
	struct maybe tls_verify;
	const char *authfile, *creds, *cert_dir;
};

/* The rows of an option table for a struct registry_args that is a member of the command's */
#define REGISTRY_OPTIONS(type, member)                                                             \
	{ "tls-verify",                                                                            \
	  0,                                                                                       \
	  NULL,                                                                                    \
	  "check the registry's certificate, and never fall back to http (default)",               \
	  option_set_maybe,                                                                        \
	  offsetof(type, member.tls_verify) },                                                     \
		{ "authfile",      0,                                                              \
		  "FILE",          "where names and passwords are kept",                           \
		  option_set_text, offsetof(type, member.authfile) },                              \
	{                                                                                          \
		"cert-dir", 0, "DIR", "certificates of the registry: *.crt, *.cert and *.key",     \
			option_set_text, offsetof(type, member.cert_dir)                           \
	}
#define CREDS_OPTION(type, member)                                                                 \
	{                                                                                          \
		"creds", 0, "CREDENTIAL", "NAME:PASSWORD, instead of what is kept",                \
			option_set_text, offsetof(type, member.creds)                              \
	}

struct registry_access registry_access_of(const struct registry_args *args);

/* How far it is, on standard error: bars on a terminal, lines elsewhere. */
struct progress {
	bool quiet, terminal;
	size_t lines;   /* that were drawn last time */
	uint64_t shown; /* bits: items whose end was told; those above 63 are told by the last */
};

void progress_init(struct progress *progress, bool quiet);
struct transfer_watch progress_watch(struct progress *progress);

/* registry_platform() - of --platform, or of this machine. @ret_given: whether it was the option */
int registry_platform(struct arena *arena, const char *option, struct platform *ret,
		      struct err *err) MUST_CHECK;

#endif
