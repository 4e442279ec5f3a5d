/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The D-Bus client: bytes as the specification has them, what it makes of broken ones, and whole conversations with a small
 * peer, a child process that plays a bus and systemd by a script of answers.
 */
#include "cgroup/dbus.h"
#include "cgroup/unit.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define WORDS(...)                                                                                 \
	(struct str_list)                                                                          \
	{                                                                                          \
		(const char *[]){ __VA_ARGS__ },                                                   \
			sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)                   \
	}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static void test_values(void **state)
{
	static const uint8_t expected[] = {
		7, 0, 0, 0,                 /* y, and up to the next multiple of 4 */
		2, 0, 0, 0, 'a', 'b', 0, 0, /* s */
		1, 0, 0, 0,                 /* b */
		/* a(st): the length without what aligns its first element */
		20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'x', 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, /* "x", 2^64-1: 16 bytes */
		0, 0, 0, 0,       /* "" ... */
	};
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer buffer = { .arena = &arena };
	struct str_list words = WORDS("7", "ab", "true", "1", "x", "18446744073709551615");

	assert_int_equal(dbus_put(&buffer, "ysba(st)", &words), 0);
	assert_int_equal(buffer.len, 40);
	assert_memory_equal(buffer.data, expected, 16);
	assert_int_equal(buffer.data[16], 16); /* the length of the array */
	assert_memory_equal(buffer.data + 24, expected + 24, 16);
}

static void test_a_variant_has_its_signature(void **state)
{
	static const uint8_t expected[] = { 1, 'u', 0, 0, 5, 0, 0, 0 };
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer buffer = { .arena = &arena };
	struct str_list words = WORDS("u", "5");

	assert_int_equal(dbus_put(&buffer, "v", &words), 0);
	assert_int_equal(buffer.len, sizeof(expected));
	assert_memory_equal(buffer.data, expected, sizeof(expected));
}

