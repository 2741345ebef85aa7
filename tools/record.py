"""Keeps what a long test showed: one JSON line in the file that TERN_RESULTS names, if it is set.

tools/reliability.py makes the tables of docs/reliability.md from such lines.
"""
import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commit():
    """The commit that was tested; '+' if files differed from it."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=ROOT,
                          capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def record(kind, **figures):
    file = os.environ.get("TERN_RESULTS")
    if not file:
        return
    line = {"kind": kind, "commit": commit(), "day": time.strftime("%Y-%m-%d"), **figures}
    with open(file, "a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
