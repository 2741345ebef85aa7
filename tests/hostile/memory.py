"""Memory: every access at its edges, loads whose result is unused, growth, traps nobody waits for."""
from shared import COMPILERS, EXIT_TIME, Choice, check, ended, equal, leave, program, start, trapped
import wasm
from wasm import OPS, br, br_if, call, get, i32, if_, loop, memop, op, put, tee

PAGE = 65536
OOB = "out of bounds memory access"
ACCESSES = [o for o in OPS.values() if o.access]
LOADS = [o for o in ACCESSES if o.results]
CONSTANT = {"i": i32(0), "I": wasm.i64(0), "f": wasm.f32(0.0), "d": wasm.f64(0.0),
            "v": wasm.v128(bytes(16))}


def access(o, address, offset=0):
    """Code that does it, other operands zero, and leaves the result if there is one."""
    lane = 0 if o.immediate == "MEMARG_LANE" else None
    return address + b"".join(CONSTANT[p] for p in o.params[1:]) + \
        memop(o.text, offset, lane=lane)


def dropped(o, address, offset=0):
    return access(o, address, offset) + (wasm.DROP if o.results else b"")


def beyond(size):
    """(address, offset) just beyond the last byte and far away; no sum may wrap around."""
    return [(PAGE - size + 1, 0), (0, PAGE - size + 1), (1, PAGE - size), (0xffffffff, 0),
            (0, 0xffffffff), (0xffffffff, 0xffffffff), (0x80000000, 0x80000000), (0xffffffff, 1)]


def edges(s, cc):
    within = b"".join(dropped(o, i32(a), PAGE - o.access - a)
                      for o in ACCESSES for a in (0, 1, PAGE - o.access))
    ended(s.exec(start(within + leave(i32(7))), cc=cc), 7)
    c = Choice(f"edges-{cc}.wasm")
    expected = []
    for o in ACCESSES:
        for address, offset in beyond(o.access):
            c.add(dropped(o, get(0), offset), address)
            expected.append(f"{o.text} {address:#x} + {offset:#x}")
    path = s.write(c, c.name)
    for n, what in enumerate(expected):
        trapped_in(s, c, path, n, what, cc=cc)


def trapped_in(s, c, path, n, what, text=OOB, **more):
    r = c.run(s, path, n, **more)
    try:
        trapped(r, f"{text} in function {c.choices[n][0]} ")
        equal(r.stdout, "", "output before the trap")
    except Exception as e:
        raise AssertionError(f"{what}: {e}") from None


FOREVER = loop(br(0))
WRITE = i32(1) + i32(16) + i32(1) + i32(32) + call(1) + wasm.DROP  # one byte, by an iovec at 16
SET_IOVEC = i32(16) + i32(64) + memop("i32.store") + i32(20) + i32(1) + memop("i32.store")
NOT_TAKEN = i32(128) + memop("i32.load")  # 0, and the compiler does not know


def as_number(letter):
    """Code that makes an i32 of a value."""
    return {"i": b"", "I": op("i32.wrap_i64"), "f": op("i32.reinterpret_f32"),
            "d": op("i64.reinterpret_f64") + op("i32.wrap_i64"),
            "v": op("i32x4.extract_lane") + b"\0"}[letter]


def unused(o):
    """What happens to a load's result, by name: code of (address) -> (), with locals."""
    load, letter = access(o, get(0)), o.results
    number = load + as_number(letter)
    zero = {"i": op("i32.and"), "I": op("i64.and"), "f": op("f32.mul"), "d": op("f64.mul"),
            "v": op("v128.and")}[letter]
    return {
        "dropped": load + wasm.DROP,
        "in a local": load + put(1),
        "in a local that changes": load + put(1) + CONSTANT[letter] + put(1) + get(1) +
        as_number(letter) + if_(leave(i32(9))),
        "used on a path not taken": load + put(1) + NOT_TAKEN + if_(
            leave(get(1) + as_number(letter))),
        "in a loop": i32(3) + put(2) + loop(
            load + wasm.DROP + get(2) + i32(1) + op("i32.sub") + tee(2) + br_if(0)),
        "and 0": load + CONSTANT[letter] + zero + wasm.DROP,
        "and 0, asked for": load + CONSTANT[letter] + zero + as_number(letter) + if_(
            leave(i32(9))),
        "minus itself": number + tee(2) + get(2) + op("i32.sub") + if_(leave(i32(9))),
        "before an endless loop": load + wasm.DROP + FOREVER,
        "before a host call": SET_IOVEC + load + wasm.DROP + WRITE,
        "before a host call, in a local": SET_IOVEC + load + put(1) + WRITE,
        "not selected": number + i32(5) + NOT_TAKEN + wasm.SELECT + i32(5) + op("i32.ne") + if_(
            leave(i32(9))),
        "twice": load + wasm.DROP + load + wasm.DROP,
        "behind a store to the same place": i32(0) + i32(1) + memop("i32.store") + load +
        wasm.DROP + i32(0) + i32(2) + memop("i32.store"),
    }


