#!/usr/bin/env python3
"""Parts of a pool are killed, and whoever waits for a program does not see more than a delay."""
import subprocess

from pool import Pool
from tap import PATIENCE_S, Suite, contains, equal

suite = Suite()


class Echo:
    """tern run of a program that answers each line, held by a test at both ends."""

    def __init__(self, pool, program, *options):
        self.pool, self.n = pool, 0
        self.process = pool.begin("run", *options, program, "echo", stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def say(self, word):
        self.n += 1
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        equal(self.process.stdout.readline(), f"{self.n} {word}\n")

    def task(self):
        return next(r for r in self.pool.json("ps")["tasks"] if r["state"] == "running")

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE_S)
        equal((self.process.returncode, out), (0, ""))
        return err


@suite.case
def a_node_is_killed(s):
    with Pool(s, depots=2, nodes=2) as pool:
        echo = Echo(pool, s.program("lines.c"))
        for word in ("one", "two", "three"):
            echo.say(word)
            row = echo.task()
            pool.parts[row["node"]].kill()
            echo.say(f"after {word}")
            pool.node(row["node"])
        err = echo.end()
        contains(err, "was lost; it goes on from checkpoint")
        equal(pool.json("show", row["id"])["losses"], 3)


@suite.case
def the_client_is_killed(s):
    with Pool(s, depots=1, nodes=1) as pool:
        echo = Echo(pool, s.program("lines.c"))
        echo.say("one")
        task = echo.task()["id"]
        echo.process.kill()
        echo.process.communicate()
        equal(pool.json("show", task)["state"], "running")
        equal(pool.tern("logs", task).stdout, "1 one\n")
        equal(pool.tern("cancel", task).returncode, 0)


suite.run()
