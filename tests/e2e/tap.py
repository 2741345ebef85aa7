"""What the end-to-end tests share: cases, a private folder, tern with a private cache."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

TERN = os.environ["TERN_EXE"]
HERE = pathlib.Path(__file__).parent
PATIENCE_S = 300  # only against hanging for ever

# A shell starts what it puts into the background with these ignored, and children inherit that. A
# handler is not inherited: they get the default.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler)


class Failed(Exception):
    pass


class Suite:
    """Cases are functions of one argument, this suite, registered by @suite.case."""

    def __init__(self):
        self.cases = []
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tern-e2e-"))
        self.cache = self.dir / "cache"

    def case(self, function):
        self.cases.append(function)
        return function

    def env(self, **more):
        env = dict(os.environ, TERN_CACHE_DIR=str(self.cache), LC_ALL="C", TERN_CFLAGS="-O1")
        if "TERN_E2E_RUNNER" in env:  # a plain one: sanitizers in a runner talk on its stderr
            env["TERN_RUNNER"] = env["TERN_E2E_RUNNER"]
        for name in ("TERN_CC", "CDPATH"):
            env.pop(name, None)
        env.update({k: str(v) for k, v in more.items()})
        return env

    def tern(self, *words, env=None, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        if "input" in more:
            del more["stdin"]
        return subprocess.run([TERN, *map(str, words)], env=env or self.env(), text=True,
                              capture_output="stdout" not in more, timeout=PATIENCE_S, **more)

    def start(self, *words, env=None, **more):
        return subprocess.Popen([TERN, *map(str, words)], env=env or self.env(), **more)

    def program(self, name):
        """The module of programs/NAME.c, compiled once."""
        out = self.dir / (pathlib.Path(name).stem + ".wasm")
        if not out.exists():
            source = HERE / "programs" / name
            made = self.tern("cc", source, "-o", out)
            check(made.returncode == 0, f"tern cc {name}", made)
        return out

    def file(self, name, data):
        path = self.dir / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self):
        failed = 0
        print(f"1..{len(self.cases)}", flush=True)
        for number, case in enumerate(self.cases, 1):
            name = case.__name__.replace("_", " ")
            try:
                skip = case(self)
                print(f"ok {number} - {name}" + (f" # SKIP {skip}" if skip else ""), flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {name}", flush=True)
                for line in traceback.format_exc().splitlines():
                    print(f"# {line}", flush=True)
        shutil.rmtree(self.dir, ignore_errors=True)
        sys.exit(1 if failed else 0)


def check(condition, what, seen=None):
    if not condition:
        raise Failed(f"{what}; seen: {seen}")


def equal(seen, wanted, what=""):
    check(seen == wanted, f"{what} should be {wanted!r}", repr(seen))


def contains(text, part, what=""):
    check(part in text, f"{what} should contain {part!r}", repr(text))


def clean_error(result, *parts):
    """One or two lines that begin with 'tern: ' and contain the parts."""
    lines = result.stderr.splitlines()
    check(1 <= len(lines) <= 2 and lines[0].startswith("tern: "), "one clear error", result)
    for part in parts:
        contains(result.stderr, part, "the error")


# ---- Modules by hand ----

def leb(n):
    out = bytearray()
    while True:
        byte, n = n & 127, n >> 7
        out.append(byte | (128 if n else 0))
        if not n:
            return bytes(out)


def section(number, body):
    return bytes([number]) + leb(len(body)) + body


def module(*sections):
    return b"\0asm\1\0\0\0" + b"".join(sections)


def start_module(code, locals_=b"\0"):
    """A module whose _start is this code, with one page of memory."""
    body = locals_ + code + b"\x0b"
    return module(section(1, b"\1\x60\0\0"), section(3, b"\1\0"), section(5, b"\1\0\1"),
                  section(7, b"\2\6_start\0\0\6memory\2\0"),
                  section(10, b"\1" + leb(len(body)) + body))
