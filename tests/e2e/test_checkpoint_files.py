#!/usr/bin/env python3
"""Files of programs that are stopped and gone on with; what is refused."""
import os
import random
import re
import shutil
import signal
import subprocess

from lifted import commits, new, random_moments, resume, same, start, stop_and_go_on, whole
from tap import Suite, check, clean_error, contains, equal

suite = Suite()


# ---- Files ----

def lent(s, name):
    data = s.dir / name
    data.mkdir()
    return data, ["--dir", f"{data}::/data"]


def reader_stopped(s, name):
    """A program that has read a part of DATA/sub/in: (its state, the directory, its output)."""
    data, options = lent(s, name)
    (data / "sub").mkdir()
    (data / "sub" / "in").write_text("".join(f"line {i}\n" for i in range(3000)))
    state = new(s)
    out = start(s, state, "read", "0", "/data/sub/in", options=options).lines(40).stop()
    return state, data, out


@suite.case
def a_file_that_is_read(s):
    state, data, out = reader_stopped(s, "read")
    p = resume(s, state)
    equal(p.end(), (0, ""))
    same(out + p.seen, whole_with(s, data, "read", "0", "/data/sub/in"), "a file")


def whole_with(s, data, *words):
    r = s.tern("exec", "--dir", f"{data}::/data", s.program("lift.c"), *words)
    equal((r.returncode, r.stderr), (0, ""))
    return r.stdout.encode()


@suite.case
def files_that_are_written(s):
    data, options = lent(s, "write")
    out = stop_and_go_on(s, ["append", "1000", "/data/log"], after=100, options=options)
    parts = (data / "log").read_bytes(), (data / "written").read_bytes()
    (data / "log").unlink()
    same(out, whole_with(s, data, "append", "1000", "/data/log"), "what it prints")
    same(parts[0], (data / "log").read_bytes(), "a log")
    same(parts[1], (data / "written").read_bytes(), "a file")


@suite.case
def directories_that_are_read(s):
    data, options = lent(s, "list")
    state = new(s)
    p = start(s, state, "list", "2000", options=options).lines(1900)
    out = p.stop()
    p = resume(s, state).lines(300)  # it is in the middle of the list then
    out += p.stop()
    p = resume(s, state)
    equal(p.end(), (0, ""))
    out = (out + p.seen).splitlines()
    equal(len(out), 2000 + 2002 + 1, "lines")
    equal(sorted(out[2000:-1]), sorted(f"entry {n}".encode() for n in [".", "..", *range(2000)]))


@suite.case
def a_file_that_has_become_longer_is_cut_back(s):
    data, options = lent(s, "longer")
    state = new(s)
    start(s, state, "append", "1000", "/data/log", options=options).lines(50).stop()
    with open(data / "log", "ab") as f:
        f.write(b"written after the checkpoint\n")
    equal(resume(s, state).end(), (0, ""))
    log = (data / "log").read_text().splitlines()
    equal(len(log), 1000)
    equal([int(line.split()[0]) for line in log], list(range(1000)))


@suite.case
def a_file_that_was_written_is_exact_after_kill_9(s):
    data = s.dir / "killed"
    words = ["append", "3000", "/data/log"]

    def files():
        return (data / "log").read_bytes(), (data / "written").read_bytes()

    def run(state, options=()):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        return start(s, state, *words, options=["--dir", f"{data}::/data", *options])

    dice = random_moments()
    equal(run(new(s)).end(), (0, ""))
    wanted = files()
    check(wanted[0] == wanted[1] and wanted[0].count(b"\n") == 3000, "two files", wanted[0][:99])
    state = new(s)
    p = run(state, ["--every", "10ms"]).lines(1).commit(2)
    for _ in range(3):
        p.process.kill()
        p.end()
        check(wanted[0].startswith(files()[0]) and files()[0] != wanted[0], "killed in the middle")
        p = resume(s, state).lines(dice.randrange(1, 100))
    equal(p.end(), (0, ""))
    equal(files() == wanted, True, "that the files are the same")


# ---- Refusals ----

def refused(s, state, *parts, code=126, **more):
    r = s.tern("resume", state, **more)
    equal((r.returncode, r.stdout), (code, ""), r.stderr)
    equal(len(r.stderr.splitlines()), 1, r.stderr)
    clean_error(r, *parts)


@suite.case
def a_file_that_has_changed_is_refused(s):
    state, data, out = reader_stopped(s, "changed")
    path = data / "sub" / "in"
    before, times = path.read_bytes(), path.stat()
    path.write_bytes(before + b"more\n")
    refused(s, state, "/data/sub/in", "has been changed since")
    path.unlink()
    refused(s, state, "/data/sub/in", "cannot be opened again", "No such file")
    path.mkdir()
    refused(s, state, "/data/sub/in")
    path.rmdir()
    path.write_bytes(before)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    p = resume(s, state)  # as it was: it goes on
    equal(p.end(), (0, ""))
    same(out + p.seen, whole_with(s, data, "read", "0", "/data/sub/in"), "put back")


