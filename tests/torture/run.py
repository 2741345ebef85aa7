#!/usr/bin/env python3
"""The programs of bench/, small, a whole image of them taken and restored again and again.

Each is compiled by `tern cc`, translated with continuations for all its safepoints (torture_prepare),
and run by torture_run: undisturbed, then with images at every k-th safepoint, then at random ones.
What it prints and its exit code must not change. k is such that there are about --images of them.

The last line is 'N passed, N failed'; --tap prints TAP for the test suite instead.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "conformance"), str(ROOT / "bench")]
from record import record  # noqa: E402
import run as conformance  # noqa: E402
import suite  # noqa: E402

# With over 10,000 safepoints each, and little memory.
SIZES = {"nbody": 700, "fannkuch": 7, "mandelbrot": 40, "binary_trees": 6, "spectral_norm": 60,
         "fib": 20, "gemm": 32, "jacobi": 10, "sieve": 1, "sha256": 1, "sort": 3000,
         "interpreter": 100, "hash_table": 2000, "compress": 1, "json": 1, "format": 300, "fft": 1,
         "objects": 5, "regex": 3}
# What is fixed in a source, and would make each image take a tenth of a second.
SMALLER = {"sieve": ("LIMIT = 16000000", "LIMIT = 300000"), "jacobi": ("SIDE = 1000", "SIDE = 80"),
           "compress": ("SIZE = 4 << 20", "SIZE = 128 << 10")}
SHORT = ["binary_trees", "format", "json", "objects"]
COUNTS = re.compile(r"(\d+) safepoints, (\d+) images\n\Z")


class Fault(Exception):
    """It could not be built, or its output changed."""


def run(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode:
        raise Fault(f"{shlex.join(done.args)[:200]} ended with {done.returncode}\n{done.stderr[-500:]}")
    return done


class Torture:
    def __init__(self, options, folder, stores):
        self.options, self.folder, self.stores = options, folder, stores
        build = pathlib.Path(options.build)
        self.tool = {name: next(p for p in (build / name, build / "tests" / "torture" / name,
                                            build.parent.parent / name) if p.exists())
                     for name in ("torture_run", "torture_prepare")}
        self.tern = os.environ.get("TERN_EXE") or str(build / "tern")
        self.compile = [*shlex.split(options.cc), *conformance.compiler_flags(options.cc),
                        *shlex.split(options.opt), "-I", str(ROOT / "src" / "rt")]

    def build(self, name):
        out = self.folder / name
        out.mkdir()
        wasm, target, source = out / "program.wasm", out / "all.so", out / f"{name}.c"
        text = (ROOT / "bench" / "programs" / f"{name}.c").read_text()
        large, small = SMALLER.get(name, ("", ""))
        if large not in text:
            raise Fault(f"{name}.c has no '{large}' any more")
        source.write_text(text.replace(large, small) if large else text)
        run([self.tern, "cc", "-O3", source, "-o", wasm])
        run([self.tool["torture_prepare"], wasm, out])
        run([*self.compile, "-shared", "-o", target, out / "program.c", out / "continuations.c",
             "-lm"])
        return wasm, target

    def once(self, name, wasm, target, how):
        """(what it printed, safepoints, images)"""
        store = self.stores / f"{name}-{how}"
        done = run([self.tool["torture_run"], wasm, target, how, store, SIZES[name]])
        shutil.rmtree(store, ignore_errors=True)
        counts = COUNTS.search(done.stderr)
        if not counts:
            raise Fault(f"{how}: {done.stderr}")
        return (done.stdout, done.stderr[:counts.start()]), *map(int, counts.groups())

    def go(self, name):
        """Images, safepoints."""
        wasm, target = self.build(name)
        whole, safepoints, _ = self.once(name, wasm, target, "0")
        every = max(1, safepoints * 2 // self.options.images)
        images = 0
        for how in (f"{every}", f"~{every}@{self.options.seed}"):
            parts, _, count = self.once(name, wasm, target, how)
            images += count
            if parts != whole:
                raise Fault(f"{how}: it prints {parts}, not {whole}")
        if images == 0:
            raise Fault(f"no image among {safepoints} safepoints")
        return images, safepoints

    def verdict(self, name):
        """(name, images, text)"""
        try:
            images, safepoints = self.go(name)
            return name, images, f"{images:,} images at {safepoints:,} safepoints: equal"
        except Fault as why:
            return name, 0, str(why)


def show(number, result, tap):
    name, images, text = result
    if tap:
        print(f"{'ok' if images else 'not ok'} {number} - {name}", flush=True)
        print("# " + text.replace("\n", "\n# "), flush=True)
    else:
        print(f"{name:<14} {'ok' if images else 'FAILED':<7} {text}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", required=True)
    p.add_argument("--images", type=int, default=10000, help="of each program, about")
    p.add_argument("--only", help="names, separated by commas")
    p.add_argument("--short", action="store_true", help="a few of them")
    p.add_argument("--cc", default="gcc")
    p.add_argument("--opt", default="-O0", help="level and further flags, as one argument")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--tap", action="store_true")
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = p.parse_args()
    options.build = str(pathlib.Path(options.build).resolve())
    names = options.only.split(",") if options.only else SHORT if options.short else [*SIZES]
    if set(SIZES) != set(suite.PROGRAMS) or not set(names) <= set(SIZES):
        sys.exit("the programs are not those of bench/suite.py: see SIZES")
    print((f"1..{len(names)}\n" if options.tap else "") + f"# seed {options.seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tern-torture-"))
    memory = conformance.MEMORY
    stores = pathlib.Path(tempfile.mkdtemp(prefix="tern-torture-",
                                           dir=memory if memory.is_dir() else None))
    results = []
    try:
        torture = Torture(options, folder, stores)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for number, result in enumerate(pool.map(torture.verdict, names), 1):
                show(number, result, options.tap)
                results.append(result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(stores, ignore_errors=True)
    failed = sum(not images for _, images, _ in results)
    if not options.tap:
        print(f"{len(results) - failed} passed, {failed} failed")
    if not options.short and not options.only:
        record("torture", what=f"{len(names)} programs of bench/",
               compiler=f"{options.cc} {options.opt}", how="every k-th, and at random", partly=0,
               full=sum(images for _, images, _ in results), failed=failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
