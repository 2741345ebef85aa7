#!/usr/bin/env python3
"""Images go round compilers, levels and processors, in the middle of a computation.

A program that prints as it computes is stopped after every few lines, wherever it is then, and gone on
with under the next row, until it ends. All that it printed, together, and its exit code must be those of
a run that nobody stopped. Processors that are not this one run under qemu-user. A second program shows
the bits of NaNs and random numbers, deterministically.

usage: round.py --build FOLDER [--lines N]
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import matrix

HERE = pathlib.Path(__file__).resolve().parent
ROWS = [(None, "gcc", "-O2"), (None, "clang", "-O0"), (matrix.ARM, "aarch64-linux-gnu-gcc", "-O2"),
        (None, "gcc", "-O0"), (matrix.BIG, "s390x-linux-gnu-gcc", "-O2"), (None, "clang", "-O2")]
STOPS_MAX = 1000
PROGRAMS = [(HERE / "round.c", [], []),  # source, options of tern exec, arguments
            (HERE.parent / "e2e" / "programs" / "dice.c", ["--deterministic"], ["20000"])]


def environment(build, row, cache):
    processor, cc, flags = row
    runner = f"{build}/tern-runner"
    if processor:
        own = matrix.emulated(build, processor, "tern-runner", "src/runner")
        runner = f"qemu-{processor} -L /usr/{processor}-linux-gnu {own}"
    return dict(os.environ, TERN_CC=cc, TERN_CFLAGS=flags, TERN_RUNNER=runner, TERN_CACHE_DIR=cache)


class Round:
    def __init__(self, options, folder, program):
        source, self.options, self.words = program
        self.tern = str(pathlib.Path(options.build) / "tern")
        self.lines = options.lines
        self.folder = pathlib.Path(folder)
        rows = [row for row in ROWS if not matrix.missing(row)]
        self.rows = [(row, environment(options.build, row, str(self.folder / "cache")))
                     for row in rows]
        self.program = str(self.folder / "round.wasm")
        subprocess.run([self.tern, "cc", str(source), "-o", self.program], check=True)

    def part(self, words, env):
        """Output and exit code of a run that is stopped after so many lines."""
        child = subprocess.Popen([self.tern, *words], env=env, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        out = b""
        for number, line in enumerate(child.stdout, 1):
            out += line
            if number == self.lines:
                child.send_signal(signal.SIGTERM)
        error = child.stderr.read().decode(errors="replace")
        return out, child.wait(), error

    def go(self):
        whole = subprocess.run([self.tern, "exec", *self.options, self.program, *self.words],
                               env=self.rows[0][1], capture_output=True)
        state = str(self.folder / "state")
        out, stops, seen = b"", 0, set()
        words = ["exec", "--checkpoint", state, *self.options, self.program, *self.words]
        while True:
            row, env = self.rows[stops % len(self.rows)]
            more, code, error = self.part(words, env)
            out += more
            seen.add(row)
            if code != 75 or stops == STOPS_MAX:
                break
            stops += 1
            words = ["resume", state]
        same = out == whole.stdout and code == whole.returncode
        return same and stops > len(self.rows), stops, len(seen), "" if same else error


def go_round(options, program):
    folder = tempfile.mkdtemp(prefix="tern-round-")
    try:
        fine, stops, rows, error = Round(options, folder, program).go()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'ok' if fine else 'FAILED':8} {program[0].name}: an image through {stops} stops and "
          f"{rows} combinations of compiler, level and processor {error}")
    matrix.record("round_trip", program=program[0].stem, stops=stops, rows=rows,
                  failed=int(not fine))
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--lines", type=int, default=2, help="between stops")
    options = parser.parse_args()
    options.build = str(pathlib.Path(options.build).resolve())
    fine = [go_round(options, program) for program in PROGRAMS]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
