"""Modules at the limits, and beyond: what is allowed runs, what is not is refused at once."""
import random

from shared import COMPILERS, Choice, check, ended, leave, program, refused, start
import wasm
from wasm import block, br, br_table, call, get, i32, if_, loop, memop, op, put, tee

NESTED = 9999


def locals_(s):
    last = i32(8) + put(49999) + leave(get(49999))
    ended(s.exec(start(last, locals_=[(50000, "i")])), 8)
    many = b"".join(i32(k) + memop("i32.load") + put(k) for k in range(0, 50000, 5))
    ended(s.exec(start(many + leave(get(25) + i32(3) + op("i32.add")),
                       locals_=[(50000, "i")])), 3)
    runs = [(1, "iIfdvre"[k % 7]) for k in range(50000)]
    ended(s.exec(start(leave(get(49994) + i32(1) + op("i32.add")),
                       locals_=[(1, "iIfdvrei"[k % 7]) for k in range(49994)] +
                       [(1, "i")] + runs[:5])), 1)
    refused(s.exec(start(b"", locals_=[(50001, "i")])), "too many locals", "50000")
    refused(s.exec(start(b"", locals_=[(0xffffffff, "i")] * 3)), "too many locals")
    m = program()
    m.func(b"", "i" * 1000, locals_=[(49001, "i")])
    m.func(b"", export="_start")
    refused(s.exec(m), "too many locals")


def tables(s):
    for least, what in ((0xffffffff, "too large"), (10000001, "too large")):
        m = start(b"")
        m.table(least)
        refused(s.exec(m), what)
    m = start(b"")
    for _ in range(100):
        m.table(10000000)
    refused(s.exec(m), "tables")
    m = start(b"")
    for _ in range(101):
        m.table(0)
    refused(s.exec(m), "too many tables")
    m = program()
    m.table(10000000)
    m.func(leave(i32(9999999) + op("table.get", 0) + op("ref.is_null") + i32(1) + op("i32.add")),
           export="_start")
    ended(s.exec(m), 2)


def table_growth(s):
    """To the limit; beyond it the size before is -1, and nothing has changed."""
    null = op("ref.null", b"\x70")
    until = loop(null + i32(99999) + op("table.grow", 0) + i32(-1) + op("i32.ne") + wasm.br_if(0))
    size = op("table.size", 0)
    m = program()
    m.table(0)
    m.func(until + leave(size + i32(9999900) + op("i32.eq") + null + i32(-1) +
                         op("table.grow", 0) + i32(-1) + op("i32.eq") + op("i32.add")),
           export="_start")
    ended(s.exec(m), 2)
    m = program()
    m.table(0, 7)
    m.func(null + i32(8) + op("table.grow", 0) + null + i32(7) + op("table.grow", 0) +
           op("i32.sub") + size + op("i32.add") + call(0), export="_start")
    ended(s.exec(m), 6)  # -1 - 0 + 7


def nesting(s):
    """_start's own block counts."""
    depth = NESTED - 1
    for code, after in ((b"\2\x40", b""), (b"\3\x40", b""), (i32(1) + b"\4\x40", b"")):
        ended(s.exec(start(code * depth + after + wasm.END * depth + leave(i32(2)))), 2)
        refused(s.exec(start(code * 20000 + wasm.END * 20000)), "nested too deeply")
    out = b"\2\x40" * depth + br(depth - 1) + wasm.END * depth
    ended(s.exec(start(out + leave(i32(2)))), 2)
    depth = 99999
    refused(s.exec(start(i32(1) * depth * 2 + wasm.DROP * depth * 2)), "too")


def deep_operands(s):
    count = 99000
    expected = 0
    for k in range(count):
        expected ^= k
    code = b"".join(map(i32, range(count))) + op("i32.xor") * (count - 1)
    ended(s.exec(start(leave(code)), flags="-O0"), expected & 255)
    count = 5000
    code = b"".join(get(0) + i32(k) + op("i32.add") for k in range(count))
    ended(s.exec(start(leave(code + op("i32.xor") * (count - 1)), locals_="i")), 0)


