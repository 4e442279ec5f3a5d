/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp/sim.h"

#include <stdlib.h>
#include <string.h>

static bool is_jump(uint16_t code)
{
	switch (code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return true;
	default:
		return false;
	}
}

const char *sim_check(const struct sock_filter *insns, size_t n)
{
	if (n == 0 || n > BPF_MAXINSNS)
		return "length";
	if (BPF_CLASS(insns[n - 1].code) != BPF_RET)
		return "doesn't end in a return";

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *insn = &insns[pc];

		if (is_jump(insn->code)) {
			if (pc + 1 + insn->jt >= n || pc + 1 + insn->jf >= n)
				return "conditional jump out of the program";
			continue;
		}
		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (insn->k % 4 != 0 || insn->k >= sizeof(struct seccomp_data))
				return "load from outside seccomp_data";
			break;
		case BPF_JMP | BPF_JA:
			if (insn->k >= n - pc - 1)
				return "jump out of the program";
			break;
		case BPF_ALU | BPF_AND | BPF_K:
		case BPF_RET | BPF_K:
			break;
		default:
			return "instruction that no seccomp compiler writes";
		}
	}
	return NULL;
}

uint32_t sim_run(const struct sock_filter *insns, const struct seccomp_data *data,
		 unsigned *ret_steps)
{
	uint32_t a = 0;
	unsigned steps = 0;

	for (const struct sock_filter *insn = insns;; insn++) {
		steps++;
		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			break;
		case BPF_JMP | BPF_JA:
			insn += insn->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			insn += a == insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			insn += a > insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			insn += a >= insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			insn += a & insn->k ? insn->jt : insn->jf;
			break;
		case BPF_RET | BPF_K:
			if (ret_steps)
				*ret_steps = steps;
			return insn->k;
		default:
			abort();
		}
	}
}
