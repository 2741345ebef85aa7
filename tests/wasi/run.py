#!/usr/bin/env python3
"""Every WASI function, tried by programs that say 'ok': once with the kernel finding paths, once
with the runner's own walk. What lies outside of their directories must be as it was."""
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from tap import PATIENCE_S, Suite, TERN, check, equal  # noqa: E402

RUNNER = os.environ["TERN_RUNNER"]
WAYS = {"": RUNNER, ", walking": RUNNER + " --walk-paths"}
INPUT = b"some input\n"

suite = Suite()


def compiled(s, name):
    out = s.dir / f"{name}.wasm"
    if not out.exists():
        made = s.tern("cc", "-Wall", "-Wextra", HERE / f"{name}.c", "-o", out)
        check(made.returncode == 0 and not made.stderr, f"tern cc {name}.c", made.stderr)
    return out


def fresh_world(s):
    """The directories of a test, and a copy of what must not change."""
    world = s.dir / "world"
    shutil.rmtree(world, ignore_errors=True)
    (world / "lent" / "dir").mkdir(parents=True)
    (world / "outside").mkdir()
    (world / "data").mkdir()
    (world / "lent" / "file").write_text("lent")
    (world / "lent" / "link").symlink_to("file")
    (world / "outside" / "secret").write_text("secret\n")
    (world / "data" / "abs_dir").symlink_to(world / "outside")
    (world / "data" / "abs_file").symlink_to(world / "outside" / "secret")
    (world / "data" / "rel_dir").symlink_to("../outside")
    (world / "data" / "rel_file").symlink_to("../outside/secret")
    os.mkfifo(world / "data" / "fifo")
    return world


def state(world):
    """All that is not in data: names, kinds, sizes, times of change, texts."""
    seen = []
    for path in [world, *sorted(world.glob("*")), *sorted(world.glob("[lo]*/**/*"))]:
        st = path.lstat()
        text = path.read_bytes() if path.is_file() else b""
        change = 0 if path == world / "data" else st.st_mtime_ns
        seen.append((str(path), st.st_mode, st.st_nlink if path.is_file() else 0, change, text))
    return seen


def command(s, world, name, *words, options=()):
    return ["exec", *options, "--env", "GREETING=hello", "--env", "EMPTY=",
            "--dir", f"{world}/data::/data", "--ro-dir", f"{world}/lent::/lent",
            compiled(s, name), *words]


def said_ok(returncode, out, err):
    equal((returncode, out.replace("\r", ""), err), (0, "ok\n", ""), "the program")


def of_its_own(s, world, name):
    """The same with the data in a file tree of the program's own, which has the same number."""
    for path in [world / "data" / "fifo", *(world / "data").glob("[ar][be][sl]_*")]:
        path.unlink()
    return ["exec", "--files", world / "data", "--ro-dir", f"{world}/lent::/lent",
            compiled(s, name)]


def in_tree(s, name):
    world = fresh_world(s)
    words = of_its_own(s, world, name)
    before = state(world)
    r = s.tern(*words, input=INPUT.decode())
    said_ok(r.returncode, r.stdout, r.stderr)
    equal(state(world), before, "what the program may not change")
    equal(list((world / "data").iterdir()), [], "the folder that its tree began with")


def piped(s, name, way, *words):
    world = fresh_world(s)
    before = state(world)
    read, write = os.pipe()
    os.write(write, INPUT)
    os.close(write)
    try:
        r = s.tern(*command(s, world, name, *words), env=s.env(TERN_RUNNER=WAYS[way]), stdin=read)
    finally:
        os.close(read)
    said_ok(r.returncode, r.stdout, r.stderr)
    equal(state(world), before, "what the program may not change")


def recorded(s, name, *words):
    """What it checks holds once more when a record gives the answers, and nothing is there."""
    world, record = fresh_world(s), s.dir / "run.rec"
    read, write = os.pipe()
    os.write(write, INPUT)
    os.close(write)
    try:
        r = s.tern(*command(s, world, name, *words, options=("--record", record)), stdin=read)
    finally:
        os.close(read)
    said_ok(r.returncode, r.stdout, r.stderr)
    shutil.rmtree(world)
    r = s.tern("replay", record, cwd="/")
    said_ok(r.returncode, r.stdout, r.stderr)
    check(not world.exists(), "that nothing is made anew")


