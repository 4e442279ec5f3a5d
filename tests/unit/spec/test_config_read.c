/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every property of the config that is accepted, and where its value goes. */
#include "case.h"

#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/resource.h>

static void test_A6_A7_minimal(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(&arena, "{'ociVersion':'1.0.0','root':{'path':'rootfs'}}");

	assert_string_equal(c->oci_version, "1.0.0");
	assert_string_equal(c->root.path, "rootfs");
	assert_false(c->root.readonly);
	assert_false(c->process.set);
	assert_null(c->hostname);
	assert_int_equal(c->mounts.n, 0);
	assert_int_equal(c->ignored.n, 0);
	assert_false(c->linux_.resources.set);
	assert_false(c->linux_.seccomp.set);
	for (int i = 0; i < NS_TYPES; i++)
		assert_int_equal(c->linux_.namespaces[i].mode, NS_ABSENT);
	arena_clear(&arena);
}

static void test_A5_versions(void **state)
{
	static const char *const good[] = { "1.0.0",     "1.0.1",     "1.0.2-dev",
					    "1.0.0-rc5", "1.1.0+dev", "1.2.1-rc.1+x",
					    "1.3.0-dev", "1.3.0",     "1.3.17" };
	char doc[128];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct arena arena = { 0 };

		snprintf(doc, sizeof(doc), "{'ociVersion':'%s','root':{'path':'r'}}", good[i]);
		assert_string_equal(case_read(&arena, doc)->oci_version, good[i]);
		arena_clear(&arena);
	}
}

static void test_A4_null_and_empty_are_absent(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		DOC("'hostname':'','domainname':null,'mounts':null,'hooks':null,'process':null,"
		    "'linux':{'cgroupsPath':'','mountLabel':'','rootfsPropagation':'','seccomp':"
		    "null,"
		    "'resources':{'memory':{'swappiness':null,'limit':null},'cpu':{'cpus':''}},"
		    "'namespaces':[{'type':'ipc','path':''}]}"));

	assert_null(c->hostname);
	assert_null(c->domainname);
	assert_false(c->process.set);
	assert_null(c->linux_.cgroups_path);
	assert_null(c->linux_.mount_label);
	assert_null(c->linux_.rootfs_propagation);
	assert_false(c->linux_.seccomp.set);
	assert_true(c->linux_.resources.set);
	assert_false(c->linux_.resources.memory.swappiness.set);
	assert_null(c->linux_.resources.cpu.cpus);
	assert_int_equal(c->linux_.namespaces[NS_IPC].mode, NS_NEW);
	arena_clear(&arena);
}

static void test_A8_A9_A10_A11_A12_B2_B3_B6_root_names_mounts(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena, "{'ociVersion':'1.2.0','root':{'path':'/"
			"r','readonly':true},'hostname':'web','domainname':'test',"
			"'annotations':{'a.b':'c','empty':'','org.opencontainers.image.stopSignal':"
			"'SIGUSR1'},'linux':{'namespaces':[{'type':'uts'}]},'mounts':["
			"{'destination':'/proc','type':'proc','source':'proc'},"
			"{'destination':'data','source':'d','options':['rbind','ro'],"
			"'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],"
			"'gidMappings':[{'containerID':0,'hostID':2000,'size':20}]}]}");

	assert_string_equal(c->root.path, "/r");
	assert_true(c->root.readonly);
	assert_string_equal(c->hostname, "web");
	assert_string_equal(c->domainname, "test");
	assert_int_equal(c->annotations.n, 3);
	assert_string_equal(c->annotations.items[0].key, "a.b");
	assert_string_equal(c->annotations.items[0].value, "c");
	assert_string_equal(c->annotations.items[1].value, "");
	assert_int_equal(c->mounts.n, 2);
	assert_string_equal(c->mounts.items[0].type, "proc");
	assert_int_equal(c->mounts.items[0].options.n, 0);
	assert_string_equal(c->mounts.items[1].destination, "data");
	assert_null(c->mounts.items[1].type);
	assert_int_equal(c->mounts.items[1].options.n, 2);
	assert_string_equal(c->mounts.items[1].options.items[1], "ro");
	assert_int_equal(c->mounts.items[1].uid_mappings.items[0].host_id, 1000);
	assert_int_equal(c->mounts.items[1].gid_mappings.items[0].size, 20);
	arena_clear(&arena);
}

