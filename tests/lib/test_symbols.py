#!/usr/bin/env python3
"""The shared library shows what tern.h declares, all of it, and nothing else."""
import pathlib
import re
import subprocess
import sys

HEADER = pathlib.Path(__file__).parents[2] / "include" / "tern" / "tern.h"


def main():
    text = HEADER.read_text(encoding="utf-8")
    declared = set(re.findall(r"^TERN_PUBLIC [^;]*?\b(tern_\w+)\(", text, re.MULTILINE))
    out = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], check=True,
                         capture_output=True, text=True).stdout
    seen = {line.split()[-1] for line in out.splitlines()}
    print("1..2")
    cases = [("all that is declared is there", declared - seen),
             ("nothing else can be seen", seen - declared)]
    for number, (name, wrong) in enumerate(cases, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for symbol in sorted(wrong):
            print(f"# {symbol}")
    return 1 if len(declared) < 30 or any(wrong for _, wrong in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
