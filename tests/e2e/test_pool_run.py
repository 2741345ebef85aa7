#!/usr/bin/env python3
"""Programs in a pool of real daemons: run as here, with files, by the dozen, one after the other."""
import os
import pathlib
import pty
import signal
import subprocess

from pool import Pool
from tap import PATIENCE_S, Suite, check, clean_error, contains, equal

suite = Suite()
pools = []


def pool_of(s):
    """One pool for all cases that do it no harm."""
    if not pools:
        pools.append(Pool(s, depots=2, nodes=2, slots=1))
    return pools[0]


@suite.case
def run_is_as_exec(s):
    pool, talk = pool_of(s), s.program("talk.c")
    r = pool.tern("run", talk)
    equal((r.returncode, r.stdout, r.stderr), (0, "hello\n", "hello from the other stream\n"))
    r = pool.tern("run", talk, "show", "--dir", "", "a b", "\u00e9", "--")
    equal(r.stdout.splitlines(), ["[talk.wasm]", "[show]", "[--dir]", "[]", "[a b]", "[\u00e9]",
                                  "[--]"])
    for code in (0, 1, 42, 124):
        equal(pool.tern("run", talk, "exit", code).returncode, code)
    r = pool.tern("run", "--env", "A=1=2", "--env", "HOME_OF", talk, "show",
                  env=pool.env(HOME_OF="x"))
    equal(r.stdout.splitlines()[2:], ["A=1=2", "HOME_OF=x"])


@suite.case
def input_from_files_and_pipes(s):
    pool, talk = pool_of(s), s.program("talk.c")
    text = "".join(f"line {i}\n" for i in range(50000))
    equal(pool.tern("run", talk, "copy", input=text).stdout, text, "through pipes")
    with open(s.file("in.txt", text)) as f:
        equal(pool.tern("run", talk, "copy", stdin=f).stdout, text, "from a file")
    equal(pool.tern("run", talk, "copy").stdout, "", "from /dev/null")
    equal(pool.tern("run", "--in", f"-=@{s.dir}/in.txt", talk, "copy").stdout, text, "by --in")


@suite.case
def ends_that_are_no_exit(s):
    pool, talk = pool_of(s), s.program("talk.c")
    trap = s.file("trap.wasm", bytes.fromhex(
        "0061736d01000000010401600000030201000503010001071302065f73746172740000066d656d6f72790200"
        "0a05010300000b"))
    r = pool.tern("run", trap)
    equal(r.returncode, 134)
    clean_error(r, "trap.wasm", "unreachable")
    r = pool.tern("run", "--time", "300ms", s.program("lines.c"), "work", 1000000)
    equal(r.returncode, 152)
    clean_error(r, "processor time")
    r = pool.tern("run", "--output", "1K", talk, "flood")
    equal(r.returncode, 153)


@suite.case
def files_go_and_come(s):
    pool, lines = pool_of(s), s.program("lines.c")
    data = os.urandom(3 << 20)
    there, back = s.file("there", data), s.dir / "back"
    r = pool.tern("run", "--in", f"a=@{there}", "--out", f"b={back}", lines, "cp", "a", "b")
    equal((r.returncode, r.stderr), (0, ""))
    check(back.read_bytes() == data, "the same bytes")
    equal(pool.tern("put", "some data", there).returncode, 0)
    for name in ("@data", "t12:data"):
        r = pool.tern("put", name, there)
        equal(r.returncode, 2)
        clean_error(r, "a name cannot begin")
    equal(pool.json("ls")["names"][0]["name"], "some data")
    equal(pool.json("ls")["names"][0]["bytes"], len(data))
    r = pool.tern("run", "--in", "a=some data", "--out", f"b={back}2", lines, "cp", "a", "b")
    equal(r.returncode, 0)
    check(pathlib.Path(f"{back}2").read_bytes() == data, "by name")
    equal(pool.tern("get", "some data", f"{back}3").returncode, 0)
    check(pathlib.Path(f"{back}3").read_bytes() == data, "fetched")
    equal(pool.tern("rm", "some data").returncode, 0)
    equal(pool.tern("get", "some data").returncode, 4)


