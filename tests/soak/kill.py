#!/usr/bin/env python3
"""kill -9 at random instants while checkpoints are taken: the last complete one is always there.

A program that takes a checkpoint every 10 ms is killed again and again, and gone on with from what is
in the directory then. Each resume must work, checkpoints must never go back, and at the end the answer
must be that of a run that nobody killed.

usage: kill.py --build FOLDER [--kills N] [--seed S]
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
from record import record  # noqa: E402

ROUNDS_A_KILL = 30000  # of work.c: more than it gets done before the next kill
LONGEST_S = 0.4


class Soak:
    def __init__(self, options, folder):
        self.tern = str(pathlib.Path(options.build).resolve() / "tern")
        self.kills, self.rng = options.kills, random.Random(options.seed)
        self.state = str(folder / "state")
        self.program = str(folder / "work.wasm")
        self.env = dict(os.environ, TERN_CACHE_DIR=str(folder / "cache"))
        subprocess.run([self.tern, "cc", str(HERE / "work.c"), "-o", self.program], check=True)
        self.rounds = str(options.kills * ROUNDS_A_KILL)
        self.newest = self.empty = 0

    def run(self, *words):
        return subprocess.run([self.tern, *words], env=self.env, capture_output=True, text=True)

    def start(self):
        """On from the last checkpoint; from the beginning if none was completed yet."""
        done = self.run("image", "show", "--json", self.state)
        if done.returncode:
            self.empty += 1
            if self.newest:
                sys.exit(f"checkpoint {self.newest} was there, and now: {done.stderr}")
            words = ["exec", "--checkpoint", self.state, "--every", "10ms", self.program, self.rounds]
        else:
            number = json.loads(done.stdout)["number"]
            if number < self.newest:
                sys.exit(f"checkpoint {self.newest} was there, and now the newest is {number}")
            self.newest = number
            words = ["resume", self.state]
        return subprocess.Popen([self.tern, *words], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def kill_once(self):
        """False if the program ended, of itself, before it was killed."""
        child = self.start()
        time.sleep(self.rng.uniform(0, LONGEST_S))
        child.kill()
        out, error = child.communicate()
        if child.returncode == 0 and out:
            return False
        if child.returncode != -9 or error:
            sys.exit(f"it ended by itself: {child.returncode} {error}")
        return True

    def go(self):
        expected = self.run("exec", self.program, self.rounds).stdout
        done = 0
        while done < self.kills and self.kill_once():
            done += 1
            if done % 500 == 0:
                print(f"{done} kills, checkpoint {self.newest}", flush=True)
        verified = self.run("image", "verify", self.state)
        child = self.start()
        out, error = child.communicate()
        fine = out == expected and verified.returncode == 0
        print(f"{done} kills, {self.newest} checkpoints, {self.empty} starts from the beginning: "
              f"{'the answer is right' if fine else f'WRONG: {out!r} {error} {verified.stderr}'}")
        record("soak", name="kill -9 while checkpointing", count=done, checkpoints=self.newest,
               failed=int(not fine))
        return 0 if fine else 1


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", required=True)
    p.add_argument("--kills", type=int, default=1000)
    p.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    options = p.parse_args()
    print(f"seed {options.seed}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tern-soak-"))
    try:
        return Soak(options, folder).go()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
