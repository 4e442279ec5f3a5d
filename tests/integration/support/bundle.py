# SPDX-License-Identifier: GPL-2.0-or-later
"""
Bundles: a busybox root filesystem and a config.json that a test changes as a dictionary.

Two bases. minimal() has four namespaces and /proc, so that a test about one property sees only that property.
docker_like() is what an engine sends: six namespaces, 11 mounts, 14 capabilities, a seccomp profile, masks, limits.
"""

import copy
import json
import os
import stat
import subprocess
from pathlib import Path

BUSYBOX = "/bin/busybox"
DATA = Path(__file__).resolve().parents[2] / "data"
SECCOMP_PROFILE = DATA / "default-seccomp.json"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    "CAP_AUDIT_WRITE",
]
MASKED_PATHS = [
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
]
READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
     "options": ["ro", "nosuid", "noexec", "nodev"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]},
]
# Bind mounts that engines add: name of the file in the bundle and where it goes.
ENGINE_FILES = {"resolv.conf": "/etc/resolv.conf", "hostname": "/etc/hostname", "hosts": "/etc/hosts"}


def minimal():
    """A config with the pid, mount, uts and ipc namespaces, /proc, and nothing else."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/true"],
            "env": ["PATH=" + PATH],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "mounts": [copy.deepcopy(MOUNTS[0])],
        "linux": {"namespaces": [{"type": t} for t in ("pid", "mount", "uts", "ipc")]},
    }


def docker_like():
    """A config as an engine writes it. The bind mounts' sources are files that Bundle makes beside config.json."""
    config = minimal()
    config["hostname"] = "docker-like"
    config["mounts"] = copy.deepcopy(MOUNTS)
    for name, target in ENGINE_FILES.items():
        config["mounts"].append({"destination": target, "type": "bind", "source": name,
                                 "options": ["rbind", "rprivate"]})
    config["mounts"].append({"destination": "/data", "type": "bind", "source": "data", "options": ["rbind"]})
    config["process"].update({
        "capabilities": {kind: list(CAPABILITIES) for kind in ("bounding", "effective", "permitted")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024}],
        "noNewPrivileges": True,
    })
    linux = config["linux"]
    linux["namespaces"] += [{"type": "network"}, {"type": "cgroup"}]
    linux["maskedPaths"] = list(MASKED_PATHS)
    linux["readonlyPaths"] = list(READONLY_PATHS)
    linux["resources"] = {
        "devices": [{"allow": False, "access": "rwm"}],
        "memory": {"limit": 256 << 20},
        "cpu": {"shares": 512, "quota": 50000, "period": 100000},
        "pids": {"limit": 100},
    }
    if SECCOMP_PROFILE.exists():
        linux["seccomp"] = json.loads(SECCOMP_PROFILE.read_text())
    return config


BASES = {"minimal": minimal, "docker": docker_like}


# A shell that says when it runs, and then stays without a child that would outlive a signal for long.
HOLD = "echo ready; while :; do sleep 0.02; done"


class Template:
    """The busybox tree that every bundle copies: one binary (a hard link in each copy) and its names."""

    def __init__(self, work):
        self.busybox = work / "busybox"
        self.busybox.write_bytes(Path(BUSYBOX).read_bytes())
        self.busybox.chmod(0o755)
        listing = subprocess.run([BUSYBOX, "--list-full"], capture_output=True, text=True, check=True).stdout
        self.names = [n for n in listing.split() if n not in ("linuxrc", "bin/busybox")]

    def copy_to(self, rootfs):
        for name in ("bin", "sbin", "usr/bin", "usr/sbin", "etc", "dev", "proc", "sys", "root", "data"):
            (rootfs / name).mkdir(parents=True)
        (rootfs / "tmp").mkdir()
        (rootfs / "tmp").chmod(0o1777)
        os.link(self.busybox, rootfs / "bin/busybox")
        top = str(rootfs)
        for name in self.names:  # 300 of them: no Path objects
            os.symlink("/bin/busybox", f"{top}/{name}")
        (rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n")
        (rootfs / "etc/group").write_text("root:x:0:\nuser:x:1000:\n")
        for name in ENGINE_FILES:
            (rootfs / "etc" / name).touch()


class Bundle:
    """
    One bundle directory. `config` is the dictionary to change; write() puts it on disk, which the runtime's helpers do
    before each run or create.
    """

    def __init__(self, path, template, base="minimal", args=None, script=None):
        self.path = path
        self.rootfs = path / "rootfs"
        path.mkdir()
        template.copy_to(self.rootfs)
        for name in ENGINE_FILES:
            (path / name).write_text("from the bundle\n")
        (path / "data").mkdir()
        self.config = BASES[base]()
        if script is not None:
            args = ["/bin/sh", "-c", script]
        if args is not None:
            self.process["args"] = list(args)

    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    @property
    def resources(self):
        return self.linux.setdefault("resources", {})

    def script(self, text):
        """Let the container run a shell script."""
        self.process["args"] = ["/bin/sh", "-c", text]
        return self

    def namespace(self, kind, path=None):
        """Add a namespace, or replace it: new, or joined by path."""
        self.without_namespace(kind)
        self.linux["namespaces"].append({"type": kind, "path": str(path)} if path else {"type": kind})
        return self

    def without_namespace(self, kind):
        self.linux["namespaces"] = [n for n in self.linux["namespaces"] if n["type"] != kind]
        return self

    def user_namespace(self, host_id=100000, size=65536):
        """A new user namespace whose ids start at host_id; the root filesystem is given to its root."""
        self.namespace("user")
        mapping = [{"containerID": 0, "hostID": host_id, "size": size}]
        self.linux["uidMappings"] = list(mapping)
        self.linux["gidMappings"] = list(mapping)
        return self.give_rootfs_to(host_id)

    def give_rootfs_to(self, host_id):
        """Change the owner of the whole root filesystem (but of busybox: the other bundles share that file)."""
        for directory, dirs, files in os.walk(self.rootfs):
            for name in dirs + files + ["."]:
                path = os.path.join(directory, name)
                if not os.path.samefile(path, self.rootfs / "bin/busybox") or os.path.islink(path):
                    os.lchown(path, host_id, host_id)
        return self

    def mount(self, destination, type=None, source=None, options=None):
        """Append one entry to mounts; members that are None stay absent."""
        entry = {"destination": destination, "type": type, "source": source and str(source), "options": options}
        self.config.setdefault("mounts", []).append({k: v for k, v in entry.items() if v is not None})
        return self

    def hook(self, kind, path, args=None, env=None, timeout=None):
        """Append one hook; members that are None stay absent."""
        entry = {"path": str(path), "args": args, "env": env, "timeout": timeout}
        hooks = self.config.setdefault("hooks", {}).setdefault(kind, [])
        hooks.append({k: v for k, v in entry.items() if v is not None})
        return self

    def write(self):
        (self.path / "config.json").write_text(json.dumps(self.config, indent=1))

    def listing(self):
        """
        Every file below rootfs with what a run must not change: type, mode, owner, device number, and which file it is (a link
        with another target is another file). Before each run of each test: it must be quick.
        """
        top = str(self.rootfs)
        found, todo = {}, [top]
        while todo:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    st = entry.stat(follow_symlinks=False)
                    changed = st.st_mtime_ns if stat.S_ISLNK(st.st_mode) else 0
                    found[entry.path[len(top) + 1:]] = (st.st_mode, st.st_uid, st.st_gid, st.st_rdev, st.st_ino, changed)
                    if stat.S_ISDIR(st.st_mode):
                        todo.append(entry.path)
        return found
