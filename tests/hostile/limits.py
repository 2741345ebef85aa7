"""Stack, time, output, and what happens before a program starts."""
from shared import (COMPILERS, EXIT_OUTPUT, EXIT_REFUSED, EXIT_TIME, check, clean_error, ended,
                    equal, leave, program, refused, start, trapped)
import wasm
from wasm import br, br_if, br_table, call, get, i32, if_, loop, memop, op, put, tee

EXHAUSTED = "call stack exhausted"
LEVELS = [("gcc", "-O2"), ("clang", "-O2"), ("gcc", "-O0"), ("clang", "-O0")]
LOADED = 2000  # locals that live across a call


# ---- Stack ----

def many_values(count, between):
    """Reads so many locals, does something, writes them all: none of them can be given up."""
    here = [i32(4 * k) + memop("i32.load") + put(k) for k in range(count)]
    there = [i32(4 * k) + get(k) + memop("i32.store") for k in range(count)]
    return b"".join(here) + between + b"".join(there)


def direct(m):
    f = m.next_func()
    m.func(get(0) + i32(1) + op("i32.add") + call(f) + i32(1) + op("i32.add"), "i", "i")
    return i32(0) + call(f) + wasm.DROP


def mutual(m):
    f = m.next_func()
    for k in range(3):
        m.func(get(0) + call(f + (k + 1) % 3) + i32(k) + op("i32.add"), "i", "i")
    return i32(0) + call(f) + wasm.DROP


def indirect(m):
    f = m.next_func()
    kind = m.type("i", "i")
    table = m.table(1, 1)
    m.func(get(0) + i32(0) + wasm.call_indirect(kind, table) + i32(1) + op("i32.add"), "i", "i")
    m.elem(i32(0), [f], table)
    return i32(0) + call(f) + wasm.DROP


def huge_frames(m):
    f = m.next_func()
    m.func(many_values(LOADED, call(f)), locals_=[(LOADED, "i")])
    return call(f)


def huge_leaf(m):
    """Every call runs a leaf whose frame is far larger than its own."""
    leaf = m.func(many_values(LOADED, b""), locals_=[(50000, "i")])
    f = m.next_func()
    m.func(call(leaf) + call(f) + call(leaf))
    return call(f)


def small_leaf(m):
    """A leaf that is small enough to run on what lies behind the last cell."""
    leaf = m.func(many_values(400, b""), locals_=[(1000, "i")])
    f = m.next_func()
    m.func(call(leaf) + call(f) + call(leaf))
    return call(f)


def host_calls(m):
    """At each depth a host call, which needs stack that is not the program's."""
    f = m.next_func()
    nothing = i32(1) + i32(0) + i32(0) + i32(8) + call(1) + wasm.DROP
    m.func(nothing + call(f) + nothing)
    return call(f)


def thousand_values(m):
    """Frames of a thousand parameters, results and temporaries each."""
    f = m.next_func()
    m.func(b"".join(map(get, range(1000))) + call(f) + i32(1) + op("i32.add"), "i" * 1000,
           "i" * 1000)
    return b"".join(map(i32, range(1000))) + call(f) + wasm.DROP * 1000


def vectors(m):
    f = m.next_func()
    m.func(get(0) + call(f) + get(0) + op("i8x16.add"), "v", "v")
    return wasm.v128(bytes(16)) + call(f) + wasm.DROP


SHAPES = [direct, mutual, indirect, huge_frames, huge_leaf, small_leaf, host_calls,
          thousand_values, vectors]


def exhaust(s, shape, cc, flags, options=()):
    m = program()
    body = shape(m)
    m.func(body, export="_start")
    trapped(s.exec(m, cc=cc, flags=flags, options=options), EXHAUSTED)


def stack_exhaustion(s):
    for shape in SHAPES:
        for cc, flags in LEVELS:
            if cc in COMPILERS:
                exhaust(s, shape, cc, flags)


def stack_of_other_sizes(s):
    for shape in SHAPES:
        for size in ("64K", "200M"):
            exhaust(s, shape, "gcc", "-O0", ("--stack", size))


def stack_exhaustion_in_start(s):
    m = program()
    m.start = m.next_func()
    m.func(call(m.start) + i32(1) + wasm.DROP)
    m.func(b"", export="_start")
    trapped(s.exec(m), EXHAUSTED)


def the_same_depth_everywhere(s):
    """What fits is counted in the module's own terms: the same under every compiler and level."""
    depths = set()
    for cc, flags in LEVELS:
        m = program()
        f = m.next_func()
        m.func(i32(0) + get(0) + memop("i32.store") + get(0) + i32(1) + op("i32.add") + call(f),
               "i")
        m.func(i32(0) + call(f), export="_start")
        path = s.write(m)
        if cc in COMPILERS:
            trapped(s.exec(path, cc=cc, flags=flags), EXHAUSTED)
            depths.add(deepest(s, path, cc, flags))
    equal(len(depths), 1, f"depths {depths}")


