#!/usr/bin/env python3
"""Files of a program's own: --files, --out; stopped, killed, gone on with elsewhere."""
import json
import os
import shutil
import signal
import socket

from lifted import commits, new, random_moments, resume, same, start
from tap import Suite, check, clean_error, contains, equal

suite = Suite()

SHUFFLE_STEPS = 1500


def folder(s, name, **files):
    """A folder with these files."""
    path = s.dir / name
    path.mkdir()
    for key, text in files.items():
        (path / key).write_text(text)
    return path


def told(s, *words, program="shuffle.c", **more):
    r = s.tern("exec", *words[:-1], s.program(program), *words[-1], **more)
    equal((r.returncode, r.stderr), (0, ""))
    return r.stdout


# ---- The same answers as the kernel's ----

@suite.case
def drawn_operations_have_the_answers_of_a_directory_of_the_kernel(s):
    moments = random_moments()
    for seed in [moments.randrange(1 << 30) for _ in range(6)]:
        words = [str(seed), str(SHUFFLE_STEPS)]
        host, own = folder(s, f"host-{seed}"), folder(s, f"own-{seed}")
        kernel = told(s, "--dir", f"{host}::/", words)
        same(told(s, "--files", own, words).encode(), kernel.encode(), f"seed {seed}")
        check(len(kernel.splitlines()) > SHUFFLE_STEPS / 2, "answers", kernel[-200:])


@suite.case
def a_folder_is_the_beginning_and_stays_as_it_is(s):
    data = folder(s, "data", one="1\n", two="22\n")
    (data / "sub").mkdir()
    (data / "sub" / "deep").write_bytes(bytes(range(256)) * 600)
    (data / "link").symlink_to("/sub/../one")
    os.link(data / "two", data / "again")
    with open(data / "sparse", "wb") as f:
        f.seek(5 << 20)
        f.write(b"end")
    before = sorted((p.name, p.lstat().st_mtime_ns, p.lstat().st_nlink) for p in data.rglob("*"))
    out = s.dir / "whole"
    r = s.tern("exec", "--files", data, "--out", f"/={out}", s.program("shuffle.c"), "1", "0")
    equal((r.returncode, r.stderr), (0, ""))
    contains(r.stdout, "./link: 0 7 11 1\nreadlink ./link: 0 /sub/../one\n")
    contains(r.stdout, "./again: 0 4 3 2\n")
    contains(r.stdout, "./sparse: 0 4 5242883 1\n")
    equal(sorted((p.name, p.lstat().st_mtime_ns, p.lstat().st_nlink) for p in data.rglob("*")),
          before, "the folder")
    for name in ["one", "two", "again", "sub/deep", "sparse"]:
        equal((out / name).read_bytes(), (data / name).read_bytes(), name)
    equal(os.readlink(out / "link"), "/sub/../one")
    check((out / "sparse").stat().st_blocks < 1000, "that holes stay holes")


@suite.case
def what_is_no_file_is_left_out_with_a_line(s):
    data = folder(s, "special", file="x")
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(data / "socket"))
    r = s.tern("exec", "--files", data, s.program("shuffle.c"), "1", "0")
    equal(r.returncode, 0)
    equal(r.stderr.splitlines(),
          [f"tern: {data}/{name} is neither file nor folder nor link: the program does not get it"
           for name in ["pipe", "socket"]])
    check("pipe" not in r.stdout and "./file: 0 4 1 1" in r.stdout, "the file alone", r.stdout)


# ---- What leaves ----

def leave(s, *words, files=None, **more):
    return s.tern("exec", "--files", files or s.dir, *words[:-1], s.program("leave.c"), *words[-1],
                  **more)


@suite.case
def outputs_are_put_where_they_are_wanted(s):
    empty, here = folder(s, "leave"), folder(s, "here", old="old\n")
    (here / "old").chmod(0o600)
    r = leave(s, "--out", "/made/result", "--out", "made=all", "--out", "to/result=old",
              "--out", "to=linked", ["0"], files=empty, cwd=here)
    equal((r.returncode, r.stderr), (0, ""))
    equal(sorted(p.name for p in here.iterdir()), ["all", "linked", "old", "result"])
    for name in ["result", "old", "all/result", "linked/result"]:
        equal((here / name).read_text(), "the result\n", name)
    equal(list(empty.iterdir()), [], "the folder it began with")