static void test_H1_H2_H3_H4_H5_H6_hooks(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena, DOC("'hooks':{'prestart':[{'path':'/a'}],'createRuntime':[{'path':'/b'}],"
			    "'createContainer':[{'path':'/c'}],'startContainer':[{'path':'/d'}],"
			    "'poststart':[{'path':'/e'}],'poststop':[{'path':'/f','args':['x','y'],"
			    "'env':['A=1'],'timeout':7},{'path':'/g'}]}"));

	for (int i = 0; i < HOOK_KINDS; i++) {
		const char path[] = { '/', (char)('a' + i), '\0' };

		assert_string_equal(c->hooks[i].items[0].path, path);
	}
	assert_int_equal(c->hooks[HOOK_POSTSTOP].n, 2);
	assert_int_equal(c->hooks[HOOK_POSTSTOP].items[0].args.n, 2);
	assert_string_equal(c->hooks[HOOK_POSTSTOP].items[0].env.items[0], "A=1");
	assert_int_equal(c->hooks[HOOK_POSTSTOP].items[0].timeout_s, 7);
	assert_int_equal(c->hooks[HOOK_PRESTART].items[0].timeout_s, 0);
	arena_clear(&arena);
}

static void test_P1_P2_P7_P8_P9_P12_P15_P16_P17_P18_P19_P20_process(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		DOC("'process':{'terminal':true,'consoleSize':{'height':24,'width':80},'cwd':'/w',"
		    "'args':['sh','-c',''],'user':{'uid':1,'gid':4294967294,'umask':0,'"
		    "additionalGids':[5,6]},"
		    "'rlimits':[{'type':'RLIMIT_NOFILE','soft':1,'hard':18446744073709551615},"
		    "{'type':'RLIMIT_STACK','soft':2,'hard':2}],'apparmorProfile':'p','"
		    "selinuxLabel':'l',"
		    "'noNewPrivileges':true,'oomScoreAdj':0,'ioPriority':{'class':'IOPRIO_CLASS_BE'"
		    ",'priority':7},"
		    "'scheduler':{'policy':'SCHED_BATCH','nice':-20,'flags':['SCHED_FLAG_RESET_ON_"
		    "FORK',"
		    "'SCHED_FLAG_KEEP_PARAMS']},'execCPUAffinity':{'initial':'0-3, "
		    "7','final':'1'}}"));
	struct config_process *p = &c->process;

	assert_true(p->set);
	assert_true(p->terminal);
	assert_int_equal(p->console_height, 24);
	assert_int_equal(p->console_width, 80);
	assert_string_equal(p->cwd, "/w");
	assert_int_equal(p->args.n, 3);
	assert_string_equal(p->args.items[2], "");
	assert_int_equal(p->uid, 1);
	assert_int_equal(p->gid, 4294967294U);
	assert_true(p->umask.set);
	assert_int_equal(p->umask.v, 0);
	assert_int_equal(p->additional_gids.n, 2);
	assert_int_equal(p->additional_gids.items[1], 6);
	assert_int_equal(p->rlimits.n, 2);
	assert_int_equal(p->rlimits.items[0].resource, RLIMIT_NOFILE);
	assert_string_equal(p->rlimits.items[0].type, "RLIMIT_NOFILE");
	assert_true(p->rlimits.items[0].hard == UINT64_MAX);
	assert_string_equal(p->apparmor_profile, "p");
	assert_string_equal(p->selinux_label, "l");
	assert_true(p->no_new_privileges);
	assert_true(p->oom_score_adj.set);
	assert_int_equal(p->oom_score_adj.v, 0);
	assert_true(p->io_priority.set);
	assert_int_equal(p->io_priority.class, 2);
	assert_int_equal(p->io_priority.priority, 7);
	assert_true(p->scheduler.set);
	assert_int_equal(p->scheduler.policy, SCHED_BATCH);
	assert_int_equal(p->scheduler.nice, -20);
	assert_int_equal(p->scheduler.flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_PARAMS);
	assert_string_equal(p->exec_cpu_affinity_initial, "0-3, 7");
	assert_string_equal(p->exec_cpu_affinity_final, "1");
	arena_clear(&arena);
}

