"""Small programs with a known result. Each was answered wrongly once, under some compiler."""
from shared import COMPILERS, check, ended, leave, program, start
import wasm
from wasm import DROP, call, get, i32, i64, if_, memop, op, put, tee

LEVELS = ("-O0", "-O2", "-O3")
SIGNALLING = 0x7f800001  # as 32 bits
SIGNALLING_LONG = 0x7ff0000000000001


def not_not():
    """eqz of eqz is 0 or 1, whatever it was before."""
    short = get(0) + op("i32.eqz") + op("i32.eqz")
    long = get(1) + op("i64.eqz") + op("i32.eqz")
    thrice = get(0) + op("i32.eqz") + op("i32.eqz") + op("i32.eqz") + op("i32.eqz")
    code = i32(6) + put(0) + i64(6 << 32) + put(1) + short + long + op("i32.add") + thrice + \
        op("i32.add") + i32(10) + op("i32.mul")
    return start(leave(code), locals_="iI"), 30


def dropped_in_between():
    """A local takes the value that it is given, not one that was read later and dropped."""
    m = program()
    m.data(i32(0), bytes([5, 0, 0, 0, 9, 0, 0, 0]))
    read = [i32(4 * k) + memop("i32.load") for k in range(2)]
    m.func(read[0] + read[1] + DROP + put(0) + leave(get(0)), locals_="i", export="_start")
    return m, 5


def like_the_one_before():
    """Functions whose texts are equally long up to some point have nothing to do with each other."""
    m = program()
    m.data(i32(0), bytes([1, 0, 0, 0]))
    total = b""
    for k in range(40):
        m.func(i32(0) + memop("i32.load") + get(0) + DROP + tee(0) + DROP, "i")
        m.func(i32(0) + memop("i32.load") + DROP)
        called = m.func(i32(2), "", "i", called="x" * k)
        f = m.func(call(called) + put(0) + get(0), "", "i", "i")
        total += call(f) + (op("i32.add") if total else b"")
    m.func(leave(total), export="_start")
    return m, 80


def quiet(name):
    """Arithmetic on a signalling NaN that the compiler can see gives a quiet one."""
    shape, word = name.split(".")
    if shape in ("f32", "f64"):
        single = shape == "f32"
        nan = wasm.f32(SIGNALLING) if single else wasm.f64(SIGNALLING_LONG)
        other = get(0) if single else get(1)
        bits = op("i32.reinterpret_f32") + i32(22) if single else \
            op("i64.reinterpret_f64") + i64(51) + op("i64.shr_u") + op("i32.wrap_i64") + i32(0)
    else:
        other, nan = get(2), wasm.v128(SIGNALLING.to_bytes(4, "little") * 4)
        bits = op("i32x4.extract_lane") + b"\1" + i32(22)
        if shape == "f64x2":
            nan = wasm.v128(SIGNALLING_LONG.to_bytes(8, "little") * 2)
            bits = op("i32x4.extract_lane") + b"\3" + i32(19)
    operands = [other + nan, nan + other] if len(wasm.OPS[name].params) == 2 else [nan]
    return [o + op(name) + bits + op("i32.shr_u") + i32(1) + op("i32.and") for o in operands]


def quieted():
    names = [o.text for o in wasm.OPS.values() if o.text.partition(".")[0] in
             ("f32", "f64", "f32x4", "f64x2") and o.text.partition(".")[2] in
             ("add", "sub", "mul", "div", "sqrt", "min", "max", "ceil", "floor", "trunc", "nearest")]
    checks = [c for name in names for c in quiet(name)]
    m = program()
    wrong = b"".join(c + op("i32.eqz") + if_(leave(i32(100 + k)))
                     for k, c in enumerate(checks))
    f = m.func(wrong, "fdv")
    one = wasm.i32(64) + memop("f32.load")  # 0, and no constant
    m.func(one + op("f64.promote_f32") + put(0) + one + get(0) + one + op("f32x4.splat") + call(f) +
           leave(i32(3)), locals_="d", export="_start")
    return m, 3


def vector_only_in_a_type():
    m = program()
    m.type("v", "vv")
    m.func(leave(i32(4)), export="_start")
    return m, 4


def saturated():
    """Vectors of floats that do not fit, known while compiling."""
    m = program()
    big = (0x4f800000).to_bytes(4, "little") + (0x7fc00000).to_bytes(4, "little") + \
        (0xcf800000).to_bytes(4, "little") + (0x4f000000).to_bytes(4, "little")
    wide = (0x41f0000000000000).to_bytes(8, "little") + (0xc1f0000000000000).to_bytes(8, "little")
    rows = [("i32x4.trunc_sat_f32x4_s", big, (0x7fffffff, 0, 0x80000000, 0x7fffffff)),
            ("i32x4.trunc_sat_f32x4_u", big, (0xffffffff, 0, 0, 0x80000000)),
            ("i32x4.trunc_sat_f64x2_s_zero", wide, (0x7fffffff, 0x80000000, 0, 0)),
            ("i32x4.trunc_sat_f64x2_u_zero", wide, (0xffffffff, 0, 0, 0))]
    code = b""
    for k, (name, operand, lanes) in enumerate(rows):
        for lane, value in enumerate(lanes):
            code += wasm.v128(operand) + op(name) + op("i32x4.extract_lane") + bytes([lane]) + \
                i32(value) + op("i32.ne") + if_(leave(i32(100 + 4 * k + lane)))
    m.func(code + leave(i32(5)), export="_start")
    return m, 5


ANSWERS = [not_not, dropped_in_between, like_the_one_before, quieted, vector_only_in_a_type,
           saturated]


def known_answers(s):
    for make in ANSWERS:
        module, code = make()
        path = s.write(module)
        for cc in COMPILERS:
            for level in LEVELS:
                r = s.exec(path, cc=cc, flags=level)
                check(r.returncode == code, f"{make.__name__} under {cc} {level}", r)
                ended(r, code)


def register(s):
    s.case(known_answers)
