#!/usr/bin/env python3
"""The official test suite, and our own additions, under every compiler, level and processor.

run.py does one row of the matrix.

Exit code 1 if a command failed anywhere. A row whose compiler or emulator is missing is skipped,
and said so.
"""

import argparse
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from record import record  # noqa: E402

ARM, BIG = "aarch64", "s390x"

SUITES = {"official": [],  # where TERN_WASM_SPEC says
          "own": ["--suite", str(HERE / "own")],
          "official, stopped at every safepoint": ["--torture", "go-on"],
          "official, rebuilt at every safepoint": ["--torture", "restore"],
          "official, deterministic": ["--deterministic"],
          "canonical NaNs": ["--suite", str(HERE / "deterministic"), "--deterministic"],
          "canonical NaNs, rebuilt at every safepoint":
          ["--suite", str(HERE / "deterministic"), "--deterministic", "--torture", "restore"]}

# Processor (None: this one), compiler, flags.
ROWS = [
    (None, "gcc", "-O0"),
    (None, "gcc", "-O2"),
    (None, "gcc", "-O2 -march=x86-64-v2"),
    (None, "gcc", "-O2 -march=x86-64-v3"),
    (None, "gcc", "-O2 -DTERN_SIMD_ANY"),
    (None, "clang", "-O0"),
    (None, "clang", "-O2"),
    (None, "clang", "-O2 -march=x86-64-v3"),
    (ARM, "aarch64-linux-gnu-gcc", "-O0"),
    (ARM, "aarch64-linux-gnu-gcc", "-O2"),
    (ARM, "clang --target=aarch64-linux-gnu", "-O2"),
    (BIG, "s390x-linux-gnu-gcc", "-O0"),
    (BIG, "s390x-linux-gnu-gcc", "-O2"),
]


def missing(row):
    processor, cc, _ = row
    tools = [cc.split()[0]] + ([f"qemu-{processor}", f"{processor}-linux-gnu-gcc"]
                               if processor else [])
    return [tool for tool in tools if not shutil.which(tool)]


def emulated(build, processor, target, where):
    """An executable for another processor, in a build folder beneath this one."""
    folder = pathlib.Path(build) / f"cross-{processor}"
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", "--cross-file", f"tools/cross/{processor}.ini",
                        "-Drunner_only=true", str(folder)], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["meson", "compile", "-C", str(folder), target], check=True,
                   stdout=subprocess.DEVNULL)
    return str(folder / where / target)


def run_row(options, row, suite):
    processor, cc, flags = row
    command = [sys.executable, str(HERE / "run.py"), "--build", options.build, f"--cc={cc}",
               f"--opt={flags}"] + suite
    if processor:
        command += ["--runner", emulated(options.build, processor, "suite_run", "tests/conformance"),
                    f"--qemu=qemu-{processor} -L /usr/{processor}-linux-gnu"]
    if options.jobs:
        command += ["--jobs", str(options.jobs)]
    return subprocess.run(command + options.names, capture_output=True, text=True)


def report_row(title, start, result):
    lines = result.stdout.splitlines() or [result.stderr]
    print(f"{'FAILED' if result.returncode else 'ok':8} {title}: {lines[-1].lstrip('# ')}, "
          f"{time.monotonic() - start:.0f} s", flush=True)
    if result.returncode:
        print("\n".join(line for line in lines if not line.startswith("ok ")), result.stderr)
    return result.returncode == 0


def keep(row, suite, result):
    counts = re.search(r"^# (\d+) commands passed, (\d+) failed", result.stdout, re.M)
    passed, failed = map(int, counts.groups()) if counts else (0, 1)
    record("conformance", processor=row[0] or platform.machine(), compiler=f"{row[1]} {row[2]}",
           suite=suite, passed=passed, failed=failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--only", default="", help="rows with this text in them")
    parser.add_argument("names", nargs="*", help="folders of the suite; default: all")
    options = parser.parse_args()
    options.build = str(pathlib.Path(options.build).resolve())
    failed = 0
    for row in ROWS:
        title = f"{row[0] or 'here'}: {row[1]} {row[2]}"
        if options.only not in title:
            continue
        if missing(row):
            print(f"skipped  {title}: no {', '.join(missing(row))}", flush=True)
            continue
        for suite, words in SUITES.items():
            start = time.monotonic()
            result = run_row(options, row, words)
            failed += not report_row(title, start, result)
            if not options.names:
                keep(row, suite, result)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
