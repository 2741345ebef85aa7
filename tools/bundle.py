#!/usr/bin/env python3
"""Makes one static library out of several: one object in which only public symbols can be seen.

The first archive goes in whole, of the others what it needs. So a program that links it cannot
meet our `arena_new`, nor we its.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for tool in ("ld", "objcopy", "ar"):
        p.add_argument(f"--{tool}", required=True)
    p.add_argument("output", type=pathlib.Path)
    p.add_argument("whole")
    p.add_argument("archive", nargs="*")
    a = p.parse_args()
    with tempfile.TemporaryDirectory(dir=a.output.parent) as work:
        one = pathlib.Path(work) / "tern.o"
        subprocess.run([a.ld, "-r", "-o", one, "--whole-archive", a.whole, "--no-whole-archive",
                        "--start-group", *a.archive, "--end-group"], check=True)
        subprocess.run([a.objcopy, "--localize-hidden", one], check=True)
        a.output.unlink(missing_ok=True)
        subprocess.run([a.ar, "crs", a.output, one], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
