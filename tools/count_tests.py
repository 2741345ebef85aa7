#!/usr/bin/env python3
"""Counts single tests from Meson's log; the last line is 'N passed, N failed[, N skipped]'.

A TAP point is a test. An executable that crashed, ran out of time or stopped short counts as one
failed test more than the points it got to report; one that speaks no TAP counts as one test.

usage: count_tests.py TESTLOG.JSON STATUS-OF-MESON [NAME-OF-THE-BUILD, to record the counts]
"""
import collections
import json
import re
import sys

from record import record

POINT = re.compile(r"^(not )?ok\b.*?(?:#\s*(skip|todo)\b.*)?$", re.IGNORECASE | re.MULTILINE)


def count_points(text):
    count = collections.Counter()
    for bad, directive in POINT.findall(text):
        if directive.lower() == "skip":
            count["skipped"] += 1
        elif bad and not directive:
            count["failed"] += 1
        else:
            count["passed"] += 1
    return count


def count_run(run):
    """One executable: a line of Meson's log."""
    count = count_points(run.get("stdout") or "")
    good = run["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
    if not good and count["failed"] == 0:
        count["failed"] += 1
    elif good and not count:
        count["skipped" if run["result"] == "SKIP" else "passed"] += 1
    return count


def main(log, status, build=None):
    total = collections.Counter()
    try:
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                run = json.loads(line)
                count = count_run(run)
                total += count
                if count["failed"]:
                    print(f"failed: {run['name']} ({run['result']})")
    except FileNotFoundError:
        total["failed"] += 1
        print("failed: no tests were run")
    if int(status) != 0 and not total["failed"]:
        total["failed"] += 1
        print(f"failed: meson test ended with {status}")
    line = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        line += f", {total['skipped']} skipped"
    print(line, flush=True)
    if build:
        record("tests", build=build, passed=total["passed"], failed=total["failed"])
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
