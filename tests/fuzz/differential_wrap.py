"""Gives a module other exports, so that a run of all of them shows all that it computed.

Each exported function gets wrappers that call it with edge-case arguments and give its results as
exact bits: floats as integers (NaNs as a class, quiet or not, unless all bits are wanted),
references as null or not. At the
end stand the mutable globals and a hash of memory. Functions are only appended: no index moves.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "hostile"))
import wasm  # noqa: E402

LETTER_OF = {byte: letter for letter, byte in wasm.LETTERS.items()}
CALLS_EACH = 2  # of a function with parameters
HASHED_BYTES = 2048  # at either end of memory
HANG_LIMIT = b"hangLimitInitializer"  # exported by wasm-opt -ttf: to be called again and again

INTS = [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 32767, 32768, 65535,
        65536, 65528, 65520, 131072, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
        0x7f800000, 0x7f800001, 0x7fc00000, 0xff800000, 0x3f800000, 0xdeadbeef]
LONGS = INTS + [0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0xffffffffffffffff,
                0x100000000, 0xffffffff00000000, 0x7ff0000000000000, 0x7ff0000000000001,
                0x7ff8000000000000, 0x3ff0000000000000, 0x43e0000000000000, 0x0123456789abcdef]
# 0, 1, -0, halves, the edges of every conversion to an integer, subnormals, inf, NaNs.
FLOATS = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x3effffff, 0x3fc00000,
          0xc0200000, 0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000, 0xcf000000, 0xcf000001,
          0x5effffff, 0x5f000000, 0xdf000000, 0x5f7fffff, 0x5f800000, 0xbf7fffff, 0x00000001,
          0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000,
          0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345, 0x4b000001, 0x4b7fffff, 0x40490fdb]
DOUBLES = [0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x3fe0000000000000,
           0x3fdfffffffffffff, 0x3ff8000000000000, 0xc004000000000000, 0x41dfffffffc00000,
           0x41e0000000000000, 0x41efffffffe00000, 0x41f0000000000000, 0xc1e0000000000000,
           0xc1e0000000200000, 0x43dfffffffffffff, 0x43e0000000000000, 0xc3e0000000000000,
           0x43efffffffffffff, 0x43f0000000000000, 0xbfefffffffffffff, 1, (1 << 63) | 1,
           0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x47efffffe0000000,
           0x47effffff0000000, 0x36a0000000000000, 0x7ff0000000000000, 0xfff0000000000000,
           0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001, 0xfff4000000000123,
           0x4330000000000001, 0x400921fb54442d18]


def constant(rng, letter):
    """An expression; integers and lanes are edge cases or random."""
    if letter == "i":
        return wasm.i32(rng.choice(INTS) if rng.random() < 0.8 else rng.getrandbits(32))
    if letter == "I":
        return wasm.i64(rng.choice(LONGS) if rng.random() < 0.8 else rng.getrandbits(64))
    if letter == "f":
        return wasm.f32(rng.choice(FLOATS) if rng.random() < 0.8 else rng.getrandbits(32))
    if letter == "d":
        return wasm.f64(rng.choice(DOUBLES) if rng.random() < 0.8 else rng.getrandbits(64))
    if letter == "v":
        return wasm.v128(vector_bytes(rng))
    return wasm.op("ref.null", bytes([wasm.LETTERS[letter]]))


def vector_bytes(rng):
    width, pool = rng.choice([(1, INTS), (2, INTS), (4, INTS), (8, LONGS), (4, FLOATS),
                              (8, DOUBLES)])
    lanes = [rng.choice(pool) if rng.random() < 0.8 else rng.getrandbits(8 * width)
             for _ in range(16 // width)]
    return b"".join((n & ((1 << 8 * width) - 1)).to_bytes(width, "little") for n in lanes)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def leb(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def name(self):
        return self.take(self.leb())

    def limits(self):
        if self.byte() & 1:
            self.leb()
        self.leb()

    def done(self):
        return self.at >= len(self.data)


class Parsed:
    """As much of a module as wrappers need; sections stay bytes."""

    def __init__(self, data):
        self.sections = {}
        self.order = []
        r = Reader(data)
        r.take(8)
        while not r.done():
            number = r.byte()
            body = r.take(r.leb())
            if number:  # custom ones are left out
                self.sections[number] = body
        self.types = self.read(1, self.read_type)
        self.func_types, self.memories, self.globals = [], 0, []
        self.read(2, self.read_import)
        self.func_types += self.read(3, Reader.leb)
        self.memories += len(self.read(5, Reader.limits))
        self.read_globals()
        self.exports = self.read(7, lambda r: (r.name(), r.byte(), r.leb()))

    def read(self, number, entry):
        r = Reader(self.sections.get(number, b"\0"))
        return [entry(r) for _ in range(r.leb())]

    def read_type(self, r):
        r.byte()
        params = "".join(LETTER_OF[b] for b in r.take(r.leb()))
        return params, "".join(LETTER_OF[b] for b in r.take(r.leb()))

    def read_import(self, r):
        r.name(), r.name()
        kind = r.byte()
        if kind == wasm.FUNC:
            self.func_types.append(r.leb())
        elif kind == wasm.TABLE:
            r.byte(), r.limits()
        elif kind == wasm.MEMORY:
            r.limits()
            self.memories += 1
        else:
            self.globals.append((LETTER_OF[r.byte()], r.byte()))

    def read_globals(self):
        """Initial values are constants, global.get, ref.null or ref.func."""
        r = Reader(self.sections.get(6, b"\0"))
        for _ in range(r.leb()):
            self.globals.append((LETTER_OF[r.byte()], r.byte()))
            code = r.byte()
            if code == 0xfd:
                r.leb(), r.take(16)
            elif code in (0x43, 0x44):
                r.take(4 if code == 0x43 else 8)
            else:
                r.leb()
            r.byte()


def exact(letter, local, all_bits=False):
    """Code that gives the local's bits, and the letter of what it gives."""
    value = wasm.get(local)
    if all_bits and letter in "fd":
        shown = {"f": "i32.reinterpret_f32", "d": "i64.reinterpret_f64"}[letter]
        return value + wasm.op(shown), {"f": "i", "d": "I"}[letter]
    if letter == "f":
        return (nan_class(wasm.op("i32.reinterpret_f32"), wasm.i32(0x7fc00000), "f32.ne", "i32.and",
                          value), "i")
    if letter == "d":
        return (nan_class(wasm.op("i64.reinterpret_f64"), wasm.i64(0x7ff8 << 48), "f64.ne",
                          "i64.and", value), "I")
    if letter in "re":
        return value + wasm.op("ref.is_null"), "i"
    return value, letter


