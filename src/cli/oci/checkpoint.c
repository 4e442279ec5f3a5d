/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `checkpoint`: runc's options but those for memory that is fetched later. */
#include "base/num.h"
#include "cli/oci/criu_args.h"
#include "runtime/container.h"
#include "runtime/criu.h"

#include <limits.h>
#include <string.h>

struct args {
	const char *image_path, *work_path, *parent_path, *page_server, *status_fd;
	const char *manage_cgroups_mode;
	struct option_values empty_ns;
	bool leave_running, pre_dump, auto_dedup, lazy_pages;
	bool tcp_established, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job, file_locks;
};

int criu_refuse_lazy_pages(struct err *err)
{
	err_user_code(
		err, -EOPNOTSUPP,
		"lazy pages are not supported: the container would run before its memory is there, and "
		"end if the other side does");
	return err_hint(
		err,
		"leave --lazy-pages and --status-fd out; --pre-dump shortens the stop of a container, too");
}

int criu_empty_ns(const struct option_values *words, bool *ret_network, struct err *err)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strcmp(words->items[i], "network") != 0) {
			err_user(err, "namespace \"%s\" can't be left empty", words->items[i]);
			return err_hint(err, "the only word for --empty-ns is network");
		}
		*ret_network = true;
	}
	return 0;
}

/* "ADDRESS:PORT"; the address may have colons of its own. */
static int split_page_server(const char *word, char address[HOST_NAME_MAX + 1],
			     struct checkpoint_options *o, struct err *err)
{
	const char *colon = strrchr(word, ':');
	uint64_t port;

	if (!colon || colon == word || colon - word > HOST_NAME_MAX ||
	    num_parse_u64(colon + 1, 1, UINT16_MAX, &port) < 0) {
		err_user(err, "\"%s\" is no page server", word);
		return err_hint(err, "use --page-server ADDRESS:PORT");
	}
	memcpy(address, word, (size_t)(colon - word));
	address[colon - word] = '\0';
	o->page_server = address;
	o->page_server_port = (int32_t)port;
	return 0;
}

static int run(struct cli *cli, void *arguments, const struct operands *words, struct err *err)
{
	const struct args *args = arguments;
	struct report report = command_report(cli);
	char image[PATH_MAX], work[PATH_MAX], address[HOST_NAME_MAX + 1];
	struct checkpoint_options o = {
		.id = words->words[0],
		.parent_path = args->parent_path,
		.leave_running = args->leave_running,
		.pre_dump = args->pre_dump,
		.auto_dedup = args->auto_dedup,
		.tcp_established = args->tcp_established,
		.tcp_skip_in_flight = args->tcp_skip_in_flight,
		.link_remap = args->link_remap,
		.ext_unix_sk = args->ext_unix_sk,
		.shell_job = args->shell_job,
		.file_locks = args->file_locks,
	};
	int r = 0;

	if (args->lazy_pages || args->status_fd)
		return criu_refuse_lazy_pages(err);
	r = criu_cgroup_mode(args->manage_cgroups_mode, &o.manage_cgroups, err);
	if (r == 0)
		r = criu_empty_ns(&args->empty_ns, &o.empty_network, err);
	if (r == 0 && args->page_server)
		r = split_page_server(args->page_server, address, &o, err);
	if (r == 0)
		r = path_absolute(args->image_path ? args->image_path : CRIU_DEFAULT_IMAGE, image,
				  sizeof(image), &o.image_path, err);
	if (r == 0 && args->work_path)
		r = path_absolute(args->work_path, work, sizeof(work), &o.work_path, err);
	return r < 0 ? r : container_checkpoint(cli->root, &o, &report, err);
}

#define CHECKPOINT_OPTION(word, arg, help, type, member)                                           \
	{                                                                                          \
		word, 0, arg, help, option_set_##type, offsetof(struct args, member)               \
	}

static const struct option options[] = {
	CHECKPOINT_OPTION("image-path", "DIR", "where the image goes (default: checkpoint)", text,
			  image_path),
	CHECKPOINT_OPTION("work-path", "DIR", "where CRIU's log goes (default: into the image)",
			  text, work_path),
	CHECKPOINT_OPTION("parent-path", "DIR", "an earlier image, relative to this one", text,
			  parent_path),
	CHECKPOINT_OPTION("leave-running", NULL, "let the container go on afterwards", switch,
			  leave_running),
	CHECKPOINT_OPTION("pre-dump", NULL,
			  "only memory, for the next image's --parent-path; it goes on", switch,
			  pre_dump),
	CHECKPOINT_OPTION("tcp-established", NULL, "also with connections", switch,
			  tcp_established),
	CHECKPOINT_OPTION("tcp-skip-in-flight", NULL,
			  "without connections that are not yet accepted", switch,
			  tcp_skip_in_flight),
	CHECKPOINT_OPTION("ext-unix-sk", NULL, "also with unix sockets to the outside", switch,
			  ext_unix_sk),
	CHECKPOINT_OPTION("shell-job", NULL, "also with a terminal of somebody else's", switch,
			  shell_job),
	CHECKPOINT_OPTION("file-locks", NULL, "also with file locks", switch, file_locks),
	CHECKPOINT_OPTION("link-remap", NULL, "also with open files that were deleted", switch,
			  link_remap),
	CHECKPOINT_OPTION("manage-cgroups-mode", "WORD",
			  "of cgroups: soft (default), full, strict or ignore", text,
			  manage_cgroups_mode),
	CHECKPOINT_OPTION("empty-ns", "WORD", "network: leave what is in the namespace out", values,
			  empty_ns),
	CHECKPOINT_OPTION("auto-dedup", NULL, "take out of earlier images what is in this one",
			  switch, auto_dedup),
	CHECKPOINT_OPTION("page-server", "ADDRESS:PORT", "send memory to criu page-server there",
			  text, page_server),
	CHECKPOINT_OPTION("lazy-pages", NULL, "not supported", switch, lazy_pages),
	CHECKPOINT_OPTION("status-fd", "FD", "not supported", text, status_fd),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_checkpoint = {
	.name = "checkpoint",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "write a container's processes into an image",
	.details =
		"Needs CRIU. The container is deleted afterwards, but for --leave-running and --pre-dump.",
	.options = options,
	.run = run,
};
