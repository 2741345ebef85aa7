"""Records (src/wire/record.h) as data, for tests that look into them or forge them."""
import struct

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                      0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
HEADER = 16
START, MODULE, CALL, END = 1, 2, 3, 4


def rotate(value, by):
    return (value << by | value >> (64 - by)) & MASK


def turn(lane, data):
    return rotate((lane + data * P2) & MASK, 31) * P1 & MASK


def xxh64(data, seed=0):
    at = 0
    if len(data) >= 32:
        lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while at + 32 <= len(data):
            lanes = [turn(a, b) for a, b in zip(lanes, struct.unpack_from("<4Q", data, at))]
            at += 32
        value = sum(rotate(a, by) for a, by in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            value = ((value ^ turn(0, lane)) * P1 + P4) & MASK
    else:
        value = (seed + P5) & MASK
    value = (value + len(data)) & MASK
    while at + 8 <= len(data):
        value ^= turn(0, struct.unpack_from("<Q", data, at)[0])
        value = (rotate(value, 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(data):
        value ^= struct.unpack_from("<I", data, at)[0] * P1 & MASK
        value = (rotate(value, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        value = rotate(value ^ byte * P5 & MASK, 11) * P1 & MASK
    value = (value ^ value >> 33) * P2 & MASK
    value = (value ^ value >> 29) * P3 & MASK
    return value ^ value >> 32


def block(kind, contents):
    rest = struct.pack("<IQQ", kind, len(contents), xxh64(contents, kind))
    return (rest[:4] + struct.pack("<I", xxh64(rest) & 0xffffffff) + rest[4:] + contents)


class Record:
    """Header and blocks; each block is [kind, contents]."""

    def __init__(self, data):
        self.header, self.blocks, at = data[:HEADER], [], HEADER
        self.ends = []  # offsets behind each block
        while at < len(data):
            kind, _, size, _ = struct.unpack_from("<IIQQ", data, at)
            self.blocks.append([kind, data[at + 24:at + 24 + size]])
            at += 24 + size
            self.ends.append(at)

    def bytes(self):
        return self.header + b"".join(block(kind, contents) for kind, contents in self.blocks)

    def calls(self):
        return [Call(b) for b in self.blocks if b[0] == CALL]

    def find(self, number, nth=0):
        return [c for c in self.calls() if c.number == number][nth]


class Call:
    """A view of one block: setting a member changes the block."""

    FIELDS = {"sequence": (0, "<Q"), "read_hash": (24, "<Q"), "moved": (32, "<I"),
              "number": (36, "<H"), "answer": (38, "<H"), "stream": (40, "<B"),
              "range_count": (44, "<I")}

    def __init__(self, whole):
        object.__setattr__(self, "whole", whole)

    def __getattr__(self, name):
        at, form = self.FIELDS[name]
        return struct.unpack_from(form, self.whole[1], at)[0]

    def __setattr__(self, name, value):
        at, form = self.FIELDS[name]
        self.patch(at, struct.pack(form, value))

    def patch(self, at, data):
        contents = self.whole[1]
        at %= len(contents)
        self.whole[1] = contents[:at] + data + contents[at + len(data):]

    def arg(self, i, value):
        self.patch(48 + 8 * i, struct.pack("<Q", value))
