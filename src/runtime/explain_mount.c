/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that a person could type for a step on the filesystem. See explain_command.c for the others.
 */
#include "runtime/explain_parts.h"

#include <string.h>
#include <sys/mount.h>

void command_root_open(const struct shell *sh, const struct step *step)
{
	fputs("root=", sh->out);
	shell_word(sh->out, step->u.root_open.path);
}

static void put_propagation(FILE *out, uint64_t propagation, const char *target)
{
	fputs(" && mount", out);
	shell_propagation(out, propagation);
	fprintf(out, " %s", target);
}

/* Attributes that a mount gets after it is there: the whole tree first, then the top alone. */
void shell_set_attrs(const struct shell *sh, const struct attr_change *change, const char *target)
{
	if (change->rec_set || change->rec_clr) {
		/* One by one: mount(8) learned to do it as tare does, by mount_setattr(AT_RECURSIVE), only in 2.39. */
		fprintf(sh->out,
			" && findmnt -lno TARGET -R %s | while read -r at; do mount -o remount,bind",
			target);
		shell_attrs(sh->out, change->rec_set, change->rec_clr);
		fputs(" \"$at\" || exit; done", sh->out);
	}
	if (change->set || change->clr) {
		fputs(" && mount -o remount,bind", sh->out);
		shell_attrs(sh->out, change->set, change->clr);
		fprintf(sh->out, " %s", target);
	}
	if (change->rec_propagation)
		put_propagation(sh->out, change->rec_propagation | MS_REC, target);
	if (change->propagation)
		put_propagation(sh->out, change->propagation, target);
}

struct attr_change source_change(const struct step *step)
{
	return (struct attr_change){
		.set = step->u.source_open.attr_set,
		.clr = step->u.source_open.attr_clr,
		.rec_set = step->u.source_open.rec_attr_set,
		.rec_clr = step->u.source_open.rec_attr_clr,
		.propagation = step->u.source_open.propagation,
		.rec_propagation = step->u.source_open.rec_propagation,
	};
}

void command_source_open(const struct shell *sh, const struct step *step)
{
	struct attr_change change = source_change(step);
	char target[32];

	snprintf(target, sizeof(target), "\"$run/source-%d\"", step->out);
	fprintf(sh->out, "mount --%s ", step->u.source_open.recursive ? "rbind" : "bind");
	shell_word(sh->out, step->u.source_open.path);
	fprintf(sh->out, " %s", target);
	shell_set_attrs(sh, &change, target);
}

void command_empty_dir(const struct shell *sh, const struct step *step)
{
	fputs("mount -t tmpfs -o ro,nosuid,nodev,noexec tmpfs ", sh->out);
	shell_source(sh, step->out);
}

void command_id_map_ns(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "unshare --user sleep infinity & ns%d=$!; ", step->out);
	char pid[32];

	snprintf(pid, sizeof(pid), "\"$ns%d\"", step->out);
	shell_id_maps(sh, step->u.id_map_ns.uid_map, step->u.id_map_ns.gid_map, pid);
}

/* util-linux 2.39 has X-mount.idmap; mount_setattr is the call. */
void command_idmap(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "mount --%s -o X-mount.idmap=/proc/",
		step->u.idmap.recursive ? "rbind" : "bind");
	if (step->in[1] == SLOT_NONE)
		fputs("\"$pid\"", sh->out);
	else
		fprintf(sh->out, "\"$ns%d\"", step->in[1]);
	fputs("/ns/user ", sh->out);
	shell_source(sh, step->in[0]);
	fputc(' ', sh->out);
	shell_source(sh, step->in[0]);
}

void command_propagation(const struct shell *sh, const struct step *step)
{
	fputs("mount", sh->out);
	shell_propagation(sh->out, step->u.propagation.propagation |
					   (step->u.propagation.recursive ? MS_REC : 0));
	fputs(" /", sh->out);
}

void command_root_attach(const struct shell *sh, const struct step *step)
{
	const struct step *open = plan_slot_writer(sh->plan, step->in[0]);

	fputs("mount --rbind \"$root\" \"$root\"", sh->out);
	if (open && open->kind == STEP_ROOT_OPEN)
		put_propagation(sh->out, open->u.root_open.propagation | MS_REC, "\"$root\"");
}

/* Changes of a mount that is there: of the mount alone, or with it of the filesystem. */
static void put_remount(const struct shell *sh, const struct step *step)
{
	fputs(step->u.mount.fstype ? "mount -o remount" : "mount -o remount,bind", sh->out);
	shell_attrs(sh->out, step->u.mount.attr_set | step->u.mount.rec_attr_set,
		    step->u.mount.attr_clr | step->u.mount.rec_attr_clr);
	if (step->u.mount.fstype && step->u.mount.data) {
		fputc(',', sh->out);
		shell_word(sh->out, step->u.mount.data);
	}
	shell_propagation(sh->out, step->u.mount.propagation);
	fputc(' ', sh->out);
	shell_path(sh, step->u.mount.target);
}

