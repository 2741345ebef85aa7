#!/usr/bin/env python3
"""Recorded runs: replayed they are the same run, wherever; what is forged or cut off is noticed."""
import hashlib
import json
import os
import resource
import shutil
import signal
import struct
import subprocess

import records
from lifted import new, random_moments
from tap import Suite, check, clean_error, contains, equal

DIVERGED, RECORD_ENDS = 76, 77
FD_READ, FD_WRITE, CLOCK_TIME_GET, PROC_EXIT = 21, 27, 6, 39

suite = Suite()


# ---- Runs ----

def world(s):
    """A directory with something in it; gone before a replay."""
    path = s.dir / "world"
    shutil.rmtree(path, ignore_errors=True)
    (path / "below").mkdir(parents=True)
    (path / "text").write_text("one line\nanother\n")
    (path / "goes").write_text("")
    (path / "link").symlink_to("text")
    return path


def recorded(s, *words, options=(), name="calls.c", **more):
    """Runs it, recording; the record and what it did."""
    path = s.dir / "run.rec"
    path.unlink(missing_ok=True)
    r = s.tern("exec", "--record", path, *options, s.program(name), *words, **more)
    check(path.exists(), "a record", r)
    return path, r


def same_run(seen, wanted, what=""):
    equal((seen.returncode, seen.stdout, seen.stderr),
          (wanted.returncode, wanted.stdout, wanted.stderr), f"the replay {what}")


def replayed(s, path, **more):
    return s.tern("replay", path, cwd="/", **more)


def wait_until_recorded(s, path, part, count=1):
    """What was written can be seen a moment before it stands in the record."""
    while s.tern("record", "show", path).stdout.count(part) < count:
        pass


