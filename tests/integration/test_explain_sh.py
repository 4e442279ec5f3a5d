# SPDX-License-Identifier: GPL-2.0-or-later
"""
`explain --format sh`: the script does what tare-oci does. Each bundle is run both ways; while its program waits, its process
is looked at from the host, and the two must agree in everything that a shell can do.
"""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support import cgroup
from support.namespaces import FILES
from support.runtime import wait_until

pytestmark = [pytest.mark.only("tare"), pytest.mark.no_sanitizer("a script is the same, and what runs is the shell")]

STATUS = ("Uid", "Gid", "Groups", "Umask", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")
SYSCTLS = ("kernel/hostname", "kernel/domainname", "kernel/shmmax", "kernel/msgmax", "fs/mqueue/msg_max",
           "net/ipv4/ip_forward", "net/ipv4/ip_unprivileged_port_start")
WAIT = ["/bin/sh", "-c", "echo ready; read line"]


# ---- the bundles: a name, and what it does to a minimal one ---------------------------------------------------------

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def case_set(name, *path_and_value, base="minimal"):
    """A case that sets one member of the config: case_set("umask", "process", "user", "umask", 0o27)."""
    *path, value = path_and_value

    def change(b):
        at = b.config
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = value
    change.base = base
    CASES[name] = change


def all_sets(*names):
    return {kind: list(names) for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}


case_set("nothing_but_the_minimum", "ociVersion", "1.0.2")
case_set("docker_like", "linux", "seccomp", None, base="docker")
case_set("readonly_root", "root", "readonly", True)
case_set("hostname", "hostname", "inside")
case_set("domainname", "domainname", "example.org")
case_set("user", "process", "user", {"uid": 1000, "gid": 1001})
case_set("additional_gids", "process", "user", {"uid": 1000, "gid": 1000, "additionalGids": [5, 7, 2000]})
case_set("root_with_groups", "process", "user", {"uid": 0, "gid": 0, "additionalGids": [10]})
case_set("umask", "process", "user", {"uid": 0, "gid": 0, "umask": 0o27})
case_set("no_new_privileges", "process", "noNewPrivileges", True)
case_set("no_capabilities", "process", "capabilities", {})
case_set("all_sets_of_two_capabilities", "process", "capabilities", all_sets("CAP_CHOWN", "CAP_KILL"))
case_set("bounding_set_only", "process", "capabilities", {"bounding": ["CAP_NET_ADMIN", "CAP_SYSLOG"]})
case_set("cwd", "process", "cwd", "/tmp")
case_set("cwd_is_made", "process", "cwd", "/made/for/this")
case_set("env", "process", "env", ["PATH=/bin:/usr/bin", "GREETING=hello world", "QUOTE=it's \"this\" $HOME `id`",
                                   "LINES=one\ntwo", "HOME=/elsewhere"])
case_set("rlimits", "process", "rlimits", [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                                           {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])
case_set("oom_score_adj", "process", "oomScoreAdj", 300)
case_set("io_priority", "process", "ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 6})
case_set("scheduler", "process", "scheduler", {"policy": "SCHED_BATCH", "nice": 5})
case_set("personality", "linux", "personality", {"domain": "LINUX32"})
case_set("rootfs_shared", "linux", "rootfsPropagation", "shared")
case_set("rootfs_slave", "linux", "rootfsPropagation", "rslave")
case_set("masked_paths", "linux", "maskedPaths", ["/proc/keys", "/proc/scsi", "/proc/bus", "/etc", "/not/there"])
case_set("readonly_paths", "linux", "readonlyPaths", ["/proc/sys", "/etc/passwd", "/not/there"])
case_set("masked_in_readonly", "linux", {"maskedPaths": ["/proc/sys/kernel"], "readonlyPaths": ["/proc/sys"],
                                         "namespaces": [{"type": "pid"}, {"type": "mount"}]})
case_set("memory", "linux", "resources", {"memory": {"limit": 64 << 20, "reservation": 32 << 20,
                                                     **({} if cgroup.V2_ONLY else {"swappiness": 10})}})
case_set("cpu", "linux", "resources", {"cpu": {"shares": 300, "quota": 40000, "period": 80000}})
case_set("cpuset", "linux", "resources", {"cpu": {"cpus": "0", "mems": "0"}})
case_set("pids", "linux", "resources", {"pids": {"limit": 50}})
case_set("devices_rules", "linux", "resources", {"devices": [
    {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"}]})
case_set("cgroups_path", "linux", "cgroupsPath", cgroup.path("tare-explain/nested/deep"))
case_set("ipc_sysctl", "linux", "sysctl", {"kernel.msgmax": "4096", "fs.mqueue.msg_max": "20"})


@case
def everything_of_docker_with_a_user(b):
    b.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [44], "umask": 0o77}
    b.linux["seccomp"] = None


everything_of_docker_with_a_user.base = "docker"


@case
def tmpfs(b):
    b.mount("/tmp", "tmpfs", "tmpfs", ["nosuid", "nodev", "noexec", "size=64k", "mode=1770"])


@case
def tmpfs_on_a_new_directory(b):
    b.mount("/new/place", "tmpfs", "a name", ["ro", "size=64k", "mode=755"])


@case
def devices_and_terminals(b):
    b.mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=64k"])
    b.mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"])
    b.mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=64k"])
    b.mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"])


@case
def bind_directory(b):
    b.mount("/data", None, b.path / "data", ["bind"])


@case
def bind_readonly(b):
    b.mount("/data", None, b.path / "data", ["bind", "ro"])


@case
def bind_with_flags(b):
    b.mount("/data", None, b.path / "data", ["bind", "nosuid", "nodev", "noexec"])


@case
def bind_file(b):
    b.mount("/etc/hosts", None, "hosts", ["bind", "ro"])


@case
def bind_file_on_a_new_name(b):
    b.mount("/etc/new.conf", None, "hosts", ["bind"])


@case
def rbind_private(b):
    b.mount("/data", None, b.path / "data", ["rbind", "rprivate"])


@case
def rbind_slave(b):
    b.mount("/data", None, b.path / "data", ["rbind", "rslave"])


@case
def copy_up(b):
    (b.rootfs / "data/seed").write_text("from the image")
    b.mount("/data", "tmpfs", "tmpfs", ["tmpcopyup", "mode=755"])


@case
def network(b):
    b.namespace("network")
    b.linux["sysctl"] = {"net.ipv4.ip_forward": "1", "net.ipv4.ip_unprivileged_port_start": "80"}


@case
def cgroup_namespace(b):
    b.namespace("cgroup")


@case
def cgroup_mount(b):
    b.namespace("cgroup")
    b.mount("/sys", "sysfs", "sysfs", ["ro", "nosuid"])
    b.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "noexec", "nodev"])


@case
def a_filesystem_over_itself(b):
    b.mount("/sys", "sysfs", "first").mount("/sys", "sysfs", "again", ["ro", "nosuid"])


@case
def cgroup_mount_in_a_bound_sys(b):
    """A user namespace without a network of its own gets the host's /sys, and on pure v2 the cgroup2 that is in there."""
    b.user_namespace().namespace("cgroup")
    b.mount("/sys", "sysfs", "sysfs", ["ro", "nosuid", "noexec", "nodev"])
    b.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "noexec", "nodev"])


@case
def time_namespace(b):
    b.namespace("time")
    b.linux["timeOffsets"] = {"monotonic": {"secs": 1000}, "boottime": {"secs": 2000}}


@case
def without_pid_namespace(b):
    b.without_namespace("pid")
    b.config["mounts"] = []


@case
def only_a_mount_namespace(b):
    b.linux["namespaces"] = [{"type": "mount"}]
    b.config["mounts"] = []


@case
def extra_devices(b):
    b.linux["devices"] = [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 3, "gid": 4},
        {"path": "/dev/deep/pipe", "type": "p", "fileMode": 0o600},
    ]


@case
def user_namespace(b):
    b.user_namespace()


@case
def user_namespace_with_mounts(b):
    b.user_namespace().namespace("network")
    b.config["hostname"] = "mapped"
    b.mount("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755", "size=64k"])
    b.mount("/data", None, b.path / "data", ["bind", "ro"])
    b.process["user"] = {"uid": 10, "gid": 20}
    b.process["noNewPrivileges"] = True


