/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container as `state` and `list --format json` show it. */
#ifndef TARE_CLI_OCI_DOCUMENT_H
#define TARE_CLI_OCI_DOCUMENT_H

#include "base/json_write.h"
#include "runtime/container.h"

/* Room for any owner_name() */
#define OWNER_NAME_MAX 16

/*
 * owner_name() - "root", or "#1000": names are in a database that a static program without NSS does
 * not ask
 * Return: @buf
 */
const char *owner_name(uint32_t uid, char buf[OWNER_NAME_MAX]);

/* add_container() - one object; Spec: runtime.md "State", with runc's further members */
void add_container(struct json_writer *w, const struct container *c);

#endif