def unused_loads(s, cc, flags="-O2"):
    c = Choice(f"unused-{cc}{flags}.wasm")
    expected = []
    for o in LOADS:
        helper = c.m.func(access(o, get(0)), "i", o.results)  # a result that no caller wants
        cases = unused(o)
        cases["of a call"] = get(0) + call(helper) + wasm.DROP
        for what, code in cases.items():
            c.add(code, PAGE - o.access + 1, [(1, o.results), (1, "i")])
            expected.append((f"{o.text} {what} ({cc} {flags})", helper if what == "of a call"
                             else c.choices[-1][0]))
    path = s.write(c, c.name)
    for n, (what, function) in enumerate(expected):
        r = c.run(s, path, n, cc=cc, flags=flags, limits=("--time", "2s"))
        check(r.returncode == 134 and OOB in r.stderr, what, r)
        check(f"in function {function} " in r.stderr, f"{what}: in function {function}", r)
        equal(r.stdout, "", what)
    return c, path, expected


def only_then(s, cc):
    """The same loads inside memory do not trap: the check above is worth something."""
    c, path, expected = unused_loads(s, cc)
    for n, (what, _) in enumerate(expected):
        r = c.run(s, path, n, safe=True, cc=cc, limits=("--time", "20ms"))
        endless = "endless" in what
        equal(r.returncode, EXIT_TIME if endless else 0, what + ", inside memory")


def zero(letter):
    return CONSTANT[letter]


def traps_without_use():
    """Code of () -> () and the trap's words."""
    nan, inf = {"f": wasm.f32(0x7fc00000), "d": wasm.f64(0x7ff8 << 48)}, \
        {"f": wasm.f32(0x7f800000), "d": wasm.f64(0x7ff0 << 48)}
    out = []
    for o in OPS.values():
        shape, _, word = o.text.partition(".")
        if word in ("div_s", "div_u", "rem_s", "rem_u"):
            out.append((o.text, zero(o.params[0]) * 2 + o.bytes, "integer divide by zero"))
        if word == "div_s":
            least = i32(0x80000000) if shape == "i32" else wasm.i64(1 << 63)
            least += i32(-1) if shape == "i32" else wasm.i64(-1)
            out.append((o.text + " overflow", least + o.bytes, "integer overflow"))
        if word.startswith("trunc_f"):
            out.append((o.text + " NaN", nan[o.params] + o.bytes,
                        "invalid conversion to integer"))
            out.append((o.text + " inf", inf[o.params] + o.bytes, "integer overflow"))
    return out


def table_traps(c):
    """Table 1 has a null, a function of another type, and ends there."""
    m = c.m
    table = 0  # the choice's own comes behind it
    m.table(2)
    other = m.func(i32(0), "", "i")
    m.elem(i32(1), [other], table)
    wanted = m.type("", "I")
    indirect = [(0, "uninitialized element"), (1, "indirect call type mismatch"),
                (2, "undefined element"), (0xffffffff, "undefined element")]
    out = [(f"call_indirect {i:#x}", i32(i) + wasm.call_indirect(wanted, table), text)
           for i, text in indirect]
    out += [(f"table.get {i:#x}", i32(i) + op("table.get", table), "out of bounds table access")
            for i in (2, 0xffffffff)]
    return out


def unused_traps(s, cc):
    c = Choice(f"traps-{cc}.wasm")
    expected = []
    for name, code, text in traps_without_use() + table_traps(c):
        for what, after in (("", b""), (" before an endless loop", FOREVER),
                            (" before a host call", WRITE)):
            c.add(SET_IOVEC + code + wasm.DROP + after, 0)
            expected.append((name + what, text))
    path = s.write(c, c.name)
    for n, (what, text) in enumerate(expected):
        trapped_in(s, c, path, n, f"{what} ({cc})", text, cc=cc, limits=("--time", "2s"))


