# SPDX-License-Identifier: GPL-2.0-or-later
"""
Containers of a user who is not root, and of root in a user namespace. Rows Q-3, X-14, X-17, K-3, K-6, M-13, M-20.

They also run as a user, in a guest where systemd has delegated cgroups to him (tests/vm/test_delegated.py has what is special
there).
"""

import json
import os
import subprocess
import tempfile

import pytest

from support.bundle import HOLD, MOUNTS
from support.cgroup import BY_SYSTEMD
from support.user import BY_ROOT, COUNT, FIRST, GID, UID, UserRuntime, needs_root, subids

pytestmark = [
    pytest.mark.only("tare"),
    pytest.mark.skipif(BY_ROOT and BY_SYSTEMD, reason="nobody has no systemd of his own; a user has, in the guest \"user\""),
]
# Nothing was delegated to nobody. A user who runs the tests in a guest was given a cgroup.
nothing_delegated = pytest.mark.skipif(not BY_ROOT, reason="this user may make cgroups")


@pytest.fixture
def user(tmp, nothing_left):
    runtime = UserRuntime(tmp)
    yield runtime
    runtime.clean_up()
    if runtime.root.exists() and not any(runtime.root.iterdir()):
        runtime.root.rmdir()


@pytest.fixture
def given(tmp, nothing_left):
    """The user has subordinate ids."""
    with subids(tmp):
        yield


@pytest.fixture
def not_given(tmp, nothing_left):
    with subids(tmp, ""):
        yield


def maps_itself(bundle):
    """A user namespace in which the user is root, and nobody else is anyone."""
    bundle.namespace("user")
    bundle.linux["uidMappings"] = [{"containerID": 0, "hostID": UID, "size": 1}]
    bundle.linux["gidMappings"] = [{"containerID": 0, "hostID": GID, "size": 1}]
    return bundle


def fields(text):
    return [line.split() for line in text.splitlines()]


def step_of(result):
    """The step that the error names for machines."""
    return result.log[-1]["step"]


# ---- ids ------------------------------------------------------------------------------------------------------------


def test_Q3_user_maps_himself(user, bundle, not_given):
    b = user.own(maps_itself(bundle(script="id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups")))
    lines = fields(user.run(b).ok().out)
    assert lines == [["0"], ["0"], ["0", str(UID), "1"], ["0", str(GID), "1"], ["deny"]]


def test_Q3_automatic_user_namespace_has_the_subordinate_ids(user, bundle, given):
    b = user.own(bundle(script="id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups"))
    lines = fields(user.run(b).ok().out)
    rest = ["1", str(FIRST), str(COUNT)]
    assert lines == [["0"], ["0", str(UID), "1"], rest, ["0", str(GID), "1"], rest, ["allow"]]


def test_Q3_automatic_user_namespace_without_subordinate_ids(user, bundle, not_given):
    b = user.own(bundle(script="cat /proc/self/uid_map"))
    assert fields(user.run(b).ok().out) == [["0", str(UID), "1"]]


def test_Q3_another_user_inside_is_a_subordinate_id_outside(user, bundle, given):
    b = user.own(bundle(script=HOLD))
    b.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [7, 8]}
    c = user.run_detached(b).wait_out("ready")
    status = dict(line.split(":", 1) for line in open(f"/proc/{c.pid}/status"))
    assert status["Uid"].split()[0] == str(FIRST + 999)
    assert status["Gid"].split()[0] == str(FIRST + 999)
    assert status["Groups"].split() == [str(FIRST + 6), str(FIRST + 7)]


def test_Q3_ids_that_were_not_given_are_refused_with_the_remedy(user, bundle, not_given):
    b = user.own(bundle())
    b.namespace("user")
    b.linux["uidMappings"] = b.linux["gidMappings"] = [{"containerID": 0, "hostID": 200000, "size": 1000}]
    result = user.run(b).fails("/linux/gidMappings", "newgidmap", "exit status 1", "[200000-201000) not allowed")
    assert step_of(result) == "write-id-map"
    assert "usermod --add-subuids" in result.err


def test_P20_groups_can_not_be_set_where_setgroups_is_denied(user, bundle, not_given):
    b = user.own(maps_itself(bundle()))
    b.process["user"]["additionalGids"] = [0]
    result = user.run(b).fails("/process/user/additionalGids", "set 1 additional groups", "EPERM")
    assert step_of(result) == "set-ids"
    assert "may deny setgroups" in result.err


