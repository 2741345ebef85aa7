#!/usr/bin/env python3
"""Brings the tables of docs/reliability.md up to date: tools/reliability.py build/results.jsonl

./dev conformance, fuzz, sanitize, hostile and programs append to that file (tools/record.py).
A table of which the file knows nothing stays as it is.
"""
import json
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reliability.md"


def newest(lines, key):
    """The last line of each key, in the order in which the keys first came."""
    found = {}
    for line in lines:
        found[key(line)] = line
    return list(found.values())


def conformance(lines):
    yield "| processor | compiler | suite | passed | failed | commit |"
    yield "|---|---|---|--:|--:|---|"
    for r in newest(lines, lambda r: (r["processor"], r["compiler"], r["suite"])):
        yield (f"| {r['processor']} | `{r['compiler']}` | {r['suite']} | {r['passed']:,} | "
               f"{r['failed']} | {r['commit']} |")


def tests(lines):
    yield "| build | passed | failed | commit |"
    yield "|---|--:|--:|---|"
    for r in newest(lines, lambda r: r["build"]):
        yield f"| {r['build']} | {r['passed']} | {r['failed']} | {r['commit']} |"


def fuzz(lines):
    yield "| target | runs | time | findings | commits |"
    yield "|---|--:|--:|--:|---|"
    targets = {}
    for r in lines:
        targets.setdefault(r["target"], []).append(r)
    for name, runs in targets.items():
        commits = dict.fromkeys(r["commit"] for r in runs)
        yield (f"| {name} | {sum(r['runs'] for r in runs):,} | "
               f"{sum(r['seconds'] for r in runs) / 60:.0f} min | "
               f"{sum(r['findings'] for r in runs)} | {', '.join(commits)} |")


def differential(lines):
    yield "| seed | modules | calls and other results compared | of them traps | failed | commit |"
    yield "|---|--:|--:|--:|--:|---|"
    for r in lines:
        yield (f"| {r['seed']} | {r['modules']:,} | {r['lines']:,} | {r['traps']:,} | "
               f"{r['failed']} | {r['commit']} |")


def differential_deterministic(lines):
    return differential(lines)


def round_trip(lines):
    yield "| program | stops | combinations of compiler, level and processor | failed | commit |"
    yield "|---|--:|--:|--:|---|"
    for r in lines:
        yield (f"| {r.get('program', 'round')} | {r['stops']} | {r['rows']} | {r['failed']} | "
               f"{r['commit']} |")


def soak(lines):
    yield "| what | how often | checkpoints | failed | commit |"
    yield "|---|--:|--:|--:|---|"
    for r in lines:
        yield f"| {r['name']} | {r['count']:,} | {r['checkpoints']:,} | {r['failed']} | {r['commit']} |"


def torture(lines):
    yield "| what | compiler | stopped | whole images restored | of which with parts left in place | failed | commit |"
    yield "|---|---|---|--:|--:|--:|---|"
    for r in newest(lines, lambda r: (r["what"], r["compiler"], r["how"])):
        yield (f"| {r['what']} | `{r['compiler']}` | {r['how']} | {r['full'] + r['partly']:,} | "
               f"{r['partly']:,} | {r['failed']} | {r['commit']} |")


def lifted(lines):
    yield "| programs | stopped and resumed | checkpoint, and on | killed and resumed | refused | failed | commit |"
    yield "|--:|--:|--:|--:|--:|--:|---|"
    for r in lines:
        yield (f"| {r['programs']} | {r['stopped']:,} | {r['went_on']:,} | {r['killed']:,} | "
               f"{r['refused']} | {r['failed']} | {r['commit']} |")


def pool(lines):
    yield ("| tasks | nodes killed | agent killed | depots killed | attempts lost | "
           "from kill to running elsewhere: median | worst | wrong | commit |")
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|---|"
    for r in lines:
        killed = r["killed"]
        yield (f"| {r['tasks']:,} | {killed['node']:,} | {killed['agent']} | {killed['depot']} | "
               f"{r['losses']:,} | {r['median_s']:.2f} s | {r['worst_s']:.2f} s | {r['failed']} | "
               f"{r['commit']} |")


TABLES = {f.__name__: f for f in (conformance, tests, fuzz, differential,
                                  differential_deterministic, round_trip, torture, lifted, soak, pool)}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: tools/reliability.py RESULTS.jsonl")
    results = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    page = PAGE.read_text()
    for kind, table in TABLES.items():
        lines = [r for r in results if r["kind"] == kind]
        if lines:
            page = re.sub(rf"(<!-- {kind} -->\n).*?(<!-- end -->)",
                          lambda m: m[1] + "\n".join(table(lines)) + "\n" + m[2], page, flags=re.S)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
