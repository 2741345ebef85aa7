"""Real pools for end-to-end tests: agent, depots and nodes as processes in a folder of their own."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile

from tap import PATIENCE_S, TERN, Failed, check


class Part:
    """A daemon; its ready line has been read."""

    def __init__(self, name, process, ready):
        self.name, self.process, self.ready = name, process, ready

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


class Pool:
    def __init__(self, suite, depots=1, nodes=1, slots=1):
        self.suite = suite
        # A Unix socket's path has at most 107 bytes: not beneath the suite's folder.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tp-"))
        self.at = f"unix:{self.dir}/agent.sock"
        self.parts = {}
        self.agent()
        for n in range(1, depots + 1):
            self.depot(f"d{n}")
        for n in range(1, nodes + 1):
            self.node(f"n{n}", slots)

    def env(self, **more):
        return self.suite.env(TERN_POOL=self.at, TERN_AGENT=self.at, XDG_RUNTIME_DIR=self.dir,
                              XDG_STATE_HOME=self.dir / "state", **more)

    def start(self, name, *words):
        log = open(self.dir / f"{name}.log", "ab")
        process = subprocess.Popen([TERN, *map(str, words)], env=self.env(), stdout=subprocess.PIPE,
                                   stderr=log, stdin=subprocess.DEVNULL, text=True)
        log.close()
        ready = process.stdout.readline()
        if not ready.startswith("ready"):
            process.wait(PATIENCE_S)
            raise Failed(f"{name} did not begin: {(self.dir / f'{name}.log').read_text()}")
        self.parts[name] = Part(name, process, ready)
        return self.parts[name]

    def agent(self):
        return self.start("agent", "agent", "--listen", self.at, "--state", self.dir / "agent")

    def depot(self, name, *words):
        return self.start(name, "depot", "--agent", self.at, "--name", name, "--dir",
                          self.dir / name, *words)

    def node(self, name, slots=1, *words):
        return self.start(name, "node", "--agent", self.at, "--name", name, "--slots", slots,
                          "--state", self.dir / name, *words)

    def tern(self, *words, **more):
        env = more.pop("env", None) or self.env()
        return self.suite.tern(*words, env=env, **more)

    def begin(self, *words, **more):
        """In the background."""
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([TERN, *map(str, words)], env=self.env(), **more)

    def json(self, *words):
        r = self.tern(*words, "--json")
        check(r.returncode == 0, f"tern {' '.join(map(str, words))} --json", r)
        return json.loads(r.stdout)

    def submit(self, *words):
        r = self.tern("submit", *words)
        check(r.returncode == 0 and r.stdout.startswith("t"), "submitted", r)
        return r.stdout.strip()

    def end(self):
        for part in self.parts.values():
            if part.process.poll() is None:
                part.process.terminate()
        for part in self.parts.values():
            try:
                part.process.wait(30)
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()
        subprocess.run(["rm", "-rf", str(self.dir)], check=False)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            for log in sorted(self.dir.glob("*.log")):
                for line in log.read_text(errors="replace").splitlines()[-20:]:
                    print(f"# {log.stem}: {line}", flush=True)
        self.end()


def wait_until(condition, what):
    """For what a daemon does by and by; each look is a question to it, which takes its time."""
    for _ in range(2000):
        if condition():
            return
        os.sched_yield()
    raise Failed(f"it never came to be: {what}")
