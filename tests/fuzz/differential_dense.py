"""Random valid modules dense in instructions that are rare elsewhere.

Expressions are made from the result wanted: an instruction that gives it, picked evenly from the
table of all instructions, over operands made in the same way; in between stand blocks with several
values, br_table, calls, tables, statements that change what pending operands mention. Loops are
bounded, calls go to lower functions only: every function ends. Where an instruction may give any
NaN, the NaN is reduced to its class (quiet or not) at once.
"""
import wasm
from differential_nan import gives_any_nan, reduction
from differential_wrap import INTS, constant, vector_bytes

NUMBERS = "iIfdv"
LABELS_MAX = 6
WIDE_MAX = 90
MANY_TARGETS = 3000  # more than are written as one switch
CALLS_MAX = 3  # in one function: what a call costs multiplies


def by_result():
    """Instructions without context, by the letter of their result."""
    out = {letter: [] for letter in NUMBERS}
    for op in wasm.OPS.values():
        if op.typed and op.results and op.params:
            out[op.results].append(op)
    return out


BY_RESULT = by_result()
STORES = [op for op in wasm.OPS.values() if op.typed and op.access and not op.results]


class Dense:
    def __init__(self, rng):
        self.rng = rng
        self.m = wasm.Module()
        self.oob = 0.03 if rng.random() < 0.25 else 0.0
        self.funcs = []  # (index, params, results, level)
        self.logs = {letter: self.m.import_func("host", "log " + letter, letter)
                     for letter in "iIv"}
        self.make_state()
        self.levels = [rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 2)]
        for level, count in enumerate(self.levels):
            for _ in range(count):
                self.make_function(level)
            if level == 0:
                self.fill_table()

    def encode(self):
        return self.m.encode()

    # ---- state: memory, tables, globals, segments ----

    def make_state(self):
        rng, m = self.rng, self.m
        m.set_memory(1, rng.choice([1, 2, 3, None, None]), export=None)
        self.globals = []
        for letter in NUMBERS * 2:
            mutable = rng.random() < 0.8
            self.globals.append((m.global_(letter, constant(rng, letter), mutable), letter,
                                 mutable))
        for letter in "re":
            init = wasm.op("ref.null", bytes([wasm.LETTERS[letter]]))
            self.globals.append((m.global_(letter, init), letter, True))
        self.tables = [(m.table(12, 12), "r"), (m.table(6, 20), "r"),
                       (m.table(5, 9, wasm.EXTERNREF), "e")]
        self.datas = [m.data(wasm.i32(rng.choice([0, 3, 256, 65520])), rng.randbytes(16)),
                      m.data(wasm.i32(1024), vector_bytes(rng) * 4),
                      m.passive_data(rng.randbytes(rng.randint(0, 60)))]
        self.elems = []

    def fill_table(self):
        funcs = [index for index, *_ in self.funcs]
        self.m.elem(wasm.i32(0), [self.rng.choice(funcs) for _ in range(8)])
        self.elems.append(self.m.passive_elem([funcs[0]] + [self.rng.choice(funcs)
                                                            for _ in range(3)]))

    # ---- functions ----

    def make_function(self, level):
        rng = self.rng
        params = "".join(rng.choice(NUMBERS + "iI") for _ in range(rng.randint(0, 4)))
        if rng.random() < 0.1:
            params += rng.choice("re")
        results = "".join(rng.choice(NUMBERS) for _ in range(rng.choice([0, 1, 1, 1, 2, 4])))
        self.level, self.params, self.results = level, params, results
        self.locals = params + "".join(rng.choice(NUMBERS) * rng.randint(1, 2)
                                       for _ in range(rng.randint(2, 5)))
        self.open = len(self.locals)  # locals from here on belong to the generator itself
        self.scratch = {}
        self.labels = [results]  # types that a branch to it carries; None: not to be used
        self.budget = rng.choice([15, 40, 90])
        self.calls = CALLS_MAX
        self.loops = 0
        code = b"".join(self.statement(3) for _ in range(rng.randint(1, 5)))
        code += b"".join(self.expression(t, rng.randint(1, 5)) for t in results)
        index = self.m.func(code, params, results, self.locals[len(params):],
                            export=f"f{len(self.funcs)}")
        self.funcs.append((index, params, results, level))

    def own_local(self, letter):
        if letter not in self.scratch:
            self.scratch[letter] = self.fresh_local(letter)
        return self.scratch[letter]

    def fresh_local(self, letter):
        self.locals += letter
        return len(self.locals) - 1

    def pick_local(self, letter):
        fitting = [i for i, t in enumerate(self.locals[:self.open]) if t == letter]
        return self.rng.choice(fitting) if fitting else None

    # ---- expressions ----

    def expression(self, letter, depth, any_nan=False):
        rng = self.rng
        self.budget -= 1
        before = self.statement(1) if depth > 0 and rng.random() < 0.06 else b""
        if letter in "re":
            return before + self.reference(letter)
        if depth <= 0 or self.budget <= 0:
            return before + self.leaf(letter)
        if rng.random() < 0.72:
            return before + self.instruction(rng.choice(BY_RESULT[letter]), depth, any_nan)
        makers = [self.leaf_of, self.block_of, self.if_of, self.select_of, self.tee_of,
                  self.table_of, self.call_of, self.wide_of, self.loop_of, self.mixed_of,
                  self.indirect_of, self.params_of, self.dead_of]
        return before + rng.choice(makers)(letter, depth - 1)

    def leaf_of(self, letter, _depth):
        return self.leaf(letter)

    def leaf(self, letter):
        rng = self.rng
        local = self.pick_local(letter)
        if local is not None and rng.random() < 0.55:
            return wasm.get(local)
        if rng.random() < 0.2:
            return wasm.op("global.get", rng.choice([i for i, t, _ in self.globals if t == letter]))
        if letter == "i" and rng.random() < 0.1:
            return rng.choice([wasm.op("memory.size", b"\0"),
                               wasm.op("table.size", rng.randrange(len(self.tables)))])
        return constant(rng, letter)

    def reference(self, letter):
        rng = self.rng
        local = self.pick_local(letter)
        if local is not None and rng.random() < 0.4:
            return wasm.get(local)
        if rng.random() < 0.3:
            return wasm.op("global.get", [i for i, t, _ in self.globals if t == letter][0])
        if letter == "r" and self.elems and rng.random() < 0.5:
            return wasm.op("ref.func", self.funcs[0][0])
        table = rng.choice([i for i, t in self.tables if t == letter])
        if rng.random() < 0.5:
            return wasm.i32(rng.randint(0, 5)) + wasm.op("table.get", table)
        return wasm.op("ref.null", bytes([wasm.LETTERS[letter]]))

    def instruction(self, op, depth, any_nan):
        rng = self.rng
        if op.text == "memory.grow":
            return wasm.i32(rng.choice([0, 0, 1, 2, 65536, 0xffffffff])) + op.bytes + b"\0"
        loses_nan = op.text.split(".")[1] in ("eq", "ne", "lt", "gt", "le", "ge") or \
            "trunc_sat" in op.text
        code = b""
        for k, param in enumerate(op.params):
            if op.access and k == 0:
                address, memarg = self.address(op, depth - 1)
                code += address
            else:
                code += self.expression(param, depth - 1, loses_nan)
        code += op.bytes
        if op.access:
            code += memarg
        code += self.lanes(op)
        if gives_any_nan(op) and not any_nan:
            code += reduction(op, self.own_local(op.results))
        return code

    def lanes(self, op):
        rng = self.rng
        if op.immediate == "SHUFFLE":
            return bytes(rng.randrange(32) for _ in range(16))
        if op.immediate == "LANE":
            return bytes([rng.randrange(int(op.text.partition("x")[2].partition(".")[0]))])
        if op.immediate == "MEMARG_LANE":
            return bytes([rng.randrange(16 // op.access)])
        return b""

    def address(self, op, depth):
        """Code, and align with offset: inside memory, often at its very end; or, rarely, not."""
        rng = self.rng
        align = rng.randint(0, op.access.bit_length() - 1)
        offset = rng.choice([0, 0, 1, 8, 100, 4095])
        if rng.random() < self.oob:
            at, offset = rng.choice([(65536 - op.access + 1, 0), (0xffffffff, 0), (0, 0xffffffff),
                                     (0xffffffff, 0xffffffff), (1, 65536 - op.access),
                                     (65536 * 3, 0), (0x80000000, 0x80000000)])
            code = wasm.i32(at)
        elif rng.random() < 0.25:
            end = rng.choice([0, 0, 1, rng.randint(0, 40)])
            offset = min(offset, 65536 - op.access - end)
            code = wasm.i32(65536 - op.access - end - offset)
        else:
            code = self.expression("i", depth) + wasm.i32(rng.choice([0xff, 0xffff - 5000])) + \
                wasm.op("i32.and")
        return code, wasm.leb(align) + wasm.leb(offset)

    def block_of(self, letter, depth):
        """A block whose value may come by a branch, with or without condition."""
        self.labels.append(letter)
        code = self.statement(depth) + self.expression(letter, depth)
        if self.rng.random() < 0.7:
            code += self.expression("i", depth) + wasm.br_if(0)
            if self.rng.random() < 0.5:
                code += wasm.DROP + self.statement(depth) + self.expression(letter, depth)
        self.labels.pop()
        return wasm.block(code, self.kind("", letter))

    def kind(self, params, results):
        if not params and len(results) < 2 and self.rng.random() < 0.7:
            return bytes([wasm.LETTERS[results]]) if results else bytes([wasm.NONE])
        return wasm.sleb(self.m.type(params, results))

    def if_of(self, letter, depth):
        condition = self.expression("i", depth)
        self.labels.append(letter)
        then = self.statement(depth) + self.expression(letter, depth)
        other = self.expression(letter, depth) + self.maybe_jump(letter)
        self.labels.pop()
        return condition + wasm.if_(then, other, self.kind("", letter))

    def maybe_jump(self, letter):
        """With the value on the stack: a conditional branch that leaves it there, or none."""
        fitting = [d for d, t in enumerate(reversed(self.labels)) if t == letter]
        if not fitting or self.rng.random() < 0.6:
            return b""
        return self.expression("i", 1) + wasm.br_if(self.rng.choice(fitting))

    def select_of(self, letter, depth):
        code = self.expression(letter, depth) + self.expression(letter, depth)
        code += self.expression("i", depth)
        if self.rng.random() < 0.4:
            return code + wasm.op("select_t", 1, bytes([wasm.LETTERS[letter]]))
        return code + wasm.SELECT

    def tee_of(self, letter, depth):
        local = self.pick_local(letter)
        code = self.expression(letter, depth)
        return code if local is None else code + wasm.tee(local)

    def table_of(self, letter, depth):
        """br_table over nested blocks with one value: each way out changes it differently."""
        count = self.rng.randint(1, LABELS_MAX)
        self.labels += [letter] * count
        code = self.expression(letter, depth)
        code += self.expression("i", depth) if self.rng.random() < 0.5 else \
            wasm.i32(self.rng.choice([0, 1, count, 8, 1023, 1024, 2000, 0xffffffff]))
        most = 9 if self.rng.random() < 0.97 else MANY_TARGETS
        targets = [self.rng.randrange(count) for _ in range(self.rng.randint(0, most))]
        code += wasm.br_table(targets, self.rng.randrange(count))
        kind = self.kind("", letter)
        for _ in range(count):
            self.labels.pop()
            code = wasm.block(code, kind) + self.change(letter)
        return code

    def change(self, letter):
        simple = {"i": ["i32.add", "i32.xor", "i32.mul"], "I": ["i64.sub", "i64.rotl"],
                  "f": ["f32.copysign"], "d": ["f64.copysign"], "v": ["v128.xor", "i32x4.sub"]}
        return constant(self.rng, letter) + wasm.op(self.rng.choice(simple[letter]))

    def call_of(self, letter, depth):
        """A call of a lower function; of its results the first of the right type is kept."""
        fitting = [f for f in self.funcs if f[3] < self.level and letter in f[2]]
        if not fitting or self.calls == 0 or self.loops > 1:
            return self.expression(letter, depth)
        index, params, results, _ = self.rng.choice(fitting)
        self.calls -= 1
        code = b"".join(self.expression(p, depth - 1) for p in params) + wasm.call(index)
        return code + self.keep(letter, results)

    def keep(self, letter, results):
        at = results.index(letter)
        code = wasm.DROP * (len(results) - 1 - at)
        if at:
            code += wasm.put(self.own_local(letter)) + wasm.DROP * at + \
                wasm.get(self.own_local(letter))
        return code

    def indirect_of(self, letter, depth):
        fitting = [f for f in self.funcs if f[3] == 0 and letter in f[2]]
        if not fitting or self.level == 0 or self.calls == 0 or self.loops > 1:
            return self.expression(letter, depth)
        _, params, results, _ = self.rng.choice(fitting)
        self.calls -= 1
        code = b"".join(self.expression(p, depth - 1) for p in params)
        code += wasm.i32(self.rng.randrange(8)) if self.rng.random() < 0.9 else \
            self.expression("i", 1)
        return code + wasm.call_indirect(self.m.type(params, results),
                                         self.rng.choice([0, 0, 0, 1])) + \
            self.keep(letter, results)

    def wide_of(self, letter, depth):
        """Many operands at once, with changes of what they mention in between."""
        count = self.rng.choice([3, 5, 20, WIDE_MAX])
        fold = {"i": "i32.sub", "I": "i64.sub", "f": "f32.copysign", "d": "f64.copysign",
                "v": "i8x16.sub"}[letter]
        code = b""
        for _ in range(count):
            code += self.leaf(letter)
            if self.rng.random() < 0.3:
                code += self.change(letter)
            if self.rng.random() < 0.15:
                code += self.assign(0)
        del depth
        return code + wasm.op(fold) * (count - 1)

    def mixed_of(self, letter, depth):
        """Operands of several types; all but one are dropped or stored."""
        others = [self.rng.choice(NUMBERS) for _ in range(self.rng.randint(1, 4))]
        code = self.expression(letter, depth)
        code += b"".join(self.expression(t, depth - 1) for t in others)
        for t in reversed(others):
            local = self.pick_local(t)
            code += wasm.DROP if local is None or self.rng.random() < 0.5 else wasm.put(local)
        return code

    def params_of(self, letter, depth):
        """A block, or both arms of an if, that takes values from the stack."""
        params = "".join(self.rng.choice(NUMBERS) for _ in range(self.rng.randint(1, 3)))
        code = b"".join(self.expression(t, depth - 1) for t in params)
        results = letter + "".join(self.rng.choice(NUMBERS)
                                   for _ in range(self.rng.randint(0, 2)))
        own = [self.fresh_local(t) for t in params]
        self.labels.append(results)
        arms = []
        for _ in range(2):
            arm = b"".join(wasm.put(i) for i in reversed(own)) + self.statement(depth - 1)
            arm += b"".join(self.expression(t, depth - 1) for t in results)
            if self.rng.random() < 0.5:
                arm += self.expression("i", 1) + wasm.br_if(0)
            arms.append(arm)
        self.labels.pop()
        kind = wasm.sleb(self.m.type(params, results))
        if self.rng.random() < 0.5:
            code += wasm.block(arms[0], kind)
        else:
            code += self.expression("i", depth - 1) + wasm.if_(arms[0], arms[1], kind)
        return code + self.keep(letter, results)

    def loop_of(self, letter, depth):
        """A loop with the value as its parameter and result, a few times around."""
        if self.loops > 1:
            return self.expression(letter, depth)
        counter = self.fresh_local("i")
        code = self.expression(letter, depth) + wasm.i32(self.rng.randint(1, 4)) + wasm.put(counter)
        self.labels.append(None)
        self.loops += 1
        body = self.change(letter) + self.statement(depth - 1)
        self.loops -= 1
        self.labels.pop()
        body += (wasm.get(counter) + wasm.i32(1) + wasm.op("i32.sub") + wasm.tee(counter) +
                 wasm.br_if(0))
        return code + wasm.loop(body, wasm.sleb(self.m.type(letter, letter)))

    def dead_of(self, letter, depth):
        """Code that cannot be reached, on a stack of any type."""
        self.labels.append(letter)
        junk = self.rng.choice([
            b"", wasm.op("i32.add") + wasm.DROP, wasm.SELECT + wasm.DROP,
            self.expression(letter, 1) + wasm.DROP, wasm.block(wasm.br(0)),
            wasm.if_(wasm.NOP, wasm.UNREACHABLE), wasm.loop(wasm.br(0)),
            wasm.i32(1) + wasm.br_table([0, 0], 0), wasm.memop("i32.load") + wasm.DROP])
        code = self.expression(letter, depth) + wasm.br(0) + junk
        self.labels.pop()
        return wasm.block(code, self.kind("", letter))

    # ---- statements ----

    def statement(self, depth):
        rng = self.rng
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.assign(0)
        makers = [self.assign, self.assign, self.store, self.store, self.log, self.bulk,
                  self.table_change, self.when, self.counted, self.leave, self.dropped]
        return rng.choice(makers)(depth - 1)

    def assign(self, depth):
        letter = self.rng.choice(NUMBERS)
        local = self.pick_local(letter)
        if local is not None and self.rng.random() < 0.7:
            return self.expression(letter, depth) + wasm.put(local)
        index, letter, mutable = self.rng.choice(self.globals)
        if not mutable:
            return b""
        return self.expression(letter, depth) + wasm.op("global.set", index)

    def store(self, depth):
        op = self.rng.choice(STORES)
        address, memarg = self.address(op, depth)
        return address + self.expression(op.params[1], depth) + op.bytes + memarg + self.lanes(op)

    def log(self, depth):
        letter = self.rng.choice(list(self.logs))
        return self.expression(letter, depth) + wasm.call(self.logs[letter])

    def dropped(self, depth):
        return self.expression(self.rng.choice(NUMBERS), depth) + wasm.DROP

    def bulk(self, depth):
        rng = self.rng
        near = [0, 1, 16, 100, 4096, 65500, 65536, 65535] + ([0xffffffff] if self.oob else [])
        to, size = rng.choice(near), rng.choice([0, 1, 7, 16, 36])
        if rng.random() > self.oob:
            to = min(to, 65536 - size)
        kind = rng.randrange(4)
        if kind == 0:
            return wasm.i32(to) + self.expression("i", depth) + wasm.i32(size) + \
                wasm.op("memory.fill", b"\0")
        if kind == 1:
            return wasm.i32(to) + wasm.i32(rng.choice([0, 8, max(to - 3, 0), 1024])) + \
                wasm.i32(size) + wasm.op("memory.copy", b"\0\0")
        if kind == 2:
            return wasm.i32(to) + wasm.i32(rng.randint(0, 8)) + wasm.i32(min(size, 7)) + \
                wasm.op("memory.init", rng.choice(self.datas), b"\0")
        return wasm.op("data.drop", rng.choice(self.datas)) if rng.random() < 0.2 else b""

    def table_change(self, _depth):
        rng = self.rng
        table, letter = rng.choice(self.tables[1:])
        at, count = rng.randint(0, 5), rng.randint(0, 3)
        kind = rng.randrange(6)
        if kind == 0:
            return wasm.i32(at) + self.reference(letter) + wasm.op("table.set", table)
        if kind == 1:
            return self.reference(letter) + wasm.i32(rng.choice([0, 1, 2, 100])) + \
                wasm.op("table.grow", table) + wasm.call(self.logs["i"])
        if kind == 2:
            return wasm.i32(at) + self.reference(letter) + wasm.i32(count) + \
                wasm.op("table.fill", table)
        if kind == 3:
            source = rng.choice([i for i, t in self.tables if t == letter])
            return wasm.i32(at) + wasm.i32(rng.randint(0, 3)) + wasm.i32(count) + \
                wasm.op("table.copy", table, source)
        if kind == 4 and self.elems and letter == "r":
            return wasm.i32(at) + wasm.i32(rng.randint(0, 2)) + wasm.i32(min(count, 2)) + \
                wasm.op("table.init", self.elems[0], table)
        if kind == 5 and self.elems and rng.random() < 0.1:
            return wasm.op("elem.drop", self.elems[0])
        return self.reference(letter) + wasm.op("ref.is_null") + wasm.call(self.logs["i"])

    def when(self, depth):
        condition = self.expression("i", depth)
        self.labels.append("")
        then, other = self.statement(depth), self.statement(depth)
        self.labels.pop()
        return condition + wasm.if_(then, other if self.rng.random() < 0.5 else None,
                                    self.kind("", ""))

    def counted(self, depth):
        if self.loops > 1:
            return self.statement(depth)
        counter = self.fresh_local("i")
        self.labels.append(None)
        self.loops += 1
        body = self.statement(depth) + self.statement(depth)
        self.loops -= 1
        self.labels.pop()
        body += (wasm.get(counter) + wasm.i32(1) + wasm.op("i32.add") + wasm.tee(counter) +
                 wasm.i32(self.rng.randint(1, 4)) + wasm.op("i32.lt_u") + wasm.br_if(0))
        return wasm.i32(0) + wasm.put(counter) + wasm.loop(body)

    def leave(self, depth):
        """A conditional branch to any block around, or a return, with its values."""
        usable = [d for d, t in enumerate(reversed(self.labels)) if t is not None]
        target = self.rng.choice(usable)
        values = list(reversed(self.labels))[target]
        self.labels.append(None)  # the if
        code = b"".join(self.expression(t, depth) for t in values)
        self.labels.pop()
        code += self.rng.choice([wasm.br(target + 1),
                                 wasm.i32(self.rng.randint(0, 2)) + wasm.br_table([target + 1], target + 1)]) \
            if target < len(self.labels) - 1 or self.rng.random() < 0.5 else wasm.RETURN
        index = self.rng.choice(INTS[:8])
        return self.expression("i", depth) + wasm.i32(index) + wasm.op("i32.eq") + wasm.if_(code)


def generate(rng):
    return Dense(rng).encode()
