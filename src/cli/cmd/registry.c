/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/registry.h"

#include "image/image.h"

int option_set_maybe(void *member, const char *value, struct err *err)
{
	struct maybe *maybe = member;

	maybe->given = true;
	return option_set_switch(&maybe->value, value, err);
}

struct registry_access registry_access_of(const struct registry_args *args)
{
	return (struct registry_access){
		.insecure = args->tls_verify.given && !args->tls_verify.value,
		.secure = args->tls_verify.given && args->tls_verify.value,
		.authfile = args->authfile,
		.creds = args->creds,
		.cert_dir = args->cert_dir,
	};
}

int registry_platform(struct arena *arena, const char *option, struct platform *ret,
		      struct err *err)
{
	struct platform host = image_host_platform(arena);

	if (option)
		return platform_parse(arena, option, &host, ret, err);
	*ret = host;
	return 0;
}
