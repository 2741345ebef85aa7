#!/usr/bin/env python3
"""docs/performance.md from the results of a run: bench/report.py build/bench/results.json"""

import json
import math
import pathlib
import platform
import sys

HEAD = """# Performance

Made by `bench/report.py` from the results of `./dev bench`; how it measures is in
[bench/README.md](../bench/README.md). Ratios are to `gcc -O3` in the same run: 1.00 is native speed,
2.00 takes twice as long.
"""

TARGET = """
The target is a geometric mean of at most 1.20, and for being stoppable (`tern` against `plain`, the
same without safepoints) of at most 1.05, the worst program at most 1.15.
"""


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def programs(report):
    engines = [name for name in report["summary"]]
    yield f"\n## Programs\n\n{processor()}, Linux {platform.release().split('-')[0]}; " \
          f"{report['rounds']} rounds, medians, {report['clock']} time.\n"
    yield "| program | native | " + " | ".join(engines) + " |"
    yield "|---|--:|" + "--:|" * len(engines)
    for row in report["programs"]:
        ratios = row.get("ratio", {})
        cells = [f"{ratios[e]:.2f}" if e in ratios else "-" for e in engines]
        yield f"| {row['program']} | {row['seconds']['native']:.2f} s | " + " | ".join(cells) + " |"
    for what in ("geomean", "worst"):
        cells = [f"**{report['summary'][e][what]:.2f}**" for e in engines]
        yield f"| **{what}** | 1 | " + " | ".join(cells) + " |"


def stoppable(report):
    rows = [(r["program"], r["seconds"]["tern"] / r["seconds"]["plain"])
            for r in report["programs"] if {"tern", "plain"} <= set(r.get("seconds", {}))]
    if not rows:
        return
    mean = math.exp(sum(math.log(ratio) for _, ratio in rows) / len(rows))
    worst = max(rows, key=lambda row: row[1])
    yield "\n## The cost of being stoppable\n"
    yield f"Geometric mean **{mean:.3f}**, worst **{worst[1]:.2f}** ({worst[0]}).\n"
    yield "| program | tern / plain |"
    yield "|---|--:|"
    for name, ratio in rows:
        yield f"| {name} | {ratio:.3f} |"


def startup(report):
    rows = report.get("startup")
    if not rows:
        return
    yield "\n## Start-up\n"
    yield "From `tern exec` to the end of a program that does nothing, by size of module."
    yield "Cold: with an empty cache. Translation and compilation per 100 KiB of module.\n"
    yield "| module | cold | cached | translate / 100 KiB | compile / 100 KiB |"
    yield "|--:|--:|--:|--:|--:|"
    for r in rows:
        yield (f"| {r['bytes'] / 1024:.0f} KiB | {r['cold_ms']:.0f} ms | {r['cached_ms']:.1f} ms | "
               f"{r['translate_ms_per_100k']:.1f} ms | {r['compile_ms_per_100k']:.0f} ms |")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench/report.py RESULTS.json > docs/performance.md")
    report = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print(HEAD + TARGET, end="")
    for line in [*programs(report), *stoppable(report), *startup(report)]:
        print(line)


if __name__ == "__main__":
    main()
