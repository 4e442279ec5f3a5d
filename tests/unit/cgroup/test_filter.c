/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching a device filter to a cgroup that has some already (simulated): the calls of os/bpf.h are ours and go by the
 * kernel's rules (kernel/bpf/cgroup.c). What counts is that no moment is without a program, since that one would allow
 * every device (row K-1).
 */
#include "cgroup/filter.h"

#include "os/bpf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MULTI BPF_F_ALLOW_MULTI

int __wrap_os_bpf_load_device(const struct bpf_insn *insns, uint32_t n, char *log, size_t log_size);
int __wrap_os_bpf_attach_device(int cgroup, int program, int replace);
int __wrap_os_bpf_exchange_device(int cgroup, int program, uint32_t flags);
int __wrap_os_bpf_detach_device(int cgroup, int program);
int __wrap_os_bpf_query_device(int cgroup, uint32_t *ids, uint32_t max, uint32_t *ret_flags);
int __wrap_os_bpf_name(int program, char name[OS_BPF_NAME_SIZE]);
int __wrap_os_bpf_open(uint32_t id);

/* The cgroup. Programs are told apart by the fd that each has from the start; an id is the fd too. */
static struct {
	int attached[8], n;
	uint32_t flags;
	bool ours[64];
	bool was_bare;
	int new_program;
} k;

static int fresh_fd(int like)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0 && fd < 64);
	k.ours[fd] = like < 0 || k.ours[like];
	return fd;
}

/* Fds come and go, programs stay: each is known by the first fd that it had. */
static int program_of[64];

int __wrap_os_bpf_load_device(const struct bpf_insn *insns, uint32_t n, char *log, size_t log_size)
{
	k.new_program = fresh_fd(-1);
	program_of[k.new_program] = k.new_program;
	return k.new_program;
}

static int find(int program)
{
	for (int i = 0; i < k.n; i++) {
		if (k.attached[i] == program)
			return i;
	}
	return -1;
}

static int attach(int program, int replace, uint32_t flags)
{
	if (k.n && (k.flags & (BPF_F_ALLOW_OVERRIDE | MULTI)) != flags)
		return -EPERM;
	if (replace >= 0 && find(replace) < 0)
		return -ENOENT;
	if (replace >= 0)
		k.attached[find(replace)] = program;
	else if (!(flags & MULTI) && k.n)
		k.attached[0] = program;
	else
		k.attached[k.n++] = program;
	k.flags = flags;
	return 0;
}

int __wrap_os_bpf_attach_device(int cgroup, int program, int replace)
{
	return attach(program_of[program], replace < 0 ? -1 : program_of[replace], MULTI);
}

int __wrap_os_bpf_exchange_device(int cgroup, int program, uint32_t flags)
{
	return attach(program_of[program], -1, flags);
}

int __wrap_os_bpf_detach_device(int cgroup, int program)
{
	int at = find(program_of[program]);

	if (at < 0)
		return -ENOENT;
	k.attached[at] = k.attached[--k.n];
	if (k.n == 0)
		k.was_bare = true;
	return 0;
}

int __wrap_os_bpf_query_device(int cgroup, uint32_t *ids, uint32_t max, uint32_t *ret_flags)
{
	for (int i = 0; i < k.n; i++)
		ids[i] = (uint32_t)k.attached[i];
	*ret_flags = k.flags;
	return k.n;
}

int __wrap_os_bpf_name(int program, char name[OS_BPF_NAME_SIZE])
{
	strcpy(name, k.ours[program_of[program]] ? OS_BPF_OUR_NAME : "sd_devices");
	return 0;
}

int __wrap_os_bpf_open(uint32_t id)
{
	int fd = fresh_fd((int)id);

	program_of[fd] = (int)id;
	return fd;
}

/* ----------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *before; /* "o": ours, "f": another's */
	uint32_t flags;
	const char *after;
} cases[] = {
	{ "the first one", "", 0, "n" },
	{ "in place of ours", "o", MULTI, "n" },
	{ "beside another's", "f", MULTI, "fn" },
	{ "in place of ours, beside another's", "of", MULTI, "nf" },
	{ "several of ours, of updates that were killed", "oo", MULTI, "n" },
	{ "another's that wants to be alone", "f", 0, "n" },
	{ "another's that lets cgroups below decide", "f", BPF_F_ALLOW_OVERRIDE, "n" },
	{ "ours that took the place of such a one", "o", 0, "n" },
};

static void put_before(const char *before)
{
	for (; *before; before++) {
		int fd = fresh_fd(-1);

		k.ours[fd] = *before == 'o';
		program_of[fd] = fd;
		k.attached[k.n++] = fd;
	}
}

static void test_K1_no_moment_without_a_program(void **state)
{
	static const struct bpf_insn insn = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		int before[8], n;

		memset(&k, 0, sizeof(k));
		k.flags = cases[i].flags;
		put_before(cases[i].before);
		n = k.n;
		memcpy(before, k.attached, sizeof(before));
		if (cgroup_filter_attach(-1, "/c", &insn, 1, &err) < 0)
			fail_msg("%s: %s", cases[i].name, err.text);
		if (k.was_bare)
			fail_msg("%s: there was a moment without", cases[i].name);
		assert_int_equal(k.n, strlen(cases[i].after));
		for (int at = 0; at < k.n; at++) {
			bool is_new = k.attached[at] == k.new_program;
			char what = is_new ? 'n' : k.ours[k.attached[at]] ? 'o' : 'f';

			if (!strchr(cases[i].after, what))
				fail_msg("%s: a program \"%c\" is left", cases[i].name, what);
		}
		for (int at = 0; at < n; at++)
			close(before[at]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_K1_no_moment_without_a_program) };

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
