"""Names are any UTF-8: they reach generated C, messages, JSON, and terminals must stay as they are."""
import json

from shared import COMPILERS, check, ended, equal, leave, no_control, program, refused, start, trapped
import wasm
from wasm import call, i32

LONGEST = 100000
EVIL = [
    '"', "\\", "\\n", "a\nb", "\r", "\0", "nul\0inside", "*/", "/*", "//", "*/ int main(void){} /*",
    "??/", "??/\n", "??)", "%s%s%s%n", "%d", "{}", "#define x", "\n#include \"/etc/passwd\"\n",
    "\n#error\n", "_Pragma(\"GCC poison int\")", "__asm__(\"hlt\")", "int", "main", "static", "f0",
    "tern_module", "\\u0041", "\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u202egnp.exe", "\x7f\x08\x08",
    "\u2028", "\ufeff", "\U0001f422", "e\u0301", "../../etc/passwd", "/dev/sda", "$(reboot)",
    "`reboot`", "' or 1=1 --", "<script>", "&lt;", "-o", "--help", " ", "", ",", ";", "__has_include",
    "\x01" * 200, "'" * 200, "R\"x(", ")x\"", "\u00a0", "\x85", "defined", "L\"", "0x", "1e",
]


def everywhere():
    """A module that has all these names at exports, functions and custom sections, and runs."""
    m = program()
    inner = m.func(b"")
    for k, text in enumerate(EVIL):
        f = m.func(call(inner), called=text)
        m.export(f"{text} {k}", wasm.FUNC, f)
        m.custom(text, text.encode())
    m.func(leave(i32(5)), export="_start", called="*/ \x1b[31m \"\\")
    return m


def evil_names_run(s):
    for cc in COMPILERS:
        ended(s.exec(everywhere(), cc=cc), 5)


def evil_names_are_shown_harmlessly(s):
    path = s.write(everywhere())
    shown = s.tern("module", "show", path, errors="surrogateescape")
    equal((shown.returncode, shown.stderr), (0, ""), "module show")
    no_control(shown.stdout, "module show")
    as_json = s.tern("module", "show", "--json", path)
    no_control(as_json.stdout, "module show --json")
    names = {e["name"] for e in json.loads(as_json.stdout)["exports"]}
    for k, text in enumerate(EVIL):
        check(f"{text} {k}" in names, "exports in JSON", repr(text))
    c = s.tern("module", "c", path)
    equal((c.returncode, c.stderr), (0, ""), "module c")
    no_control(c.stdout, "module c")


def evil_imports_are_refused_harmlessly(s):
    for text in EVIL:
        m = wasm.Module()
        m.import_func(text, text)
        m.func(b"", export="_start")
        r = s.exec(m, flags="-O0")
        refused(r, "imports the function")
        no_control(r.stderr, f"the refusal of {text!r}")


def evil_names_in_traps(s):
    for text in EVIL:
        m = program()
        m.func(wasm.UNREACHABLE, export="_start", called=text)
        r = s.exec(m, flags="-O0")
        trapped(r, "unreachable in function 2 ")
        no_control(r.stderr, f"the trap in {text!r}")


def same_names(s):
    """Function names need not differ, and may look like ours."""
    m = program()
    for text in ("f", "f", "f", "5_f", "f5", "memory_grow"):
        m.func(b"", called=text)
    m.func(b"".join(call(k) for k in range(2, 8)) + leave(i32(4)), export="_start", called="f")
    ended(s.exec(m), 4)


def longest_names(s):
    long = "x\"" * (LONGEST // 2)
    m = start(leave(i32(6)), called=long)
    m.export(long, wasm.FUNC, 2)
    path = s.write(m)
    for cc in COMPILERS:
        ended(s.exec(path, cc=cc), 6)
    equal(s.tern("module", "show", path).returncode, 0)
    m = wasm.Module()
    m.import_func(long, long)
    m.func(b"", export="_start")
    r = s.exec(m)
    refused(r, "imports the function")
    check(len(r.stderr) < 2000, "a message stays short", len(r.stderr))
    m = start(b"")
    m.export(long + "y", wasm.FUNC, 2)
    refused(s.exec(m), "malformed")


def names_that_are_not_utf8(s):
    for data in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xc3"):
        m = start(b"")
        m.export(data, wasm.FUNC, 2)
        refused(s.exec(m), "UTF-8")
        m = program()
        m.func(wasm.UNREACHABLE, export="_start", called=data)  # a bad name section is no error
        trapped(s.exec(m), "unreachable in function 2 at")


def file_names(s):
    """The module's own path, too, is shown."""
    path = s.write(start(wasm.UNREACHABLE), "\x1b[31m\n.wasm")
    r = s.exec(path)
    equal(r.returncode, 134, r.stderr)
    path = s.write(b"no module", "\x1b[32m\n.wasm")
    equal(s.exec(path).returncode, 126)


def register(s):
    for case in (evil_names_run, evil_names_are_shown_harmlessly,
                 evil_imports_are_refused_harmlessly, evil_names_in_traps, same_names,
                 longest_names, names_that_are_not_utf8, file_names):
        s.case(case)
