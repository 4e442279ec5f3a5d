# SPDX-License-Identifier: GPL-2.0-or-later
"""
config.json as a document: what is refused before anything is made, with the whole message, the pointer and the line as
a person and an engine get them; and what is odd but legal, run to see its effect. Each row of the field tables has its
unit test (tests/unit/spec); here the way through the program is proved, a few rows of each section.
"""

import json
import os

import pytest

pytestmark = pytest.mark.only("tare")


def refused(tare, b, text=None, **kw):
    """create with this config (or this text in its place). Returns the record in the JSON log."""
    if text is None:
        b.write()
    else:
        (b.path / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    result, container = tare.try_create(b, write=False, **kw)
    assert container is None
    result.fails()
    return next(r for r in result.log if r["level"] == "error")


def set_in(config, pointer, value):
    """Put a value where a JSON pointer says, making what is missing on the way."""
    *way, last = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
    for part, after in zip(way, way[1:] + [last]):
        if isinstance(config, list):
            config = config[int(part)]
        else:
            config = config.setdefault(part, [{}] if after.isdigit() else {})
    if isinstance(config, list):
        config[int(last)] = value
    else:
        config[last] = value


NO_UTS = [{"type": t} for t in ("pid", "mount", "ipc")]

# pointer, what is put there, pointer of the complaint (None: the same), the complaint
REFUSED = {
    "A5_version": ("/ociVersion", "2.0.0", None, 'read "ociVersion": version "2.0.0" is not supported'),
    "A7_root_path": ("/root/path", 7, None, 'read "path": expected a string, got 7'),
    "A9_hostname": ("/hostname", "x" * 65, None, 'read "hostname": 65 bytes are more than the kernel\'s limit of 64'),
    "A11_annotation": ("/annotations", {"": "x"}, None, 'read "annotations": a name in it is empty'),
    "B2_destination": ("/mounts/0", {"type": "proc"}, None, 'read "mounts[0]": "destination" is missing'),
    "B7_one_mapping": ("/mounts/0/uidMappings", [{"containerID": 0, "hostID": 0, "size": 1}], "/mounts/0",
                       'read "mounts[0]": uidMappings and gidMappings go together, one of them is missing'),
    "H1_relative": ("/hooks/prestart", [{"path": "true"}], "/hooks/prestart/0/path",
                    'read "path": expected an absolute path, got "true"'),
    "H6_timeout": ("/hooks/poststop", [{"path": "/bin/true", "timeout": 0}], "/hooks/poststop/0/timeout",
                   'read "timeout": expected an integer from 1 to 2147483, got 0'),
    "P3_cwd": ("/process/cwd", "tmp", None, 'read "cwd": expected an absolute path, got "tmp"'),
    "P5_args": ("/process/args", [], None, 'read "args": must have at least one entry'),
    "P7_rlimit": ("/process/rlimits", [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}], "/process/rlimits/0",
                  'read "rlimits[0]": the soft limit of RLIMIT_CPU is above the hard one'),
    "P12_oom": ("/process/oomScoreAdj", 1001, None, 'read "oomScoreAdj": expected an integer from -1000 to 1000, got 1001'),
    "P13_policy": ("/process/scheduler", {"policy": "FIFO"}, "/process/scheduler/policy",
                   'read "policy": "FIFO" is not a scheduling policy'),
    "P18_uid": ("/process/user/uid", 4294967295, None,
                'read "uid": 4294967295 is no usable id: to the kernel it means "leave it"'),
    "P19_umask": ("/process/user/umask", 512, None, 'read "umask": expected an integer from 0 to 511, got 512'),
    "Q13_env": ("/process/env", ["A"], "/process/env/0", 'read "env[0]": expected NAME=VALUE, got "A"'),
    "L2_twice": ("/linux/namespaces", [{"type": "pid"}, {"type": "pid"}], "/linux/namespaces/1",
                 'read "namespaces[1]": the pid namespace is there twice, first as /linux/namespaces/0'),
    "L3_relative": ("/linux/namespaces/0/path", "proc/1/ns/pid", None,
                    'read "path": expected an absolute path, got "proc/1/ns/pid"'),
    "L4_no_namespace": ("/linux/uidMappings", [{"containerID": 0, "hostID": 0, "size": 1}], None,
                        'read "uidMappings": there is no user namespace to map ids in'),
    "L5_no_namespace": ("/linux/timeOffsets", {"boottime": {"secs": 1}}, None,
                        'read "timeOffsets": there is no time namespace to have offsets'),
    "L9_no_numbers": ("/linux/devices", [{"type": "c", "path": "/dev/x"}], "/linux/devices/0",
                      'read "devices[0]": device /dev/x needs major and minor'),
    "L18_relative": ("/linux/maskedPaths", ["proc/kcore"], "/linux/maskedPaths/0",
                     'read "maskedPaths[0]": expected an absolute path, got "proc/kcore"'),
    "L22_domain": ("/linux/personality", {"domain": "BSD"}, "/linux/personality/domain",
                   'read "domain": "BSD" is not an execution domain'),
    "L26_nodes": ("/linux/memoryPolicy", {"mode": "MPOL_BIND", "nodes": "1-0"}, "/linux/memoryPolicy/nodes",
                  'read "nodes": expected a list like "0-3,7", got "1-0"'),
    "R2_text": ("/linux/resources/memory/limit", "1g", None,
                'read "limit": expected an integer from -1 to 9223372036854775807, got "1g"'),
    "R4_swap": ("/linux/resources/memory/swap", 1, None,
                'read "swap": it counts memory and swap together, so it needs a limit for memory'),
    "R19_page_size": ("/linux/resources/hugepageLimits", [{"pageSize": "2kB", "limit": 0}],
                      "/linux/resources/hugepageLimits/0/pageSize",
                      'read "pageSize": expected a size like "2MB", got "2kB"'),
    "R23_slash": ("/linux/resources/unified", {"../x": "1"}, "/linux/resources/unified/..~1x",
                  'read "../x": expected the name of a file in the cgroup'),
    "S1_action": ("/linux/seccomp", {"defaultAction": "ALLOW"}, "/linux/seccomp/defaultAction",
                  'read "defaultAction": "ALLOW" is not a seccomp action'),
    "S9_errno": ("/linux/seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1},
                 "/linux/seccomp/defaultErrnoRet",
                 'read "defaultErrnoRet": only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one, not SCMP_ACT_ALLOW'),
}


