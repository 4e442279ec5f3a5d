# SPDX-License-Identifier: GPL-2.0-or-later
"""
Odd and hostile layers, the same bytes each time. cases() yields a Case for each: what it is called, its bytes, and what must come of
it: what GNU tar or umoci makes of the same bytes, or an error with these words.
"""

import bz2
import gzip
import io
import lzma
import random
import subprocess
import tarfile
import zlib
from dataclasses import dataclass

GNU_TAR, UMOCI = "GNU tar", "umoci"
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
CLOCK = 1_600_000_000


@dataclass
class Case:
    name: str
    data: bytes
    oracle: str = GNU_TAR  # or None: it is refused
    tar: bytes = None      # uncompressed; None: data itself
    words: tuple = ()      # of the refusal
    lower: bytes = None    # a layer below it; both are seen through an overlay


class Tar:
    def __init__(self, form="pax"):
        self.file = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.file, mode="w", format=FORMATS[form], encoding="utf-8", errors="surrogateescape")
        self.clock = CLOCK

    def add(self, name, data=None, type=None, mode=None, link="", uid=0, gid=0, mtime=None, pax=None, device=(0, 0)):
        """One entry: a directory unless there is data or a type. Names are written as they are given."""
        info = tarfile.TarInfo("x")
        info.name = name
        info.type = type or (tarfile.DIRTYPE if data is None else tarfile.REGTYPE)
        info.mode = mode if mode is not None else (0o755 if info.type == tarfile.DIRTYPE else 0o644)
        info.linkname, info.uid, info.gid = link, uid, gid
        info.mtime = self.clock if mtime is None else mtime
        info.devmajor, info.devminor = device
        info.pax_headers = pax or {}
        data = data.encode() if isinstance(data, str) else data or b""
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def link(self, name, target, **kw):
        return self.add(name, type=tarfile.SYMTYPE, link=target, mode=0o777, **kw)

    def hard(self, name, target):
        return self.add(name, type=tarfile.LNKTYPE, link=target)

    def bytes(self):
        self.tar.close()
        return self.file.getvalue()


