/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seccomp compiler, case by case (rows S-1 to S-10 and S-14). That it equals libseccomp is test_seccomp_equal.c's. */
#include "runtime/seccomp.h"

#include "runtime/seccomp/profile.h"
#include "runtime/seccomp/sim.h"
#include "runtime/seccomp_arch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define X86_64   ARCH_X86_64
#define NOSYS                                                                                      \
	"'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38" /* a default that wants no stub */
#define ALLOW(name, more) "{'names':['" name "'],'action':'SCMP_ACT_ALLOW'" more "}"
#define ARG(i, op, value) "{'index':" #i ",'op':'SCMP_CMP_" #op "','value':" #value "}"

static struct seccomp_program compile(struct arena *arena, const char *text)
{
	struct seccomp_program program;
	struct err err = ERR_INIT;

	if (seccomp_compile(arena, profile_read(arena, text), &program, &err) < 0)
		fail_msg("%s: %s", err.pointer, err.text);
	if (sim_check(program.insns, program.n))
		fail_msg("%s", sim_check(program.insns, program.n));
	return program;
}

static uint32_t ask(const struct seccomp_program *program, enum seccomp_arch arch, uint32_t nr,
		    uint64_t arg0, uint64_t arg1)
{
	const struct seccomp_data data = {
		.nr = (int)nr,
		.arch = seccomp_abis[arch].token,
		.args = { arg0, arg1 },
	};

	return sim_run(program->insns, &data, NULL);
}

/* ---- one profile, one call, one verdict ------------------------------------------------------------------------ */

struct verdict_case {
	const char *name, *profile;
	enum seccomp_arch arch;
	uint32_t nr;
	uint64_t args[2];
	uint32_t verdict;
};