static void test_P12_P19_absent_is_not_zero(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(&arena, PROCESS("'env':[]"));

	assert_true(c->process.set);
	assert_false(c->process.terminal);
	assert_false(c->process.capabilities.set);
	assert_false(c->process.oom_score_adj.set);
	assert_false(c->process.umask.set);
	assert_false(c->process.scheduler.set);
	assert_false(c->process.io_priority.set);
	assert_int_equal(c->process.env.n, 0);
	arena_clear(&arena);
}

static void test_P13_P14_scheduler(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena, PROCESS("'scheduler':{'policy':'SCHED_DEADLINE','runtime':1,'deadline':2,"
				"'period':18446744073709551615}"));

	assert_int_equal(c->process.scheduler.runtime_ns, 1);
	assert_int_equal(c->process.scheduler.deadline_ns, 2);
	assert_true(c->process.scheduler.period_ns == UINT64_MAX);
	arena_clear(&arena);

	c = case_read(&arena, PROCESS("'scheduler':{'policy':'SCHED_FIFO','priority':99}"));
	assert_int_equal(c->process.scheduler.priority, 99);
	arena_clear(&arena);
}

/* the last of several wins, in its place; a name that another begins with is another name. */
static void test_Q13_env(void **state)
{
	static const char *const expected[] = { "AB=0", "B=x=y", "A=3", "C=" };
	struct arena arena = { 0 };
	struct config *c =
		case_read(&arena, PROCESS("'env':['A=1','AB=0','A=2','B=x=y','C=5','A=3','C=']"));

	assert_int_equal(c->process.env.n, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_string_equal(c->process.env.items[i], expected[i]);
	arena_clear(&arena);
}

static void test_P10_capabilities(void **state)
{
	struct arena arena = { 0 };
	struct config *c =
		case_read(&arena, PROCESS("'capabilities':{'bounding':['CAP_KILL','CAP_FUTURE','"
					  "CAP_KILL'],'effective':['CAP_CHOWN'],"
					  "'permitted':['CAP_CHOWN','CAP_BPF','cap_kill'],'"
					  "inheritable':['CAP_FUTURE'],"
					  "'ambient':null,'extra':[]}"));
	struct config_capabilities *caps = &c->process.capabilities;

	assert_true(caps->set);
	assert_int_equal(caps->bounding, 1ULL << CAP_KILL);
	assert_int_equal(caps->effective, 1ULL << CAP_CHOWN);
	assert_int_equal(caps->permitted, 1ULL << CAP_CHOWN | 1ULL << CAP_BPF);
	assert_int_equal(caps->inheritable, 0);
	assert_int_equal(caps->ambient, 0);
	assert_int_equal(caps->unknown.n, 2);
	assert_string_equal(caps->unknown.items[0], "CAP_FUTURE");
	assert_string_equal(caps->unknown.items[1], "cap_kill");
	assert_int_equal(c->ignored.n, 1);
	assert_string_equal(c->ignored.items[0].pointer, "/process/capabilities/extra");
	arena_clear(&arena);
}

static void test_L2_L3_L4_L5_L17_L18_L19_L21_L22_L24_linux(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		LINUX("'namespaces':[{'type':'user'},{'type':'pid','path':'/proc/1/ns/"
		      "pid'},{'type':'time'},"
		      "{'type':'network'}],"
		      "'uidMappings':[{'containerID':0,'hostID':100000,'size':65536},"
		      "{'containerID':65536,'hostID':0,'size':1}],"
		      "'gidMappings':[{'containerID':0,'hostID':0,'size':4294967295}],"
		      "'timeOffsets':{'monotonic':{'secs':-5,'nanosecs':999999999},'boottime':{}},"
		      "'cgroupsPath':'/a/b','rootfsPropagation':'rslave','maskedPaths':['/proc/"
		      "kcore'],"
		      "'readonlyPaths':['/proc/sys','/"
		      "sys'],'mountLabel':'m','sysctl':{'kernel.shmmax':'1'},"
		      "'personality':{'domain':'LINUX32','flags':[]},"
		      "'netDevices':{'eth0':{'name':'lan%d'},'eth1':{}}"));
	struct config_linux *l = &c->linux_;

	assert_int_equal(l->namespaces[NS_USER].mode, NS_NEW);
	assert_string_equal(l->namespaces[NS_USER].pointer, "/linux/namespaces/0");
	assert_int_equal(l->namespaces[NS_PID].mode, NS_JOIN);
	assert_string_equal(l->namespaces[NS_PID].path, "/proc/1/ns/pid");
	assert_int_equal(l->namespaces[NS_MOUNT].mode, NS_ABSENT);
	assert_null(l->namespaces[NS_MOUNT].pointer);
	assert_int_equal(l->uid_mappings.n, 2);
	assert_int_equal(l->uid_mappings.items[1].container_id, 65536);
	assert_int_equal(l->gid_mappings.items[0].size, 4294967295U);
	assert_true(l->monotonic.set);
	assert_int_equal(l->monotonic.secs, -5);
	assert_int_equal(l->monotonic.nanosecs, 999999999);
	assert_true(l->boottime.set);
	assert_string_equal(l->cgroups_path, "/a/b");
	assert_string_equal(l->rootfs_propagation, "rslave");
	assert_string_equal(l->masked_paths.items[0], "/proc/kcore");
	assert_int_equal(l->readonly_paths.n, 2);
	assert_string_equal(l->mount_label, "m");
	assert_string_equal(l->sysctl.items[0].key, "kernel.shmmax");
	assert_true(l->personality.set);
	assert_int_equal(l->personality.domain, PER_LINUX32);
	assert_int_equal(l->net_devices.n, 2);
	assert_string_equal(l->net_devices.items[0].host_name, "eth0");
	assert_string_equal(l->net_devices.items[0].name, "lan%d");
	assert_null(l->net_devices.items[1].name);
	arena_clear(&arena);
}