@case
def runtime_hooks(b):
    log = b.path / "hooks.log"
    for kind in ("prestart", "createRuntime", "createContainer", "poststart"):
        script = f'echo "{kind} $WORD $(wc -l)" >> {log}'
        b.hook(kind, "/bin/sh", ["sh", "-c", script], env=["WORD=of its own", "PATH=/usr/bin:/bin"], timeout=10)
    (b.path / "hooks.log").touch()


@case
def container_hook(b):
    b.hook("startContainer", "/bin/sh", ["sh", "-c", "cat >/tmp/state; echo $WORD >>/tmp/state"], env=["WORD=inside"])


def joined(*types):
    """Joined namespaces; joined() asks b.join for the path of one."""
    def change(b):
        for type in types:
            b.namespace(type, b.join(type))
    change.joins = types
    CASES["joined_" + "_".join(types)] = change
    return change


# A joined mount namespace can't be the container's own: the script refuses it, see below.
for one in [type for type in FILES if type != "mount"]:
    joined(one)
joined("network", "ipc", "uts")
joined("pid", "network", "ipc", "uts", "cgroup", "time")
joined("user", "network")


@case
def no_pivot(b):
    b.config["root"]["readonly"] = True
    b.linux["maskedPaths"] = ["/proc/keys", "/proc/bus"]


