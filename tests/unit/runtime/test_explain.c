/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of explain: every kind of step has a command and a reason, and words are quoted so that a shell gives them back. */
#include "runtime/explain_parts.h"

#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

static struct config_hook hook = { .path = "/bin/hook" };
static char program[] = "/bin/true";
static char *argv[] = { program, NULL };

/* Arguments that commands follow without looking: what a planner always fills. */
static void fill(struct step *step)
{
	switch (step->kind) {
	case STEP_ID_MAP:
		step->u.id_map.uid_map = step->u.id_map.gid_map = "0 1000 1\n";
		return;
	case STEP_ID_MAP_NS:
		step->u.id_map_ns.uid_map = step->u.id_map_ns.gid_map = "0 1000 1\n";
		return;
	case STEP_NET_DEVICE:
		step->u.net_device.host_name = "eth0";
		step->u.net_device.name = "lan%d";
		return;
	case STEP_RDT_GROUP:
		step->u.rdt_group.path = "/sys/fs/resctrl/gold";
		step->u.rdt_group.lines = "L3:0=f\nMB:0=50\n";
		return;
	case STEP_HOOK:
		step->u.hook.hook = &hook;
		step->u.hook.state_before = "{\"pid\":";
		step->u.hook.state_after = "}";
		step->u.hook.cwd = "/";
		return;
	case STEP_RLIMIT:
		step->u.rlimit.type = "RLIMIT_CORE";
		return;
	case STEP_MOUNT:
		step->u.mount.fstype = step->u.mount.source = "tmpfs";
		step->u.mount.target = "/tmp";
		return;
	case STEP_COPY_UP:
		step->u.copy_up.source = "tmpfs";
		step->u.copy_up.target = "/tmp";
		return;
	case STEP_SYSCTL:
		step->u.sysctl.path = "net/a";
		step->u.sysctl.value = "1";
		return;
	case STEP_UNIT_START:
		step->u.unit_start.unit.name = "tare-web.scope";
		step->u.unit_start.cgroup = "/system.slice/tare-web.scope";
		return;
	case STEP_UNIT_SET:
		step->u.unit_set.unit.name = "tare-web.scope";
		return;
	case STEP_CGROUP_SUB:
		step->u.cgroup_sub.dir = "/sys/fs/cgroup/web";
		step->u.cgroup_sub.name = "container";
		return;
	case STEP_CGROUP_WRITE:
		step->u.cgroup_write.dir = "/sys/fs/cgroup/web";
		step->u.cgroup_write.write.file = "pids.max";
		step->u.cgroup_write.write.value = "1";
		return;
	case STEP_SYMLINK:
		step->u.symlink.target = "pts/ptmx";
		step->u.symlink.path = "/dev/ptmx";
		return;
	case STEP_STATE_WRITE:
		step->u.state_write.status = "created";
		return;
	case STEP_EXEC:
		step->u.exec.argv = argv;
		return;
	case STEP_DEVICE:
		step->u.device.path = "/dev/null";
		step->u.device.type = 'c';
		return;
	case STEP_DEVICE_BIND:
		step->u.device_bind.path = "/dev/null";
		return;
	case STEP_NS_OPEN:
		step->u.ns_open.path = "/proc/1/ns/net";
		return;
	case STEP_CRIU_START:
		step->u.criu_start.image = "/var/lib/image";
		return;
	case STEP_SYNC_SEND:
	case STEP_SYNC_WAIT:
		step->u.sync_send.token = SYNC_CREATED;
		return;
	case STEP_SCHEDULER:
	case STEP_IO_PRIORITY:
	case STEP_MEMORY_POLICY:
	case STEP_OOM_SCORE_ADJ:
	case STEP_PERSONALITY:
	case STEP_HOME:
	case STEP_STDIO_OWNER:
	case STEP_UMASK:
	case STEP_BOUNDING:
	case STEP_IDS:
	case STEP_CAPABILITIES:
	case STEP_SECCOMP:
	case STEP_CLOSE_FDS:
	case STEP_TIME_NS:
	case STEP_CLONE:
	case STEP_NS_JOIN:
	case STEP_PROPAGATION:
	case STEP_PIVOT:
	case STEP_CONSOLE:
		return;
	default:
		/* All others begin with the text that they are about. */
		step->u.hostname.name = "/some/path";
		return;
	}
}

