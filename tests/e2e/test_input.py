#!/usr/bin/env python3
"""Standard input that is a pipe, FIFO, socket or terminal is not lost with whoever had read it."""
import fcntl
import json
import os
import pty
import random
import re
import shutil
import signal
import socket
import subprocess
import threading

import lifted
from lifted import commits, new, random_moments, resume, runner_of, same
from tap import Suite, check, clean_error, contains, equal, TERN

suite = Suite()


def start(s, state, *words, **more):
    return lifted.start(s, state, *words, module=s.program("input.c"), **more)


def whole(s, data):
    """What one run prints."""
    r = subprocess.run([TERN, "exec", str(s.program("input.c")), "blocks"], input=data, env=s.env(),
                       capture_output=True, check=True)
    return r.stdout


def some_input(rng, size):
    return bytes(rng.randrange(256) for _ in range(size))


def kept_in(state):
    """The file that keeps its input."""
    [kept] = state.glob("input-*")
    return kept


def killed(p):
    """What it had printed is in p.seen."""
    p.process.kill()
    p.end()


def checkpoint(p):
    before = commits(p.state)
    p.send(signal.SIGUSR1).wait_for_commit(before)


class Feeder(threading.Thread):
    """Writes all of it in pieces of any size, then closes its end."""

    def __init__(self, fd, data, rng):
        super().__init__(daemon=True)
        self.fd, self.data, self.rng = fd, data, random.Random(rng.random())
        self.start()

    def run(self):
        at = 0
        while at < len(self.data):
            at += os.write(self.fd, self.data[at:at + self.rng.randrange(1, 300)])
        os.close(self.fd)


def kill_both(p, rng):
    """In any order, or the parent alone, which takes the runner along; then all they printed."""
    try:
        runner = runner_of(p.pid)
    except (ValueError, FileNotFoundError):
        runner = None  # not there yet, or no more
    order = [p.pid, runner] if rng.randrange(2) else [runner, p.pid]
    for pid in order if rng.randrange(3) else [p.pid]:
        try:
            if pid:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return p.end()


def take_lines(found, seen):
    """What is printed twice has to be the same both times."""
    for line in seen.splitlines(keepends=True):
        if line.endswith(b"\n"):
            number = line.split()[0:2]
            check(found.setdefault(tuple(number), line) == line, "the same line again", line)


def killed_again_and_again(s, rng, data, kills, make):
    """make() gives a place to write to, and one to read from that stays open throughout."""
    wanted, found = {}, {}
    take_lines(wanted, whole(s, data))
    state = new(s)
    to, source = make()
    feeder = Feeder(to, data, rng)
    p = start(s, state, "blocks", options=["--every", "10ms"], stdin=source)
    for _ in range(kills):
        for _ in range(rng.randrange(40)):
            if not p.read():
                break
        code, said = kill_both(p, rng)
        take_lines(found, p.seen)
        if code == 0:
            break
        if not commits(state):  # it was killed before it could have read anything
            p = start(s, state, "blocks", options=["--every", "10ms"], stdin=source)
        else:
            p = resume(s, state, stdin=source)
    code, said = p.end()
    if code != 0:  # killed at its very end
        p = resume(s, state, stdin=source)
        code, said = p.end()
    feeder.join()
    equal((code, said), (0, ""))
    take_lines(found, p.seen)
    equal(found, wanted, "all lines together")
    return state


def pipe_ends():
    source, to = os.pipe()
    return to, source


@suite.case
def a_pipe_and_kill_9(s):
    rng = random_moments()
    for kills in (3, 40):
        killed_again_and_again(s, rng, some_input(rng, 40000), kills, pipe_ends)


@suite.case
def a_fifo_and_kill_9(s):
    rng = random_moments()
    path = s.dir / "fifo"
    os.mkfifo(path)

    def ends():
        source = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        to = os.open(path, os.O_WRONLY)
        fcntl.fcntl(source, fcntl.F_SETFL, 0)
        return to, source

    killed_again_and_again(s, rng, some_input(rng, 20000), 10, ends)


