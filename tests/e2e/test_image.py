#!/usr/bin/env python3
"""tern image: what it shows of checkpoints, what it finds wrong with them, what changed."""
import json
import shutil
import signal
import subprocess
import time

from tap import PATIENCE_S, Suite, check, clean_error, contains, equal, section, module

suite = Suite()
PAGE = 4096


def image(s, *words):
    r = s.tern("image", *words)
    equal((r.returncode, r.stderr), (0, ""), f"tern image {words}")
    return r.stdout


def told(s, command, *words):
    return json.loads(image(s, command, "--json", *words))


class Running:
    """programs/steps.c with checkpoints in DIR, one of which is taken while it waits for a line."""

    def __init__(self, s, name, *words):
        self.s = s
        self.state = s.dir / name
        wasm = s.program("steps.c")
        (s.dir / "lent").mkdir(exist_ok=True)
        self.process = s.start("exec", "--dir", f"{s.dir / 'lent'}::/lent", "--checkpoint",
                               self.state, wasm, *words, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def expect(self, line):
        equal(self.process.stdout.readline(), line + "\n")

    def step(self, depth):
        self.process.stdin.write(f"{depth}\n")
        self.process.stdin.flush()

    def newest(self):
        """What is told of the newest checkpoint; None: there is none yet."""
        r = self.s.tern("image", "show", "--json", "--values", self.state)
        if r.returncode:
            contains(r.stderr, "there ")  # no checkpoint in it, or none at all
            return None
        return json.loads(r.stdout)

    def checkpoint(self):
        """Asks for checkpoints until one was taken inside of read, and returns what is told."""
        end = time.monotonic() + PATIENCE_S
        before = self.newest()
        while not before and time.monotonic() < end:  # it takes one itself before it first reads
            before = self.newest()
        while time.monotonic() < end:
            self.process.send_signal(signal.SIGUSR1)
            seen = self.newest()
            while (seen or {}).get("number") == (before or {}).get("number"):
                check(time.monotonic() < end and self.process.poll() is None, "a checkpoint", seen)
                seen = self.newest()
            if seen["frames"][0]["name"].endswith("fd_read"):
                return seen
            before = seen
        raise AssertionError("it never waited for a line")

    def kill(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


class Made:
    """A directory of two checkpoints, one step apart, each taken while the program waited."""

    def __init__(self, s):
        run = Running(s, "state", "/lent/log")
        self.state = run.state
        self.depth = 3  # of the recursion in the newer one
        self.log_bytes = 7
        run.expect("step 0")
        before = run.checkpoint()
        for i in range(1, 10):
            self.depth += 2
            self.log_bytes += 7
            run.step(self.depth)
            run.expect(f"step {i}")
            after = run.checkpoint()
            if after["number"] == before["number"] + 1:
                break
            before = after
        self.kept = [before["number"], after["number"]]
        run.kill()
        equal(self.kept[1] - self.kept[0], 1, "a step with one checkpoint, of nine")


def made(s):
    if not hasattr(s, "made"):
        s.made = Made(s)
    return s.made


def two_steps(s):
    return made(s).state


def copy(s, name):
    state = s.dir / name
    shutil.copytree(two_steps(s), state)
    return state


@suite.case
def a_waiting_program_is_shown_while_it_runs(s):
    run = Running(s, "running", "/lent/other")
    run.expect("step 0")
    seen = run.checkpoint()
    names = [f["name"] for f in seen["frames"]]
    equal(names.count("descend"), 4, "frames of the recursion")
    check(names.index("fgets") < names.index("descend") < names.index("main"), "order", names)
    first = seen["frames"][0]
    equal((first["imported"], first["inside_call"], first["offset"]), (True, False, 0))
    check(all(f["inside_call"] for f in seen["frames"][1:]), "callers are inside calls", seen)
    contains(image(s, "show", run.state), "fd_read: about to be called")
    run.kill()


@suite.case
def values_are_those_of_the_program(s):
    seen = told(s, "show", "--values", two_steps(s))
    frames = [f for f in seen["frames"] if f["name"] == "descend"]
    most = made(s).depth
    equal(len(frames), most + 1)
    for depth, frame in enumerate(frames[1:], 1):
        left, half, total = frame["values"][:3]
        equal(left, {"type": "i32", "value": depth})
        equal((half["type"], float(half["value"])), ("f64", 1.5 / 2 ** (most - depth)))
        check(half["bits"].startswith("0x3f"), "raw bits", half)
        equal(total, {"type": "i64", "value": 10**12 + sum(range(depth + 1, most + 1))})
        equal(len(frame["values"]), frame["locals"] + frame["operands"])
    text = image(s, "show", "--values", two_steps(s))
    contains(text, "f64   1.5 (0x3ff8000000000000)")
    contains(text, "i64   1000000000000")
    check("values" not in told(s, "show", two_steps(s))["frames"][0], "only with --values")


@suite.case
def text_and_json_agree(s):
    state = two_steps(s)
    text = image(s, "show", state)
    seen = told(s, "show", state)
    wasm = s.program("steps.c")
    outermost = [f["name"] for f in seen["frames"]].index("main") - 1
    equal(seen["directory"], str(state))
    equal(seen["module"]["size_bytes"], wasm.stat().st_size)
    equal(seen["module"]["name"], str(wasm))
    equal(seen["args"], ["steps.wasm", "/lent/log"])
    equal((seen["phase"], seen["deterministic"]), ("main", False))
    for part in (f"checkpoint {seen['number']}, ", seen["module"]["sha256"],
                 f"call stack: {len(seen['frames'])} frames", "descend: inside a call",
                 f"to #{outermost}: the same place", f"{seen['memory']['pages_used']} of ",
                 f"shared with checkpoint {seen['shared']['with']}: {seen['shared']['pages']} of ",
                 " on disk)",
                 "standard output", f"/lent/log, at {made(s).log_bytes} of", "written", "1 of them null"):
        contains(text, part)
    check(seen["time_ns"] > 1.7e18, "a time of this age", seen["time_ns"])
    equal((seen["kept"], seen["number"]), (made(s).kept, made(s).kept[1]))


@suite.case
def the_memory_map_adds_up(s):
    state = two_steps(s)
    seen = told(s, "show", state)
    memory, sizes = seen["memory"], seen["sizes"]
    used = sum(r["count"] for r in memory["used"])
    equal(used, memory["pages_used"])
    equal(sizes["memory_used_bytes"], used * PAGE)
    equal(sizes["memory_bytes"], memory["pages"] * PAGE)
    check(32 <= used < memory["pages"] and memory["page_bytes"] == PAGE, "128 KiB and some", memory)
    for r, later in zip(memory["used"], memory["used"][1:]):
        check(r["first"] + r["count"] < later["first"], "ranges are in order and apart", memory)
    for r in memory["used"]:
        check(any(one["first"] <= r["first"] and
                  r["first"] + r["count"] <= one["first"] + one["count"]
                  for one in memory["lists_used"]), "inside a list", memory)
    on_disk = sum(f.stat().st_size for f in state.glob("pack-*"))
    equal(sizes["disk_bytes"], on_disk)
    check(0 < sizes["new_bytes"] < sizes["stored_bytes"] <= on_disk, "sizes", sizes)


@suite.case
def descriptors_and_counters(s):
    seen = told(s, "show", two_steps(s))
    by_number = {d["number"]: d for d in seen["descriptors"]}
    equal([by_number[n]["kind"] for n in range(4)], ["standard"] * 3 + ["preopened"])
    log = by_number[4]
    equal((log["kind"], log["directory"], log["path"]), ("file", "/lent", "log"))
    size = made(s).log_bytes
    equal((log["offset"], log["size_bytes"], log["written"], log["flags"]), (size, size, True, []))
    check(seen["counters"]["output_bytes"] >= 2 * size, "the same to standard output", seen)
    check(seen["counters"]["host_calls"] > 4 and seen["counters"]["cpu_ns"] > 0, "counters", seen)
    equal(seen["tables"][0]["null"], 1)
    equal(seen["limits"]["memory_pages"], 65536)


@suite.case
def an_older_checkpoint_has_a_number(s):
    state = two_steps(s)
    kept = made(s).kept
    older = told(s, "show", "--number", kept[0], state)
    equal((older["number"], older["shared"]), (kept[0], None))
    contains(image(s, "show", "--number", kept[0], state), "before it is not kept")
    r = s.tern("image", "show", "--number", kept[1] + 1, state)
    equal(r.returncode, 1)
    clean_error(r, f"checkpoint {kept[1] + 1}", "kept")
    for bad in ("0", "x", "-1", "1x", ""):
        r = s.tern("image", "show", f"--number={bad}", state)
        equal(r.returncode, 2, bad)
        clean_error(r, "not the number")


@suite.case
def a_step_is_what_changed(s):
    state, kept, size = two_steps(s), made(s).kept, made(s).log_bytes
    seen = told(s, "diff", state)
    equal([seen["from"], seen["to"], seen["complete"]], [*kept, True])
    pages = seen["pages"]
    equal(pages["zeroed"], [])
    equal(sum(r["count"] for r in pages["new"]), 16, "a step fills 64 KiB")
    check(pages["same"] >= 15 and pages["changed"], "most of the rest is the same", pages)
    [log] = seen["descriptors"]
    equal((log["from"]["offset"], log["to"]["offset"]), (size - 7, size))
    check(seen["new_chunks"] > 0 and seen["new_bytes"] > 0, "costs", seen)
    before, after = (told(s, "show", "--number", n, state) for n in kept)
    equal(len(after["frames"]) - len(before["frames"]), 2, "the recursion is deeper by two")
    equal(seen["frames_same"] + len(seen["frames"]), len(after["frames"]))
    equal(seen["frames"][0]["to"]["name"], "main")
    equal(seen["frames"][-1]["from"], None)
    [stack] = seen["globals"]
    check(stack["to"]["value"] < stack["from"]["value"], "the stack has grown", stack)
    text = image(s, "diff", state)
    for part in ("  ~ ", " of main (func ", "\n  + ", "new      16 pages", "zeroed   0 pages",
                 "globals that differ: 1", f"{stack['from']['value']} -> {stack['to']['value']}",
                 f"{seen['new_chunks']} new chunks", f"  -     4  file       /lent/log, at {size - 7}"):
        contains(text, part)


@suite.case
def what_cannot_be_compared(s):
    state = copy(s, "alone")
    kept = told(s, "show", state)["kept"]
    for words, part in ((["--from", kept[1]], "not before"),
                        (["--to", kept[0]], "nothing to compare"),
                        (["--from", kept[0], "--to", kept[1] + 7], "not among those"),
                        (["--from", kept[0], "--to", kept[0]], "not before")):
        r = s.tern("image", "diff", *words, state)
        equal((r.returncode, r.stdout), (1, ""), words)
        clean_error(r, part)


@suite.case
def what_is_whole_is_fine(s):
    state = two_steps(s)
    kept = told(s, "show", state)["kept"]
    lines = image(s, "verify", state).splitlines()
    equal([line.split(",")[0] for line in lines],
          [f"checkpoint {n}: fine" for n in reversed(kept)])
    seen = told(s, "verify", state)
    equal((seen["fine"], [c["number"] for c in seen["checkpoints"]]), (True, kept[::-1]))
    for c in seen["checkpoints"]:
        check(c["fine"] and c["chunks"] > 5 and c["plain_bytes"] > s.program("steps.c").stat()
              .st_size, "all was read", c)
        contains("\n".join(lines), f"checkpoint {c['number']}: fine, {c['chunks']} chunks, ")


@suite.case
def a_changed_bit_is_found_wherever_it_is(s):
    """Every byte of a pack belongs to a chunk of one of the two, or to nothing any more."""
    state = copy(s, "bits")
    kept = told(s, "show", state)["kept"]
    [pack] = state.glob("pack-*")
    good = pack.read_bytes()
    found = 0
    for at in range(0, len(good), max(1, len(good) // 24)):
        bad = bytearray(good)
        bad[at] ^= 16
        pack.write_bytes(bad)
        r = s.tern("image", "verify", state)
        check(r.returncode in (0, 1), "refused cleanly", r)
        if r.returncode:
            found += 1
            clean_error(r, f"{state}: checkpoint ", "chunk ", "damaged")
            contains(r.stdout, "not fine")
            seen = json.loads(s.tern("image", "verify", "--json", state).stdout)
            check(not seen["fine"], "in JSON, too", seen)
            contains([c["problem"] for c in seen["checkpoints"] if not c["fine"]][0], "damaged")
    check(found >= 6, "the module alone is more than that", found)
    pack.write_bytes(good)
    equal(told(s, "verify", state)["fine"], True)
    equal(kept, told(s, "show", state)["kept"])


@suite.case
def a_store_that_is_cut_or_scribbled_on(s):
    for name, spoil in (("cut", lambda p: p.write_bytes(b"")),
                        ("gone", lambda p: p.unlink())):
        state = copy(s, name)
        for pack in state.glob("pack-*"):
            spoil(pack)
        r = s.tern("image", "verify", state)
        equal(r.returncode, 1, name)
        clean_error(r, "checkpoint", "its root")
        for command in ("show", "diff"):
            r = s.tern("image", command, state)
            equal((r.returncode, r.stdout), (1, ""))
            clean_error(r, "damaged")
    state = copy(s, "scribbled")
    index = state / "index"
    index.write_bytes(b"\xff" * index.stat().st_size)
    for command in ("show", "verify", "diff"):
        r = s.tern("image", command, state)
        equal((r.returncode, r.stdout), (1, ""))
        clean_error(r, "index")


@suite.case
def what_holds_no_checkpoints(s):
    (s.dir / "empty").mkdir()
    (s.dir / "other").mkdir()
    s.file("other/readme", "nothing to see")
    for command in ("show", "verify", "diff"):
        for place, part in (("empty", "no checkpoints in"), ("other", "no checkpoints in"),
                            ("nowhere", "No such file"), ("other/readme", "Not a directory")):
            r = s.tern("image", command, s.dir / place)
            equal((r.returncode, r.stdout), (1, ""), f"{command} {place}")
            clean_error(r, str(s.dir / place), part)
    equal(list((s.dir / "empty").iterdir()), [], "looking leaves nothing behind")


@suite.case
def a_directory_without_a_checkpoint_yet(s):
    early = s.dir / "early"  # of a program that never reads: that would take a checkpoint
    p = s.start("exec", "--checkpoint", early, s.program("lift.c"), "spin", stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE)
    p.stdout.readline()
    for command in ("show", "verify", "diff"):
        r = s.tern("image", command, early)
        equal((r.returncode, r.stdout), (1, ""))
        clean_error(r, str(early), "no checkpoint in it")
    p.kill()
    p.communicate()


@suite.case
def a_directory_with_one_checkpoint(s):
    run = Running(s, "one")
    run.expect("step 0")
    run.checkpoint()
    run.kill()
    kept = told(s, "show", run.state)["kept"]
    r = s.tern("image", "diff", "--to", kept[0], run.state)
    equal(r.returncode, 1)
    clean_error(r, "nothing to compare")


@suite.case
def names_cannot_steer_a_terminal(s):
    name = b"\x1b[2J\xc2\x9bname"
    # (loop): _start never ends; the name section calls it something else
    body = b"\0\x03\x40\x0c\0\x0b\x0b"
    names = b"\4name\1" + bytes([len(name) + 3]) + b"\1\0" + bytes([len(name)]) + name
    wasm = s.file("steer\x1b[1m.wasm", module(
        section(1, b"\1\x60\0\0"), section(3, b"\1\0"), section(5, b"\1\0\1"),
        section(7, b"\2\6_start\0\0\6memory\2\0"),
        section(10, b"\1" + bytes([len(body)]) + body), section(0, names)))
    state = s.dir / "steer"
    process = s.start("exec", "--checkpoint", state, "--every", "10ms", wasm, "\x1b]0;title\7",
                      stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE_S
    while s.tern("image", "show", state).returncode:
        check(time.monotonic() < end and process.poll() is None, "a checkpoint")
    process.kill()
    process.wait()
    text = image(s, "show", state)
    check("\x1b" not in text and "\x9b" not in text and "\7" not in text, "escaped", text)
    contains(text, "\\1b[2J\\c2\\9bname: about to execute")
    contains(text, "steer\\1b[1m.wasm")
    raw = image(s, "show", "--json", state)
    check("\x1b" not in raw and "\x9b" not in raw, "escaped", raw)
    seen = json.loads(raw)
    equal(seen["frames"][0]["name"], name.decode())
    equal(seen["args"][1], "%1B]0;title%07")


@suite.case
def help_explains_the_keys(s):
    for command, run in (("show", ["show", "--values"]), ("verify", ["verify"]),
                         ("diff", ["diff"])):
        text = s.tern("image", command, "--help").stdout
        check(max(map(len, text.splitlines())) <= 80, "fits on a terminal", text)
        words = set(text.replace(",", " ").replace(":", " ").replace(";", " ").replace(".", " ")
                    .replace(")", " ").replace("(", " ")
                    .split())
        keys = set()
        collect(told(s, run[0], *run[1:], two_steps(s)), keys)
        missing = keys - words
        shown = s.tern("image", "show", "--help").stdout
        missing = {k for k in missing if command != "diff" or k not in shown}
        equal(missing, set(), f"keys of {command} that its help does not name")


def collect(value, keys):
    if isinstance(value, dict):
        for key, inner in value.items():
            keys.add(key)
            collect(inner, keys)
    elif isinstance(value, list):
        for inner in value:
            collect(inner, keys)


@suite.case
def a_full_disk_is_noticed(s):
    for words in (["show"], ["show", "--json"], ["verify"], ["diff"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            r = s.tern("image", *words, two_steps(s), stdout=full, stderr=subprocess.PIPE)
        equal(r.returncode, 1)
        clean_error(r, "No space left")


# ---- Archives ----

@suite.case
def an_archive_goes_anywhere(s):
    state = s.dir / "wanders"
    module = s.program("lift.c")
    whole = s.tern("exec", module, "pointers", "200").stdout
    p = s.start("exec", "--checkpoint", state, module, "pointers", "200", stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=4096, bufsize=0)
    out = p.stdout.readline() + p.stdout.readline()
    p.send_signal(signal.SIGTERM)
    equal(p.wait(), 75)  # it cannot come to its end while nobody reads
    rest, _ = p.communicate()
    archive = s.dir / "archive"
    with open(archive, "wb") as f:
        equal(s.tern("image", "export", state, stdout=f, stderr=subprocess.PIPE).returncode, 0)
    there = s.dir / "there"
    with open(archive, "rb") as f:
        r = s.tern("image", "import", there, stdin=f)
        equal((r.returncode, r.stdout, r.stderr), (0, "", ""))
    contains(s.tern("image", "verify", there).stdout, "checkpoint 1: fine")
    r = s.tern("resume", there)
    equal((r.returncode, r.stderr), (0, ""))
    check((out + rest).decode() + r.stdout == whole, "the parts should give what one run gives")
    with open(archive, "rb") as f:
        r = s.tern("image", "import", there, stdin=f)
        clean_error(r, "there are checkpoints in it: use another directory")


@suite.case
def archives_that_are_refused(s):
    data = (s.dir / "archive").read_bytes()
    size = len(data)
    cases = [(b"", "no archive"), (b"TERNARC2" + data[8:], "no archive"), (data[:8], "too early"),
             (data[:size // 2], "too early"), (data[:-1], "too early"),
             (data[:8] + b"\xfe\xff\xff\xff", "larger than any"),
             (data[:-20] + b"x" + data[-19:], "lacks what its checkpoint needs"),
             (data[:size // 2] + bytes([data[size // 2] ^ 1]) + data[size // 2 + 1:], "archive")]
    for number, (bad, part) in enumerate(cases):
        place = s.dir / f"refused-{number}"
        with open(s.file("bad", bad), "rb") as f:
            r = s.tern("image", "import", place, stdin=f)
        equal((r.returncode, r.stdout), (1, ""), part)
        clean_error(r, part)
        clean_error(s.tern("image", "show", place), "no checkpoint in it")
    r = s.tern("image", "export", "--number", "77", copy(s, "numbered"))
    clean_error(r, "checkpoint 77 is not among those that are kept")


suite.run()