static void test_L7_L8_L9_L10_L11_devices(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena, LINUX("'devices':[{'type':'c','path':'/dev/"
			      "fuse','major':10,'minor':229,'fileMode':438,'uid':1,'gid':2},"
			      "{'type':'u','path':'/dev/"
			      "u','major':1,'minor':1048575},{'type':'b','path':'/x','major':4095,"
			      "'minor':0},{'type':'p','path':'/fifo'}]"));
	struct config_device *d = c->linux_.devices.items;

	assert_int_equal(c->linux_.devices.n, 4);
	assert_int_equal(d[0].type, 'c');
	assert_string_equal(d[0].path, "/dev/fuse");
	assert_int_equal(d[0].major, 10);
	assert_int_equal(d[0].minor, 229);
	assert_true(d[0].file_mode.set);
	assert_int_equal(d[0].file_mode.v, 0666);
	assert_int_equal(d[0].uid, 1);
	assert_int_equal(d[0].gid, 2);
	assert_int_equal(d[1].type, 'c');
	assert_false(d[1].file_mode.set);
	assert_int_equal(d[2].type, 'b');
	assert_int_equal(d[3].type, 'p');
	arena_clear(&arena);
}

static void test_L25_L26_L27_I13_memory_and_cache(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		LINUX("'memoryPolicy':{'mode':'MPOL_INTERLEAVE','nodes':'0-3,7','flags':['MPOL_F_"
		      "STATIC_NODES']},"
		      "'intelRdt':{'closID':'gold','l3CacheSchema':'L3:0=f\\nL3CODE:1=3','"
		      "memBwSchema':'MB:0=20',"
		      "'schemata':['L2:0=1','MB:1=70'],'enableMonitoring':true,'enableCMT':true}"));

	assert_true(c->linux_.memory_policy.set);
	assert_int_equal(c->linux_.memory_policy.mode, MPOL_INTERLEAVE);
	assert_int_equal(c->linux_.memory_policy.flags, MPOL_F_STATIC_NODES);
	assert_string_equal(c->linux_.memory_policy.nodes, "0-3,7");
	assert_true(c->linux_.intel_rdt.set);
	assert_string_equal(c->linux_.intel_rdt.clos_id, "gold");
	assert_string_equal(c->linux_.intel_rdt.l3_cache_schema, "L3:0=f\nL3CODE:1=3");
	assert_string_equal(c->linux_.intel_rdt.mem_bw_schema, "MB:0=20");
	assert_int_equal(c->linux_.intel_rdt.schemata.n, 2);
	assert_true(c->linux_.intel_rdt.enable_monitoring);
	assert_int_equal(c->ignored.n, 1);
	assert_string_equal(c->ignored.items[0].pointer, "/linux/intelRdt/enableCMT");
	assert_string_equal(c->ignored.items[0].why, "gone from the spec since 1.3");
	arena_clear(&arena);

	c = case_read(&arena, LINUX("'memoryPolicy':{'mode':'MPOL_DEFAULT','nodes':''},'intelRdt':{"
				    "'closID':'/'}"));
	assert_null(c->linux_.memory_policy.nodes);
	assert_string_equal(c->linux_.intel_rdt.clos_id, "/");
	arena_clear(&arena);
}

