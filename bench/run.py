#!/usr/bin/env python3
"""Speed of Tern beside gcc -O3 and wabt's wasm2c: ratios measured side by side, in one run.

Engines take turns on each program, N rounds, medians; outputs must be equal. See README.md.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import sys

import checkpoint
import cost
import engines
import plot
import startup
from suite import PROGRAMS


def geomean(numbers):
    return math.exp(sum(map(math.log, numbers)) / len(numbers))


def build_all(programs, chosen, folder):
    """{program: {engine: command}}; an engine that cannot build a program sits it out."""
    built = {}
    for program in programs:
        built[program] = {}
        for engine in chosen:
            try:
                built[program][engine.name] = engine.build(program, folder)
            except engines.BuildError as why:
                print(f"{program}: {engine.name} cannot build it: {why}", file=sys.stderr)
    return built


def warm_up(program, commands, size):
    """Those that run, each once; an engine from elsewhere that cannot sits this program out."""
    able, expected = {}, None
    for name, command in commands.items():
        try:
            output = engines.measured([*command, size])[2]
        except engines.BuildError as why:
            if name in ("native", "tern"):
                raise
            print(f"{program}: {name} cannot run it: {why}", file=sys.stderr)
            continue
        expected = output if expected is None else expected
        if output != expected:
            raise engines.BuildError(f"{name} printed {output!r}, native {expected!r}")
        able[name] = command
    return able


def race(program, commands, size, rounds, clock):
    """{engine: [seconds]} of one program; who falls out of the race has no result."""
    spent = {name: [] for name in commands}
    for _ in range(rounds):
        for name in list(spent):
            try:
                wall, cpu, _ = engines.measured([*commands[name], size])
            except engines.BuildError as why:
                if name in ("native", "tern"):
                    raise
                print(f"{program}: {name} cannot run it: {why}", file=sys.stderr)
                del spent[name]
                continue
            spent[name].append(wall if clock == "wall" else cpu)
    return spent


def measure(built, sizes, rounds, clock, names):
    results = []
    for program, commands in built.items():
        try:
            able = warm_up(program, commands, sizes[program])
            spent = race(program, able, sizes[program], rounds, clock)
        except engines.BuildError as why:
            print(f"{program}: {why}", file=sys.stderr)
            results.append({"program": program, "failed": str(why)})
            continue
        medians = {name: statistics.median(times) for name, times in spent.items()}
        row = {"program": program, "size": sizes[program], "seconds": medians, "all": spent,
               "ratio": {name: medians[name] / medians["native"] for name in medians}}
        results.append(row)
        print(table_row(row, names), flush=True)
    return results


def table_head(names):
    return f"{'program':<15}{'native':>9}" + "".join(f"{n:>10}" for n in names if n != "native")


def table_row(row, names):
    ratios = "".join(f"{row['ratio'][n]:>10.2f}" if n in row["ratio"] else f"{'-':>10}"
                     for n in names if n != "native")
    return f"{row['program']:<15}{row['seconds']['native']:>8.3f}s{ratios}"


def summary(results, names):
    good = [r for r in results if "ratio" in r]
    means = {}
    for name in names:
        ratios = [r["ratio"][name] for r in good if name in r["ratio"]]
        if ratios and name != "native":
            means[name] = {"geomean": geomean(ratios), "worst": max(ratios), "count": len(ratios)}
    return means


def print_summary(means, names):
    for what in ("geomean", "worst"):
        cells = "".join(f"{means[n][what]:>10.2f}" if n in means else f"{'-':>10}"
                        for n in names if n != "native")
        print(f"{what:<15}{'1':>9}{cells}")


def earlier(file, settings):
    """What an earlier run with these settings left, or nothing."""
    report = json.loads(file.read_text()) if file.exists() else {}
    return report if all(report.get(k) == v for k, v in settings.items()) else {}


def joined(before, now):
    """The rows of both, new ones instead of old ones, in the order of the suite."""
    rows = {row["program"]: row for row in [*before, *now]}
    return [rows[name] for name in PROGRAMS if name in rows]


def choose(only):
    chosen = [p for p in PROGRAMS if not only or p in only.split(",")]
    if not chosen:
        sys.exit(f"no such program; there are: {' '.join(PROGRAMS)}")
    return chosen


def more_parts(tern, folder, a):
    """{name: how it is measured} of those that are wanted."""
    small = {name: both[1] for name, both in PROGRAMS.items()}
    parts = {"startup": lambda: startup.measure(tern, folder, 3 if a.quick else 7, a.quick),
             "cost": lambda: cost.measure(tern, folder, small),
             "checkpoint": lambda: checkpoint.measure(tern, folder, 1 if a.quick else 3, a.quick)}
    return {name: parts[name] for name in parts if name in a.parts.split(",")}


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    p.add_argument("--only", help="programs, separated by commas; others keep their results")
    p.add_argument("--engines", help="engines, separated by commas: tern, plain, every-1s, wasm2c, node; "
                        "no-polls and no-tests only when named here")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast")
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                   help="what is compared; cpu is steadier on a machine with other work")
    p.add_argument("--parts", default="startup,cost,checkpoint",
                   help="what else is measured, separated by commas: startup, cost, checkpoint")
    a = p.parse_args()
    folder = a.build.resolve() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    tern = a.build.resolve() / "tern"
    os.environ.setdefault("TERN_CACHE_DIR", str(folder / "cache"))
    chosen = engines.available(tern, a.engines.split(",") if a.engines else None)
    names = [e.name for e in chosen]
    sizes = {name: both[1 if a.quick else 0] for name, both in PROGRAMS.items()}
    built = build_all(choose(a.only), chosen, folder)
    print(f"seconds of native ({' '.join(engines.Native.flags)}), others as ratios to it; "
          f"{a.rounds} rounds, medians, {a.clock} time")
    print(table_head(names), flush=True)
    results = measure(built, sizes, a.rounds, a.clock, names)
    settings = {"clock": a.clock, "rounds": a.rounds, "quick": a.quick}
    before = earlier(folder / "results.json", settings) if a.only else {}
    results = joined(before.get("programs", []), results)
    means = summary(results, names)
    print_summary(means, names)
    report = {"programs": results, "summary": means, **settings}
    for part, measured in more_parts(tern, folder, a).items():
        report[part] = before.get(part) if a.only else measured()
    (folder / "results.json").write_text(json.dumps(report, indent=1))
    print(f"\n{folder}/results.json", *plot.draw(report, folder))
    return 1 if any("failed" in r for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
