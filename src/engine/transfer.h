/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between registries and the store: what pull, push and copy are made of. registry and image know nothing of each other; here
 * bytes go from the one to the other.
 */
#ifndef TARE_ENGINE_TRANSFER_H
#define TARE_ENGINE_TRANSFER_H

#include "engine/roots.h"
#include "image/artifacts.h"
#include "registry/policy.h"
#include "registry/registries.h"
#include "spec/platform.h"

/* How many blobs go at once: docker's number, and what registries are used to. */
#define TRANSFER_AT_ONCE 3

/* How registries are talked to: what the options of pull, push and login say. */
struct registry_access {
	bool insecure;        /* --tls-verify=false */
	bool secure;          /* --tls-verify=true: also where registries.conf says insecure */
	const char *authfile; /* NULL: the usual places */
	const char *cert_dir; /* NULL: the usual ones */
	const char *creds;    /* NAME:PASSWORD; NULL */
};

enum transfer_phase { TRANSFER_WAITS, TRANSFER_MOVES, TRANSFER_UNPACKS, TRANSFER_IS_THERE };

/* What a person may see of it. */
struct transfer_item {
	const char *digest;
	uint64_t done, total; /* bytes */
	enum transfer_phase phase;
	bool finished;
};

struct transfer_watch {
	/* told what is being done, a line at a time; escaped already */
	void (*say)(void *arg, const char *line);
	/* told how far the blobs are, some times a second */
	void (*show)(void *arg, const struct transfer_item *items, size_t n);
	/* which of several names is meant? Return: its number; -1: nobody can be asked */
	int (*choose)(void *arg, const char *name, const struct str_list *candidates);
	bool interactive; /* somebody looks on: then several places may be tried one after the other */
	void *arg;
};

struct pull_request {
	const char *name; /* as it was typed */
	const char *as;   /* what it is to be called in the store; NULL: as it is called there */
	/* It only passes through: neither unpacked nor named, and for whatever platform it is. */
	bool pass_on;
	const struct platform *platform;
	bool all_artifacts; /* with what refers to it */
	bool emulated; /* one for another architecture will do if this machine has an interpreter for it */
	struct registry_access access;
	struct transfer_watch watch;
};

struct pull_result {
	const char *name;      /* complete, as it is in the store now */
	const char *digest;    /* of what the tag names */
	const char *id;        /* of the image: its config's */
	struct descriptor top; /* what the tag names */
	struct artifact_list
		artifacts; /* of --all-artifacts; their entries are in index.json if it has its name there */
};

/*
 * transfer_pull() - get an image, its blobs into the store and its layers unpacked, and then name it
 *
 * Return: 0 and *ret, in @arena; -errno
 */
int transfer_pull(const struct roots *roots, const struct store *store, struct arena *arena,
		  const struct pull_request *request, struct pull_result *ret,
		  struct err *err) MUST_CHECK;

/*
 * transfer_manifest() - what a name means at its registry: a manifest or an index as it is there; nothing is kept
 * @request: name, access and watch are used
 */
int transfer_manifest(struct arena *arena, const struct pull_request *request,
		      const char **ret_text, size_t *ret_len, struct err *err) MUST_CHECK;

struct push_request {
	struct descriptor source; /* of the store */
	const char *name;         /* what it is to be called there, as it was typed */
	const char
		*mount_from; /* a repository of the same registry that may have its blobs; NULL */
	const struct platform
		*platform; /* which image of an index, if not all of them are in the store */
	/* those of them that refer to what is sent go as well; in the store. NULL: none do */
	const struct artifact_list *artifacts;
	struct registry_access access;
	struct transfer_watch watch;
};

/*
 * transfer_push() - send an image: blobs that are not there, then manifests, the tag last; then what refers to it
 * @ret_artifacts: how many of those; NULL
 */
int transfer_push(const struct roots *roots, const struct store *store, struct arena *arena,
		  const struct push_request *request, size_t *ret_artifacts,
		  struct err *err) MUST_CHECK;

/* transfer_login() - does the registry accept this credential? Return: 0; -EACCES; -errno */
int transfer_login(struct arena *arena, const char *registry, const struct registry_access *options,
		   const struct credential *credential, struct err *err) MUST_CHECK;

#endif
