"""Checkpoints of a large memory: how long the program stands still, how many bytes, how long until all
is on the disk, and how long until a resumed program answers; beside them what copying and writing as
many bytes takes on this machine."""
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import time

import engines

HERE = pathlib.Path(__file__).resolve().parent
PAGE = 4096
MIB = 1 << 20
SIZES = (1, 64, 256, 1024)
PERCENTS = (0, 1, 10, 100)


class Program:
    """One that answers each line with a line, under `tern exec` or `tern resume`."""

    def __init__(self, command, stats):
        self.stats = stats
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise engines.BuildError(f"the program ended with {self.process.wait()}")
        return line

    def write(self, percent):
        self.process.stdin.write(f"{percent}\n")
        self.process.stdin.flush()
        return int(self.answer())

    def lines(self):
        return self.stats.read_text().splitlines() if self.stats.exists() else []

    def begin(self):
        """Before it reads its first line a checkpoint is taken, of little memory."""
        self.process.stdin.write("0\n")
        self.process.stdin.flush()
        self.answer()

    def checkpoint(self):
        """What `--stats` says of one that is asked for."""
        before = len(self.lines())
        self.process.send_signal(signal.SIGUSR1)
        while True:
            lines = self.lines()
            if len(lines) > before:
                return json.loads(lines[-1])
            if self.process.poll() is not None:
                raise engines.BuildError("the program ended before its checkpoint")
            time.sleep(0.005)

    def kill(self):
        self.process.kill()
        self.process.wait()


def copying_ms(size):
    source, target = bytearray(os.urandom(min(size, MIB)) * max(1, size // MIB)), bytearray(size)
    before = time.monotonic()
    target[:] = memoryview(source)[:size]
    return 1000 * (time.monotonic() - before)


def writing_ms(folder, size):
    """A file of so many bytes, and until it is on the disk."""
    block, file = os.urandom(MIB), folder / "written"
    before = time.monotonic()
    with open(file, "wb", buffering=0) as f:
        for at in range(0, size, MIB):
            f.write(block[:min(MIB, size - at)])
        os.fdatasync(f.fileno())
    spent = 1000 * (time.monotonic() - before)
    file.unlink()
    return spent


def one_run(tern, module, folder, mib, percent):
    state, stats = folder / "state", folder / "stats.json"
    shutil.rmtree(state, ignore_errors=True)
    stats.unlink(missing_ok=True)
    p = Program([tern, "exec", "--checkpoint", state, "--stats", stats, module, mib], stats)
    try:
        p.begin()
        first = p.checkpoint()
        dirty = p.write(percent)
        second = p.checkpoint()
        p.kill()
        before = time.monotonic()
        p = Program([tern, "resume", state], stats)
        p.write(0)
        resumed = time.monotonic() - before
    finally:
        p.kill()
    return {"first": first, "second": second, "dirty_bytes": dirty * PAGE,
            "resume_ms": 1000 * resumed}


def median(runs, *path):
    def value(run):
        for key in path:
            run = run[key]
        return run
    return statistics.median(value(r) for r in runs)


def measure_one(tern, module, folder, mib, percent, rounds):
    runs = [one_run(tern, module, folder, mib, percent) for _ in range(rounds)]
    row = {"mib": mib, "percent": percent, "dirty_bytes": runs[0]["dirty_bytes"],
           "resume_ms": median(runs, "resume_ms"), "tracked": runs[0]["second"]["tracked"]}
    for which in ("first", "second"):
        row[which] = {"pause_ms": median(runs, which, "pause_ns") / 1e6,
                      "total_ms": median(runs, which, "total_ns") / 1e6,
                      "bytes": median(runs, which, "new_bytes")}
    row["copy_ms"] = copying_ms(row["dirty_bytes"])
    row["disk_ms"] = writing_ms(folder, int(row["second"]["bytes"]))
    a, b = row["first"], row["second"]
    print(f"{mib:>5} MiB{percent:>5} %{a['pause_ms']:>10.1f}{a['total_ms']:>10.0f}"
          f"{a['bytes'] / MIB:>10.1f}{b['pause_ms']:>10.1f}{b['total_ms']:>10.0f}"
          f"{b['bytes'] / MIB:>10.2f}{row['dirty_bytes'] / MIB:>10.2f}{row['copy_ms']:>9.1f}"
          f"{row['disk_ms']:>9.0f}{row['resume_ms']:>9.0f}", flush=True)
    return row


def measure(tern, folder, rounds, quick):
    work = folder / "checkpoint"
    work.mkdir(exist_ok=True)
    module = work / "pages.wasm"
    engines.run([tern, "cc", HERE / "checkpoint_pages.c", "-o", module])
    print("\ncheckpoints: first, and second after a share of the pages was written; ms and MiB")
    print(f"{'memory':>9}{'dirty':>7}{'pause':>10}{'total':>10}{'bytes':>10}{'pause':>10}"
          f"{'total':>10}{'bytes':>10}{'dirty':>10}{'copy':>9}{'disk':>9}{'resume':>9}")
    rows = []
    for mib in SIZES[:2] if quick else SIZES:
        for percent in PERCENTS:
            rows.append(measure_one(tern, module, work, mib, percent, 1 if mib > 256 else rounds))
    shutil.rmtree(work / "state", ignore_errors=True)
    return rows
