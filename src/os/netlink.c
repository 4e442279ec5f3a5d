/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/netlink.h"

#include "os/fault.h"
#include "os/process.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel fills no datagram of a dump beyond what the reader has room for, and is content with this much. */
#define DATAGRAM_MAX 32768

/* A list that changes while it is read is read again; so often, or something is wrong with the host. */
#define READ_AGAIN 8

/* Room for any request of ours: header, body, and a few attributes. */
struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	} body;
	char attributes[128];
};

/* ---- sockets ---------------------------------------------------------------------------------------------------- */

static int open_own(void)
{
	int fd;

	OS_FAULT("socket");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return fd < 0 ? -errno : fd;
}

/* The helper shares our table of fds and puts the socket in a place that we have kept for it. It ends with an errno. */
static int helper(int ns, int place)
{
	int fd;

	if (setns(ns, CLONE_NEWNET) < 0)
		return errno;
	fd = open_own();
	if (fd < 0)
		return -fd;
	return dup3(fd, place, O_CLOEXEC) < 0 || close(fd) < 0 ? errno : 0;
}

int os_netlink_open(int ns)
{
	defer_close int place = -EBADF;
	int status, r;
	pid_t pid;

	if (ns < 0)
		return open_own();
	place = fcntl(ns, F_DUPFD_CLOEXEC, 3);
	if (place < 0)
		return -errno;
	pid = os_clone3(CLONE_FILES, -1, NULL);
	if (pid < 0)
		return pid;
	if (pid == 0)
		_exit(helper(ns, place));
	r = os_reap(pid, &status);
	if (r < 0)
		return r;
	if (!WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : take_fd(&place);
}

int os_netlink_ns(int nl)
{
	int fd;

	OS_FAULT("ioctl");
	fd = ioctl(nl, SIOCGSKNS);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* ---- one request and its answer --------------------------------------------------------------------------------- */

static void begin(struct request *request, uint16_t type, uint16_t flags, size_t body)
{
	memset(request, 0, sizeof(*request));
	request->head.nlmsg_type = type;
	request->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	request->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
}

/* All attributes of ours are small and bounded: an index, an fd, a device's name. */
static void add(struct request *request, uint16_t type, const void *data, size_t len)
{
	struct rtattr *attribute =
		(struct rtattr *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(attribute), data, len);
	request->head.nlmsg_len =
		NLMSG_ALIGN(request->head.nlmsg_len) + (uint32_t)RTA_ALIGN(RTA_LENGTH(len));
}

/* What is done with each message of an answer. Return: 0; -errno, which ends it */
typedef int answer_fn(struct nlmsghdr *message, void *arg);

/* Return: 1 if that was the end of the answer, 0 if more follows; -errno */
static int take_message(struct nlmsghdr *message, answer_fn *fn, void *arg)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EAGAIN;
	if (message->nlmsg_type == NLMSG_DONE)
		return 1;
	if (message->nlmsg_type != NLMSG_ERROR)
		return fn ? fn(message, arg) : 0;
	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*error)))
		return -EPROTO;
	return error->error ? error->error : 1;
}

static int take_datagram(char *buf, ssize_t len, uint32_t sequence, answer_fn *fn, void *arg)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(void *)buf;
	int r = 0;

	for (; r == 0 && NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_seq == sequence)
			r = take_message(message, fn, arg);
	}
	return r;
}