@needs_root
def test_X17_groups_that_keep_a_user_out_stay(user, bundle, tmp, not_given):
    """Without a right to gid_map the container can't drop a group whose members must not read a file."""
    secret = tmp / "secret"
    secret.write_text("secret")
    os.chown(secret, 0, 4242)
    secret.chmod(0o604)  # everybody but the group
    user.prefix = ["setpriv", "--groups=4242"]
    b = user.own(maps_itself(bundle(script="cat /secret; echo $?")))
    b.config["mounts"].append({"destination": "/secret", "type": "bind", "source": str(secret), "options": ["rbind"]})
    command = user.command  # groups need root, so they are set before the uid

    def with_group(*args, **kw):
        words = command(*args, **kw)
        at = words.index("--clear-groups")
        return [*words[:at], "--groups=4242", *words[at + 3:]]

    user.command = with_group
    result = user.run(b)
    assert result.out.strip() == "1", result.describe()
    assert "Permission denied" in result.err


# ---- the life of a container ------------------------------------------------------------------------------------------


def test_Y8_a_user_creates_starts_kills_and_deletes(user, bundle, given):
    c = user.create(user.own(bundle(script=HOLD)))
    assert c.status == "created"
    c.start().ok()
    c.wait_out("ready")
    assert list(user.list()) == [c.id]
    assert os.stat(f"/proc/{c.pid}").st_uid == UID
    c.kill("KILL").ok()
    c.wait()
    c.delete().ok()
    assert user.list() == {}


def test_Q1_a_user_executes_a_further_program(user, bundle, given):
    c = user.run_detached(user.own(bundle(script=HOLD))).wait_out("ready")
    script = "id -u; cat /proc/self/uid_map; for n in user pid mnt ipc uts; do readlink /proc/self/ns/$n; done; exit 7"
    result = user.call("exec", c.id, "/bin/sh", "-c", script)
    assert result.status == 7, result.describe()
    lines = result.out.splitlines()
    assert lines[0] == "0" and lines[1].split() == ["0", str(UID), "1"]
    assert lines[3:] == [os.readlink(f"/proc/{c.pid}/ns/{n}") for n in ("user", "pid", "mnt", "ipc", "uts")]


def test_docker_like_container_of_a_user(user, bundle, given):
    b = user.own(bundle("docker", script="grep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status; cat /proc/keys | wc -c;"
                        "ls /sys/firmware | wc -l; hostname; stat -c %t:%T /dev/null; cat /etc/resolv.conf;"
                        "touch /proc/sys/kernel/x 2>&1; stat -c %u /data"))
    del b.linux["resources"]
    out = user.run(b).ok().out
    assert "CapEff:\t00000000a80425fb" in out and "CapBnd:\t00000000a80425fb" in out
    assert "NoNewPrivs:\t1" in out and "Seccomp:\t2" in out
    assert "docker-like\n1:3\nfrom the bundle\n" in out
    assert "Read-only file system" in out or "No such file" in out
    assert out.splitlines()[-1] == "0"