def functions(s):
    m = program()
    for k in range(20000):
        m.func(get(0) + i32(k) + op("i32.add"), "i", "i")
    m.func(leave(i32(1) + call(2 + 19999) + i32(255) + op("i32.and")), export="_start")
    ended(s.exec(m, flags="-O0"), (1 + 19999) & 255)


def branch_table(s, count, cc):
    """Through every kind of index; the function is told it as an address."""
    c = Choice(f"table-{count}-{cc}.wasm")
    code = get(0) + br_table([k % 3 for k in range(count)], 1)
    code = block(block(block(code) + leave(i32(10))) + leave(i32(11))) + leave(i32(12))
    wanted = [(0, 0), (count - 1, (count - 1) % 3), (count, 1), (0x80000000, 1), (0xffffffff, 1)]
    c.add(code, wanted[0][0])
    for index, _ in wanted[1:]:
        c.again(index)
    path = s.write(c, c.name)
    for n, (_, label) in enumerate(wanted):
        ended(c.run(s, path, n, cc=cc), 10 + label)


def branch_tables(s):
    branch_table(s, 10000, "gcc")
    if "clang" in COMPILERS:
        branch_table(s, 65520, "clang")
    refused(s.exec(start(block(i32(0) + br_table([0] * 65521, 0)))), "br_table")


def branch_tables_of_all_labels(s):
    branch_table(s, 65520, "gcc")


def fan(m, values, labels):
    """A br_table whose every label is a block of its own with so many values to move."""
    kind = wasm.sleb(m.type("", "i" * values))
    return (b"\2" + kind) * labels + b"".join(map(i32, range(values))) + i32(labels - 3) + \
        br_table(range(labels), 0) + wasm.END * labels + wasm.DROP * (values - 1) + put(0)


def branch_tables_with_values(s):
    for cc in COMPILERS:
        m = program()
        m.func(fan(m, 100, 300) + leave(get(0) + i32(2) + op("i32.add")), locals_="i",
               export="_start")
        ended(s.exec(m, cc=cc), 2)


def branch_tables_with_a_million_values(s):
    """Labels times values is what has to be written: the compiler's memory ends it."""
    m = program()
    m.func(fan(m, 1000, 9000) * 4, locals_="i", export="_start")
    r = s.exec(m)
    check(r.returncode in (0, 125), "an orderly end", r)
    check(r.returncode == 0 or r.stderr.startswith("tern: compiling "), "one clear error", r)


def signatures(s):
    for count in (999, 1000):
        m = program()
        letters = ("iIfdv" * 200)[:count]
        f = m.func(b"".join(map(get, range(count))), letters, letters)
        zeros = {"i": i32(1), "I": wasm.i64(2), "f": wasm.f32(3.0), "d": wasm.f64(4.0),
                 "v": wasm.v128(b"\5" * 16)}
        keep = wasm.DROP * (count - 1)
        m.func(b"".join(zeros[c] for c in letters) + call(f) + keep + i32(41) + op("i32.add") +
               call(0), export="_start")
        for cc in COMPILERS:
            ended(s.exec(m, cc=cc), 42)
    for params, results in (("i" * 1001, ""), ("", "i" * 1001)):
        m = start(b"")
        m.type(params, results)
        refused(s.exec(m), "too many")


def calls_indirect_with_long_types(s):
    """Types of more values than a key holds: equal ones are equal, others are not."""
    m = program()
    types = [("iIfd" * 8, "i"), ("iIfd" * 8, "I"), ("iIfd" * 7 + "iIfi", "i")]
    funcs = [m.func(i32(20 + k) if r == "i" else wasm.i64(9), p, r)
             for k, (p, r) in enumerate(types)]
    table = m.table(3)
    m.elem(i32(0), funcs, table)
    args = (i32(1) + wasm.i64(1) + wasm.f32(1.0) + wasm.f64(1.0)) * 8

    def run(k):
        return args + i32(k) + wasm.call_indirect(m.type(*types[0]), table)

    m.func(i32(0) + memop("i32.load") + if_(run(1) + wasm.DROP) + run(0) + call(0),
           export="_start")
    ended(s.exec(m), 20)
    for k in (1, 2):
        bad = program()
        bad.types, bad.type_index = m.types, m.type_index
        bad.funcs, bad.tables, bad.elems = m.funcs[:3], m.tables, m.elems
        bad.func(run(k) + wasm.DROP, export="_start")
        r = s.exec(bad)
        check(r.returncode == 134 and "type mismatch" in r.stderr, "a trap", r)