static const struct verdict_case verdicts[] = {
	{ "S-1 KILL is KILL_THREAD",
	  "{'defaultAction':'SCMP_ACT_KILL'}",
	  X86_64,
	  0,
	  {},
	  SECCOMP_RET_KILL_THREAD },
	{ "S-1 KILL_PROCESS",
	  "{'defaultAction':'SCMP_ACT_KILL_PROCESS'}",
	  X86_64,
	  0,
	  {},
	  SECCOMP_RET_KILL_PROCESS },
	{ "S-1 TRAP", "{'defaultAction':'SCMP_ACT_TRAP'}", X86_64, 0, {}, SECCOMP_RET_TRAP },
	{ "S-8 NOTIFY",
	  "{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/agent',"
	  "'syscalls':[{'names':['mknod'],'action':'SCMP_ACT_NOTIFY'}]}",
	  X86_64,
	  133,
	  {},
	  SECCOMP_RET_USER_NOTIF },
	{ "S-1 LOG", "{'defaultAction':'SCMP_ACT_LOG'}", X86_64, 0, {}, SECCOMP_RET_LOG },
	{ "S-2 ERRNO without errno is EPERM",
	  "{'defaultAction':'SCMP_ACT_ERRNO'}",
	  X86_64,
	  0,
	  {},
	  ERRNO(EPERM) },
	{ "S-2 ERRNO 0 is not absent",
	  "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':0}",
	  X86_64,
	  0,
	  {},
	  ERRNO(0) },
	{ "S-2 TRACE carries its number",
	  "{'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':7}",
	  X86_64,
	  0,
	  {},
	  SECCOMP_RET_TRACE | 7 },
	{ "S-3 native is in without being listed",
	  "{" NOSYS ",'syscalls':[" ALLOW("getpid", "") "]}",
	  X86_64,
	  39,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 not listed is killed", "{" NOSYS "}", ARCH_X86, 20, {}, SECCOMP_RET_KILL_THREAD },
	{ "S-3 x32 not listed is killed",
	  "{" NOSYS "}",
	  X86_64,
	  X32_BIT | 39,
	  {},
	  SECCOMP_RET_KILL_THREAD },
	{ "S-3 number -1 is not x32", "{" NOSYS "}", X86_64, UINT32_MAX, {}, ERRNO(ENOSYS) },
	{ "S-3 x32 has its own numbers",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_X32'],'syscalls':[" ALLOW("ioctl", "") "]}",
	  X86_64,
	  X32_BIT | 514,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 big-endian",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_S390X'],'syscalls':[" ALLOW("getpid", "") "]}",
	  ARCH_S390X,
	  20,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 an architecture that libseccomp lacks",
	  "{" NOSYS
	  ",'architectures':['SCMP_ARCH_LOONGARCH64'],'syscalls':[" ALLOW("getpid", "") "]}",
	  ARCH_LOONGARCH64,
	  172,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 MIPS counts from 4000",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_MIPSEL'],'syscalls':[" ALLOW("getpid", "") "]}",
	  ARCH_MIPSEL,
	  4020,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 ARM's private calls",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_ARM'],'syscalls':[" ALLOW("set_tls", "") "]}",
	  ARCH_ARM,
	  0xf0005,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 i386 socket by number",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_X86'],'syscalls':[" ALLOW("socket", "") "]}",
	  ARCH_X86,
	  359,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-3 i386 socket by socketcall",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_X86'],'syscalls':[" ALLOW("socket", "") "]}",
	  ARCH_X86,
	  102,
	  { 1 },
	  SECCOMP_RET_ALLOW },
	{ "S-3 i386 another socketcall",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_X86'],'syscalls':[" ALLOW("socket", "") "]}",
	  ARCH_X86,
	  102,
	  { 2 },
	  ERRNO(ENOSYS) },
	{ "S-7 newer than libseccomp",
	  "{" NOSYS ",'syscalls':[" ALLOW("file_setattr", "") "]}",
	  X86_64,
	  469,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-8 a rule like the default is none",
	  "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[" ALLOW(
		  "getpid", "") ",{'names':['getpid'],'action':'SCMP_ACT_KILL'}]}",
	  X86_64,
	  39,
	  {},
	  SECCOMP_RET_KILL_THREAD },
	{ "S-9 absent errno is EPERM",
	  "{" NOSYS ",'syscalls':[{'names':['getpid'],'action':'SCMP_ACT_ERRNO'}]}",
	  X86_64,
	  39,
	  {},
	  ERRNO(EPERM) },
	{ "S-10 different arguments are ANDed, met",
	  "{" NOSYS
	  ",'syscalls':[" ALLOW("kill", ",'args':[" ARG(0, EQ, 1) "," ARG(1, EQ, 2) "]") "]}",
	  X86_64,
	  62,
	  { 1, 2 },
	  SECCOMP_RET_ALLOW },
	{ "S-10 different arguments are ANDed, half met",
	  "{" NOSYS
	  ",'syscalls':[" ALLOW("kill", ",'args':[" ARG(0, EQ, 1) "," ARG(1, EQ, 2) "]") "]}",
	  X86_64,
	  62,
	  { 1, 3 },
	  ERRNO(ENOSYS) },
	{ "S-10 a repeated argument makes them ORed",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, EQ, 1) "," ARG(0, EQ, 9) "," ARG(1, EQ, 2) "]") "]}",
	  X86_64,
	  62,
	  { 5, 2 },
	  SECCOMP_RET_ALLOW },
	{ "S-10 all 64 bits are compared",
	  "{" NOSYS ",'syscalls':[" ALLOW("kill", ",'args':[" ARG(0, EQ, 1) "]") "]}",
	  X86_64,
	  62,
	  { 0x100000001 },
	  ERRNO(ENOSYS) },
	{ "S-10 on i386 only the low 32",
	  "{" NOSYS ",'architectures':['SCMP_ARCH_X86'],'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, EQ, 1) "]") "]}",
	  ARCH_X86,
	  37,
	  { 0x100000001 },
	  SECCOMP_RET_ALLOW },
	{ "S-10 values up to 2^64-1",
	  "{" NOSYS
	  ",'syscalls':[" ALLOW("kill", ",'args':[" ARG(0, GT, 18446744073709551614) "]") "]}",
	  X86_64,
	  62,
	  { UINT64_MAX },
	  SECCOMP_RET_ALLOW },
	{ "S-10 masked: value is the mask",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill",
		  ",'args':[{'index':0,'op':'SCMP_CMP_MASKED_EQ','value':240,'valueTwo':16}]") "]}",
	  X86_64,
	  62,
	  { 0x1f },
	  SECCOMP_RET_ALLOW },
	{ "S-10 masked: bits outside the mask are dropped, as by libseccomp",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill",
		  ",'args':[{'index':0,'op':'SCMP_CMP_MASKED_EQ','value':240,'valueTwo':17}]") "]}",
	  X86_64,
	  62,
	  { 0x1f },
	  SECCOMP_RET_ALLOW },
	{ "S-13 without conditions wins over an earlier one with",
	  "{" NOSYS ",'syscalls':[{'names':['kill'],'action':'SCMP_ACT_TRAP','args':[" ARG(
		  0, EQ, 1) "]}," ALLOW("kill", "") "]}",
	  X86_64,
	  62,
	  { 1 },
	  SECCOMP_RET_ALLOW },
	{ "S-13 the first without conditions wins",
	  "{" NOSYS
	  ",'syscalls':[" ALLOW("kill", "") ",{'names':['kill'],'action':'SCMP_ACT_TRAP'}]}",
	  X86_64,
	  62,
	  {},
	  SECCOMP_RET_ALLOW },
	{ "S-13 equality before range",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, LT, 9) "]") ",{'names':['kill'],'action':'SCMP_ACT_"
							 "TRAP','args':[" ARG(0, EQ, 1) "]}]}",
	  X86_64,
	  62,
	  { 1 },
	  SECCOMP_RET_TRAP },
	{ "S-13 the narrower < first",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, LT, 9) "]") ",{'names':['kill'],'action':'SCMP_ACT_"
							 "TRAP','args':[" ARG(0, LT, 3) "]}]}",
	  X86_64,
	  62,
	  { 1 },
	  SECCOMP_RET_TRAP },
	{ "S-13 the narrower > first",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, GT, 3) "]") ",{'names':['kill'],'action':'SCMP_ACT_"
							 "TRAP','args':[" ARG(0, GT, 9) "]}]}",
	  X86_64,
	  62,
	  { 10 },
	  SECCOMP_RET_TRAP },
	{ "S-13 the higher argument first",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, EQ, 1) "]") ",{'names':['kill'],'action':'SCMP_ACT_"
							 "TRAP','args':[" ARG(1, EQ, 1) "]}]}",
	  X86_64,
	  62,
	  { 1, 1 },
	  SECCOMP_RET_TRAP },
	{ "S-13 equal conditions: the first",
	  "{" NOSYS ",'syscalls':[" ALLOW(
		  "kill", ",'args':[" ARG(0, EQ, 1) "]") ",{'names':['kill'],'action':'SCMP_ACT_"
							 "TRAP','args':[" ARG(0, EQ, 1) "]}]}",
	  X86_64,
	  62,
	  { 1 },
	  SECCOMP_RET_ALLOW },
	{ "S-14 newer than the profile",
	  "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[" ALLOW("getpid", "") "]}",
	  X86_64,
	  40,
	  {},
	  ERRNO(ENOSYS) },
	{ "S-14 older than the profile",
	  "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[" ALLOW("getpid", "") "]}",
	  X86_64,
	  38,
	  {},
	  ERRNO(EPERM) },
	{ "S-14 also when the default kills",
	  "{'defaultAction':'SCMP_ACT_KILL','syscalls':[" ALLOW("getpid", "") "]}",
	  X86_64,
	  40,
	  {},
	  ERRNO(ENOSYS) },
	{ "S-14 a redundant rule counts",
	  "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[" ALLOW(
		  "getpid", "") ",{'names':['openat2'],'action':'SCMP_ACT_ERRNO'}]}",
	  X86_64,
	  437,
	  {},
	  ERRNO(EPERM) },
	{ "S-14 not when the default allows",
	  "{'defaultAction':'SCMP_ACT_LOG','syscalls':[" ALLOW("getpid", "") "]}",
	  X86_64,
	  40,
	  {},
	  SECCOMP_RET_LOG },
	{ "S-14 s390's number 0",
	  "{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_S390X'],'syscalls':"
	  "[" ALLOW("getpid", "") "]}",
	  ARCH_S390X,
	  0,
	  {},
	  ERRNO(ENOSYS) },
};

