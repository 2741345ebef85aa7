#!/usr/bin/env python3
"""Programs that are stopped and gone on with: the parts together print what one run prints."""
import os
import pty
import re
import shutil
import signal
import subprocess
import sys

from lifted import (STOPPED, Program, commits, new, random_moments, resume, runner_of, same, start,
                    stop_and_go_on, whole)
from tap import Suite, check, clean_error, contains, equal, TERN

suite = Suite()


# ---- Signals ----

@suite.case
def signals_that_ask_for_the_end_stop_it(s):
    words = ["pointers", "1000"]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        state = new(s)
        out = start(s, state, *words).lines(5).stop(number)
        p = resume(s, state)
        equal(p.end(), (0, ""))
        same(out + p.seen, whole(s, *words), str(number))


@suite.case
def sigusr1_takes_one_and_goes_on(s):
    for ask in (lambda p: p.send(signal.SIGUSR1), lambda p: s.tern("checkpoint", p.pid)):
        state = new(s)
        p = start(s, state, "echo", "1", stdin=subprocess.PIPE)
        p.type(b"first").lines(1)
        before = commits(state)
        ask(p)
        p.wait_for_commit(before)
        p.type(b"second").lines(2)
        p.process.kill()
        p.end()
        seen = p.seen.splitlines()
        q = resume(s, state, stdin=subprocess.PIPE)
        q.type(b"second").lines(1)
        equal(q.close().end(), (0, ""))
        equal(q.seen.splitlines()[0], seen[1])


@suite.case
def only_the_main_thread_takes_signals(s):
    """Others would take one that comes at the end, when there is nobody to handle it."""
    state = new(s)
    p = start(s, state, "echo", "1", stdin=subprocess.PIPE)
    p.type(b"first").lines(1)
    p.send(signal.SIGUSR1).wait_for_commit(0)
    threads = [t for t in os.listdir(f"/proc/{p.pid}/task") if int(t) != p.pid]
    check(threads, "a thread that stores")
    for thread in threads:
        with open(f"/proc/{p.pid}/task/{thread}/status", encoding="ascii") as f:
            blocked = int(re.search(r"^SigBlk:\s*(\w+)", f.read(), re.M)[1], 16)
        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            check(blocked >> (number - 1) & 1, f"{number} is blocked", hex(blocked))
    equal(p.close().end(), (0, ""))


@suite.case
def tern_checkpoint_asks_only_those_that_take_them(s):
    for pid in ("1", str(os.getpid()), "999999999"):
        r = s.tern("checkpoint", pid)
        equal(r.returncode, 1)
        clean_error(r, f"process {pid} is no tern exec or tern resume that takes checkpoints")
    equal(s.tern("checkpoint", "no").returncode, 2)
    p = s.start("exec", s.program("lift.c"), "spin", stdout=subprocess.PIPE)
    p.stdout.readline()
    equal(s.tern("checkpoint", p.pid).returncode, 1)
    check(p.poll() is None, "it lives")
    p.kill()
    p.communicate()


@suite.case
def control_c_on_a_terminal(s):
    """Which signals the whole process group, the runner too."""
    state = new(s)
    words = [TERN, "exec", "--checkpoint", str(state), str(s.program("lift.c")), "echo", "1"]
    pid, fd = pty.fork()
    if pid == 0:
        try:
            os.execve(TERN, words, s.env())
        finally:
            os._exit(1)  # whatever happens: this is not a second run of the tests
    os.write(fd, b"123456\n")
    seen = b""
    while b"step 0" not in seen:
        seen += os.read(fd, 4096)
    os.write(fd, b"\x03")
    while b"tern resume" not in seen:
        seen += os.read(fd, 4096)
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    equal(os.waitstatus_to_exitcode(status), STOPPED)


@suite.case
def a_second_one_ends_it_at_once(s):
    """Even if the runner never answers."""
    fake = s.file("deaf.py", "import os, signal\n"
                  "for n in (signal.SIGINT, signal.SIGUSR1):\n"
                  "    signal.signal(n, signal.SIG_IGN)\n"
                  "os.write(1, b'ready\\n')\nos.write(8, b'R')\nsignal.pause()\n")
    for number in (signal.SIGINT, signal.SIGTERM):
        state = new(s)
        p = start(s, state, "spin", env=s.env(TERN_RUNNER=f"{sys.executable} {fake}")).lines(1)
        p.send(number)
        while True:
            try:
                p.process.wait(0.1)
                break
            except subprocess.TimeoutExpired:
                p.send(number)
        equal(p.end(), (-number, ""))


@suite.case
def one_wish_told_twice_is_one(s):
    """As timeout(1) does."""
    state = new(s)
    p = start(s, state, "pointers", "1000").lines(5).send(signal.SIGTERM)
    out = p.stop()
    p = resume(s, state)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, "pointers", "1000"), "twice")