@case
def no_pivot_in_a_user_namespace(b):
    b.user_namespace().namespace("network")
    b.process["cwd"] = "/tmp"


@case
def no_pivot_with_a_hook(b):
    b.hook("startContainer", "/bin/sh", ["sh", "-c", "cat >/tmp/state"])


for one in (no_pivot, no_pivot_in_a_user_namespace, no_pivot_with_a_hook):
    one.options = ("--no-pivot",)


# ---- looking at a process ---------------------------------------------------------------------------------------------

def namespaces(pid, joined):
    """What each is: "ours", "joined" (the one at the path that was given), or "new"."""
    def which(type, file):
        its = os.readlink(f"/proc/{pid}/ns/{file}")
        if type in joined and its == os.readlink(joined[type]):
            return "joined"
        return "ours" if its == os.readlink(f"/proc/self/ns/{file}") else "new"
    return {type: which(type, file) for type, file in FILES.items()}


def mounts(pid):
    """mountinfo without numbers that differ from run to run: ids, device numbers, peer groups."""
    found = []
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        left, right = line.split(" - ", 1)
        fields = left.split()
        propagation = sorted(f.split(":")[0] for f in fields[6:])
        found.append((fields[4], fields[3], fields[5], propagation, right))
    return sorted(found)


def limits(pid):
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:26].strip(): line[26:68].split() for line in lines}


def sysctls(pid):
    texts = {}
    for name in SYSCTLS:
        done = subprocess.run(["nsenter", "-t", str(pid), "-n", "-u", "-i", "cat", f"/proc/sys/{name}"],
                              capture_output=True, text=True, check=False)
        texts[name] = done.stdout
    return texts


def devices(pid):
    """Nodes and links in /dev as the container sees them."""
    found = {}
    for path in sorted(Path(f"/proc/{pid}/root/dev").glob("*")):
        st = path.lstat()
        found[path.name] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_rdev,
                            os.readlink(path) if path.is_symlink() else "")
    return found


def cgroup_values(files):
    values = {}
    for file in files:
        try:
            values[str(file)] = file.read_text()
        except OSError as error:
            values[str(file)] = error.strerror
    return values