def case(name, function):
    function.__name__ = name
    suite.case(function)


for way_ in WAYS:
    for name_ in ("files", "descriptors", "opening", "names", "dirs", "escapes", "lent",
                  "pointers", "clocks", "poll"):
        case(name_ + way_, lambda s, n=name_, w=way_: piped(s, n, w))
for name_ in ("files", "descriptors", "opening", "own"):
    case(name_ + ", of its own", lambda s, n=name_: in_tree(s, n))
for name_ in ("files", "descriptors", "opening", "names", "dirs", "escapes", "lent", "pointers",
              "clocks", "poll"):
    case(name_ + ", recorded", lambda s, n=name_: recorded(s, n))
case("args, recorded", lambda s: recorded(s, "args", "first", "second arg", ""))
case("standard streams that are pipes, recorded", lambda s: recorded(s, "stdio", "pipe"))
case("args", lambda s: piped(s, "args", "", "first", "second arg", ""))
case("standard streams that are pipes", lambda s: piped(s, "stdio", "", "pipe"))


@suite.case
def standard_streams_that_are_files(s):
    world = fresh_world(s)
    given, kept = s.file("given", INPUT), s.file("kept", "kept\n")
    with open(given, "rb") as stdin, open(kept, "ab") as stderr:
        r = s.tern(*command(s, world, "stdio", "file"), stdin=stdin, stdout=subprocess.PIPE,
                   stderr=stderr)
    said_ok(r.returncode, r.stdout, "")
    equal(kept.read_text(), "kept\nappended\n")


@suite.case
def standard_streams_that_are_a_terminal(s):
    world = fresh_world(s)
    words = [TERN, *map(str, command(s, world, "stdio", "terminal"))]
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(TERN, words, s.env())
    seen = b""
    while b"\n" not in seen:
        seen += os.read(fd, 4096)
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    said_ok(os.waitstatus_to_exitcode(status), seen.decode(), "")


@suite.case
def standard_streams_that_are_closed(s):
    def close():
        os.close(0)
        os.close(2)
    world = fresh_world(s)
    p = s.start(*map(str, command(s, world, "stdio", "closed")), stdout=subprocess.PIPE,
                preexec_fn=close)
    out, _ = p.communicate(timeout=PATIENCE_S)
    said_ok(p.returncode, out.decode(), "")


@suite.case
def a_broken_pipe_whose_signal_is_ignored(s):
    def ignore():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    world = fresh_world(s)
    read, write = os.pipe()
    os.close(read)
    p = s.start(*map(str, command(s, world, "stdio", "broken")), stdout=write,
                stderr=subprocess.PIPE, preexec_fn=ignore)
    os.close(write)
    _, err = p.communicate(timeout=PATIENCE_S)
    equal((p.returncode, err), (0, b""))


@suite.case
def a_connected_socket(s):
    world = fresh_world(s)
    ours, its = socket.socketpair()
    with ours, its:
        ours.sendall(b"hello socket")
        r = s.tern(*command(s, world, "sockets", "stream"), stdin=its)
        said_ok(r.returncode, r.stdout, r.stderr)
        equal(ours.recv(100), b"from the program")


@suite.case
def a_listening_socket(s):
    world = fresh_world(s)
    answers = []
    with socket.socket() as listening, socket.socket() as ours:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ours.connect(listening.getsockname())
        ours.sendall(b"hi")
        reader = threading.Thread(target=lambda: answers.append(ours.recv(100)))
        reader.start()
        r = s.tern(*command(s, world, "sockets", "listening"), stdin=listening)
        said_ok(r.returncode, r.stdout, r.stderr)
        reader.join(PATIENCE_S)
    equal(answers, [b"answer"])


suite.run()
