"""Takes the choice from instructions wherever WebAssembly leaves one: which NaN arithmetic gives.

Behind every arithmetic instruction on floats, scalar or vector, code is put in. Either it gives a
NaN without sign and payload: a quiet one becomes the canonical NaN, a signalling one infinity. Or it
makes every NaN the canonical one, as a deterministic translation must by itself.
"""
import wasm
from differential_wrap import Parsed, Reader, exact

WORDS = ("add", "sub", "mul", "div", "sqrt", "min", "max", "ceil", "floor", "trunc", "nearest",
         "demote_f64", "promote_f32", "demote_f64x2_zero", "promote_low_f32x4")
QUIET = {"f32x4": (0x7fc00000).to_bytes(4, "little") * 4,
         "f64x2": (0x7ff8 << 48).to_bytes(8, "little") * 2}
BY_CODE = {op.bytes: op for op in wasm.OPS.values()}


def gives_any_nan(op):
    shape, _, word = op.text.partition(".")
    return shape in ("f32", "f64", "f32x4", "f64x2") and word in WORDS


def canonical(op, local):
    """What to put behind op to the same end as in a deterministic translation."""
    value = wasm.get(local)
    if op.results in "fd":
        t = {"f": "f32", "d": "f64"}[op.results]
        nan = wasm.f32(0x7fc00000) if t == "f32" else wasm.f64(0x7ff8 << 48)
        return wasm.put(local) + nan + value + value + value + wasm.op(t + ".ne") + wasm.SELECT
    shape = op.text.partition(".")[0]
    return (wasm.put(local) + wasm.v128(QUIET[shape]) + value + value + value +
            wasm.op(shape + ".ne") + wasm.op("v128.bitselect"))


def reduction(op, local):
    """What to put behind op; local is a spare one of its result's type."""
    if op.results in "fd":
        bits, shown = exact(op.results, local)
        back = "f32.reinterpret_i32" if shown == "i" else "f64.reinterpret_i64"
        return wasm.put(local) + bits + wasm.op(back)
    shape = op.text.partition(".")[0]
    value = wasm.get(local)
    return (wasm.tee(local) + wasm.v128(QUIET[shape]) + wasm.op("v128.and") + value + value +
            value + wasm.op(shape + ".ne") + wasm.op("v128.bitselect"))


def skip_immediate(r, kind):
    lebs = {"LABEL": 1, "FUNC": 1, "CALL_INDIRECT": 2, "LOCAL": 1, "GLOBAL": 1, "TABLE": 1,
            "MEMARG": 2, "MEMARG_LANE": 2, "MEMORY": 1, "I32": 1, "I64": 1, "BLOCK": 1,
            "MEMORY_INIT": 2, "DATA": 1, "MEMORY_COPY": 2, "TABLE_INIT": 2, "ELEM": 1,
            "TABLE_COPY": 2}
    raw = {"F32": 4, "F64": 8, "V128": 16, "SHUFFLE": 16, "LANE": 1, "MEMARG_LANE": 1,
           "REFTYPE": 1}
    for _ in range(lebs.get(kind, 0)):
        r.leb()
    if kind == "LABELS":
        for _ in range(r.leb() + 1):
            r.leb()
    elif kind == "SELECT_T":
        r.take(r.leb())
    r.take(raw.get(kind, 0))


def read_op(r):
    start = r.at
    if r.byte() in (0xfc, 0xfd):
        r.leb()
    op = BY_CODE[r.data[start:r.at]]
    skip_immediate(r, op.immediate)
    return op, r.data[start:r.at]


def reduce_body(body, param_count, replacement):
    """A function's body with spare locals behind its own."""
    r = Reader(body)
    runs = [(r.leb(), r.byte()) for _ in range(r.leb())]
    local_count = param_count + sum(n for n, _ in runs)
    spare, code = {}, []
    while not r.done():
        op, text = read_op(r)
        code.append(text)
        if gives_any_nan(op):
            local = spare.setdefault(op.results, local_count + len(spare))
            code.append(replacement(op, local))
    runs += [(1, wasm.LETTERS[letter]) for letter in spare]
    return wasm.vector(wasm.leb(n) + bytes([t]) for n, t in runs) + b"".join(code)


def reduce_module(data, replacement=reduction):
    parsed = Parsed(data)
    count = len(parsed.read(3, Reader.leb))
    types = parsed.func_types[len(parsed.func_types) - count:]
    bodies = parsed.read(10, lambda r: r.take(r.leb()))
    reduced = [reduce_body(body, len(parsed.types[t][0]), replacement)
               for body, t in zip(bodies, types)]
    sections = dict(parsed.sections)
    if bodies:
        sections[10] = wasm.vector(wasm.leb(len(b)) + b for b in reduced)
    order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
    return b"\0asm\1\0\0\0" + b"".join(wasm.section(n, sections[n]) for n in order if n in sections)