void shell_filesystem(const struct shell *sh, const struct step *step)
{
	fputs("mount -t ", sh->out);
	shell_word(sh->out, step->u.mount.fstype);
	shell_mount_options(sh->out, step->u.mount.flags, step->u.mount.data);
	shell_propagation(sh->out, step->u.mount.propagation);
	fputc(' ', sh->out);
	shell_word(sh->out, step->u.mount.source);
}

void command_mount(const struct shell *sh, const struct step *step)
{
	if (step->u.mount.remount) {
		put_remount(sh, step);
		return;
	}
	shell_filesystem(sh, step);
	fputc(' ', sh->out);
	shell_path(sh, step->u.mount.target);
}

void command_attach(const struct shell *sh, const struct step *step)
{
	fputs("mount --rbind ", sh->out);
	shell_source(sh, step->in[1]);
	fputc(' ', sh->out);
	shell_path(sh, step->u.attach.target);
}

void command_copy_up(const struct shell *sh, const struct step *step)
{
	fputs("mkdir \"$run/copy\" && cp -a ", sh->out);
	shell_path(sh, step->u.copy_up.target);
	fputs("/. \"$run/copy\" && mount -t tmpfs", sh->out);
	shell_mount_options(sh->out, step->u.copy_up.flags, step->u.copy_up.data);
	shell_propagation(sh->out, step->u.copy_up.propagation);
	fputc(' ', sh->out);
	shell_word(sh->out, step->u.copy_up.source);
	fputc(' ', sh->out);
	shell_path(sh, step->u.copy_up.target);
	fputs(" && cp -a \"$run/copy/.\" ", sh->out);
	shell_path(sh, step->u.copy_up.target);
}

void command_symlink(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "ln -s%s ", step->u.symlink.replace ? "f" : "");
	shell_word(sh->out, step->u.symlink.target);
	fputc(' ', sh->out);
	shell_path(sh, step->u.symlink.path);
}

void command_device(const struct shell *sh, const struct step *step)
{
	fprintf(sh->out, "mknod -m %04o ", step->u.device.mode & 07777);
	shell_path(sh, step->u.device.path);
	if (step->u.device.type == 'p')
		fputs(" p", sh->out);
	else
		fprintf(sh->out, " %c %u %u", step->u.device.type, step->u.device.major,
			step->u.device.minor);
	if (step->u.device.uid || step->u.device.gid) {
		fprintf(sh->out, " && chown %u:%u ", step->u.device.uid, step->u.device.gid);
		shell_path(sh, step->u.device.path);
	}
}

void command_device_bind(const struct shell *sh, const struct step *step)
{
	fputs("touch ", sh->out);
	shell_path(sh, step->u.device_bind.path);
	fputs(" && mount --bind ", sh->out);
	shell_source(sh, step->in[1]);
	fputc(' ', sh->out);
	shell_path(sh, step->u.device_bind.path);
}

void command_console(const struct shell *sh, const struct step *step)
{
	fputs("# open(\"dev/pts/ptmx\"), ioctl(TIOCGPTPEER), dup2() to 0, 1, 2, ioctl(TIOCSCTTY)",
	      sh->out);
}

void command_console_socket(const struct shell *sh, const struct step *step)
{
	fputs("# connect() to the socket ", sh->out);
	shell_word(sh->out, step->u.console_socket.path);
}

void command_console_receive(const struct shell *sh, const struct step *step)
{
	fputs("# recvmsg(SCM_RIGHTS): the terminal's other end", sh->out);
}

void command_pivot(const struct shell *sh, const struct step *step)
{
	if (step->u.pivot.no_pivot)
		fputs("cd \"$root\" && mount --move . / && chroot .", sh->out);
	else
		fputs("cd \"$root\" && pivot_root . . && umount -l .", sh->out);
}

void command_chroot(const struct shell *sh, const struct step *step)
{
	fputs("chroot \"$root\"", sh->out);
}

void command_root_readonly(const struct shell *sh, const struct step *step)
{
	fputs("mount -o remount,bind,ro ", sh->out);
	shell_path(sh, "/");
}

void command_mask(const struct shell *sh, const struct step *step)
{
	fputs("[ -d ", sh->out);
	shell_path(sh, step->u.mask.path);
	fputs(" ] && mount -t tmpfs -o ro tmpfs ", sh->out);
	shell_path(sh, step->u.mask.path);
	fputs(" || mount --bind /dev/null ", sh->out);
	shell_path(sh, step->u.mask.path);
}

void command_readonly(const struct shell *sh, const struct step *step)
{
	fputs("mount --rbind ", sh->out);
	shell_path(sh, step->u.readonly.path);
	fputc(' ', sh->out);
	shell_path(sh, step->u.readonly.path);
	fputs(" && mount -o remount,bind,ro ", sh->out);
	shell_path(sh, step->u.readonly.path);
}
