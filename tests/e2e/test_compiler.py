#!/usr/bin/env python3
"""The C compiler: missing, broken, slow, interrupted, malicious."""
import os
import select
import shutil
import signal
import subprocess

from tap import Suite, check, clean_error, contains, equal, start_module

suite = Suite()


def fresh(s, number=[0]):
    """A module that was not compiled before."""
    number[0] += 1
    return s.file(f"fresh-{number[0]}.wasm", start_module(b"\x41" + bytes([number[0]]) + b"\x1a"))


def compiler(s, name, script):
    """A C compiler that does something else for modules, in a folder of its own."""
    folder = s.dir / name
    folder.mkdir()
    path = folder / "cc"
    path.write_text("#!/bin/sh\ncase \"$*\" in\n*piece-*)\n" + script + "\n;;\nesac\n"
                    "exec /usr/bin/cc \"$@\"\n")
    path.chmod(0o755)
    return path


def waiting_compiler(s, name):
    """One that waits for a FIFO before it compiles: (compiler, FIFO)."""
    path = compiler(s, name, f"read line < '{s.dir}/{name}/fifo'")
    os.mkfifo(path.parent / "fifo")
    return path, path.parent / "fifo"


def wait_for_no_reader(fd):
    poll = select.poll()
    poll.register(fd, 0)
    check(poll.poll(60000), "the compiler is gone")


@suite.case
def no_compiler_is_one_error(s):
    (s.dir / "nothing").mkdir()
    r = s.tern("exec", fresh(s), env=s.env(PATH=s.dir / "nothing"))
    equal(r.returncode, 125)
    clean_error(r, "C compiler", "apt-get install")


@suite.case
def a_compiler_that_is_not_there_is_named(s):
    r = s.tern("exec", fresh(s), env=s.env(TERN_CC="no-such-compiler -m64"))
    equal(r.returncode, 125)
    clean_error(r, "no-such-compiler", "TERN_CC")


@suite.case
def what_is_no_compiler_is_refused(s):
    r = s.tern("exec", fresh(s), env=s.env(TERN_CC="/bin/true"))
    equal(r.returncode, 125)
    clean_error(r, "true", "does not work as a C compiler")


@suite.case
def messages_of_a_failing_compiler_are_kept(s):
    cc = compiler(s, "failing", "echo 'first line'; echo 'second line' >&2; exit 1")
    r = s.tern("exec", fresh(s), env=s.env(TERN_CC=cc))
    equal(r.returncode, 125)
    clean_error(r, "first line", "compiler-messages.txt")
    equal((s.cache / "compiler-messages.txt").read_text(), "first line\nsecond line\n")


@suite.case
def a_compiler_that_crashes_is_one_error(s):
    cc = compiler(s, "crashing", "kill -SEGV $$")
    r = s.tern("exec", fresh(s), env=s.env(TERN_CC=cc))
    equal(r.returncode, 125)
    clean_error(r, "signal 11")


@suite.case
def a_compiler_that_takes_too_long_is_stopped(s):
    cc = compiler(s, "endless", "while :; do :; done")
    r = s.tern("exec", fresh(s), env=s.env(TERN_CC=cc, TERN_COMPILE_SECONDS="1"))
    equal(r.returncode, 125)
    clean_error(r, "took longer than 1 s", "TERN_COMPILE_SECONDS")


@suite.case
def nonsense_in_the_environment_is_refused(s):
    for text in ("0", "-1", "1h", "x", "99999999999999999999"):
        r = s.tern("exec", fresh(s), env=s.env(TERN_COMPILE_SECONDS=text))
        equal(r.returncode, 125, text)
        clean_error(r, "TERN_COMPILE_SECONDS")


@suite.case
def another_compiler_another_object(s):
    wasm = fresh(s)
    objects = set()
    for cc in ("gcc", "clang", "gcc -O0", "clang"):
        equal(s.tern("exec", wasm, env=s.env(TERN_CC=cc)).returncode, 0)
        objects |= {f.name for f in s.cache.glob("*.o")}
    before = len(objects)
    equal(s.tern("exec", wasm, env=s.env(TERN_CC="gcc", TERN_CFLAGS="-O3")).returncode, 0)
    equal(len(list(s.cache.glob("*.o"))), before + 1)


