"""A program in a checkpoint directory, for the tests of stopping and going on."""
import os
import random
import re
import signal
import struct
import subprocess

from tap import check, equal

PIPE_BYTES = 4096  # small: a program that prints waits for its reader soon
STOPPED = 75


# ---- A program in a checkpoint directory ----

class Program:
    """tern exec --checkpoint or tern resume, its output through a small pipe."""

    def __init__(self, s, state, *words, env=None, **more):
        self.state = state
        self.process = s.start(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               pipesize=PIPE_BYTES, **more)
        self.seen = b""

    @property
    def pid(self):
        return self.process.pid

    def read(self):
        """Some more; False at the end."""
        part = os.read(self.process.stdout.fileno(), PIPE_BYTES)
        self.seen += part
        return bool(part)

    def lines(self, count):
        """Reads until there are so many lines in all."""
        while self.seen.count(b"\n") < count:
            check(self.read(), "more output", (self.seen[-200:], self.process.poll()))
        return self

    def wait_for_commit(self, before):
        """Without reading: a program that waits for its reader can be stopped, too."""
        while commits(self.state) <= before:
            check(self.process.poll() is None, "that it lives", self.seen[-200:])
            os.sched_yield()
        return self

    def commit(self, count):
        """Waits for so many more checkpoints, and reads a little after each."""
        for _ in range(count):
            self.wait_for_commit(commits(self.state))
            check(self.read(), "more output", self.seen[-200:])
        return self

    def send(self, number):
        self.process.send_signal(number)
        return self

    def type(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()
        return self

    def close(self):
        self.process.stdin.close()
        self.process.stdin = None
        return self

    def end(self):
        """To its end: (exit code, standard error); the output is in seen. Its input stays open."""
        stdin, self.process.stdin = self.process.stdin, None
        out, said = self.process.communicate()
        if stdin:
            stdin.close()
        self.seen += out
        return self.process.returncode, said.decode()

    def stop(self, number=signal.SIGTERM):
        """It cannot come to its end while nobody reads: so it is stopped before."""
        self.send(number).process.wait()
        code, said = self.end()
        equal(code, STOPPED, f"the exit code ({said})")
        equal(len(said.splitlines()), 1, said)
        check(re.fullmatch(rf"tern: stopped at checkpoint \d+; to go on: tern resume "
                           rf"{self.state}\n", said), "one clear line", said)
        return self.seen


def start(s, state, *words, options=(), module=None, **more):
    return Program(s, state, "exec", "--checkpoint", state, *options, module or s.program("lift.c"),
                   *words, **more)


def resume(s, state, **more):
    return Program(s, state, "resume", state, **more)


def new(s, number=[0]):
    """A checkpoint directory that is not there yet."""
    number[0] += 1
    return s.dir / f"state-{number[0]}"


def whole(s, *words, **more):
    """What one run prints."""
    r = s.tern("exec", s.program("lift.c"), *words, **more)
    equal(r.stderr, "")
    return r.stdout.encode()


def runner_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        [child] = f.read().split()
    return int(child)


def commits(state):
    """How many transactions the index of a store has seen: it is an LMDB file."""
    try:
        head = (state / "index").read_bytes()[:8192]
    except FileNotFoundError:
        return 0
    numbers = [struct.unpack_from("<Q", head, at + 16 + 128)[0]
               for at in (0, 4096) if len(head) >= at + 4096]
    return max(numbers, default=0)


def same(seen, wanted, what):
    if seen != wanted:
        at = next((i for i, (a, b) in enumerate(zip(seen, wanted)) if a != b),
                  min(len(seen), len(wanted)))
        check(False, f"{what}: the parts should give what one run gives; differs at byte {at}",
              (seen[max(0, at - 60):at + 60], wanted[max(0, at - 60):at + 60]))


def random_moments():
    seed = int(os.environ.get("TERN_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"# TERN_SEED={seed}", flush=True)
    return random.Random(seed)


def stop_and_go_on(s, words, stops=2, after=3, **more):
    """Stops it so often, each time some lines further; all that the parts print."""
    state = new(s)
    p = start(s, state, *words, **more)
    out = b""
    for _ in range(stops):
        out += p.lines(after).stop()
        p = resume(s, state)
    equal(p.end(), (0, ""), f"the last part of {words}")
    return out + p.seen