@suite.case
def what_is_not_left_is_said(s):
    pool, lines = pool_of(s), s.program("lines.c")
    r = pool.tern("run", "--out", "nothing", lines, "work", 1)
    equal(r.returncode, 125)
    contains(r.stderr, "nothing")
    check(not pathlib.Path("nothing").exists(), "no file")
    r = pool.tern("run", "--in", "a=no such data", lines, "cp", "a", "b")
    equal(r.returncode, 125)
    clean_error(r, "no such data")
    r = pool.tern("run", "--in", "a=@/no/such/file", lines, "cp", "a", "b")
    equal(r.returncode, 125)
    clean_error(r, "/no/such/file")


@suite.case
def one_after_the_other(s):
    pool, lines = pool_of(s), s.program("lines.c")
    first = pool.submit("--out", "made", "--in", f"a=@{s.file('a', 'made here' * 1000)}", lines,
                        "cp", "a", "made")
    second = pool.submit("--in", f"a={first}:made", "--out", "b", lines, "cp", "a", "b")
    third = pool.submit("--in", f"-={second}:b", s.program("talk.c"), "copy")
    equal(pool.tern("wait", first, second, third).returncode, 0)
    equal(pool.tern("get", f"{third}:").stdout, "made here" * 1000)
    equal(pool.tern("get", f"{second}:b").stdout, "made here" * 1000)
    r = pool.tern("get", f"{third}:nothing")
    equal(r.returncode, 4)
    r = pool.tern("submit", "--in", f"-={third}:nothing", lines, "echo")
    equal(r.returncode, 4)
    clean_error(r, "nothing")


@suite.case
def submit_and_come_back(s):
    pool, lines = pool_of(s), s.program("lines.c")
    task = pool.submit("--label", "some work", lines, "work", 30)
    r = pool.tern("attach", task)
    equal((r.returncode, r.stderr), (0, "worked\n"))
    equal(len(r.stdout.splitlines()), 30)
    equal(pool.tern("logs", task).stdout, r.stdout)
    equal(pool.tern("logs", "-f", task).stdout, r.stdout)
    shown = pool.json("show", task)
    equal((shown["state"], shown["label"], shown["end"]["exit_code"]), ("done", "some work", 0))
    equal(shown["args"], ["work", "30"])
    contains(pool.tern("show", task).stdout, "exit 0")
    contains(pool.tern("ps", "--all").stdout, task)
    contains(pool.tern("wait", task).stdout, f"{task} done: exit 0")
    bad = pool.submit(lines, "fail", "bad")
    equal(pool.tern("wait", bad, task).returncode, 7)
    equal(pool.tern("wait", "--any", task, bad).returncode in (0, 7), True)
    equal(pool.tern("forget", task).returncode, 0)
    equal(pool.tern("show", task).returncode, 4)


@suite.case
def cancelled(s):
    pool, lines = pool_of(s), s.program("lines.c")
    task = pool.submit(lines, "work", 100000000)
    contains(pool.tern("cancel", task).stdout, "1 task")
    equal(pool.tern("wait", task).returncode, 7)
    equal(pool.tern("attach", task).returncode, 130)
    contains(pool.tern("cancel", task).stdout, "0 tasks")
    p = pool.begin("run", lines, "echo", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, text=True)
    p.stdin.write("a\n")
    p.stdin.flush()
    equal(p.stdout.readline(), "1 a\n", "it runs")
    p.send_signal(signal.SIGTERM)
    errors = p.communicate(timeout=PATIENCE_S)[1]
    equal(p.returncode, 130, "by SIGTERM")
    check("otherwise" not in errors, "what was shown is not taken back", errors)


@suite.case
def what_no_node_has(s):
    pool, lines = pool_of(s), s.program("lines.c")
    r = pool.tern("run", "--no-wait", "--needs", "gpu", lines, "work", 1)
    equal(r.returncode, 125)
    clean_error(r, "gpu")
    task = pool.submit("--needs", "memory=900T", lines, "work", 1)
    contains(pool.tern("why", task).stdout, "memory")
    equal(pool.json("why", task)["reasons"][0]["what"], "memory")
    pool.tern("cancel", task)


