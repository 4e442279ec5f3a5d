/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device nodes a container may make, read and write: linux.resources.devices, for v1's files and for v2's eBPF.
 *
 * The rules are an ordered list, and for each device and each kind of access the last rule that names both decides; with
 * none, the answer is no. A request for several kinds (open for reading and writing) needs all of them. Every container
 * also has tare's own rules for the devices that it gets (null, zero, full, random, urandom, tty, ptmx, pts, tun; mknod of
 * anything): they stand right after the last rule that takes everything away or gives everything, and at the front if
 * there is none. So "deny all", which engines write first, leaves a usable /dev, and every rule for a certain device wins.
 *
 * Without any rules the container has tare's own: what nobody asked for is closed. (Only a config that says nothing of
 * cgroups at all, and doesn't allow mknod, has none; see runtime/plan_cgroup.c.)
 *
 * Spec: config-linux.md "Allowed Device list"; rows R-1, K-2, L-13
 */
#ifndef TARE_CGROUP_DEVICES_H
#define TARE_CGROUP_DEVICES_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bits of the kernel's device cgroup, in eBPF (BPF_DEVCG_ACC_*) and in v1 alike. */
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };

#define DEVICE_ANY      (-1)
#define DEVICE_OWN_RULE SIZE_MAX

struct device_rule {
	bool allow;
	char type;            /* c or b */
	int64_t major, minor; /* DEVICE_ANY or a number */
	unsigned access;      /* DEVICE_* bits */
	size_t index;         /* in linux.resources.devices; DEVICE_OWN_RULE for tare's own */
};

/* More than any config needs; keeps the eBPF program within its 16-bit jumps. */
#define DEVICE_RULES_MAX 2048

struct device_rules {
	bool allow; /* before the first rule: is everything allowed, or nothing? */
	struct device_rule *items;
	size_t n;
};

/*
 * device_rules_read() - the rules in force: a rule for both types made two, what a later rule overrides wholly left out
 * Return: 0; -EINVAL and *err when there are too many
 */
int device_rules_read(struct arena *arena, const struct config_device_rule_list *list,
		      struct device_rules *ret, struct err *err) MUST_CHECK;

/* The same as v1's two files take it: "a" to one of them, then lines to the other. */
struct device_list {
	/* "a" goes to devices.allow and the lines to devices.deny; else the other way */
	bool allow;
	const char *own_lines;    /* from tare's own rules, one a line, "" if none */
	const char *config_lines; /* from the config's */
	size_t config_index;      /* first rule of the config in @config_lines, for messages */
	/* a rule that denies only mknod of one device had no effect, see device_rules_v1() */
	bool mknod_left;
};

/*
 * device_rules_v1() - as an exception list, which has no order
 *
 * v1 keeps either a list of what is allowed or one of what is denied, and can take an entry out of it, but not a part of
 * an entry: "all of major 8 but 8:3" fits into the second kind only. Whichever kind can say it is used. Two things differ
 * from the ordered list, neither opens a device: mknod of a device that the config denies stays possible where tare's own rules
 * allow mknod of anything (it can't be opened), and a request for two kinds of access needs them in one entry.
 *
 * Return: 0; -EINVAL and *err with the rule's JSON pointer when neither can
 */
int device_rules_v1(struct arena *arena, const struct device_rules *rules, struct device_list *ret,
		    struct err *err) MUST_CHECK;

/*
 * device_rules_bpf() - as a BPF_PROG_TYPE_CGROUP_DEVICE program
 * @ret_n: 0 if everything is allowed, so that no program is needed
 */
void device_rules_bpf(struct arena *arena, const struct device_rules *rules,
		      const struct bpf_insn **ret_insns, uint32_t *ret_n);

#endif
