/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/files.h"

#include "os/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>

/* What resolvers read of it is less. */
#define RESOLV_CONF_MAX_BYTES 65536

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* ---- hosts -------------------------------------------------------------------------------------------------------- */

/* NAME:ADDRESS; an address of IPv6 has colons of its own. */
static int add_host(struct arena *arena, const char *given, const char **text, struct err *err)
{
	size_t len = strcspn(given, ":");

	if (len && given[len] && strcspn(given, " \t\n") >= len && is_address(given + len + 1)) {
		*text = arena_printf(arena, "%s%s\t%.*s\n", *text, given + len + 1, (int)len,
				     given);
		return 0;
	}
	err_user(err, "--add-host \"%s\" is no name and address", given);
	return err_hint(err, "it is NAME:ADDRESS, for example db:10.0.0.7");
}

static int make_hosts(struct arena *arena, const struct settings *s, const char *hostname,
		      const char **ret, struct err *err)
{
	int r = 0;

	*ret = arena_printf(arena,
			    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
			    "127.0.1.1\t%s\n",
			    hostname);
	for (size_t i = 0; r == 0 && i < s->add_hosts.n; i++)
		r = add_host(arena, s->add_hosts.items[i], ret, err);
	return r;
}

/* ---- resolv.conf -------------------------------------------------------------------------------------------------- */

/* Is the line one of those that an option takes the place of? */
static bool is_taken(const struct settings *s, const char *line, size_t len)
{
	const struct {
		const char *keyword;
		bool given;
	} lines[] = {
		{ "nameserver", s->dns.n > 0 },
		{ "search", s->dns_search.n > 0 },
		{ "domain", s->dns_search.n > 0 },
		{ "options", s->dns_options.n > 0 },
	};
	size_t word;

	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	word = strcspn(line, " \t\n");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (lines[i].given && word == strlen(lines[i].keyword) &&
		    memcmp(line, lines[i].keyword, word) == 0)
			return true;
	}
	return false;
}

static const char *keep_lines(struct arena *arena, const struct settings *s, const char *text)
{
	const char *kept = "";

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (!is_taken(s, text, len))
			kept = arena_printf(arena, "%s%.*s\n", kept, (int)len, text);
		text += len + (text[len] == '\n');
	}
	return kept;
}

static const char *add_words(struct arena *arena, const char *text, const char *keyword,
			     const struct str_list *words)
{
	/* docker's word for none at all */
	if (words->n == 0 || (words->n == 1 && strcmp(words->items[0], ".") == 0))
		return text;
	text = arena_printf(arena, "%s%s", text, keyword);
	for (size_t i = 0; i < words->n; i++)
		text = arena_printf(arena, "%s %s", text, words->items[i]);
	return arena_printf(arena, "%s\n", text);
}

static int read_hosts_own(struct arena *arena, const char *path, char **ret, struct err *err)
{
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len;
	int r;

	*ret = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : err_sys(err, "open \"%s\"", path);
	r = os_file_read(arena, fd, RESOLV_CONF_MAX_BYTES, ret, &len);
	return r < 0 ? err_set(err, r, "read \"%s\"", path) : 0;
}

static int make_resolv_conf(struct arena *arena, const struct settings *s, const char *path,
			    const char **ret, struct err *err)
{
	char *own;
	int r = read_hosts_own(arena, path, &own, err);

	if (r < 0)
		return r;
	*ret = NULL;
	if (!own && !s->dns.n && !s->dns_search.n && !s->dns_options.n)
		return 0;
	*ret = own ? keep_lines(arena, s, own) : "";
	for (size_t i = 0; i < s->dns.n; i++) {
		if (!is_address(s->dns.items[i]))
			return err_user(err, "--dns \"%s\" is no address", s->dns.items[i]);
		*ret = arena_printf(arena, "%snameserver %s\n", *ret, s->dns.items[i]);
	}
	*ret = add_words(arena, *ret, "search", &s->dns_search);
	*ret = add_words(arena, *ret, "options", &s->dns_options);
	return 0;
}

int files_make(struct arena *arena, const struct settings *settings, const char *hostname,
	       const char *host_resolv_conf, struct files *ret, struct err *err)
{
	int r = make_hosts(arena, settings, hostname, &ret->hosts, err);

	ret->hostname = arena_printf(arena, "%s\n", hostname);
	return r < 0 ? r
		     : make_resolv_conf(arena, settings, host_resolv_conf, &ret->resolv_conf, err);
}
