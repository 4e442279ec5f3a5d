/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp/peer.h"

#include "runtime/seccomp_arch.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

uint32_t peer_token(enum seccomp_arch arch)
{
	bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	if (arch == ARCH_X32)
		return SCMP_ARCH_X32;
	if (arch >= ARCH_LOONGARCH64 || seccomp_abis[arch].big_endian != big_endian)
		return 0;
	return seccomp_abis[arch].token;
}

static uint32_t ret_value(uint32_t action, struct opt_u32 data)
{
	if (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE)
		return action | (data.set ? data.v & 0xffff : EPERM);
	return action;
}

static int add_rule(scmp_filter_ctx ctx, const struct config_seccomp_rule *rule, uint32_t ret,
		    int number)
{
	struct scmp_arg_cmp args[64];
	unsigned seen = 0;
	bool repeats = false;
	int r = 0;

	for (size_t i = 0; i < rule->args.n; i++) {
		const struct config_seccomp_arg *arg = &rule->args.items[i];

		args[i] = (struct scmp_arg_cmp){ arg->index, (enum scmp_compare)arg->op, arg->value,
						 arg->value_two };
		repeats |= seen & (1u << arg->index);
		seen |= 1u << arg->index;
	}
	if (!repeats)
		return seccomp_rule_add_array(ctx, ret, number, (unsigned)rule->args.n, args);
	for (size_t i = 0; i < rule->args.n && r == 0; i++)
		r = seccomp_rule_add_array(ctx, ret, number, 1, &args[i]);
	return r;
}

static int add_rules(scmp_filter_ctx ctx, const struct config_seccomp *config)
{
	uint32_t default_ret = ret_value(config->default_action, config->default_errno_ret);

	for (size_t i = 0; i < config->syscalls.n; i++) {
		const struct config_seccomp_rule *rule = &config->syscalls.items[i];
		uint32_t ret = ret_value(rule->action, rule->errno_ret);

		for (size_t j = 0; j < rule->names.n && ret != default_ret; j++) {
			int r, number = seccomp_syscall_resolve_name(rule->names.items[j]);

			if (number == __NR_SCMP_ERROR)
				continue;
			r = add_rule(ctx, rule, ret, number);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int build(const struct config_seccomp *config, int fd)
{
	__attribute__((cleanup(release))) scmp_filter_ctx ctx =
		seccomp_init(ret_value(config->default_action, config->default_errno_ret));
	int r;

	if (!ctx)
		return -ENOMEM;
	for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++) {
		if (!(config->architectures & (1u << arch)))
			continue;
		r = seccomp_arch_add(ctx, peer_token(arch));
		if (r < 0 && r != -EEXIST)
			return r;
	}
	r = add_rules(ctx, config);
	return r < 0 ? r : seccomp_export_bpf(ctx, fd);
}

/* libseccomp 2.5.4 goes round in circles over some profiles, so it works in a process that may be killed. */
static int build_apart(const struct config_seccomp *config, int fd)
{
	const struct rlimit limit = { 1, 1 };
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setrlimit(RLIMIT_CPU, &limit);
		_exit(-build(config, fd));
	}
	if (waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ETIME;
}

int peer_compile(struct arena *arena, const struct config_seccomp *config,
		 struct sock_filter **ret_insns, size_t *ret_n)
{
	defer_close int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = build_apart(config, fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_n = (size_t)st.st_size / sizeof(**ret_insns);
	*ret_insns = arena_array(arena, *ret_n, sizeof(**ret_insns));
	return pread(fd, *ret_insns, (size_t)st.st_size, 0) == st.st_size ? 0 : -EIO;
}

static bool is_token(uint32_t value)
{
	for (size_t i = 0; i < SECCOMP_ARCHES; i++)
		if (seccomp_abis[i].token == value)
			return true;
	return false;
}

#define WORD_OF(member) (1u << (offsetof(struct seccomp_data, member) / 4))

bool peer_is_confused(const struct sock_filter *insns, size_t n)
{
	/* For each instruction, the words that the accumulator may hold when it begins: bit k for word k. */
	static uint32_t words[2 * BPF_MAXINSNS];

	memset(words, 0, sizeof(words));
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *insn = &insns[pc];
		uint32_t held = words[pc];

		switch (insn->code) {
		case BPF_RET | BPF_K:
			break;
		case BPF_LD | BPF_W | BPF_ABS:
			words[pc + 1] |= 1u << (insn->k / 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			words[pc + 1] |= held;
			break;
		case BPF_JMP | BPF_JA:
			words[pc + 1 + insn->k] |= held;
			break;
		default:
			if (held & (held - 1) || (held == WORD_OF(arch) && !is_token(insn->k)))
				return true;
			words[pc + 1 + insn->jt] |= held;
			words[pc + 1 + insn->jf] |= held;
		}
	}
	return false;
}
