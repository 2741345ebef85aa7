"""tern up: a whole pool in one process tree, what becomes of it when parts of it are killed."""
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import tap
from tap import check, clean_error, contains, equal

suite = tap.Suite()


class Pool:
    """tern up in directories of its own."""

    def __init__(self, s, name):
        self.suite = s
        self.dir = s.dir / name
        for part in ("run", "state"):
            (self.dir / part).mkdir(parents=True, mode=0o700)
        self.env = s.env(XDG_RUNTIME_DIR=self.dir / "run", XDG_STATE_HOME=self.dir / "state")
        for variable in ("TERN_AGENT", "TERN_POOL", "TERN_TOKEN"):
            self.env.pop(variable, None)
        self.up = None

    def start(self, *words):
        self.up = self.suite.start("up", *words, env=self.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        line = self.up.stdout.readline()
        check(line.startswith("ready: pool at "), "a ready line",
              line or self.up.stderr.read())
        return line

    def end(self):
        self.up.send_signal(signal.SIGTERM)
        self.up.communicate(timeout=tap.PATIENCE_S)
        return self.up.returncode

    def tern(self, *words, **more):
        return self.suite.tern(*words, env=self.env, **more)

    def children(self):
        """Processes of the pool, by what they are: {"agent": pid, "node-1": pid, ...}."""
        found = {}
        with open(f"/proc/{self.up.pid}/task/{self.up.pid}/children") as file:
            for pid in map(int, file.read().split()):
                words = command_line(pid)
                if len(words) > 1:
                    named = "--name" in words
                    found[words[words.index("--name") + 1] if named else words[1]] = pid
        return found

    def wait_line(self, part):
        for line in self.up.stderr:
            if part in line:
                return line
        raise tap.Failed(f"tern up ended without saying {part!r}")

    def task(self, name):
        rows = json.loads(self.tern("ps", "--all", "--json").stdout)
        return [row for row in rows.get("tasks", rows) if name in json.dumps(row)]


def drain(stream):
    """Nobody looks at it, and it must not fill up."""
    threading.Thread(target=stream.read, daemon=True).start()


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().split("\0")
    except FileNotFoundError:
        return []


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def wait_gone(pids):
    """By looking, up to the usual patience: they are not our children."""
    deadline = time.monotonic() + tap.PATIENCE_S
    while not all(map(gone, pids)):
        check(time.monotonic() < deadline, "processes end", list(pids))
        os.sched_yield()


@suite.case
def a_program_runs_and_the_pool_remembers(s):
    pool = Pool(s, "remembers")
    line = pool.start("--nodes", "2", "--slots", "1")
    contains(line, "2 nodes with 1 slot each, 2 depots")
    equal(sorted(pool.children()), ["agent", "depot-1", "depot-2", "node-1", "node-2"])
    result = pool.tern("run", s.program("echo.c"), "a word", input="some input\n")
    equal(result.returncode, 7, result.stderr)
    equal(result.stdout, "a word\nsome input\n")
    equal(pool.end(), 0, "exit code")
    pool.start("--nodes", "2", "--slots", "1")
    contains(pool.tern("show", "t1").stdout, "exit 7")
    contains(pool.tern("run", s.program("echo.c"), "again", input="").stdout, "again")
    contains(pool.tern("show", "t2").stdout, "exit 7")
    equal(pool.end(), 0, "exit code")


@suite.case
def whatever_is_killed_comes_back(s):
    pool = Pool(s, "killed")
    pool.start("--nodes", "2", "--slots", "1")
    for name in ("node-1", "depot-2", "agent"):
        before = pool.children()[name]
        os.kill(before, signal.SIGKILL)
        pool.wait_line(f"{name} is back")
        check(pool.children()[name] != before, f"a new {name}", before)
        result = pool.tern("run", s.program("echo.c"), name, input="x")
        equal(result.returncode, 7, result.stderr)
        equal(result.stdout, name + "\nx")
    equal(pool.end(), 0, "exit code")


@suite.case
def a_task_goes_on_after_everything_was_stopped(s):
    pool = Pool(s, "goes-on")
    pool.start("--slots", "1")
    program = s.program("count_up.c")
    expected = s.tern("exec", program, "60").stdout
    submitted = pool.tern("submit", program, "60")
    equal(submitted.returncode, 0, submitted.stderr)
    task = re.search(r"t\d+", submitted.stdout)[0]
    follow = s.start("logs", "-f", task, env=pool.env, stdout=subprocess.PIPE, text=True)
    check(follow.stdout.readline() != "", "it has begun")
    follow.kill()
    follow.communicate()
    equal(pool.end(), 0, "exit code")
    pool.start("--slots", "1")
    waited = pool.tern("wait", task)
    equal(waited.returncode, 0, waited.stderr)
    equal(pool.tern("logs", task).stdout, expected, "the output")
    equal(pool.end(), 0, "exit code")


@suite.case
def each_result_once_whatever_is_killed(s):
    pool = Pool(s, "once")
    items, dice = 120, random.Random(4)
    pool.start("--nodes", "2", "--slots", "1")
    drain(pool.up.stderr)
    program = s.program("echo.c")
    job = s.start("map", "--range", f"1..{items}", program, "item {}", env=pool.env,
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    drain(job.stderr)
    seen = []
    for line in job.stdout:
        seen.append(line)
        if len(seen) % 10 == 5:  # its results come in order: most of the rest is under way
            children = pool.children()
            if children:  # else the last of them is not started again yet
                os.kill(children[dice.choice(sorted(children))], signal.SIGKILL)
    job.wait(tap.PATIENCE_S)
    equal(seen, [f"item {n}\n" for n in range(1, items + 1)], "results")
    equal(pool.end(), 0, "exit code")


@suite.case
def everything_killed_at_once(s):
    pool = Pool(s, "at-once")
    pool.start("--nodes", "2", "--slots", "1")
    submitted = pool.tern("submit", s.program("count_up.c"), "5")
    task = re.search(r"t\d+", submitted.stdout)[0]
    children = list(pool.children().values())
    for pid in (*children, pool.up.pid):
        os.kill(pid, signal.SIGKILL)
    pool.up.communicate()
    wait_gone(children)
    pool.start("--nodes", "2", "--slots", "1")
    waited = pool.tern("wait", task)
    equal(waited.returncode, 0, waited.stderr)
    equal(pool.tern("logs", task).stdout, s.tern("exec", s.program("count_up.c"), "5").stdout)
    equal(pool.end(), 0, "exit code")


@suite.case
def children_end_with_their_parent(s):
    pool = Pool(s, "orphans")
    pool.start("--slots", "1")
    pids = list(pool.children().values())
    equal(len(pids), 4)
    pool.up.kill()
    pool.up.communicate()
    wait_gone(pids)
    pool.start("--slots", "1")
    equal(pool.end(), 0, "exit code")


@suite.case
def one_pool_at_a_time(s):
    pool = Pool(s, "twice")
    pool.start("--slots", "1")
    second = pool.tern("up")
    equal(second.returncode, 1)
    clean_error(second, "another agent holds")
    equal(pool.end(), 0, "exit code")


@suite.case
def wrong_numbers(s):
    for words in (["--nodes", "0"], ["--nodes", "many"], ["--slots", "-1"], ["--slots", "1000000"]):
        result = s.tern("up", *words)
        equal(result.returncode, 2)
        clean_error(result, words[0], words[1])


suite.run()
