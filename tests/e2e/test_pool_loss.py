#!/usr/bin/env python3
"""Parts of a pool are killed, and whoever waits for a program does not see more than a delay."""
import os
import os
import pty
import signal
import subprocess

from pool import Pool, wait_until
from tap import PATIENCE_S, Suite, contains, equal

suite = Suite()


class Echo:
    """tern run of a program that answers each line, held by a test at both ends."""

    def __init__(self, pool, program, *options):
        self.pool, self.n = pool, 0
        self.process = pool.begin("run", *options, program, "echo", stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def tell(self, word):
        self.n += 1
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def hear(self, word):
        equal(self.process.stdout.readline(), f"{self.n} {word}\n")

    def say(self, word):
        self.tell(word)
        self.hear(word)

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


def begin_again(pool, *names):
    """Whatever there was under these names, agent, depots, nodes: in that order."""
    for name in sorted(names):
        if name == "agent":
            pool.agent()
        elif name.startswith("d"):
            pool.depot(name)
        else:
            pool.node(name)


@suite.case
def the_agent_is_killed(s):
    with Pool(s, depots=2, nodes=1) as pool:
        echo = Echo(pool, s.program("lines.c"))
        echo.say("one")
        for n in range(6):
            pool.parts["agent"].kill()
            if n % 2:
                echo.tell(f"away {n}")
            pool.agent()
            if n % 2:
                echo.hear(f"away {n}")
            echo.say(f"after {n}")
        echo.end()


@suite.case
def a_depot_is_killed_and_comes_back(s):
    for depots in (1, 2):
        with Pool(s, depots=depots, nodes=1) as pool:
            echo = Echo(pool, s.program("lines.c"))
            echo.say("one")
            for n in range(4):
                name = f"d{n % depots + 1}"
                pool.parts[name].kill()
                echo.tell(f"away {n}")
                pool.depot(name)
                echo.hear(f"away {n}")
                echo.say(f"after {n}")
            echo.end()


@suite.case
def a_depot_is_killed_for_good(s):
    for name in ("d1", "d2"):
        with Pool(s, depots=2, nodes=1) as pool:
            echo = Echo(pool, s.program("lines.c"))
            echo.say("one")
            pool.parts[name].kill()
            for word in ("two", "three", "four"):
                echo.say(word)
            node = echo.task()["node"]
            pool.parts[node].kill()
            pool.node(node)
            echo.say("five")
            echo.end()


@suite.case
def a_terminal_is_served_without_its_relay(s):
    for name in ("d1", "d2"):
        with Pool(s, depots=2, nodes=1) as pool:
            leader, follower = pty.openpty()
            run = pool.begin("run", s.program("lines.c"), "echo", stdin=subprocess.PIPE,
                             stdout=follower, stderr=subprocess.DEVNULL)
            os.close(follower)
            with open(leader, "rb") as shown:
                for n, word in enumerate(("one", "two", "three", "four"), 1):
                    run.stdin.write(f"{word}\n".encode())
                    run.stdin.flush()
                    equal(shown.readline(), f"{n} {word}\r\n".encode())
                    if n == 1:
                        pool.parts[name].kill()
                run.stdin.close()
                equal(run.wait(PATIENCE_S), 0)


@suite.case
def all_are_killed_at_once(s):
    with Pool(s, depots=2, nodes=2) as pool:
        echo = Echo(pool, s.program("lines.c"))
        echo.say("one")
        for n in range(4):
            for part in pool.parts.values():
                part.process.kill()
            for part in pool.parts.values():
                part.process.wait(PATIENCE_S)
            if n % 2:
                echo.tell(f"away {n}")
            begin_again(pool, *pool.parts)
            if n % 2:
                echo.hear(f"away {n}")
            echo.say(f"after {n}")
        echo.end()


@suite.case
def all_are_killed_while_it_works(s):
    with Pool(s, depots=2, nodes=2) as pool:
        program = s.program("lines.c")
        expected = s.tern("exec", program, "work", 60).stdout
        run = pool.begin("run", program, "work", 60, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        seen = run.stdout.readline()
        for part in list(pool.parts.values()):
            part.process.kill()
        for part in list(pool.parts.values()):
            part.process.wait(PATIENCE_S)
        begin_again(pool, *pool.parts)
        equal(seen + run.stdout.read(), expected)
        contains(run.stderr.read(), "worked\n")
        equal(run.wait(PATIENCE_S), 0)


@suite.case
def the_terminal_of_the_client_goes_away(s):
    with Pool(s, depots=1, nodes=1) as pool:
        echo = Echo(pool, s.program("lines.c"))
        echo.say("one")
        task = echo.task()["id"]
        echo.process.send_signal(signal.SIGHUP)
        echo.process.wait(PATIENCE_S)  # before communicate, which ends its input
        out, err = echo.process.communicate()
        equal((echo.process.returncode, out), (75, ""))
        contains(err, f"tern attach {task}")
        equal(pool.json("show", task)["state"], "running")
        attached = pool.begin("attach", task, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
        equal(attached.stdout.readline(), "1 one\n")
        attached.kill()
        attached.communicate()
        equal(pool.tern("cancel", task).returncode, 0)


@suite.case
def what_goes_on_without_its_terminal_is_seen_later(s):
    with Pool(s, depots=1, nodes=1) as pool:
        program = s.program("lines.c")
        expected = s.tern("exec", program, "work", 80).stdout
        run = pool.begin("run", program, "work", 80, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        equal(run.stdout.readline(), expected.splitlines(keepends=True)[0])
        task = pool.json("ps")["tasks"][0]["id"]
        run.send_signal(signal.SIGHUP)
        run.stdout.read()
        contains(run.stderr.read(), f"tern attach {task}")
        equal(run.wait(PATIENCE_S), 75)
        attached = pool.tern("attach", task)
        equal((attached.returncode, attached.stdout), (0, expected))
        contains(attached.stderr, "worked\n")


@suite.case
def whoever_is_written_to_may_have_died(s):
    with Pool(s, depots=1, nodes=1) as pool:
        echo = Echo(pool, s.program("lines.c"))
        echo.say("one")
        for part in pool.parts.values():
            part.process.send_signal(signal.SIGPIPE)  # what a write to a dead peer brings
        echo.say("two")
        echo.end()
        equal({name: part.process.poll() for name, part in pool.parts.items()},
              {"agent": None, "d1": None, "n1": None})
        equal(pool.json("show", "t1")["losses"], 0)


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