@suite.case
def asked_while_it_is_compiled(s):
    folder = s.dir / "slow"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    (folder / "cc").write_text("#!/bin/sh\ncase \"$*\" in\n"
                               f"*piece-*) read line < '{folder}/fifo' ;;\nesac\n"
                               "exec /usr/bin/cc \"$@\"\n")
    (folder / "cc").chmod(0o755)
    state = new(s)
    p = start(s, state, "pointers", "200", env=s.env(TERN_CC=folder / "cc"))
    with open(folder / "fifo", "w", encoding="ascii") as fifo:  # it is being compiled
        equal(s.tern("checkpoint", p.pid).returncode, 0)
        fifo.write("go on\n")
    equal(p.end(), (0, ""))
    same(p.seen, whole(s, "pointers", "200"), "asked early")
    q = resume(s, state)
    equal(q.end(), (0, ""))
    same(q.seen, p.seen[-len(q.seen):], "from the very beginning")


@suite.case
def asked_before_it_has_begun(s):
    """The runner may not have begun to listen."""
    for _ in range(5):
        state = new(s)
        p = start(s, state, "pointers", "200", options=["--every", "10ms"])
        equal(p.end(), (0, ""))
        same(p.seen, whole(s, "pointers", "200"), "every 10 ms")


# ---- What is alive ----

@suite.case
def frames_of_a_deep_recursion(s):
    words = ["recurse", "1000"]
    same(stop_and_go_on(s, words), whole(s, *words), "recursion")


@suite.case
def calls_through_function_pointers(s):
    words = ["pointers", "1000"]
    same(stop_and_go_on(s, words, stops=3, after=20), whole(s, *words), "pointers")


@suite.case
def vectors_and_floats(s):
    words = ["vectors", "2000"]
    same(stop_and_go_on(s, words, stops=3, after=20), whole(s, *words), "vectors")


@suite.case
def memory_that_grows(s):
    words = ["grow", "1000"]
    same(stop_and_go_on(s, words, stops=3, after=100), whole(s, *words), "memory")


@suite.case
def a_big_memory_of_zeros_makes_a_small_checkpoint(s):
    words = ["big", "1000"]
    state = new(s)
    out = start(s, state, *words).lines(300).stop()
    size = sum(f.stat().st_size for f in state.iterdir() if f.name.startswith("pack-"))
    check(size < 8 << 20, "a small checkpoint of 64 MiB", size)
    p = resume(s, state)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, *words), "a big memory")


@suite.case
def a_loop_of_memory_fill_stops(s):
    state = new(s)
    out = start(s, state, "fill", "100000").lines(1).stop()
    equal(out, b"step 0 0000000000000000\n")


@suite.case
def a_loop_without_calls_stops(s):
    state = new(s)
    start(s, state, "spin").lines(1).stop()
    resume(s, state).lines(1).stop()


@suite.case
def many_times_at_random_moments(s):
    dice = random_moments()
    words = ["pointers", "3000"]
    state = new(s)
    p, out = start(s, state, *words), b""
    for _ in range(10):
        p.lines(dice.randrange(1, 200))
        out += p.stop(dice.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
        p = resume(s, state)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, *words), "ten parts")


# ---- Killed ----

@suite.case
def kill_9_loses_what_came_after_the_last_checkpoint(s):
    words = ["recurse", "20000"]
    wanted = whole(s, *words)
    for whom in ("tern", "runner"):
        state = new(s)
        p = start(s, state, *words, options=["--every", "10ms"]).lines(1).commit(2)
        os.kill(p.pid if whom == "tern" else runner_of(p.pid), signal.SIGKILL)
        equal(p.end(), (-signal.SIGKILL, ""))
        check(wanted.startswith(p.seen) and p.seen != wanted, "a part of the output", p.seen[-99:])
        q = resume(s, state)
        equal(q.end(), (0, ""))
        check(q.seen and wanted.endswith(q.seen) and len(q.seen) < len(wanted) and
              len(q.seen) + len(p.seen) >= len(wanted), f"the rest, after {whom} was killed",
              q.seen[:99])


# ---- Waiting ----

@suite.case
def a_read_from_a_pipe_is_made_again(s):
    state = new(s)
    p = start(s, state, "echo", "1", stdin=subprocess.PIPE).type(b"abcdefg").lines(1)
    out = p.stop()
    p = resume(s, state, stdin=subprocess.PIPE).type(b"hijklmn").lines(1)
    out += p.stop()
    p = resume(s, state, stdin=subprocess.DEVNULL)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, "echo", "1", input="abcdefghijklmn"), "a pipe")


@suite.case
def a_sleep_is_slept_to_its_end(s):
    state = new(s)
    out = start(s, state, "sleep").lines(1).stop()
    p = resume(s, state)
    equal(p.end(), (0, ""))
    equal(out + p.seen, b"step 0 0000000000000000\nslept 0\ndone\n")