def deepest(s, path, cc, flags):
    """The least stack, in KiB, with which a recursion of a fixed depth ends well."""
    m = program()
    f = m.next_func()
    m.func(get(0) + if_(get(0) + i32(1) + op("i32.sub") + call(f)) + i32(0) + get(0) +
           memop("i32.store"), "i")
    m.func(i32(5000) + call(f), export="_start")
    module = s.write(m)
    low, high = 64, 1024
    while low < high:
        middle = (low + high) // 2
        r = s.exec(module, cc=cc, flags=flags, options=("--stack", f"{middle}K"))
        low, high = (low, middle) if r.returncode == 0 else (middle + 1, high)
    return low


# ---- Time ----

def clock(m):
    return m.wasi("clock_time_get", "iIi")


def endless(m, time):
    """Code that never ends, by name; functions go into m."""
    even = m.next_func()
    m.func(b"", called="nothing")
    table = m.table(1)
    m.elem(i32(0), [even], table)
    far = m.func(loop(get(0) + if_(br(1)) + br(0)), "i")
    return {
        "nothing": loop(br(0)),
        "calls": loop(call(even) + br(0)),
        "indirect calls": loop(i32(0) + wasm.call_indirect(m.type(), table) + br(0)),
        "stores": loop(i32(0) + i32(1) + memop("i32.store") + br(0)),
        "loads": loop(i32(0) + memop("i32.load") + wasm.DROP + br(0)),
        "a condition that stays": loop(i32(64) + memop("i32.load") + op("i32.eqz") + br_if(0)),
        "counting for ever": loop(get(0) + i32(2) + op("i32.add") + tee(0) + i32(1) +
                                  op("i32.ne") + br_if(0)),
        "a branch table": loop(get(0) + br_table([0, 0, 0], 0)),
        "inside a call": i32(1) + call(far),
        "host calls": loop(i32(0) + wasm.i64(0) + i32(8) + call(time) + wasm.DROP + br(0)),
        "growing nothing": loop(i32(0) + op("memory.grow", b"\0") + wasm.DROP + br(0)),
        "filling memory": loop(i32(0) + i32(0) + i32(65536) + op("memory.fill", b"\0") + br(0)),
        "filling tables": loop(i32(0) + op("ref.null", b"\x70") + i32(1) +
                               op("table.fill", table) + br(0)),
    }


def names_of_endless():
    m = program()
    return list(endless(m, clock(m)))


def endless_loops(s):
    for cc in COMPILERS:
        for what in names_of_endless():
            m = program()
            code = endless(m, clock(m))[what]
            m.func(code, locals_="i", export="_start")
            r = s.exec(m, cc=cc, limits=("--time", "100ms"))
            equal((r.returncode, r.stdout), (EXIT_TIME, ""), f"{what} ({cc}) {r.stderr}")
            clean_error(r, "0.1 s of processor time")


def an_endless_start_function(s):
    m = program()
    m.start = m.func(loop(br(0)))
    m.func(b"", export="_start")
    r = s.exec(m, limits=("--time", "100ms"))
    equal(r.returncode, EXIT_TIME, r.stderr)


def an_endless_switch(s):
    """br_table as a state machine over 5,000 states that never stops."""
    states = 5000
    code = b"\2\x40" * (states + 1) + get(0) + br_table(range(states), states) + wasm.END
    for k in range(states):
        code += i32((k * 7919 + 1) % states) + put(0) + br(states - k) + wasm.END
    for cc in COMPILERS:
        r = s.exec(start(loop(code), locals_="i"), cc=cc, limits=("--time", "100ms"))
        equal(r.returncode, EXIT_TIME, r.stderr)


# ---- Output ----

def flood(fd, size):
    """Writes `size` bytes at once, for ever."""
    vector = i32(0) + i32(1024) + memop("i32.store") + i32(4) + i32(size) + memop("i32.store")
    return vector + loop(i32(fd) + i32(0) + i32(1) + i32(8) + call(1) + wasm.DROP + br(0))


def output_floods(s):
    for fd in (1, 2):
        for size in (1, 4096, 64000):
            r = s.exec(start(flood(fd, size)), options=("--output", "100K"))
            equal(r.returncode, EXIT_OUTPUT, f"flood of {size} to {fd}: {r.stderr[-200:]}")
            check("102400 bytes" in r.stderr, "the limit is named", r.stderr[-200:])
            written = r.stdout if fd == 1 else r.stderr[:r.stderr.index("tern: ")]
            check(len(written) <= 102400, "no more than the limit", len(written))


