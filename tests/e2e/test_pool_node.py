#!/usr/bin/env python3
"""A program outlives what it runs on: its runner, its slot, its node, a depot."""
import pathlib
import shutil
import signal
import subprocess

from pool import Part, Pool, wait_until
from tap import TERN, Failed, Suite, check, clean_error, contains, equal

suite = Suite()


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


class Talk:
    """tern run of count_on.c: a line goes in, one comes back, as it does from tern exec."""

    def __init__(self, pool, numbers):
        self.pool = pool
        self.numbers = list(numbers)
        text = "".join(f"{n}\n" for n in self.numbers)
        alone = pool.suite.tern("exec", pool.suite.program("count_on.c"), input=text)
        equal(alone.returncode, 7)
        self.wanted = alone.stdout.splitlines(keepends=True)
        self.said = 0
        self.run = pool.begin("run", pool.suite.program("count_on.c"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        pool.parts["run"] = Part("run", self.run, "")  # ended with the pool, if not before

    def say(self):
        self.run.stdin.write(f"{self.numbers[self.said]}\n")
        self.run.stdin.flush()
        equal(self.run.stdout.readline(), self.wanted[self.said], f"line {self.said + 1}")
        self.said += 1

    def row(self):
        rows = [r for r in self.pool.json("ps")["tasks"] if r["state"] == "running"]
        return rows[0] if rows else None

    def node(self):
        seen = []
        wait_until(lambda: seen.append(self.row()) or seen[-1], "it runs")
        return seen[-1]["node"]

    def slot(self):
        node = self.pool.parts[self.node()].process.pid
        for slot in children(node):
            for runner in children(slot):
                return slot, runner
        raise Failed("the node has no slot with a runner")

    def end(self):
        while self.said < len(self.numbers):
            self.say()
        rest, errors = self.run.communicate()
        equal(rest, "")
        contains(errors, f"{len(self.numbers)} lines")
        equal(self.run.returncode, 7, "its exit code")


@suite.case
def a_program_runs_and_ends(s):
    with Pool(s, depots=2, nodes=1) as pool:
        talk = Talk(pool, range(1, 6))
        talk.say()
        talk.end()


@suite.case
def its_node_is_killed_again_and_again(s):
    with Pool(s, depots=2, nodes=2) as pool:
        talk = Talk(pool, range(10, 18))
        for _ in range(4):
            talk.say()
            node = talk.node()
            slot, runner = talk.slot()
            pool.parts[node].kill(signal.SIGKILL)
            wait_until(lambda: not any(pathlib.Path(f"/proc/{p}/fd").exists()
                                       and b"tern" in command(p)[0] for p in (slot, runner)),
                       "slot and runner end with their node")
            talk.say()
            check(talk.node() != node, "it goes on elsewhere", node)
            pool.node(node)
        talk.end()


@suite.case
def its_slot_or_its_runner_is_killed(s):
    with Pool(s, depots=1, nodes=2) as pool:
        talk = Talk(pool, range(20, 26))
        talk.say()
        pathlib.os.kill(talk.slot()[0], signal.SIGKILL)
        talk.say()
        pathlib.os.kill(talk.slot()[1], signal.SIGKILL)
        talk.say()
        talk.end()


@suite.case
def its_node_leaves(s):
    with Pool(s, depots=2, nodes=2) as pool:
        talk = Talk(pool, range(30, 36))
        talk.say()
        node = talk.node()
        equal(pool.parts[node].kill(signal.SIGTERM), 0, "the node's exit code")
        talk.say()
        check(talk.node() != node, "it goes on elsewhere", node)
        talk.end()
        row = pool.json("ps", "--all")["tasks"][0]
        equal((row["moves"], row["losses"]), (1, 0), "moves and losses")


@suite.case
def it_is_moved(s):
    with Pool(s, depots=2, nodes=2) as pool:
        talk = Talk(pool, range(40, 46))
        for _ in range(2):
            talk.say()
            node = talk.node()
            # The slot that it was in before may not be free at once.
            wait_until(lambda: pool.tern("migrate", "t1").returncode == 0, "it may move")
            wait_until(lambda: talk.node() != node, "it is on the other node")
        talk.end()


@suite.case
def a_depot_is_killed(s):
    with Pool(s, depots=3, nodes=2) as pool:
        talk = Talk(pool, range(50, 56))
        talk.say()
        pool.parts["d1"].kill(signal.SIGKILL)
        talk.say()
        pool.parts[talk.node()].kill(signal.SIGKILL)
        talk.say()
        talk.end()


def installed(pool, env):
    """A copy of tern, with its runner beside it unless the environment names one."""
    place = pool.dir / "bin"
    place.mkdir()
    shutil.copy(TERN, place / "tern")
    runner = pathlib.Path(TERN).parent / "../runner/tern-runner"
    if "TERN_RUNNER" not in env:
        shutil.copy(runner, place / "tern-runner")
    return place


@suite.case
def its_executable_is_replaced(s):
    with Pool(s, depots=1, nodes=0) as pool:
        env = pool.env()
        place = installed(pool, env)
        command = [place / "tern", "node", "--agent", pool.at, "--name", "n", "--slots", "1",
                   "--state", pool.dir / "n"]
        node = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        pool.parts["n"] = Part("n", node, node.stdout.readline())
        (place / "tern").unlink()
        shutil.copy(TERN, place / "tern")
        r = pool.tern("run", s.program("talk.c"), "exit", 3)
        equal((r.returncode, r.stderr), (3, ""))
        pool.parts["n"].kill(signal.SIGTERM)
        if "TERN_RUNNER" in env:
            return
        (place / "tern-runner").unlink()
        r = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        equal(r.returncode, 1, "without a runner")
        clean_error(r, "tern-runner was not found")


@suite.case
def what_cannot_be_is_said(s):
    with Pool(s, depots=1, nodes=1) as pool:
        def node(*words):
            return pool.tern("node", "--agent", pool.at, *words)

        clean_error(node("--name", "a b"), "letters, digits")
        clean_error(node("--slots", "0"), "--slots is how many")
        clean_error(node("--name", "other", "--state", pool.dir / "n1"), "node")  # has it open
        equal(node("--name", "a b").returncode, 2)
        r = pool.tern("slot", "0")
        equal(r.returncode, 2)
        clean_error(r, "for tern node to start")


suite.run()
