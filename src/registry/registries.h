/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registries.conf: what a short name may stand for, where a registry's images really are, and which registries are insecure
 * or forbidden.
 *
 *     CONTAINERS_REGISTRIES_CONF                           if given, it alone
 *     ~/.config/containers/registries.conf                 or, without that, /etc/containers/registries.conf
 *     /etc/containers/registries.conf.d/NAME.conf           in the order of their names, the user's last; a later one's lists
 *     ~/.config/containers/registries.conf.d/NAME.conf      and tables replace an earlier one's
 *
 * and, for aliases alone, the one that remembers what people have answered: short-name-aliases.conf in the cache
 * (config_cache_path()). It comes last of all, whichever files the others are.
 *
 * Spec: containers-registries.conf(5), containers-registries.conf.d(5)
 */
#ifndef TARE_REGISTRY_REGISTRIES_H
#define TARE_REGISTRY_REGISTRIES_H

#include "registry/session.h"
#include "spec/config.h"
#include "spec/reference.h"

enum mirror_use { MIRROR_ALL, MIRROR_DIGEST_ONLY, MIRROR_TAG_ONLY };

struct mirror {
	const char *location; /* "mirror.example/path" */
	bool insecure;
	enum mirror_use use;
};

struct registry_rule {
	const char *prefix;   /* of the names it is for: "r.example/ns", "*.r.example" */
	const char *location; /* what the prefix becomes; NULL: nothing changes */
	bool insecure, blocked, mirrors_by_digest;
	struct mirror *mirrors;
	size_t n_mirrors;
};

enum short_names { SHORT_NAMES_ENFORCING, SHORT_NAMES_PERMISSIVE, SHORT_NAMES_DISABLED };

struct registries {
	struct str_list search; /* unqualified-search-registries */
	enum short_names short_names;
	struct key_value_list aliases;
	struct str_list helpers; /* credential-helpers, see credential_ask() */
	struct registry_rule *rules;
	size_t n_rules;
	struct str_list
		unknown; /* "FILE: /registry/0/colour", for a warning: names that nobody knows */
};

/* registries_load() - from the files; what is not there is no error. Return: 0; -EINVAL with file and line; -errno */
int registries_load(struct arena *arena, struct registries *ret, struct err *err) MUST_CHECK;

/*
 * registries_read() - one file's text into what was read before
 * @path: for messages
 */
int registries_read(struct arena *arena, const char *path, const char *text, size_t len,
		    struct registries *registries, struct err *err) MUST_CHECK;

struct endpoint_list {
	struct endpoint *items;
	size_t n;
};

/*
 * registries_endpoints() - where to get @reference from: mirrors first, in their order, and then the registry itself
 * @push: mirrors are for reading
 *
 * Return: 0; -EACCES if it is blocked; -EINVAL if it has no registry, or is this machine's alone (localhost/...)
 */
int registries_endpoints(struct arena *arena, const struct registries *registries,
			 const struct reference *reference, bool push, struct endpoint_list *ret,
			 struct err *err) MUST_CHECK;

/*
 * registries_candidates() - what a short name may mean
 * @reference: without a registry
 * @ret:       full names without tag, in @arena: the alias alone, or one for each registry to be searched
 *
 * Which one it is, is for people to say if there are several. Return: 0; -EINVAL if there is none
 */
int registries_candidates(struct arena *arena, const struct registries *registries,
			  const struct reference *reference, struct str_list *ret,
			  struct err *err) MUST_CHECK;

/*
 * registries_remember() - that a short name means @name from now on, in short-name-aliases.conf
 * @name: complete but for the tag: "docker.io/library/nginx"
 */
int registries_remember(struct arena *arena, const char *short_name, const char *name,
			struct err *err) MUST_CHECK;

#endif
