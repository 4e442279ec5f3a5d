/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tare-monitor: the one process that stays with a container that runs in the background.
 *
 *     tare-monitor ID NAME=VALUE... -- PROGRAM ARGUMENT...
 *
 * The engine starts the container and then becomes this program, so the container is its child. It reads what the container
 * writes and logs it, records how it ended, and then becomes PROGRAM, which cleans up. All files are handed over open:
 *
 *     dir=FD      the container's directory, which carries the lock
 *     end=FD      the file of the end record: as large as it will be already, so that a full disk can't keep it from being written
 *     pid=N pidfd=FD   the container's init, our child
 *     ready=FD    gets one byte once we watch
 *     out=FD err=FD   what it writes, by pipes; or tty=FD, the master of its terminal
 *     in=FD       what it reads: held open
 *     log=0       nothing is logged; else max-size=BYTES max-file=N
 *     delay=MS    instead of all but dir: it has ended, and PROGRAM is to start it again; wait so long, or until somebody says
 *                 by a file "stop" in its directory that it is to end for good
 *
 * One epoll loop without a time limit: while nothing happens nothing runs. No heap, no C library, no threads.
 */
#include "engine/monitor/call.h"
#include "engine/monitor/json_log.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

/* The container has ended and somebody else has its terminal: how long what it wrote may take to come out of there */
#define TERMINAL_LINGER_MS 1000
#define LOG_SUFFIX         "-json.log"
#define STOP_MARKER        "stop" /* engine/restart_policy.h */
#define ID_MAX             64
#define NONE               (-EBADF)

enum tag { TAG_INIT, TAG_OUT, TAG_ERR, TAGS };

struct monitor {
	const char *id;
	int dir, end, pid, pidfd, ready, out, err, tty, in;
	int tty_slave; /* held, or the terminal would hang up whenever nobody inside has it */
	int epoll;
	uint64_t delay_ms; /* 0: there is a container to be watched */
	bool ended;
	siginfo_t how; /* once it has */
	struct json_log log;
	struct log_stream streams[2];
};

static struct monitor monitor;

/* Not an initialiser: the buffers would be in the file then, and each page of them copied from it. */
static void init(struct monitor *m)
{
	m->dir = m->end = m->pidfd = m->ready = NONE;
	m->out = m->err = m->tty = m->in = m->tty_slave = NONE;
	m->log.fd = NONE;
	m->log.max_files = 1;
	m->streams[0].name = "stdout";
	m->streams[1].name = "stderr";
	m->streams[0].fd = m->streams[1].fd = NONE;
}

/* ---- what we were told --------------------------------------------------------------------------------------------- */

/* What @word has behind "@name="; NULL: it is another one */
static const char *value_of(const char *word, const char *name)
{
	while (*name && *word == *name) {
		word++;
		name++;
	}
	return *name == '\0' && *word == '=' ? word + 1 : NULL;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

static void read_word(struct monitor *m, const char *word)
{
	const struct {
		const char *name;
		int *value;
	} numbers[] = {
		{ "dir", &m->dir },     { "end", &m->end },     { "pid", &m->pid },
		{ "pidfd", &m->pidfd }, { "ready", &m->ready }, { "out", &m->out },
		{ "err", &m->err },     { "tty", &m->tty },     { "in", &m->in },
	};
	const char *value;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		value = value_of(word, numbers[i].name);
		if (value)
			*numbers[i].value = (int)number(value);
	}
	if ((value = value_of(word, "delay")))
		m->delay_ms = number(value);
	if ((value = value_of(word, "log")))
		m->log.off = *value == '0';
	if ((value = value_of(word, "max-size")))
		m->log.max_size = number(value);
	if ((value = value_of(word, "max-file")))
		m->log.max_files = (unsigned)number(value);
}