static void test_verdict(void **state)
{
	const struct verdict_case *c = *state;
	defer_arena struct arena arena = {};
	struct seccomp_program program = compile(&arena, c->profile);

	assert_int_equal(ask(&program, c->arch, c->nr, c->args[0], c->args[1]), c->verdict);
}

/* ---- what is refused and reported ------------------------------------------------------------------------------- */

/* 5,000 rules of which none covers another can't be told in 4,096 instructions. */
static void test_refuses_too_large(void **state)
{
	defer_arena struct arena arena = {};
	const char *name = "ioctl";
	struct config_seccomp_rule rules[5000] = {};
	struct config_seccomp_arg args[5000];
	const struct config_seccomp config = {
		.set = true,
		.default_action = SECCOMP_RET_ERRNO,
		.syscalls = { rules, ARRAY_LEN(rules) },
	};
	struct seccomp_program program;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		args[i] =
			(struct config_seccomp_arg){ .index = 1, .value = i, .op = SECCOMP_OP_EQ };
		rules[i].names = (struct str_list){ &name, 1 };
		rules[i].action = SECCOMP_RET_ALLOW;
		rules[i].args = (struct config_seccomp_arg_list){ &args[i], 1 };
	}
	assert_int_equal(seccomp_compile(&arena, &config, &program, &err), -EINVAL);
	assert_string_equal(err.text, "the seccomp profile needs more than the 4096 instructions "
				      "that the kernel accepts");
	assert_string_equal(err.pointer, "/linux/seccomp");
	assert_string_equal(err.hint, "merge rules, or list fewer architectures");
}

