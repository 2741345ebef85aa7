#!/usr/bin/env python3
"""Formatting, static analysis and the direction of dependencies; says what to change, changes
nothing (but with --fix: formatting).

usage: lint.py --build BUILD-FOLDER [--fix] [FILES...]
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests", "bench", "examples")


def sources(names):
    if names:
        return [pathlib.Path(n).resolve() for n in names]
    return sorted(f for d in FOLDERS for f in (ROOT / d).rglob("*.[ch]"))


def check_format(files, fix):
    how = ["-i"] if fix else ["--dry-run", "-Werror"]
    done = subprocess.run(["clang-format", *how, *map(str, files)], capture_output=True, text=True)
    bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if ": error:" in line})
    for name in bad:
        print(f"{os.path.relpath(name)}: not as clang-format has it (./dev lint --fix)")
    return len(bad)


def analyse(build, file):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(file)],
                          capture_output=True, text=True, cwd=ROOT)
    lines = [line for line in done.stdout.splitlines() if re.search(": (warning|error):", line)]
    return [re.sub(r"^\S*?(?=(src|tests)/)", "", line) for line in lines]


def check_analysis(build, files, jobs):
    """Only files that the build compiles: for them it is known how."""
    commands = json.loads((build / "compile_commands.json").read_text())
    built = {(build / c["file"]).resolve() for c in commands}
    chosen = [f for f in files if f in built]
    found = {}  # in order; headers are seen more than once
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for lines in pool.map(lambda f: analyse(build, f), chosen):
            for line in lines:
                found[line] = True
    print("".join(line + "\n" for line in found), end="")
    return len(found)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", type=pathlib.Path, required=True)
    p.add_argument("--fix", action="store_true", help="format")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    files = sources(a.files)
    unformatted = check_format(files, a.fix)
    findings = check_analysis(a.build.resolve(), files, a.jobs)
    astray = subprocess.run([str(ROOT / "tools" / "layers.py")]).returncode
    print(f"{len(files)} files: {unformatted} to format, {findings} findings")
    return 1 if unformatted or findings or astray else 0


if __name__ == "__main__":
    sys.exit(main())
