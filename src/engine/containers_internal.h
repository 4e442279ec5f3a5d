/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that keep containers on disk have in common. */
#ifndef TARE_ENGINE_CONTAINERS_INTERNAL_H
#define TARE_ENGINE_CONTAINERS_INTERNAL_H

#include "engine/containers.h"

/* containers_open() - ROOT/containers, made if it is missing. Return: a fd; -errno with @err */
int containers_open(const struct roots *roots, struct err *err) MUST_CHECK;

/* containers_open_one() - the directory @id below @containers. Return: its fd; -errno */
int containers_open_one(int containers, const char *id) MUST_CHECK;

/* containers_name_dir() - @dir's id and path; its fd is left alone */
void containers_name_dir(struct arena *arena, const struct roots *roots, const char *id,
			 struct container_dir *dir);

/* containers_lock_one() - lock it. Return: 0; -ESTALE: it was removed meanwhile; -EWOULDBLOCK; -errno */
int containers_lock_one(int containers, const char *id, int fd) MUST_CHECK;

/* containers_open_locked() - open @id below @containers and lock it. Return: 0; -ESTALE: it was removed meanwhile; -EWOULDBLOCK; -errno */
int containers_open_locked(int containers, const char *id, int *ret) MUST_CHECK;

/* containers_each() - call @each with every id, until it returns other than 0. Return: what it returned; 0; -errno with @err */
int containers_each(int containers, int (*each)(void *arg, const char *id), void *arg,
		    struct err *err) MUST_CHECK;

#endif
