/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets the master of the container's terminal, and which combinations nobody would. Needs no
 * root and no terminal.
 */
#include "runtime/planners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct config config;
	struct create_options options;
	struct plan plan;
	struct planner_state s;
	struct err err;
};

static struct fixture *make(bool terminal)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.err = ERR_INIT;
	f.config.process.set = true;
	f.config.process.terminal = terminal;
	f.config.linux_.namespaces[NS_MOUNT].mode = NS_NEW;
	f.s = (struct planner_state){ .plan = &f.plan, .config = &f.config, .options = &f.options };
	f.s.slots.rootfs = plan_slot(&f.plan, "rootfs");
	f.s.slots.console_socket = SLOT_NONE;
	return &f;
}

static int run(struct fixture *f)
{
	int r = plan_console_connect(&f->s, &f->err);

	return r < 0 ? r : plan_console(&f->s, &f->err);
}

static const struct step *find(const struct fixture *f, enum step_kind kind)
{
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		if (f->plan.steps[i].kind == kind)
			return &f->plan.steps[i];
	}
	return NULL;
}

static void test_without_a_terminal_nothing_is_done(void **state)
{
	struct fixture *f = make(false);

	assert_int_equal(run(f), 0);
	assert_int_equal(f->plan.n_steps, 0);
	plan_clear(&f->plan);
}

static void test_no_process_has_no_terminal(void **state)
{
	struct fixture *f = make(true);

	f->config.process.set = false;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->plan.n_steps, 0);
	plan_clear(&f->plan);
}

static void test_a_socket_is_reached_before_the_pty_is_made(void **state)
{
	struct fixture *f = make(true);
	const struct step *connect, *console;

	f->options.console_socket = "/run/c.sock";
	f->config.process.console_height = 30;
	f->config.process.console_width = 100;
	assert_int_equal(run(f), 0);

	connect = find(f, STEP_CONSOLE_SOCKET);
	console = find(f, STEP_CONSOLE);
	assert_int_equal(connect->who, STEP_PARENT);
	assert_string_equal(connect->u.console_socket.path, "/run/c.sock");
	assert_int_equal(console->who, STEP_CHILD);
	assert_true(connect < console);
	assert_int_equal(console->in[0], f->s.slots.rootfs);
	assert_int_equal(console->in[1], connect->out);
	assert_false(console->u.console.send_to_parent);
	assert_true(console->u.console.mount_dev_console);
	assert_int_equal(console->u.console.height, 30);
	assert_int_equal(console->u.console.width, 100);
	assert_string_equal(console->pointer, "/process/terminal");
	assert_null(find(f, STEP_CONSOLE_RECEIVE));
	plan_clear(&f->plan);
}

static void test_in_the_foreground_the_parent_receives_it(void **state)
{
	struct fixture *f = make(true);

	f->options.run = f->options.foreground = true;
	assert_int_equal(run(f), 0);
	assert_null(find(f, STEP_CONSOLE_SOCKET));
	assert_true(find(f, STEP_CONSOLE)->u.console.send_to_parent);
	assert_int_equal(find(f, STEP_CONSOLE)->in[1], SLOT_NONE);
	assert_true(find(f, STEP_CONSOLE_RECEIVE) > find(f, STEP_CONSOLE));
	assert_int_equal(find(f, STEP_CONSOLE_RECEIVE)->who, STEP_PARENT);
	plan_clear(&f->plan);
}

/* In a joined mount namespace /dev/console would be a mount in somebody else's tree. */
static void test_dev_console_only_in_a_namespace_of_our_own(void **state)
{
	struct fixture *f = make(true);

	f->options.foreground = true;
	f->config.linux_.namespaces[NS_MOUNT].mode = NS_JOIN;
	assert_int_equal(run(f), 0);
	assert_false(find(f, STEP_CONSOLE)->u.console.mount_dev_console);
	plan_clear(&f->plan);
}

static void assert_refused(struct fixture *f, const char *text, const char *pointer)
{
	assert_int_equal(run(f), -EINVAL);
	assert_int_equal(f->err.kind, ERR_USER);
	assert_string_equal(f->err.text, text);
	assert_string_equal(f->err.pointer, pointer);
	assert_int_equal(f->plan.n_steps, 0);
	plan_clear(&f->plan);
}

static void test_what_nobody_could_use_is_refused(void **state)
{
	struct fixture *f = make(true);

	assert_refused(f, "the process wants a terminal, but nobody would have its other end",
		       "/process/terminal");

	f = make(false);
	f->options.console_socket = "/run/c.sock";
	assert_refused(f, "a console socket was given, but the process has no terminal",
		       "/process/terminal");

	f = make(true);
	f->options.console_socket = "/run/c.sock";
	f->options.foreground = true;
	assert_refused(f, "a console socket is of no use to a run in the foreground: use --detach",
		       "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_terminal_nothing_is_done),
		cmocka_unit_test(test_no_process_has_no_terminal),
		cmocka_unit_test(test_a_socket_is_reached_before_the_pty_is_made),
		cmocka_unit_test(test_in_the_foreground_the_parent_receives_it),
		cmocka_unit_test(test_dev_console_only_in_a_namespace_of_our_own),
		cmocka_unit_test(test_what_nobody_could_use_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
