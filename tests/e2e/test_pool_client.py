#!/usr/bin/env python3
"""What the commands of a pool's users say when something is not there: one line, one exit code."""
import os
import pathlib
import socket
import struct
import subprocess
import time

from pool import Pool
from tap import Suite, check, clean_error, contains, equal, start_module

suite = Suite()


@suite.case
def no_pool_here(s):
    env = s.env(XDG_RUNTIME_DIR=s.dir)
    env.pop("TERN_POOL", None)
    env.pop("TERN_AGENT", None)
    for words in (["ps"], ["nodes"], ["ls"], ["why", "t1"], ["checkpoint", "t1"], ["top", "--once"]):
        r = s.tern(*words, env=env)
        equal(r.returncode, 3, words)
        clean_error(r, "tern up")
    r = s.tern("run", s.program("talk.c"), env=env)
    equal(r.returncode, 125)
    clean_error(r, "tern up")


@suite.case
def an_address_where_nobody_is(s):
    for at in ("unix:/nowhere/sock", f"tcp:127.0.0.1:1#{'0' * 64}"):
        r = s.tern("ps", "--pool", at)
        equal(r.returncode, 3, at)
        clean_error(r)
    r = s.tern("ps", "--pool", "tcp:no.such.host.invalid:7373#" + "0" * 64)
    equal(r.returncode, 3)
    clean_error(r, "no.such.host.invalid")


@suite.case
def what_cannot_be_said(s):
    talk = s.program("talk.c")
    for words in (["show", "x12"], ["show", "t"], ["cancel", "12x"], ["attach", "j3"],
                  ["map", talk], ["map", "--range", "9..1", talk], ["map", "--range", "1..", talk],
                  ["submit", "--in", "data", talk], ["submit", "--copies", "9", talk],
                  ["submit", "--priority", "much", talk], ["submit", "--memory", "x", talk]):
        r = s.tern(*words)
        check(r.returncode in (2, 125), "wrong usage", r)
        clean_error(r)


@suite.case
def what_is_no_module_is_not_sent(s):
    text = s.file("text.wasm", "text")
    broken = s.file("broken.wasm", start_module(b"\x41"))  # i32.const without a number
    env = s.env(TERN_POOL="unix:/nowhere/sock")  # it is found out before anything is dialled
    for path in (text, broken):
        for command in ("run", "submit"):
            r = s.tern(command, path, env=env)
            equal(r.returncode, 126)
            clean_error(r, path.name)
    for command in ("run", "submit"):
        r = s.tern(command, s.dir / "nothing.wasm", env=env)
        equal(r.returncode, 127)
        clean_error(r, "nothing.wasm")


@suite.case
def a_pool_of_an_agent_alone(s):
    with Pool(s, depots=0, nodes=0) as pool:
        contains(pool.tern("ps").stdout, "no tasks")
        contains(pool.tern("nodes").stdout, "no nodes")
        equal(pool.json("ps"), {"tasks": []})
        equal(pool.json("nodes"), {"nodes": [], "depots": []})
        equal(pool.json("ls"), {"names": []})
        equal(pool.json("top", "--once")["pool"]["nodes"], 0)
        for words in (["show", "t1"], ["why", "1"], ["cancel", "t1"], ["attach", "t1"],
                      ["logs", "t1"], ["wait", "t1"], ["wait", "j1"], ["get", "nothing"],
                      ["get", "t1:out"], ["rm", "nothing"], ["drain", "nobody"],
                      ["migrate", "t1"], ["checkpoint", "t1"], ["forget", "j9"]):
            r = pool.tern(*words)
            equal(r.returncode, 125 if words[0] == "attach" else 4, words)
            clean_error(r)
        r = pool.tern("put", "x", s.file("x", "x"))
        equal(r.returncode, 6)
        clean_error(r, "tern depot")


@suite.case
def one_that_speaks_another_version(s):
    path = s.dir / "old.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    p = s.start("ps", "--pool", f"unix:{path}", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True)
    peer, _ = listener.accept()
    # Hello of versions 7 to 9, from an agent: Envelope.hello is field 10.
    hello = b"\x08\x07\x10\x09\x18\x02"
    envelope = b"\x52" + bytes([len(hello)]) + hello
    peer.sendall(struct.pack("<III", len(envelope), len(envelope), 1) + envelope)
    out, err = p.communicate(timeout=60)
    peer.close()
    listener.close()
    equal((p.returncode, out), (5, ""))
    contains(err, "7 to 9")
    equal(len(err.splitlines()), 1)


@suite.case
def an_agent_that_is_killed_is_waited_for(s):
    with Pool(s, depots=0, nodes=0) as pool:
        pool.tern("ps")
        pool.parts["agent"].kill()
        r = pool.tern("ps")
        equal(r.returncode, 3)
        clean_error(r)
        pool.agent()
        equal(pool.tern("ps").returncode, 0)


@suite.case
def the_example_says_what_is_wrong(s):
    example = pathlib.Path(os.environ["TERN_BUILD"]) / "tests" / "lib" / "submit_shared"
    env = s.env(TERN_POOL="unix:/nowhere/sock")
    r = subprocess.run([example, "prog.wasm", "1"], env=env, capture_output=True, text=True)
    equal(r.returncode, 1)
    contains(r.stderr, "/nowhere/sock")


@suite.case
def agent_time_as_wall_time(s):
    with Pool(s, depots=0, nodes=0) as pool:
        before = time.time_ns()
        seen = pool.json("top", "--once")["pool"]
        check(before <= seen["wall_of_zero_ns"] + seen["now_ns"] <= time.time_ns(), "now", seen)


suite.run()
