/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices of the host's that become the container's.
 *
 * The parent does it, who has the rights on both sides. In a new namespace nothing else is there yet; one that is joined
 * may have devices of its own, so names are looked at before anything moves, and what is there under our device's name
 * afterwards is our device. Each move is taken back when a later step fails: the device goes home under its old name, with
 * its addresses, up if it was.
 *
 * When the container ends nobody gives them back but the kernel: a physical device goes to the host's first network
 * namespace, a virtual one ends with the container's.
 *
 * Spec: runtime-spec 1.3 config-linux.md "Network Devices"; rows L-24, Z-18
 */
#include "runtime/act.h"

#include "os/netlink.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* More of one kind than anybody has. */
#define TEMPLATE_MAX 4096

/* One that has moved, or is about to; in the record's arena. */
struct moved_device {
	struct moved_device *next;
	const struct step *step;
	char name[IFNAMSIZ]; /* in the container */
	bool old_name_free;  /* there was none of the host's name in the container */
	bool was_up;
	bool moved; /* or the kernel was asked to */
	struct os_addresses addresses;
};

int step_net_open(struct act *a, const struct step *step, struct err *err)
{
	defer_close int own = -EBADF;
	char path[32];
	int ns, nl;

	if (step->in[0] == SLOT_NONE) {
		snprintf(path, sizeof(path), "%d/ns/net", (int)a->child_pid);
		ns = own = openat(a->fd[step->in[1]], path, O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			return err_sys(err, "open the container's network namespace");
	} else {
		ns = a->fd[step->in[0]];
	}
	nl = os_netlink_open(ns);
	if (nl < 0)
		return err_set(err, nl, "act in the container's network namespace");
	a->fd[step->out] = nl;
	return 0;
}

/* ---- there ------------------------------------------------------------------------------------------------------ */

/* Return: 1 if the container has a device of that name, 0 if not; -errno */
static int is_taken(int inside, const char *name)
{
	struct os_link link;
	int r = os_link_find(inside, name, &link);

	return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

/* The first number that is free, as the kernel would choose it. @template has one %d (config_read_linux.c) */
static int number_name(int inside, const char *template, char name[IFNAMSIZ], struct err *err)
{
	int before = (int)(strchr(template, '%') - template), len, r;

	for (int number = 0; number < TEMPLATE_MAX; number++) {
		len = snprintf(name, IFNAMSIZ, "%.*s%d%s", before, template, number,
			       template + before + strlen("%d"));
		if (len >= IFNAMSIZ)
			break;
		r = is_taken(inside, name);
		if (r < 0)
			return err_set(err, r, "look for network devices in the container");
		if (r == 0)
			return 0;
	}
	return err_user_code(err, -EEXIST, "name a network device \"%s\": no number is free",
			     template);
}

static int choose_name(int inside, const struct step *step, struct moved_device *d, struct err *err)
{
	const char *name = step->u.net_device.name, *host_name = step->u.net_device.host_name;
	int r;

	if (strchr(name, '%')) {
		r = number_name(inside, name, d->name, err);
		if (r < 0)
			return r;
	} else {
		snprintf(d->name, sizeof(d->name), "%s", name);
		r = is_taken(inside, name);
		if (r > 0) {
			err_user_code(
				err, -EEXIST,
				"move network device \"%s\": the container has a \"%s\" already",
				host_name, name);
			return err_hint(err, "give it another name by \"name\"");
		}
	}
	if (r == 0)
		r = is_taken(inside, host_name);
	if (r < 0)
		return err_set(err, r, "look for network devices in the container");
	d->old_name_free = r == 0;
	return 0;
}

static int move_error(int r, const char *host_name, struct err *err)
{
	err_set(err, r, "move network device \"%s\" to the container", host_name);
	if (r == -EINVAL)
		return err_hint(err, "the kernel binds devices of its kind (loopback, bridge, "
				     "wireless) to their namespace");
	if (r == -EPERM)
		return err_hint(err, "that takes CAP_NET_ADMIN on the host");
	if (r == -EBUSY)
		return err_hint(err, "it is part of another device (a bridge, a bond) or in use");
	return r;
}

static int move(struct act *a, const struct step *step, int host, struct moved_device *d,
		struct err *err)
{
	const char *host_name = step->u.net_device.host_name;
	int inside = a->fd[step->in[0]], r;
	defer_close int ns = -EBADF;
	struct os_link link;

	r = os_link_find(host, host_name, &link);
	if (r == -ENODEV) {
		err_user_code(err, r, "move network device \"%s\": the host has none of that name",
			      host_name);
		return err_hint(err, "`ip link` lists those that there are");
	}
	if (r < 0)
		return err_set(err, r, "find network device \"%s\"", host_name);
	d->was_up = link.up;
	r = choose_name(inside, step, d, err);
	if (r < 0)
		return r;
	r = os_addresses_read(a->record->arena, host, link.index, &d->addresses);
	if (r < 0)
		return err_set(err, r, "read the addresses of network device \"%s\"", host_name);
	ns = os_netlink_ns(inside);
	if (ns < 0)
		return err_set(err, ns, "open the container's network namespace");
	d->moved = true;
	r = os_link_move(host, link.index, ns, d->name);
	return r < 0 ? move_error(r, host_name, err) : 0;
}

static int settle(int inside, struct moved_device *d, struct err *err)
{
	struct os_link link;
	int r;

	r = os_link_find(inside, d->name, &link);
	if (r < 0)
		return err_set(err, r, "find network device \"%s\" in the container", d->name);
	r = os_addresses_add(inside, link.index, &d->addresses);
	if (r < 0)
		return err_set(err, r, "give network device \"%s\" its addresses again", d->name);
	r = os_link_set_up(inside, link.index);
	return r < 0 ? err_set(err, r, "set network device \"%s\" up", d->name) : 0;
}

int step_net_device(struct act *a, const struct step *step, struct err *err)
{
	struct moved_device *d = arena_alloc(a->record->arena, sizeof(*d));
	defer_close int host = os_netlink_open(-1);
	int r;

	*d = (struct moved_device){ .next = a->moved, .step = step };
	a->moved = d;
	if (host < 0)
		return err_set(err, host, "open a netlink socket");
	r = move(a, step, host, d, err);
	return r < 0 ? r : settle(a->fd[step->in[0]], d, err);
}

/* ---- and back again --------------------------------------------------------------------------------------------- */

/* It may have got there, and kept its old name: a rename is the second half of the kernel's work. */
static int find_moved(int inside, const struct moved_device *d, struct os_link *link)
{
	int r = os_link_find(inside, d->name, link);

	if (r == -ENODEV && d->old_name_free)
		r = os_link_find(inside, d->step->u.net_device.host_name, link);
	return r;
}

static void bring_home(int inside, struct moved_device *d)
{
	const char *host_name = d->step->u.net_device.host_name;
	defer_close int host = os_netlink_open(-1), home = -EBADF;
	struct os_link link;

	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (host < 0 || home < 0 || find_moved(inside, d, &link) < 0)
		return;
	if (os_link_move(inside, link.index, home, host_name) < 0 ||
	    os_link_find(host, host_name, &link) < 0)
		return;
	(void)!os_addresses_add(host, link.index, &d->addresses);
	if (d->was_up)
		(void)!os_link_set_up(host, link.index);
}

void undo_net_device(struct act *a, const struct step *step)
{
	struct moved_device *d = a->moved;

	/* The last one first, as the steps are undone. */
	if (!d || d->step != step)
		return;
	a->moved = d->next;
	if (d->moved)
		bring_home(a->fd[step->in[0]], d);
}