static void test_reports_unknown(void **state)
{
	defer_arena struct arena arena = {};
	struct seccomp_program program = compile(
		&arena, "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':["
			"{'names':['getpid','gettpid','qqqqqqq'],'action':'SCMP_ACT_ALLOW'},"
			"{'names':['frobnicate'],'action':'SCMP_ACT_ALLOW'}]}");

	(void)state;
	assert_int_equal(program.n_unknown, 3);
	assert_string_equal(program.unknown[0].name, "gettpid");
	assert_string_equal(program.unknown[0].pointer, "/linux/seccomp/syscalls/0/names/1");
	assert_string_equal(program.unknown[0].nearest, "getpid");
	assert_string_equal(program.unknown[1].name, "qqqqqqq");
	assert_null(program.unknown[1].nearest);
	assert_string_equal(program.unknown[2].pointer, "/linux/seccomp/syscalls/1/names/0");
	assert_int_equal(ask(&program, X86_64, 39, 0, 0), SECCOMP_RET_ALLOW);
}

static void test_flags(void **state)
{
	defer_arena struct arena arena = {};

	(void)state;
	assert_int_equal(compile(&arena, "{'defaultAction':'SCMP_ACT_ALLOW'}").flags,
			 SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_int_equal(compile(&arena, "{'defaultAction':'SCMP_ACT_ALLOW','flags':[]}").flags, 0);
	assert_int_equal(
		compile(&arena,
			"{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_LOG',"
			"'SECCOMP_FILTER_FLAG_TSYNC']}")
			.flags,
		SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC);
}

/* ---- the code --------------------------------------------------------------------------------------------------- */

/* Every second number another errno: as many verdicts as ranges, so that jumps are long and returns don't meet. */
static void test_long_jumps(void **state)
{
	defer_arena struct arena arena = {};
	struct config_seccomp_rule rules[600] = {};
	const char *names[600];
	size_t n = 0;
	struct config_seccomp config = {
		.set = true,
		.default_action = SECCOMP_RET_ALLOW,
		.architectures = 1u << ARCH_X86 | 1u << ARCH_ARM | 1u << ARCH_S390X,
		.syscalls.items = rules,
	};
	struct seccomp_program program;
	struct err err = ERR_INIT;
	bool stone = false;

	(void)state;
	for (unsigned i = 0; i < syscall_row_count && n < ARRAY_LEN(rules); i++) {
		if (syscall_rows[i].mux || syscall_rows[i].slot[ARCH_X86_64] % 2)
			continue;
		names[n] = syscall_rows[i].name;
		rules[n].names = (struct str_list){ &names[n], 1 };
		rules[n].action = SECCOMP_RET_ERRNO;
		rules[n].errno_ret = (struct opt_u32){ true, 100 + i };
		n++;
	}
	config.syscalls.n = n;
	assert_int_equal(seccomp_compile(&arena, &config, &program, &err), 0);
	assert_null(sim_check(program.insns, program.n));
	for (size_t i = 0; i < program.n; i++)
		stone |= program.insns[i].code == (BPF_JMP | BPF_JA);
	assert_true(stone);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			ask(&program, X86_64, syscall_find(names[i])->slot[ARCH_X86_64], 0, 0),
			ERRNO(rules[i].errno_ret.v));
}

/* What docs/design/005 promises of the default profile. */
static void test_default_profile_is_small(void **state)
{
	defer_arena struct arena arena = {};
	struct seccomp_program program;
	struct err err = ERR_INIT;
	unsigned steps, most = 0;

	(void)state;
	assert_int_equal(seccomp_compile(&arena, profile_file(&arena, "default-seccomp.json"),
					 &program, &err),
			 0);
	assert_int_equal(program.n_unknown, 0);
	assert_in_range(program.n, 100, 280);
	for (int nr = 0; nr < 500; nr++) {
		const struct seccomp_data data = { .nr = nr,
						   .arch = seccomp_abis[ARCH_X86_64].token };

		sim_run(program.insns, &data, &steps);
		most = steps > most ? steps : most;
	}
	assert_in_range(most, 5, 24);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(verdicts) + 6] = {
		cmocka_unit_test(test_refuses_too_large),
		cmocka_unit_test(test_reports_unknown),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_long_jumps),
		cmocka_unit_test(test_default_profile_is_small),
	};

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		tests[6 + i] = (struct CMUnitTest){
			.name = verdicts[i].name,
			.test_func = test_verdict,
			.initial_state = (void *)(uintptr_t)&verdicts[i],
		};
	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
