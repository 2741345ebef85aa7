"""A pool on this machine: tasks a second, answers, queues, data, and how long work stands still when
its node is killed or it is moved; beside them what other tools, a socket and the disk do here."""
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import engines

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1 << 20
NOOP = "int main(void) { return 0; }\n"
DASK = """
import sys, time
from distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as c:
        with Client(c) as client:
            client.gather(client.map(int, range(100), pure=False))
            before = time.monotonic()
            client.gather(client.map(int, range(int(sys.argv[1])), pure=False))
            print(time.monotonic() - before)
"""


class Pool:
    """Agent, depots and nodes in a folder of their own; ended by their ids."""

    def __init__(self, tern, folder, depots=2, nodes=1, slots=2):
        self.tern, self.parts = tern, {}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tb-"))
        self.at = f"unix:{self.dir}/agent"
        self.env = {**os.environ, "TERN_POOL": self.at, "TERN_AGENT": self.at,
                    "XDG_RUNTIME_DIR": str(self.dir), "XDG_STATE_HOME": str(self.dir / "state"),
                    "TERN_CACHE_DIR": str(folder / "cache")}
        self.start("agent", "agent", "--listen", self.at, "--state", self.dir / "agent.d")
        for n in range(depots):
            self.start(f"depot-{n}", "depot", "--name", f"depot-{n}", "--dir", self.dir / f"depot-{n}")
        for n in range(nodes):
            self.node(f"node-{n}", slots)

    def node(self, name, slots):
        self.start(name, "node", "--name", name, "--slots", slots, "--state", self.dir / name)

    def start(self, name, *words):
        with open(self.dir / f"{name}.log", "wb") as log:
            p = subprocess.Popen([str(self.tern), *map(str, words)], env=self.env, stderr=log,
                                 stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        if not p.stdout.readline().startswith("ready"):
            raise engines.BuildError((self.dir / f"{name}.log").read_text())
        self.parts[name] = p

    def kill(self, name):
        self.parts[name].kill()
        self.parts.pop(name).wait()

    def end(self):
        for name in sorted(self.parts, reverse=True):  # nodes, depots, then the agent
            self.parts[name].send_signal(signal.SIGTERM)
        for p in self.parts.values():
            p.wait(120)
        shutil.rmtree(self.dir)

    def run(self, *words, **more):
        return subprocess.run([str(w) for w in words], env=self.env, check=True, text=True,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, **more).stdout

    def numbers(self, *words):
        return [float(line) for line in self.run(*words).split()]

    def show(self, task):
        return json.loads(self.run(self.tern, "show", task, "--json"))

    def rss_kib(self, name):
        with open(f"/proc/{self.parts[name].pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def seconds(command, **more):
    before = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)
    return time.monotonic() - before


def dask_seconds(count):
    """None where there is no Dask."""
    done = subprocess.run(["/usr/bin/python3", "-c", DASK, str(count)], capture_output=True, text=True,
                          check=False)
    return float(done.stdout) if done.returncode == 0 else None


def rates(tern, client, noop, folder, quick):
    count = 500 if quick else 20000
    pool = Pool(tern, folder)
    try:
        pool.run(client, "rate", noop, 50)
        tasks = pool.numbers(client, "rate", noop, count)[0]
        answers = sorted(pool.numbers(client, "latency", noop, 50 if quick else 1000))
    finally:
        pool.end()
    native = folder / "noop.native"
    engines.run(["gcc", "-O2", folder / "noop.c", "-o", native])
    few = min(count, 4000)
    xargs = seconds(["sh", "-c", f"seq {few} | xargs -P2 -n1 {native}"])
    dask = dask_seconds(few)
    row = {"count": count, "tasks_per_s": count / tasks, "xargs_per_s": few / xargs,
           "dask_per_s": few / dask if dask else None, "median_us": statistics.median(answers),
           "p99_us": answers[int(0.99 * len(answers))]}
    print(f"no-op tasks a second, 2 slots, durable: {row['tasks_per_s']:.0f}; xargs -P2 of a native "
          f"no-op {row['xargs_per_s']:.0f}; Dask, 2 threads "
          + (f"{row['dask_per_s']:.0f}" if dask else "not here"))
    print(f"from submit to result: median {row['median_us']:.0f} us, 99 % {row['p99_us']:.0f} us")
    return row


def queue(tern, client, noop, folder, quick):
    """Tasks that no node is there for."""
    rows = []
    for count in (1000, 10000) if quick else (100000, 1000000):
        pool = Pool(tern, folder, nodes=0)
        try:
            before = pool.rss_kib("agent")
            spent = seconds([str(client), "submit", str(noop), str(count)], env=pool.env)
            used = (pool.rss_kib("agent") - before) * 1024 / count
        finally:
            pool.end()
        rows.append({"count": count, "bytes_each": used, "submits_per_s": count / spent})
        print(f"{count} queued tasks: {used:.0f} bytes of the agent's memory each, "
              f"{count / spent:.0f} accepted a second")
    return rows


def raw_seconds(size):
    """So many bytes through a TCP connection of this machine."""
    server = socket.create_server(("127.0.0.1", 0))
    block, got = bytes(MIB), [0]

    def read():
        connection = server.accept()[0]
        room = bytearray(MIB)
        while got[0] < size:
            got[0] += connection.recv_into(room)
        connection.sendall(b"x")

    reader = threading.Thread(target=read)
    reader.start()
    out = socket.create_connection(server.getsockname())
    before = time.monotonic()
    for _ in range(size // MIB):
        out.sendall(block)
    out.recv(1)
    spent = time.monotonic() - before
    reader.join()
    return spent


def data(tern, client, folder, quick):
    rows = []
    pool = Pool(tern, folder, nodes=0)
    try:
        for mib in (8,) if quick else (64, 512):
            put, get = pool.numbers(client, "put", mib * MIB)
            raw = raw_seconds(mib * MIB)
            rows.append({"mib": mib, "put_s": put, "get_s": get, "raw_s": raw})
            print(f"{mib} MiB: into two depots {put:.2f} s, back {get:.2f} s; raw TCP {raw:.2f} s")
    finally:
        pool.end()
    return rows


class Lines:
    """A task that answers a line with a line, by `tern run` on a terminal: bytes come at once."""

    def __init__(self, pool, module, mib):
        self.pool = pool
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [str(pool.tern), "run", "--every", "1h", str(module), str(mib)], env=pool.env, text=True,
            stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.DEVNULL, bufsize=1)
        os.close(theirs)
        self.answers = open(ours, encoding="ascii")

    def ask(self, percent):
        before = time.monotonic()
        self.process.stdin.write(f"{percent}\n")
        self.process.stdin.flush()
        if not self.answers.readline():
            raise engines.BuildError(f"the program ended with {self.process.wait()}")
        return 1000 * (time.monotonic() - before)

    def task(self):
        return json.loads(self.pool.run(self.pool.tern, "ps", "--json"))["tasks"][0]["id"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


def newest(pool, task):
    taken = pool.show(task)["checkpoints"]
    return taken[-1]["checkpoint"] if taken else 0


def checkpoint(pool, task):
    """One more, when it counts."""
    before = newest(pool, task)
    pool.run(pool.tern, "checkpoint", task)
    while newest(pool, task) == before:
        time.sleep(0.02)


def moving(tern, module, folder, quick):
    """A program of 256 MiB: checkpoints, its node killed, then moved by order."""
    mib = 16 if quick else 256
    pool = Pool(tern, folder, nodes=2, slots=1)
    try:
        p = Lines(pool, module, mib)
        p.ask(0)
        task = p.task()
        checkpoint(pool, task)
        p.ask(1)
        checkpoint(pool, task)
        last = pool.show(task)["checkpoints"][-1]
        idle = p.ask(0)
        at = pool.show(task)["node"]
        before = time.monotonic()
        pool.kill(at)
        p.ask(0)
        killed = 1000 * (time.monotonic() - before)
        pool.node(at, 1)
        pool.run(tern, "migrate", task)
        waits = []
        while pool.show(task)["moves"] == 0:
            waits.append(p.ask(0))
        waits.append(p.ask(0))
        p.end()
    finally:
        pool.end()
    row = {"mib": mib, "answer_ms": idle, "killed_ms": killed, "moved_ms": max(waits),
           "pause_ms": last["pause_ns"] / 1e6, "sent_bytes": last["sent_bytes"],
           "image_bytes": last["image_bytes"]}
    print(f"{mib} MiB, 1 % dirty: pause {row['pause_ms']:.1f} ms, {row['sent_bytes'] / MIB:.2f} MiB sent "
          f"to each depot; an answer takes {idle:.0f} ms, over kill -9 of the node {killed:.0f} ms, "
          f"over a move at most {row['moved_ms']:.0f} ms")
    return row


def measure(tern, folder, quick):
    work = folder / "pool"
    work.mkdir(exist_ok=True)
    (work / "noop.c").write_text(NOOP)
    noop, pages, client = work / "noop.wasm", work / "pages.wasm", work / "pool_client"
    engines.run([tern, "cc", work / "noop.c", "-o", noop])
    engines.run([tern, "cc", HERE / "checkpoint_pages.c", "-o", pages])
    library = pathlib.Path(tern).resolve().parent.parent / "lib"
    engines.run(["gcc", "-O2", f"-I{HERE.parent / 'include'}", HERE / "pool_client.c", "-o", client,
                 library / "libtern.so", f"-Wl,-rpath,{library}"])
    print("\na pool on this machine")
    return {"rates": rates(tern, client, noop, work, quick),
            "queue": queue(tern, client, noop, work, quick),
            "data": data(tern, client, work, quick),
            "moving": moving(tern, pages, work, quick)}


if __name__ == "__main__":
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    (build / "bench").mkdir(exist_ok=True)
    print(json.dumps(measure(build / "tern", build / "bench", "--quick" in sys.argv), indent=2))