def nan_class(bits, quiet, ne, both, value):
    return (value + bits + quiet + wasm.op(both) + value + bits + value + value + wasm.op(ne) +
            wasm.SELECT)


def hash_memory():
    """() -> i64; locals: i32 address, i32 end, i64 hash."""
    at, end, total = 0, 1, 2
    mixed = (wasm.get(total) + wasm.i64(5) + wasm.op("i64.rotl") + wasm.get(at) +
             wasm.memop("i64.load") + wasm.op("i64.xor") + wasm.i64(0x9e3779b97f4a7c15) +
             wasm.op("i64.mul") + wasm.put(total))
    step = wasm.get(at) + wasm.i32(8) + wasm.op("i32.add") + wasm.tee(at)
    part = wasm.loop(mixed + step + wasm.get(end) + wasm.op("i32.ne") + wasm.br_if(0))
    size = wasm.op("memory.size", b"\0") + wasm.i32(16) + wasm.op("i32.shl")
    first = wasm.i32(HASHED_BYTES) + wasm.put(end) + part
    last = (size + wasm.put(end) + wasm.get(end) + wasm.i32(HASHED_BYTES) + wasm.op("i32.sub") +
            wasm.put(at) + part)
    body = wasm.if_(first + last)
    return wasm.op("memory.size", b"\0") + body + wasm.get(total)


class Wrapped(wasm.Module):
    """Collects what is appended to a parsed module."""

    def __init__(self, parsed, all_bits):
        super().__init__()
        self.parsed = parsed
        self.all_bits = all_bits
        for params, results in parsed.types:  # the first of equal ones
            self.type_index.setdefault(params + ">" + results, len(self.types))
            self.types.append(None)
        self.imported[wasm.FUNC] = len(parsed.func_types)

    def appended(self, number, entries):
        r = Reader(self.parsed.sections.get(number, b"\0"))
        count = r.leb()
        return wasm.leb(count + len(entries)) + r.data[r.at:] + b"".join(entries)

    def encode(self):
        new = dict(self.parsed.sections)
        new[1] = self.appended(1, self.types[len(self.parsed.types):])
        new[3] = self.appended(3, [wasm.leb(t) for t, _ in self.funcs])
        new[7] = wasm.vector(self.exports)
        new[10] = self.appended(10, [wasm.leb(len(b)) + b for _, b in self.funcs])
        order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
        return b"\0asm\1\0\0\0" + b"".join(wasm.section(n, new[n]) for n in order if n in new)


def add_call(out, rng, label, index, before):
    params, results = out.parsed.types[out.parsed.func_types[index]]
    code = before + b"".join(constant(rng, p) for p in params) + wasm.call(index)
    code += b"".join(wasm.put(i) for i in reversed(range(len(results))))
    shown = [exact(letter, i, out.all_bits) for i, letter in enumerate(results)]
    out.func(code + b"".join(c for c, _ in shown), "", "".join(t for _, t in shown), results,
             export=label)


def add_globals(out):
    """All in one function: compilers take their time for each."""
    count = len(out.parsed.globals)
    if not 0 < count <= 1000:
        return
    letters = "".join(letter for letter, _ in out.parsed.globals)
    code = b"".join(wasm.op("global.get", i) + wasm.put(i) for i in range(count))
    shown = [exact(letter, i, out.all_bits) for i, letter in enumerate(letters)]
    out.func(code + b"".join(c for c, _ in shown), "", "".join(t for _, t in shown), letters,
             export="globals")


def wrap(data, rng, all_bits=False):
    parsed = Parsed(data)
    out = Wrapped(parsed, all_bits)
    functions = [(name, index) for name, kind, index in parsed.exports if kind == wasm.FUNC]
    again = b"".join(wasm.call(index) for name, index in functions if name == HANG_LIMIT)
    for name, index in functions:
        if name == HANG_LIMIT:
            continue
        has_params = bool(parsed.types[parsed.func_types[index]][0])
        for k in range(CALLS_EACH if has_params else 1):
            add_call(out, rng, name + (b"#%d" % k if has_params else b""), index, again)
    add_globals(out)
    if parsed.memories:
        out.func(hash_memory(), "", "I", "iiI", export="memory hash")
    return out.encode()
