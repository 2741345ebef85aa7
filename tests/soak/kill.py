#!/usr/bin/env python3
"""kill -9 at random instants while checkpoints are taken: the last complete one is always there.

A program that takes a checkpoint every 10 ms is killed again and again, itself or its runner, and gone on
with from what is in the directory then: at any instant from its start on, most often at one between two
commits, however long that takes on this machine: while it runs, is stopped, is written, is committed. After each kill the number of the newest
checkpoint must not have gone back, now and then everything that is kept must verify, the directory must
not grow, and when the program comes to its end, its answer must be that of a run that nobody killed. Then
it begins again, with an empty directory, until there were enough kills.

usage: kill.py --build FOLDER [--kills N] [--seed S]
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
from record import record  # noqa: E402

ROUNDS = 100000  # of work.c, in a lap: a hundred kills or so
EARLY = 0.2  # of all kills come at any time after the start, the others while the program runs
OF_RUNNER = 0.25  # of these are of the runner
VERIFY_EVERY = 50  # kills
HANGS_S = 120
COMMITS = (0, 0, 1, 1, 2, 3)  # that are waited for before the instant is drawn
DISK_BYTES_MAX = 40 << 20  # of packs: the program's memory is 10 MiB, and two checkpoints are kept


class Wrong(Exception):
    """What was promised does not hold."""


class Soak:
    def __init__(self, options, folder):
        self.tern = str(pathlib.Path(options.build).resolve() / "tern")
        self.kills, self.dice = options.kills, random.Random(options.seed)
        self.state = folder / "state"
        self.program = str(folder / "work.wasm")
        self.env = dict(os.environ, TERN_CACHE_DIR=str(folder / "cache"))
        self.run("cc", str(HERE / "work.c"), "-o", self.program)
        self.cycle_s, self.start_s = 0.03, 0.1  # from commit to commit, to the first instruction
        self.done = self.laps = self.checkpoints = self.torn = self.verified = self.disk = 0
        self.newest = 0

    def run(self, *words):
        return subprocess.run([self.tern, *words], env=self.env, capture_output=True, text=True,
                              timeout=HANGS_S)

    # ---- What is in the directory ----

    def packs(self):
        return sum(f.stat().st_size for f in self.state.glob("pack-*"))

    def number(self):
        """Of the newest checkpoint, 0: none; not less than before."""
        done = self.run("image", "show", "--json", str(self.state))
        number = json.loads(done.stdout)["number"] if done.returncode == 0 else 0
        if number < self.newest:
            raise Wrong(f"checkpoint {self.newest} was there, and now it is {number} {done.stderr}")
        self.newest = number
        return number

    def commits(self):
        """How many transactions the index has seen: it is an LMDB file."""
        try:
            with open(self.state / "index", "rb") as index:
                head = index.read(8192)
        except FileNotFoundError:
            return 0
        return max((struct.unpack_from("<Q", head, at + 16 + 128)[0]
                    for at in (0, 4096) if len(head) >= at + 4096), default=0)

    def verify(self):
        done = self.run("image", "verify", str(self.state))
        if done.returncode:
            raise Wrong(f"image verify: {done.stdout}{done.stderr}")
        self.verified += 1

    # ---- Killing ----

    def start(self):
        """On from the last checkpoint; from the beginning if none was completed yet."""
        words = ["resume", str(self.state)]
        if not self.number():
            words = ["exec", "--checkpoint", str(self.state), "--every", "10ms", self.program,
                     str(ROUNDS)]
        return subprocess.Popen([self.tern, *words], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def runner_of(self, child):
        """Its process id; waits until it is there. None: it has ended before."""
        while child.poll() is None:
            try:
                children = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text()
                for pid in map(int, children.split()):
                    if pathlib.Path(f"/proc/{pid}/comm").read_text() == "tern-runner\n":
                        return pid
            except (FileNotFoundError, ProcessLookupError):
                pass
            time.sleep(0.0003)
        return None

    def wait_for_commits(self, child, count):
        seen, since = self.commits(), time.monotonic()
        while count > 0 and child.poll() is None:
            time.sleep(0.0005)
            if self.commits() > seen:
                now = time.monotonic()
                self.cycle_s = 0.95 * self.cycle_s + 0.05 * (now - since)
                seen, since, count = self.commits(), now, count - 1

    def strike(self, child, left):
        """Kills it, or its runner, some time on; whom."""
        if self.dice.random() < EARLY:
            time.sleep(self.dice.uniform(0, self.start_s))
            child.kill()
            return "tern"
        begun = time.monotonic()
        runner = self.runner_of(child)
        self.start_s = 0.9 * self.start_s + 0.1 * (time.monotonic() - begun)
        if left > self.packs():
            self.torn += 1  # bytes of a checkpoint that never was: dropped again
        self.wait_for_commits(child, self.dice.choice(COMMITS))
        time.sleep(self.dice.uniform(0, self.cycle_s))
        if runner is None or self.dice.random() >= OF_RUNNER:
            child.kill()
            return "tern"
        try:
            os.kill(runner, signal.SIGKILL)  # not yet waited for if its parent lives: still its own
        except ProcessLookupError:
            pass
        return "runner"

    def kill_once(self):
        """False if the program came to its end before it was killed."""
        left = self.packs()
        child = self.start()
        victim = self.strike(child, left)
        out, error = child.communicate(timeout=HANGS_S)
        if child.returncode == 0 and out:
            self.answer(out, error)
            return False
        wanted = (-signal.SIGKILL,) if victim == "tern" else (-signal.SIGKILL, 128 + signal.SIGKILL)
        if (child.returncode not in wanted or (victim == "tern" and error) or
                out not in ("", self.expected)):  # it had just said it
            raise Wrong(f"killed was {victim}, and it ended with {child.returncode}: {out} {error}")
        return True

    def answer(self, out, error):
        if out != self.expected or error:
            raise Wrong(f"the answer is {out!r} {error}, not {self.expected!r}")

    # ---- Laps ----

    def look(self):
        self.disk = max(self.disk, self.packs())
        if self.disk > DISK_BYTES_MAX:
            raise Wrong(f"{self.disk} bytes of packs: old checkpoints are not let go")
        if self.done % VERIFY_EVERY == 0 and self.newest:
            self.verify()
        if self.done % 500 == 0:
            print(f"{self.done} kills in {self.laps} laps, checkpoint {self.newest}", flush=True)

    def lap(self):
        shutil.rmtree(self.state, ignore_errors=True)
        self.newest = 0
        while self.done < self.kills and self.kill_once():
            self.done += 1
            self.look()
        if self.number():
            self.verify()
        self.checkpoints += self.newest
        self.laps += 1

    def last_answer(self):
        """The lap that was left when there were enough kills."""
        out, error = self.start().communicate(timeout=HANGS_S)
        self.answer(out, error)

    def go(self):
        self.expected = self.run("exec", self.program, str(ROUNDS)).stdout
        why = ""
        try:
            while self.done < self.kills:
                self.lap()
            self.last_answer()
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            why = str(wrong)
        print(f"{self.done} kills in {self.laps} laps, {self.checkpoints} checkpoints, {self.torn} "
              f"left in the middle of writing, {self.verified} times verified, at most "
              f"{self.disk / (1 << 20):.1f} MiB on disk: {'WRONG: ' + why if why else 'fine'}")
        record("soak", name="kill -9 while checkpointing", count=self.done,
               checkpoints=self.checkpoints, failed=int(bool(why)))
        return 1 if why else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", required=True)
    p.add_argument("--kills", type=int, default=1000)
    p.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    p.add_argument("--folder", help="where to keep the checkpoints, on a disk of choice")
    options = p.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tern-soak-", dir=options.folder))
    try:
        return Soak(options, folder).go()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