@suite.case
def a_program_that_fails_leaves_its_outputs_too(s):
    empty, here = folder(s, "failing"), folder(s, "failed")
    r = leave(s, "--out", "made/result", ["3"], files=empty, cwd=here)
    equal((r.returncode, r.stderr), (3, ""))
    equal((here / "result").read_text(), "the result\n")


@suite.case
def a_trap_leaves_nothing(s):
    empty, here = folder(s, "trapping"), folder(s, "trapped")
    r = leave(s, "--out", "made/result", ["trap"], files=empty, cwd=here)
    equal(r.returncode, 134)
    equal(list(here.iterdir()), [])


@suite.case
def an_output_that_is_missing_is_told(s):
    empty, here = folder(s, "lacking"), folder(s, "lacked")
    r = leave(s, "--out", "nothing", "--out", "made/result", ["0"], files=empty, cwd=here)
    equal(r.returncode, 125)
    clean_error(r, "left no nothing")
    equal([p.name for p in here.iterdir()], ["result"], "the others")
    r = leave(s, "--out", "nothing", ["3"], files=empty, cwd=here)
    equal(r.returncode, 3, "its own exit code")
    clean_error(r, "left no nothing")


@suite.case
def places_that_cannot_take_an_output_are_refused_before_the_start(s):
    empty, here = folder(s, "refusing"), folder(s, "refused")
    (here / "full").mkdir()
    (here / "full" / "file").write_text("x")
    (here / "none").mkdir()
    for out, words in [("made=full", "not empty"), ("made=no/where", "no folder"),
                       ("/", "PATH=HOSTPATH"), ("made=", "PATH=HOSTPATH")]:
        r = leave(s, "--out", out, ["0"], files=empty, cwd=here)
        equal((r.returncode, r.stdout), (125, ""), out)
        clean_error(r, words)
    r = leave(s, "--out", "made=none", ["0"], files=empty, cwd=here)
    equal((r.returncode, (here / "none" / "result").read_text()), (0, "the result\n"))


@suite.case
def wrong_usage_is_told(s):
    data = folder(s, "usage", file="x" * 10000)
    program = s.program("leave.c")
    for words, part in [(["--out", "x"], "--files"),
                        (["--files", data, "--files", data], "twice"),
                        (["--files", data, "--dir", f"{data}::/"], "another name"),
                        (["--files", data, "--files-size", "1"], "4K to 64G"),
                        (["--files", data, "--files-size", "8K"], "--files-size"),
                        (["--files", data / "none"], "No such file"),
                        (["--files", data / "file"], "Not a directory")]:
        r = s.tern("exec", *words, program, "0")
        check(r.returncode == 125, f"{words}: 125", r)
        clean_error(r, part)


@suite.case
def a_tree_that_is_full_says_so_to_the_program(s):
    empty = folder(s, "narrow")
    r = leave(s, "--files-size", "40K", ["fill"], files=empty)
    equal((r.returncode, r.stdout, r.stderr), (0, "40960 bytes, No space left on device\n", ""))


@suite.case
def a_directory_can_be_lent_beside_it(s):
    own, lent = folder(s, "beside"), folder(s, "lent", input="lent\n")
    r = leave(s, "--dir", f"{lent}::/lent", "--out", "copied=out", ["copy"], files=own, cwd=s.dir)
    equal((r.returncode, r.stdout, r.stderr), (0, "", ""))
    equal((s.dir / "out").read_text(), "lent\n")


# ---- Stopped and gone on with ----

def shuffle(s, state, own, words):
    return start(s, state, *words, options=["--files", own], module=s.program("shuffle.c"))


@suite.case
def a_program_goes_on_without_the_folder_it_began_with(s):
    moments = random_moments()
    for _ in range(4):
        words = [str(moments.randrange(1 << 30)), str(SHUFFLE_STEPS)]
        own, state = folder(s, f"gone-{words[0]}", b="one\n", d="two\n"), new(s)
        whole = told(s, "--files", own, words).encode()
        out = shuffle(s, state, own, words).lines(moments.randrange(1, 700)).stop()
        shutil.rmtree(own)
        elsewhere = s.dir / f"moved-{words[0]}"
        state = state.rename(elsewhere)
        out += resume(s, state).lines(moments.randrange(1, 300)).stop()
        p = resume(s, state)
        equal(p.end(), (0, ""))
        same(out + p.seen, whole, f"seed {words[0]}")