def start_takes(s, *words):
    return s.start("exec", "--record", s.dir / "run.rec", "--env", "NAME=a value", "--dir",
                   f"{world(s)}::/data", s.program("takes.c"), *words, stdin=subprocess.PIPE,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@suite.case
def all_that_comes_from_outside_comes_again(s):
    p = start_takes(s, "7", "two words")
    for piece in (b"a", b"some more", b"\n" * 150):
        p.stdin.write(piece)
        p.stdin.flush()
    out, err = p.communicate()
    equal((p.returncode, err), (7, b"to the other stream\n"))
    contains(out.decode(), "/data/link", "the output")
    shutil.rmtree(s.dir / "world")
    r = s.tern("replay", s.dir / "run.rec", cwd="/")
    equal((r.returncode, r.stdout.encode(), r.stderr.encode()), (7, out, err))
    check(not (s.dir / "world").exists(), "no directory is made")


@suite.case
def nothing_is_touched(s):
    p = start_takes(s)
    out, _ = p.communicate(b"input")
    before = {f.name: f.stat().st_mtime_ns for f in world(s).iterdir()}
    with open(s.file("other", "other input"), "rb") as stdin:
        r = s.tern("replay", s.dir / "run.rec", stdin=stdin)
        equal(stdin.read(), b"other input", "standard input")
    equal(r.stdout.encode(), out)
    equal({f.name: f.stat().st_mtime_ns for f in (s.dir / "world").iterdir()}, before)


@suite.case
def other_compilers_give_the_same_run(s):
    path, r = recorded(s, "tick", "50")
    for compiler in ("gcc", "clang"):
        for flags in ("-O0", "-O2"):
            again = replayed(s, path, env=s.env(TERN_CC=compiler, TERN_CFLAGS=flags))
            same_run(again, r, f"under {compiler} {flags}")


@suite.case
def it_is_all_in_one_file(s):
    path, r = recorded(s, "tick", "3")
    other = s.dir / "elsewhere" / "copy.rec"
    other.parent.mkdir()
    path.rename(other)
    (s.dir / "calls.wasm").rename(s.dir / "hidden.wasm")
    try:
        same_run(replayed(s, other, env=s.env(TERN_CACHE_DIR=s.dir / "new-cache")), r)
    finally:
        (s.dir / "hidden.wasm").rename(s.dir / "calls.wasm")


@suite.case
def large_pieces_come_again(s):
    rng = random_moments()
    data = s.file("large", rng.randbytes(3000000))
    cat = subprocess.Popen(["cat", str(data)], stdout=subprocess.PIPE)
    with open(data, "rb") as file, cat.stdout as pipe:
        for stdin in (file, pipe):
            path, r = recorded(s, "slurp", stdin=stdin)
            equal(sum(int(line.split()[0]) for line in r.stdout.splitlines()), 3000000)
            same_run(replayed(s, path), r)
    cat.wait()


@suite.case
def every_kind_of_end(s):
    for words, options, code in ((["", "41"], (), 41), (["abort"], (), 134),
                                 (["load", "-16"], (), 134),
                                 (["flood"], ("--output", "5000"), 153),
                                 (["spin"], ("--time", "100ms"), 152)):
        path, r = recorded(s, *words, options=options)
        equal(r.returncode, code, str(words))
        same_run(replayed(s, path), r, str(words))


@suite.case
def a_trap_has_its_place_under_another_compiler(s):
    path, r = recorded(s, "load", "-16")
    contains(r.stderr, "(load) at offset 0x")
    for compiler in ("gcc", "clang"):
        same_run(replayed(s, path, env=s.env(TERN_CC=compiler)), r, compiler)


@suite.case
def a_program_that_cannot_start_cannot_again(s):
    path, r = recorded(s, options=("--memory", "64K"))
    equal(r.returncode, 126)
    again = replayed(s, path)
    equal((again.returncode, again.stderr), (126, r.stderr))


@suite.case
def signals_end_the_replay_where_they_ended_the_run(s):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        path = s.dir / "run.rec"
        p = s.start("exec", "--record", path, s.program("calls.c"), "echo",
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(b"hello")
        p.stdin.flush()
        line = p.stdout.readline()
        wait_until_recorded(s, path, "fd_write(fd=1")
        with open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="ascii") as f:
            os.kill(int(f.read()), number)
        p.communicate()
        equal(p.returncode, -number)
        r = replayed(s, path)
        equal((r.returncode, r.stdout, r.stderr), (-number, line.decode(), "begins\n"))


@suite.case
def a_closed_pipe_ends_the_run_and_the_replay(s):
    path = s.dir / "run.rec"
    words = ["exec", "--record", path, s.program("calls.c"), "flood"]
    for words in (words, ["replay", path]):
        p = s.start(*words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        p.stdout.read(1000)
        p.stdout.close()
        equal(p.wait(), -signal.SIGPIPE, words[0])


@suite.case
def a_replay_whose_output_cannot_be_written_says_so(s):
    path, _ = recorded(s, "tick", "3")
    with open("/dev/full", "wb") as full:
        p = s.start("replay", path, stdout=full, stderr=subprocess.PIPE)
        _, err = p.communicate()
    equal(p.returncode, 126)
    contains(err.decode(), "standard output cannot be written: No space left")


# ---- With checkpoints ----

@suite.case
def checkpoints_while_recording(s):
    path, state = s.dir / "run.rec", new(s)
    p = s.start("exec", "--record", path, "--checkpoint", state, "--every", "10ms",
                s.program("calls.c"), "echo", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
    out = b""
    for number in range(5):
        p.stdin.write(b"line %d" % number)
        p.stdin.flush()
        out += p.stdout.readline()
        equal(s.tern("checkpoint", p.pid).returncode, 0)
    p.send_signal(signal.SIGTERM)
    p.wait()
    equal(p.returncode, 75)
    p.communicate()
    r = replayed(s, path)
    equal((r.returncode, r.stdout.encode()), (75, out))
    contains(r.stderr, "was stopped with a checkpoint")
    listed = [json.loads(line) for line in
              s.tern("record", "show", "--json", path).stdout.splitlines()]
    equal([c["call"] for c in listed[1:-1]], list(range(1, len(listed) - 1)))
    equal(listed[-1]["end"], "stopped with a checkpoint")


# ---- Cut off ----

def cut(s, data, size):
    return s.file("cut.rec", data[:size])


def is_a_part(r, whole, calls):
    """Replayed as far as it goes; and then says so."""
    check(whole.stdout.startswith(r.stdout), "the beginning of the output", r)
    if r.returncode == RECORD_ENDS:
        contains(r.stderr, f"replayed up to call {calls}, where the record ends")
    else:
        equal((r.returncode, r.stdout, r.stderr),
              (whole.returncode, whole.stdout, whole.stderr))


@suite.case
def a_record_cut_at_any_call_is_replayed_so_far(s):
    path, whole = recorded(s, "tick", "6")
    data = path.read_bytes()
    record = records.Record(data)
    seen = []
    for index, end in enumerate(record.ends[1:-1]):
        r = replayed(s, cut(s, data, end))
        is_a_part(r, whole, index)
        seen.append(len(r.stdout))
    equal(seen, sorted(seen))
    equal(seen[-1], len(whole.stdout))
    check(len(set(seen)) > 6, "parts of all lengths", seen)


@suite.case
def a_record_cut_at_any_byte_is_replayed_or_refused(s):
    rng = random_moments()
    path, whole = recorded(s, "tick", "6")
    data = path.read_bytes()
    record = records.Record(data)
    for _ in range(60):
        size = rng.randrange(len(data))
        r = replayed(s, cut(s, data, size))
        if size < record.ends[1]:
            equal((r.returncode, r.stdout), (126, ""), f"of {size} bytes")
            clean_error(r, "cannot replay")
        else:
            is_a_part(r, whole, sum(end <= size for end in record.ends[2:-1]))


@suite.case
def kill_9_of_the_recorder_leaves_what_was_answered(s):
    path = s.dir / "run.rec"
    p = s.start("exec", "--record", path, s.program("calls.c"), "echo", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out = b""
    for number in range(20):
        p.stdin.write(b"line %d" % number)
        p.stdin.flush()
        out += p.stdout.readline()
    wait_until_recorded(s, path, "fd_write(fd=1", 20)
    p.kill()
    p.wait()  # before its input ends, so that it gets no further
    p.communicate()
    r = replayed(s, path)
    equal(r.returncode, RECORD_ENDS)
    equal(r.stdout.encode(), out, "all that was seen")
    contains(r.stderr, "where the record ends before the run did")


@suite.case
def a_full_disk_ends_the_record_and_not_the_run(s):
    """A limit on the size of files that leaves an error number stands for the full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10500000, 10500000))  # the memory fits
    s.tern("exec", s.program("calls.c"))  # compiled before
    path = s.dir / "run.rec"
    path.unlink(missing_ok=True)
    r = s.tern("exec", "--memory", "10M", "--record", path, s.program("calls.c"), "tick", "45000",
               preexec_fn=limit)
    equal((r.returncode, len(r.stdout.splitlines())), (0, 45000), r.stderr)
    contains(r.stderr, "tern: the record ends behind call ")
    contains(r.stderr, "File too large")
    calls = int(r.stderr.split("behind call ")[1].split(":")[0])
    again = replayed(s, path)
    equal(again.returncode, RECORD_ENDS)
    contains(again.stderr, f"up to call {calls}, where the record ends before the run did: "
                           "File too large")
    check(again.stdout and r.stdout.startswith(again.stdout), "a beginning", again.stdout[-100:])


# ---- Forged ----

def forge(s, path, change):
    record = records.Record(path.read_bytes())
    change(record)
    return s.file("forged.rec", record.bytes())


@suite.case
def another_run_is_noticed_and_said(s):
    path, _ = recorded(s, "tick", "4")

    changes = [
        (lambda r: setattr(r.find(FD_WRITE, 1), "read_hash", 1), "fd_write, is given other bytes"),
        (lambda r: r.find(FD_WRITE, 1).arg(0, 2), "fd_write, has fd = 0x1 and had 0x2"),
        (lambda r: setattr(r.find(CLOCK_TIME_GET, 2), "number", 5), ""),
        (lambda r: r.find(CLOCK_TIME_GET, 1).arg(0, 1), "clock_time_get, has id = 0x0 and had 0x1"),
        (lambda r: r.find(CLOCK_TIME_GET, 1).patch(-8, b"\1"), "fd_write, is given other bytes"),
    ]
    for change, words in changes:
        r = replayed(s, forge(s, path, change))
        if not words:  # a function of another signature: not even a record
            equal(r.returncode, 126)
            continue
        equal(r.returncode, DIVERGED, words)
        error = r.stderr.removeprefix("begins\n")
        equal(len(error.splitlines()), 1, error)
        contains(error, "calls.wasm: this is not the recorded run: call ")
        contains(error, words)


@suite.case
def more_or_fewer_calls_are_noticed(s):
    path, _ = recorded(s, "", "0")
    def without_exit(record):
        record.blocks = [b for b in record.blocks
                         if b[0] != records.CALL or records.Call(b).number != PROC_EXIT]

    def with_more(record):
        last = record.calls()[-1]
        more = [records.CALL, last.whole[1]]
        record.blocks.insert(-1, more)
        records.Call(more).sequence = last.sequence + 1

    r = replayed(s, forge(s, path, with_more))
    equal(r.returncode, DIVERGED)
    contains(r.stderr, "it ends before call ")
    path, _ = recorded(s, "", "5")
    r = replayed(s, forge(s, path, without_exit))
    equal(r.returncode, DIVERGED)
    contains(r.stderr, "proc_exit, and had ended before")
    r = replayed(s, forge(s, path, lambda record: record.find(PROC_EXIT).arg(0, 9)))
    equal(r.returncode, DIVERGED)
    contains(r.stderr, "proc_exit, has rval = 0x5 and had 0x9")


@suite.case
def the_clock_of_another_run_leads_elsewhere(s):
    path, r = recorded(s, "fickle")
    call = records.Record(path.read_bytes()).find(CLOCK_TIME_GET)
    now = struct.unpack("<Q", call.whole[1][-8:])[0]
    r = replayed(s, forge(s, path, lambda rec: rec.find(CLOCK_TIME_GET).patch(
        -8, struct.pack("<Q", now ^ 1))))
    equal(r.returncode, DIVERGED)
    contains(r.stderr, "fd_write")


@suite.case
def what_a_call_cannot_have_done_is_refused(s):
    path, _ = recorded(s, "echo", input="some input")
    ranges_at = 48 + 8 * 4

    def elsewhere(record):
        record.find(FD_READ).patch(ranges_at, struct.pack("<I", 0xfffffff0))

    def beside(record):
        record.find(FD_READ).patch(ranges_at, struct.pack("<I", 16))

    def more_moved(record):
        record.find(FD_READ).moved = 60

    def too_many(record):
        record.find(FD_WRITE).moved = 0xffffffff

    for change in (elsewhere, beside, more_moved, too_many):
        r = replayed(s, forge(s, path, change))
        equal(r.returncode, 126, change.__name__)
        contains(r.stderr, "the record is damaged: call ")
        contains(r.stderr, "cannot have done what it says")


@suite.case
def damage_is_refused_before_anything_runs(s):
    rng = random_moments()
    path, _ = recorded(s, "tick", "4")
    data = path.read_bytes()
    for _ in range(60):
        at = rng.randrange(records.HEADER, len(data))
        hurt = bytearray(data)
        hurt[at] ^= 1 << rng.randrange(8)
        r = replayed(s, s.file("hurt.rec", bytes(hurt)))
        equal((r.returncode, r.stdout), (126, ""), f"a bit of byte {at}")
        clean_error(r, "cannot replay")


@suite.case
def forged_beginnings_are_refused(s):
    path, _ = recorded(s, "", "3")

    def settings(text):
        return lambda record: record.blocks[0].__setitem__(1, text)

    def module(record):
        contents = record.blocks[1][1]
        record.blocks[1][1] = struct.pack("<Q", 1 << 40) + contents[8:]

    def other_size(record):
        contents = record.blocks[1][1]
        size = struct.unpack_from("<Q", contents)[0]
        record.blocks[1][1] = struct.pack("<Q", size + 1) + contents[8:]

    def other_hash(record):
        contents = record.blocks[1][1]
        record.blocks[1][1] = contents[:8] + b"\0" * 32 + contents[40:]

    def twice(record):
        record.blocks.append(record.blocks[-1])

    def stops(record):
        record.blocks[-1][1] = struct.pack("<I", signal.SIGSTOP)

    def gap(record):
        del record.blocks[3]

    for change in (settings(b"{"), settings(b"{}"), module, other_size, other_hash, twice,
                   stops, gap, lambda r: r.blocks.pop(1)):
        r = replayed(s, forge(s, path, change))
        equal((r.returncode, r.stdout), (126, ""))
        clean_error(r, "cannot replay")


@suite.case
def an_invalid_module_in_a_record_is_refused(s):
    bad = s.file("bad.wasm", b"\0asm\1\0\0\0\x0a\1\1")
    path, _ = recorded(s, "", "3")
    record = records.Record(path.read_bytes())
    data = bad.read_bytes()
    packed = subprocess.run(["zstd", "-q", "-c", str(bad)], capture_output=True)
    if packed.returncode:
        return "no zstd command"
    record.blocks[1][1] = (struct.pack("<Q", len(data)) + hashlib.sha256(data).digest() +
                           packed.stdout)
    r = replayed(s, s.file("forged.rec", record.bytes()))
    equal((r.returncode, r.stdout), (126, ""))
    clean_error(r, "cannot replay")
    return None


@suite.case
def other_files_are_no_records(s):
    for data in (b"", b"TERNREC1", b"\0asm\1\0\0\0" * 10, b"TERNREC2" + b"\0" * 100):
        r = replayed(s, s.file("no.rec", data))
        equal(r.returncode, 126)
        clean_error(r, "cannot replay", "no record of tern exec --record")
    r = replayed(s, s.dir / "missing.rec")
    equal(r.returncode, 127)
    clean_error(r, "No such file")
    equal(replayed(s, "/dev/null").returncode, 126)


# ---- The file ----

@suite.case
def no_other_file_is_lost(s):
    wasm = s.program("calls.c")
    data = wasm.read_bytes()
    r = s.tern("exec", "--record", wasm, wasm)
    equal((r.returncode, r.stdout), (125, ""))
    clean_error(r, "is there already and is no record", "choose another name")
    equal(wasm.read_bytes(), data)
    for path in ("/dev/null", s.dir):
        r = s.tern("exec", "--record", path, wasm)
        equal(r.returncode, 125)
        clean_error(r)


@suite.case
def a_record_is_replaced_and_private(s):
    recorded(s, "tick", "300")
    path = s.dir / "run.rec"
    size = path.stat().st_size
    s.tern("exec", "--record", path, s.program("calls.c"), "tick", "1")
    check(path.stat().st_size < size, "a new one", path.stat())
    equal(path.stat().st_mode & 0o777, 0o600)


@suite.case
def only_one_writes(s):
    path = s.dir / "run.rec"
    p = s.start("exec", "--record", path, s.program("calls.c"), "echo", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(b"x")
    p.stdin.flush()
    p.stdout.readline()
    r = s.tern("exec", "--record", path, s.program("calls.c"))
    equal(r.returncode, 125)
    clean_error(r, "is being written or replayed by another tern")
    equal(replayed(s, path).returncode, 126)
    shown = s.tern("record", "show", path)
    contains(shown.stdout, 'fd_write(fd=1, iovs="x!\\n") = 3\n')
    contains(shown.stdout, "+++ it is being written, after ")
    p.communicate()
    equal(p.returncode, 0)


# ---- record show ----

@suite.case
def show_lists_calls_as_strace_does(s):
    p = start_takes(s, "7")
    p.communicate(b"input")
    r = s.tern("record", "show", s.dir / "run.rec")
    equal((r.returncode, r.stderr), (0, ""))
    for part in ('+++ takes.wasm 7 +++\n', 'fd_prestat_dir_name(fd=3, path=5) = "/data"\n',
                 ' = ["takes.wasm", "7"]\n', ' = ["NAME=a value"]\n',
                 'clock_time_get(id=monotonic, precision=0.000000001s) = ',
                 'fd_read(fd=0, iovs=1) = 5 "input"\n', 'path="missing", oflags=0, ',
                 ' = ENOENT\n', '.", "..", ',
                 'path_readlink(fd=3, path="link", buf=100) = 4 "text"\n',
                 'path="newer"', 'new_path="newer") = 0\n', 'fd_write(fd=2, iovs="to the other s',
                 'poll_oneoff(in=[clock realtime in 0.003000000s], nsubscriptions=1) = 1 [clock]\n',
                 'proc_exit(rval=7)\n', '+++ ended with exit code 7, after '):
        contains(r.stdout, part, "the list")


@suite.case
def show_can_be_narrowed(s):
    p = start_takes(s)
    p.communicate(b"input")
    path = s.dir / "run.rec"
    r = s.tern("record", "show", "--calls", "fd_read,fd_readdir", path)
    lines = r.stdout.splitlines()[1:-1]
    check(lines and all(" fd_read(" in line or " fd_readdir(" in line for line in lines), "these",
          lines)
    lines = s.tern("record", "show", "--failed", path).stdout.splitlines()[1:-1]
    check(lines and all(" = E" in line for line in lines), "failed ones", lines)
    r = s.tern("record", "show", "--calls", "fd_raed", path)
    equal(r.returncode, 2)
    clean_error(r, "there is no host call 'fd_raed'")
    r = s.tern("record", "show", "--bytes", "2", "--calls", "fd_write", path)
    contains(r.stdout, '"to"...')
    r = s.tern("record", "show", "--times", path)
    contains(r.stdout, ">\n")


@suite.case
def show_sums_up(s):
    path, _ = recorded(s, "tick", "25")
    r = s.tern("record", "show", "--summary", path)
    [line] = [line for line in r.stdout.splitlines() if line.endswith(" clock_time_get")]
    equal(line.split()[:2], ["25", "0"])
    rows = json.loads(s.tern("record", "show", "--summary", "--json", path).stdout)
    writes = [row for row in rows if row["name"] == "fd_write"]
    equal(writes[0]["calls"], 26)


@suite.case
def show_has_all_as_json(s):
    p = start_takes(s, "7")
    out, _ = p.communicate(b"in%\n\xff")
    lines = s.tern("record", "show", "--json", s.dir / "run.rec").stdout.splitlines()
    settings, *calls, end = map(json.loads, lines)
    equal(settings["args"], ["takes.wasm", "7"])
    equal([c["call"] for c in calls], list(range(1, len(calls) + 1)))
    equal((end["calls"], end["end"]), (len(calls), "ended with exit code 7"))
    [read] = [c for c in calls if c["name"] == "fd_read" and c["args"]["fd"] == 0
              and c["results"]["nread"]]
    equal(read["results"], {"nread": 5, "data": "in%25%0A%FF"})
    equal(sum(f["size"] for f in read["filled"]), 5 + 4)
    equal(sum(c["results"]["nwritten"] for c in calls if c["stream"] == "stdout"), len(out))
    times = [c["at_ns"] for c in calls]
    equal(times, sorted(times))


@suite.case
def show_refuses_what_is_no_record(s):
    for data, words in ((b"", "no record"), (b"x" * 100, "no record")):
        r = s.tern("record", "show", s.file("no.rec", data))
        equal((r.returncode, r.stdout), (1, ""))
        clean_error(r, words)
    path, _ = recorded(s, "tick", "3")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    r = s.tern("record", "show", s.file("hurt.rec", bytes(data)))
    equal(r.returncode, 1)
    clean_error(r, "damaged")


suite.run()
