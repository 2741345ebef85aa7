"""A small writer of WebAssembly modules: what the hostile modules and the fuzzers are made with.

Code is bytes: `i32(5) + op("i32.load") ...`. Names and encodings of instructions are read from
src/wasm/opcodes.h, so that every instruction there is at hand.
"""
import pathlib
import re
import struct

I32, I64, F32, F64, V128, FUNCREF, EXTERNREF = 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f
LETTERS = {"i": I32, "I": I64, "f": F32, "d": F64, "v": V128, "r": FUNCREF, "e": EXTERNREF}
NONE = 0x40  # type of a block without values
FUNC, TABLE, MEMORY, GLOBAL = 0, 1, 2, 3
WASI = "wasi_snapshot_preview1"

OPCODES_H = pathlib.Path(__file__).resolve().parents[2] / "src" / "wasm" / "opcodes.h"


def leb(n):
    """Unsigned."""
    out = bytearray()
    while True:
        byte, n = n & 127, n >> 7
        out.append(byte | (128 if n else 0))
        if not n:
            return bytes(out)


def sleb(n):
    out = bytearray()
    while True:
        byte, n = n & 127, n >> 7
        done = (n == 0 and not byte & 64) or (n == -1 and byte & 64)
        out.append(byte | (0 if done else 128))
        if done:
            return bytes(out)


def vector(items):
    items = list(items)
    return leb(len(items)) + b"".join(items)


def name(text):
    data = text.encode() if isinstance(text, str) else text
    return leb(len(data)) + data


class Op:
    def __init__(self, prefix, code, text, immediate, signature, access):
        self.text, self.immediate, self.access = text, immediate, access
        self.params, _, self.results = signature.partition(">")
        self.typed = bool(signature)  # else: types depend on context
        self.bytes = bytes([code]) if not prefix else bytes([prefix]) + leb(code)


def read_ops():
    row = re.compile(r'X\(\w+, (0x\w+), (0x\w+), "([^"]+)", (\w+), "([^"]*)", (\d+)\)')
    rows = row.findall(OPCODES_H.read_text())
    return {text: Op(int(prefix, 16), int(code, 16), text, immediate, signature, int(access))
            for prefix, code, text, immediate, signature, access in rows}


OPS = read_ops()


def op(text, *immediates):
    """An instruction; immediates are unsigned numbers, or bytes as they are."""
    return OPS[text].bytes + b"".join(x if isinstance(x, bytes) else leb(x) for x in immediates)


def memop(text, offset=0, align=0, lane=None):
    out = OPS[text].bytes + leb(align) + leb(offset)
    return out if lane is None else out + bytes([lane])


def i32(n):
    n &= 0xffffffff
    return b"\x41" + sleb(n - (1 << 32) if n >> 31 else n)


def i64(n):
    n &= 0xffffffffffffffff
    return b"\x42" + sleb(n - (1 << 64) if n >> 63 else n)


def f32(x):
    return b"\x43" + (struct.pack("<f", x) if isinstance(x, float) else struct.pack("<I", x))


def f64(x):
    return b"\x44" + (struct.pack("<d", x) if isinstance(x, float) else struct.pack("<Q", x))


def v128(data):
    return OPS["v128.const"].bytes + data


UNREACHABLE, NOP, ELSE, END, RETURN, DROP, SELECT = (
    b"\0", b"\1", b"\5", b"\x0b", b"\x0f", b"\x1a", b"\x1b")


def block(body, kind=bytes([NONE])):
    return b"\2" + kind + body + END


def loop(body, kind=bytes([NONE])):
    return b"\3" + kind + body + END


def if_(body, otherwise=None, kind=bytes([NONE])):
    return b"\4" + kind + body + (ELSE + otherwise if otherwise is not None else b"") + END


def get(n):
    return b"\x20" + leb(n)


def put(n):
    return b"\x21" + leb(n)


def tee(n):
    return b"\x22" + leb(n)


def br(n):
    return b"\x0c" + leb(n)


def br_if(n):
    return b"\x0d" + leb(n)


def br_table(labels, otherwise):
    return b"\x0e" + vector(map(leb, labels)) + leb(otherwise)


def call(n):
    return b"\x10" + leb(n)


def call_indirect(kind, table=0):
    return b"\x11" + leb(kind) + leb(table)