def floods_of_files(s):
    """A file counts as output, too; making it long without writing takes no more than that."""
    source = s.file("grow.c", """
        #include <fcntl.h>
        #include <string.h>
        #include <unistd.h>
        static char block[65536];
        int main(int argc, char **argv)
        {
            int fd = open("/data/file", O_RDWR | O_CREAT | O_TRUNC, 0600);
            if (fd < 0)
                return 3;
            switch (argv[1][0]) {
            case 'w': for (;;) if (write(fd, block, sizeof block) < 0) return 4;
            case 'a': for (;;) if (posix_fallocate(fd, 0, 1ll << 40)) return 5;
            case 't': return ftruncate(fd, 1ll << 50) ? 6 : 0;
            case 'p': return pwrite(fd, "x", 1, 1ll << 50) < 0 ? 7 : 0;
            }
            return 8;
        }""")
    module = s.dir / "grow.wasm"
    made = s.tern("cc", source, "-o", module)
    check(made.returncode == 0, "tern cc", made.stderr)
    data = s.dir / "grown"
    data.mkdir()
    for what in "watp":
        r = s.exec(module, what, options=("--output", "1M", "--dir", f"{data}::/data"))
        used = (data / "file").stat().st_blocks * 512
        check(used <= 2 << 20, f"'{what}' takes room on the disk", used)
        check(r.returncode in (EXIT_OUTPUT, 4, 5, 6, 7, 0), f"'{what}' ends", r)


# ---- Before it starts ----

def segments_beyond_their_place(s):
    page = 65536
    for at, data in ((page, b"x"), (page - 3, b"four"), (0xffffffff, b"x"), (page + 1, b"")):
        m = start(b"")
        m.data(i32(at), data)
        refused(s.exec(m), "data segments does not fit")
    for at, count in ((4, 1), (3, 2), (0xffffffff, 1), (5, 0)):
        m = start(b"")
        m.elem(i32(at), [m.next_func() - 1] * count, m.table(4))
        refused(s.exec(m), "element segments does not fit")
    m = start(b"")
    m.data(i32(page), b"")
    m.elem(i32(4), [], m.table(4))
    ended(s.exec(m))


def a_start_function_that_traps(s):
    m = program()
    m.start = m.func(wasm.UNREACHABLE)
    m.func(leave(i32(3)), export="_start")
    trapped(s.exec(m), f"unreachable in function {m.start} ")


def imports_of_what_is_not_there(s):
    kinds = {
        "function": (wasm.FUNC, b"\0"), "memory": (wasm.MEMORY, wasm.limits(1)),
        "table": (wasm.TABLE, b"\x70" + wasm.limits(1)), "global": (wasm.GLOBAL, b"\x7f\0"),
    }
    for kind, (number, description) in kinds.items():
        for module, field in (("env", "thing"), (wasm.WASI, "thing"), ("", ""),
                              (wasm.WASI, "fd_write\0"), (wasm.WASI + "\0", "fd_write")):
            m = wasm.Module()
            m.type()
            m.import_(module, field, number, description)
            m.func(b"", export="_start")
            refused(s.exec(m), f"imports the {kind} ")
    m = wasm.Module()
    m.import_(wasm.WASI, "fd_write", wasm.GLOBAL, b"\x7f\0")
    m.func(b"", export="_start")
    r = s.exec(m)
    equal((r.returncode, r.stdout), (EXIT_REFUSED, ""), r.stderr)


def wasi_functions_of_other_types(s):
    for params, results in (("", ""), ("iiiii", "i"), ("iiii", "I"), ("I" * 1000, "d" * 1000)):
        m = wasm.Module()
        m.wasi("fd_write", params, results)
        m.set_memory(1)
        m.func(b"", export="_start")
        refused(s.exec(m), "fd_write")


def starts_that_are_none(s):
    for make in (lambda m: m.func(b"", "i", export="_start"),
                 lambda m: m.func(i32(0), "", "i", export="_start"),
                 lambda m: m.export("_start", wasm.MEMORY, 0),
                 lambda m: m.func(b"", export="_start\0"),
                 lambda m: m.func(b"", export="")):
        m = program()
        make(m)
        refused(s.exec(m), "_start")


def register(s):
    for case in (stack_exhaustion, stack_exhaustion_in_start, the_same_depth_everywhere,
                 endless_loops, an_endless_start_function, an_endless_switch, output_floods,
                 floods_of_files, segments_beyond_their_place, a_start_function_that_traps,
                 imports_of_what_is_not_there, wasi_functions_of_other_types,
                 starts_that_are_none):
        s.case(case)
    s.slow(stack_of_other_sizes)