static void test_R2_R4_R10_R11_R14_R21_memory_cpu_pids(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		RESOURCES(
			"'memory':{'limit':9223372036854775807,'reservation':-1,'swap':-1,'kernel':"
			"0,'kernelTCP':1,"
			"'swappiness':0,'disableOOMKiller':false,'useHierarchy':true,'"
			"checkBeforeUpdate':true},"
			"'cpu':{'shares':18446744073709551615,'quota':-1,'period':100000,'burst':5,"
			"'realtimeRuntime':950000,'realtimePeriod':1000000,'idle':1,'cpus':'0-1','"
			"mems':'0'},"
			"'pids':{'limit':0}"));
	struct config_resources *r = &c->linux_.resources;

	assert_true(r->memory.limit.v == INT64_MAX);
	assert_int_equal(r->memory.reservation.v, -1);
	assert_int_equal(r->memory.swap.v, -1);
	assert_true(r->memory.kernel.set);
	assert_int_equal(r->memory.kernel_tcp.v, 1);
	assert_true(r->memory.swappiness.set);
	assert_true(r->memory.disable_oom_killer.set);
	assert_false(r->memory.disable_oom_killer.v);
	assert_true(r->memory.use_hierarchy.v);
	assert_true(r->memory.check_before_update.v);
	assert_true(r->cpu.shares.v == UINT64_MAX);
	assert_int_equal(r->cpu.quota.v, -1);
	assert_int_equal(r->cpu.period.v, 100000);
	assert_int_equal(r->cpu.burst.v, 5);
	assert_int_equal(r->cpu.realtime_runtime.v, 950000);
	assert_int_equal(r->cpu.realtime_period.v, 1000000);
	assert_int_equal(r->cpu.idle.v, 1);
	assert_string_equal(r->cpu.cpus, "0-1");
	assert_string_equal(r->cpu.mems, "0");
	assert_true(r->pids_limit.set);
	assert_int_equal(r->pids_limit.v, 0);
	arena_clear(&arena);
}

static void test_R16_R17_R18_R19_R20_R22_R23_io_and_others(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		RESOURCES("'blockIO':{'weight':10,'leafWeight':0,'weightDevice':[{'major':8,'minor'"
			  ":0,'weight':500,"
			  "'leafWeight':300},{'major':8,'minor':16,'leafWeight':1000}],"
			  "'throttleReadBpsDevice':[{'major':1,'minor':2,'rate':3}],'"
			  "throttleWriteBpsDevice':["
			  "{'major':4,'minor':5,'rate':6}],'throttleReadIOPSDevice':[{'major':7,'"
			  "minor':8,'rate':9}],"
			  "'throttleWriteIOPSDevice':[{'major':10,'minor':11,'rate':"
			  "18446744073709551615}]},"
			  "'hugepageLimits':[{'pageSize':'2MB','limit':18446744073709551615},{'"
			  "pageSize':'1GB','limit':0}],"
			  "'network':{'classID':1048577,'priorities':[{'name':'eth0','priority':"
			  "500}]},"
			  "'rdma':{'mlx5_1':{'hcaHandles':3},'rxe3':{'hcaObjects':4294967295}},"
			  "'unified':{'memory.high':'1G','io.max':''}"));
	struct config_resources *r = &c->linux_.resources;

	assert_int_equal(r->block_io.weight.v, 10);
	assert_true(r->block_io.leaf_weight.set);
	assert_int_equal(r->block_io.weight_device.n, 2);
	assert_int_equal(r->block_io.weight_device.items[0].leaf_weight.v, 300);
	assert_false(r->block_io.weight_device.items[1].weight.set);
	assert_int_equal(r->block_io.weight_device.items[1].minor, 16);
	assert_int_equal(r->block_io.read_bps.items[0].rate, 3);
	assert_int_equal(r->block_io.write_bps.items[0].major, 4);
	assert_int_equal(r->block_io.read_iops.items[0].minor, 8);
	assert_true(r->block_io.write_iops.items[0].rate == UINT64_MAX);
	assert_int_equal(r->hugepage_limits.n, 2);
	assert_string_equal(r->hugepage_limits.items[0].page_size, "2MB");
	assert_true(r->hugepage_limits.items[0].limit == UINT64_MAX);
	assert_int_equal(r->network.class_id.v, 1048577);
	assert_string_equal(r->network.priorities.items[0].name, "eth0");
	assert_int_equal(r->network.priorities.items[0].priority, 500);
	assert_int_equal(r->rdma.n, 2);
	assert_string_equal(r->rdma.items[0].device, "mlx5_1");
	assert_int_equal(r->rdma.items[0].hca_handles.v, 3);
	assert_false(r->rdma.items[0].hca_objects.set);
	assert_int_equal(r->rdma.items[1].hca_objects.v, 4294967295U);
	assert_int_equal(r->unified.n, 2);
	assert_string_equal(r->unified.items[0].key, "memory.high");
	assert_string_equal(r->unified.items[1].value, "");
	arena_clear(&arena);
}