@pytest.mark.rows("A-5", "A-7", "A-9", "A-11", "B-2", "B-7", "H-1", "H-6", "P-3", "P-5", "P-7", "P-12", "P-13",
                  "P-18", "P-19", "Q-13", "L-2", "L-3", "L-4", "L-5", "L-9", "L-18", "L-22", "L-26", "R-2", "R-4",
                  "R-19", "R-23", "S-1", "S-9")
@pytest.mark.parametrize("case", REFUSED)
def test_A4_bad_values_are_refused_where_they_stand(tare, bundle, case):
    pointer, value, where, text = REFUSED[case]
    b = bundle()
    set_in(b.config, pointer, value)
    record = refused(tare, b)
    assert text in record["msg"]
    assert record["pointer"] == (where or pointer)
    assert record["kind"] == "user"
    assert record["line"] > 0


def test_A9_without_uts_namespace_the_host_keeps_its_name(tare, bundle):
    before = os.uname().nodename
    b = bundle()
    b.config["hostname"] = "stolen"
    b.without_namespace("uts")
    assert "without a uts namespace this would rename the host" in refused(tare, b)["msg"]
    assert os.uname().nodename == before


TEXTS = {
    "duplicate_name": (b'{"ociVersion":"1.0.0",\n"root":{"path":"rootfs"},\n"root":{"path":"/"}}',
                       'line 3, column 8: "root" is twice in one object'),
    "nul": (b'{"ociVersion":"1.0.0","root":{"path":"root\\u0000fs"}}', "a string holds \\u0000"),
    "invalid_utf8": (b'{"ociVersion":"1.0.0","root":{"path":"\xc0\xaf"}}', "a string is not valid UTF-8"),
    "trailing_text": (b'{"ociVersion":"1.0.0","root":{"path":"rootfs"}}{}', "trailing garbage"),
    "cut_off": (b'{"ociVersion":"1.0.0","root":{"path":', "premature EOF"),
    "empty": (b"", "premature EOF"),
    "too_deep": (b'{"annotations":' + b"[" * 100 + b"]" * 100 + b"}", "nested too deep"),
    "comment": (b'{} // no', "trailing garbage"),
    "form_feed": (b'{"ociVersion":\f"1.0.0"}', "a control character"),
    "no_object": (b'"config"', 'expected an object, got "config"'),
    "huge_number": (b'{"ociVersion":"1.0.0","root":{"path":"rootfs"},"linux":{"resources":{"pids":{"limit":1e400}}}}',
                    "expected an integer in plain digits, got 1e400"),
}


