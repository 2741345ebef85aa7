#!/usr/bin/env python3
"""Programs that trap, or pass a limit: one clear error each, and the exit code that is promised."""
import re
import resource

from tap import Suite, check, clean_error, contains, equal, module, section, start_module

suite = Suite()


@suite.case
def a_trap_says_where(s):
    r = s.tern("exec", s.program("talk.c"), "abort")
    equal((r.returncode, r.stdout), (134, ""))
    clean_error(r, "talk.wasm: unreachable in function", "(abort) at offset 0x")


@suite.case
def a_fault_says_where(s):
    for compiler in ("gcc", "clang"):
        r = s.tern("exec", s.program("talk.c"), "load", "0xfffffff0", env=s.env(TERN_CC=compiler))
        equal((r.returncode, r.stdout), (134, ""))
        clean_error(r, "out of bounds memory access in function", "(load) at offset 0x")


@suite.case
def the_offset_of_a_fault_is_the_instruction(s):
    # i32.const 0x10000; i32.load; drop: the load begins 5 bytes into the code.
    data = start_module(b"\x41\x80\x80\x04\x28\2\0\x1a")
    wasm = s.file("fault.wasm", data)
    for flags in ("-O0", "-O2"):
        r = s.tern("exec", wasm, env=s.env(TERN_CFLAGS=flags))
        equal(r.returncode, 134)
        clean_error(r, f"at offset 0x{data.index(bytes([0x28, 2, 0])):x}")


@suite.case
def deep_recursion_is_a_trap(s):
    loop = b"\x10\0"  # calls itself, for ever
    wasm = s.file("deep.wasm", start_module(loop + b"\x41\1\x1a"))
    for flags in ("-O0", "-O2"):
        r = s.tern("exec", wasm, env=s.env(TERN_CFLAGS=flags))
        equal(r.returncode, 134)
        clean_error(r, "call stack exhausted")


@suite.case
def the_stack_can_be_chosen(s):
    talk = s.program("talk.c")
    equal(s.tern("exec", talk, "deep", "10000").returncode, 0)
    r = s.tern("exec", "--stack", "64K", talk, "deep", "10000")
    equal(r.returncode, 134)
    clean_error(r, "call stack exhausted")


@suite.case
def processor_time_is_limited(s):
    r = s.tern("exec", "--time", "100ms", s.program("talk.c"), "spin")
    equal((r.returncode, r.stdout), (152, "ready\n"))
    clean_error(r, "0.1 s of processor time", "--time")


@suite.case
def a_loop_without_calls_is_limited_too(s):
    wasm = s.file("loop.wasm", start_module(b"\3\x40\x0c\0\x0b"))
    for compiler in ("gcc", "clang"):
        r = s.tern("exec", "--time", "100ms", wasm, env=s.env(TERN_CC=compiler, TERN_CFLAGS="-O2"))
        equal(r.returncode, 152)
        clean_error(r, "processor time")


@suite.case
def output_is_limited(s):
    r = s.tern("exec", "--output", "10K", s.program("talk.c"), "flood")
    equal((r.returncode, len(r.stdout)), (153, 10240))
    clean_error(r, "10240 bytes", "--output")


@suite.case
def memory_is_limited(s):
    talk = s.program("talk.c")
    equal(s.tern("exec", "--memory", "64M", talk, "take", "30").stdout, "all\n")
    r = s.tern("exec", "--memory", "20M", talk, "take", "30")
    equal((r.returncode, r.stdout), (0, "less\n"))


@suite.case
def a_module_that_needs_more_memory_is_refused(s):
    r = s.tern("exec", "--memory", "1M", s.program("talk.c"))
    equal((r.returncode, r.stdout), (126, ""))
    clean_error(r, "memory", "--memory")


@suite.case
def wrong_limits_are_usage_errors(s):
    talk = s.program("talk.c")
    for words in (["--memory", "lots"], ["--memory", "-1M"], ["--time", "5 parsecs"],
                  ["--time", "0"], ["--output", "1X"], ["--stack", "1"], ["--stack", "1T"]):
        r = s.tern("exec", *words, talk)
        equal((r.returncode, r.stdout), (125, ""), str(words))
        clean_error(r, words[0])


@suite.case
def an_import_that_there_is_not_is_refused(s):
    imports = section(2, b"\1\3env\6launch\0\0")
    body = b"\0\x0b"
    wasm = s.file("import.wasm", module(
        section(1, b"\1\x60\0\0"), imports, section(3, b"\1\0"), section(7, b"\1\6_start\0\1"),
        section(10, b"\1" + bytes([len(body)]) + body)))
    r = s.tern("exec", wasm)
    equal((r.returncode, r.stdout), (126, ""))
    clean_error(r, "env", "launch")


@suite.case
def a_module_without_start_is_refused(s):
    r = s.tern("exec", s.file("empty.wasm", module()))
    equal(r.returncode, 126)
    clean_error(r, "_start")


@suite.case
def limits_on_tern_itself_are_survived(s):
    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))
    r = s.tern("exec", s.program("talk.c"), preexec_fn=few_files)
    equal(r.returncode, 125)
    check(re.match("tern: ", r.stderr), "an error of tern's own", r)
    contains(r.stderr, "\n")


suite.run()