static void test_R1_device_rules(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena, RESOURCES("'devices':[{'allow':false},{'allow':true,'type':'c','major':10,"
				  "'minor':-1,'access':'rw'},{'allow':true,'type':'b','major':null,"
				  "'minor':0,'access':'m'},{'allow':true,'type':'','access':''}]"));
	struct config_device_rule *rule = c->linux_.resources.devices.items;

	assert_int_equal(c->linux_.resources.devices.n, 4);
	assert_false(rule[0].allow);
	assert_int_equal(rule[0].type, 'a');
	assert_true(rule[0].read && rule[0].write && rule[0].mknod);
	assert_int_equal(rule[1].type, 'c');
	assert_true(rule[1].major.set);
	assert_false(rule[1].minor.set);
	assert_true(rule[1].read && rule[1].write && !rule[1].mknod);
	assert_false(rule[2].major.set);
	assert_true(rule[2].minor.set);
	assert_true(!rule[2].read && !rule[2].write && rule[2].mknod);
	assert_int_equal(rule[3].type, 'a');
	assert_true(rule[3].read && rule[3].write && rule[3].mknod);
	arena_clear(&arena);
}

static void test_S1_S2_S3_S4_S6_S7_S8_S10_seccomp(void **state)
{
	struct arena arena = { 0 };
	struct config *c = case_read(
		&arena,
		SECCOMP("'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':0,'architectures':['"
			"SCMP_ARCH_X86_64',"
			"'SCMP_ARCH_SHEB'],'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_"
			"TSYNC'],"
			"'listenerPath':'/"
			"s','listenerMetadata':'m','syscalls':[{'names':['read','no_such_call'],"
			"'action':'SCMP_ACT_TRACE','errnoRet':65535,'args':[{'index':5,'value':"
			"18446744073709551615,"
			"'valueTwo':2,'op':'SCMP_CMP_MASKED_EQ'}]},{'names':['bpf'],'action':'SCMP_"
			"ACT_NOTIFY'}]"));
	struct config_seccomp *s = &c->linux_.seccomp;

	assert_true(s->set);
	assert_int_equal(s->default_action, SECCOMP_RET_ERRNO);
	assert_true(s->default_errno_ret.set);
	assert_int_equal(s->default_errno_ret.v, 0);
	assert_int_equal(s->architectures, 1U << ARCH_X86_64 | 1U << ARCH_SHEB);
	assert_true(s->has_flags);
	assert_int_equal(s->flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC);
	assert_string_equal(s->listener_path, "/s");
	assert_string_equal(s->listener_metadata, "m");
	assert_int_equal(s->syscalls.n, 2);
	assert_string_equal(s->syscalls.items[0].names.items[1], "no_such_call");
	assert_int_equal(s->syscalls.items[0].action, SECCOMP_RET_TRACE);
	assert_int_equal(s->syscalls.items[0].errno_ret.v, 65535);
	assert_int_equal(s->syscalls.items[0].args.items[0].index, 5);
	assert_true(s->syscalls.items[0].args.items[0].value == UINT64_MAX);
	assert_int_equal(s->syscalls.items[0].args.items[0].value_two, 2);
	assert_int_equal(s->syscalls.items[0].args.items[0].op, SECCOMP_OP_MASKED_EQ);
	assert_int_equal(s->syscalls.items[1].action, SECCOMP_RET_USER_NOTIF);
	arena_clear(&arena);

	c = case_read(&arena, SECCOMP("'defaultAction':'SCMP_ACT_KILL','flags':[]"));
	assert_int_equal(c->linux_.seccomp.default_action, SECCOMP_RET_KILL_THREAD);
	assert_false(c->linux_.seccomp.default_errno_ret.set);
	assert_true(c->linux_.seccomp.has_flags);
	assert_int_equal(c->linux_.seccomp.flags, 0);
	arena_clear(&arena);

	c = case_read(&arena, SECCOMP("'defaultAction':'SCMP_ACT_LOG'"));
	assert_false(c->linux_.seccomp.has_flags);
	arena_clear(&arena);
}

