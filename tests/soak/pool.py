#!/usr/bin/env python3
"""Each task ends once, with the right output, whatever is killed: a pool of real processes.

One agent, two depots and four nodes on sockets of this machine are given tasks of three kinds (task.c):
that do nothing, that compute and print, that read and write files. Meanwhile nodes are killed with -9 and
started again, and so are the agent and a depot now and then, at moments that are drawn: each when
so many tasks have ended. What is right is said by task.c built for this machine. At the end all tasks
must have ended once and with these bytes, the journal's history must say the same, and no process, file
or socket may be left.

usage: pool.py --build FOLDER [--tasks N] [--seed S] [--tap]
"""
import argparse
import ctypes
import json
import os
import pathlib
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "tools"), str(HERE.parent / "e2e")]
from record import record  # noqa: E402

NODES = [f"n{n}" for n in range(1, 5)]
DEPOTS = ["d1", "d2"]
KINDS = {"noop": 0.4, "compute": 0.35, "files": 0.25}  # parts of all tasks
BATCH_MAX = 50  # tasks of a job
CLIENTS = 4  # at a time
INPUT_BYTES = 100_000
EVERY = "150ms"  # most work that may be lost
HANGS_S = 3600
SHORT_HANGS_S = 150  # as a test of the suite
UNREACHABLE = 3  # exit code
PR_SET_CHILD_SUBREAPER = 36


class Wrong(Exception):
    """What was promised does not hold."""


class Answers:
    """What each task must say, by the same program built for this machine."""

    def __init__(self, folder, classes):
        self.folder, self.classes = folder, classes
        self.exe = folder / "task"
        subprocess.run(["cc", "-O2", f"-DCLASSES={classes}", str(HERE / "task.c"), "-o", str(self.exe)], check=True)
        (folder / "in.txt").write_bytes(random.Random(1).randbytes(INPUT_BYTES))
        self.known = {}

    def of_class(self, kind, number):
        if (kind, number) not in self.known:
            done = subprocess.run([str(self.exe), kind, str(number)], cwd=self.folder, check=True,
                                  capture_output=True, timeout=HANGS_S)
            out = self.folder / "out.txt"
            self.known[kind, number] = (done.stdout, done.stderr,
                                        out.read_bytes() if kind == "files" else None)
        return self.known[kind, number]

    def of(self, kind, item):
        """(standard output, standard error, out.txt or None)"""
        out, error, file = self.of_class(kind, item % self.classes)
        ours, theirs = f"{item}: ".encode(), f"{item % self.classes}: ".encode()

        def name(text):
            return b"".join(ours + line[len(theirs):] for line in text.splitlines(keepends=True))
        return name(out), name(error), file


class Job:
    """tern map of one kind, for the items first..last."""

    def __init__(self, kind, first, last, folder):
        self.kind, self.first, self.last = kind, first, last
        self.name = f"{kind}-{first}"
        self.results = folder / self.name
        self.process = None

    def begin(self, pool, program, given):
        words = ["map", "--json", "--as-they-come", "--label", self.name, "--range",
                 f"{self.first}..{self.last}", "--results", self.results]
        if self.kind != "noop":
            words += ["--every", EVERY]
        if self.kind == "files":
            words += ["--in", f"in.txt=@{given}", "--out", "out.txt"]
        with open(f"{self.results}.json", "wb") as out, open(f"{self.results}.log", "ab") as log:
            self.process = pool.begin(*words, program, self.kind, stdout=out, stderr=log)

    def lines(self):
        try:
            return pathlib.Path(f"{self.results}.json").read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def ends(self):
        return [json.loads(line) for line in pathlib.Path(f"{self.results}.json").open()]

    def log(self):
        return pathlib.Path(f"{self.results}.log").read_text(errors="replace")


def jobs_of(tasks, folder, dice):
    jobs, first = [], 1
    batch = min(BATCH_MAX, tasks // 20 + 1)
    for kind, part in KINDS.items():
        left = round(tasks * part)
        while left:
            count = min(left, batch)
            jobs.append(Job(kind, first, first + count - 1, folder))
            first, left = first + count, left - count
    dice.shuffle(jobs)
    return jobs


def children_left():
    """Of this process, which those become ours whose parent has died; None of them is waited for."""
    for _ in range(250):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return []
        time.sleep(0.02)
    pids = pathlib.Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in pids]


