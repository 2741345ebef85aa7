#!/usr/bin/env python3
"""tern module: what it shows, and what it says of files that are no modules."""
import json
import subprocess

from tap import Suite, check, clean_error, contains, equal, module, section, start_module

suite = Suite()


@suite.case
def text_and_json_agree(s):
    wasm = s.program("talk.c")
    text = s.tern("module", "show", wasm).stdout
    told = json.loads(s.tern("module", "show", "--json", wasm).stdout)
    equal(told["size_bytes"], wasm.stat().st_size)
    for row in told["imports"]:
        contains(text, f"{row['module']}.{row['name']}")
    names = {row["name"] for row in told["functions"]}
    check({"main", "deep", "load"} <= names, "functions have names", names)
    contains(text, f"functions: {len(told['functions'])}")
    [start] = [row for row in told["exports"] if row["name"] == "_start"]
    equal((start["kind"], start["type"]), ("func", {"params": [], "results": []}))
    equal([row["name"] for row in told["custom_sections"]][:1], ["name"])


@suite.case
def offsets_and_sizes_are_true(s):
    data = start_module(b"\x41\7\x1a")
    told = json.loads(s.tern("module", "show", "--json", s.file("x.wasm", data)).stdout)
    [f] = told["functions"]
    equal(data[f["offset"]:f["offset"] + f["size_bytes"]], b"\x41\7\x1a\x0b")
    equal(told["memories"], [{"index": 0, "pages": {"min": 1}}])


@suite.case
def names_cannot_steer_a_terminal(s):
    data = module(section(1, b"\1\x60\0\0"), section(2, b"\1\4\x1b[2J\1\n\0\0"))
    text = s.tern("module", "show", s.file("esc.wasm", data)).stdout
    check("\x1b" not in text, "escaped", text)
    contains(text, "\\1b[2J.\\0a")


@suite.case
def what_is_no_module_is_one_error(s):
    cases = {
        "empty": b"",
        "text": b"int main(void) { return 0; }\n",
        "version": b"\0asm\2\0\0\0",
        "cut": start_module(b"\1")[:30],
        "section": module(b"\x63\0"),
    }
    for name, data in cases.items():
        wasm = s.file(name + ".bin", data)
        for words, code in ((["exec"], 126), (["module", "show"], 1), (["module", "c"], 1),
                            (["module", "validate"], 1)):
            r = s.tern(*words, wasm)
            equal((r.returncode, r.stdout), (code, ""), f"{name}: {words}")
            clean_error(r, name + ".bin")


@suite.case
def an_invalid_module_is_refused_with_its_place(s):
    data = start_module(b"\x41\7")  # leaves a value
    wasm = s.file("invalid.wasm", data)
    for words, code in ((["exec"], 126), (["module", "validate"], 1)):
        r = s.tern(*words, wasm)
        equal(r.returncode, code)
        clean_error(r, "not valid", "type mismatch", "offset 0x")


@suite.case
def a_valid_module_is_valid_without_a_word(s):
    r = s.tern("module", "validate", s.program("talk.c"))
    equal((r.returncode, r.stdout, r.stderr), (0, "", ""))


@suite.case
def the_c_compiles_by_itself(s):
    out = s.dir / "c"
    r = s.tern("module", "c", s.program("talk.c"), "-o", out)
    equal(r.returncode, 0)
    pieces = sorted(out.glob("piece-*.c"))
    check(pieces and (out / "tern_rt.h").exists(), "pieces and headers", list(out.iterdir()))
    equal(s.tern("module", "c", s.program("talk.c")).stdout,
          "".join(p.read_text() for p in pieces))
    for compiler in ("gcc", "clang"):
        subprocess.run([compiler, "-std=gnu17", "-fsyntax-only", *pieces], check=True, cwd=out)


@suite.case
def a_file_that_is_not_there(s):
    r = s.tern("module", "show", s.dir / "nothing.wasm")
    equal(r.returncode, 1)
    clean_error(r, "nothing.wasm", "no such file")


@suite.case
def a_full_disk_is_noticed(s):
    with open("/dev/full", "w", encoding="ascii") as full:
        r = s.tern("module", "show", s.program("talk.c"), stdout=full,
                   stderr=subprocess.PIPE)
    equal(r.returncode, 1)
    clean_error(r, "No space left")


suite.run()