static int receive(int nl, uint32_t sequence, answer_fn *fn, void *arg)
{
	_Alignas(struct nlmsghdr) char buf[DATAGRAM_MAX];
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t n;

	n = recvfrom(nl, buf, sizeof(buf), MSG_TRUNC, (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if ((size_t)n > sizeof(buf))
		return -EMSGSIZE;
	/* Anybody may send to the socket; the kernel is number 0. */
	return from.nl_pid == 0 ? take_datagram(buf, n, sequence, fn, arg) : 0;
}

/* Send @message, which gets a number, and take the answer to its end. Return: 0; -errno as the kernel says */
static int ask(int nl, struct nlmsghdr *message, answer_fn *fn, void *arg)
{
	static uint32_t sequence;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int r = 0;

	OS_FAULT("netlink");
	message->nlmsg_seq = ++sequence;
	/* A dump ends by itself; anything else is told to. */
	if ((message->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		message->nlmsg_flags |= NLM_F_ACK;
	if (sendto(nl, message, message->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) <
	    0)
		return -errno;
	while (r == 0)
		r = receive(nl, message->nlmsg_seq, fn, arg);
	return r < 0 ? r : 0;
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static int take_link(struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	struct os_link *link = arg;

	if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EPROTO;
	link->index = info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	return 0;
}

int os_link_find(int nl, const char *name, struct os_link *ret_link)
{
	struct os_link link = { 0 };
	struct request request;
	int r;

	begin(&request, RTM_GETLINK, 0, sizeof(request.body.link));
	add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	r = ask(nl, &request.head, take_link, &link);
	if (r < 0)
		return r;
	*ret_link = link;
	return 0;
}

int os_link_move(int nl, int index, int ns, const char *name)
{
	uint32_t ns_fd = (uint32_t)ns;
	struct request request;

	begin(&request, RTM_NEWLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	add(&request, IFLA_NET_NS_FD, &ns_fd, sizeof(ns_fd));
	add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return ask(nl, &request.head, NULL, NULL);
}

int os_link_set_up(int nl, int index)
{
	struct request request;

	begin(&request, RTM_NEWLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	request.body.link.ifi_flags = IFF_UP;
	request.body.link.ifi_change = IFF_UP;
	return ask(nl, &request.head, NULL, NULL);
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

struct reading {
	struct arena *arena;
	int index;
	struct os_addresses addresses;
};

/* Flags that say how the address came to be, or how it is just now; the kernel finds them again. */
#define STATE_FLAGS                                                                                \
	(IFA_F_PERMANENT | IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED |                   \
	 IFA_F_DEPRECATED | IFA_F_OPTIMISTIC | IFA_F_STABLE_PRIVACY)

/* The address itself, and what was decided about it. The label has the device's old name in it. */
static bool is_kept(struct rtattr *attribute)
{
	switch (attribute->rta_type) {
	case IFA_ADDRESS:
	case IFA_LOCAL:
	case IFA_BROADCAST:
	case IFA_CACHEINFO:
	case IFA_RT_PRIORITY:
	case IFA_PROTO:
		return true;
	default:
		return false;
	}
}

/* The flags have grown out of the byte that the header has for them. */
static uint32_t address_flags(struct ifaddrmsg *address, int len)
{
	struct rtattr *at = IFA_RTA(address);
	uint32_t flags = address->ifa_flags;

	for (; RTA_OK(at, len); at = RTA_NEXT(at, len)) {
		if (at->rta_type == IFA_FLAGS && RTA_PAYLOAD(at) >= sizeof(flags))
			memcpy(&flags, RTA_DATA(at), sizeof(flags));
	}
	return flags;
}

/* Room for @len bytes more behind what is there, or NULL. */
static char *grow(struct reading *reading, size_t len)
{
	struct os_addresses *addresses = &reading->addresses;
	char *grown;

	if (len > OS_ADDRESSES_MAX - addresses->len)
		return NULL;
	if (addresses->len + len > addresses->capacity) {
		addresses->capacity = 2 * (addresses->len + len);
		grown = arena_alloc(reading->arena, addresses->capacity);
		if (addresses->len)
			memcpy(grown, addresses->messages, addresses->len);
		addresses->messages = grown;
	}
	return addresses->messages + addresses->len;
}

static void put(char **at, uint16_t type, const void *data, size_t len)
{
	struct rtattr attribute = { .rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len) };

	memset(*at, 0, RTA_SPACE(len));
	memcpy(*at, &attribute, sizeof(attribute));
	memcpy(*at + RTA_LENGTH(0), data, len);
	*at += RTA_SPACE(len);
}

/* The message that adds this address again. @flags: as the kernel gave them */
static int keep_address(struct reading *reading, struct ifaddrmsg *address, int len, uint32_t flags)
{
	const size_t head = NLMSG_SPACE(sizeof(*address)), flags_len = RTA_SPACE(sizeof(flags));
	struct nlmsghdr message = { .nlmsg_type = RTM_NEWADDR, .nlmsg_flags = NLM_F_REQUEST };
	struct rtattr *attribute = IFA_RTA(address);
	char *start = grow(reading, head + flags_len + RTA_ALIGN((size_t)len)), *at;

	if (!start)
		return -E2BIG;
	memset(start, 0, head);
	memcpy(start + NLMSG_HDRLEN, address, sizeof(*address));
	at = start + head;
	/* One that is known to be nobody else's on this network need not wait for that to be found out again. */
	if (address->ifa_family == AF_INET6 && !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
		flags |= IFA_F_NODAD;
	flags &= ~(uint32_t)STATE_FLAGS;
	put(&at, IFA_FLAGS, &flags, sizeof(flags));
	for (; RTA_OK(attribute, len); attribute = RTA_NEXT(attribute, len)) {
		if (is_kept(attribute))
			put(&at, attribute->rta_type, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
	}
	message.nlmsg_len = (uint32_t)(at - start);
	memcpy(start, &message, sizeof(message));
	((struct ifaddrmsg *)(void *)(start + NLMSG_HDRLEN))->ifa_flags = 0;
	reading->addresses.len += message.nlmsg_len;
	return 0;
}

static int take_address(struct nlmsghdr *message, void *arg)
{
	struct ifaddrmsg *address = NLMSG_DATA(message);
	struct reading *reading = arg;
	uint32_t flags;
	int len;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*address)))
		return -EPROTO;
	if ((int)address->ifa_index != reading->index || address->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	len = (int)IFA_PAYLOAD(message);
	flags = address_flags(address, len);
	if (!(flags & IFA_F_PERMANENT))
		return 0;
	return keep_address(reading, address, len, flags);
}

int os_addresses_read(struct arena *arena, int nl, int index, struct os_addresses *ret)
{
	struct reading reading = { .arena = arena, .index = index };
	struct request request;
	int r = -EAGAIN;

	for (int tries = 0; r == -EAGAIN && tries < READ_AGAIN; tries++) {
		reading.addresses.len = 0;
		begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(request.body.address));
		r = ask(nl, &request.head, take_address, &reading);
	}
	if (r < 0)
		return r;
	*ret = reading.addresses;
	return 0;
}

int os_addresses_add(int nl, int index, struct os_addresses *addresses)
{
	size_t at = 0;
	int r;

	while (at < addresses->len) {
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)(addresses->messages + at);
		struct ifaddrmsg *address = NLMSG_DATA(message);

		address->ifa_index = (uint32_t)index;
		message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
		r = ask(nl, message, NULL, NULL);
		if (r < 0 && r != -EEXIST)
			return r;
		at += NLMSG_ALIGN(message->nlmsg_len);
	}
	return 0;
}