static void test_words_that_do_not_fit(void **state)
{
	static const struct {
		const char *signature, *word;
		size_t n;
	} cases[] = {
		{ "u", "-1", 1 },    { "y", "256", 1 },
		{ "n", "40000", 1 }, { "b", "yes", 1 },
		{ "u", "5", 0 },     { "u", "5", 2 },
		{ "z", "5", 1 },     { "a", "0", 1 },
		{ "(", "5", 1 },     { "()", "5", 0 },
		{ "(u", "5", 1 },    { "au", "x", 1 },
		{ "v", "uu", 1 },    { "v", "u", 1 },
		{ "d", "1", 1 },     { "aaaaaaaaaaaaaaaaaaaaaaaau", "0", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		defer_arena struct arena arena = { 0 };
		struct dbus_buffer buffer = { .arena = &arena };
		const char *items[] = { cases[i].word, cases[i].word };
		const struct str_list words = { items, cases[i].n };

		if (dbus_put(&buffer, cases[i].signature, &words) != -EINVAL)
			fail_msg("\"%s\" of %zu \"%s\" was taken", cases[i].signature, cases[i].n,
				 cases[i].word);
	}
}

static void test_a_message_that_is_too_long(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer buffer = { .arena = &arena };
	char *text = arena_alloc(&arena, DBUS_MESSAGE_MAX + 1);
	const char *items[] = { text };

	memset(text, 'x', DBUS_MESSAGE_MAX);
	assert_int_equal(dbus_put(&buffer, "s", &(struct str_list){ items, 1 }), -E2BIG);
}

/* ---- receiving -------------------------------------------------------------------------------------------------- */

static void put_hello(struct arena *arena, struct dbus_buffer *buffer)
{
	const struct dbus_call call = {
		.destination = "org.example",
		.path = "/x",
		.interface = "org.example.I",
		.member = "M",
		.signature = "us",
		.words = WORDS("5", "text"),
	};

	buffer->arena = arena;
	assert_int_equal(dbus_put_call(buffer, 9, &call), 0);
}

static void test_what_is_sent_can_be_read(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer buffer = { 0 };
	struct dbus_message message;
	union dbus_value values[2];
	size_t size;

	put_hello(&arena, &buffer);
	assert_int_equal(dbus_message_size(buffer.data, buffer.len, &size), 0);
	assert_int_equal(size, buffer.len);
	assert_int_equal(dbus_message_parse(buffer.data, buffer.len, &message), 0);
	assert_int_equal(message.type, DBUS_CALL);
	assert_int_equal(message.serial, 9);
	assert_string_equal(message.path, "/x");
	assert_string_equal(message.interface, "org.example.I");
	assert_string_equal(message.member, "M");
	assert_int_equal(dbus_message_read(&message, "us", values), 0);
	assert_int_equal(values[0].number, 5);
	assert_string_equal(values[1].text, "text");
	assert_int_equal(dbus_message_read(&message, "s", values), -EPROTO);
	assert_int_equal(dbus_message_read(&message, "usu", values), -EPROTO);
}

/* Each byte of a good message made each other value: it is refused or read, and never read beyond its end (by ASan). */
static void test_every_byte_wrong_once(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer buffer = { 0 };
	struct dbus_message message;
	union dbus_value values[2];
	size_t size;
	uint8_t *copy;

	put_hello(&arena, &buffer);
	copy = malloc(buffer.len);
	assert_non_null(copy);
	for (size_t at = 0; at < buffer.len; at++) {
		for (int value = 0; value < 256; value++) {
			memcpy(copy, buffer.data, buffer.len);
			copy[at] = (uint8_t)value;
			if (dbus_message_size(copy, buffer.len, &size) == 0 && size == buffer.len &&
			    dbus_message_parse(copy, buffer.len, &message) == 0)
				(void)!dbus_message_read(&message, "us", values);
		}
	}
	free(copy);
}

static void test_broken_messages(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer buffer = { 0 };
	uint32_t huge = DBUS_MESSAGE_MAX;
	struct dbus_message message;
	size_t size;

	put_hello(&arena, &buffer);
	assert_int_equal(dbus_message_size(buffer.data, 15, &size), -EAGAIN);
	assert_int_equal(dbus_message_parse(buffer.data, buffer.len - 1, &message), -EPROTO);
	memcpy(buffer.data + 4, &huge, 4);
	assert_int_equal(dbus_message_size(buffer.data, buffer.len, &size), -EMSGSIZE);
	buffer.data[3] = 2;
	assert_int_equal(dbus_message_size(buffer.data, buffer.len, &size), -EPROTO);
	buffer.data[0] = 'x';
	assert_int_equal(dbus_message_size(buffer.data, 4, &size), -EPROTO);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *address, *path; /* or NULL */
	} cases[] = {
		{ "unix:path=/run/bus", "/run/bus" },
		{ "unix:guid=1,path=/run/bus,x=y", "/run/bus" },
		{ "tcp:host=x;unix:path=/a%20b", "/a b" },
		{ "unix:abstract=/x", NULL },
		{ "tcp:host=x", NULL },
		{ "unix:path=", NULL },
		{ "unix:path=/a%2", NULL },
		{ "unix:path=/a%zz", NULL },
		{ "unix:path=/a%00", NULL },
		{ "", NULL },
		{ "unix:", NULL },
		{ ";;", NULL },
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = dbus_address_path(cases[i].address, path, sizeof(path));

		if (r != (cases[i].path ? 0 : -EPROTONOSUPPORT))
			fail_msg("\"%s\": %d", cases[i].address, r);
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
	}
	assert_int_equal(dbus_address_path("unix:path=/0123456789", path, 8), -ENAMETOOLONG);
}

/* ---- a peer ----------------------------------------------------------------------------------------------------- */

/* What the peer answers to calls of a member, in order; every other call gets an empty reply. */
struct answer {
	const char *member;
	const char *error, *text; /* an error's name and its text; or */
	/* a job's path, and later its end as this; or neither: an empty reply */
	const char *job_result;
	bool silent; /* no reply at all; for a job: no end */
};

/* Is the clock of poll() faster? No test waits for as long as a caller of systemd's does. */
static bool hurried;

int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	return __real_poll(fds, n, hurried && timeout_ms > 2000 ? 2000 : timeout_ms);
}

struct peer {
	char dir[32], path[64], address[96];
	pid_t pid;
	int calls; /* pipe: the member of each call, a line */
};

static void send_bytes(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(3);
}

