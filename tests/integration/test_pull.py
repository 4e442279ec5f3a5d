# SPDX-License-Identifier: GPL-2.0-or-later
"""
pull, which unpacks while it downloads: what can be seen meanwhile, after a kill, on a full disk, of a damaged blob, and when many
want the same.
"""

import gzip
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from support.engine import Engine, layer_tar
from support.registry import FakeRegistry, digest_of, environment
from support.runtime import wait_until
from support.time_limit import scaled

KILLS = 30
PARTS = max(1, int(os.environ.get("TARE_KILL_ROUNDS", "30")) // KILLS)
NOISE = random.Random(5)


def noise(size):
    return NOISE.randbytes(size)


BIG = layer_tar({"first": "early\n", "noise": noise(2_000_000), "last": "late\n"})


@pytest.fixture
def env(tmp):
    return environment(tmp)


@pytest.fixture
def fake():
    with FakeRegistry() as registry:
        yield registry


def start(engine, env, *words):
    return subprocess.Popen(list(map(str, engine.command(*words))), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def layers(engine):
    return sorted(os.listdir(engine.root / "layers")) if (engine.root / "layers").exists() else []


def staged(engine, pattern):
    return list((engine.root / "staging").glob(pattern)) if (engine.root / "staging").exists() else []


def blob_of(engine, data):
    return engine.root / "images/blobs/sha256" / digest_of(data).removeprefix("sha256:")


def collect_all(engine):
    """Until those have died as well that a killed pull had at work."""
    wait_until(lambda: engine.call("image", "gc").ok() and not staged(engine, "*"), "all of it is collected", scaled(20))


def assert_sound(engine):
    """After a collection every byte belongs to somebody, and check finds nothing."""
    engine.call("image", "gc").ok()
    assert os.listdir(engine.root / "staging") == []
    assert engine.call("system", "check").ok().out.endswith(" 0 found, 0 repaired\n")


def test_a_layer_is_unpacked_before_its_last_byte_has_come(engine, env, fake):
    fake.image("a", "1", [BIG])
    fake.hold_after = 1_500_000
    pull = start(engine, env, "pull", f"{fake.host}/a:1")
    (early,) = wait_until(lambda: staged(engine, "layer-*/fs/first"), "the beginning is unpacked", scaled(20))
    wait_until(lambda: (early.parent / "noise").exists(), "so is what follows", scaled(20))
    assert early.read_text() == "early\n" and not (early.parent / "last").exists()
    assert layers(engine) == [] and not blob_of(engine, BIG).exists()
    fake.go_on()
    assert pull.wait(scaled(30)) == 0, pull.stderr.read()
    (layer,) = layers(engine)
    assert (engine.root / "layers" / layer / "last").read_text() == "late\n"
    assert blob_of(engine, BIG).read_bytes() == BIG and len(fake.asked("blobs/" + digest_of(BIG))) == 1
    assert_sound(engine)


def test_what_a_cancelled_pull_leaves_is_garbage_or_a_beginning(engine, env, fake):
    fake.image("a", "1", [BIG])
    fake.hold_after = 1_500_000

    def cancel():
        pull = start(engine, env, "pull", f"{fake.host}/a:1")
        wait_until(lambda: staged(engine, "layer-*/fs/noise"), "half of it is unpacked", scaled(20))
        time.sleep(0.3)
        pull.send_signal(signal.SIGKILL)
        pull.wait()

    cancel()
    assert layers(engine) == [] and engine.images() == []
    assert sum(p.name.startswith(("layer-", "sha256:")) for p in staged(engine, "*")) == 2
    collect_all(engine)

    cancel()
    fake.go_on()
    fake.requests.clear()
    engine.call("pull", f"{fake.host}/a:1", env=env).ok()
    (asked,) = fake.asked("blobs/" + digest_of(BIG))
    begin = int(asked[2]["Range"].removeprefix("bytes=").split("-")[0])
    assert 0 < begin <= 1_500_000, "it goes on where the cancelled one has ended"
    (layer,) = layers(engine)
    assert (engine.root / "layers" / layer / "first").read_text() == "early\n"
    assert_sound(engine)


def test_a_flipped_byte_is_refused_and_nothing_is_visible(tmp, engine, env, fake):
    """In the compressed bytes, and in bytes whose digest is that of the blob but whose content is not what the image says."""
    layer = gzip.compress(layer_tar({"a": noise(5000), "b": "x" * 5000}))
    other = gzip.compress(layer_tar({"a": "another"}))
    fake.image("wrong", "1", [other])  # its diff_id is the blob's digest, not that of its content
    engine.call("pull", f"{fake.host}/wrong:1", env=env).fails(
        f"unpack layer {digest_of(other)}: its content is {digest_of(gzip.decompress(other))}, but the image says {digest_of(other)}")
    assert layers(engine) == [] and engine.images() == []
    fake.image("a", "1", [layer])
    for offset in [0, 3, 9, 10, 11, *NOISE.sample(range(len(layer)), 10), len(layer) - 1]:
        damaged = bytearray(layer)
        damaged[offset] ^= 1 << NOISE.randrange(8)
        fake.blobs[digest_of(layer)] = bytes(damaged)
        engine.call("pull", f"{fake.host}/a:1", env=env).fails(
            f"get blob {digest_of(layer)}", f"the bytes that should be blob {digest_of(layer)} are {digest_of(bytes(damaged))}")
        assert layers(engine) == [] and not blob_of(engine, layer).exists() and engine.images() == [] and not staged(engine, "*")


def test_many_who_want_the_same_fetch_it_once(engine, env, fake):
    tars = [layer_tar({f"f{i}": noise(300_000)}) for i in range(4)]
    fake.image("a", "1", tars)
    pulls = [start(engine, env, "pull", "-q", f"{fake.host}/a:1") for _ in range(16)]
    for pull in pulls:
        assert pull.wait(scaled(90)) == 0, pull.stderr.read()
    for tar in tars:
        assert len(fake.asked("blobs/" + digest_of(tar))) == 1
        assert blob_of(engine, tar).read_bytes() == tar
    assert len(layers(engine)) == 4
    assert_sound(engine)


@pytest.mark.parametrize("part", range(PARTS))
def test_who_is_killed_while_pulling_leaves_nothing(engine, env, fake, part):
    """A kill at any moment: the next pull works without repair, and every image is whole or absent."""
    rng = random.Random(9 + part)
    spent = 0.3
    for n in range(KILLS):
        # Half of them new each time, so that there is something to fetch.
        fake.image("a", str(n), [layer_tar({"same": "x" * 50_000}), layer_tar({"new": rng.randbytes(400_000), **{f"d/{i}": str(i) for i in range(50)}})])
        started = time.monotonic()
        pull = start(engine, env, "pull", "-q", f"{fake.host}/a:{n}")
        try:
            pull.wait(rng.uniform(0.001, 1.2 * spent))
            spent = time.monotonic() - started
        except subprocess.TimeoutExpired:
            pull.send_signal(signal.SIGKILL)
            pull.wait()
        found = engine.images()
        assert all(i["Size"] != "N/A" for i in found), f"round {n}: an image can't be read"
        if n % 10 == 9:
            engine.call("pull", "-q", f"{fake.host}/a:{n}", env=env).ok()
    collect_all(engine)
    assert_sound(engine)


def test_a_full_disk_is_said_and_shows_nothing(tmp, env, fake):
    """Wherever it is full: in the middle of a blob, or with the blob there and the layer half unpacked."""
    place = tmp / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3000k", "tmpfs", place], check=True)
    try:
        engine = Engine(place)
        fake.image("a", "1", [BIG])
        fake.image("b", "1", [gzip.compress(BIG)])
        packed = gzip.compress(layer_tar({"zeros": bytes(5_000_000)}))
        fake.image("c", "1", [packed])
        for name in ("a", "b", "c"):
            engine.call("pull", f"{fake.host}/{name}:1", env=env).fails("no space or no room left (ENOSPC)")
            assert layers(engine) == [] and engine.images() == []
            engine.call("image", "gc").ok()
            assert not staged(engine, "*") and not list((engine.root / "images/blobs/sha256").iterdir())
        assert engine.call("system", "check").ok().out == "0 blobs and 0 layers: 0 found, 0 repaired\n"
        shutil.rmtree(engine.root)
    finally:
        subprocess.run(["umount", place], check=True)