@suite.case
def killed_and_gone_on_with_though_files_were_overwritten(s):
    moments = random_moments()
    own, state = folder(s, "killed"), new(s)
    words = [str(moments.randrange(1 << 30)), str(SHUFFLE_STEPS)]
    whole = told(s, "--files", own, words).encode()
    p = shuffle(s, state, own, words)
    for _ in range(3):
        p.lines(moments.randrange(1, 300))
        before = commits(state)
        p.send(signal.SIGUSR1).wait_for_commit(before)
        p.lines(p.seen.count(b"\n") + 100) # it has written on since
        p.send(signal.SIGKILL)
        p.process.wait()
        p.end()
        p = resume(s, state)
    equal(p.end(), (0, ""))
    check(whole.endswith(p.seen) and p.seen, "the end of what one run tells", p.seen[:200])
    r = s.tern("image", "verify", state)
    equal(r.returncode, 0, r.stderr)


def shown(s, command, state):
    text, data = s.tern("image", command, state), s.tern("image", command, "--json", state)
    equal((text.returncode, data.returncode, text.stderr), (0, 0, ""))
    return text.stdout, json.loads(data.stdout)


@suite.case
def image_show_and_diff_tell_of_files(s):
    own, state = folder(s, "shown", gone="x" * 9000, kept="y" * 9000), new(s)
    p = start(s, state, "count", "5000", options=["--files", own],
              module=s.program("leave.c")).lines(500)
    before = commits(state)
    p.send(signal.SIGUSR1).wait_for_commit(before)
    p.lines(p.seen.count(b"\n") + 1000).stop()
    text, data = shown(s, "show", state)
    contains(text, "files of its own: 4 inodes, ")
    contains(text, "  file       /kept, 9,000 bytes, 3 pages, 3 shared\n")
    contains(text, "own file   /log, at ")
    files = {row["path"]: row for row in data["files"]["tree"]}
    equal(sorted(files), ["/gone", "/kept", "/log"])
    row = files["/kept"]
    equal((row["kind"], row["size_bytes"], row["pages"], row["pages_shared"], row["links"]),
          ("file", 9000, 3, 3, 1))
    equal(data["files"]["bytes_max"], 4 << 30)
    equal([d["inode"] for d in data["descriptors"] if d["kind"] == "own file"],
          [files["/log"]["inode"]])
    text, data = shown(s, "diff", state)
    contains(text, "files that differ: 1\n  ~ /log, file of ")
    [change] = data["files"]
    equal((change["path"], change["pages_changed"] > 0), ("/log", True))
    check(change["from"]["size_bytes"] < change["to"]["size_bytes"], "that it grew", change)
    equal(resume(s, state).end(), (0, ""))


@suite.case
def outputs_of_a_program_that_was_stopped(s):
    own, here, state = folder(s, "late"), folder(s, "lately"), new(s)
    p = start(s, state, "count", "3000", options=["--files", own, "--out", "log=the log"],
              module=s.program("leave.c"), cwd=here).lines(500)
    p.stop()
    equal(list(here.iterdir()), [], "nothing leaves when it is stopped")
    p = resume(s, state, cwd=here)
    equal(p.end(), (0, ""))
    equal((here / "the log").read_text(), "".join(f"{n}\n" for n in range(3000)))


@suite.case
def a_record_has_all_that_a_replay_needs(s):
    own, here, record = folder(s, "noted", input="x"), folder(s, "noting"), s.dir / "noted.rec"
    options = ["--record", record, "--files", own, "--out", "log"]
    r = s.tern("exec", *options, s.program("leave.c"), "count", "50", cwd=here)
    equal((r.returncode, r.stderr), (0, ""))
    (here / "log").unlink()
    shutil.rmtree(own)
    again = s.tern("replay", record, cwd=here)
    equal((again.returncode, again.stdout, again.stderr), (0, r.stdout, ""))
    equal(list(here.iterdir()), [], "a replay leaves nothing")


@suite.case
def equal_runs_have_equal_images(s):
    """Pages of files that did not change are not written again."""
    own, state = folder(s, "steady"), new(s)
    (own / "large").write_bytes(os.urandom(6 << 20))
    p = start(s, state, "count", "3000", options=["--files", own],
              module=s.program("leave.c")).lines(100)
    size = []
    for _ in range(2):
        before = commits(state)
        p.send(signal.SIGUSR1).wait_for_commit(before).lines(p.seen.count(b"\n") + 50)
        size.append(sum(f.stat().st_size for f in state.glob("pack-*")))
    p.send(signal.SIGKILL).end()
    check(size[0] > 6 << 20 and size[1] - size[0] < 1 << 20, "a small second checkpoint", size)


suite.run()
