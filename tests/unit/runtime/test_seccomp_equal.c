/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our programs mean what libseccomp's mean, as runc would use it: for every number of every architecture of the profile,
 * with arguments at and around each bound, for the default profile and for random ones.
 *
 * Three parties: our program, libseccomp's, and a direct reading of the profile (the model). Ours must always equal the
 * model. Ours must equal libseccomp's where libseccomp takes the profile, with these exceptions, which are counted and
 * printed: programs of libseccomp that can't mean anything (peer_is_confused()), bounds for which it has no order itself
 * (has_shared_bound()), and single verdicts that the profile doesn't allow by any precedence (model_allows()). Where rules
 * of one call overlap, its order may in rare profiles be another: at most 1 in 50, in truth about 1 in 500.
 *
 * TARE_SECCOMP_PROFILES sets the number of random profiles, TARE_SECCOMP_SEED the first seed.
 */
#include "runtime/seccomp/model.h"
#include "runtime/seccomp/peer.h"
#include "runtime/seccomp/profile.h"
#include "runtime/seccomp/random.h"
#include "runtime/seccomp/sim.h"
#include "runtime/seccomp_arch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct comparison {
	struct model model;
	struct seccomp_program ours;
	struct sock_filter *peer; /* NULL: not compared */
	bool order_matters;       /* rules of one call overlap */
	unsigned impossible;      /* verdicts of libseccomp that the profile doesn't allow */
	unsigned order;           /* verdicts of another rule that matches as well */
	bool quiet;
};

static int differ(const struct comparison *c, const struct seccomp_data *data, const char *whom,
		  uint32_t ours, uint32_t theirs)
{
	if (!c->quiet)
		print_message(
			"# nr %#x arch %#x args %llx %llx %llx %llx %llx %llx: ours %#x, %s %#x\n",
			(unsigned)data->nr, data->arch, data->args[0], data->args[1], data->args[2],
			data->args[3], data->args[4], data->args[5], ours, whom, theirs);
	return -1;
}

static int compare(void *context, const struct seccomp_data *data)
{
	struct comparison *c = context;
	struct seccomp_data laid = probe_layout(data);
	uint32_t ours = sim_run(c->ours.insns, &laid, NULL), verdict;

	verdict = model_verdict(&c->model, data);
	if (ours != verdict)
		return differ(c, data, "the model", ours, verdict);
	/* The stub isn't libseccomp's but runc's, before it. */
	if (!c->peer || model_stub(&c->model, data))
		return 1;

	verdict = sim_run(c->peer, data, NULL);
	if (ours == verdict)
		return 1;
	if (!model_allows(&c->model, data, verdict))
		c->impossible++;
	else if (c->order_matters)
		c->order++;
	else
		return differ(c, data, "libseccomp", ours, verdict);
	return 1;
}

/* ---- the default profile --------------------------------------------------------------------------------------- */

