/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/curl.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libcurl-gnutls.so.4"

/* The casts of dlsym(): POSIX promises that a function fits into a void pointer. */
static int find(void *library, const char *name, void *ret, struct err *err)
{
	void *symbol = dlsym(library, name);

	if (!symbol)
		return err_user_code(err, -ENOENT, "find \"%s\" in " LIBRARY ": it is too old",
				     name);
	memcpy(ret, &symbol, sizeof(symbol));
	return 0;
}

int curl_load(const struct curl_functions **ret, struct err *err)
{
	static struct curl_functions functions;
	static void *library;
	int r = 0;

	if (library) {
		*ret = &functions;
		return 0;
	}
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		err_user_code(err, -ENOENT, "load " LIBRARY ": %s", dlerror());
		return err_hint(err, "install it; on Debian it is libcurl3-gnutls");
	}
#define CURL_FIND(name)                                                                            \
	if (r == 0)                                                                                \
		r = find(library, "curl_" #name, &functions.name, err);
	CURL_FUNCTIONS(CURL_FIND)
#undef CURL_FIND
	if (r == 0 && functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(err, -ENOMEM, "prepare " LIBRARY);
	if (r < 0) {
		dlclose(take_ptr(library));
		return r;
	}
	*ret = &functions;
	return 0;
}
