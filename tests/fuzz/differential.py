#!/usr/bin/env python3
"""Random valid modules through translator, C compilers and runtime, and through wabt's wasm-interp:
results, traps by kind and host calls must be equal.

Modules come from binaryen's `wasm-opt -ttf` and from differential_dense.py, half and half. A batch
of them is one C file: each compiler and level compiles it once, and differential_run calls every
export. What differs is kept in OUT with all that is needed to look at it: K.wasm, K.c, K.txt.

 * After a call stack was exhausted nothing more of the module is compared: how deep it goes is not
   said by WebAssembly. After a fault in memory nothing more is compared with optimised code: stores
   before it may be missing there, which a program that ends cannot see.
 * NaNs count by their class (differential_nan.py). A part of the modules runs without that: if
   such a one differs and agrees once its NaNs are reduced, that is counted apart and no failure.

 * With --deterministic modules are translated with canonical NaNs, every bit counts, and other
   processors take part, under qemu-user. The interpreter gets each module with code behind every
   arithmetic instruction that makes its NaN canonical.

usage: differential.py --out FOLDER [--seconds N | --batches N] [--seed S] [--deterministic]
"""
import argparse
import concurrent.futures
import copy
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SRC = ROOT / "src"
sys.path.insert(0, str(HERE.parent / "hostile"))
import differential_dense  # noqa: E402
import differential_nan  # noqa: E402
import differential_wrap  # noqa: E402
sys.path.insert(0, str(ROOT / "tools"))
from record import record  # noqa: E402

BATCH = 32
INTERPRETER_S = 10
COMPILER_S = 600
LIBRARIES = ("base", "wasm", "translate")
TOOL_FLAGS = ["-O1", "-g", "-std=gnu17", "-D_GNU_SOURCE", "-fvisibility=hidden", f"-I{SRC}"]
FEATURES = ["simd", "bulk-memory", "sign-ext", "nontrapping-float-to-int", "mutable-globals"]
SOMETIMES = [["multivalue"], ["multivalue"], [], [], [], ["reference-types"]]
TRAPS = [("unreachable", "unreachable"), ("out of bounds memory", "memory"),
         ("out of bounds table", "table"), ("integer divide by zero", "divide"),
         ("integer overflow", "overflow"), ("invalid conversion", "conversion"),
         ("undefined", "undefined"), ("uninitialized", "uninitialized"),
         ("indirect call", "signature"), ("call stack exhausted", "stack")]
TABLES = ("types", "imports", "functions", "tables", "memories", "globals", "exports", "elems",
          "datas")


# ---- Tools ----

def run(words, timeout=COMPILER_S, **more):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True,
                          errors="replace", timeout=timeout, **more)


def must(words):
    done = run(words)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")


def build_run(out, cc, name):
    must([cc, *TOOL_FLAGS, "-rdynamic", HERE / "differential_run.c", *sorted((SRC / "rt").glob("*.c")),
          "-ldl", "-o", out / name])


def build_tools(out):
    """differential_prepare and differential_run, of the sources as they are now."""
    sources = [f for ring in LIBRARIES for f in sorted((SRC / ring).glob("*.c"))]
    must(["gcc", *TOOL_FLAGS, HERE / "differential_prepare.c", *sources, "-lm", "-o",
          out / "prepare"])
    build_run(out, "gcc", "run")


def compiler_flags(compiler):
    table = re.findall(r'X\((\w+), "([^"]+)"\)', (SRC / "translate" / "cflags.h").read_text())
    return [flag for who, flag in table if who in ("ANY", compiler.upper())]


def processor_levels():
    """Values of -march that this machine can run."""
    words = pathlib.Path("/proc/cpuinfo").read_text().split()
    levels = [[]]
    if os.uname().machine == "x86_64":
        levels += [["-march=x86-64-v2"]] if "sse4_2" in words else []
        levels += [["-march=x86-64-v3"]] * 2 if {"avx2", "bmi2", "fma", "movbe"} <= set(words) else []
    return levels


CONFIGS = [(cc, level) for cc in ("gcc", "clang") for level in ("-O0", "-O2")]
OTHERS = ["aarch64", "s390x"]  # each by its own gcc, in deterministic mode


def other_configs():
    return [(f"{name}-linux-gnu-gcc", "-O2") for name in OTHERS
            if shutil.which(f"qemu-{name}") and shutil.which(f"{name}-linux-gnu-gcc")]