/* A message of the peer's, built by our own writer. @type: DBUS_REPLY and so on */
static void send_message(int fd, int type, uint32_t reply_serial, const char *member,
			 const char *error, const char *signature, struct str_list body_words)
{
	defer_arena struct arena arena = { 0 };
	struct dbus_buffer body = { .arena = &arena }, head = { .arena = &arena };
	const char *items[32];
	struct str_list words = { items, 0 };
	static const uint8_t zeros[8];
	size_t fields = 1;

	if (dbus_put(&body, signature, &body_words) < 0)
		_exit(4);
	fields += (reply_serial != 0) + (member ? 3 : 0) + (error != NULL);
#define ADD(word) items[words.n++] = (word)
	ADD("108"), ADD(arena_printf(&arena, "%d", type)), ADD("1"), ADD("1");
	ADD(arena_printf(&arena, "%zu", body.len)), ADD("77"),
		ADD(arena_printf(&arena, "%zu", fields));
	if (reply_serial)
		ADD("5"), ADD("u"), ADD(arena_printf(&arena, "%u", reply_serial));
	if (member) {
		ADD("1"), ADD("o"), ADD(UNIT_MANAGER_PATH);
		ADD("2"), ADD("s"), ADD(UNIT_MANAGER_INTERFACE);
		ADD("3"), ADD("s"), ADD(member);
	}
	if (error)
		ADD("4"), ADD("s"), ADD(error);
	ADD("8"), ADD("g"), ADD(signature);
	if (dbus_put(&head, "yyyyuua(yv)", &words) < 0)
		_exit(5);
	send_bytes(fd, head.data, head.len);
	send_bytes(fd, zeros, (8 - head.len % 8) % 8);
	if (body.len)
		send_bytes(fd, body.data, body.len);
}

static void answer(int fd, const struct dbus_message *call, const struct answer *answer)
{
	if (answer && answer->error) {
		send_message(fd, DBUS_ERROR, call->serial, NULL, answer->error, "s",
			     WORDS(answer->text));
		return;
	}
	if (answer && answer->silent && !answer->job_result)
		return;
	if (!answer || !answer->job_result) {
		send_message(fd, DBUS_REPLY, call->serial, NULL, NULL, "", (struct str_list){ 0 });
		return;
	}
	send_message(fd, DBUS_REPLY, call->serial, NULL, NULL, "o", WORDS("/job/7"));
	if (answer->silent)
		return;
	/* Others' jobs end, too. */
	send_message(fd, DBUS_SIGNAL, 0, "JobRemoved", NULL, "uoss",
		     WORDS("6", "/job/6", "other.scope", "failed"));
	send_message(fd, DBUS_SIGNAL, 0, "UnitNew", NULL, "so", WORDS("x.scope", "/unit/x"));
	send_message(fd, DBUS_SIGNAL, 0, "JobRemoved", NULL, "uoss",
		     WORDS("7", "/job/7", "x.scope", answer->job_result));
}

/* Read until the login is complete; whatever follows it are messages. */
static size_t login(int fd, uint8_t *in, const char *reply)
{
	size_t len = 0;
	uint8_t *end;

	while (!(end = memmem(in, len, "BEGIN\r\n", 7))) {
		ssize_t n = read(fd, in + len, 1024);

		if (n <= 0)
			_exit(6);
		len += (size_t)n;
	}
	if (memcmp(in, "\0AUTH EXTERNAL\r\nDATA\r\n", 22) != 0)
		_exit(7);
	send_bytes(fd, reply, strlen(reply));
	len -= (size_t)(end + 7 - in);
	memmove(in, end + 7, len);
	return len;
}

static void serve(int fd, int log, const struct answer *answers)
{
	static _Alignas(8) uint8_t in[DBUS_MESSAGE_MAX];
	size_t len = login(fd, in, "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n"), size;
	struct dbus_message call;

	for (;;) {
		while (dbus_message_size(in, len, &size) == 0 && size <= len) {
			const struct answer *mine = NULL;

			if (dbus_message_parse(in, size, &call) < 0)
				_exit(8);
			dprintf(log, "%s\n", call.member);
			if (answers->member && strcmp(answers->member, call.member) == 0)
				mine = answers++;
			answer(fd, &call, mine);
			len -= size;
			memmove(in, in + size, len);
		}
		ssize_t n = read(fd, in + len, sizeof(in) - len);

		if (n <= 0)
			_exit(0);
		len += (size_t)n;
	}
}

