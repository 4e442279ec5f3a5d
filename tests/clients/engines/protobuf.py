# SPDX-License-Identifier: GPL-2.0-or-later
"""
As much of protobuf's wire format as CRI's messages need. A message is a list of (field number, value) pairs: numbers,
texts, and messages in it are lists again. Read back it is {field number: [values]}, each value a number or bytes.
"""


def varint(number):
    """A number in groups of seven bits, the lowest first. A negative one has the 64 bits of its two's complement."""
    number &= (1 << 64) - 1
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(parts + bytes([number]))


def encode(message):
    parts = bytearray()
    for field, value in message:
        if isinstance(value, int):
            parts += varint(field << 3) + varint(value)
            continue
        data = value.encode() if isinstance(value, str) else encode(value)
        parts += varint(field << 3 | 2) + varint(len(data)) + data
    return bytes(parts)


def read_varint(data, at):
    """A number and where the next thing begins."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def decode(data):
    message, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = read_varint(data, at)
        elif wire == 2:
            length, at = read_varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            size = {1: 8, 5: 4}[wire]
            value, at = int.from_bytes(data[at:at + size], "little"), at + size
        message.setdefault(field, []).append(value)
    return message


def first(message, *path, default=b""):
    """Follow field numbers into the first value of each: first(answer, 1, 3)."""
    for number in path[:-1]:
        message = decode(message.get(number, [b""])[0])
    return message.get(path[-1], [default])[0]