def test_P1_terminal_of_a_user(user, terminal_bundle, given):
    b = user.own(terminal_bundle(script="tty; stat -c %u:%t:%a /dev/console"))
    command = user.command("run", "--bundle", b.path, user.new_id())
    b.write()
    done = subprocess.run(["script", "-qec", " ".join(map(str, command)), "/dev/null"], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert "/dev/pts/0" in done.stdout, done
    assert "0:88:620" in done.stdout or "0:88:600" in done.stdout, done


def test_Q1_a_pod_of_a_user(user, bundle, given):
    """A second container joins the namespaces of the first, the user namespace among them."""
    kinds = {"user": "user", "network": "net", "ipc": "ipc", "uts": "uts", "pid": "pid"}
    first = user.own(bundle(script=HOLD)).namespace("network").namespace("user")
    for key in ("uidMappings", "gidMappings"):
        first.linux[key] = [{"containerID": 0, "hostID": UID, "size": 1}, {"containerID": 1, "hostID": FIRST, "size": COUNT}]
    first.config["hostname"] = "pod"
    infra = user.run_detached(first).wait_out("ready")
    second = user.own(bundle(script="hostname; for n in user net ipc uts pid; do readlink /proc/self/ns/$n; done"))
    for kind, file in kinds.items():
        second.namespace(kind, f"/proc/{infra.pid}/ns/{file}")
    lines = user.run(second).ok().out.split()
    assert lines[0] == "pod"
    assert lines[1:] == [os.readlink(f"/proc/{infra.pid}/ns/{kinds[k]}") for k in ("user", "network", "ipc", "uts", "pid")]


def test_hooks_of_a_user_run_as_the_user(user, bundle, tmp, given):
    b = user.own(bundle())
    b.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", f"id -u > {tmp}/hook"]}]}
    user.run(b).ok()
    assert (tmp / "hook").read_text().strip() == str(UID)


# ---- what the host would not let him do -----------------------------------------------------------------------------------


def test_M11_source_that_only_its_owner_may_enter(user, bundle, tmp, given):
    private = tmp / "private"
    (private / "in").mkdir(parents=True)
    (private / "in/file").write_text("mine")
    os.chown(private, UID, GID)
    private.chmod(0o700)
    b = user.own(bundle(args=["cat", "/data/file"]))
    b.config["mounts"].append({"destination": "/data", "source": str(private / "in"), "options": ["rbind", "ro"]})
    assert user.run(b).ok().out == "mine"


@needs_root
def test_M11_source_of_another_user_is_refused(user, bundle, tmp, given):
    private = tmp / "private"
    (private / "in").mkdir(parents=True)
    private.chmod(0o700)
    b = user.own(bundle())
    b.config["mounts"].append({"destination": "/data", "source": str(private / "in"), "options": ["rbind"]})
    result = user.run(b).fails("/mounts/1", f'open the mount source "{private / "in"}"', "EACCES")
    assert step_of(result) == "open-source"


def test_M13_sysfs_without_a_network_namespace_is_the_hosts(user, bundle, given):
    b = user.own(bundle(script="ls /sys/class/net; touch /sys/x; grep ' /sys ' /proc/self/mountinfo"))
    b.config["mounts"].append(MOUNTS[3])
    result = user.run(b)
    assert "lo" in result.out
    assert "Read-only file system" in result.err
    b = user.own(bundle())
    b.config["mounts"].append(dict(MOUNTS[3], options=["nosuid"]))
    user.run(b).fails("/mounts/1", 'mount "sysfs" on "/sys"', "a network namespace of its own")


def test_M20_devices_are_the_hosts(user, bundle, given):
    b = user.own(bundle(script="stat -c %n:%t:%T /dev/null /dev/zero /dev/full; echo x > /dev/null; mknod /tmp/n c 1 3"))
    b.config["mounts"].append(MOUNTS[1])
    result = user.run(b)
    assert result.out.split() == ["/dev/null:1:3", "/dev/zero:1:5", "/dev/full:1:7"]
    assert "Operation not permitted" in result.err


def test_B7_idmapped_mounts_are_for_root(user, bundle, given):
    b = user.own(bundle())
    maps = [{"containerID": 0, "hostID": 0, "size": 1}]
    b.config["mounts"].append({"destination": "/data", "source": "data", "options": ["rbind"], "uidMappings": maps,
                               "gidMappings": maps})
    user.run(b).fails("/mounts/1/uidMappings", 'idmap the mount on "/data"', "only root of the host may")


# ---- cgroups ----------------------------------------------------------------------------------------------------------------


@nothing_delegated
def test_K6_limit_without_a_delegated_cgroup_is_an_error(user, bundle, given):
    b = user.own(bundle())
    b.resources["memory"] = {"limit": 64 << 20}
    result = user.run(b).fails("/linux/resources/memory/limit", 'no cgroup controller "memory"')
    assert "Delegate=yes" in result.err


def test_K3_device_rules_of_a_user_are_named_as_ignored(user, bundle, given):
    b = user.own(bundle())
    b.resources["devices"] = [{"allow": False, "access": "rwm"}]
    warnings = user.run(b).ok().warnings
    assert [w for w in warnings if w.startswith("ignore /linux/resources/devices: only root of the host")], warnings


@nothing_delegated
def test_G2_path_without_a_delegated_cgroup_is_named_as_ignored(user, bundle, given):
    b = user.own(bundle())
    b.linux["cgroupsPath"] = "/x/y"
    warnings = user.run(b).ok().warnings
    assert [w for w in warnings if w.startswith("ignore /linux/cgroupsPath: no cgroup was delegated")], warnings


@nothing_delegated
def test_C2_rootless_false_wants_a_cgroup(user, bundle, given):
    user.run(user.own(bundle()), globals=["--rootless", "false"]).fails("make a cgroup: none was delegated to uid 65534")


@pytest.fixture
def delegated(nothing_left):
    """A cgroup of the pids hierarchy that the user may change; whoever runs `join` is in a child of it."""
    top = "/sys/fs/cgroup/pids/delegated"
    if not os.path.isdir("/sys/fs/cgroup/pids"):
        pytest.skip("no pids hierarchy of cgroup v1 on this host")
    os.makedirs(top + "/caller")
    for path in (top, top + "/caller"):
        os.chown(path, UID, GID)
        for name in ("cgroup.procs", "tasks"):
            os.chown(f"{path}/{name}", UID, GID)

    def join():
        with open(top + "/caller/tasks", "w") as tasks:
            tasks.write("0")

    yield top, join
    os.rmdir(top + "/caller")
    os.rmdir(top)


def test_K6_limit_in_a_delegated_cgroup(user, bundle, delegated, given):
    top, join = delegated
    b = user.own(bundle(script=HOLD))
    b.resources["pids"] = {"limit": 17}
    c = user.run_detached(b, before=join).wait_out("ready")
    cgroup = f"{top}/{c.id}"
    assert open(f"{cgroup}/pids.max").read() == "17\n"
    assert str(c.pid) in open(f"{cgroup}/cgroup.procs").read().split()
    c.delete("--force").ok()
    assert not os.path.exists(cgroup)


def test_K6_path_outside_of_the_delegated_cgroup_is_refused(user, bundle, delegated, given):
    _, join = delegated
    b = user.own(bundle())
    b.resources["pids"] = {"limit": 17}
    b.linux["cgroupsPath"] = "/elsewhere/c"
    result = user.run(b, before=join).fails("/linux/resources/pids/limit", "not below one that was delegated to uid 65534")
    assert 'begin it with "/delegated"' in result.err


# ---- where his containers are recorded -------------------------------------------------------------------------------------


def call(user, *words, **env):
    """A command without --root. Its output goes to files: a container that it makes keeps them open."""
    command = user.command(*words)
    at = command.index("--root")
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
        done = subprocess.run(command[:at] + command[at + 2:], env={**kept, **env}, stdout=out, stderr=err,
                              stdin=subprocess.DEVNULL, check=False)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def test_C2_root_directory_of_a_user_is_in_his_runtime_directory(user, bundle, tmp, given):
    runtime_dir = tmp / "runtime"
    runtime_dir.mkdir()
    os.chown(runtime_dir, UID, GID)
    b = user.own(bundle())
    b.write()
    done = call(user, "create", "--bundle", b.path, "one", XDG_RUNTIME_DIR=str(runtime_dir))
    assert done.returncode == 0, done
    made = os.stat(runtime_dir / "tare-oci")
    assert made.st_uid == UID and made.st_mode & 0o7777 == 0o1711
    assert "one" in call(user, "list", XDG_RUNTIME_DIR=str(runtime_dir)).stdout
    assert call(user, "delete", "--force", "one", XDG_RUNTIME_DIR=str(runtime_dir)).returncode == 0


def test_C2_user_without_a_runtime_directory_is_told_what_to_do(user):
    done = call(user, "list")
    assert done.returncode == 1
    assert done.stderr == (f"tare-oci: find the place where uid {UID}'s containers are recorded\n"
                           "hint: set XDG_RUNTIME_DIR, or give --root DIR\n")


def test_C2_spec_rootless_runs_as_it_is(user, bundle, not_given):
    b = user.own(bundle())
    (b.path / "config.json").unlink(missing_ok=True)
    user.call("spec", "--rootless", "--bundle", b.path).ok()
    config = json.loads((b.path / "config.json").read_text())
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": UID, "size": 1}]
    assert {"type": "user"} in config["linux"]["namespaces"] and {"type": "network"} not in config["linux"]["namespaces"]
    config["process"].update(terminal=False, args=["sh", "-c", "id -u; touch /x /sys/x"])
    b.config = config
    result = user.run(b)
    assert result.out == "0\n" and result.err.count("Read-only file system") == 2


def test_explain_for_a_user_shows_the_users_start(user, bundle, given):
    b = user.own(bundle())
    b.write()
    out = user.call("explain", "--bundle", b.path, globals=["--rootless", "true"]).ok().out
    assert f'newuidmap "$pid" 0 {UID} 1 1 {FIRST} {COUNT} && newgidmap' in out
    assert "newuidmap" not in user.call("explain", "--bundle", b.path).ok().out


# ---- root of a user namespace, as under podman --------------------------------------------------------------------------------


@pytest.fixture
def inner_root(user):
    """The runtime as root of a user namespace of the user's."""
    user.prefix = ["unshare", "--user", "--map-root-user", "--mount", "--"]
    return user


def test_Q3_root_of_a_user_namespace(inner_root, bundle, not_given):
    b = inner_root.own(bundle(script="id -u; cat /proc/self/uid_map; stat -c %t:%T /dev/null"))
    b.config["mounts"].append(MOUNTS[1])
    lines = fields(inner_root.run(b).ok().out)
    assert lines == [["0"], ["0", str(UID), "1"], ["1:3"]]


def test_Q3_root_of_a_user_namespace_makes_another(inner_root, bundle, not_given):
    b = inner_root.own(bundle(script="cat /proc/self/uid_map"))
    b.namespace("user")
    b.linux["uidMappings"] = b.linux["gidMappings"] = [{"containerID": 5, "hostID": 0, "size": 1}]
    b.process["user"] = {"uid": 5, "gid": 5}
    assert fields(inner_root.run(b).ok().out) == [["5", "0", "1"]]


@nothing_delegated
def test_K6_limit_of_root_of_a_user_namespace_is_an_error(inner_root, bundle, not_given):
    b = inner_root.own(bundle())
    b.resources["pids"] = {"limit": 17}
    inner_root.run(b).fails("/linux/resources/pids/limit", 'no cgroup controller "pids"')