static void prepare(struct comparison *c, struct arena *arena, const struct config_seccomp *config)
{
	struct err err = ERR_INIT;
	size_t n;

	*c = (struct comparison){};
	model_init(&c->model, arena, config);
	if (seccomp_compile(arena, config, &c->ours, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(sim_check(c->ours.insns, c->ours.n));
	assert_int_equal(peer_compile(arena, config, &c->peer, &n), 0);
	assert_false(peer_is_confused(c->peer, n));
}

static void test_default_profile(void **state)
{
	defer_arena struct arena arena = {};
	struct random random = { 1 };
	struct comparison c;
	long probes;

	(void)state;
	prepare(&c, &arena, profile_file(&arena, "default-seccomp.json"));
	probes = probe_each(&random, c.model.config, compare, &c);
	assert_true(probes > 2000);
	assert_int_equal(c.impossible, 0);
	print_message("# default profile: equal to libseccomp and the model in %ld probes\n",
		      probes);
}

/* Whether a program and its mutant decide alike whatever they are asked, because both ends of the jump return alike. */
static bool same_end(const struct sock_filter *insns, const struct sock_filter *jump)
{
	const struct sock_filter *t = jump + 1 + jump->jt, *f = jump + 1 + jump->jf;

	(void)insns;
	return t->code == (BPF_RET | BPF_K) && f->code == t->code && f->k == t->k;
}

/* A test that can't fail proves nothing: with any one jump of the program turned round, the comparison must notice. */
static void test_mutants(void **state)
{
	defer_arena struct arena arena = {};
	struct comparison c;
	unsigned mutants = 0;

	(void)state;
	prepare(&c, &arena, profile_file(&arena, "default-seccomp.json"));
	c.quiet = true;
	for (size_t i = 0; i < c.ours.n; i++) {
		struct sock_filter *insn = &c.ours.insns[i], whole = *insn;
		struct random random = { 1 };

		if (BPF_CLASS(insn->code) != BPF_JMP || insn->code == (BPF_JMP | BPF_JA) ||
		    insn->jt == insn->jf || same_end(c.ours.insns, insn))
			continue;
		insn->jt = whole.jf;
		insn->jf = whole.jt;
		if (probe_each(&random, c.model.config, compare, &c) >= 0)
			fail_msg("turning instruction %zu of %u round went unnoticed", i, c.ours.n);
		*insn = whole;
		mutants++;
	}
	assert_true(mutants > 100);
	print_message("# %u mutants of the default profile's program, all caught\n", mutants);
}

/* Off by one in a bound is the other classic. */
static void test_bound_mutants(void **state)
{
	defer_arena struct arena arena = {};
	struct comparison c;

	(void)state;
	prepare(&c, &arena, profile_file(&arena, "default-seccomp.json"));
	c.quiet = true;
	for (size_t i = 0; i < c.ours.n; i++) {
		struct sock_filter *insn = &c.ours.insns[i];
		struct random random = { 1 };

		if (insn->code != (BPF_JMP | BPF_JGE | BPF_K))
			continue;
		insn->k++;
		if (probe_each(&random, c.model.config, compare, &c) >= 0)
			fail_msg("a wrong bound in instruction %zu of %u went unnoticed", i,
				 c.ours.n);
		insn->k--;
	}
}

/* ---- random profiles -------------------------------------------------------------------------------------------- */

static bool names_meet(const struct config_seccomp_rule *a, const struct config_seccomp_rule *b)
{
	for (size_t i = 0; i < a->names.n; i++)
		for (size_t j = 0; j < b->names.n; j++) {
			const struct syscall_row *x = syscall_find(a->names.items[i]);
			const struct syscall_row *y = syscall_find(b->names.items[j]);

			if (x == y || (x->mux && y->mux))
				return true;
		}
	return false;
}

static bool is_below(const struct config_seccomp_arg *arg)
{
	return arg->op == SECCOMP_OP_LT || arg->op == SECCOMP_OP_LE;
}

static bool is_above(const struct config_seccomp_arg *arg)
{
	return arg->op == SECCOMP_OP_GT || arg->op == SECCOMP_OP_GE;
}

static bool bounds_meet(const struct config_seccomp_rule *a, const struct config_seccomp_rule *b)
{
	for (size_t i = 0; i < a->args.n; i++)
		for (size_t j = 0; j < b->args.n; j++) {
			const struct config_seccomp_arg *x = &a->args.items[i];
			const struct config_seccomp_arg *y = &b->args.items[j];
			bool high = x->value >> 32 == y->value >> 32;
			bool low = (uint32_t)x->value == (uint32_t)y->value;

			if (x->index != y->index)
				continue;
			if (is_below(x) && is_above(y) && (high || low))
				return true;
			if (a != b && high && x->op == SECCOMP_OP_NE && y->op == SECCOMP_OP_NE)
				return true;
			if (a != b && a->args.n + b->args.n > 2 && high &&
			    ((is_below(x) && is_below(y)) || (is_above(x) && is_above(y))))
				return true;
		}
	return false;
}

/*
 * Two bounds of one argument, for one call, that share a word: libseccomp makes one node of them. If they look in
 * opposite directions, or both are inequalities, which of the two goes first then depends on the argument's value; if in
 * the same direction and one of the rules has more conditions, that rule is lost. There is no precedence to be equal to.
 */
static bool has_shared_bound(const struct config_seccomp *config)
{
	const struct config_seccomp_rule *rules = config->syscalls.items;

	for (size_t i = 0; i < config->syscalls.n; i++)
		for (size_t j = 0; j < config->syscalls.n; j++)
			if (bounds_meet(&rules[i], &rules[j]) && names_meet(&rules[i], &rules[j]))
				return true;
	return false;
}

struct tally {
	unsigned profiles, equal, refused, confused, shared, large, order;
	unsigned long impossible, probes;
};

static void try_profile(struct tally *tally, uint64_t seed, const struct random_wish *wish,
			bool with_peer)
{
	defer_arena struct arena arena = {};
	struct random random = { seed };
	struct comparison c = {};
	struct config_seccomp config;
	struct err err = ERR_INIT;
	size_t n = 0;
	bool compared = false;
	long probes;
	int r = -EINVAL;

	random_profile(&random, &arena, wish, &config);
	if (with_peer)
		r = peer_compile(&arena, &config, &c.peer, &n);
	tally->profiles++;
	if (seccomp_compile(&arena, &config, &c.ours, &err) < 0) {
		/* Ours may be too large only if libseccomp's would be, too. */
		if (r == 0 && n <= BPF_MAXINSNS)
			fail_msg("seed %#llx: %s, but libseccomp needs %zu",
				 (unsigned long long)seed, err.text, n);
		tally->large++;
		return;
	}
	if (sim_check(c.ours.insns, c.ours.n))
		fail_msg("seed %#llx: %s", (unsigned long long)seed,
			 sim_check(c.ours.insns, c.ours.n));

	if (r < 0)
		tally->refused++;
	else if (peer_is_confused(c.peer, n))
		tally->confused++;
	else if (has_shared_bound(&config))
		tally->shared++;
	else
		compared = true;
	tally->equal += compared;
	if (!compared)
		c.peer = NULL;

	model_init(&c.model, &arena, &config);
	c.order_matters = !wish->disjoint;
	probes = probe_each(&random, &config, compare, &c);
	if (probes < 0)
		fail_msg("seed %#llx: verdicts differ", (unsigned long long)seed);
	tally->probes += (unsigned long)probes;
	tally->impossible += c.impossible;
	tally->order += c.order > 0;
	tally->equal -= c.order > 0;
}

static uint64_t first_seed(void)
{
	const char *text = getenv("TARE_SECCOMP_SEED");

	return text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
}

static unsigned profile_count(void)
{
	const char *text = getenv("TARE_SECCOMP_PROFILES");

	return text ? (unsigned)strtoul(text, NULL, 0) : 500;
}

static uint32_t peer_arches(void)
{
	uint32_t arches = 0;

	for (enum seccomp_arch arch = 0; arch < SECCOMP_ARCHES; arch++)
		if (peer_token(arch))
			arches |= 1u << arch;
	return arches;
}

/* Until so many profiles that libseccomp accepts have been compared with it. */
static void test_random_peer(void **state)
{
	const bool *disjoint = *state; /* then not even the order may differ */
	const struct random_wish wish = {
		.arches = peer_arches(),
		.peer_names = true,
		.disjoint = *disjoint,
		.rules = 14,
	};
	uint64_t seed = first_seed();
	unsigned wanted = profile_count() / 2;
	struct tally tally = {};

	print_message("# seed %#llx, %u profiles, %s\n", (unsigned long long)seed, wanted,
		      *disjoint ? "rules of a call apart" : "rules of a call overlap");
	while (tally.equal < wanted)
		try_profile(&tally, seed++, &wish, true);
	print_message("# equal to libseccomp: %u profiles, %lu probes\n", tally.equal,
		      tally.probes);
	print_message("# against the model alone: %u that libseccomp refuses as contradictory, %u "
		      "where its program is "
		      "confused, %u where bounds share a node; %u too large\n",
		      tally.refused, tally.confused, tally.shared, tally.large);
	print_message("# verdicts of libseccomp that the profile doesn't allow: %lu\n",
		      tally.impossible);
	/* If it were otherwise, the exceptions would be the rule and this a test of nothing. */
	assert_true(tally.impossible * 1000 < tally.probes);
	assert_true(tally.order * 50 < tally.equal + 50);
	assert_true(tally.confused + tally.shared < 2 * tally.equal);
}

/* Every architecture, also those of the other byte order and those that libseccomp lacks. */
static void test_random_model(void **state)
{
	const struct random_wish wish = { .arches = (1u << SECCOMP_ARCHES) - 1, .rules = 10 };
	uint64_t seed = first_seed();
	struct tally tally = {};

	(void)state;
	print_message("# seed %#llx\n", (unsigned long long)seed);
	while (tally.profiles < profile_count() / 5)
		try_profile(&tally, seed++, &wish, false);
	print_message("# equal to the model: %u profiles for all architectures, %lu probes; %u too "
		      "large\n",
		      tally.profiles - tally.large, tally.probes, tally.large);
	assert_true(tally.large < tally.profiles / 2);
}

int main(void)
{
	static bool apart = true, overlapping;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_profile),
		cmocka_unit_test(test_mutants),
		cmocka_unit_test(test_bound_mutants),
		{ "random profiles, rules apart", test_random_peer, NULL, NULL, &apart },
		{ "random profiles, rules overlapping", test_random_peer, NULL, NULL,
		  &overlapping },
		cmocka_unit_test(test_random_model),
	};

	return cmocka_run_group_tests_name("seccomp-equal", tests, NULL, NULL);
}
