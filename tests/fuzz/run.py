#!/usr/bin/env python3
"""Runs every libFuzzer target of this folder (fuzz_*.c) for so many seconds.

Each is built with clang, ASan and UBSan together with the pure rings. What is found new goes into
OUT/NAME, on top of the kept corpus in corpus/NAME; an input that breaks something is OUT/NAME-*.

usage: run.py --out FOLDER [SECONDS] [NAMES...]
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SRC = ROOT / "src"
sys.path.insert(0, str(ROOT / "tools"))
from record import record  # noqa: E402

RINGS = ("base", "wire", "wasm", "translate", "image")
CORPUS = {"translate": "module"}  # targets that share another's
ALSO = {"image": ["tests/unit/image_sample.c", "tests/unit/wasm_build.c"],
        "record": ["src/cli/record_names.c", "src/cli/record_text.c", "src/runner/plan.c"]}  # further sources
FLAGS = ["-g", "-O1", "-std=gnu17", "-D_GNU_SOURCE", "-fno-omit-frame-pointer",
         "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", f"-I{SRC}"]


def generate(out):
    """The image's format as C, by protoc-c; returns the source."""
    folder = out / "generated" / "image"
    folder.mkdir(parents=True, exist_ok=True)
    proto = ROOT / "proto"
    subprocess.run(["protoc-c", f"--proto_path={proto}", f"--c_out={folder}",
                    str(proto / "image.proto")], check=True)
    return folder / "image.pb-c.c"


def build(target, out, generated):
    sources = [str(f) for ring in RINGS for f in sorted((SRC / ring).glob("*.c"))]
    sources += [str(ROOT / name) for name in ALSO.get(target.stem.removeprefix("fuzz_"), [])]
    exe = out / target.stem
    subprocess.run(["clang", *FLAGS, f"-I{generated.parent.parent}", str(target), *sources,
                    str(generated), "-o", str(exe), "-lm", "-lprotobuf-c"], check=True)
    return exe


def fuzz(target, out, seconds, generated):
    name = target.stem.removeprefix("fuzz_")
    exe = build(target, out, generated)
    found, kept = out / name, HERE / "corpus" / CORPUS.get(name, name)
    found.mkdir(exist_ok=True)
    folders = [str(found)] + ([str(kept)] if kept.is_dir() else [])
    print(f"{target.stem}: {seconds} s", flush=True)
    done = subprocess.run([str(exe), f"-max_total_time={seconds}", "-timeout=20",
                           "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1",
                           f"-artifact_prefix={out}/{name}-", *folders],
                          stderr=subprocess.PIPE, text=True)
    lines = done.stderr.splitlines()
    print("\n".join(lines[-60:] if done.returncode else
                    [line for line in lines if line.startswith(("stat::", "Done"))]))
    runs = re.search(r"^stat::number_of_executed_units:\s*(\d+)", done.stderr, re.M)
    record("fuzz", target=target.stem, seconds=seconds, runs=int(runs[1]) if runs else 0,
           findings=int(done.returncode != 0))
    return done.returncode == 0


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("seconds", nargs="?", type=int, default=60)
    p.add_argument("names", nargs="*", help="without fuzz_ and .c; default: all")
    a = p.parse_args()
    out = a.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    targets = [t for t in sorted(HERE.glob("fuzz_*.c"))
               if not a.names or t.stem.removeprefix("fuzz_") in a.names]
    generated = generate(out)
    bad = [t.stem for t in targets if not fuzz(t, out, a.seconds, generated)]
    print(f"{len(targets) - len(bad)} passed, {len(bad)} failed" + (f": {bad}" if bad else ""))
    return 1 if bad or not targets else 0


if __name__ == "__main__":
    sys.exit(main())
