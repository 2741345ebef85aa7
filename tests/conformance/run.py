#!/usr/bin/env python3
"""The official WebAssembly test suite through translator, C compiler and runtime.

For each folder of the suite: suite_prepare writes C files and a script, the C compiler makes one
shared object of them, suite_run carries out the script. One TAP test point a folder; the last
line counts commands.

The suite is found by --suite, else the environment variable TERN_WASM_SPEC, else
../shared/wasm-spec beside the repository; without it the run is skipped and says so.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEFAULT_SUITE = ROOT.parent / "shared" / "wasm-spec"

MEMORY = pathlib.Path("/dev/shm")  # a file system in it, for images

CFLAGS = ROOT / "src" / "translate" / "cflags.h"
sys.path.insert(0, str(ROOT / "tools"))
from record import record  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default=os.environ.get("TERN_WASM_SPEC") or str(DEFAULT_SUITE))
    parser.add_argument("--build", default=str(ROOT / "build"),
                        help="where suite_prepare is (and suite_run, unless --runner)")
    parser.add_argument("--runner", help="suite_run for the processor that --cc compiles for")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--opt", default="-O0", help="level and further flags, as one argument")
    parser.add_argument("--qemu", default="", help="what to put in front of suite_run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--torture", help="stop everything at safepoints: suite_torture.h says how")
    parser.add_argument("--deterministic", action="store_true", help="with canonical NaNs")
    parser.add_argument("--keep", help="write C files and objects there and leave them")
    parser.add_argument("--list", action="store_true", help="name every command that failed")
    parser.add_argument("names", nargs="*", help="folders of the suite; default: all")
    words = sys.argv[1:]
    for option in ("--opt", "--cc", "--qemu"):  # argparse takes a value such as -O2 for an option
        if option in words[:-1]:
            at = words.index(option)
            words[at:at + 2] = [f"{option}={words[at + 1]}"]
    return parser.parse_args(words)


def find_tool(build, name):
    for folder in (build, build / "tests" / "conformance"):
        if (folder / name).is_file():
            return str(folder / name)
    sys.exit(f"{name} is not in {build}: build it first")


def compiler_flags(cc):
    version = subprocess.run(shlex.split(cc) + ["--version"], capture_output=True, text=True)
    families = ("ANY", "CLANG" if "clang" in version.stdout else "GCC")
    table = re.findall(r'X\((\w+), "([^"]+)"\)', CFLAGS.read_text())
    return [flag for family, flag in table if family in families]


STOPS = re.compile(r"(\d+) stops(?:, (\d+) full images, (\d+) partly)?")


class Suite:
    def __init__(self, options, folder, stores):
        self.options = options
        self.folder = pathlib.Path(options.suite)
        self.out, self.stores = pathlib.Path(folder), pathlib.Path(stores)
        self.stops = collections.Counter()
        self.prepare = find_tool(pathlib.Path(options.build), "suite_prepare")
        self.runner = options.runner or find_tool(pathlib.Path(options.build), "suite_run")
        self.compile = (shlex.split(options.cc) + compiler_flags(options.cc) +
                        shlex.split(options.opt) + ["-I", str(ROOT / "src" / "rt")])

    def names(self):
        found = sorted(path.parent.name for path in self.folder.glob("*/*.json"))
        return [name for name in found if not self.options.names or name in self.options.names]

    def weight(self, name):
        return sum(path.stat().st_size for path in (self.folder / name).iterdir())

    def count_stops(self, complaints):
        """Takes what suite_run says of its stops out of the complaints."""
        for line in [line for line in complaints if STOPS.fullmatch(line)]:
            stops, full, partly = (int(n or 0) for n in STOPS.fullmatch(line).groups())
            self.stops.update(stops=stops, full=full, partly=partly)
            complaints.remove(line)
        return complaints

    def run(self, name):
        """Passed, failed, skipped, complaints."""
        out = self.out / name
        out.mkdir(parents=True, exist_ok=True)
        torture = self.options.torture
        torture = [torture, str(self.stores / name)] if torture else []
        result = subprocess.run([self.prepare, str(self.folder / name), str(out)] +
                                (["resume"] if torture else []) +
                                (["deterministic"] if self.options.deterministic else []),
                                capture_output=True, text=True)
        if result.returncode:
            return 0, 1, 0, ["prepare: " + result.stderr]
        sources = sorted(str(path) for path in out.glob("*.c"))
        target = str(out / "all.so")
        result = subprocess.run(self.compile + ["-shared", "-o", target] + sources +
                                (["-x", "c", "/dev/null"] if not sources else []) + ["-lm"],
                                capture_output=True, text=True)
        if result.returncode:
            return 0, 1, 0, ["compile: " + result.stderr[:2000]]
        result = subprocess.run(shlex.split(self.options.qemu) +
                                [self.runner, str(self.folder / name), str(out / "script"), target,
                                 *torture],
                                capture_output=True, text=True, errors="replace")
        lines = result.stdout.splitlines()
        counts = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1] if lines else "")
        if not counts:
            return 0, 1, 0, lines + [f"suite_run ended with {result.returncode} {result.stderr}"]
        return *map(int, counts.groups()), self.count_stops(lines[:-1])


def report(number, name, result, everything):
    passed, failed, skipped, complaints = result
    print(f"{'not ok' if failed else 'ok'} {number} - {name} # {passed} passed, {failed} failed,"
          f" {skipped} of the text format")
    shown = complaints if everything else complaints[:10]
    for line in shown:
        print("#   " + line.replace("\n", "\n#   "))
    if len(complaints) > len(shown):
        print(f"#   and {len(complaints) - len(shown)} more")
    sys.stdout.flush()


def how_often(torture):
    every = torture.partition(":")[2] or "1"
    place = f"one in {every.lstrip('~')}"
    return "at each safepoint" if every == "1" else "at random, " + place if "~" in every else place


def report_stops(options, stops, failed):
    images = (f", {stops['full']:,} of them as full images, {stops['partly']:,} with parts that "
              "others share left in place" if options.torture.startswith("image") else "")
    print(f"# {stops['stops']:,} stops{images}")
    if images and not options.names:
        record("torture", what="official test suite", compiler=f"{options.cc} {options.opt}",
               how=how_often(options.torture), full=stops["full"], partly=stops["partly"], failed=failed)


def main():
    options = parse_arguments()
    if not pathlib.Path(options.suite).is_dir():
        print(f"1..0 # SKIP no WebAssembly test suite at {options.suite} (set TERN_WASM_SPEC)")
        return 0
    folder = options.keep or tempfile.mkdtemp(prefix="tern-suite-")
    stores = tempfile.mkdtemp(prefix="tern-suite-", dir=MEMORY if MEMORY.is_dir() else None)
    suite = Suite(options, folder, stores)
    names = suite.names()
    total = [0, 0, 0]
    print(f"1..{len(names)}")
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            # Large ones first, so that none is left to run alone at the end.
            order = sorted(names, key=suite.weight, reverse=True)
            running = {name: pool.submit(suite.run, name) for name in order}
            for number, name in enumerate(names, 1):
                result = running[name].result()
                total = [a + b for a, b in zip(total, result[:3])]
                report(number, name, result, options.list)
    finally:
        shutil.rmtree(stores, ignore_errors=True)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    if options.torture:
        report_stops(options, suite.stops, total[1])
    print(f"# {total[0]} commands passed, {total[1]} failed, {total[2]} of the text format skipped"
          f" ({options.cc} {options.opt})")
    return 1 if total[1] or not names else 0


if __name__ == "__main__":
    sys.exit(main())