static const struct {
	const char *doc, *pointer, *near, *why;
} ignored[] = {
	{ DOC("'x-unknown':{'a':1}"), "/x-unknown", NULL, "unknown property" },
	{ DOC("'hostName':'a'"), "/hostName", "/hostname", "unknown property" },
	{ LINUX("'seccompProfile':'...'"), "/linux/seccompProfile", "/linux/seccomp",
	  "unknown property" },
	{ RESOURCES("'memory':{'limits':1}"), "/linux/resources/memory/limits",
	  "/linux/resources/memory/limit", "unknown property" },
	{ RESOURCES("'oomScoreAdj':100"), "/linux/resources/oomScoreAdj", "/process/oomScoreAdj",
	  "unknown property" },
	{ DOC("'seccomp':{}"), "/seccomp", "/linux/seccomp", "unknown property" },
	{ PROCESS("'path':'/bin/sh'"), "/process/path", NULL, "unknown property" },
	{ PROCESS("'capabilities':{'inheritible':[]}"), "/process/capabilities/inheritible",
	  "/process/capabilities/inheritable", "unknown property" },
	{ MOUNT("'destination':'/a','option':['ro']"), "/mounts/0/option", "/mounts/0/options",
	  "unknown property" },
	{ PROCESS("'commandLine':'cmd'"), "/process/commandLine", NULL, "only for Windows" },
	{ DOC("'process':{'cwd':'/','args':['a'],'user':{'uid':0,'gid':0,'username':'x'}}"),
	  "/process/user/username", NULL, "only for Windows" },
	{ DOC("'windows':{}"), "/windows", NULL, "only for Windows" },
	{ DOC("'solaris':{}"), "/solaris", NULL, "only for Solaris" },
	{ DOC("'zos':{}"), "/zos", NULL, "only for z/OS" },
	{ DOC("'freebsd':{'jail':{'vnet':'disable'}}"), "/freebsd", NULL, "only for FreeBSD" },
	{ DOC("'vm':{'hwConfig':{'vcpus':'x'}}"), "/vm", NULL,
	  "only for runtimes with virtual machines" },
	{ LINUX("'intelRdt':{'enableMBM':true}"), "/linux/intelRdt/enableMBM", NULL,
	  "gone from the spec since 1.3" },
	{ LINUX("'netDevices':{},'a/b~c':1"), "/linux/a~1b~0c", NULL, "unknown property" },
};

static void test_A3_A13_A14_A15_P6_P21_ignored(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		struct arena arena = { 0 };
		struct config *c = case_read(&arena, ignored[i].doc);

		assert_int_equal(c->ignored.n, 1);
		assert_string_equal(c->ignored.items[0].pointer, ignored[i].pointer);
		assert_string_equal(c->ignored.items[0].why, ignored[i].why);
		if (ignored[i].near)
			assert_string_equal(c->ignored.items[0].near, ignored[i].near);
		else
			assert_null(c->ignored.items[0].near);
		arena_clear(&arena);
	}
}

/* A list of @n entries, @format with its number each, between @before and @after, is read. */
static void read_many(const char *before, const char *format, int n, const char *after,
		      struct err *ret_err)
{
	struct arena arena = { 0 };
	struct config *config;
	char *doc = arena_strdup(&arena, before);
	const char *text;
	size_t len;

	for (int i = 0; i < n; i++) {
		char *entry = arena_printf(&arena, format, i);

		doc = arena_printf(&arena, "%s%s%s", doc, i ? "," : "", entry);
	}
	text = case_text(arena_printf(&arena, "%s%s", doc, after), &len);
	*ret_err = ERR_INIT;
	(void)!config_read(&arena, text, len, &config, ret_err);
	arena_clear(&arena);
}

