/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl, loaded when it is first needed. It brings some thirty libraries with it, and a container that starts from an
 * image that is there already should not wait for them.
 */
#ifndef TARE_REGISTRY_CURL_H
#define TARE_REGISTRY_CURL_H

#include "base/err.h"

/* The checking macros call functions by name, and here they are members. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/* X(name): the functions of libcurl that are used, without their "curl_" */
#define CURL_FUNCTIONS(X)                                                                          \
	X(global_init)                                                                             \
	X(version_info)                                                                            \
	X(free)                                                                                    \
	X(slist_append)                                                                            \
	X(slist_free_all)                                                                          \
	X(url)                                                                                     \
	X(url_cleanup)                                                                             \
	X(url_set)                                                                                 \
	X(url_get)                                                                                 \
	X(easy_init)                                                                               \
	X(easy_cleanup)                                                                            \
	X(easy_reset)                                                                              \
	X(easy_pause)                                                                              \
	X(easy_setopt)                                                                             \
	X(easy_getinfo)                                                                            \
	X(easy_strerror)                                                                           \
	X(multi_init)                                                                              \
	X(multi_cleanup)                                                                           \
	X(multi_add_handle)                                                                        \
	X(multi_remove_handle)                                                                     \
	X(multi_perform)                                                                           \
	X(multi_poll)                                                                              \
	X(multi_info_read)

#define CURL_MEMBER(name) __typeof__(&curl_##name) name;
struct curl_functions {
	CURL_FUNCTIONS(CURL_MEMBER)
};
#undef CURL_MEMBER

/*
 * curl_load() - libcurl's functions
 *
 * They stay valid for ever. Return: 0; -ENOENT with the package's name if there is no libcurl; -errno
 */
int curl_load(const struct curl_functions **ret, struct err *err) MUST_CHECK;

#endif