def bulk_edges(s):
    """Bulk operations: all or nothing, sizes that wrap around, nothing at the very end is fine."""
    m0, m1 = b"\0", b"\0\0"
    fine = [i32(PAGE) + i32(0) + i32(0) + op("memory.fill", m0),
            i32(PAGE) + i32(PAGE) + i32(0) + op("memory.copy", m1),
            i32(0) + i32(1) + i32(PAGE - 1) + op("memory.copy", m1)]
    bad = [i32(PAGE + 1) + i32(0) + i32(0) + op("memory.fill", m0),
           i32(1) + i32(0) + i32(PAGE) + op("memory.fill", m0),
           i32(0xffffffff) + i32(0) + i32(0xffffffff) + op("memory.fill", m0),
           i32(8) + i32(0) + i32(0xfffffff8) + op("memory.fill", m0),
           i32(0) + i32(PAGE) + i32(1) + op("memory.copy", m1),
           i32(0x80000000) + i32(0) + i32(0x80000000) + op("memory.copy", m1),
           i32(0) + i32(0) + i32(0xffffffff) + op("memory.copy", m1),
           i32(0) + i32(5) + i32(0) + op("memory.init", 0, m0),
           i32(0) + i32(0) + i32(5) + op("memory.init", 0, m0),
           i32(PAGE - 1) + i32(0) + i32(2) + op("memory.init", 0, m0),
           i32(0) + i32(0xffffffff) + i32(2) + op("memory.init", 0, m0),
           op("data.drop", 0) + i32(0) + i32(0) + i32(1) + op("memory.init", 0, m0)]
    ended(s.exec(start(b"".join(fine) + leave(i32(5)))), 5)
    c = Choice("bulk.wasm")
    c.m.passive_data(b"four")
    for code in bad:
        c.add(code, 0)
    path = s.write(c, c.name)
    for n in range(len(bad)):
        trapped_in(s, c, path, n, f"bulk operation {n}")


def grow(n):
    return i32(n) + op("memory.grow", b"\0")


def growth(s):
    """Up to the limit and not beyond; what was refused changes nothing."""
    size = op("memory.size", b"\0")
    until = loop(grow(1) + i32(-1) + op("i32.ne") + br_if(0)) + size
    r = s.exec(start(until + i32(3) + op("i32.add") + call(0)), options=("--memory", "1M"))
    ended(r, 16 + 3)
    m = program(1, 5)
    m.func(until + call(0), export="_start")
    ended(s.exec(m), 5)
    same = grow(16) + i32(-1) + op("i32.eq") + grow(0xffffffff) + i32(-1) + op("i32.eq") + \
        op("i32.add") + grow(0x10000) + i32(-1) + op("i32.eq") + op("i32.add") + size + \
        op("i32.add")
    ended(s.exec(start(same + call(0)), options=("--memory", "1M")), 3 + 1)
    r = s.exec(start(grow(15) + wasm.DROP + i32(16 * PAGE - 4) + memop("i32.load", 1) +
                     wasm.DROP),
               options=("--memory", "1M"))
    trapped(r, OOB)


def all_that_can_be_addressed(s):
    """4 GiB: the very last byte is memory, one more is a trap."""
    all_of_it = grow(65535) + i32(1) + op("i32.ne") + if_(leave(i32(9)))
    last = i32(0xffffffff) + i32(77) + memop("i32.store8") + i32(0xfffffffc) + \
        memop("i32.load") + i32(24) + op("i32.shr_u")
    ended(s.exec(start(all_of_it + last + call(0))), 77)
    for code in (i32(0xffffffff) + memop("i32.load8_u", 1) + wasm.DROP,
                 i32(0xfffffffd) + memop("i32.load") + wasm.DROP,
                 i32(0xffffffff) + memop("i64.load", 0xffffffff) + wasm.DROP):
        trapped(s.exec(start(all_of_it + code)), OOB)


def no_pages(s):
    m = wasm.Module()
    m.set_memory(0, 0)
    m.func(i32(0) + memop("i32.load8_u") + wasm.DROP, export="_start")
    trapped(s.exec(m), OOB)


def register(s):
    for cc in COMPILERS:
        def case(function, what, cc=cc, when=s.case):
            def run(suite):
                function(suite, cc)
            run.__name__ = f"{what}_{cc}"
            when(run)
        case(edges, "every_access_at_its_edges")
        case(only_then, "loads_that_nobody_uses_trap")
        case(unused_traps, "traps_that_nobody_waits_for")
    s.case(bulk_edges)
    s.case(growth)
    s.case(all_that_can_be_addressed)
    s.case(no_pages)
    s.slow(unused_loads_without_optimisation)


def unused_loads_without_optimisation(s):
    for cc in COMPILERS:
        for flags in ("-O0", "-O1", "-O3"):
            unused_loads(s, cc, flags)