class Soak:
    def __init__(self, options, suite, pool):
        self.suite, self.pool, self.dice = suite, pool, random.Random(options.seed)
        self.folder = suite.dir / "soak"
        self.folder.mkdir()
        self.answers = Answers(self.folder, options.classes)
        self.program = suite.dir / "task.wasm"
        self.made(suite.tern("cc", f"-DCLASSES={options.classes}", HERE / "task.c", "-o",
                             self.program))
        self.jobs = jobs_of(options.tasks, self.folder, self.dice)
        self.tasks = sum(job.last - job.first + 1 for job in self.jobs)
        self.waiting, self.running = list(self.jobs), []
        self.faults = self.drawn_faults(options)
        self.killed = {"node": 0, "agent": 0, "depot": 0}
        self.node_kills = []  # (node, agent time)
        self.passed, self.wrong, self.delays, self.losses = 0, [], [], 0
        self.hangs_s = SHORT_HANGS_S if options.tap else HANGS_S
        self.temporary = pathlib.Path(os.environ["TMPDIR"])

    @staticmethod
    def made(done):
        if done.returncode:
            raise Wrong(f"{done.args}: {done.stderr}")

    def drawn_faults(self, options):
        """(when so many tasks have ended, whom), soonest first."""
        kills = {"node": options.node_kills, "agent": options.agent_kills,
                 "depot": options.depot_kills}
        return sorted((self.dice.randrange(self.tasks * 8 // 10), kind)
                      for kind, count in kills.items() for _ in range(count))

    # ---- Faults ----

    def agent_time(self):
        """In nanoseconds, some milliseconds ago."""
        return self.pool.json("top", "--once")["pool"]["now_ns"]

    def kill(self, kind):
        """Its name, for starting it again."""
        name = self.dice.choice({"node": NODES, "agent": ["agent"], "depot": DEPOTS}[kind])
        if kind == "node":
            self.node_kills.append((name, self.agent_time()))
        self.pool.parts[name].kill()
        self.pool.parts[name].process.stdout.close()
        self.killed[kind] += 1
        return name

    def start_again(self, name):
        if name == "agent":
            self.pool.agent()
        elif name in DEPOTS:
            self.pool.depot(name)
        else:
            self.pool.node(name)

    def strike(self, kind):
        time.sleep(self.dice.uniform(0, 0.3))
        name = self.kill(kind)
        time.sleep(self.dice.choice((0, 0.1, 0.5)))
        self.start_again(name)

    # ---- Work ----

    def ended(self):
        return sum(job.lines() for job in self.jobs)

    def begin_jobs(self):
        while self.waiting and len(self.running) < CLIENTS:
            job = self.waiting.pop()
            job.begin(self.pool, self.program, self.folder / "in.txt")
            self.running.append(job)

    def take_ended_jobs(self):
        for job in list(self.running):
            code = job.process.poll()
            if code is None:
                continue
            self.running.remove(job)
            if code == UNREACHABLE and not job.lines():
                self.waiting.append(job)  # it came while there was no agent
            elif code:
                self.wrong.append(f"tern map {job.name} ended with {code}: {job.log()[-500:]}")

    def end_clients(self):
        for job in self.running:
            job.process.kill()
            job.process.wait()

    def work(self):
        faults, told, since = list(self.faults), 0, time.monotonic()
        while self.waiting or self.running:
            if time.monotonic() - since > self.hangs_s:
                raise Wrong(f"it hangs: {self.pool.tern('ps').stdout}{self.pool.tern('nodes').stdout}")
            self.begin_jobs()
            ended = self.ended()
            if faults and faults[0][0] <= ended:
                self.strike(faults.pop(0)[1])
            else:
                time.sleep(0.02)
            self.take_ended_jobs()
            if ended >= told + 100:
                told = ended
                print(f"# {ended} of {self.tasks} ended, {self.killed}, "
                      f"{time.monotonic() - since:.0f} s", flush=True)

    # ---- What must hold ----

    def check_end(self, job, end):
        """What is wrong with it; '' if nothing is."""
        item, at = int(end["item"]), job.results / str(end["index"])
        out, error, file = self.answers.of(job.kind, item)
        if end["state"] != "done" or (end["end"] or {}).get("exit_code") != 0:
            return f"{end['state']}, {end['end']}"
        for ending, wanted in (("out", out), ("err", error), ("out.txt", file)):
            path = pathlib.Path(f"{at}.{ending}")
            seen = path.read_bytes() if path.exists() else b""
            if seen != (wanted or b""):
                return f"{ending} is {seen[:200]!r}, not {(wanted or b'')[:200]!r}"
        return ""

    def check_job(self, job):
        ends = job.ends()
        items = sorted(int(end["item"]) for end in ends)
        if items != list(range(job.first, job.last + 1)):
            self.wrong.append(f"{job.name}: not each item ended once, but {items}")
        for end in ends:
            why = self.check_end(job, end)
            if why:
                self.wrong.append(f"{job.name}, item {end['item']}, {end['id']}: {why}")
            else:
                self.passed += 1
            if end["losses"]:
                self.losses += end["losses"]
                self.add_delays(self.pool.json("show", end["id"])["attempts"])

    def add_delays(self, attempts):
        """From the kill of a node until what it ran began elsewhere, as the agent saw it."""
        for lost, next_one in zip(attempts, attempts[1:]):
            kills = [at for node, at in self.node_kills if node == lost["node"] and
                     0 < lost["begun_ns"] <= at <= lost["ended_ns"]]
            if lost["state"] == "lost" and kills and next_one["begun_ns"] > kills[-1]:
                self.delays.append((next_one["begun_ns"] - kills[-1]) / 1e9)

    def expect(self, holds, what):
        if holds:
            self.passed += 1
        else:
            self.wrong.append(what)

    def check_history(self):
        """Of the journal, after everything has ended."""
        history = sqlite3.connect(f"file:{self.pool.dir}/agent/journal.db?mode=ro", uri=True)
        rows = history.execute("SELECT label, idx, state, code FROM history ORDER BY 1, 2").fetchall()
        history.close()
        wanted = sorted((job.name, n, "done", 0) for job in self.jobs
                        for n in range(job.last - job.first + 1))
        more, less = set(rows) - set(wanted), set(wanted) - set(rows)
        self.expect(rows == wanted, f"the history has {len(rows)} rows of {len(wanted)}; more: "
                    f"{sorted(more)[:5]}, less: {sorted(less)[:5]}")

    def check_nothing_left(self):
        left = children_left()
        self.expect(not left, f"processes are left: {left}")
        sockets = [str(p) for p in self.pool.dir.rglob("*") if p.is_socket()]
        self.expect(not sockets, f"sockets are left: {sockets}")
        files = [str(p) for p in self.temporary.iterdir()]
        self.expect(not files, f"files are left: {files}")

    def go(self):
        self.work()
        for job in self.jobs:
            self.check_job(job)
        for part in self.pool.parts.values():
            part.process.terminate()
        for name, part in self.pool.parts.items():
            code = part.process.wait(60)
            self.expect(code == 0, f"{name} ended with {code}")
        self.check_history()
        self.check_nothing_left()

    # ---- What is told ----

    def seconds(self):
        """Median and worst time from kill to running elsewhere."""
        return (statistics.median(self.delays), max(self.delays)) if self.delays else (0, 0)

    def tell(self, tap):
        median, worst = self.seconds()
        kills = ", ".join(f"{count} of {kind}s" for kind, count in self.killed.items())
        print(f"# {self.tasks} tasks; killed with -9: {kills}; {self.losses} attempts lost; from kill "
              f"to running elsewhere {median:.3f} s (median of {len(self.delays)}), {worst:.3f} s (worst)")
        for why in self.wrong:
            print(f"# WRONG: {why}")
        if tap:
            print(f"1..1\n{'not ' if self.wrong else ''}ok 1 - {self.tasks} tasks, each once")
        else:
            print(f"{self.passed} passed, {len(self.wrong)} failed")
        record("pool", tasks=self.tasks, killed=self.killed, losses=self.losses,
               median_s=round(median, 3), worst_s=round(worst, 3), failed=len(self.wrong))


def take_options():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", help="a build folder (default: TERN_EXE)")
    p.add_argument("--tasks", type=int, default=1000)
    p.add_argument("--node-kills", type=int, help="(default: one for ten tasks)")
    p.add_argument("--agent-kills", type=int, default=10)
    p.add_argument("--depot-kills", type=int, default=5)
    p.add_argument("--classes", type=int, default=16, help="of tasks; a later one takes longer")
    p.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    p.add_argument("--tap", action="store_true", help="as a test of the suite")
    options = p.parse_args()
    if options.node_kills is None:
        options.node_kills = options.tasks // 10
    if options.build:
        build = pathlib.Path(options.build).resolve()
        os.environ.update(TERN_EXE=str(build / "tern"), TERN_RUNNER=str(build / "tern-runner"))
    return options


def kept(pool):
    """A folder with what tells what happened."""
    folder = tempfile.mkdtemp(prefix="tern-soak-", dir=os.environ["TMPDIR"] + "/../..")
    for file in (*pool.dir.glob("*.log"), *pool.dir.glob("agent/journal.db*")):
        shutil.copy(file, folder)
    return os.path.realpath(folder)


def run(options, suite):
    """The soak, in folders that are its own; whether all was well."""
    from tap import Failed  # pylint: disable=import-outside-toplevel
    from pool import Pool  # pylint: disable=import-outside-toplevel
    (suite.dir / "tmp").mkdir()
    os.environ["TMPDIR"] = str(suite.dir / "tmp")
    with Pool(suite, depots=len(DEPOTS), nodes=len(NODES)) as pool:
        soak = Soak(options, suite, pool)
        try:
            soak.go()
        except (Wrong, Failed, subprocess.TimeoutExpired) as wrong:
            soak.wrong.append(f"{type(wrong).__name__}: {wrong}")
        finally:
            soak.end_clients()
        soak.tell(options.tap)
        if soak.wrong:
            print(f"# logs and journal are kept in {kept(pool)}")
    return not soak.wrong


def main():
    options = take_options()
    from tap import Suite  # pylint: disable=import-outside-toplevel
    print(f"# seed {options.seed}", flush=True)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    suite = Suite()
    try:
        return 0 if run(options, suite) else 1
    finally:
        shutil.rmtree(suite.dir, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