@suite.case
def what_was_read_is_given_again(s):
    """All of it was taken out of the pipe, none of it is in a checkpoint."""
    state = new(s)
    p = start(s, state, "blocks", stdin=subprocess.PIPE)
    p.type(b"abcdefghijklmnopqrstuvwxyzAB").lines(4)
    killed(p)
    q = resume(s, state, stdin=subprocess.PIPE).type(b"0123456789").close()
    equal(q.end(), (0, ""))
    same(q.seen, whole(s, b"abcdefghijklmnopqrstuvwxyzAB0123456789"), "again")


@suite.case
def several_stops_in_a_row(s):
    """Stopped while it waits, with unread bytes in the pipe or none."""
    state = new(s)
    source, to = os.pipe()
    p = start(s, state, "blocks", stdin=source)
    sent = out = b""
    for i in range(6):
        part = bytes(range(65, 65 + 7 * (i % 3 + 1)))
        os.write(to, part)
        sent += part
        p.lines(len(part) // 7)
        out += p.stop()
        os.write(to, b"1234567")  # nobody is there
        sent += b"1234567"
        p = resume(s, state, stdin=source)
        p.lines(1)
        out += p.stop()
        p = resume(s, state, stdin=source)
    os.close(to)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole(s, sent), "in parts")


@suite.case
def what_had_ended_stays_ended(s):
    """Whether the end was read before the checkpoint or after it."""
    for passed in (False, True):
        state = new(s)
        p = start(s, state, "stay", stdin=subprocess.PIPE).type(b"some input").close().lines(4)
        if passed:
            checkpoint(p)
        killed(p)
        q = resume(s, state, stdin=subprocess.PIPE).type(b"more")
        q.lines(2 if passed else 5)
        killed(q)
        check(passed or q.seen.startswith(p.seen), "the same again", (p.seen, q.seen))
        equal(set(q.seen.splitlines()[0 if passed else 3:]), {b"after the end: 0"})


@suite.case
def a_socket(s):
    state = new(s)
    ours, its = socket.socketpair()
    p = start(s, state, "blocks", stdin=its)
    ours.send(b"abcdefghijklmn")
    killed(p.lines(2))
    q = resume(s, state, stdin=its)
    q.lines(2)
    ours.send(b"opqrstu")
    q.lines(3)
    ours.close()
    equal(q.end(), (0, ""))
    same(q.seen, whole(s, b"abcdefghijklmnopqrstu"), "a socket")


@suite.case
def a_terminal(s):
    """Its end is only as good as the next line."""
    state = new(s)
    ours, its = pty.openpty()
    p = start(s, state, "blocks", stdin=its)
    os.write(ours, b"123456\n")
    killed(p.lines(1))
    q = resume(s, state, stdin=its).lines(1)
    os.write(ours, b"abcdef\n")
    q.lines(2)
    os.write(ours, b"\4\4")
    equal(q.end(), (0, ""))
    same(q.seen, whole(s, b"123456\nabcdef\n"), "a terminal")
    os.close(ours)
    os.close(its)


@suite.case
def poll_knows_what_is_kept(s):
    state = new(s)
    p = start(s, state, "poll", stdin=subprocess.PIPE)
    p.type(b"abcdefghijklmn").lines(4)
    killed(p)
    equal(p.seen, b"ready\nabcdefg\nready\nhijklmn\n")
    q = resume(s, state, stdin=subprocess.PIPE).lines(3)  # nothing new comes: it is there already
    q.type(b"opqrstu").lines(5).close()
    equal(q.end(), (0, ""))
    same(q.seen, b"abcdefg\nready\nhijklmn\nready\nopqrstu\nready\n\n", "from its first read on")


@suite.case
def no_more_is_taken_than_is_asked_for(s):
    """Whoever reads the same pipe afterwards gets the rest."""
    source, to = os.pipe()
    os.write(to, b"abcdefg the rest")
    p = start(s, new(s), "blocks", stdin=source).lines(1)
    killed(p)
    os.write(to, b"!")
    left = os.read(source, 100)
    check(b"abcdefg the rest!".endswith(left), "what is left is the end", left)