def header(name, size=0, type=b"0", mode=0o644, mtime=CLOCK, magic=b"ustar\x0000", **fields):
    """One header by hand: fields are (offset, bytes) by any name."""
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108] = b"%07o\0" % mode
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = b"%011o\0" % size
    block[136:148] = b"%011o\0" % mtime
    block[156:157] = type
    block[257:265] = magic
    for offset, value in fields.values():
        block[offset:offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


END = bytes(1024)


# ---- what every format can say -------------------------------------------------------------------------------------------


def plain_features(t, form):
    """(name, Tar) for one format; `t` makes an empty Tar."""
    yield "modes", t().add("f0", "x", mode=0).add("f1777", "x", mode=0o1777).add("f4755", "x", mode=0o4755).add(
        "f2755", "x", mode=0o2755).add("f6711", "x", mode=0o6711).add("f444", "x", mode=0o444)
    yield "empty file", t().add("empty", "")
    yield "sizes around a block", t().add("a", "x" * 511).add("b", "x" * 512).add("c", "x" * 513)
    yield "a large file", t().add("large", bytes(range(256)) * 12000)
    yield "directories", t().add("d", mode=0o700).add("d/sticky", mode=0o1777).add("d/setgid", mode=0o2775).add("d/none", mode=0)
    yield "a directory after what is in it", t().add("d/f", "x").add("d", mode=0o500, mtime=5)
    yield "a directory twice", t().add("d", mode=0o700).add("d/f", "x").add("d", mode=0o755, mtime=7)
    yield "missing parents", t().add("a/b/c/d", "x")
    yield "relative links", t().add("d").add("d/f", "x").link("l", "d/f").link("d/up", "../d").link("dangling", "nowhere/at/all")
    yield "absolute links", t().link("l", "/etc/passwd").link("m", "/")
    yield "a link of 100 bytes", t().link("l", "t" * 100)
    yield "a chain of hard links", t().add("a", "x").hard("b", "a").hard("c", "b").hard("d/e", "a")
    yield "a hard link to a link", t().link("l", "target").hard("m", "l")
    yield "a pipe", t().add("pipe", type=tarfile.FIFOTYPE, mode=0o622)
    yield "devices", t().add("null", type=tarfile.CHRTYPE, device=(1, 3), mode=0o666).add("disk", type=tarfile.BLKTYPE, device=(7, 200), mode=0o660)
    yield "owners", t().add("f", "x", uid=1000, gid=2000).add("d", uid=65534, gid=65534).link("l", "x", uid=5, gid=6)
    yield "a name of 100 bytes", t().add("n" * 100, "x")
    yield "a path of 250 bytes", t().add("p" * 99 + "/" + "q" * 49 + "/" + "r" * 99, "x")
    yield "names in UTF-8", t().add("grüße", "x").add("日本語", "x").link("ñ", "grüße")
    yield "odd names", t().add("a b\tc", "x").add("-dash", "x").add("*?[x]", "x").add("back\\slash", "x").add("new\nline", "x").add(" ", "x").add("...", "x")
    yield "dots in the middle", t().add("./d").add("./d/./f", "x").add("d//g", "x")
    yield "absolute names", t().add("/abs/f", "x")
    yield "times", t().add("epoch", "x", mtime=0).add("late", "x", mtime=2**33 - 1).add("d", mtime=12345)
    yield "a file twice", t().add("f", "first").add("f", "second, longer")
    yield "a file in place of a link", t().link("f", "elsewhere").add("f", "x")
    yield "a link in place of a file", t().add("f", "x").link("f", "elsewhere")
    yield "through a link to a directory", t().add("d").link("l", "d").add("l/f", "x")
    if form != "ustar":
        yield "a name of 240 bytes", t().add("n" * 240, "x")
        yield "a path of 2,000 bytes", t().add("/".join(["d" * 99] * 20), "x")
        yield "a link of 1,000 bytes", t().link("l", "/".join(["t" * 99] * 10))
        yield "large ids", t().add("f", "x", uid=2**31, gid=2**32 - 2)
        yield "times before 1970", t().add("f", "x", mtime=-86400)
        yield "times beyond 33 bits", t().add("f", "x", mtime=2**33 + 5)
    if form != "pax":
        yield "names that are no UTF-8", t().add("\udcff\udcfe", "x").add("d\udc80/f", "x")


def pax_features():
    def t():
        return Tar("pax")
    yield "nanoseconds", t().add("f", "x", pax={"mtime": "1600000000.123456789"}).add("d", pax={"mtime": "1.000000001"})
    yield "attributes", t().add("f", "x", pax={"SCHILY.xattr.user.a": "1", "SCHILY.xattr.user.b": "two words"}).add("d", pax={"SCHILY.xattr.user.d": "x"})
    yield "a size in the extended header", pax_by_hand({"size": "5"}, b"f", b"hello")
    yield "a path in the extended header", pax_by_hand({"path": "renamed/f"}, b"f", b"x")
    yield "an owner in the extended header", pax_by_hand({"uid": "70000", "gid": "80000"}, b"f", b"x")
    yield "a comment", pax_by_hand({"comment": "nobody reads this"}, b"f", b"x")
    yield "a global header", Raw(header(b"g", 52, b"g") + padded(b"52 comment=0123456789012345678901234567890123456789\n") + header(b"f", 1) + padded(b"x") + END)


class Raw:
    def __init__(self, data):
        self.data = data

    def bytes(self):
        return self.data


def pax_record(key, value):
    body = f" {key}={value}\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length += 1
    return f"{length}{body}".encode()


def pax_by_hand(records, name, data, type=b"0", **fields):
    text = b"".join(pax_record(*item) for item in records.items())
    return Raw(header(b"PaxHeaders/x", len(text), b"x") + padded(text) + header(name, len(data), type, **fields) + padded(data) + END)


def by_hand():
    yield "contiguous files", Raw(header(b"f", 1, b"7") + padded(b"x") + END)
    yield "the old format", Raw(header(b"f", 1, b"\0", magic=bytes(8)) + padded(b"x") + header(b"d/", 0, b"\0", 0o755, magic=bytes(8)) + END)
    yield "no end at all", Raw(header(b"f", 1) + padded(b"x"))
    yield "one block of zeros at the end", Raw(header(b"f", 1) + padded(b"x") + bytes(512))
    yield "zeros after the end", Raw(header(b"f", 1) + padded(b"x") + bytes(20 * 512))
    yield "a name without a NUL", Raw(header(b"n" * 100, 1) + padded(b"x") + END)
    yield "prefix and name", Raw(header(b"f", 1, prefix=(345, b"a/b")) + padded(b"x") + END)
    yield "a size in base 256", Raw(header(b"f", 0, length=(124, b"\x80" + bytes(10) + b"\x03")) + padded(b"abc") + END)
    yield "an owner in base 256", Raw(header(b"f", 1, uid=(108, b"\x80\0\0\0\0\1\x11\x70")) + padded(b"x") + END)
    yield "no numbers at all", Raw(header(b"f", 1, uid=(108, bytes(8)), gid=(116, bytes(8))) + padded(b"x") + END)
    yield "an empty layer", Raw(END)
    yield "an unknown type", Raw(header(b"f", 1, b"Z") + padded(b"x") + END)
    yield "numbers with blanks", Raw(header(b"f", 1, uid=(108, b"     17 "), gid=(116, b"     21\0")) + padded(b"x") + END)


def sparse():
    """As GNU tar writes them."""
    import os
    import tempfile
    with tempfile.TemporaryDirectory() as place:
        with open(f"{place}/holes", "wb") as file:
            file.seek(1 << 20)
            file.write(b"middle")
            file.truncate(3 << 20)
        with open(f"{place}/all-hole", "wb") as file:
            file.truncate(2 << 20)
        for name in ("holes", "all-hole"):
            os.utime(f"{place}/{name}", (CLOCK, CLOCK))
        for name, words in {"old GNU": ["--format=gnu"], "pax 0.0": ["--format=pax", "--sparse-version=0.0"], "pax 0.1": ["--format=pax", "--sparse-version=0.1"],
                            "pax 1.0": ["--format=pax", "--sparse-version=1.0"]}.items():
            done = subprocess.run(["tar", "-C", place, "-cSf", "-", "--owner=0", "--group=0", *words, "holes", "all-hole"], capture_output=True, check=True)
            yield f"holes, {name}", done.stdout


# ---- compressed -----------------------------------------------------------------------------------------------------------


def gzip_with_everything(data):
    """A header with extra field, name, comment and checksum."""
    head = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\0\3" + b"\4\0abcd" + b"name\0" + b"comment\0"
    head += (zlib.crc32(head) & 0xffff).to_bytes(2, "little")
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + body.compress(data) + body.flush() + zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")


def zstd(data, *options):
    return subprocess.run(["zstd", "-qc", *options], input=data, capture_output=True, check=True).stdout


def compressed():
    data = Tar().add("f", bytes(range(256)) * 500).add("d/g", "x" * 70000).bytes()
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    yield "gzip, level 1", gzip.compress(data, 1), data
    yield "gzip, stored", gzip.compress(data, 0), data
    yield "gzip of many members", b"".join(gzip.compress(data[i:i + 1000]) for i in range(0, len(data), 1000)), data
    yield "gzip, an empty member", gzip.compress(data[:5000]) + gzip.compress(b"") + gzip.compress(data[5000:]), data
    yield "gzip with every field", gzip_with_everything(data), data
    yield "gzip, zeros after it", gzip.compress(data) + bytes(1000), data
    yield "bzip2", bz2.compress(data), data
    yield "bzip2, zeros after it", bz2.compress(data) + bytes(1000), data
    yield "xz, zeros after it", lzma.compress(data) + bytes(1000), data
    yield "bzip2 of two streams", bz2.compress(data[:50000]) + bz2.compress(data[50000:]), data
    yield "xz", lzma.compress(data), data
    yield "xz of two streams", lzma.compress(data[:50000]) + lzma.compress(data[50000:]), data
    yield "zstd", zstd(data), data
    yield "zstd, level 19, long", zstd(data, "-19", "--long=24"), data
    yield "zstd of many frames", b"".join(zstd(data[i:i + 10000]) for i in range(0, len(data), 10000)), data
    yield "zstd, frames to be skipped", skippable + zstd(data[:5000]) + skippable + zstd(data[5000:]) + skippable, data


# ---- whiteouts ------------------------------------------------------------------------------------------------------------


def whiteouts():
    """(name, lower, upper)"""
    def lower():
        return Tar().add("d").add("d/a", "lower").add("d/b", "lower").add("d/sub").add("d/sub/c", "lower").add("e").add("e/x", "lower").add("f", "lower").link("l", "d")

    for name, upper in {
            "a file goes": Tar().add("d/.wh.a", ""),
            "a directory goes": Tar().add(".wh.d", ""),
            "a link goes": Tar().add(".wh.l", ""),
            "what is not there goes": Tar().add(".wh.nothing", "").add("d/.wh.nothing", ""),
            "a directory is emptied": Tar().add("d").add("d/.wh..wh..opq", "").add("d/new", "upper"),
            "a directory is emptied after it was filled": Tar().add("d").add("d/new", "upper").add("d/.wh..wh..opq", ""),
            "a directory below is emptied": Tar().add("d/sub").add("d/sub/.wh..wh..opq", ""),
            "everything goes but one": Tar().add(".wh.d", "").add(".wh.f", "").add(".wh.l", ""),
            "a directory in place of a file": Tar().add("f").add("f/in", "upper"),
            "a file in place of a directory": Tar().add("e", "upper"),
            "a directory becomes another": Tar().add("e", mode=0o700, mtime=9).add("e/y", "upper"),
            "a file is replaced": Tar().add("f", "upper", mode=0o600, uid=7)}.items():
        yield name, lower().bytes(), upper.bytes()


# ---- what must be refused -------------------------------------------------------------------------------------------------


def hostile():
    """(name, Tar, words)"""
    dots = '".." in the name of an entry'
    for form in FORMATS:
        for name in ("../victim", "a/../../victim", "..", "/../victim", "d/.."):
            yield f"a file {name}, {form}", Tar(form).add(name, "evil"), (dots,)
            yield f"a directory {name}, {form}", Tar(form).add(name, mode=0), (dots,)
            yield f"a link {name}, {form}", Tar(form).link(name, "x"), (dots,)
            yield f"a hard link {name}, {form}", Tar(form).add("x", "1").hard(name, "x"), (dots,)
        yield f"a hard link to ../victim, {form}", Tar(form).hard("h", "../victim"), ('entry "h"', dots)
        yield f"a hard link to nothing, {form}", Tar(form).hard("h", "nothing"), ('entry "h": a hard link to "nothing"', "not in this layer")
        yield f"a hard link through a link, {form}", Tar(form).link("l", "/").hard("h", "l/etc/passwd"), ('entry "h"', "not in this layer")
        yield f"a hard link to a directory, {form}", Tar(form).add("d").hard("h", "d"), ('entry "h"', "is a directory")
        yield f"a hard link to itself, {form}", Tar(form).add("a", "x").hard("a", "a"), ("a hard link to itself",)
        yield f"a whiteout by device, {form}", Tar(form).add("w", type=tarfile.CHRTYPE), ('entry "w"', "is a whiteout to overlayfs")
        yield f"the root as a link, {form}", Tar(form).link("./", "/etc"), ("the root of a layer is a directory",)
        for name in (".wh.", ".wh..", ".wh...", "d/.wh.."):
            yield f"a whiteout {name}, {form}", Tar(form).add(name, ""), ("a whiteout of nothing",)
    yield "a path by pax alone", pax_by_hand({"path": "../victim"}, b"f", b"x"), (dots,)
    yield "a link's target by pax alone", pax_by_hand({"linkpath": "../victim"}, b"h", b"", b"1", link=(157, b"cut")), (dots,)
    yield "a prefix of dots", Raw(header(b"victim", 1, prefix=(345, b"..")) + padded(b"x") + END), (dots,)
    yield "a name that is too long", Tar().add("n" * 256, "x"), ("too long",)
    yield "a path that is too long", Tar().add("/".join(["d" * 100] * 50), "x"), ("too long",)
    yield "a size beyond the end", Raw(header(b"f", 1 << 30) + padded(b"x") + END), ('entry "f"', "can't be read")


def damaged():
    """(name, bytes): cut off or with a bit flipped, where every checksum must see it."""
    rng = random.Random(3)
    data = Tar().add("f", rng.randbytes(30000)).add("g", "x" * 30000).bytes()
    tar_end = data.rstrip(b"\0").__len__()
    for at in (1, 100, 511, 513, 1000, 20000, 30000, tar_end - 1):
        yield f"a tar cut at {at}", data[:at]
    for name, packed in {"gzip": gzip.compress(data), "bzip2": bz2.compress(data), "xz": lzma.compress(data), "zstd": zstd(data, "--check")}.items():
        for part in (0.001, 0.1, 0.5, 0.9, 0.999):
            yield f"{name} cut at {part}", packed[:max(12, int(len(packed) * part))]
        for part in (0.05, 0.3, 0.5, 0.7, 0.95):
            broken = bytearray(packed)
            broken[int(len(packed) * part)] ^= 1 << rng.randrange(8)
            yield f"{name} flipped at {part}", bytes(broken)
        yield f"{name} and something after it", packed + b"garbage"


def cases():
    for form in FORMATS:
        for name, tar in plain_features(lambda form=form: Tar(form), form):
            yield Case(f"{name}, {form}", tar.bytes())
    for name, tar in [*pax_features(), *by_hand()]:
        yield Case(name, tar.bytes())
    for name, data in sparse():
        yield Case(name, data)
    for name, data, tar in compressed():
        yield Case(name, data, tar=tar)
    for name, lower, upper in whiteouts():
        yield Case(name, upper, oracle=UMOCI, lower=lower)
    for name, tar, words in hostile():
        yield Case(name, tar.bytes(), oracle=None, words=words)
    for name, data in damaged():
        yield Case(name, data, oracle=None)