@suite.case
def standard_input_from_a_file_goes_on_where_it_was(s):
    text = "".join(f"{i} and more of the text\n" for i in range(4000))
    path = s.file("input.txt", text)
    wanted = whole(s, "echo", "3", input=text)
    state = new(s)
    with open(path, "rb") as f:
        out = start(s, state, "echo", "3", stdin=f).lines(50).stop()
    with open(path, "rb") as f:
        p = resume(s, state, stdin=f).lines(50)
        out += p.stop()
    with open(path, "rb") as f:
        p = resume(s, state, stdin=f)
        equal(p.end(), (0, ""))
    same(out + p.seen, wanted, "standard input")


# ---- Elsewhere ----

@suite.case
def another_compiler_goes_on(s):
    words = ["recurse", "1000"]
    wanted = whole(s, *words)
    envs = [s.env(TERN_CC="gcc", TERN_CFLAGS="-O0"), s.env(TERN_CC="clang", TERN_CFLAGS="-O2"),
            s.env(TERN_CC="gcc", TERN_CFLAGS="-O2"), s.env(TERN_CC="clang", TERN_CFLAGS="-O0")]
    state = new(s)
    p, out = start(s, state, *words, env=envs[0]), b""
    for env in envs[1:]:
        out += p.lines(3).stop()
        p = resume(s, state, env=env)
    equal(p.end(), (0, ""))
    same(out + p.seen, wanted, "compilers")


@suite.case
def the_cache_may_be_gone(s):
    words = ["vectors", "4000"]
    state = new(s)
    out = start(s, state, *words).lines(3).stop()
    env = s.env(TERN_CACHE_DIR=s.dir / "another cache")
    p = resume(s, state, env=env)
    out += p.lines(3).stop()
    equal(s.tern("cache", "prune", "--all", env=env).returncode, 0)
    p = resume(s, state, env=env)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, *words), "no cache")


@suite.case
def a_directory_of_checkpoints_may_be_moved(s):
    words = ["pointers", "4000"]
    state, elsewhere = new(s), s.dir / "else where"
    module = s.dir / "moved.wasm"
    shutil.copy(s.program("lift.c"), module)
    out = start(s, state, *words, module=module).lines(3).stop()
    module.unlink()
    state.rename(elsewhere)
    p = resume(s, elsewhere)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, *words), "moved")


# ---- Much memory ----

def go_on_with_much(s, state, **more):
    p = Program(s, state, "resume", state, stdin=subprocess.PIPE, **more)
    return p, p.type(b"!" + 3000 * b"x").close().end()


@suite.case
def much_memory_is_had_while_the_program_runs(s):
    large = s.program("large.c")
    r = subprocess.run([TERN, "exec", large], input=b"!" + 3000 * b"x", env=s.env(),
                       stdout=subprocess.PIPE, check=True)
    for env in (s.env(), s.env(TERN_COMPARE_PAGES="1")):
        state = new(s)
        out = start(s, state, module=large, stdin=subprocess.PIPE, env=env).lines(1).stop()
        for _ in range(3):
            p, ended = go_on_with_much(s, state, env=env)
            equal(ended, (0, ""))
            same(out + p.seen, r.stdout, "much memory")


@suite.case
def much_memory_that_is_damaged_ends_it(s):
    state = new(s)
    start(s, state, module=s.program("large.c"), stdin=subprocess.PIPE).lines(1).stop()
    pack = max(state.glob("pack-*"), key=lambda p: p.stat().st_size)
    middle = pack.stat().st_size // 2
    with open(pack, "r+b") as f:
        f.seek(middle)
        f.write(bytes(4096))
    _, (code, said) = go_on_with_much(s, state)
    equal(code, 126)
    check(re.fullmatch(rf"tern: cannot go on from {state}: checkpoint \d+ cannot be loaded: damaged\n",
                       said), "one clear line", said)


# ---- Ends ----

@suite.case
def it_ends_as_it_would_have(s):
    for how, code, compiler in (("exit", 42, "gcc"), ("abort", 134, "gcc"), ("load", 134, "gcc"),
                                ("here", 134, "gcc"), ("here", 134, "clang")):
        words, env = ["end", "500", how], s.env(TERN_CC=compiler)
        r = s.tern("exec", s.program("lift.c"), *words, env=env)
        equal(r.returncode, code)
        state = new(s)
        out = start(s, state, *words, env=env).lines(5).stop()
        p = resume(s, state, env=env)
        equal(p.end(), (code, r.stderr), f"the end by {how} ({compiler})")
        same(out + p.seen, r.stdout.encode(), how)


@suite.case
def processor_time_is_counted_over_the_parts(s):
    state = new(s)
    p = start(s, state, "spin", options=["--time", "300ms"]).lines(1)
    for _ in range(100):
        code, said = p.send(signal.SIGTERM).end()
        if code != STOPPED:
            break
        p = resume(s, state)
        p.read()  # it runs, or has ended
    equal(code, 152)
    contains(said, "0.3 s of processor time")


suite.run()
