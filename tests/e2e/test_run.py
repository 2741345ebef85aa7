#!/usr/bin/env python3
"""Programs run as native ones do: arguments, environment, streams, exit codes, directories."""
import os
import signal
import subprocess

from tap import Suite, check, clean_error, contains, equal

suite = Suite()


@suite.case
def greets_on_both_streams(s):
    r = s.tern("exec", s.program("talk.c"))
    equal((r.returncode, r.stdout, r.stderr), (0, "hello\n", "hello from the other stream\n"))


@suite.case
def arguments_arrive_as_they_are(s):
    words = ["show", "--dir", "-x", "", "a b", "\u00e9", "--", "--help"]
    r = s.tern("exec", s.program("talk.c"), *words)
    equal(r.stdout.splitlines(), ["[talk.wasm]", *(f"[{w}]" for w in words)])


@suite.case
def environment_is_empty_but_for_what_is_named(s):
    r = s.tern("exec", "--env", "A=1=2", "--env=OURS", "--env", "NOT_THERE", "--env", "E=",
               s.program("talk.c"), "show", env=s.env(OURS="from outside", HIDDEN="x"))
    equal(r.stdout.splitlines()[2:], ["A=1=2", "OURS=from outside", "E="])


@suite.case
def exit_codes_pass_through(s):
    for code in (0, 1, 2, 3, 42, 100, 124):
        equal(s.tern("exec", s.program("talk.c"), "exit", code).returncode, code)


@suite.case
def input_and_output_through_pipes(s):
    text = "".join(f"line {i}\n" for i in range(20000))
    equal(s.tern("exec", s.program("talk.c"), "copy", input=text).stdout, text)


@suite.case
def closed_standard_input_is_empty(s):
    p = s.start("exec", s.program("talk.c"), "copy", stdout=subprocess.PIPE,
                preexec_fn=lambda: os.close(0))
    equal((p.communicate()[0], p.returncode), (b"", 0))


@suite.case
def a_closed_pipe_ends_it_by_sigpipe(s):
    def defaults():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    p = s.start("exec", s.program("talk.c"), "flood", stdout=subprocess.PIPE, bufsize=0,
                stderr=subprocess.PIPE, preexec_fn=defaults)
    check(p.stdout.read(100), "some output")
    p.stdout.close()
    said = p.stderr.read()
    p.stderr.close()
    equal((p.wait(), said), (-signal.SIGPIPE, b""))


@suite.case
def no_directory_no_file(s):
    secret = s.file("secret", "secret\n")
    r = s.tern("exec", s.program("talk.c"), "cat", secret)
    equal(r.returncode, 1)
    contains(r.stdout, "cannot open")


@suite.case
def directories_are_what_was_named(s):
    (s.dir / "in").mkdir()
    s.file("in/text", "text\n")
    talk = s.program("talk.c")
    equal(s.tern("exec", "--dir", f"{s.dir}/in::/data", talk, "cat", "/data/text").stdout, "text\n")
    equal(s.tern("exec", "--dir", ".", talk, "cat", "in/text", cwd=s.dir).stdout, "text\n")
    equal(s.tern("exec", "--dir=in", talk, "cat", "in/text", cwd=s.dir).stdout, "text\n")
    r = s.tern("exec", "--dir", f"{s.dir}/in::/data", talk, "cat", "/data/../talk.wasm")
    equal(r.returncode, 1, "no way out")


@suite.case
def written_files_are_there(s):
    (s.dir / "out").mkdir()
    r = s.tern("exec", "--dir", f"{s.dir}/out::/out", s.program("talk.c"), "save", "/out/f", "x y")
    equal((r.returncode, r.stdout), (0, ""))
    equal((s.dir / "out/f").read_text(), "x y")


@suite.case
def read_only_directories_stay_as_they_are(s):
    (s.dir / "ro").mkdir()
    s.file("ro/text", "text\n")
    talk = s.program("talk.c")
    equal(s.tern("exec", "--ro-dir", f"{s.dir}/ro::/d", talk, "cat", "/d/text").stdout, "text\n")
    r = s.tern("exec", "--ro-dir", f"{s.dir}/ro::/d", talk, "save", "/d/new", "x")
    equal(r.returncode, 1)
    check(not (s.dir / "ro/new").exists(), "nothing was written")


@suite.case
def a_missing_directory_is_one_error(s):
    r = s.tern("exec", "--dir", f"{s.dir}/nowhere", s.program("talk.c"))
    equal((r.returncode, r.stdout), (125, ""))
    clean_error(r, "nowhere", "No such file or directory")


@suite.case
def a_missing_module_is_one_error(s):
    r = s.tern("exec", s.dir / "nothing.wasm")
    equal(r.returncode, 127)
    clean_error(r, "nothing.wasm", "no such file")


@suite.case
def runs_from_any_directory_without_home(s):
    env = s.env()
    env.pop("HOME", None)
    equal(s.tern("exec", s.program("talk.c"), env=env, cwd="/").stdout, "hello\n")


suite.run()