class Module:
    """Parts in any order; imports before functions."""

    def __init__(self):
        self.types, self.type_index = [], {}
        self.imports, self.funcs, self.tables, self.memory, self.globals = [], [], [], None, []
        self.exports, self.start, self.elems, self.datas = [], None, [], []
        self.names, self.customs = {}, []
        self.imported = {FUNC: 0, TABLE: 0, MEMORY: 0, GLOBAL: 0}
        self.data_count = False

    def type(self, params="", results=""):
        """The index of a signature, in letters."""
        key = params + ">" + results
        if key not in self.type_index:
            self.type_index[key] = len(self.types)
            self.types.append(b"\x60" + vector(bytes([LETTERS[c]]) for c in params) +
                              vector(bytes([LETTERS[c]]) for c in results))
        return self.type_index[key]

    def import_(self, module, field, kind, description):
        self.imports.append(name(module) + name(field) + bytes([kind]) + description)
        self.imported[kind] += 1
        return self.imported[kind] - 1

    def import_func(self, module, field, params="", results=""):
        return self.import_(module, field, FUNC, leb(self.type(params, results)))

    def wasi(self, field, params, results="i"):
        return self.import_func(WASI, field, params, results)

    def func(self, code, params="", results="", locals_="", export=None, called=None):
        """locals_ are letters, or (count, letter) pairs; `end` is added."""
        runs = [(1, c) for c in locals_] if isinstance(locals_, str) else locals_
        body = vector(leb(n) + bytes([LETTERS[c]]) for n, c in runs) + code + END
        index = self.imported[FUNC] + len(self.funcs)
        self.funcs.append((self.type(params, results), body))
        if export is not None:
            self.export(export, FUNC, index)
        if called is not None:
            self.names[index] = called
        return index

    def next_func(self):
        return self.imported[FUNC] + len(self.funcs)

    def export(self, text, kind, index):
        self.exports.append(name(text) + bytes([kind]) + leb(index))

    def set_memory(self, least, most=None, export="memory"):
        self.memory = limits(least, most)
        if export is not None:
            self.export(export, MEMORY, 0)

    def table(self, least, most=None, kind=FUNCREF):
        self.tables.append(bytes([kind]) + limits(least, most))
        return self.imported[TABLE] + len(self.tables) - 1

    def global_(self, letter, init, mutable=True):
        self.globals.append(bytes([LETTERS[letter], mutable]) + init + END)
        return self.imported[GLOBAL] + len(self.globals) - 1

    def elem(self, at, funcs, table=0):
        """Active; at is a constant expression."""
        self.elems.append(b"\2" + leb(table) + at + END + b"\0" + vector(map(leb, funcs)))
        return len(self.elems) - 1

    def passive_elem(self, funcs):
        self.elems.append(b"\1\0" + vector(map(leb, funcs)))
        return len(self.elems) - 1

    def data(self, at, data):
        self.datas.append(b"\0" + at + END + leb(len(data)) + data)
        return len(self.datas) - 1

    def passive_data(self, data):
        self.data_count = True
        self.datas.append(b"\1" + leb(len(data)) + data)
        return len(self.datas) - 1

    def custom(self, text, data):
        self.customs.append(section(0, name(text) + data))

    def name_section(self):
        if not self.names:
            return b""
        entries = vector(leb(i) + name(self.names[i]) for i in sorted(self.names))
        return section(0, name("name") + b"\1" + leb(len(entries)) + entries)

    def encode(self):
        parts = [
            (1, self.types), (2, self.imports), (3, [leb(t) for t, _ in self.funcs]),
            (4, self.tables), (5, [self.memory] if self.memory is not None else []),
            (6, self.globals), (7, self.exports)]
        out = [b"\0asm\1\0\0\0"] + [section(n, vector(items)) for n, items in parts if items]
        if self.start is not None:
            out.append(section(8, leb(self.start)))
        if self.elems:
            out.append(section(9, vector(self.elems)))
        if self.data_count:
            out.append(section(12, leb(len(self.datas))))
        if self.funcs:
            out.append(section(10, vector(leb(len(b)) + b for _, b in self.funcs)))
        if self.datas:
            out.append(section(11, vector(self.datas)))
        return b"".join(out) + self.name_section() + b"".join(self.customs)


def limits(least, most=None):
    return b"\0" + leb(least) if most is None else b"\1" + leb(least) + leb(most)


def section(number, body):
    return bytes([number]) + leb(len(body)) + body