def look(pid, files, joined):
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return {
        "namespaces": namespaces(pid, joined),
        "mounts": mounts(pid),
        "status": {name: status[name].split() for name in STATUS},
        "is pid 1": status["NSpid"].split()[-1] == "1",
        "cwd": os.readlink(f"/proc/{pid}/cwd"),
        "environment": sorted(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")),
        "arguments": Path(f"/proc/{pid}/cmdline").read_bytes(),
        "limits": limits(pid),
        "oom_score_adj": Path(f"/proc/{pid}/oom_score_adj").read_text(),
        "nice, policy": (stat[16], stat[38]),
        "personality": Path(f"/proc/{pid}/personality").read_text(),
        "session leader": stat[3] == stat[0].split()[0] or status["NSsid"].split()[-1] == status["NSpid"].split()[-1],
        "sysctls": sysctls(pid),
        "devices": devices(pid),
        "cgroups": [line.split(":", 1)[1] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()],
        "cgroup values": cgroup_values(files),
        "fds": sorted(os.listdir(f"/proc/{pid}/fd")),
        "id maps": Path(f"/proc/{pid}/uid_map").read_text() + Path(f"/proc/{pid}/gid_map").read_text(),
        "time offsets": Path(f"/proc/{pid}/timens_offsets").read_text(),
    }


def written_files(plan):
    """The cgroup files that the plan writes to and that can be read back."""
    files = []
    for step in plan["steps"]:
        if step["kind"] == "write-cgroup":
            name = step["arguments"]["file"]
            # What devices.allow and devices.deny did is in devices.list.
            name = "devices.list" if name in ("devices.allow", "devices.deny") else name
            files.append(Path(step["arguments"]["dir"], name))
    return files


def find_pid(plan):
    """Our program in the container's cgroups; on cgroup2 the script's unshare is in there too."""
    made = [s["arguments"]["path"] for s in plan["steps"] if s["kind"] == "make-cgroup"]
    made += [f"{cgroup.CGROUP}/{s['arguments']['cgroup']}" for s in plan["steps"] if s["kind"] == "start-unit"]
    pids = {pid for path in made for pid in Path(path, "cgroup.procs").read_text().split()}
    found = [int(p) for p in pids if Path(f"/proc/{p}/cmdline").read_text().split("\0")[:-1] == WAIT]
    assert len(found) == 1, pids
    return found[0]


def run_and_look(command, plan, work, joined):
    """Run it until its program waits, look at it, let it end."""
    with open(work, "w") as err:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True)
    try:
        line = process.stdout.readline()
        assert line == "ready\n", f"{command}: {line!r}\n{Path(work).read_text()}"
        seen = look(find_pid(plan), written_files(plan), joined)
        process.stdin.write("go\n")
        process.stdin.close()
        assert process.wait(30) == 0, Path(work).read_text()
        return seen
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        process.stdout.close()
        if not process.stdin.closed:
            process.stdin.close()


def leftovers(b):
    """What the run left in the bundle: what hooks wrote, and what was made in the root filesystem."""
    log = b.path / "hooks.log"
    return {
        "log": log.read_text() if log.exists() else None,
        "state": len((b.rootfs / "tmp/state").read_text().splitlines()) if (b.rootfs / "tmp/state").exists() else None,
        "files": {k: v[0] for k, v in b.listing().items()},
    }


def explain(tare, b, form, id, *options):
    return tare.call("explain", "--bundle", b.path, "--format", form, *options, id).ok().out


@pytest.fixture
def both_ways(tare, bundle, tmp, helper):
    """Run one case by tare-oci and by the script, each in a bundle of its own at the same path."""
    def run(change):
        seen = []
        options = getattr(change, "options", ())
        paths = {type: helper(type) for type in getattr(change, "joins", ())}
        for way in ("tare", "sh"):
            b = bundle(getattr(change, "base", "minimal"), args=WAIT)
            b.join = paths.get
            change(b)
            if b.linux.get("seccomp", 0) is None:
                del b.linux["seccomp"]
            b.write()
            plan = json.loads(explain(tare, b, "json", "web", *options))
            if way == "tare":
                command = tare.command("run", "--bundle", b.path, "--no-new-keyring", *options, "web")
            else:
                (tmp / "script").write_text(explain(tare, b, "sh", "web", *options))
                command = ["/bin/bash", tmp / "script"]
            one = run_and_look(command, plan, tmp / way, paths)
            one["left"] = leftovers(b)
            # The two bundles differ only in their number.
            seen.append(json.loads(json.dumps(one, default=repr).replace(b.path.name, "BUNDLE")))
        return seen
    return run


