/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ordered rules as a program that the kernel asks at each open and mknod of a device. It goes from the last rule to
 * the first and keeps the kinds of access that are still undecided: a rule that denies one of them ends in "no", one that
 * allows takes its own off, and with none left the answer is "yes".
 *
 *   r2 type, r3 undecided access, r4 major, r5 minor
 *
 * The verifier refuses code that nothing reaches, so the two endings are written only if something jumps there.
 */
#include "cgroup/devices.h"

#include <string.h>

/* Six instructions at most for a rule, four for the start, four for the endings. */
#define INSNS_PER_RULE 6
#define INSNS_AROUND   8

#define TYPE_BLOCK 1 /* BPF_DEVCG_DEV_BLOCK */
#define TYPE_CHAR  2 /* BPF_DEVCG_DEV_CHAR */

/* Where a jump goes that isn't known yet; put right by resolve(). */
enum { JUMP_YES = -1, JUMP_NO = -2, JUMP_NEXT = -3 };

struct program {
	struct bpf_insn *insns;
	size_t n;
};

static void emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off,
		 int32_t imm)
{
	p->insns[p->n++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static void emit_start(struct program *p)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
	     0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, 4, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, 5, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit(p, BPF_ALU | BPF_MOV | BPF_X, 3, 2, 0, 0);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16);
	emit(p, BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
}

/* Jump by a comparison of 32 bits: major and minor are unsigned, and an immediate would be sign-extended to 64. */
static void emit_jump(struct program *p, uint8_t op, uint8_t reg, int64_t value, int16_t where)
{
	emit(p, BPF_JMP32 | op | BPF_K, reg, 0, where, (int32_t)(uint32_t)value);
}

/* Jumps of the last rule to its end, and only those, still say JUMP_NEXT. */
static void resolve_next(struct program *p, size_t from)
{
	for (size_t i = from; i < p->n; i++) {
		if (p->insns[i].off == JUMP_NEXT)
			p->insns[i].off = (int16_t)(p->n - i - 1);
	}
}

static void emit_rule(struct program *p, const struct device_rule *rule)
{
	size_t from = p->n;

	emit_jump(p, BPF_JNE, 2, rule->type == 'b' ? TYPE_BLOCK : TYPE_CHAR, JUMP_NEXT);
	if (rule->major != DEVICE_ANY)
		emit_jump(p, BPF_JNE, 4, rule->major, JUMP_NEXT);
	if (rule->minor != DEVICE_ANY)
		emit_jump(p, BPF_JNE, 5, rule->minor, JUMP_NEXT);
	if (rule->allow) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, 3, 0, 0, (int32_t)(DEVICE_ALL & ~rule->access));
		emit_jump(p, BPF_JEQ, 3, 0, JUMP_YES);
	} else {
		emit_jump(p, BPF_JSET, 3, rule->access, JUMP_NO);
	}
	resolve_next(p, from);
}

/* Write "return @verdict" and point the jumps that mean it there. @always: it is also reached by falling through */
static void emit_ending(struct program *p, int16_t jump, int verdict, bool always)
{
	bool used = always;

	for (size_t i = 0; i < p->n; i++) {
		if (BPF_CLASS(p->insns[i].code) == BPF_JMP32 && p->insns[i].off == jump) {
			p->insns[i].off = (int16_t)(p->n - i - 1);
			used = true;
		}
	}
	if (!used)
		return;
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, verdict);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void device_rules_bpf(struct arena *arena, const struct device_rules *rules,
		      const struct bpf_insn **ret_insns, uint32_t *ret_n)
{
	struct program p = { .n = 0 };

	*ret_insns = NULL;
	*ret_n = 0;
	if (rules->allow && rules->n == 0)
		return;

	p.insns =
		arena_array(arena, rules->n * INSNS_PER_RULE + INSNS_AROUND + 4, sizeof(*p.insns));
	emit_start(&p);
	for (size_t i = rules->n; i-- > 0;)
		emit_rule(&p, &rules->items[i]);
	emit_ending(&p, rules->allow ? JUMP_YES : JUMP_NO, rules->allow, true);
	emit_ending(&p, rules->allow ? JUMP_NO : JUMP_YES, !rules->allow, false);
	*ret_insns = p.insns;
	*ret_n = (uint32_t)p.n;
}