@suite.case
def a_written_file_that_is_shorter_is_refused(s):
    data, options = lent(s, "shorter")
    state = new(s)
    start(s, state, "append", "1000", "/data/log", options=options).lines(50).stop()
    os.truncate(data / "log", 10)
    refused(s, state, "/data/log", "has become shorter since")


@suite.case
def a_written_file_that_was_made_anew_is_refused(s):
    data, options = lent(s, "anew")
    state = new(s)
    start(s, state, "append", "1000", "/data/log", options=options).lines(50).stop()
    before = (data / "log").read_bytes()
    (data / "log").unlink()
    (data / "log").write_bytes(b"another one " * 1000)
    refused(s, state, "/data/log", "has been changed since, and not only by appending to it")
    equal((data / "log").read_bytes(), b"another one " * 1000)
    (data / "log").write_bytes(before + b"appended\n")
    equal(resume(s, state).end(), (0, ""))


@suite.case
def a_directory_that_is_gone_is_refused(s):
    state, data, _ = reader_stopped(s, "gone")
    shutil.rmtree(data)
    refused(s, state, str(data), "No such file or directory", code=125)


@suite.case
def what_holds_no_checkpoint_is_refused(s):
    empty = s.dir / "empty"
    empty.mkdir()
    refused(s, empty, str(empty))
    equal(list(empty.iterdir()), [], "that nothing was left there")
    refused(s, s.dir / "nothing-there", "nothing-there")
    refused(s, s.file("a file", "text"), "a file")
    other = s.dir / "other"
    other.mkdir()
    (other / "index").write_text("not of ours")
    refused(s, other, str(other))
    state = new(s)
    equal(start(s, state, "pointers", "1").end(), (0, ""))
    refused(s, state, str(state), "there is no checkpoint in it")


@suite.case
def a_directory_in_use_is_refused(s):
    state = new(s)
    p = start(s, state, "spin").lines(1)
    r = s.tern("resume", state)
    check(r.returncode in (125, 126), "refused", r)
    clean_error(r, str(state), str(p.pid))
    r = s.tern("exec", "--checkpoint", state, s.program("lift.c"), "spin")
    check(r.returncode in (125, 126), "refused", r)
    clean_error(r, str(state), str(p.pid))
    p.stop()


@suite.case
def a_damaged_directory_is_refused(s):
    """Wherever a byte is wrong: refused, or of no importance; never a crash or a wrong line."""
    words = ["pointers", "300"]
    state = new(s)
    out = start(s, state, *words).lines(20).stop()
    rest = whole(s, *words)[len(out):]
    pack = state / "pack-1"
    data = pack.read_bytes()
    dice = random.Random(1)
    refusals = 0
    for at in [0, len(data) // 2, len(data) - 1] + [dice.randrange(len(data)) for _ in range(22)]:
        bad = bytearray(data)
        bad[at] ^= 1 << dice.randrange(8)
        copy = new(s)
        shutil.copytree(state, copy)
        (copy / "pack-1").write_bytes(bad)
        r = s.tern("resume", copy)
        if r.returncode == 0:
            same(r.stdout.encode(), rest, f"byte {at} was wrong")
        else:
            refusals += 1
            equal((r.returncode, r.stdout), (126, ""), f"byte {at} was wrong")
            clean_error(r, str(copy))
        shutil.rmtree(copy)
    check(refusals > 10, "most damage is found", refusals)


@suite.case
def a_removed_file_keeps_it_from_stopping(s):
    _, options = lent(s, "unlinked")
    state = new(s)
    p = start(s, state, "unlinked", options=options, stdin=subprocess.PIPE).lines(1)
    p.send(signal.SIGTERM)
    wished = (r"tern: no checkpoint was taken: it has /data/gone open, which has been removed.*?"
              r"(; it goes on \(the same signal again ends it\))?\n")
    while True:  # before it reads its input it wishes for one itself, perhaps before it is asked
        said = p.process.stderr.readline().decode()
        match = re.fullmatch(wished, said)
        check(match, "why, in one line", said)
        if match[1]:
            break
    p.type(b"a").lines(2)  # it goes on
    p.type(b"x").lines(3)  # and closes the file
    before = commits(state)
    p.send(signal.SIGUSR1).wait_for_commit(before)
    code, said = p.close().end()
    equal(code, 0)
    check(not said or re.fullmatch(wished, said), "nothing else", said)
    q = resume(s, state)
    equal(q.end(), (0, ""))
    contains(p.seen.decode(), q.seen.decode())


@suite.case
def what_cannot_be_stopped_can_be_ended(s):
    _, options = lent(s, "stubborn")
    p = start(s, new(s), "unlinked", options=options, stdin=subprocess.PIPE).lines(1)
    p.send(signal.SIGTERM).process.stderr.readline()
    while True:
        try:
            p.process.wait(0.1)
            break
        except subprocess.TimeoutExpired:
            p.send(signal.SIGTERM)
    equal(p.end()[0], -signal.SIGTERM)


suite.run()