/* @answers: ends in a member of NULL; NULL: the peer refuses the login */
static struct peer *start(const struct answer *answers)
{
	static struct peer peer;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0), log[2];

	strcpy(peer.dir, "/tmp/tare-dbus-XXXXXX");
	assert_non_null(mkdtemp(peer.dir));
	snprintf(peer.path, sizeof(peer.path), "%s/bus", peer.dir);
	snprintf(peer.address, sizeof(peer.address), "unix:path=%s", peer.path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", peer.path);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(sock, 4), 0);
	assert_int_equal(pipe(log), 0);
	peer.pid = fork();
	if (peer.pid == 0) {
		static uint8_t in[4096];
		int fd;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = accept(sock, NULL, NULL);
		if (answers)
			serve(fd, log[1], answers);
		login(fd, in, "REJECTED EXTERNAL\r\n");
		_exit(0);
	}
	close(sock);
	close(log[1]);
	peer.calls = log[0];
	setenv("DBUS_SYSTEM_BUS_ADDRESS", peer.address, 1);
	return &peer;
}

/* The calls that the peer has had, each with a newline. */
static const char *stop(struct peer *peer)
{
	static char text[1024];
	ssize_t n = 0, len = 0;
	int status;

	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the peer ended with 0x%x", status);
	while ((n = read(peer->calls, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	text[len] = '\0';
	close(peer->calls);
	unlink(peer->path);
	rmdir(peer->dir);
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
	return text;
}

static const struct unit unit = { .name = "x.scope" };
static const struct unit_property_list none;

static void test_a_unit_is_started(void **state)
{
	static const struct answer answers[] = { { "StartTransientUnit", .job_result = "done" },
						 { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours;

	if (unit_start(&unit, &none, 1, &ours, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(stop(peer), "Hello\nAddMatch\nStartTransientUnit\n");
	assert_true(ours);
}

static void test_K16_a_unit_that_is_left_is_reset_and_tried_once_more(void **state)
{
	static const struct answer answers[] = { { "StartTransientUnit",
						   .error = UNIT_MANAGER_NAME ".UnitExists",
						   .text = "Unit x.scope already exists." },
						 { "StartTransientUnit", .job_result = "done" },
						 { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours;

	if (unit_start(&unit, &none, 1, &ours, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(
		stop(peer),
		"Hello\nAddMatch\nStartTransientUnit\nResetFailedUnit\nStartTransientUnit\n");
}

static void test_K16_a_unit_that_is_alive_is_refused(void **state)
{
	static const struct answer exists = { "StartTransientUnit",
					      .error = UNIT_MANAGER_NAME ".UnitExists",
					      .text = "Unit x.scope already exists." };
	const struct answer answers[] = { exists, exists, { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours;

	assert_int_equal(unit_start(&unit, &none, 1, &ours, &err), -EEXIST);
	assert_false(ours);
	assert_non_null(strstr(
		err.text, "start unit \"x.scope\": systemd says \"Unit x.scope already exists.\""));
	assert_non_null(strstr(err.hint, "systemctl status x.scope"));
	stop(peer);
}

static void test_a_property_that_systemd_does_not_know(void **state)
{
	static const struct answer answers[] = {
		{ "StartTransientUnit", .error = "org.freedesktop.DBus.Error.PropertyReadOnly",
		  .text = "Cannot set property Foo" },
		{ 0 }
	};
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours;

	assert_int_equal(unit_start(&unit, &none, 1, &ours, &err), -EREMOTEIO);
	assert_false(ours);
	assert_string_equal(err.text,
			    "start unit \"x.scope\": systemd says \"Cannot set property Foo\" "
			    "(org.freedesktop.DBus.Error.PropertyReadOnly)");
	stop(peer);
}

/* Systemd has not said that the unit is ours, so one of that name may be another's. */
static void test_K16_a_unit_of_which_systemd_says_nothing_is_not_ours(void **state)
{
	static const struct answer answers[] = { { "StartTransientUnit", .silent = true }, { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours = true;

	hurried = true;
	assert_int_equal(unit_start(&unit, &none, 1, &ours, &err), -ETIMEDOUT);
	hurried = false;
	assert_false(ours);
	assert_non_null(strstr(err.text, "start unit \"x.scope\""));
	assert_string_equal(stop(peer), "Hello\nAddMatch\nStartTransientUnit\n");
}

/* It has taken the job: the unit may be there, and is nobody else's. */
static void test_a_unit_whose_job_does_not_end_is_ours(void **state)
{
	static const struct answer answers[] = {
		{ "StartTransientUnit", .job_result = "done", .silent = true }, { 0 }
	};
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours = false;

	hurried = true;
	assert_int_equal(unit_start(&unit, &none, 1, &ours, &err), -ETIMEDOUT);
	hurried = false;
	assert_true(ours);
	stop(peer);
}

static void test_a_job_that_fails(void **state)
{
	static const struct answer answers[] = { { "StartTransientUnit", .job_result = "timeout" },
						 { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;
	bool ours;

	assert_int_equal(unit_start(&unit, &none, 1, &ours, &err), -ECANCELED);
	assert_true(ours);
	assert_string_equal(err.text, "start unit \"x.scope\": systemd's job ended as \"timeout\"");
	assert_string_equal(err.hint, "journalctl -u x.scope may say more");
	stop(peer);
}

static void test_a_unit_is_stopped_and_reset(void **state)
{
	static const struct answer answers[] = { { "StopUnit", .job_result = "done" }, { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;

	assert_int_equal(unit_stop(&unit, &err), 0);
	assert_string_equal(stop(peer), "Hello\nAddMatch\nStopUnit\nResetFailedUnit\n");
}

static void test_no_unit_to_stop_is_fine(void **state)
{
	static const struct answer answers[] = { { "StopUnit",
						   .error = UNIT_MANAGER_NAME ".NoSuchUnit",
						   .text = "Unit x.scope not loaded." },
						 { 0 } };
	struct peer *peer = start(answers);
	struct err err = ERR_INIT;

	assert_int_equal(unit_stop(&unit, &err), 0);
	assert_string_equal(stop(peer), "Hello\nAddMatch\nStopUnit\n");
}

static void test_K18_properties_are_set(void **state)
{
	static const struct answer answers[] = { { 0 } };
	defer_arena struct arena arena = { 0 };
	struct unit_property_list list = { 0 };
	struct peer *peer = start(answers);
	const char *seven = "7";
	struct err err = ERR_INIT;

	unit_property_add(&arena, &list, "", "TasksMax", "t", &seven, 1);
	assert_int_equal(unit_set(&unit, &list, &err), 0);
	assert_string_equal(stop(peer), "Hello\nAddMatch\nSetUnitProperties\n");
}

static void test_a_bus_that_refuses_us(void **state)
{
	struct peer *peer = start(NULL);
	struct err err = ERR_INIT;

	assert_int_equal(unit_stop(&unit, &err), -ENOTCONN);
	assert_non_null(strstr(err.text, "connect to systemd: "));
	assert_non_null(strstr(err.hint, "leave --systemd-cgroup out"));
	stop(peer);
}

static void test_nobody_there(void **state)
{
	struct err err = ERR_INIT;

	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	assert_int_equal(unit_stop(&unit, &err), -ENOTCONN);
	assert_non_null(strstr(err.hint, "/run/dbus/system_bus_socket must be there"));
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_a_variant_has_its_signature),
		cmocka_unit_test(test_words_that_do_not_fit),
		cmocka_unit_test(test_a_message_that_is_too_long),
		cmocka_unit_test(test_what_is_sent_can_be_read),
		cmocka_unit_test(test_every_byte_wrong_once),
		cmocka_unit_test(test_broken_messages),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_a_unit_is_started),
		cmocka_unit_test(test_K16_a_unit_that_is_left_is_reset_and_tried_once_more),
		cmocka_unit_test(test_K16_a_unit_that_is_alive_is_refused),
		cmocka_unit_test(test_a_property_that_systemd_does_not_know),
		cmocka_unit_test(test_a_job_that_fails),
		cmocka_unit_test(test_K16_a_unit_of_which_systemd_says_nothing_is_not_ours),
		cmocka_unit_test(test_a_unit_whose_job_does_not_end_is_ours),
		cmocka_unit_test(test_a_unit_is_stopped_and_reset),
		cmocka_unit_test(test_no_unit_to_stop_is_fine),
		cmocka_unit_test(test_K18_properties_are_set),
		cmocka_unit_test(test_a_bus_that_refuses_us),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