# ---- What a run of a module showed ----

def trap_kind(text):
    for start, kind in TRAPS:
        if text.startswith(start):
            return kind
    return "? " + text


def normal(line):
    """A line of output with wording of traps, references and NaNs made equal."""
    at = line.find("error: ")
    if at >= 0:
        return line[:at] + "trap " + trap_kind(line[at + 7:])
    if line.startswith("error initializing module: "):
        return "not instantiated: " + trap_kind(line[27:])
    line = re.sub(r"(func|extern)ref:(\d+)",
                  lambda m: "null" if m[2] == "0" else "ref", line)
    return line.replace("-nan", "nan")


def stop_at(lines, kind):
    for i, line in enumerate(lines):
        if line.endswith("trap " + kind):
            return i
    return len(lines)


def difference(expected, seen, optimised):
    """The first line that differs, or None."""
    end = min(stop_at(expected, "stack"), stop_at(seen, "stack"))
    if optimised:
        end = min(end, stop_at(expected, "memory") + 1)
    for i in range(end):
        a = expected[i] if i < len(expected) else "(no more)"
        b = seen[i] if i < len(seen) else "(no more)"
        if a != b:
            return f"line {i + 1}: wasm-interp: {a}\n  here: {b}"
    if end == len(expected) < len(seen):
        return f"more lines than wasm-interp, first: {seen[end]}"
    return None


# ---- A module on its way ----

class Case:
    def __init__(self, label, raw, rng, keep_nan=False):
        self.label, self.raw, self.keep_nan = label, raw, keep_nan
        self.wrap_seed = rng.getrandbits(32)
        self.path = None
        self.reference = None  # what the interpreter gets, if not the same
        self.expected = None  # lines of the interpreter; None: not to be run
        self.note = ""

    def wrapped(self):
        """With other exports; as it is if it has types that are not WebAssembly 2.0."""
        try:
            raw = self.raw if self.keep_nan else differential_nan.reduce_module(self.raw)
            return differential_wrap.wrap(raw, random.Random(self.wrap_seed))
        except KeyError:
            return self.raw

    def write_deterministic(self):
        """As it is for us; with instructions that make NaNs canonical for the interpreter."""
        try:
            canonical = differential_nan.reduce_module(self.raw, differential_nan.canonical)
            texts = [differential_wrap.wrap(raw, random.Random(self.wrap_seed), all_bits=True)
                     for raw in (self.raw, canonical)]
        except KeyError:
            return False
        self.path.write_bytes(texts[0])
        self.reference = self.path.with_suffix(".canonical.wasm")
        self.reference.write_bytes(texts[1])
        return True


class CompileError(Exception):
    pass


