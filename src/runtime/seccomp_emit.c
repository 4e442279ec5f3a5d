/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp_emit.h"

void emit_init(struct emitter *e)
{
	e->at = EMIT_MAX;
	e->full = false;
	e->n_rets = 0;
}

static label emit(struct emitter *e, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (e->at == 0) {
		e->full = true;
		return 0;
	}
	e->insns[--e->at] = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
	return e->at;
}

/* How many instructions a jump written now would skip. */
static label distance(const struct emitter *e, label target)
{
	return target - e->at;
}

/* One short of the longest jump: a stepping stone for the other target may still come between. */
static bool in_reach(const struct emitter *e, label target)
{
	return distance(e, target) < EMIT_JUMP_MAX;
}

label emit_ret(struct emitter *e, uint32_t value)
{
	unsigned i;

	for (i = 0; i < e->n_rets; i++)
		if (e->rets[i].value == value)
			break;
	if (i < e->n_rets && in_reach(e, e->rets[i].at))
		return e->rets[i].at;

	/* A full memory forgets its last entry; that costs an instruction, not correctness. */
	if (i == EMIT_RETS)
		i--;
	else if (i == e->n_rets)
		e->n_rets++;
	e->rets[i].value = value;
	e->rets[i].at = emit(e, BPF_RET | BPF_K, 0, 0, value);
	return e->rets[i].at;
}

/* See to it that what is written next, and isn't a jump, is followed by @next. */
static void go_on_at(struct emitter *e, label next)
{
	if (e->full || next == e->at)
		return;
	if (e->insns[next].code == (BPF_RET | BPF_K))
		emit(e, BPF_RET | BPF_K, 0, 0, e->insns[next].k);
	else
		emit(e, BPF_JMP | BPF_JA, 0, 0, distance(e, next));
}

label emit_load(struct emitter *e, uint32_t offset, label next)
{
	go_on_at(e, next);
	return emit(e, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

label emit_and(struct emitter *e, uint32_t mask, label next)
{
	go_on_at(e, next);
	return emit(e, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
}

/* The target itself, or a stepping stone to it: for a return a copy, which is no longer and saves a hop. */
static label reachable(struct emitter *e, label target)
{
	if (e->full || in_reach(e, target))
		return target;
	if (e->insns[target].code == (BPF_RET | BPF_K))
		return emit_ret(e, e->insns[target].k);
	return emit(e, BPF_JMP | BPF_JA, 0, 0, distance(e, target));
}

label emit_test(struct emitter *e, uint16_t op, uint32_t k, label if_true, label if_false)
{
	if_true = reachable(e, if_true);
	if_false = reachable(e, if_false);
	return emit(e, BPF_JMP | op | BPF_K, (uint8_t)distance(e, if_true),
		    (uint8_t)distance(e, if_false), k);
}
