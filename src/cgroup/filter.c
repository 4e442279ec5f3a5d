/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/filter.h"

#include "os/bpf.h"

#include <string.h>

/* The kernel's own limit of programs on one cgroup (BPF_CGROUP_MAX_PROGS). */
#define PROGRAMS_MAX 64

static int load(const struct bpf_insn *insns, uint32_t n, struct err *err)
{
	char log[2048];
	int fd;

	fd = os_bpf_load_device(insns, n, log, sizeof(log));
	if (fd >= 0)
		return fd;
	err_set(err, fd, "load the device filter of %u instructions", n);
	if (fd == -EPERM)
		return err_hint(err, "it needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, "
				     "outside of any user namespace");
	if (log[0])
		return err_hint(err, "the kernel's verifier says: %.200s", log);
	return err_hint(err, "the kernel must be built with CONFIG_CGROUP_BPF");
}

static int detach_all(int fd, const uint32_t *ids, int n)
{
	int r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		defer_close int old = os_bpf_open(ids[i]);

		r = old < 0 ? old : os_bpf_detach_device(fd, old);
	}
	return r;
}

/* Of @ids those that tare loaded, known by their name, to the front. Return: how many */
static int own_first(uint32_t *ids, int n)
{
	char name[OS_BPF_NAME_SIZE];
	int own = 0;

	for (int i = 0; i < n; i++) {
		defer_close int program = os_bpf_open(ids[i]);
		uint32_t id = ids[i];

		if (program < 0 || os_bpf_name(program, name) < 0 ||
		    strcmp(name, OS_BPF_OUR_NAME) != 0)
			continue;
		ids[i] = ids[own];
		ids[own++] = id;
	}
	return own;
}

/*
 * There is no moment without a program: ours is there before an older one goes, or the two are exchanged. What others have
 * attached beside ours stays, and must agree; one that was attached to be alone suffers no other, so ours takes its
 * place, and stays alone.
 */
static int attach(int fd, int program, uint32_t *ids, int n_ids, uint32_t flags)
{
	int own = own_first(ids, n_ids), r;
	defer_close int old = -EBADF;

	if (own == 1) {
		old = os_bpf_open(ids[0]);
		if (old >= 0 && os_bpf_attach_device(fd, program, old) == 0)
			return 0;
	}
	r = os_bpf_attach_device(fd, program, -1);
	if (r == -EPERM && n_ids > 0 && !(flags & BPF_F_ALLOW_MULTI))
		return os_bpf_exchange_device(fd, program, flags);
	return r < 0 ? r : detach_all(fd, ids, own);
}

int cgroup_filter_attach(int fd, const char *path, const struct bpf_insn *insns, uint32_t n,
			 struct err *err)
{
	defer_close int program = -EBADF;
	uint32_t ids[PROGRAMS_MAX], flags = 0;
	int n_ids, r;

	program = load(insns, n, err);
	if (program < 0)
		return program;
	n_ids = os_bpf_query_device(fd, ids, PROGRAMS_MAX, &flags);
	if (n_ids < 0)
		return err_set(err, n_ids, "list the device filters of cgroup \"%s\"", path);
	r = attach(fd, program, ids, n_ids, flags);
	if (r < 0)
		return err_set(err, r, "attach the device filter to cgroup \"%s\"", path);
	return 0;
}

int cgroup_filter_detach(int fd, const char *path, struct err *err)
{
	uint32_t ids[PROGRAMS_MAX], flags;
	int n = os_bpf_query_device(fd, ids, PROGRAMS_MAX, &flags);
	int r = n < 0 ? n : detach_all(fd, ids, n);

	return r < 0 ? err_set(err, r, "take the device filters off cgroup \"%s\"", path) : 0;
}