/* What only an attacker sends: each list that is compared pair by pair, or kept for a person to read, has an end. */
static void test_Z19_limits(void **state)
{
	static const char before_caps[] =
		"{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'/','args':['a'],"
		"'capabilities':{'bounding':[";
	static const char before_sizes[] =
		"{'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'resources':{"
		"'hugepageLimits':[";
	static const char size[] = "{'pageSize':'1%dKB','limit':0}";
	struct err err;

	read_many("{'ociVersion':'1.0.0','root':{'path':'r'},", "'x%d':1", 256, "}", &err);
	assert_string_equal(err.text, "");
	read_many("{'ociVersion':'1.0.0','root':{'path':'r'},", "'x%d':1", 257, "}", &err);
	assert_string_equal(err.text, "read \"x256\": more than 256 properties are ignored");

	read_many(before_caps, "'CAP_%d'", 64, "]}}}", &err);
	assert_string_equal(err.text, "");
	read_many(before_caps, "'CAP_%d'", 65, "]}}}", &err);
	assert_string_equal(err.text, "read \"bounding[64]\": more than 64 unknown capabilities");

	read_many(before_sizes, size, 32, "]}}}", &err);
	assert_string_equal(err.text, "");
	read_many(before_sizes, size, 33, "]}}}", &err);
	assert_string_equal(err.text, "read \"hugepageLimits\": more than 32 page sizes");

	read_many("{'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'namespaces':[{'type':'user'}"
		  "],'uidMappings':[",
		  "{'containerID':%1$d,'hostID':%1$d,'size':1}", 341, "]}}", &err);
	assert_string_equal(
		err.text,
		"read \"uidMappings\": 341 ranges are more than the kernel's limit of 340");
}

static void test_Z19_too_large(void **state)
{
	struct arena arena = { 0 };
	struct config *config;
	struct err err;

	assert_int_equal(config_read(&arena, "", CONFIG_MAX_BYTES + 1, &config, &err), -EINVAL);
	assert_string_equal(err.text,
			    "read config.json: 8388609 bytes are more than the limit of 8388608");
}

/* The line is the one where the value stands. */
static void test_line(void **state)
{
	static const char text[] =
		"{\n\t\"ociVersion\": \"1.0.0\",\n\t\"root\": {\n\t\t\"path\": 7\n\t}\n}\n";
	struct arena arena = { 0 };
	struct config *config;
	char shown[256];
	struct err err;

	assert_int_equal(config_read(&arena, text, strlen(text), &config, &err), -EINVAL);
	err_render(&err, shown, sizeof(shown));
	assert_string_equal(
		shown, "read \"path\": expected a string, got 7 (config.json /root/path, line 4)");
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_A6_A7_minimal),
		cmocka_unit_test(test_A5_versions),
		cmocka_unit_test(test_A4_null_and_empty_are_absent),
		cmocka_unit_test(test_A8_A9_A10_A11_A12_B2_B3_B6_root_names_mounts),
		cmocka_unit_test(test_H1_H2_H3_H4_H5_H6_hooks),
		cmocka_unit_test(test_P1_P2_P7_P8_P9_P12_P15_P16_P17_P18_P19_P20_process),
		cmocka_unit_test(test_P12_P19_absent_is_not_zero),
		cmocka_unit_test(test_P13_P14_scheduler),
		cmocka_unit_test(test_Q13_env),
		cmocka_unit_test(test_P10_capabilities),
		cmocka_unit_test(test_L2_L3_L4_L5_L17_L18_L19_L21_L22_L24_linux),
		cmocka_unit_test(test_L7_L8_L9_L10_L11_devices),
		cmocka_unit_test(test_L25_L26_L27_I13_memory_and_cache),
		cmocka_unit_test(test_R2_R4_R10_R11_R14_R21_memory_cpu_pids),
		cmocka_unit_test(test_R16_R17_R18_R19_R20_R22_R23_io_and_others),
		cmocka_unit_test(test_R1_device_rules),
		cmocka_unit_test(test_S1_S2_S3_S4_S6_S7_S8_S10_seccomp),
		cmocka_unit_test(test_A3_A13_A14_A15_P6_P21_ignored),
		cmocka_unit_test(test_Z19_limits),
		cmocka_unit_test(test_Z19_too_large),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests_name("config read", tests, NULL, NULL);
}