class Fuzzer:
    def __init__(self, options):
        self.out = options.out.resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.lock = threading.Lock()
        self.levels = processor_levels()
        self.count = {name: 0 for name in
                      ("modules", "ttf", "dense", "lines", "traps", "refused by both", "no input",
                       "too slow", "NaN only", "failed")}
        build_tools(self.out)
        self.configs = list(CONFIGS)
        if options.deterministic:
            self.configs += other_configs()
            for cc, _ in other_configs():
                build_run(self.out, cc, f"run-{cc}")

    def add(self, name, n=1):
        with self.lock:
            self.count[name] += n

    # -- making modules --

    def ttf(self, rng, work, label):
        features = FEATURES + rng.choice(SOMETIMES)
        source, module = work / f"{label}.in", work / f"{label}.raw"
        source.write_bytes(rng.randbytes(rng.choice([300, 1000, 3000, 8000])))
        words = ["wasm-opt", "-ttf", source, "-o", module, "--mvp-features",
                 *(f"--enable-{f}" for f in features)]
        words += rng.choice([[], ["--no-fuzz-oob"], ["--no-fuzz-oob"]])
        words += rng.choice([[], [], ["-O1"], ["-O3"]])  # other shapes of code
        words += rng.choice([[], [], [], ["--denan"]])
        if run(words).returncode:
            self.add("no input")
            return None
        return Case(label, module.read_bytes(), rng, rng.random() < 0.25)

    def make(self, rng, work, label, kind):
        self.add(kind)
        if kind == "dense":
            return Case(label, differential_dense.generate(rng), rng, keep_nan=True)
        return self.ttf(rng, work, label)

    # -- the reference --

    def interpret(self, path):
        """Lines, or why there are none."""
        try:
            done = run(["wasm-interp", path, "--run-all-exports", "--dummy-import-func"],
                       INTERPRETER_S)
        except subprocess.TimeoutExpired:
            return None, "slow"
        text = done.stdout + done.stderr
        if done.returncode < 0:
            return None, f"wasm-interp died by signal {-done.returncode}"
        if done.returncode and "error initializing module" not in text:
            return None, "invalid " + text.strip()[:300]
        return [normal(line) for line in text.splitlines()], ""

    # -- translating and compiling --

    def prepare(self, work, cases):
        mode = ["--deterministic"] if self.options.deterministic else []
        done = run([self.out / "prepare", *mode, work, *(c.path for c in cases)])
        verdicts = done.stdout.splitlines()
        if done.returncode or len(verdicts) != len(cases):
            raise RuntimeError(f"differential_prepare ended with {done.returncode} {done.stderr}")
        return verdicts

    def judge(self, case, verdict):
        """True if the case is to be run; disagreement about validity is a failure."""
        case.expected, why = self.interpret(case.reference or case.path)
        ours_fine, theirs_fine = verdict == "ok", case.expected is not None
        if why == "slow":
            self.add("too slow")
        elif ours_fine and theirs_fine:
            return True
        elif ours_fine or theirs_fine or verdict.startswith("failed"):
            self.fail(case, f"here: {verdict}; wasm-interp: {why or 'fine'}")
        else:
            self.add("refused by both")
        return False

    def unit(self, work, numbers):
        """One C file of all: names that every module has get the module's number."""
        own = (r"(?<![.\w])((?:%s)(?=[(,;])|t\d+(?=[ (])|h\d+(?=[(},])|call_\d+|elem_\d+|"
               r"(?<=struct )r\d+|(?:%s)(?=\[\]|,\n))\b")
        text = []
        for k in numbers:
            c = (work / f"{k}.c").read_text()
            functions = set(re.findall(r"^TERN_FN t\d+ (\w+);$", c, re.M))
            c = re.sub(own % ("|".join(functions), "|".join(TABLES)), rf"\1_m{k}", c)
            text += [c, "#undef TERN_FN\n#undef TERN_MODULE\n"]
        (work / "all.c").write_text("".join(text))

    def without_broken(self, work, numbers, found):
        """Those that compile by themselves, made into one file; the others are findings."""
        for k in numbers:
            done = run(["gcc", *compiler_flags("gcc"), f"-I{SRC / 'rt'}", "-fsyntax-only",
                        work / f"{k}.c"])
            if done.returncode:
                found[k] = ["does not compile: " + done.stderr[:1000]]
        fine = [k for k in numbers if k not in found]
        if fine:
            self.unit(work, fine)
        return fine

    def compile(self, work, config, march):
        cc, level = config
        target = work / f"{cc}{level}.so"
        family = "clang" if cc == "clang" else "gcc"
        march = march if config in CONFIGS else []
        done = run([cc, *compiler_flags(family), *march, level, f"-I{SRC / 'rt'}", "-shared", "-o",
                    target, work / "all.c", "-lm"])
        if done.returncode:
            raise CompileError(f"{cc} {level} {march}: {done.stderr[:2000]}")
        return target

    def runner(self, config):
        if config in CONFIGS:
            return [self.out / "run"]
        processor = config[0].partition("-")[0]
        return [f"qemu-{processor}", "-L", f"/usr/{processor}-linux-gnu",
                self.out / f"run-{config[0]}"]

    def execute(self, config, target, numbers, cases):
        """Lines by number."""
        pairs = [word for k in numbers for word in (k, cases[k].path)]
        done = run([*self.runner(config), target, *pairs])
        if done.returncode:
            raise RuntimeError(f"differential_run: {done.returncode} {done.stderr[:1000]}")
        lines, at = {}, None
        for line in done.stdout.splitlines():
            if re.fullmatch(r"== \d+", line):
                at = int(line[3:])
                lines[at] = []
            else:
                lines[at].append(normal(line))
        return lines

    # -- a batch --

    def compare(self, work, cases, march):
        """The cases that differ, with how."""
        verdicts = self.prepare(work, cases)
        numbers = [k for k, c in enumerate(cases) if self.judge(c, verdicts[k])]
        if not numbers:
            return []
        self.unit(work, numbers)
        found = {}
        for config in self.configs:
            try:
                target = self.compile(work, config, march)
            except CompileError:
                numbers = self.without_broken(work, numbers, found)
                if not numbers:
                    break
                target = self.compile(work, config, march)
            lines = self.execute(config, target, numbers, cases)
            for k in numbers:
                how = difference(cases[k].expected, lines.get(k, []), config[1] != "-O0")
                if how:
                    found.setdefault(k, []).append(f"{' '.join(config)} {' '.join(march)}: {how}")
        return [(cases[k], k, "\n".join(how)) for k, how in found.items()]

    def only_nan(self, work, case, march):
        """True if the module agrees once its NaNs are reduced."""
        apart = work / f"nan-{case.label}"
        apart.mkdir()
        again = copy.copy(case)
        again.keep_nan = False
        again.path = apart / "0.wasm"
        again.path.write_bytes(again.wrapped())
        return not self.compare(apart, [again], march)

    def written(self, work, cases):
        """The cases that there are files of now; the k-th in k.wasm."""
        fine = []
        for case in cases:
            case.path = work / f"{len(fine)}.wasm"
            if not self.options.deterministic:
                case.path.write_bytes(case.wrapped())
            elif not case.write_deterministic():
                continue
            fine.append(case)
        return fine

    def batch(self, number):
        seed = f"{self.options.seed}-{number}"
        rng = random.Random(seed)
        work = self.out / f"work-{number}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        kind = "dense" if number % 2 else "ttf"
        cases = [self.make(rng, work, f"{seed}-{k}", kind) for k in range(BATCH)]
        cases = [c for c in cases if c]
        cases = self.written(work, cases)
        march = rng.choice(self.levels)
        for case, k, how in self.compare(work, cases, march):
            if case.keep_nan and not self.options.deterministic and self.only_nan(work, case, march):
                self.add("NaN only")
            else:
                self.fail(case, how, work / f"{k}.c")
        self.add("modules", len(cases))
        for case in cases:
            self.add("lines", len(case.expected or []))
            self.add("traps", sum(" trap " in line for line in case.expected or []))
        shutil.rmtree(work)

    def fail(self, case, how, c_file=None):
        self.add("failed")
        shutil.copy(case.path, self.out / f"{case.label}.wasm")
        (self.out / f"{case.label}.raw.wasm").write_bytes(case.raw)
        if c_file:
            shutil.copy(c_file, self.out / f"{case.label}.c")
        (self.out / f"{case.label}.txt").write_text(how + "\n")
        with self.lock:
            print(f"not ok {case.label}: {how}", flush=True)

    def one(self, number):
        try:
            self.batch(number)
        except Exception as e:  # a broken batch is a finding, and no reason to stop
            self.add("failed")
            with self.lock:
                print(f"not ok batch {self.options.seed}-{number}: {e!r:.3000}", flush=True)

    def summary(self):
        return ", ".join(f"{n} {name}" for name, n in self.count.items())

    def run(self):
        end = time.monotonic() + self.options.seconds
        first = self.options.batch or 0
        last = first + self.options.batches if self.options.batches else None
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            running, number = set(), first
            while True:
                while len(running) < self.options.jobs and \
                        (number < last if last else time.monotonic() < end):
                    running.add(pool.submit(self.one, number))
                    number += 1
                if not running:
                    return
                done, running = concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_COMPLETED)
                print(f"# {self.summary()}", flush=True)


def parse_arguments():
    p = argparse.ArgumentParser(description="differential fuzzing")
    p.add_argument("--out", type=pathlib.Path, required=True, help="findings and tools")
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("--batches", type=int, help="so many, however long it takes")
    p.add_argument("--batch", type=int, help="the first batch (of a failure's name SEED-BATCH-K)")
    p.add_argument("--seed", default=str(int.from_bytes(os.urandom(4), "little")))
    p.add_argument("--deterministic", action="store_true", help="canonical NaNs; every bit counts")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return p.parse_args()


def main():
    for tool in ("wasm-opt", "wasm-interp", "gcc", "clang"):
        if not shutil.which(tool):
            print(f"differential: skipped, there is no {tool} (packages binaryen, wabt, clang)")
            return 0
    options = parse_arguments()
    print(f"# seed {options.seed}", flush=True)
    fuzzer = Fuzzer(options)
    fuzzer.run()
    print(fuzzer.summary())
    record("differential_deterministic" if options.deterministic else "differential",
           seed=options.seed, **fuzzer.count)
    return 1 if fuzzer.count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