static char *command_of(const struct plan *plan, const struct step *step)
{
	struct shell sh = { .plan = plan };
	char *text = NULL;
	size_t len;

	sh.out = open_memstream(&text, &len);
	assert_non_null(sh.out);
	shell_command(&sh, step);
	fclose(sh.out);
	return text;
}

static void test_every_kind_has_a_command_and_a_reason(void **state)
{
	struct plan plan = { 0 };

	for (int kind = 0; kind < STEP_KIND_COUNT; kind++) {
		struct step *step = plan_add(&plan, STEP_CHILD, (enum step_kind)kind, "");
		char *command;

		fill(step);
		command = command_of(&plan, step);
		if (!command || !*command)
			fail_msg("\"%s\" has no command", step_names[kind]);
		if (strchr(command, '\n'))
			fail_msg("\"%s\" has more than a line: %s", step_names[kind], command);
		if (!step_why[kind] || !*step_why[kind])
			fail_msg("\"%s\" has no reason", step_names[kind]);
		free(command);
	}
	plan_clear(&plan);
}

/* Whatever a config holds, it reaches the command as one word: a shell says so. */
static void test_words_survive_a_shell(void **state)
{
	static const char *const words[] = {
		"plain",      "",          "two words", "it's",  "$HOME `id` \\ \"x\"",
		"line\nline", "tab\there", "*?[a]~",    "-n",    "a;b|c&d",
		"\001\177",   "\\n",       "'",         "\n'\\",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char got[64] = "";
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len), *pipe;

		shell_word(out, words[i]);
		fclose(out);
		assert_null(strchr(text, '\n'));
		setenv("WORD", text, 1);
		pipe = popen("bash -c 'eval \"set -- $WORD\"; printf %s \"$1\"'", "r");
		assert_non_null(pipe);
		got[fread(got, 1, sizeof(got) - 1, pipe)] = '\0';
		assert_int_equal(pclose(pipe), 0);
		assert_string_equal(got, words[i]);
		free(text);
	}
}

static void test_mount_words(void **state)
{
	struct plan plan = { 0 };
	struct step *step = plan_add(&plan, STEP_CHILD, STEP_MOUNT, "");
	char *command;

	step->u.mount.fstype = "tmpfs";
	step->u.mount.source = "a name";
	step->u.mount.target = "/new place";
	step->u.mount.flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
	step->u.mount.data = "size=64k";
	step->u.mount.propagation = MS_SLAVE;
	command = command_of(&plan, step);
	assert_string_equal(command, "mount -t tmpfs -o ro,nosuid,nodev,size=64k --make-slave 'a "
				     "name' \"$root\"'/new place'");
	free(command);

	step->u.mount.remount = true;
	step->u.mount.fstype = NULL;
	step->u.mount.propagation = 0;
	step->u.mount.attr_set = MOUNT_ATTR_RDONLY;
	step->u.mount.attr_clr = MOUNT_ATTR_NOEXEC;
	command = command_of(&plan, step);
	assert_string_equal(command, "mount -o remount,bind,ro,exec \"$root\"'/new place'");
	free(command);
	plan_clear(&plan);
}

static void test_formats(void **state)
{
	struct plan plan = { 0 };
	struct step *step = plan_add(&plan, STEP_CHILD, STEP_CAPABILITIES, "");
	char *command;

	step->u.capabilities.permitted = step->u.capabilities.effective = 1 | 1 << 5;
	command = command_of(&plan, step);
	assert_string_equal(command,
			    "exec capsh --caps='= cap_chown,cap_kill+p cap_chown,cap_kill+e' --");
	free(command);
	plan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_has_a_command_and_a_reason),
		cmocka_unit_test(test_words_survive_a_shell),
		cmocka_unit_test(test_mount_words),
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