def nothing_but_nops(s):
    ended(s.exec(start(wasm.NOP * 5000000 + leave(i32(3)))), 3)
    refused(s.exec(start(wasm.NOP * 7654322)), "too large")


def memory_beyond_limits(s):
    for least, most in ((65537, None), (0xffffffff, None), (1, 65537), (2, 1)):
        m = wasm.Module()
        m.set_memory(least, most)
        m.func(b"", export="_start")
        refused(s.exec(m), "size")
    m = program(17)
    m.func(b"", export="_start")
    refused(s.exec(m, options=("--memory", "1M")), "--memory")


def empty_and_cut(s):
    """Every beginning of a module is refused, in few words."""
    whole = start(leave(i32(1))).encode()
    for size in range(len(whole)):
        r = s.exec(s.write(whole[:size]), flags="-O0")
        check(r.returncode == 126, f"the first {size} bytes are refused", r)
        check(len(r.stderr.splitlines()) == 1, "one line", r)


def long_function(size, rng, values, step):
    """Reads its locals, changes them at random, writes them."""
    here = b"".join(i32(8 * k) + memop("i32.load") + put(k) for k in range(values))
    there = b"".join(i32(8 * k) + get(k) + memop("i32.store") for k in range(values))
    middle = bytearray()
    while len(middle) < size:
        middle += step(rng, values)
    return here + bytes(middle) + there


def mixed(rng, values):
    a, b, c = (rng.randrange(values) for _ in range(3))
    return get(a) + get(b) + op(rng.choice(["i32.add", "i32.mul", "i32.xor"])) + put(c)


def reads(rng, values):
    a, c = rng.randrange(values), rng.randrange(values)
    return i32(rng.randrange(60000)) + memop("i32.load") + get(a) + op("i32.add") + put(c)


def choices(rng, values):
    a, b, c = (rng.randrange(values) for _ in range(3))
    return get(a) + if_(get(b) + i32(rng.randrange(99)) + op("i32.add") + put(c))


def circles(rng, values):
    a = rng.randrange(values)
    return loop(get(a) + i32(1) + op("i32.sub") + tee(a) + wasm.br_if(0))


def many_calls(rng, values):
    a, c = rng.randrange(values), rng.randrange(values)
    return get(a) + call(2) + put(c)


def compile_long(s, size, steps, ccs, seconds=600):
    rng = random.Random(1)
    for values, step in steps:
        m = program()
        m.func(get(0) + i32(3) + op("i32.mul"), "i", "i")
        big = m.func(long_function(size, rng, values, step), locals_=[(values, "i")])
        m.func(i32(65532) + memop("i32.load") + if_(call(big)), export="_start")
        path = s.write(m)
        for cc in ccs:
            r = s.exec(path, cc=cc, TERN_COMPILE_SECONDS=str(seconds))
            check(r.returncode in (0, 125), f"{step.__name__} of {size} bytes under {cc}", r)
            check(r.returncode == 0 or r.stderr.startswith("tern: compiling "), "clear", r)


LONG = [(10, mixed), (1000, mixed), (30, reads), (10, choices), (1000, choices), (100, circles),
        (10, many_calls)]


def long_functions(s):
    compile_long(s, 5000, LONG, ["gcc"])


def very_long_functions(s):
    compile_long(s, 100000, LONG, COMPILERS)


def functions_of_a_megabyte(s):
    """Compilers may take longer than anybody would wait; then that is said."""
    compile_long(s, 1000000, LONG, COMPILERS, 20)


def register(s):
    for case in (locals_, tables, table_growth, nesting, deep_operands, functions, branch_tables,
                 branch_tables_with_values, signatures, calls_indirect_with_long_types,
                 nothing_but_nops, memory_beyond_limits, empty_and_cut, long_functions):
        s.case(case)
    for case in (branch_tables_of_all_labels, branch_tables_with_a_million_values,
                 very_long_functions, functions_of_a_megabyte):
        s.slow(case)