/* Return: the command line behind "--", or NULL */
static char **read_words(struct monitor *m, char **argv)
{
	char *end;

	if (!argv[0] || !argv[1] || text_len(argv[1]) > ID_MAX)
		return NULL;
	m->id = argv[1];
	for (argv += 2; *argv && text_len(*argv) != 2; argv++)
		read_word(m, *argv);
	if (!*argv || !argv[1])
		return NULL;
	if (m->log.max_files == 0)
		m->log.max_files = 1;
	m->log.dir = m->dir;
	end = text_add(m->log.name, m->id);
	text_add(end, LOG_SUFFIX);
	return argv + 1;
}

/* ---- watching ------------------------------------------------------------------------------------------------------ */

static void watch(struct monitor *m, int fd, enum tag tag)
{
	if (fd < 0)
		return;
	/* What can be read by others, too, must not make us wait when they are quicker. */
	(void)call_fcntl(fd, F_SETFL, call_fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
	(void)call_epoll_add(m->epoll, fd, EPOLLIN, tag);
}

static int begin(struct monitor *m)
{
	m->epoll = (int)raw_syscall(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0, 0);
	if (m->epoll < 0)
		return m->epoll;
	if (call_epoll_add(m->epoll, m->pidfd, EPOLLIN, TAG_INIT) < 0)
		return -EBADF;
	if (m->tty >= 0)
		m->tty_slave = call_ioctl(m->tty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	m->streams[0].fd = m->tty >= 0 ? m->tty : m->out;
	m->streams[1].fd = m->err;
	watch(m, m->streams[0].fd, TAG_OUT);
	watch(m, m->streams[1].fd, TAG_ERR);
	/* Whoever waits for us to watch may have gone: SIGPIPE is blocked. */
	(void)call_write(m->ready, "r", 1);
	call_close(m->ready);
	return 0;
}

/* Return: did it have anything */
static bool take(struct monitor *m, struct log_stream *stream)
{
	ssize_t n;

	if (stream->fd < 0)
		return false;
	n = log_read(&m->log, stream);
	if (n == -EAGAIN)
		return false;
	if (n > 0)
		return true;
	call_close(stream->fd);
	stream->fd = NONE;
	return false;
}

static void reap(struct monitor *m)
{
	long r;

	/* __WALL: no signal tells of the end of an init that was cloned by a process in between (os_clone_shared()). */
	do {
		r = raw_syscall(SYS_waitid, P_PIDFD, m->pidfd, (long)&m->how, WEXITED | __WALL, 0);
	} while (r == -EINTR);
	call_close(m->pidfd);
	m->ended = true;
}

/* What it wrote before its end is in the pipes. A terminal hangs up when that has been read, since nobody holds it. */
static void drain(struct monitor *m)
{
	struct epoll_event event;

	if (m->tty_slave >= 0)
		call_close(m->tty_slave);
	for (;;) {
		bool more = take(m, &m->streams[0]);

		if (take(m, &m->streams[1]) || more)
			continue;
		if (m->tty < 0 || m->streams[0].fd < 0)
			break;
		if (call_epoll_wait(m->epoll, &event, 1, TERMINAL_LINGER_MS) <= 0)
			break;
	}
	/* Somebody outside of the container has the other side; the container itself says no more. */
	for (size_t i = 0; i < 2; i++)
		log_end(&m->log, &m->streams[i]);
}

static void loop(struct monitor *m)
{
	struct epoll_event events[TAGS];

	while (!m->ended) {
		int n = call_epoll_wait(m->epoll, events, TAGS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == TAG_INIT)
				reap(m);
			else
				(void)take(m, &m->streams[events[i].data.u32 - TAG_OUT]);
		}
	}
	drain(m);
}

/* ---- waiting to start it again --------------------------------------------------------------------------------------- */

static bool is_stopped(const struct monitor *m)
{
	return raw_syscall(SYS_faccessat, m->dir, (long)STOP_MARKER, 0, 0, 0) == 0;
}

/* A machine that sleeps is no reason to wait longer: CLOCK_BOOTTIME. */
static int make_timer(const struct monitor *m)
{
	const struct itimerspec when = { .it_value = { .tv_sec = (time_t)(m->delay_ms / 1000),
						       .tv_nsec = (long)(m->delay_ms % 1000) *
								  1000000 } };
	int fd = (int)raw_syscall(SYS_timerfd_create, CLOCK_BOOTTIME, TFD_CLOEXEC, 0, 0, 0);

	(void)raw_syscall(SYS_timerfd_settime, fd, 0, (long)&when, 0, 0);
	return fd;
}

static void wait_to_start(struct monitor *m)
{
	char path[40], events[1024];
	int timer = make_timer(m);
	int changes = (int)raw_syscall(SYS_inotify_init1, IN_CLOEXEC | IN_NONBLOCK, 0, 0, 0, 0);
	int epoll = (int)raw_syscall(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0, 0);
	struct epoll_event event = { .data.u32 = TAG_OUT };

	text_add_u64(text_add(path, "/proc/self/fd/"), (uint64_t)m->dir, 0);
	(void)raw_syscall(SYS_inotify_add_watch, changes, (long)path, IN_CREATE, 0, 0);
	(void)call_epoll_add(epoll, timer, EPOLLIN, TAG_INIT);
	(void)call_epoll_add(epoll, changes, EPOLLIN, TAG_OUT);
	while (!is_stopped(m) && event.data.u32 != TAG_INIT) {
		if (call_epoll_wait(epoll, &event, 1, -1) < 0)
			break;
		(void)call_read(changes, events, sizeof(events));
	}
}

/* ---- its end ------------------------------------------------------------------------------------------------------- */

static char *add_member(char *at, const char *name, uint64_t value)
{
	at = text_add(at, ",\"");
	at = text_add(at, name);
	at = text_add(at, "\":");
	return text_add_u64(at, value, 0);
}

/* One write into what is there already: it needs no room on the disk, and readers see all of it or nothing. */
static void record_end(const struct monitor *m)
{
	struct timespec now = call_now(CLOCK_REALTIME);
	char text[256], *at = text_add(text, "{\"finished\":\"");
	bool killed = m->how.si_code != CLD_EXITED;
	unsigned status = (unsigned)m->how.si_status & 0xff;

	at = text_add_time(at, &now, false);
	at = text_add(at, "\"");
	at = add_member(at, "exitStatus", killed ? 128 + status : status);
	if (killed)
		at = add_member(at, "signal", status);
	if (m->log.dropped)
		at = add_member(at, "logDropped", m->log.dropped);
	at = text_add(at, "}\n");
	while (call_pwrite(m->end, text, (size_t)(at - text), 0) == -EINTR)
		;
}

/*
 * Our lock, and nothing else of ours, goes on to who cleans up. Signals stay blocked: one that came while we watched would else
 * end us here.
 */
static void become(const struct monitor *m, char **argv, char **envp)
{
	(void)call_fcntl(m->dir, F_SETFD, 0);
	(void)raw_syscall(SYS_execve, (long)argv[0], (long)argv, (long)envp, 0, 0);
}

/* @stack: as the kernel left it: argc, argv, NULL, envp, NULL */
void monitor_start(long *stack) __attribute__((used));

void monitor_start(long *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1;
	char **next;

	/* Only the container's end and SIGKILL end us. */
	call_mask(~0ULL);
	(void)raw_syscall(SYS_prctl, PR_SET_NAME, (long)"tare-monitor", 0, 0, 0);
	init(&monitor);
	next = read_words(&monitor, argv);
	if (next && monitor.delay_ms) {
		wait_to_start(&monitor);
	} else {
		if (!next || begin(&monitor) < 0)
			call_exit(1);
		loop(&monitor);
		record_end(&monitor);
	}
	become(&monitor, next, envp);
	call_exit(1);
}

/* The kernel starts us with the stack pointer at argc. */
#if defined(__x86_64__)
__asm__(".text\n"
	".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call monitor_start\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".globl _start\n"
	".type _start, %function\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	bl monitor_start\n");
#endif
