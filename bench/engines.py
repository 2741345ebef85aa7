"""The ways to build and run a benchmark program that are compared with one another."""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


class BuildError(Exception):
    pass


def run(command, **more):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}")
    return done.stdout


class Native:
    """gcc -O3: what everything is a ratio of."""
    name = "native"
    # No fused multiply-add, so that outputs are equal on processors that have one, too.
    flags = ["-O3", "-ffp-contract=off"]

    def build(self, program, folder):
        out = folder / f"{program}.native"
        run(["gcc", *self.flags, HERE / "programs" / f"{program}.c", "-o", out, "-lm"])
        return [out]


class Tern:
    """tern cc, tern exec; the object comes from the cache when it counts."""
    name = "tern"

    def __init__(self, tern):
        self.tern = tern

    def build(self, program, folder):
        out = folder / f"{program}.wasm"
        run([self.tern, "cc", HERE / "programs" / f"{program}.c", "-o", out])
        return [self.tern, "exec", out]


class Plain(Tern):
    """The same without safepoints, by a macro of tern_scalar.h: what being stoppable costs."""
    name = "plain"
    macro = "TERN_NOT_STOPPABLE"

    def build(self, program, folder):
        return ["env", f"TERN_CFLAGS=-D{self.macro}", *super().build(program, folder)]


class NoPolls(Plain):
    """Without those at loop headers: what is left are the tests behind calls."""
    name = "no-polls"
    macro = "TERN_NO_POLLS"


class NoTests(Plain):
    """Without those behind calls: what is left are the polls at loop headers."""
    name = "no-tests"
    macro = "TERN_NO_TESTS"


class EverySecond(Tern):
    """A checkpoint every second into a directory."""
    name = "every-1s"

    def build(self, program, folder):
        tern, verb, wasm = super().build(program, folder)
        return [tern, verb, "--checkpoint", folder / f"{program}.state", "--every", "1s", wasm]


class Wasm2c:
    """wabt's wasm2c at its defaults (guard pages) and gcc -O2. It has no SIMD."""
    name = "wasm2c"

    def __init__(self, tern):
        self.tern = tern

    def build(self, program, folder):
        work = folder / f"{program}.wasm2c.d"
        work.mkdir(exist_ok=True)
        runtime = pathlib.Path("/usr/share/wabt/wasm2c")
        run([self.tern, "cc", "-mno-simd128", HERE / "programs" / f"{program}.c", "-o",
             work / "program.wasm"])
        run(["wasm2c", "-n", "program", work / "program.wasm", "-o", work / "program.c"])
        out = folder / f"{program}.wasm2c"
        run(["gcc", "-O2", "-w", "-ffp-contract=off", f"-I{work}", f"-I{runtime}",
             HERE / "wasm2c_wasi.c", work / "program.c", runtime / "wasm-rt-impl.c", "-o", out,
             "-lm"])
        return [out]


class Node:
    """The same module in node's engine, where node is installed."""
    name = "node"

    def build(self, program, folder):
        wasm = folder / f"{program}.wasm"
        return ["node", "--no-warnings", HERE / "wasi_node.mjs", wasm]


ONLY_WHEN_ASKED = {NoPolls.name, NoTests.name}


def available(tern, wanted):
    """Engines in the order of the table; native first, since ratios are to it."""
    engines = [Native(), Tern(tern), Plain(tern), NoPolls(tern), NoTests(tern), EverySecond(tern),
               Wasm2c(tern)]
    if shutil.which("node"):
        engines.append(Node())
    wanted = wanted or [e.name for e in engines if e.name not in ONLY_WHEN_ASKED]
    return [e for e in engines if e.name == "native" or e.name in wanted]


def measured(command, environment=None):
    """(seconds on the clock, seconds of processor time with children, standard output)"""
    import time
    read, write = os.pipe()
    before = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=write,
                             stderr=subprocess.PIPE, env=environment)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        output = pipe.read()
    complaint = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    spent = time.monotonic() - before
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise BuildError(f"{' '.join(map(str, command))} ended with {child.returncode}\n"
                         f"{complaint.decode(errors='replace')[-500:]}")
    return spent, used.ru_utime + used.ru_stime, output.decode()