def test_a_joined_namespace_is_told_from_a_new_one(helper):
    """Else all that the cases with joined ones compare would be that both ways have a namespace of their own."""
    path = helper("uts")
    pid = path.split("/")[2]
    assert namespaces(pid, {"uts": path})["uts"] == "joined"
    assert namespaces(pid, {"uts": helper("uts")})["uts"] == "new"
    assert namespaces("self", {})["uts"] == "ours"


def difference(by_tare, by_script):
    """Only what differs, so that a failure can be read."""
    if isinstance(by_tare, dict) and isinstance(by_script, dict):
        keys = by_tare.keys() | by_script.keys()
        return {k: difference(by_tare.get(k), by_script.get(k)) for k in keys if by_tare.get(k) != by_script.get(k)}
    if isinstance(by_tare, list) and isinstance(by_script, list):
        return ([x for x in by_tare if x not in by_script], [x for x in by_script if x not in by_tare])
    return (by_tare, by_script)


@pytest.mark.parametrize("name", CASES)
def test_the_script_reaches_the_same_state(both_ways, name):
    by_tare, by_script = both_ways(CASES[name])
    assert {t for t, which in by_tare["namespaces"].items() if which == "joined"} == set(getattr(CASES[name], "joins", ()))
    assert by_script.keys() == by_tare.keys()
    different = {part: difference(by_tare[part], by_script[part]) for part in by_tare if by_script[part] != by_tare[part]}
    assert not different


def test_at_least_40_bundles_are_compared():
    assert len(CASES) >= 40


# ---- what the script says and refuses -----------------------------------------------------------------------------------

def test_the_script_names_what_a_shell_cannot_do(tare, bundle):
    b = bundle("docker")
    b.write()
    script = explain(tare, b, "sh", "web")
    if "seccomp" in b.linux:
        assert "# seccomp(SECCOMP_SET_MODE_FILTER)" in script
    assert "keyctl is not among the commands" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_without_a_mount_namespace_the_script_refuses(tare, bundle, tmp):
    b = bundle()
    b.without_namespace("mount")
    b.config["mounts"] = []
    b.write()
    script = explain(tare, b, "sh", "web")
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no mount namespace of its own" in done.stderr


def test_the_script_returns_the_programs_status(tare, bundle, tmp):
    b = bundle(script="exit 7")
    b.write()
    (tmp / "script").write_text(explain(tare, b, "sh", "web"))
    assert subprocess.run(["bash", tmp / "script"], stdin=subprocess.DEVNULL, check=False).returncode == 7


def test_the_script_refuses_a_target_outside_the_root(tare, bundle, tmp):
    b = bundle()
    (b.rootfs / "out").symlink_to("/tmp")
    b.mount("/out/there", "tmpfs", "tmpfs")
    b.write()
    (tmp / "script").write_text(explain(tare, b, "sh", "web"))
    done = subprocess.run(["bash", tmp / "script"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "/out/there leads out of the root" in done.stderr


def test_a_command_that_fails_ends_the_script(tare, bundle, tmp):
    """Also one in the middle of a list: a bind that stays writable must not go unnoticed."""
    b = bundle(script="echo the program runs").mount("/data", None, "data", ["bind", "ro"])
    b.write()
    (tmp / "script").write_text(explain(tare, b, "sh", "web"))
    fake = tmp / "bin/mount"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\ncase $* in *remount*ro*) echo refused >&2; exit 32;; esac\nexec {shutil.which("mount")} "$@"\n')
    fake.chmod(0o755)
    done = subprocess.run(["bash", tmp / "script"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env=dict(os.environ, PATH=f"{fake.parent}:{os.environ['PATH']}"))
    assert (done.returncode, done.stdout, "refused\n" in done.stderr) == (1, "", True)


def test_a_script_that_is_ended_cleans_up(tare, bundle, tmp):
    b = bundle(args=WAIT)
    b.write()
    (tmp / "script").write_text(explain(tare, b, "sh", "web"))
    process = subprocess.Popen(["bash", tmp / "script"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    wait_until(lambda: not cgroup.of("web"), "the cgroups to be gone")
    process.stdout.close()
    process.stdin.close()
