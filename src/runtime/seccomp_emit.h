/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a BPF program from its end to its beginning.
 *
 * BPF jumps only go forward, and conditional ones at most 255 instructions. Written backward, every target exists before
 * the jump to it: a label is simply an index, nothing is patched, and a target too far away gets a stepping stone right
 * behind the jump.
 */
#ifndef TARE_RUNTIME_SECCOMP_EMIT_H
#define TARE_RUNTIME_SECCOMP_EMIT_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define EMIT_MAX      BPF_MAXINSNS
#define EMIT_JUMP_MAX 255
#define EMIT_RETS     8 /* recent return values whose place is remembered; profiles rarely have more */

/* Index of an instruction in emitter.insns. */
typedef unsigned label;

struct emitter {
	struct sock_filter insns[EMIT_MAX];
	label at;  /* the instruction written last; EMIT_MAX: none yet */
	bool full; /* it did not fit; everything since then is nonsense */
	struct {
		uint32_t value;
		label at;
	} rets[EMIT_RETS];
	unsigned n_rets;
};

void emit_init(struct emitter *e);

/* emit_ret() - a place that returns @value: an existing one in reach, or a new instruction */
label emit_ret(struct emitter *e, uint32_t value);

/* emit_load() - load the word at @offset of seccomp_data, then go on at @next */
label emit_load(struct emitter *e, uint32_t offset, label next);

/* emit_and() - keep only these bits, then go on at @next */
label emit_and(struct emitter *e, uint32_t mask, label next);

/*
 * emit_test() - compare the accumulator with @k
 * @op: BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET
 */
label emit_test(struct emitter *e, uint16_t op, uint32_t k, label if_true, label if_false);

#endif
