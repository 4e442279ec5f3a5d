# SPDX-License-Identifier: GPL-2.0-or-later
"""The README's tour, executed as it is written: every line of its blocks, in order, by one shell on a terminal. And the demo."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import runtime as rt
from support.terminal import OnTerminal

pytestmark = [pytest.mark.only("tare"), pytest.mark.no_sanitizer("its ids and its place are the README's, so only one can run")]

REPO = Path(__file__).resolve().parents[2]
BOX = Path("/tmp/box")


def tour(section="Two minutes"):
    """The blocks of a section, each a list of lines."""
    text = re.search(rf"^## {section}\n(.*?)^## ", (REPO / "README.md").read_text(), re.M | re.S).group(1)
    blocks = re.findall(r"(?:^    .*\n)+", text, re.M)
    return [[line[4:] for line in block.splitlines()] for block in blocks]


def programs():
    """What `make` builds, of which all find each other beside them."""
    build = Path(rt.binary()).resolve().parent
    return [build / name for name in ("tare-oci", "tare", "tare-full", "tare-init", "tare-monitor")]


@pytest.fixture
def place(tmp):
    """A checkout's directory, as far as the tour looks: build/tare-oci. What the tour makes is gone afterwards."""
    assert not BOX.exists()
    (tmp / "build").mkdir()
    for program in programs():
        (tmp / "build" / program.name).symlink_to(program)
    yield tmp
    shutil.rmtree(BOX, ignore_errors=True)


def test_the_tour_goes_as_it_is_written(place):
    lines = [line for block in tour() for line in block]
    assert [line.split()[1] for line in lines if line.startswith("tare-oci ")] == [
        "spec", "explain", "run", "create", "list", "start", "state", "kill", "delete", "run"]
    # Marks between the lines, so that it can be seen how far it came; a pager waits for a key, and so does a shell.
    script = f"cd {place}\n" + "".join(f"{line}\necho \"line {i}: $?\"\n" for i, line in enumerate(lines))
    (place / "tour").write_text(script)
    # The tour uses the default --root, which other suites on this machine watch: give it a /run of its own.
    own_run = "mount -t tmpfs tmpfs /run && exec bash $0"
    with OnTerminal(["unshare", "--mount", "sh", "-c", own_run, place / "tour"], columns=200) as terminal:
        explained, shell = lines.index("tare-oci explain | less"), lines.index("tare-oci run first")
        terminal.wait_text(f"line {explained - 1}: 0").wait_text("make-state").type("q")
        terminal.wait_text(f"line {explained}: 0").wait_text("/ # ")
        terminal.type("/bin/busybox ps\n").wait_text("/bin/busybox ps\r\n").type("exit\n")
        terminal.wait_text(f"line {shell}: 0").wait_text(f"line {len(lines) - 1}: ")
        terminal.wait()
        text = terminal.text.replace("\r\n", "\n")

    statuses = dict(re.findall(r"line (\d+): (\d+)\n", text))
    assert statuses == {str(i): "1" if i == len(lines) - 1 else "0" for i in range(len(lines))}
    assert re.search(r"PID +USER.*\n +1 .*sh\n", text), "the shell is not alone in its world"
    assert re.search(r"^second +\d+ +created ", text, re.M)
    assert '"status": "running"' in text
    assert re.search(r"^ *\d+\.\d+ +\d+\.\d+ +child .*pivot-root", text, re.M), "no trace"
    last = text[text.index(f"line {len(lines) - 2}: "):]
    assert re.search(r'run "fourth": .*"/proc/self".*config\.json /mounts/0', last, re.S)


def in_the_box(place, lines):
    """What these lines print, beside a small system in /tmp/box/rootfs."""
    (BOX / "rootfs/bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", BOX / "rootfs/bin")
    (BOX / "rootfs/bin/sh").symlink_to("busybox")
    script = f"export PATH={place}/build:$PATH; cd {BOX}\n" + "".join(f"{line}\n" for line in lines)
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_there_and_back(place):
    """From a directory to an image, a container, and an image of that."""
    [lines] = tour("There and back")
    done = in_the_box(place, lines)
    digest = "sha256:[0-9a-f]{64}\n"
    assert re.fullmatch(digest + "D /bin/sh\nA /etc\nA /etc/motd\n".replace("D /bin", "C /bin\nD /bin") + digest + "hello\n(.+\n)+",
                        done.stdout), done.stdout
    assert re.findall(r"localhost/(?:box|mine):latest", done.stdout.partition("hello")[2])


def test_in_the_background(place):
    [there], [lines] = tour("There and back"), tour("In the background")
    place_and_image = [line for line in there if line.startswith(("export", "tare import"))]
    out = in_the_box(place, [*place_and_image, *lines]).stdout
    assert re.search(r"Up .* sixth\n", out) and "/bin/busybox ps" in out and "\ntick\n" in out
    assert re.search(r"^sixth\n.*SIGKILL.*\n(.*\n)*sixth\n$", out, re.M), out


def test_make_run_shows_both_sides(tmp):
    """What `make run` calls: the container's and the host's answers side by side, its limits, and what to try next."""
    program = tmp / "build/tare-oci"
    program.parent.mkdir()
    for other in programs():
        shutil.copy(other, program.parent)
    done = subprocess.run([REPO / "tools/demo", program], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    # The machine's limit of open files may be lower than the default, which is said.
    assert done.returncode == 0 and all("files open" in line for line in done.stderr.splitlines()), done.stderr
    row = re.compile(r"^(.{16}) (.{28}) (.*)$", re.M)
    rows = {label.strip(): (inside.strip(), outside.strip()) for label, inside, outside in row.findall(done.stdout)}
    assert rows["host name"] == ("first", os.uname().nodename)
    assert rows["process 1"][0] == "sh /look"
    assert 0 < int(rows["processes"][0]) < 10 < int(rows["processes"][1])
    assert int(rows["mounts"][0]) > 10 < int(rows["mounts"][1])
    assert int(rows["capabilities"][0].split()[0]) < int(rows["capabilities"][1].split()[0])
    assert rows["seccomp filter"] == ("on", "off")
    assert rows["/etc"] == ("read-only", "writable")
    assert "memory 67108864 bytes, cpu 50000 us of each 100000, 20 processes\n" in done.stdout
    assert "\nC /etc\nA /etc/motd\nD /look\n" in done.stdout and "\n$ tare run --rm mine cat /etc/motd\nhello\n" in done.stdout
    shown = f"{program} explain --bundle {program.parent}/first | less"
    assert f"\n    {shown}\n" in done.stdout
    explained = subprocess.run(shown.removesuffix(" | less").split(), capture_output=True, text=True, check=True)
    assert "pivot_root" in explained.stdout
    last = done.stdout.splitlines()[-1].strip().removesuffix(" | less").split()
    last[1:1] = ["--runroot", str(tmp / "run")]
    explained = subprocess.run(last, capture_output=True, text=True, check=True)
    assert "mount-overlay" in explained.stdout and "pivot_root" in explained.stdout
