/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/bpf.h"

#include "os/fault.h"

#include <string.h>
#include <sys/syscall.h>

/* The kernel wants every byte that it knows and we don't use to be 0; attr comes from an initialiser, so it is. */
static int bpf(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

int os_bpf_load_device(const struct bpf_insn *insns, uint32_t n, char *log, size_t log_size)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)insns,
		.insn_cnt = n,
		.license = (uint64_t)(uintptr_t) "GPL",
		.prog_name = OS_BPF_OUR_NAME,
	};
	int fd;

	OS_FAULT("bpf");
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0 || !log)
		return fd;

	/* Asking for a log makes loading slower, so only the second time. */
	log[0] = '\0';
	attr.log_buf = (uint64_t)(uintptr_t)log;
	attr.log_size = (uint32_t)log_size;
	attr.log_level = 1;
	return bpf(BPF_PROG_LOAD, &attr);
}

int os_bpf_attach_device(int cgroup, int program, int replace)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	OS_FAULT("bpf");
	if (replace >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replace;
	}
	return bpf(BPF_PROG_ATTACH, &attr);
}

int os_bpf_exchange_device(int cgroup, int program, uint32_t flags)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = flags,
	};

	OS_FAULT("bpf");
	return bpf(BPF_PROG_ATTACH, &attr);
}

int os_bpf_detach_device(int cgroup, int program)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};

	OS_FAULT("bpf");
	return bpf(BPF_PROG_DETACH, &attr);
}

int os_bpf_query_device(int cgroup, uint32_t *ids, uint32_t max, uint32_t *ret_flags)
{
	union bpf_attr attr = {
		.query = {
			.target_fd = (uint32_t)cgroup,
			.attach_type = BPF_CGROUP_DEVICE,
			.prog_ids = (uint64_t)(uintptr_t)ids,
			.prog_cnt = max,
		},
	};
	int r;

	OS_FAULT("bpf");
	r = bpf(BPF_PROG_QUERY, &attr);
	if (r < 0)
		return r;
	*ret_flags = attr.query.attach_flags;
	return (int)attr.query.prog_cnt;
}

int os_bpf_name(int program, char name[OS_BPF_NAME_SIZE])
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = {
		.info = {
			.bpf_fd = (uint32_t)program,
			.info_len = sizeof(info),
			.info = (uint64_t)(uintptr_t)&info,
		},
	};
	int r;

	OS_FAULT("bpf");
	r = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (r < 0)
		return r;
	memcpy(name, info.name, OS_BPF_NAME_SIZE);
	name[OS_BPF_NAME_SIZE - 1] = '\0';
	return 0;
}

int os_bpf_open(uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	OS_FAULT("bpf");
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}