@suite.case
def a_compiler_sees_no_more_than_it_needs(s):
    """What it may not read or write, and whom it may not talk to; where the kernel can do that."""
    secret = s.file("secret", "secret")
    (s.dir / "spying").mkdir()
    s.file("spying/look.py", f"""
import os, socket
def attempt(name, what):
    try:
        what()
        print(name, "worked")
    except OSError as e:
        print(name, "refused")
attempt("read", lambda: open({str(secret)!r}).read())
attempt("write", lambda: open({str(s.dir)!r} + "/written", "w"))
attempt("socket", lambda: socket.socket())
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("home", lambda: os.listdir("/root"))
print("environment", sorted(os.environ))
print("folder", os.getcwd() == os.environ["TMPDIR"])
""")
    shutil.rmtree(s.dir / "spying-cc", ignore_errors=True)
    cc = compiler(s, "spying-cc", f"/usr/bin/python3 -I '{s.dir}/spying-cc/look.py'; exit 1")
    shutil.copy(s.dir / "spying/look.py", cc.parent)
    r = s.tern("exec", fresh(s), env=s.env(TERN_CC=cc, SECRET="x"))
    equal(r.returncode, 125)
    said = (s.cache / "compiler-messages.txt").read_text().splitlines()
    for line in ("read refused", "write refused", "socket refused"):
        check(line in said, line, said)
    check("folder True" in said, "in the work directory", said)
    [names] = [line for line in said if line.startswith("environment")]
    check("SECRET" not in names, "a clean environment", names)


@suite.case
def interrupting_a_compilation_leaves_nothing_behind(s):
    cc, fifo = waiting_compiler(s, "waiting")
    work = s.dir / "tmp"
    work.mkdir()
    p = s.start("exec", fresh(s), env=s.env(TERN_CC=cc, TMPDIR=work), stderr=subprocess.PIPE)
    with open(fifo, "wb", buffering=0) as end:  # opens when the compiler does
        check(list(work.iterdir()), "a work directory")
        p.send_signal(signal.SIGINT)
        equal(p.wait(), -signal.SIGINT)
        wait_for_no_reader(end)
    equal(p.stderr.read(), b"")
    p.stderr.close()
    equal(list(work.iterdir()), [])
    equal([f.name for f in s.cache.glob("*.lock")], [])


@suite.case
def killing_tern_ends_the_compiler(s):
    cc, fifo = waiting_compiler(s, "orphan")
    p = s.start("exec", fresh(s), env=s.env(TERN_CC=cc))
    with open(fifo, "wb", buffering=0) as end:
        p.kill()
        equal(p.wait(), -signal.SIGKILL)
        wait_for_no_reader(end)


@suite.case
def two_who_want_the_same_compile_once(s):
    cc, fifo = waiting_compiler(s, "once")
    wasm, env = fresh(s), s.env(TERN_CC=cc)
    first = s.start("exec", wasm, env=env)
    with open(fifo, "wb", buffering=0) as end:
        second = s.start("exec", wasm, env=env)
        end.write(b"go on\n")  # for one only: another compiler would wait for ever
        equal(first.wait(300), 0)
        equal(second.wait(300), 0)


@suite.case
def many_at_once(s):
    shutil.rmtree(s.cache)
    wasm = fresh(s)
    crowd = [s.start("exec", wasm) for _ in range(8)]
    equal([p.wait(300) for p in crowd], [0] * 8)
    equal(sorted(f.suffix for f in s.cache.iterdir()), ["", ".o"], "an object, a compiler's name")


@suite.case
def a_module_of_many_pieces(s):
    """Large enough to be cut: compiled side by side, with calls from piece to piece."""
    lines = ["int f0(int x) { return x; }"]
    for i in range(1, 400):
        body = "".join(f"x = x * {i + k} + (x >> {k % 7 + 1}) ^ {k};" for k in range(40))
        lines.append(f"__attribute__((noinline)) int f{i}(int x)"
                     f" {{ {body} return f{i - 1}(x) + {i}; }}")
    lines.append("#include <stdio.h>\nint main(void) { printf(\"%d\\n\", f399(1)); }")
    source = s.file("many.c", "\n".join(lines))
    made = s.tern("cc", "-O1", source, "-o", s.dir / "many.wasm")
    equal(made.returncode, 0)
    r = s.tern("exec", s.dir / "many.wasm", env=s.env(TERN_CFLAGS="-O0"))
    native = s.dir / "many"
    subprocess.run(["cc", "-fwrapv", "-o", native, source], check=True)
    equal(r.stdout, subprocess.run([native], capture_output=True, text=True).stdout)
    r = s.tern("module", "c", s.dir / "many.wasm", "-o", s.dir / "many.d")
    check(len(list((s.dir / "many.d").glob("piece-*.c"))) > 1, "several pieces", r)


suite.run()