@suite.case
def mapped(s):
    pool, lines = pool_of(s), s.program("lines.c")
    r = pool.tern("map", "--range", "1..40", lines, "fail", "{}")
    equal(r.stdout, "".join(f"{i} is good\n" for i in range(1, 41)))
    equal((r.returncode, r.stderr), (0, ""))
    items, failed = s.file("items", "a\nbad\nc d\n\nbad\n"), s.dir / "failed"
    r = pool.tern("map", "--each", items, "--failed", failed, lines, "fail")
    equal(r.returncode, 7)
    equal(r.stdout, "a is good\nc d is good\n")
    contains(r.stderr, "bad is bad")
    contains(r.stderr, "2 of 4 items failed")
    equal(failed.read_text(), "1\tbad\n3\tbad\n")
    r = pool.tern("map", "--retry", failed, lines, "fail", "not {}")
    equal((r.returncode, r.stdout), (0, "not bad is good\n" * 2))
    r = pool.tern("map", "--retry", items, lines, "fail", "not {}")
    equal(r.returncode, 2, "a plain list")
    clean_error(r, "--each")
    out = s.dir / "results"
    r = pool.tern("map", "--stdin", "--results", out, lines, "fail", input="x\ny\n")
    equal((r.returncode, r.stdout), (0, ""))
    equal((out / "1.out").read_text(), "y is good\n")
    r = pool.tern("map", "--each", items, "--results", out, "--failed", failed, lines, "fail")
    equal(r.returncode, 7)
    check((out / "1.err").exists(), "what a bad one says")
    r = pool.tern("map", "--retry", failed, "--results", out, lines, "fail", "not {}")
    equal(r.returncode, 0)
    equal([(out / f"{i}.out").read_text() for i in range(4)],
          ["a is good\n", "not bad is good\n", "c d is good\n", "not bad is good\n"],
          "results of items that were done again do not take the place of others")
    check(not (out / "1.err").exists(), "nor stays what the failed one said")
    r = pool.tern("map", "--as-they-come", "--range", "1..30", lines, "fail")
    equal(sorted(r.stdout.splitlines()), sorted(f"{i} is good" for i in range(1, 31)))
    r = pool.tern("map", "--json", "--range", "1..3", lines, "fail")
    equal(len(r.stdout.splitlines()), 3)


@suite.case
def a_terminal_sees_what_is_not_committed(s):
    pool, lines = pool_of(s), s.program("lines.c")
    leader, follower = pty.openpty()
    p = pool.begin("run", "--every", "1h", lines, "echo", stdin=subprocess.PIPE, stdout=follower,
                   stderr=follower, text=True)
    os.close(follower)
    seen = b""
    for n in range(1, 4):
        p.stdin.write(f"word {n}\n")
        p.stdin.flush()
        while f"{n} word {n}\r\n".encode() not in seen:
            seen += os.read(leader, 1000)
    p.stdin.close()
    equal(p.wait(PATIENCE_S), 0)
    equal(seen.count(b"word 2"), 1)


@suite.case
def moved_while_it_runs(s):
    pool, lines = pool_of(s), s.program("lines.c")
    p = pool.begin("run", lines, "echo", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, text=True)
    p.stdin.write("before\n")
    p.stdin.flush()
    equal(p.stdout.readline(), "1 before\n")
    row = next(r for r in pool.json("ps")["tasks"] if r["state"] == "running")
    other = {"n1": "n2", "n2": "n1"}[row["node"]]
    equal(pool.tern("migrate", row["id"], other).returncode, 0)
    while pool.json("show", row["id"])["node"] != other:
        pass
    p.stdin.write("after\n")
    p.stdin.flush()
    equal(p.stdout.readline(), "2 after\n")
    _, err = p.communicate(timeout=PATIENCE_S)
    equal(p.returncode, 0)
    contains(err, other)
    equal(pool.json("show", row["id"])["moves"], 1)


@suite.case
def the_example_by_libtern(s):
    pool = pool_of(s)
    example = pathlib.Path(os.environ["TERN_BUILD"]) / "tests" / "lib" / "submit_shared"
    r = subprocess.run([example, s.program("talk.c"), "show", "hello"], env=pool.env(),
                       capture_output=True, text=True, timeout=PATIENCE_S)
    equal((r.returncode, r.stderr), (0, ""))
    contains(r.stdout, "show (done):\n[talk.wasm]\n[show]\n")


@suite.case
def the_shared_pool_ends(s):
    pool = pool_of(s)
    for name in ("n1", "n2", "d1", "d2", "agent"):
        equal(pool.parts[name].kill(signal.SIGTERM), 0, name)
    pool.end()


suite.run()