@pytest.mark.rows("A-2")
@pytest.mark.parametrize("case", TEXTS)
def test_Z19_hostile_text_is_refused(tare, bundle, case):
    text, message = TEXTS[case]
    assert message in refused(tare, bundle(), text)["msg"]


def test_Z19_a_file_beyond_the_limit_is_refused(tare, bundle):
    b = bundle()
    b.config["annotations"] = {"a": "x" * (8 << 20)}
    assert "larger than 8 MiB" in refused(tare, b)["msg"]


def test_Z19_nothing_of_a_config_reaches_a_terminal_raw(tare, bundle):
    b = bundle()
    b.config["annotations"] = {"\x1b[2J\n": 1}
    b.write()
    result, _ = tare.try_create(b)
    assert "\x1b" not in result.err and "\\x1b[2J\\n" in result.err


# ---- odd, but legal ------------------------------------------------------------------------------------------------


def test_A3_unknown_properties_are_named_and_nothing_more(tare, bundle):
    b = bundle(args=["echo", "ran"])
    b.config["x-tool"] = {"any": ["thing"]}
    b.linux["seccompProfile"] = "default"
    b.linux.setdefault("resources", {})["oomScoreAdj"] = 1
    result = tare.run(b).ok()
    assert result.out == "ran\n"
    warnings = "\n".join(result.warnings)
    assert "ignore /x-tool: unknown property" in warnings
    assert "ignore /linux/seccompProfile: unknown property (did you mean /linux/seccomp?)" in warnings
    assert "ignore /linux/resources/oomScoreAdj: unknown property (did you mean /process/oomScoreAdj?)" in warnings


@pytest.mark.rows("A-14", "A-15", "P-6", "P-21")
def test_A13_other_platforms_are_ignored(tare, bundle):
    b = bundle(args=["echo", "ran"])
    for platform in ("vm", "windows", "solaris", "zos", "freebsd"):
        b.config[platform] = {"any": 1}
    b.process["commandLine"] = "cmd.exe"
    b.process["user"]["username"] = "Administrator"
    result = tare.run(b).ok()
    assert result.out == "ran\n"
    assert len([w for w in result.warnings if w.startswith("ignore /")]) == 7


@pytest.mark.rows("A-13")
def test_A4_null_counts_as_absent(tare, bundle):
    b = bundle(args=["echo", "ran"])
    b.config.update(hostname=None, hooks=None, annotations=None)
    b.process.update(rlimits=None, oomScoreAdj=None, capabilities=None)
    b.linux.update(resources={"memory": {"swappiness": None}}, seccomp=None, maskedPaths=None)
    assert tare.run(b).ok().out == "ran\n"


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2-dev", "1.1.0+dev", "1.2.0-rc.1", "1.3.0", "1.3.99"])
def test_A5_every_version_from_1_0_to_1_3(tare, bundle, version):
    b = bundle(args=["echo", "ran"])
    b.config["ociVersion"] = version
    assert tare.run(b).ok().out == "ran\n"


def test_Q13_the_last_of_two_variables_wins(tare, bundle):
    b = bundle(args=["/bin/busybox", "env"])
    b.process["env"] = ["PATH=/bin", "A=1", "AB=x", "A=2", "EMPTY=", "B=a=b"]
    lines = tare.run(b).ok().out.splitlines()
    assert [line for line in lines if line.startswith("A=")] == ["A=2"]
    assert {"AB=x", "EMPTY=", "B=a=b"} <= set(lines)


def test_A11_annotations_change_nothing_and_are_kept(tare, bundle):
    b = bundle(script="sleep 60")
    b.config["annotations"] = {"org.example/a b": "", "é": "\u0001\"\\", "run.oci.handler": "wasm"}
    c = tare.run_detached(b)
    assert c.state()["annotations"] == b.config["annotations"]


def test_A2_escapes_and_other_alphabets_arrive_as_written(tare, bundle):
    b = bundle(args=["printf", "%s", "a\"\\\t€😀"])
    b.write()
    text = (b.path / "config.json").read_text()
    assert "\\ud83d\\ude00" in text
    assert tare.run(b).ok().out == "a\"\\\t€😀"
    (b.path / "config.json").write_text(json.dumps(b.config, ensure_ascii=False))
    assert tare.run(b, write=False).ok().out == "a\"\\\t€😀"
