"""What the hostile modules share: a suite that runs two cases at a time, programs, verdicts."""
import concurrent.futures
import os
import pathlib
import shutil
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from tap import Suite, check, clean_error, equal  # noqa: E402
import wasm  # noqa: E402
sys.path.insert(0, str(HERE.parent.parent / "tools"))
from record import record  # noqa: E402

COMPILERS = [cc for cc in ("gcc", "clang") if shutil.which(cc)]
EXIT_REFUSED, EXIT_TRAP, EXIT_TIME, EXIT_OUTPUT = 126, 134, 152, 153
RUNNER = os.environ.get("TERN_E2E_RUNNER") or os.environ["TERN_RUNNER"]
PATIENCE = ("--time", "60s")  # for what ends by itself


class Hostile(Suite):
    """Cases with `everything` are left out unless --all is given; words select cases by name."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.lock = threading.Lock()
        self.all = "--all" in sys.argv
        self.wanted = [w for w in sys.argv[1:] if not w.startswith("-")]
        self.skipped = 0

    def slow(self, function):
        if self.all or function.__name__ in self.wanted:
            return self.case(function)
        self.skipped += 1
        return function

    def write(self, module, name=None):
        data = module if isinstance(module, bytes) else module.encode()
        with self.lock:
            self.number += 1
            number = self.number
        return self.file(name or f"m{number}.wasm", data)

    def exec(self, module, *words, cc="gcc", flags="-O2", limits=PATIENCE, options=(), **env):
        path = module if isinstance(module, pathlib.Path) else self.write(module)
        return self.tern("exec", *limits, *options, path, *words,
                         env=self.env(TERN_CC=cc, TERN_CFLAGS=flags, **env), errors="replace")

    def attempt(self, case):
        begun = time.monotonic()
        try:
            return case(self), "", time.monotonic() - begun
        except Exception:
            return None, traceback.format_exc(), time.monotonic() - begun

    def run(self):
        cases = [c for c in self.cases if not self.wanted or c.__name__ in self.wanted]
        failed = 0
        print(f"1..{len(cases)}", flush=True)
        with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
            running = [pool.submit(self.attempt, c) for c in cases]
            for number, (case, future) in enumerate(zip(cases, running), 1):
                said, error, seconds = future.result()
                failed += bool(error)
                name = case.__name__.replace("_", " ")
                note = f" # SKIP {said}" if said else f" # {seconds:.1f} s"
                print(f"{'not ok' if error else 'ok'} {number} - {name}{note}", flush=True)
                for line in error.splitlines():
                    print(f"# {line:.2000}", flush=True)
        if self.all and not self.wanted:
            record("tests", build="hostile modules, --all", passed=len(cases) - failed,
                   failed=failed)
        if self.skipped:
            print(f"# {self.skipped} slow cases only with --all")
        shutil.rmtree(self.dir, ignore_errors=True)
        sys.exit(1 if failed else 0)


def program(memory=1, most=None):
    """A module with proc_exit as function 0 and fd_write as function 1."""
    m = wasm.Module()
    m.wasi("proc_exit", "i", "")
    m.wasi("fd_write", "iiii")
    m.set_memory(memory, most)
    return m


def leave(code):
    """Ends the program with the i32 that code gives."""
    return code + wasm.call(0)


def start(code, **more):
    """A program whose _start is this code."""
    m = program()
    m.func(code, export="_start", **more)
    return m


def refused(r, *parts):
    equal((r.returncode, r.stdout), (EXIT_REFUSED, ""), f"refusal {r.stderr[:300]}")
    clean_error(r, *parts)


def trapped(r, *parts):
    equal(r.returncode, EXIT_TRAP, f"a trap {r.stderr[:300]}")
    clean_error(r, *parts)


def ended(r, code=0):
    equal((r.returncode, r.stderr), (code, ""), "an orderly end")


def no_control(text, what):
    """Nothing that could steer a terminal: C0 but for line ends and tabs, DEL, C1."""
    bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0]
    check(not bad, f"{what} should hold no control characters", repr(text[:400]))


class Choice:
    """A program that calls one of many functions (i32 address) -> (), chosen by its argument.

    Each is told an address of its own or, if there is a second argument, 0.
    """

    def __init__(self, name):
        self.name = name  # of the file: its length counts
        self.m = program()
        self.sizes = self.m.wasi("args_sizes_get", "ii")
        self.choices = []  # (function, address)
        self.type = self.m.type("i")

    def add(self, code, address, locals_=""):
        index = self.m.func(code, "i", "", locals_)
        self.choices.append((index, address))
        return len(self.choices) - 1

    def again(self, address):
        """The function that was added last, with another address."""
        self.choices.append((self.choices[-1][0], address))

    def encode(self):
        m = self.m
        table = m.table(len(self.choices))
        m.elem(wasm.i32(0), [index for index, _ in self.choices], table)
        base = len(self.name) + 1 + 1  # with zeros behind both
        sizes = wasm.i32(0) + wasm.i32(4) + wasm.call(self.sizes) + wasm.DROP
        which = wasm.i32(4) + wasm.memop("i32.load") + wasm.i32(base) + wasm.op("i32.sub")
        two = wasm.i32(0) + wasm.memop("i32.load") + wasm.i32(3) + wasm.op("i32.eq")
        code = sizes + which + wasm.put(0) + two + wasm.if_(
            wasm.i32(0) + wasm.get(0) + wasm.i32(1) + wasm.op("i32.sub") +
            wasm.call_indirect(self.type, table) + wasm.RETURN)
        addresses = b"".join(
            wasm.get(0) + wasm.i32(n) + wasm.op("i32.eq") +
            wasm.if_(wasm.i32(address) + wasm.get(0) + wasm.call_indirect(self.type, table))
            for n, (_, address) in enumerate(self.choices))
        m.func(code + addresses, locals_="i", export="_start")
        return m.encode()

    def run(self, s, path, n, safe=False, **more):
        """The n-th choice; a second argument is empty but for its zero, which counts."""
        return s.exec(path, *(["x" * n, ""] if safe else ["x" * n]), **more)