@suite.case
def the_kept_file_is_needed(s):
    state = new(s)
    p = start(s, state, "blocks", stdin=subprocess.PIPE).type(b"abcdefg").lines(1)
    checkpoint(p)
    killed(p.type(b"hijklmn").lines(2))
    copy = s.dir / "copied-whole"
    shutil.copytree(state, copy)
    name = kept_in(state).name
    os.remove(state / name)
    r = s.tern("resume", state)
    check(r.returncode != 0 and r.stdout == "", "it is refused", r)
    clean_error(r, f"cannot go on from {state}: {state}/input-*", "is missing: copy it along")
    (state / re.search(r"input-\d+", r.stderr)[0]).touch()
    r = s.tern("resume", state)
    equal((r.returncode, r.stderr), (0, ""))
    q = resume(s, copy, stdin=subprocess.DEVNULL)
    equal(q.end(), (0, ""))
    equal(q.seen.splitlines()[0], p.seen.splitlines()[1])
    (copy / name).write_bytes(b"x" * 5000)
    r = s.tern("resume", copy)
    clean_error(r, "the file that keeps its standard input is damaged")
    os.remove(copy / name)
    os.symlink("/dev/null", copy / name)
    clean_error(s.tern("resume", copy), f"cannot use {copy}/{name}")


@suite.case
def damage_to_the_kept_file_is_found(s):
    """Wherever it is: refused, or of no importance."""
    state = new(s)
    p = start(s, state, "blocks", stdin=subprocess.PIPE).type(b"abcdefghijklmn").lines(2)
    checkpoint(p)
    killed(p.type(b"opqrstuvwxyzAB").lines(4))
    name = kept_in(state).name
    data = (state / name).read_bytes()
    equal(data[4096:], b"abcdefghijklmnopqrstuvwxyzAB")
    after, refused = b"".join(p.seen.splitlines(keepends=True)[2:]), 0
    rng = random_moments()
    for at in [*range(0, 40, 3), 4096, *range(4096 + 14, len(data))]:
        bad, copy = bytearray(data), new(s)
        bad[at] ^= 1 << rng.randrange(8)
        shutil.copytree(state, copy)
        (copy / name).write_bytes(bad)
        q = resume(s, copy, stdin=subprocess.DEVNULL)
        code, said = q.end()
        if code == 0:
            check(4096 <= at < 4096 + 14 and q.seen.startswith(after), f"byte {at}", q.seen)
        else:
            refused += 1
            equal((code, q.seen), (126, b""), f"byte {at}: {said}")
            contains(said, "is damaged", f"byte {at}")
    equal(refused, 14 + 14)
    (copy / name).write_bytes(bad[:int(re.search(r"cut to (\d+) bytes", said)[1])])
    q = resume(s, copy, stdin=subprocess.PIPE).type(b"0123456").close()
    equal(q.end(), (0, ""))
    same(q.seen, b"".join(whole(s, b"abcdefghijklmn0123456").splitlines(keepends=True)[2:]), "next")


@suite.case
def image_show_tells(s):
    state = new(s)
    p = start(s, state, "blocks", stdin=subprocess.PIPE).type(b"abcdefg").lines(1)
    p.stop()
    contains(s.tern("image", "show", state).stdout, "7 bytes read")
    shown = json.loads(s.tern("image", "show", "--json", state).stdout)
    equal(shown["counters"]["input_bytes"], 7)


@suite.case
def what_checkpoints_have_passed_is_let_go(s):
    state = new(s)
    p = start(s, state, "blocks", 1 << 14, stdin=subprocess.PIPE)
    for i in range(6):
        p.type(b"x" * (7 << 14)).lines(i + 1)
        checkpoint(p)
    p.stop()
    kept = kept_in(state)
    used = kept.stat().st_blocks * 512
    equal(kept.stat().st_size, 4096 + 6 * (7 << 14))
    check(used < 3 * (7 << 14), "its beginning is a hole", used)


@suite.case
def another_program_in_the_same_place(s):
    """Spoils nothing before it has a checkpoint of its own."""
    state = new(s)
    p = start(s, state, "blocks", stdin=subprocess.PIPE).type(b"abcdefg").lines(1)
    killed(p)
    q = start(s, state, "blocks", stdin=subprocess.DEVNULL)
    equal(q.end(), (0, ""))
    r = resume(s, state, stdin=subprocess.DEVNULL)
    equal(r.end(), (0, ""))
    equal(r.seen.splitlines()[0], p.seen.splitlines()[0], "the first one's input")


suite.run()
