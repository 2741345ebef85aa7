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


def parts(report):
    """When all of them were measured; geometric means, and each program, as ratios to plain."""
    names = ("no-polls", "no-tests", "tern")
    rows = [(r["program"], [r["seconds"][n] / r["seconds"]["plain"] for n in names])
            for r in report["programs"] if {*names, "plain"} <= set(r.get("seconds", {}))]
    if not rows:
        return
    means = [math.exp(sum(map(math.log, column)) / len(column))
             for column in zip(*(ratios for _, ratios in rows))]
    yield "\n### What each part costs\n"
    yield "`no-polls` tests behind calls only, `no-tests` polls at loop headers only, `tern` does both."
    yield "Ratios to `plain`, which does neither.\n"
    yield "| program | plain | no-polls | no-tests | tern |"
    yield "|---|--:|--:|--:|--:|"
    for name, ratios in rows:
        yield f"| {name} | 1 | " + " | ".join(f"{x:.3f}" for x in ratios) + " |"
    yield "| **geomean** | 1 | " + " | ".join(f"**{x:.3f}**" for x in means) + " |"


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


def cost(report):
    rows = report.get("cost")
    if not rows:
        return
    yield "\nWith safepoints against without: bytes of code, bytes loaded, time of the C compiler."
    yield "Continuations are made only for a program that goes on elsewhere, and are not in it.\n"
    yield "| program | code | loaded | compiling |"
    yield "|---|--:|--:|--:|"
    means = []
    for r in rows:
        ratios = [r["with"][k] / r["without"][k] for k in ("text", "loaded", "seconds")]
        means.append(ratios)
        yield f"| {r['program']} | " + " | ".join(f"{x:.2f}" for x in ratios) + " |"
    mean = [math.exp(sum(map(math.log, column)) / len(column)) for column in zip(*means)]
    yield "| **geomean** | " + " | ".join(f"**{x:.2f}**" for x in mean) + " |"


def checkpoints(report):
    rows = report.get("checkpoint")
    if not rows:
        return
    yield "\n## Checkpoints\n"
    yield "A memory full of noise; the first checkpoint, and a second after a share of its pages was"
    yield "written, a word each, scattered. Pause: the program does not run. Total: until all is on the"
    yield "disk. Resume: from `tern resume` until the program answers. Beside it what it takes here to"
    yield "copy the dirty bytes, and to write as many bytes as the second checkpoint did. The targets: a"
    yield "pause of at most 10 ms and 1.2 x the dirty bytes at 256 MiB, 1 %.\n"
    yield "| memory | dirty | 1st: pause | total | MiB | 2nd: pause | total | MiB | MiB / dirty " \
          "| copy | disk | resume |"
    yield "|--:|--:|" + "--:|" * 10
    for r in rows:
        a, b, dirty = r["first"], r["second"], r["dirty_bytes"]
        ratio = f"{b['bytes'] / dirty:.2f}" if dirty else "-"
        yield (f"| {r['mib']} MiB | {r['percent']} % | {a['pause_ms']:.1f} ms | {a['total_ms']:.0f} ms "
               f"| {a['bytes'] / 2**20:.1f} | {b['pause_ms']:.1f} ms | {b['total_ms']:.0f} ms "
               f"| {b['bytes'] / 2**20:.2f} | {ratio} | {r['copy_ms']:.1f} ms "
               f"| {r['disk_ms']:.0f} ms | {r['resume_ms']:.0f} ms |")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench/report.py RESULTS.json > docs/performance.md")
    report = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print(HEAD + TARGET, end="")
    for line in [*programs(report), *stoppable(report), *parts(report), *cost(report),
                 *checkpoints(report), *startup(report)]:
        print(line)


if __name__ == "__main__":
    main()
