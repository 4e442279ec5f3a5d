/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why each kind of step is there, in a few words. Written for someone who has never built a container by hand and is about
 * to see one built: what would be wrong without this step? A unit test fails when a kind has no words.
 */
#include "runtime/explain_parts.h"

const char *const step_who_names[STEP_WHOS] = { "parent", "stage", "child", "starter" };

const char *const step_why[STEP_KIND_COUNT] = {
	/* state on disk and hand-over */
	[STEP_STATE_MAKE] =
		"a record comes first, so that whatever is made next can be found and removed",
	[STEP_STATE_WRITE] = "other commands read the record to know how far the container is",
	[STEP_PID_FILE] = "the caller asked to be told which process the container is",
	[STEP_PIDFD_SEND] =
		"the caller asked for a handle on the process that no reused pid can fool",
	[STEP_NOTIFY_MAKE] =
		"a place that the container sees, for the socket that it notifies through",
	[STEP_NOTIFY_BIND] =
		"the container says here that it is ready: the manager would not believe it",
	[STEP_NOTIFY_RELAY] =
		"who started us wants to know when the container is ready, not when it was begun",
	[STEP_START_BIND] = "`start` will knock here; only we may make it, in tare's own directory",
	[STEP_START_LISTEN] = "knocking counts from here on",
	[STEP_START_ACCEPT] =
		"the container is created and waits; nothing of its own program has run yet",
	[STEP_START_CONNECT] = "let the waiting process go on",
	[STEP_EXEC_WAIT] =
		"the connection closes when the program replaces tare, so its end means success",
	[STEP_LISTENER_CONNECT] =
		"an agent of the caller's will answer for the kernel, so it must be there first",
	[STEP_LISTENER_SEND] =
		"the agent gets the filter's listener; its owner may not make a call for it",
	[STEP_SYNC_SEND] = "tell the other process that it may go on",
	[STEP_SYNC_WAIT] = "the other process does something first",

	/* processes and namespaces */
	[STEP_PROC_OPEN] =
		"be sure that /proc is the kernel's, before anything is read or written through it",
	[STEP_NS_OPEN] = "take hold of a namespace that exists already, and check its type",
	[STEP_STAGE_FORK] =
		"a helper joins the namespaces, so that the runtime itself never leaves its own",
	[STEP_NS_JOIN] = "share this view of the system with those who are in it already",
	[STEP_INIT_OPEN] =
		"take hold of the container's first process, by a handle that no other can get",
	[STEP_NS_ENTER] =
		"see the system as the container's other processes do; all at once, or not at all",
	[STEP_CLOSE_UNNEEDED] =
		"others in there will see the process from its first moment: nothing may be left to take",
	[STEP_CLONE] = "the container is born: one process with its own view of the system",
	[STEP_ID_MAP] = "say which ids of the host the container's ids really are",
	[STEP_NS_ROOT] = "root of the container from here on: powerful inside, nobody outside",
	[STEP_TIME_NS] = "clocks with an offset, which can only be set before anyone lives by them",
	[STEP_CGROUP_NS] =
		"the container sees its own cgroup as the top, so this comes after it has joined",
	[STEP_LOOPBACK] = "a new network namespace has only a loopback interface, and it is down",
	[STEP_NET_OPEN] = "take hold of the container's network, to act there from outside",
	[STEP_NET_DEVICE] =
		"a network device of the host's becomes the container's, with its lasting addresses",
	[STEP_HOSTNAME] = "a name of its own, in its own uts namespace",
	[STEP_DOMAINNAME] = "an NIS domain of its own, in its own uts namespace",
	[STEP_SYSCTL] = "a kernel setting that belongs to one of the container's namespaces",

	/* restore */
	[STEP_CRIU_START] =
		"it knows how to bring processes back; in the container's cgroup, so that they are too",
	[STEP_CRIU_NAMESPACES] =
		"the views of the system come first, so that hooks can prepare them",
	[STEP_CRIU_PROCESSES] = "every process as it was, but none of them runs yet",
	[STEP_CRIU_RELEASE] = "from here on they live on as if nothing had happened",

	/* cgroups */
	[STEP_CGROUP_MAKE] = "namespaces limit what it sees; a cgroup limits what it uses",
	[STEP_CGROUP_WRITE] = "a limit, in force before there is a process to exceed it",
	[STEP_CGROUP_DEVICES] = "which devices may be used, whatever nodes there are",
	[STEP_CGROUP_CHOWN] = "the container may divide its own budget further",
	[STEP_CGROUP_OPEN] = "the helper is born here, counted and limited from the start",
	[STEP_CGROUP_SUB] = "what the container does with its own cgroup stays below the limits",
	[STEP_RDT_GROUP] = "a part of the processor's cache and of the way to memory, for a class",
	[STEP_RDT_MONITOR] = "what it takes of cache and bandwidth is counted apart",
	[STEP_RDT_JOIN] = "from here on this process and its children are of that class",
	[STEP_UNIT_START] = "systemd makes the cgroup, and keeps the limits that it knows in force",
	[STEP_UNIT_LEAVE] =
		"the container's first process is in the unit, so it needs no other to stay",
	[STEP_UNIT_SET] = "a limit that would have kept the container's first process out",
	[STEP_CGROUP_JOIN] =
		"from here on all that this process and its children use is counted and limited",

	/* filesystem */
	[STEP_ROOT_OPEN] = "take hold of the root filesystem before names can change their meaning",
	[STEP_SOURCE_OPEN] =
		"take hold of a source while we still are the host's root and see the host's tree",
	[STEP_ID_MAP_NS] =
		"a user namespace that nobody lives in, only to carry the mapping of a mount",
	[STEP_IDMAP] = "files show other owners through this mount; on the disk nothing changes",
	[STEP_EMPTY_DIR] = "directories that must not be looked into are hidden behind this one",
	[STEP_PROPAGATION] = "decide which mounts travel between host and container",
	[STEP_ROOT_ATTACH] =
		"pivot_root wants the new root to be a mount, and not just a directory",
	[STEP_MOUNT] = "a filesystem of the container's own",
	[STEP_ATTACH] = "show a part of the host's tree inside",
	[STEP_COPY_UP] = "a tmpfs that starts with what the image has there",
	[STEP_SYMLINK] = "programs expect this name",
	[STEP_DEVICE] = "a node that every program counts on",
	[STEP_DEVICE_BIND] = "nodes can't be made here, so the host's own is shown",
	[STEP_CONSOLE] = "a terminal of the container's own, never the host's",
	[STEP_CONSOLE_SOCKET] = "the caller takes the other end of the terminal by this socket",
	[STEP_CONSOLE_RECEIVE] =
		"the other end of the terminal comes to us, to pass on what is typed",
	[STEP_PIVOT] = "a new root, and the host's tree is let go: nothing is left to climb to",
	[STEP_CHROOT] = "without a mount namespace the root can't be exchanged, only moved down",
	[STEP_ROOT_READONLY] =
		"what can't be changed can't be tampered with; writing goes to mounts made for it",
	[STEP_MASK] = "this file tells about the host, or reaches into it",
	[STEP_READONLY] = "reading this is harmless, writing would change the host",

	/* process attributes */
	[STEP_HOOK_OUTPUT] = "an annotation asks for the hooks' output to be kept here",
	[STEP_HOOK] = "a program of the caller's, told about the container on its standard input",
	[STEP_LABEL] = "a security module of the kernel goes by this label from now on",
	[STEP_KEYRING] = "keys of whoever started us stay out of reach",
	[STEP_RLIMIT] = "a limit of each process, older than cgroups",
	[STEP_OOM_SCORE_ADJ] = "when memory runs out: who is killed first",
	[STEP_SCHEDULER] = "how the kernel shares the processor with it",
	[STEP_IO_PRIORITY] = "who waits for the disk",
	[STEP_AFFINITY_RESET] = "the caller's choice of processors is not the container's",
	[STEP_AFFINITY] = "the processors that the config names",
	[STEP_MEMORY_POLICY] = "which memory nodes its pages come from",
	[STEP_PERSONALITY] = "what kind of machine the program believes it is on",
	[STEP_SESSION] = "no terminal and no signals of whoever started us",
	[STEP_UNDUMPABLE] =
		"nobody in the container may look into a process that is not yet confined",
	[STEP_FIND_EXECUTABLE] = "a missing program should fail now and with a clear word",
	[STEP_HOME] = "what the container's own passwd says",
	[STEP_CWD] = "where the program starts; checked to be inside",
	[STEP_STDIO_OWNER] = "the user can open its own standard streams again",
	[STEP_UMASK] = "permissions that new files don't get",
	[STEP_SIGNALS] = "the program starts with every signal as the kernel has it by default",
	[STEP_CLOSE_FDS] = "nothing of the host's stays open: a directory left open is a way out",
	[STEP_BOUNDING] = "powers that no program in the container can ever get back",
	[STEP_IDS] = "the user that the program runs as",
	[STEP_CAPABILITIES] = "root's power comes in pieces: these are left",
	[STEP_NO_NEW_PRIVS] = "set-uid programs no longer raise anyone",
	[STEP_SECCOMP] = "system calls that are not on the list are refused by the kernel",
	[STEP_EXEC] = "the program takes the place of tare: same process, same walls",
};
